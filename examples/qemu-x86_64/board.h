/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * board.h - what scenarios have to know about the machine
 */
#ifndef BOARD_H
#define BOARD_H

#include <iommuabs/domain.h>
#include <iommuabs/fault.h>

/* The host bridge's configuration space: its vendor is Intel. */
#define BOARD_REGISTERS_MFN   UINT64_C(0xb0000)
#define BOARD_REGISTERS_ID    0x000u /* offset of one with a fixed value */
#define BOARD_REGISTERS_ID_IS 0x86u  /* its lowest byte */

/*
 * What the unit reports where nothing is mapped: a second stage has one word for
 * that and for "not permitted".
 */
#define BOARD_FAULT_UNMAPPED IOMMUABS_FAULT_PERMISSION

/*
 * Register writes before the unit, which reset left off, translates: TE comes last,
 * when its tables are in place and whatever it had cached is forgotten.
 */
#define BOARD_UNTRANSLATED_WRITES 12u

/*
 * A struct iommuabs_unit_state: does the unit walk guests' tables? They have four
 * levels, always. Else why not.
 */
#define BOARD_CAN_SHARE(unit) ((unit)->input_bits >= 48)
#define BOARD_CANNOT_SHARE    IOMMUABS_SHARE_LEVELS

/* What is said about a p2m of 48 bits. */
#define BOARD_WIDE_P2M IOMMUABS_SHARE_OK

/* A unit that is stopped blocks by a root table without entries. */
#define BOARD_PAGES_KEPT 1u

/*
 * A storm: the unit has one event for a DMA, and an edu device makes ten of them a
 * second, which is none yet. So the library's clock is that many times slower.
 */
#define BOARD_STORM_DMAS 1100u
#define BOARD_STORM_SLOW 1000u

/*
 * Another number for a bus, of those that firmware keeps for its port: a unit has
 * the buses behind a bridge that its table names.
 */
#define BOARD_NEW_BUS 3u

#endif
