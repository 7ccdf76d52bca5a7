/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * remove.c - take frames or permissions away: gone, blocked or withheld
 *
 * All that can fail comes first: room in the batch, tables for the leaves that
 * the range cuts (from the host, then from the reserve), the reverse map's own
 * cuts. If even the reserve is empty, whole leaves go.
 */
#include "change.h"

struct removal {
	struct iommuabs_domain *dom;
	uint64_t gfn, nr;
	struct batch *batch;
	struct spares spares;
};

/* The first and the last run that is mapped in the range. */
static bool mapped_ends(const struct iommuabs_domain *dom, uint64_t gfn,
			uint64_t nr, struct pt_run *first, struct pt_run *last)
{
	struct pt_leaf leaf;
	uint64_t end = gfn + nr;

	if (!ledger_next(dom, gfn, end, first))
		return false;
	*last = *first;
	if (first->in + first->nr == end)
		return true;
	if (!dom->ledger.ops->lookup(&dom->ledger, end - 1, &leaf))
		return true;
	last->in = end - 1;
	last->out = leaf.out;
	last->nr = 1;
	last->attr = leaf.attr;
	return true;
}

static struct rmap_range place_of(const struct pt_run *run)
{
	return (struct rmap_range){
		.mfn = run->out,
		.gfn = run->in,
		.nr = run->nr,
	};
}

/* Where the range cuts a place of the reverse map, split that now. */
static int cut_place(struct iommuabs_domain *dom, const struct pt_run *run)
{
	const struct rmap_range place = place_of(run);

	return rmap_split(&dom->abs->rmap, &dom->owner, &place);
}

/*
 * A leaf of the reverse map may reach past either end of the range, also where
 * the ledger's leaf doesn't: both ends are looked at.
 */
static int cut_places(struct iommuabs_domain *dom, uint64_t gfn, uint64_t nr)
{
	struct pt_run first, last;
	int ret;

	if (!domain_has_rmap(dom) || !mapped_ends(dom, gfn, nr, &first, &last))
		return 0;
	ret = cut_place(dom, &first);
	if (!ret && last.in != first.in)
		ret = cut_place(dom, &last);
	return ret;
}

static void cuts_wanted(struct removal *rem)
{
	struct iommuabs_domain *dom = rem->dom;
	const struct view *view;
	uint64_t clip;

	spares_want(&rem->spares, &dom->ledger,
		    pt_cut_need(&dom->ledger, rem->gfn, rem->nr));
	for (view = dom->views; view; view = view->next) {
		clip = view_clip(view, rem->gfn, rem->nr);
		if (clip)
			spares_want(&rem->spares, &view->pt,
				    pt_cut_need(&view->pt, rem->gfn, clip));
	}
}

/* 0, E_NOMEM or E_QUOTA; then the range can't be cut out of its leaves. */
static int removal_reserve(struct removal *rem)
{
	int ret;

	cuts_wanted(rem);
	ret = spares_take(rem->dom, &rem->spares);
	if (!ret)
		ret = cut_places(rem->dom, rem->gfn, rem->nr);
	return ret;
}

/* Room for tables that get unlinked, if their record can be had. */
static void removal_sink(struct removal *rem, const struct view *view,
			 struct pt_sink *sink)
{
	sink->nr = 0;
	sink->max = 0;
	/* A shorter range covers no table whole. */
	if (rem->nr >> (view->key.granule_lg2 - 3))
		(void)batch_sink(rem->batch, sink);
}

/* Clear [@gfn, @gfn + @nr) of one mirror. An error is of units, the entries
 * are gone in any case. */
static int mirror_clear(struct removal *rem, struct view *view, uint64_t gfn,
			uint64_t nr)
{
	struct pt_sink sink;
	struct mirror_edit job = { .view = view,
				   .edit.kind = PT_EDIT_CLEAR,
				   .spares = &rem->spares };
	uint64_t end = gfn + nr;
	enum pt_status status;
	int one;

	for (;;) {
		removal_sink(rem, view, &sink);
		job.sink = sink.max ? &sink : NULL;
		status = mirror_edit(&job, gfn, end - gfn);
		batch_sunk(rem->batch, view, &sink);
		if (status != PT_FULL)
			break;
		one = batch_pay_tables(rem->batch);
		if (one && !job.error)
			job.error = one;
		gfn = job.at.in;
	}
	iommuabs_assert(status == PT_OK);
	return job.error;
}

static int mirrors_clear(struct removal *rem)
{
	uint64_t gfn, nr, clear, skip;
	struct view *view;
	int ret = 0, one;

	for (view = rem->dom->views; view; view = view->next) {
		nr = view_clip(view, rem->gfn, rem->nr);
		for (gfn = rem->gfn; nr; gfn += clear + skip) {
			clear = reserved_clear_of(rem->dom, gfn, nr, &skip);
			one = clear ? mirror_clear(rem, view, gfn, clear) : 0;
			if (one && !ret)
				ret = one;
			nr -= clear + skip;
		}
	}
	return ret;
}

/* Widen the range to the places at its ends, if these can't be cut. */
static void removal_grow_to_places(struct removal *rem)
{
	struct iommuabs_domain *dom = rem->dom;
	uint64_t end = rem->gfn + rem->nr;
	struct rmap_range place;
	struct pt_run first, last;

	if (!cut_places(dom, rem->gfn, rem->nr) ||
	    !mapped_ends(dom, rem->gfn, rem->nr, &first, &last))
		return;
	place = place_of(&last);
	rmap_grow(&dom->abs->rmap, &dom->owner, &place);
	end = IA_MAX(end, place.gfn + place.nr);
	place = place_of(&first);
	rmap_grow(&dom->abs->rmap, &dom->owner, &place);
	rem->gfn = IA_MIN(rem->gfn, place.gfn);
	rem->nr = end - rem->gfn;
}

/*
 * The last resort: leaves that the range cuts go whole. They leave the mirrors,
 * and in the ledger they are withheld, until the call is repeated with memory; or,
 * if a mirror's granule is what the range cuts, with a range that doesn't.
 */
static void removal_grow(struct removal *rem)
{
	struct iommuabs_domain *dom = rem->dom;
	const struct view *view;
	uint64_t before;

	do {
		before = rem->nr;
		pt_grow_to_leaves(&dom->ledger, &rem->gfn, &rem->nr);
		for (view = dom->views; view; view = view->next)
			if (view_clip(view, rem->gfn, rem->nr))
				pt_grow_to_leaves(&view->pt, &rem->gfn,
						  &rem->nr);
		removal_grow_to_places(rem);
	} while (rem->nr != before);
}

static int removal_drop_whole(struct removal *rem, int error)
{
	struct iommuabs_domain *dom = rem->dom;
	bool alone = dom->alone;
	struct batch own;
	int ret, paid;

	/* What grows into neighbours' ranges excludes the neighbours. */
	if (!alone) {
		domain_leave(dom);
		domain_enter_alone(dom);
	}
	removal_grow(rem);
	ledger_mark(dom, rem->gfn, rem->nr, PT_LEDGER_MAPPED,
		    PT_LEDGER_WITHHELD);
	batch_begin(&own, dom);
	batch_add(&own, rem->gfn, rem->nr);
	rem->batch = &own;
	ret = mirrors_clear(rem);
	own.any_level = 1;
	paid = batch_pay(&own);
	if (!ret)
		ret = paid;
	if (!alone) {
		domain_leave_alone(dom);
		domain_enter(dom);
	}
	hostif_log(
		&dom->abs->host, IOMMUABS_LOG_WARNING,
		"can't be taken apart: gfn %llx, %llu frames, withheld whole",
		(unsigned long long)rem->gfn, (unsigned long long)rem->nr);
	return ret ? ret
		   : (error == IOMMUABS_E_QUOTA ? IOMMUABS_E_NOMEM : error);
}

/* Does the ledger map a frame of a region that a device needs? */
static bool reserved_in_use(const struct iommuabs_domain *dom, uint64_t gfn,
			    uint64_t nr)
{
	const struct reserved_place *place;
	uint64_t from, to;
	struct pt_run run;

	for (place = dom->reserved; place; place = place->next) {
		from = IA_MAX(gfn, place->region.gfn.frame);
		to = IA_MIN(gfn + nr,
			    place->region.gfn.frame + place->region.nr);
		if (ledger_next(dom, from, to, &run))
			return true;
	}
	return false;
}

/*
 * All that can fail. 0: the leaves that the range cuts are cut; anything else,
 * REMOVAL_NOTHING among it, ends the call.
 */
#define REMOVAL_NOTHING 1

static int removal_prepare(struct removal *rem)
{
	const struct span span = { rem->gfn, rem->nr };
	struct iommuabs_domain *dom = rem->dom;
	struct pt_run run;
	int ret;

	if (!ledger_next(dom, rem->gfn, rem->gfn + rem->nr, &run))
		return REMOVAL_NOTHING;
	if (dom->reserved && reserved_in_use(dom, rem->gfn, rem->nr))
		return IOMMUABS_E_RESERVED;
	ret = batch_room(rem->batch, rem->gfn, rem->nr);
	if (ret)
		return ret;
	ret = views_express(dom, &span, NULL);
	if (!ret)
		ret = removal_reserve(rem);
	if (ret) {
		ret = removal_drop_whole(rem, ret);
		spares_put(dom, &rem->spares);
		return ret;
	}
	if (pt_cut_need(&dom->ledger, rem->gfn, rem->nr))
		ledger_cut(dom, rem->gfn, rem->nr, &rem->spares);
	return 0;
}

int remove_run(struct iommuabs_domain *dom, uint64_t gfn, uint64_t nr,
	       struct batch *batch)
{
	struct removal rem = {
		.dom = dom, .gfn = gfn, .nr = nr, .batch = batch
	};
	int ret = removal_prepare(&rem);

	if (ret)
		return ret == REMOVAL_NOTHING ? 0 : ret;
	/* What an earlier call could only drop whole is finished here. */
	if (!dom->owing)
		ledger_mark(dom, gfn, nr, PT_LEDGER_WITHHELD,
			    PT_LEDGER_UNSYNCED);
	ledger_mark(dom, gfn, nr, PT_LEDGER_MAPPED, PT_LEDGER_UNSYNCED);
	batch_add(batch, gfn, nr);
	ret = mirrors_clear(&rem);
	spares_put(dom, &rem.spares);
	if (!batch_owes(dom) || ret) {
		/* Nobody to wait for; or the debt is the domain's now. */
		if (batch_pay(batch) && !ret)
			ret = IOMMUABS_E_FENCED;
	}
	return ret;
}

void removal_failed(struct batch *batch, uint64_t gfn, uint64_t nr)
{
	ledger_mark(batch->dom, gfn, nr, PT_LEDGER_MAPPED, PT_LEDGER_UNSYNCED);
	(void)batch_pay(batch);
}

/*
 * The ledger needs no marks: whoever looks meanwhile finds the frames there, or
 * gone. Only if a unit doesn't say that it forgot them they are marked.
 */
static int removal_pay(struct removal *rem)
{
	struct iommuabs_domain *dom = rem->dom;
	struct batch *batch = rem->batch;
	int ret = mirrors_clear(rem);

	batch_add(batch, rem->gfn, rem->nr);
	if (!ret)
		ret = batch_invalidate(batch);
	if (ret) {
		removal_failed(batch, rem->gfn, rem->nr);
		return ret;
	}
	ledger_settle(dom, rem->gfn, rem->nr, LEDGER_ANY);
	batch_settle_tables(batch);
	return 0;
}

static int remove_now(struct iommuabs_domain *dom, uint64_t gfn, uint64_t nr)
{
	struct batch own;
	struct removal rem = {
		.dom = dom, .gfn = gfn, .nr = nr, .batch = &own
	};
	int ret, paid;

	batch_begin(&own, dom);
	if (dom->owing) {
		ret = remove_run(dom, gfn, nr, &own);
		paid = batch_pay(&own);
		return ret ? ret : paid;
	}
	ret = removal_prepare(&rem);
	if (ret)
		return ret == REMOVAL_NOTHING ? 0 : ret;
	ret = removal_pay(&rem);
	spares_put(dom, &rem.spares);
	batch_end(&own);
	return ret;
}

int remove_asked(struct iommuabs_domain *dom, const struct span *span,
		 struct batch *batch)
{
	int ret = views_express(dom, span, NULL);

	if (ret)
		return ret;
	return batch ? remove_run(dom, span->gfn, span->nr, batch)
		     : remove_now(dom, span->gfn, span->nr);
}

/* Is all of the range mapped, and some of it with other permissions? */
static int protect_survey(const struct iommuabs_domain *dom,
			  const struct mapping *map, bool *differs)
{
	uint64_t at = map->gfn, end = map->gfn + map->nr;
	const uint64_t rw = IOMMUABS_READ | IOMMUABS_WRITE;
	struct pt_run run;

	*differs = false;
	while (at < end) {
		if (!ledger_next(dom, at, end, &run) || run.in != at ||
		    (run.attr & PT_LEDGER_STATE) != PT_LEDGER_MAPPED)
			return IOMMUABS_E_NOENT;
		if ((run.attr & rw) != map->flags)
			*differs = true;
		at += run.nr;
	}
	return 0;
}

/* 0, or the error of a unit in which a leaf was broken. */
static int protect_edit(struct removal *rem, uint32_t flags)
{
	struct mirror_edit job = {
		.edit.kind = PT_EDIT_ATTR,
		.edit.clear = IOMMUABS_READ | IOMMUABS_WRITE,
		.edit.set = flags,
		.spares = &rem->spares,
	};
	const struct iommuabs_domain *dom = rem->dom;
	struct pt_run at;
	uint64_t nr;

	(void)dom->ledger.ops->edit(&dom->ledger, rem->gfn, rem->nr, &job.edit,
				    spares_for(&rem->spares, &dom->ledger),
				    NULL, &at);
	for (job.view = dom->views; job.view; job.view = job.view->next) {
		nr = view_clip(job.view, rem->gfn, rem->nr);
		if (nr)
			(void)mirror_edit(&job, rem->gfn, nr);
	}
	return job.error;
}

int protect_run(struct iommuabs_domain *dom, const struct mapping *map,
		struct batch *batch)
{
	struct removal rem = {
		.dom = dom, .gfn = map->gfn, .nr = map->nr, .batch = batch
	};
	const struct span span = { map->gfn, map->nr };
	bool differs;
	int ret;

	ret = views_express(dom, &span, map);
	if (!ret)
		ret = protect_survey(dom, map, &differs);
	if (ret || !differs)
		return ret;
	if (dom->reserved && reserved_overlap(dom, map->gfn, map->nr))
		return IOMMUABS_E_RESERVED;
	ret = batch_room(batch, map->gfn, map->nr);
	if (ret)
		return ret;
	ret = removal_reserve(&rem);
	if (ret) {
		ret = removal_drop_whole(&rem, ret);
	} else {
		ret = protect_edit(&rem, map->flags);
		if (batch_owes(dom))
			batch_add(batch, map->gfn, map->nr);
	}
	spares_put(dom, &rem.spares);
	return ret;
}
