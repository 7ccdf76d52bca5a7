/* SPDX-License-Identifier: BSD-2-Clause */
#include "test_host.h"

#include <string.h>

#include "harness.h"
#include "backends/backend.h"
#include "test_needs.h"

struct fixture {
	struct test_host *host;
	struct tablemem mem;
	struct backend_unit unit;
	struct tablemem_account account;
};

static const struct backend_table table_a = { .root = 0x1000, .id = 1 };
static const struct backend_table table_b = { .root = 0x2000, .id = 2 };

static void fixture_new(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	f->host = test_host_new(TEST_HOST_LOCKS | TEST_HOST_ALLOC);
	ck_assert_int_eq(tablemem_init(&f->mem, &f->host->hostif), 0);
	f->unit.ops = backend_find(IOMMUABS_UNIT_NULL);
	ck_assert_ptr_nonnull(f->unit.ops);
	f->unit.host = &f->host->hostif;
	f->unit.mem = &f->mem;
	f->unit.account = &f->account;
	ck_assert_int_eq(
		ia_lock_init(f->unit.host, &f->unit.lock, IOMMUABS_LOCK_UNIT),
		0);
	ck_assert_int_eq(f->unit.ops->probe(&f->unit), 0);
}

static void fixture_delete(struct fixture *f)
{
	f->unit.ops->release(&f->unit);
	ia_lock_exit(f->unit.host, &f->unit.lock);
	tablemem_exit(&f->mem);
	test_host_delete(f->host);
}

/* The id of the table that @stream uses, 0: blocked. */
static uint32_t id_of(struct fixture *f, uint32_t stream)
{
	struct backend_stream live;

	f->unit.ops->read_stream(&f->unit, stream, &live);
	if (live.kind == BACKEND_STREAM_BLOCKED)
		return 0;
	ck_assert_int_eq(live.kind, BACKEND_STREAM_TABLE);
	return live.table.id;
}

START_TEST(a_build_knows_its_drivers)
{
	const struct backend_ops *null = backend_find(IOMMUABS_UNIT_NULL);
	const struct backend_ops *smmuv3 = backend_find(IOMMUABS_UNIT_SMMUV3);

	ck_assert_str_eq(null->name, "null");
	ck_assert_int_eq(!!smmuv3, IOMMUABS_CONFIG_SMMU);
	ck_assert(!smmuv3 || smmuv3->type == IOMMUABS_UNIT_SMMUV3);
	ck_assert_ptr_null(backend_find(IOMMUABS_UNIT_SMMUV2));
	ck_assert_int_eq(!!backend_find(IOMMUABS_UNIT_VTD),
			 IOMMUABS_CONFIG_VTD);
	ck_assert_ptr_null(backend_find(IOMMUABS_UNIT_OTHER));
}
END_TEST

START_TEST(streams_are_blocked_unless_they_were_set)
{
	struct fixture f;

	fixture_new(&f);
	ck_assert_uint_eq(id_of(&f, 8), 0);
	ck_assert_int_eq(f.unit.ops->streams_reserve(&f.unit, 8, 4), 0);
	ck_assert_uint_eq(id_of(&f, 8), 0);
	ck_assert_int_eq(f.unit.ops->stream_set(&f.unit, 8, 4, &table_a, 0), 0);
	ck_assert_uint_eq(id_of(&f, 7), 0);
	ck_assert_uint_eq(id_of(&f, 8), 1);
	ck_assert_uint_eq(id_of(&f, 11), 1);
	ck_assert_uint_eq(id_of(&f, 12), 0);
	ck_assert_int_eq(f.unit.ops->stream_set(&f.unit, 8, 4, &table_b, 0), 0);
	ck_assert_uint_eq(id_of(&f, 9), 2);
	ck_assert_int_eq(f.unit.ops->stream_set(&f.unit, 8, 4, NULL, 0), 0);
	ck_assert_uint_eq(id_of(&f, 9), 0);
	fixture_delete(&f);
}
END_TEST

START_TEST(of_overlapping_ranges_the_one_set_last_counts)
{
	struct fixture f;

	fixture_new(&f);
	ck_assert_int_eq(f.unit.ops->streams_reserve(&f.unit, 0, 256), 0);
	ck_assert_int_eq(f.unit.ops->streams_reserve(&f.unit, 5, 1), 0);
	ck_assert_int_eq(f.unit.ops->stream_set(&f.unit, 0, 256, &table_a, 0),
			 0);
	ck_assert_uint_eq(id_of(&f, 5), 1);
	ck_assert_int_eq(f.unit.ops->stream_set(&f.unit, 5, 1, &table_b, 0), 0);
	ck_assert_uint_eq(id_of(&f, 5), 2);
	ck_assert_uint_eq(id_of(&f, 6), 1);
	ck_assert_int_eq(f.unit.ops->stream_set(&f.unit, 0, 256, NULL, 0), 0);
	ck_assert_uint_eq(id_of(&f, 5), 0);
	fixture_delete(&f);
}
END_TEST

START_TEST(all_memory_is_taken_when_streams_are_reserved)
{
	struct fixture f;
	int64_t objects;

	fixture_new(&f);
	objects = f.host->objects;
	test_host_fail_nth(f.host, 1);
	ck_assert_int_eq(f.unit.ops->streams_reserve(&f.unit, 1, 1),
			 IOMMUABS_E_NOMEM);
	ck_assert_int_eq(f.unit.ops->streams_reserve(&f.unit, 1, 1), 0);
	ck_assert_int_eq(f.unit.ops->streams_reserve(&f.unit, 1, 1), 0);
	ck_assert_int_eq(f.host->objects, objects + 1);
	test_host_fail_nth(f.host, 1);
	ck_assert_int_eq(f.unit.ops->stream_set(&f.unit, 1, 1, &table_a, 0), 0);
	test_host_fail_nth(f.host, 0);
	ck_assert_uint_eq(id_of(&f, 1), 1);
	fixture_delete(&f);
}
END_TEST

START_TEST(it_shares_and_mirrors_arm_stage_2)
{
	struct iommuabs_p2m p2m = {
		.format = IOMMUABS_P2M_ARM_S2,
		.root = 0x4000,
		.input_bits = 40,
		.output_bits = 44,
		.granule_lg2 = 12,
		.levels = 3,
	};
	struct backend_geometry geo, again;
	struct backend_table table;
	struct fixture f;

	fixture_new(&f);
	ck_assert_int_eq(f.unit.ops->share(&f.unit, &p2m, &table),
			 IOMMUABS_SHARE_OK);
	ck_assert_uint_eq(table.root, 0x4000);
	ck_assert_uint_eq(table.levels, 3);
	p2m.granule_lg2 = 16;
	ck_assert_int_eq(f.unit.ops->share(&f.unit, &p2m, &table),
			 IOMMUABS_SHARE_GRANULE);
	p2m.format = IOMMUABS_P2M_EPT;
	ck_assert_int_eq(f.unit.ops->share(&f.unit, &p2m, &table),
			 IOMMUABS_SHARE_FORMAT);
	p2m.format = IOMMUABS_P2M_NONE;
	ck_assert_int_eq(f.unit.ops->share(&f.unit, &p2m, &table),
			 IOMMUABS_SHARE_NO_P2M);
	/* Compared as a whole: no byte of it may be left to chance. */
	memset(&geo, 0x55, sizeof(geo));
	memset(&again, 0xaa, sizeof(again));
	ck_assert_int_eq(f.unit.ops->mirror(&f.unit, 40, 2, &geo), 0);
	ck_assert_int_eq(f.unit.ops->mirror(&f.unit, 40, 2, &again), 0);
	ck_assert_mem_eq(&geo, &again, sizeof(geo));
	ck_assert_uint_eq(geo.leaf_mask, 7);
	fixture_delete(&f);
}
END_TEST

START_TEST(enable_and_disable_are_told)
{
	struct fixture f;

	fixture_new(&f);
	ck_assert_uint_eq(f.unit.enabled, 0);
	ck_assert_int_eq(f.unit.ops->enable(&f.unit), 0);
	ck_assert_uint_eq(f.unit.enabled, 1);
	ck_assert_int_eq(f.unit.ops->fence(&f.unit), 0);
	ck_assert_uint_eq(f.unit.enabled, 0);
	fixture_delete(&f);
}
END_TEST

static void add_tests(Suite *s)
{
	TCase *tc = tcase_create("driver");

	tcase_add_test(tc, a_build_knows_its_drivers);
	tcase_add_test(tc, streams_are_blocked_unless_they_were_set);
	tcase_add_test(tc, of_overlapping_ranges_the_one_set_last_counts);
	tcase_add_test(tc, all_memory_is_taken_when_streams_are_reserved);
	tcase_add_test(tc, it_shares_and_mirrors_arm_stage_2);
	tcase_add_test(tc, enable_and_disable_are_told);
	suite_add_tcase(s, tc);
}

static Suite *suite(void)
{
	Suite *s = suite_create("null");

	if (suite_needs(s, IOMMUABS_UNIT_NULL))
		add_tests(s);
	return s;
}

HARNESS_MAIN(suite)
