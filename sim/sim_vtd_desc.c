/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_vtd_desc.c - what a second-stage paging entry says (VT-d 3.7, 9.8)
 */
#include "sim_vtd.h"

static enum desc_kind kind(const struct regime *r, int level, uint64_t desc)
{
	if (!(desc & (SS_R | SS_W)))
		return DESC_INVALID;
	if (level == LAST_LEVEL)
		return DESC_IS_LEAF;
	if (!(desc & SS_PS))
		return DESC_IS_TABLE;
	return level >= r->first_block ? DESC_IS_LEAF : DESC_INVALID;
}

static uint64_t address(const struct regime *r, uint64_t desc)
{
	(void)r;
	return desc & SS_ADDR;
}

static bool permits(const struct walk *w, uint64_t desc)
{
	return desc & (w->write ? SS_W : SS_R);
}

static bool never(const struct regime *r, uint64_t desc)
{
	(void)r;
	(void)desc;
	return false;
}

static bool always(const struct regime *r, uint64_t desc)
{
	(void)r;
	(void)desc;
	return true;
}

static bool is_contiguous(uint64_t desc)
{
	(void)desc;
	return false;
}

static uint64_t reserved(const struct walk *w, int level, uint64_t desc)
{
	uint64_t low = SS_ADDR & (BIT64(sim_level_lg2(w->r, level)) - 1);
	uint64_t high = SS_ADDR & ~(BIT64(w->r->pa_bits) - 1);

	if (kind(w->r, level, desc) != DESC_IS_LEAF)
		return desc & (high | SS_SNP);
	return desc & (low | high | (w->u->vtd->config.sc ? 0 : SS_SNP));
}

/* Permissions are those of all levels together; here of the last one alone. */
static bool meet(const struct walk *w, int level, uint64_t desc)
{
	uint64_t wrong = reserved(w, level, desc);

	if (wrong)
		sim_violation(w->u->arena, IOMMUABS_SIM_V_RESERVED,
			      "paging entry %#llx at level %d has reserved "
			      "bits %#llx set",
			      (unsigned long long)desc, LAST_LEVEL + 1 - level,
			      (unsigned long long)wrong);
	if (kind(w->r, level, desc) == DESC_IS_TABLE &&
	    (desc & (SS_R | SS_W)) != (SS_R | SS_W))
		sim_violation(w->u->arena, IOMMUABS_SIM_V_UNMODELLED,
			      "permissions in an entry that leads to a table");
	return !wrong;
}

static unsigned int event(const struct walk *w, enum walk_fault fault)
{
	bool scalable = vtd_is_scalable(w->u);

	switch (fault) {
	case WALK_NOTHING:
		if (scalable)
			return FS_WALK_ABSENT;
		return w->write ? F_WRITE : F_READ;
	case WALK_ADDRESS:
		return scalable ? FS_WALK_RESERVED : F_WALK_RESERVED;
	case WALK_ABORT:
		return scalable ? FS_WALK_ACCESS : F_WALK_ACCESS;
	default:
		if (scalable)
			return w->write ? FS_WRITE : FS_READ;
		return w->write ? F_WRITE : F_READ;
	}
}

const struct table_format vtd_format = {
	.tag_name = "domain-id",
	.kind = kind,
	.address = address,
	.permits = permits,
	.is_global = never,
	.is_contiguous = is_contiguous,
	.accessible = always,
	.meet = meet,
	.event = event,
};
