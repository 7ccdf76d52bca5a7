/* SPDX-License-Identifier: BSD-2-Clause */
/* pt_arm_s1_16k_52.c - Arm stage 1, 16 KiB granule, 52-bit addresses */
#define PT_OPS	       pt_arm_s1_16k_52_ops
#define PT_NAME	       "arm-s1-16k-52"
#define PT_GRANULE_LG2 14
#define PT_ARM_DS      1

#include "pt_arm_s1.h"

#include "engine.h"
