/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rmap_release.c - places go, and leaves are split so that they can
 */
#include "rmap_parts.h"

/* Whose place the leaf at the head of @run holds. */
static bool run_is_place(const struct pt_run *run,
			 const struct rmap_owner *owner,
			 const struct rmap_range *range)
{
	return (run->attr & PT_RMAP_DOMAIN) == owner->number &&
	       run->out - range->gfn == run->in - range->mfn;
}

/*
 * The frames [*@first, *@end) of the leaf with @mfn, if it holds a place of
 * @range; false: a record does.
 */
static bool leaf_of_place(const struct rmap *rmap,
			  const struct rmap_owner *owner,
			  const struct rmap_range *range, uint64_t mfn,
			  uint64_t *first, uint64_t *end)
{
	struct pt_leaf leaf;

	if (!rmap->pt.ops->lookup(&rmap->pt, mfn, &leaf) ||
	    (leaf.attr & PT_RMAP_DOMAIN) != owner->number ||
	    leaf.out - range->gfn != mfn - range->mfn)
		return false;
	*end = mfn + leaf.nr;
	*first =
		IA_ALIGN_DOWN(mfn, (uint64_t)1 << RMAP_LEVEL_BITS * leaf.level);
	return true;
}

/* Split the leaf with @mfn at those ends of @range that lie inside it. */
static int split_at(struct rmap *rmap, const struct rmap_owner *owner,
		    const struct rmap_range *range, uint64_t mfn,
		    struct tablemem_pool *pool)
{
	/* Changes no attribute: only the splits that come first matter. */
	const struct pt_edit edit = { .kind = PT_EDIT_ATTR };
	uint64_t first, end, range_end = range->mfn + range->nr;
	enum pt_status status;
	struct pt_run at;
	int st = 0;

	if (!leaf_of_place(rmap, owner, range, mfn, &first, &end) ||
	    (first >= range->mfn && end <= range_end))
		return 0;
	first = IA_MAX(first, range->mfn);
	end = IA_MIN(end, range_end);
	do {
		status = rmap->pt.ops->edit(&rmap->pt, first, end - first,
					    &edit, pool, NULL, &at);
		if (status == PT_NO_TABLES)
			st = rmap_page_for_split(rmap, pool);
	} while (status == PT_NO_TABLES && !st);
	return st;
}

int rmap_split(struct rmap *rmap, struct rmap_owner *owner,
	       const struct rmap_range *range)
{
	struct tablemem_pool pool = { 0 };
	int st;

	st = split_at(rmap, owner, range, range->mfn, &pool);
	if (!st)
		st = split_at(rmap, owner, range, range->mfn + range->nr - 1,
			      &pool);
	if (pool.nr)
		rmap_pages_return(rmap, &pool);
	rmap_reserve_refill(rmap);
	return st;
}

void rmap_grow(struct rmap *rmap, const struct rmap_owner *owner,
	       struct rmap_range *range)
{
	uint64_t first, end, last = range->mfn + range->nr - 1;

	if (leaf_of_place(rmap, owner, range, last, &first, &end))
		range->nr += end - last - 1;
	if (leaf_of_place(rmap, owner, range, range->mfn, &first, &end) &&
	    first < range->mfn) {
		range->nr += range->mfn - first;
		range->gfn -= range->mfn - first;
		range->mfn = first;
	}
}

/* The records of @range, which is under one lock. */
static void extras_remove(struct rmap *rmap, struct rmap_owner *owner,
			  const struct rmap_range *range)
{
	const struct hostif *host = rmap->mem->host;
	struct rmap_tree *tree = rmap_tree_of(rmap, range->mfn);
	struct rmap_extra key, *extra, *list = NULL;
	uint64_t i;

	ia_lock(host, &tree->lock);
	for (i = 0; i < range->nr; i++) {
		rmap_extra_set(&key, range->mfn + i, owner->number,
			       range->gfn + i, 0);
		extra = rmap_tree_remove(&tree->root, rmap->seed, &key);
		iommuabs_assert(extra);
		if (!extra)
			continue;
		rmap_list_put(&list, extra);
		port_add32(&tree->count, (uint32_t)-1);
	}
	ia_unlock(host, &tree->lock);
	rmap_extras_free(rmap, owner, list);
}

static void release_extras(struct rmap *rmap, struct rmap_owner *owner,
			   const struct rmap_range *range, uint64_t mfn,
			   uint64_t end)
{
	struct rmap_range piece;

	for (; mfn < end; mfn += piece.nr) {
		piece = *range;
		piece.mfn = mfn;
		piece.gfn += mfn - range->mfn;
		piece.nr = IA_MIN(rmap_region_clip(mfn, end - mfn), RMAP_BATCH);
		extras_remove(rmap, owner, &piece);
	}
}

/* Leaves that are cut would stay: a frame too many is somebody's, none too few. */
static void release_leaves(struct rmap *rmap, uint64_t mfn, uint64_t nr)
{
	const struct pt_edit edit = { .kind = PT_EDIT_CLEAR };
	struct tablemem_pool none = { 0 };
	enum pt_status status;
	struct pt_run at;

	status =
		rmap->pt.ops->edit(&rmap->pt, mfn, nr, &edit, &none, NULL, &at);
	iommuabs_assert(status == PT_OK);
	(void)status;
}

void rmap_release(struct rmap *rmap, struct rmap_owner *owner,
		  const struct rmap_range *range)
{
	uint64_t mfn = range->mfn, end = range->mfn + range->nr;
	struct pt_run run;

	while (mfn < end) {
		rmap_next_run(rmap, mfn, end, &run);
		release_extras(rmap, owner, range, mfn, run.in);
		mfn = run.in + run.nr;
		if (!run.nr)
			continue;
		if (run_is_place(&run, owner, range))
			release_leaves(rmap, run.in, run.nr);
		else
			release_extras(rmap, owner, range, run.in, mfn);
	}
}

/* The records from @mfn on, up to @end and what *@budget allows: the next one. */
static uint64_t release_some_extras(struct rmap *rmap, struct rmap_owner *owner,
				    const struct rmap_range *range,
				    uint64_t mfn, uint64_t end,
				    uint64_t *budget)
{
	uint64_t nr = IA_MIN(end - mfn, *budget);

	release_extras(rmap, owner, range, mfn, mfn + nr);
	*budget -= nr;
	return mfn + nr;
}

uint64_t rmap_release_some(struct rmap *rmap, struct rmap_owner *owner,
			   const struct rmap_range *range, uint64_t *budget)
{
	uint64_t mfn = range->mfn, end = mfn + range->nr, look, extras_end;
	/* No leaf reaches beyond that. */
	const uint64_t far = IA_ALIGN_UP(end, RMAP_REGION_FRAMES);
	enum pt_status status;
	struct pt_run run;

	while (mfn < end && *budget) {
		look = *budget;
		status = rmap->pt.ops->next(&rmap->pt, mfn, far, &look, &run);
		extras_end = status == PT_END ? end : run.in;
		if (extras_end == mfn && run_is_place(&run, owner, range)) {
			release_leaves(rmap, mfn, run.nr);
			mfn += run.nr;
		} else {
			if (extras_end == mfn)
				extras_end += run.nr; /* another's leaves */
			mfn = release_some_extras(rmap, owner, range, mfn,
						  IA_MIN(extras_end, end),
						  budget);
		}
		*budget = IA_MIN(*budget, look);
	}
	return mfn - range->mfn;
}

void rmap_release_leaf(struct rmap *rmap, const struct rmap_range *range)
{
	release_leaves(rmap, range->mfn, range->nr);
}

uint64_t *rmap_hold_one(struct rmap *rmap, const struct rmap_owner *owner,
			const struct rmap_range *range)
{
	struct pt_leaf leaf;
	uint64_t *entry = rmap->pt.ops->hold_one(&rmap->pt, range->mfn, &leaf);

	if (!entry || (leaf.out == range->gfn &&
		       (leaf.attr & PT_RMAP_DOMAIN) == owner->number))
		return entry;
	pt_let_go(&rmap->pt, entry);
	return NULL;
}
