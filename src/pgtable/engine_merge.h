/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine_merge.h - leaves that follow each other become a larger one
 */
#if defined(PT_OPS) && !defined(IOMMUABS_PGTABLE_ENGINE_MERGE_H)
#define IOMMUABS_PGTABLE_ENGINE_MERGE_H

#include "engine_edit.h"
#include "engine_map.h"

struct merging {
	const struct pt *pt;
	const struct pt_merge *merge;
	struct pt_sink *sink;
	uint64_t *budget;
	struct pt_run *merged;
};

/* What a table is full of. */
enum table_content {
	CONTENT_MIXED,
	CONTENT_NOTHING,
	CONTENT_ONE_RUN, /* of leaves with one attr and consecutive out */
};

/*
 * Go on with the survey of a table, of which the page has come: *@next is the
 * entry that would make it one run, 0 before the first.
 */
static enum table_content survey_page(const struct pt *pt, const uint64_t *page,
				      unsigned int level, uint64_t *next)
{
	enum table_content content = CONTENT_NOTHING;
	unsigned int i;
	uint64_t entry;

	for (i = 0; i < PAGE_ENTRIES; i++) {
		entry = entry_load(&page[i]);
		if (!entry_is_taken(pt, entry)) {
			if (*next)
				return CONTENT_MIXED;
			continue;
		}
		if (entry_is_table(entry, level) || !entry_present(entry) ||
		    (i && !*next))
			return CONTENT_MIXED;
		entry = leaf_plain(entry, level);
		if (*next && entry != *next)
			return CONTENT_MIXED;
		*next = leaf_after(entry, level);
		content = CONTENT_ONE_RUN;
	}
	return content;
}

/* Slots of @table are at @level; *@first: its first entry, if it is one run. */
static enum table_content survey(const struct merging *merging, uint64_t table,
				 unsigned int level, uint64_t *first)
{
	enum table_content content = CONTENT_MIXED, before = CONTENT_MIXED;
	const struct pt *pt = merging->pt;
	uint64_t next = 0, *page;
	unsigned int n;

	for (n = 0; n < TABLE_PAGES; n++) {
		page = hostif_map(pt->host, table + ((uint64_t)n << PAGE_LG2));
		if (!n)
			*first = leaf_plain(entry_load(page), level);
		content = survey_page(pt, page, level, &next);
		hostif_unmap(pt->host, page);
		budget_take(merging->budget, PAGE_ENTRIES);
		if (content == CONTENT_MIXED || (n && content != before))
			return CONTENT_MIXED;
		before = content;
	}
	return content;
}

/* May what begins with leaf @first be one leaf of the next larger size? */
static bool may_be_leaf(const struct merging *merging, uint64_t first,
			unsigned int level)
{
	const struct pt *pt = merging->pt;
	uint64_t out = leaf_out(first);

	if (!(pt->leaf_mask >> level & 1) ||
	    (PT_DEVICE && out & (level_span(level) - 1)))
		return false;
	/* A format whose leaves are never broken needs no break here either. */
	if (PT_VALID && !pt->bbml && merging->merge->live)
		return false;
	return (leaf_attr(first) & merging->merge->if_mask) ==
	       merging->merge->if_value;
}

static void merged_add(struct pt_run *merged, uint64_t base, uint64_t nr)
{
	uint64_t end = IA_MAX(merged->in + merged->nr, base + nr);

	if (!merged->nr)
		end = base + nr;
	merged->in = merged->nr ? IA_MIN(merged->in, base) : base;
	merged->nr = end - merged->in;
}

/* The table in the slot at @level that maps @base: PT_OK | PT_FULL. */
static enum pt_status merge_table(const struct merging *merging, uint64_t base,
				  unsigned int level)
{
	const struct pt *pt = merging->pt;
	struct pt_sink *sink = merging->sink;
	enum table_content content;
	uint64_t entry, first = 0, leaf = 0;
	struct slot slot;

	entry = walk(pt, base, level, &slot);
	if (slot.level == level && entry_is_table(entry, level)) {
		content =
			survey(merging, entry_table(entry), level - 1, &first);
		if (content == CONTENT_ONE_RUN &&
		    may_be_leaf(merging, first, level)) {
			leaf = leaf_entry(leaf_out(first), leaf_attr(first),
					  level);
			/* Until units have forgotten the table. */
			if (pt->bbml == 1 && merging->merge->live)
				leaf |= PT_NT;
		}
		if (leaf || content == CONTENT_NOTHING) {
			if (sink->nr == sink->max)
				goto full;
			entry_store(&slot.page[slot.index], leaf);
			entries_clean(pt, &slot.page[slot.index], 1);
			sink->tables[sink->nr++] =
				entry_table(entry) | (level - 1);
			merged_add(merging->merged, base, level_span(level));
		}
	}
	hostif_unmap(pt->host, slot.page);
	return PT_OK;
full:
	hostif_unmap(pt->host, slot.page);
	return PT_FULL;
}

/* Past all slots at @in that hold no table, as far as one page goes. */
static uint64_t merge_pass(const struct merging *merging, uint64_t in,
			   uint64_t end, unsigned int *level)
{
	struct slot slot;
	uint64_t span;

	walk(merging->pt, in, 0, &slot);
	*level = slot.level;
	span = level_span(IA_MAX(slot.level, 1u));
	do {
		in = IA_ALIGN_DOWN(in, span) + span;
		budget_take(merging->budget, 1);
		slot.index++;
	} while (slot.level && slot.index < PAGE_ENTRIES && in < end &&
		 *merging->budget &&
		 !entry_is_table(entry_load(&slot.page[slot.index]),
				 slot.level));
	hostif_unmap(merging->pt->host, slot.page);
	return in;
}

/*
 * All tables that end at @at are looked at when everything below them has been:
 * from the lowest up, so that what was just merged may be merged again.
 */
static enum pt_status engine_merge(const struct pt *pt,
				   const struct pt_merge *merge,
				   struct pt_sink *sink, uint64_t *budget,
				   uint64_t *at, struct pt_run *merged)
{
	const struct merging merging = { pt, merge, sink, budget, merged };
	uint64_t end = merge->in + merge->nr, in = *at, span;
	enum pt_status status = PT_OK;
	unsigned int level;

	merged->nr = 0;
	while (in < end && !status) {
		*at = in;
		if (!*budget)
			return PT_BUDGET;
		in = merge_pass(&merging, in, end, &level);
		while (++level <= pt->top && !status) {
			span = level_span(level);
			if ((in & (span - 1)) || in - merge->in < span ||
			    in > end)
				break;
			status = merge_table(&merging, in - span, level);
		}
	}
	/* What ends there is to be looked at again. */
	*at = status ? in - level_span(0) : in;
	return status;
}

#endif
