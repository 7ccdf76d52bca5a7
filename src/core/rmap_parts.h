/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rmap_parts.h - what the files of the reverse map (rmap*.c) have in common
 */
#ifndef IOMMUABS_CORE_RMAP_PARTS_H
#define IOMMUABS_CORE_RMAP_PARTS_H

#include "rmap.h"

#define RMAP_LEVEL_BITS	   9
#define RMAP_REGION_FRAMES ((uint64_t)1 << RMAP_REGION_LG2)
#define RMAP_BATCH	   64 /* records per hold of a lock */

/* A place of one of these kinds doesn't own its frame. */
#define RMAP_NO_OWNER (PT_RMAP_FOREIGN | PT_RMAP_HOST | PT_RMAP_SHARED)

static inline struct rmap_tree *rmap_tree_of(const struct rmap *rmap,
					     uint64_t mfn)
{
	return &rmap->trees[(mfn >> RMAP_REGION_LG2) % RMAP_LOCKS];
}

/* Frames of [@mfn, @mfn + @nr) under the lock of the first. */
static inline uint64_t rmap_region_clip(uint64_t mfn, uint64_t nr)
{
	return IA_MIN(nr, RMAP_REGION_FRAMES - mfn % RMAP_REGION_FRAMES);
}

/*
 * The next run of leaves in [@mfn, @end). False: none; @run is empty, at @end.
 */
static inline bool rmap_next_run(const struct rmap *rmap, uint64_t mfn,
				 uint64_t end, struct pt_run *run)
{
	uint64_t budget = ~(uint64_t)0;

	if (mfn < end &&
	    rmap->pt.ops->next(&rmap->pt, mfn, end, &budget, run) == PT_OK)
		return true;
	*run = (struct pt_run){ .in = end };
	return false;
}

/* ---- rmap.c ---- */

/* Give pages to the reserve as long as it lacks some, and free the others. */
void rmap_pages_return(struct rmap *rmap, struct tablemem_pool *pool);
/* Give the reserve what it lacks, if the host has it. */
void rmap_reserve_refill(struct rmap *rmap);
/* One page more for a split: the host's or, if it has none, a spare one.
 * 0 | E_NOMEM. */
int rmap_page_for_split(struct rmap *rmap, struct tablemem_pool *pool);

/* ---- rmap_records.c ---- */

/* A list of spare records is linked through @left. */
static inline struct rmap_extra *rmap_list_take(struct rmap_extra **list)
{
	struct rmap_extra *extra = *list;

	*list = extra->left;
	return extra;
}

static inline void rmap_list_put(struct rmap_extra **list,
				 struct rmap_extra *extra)
{
	extra->left = *list;
	*list = extra;
}

/* @nr charged records, or none. 0 | E_NOMEM | E_QUOTA. */
int rmap_extras_alloc(struct rmap *rmap, struct rmap_owner *owner, uint64_t nr,
		      struct rmap_extra **list);
void rmap_extras_free(struct rmap *rmap, struct rmap_owner *owner,
		      struct rmap_extra *list);

/* Who owns a frame, as far as its tree says. */
enum rmap_tree_owner {
	RMAP_TREE_NOBODY,
	RMAP_TREE_SAME, /* the domain asked about */
	RMAP_TREE_OTHER,
};

/* The tree's lock is held. */
enum rmap_tree_owner rmap_tree_owner(const struct rmap_tree *tree, uint64_t mfn,
				     uint16_t number);

#endif
