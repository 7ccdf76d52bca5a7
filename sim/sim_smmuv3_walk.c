/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_smmuv3_walk.c - from StreamID and address to what may happen
 * (IHI 0070 3.3, 3.4; Arm ARM D8: VMSAv8-64 stage 2)
 */
#include "sim_smmuv3.h"

unsigned int smmuv3_level_lg2(const struct regime *r, unsigned int level)
{
	return r->granule->lg2 + (r->granule->lg2 - 3) * (LAST_LEVEL - level);
}

/* Reserved encodings are invalid ones (Arm ARM D8.3.1). */
enum desc_kind smmuv3_desc_kind(const struct regime *r, unsigned int level,
				uint64_t desc)
{
	if (!(desc & DESC_VALID))
		return DESC_INVALID;
	if (level == LAST_LEVEL)
		return desc & DESC_TABLE ? DESC_IS_LEAF : DESC_INVALID;
	if (desc & DESC_TABLE)
		return DESC_IS_TABLE;
	return level >= r->granule->first_block ? DESC_IS_LEAF : DESC_INVALID;
}

uint64_t smmuv3_desc_out(const struct regime *r, unsigned int level,
			 uint64_t desc)
{
	return ALIGN_DOWN(desc & DESC_ADDR, smmuv3_level_lg2(r, level));
}

struct walk {
	struct iommuabs_sim_unit *u;
	struct regime *r;
	uint64_t ipa;
	bool write;
	bool record; /* STE.S2R */
	bool fill;   /* FUNCTIONAL: put what is found into the TLB */
	struct outcomes *out;
};

static void add_outcome(struct outcomes *out, const struct outcome *o)
{
	unsigned int i;

	for (i = 0; i < out->nr; i++) {
		if (out->o[i].maddr == o->maddr && out->o[i].event == o->event)
			return;
	}
	if (out->nr < MAX_OUTCOMES)
		out->o[out->nr++] = *o;
}

static void goes_to(struct outcomes *out, uint64_t maddr)
{
	add_outcome(out, &(struct outcome){ .maddr = maddr });
}

static void blocked(struct outcomes *out, unsigned int event)
{
	add_outcome(out, &(struct outcome){ .maddr = IOMMUABS_SIM_BLOCKED,
					    .event = event });
}

/* 7.3.13 ff.: recorded only with S2R (5.5). */
static void fault(const struct walk *w, unsigned int event)
{
	add_outcome(w->out, &(struct outcome){ .maddr = IOMMUABS_SIM_BLOCKED,
					       .event = w->record ? event : 0,
					       .stage2 = 1,
					       .ipa = w->ipa });
}

static void walk_abort(const struct walk *w, uint64_t fetch)
{
	add_outcome(w->out, &(struct outcome){ .maddr = IOMMUABS_SIM_BLOCKED,
					       .event = F_WALK_EABT,
					       .stage2 = 1,
					       .ipa = fetch });
}

/* Of the faults that a leaf can give, the first in the order of D8.15. */
static void use_leaf(const struct walk *w, const struct leaf *t)
{
	uint64_t maddr = t->pa + (w->ipa - t->ipa);
	uint64_t needed = w->write ? DESC_S2AP_W : DESC_S2AP_R;

	if (maddr >> w->r->pa_bits)
		fault(w, F_ADDR_SIZE);
	else if (!(t->desc & DESC_AF) && !w->r->affd)
		fault(w, F_ACCESS);
	else if (!(t->desc & needed))
		fault(w, F_PERMISSION);
	else
		goes_to(w->out, maddr);
	if (w->fill && !(maddr >> w->r->pa_bits) &&
	    (t->desc & DESC_AF || w->r->affd))
		*(struct leaf *)vec_add(&w->u->leaves) = *t;
}

static void check_leaf(const struct walk *w, unsigned int level, uint64_t desc)
{
	unsigned int lg2 = smmuv3_level_lg2(w->r, level);
	uint64_t zero = DESC_RES0_HIGH;

	if (level < LAST_LEVEL)
		zero |= DESC_ADDR & (BIT64(lg2) - 1) & ~DESC_NT;
	if (desc & zero)
		sim_violation(w->u->arena, IOMMUABS_SIM_V_RESERVED,
			      "descriptor %#llx at level %u has reserved bits "
			      "set",
			      (unsigned long long)desc, level);
}

/* A leaf with the contiguous bit is cached as the whole group. */
static void found_leaf(const struct walk *w, unsigned int level, uint64_t desc,
		       bool whole)
{
	unsigned int lg2 = smmuv3_level_lg2(w->r, level);
	struct leaf t = { .desc = desc,
			  .level = level,
			  .vmid = w->r->vmid,
			  .regime = w->r,
			  .pa = smmuv3_desc_out(w->r, level, desc),
			  .size_lg2 = lg2 };

	check_leaf(w, level, desc);
	if (whole) {
		t.size_lg2 += w->r->granule->cont_lg2[level];
		t.pa = ALIGN_DOWN(t.pa, t.size_lg2);
	}
	t.ipa = ALIGN_DOWN(w->ipa, t.size_lg2);
	use_leaf(w, &t);
}

/* Another entry of the group may have been cached for all of it. */
static void look_at_group(const struct walk *w, unsigned int level,
			  uint64_t table, uint64_t index, uint32_t epoch)
{
	unsigned int cont = w->r->granule->cont_lg2[level], nr;
	uint64_t i = ALIGN_DOWN(index, cont), end = i + BIT64(cont);
	struct value values[MAX_VALUES];

	for (; cont && i < end; i++) {
		uint64_t at = table + 8 * i;

		if (!sim_inside(w->u->arena, at, 8))
			return;
		nr = sim_values(w->u->arena, sim_word(w->u->arena, at), epoch,
				values);
		while (nr--) {
			if (values[nr].init && values[nr].v & DESC_CONT &&
			    smmuv3_desc_kind(w->r, level, values[nr].v) ==
				    DESC_IS_LEAF)
				found_leaf(w, level, values[nr].v, true);
		}
	}
}

static void walk(const struct walk *w, unsigned int level, uint64_t table,
		 uint32_t epoch);

static void found(const struct walk *w, unsigned int level,
		  const struct value *value, uint32_t epoch)
{
	uint64_t next = value->v & DESC_ADDR;

	if (value->epoch > epoch)
		epoch = value->epoch;
	switch (smmuv3_desc_kind(w->r, level, value->v)) {
	case DESC_INVALID:
		fault(w, F_TRANSLATION);
		return;
	case DESC_IS_LEAF:
		found_leaf(w, level, value->v, w->fill && value->v & DESC_CONT);
		return;
	case DESC_IS_TABLE:
		if (next >> w->r->pa_bits)
			fault(w, F_ADDR_SIZE);
		else
			walk(w, level + 1, ALIGN_DOWN(next, w->r->granule->lg2),
			     epoch);
	}
}

static void walk(const struct walk *w, unsigned int level, uint64_t table,
		 uint32_t epoch)
{
	struct iommuabs_sim_arena *a = w->u->arena;
	uint64_t index = w->ipa >> smmuv3_level_lg2(w->r, level), at;
	struct value values[MAX_VALUES];
	unsigned int i, nr;

	/* Only the start level may have more entries than one granule holds. */
	if (level != w->r->start_level)
		index &= BIT64(w->r->granule->lg2 - 3) - 1;
	at = table + 8 * index;
	if (!sim_inside(a, at, 8)) {
		walk_abort(w, at);
		return;
	}
	if (a->adversary && !sim_page_used(a, at))
		sim_violation(a, IOMMUABS_SIM_V_FREED,
			      "VMID %u, IPA %#llx: a table walk reads the free "
			      "page %#llx",
			      w->r->vmid, (unsigned long long)w->ipa,
			      (unsigned long long)at);
	nr = sim_values(a, sim_word(a, at), epoch, values);
	for (i = 0; i < nr; i++) {
		if (!values[i].init)
			sim_violation(a, IOMMUABS_SIM_V_UNINIT,
				      "VMID %u: a table walk may read %#llx, "
				      "which was never stored",
				      w->r->vmid, (unsigned long long)at);
		else
			found(w, level, &values[i], epoch);
	}
	if (a->adversary)
		look_at_group(w, level, table, index, epoch);
}

/* ---- what is cached ---- */

static bool leaf_hits(const struct walk *w, const struct leaf *t)
{
	return t->vmid == w->r->vmid && t->ipa <= w->ipa &&
	       w->ipa - t->ipa < BIT64(t->size_lg2);
}

static void use_caches(const struct walk *w)
{
	struct iommuabs_sim_unit *u = w->u;
	struct walk other = *w;
	uint32_t i;

	for (i = 0; i < u->leaves.nr; i++) {
		const struct leaf *t = vec_at(&u->leaves, i);

		if (leaf_hits(w, t))
			use_leaf(w, t);
	}
	for (i = 0; i < u->wtables.nr; i++) {
		const struct wtable *t = vec_at(&u->wtables, i);

		other.r = t->regime;
		if (t->regime->vmid == w->r->vmid && t->ipa <= w->ipa &&
		    w->ipa - t->ipa < BIT64(t->size_lg2))
			walk(&other, t->level + 1, t->table, 0);
	}
	for (other.r = u->regimes; other.r; other.r = other.r->next) {
		if (other.r->stale && other.r != w->r &&
		    other.r->vmid == w->r->vmid &&
		    !(w->ipa >> other.r->ia_bits))
			walk(&other, other.r->start_level, other.r->ttb, 0);
	}
}

/* FUNCTIONAL: true if the TLB had it. */
static bool use_tlb(const struct walk *w)
{
	uint32_t i;

	for (i = 0; i < w->u->leaves.nr; i++) {
		struct leaf t = *(struct leaf *)vec_at(&w->u->leaves, i);

		if (leaf_hits(w, &t)) {
			struct walk hit = *w;

			hit.fill = false;
			use_leaf(&hit, &t);
			return true;
		}
	}
	return false;
}

struct request {
	struct iommuabs_sim_unit *u;
	uint32_t sid, flags;
	uint64_t iova;
	struct outcomes *out;
};

static void stage2(const struct request *q, const struct ste *ste)
{
	struct iommuabs_sim_unit *u = q->u;
	struct walk w = {
		.u = u,
		.r = smmuv3_regime(u, ste->w),
		.ipa = q->iova,
		.write = q->flags & IOMMUABS_SIM_DMA_WRITE,
		.record = ste->w[2] & STE2_R,
		.fill = !u->arena->adversary,
		.out = q->out,
	};

	/* 3.4: beyond IAS it is a stage 1 fault, even without a stage 1. */
	if (q->iova >> u->config.oas) {
		blocked(q->out, F_ADDR_SIZE);
		return;
	}
	if (q->iova >> w.r->ia_bits) {
		fault(&w, F_TRANSLATION);
		return;
	}
	if (u->arena->adversary)
		use_caches(&w);
	else if (use_tlb(&w))
		return;
	walk(&w, w.r->start_level, w.r->ttb, ste->epoch);
}

static void use_ste(struct iommuabs_sim_unit *u, const struct ste *ste,
		    void *arg)
{
	const struct request *q = arg;
	unsigned int config = STE0_CONFIG(ste->w[0]);

	if (ste->event == F_STE_FETCH)
		add_outcome(q->out,
			    &(struct outcome){ .maddr = IOMMUABS_SIM_BLOCKED,
					       .event = F_STE_FETCH,
					       .ipa = ste->fetch });
	else if (ste->event == C_BAD_STREAMID)
		/* 6.3.12: recorded by request. */
		blocked(q->out, u->cr2 & CR2_RECINVSID ? C_BAD_STREAMID : 0);
	else if (!(ste->w[0] & STE0_V) || smmuv3_ste_illegal(u, ste->w))
		blocked(q->out, C_BAD_STE);
	else if (!(config & STE_CONFIG_BYPASS))
		blocked(q->out, 0);
	else if (config != STE_CONFIG_BYPASS && config & STE_CONFIG_S1)
		blocked(q->out, C_BAD_CD);
	else if (q->flags & IOMMUABS_SIM_DMA_SSID)
		blocked(q->out, C_BAD_SUBSTREAMID);
	else if (config & STE_CONFIG_S2)
		stage2(q, ste);
	else if (q->iova >> u->config.oas)
		blocked(q->out, F_ADDR_SIZE);
	else
		goes_to(q->out, q->iova);
}

/* 6.3.9.6: SMMUEN == 0 */
static void disabled(const struct request *q, uint64_t gbpa)
{
	if (gbpa & GBPA_ABORT || q->iova >> q->u->config.oas)
		blocked(q->out, 0);
	else
		goes_to(q->out, q->iova);
}

static void copy_ste(struct iommuabs_sim_unit *u, const struct ste *ste,
		     void *arg)
{
	(void)u;
	*(struct ste *)arg = *ste;
}

/* 5.2.1: an STE in any state may be cached, a failed fetch is not. */
static void use_cached_ste(struct request *q)
{
	struct iommuabs_sim_unit *u = q->u;
	struct cached_ste *c;
	struct ste ste = { .event = 0 };
	uint32_t i;

	for (i = 0; i < u->cached_stes.nr; i++) {
		c = vec_at(&u->cached_stes, i);
		if (c->sid != q->sid)
			continue;
		for (i = 0; i < 4; i++)
			ste.w[i] = c->w[i];
		use_ste(u, &ste, q);
		return;
	}
	smmuv3_each_ste(u, q->sid, copy_ste, &ste);
	if (!ste.event) {
		c = vec_add(&u->cached_stes);
		c->sid = q->sid;
		for (i = 0; i < 4; i++)
			c->w[i] = ste.w[i];
	}
	use_ste(u, &ste, q);
}

/* All that may happen to one request now. */
void smmuv3_outcomes(struct iommuabs_sim_unit *u, uint32_t sid, uint64_t iova,
		     uint32_t flags, struct outcomes *out)
{
	struct request q = { u, sid, flags, iova, out };
	bool on = (u->cr0.value & u->cr0.ack) & CR0_SMMUEN;

	out->nr = 0;
	if (flags & IOMMUABS_SIM_DMA_TRANSLATED) {
		blocked(out, F_TRANSL_FORBIDDEN);
		return;
	}
	if (!on) {
		disabled(&q, u->gbpa.ack);
		if (u->gbpa.value & GBPA_UPDATE)
			disabled(&q, u->gbpa.value);
	}
	if (!smmuv3_may_be_enabled(u))
		return;
	if (u->arena->adversary)
		smmuv3_each_ste(u, sid, use_ste, &q);
	else
		use_cached_ste(&q);
}
