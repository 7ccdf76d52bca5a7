/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine_free.h - tables are taken apart and given back
 */
#if defined(PT_OPS) && !defined(IOMMUABS_PGTABLE_ENGINE_FREE_H)
#define IOMMUABS_PGTABLE_ENGINE_FREE_H

#include "engine_walk.h"

/*
 * While a table is taken apart, from its last entry to its first, and the budget
 * ends, its last entry remembers how many are left: an entry that is absent in
 * every format, as the bits below an address are 0, and is not 0.
 */
#define LEFT_SHIFT	 12
#define LEFT_ENTRY(left) (((uint64_t)(left) + 1) << LEFT_SHIFT)
#define ENTRY_LEFT(e)	 ((unsigned int)((e) >> LEFT_SHIFT) - 1)

struct dying {
	uint64_t table;
	unsigned int left; /* entries [0, left) are still to be looked at */
};

static inline unsigned int dying_entries(const struct pt *pt,
					 unsigned int level)
{
	return level == pt->top ? 1u << (pt->root_lg2 - 3) : TABLE_ENTRIES;
}

static uint64_t *dying_map(const struct pt *pt, const struct dying *dying,
			   unsigned int index)
{
	uint64_t page = index / PAGE_ENTRIES;

	return hostif_map(pt->host, dying->table + (page << PAGE_LG2));
}

static void dying_begin(const struct pt *pt, struct dying *dying,
			uint64_t table, unsigned int level)
{
	unsigned int nr = dying_entries(pt, level);
	uint64_t *page, entry;

	dying->table = table;
	dying->left = nr;
	page = dying_map(pt, dying, nr - 1);
	entry = entry_load(&page[(nr - 1) % PAGE_ENTRIES]);
	if (!entry_present(entry) && entry)
		dying->left = ENTRY_LEFT(entry);
	hostif_unmap(pt->host, page);
}

static void dying_suspend(const struct pt *pt, const struct dying *dying,
			  unsigned int level)
{
	unsigned int nr = dying_entries(pt, level);
	uint64_t *page;

	if (dying->left == nr)
		return;
	page = dying_map(pt, dying, nr - 1);
	entry_store(&page[(nr - 1) % PAGE_ENTRIES], LEFT_ENTRY(dying->left));
	hostif_unmap(pt->host, page);
}

/* The last table below @dying, 0: none is left, or the budget is gone. */
static uint64_t dying_child(const struct pt *pt, struct dying *dying,
			    unsigned int level, uint64_t *budget)
{
	uint64_t *page, entry, child = 0;

	while (dying->left && *budget && !child) {
		page = dying_map(pt, dying, dying->left - 1);
		do {
			entry = entry_load(
				&page[(dying->left - 1) % PAGE_ENTRIES]);
			if (entry_is_table(entry, level)) {
				child = entry_table(entry);
				break;
			}
			--*budget;
			dying->left--;
		} while (dying->left % PAGE_ENTRIES && *budget);
		hostif_unmap(pt->host, page);
	}
	return child;
}

/*
 * Collect the tables in @entries [@first, @left), at level 1, from the last one on,
 * as long as there is room. Return: up to where nothing was looked at.
 */
static inline unsigned int leaf_tables_give(const uint64_t *entries,
					    unsigned int first,
					    unsigned int left,
					    struct tablemem_giving *giving)
{
	unsigned int nr = giving->nr, stop;
	uint64_t entry;

	stop = left - IA_MIN(left - first, TABLEMEM_GIVING - nr);
	while (left > stop) {
		entry = entry_load(&entries[--left]);
		if (!entry_is_table(entry, 1))
			continue;
		giving->maddrs[nr++] = entry_table(entry);
	}
	giving->nr = nr;
	return left;
}

/*
 * From the table in @entries[@left - 1] on, down to @first: do many lie one after
 * the other in memory, upwards or downwards? From and to which one in @row. Their
 * entries differ in nothing else than by a table.
 */
static inline bool leaf_tables_row(const uint64_t *entries, unsigned int first,
				   unsigned int left, uint64_t row[2])
{
	const uint64_t size = (uint64_t)1 << PT_GRANULE_LG2;
	unsigned int at = left - 1;
	uint64_t entry = entry_load(&entries[at]), step;

	if (left - first <= TABLEMEM_GIVING || !entry_is_table(entry, 1))
		return false;
	step = entry_load(&entries[at - 1]) < entry ? -size : size;
	row[0] = entry_table(entry);
	while (at > first && entry_load(&entries[at - 1]) == entry + step) {
		entry += step;
		at--;
	}
	row[1] = entry_table(entry);
	return left - at > TABLEMEM_GIVING;
}

/* All tables below @dying, at level 1, as far as @budget goes: they have none. */
static void dying_leaf_tables(const struct pt *pt, struct dying *dying,
			      struct tablemem_giving *giving, uint64_t *budget)
{
	unsigned int base, first, left;
	uint64_t *page, row[2];
	bool is_row;

	while (dying->left && *budget) {
		left = dying->left;
		base = (left - 1) / PAGE_ENTRIES * PAGE_ENTRIES;
		first = left - (unsigned int)IA_MIN(left - base, *budget);
		page = dying_map(pt, dying, base);
		is_row = !giving->of_row &&
			 leaf_tables_row(page, first - base, left - base, row);
		if (!is_row)
			left = base + leaf_tables_give(page, first - base,
						       left - base, giving);
		hostif_unmap(pt->host, page);
		if (is_row)
			tablemem_giving_row(giving, row[0], row[1]);
		else if (giving->nr == TABLEMEM_GIVING)
			tablemem_giving_flush(giving);
		*budget -= dying->left - left;
		dying->left = left;
	}
}

static void dying_give(const struct pt *pt, uint64_t table, unsigned int level,
		       struct tablemem_giving *giving)
{
	if (level == pt->top) {
		tablemem_free(giving->mem, giving->account, table,
			      pt->root_lg2);
	} else {
		if (giving->nr == TABLEMEM_GIVING)
			tablemem_giving_flush(giving);
		tablemem_giving_add(giving, table);
	}
}

static enum pt_status engine_free_tables(const struct pt *pt, uint64_t word,
					 const struct pt_payer *payer,
					 uint64_t *budget)
{
	struct tablemem_giving giving;
	unsigned int top = word & PT_SINK_LEVEL, level = top;
	uint64_t child = word & ~PT_SINK_LEVEL;
	enum pt_status status = PT_BUDGET;
	struct dying path[PT_LEVELS_MAX];

	tablemem_giving_begin(&giving, payer->mem, payer->account,
			      PT_GRANULE_LG2);
	for (;;) {
		/* Down to the last table that has none below it. */
		if (child && level)
			dying_begin(pt, &path[level], child, level);
		else if (child)
			path[0] = (struct dying){ child, 0 };
		if (level == 1)
			dying_leaf_tables(pt, &path[1], &giving, budget);
		child = dying_child(pt, &path[level], level, budget);
		if (child) {
			level--;
			continue;
		}
		if (!*budget)
			break;
		--*budget;
		dying_give(pt, path[level].table, level, &giving);
		if (level++ == top) {
			status = PT_OK;
			break;
		}
		path[level].left--;
	}
	for (; level <= top; level++)
		if (level)
			dying_suspend(pt, &path[level], level);
	tablemem_giving_end(&giving);
	return status;
}

#endif
