/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * api_irq.c - interrupts of devices, as the host calls them
 */
#include "api_struct.h"
#include "core.h"

int iommuabs_irq_alloc(struct iommuabs_device *dev, uint32_t id, uint32_t nr,
		       uint32_t *first)
{
	if (!dev || !first || !nr || nr > IOMMUABS_IRQS_MAX)
		return IOMMUABS_E_INVAL;
	return irq_take(dev, id, nr, first);
}

int iommuabs_irq_free(struct iommuabs_device *dev, uint32_t first)
{
	return dev ? irq_give(dev, first) : IOMMUABS_E_INVAL;
}

static bool needs_vector(const struct iommuabs_irq_target *target)
{
	return target->delivery == IOMMUABS_IRQ_FIXED ||
	       target->delivery == IOMMUABS_IRQ_LOWEST;
}

static bool posted_good(const struct iommuabs_irq_target *target)
{
	const uint32_t known = IOMMUABS_IRQ_POSTED | IOMMUABS_IRQ_URGENT;

	return !(target->flags & ~known) && !target->destination &&
	       target->delivery == IOMMUABS_IRQ_FIXED && target->descriptor &&
	       !(target->descriptor & 63);
}

static bool remapped_good(const struct iommuabs_irq_target *target, bool x2apic)
{
	const uint32_t known = IOMMUABS_IRQ_LOGICAL | IOMMUABS_IRQ_REDIRECT |
			       IOMMUABS_IRQ_LEVEL;
	const uint32_t modes =
		1u << IOMMUABS_IRQ_FIXED | 1u << IOMMUABS_IRQ_LOWEST |
		1u << IOMMUABS_IRQ_SMI | 1u << IOMMUABS_IRQ_NMI |
		1u << IOMMUABS_IRQ_INIT | 1u << IOMMUABS_IRQ_EXTINT;

	return !(target->flags & ~known) && !target->descriptor &&
	       (uint32_t)target->delivery < 8 &&
	       (modes >> target->delivery & 1) &&
	       (x2apic || target->destination <= 0xff);
}

static bool target_good(const struct iommuabs_device *dev,
			const struct iommuabs_irq_target *target)
{
	bool x2apic = dev->abs->host.ops.flags & IOMMUABS_HOST_X2APIC;

	if (target->vector > 0xff ||
	    (needs_vector(target) && target->vector < 16))
		return false;
	return target->flags & IOMMUABS_IRQ_POSTED
		       ? posted_good(target)
		       : remapped_good(target, x2apic);
}

int iommuabs_irq_set(struct iommuabs_device *dev, uint32_t n,
		     const struct iommuabs_irq_target *target)
{
	struct iommuabs_irq_target copy;
	int ret;

	if (!dev)
		return IOMMUABS_E_INVAL;
	if (!target)
		return irq_point(dev, n, NULL);
	ret = api_struct_in(&copy, sizeof(copy), target);
	if (ret)
		return ret;
	return target_good(dev, &copy) ? irq_point(dev, n, &copy)
				       : IOMMUABS_E_INVAL;
}

int iommuabs_irq_msi(struct iommuabs_device *dev, uint32_t n,
		     struct iommuabs_irq_message *message)
{
	return dev && message ? irq_message(dev, n, message) : IOMMUABS_E_INVAL;
}

int iommuabs_irq_ioapic(struct iommuabs_device *dev, uint32_t n,
			uint32_t vector, uint32_t flags, uint64_t *entry)
{
	if (!dev || !entry || vector > 0xff || (flags & ~IOMMUABS_IRQ_LEVEL))
		return IOMMUABS_E_INVAL;
	return irq_ioapic(dev, n, vector, flags, entry);
}
