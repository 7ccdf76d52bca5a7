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

/* What they are to forget, NULL: everything. */
struct forgotten {
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
	const struct forgotten *what = arg;
	bool throttles = vtd_has(VTD_ECAP_DIT, what->vtd->ecap);
	uint32_t i, sid, pf;

	for (i = 0; i < what->streams->nr; i++) {
		sid = what->streams->first + i;
		pf = throttles ? backend_ats_physical(what->vtd->ats, sid) : 0;
		/* One at a time, which every device can take; where the unit holds
		 * back what a device sends meanwhile it does so by the physical
		 * function (PFSID). */
		vtd_batch_add(
			batch,
			field_put(VTD_DESC_TYPE, VTD_DESC_DEVICE_TLB) |
				field_put(VTD_DEVICE_TLB_MIP, 1) |
				field_put(VTD_DEVICE_TLB_SID, sid) |
				field_put(VTD_DEVICE_TLB_PFSID_LOW, pf & 0xf) |
				field_put(VTD_DEVICE_TLB_PFSID_HIGH, pf >> 4),
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

static int forget(struct backend_unit *unit,
		  const struct backend_streams *streams,
		  const struct backend_range *range)
{
	struct vtd *vtd = vtd_of(unit);
	const struct forgotten what = { vtd, streams, range };
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

static int allow(struct backend_unit *unit, const struct backend_ats *ats,
		 bool on)
{
	return vtd_contexts_ats(vtd_of(unit), ats->first, ats->nr, on);
}

void vtd_stream_physical(struct backend_unit *unit, uint32_t stream,
			 uint32_t physical)
{
	backend_ats_physical_set(vtd_of(unit)->ats, stream, physical);
}

const struct backend_ats_ops vtd_ats_ops = {
	.forget = forget,
	.allow = allow,
};

#endif
