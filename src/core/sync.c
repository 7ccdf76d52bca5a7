/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sync.c - a batch: what a series of changes owes the hardware
 *
 * Frames that were taken away stay in the ledger, marked unsynced, and in the
 * reverse map until every unit that could see them has forgotten them. Paying is
 * to invalidate in every binding, then to settle: ledger entries and places go,
 * unlinked tables are freed. If a unit doesn't complete, everything is withheld
 * instead, and the unit is fenced.
 */
#include "change.h"

void batch_begin(struct batch *batch, struct iommuabs_domain *dom)
{
	/* Ranges and tables are counted: their words need no clearing. */
	batch->dom = dom;
	batch->magic = BATCH_MAGIC;
	batch->nr_ranges = 0;
	batch->nr_tables = 0;
	batch->any_level = 0;
	batch->replaced = NULL;
	batch->spare = NULL;
}

/* Can the span join @range? */
static bool range_joins(const struct backend_range *range, uint64_t gfn,
			uint64_t nr)
{
	return gfn <= range->gfn + range->nr && range->gfn <= gfn + nr;
}

int batch_room(const struct batch *batch, uint64_t gfn, uint64_t nr)
{
	uint32_t n = batch->nr_ranges;

	if (n < BATCH_RANGES)
		return 0;
	return range_joins(&batch->ranges[n - 1], gfn, nr) ? 0
							   : IOMMUABS_E_AGAIN;
}

void batch_add(struct batch *batch, uint64_t gfn, uint64_t nr)
{
	uint32_t n = batch->nr_ranges;
	struct backend_range *last = n ? &batch->ranges[n - 1] : NULL;
	uint64_t end;

	if (last && range_joins(last, gfn, nr)) {
		end = IA_MAX(last->gfn + last->nr, gfn + nr);
		last->gfn = IA_MIN(last->gfn, gfn);
		last->nr = end - last->gfn;
		return;
	}
	iommuabs_assert(n < BATCH_RANGES);
	batch->ranges[n].gfn = gfn;
	batch->ranges[n].nr = nr;
	batch->nr_ranges++;
}

bool batch_owes(const struct iommuabs_domain *dom)
{
	const struct view *view;

	for (view = dom->views; view; view = view->next)
		if (view->bindings)
			return true;
	return false;
}

/* What all bindings are to forget: ranges (nr 0: everything). */
struct forget {
	const struct backend_range *ranges;
	uint32_t nr;
	uint32_t any_level; /* also of mirrors */
};

static void binding_owes(struct binding *binding)
{
	struct iommuabs_domain *dom = binding->view->dom;

	port_store32(&binding->stale, 1);
	ia_lock(&dom->abs->host, &dom->lock);
	debt_note(dom, binding->unit);
	ia_unlock(&dom->abs->host, &dom->lock);
}

static inline int binding_forget(struct binding *binding,
				 const struct forget *forget)
{
	const struct backend_inv inv = {
		.id = binding->table.id,
		.ranges = forget->ranges,
		.nr = forget->nr,
		.any_level =
			binding->view->kind == VIEW_SHARED || forget->any_level,
		.granule_lg2 = binding->table.granule_lg2,
	};
	struct iommuabs_domain *dom = binding->view->dom;
	int ret = unit_invalidate(binding->unit, &inv);

	port_add64(ret ? &dom->failed : &dom->invalidated, 1);
	if (ret)
		binding_owes(binding);
	return ret;
}

static inline int invalidate_view(const struct view *view,
				  const struct forget *forget)
{
	struct binding *binding;
	int ret = 0, one;

	for (binding = view->bindings; binding; binding = binding->next) {
		one = binding_forget(binding, forget);
		if (one && ret != IOMMUABS_E_TIMEOUT)
			ret = one;
	}
	return ret;
}

static int invalidate_views(struct iommuabs_domain *dom,
			    const struct forget *forget)
{
	const struct view *view;
	int ret = 0, one;

	for (view = dom->views; view; view = view->next) {
		one = invalidate_view(view, forget);
		if (one && ret != IOMMUABS_E_TIMEOUT)
			ret = one;
	}
	return ret;
}

int binding_invalidate(struct binding *binding)
{
	const struct forget forget = { NULL, 0, 0 };

	return binding_forget(binding, &forget);
}

int view_forget(struct view *view, uint64_t gfn, uint64_t nr)
{
	const struct backend_range range = { gfn, nr };
	const struct forget forget = { &range, 1, 1 };

	return invalidate_view(view, &forget);
}

int batch_invalidate(const struct batch *batch)
{
	const struct forget forget = { batch->ranges, batch->nr_ranges,
				       batch->any_level };

	return invalidate_views(batch->dom, &forget);
}

int domain_invalidate_all(struct iommuabs_domain *dom)
{
	const struct forget forget = { NULL, 0, 0 };

	return invalidate_views(dom, &forget);
}

int domain_invalidate_one(struct iommuabs_domain *dom, uint64_t gfn)
{
	const struct backend_range range = { gfn, 1 };
	const struct forget forget = { &range, 1, 0 };

	return invalidate_views(dom, &forget);
}

void pt_tables_free(struct iommuabs_domain *dom, const struct pt *pt,
		    struct pt_sink *sink)
{
	uint64_t budget = ~(uint64_t)0;
	uint32_t i;

	if (!sink->nr)
		return;
	/* Queries may be reading what was just unlinked. */
	domain_quiesce(dom);
	for (i = 0; i < sink->nr; i++)
		pt_free_tables(pt, sink->tables[i], &dom->abs->mem,
			       &dom->account, &budget);
	sink->nr = 0;
	domain_resume(dom);
}

/* Take the ledger's entries of the span with this state out. */
static void ledger_clear(struct iommuabs_domain *dom, uint64_t gfn, uint64_t nr,
			 uint64_t state)
{
	const struct pt_edit edit = {
		.kind = PT_EDIT_CLEAR,
		.if_mask = state == LEDGER_ANY ? 0 : PT_LEDGER_STATE,
		.if_value = state == LEDGER_ANY ? 0 : state,
	};
	struct tablemem_pool none = { 0 };
	uint64_t tables[16], end = gfn + nr;
	struct pt_sink sink = { tables, 0, IA_COUNT(tables) };
	struct pt_run at;
	enum pt_status status;

	do {
		status = dom->ledger.ops->edit(&dom->ledger, gfn, end - gfn,
					       &edit, &none, &sink, &at);
		iommuabs_assert(status == PT_OK || status == PT_FULL);
		pt_tables_free(dom, &dom->ledger, &sink);
		gfn = at.in;
	} while (status == PT_FULL);
}

/* Release the places of the span's runs with this state; false: none has it. */
static bool places_settle(struct iommuabs_domain *dom, uint64_t gfn,
			  uint64_t nr, uint64_t state)
{
	struct rmap_range places = { 0 };
	uint64_t at = gfn, end = gfn + nr;
	struct pt_run run;
	bool any = false;

	/*
	 * Runs that follow each other in both spaces are released together:
	 * leaves of the reverse map may be larger than those of the ledger.
	 */
	for (; ledger_next(dom, at, end, &run); at = run.in + run.nr) {
		if (state != LEDGER_ANY &&
		    (run.attr & PT_LEDGER_STATE) != state)
			continue;
		any = true;
		if (run.attr & IOMMUABS_DEVICE_ONLY)
			port_add64(&dom->device_only, -run.nr);
		if (places.nr && places.gfn + places.nr == run.in &&
		    places.mfn + places.nr == run.out) {
			places.nr += run.nr;
			continue;
		}
		places_release(dom, &places);
		places.mfn = run.out;
		places.gfn = run.in;
		places.nr = run.nr;
	}
	places_release(dom, &places);
	return any;
}

void ledger_settle(struct iommuabs_domain *dom, uint64_t gfn, uint64_t nr,
		   uint64_t state)
{
	/* Where nobody keeps places there is nothing to be read. */
	bool unread = state == LEDGER_ANY && !domain_has_rmap(dom) &&
		      !port_load64(&dom->device_only);

	if (unread || places_settle(dom, gfn, nr, state))
		ledger_clear(dom, gfn, nr, state);
}

static void free_unlinked(struct iommuabs_domain *dom, const uint64_t tables[],
			  uint32_t nr)
{
	uint64_t budget = ~(uint64_t)0;
	struct view *view;
	uint32_t i;

	if (!nr)
		return;
	domain_quiesce(dom);
	for (i = 0; i < nr; i++) {
		view = view_of_index(dom,
				     (uint32_t)((tables[i] & BATCH_VIEW_MASK) >>
						BATCH_VIEW_SHIFT));
		pt_free_tables(&view->pt, tables[i] & ~BATCH_VIEW_MASK,
			       &dom->abs->mem, &dom->account, &budget);
		port_add32(&view->tables_out, (uint32_t)-1);
	}
	domain_resume(dom);
}

static void replaced_free(struct iommuabs_domain *dom, struct replaced *gone)
{
	struct replaced *next;

	for (; gone; gone = next) {
		next = gone->next;
		places_release(dom, &gone->range);
		tablemem_object_free(&dom->abs->mem, gone, sizeof(*gone));
	}
}

void batch_settle(struct batch *batch)
{
	struct iommuabs_domain *dom = batch->dom;
	uint32_t i;

	free_unlinked(dom, batch->tables, batch->nr_tables);
	for (i = 0; i < batch->nr_ranges; i++)
		ledger_settle(dom, batch->ranges[i].gfn, batch->ranges[i].nr,
			      PT_LEDGER_UNSYNCED);
	replaced_free(dom, batch->replaced);
}

void batch_settle_tables(struct batch *batch)
{
	batch->nr_ranges = 0;
	batch_settle(batch);
}

/* Tables that can't be freed now, in the record that was kept for this. */
static void quarantine_tables(struct iommuabs_domain *dom, struct batch *batch)
{
	struct quarantine *record = batch->spare;
	uint32_t i;

	if (!batch->nr_tables)
		return;
	iommuabs_assert(record);
	batch->spare = NULL;
	record->nr = batch->nr_tables;
	for (i = 0; i < record->nr; i++)
		record->tables[i] = batch->tables[i];
	ia_lock(&dom->abs->host, &dom->lock);
	record->next = dom->quarantine;
	dom->quarantine = record;
	ia_unlock(&dom->abs->host, &dom->lock);
}

static struct quarantine *record_take(struct iommuabs_domain *dom)
{
	struct quarantine *record;

	ia_lock(&dom->abs->host, &dom->lock);
	record = dom->record;
	dom->record = NULL;
	ia_unlock(&dom->abs->host, &dom->lock);
	return record ? record
		      : tablemem_object_alloc(&dom->abs->mem, sizeof(*record));
}

/* The domain keeps one for the next batch. */
void batch_end(struct batch *batch)
{
	struct iommuabs_domain *dom = batch->dom;
	struct quarantine *record = batch->spare;

	if (!record)
		return;
	batch->spare = NULL;
	ia_lock(&dom->abs->host, &dom->lock);
	if (!dom->record) {
		dom->record = record;
		record = NULL;
	}
	ia_unlock(&dom->abs->host, &dom->lock);
	if (record)
		tablemem_object_free(&dom->abs->mem, record, sizeof(*record));
}

bool batch_sink(struct batch *batch, struct pt_sink *sink)
{
	if (!batch->spare)
		batch->spare = record_take(batch->dom);
	sink->tables = batch->tables + batch->nr_tables;
	sink->nr = 0;
	sink->max = batch->spare ? BATCH_TABLES - batch->nr_tables : 0;
	return batch->spare;
}

void batch_sunk(struct batch *batch, struct view *view,
		const struct pt_sink *sink)
{
	uint32_t i;

	for (i = 0; i < sink->nr; i++)
		sink->tables[i] |= (uint64_t)view->index << BATCH_VIEW_SHIFT;
	if (!sink->nr)
		return;
	port_add32(&view->tables_out, sink->nr);
	batch->nr_tables += (uint16_t)sink->nr;
	batch->any_level = 1;
}

/* @ret: of the invalidation that covers them. */
static int tables_paid(struct batch *batch, int ret)
{
	if (ret)
		quarantine_tables(batch->dom, batch);
	else
		free_unlinked(batch->dom, batch->tables, batch->nr_tables);
	batch->nr_tables = 0;
	return ret;
}

int batch_pay_tables(struct batch *batch)
{
	return tables_paid(batch, batch_invalidate(batch));
}

int view_pay_tables(const struct view *view, struct batch *batch)
{
	const struct forget forget = { batch->ranges, batch->nr_ranges, 1 };

	return tables_paid(batch, invalidate_view(view, &forget));
}

static void batch_withhold(struct batch *batch)
{
	struct iommuabs_domain *dom = batch->dom;
	struct replaced **last = &batch->replaced;
	uint32_t i;

	for (i = 0; i < batch->nr_ranges; i++)
		ledger_mark(dom, batch->ranges[i].gfn, batch->ranges[i].nr,
			    PT_LEDGER_UNSYNCED, PT_LEDGER_WITHHELD);
	quarantine_tables(dom, batch);
	if (!batch->replaced)
		return;
	while (*last)
		last = &(*last)->next;
	ia_lock(&dom->abs->host, &dom->lock);
	*last = dom->withheld;
	dom->withheld = batch->replaced;
	ia_unlock(&dom->abs->host, &dom->lock);
}

int batch_pay(struct batch *batch)
{
	struct iommuabs_domain *dom = batch->dom;
	int ret = 0;

	if (batch->nr_ranges || batch->nr_tables || batch->replaced) {
		ret = batch_invalidate(batch);
		if (ret)
			batch_withhold(batch);
		else
			batch_settle(batch);
	}
	batch_end(batch);
	batch_begin(batch, dom);
	return ret;
}

void domain_release_withheld(struct iommuabs_domain *dom)
{
	struct quarantine *record, *next;

	ledger_settle(dom, 0, IA_BITS(dom->input_bits - IOMMUABS_FRAME_LG2) + 1,
		      PT_LEDGER_WITHHELD);
	replaced_free(dom, dom->withheld);
	dom->withheld = NULL;
	for (record = dom->quarantine; record; record = next) {
		next = record->next;
		free_unlinked(dom, record->tables, record->nr);
		tablemem_object_free(&dom->abs->mem, record, sizeof(*record));
	}
	dom->quarantine = NULL;
	reserved_settle(dom);
}
