/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_smmuv3_events.c - records, page requests and interrupts: what goes out
 * (IHI 0070 3.18, chapters 7 and 8)
 */
#include "sim_smmuv3.h"

/* ---- interrupts ---- */

/* By enum iommuabs_sim_irq: the enable, the error, the set of registers. */
static const struct source {
	uint64_t enable, error;
	unsigned int cfg;
} sources[IOMMUABS_SIM_IRQ_COUNT_] = {
	[IOMMUABS_SIM_IRQ_EVENTQ] = { IRQ_EVENTQ, GERROR_MSI_EVENTQ_ABT, 0 },
	[IOMMUABS_SIM_IRQ_PRIQ] = { IRQ_PRIQ, GERROR_MSI_PRIQ_ABT, 1 },
	[IOMMUABS_SIM_IRQ_SYNC] = { 0, GERROR_MSI_CMDQ_ABT, 0 },
	[IOMMUABS_SIM_IRQ_GERROR] = { IRQ_GERROR, GERROR_MSI_GERROR_ABT, 2 },
};

void smmuv3_message(struct iommuabs_sim_unit *u, uint64_t addr, uint32_t data,
		    enum iommuabs_sim_irq irq)
{
	struct iommuabs_sim_arena *a = u->arena;

	if (u->smmu->config.quirks & IOMMUABS_SIM_QUIRK_NO_MSI) {
		sim_violation(a, IOMMUABS_SIM_V_ERRATUM,
			      "a message, which this unit loses");
		return;
	}
	if (u->smmu->msi_abort) {
		u->smmu->msi_abort--;
		smmuv3_gerror(u, sources[irq].error);
		return;
	}
	sim_message(u, addr, data, irq);
}

void smmuv3_raise(struct iommuabs_sim_unit *u, enum iommuabs_sim_irq irq)
{
	const struct source *s = &sources[irq];
	uint64_t addr = u->smmu->irq_cfg0[s->cfg] & MASK64(55, 2);

	if (!(u->smmu->irq_ctrl.ack & s->enable))
		return;
	if (u->smmu->config.msi && addr)
		smmuv3_message(u, addr, (uint32_t)u->smmu->irq_cfg1[s->cfg],
			       irq);
	else
		u->irqs[irq]++;
}

/* ---- the event queue ---- */

static bool has_address(unsigned int event)
{
	return event >= F_WALK_EABT || event == F_TRANSL_FORBIDDEN ||
	       event == F_BAD_ATS_TREQ;
}

/* 7.3: fields common to all records that have them. */
static void fill_record(const struct iommuabs_sim_dma *dma,
			const struct outcome *o, uint64_t rec[4])
{
	bool fetch = o->event == F_STE_FETCH || o->event == F_CD_FETCH ||
		     o->event == F_WALK_EABT;

	rec[0] = o->event | (uint64_t)dma->sid << 32;
	rec[1] = rec[2] = rec[3] = 0;
	if (dma->flags & IOMMUABS_SIM_DMA_SSID) {
		rec[0] |= (uint64_t)(dma->ssid & 0xfffff) << 12;
		/* 7.3.9: it has no SSV. */
		if (o->event != C_BAD_SUBSTREAMID)
			rec[0] |= EVENT0_SSV;
	}
	if (fetch)
		rec[3] = o->ipa & MASK64(55, 3);
	if (!has_address(o->event))
		return;
	rec[2] = dma->addr;
	if (o->event == F_BAD_ATS_TREQ) {
		rec[2] = (dma->addr & MASK64(63, 12)) | 1; /* Span */
		return;
	}
	if (!(dma->flags & IOMMUABS_SIM_DMA_WRITE))
		rec[1] |= EVENT1_RNW;
	if (o->event == F_TRANSL_FORBIDDEN)
		return;
	rec[1] |= (o->privileged ? EVENT1_PNU : 0) | EVENT1_CLASS(o->class) |
		  (o->stalls ? EVENT1_STALL | dma->stag : 0);
	if (o->stage2) {
		rec[1] |= EVENT1_S2;
		if (!fetch)
			rec[3] = o->ipa & MASK64(55, 12);
	}
}

/* An output queue: where the next entry goes; false: there is no room. */
static bool room(struct iommuabs_sim_unit *u, uint64_t base, uint64_t *prod,
		 uint64_t cons, unsigned int entry_lg2, uint64_t *at)
{
	uint64_t size = BIT64(Q_BASE_LOG2SIZE(base));

	if (((*prod - cons) & (2 * size - 1)) >= size) {
		/* 7.4, 8.1 */
		if (!((*prod ^ cons) & Q_OVFLG))
			*prod ^= Q_OVFLG;
		return false;
	}
	*at = smmuv3_queue_at(base, entry_lg2) +
	      ((*prod & (size - 1)) << entry_lg2);
	(void)u;
	return true;
}

/* The entry is written; true: the queue was empty before. */
static bool advance(uint64_t base, uint64_t *prod, uint64_t cons)
{
	uint64_t mask = 2 * BIT64(Q_BASE_LOG2SIZE(base)) - 1;
	bool empty = !((*prod ^ cons) & mask);

	*prod = (*prod & Q_OVFLG) | ((*prod + 1) & mask);
	return empty;
}

static bool write_event(struct iommuabs_sim_unit *u,
			const struct iommuabs_sim_dma *dma,
			const struct outcome *o)
{
	uint64_t rec[4], at;
	unsigned int i;

	if (!(u->smmu->cr0.ack & CR0_EVENTQEN) || smmuv3_failed(u) ||
	    (u->smmu->gerror ^ u->smmu->gerrorn) & GERROR_EVENTQ_ABT ||
	    !room(u, u->smmu->eventq_base, &u->smmu->eventq_prod,
		  u->smmu->eventq_cons, EVENT_LG2, &at))
		return false;
	if (u->smmu->event_abort || !sim_page_used(u->arena, at)) {
		u->smmu->event_abort -= u->smmu->event_abort != 0;
		smmuv3_gerror(u, GERROR_EVENTQ_ABT);
		return false;
	}
	fill_record(dma, o, rec);
	for (i = 0; i < 4; i++)
		sim_unit_store(u->arena, at + 8 * i, rec[i]);
	if (advance(u->smmu->eventq_base, &u->smmu->eventq_prod,
		    u->smmu->eventq_cons))
		smmuv3_raise(u, IOMMUABS_SIM_IRQ_EVENTQ);
	return true;
}

bool smmuv3_record(struct iommuabs_sim_unit *u,
		   const struct iommuabs_sim_dma *dma, const struct outcome *o)
{
	bool written = write_event(u, dma, o);

	u->counters.events++;
	u->counters.events_lost += !written;
	return written;
}

/* ---- the PRI queue (chapter 8) ---- */

int iommuabs_sim_page_request(struct iommuabs_sim_unit *u,
			      const struct iommuabs_sim_dma *dma,
			      unsigned int group)
{
	bool write = dma->flags & IOMMUABS_SIM_DMA_WRITE;
	bool ssid = dma->flags & IOMMUABS_SIM_DMA_SSID;
	uint64_t at;
	int queued = 0;

	if (u->ops != &smmuv3_ops)
		return 0;
	sim_lock(u->arena);
	if (!(u->smmu->cr0.ack & CR0_PRIQEN) || smmuv3_failed(u) ||
	    (u->smmu->gerror ^ u->smmu->gerrorn) & GERROR_PRIQ_ABT ||
	    !room(u, u->smmu->priq_base, &u->smmu->priq_prod,
		  u->smmu->priq_cons, PRI_LG2, &at))
		goto out;
	if (u->smmu->pri_abort || !sim_page_used(u->arena, at)) {
		u->smmu->pri_abort -= u->smmu->pri_abort != 0;
		smmuv3_gerror(u, GERROR_PRIQ_ABT);
		goto out;
	}
	sim_unit_store(
		u->arena, at,
		dma->sid | (write ? PRI0_WRITE : PRI0_READ) | PRI0_LAST |
			(ssid ? PRI0_SSV | (uint64_t)(dma->ssid & 0xfffff) << 32
			      : 0));
	sim_unit_store(u->arena, at + 8,
		       (dma->addr & MASK64(63, 12)) | (group & 0x1ff));
	if (advance(u->smmu->priq_base, &u->smmu->priq_prod,
		    u->smmu->priq_cons))
		smmuv3_raise(u, IOMMUABS_SIM_IRQ_PRIQ);
	queued = 1;
out:
	sim_unlock(u->arena);
	return queued;
}
