/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine.h - what the device tree says about the machine
 */
#ifndef MACHINE_H
#define MACHINE_H

#include <stddef.h>
#include <stdint.h>

#define MACHINE_MAX_CPUS 8
#define MACHINE_MAX_INTX 16

/* An interrupt-map entry of the host bridge: (slot, pin) -> INTID. */
struct machine_intx {
	uint32_t slot; /* device number, as far as the map's mask goes */
	uint32_t pin;  /* 1 = INTA */
	uint32_t intid;
};

struct machine {
	const void *fdt;
	size_t fdt_size;
	uint64_t ram_base, ram_size;
	uint64_t gicd_base;
	uint64_t gicr_base;
	uint64_t its_base;
	uint64_t smmu_base;
	uint64_t ecam_base, ecam_size;
	uint64_t pci_mem_base, pci_mem_size; /* 32-bit window, identity */
	uint32_t intx_slot_mask;
	unsigned int nr_intx;
	struct machine_intx intx[MACHINE_MAX_INTX];
	unsigned int nr_cpus;
	uint64_t cpu_ids[MACHINE_MAX_CPUS]; /* affinities of MPIDR_EL1 */
	const char *bootargs;		    /* "" if none */
};

/* Filled once, by machine_parse(); panics where the tree lacks something. */
extern struct machine machine;
void machine_parse(const void *fdt);

/* Is @word one of the words of the boot arguments? */
int machine_has_arg(const char *word);

#endif
