/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * demo_timeout.c - a command queue hangs: what then?
 *
 * QEMU's units can't hang, so this line of the demonstration is played on the
 * models, as adversaries: the library's stores and barriers are calls into them. Of
 * an SMMU, or with the argument "vtd" of a VT-d unit. Prints TAP.
 */
#include <iommuabs/iommuabs.h>
#include <iommuabs/sim.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define RAM	   0x80000000u
#define SIZE	   ((uint64_t)64 << 20)
#define RW	   (IOMMUABS_READ | IOMMUABS_WRITE)
#define STREAM	   0x10u
#define KEPT	   0x40u  /* gfns */
#define GONE	   0x240u /* in a table of its own, which goes as well */
#define NEVER	   0x41u  /* no guest's, at any time */
#define GONE_TABLE 0x200u
#define TABLE_NR   0x200u

static struct machine {
	enum iommuabs_unit_type type;
	uint64_t base; /* of its registers */
	struct iommuabs *abs;
	struct iommuabs_sim_arena *arena;
	struct iommuabs_sim_unit *hw;
	struct iommuabs_unit *unit;
	struct iommuabs_device *dev[2];
	struct iommuabs_domain *dom[2];
	uint64_t kept, gone; /* machine addresses */
	/* At every moment what each of these may reach: of the first device, and
	 * a gfn of the second's. */
	struct iommuabs_sim_probe *at_kept, *at_gone, *at_never[2];
} m;

static unsigned int nr_checks, nr_failed;

__attribute__((format(printf, 2, 3))) static void check(int passed,
							const char *format, ...)
{
	va_list args;

	nr_checks++;
	nr_failed += !passed;
	printf("%sok %u - ", passed ? "" : "not ", nr_checks);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

static int table_alloc(void *ctx, void *dom, unsigned int lg2, uint32_t flags,
		       uint64_t *maddr)
{
	(void)dom, (void)flags;
	return iommuabs_sim_alloc(ctx, lg2, maddr) ? IOMMUABS_E_NOMEM : 0;
}

static void table_free(void *ctx, void *dom, uint64_t maddr, unsigned int lg2)
{
	(void)dom;
	iommuabs_sim_free(ctx, maddr, lg2);
}

static uint64_t mmio_read(void *ctx, uint64_t addr, unsigned int width)
{
	return iommuabs_sim_mmio_read(ctx, addr, width);
}

static void mmio_write(void *ctx, uint64_t addr, unsigned int width, uint64_t v)
{
	iommuabs_sim_mmio_write(ctx, addr, width, v);
}

static uint64_t time_us(void *ctx)
{
	return iommuabs_sim_time_us(ctx);
}

static int smmu_create(void)
{
	struct iommuabs_sim_smmuv3_config config;

	iommuabs_sim_smmuv3_defaults(&config);
	m.base = config.base;
	return iommuabs_sim_smmuv3_create(m.arena, &config, &m.hw);
}

static int vtd_create(void)
{
	struct iommuabs_sim_vtd_config config;

	iommuabs_sim_vtd_defaults(&config);
	m.base = config.base;
	return iommuabs_sim_vtd_create(m.arena, &config, &m.hw);
}

static int model_create(void)
{
	const struct iommuabs_sim_arena_config ram = {
		.mode = IOMMUABS_SIM_ADVERSARY,
		.base = RAM,
		.length = SIZE,
		.seed = 1,
	};
	int st = iommuabs_sim_arena_create(&ram, &m.arena);

	if (!st)
		st = m.type == IOMMUABS_UNIT_VTD ? vtd_create() : smmu_create();
	if (!st)
		st = iommuabs_sim_alloc(m.arena, 12, &m.kept);
	if (!st)
		st = iommuabs_sim_alloc(m.arena, 12, &m.gone);
	return st;
}

static int devices_add(void)
{
	struct iommuabs_stream_range stream = { .unit = m.unit, .nr = 1 };
	struct iommuabs_device_desc desc = {
		.size = sizeof(desc),
		.streams = &stream,
		.nr_streams = 1,
	};
	int st = 0;

	for (unsigned int i = 0; !st && i < 2; i++) {
		stream.first = STREAM + i;
		st = iommuabs_device_add(m.abs, &desc, &m.dev[i]);
	}
	return st;
}

static int instance_create(void)
{
	const struct iommuabs_range tables = { { RAM >> 12 }, SIZE >> 12 };
	const struct iommuabs_host host = {
		.size = sizeof(host),
		.flags = m.type == IOMMUABS_UNIT_VTD ? IOMMUABS_HOST_REMAPS_IRQS
						     : 0,
		.table_alloc = table_alloc,
		.table_free = table_free,
		.table_ranges = &tables,
		.nr_table_ranges = 1,
		.table_offset = iommuabs_sim_offset(m.arena),
		.mmio_read = mmio_read,
		.mmio_write = mmio_write,
		.time_us = time_us,
	};
	const struct iommuabs_unit_desc unit = {
		.size = sizeof(unit),
		.type = m.type,
		.base = m.base,
	};
	const struct iommuabs_domain_config config = {
		.size = sizeof(config),
		.strategy = IOMMUABS_STRATEGY_MIRROR,
	};
	int st = iommuabs_create(&host, m.arena, &m.abs);

	if (!st)
		st = iommuabs_unit_add(m.abs, &unit, &m.unit);
	if (!st)
		st = devices_add();
	for (unsigned int i = 0; !st && i < 2; i++)
		st = iommuabs_domain_create(m.abs, &config, &m.dom[i]);
	return st ? st : iommuabs_start(m.abs);
}

static int memory_map(unsigned int dom, uint64_t gfn, uint64_t maddr)
{
	return iommuabs_domain_map(m.dom[dom], IOMMUABS_GFN(gfn),
				   IOMMUABS_MFN(maddr >> 12), 1, RW, NULL);
}

static int attach(unsigned int i)
{
	return iommuabs_device_attach(m.dev[i], m.dom[i], NULL, 0);
}

/* What device 0 reads at @gfn; 0: blocked. */
static uint64_t dma_read(uint64_t gfn)
{
	uint64_t word = 0;
	struct iommuabs_sim_dma dma = {
		.sid = STREAM,
		.addr = gfn << 12,
		.len = sizeof(word),
		.data = &word,
	};

	return iommuabs_sim_dma(m.hw, &dma) ? word : 0;
}

/* A line: device_explain() says @obstacle about a read of device 0. */
static void explain_check(const char *what, uint64_t gfn,
			  enum iommuabs_obstacle obstacle)
{
	struct iommuabs_explanation why = { .size = sizeof(why) };
	int st = iommuabs_device_explain(m.dev[0], IOMMUABS_GFN(gfn),
					 IOMMUABS_READ, &why);

	check(!st && why.obstacle == obstacle,
	      "device_explain names the obstacle of %s: \"%s\", entry %llx",
	      what, why.text, (unsigned long long)why.entry);
}

static struct iommuabs_unit_state unit_state(void)
{
	struct iommuabs_unit_state state = { .size = sizeof(state) };

	if (iommuabs_unit_state(m.unit, &state))
		state.status = IOMMUABS_UNIT_DEAD;
	return state;
}

/* Is @maddr reported as withheld? Its one user, if so. */
static int is_withheld(uint64_t maddr)
{
	struct iommuabs_frame_user users[2];
	uint64_t cursor = 0;
	uint32_t nr = 0;

	return !iommuabs_frame_users(m.abs, IOMMUABS_MFN(maddr >> 12), &cursor,
				     users, 2, &nr) &&
	       nr == 1 && users[0].state == IOMMUABS_FRAME_WITHHELD;
}

static int set_up(void)
{
	int st = model_create();

	if (!st)
		st = instance_create();
	if (!st)
		st = memory_map(0, KEPT, m.kept);
	if (!st)
		st = memory_map(0, GONE, m.gone);
	if (!st)
		st = attach(0);
	if (st)
		return st;
	iommuabs_sim_dev_store64(iommuabs_sim_ptr(m.arena, m.kept), 0x4e97);
	iommuabs_sim_dev_store64(iommuabs_sim_ptr(m.arena, m.gone), 0x60e);
	iommuabs_sim_dev_mb();
	return 0;
}

static struct iommuabs_sim_probe *probe_add(unsigned int i, uint64_t gfn,
					    const uint64_t *outcomes,
					    unsigned int nr)
{
	struct iommuabs_sim_probe *probe =
		iommuabs_sim_probe_add(m.hw, STREAM + i, gfn << 12, 0);

	if (probe)
		(void)iommuabs_sim_probe_allow(probe, outcomes, nr);
	return probe;
}

/* From before the hang on: a frame that is mapped may be reached or blocked. */
static int probes_add(void)
{
	const uint64_t kept[] = { IOMMUABS_SIM_BLOCKED, m.kept };
	const uint64_t gone[] = { IOMMUABS_SIM_BLOCKED, m.gone };

	m.at_kept = probe_add(0, KEPT, kept, 2);
	m.at_gone = probe_add(0, GONE, gone, 2);
	for (unsigned int i = 0; i < 2; i++)
		m.at_never[i] = probe_add(i, NEVER, kept, 1);
	return m.at_kept && m.at_gone && m.at_never[0] && m.at_never[1]
		       ? 0
		       : IOMMUABS_E_NOMEM;
}

static void probes_remove(void)
{
	iommuabs_sim_probe_remove(m.at_kept);
	iommuabs_sim_probe_remove(m.at_gone);
	for (unsigned int i = 0; i < 2; i++)
		iommuabs_sim_probe_remove(m.at_never[i]);
}

/* One interrupt for device @i, the n-th in its unit's table. */
static int irq_give(unsigned int i, uint32_t vector, uint32_t *n)
{
	const struct iommuabs_irq_target target = {
		.size = sizeof(target),
		.vector = vector,
	};
	int st = iommuabs_irq_alloc(m.dev[i], STREAM + i, 1, n);

	return st ? st : iommuabs_irq_set(m.dev[i], *n, &target);
}

/* Of all that may become of it: what gets through, and by which vector, the last. */
static unsigned int irq_arrivals(unsigned int i, uint64_t address,
				 unsigned int *vector)
{
	const struct iommuabs_sim_interrupt message = {
		.sid = (uint16_t)(STREAM + i),
		.addr = address,
	};
	struct iommuabs_sim_interrupt out[8];
	unsigned int nr, arrivals = 0;

	*vector = 0;
	nr = iommuabs_sim_vtd_interrupt_outcomes(m.hw, &message, out, 8);
	for (unsigned int k = 0; k < nr; k++) {
		if (out[k].blocked)
			continue;
		arrivals++;
		*vector = out[k].vector;
	}
	return arrivals;
}

/* QEMU's unit keeps no entries. This one may keep any that it could read. */
static void interrupt_reused(void)
{
	struct iommuabs_irq_message message = { 0 };
	unsigned int before, old, anew, vectors[3];
	uint32_t first = 0, second = 0;
	int st = irq_give(0, 0x41, &first);

	if (!st)
		st = iommuabs_irq_msi(m.dev[0], first, &message);
	before = irq_arrivals(0, message.address, &vectors[0]);
	if (!st)
		st = iommuabs_irq_free(m.dev[0], first);
	if (!st)
		st = irq_give(1, 0x51, &second);
	old = irq_arrivals(0, message.address, &vectors[1]);
	anew = irq_arrivals(1, message.address, &vectors[2]);
	if (!st)
		st = iommuabs_irq_free(m.dev[1], second);
	check(!st && first == second && before == 1 && vectors[0] == 0x41 &&
		      !old && anew == 1 && vectors[2] == 0x51,
	      "an interrupt is given anew: entry %u is one device's, vector "
	      "%x, then another's, %x; nothing that the unit may have kept "
	      "lets the first through: %u ways",
	      second, vectors[0], vectors[2], old);
}

static void hang(void)
{
	struct iommuabs_unit_state state;
	uint64_t kept = dma_read(KEPT), gone = dma_read(GONE);
	uint64_t never = dma_read(NEVER);
	unsigned int violations = iommuabs_sim_violations(m.arena);
	uint64_t from = iommuabs_sim_time_us(m.arena);
	int st;

	iommuabs_sim_plant(m.hw, IOMMUABS_SIM_CMDQ_HANG, 1, 0);
	st = iommuabs_domain_unmap(m.dom[0], IOMMUABS_GFN(GONE_TABLE), TABLE_NR,
				   NULL);
	state = unit_state();
	violations = iommuabs_sim_violations(m.arena) - violations;
	check(st == IOMMUABS_E_TIMEOUT &&
		      state.status == IOMMUABS_UNIT_FENCED && kept == 0x4e97 &&
		      gone == 0x60e && !never && !violations,
	      "a hung command queue: unmap of gfn %x answers %d after %llu us, "
	      "the unit is fenced: \"%s\"; gfns read %llx and %llx before, gfn "
	      "%x, which was never mapped, %llx; DMA tried at every store "
	      "between reached nothing else: %u violations",
	      GONE, st,
	      (unsigned long long)(iommuabs_sim_time_us(m.arena) - from),
	      state.reason, (unsigned long long)kept, (unsigned long long)gone,
	      NEVER, (unsigned long long)never, violations);
}

/* From now on all is to be blocked. How much of what is possible now is not? */
static unsigned int probes_block(void)
{
	const uint64_t blocked = IOMMUABS_SIM_BLOCKED;

	return iommuabs_sim_probe_allow(m.at_gone, &blocked, 1) +
	       iommuabs_sim_probe_allow(m.at_kept, &blocked, 1);
}

static void fenced(void)
{
	unsigned int others = probes_block();
	uint64_t kept = dma_read(KEPT), gone = dma_read(GONE);
	int attached, recover, owned;

	check(!others && !kept && !gone,
	      "while it is fenced all DMA is blocked: gfns read %llx and %llx",
	      (unsigned long long)kept, (unsigned long long)gone);
	explain_check("a read while its unit is fenced", GONE,
		      IOMMUABS_OBSTACLE_FENCED);
	owned = memory_map(1, KEPT, m.gone);
	check(is_withheld(m.gone) && owned == IOMMUABS_E_PERM,
	      "while it is fenced the frame is withheld: another guest gets "
	      "%d for mfn %llx",
	      owned, (unsigned long long)m.gone >> 12);
	attached = attach(1);
	iommuabs_sim_plant(m.hw, IOMMUABS_SIM_CR0_IGNORED, 1, 0);
	recover = iommuabs_unit_recover(m.unit, 0);
	check(attached == IOMMUABS_E_FENCED && recover == IOMMUABS_E_TIMEOUT,
	      "while it hangs attach answers %d and recover %d", attached,
	      recover);
	others = probes_block();
	kept = dma_read(KEPT);
	gone = dma_read(GONE);
	check(!others && !kept && !gone,
	      "after the recover that failed all DMA is blocked: gfns read "
	      "%llx and %llx",
	      (unsigned long long)kept, (unsigned long long)gone);
	explain_check("a read after the recover that failed", KEPT,
		      IOMMUABS_OBSTACLE_FENCED);
}

static void recovered(void)
{
	struct iommuabs_unit_state state;
	uint64_t kept, gone;
	const uint64_t outcomes[] = { IOMMUABS_SIM_BLOCKED, m.kept };
	int st, owned;

	iommuabs_sim_heal(m.hw);
	(void)iommuabs_sim_probe_allow(m.at_kept, outcomes, 2);
	st = iommuabs_unit_recover(m.unit, 0);
	state = unit_state();
	kept = dma_read(KEPT);
	gone = dma_read(GONE);
	check(!st && state.status == IOMMUABS_UNIT_RUNNING && kept == 0x4e97 &&
		      !gone,
	      "recovered: gfn %x reads %llx, gfn %x is blocked: %llx", KEPT,
	      (unsigned long long)kept, GONE, (unsigned long long)gone);
	explain_check("a read of what went while its unit was fenced", GONE,
		      IOMMUABS_OBSTACLE_NOT_MAPPED);
	owned = memory_map(1, KEPT, m.gone);
	st = attach(1);
	check(!owned && !st,
	      "recovered: mfn %llx is free for another guest: %d",
	      (unsigned long long)m.gone >> 12, owned);
}

static void tear_down(void)
{
	/* A VT-d unit that is stopped blocks by a root table without entries. */
	const uint64_t left = 2 + (m.type == IOMMUABS_UNIT_VTD);
	unsigned int violations;
	int st = 0;

	for (unsigned int i = 0; !st && i < 2; i++) {
		st = iommuabs_device_detach(m.dev[i], 0);
		if (!st)
			st = iommuabs_domain_destroy(m.dom[i], 0);
	}
	probes_remove();
	if (!st)
		st = iommuabs_stop(m.abs);
	if (!st)
		st = iommuabs_destroy(m.abs);
	violations = iommuabs_sim_violations(m.arena);
	check(!st && !violations && iommuabs_sim_pages_used(m.arena) == left,
	      "nothing is left, and DMA tried at every store and register "
	      "access reached nothing forbidden: %u violations: %s",
	      violations,
	      violations ? iommuabs_sim_violation_text(m.arena, 0) : "none");
}

int main(int argc, char **argv)
{
	int st;

	m.type = argc > 1 && !strcmp(argv[1], "vtd") ? IOMMUABS_UNIT_VTD
						     : IOMMUABS_UNIT_SMMUV3;
	st = set_up();
	if (!st)
		st = probes_add();
	if (st) {
		check(0, "set-up: %s", iommuabs_strerror(st));
	} else {
		if (m.type == IOMMUABS_UNIT_VTD)
			interrupt_reused();
		hang();
		fenced();
		recovered();
		tear_down();
	}
	iommuabs_sim_arena_destroy(m.arena);
	printf("1..%u\n", nr_checks);
	return nr_failed != 0;
}
