/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map.c - make frames visible: reserve all that can fail, then commit
 *
 * A request is looked at in segments: stretches where the new frames are
 * consecutive and the ledger says one thing. New places are claimed in the
 * reverse map first (that is where a frame of somebody else is refused), then
 * tables are taken; entering them can't fail.
 */
#include "change.h"

enum segment_kind {
	SEGMENT_GAP,	/* nothing is there */
	SEGMENT_SAME,	/* exactly this mapping is there */
	SEGMENT_REFLAG, /* the same frames with other flags */
	SEGMENT_OTHER,	/* other frames */
	SEGMENT_GOING,	/* unsynced or withheld */
};

struct segment {
	enum segment_kind kind;
	uint64_t gfn, mfn, nr;	    /* as requested */
	uint64_t old_mfn, old_attr; /* unless GAP */
};

/* What is asked: consecutive frames, or a list. */
struct request {
	struct iommuabs_domain *dom;
	const struct mapping *map;
	const iommuabs_mfn_t *mfns; /* NULL: consecutive from map->mfn */
};

/* Frames from @gfn on that are consecutive in the request. */
static uint64_t request_run(const struct request *req, uint64_t gfn,
			    uint64_t *mfn)
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

/* The segment that begins at @gfn; false past the request's end. */
static bool segment_at(const struct request *req, uint64_t gfn,
		       struct segment *seg)
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

#define for_each_segment(req, seg)                        \
	for ((seg)->gfn = (req)->map->gfn, (seg)->nr = 0; \
	     segment_at((req), (seg)->gfn + (seg)->nr, (seg));)

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

/* May the request be entered over what is there? @old: it replaces something. */
static int request_survey(const struct request *req, bool *new_, bool *old)
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

static void place_of(const struct segment *seg, struct rmap_range *place)
{
	place->mfn = seg->mfn;
	place->gfn = seg->gfn;
	place->nr = seg->nr;
	place->kind = RMAP_OWNING;
}

/* Undo claims below @end. Their leaves are this call's own: nothing is cut. */
static void request_unclaim(const struct request *req, uint64_t end)
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
		place_of(&seg, &place);
		places_release(req->dom, &place);
	}
}

/* Claim all new places, or none. */
static int request_claim(const struct request *req)
{
	struct iommuabs_domain *dom = req->dom;
	struct rmap_range place;
	struct segment seg;
	int ret = 0;

	for_each_segment(req, &seg)
	{
		if (!segment_is_claimed(&seg))
			continue;
		place_of(&seg, &place);
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

static int request_tables(const struct request *req, struct spares *spares)
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

/* Enter @seg in the ledger and in every mirror: can't fail. */
static void segment_enter(const struct request *req, const struct segment *seg,
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

static int request_replace(const struct request *req, struct batch *batch)
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

static bool is_messages(const struct mapping *map)
{
	return map->gfn < MESSAGES_GFN + MESSAGES_NR &&
	       map->gfn + map->nr > MESSAGES_GFN;
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
	if (dom->message_bindings && is_messages(map))
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
		place_of(&seg, &place);
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
	if (!ret && (reserved_overlap(dom, map->gfn, map->nr) ||
		     (dom->message_bindings && is_messages(map))))
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
		place_of(&seg, &place);
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
