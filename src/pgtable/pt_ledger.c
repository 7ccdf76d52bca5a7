/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pt_ledger.c - gfn -> mfn, what a domain maps
 *
 * 51..12 mfn, or a table's address; 9..2 attr; 1 table; 0 present.
 */
#include "pgtable.h"

#define PT_OPS		pt_ledger_ops
#define PT_NAME		"ledger"
#define PT_GRANULE_LG2	12
#define PT_DEVICE	0
#define PT_CLAIM	0
#define PT_OUT_LO	12
#define PT_OUT_SPLIT	0
#define PT_READ_IMPLIED 0
#define PT_VALID	0
#define PT_NT		0

#define LEDGER_PRESENT FIELD(0, 0)
#define LEDGER_TABLE   FIELD(1, 1)
#define LEDGER_ATTR    FIELD(9, 2)
#define LEDGER_ADDRESS FIELD(51, 12)

static inline bool entry_present(uint64_t entry)
{
	return entry & LEDGER_PRESENT;
}

static inline bool entry_is_table(uint64_t entry, unsigned int level)
{
	(void)level;
	return entry & LEDGER_TABLE;
}

static inline uint64_t entry_table(uint64_t entry)
{
	return entry & LEDGER_ADDRESS;
}

static inline uint64_t table_entry(uint64_t maddr)
{
	return maddr | LEDGER_TABLE | LEDGER_PRESENT;
}

static inline uint64_t leaf_out(uint64_t entry)
{
	return field_get(LEDGER_ADDRESS, entry);
}

static inline uint64_t leaf_attr(uint64_t entry)
{
	return field_get(LEDGER_ATTR, entry);
}

static inline uint64_t leaf_entry(uint64_t out, uint64_t attr,
				  unsigned int level)
{
	(void)level;
	return field_put(LEDGER_ADDRESS, out) | field_put(LEDGER_ATTR, attr) |
	       LEDGER_PRESENT;
}

#include "engine.h"
