/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommuabs_x86_64.c - where this machine's units are, and their interrupts
 */
#include "apic.h"
#include "arch.h"
#include "iommuabs_host.h"
#include "machine.h"
#include "pages.h"
#include "scenarios.h"
#include "vm.h"

static void clean(void *ctx, const void *p, size_t size)
{
	(void)ctx;
	cache_flush(p, size);
}

void (*const iommu_cache_clean)(void *ctx, const void *p, size_t size) = clean;

uint32_t iommu_host_flags(void)
{
	return IOMMUABS_HOST_REMAPS_IRQS |
	       (apic_is_x2() ? IOMMUABS_HOST_X2APIC : 0);
}

const struct iommuabs_attach_options iommu_attach_options = {
	.size = sizeof(iommu_attach_options),
};

static const void *find_table(void *arg, const char signature[4], size_t *size)
{
	(void)arg;
	return machine_table(signature, 0, size);
}

int iommu_scan(void)
{
	return iommuabs_scan_acpi(iommu.abs, find_table, NULL);
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

/* ---- power ---- */

/* clang-format off */
/* VT-d 11.4 */
#define VTD_GCMD     0x18
#define VTD_GSTS     0x1c
#define   GSTS_ON    0x96000000u /* TE, QIE, IRE, CFI; the others are done at once */
#define VTD_RTADDR   0x20 /* 64 bits */
#define VTD_FECTL    0x38
#define   FECTL_IM   (1u << 31)
#define VTD_FEDATA   0x3c
#define VTD_FEADDR   0x40
#define VTD_FEUADDR  0x44
#define VTD_IQA	     0x90 /* 64 bits */
#define VTD_IRTA     0xb8 /* 64 bits */
/* clang-format on */

/* One at a time (11.4.4.1), and each is seen to be off. */
static void commands_off(uint64_t base)
{
	uint32_t on;

	while ((on = mmio_read32(base + VTD_GSTS) & GSTS_ON) != 0) {
		uint32_t left = on & (on - 1);

		mmio_write32(base + VTD_GCMD, left);
		while ((mmio_read32(base + VTD_GSTS) & GSTS_ON) != left)
			cpu_relax();
	}
}

void unit_lose_power(void)
{
	struct iommuabs_unit_state state = { .size = sizeof(state) };

	if (iommuabs_unit_state(iommu.unit, &state))
		return;
	commands_off(state.base);
	mmio_write32(state.base + VTD_FECTL, FECTL_IM);
	mmio_write32(state.base + VTD_FEDATA, 0);
	mmio_write32(state.base + VTD_FEADDR, 0);
	mmio_write32(state.base + VTD_FEUADDR, 0);
	mmio_write64(state.base + VTD_RTADDR, 0);
	mmio_write64(state.base + VTD_IQA, 0);
	mmio_write64(state.base + VTD_IRTA, 0);
}
