/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_tlb.c - translations that left memory stay in caches, until they are
 * invalidated and that is complete
 */
#include "sim_unit.h"

static void stale_leaf(const struct role *role, uint64_t ipa, uint64_t desc)
{
	struct iommuabs_sim_unit *u = role->unit;
	unsigned int cont = sim_cont_lg2(role->regime, role->level);
	struct leaf t = sim_leaf_of(role->regime, role->level, ipa, desc);

	*(struct leaf *)vec_add(&u->leaves) = t;
	if (u->ops->leaf_left)
		u->ops->leaf_left(u, &t);
	if (!cont || !role->regime->format->is_contiguous(desc))
		return;
	t.size_lg2 += cont;
	t.ipa = ALIGN_DOWN(t.ipa, t.size_lg2);
	t.pa = ALIGN_DOWN(t.pa, t.size_lg2);
	*(struct leaf *)vec_add(&u->leaves) = t;
}

static void stale_table(const struct role *role, uint64_t ipa, uint64_t desc)
{
	struct wtable *t = vec_add(&role->unit->wtables);

	t->ipa = ipa;
	t->table = sim_desc_table(role->regime, desc);
	t->desc = desc;
	t->size_lg2 = sim_level_lg2(role->regime, role->level);
	t->level = role->level;
	t->regime = role->regime;
	sim_link_table(role->unit, role->regime, role->level + 1, ipa, t->table,
		       0, 1);
}

/* "Nothing is there" was in memory. */
static void stale_absence(const struct role *role, uint64_t ipa)
{
	struct leaf t = sim_leaf_of(role->regime, role->level, ipa, 0);

	t.absent = true;
	*(struct leaf *)vec_add(&role->unit->leaves) = t;
}

static void retire(const struct role *role, uint64_t ipa, uint64_t old,
		   uint64_t now)
{
	struct iommuabs_sim_unit *u = role->unit;
	struct regime *r = role->regime;
	enum desc_kind kind = sim_desc_kind(r, role->level, old);
	bool same = sim_desc_kind(r, role->level, now) == DESC_IS_TABLE &&
		    sim_desc_table(r, old) == sim_desc_table(r, now);

	if (kind == DESC_IS_LEAF && old != now && !u->tlbs_empty)
		stale_leaf(role, ipa, old);
	if (kind == DESC_INVALID && u->caches_absent && !u->tlbs_empty &&
	    sim_desc_kind(r, role->level, now) != DESC_INVALID)
		stale_absence(role, ipa);
	if (kind != DESC_IS_TABLE)
		return;
	if (!same && !u->tlbs_empty)
		stale_table(role, ipa, old);
	sim_link_table(u, r, role->level + 1, ipa, sim_desc_table(r, old), -1,
		       0);
}

void sim_retire(struct iommuabs_sim_arena *a, uint32_t word,
		const struct value *old, uint64_t now)
{
	struct role roles[MAX_ROLES];
	unsigned int i, nr = old->init ? sim_roles_of(a, word, roles) : 0;
	uint64_t ipa;

	for (i = 0; i < nr; i++) {
		if (sim_entry_of(&roles[i], word, &ipa))
			retire(&roles[i], ipa, old->v, now);
	}
	smmuv3_config_retired(a, word, old, now);
	vtd_config_retired(a, word, old, now);
}

/* ---- invalidation ---- */

static void doom_regimes(struct iommuabs_sim_unit *u, const struct scope *scope)
{
	struct regime *r;
	unsigned int i;

	for (r = u->regimes; r; r = r->next) {
		for (i = REST; i <= GLOBAL; i++) {
			struct tag tag = r->tag;

			tag.global = i == GLOBAL;
			if (r->stale[i] && scope->whole(scope, &tag))
				r->doomed[i] = true;
		}
	}
}

void sim_doom(struct iommuabs_sim_unit *u, const struct scope *scope)
{
	uint32_t i;

	for (i = 0; i < u->leaves.nr; i++) {
		struct leaf *t = vec_at(&u->leaves, i);

		if (scope->leaf(scope, t))
			t->doomed = true;
	}
	for (i = 0; i < u->wtables.nr; i++) {
		struct wtable *t = vec_at(&u->wtables, i);

		if (scope->table(scope, t))
			t->doomed = true;
	}
	doom_regimes(u, scope);
}

static void remove_doomed_regimes(struct iommuabs_sim_unit *u)
{
	struct regime *r;
	unsigned int i;

	for (r = u->regimes; r; r = r->next) {
		bool was = r->stale[REST] || r->stale[GLOBAL];

		for (i = REST; i <= GLOBAL; i++) {
			r->stale[i] = r->stale[i] && !r->doomed[i];
			r->doomed[i] = false;
		}
		/* Only what is global can be left over from the whole. */
		if (!r->stale[REST] && !r->globals)
			r->stale[GLOBAL] = false;
		if (was && !r->stale[REST] && !r->stale[GLOBAL])
			sim_link_root(u, r, 0, -1);
	}
}

void sim_remove_doomed(struct iommuabs_sim_unit *u)
{
	uint32_t i;

	for (i = u->leaves.nr; i--;) {
		if (((struct leaf *)vec_at(&u->leaves, i))->doomed)
			vec_remove(&u->leaves, i);
	}
	for (i = u->wtables.nr; i--;) {
		struct wtable t = *(struct wtable *)vec_at(&u->wtables, i);

		if (!t.doomed)
			continue;
		vec_remove(&u->wtables, i);
		sim_link_table(u, t.regime, t.level + 1, t.ipa, t.table, 0, -1);
	}
	remove_doomed_regimes(u);
}

void sim_undoom(struct iommuabs_sim_unit *u)
{
	struct regime *r;
	uint32_t i;

	for (i = 0; i < u->leaves.nr; i++)
		((struct leaf *)vec_at(&u->leaves, i))->doomed = false;
	for (i = 0; i < u->wtables.nr; i++)
		((struct wtable *)vec_at(&u->wtables, i))->doomed = false;
	for (r = u->regimes; r; r = r->next)
		r->doomed[REST] = r->doomed[GLOBAL] = false;
}

/* What was doomed before, and is not complete, stays as it is. */
void sim_drop(struct iommuabs_sim_unit *u, const struct scope *scope)
{
	struct regime *r;
	unsigned int i;
	uint32_t n;

	for (n = u->leaves.nr; n--;) {
		const struct leaf *t = vec_at(&u->leaves, n);

		if (scope->leaf(scope, t))
			vec_remove(&u->leaves, n);
	}
	for (n = u->wtables.nr; n--;) {
		struct wtable t = *(struct wtable *)vec_at(&u->wtables, n);

		if (!scope->table(scope, &t))
			continue;
		vec_remove(&u->wtables, n);
		sim_link_table(u, t.regime, t.level + 1, t.ipa, t.table, 0, -1);
	}
	for (r = u->regimes; r; r = r->next) {
		bool was = r->stale[REST] || r->stale[GLOBAL];

		if (!was || !scope->whole(scope, &r->tag))
			continue;
		for (i = REST; i <= GLOBAL; i++)
			r->stale[i] = r->doomed[i] = false;
		sim_link_root(u, r, 0, -1);
	}
}
