/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_vtd_cache.c - which cached entries an invalidation is about, and what its
 * completion removes (VT-d 6.2, 6.5)
 */
#include "sim_vtd.h"

/* ---- translations ---- */

struct iotlb {
	unsigned int g;
	uint16_t did;
	uint64_t iva;
};

static bool same_domain(const struct iotlb *inv, const struct tag *tag)
{
	return inv->g == G_GLOBAL || inv->did == tag->vmid;
}

/* A large page of which any part is named goes as a whole (6.5.1.2). */
static bool in_range(const struct iotlb *inv, uint64_t ipa, unsigned int lg2)
{
	uint64_t size = BIT64(IVA_AM(inv->iva) + PAGE_LG2);
	uint64_t first =
		ALIGN_DOWN(inv->iva & IVA_ADDR, IVA_AM(inv->iva) + PAGE_LG2);

	return inv->g != G_FINEST ||
	       (first < ipa + BIT64(lg2) && ipa < first + size);
}

static bool keeps_upper(const struct iotlb *inv)
{
	return inv->g == G_FINEST && inv->iva & IVA_IH;
}

/* With IH, what was absent in a table above the last may stay so. */
static bool hits_leaf(const struct scope *scope, const struct leaf *t)
{
	const struct iotlb *inv = scope->arg;

	if (t->absent && t->level < LAST_LEVEL && keeps_upper(inv))
		return false;
	return same_domain(inv, &t->tag) && in_range(inv, t->ipa, t->size_lg2);
}

static bool hits_table(const struct scope *scope, const struct wtable *t)
{
	const struct iotlb *inv = scope->arg;

	return !keeps_upper(inv) && same_domain(inv, &t->regime->tag) &&
	       in_range(inv, t->ipa, t->size_lg2);
}

static bool hits_all(const struct scope *scope, const struct tag *tag)
{
	const struct iotlb *inv = scope->arg;

	return inv->g != G_FINEST && same_domain(inv, tag);
}

void vtd_doom_iotlb(struct iommuabs_sim_unit *u, unsigned int g, uint16_t did,
		    uint64_t iva)
{
	struct iotlb inv = { g, did, iva };
	struct scope scope = { u, &inv, hits_leaf, hits_table, hits_all };

	if (g == G_GLOBAL)
		u->vtd->tlbs_dooming = true;
	sim_doom(u, &scope);
}

/* ---- what selects them ---- */

/*
 * Of legacy mode, an entry is kept under the domain-id that it had, 0 if it was
 * absent (6.2.2); of scalable mode there is none in it.
 */
struct contexts {
	unsigned int g;
	uint16_t did, sid, mask;
};

static bool context_hit(const struct iommuabs_sim_unit *u,
			const struct contexts *inv, uint32_t sid,
			const uint64_t w[2])
{
	uint16_t kept = w[0] & ENTRY_P ? CTX1_DID(w[1]) : 0;
	bool same = (sid & inv->mask) == (inv->sid & inv->mask);

	if (inv->g == G_GLOBAL || vtd_is_scalable(u))
		return inv->g != G_FINEST || same;
	return kept == inv->did && (inv->g == G_DOMAIN || same);
}

/* 6.5.2.1: FM masks bits of the function number, from the upper ones on. */
static uint16_t mask_of(unsigned int fm)
{
	static const uint16_t masks[] = { 0xffff, 0xfffb, 0xfff9, 0xfff8 };

	return masks[fm];
}

void vtd_doom_contexts(struct iommuabs_sim_unit *u, unsigned int g,
		       uint16_t did, uint16_t sid, unsigned int fm)
{
	struct vtd *vtd = u->vtd;
	uint16_t mask = g == G_FINEST ? mask_of(fm) : 0;
	const struct contexts inv = { g, did, sid, mask };
	uint32_t i;

	if (g == G_GLOBAL)
		vtd->contexts_dooming = true;
	vtd_meant(u, sid, mask);
	for (i = 0; i < vtd->stale_contexts.nr; i++) {
		struct stale_pair *s = vec_at(&vtd->stale_contexts, i);
		const uint64_t w[2] = { s->lo, s->hi };

		if (context_hit(u, &inv, s->sid, w))
			s->doomed = true;
	}
	for (i = 0; i < vtd->kept_contexts.nr; i++) {
		struct cached *c = vec_at(&vtd->kept_contexts, i);

		if (context_hit(u, &inv, c->sid, c->w))
			c->doomed = true;
	}
	for (i = 0; g == G_GLOBAL && i < vtd->stale_roots.nr; i++)
		((struct stale_root *)vec_at(&vtd->stale_roots, i))->doomed =
			true;
	for (i = 0; i < vtd->cached_contexts.nr; i++) {
		struct cached *c = vec_at(&vtd->cached_contexts, i);

		if ((c->sid & mask) == (sid & mask))
			c->doomed = true;
	}
}

void vtd_doom_pasids(struct iommuabs_sim_unit *u, unsigned int g, uint16_t did,
		     uint32_t pasid)
{
	struct vtd *vtd = u->vtd;
	uint32_t i;

	if (g == PASID_G_GLOBAL)
		vtd->pasids_dooming = true;
	for (i = 0; i < vtd->stale_pasids.nr; i++) {
		struct stale_pair *s = vec_at(&vtd->stale_pasids, i);
		uint16_t kept = s->lo & ENTRY_P ? PASID1_DID(s->hi) : 0;

		if (g == PASID_G_GLOBAL || !(s->lo & ENTRY_P) ||
		    (kept == did && (g == PASID_G_DOMAIN || s->ssid == pasid)))
			s->doomed = true;
	}
	for (i = 0; i < vtd->cached_pasids.nr; i++)
		((struct cached *)vec_at(&vtd->cached_pasids, i))->doomed =
			true;
}

void vtd_doom_irtes(struct iommuabs_sim_unit *u, uint32_t index,
		    unsigned int lg2)
{
	struct vtd *vtd = u->vtd;
	uint32_t i;

	vtd_irtes_meant(u, index, lg2);
	for (i = 0; i < vtd->stale_irtes.nr; i++) {
		struct stale_pair *s = vec_at(&vtd->stale_irtes, i);

		if (lg2 >= 32 || s->sid >> lg2 == index >> lg2)
			s->doomed = true;
	}
	for (i = 0; i < vtd->cached_irtes.nr; i++) {
		struct cached *c = vec_at(&vtd->cached_irtes, i);

		if (lg2 >= 32 || c->sid >> lg2 == index >> lg2)
			c->doomed = true;
	}
}

/* ---- completion ---- */

static void remove_doomed_cached(struct vec *list)
{
	uint32_t i;

	for (i = list->nr; i--;) {
		if (((struct cached *)vec_at(list, i))->doomed)
			vec_remove(list, i);
	}
}

static uint32_t nr_stale(const struct vtd *vtd)
{
	return vtd->stale_contexts.nr + vtd->kept_contexts.nr +
	       vtd->stale_pasids.nr + vtd->stale_roots.nr;
}

static void remove_doomed_configs(struct iommuabs_sim_unit *u)
{
	struct vtd *vtd = u->vtd;
	uint32_t i, nr;

	nr = nr_stale(vtd);
	sim_remove_doomed_pairs(&vtd->stale_contexts);
	sim_remove_doomed_pairs(&vtd->stale_pasids);
	sim_remove_doomed_pairs(&vtd->stale_irtes);
	remove_doomed_cached(&vtd->kept_contexts);
	remove_doomed_cached(&vtd->cached_contexts);
	remove_doomed_cached(&vtd->cached_pasids);
	remove_doomed_cached(&vtd->cached_irtes);
	for (i = vtd->stale_roots.nr; i--;) {
		if (((struct stale_root *)vec_at(&vtd->stale_roots, i))->doomed)
			vec_remove(&vtd->stale_roots, i);
	}
	if (nr != nr_stale(vtd))
		vtd_streams_update(u);
}

/*
 * Translations first: an entry that is only invalidated now could have been
 * used until now, so its translations are cached again (6.5.3.1: the IOTLB after
 * the caches of what selects its tables, and not before those are done).
 */
void vtd_complete(struct iommuabs_sim_unit *u)
{
	struct vtd *vtd = u->vtd;

	vtd->tlbs_clean |= vtd->tlbs_dooming && vtd->contexts_clean;
	vtd->contexts_clean |= vtd->contexts_dooming;
	vtd->pasids_clean |= vtd->pasids_dooming;
	vtd->tlbs_dooming = vtd->contexts_dooming = vtd->pasids_dooming = false;
	sim_atc_complete(u);
	sim_remove_doomed(u);
	remove_doomed_configs(u);
	vtd_meant_over(u, true);
	vtd_irtes_meant_over(u, true);
	if (vtd->drains || !vtd->config.dwd)
		sim_land(u->arena, u);
	vtd->drains = false;
}

void vtd_undoom(struct iommuabs_sim_unit *u)
{
	struct vtd *vtd = u->vtd;
	uint32_t i;

	sim_undoom(u);
	for (i = 0; i < u->atc.nr; i++)
		((struct atc *)vec_at(&u->atc, i))->leaf.doomed = false;
	vtd_meant_over(u, false);
	vtd_irtes_meant_over(u, false);
	sim_undoom_pairs(&vtd->stale_contexts);
	sim_undoom_pairs(&vtd->stale_pasids);
	sim_undoom_pairs(&vtd->stale_irtes);
	for (i = 0; i < vtd->kept_contexts.nr; i++)
		((struct cached *)vec_at(&vtd->kept_contexts, i))->doomed =
			false;
	for (i = 0; i < vtd->stale_roots.nr; i++)
		((struct stale_root *)vec_at(&vtd->stale_roots, i))->doomed =
			false;
}
