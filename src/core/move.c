/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * move.c - a device goes from one domain to another in one step
 *
 * While the new domain is prepared (its views filled, the device's reserved
 * regions in it) the device goes on in the old one. The move itself is done with
 * both gates held alone. A device of one id whose entry changes in one store sees
 * the one domain until that and the other from then on. Any other is blocked, and
 * what it had under way is over, before the first of its ids is let into the new
 * domain: it never sees both, and what it does meanwhile faults.
 */
#include "change.h"

/* One store is enough, and nobody could tell in between. */
static bool is_one_step(const struct iommuabs_device *dev)
{
	const struct device_stream *stream = dev->streams;
	uint32_t changed =
		(dev->attach_flags ^ dev->to_flags) & IOMMUABS_ALLOW_ATS;

	return dev->nr_streams == 1 && stream->nr == 1 &&
	       !(changed && stream->unit->hw.caps.ats) &&
	       streams_are_hitless(dev);
}

/* Does nothing of the device go through now, so that nothing can be missed? */
static bool is_quiet(const struct iommuabs_device *dev)
{
	const struct device_stream *stream;
	uint32_t i;

	for (i = 0; i < dev->nr_streams; i++) {
		stream = &dev->streams[i];
		if (stream->live &&
		    unit_status(stream->unit) == IOMMUABS_UNIT_RUNNING)
			return false;
	}
	return true;
}

static void flags_exchange(struct iommuabs_device *dev)
{
	uint32_t flags = dev->attach_flags;

	dev->attach_flags = dev->to_flags;
	dev->to_flags = flags;
}

/* Point the device's entries at the new domain; nothing of the old is left. */
static int entries_move(struct iommuabs_device *dev, bool one_step)
{
	int ret = 0;

	if (!one_step) {
		ret = streams_block(dev);
		if (!ret)
			ret = streams_invalidate(dev);
	}
	flags_exchange(dev);
	if (!ret)
		ret = streams_use_next(dev);
	if (!ret && one_step)
		ret = streams_invalidate(dev);
	return ret;
}

/* As if nothing had happened; what the new domain's tables let in is over. */
static void entries_go_back(struct iommuabs_device *dev)
{
	struct device_stream *stream;
	bool used;
	uint32_t i;

	flags_exchange(dev);
	for (i = 0; i < dev->nr_streams; i++) {
		stream = &dev->streams[i];
		used = stream->live == stream->next;
		(void)stream_point(dev, stream, NULL);
		if (used)
			(void)binding_invalidate(stream->next);
	}
	streams_use_binding(dev);
	streams_drop_next(dev);
}

/* Its regions leave the old domain, where other devices may still be. */
static void regions_leave(struct iommuabs_device *dev,
			  struct iommuabs_domain *from)
{
	if (dev->reserved_in) {
		reserved_remove(from, dev);
		if (!batch_owes(from) || !domain_invalidate_all(from))
			reserved_settle(from);
	}
	dev->reserved_in = dev->reserved_to;
	dev->reserved_to = 0;
}

static void device_relink(struct iommuabs_device *dev,
			  struct iommuabs_domain *to)
{
	struct iommuabs_device **link = &dev->dom->devices;

	while (*link != dev)
		link = &(*link)->next_in_domain;
	*link = dev->next_in_domain;
	dev->next_in_domain = to->devices;
	to->devices = dev;
	device_set(dev, to, DEVICE_ATTACHED);
	to->nr_coming--;
	dev->attach_strategy = dev->to_strategy;
	dev->fault_policy = dev->to_fault_policy;
	refuge_release(&dev->refuge);
	dev->refuge = dev->to_refuge;
	dev->to_refuge = NULL;
	dev->to = NULL;
}

/* Both gates are held alone. 0 | E_AGAIN (a view is to be filled) | an error. */
static int move_now(struct iommuabs_device *dev)
{
	struct iommuabs_domain *from = dev->dom, *to = dev->to;
	bool one_step;
	int ret;

	ret = streams_prepare(dev, to, strategy_of(to, dev->to_strategy));
	if (ret)
		return ret;
	one_step = is_one_step(dev);
	if (!one_step && !is_quiet(dev) &&
	    !(dev->to_flags & IOMMUABS_ALLOW_WINDOW)) {
		streams_drop_next(dev);
		return IOMMUABS_E_WINDOW;
	}
	ret = entries_move(dev, one_step);
	if (ret) {
		entries_go_back(dev);
		return ret;
	}
	streams_take_next(dev);
	regions_leave(dev, from);
	device_relink(dev, to);
	return 0;
}

/* Gates of two domains are entered in the order of the domains' numbers. */
static void both_enter_alone(struct iommuabs_domain *a,
			     struct iommuabs_domain *b)
{
	bool in_order = a->owner.number < b->owner.number;

	domain_enter_alone(in_order ? a : b);
	domain_enter_alone(in_order ? b : a);
}

static void both_leave_alone(struct iommuabs_domain *a,
			     struct iommuabs_domain *b)
{
	domain_leave_alone(a);
	domain_leave_alone(b);
}

static int move_finish(struct iommuabs_device *dev, uint64_t *budget)
{
	struct iommuabs_domain *from = dev->dom, *to = dev->to;
	int ret;

	do {
		ret = attach_prepare(dev, to, dev->to_strategy,
				     &dev->reserved_to, budget);
		if (ret)
			break;
		both_enter_alone(from, to);
		ret = move_now(dev);
		both_leave_alone(from, to);
	} while (ret == IOMMUABS_E_AGAIN && *budget);
	return ret;
}

static int move_begin(struct iommuabs_device *dev, struct iommuabs_domain *dom,
		      const struct iommuabs_attach_options *options)
{
	struct iommuabs_domain *refuge = options ? options->quarantine : NULL;
	uint32_t flags = options ? options->flags : 0;
	int ret;

	if (dev->to)
		return dev->to == dom ? 0 : IOMMUABS_E_BUSY;
	if (dev->state == DEVICE_BLOCKED)
		return IOMMUABS_E_NOENT;
	if (dev->state != DEVICE_ATTACHED || dev->dom == dom)
		return IOMMUABS_E_BUSY;
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
	if (dom->destroying)
		ret = IOMMUABS_E_BUSY;
	else
		dom->nr_coming++;
	domain_leave_alone(dom);
	if (ret) {
		refuge_release(&refuge);
		return ret;
	}
	dev->to_refuge = refuge;
	dev->to = dom;
	dev->to_flags = flags;
	dev->to_strategy = options ? options->strategy : 0;
	dev->to_fault_policy = options ? options->fault_policy : 0;
	return 0;
}

void move_give_up(struct iommuabs_device *dev)
{
	struct iommuabs_domain *to = dev->to;

	domain_enter_alone(to);
	attach_undo(dev, to, &dev->reserved_to);
	to->nr_coming--;
	domain_leave_alone(to);
	refuge_release(&dev->to_refuge);
	dev->to = NULL;
}

int move_run(struct iommuabs_device *dev, struct iommuabs_domain *dom,
	     const struct iommuabs_attach_options *options, uint64_t *budget)
{
	int ret;

	if (!device_take(dev))
		return IOMMUABS_E_BUSY;
	ret = move_begin(dev, dom, options);
	if (!ret) {
		ret = move_finish(dev, budget);
		if (ret && ret != IOMMUABS_E_AGAIN)
			move_give_up(dev);
	}
	device_give(dev);
	return ret;
}
