/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_walk.c - from an address to what may happen: the tables and what is cached
 * of them
 */
#include "sim_unit.h"

void sim_add_outcome(struct outcomes *out, const struct outcome *o)
{
	unsigned int i;

	for (i = 0; i < out->nr; i++) {
		if (out->o[i].maddr == o->maddr && out->o[i].event == o->event)
			return;
	}
	if (out->nr < MAX_OUTCOMES)
		out->o[out->nr++] = *o;
}

/* What is not recorded still blocks. */
static void fault(const struct walk *w, enum walk_fault fault)
{
	if (w->only_global)
		return;
	sim_add_outcome(w->out,
			&(struct outcome){
				.maddr = IOMMUABS_SIM_BLOCKED,
				.event = w->record || w->stalls
						 ? w->r->format->event(w, fault)
						 : 0,
				.stage2 = !w->r->tag.s1,
				.class = OUTCOME_CLASS_IN,
				.stalls = w->stalls,
				.privileged = w->privileged,
				.ipa = w->in });
}

static void walk_abort(const struct walk *w, uint64_t fetch)
{
	bool s1 = w->r->tag.s1;

	if (w->only_global)
		return;
	sim_add_outcome(
		w->out,
		&(struct outcome){ .maddr = IOMMUABS_SIM_BLOCKED,
				   .event = w->r->format->event(w, WALK_ABORT),
				   .stage2 = !s1,
				   .class = s1 ? OUTCOME_CLASS_TTD
					       : OUTCOME_CLASS_IN,
				   .ipa = fetch });
}

/* Of the faults that a leaf can give, the first (Arm ARM D8.15). */
static void use_leaf(const struct walk *w, const struct leaf *t)
{
	uint64_t maddr = t->pa + (w->in - t->ipa);
	bool accessible = t->absent || w->r->format->accessible(w->r, t->desc);

	if (w->only_global && !t->tag.global)
		return;
	if (t->absent)
		fault(w, WALK_NOTHING);
	else if (maddr >> w->r->pa_bits)
		fault(w, WALK_ADDRESS);
	else if (!accessible)
		fault(w, WALK_INACCESSIBLE);
	else if (!w->r->format->permits(w, t->desc))
		fault(w, WALK_PERMISSION);
	else
		sim_add_outcome(w->out, &(struct outcome){ .maddr = maddr,
							   .regime = w->r,
							   .desc = t->desc });
	if (w->fill && !t->absent && !(maddr >> w->r->pa_bits) && accessible)
		*(struct leaf *)vec_add(&w->u->leaves) = *t;
}

/* A leaf with the contiguous bit is cached as the whole group. */
static void found_leaf(const struct walk *w, int level, uint64_t desc,
		       bool whole)
{
	struct leaf t = sim_leaf_of(w->r, level, 0, desc);

	if (!w->r->format->meet(w, level, desc)) {
		fault(w, WALK_NOTHING);
		return;
	}
	if (whole) {
		t.size_lg2 += sim_cont_lg2(w->r, level);
		t.pa = ALIGN_DOWN(t.pa, t.size_lg2);
	}
	t.ipa = ALIGN_DOWN(w->in, t.size_lg2);
	use_leaf(w, &t);
}

/* Another entry of the group may have been cached for all of it. */
static void look_at_group(const struct walk *w, int level, uint64_t table,
			  uint64_t index, uint32_t epoch)
{
	unsigned int cont = sim_cont_lg2(w->r, level), nr;
	uint64_t i = ALIGN_DOWN(index, cont), end = i + BIT64(cont);
	struct value values[MAX_VALUES];

	for (; cont && i < end; i++) {
		uint64_t at = table + 8 * i;

		if (!sim_inside(w->u->arena, at, 8))
			return;
		nr = sim_values(w->u->arena, sim_word(w->u->arena, at), epoch,
				values);
		while (nr--) {
			if (values[nr].init &&
			    w->r->format->is_contiguous(values[nr].v) &&
			    sim_desc_kind(w->r, level, values[nr].v) ==
				    DESC_IS_LEAF)
				found_leaf(w, level, values[nr].v, true);
		}
	}
}

static void walk(const struct walk *w, int level, uint64_t table,
		 uint32_t epoch);

static void found_table(const struct walk *w, int level, uint64_t desc,
			uint32_t epoch)
{
	uint64_t next = sim_desc_table(w->r, desc);

	w->r->format->meet(w, level, desc);
	if (next >> w->r->pa_bits)
		fault(w, WALK_ADDRESS);
	else
		walk(w, level + 1, next, epoch);
}

static void found(const struct walk *w, int level, const struct value *value,
		  uint32_t epoch)
{
	if (value->epoch > epoch)
		epoch = value->epoch;
	switch (sim_desc_kind(w->r, level, value->v)) {
	case DESC_INVALID:
		fault(w, WALK_NOTHING);
		return;
	case DESC_IS_LEAF:
		found_leaf(w, level, value->v,
			   w->fill && w->r->format->is_contiguous(value->v));
		return;
	case DESC_IS_TABLE:
		found_table(w, level, value->v, epoch);
	}
}

static void walk(const struct walk *w, int level, uint64_t table,
		 uint32_t epoch)
{
	struct iommuabs_sim_arena *a = w->u->arena;
	uint64_t index = w->in >> sim_level_lg2(w->r, level), at;
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
			      "%s, address %#llx: a table walk reads the free "
			      "page %#llx",
			      sim_name(w->r), (unsigned long long)w->in,
			      (unsigned long long)at);
	nr = sim_values(a, sim_word(a, at), epoch, values);
	for (i = 0; i < nr; i++) {
		if (!values[i].init)
			sim_violation(a, IOMMUABS_SIM_V_UNINIT,
				      "%s: a table walk may read %#llx, which "
				      "was never stored",
				      sim_name(w->r), (unsigned long long)at);
		else
			found(w, level, &values[i], epoch);
	}
	if (a->adversary)
		look_at_group(w, level, table, index, epoch);
}

/* ---- what is cached ---- */

/* One address space of one VMID, or of all its ASIDs. */
static bool same_vm(const struct tag *a, const struct tag *b)
{
	return a->s1 == b->s1 && a->el2 == b->el2 && a->vmid == b->vmid;
}

static bool covers(uint64_t ipa, unsigned int size_lg2, uint64_t in)
{
	return ipa <= in && in - ipa < BIT64(size_lg2);
}

static bool leaf_hits(const struct walk *w, const struct leaf *t)
{
	return same_vm(&t->tag, &w->r->tag) &&
	       (t->tag.global || t->tag.asid == w->r->tag.asid) &&
	       covers(t->ipa, t->size_lg2, w->in);
}

static void use_table(const struct walk *w, const struct wtable *t)
{
	struct walk other = *w;

	if (!same_vm(&t->regime->tag, &w->r->tag) ||
	    !covers(t->ipa, t->size_lg2, w->in))
		return;
	other.r = t->regime;
	other.only_global = t->regime->tag.asid != w->r->tag.asid;
	if (!other.only_global || t->regime->globals)
		walk(&other, t->level + 1, t->table, 0);
}

/* Another table: what it maps may be cached under a tag that matches. */
static void use_regime(const struct walk *w, struct regime *r)
{
	struct walk other = *w;
	bool kin = r->tag.asid == w->r->tag.asid;

	if (r == w->r || !same_vm(&r->tag, &w->r->tag) || w->in >> r->ia_bits ||
	    r->no_walk)
		return;
	other.r = r;
	other.only_global = !kin || !r->stale[REST];
	if (kin ? r->stale[REST] || r->stale[GLOBAL]
		: r->globals && (r->live || r->stale[REST] || r->stale[GLOBAL]))
		walk(&other, r->start_level, r->ttb, 0);
}

static void use_caches(const struct walk *w)
{
	struct iommuabs_sim_unit *u = w->u;
	struct regime *r;
	uint32_t i;

	for (i = 0; i < u->leaves.nr; i++) {
		const struct leaf *t = vec_at(&u->leaves, i);

		if (leaf_hits(w, t))
			use_leaf(w, t);
	}
	for (i = 0; i < u->wtables.nr; i++)
		use_table(w, vec_at(&u->wtables, i));
	for (r = u->regimes; r; r = r->next)
		use_regime(w, r);
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

void sim_translate(const struct walk *w, uint32_t epoch)
{
	if (w->in >> w->r->ia_bits) {
		fault(w, WALK_NOTHING);
		return;
	}
	if (w->u->arena->adversary)
		use_caches(w);
	else if (use_tlb(w))
		return;
	if (w->r->no_walk)
		fault(w, WALK_NOTHING);
	else
		walk(w, w->r->start_level, w->r->ttb, epoch);
}
