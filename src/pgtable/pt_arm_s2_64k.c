/* SPDX-License-Identifier: BSD-2-Clause */
/* pt_arm_s2_64k.c - Arm stage 2, 64 KiB granule, 48- or 52-bit addresses */
#define PT_OPS	       pt_arm_s2_64k_ops
#define PT_NAME	       "arm-s2-64k"
#define PT_GRANULE_LG2 16
#define PT_ARM_DS      0

#include "pt_arm_s2.h"

#include "engine.h"
