/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_smmuv3_desc.c - what a descriptor of a translation table says (Arm ARM D8)
 */
#include "sim_smmuv3.h"

/* Reserved encodings are invalid ones (Arm ARM D8.3.1). */
static enum desc_kind kind(const struct regime *r, int level, uint64_t desc)
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

static uint64_t res0(const struct regime *r, int level, uint64_t desc)
{
	uint64_t low = DESC_ADDR & (BIT64(sim_level_lg2(r, level)) - 1);

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

/* Arm ARM D8.4: S2AP; AP[2:1], of which EL2 has AP[2] only. */
static bool permits(const struct walk *w, uint64_t desc)
{
	if (!w->r->tag.s1)
		return desc & (w->write ? DESC_S2AP_W : DESC_S2AP_R);
	if (w->write && desc & DESC_AP_RO)
		return false;
	if (w->r->tag.el2)
		return true;
	return w->privileged ? !(w->r->pan && desc & DESC_AP_USER)
			     : desc & DESC_AP_USER;
}

static bool is_global(const struct regime *r, uint64_t desc)
{
	return r->tag.s1 && !r->tag.el2 && !(desc & DESC_NG);
}

static bool accessible(const struct regime *r, uint64_t desc)
{
	return desc & DESC_AF || r->affd;
}

static bool meet_leaf(const struct walk *w, int level, uint64_t desc)
{
	struct iommuabs_sim_unit *u = w->u;

	if (res0(w->r, level, desc))
		sim_violation(u->arena, IOMMUABS_SIM_V_RESERVED,
			      "descriptor %#llx at level %d has reserved bits "
			      "set",
			      (unsigned long long)desc, level);
	if (level < LAST_LEVEL &&
	    u->smmu->config.quirks & IOMMUABS_SIM_QUIRK_HANGS_ON_BLOCKS) {
		u->dead = true;
		sim_violation(u->arena, IOMMUABS_SIM_V_ERRATUM,
			      "a block at level %d, which hangs this unit",
			      level);
	}
	if (!(desc & DESC_CONT) || !sim_cont_lg2(w->r, level) ||
	    !(u->smmu->config.quirks & IOMMUABS_SIM_QUIRK_NO_CONTIGUOUS))
		return true;
	sim_violation(u->arena, IOMMUABS_SIM_V_ERRATUM,
		      "the contiguous bit at level %d, which this unit gets "
		      "wrong",
		      level);
	return false;
}

static bool meet(const struct walk *w, int level, uint64_t desc)
{
	if (kind(w->r, level, desc) == DESC_IS_LEAF)
		return meet_leaf(w, level, desc);
	if (w->r->tag.s1 && !w->r->had &&
	    desc & (DESC_APTABLE_PRIV | DESC_APTABLE_RO))
		sim_violation(w->u->arena, IOMMUABS_SIM_V_UNMODELLED,
			      "permissions in a table descriptor");
	return true;
}

static bool is_contiguous(uint64_t desc)
{
	return desc & DESC_CONT;
}

/* 7.3.12 ff. */
static unsigned int event(const struct walk *w, enum walk_fault fault)
{
	static const unsigned int numbers[WALK_FAULTS] = {
		[WALK_NOTHING] = F_TRANSLATION,
		[WALK_ADDRESS] = F_ADDR_SIZE,
		[WALK_INACCESSIBLE] = F_ACCESS,
		[WALK_PERMISSION] = F_PERMISSION,
		[WALK_ABORT] = F_WALK_EABT,
	};

	(void)w;
	return numbers[fault];
}

const struct table_format smmuv3_format = {
	.tag_name = "VMID",
	.kind = kind,
	.address = address,
	.permits = permits,
	.is_global = is_global,
	.is_contiguous = is_contiguous,
	.accessible = accessible,
	.meet = meet,
	.event = event,
};
