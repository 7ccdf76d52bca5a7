/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine_walk.h - entries of a format, and the way down to them
 */
#if defined(PT_OPS) && !defined(IOMMUABS_PGTABLE_ENGINE_WALK_H)
#define IOMMUABS_PGTABLE_ENGINE_WALK_H

#include "pgtable.h"

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

#endif
