/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bind.c - bindings of views to units, and the stream entries that use them
 *
 * A change of what a device sees has two halves. Each of its streams gets the
 * binding it is to use next: views, ids, memory, all that can fail. Then entries
 * are pointed at them, and the bindings that they used before are put; or the
 * entries are pointed back, and the new ones are.
 */
#include "change.h"

/* ---- bindings ---- */

static int id_reserve(struct iommuabs_unit *unit, uint32_t id)
{
	int ret;

	unit_enter_alone(unit);
	ret = unit->hw.ops->id_reserve(&unit->hw, id);
	unit_leave_alone(unit);
	return ret;
}

/* Can @stream go from what it uses now to @table with no request blocked? */
static bool table_is_hitless(const struct device_stream *stream,
			     const struct backend_table *table)
{
	struct iommuabs_unit *unit = stream->unit;

	if (!stream->live || unit_status(unit) != IOMMUABS_UNIT_RUNNING)
		return true; /* nothing goes through now */
	return unit->hw.ops->stream_is_hitless(&unit->hw, &stream->live->table,
					       table);
}

/*
 * Under one id two tables may be met for a moment, if they map the same and
 * nobody else has the id: so within a domain, by one stream.
 */
static bool may_borrow_id(const struct device_stream *stream,
			  const struct binding *binding)
{
	const struct binding *from = stream->binding;
	struct backend_table table = binding->table;

	if (!from || stream->live != from || from->nr_streams != 1 ||
	    stream->nr != 1 || from->view->dom != binding->view->dom ||
	    from->lent)
		return false;
	table.id = from->table.id;
	return table_is_hitless(stream, &table);
}

/* An id for a new binding: of its own, unless one that is in use saves a window. */
static int binding_take_id(const struct device_stream *stream,
			   struct binding *binding)
{
	struct iommuabs_unit *unit = binding->unit;
	int ret = unit_id_take(unit, &binding->table.id);
	bool taken = !ret;

	if (taken) {
		ret = id_reserve(unit, binding->table.id);
		if (!ret && table_is_hitless(stream, &binding->table))
			return 0;
	}
	if (may_borrow_id(stream, binding)) {
		if (taken)
			unit_id_give(unit, binding->table.id);
		binding->table.id = stream->binding->table.id;
		binding->borrowed = 1;
		return 0;
	}
	if (ret && taken)
		unit_id_give(unit, binding->table.id);
	return ret;
}

static bool same_table(const struct backend_table *a,
		       const struct backend_table *b)
{
	return a->format == b->format && a->root == b->root &&
	       a->input_bits == b->input_bits &&
	       a->output_bits == b->output_bits &&
	       a->granule_lg2 == b->granule_lg2 && a->levels == b->levels &&
	       a->walk_attrs == b->walk_attrs;
}

/* The binding of @view and @table for @stream, made if there is none. */
static int binding_get(struct view *view, const struct device_stream *stream,
		       const struct backend_table *table, struct binding **out)
{
	const struct backend_range *kept = &stream->unit->hw.caps.kept;
	struct tablemem *mem = &view->dom->abs->mem;
	struct binding *binding;
	struct pt_run run;
	int ret;

	/* The device would never see it (C17). */
	if (ledger_next(view->dom, kept->gfn, kept->gfn + kept->nr, &run))
		return IOMMUABS_E_RESERVED;
	for (binding = view->bindings; binding; binding = binding->next) {
		if (binding->unit == stream->unit && !binding->borrowed &&
		    same_table(&binding->table, table)) {
			binding->nr_streams++;
			*out = binding;
			return 0;
		}
	}
	binding = tablemem_object_alloc(mem, sizeof(*binding));
	if (!binding)
		return IOMMUABS_E_NOMEM;
	binding->table = *table;
	binding->view = view;
	binding->unit = stream->unit;
	binding->nr_streams = 1;
	ret = binding_take_id(stream, binding);
	if (ret) {
		tablemem_object_free(mem, binding, sizeof(*binding));
		return ret;
	}
	binding->next = view->bindings;
	view->bindings = binding;
	port_add32(&binding->unit->nr_bindings, 1);
	view->dom->caching_bindings += binding->unit->hw.caps.caches_absent;
	view->dom->keeping_bindings += binding->unit->hw.caps.kept.nr != 0;
	*out = binding;
	return 0;
}

/* The last user of a binding was invalidated, or its failure is remembered. */
static void binding_put(struct binding *binding)
{
	struct view *view = binding->view;
	struct binding **link = &view->bindings;

	if (--binding->nr_streams)
		return;
	while (*link != binding)
		link = &(*link)->next;
	*link = binding->next;
	if (binding->borrowed || binding->lent)
		; /* the other one has the id */
	else if (binding->stale)
		unit_id_keep(binding->unit, binding->table.id);
	else
		unit_id_give(binding->unit, binding->table.id);
	port_add32(&binding->unit->nr_bindings, (uint32_t)-1);
	view->dom->caching_bindings -= binding->unit->hw.caps.caches_absent;
	view->dom->keeping_bindings -= binding->unit->hw.caps.kept.nr != 0;
	tablemem_object_free(&view->dom->abs->mem, binding, sizeof(*binding));
}

/* ---- what streams are to use next ---- */

static int stream_prepare(const struct iommuabs_device *dev,
			  struct device_stream *stream,
			  struct iommuabs_domain *dom, uint32_t strategy)
{
	struct backend_table table;
	struct decision decision;
	struct view *view;
	int ret;

	ret = decide_device(dom, dev, stream->unit, strategy, &decision);
	if (!ret)
		ret = decision_view(dom, &decision, &view);
	if (ret)
		return ret;
	/* It has changed since populating: the caller fills what is new. */
	if (view->kind == VIEW_MIRROR && view->filled != VIEW_COMPLETE)
		return IOMMUABS_E_AGAIN;
	table = decision.table;
	if (view->kind == VIEW_MIRROR)
		view_table(view, &table);
	ret = binding_get(view, stream, &table, &stream->next);
	/* Ranges of one unit follow each other, and are decided alike. */
	if (!ret && stream->next != stream->binding &&
	    (stream == dev->streams || stream[-1].unit != stream->unit))
		decision_log(dev, stream->unit, &decision);
	return ret;
}

int streams_prepare(struct iommuabs_device *dev, struct iommuabs_domain *dom,
		    uint32_t strategy)
{
	uint32_t i;
	int ret = 0;

	for (i = 0; i < dev->nr_streams && !ret; i++)
		ret = stream_prepare(dev, &dev->streams[i], dom, strategy);
	if (ret)
		streams_drop_next(dev);
	return ret;
}

void streams_drop_next(struct iommuabs_device *dev)
{
	uint32_t i;

	for (i = 0; i < dev->nr_streams; i++) {
		if (dev->streams[i].next)
			binding_put(dev->streams[i].next);
		dev->streams[i].next = NULL;
	}
}

void streams_take_next(struct iommuabs_device *dev)
{
	struct device_stream *stream;
	uint32_t i;

	for (i = 0; i < dev->nr_streams; i++) {
		stream = &dev->streams[i];
		if (stream->next && stream->next->borrowed) {
			stream->next->borrowed = 0;
			stream->binding->lent = 1;
		}
		if (stream->binding)
			binding_put(stream->binding);
		if (stream->next)
			stream->next->view->kept = 1;
		stream->binding = stream->next;
		stream->next = NULL;
	}
}

/* By all of @stream: what others leave of a range is no device of its own. */
static bool may_use_ats(const struct iommuabs_device *dev,
			const struct device_stream *stream)
{
	return (dev->attach_flags & IOMMUABS_ALLOW_ATS) &&
	       stream_can_ats(stream);
}

bool streams_are_hitless(const struct iommuabs_device *dev)
{
	const struct device_stream *stream;
	uint32_t i;

	for (i = 0; i < dev->nr_streams; i++) {
		stream = &dev->streams[i];
		if (stream->next != stream->binding &&
		    ((stream->binding && may_use_ats(dev, stream)) ||
		     !table_is_hitless(stream, &stream->next->table)))
			return false;
	}
	return true;
}

/* ---- entries ---- */

int streams_reserve(struct iommuabs_device *dev)
{
	struct device_stream *stream;
	struct iommuabs_unit *unit;
	uint32_t i, pos, first, nr;
	int ret = 0;

	for (i = 0; i < dev->nr_streams && !ret; i++) {
		stream = &dev->streams[i];
		unit = stream->unit;
		pos = 0;
		unit_enter_alone(unit);
		while (!ret &&
		       device_next_piece(dev, stream, &pos, &first, &nr))
			ret = unit->hw.ops->streams_reserve(&unit->hw, first,
							    nr);
		unit_leave_alone(unit);
	}
	return ret;
}

/* The unit's gate is held alone: write what @stream->live says. */
static int entries_write(struct iommuabs_device *dev,
			 struct device_stream *stream)
{
	const struct backend_table *table = NULL;
	struct iommuabs_unit *unit = stream->unit;
	uint32_t pos = 0, first, nr, flags = 0;
	int ret = 0, one;

	if (stream->live && !(stream->quiet & STREAM_CUT_OFF))
		table = &stream->live->table;
	if (stream->quiet & STREAM_SILENT)
		flags |= BACKEND_STREAM_SILENT;
	if (table && may_use_ats(dev, stream))
		flags |= BACKEND_STREAM_ATS;
	while (device_next_piece(dev, stream, &pos, &first, &nr)) {
		one = unit->hw.ops->stream_set(&unit->hw, first, nr, table,
					       flags);
		if (one && !ret)
			ret = one;
	}
	return ret;
}

int stream_point(struct iommuabs_device *dev, struct device_stream *stream,
		 const struct binding *binding)
{
	struct iommuabs_unit *unit = stream->unit;
	int ret;

	/* A failed refresh blocks what shares. */
	if (binding && binding->view->kind == VIEW_SHARED &&
	    binding->view->dom->nr_bad)
		binding = NULL;
	unit_enter_alone(unit);
	stream->live = binding;
	ret = entries_write(dev, stream);
	unit_leave_alone(unit);
	if (ret)
		unit_fence(unit, ret);
	return ret;
}

int stream_set_quiet(struct iommuabs_device *dev, struct device_stream *stream,
		     uint32_t quiet)
{
	struct iommuabs_unit *unit = stream->unit;
	int ret = 0;

	if (!unit->hw.ops)
		return 0;
	unit_enter_alone(unit);
	if (stream->quiet != quiet) {
		port_store32(&stream->quiet, quiet);
		ret = entries_write(dev, stream);
	}
	unit_leave_alone(unit);
	if (ret)
		unit_fence(unit, ret);
	return ret;
}

int streams_block(struct iommuabs_device *dev)
{
	uint32_t i;
	int ret = 0, one;

	for (i = 0; i < dev->nr_streams; i++) {
		one = stream_point(dev, &dev->streams[i], NULL);
		if (one && !ret)
			ret = one;
	}
	return ret;
}

int streams_use_next(struct iommuabs_device *dev)
{
	struct device_stream *stream;
	uint32_t i;
	int ret = 0;

	for (i = 0; i < dev->nr_streams && !ret; i++) {
		stream = &dev->streams[i];
		if (stream->next != stream->binding)
			ret = stream_point(dev, stream, stream->next);
	}
	return ret;
}

void streams_use_binding(struct iommuabs_device *dev)
{
	struct device_stream *stream;
	uint32_t i;

	for (i = 0; i < dev->nr_streams; i++) {
		stream = &dev->streams[i];
		(void)stream_point(dev, stream, stream->binding);
	}
}

int streams_invalidate(struct iommuabs_device *dev)
{
	uint32_t i;
	int ret = 0, one;

	for (i = 0; i < dev->nr_streams; i++) {
		if (!dev->streams[i].binding)
			continue;
		one = binding_invalidate(dev->streams[i].binding);
		if (one && ret != IOMMUABS_E_TIMEOUT)
			ret = one;
	}
	return ret;
}
