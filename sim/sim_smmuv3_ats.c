/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_smmuv3_ats.c - what devices are told by ATS, and keep (IHI 0070 3.9, 4.5)
 *
 * FUNCTIONAL: what a device asked for by iommuabs_sim_ats(). ADVERSARY: a device
 * that may use ATS has asked for all; so what leaves the tables is kept, too.
 */
#include "sim_smmuv3.h"

static void add(struct iommuabs_sim_unit *u, uint32_t sid, const struct leaf *t)
{
	struct atc *e = vec_add(&u->smmu->atc);

	e->sid = sid;
	e->leaf = *t;
	e->leaf.doomed = false;
}

static bool uses(const struct stream *s, const struct regime *r)
{
	unsigned int i;

	for (i = 0; i < s->nr_regimes; i++) {
		if (s->regimes[i] == r)
			return true;
	}
	return false;
}

void smmuv3_atc_leaf(struct iommuabs_sim_unit *u, const struct leaf *t)
{
	const struct stream *s;

	for (s = u->smmu->streams; u->smmu->config.ats && s; s = s->next) {
		if (s->ats && uses(s, t->regime))
			add(u, s->sid, t);
	}
}

static void add_tree(struct iommuabs_sim_unit *u, uint32_t sid,
		     const struct regime *r, int level, uint64_t ipa,
		     uint64_t table)
{
	unsigned int lg2 = sim_level_lg2(r, level);
	uint64_t i, nr = BIT64(r->granule->lg2 - 3);
	struct value values[MAX_VALUES];
	unsigned int n;

	if (level == r->start_level)
		nr = sim_root_bytes(r) >> 3;
	if (!sim_inside(u->arena, table, 8 * nr))
		return;
	for (i = 0; i < nr; i++, ipa += BIT64(lg2)) {
		n = sim_values(u->arena, sim_word(u->arena, table + 8 * i), 0,
			       values);
		while (n--) {
			uint64_t v = values[n].v;
			enum desc_kind kind = sim_desc_kind(r, level, v);
			struct leaf t = sim_leaf_of(r, level, ipa, v);

			if (!values[n].init || kind == DESC_INVALID)
				continue;
			if (kind == DESC_IS_LEAF)
				add(u, sid, &t);
			else
				add_tree(u, sid, r, level + 1, ipa,
					 sim_desc_table(r, v));
		}
	}
}

void smmuv3_atc_regime(struct iommuabs_sim_unit *u, uint32_t sid,
		       const struct regime *r)
{
	if (!r->no_walk)
		add_tree(u, sid, r, r->start_level, 0, r->ttb);
}

static bool permits(const struct leaf *t, bool write)
{
	if (t->regime->tag.s1)
		return t->desc & DESC_AP_USER &&
		       !(write && t->desc & DESC_AP_RO);
	return t->desc & (write ? DESC_S2AP_W : DESC_S2AP_R);
}

bool smmuv3_atc_hit(const struct iommuabs_sim_unit *u, uint32_t i, uint32_t sid,
		    uint64_t iova, bool write, uint64_t *maddr)
{
	const struct atc *e = vec_at(&u->smmu->atc, i);
	const struct leaf *t = &e->leaf;

	if (e->sid != sid || iova < t->ipa ||
	    iova - t->ipa >= BIT64(t->size_lg2) || !permits(t, write))
		return false;
	*maddr = t->pa + (iova - t->ipa);
	return true;
}

/* ---- invalidation ---- */

static bool overlap(uint64_t a, unsigned int a_lg2, uint64_t b,
		    unsigned int b_lg2)
{
	return a < b + BIT64(b_lg2) && b < a + BIT64(a_lg2);
}

static bool same_tag(const struct tag *a, const struct tag *b)
{
	return a->s1 == b->s1 && a->el2 == b->el2 && a->vmid == b->vmid &&
	       a->asid == b->asid;
}

/*
 * 4.5.1: the TLB first, and that complete. Else the device may ask again after
 * its invalidation, and be told what the TLB still has.
 */
static bool told_again(const struct iommuabs_sim_unit *u, const struct leaf *e)
{
	const struct regime *r;
	uint32_t i;

	for (i = 0; i < u->leaves.nr; i++) {
		const struct leaf *t = vec_at(&u->leaves, i);

		if (same_tag(&t->tag, &e->tag) &&
		    overlap(t->ipa, t->size_lg2, e->ipa, e->size_lg2))
			return true;
	}
	for (i = 0; i < u->wtables.nr; i++) {
		const struct wtable *t = vec_at(&u->wtables, i);

		if (same_tag(&t->regime->tag, &e->tag) &&
		    overlap(t->ipa, t->size_lg2, e->ipa, e->size_lg2))
			return true;
	}
	for (r = u->regimes; r; r = r->next) {
		if (!r->live && r->stale[REST] && same_tag(&r->tag, &e->tag))
			return true;
	}
	return false;
}

static bool is_mute(const struct iommuabs_sim_unit *u, uint32_t sid)
{
	uint32_t i;

	for (i = 0; i < u->smmu->mute.nr; i++) {
		if (*(uint32_t *)vec_at(&u->smmu->mute, i) == sid)
			return true;
	}
	return false;
}

void smmuv3_atc_inv(struct iommuabs_sim_unit *u, const uint64_t cmd[2])
{
	uint32_t sid = (uint32_t)FIELD(cmd[0], 63, 32), i;
	unsigned int lg2 = 12 + (unsigned int)FIELD(cmd[1], 5, 0);
	uint64_t first = lg2 > 63 ? 0 : ALIGN_DOWN(cmd[1], lg2);
	uint64_t last = lg2 > 63 ? UINT64_MAX : first + (BIT64(lg2) - 1);

	if (!smmuv3_may_be_enabled(u))
		return;
	if (is_mute(u, sid)) {
		u->smmu->atc_timeouts++;
		return;
	}
	for (i = 0; i < u->smmu->atc.nr; i++) {
		struct atc *e = vec_at(&u->smmu->atc, i);
		const struct leaf *t = &e->leaf;

		if (e->sid == sid && t->ipa <= last &&
		    first <= t->ipa + (BIT64(t->size_lg2) - 1) &&
		    !(u->arena->adversary && told_again(u, t)))
			e->leaf.doomed = true;
	}
}

void smmuv3_atc_sync(struct iommuabs_sim_unit *u)
{
	uint32_t i;

	for (i = u->smmu->atc.nr; i--;) {
		if (((struct atc *)vec_at(&u->smmu->atc, i))->leaf.doomed)
			vec_remove(&u->smmu->atc, i);
	}
}

/* ---- devices ---- */

int iommuabs_sim_ats(struct iommuabs_sim_unit *u, struct iommuabs_sim_dma *dma)
{
	struct iommuabs_sim_dma page = *dma;
	struct outcomes out;
	const struct outcome *o;
	struct leaf t = { .size_lg2 = PAGE_LG2 };

	if (u->ops != &smmuv3_ops)
		return 0;
	page.addr = ALIGN_DOWN(dma->addr, PAGE_LG2);
	dma->event = 0;
	sim_lock(u->arena);
	smmuv3_outcomes(u, dma->sid, dma->ssid, page.addr,
			dma->flags | DMA_ATS_REQUEST, &out);
	o = &out.o[out.nr > 1 ? sim_random(u->arena) % out.nr : 0];
	dma->maddr = o->maddr;
	if (o->maddr == IOMMUABS_SIM_BLOCKED) {
		/* 3.9.1.2: one reason is recorded, the others are answers. */
		if (o->event == F_BAD_ATS_TREQ) {
			dma->event = o->event;
			smmuv3_record(u, &page, o);
		}
	} else if (!u->arena->adversary && o->regime) {
		t.ipa = page.addr;
		t.pa = o->maddr;
		t.desc = o->desc;
		t.regime = o->regime;
		t.tag = o->regime->tag;
		add(u, dma->sid, &t);
	}
	sim_unlock(u->arena);
	return dma->maddr != IOMMUABS_SIM_BLOCKED;
}

void iommuabs_sim_atc_mute(struct iommuabs_sim_unit *u, uint32_t sid,
			   unsigned int mute)
{
	uint32_t i;

	if (u->ops != &smmuv3_ops)
		return;
	sim_lock(u->arena);
	for (i = u->smmu->mute.nr; i--;) {
		if (*(uint32_t *)vec_at(&u->smmu->mute, i) == sid)
			vec_remove(&u->smmu->mute, i);
	}
	if (mute)
		*(uint32_t *)vec_add(&u->smmu->mute) = sid;
	sim_unlock(u->arena);
}
