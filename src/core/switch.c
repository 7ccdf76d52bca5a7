/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * switch.c - another table under devices that go on
 *
 * A domain's strategy changes, or its p2m: each device of it goes to another view
 * of the same frames. Mirrors are filled first, in steps, while everything else
 * goes on; then, with the gate held alone, all entries are pointed at the new
 * tables and the old bindings are invalidated. Both views map the same, so that a
 * device which meets the one here and the other there sees no difference. If
 * anything fails, all entries are pointed back.
 */
#include "change.h"

/* What the domain is to be, and whether a permitted DMA may fault meanwhile. */
struct plan {
	uint32_t strategy;
	uint32_t flags;
	const struct iommuabs_p2m *p2m; /* NULL: as it is */
};

/* Another p2m concerns those that share the one there is. */
static bool is_concerned(const struct iommuabs_device *dev,
			 const struct plan *plan)
{
	uint32_t i;

	if (dev->state != DEVICE_ATTACHED)
		return false;
	for (i = 0; i < dev->nr_streams && plan->p2m; i++)
		if (dev->streams[i].binding->view->kind == VIEW_SHARED)
			return true;
	return !plan->p2m;
}

/* All of its streams have a next binding, or none has. */
static bool is_prepared(const struct iommuabs_device *dev)
{
	return dev->nr_streams && dev->streams[0].next;
}

/* Is a view that a failed refresh blocks to take the place of one that goes on? */
static bool goes_out_of_use(const struct iommuabs_device *dev)
{
	const struct device_stream *stream;
	uint32_t i;

	for (i = 0; i < dev->nr_streams; i++) {
		stream = &dev->streams[i];
		if (stream->live && stream->next->view->kind == VIEW_SHARED &&
		    stream->next->view->dom->nr_bad)
			return true;
	}
	return false;
}

static int device_prepare(struct iommuabs_device *dev,
			  struct iommuabs_domain *dom, const struct plan *plan)
{
	uint32_t strategy =
		dev->attach_strategy ? dev->attach_strategy : plan->strategy;
	int ret = attach_check(dev, dom, dev->attach_flags);

	if (!ret)
		ret = streams_prepare(dev, dom, strategy);
	if (ret)
		return ret;
	if (goes_out_of_use(dev))
		ret = IOMMUABS_E_NOSHARE;
	else if (!streams_are_hitless(dev) &&
		 !((plan->flags | dev->attach_flags) & IOMMUABS_ALLOW_WINDOW))
		ret = IOMMUABS_E_WINDOW;
	return ret;
}

static void devices_drop_next(struct iommuabs_domain *dom)
{
	struct iommuabs_device *dev;

	for (dev = dom->devices; dev; dev = dev->next_in_domain)
		streams_drop_next(dev);
}

static int devices_prepare(struct iommuabs_domain *dom, const struct plan *plan)
{
	struct iommuabs_device *dev;
	int ret = 0;

	for (dev = dom->devices; dev && !ret; dev = dev->next_in_domain)
		if (is_concerned(dev, plan))
			ret = device_prepare(dev, dom, plan);
	if (ret)
		devices_drop_next(dom);
	return ret;
}

static int devices_use_next(struct iommuabs_domain *dom)
{
	struct iommuabs_device *dev;
	int ret = 0;

	for (dev = dom->devices; dev && !ret; dev = dev->next_in_domain)
		if (is_prepared(dev))
			ret = streams_use_next(dev);
	/* Nobody may be left on the old tables when the new ones change. */
	return ret ? ret : domain_invalidate_all(dom);
}

static void devices_go_back(struct iommuabs_domain *dom)
{
	struct iommuabs_device *dev;

	for (dev = dom->devices; dev; dev = dev->next_in_domain)
		if (is_prepared(dev))
			streams_use_binding(dev);
	(void)domain_invalidate_all(dom);
	devices_drop_next(dom);
}

static void devices_take_next(struct iommuabs_domain *dom)
{
	struct iommuabs_device *dev;

	for (dev = dom->devices; dev; dev = dev->next_in_domain)
		if (is_prepared(dev))
			streams_take_next(dev);
}

static bool anything_changes(const struct iommuabs_domain *dom)
{
	const struct iommuabs_device *dev;
	uint32_t i;

	for (dev = dom->devices; dev; dev = dev->next_in_domain)
		for (i = 0; i < dev->nr_streams; i++)
			if (dev->streams[i].next &&
			    dev->streams[i].next != dev->streams[i].binding)
				return true;
	return false;
}

/* The gate is held alone. 0 | E_AGAIN (a mirror is to be filled) | an error. */
static int devices_switch(struct iommuabs_domain *dom, const struct plan *plan)
{
	int ret = devices_prepare(dom, plan);

	if (ret)
		return ret;
	if (anything_changes(dom))
		ret = devices_use_next(dom);
	if (ret) {
		devices_go_back(dom);
		return ret;
	}
	devices_take_next(dom);
	return 0;
}

/* A view of the old p2m that nobody uses says nothing about the new one. */
static void shared_forget(struct iommuabs_domain *dom)
{
	uint64_t budget = ~(uint64_t)0;
	struct view *shared = view_find_shared(dom);

	if (shared && !shared->bindings)
		(void)view_drop(shared, &budget);
}

/* The gate is held alone: the switch itself, or nothing. */
static int domain_switch(struct iommuabs_domain *dom, const struct plan *plan)
{
	struct iommuabs_p2m old = dom->p2m;
	uint32_t had = dom->has_p2m;
	int ret;

	if (dom->destroying || (plan->p2m && port_load32(&dom->nr_batches)))
		return IOMMUABS_E_BUSY;
	if (plan->p2m) {
		dom->p2m = *plan->p2m;
		dom->has_p2m = 1;
	}
	ret = devices_switch(dom, plan);
	if (ret) {
		dom->p2m = old;
		dom->has_p2m = had;
		return ret;
	}
	dom->strategy = (enum iommuabs_strategy)plan->strategy;
	shared_forget(dom);
	return 0;
}

static int plan_run(struct iommuabs_domain *dom, const struct plan *plan,
		    uint64_t *budget)
{
	int ret;

	for (;;) {
		domain_enter_alone(dom);
		ret = domain_switch(dom, plan);
		if (ret && ret != IOMMUABS_E_AGAIN)
			views_drop_unused(dom);
		domain_leave_alone(dom);
		if (ret != IOMMUABS_E_AGAIN)
			return ret;
		ret = populate_read(dom, budget);
		if (!ret)
			ret = populate_views(dom, budget);
		if (ret == IOMMUABS_E_AGAIN)
			return ret;
		if (!ret)
			continue;
		domain_enter_alone(dom);
		views_drop_unused(dom);
		domain_leave_alone(dom);
		return ret;
	}
}

int strategy_run(struct iommuabs_domain *dom, uint32_t strategy, uint32_t flags,
		 uint64_t *budget)
{
	const struct plan plan = { strategy, flags, NULL };

	return plan_run(dom, &plan, budget);
}

int p2m_run(struct iommuabs_domain *dom, const struct iommuabs_p2m *p2m)
{
	const struct plan plan = { dom->strategy, 0, p2m };
	uint64_t budget = ~(uint64_t)0;
	int ret;

	do {
		ret = plan_run(dom, &plan, &budget);
	} while (ret == IOMMUABS_E_AGAIN);
	return ret;
}
