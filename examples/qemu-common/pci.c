/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci.c - ECAM, a scan of all buses, bus numbers, addresses, ACS
 *
 * Where no firmware ran before us, nothing has an address yet: then the machine
 * has a window to take addresses from, and buses get numbers here, too.
 */
#include <stddef.h>
#include "arch.h"
#include "console.h"
#include "machine.h"
#include "pci.h"

/* clang-format off */
/* PCI Local Bus 3.0, 6.1 */
#define CONFIG_ID	  0x00
#define CONFIG_COMMAND	  0x04
#define   COMMAND_MEMORY  (1u << 1)
#define   COMMAND_MASTER  (1u << 2)
#define CONFIG_HEADER	  0x0c
#define   HEADER_TYPE	  0x007f0000u
#define   HEADER_MULTI	  0x00800000u
#define   HEADER_BRIDGE	  0x00010000u
#define CONFIG_BAR0	  0x10
#define   BAR_IO	  (1u << 0)
#define   BAR_64	  (1u << 2)
#define   BAR_FLAGS	  0xfu
#define CONFIG_CAPABILITY 0x34
#define NR_BARS		  6
/* PCI-to-PCI Bridge 1.2, 3.2.5 */
#define CONFIG_BUSES	  0x18
#define CONFIG_IO	  0x1c
#define CONFIG_MEMORY	  0x20
#define CONFIG_PREFETCH	  0x24
#define   WINDOW_LG2	  20
#define   WINDOW_CLOSED	  0x0000fff0u /* it ends before it begins */
/* 6.8.1: message signalled interrupts */
#define CAPABILITY_MSI	  5u
#define   MSI_ENABLE	  (1u << 16)
#define   MSI_64	  (1u << 23)
/* PCI Express 5.0, 7.6.3, 7.7.8: extended capabilities */
#define CONFIG_EXTENDED	  0x100
#define CAPABILITY_ACS	  0xdu
#define   ACS_CONTROL	  4
#define   ACS_WANTED	  0x1du /* SV, RR, CR, UF */
/* clang-format on */

static struct pci_device devices[PCI_MAX_DEVICES];
static unsigned int nr_devices;
static uint64_t next_address;
static unsigned int last_bus;

static uint64_t config_address(uint16_t bdf, unsigned int offset)
{
	return machine.ecam_base + ((uint64_t)bdf << 12) + (offset & 0xffc);
}

uint32_t pci_config_read(uint16_t bdf, unsigned int offset)
{
	if ((uint64_t)bdf << 12 >= machine.ecam_size)
		return UINT32_MAX;
	return mmio_read32(config_address(bdf, offset));
}

void pci_config_write(uint16_t bdf, unsigned int offset, uint32_t value)
{
	mmio_write32(config_address(bdf, offset), value);
}

/* What firmware wrote there. */
static uint64_t bar_read(uint16_t bdf, unsigned int offset)
{
	uint32_t bar = pci_config_read(bdf, offset);
	uint64_t high = 0;

	if (bar & BAR_IO)
		return 0;
	if (bar & BAR_64)
		high = pci_config_read(bdf, offset + 4);
	return high << 32 | (bar & ~BAR_FLAGS);
}

/* The size of a BAR is what stays zero after writing ones (6.2.5.1). */
static uint64_t bar_assign(uint16_t bdf, unsigned int offset)
{
	uint32_t bar, size;
	uint64_t address;

	if (!machine.pci_mem_size)
		return bar_read(bdf, offset);
	pci_config_write(bdf, offset, UINT32_MAX);
	bar = pci_config_read(bdf, offset);
	if (!bar || bar & BAR_IO)
		return 0;
	size = ~(bar & ~BAR_FLAGS) + 1;
	address = (next_address + size - 1) & ~((uint64_t)size - 1);
	next_address = address + size;
	if (next_address > machine.pci_mem_base + machine.pci_mem_size)
		panic("PCI window is full");
	pci_config_write(bdf, offset, (uint32_t)address);
	if (bar & BAR_64)
		pci_config_write(bdf, offset + 4, 0);
	return address;
}

static uint64_t bars_assign(uint16_t bdf)
{
	uint64_t bar0 = 0;

	for (unsigned int i = 0; i < NR_BARS; i++) {
		unsigned int offset = CONFIG_BAR0 + 4 * i;
		uint64_t address = bar_assign(bdf, offset);

		if (i == 0)
			bar0 = address;
		if ((pci_config_read(bdf, offset) & (BAR_64 | BAR_IO)) ==
		    BAR_64)
			i++;
	}
	return bar0;
}

/*
 * What a port or function lets through to its neighbours goes upstream, to the
 * unit, from here on. Else all that is behind it is one to the library.
 */
static void acs_enable(uint16_t bdf)
{
	unsigned int at = CONFIG_EXTENDED;

	for (unsigned int i = 0; at >= CONFIG_EXTENDED && i < 32; i++) {
		uint32_t head = pci_config_read(bdf, at), acs;

		if (head == UINT32_MAX)
			return;
		if ((head & 0xffff) == CAPABILITY_ACS) {
			acs = pci_config_read(bdf, at + ACS_CONTROL);
			pci_config_write(bdf, at + ACS_CONTROL,
					 (acs & 0xffff) | (acs & ACS_WANTED)
								  << 16);
			return;
		}
		at = head >> 20 & 0xffc;
	}
}

static void bus_scan(unsigned int bus);

static uint64_t window_align(void)
{
	const uint64_t size = UINT64_C(1) << WINDOW_LG2;

	next_address = (next_address + size - 1) & ~(size - 1);
	return next_address;
}

/* Numbers and a window for what is behind, as much as it takes. */
static void bridge_open(uint16_t bdf)
{
	unsigned int bus = ++last_bus;
	uint64_t first = window_align(), last;

	pci_config_write(bdf, CONFIG_BUSES,
			 0xff0000 | bus << 8 | (uint32_t)bdf >> 8);
	bus_scan(bus);
	pci_config_write(bdf, CONFIG_BUSES,
			 last_bus << 16 | bus << 8 | (uint32_t)bdf >> 8);
	last = window_align() - 1;
	pci_config_write(bdf, CONFIG_IO, 0xf0);
	pci_config_write(bdf, CONFIG_PREFETCH, WINDOW_CLOSED);
	pci_config_write(bdf, CONFIG_MEMORY,
			 first > last ? WINDOW_CLOSED
				      : (uint32_t)(last & 0xfff00000) |
						(uint32_t)first >> 16);
}

static void bridge_add(uint16_t bdf, uint32_t command)
{
	acs_enable(bdf);
	if (machine.pci_mem_size)
		bridge_open(bdf);
	else
		bus_scan(pci_config_read(bdf, CONFIG_BUSES) >> 8 & 0xff);
	pci_config_write(bdf, CONFIG_COMMAND,
			 command | COMMAND_MEMORY | COMMAND_MASTER);
}

static void function_add(uint16_t bdf, uint32_t id)
{
	struct pci_device *device = &devices[nr_devices];
	uint32_t command = pci_config_read(bdf, CONFIG_COMMAND) & 0xffff;

	if (nr_devices == PCI_MAX_DEVICES)
		panic("more than %u PCI functions", PCI_MAX_DEVICES);
	nr_devices++;
	*device = (struct pci_device){ .bdf = bdf,
				       .vendor = (uint16_t)id,
				       .device = (uint16_t)(id >> 16) };
	if ((pci_config_read(bdf, CONFIG_HEADER) & HEADER_TYPE) ==
	    HEADER_BRIDGE)
		bridge_add(bdf, command);
	if (pci_config_read(bdf, CONFIG_HEADER) & HEADER_TYPE)
		return;
	acs_enable(bdf);
	device->bar0 = bars_assign(bdf);
	device->irq = pci_irq_of(bdf);
	pci_config_write(bdf, CONFIG_COMMAND,
			 command | COMMAND_MEMORY | COMMAND_MASTER);
}

static void bus_scan(unsigned int bus)
{
	for (unsigned int fn = 0; fn < 0x100; fn++) {
		uint16_t bdf = (uint16_t)(bus << 8 | fn);
		uint32_t id = pci_config_read(bdf, CONFIG_ID);
		int absent = (id & 0xffff) == 0xffff;

		if (!absent)
			function_add(bdf, id);
		if (fn % 8 == 0 &&
		    (absent ||
		     !(pci_config_read(bdf, CONFIG_HEADER) & HEADER_MULTI)))
			fn += 7;
	}
}

void pci_init(void)
{
	next_address = machine.pci_mem_base;
	bus_scan(0);
}

static struct pci_device *bridge_of(unsigned int bus)
{
	for (unsigned int i = 0; i < nr_devices && bus; i++) {
		uint16_t bdf = devices[i].bdf;
		uint32_t header = pci_config_read(bdf, CONFIG_HEADER);

		if ((header & HEADER_TYPE) == HEADER_BRIDGE &&
		    (pci_config_read(bdf, CONFIG_BUSES) >> 8 & 0xff) == bus)
			return &devices[i];
	}
	return NULL;
}

uint16_t pci_root_pin(uint16_t bdf, uint32_t *pin)
{
	const struct pci_device *bridge;

	while ((bridge = bridge_of(bdf >> 8)) != NULL) {
		*pin = (*pin - 1 + (bdf >> 3 & 0x1f)) % 4 + 1;
		bdf = bridge->bdf;
	}
	return bdf;
}

void pci_renumber(unsigned int bus, unsigned int to)
{
	const struct pci_device *bridge = bridge_of(bus);

	if (!bridge)
		panic("no bridge to bus %x", bus);
	pci_config_write(bridge->bdf, CONFIG_BUSES,
			 to << 16 | to << 8 | (uint32_t)bridge->bdf >> 8);
	for (unsigned int i = 0; i < nr_devices; i++)
		if (devices[i].bdf >> 8 == bus)
			devices[i].bdf =
				(uint16_t)(to << 8 | (devices[i].bdf & 0xff));
}

static unsigned int capability_find(uint16_t bdf, uint32_t id)
{
	unsigned int at = pci_config_read(bdf, CONFIG_CAPABILITY) & 0xfc;

	/* As many as fit: the list may be circular. */
	for (unsigned int i = 0; at && i < 48; i++) {
		uint32_t head = pci_config_read(bdf, at);

		if ((head & 0xff) == id)
			return at;
		at = head >> 8 & 0xfc;
	}
	return 0;
}

void pci_msi_set(const struct pci_device *device, uint64_t address,
		 uint16_t data)
{
	uint16_t bdf = device->bdf;
	unsigned int at = capability_find(bdf, CAPABILITY_MSI);
	uint32_t head = pci_config_read(bdf, at) & ~MSI_ENABLE;

	if (!at || !(head & MSI_64))
		panic("PCI function %x has no MSI of 64 bits", bdf);
	pci_config_write(bdf, at, head);
	if (!address)
		return;
	pci_config_write(bdf, at + 4, (uint32_t)address);
	pci_config_write(bdf, at + 8, (uint32_t)(address >> 32));
	pci_config_write(bdf, at + 12, data);
	pci_config_write(bdf, at, head | MSI_ENABLE);
}

const struct pci_device *pci_find(uint16_t vendor, uint16_t device,
				  unsigned int index)
{
	for (unsigned int i = 0; i < nr_devices; i++)
		if (devices[i].vendor == vendor &&
		    devices[i].device == device && !index--)
			return &devices[i];
	return NULL;
}
