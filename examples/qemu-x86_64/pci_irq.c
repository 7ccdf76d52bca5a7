/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci_irq.c - a device's interrupt as a message
 */
#include "apic.h"
#include "pci.h"

/* clang-format off */
/* PCI Local Bus 3.0, 6.7, 6.8.1 */
#define CONFIG_COMMAND	    0x04
#define   STATUS_CAPABILITY (1u << 20)
#define CONFIG_CAPABILITY   0x34
#define CAPABILITY_MSI	    5u
#define   MSI_ENABLE	    (1u << 16)
#define   MSI_64	    (1u << 23)
#define MSI_ADDRESS	    4
#define MSI_ADDRESS_HIGH    8
#define MAX_CAPABILITIES    48
/* clang-format on */

/* Offset of the MSI capability; 0: it has none. */
uint32_t pci_irq_of(uint16_t bdf)
{
	unsigned int at, n = 0;

	if (!(pci_config_read(bdf, CONFIG_COMMAND) & STATUS_CAPABILITY))
		return 0;
	at = pci_config_read(bdf, CONFIG_CAPABILITY) & 0xfc;
	for (; at && n < MAX_CAPABILITIES; n++) {
		uint32_t word = pci_config_read(bdf, at);

		if ((word & 0xff) == CAPABILITY_MSI)
			return at;
		at = word >> 8 & 0xfc;
	}
	return 0;
}

static void msi_write(const struct pci_device *device, uint64_t address,
		      uint32_t data)
{
	uint32_t head = pci_config_read(device->bdf, device->irq);
	unsigned int data_at = device->irq + MSI_ADDRESS_HIGH;

	pci_config_write(device->bdf, device->irq + MSI_ADDRESS,
			 (uint32_t)address);
	if (head & MSI_64) {
		pci_config_write(device->bdf, data_at,
				 (uint32_t)(address >> 32));
		data_at += 4;
	}
	pci_config_write(device->bdf, data_at, data);
	pci_config_write(device->bdf, device->irq, head | MSI_ENABLE);
}

void pci_irq_enable(const struct pci_device *device, void (*handler)(void *arg),
		    void *arg)
{
	msi_write(device, apic_msi_address(),
		  apic_msi_data(apic_vector_new(handler, arg)));
}
