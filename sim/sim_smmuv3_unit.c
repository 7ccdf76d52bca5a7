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
	const struct iommuabs_sim_smmuv3_config *c = &u->config;

	u->idr0 = (c->s2p ? IDR0_S2P : 0) | (c->s1p ? IDR0_S1P : 0) |
		  IDR0_TTF_AA64 | (c->cohacc ? IDR0_COHACC : 0) |
		  (c->btm ? IDR0_BTM : 0) | (c->hyp ? IDR0_HYP : 0) |
		  (c->ats ? IDR0_ATS : 0) | (c->asid16 ? IDR0_ASID16 : 0) |
		  (c->msi ? IDR0_MSI : 0) | (c->sev ? IDR0_SEV : 0) |
		  (c->pri ? IDR0_PRI : 0) | (c->vmid16 ? IDR0_VMID16 : 0) |
		  (c->cd2l ? IDR0_CD2L : 0) | IDR0_TTENDIAN_LE |
		  IDR0_STALL(c->stall_model) | IDR0_TERM_MODEL |
		  (c->st_level ? IDR0_ST_2LEVEL : 0);
	u->idr1 = IDR1_SIDSIZE(c->sidsize) | IDR1_SSIDSIZE(c->ssidsize) |
		  IDR1_PRIQS(c->priqs) | IDR1_EVENTQS(c->eventqs) |
		  IDR1_CMDQS(c->cmdqs) | IDR1_ATTR_TYPES_OVR |
		  IDR1_ATTR_PERMS_OVR;
	u->idr3 = (c->s1p ? IDR3_HAD : 0) | (c->s2p ? IDR3_XNX : 0) |
		  (c->fwb ? IDR3_FWB : 0) | (c->stt ? IDR3_STT : 0) |
		  (c->ril ? IDR3_RIL : 0) | IDR3_BBML(c->bbml);
	u->idr5 = (uint64_t)oas_field(c->oas) |
		  (c->granules & IOMMUABS_SIM_GRAN4K ? IDR5_GRAN4K : 0) |
		  (c->granules & IOMMUABS_SIM_GRAN16K ? IDR5_GRAN16K : 0) |
		  (c->granules & IOMMUABS_SIM_GRAN64K ? IDR5_GRAN64K : 0) |
		  (c->ds ? IDR5_DS : 0) | (c->vax == 52 ? IDR5_VAX52 : 0) |
		  IDR5_STALL_MAX(c->stall_max);
	memset(&u->cr0, 0, sizeof(u->cr0));
	memset(&u->irq_ctrl, 0, sizeof(u->irq_ctrl));
	memset(&u->gbpa, 0, sizeof(u->gbpa));
	u->cr1 = u->cr2 = u->gerror = u->gerrorn = 0;
	memset(u->irq_cfg0, 0, sizeof(u->irq_cfg0));
	memset(u->irq_cfg1, 0, sizeof(u->irq_cfg1));
	memset(u->irq_cfg2, 0, sizeof(u->irq_cfg2));
	u->strtab_base = u->strtab_cfg = 0;
	u->cmdq_base = u->cmdq_prod = u->cmdq_cons = 0;
	u->eventq_base = u->eventq_prod = u->eventq_cons = 0;
	u->priq_base = u->priq_prod = u->priq_cons = 0;
	u->failed_until = 0;
	u->sync_started = false;
	u->configs_clean = u->tlbs_clean = false;
	u->configs_dooming = u->tlbs_dooming = u->el2_dooming = false;
	u->el2_clean = false;
	u->configs_empty = u->tlbs_empty = false;
	u->hanging = false;
	/* SHCFG = use incoming, and bypass unless told otherwise. */
	u->gbpa.value = u->gbpa.ack = 0x1000 | (c->gbpa_abort ? GBPA_ABORT : 0);
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

	if (!config_ok(config) || !config->cohacc != !!a->config.noncoherent ||
	    sim_inside(a, config->base, 1) || smmuv3_at(a, config->base))
		return IOMMUABS_SIM_E_INVAL;
	u = calloc(1, sizeof(*u));
	if (!u)
		return IOMMUABS_SIM_E_NOMEM;
	u->arena = a;
	u->config = *config;
	u->leaves.size = sizeof(struct leaf);
	u->wtables.size = sizeof(struct wtable);
	u->stale_stes.size = sizeof(struct stale_pair);
	u->stale_cds.size = sizeof(struct stale_pair);
	u->stale_l1s.size = sizeof(struct stale_l1);
	u->cached_stes.size = sizeof(struct cached);
	u->cached_cds.size = sizeof(struct cached);
	u->meant_cds.size = sizeof(struct cached);
	u->atc.size = sizeof(struct atc);
	u->mute.size = sizeof(uint32_t);
	u->stalled.size = sizeof(struct stalled);
	reset(u);
	sim_lock(a);
	u->next = a->units;
	a->units = u;
	sim_unlock(a);
	*unit = u;
	return 0;
}

void iommuabs_sim_unit_reset(struct iommuabs_sim_unit *u)
{
	sim_lock(u->arena);
	smmuv3_terminate(u, 0, true);
	smmuv3_undoom(u);
	u->atc.nr = u->atc_timeouts = 0;
	reset(u);
	smmuv3_look(u);
	sim_unlock(u->arena);
}

/* The arena's lock is held, or nobody else knows the arena any more. */
void smmuv3_delete(struct iommuabs_sim_unit *u)
{
	struct iommuabs_sim_unit **link = &u->arena->units;

	while (*link != u)
		link = &(*link)->next;
	*link = u->next;
	smmuv3_forget(u);
	vec_free(&u->leaves);
	vec_free(&u->wtables);
	vec_free(&u->stale_stes);
	vec_free(&u->stale_l1s);
	vec_free(&u->cached_stes);
	vec_free(&u->stale_cds);
	vec_free(&u->cached_cds);
	vec_free(&u->meant_cds);
	vec_free(&u->atc);
	vec_free(&u->mute);
	vec_free(&u->stalled);
	free(u);
}

void iommuabs_sim_unit_destroy(struct iommuabs_sim_unit *u)
{
	struct iommuabs_sim_arena *a;

	if (!u)
		return;
	a = u->arena;
	sim_lock(a);
	smmuv3_delete(u);
	sim_unlock(a);
}

static uint64_t until(const struct iommuabs_sim_unit *u, uint64_t n,
		      uint64_t us)
{
	if (!n)
		return 0;
	return us ? u->arena->time_us + us : FOR_EVER;
}

static void plant_in_queues(struct iommuabs_sim_unit *u,
			    enum iommuabs_sim_fault fault, uint64_t n,
			    uint64_t us)
{
	switch (fault) {
	case IOMMUABS_SIM_CMDQ_HANG:
		u->hang_in = n + 1;
		u->hang_until = until(u, 1, us);
		return;
	case IOMMUABS_SIM_SYNC_HANG:
		u->sync_hang_in = n;
		u->sync_hang_us = us;
		return;
	case IOMMUABS_SIM_SYNC_DELAY:
		u->sync_delay = n;
		return;
	case IOMMUABS_SIM_CMD_ILLEGAL:
		u->illegal_in = n;
		return;
	case IOMMUABS_SIM_CMD_ABORT:
		u->abort_in = n;
		return;
	case IOMMUABS_SIM_EVENT_ABORT:
		u->event_abort = n;
		return;
	case IOMMUABS_SIM_PRI_ABORT:
		u->pri_abort = n;
		return;
	case IOMMUABS_SIM_MSI_ABORT:
		u->msi_abort = n;
		return;
	default:
		u->conflicts = n;
	}
}

void iommuabs_sim_plant(struct iommuabs_sim_unit *u,
			enum iommuabs_sim_fault fault, uint64_t n, uint64_t us)
{
	sim_lock(u->arena);
	switch (fault) {
	case IOMMUABS_SIM_CR0_IGNORED:
		u->cr0_ignored_until = until(u, n, us);
		break;
	case IOMMUABS_SIM_GBPA_STUCK:
		u->gbpa_stuck_until = until(u, n, us);
		break;
	case IOMMUABS_SIM_DEAD:
		u->dead = n != 0;
		break;
	case IOMMUABS_SIM_SERVICE_FAILURE:
		u->failed_until = until(u, n, us);
		if (n)
			smmuv3_gerror(u, GERROR_SFM);
		smmuv3_look(u);
		break;
	case IOMMUABS_SIM_WAIT_HANG:
		u->wait_in = n;
		u->wait_us = us;
		break;
	default:
		plant_in_queues(u, fault, n, us);
	}
	sim_unlock(u->arena);
}

void iommuabs_sim_heal(struct iommuabs_sim_unit *u)
{
	sim_lock(u->arena);
	u->hang_in = u->hang_until = 0;
	u->hanging = u->dead = false;
	u->sync_hang_in = u->sync_hang_us = u->sync_delay = 0;
	u->sync_hangs_until = 0;
	u->illegal_in = u->abort_in = u->event_abort = 0;
	u->pri_abort = u->msi_abort = u->conflicts = u->failed_until = 0;
	u->wait_in = u->wait_us = 0;
	u->cr0_ignored_until = u->gbpa_stuck_until = 0;
	u->cr0.hangs_until = u->gbpa.hangs_until = u->irq_ctrl.hangs_until = 0;
	sim_unlock(u->arena);
}

unsigned int iommuabs_sim_irq_take(struct iommuabs_sim_unit *u,
				   enum iommuabs_sim_irq irq)
{
	unsigned int nr;

	sim_lock(u->arena);
	nr = u->irqs[irq];
	u->irqs[irq] = 0;
	sim_unlock(u->arena);
	return nr;
}

void iommuabs_sim_counters(struct iommuabs_sim_unit *u,
			   struct iommuabs_sim_counters *counters)
{
	sim_lock(u->arena);
	*counters = u->counters;
	sim_unlock(u->arena);
}
