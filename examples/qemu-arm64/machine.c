/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine.c - the machine as its device tree describes it
 */
#include <libfdt.h>
#include "console.h"
#include "machine.h"
#include "string.h"

struct machine machine;

static uint64_t cells_get(const fdt32_t *cell, int nr)
{
	uint64_t value = 0;

	while (nr--)
		value = value << 32 | fdt32_to_cpu(*cell++);
	return value;
}

/* Entry @index of the reg property of a node below the root. */
static void reg_get(int node, int index, uint64_t *base, uint64_t *size)
{
	int length;
	const fdt32_t *reg = fdt_getprop(machine.fdt, node, "reg", &length);

	if (!reg || length < (index + 1) * 16)
		panic("device tree: node %d has no reg %d", node, index);
	*base = cells_get(reg + index * 4, 2);
	*size = cells_get(reg + index * 4 + 2, 2);
}

static int compatible_find(const char *compatible)
{
	int node = fdt_node_offset_by_compatible(machine.fdt, -1, compatible);

	if (node < 0)
		panic("device tree: no %s", compatible);
	return node;
}

static void ram_parse(void)
{
	int node = fdt_node_offset_by_prop_value(machine.fdt, -1, "device_type",
						 "memory", sizeof("memory"));

	if (node < 0)
		panic("device tree: no memory");
	reg_get(node, 0, &machine.ram_base, &machine.ram_size);
}

static void gic_parse(void)
{
	uint64_t size;
	int node = compatible_find("arm,gic-v3");

	reg_get(node, 0, &machine.gicd_base, &size);
	reg_get(node, 1, &machine.gicr_base, &size);
	reg_get(compatible_find("arm,gic-v3-its"), 0, &machine.its_base, &size);
}

static void cpus_parse(void)
{
	int cpus = fdt_path_offset(machine.fdt, "/cpus");
	int node;

	fdt_for_each_subnode(node, machine.fdt, cpus)
	{
		int length;
		const fdt32_t *reg;

		if (strncmp(fdt_get_name(machine.fdt, node, NULL), "cpu@", 4) ||
		    machine.nr_cpus == MACHINE_MAX_CPUS)
			continue;
		reg = fdt_getprop(machine.fdt, node, "reg", &length);
		if (reg)
			machine.cpu_ids[machine.nr_cpus++] =
				cells_get(reg, length / 4);
	}
}

/* PCI bus binding: 3 cells PCI address, 2 cells CPU address, 2 cells size. */
static void pci_window_parse(int node)
{
	int length;
	const fdt32_t *range =
		fdt_getprop(machine.fdt, node, "ranges", &length);

	for (; range && length >= 28; range += 7, length -= 28) {
		if ((cells_get(range, 1) & 0x03000000) != 0x02000000)
			continue;
		if (cells_get(range + 1, 2) != cells_get(range + 3, 2))
			panic("device tree: PCI window is not identity mapped");
		machine.pci_mem_base = cells_get(range + 3, 2);
		machine.pci_mem_size = cells_get(range + 5, 2);
		return;
	}
	panic("device tree: no 32-bit PCI window");
}

/*
 * An entry: 3 cells PCI address, pin, phandle, 2 cells GIC address and 3 cells
 * of the GIC's own, the second of which is the number of a shared peripheral
 * interrupt, counted from INTID 32.
 */
static void intx_parse(int node)
{
	int length;
	const fdt32_t *mask =
		fdt_getprop(machine.fdt, node, "interrupt-map-mask", &length);
	const fdt32_t *map;

	if (!mask || length < 16)
		panic("device tree: no interrupt-map-mask");
	machine.intx_slot_mask = (uint32_t)cells_get(mask, 1) >> 11 & 0x1f;
	map = fdt_getprop(machine.fdt, node, "interrupt-map", &length);
	for (; map && length >= 40 && machine.nr_intx < MACHINE_MAX_INTX;
	     map += 10, length -= 40)
		machine.intx[machine.nr_intx++] = (struct machine_intx){
			.slot = (uint32_t)cells_get(map, 1) >> 11 & 0x1f,
			.pin = (uint32_t)cells_get(map + 3, 1),
			.intid = (uint32_t)cells_get(map + 8, 1) + 32,
		};
}

static void bootargs_parse(void)
{
	int node = fdt_path_offset(machine.fdt, "/chosen");
	const char *args = fdt_getprop(machine.fdt, node, "bootargs", NULL);

	machine.bootargs = args ? args : "";
}

void machine_parse(const void *fdt)
{
	uint64_t size;
	int node;

	if (fdt_check_header(fdt))
		panic("no device tree at %lx", (unsigned long)fdt);
	machine.fdt = fdt;
	machine.fdt_size = fdt_totalsize(fdt);
	ram_parse();
	gic_parse();
	cpus_parse();
	node = compatible_find("pci-host-ecam-generic");
	reg_get(node, 0, &machine.ecam_base, &machine.ecam_size);
	pci_window_parse(node);
	reg_get(compatible_find("arm,smmu-v3"), 0, &machine.smmu_base, &size);
	intx_parse(node);
	bootargs_parse();
}
