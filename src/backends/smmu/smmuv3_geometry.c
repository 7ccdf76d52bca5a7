/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smmuv3_geometry.c - which tables a unit can walk (IHI 0070 3.4, 5.2, 5.4)
 */
#include "smmuv3.h"
#include "../table_formats.h"

#if IOMMUABS_CONFIG_SMMU

#define BITS_MIN 25 /* S2T0SZ and T0SZ <= 39 without IDR3.STT (5.2, 5.4) */

/* ---- encodings ---- */

uint64_t smmuv3_encode_granule(unsigned int granule_lg2)
{
	switch (granule_lg2) {
	case 12:
		return STE_S2TG_4K;
	case 14:
		return STE_S2TG_16K;
	default:
		return STE_S2TG_64K;
	}
}

uint8_t smmuv3_granule_lg2(uint64_t encoding)
{
	static const uint8_t granules[4] = { 12, 16, 14, 0 };

	return granules[encoding & 3];
}

static const uint8_t sizes[8] = { 32, 36, 40, 42, 44, 48, 52, 52 };

/* The least that holds @bits. */
uint64_t smmuv3_encode_size(unsigned int bits)
{
	uint64_t i = 0;

	while (i < 6 && sizes[i] < bits)
		i++;
	return i;
}

/* 7, 56 bits, is more than the formats here have. */
uint8_t smmuv3_size_bits(uint64_t encoding)
{
	return sizes[encoding & 7];
}

/* ---- levels ---- */

/* Address bits of descriptors that don't have the layout of DS. */
static unsigned int bits_max(unsigned int granule)
{
	return granule == 16 ? 52 : 48;
}

/* Address bits of a table of @levels with one root page (Arm ARM D8.2). */
static unsigned int levels_bits(unsigned int granule_lg2, unsigned int levels)
{
	return granule_lg2 + levels * (granule_lg2 - 3);
}

/*
 * Can a walk begin so many levels up for that many input bits (5.2, S2SL0;
 * Arm ARM D8.2)? Up to 16 root pages are concatenated.
 */
static bool levels_legal(const struct backend_unit *unit, unsigned int granule,
			 unsigned int levels, unsigned int input_bits)
{
	unsigned int oas = unit->caps.output_bits;
	unsigned int least = granule == 12 ? 2 : 1,
		     most = granule == 12 ? 4 : 3;

	if (levels < least || levels > most)
		return false;
	if (levels == most && oas < (granule == 14 ? 42 : 44))
		return false;
	return input_bits > levels_bits(granule, levels - 1) &&
	       input_bits <= levels_bits(granule, levels) + 4;
}

/* log2 of the root's bytes: 8 for each entry. */
static unsigned int root_lg2(unsigned int granule, unsigned int levels,
			     unsigned int input_bits)
{
	return input_bits - levels_bits(granule, levels - 1) + 3;
}

/* The fewest levels of a stage 2: those that concatenation makes do. */
static unsigned int stage2_levels(unsigned int granule, unsigned int input_bits)
{
	unsigned int levels = granule == 12 ? 2 : 1;

	while (input_bits > levels_bits(granule, levels) + 4)
		levels++;
	return levels;
}

uint8_t smmuv3_stage1_levels(unsigned int granule_lg2, unsigned int input_bits)
{
	unsigned int levels = 1;

	while (input_bits > levels_bits(granule_lg2, levels))
		levels++;
	return (uint8_t)levels;
}

/* ---- the host's ---- */

enum iommuabs_share_reason smmuv3_share(const struct backend_unit *unit,
					const struct iommuabs_p2m *p2m,
					struct backend_table *table)
{
	const struct backend_caps *caps = &unit->caps;
	unsigned int granule = p2m->granule_lg2, root;

	if (p2m->format == IOMMUABS_P2M_NONE)
		return IOMMUABS_SHARE_NO_P2M;
	if (p2m->format != IOMMUABS_P2M_ARM_S2)
		return IOMMUABS_SHARE_FORMAT;
	if (!caps->stage2)
		return IOMMUABS_SHARE_NO_STAGE2;
	if ((granule != 12 && granule != 14 && granule != 16) ||
	    !(caps->granules & ((uint32_t)1 << granule)))
		return IOMMUABS_SHARE_GRANULE;
	if (p2m->input_bits < BITS_MIN ||
	    p2m->input_bits > IA_MIN(caps->input_bits, bits_max(granule)))
		return IOMMUABS_SHARE_INPUT_WIDTH;
	if (!levels_legal(unit, granule, p2m->levels, p2m->input_bits))
		return IOMMUABS_SHARE_LEVELS;
	/* The unit would walk from the root's address rounded down. */
	root = root_lg2(granule, p2m->levels, p2m->input_bits);
	if (p2m->root & IA_BITS(IA_MAX(root, 6u)))
		return IOMMUABS_SHARE_LEVELS;
	/*
	 * CPUs often declare more output bits than the machine has; an entry
	 * that needs them would fault here (F_ADDR_SIZE), never go astray.
	 */
	if (p2m->root >> IA_MIN(caps->output_bits, bits_max(granule)))
		return IOMMUABS_SHARE_OUTPUT_WIDTH;
	if (!caps->coherent && !(p2m->flags & IOMMUABS_P2M_CLEANED))
		return IOMMUABS_SHARE_NOT_CLEANED;
	backend_table_of_p2m(p2m, BACKEND_FORMAT_ARM_S2, table);
	return IOMMUABS_SHARE_OK;
}

/* ---- ours ---- */

/* A format: granule, stage, whether descriptors have the layout of DS. */
static const struct format {
	const struct pt_ops *ops;
	uint8_t granule_lg2, stage, ds;
	enum backend_format format;
} formats[] = {
	{ &pt_arm_s2_4k_ops, 12, 2, 0, BACKEND_FORMAT_ARM_S2 },
	{ &pt_arm_s2_16k_ops, 14, 2, 0, BACKEND_FORMAT_ARM_S2 },
	{ &pt_arm_s2_64k_ops, 16, 2, 0, BACKEND_FORMAT_ARM_S2 },
	{ &pt_arm_s2_4k_52_ops, 12, 2, 1, BACKEND_FORMAT_ARM_S2_DS },
	{ &pt_arm_s2_16k_52_ops, 14, 2, 1, BACKEND_FORMAT_ARM_S2_DS },
	{ &pt_arm_s1_4k_ops, 12, 1, 0, BACKEND_FORMAT_ARM_S1 },
	{ &pt_arm_s1_16k_ops, 14, 1, 0, BACKEND_FORMAT_ARM_S1 },
	{ &pt_arm_s1_64k_ops, 16, 1, 0, BACKEND_FORMAT_ARM_S1 },
	{ &pt_arm_s1_4k_52_ops, 12, 1, 1, BACKEND_FORMAT_ARM_S1_DS },
	{ &pt_arm_s1_16k_52_ops, 14, 1, 1, BACKEND_FORMAT_ARM_S1_DS },
};

/* The smallest granule; the wide layout where the unit puts out that much. */
static const struct format *format_for(const struct backend_unit *unit)
{
	const struct backend_caps *caps = &unit->caps;
	unsigned int granule = caps->granules & 0x1000	 ? 12
			       : caps->granules & 0x4000 ? 14
							 : 16;
	unsigned int ds =
		smmuv3_of(unit)->ds && caps->output_bits > 48 && granule != 16;
	uint32_t i;

	if (!caps->granules)
		return NULL;
	for (i = 0; i < IA_COUNT(formats); i++)
		if (formats[i].granule_lg2 == granule && formats[i].ds == ds &&
		    formats[i].stage == (caps->stage2 ? 2 : 1))
			return &formats[i];
	return NULL;
}

/* The highest level with leaves: 1G, 32M, 512M, where the host lets us. */
static unsigned int leaf_top(const struct backend_unit *unit,
			     unsigned int granule, unsigned int levels,
			     unsigned int max_level)
{
	unsigned int top = granule == 12 ? 2 : 1;

	/* @max_level speaks of 4K, 2M and 1G: no other leaf is below 2M. */
	if (granule != 12)
		max_level = max_level < 2 ? 0 : 1;
	if (smmuv3_of(unit)->effects & SMMUV3_NO_BLOCKS)
		return 0;
	top = IA_MIN(top, levels - 1);
	return IA_MIN(top, max_level);
}

/*
 * Levels whose leaves may have the Contiguous hint (Arm ARM D8.7.1). To take one
 * frame out of a group may fault its neighbours where BBML is 0, as it does in a
 * block: there no group is larger than the host's largest leaf.
 */
static unsigned int hint_mask(const struct backend_unit *unit,
			      unsigned int granule, unsigned int leaf_mask,
			      unsigned int max_level)
{
	unsigned int allowed = leaf_mask;

	if (smmuv3_of(unit)->effects & SMMUV3_NO_CONTIGUOUS)
		return 0;
	if (unit->caps.bbml || max_level > 2)
		return leaf_mask;
	/* 64K or 2M; then 32M, 1G, or 16G of the 64K granule. */
	if (max_level < 2 || granule == 16)
		allowed &= 1;
	else
		allowed &= 3;
	return max_level ? allowed : 0;
}

int smmuv3_mirror(const struct backend_unit *unit, uint8_t input_bits,
		  uint8_t max_level, struct backend_geometry *geometry)
{
	const struct backend_caps *caps = &unit->caps;
	const struct format *format = format_for(unit);
	unsigned int granule, most, bits, levels, root;

	if (!format)
		return IOMMUABS_E_NOTSUP;
	granule = format->granule_lg2;
	most = format->ds ? 52 : bits_max(granule);
	bits = IA_MIN(input_bits, IA_MIN(caps->input_bits, most));
	bits = IA_MAX(bits, (unsigned int)BITS_MIN);
	levels = format->stage == 2 ? stage2_levels(granule, bits)
				    : smmuv3_stage1_levels(granule, bits);
	root = root_lg2(granule, levels, bits);
	__builtin_memset(geometry, 0, sizeof(*geometry));
	geometry->pt_ops = format->ops;
	geometry->format = format->format;
	geometry->input_bits = (uint8_t)bits;
	geometry->output_bits = (uint8_t)IA_MIN(caps->output_bits, most);
	geometry->granule_lg2 = (uint8_t)granule;
	geometry->levels = (uint8_t)levels;
	geometry->root_lg2 = (uint8_t)IA_MAX(root, granule);
	geometry->leaf_mask = (uint8_t)IA_BITS(
		leaf_top(unit, granule, levels, max_level) + 1);
	geometry->clean = !caps->coherent;
	geometry->bbml = caps->bbml;
	geometry->hint_mask = (uint8_t)hint_mask(
		unit, granule, geometry->leaf_mask, max_level);
	return 0;
}

#endif
