/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * refresh.c - a range of the p2m changed: read it again
 *
 * The change has happened already. What can't be recorded, or must not be, leaves
 * units that walk the p2m with more than the ledger allows: those bindings are
 * blocked until a refresh of the range succeeds. Mirrors are never wrong.
 */
#include "change.h"

#define REFRESH_RUNS 16

/* Frames that only devices see are in no p2m: a refresh passes over them. */
static int remove_but_device_only(struct iommuabs_domain *dom, uint64_t gfn,
				  uint64_t end, struct batch *batch)
{
	struct pt_run run;
	uint64_t upto;
	int ret = 0;

	while (gfn < end && !ret && ledger_next(dom, gfn, end, &run)) {
		if (run.attr & IOMMUABS_DEVICE_ONLY) {
			gfn = run.in + run.nr;
			continue;
		}
		upto = run.in + run.nr;
		while (upto < end && ledger_next(dom, upto, end, &run) &&
		       !(run.attr & IOMMUABS_DEVICE_ONLY))
			upto = run.in + run.nr;
		ret = remove_run(dom, gfn, upto - gfn, batch);
		gfn = upto;
	}
	return ret;
}

int p2m_enter(struct iommuabs_domain *dom, const struct iommuabs_p2m_run *run,
	      struct batch *batch)
{
	const struct mapping map = {
		.gfn = run->gfn.frame,
		.mfn = run->mfn.frame,
		.nr = run->nr,
		.flags = run->flags | IOMMUABS_REPLACE,
	};
	uint64_t at = map.gfn, end = map.gfn + map.nr;
	struct pt_run there;

	for (; ledger_next(dom, at, end, &there); at = there.in + there.nr)
		if (there.attr & IOMMUABS_DEVICE_ONLY)
			return IOMMUABS_E_EXISTS;
	return map_run(dom, &map, batch);
}

/* Bring the ledger to the answer: what is gone first. */
static int refresh_apply(struct iommuabs_domain *dom,
			 const struct iommuabs_p2m_query *query,
			 struct batch *batch)
{
	uint64_t at = query->gfn.frame;
	uint32_t i;
	int ret = 0;

	for (i = 0; i < query->nr_runs && !ret; i++) {
		ret = remove_but_device_only(dom, at, query->runs[i].gfn.frame,
					     batch);
		at = query->runs[i].gfn.frame + query->runs[i].nr;
	}
	if (!ret)
		ret = remove_but_device_only(dom, at, query->next.frame, batch);
	for (i = 0; i < query->nr_runs && !ret; i++)
		ret = p2m_enter(dom, &query->runs[i], batch);
	return ret;
}

static int refresh_span(struct iommuabs_domain *dom, const struct span *span,
			void *call_cookie, struct batch *batch)
{
	struct iommuabs_p2m_run runs[REFRESH_RUNS];
	struct iommuabs_p2m_query query = {
		.dom_cookie = dom->cookie,
		.call_cookie = call_cookie,
		.runs = runs,
		.max_runs = REFRESH_RUNS,
	};
	uint64_t at = span->gfn, end = span->gfn + span->nr;
	int ret;

	for (; at < end; at = query.next.frame) {
		query.gfn = IOMMUABS_GFN(at);
		query.nr = end - at;
		ret = p2m_ask(dom, &query);
		if (ret)
			return ret;
		domain_enter(dom);
		/* What populate hasn't read yet it will read as it is then. */
		if (query.gfn.frame < dom->read)
			ret = refresh_apply(dom, &query, batch);
		domain_leave(dom);
		if (ret)
			return ret;
	}
	return 0;
}

/* Remember a range whose refresh failed; one of many takes in its neighbour. */
static void bad_add(struct iommuabs_domain *dom, const struct span *span)
{
	struct backend_range *last;
	uint64_t end;

	if (dom->nr_bad < DOMAIN_BAD_RANGES) {
		dom->bad[dom->nr_bad].gfn = span->gfn;
		dom->bad[dom->nr_bad].nr = span->nr;
		dom->nr_bad++;
		return;
	}
	last = &dom->bad[DOMAIN_BAD_RANGES - 1];
	end = IA_MAX(last->gfn + last->nr, span->gfn + span->nr);
	last->gfn = IA_MIN(last->gfn, span->gfn);
	last->nr = end - last->gfn;
}

/* Forget ranges that lie in @span; true if that was the last one. */
static bool bad_remove(struct iommuabs_domain *dom, const struct span *span)
{
	uint32_t i = 0, before = dom->nr_bad;

	while (i < dom->nr_bad) {
		if (dom->bad[i].gfn >= span->gfn &&
		    dom->bad[i].gfn + dom->bad[i].nr <= span->gfn + span->nr)
			dom->bad[i] = dom->bad[--dom->nr_bad];
		else
			i++;
	}
	return before && !dom->nr_bad;
}

/* Errors after which the ledger is what the p2m says, or units are fenced. */
static bool error_is_settled(int error)
{
	return !error || error == IOMMUABS_E_AGAIN ||
	       error == IOMMUABS_E_TIMEOUT || error == IOMMUABS_E_FENCED;
}

int refresh_run(struct iommuabs_domain *dom, const struct span *span,
		void *call_cookie, struct batch *batch)
{
	int ret, rewritten = 0;

	port_add32(&dom->changes, 1);
	ret = refresh_span(dom, span, call_cookie, batch);
	if (!ret && !port_load32(&dom->nr_bad))
		return 0;
	if (error_is_settled(ret) && ret)
		return ret;
	domain_enter_alone(dom);
	if (ret) {
		bad_add(dom, span);
		rewritten = attach_rewrite_shared(dom);
	} else if (bad_remove(dom, span)) {
		rewritten = attach_rewrite_shared(dom);
	}
	domain_leave_alone(dom);
	return ret ? ret : rewritten;
}
