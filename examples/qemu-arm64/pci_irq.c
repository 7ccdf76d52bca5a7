/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci_irq.c - INTx pins, by the host bridge's interrupt-map
 */
#include "gic.h"
#include "machine.h"
#include "pci.h"

#define CONFIG_INTERRUPT 0x3c /* PCI Local Bus 3.0, 6.1 */

uint32_t pci_irq_of(uint16_t bdf)
{
	uint32_t pin = pci_config_read(bdf, CONFIG_INTERRUPT) >> 8 & 0xff;
	uint32_t slot;

	if (!pin)
		return 0;
	slot = (uint32_t)pci_root_pin(bdf, &pin) >> 3 & 0x1f;
	for (unsigned int i = 0; i < machine.nr_intx; i++)
		if (machine.intx[i].slot == (slot & machine.intx_slot_mask) &&
		    machine.intx[i].pin == pin)
			return machine.intx[i].intid;
	return 0;
}

void pci_irq_enable(const struct pci_device *device, void (*handler)(void *arg),
		    void *arg)
{
	gic_enable(device->irq, GIC_LEVEL, handler, arg);
}
