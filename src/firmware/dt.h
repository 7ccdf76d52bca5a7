/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dt.h - the device-tree scanner's own view of a tree
 *
 * The tree is walked three times, front to back, with a stack of the nodes above
 * the present one: first what phandles name and which units there are, then the
 * devices and what refers to others, then the reserved regions. A property is
 * looked at where it lies; nothing is searched for by walking again, so that the
 * work is linear in the size of the tree.
 */
#ifndef IOMMUABS_FIRMWARE_DT_H
#define IOMMUABS_FIRMWARE_DT_H

#include "desc.h"

#if IOMMUABS_CONFIG_FDT

#include <iommuabs/error.h>
#include <libfdt.h>

#define DT_DEPTH_MAX  64
#define DT_CELLS_MAX  4	    /* of an address, a size or a specifier */
#define DT_RANGES_MAX 256   /* entries of one bus' ranges */
#define DT_NO_CELLS   (~0u) /* no such property, or a malformed one */

/* Properties that matter. Names and order: dt_walk.c. */
enum dt_name {
	DT_ADDRESS_CELLS,
	DT_BUS_RANGE,
	DT_CAVIUM_PAGE0,
	DT_COMPATIBLE,
	DT_DEVICE_TYPE,
	DT_DMA_COHERENT,
	DT_DMA_NONCOHERENT,
	DT_INTERRUPT_CELLS,
	DT_INTERRUPT_MAP,
	DT_INTERRUPT_MAP_MASK,
	DT_INTERRUPT_NAMES,
	DT_INTERRUPT_PARENT,
	DT_INTERRUPTS,
	DT_INTERRUPTS_EXTENDED,
	DT_IOMMU_ADDRESSES,
	DT_IOMMU_CELLS,
	DT_IOMMU_MAP,
	DT_IOMMU_MAP_MASK,
	DT_IOMMUS,
	DT_LINUX_PHANDLE,
	DT_MSI_CELLS,
	DT_MSI_CONTROLLER,
	DT_MSI_MAP,
	DT_MSI_PARENT,
	DT_PCI_DOMAIN,
	DT_PHANDLE,
	DT_RANGES,
	DT_REG,
	DT_SIZE_CELLS,
	DT_STATUS,
	DT_NAMES_,
};

struct dt_prop {
	const char *data; /* NULL: the node has none of this name */
	uint32_t size;
};

/* A node on the way from the root to the present one. */
struct dt_node {
	struct dt_node *parent;
	struct dt_node *below; /* one that was there before, for use again */
	uint32_t depth;
	uint32_t path_length; /* in dt_scan.path */
	bool path_cut;	      /* it doesn't fit */
	bool complete;	      /* all its properties have been seen */
	bool enabled;	      /* it and all nodes above */
	/* It is this one, or one of its PCI functions. NULL: neither. */
	struct desc_device *device;
	struct dt_prop props[DT_NAMES_];
};

/* Where interrupts go (Devicetree Specification 2.4). */
struct dt_controller {
	uint32_t cells;		/* of a specifier, or DT_NO_CELLS */
	uint32_t address_cells; /* before it, in an interrupt-map */
	bool is_gic;
	struct dt_prop map, mask; /* a nexus: it only passes them on */
};

/* What a phandle names. */
struct dt_target {
	/* A digital search tree by the bits of @phandle, lowest first. */
	struct dt_target *child[2];
	struct dt_target *next; /* of all */
	uint32_t phandle;
	bool ambiguous; /* several nodes have it */
	bool is_its;
	uint32_t iommu_cells, msi_cells; /* or DT_NO_CELLS */
	struct dt_controller controller;
	/* Of the bus it is on. */
	uint32_t address_cells, size_cells;
	struct desc_unit *unit;
	struct desc_device *device; /* from the second walk on */
};

struct dt_scan {
	struct desc_set *set;
	const void *fdt;
	struct dt_node *root;
	uint32_t nr_nodes;	   /* of this walk so far */
	struct dt_target *targets; /* the tree */
	struct dt_target *all;	   /* the list */
	struct desc_unit **last_unit;
	struct desc_device **last_device;
	/* The second walk meets the units in the order of the first. */
	struct desc_unit *unit;
	uint32_t next_domain;	      /* for PCI host bridges that don't say */
	char path[IOMMUABS_PATH_MAX]; /* of the present node */
};

/* ---- dt_walk.c ---- */

typedef int (*dt_visit)(struct dt_scan *scan, struct dt_node *node);

/* Call @visit for each node, parents first, when its properties are known. */
int dt_walk(struct dt_scan *scan, dt_visit visit);
void dt_nodes_free(struct dt_scan *scan);

/* E_FIRMWARE, having noted what is wrong with which property of this node. */
int dt_fail(struct dt_scan *scan, enum dt_name name, const char *what);

/* ---- dt_prop.c ---- */

static inline bool dt_has(const struct dt_node *node, enum dt_name name)
{
	return node->props[name].data != NULL;
}

static inline uint32_t dt_nr_cells(const struct dt_prop *prop)
{
	return prop->size / 4;
}

static inline uint32_t dt_cell(const struct dt_prop *prop, uint32_t n)
{
	return fdt32_ld((const void *)(prop->data + 4 * (size_t)n));
}

/* The property's one cell, DT_NO_CELLS if it is missing or malformed. */
uint32_t dt_u32(const struct dt_node *node, enum dt_name name);
/* Does a string of the list begin with @string? */
bool dt_any_begins(struct dt_scan *scan, const struct dt_prop *prop,
		   const char *string);
/* Is @string the @n-th string of a list, or with -1 any of them? */
bool dt_string_is(struct dt_scan *scan, const struct dt_prop *prop, int n,
		  const char *string);
uint32_t dt_nr_strings(struct dt_scan *scan, const struct dt_prop *prop);
/* @nr cells from the @at-th as a number; false: wider than 64 bits. */
bool dt_number(const struct dt_prop *prop, uint32_t at, uint32_t nr,
	       uint64_t *value);

/* #address-cells and #size-cells that @node gives to those below it. */
void dt_bus_cells(const struct dt_node *node, uint32_t *address_cells,
		  uint32_t *size_cells);
/*
 * The first range of reg as the CPU sees it. Return: 0 | E_FIRMWARE (there is
 * none, or it does not arrive at the root).
 */
int dt_reg(struct dt_scan *scan, const struct dt_node *node, uint64_t *base,
	   uint64_t *length);

/* ---- dt_target.c ---- */

int dt_target_add(struct dt_scan *scan, const struct dt_node *node,
		  struct desc_unit *unit);
/* NULL: nothing has it. */
struct dt_target *dt_target_find(struct dt_scan *scan, uint32_t phandle);
/* The present node's own, NULL: it has none that is only its own. */
struct dt_target *dt_target_of(struct dt_scan *scan,
			       const struct dt_node *node);
void dt_targets_free(struct dt_scan *scan);

/* What @node is to the interrupts of others. */
void dt_controller_of(struct dt_scan *scan, const struct dt_node *node,
		      struct dt_controller *controller);

/* Which of a target's cells say how long a specifier is. */
enum dt_kind {
	DT_KIND_IOMMU,
	DT_KIND_INTERRUPT,
	DT_KIND_MSI,
};

/* DT_NO_CELLS: @target can't be referred to as one of @kind. */
uint32_t dt_target_cells(const struct dt_target *target, enum dt_kind kind);

/* A phandle and what follows it, in a list of such. */
struct dt_specifier {
	struct dt_target *target;
	uint32_t args, nr_args; /* cells of the property */
};

/* Read the one at cell @*at and move @*at behind it. Return: 1 | 0 (there is no
 * other) | E_FIRMWARE. */
int dt_specifier_next(struct dt_scan *scan, const struct dt_node *node,
		      enum dt_name name, enum dt_kind kind, uint32_t *at,
		      struct dt_specifier *spec);

/* ---- dt_unit.c ---- */

bool dt_is_unit(struct dt_scan *scan, const struct dt_node *node,
		enum iommuabs_unit_type *type);
/* What the first walk and what the second can say about a unit. */
int dt_unit_add(struct dt_scan *scan, const struct dt_node *node,
		enum iommuabs_unit_type type, struct desc_unit **out);
/* Its wires, and where its messages arrive. */
int dt_unit_irqs(struct dt_scan *scan, const struct dt_node *node,
		 struct desc_unit *unit);

/* ---- dt_irq.c ---- */

/* One interrupt of a node: where it goes, and its specifier there. */
struct dt_irq {
	struct dt_controller controller;
	uint32_t nr; /* cells */
	uint32_t cells[DT_CELLS_MAX];
};

/* Positions in a node's interrupts or interrupts-extended. */
struct dt_irqs {
	const struct dt_node *node;
	enum dt_name name;
	struct dt_controller controller; /* of interrupts */
	uint32_t at;			 /* cell of the next one */
};

/* Return: 0 | E_FIRMWARE. */
int dt_irqs_open(struct dt_scan *scan, const struct dt_node *node,
		 enum dt_name name, struct dt_irqs *irqs);
/* The next one, with no nexus left. Return: 1 | 0 (no more) | E_FIRMWARE. */
int dt_irqs_next(struct dt_scan *scan, struct dt_irqs *irqs,
		 struct dt_irq *irq);

/* ---- dt_device.c ---- */

/* A PCI bus that is not behind another. */
bool dt_is_pci_host(struct dt_scan *scan, const struct dt_node *node);
int dt_device_add(struct dt_scan *scan, struct dt_node *node);
void dt_streams_drop(struct dt_scan *scan, struct desc_device *device);

/* ---- dt_map.c ---- */

/* One entry of an iommu-map or msi-map. */
struct dt_map_entry {
	struct dt_target *target;
	uint32_t rid, out, nr;
};

/* How long an entry is: some trees give one output cell whatever the target. */
enum dt_map_form {
	DT_MAP_OF_TARGET,
	DT_MAP_FOUR,
	DT_MAP_MIXED,
};

struct dt_map {
	const struct dt_node *node;
	enum dt_name name;
	enum dt_kind kind;
	enum dt_map_form form;
	uint32_t at; /* cell of the next entry */
};

void dt_map_open(struct dt_scan *scan, const struct dt_node *node,
		 enum dt_name name, struct dt_map *map);
/* Return: 1 (an entry) | 0 (no more) | E_FIRMWARE. */
int dt_map_next(struct dt_scan *scan, struct dt_map *map,
		struct dt_map_entry *entry);

/*
 * @device's streams of iommu-map and iommu-map-mask, of functions on its buses
 * only. Where entries have outputs in common, or all functions are one, the
 * device is no range: none can be carved out of it.
 */
int dt_map_streams(struct dt_scan *scan, const struct dt_node *node,
		   struct desc_device *device);

/* ---- dt_reserved.c ---- */

int dt_reserved_add(struct dt_scan *scan, struct dt_node *node);

#endif
#endif
