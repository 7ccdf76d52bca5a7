/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dt_irq.c - interrupts of a node, and the controller each of them arrives at
 *
 * Devicetree Specification, 2.4: interrupts go to the interrupt parent; what has
 * an interrupt-map is a nexus and passes them on to another, with another
 * specifier.
 */
#include "dt.h"

#if IOMMUABS_CONFIG_FDT

#define NEXUS_MAX 8 /* one behind the other */

/* What is compared with a nexus' entries: a unit address and a specifier. */
struct key {
	uint32_t nr;
	uint32_t cells[2 * DT_CELLS_MAX];
};

static bool is_sane(const struct dt_controller *controller)
{
	return controller->cells - 1 < DT_CELLS_MAX &&
	       controller->address_cells <= DT_CELLS_MAX;
}

/* The controller of a node's interrupts (Devicetree Specification 2.4.1). */
static int parent_find(struct dt_scan *scan, struct dt_irqs *irqs)
{
	const struct dt_node *at = irqs->node;
	struct dt_target *target;

	for (; at; at = at->parent) {
		if (dt_has(at, DT_INTERRUPT_PARENT)) {
			target = dt_target_find(
				scan, dt_u32(at, DT_INTERRUPT_PARENT));
			if (!target || target->ambiguous)
				break;
			irqs->controller = target->controller;
			return 0;
		}
		if (at != irqs->node && dt_has(at, DT_INTERRUPT_CELLS)) {
			dt_controller_of(scan, at, &irqs->controller);
			return 0;
		}
	}
	return dt_fail(scan, irqs->name, "no controller");
}

int dt_irqs_open(struct dt_scan *scan, const struct dt_node *node,
		 enum dt_name name, struct dt_irqs *irqs)
{
	const struct dt_prop *prop = &node->props[name];
	int ret;

	*irqs = (struct dt_irqs){ .node = node, .name = name };
	if (prop->size % 4)
		return dt_fail(scan, name, "not a number of cells");
	if (name == DT_INTERRUPTS_EXTENDED)
		return 0;
	ret = parent_find(scan, irqs);
	if (ret)
		return ret;
	if (!is_sane(&irqs->controller))
		return dt_fail(scan, name,
			       "its controller has no sane #interrupt-cells");
	if (dt_nr_cells(prop) % irqs->controller.cells)
		return dt_fail(scan, name, "its last specifier is cut");
	return 0;
}

/* ---- a nexus ---- */

/* @nr cells at @at of the unit address or specifier, 0 behind its end. */
static void key_add(struct key *key, const struct dt_prop *prop, uint32_t at,
		    uint32_t nr)
{
	for (; nr; nr--, at++)
		key->cells[key->nr++] =
			at < dt_nr_cells(prop) ? dt_cell(prop, at) : 0;
}

static bool key_matches(const struct dt_controller *nexus, uint32_t at,
			const struct key *key)
{
	uint32_t i, mask;

	for (i = 0; i < key->nr; i++) {
		mask = nexus->mask.data ? dt_cell(&nexus->mask, i) : ~0u;
		if ((dt_cell(&nexus->map, at + i) ^ key->cells[i]) & mask)
			return false;
	}
	return true;
}

/*
 * One step: @irq at the nexus, and @key to match. Where the entry is found, both
 * are as its controller has them. @key->nr cells are compared; behind them the
 * entry has a phandle, a unit address and a specifier.
 */
static int nexus_pass(struct dt_scan *scan, const struct dt_irqs *irqs,
		      struct dt_irq *irq, struct key *key)
{
	const struct dt_controller *nexus = &irq->controller, *next;
	uint32_t nr = dt_nr_cells(&nexus->map), at, width, n = 0;
	struct dt_target *target;

	if (nexus->mask.data && nexus->mask.size != 4 * key->nr)
		return dt_fail(scan, irqs->name,
			       "an interrupt-map-mask above is malformed");
	for (at = 0; at < nr && n < DT_RANGES_MAX; at += width, n++) {
		target = nr - at > key->nr
				 ? dt_target_find(scan, dt_cell(&nexus->map,
								at + key->nr))
				 : NULL;
		next = target ? &target->controller : NULL;
		if (!target || target->ambiguous || !is_sane(next))
			return dt_fail(scan, irqs->name,
				       "an interrupt-map above is malformed");
		width = key->nr + 1 + next->address_cells + next->cells;
		scan->set->work += width;
		if (width > nr - at)
			return dt_fail(scan, irqs->name,
				       "an interrupt-map above is malformed");
		if (!key_matches(nexus, at, key))
			continue;
		at += key->nr + 1;
		key->nr = 0;
		key_add(key, &nexus->map, at, next->address_cells);
		key_add(key, &nexus->map, at + next->address_cells,
			next->cells);
		irq->controller = *next;
		return 0;
	}
	return dt_fail(scan, irqs->name, "no interrupt-map above has it");
}

/* From the specifier at @args to that of a controller that is no nexus. */
static int resolve(struct dt_scan *scan, const struct dt_irqs *irqs,
		   uint32_t args, struct dt_irq *irq)
{
	struct key key = { 0 };
	uint32_t n;
	int ret = 0;

	key_add(&key, &irqs->node->props[DT_REG], 0,
		irq->controller.address_cells);
	key_add(&key, &irqs->node->props[irqs->name], args,
		irq->controller.cells);
	for (n = 0; irq->controller.map.data && !irq->controller.is_gic; n++) {
		ret = n < NEXUS_MAX ? nexus_pass(scan, irqs, irq, &key)
				    : dt_fail(scan, irqs->name,
					      "too many interrupt-maps above");
		if (ret)
			return ret;
	}
	irq->nr = irq->controller.cells;
	for (n = 0; n < irq->nr; n++)
		irq->cells[n] = key.cells[irq->controller.address_cells + n];
	return 1;
}

int dt_irqs_next(struct dt_scan *scan, struct dt_irqs *irqs, struct dt_irq *irq)
{
	struct dt_specifier spec;
	uint32_t args = irqs->at;
	int ret;

	if (irqs->at >= dt_nr_cells(&irqs->node->props[irqs->name]))
		return 0;
	if (irqs->name == DT_INTERRUPTS) {
		irq->controller = irqs->controller;
		irqs->at += irqs->controller.cells;
		return resolve(scan, irqs, args, irq);
	}
	ret = dt_specifier_next(scan, irqs->node, irqs->name, DT_KIND_INTERRUPT,
				&irqs->at, &spec);
	if (ret <= 0)
		return ret;
	irq->controller = spec.target->controller;
	if (spec.nr_args && !is_sane(&irq->controller))
		return dt_fail(scan, irqs->name,
			       "its controller has no sane #address-cells");
	if (!spec.nr_args) {
		irq->nr = 0;
		return 1;
	}
	return resolve(scan, irqs, spec.args, irq);
}

#endif
