/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices behind VT-d that keep translations of their own, and errors of the
 * invalidation queue.
 */
#include "test_vtd.h"

#include <stdio.h>
#include <string.h>

#include "backends/vtd/vtd.h"
#include "core/core.h"
#include "harness.h"
#include "test_acpi.h"
#include "test_needs.h"
#include "test_pci.h"
#include "test_rig.h"

#if IOMMUABS_CONFIG_VTD

#define ATS	 BACKEND_STREAM_ATS
#define FROM_ATC IOMMUABS_SIM_DMA_ATC

#define FSTS	 0x34
#define FSTS_IQE (1u << 4)
#define FSTS_ITE (1u << 6)

static struct driver_machine m;
static struct driver_guest g;
static const struct backend_ops *ops;

static void tune_ats(struct iommuabs_sim_vtd_config *config)
{
	config->dt = 1;
	config->itesid = config->smts;
}

/* Those with a queue. */
static const enum vtd_kind kinds[] = {
	VTD_PLAIN,
	VTD_SCALABLE,
	VTD_NONCOHERENT,
	VTD_CACHING,
};
#define NR_KINDS ((int)IA_COUNT(kinds))

static void begin(enum vtd_kind kind)
{
	ops = vtd_guest_machine_new(&m, &g, kind, tune_ats, 39);
	driver_guest_map(&g, GFN, MFN, 16, RW);
	ck_assert_int_eq(ops->streams_reserve(&m.unit, SID, 1), 0);
	ck_assert_int_eq(ops->enable(&m.unit), 0);
}

static void finish(void)
{
	vtd_guest_machine_delete(&m, &g);
}

static int set(uint32_t flags)
{
	return ops->stream_set(&m.unit, SID, 1, &g.table, flags);
}

static uint32_t live_flags(void)
{
	struct backend_stream live;

	ops->read_stream(&m.unit, SID, &live);
	return live.flags;
}

static int ask_of(uint32_t sid, uint64_t gfn)
{
	struct iommuabs_sim_dma dma = { .sid = sid,
					.addr = gfn << 12,
					.len = 4 };

	return iommuabs_sim_ats(m.sim, &dma);
}

static int ask(uint64_t gfn)
{
	return ask_of(SID, gfn);
}

static int dma(uint64_t gfn, uint32_t flags)
{
	return driver_dma(&m, SID, gfn << 12, flags);
}

static int forget(uint64_t gfn, uint64_t nr, struct backend_streams *stuck)
{
	const struct backend_range range = { gfn, nr };
	const struct backend_inv inv = { ID, &range, nr != 0, 1, 12 };

	return ops->invalidate(&m.unit, &inv, stuck);
}

static uint64_t commands(void)
{
	struct iommuabs_sim_counters now;

	iommuabs_sim_counters(m.sim, &now);
	return now.commands;
}

START_TEST(without_leave_nothing_that_claims_to_be_translated_passes)
{
	struct backend_event event;

	begin(kinds[_i]);
	ck_assert_uint_eq(m.unit.caps.ats, 1);
	ck_assert_int_eq(set(0), 0);
	ck_assert_uint_eq(live_flags(), 0);
	ck_assert_int_eq(ask(GFN), 0);
	ck_assert_uint_eq(ops->events(&m.unit, &event, 1), 1);
	ck_assert_int_eq(event.reason, IOMMUABS_FAULT_TRANSLATED);
	ck_assert_int_eq(dma(MFN, IOMMUABS_SIM_DMA_TRANSLATED), 0);
	ck_assert_uint_eq(ops->events(&m.unit, &event, 1), 1);
	ck_assert_int_eq(event.reason, IOMMUABS_FAULT_TRANSLATED);
	ck_assert_int_eq(dma(GFN, 0), 1);
	finish();
}
END_TEST

START_TEST(what_a_device_keeps_is_taken_back_with_the_mapping)
{
	const uint64_t both[] = { IOMMUABS_SIM_BLOCKED, (MFN + 3) << 12 };
	struct iommuabs_sim_probe *probe;
	struct backend_streams stuck;

	begin(kinds[_i]);
	ck_assert_int_eq(set(ATS), 0);
	ck_assert_uint_eq(live_flags(), ATS);
	ck_assert_int_eq(ask(GFN + 3), 1);
	ck_assert_int_eq(dma(GFN + 3, FROM_ATC), 1);
	probe = iommuabs_sim_probe_add(m.sim, SID, (GFN + 3) << 12, FROM_ATC);
	ck_assert_uint_eq(iommuabs_sim_probe_allow(probe, both, 2), 0);
	driver_guest_unmap(&g, GFN + 3, 1);
	ck_assert_int_eq(forget(GFN + 3, 1, &stuck), 0);
	ck_assert_uint_eq(iommuabs_sim_probe_allow(probe, both, 1), 0);
	ck_assert_int_eq(dma(GFN + 3, FROM_ATC), 0);
	/* Detached and attached again, it begins with nothing. */
	ck_assert_int_eq(ask(GFN + 4), 1);
	ck_assert_int_eq(ops->stream_set(&m.unit, SID, 1, NULL, 0), 0);
	ck_assert_int_eq(dma(GFN + 4, FROM_ATC), 0);
	iommuabs_sim_probe_remove(probe);
	driver_guest_unmap(&g, GFN + 4, 1);
	ck_assert_int_eq(forget(0, 0, &stuck), 0);
	probe = iommuabs_sim_probe_add(m.sim, SID, (GFN + 4) << 12, FROM_ATC);
	ck_assert_uint_eq(iommuabs_sim_probe_allow(probe, both, 1), 0);
	ck_assert_int_eq(set(ATS), 0);
	iommuabs_sim_probe_remove(probe);
	finish();
}
END_TEST

START_TEST(a_reset_gives_no_translation_from_before_a_chance)
{
	const uint64_t blocked = IOMMUABS_SIM_BLOCKED;
	struct iommuabs_sim_probe *probe;
	struct backend_streams stuck;

	begin(kinds[_i]);
	ck_assert_int_eq(set(ATS), 0);
	ck_assert_int_eq(ask(GFN), 1);
	ck_assert_int_eq(ops->fence(&m.unit), 0);
	driver_guest_unmap(&g, GFN, 1);
	probe = iommuabs_sim_probe_add(m.sim, SID, GFN << 12, FROM_ATC);
	ck_assert_uint_eq(iommuabs_sim_probe_allow(probe, &blocked, 1), 0);
	ck_assert_int_eq(ops->enable(&m.unit), 0);
	iommuabs_sim_probe_remove(probe);
	ck_assert_uint_eq(live_flags(), ATS);
	ck_assert_int_eq(dma(GFN, FROM_ATC), 0);
	ck_assert_int_eq(ask(GFN + 1), 1);
	ck_assert_int_eq(forget(GFN, 1, &stuck), 0);
	finish();
}
END_TEST

/* Its queue is as the fence left it: nothing goes in before it is on again. */
START_TEST(a_unit_that_was_lost_comes_back_with_its_devices)
{
	begin(kinds[_i]);
	ck_assert_int_eq(set(ATS), 0);
	ck_assert_int_eq(ask(GFN), 1);
	iommuabs_sim_plant(m.sim, IOMMUABS_SIM_CR0_IGNORED, 1, 0);
	ck_assert_int_eq(ops->fence(&m.unit), IOMMUABS_E_TIMEOUT);
	iommuabs_sim_heal(m.sim);
	ck_assert_int_eq(ops->enable(&m.unit), 0);
	ck_assert_uint_eq(live_flags(), ATS);
	ck_assert_int_eq(dma(GFN, 0), 1);
	ck_assert_int_eq(ask(GFN), 1);
	finish();
}
END_TEST

/* 6.5.2.5, MIP: each takes one invalidation at a time. */
START_TEST(a_device_is_asked_for_one_thing_at_a_time)
{
	struct backend_streams stuck;
	uint64_t from, words[2], n;
	unsigned int asked = 0;

	begin(kinds[_i]);
	ck_assert_int_eq(set(ATS), 0);
	from = commands();
	ck_assert_int_eq(forget(GFN, 1, &stuck), 0);
	for (n = from; iommuabs_sim_command(m.sim, n, words); n++) {
		if ((words[0] & 15) != 3)
			continue;
		asked++;
		ck_assert_uint_eq(words[0] >> 16 & 31, 1);
		ck_assert_uint_eq(words[0] >> 32 & 0xffff, SID);
		ck_assert_uint_eq(words[1], GFN << 12);
	}
	ck_assert_uint_eq(asked, 1);
	finish();
}
END_TEST

START_TEST(a_device_that_does_not_answer_is_named)
{
	struct backend_streams stuck = { 0, 0 };

	begin(kinds[_i]);
	ck_assert_int_eq(set(ATS), 0);
	ck_assert_int_eq(ask(GFN), 1);
	iommuabs_sim_atc_mute(m.sim, SID, 1);
	driver_guest_unmap(&g, GFN, 1);
	ck_assert_int_eq(forget(GFN, 1, &stuck), BACKEND_STUCK);
	ck_assert_uint_eq(stuck.first, SID);
	ck_assert_uint_eq(stuck.nr, 1);
	ck_assert_uint_ge(m.unit.errors, 1);
	/* Blocked, it can use nothing, and nobody waits for it any more. */
	ck_assert_int_eq(ops->stream_set(&m.unit, SID, 1, NULL, 0), 0);
	ck_assert_int_eq(dma(GFN, FROM_ATC), 0);
	ck_assert_int_eq(forget(GFN, 1, &stuck), 0);
	/* Let in again, it gets no ATS while it is mute. */
	ck_assert_int_eq(set(ATS), 0);
	ck_assert_uint_eq(live_flags(), 0);
	ck_assert_int_eq(dma(GFN + 1, 0), 1);
	iommuabs_sim_atc_mute(m.sim, SID, 0);
	ck_assert_int_eq(set(ATS), 0);
	ck_assert_uint_eq(live_flags(), ATS);
	ck_assert_uint_eq(vtd_reg(&m, FSTS, 4) & (FSTS_IQE | FSTS_ITE), 0);
	finish();
}
END_TEST

START_TEST(one_device_that_does_not_answer_is_told_from_others)
{
	struct backend_streams stuck = { 0, 0 };

	begin(kinds[_i]);
	ck_assert_int_eq(ops->streams_reserve(&m.unit, 8, 4), 0);
	ck_assert_int_eq(ops->streams_reserve(&m.unit, 16, 1), 0);
	ck_assert_int_eq(set(ATS), 0);
	ck_assert_int_eq(ops->stream_set(&m.unit, 8, 4, &g.table, ATS), 0);
	ck_assert_int_eq(ops->stream_set(&m.unit, 16, 1, &g.table, ATS), 0);
	iommuabs_sim_atc_mute(m.sim, 10, 1);
	ck_assert_int_eq(forget(0, 0, &stuck), BACKEND_STUCK);
	ck_assert_uint_eq(stuck.first, 8);
	ck_assert_uint_eq(stuck.nr, 4);
	finish();
}
END_TEST

/* What one was asked for times out piece by piece, also when others are asked. */
START_TEST(a_late_time_out_is_not_blamed_on_another)
{
	const struct backend_streams other = { SID, 1 };
	struct backend_streams stuck = { 0, 0 };
	uint32_t sid;

	begin(kinds[_i]);
	ck_assert_int_eq(set(ATS), 0);
	ck_assert_int_eq(ops->streams_reserve(&m.unit, 8, 4), 0);
	ck_assert_int_eq(ops->stream_set(&m.unit, 8, 4, &g.table, ATS), 0);
	for (sid = 9; sid < 12; sid++)
		iommuabs_sim_atc_mute(m.sim, sid, 1);
	ck_assert_int_eq(forget(0, 0, &stuck), BACKEND_STUCK);
	ck_assert_uint_eq(stuck.first, 8);
	/* What another CPU does that waited for its turn. */
	ck_assert_int_eq(vtd_ats_ops.forget(&m.unit, &other, NULL), 0);
	ck_assert_uint_eq(vtd_reg(&m, FSTS, 4) & (FSTS_IQE | FSTS_ITE), 0);
	finish();
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
	unsigned int i;
	uint32_t sid;

	begin(kinds[_i]);
	ck_assert_int_eq(ops->streams_reserve(&m.unit, 8, 3), 0);
	ck_assert_int_eq(ops->stream_set(&m.unit, 8, 3, &g.table, ATS), 0);
	for (sid = 8; sid < 11; sid++)
		for (i = 0; i < 16; i++)
			ck_assert_int_eq(ask_of(sid, GFN + i), 1);
	for (i = 0; i < 3; i++)
		driver_guest_unmap(&g, ranges[i].gfn, ranges[i].nr);
	ck_assert_int_eq(ops->invalidate(&m.unit, &inv, &stuck), 0);
	for (sid = 8; sid < 11; sid++) {
		for (i = 0; i < IA_COUNT(gone); i++)
			ck_assert_int_eq(driver_dma(&m, sid,
						    (GFN + gone[i]) << 12,
						    FROM_ATC),
					 0);
		ck_assert_int_eq(driver_dma(&m, sid, (GFN + 8) << 12, FROM_ATC),
				 1);
	}
	finish();
}
END_TEST

START_TEST(a_bridge_of_many_ids_gets_no_ats)
{
	begin(kinds[_i]);
	ck_assert_int_eq(ops->streams_reserve(&m.unit, 0x100, 0x100), 0);
	ck_assert_int_eq(ops->stream_set(&m.unit, 0x100, 0x100, &g.table, ATS),
			 0);
	ck_assert_int_eq(driver_dma(&m, 0x110, GFN << 12, 0), 1);
	ck_assert_int_eq(
		driver_dma(&m, 0x110, MFN << 12, IOMMUABS_SIM_DMA_TRANSLATED),
		0);
	finish();
}
END_TEST

/* ---- errors of the queue ---- */

/* Its place is taken by something harmless, and what it was is done after all. */
START_TEST(a_refused_descriptor_is_done_after_all)
{
	struct backend_streams stuck;

	begin(kinds[_i / 4]);
	ck_assert_int_eq(set(0), 0);
	ck_assert_int_eq(dma(GFN, 0), 1);
	iommuabs_sim_plant(m.sim, IOMMUABS_SIM_CMD_ILLEGAL,
			   (uint64_t)_i % 4 + 1, 0);
	driver_guest_unmap(&g, GFN, 1);
	ck_assert_int_eq(forget(GFN, 1, &stuck), 0);
	ck_assert_int_eq(dma(GFN, 0), 0);
	driver_guest_unmap(&g, GFN + 1, 1);
	ck_assert_int_eq(forget(GFN + 1, 1, &stuck), 0);
	ck_assert_int_eq(dma(GFN + 1, 0), 0);
	if (_i % 4 < 2)
		ck_assert_uint_ge(m.unit.errors, 1);
	ck_assert_uint_ne(vtd_reg(&m, 0x1c, 4) & 1u << 31, 0);
	finish();
}
END_TEST

/* Each time it comes to the front. */
static void refuse_again(void *ctx, uint64_t addr, unsigned int width,
			 uint64_t value)
{
	(void)ctx;
	if (addr == VTD_TEST_BASE + 0x88)
		iommuabs_sim_plant(m.sim, IOMMUABS_SIM_CMD_ILLEGAL, 1, 0);
	iommuabs_sim_mmio_write(m.arena, addr, width, value);
}

START_TEST(a_unit_that_refuses_for_ever_is_fenced_with_te_on)
{
	void (*mmio_write)(void *ctx, uint64_t addr, unsigned int width,
			   uint64_t value);
	struct backend_streams stuck;
	uint64_t tries;

	begin(kinds[_i]);
	ck_assert_int_eq(set(0), 0);
	mmio_write = m.host.ops.mmio_write;
	m.host.ops.mmio_write = refuse_again;
	driver_guest_unmap(&g, GFN, 1);
	tries = m.unit.syncs;
	ck_assert_int_eq(forget(GFN, 1, &stuck), IOMMUABS_E_TIMEOUT);
	ck_assert_uint_eq(m.unit.syncs - tries, 3);
	ck_assert_ptr_nonnull(strstr(m.unit.reason, "IQE"));
	iommuabs_sim_heal(m.sim);
	m.host.ops.mmio_write = mmio_write;
	ck_assert_int_eq(ops->fence(&m.unit), 0);
	ck_assert_uint_ne(vtd_reg(&m, 0x1c, 4) & 1u << 31, 0);
	ck_assert_int_eq(dma(GFN + 1, 0), 0);
	ck_assert_int_eq(ops->enable(&m.unit), 0);
	ck_assert_int_eq(dma(GFN, 0), 0);
	ck_assert_int_eq(dma(GFN + 1, 0), 1);
	finish();
}
END_TEST

/* What nobody waits for in the queue is found by the poll. */
START_TEST(an_error_that_nobody_met_is_acknowledged)
{
	begin(kinds[_i]);
	ck_assert_int_eq(set(ATS), 0);
	ck_assert_int_eq(ops->errors(&m.unit), 0);
	ck_assert_uint_eq(m.unit.errors, 0);
	/* An answer that was not asked for. */
	iommuabs_sim_plant(m.sim, IOMMUABS_SIM_STRAY_ANSWER, 1, 0);
	ck_assert_uint_ne(vtd_reg(&m, FSTS, 4) & 1u << 5, 0);
	ck_assert_int_eq(ops->errors(&m.unit), 0);
	ck_assert_uint_eq(m.unit.errors, 1);
	ck_assert_uint_eq(vtd_reg(&m, FSTS, 4) & 1u << 5, 0);
	ck_assert_int_eq(dma(GFN, 0), 1);
	finish();
}
END_TEST

/* ---- a dead device, by the whole library ---- */

static const enum rig_kind rigs[] = {
	RIG_VTD,
	RIG_VTD_SCALABLE,
	RIG_VTD_NONCOHERENT,
	RIG_VTD_CACHING,
};

#define NEIGHBOUR ((uint32_t)0x20) /* in the same domain */
#define STRANGER  ((uint32_t)0x28) /* in another */
/* Each poll is bounded by a tenth of a second; it takes no more than two. */
#define BOUND_US 200000

static struct rig rig;

struct life {
	struct iommuabs_domain *dom, *other;
	struct iommuabs_device *dead, *neighbour, *stranger;
};

static int attach_ats(struct iommuabs_device *dev, struct iommuabs_domain *dom)
{
	const struct iommuabs_attach_options options = {
		.size = sizeof(options),
		.flags = IOMMUABS_ALLOW_UNSAFE_MSI | IOMMUABS_ALLOW_ATS,
	};

	return iommuabs_device_attach(dev, dom, &options, 0);
}

static int move_ats(struct iommuabs_device *dev, struct iommuabs_domain *dom)
{
	const struct iommuabs_attach_options options = {
		.size = sizeof(options),
		.flags = IOMMUABS_ALLOW_UNSAFE_MSI | IOMMUABS_ALLOW_ATS |
			 IOMMUABS_ALLOW_WINDOW,
	};

	return iommuabs_device_move(dev, dom, &options, 0);
}

static int rig_map(struct iommuabs_domain *dom, uint64_t n)
{
	return iommuabs_domain_map(dom, IOMMUABS_GFN(GFN),
				   IOMMUABS_MFN(rig_frame(&rig, n)), 4, RW,
				   NULL);
}

static int rig_unmap(struct iommuabs_domain *dom, uint64_t gfn)
{
	return iommuabs_domain_unmap(dom, IOMMUABS_GFN(gfn), 1, NULL);
}

static bool rig_dma(uint32_t sid, uint64_t frame, uint32_t flags)
{
	struct iommuabs_sim_dma dma = {
		.sid = sid, .flags = flags, .addr = frame << 12, .len = 4
	};
	uint32_t word = 0;

	dma.data = &word;
	return iommuabs_sim_dma(rig.sim, &dma) != 0;
}

static bool rig_ask(uint32_t sid, uint64_t gfn)
{
	struct iommuabs_sim_dma dma = { .sid = sid,
					.addr = gfn << 12,
					.len = 4 };

	return iommuabs_sim_ats(rig.sim, &dma) != 0;
}

static void life_new(struct life *l, enum rig_kind kind)
{
	rig_new(&rig, kind);
	l->dom = rig_domain(&rig);
	l->other = rig_domain(&rig);
	ck_assert_int_eq(rig_map(l->dom, 0), 0);
	ck_assert_int_eq(rig_map(l->other, 8), 0);
	ck_assert_int_eq(rig_device(&rig, SID, &l->dead), 0);
	ck_assert_int_eq(rig_device(&rig, NEIGHBOUR, &l->neighbour), 0);
	ck_assert_int_eq(rig_device(&rig, STRANGER, &l->stranger), 0);
	ck_assert_int_eq(attach_ats(l->dead, l->dom), 0);
	ck_assert_int_eq(attach_ats(l->neighbour, l->dom), 0);
	ck_assert_int_eq(attach_ats(l->stranger, l->other), 0);
	ck_assert(rig_ask(SID, GFN));
	ck_assert(rig_ask(NEIGHBOUR, GFN));
	ck_assert(rig_ask(STRANGER, GFN));
}

static void life_delete(struct life *l)
{
	ck_assert_int_eq(iommuabs_device_detach(l->dead, 0), 0);
	ck_assert_int_eq(iommuabs_device_detach(l->neighbour, 0), 0);
	ck_assert_int_eq(iommuabs_device_detach(l->stranger, 0), 0);
	ck_assert_int_eq(iommuabs_domain_destroy(l->dom, 0), 0);
	ck_assert_int_eq(iommuabs_domain_destroy(l->other, 0), 0);
	rig_end(&rig);
}

static uint64_t errors_of_unit(void)
{
	struct iommuabs_unit_state state = { .size = sizeof(state) };

	ck_assert_int_eq(iommuabs_unit_state(rig.unit, &state), 0);
	ck_assert_int_eq(state.status, IOMMUABS_UNIT_RUNNING);
	ck_assert_int_eq(state.error, 0);
	return state.errors;
}

/* Whatever it tries: from what it kept, at guest addresses, at machine ones. */
static void dead_reaches_nothing(const struct life *l)
{
	struct iommuabs_explanation why = { .size = sizeof(why) };
	struct iommuabs_device_stats stats = { .size = sizeof(stats) };

	ck_assert(!rig_dma(SID, GFN, FROM_ATC));
	ck_assert(!rig_dma(SID, GFN + 1, FROM_ATC));
	ck_assert(!rig_dma(SID, GFN + 1, 0));
	ck_assert(
		!rig_dma(SID, rig_frame(&rig, 1), IOMMUABS_SIM_DMA_TRANSLATED));
	ck_assert(!rig_ask(SID, GFN + 1));
	rig.faults = 0;
	ck_assert_int_eq(iommuabs_faults_poll(rig.lib, 0, NULL), 0);
	ck_assert_uint_ge(rig.faults, 1);
	ck_assert_ptr_eq(rig.fault.dev, l->dead);
	ck_assert_int_eq(rig.fault.reason, IOMMUABS_FAULT_STREAM);
	ck_assert_int_eq(iommuabs_device_explain(l->dead, IOMMUABS_GFN(GFN + 1),
						 IOMMUABS_READ, &why),
			 0);
	ck_assert_int_eq(why.obstacle, IOMMUABS_OBSTACLE_QUARANTINED);
	ck_assert_int_eq(iommuabs_device_stats(l->dead, &stats), 0);
	ck_assert_uint_eq(stats.quarantined, 1);
}

static void others_go_on(const struct life *l)
{
	struct iommuabs_device_stats stats = { .size = sizeof(stats) };

	ck_assert(!rig_dma(NEIGHBOUR, GFN, FROM_ATC));
	ck_assert(!rig_dma(NEIGHBOUR, GFN, 0));
	ck_assert(rig_ask(NEIGHBOUR, GFN + 1));
	ck_assert(rig_dma(NEIGHBOUR, GFN + 1, FROM_ATC));
	ck_assert(rig_dma(NEIGHBOUR, GFN + 1, 0));
	ck_assert(rig_dma(STRANGER, GFN, FROM_ATC));
	ck_assert(rig_dma(STRANGER, GFN, 0));
	ck_assert_int_eq(iommuabs_device_stats(l->neighbour, &stats), 0);
	ck_assert_uint_eq(stats.quarantined, 0);
	ck_assert_int_eq(iommuabs_device_stats(l->stranger, &stats), 0);
	ck_assert_uint_eq(stats.quarantined, 0);
}

/* The frame is free: nothing is withheld because of a device that is cut off. */
static void is_taken_back(const struct life *l, uint64_t n)
{
	iommuabs_gfn_t gfn;
	uint64_t cursor = 0;
	uint32_t nr;

	ck_assert_int_eq(iommuabs_domain_gfns(l->dom,
					      IOMMUABS_MFN(rig_frame(&rig, n)),
					      &cursor, &gfn, 1, &nr),
			 0);
	ck_assert_uint_eq(nr, 0);
}

START_TEST(a_dead_device_is_cut_off_alone)
{
	struct iommuabs_sim_probe *probe;
	const uint64_t blocked = IOMMUABS_SIM_BLOCKED;
	uint64_t errors, start;
	struct life l;

	life_new(&l, rigs[_i]);
	iommuabs_sim_atc_mute(rig.sim, SID, 1);
	start = iommuabs_sim_time_us(rig.arena);
	ck_assert_int_eq(rig_unmap(l.dom, GFN), 0);
	ck_assert_uint_lt(iommuabs_sim_time_us(rig.arena) - start, BOUND_US);
	probe = iommuabs_sim_probe_add(rig.sim, SID, (GFN + 1) << 12, FROM_ATC);
	ck_assert_uint_eq(iommuabs_sim_probe_allow(probe, &blocked, 1), 0);
	is_taken_back(&l, 0);
	ck_assert_uint_eq(rig.isolated, 1);
	ck_assert_ptr_eq(rig.isolated_cookie, (void *)(uintptr_t)SID);
	errors = errors_of_unit();
	ck_assert_uint_ge(errors, 1);
	others_go_on(&l);
	dead_reaches_nothing(&l);
	/* From now on nobody waits for it. */
	ck_assert_int_eq(rig_unmap(l.dom, GFN + 2), 0);
	is_taken_back(&l, 2);
	ck_assert_uint_eq(errors_of_unit(), errors);
	ck_assert_uint_eq(rig.isolated, 1);
	iommuabs_sim_probe_remove(probe);
	life_delete(&l);
}
END_TEST

/* Attached anew it is let in: with ATS when it answers, else without. */
START_TEST(a_dead_device_can_be_let_in_again)
{
	struct life l;
	unsigned int mute;

	life_new(&l, rigs[_i]);
	iommuabs_sim_atc_mute(rig.sim, SID, 1);
	ck_assert_int_eq(rig_unmap(l.dom, GFN), 0);
	for (mute = 2; mute-- > 0;) {
		iommuabs_sim_atc_mute(rig.sim, SID, mute);
		ck_assert_int_eq(iommuabs_device_detach(l.dead, 0), 0);
		ck_assert(!rig_dma(SID, GFN + 1, 0));
		ck_assert_int_eq(attach_ats(l.dead, l.dom), 0);
		ck_assert(!rig_dma(SID, GFN, 0));
		ck_assert(!rig_dma(SID, GFN, FROM_ATC));
		ck_assert(rig_dma(SID, GFN + 1, 0));
		ck_assert(rig_ask(SID, GFN + 1) == !mute);
	}
	ck_assert(rig_dma(SID, GFN + 1, FROM_ATC));
	ck_assert_int_eq(rig_unmap(l.dom, GFN + 1), 0);
	ck_assert(!rig_dma(SID, GFN + 1, FROM_ATC));
	ck_assert_uint_eq(rig.isolated, 1);
	ck_assert(rig_dma(STRANGER, GFN, FROM_ATC));
	(void)errors_of_unit();
	life_delete(&l);
}
END_TEST

/* A few ids in a row may be left of many, and are no device either. */
START_TEST(what_others_leave_of_a_range_gets_no_ats)
{
	const enum rig_kind kind =
		_i < (int)IA_COUNT(rigs) ? rigs[_i] : RIG_ATS;
	struct iommuabs_stream_range stream = { .first = 0x100, .nr = 0x100 };
	const struct iommuabs_device_desc desc = {
		.size = sizeof(desc),
		.flags = IOMMUABS_DEVICE_RANGE,
		.streams = &stream,
		.nr_streams = 1,
	};
	static const uint32_t left[] = { 0x100, 0x109, 0x10c };
	struct iommuabs_device *range, *one;
	struct iommuabs_domain *dom;
	unsigned int i;

	rig_new(&rig, kind);
	stream.unit = rig.unit;
	dom = rig_domain(&rig);
	ck_assert_int_eq(rig_map(dom, 0), 0);
	ck_assert_int_eq(iommuabs_device_add(rig.lib, &desc, &range), 0);
	ck_assert_int_eq(rig_device(&rig, 0x108, &one), 0);
	ck_assert_int_eq(rig_device(&rig, 0x10b, &one), 0);
	ck_assert_int_eq(attach_ats(range, dom), 0);
	ck_assert_int_eq(attach_ats(one, dom), 0);
	ck_assert(rig_ask(0x10b, GFN));
	for (i = 0; i < IA_COUNT(left); i++) {
		ck_assert(!rig_ask(left[i], GFN));
		ck_assert(!rig_dma(left[i], rig_frame(&rig, 0),
				   IOMMUABS_SIM_DMA_TRANSLATED));
		ck_assert(rig_dma(left[i], GFN, 0));
	}
	ck_assert_int_eq(iommuabs_device_detach(range, 0), 0);
	ck_assert_int_eq(iommuabs_device_detach(one, 0), 0);
	ck_assert_int_eq(iommuabs_domain_destroy(dom, 0), 0);
	rig_end(&rig);
}
END_TEST

#if IOMMUABS_CONFIG_ACPI

/* ---- the way to the unit, as a DMAR has it ---- */

#define ATSR_ALL     "{2 b:1 b:0 w:0 }\n"
#define ATSR_OTHER   "{2 b:1 b:0 w:7 }\n" /* of another segment */
#define ATSR_PORT(n) "{2 b:0 b:0 w:0 (2 z:2 b:0 b:0 b:" #n " b:0 ) }\n"
#define SATC(n)	     "{5 b:1 b:0 w:0 (1 z:2 b:0 b:0 b:" #n " b:0 ) }\n"
#define SATC_EMPTY   "{5 b:1 b:0 w:0 }\n"
#define SATC_OTHER   "{5 b:1 b:0 w:7 }\n"
/* A kind of device that there isn't; one behind a bridge that isn't there. */
#define SATC_STRANGE "{5 b:1 b:0 w:0 (9 z:2 b:0 b:0 b:5 b:0 ) }\n"
#define SATC_LOST    "{5 b:1 b:0 w:0 (1 z:2 b:0 b:0 b:9 b:0 b:0 b:0 ) }\n"

/*
 *	00:02.0 root port --- 01:00.0 with a virtual function 01:00.1
 *	00:03.0 root port --- a switch --- 04:00.0
 *	00:04.0 root port --- bridge to PCI --- 06:01.0
 *	00:05.0, 00:06.0 integrated; 00:06.1 a virtual function of the latter
 */
static struct test_pci *machine_of_pci(void)
{
	const uint32_t acs = TEST_PCI_ACS_ALL;
	struct test_pci *pci = test_pci_new();
	struct test_pci_function *port;

	port = test_pci_port(pci, 0x10, TEST_PCI_ROOT_PORT, 1, 1);
	test_pci_acs(port, acs, acs);
	test_pci_sriov(pci, test_pci_endpoint(pci, 0x100), 1, 1, 1);
	port = test_pci_port(pci, 0x18, TEST_PCI_ROOT_PORT, 2, 4);
	test_pci_acs(port, acs, acs);
	test_pci_port(pci, 0x200, TEST_PCI_UPSTREAM, 3, 4);
	port = test_pci_port(pci, 0x300, TEST_PCI_DOWNSTREAM, 4, 4);
	test_pci_acs(port, acs, acs);
	test_pci_endpoint(pci, 0x400);
	port = test_pci_port(pci, 0x20, TEST_PCI_ROOT_PORT, 5, 6);
	test_pci_acs(port, acs, acs);
	test_pci_port(pci, 0x500, TEST_PCI_TO_PCI, 6, 6);
	test_pci_add(pci, 0x608, TEST_PCI_CONVENTIONAL);
	test_pci_endpoint(pci, 0x28);
	test_pci_sriov(pci, test_pci_endpoint(pci, 0x30), 1, 1, 1);
	return pci;
}

#define NO_ATSR "no ATSR of the DMAR lists"
#define NO_SATC "SATC doesn't list"
#define BRIDGE	"a bridge on its way"
#define UNSEEN	"can't be read"

static const struct way {
	const char *structures; /* of the DMAR, besides the unit */
	uint16_t rid;
	const char *why; /* in the log: why not; NULL: it may */
	bool reads;	 /* the host can read configuration space */
} ways[] = {
	{ "", 0x100, NO_ATSR, true },
	{ ATSR_OTHER, 0x100, NO_ATSR, true },
	{ ATSR_ALL, 0x100, NULL, true },
	{ ATSR_PORT(2), 0x100, NULL, true },
	{ ATSR_PORT(2), 0x101, NULL, true },
	{ ATSR_PORT(3), 0x100, NO_ATSR, true },
	{ ATSR_PORT(3), 0x101, NO_ATSR, true },
	{ ATSR_PORT(3), 0x400, NULL, true },
	{ ATSR_PORT(2), 0x400, NO_ATSR, true },
	{ ATSR_PORT(2) ATSR_PORT(3), 0x400, NULL, true },
	/* A bridge to PCI passes none on, whatever its root port does. */
	{ ATSR_ALL, 0x608, BRIDGE, true },
	/* Integrated: as the SATC says, if there is one. */
	{ "", 0x28, NULL, true },
	{ SATC(5), 0x28, NULL, true },
	{ SATC(6), 0x28, NO_SATC, true },
	{ ATSR_ALL SATC(6), 0x28, NO_SATC, true },
	{ SATC(6), 0x31, NULL, true },
	{ SATC(5), 0x31, NO_SATC, true },
	{ ATSR_PORT(2) SATC(5), 0x100, NULL, true },
	{ SATC_OTHER, 0x28, NULL, true },
	/* There is one, though nothing can be made of it. */
	{ SATC_EMPTY, 0x28, NO_SATC, true },
	{ SATC_STRANGE, 0x28, NO_SATC, true },
	{ SATC_LOST, 0x28, NO_SATC, true },
	{ SATC_EMPTY, 0x31, NO_SATC, true },
	/* Not seen: only what holds for each. */
	{ ATSR_ALL, 0x100, NULL, false },
	{ ATSR_PORT(2), 0x100, UNSEEN, false },
	{ SATC(5), 0x28, NULL, false },
	{ "", 0x28, UNSEEN, false },
};

static const struct way *way;

static const void *find_dmar(void *arg, const char signature[4], size_t *size)
{
	struct test_acpi *acpi = arg;

	if (memcmp(signature, "DMAR", 4))
		return NULL;
	*size = acpi->size;
	return acpi->table;
}

static int describe_by_dmar(struct rig *r)
{
	struct test_acpi *acpi;
	char text[512];
	int ret;

	snprintf(text, sizeof(text),
		 "table DMAR 1 b:38 b:0 z:10\n"
		 "{0 b:1 b:0 w:0 q:%#llx }\n%s---\n",
		 (unsigned long long)RIG_UNIT_BASE, way->structures);
	acpi = test_acpi_parse(text);
	ret = iommuabs_scan_acpi(r->lib, find_dmar, acpi);
	test_acpi_free(acpi);
	return ret;
}

static struct iommuabs_device *device_of(uint16_t rid)
{
	const struct iommuabs_stream_range stream = {
		.unit = iommuabs_unit_next(rig.lib, NULL),
		.first = rid,
		.nr = 1,
		.rid = rid,
	};
	const struct iommuabs_device_desc desc = {
		.size = sizeof(desc),
		.flags = IOMMUABS_DEVICE_PCI,
		.pci = rid,
		.streams = &stream,
		.nr_streams = 1,
	};
	struct iommuabs_device *dev;

	/* The SATC's are there. */
	if (iommuabs_device_add(rig.lib, &desc, &dev))
		ck_assert_int_eq(iommuabs_device_find_pci(rig.lib, rid, &dev),
				 0);
	return dev;
}

/* Refused, and not let in without: the host should know that it gets none. */
START_TEST(ats_is_refused_where_firmware_lists_no_way_for_it)
{
	const int want = ways[_i].why ? IOMMUABS_E_NOTSUP : 0;
	struct test_pci *pci = machine_of_pci();
	struct iommuabs_domain *dom, *other;
	struct iommuabs_device *dev;

	COVERS(iommuabs_device_attach, E_NOTSUP);
	COVERS(iommuabs_device_move, E_NOTSUP);
	way = &ways[_i];
	rig_machine(&rig, RIG_VTD);
	rig.describe = describe_by_dmar;
	rig.pci_read = way->reads ? test_pci_read : NULL;
	ck_assert_int_eq(rig_library(&rig), 0);
	ck_assert_int_eq(iommuabs_start(rig.lib), 0);
	dom = rig_domain(&rig);
	other = rig_domain(&rig);
	ck_assert_int_eq(rig_map(dom, 0), 0);
	ck_assert_int_eq(rig_map(other, 8), 0);
	dev = device_of(way->rid);
	rig.warning[0] = 0;
	ck_assert_int_eq(attach_ats(dev, dom), want);
	ck_assert_msg(strstr(rig.warning, way->why ? way->why : "") != NULL,
		      "%s", rig.warning);
	ck_assert(rig_dma(way->rid, GFN, 0) == !want);
	ck_assert(rig_ask(way->rid, GFN) == !want);
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	ck_assert_int_eq(rig_attach(dev, dom), 0);
	ck_assert(rig_dma(way->rid, GFN, 0));
	ck_assert(!rig_ask(way->rid, GFN));
	ck_assert_int_eq(move_ats(dev, other), want);
	ck_assert(rig_dma(way->rid, GFN, 0));
	ck_assert(rig_ask(way->rid, GFN) == !want);
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	ck_assert_int_eq(iommuabs_domain_destroy(dom, 0), 0);
	ck_assert_int_eq(iommuabs_domain_destroy(other, 0), 0);
	rig_end(&rig);
	test_pci_delete(pci);
}
END_TEST

/* What a scan would have said that failed holds for nobody. */
START_TEST(a_scan_that_fails_says_nothing_of_ats)
{
	static const struct way first = { "", 0, NULL, true };
	static const struct way second = { ATSR_ALL SATC(6), 0, NULL, true };
	struct test_pci *pci = machine_of_pci();
	struct iommuabs_device *integrated, *other;
	struct iommuabs_domain *dom;

	way = &first;
	rig_machine(&rig, RIG_VTD);
	rig.describe = describe_by_dmar;
	rig.pci_read = test_pci_read;
	ck_assert_int_eq(rig_library(&rig), 0);
	way = &second;
	ck_assert_int_eq(describe_by_dmar(&rig), IOMMUABS_E_EXISTS);
	ck_assert_int_eq(iommuabs_start(rig.lib), 0);
	dom = rig_domain(&rig);
	integrated = device_of(0x28);
	other = device_of(0x100);
	ck_assert_int_eq(attach_ats(integrated, dom), 0);
	ck_assert_int_eq(attach_ats(other, dom), IOMMUABS_E_NOTSUP);
	ck_assert_int_eq(iommuabs_device_detach(integrated, 0), 0);
	ck_assert_int_eq(iommuabs_domain_destroy(dom, 0), 0);
	rig_end(&rig);
	test_pci_delete(pci);
}
END_TEST

/* The PFSID of the only Device-TLB invalidation of @rid since command @from. */
static uint32_t pfsid_of(uint16_t rid, uint64_t from)
{
	uint32_t pfsid = UINT32_MAX;
	uint64_t words[2];

	for (; iommuabs_sim_command(rig.sim, from, words); from++) {
		if ((words[0] & 0xf) != 3 || (words[0] >> 32 & 0xffff) != rid)
			continue;
		ck_assert_uint_eq(pfsid, UINT32_MAX);
		pfsid = (uint32_t)(words[0] >> 12 & 0xf) |
			(uint32_t)(words[0] >> 52) << 4;
	}
	return pfsid;
}

/* A unit throttles what a physical function and its virtual ones send as one. */
START_TEST(a_virtual_function_forgets_on_behalf_of_its_physical_one)
{
	static const struct {
		uint16_t rid, pf;
	} functions[] = {
		{ 0x100, 0x100 }, { 0x101, 0x100 }, { 0x400, 0x400 },
		{ 0x30, 0x30 },	  { 0x31, 0x30 },
	};
	static const struct way all = { ATSR_ALL, 0, NULL, true };
	struct iommuabs_device *dev[IA_COUNT(functions)];
	struct test_pci *pci = machine_of_pci();
	struct iommuabs_sim_counters now;
	struct iommuabs_domain *dom;
	unsigned int i;

	way = &all;
	rig_machine(&rig, rigs[_i]);
	rig.describe = describe_by_dmar;
	rig.pci_read = test_pci_read;
	ck_assert_int_eq(rig_library(&rig), 0);
	ck_assert_int_eq(iommuabs_start(rig.lib), 0);
	dom = rig_domain(&rig);
	ck_assert_int_eq(rig_map(dom, 0), 0);
	for (i = 0; i < IA_COUNT(functions); i++) {
		dev[i] = device_of(functions[i].rid);
		ck_assert_int_eq(attach_ats(dev[i], dom), 0);
	}
	iommuabs_sim_counters(rig.sim, &now);
	ck_assert_int_eq(rig_unmap(dom, GFN), 0);
	for (i = 0; i < IA_COUNT(functions); i++)
		ck_assert_uint_eq(pfsid_of(functions[i].rid, now.commands),
				  functions[i].pf);
	for (i = 0; i < IA_COUNT(functions); i++)
		ck_assert_int_eq(iommuabs_device_detach(dev[i], 0), 0);
	ck_assert_int_eq(iommuabs_domain_destroy(dom, 0), 0);
	rig_end(&rig);
	test_pci_delete(pci);
}
END_TEST

/* ---- whose virtual functions they are, of devices of many ---- */

/* A device with two ranges of ids behind the rig's unit. */
static struct iommuabs_device *
device_of_two(uint32_t first, uint32_t nr, uint32_t second, uint32_t nr_second)
{
	struct iommuabs_unit *unit = iommuabs_unit_next(rig.lib, NULL);
	const struct iommuabs_stream_range streams[] = {
		{ unit, first, nr, first },
		{ unit, second, nr_second, second },
	};
	const struct iommuabs_device_desc desc = {
		.size = sizeof(desc),
		.streams = streams,
		.nr_streams = nr_second ? 2 : 1,
	};
	struct iommuabs_device *dev;

	ck_assert_int_eq(iommuabs_device_add(rig.lib, &desc, &dev), 0);
	return dev;
}

static struct iommuabs_domain *life_of_pci(const struct way *of)
{
	struct iommuabs_domain *dom;

	way = of;
	rig_machine(&rig, RIG_VTD);
	rig.describe = describe_by_dmar;
	rig.pci_read = test_pci_read;
	ck_assert_int_eq(rig_library(&rig), 0);
	ck_assert_int_eq(iommuabs_start(rig.lib), 0);
	dom = rig_domain(&rig);
	ck_assert_int_eq(rig_map(dom, 0), 0);
	return dom;
}

/* @nr ids from @first are told to forget on behalf of @pf, or themselves (0). */
static void forget_as(struct iommuabs_domain *dom, uint32_t first, uint32_t nr,
		      uint32_t pf)
{
	struct iommuabs_sim_counters now;
	uint32_t id;

	iommuabs_sim_counters(rig.sim, &now);
	ck_assert_int_eq(iommuabs_domain_unmap(dom, IOMMUABS_GFN(GFN), 4, NULL),
			 0);
	ck_assert_int_eq(rig_map(dom, 0), 0);
	for (id = first; id < first + nr; id++)
		ck_assert_uint_eq(pfsid_of((uint16_t)id, now.commands),
				  pf ? pf : id);
}

START_TEST(virtual_functions_of_two_are_told_apart_however_many)
{
	static const struct way all = { ATSR_ALL, 0, NULL, true };
	struct test_pci *pci = machine_of_pci();
	struct iommuabs_domain *dom;
	struct iommuabs_device *dev, *many;

	test_pci_sriov(pci, test_pci_endpoint(pci, 0x110), 8, 8, 1);
	test_pci_sriov(pci, test_pci_endpoint(pci, 0x130), 40, 8, 1);
	dom = life_of_pci(&all);
	dev = device_of_two(0x118, 8, 0x138, 16);
	many = device_of_two(0x148, 16, 0x158, 8);
	ck_assert_int_eq(attach_ats(dev, dom), 0);
	ck_assert_int_eq(attach_ats(many, dom), 0);
	forget_as(dom, 0x118, 8, 0x110);
	forget_as(dom, 0x138, 40, 0x130);
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	ck_assert_int_eq(iommuabs_device_detach(many, 0), 0);
	ck_assert_int_eq(iommuabs_domain_destroy(dom, 0), 0);
	rig_end(&rig);
	test_pci_delete(pci);
}
END_TEST

/* A number is another's later; and who refuses a move has told nobody wrong. */
START_TEST(a_number_is_a_virtual_functions_as_long_as_it_is)
{
	static const struct way some = { ATSR_PORT(2) SATC(6), 0, NULL, true };
	struct test_pci *pci = machine_of_pci();
	struct iommuabs_domain *dom, *other;
	struct iommuabs_device *dev;
	unsigned int place;

	dom = life_of_pci(&some);
	other = rig_domain(&rig);
	dev = device_of_two(0x31, 1, 0x100, 2);
	ck_assert_int_eq(attach_ats(dev, dom), 0);
	forget_as(dom, 0x31, 1, 0x30);
	forget_as(dom, 0x101, 1, 0x100);
	/* Behind no port it is an integrated one, which the SATC doesn't list. */
	place = pci->place[0x10];
	pci->place[0x10] = 0;
	ck_assert_int_eq(move_ats(dev, other), IOMMUABS_E_NOTSUP);
	pci->place[0x10] = (uint16_t)place;
	forget_as(dom, 0x31, 1, 0x30);
	forget_as(dom, 0x101, 1, 0x100);
	/* No SR-IOV any more. */
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	pci->functions[pci->place[0x101] - 1].silent = false;
	ck_assert_int_eq(attach_ats(dev, dom), 0);
	forget_as(dom, 0x31, 1, 0x30);
	forget_as(dom, 0x100, 2, 0);
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	ck_assert_int_eq(iommuabs_domain_destroy(dom, 0), 0);
	ck_assert_int_eq(iommuabs_domain_destroy(other, 0), 0);
	rig_end(&rig);
	test_pci_delete(pci);
}
END_TEST

#endif

static void add_tests(Suite *s)
{
	TCase *tc = tcase_create("ats");
	const TTest *const each[] = {
		without_leave_nothing_that_claims_to_be_translated_passes,
		what_a_device_keeps_is_taken_back_with_the_mapping,
		a_reset_gives_no_translation_from_before_a_chance,
		a_unit_that_was_lost_comes_back_with_its_devices,
		a_device_is_asked_for_one_thing_at_a_time,
		a_device_that_does_not_answer_is_named,
		one_device_that_does_not_answer_is_told_from_others,
		a_late_time_out_is_not_blamed_on_another,
		each_id_of_a_device_is_taken_back_each_range,
		a_bridge_of_many_ids_gets_no_ats,
		a_unit_that_refuses_for_ever_is_fenced_with_te_on,
		an_error_that_nobody_met_is_acknowledged,
	};
	size_t i;

	tcase_set_timeout(tc, 60);
	for (i = 0; i < IA_COUNT(each); i++)
		tcase_add_loop_test(tc, each[i], 0, NR_KINDS);
	tcase_add_loop_test(tc, a_dead_device_is_cut_off_alone, 0,
			    (int)IA_COUNT(rigs));
	tcase_add_loop_test(tc, a_dead_device_can_be_let_in_again, 0,
			    (int)IA_COUNT(rigs));
	tcase_add_loop_test(tc, what_others_leave_of_a_range_gets_no_ats, 0,
			    (int)IA_COUNT(rigs) + 1);
#if IOMMUABS_CONFIG_ACPI
	tcase_add_loop_test(tc,
			    ats_is_refused_where_firmware_lists_no_way_for_it,
			    0, (int)IA_COUNT(ways));
	tcase_add_test(tc, a_scan_that_fails_says_nothing_of_ats);
	tcase_add_loop_test(
		tc, a_virtual_function_forgets_on_behalf_of_its_physical_one, 0,
		(int)IA_COUNT(rigs));
	tcase_add_test(tc,
		       virtual_functions_of_two_are_told_apart_however_many);
	tcase_add_test(tc, a_number_is_a_virtual_functions_as_long_as_it_is);
#endif
	tcase_add_loop_test(tc, a_refused_descriptor_is_done_after_all, 0,
			    4 * NR_KINDS);
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
	Suite *s = suite_create("vtd_ats");

	if (suite_needs(s, IOMMUABS_UNIT_VTD))
		add_tests(s);
	return s;
}

HARNESS_MAIN(suite)
