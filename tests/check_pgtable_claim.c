/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_pgtable_claim.c - a claim is lost at its very compare-exchange
 *
 * The reverse map's format again, with a compare-exchange that lets another
 * caller claim the same slot first. Between load and exchange is no hook of the
 * host, and threads meet there too rarely to rely on.
 */
#include "test_host.h"

#include "harness.h"
#include "port/port.h"

static bool outrun_cas64(uint64_t *p, uint64_t *old, uint64_t v);

#define port_cas64  outrun_cas64
#define pt_rmap_ops pt_rmap_outrun_ops
#include "pgtable/pt_rmap.c"
#undef port_cas64

static uint64_t other; /* the entry that is faster; 0: nobody is */

static bool outrun_cas64(uint64_t *p, uint64_t *old, uint64_t v)
{
	if (other)
		port_store64(p, other);
	other = 0;
	return port_cas64(p, old, v);
}

struct fixture {
	struct test_host *host;
	struct tablemem mem;
	struct tablemem_account account;
	struct tablemem_pool pool;
	struct pt pt;
};

static void fixture_make(struct fixture *f)
{
	*f = (struct fixture){ .host = test_host_new(0) };
	f->account.cookie = f;
	ck_assert_int_eq(tablemem_init(&f->mem, &f->host->hostif), 0);
	f->pt = (struct pt){
		.ops = &pt_rmap_outrun_ops,
		.host = &f->host->hostif,
		.granule_lg2 = 12,
		.top = 3,
		.root_lg2 = 12,
		.in_bits = 48,
		.out_bits = 48,
		.leaf_mask = 3,
	};
	ck_assert_int_eq(
		tablemem_alloc(&f->mem, &f->account, 12, 0, &f->pt.root), 0);
	f->pt.ops->init_root(&f->pt);
	ck_assert_int_eq(tablemem_pool_fill(&f->mem, &f->account, &f->pool, 8),
			 0);
}

static void fixture_end(struct fixture *f)
{
	uint64_t budget = ~(uint64_t)0;

	tablemem_pool_drain(&f->mem, &f->account, &f->pool);
	ck_assert_int_eq(pt_free_tables(&f->pt, f->pt.root | f->pt.top, &f->mem,
					&f->account, &budget),
			 PT_OK);
	ck_assert_uint_eq(f->account.used, 0);
	tablemem_exit(&f->mem);
	test_host_delete(f->host);
}

static void frame_is_of(const struct fixture *f, uint64_t in, uint64_t out,
			uint64_t attr)
{
	struct pt_leaf leaf;

	ck_assert(f->pt.ops->lookup(&f->pt, in, &leaf));
	ck_assert_uint_eq(leaf.out, out);
	ck_assert_uint_eq(leaf.attr, attr);
}

START_TEST(map_leaves_the_slot_to_the_first)
{
	struct pt_run run = { 0, 512, 1, 7 };
	struct fixture f;
	uint64_t done;

	fixture_make(&f);
	ck_assert_int_eq(f.pt.ops->map(&f.pt, &run, &f.pool, &done), PT_OK);
	other = leaf_entry(99, 8, 0);
	run = (struct pt_run){ 1, 600, 5, 7 };
	ck_assert_int_eq(f.pt.ops->map(&f.pt, &run, &f.pool, &done),
			 PT_OCCUPIED);
	ck_assert_uint_eq(done, 0);
	frame_is_of(&f, 1, 99, 8);
	fixture_end(&f);
}
END_TEST

START_TEST(map_one_leaves_the_slot_to_the_first)
{
	struct pt_run run = { 0, 512, 1, 7 };
	struct fixture f;
	uint64_t done;

	fixture_make(&f);
	ck_assert_int_eq(f.pt.ops->map(&f.pt, &run, &f.pool, &done), PT_OK);
	other = leaf_entry(99, 8, 0);
	ck_assert_int_eq(f.pt.ops->map_one(&f.pt, 1, 600, 7), PT_OCCUPIED);
	frame_is_of(&f, 1, 99, 8);
	fixture_end(&f);
}
END_TEST

/* A leaf of 2 MiB was claimed where this caller wanted to link a table. */
START_TEST(a_table_is_not_linked_over_a_leaf)
{
	struct pt_run run = { 512, 512, 512, 7 };
	struct fixture f;
	uint64_t done;

	fixture_make(&f);
	ck_assert_int_eq(f.pt.ops->map(&f.pt, &run, &f.pool, &done), PT_OK);
	other = leaf_entry(0, 8, 1);
	run = (struct pt_run){ 3, 600, 5, 7 };
	ck_assert_int_eq(f.pt.ops->map(&f.pt, &run, &f.pool, &done),
			 PT_OCCUPIED);
	ck_assert_uint_eq(done, 0);
	ck_assert_uint_eq(f.pool.nr, 8 - 2);
	frame_is_of(&f, 3, 3, 8);
	fixture_end(&f);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("pgtable_claim");
	TCase *tc = tcase_create("claim");

	tcase_add_test(tc, map_leaves_the_slot_to_the_first);
	tcase_add_test(tc, map_one_leaves_the_slot_to_the_first);
	tcase_add_test(tc, a_table_is_not_linked_over_a_leaf);
	suite_add_tcase(s, tc);
	return s;
}

HARNESS_MAIN(suite)
