/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dt_target.c - phandles, and lists of a phandle with cells behind it
 */
#include "dt.h"

#if IOMMUABS_CONFIG_FDT

/* Where the target with @phandle is, or would be: 33 steps at the most. */
static struct dt_target **slot_of(struct dt_scan *scan, uint32_t phandle)
{
	struct dt_target **slot = &scan->targets;
	uint32_t bits = phandle;

	while (*slot && (*slot)->phandle != phandle) {
		slot = &(*slot)->child[bits & 1];
		bits >>= 1;
		scan->set->work++;
	}
	return slot;
}

/* 0: it has none. 0 and ~0 name nothing (Devicetree Specification 2.3.3). */
static uint32_t phandle_of(const struct dt_node *node)
{
	enum dt_name name =
		dt_has(node, DT_PHANDLE) ? DT_PHANDLE : DT_LINUX_PHANDLE;
	uint32_t phandle = dt_u32(node, name);

	return phandle == ~0u ? 0 : phandle;
}

static bool is_gic(struct dt_scan *scan, const struct dt_prop *compatible)
{
	static const char names[][20] = {
		"arm,gic-v3",	     "arm,gic-400",	  "arm,cortex-a15-gic",
		"arm,cortex-a9-gic", "arm,cortex-a7-gic", "arm,gic-v2",
	};
	unsigned int i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (dt_string_is(scan, compatible, -1, names[i]))
			return true;
	return false;
}

void dt_controller_of(struct dt_scan *scan, const struct dt_node *node,
		      struct dt_controller *controller)
{
	*controller = (struct dt_controller){
		.cells = dt_u32(node, DT_INTERRUPT_CELLS),
		.is_gic = is_gic(scan, &node->props[DT_COMPATIBLE]),
		.map = node->props[DT_INTERRUPT_MAP],
		.mask = node->props[DT_INTERRUPT_MAP_MASK],
	};
	/* Unlike that of a bus, it is 0 where nothing is said. */
	if (dt_has(node, DT_ADDRESS_CELLS))
		controller->address_cells = dt_u32(node, DT_ADDRESS_CELLS);
}

int dt_target_add(struct dt_scan *scan, const struct dt_node *node,
		  struct desc_unit *unit)
{
	const struct dt_prop *compatible = &node->props[DT_COMPATIBLE];
	uint32_t phandle = phandle_of(node);
	struct dt_target **slot, *target;

	if (!phandle)
		return 0;
	slot = slot_of(scan, phandle);
	if (*slot) {
		(*slot)->ambiguous = true;
		return 0;
	}
	target = tablemem_object_alloc(scan->set->mem, sizeof(*target));
	if (!target)
		return IOMMUABS_E_NOMEM;
	*slot = target;
	target->next = scan->all;
	scan->all = target;
	target->phandle = phandle;
	target->unit = unit;
	target->iommu_cells = dt_u32(node, DT_IOMMU_CELLS);
	target->msi_cells =
		dt_has(node, DT_MSI_CELLS) ? dt_u32(node, DT_MSI_CELLS) : 0;
	target->is_its = dt_string_is(scan, compatible, -1, "arm,gic-v3-its");
	dt_controller_of(scan, node, &target->controller);
	target->address_cells = target->size_cells = DT_NO_CELLS;
	if (node->parent)
		dt_bus_cells(node->parent, &target->address_cells,
			     &target->size_cells);
	if (unit)
		unit->fw_id = phandle;
	return 0;
}

struct dt_target *dt_target_find(struct dt_scan *scan, uint32_t phandle)
{
	return *slot_of(scan, phandle);
}

struct dt_target *dt_target_of(struct dt_scan *scan, const struct dt_node *node)
{
	uint32_t phandle = phandle_of(node);
	struct dt_target *target =
		phandle ? dt_target_find(scan, phandle) : NULL;

	return target && !target->ambiguous ? target : NULL;
}

void dt_targets_free(struct dt_scan *scan)
{
	struct dt_target *target;

	while ((target = scan->all) != NULL) {
		scan->all = target->next;
		tablemem_object_free(scan->set->mem, target, sizeof(*target));
	}
}

uint32_t dt_target_cells(const struct dt_target *target, enum dt_kind kind)
{
	uint32_t cells = kind == DT_KIND_IOMMU	     ? target->iommu_cells
			 : kind == DT_KIND_INTERRUPT ? target->controller.cells
						     : target->msi_cells;

	if (kind == DT_KIND_IOMMU && !target->unit)
		return DT_NO_CELLS;
	/* Arm's binding of the SMMUv3: #iommu-cells is 1. */
	if (kind == DT_KIND_IOMMU &&
	    target->unit->type == IOMMUABS_UNIT_SMMUV3 && cells != 1)
		return DT_NO_CELLS;
	return cells <= DT_CELLS_MAX ? cells : DT_NO_CELLS;
}

int dt_specifier_next(struct dt_scan *scan, const struct dt_node *node,
		      enum dt_name name, enum dt_kind kind, uint32_t *at,
		      struct dt_specifier *spec)
{
	const struct dt_prop *prop = &node->props[name];
	uint32_t nr = dt_nr_cells(prop);
	struct dt_target *target;
	uint32_t cells;

	if (prop->size % 4)
		return dt_fail(scan, name, "not a number of cells");
	if (*at >= nr)
		return 0;
	target = dt_target_find(scan, dt_cell(prop, *at));
	if (!target)
		return dt_fail(scan, name, "a phandle that no node has");
	if (target->ambiguous)
		return dt_fail(scan, name, "a phandle that several nodes have");
	cells = dt_target_cells(target, kind);
	if (cells == DT_NO_CELLS)
		return dt_fail(scan, name,
			       "a phandle of a node that can't be meant");
	if (cells > nr - *at - 1)
		return dt_fail(scan, name, "its last specifier is cut");
	spec->target = target;
	spec->args = *at + 1;
	spec->nr_args = cells;
	*at += 1 + cells;
	scan->set->work += 1 + cells;
	return 1;
}

#endif
