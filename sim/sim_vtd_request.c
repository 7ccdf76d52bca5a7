/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_vtd_request.c - from a requester to a translation (VT-d 3.4, 3.13, 3.15)
 */
#include "sim_vtd.h"
#include <string.h>

struct request {
	struct iommuabs_sim_unit *u;
	uint32_t sid, flags;
	uint64_t iova;
	bool silent; /* FPD of an entry on the way */
	struct outcomes *out;
};

static void blocked(const struct request *q, unsigned int event)
{
	sim_add_outcome(q->out,
			&(struct outcome){ .maddr = IOMMUABS_SIM_BLOCKED,
					   .event = q->silent ? 0 : event,
					   .ipa = q->iova });
}

static void pass(const struct request *q)
{
	sim_add_outcome(q->out, &(struct outcome){ .maddr = q->iova });
}

static unsigned int reason(const struct request *q, unsigned int legacy,
			   unsigned int scalable)
{
	return vtd_is_scalable(q->u) ? scalable : legacy;
}

static void walk_table(const struct request *q, struct regime *r,
		       uint32_t epoch)
{
	struct walk w = {
		.u = q->u,
		.r = r,
		.in = q->iova,
		.write = q->flags & IOMMUABS_SIM_DMA_WRITE,
		.record = !q->silent,
		.fill = !q->u->arena->adversary,
		.out = q->out,
	};

	if (q->iova >> r->ia_bits || q->iova >> q->u->vtd->config.mgaw)
		blocked(q, reason(q, F_BEYOND_AW, FS_BEYOND));
	else
		sim_translate(&w, epoch);
}

static void use_pasid(struct iommuabs_sim_unit *u, const struct entry *e,
		      void *arg)
{
	struct request q = *(struct request *)arg;
	unsigned int fault = e->event;
	const char *why = "";

	q.silent |= !e->event && e->w[0] & ENTRY_FPD;
	if (!fault && !(e->w[0] & ENTRY_P))
		fault = FS_PASID_ABSENT;
	if (!fault)
		fault = vtd_pasid_wrong(u, e->w, &why);
	if (fault)
		blocked(&q, fault);
	else
		walk_table(&q,
			   vtd_regime(u, PASID1_DID(e->w[1]),
				      e->w[0] & ENTRY_ADDR, PASID0_AW(e->w[0])),
			   e->epoch);
}

static void copy_entry(struct iommuabs_sim_unit *u, const struct entry *e,
		       void *arg)
{
	(void)u;
	*(struct entry *)arg = *e;
}

/* What was fetched is kept, if it was there. */
static void into_cache(struct vec *list, uint32_t sid, const struct entry *e)
{
	struct cached *c;

	if (e->event || !(e->w[0] & ENTRY_P))
		return;
	c = vec_add(list);
	c->sid = sid;
	memcpy(c->w, e->w, sizeof(c->w));
}

static bool from_cache(const struct vec *list, uint32_t sid, struct entry *e)
{
	const struct cached *c = sim_cached(list, sid, 0);

	*e = (struct entry){ .event = 0 };
	if (c)
		memcpy(e->w, c->w, sizeof(e->w));
	return c;
}

static void with_pasid(struct request *q, const struct entry *context)
{
	struct iommuabs_sim_unit *u = q->u;
	struct entry e;

	if (u->arena->adversary) {
		vtd_each_pasid(u, context, use_pasid, q);
		return;
	}
	if (!from_cache(&u->vtd->cached_pasids, q->sid, &e)) {
		vtd_each_pasid(u, context, copy_entry, &e);
		into_cache(&u->vtd->cached_pasids, q->sid, &e);
	}
	use_pasid(u, &e, q);
}

/* 4.1: a request for a translation, or one that was translated. */
static bool is_ats(const struct request *q)
{
	return q->flags & (IOMMUABS_SIM_DMA_TRANSLATED | DMA_ATS_REQUEST);
}

static void scalable(struct request *q, const struct entry *e)
{
	/* The requests of this model that carry a PASID are refused. */
	if (q->flags & IOMMUABS_SIM_DMA_SSID)
		blocked(q, FS_NO_PASID);
	else if (is_ats(q) && !(e->w[0] & SCTX0_DTE))
		blocked(q, FS_NO_DTE);
	else if (q->flags & IOMMUABS_SIM_DMA_TRANSLATED)
		pass(q);
	else
		with_pasid(q, e);
}

static void legacy(struct request *q, const struct entry *e)
{
	if (q->flags & IOMMUABS_SIM_DMA_SSID)
		blocked(q, F_PASID_IN_LEGACY);
	else if (is_ats(q) && CTX0_TT(e->w[0]) != TT_ATS)
		blocked(q, F_TT_BLOCKS);
	else if (q->flags & IOMMUABS_SIM_DMA_TRANSLATED ||
		 CTX0_TT(e->w[0]) == TT_PASS)
		pass(q);
	else
		walk_table(q,
			   vtd_regime(q->u, CTX1_DID(e->w[1]),
				      e->w[0] & ENTRY_ADDR, CTX1_AW(e->w[1])),
			   e->epoch);
}

static void use_context(struct iommuabs_sim_unit *u, const struct entry *e,
			void *arg)
{
	struct request q = *(struct request *)arg;
	unsigned int fault = e->event;
	const char *why = "";

	q.silent = !e->event && e->w[0] & ENTRY_FPD;
	if (!fault && !(e->w[0] & ENTRY_P))
		fault = reason(&q, F_CONTEXT_ABSENT, FS_CONTEXT_ABSENT);
	if (!fault)
		fault = vtd_context_wrong(u, e->w, &why);
	if (fault)
		blocked(&q, fault);
	else if (vtd_is_scalable(u))
		scalable(&q, e);
	else
		legacy(&q, e);
}

static void through_cache(struct request *q)
{
	struct iommuabs_sim_unit *u = q->u;
	struct entry e;

	if (!from_cache(&u->vtd->cached_contexts, q->sid, &e)) {
		vtd_each_context(u, q->sid, copy_entry, &e);
		into_cache(&u->vtd->cached_contexts, q->sid, &e);
	}
	use_context(u, &e, q);
}

static void through_entries(struct request *q)
{
	if (!vtd_may_be_enabled(q->u))
		return;
	if (q->u->arena->adversary)
		vtd_each_context(q->u, q->sid, use_context, q);
	else
		through_cache(q);
}

/* What the device keeps goes out as translated; ADVERSARY: perhaps. */
static bool from_atc(const struct request *q)
{
	bool write = q->flags & IOMMUABS_SIM_DMA_WRITE, found = false;
	struct request at = *q;
	uint32_t i;

	at.flags |= IOMMUABS_SIM_DMA_TRANSLATED;
	for (i = 0; i < q->u->atc.nr; i++) {
		if (!sim_atc_hit(q->u, i, q->sid, q->iova, write, &at.iova))
			continue;
		if (!(q->u->vtd->gsts & G_TE))
			blocked(&at, 0);
		through_entries(&at);
		found = true;
		if (!q->u->arena->adversary)
			break;
	}
	return found && !q->u->arena->adversary;
}

/* 11.4.8: what firmware protects while nothing is translated. */
static void untranslated(const struct request *q)
{
	const struct vtd *vtd = q->u->vtd;
	uint64_t limit = vtd->plmlimit | (PAGE_SIZE - 1);

	if (vtd->config.plmr && vtd->pmen & PMEN_PRS &&
	    q->iova >= vtd->plmbase && q->iova <= limit)
		blocked(q, 0);
	else
		pass(q);
}

void vtd_outcomes(struct iommuabs_sim_unit *u, uint32_t sid, uint32_t ssid,
		  uint64_t iova, uint32_t flags, struct outcomes *out)
{
	struct request q = { u, sid & 0xffff, flags, iova, false, out };
	bool on = u->vtd->gsts & G_TE;

	(void)ssid;
	out->nr = 0;
	/* 3.15: no memory; and no entry of a table counts. */
	if (iova >> INTERRUPTS_LG2 == INTERRUPTS_AT >> INTERRUPTS_LG2) {
		blocked(&q, 0);
		return;
	}
	if (flags & IOMMUABS_SIM_DMA_ATC && from_atc(&q))
		return;
	/* Nobody asks, and nobody was told, as long as nothing is translated. */
	if (!on && is_ats(&q))
		blocked(&q, 0);
	else if (!on)
		untranslated(&q);
	through_entries(&q);
}
