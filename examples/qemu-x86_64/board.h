/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * board.h - the one device whose registers a guest gets
 */
#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

/* The HPET (IA-PC HPET 1.0a, 2.3.4): its revision reads 1. */
#define BOARD_CLOCK_MFN	  UINT64_C(0xfed00)
#define BOARD_CLOCK_ID	  0x000u /* offset of a register with a fixed value */
#define BOARD_CLOCK_ID_IS 0x01u	 /* its lowest byte */

#endif
