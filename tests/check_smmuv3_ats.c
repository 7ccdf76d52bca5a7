/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices that keep translations of their own, and requests that wait.
 */
#include "test_smmu.h"

#include <string.h>

#include "harness.h"
#include "backends/smmu/smmuv3.h"
#include "test_needs.h"

#if IOMMUABS_CONFIG_SMMU

#define RW	 (IOMMUABS_READ | IOMMUABS_WRITE)
#define SID	 ((uint32_t)3)
#define GFN	 ((uint64_t)0x40000)
#define MFN	 ((uint64_t)0x20000)
#define ID	 7
#define ATS	 BACKEND_STREAM_ATS
#define FROM_ATC IOMMUABS_SIM_DMA_ATC

struct world {
	struct driver_machine m;
	struct driver_guest g;
	struct backend_unit *unit;
	const struct backend_ops *ops;
};

static void tune_ats(struct iommuabs_sim_smmuv3_config *config)
{
	config->ats = 1;
}

static const uint32_t units[] = {
	SMMU_ABORTS,
	SMMU_ABORTS | SMMU_STAGE1,
	SMMU_ABORTS | SMMU_NONCOHERENT | SMMU_TINY_QUEUES,
};
#define NR_UNITS ((int)IA_COUNT(units))

static void world_new(struct world *w, uint32_t flags, smmu_tune_fn tune)
{
	smmu_machine_new_tuned(&w->m, flags, tune, 0);
	w->unit = &w->m.unit;
	w->ops = w->unit->ops;
	driver_guest_new(&w->m, &w->g, ID, 40);
	driver_guest_map(&w->g, GFN, MFN, 16, RW);
	ck_assert_int_eq(w->ops->streams_reserve(w->unit, SID, 1), 0);
	ck_assert_int_eq(w->ops->enable(w->unit), 0);
}

static void world_delete(struct world *w)
{
	ck_assert_int_eq(w->ops->disable(w->unit), 0);
	driver_guest_delete(&w->g);
	driver_machine_delete(&w->m);
}

static int set(struct world *w, uint32_t flags)
{
	return w->ops->stream_set(w->unit, SID, 1, &w->g.table, flags);
}

static uint32_t live_flags(struct world *w)
{
	struct backend_stream live;

	w->ops->read_stream(w->unit, SID, &live);
	return live.flags;
}

/* Ask for the translation of @gfn: 1 or 0. */
static int ask(struct world *w, uint64_t gfn)
{
	struct iommuabs_sim_dma dma = { .sid = SID,
					.addr = gfn << 12,
					.len = 4 };

	return iommuabs_sim_ats(w->m.sim, &dma);
}

static int dma(struct world *w, uint64_t gfn, uint32_t flags)
{
	return driver_dma(&w->m, SID, gfn << 12, flags);
}

static int forget(struct world *w, uint64_t gfn, uint64_t nr,
		  struct backend_streams *stuck)
{
	const struct backend_range range = { gfn, nr };
	const struct backend_inv inv = { ID, &range, nr != 0, 1, 12 };

	return w->ops->invalidate(w->unit, &inv, stuck);
}

START_TEST(without_leave_nothing_that_claims_to_be_translated_passes)
{
	struct backend_event event;
	struct world w;

	world_new(&w, units[_i], tune_ats);
	ck_assert_uint_eq(w.unit->caps.ats, 1);
	ck_assert_int_eq(set(&w, 0), 0);
	ck_assert_uint_eq(live_flags(&w), 0);
	ck_assert_int_eq(ask(&w, GFN), 0);
	ck_assert_uint_eq(w.ops->events(w.unit, &event, 1), 1);
	ck_assert_int_eq(event.reason, IOMMUABS_FAULT_TRANSLATED);
	ck_assert_int_eq(
		driver_dma(&w.m, SID, MFN << 12, IOMMUABS_SIM_DMA_TRANSLATED),
		0);
	ck_assert_uint_eq(w.ops->events(w.unit, &event, 1), 1);
	ck_assert_int_eq(event.reason, IOMMUABS_FAULT_TRANSLATED);
	ck_assert_int_eq(dma(&w, GFN, 0), 1);
	world_delete(&w);
}
END_TEST

START_TEST(what_a_device_keeps_is_taken_back_with_the_mapping)
{
	const uint64_t both[] = { IOMMUABS_SIM_BLOCKED, (MFN + 3) << 12 };
	struct iommuabs_sim_probe *probe;
	struct backend_streams stuck;
	struct world w;

	world_new(&w, units[_i], tune_ats);
	ck_assert_int_eq(set(&w, ATS), 0);
	ck_assert_uint_eq(live_flags(&w), ATS);
	ck_assert_int_eq(ask(&w, GFN + 3), 1);
	ck_assert_int_eq(dma(&w, GFN + 3, FROM_ATC), 1);
	probe = iommuabs_sim_probe_add(w.m.sim, SID, (GFN + 3) << 12, FROM_ATC);
	ck_assert_uint_eq(iommuabs_sim_probe_allow(probe, both, 2), 0);
	driver_guest_unmap(&w.g, GFN + 3, 1);
	ck_assert_int_eq(forget(&w, GFN + 3, 1, &stuck), 0);
	ck_assert_uint_eq(iommuabs_sim_probe_allow(probe, both, 1), 0);
	ck_assert_int_eq(dma(&w, GFN + 3, FROM_ATC), 0);
	/* Detached and attached again, it begins with nothing. */
	ck_assert_int_eq(ask(&w, GFN + 4), 1);
	ck_assert_int_eq(w.ops->stream_set(w.unit, SID, 1, NULL, 0), 0);
	ck_assert_int_eq(dma(&w, GFN + 4, FROM_ATC), 0);
	iommuabs_sim_probe_remove(probe);
	driver_guest_unmap(&w.g, GFN + 4, 1);
	ck_assert_int_eq(forget(&w, 0, 0, &stuck), 0);
	ck_assert_int_eq(set(&w, ATS), 0);
	ck_assert_int_eq(dma(&w, GFN + 4, FROM_ATC), 0);
	world_delete(&w);
}
END_TEST

START_TEST(a_reset_gives_no_translation_from_before_a_chance)
{
	const uint64_t blocked = IOMMUABS_SIM_BLOCKED;
	struct iommuabs_sim_probe *probe;
	struct backend_streams stuck;
	struct world w;

	world_new(&w, units[_i], tune_ats);
	ck_assert_int_eq(set(&w, ATS), 0);
	ck_assert_int_eq(ask(&w, GFN), 1);
	ck_assert_int_eq(w.ops->fence(w.unit), 0);
	driver_guest_unmap(&w.g, GFN, 1);
	probe = iommuabs_sim_probe_add(w.m.sim, SID, GFN << 12, FROM_ATC);
	ck_assert_uint_eq(iommuabs_sim_probe_allow(probe, &blocked, 1), 0);
	ck_assert_int_eq(w.ops->enable(w.unit), 0);
	iommuabs_sim_probe_remove(probe);
	ck_assert_uint_eq(live_flags(&w), ATS);
	ck_assert_int_eq(dma(&w, GFN, FROM_ATC), 0);
	ck_assert_int_eq(ask(&w, GFN + 1), 1);
	ck_assert_int_eq(forget(&w, GFN, 1, &stuck), 0);
	world_delete(&w);
}
END_TEST

START_TEST(a_device_that_does_not_answer_is_named)
{
	struct backend_streams stuck = { 0, 0 };
	struct world w;

	world_new(&w, units[_i], tune_ats);
	ck_assert_int_eq(set(&w, ATS), 0);
	ck_assert_int_eq(ask(&w, GFN), 1);
	iommuabs_sim_atc_mute(w.m.sim, SID, 1);
	driver_guest_unmap(&w.g, GFN, 1);
	ck_assert_int_eq(forget(&w, GFN, 1, &stuck), BACKEND_STUCK);
	ck_assert_uint_eq(stuck.first, SID);
	ck_assert_uint_eq(stuck.nr, 1);
	ck_assert_uint_ge(w.unit->errors, 1);
	/* Blocked, it can use nothing, and nobody waits for it any more. */
	ck_assert_int_eq(w.ops->stream_set(w.unit, SID, 1, NULL, 0), 0);
	ck_assert_int_eq(dma(&w, GFN, FROM_ATC), 0);
	ck_assert_int_eq(forget(&w, GFN, 1, &stuck), 0);
	/* Let in again, it gets no ATS while it is mute. */
	ck_assert_int_eq(set(&w, ATS), 0);
	ck_assert_uint_eq(live_flags(&w), 0);
	ck_assert_int_eq(dma(&w, GFN + 1, 0), 1);
	iommuabs_sim_atc_mute(w.m.sim, SID, 0);
	ck_assert_int_eq(set(&w, ATS), 0);
	ck_assert_uint_eq(live_flags(&w), ATS);
	world_delete(&w);
}
END_TEST

/* Of several CPUs some have not looked when the next one's goes unanswered. */
START_TEST(what_nobody_answered_is_kept_for_who_has_not_looked)
{
	const struct backend_streams streams = { SID, 1 };
	const struct smmuv3_cmdq *q;
	struct world w;
	uint64_t first;

	world_new(&w, SMMU_ABORTS, tune_ats);
	q = &smmuv3_of(w.unit)->cmdq;
	ck_assert_int_eq(set(&w, ATS), 0);
	iommuabs_sim_atc_mute(w.m.sim, SID, 1);
	ck_assert_int_eq(smmuv3_ats_ops.forget(w.unit, &streams, NULL),
			 BACKEND_STUCK);
	first = q->prod;
	ck_assert_int_eq(smmuv3_ats_ops.forget(w.unit, &streams, NULL),
			 BACKEND_STUCK);
	ck_assert_uint_eq(q->nr_unanswered, 2);
	ck_assert_uint_eq(q->unanswered[0], first);
	ck_assert_uint_eq(q->unanswered[1], q->prod);
	world_delete(&w);
}
END_TEST

START_TEST(one_device_that_does_not_answer_is_told_from_others)
{
	struct backend_streams stuck = { 0, 0 };
	struct world w;

	world_new(&w, SMMU_ABORTS, tune_ats);
	ck_assert_int_eq(w.ops->streams_reserve(w.unit, 8, 4), 0);
	ck_assert_int_eq(w.ops->streams_reserve(w.unit, 16, 1), 0);
	ck_assert_int_eq(set(&w, ATS), 0);
	ck_assert_int_eq(w.ops->stream_set(w.unit, 8, 4, &w.g.table, ATS), 0);
	ck_assert_int_eq(w.ops->stream_set(w.unit, 16, 1, &w.g.table, ATS), 0);
	iommuabs_sim_atc_mute(w.m.sim, 10, 1);
	ck_assert_int_eq(forget(&w, 0, 0, &stuck), BACKEND_STUCK);
	ck_assert_uint_eq(stuck.first, 8);
	ck_assert_uint_eq(stuck.nr, 4);
	world_delete(&w);
}
END_TEST

/* Of every range that went, and what lies next to them may be kept. */
START_TEST(each_id_of_a_device_is_taken_back_each_range)
{
	static const uint64_t gone[] = { 1, 2, 3, 6, 7, 11 };
	const struct backend_range ranges[] = {
		{ GFN + 1, 3 },
		{ GFN + 6, 2 },
		{ GFN + 11, 1 },
	};
	const struct backend_inv inv = { ID, ranges, 3, 1, 12 };
	struct backend_streams stuck;
	struct iommuabs_sim_dma dma;
	struct world w;
	unsigned int i;
	uint32_t sid;

	world_new(&w, SMMU_ABORTS, tune_ats);
	ck_assert_int_eq(w.ops->streams_reserve(w.unit, 8, 3), 0);
	ck_assert_int_eq(w.ops->stream_set(w.unit, 8, 3, &w.g.table, ATS), 0);
	for (sid = 8; sid < 11; sid++) {
		for (i = 0; i < 16; i++) {
			dma = (struct iommuabs_sim_dma){
				.sid = sid,
				.addr = (GFN + i) << 12,
				.len = 4,
			};
			ck_assert_int_eq(iommuabs_sim_ats(w.m.sim, &dma), 1);
		}
	}
	for (i = 0; i < 3; i++)
		driver_guest_unmap(&w.g, ranges[i].gfn, ranges[i].nr);
	ck_assert_int_eq(w.ops->invalidate(w.unit, &inv, &stuck), 0);
	for (sid = 8; sid < 11; sid++) {
		for (i = 0; i < IA_COUNT(gone); i++)
			ck_assert_int_eq(driver_dma(&w.m, sid,
						    (GFN + gone[i]) << 12,
						    FROM_ATC),
					 0);
		ck_assert_int_eq(
			driver_dma(&w.m, sid, (GFN + 8) << 12, FROM_ATC), 1);
	}
	world_delete(&w);
}
END_TEST

START_TEST(a_bridge_of_many_ids_gets_no_ats)
{
	struct world w;

	world_new(&w, SMMU_ABORTS, tune_ats);
	ck_assert_int_eq(w.ops->streams_reserve(w.unit, 0x100, 0x100), 0);
	ck_assert_int_eq(
		w.ops->stream_set(w.unit, 0x100, 0x100, &w.g.table, ATS), 0);
	ck_assert_int_eq(driver_dma(&w.m, 0x110, GFN << 12, 0), 1);
	ck_assert_int_eq(
		driver_dma(&w.m, 0x110, MFN << 12, IOMMUABS_SIM_DMA_TRANSLATED),
		0);
	world_delete(&w);
}
END_TEST

/* ---- page requests ---- */

#define PRIQ_BASE REG64(0xc0)
#define PRIQEN	  2u /* bit of CR0, and of IRQ_CTRL */

static void tune_pri(struct iommuabs_sim_smmuv3_config *config)
{
	config->ats = config->pri = 1;
	config->priqs = 3;
}

static int request_page(struct world *w)
{
	const struct iommuabs_sim_dma dma = { .sid = SID, .addr = GFN << 12 };

	return iommuabs_sim_page_request(w->m.sim, &dma, 5);
}

static uint64_t firmware_switches_pri_on(struct world *w)
{
	const struct hostif_regs *regs = &w->unit->regs;
	uint64_t queue;

	ck_assert_int_eq(iommuabs_sim_alloc(w->m.arena, 12, &queue), 0);
	hostif_write64(regs, PRIQ_BASE, queue | 3);
	hostif_write32(regs, SMMU_CR0, PRIQEN);
	hostif_write32(regs, SMMU_IRQ_CTRL, PRIQEN);
	while (!(hostif_read32(regs, SMMU_CR0ACK) & PRIQEN))
		;
	ck_assert_int_eq(request_page(w), 1);
	return queue;
}

static void expect_no_pri(struct world *w)
{
	const struct hostif_regs *regs = &w->unit->regs;

	ck_assert_uint_eq(hostif_read32(regs, SMMU_CR0) & PRIQEN, 0);
	ck_assert_uint_eq(hostif_read32(regs, SMMU_CR0ACK) & PRIQEN, 0);
	ck_assert_uint_eq(hostif_read32(regs, SMMU_IRQ_CTRL) & PRIQEN, 0);
	ck_assert_int_eq(request_page(w), 0);
}

START_TEST(a_unit_that_offers_page_requests_takes_none)
{
	struct world w;
	uint64_t queue;

	world_new(&w, units[_i], tune_pri);
	expect_no_pri(&w);
	ck_assert_int_eq(set(&w, ATS), 0);
	expect_no_pri(&w);
	ck_assert_int_eq(set(&w, 0), 0);
	ck_assert_int_eq(w.ops->disable(w.unit), 0);
	expect_no_pri(&w);
	/* Whatever is on when the unit is taken over. */
	queue = firmware_switches_pri_on(&w);
	ck_assert_int_eq(w.ops->enable(w.unit), 0);
	expect_no_pri(&w);
	iommuabs_sim_free(w.m.arena, queue, 12);
	world_delete(&w);
}
END_TEST

/* ---- requests that wait ---- */

static void tune_stall(struct iommuabs_sim_smmuv3_config *config)
{
	config->stall_model = 2;
	config->stall_max = 8;
}

START_TEST(a_request_that_stalled_is_ended_when_its_event_is_read)
{
	struct iommuabs_sim_dma one = { .sid = SID, .addr = 0x5000, .len = 4 };
	struct backend_event events[4];
	struct world w;

	world_new(&w, _i ? SMMU_ABORTS | SMMU_STAGE1 : SMMU_ABORTS, tune_stall);
	ck_assert_int_eq(set(&w, 0), 0);
	ck_assert_int_eq(dma(&w, GFN, 0), 1);
	ck_assert_int_eq(iommuabs_sim_dma(w.m.sim, &one), IOMMUABS_SIM_STALLED);
	ck_assert_uint_eq(iommuabs_sim_stalled(w.m.sim), 1);
	ck_assert_uint_eq(w.ops->events(w.unit, events, 4), 1);
	ck_assert_int_eq(events[0].reason, IOMMUABS_FAULT_TRANSLATION);
	ck_assert_uint_eq(iommuabs_sim_stalled(w.m.sim), 0);
	ck_assert_int_eq(iommuabs_sim_dma_result(w.m.sim, &one), 0);
	ck_assert_int_eq(w.ops->errors(w.unit), 0);
	world_delete(&w);
}
END_TEST

/* 7.3: faults of every type that may stall, to the last. */
START_TEST(a_write_that_stalled_where_it_may_only_read_is_ended)
{
	struct iommuabs_sim_dma one = { .sid = SID,
					.flags = IOMMUABS_SIM_DMA_WRITE,
					.addr = (GFN + 32) << 12,
					.len = 4 };
	struct backend_event event;
	struct world w;

	world_new(&w, _i ? SMMU_ABORTS | SMMU_STAGE1 : SMMU_ABORTS, tune_stall);
	driver_guest_map(&w.g, GFN + 32, MFN, 1, IOMMUABS_READ);
	ck_assert_int_eq(set(&w, 0), 0);
	ck_assert_int_eq(iommuabs_sim_dma(w.m.sim, &one), IOMMUABS_SIM_STALLED);
	ck_assert_uint_eq(w.ops->events(w.unit, &event, 1), 1);
	ck_assert_int_eq(event.reason, IOMMUABS_FAULT_PERMISSION);
	ck_assert_uint_eq(iommuabs_sim_stalled(w.m.sim), 0);
	ck_assert_int_eq(iommuabs_sim_dma_result(w.m.sim, &one), 0);
	world_delete(&w);
}
END_TEST

START_TEST(blocking_ends_what_stalled)
{
	struct iommuabs_sim_dma one = { .sid = SID, .addr = 0x5000, .len = 4 };
	struct world w;

	world_new(&w, _i ? SMMU_ABORTS | SMMU_STAGE1 : SMMU_ABORTS, tune_stall);
	ck_assert_int_eq(set(&w, 0), 0);
	ck_assert_int_eq(iommuabs_sim_dma(w.m.sim, &one), IOMMUABS_SIM_STALLED);
	ck_assert_int_eq(w.ops->stream_set(w.unit, SID, 1, NULL, 0), 0);
	ck_assert_uint_eq(iommuabs_sim_stalled(w.m.sim), 0);
	ck_assert_int_eq(iommuabs_sim_dma_result(w.m.sim, &one), 0);
	world_delete(&w);
}
END_TEST

/* Requests of SID and of the next stream wait. */
static void two_stall(struct world *w, struct iommuabs_sim_dma dma[2])
{
	uint32_t i;

	ck_assert_int_eq(w->ops->streams_reserve(w->unit, SID + 1, 1), 0);
	ck_assert_int_eq(w->ops->stream_set(w->unit, SID, 2, &w->g.table, 0),
			 0);
	for (i = 0; i < 2; i++) {
		dma[i] = (struct iommuabs_sim_dma){ .sid = SID + i,
						    .addr = 0x5000,
						    .len = 4 };
		ck_assert_int_eq(iommuabs_sim_dma(w->m.sim, &dma[i]),
				 IOMMUABS_SIM_STALLED);
	}
	ck_assert_uint_eq(iommuabs_sim_stalled(w->m.sim), 2);
}

START_TEST(each_of_several_stalls_is_ended)
{
	struct backend_event events[4];
	struct iommuabs_sim_dma dma[2];
	struct world w;
	int i;

	world_new(&w, _i ? SMMU_ABORTS | SMMU_STAGE1 : SMMU_ABORTS, tune_stall);
	two_stall(&w, dma);
	ck_assert_uint_eq(w.ops->events(w.unit, events, 4), 2);
	ck_assert_uint_eq(iommuabs_sim_stalled(w.m.sim), 0);
	for (i = 0; i < 2; i++)
		ck_assert_int_eq(iommuabs_sim_dma_result(w.m.sim, &dma[i]), 0);
	world_delete(&w);
}
END_TEST

START_TEST(blocking_ends_what_stalled_of_its_streams)
{
	struct backend_event events[4];
	struct iommuabs_sim_dma dma[2];
	struct world w;

	world_new(&w, SMMU_ABORTS, tune_stall);
	two_stall(&w, dma);
	/* Of the one alone: the other's waits until its event is read. */
	ck_assert_int_eq(w.ops->stream_set(w.unit, SID, 1, NULL, 0), 0);
	ck_assert_int_eq(iommuabs_sim_dma_result(w.m.sim, &dma[1]),
			 IOMMUABS_SIM_STALLED);
	ck_assert_uint_eq(iommuabs_sim_stalled(w.m.sim), 1);
	ck_assert_uint_eq(w.ops->events(w.unit, events, 4), 2);
	ck_assert_int_eq(iommuabs_sim_dma_result(w.m.sim, &dma[0]), 0);
	ck_assert_int_eq(iommuabs_sim_dma_result(w.m.sim, &dma[1]), 0);
	/* Of both at once. */
	two_stall(&w, dma);
	ck_assert_int_eq(w.ops->stream_set(w.unit, SID, 2, NULL, 0), 0);
	ck_assert_uint_eq(iommuabs_sim_stalled(w.m.sim), 0);
	world_delete(&w);
}
END_TEST

static void tune_stall_small(struct iommuabs_sim_smmuv3_config *config)
{
	tune_stall(config);
	config->eventqs = 2;
}

/* The queue goes round: a place that held what was ended holds another's event. */
START_TEST(what_stalls_after_blocking_is_ended_by_its_event)
{
	struct backend_event events[4];
	struct iommuabs_sim_dma dma[2];
	struct world w;
	unsigned int i;

	world_new(&w, SMMU_ABORTS, tune_stall_small);
	for (i = 0; i < 5; i++) {
		two_stall(&w, dma);
		ck_assert_int_eq(w.ops->stream_set(w.unit, SID, 1, NULL, 0), 0);
		ck_assert_int_eq(
			w.ops->stream_set(w.unit, SID, 1, &w.g.table, 0), 0);
		ck_assert_int_eq(iommuabs_sim_dma(w.m.sim, &dma[0]),
				 IOMMUABS_SIM_STALLED);
		ck_assert_uint_eq(w.ops->events(w.unit, events, 4), 3);
		ck_assert_uint_eq(iommuabs_sim_stalled(w.m.sim), 0);
	}
	world_delete(&w);
}
END_TEST

/* A request of SID stalls whenever the unit is about to be told of commands. */
static struct {
	struct world *w;
	uint64_t cmdq_prod;
	uint32_t nr;
	struct iommuabs_sim_dma dma[8];
	void (*mmio_write)(void *ctx, uint64_t addr, unsigned int width,
			   uint64_t value);
} late;

static void late_mmio_write(void *ctx, uint64_t addr, unsigned int width,
			    uint64_t value)
{
	struct iommuabs_sim_dma *dma = &late.dma[late.nr];

	if (addr == late.cmdq_prod) {
		ck_assert_uint_lt(late.nr++, IA_COUNT(late.dma));
		*dma = (struct iommuabs_sim_dma){ .sid = SID,
						  .addr = 0x5000,
						  .len = 4 };
		ck_assert_int_eq(iommuabs_sim_dma(late.w->m.sim, dma),
				 IOMMUABS_SIM_STALLED);
	}
	late.mmio_write(ctx, addr, width, value);
}

static void late_begin(struct world *w)
{
	late.w = w;
	late.nr = 0;
	late.cmdq_prod = w->unit->regs.base + SMMU_CMDQ_PROD.offset;
	late.mmio_write = w->m.host.ops.mmio_write;
	w->m.host.ops.mmio_write = late_mmio_write;
}

/* Each was ended, once: the model tells of a CMD_RESUME too many. */
static void late_end(struct world *w)
{
	struct backend_event events[IA_COUNT(late.dma)];
	uint32_t i;

	w->m.host.ops.mmio_write = late.mmio_write;
	ck_assert_uint_gt(late.nr, 0);
	ck_assert_uint_eq(w->ops->events(w->unit, events, IA_COUNT(events)),
			  late.nr);
	ck_assert_uint_eq(iommuabs_sim_stalled(w->m.sim), 0);
	for (i = 0; i < late.nr; i++)
		ck_assert_int_eq(
			iommuabs_sim_dma_result(w->m.sim, &late.dma[i]), 0);
	driver_no_violations(&w->m);
}

static const uint32_t going_on[] = {
	SMMU_ABORTS,
	SMMU_ABORTS | SMMU_STAGE1,
};

/* It is silenced, or stays as it is: no request of it is blocked meanwhile. */
START_TEST(what_stalls_while_a_stream_goes_on_is_ended_by_its_event)
{
	struct world w;

	world_new(&w, going_on[_i / 2], tune_stall);
	ck_assert_int_eq(set(&w, 0), 0);
	if (_i % 2) {
		late_begin(&w);
		ck_assert_int_eq(set(&w, BACKEND_STREAM_SILENT), 0);
		late_end(&w);
	} else {
		/* Nothing is to be told. */
		uint64_t commands = w.unit->commands;

		ck_assert_int_eq(set(&w, 0), 0);
		ck_assert_uint_eq(w.unit->commands, commands);
	}
	world_delete(&w);
}
END_TEST

/* The next stream's entry becomes invalid in between, this one's doesn't. */
START_TEST(a_stream_that_goes_on_beside_one_that_does_not_is_left_alone)
{
	struct driver_guest other;
	struct world w;

	world_new(&w, SMMU_ABORTS, tune_stall);
	driver_guest_new(&w.m, &other, ID + 1, 40);
	ck_assert_int_eq(w.ops->streams_reserve(w.unit, SID + 1, 1), 0);
	ck_assert_int_eq(set(&w, 0), 0);
	ck_assert_int_eq(w.ops->stream_set(w.unit, SID + 1, 1, &other.table, 0),
			 0);
	late_begin(&w);
	ck_assert_int_eq(w.ops->stream_set(w.unit, SID, 2, &w.g.table, 0), 0);
	late_end(&w);
	ck_assert_int_eq(w.ops->disable(w.unit), 0);
	driver_guest_delete(&other);
	world_delete(&w);
}
END_TEST

/* ---- a long queue ---- */

/* Pages of the queues that are looked at while the unit is locked. */
static struct {
	struct world *w;
	bool is_locked, is_reading;
	uint32_t pages, most; /* of one hold */
	uint32_t read_at;     /* at the end of which hold others read events */
	uint32_t holds;
} watch;

static void *watch_lock_create(void *ctx, enum iommuabs_lock_class class_)
{
	(void)ctx;
	(void)class_;
	return &watch;
}

static void watch_lock_destroy(void *ctx, void *lock)
{
	(void)ctx;
	(void)lock;
}

static void watch_lock(void *ctx, void *lock)
{
	(void)ctx;
	(void)lock;
	ck_assert(!watch.is_locked);
	watch.is_locked = true;
	watch.pages = 0;
}

static void watch_unlock(void *ctx, void *lock)
{
	struct backend_event events[10];

	(void)ctx;
	(void)lock;
	ck_assert(watch.is_locked);
	watch.is_locked = false;
	if (watch.is_reading)
		return;
	watch.most = IA_MAX(watch.most, watch.pages);
	if (++watch.holds != watch.read_at)
		return;
	watch.is_reading = true;
	ck_assert_uint_eq(watch.w->ops->events(watch.w->unit, events, 10), 10);
	watch.is_reading = false;
}

static void *watch_table_map(void *ctx, uint64_t maddr)
{
	struct driver_machine *m = ctx;

	if (watch.is_locked)
		watch.pages++;
	return (void *)(uintptr_t)(maddr + m->host.ops.table_offset);
}

static void watch_table_unmap(void *ctx, void *page)
{
	(void)ctx;
	(void)page;
}

static void watch_begin(struct world *w, uint32_t read_at)
{
	struct iommuabs_host *ops = &w->m.host.ops;

	memset(&watch, 0, sizeof(watch));
	watch.w = w;
	watch.read_at = read_at;
	ia_lock_exit(&w->m.host, &w->unit->lock);
	ops->table_map = watch_table_map;
	ops->table_unmap = watch_table_unmap;
	ops->lock_create = watch_lock_create;
	ops->lock_destroy = watch_lock_destroy;
	ops->lock = watch_lock;
	ops->unlock = watch_unlock;
	ck_assert_int_eq(
		ia_lock_init(&w->m.host, &w->unit->lock, IOMMUABS_LOCK_UNIT),
		0);
}

static void watch_end(struct world *w)
{
	w->m.host.ops.table_map = NULL;
	w->m.host.ops.table_unmap = NULL;
}

/* Records of a stream that blocks; none of them stalls. */
static void blocked_dma(struct world *w, uint32_t nr)
{
	while (nr--)
		ck_assert_int_eq(driver_dma(&w->m, SID + 2, 0x5000, 0), 0);
}

/*
 * The queue is long, and everybody inserts commands under the lock that it is
 * looked through with. Others read events between two looks.
 */
START_TEST(what_stalled_is_found_in_a_long_queue_a_few_records_at_a_time)
{
	struct backend_event events[128];
	const struct smmuv3_evtq *q;
	struct iommuabs_sim_dma dma[2];
	struct world w;
	uint32_t i, nr;

	world_new(&w, SMMU_ABORTS, tune_stall);
	blocked_dma(&w, 3);
	two_stall(&w, dma);
	blocked_dma(&w, 30);
	for (i = 0; i < 4; i++) {
		dma[i % 2].sid = SID + i % 2;
		ck_assert_int_eq(iommuabs_sim_dma(w.m.sim, &dma[i % 2]),
				 IOMMUABS_SIM_STALLED);
		blocked_dma(&w, 15);
	}
	watch_begin(&w, (uint32_t)_i);
	ck_assert_int_eq(w.ops->stream_set(w.unit, SID, 1, NULL, 0), 0);
	ck_assert_uint_le(watch.most, 2 * SMMUV3_BATCH);
	ck_assert_uint_gt(watch.holds, 6);
	watch_end(&w);
	nr = w.ops->events(w.unit, events, 128) + (_i ? 10 : 0);
	ck_assert_uint_eq(nr, 3 + 2 + 30 + 4 * 16);
	ck_assert_uint_eq(iommuabs_sim_stalled(w.m.sim), 0);
	/* What is marked and has no record would be another's, later. */
	q = &smmuv3_of(w.unit)->evtq;
	for (i = 0; i < IA_COUNT(q->ended); i++)
		ck_assert_uint_eq(q->ended[i], 0);
	world_delete(&w);
}
END_TEST

/* The queue is a new one: what was marked in the old is another's place. */
START_TEST(a_reset_forgets_which_stalls_were_ended)
{
	struct backend_event events[4];
	struct iommuabs_sim_dma dma[2];
	struct world w;

	world_new(&w, SMMU_ABORTS, tune_stall);
	two_stall(&w, dma);
	ck_assert_int_eq(w.ops->stream_set(w.unit, SID, 2, NULL, 0), 0);
	ck_assert_int_eq(w.ops->enable(w.unit), 0);
	two_stall(&w, dma);
	ck_assert_uint_eq(w.ops->events(w.unit, events, 4), 2);
	ck_assert_uint_eq(iommuabs_sim_stalled(w.m.sim), 0);
	world_delete(&w);
}
END_TEST

START_TEST(stalls_that_cannot_be_ended_cost_one_timeout_and_the_unit)
{
	struct iommuabs_sim_dma many[3];
	struct backend_event event;
	struct world w;
	uint64_t start;
	unsigned int i;

	world_new(&w, SMMU_ABORTS, tune_stall);
	ck_assert_int_eq(set(&w, 0), 0);
	for (i = 0; i < 3; i++) {
		many[i] = (struct iommuabs_sim_dma){ .sid = SID,
						     .addr = 0x5000,
						     .len = 4 };
		ck_assert_int_eq(iommuabs_sim_dma(w.m.sim, &many[i]),
				 IOMMUABS_SIM_STALLED);
	}
	iommuabs_sim_plant(w.m.sim, IOMMUABS_SIM_CMDQ_HANG, 0, 0);
	start = iommuabs_sim_time_us(w.m.arena);
	for (i = 0; i < 3; i++)
		w.ops->events(w.unit, &event, 1);
	ck_assert_uint_lt(iommuabs_sim_time_us(w.m.arena) - start,
			  BACKEND_TIMEOUT_US + 1000);
	ck_assert_int_eq(w.ops->errors(w.unit), IOMMUABS_E_TIMEOUT);
	ck_assert_ptr_nonnull(strstr(w.unit->reason, "stalled"));
	/* A reset ends the requests, and the hang. */
	ck_assert_int_eq(w.ops->fence(w.unit), 0);
	ck_assert_int_eq(w.ops->enable(w.unit), 0);
	ck_assert_int_eq(w.ops->errors(w.unit), 0);
	world_delete(&w);
}
END_TEST

static void add_tests(Suite *s)
{
	TCase *tc = tcase_create("ats");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(
		tc, without_leave_nothing_that_claims_to_be_translated_passes,
		0, NR_UNITS);
	tcase_add_loop_test(tc,
			    what_a_device_keeps_is_taken_back_with_the_mapping,
			    0, NR_UNITS);
	tcase_add_loop_test(tc,
			    a_reset_gives_no_translation_from_before_a_chance,
			    0, NR_UNITS);
	tcase_add_loop_test(tc, a_device_that_does_not_answer_is_named, 0,
			    NR_UNITS);
	tcase_add_test(tc, one_device_that_does_not_answer_is_told_from_others);
	tcase_add_test(tc, each_id_of_a_device_is_taken_back_each_range);
	tcase_add_test(tc, a_bridge_of_many_ids_gets_no_ats);
	tcase_add_loop_test(tc, a_unit_that_offers_page_requests_takes_none, 0,
			    NR_UNITS);
	tcase_add_loop_test(
		tc, a_request_that_stalled_is_ended_when_its_event_is_read, 0,
		2);
	tcase_add_loop_test(
		tc, a_write_that_stalled_where_it_may_only_read_is_ended, 0, 2);
	tcase_add_test(tc, a_reset_forgets_which_stalls_were_ended);
	tcase_add_test(tc, what_nobody_answered_is_kept_for_who_has_not_looked);
	tcase_add_loop_test(tc, blocking_ends_what_stalled, 0, 2);
	tcase_add_loop_test(tc, each_of_several_stalls_is_ended, 0, 2);
	tcase_add_test(tc, blocking_ends_what_stalled_of_its_streams);
	tcase_add_test(tc, what_stalls_after_blocking_is_ended_by_its_event);
	tcase_add_loop_test(
		tc, what_stalls_while_a_stream_goes_on_is_ended_by_its_event, 0,
		4);
	tcase_add_test(
		tc,
		a_stream_that_goes_on_beside_one_that_does_not_is_left_alone);
	tcase_add_loop_test(
		tc,
		what_stalled_is_found_in_a_long_queue_a_few_records_at_a_time,
		0, 12);
	tcase_add_test(
		tc, stalls_that_cannot_be_ended_cost_one_timeout_and_the_unit);
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
	Suite *s = suite_create("smmuv3_ats");

	if (suite_needs(s, IOMMUABS_UNIT_SMMUV3))
		add_tests(s);
	return s;
}

HARNESS_MAIN(suite)
