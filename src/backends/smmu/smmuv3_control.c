/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smmuv3_control.c - enabling, blocking, errors (IHI 0070 3.11, 6.3)
 *
 * With SMMUEN = 0 GBPA decides, and it may say "bypass" after a hardware reset.
 * So GBPA is made to abort, acknowledged, before SMMUEN is ever cleared, and stays
 * so for good.
 */
#include "smmuv3.h"

#if IOMMUABS_CONFIG_SMMU

/* ---- registers that acknowledge ---- */

/* @reg reads as @value in the bits of @mask. */
struct expectation {
	struct hostif_reg32 reg;
	uint32_t mask, value;
};

static bool is_met(struct smmuv3 *smmu, void *arg)
{
	const struct expectation *want = arg;
	uint32_t now = hostif_read32(&smmu->unit->regs, want->reg);

	return now != SMMU_NO_ANSWER && (now & want->mask) == want->value;
}

static int expect(struct smmuv3 *smmu, const char *what,
		  struct expectation want)
{
	return smmuv3_poll(smmu, what, is_met, &want);
}

static int cr0_write(struct smmuv3 *smmu, uint32_t value, const char *what)
{
	hostif_write32(&smmu->unit->regs, SMMU_CR0, value);
	return expect(smmu, what,
		      (struct expectation){ SMMU_CR0ACK, ~(uint32_t)0, value });
}

static int irq_ctrl_write(struct smmuv3 *smmu, uint32_t value)
{
	hostif_write32(&smmu->unit->regs, SMMU_IRQ_CTRL, value);
	return expect(
		smmu, "IRQ_CTRL is not acknowledged",
		(struct expectation){ SMMU_IRQ_CTRLACK, ~(uint32_t)0, value });
}

/* 6.3.14: a write counts only while Update is 0, and when Update is 0 again. */
static int gbpa_abort(struct smmuv3 *smmu)
{
	const struct hostif_regs *regs = &smmu->unit->regs;
	const uint32_t update = (uint32_t)SMMU_GBPA_UPDATE;
	const uint32_t abort = (uint32_t)SMMU_GBPA_ABORT;
	uint32_t gbpa;
	int ret;

	ret = expect(smmu, "GBPA is being updated",
		     (struct expectation){ SMMU_GBPA, update, 0 });
	if (ret)
		return ret;
	gbpa = hostif_read32(regs, SMMU_GBPA);
	hostif_write32(regs, SMMU_GBPA, gbpa | update | abort);
	return expect(smmu, "GBPA does not abort",
		      (struct expectation){ SMMU_GBPA, update | abort, abort });
}

/* ---- blocking ---- */

int smmuv3_fence(struct backend_unit *unit)
{
	struct smmuv3 *smmu = smmuv3_of(unit);
	const uint32_t smmuen = (uint32_t)SMMU_CR0_SMMUEN;
	int ret = gbpa_abort(smmu);

	/* Without that, SMMUEN = 0 could let everything through. */
	if (ret)
		return ret;
	hostif_write32(&unit->regs, SMMU_CR0,
		       hostif_read32(&unit->regs, SMMU_CR0) & ~smmuen);
	ret = expect(smmu, "SMMUEN = 0 is not acknowledged",
		     (struct expectation){ SMMU_CR0ACK, smmuen, 0 });
	if (!ret)
		port_store32(&unit->enabled, 0);
	return ret;
}

/* ---- blocking after a crash ---- */

/*
 * Register reads that a crashed machine waits for at the most: at 0.1 us each or
 * more, some 100 ms. There is no clock that could be believed.
 */
#define CRASH_READS (1u << 18)

static int crash_wait(const struct hostif_regs *regs, struct expectation want)
{
	uint32_t i, now;

	for (i = 0; i < CRASH_READS; i++) {
		now = hostif_read32(regs, want.reg);
		if (now != SMMU_NO_ANSWER && (now & want.mask) == want.value)
			return 0;
		port_relax();
	}
	return IOMMUABS_E_TIMEOUT;
}

/*
 * As fence(). Without an abort by GBPA, SMMUEN stays: what the stream table
 * blocks is blocked at least.
 */
int smmuv3_crash_block(struct backend_unit *unit)
{
	const struct hostif_regs *regs = &unit->regs;
	const uint32_t update = (uint32_t)SMMU_GBPA_UPDATE;
	const uint32_t abort = (uint32_t)SMMU_GBPA_ABORT;
	const uint32_t smmuen = (uint32_t)SMMU_CR0_SMMUEN;

	if (crash_wait(regs, (struct expectation){ SMMU_GBPA, update, 0 }))
		return IOMMUABS_E_TIMEOUT;
	hostif_write32(regs, SMMU_GBPA,
		       hostif_read32(regs, SMMU_GBPA) | update | abort);
	if (crash_wait(regs, (struct expectation){ SMMU_GBPA, update | abort,
						   abort }))
		return IOMMUABS_E_TIMEOUT;
	port_store32(&unit->enabled, 0);
	hostif_write32(regs, SMMU_CR0, hostif_read32(regs, SMMU_CR0) & ~smmuen);
	return crash_wait(regs, (struct expectation){ SMMU_CR0ACK, smmuen, 0 });
}

/* ---- from any state to one where nothing is cached and all is blocked ---- */

/* 6.3.11: how queues and tables are accessed. Walks: in each entry. */
static uint32_t cr1_value(const struct smmuv3 *smmu)
{
	if (!smmu->unit->caps.coherent)
		return 0;
	return (uint32_t)(field_put(SMMU_CR1_QUEUE_IC, SMMU_CACHE_WB) |
			  field_put(SMMU_CR1_QUEUE_OC, SMMU_CACHE_WB) |
			  field_put(SMMU_CR1_QUEUE_SH, SMMU_SH_ISH) |
			  field_put(SMMU_CR1_TABLE_IC, SMMU_CACHE_WB) |
			  field_put(SMMU_CR1_TABLE_OC, SMMU_CACHE_WB) |
			  field_put(SMMU_CR1_TABLE_SH, SMMU_SH_ISH));
}

static void program(struct smmuv3 *smmu)
{
	const struct hostif_regs *regs = &smmu->unit->regs;

	hostif_write32(regs, SMMU_CR1, cr1_value(smmu));
	/*
	 * The CPUs' TLB maintenance is not ours: VMIDs differ. StreamIDs out of
	 * range are recorded.
	 */
	hostif_write32(regs, SMMU_CR2,
		       (uint32_t)(SMMU_CR2_PTM | SMMU_CR2_RECINVSID));
	if (smmu->msi) {
		hostif_write64(regs, SMMU_GERROR_IRQ_CFG0, 0);
		hostif_write64(regs, SMMU_EVENTQ_IRQ_CFG0, 0);
	}
	smmuv3_strtab_program(smmu);
	smmuv3_evtq_program(smmu);
	/* Whatever went wrong before. */
	hostif_write32(regs, SMMU_GERRORN, hostif_read32(regs, SMMU_GERROR));
}

/* Blocks everything and has forgotten everything; CMDQEN is set. */
static int reset(struct smmuv3 *smmu)
{
	struct backend_unit *unit = smmu->unit;
	int ret = smmuv3_fence(unit);

	if (!ret) {
		smmuv3_cmdq_close(smmu);
		ret = cr0_write(smmu, 0, "CR0 = 0 is not acknowledged");
	}
	if (!ret)
		ret = irq_ctrl_write(smmu, 0);
	if (ret)
		return ret;
	program(smmu);
	smmuv3_cmdq_reset(smmu);
	ret = cr0_write(smmu, (uint32_t)SMMU_CR0_CMDQEN,
			"CMDQEN is not acknowledged");
	if (ret)
		return ret;
	smmuv3_cmdq_open(smmu);
	ret = smmuv3_invalidate_all(smmu);
	if (!ret)
		smmuv3_cmdq_settle(smmu);
	return ret;
}

int smmuv3_disable(struct backend_unit *unit)
{
	struct smmuv3 *smmu = smmuv3_of(unit);
	int ret = reset(smmu);

	smmuv3_cmdq_close(smmu);
	if (!ret)
		ret = cr0_write(smmu, 0, "CR0 = 0 is not acknowledged");
	return ret;
}

int smmuv3_enable(struct backend_unit *unit)
{
	struct smmuv3 *smmu = smmuv3_of(unit);
	uint32_t cr0 = (uint32_t)(SMMU_CR0_CMDQEN | SMMU_CR0_EVENTQEN);
	int ret = reset(smmu);

	if (!ret)
		ret = cr0_write(smmu, cr0, "EVENTQEN is not acknowledged");
	if (!ret)
		ret = irq_ctrl_write(smmu, (uint32_t)(SMMU_IRQ_CTRL_EVENTQ |
						      SMMU_IRQ_CTRL_GERROR));
	if (ret)
		return ret;
	/*
	 * From here on whoever changes a table invalidates. Who looked at
	 * @enabled before stored before, and the unit finds that.
	 */
	port_store32(&unit->enabled, 1);
	port_mb();
	port_dev_mb();
	return cr0_write(smmu, cr0 | (uint32_t)SMMU_CR0_SMMUEN,
			 "SMMUEN is not acknowledged");
}

/* ---- errors ---- */

/* Acknowledge @which of GERROR; the lock is held. */
static uint32_t errors_acknowledge(struct smmuv3 *smmu, uint32_t which)
{
	const struct hostif_regs *regs = &smmu->unit->regs;
	uint32_t gerrorn = hostif_read32(regs, SMMU_GERRORN);
	uint32_t active = hostif_read32(regs, SMMU_GERROR) ^ gerrorn;

	if (active & which)
		hostif_write32(regs, SMMU_GERRORN, gerrorn ^ (active & which));
	return active;
}

int smmuv3_errors(struct backend_unit *unit)
{
	struct smmuv3 *smmu = smmuv3_of(unit);
	const uint32_t cmdq = (uint32_t)SMMU_GERROR_CMDQ_ERR;
	const uint32_t sfm = (uint32_t)SMMU_GERROR_SFM_ERR;
	uint32_t active;

	if (!port_load32(&unit->enabled))
		return 0;
	ia_lock(unit->host, &unit->lock);
	active = errors_acknowledge(smmu, ~(cmdq | sfm));
	if (active & sfm)
		hostif_format(unit->reason, sizeof(unit->reason),
			      "service failure mode (GERROR.SFM_ERR)");
	ia_unlock(unit->host, &unit->lock);
	/* 7.4: an aborted write to the event queue, or QEMU's full one. */
	if (active & SMMU_GERROR_EVENTQ_ABT_ERR)
		port_add64(&unit->events_lost, 1);
	if (active & cmdq)
		smmuv3_cmdq_repair(smmu);
	return active & sfm ? IOMMUABS_E_TIMEOUT : 0;
}

/*
 * Wired interrupts are edges (3.18): there is nothing to acknowledge, and the
 * queue's PROD and GERROR are the latches that events() and errors() look at.
 */
void smmuv3_irq(struct backend_unit *unit, enum iommuabs_unit_irq_which which)
{
	(void)unit;
	(void)which;
}

#endif
