/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_smmuv3_cache.c - which cached entries a command is about, and what its
 * CMD_SYNC removes (IHI 0070 3.21.1, 4.3, 4.4, 16.2)
 */
#include "sim_smmuv3.h"

/* ---- translations ---- */

static bool hits_leaf(const struct scope *scope, const struct leaf *t)
{
	return smmuv3_tlbi_covers(scope->unit, scope->arg, &t->tag, t->ipa,
				  t->size_lg2) &&
	       smmuv3_tlbi_leaf(scope->arg, t);
}

static bool hits_table(const struct scope *scope, const struct wtable *t)
{
	return smmuv3_tlbi_covers(scope->unit, scope->arg, &t->regime->tag,
				  t->ipa, t->size_lg2) &&
	       smmuv3_tlbi_table(scope->arg, t);
}

static bool hits_all(const struct scope *scope, const struct tag *tag)
{
	return smmuv3_tlbi_is_wide(scope->arg) &&
	       smmuv3_tlbi_covers(scope->unit, scope->arg, tag, 0, 0);
}

static struct scope scope_of(const struct iommuabs_sim_unit *u,
			     const uint64_t cmd[2])
{
	return (struct scope){ u, cmd, hits_leaf, hits_table, hits_all };
}

void smmuv3_doom_tlb(struct iommuabs_sim_unit *u, const uint64_t cmd[2])
{
	struct scope scope = scope_of(u, cmd);

	sim_doom(u, &scope);
}

void smmuv3_drop_tlb(struct iommuabs_sim_unit *u, const uint64_t cmd[2])
{
	struct scope scope = scope_of(u, cmd);

	sim_drop(u, &scope);
}

/* ---- what selects them ---- */

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
	doom_cached(&u->smmu->cached_cds, first, last, ssid);
	doom_pairs(&u->smmu->stale_cds, first, last, ssid);
}

/* 4.3.1: with an STE, the CDs that were found through it. */
void smmuv3_doom_stes(struct iommuabs_sim_unit *u, uint32_t first,
		      uint32_t last, bool leaf)
{
	unsigned int split = smmuv3_split(u);
	uint32_t i;

	doom_cached(&u->smmu->cached_stes, first, last, UINT32_MAX);
	doom_pairs(&u->smmu->stale_stes, first, last, UINT32_MAX);
	smmuv3_doom_cds(u, first, last, UINT32_MAX);
	for (i = 0; !leaf && i < u->smmu->stale_l1s.nr; i++) {
		struct stale_l1 *s = vec_at(&u->smmu->stale_l1s, i);

		if (s->index >= first >> split && s->index <= last >> split)
			s->doomed = true;
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
	uint32_t i, nr = u->smmu->stale_stes.nr + u->smmu->stale_l1s.nr +
			 u->smmu->stale_cds.nr;

	sim_remove_doomed_pairs(&u->smmu->stale_stes);
	sim_remove_doomed_pairs(&u->smmu->stale_cds);
	remove_doomed_cached(&u->smmu->cached_stes);
	remove_doomed_cached(&u->smmu->cached_cds);
	for (i = u->smmu->stale_l1s.nr; i--;) {
		if (((struct stale_l1 *)vec_at(&u->smmu->stale_l1s, i))->doomed)
			vec_remove(&u->smmu->stale_l1s, i);
	}
	if (nr != u->smmu->stale_stes.nr + u->smmu->stale_l1s.nr +
			  u->smmu->stale_cds.nr)
		smmuv3_streams_update(u);
}

/*
 * Translations first: an entry that is only invalidated now could have been
 * used until now, so its translations are cached again (3.21.1, 4.3.6: a TLBI
 * is to follow the *completed* invalidation of the configuration).
 */
void smmuv3_sync_done(struct iommuabs_sim_unit *u)
{
	smmuv3_judge_twins(u);
	sim_remove_doomed(u);
	sim_judge_groups(u);
	sim_atc_complete(u);
	remove_doomed_configs(u);
}

void smmuv3_undoom(struct iommuabs_sim_unit *u)
{
	uint32_t i;

	sim_undoom(u);
	sim_undoom_pairs(&u->smmu->stale_stes);
	sim_undoom_pairs(&u->smmu->stale_cds);
	for (i = 0; i < u->smmu->stale_l1s.nr; i++)
		((struct stale_l1 *)vec_at(&u->smmu->stale_l1s, i))->doomed =
			false;
}
