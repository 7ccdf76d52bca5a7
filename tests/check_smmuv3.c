/* SPDX-License-Identifier: BSD-2-Clause */
#include "test_smmu.h"

#include <pthread.h>
#include <string.h>

#include "harness.h"
#include "backends/smmu/smmuv3.h"
#include "test_needs.h"
#include "test_sanitizers.h"

#if IOMMUABS_CONFIG_SMMU

#define RW    (IOMMUABS_READ | IOMMUABS_WRITE)
#define SID   ((uint32_t)0x123)
#define GFN   ((uint64_t)0x40000)
#define MFN   ((uint64_t)0x20000)
#define VMID  0x1207 /* more than 8 bits */
#define WRITE IOMMUABS_SIM_DMA_WRITE

#define S12_VMALL  0x28
#define S2_IPA	   0x2a
#define NSNH_ALL   0x30
#define OP_SYNC	   0x46
#define EVENT_SIZE 512

static const uint32_t units[] = {
	SMMU_ABORTS,
	SMMU_ABORTS | SMMU_NONCOHERENT,
	SMMU_ABORTS | SMMU_NO_RIL | SMMU_BBML0,
	SMMU_ABORTS | SMMU_TINY_QUEUES | SMMU_NESTED_EL2,
	SMMU_ABORTS | SMMU_STAGE1,
	SMMU_ABORTS | SMMU_STAGE1 | SMMU_NONCOHERENT | SMMU_TINY_QUEUES,
};
#define NR_UNITS ((int)IA_COUNT(units))

/* A unit with one guest, whose device is SID. */
struct world {
	struct driver_machine m;
	struct driver_guest g;
	struct backend_unit *unit;
	const struct backend_ops *ops;
};

static void world_new(struct world *w, uint32_t flags)
{
	smmu_machine_new(&w->m, flags);
	w->unit = &w->m.unit;
	w->ops = w->unit->ops;
	driver_guest_new(&w->m, &w->g, VMID, 40);
	driver_guest_map(&w->g, GFN, MFN, 16, RW);
	ck_assert_int_eq(w->ops->streams_reserve(w->unit, SID, 1), 0);
}

static void world_delete(struct world *w)
{
	ck_assert_int_eq(w->ops->disable(w->unit), 0);
	driver_guest_delete(&w->g);
	driver_machine_delete(&w->m);
}

static void world_start(struct world *w, uint32_t flags)
{
	world_new(w, flags);
	ck_assert_int_eq(w->ops->enable(w->unit), 0);
	ck_assert_int_eq(w->ops->stream_set(w->unit, SID, 1, &w->g.table, 0),
			 0);
}

static struct iommuabs_sim_counters counters(struct world *w)
{
	struct iommuabs_sim_counters c;

	iommuabs_sim_counters(w->m.sim, &c);
	return c;
}

static int dma(struct world *w, uint32_t sid, uint64_t gfn, uint32_t flags)
{
	return driver_dma(&w->m, sid, gfn << 12, flags);
}

/* ---- blocking ---- */

START_TEST(enable_blocks_every_stream_and_disable_too)
{
	static const uint32_t sids[] = { 0, SID, SID + 1, 0xffff, 0x10000 };
	struct world w;
	unsigned int i, on;

	world_new(&w, units[_i]);
	for (on = 0; on < 2; on++) {
		ck_assert_int_eq(
			on ? w.ops->disable(w.unit) : w.ops->enable(w.unit), 0);
		ck_assert_int_eq(w.unit->enabled, !on);
		for (i = 0; i < IA_COUNT(sids); i++)
			ck_assert_int_eq(dma(&w, sids[i], GFN, 0), 0);
	}
	world_delete(&w);
}
END_TEST

START_TEST(a_unit_that_came_in_bypass_never_goes_back_there)
{
	const uint64_t blocked = IOMMUABS_SIM_BLOCKED;
	struct iommuabs_sim_probe *probe;
	struct world w;

	world_new(&w, 0);
	ck_assert_int_eq(dma(&w, SID, GFN, 0), 1);
	ck_assert_int_eq(w.ops->enable(w.unit), 0);
	ck_assert_int_eq(dma(&w, SID, GFN, 0), 0);
	probe = iommuabs_sim_probe_add(w.m.sim, SID, GFN << 12, 0);
	ck_assert_uint_eq(iommuabs_sim_probe_allow(probe, &blocked, 1), 0);
	ck_assert_int_eq(w.ops->fence(w.unit), 0);
	ck_assert_int_eq(w.ops->enable(w.unit), 0);
	ck_assert_int_eq(w.ops->disable(w.unit), 0);
	ck_assert_int_eq(w.ops->enable(w.unit), 0);
	iommuabs_sim_probe_remove(probe);
	world_delete(&w);
}
END_TEST

START_TEST(a_fence_without_gbpa_abort_leaves_smmuen_alone)
{
	struct world w;

	world_start(&w, SMMU_ABORTS);
	iommuabs_sim_plant(w.m.sim, IOMMUABS_SIM_GBPA_STUCK, 1, 0);
	ck_assert_int_eq(w.ops->fence(w.unit), IOMMUABS_E_TIMEOUT);
	ck_assert_ptr_nonnull(strstr(w.unit->reason, "GBPA"));
	ck_assert_int_eq(w.unit->enabled, 1);
	ck_assert_uint_eq(hostif_read32(&w.unit->regs, SMMU_CR0) &
				  SMMU_CR0_SMMUEN,
			  SMMU_CR0_SMMUEN);
	ck_assert_int_eq(dma(&w, SID, GFN, 0), 1);
	iommuabs_sim_heal(w.m.sim);
	iommuabs_sim_mmio_read(w.m.arena, 0x09050000, 4);
	ck_assert_int_eq(w.ops->fence(w.unit), 0);
	ck_assert_int_eq(dma(&w, SID, GFN, 0), 0);
	world_delete(&w);
}
END_TEST

/* GBPA of somebody whose update is not over yet. */
static struct {
	struct iommuabs_host ops;
	unsigned int looks, writes, too_early;
} gbpa;

static uint64_t gbpa_read(void *ctx, uint64_t addr, unsigned int width)
{
	uint64_t value = gbpa.ops.mmio_read(ctx, addr, width);

	if ((addr & 0xffff) == 0x44 && gbpa.looks && gbpa.looks--)
		value |= 1u << 31;
	return value;
}

static void gbpa_write(void *ctx, uint64_t addr, unsigned int width,
		       uint64_t value)
{
	if ((addr & 0xffff) == 0x44) {
		gbpa.writes++;
		gbpa.too_early += gbpa.looks != 0;
	}
	gbpa.ops.mmio_write(ctx, addr, width, value);
}

/* 6.3.14: what is written while Update is 1 may be lost. */
START_TEST(an_update_of_gbpa_waits_for_the_one_before)
{
	struct world w;

	world_start(&w, 0);
	gbpa.ops = w.m.host.ops;
	gbpa.looks = 3;
	gbpa.writes = gbpa.too_early = 0;
	w.m.host.ops.mmio_read = gbpa_read;
	w.m.host.ops.mmio_write = gbpa_write;
	ck_assert_int_eq(_i ? w.ops->crash_block(w.unit) : w.ops->fence(w.unit),
			 0);
	ck_assert_uint_eq(gbpa.writes, 1);
	ck_assert_uint_eq(gbpa.too_early, 0);
	w.m.host.ops = gbpa.ops;
	world_delete(&w);
}
END_TEST

START_TEST(after_a_crash_a_unit_blocks_whoever_holds_its_lock)
{
	uint64_t (*time_us)(void *ctx);
	struct world w;

	world_start(&w, 0);
	ia_lock(&w.m.host, &w.unit->lock);
	time_us = w.m.host.ops.time_us;
	w.m.host.ops.time_us = NULL;
	ck_assert_int_eq(w.ops->crash_block(w.unit), 0);
	ck_assert_int_eq(dma(&w, SID, GFN, 0), 0);
	/* Who has not heard of it finds the unit off, and waits for nothing. */
	ck_assert_int_eq(w.unit->enabled, 0);
	ck_assert_int_eq(w.ops->crash_block(w.unit), 0);
	/* What can't be made to abort goes on translating. */
	ia_unlock(&w.m.host, &w.unit->lock);
	w.m.host.ops.time_us = time_us;
	ck_assert_int_eq(w.ops->enable(w.unit), 0);
	iommuabs_sim_plant(w.m.sim, IOMMUABS_SIM_GBPA_STUCK, 1, 0);
	ck_assert_int_eq(w.ops->crash_block(w.unit), IOMMUABS_E_TIMEOUT);
	ck_assert_int_eq(dma(&w, SID, GFN, 0), 1);
	ck_assert_int_eq(dma(&w, SID + 1, GFN, 0), 0);
	iommuabs_sim_heal(w.m.sim);
	world_delete(&w);
}
END_TEST

/* ---- invalidation ---- */

START_TEST(what_was_unmapped_is_out_of_reach_after_invalidate)
{
	const uint64_t both[] = { IOMMUABS_SIM_BLOCKED, (MFN + 3) << 12 };
	struct iommuabs_sim_probe *probe;
	struct world w;

	world_start(&w, units[_i]);
	probe = iommuabs_sim_probe_add(w.m.sim, SID, (GFN + 3) << 12, 0);
	ck_assert_uint_eq(iommuabs_sim_probe_allow(probe, both, 2), 0);
	ck_assert_int_eq(dma(&w, SID, GFN + 3, 0), 1);
	driver_guest_unmap(&w.g, GFN + 3, 1);
	ck_assert_int_eq(driver_guest_forget(&w.g, GFN + 3, 1), 0);
	ck_assert_uint_eq(iommuabs_sim_probe_allow(probe, both, 1), 0);
	ck_assert_int_eq(dma(&w, SID, GFN + 3, 0), 0);
	ck_assert_int_eq(dma(&w, SID, GFN + 2, WRITE), 1);
	iommuabs_sim_probe_remove(probe);
	world_delete(&w);
}
END_TEST

static const struct {
	uint32_t flags;
	uint64_t gfn, nr;      /* nr 0: no range */
	uint64_t ipas, vmalls; /* commands expected */
} costs[] = {
	{ 0, GFN, 1, 1, 0 },
	{ 0, GFN, 16, 1, 0 },
	{ 0, GFN + 1, 31, 1, 0 },
	{ 0, GFN, 33, 2, 0 }, /* one granule apart from a range of 32 */
	{ 0, 0, (uint64_t)1 << 28, 1, 0 },
	{ 0, 0, ((uint64_t)1 << 28) - 1, 6, 0 },
	{ 0, 0, ((uint64_t)1 << 32) - 1, 7, 0 },
	{ 0, 0, (uint64_t)1 << 32, 0, 1 }, /* SCALE has five bits */
	{ 0, 0, (uint64_t)1 << 36, 0, 1 },
	{ 0, GFN, 0, 0, 1 },
	{ SMMU_NO_RIL, GFN, 1, 1, 0 },
	{ SMMU_NO_RIL, GFN, 64, 64, 0 },
	{ SMMU_NO_RIL, GFN, 65, 0, 1 },
	{ SMMU_NO_RIL, 0, (uint64_t)1 << 28, 0, 1 },
};

START_TEST(an_invalidation_costs_one_sync_and_few_commands)
{
	const struct backend_range range = { costs[_i].gfn, costs[_i].nr };
	const struct backend_inv inv = {
		.id = VMID,
		.ranges = &range,
		.nr = costs[_i].nr != 0,
		.any_level = 1,
		.granule_lg2 = 12,
	};
	struct iommuabs_sim_counters before, after;
	uint64_t first = range.gfn << 12, step = range.nr / 50 + 1, at;
	struct world w;

	world_start(&w, costs[_i].flags);
	before = counters(&w);
	ck_assert_int_eq(w.ops->invalidate(w.unit, &inv, NULL), 0);
	after = counters(&w);
	ck_assert_uint_eq(after.by_opcode[S2_IPA] - before.by_opcode[S2_IPA],
			  costs[_i].ipas);
	ck_assert_uint_eq(after.by_opcode[S12_VMALL] -
				  before.by_opcode[S12_VMALL],
			  costs[_i].vmalls);
	ck_assert_uint_eq(after.syncs - before.syncs, 1);
	ck_assert_uint_eq(w.unit->commands, after.commands);
	for (at = 0; at < range.nr; at += step)
		ck_assert_uint_ge(iommuabs_sim_tlbi_covering(w.m.sim, VMID,
							     first + (at << 12),
							     before.commands),
				  1);
	/* Neither another VMID nor, by range, a frame beside it. */
	ck_assert_uint_eq(iommuabs_sim_tlbi_covering(w.m.sim, VMID + 1, first,
						     before.commands),
			  0);
	if (!costs[_i].vmalls)
		ck_assert_uint_eq(
			iommuabs_sim_tlbi_covering(w.m.sim, VMID,
						   first + (range.nr << 12),
						   before.commands),
			0);
	world_delete(&w);
}
END_TEST

START_TEST(hints_are_given_only_where_levels_are_known)
{
	struct backend_range range = { GFN, 2 };
	struct backend_inv inv = { VMID, &range, 1, 0, 12 };
	uint64_t words[2], nr;
	struct world w;

	world_start(&w, 0);
	for (inv.any_level = 0; inv.any_level < 2; inv.any_level++) {
		nr = counters(&w).commands;
		ck_assert_int_eq(w.ops->invalidate(w.unit, &inv, NULL), 0);
		ck_assert_int_eq(iommuabs_sim_command(w.m.sim, nr, words), 1);
		ck_assert_uint_eq(words[0] & 0xff, S2_IPA);
		ck_assert_uint_eq(words[1] & 1, !inv.any_level); /* Leaf */
		ck_assert_uint_eq(words[1] >> 8 & 3, 0);	 /* TTL */
	}
	/* A granule of 64K: whole granules. */
	range.gfn = GFN + 5;
	range.nr = 12;
	inv.granule_lg2 = 16;
	nr = counters(&w).commands;
	ck_assert_int_eq(w.ops->invalidate(w.unit, &inv, NULL), 0);
	ck_assert_int_eq(iommuabs_sim_command(w.m.sim, nr, words), 1);
	ck_assert_uint_eq(words[1] & ~(uint64_t)0xfff, GFN << 12);
	ck_assert_uint_eq(words[1] >> 10 & 3, 3); /* TG */
	ck_assert_uint_eq((words[0] >> 12 & 31) + 1, 1);
	ck_assert_uint_eq(words[0] >> 20 & 31, 1); /* 2 granules */
	world_delete(&w);
}
END_TEST

START_TEST(a_unit_that_is_off_is_left_alone)
{
	struct iommuabs_sim_counters before, after;
	struct world w;

	world_new(&w, 0);
	before = counters(&w);
	ck_assert_int_eq(driver_guest_forget(&w.g, GFN, 1), 0);
	ck_assert_int_eq(w.ops->stream_set(w.unit, SID, 1, NULL, 0), 0);
	ck_assert_int_eq(w.ops->errors(w.unit), 0);
	ck_assert_uint_eq(w.ops->events(w.unit, NULL, 1), 0);
	after = counters(&w);
	ck_assert_uint_eq(after.writes, before.writes);
	ck_assert_uint_eq(after.reads, before.reads);
	world_delete(&w);
}
END_TEST

/* ---- hardware that doesn't answer ---- */

/* Attach, change, take away: whatever waits there are. */
static int scenario(struct world *w)
{
	int ret = w->ops->enable(w->unit);

	if (!ret)
		ret = w->ops->stream_set(w->unit, SID, 1, &w->g.table, 0);
	if (!ret)
		ret = driver_guest_forget(&w->g, GFN, 16);
	if (!ret)
		ret = w->ops->stream_set(w->unit, SID, 1, NULL, 0);
	if (!ret)
		ret = w->ops->disable(w->unit);
	return ret;
}

START_TEST(every_wait_times_out_once_and_the_unit_recovers)
{
	const uint64_t allowed[] = { IOMMUABS_SIM_BLOCKED, MFN << 12 };
	struct iommuabs_sim_probe *probe;
	unsigned int n, hits = 0;
	struct world w;
	int ret;

	world_new(&w, units[_i]);
	probe = iommuabs_sim_probe_add(w.m.sim, SID, GFN << 12, 0);
	ck_assert_uint_eq(iommuabs_sim_probe_allow(probe, allowed, 2), 0);
	for (n = 1; n < 100; n++) {
		iommuabs_sim_plant(w.m.sim, IOMMUABS_SIM_WAIT_HANG, n, 0);
		ret = scenario(&w);
		iommuabs_sim_heal(w.m.sim);
		if (!ret)
			break;
		hits++;
		ck_assert_int_eq(ret, IOMMUABS_E_TIMEOUT);
		ck_assert_ptr_nonnull(strstr(w.unit->reason, "no answer"));
		ck_assert_int_eq(w.ops->fence(w.unit), 0);
		ck_assert_int_eq(w.unit->enabled, 0);
		ck_assert_int_eq(dma(&w, SID, GFN, 0), 0);
		ck_assert_int_eq(w.ops->enable(w.unit), 0);
		ck_assert_int_eq(
			w.ops->stream_set(w.unit, SID, 1, &w.g.table, 0), 0);
		ck_assert_int_eq(dma(&w, SID, GFN, 0), 1);
		ck_assert_int_eq(w.ops->stream_set(w.unit, SID, 1, NULL, 0), 0);
		driver_no_violations(&w.m);
	}
	ck_assert_uint_ge(hits, 15);
	ck_assert_uint_lt(n, 100);
	iommuabs_sim_probe_remove(probe);
	world_delete(&w);
}
END_TEST

START_TEST(xsa_373_a_hung_queue_is_a_timeout_and_can_be_fenced)
{
	static const enum iommuabs_sim_fault faults[] = {
		IOMMUABS_SIM_CMDQ_HANG,
		IOMMUABS_SIM_SYNC_HANG,
	};
	struct world w;
	uint64_t start;

	world_start(&w, SMMU_ABORTS);
	iommuabs_sim_plant(w.m.sim, faults[_i], 1, 0);
	start = iommuabs_sim_time_us(w.m.arena);
	ck_assert_int_eq(driver_guest_forget(&w.g, GFN, 1), IOMMUABS_E_TIMEOUT);
	ck_assert_uint_lt(iommuabs_sim_time_us(w.m.arena) - start,
			  BACKEND_TIMEOUT_US + 1000);
	ck_assert_ptr_nonnull(strstr(w.unit->reason, "CMD_SYNC"));
	ck_assert_int_eq(w.ops->fence(w.unit), 0);
	ck_assert_int_eq(dma(&w, SID, GFN, 0), 0);
	iommuabs_sim_heal(w.m.sim);
	ck_assert_int_eq(w.ops->enable(w.unit), 0);
	ck_assert_int_eq(dma(&w, SID, GFN, 0), 1);
	ck_assert_int_eq(driver_guest_forget(&w.g, GFN, 1), 0);
	world_delete(&w);
}
END_TEST

START_TEST(an_answer_that_comes_much_too_late_is_none)
{
	struct world w;

	world_start(&w, SMMU_ABORTS);
	iommuabs_sim_plant(w.m.sim, IOMMUABS_SIM_SYNC_HANG, 1,
			   2 * BACKEND_TIMEOUT_US);
	ck_assert_int_eq(driver_guest_forget(&w.g, GFN, 1), IOMMUABS_E_TIMEOUT);
	iommuabs_sim_heal(w.m.sim);
	ck_assert_int_eq(w.ops->fence(w.unit), 0);
	world_delete(&w);
}
END_TEST

START_TEST(a_full_queue_is_waited_for_and_not_for_ever)
{
	struct backend_range ranges[20];
	struct backend_inv inv = { VMID, ranges, 20, 1, 12 };
	struct iommuabs_sim_counters before, after;
	struct world w;
	unsigned int i;

	world_start(&w, SMMU_TINY_QUEUES);
	for (i = 0; i < 20; i++)
		ranges[i] = (struct backend_range){ GFN + 2 * i, 1 };
	before = counters(&w);
	ck_assert_int_eq(w.ops->invalidate(w.unit, &inv, NULL), 0);
	after = counters(&w);
	ck_assert_uint_eq(after.by_opcode[S2_IPA] - before.by_opcode[S2_IPA],
			  20);
	ck_assert_uint_eq(after.syncs - before.syncs, 1);
	iommuabs_sim_plant(w.m.sim, IOMMUABS_SIM_CMDQ_HANG, 1, 0);
	ck_assert_int_eq(w.ops->invalidate(w.unit, &inv, NULL),
			 IOMMUABS_E_TIMEOUT);
	ck_assert_ptr_nonnull(strstr(w.unit->reason, "no room"));
	iommuabs_sim_heal(w.m.sim);
	ck_assert_int_eq(w.ops->enable(w.unit), 0);
	ck_assert_int_eq(w.ops->invalidate(w.unit, &inv, NULL), 0);
	world_delete(&w);
}
END_TEST

/* 3.5.1: full is not empty, and nothing is put over what was not consumed. */
START_TEST(a_queue_is_filled_to_its_last_place_and_no_further)
{
	struct backend_range ranges[7];
	struct backend_inv inv = { VMID, ranges, 7, 1, 12 };
	struct world w;
	unsigned int i;

	world_start(&w, SMMU_TINY_QUEUES | SMMU_ABORTS);
	for (i = 0; i < 7; i++)
		ranges[i] = (struct backend_range){ GFN + 2 * i, 1 };
	/* Seven commands and their CMD_SYNC are all that there is room for. */
	ck_assert_int_eq(w.ops->invalidate(w.unit, &inv, NULL), 0);
	iommuabs_sim_plant(w.m.sim, IOMMUABS_SIM_CMDQ_HANG, 0, 0);
	inv.nr = 7 - (unsigned int)_i;
	ck_assert_int_eq(w.ops->invalidate(w.unit, &inv, NULL),
			 IOMMUABS_E_TIMEOUT);
	ck_assert_ptr_nonnull(strstr(w.unit->reason, "CMD_SYNC"));
	inv.nr = 1;
	ck_assert_int_eq(w.ops->invalidate(w.unit, &inv, NULL),
			 IOMMUABS_E_TIMEOUT);
	ck_assert_ptr_nonnull(strstr(w.unit->reason, "no room"));
	iommuabs_sim_heal(w.m.sim);
	ck_assert_int_eq(w.ops->enable(w.unit), 0);
	world_delete(&w);
}
END_TEST

/*
 * Each time between two looks at the clock the deadline passes, and the unit has
 * done what it was told.
 */
static struct {
	struct world *w;
	uint64_t (*time_us)(void *ctx);
	uint64_t ahead;
	unsigned int looks;
} leaping;

static uint64_t leaping_time(void *ctx)
{
	unsigned int i;

	if (leaping.looks++ % 2) {
		leaping.ahead += 2 * BACKEND_TIMEOUT_US;
		for (i = 0; i < 100; i++)
			(void)iommuabs_sim_mmio_read(leaping.w->m.arena,
						     leaping.w->unit->regs.base,
						     4);
	}
	return leaping.time_us(ctx) + leaping.ahead;
}

START_TEST(who_was_away_for_long_looks_once_more)
{
	struct world w;

	world_start(&w, SMMU_ABORTS);
	leaping.w = &w;
	leaping.time_us = w.m.host.ops.time_us;
	leaping.ahead = leaping.looks = 0;
	w.m.host.ops.time_us = leaping_time;
	ck_assert_int_eq(driver_guest_forget(&w.g, GFN, 1), 0);
	ck_assert_int_eq(w.ops->fence(w.unit), 0);
	ck_assert_int_eq(w.ops->enable(w.unit), 0);
	ck_assert_uint_gt(leaping.ahead, 0);
	w.m.host.ops.time_us = leaping.time_us;
	world_delete(&w);
}
END_TEST

/* What another CPU takes away between the write to SMMUEN and its answer. */
static struct {
	struct world *w;
	void (*mmio_write)(void *ctx, uint64_t addr, unsigned int width,
			   uint64_t value);
	unsigned int taken;
} enabling;

static void enabling_write(void *ctx, uint64_t addr, unsigned int width,
			   uint64_t value)
{
	struct world *w = enabling.w;
	unsigned int i;

	enabling.mmio_write(ctx, addr, width, value);
	if (addr != w->unit->regs.base + 0x20 || !(value & 1) ||
	    enabling.taken++)
		return;
	(void)dma(w, SID, GFN, 0);
	driver_guest_unmap(&w->g, GFN, 1);
	ck_assert_int_eq(driver_guest_forget(&w->g, GFN, 1), 0);
	/* One of what it might do, each time. */
	for (i = 0; i < 64; i++)
		ck_assert_int_eq(dma(w, SID, GFN, 0), 0);
}

START_TEST(who_takes_away_while_a_unit_is_enabled_tells_it)
{
	struct world w;

	world_new(&w, SMMU_ABORTS);
	ck_assert_int_eq(w.ops->stream_set(w.unit, SID, 1, &w.g.table, 0), 0);
	enabling.w = &w;
	enabling.mmio_write = w.m.host.ops.mmio_write;
	enabling.taken = 0;
	w.m.host.ops.mmio_write = enabling_write;
	ck_assert_int_eq(w.ops->enable(w.unit), 0);
	w.m.host.ops.mmio_write = enabling.mmio_write;
	ck_assert_uint_eq(enabling.taken, 1);
	ck_assert_int_eq(dma(&w, SID, GFN, 0), 0);
	ck_assert_int_eq(dma(&w, SID, GFN + 1, 0), 1);
	world_delete(&w);
}
END_TEST

/* 6.3.11: write-back and inner shareable where the unit snoops, else neither. */
START_TEST(queues_and_tables_are_read_as_the_unit_can)
{
	struct world w;

	world_start(&w, _i ? SMMU_NONCOHERENT : 0);
	ck_assert_uint_eq(
		iommuabs_sim_mmio_read(w.m.arena, w.unit->regs.base + 0x28, 4),
		_i ? 0 : 0xd75);
	world_delete(&w);
}
END_TEST

START_TEST(a_unit_that_reads_as_all_ones_never_seems_to_complete)
{
	struct backend_event event;
	struct world w;

	world_start(&w, SMMU_ABORTS);
	iommuabs_sim_plant(w.m.sim, IOMMUABS_SIM_DEAD, 1, 0);
	ck_assert_int_eq(driver_guest_forget(&w.g, GFN, 1), IOMMUABS_E_TIMEOUT);
	ck_assert_uint_eq(w.ops->events(w.unit, &event, 1), 0);
	ck_assert_int_eq(w.ops->errors(w.unit), 0);
	ck_assert_int_eq(w.ops->fence(w.unit), IOMMUABS_E_TIMEOUT);
	ck_assert_int_eq(w.ops->disable(w.unit), IOMMUABS_E_TIMEOUT);
	ck_assert_int_eq(w.ops->enable(w.unit), IOMMUABS_E_TIMEOUT);
	iommuabs_sim_heal(w.m.sim);
	ck_assert_int_eq(w.ops->enable(w.unit), 0);
	ck_assert_int_eq(dma(&w, SID, GFN, 0), 1);
	world_delete(&w);
}
END_TEST

/* What another CPU does while one waits: at the n-th look at the clock. */
static struct {
	struct world *w;
	uint64_t (*time_us)(void *ctx);
	unsigned int in; /* 0: done */
	int enable;	 /* after the fence: 0 no, 1 yes, 2 without success */
} other_cpu;

static uint64_t time_of_other_cpu(void *ctx)
{
	struct world *w = other_cpu.w;

	if (other_cpu.in && !--other_cpu.in) {
		ck_assert_int_eq(w->ops->fence(w->unit), 0);
		iommuabs_sim_heal(w->m.sim);
		if (other_cpu.enable == 2)
			iommuabs_sim_plant(w->m.sim, IOMMUABS_SIM_SYNC_HANG, 2,
					   0);
		if (other_cpu.enable)
			ck_assert_int_eq(
				w->ops->enable(w->unit),
				other_cpu.enable == 2 ? IOMMUABS_E_TIMEOUT : 0);
	}
	return other_cpu.time_us(ctx);
}

START_TEST(who_waits_while_the_unit_is_reset_is_answered_by_the_reset)
{
	struct world w;

	world_start(&w, SMMU_ABORTS);
	other_cpu.w = &w;
	other_cpu.in = 50;
	other_cpu.enable = 1;
	other_cpu.time_us = w.m.host.ops.time_us;
	w.m.host.ops.time_us = time_of_other_cpu;
	iommuabs_sim_plant(w.m.sim, IOMMUABS_SIM_CMDQ_HANG, 0, 0);
	driver_guest_unmap(&w.g, GFN, 1);
	ck_assert_int_eq(driver_guest_forget(&w.g, GFN, 1), 0);
	ck_assert_uint_eq(other_cpu.in, 0);
	ck_assert_int_eq(dma(&w, SID, GFN, 0), 0);
	ck_assert_int_eq(dma(&w, SID, GFN + 1, 0), 1);
	world_delete(&w);
}
END_TEST

START_TEST(a_reset_that_failed_completes_nobodys_wait)
{
	struct world w;

	world_start(&w, SMMU_ABORTS);
	other_cpu.w = &w;
	other_cpu.in = 50;
	other_cpu.enable = 2;
	other_cpu.time_us = w.m.host.ops.time_us;
	w.m.host.ops.time_us = time_of_other_cpu;
	iommuabs_sim_plant(w.m.sim, IOMMUABS_SIM_CMDQ_HANG, 0, 0);
	ck_assert_int_eq(driver_guest_forget(&w.g, GFN, 1), IOMMUABS_E_TIMEOUT);
	ck_assert_uint_eq(other_cpu.in, 0);
	iommuabs_sim_heal(w.m.sim);
	ck_assert_int_eq(w.ops->enable(w.unit), 0);
	world_delete(&w);
}
END_TEST

START_TEST(a_fence_alone_completes_nobodys_wait)
{
	struct world w;

	world_start(&w, SMMU_ABORTS);
	other_cpu.w = &w;
	other_cpu.in = 50;
	other_cpu.enable = 0;
	other_cpu.time_us = w.m.host.ops.time_us;
	w.m.host.ops.time_us = time_of_other_cpu;
	/* No planted fault, so that healing doesn't end it. */
	hostif_write32(&w.unit->regs, SMMU_CR0,
		       (uint32_t)(SMMU_CR0_SMMUEN | SMMU_CR0_EVENTQEN));
	while (hostif_read32(&w.unit->regs, SMMU_CR0ACK) & SMMU_CR0_CMDQEN)
		;
	ck_assert_int_eq(driver_guest_forget(&w.g, GFN, 1), IOMMUABS_E_TIMEOUT);
	ck_assert_uint_eq(other_cpu.in, 0);
	ck_assert_int_eq(w.ops->enable(w.unit), 0);
	world_delete(&w);
}
END_TEST

START_TEST(a_level_2_table_is_linked_under_a_running_unit)
{
	const uint64_t allowed[] = { IOMMUABS_SIM_BLOCKED, MFN << 12 };
	struct iommuabs_sim_probe *probe;
	struct world w;

	world_start(&w, units[_i]);
	probe = iommuabs_sim_probe_add(w.m.sim, 0x4005, GFN << 12, 0);
	ck_assert_uint_eq(iommuabs_sim_probe_allow(probe, allowed, 1), 0);
	ck_assert_int_eq(w.ops->streams_reserve(w.unit, 0x4005, 1), 0);
	driver_no_violations(&w.m);
	ck_assert_uint_eq(iommuabs_sim_probe_allow(probe, allowed, 2), 0);
	ck_assert_int_eq(w.ops->stream_set(w.unit, 0x4005, 1, &w.g.table, 0),
			 0);
	ck_assert_uint_eq(iommuabs_sim_probe_allow(probe, &allowed[1], 1), 0);
	iommuabs_sim_probe_remove(probe);
	world_delete(&w);
}
END_TEST

START_TEST(enable_forgets_everything_of_every_regime)
{
	struct iommuabs_sim_counters c;
	struct world w;

	world_new(&w, units[_i]);
	ck_assert_int_eq(w.ops->enable(w.unit), 0);
	c = counters(&w);
	ck_assert_uint_eq(c.by_opcode[0x04], 1); /* CFGI_ALL */
	ck_assert_uint_eq(c.by_opcode[NSNH_ALL], 1);
	ck_assert_uint_eq(c.by_opcode[0x20], /* TLBI_EL2_ALL */
			  !!(units[_i] & SMMU_NESTED_EL2));
	ck_assert_uint_eq(c.by_opcode[OP_SYNC], 1);
	world_delete(&w);
}
END_TEST

/* ---- commands that are refused ---- */

START_TEST(a_refused_command_is_found_replaced_and_repeated)
{
	static const enum iommuabs_sim_fault faults[] = {
		IOMMUABS_SIM_CMD_ILLEGAL,
		IOMMUABS_SIM_CMD_ABORT,
	};
	const uint64_t allowed[] = { IOMMUABS_SIM_BLOCKED, MFN << 12 };
	struct iommuabs_sim_probe *probe;
	uint64_t before;
	unsigned int n;
	struct world w;

	for (n = 1; n <= 12; n++) {
		world_new(&w, SMMU_ABORTS | (_i / 2 ? SMMU_NONCOHERENT : 0));
		probe = iommuabs_sim_probe_add(w.m.sim, SID, GFN << 12, 0);
		iommuabs_sim_probe_allow(probe, allowed, 2);
		iommuabs_sim_plant(w.m.sim, faults[_i % 2], n, 0);
		ck_assert_int_eq(w.ops->enable(w.unit), 0);
		ck_assert_int_eq(
			w.ops->stream_set(w.unit, SID, 1, &w.g.table, 0), 0);
		iommuabs_sim_probe_allow(probe, &allowed[1], 1);
		iommuabs_sim_probe_allow(probe, allowed, 2);
		driver_guest_unmap(&w.g, GFN, 1);
		before = counters(&w).commands;
		ck_assert_int_eq(driver_guest_forget(&w.g, GFN, 1), 0);
		iommuabs_sim_probe_allow(probe, allowed, 1);
		ck_assert_uint_ge(iommuabs_sim_tlbi_covering(w.m.sim, VMID,
							     GFN << 12, before),
				  1);
		ck_assert_uint_eq(
			hostif_read32(&w.unit->regs, SMMU_GERROR) ^
				hostif_read32(&w.unit->regs, SMMU_GERRORN),
			0);
		iommuabs_sim_probe_remove(probe);
		driver_no_violations(&w.m);
		world_delete(&w);
	}
}
END_TEST

static struct {
	struct world *w;
	void (*mmio_write)(void *ctx, uint64_t addr, unsigned int width,
			   uint64_t value);
} refusing;

/* Each time one comes to the front. */
static void refusing_write(void *ctx, uint64_t addr, unsigned int width,
			   uint64_t value)
{
	if ((addr & 0xffff) == 0x98) /* CMDQ_PROD */
		iommuabs_sim_plant(refusing.w->m.sim, IOMMUABS_SIM_CMD_ILLEGAL,
				   1, 0);
	refusing.mmio_write(ctx, addr, width, value);
}

/* Not done, and the unit is to be fenced: what any time-out means. */
START_TEST(commands_that_are_refused_for_ever_time_out)
{
	struct world w;

	world_start(&w, SMMU_ABORTS);
	refusing.w = &w;
	refusing.mmio_write = w.m.host.ops.mmio_write;
	w.m.host.ops.mmio_write = refusing_write;
	driver_guest_unmap(&w.g, GFN, 1);
	ck_assert_int_eq(driver_guest_forget(&w.g, GFN, 1), IOMMUABS_E_TIMEOUT);
	ck_assert_ptr_nonnull(strstr(w.unit->reason, "CERROR_ILL"));
	w.m.host.ops.mmio_write = refusing.mmio_write;
	iommuabs_sim_heal(w.m.sim);
	ck_assert_int_eq(w.ops->fence(w.unit), 0);
	ck_assert_int_eq(dma(&w, SID, GFN, 0), 0);
	ck_assert_int_eq(w.ops->enable(w.unit), 0);
	ck_assert_int_eq(dma(&w, SID, GFN, 0), 0);
	ck_assert_int_eq(dma(&w, SID, GFN + 1, 0), 1);
	world_delete(&w);
}
END_TEST

START_TEST(a_stopped_queue_is_repaired_from_errors_too)
{
	struct world w;

	world_start(&w, 0);
	iommuabs_sim_plant(w.m.sim, IOMMUABS_SIM_CMD_ILLEGAL, 1, 0);
	/* A command that nobody waits for. */
	hostif_write32(&w.unit->regs, SMMU_CMDQ_PROD,
		       (hostif_read32(&w.unit->regs, SMMU_CMDQ_PROD) + 1) &
			       0x1ff);
	ck_assert_uint_ge(
		iommuabs_sim_irq_take(w.m.sim, IOMMUABS_SIM_IRQ_GERROR), 1);
	w.ops->irq(w.unit, IOMMUABS_IRQ_ERROR);
	ck_assert_int_eq(w.ops->errors(w.unit), 0);
	ck_assert_uint_eq(hostif_read32(&w.unit->regs, SMMU_GERROR),
			  hostif_read32(&w.unit->regs, SMMU_GERRORN));
	ck_assert_uint_eq(hostif_read32(&w.unit->regs, SMMU_CMDQ_CONS) & 0x1ff,
			  hostif_read32(&w.unit->regs, SMMU_CMDQ_PROD));
	iommuabs_sim_violations_clear(w.m.arena);
	world_delete(&w);
}
END_TEST

/* ---- events ---- */

START_TEST(events_say_what_was_blocked)
{
	static const struct {
		uint32_t sid;
		uint64_t gfn;
		uint32_t flags;
		enum iommuabs_fault_reason reason;
		uint32_t access, has_address;
	} cases[] = {
		{ SID, GFN + 100, 0, IOMMUABS_FAULT_TRANSLATION, IOMMUABS_READ,
		  1 },
		{ SID, GFN + 101, WRITE, IOMMUABS_FAULT_TRANSLATION,
		  IOMMUABS_WRITE, 1 },
		{ SID, GFN + 32, WRITE, IOMMUABS_FAULT_PERMISSION,
		  IOMMUABS_WRITE, 1 },
		{ SID + 1, GFN, 0, IOMMUABS_FAULT_STREAM, 0, 0 },
		{ 0x4000, GFN, 0, IOMMUABS_FAULT_STREAM, 0, 0 },
		{ 0x10000, GFN, 0, IOMMUABS_FAULT_STREAM_RANGE, 0, 0 },
	};
	struct backend_event event;
	struct world w;
	unsigned int i;

	world_start(&w, units[_i]);
	driver_guest_map(&w.g, GFN + 32, MFN, 1, IOMMUABS_READ);
	for (i = 0; i < IA_COUNT(cases); i++) {
		ck_assert_int_eq(
			dma(&w, cases[i].sid, cases[i].gfn, cases[i].flags), 0);
		ck_assert_uint_eq(w.ops->events(w.unit, &event, 1), 1);
		ck_assert_int_eq(event.reason, cases[i].reason);
		ck_assert_uint_eq(event.stream, cases[i].sid);
		ck_assert_uint_eq(event.access, cases[i].access);
		ck_assert_uint_eq(event.has_address, cases[i].has_address);
		if (event.has_address)
			ck_assert_uint_eq(event.address, cases[i].gfn << 12);
		ck_assert_uint_eq(event.raw[0] >> 32, cases[i].sid);
		ck_assert_uint_eq(w.ops->events(w.unit, &event, 1), 0);
	}
	ck_assert_uint_eq(w.unit->events, IA_COUNT(cases));
	ck_assert_uint_eq(w.unit->events_lost, 0);
	world_delete(&w);
}
END_TEST

START_TEST(a_storm_costs_bounded_time_and_is_counted)
{
	struct backend_event events[EVENT_SIZE + 8];
	struct world w;
	unsigned int i;

	world_start(&w, 0);
	for (i = 0; i < 3 * EVENT_SIZE; i++)
		ck_assert_int_eq(dma(&w, SID, GFN + 100, 0), 0);
	ck_assert_uint_eq(w.ops->events(w.unit, events, 8), 8);
	ck_assert_uint_eq(w.unit->events_lost, 1);
	ck_assert_uint_eq(w.ops->events(w.unit, events, EVENT_SIZE + 8),
			  EVENT_SIZE - 8);
	ck_assert_uint_eq(w.ops->events(w.unit, events, EVENT_SIZE + 8), 0);
	/* And it goes on. */
	ck_assert_int_eq(dma(&w, SID, GFN + 101, 0), 0);
	ck_assert_uint_eq(w.ops->events(w.unit, events, 2), 1);
	ck_assert_uint_eq(events[0].address, (GFN + 101) << 12);
	ck_assert_uint_eq(w.unit->events_lost, 1);
	/* A write to the queue that was aborted. */
	iommuabs_sim_plant(w.m.sim, IOMMUABS_SIM_EVENT_ABORT, 1, 0);
	ck_assert_int_eq(dma(&w, SID, GFN + 101, 0), 0);
	ck_assert_int_eq(w.ops->errors(w.unit), 0);
	ck_assert_uint_eq(w.unit->events_lost, 2);
	ck_assert_int_eq(dma(&w, SID, GFN + 101, 0), 0);
	ck_assert_uint_eq(w.ops->events(w.unit, events, 2), 1);
	world_delete(&w);
}
END_TEST

/* ---- identification ---- */

struct fake {
	uint32_t idr0, idr1, idr3, idr5, aidr;
	const char *reason; /* NULL: usable */
	uint32_t writes;
};

#define GOOD_IDR0 0x0d44101b
#define GOOD_IDR1 0x02730010
#define GOOD_IDR3 0x1414
#define GOOD_IDR5 0x74

static uint64_t fake_read(void *ctx, uint64_t addr, unsigned int width)
{
	const struct fake *fake = ctx;

	ck_assert_uint_eq(width, 4);
	switch (addr & 0xffff) {
	case 0x00:
		return fake->idr0;
	case 0x04:
		return fake->idr1;
	case 0x0c:
		return fake->idr3;
	case 0x14:
		return fake->idr5;
	case 0x1c:
		return fake->aidr;
	default:
		return 0;
	}
}

static void fake_write(void *ctx, uint64_t addr, unsigned int width,
		       uint64_t value)
{
	struct fake *fake = ctx;

	(void)addr;
	(void)width;
	(void)value;
	fake->writes++;
}

static const struct fake fakes[] = {
	{ GOOD_IDR0, GOOD_IDR1, GOOD_IDR3, GOOD_IDR5, 2, NULL, 0 },
	{ ~0u, ~0u, ~0u, ~0u, ~0u, "all ones", 0 },
	{ GOOD_IDR0, GOOD_IDR1, GOOD_IDR3, GOOD_IDR5, 0x10, "AIDR", 0 },
	{ GOOD_IDR0 & ~3u, GOOD_IDR1, GOOD_IDR3, GOOD_IDR5, 2, "S1P", 0 },
	{ (GOOD_IDR0 & ~0xcu) | 4, GOOD_IDR1, GOOD_IDR3, GOOD_IDR5, 2, "TTF",
	  0 },
	{ GOOD_IDR0 | 3u << 21, GOOD_IDR1, GOOD_IDR3, GOOD_IDR5, 2, "TTENDIAN",
	  0 },
	{ GOOD_IDR0, GOOD_IDR1 | 1u << 30, GOOD_IDR3, GOOD_IDR5, 2,
	  "TABLES_PRESET", 0 },
	{ GOOD_IDR0, GOOD_IDR1 | 1u << 29, GOOD_IDR3, GOOD_IDR5, 2,
	  "QUEUES_PRESET", 0 },
	{ GOOD_IDR0, GOOD_IDR1 | 1u << 28, GOOD_IDR3, GOOD_IDR5, 2, "REL", 0 },
	{ GOOD_IDR0 & ~0x10u, GOOD_IDR1, GOOD_IDR3, GOOD_IDR5, 2, "cache_clean",
	  0 },
};

/* @m's unit asks @fake for its registers, through @host. */
static void fake_machine_make(struct driver_machine *m, struct hostif *host,
			      struct fake *fake)
{
	smmu_machine_make(m, 0);
	*host = m->host;
	host->ctx = fake;
	host->ops.mmio_read = fake_read;
	host->ops.mmio_write = fake_write;
	host->ops.log = NULL;
	m->unit.regs.host = host;
}

static void fake_machine_delete(struct driver_machine *m)
{
	m->unit.regs.host = &m->host;
	driver_machine_delete(m);
}

START_TEST(a_unit_is_known_by_its_id_registers)
{
	struct fake fake = fakes[_i];
	struct driver_machine m;
	struct hostif host;
	int ret;

	fake_machine_make(&m, &host, &fake);
	ret = m.unit.ops->probe(&m.unit);
	ck_assert_uint_eq(fake.writes, 0);
	if (!fake.reason) {
		ck_assert_int_eq(ret, 0);
		ck_assert_uint_eq(m.unit.caps.stage1, 1);
		ck_assert_uint_eq(m.unit.caps.stage2, 1);
		ck_assert_uint_eq(m.unit.caps.coherent, 1);
		ck_assert_uint_eq(m.unit.caps.input_bits, 44);
		ck_assert_uint_eq(m.unit.caps.output_bits, 44);
		ck_assert_uint_eq(m.unit.caps.granules, 0x15000);
		ck_assert_uint_eq(m.unit.caps.id_bits, 16);
		ck_assert_uint_eq(m.unit.caps.stream_bits, 16);
		ck_assert_uint_eq(m.unit.caps.bbml, 2);
		m.unit.ops->release(&m.unit);
	} else {
		ck_assert_int_eq(ret, IOMMUABS_E_UNIT);
		ck_assert_msg(strstr(m.unit.reason, fake.reason), "reason: %s",
			      m.unit.reason);
	}
	fake_machine_delete(&m);
}
END_TEST

/* One that has a linear table only is not asked for one of 2 GiB; 3 is no level
 * of BBML, nor 2 and 3 one of tables. */
START_TEST(what_the_manual_reserves_is_not_taken)
{
	static const struct {
		uint32_t levels, bbml;
		unsigned int stream_bits;
	} cases[] = {
		{ 1, 3, 25 },
		{ 0, 2, 16 },
		{ 2, 2, 16 },
		{ 3, 2, 16 },
	};
	struct fake fake = fakes[0];
	struct driver_machine m;
	struct hostif host;

	fake.idr0 = (GOOD_IDR0 & ~(3u << 27)) | cases[_i].levels << 27;
	fake.idr1 = (GOOD_IDR1 & ~0x3fu) | 32;
	fake.idr3 = (GOOD_IDR3 & ~(3u << 11)) | cases[_i].bbml << 11;
	fake_machine_make(&m, &host, &fake);
	/* There may be no memory for such a table. */
	if (!m.unit.ops->probe(&m.unit))
		m.unit.ops->release(&m.unit);
	ck_assert_uint_eq(m.unit.caps.stream_bits, cases[_i].stream_bits);
	ck_assert_uint_eq(m.unit.caps.bbml,
			  cases[_i].bbml > 2 ? 0 : cases[_i].bbml);
	fake_machine_delete(&m);
}
END_TEST

START_TEST(an_incoherent_unit_may_be_described_as_coherent)
{
	struct fake fake = fakes[0];
	struct driver_machine m;
	struct hostif host;

	fake.idr0 &= ~0x10u;
	fake_machine_make(&m, &host, &fake);
	m.unit.desc_flags = IOMMUABS_UNIT_COHERENT;
	ck_assert_int_eq(m.unit.ops->probe(&m.unit), 0);
	ck_assert_uint_eq(m.unit.caps.coherent, 1);
	m.unit.ops->release(&m.unit);
	fake_machine_delete(&m);
}
END_TEST

static void tune_asids(struct iommuabs_sim_smmuv3_config *config)
{
	config->vmid16 = 0;
}

static void tune_vmids(struct iommuabs_sim_smmuv3_config *config)
{
	config->asid16 = 0;
}

START_TEST(ids_are_as_wide_as_those_of_the_stage_that_is_used)
{
	smmu_tune_fn tune = _i & 1 ? tune_asids : tune_vmids;
	uint32_t flags = _i & 2 ? SMMU_STAGE1 : 0;
	struct driver_machine m;

	/* A VMID tells tables of stage 2 apart, an ASID those of stage 1. */
	smmu_machine_new_tuned(&m, flags, tune, 0);
	ck_assert_uint_eq(m.unit.caps.id_bits,
			  !flags == (tune == tune_vmids) ? 16 : 8);
	driver_machine_delete(&m);
}
END_TEST

/* ---- which tables ---- */

static const struct {
	uint8_t in, out, granule, levels;
	uint64_t root;
	uint32_t p2m_flags, unit;
	enum iommuabs_p2m_format format;
	enum iommuabs_share_reason reason;
} shares[] = {
#define S2 IOMMUABS_P2M_ARM_S2
	{ 40, 44, 12, 3, 0x2000, 0, 0, S2, IOMMUABS_SHARE_OK },
	{ 40, 48, 12, 4, 0x1000, 0, 0, S2, IOMMUABS_SHARE_OK },
	{ 44, 44, 12, 4, 0x1000, 0, 0, S2, IOMMUABS_SHARE_OK },
	{ 42, 44, 16, 2, 0x10000, 0, 0, S2, IOMMUABS_SHARE_OK },
	{ 40, 44, 14, 2, 0x80000, 0, 0, S2, IOMMUABS_SHARE_OK },
	{ 40, 44, 12, 3, 0x1000, 0, 0, S2, IOMMUABS_SHARE_LEVELS },
	{ 44, 44, 12, 3, 0x20000, 0, 0, S2, IOMMUABS_SHARE_LEVELS },
	{ 39, 44, 12, 4, 0x1000, 0, 0, S2, IOMMUABS_SHARE_LEVELS },
	{ 40, 44, 12, 1, 0x1000, 0, 0, S2, IOMMUABS_SHARE_LEVELS },
	{ 48, 48, 12, 4, 0x1000, 0, 0, S2, IOMMUABS_SHARE_INPUT_WIDTH },
	{ 24, 44, 12, 2, 0x1000, 0, 0, S2, IOMMUABS_SHARE_INPUT_WIDTH },
	{ 40, 48, 12, 4, (uint64_t)1 << 44, 0, 0, S2,
	  IOMMUABS_SHARE_OUTPUT_WIDTH },
	{ 40, 44, 13, 3, 0x2000, 0, 0, S2, IOMMUABS_SHARE_GRANULE },
	{ 40, 44, 12, 3, 0x2000, 0, 0, IOMMUABS_P2M_EPT,
	  IOMMUABS_SHARE_FORMAT },
	{ 40, 44, 12, 3, 0x2000, 0, 0, IOMMUABS_P2M_NONE,
	  IOMMUABS_SHARE_NO_P2M },
	{ 40, 44, 12, 3, 0x2000, 0, SMMU_STAGE1, S2, IOMMUABS_SHARE_NO_STAGE2 },
	{ 40, 44, 12, 3, 0x2000, 0, SMMU_NONCOHERENT, S2,
	  IOMMUABS_SHARE_NOT_CLEANED },
	{ 40, 44, 12, 3, 0x2000, IOMMUABS_P2M_CLEANED, SMMU_NONCOHERENT, S2,
	  IOMMUABS_SHARE_OK },
};

START_TEST(xsa_390_a_shared_root_is_checked_against_levels_and_widths)
{
	const struct backend_table untouched = { .id = 77, .levels = 99 };
	struct backend_table table;
	struct iommuabs_p2m p2m;
	struct driver_machine m;
	unsigned int i;

	for (i = 0; i < IA_COUNT(shares); i++) {
		smmu_machine_new(&m, shares[i].unit);
		p2m = (struct iommuabs_p2m){
			.size = sizeof(p2m),
			.flags = shares[i].p2m_flags,
			.format = shares[i].format,
			.root = shares[i].root,
			.input_bits = shares[i].in,
			.output_bits = shares[i].out,
			.granule_lg2 = shares[i].granule,
			.levels = shares[i].levels,
			.walk_attrs = 0x35,
		};
		table = untouched;
		ck_assert_msg(m.unit.ops->share(&m.unit, &p2m, &table) ==
				      shares[i].reason,
			      "case %u", i);
		ck_assert_uint_eq(table.id, 77);
		ck_assert_uint_eq(table.levels,
				  shares[i].reason ? 99 : shares[i].levels);
		driver_machine_delete(&m);
	}
}
END_TEST

START_TEST(a_mirror_has_the_fewest_levels_and_the_bbml_of_its_unit)
{
	static const struct {
		uint32_t unit;
		uint8_t in, max_level;
		uint8_t bits, levels, root_lg2, leaf_mask;
	} cases[] = {
		{ 0, 40, 2, 40, 3, 13, 7 },	     { 0, 43, 2, 43, 3, 16, 7 },
		{ 0, 44, 2, 44, 4, 12, 7 },	     { 0, 48, 2, 44, 4, 12, 7 },
		{ 0, 39, 2, 39, 3, 12, 7 },	     { 0, 34, 2, 34, 2, 16, 3 },
		{ 0, 30, 2, 30, 2, 12, 3 },	     { 0, 12, 2, 25, 2, 12, 3 },
		{ 0, 40, 0, 40, 3, 13, 1 },	     { 0, 40, 1, 40, 3, 13, 3 },
		{ SMMU_BBML0, 40, 2, 40, 3, 13, 7 },
	};
	struct backend_geometry geo;
	struct driver_machine m;
	unsigned int i;

	for (i = 0; i < IA_COUNT(cases); i++) {
		smmu_machine_new(&m, cases[i].unit);
		ck_assert_int_eq(m.unit.ops->mirror(&m.unit, cases[i].in,
						    cases[i].max_level, &geo),
				 0);
		ck_assert_uint_eq(geo.input_bits, cases[i].bits);
		ck_assert_uint_eq(geo.levels, cases[i].levels);
		ck_assert_uint_eq(geo.root_lg2, cases[i].root_lg2);
		ck_assert_uint_eq(geo.leaf_mask, cases[i].leaf_mask);
		ck_assert_uint_eq(geo.bbml, cases[i].unit & SMMU_BBML0 ? 0 : 2);
		ck_assert_uint_eq(geo.output_bits, 44);
		ck_assert_uint_eq(geo.clean, 0);
		driver_machine_delete(&m);
	}
	smmu_machine_new(&m, SMMU_NONCOHERENT);
	ck_assert_int_eq(m.unit.ops->mirror(&m.unit, 40, 2, &geo), 0);
	ck_assert_uint_eq(geo.clean, 1);
	driver_machine_delete(&m);
}
END_TEST

/* ---- memory ---- */

START_TEST(every_allocation_that_fails_leaves_nothing_behind)
{
	struct driver_machine m;
	unsigned int n, hits = 0;
	uint64_t used;
	int ret;

	smmu_machine_make(&m, 0);
	used = m.mem.account.used;
	for (n = 1; n < 20; n++) {
		iommuabs_sim_alloc_fail(m.arena, n);
		ret = m.unit.ops->probe(&m.unit);
		iommuabs_sim_alloc_fail(m.arena, 0);
		if (!ret)
			break;
		hits++;
		ck_assert_int_eq(ret, IOMMUABS_E_NOMEM);
		ck_assert_uint_eq(m.account.used, 0);
		ck_assert_ptr_null(m.unit.priv);
	}
	ck_assert_uint_ge(hits, 3);
	ck_assert_uint_ge(m.mem.account.used, used);
	used = m.account.used;
	iommuabs_sim_alloc_fail(m.arena, 2);
	ck_assert_int_eq(m.unit.ops->streams_reserve(&m.unit, 0xff, 2),
			 IOMMUABS_E_NOMEM);
	ck_assert_int_eq(m.unit.ops->streams_reserve(&m.unit, 0xff, 2), 0);
	ck_assert_uint_eq(m.account.used, used + 8);
	ck_assert_int_eq(m.unit.ops->streams_reserve(&m.unit, 0, 0x200), 0);
	ck_assert_uint_eq(m.account.used, used + 8);
	/* Of the last ids, which goes with the unit as the others do. */
	ck_assert_int_eq(m.unit.ops->streams_reserve(&m.unit, 0xffff, 1), 0);
	ck_assert_uint_eq(m.account.used, used + 12);
	driver_machine_delete(&m);
}
END_TEST

/* ---- several CPUs ---- */

#define CPUS   4
#define ROUNDS 150

struct cpu {
	struct world *w;
	uint32_t vmid;
	int bad;
};

static void *invalidate_often(void *arg)
{
	struct cpu *cpu = arg;
	struct backend_range ranges[3] = { { 1, 1 }, { 5, 33 }, { 99, 2 } };
	struct backend_inv inv = { cpu->vmid, ranges, 3, 1, 12 };
	unsigned int i;

	for (i = 0; i < ROUNDS; i++)
		cpu->bad |= cpu->w->ops->invalidate(cpu->w->unit, &inv, NULL);
	return NULL;
}

static struct {
	struct driver_machine *m;
	struct iommuabs_host ops;
	unsigned int writes, looks, wrong;
} watched;

static void watched_write(void *ctx, uint64_t addr, unsigned int width,
			  uint64_t value)
{
	/* CMDQ_PROD */
	if ((addr & 0xffff) == 0x98) {
		watched.writes++;
		watched.wrong += !port_load32(&watched.m->unit.lock.word);
	}
	watched.ops.mmio_write(ctx, addr, width, value);
}

static uint64_t watched_time(void *ctx)
{
	watched.looks++;
	watched.wrong += port_load32(&watched.m->unit.lock.word) != 0;
	return watched.ops.time_us(ctx);
}

START_TEST(commands_go_in_under_the_lock_and_are_waited_for_without)
{
	struct world w;

	world_start(&w, 0);
	watched.m = &w.m;
	watched.ops = w.m.host.ops;
	w.m.host.ops.mmio_write = watched_write;
	w.m.host.ops.time_us = watched_time;
	ck_assert_int_eq(driver_guest_forget(&w.g, GFN, 1), 0);
	ck_assert_int_eq(w.ops->stream_set(w.unit, SID, 1, NULL, 0), 0);
	ck_assert_uint_ge(watched.writes, 2);
	ck_assert_uint_ge(watched.looks, 4);
	ck_assert_uint_eq(watched.wrong, 0);
	world_delete(&w);
}
END_TEST

START_TEST(many_cpus_share_a_small_queue)
{
	struct cpu cpus[CPUS];
	pthread_t threads[CPUS];
	struct iommuabs_sim_counters before, after;
	struct world w;
	unsigned int i;

	world_start(&w, SMMU_TINY_QUEUES);
	before = counters(&w);
	for (i = 0; i < CPUS; i++) {
		cpus[i] = (struct cpu){ &w, 10 + i, 0 };
		ck_assert_int_eq(pthread_create(&threads[i], NULL,
						invalidate_often, &cpus[i]),
				 0);
	}
	for (i = 0; i < CPUS; i++) {
		pthread_join(threads[i], NULL);
		ck_assert_int_eq(cpus[i].bad, 0);
	}
	after = counters(&w);
	ck_assert_uint_eq(after.syncs - before.syncs, CPUS * ROUNDS);
	ck_assert_uint_eq(after.by_opcode[S2_IPA] - before.by_opcode[S2_IPA],
			  CPUS * ROUNDS * 4);
	ck_assert_uint_eq(w.unit->commands, after.commands);
	ck_assert_uint_eq(w.unit->syncs, after.syncs);
	world_delete(&w);
}
END_TEST

static void add_all(TCase *tc)
{
	tcase_add_loop_test(tc, enable_blocks_every_stream_and_disable_too, 0,
			    NR_UNITS);
	tcase_add_test(tc, a_unit_that_came_in_bypass_never_goes_back_there);
	tcase_add_test(tc, a_fence_without_gbpa_abort_leaves_smmuen_alone);
	tcase_add_loop_test(tc, an_update_of_gbpa_waits_for_the_one_before, 0,
			    2);
	tcase_add_test(tc, after_a_crash_a_unit_blocks_whoever_holds_its_lock);
	tcase_add_loop_test(tc,
			    what_was_unmapped_is_out_of_reach_after_invalidate,
			    0, NR_UNITS);
	tcase_add_loop_test(tc, an_invalidation_costs_one_sync_and_few_commands,
			    0, (int)IA_COUNT(costs));
	tcase_add_test(tc, hints_are_given_only_where_levels_are_known);
	tcase_add_test(tc, a_unit_that_is_off_is_left_alone);
	tcase_add_loop_test(tc, every_wait_times_out_once_and_the_unit_recovers,
			    0, NR_UNITS);
	tcase_add_loop_test(
		tc, xsa_373_a_hung_queue_is_a_timeout_and_can_be_fenced, 0, 2);
	tcase_add_test(tc, an_answer_that_comes_much_too_late_is_none);
	tcase_add_test(
		tc, who_waits_while_the_unit_is_reset_is_answered_by_the_reset);
	tcase_add_test(tc, a_reset_that_failed_completes_nobodys_wait);
	tcase_add_test(tc, a_fence_alone_completes_nobodys_wait);
	tcase_add_loop_test(tc, a_level_2_table_is_linked_under_a_running_unit,
			    0, NR_UNITS);
	tcase_add_loop_test(tc, enable_forgets_everything_of_every_regime, 0,
			    NR_UNITS);
	tcase_add_test(tc, a_full_queue_is_waited_for_and_not_for_ever);
	tcase_add_loop_test(
		tc, a_queue_is_filled_to_its_last_place_and_no_further, 0, 2);
	tcase_add_test(tc, who_was_away_for_long_looks_once_more);
	tcase_add_test(tc, who_takes_away_while_a_unit_is_enabled_tells_it);
	tcase_add_loop_test(tc, queues_and_tables_are_read_as_the_unit_can, 0,
			    2);
	tcase_add_test(tc,
		       a_unit_that_reads_as_all_ones_never_seems_to_complete);
	tcase_add_loop_test(
		tc, a_refused_command_is_found_replaced_and_repeated, 0, 4);
	tcase_add_test(tc, commands_that_are_refused_for_ever_time_out);
	tcase_add_test(tc, a_stopped_queue_is_repaired_from_errors_too);
	tcase_add_loop_test(tc, events_say_what_was_blocked, 0, NR_UNITS);
	tcase_add_test(tc, a_storm_costs_bounded_time_and_is_counted);
	tcase_add_loop_test(tc, a_unit_is_known_by_its_id_registers, 0,
			    (int)IA_COUNT(fakes));
	tcase_add_loop_test(tc, what_the_manual_reserves_is_not_taken, 0, 4);
	tcase_add_test(tc, an_incoherent_unit_may_be_described_as_coherent);
	tcase_add_loop_test(
		tc, ids_are_as_wide_as_those_of_the_stage_that_is_used, 0, 4);
	tcase_add_test(
		tc, xsa_390_a_shared_root_is_checked_against_levels_and_widths);
	tcase_add_test(tc,
		       a_mirror_has_the_fewest_levels_and_the_bbml_of_its_unit);
	tcase_add_test(tc, every_allocation_that_fails_leaves_nothing_behind);
	tcase_add_test(
		tc, commands_go_in_under_the_lock_and_are_waited_for_without);
}

static void add_tests(Suite *s)
{
	TCase *tc = tcase_create("driver"), *threads = tcase_create("threads");

	tcase_set_timeout(threads, 120);
	tcase_add_test(threads, many_cpus_share_a_small_queue);
	suite_add_tcase(s, threads);
	tcase_set_timeout(tc, 120);
	/* One thread is nothing for a thread sanitizer to look at. */
	if (!TEST_THREAD_SANITIZER)
		add_all(tc);
	suite_add_tcase(s, tc);
}

#else

static void add_tests(Suite *s)
{
	(void)s;
}

#endif

static Suite *suite(void)
{
	Suite *s = suite_create("smmuv3");

	if (suite_needs(s, IOMMUABS_UNIT_SMMUV3))
		add_tests(s);
	return s;
}

HARNESS_MAIN(suite)
