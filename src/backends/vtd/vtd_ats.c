/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vtd_ats.c - devices that keep translations of their own (VT-d 4, 6.5.2.5)
 *
 * What a device holds from before is forgotten before its requests count as
 * translated: the context entry allows them last. One device is asked at a time,
 * and the next when no invalidation of that one is under way any more, so that a
 * time-out (6.5.2.11) tells whose it was.
 */
#include "vtd.h"

#if IOMMUABS_CONFIG_VTD

/* ---- descriptors ---- */

/* What they are to forget, NULL: everything. */
struct forget {
	const struct vtd *vtd;
	const struct backend_streams *streams;
	const struct backend_range *range;
};

/* As the PCIe specification has it: the lowest 0 of the address tells the size. */
static uint64_t address_of(const struct backend_range *range)
{
	unsigned int lg2 = range ? backend_ats_span(range) : 51;
	uint64_t frame = range ? range->gfn >> lg2 << lg2 : 0;

	if (lg2)
		frame |= IA_BITS(lg2 - 1);
	return frame << IOMMUABS_FRAME_LG2 |
	       field_put(VTD_DEVICE_TLB_S, lg2 != 0);
}

static void emit(struct vtd_batch *batch, const void *arg)
{
	const struct forget *what = arg;
	bool throttles = vtd_has(VTD_ECAP_DIT, what->vtd->ecap);
	uint32_t i, sid;

	for (i = 0; i < what->streams->nr; i++) {
		sid = what->streams->first + i;
		/* One at a time, which every device can take; on behalf of itself
		 * where the unit holds back what a device sends meanwhile. */
		vtd_batch_add(batch,
			      field_put(VTD_DESC_TYPE, VTD_DESC_DEVICE_TLB) |
				      field_put(VTD_DEVICE_TLB_MIP, 1) |
				      field_put(VTD_DEVICE_TLB_SID, sid) |
				      field_put(VTD_DEVICE_TLB_PFSID_LOW,
						throttles ? sid & 0xf : 0) |
				      field_put(VTD_DEVICE_TLB_PFSID_HIGH,
						throttles ? sid >> 4 : 0),
			      address_of(what->range));
	}
}

static bool is_my_turn(struct backend_unit *unit, void *arg)
{
	uint32_t idle = 0;

	(void)arg;
	return port_cas32(&vtd_of(unit)->ats_busy, &idle, 1);
}

static void emit_nothing(struct vtd_batch *batch, const void *arg)
{
	(void)batch;
	(void)arg;
}

/*
 * A device that was asked more than once may be late more than once: a wait for all
 * that is under way is repeated until no time-out drops it.
 */
static int outlast(struct vtd *vtd)
{
	return vtd_submit(vtd, emit_nothing, NULL);
}

int vtd_ats_forget(struct backend_unit *unit,
		   const struct backend_streams *streams,
		   const struct backend_range *range)
{
	struct vtd *vtd = vtd_of(unit);
	const struct forget what = { vtd, streams, range };
	int ret = backend_poll(unit, "another device is asked to forget",
			       is_my_turn, NULL);

	if (ret)
		return ret;
	ret = vtd_submit_ats(vtd, emit, &what);
	if (ret == BACKEND_STUCK && outlast(vtd))
		ret = IOMMUABS_E_TIMEOUT;
	port_store32(&vtd->ats_busy, 0);
	return ret;
}

/* ---- which entries allow it ---- */

int vtd_ats_open(struct vtd *vtd, struct backend_ats *ats)
{
	struct backend_unit *unit = vtd->unit;
	int ret;

	/* enable() does it when the queue runs. */
	if (!port_load32(&unit->enabled))
		return 0;
	ret = backend_ats_forget(unit, ats, NULL, vtd_ats_forget);
	if (!ret)
		return vtd_contexts_ats(vtd, ats->first, ats->nr, true);
	if (ret != BACKEND_STUCK)
		return ret;
	hostif_log(unit->host, IOMMUABS_LOG_WARNING,
		   "%s: stream %x keeps its translations: no ATS for it",
		   unit->name, ats->first);
	backend_ats_enter(ats, 0);
	return 0;
}

int vtd_ats_close(struct vtd *vtd, uint32_t first, uint32_t nr)
{
	const struct backend_ats *ats;
	int ret = 0, one;

	for (ats = vtd->ats; ats; ats = ats->next) {
		if (!backend_ats_is_open(ats, first, nr))
			continue;
		one = vtd_contexts_ats(vtd, ats->first, ats->nr, false);
		ret = ret ? ret : one;
	}
	return ret;
}

int vtd_ats_reopen(struct vtd *vtd)
{
	struct backend_ats *ats;
	int ret = 0;

	for (ats = vtd->ats; ats && !ret; ats = ats->next)
		if (port_load32(&ats->id))
			ret = vtd_ats_open(vtd, ats);
	return ret;
}

#endif
