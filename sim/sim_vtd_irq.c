/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_vtd_irq.c - interrupt requests, and the table that remaps them (VT-d 5,
 * 9.10)
 */
#include "sim_vtd.h"
#include <string.h>

/* 5.1.2.2, 5.1.5.2: an address and data of the remappable format. */
#define MSI_FORMAT	 BIT64(4)
#define MSI_SHV		 BIT64(3)
#define MSI_HANDLE(a)	 ((uint32_t)(FIELD(a, 19, 5) | FIELD(a, 2, 2) << 15))
#define MSI_SUBHANDLE(d) ((uint32_t)FIELD(d, 15, 0))

static uint64_t table_of(const struct vtd *vtd)
{
	return vtd->irt & IRTA_TABLE;
}

static uint32_t nr_irtes(const struct vtd *vtd)
{
	return 2u << IRTA_S(vtd->irt);
}

/* The entry that a word is of; false: of none. */
static bool index_of(const struct iommuabs_sim_unit *u, uint32_t word,
		     uint32_t *index)
{
	const struct vtd *vtd = u->vtd;
	uint64_t at = sim_word_maddr(u->arena, word);

	if (!(vtd->gsts & G_SIRTP) || at < table_of(vtd))
		return false;
	*index = (uint32_t)((at - table_of(vtd)) / 16);
	return (at - table_of(vtd)) / 16 < nr_irtes(vtd);
}

bool vtd_is_irte(struct iommuabs_sim_arena *a, uint32_t word)
{
	const struct iommuabs_sim_unit *u;
	uint32_t index;

	for (u = a->units; u; u = u->next) {
		if (u->ops == &vtd_ops && index_of(u, word, &index))
			return true;
	}
	return false;
}

static void check_ready(struct iommuabs_sim_unit *u, const uint64_t w[4])
{
	uint64_t wrong1 = w[0] & IRTE0_POSTED ? IRTE1_RES0_POSTED : IRTE1_RES0;

	if (!(w[0] & IRTE0_P))
		return;
	if (w[0] & IRTE0_POSTED && !u->vtd->config.pi)
		sim_violation(u->arena, IOMMUABS_SIM_V_RESERVED,
			      "an interrupt entry is posted, but CAP.PI is 0");
	if (!(w[0] & IRTE0_POSTED) && w[0] & IRTE0_RES0)
		wrong1 = UINT64_MAX;
	if (w[1] & wrong1 || IRTE1_SVT(w[1]) == 3)
		sim_violation(u->arena, IOMMUABS_SIM_V_RESERVED,
			      "an interrupt entry has reserved bits set");
	if (!IRTE1_SVT(w[1]))
		sim_violation(u->arena, IOMMUABS_SIM_V_BAD_STE,
			      "an interrupt entry says nothing of who may use "
			      "it (SVT)");
}

/* ---- entries that may be fetched ---- */

struct tear {
	uint64_t meant[4], now[4];
	bool torn;
};

static void each_irte(struct iommuabs_sim_unit *u, uint32_t index, entry_fn fn,
		      void *arg)
{
	const struct place p = { index,
				 0,
				 &u->vtd->stale_irtes,
				 "an interrupt entry",
				 F_IR_ACCESS,
				 table_of(u->vtd) + 16 * (uint64_t)index,
				 0,
				 1 };

	sim_each_entry(u, &p, fn, arg);
}

static void look_for_tear(struct iommuabs_sim_unit *u, const struct entry *e,
			  void *arg)
{
	struct tear *t = arg;

	(void)u;
	if (!e->event && e->w[0] & IRTE0_P && memcmp(e->w, t->meant, 16) &&
	    memcmp(e->w, t->now, 16))
		t->torn = true;
}

static void check_tear(struct iommuabs_sim_unit *u, struct cached *m)
{
	struct tear t = { .torn = false };

	memcpy(t.meant, m->w, sizeof(t.meant));
	sim_newest_entry(u->arena, table_of(u->vtd) + 16 * (uint64_t)m->sid, 2,
			 t.now);
	each_irte(u, m->sid, look_for_tear, &t);
	if (t.torn && u->vtd->gsts & G_IRE)
		sim_violation(u->arena, IOMMUABS_SIM_V_TORN_STE,
			      "interrupt entry %u: a mix of two may be fetched",
			      m->sid);
	m->doomed = true;
}

void vtd_irtes_meant(struct iommuabs_sim_unit *u, uint32_t index,
		     unsigned int lg2)
{
	uint32_t i;

	for (i = 0; u->arena->adversary && i < u->vtd->meant_irtes.nr; i++) {
		struct cached *m = vec_at(&u->vtd->meant_irtes, i);

		if (lg2 >= 32 || m->sid >> lg2 == index >> lg2)
			check_tear(u, m);
	}
}

void vtd_irtes_meant_over(struct iommuabs_sim_unit *u, bool complete)
{
	uint32_t i;

	for (i = 0; i < u->vtd->meant_irtes.nr; i++) {
		struct cached *m = vec_at(&u->vtd->meant_irtes, i);

		if (m->doomed && complete)
			sim_newest_entry(u->arena,
					 table_of(u->vtd) +
						 16 * (uint64_t)m->sid,
					 2, m->w);
		m->doomed = false;
	}
}

void vtd_irt_taken(struct iommuabs_sim_unit *u)
{
	struct vec *meant = &u->vtd->meant_irtes;
	uint64_t w[4];
	uint32_t i;

	for (i = 0; u->arena->adversary && i < nr_irtes(u->vtd); i++) {
		struct cached *m;

		sim_newest_entry(u->arena, table_of(u->vtd) + 16 * (uint64_t)i,
				 2, w);
		/* What was meant before may be cached. */
		if (!(w[0] & IRTE0_P) || sim_cached(meant, i, 0))
			continue;
		m = vec_add(meant);
		m->sid = i;
		memcpy(m->w, w, sizeof(m->w));
	}
}

void vtd_irt_stored(struct iommuabs_sim_unit *u, uint32_t word,
		    const struct value *value)
{
	uint32_t index;
	struct cached *m;

	(void)value;
	if (!index_of(u, word, &index) ||
	    sim_cached(&u->vtd->meant_irtes, index, 0))
		return;
	/* Nothing was meant before. */
	m = vec_add(&u->vtd->meant_irtes);
	m->sid = index;
}

void vtd_irt_retired(struct iommuabs_sim_unit *u, uint32_t word,
		     const struct value *old)
{
	uint32_t index;

	if (u->vtd->gsts & G_IRE && index_of(u, word, &index) &&
	    sim_speaks(u, word, old))
		sim_keep_pair(u->arena, &u->vtd->stale_irtes, word, 0, index,
			      0);
}

/* ---- requests ---- */

struct request {
	const struct iommuabs_sim_interrupt *irq;
	uint32_t index;
	struct iommuabs_sim_interrupt *out;
	unsigned int max, nr;
};

/* What tells outcomes apart. */
static bool same(const struct iommuabs_sim_interrupt *a,
		 const struct iommuabs_sim_interrupt *b)
{
	return a->fault == b->fault && a->blocked == b->blocked &&
	       a->vector == b->vector && a->destination == b->destination &&
	       a->posted == b->posted && a->descriptor == b->descriptor;
}

static void add(struct request *q, const struct iommuabs_sim_interrupt *irq)
{
	unsigned int i;

	for (i = 0; i < q->nr && i < q->max; i++) {
		if (same(&q->out[i], irq))
			return;
	}
	if (q->nr < q->max)
		q->out[q->nr] = *irq;
	q->nr++;
}

static void blocked(struct request *q, unsigned int fault)
{
	struct iommuabs_sim_interrupt irq = *q->irq;

	irq.blocked = 1;
	irq.fault = fault;
	add(q, &irq);
}

/* 9.10: SVT, SQ */
static bool is_requester(const uint64_t w[4], uint16_t sid)
{
	static const uint16_t masks[] = { 0xffff, 0xfffb, 0xfff9, 0xfff8 };
	uint16_t mask = masks[IRTE1_SQ(w[1])], bus = sid >> 8;

	switch (IRTE1_SVT(w[1])) {
	case 0:
		return true;
	case 1:
		return (sid & mask) == (IRTE1_SID(w[1]) & mask);
	case 2:
		return bus >= IRTE1_SID(w[1]) >> 8 &&
		       bus <= (IRTE1_SID(w[1]) & 0xff);
	default:
		return false;
	}
}

static void deliver(struct request *q, const uint64_t w[4])
{
	struct iommuabs_sim_interrupt irq = *q->irq;

	irq.vector = (unsigned int)FIELD(w[0], 23, 16);
	irq.posted = w[0] & IRTE0_POSTED ? 1 : 0;
	if (irq.posted) {
		irq.descriptor = FIELD(w[0], 63, 38) << 6 | FIELD(w[1], 63, 32)
								    << 32;
	} else {
		irq.destination = (uint32_t)FIELD(w[0], 63, 32);
		irq.delivery = (unsigned int)FIELD(w[0], 7, 5);
		irq.level = (unsigned int)FIELD(w[0], 4, 4);
		irq.logical = (unsigned int)FIELD(w[0], 2, 2);
	}
	add(q, &irq);
}

static void use_irte(struct iommuabs_sim_unit *u, const struct entry *e,
		     void *arg)
{
	struct request *q = arg;
	bool silent = !e->event && e->w[0] & IRTE0_FPD;

	if (!e->event)
		check_ready(u, e->w);
	if (e->event)
		blocked(q, e->event);
	else if (!(e->w[0] & IRTE0_P))
		blocked(q, silent ? 0 : F_IR_ABSENT);
	else if (IRTE1_SVT(e->w[1]) == 3)
		blocked(q, silent ? 0 : F_IR_ENTRY);
	else if (!is_requester(e->w, q->irq->sid))
		blocked(q, silent ? 0 : F_IR_SID);
	else
		deliver(q, e->w);
}

static void copy_entry(struct iommuabs_sim_unit *u, const struct entry *e,
		       void *arg)
{
	(void)u;
	*(struct entry *)arg = *e;
}

static void through_cache(struct iommuabs_sim_unit *u, struct request *q)
{
	struct cached *c = sim_cached(&u->vtd->cached_irtes, q->index, 0);
	struct entry e = { .event = 0 };

	if (c) {
		memcpy(e.w, c->w, sizeof(e.w));
	} else {
		each_irte(u, q->index, copy_entry, &e);
		if (!e.event && e.w[0] & IRTE0_P) {
			c = vec_add(&u->vtd->cached_irtes);
			c->sid = q->index;
			memcpy(c->w, e.w, sizeof(c->w));
		}
	}
	use_irte(u, &e, q);
}

static void compatible(struct iommuabs_sim_unit *u, struct request *q)
{
	struct iommuabs_sim_interrupt irq = *q->irq;

	/* 5.1.4: never in x2APIC mode, else if CFI says so. */
	if (u->vtd->gsts & G_IRE &&
	    (u->vtd->irt & IRTA_EIME || !(u->vtd->gsts & G_CFI))) {
		blocked(q, F_IR_COMPAT);
		return;
	}
	irq.vector = irq.data & 0xff;
	irq.destination = (uint32_t)FIELD(irq.addr, 19, 12);
	irq.delivery = (unsigned int)FIELD(irq.data, 10, 8);
	irq.level = (unsigned int)FIELD(irq.data, 15, 15);
	irq.logical = (unsigned int)FIELD(irq.addr, 2, 2);
	add(q, &irq);
}

static void request(struct iommuabs_sim_unit *u, struct request *q)
{
	const struct iommuabs_sim_interrupt *irq = q->irq;

	if (!(u->vtd->gsts & G_IRE) || !(irq->addr & MSI_FORMAT)) {
		compatible(u, q);
		return;
	}
	q->index = MSI_HANDLE(irq->addr);
	if (irq->addr & MSI_SHV)
		q->index += MSI_SUBHANDLE(irq->data);
	/* 5.1.3: bits that must be zero; 31:16 of the data, always. */
	if (irq->data >> 16 || (!(irq->addr & MSI_SHV) && irq->data))
		blocked(q, F_IR_RESERVED);
	else if (q->index >= nr_irtes(u->vtd))
		blocked(q, F_IR_INDEX);
	else if (u->arena->adversary)
		each_irte(u, q->index, use_irte, q);
	else
		through_cache(u, q);
}

static struct iommuabs_sim_interrupt
cleared(const struct iommuabs_sim_interrupt *irq)
{
	return (struct iommuabs_sim_interrupt){
		.sid = irq->sid,
		.addr = irq->addr,
		.data = irq->data,
	};
}

unsigned int iommuabs_sim_vtd_interrupt_outcomes(
	struct iommuabs_sim_unit *u, const struct iommuabs_sim_interrupt *irq,
	struct iommuabs_sim_interrupt *out, unsigned int max)
{
	const struct iommuabs_sim_interrupt in = cleared(irq);
	struct request q = { .irq = &in, .out = out, .max = max };

	sim_lock(u->arena);
	request(u, &q);
	sim_unlock(u->arena);
	return q.nr;
}

int iommuabs_sim_vtd_interrupt(struct iommuabs_sim_unit *u,
			       struct iommuabs_sim_interrupt *irq)
{
	const struct iommuabs_sim_interrupt in = cleared(irq);
	struct iommuabs_sim_interrupt out[8];
	struct request q = { .irq = &in, .out = out, .max = 8 };
	unsigned int nr;

	sim_lock(u->arena);
	request(u, &q);
	nr = q.nr < q.max ? q.nr : q.max;
	*irq = out[nr > 1 ? sim_random(u->arena) % nr : 0];
	/* 7.2: of an interrupt request, the index; of compatible ones none. */
	if (irq->blocked && irq->fault)
		vtd_record(u, irq->fault, irq->sid, (uint64_t)q.index << 48,
			   false);
	sim_unlock(u->arena);
	return !irq->blocked;
}
