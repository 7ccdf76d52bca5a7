/* SPDX-License-Identifier: BSD-2-Clause */
/* pt_vtd_snoop.c - the same where entries can make accesses snoop (ECAP.SC) */
#define PT_OPS	     pt_vtd_snoop_ops
#define PT_NAME	     "vtd-snoop"
#define PT_VTD_SNOOP 1

#include "pt_vtd.h"

#include "engine.h"
