/* SPDX-License-Identifier: BSD-2-Clause */
#include "rmap.h"

#define ADDRESS_BITS   52 /* of machine and guest addresses */
#define LEVEL_BITS     9
#define LEAF_MASK      0x7 /* 4 KiB, 2 MiB, 1 GiB: so a cut takes 2 nodes */
#define CALLER_RESERVE 4   /* a range has two ends */
#define REGION_FRAMES  ((uint64_t)1 << RMAP_REGION_LG2)
#define BATCH	       64  /* records per hold of a lock */
#define CHARGE_RECORDS 128 /* per frame: 32 bytes each */

#define TREES_SIZE  (RMAP_LOCKS * sizeof(struct rmap_tree))
#define SEED_FACTOR 0x9e3779b97f4a7c15 /* spreads a small number */

_Static_assert(TREES_SIZE <= TABLEMEM_OBJECT_MAX, "an object");

/* A place of one of these kinds doesn't own its frame. */
#define KIND (PT_RMAP_FOREIGN | PT_RMAP_HOST | PT_RMAP_SHARED)

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

static struct rmap_tree *tree_of(const struct rmap *rmap, uint64_t mfn)
{
	return &rmap->trees[(mfn >> RMAP_REGION_LG2) % RMAP_LOCKS];
}

/* Frames of [@mfn, @mfn + @nr) under the lock of the first. */
static uint64_t region_clip(uint64_t mfn, uint64_t nr)
{
	return IA_MIN(nr, REGION_FRAMES - mfn % REGION_FRAMES);
}

/* Whose place the leaf at the head of @run holds. */
static bool run_is_place(const struct pt_run *run,
			 const struct rmap_owner *owner,
			 const struct rmap_range *range)
{
	return (run->attr & PT_RMAP_DOMAIN) == owner->number &&
	       run->out - range->gfn == run->in - range->mfn;
}

/*
 * The next run of leaves in [@mfn, @end). False: none; @run is empty, at @end.
 */
static bool next_run(const struct rmap *rmap, uint64_t mfn, uint64_t end,
		     struct pt_run *run)
{
	uint64_t budget = ~(uint64_t)0;

	if (mfn < end &&
	    rmap->pt.ops->next(&rmap->pt, mfn, end, &budget, run) == PT_OK)
		return true;
	*run = (struct pt_run){ .in = end };
	return false;
}

/* Nodes and their reserve. */

/* Give pages to the reserve as long as it lacks some, and free the others. */
static void pages_return(struct rmap *rmap, struct tablemem_pool *pool)
{
	const struct hostif *host = rmap->mem->host;

	ia_lock(host, &rmap->lock);
	while (pool->nr && port_load32(&rmap->reserve_missing)) {
		tablemem_pool_put(host, &rmap->reserve,
				  tablemem_pool_take(host, pool));
		port_add32(&rmap->reserve_missing, (uint32_t)-1);
	}
	ia_unlock(host, &rmap->lock);
	tablemem_pool_drain(rmap->mem, &rmap->account, pool);
}

static void reserve_refill(struct rmap *rmap)
{
	uint32_t missing = port_load32(&rmap->reserve_missing);
	struct tablemem_pool pool = { 0 };

	if (!missing)
		return;
	/* What there is will do: the next call tries again. */
	(void)tablemem_pool_fill(rmap->mem, &rmap->account, &pool, missing);
	pages_return(rmap, &pool);
}

/* One page more for a split: the host's or, if it has none, a spare one. */
static int page_for_split(struct rmap *rmap, struct tablemem_pool *pool)
{
	const struct hostif *host = rmap->mem->host;
	uint32_t before = pool->nr;

	if (!tablemem_pool_fill(rmap->mem, &rmap->account, pool, before + 1))
		return 0;
	ia_lock(host, &rmap->lock);
	if (rmap->reserve.nr) {
		tablemem_pool_put(host, pool,
				  tablemem_pool_take(host, &rmap->reserve));
		port_add32(&rmap->reserve_missing, 1);
	}
	ia_unlock(host, &rmap->lock);
	return pool->nr > before ? 0 : IOMMUABS_E_NOMEM;
}

int rmap_reserve_grow(struct rmap *rmap)
{
	const struct hostif *host = rmap->mem->host;
	struct tablemem_pool pool = { 0 };

	if (tablemem_pool_fill(rmap->mem, &rmap->account, &pool,
			       CALLER_RESERVE)) {
		tablemem_pool_drain(rmap->mem, &rmap->account, &pool);
		return IOMMUABS_E_NOMEM;
	}
	ia_lock(host, &rmap->lock);
	while (pool.nr)
		tablemem_pool_put(host, &rmap->reserve,
				  tablemem_pool_take(host, &pool));
	ia_unlock(host, &rmap->lock);
	return 0;
}

void rmap_reserve_shrink(struct rmap *rmap)
{
	const struct hostif *host = rmap->mem->host;
	struct tablemem_pool pool = { 0 };
	uint32_t missing, i;

	ia_lock(host, &rmap->lock);
	missing = IA_MIN(port_load32(&rmap->reserve_missing), CALLER_RESERVE);
	port_add32(&rmap->reserve_missing, -missing);
	for (i = missing; i < CALLER_RESERVE; i++)
		tablemem_pool_put(host, &pool,
				  tablemem_pool_take(host, &rmap->reserve));
	ia_unlock(host, &rmap->lock);
	tablemem_pool_drain(rmap->mem, &rmap->account, &pool);
}

/* Records. A list of spare ones is linked through @left. */

static uint64_t charge_of(uint64_t extras)
{
	return (extras + CHARGE_RECORDS - 1) / CHARGE_RECORDS;
}

static int extras_charge(struct rmap *rmap, struct rmap_owner *owner,
			 uint64_t nr)
{
	const struct hostif *host = rmap->mem->host;
	int st;

	ia_lock(host, &rmap->lock);
	st = tablemem_charge(owner->account, charge_of(owner->extras + nr) -
						     charge_of(owner->extras));
	if (!st)
		owner->extras += nr;
	ia_unlock(host, &rmap->lock);
	return st;
}

static void extras_uncharge(struct rmap *rmap, struct rmap_owner *owner,
			    uint64_t nr)
{
	const struct hostif *host = rmap->mem->host;

	ia_lock(host, &rmap->lock);
	tablemem_uncharge(owner->account,
			  charge_of(owner->extras) -
				  charge_of(owner->extras - nr));
	owner->extras -= nr;
	ia_unlock(host, &rmap->lock);
}

static struct rmap_extra *list_take(struct rmap_extra **list)
{
	struct rmap_extra *extra = *list;

	*list = extra->left;
	return extra;
}

static void list_put(struct rmap_extra **list, struct rmap_extra *extra)
{
	extra->left = *list;
	*list = extra;
}

static void extras_free(struct rmap *rmap, struct rmap_owner *owner,
			struct rmap_extra *list)
{
	uint64_t nr = 0;

	for (; list; nr++)
		tablemem_object_free(rmap->mem, list_take(&list),
				     sizeof(*list));
	if (nr)
		extras_uncharge(rmap, owner, nr);
}

/* @nr charged records, or none. */
static int extras_alloc(struct rmap *rmap, struct rmap_owner *owner,
			uint64_t nr, struct rmap_extra **list)
{
	struct rmap_extra *got = NULL, *extra;
	uint64_t i;
	int st;

	st = extras_charge(rmap, owner, nr);
	if (st)
		return st;
	for (i = 0; i < nr; i++) {
		extra = tablemem_object_alloc(rmap->mem, sizeof(*extra));
		if (!extra) {
			extras_free(rmap, owner, got);
			extras_uncharge(rmap, owner, nr - i);
			return IOMMUABS_E_NOMEM;
		}
		list_put(&got, extra);
	}
	*list = got;
	return 0;
}

/* Who owns a frame, as far as its tree says. */

enum tree_owner {
	TREE_NOBODY,
	TREE_SAME, /* the domain asked about */
	TREE_OTHER,
};

static enum tree_owner tree_owner(const struct rmap_tree *tree, uint64_t mfn,
				  uint16_t number)
{
	struct rmap_extra key, *extra;

	rmap_extra_set(&key, mfn, 0, 0, 0);
	extra = rmap_tree_first(tree->root, &key);
	for (; extra && rmap_extra_mfn(extra) == mfn;
	     extra = rmap_tree_next(tree->root, extra)) {
		if (rmap_extra_owns(extra))
			return rmap_extra_number(extra) == number ? TREE_SAME
								  : TREE_OTHER;
	}
	return TREE_NOBODY;
}

/*
 * Look at up to BATCH records from @key on and before frame @end for one of
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
		if (i == BATCH) {
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
		struct rmap_tree *tree = tree_of(rmap, mfn);

		piece = region_clip(mfn, nr);
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

/* Claiming. */

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

	if (claim->attr & KIND)
		return true;
	switch (tree_owner(tree_of(rmap, mfn), mfn, number)) {
	case TREE_OTHER:
		return false;
	case TREE_SAME:
		return true;
	case TREE_NOBODY:
		break;
	}
	return !rmap->pt.ops->lookup(&rmap->pt, mfn, &leaf) ||
	       (leaf.attr & KIND) || (leaf.attr & PT_RMAP_DOMAIN) == number;
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
		extra = list_take(list);
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

	nr = IA_MIN(region_clip(mfn, claim->range.nr), BATCH);
	if (!next_run(rmap, mfn, mfn + nr, &run) || run.in != mfn)
		return 0; /* it has gone meanwhile */
	nr = run.nr;
	st = extras_alloc(rmap, claim->owner, nr, &list);
	if (st)
		return st;
	entered = further_enter(claim, tree_of(rmap, mfn), nr, &list);
	claim_advance(claim, entered);
	extras_free(rmap, claim->owner, list);
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
	if (entered && !(claim->attr & KIND) &&
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
		pages_return(rmap, &claim.pool);
	if (st) {
		entered.nr -= claim.range.nr;
		rmap_release(rmap, owner, &entered);
		return st;
	}
	reserve_refill(rmap);
	return 0;
}

/* Removing. */

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
	*first = IA_ALIGN_DOWN(mfn, (uint64_t)1 << LEVEL_BITS * leaf.level);
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
			st = page_for_split(rmap, pool);
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
		pages_return(rmap, &pool);
	reserve_refill(rmap);
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
	struct rmap_tree *tree = tree_of(rmap, range->mfn);
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
		list_put(&list, extra);
		port_add32(&tree->count, (uint32_t)-1);
	}
	ia_unlock(host, &tree->lock);
	extras_free(rmap, owner, list);
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
		piece.nr = IA_MIN(region_clip(mfn, end - mfn), BATCH);
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
		next_run(rmap, mfn, end, &run);
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
	const uint64_t far = IA_ALIGN_UP(end, REGION_FRAMES);
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

/* What takes one leaf. */

bool rmap_claim_leaf(struct rmap *rmap, const struct rmap_owner *owner,
		     const struct rmap_range *range)
{
	const uint64_t attr = place_attr(owner, range);
	const struct pt *pt = &rmap->pt;
	enum pt_status status;

	if (range->nr == 1)
		status = pt->ops->map_one(pt, range->mfn, range->gfn, attr);
	else if (range->nr == (uint64_t)1 << LEVEL_BITS)
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
	if ((attr & KIND) || !port_load32(&tree_of(rmap, range->mfn)->count))
		return true;
	rmap_release_leaf(rmap, range);
	return false;
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

/* Asking. */

static struct rmap_place place_of_extra(const struct rmap_extra *extra)
{
	return (struct rmap_place){
		.number = rmap_extra_number(extra),
		.foreign = !!(extra->gfn_kind & RMAP_EXTRA_FOREIGN),
		.shared = !!(extra->gfn_kind & RMAP_EXTRA_SHARED),
		.host = !!(extra->gfn_kind & RMAP_EXTRA_HOST),
		.gfn = rmap_extra_gfn(extra),
	};
}

static struct rmap_place place_of_leaf(const struct pt_leaf *leaf)
{
	return (struct rmap_place){
		.number = (uint16_t)(leaf->attr & PT_RMAP_DOMAIN),
		.foreign = !!(leaf->attr & PT_RMAP_FOREIGN),
		.shared = !!(leaf->attr & PT_RMAP_SHARED),
		.host = !!(leaf->attr & PT_RMAP_HOST),
		.gfn = leaf->out,
	};
}

static bool place_before(const struct rmap_place *a, const struct rmap_place *b)
{
	return a->number != b->number ? a->number < b->number : a->gfn < b->gfn;
}

/*
 * The leaf's place of @mfn. False: there is none, or only one that its claimant
 * will give back. With the lock held.
 */
static bool place_in_leaf(const struct rmap *rmap, uint64_t mfn,
			  struct rmap_place *place)
{
	struct pt_leaf leaf;

	if (!rmap->pt.ops->lookup(&rmap->pt, mfn, &leaf))
		return false;
	*place = place_of_leaf(&leaf);
	return (leaf.attr & KIND) ||
	       tree_owner(tree_of(rmap, mfn), mfn, place->number) != TREE_OTHER;
}

/* The first place of @mfn that is not before @from. With the lock held. */
static bool place_first(const struct rmap *rmap, uint64_t mfn,
			const struct rmap_place *from, struct rmap_place *first)
{
	struct rmap_extra key, *extra;
	struct rmap_place place;
	bool found;

	rmap_extra_set(&key, mfn, from->number, from->gfn, 0);
	extra = rmap_tree_first(tree_of(rmap, mfn)->root, &key);
	found = extra && rmap_extra_mfn(extra) == mfn;
	if (found)
		*first = place_of_extra(extra);
	if (place_in_leaf(rmap, mfn, &place) && !place_before(&place, from) &&
	    (!found || place_before(&place, first))) {
		*first = place;
		return true;
	}
	return found;
}

uint32_t rmap_places(struct rmap *rmap, uint64_t mfn, int32_t only,
		     const struct rmap_place *after, struct rmap_place *places,
		     uint32_t max)
{
	struct rmap_place from = { .number = only < 0 ? 0 : (uint16_t)only };
	const struct hostif *host = rmap->mem->host;
	struct rmap_tree *tree = tree_of(rmap, mfn);
	uint32_t nr;

	if (after && !place_before(after, &from)) {
		from = *after;
		from.gfn++;
	}
	ia_lock(host, &tree->lock);
	for (nr = 0; nr < max; nr++) {
		if (!place_first(rmap, mfn, &from, &places[nr]) ||
		    (only >= 0 && places[nr].number != only))
			break;
		from = places[nr];
		from.gfn++;
	}
	ia_unlock(host, &tree->lock);
	return nr;
}

static void spend(uint64_t *budget)
{
	*budget -= IA_MIN(*budget, 1);
}

/*
 * The first frame in [@mfn, @end) with a record; @end: none has. Each tree has
 * regions that are RMAP_LOCKS apart, so one look at each is enough.
 */
static uint64_t extras_next(const struct rmap *rmap, uint64_t mfn, uint64_t end,
			    uint64_t *budget)
{
	const struct hostif *host = rmap->mem->host;
	struct rmap_extra key, *extra;
	uint64_t at = mfn, found = end;
	struct rmap_tree *tree;
	unsigned int i;

	for (i = 0; i < RMAP_LOCKS && at < found; i++) {
		tree = tree_of(rmap, at);
		if (port_load32(&tree->count)) {
			spend(budget);
			rmap_extra_set(&key, at, 0, 0, 0);
			ia_lock(host, &tree->lock);
			extra = rmap_tree_first(tree->root, &key);
			if (extra)
				found = IA_MIN(found, rmap_extra_mfn(extra));
			ia_unlock(host, &tree->lock);
		}
		at += region_clip(at, ~(uint64_t)0);
	}
	return found;
}

void rmap_next(const struct rmap *rmap, uint64_t mfn, uint64_t end,
	       uint64_t *budget, struct rmap_stretch *next)
{
	struct pt_run run = { .in = end };
	enum pt_status status;
	struct pt_leaf leaf;
	uint64_t extra;

	status = rmap->pt.ops->next(&rmap->pt, mfn, end, budget, &run);
	if (status == PT_END)
		run.in = end;
	if (status != PT_OK)
		run.nr = 0;
	extra = extras_next(rmap, mfn, run.in + run.nr, budget);
	*next = (struct rmap_stretch){ .mfn = IA_MIN(run.in, extra) };
	if (extra < run.in || (extra == run.in && run.nr)) {
		next->nr = 1;
	} else if (run.nr) {
		leaf.attr = run.attr;
		leaf.out = run.out;
		next->place = place_of_leaf(&leaf);
		next->alone = 1;
		next->nr = extra - run.in;
	}
}

bool rmap_is_mapped(struct rmap *rmap, uint64_t mfn, uint64_t nr)
{
	const struct hostif *host = rmap->mem->host;
	struct rmap_extra key, *extra;
	struct rmap_tree *tree;
	struct pt_run run;
	uint64_t piece;
	bool found;

	if (next_run(rmap, mfn, mfn + nr, &run))
		return true;
	for (; nr; mfn += piece, nr -= piece) {
		piece = region_clip(mfn, nr);
		tree = tree_of(rmap, mfn);
		if (!port_load32(&tree->count))
			continue;
		rmap_extra_set(&key, mfn, 0, 0, 0);
		ia_lock(host, &tree->lock);
		extra = rmap_tree_first(tree->root, &key);
		found = extra && rmap_extra_mfn(extra) < mfn + piece;
		ia_unlock(host, &tree->lock);
		if (found)
			return true;
	}
	return false;
}

/* The whole. */

static int trees_init(struct rmap *rmap)
{
	const struct hostif *host = rmap->mem->host;
	unsigned int i;
	int st;

	rmap->trees = tablemem_object_alloc(rmap->mem, TREES_SIZE);
	if (!rmap->trees)
		return IOMMUABS_E_NOMEM;
	for (i = 0; i < RMAP_LOCKS; i++) {
		st = ia_lock_init(host, &rmap->trees[i].lock,
				  IOMMUABS_LOCK_RMAP);
		if (st)
			break;
	}
	if (i == RMAP_LOCKS)
		return 0;
	while (i)
		ia_lock_exit(host, &rmap->trees[--i].lock);
	tablemem_object_free(rmap->mem, rmap->trees, TREES_SIZE);
	return st;
}

static void trees_exit(struct rmap *rmap)
{
	unsigned int i;

	for (i = 0; i < RMAP_LOCKS; i++)
		ia_lock_exit(rmap->mem->host, &rmap->trees[i].lock);
	tablemem_object_free(rmap->mem, rmap->trees, TREES_SIZE);
}

int rmap_init(struct rmap *rmap, struct tablemem *mem)
{
	const struct hostif *host = mem->host;
	uint64_t root;
	int st;

	*rmap = (struct rmap){ .mem = mem };
	rmap->seed = hostif_time_us(host) * SEED_FACTOR ^ (uintptr_t)rmap;
	st = ia_lock_init(host, &rmap->lock, IOMMUABS_LOCK_UNIT);
	if (st)
		return st;
	st = trees_init(rmap);
	if (st)
		goto no_trees;
	st = tablemem_alloc(mem, &rmap->account, IOMMUABS_FRAME_LG2, 0, &root);
	if (st)
		goto no_root;
	rmap->pt = (struct pt){
		.ops = &pt_rmap_ops,
		.host = host,
		.root = root,
		.granule_lg2 = IOMMUABS_FRAME_LG2,
		.root_lg2 = IOMMUABS_FRAME_LG2,
		.top = (ADDRESS_BITS - IOMMUABS_FRAME_LG2 - 1) / LEVEL_BITS,
		.in_bits = ADDRESS_BITS,
		.out_bits = ADDRESS_BITS,
		.leaf_mask = LEAF_MASK,
	};
	rmap->pt.ops->init_root(&rmap->pt);
	return 0;
no_root:
	trees_exit(rmap);
no_trees:
	ia_lock_exit(host, &rmap->lock);
	return st;
}

void rmap_exit(struct rmap *rmap)
{
	uint64_t budget = ~(uint64_t)0;

	tablemem_pool_drain(rmap->mem, &rmap->account, &rmap->reserve);
	pt_free_tables(&rmap->pt, rmap->pt.root | rmap->pt.top, rmap->mem,
		       &rmap->account, &budget);
	trees_exit(rmap);
	ia_lock_exit(rmap->mem->host, &rmap->lock);
}
