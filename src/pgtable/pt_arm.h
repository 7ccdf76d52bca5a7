/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pt_arm.h - VMSAv8-64 descriptors: what both stages have in common
 *
 * Arm ARM (DDI 0487) D8.3, "Translation table descriptor formats": our level n is
 * the manual's level 3 - n. A format file defines PT_GRANULE_LG2 and PT_ARM_DS and
 * includes the header of its stage. Addresses of 52 bits (D8.3.1):
 *
 *   PT_ARM_DS 1	4K and 16K granules with TCR.DS (an SMMU's CD.DS or STE.S2DS):
 *			bits 51:50 lie in 9:8, and SH comes from the TCR
 *   64K granule	bits 51:48 lie in 15:12, which are 0 otherwise: one format
 *			for both widths
 */
#if defined(PT_OPS) && !defined(IOMMUABS_PGTABLE_PT_ARM_H)
#define IOMMUABS_PGTABLE_PT_ARM_H

#include <iommuabs/types.h>

#include "pgtable.h"

#define PT_DEVICE    1
#define PT_CLAIM     0
#define PT_OUT_LO    12
#define PT_OUT_SPLIT (PT_ARM_DS || PT_GRANULE_LG2 == 16)

/* What engine_cut.h and engine_edit.h need to know of a leaf that is about to become a table. */
#define PT_VALID ARM_VALID
#define PT_NT	 ARM_NT
#define PT_CONT	 ARM_CONT

#define ARM_VALID    FIELD(0, 0)
#define ARM_TYPE     FIELD(1, 0)
#define ARM_BLOCK    ((uint64_t)1) /* above the manual's level 3 */
#define ARM_TABLE    ((uint64_t)3)
#define ARM_PAGE     ((uint64_t)3) /* at level 3 */
#define ARM_SH	     FIELD(9, 8)
#define ARM_SH_OSH   ((uint64_t)2)
#define ARM_SH_ISH   ((uint64_t)3)
#define ARM_AF	     FIELD(10, 10)
#define ARM_NT	     FIELD(16, 16) /* of blocks (SMMU 3.21.1.2) */
#define ARM_CONT     FIELD(52, 52)
#define ARM_ADDRESS  FIELD(PT_ARM_DS ? 49 : 47, PT_GRANULE_LG2)
#define ARM_DS_HIGH  FIELD(9, 8)   /* address bits 51:50 */
#define ARM_64K_HIGH FIELD(15, 12) /* address bits 51:48 */

/*
 * Leaves of a contiguous group (D8.7.1, "Contiguous descriptor sets"), log2: 64K
 * and 32M, then 16G of 4K tables; 2M and 1G of 16K ones; 2M and 16G of 64K ones.
 */
#define PT_CONT_LG2(level)                         \
	((unsigned int)(PT_GRANULE_LG2 == 12   ? 4 \
			: PT_GRANULE_LG2 == 16 ? 5 \
			: (level)	       ? 5 \
					       : 7))

static inline uint64_t address_get(uint64_t entry)
{
	uint64_t address = entry & ARM_ADDRESS;

	if (PT_ARM_DS)
		address |= field_get(ARM_DS_HIGH, entry) << 50;
	else if (PT_GRANULE_LG2 == 16)
		address |= field_get(ARM_64K_HIGH, entry) << 48;
	return address;
}

static inline uint64_t address_put(uint64_t address)
{
	uint64_t entry = address & ARM_ADDRESS;

	if (PT_ARM_DS)
		entry |= field_put(ARM_DS_HIGH, address >> 50);
	else if (PT_GRANULE_LG2 == 16)
		entry |= field_put(ARM_64K_HIGH, address >> 48);
	return entry;
}

/* Device and Non-cacheable are Outer Shareable whatever SH says (D8.6.2). */
static inline uint64_t share_put(uint64_t attr)
{
	bool cached = (attr & IOMMUABS_MEMTYPE) == 0;

	if (PT_ARM_DS)
		return 0;
	return field_put(ARM_SH, cached ? ARM_SH_ISH : ARM_SH_OSH);
}

static inline bool entry_present(uint64_t entry)
{
	return entry & ARM_VALID;
}

static inline bool entry_is_table(uint64_t entry, unsigned int level)
{
	return level && (entry & ARM_TYPE) == ARM_TABLE;
}

static inline uint64_t entry_table(uint64_t entry)
{
	return address_get(entry);
}

static inline uint64_t table_entry(uint64_t maddr)
{
	return address_put(maddr) | ARM_TABLE;
}

static inline uint64_t leaf_out(uint64_t entry)
{
	return address_get(entry) >> IOMMUABS_FRAME_LG2;
}

static inline uint64_t leaf_type(unsigned int level)
{
	return level ? ARM_BLOCK : ARM_PAGE;
}

#endif
