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

static bool is_met(struct backend_unit *unit, void *arg)
{
	const struct expectation *want = arg;
	uint32_t now = hostif_read32(&unit->regs, want->reg);

	return now != SMMU_NO_ANSWER && (now & want->mask) == want->value;
}

static int expect(struct smmuv3 *smmu, const char *what,
		  struct expectation want)
{
	return backend_poll(smmu->unit, what, is_met, &want);
}

static int cr0_write(struct smmuv3 *smmu, uint32_t value, const char *what)
{
	hostif_write32(&smmu->unit->regs, SMMU_CR0, value);
	return expect(smmu, what,
		      (struct expectation){ SMMU_CR0ACK, ~(uint32_t)0, value });
}

int smmuv3_irq_ctrl(struct smmuv3 *smmu, uint32_t value)
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

/*
 * 6.3.12. The CPUs' TLB maintenance is not ours, VMIDs differ: a unit that would
 * take part is kept out, unless the host wants it otherwise. StreamIDs out of range
 * are recorded.
 */
static uint32_t cr2_value(const struct smmuv3 *smmu)
{
	const uint32_t wanted =
		smmu->unit->desc_flags & IOMMUABS_UNIT_BROADCAST;
	const bool takes_part =
		wanted && !(smmu->effects & SMMUV3_NO_BROADCAST);

	return (uint32_t)(SMMU_CR2_RECINVSID |
			  (smmu->btm && !takes_part ? SMMU_CR2_PTM : 0));
}

static void program(struct smmuv3 *smmu)
{
	const struct hostif_regs *regs = &smmu->unit->regs;

	hostif_write32(regs, SMMU_CR1, cr1_value(smmu));
	hostif_write32(regs, SMMU_CR2, cr2_value(smmu));
	smmuv3_msi_program(smmu);
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
		ret = smmuv3_irq_ctrl(smmu, 0);
	if (ret)
		return ret;
	/* What claims to be translated is refused, until devices have forgotten
	 * what they had: backend_ats_reopen(). */
	ret = backend_ats_close(smmu->unit, smmu->ats, 0, ~(uint32_t)0,
				&smmuv3_ats_ops);
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
	if (!ret)
		unit->holds = 0;
	return ret;
}

int smmuv3_enable(struct backend_unit *unit)
{
	struct smmuv3 *smmu = smmuv3_of(unit);
	uint32_t cr0 = (uint32_t)(SMMU_CR0_CMDQEN | SMMU_CR0_EVENTQEN);
	int ret;

	unit->holds = 1;
	ret = reset(smmu);
	/* What claims to be translated is looked at (3.9.1, C16). */
	if (unit->caps.ats)
		cr0 |= (uint32_t)SMMU_CR0_ATSCHK;
	if (!ret)
		ret = cr0_write(smmu, cr0, "EVENTQEN is not acknowledged");
	if (!ret)
		ret = smmuv3_irq_ctrl(smmu, SMMUV3_IRQS);
	if (ret)
		return ret;
	/*
	 * From here on whoever changes a table invalidates. Who looked at
	 * @enabled before stored before, and the unit finds that.
	 */
	port_store32(&unit->enabled, 1);
	port_mb();
	port_dev_mb();
	ret = cr0_write(smmu, cr0 | (uint32_t)SMMU_CR0_SMMUEN,
			"SMMUEN is not acknowledged");
	return ret ? ret : backend_ats_reopen(unit, smmu->ats, &smmuv3_ats_ops);
}

/* ---- errors ---- */

static const struct {
	uint32_t bit;
	const char *text;
} kinds[] = {
	{ SMMU_GERROR_EVENTQ_ABT_ERR, "the event queue could not be written" },
	{ SMMU_GERROR_PRIQ_ABT_ERR, "the PRI queue could not be written" },
	{ SMMU_GERROR_MSI_CMDQ_ABT_ERR, "a CMD_SYNC message was lost" },
	{ SMMU_GERROR_MSI_EVENTQ_ABT_ERR, "an event message was lost" },
	{ SMMU_GERROR_MSI_PRIQ_ABT_ERR, "a PRI message was lost" },
	{ SMMU_GERROR_MSI_GERROR_ABT_ERR, "an error message was lost" },
	{ SMMU_GERROR_SFM_ERR, "service failure mode (GERROR.SFM_ERR)" },
};

/* Acknowledge all but @kept of GERROR; the lock is held. Returns what was active. */
static uint32_t errors_acknowledge(struct smmuv3 *smmu, uint32_t kept)
{
	const struct hostif_regs *regs = &smmu->unit->regs;
	uint32_t gerrorn = hostif_read32(regs, SMMU_GERRORN);
	uint32_t gerror = hostif_read32(regs, SMMU_GERROR);
	uint32_t active = gerror ^ gerrorn;

	if (gerror == SMMU_NO_ANSWER)
		return 0;
	if (active & ~kept)
		hostif_write32(regs, SMMU_GERRORN, gerrorn ^ (active & ~kept));
	return active;
}

static void errors_log(struct smmuv3 *smmu, uint32_t active)
{
	struct backend_unit *unit = smmu->unit;
	uint32_t i;

	for (i = 0; i < IA_COUNT(kinds); i++) {
		if (!(active & kinds[i].bit))
			continue;
		port_add64(&unit->errors, 1);
		hostif_log(unit->host, IOMMUABS_LOG_WARNING, "%s: %s",
			   unit->name, kinds[i].text);
	}
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
	active = errors_acknowledge(smmu, cmdq | sfm);
	ia_unlock(unit->host, &unit->lock);
	errors_log(smmu, active);
	/* 7.4: an aborted write to the event queue, or QEMU's full one. */
	if (active & SMMU_GERROR_EVENTQ_ABT_ERR)
		port_add64(&unit->events_lost, 1);
	if (active & cmdq)
		smmuv3_cmdq_repair(smmu);
	if (active & sfm) {
		backend_reason_set(unit,
				   "service failure mode (GERROR.SFM_ERR)");
		return IOMMUABS_E_UNIT;
	}
	if (port_load32(&smmu->resume_failed)) {
		backend_reason_set(unit, "stalled requests can't be ended");
		return IOMMUABS_E_TIMEOUT;
	}
	return 0;
}

#endif
