/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * board.h - the one device whose registers a guest gets
 */
#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

/* The PL031 (Arm DDI 0224): PeriphID0 reads 0x31. */
#define BOARD_CLOCK_MFN	  UINT64_C(0x9010)
#define BOARD_CLOCK_ID	  0xfe0u /* offset of a register with a fixed value */
#define BOARD_CLOCK_ID_IS 0x31u	 /* its lowest byte */

#endif
