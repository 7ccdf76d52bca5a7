/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map_replace.c - put frames in the place of others: break, forget, make
 */
#include "map_request.h"

/* What a REPLACE keeps until the old frames are known to be forgotten. */
struct replacing {
	struct spares spares;
	struct replaced *old; /* one per segment of other frames */
};

static void replacing_free(struct iommuabs_domain *dom, struct replacing *rep)
{
	struct replaced *old, *next;

	spares_put(dom, &rep->spares);
	for (old = rep->old; old; old = next) {
		next = old->next;
		tablemem_object_free(&dom->abs->mem, old, sizeof(*old));
	}
	rep->old = NULL;
}

/* Want every table that the smallest leaves over the range, and cutting it out
 * of larger ones, could take. */
static void tables_bound(struct spares *spares, const struct pt *pt,
			 uint64_t gfn, uint64_t nr)
{
	uint32_t need = pt_cut_need(pt, gfn, nr), level, shift;

	for (level = 1; level <= pt->top; level++) {
		shift = (pt->granule_lg2 - 3u) * level + pt->granule_lg2 -
			IOMMUABS_FRAME_LG2;
		need += (uint32_t)(nr >> shift) + 2;
	}
	spares_want(spares, pt, need);
}

static int replacing_tables(const struct request *req, struct replacing *rep)
{
	struct iommuabs_domain *dom = req->dom;
	const struct mapping *map = req->map;
	const struct view *view;
	uint64_t nr;

	tables_bound(&rep->spares, &dom->ledger, map->gfn, map->nr);
	for (view = dom->views; view; view = view->next) {
		nr = view_clip(view, map->gfn, map->nr);
		if (nr)
			tables_bound(&rep->spares, &view->pt, map->gfn, nr);
	}
	return spares_take_new(dom, &rep->spares);
}

/* Records for the old places, whose leaves are cut where the request ends. */
static int replacing_places(const struct request *req, struct replacing *rep)
{
	struct iommuabs_domain *dom = req->dom;
	struct replaced *old;
	struct segment seg;
	int ret;

	for_each_segment(req, &seg)
	{
		if (seg.kind != SEGMENT_OTHER)
			continue;
		old = tablemem_object_alloc(&dom->abs->mem, sizeof(*old));
		if (!old)
			return IOMMUABS_E_NOMEM;
		old->next = rep->old;
		rep->old = old;
		old->range.gfn = seg.gfn;
		old->range.mfn = seg.old_mfn;
		old->range.nr = seg.nr;
		if (!domain_has_rmap(dom))
			continue;
		ret = rmap_split(&dom->abs->rmap, &dom->owner, &old->range);
		if (ret)
			return ret;
	}
	return 0;
}

/* Break: the old entries leave the mirrors, and units forget them. */
static int replacing_break(const struct request *req, struct replacing *rep)
{
	struct mirror_edit job = { .edit.kind = PT_EDIT_CLEAR,
				   .spares = &rep->spares };
	struct iommuabs_domain *dom = req->dom;
	struct batch owed;
	struct segment seg;
	uint64_t nr;
	int ret;

	for_each_segment(req, &seg)
	{
		if (seg.kind != SEGMENT_OTHER && seg.kind != SEGMENT_REFLAG)
			continue;
		/* Cuts the ledger's leaves: attr stays. */
		ledger_cut(dom, seg.gfn, seg.nr, &rep->spares);
		for (job.view = dom->views; job.view;
		     job.view = job.view->next) {
			nr = view_clip(job.view, seg.gfn, seg.nr);
			if (nr)
				(void)mirror_edit(&job, seg.gfn, nr);
		}
	}
	batch_begin(&owed, dom);
	batch_add(&owed, req->map->gfn, req->map->nr);
	owed.any_level = 1;
	ret = batch_invalidate(&owed);
	return job.error ? job.error : ret;
}

/* The break wasn't seen to complete: what was there is withheld. */
static void replacing_withhold(const struct request *req)
{
	struct segment seg;

	for_each_segment(req, &seg) if (seg.kind == SEGMENT_OTHER ||
					seg.kind == SEGMENT_REFLAG)
		ledger_mark(req->dom, seg.gfn, seg.nr, PT_LEDGER_MAPPED,
			    PT_LEDGER_WITHHELD);
}

/* Make: ledger and mirrors get the new entries. */
static void replacing_make(const struct request *req, struct replacing *rep)
{
	const struct pt_edit clear = { .kind = PT_EDIT_CLEAR };
	struct iommuabs_domain *dom = req->dom;
	struct segment seg;
	struct pt_run at;

	for_each_segment(req, &seg)
	{
		if (seg.kind == SEGMENT_SAME)
			continue;
		if (seg.kind != SEGMENT_GAP) {
			(void)dom->ledger.ops->edit(
				&dom->ledger, seg.gfn, seg.nr, &clear,
				spares_for(&rep->spares, &dom->ledger), NULL,
				&at);
			if (seg.old_attr & IOMMUABS_DEVICE_ONLY)
				port_add64(&dom->device_only, -seg.nr);
		}
		segment_enter(req, &seg, &rep->spares);
	}
}

/* A unit that walks the p2m sees the old frames until the host has written it
 * and the batch is synced; else the break above was all that was owed. */
static void replacing_owe(const struct request *req, struct replacing *rep,
			  struct batch *batch)
{
	const struct view *shared = view_find_shared(req->dom);
	struct replaced **last = &rep->old;
	struct batch now;

	if (!shared || !shared->bindings) {
		batch_begin(&now, req->dom);
		now.replaced = rep->old;
		rep->old = NULL;
		batch_settle(&now);
		/* The break is kept by a unit that caches what is absent. */
		if (req->dom->caching_bindings)
			batch_add(batch, req->map->gfn, req->map->nr);
		return;
	}
	while (*last)
		last = &(*last)->next;
	*last = batch->replaced;
	batch->replaced = rep->old;
	rep->old = NULL;
	batch_add(batch, req->map->gfn, req->map->nr);
}

int request_replace(const struct request *req, struct batch *batch)
{
	struct iommuabs_domain *dom = req->dom;
	struct replacing rep = { .old = NULL };
	int ret;

	ret = batch_room(batch, req->map->gfn, req->map->nr);
	if (ret)
		return ret;
	ret = request_claim(req);
	if (ret)
		return ret;
	ret = replacing_tables(req, &rep);
	if (!ret)
		ret = replacing_places(req, &rep);
	if (!ret) {
		ret = replacing_break(req, &rep);
		if (!ret) {
			replacing_make(req, &rep);
			replacing_owe(req, &rep, batch);
			spares_put(dom, &rep.spares);
			return 0;
		}
		request_unclaim(req, ~(uint64_t)0);
		replacing_withhold(req);
	} else {
		request_unclaim(req, ~(uint64_t)0);
	}
	replacing_free(dom, &rep);
	return ret;
}
