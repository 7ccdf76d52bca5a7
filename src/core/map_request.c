/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map_request.c - a request's segments: what is there, whose it is, what it takes
 */
#include "map_request.h"

uint64_t request_run(const struct request *req, uint64_t gfn, uint64_t *mfn)
{
	uint64_t left = req->map->gfn + req->map->nr - gfn, nr = 1;
	const iommuabs_mfn_t *mfns;

	if (!req->mfns) {
		*mfn = req->map->mfn + (gfn - req->map->gfn);
		return left;
	}
	mfns = req->mfns + (gfn - req->map->gfn);
	*mfn = mfns[0].frame;
	while (nr < left && mfns[nr].frame == mfns[0].frame + nr)
		nr++;
	return nr;
}

static enum segment_kind segment_kind(const struct segment *seg, uint32_t flags)
{
	if ((seg->old_attr & PT_LEDGER_STATE) != PT_LEDGER_MAPPED)
		return SEGMENT_GOING;
	if (seg->old_mfn != seg->mfn)
		return SEGMENT_OTHER;
	if ((seg->old_attr & PT_LEDGER_FLAGS) == (flags & PT_LEDGER_FLAGS))
		return SEGMENT_SAME;
	return SEGMENT_REFLAG;
}

bool segment_at(const struct request *req, uint64_t gfn, struct segment *seg)
{
	uint64_t end = req->map->gfn + req->map->nr;
	struct pt_run run;

	if (gfn >= end)
		return false;
	seg->gfn = gfn;
	seg->nr = request_run(req, gfn, &seg->mfn);
	seg->kind = SEGMENT_GAP;
	if (!ledger_next(req->dom, gfn, gfn + seg->nr, &run))
		return true;
	if (run.in > gfn) {
		seg->nr = run.in - gfn;
		return true;
	}
	seg->nr = run.nr;
	seg->old_mfn = run.out;
	seg->old_attr = run.attr;
	seg->kind = segment_kind(seg, req->map->flags);
	return true;
}

/* Cut @seg out of the leaves, and places, that it is a part of. */
static int cut_going(struct iommuabs_domain *dom, const struct segment *seg)
{
	const struct rmap_range place = {
		.mfn = seg->old_mfn,
		.gfn = seg->gfn,
		.nr = seg->nr,
	};
	struct spares spares = { 0 };
	int ret;

	spares_want(&spares, &dom->ledger,
		    pt_cut_need(&dom->ledger, seg->gfn, seg->nr));
	ret = spares_take_new(dom, &spares);
	if (!ret && domain_has_rmap(dom))
		ret = rmap_split(&dom->abs->rmap, &dom->owner, &place);
	if (!ret)
		ledger_cut(dom, seg->gfn, seg->nr, &spares);
	spares_put(dom, &spares);
	return ret;
}

/* The span of what is on its way out can be entered again once it is gone. */
static int settle_going(struct iommuabs_domain *dom, const struct segment *seg)
{
	bool withheld = (seg->old_attr & PT_LEDGER_STATE) == PT_LEDGER_WITHHELD;
	int ret;

	if (withheld && dom->owing)
		return IOMMUABS_E_FENCED;
	ret = cut_going(dom, seg);
	if (ret)
		return ret;
	ret = domain_invalidate_all(dom);
	if (ret) {
		ledger_mark(dom, seg->gfn, seg->nr, PT_LEDGER_UNSYNCED,
			    PT_LEDGER_WITHHELD);
		return ret;
	}
	ledger_settle(dom, seg->gfn, seg->nr, seg->old_attr & PT_LEDGER_STATE);
	return 0;
}

int request_survey(const struct request *req, bool *new_, bool *old)
{
	struct segment seg;
	int ret;

	*new_ = *old = false;
	for_each_segment(req, &seg)
	{
		if (seg.kind == SEGMENT_GOING) {
			ret = settle_going(req->dom, &seg);
			if (ret)
				return ret;
			seg.nr = 0; /* look again */
			continue;
		}
		if (seg.kind == SEGMENT_GAP)
			*new_ = true;
		if (seg.kind != SEGMENT_REFLAG && seg.kind != SEGMENT_OTHER)
			continue;
		if (!(req->map->flags & IOMMUABS_REPLACE))
			return IOMMUABS_E_EXISTS;
		if (seg.kind == SEGMENT_OTHER && !req->dom->owner.host &&
		    frames_any_fixed(req->dom->abs, seg.old_mfn, seg.nr))
			return IOMMUABS_E_EXISTS;
		if (seg.kind == SEGMENT_REFLAG &&
		    ((seg.old_attr ^ req->map->flags) & IOMMUABS_FOREIGN))
			return IOMMUABS_E_EXISTS;
		*old = true;
	}
	return 0;
}

static bool segment_is_claimed(const struct segment *seg)
{
	return seg->kind == SEGMENT_GAP || seg->kind == SEGMENT_OTHER;
}

void request_unclaim(const struct request *req, uint64_t end)
{
	struct rmap_range place;
	struct segment seg;

	if (!domain_has_rmap(req->dom))
		return;
	for_each_segment(req, &seg)
	{
		if (seg.gfn >= end)
			return;
		if (!segment_is_claimed(&seg))
			continue;
		segment_place(&seg, &place);
		places_release(req->dom, &place);
	}
}

int request_claim(const struct request *req)
{
	struct iommuabs_domain *dom = req->dom;
	struct rmap_range place;
	struct segment seg;
	int ret = 0;

	for_each_segment(req, &seg)
	{
		if (!segment_is_claimed(&seg))
			continue;
		segment_place(&seg, &place);
		ret = places_claim(dom, &place, req->map->flags);
		if (ret) {
			request_unclaim(req, seg.gfn);
			return ret;
		}
	}
	return 0;
}

static uint32_t tables_for(const struct request *req, const struct pt *pt,
			   const struct segment *seg, uint64_t nr)
{
	/* A list's runs may meet in one missing table: count it once. */
	if (req->mfns)
		return pt->ops->count(pt, seg->gfn, PT_OUT_SCATTERED, nr);
	return pt->ops->count(pt, seg->gfn, seg->mfn, nr);
}

/* Want the tables that entering @seg takes, in the ledger and every mirror. */
static void segment_tables(const struct request *req, const struct segment *seg,
			   struct spares *spares)
{
	struct iommuabs_domain *dom = req->dom;
	const struct view *view;
	uint64_t nr;

	spares_want(spares, &dom->ledger,
		    tables_for(req, &dom->ledger, seg, seg->nr));
	for (view = dom->views; view; view = view->next) {
		nr = view_clip(view, seg->gfn, seg->nr);
		if (nr)
			spares_want(spares, &view->pt,
				    tables_for(req, &view->pt, seg, nr));
	}
}

int request_tables(const struct request *req, struct spares *spares)
{
	struct segment seg, whole = { 0 };

	if (req->mfns) {
		whole.gfn = req->map->gfn;
		whole.nr = req->map->nr;
		segment_tables(req, &whole, spares);
	} else {
		for_each_segment(req, &seg) if (seg.kind == SEGMENT_GAP)
			segment_tables(req, &seg, spares);
	}
	return spares_take_new(req->dom, spares);
}

static void pt_enter(const struct pt *pt, const struct pt_run *run,
		     struct spares *spares)
{
	enum pt_status status;
	uint64_t done;

	status = pt->ops->map(pt, run, spares_for(spares, pt), &done);
	iommuabs_assert(status == PT_OK);
	(void)status;
}

void segment_enter(const struct request *req, const struct segment *seg,
		   struct spares *spares)
{
	struct iommuabs_domain *dom = req->dom;
	struct pt_run run = { seg->gfn, seg->mfn, seg->nr,
			      req->map->flags & PT_LEDGER_FLAGS };
	const struct view *view;

	pt_enter(&dom->ledger, &run, spares);
	if (req->map->flags & IOMMUABS_DEVICE_ONLY)
		port_add64(&dom->device_only, seg->nr);
	run.attr &= IOMMUABS_READ | IOMMUABS_WRITE | IOMMUABS_MEMTYPE;
	for (view = dom->views; view; view = view->next) {
		run.nr = view_clip(view, seg->gfn, seg->nr);
		if (run.nr)
			pt_enter(&view->pt, &run, spares);
	}
}
