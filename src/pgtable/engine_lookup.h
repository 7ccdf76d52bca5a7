/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine_lookup.h - what a table says
 */
#if defined(PT_OPS) && !defined(IOMMUABS_PGTABLE_ENGINE_LOOKUP_H)
#define IOMMUABS_PGTABLE_ENGINE_LOOKUP_H

#include "engine_walk.h"

static inline void leaf_decode(const struct pt *pt, uint64_t entry, uint64_t in,
			       unsigned int level, struct pt_leaf *leaf)
{
	uint64_t span = level_span(level);

	leaf->entry = entry;
	leaf->level = (uint8_t)level;
	leaf->nr = span - (in & (span - 1));
	leaf->out = 0;
	leaf->attr = 0;
	if (entry_is_leaf(pt, entry, level)) {
		entry = leaf_plain(entry, level);
		leaf->out = leaf_out(entry) + (in & (span - 1));
		leaf->attr = leaf_attr(entry);
	}
}

static bool engine_lookup(const struct pt *pt, uint64_t in,
			  struct pt_leaf *leaf)
{
	unsigned int level;
	uint64_t *at, entry;

	if (!in_is_valid(pt, in)) {
		*leaf = (struct pt_leaf){ .nr = 1, .level = pt->top };
		return false;
	}
	entry = walk_fast(pt, in, 0, &at, &level);
	pt_let_go(pt, at);
	leaf_decode(pt, entry, in, level, leaf);
	return entry_is_taken(pt, entry);
}

static inline void budget_take(uint64_t *budget, uint64_t nr)
{
	*budget -= IA_MIN(nr, *budget);
}

/* Slots of @slot's page from it on that [@in, @end) reaches and @budget allows. */
static inline unsigned int slots_left(const struct slot *slot, uint64_t in,
				      uint64_t end, uint64_t budget)
{
	unsigned int shift = level_shift(slot->level);
	uint64_t nr = ((end - 1) >> shift) - (in >> shift) + 1;

	nr = IA_MIN(nr, PAGE_ENTRIES - slot->index);
	return (unsigned int)IA_MIN(nr, budget);
}

/*
 * Look for a leaf in one page. @run->in moves up to where there is none. True:
 * @run is found, but for clipping at the end.
 */
static bool next_in_page(const struct pt *pt, const struct slot *slot,
			 unsigned int nr, struct pt_run *run,
			 unsigned int *looked)
{
	const uint64_t *entries = &slot->page[slot->index];
	uint64_t span = level_span(slot->level), entry = 0, offset;
	unsigned int i = 0, first;

	while (i < nr && !entry_is_taken(pt, entry = entry_load(&entries[i])))
		i++;
	if (i)
		run->in = IA_ALIGN_DOWN(run->in, span) + i * span;
	*looked = IA_MIN(i + 1, nr);
	if (i == nr || entry_is_table(entry, slot->level))
		return false;
	entry = leaf_plain(entry, slot->level);
	offset = run->in & (span - 1);
	run->out = leaf_out(entry) + offset;
	run->attr = leaf_attr(entry);
	first = i;
	do {
		entry = leaf_after(entry, slot->level);
		i++;
	} while (i < nr &&
		 leaf_plain(entry_load(&entries[i]), slot->level) == entry);
	run->nr = (i - first) * span - offset;
	*looked = i;
	return true;
}

static enum pt_status engine_next(const struct pt *pt, uint64_t in,
				  uint64_t end, uint64_t *budget,
				  struct pt_run *run)
{
	struct pt_run found = { .in = in };
	unsigned int nr, looked;
	struct slot slot;
	bool is_leaf;

	while (found.in < end) {
		if (!*budget) {
			run->in = found.in;
			return PT_BUDGET;
		}
		walk(pt, found.in, 0, &slot);
		nr = slots_left(&slot, found.in, end, *budget);
		is_leaf = next_in_page(pt, &slot, nr, &found, &looked);
		hostif_unmap(pt->host, slot.page);
		budget_take(budget, looked + pt->top - slot.level);
		if (is_leaf) {
			found.nr = IA_MIN(found.nr, end - found.in);
			*run = found;
			return PT_OK;
		}
	}
	return PT_END;
}

#endif
