/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_threads.c - callers on disjoint ranges of one domain, at once, while
 * others ask questions and a device comes and goes
 */
#include "harness.h"
#include "test_machine.h"
#include "test_needs.h"

#include <pthread.h>
#include <string.h>

#define RW	(IOMMUABS_READ | IOMMUABS_WRITE)
#define CALLERS 2
/* Ranges that meet within one table of each level, so that tables are shared. */
#define SPAN ((uint64_t)700)

static struct machine machine;
static struct iommuabs_domain *dom;
static uint32_t stop;

struct caller {
	pthread_t thread;
	uint64_t gfn; /* its range is [gfn, gfn + SPAN) */
	uint64_t rounds;
	uint64_t mapped[SPAN];
	const char *failure;
};

static struct caller callers[CALLERS];

static void setup(void)
{
	const struct iommuabs_domain_config config = {
		.size = sizeof(config),
		.callers = CALLERS + 1,
	};

	machine_new(&machine, 0);
	ck_assert_int_eq(iommuabs_domain_create(machine.abs, &config, &dom), 0);
	stop = 0;
}

static void teardown(void)
{
	unsigned int d;

	for (d = 0; d < MACHINE_DEVICES; d++)
		ck_assert_int_eq(iommuabs_device_detach(machine.dev[d], 0), 0);
	ck_assert_int_eq(iommuabs_domain_destroy(dom, 0), 0);
	machine_delete(&machine);
}

static bool unchanged(struct caller *caller, uint64_t at)
{
	iommuabs_mfn_t mfn;
	int ret = iommuabs_domain_translate(dom, IOMMUABS_GFN(caller->gfn + at),
					    &mfn, NULL);

	if (!caller->mapped[at])
		return ret == IOMMUABS_E_NOENT;
	return !ret && mfn.frame == caller->mapped[at];
}

static void one_change(struct caller *caller, uint64_t *seed)
{
	uint64_t at = test_random_below(seed, SPAN), i;
	uint64_t nr = 1 + test_random_below(seed, SPAN - at);
	uint64_t mfn = MACHINE_RAM + caller->gfn + at;
	int ret;

	if (test_random_below(seed, 2)) {
		ret = iommuabs_domain_map(dom, IOMMUABS_GFN(caller->gfn + at),
					  IOMMUABS_MFN(mfn), nr, RW, NULL);
		for (i = 0; i < nr; i++)
			caller->mapped[at + i] = mfn + i;
	} else {
		ret = iommuabs_domain_unmap(dom, IOMMUABS_GFN(caller->gfn + at),
					    nr, NULL);
		memset(&caller->mapped[at], 0, nr * sizeof(uint64_t));
	}
	if (ret)
		caller->failure = iommuabs_strerror(ret);
	for (i = 0; i < SPAN; i += 7)
		if (!unchanged(caller, i))
			caller->failure = "a translation is not the caller's";
}

static void *change(void *arg)
{
	struct caller *caller = arg;
	uint64_t seed = caller->gfn, i;

	for (i = 0; i < caller->rounds && !caller->failure; i++)
		one_change(caller, &seed);
	return NULL;
}

/* Structural work, as often as it gets in. */
static void *attach_and_detach(void *arg)
{
	struct iommuabs_device *dev = arg;

	while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
		ck_assert_int_eq(iommuabs_device_attach(dev, dom, NULL, 0), 0);
		ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	}
	return NULL;
}

/* Questions may run against any call. */
static void *ask(void *arg)
{
	struct iommuabs_explanation why = { .size = sizeof(why) };
	iommuabs_gfn_t gfns[2];
	uint64_t seed = 5, cursor, frame;
	uint32_t nr;

	(void)arg;
	while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
		frame = callers[0].gfn + test_random_below(&seed, 2 * SPAN);
		cursor = 0;
		ck_assert_int_eq(iommuabs_domain_gfns(
					 dom, IOMMUABS_MFN(MACHINE_RAM + frame),
					 &cursor, gfns, 2, &nr),
				 0);
		ck_assert_uint_le(nr, 1);
		ck_assert_int_eq(iommuabs_device_explain(machine.dev[0],
							 IOMMUABS_GFN(frame),
							 RW, &why),
				 0);
	}
	return NULL;
}

START_TEST(disjoint_ranges_of_one_domain_do_not_meet)
{
	pthread_t structural, questions;
	unsigned int c;

	memset(callers, 0, sizeof(callers));
	for (c = 0; c < CALLERS; c++) {
		callers[c].gfn = 300 + c * SPAN;
		callers[c].rounds = test_rounds(20000);
	}
	machine_attach(&machine, 0, dom);
	ck_assert_int_eq(pthread_create(&structural, NULL, attach_and_detach,
					machine.dev[1]),
			 0);
	ck_assert_int_eq(pthread_create(&questions, NULL, ask, NULL), 0);
	for (c = 0; c < CALLERS; c++)
		ck_assert_int_eq(pthread_create(&callers[c].thread, NULL,
						change, &callers[c]),
				 0);
	for (c = 0; c < CALLERS; c++)
		pthread_join(callers[c].thread, NULL);
	__atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
	pthread_join(structural, NULL);
	pthread_join(questions, NULL);
	for (c = 0; c < CALLERS; c++)
		ck_assert_msg(!callers[c].failure, "%s", callers[c].failure);
}
END_TEST

static void add_tests(Suite *s)
{
	TCase *tcase = tcase_create("domain");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, disjoint_ranges_of_one_domain_do_not_meet);
	suite_add_tcase(s, tcase);
}

static Suite *suite(void)
{
	Suite *s = suite_create("threads");

	if (suite_needs(s, IOMMUABS_UNIT_NULL))
		add_tests(s);
	return s;
}

HARNESS_MAIN(suite)
