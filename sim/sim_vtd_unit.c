/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_vtd_unit.c - a unit's configuration, reset and end, and planted faults
 */
#include "sim_vtd.h"
#include <stdlib.h>
#include <string.h>

void iommuabs_sim_vtd_defaults(struct iommuabs_sim_vtd_config *config)
{
	*config = (struct iommuabs_sim_vtd_config){
		.base = 0xfed90000,
		.version = 5,
		.nd = 6,
		.sagaw = 2 | 4,
		.mgaw = 48,
		.haw = 46,
		.sslps = 3,
		.psi = 1,
		.mamv = 18,
		.dwd = 1,
		.drd = 1,
		.nfr = 1,
		.coherent = 1,
		.qi = 1,
		.ir = 1,
		.eim = 1,
	};
}

void vtd_slow_begins(struct iommuabs_sim_unit *u, struct slow *s,
		     unsigned int polls)
{
	s->runs = true;
	s->polls = polls;
	s->hangs_until = sim_wait_begins(u);
}

bool vtd_slow_goes_on(struct iommuabs_sim_unit *u, struct slow *s)
{
	if (!s->runs || s->hangs_until > u->arena->time_us)
		return false;
	if (s->polls) {
		s->polls--;
		return false;
	}
	s->runs = false;
	return true;
}

bool vtd_is_scalable(const struct iommuabs_sim_unit *u)
{
	const struct vtd *vtd = u->vtd;

	/* Before SRTP, as it is going to be. */
	return RTADDR_TTM(vtd->has_root ? vtd->root : vtd->rtaddr) ==
	       TTM_SCALABLE;
}

static void identify(struct vtd *vtd)
{
	const struct iommuabs_sim_vtd_config *c = &vtd->config;

	vtd->cap = CAP_ND(c->nd) | (c->rwbf ? CAP_RWBF : 0) |
		   (c->plmr ? CAP_PLMR : 0) | (c->cm ? CAP_CM : 0) |
		   CAP_SAGAW(c->sagaw) | CAP_MGAW(c->mgaw) | CAP_FRO(R_FRCD) |
		   CAP_SSLPS(c->sslps) | (c->psi ? CAP_PSI : 0) |
		   CAP_NFR(c->nfr) | CAP_MAMV(c->mamv) |
		   (c->dwd ? CAP_DWD : 0) | (c->drd ? CAP_DRD : 0) |
		   (c->pi ? CAP_PI : 0);
	vtd->ecap = (c->coherent ? ECAP_C : 0) | (c->qi ? ECAP_QI : 0) |
		    (c->dt ? ECAP_DT : 0) | (c->dit ? ECAP_DIT : 0) |
		    (c->ir ? ECAP_IR : 0) | (c->eim ? ECAP_EIM : 0) |
		    (c->sc ? ECAP_SC : 0) | ECAP_IRO(R_IVA) | ECAP_MHMV(MHMV) |
		    (c->smts ? ECAP_SMTS | ECAP_SSTS : 0) |
		    (c->smpwc ? ECAP_SMPWCS : 0);
}

/* Power was lost, or was never there: all registers, nothing of the caches. */
static void reset(struct iommuabs_sim_unit *u)
{
	struct vtd *vtd = u->vtd;

	vtd_undoom(u);
	vtd->gsts = vtd->rtaddr = vtd->root = vtd->next_root = 0;
	vtd->bits = vtd->values = vtd->irta = vtd->irt = vtd->next_irt = 0;
	vtd->has_root = false;
	vtd->command.runs = vtd->ccmd_runs.runs = vtd->iotlb_runs.runs = false;
	vtd->pmen_runs.runs = vtd->wait.slow.runs = false;
	vtd->waits.nr = 0;
	vtd->ccmd = vtd->iva = vtd->iotlb = 0;
	vtd->fsts = vtd->fedata = vtd->feaddr = vtd->feuaddr = 0;
	vtd->fectl = FECTL_IM;
	vtd->iectl = IECTL_IM;
	memset(vtd->records, 0, sizeof(vtd->records));
	vtd->next_record = vtd->fri = 0;
	vtd->pmen = vtd->plmbase = vtd->plmlimit = 0;
	vtd->iqa = vtd->iqt = vtd->iqh = vtd->ics = vtd->iqercd = 0;
	u->atc.nr = u->unanswered.nr = 0;
	vtd->hanging = vtd->drains = false;
	vtd->contexts_clean = vtd->pasids_clean = vtd->tlbs_clean = false;
	vtd->contexts_dooming = vtd->pasids_dooming = false;
	vtd->tlbs_dooming = false;
	u->tlbs_empty = false;
}

static bool config_ok(const struct iommuabs_sim_vtd_config *c)
{
	if (c->base % R_SIZE || c->nd > 6 || !c->sagaw || c->sagaw & ~0xeu ||
	    c->mgaw < 30 || c->mgaw > 57 || c->haw < 32 || c->haw > 52 ||
	    (c->sslps & ~3u) || c->sslps == 2 || !c->nfr ||
	    c->nfr > MAX_RECORDS || c->mamv > 44 || !c->version ||
	    c->version > 15)
		return false;
	/* 11.4.3: what needs what. */
	return c->qi >= c->ir && c->ir >= c->eim && c->qi >= c->smts &&
	       c->smts >= c->smpwc && c->qi >= c->dt && c->dt >= c->dit;
}

static void make_lists(struct vtd *vtd)
{
	vtd->waits.size = sizeof(struct waiting);
	vtd->stale_roots.size = sizeof(struct stale_root);
	vtd->stale_contexts.size = sizeof(struct stale_pair);
	vtd->stale_pasids.size = sizeof(struct stale_pair);
	vtd->kept_contexts.size = sizeof(struct cached);
	vtd->stale_irtes.size = sizeof(struct stale_pair);
	vtd->cached_contexts.size = sizeof(struct cached);
	vtd->cached_pasids.size = sizeof(struct cached);
	vtd->cached_irtes.size = sizeof(struct cached);
	vtd->meant_irtes.size = sizeof(struct cached);
}

int iommuabs_sim_vtd_create(struct iommuabs_sim_arena *a,
			    const struct iommuabs_sim_vtd_config *config,
			    struct iommuabs_sim_unit **unit)
{
	struct iommuabs_sim_unit *u;
	struct vtd *vtd;

	if (!config_ok(config) ||
	    !config->coherent != !!a->config.noncoherent ||
	    sim_inside(a, config->base, 1) || sim_unit_at(a, config->base))
		return IOMMUABS_SIM_E_INVAL;
	vtd = calloc(1, sizeof(*vtd));
	if (!vtd)
		return IOMMUABS_SIM_E_NOMEM;
	u = sim_unit_new(a, &vtd_ops, config->base, R_SIZE);
	if (!u) {
		free(vtd);
		return IOMMUABS_SIM_E_NOMEM;
	}
	u->vtd = vtd;
	vtd->config = *config;
	u->fetch_128 = config->fetch_128;
	u->caches_absent = config->cm;
	a->write_buffer |= config->rwbf;
	make_lists(vtd);
	identify(vtd);
	reset(u);
	*unit = u;
	return 0;
}

static void free_vtd(struct iommuabs_sim_unit *u)
{
	struct vtd *vtd = u->vtd;

	while (vtd->streams) {
		struct stream *s = vtd->streams;

		vtd->streams = s->next;
		free(s);
	}
	vec_free(&vtd->waits);
	vec_free(&vtd->stale_roots);
	vec_free(&vtd->stale_contexts);
	vec_free(&vtd->stale_pasids);
	vec_free(&vtd->kept_contexts);
	vec_free(&vtd->stale_irtes);
	vec_free(&vtd->cached_contexts);
	vec_free(&vtd->cached_pasids);
	vec_free(&vtd->cached_irtes);
	vec_free(&vtd->meant_irtes);
	free(vtd);
}

/* ---- planted faults ---- */

static void plant(struct iommuabs_sim_unit *u, enum iommuabs_sim_fault fault,
		  uint64_t n, uint64_t us)
{
	struct vtd *vtd = u->vtd;

	switch (fault) {
	case IOMMUABS_SIM_CMDQ_HANG:
		vtd->hang_in = n + 1;
		vtd->hang_until = sim_until(u, 1, us);
		return;
	case IOMMUABS_SIM_SYNC_HANG:
		vtd->sync_hang_in = n;
		vtd->sync_hang_us = us;
		return;
	case IOMMUABS_SIM_SYNC_DELAY:
		vtd->sync_delay = n;
		return;
	case IOMMUABS_SIM_CMD_ILLEGAL:
	case IOMMUABS_SIM_CMD_ABORT:
		vtd->illegal_in = n;
		return;
	case IOMMUABS_SIM_CR0_IGNORED:
		vtd->ignored_until = sim_until(u, n, us);
		return;
	case IOMMUABS_SIM_STRAY_ANSWER:
		vtd_queue_error(u, FSTS_ICE);
		return;
	default:
		return;
	}
}

static void heal(struct iommuabs_sim_unit *u)
{
	struct vtd *vtd = u->vtd;
	uint32_t i;

	vtd->hang_in = vtd->hang_until = 0;
	vtd->hanging = false;
	vtd->sync_hang_in = vtd->sync_hang_us = vtd->sync_delay = 0;
	vtd->illegal_in = vtd->ignored_until = 0;
	vtd->command.hangs_until = vtd->ccmd_runs.hangs_until = 0;
	vtd->iotlb_runs.hangs_until = vtd->pmen_runs.hangs_until = 0;
	vtd->wait.slow.hangs_until = 0;
	for (i = 0; i < vtd->waits.nr; i++)
		((struct waiting *)vec_at(&vtd->waits, i))->slow.hangs_until =
			0;
}

/* ---- what the arena and devices ask ---- */

void vtd_restart(struct iommuabs_sim_unit *u)
{
	struct stream *s;

	if (!u->arena->adversary)
		return;
	sim_forget_roles(u);
	sim_relink_caches(u);
	for (s = u->vtd->streams; s; s = s->next)
		s->nr_regimes = 0;
	vtd_reach(u, u->vtd->root);
}

static void page_freed(struct iommuabs_sim_unit *u, uint64_t maddr)
{
	const struct vtd *vtd = u->vtd;
	uint64_t bytes = PAGE_SIZE << IQA_QS(vtd->iqa);

	if (vtd->gsts & G_QIE && maddr - (vtd->iqa & IQA_BASE) < bytes)
		sim_violation(u->arena, IOMMUABS_SIM_V_FREED,
			      "the invalidation queue is freed while it is "
			      "enabled");
	if (vtd->gsts & G_IRE &&
	    maddr - (vtd->irt & IRTA_TABLE) < (uint64_t)32 << IRTA_S(vtd->irt))
		sim_violation(u->arena, IOMMUABS_SIM_V_FREED,
			      "the interrupt remapping table is freed while it "
			      "is in use");
	if (vtd_uses_page(u, maddr))
		sim_freed(u, maddr, "a table of roots, contexts or PASIDs");
	sim_atc_freed(u, maddr);
}

/* No descriptor changes its meaning by the way in which it changes (6.2). */
static void check_store(const struct role *role, uint64_t ipa, uint64_t old,
			uint64_t v)
{
	(void)role;
	(void)ipa;
	(void)old;
	(void)v;
}

/* Only that none may be asked for is a fault, the others are answers (4.1). */
static unsigned int ats_refused(struct iommuabs_sim_unit *u,
				const struct iommuabs_sim_dma *at,
				const struct outcome *o)
{
	if (o->event != F_TT_BLOCKS && o->event != FS_NO_DTE)
		return 0;
	vtd_record(u, o->event, at->sid, at->addr, true);
	return o->event;
}

static int blocked(struct iommuabs_sim_unit *u, struct iommuabs_sim_dma *dma,
		   const struct outcome *o, const struct iommuabs_sim_dma *at)
{
	u->counters.dma_blocked++;
	dma->event = o->event;
	if (o->event)
		vtd_record(u, o->event, at->sid, ALIGN_DOWN(at->addr, PAGE_LG2),
			   !(at->flags & IOMMUABS_SIM_DMA_WRITE));
	return 0;
}

const struct unit_ops vtd_ops = {
	.read = vtd_read,
	.write = vtd_write,
	.reset = reset,
	.heal = heal,
	.plant = plant,
	.free = free_vtd,
	.may_be_enabled = vtd_may_be_enabled,
	.outcomes = vtd_outcomes,
	.blocked = blocked,
	.check_store = check_store,
	.leaf_left = vtd_atc_leaf,
	.ats_refused = ats_refused,
	.page_freed = page_freed,
};
