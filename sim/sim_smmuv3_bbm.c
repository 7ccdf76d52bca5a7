/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_smmuv3_bbm.c - descriptors that change without break-before-make
 * (IHI 0070 3.21.1; Arm ARM D8.16)
 */
#include "sim_smmuv3.h"

/*
 * Does a descriptor (a table: anything below it) say something else than
 * translation @t, where both say anything? Read as the CPU stored it last.
 */
static bool disagrees(struct iommuabs_sim_arena *a, const struct regime *r,
		      int level, uint64_t ipa, uint64_t desc,
		      const struct leaf *t)
{
	unsigned int lg2 = sim_level_lg2(r, level);
	uint64_t table = sim_desc_table(r, desc), end = BIT64(r->granule->lg2),
		 at, x;
	enum desc_kind kind = sim_desc_kind(r, level, desc);

	if (kind == DESC_INVALID || ipa >= t->ipa + BIT64(t->size_lg2) ||
	    t->ipa >= ipa + BIT64(lg2))
		return false;
	if (kind == DESC_IS_LEAF) {
		x = ipa > t->ipa ? ipa : t->ipa;
		return sim_desc_out(r, level, desc) + (x - ipa) !=
			       t->pa + (x - t->ipa) ||
		       (desc ^ t->desc) & smmuv3_desc_attrs(r);
	}
	if (!sim_inside(a, table, end))
		return false;
	lg2 = sim_level_lg2(r, level + 1);
	for (at = 0; at < end; at += 8, ipa += BIT64(lg2)) {
		desc = *(uint64_t *)(a->cpu + (table + at - a->config.base));
		if (disagrees(a, r, level + 1, ipa, desc, t))
			return true;
	}
	return false;
}

static void bbm(const struct role *role, uint64_t ipa, const char *what)
{
	sim_violation(role->unit->arena, IOMMUABS_SIM_V_BBM,
		      "%s, address %#llx, level %d: %s", sim_name(role->regime),
		      (unsigned long long)ipa, role->level, what);
}

/* 3.21.1: a block becomes a table, or the other way round. */
static void check_resize(const struct role *role, uint64_t ipa,
			 uint64_t leaf_desc, uint64_t table_desc)
{
	unsigned int bbml = role->unit->smmu->config.bbml;
	struct leaf t = sim_leaf_of(role->regime, role->level, ipa, leaf_desc);

	if (!bbml || (bbml == 1 && !(leaf_desc & DESC_NT)))
		bbm(role, ipa,
		    bbml ? "changes its size without nT"
			 : "changes its size, but BBML is 0");
	else if (disagrees(role->unit->arena, role->regime, role->level, ipa,
			   table_desc, &t))
		bbm(role, ipa, "changes its size and its translation");
}

static void check_in_place(const struct role *role, uint64_t ipa, uint64_t old,
			   uint64_t v)
{
	enum desc_kind was = sim_desc_kind(role->regime, role->level, old);
	enum desc_kind is = sim_desc_kind(role->regime, role->level, v);
	struct leaf t;

	if (was == DESC_INVALID || is == DESC_INVALID || old == v)
		return;
	if (was == DESC_IS_TABLE && is == DESC_IS_TABLE) {
		if (sim_desc_table(role->regime, old) !=
		    sim_desc_table(role->regime, v))
			bbm(role, ipa, "one table replaces another");
		return;
	}
	if (was != is) {
		check_resize(role, ipa, was == DESC_IS_LEAF ? old : v,
			     was == DESC_IS_LEAF ? v : old);
		return;
	}
	t = sim_leaf_of(role->regime, role->level, ipa, old);
	if (disagrees(role->unit->arena, role->regime, role->level, ipa, v, &t))
		bbm(role, ipa, "another output address or memory type");
	else if ((old ^ v) & DESC_CONT && !role->unit->smmu->config.bbml &&
		 sim_cont_lg2(role->regime, role->level))
		bbm(role, ipa, "the contiguous bit changes, but BBML is 0");
}

static bool same_space(const struct tag *a, const struct tag *b)
{
	return a->s1 == b->s1 && a->el2 == b->el2 && a->vmid == b->vmid &&
	       (a->asid == b->asid || a->global || b->global);
}

/*
 * May entry @t and a leaf @desc of another size be in the TLB at once? BBML 1:
 * not if one of them is a block that nT keeps out of it; the contiguous bit may
 * change.
 */
static bool sizes_conflict(const struct role *role, uint64_t desc,
			   const struct leaf *t)
{
	unsigned int bbml = role->unit->smmu->config.bbml;
	unsigned int lg2 = sim_level_lg2(role->regime, role->level);

	if (desc & DESC_CONT)
		lg2 += sim_cont_lg2(role->regime, role->level);
	if (bbml == 2 || t->size_lg2 == lg2)
		return false;
	if (!bbml)
		return true;
	return t->level != role->level &&
	       !((t->level < role->level ? t->desc : desc) & DESC_NT);
}

static void check_against_leaf(const struct role *role, uint64_t ipa,
			       uint64_t v, const struct leaf *t)
{
	struct iommuabs_sim_arena *a = role->unit->arena;
	unsigned int lg2 = sim_level_lg2(role->regime, role->level);
	unsigned int bbml = role->unit->smmu->config.bbml;
	bool is_leaf =
		sim_desc_kind(role->regime, role->level, v) == DESC_IS_LEAF;

	if (t->ipa >= ipa + BIT64(lg2) || ipa >= t->ipa + BIT64(t->size_lg2) ||
	    !same_space(&t->tag, &role->regime->tag))
		return;
	if (disagrees(a, role->regime, role->level, ipa, v, t))
		bbm(role, ipa,
		    "made before the break was invalidated and synced");
	else if (is_leaf && sizes_conflict(role, v, t))
		bbm(role, ipa,
		    "another size before the break was invalidated and synced");
	else if (!is_leaf && t->level <= role->level && bbml < 2 &&
		 !(bbml == 1 && t->desc & DESC_NT))
		bbm(role, ipa, "a table, while the leaf may still be cached");
}

static void check_against_table(const struct role *role, uint64_t ipa,
				uint64_t v, const struct wtable *t)
{
	const struct iommuabs_sim_unit *u = role->unit;
	struct leaf new = sim_leaf_of(role->regime, role->level, ipa, v);
	bool is_table =
		sim_desc_kind(role->regime, role->level, v) == DESC_IS_TABLE;

	if (t->regime != role->regime || t->level != role->level ||
	    t->ipa != ipa)
		return;
	if (is_table) {
		if (t->table != sim_desc_table(role->regime, v))
			bbm(role, ipa,
			    "a new table, the old one may be in a walk cache");
		return;
	}
	if (!u->smmu->config.bbml ||
	    (u->smmu->config.bbml == 1 && !(v & DESC_NT)) ||
	    disagrees(u->arena, role->regime, role->level, ipa, t->desc, &new))
		bbm(role, ipa, "a block, the old table may be in a walk cache");
}

/* What was there before may be cached: the invalidation was not completed. */
static void check_against_stale(const struct role *role, uint64_t ipa,
				uint64_t v)
{
	const struct iommuabs_sim_unit *u = role->unit;
	uint32_t i;

	for (i = 0; i < u->leaves.nr; i++)
		check_against_leaf(role, ipa, v, vec_at(&u->leaves, i));
	for (i = 0; i < u->wtables.nr; i++)
		check_against_table(role, ipa, v, vec_at(&u->wtables, i));
}

void smmuv3_check_store(const struct role *role, uint64_t ipa, uint64_t old,
			uint64_t v)
{
	check_in_place(role, ipa, old, v);
	if (sim_desc_kind(role->regime, role->level, v) != DESC_INVALID)
		check_against_stale(role, ipa, v);
}
