/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi_iort_unit.c - SMMU nodes of an IORT become units
 */
#include "acpi_iort_scan.h"

#if IOMMUABS_CONFIG_ACPI

#define SMMUV3_ALIGN 0x10000u
#define SMMUV3_PAGE  0x10000u /* of registers */
#define SMMUV2_ALIGN 0x1000u

/* Values of an SMMUv3 node's model. */
#define MODEL_CAVIUM_CN99XX 2 /* erratum 74: no page 1 of registers */

/* A unit whose registers can't be there is off: its masters untranslated. */
static void registers_judge(struct iort_scan *scan, struct desc_unit *unit,
			    uint64_t align)
{
	if (unit->base && !(unit->base & (align - 1)))
		return;
	unit->disabled = 1;
	acpi_remark(&scan->scan, unit->fw_id,
		    unit->base ? "a unit whose registers can't be there: left "
				 "out, its devices are untranslated"
			       : "a unit without registers (base 0): left "
				 "out, its devices are untranslated");
}

static void irq_add(struct desc_unit *unit, enum iommuabs_unit_irq_which which,
		    uint32_t gsiv)
{
	if (!gsiv)
		return;
	unit->irqs[unit->nr_irqs++] = (struct iommuabs_irq){
		.which = which,
		.number = gsiv,
		.edge = 1, /* IHI 0070, 3.18: SMMUv3's wired ones are */
	};
}

static void smmuv3_describe(struct iort_scan *scan,
			    const struct iort_node *node,
			    struct desc_unit *unit)
{
	struct iort_smmuv3 smmu;

	iort_smmuv3(node, &smmu);
	unit->base = smmu.base;
	if (smmu.flags & IORT_SMMUV3_COHACC)
		unit->flags |= IOMMUABS_UNIT_COHERENT;
	irq_add(unit, IOMMUABS_IRQ_EVENT, smmu.event);
	irq_add(unit, IOMMUABS_IRQ_ERROR, smmu.gerror);
	irq_add(unit, IOMMUABS_IRQ_SYNC, smmu.sync);
	irq_add(unit, IOMMUABS_IRQ_PRI, smmu.pri);
	if (smmu.model == MODEL_CAVIUM_CN99XX) {
		unit->flags |= IOMMUABS_UNIT_PAGE0_ONLY;
		unit->length = SMMUV3_PAGE;
	}
	registers_judge(scan, unit, SMMUV3_ALIGN);
}

static void smmu_describe(struct iort_scan *scan, const struct iort_node *node,
			  struct desc_unit *unit)
{
	struct iort_interrupt interrupt;
	struct iort_smmu smmu;

	iort_smmu(node, &smmu);
	unit->base = smmu.base;
	unit->length = smmu.span;
	if (smmu.flags & 2) /* coherent page table walk */
		unit->flags |= IOMMUABS_UNIT_COHERENT;
	registers_judge(scan, unit, SMMUV2_ALIGN);
	if (!smmu.span && !unit->disabled)
		acpi_remark(&scan->scan, unit->fw_id, "registers of no size");
	if (!iort_interrupt(node, smmu.global, 0, &interrupt) ||
	    (smmu.nr_context &&
	     !iort_interrupt(node, smmu.context, smmu.nr_context - 1,
			     &interrupt)) ||
	    (smmu.nr_pmu &&
	     !iort_interrupt(node, smmu.pmu, smmu.nr_pmu - 1, &interrupt)))
		acpi_remark(&scan->scan, unit->fw_id,
			    "interrupts that are not all in the node");
}

struct desc_unit *iort_unit_add(struct iort_scan *scan,
				const struct iort_node *node)
{
	struct desc_unit *unit =
		acpi_unit_add(&scan->scan,
			      node->type == IORT_SMMU ? IOMMUABS_UNIT_SMMUV2
						      : IOMMUABS_UNIT_SMMUV3,
			      node->span.offset);

	if (!unit)
		return NULL;
	if (node->type == IORT_SMMU)
		smmu_describe(scan, node, unit);
	else
		smmuv3_describe(scan, node, unit);
	return unit;
}

#endif
