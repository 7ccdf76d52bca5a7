/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pt_arm_s1.h - stage 1 descriptors of an EL1 regime, any granule
 *
 * A device's accesses are unprivileged unless it says otherwise, and both may do
 * the same: AP[1] is 1 (Arm ARM D8.4.1). There is no write permission without
 * read permission here. Entries are non-global, so that they belong to the ASID
 * of the domain. UXN and PXN are 0: an instruction fetch is a read, as in stage 2.
 *
 * AttrIndx is the number of the library's memory type: the driver puts
 * PT_ARM_S1_MAIR into the context descriptor.
 */
#if defined(PT_OPS) && !defined(IOMMUABS_PGTABLE_PT_ARM_S1_H)
#define IOMMUABS_PGTABLE_PT_ARM_S1_H

#include "pt_arm.h"

#define PT_READ_IMPLIED 1

#define S1_ATTRINDX FIELD(4, 2)
#define S1_AP1	    FIELD(6, 6) /* unprivileged too */
#define S1_AP2	    FIELD(7, 7) /* read-only */
#define S1_NG	    FIELD(11, 11)

_Static_assert(IOMMUABS_DEVICE == 1 << 2 && IOMMUABS_WRITE_COMBINING == 2 << 2,
	       "AttrIndx and memory type are one number in one place");

static inline uint64_t leaf_attr(uint64_t entry)
{
	uint64_t attr = IOMMUABS_READ | (entry & IOMMUABS_MEMTYPE);

	return entry & S1_AP2 ? attr : attr | IOMMUABS_WRITE;
}

static inline uint64_t leaf_entry(uint64_t out, uint64_t attr,
				  unsigned int level)
{
	iommuabs_assert(attr & IOMMUABS_READ);
	return address_put(out << IOMMUABS_FRAME_LG2) |
	       (attr & IOMMUABS_MEMTYPE & S1_ATTRINDX) | S1_AP1 |
	       (attr & IOMMUABS_WRITE ? 0 : S1_AP2) | share_put(attr) | ARM_AF |
	       S1_NG | leaf_type(level);
}

#endif
