/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine.h - what the host knows about the machine it is on
 */
#ifndef MACHINE_H
#define MACHINE_H

#include <stddef.h>
#include <stdint.h>

#define MACHINE_MAX_CPUS 8

struct machine {
	uint64_t ram_base, ram_size; /* the piece that the image lies in */
	uint64_t ecam_base, ecam_size;
	uint64_t pci_mem_base,
		pci_mem_size; /* size 0: firmware assigned BARs */
	uint64_t rsdt;	      /* machine address */
	uint64_t ioapic_base; /* the first one's registers */
	uint16_t ioapic_rid;  /* by which a VT-d unit knows it */
	uint16_t pm_timer;    /* port */
	unsigned int nr_cpus;
	uint64_t cpu_ids[MACHINE_MAX_CPUS]; /* of their local APICs */
	const char *bootargs;		    /* "" if none */
};

/* Filled once, by machine_parse(); panics where the firmware lacks something. */
extern struct machine machine;
void machine_parse(uint64_t start_info);

/* The @index-th ACPI table with this signature, or NULL. */
const void *machine_table(const char signature[4], unsigned int index,
			  size_t *size);

/* Is @word one of the words of the boot arguments? */
int machine_has_arg(const char *word);

#endif
