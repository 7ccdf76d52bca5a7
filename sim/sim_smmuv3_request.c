/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_smmuv3_request.c - from StreamID and SubstreamID to a translation
 * (IHI 0070 3.3, 3.4, 5.2, 5.4)
 */
#include "sim_smmuv3.h"
#include <string.h>

struct request {
	struct iommuabs_sim_unit *u;
	uint32_t sid, ssid, flags;
	uint64_t iova;
	const struct entry *ste;
	struct outcomes *out;
};

static void blocked(const struct request *q, unsigned int event)
{
	sim_add_outcome(q->out,
			&(struct outcome){ .maddr = IOMMUABS_SIM_BLOCKED,
					   .event = event,
					   .class = OUTCOME_CLASS_IN });
}

static void fetch_failed(const struct request *q, const struct entry *e)
{
	sim_add_outcome(q->out,
			&(struct outcome){ .maddr = IOMMUABS_SIM_BLOCKED,
					   .event = e->event,
					   .ipa = e->fetch });
}

static void bypass(const struct request *q)
{
	/* 3.4: beyond OAS it is a stage 1 fault, even without a stage 1. */
	if (q->iova >> q->u->smmu->config.oas)
		blocked(q, F_ADDR_SIZE);
	else
		sim_add_outcome(q->out, &(struct outcome){ .maddr = q->iova });
}

/* 5.2: PRIVCFG */
static bool privileged(const struct request *q)
{
	unsigned int cfg = STE1_PRIVCFG(q->ste->w[1]);

	return cfg < 2 ? q->flags & IOMMUABS_SIM_DMA_PRIVILEGED : cfg == 3;
}

static struct walk walk_of(const struct request *q, struct regime *r)
{
	return (struct walk){
		.u = q->u,
		.r = r,
		.in = q->iova,
		.write = q->flags & IOMMUABS_SIM_DMA_WRITE,
		.privileged = privileged(q),
		.fill = !q->u->arena->adversary,
		.out = q->out,
	};
}

static void stage2(const struct request *q)
{
	const uint64_t *ste = q->ste->w;
	struct walk w;

	if (q->iova >> q->u->smmu->config.oas) {
		blocked(q, F_ADDR_SIZE);
		return;
	}
	w = walk_of(q, smmuv3_regime_s2(q->u, ste));
	w.record = ste[2] & STE2_R;
	w.stalls = ste[2] & STE2_S;
	sim_translate(&w, q->ste->epoch);
}

/* ---- stage 1 ---- */

/* 3.4.1: TBI takes the top byte for a copy of bit 55. */
static uint64_t va(const struct regime *r, uint64_t iova)
{
	if (!r->tbi)
		return iova;
	return iova & BIT64(55) ? iova | MASK64(63, 56) : iova & MASK64(55, 0);
}

static void use_cd(struct iommuabs_sim_unit *u, const struct entry *cd,
		   void *arg)
{
	const struct request *q = arg;
	struct walk w;

	if (cd->event) {
		fetch_failed(q, cd);
		return;
	}
	if (!(cd->w[0] & CD0_V) || smmuv3_cd_illegal(u, q->ste->w, cd->w)) {
		blocked(q, C_BAD_CD);
		return;
	}
	w = walk_of(q, smmuv3_regime_s1(u, q->ste->w, cd->w));
	w.in = va(w.r, q->iova);
	w.record = cd->w[0] & CD0_R;
	w.stalls = cd->w[0] & CD0_S;
	sim_translate(&w, cd->epoch);
}

static void copy_entry(struct iommuabs_sim_unit *u, const struct entry *e,
		       void *arg)
{
	(void)u;
	*(struct entry *)arg = *e;
}

/* 5.2.1: an entry in any state may be cached, a failed fetch is not. */
static bool from_cache(const struct vec *list, uint32_t sid, uint32_t ssid,
		       struct entry *e)
{
	const struct cached *c = sim_cached(list, sid, ssid);

	*e = (struct entry){ .event = 0 };
	if (c)
		memcpy(e->w, c->w, sizeof(e->w));
	return c;
}

static void into_cache(struct vec *list, uint32_t sid, uint32_t ssid,
		       const struct entry *e)
{
	struct cached *c;

	if (e->event)
		return;
	c = vec_add(list);
	c->sid = sid;
	c->ssid = ssid;
	memcpy(c->w, e->w, sizeof(c->w));
}

static void with_cd(struct request *q, uint32_t ssid)
{
	struct iommuabs_sim_unit *u = q->u;
	struct entry cd;

	if (u->arena->adversary) {
		smmuv3_each_cd(u, q->sid, ssid, q->ste, use_cd, q);
		return;
	}
	if (!from_cache(&u->smmu->cached_cds, q->sid, ssid, &cd)) {
		smmuv3_each_cd(u, q->sid, ssid, q->ste, copy_entry, &cd);
		into_cache(&u->smmu->cached_cds, q->sid, ssid, &cd);
	}
	use_cd(u, &cd, q);
}

/* 5.2: S1CDMax, S1DSS */
static void stage1(struct request *q)
{
	unsigned int lg2 = smmuv3_cds_lg2(q->u, q->ste->w);
	unsigned int dss = STE1_S1DSS(q->ste->w[1]);
	bool ssv = q->flags & IOMMUABS_SIM_DMA_SSID;

	if (ssv && (!lg2 || q->ssid >> lg2))
		blocked(q, C_BAD_SUBSTREAMID);
	else if (lg2 && (ssv ? !q->ssid && dss == 2 : !dss || dss == 3))
		blocked(q, F_STREAM_DISABLED);
	else if (lg2 && !ssv && dss == 1)
		bypass(q);
	else if (lg2 && STE0_S1FMT(q->ste->w[0]) % 3)
		blocked(q, C_BAD_CD);
	else
		with_cd(q, ssv ? q->ssid : 0);
}

/* 5.2: EATS; the values for split stages and DPT are not there. */
static bool may_use_ats(const struct request *q, const struct entry *ste)
{
	return STE0_CONFIG(ste->w[0]) != STE_CONFIG_BYPASS &&
	       STE1_EATS(ste->w[1]) == 1 && q->u->smmu->config.ats;
}

static void use_ste(struct iommuabs_sim_unit *u, const struct entry *ste,
		    void *arg)
{
	struct request *q = arg;

	q->ste = ste;
	if (ste->event == F_STE_FETCH)
		fetch_failed(q, ste);
	else if (ste->event == C_BAD_STREAMID)
		/* 6.3.12: recorded by request. */
		blocked(q, u->smmu->cr2 & CR2_RECINVSID ? C_BAD_STREAMID : 0);
	else if (!(ste->w[0] & STE0_V) || smmuv3_ste_illegal(u, ste->w))
		blocked(q, C_BAD_STE);
	else if (!(STE0_CONFIG(ste->w[0]) & STE_CONFIG_BYPASS))
		blocked(q, 0);
	else if (q->flags & DMA_ATS_REQUEST && !may_use_ats(q, ste))
		blocked(q, F_BAD_ATS_TREQ);
	else if (smmuv3_ste_is_s1(ste->w) && smmuv3_ste_is_s2(ste->w))
		blocked(q, C_BAD_CD);
	else if (smmuv3_ste_is_s1(ste->w))
		stage1(q);
	else if (q->flags & IOMMUABS_SIM_DMA_SSID)
		blocked(q, C_BAD_SUBSTREAMID);
	else if (smmuv3_ste_is_s2(ste->w))
		stage2(q);
	else
		bypass(q);
}

/* 3.9.1.3, with ATSCHK; what is wrong with the STE itself is not recorded. */
static void check_translated(struct iommuabs_sim_unit *u,
			     const struct entry *ste, void *arg)
{
	struct request *q = arg;

	if (ste->event || !(ste->w[0] & STE0_V) ||
	    smmuv3_ste_illegal(u, ste->w) ||
	    !(STE0_CONFIG(ste->w[0]) & STE_CONFIG_BYPASS))
		blocked(q, 0);
	else if (!may_use_ats(q, ste))
		blocked(q, F_TRANSL_FORBIDDEN);
	else if (q->iova >> u->smmu->config.oas)
		blocked(q, 0);
	else
		sim_add_outcome(q->out, &(struct outcome){ .maddr = q->iova });
}

/* ---- requests ---- */

/* 6.3.9.6: SMMUEN == 0 */
static void disabled(const struct request *q, uint64_t gbpa)
{
	if (gbpa & GBPA_ABORT || q->iova >> q->u->smmu->config.oas)
		blocked(q, 0);
	else
		sim_add_outcome(q->out, &(struct outcome){ .maddr = q->iova });
}

static void use_cached_ste(struct request *q, entry_fn fn)
{
	struct iommuabs_sim_unit *u = q->u;
	struct entry ste;

	if (!from_cache(&u->smmu->cached_stes, q->sid, 0, &ste)) {
		smmuv3_each_ste(u, q->sid, copy_entry, &ste);
		into_cache(&u->smmu->cached_stes, q->sid, 0, &ste);
	}
	fn(u, &ste, q);
}

static void each_ste(struct request *q, entry_fn fn)
{
	if (q->u->arena->adversary)
		smmuv3_each_ste(q->u, q->sid, fn, q);
	else
		use_cached_ste(q, fn);
}

static void translated(struct request *q)
{
	struct iommuabs_sim_unit *u = q->u;

	if (!u->smmu->config.ats ||
	    !((u->smmu->cr0.value & u->smmu->cr0.ack) & CR0_SMMUEN))
		blocked(q, F_TRANSL_FORBIDDEN);
	if (!u->smmu->config.ats || !smmuv3_may_be_enabled(u))
		return;
	if (!((u->smmu->cr0.value & u->smmu->cr0.ack) & CR0_ATSCHK))
		sim_add_outcome(q->out, &(struct outcome){ .maddr = q->iova });
	if ((u->smmu->cr0.value | u->smmu->cr0.ack) & CR0_ATSCHK)
		each_ste(q, check_translated);
}

/* What the device keeps goes out as translated; ADVERSARY: perhaps. */
static bool from_atc(const struct request *q)
{
	bool write = q->flags & IOMMUABS_SIM_DMA_WRITE, found = false;
	struct request at = *q;
	uint32_t i;

	for (i = 0; i < q->u->atc.nr; i++) {
		if (!sim_atc_hit(q->u, i, q->sid, q->iova, write, &at.iova))
			continue;
		translated(&at);
		found = true;
		if (!q->u->arena->adversary)
			break;
	}
	return found && !q->u->arena->adversary;
}

/* All that may happen to one request now. */
void smmuv3_outcomes(struct iommuabs_sim_unit *u, uint32_t sid, uint32_t ssid,
		     uint64_t iova, uint32_t flags, struct outcomes *out)
{
	struct request q = { u, sid, ssid, flags, iova, NULL, out };
	bool on = (u->smmu->cr0.value & u->smmu->cr0.ack) & CR0_SMMUEN;

	out->nr = 0;
	if (smmuv3_failed(u)) {
		blocked(&q, 0);
		return;
	}
	if (flags & IOMMUABS_SIM_DMA_TRANSLATED) {
		translated(&q);
		return;
	}
	if (flags & IOMMUABS_SIM_DMA_ATC && from_atc(&q))
		return;
	if (!on && flags & DMA_ATS_REQUEST) {
		blocked(&q, F_BAD_ATS_TREQ);
	} else if (!on) {
		disabled(&q, u->smmu->gbpa.ack);
		if (u->smmu->gbpa.value & GBPA_UPDATE)
			disabled(&q, u->smmu->gbpa.value);
	}
	if (!smmuv3_may_be_enabled(u))
		return;
	each_ste(&q, use_ste);
}
