/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine.c - the machine as the PVH boot protocol and its ACPI tables describe it
 */
#include "console.h"
#include "machine.h"
#include "string.h"

struct machine machine;

/* Xen's PVH boot ABI (xen/include/public/arch-x86/hvm/start_info.h, version 1). */
#define START_INFO_MAGIC 0x336ec578u
#define MEMMAP_RAM	 1u

struct start_info {
	uint32_t magic, version, flags, nr_modules;
	uint64_t modlist, cmdline, rsdp, memmap;
	uint32_t nr_memmap, reserved;
};

struct memmap_entry {
	uint64_t base, size;
	uint32_t type, reserved;
};

/* ACPI 6.4: 5.2.5.3, 5.2.6 */
struct rsdp {
	char signature[8];
	uint8_t checksum;
	char oem[6];
	uint8_t revision;
	uint32_t rsdt;
} __attribute__((packed));

struct acpi_header {
	char signature[4];
	uint32_t length;
	uint8_t revision, checksum;
	char oem[6], oem_table[8];
	uint32_t oem_revision, creator, creator_revision;
} __attribute__((packed));

#define FADT_PM_TMR_BLK	  76 /* 5.2.9 */
#define MADT_ENTRIES	  44 /* 5.2.12 */
#define MADT_LOCAL_APIC	  0
#define MADT_APIC_ID	  3
#define MADT_FLAGS	  4
#define MADT_ENABLED	  1u
#define MADT_X2APIC	  9 /* ids of 32 bits, where 8 don't do */
#define MADT_X2APIC_ID	  4
#define MADT_X2APIC_FLAGS 8
#define MADT_IOAPIC	  1
#define MADT_IOAPIC_AT	  4
#define MCFG_BASE	  44 /* PCI Firmware 3.3, 4.1.2 */
#define MCFG_BUSES	  54 /* first and last */
#define DMAR_DRHD	  48 /* VT-d 8.3; the first structure of the table */
#define DRHD_SIZE	  2
#define DRHD_SCOPES	  16
#define SCOPE_IOAPIC	  3 /* 8.3.1 */
#define SCOPE_BUS	  5
#define SCOPE_PATH	  6

static char bootargs[256];

static uint64_t bytes_get(const void *table, size_t at, unsigned int nr)
{
	uint64_t value = 0;

	while (nr--)
		value = value << 8 | ((const uint8_t *)table)[at + nr];
	return value;
}

const void *machine_table(const char signature[4], unsigned int index,
			  size_t *size)
{
	const struct acpi_header *rsdt = (const void *)machine.rsdt, *table;

	for (size_t at = sizeof(*rsdt); at + 4 <= rsdt->length; at += 4) {
		table = (const void *)bytes_get(rsdt, at, 4);
		if (memcmp(table->signature, signature, 4) || index--)
			continue;
		*size = table->length;
		return table;
	}
	return NULL;
}

static const void *table_get(const char signature[4], size_t *size)
{
	const void *table = machine_table(signature, 0, size);

	if (!table)
		panic("no ACPI table %c%c%c%c", signature[0], signature[1],
		      signature[2], signature[3]);
	return table;
}

static void cpu_add(uint64_t id, uint64_t flags)
{
	if ((flags & MADT_ENABLED) && machine.nr_cpus < MACHINE_MAX_CPUS)
		machine.cpu_ids[machine.nr_cpus++] = id;
}

static void cpus_parse(void)
{
	size_t size, at = MADT_ENTRIES;
	const uint8_t *madt = table_get("APIC", &size);

	for (; at + 2 <= size && madt[at + 1]; at += madt[at + 1]) {
		if (madt[at] == MADT_LOCAL_APIC)
			cpu_add(madt[at + MADT_APIC_ID],
				bytes_get(madt, at + MADT_FLAGS, 4));
		else if (madt[at] == MADT_X2APIC)
			cpu_add(bytes_get(madt, at + MADT_X2APIC_ID, 4),
				bytes_get(madt, at + MADT_X2APIC_FLAGS, 4));
	}
}

static void ioapic_parse(void)
{
	size_t size, at = MADT_ENTRIES;
	const uint8_t *madt = table_get("APIC", &size);

	while (at + 2 <= size && madt[at + 1] && madt[at] != MADT_IOAPIC)
		at += madt[at + 1];
	if (at + MADT_IOAPIC_AT + 4 > size)
		panic("no IOAPIC");
	machine.ioapic_base = bytes_get(madt, at + MADT_IOAPIC_AT, 4);
}

/* As what it sends messages: a bus, and a device and function on it. */
static void ioapic_rid_parse(void)
{
	size_t size = 0, at = DMAR_DRHD + DRHD_SCOPES, end;
	const uint8_t *dmar = machine_table("DMAR", 0, &size);

	if (!dmar || size < at)
		return;
	end = DMAR_DRHD + bytes_get(dmar, DMAR_DRHD + DRHD_SIZE, 2);
	if (end > size)
		return;
	while (at + SCOPE_PATH + 2 <= end && dmar[at + 1] &&
	       dmar[at] != SCOPE_IOAPIC)
		at += dmar[at + 1];
	if (at + SCOPE_PATH + 2 > end || dmar[at] != SCOPE_IOAPIC)
		return;
	machine.ioapic_rid = (uint16_t)(dmar[at + SCOPE_BUS] << 8 |
					dmar[at + SCOPE_PATH] << 3 |
					dmar[at + SCOPE_PATH + 1]);
}

static void pci_parse(void)
{
	size_t size;
	const uint8_t *mcfg = table_get("MCFG", &size);

	machine.ecam_base = bytes_get(mcfg, MCFG_BASE, 8);
	machine.ecam_size =
		(uint64_t)(mcfg[MCFG_BUSES + 1] - mcfg[MCFG_BUSES] + 1) << 20;
}

/* Where the image lies is RAM; it ends where that piece ends. */
static void ram_parse(const struct start_info *info)
{
	const struct memmap_entry *map = (const void *)info->memmap;
	uint64_t here = (uintptr_t)&machine;

	for (uint32_t i = 0; i < info->nr_memmap; i++) {
		if (map[i].type != MEMMAP_RAM || here < map[i].base ||
		    here - map[i].base >= map[i].size)
			continue;
		machine.ram_base = map[i].base;
		machine.ram_size = map[i].size;
		return;
	}
	panic("the memory map doesn't have the image");
}

/* It lies in low memory, where other CPUs will be started. */
static void bootargs_copy(const struct start_info *info)
{
	const char *from = (const char *)info->cmdline;
	size_t n = from ? strnlen(from, sizeof(bootargs) - 1) : 0;

	memcpy(bootargs, from, n);
	machine.bootargs = bootargs;
}

void machine_parse(uint64_t start_info)
{
	const struct start_info *info = (const void *)start_info;
	const struct rsdp *rsdp;
	size_t size;

	if (info->magic != START_INFO_MAGIC || info->version < 1)
		panic("not started by the PVH protocol: magic %x", info->magic);
	bootargs_copy(info);
	ram_parse(info);
	rsdp = (const void *)info->rsdp;
	machine.rsdt = rsdp->rsdt;
	cpus_parse();
	ioapic_parse();
	ioapic_rid_parse();
	pci_parse();
	machine.pm_timer = (uint16_t)bytes_get(table_get("FACP", &size),
					       FADT_PM_TMR_BLK, 4);
}
