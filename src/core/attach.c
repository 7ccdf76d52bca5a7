/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attach.c - bind a device's streams to views, all or none
 *
 * A device is let in when everything it may see is in place, and it is out when
 * its entries block and nothing that used them is in flight. Order of gates: the
 * domain's, then a unit's.
 */
#include "change.h"

/* Could it raise an interrupt that isn't its own (C17)? */
static bool forges_interrupts(const struct iommuabs_device *dev)
{
	uint32_t i;

	for (i = 0; i < dev->nr_streams; i++)
		if (dev->streams[i].unit->hw.caps.unsafe_msi)
			return true;
	return dev->flags & IOMMUABS_DEVICE_UNSAFE_MSI;
}

int attach_check(const struct iommuabs_device *dev,
		 const struct iommuabs_domain *dom, uint32_t flags)
{
	enum iommuabs_unit_status status;
	uint32_t i;

	if (!dev->nr_streams)
		return IOMMUABS_E_UNTRANSLATED;
	for (i = 0; i < dev->nr_streams; i++)
		if (!dev->streams[i].unit->hw.ops)
			return IOMMUABS_E_NODRIVER;
	if (forges_interrupts(dev) && !(dom->flags & IOMMUABS_DOMAIN_HOST) &&
	    !(flags & IOMMUABS_ALLOW_UNSAFE_MSI))
		return IOMMUABS_E_UNSAFE_MSI;
	for (i = 0; i < dev->nr_streams; i++) {
		status = unit_status(dev->streams[i].unit);
		if (status == IOMMUABS_UNIT_FENCED ||
		    status == IOMMUABS_UNIT_FAILED ||
		    status == IOMMUABS_UNIT_DEAD)
			return IOMMUABS_E_FENCED;
	}
	return 0;
}

int attach_views(struct iommuabs_device *dev, struct iommuabs_domain *dom,
		 uint32_t strategy)
{
	struct decision decision;
	struct view *view;
	uint32_t i;
	int ret;

	for (i = 0; i < dev->nr_streams; i++) {
		ret = decide_device(dom, dev, dev->streams[i].unit, strategy,
				    &decision);
		if (!ret)
			ret = decision_view(dom, &decision, &view);
		if (ret)
			return ret;
	}
	return 0;
}

uint32_t strategy_of(const struct iommuabs_domain *dom, uint32_t asked)
{
	return asked ? asked : (uint32_t)dom->strategy;
}

void device_set(struct iommuabs_device *dev, struct iommuabs_domain *dom,
		enum device_state state)
{
	struct iommuabs *abs = dev->abs;

	ia_lock(&abs->host, &abs->lock);
	dev->dom = dom;
	dev->state = state;
	ia_unlock(&abs->host, &abs->lock);
}

static void domain_link(struct iommuabs_device *dev,
			struct iommuabs_domain *dom)
{
	device_set(dev, dom, DEVICE_ATTACHING);
	dev->next_in_domain = dom->devices;
	dom->devices = dev;
}

static void domain_unlink(struct iommuabs_device *dev)
{
	struct iommuabs_device **link = &dev->dom->devices;

	while (*link != dev)
		link = &(*link)->next_in_domain;
	*link = dev->next_in_domain;
	refuge_release(&dev->refuge);
	device_set(dev, NULL, DEVICE_BLOCKED);
}

int refuge_keep(struct iommuabs_domain *refuge)
{
	int ret = 0;

	if (!refuge)
		return 0;
	domain_enter_alone(refuge);
	if (refuge->destroying)
		ret = IOMMUABS_E_BUSY;
	else
		port_add32(&refuge->nr_refugees, 1);
	domain_leave_alone(refuge);
	return ret;
}

void refuge_release(struct iommuabs_domain **refuge)
{
	struct iommuabs_domain *dom = *refuge;

	*refuge = NULL;
	if (dom)
		port_add32(&dom->nr_refugees, (uint32_t)-1);
}

/*
 * Nothing that the device started can reach the domain any more; or the units
 * that can't say so are fenced and the domain remembers. The device's entries
 * block already.
 */
static int device_forget_domain(struct iommuabs_device *dev)
{
	struct iommuabs_domain *dom = dev->dom;
	int ret;

	if (dev->reserved_in)
		reserved_remove(dom, dev);
	dev->reserved_in = 0;
	ret = batch_owes(dom) ? domain_invalidate_all(dom) : 0;
	if (!ret)
		reserved_settle(dom);
	streams_take_next(dev); /* which are none */
	return ret;
}

/* All ids, or none: 0 | E_AGAIN (a view is to be filled first) | an error. */
static int device_bind(struct iommuabs_device *dev, struct iommuabs_domain *dom)
{
	uint32_t i;
	int ret;

	ret = streams_prepare(dev, dom, strategy_of(dom, dev->attach_strategy));
	if (ret)
		return ret;
	ret = streams_reserve(dev);
	if (ret) {
		streams_drop_next(dev);
		return ret;
	}
	/* What a storm silenced is heard again. */
	for (i = 0; i < dev->nr_streams && !ret; i++)
		ret = stream_set_quiet(dev, &dev->streams[i], 0);
	if (!ret)
		ret = streams_use_next(dev);
	if (!ret) {
		streams_take_next(dev);
		return 0;
	}
	(void)streams_block(dev);
	(void)domain_invalidate_all(dom);
	streams_drop_next(dev);
	return ret;
}

void views_drop_unused(struct iommuabs_domain *dom)
{
	uint64_t budget = ~(uint64_t)0;
	struct view *view, *next;

	if (dom->populate == IOMMUABS_POPULATE_EAGER || dom->owing)
		return;
	for (view = dom->views; view; view = next) {
		next = view->next;
		if (!view->bindings && !view->kept)
			(void)view_drop(view, &budget);
	}
	pages_trim(dom);
}

void attach_undo(struct iommuabs_device *dev, struct iommuabs_domain *dom,
		 uint32_t *reserved_in)
{
	if (*reserved_in)
		reserved_remove(dom, dev);
	*reserved_in = 0;
	if (!batch_owes(dom) || !domain_invalidate_all(dom))
		reserved_settle(dom);
	views_drop_unused(dom);
}

static void attach_give_up(struct iommuabs_device *dev,
			   struct iommuabs_domain *dom)
{
	domain_enter_alone(dom);
	attach_undo(dev, dom, &dev->reserved_in);
	domain_unlink(dev);
	domain_leave_alone(dom);
}

int attach_prepare(struct iommuabs_device *dev, struct iommuabs_domain *dom,
		   uint32_t strategy, uint32_t *reserved_in, uint64_t *budget)
{
	int ret = populate_read(dom, budget);

	if (ret)
		return ret;
	domain_enter_alone(dom);
	if (!*reserved_in) {
		ret = reserved_add(dom, dev);
		*reserved_in = !ret;
		/* Devices that are in already may have looked there. */
		if (!ret && dom->caching_bindings)
			ret = domain_invalidate_all(dom);
	}
	if (!ret)
		ret = attach_views(dev, dom, strategy_of(dom, strategy));
	domain_leave_alone(dom);
	if (!ret)
		ret = populate_views(dom, budget);
	return ret;
}

static int attach_finish(struct iommuabs_device *dev,
			 struct iommuabs_domain *dom, uint64_t *budget)
{
	int ret;

	do {
		ret = attach_prepare(dev, dom, dev->attach_strategy,
				     &dev->reserved_in, budget);
		if (ret)
			break;
		domain_enter_alone(dom);
		ret = device_bind(dev, dom);
		if (!ret)
			device_set(dev, dom, DEVICE_ATTACHED);
		domain_leave_alone(dom);
	} while (ret == IOMMUABS_E_AGAIN && *budget);
	return ret;
}

static int attach_begin(struct iommuabs_device *dev,
			struct iommuabs_domain *dom,
			const struct iommuabs_attach_options *options)
{
	struct iommuabs_domain *refuge = options ? options->quarantine : NULL;
	uint32_t flags = options ? options->flags : 0;
	int ret;

	if (dev->state == DEVICE_ATTACHED)
		return IOMMUABS_E_BUSY;
	if (dev->state == DEVICE_ATTACHING)
		return dev->dom == dom ? 0 : IOMMUABS_E_BUSY;
	ret = attach_check(dev, dom, flags);
	if (!ret)
		ret = pci_device_check(dev);
	if (!ret)
		ret = ats_way_check(dev, flags);
	if (!ret)
		ret = refuge_keep(refuge);
	if (ret)
		return ret;
	domain_enter_alone(dom);
	if (dom->destroying) {
		domain_leave_alone(dom);
		refuge_release(&refuge);
		return IOMMUABS_E_BUSY;
	}
	dev->refuge = refuge;
	dev->attach_flags = flags;
	dev->attach_strategy = options ? options->strategy : 0;
	dev->fault_policy = options ? options->fault_policy : 0;
	domain_link(dev, dom);
	domain_leave_alone(dom);
	return 0;
}

bool device_take(struct iommuabs_device *dev)
{
	uint32_t idle = 0;
	bool alone;

	if (!port_cas32(&dev->busy, &idle, 1))
		return false;
	/* It became one with others in the last moment: they are busy. Once it
	 * is given back that can end, so there is one look. */
	alone = !dev->group;
	if (!alone)
		device_give(dev);
	return alone;
}

void device_give(struct iommuabs_device *dev)
{
	port_store32(&dev->busy, 0);
}

int attach_run(struct iommuabs_device *dev, struct iommuabs_domain *dom,
	       const struct iommuabs_attach_options *options, uint64_t *budget)
{
	int ret;

	if (!device_take(dev))
		return IOMMUABS_E_BUSY;
	ret = attach_begin(dev, dom, options);
	if (!ret) {
		ret = attach_finish(dev, dom, budget);
		if (ret && ret != IOMMUABS_E_AGAIN)
			attach_give_up(dev, dom);
	}
	device_give(dev);
	return ret;
}

static int detach_attached(struct iommuabs_device *dev)
{
	struct iommuabs_domain *dom = dev->dom;
	int ret, forgot;

	domain_enter_alone(dom);
	ret = streams_block(dev);
	forgot = device_forget_domain(dev);
	domain_unlink(dev);
	domain_leave_alone(dom);
	/* A unit that was fenced before blocks it: that is a success. */
	if (!ret && forgot == IOMMUABS_E_TIMEOUT)
		ret = forgot;
	return ret;
}

int detach_run(struct iommuabs_device *dev, uint64_t *budget)
{
	int ret = 0;

	(void)budget; /* the work is bounded by the device's ids */
	if (!device_take(dev))
		return IOMMUABS_E_BUSY;
	if (dev->to)
		move_give_up(dev);
	if (dev->state == DEVICE_ATTACHING)
		attach_give_up(dev, dev->dom);
	else if (dev->state == DEVICE_ATTACHED)
		ret = detach_attached(dev);
	device_give(dev);
	return ret;
}

int attach_rewrite_shared(struct iommuabs_domain *dom)
{
	struct device_stream *stream;
	struct iommuabs_device *dev;
	uint32_t i;
	int ret = 0, one;

	for (dev = dom->devices; dev; dev = dev->next_in_domain) {
		for (i = 0; i < dev->nr_streams; i++) {
			stream = &dev->streams[i];
			if (!stream->binding ||
			    stream->binding->view->kind != VIEW_SHARED)
				continue;
			one = stream_point(dev, stream, stream->binding);
			if (one && !ret)
				ret = one;
		}
	}
	one = dom->nr_bad ? domain_invalidate_all(dom) : 0;
	return ret ? ret : one;
}
