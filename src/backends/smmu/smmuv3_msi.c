/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smmuv3_msi.c - interrupts as messages (IHI 0070 3.18, 6.3.21, 6.3.30)
 *
 * SYNC and PRI have none: CMD_SYNC is polled for, and the PRI queue is off.
 */
#include "smmuv3.h"

#if IOMMUABS_CONFIG_SMMU

struct source {
	struct hostif_reg64 address;
	struct hostif_reg32 data, attributes;
	uint32_t enable; /* bit of IRQ_CTRL */
};

static const struct source sources[SMMUV3_MSIS] = {
	[SMMUV3_MSI_EVENTQ] = { SMMU_EVENTQ_IRQ_CFG0, SMMU_EVENTQ_IRQ_CFG1,
				SMMU_EVENTQ_IRQ_CFG2, SMMU_IRQ_CTRL_EVENTQ },
	[SMMUV3_MSI_GERROR] = { SMMU_GERROR_IRQ_CFG0, SMMU_GERROR_IRQ_CFG1,
				SMMU_GERROR_IRQ_CFG2, SMMU_IRQ_CTRL_GERROR },
};

static void program(struct smmuv3 *smmu, uint32_t n)
{
	const struct hostif_regs *regs = &smmu->unit->regs;
	const struct source *source = &sources[n];

	hostif_write64(regs, source->address,
		       smmu->msis[n].address & SMMU_IRQ_CFG0_ADDR);
	hostif_write32(regs, source->data, smmu->msis[n].data);
	hostif_write32(regs, source->attributes, SMMU_MEMATTR_DEVICE);
}

void smmuv3_msi_program(struct smmuv3 *smmu)
{
	uint32_t n;

	for (n = 0; smmu->msi && n < SMMUV3_MSIS; n++)
		program(smmu, n);
}

static int set(struct smmuv3 *smmu, uint32_t n, uint64_t address, uint32_t data)
{
	uint32_t off = SMMUV3_IRQS & ~sources[n].enable;
	int ret;

	smmu->msis[n].address = address;
	smmu->msis[n].data = data;
	if (!port_load32(&smmu->unit->enabled))
		return 0;
	/* The registers are guarded by their bit of IRQ_CTRL (6.3.21, 6.3.30). */
	ret = smmuv3_irq_ctrl(smmu, off);
	if (ret)
		return ret;
	program(smmu, n);
	return smmuv3_irq_ctrl(smmu, SMMUV3_IRQS);
}

int smmuv3_irq_set_msi(struct backend_unit *unit,
		       enum iommuabs_unit_irq_which which, uint64_t addr,
		       uint32_t data)
{
	struct smmuv3 *smmu = smmuv3_of(unit);

	if (which != IOMMUABS_IRQ_EVENT && which != IOMMUABS_IRQ_ERROR)
		return IOMMUABS_E_NOTSUP;
	if (!smmu->msi)
		return addr ? IOMMUABS_E_NOTSUP : 0;
	if ((addr & 3) || addr >> unit->caps.output_bits)
		return IOMMUABS_E_INVAL;
	return set(smmu,
		   which == IOMMUABS_IRQ_EVENT ? SMMUV3_MSI_EVENTQ
					       : SMMUV3_MSI_GERROR,
		   addr, data);
}

/*
 * Interrupts are edges, by wire as by message (3.18): there is nothing to
 * acknowledge, and the queue's PROD and GERROR are the latches that events() and
 * errors() look at.
 */
void smmuv3_irq(struct backend_unit *unit, enum iommuabs_unit_irq_which which)
{
	(void)unit;
	(void)which;
}

#endif
