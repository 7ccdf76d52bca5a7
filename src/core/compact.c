/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * compact.c - give memory back that a domain can do without
 *
 * Mirrors that nobody uses go as a whole. Then the ledger, and each mirror in its
 * turn, is gone through in the order of gfns: a table that is full of leaves which
 * are one makes place for that one, an empty table for nothing. Where it got to is
 * kept in the domain, so that steps are short; what changes behind it waits for
 * the next time.
 *
 * A mirror's table is freed when every unit has forgotten it. That a leaf takes its
 * place at once is for units with BBML 2, and through nT for those with 1 (SMMU
 * 3.21.1): nobody notices. With 0 only mirrors that no device uses are merged.
 */
#include "change.h"

#define STEP_TABLES 1024 /* table entries looked at with the gate held */

/* Is an attach, or a move to here, about to use a view that it has filled? */
static bool is_awaited(const struct iommuabs_domain *dom)
{
	const struct iommuabs_device *dev = dom->devices;

	while (dev && dev->state == DEVICE_ATTACHED)
		dev = dev->next_in_domain;
	return dev || dom->nr_coming;
}

/* A mirror without a binding, of which no batch or quarantine has tables. */
static bool is_unused(const struct view *view)
{
	return view->kind == VIEW_MIRROR && !view->bindings &&
	       !port_load32(&view->tables_out);
}

/* 0 | E_AGAIN. */
static int give_back(struct iommuabs_domain *dom, uint64_t *budget)
{
	/* A unit that doesn't answer may read what it was detached from. */
	bool give = dom->populate == IOMMUABS_POPULATE_LAZY &&
		    !is_awaited(dom) && !dom->owing;
	struct view *view, *next;
	int ret = 0;

	for (view = dom->views; view && !ret; view = next) {
		next = view->next;
		if (give && is_unused(view))
			view->kind = VIEW_GOING;
		if (view->kind == VIEW_GOING)
			ret = view_drop(view, budget);
	}
	return ret;
}

/* ---- merging ---- */

/* What is on its way out stays as it is: batches know its leaves. */
static int merge_ledger(struct iommuabs_domain *dom, uint64_t *budget)
{
	const struct pt *pt = &dom->ledger;
	const struct pt_merge merge = {
		.nr = (uint64_t)1 << (pt->in_bits - IOMMUABS_FRAME_LG2),
		.if_mask = PT_LEDGER_STATE,
		.if_value = PT_LEDGER_MAPPED,
	};
	uint64_t tables[16];
	struct pt_sink sink = { tables, 0, IA_COUNT(tables) };
	enum pt_status status;
	struct pt_run merged;

	do {
		status = pt->ops->merge(pt, &merge, &sink, budget,
					&dom->compact_at, &merged);
		pt_tables_free(dom, pt, &sink);
	} while (status == PT_FULL);
	return status == PT_BUDGET ? IOMMUABS_E_AGAIN : 0;
}

/* Could units forget a table of @view now? */
static bool units_answer(const struct view *view)
{
	const struct binding *binding = view->bindings;

	while (binding && unit_status(binding->unit) != IOMMUABS_UNIT_FENCED)
		binding = binding->next;
	return !binding;
}

/*
 * The tables in @sink are in the batch, which has a record for them: units forget
 * them. Then no leaf needs nT any more.
 */
static int merged_pay(struct view *view, struct batch *batch,
		      const struct pt_sink *sink, const struct pt_run *merged)
{
	const struct pt_edit plain = { .kind = PT_EDIT_ATTR };
	struct tablemem_pool none = { 0 };
	int ret;

	if (!sink->nr)
		return 0;
	batch_sunk(batch, view, sink);
	batch_add(batch, merged->in, merged->nr);
	ret = view_pay_tables(view, batch);
	batch->nr_ranges = 0;
	batch->any_level = 0;
	if (view->pt.bbml == 1)
		(void)view->pt.ops->edit(&view->pt, merged->in, merged->nr,
					 &plain, &none, NULL, NULL);
	/* One that was fenced meanwhile did not answer somebody. */
	return ret ? IOMMUABS_E_TIMEOUT : 0;
}

/* From dom->compact_at on, as far as @piece goes: what the host maps. */
static int merge_piece(struct view *view, struct batch *batch,
		       const struct span *piece, uint64_t *budget)
{
	const struct pt_merge merge = { .in = piece->gfn,
					.nr = piece->nr,
					.live = !!view->bindings };
	struct iommuabs_domain *dom = view->dom;
	struct pt_sink sink;
	enum pt_status status;
	struct pt_run merged;
	int ret;

	do {
		if (!batch_sink(batch, &sink))
			return IOMMUABS_E_NOMEM;
		status = view->pt.ops->merge(&view->pt, &merge, &sink, budget,
					     &dom->compact_at, &merged);
		ret = merged_pay(view, batch, &sink, &merged);
	} while (!ret && status == PT_FULL);
	if (!ret && status == PT_BUDGET)
		ret = IOMMUABS_E_AGAIN;
	return ret;
}

/* What devices need is not merged with what the host maps. */
static int merge_mirror(struct view *view, uint64_t *budget)
{
	struct iommuabs_domain *dom = view->dom;
	uint64_t left = view_clip(view, 0, ~(uint64_t)0), skip;
	struct span piece = { 0, 0 };
	struct batch batch;
	int ret = 0;

	if (!units_answer(view))
		return 0;
	batch_begin(&batch, dom);
	for (; left && !ret; left -= piece.nr + skip) {
		piece.nr = reserved_clear_of(dom, piece.gfn, left, &skip);
		if (dom->compact_at < piece.gfn + piece.nr) {
			dom->compact_at = IA_MAX(dom->compact_at, piece.gfn);
			ret = merge_piece(view, &batch, &piece, budget);
		}
		piece.gfn += piece.nr + skip;
	}
	batch_end(&batch);
	return ret;
}

/* The ledger is 0, then come views by their index. 0 | E_AGAIN | error. */
static int merge_step(struct iommuabs_domain *dom, uint64_t *budget)
{
	struct view *view;
	int ret = 0;

	for (; dom->compact_tree <= VIEWS_MAX; dom->compact_tree++) {
		view = NULL;
		if (dom->compact_tree)
			view = view_of_index(dom, dom->compact_tree - 1);
		if (!dom->compact_tree)
			ret = merge_ledger(dom, budget);
		else if (view && view->kind == VIEW_MIRROR && !view->scratch)
			ret = merge_mirror(view, budget);
		if (ret)
			return ret;
		dom->compact_at = 0;
	}
	dom->compact_tree = 0;
	return 0;
}

/* The gate is held alone. 0 | E_BUSY | E_AGAIN | E_NOMEM | E_TIMEOUT. */
static int compact_step(struct iommuabs_domain *dom, uint64_t *budget)
{
	int ret;

	if (dom->destroying)
		return IOMMUABS_E_BUSY;
	ret = give_back(dom, budget);
	if (!ret)
		ret = merge_step(dom, budget);
	pages_trim(dom);
	return ret;
}

int compact_run(struct iommuabs_domain *dom, uint64_t *budget)
{
	uint64_t step, left;
	int ret;

	do {
		step = left = IA_MIN(*budget, (uint64_t)STEP_TABLES);
		domain_enter_alone(dom);
		ret = compact_step(dom, &left);
		domain_leave_alone(dom);
		*budget -= step - left;
	} while (ret == IOMMUABS_E_AGAIN && *budget &&
		 !hostif_should_yield(&dom->abs->host));
	return ret;
}
