/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * single.c - one frame, or one large leaf, where all tables are there already
 *
 * Whatever is not as simple is left to map.c and remove.c, with nothing changed.
 */
#include "single.h"

static void single_release(struct iommuabs_domain *dom,
			   const struct mapping *map)
{
	const struct rmap_range place = { .mfn = map->mfn, .nr = map->nr };

	if (domain_has_rmap(dom))
		rmap_release_leaf(&dom->abs->rmap, &place);
}

static void ledger_undo(const struct pt *ledger, const struct mapping *map)
{
	const struct pt_edit clear = { .kind = PT_EDIT_CLEAR };
	struct tablemem_pool none = { 0 };

	(void)ledger->ops->edit(ledger, map->gfn, map->nr, &clear, &none, NULL,
				NULL);
}

bool map_single_undo(struct iommuabs_domain *dom, const struct mapping *map,
		     bool claimed)
{
	if (claimed)
		single_release(dom, map);
	ledger_undo(&dom->ledger, map);
	return false;
}

/* The frame's entries in the ledger and in the reverse map, held. */
struct held {
	uint64_t *ledger, *place; /* place NULL: no reverse map */
};

/* 0 | SINGLE_NOT_SIMPLE. Nothing mapped: held->ledger is NULL. */
static int single_hold(struct iommuabs_domain *dom, uint64_t gfn,
		       struct held *held)
{
	const uint64_t simple = PT_LEDGER_STATE | IOMMUABS_DEVICE_ONLY;
	struct rmap_range place = { .gfn = gfn, .nr = 1 };
	struct pt_leaf leaf;

	held->place = NULL;
	held->ledger = dom->ledger.ops->hold_one(&dom->ledger, gfn, &leaf);
	if (!held->ledger)
		return leaf.entry ? SINGLE_NOT_SIMPLE : 0;
	place.mfn = leaf.out;
	if ((leaf.attr & simple) == PT_LEDGER_MAPPED) {
		if (!domain_has_rmap(dom))
			return 0;
		held->place =
			rmap_hold_one(&dom->abs->rmap, &dom->owner, &place);
		if (held->place)
			return 0;
	}
	pt_let_go(&dom->ledger, held->ledger);
	return SINGLE_NOT_SIMPLE;
}

static void single_let_go(struct iommuabs_domain *dom, const struct held *held)
{
	if (held->place)
		pt_let_go(&dom->abs->rmap.pt, held->place);
	pt_let_go(&dom->ledger, held->ledger);
}

/* Units have forgotten the frame, or didn't say so: then it is withheld. */
static void single_settle(struct iommuabs_domain *dom, const struct held *held,
			  uint64_t gfn, int error)
{
	if (error) {
		(void)dom->ledger.ops->attr_one(&dom->ledger, gfn,
						PT_LEDGER_STATE,
						PT_LEDGER_WITHHELD, NULL);
		single_let_go(dom, held);
		return;
	}
	if (held->place)
		pt_clear_held(&dom->abs->rmap.pt, held->place);
	pt_clear_held(&dom->ledger, held->ledger);
}

int remove_single(struct iommuabs_domain *dom, uint64_t gfn)
{
	const struct view *mirror = dom->simple.mirror;
	struct held held;
	int ret;

	if (dom->owing || gfn >= dom->simple.end)
		return SINGLE_NOT_SIMPLE;
	ret = single_hold(dom, gfn, &held);
	if (ret || !held.ledger)
		return ret;
	if (mirror &&
	    mirror->pt.ops->clear_one(&mirror->pt, gfn, NULL) == PT_NO_TABLES) {
		single_let_go(dom, &held);
		return SINGLE_NOT_SIMPLE;
	}
	ret = domain_invalidate_one(dom, gfn);
	single_settle(dom, &held, gfn, ret);
	return ret;
}

/* Of a slot that is as large as the span, and begins there. 0: there is none. */
static unsigned int large_level(const struct span *span)
{
	unsigned int level = 1;
	uint64_t nr;

	for (nr = SINGLE_LARGE; nr < span->nr; nr *= SINGLE_LARGE)
		level++;
	return nr == span->nr && !(span->gfn & (nr - 1)) ? level : 0;
}

/*
 * The ledger's leaf, if it is all of the span, and the reverse map can let go of
 * it without memory. 0 (@place->nr 0: nothing is mapped) | SINGLE_NOT_SIMPLE.
 */
static int large_look(struct iommuabs_domain *dom, const struct span *span,
		      unsigned int level, struct rmap_range *place)
{
	const uint64_t simple = PT_LEDGER_STATE | IOMMUABS_DEVICE_ONLY;
	struct pt_leaf leaf;

	place->nr = 0;
	if (!dom->ledger.ops->lookup(&dom->ledger, span->gfn, &leaf))
		return leaf.level < level ? SINGLE_NOT_SIMPLE : 0;
	if (leaf.level != level || (leaf.attr & simple) != PT_LEDGER_MAPPED)
		return SINGLE_NOT_SIMPLE;
	place->mfn = leaf.out;
	place->gfn = span->gfn;
	place->nr = span->nr;
	if (domain_has_rmap(dom) &&
	    rmap_split(&dom->abs->rmap, &dom->owner, place))
		return SINGLE_NOT_SIMPLE;
	return 0;
}

/* The span out of the mirror; tables that were below are owed. False: untouched. */
static bool large_clear(struct batch *batch, struct view *mirror,
			const struct span *span, unsigned int level)
{
	struct pt_sink sink;
	uint64_t table;

	if (!batch_sink(batch, &sink) ||
	    mirror->pt.ops->clear_slot(&mirror->pt, span->gfn, level, &table) ==
		    PT_NO_TABLES)
		return false;
	if (table)
		sink.tables[sink.nr++] = table;
	batch_sunk(batch, mirror, &sink);
	return true;
}

static int large_pay(struct batch *batch, const struct rmap_range *place,
		     unsigned int level)
{
	struct iommuabs_domain *dom = batch->dom;
	uint64_t none;
	int ret;

	batch_add(batch, place->gfn, place->nr);
	ret = batch_invalidate(batch);
	if (ret) {
		removal_failed(batch, place->gfn, place->nr);
		return ret;
	}
	places_release(dom, place);
	(void)dom->ledger.ops->clear_slot(&dom->ledger, place->gfn, level,
					  &none);
	batch_settle_tables(batch);
	return 0;
}

int remove_large(struct iommuabs_domain *dom, const struct span *span)
{
	struct view *mirror = dom->simple.mirror;
	unsigned int level = large_level(span);
	struct rmap_range place;
	struct batch batch;
	int ret;

	if (!level || dom->owing || span->gfn + span->nr > dom->simple.end)
		return SINGLE_NOT_SIMPLE;
	ret = large_look(dom, span, level, &place);
	if (ret || !place.nr)
		return ret;
	batch_begin(&batch, dom);
	ret = SINGLE_NOT_SIMPLE;
	if (!mirror || large_clear(&batch, mirror, span, level))
		ret = large_pay(&batch, &place, level);
	batch_end(&batch);
	return ret;
}
