/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pt_arm_s2.h - stage 2 descriptors, any granule
 *
 * Memory attributes as they are without FEAT_S2FWB (Arm ARM D8.6.5, "Stage 2
 * memory type and Cacheability attributes"). XN is 0: it says nothing about the
 * data accesses of a device.
 */
#if defined(PT_OPS) && !defined(IOMMUABS_PGTABLE_PT_ARM_S2_H)
#define IOMMUABS_PGTABLE_PT_ARM_S2_H

#include "pt_arm.h"

#define PT_READ_IMPLIED 0

#define S2_MEMATTR FIELD(5, 2)
#define S2_DEVICE  ((uint64_t)0x1) /* Device-nGnRE */
#define S2_NC	   ((uint64_t)0x5) /* Normal, outer and inner Non-cacheable */
#define S2_WB	   ((uint64_t)0xf) /* Normal, outer and inner Write-Back */
#define S2_S2AP	   FIELD(7, 6)	   /* bit 6 read, bit 7 write */

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
	uint64_t memory = S2_WB;

	if ((attr & IOMMUABS_MEMTYPE) == IOMMUABS_DEVICE)
		memory = S2_DEVICE;
	else if ((attr & IOMMUABS_MEMTYPE) == IOMMUABS_WRITE_COMBINING)
		memory = S2_NC;
	return address_put(out << IOMMUABS_FRAME_LG2) |
	       field_put(S2_S2AP, attr & (IOMMUABS_READ | IOMMUABS_WRITE)) |
	       field_put(S2_MEMATTR, memory) | share_put(attr) | ARM_AF |
	       leaf_type(level);
}

#endif
