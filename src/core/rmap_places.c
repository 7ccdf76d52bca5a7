/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rmap_places.c - where a frame is visible
 */
#include "rmap_parts.h"

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
	return (leaf.attr & RMAP_NO_OWNER) ||
	       rmap_tree_owner(rmap_tree_of(rmap, mfn), mfn, place->number) !=
		       RMAP_TREE_OTHER;
}

/* The first place of @mfn that is not before @from. With the lock held. */
static bool place_first(const struct rmap *rmap, uint64_t mfn,
			const struct rmap_place *from, struct rmap_place *first)
{
	struct rmap_extra key, *extra;
	struct rmap_place place;
	bool found;

	rmap_extra_set(&key, mfn, from->number, from->gfn, 0);
	extra = rmap_tree_first(rmap_tree_of(rmap, mfn)->root, &key);
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
	struct rmap_tree *tree = rmap_tree_of(rmap, mfn);
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
		tree = rmap_tree_of(rmap, at);
		if (port_load32(&tree->count)) {
			spend(budget);
			rmap_extra_set(&key, at, 0, 0, 0);
			ia_lock(host, &tree->lock);
			extra = rmap_tree_first(tree->root, &key);
			if (extra)
				found = IA_MIN(found, rmap_extra_mfn(extra));
			ia_unlock(host, &tree->lock);
		}
		at += rmap_region_clip(at, ~(uint64_t)0);
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

	if (rmap_next_run(rmap, mfn, mfn + nr, &run))
		return true;
	for (; nr; mfn += piece, nr -= piece) {
		piece = rmap_region_clip(mfn, nr);
		tree = rmap_tree_of(rmap, mfn);
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
