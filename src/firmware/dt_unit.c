/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dt_unit.c - nodes that are IOMMUs
 *
 * An Arm SMMU is known by its compatible; what else has #iommu-cells is another
 * maker's and only named.
 */
#include "dt.h"

#if IOMMUABS_CONFIG_FDT

_Static_assert(sizeof(struct desc_unit) <= TABLEMEM_OBJECT_MAX,
	       "a small object");

/* SMMUv3's performance counters are a device of their own, with this name. */
#define PMCG "arm,smmu-v3-pmcg"

bool dt_is_unit(struct dt_scan *scan, const struct dt_node *node,
		enum iommuabs_unit_type *type)
{
	static const char smmuv2[][18] = {
		"arm,smmu-v1",	   "arm,smmu-v2",  "arm,mmu-400",
		"arm,mmu-401",	   "arm,mmu-500",  "cavium,smmu-v2",
		"nvidia,smmu-500", "qcom,smmu-v2", "qcom,smmu-500",
	};
	const struct dt_prop *compatible = &node->props[DT_COMPATIBLE];
	unsigned int i;

	if (dt_string_is(scan, compatible, -1, PMCG))
		return false;
	if (dt_string_is(scan, compatible, -1, "arm,smmu-v3")) {
		*type = IOMMUABS_UNIT_SMMUV3;
		return true;
	}
	for (i = 0; i < sizeof(smmuv2) / sizeof(smmuv2[0]); i++) {
		if (dt_string_is(scan, compatible, -1, smmuv2[i])) {
			*type = IOMMUABS_UNIT_SMMUV2;
			return true;
		}
	}
	*type = IOMMUABS_UNIT_OTHER;
	return dt_has(node, DT_IOMMU_CELLS);
}

/* The nearest node that says something decides, as for any DMA master. */
static bool is_coherent(const struct dt_node *node)
{
	for (; node; node = node->parent) {
		if (dt_has(node, DT_DMA_COHERENT))
			return true;
		if (dt_has(node, DT_DMA_NONCOHERENT))
			return false;
	}
	return false;
}

/*
 * Of a unit that is off or not an SMMU, the registers are not needed: it may be
 * without any (a PCI function) or on a bus that the CPU does not see.
 */
static int unit_registers(struct dt_scan *scan, const struct dt_node *node,
			  struct desc_unit *unit)
{
	int ret = dt_reg(scan, node, &unit->base, &unit->length);

	if (ret && (unit->disabled || unit->type == IOMMUABS_UNIT_OTHER)) {
		scan->set->error[0] = '\0';
		return 0;
	}
	if (!ret && !unit->disabled && !unit->length)
		return dt_fail(scan, DT_REG, "of no size");
	return ret;
}

int dt_unit_add(struct dt_scan *scan, const struct dt_node *node,
		enum iommuabs_unit_type type, struct desc_unit **out)
{
	struct desc_unit *unit;

	if (node->path_cut)
		return dt_fail(scan, DT_COMPATIBLE, "the path is too long");
	unit = tablemem_object_alloc(scan->set->mem, sizeof(*unit));
	if (!unit)
		return IOMMUABS_E_NOMEM;
	*scan->last_unit = unit;
	scan->last_unit = &unit->next;
	unit->type = type;
	unit->disabled = !node->enabled;
	if (is_coherent(node))
		unit->flags |= IOMMUABS_UNIT_COHERENT;
	if (type == IOMMUABS_UNIT_SMMUV3 && dt_has(node, DT_CAVIUM_PAGE0))
		unit->flags |= IOMMUABS_UNIT_PAGE0_ONLY;
	hostif_format(unit->path, sizeof(unit->path), "%s", scan->path);
	*out = unit;
	return unit_registers(scan, node, unit);
}

/* ---- interrupts ---- */

/*
 * GIC's binding: type, number, flags. INTIDs: GICv3 architecture (IHI 0069),
 * 2.2. false: there is no such interrupt.
 */
static bool gic_irq(const struct dt_irq *found, struct iommuabs_irq *irq)
{
	static const struct {
		uint32_t first, nr;
	} types[] = { { 32, 988 }, { 16, 16 }, { 4096, 1024 }, { 1056, 64 } };
	uint32_t type = found->cells[0], number = found->cells[1];

	if (type >= sizeof(types) / sizeof(types[0]) ||
	    number >= types[type].nr)
		return false;
	irq->number = types[type].first + number;
	irq->edge = (found->cells[2] & 3) != 0;
	return true;
}

static void irq_append(struct desc_unit *unit, struct iommuabs_irq irq,
		       enum iommuabs_unit_irq_which which)
{
	uint32_t i;

	for (i = 0; i < unit->nr_irqs; i++)
		if (unit->irqs[i].which == which)
			return;
	irq.which = which;
	unit->irqs[unit->nr_irqs++] = irq;
}

/*
 * The @n-th interrupt: by its name, and the only one without a name is all in
 * one; of several without names none can be told from the others. One line for
 * everything is listed once for each of its meanings.
 */
static void irq_add(struct dt_scan *scan, const struct dt_node *node,
		    struct desc_unit *unit, int n, struct iommuabs_irq irq)
{
	static const struct {
		char name[10];
		enum iommuabs_unit_irq_which which;
	} known[] = {
		{ "eventq", IOMMUABS_IRQ_EVENT },
		{ "gerror", IOMMUABS_IRQ_ERROR },
		{ "cmdq-sync", IOMMUABS_IRQ_SYNC },
		{ "priq", IOMMUABS_IRQ_PRI },
	};
	const struct dt_prop *names = &node->props[DT_INTERRUPT_NAMES];
	bool all =
		names->data ? dt_string_is(scan, names, n, "combined") : n == 0;
	unsigned int i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (all || dt_string_is(scan, names, n, known[i].name))
			irq_append(unit, irq, known[i].which);
}

/* An SMMU has four: what goes beyond is not looked at. */
#define SPECIFIERS_MAX 16

static int irqs_of(struct dt_scan *scan, const struct dt_node *node,
		   enum dt_name name, struct desc_unit *unit)
{
	struct iommuabs_irq irq = { 0 };
	struct dt_irq found = { 0 };
	struct dt_irqs irqs;
	uint32_t n = 0;
	int ret = dt_irqs_open(scan, node, name, &irqs);

	while (!ret && n < SPECIFIERS_MAX) {
		ret = dt_irqs_next(scan, &irqs, &found);
		if (ret <= 0)
			break;
		ret = 0;
		/* Of another controller the number says nothing to anybody. */
		if (found.controller.is_gic && found.nr >= 3) {
			if (!gic_irq(&found, &irq))
				return dt_fail(scan, name, "no such interrupt");
			irq_add(scan, node, unit, (int)n, irq);
		}
		n++;
	}
	if (ret)
		return ret;
	if (!dt_has(node, DT_INTERRUPT_NAMES) && n != 1)
		unit->nr_irqs = 0;
	if (dt_has(node, DT_INTERRUPT_NAMES) && n < SPECIFIERS_MAX &&
	    dt_nr_strings(scan, &node->props[DT_INTERRUPT_NAMES]) != n)
		return dt_fail(scan, DT_INTERRUPT_NAMES,
			       "not as many as interrupts");
	return 0;
}

/* Where messages arrive: any of several parents takes them, the first will do. */
static int msi_of(struct dt_scan *scan, const struct dt_node *node,
		  struct desc_unit *unit)
{
	const struct dt_prop *prop = &node->props[DT_MSI_PARENT];
	struct dt_specifier spec;
	uint32_t at = 0;
	int ret;

	while ((ret = dt_specifier_next(scan, node, DT_MSI_PARENT, DT_KIND_MSI,
					&at, &spec)) > 0) {
		if (unit->msi.controller)
			continue;
		unit->msi.controller = spec.target->phandle;
		unit->msi.id = spec.nr_args ? dt_cell(prop, spec.args) : 0;
	}
	return ret;
}

int dt_unit_irqs(struct dt_scan *scan, const struct dt_node *node,
		 struct desc_unit *unit)
{
	int ret;

	if (unit->disabled || unit->type != IOMMUABS_UNIT_SMMUV3)
		return 0;
	ret = msi_of(scan, node, unit);
	if (ret)
		return ret;
	if (dt_has(node, DT_INTERRUPTS_EXTENDED))
		return irqs_of(scan, node, DT_INTERRUPTS_EXTENDED, unit);
	if (dt_has(node, DT_INTERRUPTS))
		return irqs_of(scan, node, DT_INTERRUPTS, unit);
	return 0;
}

#endif
