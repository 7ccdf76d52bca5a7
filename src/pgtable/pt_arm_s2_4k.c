/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pt_arm_s2_4k.c - Arm stage 2, VMSAv8-64, 4 KiB granule, 48-bit addresses
 *
 * Arm ARM (DDI 0487), "VMSAv8-64 translation table format descriptors": our level
 * n is the manual's level 3 - n. Memory attributes as they are without FEAT_S2FWB
 * ("Stage 2 memory type and Cacheability attributes"). XN is 0: it says nothing
 * about the data accesses of a device.
 */
#include <iommuabs/types.h>

#include "pgtable.h"

#define PT_OPS	       pt_arm_s2_4k_ops
#define PT_NAME	       "arm-s2-4k"
#define PT_GRANULE_LG2 12
#define PT_DEVICE      1
#define PT_CLAIM       0
#define PT_OUT_LO      12

#define S2_VALID   FIELD(0, 0)
#define S2_TYPE	   FIELD(1, 0)
#define S2_BLOCK   ((uint64_t)1) /* levels 1 and 2 of the manual */
#define S2_TABLE   ((uint64_t)3) /* levels 0 to 2 */
#define S2_PAGE	   ((uint64_t)3) /* level 3 */
#define S2_MEMATTR FIELD(5, 2)
#define S2_DEVICE  ((uint64_t)0x1) /* Device-nGnRE */
#define S2_NC	   ((uint64_t)0x5) /* Normal, outer and inner Non-cacheable */
#define S2_WB	   ((uint64_t)0xf) /* Normal, outer and inner Write-Back */
#define S2_S2AP	   FIELD(7, 6)	   /* bit 6 read, bit 7 write */
#define S2_SH	   FIELD(9, 8)
#define S2_SH_OSH  ((uint64_t)2)
#define S2_SH_ISH  ((uint64_t)3)
#define S2_AF	   FIELD(10, 10)
#define S2_ADDRESS FIELD(47, 12)

static inline bool entry_present(uint64_t entry)
{
	return entry & S2_VALID;
}

static inline bool entry_is_table(uint64_t entry, unsigned int level)
{
	return level && (entry & S2_TYPE) == S2_TABLE;
}

static inline uint64_t entry_table(uint64_t entry)
{
	return entry & S2_ADDRESS;
}

static inline uint64_t table_entry(uint64_t maddr)
{
	return maddr | S2_TABLE;
}

static inline uint64_t leaf_out(uint64_t entry)
{
	return field_get(S2_ADDRESS, entry);
}

static inline uint64_t leaf_attr(uint64_t entry)
{
	uint64_t attr = field_get(S2_S2AP, entry);
	uint64_t memory = field_get(S2_MEMATTR, entry);

	if (memory <= 3) /* any Device */
		attr |= IOMMUABS_DEVICE;
	else if (memory != S2_WB)
		attr |= IOMMUABS_WRITE_COMBINING;
	return attr;
}

static inline uint64_t leaf_entry(uint64_t out, uint64_t attr,
				  unsigned int level)
{
	uint64_t memory =
		field_put(S2_MEMATTR, S2_WB) | field_put(S2_SH, S2_SH_ISH);

	/* Device and Non-cacheable are Outer Shareable whatever SH says. */
	if ((attr & IOMMUABS_MEMTYPE) == IOMMUABS_DEVICE)
		memory = field_put(S2_MEMATTR, S2_DEVICE) |
			 field_put(S2_SH, S2_SH_OSH);
	else if ((attr & IOMMUABS_MEMTYPE) == IOMMUABS_WRITE_COMBINING)
		memory = field_put(S2_MEMATTR, S2_NC) |
			 field_put(S2_SH, S2_SH_OSH);
	return field_put(S2_ADDRESS, out) |
	       field_put(S2_S2AP, attr & (IOMMUABS_READ | IOMMUABS_WRITE)) |
	       memory | S2_AF | (level ? S2_BLOCK : S2_PAGE);
}

#include "engine.h"
