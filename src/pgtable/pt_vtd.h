/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pt_vtd.h - second-stage entries of VT-d, any number of levels (VT-d 9.8)
 *
 * An EPT (Intel SDM vol. 3C 29.3) and a nested page table (AMD64 APM vol. 2
 * 15.25) are read by the same bits. The memory type is the CPU's affair: entries
 * keep it where the unit looks at nothing (61..52).
 */
#if defined(PT_OPS) && !defined(IOMMUABS_PGTABLE_PT_VTD_H)
#define IOMMUABS_PGTABLE_PT_VTD_H

#include <iommuabs/types.h>

#include "pgtable.h"

#define PT_GRANULE_LG2	12
#define PT_DEVICE	1
#define PT_CLAIM	0
#define PT_OUT_LO	12
#define PT_OUT_SPLIT	0
#define PT_READ_IMPLIED 0
/* A leaf becomes a table at once: never broken first. */
#define PT_VALID 0
#define PT_NT	 0

#define VTD_PT_READ    FIELD(0, 0)
#define VTD_PT_WRITE   FIELD(1, 1)
#define VTD_PT_ACCESS  FIELD(1, 0)
#define VTD_PT_LARGE   FIELD(7, 7)
#define VTD_PT_SNOOP   FIELD(11, 11)
#define VTD_PT_ADDRESS FIELD(51, 12)
#define VTD_PT_MEMTYPE FIELD(53, 52)

_Static_assert(IOMMUABS_READ == 1 && IOMMUABS_WRITE == 2,
	       "an entry's permissions are the mapping's");

static inline bool entry_present(uint64_t entry)
{
	return entry & VTD_PT_ACCESS;
}

static inline bool entry_is_table(uint64_t entry, unsigned int level)
{
	return level && (entry & VTD_PT_ACCESS) && !(entry & VTD_PT_LARGE);
}

static inline uint64_t entry_table(uint64_t entry)
{
	return entry & VTD_PT_ADDRESS;
}

static inline uint64_t table_entry(uint64_t maddr)
{
	return maddr | VTD_PT_ACCESS;
}

static inline uint64_t leaf_out(uint64_t entry)
{
	return field_get(VTD_PT_ADDRESS, entry);
}

static inline uint64_t leaf_attr(uint64_t entry)
{
	return (entry & VTD_PT_ACCESS) |
	       field_put(IOMMUABS_MEMTYPE, field_get(VTD_PT_MEMTYPE, entry));
}

static inline uint64_t leaf_entry(uint64_t out, uint64_t attr,
				  unsigned int level)
{
	uint64_t memtype = field_get(IOMMUABS_MEMTYPE, attr);

	return field_put(VTD_PT_ADDRESS, out) | (attr & VTD_PT_ACCESS) |
	       field_put(VTD_PT_MEMTYPE, memtype) | (level ? VTD_PT_LARGE : 0) |
	       (PT_VTD_SNOOP && !memtype ? VTD_PT_SNOOP : 0);
}

#endif
