/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Units that are not as their ID registers say.
 */
#include "test_smmu.h"

#include <string.h>

#include "harness.h"
#include "backends/smmu/smmuv3.h"
#include "test_needs.h"

#if IOMMUABS_CONFIG_SMMU

#define ID 7

static struct iommuabs_sim_counters counters(struct driver_machine *m)
{
	struct iommuabs_sim_counters c;

	iommuabs_sim_counters(m->sim, &c);
	return c;
}

/* Ranges that don't merge: @nr commands. */
static void invalidate(struct driver_machine *m, uint32_t nr, uint64_t frames)
{
	struct backend_range ranges[40];
	const struct backend_inv inv = { ID, ranges, nr, 1, 12 };
	uint32_t i;

	for (i = 0; i < nr; i++)
		ranges[i] = (struct backend_range){ 0x1000 * i, frames };
	ck_assert_int_eq(m->unit.ops->invalidate(&m->unit, &inv, NULL), 0);
}

START_TEST(rows_are_matched_by_iidr_or_by_description)
{
	const struct smmuv3_erratum *row;
	struct driver_machine m;
	uint32_t n;

	smmu_machine_new(&m, 0);
	ck_assert_uint_eq(smmuv3_of(&m.unit)->effects, 0);
	for (n = 0; (row = smmuv3_erratum(n)); n++) {
		ck_assert_ptr_nonnull(row->name);
		ck_assert_uint_ne(row->effects, 0);
		ck_assert(row->mask || row->flag);
		if (row->mask) {
			ck_assert_uint_eq(smmuv3_effects(&m.unit, row->iidr) &
						  row->effects,
					  row->effects);
			/* Any revision of it, and nobody else's product. */
			ck_assert_uint_eq(
				smmuv3_effects(&m.unit, row->iidr | 0xff000) &
					row->effects,
				row->effects);
			ck_assert_uint_eq(
				smmuv3_effects(&m.unit, row->iidr ^ 1) &
					row->effects,
				0);
		}
		m.unit.desc_flags = row->flag;
		ck_assert_uint_eq(smmuv3_effects(&m.unit, 0),
				  row->flag ? row->effects : 0);
		m.unit.desc_flags = 0;
	}
	ck_assert_uint_ge(n, 5);
	driver_machine_delete(&m);
}
END_TEST

START_TEST(a_unit_that_ignores_ranges_is_given_addresses)
{
	struct iommuabs_sim_counters before, after;
	struct driver_machine m;

	smmu_machine_new_tuned(&m, SMMU_ABORTS, NULL, IOMMUABS_UNIT_NO_RANGES);
	ck_assert_int_eq(m.unit.ops->enable(&m.unit), 0);
	before = counters(&m);
	invalidate(&m, 1, 16);
	after = counters(&m);
	ck_assert_uint_eq(after.by_opcode[0x2a] - before.by_opcode[0x2a], 16);
	driver_machine_delete(&m);
}
END_TEST

START_TEST(leaves_and_hints_that_a_unit_gets_wrong_are_not_made)
{
	struct backend_geometry geo;
	struct driver_machine m;

	smmu_machine_new(&m, 0);
	ck_assert_int_eq(m.unit.ops->mirror(&m.unit, 40, 2, &geo), 0);
	ck_assert_uint_eq(geo.leaf_mask, 7);
	ck_assert_uint_eq(geo.hint_mask, 7);
	driver_machine_delete(&m);
	smmu_machine_new_tuned(&m, 0, NULL, IOMMUABS_UNIT_NO_BLOCKS);
	ck_assert_int_eq(m.unit.ops->mirror(&m.unit, 40, 2, &geo), 0);
	ck_assert_uint_eq(geo.leaf_mask, 1);
	driver_machine_delete(&m);
	smmu_machine_new_tuned(&m, 0, NULL, IOMMUABS_UNIT_NO_CONTIGUOUS);
	ck_assert_int_eq(m.unit.ops->mirror(&m.unit, 40, 2, &geo), 0);
	ck_assert_uint_eq(geo.hint_mask, 0);
	driver_machine_delete(&m);
}
END_TEST

static void tune_16k(struct iommuabs_sim_smmuv3_config *config)
{
	config->granules = IOMMUABS_SIM_GRAN16K;
}

static void tune_64k(struct iommuabs_sim_smmuv3_config *config)
{
	config->granules = IOMMUABS_SIM_GRAN64K;
}

/*
 * Where a group has to be broken, none is larger than the largest leaf that the
 * host allows: 4K, 2M, 1G, any. Groups: 64K, 32M, 16G; 2M, 1G; 2M, 16G.
 */
START_TEST(no_group_is_broken_that_is_larger_than_the_largest_leaf)
{
	static const struct {
		smmu_tune_fn tune;
		uint8_t broken[4], taken[4]; /* levels, with BBML 0 and 2 */
	} cases[] = {
		{ NULL, { 0, 1, 3, 7 }, { 1, 3, 7, 7 } },
		{ tune_16k, { 0, 1, 3, 3 }, { 1, 1, 3, 3 } },
		{ tune_64k, { 0, 1, 1, 3 }, { 1, 1, 3, 3 } },
	};
	static const uint8_t max_level[4] = { 0, 1, 2, PT_LEVELS_MAX };
	uint32_t bbml0 = _i % 2 ? SMMU_BBML0 : 0;
	struct backend_geometry geo;
	struct driver_machine m;
	unsigned int i;

	smmu_machine_new_tuned(&m, bbml0, cases[_i / 2].tune, 0);
	for (i = 0; i < 4; i++) {
		ck_assert_int_eq(
			m.unit.ops->mirror(&m.unit, 48, max_level[i], &geo), 0);
		ck_assert_uint_eq(geo.hint_mask,
				  bbml0 ? cases[_i / 2].broken[i]
					: cases[_i / 2].taken[i]);
	}
	driver_machine_delete(&m);
}
END_TEST

static void tune_mmu_700(struct iommuabs_sim_smmuv3_config *config)
{
	config->iidr = 0x4870043b;
	config->btm = 1;
}

static void tune_other(struct iommuabs_sim_smmuv3_config *config)
{
	config->iidr = 0x4880043b;
	config->btm = 1;
}

START_TEST(each_part_of_a_batch_ends_with_a_sync_where_it_must)
{
	struct iommuabs_sim_counters before, after;
	struct driver_machine m;

	smmu_machine_new_tuned(&m, SMMU_ABORTS, _i ? tune_mmu_700 : tune_other,
			       0);
	ck_assert_int_eq(m.unit.ops->enable(&m.unit), 0);
	before = counters(&m);
	invalidate(&m, 40, 1);
	after = counters(&m);
	ck_assert_uint_eq(after.by_opcode[0x2a] - before.by_opcode[0x2a], 40);
	/* 15 commands and a CMD_SYNC, twice, and the last 10. */
	ck_assert_uint_eq(after.syncs - before.syncs, _i ? 3 : 1);
	driver_machine_delete(&m);
}
END_TEST

START_TEST(broadcasts_are_obeyed_when_asked_for_and_where_they_work)
{
	static const struct {
		smmu_tune_fn tune;
		uint32_t flags, cr2;
	} cases[] = {
		{ NULL, 0, 2 }, /* no BTM: PTM is reserved */
		{ NULL, IOMMUABS_UNIT_BROADCAST, 2 },
		{ tune_other, 0, 6 },
		{ tune_other, IOMMUABS_UNIT_BROADCAST, 2 },
		{ tune_mmu_700, 0, 6 },
		{ tune_mmu_700, IOMMUABS_UNIT_BROADCAST, 6 },
	};
	struct driver_machine m;

	smmu_machine_new_tuned(&m, SMMU_ABORTS, cases[_i].tune,
			       cases[_i].flags);
	ck_assert_int_eq(m.unit.ops->enable(&m.unit), 0);
	ck_assert_uint_eq(hostif_read32(&m.unit.regs, SMMU_CR2), cases[_i].cr2);
	driver_machine_delete(&m);
}
END_TEST

/* Page 1 as page 0 has it: EVENTQ_PROD and CONS; elsewhere nobody answers. */
static struct iommuabs_host paged;

static uint64_t in_page0(uint64_t addr)
{
	ck_assert_uint_lt(addr & 0x3ffff, 0x20000);
	ck_assert_uint_eq(addr & 0x10000, 0x10000);
	if ((addr & 0xffff) == 0xa8 || (addr & 0xffff) == 0xac)
		addr += 0x10000;
	return addr;
}

static uint64_t paged_read(void *ctx, uint64_t addr, unsigned int width)
{
	return paged.mmio_read(ctx, in_page0(addr), width);
}

static void paged_write(void *ctx, uint64_t addr, unsigned int width,
			uint64_t value)
{
	paged.mmio_write(ctx, in_page0(addr), width, value);
}

START_TEST(the_event_queue_is_found_in_the_only_page)
{
	struct backend_event event;
	struct driver_machine m;

	smmu_machine_new_tuned(&m, SMMU_ABORTS, NULL, IOMMUABS_UNIT_PAGE0_ONLY);
	paged = m.host.ops;
	m.host.ops.mmio_read = paged_read;
	m.host.ops.mmio_write = paged_write;
	ck_assert_int_eq(m.unit.ops->enable(&m.unit), 0);
	ck_assert_int_eq(driver_dma(&m, 3, 0x1000, 0), 0);
	ck_assert_uint_eq(m.unit.ops->events(&m.unit, &event, 1), 1);
	ck_assert_uint_eq(event.stream, 3);
	ck_assert_uint_eq(m.unit.ops->events(&m.unit, &event, 1), 0);
	driver_machine_delete(&m);
}
END_TEST

static void add_tests(Suite *s)
{
	TCase *tc = tcase_create("errata");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, rows_are_matched_by_iidr_or_by_description);
	tcase_add_test(tc, a_unit_that_ignores_ranges_is_given_addresses);
	tcase_add_test(tc,
		       leaves_and_hints_that_a_unit_gets_wrong_are_not_made);
	tcase_add_loop_test(
		tc, no_group_is_broken_that_is_larger_than_the_largest_leaf, 0,
		6);
	tcase_add_loop_test(
		tc, each_part_of_a_batch_ends_with_a_sync_where_it_must, 0, 2);
	tcase_add_loop_test(
		tc, broadcasts_are_obeyed_when_asked_for_and_where_they_work, 0,
		6);
	tcase_add_test(tc, the_event_queue_is_found_in_the_only_page);
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
	Suite *s = suite_create("smmuv3_errata");

	if (suite_needs(s, IOMMUABS_UNIT_SMMUV3))
		add_tests(s);
	return s;
}

HARNESS_MAIN(suite)
