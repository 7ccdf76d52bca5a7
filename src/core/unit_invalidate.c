/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit_invalidate.c - a unit forgets what it cached, or is fenced
 */
#include "unit.h"

/*
 * Block the streams of a device that keeps translations to itself. What it still
 * holds is refused from then on: it claims to be translated, and may not.
 */
static int streams_cut_off(struct iommuabs_unit *unit,
			   const struct backend_streams *stuck)
{
	struct iommuabs *abs = unit->abs;
	const struct hostif *host = &abs->host;
	struct iommuabs_device *dev;
	struct device_stream *stream;
	int ret;

	unit_enter_alone(unit);
	ret = unit->hw.ops->stream_set(&unit->hw, stuck->first, stuck->nr, NULL,
				       0);
	ia_lock(host, &abs->lock);
	dev = device_of_stream(unit, stuck->first);
	stream = dev ? device_stream_of(dev, unit, stuck->first) : NULL;
	if (stream) /* until it is attached anew */
		stream->quiet |= STREAM_CUT_OFF;
	hostif_log(host, IOMMUABS_LOG_ERROR,
		   "%s: %s, stream %x: keeps its translations, cut off",
		   unit->name, dev ? dev->name : "unknown device",
		   stuck->first);
	if (dev)
		(void)unit_isolate_device(host, dev);
	ia_unlock(host, &abs->lock);
	unit_leave_alone(unit);
	return ret;
}

static int invalidate(struct iommuabs_unit *unit, const struct backend_inv *inv)
{
	struct backend_streams stuck;
	int ret;

	while ((ret = unit->hw.ops->invalidate(&unit->hw, inv, &stuck))) {
		/* Leaves fewer streams with translations of their own. */
		if (ret == BACKEND_STUCK)
			ret = streams_cut_off(unit, &stuck);
		if (!ret)
			continue;
		unit_fence(unit, ret);
		break;
	}
	return ret;
}

/*
 * A unit that is being enabled translates before it counts as running: the driver
 * knows from when on. What a fence was to keep stays owed, lest it isn't enabled
 * in the end.
 */
static int invalidate_idle(struct iommuabs_unit *unit,
			   const struct backend_inv *inv)
{
	int ret = 0;

	/* Stores to tables before the look, as in bring_up() the other way round. */
	port_mb();
	if (port_load64_acquire(&unit->coming) ||
	    unit_status(unit) == IOMMUABS_UNIT_RUNNING)
		ret = invalidate(unit, inv);
	return !ret && unit_is_fenced(unit) ? IOMMUABS_E_FENCED : ret;
}

int unit_invalidate(struct iommuabs_unit *unit, const struct backend_inv *inv)
{
	return unit_status(unit) == IOMMUABS_UNIT_RUNNING
		       ? invalidate(unit, inv)
		       : invalidate_idle(unit, inv);
}
