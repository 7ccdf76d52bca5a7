/* SPDX-License-Identifier: BSD-2-Clause */
/* pt_arm_s1_4k.c - Arm stage 1, 4 KiB granule, 48-bit addresses */
#define PT_OPS	       pt_arm_s1_4k_ops
#define PT_NAME	       "arm-s1-4k"
#define PT_GRANULE_LG2 12
#define PT_ARM_DS      0

#include "pt_arm_s1.h"

#include "engine.h"
