/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * single.h - one frame, or one large leaf, where all tables are there already
 *
 * The common case of a change: no leaf of the ledger or of a mirror is cut, so no
 * table is needed for one. Whatever is not as simple is left to map.c and remove.c,
 * with nothing changed. The half that adds is in here, for its caller to have in
 * registers what it was called with.
 */
#ifndef IOMMUABS_CORE_SINGLE_H
#define IOMMUABS_CORE_SINGLE_H

#include "change.h"

/* Nothing was done: it takes more than entries in tables that are there. */
#define SINGLE_NOT_SIMPLE 1

/* remove_run() of one frame, and paid. 0 | SINGLE_NOT_SIMPLE | E_TIMEOUT |
 * E_FENCED. */
int remove_single(struct iommuabs_domain *dom, uint64_t gfn);
/*
 * The same of what is one large leaf in the ledger, and one slot in a mirror: the
 * tables that it has there are freed. A leaf of the reverse map that reaches further
 * is cut first.
 */
int remove_large(struct iommuabs_domain *dom, const struct span *span);

/* Take back what map_single() did in all but mirrors. Return: false. */
bool map_single_undo(struct iommuabs_domain *dom, const struct mapping *map,
		     bool claimed);

static __attribute__((__noinline__)) bool
single_undo(struct iommuabs_domain *dom, struct mapping map, bool claimed)
{
	return map_single_undo(dom, &map, claimed);
}

/* One leaf in every tree, if its tables are there. */
static inline bool single_is_leaf(const struct mapping *map)
{
	return map->nr == 1 || (map->nr == SINGLE_LARGE &&
				!((map->gfn | map->mfn) & (SINGLE_LARGE - 1)));
}

/* Does the mapping concern no more than the ledger, the reverse map and one mirror,
 * all of which can have it? */
static inline bool single_is_simple(const struct iommuabs_domain *dom,
				    const struct mapping *map)
{
	const uint32_t kind = IOMMUABS_DEVICE_ONLY | IOMMUABS_READ;
	const uint64_t end = map->gfn + map->nr;

	return end <= dom->simple.map_end &&
	       end - dom->simple.kept >= dom->simple.nr_kept &&
	       (map->flags & kind) == IOMMUABS_READ && single_is_leaf(map) &&
	       frames_are_plain(dom, map->mfn, map->nr);
}

/* False: there is something, or a table is missing. */
static inline bool single_enter(const struct pt *pt, const struct mapping *map)
{
	const struct pt_ops *ops = pt->ops;
	const uint64_t attr = map->flags & PT_LEDGER_FLAGS;

	return !(map->nr == 1 ? ops->map_one : ops->map_large)(pt, map->gfn,
							       map->mfn, attr);
}

static inline bool single_claim(struct iommuabs_domain *dom,
				const struct mapping *map)
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

/*
 * map_run(); false: not so simple. The ledger first, so that who refuses knows of
 * nobody's claim; what a device could see comes last, so that all before can be
 * taken back.
 */
static inline bool map_single(struct iommuabs_domain *dom,
			      const struct mapping *map)
{
	const struct view *mirror = dom->simple.mirror;

	if (!single_is_simple(dom, map) || !single_enter(&dom->ledger, map))
		return false;
	if (domain_has_rmap(dom) && !single_claim(dom, map))
		return single_undo(dom, *map, false);
	if (frames_check(dom, map->mfn, map->nr))
		return single_undo(dom, *map, true);
	if (!mirror)
		return true;
	if (!single_enter(&mirror->pt, map))
		return single_undo(dom, *map, true);
	view_publish(mirror);
	return true;
}

#endif
