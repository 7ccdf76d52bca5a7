/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine_cut.h - a leaf becomes tables, as units can take it
 */
#if defined(PT_OPS) && !defined(IOMMUABS_PGTABLE_ENGINE_CUT_H)
#define IOMMUABS_PGTABLE_ENGINE_CUT_H

#include "engine_tables.h"

#define CUT_TABLES_MAX (2 * PT_LEVELS_MAX)

/* A leaf that the range cuts, and what comes into its place. */
struct cutting {
	const struct slot *slot;
	uint64_t entry;	   /* as read from the slot */
	uint64_t base;	   /* first frame of the leaf */
	uint64_t from, to; /* where it is cut, counted from @base */
	uint64_t tables[CUT_TABLES_MAX]; /* the first is to be linked */
	uint32_t nr;
};

/* How many tables it takes that @from and @to are ends of leaves. */
static inline uint32_t cutting_tables(const struct cutting *cut)
{
	unsigned int level = cut->slot->level;
	uint64_t mask, head, tail;
	uint32_t nr = 1;

	while (--level) {
		mask = level_span(level) - 1;
		head = cut->from & mask;
		tail = cut->to & mask;
		nr += head || tail;
		nr += head && tail && (cut->from ^ cut->to) & ~mask;
	}
	return nr;
}

/* A table, not linked, of what the leaf @old at @level maps. */
static uint64_t cutting_table(const struct pt *pt, struct cutting *cut,
			      uint64_t old, unsigned int level,
			      struct tablemem_pool *pool)
{
	uint64_t plain = leaf_plain(old, level);
	const struct fill fill = {
		.nr = TABLE_ENTRIES,
		.level = level - 1,
		.out = leaf_out(plain),
		.attr = leaf_attr(plain),
		.group = group_leaves(pt, level - 1),
	};
	uint64_t table = tablemem_pool_take(pt->host, pool);

	cut->tables[cut->nr++] = table;
	table_write(pt, table, &fill);
	return table;
}

/* No hint in the group of @slot, which no walk can reach yet. */
static void group_dissolve(const struct pt *pt, const struct slot *slot)
{
	unsigned int nr = 1u << PT_CONT_LG2(slot->level), i;
	uint64_t *entry = &slot->page[IA_ALIGN_DOWN(slot->index, nr)];

	for (i = 0; i < nr; i++)
		entry_store(&entry[i], entry_load(&entry[i]) & ~PT_CONT);
	entries_clean(pt, entry, nr);
}

/* Does an end of a range in the leaf @entry, or where it begins, cut a group? */
static inline bool group_is_cut(const struct slot *slot, uint64_t entry,
				bool inside)
{
	unsigned int first =
		slot->index & ((1u << PT_CONT_LG2(slot->level)) - 1);

	return (entry & PT_CONT) && (inside || first);
}

/* Make @in the end of a leaf in what is not linked yet: no store is seen. */
static void cutting_at(const struct pt *sub, struct cutting *cut, uint64_t in,
		       struct tablemem_pool *pool)
{
	struct slot slot;
	uint64_t entry, table, *p;
	bool inside;

	do {
		entry = walk(sub, in, 0, &slot);
		inside = in & (level_span(slot.level) - 1);
		if (group_is_cut(&slot, entry, inside))
			group_dissolve(sub, &slot);
		if (inside) {
			table = cutting_table(sub, cut, entry, slot.level,
					      pool);
			p = &slot.page[slot.index];
			entry_store(p, table_entry(table));
			entries_clean(sub, p, 1);
		}
		hostif_unmap(sub->host, slot.page);
	} while (inside);
}

/* The tables in the leaf's place, in one store; or somebody else was faster. */
static void cutting_link(const struct pt *pt, struct cutting *cut,
			 struct tablemem_pool *pool)
{
	uint64_t *p = &cut->slot->page[cut->slot->index];
	struct pt sub = *pt;

	sub.top = (uint8_t)(cut->slot->level - 1);
	sub.root_lg2 = PT_GRANULE_LG2;
	sub.root = cutting_table(pt, cut, cut->entry, cut->slot->level, pool);
	if (cut->from)
		cutting_at(&sub, cut, cut->from, pool);
	if (cut->to != level_span(cut->slot->level))
		cutting_at(&sub, cut, cut->to, pool);
	tables_barrier(pt);
	if (entry_cas(p, cut->entry, table_entry(sub.root))) {
		entries_clean(pt, p, 1);
		return;
	}
	while (cut->nr)
		tablemem_pool_put(pt->host, pool, cut->tables[--cut->nr]);
}

/*
 * PT_OK: units can take a table in the leaf's place. PT_NEEDS_SYNC: it is broken
 * now. PT_OCCUPIED: somebody else was faster, look again.
 */
static inline enum pt_status cutting_break(const struct pt *pt,
					   const struct cutting *cut,
					   struct pt_cut *wait)
{
	uint64_t span = level_span(cut->slot->level), broken;
	uint64_t *p = &cut->slot->page[cut->slot->index];

	if (!PT_DEVICE || pt->bbml >= 2)
		return PT_OK;
	broken = pt->bbml ? cut->entry | PT_NT : cut->entry & ~PT_VALID;
	if (cut->entry == broken && wait->nr == span && wait->in == cut->base) {
		wait->nr = 0;
		return PT_OK;
	}
	if (cut->entry != broken) {
		if (!entry_cas(p, cut->entry, broken))
			return PT_OCCUPIED;
		entries_clean(pt, p, 1);
	}
	wait->in = cut->base;
	wait->nr = span;
	return PT_NEEDS_SYNC;
}

#endif
