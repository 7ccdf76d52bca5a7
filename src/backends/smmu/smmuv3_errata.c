/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smmuv3_errata.c - units that do less, or other, than their ID registers say
 *
 * A row is matched by IIDR (6.3.7) or by what the host or firmware says of the
 * unit, and has effects. Each effect is obeyed in one place.
 */
#include "smmuv3.h"

#if IOMMUABS_CONFIG_SMMU

/* IIDR: ProductID 31:20, Variant 19:16, Revision 15:12, Implementer 11:0. */
#define PRODUCT	    0xfff00fffu
#define ARM_MMU_700 0x4870043bu

static const struct smmuv3_erratum errata[] = {
	{ .name = "MMU-700 2812531: a CMD_SYNC between parts of a batch",
	  .mask = PRODUCT,
	  .iidr = ARM_MMU_700,
	  .effects = SMMUV3_SYNC_EACH_PART },
	{ .name = "MMU-700 2268618: no broadcast invalidation",
	  .mask = PRODUCT,
	  .iidr = ARM_MMU_700,
	  .effects = SMMUV3_NO_BROADCAST },
	{ .name = "registers in one page (Cavium CN99xx 74)",
	  .flag = IOMMUABS_UNIT_PAGE0_ONLY,
	  .effects = SMMUV3_PAGE0_ONLY },
	{ .name = "no invalidation by range",
	  .flag = IOMMUABS_UNIT_NO_RANGES,
	  .effects = SMMUV3_NO_RANGES },
	{ .name = "no leaf above the last level",
	  .flag = IOMMUABS_UNIT_NO_BLOCKS,
	  .effects = SMMUV3_NO_BLOCKS },
	{ .name = "no contiguous hint",
	  .flag = IOMMUABS_UNIT_NO_CONTIGUOUS,
	  .effects = SMMUV3_NO_CONTIGUOUS },
	{ .name = "no messages",
	  .flag = IOMMUABS_UNIT_NO_MSI,
	  .effects = SMMUV3_NO_MSI },
};

const struct smmuv3_erratum *smmuv3_erratum(uint32_t n)
{
	return n < IA_COUNT(errata) ? &errata[n] : NULL;
}

uint32_t smmuv3_effects(const struct backend_unit *unit, uint32_t iidr)
{
	uint32_t i, effects = 0;

	for (i = 0; i < IA_COUNT(errata); i++) {
		const struct smmuv3_erratum *row = &errata[i];

		if (!(row->flag & unit->desc_flags) &&
		    (!row->mask || (iidr & row->mask) != row->iidr))
			continue;
		effects |= row->effects;
		hostif_log(unit->host, IOMMUABS_LOG_INFO, "%s: erratum: %s",
			   unit->name, row->name);
	}
	return effects;
}

#endif
