/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci.h - PCI Express through its enhanced configuration window (ECAM)
 */
#ifndef PCI_H
#define PCI_H

#include <stdint.h>

#define PCI_MAX_DEVICES 24

struct pci_device {
	uint16_t bdf; /* bus << 8 | device << 3 | function: its requester ID */
	uint16_t vendor, device;
	uint64_t bar0; /* machine address; 0: none */
	uint32_t irq;  /* the architecture's number; 0: none */
};

/*
 * Find the functions of all buses, those of a bus before what is behind its later
 * bridges; give them addresses and bus numbers, let them master the bus, switch
 * ACS on.
 */
void pci_init(void);

/*
 * The pin (1: INTA) by which an interrupt of @bdf's @pin leaves the bridges that it
 * is behind, and the function on bus 0 whose it is there.
 */
uint16_t pci_root_pin(uint16_t bdf, uint32_t *pin);

/* Bus @bus, which has no others behind it, is @to from now on. */
void pci_renumber(unsigned int bus, unsigned int to);

/* The @index-th device of this kind, or NULL. */
const struct pci_device *pci_find(uint16_t vendor, uint16_t device,
				  unsigned int index);

/*
 * The architecture's: the interrupt of a function, wired or a message, and who
 * handles it. @handler runs with interrupts masked.
 */
uint32_t pci_irq_of(uint16_t bdf);
void pci_irq_enable(const struct pci_device *device, void (*handler)(void *arg),
		    void *arg);

/* Have it send this message for an interrupt; address 0: its pin again. */
void pci_msi_set(const struct pci_device *device, uint64_t address,
		 uint16_t data);

uint32_t pci_config_read(uint16_t bdf, unsigned int offset);
void pci_config_write(uint16_t bdf, unsigned int offset, uint32_t value);

#endif
