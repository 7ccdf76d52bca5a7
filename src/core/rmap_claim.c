/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rmap_claim.c - a domain claims frames: one owner wins
 */
#include "rmap_parts.h"

static uint64_t place_attr(const struct rmap_owner *owner,
			   const struct rmap_range *range)
{
	return owner->number |
	       (range->kind == RMAP_FOREIGN ? PT_RMAP_FOREIGN : 0) |
	       (range->kind == RMAP_SHARED ? PT_RMAP_SHARED : 0) |
	       (owner->host ? PT_RMAP_HOST : 0);
}

static uint64_t attr_extra_kind(uint64_t attr)
{
	return (attr & PT_RMAP_FOREIGN ? RMAP_EXTRA_FOREIGN : 0) |
	       (attr & PT_RMAP_SHARED ? RMAP_EXTRA_SHARED : 0) |
	       (attr & PT_RMAP_HOST ? RMAP_EXTRA_HOST : 0);
}

/*
 * Look at up to RMAP_BATCH records from @key on and before frame @end for one of
 * another owner than domain @number; @key moves on, to NULL's place (frame @end)
 * when there are no more. With the lock held.
 */
static bool tree_has_other(const struct rmap_tree *tree, uint16_t number,
			   uint64_t end, struct rmap_extra *key)
{
	struct rmap_extra *extra = rmap_tree_first(tree->root, key);
	unsigned int i;

	for (i = 0; extra && rmap_extra_mfn(extra) < end; i++) {
		if (rmap_extra_owns(extra) &&
		    rmap_extra_number(extra) != number)
			return true;
		if (i == RMAP_BATCH) {
			*key = *extra;
			return false;
		}
		extra = rmap_tree_next(tree->root, extra);
	}
	rmap_extra_set(key, end, 0, 0, 0);
	return false;
}

/*
 * Leaves of domain @number were entered for these frames: does another domain
 * own one by a record? In pieces: who adds one meanwhile sees the leaf.
 */
static bool others_own(struct rmap *rmap, uint16_t number, uint64_t mfn,
		       uint64_t nr)
{
	const struct hostif *host = rmap->mem->host;
	struct rmap_extra key;
	uint64_t piece;
	bool found;

	/* Pairs with the one in further_enter(). */
	port_mb();
	for (; nr; mfn += piece, nr -= piece) {
		struct rmap_tree *tree = rmap_tree_of(rmap, mfn);

		piece = rmap_region_clip(mfn, nr);
		if (!port_load32(&tree->count))
			continue;
		rmap_extra_set(&key, mfn, 0, 0, 0);
		while (rmap_extra_mfn(&key) < mfn + piece) {
			ia_lock(host, &tree->lock);
			found = tree_has_other(tree, number, mfn + piece, &key);
			ia_unlock(host, &tree->lock);
			if (found)
				return true;
		}
	}
	return false;
}

struct claim {
	struct rmap *rmap;
	struct rmap_owner *owner;
	struct rmap_range range; /* what is not entered yet */
	uint64_t attr;
	struct tablemem_pool pool;
};

static void claim_advance(struct claim *claim, uint64_t nr)
{
	claim->range.mfn += nr;
	claim->range.gfn += nr;
	claim->range.nr -= nr;
}

/* May the claimant have @mfn? With the lock held, after the announcement. */
static bool further_allowed(const struct claim *claim, uint64_t mfn)
{
	const struct rmap *rmap = claim->rmap;
	uint16_t number = claim->owner->number;
	struct pt_leaf leaf;

	if (claim->attr & RMAP_NO_OWNER)
		return true;
	switch (rmap_tree_owner(rmap_tree_of(rmap, mfn), mfn, number)) {
	case RMAP_TREE_OTHER:
		return false;
	case RMAP_TREE_SAME:
		return true;
	case RMAP_TREE_NOBODY:
		break;
	}
	return !rmap->pt.ops->lookup(&rmap->pt, mfn, &leaf) ||
	       (leaf.attr & RMAP_NO_OWNER) ||
	       (leaf.attr & PT_RMAP_DOMAIN) == number;
}

/*
 * Enter up to @nr records of @list for the frames at the head of what is to be
 * claimed. Returns how many; fewer: the next frame is another domain's.
 */
static uint64_t further_enter(struct claim *claim, struct rmap_tree *tree,
			      uint64_t nr, struct rmap_extra **list)
{
	const struct hostif *host = claim->rmap->mem->host;
	const struct rmap_range *range = &claim->range;
	struct rmap_extra *extra;
	uint64_t i;

	ia_lock(host, &tree->lock);
	port_add32(&tree->count, (uint32_t)nr);
	/* Pairs with the one in others_own(). */
	port_mb();
	for (i = 0; i < nr && further_allowed(claim, range->mfn + i); i++) {
		extra = rmap_list_take(list);
		rmap_extra_set(extra, range->mfn + i, claim->owner->number,
			       range->gfn + i, attr_extra_kind(claim->attr));
		rmap_tree_insert(&tree->root, claim->rmap->seed, extra);
	}
	port_add32(&tree->count, (uint32_t)(i - nr));
	ia_unlock(host, &tree->lock);
	return i;
}

/* The frame at the head has a leaf: enter records for it and its neighbours. */
static int claim_further(struct claim *claim)
{
	struct rmap *rmap = claim->rmap;
	uint64_t mfn = claim->range.mfn, nr, entered;
	struct rmap_extra *list = NULL;
	struct pt_run run;
	int st;

	nr = IA_MIN(rmap_region_clip(mfn, claim->range.nr), RMAP_BATCH);
	if (!rmap_next_run(rmap, mfn, mfn + nr, &run) || run.in != mfn)
		return 0; /* it has gone meanwhile */
	nr = run.nr;
	st = rmap_extras_alloc(rmap, claim->owner, nr, &list);
	if (st)
		return st;
	entered = further_enter(claim, rmap_tree_of(rmap, mfn), nr, &list);
	claim_advance(claim, entered);
	rmap_extras_free(rmap, claim->owner, list);
	return entered == nr ? 0 : IOMMUABS_E_PERM;
}

static int claim_nodes(struct claim *claim)
{
	struct rmap *rmap = claim->rmap;
	const struct rmap_range *range = &claim->range;
	uint32_t nr;

	nr = rmap->pt.ops->count(&rmap->pt, range->mfn, range->gfn, range->nr);
	nr = IA_MAX(nr, claim->pool.nr + 1);
	if (tablemem_pool_fill(rmap->mem, &rmap->account, &claim->pool, nr))
		return IOMMUABS_E_NOMEM; /* its quota is not the caller's */
	return 0;
}

/* Enter leaves as far as it goes, then do what the next frame needs. */
static int claim_step(struct claim *claim)
{
	struct rmap *rmap = claim->rmap;
	const struct pt_run run = { claim->range.mfn, claim->range.gfn,
				    claim->range.nr, claim->attr };
	enum pt_status status;
	uint64_t entered = 0;

	status = rmap->pt.ops->map(&rmap->pt, &run, &claim->pool, &entered);
	claim_advance(claim, entered);
	if (entered && !(claim->attr & RMAP_NO_OWNER) &&
	    others_own(rmap, claim->owner->number, run.in, entered))
		return IOMMUABS_E_PERM;
	switch (status) {
	case PT_OCCUPIED:
		return claim_further(claim);
	case PT_NO_TABLES:
		return claim_nodes(claim);
	default:
		return 0;
	}
}

int rmap_claim(struct rmap *rmap, struct rmap_owner *owner,
	       const struct rmap_range *range)
{
	struct claim claim = {
		rmap, owner, *range, place_attr(owner, range), { 0 }
	};
	struct rmap_range entered = *range;
	int st = 0;

	while (claim.range.nr && !st)
		st = claim_step(&claim);
	if (claim.pool.nr)
		rmap_pages_return(rmap, &claim.pool);
	if (st) {
		entered.nr -= claim.range.nr;
		rmap_release(rmap, owner, &entered);
		return st;
	}
	rmap_reserve_refill(rmap);
	return 0;
}

bool rmap_claim_leaf(struct rmap *rmap, const struct rmap_owner *owner,
		     const struct rmap_range *range)
{
	const uint64_t attr = place_attr(owner, range);
	const struct pt *pt = &rmap->pt;
	enum pt_status status;

	if (range->nr == 1)
		status = pt->ops->map_one(pt, range->mfn, range->gfn, attr);
	else if (range->nr == (uint64_t)1 << RMAP_LEVEL_BITS)
		status = pt->ops->map_large(pt, range->mfn, range->gfn, attr);
	else
		return false;
	if (status)
		return false;
	/*
	 * No leaf is larger than what is under one lock. The entry's compare-
	 * exchange and this load are sequentially consistent; that pairs with
	 * the barrier in further_enter().
	 */
	if ((attr & RMAP_NO_OWNER) ||
	    !port_load32(&rmap_tree_of(rmap, range->mfn)->count))
		return true;
	rmap_release_leaf(rmap, range);
	return false;
}
