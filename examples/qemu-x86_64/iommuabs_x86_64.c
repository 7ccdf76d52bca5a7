/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommuabs_x86_64.c - where this machine's unit is, and its interrupt
 */
#include "apic.h"
#include "arch.h"
#include "iommuabs_host.h"
#include "machine.h"
#include "pages.h"
#include "string.h"
#include "vm.h"

static void clean(void *ctx, const void *p, size_t size)
{
	(void)ctx;
	cache_flush(p, size);
}

void (*const iommu_cache_clean)(void *ctx, const void *p, size_t size) = clean;

/* Where nothing remaps interrupts a guest's device could raise any. */
const struct iommuabs_attach_options iommu_attach_options = {
	.size = sizeof(iommu_attach_options),
	.flags = IOMMUABS_ALLOW_UNSAFE_MSI,
};

/* VT-d 8.3: the first DRHD of the table; its register base is at 8. */
#define DMAR_STRUCTURES 48
#define DRHD_BASE	8

/* All functions of the segment are behind it: devices are taken out of these. */
static int segment_add(struct iommuabs_unit *unit)
{
	const struct iommuabs_stream_range all = { .unit = unit,
						   .nr = 0x10000 };
	const struct iommuabs_device_desc desc = {
		.size = sizeof(desc),
		.flags = IOMMUABS_DEVICE_PCI | IOMMUABS_DEVICE_RANGE,
		.name = "segment 0",
		.nr_pci = 0x10000,
		.streams = &all,
		.nr_streams = 1,
	};
	struct iommuabs_device *dev;

	return iommuabs_device_add(iommu.abs, &desc, &dev);
}

int iommu_scan(void)
{
	struct iommuabs_unit_desc desc = {
		.size = sizeof(desc),
		.type = IOMMUABS_UNIT_VTD,
	};
	size_t size = 0;
	const char *dmar = machine_table("DMAR", 0, &size);
	struct iommuabs_unit *unit;
	int st;

	if (!dmar || size < DMAR_STRUCTURES + DRHD_BASE + sizeof(desc.base))
		return IOMMUABS_E_NOENT;
	memcpy(&desc.base, dmar + DMAR_STRUCTURES + DRHD_BASE,
	       sizeof(desc.base));
	st = iommuabs_unit_add(iommu.abs, &desc, &unit);
	return st ? st : segment_add(unit);
}

static void on_event(void *arg)
{
	(void)arg;
	iommu.nr_event_irqs++;
	(void)!iommuabs_unit_irq(iommu.unit, IOMMUABS_IRQ_EVENT);
}

void iommu_irqs_enable(void)
{
	static uint32_t vector;

	if (!vector)
		vector = apic_vector_new(on_event, NULL);
	(void)!iommuabs_unit_irq_set_msi(iommu.unit, IOMMUABS_IRQ_EVENT,
					 apic_msi_address(),
					 apic_msi_data(vector));
}

void iommu_irqs_disable(void)
{
	(void)!iommuabs_unit_irq_set_msi(iommu.unit, IOMMUABS_IRQ_EVENT, 0, 0);
}

int vm_p2m_describe(const struct p2m *p2m, struct iommuabs_p2m *desc)
{
	*desc = (struct iommuabs_p2m){
		.size = sizeof(*desc),
		.flags = IOMMUABS_P2M_CLEANED,
		.format = IOMMUABS_P2M_NPT,
		.root = p2m->root,
		.input_bits = (uint8_t)p2m->ipa_bits,
		.output_bits = 52,
		.granule_lg2 = PAGE_LG2,
		.levels = (uint8_t)(4 - p2m->start_level),
	};
	return 0;
}
