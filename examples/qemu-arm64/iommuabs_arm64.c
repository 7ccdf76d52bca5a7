/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommuabs_arm64.c - where this machine's units are, and their interrupts
 */
#include <stddef.h>
#include "arm64.h"
#include "gic.h"
#include "iommuabs_host.h"
#include "machine.h"
#include "scenarios.h"

void (*const iommu_cache_clean)(void *ctx, const void *p, size_t size) = NULL;

uint32_t iommu_host_flags(void)
{
	return 0;
}

const struct iommuabs_attach_options iommu_attach_options = {
	.size = sizeof(iommu_attach_options),
};

int iommu_scan(void)
{
	return iommuabs_scan_fdt(iommu.abs, machine.fdt, machine.fdt_size);
}

static void unit_irq(void *arg)
{
	struct iommuabs_irq *irq = arg;

	if (irq->which == IOMMUABS_IRQ_EVENT)
		iommu.nr_event_irqs++;
	(void)!iommuabs_unit_irq(iommu.unit, irq->which);
}

void iommu_irqs_enable(void)
{
	static struct iommuabs_irq irqs[IOMMUABS_IRQ_COUNT_];

	for (uint32_t n = 0; n < IOMMUABS_IRQ_COUNT_; n++)
		if (!iommuabs_unit_irq_get(iommu.unit, n, &irqs[n]))
			gic_enable(irqs[n].number,
				   irqs[n].edge ? GIC_EDGE : GIC_LEVEL,
				   unit_irq, &irqs[n]);
}

void iommu_irqs_disable(void)
{
	struct iommuabs_irq irq;

	for (uint32_t n = 0; n < IOMMUABS_IRQ_COUNT_; n++)
		if (!iommuabs_unit_irq_get(iommu.unit, n, &irq))
			gic_disable(irq.number);
}

/* ---- power ---- */

/* clang-format off */
/* IHI 0070, 6.3 */
#define SMMU_CR0	      0x20
#define SMMU_CR1	      0x28
#define SMMU_CR2	      0x2c
#define SMMU_GBPA	      0x44
#define   GBPA_RESET	      0x1000u /* QEMU's: bypass */
#define   GBPA_UPDATE	      (1u << 31)
#define SMMU_IRQ_CTRL	      0x50
#define SMMU_STRTAB_BASE      0x80 /* 64 bits */
#define SMMU_CMDQ_BASE	      0x90 /* 64 bits */
#define SMMU_CMDQ_PROD	      0x98
#define SMMU_CMDQ_CONS	      0x9c
#define SMMU_EVENTQ_BASE      0xa0 /* 64 bits */
#define SMMU_EVENTQ_PROD      0x100a8
#define SMMU_EVENTQ_CONS      0x100ac
/* clang-format on */

/* What they are after a reset, as far as the CPU can write that. */
void unit_lose_power(void)
{
	static const uint32_t zero[] = {
		SMMU_CR0,	  SMMU_CR1,	    SMMU_CR2,
		SMMU_IRQ_CTRL,	  SMMU_CMDQ_PROD,   SMMU_CMDQ_CONS,
		SMMU_EVENTQ_PROD, SMMU_EVENTQ_CONS,
	};
	struct iommuabs_unit_state state = { .size = sizeof(state) };

	if (iommuabs_unit_state(iommu.unit, &state))
		return;
	for (unsigned int i = 0; i < sizeof(zero) / sizeof(*zero); i++)
		mmio_write32(state.base + zero[i], 0);
	mmio_write64(state.base + SMMU_STRTAB_BASE, 0);
	mmio_write64(state.base + SMMU_CMDQ_BASE, 0);
	mmio_write64(state.base + SMMU_EVENTQ_BASE, 0);
	mmio_write32(state.base + SMMU_GBPA, GBPA_UPDATE | GBPA_RESET);
}
