/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * single.c - one frame, or one large leaf, where all tables are there already
 *
 * The common case of a small change: it takes no pages, cuts no leaf and needs no
 * batch. Whatever is not as simple is left to map.c and remove.c, with nothing
 * changed.
 */
#include "change.h"

/* Frames of a leaf at level 1, where the granule is 4 KiB. */
#define LARGE ((uint64_t)512)

static inline bool is_simple(const struct iommuabs_domain *dom, uint64_t gfn,
			     uint64_t nr)
{
	return gfn + nr <= dom->simple.end;
}

/* One leaf in every tree, if its tables are there. */
static inline bool is_one_leaf(const struct mapping *map,
			       const struct view *mirror)
{
	if (map->nr == 1)
		return true;
	return map->nr == LARGE && !((map->gfn | map->mfn) & (LARGE - 1)) &&
	       (!mirror || (mirror->pt.leaf_mask & 2));
}

/* False: there is something, or a table is missing. */
static inline bool leaf_enter(const struct pt *pt, const struct mapping *map,
			      uint64_t attr)
{
	const struct pt_ops *ops = pt->ops;

	return !(map->nr == 1 ? ops->map_one : ops->map_large)(pt, map->gfn,
							       map->mfn, attr);
}

static bool single_claim(struct iommuabs_domain *dom, const struct mapping *map)
{
	const struct rmap_range place = {
		.mfn = map->mfn,
		.gfn = map->gfn,
		.nr = map->nr,
		.kind = map->flags & IOMMUABS_FOREIGN ? RMAP_FOREIGN
						      : RMAP_OWNING,
	};

	return rmap_claim_leaf(&dom->abs->rmap, &dom->owner, &place);
}

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

/* Take back what map_single() did in all but mirrors. */
static __attribute__((__noinline__)) bool
map_undo(struct iommuabs_domain *dom, const struct mapping *map, bool claimed)
{
	if (claimed)
		single_release(dom, map);
	ledger_undo(&dom->ledger, map);
	return false;
}

/*
 * The ledger first, so that who refuses knows of nobody's claim; what a device
 * could see comes last, so that all before can be taken back.
 */
bool map_single(struct iommuabs_domain *dom, const struct mapping *map)
{
	const uint64_t attr = map->flags & PT_LEDGER_FLAGS;
	const struct view *mirror = dom->simple.mirror;

	if (!is_simple(dom, map->gfn, map->nr) ||
	    !frames_are_plain(dom, map->mfn, map->nr) ||
	    dom->caching_bindings ||
	    (dom->message_bindings && map->gfn - MESSAGES_GFN < MESSAGES_NR) ||
	    (attr & IOMMUABS_DEVICE_ONLY) ||
	    (!(attr & IOMMUABS_READ) && mirror &&
	     mirror->pt.ops->read_implied) ||
	    !is_one_leaf(map, mirror) || !leaf_enter(&dom->ledger, map, attr))
		return false;
	if (domain_has_rmap(dom) && !single_claim(dom, map))
		return map_undo(dom, map, false);
	if (frames_check(dom, map->mfn, map->nr))
		return map_undo(dom, map, true);
	if (!mirror)
		return true;
	if (!leaf_enter(&mirror->pt, map, attr & ~(uint64_t)IOMMUABS_FOREIGN))
		return map_undo(dom, map, true);
	view_publish(mirror);
	return true;
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

	if (dom->owing || !is_simple(dom, gfn, 1))
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
