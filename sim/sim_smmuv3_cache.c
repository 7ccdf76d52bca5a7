/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_smmuv3_cache.c - what leaves memory stays in caches, until it is
 * invalidated and synced (IHI 0070 3.21.1, 4.3, 4.4, 16.2)
 */
#include "sim_smmuv3.h"

static void stale_leaf(const struct role *role, uint64_t ipa, uint64_t desc)
{
	struct iommuabs_sim_unit *u = role->unit;
	unsigned int cont = smmuv3_cont_lg2(role->regime, role->level);
	struct leaf t = smmuv3_leaf_of(role->regime, role->level, ipa, desc);

	*(struct leaf *)vec_add(&u->leaves) = t;
	smmuv3_atc_leaf(u, &t);
	if (!(desc & DESC_CONT) || !cont)
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
	t->table = smmuv3_desc_table(role->regime, desc);
	t->desc = desc;
	t->size_lg2 = smmuv3_level_lg2(role->regime, role->level);
	t->level = role->level;
	t->regime = role->regime;
	smmuv3_link_table(role->unit, role->regime, role->level + 1, ipa,
			  t->table, 0, 1);
}

static void retire(const struct role *role, uint64_t ipa, uint64_t old,
		   uint64_t now)
{
	struct iommuabs_sim_unit *u = role->unit;
	struct regime *r = role->regime;
	enum desc_kind kind = smmuv3_desc_kind(r, role->level, old);
	bool same = smmuv3_desc_kind(r, role->level, now) == DESC_IS_TABLE &&
		    smmuv3_desc_table(r, old) == smmuv3_desc_table(r, now);

	if (kind == DESC_IS_LEAF && old != now && !u->tlbs_empty)
		stale_leaf(role, ipa, old);
	if (kind != DESC_IS_TABLE)
		return;
	if (!same && !u->tlbs_empty)
		stale_table(role, ipa, old);
	smmuv3_link_table(u, r, role->level + 1, ipa, smmuv3_desc_table(r, old),
			  -1, 0);
}

#define MAX_ROLES 32
void smmuv3_retire(struct iommuabs_sim_arena *a, uint32_t word,
		   const struct value *old, uint64_t now)
{
	/* A copy: linking and unlinking may change the list itself. */
	struct role roles[MAX_ROLES];
	const struct role *role = a->roles[word / PAGE_WORDS];
	unsigned int i, nr = 0;
	uint64_t ipa;

	for (; old->init && role && nr < MAX_ROLES; role = role->next)
		roles[nr++] = *role;
	for (i = 0; i < nr; i++) {
		if (smmuv3_entry_of(&roles[i], word, &ipa))
			retire(&roles[i], ipa, old->v, now);
	}
	smmuv3_config_retired(a, word, old, now);
}

/* From now on nobody walks it, but all that it maps may be cached. */
void smmuv3_regime_dies(struct iommuabs_sim_unit *u, struct regime *r)
{
	bool was = r->stale[REST] || r->stale[GLOBAL];

	if (--r->live)
		return;
	if (!u->tlbs_empty) {
		smmuv3_link_root(u, r, 0, !was);
		r->stale[REST] = r->stale[GLOBAL] = true;
		r->doomed[REST] = r->doomed[GLOBAL] = false;
	}
	smmuv3_link_root(u, r, -1, 0);
}

/* ---- invalidation ---- */

static void doom_regimes(struct iommuabs_sim_unit *u, const uint64_t cmd[2])
{
	struct regime *r;
	unsigned int i;

	for (r = u->regimes; r; r = r->next) {
		for (i = REST; i <= GLOBAL; i++) {
			struct tag tag = r->tag;

			tag.global = i == GLOBAL;
			if (r->stale[i] &&
			    smmuv3_tlbi_covers(u, cmd, &tag, 0, 0))
				r->doomed[i] = true;
		}
	}
}

void smmuv3_doom_tlb(struct iommuabs_sim_unit *u, const uint64_t cmd[2])
{
	uint32_t i;

	for (i = 0; i < u->leaves.nr; i++) {
		struct leaf *t = vec_at(&u->leaves, i);

		if (smmuv3_tlbi_covers(u, cmd, &t->tag, t->ipa, t->size_lg2) &&
		    smmuv3_tlbi_leaf(cmd, t))
			t->doomed = true;
	}
	for (i = 0; i < u->wtables.nr; i++) {
		struct wtable *t = vec_at(&u->wtables, i);

		if (smmuv3_tlbi_covers(u, cmd, &t->regime->tag, t->ipa,
				       t->size_lg2) &&
		    smmuv3_tlbi_table(cmd, t))
			t->doomed = true;
	}
	if (smmuv3_tlbi_is_wide(cmd))
		doom_regimes(u, cmd);
}

static void doom_cached(struct vec *list, uint32_t first, uint32_t last,
			uint32_t ssid)
{
	uint32_t i;

	for (i = 0; i < list->nr; i++) {
		struct cached *c = vec_at(list, i);

		if (c->sid >= first && c->sid <= last &&
		    (ssid == UINT32_MAX || c->ssid == ssid))
			c->doomed = true;
	}
}

static void doom_pairs(struct vec *list, uint32_t first, uint32_t last,
		       uint32_t ssid)
{
	uint32_t i;

	for (i = 0; i < list->nr; i++) {
		struct stale_pair *s = vec_at(list, i);

		if (s->sid >= first && s->sid <= last &&
		    (ssid == UINT32_MAX || s->ssid == ssid))
			s->doomed = true;
	}
}

void smmuv3_doom_cds(struct iommuabs_sim_unit *u, uint32_t first, uint32_t last,
		     uint32_t ssid)
{
	doom_cached(&u->cached_cds, first, last, ssid);
	doom_pairs(&u->stale_cds, first, last, ssid);
}

/* 4.3.1: with an STE, the CDs that were found through it. */
void smmuv3_doom_stes(struct iommuabs_sim_unit *u, uint32_t first,
		      uint32_t last, bool leaf)
{
	unsigned int split = smmuv3_split(u);
	uint32_t i;

	doom_cached(&u->cached_stes, first, last, UINT32_MAX);
	doom_pairs(&u->stale_stes, first, last, UINT32_MAX);
	smmuv3_doom_cds(u, first, last, UINT32_MAX);
	for (i = 0; !leaf && i < u->stale_l1s.nr; i++) {
		struct stale_l1 *s = vec_at(&u->stale_l1s, i);

		if (s->index >= first >> split && s->index <= last >> split)
			s->doomed = true;
	}
}

static void remove_doomed_pairs(struct vec *list)
{
	uint32_t i;

	for (i = list->nr; i--;) {
		if (((struct stale_pair *)vec_at(list, i))->doomed)
			vec_remove(list, i);
	}
}

static void remove_doomed_cached(struct vec *list)
{
	uint32_t i;

	for (i = list->nr; i--;) {
		if (((struct cached *)vec_at(list, i))->doomed)
			vec_remove(list, i);
	}
}

static void remove_doomed_configs(struct iommuabs_sim_unit *u)
{
	uint32_t i, nr = u->stale_stes.nr + u->stale_l1s.nr + u->stale_cds.nr;

	remove_doomed_pairs(&u->stale_stes);
	remove_doomed_pairs(&u->stale_cds);
	remove_doomed_cached(&u->cached_stes);
	remove_doomed_cached(&u->cached_cds);
	for (i = u->stale_l1s.nr; i--;) {
		if (((struct stale_l1 *)vec_at(&u->stale_l1s, i))->doomed)
			vec_remove(&u->stale_l1s, i);
	}
	if (nr != u->stale_stes.nr + u->stale_l1s.nr + u->stale_cds.nr)
		smmuv3_streams_update(u);
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
			smmuv3_link_root(u, r, 0, -1);
	}
}

static void remove_doomed_tlb(struct iommuabs_sim_unit *u)
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
		smmuv3_link_table(u, t.regime, t.level + 1, t.ipa, t.table, 0,
				  -1);
	}
	remove_doomed_regimes(u);
}

/*
 * Translations first: an entry that is only invalidated now could have been
 * used until now, so its translations are cached again (3.21.1, 4.3.6: a TLBI
 * is to follow the *completed* invalidation of the configuration).
 */
void smmuv3_sync_done(struct iommuabs_sim_unit *u)
{
	remove_doomed_tlb(u);
	smmuv3_atc_sync(u);
	remove_doomed_configs(u);
}

void smmuv3_undoom(struct iommuabs_sim_unit *u)
{
	struct regime *r;
	uint32_t i;

	for (i = 0; i < u->leaves.nr; i++)
		((struct leaf *)vec_at(&u->leaves, i))->doomed = false;
	for (i = 0; i < u->wtables.nr; i++)
		((struct wtable *)vec_at(&u->wtables, i))->doomed = false;
	for (r = u->regimes; r; r = r->next)
		r->doomed[REST] = r->doomed[GLOBAL] = false;
	for (i = 0; i < u->stale_stes.nr; i++)
		((struct stale_pair *)vec_at(&u->stale_stes, i))->doomed =
			false;
	for (i = 0; i < u->stale_cds.nr; i++)
		((struct stale_pair *)vec_at(&u->stale_cds, i))->doomed = false;
	for (i = 0; i < u->stale_l1s.nr; i++)
		((struct stale_l1 *)vec_at(&u->stale_l1s, i))->doomed = false;
}

/* What commands have hit, and no CMD_SYNC completed, stays as it is. */
void smmuv3_drop_tlb(struct iommuabs_sim_unit *u, const uint64_t cmd[2])
{
	struct regime *r;
	unsigned int i;
	uint32_t n;

	for (n = u->leaves.nr; n--;) {
		const struct leaf *t = vec_at(&u->leaves, n);

		if (smmuv3_tlbi_covers(u, cmd, &t->tag, t->ipa, t->size_lg2))
			vec_remove(&u->leaves, n);
	}
	for (n = u->wtables.nr; n--;) {
		struct wtable t = *(struct wtable *)vec_at(&u->wtables, n);

		if (!smmuv3_tlbi_covers(u, cmd, &t.regime->tag, t.ipa,
					t.size_lg2))
			continue;
		vec_remove(&u->wtables, n);
		smmuv3_link_table(u, t.regime, t.level + 1, t.ipa, t.table, 0,
				  -1);
	}
	for (r = u->regimes; r; r = r->next) {
		bool was = r->stale[REST] || r->stale[GLOBAL];

		if (!was || !smmuv3_tlbi_covers(u, cmd, &r->tag, 0, 0))
			continue;
		for (i = REST; i <= GLOBAL; i++)
			r->stale[i] = r->doomed[i] = false;
		smmuv3_link_root(u, r, 0, -1);
	}
}
