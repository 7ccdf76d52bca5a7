/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * populate.c - fill what was not built from the start, in steps
 *
 * A mirror is filled in the order of gfns: what lies below view.filled is kept
 * in step by every change, what lies above is taken from the ledger when the
 * fill gets there. A step has the gate alone, so no change is half seen.
 */
#include "change.h"

#define STEP_ENTRIES 1024 /* that are looked at, and written, in one step */
#define READ_RUNS    16	  /* runs asked of the host at a time */
#define READ_LOSSES  3

/* Leaf entries that @run takes in the mirror, about. */
static uint64_t run_entries(const struct view *view, const struct pt_run *run,
			    uint64_t *frames_each)
{
	uint64_t huge = pt_slot_frames(&view->pt, 1);
	bool aligned = !((run->in | run->out) & (huge - 1));

	*frames_each = aligned && run->nr >= huge && (view->key.leaf_mask & 2)
			       ? huge
			       : pt_slot_frames(&view->pt, 0);
	return run->nr / *frames_each;
}

/* Enter @run, which the mirror can express. */
static int enter_run(struct view *view, struct pt_run *run)
{
	struct iommuabs_domain *dom = view->dom;
	struct spares spares = { 0 };
	enum pt_status status;
	uint64_t done;
	int ret;

	run->attr &= IOMMUABS_READ | IOMMUABS_WRITE | IOMMUABS_MEMTYPE;
	spares_want(&spares, &view->pt,
		    view->pt.ops->count(&view->pt, run->in, run->out, run->nr));
	ret = spares_take_new(dom, &spares);
	if (!ret) {
		status = view->pt.ops->map(
			&view->pt, run, spares_for(&spares, &view->pt), &done);
		iommuabs_assert(status == PT_OK);
		(void)status;
	}
	spares_put(dom, &spares);
	return ret;
}

/*
 * Enter as much of @run as @most entries are, at least one. What is on its way out
 * is passed over. Return: 0 | an error, and nothing is entered.
 */
static int fill_run(struct view *view, struct pt_run *run, uint64_t most,
		    uint64_t *entries)
{
	const struct span span = { run->in, run->nr };
	const struct mapping map = { run->in, run->out, run->nr,
				     (uint32_t)run->attr };
	uint64_t each;
	int ret;

	*entries = 1;
	if ((run->attr & PT_LEDGER_STATE) != PT_LEDGER_MAPPED)
		return 0;
	ret = view_expresses(view, &span, &map);
	if (ret)
		return ret;
	*entries = run_entries(view, run, &each);
	*entries = IA_MIN(*entries, IA_MAX(most, 1));
	run->nr = IA_MIN(run->nr, *entries * each);
	return enter_run(view, run);
}

/*
 * Up to @end; view->filled is always the end of a granule. What was looked at and
 * what was entered are the same, as far as they go: *@left counts them once.
 */
static int fill_upto(struct view *view, uint64_t end, uint64_t *left)
{
	const uint64_t granule = pt_slot_frames(&view->pt, 0);
	struct iommuabs_domain *dom = view->dom;
	uint64_t at = view->filled, entries, look;
	struct pt_run run;
	enum pt_status status;
	int ret;

	while (at < end) {
		look = ~(uint64_t)0; /* a granule that was begun is ended */
		if (!(at & (granule - 1))) {
			view->filled = at;
			look = *left;
			if (!look)
				return IOMMUABS_E_AGAIN;
		}
		status = dom->ledger.ops->next(&dom->ledger, at, end, &look,
					       &run);
		if (status == PT_END) {
			*left = IA_MIN(*left, look);
			break;
		}
		if (status == PT_BUDGET) {
			/* The granule that begins before has nothing in it. */
			view->filled = IA_ALIGN_UP(run.in, granule);
			*left = 0;
			return IOMMUABS_E_AGAIN;
		}
		/* All of it, not only what the budget let it see. */
		(void)ledger_next(dom, run.in, end, &run);
		ret = fill_run(view, &run, *left, &entries);
		if (ret)
			return ret;
		at = run.in + run.nr;
		*left -= IA_MIN(*left, entries);
		*left = IA_MIN(*left, look);
	}
	return 0;
}

int populate_view_step(struct view *view, uint64_t *budget)
{
	uint64_t end = IA_BITS(view->key.input_bits - IOMMUABS_FRAME_LG2) + 1;
	uint64_t step = IA_MIN(*budget, STEP_ENTRIES), left = step;
	struct iommuabs_domain *dom = view->dom;
	int ret;

	end = IA_MIN(end, IA_BITS(dom->input_bits - IOMMUABS_FRAME_LG2) + 1);
	ret = fill_upto(view, end, &left);
	*budget -= step - left;
	port_add64(&dom->filled_steps, 1);
	if (ret)
		return ret;
	view->filled = VIEW_COMPLETE;
	port_dev_mb();
	return 0;
}

/* Enter what the host said about [@from, query.next); gate held alone. */
static int read_apply(struct iommuabs_domain *dom,
		      const struct iommuabs_p2m_query *query)
{
	struct batch none;
	uint32_t i;
	int ret = 0;

	batch_begin(&none, dom);
	for (i = 0; i < query->nr_runs && !ret; i++) {
		ret = p2m_enter(dom, &query->runs[i], &none);
		if (!ret)
			ret = batch_pay(&none);
	}
	return ret;
}

int p2m_ask(struct iommuabs_domain *dom, struct iommuabs_p2m_query *query)
{
	uint64_t gfn = query->gfn.frame, end = gfn + query->nr, at = gfn;
	const struct iommuabs_p2m_run *run;
	uint32_t i;
	int ret;

	query->nr_runs = 0;
	query->next = IOMMUABS_GFN(gfn);
	caller_is_outside(&dom->abs->host);
	ret = dom->abs->host.ops.p2m_walk(dom->abs->host.ctx, query);
	if (ret)
		return ret < 0 ? ret : IOMMUABS_E_INVAL;
	if (query->nr_runs > query->max_runs || query->next.frame <= gfn ||
	    query->next.frame > end)
		return IOMMUABS_E_INVAL;
	for (i = 0; i < query->nr_runs; i++) {
		run = &query->runs[i];
		if (!run->nr || run->gfn.frame < at ||
		    run->nr > query->next.frame - run->gfn.frame ||
		    !mapping_flags_good(run->flags | IOMMUABS_REPLACE) ||
		    !mapping_frames_good(run->mfn.frame, run->nr))
			return IOMMUABS_E_INVAL;
		at = run->gfn.frame + run->nr;
	}
	return 0;
}

int populate_read(struct iommuabs_domain *dom, uint64_t *budget)
{
	uint64_t end = IA_BITS(dom->input_bits - IOMMUABS_FRAME_LG2) + 1;
	struct iommuabs_p2m_run runs[READ_RUNS];
	struct iommuabs_p2m_query query = {
		.dom_cookie = dom->cookie,
		.runs = runs,
		.max_runs = READ_RUNS,
	};
	uint32_t changes, losses = 0;
	int ret;

	while (dom->read < end) {
		if (!*budget)
			return IOMMUABS_E_AGAIN;
		changes = port_load32(&dom->changes);
		query.gfn = IOMMUABS_GFN(dom->read);
		query.nr = end - dom->read;
		ret = p2m_ask(dom, &query);
		if (ret)
			return ret;
		/* Whether or not it counts: a guest's changes can't have more
		 * read than was asked for. */
		*budget -= IA_MIN(*budget, (uint64_t)query.nr_runs + 1);
		domain_enter_alone(dom);
		if (changes != port_load32(&dom->changes)) {
			domain_leave_alone(dom);
			if (++losses == READ_LOSSES)
				return IOMMUABS_E_AGAIN;
			continue;
		}
		ret = read_apply(dom, &query);
		if (!ret)
			port_store64(&dom->read, query.next.frame);
		domain_leave_alone(dom);
		if (ret)
			return ret;
	}
	if (dom->read != VIEW_COMPLETE)
		port_store64(&dom->read, VIEW_COMPLETE);
	return 0;
}

/* The first mirror that isn't complete. */
static struct view *view_lacking(struct iommuabs_domain *dom)
{
	struct view *view = dom->views;

	while (view &&
	       (view->kind != VIEW_MIRROR || view->filled == VIEW_COMPLETE))
		view = view->next;
	return view;
}

int populate_views(struct iommuabs_domain *dom, uint64_t *budget)
{
	struct view *view;
	int ret = 0;

	do {
		domain_enter_alone(dom);
		view = view_lacking(dom);
		if (view)
			ret = populate_view_step(view, budget);
		if (ret == IOMMUABS_E_GRANULE || ret == IOMMUABS_E_NOTSUP)
			view_abandon(view);
		domain_leave_alone(dom);
		if (ret == IOMMUABS_E_AGAIN && *budget &&
		    !hostif_should_yield(&dom->abs->host))
			ret = 0;
	} while (view && !ret);
	return ret;
}

int populate_run(struct iommuabs_domain *dom, struct iommuabs_device *dev,
		 uint64_t *budget)
{
	struct view *view;
	int ret = populate_read(dom, budget);

	if (ret)
		return ret;
	if (dev) {
		domain_enter_alone(dom);
		ret = attach_views(dev, dom, dom->strategy);
		for (view = dom->views; view && !ret; view = view->next)
			view->kept = 1;
		domain_leave_alone(dom);
		if (ret)
			return ret;
	}
	return populate_views(dom, budget);
}
