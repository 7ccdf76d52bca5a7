/* SPDX-License-Identifier: BSD-2-Clause */
/* pt_vtd.c - VT-d second stage, for units without snoop control */
#define PT_OPS	     pt_vtd_ops
#define PT_NAME	     "vtd"
#define PT_VTD_SNOOP 0

#include "pt_vtd.h"

#include "engine.h"
