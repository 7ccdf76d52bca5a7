/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_destroy.c - a domain goes in steps of a stated size, whatever it held
 *
 * The host counts pages that the library looks at (table_map) and gives back: the
 * work of a step is bounded by its budget, and each gets on.
 */
#include "core/change.h"
#include "harness.h"
#include "test_machine.h"
#include "test_needs.h"

#include <stdio.h>
#include <string.h>

#define RW  (IOMMUABS_READ | IOMMUABS_WRITE)
#define GIB ((uint64_t)1 << 18) /* frames */

static struct machine machine;
static struct iommuabs_domain *dom;

static void setup(void)
{
	machine_new(&machine, TEST_HOST_LOCKS | TEST_HOST_MAP);
}

static void teardown(void)
{
	machine_delete(&machine);
}

static struct iommuabs_domain *domain(uint32_t flags,
				      enum iommuabs_max_leaf leaf)
{
	const struct iommuabs_domain_config config = {
		.size = sizeof(config),
		.flags = flags,
		.strategy = IOMMUABS_STRATEGY_MIRROR,
		.max_leaf = leaf,
		.input_bits = 40,
	};
	struct iommuabs_domain *made;

	ck_assert_int_eq(iommuabs_domain_create(machine.abs, &config, &made),
			 0);
	return made;
}

static void map(struct iommuabs_domain *where, uint64_t gfn, uint64_t mfn,
		uint64_t nr)
{
	ck_assert_int_eq(iommuabs_domain_map(where, IOMMUABS_GFN(gfn),
					     IOMMUABS_MFN(mfn), nr, RW, NULL),
			 0);
}

/* A mirror of everything, that no device has any more: it goes, too. */
static void mirror(struct iommuabs_domain *where)
{
	machine_attach(&machine, 0, where);
	ck_assert_int_eq(iommuabs_device_detach(machine.dev[0], 0), 0);
}

struct cost {
	uint64_t steps, looks, most_looks, frees, most_frees;
};

/* Pages that are looked at for one entry: a walk in each of two radixes. */
#define LOOKS_EACH 16

static void destroy_step(struct cost *cost, uint64_t budget, int *ret)
{
	const struct test_host *host = machine.host;
	uint64_t looks = host->map_calls;
	int64_t tables = host->tables;

	*ret = iommuabs_domain_destroy(dom, budget);
	looks = host->map_calls - looks;
	tables -= host->tables;
	cost->steps++;
	cost->looks += looks;
	cost->frees += (uint64_t)tables;
	cost->most_looks = IA_MAX(cost->most_looks, looks);
	cost->most_frees = IA_MAX(cost->most_frees, (uint64_t)tables);
}

static struct cost destroy(const char *what, uint64_t budget)
{
	struct cost cost = { 0 };
	int ret;

	do {
		destroy_step(&cost, budget, &ret);
		if (ret != IOMMUABS_E_AGAIN)
			ck_assert_int_eq(ret, 0);
	} while (ret);
	printf("# %s: %llu steps of %llu, %llu pages looked at (%llu in a "
	       "step), %llu tables freed (%llu)\n",
	       what, (unsigned long long)cost.steps, (unsigned long long)budget,
	       (unsigned long long)cost.looks,
	       (unsigned long long)cost.most_looks,
	       (unsigned long long)cost.frees,
	       (unsigned long long)cost.most_frees);
	fflush(stdout);
	ck_assert_uint_le(cost.most_looks, LOOKS_EACH * (budget + 4));
	/* And the last one: the root, its reserves, the object. */
	ck_assert_uint_le(cost.most_frees, budget + 40);
	return cost;
}

/* 1 TiB of guest addresses, and everywhere some frames from anywhere. */
START_TEST(a_terabyte_of_scattered_frames_goes_in_bounded_steps)
{
	iommuabs_mfn_t list[48];
	struct cost cost;
	uint64_t g, i;

	dom = domain(0, IOMMUABS_LEAF_ANY);
	for (g = 0; g < 1024; g++) {
		for (i = 0; i < IA_COUNT(list); i++)
			list[i] = IOMMUABS_MFN(MACHINE_RAM + 512 * (g ^ 341) +
					       7 * i + g % 16);
		ck_assert_int_eq(iommuabs_domain_map_list(
					 dom, IOMMUABS_GFN(g * GIB + 9 * g),
					 list, IA_COUNT(list), RW, NULL),
				 0);
	}
	mirror(dom);
	cost = destroy("1 TiB, scattered", 2048);
	ck_assert_uint_gt(cost.steps, 400);
	ck_assert_uint_gt(cost.frees, 4 * 1024);
	ck_assert(!rmap_is_mapped(&machine.abs->rmap, MACHINE_RAM, 2 * GIB));
}
END_TEST

/* Frames that follow each other, one by one, are a run without an end. */
START_TEST(a_run_without_an_end_is_cut_into_steps)
{
	static const uint64_t budgets[] = { 1, 3, 64, 511, 513, 5000 };
	const uint64_t nr = 4096 + 77;
	struct cost cost;
	uint64_t i;

	dom = domain(0, IOMMUABS_LEAF_ANY);
	for (i = 0; i < nr; i++)
		map(dom, 3 + i, MACHINE_RAM + 8 + i, 1);
	cost = destroy("one by one", budgets[_i]);
	ck_assert_uint_ge(cost.steps, nr / budgets[_i]);
	ck_assert(!rmap_is_mapped(&machine.abs->rmap, MACHINE_RAM, 2 * nr));
}
END_TEST

/* A leaf of the reverse map that begins and ends within leaves of the ledger. */
START_TEST(leaves_of_the_reverse_map_go_whole)
{
	static const uint64_t budgets[] = { 1, 7, 300, 2000 };

	dom = domain(0, IOMMUABS_LEAF_ANY);
	map(dom, 0, MACHINE_RAM + 256, 2048);
	ck_assert_int_eq(iommuabs_domain_protect(dom, IOMMUABS_GFN(300), 500,
						 IOMMUABS_READ, NULL),
			 0);
	ck_assert_int_eq(
		iommuabs_domain_unmap(dom, IOMMUABS_GFN(1000), 1, NULL), 0);
	(void)destroy("leaves across", budgets[_i]);
	ck_assert(!rmap_is_mapped(&machine.abs->rmap, MACHINE_RAM, 4096));
}
END_TEST

/* One leaf of the ledger, and a place for each of its frames. */
START_TEST(a_large_leaf_of_many_places_goes_in_steps)
{
	struct iommuabs_domain *before = domain(0, IOMMUABS_LEAF_ANY);
	struct cost cost;
	uint64_t i;

	/* The nodes stay: what comes later is entered frame by frame. */
	for (i = 0; i < 16; i++)
		map(before, i, MACHINE_RAM + 512 * i, 1);
	ck_assert_int_eq(iommuabs_domain_destroy(before, 0), 0);
	dom = domain(0, IOMMUABS_LEAF_ANY);
	map(dom, 0, MACHINE_RAM, 512 * 16);
	cost = destroy("places by the frame", 256);
	ck_assert_uint_ge(cost.steps, 512 * 16 / 256);
}
END_TEST

/* The host sees what its guests have: each place is a record. */
START_TEST(further_places_go_in_steps)
{
	struct iommuabs_domain *guest = domain(0, IOMMUABS_LEAF_ANY);
	struct cost cost;

	map(guest, 0, MACHINE_RAM, 3000);
	dom = domain(IOMMUABS_DOMAIN_HOST, IOMMUABS_LEAF_ANY);
	map(dom, 70, MACHINE_RAM, 3000);
	map(dom, 9000, MACHINE_RAM, 100);
	mirror(dom);
	cost = destroy("the host's, over a guest's", 100);
	ck_assert_uint_ge(cost.steps, 31);
	ck_assert_uint_eq(machine.abs->rmap.trees[0].count, 0);
	ck_assert(rmap_is_mapped(&machine.abs->rmap, MACHINE_RAM, 1));
	dom = guest;
	(void)destroy("and the guest's", 100);
	ck_assert(!rmap_is_mapped(&machine.abs->rmap, MACHINE_RAM, 3000));
}
END_TEST

/* By arithmetic, without places: only tables go. */
START_TEST(an_identity_domain_goes_in_steps)
{
	struct cost cost;

	dom = domain(IOMMUABS_DOMAIN_IDENTITY, IOMMUABS_LEAF_2M);
	map(dom, 0x1000000, 0x1000000, 64 * GIB);
	map(dom, 3, 3, 1000);
	mirror(dom);
	cost = destroy("identity, 64 GiB", 500);
	ck_assert_uint_gt(cost.steps, 60);
	ck_assert_uint_gt(cost.frees, 64);
}
END_TEST

static void add_tests(Suite *s)
{
	TCase *tcase = tcase_create("destroy");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase,
		       a_terabyte_of_scattered_frames_goes_in_bounded_steps);
	tcase_add_loop_test(tcase, a_run_without_an_end_is_cut_into_steps, 0,
			    6);
	tcase_add_loop_test(tcase, leaves_of_the_reverse_map_go_whole, 0, 4);
	tcase_add_test(tcase, a_large_leaf_of_many_places_goes_in_steps);
	tcase_add_test(tcase, further_places_go_in_steps);
	tcase_add_test(tcase, an_identity_domain_goes_in_steps);
	suite_add_tcase(s, tcase);
}

static Suite *suite(void)
{
	Suite *s = suite_create("destroy");

	if (suite_needs(s, IOMMUABS_UNIT_NULL))
		add_tests(s);
	return s;
}

HARNESS_MAIN(suite)
