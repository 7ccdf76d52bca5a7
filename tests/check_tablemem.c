/* SPDX-License-Identifier: BSD-2-Clause */
#include "test_host.h"

#include <sched.h>
#include <string.h>

#include "harness.h"
#include "host/tablemem.h"

#define LG2 IOMMUABS_FRAME_LG2

static const uint32_t modes[] = {
	0,
	TEST_HOST_LOCKS,
	TEST_HOST_LOCKS | TEST_HOST_ALLOC,
	TEST_HOST_LOCKS | TEST_HOST_MAP,
};
#define NR_MODES ((int)IA_COUNT(modes))

struct fixture {
	struct test_host *host;
	struct tablemem mem;
	struct tablemem_account account;
};

static struct fixture fixture_make(uint32_t flags)
{
	struct fixture f = { .host = test_host_new(flags) };

	f.account.cookie = f.host->frames; /* any that is not NULL */
	return f;
}

static void fixture_end(struct fixture *f)
{
	f->host->lie_returned = 0;
	tablemem_exit(&f->mem);
	/* It gave back what it had, and no page that rubbish in one named. */
	ck_assert_uint_eq(f->host->lie_returned, 0);
	ck_assert_uint_eq(f->account.used, 0);
	test_host_delete(f->host);
}

/* What the host has given is a table, and nothing else is. */
static void marks_are_exact(struct fixture *f)
{
	uint64_t i, wrong = 0;

	for (i = 0; i < TEST_HOST_FRAMES; i++)
		wrong += tablemem_holds(&f->mem, TEST_HOST_MFN + i, 1) !=
			 f->host->frames[i].used;
	ck_assert_uint_eq(wrong, 0);
}

START_TEST(a_frame_is_a_table_from_alloc_to_free)
{
	struct fixture f = fixture_make(modes[_i]);
	struct {
		uint64_t maddr;
		unsigned int lg2;
	} got[64];
	unsigned int i, round;
	uint64_t seed = 1, used = 0;

	ck_assert_int_eq(tablemem_init(&f.mem, &f.host->hostif), 0);
	for (round = 0; round < 4; round++) {
		for (i = 0; i < 64; i++) {
			got[i].lg2 = 12 + test_random_below(&seed, 7);
			ck_assert_int_eq(tablemem_alloc(&f.mem, &f.account,
							got[i].lg2, 0,
							&got[i].maddr),
					 0);
			used += (uint64_t)1 << (got[i].lg2 - 12);
		}
		ck_assert_uint_eq(f.account.used, used);
		marks_are_exact(&f);
		for (i = 0; i < 64; i++)
			tablemem_free(&f.mem, &f.account, got[i].maddr,
				      got[i].lg2);
		used = 0;
		marks_are_exact(&f);
	}
	fixture_end(&f);
}
END_TEST

START_TEST(a_block_of_the_largest_size_is_held_throughout)
{
	struct fixture f = fixture_make(modes[_i]);
	uint64_t maddr;

	ck_assert_int_eq(tablemem_init(&f.mem, &f.host->hostif), 0);
	ck_assert_int_eq(tablemem_alloc(&f.mem, &f.account, 26, 0, &maddr), 0);
	ck_assert_uint_eq(f.account.used, 1 << 14);
	marks_are_exact(&f);
	ck_assert(tablemem_holds(&f.mem, 0, (uint64_t)1 << 40));
	ck_assert(!tablemem_holds(&f.mem, 0, TEST_HOST_MFN));
	ck_assert(!tablemem_holds(&f.mem, TEST_HOST_MFN + TEST_HOST_FRAMES,
				  1000));
	tablemem_free(&f.mem, &f.account, maddr, 26);
	fixture_end(&f);
}
END_TEST

/* Set-up, tables that need new chunks, objects. */
static int scenario(struct fixture *f)
{
	struct tablemem_pool pool = { 0, 0 };
	void *object = NULL;
	uint64_t maddr;
	int st;

	st = tablemem_init(&f->mem, &f->host->hostif);
	if (st)
		return st;
	f->host->hint = TEST_HOST_FRAMES - 100; /* another chunk */
	st = tablemem_alloc(&f->mem, &f->account, 13, 0, &maddr);
	if (!st) {
		st = tablemem_pool_fill(&f->mem, &f->account, &pool, 5);
		if (!st) {
			object = tablemem_object_alloc(&f->mem, 100);
			st = object ? 0 : IOMMUABS_E_NOMEM;
		}
		marks_are_exact(f);
		if (object)
			tablemem_object_free(&f->mem, object, 100);
		tablemem_pool_drain(&f->mem, &f->account, &pool);
		tablemem_free(&f->mem, &f->account, maddr, 13);
	}
	ck_assert_uint_eq(f->account.used, 0);
	tablemem_exit(&f->mem);
	return st;
}

START_TEST(every_allocation_fails_once_and_nothing_leaks)
{
	uint64_t n;

	for (n = 1;; n++) {
		struct fixture f = fixture_make(modes[_i]);
		bool failed;
		int st;

		test_host_fail_nth(f.host, n);
		st = scenario(&f);
		failed = test_host_failed(f.host);
		ck_assert_int_eq(st, failed ? IOMMUABS_E_NOMEM : 0);
		test_host_delete(f.host);
		if (!failed)
			break;
	}
	ck_assert_uint_gt(n, 8);
}
END_TEST

/* What table_alloc() should not give. */

static int alloc_lie(struct fixture *f, uint64_t lie, unsigned int lg2)
{
	uint64_t maddr = 0, before = f->mem.account.used;
	int st;

	f->host->lie = lie;
	f->host->lie_returned = 0;
	st = tablemem_alloc(&f->mem, &f->account, lg2, 0, &maddr);
	ck_assert_uint_eq(maddr, 0);
	ck_assert_uint_eq(f->account.used, 0);
	ck_assert_uint_le(f->mem.account.used, before + 1);
	return st;
}

START_TEST(memory_from_outside_table_ranges_is_given_back)
{
	struct fixture f = fixture_make(modes[_i]);
	uint64_t end = TEST_HOST_MFN + TEST_HOST_FRAMES;
	const struct {
		uint64_t maddr;
		unsigned int lg2;
		const char *why;
	} lies[] = {
		{ (TEST_HOST_MFN - 1) << LG2, 12, "outside" },
		{ end << LG2, 12, "outside" },
		{ (end - 512) << LG2, 22, "not aligned" },
		{ ((TEST_HOST_MFN + 0x4000) << LG2) + 8, 12, "not aligned" },
		{ ((TEST_HOST_MFN + 0x4001) << LG2), 13, "not aligned" },
		{ (uint64_t)1 << 60, 12, "outside" },
	};
	unsigned int i;

	ck_assert_int_eq(tablemem_init(&f.mem, &f.host->hostif), 0);
	for (i = 0; i < IA_COUNT(lies); i++) {
		test_host_log_clear(f.host);
		ck_assert_int_eq(alloc_lie(&f, lies[i].maddr, lies[i].lg2),
				 IOMMUABS_E_NOMEM);
		ck_assert_uint_eq(f.host->lie_returned, lies[i].maddr);
		ck_assert(test_host_logged(f.host, lies[i].why));
	}
	marks_are_exact(&f);
	fixture_end(&f);
}
END_TEST

/* Where there is nothing: to touch it would be the end of the test. */
START_TEST(the_first_page_is_looked_at_before_it_is_used)
{
	static const uint64_t lies[] = { (uint64_t)1 << 60, 0x1000,
					 (TEST_HOST_MFN << LG2) + 8 };
	struct test_host *host = test_host_new(0);
	struct tablemem mem;

	host->lie = lies[_i];
	ck_assert_int_eq(tablemem_init(&mem, &host->hostif), IOMMUABS_E_NOMEM);
	ck_assert_uint_eq(host->lie_returned, lies[_i]);
	ck_assert(test_host_logged(host, "outside table_ranges"));
	test_host_delete(host);
}
END_TEST

START_TEST(a_table_given_twice_stays_the_first_ones)
{
	struct fixture f = fixture_make(modes[_i]);
	uint64_t maddr;

	ck_assert_int_eq(tablemem_init(&f.mem, &f.host->hostif), 0);
	ck_assert_int_eq(tablemem_alloc(&f.mem, &f.account, 14, 0, &maddr), 0);
	tablemem_uncharge(&f.account, 4);
	ck_assert_int_eq(alloc_lie(&f, maddr + 0x1000, 12), IOMMUABS_E_NOMEM);
	ck_assert_int_eq(alloc_lie(&f, maddr & ~(uint64_t)0xffff, 16),
			 IOMMUABS_E_NOMEM);
	ck_assert_uint_eq(f.host->lie_returned, 0);
	ck_assert(test_host_logged(f.host, "a table already"));
	ck_assert_int_eq(tablemem_charge(&f.account, 4), 0);
	ck_assert(tablemem_holds(&f.mem, (maddr >> LG2) + 3, 1));
	tablemem_free(&f.mem, &f.account, maddr, 14);
	marks_are_exact(&f);
	fixture_end(&f);
}
END_TEST

START_TEST(a_block_that_is_a_table_in_part_leaves_no_mark)
{
	struct fixture f = fixture_make(modes[_i]);
	uint64_t maddr;

	ck_assert_int_eq(tablemem_init(&f.mem, &f.host->hostif), 0);
	f.host->hint = 0x400 + 200;
	ck_assert_int_eq(tablemem_alloc(&f.mem, &f.account, 12, 0, &maddr), 0);
	tablemem_uncharge(&f.account, 1);
	ck_assert_int_eq(alloc_lie(&f, (TEST_HOST_MFN + 0x400) << LG2, 20),
			 IOMMUABS_E_NOMEM);
	ck_assert(test_host_logged(f.host, "a table already"));
	marks_are_exact(&f);
	ck_assert_int_eq(tablemem_charge(&f.account, 1), 0);
	tablemem_free(&f.mem, &f.account, maddr, 12);
	fixture_end(&f);
}
END_TEST

/* The same, of two ranges. */
START_TEST(a_block_across_ranges_that_is_a_table_in_part_leaves_no_mark)
{
	static const struct iommuabs_range ranges[] = {
		{ { TEST_HOST_MFN }, 0x480 },
		{ { TEST_HOST_MFN + 0x480 }, TEST_HOST_FRAMES - 0x480 },
	};
	struct fixture f = fixture_make(modes[_i]);
	uint64_t maddr;

	f.host->hostif.ops.table_ranges = ranges;
	f.host->hostif.ops.nr_table_ranges = 2;
	ck_assert_int_eq(tablemem_init(&f.mem, &f.host->hostif), 0);
	f.host->hint = 0x480;
	ck_assert_int_eq(tablemem_alloc(&f.mem, &f.account, 12, 0, &maddr), 0);
	tablemem_uncharge(&f.account, 1);
	ck_assert_int_eq(alloc_lie(&f, (TEST_HOST_MFN + 0x400) << LG2, 20),
			 IOMMUABS_E_NOMEM);
	ck_assert(test_host_logged(f.host, "a table already"));
	marks_are_exact(&f);
	ck_assert_int_eq(tablemem_charge(&f.account, 1), 0);
	tablemem_free(&f.mem, &f.account, maddr, 12);
	fixture_end(&f);
}
END_TEST

static uint64_t alloc_at(struct fixture *f, uint64_t frame)
{
	uint64_t maddr;

	f->host->hint = frame;
	ck_assert_int_eq(tablemem_alloc(&f->mem, &f->account, 12, 0, &maddr),
			 0);
	ck_assert_uint_eq(maddr, (TEST_HOST_MFN + frame) << LG2);
	return maddr;
}

static struct {
	int (*table_alloc)(void *ctx, void *cookie, unsigned int size_lg2,
			   uint32_t flags, uint64_t *maddr);
	unsigned int countdown;
	uint64_t lie;
} later;

/* The host gives what it gave before the n-th time from now. */
static int alloc_and_lie_later(void *ctx, void *cookie, unsigned int size_lg2,
			       uint32_t flags, uint64_t *maddr)
{
	struct test_host *host = ctx;

	if (!--later.countdown)
		host->lie = later.lie;
	return later.table_alloc(ctx, cookie, size_lg2, flags, maddr);
}

/* A page for the bitmap is written to before it has a bit. */
START_TEST(a_table_given_as_a_page_for_marks_is_not_touched)
{
	struct fixture f = fixture_make(modes[_i]);
	uint64_t table, maddr;

	ck_assert_int_eq(tablemem_init(&f.mem, &f.host->hostif), 0);
	table = alloc_at(&f, 0x480);
	memset(test_host_ptr(f.host, table), 0x77, 4096);
	later.table_alloc = f.host->hostif.ops.table_alloc;
	later.countdown = 2;
	later.lie = table;
	f.host->hostif.ops.table_alloc = alloc_and_lie_later;
	f.host->hint = TEST_HOST_FRAMES - 100; /* another chunk */
	ck_assert_int_eq(tablemem_alloc(&f.mem, &f.account, 12, 0, &maddr),
			 IOMMUABS_E_NOMEM);
	f.host->hostif.ops.table_alloc = later.table_alloc;
	ck_assert_uint_eq(later.countdown, 0);
	ck_assert(test_host_logged(f.host, "a table already"));
	ck_assert_uint_eq(
		*(const uint64_t *)test_host_ptr(f.host, table + 0x800),
		0x7777777777777777);
	marks_are_exact(&f);
	tablemem_free(&f.mem, &f.account, table, 12);
	fixture_end(&f);
}
END_TEST

START_TEST(tables_are_given_back_many_at_a_time)
{
	struct fixture f = fixture_make(modes[_i]);
	struct tablemem_giving giving;
	uint64_t at[TABLEMEM_GIVING + 2], i;

	ck_assert_int_eq(tablemem_init(&f.mem, &f.host->hostif), 0);
	tablemem_giving_begin(&giving, &f.mem, &f.account, 12);
	/* The last but one stays: a neighbour of what goes. */
	for (i = 0; i < IA_COUNT(at); i++)
		at[i] = alloc_at(&f, 0x4a1 + i);
	for (i = 0; i < TABLEMEM_GIVING; i++)
		tablemem_giving_add(&giving, at[i]);
	/* Nothing has been done so far. */
	for (i = 0; i < IA_COUNT(at); i++)
		ck_assert(tablemem_holds(&f.mem, at[i] >> LG2, 1));
	marks_are_exact(&f);
	tablemem_giving_flush(&giving);
	for (i = 0; i < TABLEMEM_GIVING; i++)
		ck_assert(!tablemem_holds(&f.mem, at[i] >> LG2, 1));
	marks_are_exact(&f);
	/* They are charged up to the end. */
	ck_assert_uint_eq(f.account.used, IA_COUNT(at));
	tablemem_giving_add(&giving, at[TABLEMEM_GIVING + 1]);
	tablemem_giving_end(&giving);
	ck_assert_uint_eq(f.account.used, 1);
	tablemem_giving_flush(&giving); /* of nothing */
	tablemem_giving_end(&giving);
	ck_assert_uint_eq(f.account.used, 1);
	marks_are_exact(&f);
	tablemem_free(&f.mem, &f.account, at[TABLEMEM_GIVING], 12);
	fixture_end(&f);
}
END_TEST

enum { IN_A_ROW = 3 * TABLEMEM_GIVING + 3 };

/* Upwards, downwards, downwards up to a turn, and by fours. */
static uint64_t row_order(int order, uint64_t i)
{
	switch (order) {
	case 0:
		return i;
	case 1:
		return IN_A_ROW - 1 - i;
	case 2:
		return i < 25 ? 24 - i : i;
	default:
		return i ^ (i < IN_A_ROW - 3 ? 3 : 0);
	}
}

/* A neighbour on each side stays. */
START_TEST(tables_are_given_back_in_whatever_order)
{
	struct fixture f = fixture_make(modes[_i % NR_MODES]);
	uint64_t at[IN_A_ROW + 2], i;
	struct tablemem_giving giving;

	ck_assert_int_eq(tablemem_init(&f.mem, &f.host->hostif), 0);
	tablemem_giving_begin(&giving, &f.mem, &f.account, 12);
	for (i = 0; i < IA_COUNT(at); i++)
		at[i] = alloc_at(&f, 0x4a1 + i);
	for (i = 0; i < IN_A_ROW; i++) {
		tablemem_giving_add(&giving,
				    at[1 + row_order(_i / NR_MODES, i)]);
		if (giving.nr < TABLEMEM_GIVING)
			continue;
		tablemem_giving_flush(&giving);
		marks_are_exact(&f);
	}
	tablemem_giving_end(&giving);
	marks_are_exact(&f);
	ck_assert_uint_eq(f.account.used, 2);
	tablemem_free(&f.mem, &f.account, at[0], 12);
	tablemem_free(&f.mem, &f.account, at[IN_A_ROW + 1], 12);
	fixture_end(&f);
}
END_TEST

/* Next to others before and after it, upwards and downwards. */
START_TEST(a_row_is_unmarked_before_its_first_is_given_back)
{
	struct fixture f = fixture_make(modes[_i % NR_MODES]);
	bool down = _i / NR_MODES;
	uint64_t at[IN_A_ROW + 3], i;
	struct tablemem_giving giving;
	const uint64_t *row = at + 2;

	ck_assert_int_eq(tablemem_init(&f.mem, &f.host->hostif), 0);
	tablemem_giving_begin(&giving, &f.mem, &f.account, 12);
	for (i = 0; i < IA_COUNT(at); i++)
		at[i] = alloc_at(&f, 0x4a1 + i);
	tablemem_giving_add(&giving, at[1]);
	tablemem_giving_row(&giving, row[down ? IN_A_ROW - 1 : 0],
			    row[down ? 0 : IN_A_ROW - 1]);
	ck_assert_uint_eq(giving.nr, 0);
	for (i = 0; i < IN_A_ROW; i++)
		ck_assert(!tablemem_holds(&f.mem, row[i] >> LG2, 1));
	ck_assert(!tablemem_holds(&f.mem, at[1] >> LG2, 1));
	ck_assert(tablemem_holds(&f.mem, at[0] >> LG2, 1));
	ck_assert(tablemem_holds(&f.mem, at[IN_A_ROW + 2] >> LG2, 1));
	for (i = 0; i < IN_A_ROW; i++) {
		if (giving.nr == TABLEMEM_GIVING)
			tablemem_giving_flush(&giving);
		tablemem_giving_add(&giving, row[down ? IN_A_ROW - 1 - i : i]);
	}
	/* Together with the last ones of the row, but not one of them. */
	tablemem_giving_add(&giving, at[0]);
	tablemem_giving_end(&giving);
	marks_are_exact(&f);
	ck_assert_uint_eq(f.account.used, 1);
	tablemem_free(&f.mem, &f.account, at[IN_A_ROW + 2], 12);
	fixture_end(&f);
}
END_TEST

static unsigned int together[4], nr_together;

static void tables_free(void *ctx, void *dom_cookie, const uint64_t *maddrs,
			unsigned int nr, unsigned int size_lg2)
{
	struct test_host *host = ctx;
	unsigned int i;

	ck_assert_uint_lt(nr_together, IA_COUNT(together));
	together[nr_together++] = nr;
	for (i = 0; i < nr; i++)
		host->hostif.ops.table_free(ctx, dom_cookie, maddrs[i],
					    size_lg2);
}

START_TEST(a_host_that_takes_many_tables_gets_them_together)
{
	struct fixture f = fixture_make(modes[_i]);
	struct tablemem_giving giving;
	uint64_t at[3], i;

	f.host->hostif.ops.tables_free = tables_free;
	nr_together = 0;
	ck_assert_int_eq(tablemem_init(&f.mem, &f.host->hostif), 0);
	tablemem_giving_begin(&giving, &f.mem, &f.account, 12);
	at[0] = alloc_at(&f, 0x480);
	at[1] = alloc_at(&f, 0x900);
	at[2] = alloc_at(&f, 0x481);
	for (i = 0; i < 3; i++)
		tablemem_giving_add(&giving, at[i]);
	ck_assert_uint_eq(nr_together, 0);
	tablemem_giving_flush(&giving);
	tablemem_giving_flush(&giving); /* of nothing: no call */
	tablemem_giving_end(&giving);
	ck_assert_uint_eq(nr_together, 1);
	ck_assert_uint_eq(together[0], 3);
	ck_assert_uint_eq(f.account.used, 0);
	marks_are_exact(&f);
	fixture_end(&f);
}
END_TEST

static uint64_t mapped_mfn;

static bool is_mapped(void *arg, uint64_t mfn, uint64_t nr)
{
	(void)arg;
	return mapped_mfn - mfn < nr;
}

START_TEST(memory_that_is_mapped_is_given_back)
{
	struct fixture f = fixture_make(modes[_i]);
	uint64_t far = TEST_HOST_FRAMES - 10, maddr;

	ck_assert_int_eq(tablemem_init(&f.mem, &f.host->hostif), 0);
	f.mem.frame_is_mapped = is_mapped;
	mapped_mfn = TEST_HOST_MFN + 0x1003;
	ck_assert_int_eq(alloc_lie(&f, (mapped_mfn & ~(uint64_t)3) << LG2, 14),
			 IOMMUABS_E_NOMEM);
	ck_assert_uint_eq(f.host->lie_returned, (mapped_mfn & ~(uint64_t)3)
							<< LG2);
	ck_assert(test_host_logged(f.host, "mapped in a domain"));
	marks_are_exact(&f);

	/* The page for a new chunk is looked at, too. */
	f.host->hint = far;
	mapped_mfn = TEST_HOST_MFN + far + 1;
	ck_assert_int_eq(tablemem_alloc(&f.mem, &f.account, 12, 0, &maddr),
			 IOMMUABS_E_NOMEM);
	ck_assert_uint_eq(f.account.used, 0);
	marks_are_exact(&f);
	mapped_mfn = 0;
	f.host->hint = far;
	ck_assert_int_eq(tablemem_alloc(&f.mem, &f.account, 12, 0, &maddr), 0);
	marks_are_exact(&f);
	tablemem_free(&f.mem, &f.account, maddr, 12);
	fixture_end(&f);
}
END_TEST

static struct {
	struct tablemem *mem;
	unsigned int asked;
	bool before, itself;
} pending;

static bool look_while_pending(void *arg, uint64_t mfn, uint64_t nr)
{
	(void)arg;
	(void)nr;
	/* The page for the new chunk comes before the table that needs it. */
	if (pending.asked++)
		return false;
	pending.before = tablemem_holds(pending.mem, mfn - 1, 1);
	pending.itself = tablemem_holds(pending.mem, mfn, 1);
	return false;
}

/* What is next to it may be mapped meanwhile. */
START_TEST(a_page_for_marks_holds_itself_alone_before_it_is_in_use)
{
	struct fixture f = fixture_make(modes[_i]);
	uint64_t table;

	ck_assert_int_eq(tablemem_init(&f.mem, &f.host->hostif), 0);
	pending.mem = &f.mem;
	pending.asked = 0;
	f.mem.frame_is_mapped = look_while_pending;
	table = alloc_at(&f, TEST_HOST_FRAMES - 100);
	ck_assert_uint_gt(pending.asked, 1);
	ck_assert(!pending.before && pending.itself);
	f.mem.frame_is_mapped = NULL;
	tablemem_free(&f.mem, &f.account, table, 12);
	fixture_end(&f);
}
END_TEST

/* Ranges. */

/* Those of @nr tables that are @which of each four, which are one size. */
static void give_together(struct fixture *f, const uint64_t maddrs[],
			  unsigned int nr, unsigned int which)
{
	struct tablemem_giving giving;
	unsigned int i;

	tablemem_giving_begin(&giving, &f->mem, &f->account, 12 + which);
	for (i = which; i < nr; i += 4) {
		if (giving.nr == TABLEMEM_GIVING)
			tablemem_giving_flush(&giving);
		tablemem_giving_add(&giving, maddrs[i]);
	}
	tablemem_giving_end(&giving);
}

static void check_ranges(struct fixture *f, const struct iommuabs_range *ranges,
			 uint32_t nr)
{
	uint64_t maddrs[40];
	unsigned int i;

	f->host->hostif.ops.table_ranges = ranges;
	f->host->hostif.ops.nr_table_ranges = nr;
	ck_assert_int_eq(tablemem_init(&f->mem, &f->host->hostif), 0);
	for (i = 0; i < 40; i++)
		ck_assert_int_eq(tablemem_alloc(&f->mem, &f->account,
						12 + i % 4, 0, &maddrs[i]),
				 0);
	marks_are_exact(f);
	for (i = 0; i < 20; i++)
		tablemem_free(&f->mem, &f->account, maddrs[i], 12 + i % 4);
	marks_are_exact(f);
	for (i = 0; i < 4; i++)
		give_together(f, maddrs + 20, 20, i);
	marks_are_exact(f);
	fixture_end(f);
}

#define RANGE(mfn, nr)          \
	{                       \
		{ (mfn) }, (nr) \
	}

START_TEST(ranges_may_be_huge)
{
	struct fixture f = fixture_make(modes[_i]);
	static const struct iommuabs_range ranges[] = {
		RANGE(1, (uint64_t)32 << 28), /* 32 TiB */
	};

	check_ranges(&f, ranges, 1);
}
END_TEST

START_TEST(ranges_may_be_many_unsorted_and_overlap)
{
	struct fixture f = fixture_make(modes[_i]);
	struct iommuabs_range ranges[200];
	unsigned int i;

	for (i = 0; i < 199; i++)
		ranges[i] = (struct iommuabs_range)RANGE(
			TEST_HOST_MFN + (198 - i) * 7, i % 3 + 7);
	ranges[199] = (struct iommuabs_range)RANGE(TEST_HOST_MFN + 100,
						   TEST_HOST_FRAMES - 100);
	check_ranges(&f, ranges, 200);
}
END_TEST

START_TEST(only_frames_of_the_ranges_may_become_tables)
{
	struct fixture f = fixture_make(modes[_i]);
	uint64_t end = TEST_HOST_MFN + TEST_HOST_FRAMES;

	ck_assert_int_eq(tablemem_init(&f.mem, &f.host->hostif), 0);
	ck_assert(!tablemem_may_hold(&f.mem, 0, TEST_HOST_MFN));
	ck_assert(tablemem_may_hold(&f.mem, 0, TEST_HOST_MFN + 1));
	ck_assert(tablemem_may_hold(&f.mem, end - 1, 1));
	ck_assert(!tablemem_may_hold(&f.mem, end, 1000));
	fixture_end(&f);
}
END_TEST

/* Charges. */

START_TEST(a_charge_is_exact_against_the_limit)
{
	struct tablemem_account account = { .limit = 10 };

	ck_assert_int_eq(tablemem_charge(&account, 11), IOMMUABS_E_QUOTA);
	ck_assert_int_eq(tablemem_charge(&account, ~(uint64_t)0),
			 IOMMUABS_E_QUOTA);
	ck_assert_int_eq(tablemem_charge(&account, 10), 0);
	ck_assert_int_eq(tablemem_charge(&account, 1), IOMMUABS_E_QUOTA);
	tablemem_uncharge(&account, 1);
	ck_assert_int_eq(tablemem_charge(&account, 1), 0);
	ck_assert_uint_eq(account.used, 10);
	account.limit = 5; /* lowered below what is used */
	ck_assert_int_eq(tablemem_charge(&account, 1), IOMMUABS_E_QUOTA);
}
END_TEST

struct payer {
	struct tablemem_account account;
	uint32_t holders; /* atomic: of the one charge there is room for */
	uint32_t wrong;	  /* atomic */
	uint32_t started; /* atomic */
};

static void *charge_and_uncharge(void *arg)
{
	struct payer *payer = arg;
	uint64_t round;

	port_add32(&payer->started, 1);
	while (port_load32(&payer->started) < 2)
		sched_yield();
	for (round = test_rounds(1000000); round; round--) {
		if (tablemem_charge(&payer->account, 3))
			continue;
		if (port_add32(&payer->holders, 1) != 1)
			port_add32(&payer->wrong, 1);
		port_add32(&payer->holders, (uint32_t)-1);
		tablemem_uncharge(&payer->account, 3);
	}
	return NULL;
}

START_TEST(a_charge_is_exact_for_two_callers_at_once)
{
	struct payer payer = { .account = { .limit = 5 } };
	pthread_t other;

	ck_assert_int_eq(
		pthread_create(&other, NULL, charge_and_uncharge, &payer), 0);
	charge_and_uncharge(&payer);
	pthread_join(other, NULL);
	ck_assert_uint_eq(payer.wrong, 0);
	ck_assert_uint_eq(payer.account.used, 0);
}
END_TEST

START_TEST(an_allocation_over_quota_asks_the_host_for_nothing)
{
	struct fixture f = fixture_make(modes[_i]);
	struct tablemem_pool pool = { 0, 0 };
	uint64_t allocations;

	ck_assert_int_eq(tablemem_init(&f.mem, &f.host->hostif), 0);
	f.account.limit = 3;
	ck_assert_int_eq(tablemem_pool_fill(&f.mem, &f.account, &pool, 4),
			 IOMMUABS_E_QUOTA);
	ck_assert_uint_eq(pool.nr, 3);
	allocations = f.host->allocations;
	ck_assert_int_eq(tablemem_pool_fill(&f.mem, &f.account, &pool, 4),
			 IOMMUABS_E_QUOTA);
	ck_assert_uint_eq(f.host->allocations, allocations);
	tablemem_pool_drain(&f.mem, &f.account, &pool);
	fixture_end(&f);
}
END_TEST

/* Small objects. */

#define NR_OBJECTS 1000

static bool is_filled(const unsigned char *object, size_t size, unsigned int c)
{
	while (size && object[size - 1] == (c & 0xff))
		size--;
	return !size;
}

START_TEST(objects_are_zeroed_apart_and_give_their_pages_back)
{
	struct fixture f = fixture_make(modes[_i]);
	unsigned char *objects[NR_OBJECTS] = { NULL };
	size_t sizes[NR_OBJECTS];
	uint64_t seed = 7, used;
	unsigned int i, round;

	ck_assert_int_eq(tablemem_init(&f.mem, &f.host->hostif), 0);
	used = f.mem.account.used;
	for (round = 0; round < 20 * NR_OBJECTS; round++) {
		i = test_random_below(&seed, NR_OBJECTS);
		if (objects[i]) {
			ck_assert(is_filled(objects[i], sizes[i], i));
			tablemem_object_free(&f.mem, objects[i], sizes[i]);
			objects[i] = NULL;
			continue;
		}
		sizes[i] = 16 + test_random_below(&seed, 2033) /
					(1 + test_random_below(&seed, 30));
		objects[i] = tablemem_object_alloc(&f.mem, sizes[i]);
		ck_assert_ptr_nonnull(objects[i]);
		ck_assert(is_filled(objects[i], sizes[i], 0));
		memset(objects[i], i & 0xff, sizes[i]);
	}
	for (i = 0; i < NR_OBJECTS; i++) {
		if (objects[i])
			tablemem_object_free(&f.mem, objects[i], sizes[i]);
	}
	ck_assert_uint_eq(f.mem.account.used, used);
	fixture_end(&f);
}
END_TEST

START_TEST(records_of_32_bytes_fill_their_page)
{
	struct fixture f = fixture_make(0);
	void *objects[127];
	uint64_t used;
	unsigned int i;

	ck_assert_int_eq(tablemem_init(&f.mem, &f.host->hostif), 0);
	used = f.mem.account.used;
	for (i = 0; i < 127; i++)
		objects[i] = tablemem_object_alloc(&f.mem, 32);
	ck_assert_uint_eq(f.mem.account.used, used + 1);
	for (i = 0; i < 127; i++)
		tablemem_object_free(&f.mem, objects[i], 32);
	ck_assert_uint_eq(f.mem.account.used, used);
	fixture_end(&f);
}
END_TEST

/* Several callers at once. */

#define ROUNDS 20000

static void *allocate_and_free(void *arg)
{
	struct fixture *f = arg;
	uint64_t seed = (uintptr_t)&seed, maddr, i;
	void *object;

	for (i = test_rounds(ROUNDS); i; i--) {
		unsigned int lg2 = 12 + test_random_below(&seed, 3);

		if (tablemem_alloc(&f->mem, &f->account, lg2, 0, &maddr))
			continue;
		if (!tablemem_holds(&f->mem, maddr >> LG2, 1))
			test_host_violation(f->host, "a table is not held");
		object = tablemem_object_alloc(&f->mem, 256);
		if (object)
			tablemem_object_free(&f->mem, object, 256);
		tablemem_free(&f->mem, &f->account, maddr, lg2);
	}
	return NULL;
}

START_TEST(two_callers_at_once_get_different_tables)
{
	struct fixture f = fixture_make(modes[_i]);
	pthread_t other;

	ck_assert_int_eq(tablemem_init(&f.mem, &f.host->hostif), 0);
	f.account.limit = 6;
	ck_assert_int_eq(pthread_create(&other, NULL, allocate_and_free, &f),
			 0);
	allocate_and_free(&f);
	pthread_join(other, NULL);
	marks_are_exact(&f);
	fixture_end(&f);
}
END_TEST

/*
 * One side allocates tables, the other maps frames: it enters them in entered[],
 * as the reverse map would, and then asks holds(). No frame is ever both.
 */
#define FIRST (TEST_HOST_MFN + 64)
#define NR    64

static uint64_t entered[NR]; /* in the "reverse map" */
static uint64_t is_table[NR], is_visible[NR];

static bool is_entered(void *arg, uint64_t mfn, uint64_t nr)
{
	(void)arg;
	for (; nr; mfn++, nr--) {
		if (mfn - FIRST < NR && port_load64(&entered[mfn - FIRST]))
			return true;
	}
	return false;
}

static void set(uint64_t *flag, uint64_t value)
{
	__atomic_store_n(flag, value, __ATOMIC_SEQ_CST);
}

static bool is_set(const uint64_t *flag)
{
	return __atomic_load_n(flag, __ATOMIC_SEQ_CST);
}

static void *map_and_unmap(void *arg)
{
	struct fixture *f = arg;
	uint64_t seed = 5, round, none, i;

	for (round = test_rounds(20 * ROUNDS); round; round--) {
		i = test_random_below(&seed, NR);
		none = 0;
		port_cas64(&entered[i], &none, 1);
		if (!tablemem_holds(&f->mem, FIRST + i, 1)) {
			set(&is_visible[i], 1);
			if (is_set(&is_table[i]))
				test_host_violation(f->host, "a table mapped");
			set(&is_visible[i], 0);
		}
		port_store64_release(&entered[i], 0);
	}
	return NULL;
}

static void allocate_there(struct fixture *f, uint64_t frame)
{
	uint64_t maddr, i;

	pthread_mutex_lock(&f->host->mutex);
	f->host->hint = frame;
	pthread_mutex_unlock(&f->host->mutex);
	if (tablemem_alloc(&f->mem, &f->account, 12, 0, &maddr))
		return;
	i = (maddr >> LG2) - FIRST;
	if (i < NR) {
		set(&is_table[i], 1);
		if (is_set(&is_visible[i]))
			test_host_violation(f->host, "a mapped frame taken");
		set(&is_table[i], 0);
	}
	tablemem_free(&f->mem, &f->account, maddr, 12);
}

START_TEST(a_frame_is_never_mapped_and_a_table)
{
	struct fixture f = fixture_make(modes[_i]);
	uint64_t seed = 9, round;
	pthread_t other;

	f.host->hostif.ops.log = NULL;
	ck_assert_int_eq(tablemem_init(&f.mem, &f.host->hostif), 0);
	f.mem.frame_is_mapped = is_entered;
	ck_assert_int_eq(pthread_create(&other, NULL, map_and_unmap, &f), 0);
	for (round = test_rounds(10 * ROUNDS); round; round--)
		allocate_there(&f, 64 + test_random_below(&seed, NR));
	pthread_join(other, NULL);
	fixture_end(&f);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("tablemem");
	TCase *tables = tcase_create("tables");
	TCase *ranges = tcase_create("ranges");
	TCase *charges = tcase_create("charges");
	TCase *objects = tcase_create("objects");
	TCase *races = tcase_create("races");

#define ADD(tcase, test) tcase_add_loop_test(tcase, test, 0, NR_MODES)
	ADD(tables, a_frame_is_a_table_from_alloc_to_free);
	ADD(tables, a_block_of_the_largest_size_is_held_throughout);
	ADD(tables, every_allocation_fails_once_and_nothing_leaks);
	ADD(tables, memory_from_outside_table_ranges_is_given_back);
	tcase_add_loop_test(
		tables, the_first_page_is_looked_at_before_it_is_used, 0, 3);
	ADD(tables, a_table_given_twice_stays_the_first_ones);
	ADD(tables, a_block_that_is_a_table_in_part_leaves_no_mark);
	ADD(tables,
	    a_block_across_ranges_that_is_a_table_in_part_leaves_no_mark);
	ADD(tables, a_table_given_as_a_page_for_marks_is_not_touched);
	ADD(tables, a_page_for_marks_holds_itself_alone_before_it_is_in_use);
	ADD(tables, tables_are_given_back_many_at_a_time);
	tcase_add_loop_test(tables, tables_are_given_back_in_whatever_order, 0,
			    4 * NR_MODES);
	tcase_add_loop_test(tables,
			    a_row_is_unmarked_before_its_first_is_given_back, 0,
			    2 * NR_MODES);
	ADD(tables, a_host_that_takes_many_tables_gets_them_together);
	ADD(tables, memory_that_is_mapped_is_given_back);
	suite_add_tcase(s, tables);
	ADD(ranges, ranges_may_be_huge);
	ADD(ranges, ranges_may_be_many_unsorted_and_overlap);
	ADD(ranges, only_frames_of_the_ranges_may_become_tables);
	suite_add_tcase(s, ranges);
	tcase_add_test(charges, a_charge_is_exact_against_the_limit);
	tcase_add_test(charges, a_charge_is_exact_for_two_callers_at_once);
	ADD(charges, an_allocation_over_quota_asks_the_host_for_nothing);
	suite_add_tcase(s, charges);
	ADD(objects, objects_are_zeroed_apart_and_give_their_pages_back);
	tcase_add_test(objects, records_of_32_bytes_fill_their_page);
	suite_add_tcase(s, objects);
	ADD(races, two_callers_at_once_get_different_tables);
	ADD(races, a_frame_is_never_mapped_and_a_table);
	suite_add_tcase(s, races);
#undef ADD
	return s;
}

HARNESS_MAIN(suite)
