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
	return (u->cr0.value | u->cr0.ack) & CR0_SMMUEN;
}

uint64_t smmuv3_wait_begins(struct iommuabs_sim_unit *u)
{
	u->counters.waits++;
	if (!u->wait_in || --u->wait_in)
		return 0;
	return u->wait_us ? u->arena->time_us + u->wait_us : FOR_EVER;
}

bool smmuv3_failed(const struct iommuabs_sim_unit *u)
{
	return u->failed_until > u->arena->time_us;
}

void smmuv3_gerror(struct iommuabs_sim_unit *u, uint64_t bit)
{
	/* 7.5: an active error is not logged again. */
	if ((u->gerror ^ u->gerrorn) & bit)
		return;
	u->gerror ^= bit;
	if (bit != GERROR_MSI_GERROR_ABT)
		smmuv3_raise(u, IOMMUABS_SIM_IRQ_GERROR);
}

static unsigned int some_polls(struct iommuabs_sim_unit *u)
{
	return u->arena->adversary ? (unsigned int)(sim_random(u->arena) % 3)
				   : 0;
}

static void begin_update(struct iommuabs_sim_unit *u, struct update *up,
			 uint64_t value)
{
	up->value = value;
	up->reads_left = some_polls(u);
	up->hangs_until = smmuv3_wait_begins(u);
}

static void cr0_acknowledged(struct iommuabs_sim_unit *u, uint64_t old)
{
	/* 6.3.9.3: commands that were not consumed are forgotten. */
	if (old & ~u->cr0.ack & CR0_CMDQEN) {
		u->sync_started = false;
		u->hanging = false;
	}
	/* 3.12.2: nothing stays stalled. */
	if (old & ~u->cr0.ack & CR0_SMMUEN)
		smmuv3_terminate(u, 0, true);
	if (~old & u->cr0.ack & CR0_EVENTQEN)
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
	uint64_t old = u->cr0.ack;

	if (u->cr0.value != u->cr0.ack &&
	    u->cr0_ignored_until <= u->arena->time_us &&
	    try_update(u, &u->cr0)) {
		cr0_acknowledged(u, old);
		smmuv3_look(u);
	}
	if (u->irq_ctrl.value != u->irq_ctrl.ack)
		try_update(u, &u->irq_ctrl);
	if (u->gbpa.value & GBPA_UPDATE &&
	    u->gbpa_stuck_until <= u->arena->time_us &&
	    try_update(u, &u->gbpa)) {
		u->gbpa.ack &= ~GBPA_UPDATE;
		u->gbpa.value = u->gbpa.ack;
		smmuv3_look(u);
	}
	smmuv3_run_commands(u);
}

static void check_enable(struct iommuabs_sim_unit *u)
{
	/* 3.11: caches hold anything after reset, or of another table. */
	if (!u->configs_clean)
		sim_violation(
			u->arena, IOMMUABS_SIM_V_ENABLE,
			"SMMUEN set, no CMD_CFGI_ALL and CMD_SYNC since %s",
			"reset or since STRTAB_BASE changed");
	if (!u->tlbs_clean)
		sim_violation(u->arena, IOMMUABS_SIM_V_ENABLE,
			      "SMMUEN set, no invalidation of all TLBs since "
			      "reset");
	u->configs_empty = u->tlbs_empty = false;
	smmuv3_restart(u);
}

static uint64_t cr0_known(const struct iommuabs_sim_unit *u)
{
	return CR0_SMMUEN | CR0_EVENTQEN | CR0_CMDQEN |
	       (u->config.pri ? CR0_PRIQEN : 0) |
	       (u->config.ats ? CR0_ATSCHK : 0);
}

static void write_cr0(struct iommuabs_sim_unit *u, uint64_t value)
{
	uint64_t changed = value ^ u->cr0.value;
	uint64_t unsettled = u->cr0.value ^ u->cr0.ack;

	reserved(u, value, cr0_known(u), "CR0");
	if (changed & unsettled && !u->cr0_ignored_until && !u->cr0.hangs_until)
		sim_violation(u->arena, IOMMUABS_SIM_V_GUARD,
			      "CR0 changes before the last change of the same "
			      "field was acknowledged");
	if (!changed && !unsettled)
		return;
	begin_update(u, &u->cr0, value & cr0_known(u));
	if (u->cr0.value & ~u->cr0.ack & CR0_SMMUEN)
		check_enable(u);
}

/* 6.3.14.1 */
static void write_gbpa(struct iommuabs_sim_unit *u, uint64_t value)
{
	reserved(u, value, GBPA_KNOWN | GBPA_UPDATE, "GBPA");
	if (!(value & GBPA_UPDATE) || u->gbpa.value & GBPA_UPDATE) {
		sim_violation(
			u->arena, IOMMUABS_SIM_V_REGISTER, "GBPA written %s",
			value & GBPA_UPDATE ? "while an update is under way"
					    : "without Update");
		return;
	}
	begin_update(u, &u->gbpa, value & (GBPA_KNOWN | GBPA_UPDATE));
}

static void write_gerrorn(struct iommuabs_sim_unit *u, uint64_t value)
{
	if ((value ^ u->gerrorn) & ~(u->gerror ^ u->gerrorn))
		sim_violation(
			u->arena, IOMMUABS_SIM_V_REGISTER,
			"GERRORN acknowledges an error that is not active");
	u->gerrorn = value;
	smmuv3_retry_held(u);
}

static void write_cr1(struct iommuabs_sim_unit *u, uint64_t value)
{
	uint64_t changed = value ^ u->cr1;

	reserved(u, value, CR1_QUEUE | CR1_TABLE, "CR1");
	if (changed & CR1_TABLE && guarded(u, &u->cr0, CR0_SMMUEN, "CR1.TABLE"))
		return;
	if (changed & CR1_QUEUE &&
	    guarded(u, &u->cr0, CR0_CMDQEN | CR0_EVENTQEN | CR0_PRIQEN,
		    "CR1.QUEUE"))
		return;
	u->cr1 = value;
}

static void write_cr2(struct iommuabs_sim_unit *u, uint64_t value)
{
	reserved(u, value, CR2_E2H | CR2_RECINVSID | CR2_PTM, "CR2");
	if (value != u->cr2 && !guarded(u, &u->cr0, CR0_SMMUEN, "CR2"))
		u->cr2 = value;
}

static void write_strtab(struct iommuabs_sim_unit *u, uint64_t *reg,
			 uint64_t value, uint64_t known)
{
	reserved(u, value, known, "STRTAB_BASE or its CFG");
	if (value == *reg || guarded(u, &u->cr0, CR0_SMMUEN, "STRTAB_BASE"))
		return;
	*reg = value;
	u->configs_clean = false;
}

static void write_queue_base(struct iommuabs_sim_unit *u, uint64_t *reg,
			     uint64_t value, uint64_t guard)
{
	unsigned int max = guard == CR0_CMDQEN	 ? u->config.cmdqs
			   : guard == CR0_PRIQEN ? u->config.priqs
						 : u->config.eventqs;

	reserved(u, value, BIT64(62) | Q_BASE_ADDR | MASK64(4, 0),
		 "a queue's base");
	if (Q_BASE_LOG2SIZE(value) > max)
		sim_violation(u->arena, IOMMUABS_SIM_V_REGISTER,
			      "a queue of 2^%u entries, IDR1 allows 2^%u",
			      Q_BASE_LOG2SIZE(value), max);
	if (value != *reg && !guarded(u, &u->cr0, guard, "a queue's base"))
		*reg = value;
}

static uint64_t index_mask(uint64_t base)
{
	return MASK64(Q_BASE_LOG2SIZE(base), 0);
}

/* 3.21.2: PROD moves forward, at most to where the queue is full. */
static void write_cmdq_prod(struct iommuabs_sim_unit *u, uint64_t value)
{
	uint64_t mask = index_mask(u->cmdq_base);
	uint64_t size = BIT64(Q_BASE_LOG2SIZE(u->cmdq_base));
	uint64_t held = (u->cmdq_prod - u->cmdq_cons) & mask;
	uint64_t added = (value - u->cmdq_prod) & mask;
	bool error = (u->gerror ^ u->gerrorn) & GERROR_CMDQ;

	reserved(u, value, mask, "CMDQ_PROD");
	if (u->cr0.ack & CR0_CMDQEN && !error && held + added > size)
		sim_violation(u->arena, IOMMUABS_SIM_V_COMMAND,
			      "CMDQ_PROD moves by %llu, the queue has room for "
			      "%llu",
			      (unsigned long long)added,
			      (unsigned long long)(size - held));
	u->cmdq_prod = value & mask;
}

/* Of an output queue; which moves only up to where it is filled. */
static void write_cons(struct iommuabs_sim_unit *u, uint64_t *cons,
		       uint64_t prod, uint64_t base, uint64_t guard,
		       uint64_t value)
{
	uint64_t mask = index_mask(base);
	uint64_t held = (prod - *cons) & mask, taken = (value - *cons) & mask;

	reserved(u, value, mask | Q_OVFLG, "CONS of a queue");
	if (u->cr0.ack & guard && taken > held)
		sim_violation(u->arena, IOMMUABS_SIM_V_COMMAND,
			      "%s_CONS moves beyond PROD",
			      guard == CR0_PRIQEN ? "PRIQ" : "EVENTQ");
	*cons = value & (mask | Q_OVFLG);
	smmuv3_retry_held(u);
}

/* 6.3.19 ff.: which = 0 event, 1 PRI, 2 GERROR */
static void write_irq_cfg(struct iommuabs_sim_unit *u, uint64_t *reg,
			  unsigned int which, uint64_t value)
{
	static const uint64_t bits[3] = { IRQ_EVENTQ, IRQ_PRIQ, IRQ_GERROR };

	if (value && !u->config.msi)
		sim_violation(u->arena, IOMMUABS_SIM_V_REGISTER,
			      "an MSI configured, IDR0.MSI is 0");
	if (value != *reg &&
	    !guarded(u, &u->irq_ctrl, bits[which], "an IRQ_CFG"))
		*reg = value;
}

static void write_irq_ctrl(struct iommuabs_sim_unit *u, uint64_t value)
{
	uint64_t known =
		IRQ_GERROR | IRQ_EVENTQ | (u->config.pri ? IRQ_PRIQ : 0);

	reserved(u, value, known, "IRQ_CTRL");
	if (value != u->irq_ctrl.value || value != u->irq_ctrl.ack)
		begin_update(u, &u->irq_ctrl, value & known);
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
			return &u->irq_cfg0[i];
		if (offset == first[i] + 8)
			return &u->irq_cfg1[i];
		if (offset == first[i] + 12)
			return &u->irq_cfg2[i];
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
		return u->idr0;
	case R_IDR1:
		return u->idr1;
	case R_IDR3:
		return u->idr3;
	case R_IDR5:
		return u->idr5;
	case R_IIDR:
		return u->config.iidr;
	case R_AIDR:
		return u->config.arch_minor;
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
		return u->cr0.value;
	case R_CR0ACK:
		return u->cr0.ack;
	case R_CR1:
		return u->cr1;
	case R_CR2:
		return u->cr2;
	case R_GBPA:
		return u->gbpa.value;
	case R_IRQ_CTRL:
		return u->irq_ctrl.value;
	case R_IRQ_CTRLACK:
		return u->irq_ctrl.ack;
	case R_GERROR:
		return u->gerror;
	case R_GERRORN:
		return u->gerrorn;
	case R_STRTAB_BASE:
		return u->strtab_base;
	case R_STRTAB_BASE_CFG:
		return u->strtab_cfg;
	case R_CMDQ_BASE:
		return u->cmdq_base;
	case R_CMDQ_PROD:
		return u->cmdq_prod;
	case R_CMDQ_CONS:
		return u->cmdq_cons;
	case R_EVENTQ_BASE:
		return u->eventq_base;
	case R_EVENTQ_PROD:
		return u->eventq_prod;
	case R_EVENTQ_CONS:
		return u->eventq_cons;
	case R_PRIQ_BASE:
		return u->priq_base;
	case R_PRIQ_PROD:
		return u->priq_prod;
	case R_PRIQ_CONS:
		return u->priq_cons;
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
	if (offset == R_PRIQ_BASE && u->config.pri)
		write_queue_base(u, &u->priq_base, value, CR0_PRIQEN);
	else if (offset == R_PRIQ_CONS && u->config.pri)
		write_cons(u, &u->priq_cons, u->priq_prod, u->priq_base,
			   CR0_PRIQEN, value);
	else if (offset != R_PRIQ_PROD || !u->config.pri)
		nowhere(u, offset, value);
	else if (!guarded(u, &u->cr0, CR0_PRIQEN, "PRIQ_PROD"))
		u->priq_prod = value;
}

static void set_queue(struct iommuabs_sim_unit *u, uint32_t offset,
		      uint64_t value)
{
	switch (offset) {
	case R_CMDQ_BASE:
		write_queue_base(u, &u->cmdq_base, value, CR0_CMDQEN);
		return;
	case R_CMDQ_PROD:
		write_cmdq_prod(u, value);
		return;
	case R_CMDQ_CONS:
		if (!guarded(u, &u->cr0, CR0_CMDQEN, "CMDQ_CONS"))
			u->cmdq_cons = value & index_mask(u->cmdq_base);
		return;
	case R_EVENTQ_BASE:
		write_queue_base(u, &u->eventq_base, value, CR0_EVENTQEN);
		return;
	case R_EVENTQ_PROD:
		if (!guarded(u, &u->cr0, CR0_EVENTQEN, "EVENTQ_PROD"))
			u->eventq_prod = value;
		return;
	case R_EVENTQ_CONS:
		write_cons(u, &u->eventq_cons, u->eventq_prod, u->eventq_base,
			   CR0_EVENTQEN, value);
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
		write_strtab(u, &u->strtab_base, value,
			     STRTAB_BASE_ADDR | STRTAB_BASE_RA);
		return;
	case R_STRTAB_BASE_CFG:
		write_strtab(u, &u->strtab_cfg, value,
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
	if (u->config.quirks & IOMMUABS_SIM_QUIRK_PAGE0 &&
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

	u->counters.reads++;
	u->arena->time_us++;
	if (u->dead)
		return width == 8 ? UINT64_MAX : UINT32_MAX;
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
	u->counters.writes++;
	if (u->dead || !access_ok(u, offset, width))
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
	smmuv3_look(u);
}

static uint64_t size_of(const struct iommuabs_sim_unit *u)
{
	return u->config.quirks & IOMMUABS_SIM_QUIRK_PAGE0 ? R_PAGE1 : R_SIZE;
}

struct iommuabs_sim_unit *smmuv3_at(struct iommuabs_sim_arena *a, uint64_t addr)
{
	struct iommuabs_sim_unit *u = a->units;

	while (u && addr - u->config.base >= size_of(u))
		u = u->next;
	return u;
}

uint64_t iommuabs_sim_mmio_read(struct iommuabs_sim_arena *a, uint64_t addr,
				unsigned int width)
{
	struct iommuabs_sim_unit *u;
	uint64_t value = width == 8 ? UINT64_MAX : UINT32_MAX;

	sim_lock(a);
	u = smmuv3_at(a, addr);
	if (u)
		value = smmuv3_read(u, (uint32_t)(addr - u->config.base),
				    width);
	sim_unlock(a);
	return value;
}

void iommuabs_sim_mmio_write(struct iommuabs_sim_arena *a, uint64_t addr,
			     unsigned int width, uint64_t value)
{
	struct iommuabs_sim_unit *u;

	sim_lock(a);
	u = smmuv3_at(a, addr);
	if (u)
		smmuv3_write(u, (uint32_t)(addr - u->config.base), width,
			     value);
	sim_unlock(a);
}

uint64_t iommuabs_sim_port_mmio_read(const void *p, unsigned int width)
{
	struct iommuabs_sim_arena *a = sim_find_mmio((uintptr_t)p);

	if (a)
		return iommuabs_sim_mmio_read(a, (uintptr_t)p, width);
	if (width == 8)
		return *(const volatile uint64_t *)p;
	return *(const volatile uint32_t *)p;
}

void iommuabs_sim_port_mmio_write(void *p, unsigned int width, uint64_t value)
{
	struct iommuabs_sim_arena *a = sim_find_mmio((uintptr_t)p);

	if (a)
		iommuabs_sim_mmio_write(a, (uintptr_t)p, width, value);
	else if (width == 8)
		*(volatile uint64_t *)p = value;
	else
		*(volatile uint32_t *)p = (uint32_t)value;
}
