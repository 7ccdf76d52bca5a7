/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit_fence.c - a unit that doesn't answer is made to block, by it or without it
 */
#include "unit.h"

/* abs->lock held: is it one that @unit would let through to something? */
static bool reaches_through(const struct iommuabs_device *dev,
			    const struct iommuabs_unit *unit)
{
	uint32_t i;

	for (i = 0; dev->state != DEVICE_BLOCKED && i < dev->nr_streams; i++)
		if (dev->streams[i].unit == unit)
			return true;
	return false;
}

int unit_isolate_device(const struct hostif *host,
			const struct iommuabs_device *dev)
{
	uint32_t hook;
	int ret;

	if (!host->ops.device_isolate)
		return IOMMUABS_E_NOTSUP;
	hook = caller_hook(host, CALLER_HOOK_CLOSED);
	ret = host->ops.device_isolate(host->ctx, dev->cookie);
	(void)caller_hook(host, hook);
	return ret;
}

/* Cut each device off that the unit can't. False: some may still do DMA. */
static bool isolate_devices(struct iommuabs_unit *unit)
{
	struct iommuabs *abs = unit->abs;
	const struct hostif *host = &abs->host;
	struct iommuabs_device *dev;
	bool all = true;

	/* Locked, so that no device goes away while the host deals with it. */
	ia_lock(host, &abs->lock);
	for (dev = abs->devices; dev; dev = dev->next) {
		if (!reaches_through(dev, unit))
			continue;
		if (unit_isolate_device(host, dev)) {
			hostif_log(host, IOMMUABS_LOG_ERROR,
				   "%s: can't be isolated", dev->name);
			all = false;
		}
	}
	ia_unlock(host, &abs->lock);
	return all;
}

void unit_block_by_force(struct iommuabs_unit *unit,
			 enum iommuabs_unit_status status, int error)
{
	const struct hostif *host = &unit->abs->host;
	uint32_t hook;

	/* Callers that come now must not wait for the unit any more. */
	unit_status_set(unit, IOMMUABS_UNIT_FENCED, error);
	if (!unit->hw.ops->fence(&unit->hw)) {
		unit_status_set(unit, status, error);
		return;
	}
	hostif_log(host, IOMMUABS_LOG_ERROR,
		   "%s: does not acknowledge that it blocks", unit->name);
	if (isolate_devices(unit)) {
		unit_status_set(unit, status, error);
		return;
	}
	unit_status_set(unit, IOMMUABS_UNIT_DEAD, error);
	hostif_log(host, IOMMUABS_LOG_ERROR,
		   "%s: dead, what its devices can reach is withheld",
		   unit->name);
	if (!host->ops.unit_dead)
		return;
	hook = caller_hook(host, CALLER_HOOK_CLOSED);
	host->ops.unit_dead(host->ctx, unit->cookie);
	(void)caller_hook(host, hook);
}

void unit_fence(struct iommuabs_unit *unit, int error)
{
	unit_enter_alone(unit);
	if (unit_status(unit) == IOMMUABS_UNIT_RUNNING) {
		hostif_log(&unit->abs->host, IOMMUABS_LOG_ERROR,
			   "%s: fenced: %s", unit->name,
			   unit->hw.reason[0] ? unit->hw.reason
					      : iommuabs_strerror(error));
		unit_block_by_force(unit, IOMMUABS_UNIT_FENCED, error);
	}
	unit_leave_alone(unit);
}

/* A CPU that still runs must not wait for the unit, nor enable it unasked. */
int unit_crash_block(struct iommuabs_unit *unit)
{
	if (!unit->hw.ops)
		return 0;
	port_store32(&unit->status, IOMMUABS_UNIT_FENCED);
	return unit->hw.ops->crash_block(&unit->hw);
}
