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
 * Its parts, which include what they use:
 *
 *   engine_walk.h	entries, and the way down to them
 *   engine_lookup.h	what is there
 *   engine_tables.h	new tables
 *   engine_map.h	leaves are entered
 *   engine_one.h	the same, and the next, for one leaf
 *   engine_edit.h	leaves change or go
 *   engine_cut.h	a leaf becomes tables
 *   engine_merge.h	leaves become a larger one
 *   engine_repeat.h	the same leaf everywhere
 *   engine_free.h	tables are given back
 *
 * An absent entry of ours is 0, a broken leaf (struct pt_cut) is not. There is no
 * stack of tables: each step walks down from the root and works on the slots of one
 * page as far as it gets. That is a handful of loads for up to 512 entries, at most
 * two pages are mapped at a time, and what others change above is never stale.
 */
#if defined(PT_OPS) && !defined(IOMMUABS_PGTABLE_ENGINE_H)
#define IOMMUABS_PGTABLE_ENGINE_H

#include "engine_walk.h"
#include "engine_tables.h"
#include "engine_map.h"
#include "engine_repeat.h"
#include "engine_cut.h"
#include "engine_edit.h"
#include "engine_lookup.h"
#include "engine_one.h"
#include "engine_merge.h"
#include "engine_free.h"

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
