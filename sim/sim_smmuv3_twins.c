/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_smmuv3_twins.c - two stage 2 tables of one geometry under one VMID
 *
 * Where they map the same, whatever was cached of one is true of the other, and
 * with BBML 2 it may be of another size, too (IHI 0070 3.21.1, Arm ARM D8.16.1).
 * While the CPU changes both they differ for a moment; when a CMD_SYNC completes
 * that moment is over.
 */
#include "sim_smmuv3.h"

/* What an entry says of its addresses. */
struct said {
	enum desc_kind kind;
	uint64_t at; /* of the table, or what the leaf maps */
	uint64_t attrs;
};

static struct said said_of(const struct regime *r, int level, uint64_t desc)
{
	uint64_t mask = smmuv3_desc_attrs(r) | DESC_S2AP_R | DESC_S2AP_W |
			(r->affd ? 0 : DESC_AF);
	struct said said = { .kind = sim_desc_kind(r, level, desc) };

	if (said.kind == DESC_IS_TABLE)
		said.at = sim_desc_table(r, desc);
	if (said.kind == DESC_IS_LEAF) {
		said.at = sim_desc_out(r, level, desc);
		said.attrs = desc & mask;
	}
	return said;
}

/* What it says of the @n-th part, of the size that entries at @level have. */
static struct said part_of(const struct iommuabs_sim_unit *u,
			   const struct regime *r, const struct said *whole,
			   int level, uint64_t n)
{
	const struct iommuabs_sim_arena *a = u->arena;
	struct said part = *whole;
	uint64_t at = whole->at + 8 * n;

	if (whole->kind == DESC_IS_LEAF)
		part.at += n << sim_level_lg2(r, level);
	if (whole->kind != DESC_IS_TABLE)
		return part;
	if (!sim_inside(a, at, 8))
		return (struct said){ .kind = DESC_INVALID };
	return said_of(r, level, *(uint64_t *)(a->cpu + (at - a->config.base)));
}

static bool is_same(const struct iommuabs_sim_unit *u, const struct regime *r,
		    const struct said *x, const struct said *y, int level,
		    uint64_t entries)
{
	struct said px, py;
	uint64_t n;

	if (x->kind == y->kind && x->at == y->at && x->attrs == y->attrs)
		return true;
	if (x->kind != DESC_IS_TABLE && y->kind != DESC_IS_TABLE)
		return false;
	for (n = 0; n < entries; n++) {
		px = part_of(u, r, x, level, n);
		py = part_of(u, r, y, level, n);
		if (!is_same(u, r, &px, &py, level + 1,
			     BIT64(r->granule->lg2) / 8))
			return false;
	}
	return true;
}

static bool may_be_cached(const struct regime *r)
{
	return r->live || r->stale[REST];
}

static void judge(struct iommuabs_sim_unit *u, const struct regime *r,
		  const struct regime *o)
{
	const struct said x = { .kind = DESC_IS_TABLE, .at = r->ttb };
	const struct said y = { .kind = DESC_IS_TABLE, .at = o->ttb };

	if (!is_same(u, r, &x, &y, r->start_level, sim_root_bytes(r) / 8))
		sim_violation(u->arena, IOMMUABS_SIM_V_VMID,
			      "%s names two tables that map different things",
			      sim_name(r));
}

void smmuv3_judge_twins(struct iommuabs_sim_unit *u)
{
	const struct regime *r, *o;

	if (!u->twins || !smmuv3_may_be_enabled(u))
		return;
	for (r = u->regimes; r; r = r->next)
		for (o = r->next; o; o = o->next)
			if ((r->live || o->live) && may_be_cached(r) &&
			    may_be_cached(o) && sim_are_twins(r, o))
				judge(u, r, o);
}
