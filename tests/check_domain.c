/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_domain.c - changes of domains against a flat oracle
 */
#include "harness.h"
#include "test_machine.h"
#include "test_needs.h"

#include <stdlib.h>
#include <string.h>

#define GFNS	4096
#define DOMAINS 3
#define FRAMES	6144

#define RW	  (IOMMUABS_READ | IOMMUABS_WRITE)
#define NOT_THERE UINT64_MAX

static struct machine machine;

/* The oracle: what each domain maps, one cell per gfn. */
struct cell {
	uint64_t mfn; /* NOT_THERE: nothing */
	uint32_t flags;
};

struct model {
	struct iommuabs_domain *dom;
	struct cell cells[GFNS];
	int attached; /* device of the same index */
};

static struct model models[DOMAINS];

static void setup(void)
{
	machine_new(&machine, TEST_HOST_LOCKS);
}

static void setup_map(void)
{
	machine_new(&machine, TEST_HOST_LOCKS | TEST_HOST_MAP);
}

static void teardown(void)
{
	machine_delete(&machine);
}

static void models_new(void)
{
	unsigned int d, g;

	for (d = 0; d < DOMAINS; d++) {
		models[d].dom = machine_domain(&machine, 0);
		models[d].attached = 0;
		for (g = 0; g < GFNS; g++)
			models[d].cells[g].mfn = NOT_THERE;
	}
}

static void models_delete(void)
{
	unsigned int d;

	for (d = 0; d < DOMAINS; d++) {
		ck_assert_int_eq(iommuabs_device_detach(machine.dev[d], 0), 0);
		ck_assert_int_eq(iommuabs_domain_destroy(models[d].dom, 0), 0);
	}
}

/* Is @mfn owned by a domain other than @d? */
static bool owned_elsewhere(unsigned int d, uint64_t mfn)
{
	unsigned int o, g;

	for (o = 0; o < DOMAINS; o++)
		for (g = 0; o != d && g < GFNS; g++)
			if (models[o].cells[g].mfn == mfn &&
			    !(models[o].cells[g].flags & IOMMUABS_FOREIGN))
				return true;
	return false;
}

static int expect_map(unsigned int d, uint64_t gfn, const iommuabs_mfn_t *mfns,
		      uint64_t nr, uint32_t flags)
{
	const struct cell *cell;
	uint32_t stored = flags & ~IOMMUABS_REPLACE;
	uint64_t i;

	for (i = 0; i < nr; i++) {
		cell = &models[d].cells[gfn + i];
		if (cell->mfn == NOT_THERE ||
		    (cell->mfn == mfns[i].frame && cell->flags == stored))
			continue;
		if (!(flags & IOMMUABS_REPLACE))
			return IOMMUABS_E_EXISTS;
		if (cell->mfn == mfns[i].frame &&
		    ((cell->flags ^ stored) & IOMMUABS_FOREIGN))
			return IOMMUABS_E_EXISTS;
	}
	for (i = 0; i < nr; i++) {
		cell = &models[d].cells[gfn + i];
		if (cell->mfn != mfns[i].frame && !(flags & IOMMUABS_FOREIGN) &&
		    owned_elsewhere(d, mfns[i].frame))
			return IOMMUABS_E_PERM;
	}
	return 0;
}

/* Sizes that meet leaves of 4K and 2M, and cut them. */
static uint64_t pick_nr(uint64_t *seed, uint64_t *gfn)
{
	uint64_t nr;

	switch (test_random_below(seed, 4)) {
	case 0:
		nr = 1;
		break;
	case 1:
		nr = 1 + test_random_below(seed, 40);
		break;
	case 2:
		*gfn &= ~(uint64_t)511;
		nr = 512 * (1 + test_random_below(seed, 2));
		break;
	default:
		nr = 1 + test_random_below(seed, 1200);
	}
	return nr < GFNS - *gfn ? nr : GFNS - *gfn;
}

static uint32_t pick_flags(uint64_t *seed)
{
	static const uint32_t perms[] = { RW, RW, IOMMUABS_READ,
					  IOMMUABS_WRITE };
	uint32_t flags = perms[test_random_below(seed, 4)];

	if (!test_random_below(seed, 6))
		flags |= IOMMUABS_DEVICE;
	if (!test_random_below(seed, 5))
		flags |= IOMMUABS_FOREIGN;
	if (!test_random_below(seed, 3))
		flags |= IOMMUABS_REPLACE;
	return flags;
}

static void step_map(uint64_t *seed, unsigned int d)
{
	uint64_t gfn = test_random_below(seed, GFNS), nr, i, mfn;
	static iommuabs_mfn_t mfns[GFNS];
	uint32_t flags = pick_flags(seed);
	bool list = !test_random_below(seed, 4);
	int want, got;

	nr = pick_nr(seed, &gfn);
	/* Often the frames with the same number, so that leaves are large. */
	mfn = test_random_below(seed, 2)
		      ? gfn + 512 * test_random_below(seed, 4)
		      : test_random_below(seed, FRAMES);
	if (mfn + nr > FRAMES)
		nr = FRAMES - mfn;
	if (!nr)
		return;
	for (i = 0; i < nr; i++)
		mfns[i] = IOMMUABS_MFN(
			MACHINE_RAM +
			(list ? test_random_below(seed, FRAMES) : mfn + i));
	want = expect_map(d, gfn, mfns, nr, flags);
	got = list ? iommuabs_domain_map_list(models[d].dom, IOMMUABS_GFN(gfn),
					      mfns, nr, flags, NULL)
		   : iommuabs_domain_map(models[d].dom, IOMMUABS_GFN(gfn),
					 mfns[0], nr, flags, NULL);
	ck_assert_msg(got == want, "map d%u %#llx+%llu flags %#x: %d, not %d",
		      d, (unsigned long long)gfn, (unsigned long long)nr, flags,
		      got, want);
	for (i = 0; !want && i < nr; i++) {
		models[d].cells[gfn + i].mfn = mfns[i].frame;
		models[d].cells[gfn + i].flags = flags & ~IOMMUABS_REPLACE;
	}
}

static void step_unmap(uint64_t *seed, unsigned int d)
{
	uint64_t gfn = test_random_below(seed, GFNS), nr, i;

	nr = pick_nr(seed, &gfn);
	ck_assert_int_eq(iommuabs_domain_unmap(models[d].dom, IOMMUABS_GFN(gfn),
					       nr, NULL),
			 0);
	for (i = 0; i < nr; i++)
		models[d].cells[gfn + i].mfn = NOT_THERE;
}

static void step_protect(uint64_t *seed, unsigned int d)
{
	static const uint32_t perms[] = { RW, IOMMUABS_READ, IOMMUABS_WRITE };
	uint64_t gfn = test_random_below(seed, GFNS), nr, i;
	uint32_t flags = perms[test_random_below(seed, 3)];
	int want = 0;

	nr = pick_nr(seed, &gfn);
	for (i = 0; i < nr; i++)
		if (models[d].cells[gfn + i].mfn == NOT_THERE)
			want = IOMMUABS_E_NOENT;
	ck_assert_int_eq(iommuabs_domain_protect(models[d].dom,
						 IOMMUABS_GFN(gfn), nr, flags,
						 NULL),
			 want);
	for (i = 0; !want && i < nr; i++)
		models[d].cells[gfn + i].flags =
			(models[d].cells[gfn + i].flags & ~RW) | flags;
}

static void step_device(unsigned int d)
{
	if (models[d].attached)
		ck_assert_int_eq(iommuabs_device_detach(machine.dev[d], 0), 0);
	else
		machine_attach(&machine, d, models[d].dom);
	models[d].attached = !models[d].attached;
}

static void compare_forward(unsigned int d)
{
	const struct cell *cell;
	iommuabs_mfn_t mfn;
	uint32_t flags;
	uint64_t gfn, reach;
	int ret;

	for (gfn = 0; gfn < GFNS; gfn++) {
		cell = &models[d].cells[gfn];
		ret = iommuabs_domain_translate(
			models[d].dom, IOMMUABS_GFN(gfn), &mfn, &flags);
		ck_assert_int_eq(ret,
				 cell->mfn == NOT_THERE ? IOMMUABS_E_NOENT : 0);
		if (!ret) {
			ck_assert_uint_eq(mfn.frame, cell->mfn);
			ck_assert_uint_eq(flags, cell->flags);
		}
		if (!models[d].attached)
			continue;
		reach = machine_reach(&machine, d, gfn, IOMMUABS_READ);
		ck_assert_uint_eq(reach,
				  cell->mfn != NOT_THERE &&
						  (cell->flags & IOMMUABS_READ)
					  ? cell->mfn
					  : NOT_THERE);
	}
}

/* Every place of every frame, by the oracle and by the reverse map. */
static void compare_backward(unsigned int d)
{
	static uint32_t places[FRAMES];
	iommuabs_gfn_t gfns[3];
	uint64_t cursor, frame, gfn, found;
	uint32_t nr, i;

	memset(places, 0, sizeof(places));
	for (gfn = 0; gfn < GFNS; gfn++)
		if (models[d].cells[gfn].mfn != NOT_THERE)
			places[models[d].cells[gfn].mfn - MACHINE_RAM]++;
	for (frame = 0; frame < FRAMES; frame++) {
		cursor = 0;
		found = 0;
		do {
			ck_assert_int_eq(
				iommuabs_domain_gfns(
					models[d].dom,
					IOMMUABS_MFN(MACHINE_RAM + frame),
					&cursor, gfns, 3, &nr),
				0);
			for (i = 0; i < nr; i++)
				ck_assert_uint_eq(
					models[d].cells[gfns[i].frame].mfn,
					MACHINE_RAM + frame);
			found += nr;
		} while (nr == 3);
		ck_assert_uint_eq(found, places[frame]);
	}
}

static void compare_all(void)
{
	unsigned int d;

	for (d = 0; d < DOMAINS; d++) {
		compare_forward(d);
		compare_backward(d);
	}
}

static void play(uint64_t seed, unsigned int steps)
{
	unsigned int i, d;

	for (i = 0; i < steps; i++) {
		d = (unsigned int)test_random_below(&seed, DOMAINS);
		switch (test_random_below(&seed, 10)) {
		case 0:
		case 1:
		case 2:
		case 3:
			step_map(&seed, d);
			break;
		case 4:
		case 5:
		case 6:
			step_unmap(&seed, d);
			break;
		case 7:
		case 8:
			step_protect(&seed, d);
			break;
		default:
			step_device(d);
		}
		if (i % 16 == 15)
			compare_all();
	}
	compare_all();
}

START_TEST(any_sequence_of_changes_equals_the_oracle)
{
	models_new();
	play(0x1001 + (uint64_t)_i, 160);
	models_delete();
}
END_TEST

static void add_tests(Suite *s)
{
	TCase *plain = tcase_create("linear");
	TCase *mapped = tcase_create("mapped");

	tcase_add_checked_fixture(plain, setup, teardown);
	tcase_set_timeout(plain, 60);
	tcase_add_loop_test(plain, any_sequence_of_changes_equals_the_oracle, 0,
			    8);
	suite_add_tcase(s, plain);
	tcase_add_checked_fixture(mapped, setup_map, teardown);
	tcase_set_timeout(mapped, 60);
	tcase_add_loop_test(mapped, any_sequence_of_changes_equals_the_oracle,
			    0, 2);
	suite_add_tcase(s, mapped);
}

static Suite *suite(void)
{
	Suite *s = suite_create("domain");

	if (suite_needs(s, IOMMUABS_UNIT_NULL))
		add_tests(s);
	return s;
}

HARNESS_MAIN(suite)
