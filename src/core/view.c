/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * view.c - a domain as units see it: the host's p2m, or a mirror of ours
 */
#include "change.h"

/* Inner shareable, write-back: VTCR_EL2.{SH0,ORGN0,IRGN0} (Arm ARM D24.2). */
#define VIEW_WALK_CACHED 0x35

/* What units keep, from the lowest to the highest of it, in whole large leaves: what
 * of that is nobody's is for map_run() to see. */
static void kept_note(const struct iommuabs_domain *dom, struct simple *simple)
{
	uint64_t first = ~(uint64_t)0, end = 0;
	const struct backend_range *kept;
	const struct binding *binding;
	const struct view *view;

	if (!dom->keeping_bindings)
		return;
	for (view = dom->views; view; view = view->next) {
		for (binding = view->bindings; binding;
		     binding = binding->next) {
			kept = &binding->unit->hw.caps.kept;
			if (!kept->nr)
				continue;
			first = IA_MIN(first, kept->gfn);
			end = IA_MAX(end, kept->gfn + kept->nr);
		}
	}
	first &= ~(SINGLE_LARGE - 1);
	end = (end + SINGLE_LARGE - 1) & ~(SINGLE_LARGE - 1);
	/* A leaf in there ends behind its first frame, or with its last. */
	simple->kept = first + 1;
	simple->nr_kept = end - first;
}

void domain_note_simple(struct iommuabs_domain *dom)
{
	struct simple simple = { .end = dom->reserved ? 0 : ~(uint64_t)0 };
	struct view *view;

	for (view = dom->views; view; view = view->next) {
		if (view->kind != VIEW_MIRROR || !view->filled)
			continue;
		if (simple.mirror || view->filled != VIEW_COMPLETE ||
		    view->pt.granule_lg2 != IOMMUABS_FRAME_LG2)
			simple.end = 0;
		simple.mirror = view;
		simple.end =
			IA_MIN(simple.end, view_clip(view, 0, ~(uint64_t)0));
	}
	simple.map_end = dom->caching_bindings ? 0 : simple.end;
	kept_note(dom, &simple);
	dom->simple = simple;
}

void views_publish(const struct iommuabs_domain *dom)
{
	const struct view *view;

	for (view = dom->views; view; view = view->next)
		if (view->kind == VIEW_MIRROR)
			view_publish(view);
}

struct view *view_of_index(struct iommuabs_domain *dom, uint32_t index)
{
	struct view *view = dom->views;

	while (view && view->index != index)
		view = view->next;
	return view;
}

struct view *view_find_shared(struct iommuabs_domain *dom)
{
	struct view *view = dom->views;

	while (view && view->kind != VIEW_SHARED)
		view = view->next;
	return view;
}

static int view_new(struct iommuabs_domain *dom, struct view **out)
{
	struct view *view;
	uint32_t index = 0;

	while (index < VIEWS_MAX && view_of_index(dom, index))
		index++;
	if (index == VIEWS_MAX)
		return IOMMUABS_E_NOTSUP;
	view = tablemem_object_alloc(&dom->abs->mem, sizeof(*view));
	if (!view)
		return IOMMUABS_E_NOMEM;
	view->dom = dom;
	view->index = index;
	*out = view;
	return 0;
}

static void view_link(struct view *view)
{
	struct view **last = &view->dom->views;

	while (*last)
		last = &(*last)->next;
	*last = view;
}

int view_get_shared(struct iommuabs_domain *dom, struct view **out)
{
	struct view *view = view_find_shared(dom);
	int ret;

	if (!view) {
		ret = view_new(dom, &view);
		if (ret)
			return ret;
		view->kind = VIEW_SHARED;
		view_link(view);
	}
	*out = view;
	return 0;
}

static bool key_equal(const struct backend_geometry *a,
		      const struct backend_geometry *b)
{
	return a->pt_ops == b->pt_ops && a->format == b->format &&
	       a->input_bits == b->input_bits &&
	       a->output_bits == b->output_bits &&
	       a->granule_lg2 == b->granule_lg2 && a->levels == b->levels &&
	       a->root_lg2 == b->root_lg2 && a->leaf_mask == b->leaf_mask &&
	       a->clean == b->clean && a->bbml == b->bbml &&
	       a->hint_mask == b->hint_mask;
}

static int mirror_init(struct view *view, const struct backend_geometry *key)
{
	struct iommuabs_domain *dom = view->dom;
	struct pt *pt = &view->pt;
	uint64_t root;
	int ret;

	ret = tablemem_alloc(&dom->abs->mem, &dom->account, key->root_lg2, 0,
			     &root);
	if (ret)
		return ret;
	view->kind = VIEW_MIRROR;
	view->key = *key;
	pt->ops = key->pt_ops;
	pt->host = &dom->abs->host;
	pt->root = root;
	pt->granule_lg2 = key->granule_lg2;
	pt->top = key->levels - 1;
	pt->root_lg2 = key->root_lg2;
	pt->in_bits = key->input_bits;
	pt->out_bits = key->output_bits;
	pt->leaf_mask = key->leaf_mask;
	pt->clean = key->clean;
	pt->bbml = key->bbml;
	pt->hint_mask = key->hint_mask;
	pt->ops->init_root(pt);
	return 0;
}

/* ---- scratch domains: every gfn is one granule ---- */

static void scratch_clear(const struct view *view)
{
	const struct hostif *host = view->pt.host;
	uint64_t offset, size = (uint64_t)1 << view->key.granule_lg2;
	void *page;

	for (offset = 0; offset < size; offset += IOMMUABS_FRAME_SIZE) {
		page = hostif_map(host, view->scratch + offset);
		port_dev_zero(page, IOMMUABS_FRAME_SIZE);
		if (view->key.clean)
			hostif_clean(host, page, IOMMUABS_FRAME_SIZE);
		hostif_unmap(host, page);
	}
	view_publish(view);
}

/* Are its regions those that @dev needs? */
static bool scratch_suits(const struct view *view,
			  const struct iommuabs_device *dev)
{
	const struct scratch_region *at = view->regions;
	const struct iommuabs_reserved *region;
	uint32_t i;

	for (i = 0; dev && (region = reserved_of(dev, i)) != NULL; i++) {
		if (!at || !reserved_equal(&at->region, region))
			return false;
		at = at->next;
	}
	return !at;
}

static int regions_copy(struct view *view, const struct iommuabs_device *dev)
{
	struct scratch_region **last = &view->regions;
	const struct iommuabs_reserved *region;
	uint32_t i;

	for (i = 0; dev && (region = reserved_of(dev, i)) != NULL; i++) {
		*last = tablemem_object_alloc(&view->dom->abs->mem,
					      sizeof(**last));
		if (!*last)
			return IOMMUABS_E_NOMEM;
		(*last)->region = *region;
		last = &(*last)->next;
	}
	return 0;
}

static void regions_free(struct view *view)
{
	struct scratch_region *at;

	while ((at = view->regions) != NULL) {
		view->regions = at->next;
		tablemem_object_free(&view->dom->abs->mem, at, sizeof(*at));
	}
}

/* Can @view have it? 0 | E_RESERVED | E_GRANULE | E_NOTSUP. */
static int region_fits(const struct view *view,
		       const struct iommuabs_reserved *region)
{
	const struct span span = { region->gfn.frame, region->nr };
	const struct mapping map = { region->gfn.frame, region->mfn.frame,
				     region->nr, region->flags };

	if ((span.gfn + span.nr - 1) >>
	    (view->key.input_bits - IOMMUABS_FRAME_LG2))
		return IOMMUABS_E_RESERVED;
	return view_expresses(view, &span, region->flags ? &map : NULL);
}

/* Everything is the page but for the regions; what that takes is in @spares. */
static void scratch_fill(struct view *view, struct spares *spares)
{
	struct tablemem_pool *pool = spares_for(spares, &view->pt);
	uint32_t attr = IOMMUABS_READ | IOMMUABS_NORMAL;
	const struct scratch_region *at;

	if (view->dom->flags & IOMMUABS_DOMAIN_SINK)
		attr |= IOMMUABS_WRITE;
	scratch_clear(view);
	view->pt.ops->repeat(&view->pt, view->scratch >> IOMMUABS_FRAME_LG2,
			     attr, pool, view->common);
	for (at = view->regions; at; at = at->next) {
		const struct pt_run run = { at->region.gfn.frame,
					    at->region.mfn.frame, at->region.nr,
					    at->region.flags };

		view->pt.ops->except(&view->pt, &run, view->common, pool);
	}
	view->filled = VIEW_COMPLETE;
}

/*
 * A new mirror, and still empty. Who needs regions has a view of its own: nobody
 * else sees them, and no table changes while a unit walks it. 0 | E_NOMEM |
 * E_QUOTA | E_RESERVED | E_GRANULE | E_NOTSUP.
 */
static int scratch_make(struct view *view, const struct iommuabs_device *dev)
{
	struct iommuabs_domain *dom = view->dom;
	const struct pt *pt = &view->pt;
	const struct scratch_region *at;
	struct spares spares = { 0 };
	int ret;

	ret = regions_copy(view, dev);
	spares_want(&spares, pt, pt->top);
	for (at = view->regions; at && !ret; at = at->next) {
		ret = region_fits(view, &at->region);
		spares_want(&spares, pt,
			    pt->ops->count(pt, at->region.gfn.frame,
					   at->region.mfn.frame,
					   at->region.nr));
	}
	if (!ret)
		ret = spares_take_new(dom, &spares);
	if (!ret)
		ret = tablemem_alloc(&dom->abs->mem, &dom->account,
				     view->key.granule_lg2, 0, &view->scratch);
	if (!ret)
		scratch_fill(view, &spares);
	spares_drain(dom, &spares);
	return ret;
}

/* What is left of its tables is a tree, and can be freed as any. */
static void scratch_end(struct view *view)
{
	struct iommuabs_domain *dom = view->dom;
	struct tablemem *mem = &dom->abs->mem;
	uint32_t level;

	regions_free(view);
	if (!view->scratch)
		return;
	view->pt.ops->single(&view->pt, view->common);
	for (level = 0; level < view->pt.top; level++)
		tablemem_free(mem, &dom->account, view->common[level],
			      view->key.granule_lg2);
	tablemem_free(mem, &dom->account, view->scratch, view->key.granule_lg2);
	view->scratch = 0;
}

/* Of views that were made for regions those that nobody uses go, their numbers are
 * few: unless a unit that doesn't answer may still read them. */
static void scratch_views_trim(struct iommuabs_domain *dom)
{
	uint64_t budget = ~(uint64_t)0;
	struct view *view, *next;

	if (dom->owing)
		return;
	for (view = dom->views; view; view = next) {
		next = view->next;
		if (view->regions && !view->bindings)
			(void)view_drop(view, &budget);
	}
}

/* Regions that attached devices need are in every mirror, from its start. */
static int mirror_reserved(struct view *view)
{
	const struct reserved_place *place;
	int ret = 0;

	for (place = view->dom->reserved; place && !ret; place = place->next)
		ret = reserved_enter(view, place);
	return ret;
}

static struct view *mirror_find(struct iommuabs_domain *dom,
				const struct backend_geometry *key,
				const struct iommuabs_device *dev)
{
	struct view *view;

	for (view = dom->views; view; view = view->next)
		if (view->kind == VIEW_MIRROR && key_equal(&view->key, key) &&
		    (!view->scratch || scratch_suits(view, dev)))
			break;
	return view;
}

int view_get_mirror(struct iommuabs_domain *dom,
		    const struct backend_geometry *key,
		    const struct iommuabs_device *dev, struct view **out)
{
	struct view *view = mirror_find(dom, key, dev);
	uint64_t budget = ~(uint64_t)0;
	int ret;

	if (view) {
		if (view->scratch && !view->bindings)
			scratch_clear(view);
		*out = view;
		return 0;
	}
	scratch_views_trim(dom);
	ret = view_new(dom, &view);
	if (ret)
		return ret;
	ret = mirror_init(view, key);
	if (ret) {
		tablemem_object_free(&dom->abs->mem, view, sizeof(*view));
		return ret;
	}
	view_link(view);
	ret = mirror_reserved(view);
	if (!ret && domain_is_scratch(dom))
		ret = scratch_make(view, dev);
	if (!ret)
		ret = pages_reserve(dom);
	if (ret) {
		view_drop(view, &budget);
		return ret;
	}
	*out = view;
	return 0;
}

void view_table(const struct view *view, struct backend_table *table)
{
	table->format = view->key.format;
	table->root = view->pt.root;
	table->input_bits = view->key.input_bits;
	table->output_bits = view->key.output_bits;
	table->granule_lg2 = view->key.granule_lg2;
	table->levels = view->key.levels;
	table->walk_attrs = view->key.clean ? 0 : VIEW_WALK_CACHED;
}

/*
 * A unit that doesn't answer is fenced, and forgets everything before it is let
 * go again: the edit goes on.
 */
enum pt_status mirror_edit(struct mirror_edit *job, uint64_t gfn, uint64_t nr)
{
	struct view *view = job->view;
	uint64_t end = gfn + nr;
	struct pt_cut cut = { 0 };
	enum pt_status status;
	int error;

	job->edit.cut = &cut;
	for (;;) {
		status = view->pt.ops->edit(&view->pt, gfn, end - gfn,
					    &job->edit,
					    spares_for(job->spares, &view->pt),
					    job->sink, &job->at);
		if (status != PT_NEEDS_SYNC)
			return status;
		error = view_forget(view, cut.in, cut.nr);
		if (error && !job->error)
			job->error = error;
		gfn = IA_MAX(gfn, job->at.in);
	}
}

int view_expresses(const struct view *view, const struct span *span,
		   const struct mapping *map)
{
	const uint64_t rw = IOMMUABS_READ | IOMMUABS_WRITE;
	uint64_t all = span->gfn | span->nr;

	if (map && view->pt.ops->read_implied &&
	    (map->flags & rw) == IOMMUABS_WRITE)
		return IOMMUABS_E_NOTSUP;
	if (map)
		all |= map->mfn;
	return all & (pt_slot_frames(&view->pt, 0) - 1) ? IOMMUABS_E_GRANULE
							: 0;
}

int views_express(const struct iommuabs_domain *dom, const struct span *span,
		  const struct mapping *map)
{
	const struct view *view;
	int ret = 0;

	for (view = dom->views; view && !ret; view = view->next)
		if (view->kind == VIEW_MIRROR && view->filled)
			ret = view_expresses(view, span, map);
	return ret;
}

void view_abandon(struct view *view)
{
	uint64_t left = IA_BITS(view->key.input_bits - IOMMUABS_FRAME_LG2) + 1;
	/* No unit walks it: what would have to be forgotten first is left, and
	 * goes with its table. */
	struct pt_cut cut = { 0 };
	const struct pt_edit clear = { .kind = PT_EDIT_CLEAR, .cut = &cut };
	uint64_t budget = ~(uint64_t)0, gfn, nr, skip;
	struct iommuabs_domain *dom = view->dom;
	struct tablemem_pool none = { 0 };
	struct pt_run at;

	iommuabs_assert(!view->bindings);
	for (gfn = 0; left; gfn += nr + skip, left -= nr + skip) {
		nr = reserved_clear_of(dom, gfn, left, &skip);
		(void)view->pt.ops->edit(&view->pt, gfn, nr, &clear, &none,
					 NULL, &at);
	}
	view->filled = 0;
	(void)view_drop(view, &budget);
	pages_trim(dom);
}

int view_drop(struct view *view, uint64_t *budget)
{
	struct iommuabs_domain *dom = view->dom;
	struct view **link = &dom->views;

	iommuabs_assert(!view->bindings);
	if (port_load32(&view->tables_out))
		return 0; /* a batch names it: it goes with the domain */
	scratch_end(view);
	if (view->kind != VIEW_SHARED &&
	    pt_free_tables(&view->pt, view->pt.root | view->pt.top,
			   &dom->abs->mem, &dom->account, budget) != PT_OK)
		return IOMMUABS_E_AGAIN;
	while (*link != view)
		link = &(*link)->next;
	*link = view->next;
	tablemem_object_free(&dom->abs->mem, view, sizeof(*view));
	return 0;
}
