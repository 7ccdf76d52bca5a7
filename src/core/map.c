/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map.c - make frames visible: reserve all that can fail, then commit
 */
#include "map_request.h"

/*
 * A table in the place of one that was unlinked: units may hold on to the old
 * one, and find nothing in it, until that is invalidated.
 */
static int forget_unlinked(struct iommuabs_domain *dom)
{
	const struct view *view;

	for (view = dom->views; view; view = view->next)
		if (port_load32(&view->tables_out))
			return domain_invalidate_all(dom);
	return 0;
}

static int request_enter_new(const struct request *req)
{
	struct spares spares = { 0 };
	struct segment seg;
	int ret = request_claim(req);

	if (ret)
		return ret;
	ret = request_tables(req, &spares);
	if (!ret && spares_nr(&spares))
		ret = forget_unlinked(req->dom);
	if (ret) {
		request_unclaim(req, ~(uint64_t)0);
		spares_put(req->dom, &spares);
		return ret;
	}
	for_each_segment(req, &seg) if (seg.kind == SEGMENT_GAP)
		segment_enter(req, &seg, &spares);
	spares_put(req->dom, &spares);
	return 0;
}

/* Can mirrors express all runs of the request? 0 | E_GRANULE | E_NOTSUP. */
static int request_expressed(const struct request *req)
{
	struct mapping run = *req->map;
	uint64_t end = run.gfn + run.nr;
	struct span span;
	int ret = 0;

	for (; !ret && run.gfn < end && req->dom->views; run.gfn += run.nr) {
		run.nr = request_run(req, run.gfn, &run.mfn);
		span.gfn = run.gfn;
		span.nr = run.nr;
		ret = views_express(req->dom, &span, &run);
	}
	return ret;
}

/*
 * New entries, which a unit that caches what is absent is told of when the batch
 * is synced: by then the host has written its p2m, too.
 */
static int request_add(const struct request *req, struct batch *batch)
{
	struct iommuabs_domain *dom = req->dom;
	const struct mapping *map = req->map;
	int ret = 0;

	if (dom->caching_bindings)
		ret = batch_room(batch, map->gfn, map->nr);
	if (!ret)
		ret = request_enter_new(req);
	if (!ret && dom->caching_bindings)
		batch_add(batch, map->gfn, map->nr);
	return ret;
}

/* Does a unit that @dom is bound to keep some of it? */
static bool is_kept(const struct iommuabs_domain *dom,
		    const struct mapping *map)
{
	const struct backend_range *kept;
	const struct binding *binding;
	const struct view *view;

	if (!dom->keeping_bindings)
		return false;
	for (view = dom->views; view; view = view->next) {
		for (binding = view->bindings; binding;
		     binding = binding->next) {
			kept = &binding->unit->hw.caps.kept;
			if (kept->nr && map->gfn < kept->gfn + kept->nr &&
			    map->gfn + map->nr > kept->gfn)
				return true;
		}
	}
	return false;
}

static int request_run_all(const struct request *req, struct batch *batch)
{
	struct iommuabs_domain *dom = req->dom;
	const struct mapping *map = req->map;
	const struct view *shared = view_find_shared(dom);
	bool new_, old;
	int ret;

	ret = request_expressed(req);
	if (ret)
		return ret;
	if (dom->reserved && reserved_overlap(dom, map->gfn, map->nr))
		return IOMMUABS_E_RESERVED;
	if (is_kept(dom, map))
		return IOMMUABS_E_RESERVED;
	if ((map->flags & IOMMUABS_DEVICE_ONLY) && shared && shared->bindings)
		return IOMMUABS_E_NOSHARE;
	ret = request_survey(req, &new_, &old);
	if (ret)
		return ret;
	if (old)
		ret = request_replace(req, batch);
	else if (new_)
		ret = request_add(req, batch);
	if (!ret)
		views_publish(dom);
	return ret;
}

int map_run(struct iommuabs_domain *dom, const struct mapping *map,
	    struct batch *batch)
{
	const struct request req = { dom, map, NULL };

	return request_run_all(&req, batch);
}

/* Make the later release of what is there already need no memory. */
static int fixed_split(const struct request *req)
{
	struct iommuabs_domain *dom = req->dom;
	struct rmap_range place;
	struct segment seg;
	int ret = 0;

	for_each_segment(req, &seg)
	{
		if (ret || seg.kind != SEGMENT_SAME)
			continue;
		segment_place(&seg, &place);
		ret = rmap_split(&dom->abs->rmap, &dom->owner, &place);
	}
	return ret;
}

int map_fixed_reserve(struct iommuabs_domain *dom, const struct mapping *map,
		      struct spares *spares)
{
	const struct request req = { dom, map, NULL };
	bool new_, old;
	int ret;

	ret = request_expressed(&req);
	if (!ret &&
	    (reserved_overlap(dom, map->gfn, map->nr) || is_kept(dom, map)))
		ret = IOMMUABS_E_RESERVED;
	if (!ret)
		ret = request_survey(&req, &new_, &old);
	if (!ret)
		ret = fixed_split(&req);
	if (!ret)
		ret = request_tables(&req, spares);
	if (!ret && spares_nr(spares))
		ret = forget_unlinked(dom);
	return ret;
}

void map_fixed_enter(struct iommuabs_domain *dom, const struct mapping *map,
		     struct spares *spares)
{
	const struct request req = { dom, map, NULL };
	struct rmap_range place;
	struct segment seg;
	struct batch own;

	for_each_segment(&req, &seg)
	{
		if (seg.kind == SEGMENT_GAP) {
			segment_enter(&req, &seg, spares);
			continue;
		}
		segment_place(&seg, &place);
		places_release(dom, &place);
	}
	spares_put(dom, spares);
	views_publish(dom);
	if (!dom->caching_bindings)
		return;
	/* A unit that doesn't answer is fenced, and recovers without a cache. */
	batch_begin(&own, dom);
	batch_add(&own, map->gfn, map->nr);
	(void)batch_pay(&own);
}

int map_list(struct iommuabs_domain *dom, const struct mapping *map,
	     const iommuabs_mfn_t mfns[], struct batch *batch)
{
	const struct request req = { dom, map, mfns };

	return request_run_all(&req, batch);
}
