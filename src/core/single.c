/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * single.c - one frame, where all tables are there already
 *
 * The common case of a change: it takes no pages, cuts no leaf and needs no
 * batch. Whatever is not as simple is left to map.c and remove.c, with nothing
 * changed.
 */
#include "change.h"

/* The mirror that must be told about @gfn, NULL for none; false: several. */
static bool only_mirror(const struct iommuabs_domain *dom, uint64_t gfn,
			const struct view **mirror)
{
	const struct view *view;

	*mirror = NULL;
	for (view = dom->views; view; view = view->next) {
		if (!view_clip(view, gfn, 1))
			continue;
		if (*mirror)
			return false;
		*mirror = view;
	}
	return true;
}

static bool single_claim(struct iommuabs_domain *dom,
			 const struct rmap_range *place)
{
	if (domain_has_rmap(dom) &&
	    !rmap_claim_one(&dom->abs->rmap, &dom->owner, place))
		return false;
	if (!frames_check(dom, place->mfn, 1))
		return true;
	if (domain_has_rmap(dom))
		rmap_release_one(&dom->abs->rmap, place);
	return false;
}

/*
 * Ledger, then reverse map, then mirror: what a device could see comes last, so
 * that all before can be taken back.
 */
bool map_single(struct iommuabs_domain *dom, const struct mapping *map)
{
	const uint32_t flags = map->flags & PT_LEDGER_FLAGS;
	const struct rmap_range place = {
		.mfn = map->mfn,
		.gfn = map->gfn,
		.nr = 1,
		.foreign = !!(flags & IOMMUABS_FOREIGN),
	};
	const struct view *mirror;
	struct pt_leaf old;

	if (dom->reserved || (flags & IOMMUABS_DEVICE_ONLY) ||
	    !only_mirror(dom, map->gfn, &mirror) ||
	    dom->ledger.ops->map_one(&dom->ledger, map->gfn, map->mfn, flags))
		return false;
	if (single_claim(dom, &place)) {
		if (!mirror)
			return true;
		if (!mirror->pt.ops->map_one(
			    &mirror->pt, map->gfn, map->mfn,
			    flags & ~(uint32_t)IOMMUABS_FOREIGN)) {
			view_publish(mirror);
			return true;
		}
		if (domain_has_rmap(dom))
			rmap_release_one(&dom->abs->rmap, &place);
	}
	(void)dom->ledger.ops->clear_one(&dom->ledger, map->gfn, &old);
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
	struct pt_leaf old;

	if (error) {
		(void)dom->ledger.ops->attr_one(&dom->ledger, gfn,
						PT_LEDGER_STATE,
						PT_LEDGER_WITHHELD, &old);
		single_let_go(dom, held);
		return;
	}
	if (held->place)
		pt_clear_held(&dom->abs->rmap.pt, held->place);
	pt_clear_held(&dom->ledger, held->ledger);
}

int remove_single(struct iommuabs_domain *dom, uint64_t gfn)
{
	const struct view *mirror;
	struct pt_leaf old;
	struct held held;
	int ret;

	if (dom->reserved || dom->owing || !only_mirror(dom, gfn, &mirror))
		return SINGLE_NOT_SIMPLE;
	ret = single_hold(dom, gfn, &held);
	if (ret || !held.ledger)
		return ret;
	if (mirror &&
	    mirror->pt.ops->clear_one(&mirror->pt, gfn, &old) == PT_NO_TABLES) {
		single_let_go(dom, &held);
		return SINGLE_NOT_SIMPLE;
	}
	ret = domain_invalidate_one(dom, gfn);
	single_settle(dom, &held, gfn, ret);
	return ret;
}
