/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_smmuv3_desc.c - what a descriptor of a translation table says (Arm ARM D8)
 */
#include "sim_smmuv3.h"

unsigned int smmuv3_level_lg2(const struct regime *r, int level)
{
	return r->granule->lg2 +
	       (r->granule->lg2 - 3) * (unsigned int)(LAST_LEVEL - level);
}

unsigned int smmuv3_cont_lg2(const struct regime *r, int level)
{
	return level < 0 ? 0 : r->granule->cont_lg2[level];
}

/* Reserved encodings are invalid ones (Arm ARM D8.3.1). */
enum desc_kind smmuv3_desc_kind(const struct regime *r, int level,
				uint64_t desc)
{
	if (!(desc & DESC_VALID))
		return DESC_INVALID;
	if (level == LAST_LEVEL)
		return desc & DESC_TABLE ? DESC_IS_LEAF : DESC_INVALID;
	if (desc & DESC_TABLE)
		return DESC_IS_TABLE;
	return level >= r->first_block ? DESC_IS_LEAF : DESC_INVALID;
}

static uint64_t address(const struct regime *r, uint64_t desc)
{
	if (r->ds)
		return (desc & MASK64(49, 12)) | FIELD(desc, 9, 8) << 50;
	if (r->wide)
		return (desc & MASK64(47, 16)) | FIELD(desc, 15, 12) << 48;
	return desc & DESC_ADDR;
}

uint64_t smmuv3_desc_out(const struct regime *r, int level, uint64_t desc)
{
	return ALIGN_DOWN(address(r, desc), smmuv3_level_lg2(r, level));
}

uint64_t smmuv3_desc_table(const struct regime *r, uint64_t desc)
{
	return ALIGN_DOWN(address(r, desc), r->granule->lg2);
}

uint64_t smmuv3_desc_res0(const struct regime *r, int level, uint64_t desc)
{
	uint64_t low = DESC_ADDR & (BIT64(smmuv3_level_lg2(r, level)) - 1);

	if (level < LAST_LEVEL)
		low &= ~DESC_NT;
	if (r->wide)
		low &= ~MASK64(15, 12);
	return desc & (low | BIT64(50) | (r->ds ? 0 : MASK64(49, 48)));
}

uint64_t smmuv3_desc_attrs(const struct regime *r)
{
	return (r->tag.s1 ? DESC_ATTRINDX | DESC_NG : DESC_MEMATTR) |
	       (r->ds ? 0 : DESC_SH);
}
