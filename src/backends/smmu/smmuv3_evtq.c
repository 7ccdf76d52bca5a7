/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smmuv3_evtq.c - the event queue (IHI 0070 3.5, 7.2 to 7.4)
 */
#include "smmuv3.h"

#if IOMMUABS_CONFIG_SMMU

void smmuv3_event_decode(const uint64_t raw[EVENT_WORDS],
			 struct backend_event *event)
{
	uint32_t i;

	__builtin_memset(event, 0, sizeof(*event));
	for (i = 0; i < EVENT_WORDS; i++)
		event->raw[i] = raw[i];
	event->stream = (uint32_t)field_get(EVENT0_SID, raw[0]);
	event->reason = IOMMUABS_FAULT_OTHER;
	switch (field_get(EVENT0_ID, raw[0])) {
	case EVENT_C_BAD_STREAMID: /* no table, or out of range */
	case EVENT_C_BAD_STE:	   /* V is 0 */
		event->reason = IOMMUABS_FAULT_STREAM;
		return;
	case EVENT_F_TRANSLATION:
		event->reason = IOMMUABS_FAULT_TRANSLATION;
		break;
	case EVENT_F_PERMISSION:
		event->reason = IOMMUABS_FAULT_PERMISSION;
		break;
	case EVENT_F_ADDR_SIZE:
	case EVENT_F_ACCESS:
		break;
	default:
		return;
	}
	event->access = raw[1] & EVENT1_RNW ? IOMMUABS_READ : IOMMUABS_WRITE;
	event->has_address = 1;
	event->address = raw[2];
}

static uint32_t index_mask(const struct smmuv3_evtq *q)
{
	return (2u << q->lg2) - 1; /* with the wrap bit */
}

/* The record at the queue's read index; the lock is held. */
static void record_read(struct smmuv3 *smmu, uint64_t raw[EVENT_WORDS])
{
	const struct hostif *host = smmu->unit->host;
	const struct smmuv3_evtq *q = &smmu->evtq;
	uint64_t index = q->cons & (index_mask(q) >> 1);
	uint64_t maddr = q->maddr + (index << EVENT_LG2);
	uint64_t in_page = maddr & (IOMMUABS_FRAME_SIZE - 1);
	char *page = hostif_map(host, maddr - in_page);
	uint64_t *record = (uint64_t *)(void *)(page + in_page);
	uint32_t i;

	/* An older copy of the record must not come out of a cache. */
	smmuv3_clean(smmu, record, 1u << EVENT_LG2);
	if (!smmu->unit->caps.coherent)
		port_dev_mb();
	for (i = 0; i < EVENT_WORDS; i++)
		raw[i] = port_dev_load64(record + i);
	hostif_unmap(host, page);
}

/* How many records are there; the unit's word for it is not trusted. */
static uint32_t records_held(struct smmuv3 *smmu, uint32_t prod)
{
	const struct smmuv3_evtq *q = &smmu->evtq;
	uint32_t held = (prod - q->cons) & index_mask(q);

	return held > 1u << q->lg2 ? 0 : held;
}

/* 7.4: records were lost since the last time that this was acknowledged. */
static void acknowledge(struct smmuv3 *smmu, uint32_t prod)
{
	struct backend_unit *unit = smmu->unit;
	struct smmuv3_evtq *q = &smmu->evtq;

	if ((prod ^ q->cons) & (uint32_t)SMMU_EVENTQ_PROD_OVFLG) {
		q->cons ^= (uint32_t)SMMU_EVENTQ_PROD_OVFLG;
		port_add64(&unit->events_lost, 1);
	}
	/* Records were read before their place is given back. */
	port_dev_mb();
	hostif_write32(&unit->regs, SMMU_EVENTQ_CONS, q->cons);
}

uint32_t smmuv3_events(struct backend_unit *unit, struct backend_event *events,
		       uint32_t max)
{
	struct smmuv3 *smmu = smmuv3_of(unit);
	struct smmuv3_evtq *q = &smmu->evtq;
	uint64_t raw[EVENT_WORDS];
	uint32_t prod, nr = 0, i;

	if (!port_load32(&unit->enabled))
		return 0;
	ia_lock(unit->host, &unit->lock);
	prod = hostif_read32(&unit->regs, SMMU_EVENTQ_PROD);
	if (prod != SMMU_NO_ANSWER) {
		nr = IA_MIN(records_held(smmu, prod), max);
		port_dev_rmb();
		for (i = 0; i < nr; i++) {
			record_read(smmu, raw);
			smmuv3_event_decode(raw, &events[i]);
			q->cons = (q->cons & ~index_mask(q)) |
				  ((q->cons + 1) & index_mask(q));
		}
		if (nr || ((prod ^ q->cons) & (uint32_t)SMMU_EVENTQ_PROD_OVFLG))
			acknowledge(smmu, prod);
	}
	ia_unlock(unit->host, &unit->lock);
	port_add64(&unit->events, nr);
	return nr;
}

void smmuv3_evtq_program(struct smmuv3 *smmu)
{
	const struct hostif_regs *regs = &smmu->unit->regs;
	struct smmuv3_evtq *q = &smmu->evtq;

	q->cons = 0;
	hostif_write64(regs, SMMU_EVENTQ_BASE,
		       SMMU_EVENTQ_BASE_WA | q->maddr | q->lg2);
	hostif_write32(regs, SMMU_EVENTQ_PROD, 0);
	hostif_write32(regs, SMMU_EVENTQ_CONS, 0);
}

#endif
