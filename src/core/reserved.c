/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reserved.c - regions that firmware says a device must always see (C8)
 *
 * They are in before the device is let in and stay until it is out, kept singly:
 * two regions never become one, so a hole stays a hole. A region is in mirrors
 * and in the reverse map (as FOREIGN: the firmware vouches), not in the ledger;
 * or the host has mapped exactly it, and then nothing is added.
 */
#include "change.h"

bool reserved_overlap(const struct iommuabs_domain *dom, uint64_t gfn,
		      uint64_t nr)
{
	const struct reserved_place *place;

	for (place = dom->reserved; place; place = place->next)
		if (gfn < place->region.gfn.frame + place->region.nr &&
		    place->region.gfn.frame < gfn + nr)
			return true;
	return false;
}

uint64_t reserved_clear_of(const struct iommuabs_domain *dom, uint64_t gfn,
			   uint64_t nr, uint64_t *skip)
{
	const struct reserved_place *place;
	uint64_t from, to, clear = nr;

	*skip = 0;
	for (place = dom->reserved; place; place = place->next) {
		from = place->region.gfn.frame;
		to = from + place->region.nr;
		if (gfn >= from && gfn < to) {
			*skip = IA_MIN(nr, to - gfn);
			return 0;
		}
		if (from > gfn)
			clear = IA_MIN(clear, from - gfn);
	}
	return clear;
}

int reserved_enter(struct view *view, const struct reserved_place *place)
{
	const struct iommuabs_reserved *region = &place->region;
	const struct span span = { region->gfn.frame, region->nr };
	const struct mapping map = { region->gfn.frame, region->mfn.frame,
				     region->nr, region->flags };
	struct spares spares = { 0 };
	struct pt_run run = { region->gfn.frame, region->mfn.frame, region->nr,
			      region->flags };
	enum pt_status status;
	uint64_t done, end;
	int ret;

	/* A scratch domain's views have those of their own devices alone. */
	if (view->kind != VIEW_MIRROR || !region->flags || place->in_ledger ||
	    domain_is_scratch(view->dom))
		return 0;
	end = IA_BITS(view->key.input_bits - IOMMUABS_FRAME_LG2) + 1;
	if (run.in + run.nr > end)
		return IOMMUABS_E_RESERVED;
	ret = view_expresses(view, &span, &map);
	if (ret)
		return ret;
	spares_want(&spares, &view->pt,
		    view->pt.ops->count(&view->pt, run.in, run.out, run.nr));
	ret = spares_take_new(view->dom, &spares);
	if (!ret) {
		status = view->pt.ops->map(
			&view->pt, &run, spares_for(&spares, &view->pt), &done);
		iommuabs_assert(status == PT_OK);
		(void)status;
	}
	spares_put(view->dom, &spares);
	return ret;
}

bool reserved_equal(const struct iommuabs_reserved *a,
		    const struct iommuabs_reserved *b)
{
	return a->gfn.frame == b->gfn.frame && a->mfn.frame == b->mfn.frame &&
	       a->nr == b->nr && a->flags == b->flags;
}

/* What the host has there: 0 nothing, 1 exactly the region, else E_RESERVED. */
static int region_in_ledger(const struct iommuabs_domain *dom,
			    const struct iommuabs_reserved *region)
{
	uint64_t at = region->gfn.frame, end = at + region->nr;
	struct pt_run run;

	if (!ledger_next(dom, at, end, &run))
		return 0;
	for (; at < end; at += run.nr) {
		if (!region->flags || !ledger_next(dom, at, end, &run) ||
		    run.in != at ||
		    run.out != region->mfn.frame + (at - region->gfn.frame) ||
		    (run.attr & PT_LEDGER_STATE) != PT_LEDGER_MAPPED ||
		    (run.attr & region->flags) != region->flags)
			return IOMMUABS_E_RESERVED;
	}
	return 1;
}

const struct iommuabs_reserved *reserved_of(const struct iommuabs_device *dev,
					    uint32_t i)
{
	const struct iommuabs_device *of = dev;
	uint32_t k;

	for (k = 0; of && i >= of->nr_reserved; k++) {
		i -= of->nr_reserved;
		of = device_range(dev, k);
	}
	return of ? &of->reserved[i] : NULL;
}

bool reserved_all_in_ledger(const struct iommuabs_domain *dom,
			    const struct iommuabs_device *dev)
{
	const struct iommuabs_reserved *region;
	uint32_t i;

	for (i = 0; (region = reserved_of(dev, i)) != NULL; i++)
		if (region->flags && region_in_ledger(dom, region) != 1)
			return false;
	return true;
}

static void range_of(const struct iommuabs_reserved *region,
		     struct rmap_range *range)
{
	range->mfn = region->mfn.frame;
	range->gfn = region->gfn.frame;
	range->nr = region->nr;
	range->kind = RMAP_FOREIGN;
}

static bool place_is_claimed(const struct iommuabs_domain *dom,
			     const struct reserved_place *place)
{
	return domain_has_rmap(dom) && place->region.flags && !place->in_ledger;
}

/* Take a region out of every mirror: the caller invalidates. */
static void mirrors_forget(struct iommuabs_domain *dom,
			   const struct reserved_place *place)
{
	const struct pt_edit clear = { .kind = PT_EDIT_CLEAR };
	struct tablemem_pool none = { 0 };
	struct view *view;
	struct pt_run at;

	if (place->in_ledger || !place->region.flags || domain_is_scratch(dom))
		return;
	for (view = dom->views; view; view = view->next)
		if (view->kind == VIEW_MIRROR)
			(void)view->pt.ops->edit(
				&view->pt, place->region.gfn.frame,
				place->region.nr, &clear, &none, NULL, &at);
}

static void place_free(struct iommuabs_domain *dom,
		       struct reserved_place *place)
{
	tablemem_object_free(&dom->abs->mem, place, sizeof(*place));
}

static int region_add(struct iommuabs_domain *dom,
		      const struct iommuabs_reserved *region)
{
	struct reserved_place *place;
	struct rmap_range range;
	struct view *view;
	int ret;

	for (place = dom->reserved; place; place = place->next) {
		if (reserved_equal(&place->region, region)) {
			place->users++;
			return 0;
		}
	}
	if (reserved_overlap(dom, region->gfn.frame, region->nr))
		return IOMMUABS_E_RESERVED;
	ret = region_in_ledger(dom, region);
	if (ret < 0)
		return ret;
	place = tablemem_object_alloc(&dom->abs->mem, sizeof(*place));
	if (!place)
		return IOMMUABS_E_NOMEM;
	place->region = *region;
	place->users = 1;
	place->in_ledger = (uint32_t)ret;
	range_of(region, &range);
	ret = 0;
	if (region->flags && !place->in_ledger)
		ret = places_claim(dom, &range,
				   region->flags | IOMMUABS_FOREIGN);
	if (ret) {
		place_free(dom, place);
		return ret;
	}
	for (view = dom->views; view && !ret; view = view->next)
		ret = reserved_enter(view, place);
	if (ret) {
		/* No device has seen it: it wasn't in before. */
		mirrors_forget(dom, place);
		if (place_is_claimed(dom, place))
			places_release(dom, &range);
		place_free(dom, place);
		return ret;
	}
	place->next = dom->reserved;
	dom->reserved = place;
	return 0;
}

/*
 * Nobody uses the region any more. Until units have forgotten it its frames stay
 * in the reverse map: as a replaced place of the batch, like any other.
 */
static void region_remove(struct iommuabs_domain *dom,
			  const struct iommuabs_reserved *region)
{
	struct reserved_place **link = &dom->reserved, *place;
	struct rmap_range range;

	while (*link && !reserved_equal(&(*link)->region, region))
		link = &(*link)->next;
	place = *link;
	if (!place || --place->users)
		return;
	*link = place->next;
	mirrors_forget(dom, place);
	range_of(region, &range);
	if (!place_is_claimed(dom, place)) {
		place_free(dom, place);
		return;
	}
	place->next = dom->reserved_going;
	dom->reserved_going = place;
}

int reserved_add(struct iommuabs_domain *dom, const struct iommuabs_device *dev)
{
	const struct iommuabs_reserved *region;
	uint32_t i;
	int ret;

	for (i = 0; (region = reserved_of(dev, i)) != NULL; i++) {
		ret = region_add(dom, region);
		if (ret) {
			while (i--)
				region_remove(dom, reserved_of(dev, i));
			reserved_settle(dom);
			return ret;
		}
	}
	return 0;
}

void reserved_remove(struct iommuabs_domain *dom,
		     const struct iommuabs_device *dev)
{
	const struct iommuabs_reserved *region;
	uint32_t i;

	for (i = 0; (region = reserved_of(dev, i)) != NULL; i++)
		region_remove(dom, region);
}

void reserved_settle(struct iommuabs_domain *dom)
{
	struct reserved_place *place;
	struct rmap_range range;

	while ((place = dom->reserved_going)) {
		dom->reserved_going = place->next;
		range_of(&place->region, &range);
		places_release(dom, &range);
		place_free(dom, place);
	}
}
