/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine_tables.h - new tables: written as a whole, then linked
 */
#if defined(PT_OPS) && !defined(IOMMUABS_PGTABLE_ENGINE_TABLES_H)
#define IOMMUABS_PGTABLE_ENGINE_TABLES_H

#include "engine_walk.h"

/* Leaves [@first, @first + @nr) of @fill, each with @hint. */
static inline void leaves_fill(uint64_t *entries, const struct fill *fill,
			       unsigned int first, unsigned int nr,
			       uint64_t hint)
{
	const unsigned int level = fill->level; /* no store changes it */
	uint64_t out = fill->out + first * level_span(level), leaf;
	unsigned int i;

	if (!nr)
		return;
	leaf = leaf_entry(out, fill->attr, level);
	for (i = 0; i < nr; i++, leaf = leaf_after(leaf, level))
		entry_store(&entries[i], leaf | hint);
}

/* The same; those in whole groups have the hint. No group begins in one page and
 * ends in another. */
static inline void entries_fill(uint64_t *entries, const struct fill *fill,
				unsigned int first, unsigned int nr)
{
	unsigned int at = fill->first + first, from = nr, to = nr;

	if (PT_CONT && fill->group) {
		from = IA_MIN(IA_ALIGN_UP(at, fill->group) - at, nr);
		to = IA_ALIGN_DOWN(at + nr, fill->group);
		to = to > at + from ? to - at : from;
	}
	leaves_fill(entries, fill, first, from, 0);
	leaves_fill(entries + from, fill, first + from, to - from, PT_CONT);
	leaves_fill(entries + to, fill, first + to, nr - to, 0);
}

/* Write every word of a new table: @fill, and absent entries around it. */
static void table_write(const struct pt *pt, uint64_t table,
			const struct fill *fill)
{
	unsigned int base, first, end;
	uint64_t *page;

	for (base = 0; base < TABLE_ENTRIES; base += PAGE_ENTRIES) {
		first = IA_MAX(fill->first, base);
		first = IA_MIN(first - base, PAGE_ENTRIES);
		end = IA_MAX(fill->first + fill->nr, base);
		end = IA_MIN(end - base, PAGE_ENTRIES);
		page = hostif_map(pt->host, table + base * sizeof(*page));
		entries_zero(page, first);
		entries_fill(page + first, fill, base + first - fill->first,
			     end - first);
		entries_zero(page + end, PAGE_ENTRIES - end);
		entries_clean(pt, page, PAGE_ENTRIES);
		hostif_unmap(pt->host, page);
	}
}

/* What was written, and cleaned, is seen before what is written next. */
static inline void tables_barrier(const struct pt *pt)
{
	if (!PT_DEVICE)
		return;
	if (pt->clean)
		port_dev_mb();
	else
		port_dev_wmb();
}

/*
 * Put a table with @fill in the place of @old. False: the slot has changed, the
 * pool has its page again.
 */
static bool table_link(const struct pt *pt, const struct slot *slot,
		       uint64_t old, const struct fill *fill,
		       struct tablemem_pool *pool)
{
	uint64_t table = tablemem_pool_take(pt->host, pool);
	uint64_t *entry = &slot->page[slot->index];

	table_write(pt, table, fill);
	tables_barrier(pt);
	if (!entry_cas(entry, old, table_entry(table))) {
		tablemem_pool_put(pt->host, pool, table);
		return false;
	}
	entries_clean(pt, entry, 1);
	return true;
}

static void engine_init_root(struct pt *pt)
{
	uint64_t offset, size = (uint64_t)1 << pt->root_lg2, *page;

	for (offset = 0; offset < size;
	     offset += PAGE_ENTRIES * sizeof(*page)) {
		page = hostif_map(pt->host, pt->root + offset);
		entries_zero(page, PAGE_ENTRIES);
		entries_clean(pt, page, PAGE_ENTRIES);
		hostif_unmap(pt->host, page);
	}
	tables_barrier(pt);
}

#endif
