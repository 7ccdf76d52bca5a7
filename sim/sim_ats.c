/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_ats.c - what devices are told by ATS, and keep (IHI 0070 3.9, 4.5; VT-d 4)
 *
 * FUNCTIONAL: what a device asked for by iommuabs_sim_ats(). ADVERSARY: a device
 * that may use ATS has asked for all; so what leaves the tables is kept, too.
 */
#include "sim_unit.h"

void sim_atc_add(struct iommuabs_sim_unit *u, uint32_t sid,
		 const struct leaf *t)
{
	struct atc *e = vec_add(&u->atc);

	e->sid = sid;
	e->leaf = *t;
	e->leaf.doomed = false;
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
				sim_atc_add(u, sid, &t);
			else
				add_tree(u, sid, r, level + 1, ipa,
					 sim_desc_table(r, v));
		}
	}
}

void sim_atc_add_all(struct iommuabs_sim_unit *u, uint32_t sid,
		     const struct regime *r)
{
	if (!r->no_walk)
		add_tree(u, sid, r, r->start_level, 0, r->ttb);
}

static bool permits(struct iommuabs_sim_unit *u, const struct leaf *t,
		    bool write)
{
	const struct walk w = {
		.u = u,
		.r = sim_find_regime(u, t->regime->key, &t->regime->tag),
		.write = write,
	};

	return t->regime->format->permits(&w, t->desc);
}

bool sim_atc_hit(struct iommuabs_sim_unit *u, uint32_t i, uint32_t sid,
		 uint64_t iova, bool write, uint64_t *maddr)
{
	const struct atc *e = vec_at(&u->atc, i);
	const struct leaf *t = &e->leaf;

	if (e->sid != sid || iova < t->ipa ||
	    iova - t->ipa >= BIT64(t->size_lg2) || !permits(u, t, write))
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

	for (i = 0; i < u->mute.nr; i++) {
		if (*(uint32_t *)vec_at(&u->mute, i) == sid)
			return true;
	}
	return false;
}

void sim_atc_doom(struct iommuabs_sim_unit *u, uint32_t sid, uint64_t first,
		  uint64_t last)
{
	uint32_t i;

	if (is_mute(u, sid)) {
		*(uint32_t *)vec_add(&u->unanswered) = sid;
		return;
	}
	for (i = 0; i < u->atc.nr; i++) {
		struct atc *e = vec_at(&u->atc, i);
		const struct leaf *t = &e->leaf;

		if (e->sid == sid && t->ipa <= last &&
		    first <= t->ipa + (BIT64(t->size_lg2) - 1) &&
		    !(u->arena->adversary && told_again(u, t)))
			e->leaf.doomed = true;
	}
}

void sim_atc_complete(struct iommuabs_sim_unit *u)
{
	uint32_t i;

	for (i = u->atc.nr; i--;) {
		if (((struct atc *)vec_at(&u->atc, i))->leaf.doomed)
			vec_remove(&u->atc, i);
	}
}

/* Does something let @sid through to @maddr that it says is translated? */
static bool may_claim(struct iommuabs_sim_unit *u, uint32_t sid, uint64_t maddr)
{
	struct outcomes out;
	unsigned int i;

	u->ops->outcomes(u, sid, 0, maddr, IOMMUABS_SIM_DMA_TRANSLATED, &out);
	for (i = 0; i < out.nr; i++) {
		if (out.o[i].maddr != IOMMUABS_SIM_BLOCKED)
			return true;
	}
	return false;
}

void sim_atc_freed(struct iommuabs_sim_unit *u, uint64_t maddr)
{
	uint32_t i;

	for (i = 0; i < u->atc.nr; i++) {
		const struct atc *e = vec_at(&u->atc, i);

		if (maddr - e->leaf.pa < BIT64(e->leaf.size_lg2) &&
		    may_claim(u, e->sid, maddr))
			sim_freed(u, maddr,
				  "by a translation a device may keep");
	}
}

/* ---- devices ---- */

int iommuabs_sim_ats(struct iommuabs_sim_unit *u, struct iommuabs_sim_dma *dma)
{
	struct iommuabs_sim_dma page = *dma;
	struct outcomes out;
	const struct outcome *o;
	struct leaf t = { .size_lg2 = PAGE_LG2 };

	page.addr = ALIGN_DOWN(dma->addr, PAGE_LG2);
	dma->event = 0;
	sim_lock(u->arena);
	u->ops->outcomes(u, dma->sid, dma->ssid, page.addr,
			 dma->flags | DMA_ATS_REQUEST, &out);
	o = &out.o[out.nr > 1 ? sim_random(u->arena) % out.nr : 0];
	dma->maddr = o->maddr;
	if (o->maddr == IOMMUABS_SIM_BLOCKED) {
		dma->event = u->ops->ats_refused(u, &page, o);
	} else if (!u->arena->adversary && o->regime) {
		t.ipa = page.addr;
		t.pa = o->maddr;
		t.desc = o->desc;
		t.regime = o->regime;
		t.tag = o->regime->tag;
		sim_atc_add(u, dma->sid, &t);
	}
	sim_unlock(u->arena);
	return dma->maddr != IOMMUABS_SIM_BLOCKED;
}

void iommuabs_sim_atc_mute(struct iommuabs_sim_unit *u, uint32_t sid,
			   unsigned int mute)
{
	uint32_t i;

	sim_lock(u->arena);
	for (i = u->mute.nr; i--;) {
		if (*(uint32_t *)vec_at(&u->mute, i) == sid)
			vec_remove(&u->mute, i);
	}
	if (mute)
		*(uint32_t *)vec_add(&u->mute) = sid;
	sim_unlock(u->arena);
}
