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
		if (!mirror || !mirror->pt.ops->map_one(
				       &mirror->pt, map->gfn, map->mfn,
				       flags & ~(uint32_t)IOMMUABS_FOREIGN)) {
			views_publish(dom);
			return true;
		}
		if (domain_has_rmap(dom))
			rmap_release_one(&dom->abs->rmap, &place);
	}
	(void)dom->ledger.ops->clear_one(&dom->ledger, map->gfn, &old);
	return false;
}

int remove_single(struct iommuabs_domain *dom, uint64_t gfn)
{
	const struct pt *ledger = &dom->ledger;
	const struct view *mirror;
	struct rmap_range place = { .gfn = gfn, .nr = 1 };
	struct pt_leaf old;
	int ret;

	if (dom->reserved || dom->owing || !only_mirror(dom, gfn, &mirror))
		return SINGLE_NOT_SIMPLE;
	if (!ledger->ops->lookup(ledger, gfn, &old))
		return 0;
	if (old.level ||
	    (old.attr & (PT_LEDGER_STATE | IOMMUABS_DEVICE_ONLY)) !=
		    PT_LEDGER_MAPPED)
		return SINGLE_NOT_SIMPLE;
	place.mfn = old.out;
	if (domain_has_rmap(dom) &&
	    !rmap_has_one(&dom->abs->rmap, &dom->owner, &place))
		return SINGLE_NOT_SIMPLE;
	if (mirror &&
	    mirror->pt.ops->clear_one(&mirror->pt, gfn, &old) == PT_NO_TABLES)
		return SINGLE_NOT_SIMPLE;
	ret = domain_invalidate_one(dom, gfn);
	if (ret) {
		(void)ledger->ops->attr_one(ledger, gfn, PT_LEDGER_STATE,
					    PT_LEDGER_WITHHELD, &old);
		return ret;
	}
	if (domain_has_rmap(dom))
		rmap_release_one(&dom->abs->rmap, &place);
	(void)ledger->ops->clear_one(ledger, gfn, &old);
	return 0;
}
