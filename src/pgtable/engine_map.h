/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine_map.h - leaves are entered, tables counted
 */
#if defined(PT_OPS) && !defined(IOMMUABS_PGTABLE_ENGINE_MAP_H)
#define IOMMUABS_PGTABLE_ENGINE_MAP_H

#include "engine_tables.h"

/*
 * What must be aligned for a leaf: in and, where hardware reads the entry, out.
 * The library's own maps keep out whole, whatever the level.
 */
static inline uint64_t leaf_alignment(const struct pt_run *run)
{
	return PT_DEVICE ? run->in | run->out : run->in;
}

/* The highest level at which a leaf could begin @run. */
static inline unsigned int run_leaf_level(const struct pt *pt,
					  const struct pt_run *run)
{
	unsigned int level = 0;
	uint64_t span;

	while (pt->leaf_mask >> (level + 1) & 1) {
		span = level_span(level + 1);
		if (run->nr < span || (leaf_alignment(run) & (span - 1)))
			break;
		level++;
	}
	return level;
}

static inline void run_advance(struct pt_run *run, uint64_t nr)
{
	run->in += nr;
	run->out += nr;
	run->nr -= nr;
}

/*
 * Enter @nr leaves of @run, each with @hint, from @slot on. Return: how many, up
 * to the first slot that is taken.
 */
static inline unsigned int leaves_put(const struct pt *pt,
				      const struct slot *slot,
				      const struct pt_run *run, unsigned int nr,
				      uint64_t hint)
{
	uint64_t *entry = &slot->page[slot->index], old;
	const unsigned int level = slot->level; /* no store changes it */
	uint64_t leaf = leaf_entry(run->out, run->attr, level);
	unsigned int i;

	for (i = 0; i < nr; i++, leaf = leaf_after(leaf, level)) {
		old = entry_load(&entry[i]);
		if (entry_is_taken(pt, old))
			break;
		if (!PT_CLAIM)
			entry_store(&entry[i], leaf | hint);
		else if (!entry_cas(&entry[i], old, leaf))
			break;
	}
	entries_clean(pt, entry, i);
	return i;
}

static bool entries_are_free(const struct pt *pt, const uint64_t *entries,
			     unsigned int nr)
{
	while (nr && !entry_is_taken(pt, entry_load(&entries[nr - 1])))
		nr--;
	return !nr;
}

/* Up to the end of a group, with the hint if that is all of it. */
static unsigned int group_put(const struct pt *pt, const struct slot *slot,
			      const struct pt_run *run, unsigned int nr,
			      unsigned int group)
{
	unsigned int left = group - (slot->index & (group - 1));
	bool whole = left == group && nr >= group &&
		     entries_are_free(pt, &slot->page[slot->index], group);

	return leaves_put(pt, slot, run, IA_MIN(left, nr), whole ? PT_CONT : 0);
}

/* Enter leaves in the page of @slot, up to its end or the first taken slot. */
static inline void leaves_enter(const struct pt *pt, const struct slot *slot,
				struct pt_run *run)
{
	unsigned int shift = level_shift(slot->level), nr, i, group;
	struct slot at = *slot;

	nr = (unsigned int)IA_MIN(run->nr >> shift, PAGE_ENTRIES - slot->index);
	group = group_of_leaves(pt, slot->level, slot->index, run->out);
	do {
		i = PT_CONT && group ? group_put(pt, &at, run, nr, group)
				     : leaves_put(pt, &at, run, nr, 0);
		run_advance(run, (uint64_t)i << shift);
		at.index += i;
		nr -= i;
	} while (PT_CONT && nr && i);
}

/* A table below @slot that has as much of @run in it as its leaves can take. */
static enum pt_status table_add(const struct pt *pt, const struct slot *slot,
				uint64_t old, struct pt_run *run,
				struct tablemem_pool *pool)
{
	unsigned int level = slot->level - 1, shift = level_shift(level);
	struct fill fill = { 0 };

	if (!pool->nr)
		return PT_NO_TABLES;
	if (level <= run_leaf_level(pt, run)) {
		fill.first = (run->in >> shift) & (TABLE_ENTRIES - 1);
		fill.nr = (unsigned int)IA_MIN(run->nr >> shift,
					       TABLE_ENTRIES - fill.first);
		fill.level = level;
		fill.out = run->out;
		fill.attr = run->attr;
		fill.group = group_of_leaves(pt, level, fill.first, fill.out);
	}
	if (table_link(pt, slot, old, &fill, pool))
		run_advance(run, (uint64_t)fill.nr << shift);
	return PT_OK;
}

/* One page's worth of @run; where another caller was faster, nothing. */
static inline enum pt_status map_step(const struct pt *pt, struct pt_run *run,
				      struct tablemem_pool *pool)
{
	enum pt_status status = PT_OK;
	struct slot slot;
	uint64_t entry = walk(pt, run->in, 0, &slot);

	if (entry_is_taken(pt, entry))
		status = PT_OCCUPIED;
	else if (slot.level <= run_leaf_level(pt, run))
		leaves_enter(pt, &slot, run);
	else
		status = table_add(pt, &slot, entry, run, pool);
	hostif_unmap(pt->host, slot.page);
	return status;
}

static enum pt_status engine_map(const struct pt *pt, const struct pt_run *run,
				 struct tablemem_pool *pool, uint64_t *done)
{
	enum pt_status status = PT_OK;
	struct pt_run left = *run;

	iommuabs_assert(!run->nr || in_is_valid(pt, run->in + run->nr - 1));
	iommuabs_assert(!((run->out + run->nr - 1) >>
			  (pt->out_bits - IOMMUABS_FRAME_LG2)));
	while (left.nr && !status)
		status = map_step(pt, &left, pool);
	*done = run->nr - left.nr;
	return status;
}

/* ---- count ---- */

/* The highest level at which any part of @run could be a leaf. */
static inline unsigned int run_leaf_level_most(const struct pt *pt,
					       const struct pt_run *run)
{
	uint64_t apart = PT_DEVICE ? run->in - run->out : 0;
	unsigned int level = 0;

	if (run->out == PT_OUT_SCATTERED)
		return 0;
	while ((pt->leaf_mask >> (level + 1) & 1) &&
	       !(apart & (level_span(level + 1) - 1)))
		level++;
	return level;
}

/*
 * Tables that [@in, @end) takes below an empty slot at @level: one for each slot
 * on the way down that the range touches and no leaf can fill.
 */
static uint32_t tables_below(uint64_t in, uint64_t end, unsigned int level,
			     unsigned int leaf_level)
{
	uint64_t touched, whole, first, nr = 0;
	unsigned int shift;

	for (; level; level--) {
		shift = level_shift(level);
		first = (in + level_span(level) - 1) >> shift;
		whole = end >> shift;
		touched = ((end - 1) >> shift) - (in >> shift) + 1;
		if (level <= leaf_level && whole > first)
			touched -= whole - first;
		nr += touched;
	}
	return (uint32_t)nr;
}

static uint32_t engine_count(const struct pt *pt, uint64_t in, uint64_t out,
			     uint64_t nr)
{
	const struct pt_run run = { in, out, nr, 0 };
	unsigned int leaf_level = run_leaf_level_most(pt, &run);
	uint64_t end = in + nr, entry, next;
	uint32_t tables = 0;
	struct slot slot;

	for (; in < end; in = next) {
		entry = walk(pt, in, 0, &slot);
		hostif_unmap(pt->host, slot.page);
		if (!slot.level) { /* nothing is missing in all this table */
			next = IA_ALIGN_DOWN(in, level_span(1)) + level_span(1);
			continue;
		}
		next = IA_ALIGN_DOWN(in, level_span(slot.level)) +
		       level_span(slot.level);
		next = IA_MIN(next, end);
		if (!entry_is_taken(pt, entry))
			tables +=
				tables_below(in, next, slot.level, leaf_level);
	}
	return tables;
}

#endif
