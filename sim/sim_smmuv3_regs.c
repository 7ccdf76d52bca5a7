/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_smmuv3_regs.c - the registers of an SMMUv3 (IHI 0070 chapter 6)
 */
#include "sim_smmuv3.h"
#include <stdlib.h>

/* 6.3.24 ff.: what must not change while a CR0 or IRQ_CTRL bit is on. */
static bool guarded(struct iommuabs_sim_unit *u, const struct update *by,
		    uint64_t bits, const char *what)
{
	if (!((by->value | by->ack) & bits))
		return false;
	sim_violation(u->arena, IOMMUABS_SIM_V_GUARD,
		      "%s changes while it is in use", what);
	return true;
}

static void reserved(struct iommuabs_sim_unit *u, uint64_t value,
		     uint64_t known, const char *what)
{
	if (value & ~known)
		sim_violation(u->arena, IOMMUABS_SIM_V_REGISTER,
			      "%s: reserved bits set (%#llx)", what,
			      (unsigned long long)value);
}

bool smmuv3_may_be_enabled(const struct iommuabs_sim_unit *u)
{
	return (u->smmu->cr0.value | u->smmu->cr0.ack) & CR0_SMMUEN;
}

bool smmuv3_failed(const struct iommuabs_sim_unit *u)
{
	return u->smmu->failed_until > u->arena->time_us;
}

void smmuv3_gerror(struct iommuabs_sim_unit *u, uint64_t bit)
{
	/* 7.5: an active error is not logged again. */
	if ((u->smmu->gerror ^ u->smmu->gerrorn) & bit)
		return;
	u->smmu->gerror ^= bit;
	if (bit != GERROR_MSI_GERROR_ABT)
		smmuv3_raise(u, IOMMUABS_SIM_IRQ_GERROR);
}

static void begin_update(struct iommuabs_sim_unit *u, struct update *up,
			 uint64_t value)
{
	up->value = value;
	up->reads_left = sim_some_polls(u, 3);
	up->hangs_until = sim_wait_begins(u);
}

static void cr0_acknowledged(struct iommuabs_sim_unit *u, uint64_t old)
{
	/* 6.3.9.3: commands that were not consumed are forgotten. */
	if (old & ~u->smmu->cr0.ack & CR0_CMDQEN) {
		u->smmu->sync_started = false;
		u->smmu->hanging = false;
	}
	/* 3.12.2: nothing stays stalled. */
	if (old & ~u->smmu->cr0.ack & CR0_SMMUEN)
		smmuv3_terminate(u, 0, true);
	if (~old & u->smmu->cr0.ack & CR0_EVENTQEN)
		smmuv3_retry_held(u);
}

static bool try_update(struct iommuabs_sim_unit *u, struct update *up)
{
	if (up->hangs_until > u->arena->time_us)
		return false;
	if (up->reads_left) {
		up->reads_left--;
		return false;
	}
	up->ack = up->value;
	return true;
}

/* Time goes by: what was written takes effect, commands are consumed. */
static void tick(struct iommuabs_sim_unit *u)
{
	uint64_t old = u->smmu->cr0.ack;

	if (u->smmu->cr0.value != u->smmu->cr0.ack &&
	    u->smmu->cr0_ignored_until <= u->arena->time_us &&
	    try_update(u, &u->smmu->cr0)) {
		cr0_acknowledged(u, old);
		sim_look(u);
	}
	if (u->smmu->irq_ctrl.value != u->smmu->irq_ctrl.ack)
		try_update(u, &u->smmu->irq_ctrl);
	if (u->smmu->gbpa.value & GBPA_UPDATE &&
	    u->smmu->gbpa_stuck_until <= u->arena->time_us &&
	    try_update(u, &u->smmu->gbpa)) {
		u->smmu->gbpa.ack &= ~GBPA_UPDATE;
		u->smmu->gbpa.value = u->smmu->gbpa.ack;
		sim_look(u);
	}
	smmuv3_run_commands(u);
}

static void check_enable(struct iommuabs_sim_unit *u)
{
	/* 3.11: caches hold anything after reset, or of another table. */
	if (!u->smmu->configs_clean)
		sim_violation(
			u->arena, IOMMUABS_SIM_V_ENABLE,
			"SMMUEN set, no CMD_CFGI_ALL and CMD_SYNC since %s",
			"reset or since STRTAB_BASE changed");
	if (!u->smmu->tlbs_clean)
		sim_violation(u->arena, IOMMUABS_SIM_V_ENABLE,
			      "SMMUEN set, no invalidation of all TLBs since "
			      "reset");
	u->smmu->configs_empty = u->tlbs_empty = false;
	smmuv3_restart(u);
}

static uint64_t cr0_known(const struct iommuabs_sim_unit *u)
{
	return CR0_SMMUEN | CR0_EVENTQEN | CR0_CMDQEN |
	       (u->smmu->config.pri ? CR0_PRIQEN : 0) |
	       (u->smmu->config.ats ? CR0_ATSCHK : 0);
}

static void write_cr0(struct iommuabs_sim_unit *u, uint64_t value)
{
	uint64_t changed = value ^ u->smmu->cr0.value;
	uint64_t unsettled = u->smmu->cr0.value ^ u->smmu->cr0.ack;

	reserved(u, value, cr0_known(u), "CR0");
	if (changed & unsettled && !u->smmu->cr0_ignored_until &&
	    !u->smmu->cr0.hangs_until)
		sim_violation(u->arena, IOMMUABS_SIM_V_GUARD,
			      "CR0 changes before the last change of the same "
			      "field was acknowledged");
	if (!changed && !unsettled)
		return;
	begin_update(u, &u->smmu->cr0, value & cr0_known(u));
	if (u->smmu->cr0.value & ~u->smmu->cr0.ack & CR0_SMMUEN)
		check_enable(u);
}

/* 6.3.14.1 */
static void write_gbpa(struct iommuabs_sim_unit *u, uint64_t value)
{
	reserved(u, value, GBPA_KNOWN | GBPA_UPDATE, "GBPA");
	if (!(value & GBPA_UPDATE) || u->smmu->gbpa.value & GBPA_UPDATE) {
		sim_violation(
			u->arena, IOMMUABS_SIM_V_REGISTER, "GBPA written %s",
			value & GBPA_UPDATE ? "while an update is under way"
					    : "without Update");
		return;
	}
	begin_update(u, &u->smmu->gbpa, value & (GBPA_KNOWN | GBPA_UPDATE));
}

static void write_gerrorn(struct iommuabs_sim_unit *u, uint64_t value)
{
	if ((value ^ u->smmu->gerrorn) & ~(u->smmu->gerror ^ u->smmu->gerrorn))
		sim_violation(
			u->arena, IOMMUABS_SIM_V_REGISTER,
			"GERRORN acknowledges an error that is not active");
	u->smmu->gerrorn = value;
	smmuv3_retry_held(u);
}

static void write_cr1(struct iommuabs_sim_unit *u, uint64_t value)
{
	uint64_t changed = value ^ u->smmu->cr1;

	reserved(u, value, CR1_QUEUE | CR1_TABLE, "CR1");
	if (changed & CR1_TABLE &&
	    guarded(u, &u->smmu->cr0, CR0_SMMUEN, "CR1.TABLE"))
		return;
	if (changed & CR1_QUEUE &&
	    guarded(u, &u->smmu->cr0, CR0_CMDQEN | CR0_EVENTQEN | CR0_PRIQEN,
		    "CR1.QUEUE"))
		return;
	u->smmu->cr1 = value;
}

static void write_cr2(struct iommuabs_sim_unit *u, uint64_t value)
{
	reserved(u, value, CR2_E2H | CR2_RECINVSID | CR2_PTM, "CR2");
	if (value != u->smmu->cr2 &&
	    !guarded(u, &u->smmu->cr0, CR0_SMMUEN, "CR2"))
		u->smmu->cr2 = value;
}

static void write_strtab(struct iommuabs_sim_unit *u, uint64_t *reg,
			 uint64_t value, uint64_t known)
{
	reserved(u, value, known, "STRTAB_BASE or its CFG");
	if (value == *reg ||
	    guarded(u, &u->smmu->cr0, CR0_SMMUEN, "STRTAB_BASE"))
		return;
	*reg = value;
	u->smmu->configs_clean = false;
}

static void write_queue_base(struct iommuabs_sim_unit *u, uint64_t *reg,
			     uint64_t value, uint64_t guard)
{
	unsigned int max = guard == CR0_CMDQEN	 ? u->smmu->config.cmdqs
			   : guard == CR0_PRIQEN ? u->smmu->config.priqs
						 : u->smmu->config.eventqs;

	reserved(u, value, BIT64(62) | Q_BASE_ADDR | MASK64(4, 0),
		 "a queue's base");
	if (Q_BASE_LOG2SIZE(value) > max)
		sim_violation(u->arena, IOMMUABS_SIM_V_REGISTER,
			      "a queue of 2^%u entries, IDR1 allows 2^%u",
			      Q_BASE_LOG2SIZE(value), max);
	if (value != *reg &&
	    !guarded(u, &u->smmu->cr0, guard, "a queue's base"))
		*reg = value;
}

static uint64_t index_mask(uint64_t base)
{
	return MASK64(Q_BASE_LOG2SIZE(base), 0);
}

/* 3.21.2: PROD moves forward, at most to where the queue is full. */
static void write_cmdq_prod(struct iommuabs_sim_unit *u, uint64_t value)
{
	uint64_t mask = index_mask(u->smmu->cmdq_base);
	uint64_t size = BIT64(Q_BASE_LOG2SIZE(u->smmu->cmdq_base));
	uint64_t held = (u->smmu->cmdq_prod - u->smmu->cmdq_cons) & mask;
	uint64_t added = (value - u->smmu->cmdq_prod) & mask;
	bool error = (u->smmu->gerror ^ u->smmu->gerrorn) & GERROR_CMDQ;

	reserved(u, value, mask, "CMDQ_PROD");
	if (u->smmu->cr0.ack & CR0_CMDQEN && !error && held + added > size)
		sim_violation(u->arena, IOMMUABS_SIM_V_COMMAND,
			      "CMDQ_PROD moves by %llu, the queue has room for "
			      "%llu",
			      (unsigned long long)added,
			      (unsigned long long)(size - held));
	u->smmu->cmdq_prod = value & mask;
}

/* Of an output queue; which moves only up to where it is filled. */
static void write_cons(struct iommuabs_sim_unit *u, uint64_t *cons,
		       uint64_t prod, uint64_t base, uint64_t guard,
		       uint64_t value)
{
	uint64_t mask = index_mask(base);
	uint64_t held = (prod - *cons) & mask, taken = (value - *cons) & mask;

	reserved(u, value, mask | Q_OVFLG, "CONS of a queue");
	if (u->smmu->cr0.ack & guard && taken > held)
		sim_violation(u->arena, IOMMUABS_SIM_V_COMMAND,
			      "%s_CONS moves beyond PROD",
			      guard == CR0_PRIQEN ? "PRIQ" : "EVENTQ");
	*cons = value & (mask | Q_OVFLG);
	smmuv3_retry_held(u);
}

/* 6.3.21 ff., 6.3.30 ff.: which = 0 event, 1 PRI, 2 GERROR */
static void write_irq_cfg(struct iommuabs_sim_unit *u, uint64_t *reg,
			  unsigned int which, uint64_t value)
{
	static const uint64_t bits[3] = { IRQ_EVENTQ, IRQ_PRIQ, IRQ_GERROR };

	if (value && !u->smmu->config.msi)
		sim_violation(u->arena, IOMMUABS_SIM_V_REGISTER,
			      "an MSI configured, IDR0.MSI is 0");
	if (value != *reg &&
	    !guarded(u, &u->smmu->irq_ctrl, bits[which], "an IRQ_CFG"))
		*reg = value;
}

static void write_irq_ctrl(struct iommuabs_sim_unit *u, uint64_t value)
{
	uint64_t known =
		IRQ_GERROR | IRQ_EVENTQ | (u->smmu->config.pri ? IRQ_PRIQ : 0);

	reserved(u, value, known, "IRQ_CTRL");
	if (value != u->smmu->irq_ctrl.value || value != u->smmu->irq_ctrl.ack)
		begin_update(u, &u->smmu->irq_ctrl, value & known);
}

/* Where a plain register is kept; NULL: it is not one. */
static uint64_t *irq_cfg(struct iommuabs_sim_unit *u, uint32_t offset,
			 unsigned int *which)
{
	static const uint32_t first[3] = { R_EVENTQ_IRQ_CFG0, R_PRIQ_IRQ_CFG0,
					   R_GERROR_IRQ_CFG0 };
	unsigned int i;

	for (i = 0; i < 3; i++) {
		*which = i;
		if (offset == first[i])
			return &u->smmu->irq_cfg0[i];
		if (offset == first[i] + 8)
			return &u->smmu->irq_cfg1[i];
		if (offset == first[i] + 12)
			return &u->smmu->irq_cfg2[i];
	}
	return NULL;
}

static bool is_64bit(uint32_t offset)
{
	return offset == R_GERROR_IRQ_CFG0 || offset == R_STRTAB_BASE ||
	       offset == R_CMDQ_BASE || offset == R_EVENTQ_BASE ||
	       offset == R_EVENTQ_IRQ_CFG0 || offset == R_PRIQ_BASE ||
	       offset == R_PRIQ_IRQ_CFG0;
}

static uint64_t get_id(const struct iommuabs_sim_unit *u, uint32_t offset)
{
	switch (offset) {
	case R_IDR0:
		return u->smmu->idr0;
	case R_IDR1:
		return u->smmu->idr1;
	case R_IDR3:
		return u->smmu->idr3;
	case R_IDR5:
		return u->smmu->idr5;
	case R_IIDR:
		return u->smmu->config.iidr;
	case R_AIDR:
		return u->smmu->config.arch_minor;
	default:
		return 0;
	}
}

static uint64_t get(struct iommuabs_sim_unit *u, uint32_t offset)
{
	unsigned int which;
	uint64_t *cfg = irq_cfg(u, offset, &which);

	if (cfg)
		return *cfg;
	switch (offset) {
	case R_CR0:
		return u->smmu->cr0.value;
	case R_CR0ACK:
		return u->smmu->cr0.ack;
	case R_CR1:
		return u->smmu->cr1;
	case R_CR2:
		return u->smmu->cr2;
	case R_GBPA:
		return u->smmu->gbpa.value;
	case R_IRQ_CTRL:
		return u->smmu->irq_ctrl.value;
	case R_IRQ_CTRLACK:
		return u->smmu->irq_ctrl.ack;
	case R_GERROR:
		return u->smmu->gerror;
	case R_GERRORN:
		return u->smmu->gerrorn;
	case R_STRTAB_BASE:
		return u->smmu->strtab_base;
	case R_STRTAB_BASE_CFG:
		return u->smmu->strtab_cfg;
	case R_CMDQ_BASE:
		return u->smmu->cmdq_base;
	case R_CMDQ_PROD:
		return u->smmu->cmdq_prod;
	case R_CMDQ_CONS:
		return u->smmu->cmdq_cons;
	case R_EVENTQ_BASE:
		return u->smmu->eventq_base;
	case R_EVENTQ_PROD:
		return u->smmu->eventq_prod;
	case R_EVENTQ_CONS:
		return u->smmu->eventq_cons;
	case R_PRIQ_BASE:
		return u->smmu->priq_base;
	case R_PRIQ_PROD:
		return u->smmu->priq_prod;
	case R_PRIQ_CONS:
		return u->smmu->priq_cons;
	default:
		return get_id(u, offset);
	}
}

static void nowhere(struct iommuabs_sim_unit *u, uint32_t offset,
		    uint64_t value)
{
	if (value)
		sim_violation(u->arena, IOMMUABS_SIM_V_REGISTER,
			      "write of %#llx to offset %#x, where nothing can "
			      "be written",
			      (unsigned long long)value, offset);
}

static void set_priq(struct iommuabs_sim_unit *u, uint32_t offset,
		     uint64_t value)
{
	if (offset == R_PRIQ_BASE && u->smmu->config.pri)
		write_queue_base(u, &u->smmu->priq_base, value, CR0_PRIQEN);
	else if (offset == R_PRIQ_CONS && u->smmu->config.pri)
		write_cons(u, &u->smmu->priq_cons, u->smmu->priq_prod,
			   u->smmu->priq_base, CR0_PRIQEN, value);
	else if (offset != R_PRIQ_PROD || !u->smmu->config.pri)
		nowhere(u, offset, value);
	else if (!guarded(u, &u->smmu->cr0, CR0_PRIQEN, "PRIQ_PROD"))
		u->smmu->priq_prod = value;
}

static void set_queue(struct iommuabs_sim_unit *u, uint32_t offset,
		      uint64_t value)
{
	switch (offset) {
	case R_CMDQ_BASE:
		write_queue_base(u, &u->smmu->cmdq_base, value, CR0_CMDQEN);
		return;
	case R_CMDQ_PROD:
		write_cmdq_prod(u, value);
		return;
	case R_CMDQ_CONS:
		if (!guarded(u, &u->smmu->cr0, CR0_CMDQEN, "CMDQ_CONS"))
			u->smmu->cmdq_cons =
				value & index_mask(u->smmu->cmdq_base);
		return;
	case R_EVENTQ_BASE:
		write_queue_base(u, &u->smmu->eventq_base, value, CR0_EVENTQEN);
		return;
	case R_EVENTQ_PROD:
		if (!guarded(u, &u->smmu->cr0, CR0_EVENTQEN, "EVENTQ_PROD"))
			u->smmu->eventq_prod = value;
		return;
	case R_EVENTQ_CONS:
		write_cons(u, &u->smmu->eventq_cons, u->smmu->eventq_prod,
			   u->smmu->eventq_base, CR0_EVENTQEN, value);
		return;
	default:
		set_priq(u, offset, value);
	}
}

static void set(struct iommuabs_sim_unit *u, uint32_t offset, uint64_t value)
{
	unsigned int which;
	uint64_t *cfg = irq_cfg(u, offset, &which);

	if (cfg) {
		write_irq_cfg(u, cfg, which, value);
		return;
	}
	switch (offset) {
	case R_CR0:
		write_cr0(u, value);
		return;
	case R_CR1:
		write_cr1(u, value);
		return;
	case R_CR2:
		write_cr2(u, value);
		return;
	case R_GBPA:
		write_gbpa(u, value);
		return;
	case R_IRQ_CTRL:
		write_irq_ctrl(u, value);
		return;
	case R_GERRORN:
		write_gerrorn(u, value);
		return;
	case R_STRTAB_BASE:
		write_strtab(u, &u->smmu->strtab_base, value,
			     STRTAB_BASE_ADDR | STRTAB_BASE_RA);
		return;
	case R_STRTAB_BASE_CFG:
		write_strtab(u, &u->smmu->strtab_cfg, value,
			     MASK64(17, 16) | MASK64(10, 0));
		return;
	default:
		set_queue(u, offset, value);
	}
}

/* 6.2: aligned, and no wider than the register; else it is lost here. */
static bool access_ok(struct iommuabs_sim_unit *u, uint32_t offset,
		      unsigned int width)
{
	if ((width == 4 && !(offset % 4)) || (width == 8 && is_64bit(offset)))
		return true;
	sim_violation(u->arena, IOMMUABS_SIM_V_REGISTER,
		      "%u-bit access to offset %#x", 8 * width, offset);
	return false;
}

/* Where that register is, for a unit that has but one page of them. */
static uint32_t of_page(const struct iommuabs_sim_unit *u, uint32_t offset)
{
	if (u->smmu->config.quirks & IOMMUABS_SIM_QUIRK_PAGE0 &&
	    (offset == R_EVENTQ_PROD - R_PAGE1 ||
	     offset == R_EVENTQ_CONS - R_PAGE1 ||
	     offset == R_PRIQ_PROD - R_PAGE1 ||
	     offset == R_PRIQ_CONS - R_PAGE1))
		return offset + R_PAGE1;
	return offset;
}

static bool is_upper_half(uint32_t offset)
{
	return offset % 8 == 4 && is_64bit(offset - 4);
}

uint64_t smmuv3_read(struct iommuabs_sim_unit *u, uint32_t offset,
		     unsigned int width)
{
	uint64_t value;

	if (!access_ok(u, offset, width))
		return 0;
	tick(u);
	offset = of_page(u, offset);
	if (is_upper_half(offset))
		return get(u, offset - 4) >> 32;
	value = get(u, offset);
	return width == 8 ? value : (uint32_t)value;
}

void smmuv3_write(struct iommuabs_sim_unit *u, uint32_t offset,
		  unsigned int width, uint64_t value)
{
	if (!access_ok(u, offset, width))
		return;
	offset = of_page(u, offset);
	if (width == 4 && is_upper_half(offset)) {
		offset -= 4;
		value = (value << 32) | (uint32_t)get(u, offset);
	} else if (width == 4 && is_64bit(offset)) {
		value = (get(u, offset) & MASK64(63, 32)) | (uint32_t)value;
	} else if (width == 4) {
		value = (uint32_t)value;
	}
	set(u, offset, value);
	tick(u);
	sim_look(u);
}
