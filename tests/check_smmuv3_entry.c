/* SPDX-License-Identifier: BSD-2-Clause */
#include "test_smmu.h"

#include "harness.h"
#include "backends/smmu/smmuv3.h"
#include "test_needs.h"

#if IOMMUABS_CONFIG_SMMU

#define IOVA ((uint64_t)0x40000000)

/* What an entry can be: blocked, or one of three tables. */
enum { BLOCK, MIRROR, SHARE, OTHER, NR_STATES };

struct world {
	struct driver_machine m;
	struct driver_guest guests[NR_STATES]; /* BLOCK: unused */
	struct iommuabs_sim_probe *probe;
};

static const uint32_t units[] = {
	SMMU_ABORTS,
	SMMU_ABORTS | SMMU_LINEAR,
	SMMU_ABORTS | SMMU_NONCOHERENT,
	SMMU_ABORTS | SMMU_NONCOHERENT | SMMU_LINEAR,
	SMMU_ABORTS | SMMU_STAGE1,
	SMMU_ABORTS | SMMU_STAGE1 | SMMU_NONCOHERENT | SMMU_LINEAR,
};
#define NR_UNITS ((int)IA_COUNT(units))

/* Where a device may end up in @state. */
static uint64_t outcome(int state)
{
	return state == BLOCK ? IOMMUABS_SIM_BLOCKED
			      : 0x20000000 + 0x1000 * (uint64_t)state;
}

static const struct backend_table *table_of(const struct world *w, int state)
{
	return state == BLOCK ? NULL : &w->guests[state].table;
}

static void world_new(struct world *w, uint32_t flags)
{
	static const uint8_t widths[NR_STATES] = { 0, 39, 34, 44 };
	int i;

	smmu_machine_new(&w->m, flags);
	for (i = MIRROR; i < NR_STATES; i++) {
		driver_guest_new(&w->m, &w->guests[i], (uint32_t)(100 + i),
				 widths[i]);
		driver_guest_map(&w->guests[i], IOVA >> 12, outcome(i) >> 12, 1,
				 IOMMUABS_READ | IOMMUABS_WRITE);
	}
	ck_assert_int_eq(w->m.unit.ops->streams_reserve(&w->m.unit, 3, 1), 0);
	w->probe = iommuabs_sim_probe_add(w->m.sim, 3, IOVA, 0);
	ck_assert_ptr_nonnull(w->probe);
}

static void world_delete(struct world *w)
{
	int i;

	iommuabs_sim_probe_remove(w->probe);
	ck_assert_int_eq(w->m.unit.ops->disable(&w->m.unit), 0);
	for (i = MIRROR; i < NR_STATES; i++)
		driver_guest_delete(&w->guests[i]);
	driver_machine_delete(&w->m);
}

static void allow(struct world *w, const uint64_t *outcomes, unsigned int nr)
{
	ck_assert_uint_eq(iommuabs_sim_probe_allow(w->probe, outcomes, nr), 0);
}

/* Go to @to while the adversary tries DMA after each store and access. */
static void change(struct world *w, int from, int to)
{
	const uint64_t during[] = { outcome(from), IOMMUABS_SIM_BLOCKED,
				    outcome(to) };
	const uint64_t after = outcome(to);
	struct backend_stream live;

	allow(w, during, 3);
	ck_assert_int_eq(
		w->m.unit.ops->stream_set(&w->m.unit, 3, 1, table_of(w, to), 0),
		0);
	allow(w, &after, 1);
	driver_no_violations(&w->m);
	w->m.unit.ops->read_stream(&w->m.unit, 3, &live);
	ck_assert_int_eq(live.kind, to == BLOCK ? BACKEND_STREAM_BLOCKED
						: BACKEND_STREAM_TABLE);
	if (to == BLOCK)
		return;
	ck_assert_uint_eq(live.table.root, table_of(w, to)->root);
	ck_assert_uint_eq(live.table.id, table_of(w, to)->id);
	ck_assert_uint_eq(live.table.input_bits, table_of(w, to)->input_bits);
	ck_assert_uint_eq(live.table.levels, table_of(w, to)->levels);
	ck_assert_uint_eq(live.table.granule_lg2, 12);
	ck_assert_uint_eq(live.table.walk_attrs, table_of(w, to)->walk_attrs);
}

START_TEST(xsa_347_a_change_shows_old_or_new_or_blocked_at_every_store)
{
	struct world w;
	int from, to;

	world_new(&w, units[_i]);
	ck_assert_int_eq(w.m.unit.ops->enable(&w.m.unit), 0);
	for (from = BLOCK; from < NR_STATES; from++) {
		for (to = BLOCK; to < NR_STATES; to++) {
			change(&w, BLOCK, from);
			change(&w, from, to);
			change(&w, to, BLOCK);
		}
	}
	world_delete(&w);
}
END_TEST

START_TEST(an_entry_written_before_enable_is_in_force_from_the_first_moment)
{
	uint64_t allowed[2] = { IOMMUABS_SIM_BLOCKED, outcome(MIRROR) };
	struct iommuabs_sim_counters counters;
	struct world w;

	world_new(&w, units[_i]);
	allow(&w, allowed, 2);
	ck_assert_int_eq(w.m.unit.ops->stream_set(&w.m.unit, 3, 1,
						  table_of(&w, MIRROR), 0),
			 0);
	iommuabs_sim_counters(w.m.sim, &counters);
	ck_assert_uint_eq(counters.writes, 0);
	ck_assert_int_eq(w.m.unit.ops->enable(&w.m.unit), 0);
	allow(&w, &allowed[1], 1);
	allow(&w, allowed, 2);
	ck_assert_int_eq(w.m.unit.ops->fence(&w.m.unit), 0);
	allow(&w, &allowed[0], 1);
	world_delete(&w);
}
END_TEST

START_TEST(a_timeout_in_a_change_never_mixes_old_and_new)
{
	const uint64_t allowed[] = { IOMMUABS_SIM_BLOCKED, outcome(MIRROR),
				     outcome(OTHER) };
	/* A descriptor is changed for another in one step. */
	const unsigned int steps = units[_i] & SMMU_STAGE1 ? 1 : 3;
	struct backend_stream live;
	unsigned int n, hits = 0;
	struct world w;
	int ret;

	world_new(&w, units[_i]);
	allow(&w, allowed, 3);
	for (n = 1; n <= 4; n++) {
		ck_assert_int_eq(w.m.unit.ops->enable(&w.m.unit), 0);
		ck_assert_int_eq(w.m.unit.ops->stream_set(&w.m.unit, 3, 1,
							  table_of(&w, MIRROR),
							  0),
				 0);
		iommuabs_sim_plant(w.m.sim, IOMMUABS_SIM_SYNC_HANG, n, 0);
		ret = w.m.unit.ops->stream_set(&w.m.unit, 3, 1,
					       table_of(&w, OTHER), 0);
		if (!ret)
			break;
		hits++;
		ck_assert_int_eq(ret, IOMMUABS_E_TIMEOUT);
		w.m.unit.ops->read_stream(&w.m.unit, 3, &live);
		if (n < steps)
			ck_assert_int_eq(live.kind, BACKEND_STREAM_BLOCKED);
		ck_assert_int_eq(w.m.unit.ops->fence(&w.m.unit), 0);
		allow(&w, allowed, 1);
		/* Fenced: the entry can be written in peace. */
		ck_assert_int_eq(w.m.unit.ops->stream_set(&w.m.unit, 3, 1,
							  table_of(&w, OTHER),
							  0),
				 0);
		iommuabs_sim_heal(w.m.sim);
		allow(&w, allowed, 3);
		ck_assert_int_eq(w.m.unit.ops->enable(&w.m.unit), 0);
		allow(&w, &allowed[2], 1);
		allow(&w, allowed, 3);
	}
	iommuabs_sim_heal(w.m.sim);
	ck_assert_uint_eq(hits, steps);
	world_delete(&w);
}
END_TEST

START_TEST(many_entries_change_in_three_steps_whatever_their_number)
{
	struct iommuabs_sim_counters before, after;
	struct world w;

	world_new(&w, 0);
	ck_assert_int_eq(w.m.unit.ops->streams_reserve(&w.m.unit, 0x101, 0x2fe),
			 0);
	ck_assert_int_eq(w.m.unit.ops->enable(&w.m.unit), 0);
	iommuabs_sim_counters(w.m.sim, &before);
	ck_assert_int_eq(w.m.unit.ops->stream_set(&w.m.unit, 0x101, 0x2fe,
						  table_of(&w, MIRROR), 0),
			 0);
	iommuabs_sim_counters(w.m.sim, &after);
	ck_assert_uint_eq(after.syncs - before.syncs, 2);
	ck_assert_uint_le(after.commands - before.commands, 50);
	ck_assert_int_eq(driver_dma(&w.m, 0x100, IOVA, 0), 0);
	ck_assert_int_eq(driver_dma(&w.m, 0x101, IOVA, 0), 1);
	ck_assert_int_eq(driver_dma(&w.m, 0x3fe, IOVA, 0), 1);
	ck_assert_int_eq(driver_dma(&w.m, 0x3ff, IOVA, 0), 0);
	iommuabs_sim_counters(w.m.sim, &before);
	ck_assert_int_eq(w.m.unit.ops->stream_set(&w.m.unit, 0x101, 0x2fe,
						  table_of(&w, OTHER), 0),
			 0);
	iommuabs_sim_counters(w.m.sim, &after);
	ck_assert_uint_eq(after.syncs - before.syncs, 3);
	world_delete(&w);
}
END_TEST

static bool is_hitless(struct world *w, int from, int to)
{
	return w->m.unit.ops->stream_is_hitless(&w->m.unit, table_of(w, from),
						table_of(w, to));
}

START_TEST(one_store_changes_vmid_geometry_and_root_where_128_bits_are_fetched)
{
	struct backend_table narrower;
	uint64_t during[2];
	struct world w;
	int from, to;

	world_new(&w, units[_i] | SMMU_FETCH_128);
	ck_assert_int_eq(w.m.unit.ops->enable(&w.m.unit), 0);
	for (from = MIRROR; from < NR_STATES; from++) {
		/* What is cached under a VMID is of one geometry. */
		narrower = *table_of(&w, from);
		narrower.input_bits--;
		ck_assert(!w.m.unit.ops->stream_is_hitless(
			&w.m.unit, table_of(&w, from), &narrower));
		change(&w, BLOCK, from);
		for (to = MIRROR; to < NR_STATES; to++) {
			ck_assert(is_hitless(&w, from, to));
			during[0] = outcome(from);
			during[1] = outcome(to);
			allow(&w, during, 2);
			ck_assert_int_eq(
				w.m.unit.ops->stream_set(&w.m.unit, 3, 1,
							 table_of(&w, to), 0),
				0);
			allow(&w, &during[1], 1);
			change(&w, to, from);
		}
		change(&w, from, BLOCK);
	}
	world_delete(&w);
}
END_TEST

START_TEST(elsewhere_only_the_root_under_one_vmid_changes_without_a_window)
{
	static const uint32_t flags[] = { 0, SMMU_NONCOHERENT, SMMU_BBML0 };
	const uint64_t same = outcome(MIRROR);
	const struct backend_inv inv = { .id = 100 + MIRROR };
	struct driver_guest twin;
	struct world w;
	int hitless;

	world_new(&w, SMMU_ABORTS | flags[_i]);
	hitless = !(flags[_i] & SMMU_BBML0);
	ck_assert(!is_hitless(&w, MIRROR, SHARE));
	driver_guest_new(&w.m, &twin, w.guests[MIRROR].table.id, 39);
	driver_guest_map(&twin, IOVA >> 12, same >> 12, 1,
			 IOMMUABS_READ | IOMMUABS_WRITE);
	ck_assert_int_eq(w.m.unit.ops->stream_is_hitless(
				 &w.m.unit, table_of(&w, MIRROR), &twin.table),
			 hitless);
	ck_assert_int_eq(w.m.unit.ops->enable(&w.m.unit), 0);
	change(&w, BLOCK, MIRROR);
	if (hitless) {
		allow(&w, &same, 1);
		ck_assert_int_eq(w.m.unit.ops->stream_set(&w.m.unit, 3, 1,
							  &twin.table, 0),
				 0);
		/* The unit may still hold what it had under this VMID. */
		ck_assert_int_eq(
			w.m.unit.ops->invalidate(&w.m.unit, &inv, NULL), 0);
		allow(&w, &same, 1);
	}
	iommuabs_sim_probe_any(w.probe);
	ck_assert_int_eq(w.m.unit.ops->stream_set(&w.m.unit, 3, 1, NULL, 0), 0);
	ck_assert_int_eq(w.m.unit.ops->invalidate(&w.m.unit, &inv, NULL), 0);
	driver_guest_delete(&twin);
	world_delete(&w);
}
END_TEST

static void tune_bbml1(struct iommuabs_sim_smmuv3_config *config)
{
	config->bbml = 1;
}

/* 3.21.1: leaves of two sizes under one VMID take BBML 2. */
START_TEST(another_root_under_one_vmid_takes_bbml_2)
{
	struct driver_guest a, b;
	struct driver_machine m;

	smmu_machine_new_tuned(&m, SMMU_ABORTS, _i ? tune_bbml1 : NULL, 0);
	driver_guest_new(&m, &a, 7, 39);
	driver_guest_new(&m, &b, 7, 39);
	ck_assert_int_eq(
		m.unit.ops->stream_is_hitless(&m.unit, &a.table, &b.table),
		!_i);
	driver_guest_delete(&a);
	driver_guest_delete(&b);
	driver_machine_delete(&m);
}
END_TEST

START_TEST(another_descriptor_is_taken_up_without_a_window)
{
	const uint64_t outcomes[] = { outcome(MIRROR), outcome(SHARE) };
	struct world w;

	world_new(&w, SMMU_ABORTS | SMMU_STAGE1 | (_i ? SMMU_NONCOHERENT : 0));
	ck_assert(is_hitless(&w, MIRROR, SHARE));
	ck_assert_int_eq(w.m.unit.ops->enable(&w.m.unit), 0);
	change(&w, BLOCK, MIRROR);
	allow(&w, outcomes, 2);
	ck_assert_int_eq(w.m.unit.ops->stream_set(&w.m.unit, 3, 1,
						  table_of(&w, SHARE), 0),
			 0);
	allow(&w, &outcomes[1], 1);
	iommuabs_sim_probe_any(w.probe);
	world_delete(&w);
}
END_TEST

START_TEST(pasids_are_refused_in_stage_1_as_in_stage_2)
{
	struct iommuabs_sim_dma dma = {
		.sid = 3,
		.flags = IOMMUABS_SIM_DMA_SSID,
		.ssid = 1,
		.addr = IOVA,
		.len = 4,
	};
	struct backend_event event;
	struct world w;

	world_new(&w, units[_i]);
	ck_assert_int_eq(w.m.unit.ops->enable(&w.m.unit), 0);
	change(&w, BLOCK, MIRROR);
	for (dma.ssid = 0; dma.ssid < 2; dma.ssid++) {
		ck_assert_int_eq(iommuabs_sim_dma(w.m.sim, &dma), 0);
		ck_assert_uint_eq(w.m.unit.ops->events(&w.m.unit, &event, 1),
				  1);
		ck_assert_int_eq(event.reason, IOMMUABS_FAULT_PASID);
	}
	iommuabs_sim_probe_any(w.probe);
	world_delete(&w);
}
END_TEST

START_TEST(silence_blocks_as_well_and_records_nothing)
{
	const uint64_t blocked = IOMMUABS_SIM_BLOCKED;
	const uint64_t mapped = outcome(MIRROR);
	struct backend_event event;
	struct backend_stream live;
	struct world w;

	world_new(&w, units[_i]);
	ck_assert_int_eq(w.m.unit.ops->enable(&w.m.unit), 0);
	allow(&w, &blocked, 1);
	ck_assert_int_eq(w.m.unit.ops->stream_set(&w.m.unit, 3, 1, NULL,
						  BACKEND_STREAM_SILENT),
			 0);
	ck_assert_int_eq(driver_dma(&w.m, 3, IOVA, 0), 0);
	ck_assert_uint_eq(w.m.unit.ops->events(&w.m.unit, &event, 1), 0);
	w.m.unit.ops->read_stream(&w.m.unit, 3, &live);
	ck_assert_int_eq(live.kind, BACKEND_STREAM_BLOCKED);
	ck_assert_uint_eq(live.flags, BACKEND_STREAM_SILENT);
	iommuabs_sim_probe_any(w.probe);
	change(&w, BLOCK, MIRROR);
	/* No permitted request suffers when what is blocked goes silent. */
	allow(&w, &mapped, 1);
	ck_assert_int_eq(w.m.unit.ops->stream_set(&w.m.unit, 3, 1,
						  table_of(&w, MIRROR),
						  BACKEND_STREAM_SILENT),
			 0);
	ck_assert_int_eq(driver_dma(&w.m, 3, IOVA + 0x5000, 0), 0);
	ck_assert_uint_eq(w.m.unit.ops->events(&w.m.unit, &event, 1), 0);
	ck_assert_int_eq(w.m.unit.ops->stream_set(&w.m.unit, 3, 1,
						  table_of(&w, MIRROR), 0),
			 0);
	ck_assert_int_eq(driver_dma(&w.m, 3, IOVA + 0x5000, 0), 0);
	ck_assert_uint_eq(w.m.unit.ops->events(&w.m.unit, &event, 1), 1);
	iommuabs_sim_probe_any(w.probe);
	world_delete(&w);
}
END_TEST

/* IHI 0070 5.2, by hand. */
START_TEST(words_are_those_of_the_manual)
{
	const struct backend_table table = {
		.format = BACKEND_FORMAT_ARM_S2,
		.root = 0x123456000,
		.input_bits = 40,
		.output_bits = 44,
		.granule_lg2 = 12,
		.levels = 3,
		.walk_attrs = 0x35,
		.id = 0x4321,
	};
	struct backend_table wide = table;
	uint64_t words[STE_WORDS];
	struct driver_machine m;
	int i;

	smmu_machine_new(&m, 0);
	smmuv3_entry_make(smmuv3_of(&m.unit), &table, 0, words);
	ck_assert_uint_eq(words[0], 0xd); /* V, Config 6 */
	ck_assert_uint_eq(words[1], 1ull << 44);
	ck_assert_uint_eq(words[2], 0x4321 | 24ull << 32 | 1ull << 38 |
					    1ull << 40 | 1ull << 42 |
					    3ull << 44 | 4ull << 48 |
					    1ull << 51 | 1ull << 58);
	ck_assert_uint_eq(words[3], 0x123456000);
	/* S2PS: never above OAS, never below the input. */
	wide.output_bits = 48;
	smmuv3_entry_make(smmuv3_of(&m.unit), &wide, 0, words);
	ck_assert_uint_eq(words[2] >> 48 & 7, 4);
	wide.output_bits = 32;
	smmuv3_entry_make(smmuv3_of(&m.unit), &wide, 0, words);
	ck_assert_uint_eq(words[2] >> 48 & 7, 2);
	wide.granule_lg2 = 16;
	wide.levels = 2;
	smmuv3_entry_make(smmuv3_of(&m.unit), &wide, 0, words);
	ck_assert_uint_eq(words[2] >> 38 & 3, 1); /* level 2 of 64K */
	ck_assert_uint_eq(words[2] >> 46 & 3, 1);
	wide.granule_lg2 = 14;
	smmuv3_entry_make(smmuv3_of(&m.unit), &wide, 0, words);
	ck_assert_uint_eq(words[2] >> 46 & 3, 2);
	smmuv3_entry_make(smmuv3_of(&m.unit), NULL, 0, words);
	for (i = 0; i < STE_WORDS; i++)
		ck_assert_uint_eq(words[i], 0);
	driver_machine_delete(&m);
}
END_TEST

START_TEST(xsa_393_after_removal_the_raw_entry_is_zero)
{
	struct world w;
	uint64_t *entry;
	int i;

	world_new(&w, 0);
	ck_assert_int_eq(w.m.unit.ops->enable(&w.m.unit), 0);
	change(&w, BLOCK, MIRROR);
	change(&w, MIRROR, BLOCK);
	entry = smmuv3_strtab_entry(smmuv3_of(&w.m.unit), 3);
	for (i = 0; i < STE_WORDS; i++)
		ck_assert_uint_eq(entry[i], 0);
	hostif_unmap(w.m.unit.host, entry);
	world_delete(&w);
}
END_TEST

static void add_tests(Suite *s)
{
	TCase *tc = tcase_create("entry");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, words_are_those_of_the_manual);
	tcase_add_loop_test(
		tc, xsa_347_a_change_shows_old_or_new_or_blocked_at_every_store,
		0, NR_UNITS);
	tcase_add_loop_test(
		tc,
		an_entry_written_before_enable_is_in_force_from_the_first_moment,
		0, NR_UNITS);
	tcase_add_loop_test(tc, a_timeout_in_a_change_never_mixes_old_and_new,
			    0, NR_UNITS);
	tcase_add_test(
		tc, many_entries_change_in_three_steps_whatever_their_number);
	tcase_add_test(tc, xsa_393_after_removal_the_raw_entry_is_zero);
	tcase_add_loop_test(
		tc,
		one_store_changes_vmid_geometry_and_root_where_128_bits_are_fetched,
		0, NR_UNITS);
	tcase_add_loop_test(
		tc,
		elsewhere_only_the_root_under_one_vmid_changes_without_a_window,
		0, 3);
	tcase_add_loop_test(tc, another_root_under_one_vmid_takes_bbml_2, 0, 2);
	tcase_add_loop_test(tc, another_descriptor_is_taken_up_without_a_window,
			    0, 2);
	tcase_add_loop_test(tc, pasids_are_refused_in_stage_1_as_in_stage_2, 0,
			    NR_UNITS);
	tcase_add_loop_test(tc, silence_blocks_as_well_and_records_nothing, 0,
			    NR_UNITS);
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
	Suite *s = suite_create("smmuv3_entry");

	if (suite_needs(s, IOMMUABS_UNIT_SMMUV3))
		add_tests(s);
	return s;
}

HARNESS_MAIN(suite)
