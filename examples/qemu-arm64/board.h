/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * board.h - what scenarios have to know about the machine
 */
#ifndef BOARD_H
#define BOARD_H

#include <iommuabs/domain.h>
#include <iommuabs/fault.h>

/* The PL031 (Arm DDI 0224): PeriphID0 reads 0x31. */
#define BOARD_REGISTERS_MFN   UINT64_C(0x9010)
#define BOARD_REGISTERS_ID    0xfe0u /* offset of one with a fixed value */
#define BOARD_REGISTERS_ID_IS 0x31u  /* its lowest byte */

/* What the unit reports where nothing is mapped. */
#define BOARD_FAULT_UNMAPPED IOMMUABS_FAULT_TRANSLATION

/* Register writes before the unit can be made to block. */
#define BOARD_UNTRANSLATED_WRITES 0u

/* A struct iommuabs_unit_state: does the unit walk guests' tables? Else why not. */
#define BOARD_CAN_SHARE(unit) ((unit)->stage2)
#define BOARD_CANNOT_SHARE    IOMMUABS_SHARE_NO_STAGE2

/* What is said about a p2m of 48 bits. */
#define BOARD_WIDE_P2M IOMMUABS_SHARE_INPUT_WIDTH

/* An SMMU blocks without a table. */
#define BOARD_PAGES_KEPT 0u

/*
 * A storm: the unit has an event for each word of a DMA, so that it takes few. How
 * many times slower the library's clock is meanwhile.
 */
#define BOARD_STORM_DMAS 8u
#define BOARD_STORM_SLOW 1u

/* Another number for a bus; the host bridge has all of them. */
#define BOARD_NEW_BUS 0x20u

#endif
