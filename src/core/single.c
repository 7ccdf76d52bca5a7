/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * single.c - one frame, or one large leaf, where all tables are there already
 *
 * The common case of a small change: it takes no pages, cuts no leaf and needs no
 * batch. Whatever is not as simple is left to map.c and remove.c, with nothing
 * changed.
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
