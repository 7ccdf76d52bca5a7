/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * faults.c - what units blocked, told to the host
 *
 * A device that may write to memory it must not can fill an event queue faster
 * than anybody reads it. So what one poll takes is bounded, equal events are
 * merged before the host hears of them, the next poll begins with another unit,
 * and a device whose events come in a storm is silenced at the unit: what it is
 * blocked from isn't recorded any more.
 */
#include "change.h"

#define EVENTS_AT_ONCE 8
#define MERGED_MAX     16   /* different events that wait to be told */
#define QUEUE_MAX      4096 /* of one unit in one poll, as fault.h says */

struct merged {
	struct backend_event event; /* the first of them */
	uint32_t count;
};

struct drain {
	struct iommuabs_unit *unit;
	struct merged merged[MERGED_MAX];
	uint32_t nr_merged;
	uint32_t taken; /* of this unit */
};

static bool events_equal(const struct backend_event *a,
			 const struct backend_event *b)
{
	return a->stream == b->stream && a->reason == b->reason &&
	       a->access == b->access && a->has_address == b->has_address &&
	       (!a->has_address || a->address >> IOMMUABS_FRAME_LG2 ==
					   b->address >> IOMMUABS_FRAME_LG2);
}

/* Lock held: count. What is to be done about @dev from now on? */
static enum iommuabs_fault_action storm_watch(struct iommuabs_device *dev,
					      uint32_t events)
{
	uint64_t now = hostif_time_us(&dev->abs->host);

	dev->faults += events;
	if (now - dev->storm_us >= IOMMUABS_STORM_US) {
		dev->storm_us = now;
		dev->storm_events = 0;
	}
	dev->storm_events += events;
	if (dev->storm_events < IOMMUABS_STORM_EVENTS || device_quiet(dev))
		return IOMMUABS_FAULT_NOTED;
	dev->storm_events = 0;
	dev->storms++;
	switch (dev->fault_policy) {
	case IOMMUABS_FAULTS_REPORT:
		return IOMMUABS_FAULT_NOTED;
	case IOMMUABS_FAULTS_QUARANTINE:
		return IOMMUABS_FAULT_QUARANTINED;
	default:
		return IOMMUABS_FAULT_SILENCED;
	}
}

/* False: it has nowhere to go, or the way there is barred. */
static bool move_away(struct iommuabs_device *dev)
{
	struct iommuabs_attach_options options = {
		.size = sizeof(options),
		.flags = IOMMUABS_ALLOW_WINDOW | IOMMUABS_ALLOW_UNSAFE_MSI,
		.fault_policy = IOMMUABS_FAULTS_QUARANTINE,
	};
	struct iommuabs_domain *refuge;
	uint64_t budget = ~(uint64_t)0;
	bool kept;
	int ret;

	/* It may be detached right now, and the domain destroyed. */
	if (!device_take(dev))
		return false;
	refuge = dev->refuge;
	kept = refuge && !refuge_keep(refuge);
	device_give(dev);
	if (!kept)
		return false;
	ret = move_run(dev, refuge, &options, &budget);
	/* There is nothing to fill: views of a scratch domain begin complete. */
	iommuabs_assert(ret != IOMMUABS_E_AGAIN);
	refuge_release(&refuge);
	return !ret;
}

/*
 * The device stays, as long as the poll runs. An id whose entry could not be had
 * is blocked and recorded, as before.
 */
static void storm_end(struct iommuabs_device *dev,
		      enum iommuabs_fault_action action)
{
	uint32_t i, quiet = STREAM_SILENT;
	bool away = false;

	if (action == IOMMUABS_FAULT_NOTED)
		return;
	if (action == IOMMUABS_FAULT_QUARANTINED)
		away = move_away(dev);
	if (action == IOMMUABS_FAULT_QUARANTINED && !away)
		quiet |= STREAM_CUT_OFF;
	hostif_log(&dev->abs->host, IOMMUABS_LOG_WARNING,
		   "%s: a storm of faults, %s", dev->name,
		   away			    ? "moved to a scratch page"
		   : quiet & STREAM_CUT_OFF ? "cut off"
					    : "silenced");
	(void)streams_reserve(dev);
	for (i = 0; i < dev->nr_streams; i++)
		(void)stream_set_quiet(dev, &dev->streams[i], quiet);
}

int faults_set_policy(struct iommuabs_device *dev, uint32_t policy)
{
	struct iommuabs *abs = dev->abs;
	struct device_stream *stream;
	uint32_t i;
	int ret = 0, one;

	ia_lock(&abs->host, &abs->lock);
	dev->fault_policy = policy;
	dev->storm_events = 0;
	ia_unlock(&abs->host, &abs->lock);
	for (i = 0; i < dev->nr_streams; i++) {
		stream = &dev->streams[i];
		if (port_load32(&stream->quiet) & STREAM_CUT_OFF)
			continue;
		one = stream_set_quiet(dev, stream, 0);
		ret = ret ? ret : one;
	}
	return ret;
}

void faults_report(struct iommuabs_device *dev,
		   struct iommuabs_device_stats *stats)
{
	struct iommuabs *abs = dev->abs;
	uint32_t quiet = device_quiet(dev);

	ia_lock(&abs->host, &abs->lock);
	stats->faults = dev->faults;
	stats->storms = dev->storms;
	stats->quarantined = dev->dom && domain_is_scratch(dev->dom);
	ia_unlock(&abs->host, &abs->lock);
	stats->silenced = !!(quiet & STREAM_SILENT);
	stats->quarantined |= !!(quiet & STREAM_CUT_OFF);
}

/*
 * Whose it is now; counted there. False: it comes after the device was silenced,
 * and nobody wants to hear of it.
 */
static bool fault_attribute(struct iommuabs_fault *fault)
{
	struct iommuabs *abs = fault->unit->abs;
	struct iommuabs_device *dev;
	bool heard = true;

	ia_lock(&abs->host, &abs->lock);
	dev = device_of_stream(fault->unit, fault->stream);
	if (dev) {
		heard = !(device_quiet(dev) & STREAM_SILENT);
		fault->action = storm_watch(dev, fault->count);
		fault->dev = dev;
		fault->dev_cookie = dev->cookie;
		/* A domain is unlinked under this lock before it is freed. */
		fault->dom = dev->dom;
		fault->dom_cookie = dev->dom ? dev->dom->cookie : NULL;
	}
	ia_unlock(&abs->host, &abs->lock);
	return heard;
}

static void fault_tell(struct iommuabs_unit *unit, const struct merged *merged)
{
	const struct hostif *host = &unit->abs->host;
	const struct backend_event *event = &merged->event;
	struct iommuabs_fault fault = {
		.size = sizeof(fault),
		.reason = event->reason,
		.unit = unit,
		.unit_cookie = unit->cookie,
		.stream = event->stream,
		.access = event->access,
		.count = merged->count,
	};
	uint32_t i, hook;

	if (event->has_address) {
		fault.address = event->address;
		fault.gfn = IOMMUABS_GFN(event->address >> IOMMUABS_FRAME_LG2);
	}
	for (i = 0; i < IA_COUNT(fault.raw); i++)
		fault.raw[i] = event->raw[i];
	if (!fault_attribute(&fault))
		return;
	if (fault.dev)
		storm_end(fault.dev, fault.action);
	if (!host->ops.fault)
		return;
	caller_is_outside(host);
	hook = caller_hook(host, CALLER_HOOK_FAULT);
	host->ops.fault(host->ctx, &fault);
	(void)caller_hook(host, hook);
}

static void merged_tell(struct drain *drain)
{
	uint32_t i;

	for (i = 0; i < drain->nr_merged; i++)
		fault_tell(drain->unit, &drain->merged[i]);
	drain->nr_merged = 0;
}

static void merge(struct drain *drain, const struct backend_event *event)
{
	uint32_t i;

	for (i = 0; i < drain->nr_merged; i++)
		if (events_equal(&drain->merged[i].event, event)) {
			drain->merged[i].count++;
			return;
		}
	if (drain->nr_merged == MERGED_MAX)
		merged_tell(drain);
	drain->merged[drain->nr_merged].event = *event;
	drain->merged[drain->nr_merged].count = 1;
	drain->nr_merged++;
}

/* Take up to @max records of @unit. Returns how many. */
static uint32_t drain_unit(struct iommuabs_unit *unit, uint32_t max)
{
	struct backend_event events[EVENTS_AT_ONCE];
	struct drain drain;
	uint32_t want, got, i;

	drain.unit = unit;
	drain.nr_merged = 0;
	drain.taken = 0;
	do {
		want = IA_MIN(max - drain.taken, (uint32_t)EVENTS_AT_ONCE);
		got = unit->hw.ops->events(&unit->hw, events, want);
		for (i = 0; i < got; i++)
			merge(&drain, &events[i]);
		drain.taken += got;
	} while (got == want && drain.taken < max);
	merged_tell(&drain);
	return drain.taken;
}

static bool has_queue(const struct iommuabs_unit *unit)
{
	enum iommuabs_unit_status status = unit_status(unit);

	return status == IOMMUABS_UNIT_RUNNING ||
	       status == IOMMUABS_UNIT_FENCED;
}

static void look_at_errors(struct iommuabs *abs)
{
	struct iommuabs_unit *unit;
	int ret;

	for (unit = abs->units; unit; unit = unit->next) {
		if (unit_status(unit) != IOMMUABS_UNIT_RUNNING)
			continue;
		ret = unit->hw.ops->errors(&unit->hw);
		if (ret)
			unit_fence(unit, ret);
	}
}

static struct iommuabs_unit *unit_at(struct iommuabs *abs, uint32_t n)
{
	struct iommuabs_unit *unit = abs->units;

	for (; unit && n; n--)
		unit = unit->next;
	return unit;
}

/* 0, or E_AGAIN when a limit was reached. */
static int drain_all(struct iommuabs *abs, uint32_t max, uint32_t *drained)
{
	struct iommuabs_unit *unit, *first = unit_at(abs, abs->poll_from);
	uint32_t limit, got;
	int ret = 0;

	first = first ? first : abs->units;
	unit = first;
	while (unit) {
		limit = max ? IA_MIN(max - *drained, (uint32_t)QUEUE_MAX)
			    : (uint32_t)QUEUE_MAX;
		got = has_queue(unit) ? drain_unit(unit, limit) : 0;
		*drained += got;
		if (got == limit)
			ret = IOMMUABS_E_AGAIN;
		unit = unit->next ? unit->next : abs->units;
		if (unit == first || (max && *drained == max))
			break;
	}
	abs->poll_from = 0;
	for (first = abs->units; first != unit; first = first->next)
		abs->poll_from++;
	return ret;
}

/* Nobody polls any more: let devices go that were removed meanwhile. */
static void poll_end(struct iommuabs *abs)
{
	struct iommuabs_device *dev, *next;

	ia_lock(&abs->host, &abs->lock);
	dev = abs->graveyard;
	abs->graveyard = NULL;
	port_store32(&abs->polling, 0);
	ia_unlock(&abs->host, &abs->lock);
	for (; dev; dev = next) {
		next = dev->next;
		device_free(dev);
	}
}

int faults_drain(struct iommuabs *abs, uint32_t max, uint32_t *drained)
{
	uint32_t idle = 0;
	int ret;

	*drained = 0;
	if (!port_cas32(&abs->polling, &idle, 1))
		return IOMMUABS_E_BUSY;
	look_at_errors(abs);
	ret = drain_all(abs, max, drained);
	poll_end(abs);
	return ret;
}
