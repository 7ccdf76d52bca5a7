/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine_repeat.h - tables in which every address has the same leaf, but for exceptions
 */
#if defined(PT_OPS) && !defined(IOMMUABS_PGTABLE_ENGINE_REPEAT_H)
#define IOMMUABS_PGTABLE_ENGINE_REPEAT_H

#include "engine_map.h"

/* @bytes of a table: one entry again and again. */
static void table_repeat(const struct pt *pt, uint64_t table, uint64_t bytes,
			 uint64_t entry)
{
	uint64_t offset, *page;
	unsigned int i;

	for (offset = 0; offset < bytes; offset += IOMMUABS_FRAME_SIZE) {
		page = hostif_map(pt->host, table + offset);
		for (i = 0; i < PAGE_ENTRIES; i++)
			entry_store(&page[i], entry);
		entries_clean(pt, page, PAGE_ENTRIES);
		hostif_unmap(pt->host, page);
	}
}

static void engine_repeat(const struct pt *pt, uint64_t out, uint64_t attr,
			  struct tablemem_pool *pool, uint64_t common[])
{
	uint64_t entry = leaf_entry(out, attr, 0);
	unsigned int level;

	for (level = 0; level < pt->top; level++) {
		common[level] = tablemem_pool_take(pt->host, pool);
		table_repeat(pt, common[level], (uint64_t)1 << PT_GRANULE_LG2,
			     entry);
		entry = table_entry(common[level]);
	}
	tables_barrier(pt);
	table_repeat(pt, pt->root, (uint64_t)1 << pt->root_lg2, entry);
	tables_barrier(pt);
}

/* Is there the table that all slots of @level had in common? */
static inline bool entry_is_common(uint64_t entry, unsigned int level,
				   const uint64_t common[])
{
	return entry_is_table(entry, level) &&
	       entry_table(entry) == common[level - 1];
}

/* @slot at @slot->level gets a table of its own, full of what all have. */
static void table_part(const struct pt *pt, const struct slot *slot,
		       const uint64_t common[], struct tablemem_pool *pool)
{
	uint64_t table = tablemem_pool_take(pt->host, pool), entry, *page;
	uint64_t *at = &slot->page[slot->index];

	page = hostif_map(pt->host, common[slot->level - 1]);
	entry = entry_load(page);
	hostif_unmap(pt->host, page);
	table_repeat(pt, table, (uint64_t)1 << PT_GRANULE_LG2, entry);
	tables_barrier(pt);
	entry_store(at, table_entry(table));
	entries_clean(pt, at, 1);
}

static void engine_except(const struct pt *pt, const struct pt_run *run,
			  const uint64_t common[], struct tablemem_pool *pool)
{
	struct pt_run left = *run;
	unsigned int level, at;
	struct slot slot;
	uint64_t *entry;

	while (left.nr) {
		level = run_leaf_level(pt, &left);
		for (at = pt->top; at > level; at--) {
			if (entry_is_common(walk(pt, left.in, at, &slot), at,
					    common))
				table_part(pt, &slot, common, pool);
			hostif_unmap(pt->host, slot.page);
		}
		(void)walk(pt, left.in, level, &slot);
		entry = &slot.page[slot.index];
		entry_store(entry,
			    left.attr ? leaf_entry(left.out, left.attr, level)
				      : 0);
		entries_clean(pt, entry, 1);
		hostif_unmap(pt->host, slot.page);
		run_advance(&left, level_span(level));
	}
	tables_barrier(pt);
}

/* No slot of this table, nor below, has what is @common any more. */
static void table_single(const struct pt *pt, uint64_t table, uint64_t bytes,
			 unsigned int level, const uint64_t common[])
{
	uint64_t offset, entry, *page;
	unsigned int i;

	for (offset = 0; level && offset < bytes;
	     offset += IOMMUABS_FRAME_SIZE) {
		page = hostif_map(pt->host, table + offset);
		for (i = 0; i < PAGE_ENTRIES; i++) {
			entry = entry_load(&page[i]);
			if (entry_is_common(entry, level, common))
				entry_store(&page[i], 0);
			else if (entry_is_table(entry, level))
				table_single(pt, entry_table(entry),
					     (uint64_t)1 << PT_GRANULE_LG2,
					     level - 1, common);
		}
		hostif_unmap(pt->host, page);
	}
}

static void engine_single(const struct pt *pt, const uint64_t common[])
{
	table_single(pt, pt->root, (uint64_t)1 << pt->root_lg2, pt->top,
		     common);
}

#endif
