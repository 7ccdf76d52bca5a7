/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_smmuv3_unit.c - a unit's configuration, reset and end, and planted faults
 */
#include "sim_smmuv3.h"
#include <stdlib.h>
#include <string.h>

void iommuabs_sim_smmuv3_defaults(struct iommuabs_sim_smmuv3_config *config)
{
	*config = (struct iommuabs_sim_smmuv3_config){
		.base = 0x09050000,
		.s1p = 1,
		.s2p = 1,
		.st_level = 1,
		.sidsize = 16,
		.vmid16 = 1,
		.cohacc = 1,
		.ril = 1,
		.bbml = 2,
		.oas = 44,
		.granules = IOMMUABS_SIM_GRAN4K | IOMMUABS_SIM_GRAN16K |
			    IOMMUABS_SIM_GRAN64K,
		.cmdqs = 19,
		.eventqs = 19,
		.arch_minor = 2,
		.asid16 = 1,
		.vax = 48,
		.stall_model = 1,
	};
}

static int oas_field(unsigned int bits)
{
	static const unsigned int sizes[] = { 32, 36, 40, 42, 44, 48, 52 };
	unsigned int i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		if (sizes[i] == bits)
			return (int)i;
	}
	return -1;
}

static void reset(struct iommuabs_sim_unit *u)
{
	const struct iommuabs_sim_smmuv3_config *c = &u->smmu->config;

	u->smmu->idr0 =
		(c->s2p ? IDR0_S2P : 0) | (c->s1p ? IDR0_S1P : 0) |
		IDR0_TTF_AA64 | (c->cohacc ? IDR0_COHACC : 0) |
		(c->btm ? IDR0_BTM : 0) | (c->hyp ? IDR0_HYP : 0) |
		(c->ats ? IDR0_ATS : 0) | (c->asid16 ? IDR0_ASID16 : 0) |
		(c->msi ? IDR0_MSI : 0) | (c->sev ? IDR0_SEV : 0) |
		(c->pri ? IDR0_PRI : 0) | (c->vmid16 ? IDR0_VMID16 : 0) |
		(c->cd2l ? IDR0_CD2L : 0) | IDR0_TTENDIAN_LE |
		IDR0_STALL(c->stall_model) | IDR0_TERM_MODEL |
		(c->st_level ? IDR0_ST_2LEVEL : 0);
	u->smmu->idr1 = IDR1_SIDSIZE(c->sidsize) | IDR1_SSIDSIZE(c->ssidsize) |
			IDR1_PRIQS(c->priqs) | IDR1_EVENTQS(c->eventqs) |
			IDR1_CMDQS(c->cmdqs) | IDR1_ATTR_TYPES_OVR |
			IDR1_ATTR_PERMS_OVR;
	u->smmu->idr3 = (c->s1p ? IDR3_HAD : 0) | (c->s2p ? IDR3_XNX : 0) |
			(c->fwb ? IDR3_FWB : 0) | (c->stt ? IDR3_STT : 0) |
			(c->ril ? IDR3_RIL : 0) | IDR3_BBML(c->bbml);
	u->smmu->idr5 =
		(uint64_t)oas_field(c->oas) |
		(c->granules & IOMMUABS_SIM_GRAN4K ? IDR5_GRAN4K : 0) |
		(c->granules & IOMMUABS_SIM_GRAN16K ? IDR5_GRAN16K : 0) |
		(c->granules & IOMMUABS_SIM_GRAN64K ? IDR5_GRAN64K : 0) |
		(c->ds ? IDR5_DS : 0) | (c->vax == 52 ? IDR5_VAX52 : 0) |
		IDR5_STALL_MAX(c->stall_max);
	memset(&u->smmu->cr0, 0, sizeof(u->smmu->cr0));
	memset(&u->smmu->irq_ctrl, 0, sizeof(u->smmu->irq_ctrl));
	memset(&u->smmu->gbpa, 0, sizeof(u->smmu->gbpa));
	u->smmu->cr1 = u->smmu->cr2 = u->smmu->gerror = u->smmu->gerrorn = 0;
	memset(u->smmu->irq_cfg0, 0, sizeof(u->smmu->irq_cfg0));
	memset(u->smmu->irq_cfg1, 0, sizeof(u->smmu->irq_cfg1));
	memset(u->smmu->irq_cfg2, 0, sizeof(u->smmu->irq_cfg2));
	u->smmu->strtab_base = u->smmu->strtab_cfg = 0;
	u->smmu->cmdq_base = u->smmu->cmdq_prod = u->smmu->cmdq_cons = 0;
	u->smmu->eventq_base = u->smmu->eventq_prod = u->smmu->eventq_cons = 0;
	u->smmu->priq_base = u->smmu->priq_prod = u->smmu->priq_cons = 0;
	u->smmu->failed_until = 0;
	u->smmu->sync_started = false;
	u->smmu->configs_clean = u->smmu->tlbs_clean = false;
	u->smmu->configs_dooming = u->smmu->tlbs_dooming =
		u->smmu->el2_dooming = false;
	u->smmu->el2_clean = false;
	u->smmu->configs_empty = u->tlbs_empty = false;
	u->smmu->hanging = false;
	/* SHCFG = use incoming, and bypass unless told otherwise. */
	u->smmu->gbpa.value = u->smmu->gbpa.ack =
		0x1000 | (c->gbpa_abort ? GBPA_ABORT : 0);
}

/* 6.3.6: what goes with what. */
static bool sizes_ok(const struct iommuabs_sim_smmuv3_config *c)
{
	bool wide = c->granules & IOMMUABS_SIM_GRAN64K || c->ds;

	if (oas_field(c->oas) < 0 || (c->oas == 52 && !wide))
		return false;
	if (c->vax != 48 && (c->vax != 52 || !wide))
		return false;
	return !c->ds || (c->vax == 52 && c->granules & (IOMMUABS_SIM_GRAN4K |
							 IOMMUABS_SIM_GRAN16K));
}

static bool config_ok(const struct iommuabs_sim_smmuv3_config *c)
{
	if (c->base % 0x10000 || c->sidsize > 32 || c->ssidsize > 20 ||
	    c->bbml > 2 || c->cmdqs > 19 || c->eventqs > 19 || c->priqs > 19 ||
	    !c->granules || c->st_level > 1 ||
	    (c->sidsize >= 7 && !c->st_level))
		return false;
	if (c->stall_model > 2 || c->stall_max > UINT16_MAX ||
	    !c->stall_max != (c->stall_model == 1) || c->pri > c->ats ||
	    c->quirks & ~IOMMUABS_SIM_QUIRKS)
		return false;
	return sizes_ok(c);
}

int iommuabs_sim_smmuv3_create(struct iommuabs_sim_arena *a,
			       const struct iommuabs_sim_smmuv3_config *config,
			       struct iommuabs_sim_unit **unit)
{
	struct iommuabs_sim_unit *u;
	struct smmuv3 *smmu;

	if (!config_ok(config) || !config->cohacc != !!a->config.noncoherent ||
	    sim_inside(a, config->base, 1) || sim_unit_at(a, config->base))
		return IOMMUABS_SIM_E_INVAL;
	smmu = calloc(1, sizeof(*smmu));
	if (!smmu)
		return IOMMUABS_SIM_E_NOMEM;
	u = sim_unit_new(a, &smmuv3_ops, config->base,
			 config->quirks & IOMMUABS_SIM_QUIRK_PAGE0 ? R_PAGE1
								   : R_SIZE);
	if (!u) {
		free(smmu);
		return IOMMUABS_SIM_E_NOMEM;
	}
	u->smmu = smmu;
	u->smmu->config = *config;
	u->fetch_128 = config->fetch_128;
	u->twins = config->bbml == 2;
	u->smmu->stale_stes.size = sizeof(struct stale_pair);
	u->smmu->stale_cds.size = sizeof(struct stale_pair);
	u->smmu->stale_l1s.size = sizeof(struct stale_l1);
	u->smmu->cached_stes.size = sizeof(struct cached);
	u->smmu->cached_cds.size = sizeof(struct cached);
	u->smmu->meant_cds.size = sizeof(struct cached);
	u->smmu->stalled.size = sizeof(struct stalled);
	reset(u);
	*unit = u;
	return 0;
}

static void plant_in_queues(struct iommuabs_sim_unit *u,
			    enum iommuabs_sim_fault fault, uint64_t n,
			    uint64_t us)
{
	switch (fault) {
	case IOMMUABS_SIM_CMDQ_HANG:
		u->smmu->hang_in = n + 1;
		u->smmu->hang_until = sim_until(u, 1, us);
		return;
	case IOMMUABS_SIM_SYNC_HANG:
		u->smmu->sync_hang_in = n;
		u->smmu->sync_hang_us = us;
		return;
	case IOMMUABS_SIM_SYNC_DELAY:
		u->smmu->sync_delay = n;
		return;
	case IOMMUABS_SIM_CMD_ILLEGAL:
		u->smmu->illegal_in = n;
		return;
	case IOMMUABS_SIM_CMD_ABORT:
		u->smmu->abort_in = n;
		return;
	case IOMMUABS_SIM_EVENT_ABORT:
		u->smmu->event_abort = n;
		return;
	case IOMMUABS_SIM_PRI_ABORT:
		u->smmu->pri_abort = n;
		return;
	case IOMMUABS_SIM_MSI_ABORT:
		u->smmu->msi_abort = n;
		return;
	default:
		u->smmu->conflicts = n;
	}
}

static void plant(struct iommuabs_sim_unit *u, enum iommuabs_sim_fault fault,
		  uint64_t n, uint64_t us)
{
	switch (fault) {
	case IOMMUABS_SIM_CR0_IGNORED:
		u->smmu->cr0_ignored_until = sim_until(u, n, us);
		return;
	case IOMMUABS_SIM_GBPA_STUCK:
		u->smmu->gbpa_stuck_until = sim_until(u, n, us);
		return;
	case IOMMUABS_SIM_SERVICE_FAILURE:
		u->smmu->failed_until = sim_until(u, n, us);
		if (n)
			smmuv3_gerror(u, GERROR_SFM);
		sim_look(u);
		return;
	default:
		plant_in_queues(u, fault, n, us);
	}
}

static void heal(struct iommuabs_sim_unit *u)
{
	struct smmuv3 *smmu = u->smmu;

	smmu->hang_in = smmu->hang_until = 0;
	smmu->hanging = false;
	smmu->sync_hang_in = smmu->sync_hang_us = smmu->sync_delay = 0;
	smmu->sync_hangs_until = 0;
	smmu->illegal_in = smmu->abort_in = smmu->event_abort = 0;
	smmu->pri_abort = smmu->msi_abort = smmu->conflicts = 0;
	smmu->failed_until = 0;
	smmu->cr0_ignored_until = smmu->gbpa_stuck_until = 0;
	smmu->cr0.hangs_until = smmu->gbpa.hangs_until = 0;
	smmu->irq_ctrl.hangs_until = 0;
}

static void power_lost(struct iommuabs_sim_unit *u)
{
	smmuv3_terminate(u, 0, true);
	smmuv3_undoom(u);
	u->atc.nr = u->unanswered.nr = 0;
	reset(u);
}

static void free_smmu(struct iommuabs_sim_unit *u)
{
	struct smmuv3 *smmu = u->smmu;

	while (smmu->streams) {
		struct stream *s = smmu->streams;

		smmu->streams = s->next;
		free(s);
	}
	vec_free(&smmu->stale_stes);
	vec_free(&smmu->stale_l1s);
	vec_free(&smmu->cached_stes);
	vec_free(&smmu->stale_cds);
	vec_free(&smmu->cached_cds);
	vec_free(&smmu->meant_cds);
	vec_free(&smmu->stalled);
	free(smmu);
}

/* ---- what the arena and devices ask ---- */

void smmuv3_restart(struct iommuabs_sim_unit *u)
{
	struct stream *s;

	if (!u->arena->adversary)
		return;
	sim_forget_roles(u);
	sim_relink_caches(u);
	for (s = u->smmu->streams; s; s = s->next)
		s->nr_regimes = s->nr_tables = 0;
	smmuv3_reach_stream_table(u);
	smmuv3_streams_update(u);
	smmuv3_judge_twins(u);
}

static bool queue_holds(uint64_t base, unsigned int entry_lg2, uint64_t maddr)
{
	return maddr - ALIGN_DOWN(smmuv3_queue_at(base, entry_lg2), PAGE_LG2) <
	       BIT64(Q_BASE_LOG2SIZE(base) + entry_lg2);
}

/* 3.9.1.2: one reason is recorded, the others are answers. */
static unsigned int ats_refused(struct iommuabs_sim_unit *u,
				const struct iommuabs_sim_dma *at,
				const struct outcome *o)
{
	if (o->event != F_BAD_ATS_TREQ)
		return 0;
	smmuv3_record(u, at, o);
	return o->event;
}

static void page_freed(struct iommuabs_sim_unit *u, uint64_t maddr)
{
	const struct smmuv3 *smmu = u->smmu;
	uint64_t on = smmu->cr0.value | smmu->cr0.ack;

	sim_atc_freed(u, maddr);
	if (on & CR0_CMDQEN && queue_holds(smmu->cmdq_base, CMD_LG2, maddr))
		sim_violation(u->arena, IOMMUABS_SIM_V_FREED,
			      "the command queue is freed while it is enabled");
	if (on & CR0_EVENTQEN &&
	    queue_holds(smmu->eventq_base, EVENT_LG2, maddr))
		sim_violation(u->arena, IOMMUABS_SIM_V_FREED,
			      "the event queue is freed while it is enabled");
	if (on & CR0_PRIQEN && queue_holds(smmu->priq_base, PRI_LG2, maddr))
		sim_violation(u->arena, IOMMUABS_SIM_V_FREED,
			      "the PRI queue is freed while it is enabled");
}

static bool mishap(struct iommuabs_sim_unit *u, struct outcome *o)
{
	if (!u->smmu->conflicts || !smmuv3_may_be_enabled(u))
		return false;
	u->smmu->conflicts--;
	*o = (struct outcome){ .maddr = IOMMUABS_SIM_BLOCKED,
			       .event = F_TLB_CONFLICT };
	return true;
}

static int blocked(struct iommuabs_sim_unit *u, struct iommuabs_sim_dma *dma,
		   const struct outcome *o, const struct iommuabs_sim_dma *at)
{
	if (o->stalls)
		return smmuv3_stall(u, dma, o, at);
	u->counters.dma_blocked++;
	dma->event = o->event;
	if (o->event)
		smmuv3_record(u, at, o);
	return 0;
}

const struct unit_ops smmuv3_ops = {
	.read = smmuv3_read,
	.write = smmuv3_write,
	.reset = power_lost,
	.heal = heal,
	.plant = plant,
	.free = free_smmu,
	.may_be_enabled = smmuv3_may_be_enabled,
	.outcomes = smmuv3_outcomes,
	.mishap = mishap,
	.blocked = blocked,
	.check_store = smmuv3_check_store,
	.leaf_left = smmuv3_atc_leaf,
	.ats_refused = ats_refused,
	.page_freed = page_freed,
};
