/* SPDX-License-Identifier: BSD-2-Clause */
/* pt_arm_s1_64k.c - Arm stage 1, 64 KiB granule, 48- or 52-bit addresses */
#define PT_OPS	       pt_arm_s1_64k_ops
#define PT_NAME	       "arm-s1-64k"
#define PT_GRANULE_LG2 16
#define PT_ARM_DS      0

#include "pt_arm_s1.h"

#include "engine.h"
