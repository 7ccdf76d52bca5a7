/* SPDX-License-Identifier: BSD-2-Clause */
/* pt_arm_s2_4k.c - Arm stage 2, 4 KiB granule, 48-bit addresses */
#define PT_OPS	       pt_arm_s2_4k_ops
#define PT_NAME	       "arm-s2-4k"
#define PT_GRANULE_LG2 12
#define PT_ARM_DS      0

#include "pt_arm_s2.h"

#include "engine.h"
