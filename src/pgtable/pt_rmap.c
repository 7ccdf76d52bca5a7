/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pt_rmap.c - mfn -> place: gfn, domain and kind
 *
 * Leaf: 60..21 gfn, 20..2 attr; table: 51..12 its address; 1 table; 0 present.
 */
#include "pgtable.h"

#define PT_OPS		pt_rmap_ops
#define PT_NAME		"rmap"
#define PT_GRANULE_LG2	12
#define PT_DEVICE	0
#define PT_CLAIM	1
#define PT_OUT_LO	21
#define PT_OUT_SPLIT	0
#define PT_READ_IMPLIED 0
#define PT_VALID	0
#define PT_NT		0

#define RMAP_PRESENT FIELD(0, 0)
#define RMAP_TABLE   FIELD(1, 1)
#define RMAP_ADDRESS FIELD(51, 12)
#define RMAP_ATTR    FIELD(20, 2)
#define RMAP_GFN     FIELD(60, 21)

static inline bool entry_present(uint64_t entry)
{
	return entry & RMAP_PRESENT;
}

static inline bool entry_is_table(uint64_t entry, unsigned int level)
{
	(void)level;
	return entry & RMAP_TABLE;
}

static inline uint64_t entry_table(uint64_t entry)
{
	return entry & RMAP_ADDRESS;
}

static inline uint64_t table_entry(uint64_t maddr)
{
	return maddr | RMAP_TABLE | RMAP_PRESENT;
}

static inline uint64_t leaf_out(uint64_t entry)
{
	return field_get(RMAP_GFN, entry);
}

static inline uint64_t leaf_attr(uint64_t entry)
{
	return field_get(RMAP_ATTR, entry);
}

static inline uint64_t leaf_entry(uint64_t out, uint64_t attr,
				  unsigned int level)
{
	(void)level;
	return field_put(RMAP_GFN, out) | field_put(RMAP_ATTR, attr) |
	       RMAP_PRESENT;
}

#include "engine.h"
