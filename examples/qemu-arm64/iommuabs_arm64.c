/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommuabs_arm64.c - where this machine's units are, and their interrupts
 */
#include <stddef.h>
#include "gic.h"
#include "iommuabs_host.h"
#include "machine.h"

void (*const iommu_cache_clean)(void *ctx, const void *p, size_t size) = NULL;

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
