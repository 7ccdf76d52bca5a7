/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine_one.h - one leaf at a time: what most changes are
 */
#if defined(PT_OPS) && !defined(IOMMUABS_PGTABLE_ENGINE_ONE_H)
#define IOMMUABS_PGTABLE_ENGINE_ONE_H

#include "engine_edit.h"
#include "engine_lookup.h"
#include "engine_map.h"

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

#endif
