/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine.h - the page-table algorithm: included once by each format file
 *
 * A format file defines, before it includes this:
 *
 *   PT_OPS		name of its struct pt_ops
 *   PT_NAME		the same for people
 *   PT_GRANULE_LG2	bytes that a leaf at level 0 maps
 *   PT_DEVICE		1: IOMMUs walk it; 0: only the library reads it
 *   PT_CLAIM		1: map() takes each slot by compare-exchange
 *   PT_OUT_LO		lowest bit of a leaf's out, which counts frames
 *   PT_OUT_SPLIT		1: out is in two pieces, so a leaf's successor is
 *			made anew; 0: an addition makes it
 *   PT_READ_IMPLIED	pt_ops.read_implied
 *   PT_VALID, PT_NT	of a device's leaf: the bit without which hardware ignores
 *			it, and the one that keeps it out of caches
 *   PT_CONT		of a device's leaf: the hint that it is one of a group, and
 *   PT_CONT_LG2(level)	log2 of the leaves in a group, a page of entries at the most;
 *			both not defined: the format has no such hint
 *   entry_present(e), entry_is_table(e, level)
 *   entry_table(e), table_entry(maddr)
 *   leaf_out(e), leaf_attr(e), leaf_entry(out, attr, level)
 *
 * An absent entry of ours is 0, a broken leaf (struct pt_cut) is not. There is no stack of tables: each step walks
 * down from the root and works on the slots of one page as far as it gets. That
 * is a handful of loads for up to 512 entries, at most two pages are mapped at a
 * time, and what others change above is never stale.
 */
#include "pgtable.h"

#if defined(PT_OPS) && !defined(IOMMUABS_PGTABLE_ENGINE_H)
#define IOMMUABS_PGTABLE_ENGINE_H

#ifndef PT_CONT
#define PT_CONT		   0
#define PT_CONT_LG2(level) 0
#endif

#define PAGE_LG2      12 /* of what hostif_map() maps */
#define PAGE_ENTRIES  ((unsigned int)1 << (PAGE_LG2 - 3))
#define INDEX_LG2     (PT_GRANULE_LG2 - 3)
#define TABLE_ENTRIES ((unsigned int)1 << INDEX_LG2)
#define TABLE_PAGES   (TABLE_ENTRIES / PAGE_ENTRIES)

/* A slot in a mapped page of a table. */
struct slot {
	uint64_t *page;
	unsigned int index;
	unsigned int level;
};

/* Entries [first, first + nr) of a table: leaves from @out on. */
struct fill {
	unsigned int first, nr, level;
	uint64_t out, attr;
	unsigned int group; /* leaves that share a hint, 0: none has one */
};

static inline unsigned int level_shift(unsigned int level)
{
	return level * INDEX_LG2 + PT_GRANULE_LG2 - IOMMUABS_FRAME_LG2;
}

/* Frames that one slot covers. */
static inline uint64_t level_span(unsigned int level)
{
	return (uint64_t)1 << level_shift(level);
}

/* The leaf that goes on where @leaf ends. */
static inline uint64_t leaf_after(uint64_t leaf, unsigned int level)
{
	if (PT_OUT_SPLIT)
		return leaf_entry(leaf_out(leaf) + level_span(level),
				  leaf_attr(leaf), level);
	return leaf + (level_span(level) << PT_OUT_LO);
}

/* A leaf that is about to become a table, and absent for hardware. */
static inline bool entry_is_broken(const struct pt *pt, uint64_t entry)
{
	return PT_DEVICE && !pt->bbml && entry && !entry_present(entry);
}

static inline bool entry_is_taken(const struct pt *pt, uint64_t entry)
{
	return entry_present(entry) || entry_is_broken(pt, entry);
}

static inline bool entry_is_leaf(const struct pt *pt, uint64_t entry,
				 unsigned int level)
{
	return entry_is_taken(pt, entry) && !entry_is_table(entry, level);
}

/* A leaf as leaf_entry() made it. */
static inline uint64_t leaf_plain(uint64_t entry, unsigned int level)
{
	return (entry | PT_VALID) & ~(PT_CONT | (level ? PT_NT : 0));
}

/* Leaves at @level that a hint makes a group, 0: none is given there. */
static inline unsigned int group_leaves(const struct pt *pt, unsigned int level)
{
	if (!PT_CONT || !(pt->hint_mask >> level & 1))
		return 0;
	return 1u << PT_CONT_LG2(level);
}

/* The same where the leaf at slot @index maps @out; groups are aligned in both. */
static inline unsigned int group_of_leaves(const struct pt *pt,
					   unsigned int level,
					   unsigned int index, uint64_t out)
{
	unsigned int group = group_leaves(pt, level);

	return group && (((out >> level_shift(level)) ^ index) & (group - 1))
		       ? 0
		       : group;
}

/*
 * A device's table is reached through an entry's value: that dependency orders
 * the loads, as it does for the device.
 */
static inline uint64_t entry_load(const uint64_t *entry)
{
	return PT_DEVICE ? port_dev_load64(entry) : port_load64_acquire(entry);
}

static inline void entry_store(uint64_t *entry, uint64_t value)
{
	if (PT_DEVICE)
		port_dev_store64(entry, value);
	else
		port_store64(entry, value);
}

static inline bool entry_cas(uint64_t *entry, uint64_t old, uint64_t value)
{
	if (PT_DEVICE)
		return port_dev_cas64(entry, &old, value);
	return port_cas64(entry, &old, value);
}

/* Of a page that no walk can reach yet. */
static inline void entries_zero(uint64_t *entries, unsigned int nr)
{
	if (PT_DEVICE)
		port_dev_zero(entries, nr * sizeof(*entries));
	else
		__builtin_memset(entries, 0, nr * sizeof(*entries));
}

static inline void entries_clean(const struct pt *pt, const uint64_t *entries,
				 unsigned int nr)
{
	if (PT_DEVICE && pt->clean && nr)
		hostif_clean(pt->host, entries, nr * sizeof(*entries));
}

/* The walk of a host that maps each page. */
static uint64_t walk_mapped(const struct pt *pt, uint64_t in, unsigned int stop,
			    struct slot *slot)
{
	unsigned int level = pt->top, shift = level_shift(level);
	uint64_t index = in >> shift; /* the root may be several tables long */
	uint64_t table = pt->root, entry, *page;

	for (;;) {
		table += index / PAGE_ENTRIES << PAGE_LG2;
		index %= PAGE_ENTRIES;
		page = hostif_map(pt->host, table);
		entry = entry_load(&page[index]);
		if (level == stop || !entry_is_table(entry, level))
			break;
		hostif_unmap(pt->host, page);
		table = entry_table(entry);
		level--;
		shift -= INDEX_LG2;
		index = (in >> shift) & (TABLE_ENTRIES - 1);
	}
	slot->page = page;
	slot->index = (unsigned int)index;
	slot->level = level;
	return entry;
}

/* A walk on its way, where machine addresses are pointers but for @offset. */
struct descent {
	uint64_t in, offset;
	uint64_t table, index; /* pointer, and bytes from there to the slot */
	uint64_t entry;	       /* what was read there */
	unsigned int level, stop;
};

static inline uint64_t *descent_at(const struct descent *descent)
{
	return (uint64_t *)(uintptr_t)(descent->table + descent->index);
}

/* From the slot at @level, a constant, to the one below; false: no further. */
static inline __attribute__((__always_inline__)) bool
descend(struct descent *descent, unsigned int level)
{
	uint64_t index = descent->in >> level_shift(level - 1);

	if (level == descent->stop || !entry_is_table(descent->entry, level))
		return false;
	descent->index = (index & (TABLE_ENTRIES - 1)) * sizeof(index);
	descent->table = entry_table(descent->entry) + descent->offset;
	descent->entry = entry_load(descent_at(descent));
	descent->level = level - 1;
	return true;
}

/*
 * Down from the root to the slot of @in that holds no table, or to the one at
 * level @stop: *@at, at *@level. Return: its entry. For a host whose machine
 * addresses are pointers.
 *
 * A table is contiguous, concatenated roots too. Most of the time of small changes
 * is spent here: hence the steps one by one, and no call.
 */
static inline __attribute__((__always_inline__)) uint64_t
walk_linear(const struct pt *pt, uint64_t in, unsigned int stop, uint64_t **at,
	    unsigned int *level)
{
	struct descent to = {
		.in = in,
		.offset = pt->host->ops.table_offset,
		.level = pt->top,
		.stop = stop,
	};

	to.table = pt->root + to.offset;
	to.index = (in >> level_shift(to.level)) * sizeof(to.entry);
	to.entry = entry_load(descent_at(&to));
	if ((to.level < 5 || descend(&to, 5)) &&
	    (to.level < 4 || descend(&to, 4)) &&
	    (to.level < 3 || descend(&to, 3)) &&
	    (to.level < 2 || descend(&to, 2)) && to.level)
		descend(&to, 1);
	*at = descent_at(&to);
	*level = to.level;
	return to.entry;
}

/* The same for any host; pt_let_go() ends the use of *@at. */
static inline __attribute__((__always_inline__)) uint64_t
walk_fast(const struct pt *pt, uint64_t in, unsigned int stop, uint64_t **at,
	  unsigned int *level)
{
	struct slot mapped;
	uint64_t entry;

	if (!pt->host->ops.table_map)
		return walk_linear(pt, in, stop, at, level);
	entry = walk_mapped(pt, in, stop, &mapped);
	*at = &mapped.page[mapped.index];
	*level = mapped.level;
	return entry;
}

/* The same as a place in a page. The caller unmaps slot->page. */
static uint64_t walk(const struct pt *pt, uint64_t in, unsigned int stop,
		     struct slot *slot)
{
	uint64_t *at, entry = walk_fast(pt, in, stop, &at, &slot->level);
	uintptr_t page = IA_ALIGN_DOWN((uintptr_t)at, IOMMUABS_FRAME_SIZE);

	slot->page = (uint64_t *)page;
	slot->index = (unsigned int)(at - slot->page);
	return entry;
}

static inline bool in_is_valid(const struct pt *pt, uint64_t in)
{
	return !(in >> (pt->in_bits - IOMMUABS_FRAME_LG2));
}

/* ---- new tables ---- */

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

/* ---- map ---- */

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

/* ---- one granule for all addresses ---- */

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

/* ---- leaves ---- */

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

/* @leaf into a slot where @entry was found. */
static inline enum pt_status leaf_put(const struct pt *pt, uint64_t *at,
				      uint64_t entry, uint64_t leaf)
{
	if (entry_is_taken(pt, entry))
		return PT_OCCUPIED;
	if (!PT_CLAIM)
		entry_store(at, leaf);
	else if (!entry_cas(at, entry, leaf))
		return PT_OCCUPIED;
	entries_clean(pt, at, 1);
	return PT_OK;
}

/* A call of its own, so that the other way saves no registers. */
static __attribute__((__noinline__)) enum pt_status
leaf_enter_mapped(const struct pt *pt, uint64_t in, uint64_t leaf,
		  unsigned int level)
{
	enum pt_status status = PT_NO_TABLES;
	struct slot slot;
	uint64_t entry = walk_mapped(pt, in, level, &slot);

	if (slot.level == level || entry_is_taken(pt, entry))
		status = leaf_put(pt, &slot.page[slot.index], entry, leaf);
	hostif_unmap(pt->host, slot.page);
	return status;
}

/* One leaf at @level, a constant, where its table is there. */
static inline __attribute__((__always_inline__)) enum pt_status
leaf_enter(const struct pt *pt, uint64_t in, uint64_t leaf, unsigned int level)
{
	unsigned int found;
	uint64_t *at, entry;

	if (pt->host->ops.table_map)
		return leaf_enter_mapped(pt, in, leaf, level);
	entry = walk_linear(pt, in, level, &at, &found);
	if (found != level && !entry_is_taken(pt, entry))
		return PT_NO_TABLES;
	return leaf_put(pt, at, entry, leaf);
}

static enum pt_status engine_map_one(const struct pt *pt, uint64_t in,
				     uint64_t out, uint64_t attr)
{
	return leaf_enter(pt, in, leaf_entry(out, attr, 0), 0);
}

static enum pt_status engine_map_large(const struct pt *pt, uint64_t in,
				       uint64_t out, uint64_t attr)
{
	const struct pt_run run = { in, out, level_span(1), attr };

	if (!(pt->leaf_mask & 2) || leaf_alignment(&run) & (level_span(1) - 1))
		return PT_NO_TABLES;
	return leaf_enter(pt, in, leaf_entry(out, attr, 1), 1);
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

/* ---- edit ---- */

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

/* ---- cutting a leaf ---- */

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

/* ---- one leaf of one granule ---- */

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

static inline enum pt_status edit_one(const struct pt *pt, uint64_t in,
				      const struct pt_edit *edit,
				      struct pt_leaf *old)
{
	enum pt_status status = PT_OK;
	unsigned int level;
	uint64_t *at, entry = walk_fast(pt, in, 0, &at, &level), value;

	if (old)
		leaf_decode(pt, entry, in, level, old);
	if (!entry_is_taken(pt, entry)) {
		status = PT_END;
	} else if (level || entry & PT_CONT) {
		status = PT_NO_TABLES;
	} else {
		value = edit_entry(edit, entry, 0);
		if (value != entry) {
			entry_store(at, value);
			entries_clean(pt, at, 1);
		}
	}
	pt_let_go(pt, at);
	return status;
}

static __attribute__((__noinline__)) enum pt_status
clear_one_mapped(const struct pt *pt, uint64_t in, struct pt_leaf *old)
{
	const struct pt_edit edit = { .kind = PT_EDIT_CLEAR };

	return edit_one(pt, in, &edit, old);
}

static enum pt_status engine_clear_one(const struct pt *pt, uint64_t in,
				       struct pt_leaf *old)
{
	unsigned int level;
	uint64_t *at, entry;

	if (old || pt->host->ops.table_map)
		return clear_one_mapped(pt, in, old);
	entry = walk_linear(pt, in, 0, &at, &level);
	if (!entry_is_taken(pt, entry))
		return PT_END;
	if (level || entry & PT_CONT)
		return PT_NO_TABLES;
	entry_store(at, 0);
	entries_clean(pt, at, 1);
	return PT_OK;
}

static enum pt_status engine_attr_one(const struct pt *pt, uint64_t in,
				      uint64_t clear, uint64_t set,
				      struct pt_leaf *old)
{
	const struct pt_edit edit = {
		.kind = PT_EDIT_ATTR,
		.clear = clear,
		.set = set,
	};

	return edit_one(pt, in, &edit, old);
}

static enum pt_status engine_clear_slot(const struct pt *pt, uint64_t in,
					unsigned int level, uint64_t *table)
{
	enum pt_status status = PT_OK;
	unsigned int found;
	uint64_t *at, entry;

	*table = 0;
	if (level > pt->top)
		return PT_NO_TABLES;
	entry = walk_fast(pt, in, level, &at, &found);
	if (!entry_is_taken(pt, entry)) {
		status = PT_END;
	} else if (entry_is_table(entry, found)) {
		*table = entry_table(entry) | (level - 1);
	} else if (found != level || entry & PT_CONT ||
		   entry_is_broken(pt, entry)) {
		status = PT_NO_TABLES;
	}
	if (status == PT_OK) {
		entry_store(at, 0);
		entries_clean(pt, at, 1);
	}
	pt_let_go(pt, at);
	return status;
}

static __attribute__((__noinline__)) uint64_t *
hold_one_mapped(const struct pt *pt, uint64_t in, struct pt_leaf *leaf)
{
	struct slot slot;
	uint64_t entry = walk_mapped(pt, in, 0, &slot);

	leaf_decode(pt, entry, in, slot.level, leaf);
	if (!slot.level && entry_present(entry))
		return &slot.page[slot.index];
	hostif_unmap(pt->host, slot.page);
	return NULL;
}

static uint64_t *engine_hold_one(const struct pt *pt, uint64_t in,
				 struct pt_leaf *leaf)
{
	uint64_t *at, entry;
	unsigned int level;

	iommuabs_assert(!PT_DEVICE);
	if (pt->host->ops.table_map)
		return hold_one_mapped(pt, in, leaf);
	entry = walk_linear(pt, in, 0, &at, &level);
	if (level || !entry_present(entry)) {
		leaf_decode(pt, entry, in, level, leaf);
		return NULL;
	}
	leaf_decode(pt, entry, in, 0, leaf); /* a constant level: no shifts */
	return at;
}

/* ---- lookup, next ---- */

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

/* ---- merge ---- */

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

/* ---- free ---- */

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
	unsigned int stop;
	uint64_t entry;

	stop = left - IA_MIN(left - first, TABLEMEM_GIVING - giving->nr);
	while (left > stop) {
		entry = entry_load(&entries[--left]);
		if (entry_is_table(entry, 1))
			tablemem_giving_add(giving, entry_table(entry));
	}
	return left;
}

/* All tables below @dying, at level 1, as far as @budget goes: they have none. */
static void dying_leaf_tables(const struct pt *pt, struct dying *dying,
			      struct tablemem_giving *giving, uint64_t *budget)
{
	unsigned int base, first, left;
	uint64_t *page;

	while (dying->left && *budget) {
		left = dying->left;
		base = (left - 1) / PAGE_ENTRIES * PAGE_ENTRIES;
		first = left - (unsigned int)IA_MIN(left - base, *budget);
		page = dying_map(pt, dying, base);
		left = base + leaf_tables_give(page, first - base, left - base,
					       giving);
		hostif_unmap(pt->host, page);
		if (giving->nr == TABLEMEM_GIVING)
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

const struct pt_ops PT_OPS = {
	.name = PT_NAME,
	.granule_lg2 = PT_GRANULE_LG2,
	.read_implied = PT_READ_IMPLIED,
	.init_root = engine_init_root,
	.repeat = engine_repeat,
	.except = engine_except,
	.single = engine_single,
	.count = engine_count,
	.map = engine_map,
	.map_one = engine_map_one,
	.map_large = engine_map_large,
	.edit = engine_edit,
	.clear_one = engine_clear_one,
	.attr_one = engine_attr_one,
	.clear_slot = engine_clear_slot,
	.hold_one = engine_hold_one,
	.lookup = engine_lookup,
	.next = engine_next,
	.merge = engine_merge,
	.free_tables = engine_free_tables,
};

#endif
