/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine_edit.h - leaves change or go, a range at a time
 */
#if defined(PT_OPS) && !defined(IOMMUABS_PGTABLE_ENGINE_EDIT_H)
#define IOMMUABS_PGTABLE_ENGINE_EDIT_H

#include "engine_cut.h"

struct edit_state {
	const struct pt *pt;
	const struct pt_edit *edit;
	struct tablemem_pool *pool;
	struct pt_sink *sink; /* NULL: tables stay */
	uint64_t first, in, end;
	struct pt_run *at;
};

static inline bool edit_matches(const struct pt_edit *edit, uint64_t entry)
{
	return (leaf_attr(entry) & edit->if_mask) == edit->if_value;
}

/* What @edit makes of a leaf. */
static inline uint64_t edit_entry(const struct pt_edit *edit, uint64_t entry,
				  unsigned int level)
{
	uint64_t attr;

	if (edit->kind == PT_EDIT_CLEAR)
		return 0;
	attr = (leaf_attr(leaf_plain(entry, level)) & ~edit->clear) | edit->set;
	return leaf_entry(leaf_out(leaf_plain(entry, level)), attr, level) |
	       (entry & PT_CONT);
}

/* Is the slot at state->in within the range as a whole? */
static inline bool edit_covers(const struct edit_state *state,
			       unsigned int level)
{
	uint64_t span = level_span(level);

	return !(state->in & (span - 1)) && state->end - state->in >= span;
}

/* The highest level at which a table at state->in may go in one store. */
static inline unsigned int edit_unlink_level(const struct edit_state *state)
{
	unsigned int level = 0;

	if (!state->sink || state->edit->if_mask)
		return 0;
	while (level < state->pt->top && edit_covers(state, level + 1))
		level++;
	return level;
}

static enum pt_status edit_full(struct edit_state *state, uint64_t in)
{
	state->at->in = in;
	state->at->out = 0;
	state->at->nr = state->end - in;
	state->at->attr = 0;
	return PT_FULL;
}

/* Unlink the table that @entry, read from @slot, leads to. */
static enum pt_status edit_unlink(struct edit_state *state, uint64_t *slot,
				  uint64_t entry, unsigned int level)
{
	struct pt_sink *sink = state->sink;

	if (sink->nr == sink->max)
		return PT_FULL;
	entry_store(slot, 0);
	sink->tables[sink->nr++] = entry_table(entry) | (level - 1);
	return PT_OK;
}

/* A leaf that the range cuts: tables in its place, then again. */
static enum pt_status edit_cut(struct edit_state *state,
			       const struct slot *slot, uint64_t entry)
{
	uint64_t span = level_span(slot->level), plain;
	struct cutting cut = { .slot = slot, .entry = entry };
	struct pt_run *at = state->at;
	enum pt_status status;

	cut.base = IA_ALIGN_DOWN(state->in, span);
	cut.from = state->in - cut.base;
	cut.to = IA_MIN(state->end - cut.base, span);
	status = state->pool->nr < cutting_tables(&cut)
			 ? PT_NO_TABLES
			 : cutting_break(state->pt, &cut, state->edit->cut);
	if (status == PT_OK)
		cutting_link(state->pt, &cut, state->pool);
	if (status == PT_OK || status == PT_OCCUPIED)
		return PT_OK;
	plain = leaf_plain(entry, slot->level);
	at->in = cut.base;
	at->out = leaf_out(plain);
	at->nr = span;
	at->attr = leaf_attr(plain);
	return status;
}

/* ---- a group that the range cuts ---- */

/* Each leaf of a group that still has its hint: absent for hardware, or, if there
 * is no @breaking, present without the hint. Others may do the same. */
static void group_change(const struct pt *pt, uint64_t *entries,
			 unsigned int nr, bool breaking)
{
	uint64_t entry, value;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		entry = entry_load(&entries[i]);
		value = breaking ? entry & ~PT_VALID
				 : (entry | PT_VALID) & ~PT_CONT;
		if (entry & PT_CONT && value != entry)
			(void)entry_cas(&entries[i], entry, value);
	}
	entries_clean(pt, entries, nr);
	tables_barrier(pt);
}

/*
 * Take the hint from the group of the slot that maps @in, if the range does not
 * cover it. PT_OK: it covers it, or all its leaves are for themselves now.
 */
static enum pt_status edit_group(struct edit_state *state,
				 const struct slot *slot, uint64_t in)
{
	unsigned int group = group_leaves(state->pt, slot->level);
	uint64_t *first = &slot->page[IA_ALIGN_DOWN(slot->index, group)];
	uint64_t entry = entry_load(&slot->page[slot->index]);
	uint64_t span = level_span(slot->level) * group;
	uint64_t base = IA_ALIGN_DOWN(in, span);
	struct pt_cut *wait = state->edit->cut;

	if (!(entry & PT_CONT) || !edit_matches(state->edit, entry) ||
	    (base >= state->in && state->end - base >= span))
		return PT_OK;
	if (!state->pt->bbml && (wait->nr != span || wait->in != base)) {
		group_change(state->pt, first, group, true);
		wait->in = base;
		wait->nr = span;
		(void)edit_full(state, state->in);
		return PT_NEEDS_SYNC;
	}
	if (!state->pt->bbml)
		wait->nr = 0;
	group_change(state->pt, first, group, false);
	return PT_OK;
}

/* The groups, in the page of @slot, that the ends of the range may cut. */
static enum pt_status edit_groups(struct edit_state *state,
				  const struct slot *slot)
{
	unsigned int shift = level_shift(slot->level);
	uint64_t last = state->end - 1;
	uint64_t ahead = (last >> shift) - (state->in >> shift);
	struct slot at = *slot;
	enum pt_status status = edit_group(state, slot, state->in);

	if (status || !ahead || ahead >= PAGE_ENTRIES - slot->index)
		return status;
	at.index += (unsigned int)ahead;
	return edit_group(state, &at, last);
}

enum edit_move {
	EDIT_NEXT,  /* this slot is done */
	EDIT_STORE, /* done by a store */
	EDIT_DOWN,  /* there is a table to go down to */
	EDIT_STOP,  /* *status says why */
};

static inline enum edit_move edit_slot(struct edit_state *state,
				       const struct slot *slot,
				       enum pt_status *status)
{
	uint64_t *p = &slot->page[slot->index];
	uint64_t entry = entry_load(p), value;

	if (!entry_is_taken(state->pt, entry))
		return EDIT_NEXT;
	if (entry_is_table(entry, slot->level)) {
		if (!state->sink || state->edit->if_mask ||
		    !edit_covers(state, slot->level))
			return EDIT_DOWN;
		*status = edit_unlink(state, p, entry, slot->level);
		if (*status) {
			edit_full(state, state->in);
			return EDIT_STOP;
		}
		return EDIT_STORE;
	}
	if (!edit_matches(state->edit, entry))
		return EDIT_NEXT;
	if (slot->level && !edit_covers(state, slot->level)) {
		*status = edit_cut(state, slot, entry);
		return *status ? EDIT_STOP : EDIT_DOWN;
	}
	value = edit_entry(state->edit, entry, slot->level);
	if (value == entry)
		return EDIT_NEXT;
	entry_store(p, value);
	return EDIT_STORE;
}

/* The slots of one page, from @slot on. True: all of them are done. */
static bool edit_page(struct edit_state *state, struct slot *slot,
		      enum pt_status *status)
{
	uint64_t span = level_span(slot->level);
	unsigned int first = PAGE_ENTRIES, end = 0;
	enum edit_move move = EDIT_NEXT;

	if (group_leaves(state->pt, slot->level))
		*status = edit_groups(state, slot);
	if (*status)
		return false;
	while (slot->index < PAGE_ENTRIES && state->in < state->end) {
		move = edit_slot(state, slot, status);
		if (move > EDIT_STORE)
			break;
		if (move == EDIT_STORE) {
			first = IA_MIN(first, slot->index);
			end = slot->index + 1;
		}
		state->in = IA_ALIGN_DOWN(state->in, span) + span;
		slot->index++;
	}
	if (end)
		entries_clean(state->pt, slot->page + first, end - first);
	return slot->index == PAGE_ENTRIES;
}

static bool table_is_empty(const struct pt *pt, uint64_t table)
{
	unsigned int page_nr, i = PAGE_ENTRIES;
	uint64_t *page;

	for (page_nr = 0; page_nr < TABLE_PAGES && i == PAGE_ENTRIES;
	     page_nr++) {
		page = hostif_map(pt->host,
				  table + ((uint64_t)page_nr << PAGE_LG2));
		for (i = 0; i < PAGE_ENTRIES; i++)
			if (entry_is_taken(pt, entry_load(&page[i])))
				break;
		hostif_unmap(pt->host, page);
	}
	return i == PAGE_ENTRIES;
}

/*
 * The table that ends at state->in, in a slot at @level, if it is empty.
 * Return: PT_OK (there is none now) | PT_OCCUPIED | PT_FULL.
 */
static enum pt_status edit_drop_empty(struct edit_state *state,
				      unsigned int level)
{
	const struct pt *pt = state->pt;
	uint64_t base = state->in - level_span(level), entry;
	enum pt_status status = PT_OK;
	struct slot slot;

	entry = walk(pt, base, level, &slot);
	if (slot.level != level || entry_is_leaf(pt, entry, level)) {
		status = PT_OCCUPIED; /* nothing at this level to drop */
	} else if (entry_present(entry)) {
		if (!table_is_empty(pt, entry_table(entry)))
			status = PT_OCCUPIED;
		else
			status = edit_unlink(state, &slot.page[slot.index],
					     entry, level);
		if (!status)
			entries_clean(pt, &slot.page[slot.index], 1);
	}
	hostif_unmap(pt->host, slot.page);
	return status == PT_FULL ? edit_full(state, base) : status;
}

/* All tables that end at state->in, began in the range and are empty now. */
static enum pt_status edit_drop_tables(struct edit_state *state,
				       unsigned int level)
{
	enum pt_status status = PT_OK;
	uint64_t span;

	for (; level <= state->pt->top && !status; level++) {
		span = level_span(level);
		if ((state->in & (span - 1)) || state->in - state->first < span)
			break;
		status = edit_drop_empty(state, level);
	}
	return status == PT_FULL ? PT_FULL : PT_OK;
}

static enum pt_status engine_edit(const struct pt *pt, uint64_t in, uint64_t nr,
				  const struct pt_edit *edit,
				  struct tablemem_pool *pool,
				  struct pt_sink *sink, struct pt_run *at)
{
	struct edit_state state = { pt, edit, pool, NULL, in, in, in + nr, at };
	enum pt_status status = PT_OK;
	struct slot slot;
	bool done;

	if (edit->kind == PT_EDIT_CLEAR && sink && sink->max)
		state.sink = sink;
	while (state.in < state.end && !status) {
		walk(pt, state.in, edit_unlink_level(&state), &slot);
		done = edit_page(&state, &slot, &status);
		hostif_unmap(pt->host, slot.page);
		if (done && state.sink && edit->if_mask)
			status = edit_drop_tables(&state, slot.level + 1);
	}
	return status;
}

#endif
