/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domain.c - a domain's life: from nothing to nothing
 */
#include "change.h"

/* Leaves of 4K, 2M and 1G: more would make cuts cost more levels. */
#define LEDGER_LEAVES 0x7

static int ledger_init(struct iommuabs_domain *dom)
{
	struct pt *pt = &dom->ledger;
	uint64_t root;
	int ret;

	ret = tablemem_alloc(&dom->abs->mem, &dom->account, IOMMUABS_FRAME_LG2,
			     0, &root);
	if (ret)
		return ret;
	pt->ops = &pt_ledger_ops;
	pt->host = &dom->abs->host;
	pt->root = root;
	pt->granule_lg2 = IOMMUABS_FRAME_LG2;
	pt->root_lg2 = IOMMUABS_FRAME_LG2;
	pt->in_bits = dom->input_bits;
	pt->out_bits = 52;
	pt->top = (uint8_t)((dom->input_bits - IOMMUABS_FRAME_LG2 - 1) / 9);
	pt->leaf_mask = LEDGER_LEAVES & ((1u << (pt->top + 1)) - 1);
	pt->ops->init_root(pt);
	return 0;
}

/* Mirrors for the units known now, where AUTO wouldn't share. */
static int views_eager(struct iommuabs_domain *dom)
{
	struct iommuabs_unit *unit;
	struct decision decision;
	struct view *view;
	int ret = 0;

	instance_enter(dom->abs);
	for (unit = dom->abs->units; unit && !ret; unit = unit->next) {
		if (!unit->hw.ops ||
		    decide(dom, unit, dom->strategy, &decision) ||
		    decision.kind != VIEW_MIRROR)
			continue;
		ret = view_get_mirror(dom, &decision.key, NULL, &view);
		if (!ret && dom->source == IOMMUABS_SOURCE_LEDGER)
			view->filled = VIEW_COMPLETE;
	}
	instance_leave(dom->abs);
	return ret;
}

static int rmap_reserves_grow(struct iommuabs_domain *dom)
{
	int ret = 0;

	while (domain_has_rmap(dom) && dom->rmap_reserves < dom->callers) {
		ret = rmap_reserve_grow(&dom->abs->rmap);
		if (ret)
			break;
		dom->rmap_reserves++;
	}
	return ret;
}

static void rmap_reserves_shrink(struct iommuabs_domain *dom)
{
	for (; dom->rmap_reserves; dom->rmap_reserves--)
		rmap_reserve_shrink(&dom->abs->rmap);
}

static void domain_configure(struct iommuabs_domain *dom,
			     const struct iommuabs_domain_config *config)
{
	static const uint8_t levels[] = {
		[IOMMUABS_LEAF_ANY] = PT_LEVELS_MAX,
		[IOMMUABS_LEAF_4K] = 0,
		[IOMMUABS_LEAF_2M] = 1,
		[IOMMUABS_LEAF_1G] = 2,
	};

	dom->flags = config->flags;
	if (dom->flags & IOMMUABS_DOMAIN_IDENTITY)
		dom->flags |= IOMMUABS_DOMAIN_HOST;
	if (domain_is_scratch(dom))
		dom->flags |=
			IOMMUABS_DOMAIN_HOST | IOMMUABS_DOMAIN_NO_REVERSE_MAP;
	dom->strategy = config->strategy;
	dom->populate = config->populate;
	dom->source = config->source;
	dom->max_level = levels[config->max_leaf];
	dom->input_bits =
		(uint8_t)(config->input_bits ? config->input_bits : 48);
	dom->callers = config->callers ? config->callers : 1;
	dom->cookie = config->cookie;
	dom->account.cookie = config->cookie;
	dom->account.limit = config->quota_frames;
	dom->owner.host = !!(dom->flags & IOMMUABS_DOMAIN_HOST);
	dom->owner.account = &dom->account;
	dom->read = dom->source == IOMMUABS_SOURCE_LEDGER ? VIEW_COMPLETE : 0;
	if (config->p2m) {
		dom->p2m = *config->p2m;
		dom->has_p2m = 1;
	}
}

/* Everything but the object itself and its lock; the ledger is empty. */
static void domain_dismantle(struct iommuabs_domain *dom)
{
	uint64_t budget = ~(uint64_t)0;

	while (dom->views)
		if (view_drop(dom->views, &budget))
			break;
	spares_drain(dom, &dom->reserve);
	if (dom->ledger.ops)
		pt_free_tables(&dom->ledger, dom->ledger.root | dom->ledger.top,
			       &dom->abs->mem, &dom->account, &budget);
	rmap_reserves_shrink(dom);
	if (dom->owner.number)
		domain_number_give(dom->abs, dom);
}

static void domain_free(struct iommuabs_domain *dom)
{
	struct iommuabs *abs = dom->abs;

	ia_lock_exit(&abs->host, &dom->lock);
	if (dom->record)
		tablemem_object_free(&abs->mem, dom->record,
				     sizeof(*dom->record));
	tablemem_object_free(&abs->mem, dom, sizeof(*dom));
}

/*
 * What is fixed comes first, and nothing can be declared in between: who declares
 * holds the gate alone and finds every domain in the list.
 */
static int list_add(struct iommuabs *abs, struct iommuabs_domain *dom)
{
	struct iommuabs_domain **last;
	int ret;

	instance_enter(abs);
	ret = frames_enter_fixed(dom);
	if (!ret) {
		ia_lock(&abs->host, &abs->lock);
		for (last = &abs->domains; *last; last = &(*last)->next)
			;
		*last = dom;
		dom->listed = 1;
		ia_unlock(&abs->host, &abs->lock);
	}
	instance_leave(abs);
	return ret;
}

int domain_create(struct iommuabs *abs,
		  const struct iommuabs_domain_config *config,
		  struct iommuabs_domain **out)
{
	struct iommuabs_domain *dom;
	int ret;

	dom = tablemem_object_alloc(&abs->mem, sizeof(*dom));
	if (!dom)
		return IOMMUABS_E_NOMEM;
	dom->abs = abs;
	domain_configure(dom, config);
	ret = ia_lock_init(&abs->host, &dom->lock, IOMMUABS_LOCK_DOMAIN);
	if (ret) {
		tablemem_object_free(&abs->mem, dom, sizeof(*dom));
		return ret;
	}
	ret = domain_number_take(abs, dom);
	if (!ret)
		ret = ledger_init(dom);
	if (!ret)
		ret = pages_reserve(dom);
	if (!ret)
		ret = rmap_reserves_grow(dom);
	if (!ret && dom->populate == IOMMUABS_POPULATE_EAGER)
		ret = views_eager(dom);
	domain_note_simple(dom);
	if (!ret)
		ret = list_add(abs, dom);
	if (ret) {
		domain_dismantle(dom);
		domain_free(dom);
		return ret;
	}
	*out = dom;
	return 0;
}

/*
 * Release all places, in steps. The ledger keeps its entries: it goes as a
 * whole, and destroy_at says how far this got. What a step looks at in the ledger
 * it releases in the reverse map, so the two are counted once.
 */
static int destroy_places(struct iommuabs_domain *dom, uint64_t *budget)
{
	uint64_t end = IA_BITS(dom->input_bits - IOMMUABS_FRAME_LG2) + 1, look;
	struct rmap_range places;
	enum pt_status status;
	struct pt_run run;

	if (!domain_has_rmap(dom))
		return 0;
	while (dom->destroy_at < end) {
		look = *budget;
		status = dom->ledger.ops->next(&dom->ledger, dom->destroy_at,
					       end, &look, &run);
		if (status == PT_END)
			break;
		dom->destroy_at = run.in;
		if (status == PT_BUDGET) {
			*budget = 0;
			return IOMMUABS_E_AGAIN;
		}
		places.mfn = run.out;
		places.gfn = run.in;
		places.nr = run.nr;
		dom->destroy_at += places_release_some(dom, &places, budget);
		*budget = IA_MIN(*budget, look);
	}
	dom->destroy_at = end;
	return 0;
}

static int destroy_tables(struct iommuabs_domain *dom, uint64_t *budget)
{
	int ret;

	while (dom->views) {
		ret = view_drop(dom->views, budget);
		if (ret)
			return ret;
	}
	if (dom->ledger.ops &&
	    pt_free_tables(&dom->ledger, dom->ledger.root | dom->ledger.top,
			   &dom->abs->mem, &dom->account, budget) != PT_OK)
		return IOMMUABS_E_AGAIN;
	dom->ledger.ops = NULL;
	return 0;
}

/* Both the gate and the lock are held. */
static void list_remove(struct iommuabs *abs, struct iommuabs_domain *dom)
{
	struct iommuabs_domain **link = &abs->domains;

	while (*link != dom)
		link = &(*link)->next;
	*link = dom->next;
	dom->listed = 0;
}

static void domain_unlink(struct iommuabs_domain *dom)
{
	struct iommuabs *abs = dom->abs;

	instance_enter_alone(abs);
	ia_lock(&abs->host, &abs->lock);
	list_remove(abs, dom);
	ia_unlock(&abs->host, &abs->lock);
	instance_leave_alone(abs);
}

static void views_count(const struct iommuabs_domain *dom,
			struct iommuabs_domain_stats *stats)
{
	const struct binding *binding;
	const struct view *view;

	for (view = dom->views; view; view = view->next) {
		stats->nr_mirrors += view->kind == VIEW_MIRROR;
		for (binding = view->bindings; binding; binding = binding->next)
			stats->nr_bindings++;
	}
}

void domain_report(struct iommuabs_domain *dom,
		   struct iommuabs_domain_stats *stats)
{
	const struct iommuabs_device *dev;

	domain_enter(dom);
	stats->number = dom->owner.number;
	stats->used = port_load64(&dom->account.used);
	stats->quota = dom->account.limit;
	stats->places = port_load64(&dom->owner.extras);
	for (dev = dom->devices; dev; dev = dev->next_in_domain)
		stats->nr_devices++;
	views_count(dom, stats);
	stats->nr_batches = port_load32(&dom->nr_batches);
	stats->invalidated = port_load64(&dom->invalidated);
	stats->failed = port_load64(&dom->failed);
	stats->filled_steps = port_load64(&dom->filled_steps);
	domain_leave(dom);
}

/* Everything that was withheld is free: the rest of a destroy. */
static int domain_finish(struct iommuabs_domain *dom, uint64_t *budget)
{
	int ret = destroy_places(dom, budget);

	if (!ret) {
		dom->destroy_at = VIEW_COMPLETE;
		ret = destroy_tables(dom, budget);
	}
	return ret;
}

int domain_destroy(struct iommuabs_domain *dom, uint64_t *budget)
{
	int ret = 0;

	domain_enter_alone(dom);
	if (dom->devices || dom->nr_coming || dom->zombie ||
	    port_load32(&dom->nr_refugees) ||
	    (port_load32(&dom->nr_batches) && !dom->destroying))
		ret = IOMMUABS_E_BUSY;
	if (ret) {
		domain_leave_alone(dom);
		return ret;
	}
	dom->destroying = 1;
	if (dom->owing) {
		/* Its pages come back, without its cookie, after recovery. */
		dom->account.cookie = NULL;
		dom->cookie = NULL;
		dom->zombie = 1;
		domain_leave_alone(dom);
		return 0;
	}
	/* What whole leaves were dropped for want of memory is free too. */
	ret = domain_finish(dom, budget);
	domain_leave_alone(dom);
	if (ret)
		return ret;
	domain_unlink(dom);
	domain_dismantle(dom);
	domain_free(dom);
	return 0;
}

/* Take one domain off the list that was destroyed and is owed no more. */
static struct iommuabs_domain *zombie_take(struct iommuabs *abs)
{
	struct iommuabs_domain *dom;

	instance_enter_alone(abs);
	ia_lock(&abs->host, &abs->lock);
	for (dom = abs->domains; dom; dom = dom->next)
		if (dom->zombie && !dom->owing)
			break;
	if (dom)
		list_remove(abs, dom);
	ia_unlock(&abs->host, &abs->lock);
	instance_leave_alone(abs);
	return dom;
}

void domains_reap(struct iommuabs *abs)
{
	struct iommuabs_domain *dom;
	uint64_t budget;

	while ((dom = zombie_take(abs))) {
		budget = ~(uint64_t)0;
		domain_enter_alone(dom);
		(void)domain_finish(dom, &budget);
		domain_leave_alone(dom);
		domain_dismantle(dom);
		domain_free(dom);
	}
}
