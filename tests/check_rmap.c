/* SPDX-License-Identifier: BSD-2-Clause */
#include "test_host.h"
#include "test_pace.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/rmap.h"
#include "harness.h"

#define GIB   ((uint64_t)1 << 18) /* frames */
#define MIB_2 ((uint64_t)512)

static const uint32_t modes[] = {
	TEST_HOST_LOCKS,
	TEST_HOST_LOCKS | TEST_HOST_ALLOC,
	TEST_HOST_LOCKS | TEST_HOST_MAP,
};
#define NR_MODES ((int)IA_COUNT(modes))

/* Domains in the order of their numbers; the last is the host. */
enum { A, B, C, D, HOST, NR_DOMAINS };
static const uint16_t numbers[NR_DOMAINS] = { 0, 1, 7, 0x8000, 0xffff };

struct fixture {
	struct test_host *host;
	struct tablemem mem;
	struct rmap rmap;
	struct tablemem_account accounts[NR_DOMAINS];
	struct rmap_owner owners[NR_DOMAINS];
};

static void owners_make(struct fixture *f)
{
	int i;

	for (i = 0; i < NR_DOMAINS; i++) {
		f->accounts[i].cookie = &f->accounts[i];
		f->owners[i].number = numbers[i];
		f->owners[i].host = i == HOST;
		f->owners[i].account = &f->accounts[i];
	}
}

static struct fixture *fixture_new(uint32_t flags)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->host = test_host_new(flags);
	owners_make(f);
	ck_assert_int_eq(tablemem_init(&f->mem, &f->host->hostif), 0);
	ck_assert_int_eq(rmap_init(&f->rmap, &f->mem), 0);
	return f;
}

static void fixture_delete(struct fixture *f)
{
	uint64_t nr = 0;
	int i;

	for (i = 0; i < RMAP_LOCKS; i++)
		nr += f->rmap.trees[i].count + !!f->rmap.trees[i].root;
	ck_assert_uint_eq(nr, 0);
	for (i = 0; i < NR_DOMAINS; i++) {
		ck_assert_uint_eq(f->owners[i].extras, 0);
		ck_assert_uint_eq(f->accounts[i].used, 0);
	}
	rmap_exit(&f->rmap);
	ck_assert_uint_eq(f->rmap.account.used, 0);
	tablemem_exit(&f->mem);
	test_host_delete(f->host);
	free(f);
}

static int claim(struct fixture *f, int domain, uint64_t mfn, uint64_t gfn,
		 uint64_t nr)
{
	const struct rmap_range range = { mfn, gfn, nr, 0 };

	return rmap_claim(&f->rmap, &f->owners[domain], &range);
}

static int claim_foreign(struct fixture *f, int domain, uint64_t mfn,
			 uint64_t gfn, uint64_t nr)
{
	const struct rmap_range range = { mfn, gfn, nr, 1 };

	return rmap_claim(&f->rmap, &f->owners[domain], &range);
}

static int split(struct fixture *f, int domain, uint64_t mfn, uint64_t gfn,
		 uint64_t nr)
{
	const struct rmap_range range = { mfn, gfn, nr, 0 };

	return rmap_split(&f->rmap, &f->owners[domain], &range);
}

static void release(struct fixture *f, int domain, uint64_t mfn, uint64_t gfn,
		    uint64_t nr)
{
	const struct rmap_range range = { mfn, gfn, nr, 0 };

	rmap_release(&f->rmap, &f->owners[domain], &range);
}

/* "number@gfn ..." of a frame, with f and h for its kinds. */
static const char *places_text(struct fixture *f, uint64_t mfn)
{
	static char text[1000];
	struct rmap_place places[32];
	char *end = text;
	uint32_t nr, i;

	nr = rmap_places(&f->rmap, mfn, -1, NULL, places, 32);
	*text = 0;
	for (i = 0; i < nr; i++) {
		hostif_format(end, (size_t)(text + sizeof(text) - end),
			      "%s%u@%llx%s%s", i ? " " : "", places[i].number,
			      (unsigned long long)places[i].gfn,
			      places[i].foreign ? "f" : "",
			      places[i].host ? "h" : "");
		end += strlen(end);
	}
	return text;
}

#define PLACES(f, mfn, text) ck_assert_str_eq(places_text(f, mfn), text)

/* ---- who may have a frame ---- */

START_TEST(a_frame_is_one_domains_but_for_foreign_and_host)
{
	struct fixture *f = fixture_new(modes[_i]);

	ck_assert_int_eq(claim(f, A, 5, 0x10, 1), 0);
	ck_assert_int_eq(claim(f, B, 5, 0x20, 1), IOMMUABS_E_PERM);
	PLACES(f, 5, "0@10");
	ck_assert_int_eq(claim(f, A, 5, 0x11, 1), 0);
	ck_assert_int_eq(claim(f, HOST, 5, 5, 1), 0);
	ck_assert_int_eq(claim_foreign(f, B, 5, 0x20, 1), 0);
	ck_assert_int_eq(claim_foreign(f, A, 5, 0x8, 1), 0);
	PLACES(f, 5, "0@8f 0@10 0@11 1@20f 65535@5h");
	ck_assert_int_eq(claim(f, C, 5, 0x20, 1), IOMMUABS_E_PERM);

	/* It stays so after the first place has gone. */
	release(f, A, 5, 0x10, 1);
	ck_assert_int_eq(claim(f, B, 5, 0x21, 1), IOMMUABS_E_PERM);
	PLACES(f, 5, "0@8f 0@11 1@20f 65535@5h");
	release(f, A, 5, 0x11, 1);
	ck_assert_int_eq(claim(f, B, 5, 0x21, 1), 0);
	PLACES(f, 5, "0@8f 1@20f 1@21 65535@5h");
	ck_assert_int_eq(claim(f, A, 5, 0x9, 1), IOMMUABS_E_PERM);
	release(f, HOST, 5, 5, 1);
	release(f, B, 5, 0x20, 1);
	release(f, B, 5, 0x21, 1);
	release(f, A, 5, 0x8, 1);
	PLACES(f, 5, "");
	fixture_delete(f);
}
END_TEST

/* First place, second place, whether the second is let in. */
START_TEST(only_two_owners_conflict)
{
	static const struct {
		int domain, foreign;
	} kinds[] = { { A, 0 }, { A, 1 }, { B, 0 }, { B, 1 }, { HOST, 0 } };
	struct fixture *f = fixture_new(modes[0]);
	unsigned int first = (unsigned int)_i / 5,
		     second = (unsigned int)_i % 5;
	const struct rmap_range ranges[2] = {
		{ 9, 0x40, 1, (uint32_t)kinds[first].foreign },
		{ 9, 0x41, 1, (uint32_t)kinds[second].foreign },
	};
	bool conflict =
		(first == 0 && second == 2) || (first == 2 && second == 0);
	int st;

	ck_assert_int_eq(rmap_claim(&f->rmap, &f->owners[kinds[first].domain],
				    &ranges[0]),
			 0);
	st = rmap_claim(&f->rmap, &f->owners[kinds[second].domain], &ranges[1]);
	ck_assert_int_eq(st, conflict ? IOMMUABS_E_PERM : 0);
	rmap_release(&f->rmap, &f->owners[kinds[first].domain], &ranges[0]);
	if (!st)
		rmap_release(&f->rmap, &f->owners[kinds[second].domain],
			     &ranges[1]);
	fixture_delete(f);
}
END_TEST

START_TEST(a_claim_that_meets_anothers_frame_changes_nothing)
{
	struct fixture *f = fixture_new(modes[_i]);
	uint64_t base = GIB - MIB_2, i; /* over the border of two locks */

	ck_assert_int_eq(claim(f, HOST, base + 8, base + 8, 20), 0);
	ck_assert_int_eq(claim(f, A, base + 100, 7, 1), 0);
	ck_assert_int_eq(claim(f, B, base + 2 * MIB_2 - 1, 0, 1), 0);
	ck_assert_int_eq(claim(f, A, base, 0x1000, 2 * MIB_2), IOMMUABS_E_PERM);
	for (i = 0; i < 2 * MIB_2; i++) {
		if (i >= 8 && i < 28)
			ck_assert_str_ne(places_text(f, base + i), "");
		else if (i != 100 && i != 2 * MIB_2 - 1)
			PLACES(f, base + i, "");
	}
	PLACES(f, base + 100, "0@7");
	ck_assert_uint_eq(f->owners[A].extras, 0);
	ck_assert_int_eq(claim(f, A, base, 0x1000, 2 * MIB_2 - 1), 0);
	ck_assert_uint_eq(f->owners[A].extras, 21);
	release(f, A, base, 0x1000, 2 * MIB_2 - 1);
	release(f, A, base + 100, 7, 1);
	release(f, B, base + 2 * MIB_2 - 1, 0, 1);
	release(f, HOST, base + 8, base + 8, 20);
	fixture_delete(f);
}
END_TEST

/* What isn't held is let go of: a page that was mapped to look, too. */
START_TEST(only_a_place_of_ones_own_is_held)
{
	const struct rmap_range place = { 5, 0x10, 1, 0 };
	const struct rmap_range other_gfn = { 5, 0x11, 1, 0 };
	struct fixture *f = fixture_new(modes[_i]);
	int64_t maps = f->host->maps;
	uint64_t *held;

	ck_assert_int_eq(claim(f, A, 5, 0x10, 1), 0);
	ck_assert_ptr_null(rmap_hold_one(&f->rmap, &f->owners[B], &place));
	ck_assert_int_eq(f->host->maps, maps);
	ck_assert_ptr_null(rmap_hold_one(&f->rmap, &f->owners[A], &other_gfn));
	ck_assert_int_eq(f->host->maps, maps);
	held = rmap_hold_one(&f->rmap, &f->owners[A], &place);
	ck_assert_ptr_nonnull(held);
	pt_clear_held(&f->rmap.pt, held);
	ck_assert_int_eq(f->host->maps, maps);
	PLACES(f, 5, "");
	fixture_delete(f);
}
END_TEST

START_TEST(a_guest_takes_a_part_of_the_hosts_large_leaf)
{
	struct fixture *f = fixture_new(modes[_i]);

	ck_assert_int_eq(claim(f, HOST, 4 * GIB, 4 * GIB, GIB), 0);
	ck_assert_int_eq(claim(f, A, 4 * GIB + MIB_2, 0x200, MIB_2), 0);
	ck_assert_uint_eq(f->owners[A].extras, MIB_2);
	ck_assert_uint_eq(f->accounts[A].used, 4);
	ck_assert_int_eq(claim(f, B, 4 * GIB + 2 * MIB_2 - 1, 0, 1),
			 IOMMUABS_E_PERM);
	ck_assert_int_eq(claim(f, B, 4 * GIB + 2 * MIB_2, 0, 1), 0);
	PLACES(f, 4 * GIB + MIB_2, "0@200 65535@100200h");
	ck_assert_int_eq(split(f, HOST, 4 * GIB, 4 * GIB, 2 * MIB_2), 0);
	release(f, HOST, 4 * GIB, 4 * GIB, 2 * MIB_2);
	PLACES(f, 4 * GIB + MIB_2, "0@200");
	PLACES(f, 4 * GIB + 2 * MIB_2, "1@0 65535@100400h");
	ck_assert_int_eq(claim(f, B, 4 * GIB, 0x200, 2 * MIB_2),
			 IOMMUABS_E_PERM);
	ck_assert_int_eq(claim(f, B, 4 * GIB, 0x200, MIB_2), 0);
	release(f, B, 4 * GIB, 0x200, MIB_2);
	release(f, B, 4 * GIB + 2 * MIB_2, 0, 1);
	release(f, A, 4 * GIB + MIB_2, 0x200, MIB_2);
	release(f, HOST, 4 * GIB + 2 * MIB_2, 4 * GIB + 2 * MIB_2,
		GIB - 2 * MIB_2);
	fixture_delete(f);
}
END_TEST

/* ---- against an oracle ---- */

#define BASE (GIB - 2048) /* mfns: over the border of two locks */
#define MFNS 4096
#define GFNS 2048

/* mfn - BASE + 1, and FOREIGN, by domain and gfn; 0: nothing. */
#define ORACLE_FOREIGN 0x10000u

struct oracle {
	uint32_t at[NR_DOMAINS][GFNS];
};

static bool oracle_conflicts(const struct oracle *o, int domain, uint64_t mfn,
			     uint64_t nr, uint32_t foreign)
{
	uint64_t g;
	int d;

	if (foreign || domain == HOST)
		return false;
	for (d = 0; d < HOST; d++) {
		for (g = 0; d != domain && g < GFNS; g++) {
			uint32_t at = o->at[d][g];

			if (at && !(at & ORACLE_FOREIGN) &&
			    at - 1 - (mfn - BASE) < nr)
				return true;
		}
	}
	return false;
}

/* All places of all frames are those of the oracle. */
static void oracle_compare(struct fixture *f, const struct oracle *o)
{
	static struct rmap_place wanted[MFNS][NR_DOMAINS * 8], got[40];
	static uint32_t nr[MFNS];
	uint64_t g, m, i;
	int d;

	memset(nr, 0, sizeof(nr));
	for (d = 0; d < NR_DOMAINS; d++) {
		for (g = 0; g < GFNS; g++) {
			uint32_t at = o->at[d][g];

			if (!at)
				continue;
			m = (at & 0xffff) - 1;
			ck_assert_uint_lt(nr[m], IA_COUNT(wanted[m]));
			wanted[m][nr[m]++] =
				(struct rmap_place){ numbers[d],
						     !!(at & ORACLE_FOREIGN),
						     d == HOST, g };
		}
	}
	for (m = 0; m < MFNS; m++) {
		uint64_t found =
			rmap_places(&f->rmap, BASE + m, -1, NULL, got, 40);

		if (found != nr[m])
			ck_abort_msg("frame %llx: %llu places for %u",
				     (unsigned long long)m,
				     (unsigned long long)found, nr[m]);
		for (i = 0; i < found; i++)
			if (got[i].number != wanted[m][i].number ||
			    got[i].gfn != wanted[m][i].gfn ||
			    got[i].foreign != wanted[m][i].foreign ||
			    got[i].host != wanted[m][i].host)
				ck_abort_msg("frame %llx: another place",
					     (unsigned long long)m);
		if (rmap_is_mapped(&f->rmap, BASE + m, 1) != !!nr[m])
			ck_abort_msg("frame %llx: is_mapped()",
				     (unsigned long long)m);
	}
}

/* Frames from @g on that hold consecutive mfns of one kind. */
static uint64_t oracle_run(const uint32_t *at, uint64_t g, uint64_t max)
{
	uint64_t nr = 1;

	while (nr < max && g + nr < GFNS && at[g + nr] == at[g] + nr)
		nr++;
	return nr;
}

static void random_release(struct fixture *f, struct oracle *o, int d,
			   uint64_t g, uint64_t max)
{
	uint64_t nr = oracle_run(o->at[d], g, max);
	const struct rmap_range range = { BASE + (o->at[d][g] & 0xffff) - 1, g,
					  nr, 0 };

	ck_assert_int_eq(rmap_split(&f->rmap, &f->owners[d], &range), 0);
	rmap_release(&f->rmap, &f->owners[d], &range);
	memset(&o->at[d][g], 0, nr * sizeof(o->at[d][g]));
}

static uint64_t places_of(const struct oracle *o, uint64_t m)
{
	uint64_t g, nr = 0;
	int d;

	for (d = 0; d < NR_DOMAINS; d++)
		for (g = 0; g < GFNS; g++)
			nr += (o->at[d][g] & 0xffff) == m + 1;
	return nr;
}

static void random_claim(struct fixture *f, struct oracle *o, int d,
			 const struct rmap_range *range)
{
	bool conflicts =
		oracle_conflicts(o, d, range->mfn, range->nr, range->kind);
	uint64_t i;
	int st;

	for (i = 0; i < range->nr; i++) {
		if (o->at[d][range->gfn + i])
			return;
	}
	/* What the oracle's table of places holds. */
	if (places_of(o, range->mfn - BASE) > 20)
		return;
	st = rmap_claim(&f->rmap, &f->owners[d], range);
	ck_assert_int_eq(st, conflicts ? IOMMUABS_E_PERM : 0);
	for (i = 0; !st && i < range->nr; i++)
		o->at[d][range->gfn + i] =
			(uint32_t)(range->mfn - BASE + i + 1) |
			(range->kind ? ORACLE_FOREIGN : 0);
}

static void random_step(struct fixture *f, struct oracle *o, uint64_t *seed)
{
	static const uint64_t sizes[] = { 1, 1, 1, 3, 64, 300, 512, 512, 1024 };
	uint64_t nr = sizes[test_random_below(seed, IA_COUNT(sizes))];
	uint64_t align = nr % MIB_2 ? 1 : MIB_2;
	int d = (int)test_random_below(seed, NR_DOMAINS);
	struct rmap_range range = {
		.gfn = test_random_below(seed, (GFNS - nr) / align + 1) * align,
		.nr = nr,
		.kind = test_random_below(seed, 4) == 0,
	};

	range.mfn =
		BASE + test_random_below(seed, (MFNS - nr) / align + 1) * align;
	if (o->at[d][range.gfn])
		random_release(f, o, d, range.gfn, nr);
	else
		random_claim(f, o, d, &range);
}

START_TEST(random_changes_agree_with_an_oracle)
{
	struct fixture *f = fixture_new(modes[_i % NR_MODES]);
	struct oracle *o = calloc(1, sizeof(*o));
	uint64_t seed = (uint64_t)_i, step, steps = test_rounds(4000), g;
	int d;

	for (step = 0; step < steps; step++) {
		random_step(f, o, &seed);
		if (step % 16 == 0)
			oracle_compare(f, o);
	}
	for (d = 0; d < NR_DOMAINS; d++) {
		for (g = 0; g < GFNS; g++) {
			if (o->at[d][g])
				random_release(f, o, d, g, GFNS);
		}
	}
	oracle_compare(f, o);
	ck_assert(!rmap_is_mapped(&f->rmap, 0, 4 * GIB));
	free(o);
	fixture_delete(f);
}
END_TEST

/* ---- splitting ---- */

START_TEST(a_part_of_a_large_leaf_can_be_released)
{
	static const struct {
		uint64_t first, nr;
	} cases[] = {
		{ 0, 1 },
		{ GIB - 1, 1 },
		{ 1, GIB - 2 },
		{ MIB_2, MIB_2 },
		{ MIB_2 + 3, MIB_2 },
		{ 3 * MIB_2 + 7, 5 },
		{ 100, 100 * MIB_2 },
		{ 0, GIB },
		{ 5 * MIB_2, GIB - 5 * MIB_2 },
	};
	struct fixture *f = fixture_new(modes[0]);
	uint64_t first = cases[_i].first, nr = cases[_i].nr;
	uint64_t mfn = 8 * GIB, gfn = 2 * GIB, i;

	ck_assert_int_eq(claim(f, A, mfn, gfn, GIB), 0);
	ck_assert_int_eq(split(f, A, mfn + first, gfn + first, nr), 0);
	for (i = 0; i < GIB; i += 511)
		ck_assert(rmap_is_mapped(&f->rmap, mfn + i, 1));
	f->host->fail_at = f->host->allocations + 1; /* none, from here on */
	release(f, A, mfn + first, gfn + first, nr);
	ck_assert(!test_host_failed(f->host));
	for (i = 0; i < GIB; i++) {
		if (rmap_is_mapped(&f->rmap, mfn + i, 1) != (i - first >= nr))
			ck_abort_msg("frame %llx", (unsigned long long)i);
	}
	if (first)
		release(f, A, mfn, gfn, first);
	if (first + nr < GIB)
		release(f, A, mfn + first + nr, gfn + first + nr,
			GIB - first - nr);
	ck_assert(!rmap_is_mapped(&f->rmap, mfn, GIB));
	fixture_delete(f);
}
END_TEST

/* The host has no memory until further notice. */
static int no_memory(void *ctx, void *cookie, unsigned int size_lg2,
		     uint32_t flags, uint64_t *maddr)
{
	(void)ctx;
	(void)cookie;
	(void)size_lg2;
	(void)flags;
	(void)maddr;
	return IOMMUABS_E_NOMEM;
}

/* Leaves of frames that lie otherwise in the guest are as large as others. */
START_TEST(a_range_grows_to_the_leaves_that_it_cuts)
{
	struct fixture *f = fixture_new(modes[_i]);
	struct rmap_range range = { 600, 0x3000 + 88, 400, 0 };
	uint64_t nodes;

	ck_assert_int_eq(claim(f, A, 512, 0x3000, 2 * MIB_2), 0);
	nodes = f->rmap.account.used;
	ck_assert_int_eq(claim(f, A, 512, 0x7123, 2 * MIB_2), 0);
	ck_assert_int_eq(claim(f, A, 4096, 0x5007, MIB_2), 0);
	ck_assert_uint_eq(f->rmap.account.used, nodes);
	PLACES(f, 4096 + 511, "0@5206");
	rmap_grow(&f->rmap, &f->owners[A], &range);
	ck_assert_uint_eq(range.mfn, 512);
	ck_assert_uint_eq(range.gfn, 0x3000);
	ck_assert_uint_eq(range.nr, MIB_2);
	range.nr += 5;
	rmap_grow(&f->rmap, &f->owners[A], &range);
	ck_assert_uint_eq(range.nr, 2 * MIB_2);
	/* Records are of one frame each. */
	range = (struct rmap_range){ 600, 0x7123 + 88, 400, 0 };
	rmap_grow(&f->rmap, &f->owners[A], &range);
	ck_assert_uint_eq(range.mfn, 600);
	ck_assert_uint_eq(range.nr, 400);
	release(f, A, 512, 0x3000, 2 * MIB_2);
	release(f, A, 512, 0x7123, 2 * MIB_2);
	release(f, A, 4096, 0x5007, MIB_2);
	fixture_delete(f);
}
END_TEST

START_TEST(the_reserve_is_enough_for_one_range_and_refilled)
{
	struct fixture *f = fixture_new(modes[_i]);
	struct iommuabs_host *ops = &f->host->hostif.ops;
	uint64_t used;

	ck_assert_int_eq(claim(f, A, GIB, GIB, 3 * GIB), 0);
	ck_assert_int_eq(rmap_reserve_grow(&f->rmap), 0);
	used = f->rmap.account.used;
	ops->table_alloc = no_memory;
	ck_assert_int_eq(split(f, A, GIB + 5, GIB + 5, 2 * GIB), 0);
	ck_assert_uint_eq(f->rmap.account.used, used);
	ck_assert_uint_eq(f->rmap.reserve.nr, 0);
	ck_assert_int_eq(split(f, A, 2 * GIB, 2 * GIB, 5), IOMMUABS_E_NOMEM);
	release(f, A, GIB + 5, GIB + 5, 2 * GIB);

	ops->table_alloc = f->host->ops.table_alloc;
	ck_assert_int_eq(claim(f, A, 64 * GIB, 0, 1), 0);
	ck_assert_uint_eq(f->rmap.reserve.nr, 4);
	release(f, A, 64 * GIB, 0, 1);
	release(f, A, GIB, GIB, 5);
	release(f, A, 3 * GIB + 5, 3 * GIB + 5, GIB - 5);
	rmap_reserve_shrink(&f->rmap);
	ck_assert_uint_eq(f->rmap.reserve.nr, 0);
	fixture_delete(f);
}
END_TEST

START_TEST(a_reserve_shrinks_while_pages_are_missing)
{
	struct fixture *f = fixture_new(modes[_i]);
	struct iommuabs_host *ops = &f->host->hostif.ops;

	ck_assert_int_eq(claim(f, A, GIB, GIB, GIB), 0);
	ck_assert_int_eq(rmap_reserve_grow(&f->rmap), 0);
	ck_assert_int_eq(rmap_reserve_grow(&f->rmap), 0);
	ops->table_alloc = no_memory;
	ck_assert_int_eq(rmap_reserve_grow(&f->rmap), IOMMUABS_E_NOMEM);
	ck_assert_int_eq(split(f, A, GIB, GIB, 5), 0);
	ck_assert_uint_eq(f->rmap.reserve.nr, 6);
	rmap_reserve_shrink(&f->rmap);
	ck_assert_uint_eq(f->rmap.reserve.nr, 4);
	ck_assert_uint_eq(f->rmap.reserve_missing, 0);
	release(f, A, GIB, GIB, GIB);
	fixture_delete(f);
}
END_TEST

/* ---- memory ---- */

static int scenario(struct fixture *f, int *entered)
{
	int st;

	*entered = 0;
	st = rmap_reserve_grow(&f->rmap);
	if (st)
		return st;
	if ((st = claim(f, HOST, GIB, GIB, GIB)))
		return st;
	++*entered;
	if ((st = claim(f, A, GIB + MIB_2, 0, 200)))
		return st;
	++*entered;
	if ((st = claim(f, A, GIB - 3, 0x1000, 6)))
		return st;
	++*entered;
	if ((st = claim_foreign(f, B, GIB - MIB_2, 0x7007, 2 * MIB_2)))
		return st;
	++*entered;
	/* With the host's page missing, the reserve's serves. */
	ck_assert_int_eq(split(f, HOST, GIB + 7, GIB + 7, MIB_2), 0);
	return 0;
}

/* How much of scenario() is there. */
static void scenario_check(struct fixture *f, int entered)
{
	static const char *const expected[][5] = {
		{ "", "", "", "", "" },
		{ "65535@40000h", "", "", "65535@40200h", "65535@402c7h" },
		{ "65535@40000h", "", "", "0@0 65535@40200h",
		  "0@c7 65535@402c7h" },
		{ "0@1003 65535@40000h", "0@1000", "", "0@0 65535@40200h",
		  "0@c7 65535@402c7h" },
		{ "0@1003 1@7207f 65535@40000h", "0@1000 1@7204f", "1@7007f",
		  "0@0 65535@40200h", "0@c7 65535@402c7h" },
	};
	const uint64_t mfns[] = { GIB, GIB - 3, GIB - MIB_2, GIB + MIB_2,
				  GIB + MIB_2 + 199 };
	unsigned int i;

	for (i = 0; i < IA_COUNT(mfns); i++)
		PLACES(f, mfns[i], expected[entered][i]);
}

static void scenario_undo(struct fixture *f, int entered)
{
	if (entered > 3)
		release(f, B, GIB - MIB_2, 0x7007, 2 * MIB_2);
	if (entered > 2)
		release(f, A, GIB - 3, 0x1000, 6);
	if (entered > 1)
		release(f, A, GIB + MIB_2, 0, 200);
	if (entered > 0)
		release(f, HOST, GIB, GIB, GIB);
}

START_TEST(every_allocation_fails_once_and_nothing_changes)
{
	bool failed = true;
	uint64_t n;
	int st, entered;

	for (n = 1; failed; n++) {
		struct fixture *f = fixture_new(modes[_i]);

		test_host_fail_nth(f->host, n);
		st = scenario(f, &entered);
		failed = test_host_failed(f->host);
		if (!failed || entered == 4)
			ck_assert_int_eq(st, 0);
		else
			ck_assert_int_eq(st, IOMMUABS_E_NOMEM);
		scenario_check(f, entered);
		scenario_undo(f, entered);
		fixture_delete(f);
	}
	ck_assert_uint_gt(n, 15);
}
END_TEST

START_TEST(every_allocation_of_init_fails_once)
{
	struct fixture *f = calloc(1, sizeof(*f));
	bool failed = true;
	uint64_t n;
	int st;

	f->host = test_host_new(modes[_i]);
	ck_assert_int_eq(tablemem_init(&f->mem, &f->host->hostif), 0);
	for (n = 1; failed; n++) {
		test_host_fail_nth(f->host, n);
		st = rmap_init(&f->rmap, &f->mem);
		failed = test_host_failed(f->host);
		ck_assert_int_eq(st, failed ? IOMMUABS_E_NOMEM : 0);
		if (!st)
			rmap_exit(&f->rmap);
		ck_assert_uint_eq(f->rmap.account.used, 0);
	}
	ck_assert_uint_gt(n, RMAP_LOCKS + 2);
	tablemem_exit(&f->mem);
	test_host_delete(f->host);
	free(f);
}
END_TEST

START_TEST(further_places_are_charged_to_who_adds_them)
{
	struct fixture *f = fixture_new(modes[_i]);

	ck_assert_int_eq(claim(f, A, 0, 0, 2000), 0);
	ck_assert_uint_eq(f->accounts[A].used, 0);
	f->accounts[B].limit = 2;
	ck_assert_int_eq(claim_foreign(f, B, 0, 0, 257), IOMMUABS_E_QUOTA);
	ck_assert_uint_eq(f->accounts[B].used, 0);
	PLACES(f, 0, "0@0");
	ck_assert_int_eq(claim_foreign(f, B, 0, 0, 1), 0);
	ck_assert_uint_eq(f->accounts[B].used, 1);
	ck_assert_int_eq(claim_foreign(f, B, 1, 1, 127), 0);
	ck_assert_uint_eq(f->accounts[B].used, 1);
	ck_assert_int_eq(claim_foreign(f, B, 128, 128, 128), 0);
	ck_assert_uint_eq(f->accounts[B].used, 2);
	ck_assert_int_eq(claim_foreign(f, B, 256, 256, 1), IOMMUABS_E_QUOTA);
	release(f, B, 0, 0, 129);
	ck_assert_uint_eq(f->accounts[B].used, 1);
	release(f, B, 129, 129, 127);
	ck_assert_uint_eq(f->accounts[B].used, 0);
	release(f, A, 0, 0, 2000);
	fixture_delete(f);
}
END_TEST

START_TEST(a_quota_of_the_nodes_is_no_quota_of_a_domain)
{
	struct fixture *f = fixture_new(modes[_i]);

	f->rmap.account.limit = f->rmap.account.used + 3;
	ck_assert_int_eq(claim(f, A, 1, 1, 1), IOMMUABS_E_NOMEM);
	f->rmap.account.limit++;
	ck_assert_int_eq(claim(f, A, 1, 1, 1), 0);
	release(f, A, 1, 1, 1);
	fixture_delete(f);
}
END_TEST

START_TEST(huge_pages_cost_a_tenth_of_a_byte_per_frame)
{
	struct fixture *f = fixture_new(modes[0]);
	uint64_t nr = 16 * GIB;

	/* Leaves of 1 GiB, then of 2 MiB. */
	ck_assert_int_eq(claim(f, A, 16 * GIB, GIB, nr), 0);
	ck_assert_uint_le(f->rmap.account.used * 4096 * 10, nr);
	ck_assert_int_eq(claim(f, B, 64 * GIB, GIB + MIB_2, nr), 0);
	ck_assert_uint_le(f->rmap.account.used * 4096 * 10, 2 * nr);
	release(f, A, 16 * GIB, GIB, nr);
	release(f, B, 64 * GIB, GIB + MIB_2, nr);
	fixture_delete(f);
}
END_TEST

START_TEST(scattered_frames_cost_8_bytes_however_many_domains)
{
	struct fixture *f = fixture_new(modes[0]);
	uint64_t i, nr = GIB / 4, mfn = 3 * GIB;

	for (i = 0; i < nr; i++)
		ck_assert_int_eq(
			claim(f, (int)(i % 4), mfn + i * 17 % nr, nr - i, 1),
			0);
	/* The upper nodes are few and the same for much more memory. */
	ck_assert_uint_le((f->rmap.account.used - 4) * 4096 * 10, nr * 82);
	for (i = 0; i < nr; i++)
		release(f, (int)(i % 4), mfn + i * 17 % nr, nr - i, 1);
	ck_assert(!rmap_is_mapped(&f->rmap, 0, 64 * GIB));
	fixture_delete(f);
}
END_TEST

START_TEST(a_further_place_costs_32_bytes)
{
	struct fixture *f = fixture_new(modes[0]);
	uint64_t used, nr = 127 * 100;

	ck_assert_int_eq(claim(f, A, 0, 0, nr), 0);
	used = f->mem.account.used;
	ck_assert_uint_eq(sizeof(struct rmap_extra), 32);
	ck_assert_int_eq(claim(f, A, 0, GIB, nr), 0);
	ck_assert_uint_eq(f->mem.account.used, used + 100);
	ck_assert_uint_eq(f->accounts[A].used, (nr + 127) / 128);
	release(f, A, 0, GIB, nr);
	ck_assert_uint_eq(f->mem.account.used, used);
	release(f, A, 0, 0, nr);
	fixture_delete(f);
}
END_TEST

/* ---- asking ---- */

START_TEST(places_can_be_asked_for_a_few_at_a_time)
{
	struct fixture *f = fixture_new(modes[0]);
	struct rmap_place all[64], some[64], *after = NULL;
	uint32_t max = (uint32_t)_i + 1, nr = 0, got, i;
	uint64_t seed = 3;

	for (i = 0; i < 40; i++)
		ck_assert_int_eq(
			claim_foreign(
				f, (int)(i % NR_DOMAINS), 77,
				test_random_below(&seed, 1 << 20) * 64 + i, 1),
			0);
	ck_assert_uint_eq(rmap_places(&f->rmap, 77, -1, NULL, all, 64), 40);
	do {
		got = rmap_places(&f->rmap, 77, -1, after, some + nr, max);
		ck_assert_uint_le(got, max);
		nr += got;
		after = &some[nr - 1];
	} while (got);
	ck_assert_uint_eq(nr, 40);
	for (i = 0; i < 40; i++) {
		ck_assert_uint_eq(all[i].number, some[i].number);
		ck_assert_uint_eq(all[i].gfn, some[i].gfn);
		ck_assert(!i || all[i - 1].number < all[i].number ||
			  (all[i - 1].number == all[i].number &&
			   all[i - 1].gfn < all[i].gfn));
	}
	for (i = 0; i < 40; i++) {
		int d = 0;

		while (numbers[d] != all[i].number)
			d++;
		release(f, d, 77, all[i].gfn, 1);
	}
	fixture_delete(f);
}
END_TEST

START_TEST(places_of_one_domain_only)
{
	struct fixture *f = fixture_new(modes[0]);
	struct rmap_place place, after = { .number = 0, .gfn = 3 };

	ck_assert_int_eq(claim(f, B, 9, 4, 1), 0);
	ck_assert_int_eq(claim(f, B, 9, 6, 1), 0);
	ck_assert_int_eq(claim_foreign(f, A, 9, 5, 1), 0);
	ck_assert_int_eq(claim_foreign(f, C, 9, 1, 1), 0);
	ck_assert_uint_eq(rmap_places(&f->rmap, 9, 1, &after, &place, 1), 1);
	ck_assert(place.number == 1 && place.gfn == 4 && !place.foreign);
	ck_assert_uint_eq(rmap_places(&f->rmap, 9, 1, &place, &place, 1), 1);
	ck_assert(place.number == 1 && place.gfn == 6);
	ck_assert_uint_eq(rmap_places(&f->rmap, 9, 1, &place, &place, 1), 0);
	ck_assert_uint_eq(rmap_places(&f->rmap, 9, 2, NULL, &place, 1), 0);
	ck_assert_uint_eq(rmap_places(&f->rmap, 9, 7, NULL, &place, 1), 1);
	ck_assert_uint_eq(rmap_places(&f->rmap, 9, -1, NULL, &place, 0), 0);
	release(f, C, 9, 1, 1);
	release(f, A, 9, 5, 1);
	release(f, B, 9, 6, 1);
	release(f, B, 9, 4, 1);
	fixture_delete(f);
}
END_TEST

START_TEST(the_largest_frame_numbers_are_kept)
{
	struct fixture *f = fixture_new(modes[0]);
	uint64_t last = ((uint64_t)1 << 40) - 1;

	ck_assert_int_eq(claim(f, HOST, last, last, 1), 0);
	ck_assert_int_eq(claim(f, HOST, last, last - 1, 1), 0);
	PLACES(f, last, "65535@fffffffffeh 65535@ffffffffffh");
	release(f, HOST, last, last, 1);
	release(f, HOST, last, last - 1, 1);
	ck_assert(!rmap_is_mapped(&f->rmap, last, 1));
	fixture_delete(f);
}
END_TEST

static bool frame_is_mapped(void *arg, uint64_t mfn, uint64_t nr)
{
	return rmap_is_mapped(arg, mfn, nr);
}

START_TEST(a_mapped_frame_does_not_become_a_table)
{
	struct fixture *f = fixture_new(modes[_i]);
	struct tablemem_account account = { 0 };
	uint64_t mfn = TEST_HOST_MFN + 100, maddr;

	f->mem.frame_is_mapped = frame_is_mapped;
	f->mem.arg = &f->rmap;
	ck_assert_int_eq(claim(f, A, mfn, 0, 1), 0);
	ck_assert_int_eq(claim(f, A, mfn, 1, 1), 0);
	f->host->hint = 100;
	ck_assert_int_eq(tablemem_alloc(&f->mem, &account, 12, 0, &maddr),
			 IOMMUABS_E_NOMEM);
	release(f, A, mfn, 0, 1);
	f->host->hint = 100;
	ck_assert_int_eq(tablemem_alloc(&f->mem, &account, 12, 0, &maddr),
			 IOMMUABS_E_NOMEM);
	release(f, A, mfn, 1, 1);
	f->host->hint = 100;
	ck_assert_int_eq(tablemem_alloc(&f->mem, &account, 12, 0, &maddr), 0);
	ck_assert_uint_eq(maddr >> 12, mfn);
	tablemem_free(&f->mem, &account, maddr, 12);
	fixture_delete(f);
}
END_TEST

/* ---- races ---- */

#define RACED 4096 /* frames per meeting of the two threads */

struct race {
	struct fixture *f;
	uint64_t rounds;
	struct pace pace;
	int st[2][RACED];
	bool foreign; /* a FOREIGN place goes away at the same time */
};

struct racer {
	struct race *race;
	uint32_t index;
};

static void run_both(struct race *race, void *(*racer)(void *))
{
	struct racer racers[2] = { { race, 0 }, { race, 1 } };
	pthread_t other;

	ck_assert_int_eq(pthread_create(&other, NULL, racer, &racers[1]), 0);
	racer(&racers[0]);
	pthread_join(other, NULL);
}

static uint64_t raced_mfn(unsigned int i)
{
	return GIB - RACED / 2 + i;
}

/* Between two meetings, by one thread: one has won each frame, and has it. */
static void judge(struct race *race)
{
	struct fixture *f = race->f;
	unsigned int i;

	for (i = 0; i < RACED; i++) {
		int winner = race->st[0][i] ? 1 : 0;
		struct rmap_place places[2];

		if (race->st[winner][i] ||
		    race->st[!winner][i] != IOMMUABS_E_PERM ||
		    rmap_places(&f->rmap, raced_mfn(i), -1, NULL, places, 2) !=
			    1 ||
		    places[0].number != numbers[winner])
			test_host_violation(f->host, "%d and %d",
					    race->st[0][i], race->st[1][i]);
		release(f, winner, raced_mfn(i), 0x10000 + i, 1);
		if (race->foreign &&
		    claim_foreign(f, C, raced_mfn(i), 0x20000 + i, 1))
			test_host_violation(f->host, "foreign");
	}
}

static void *race_for_frames(void *arg)
{
	struct racer *me = arg;
	struct race *race = me->race;
	uint64_t round;
	unsigned int i;

	for (round = race->rounds; round; round--) {
		meet(&race->pace);
		for (i = 0; i < RACED; i++) {
			keep_pace(&race->pace, me->index, i);
			if (race->foreign && (i & 1) == me->index)
				release(race->f, C, raced_mfn(i), 0x20000 + i,
					1);
			race->st[me->index][i] =
				claim(race->f, (int)me->index, raced_mfn(i),
				      0x10000 + i, 1);
		}
		pace_reset(&race->pace, me->index);
		meet(&race->pace);
		if (!me->index)
			judge(race);
	}
	return NULL;
}

START_TEST(of_two_claimants_exactly_one_wins)
{
	struct race race = {
		.f = fixture_new(_i & 1 ? 0 : modes[0]),
		.rounds = test_rounds(200000) / RACED + 1,
		.foreign = _i >= 2,
	};
	unsigned int i;

	for (i = 0; race.foreign && i < RACED; i++)
		ck_assert_int_eq(
			claim_foreign(race.f, C, raced_mfn(i), 0x20000 + i, 1),
			0);
	run_both(&race, race_for_frames);
	for (i = 0; race.foreign && i < RACED; i++)
		release(race.f, C, raced_mfn(i), 0x20000 + i, 1);
	fixture_delete(race.f);
}
END_TEST

/* A always has the frame at one gfn at least, and B never. */
static void *move_or_intrude(void *arg)
{
	struct racer *me = arg;
	struct fixture *f = me->race->f;
	struct rmap_place place;
	uint64_t round;
	int st;

	for (round = 0; round < me->race->rounds; round++) {
		if (me->index) {
			st = claim(f, B, 77, 5, 1);
			if (st != IOMMUABS_E_PERM)
				test_host_violation(f->host, "B got %d", st);
			if (!st)
				release(f, B, 77, 5, 1);
			continue;
		}
		st = claim(f, A, 77, (round + 1) % 3, 1);
		if (st)
			test_host_violation(f->host, "A got %d", st);
		if (rmap_places(&f->rmap, 77, numbers[B], NULL, &place, 1))
			test_host_violation(f->host, "B is shown");
		release(f, A, 77, round % 3, 1);
	}
	return NULL;
}

START_TEST(an_owner_of_two_places_is_never_without_its_frame)
{
	struct race race = {
		.f = fixture_new(_i ? 0 : modes[0]),
		.rounds = test_rounds(200000),
	};

	ck_assert_int_eq(claim(race.f, A, 77, 0, 1), 0);
	run_both(&race, move_or_intrude);
	release(race.f, A, 77, race.rounds % 3, 1);
	fixture_delete(race.f);
}
END_TEST

/* Neighbours in one node: each claims every other run of 8 frames. */
static void *be_neighbours(void *arg)
{
	struct racer *me = arg;
	struct fixture *f = me->race->f;
	uint64_t round, i, mfn;

	for (round = 0; round < me->race->rounds; round++) {
		mfn = (round * 2 + 1) * GIB; /* new nodes each time */
		meet(&me->race->pace);
		for (i = me->index * 8; i < 2 * MIB_2; i += 16) {
			if (claim(f, (int)me->index, mfn + i, 0x5000 + i, 8))
				test_host_violation(f->host, "refused");
		}
		for (i = me->index * 8; i < 2 * MIB_2; i += 16)
			release(f, (int)me->index, mfn + i, 0x5000 + i, 8);
	}
	return NULL;
}

START_TEST(neighbours_do_not_disturb_each_other)
{
	struct race race = {
		.f = fixture_new(modes[_i]),
		.rounds = test_rounds(1000),
	};

	run_both(&race, be_neighbours);
	ck_assert(!rmap_is_mapped(&race.f->rmap, 0, 3000 * GIB));
	fixture_delete(race.f);
}
END_TEST

/* Both take pieces out of the same leaf of 1 GiB. */
static void *cut_one_leaf(void *arg)
{
	struct racer *me = arg;
	struct fixture *f = me->race->f;
	uint64_t round, i, mfn;

	for (round = 0; round < me->race->rounds; round++) {
		mfn = (round * 2 + 2) * GIB;
		if (!me->index && claim(f, A, mfn, 0, GIB))
			test_host_violation(f->host, "refused");
		meet(&me->race->pace);
		for (i = me->index; i < 32; i += 2) {
			uint64_t at = i * (GIB / 32);

			if (split(f, A, mfn + at, at, GIB / 32))
				test_host_violation(f->host, "no split");
			release(f, A, mfn + at, at, GIB / 32);
		}
		meet(&me->race->pace);
		if (!me->index && rmap_is_mapped(&f->rmap, mfn, GIB))
			test_host_violation(f->host, "something is left");
	}
	return NULL;
}

START_TEST(two_callers_take_pieces_out_of_one_leaf)
{
	struct race race = {
		.f = fixture_new(modes[_i]),
		.rounds = test_rounds(1000),
	};

	run_both(&race, cut_one_leaf);
	fixture_delete(race.f);
}
END_TEST

/*
 * One thread claims; at the n-th moment that it is done with a node, under the
 * lock or not, another one acts, to its end or until it waits for the lock.
 */
static struct {
	struct fixture *f;
	void (*act)(struct fixture *f);
	uint32_t left; /* moments until then */
	uint32_t done; /* atomic */
	int st;	       /* what the other's claim gave */
	pthread_t other, first;
	void (*table_unmap)(void *ctx, void *page);
} moment;

static void *act(void *arg)
{
	(void)arg;
	moment.act(moment.f);
	port_store32(&moment.done, 1);
	return NULL;
}

static void unmap_and_act(void *ctx, void *page)
{
	unsigned int ms;

	moment.table_unmap(ctx, page);
	if (!pthread_equal(pthread_self(), moment.first) || !moment.left ||
	    --moment.left)
		return;
	pthread_create(&moment.other, NULL, act, NULL);
	for (ms = 0; ms < 20 && !port_load32(&moment.done); ms++)
		usleep(1000);
}

/* Returns what @domain's claim gave. */
static int claim_with_act(struct fixture *f, int domain, uint32_t n,
			  void (*what)(struct fixture *f))
{
	int st;

	moment.f = f;
	moment.act = what;
	moment.left = n;
	moment.done = 0;
	moment.first = pthread_self();
	moment.table_unmap = f->host->ops.table_unmap;
	f->host->hostif.ops.table_unmap = unmap_and_act;
	st = claim(f, domain, 77, 0x77, 1);
	if (!moment.left)
		pthread_join(moment.other, NULL);
	f->host->hostif.ops.table_unmap = moment.table_unmap;
	return st;
}

static void foreign_goes_and_b_claims(struct fixture *f)
{
	release(f, C, 77, 0xc, 1);
	moment.st = claim(f, B, 77, 0xb, 1);
}

START_TEST(a_claim_at_any_moment_of_anothers_gives_one_winner)
{
	struct fixture *f = fixture_new(TEST_HOST_LOCKS | TEST_HOST_MAP);
	uint32_t n;
	int st;

	for (n = 1; n == 1 || !moment.left; n++) {
		ck_assert_int_eq(claim_foreign(f, C, 77, 0xc, 1), 0);
		st = claim_with_act(f, A, n, foreign_goes_and_b_claims);
		if (moment.left)
			foreign_goes_and_b_claims(f);
		ck_assert_msg(!st != !moment.st, "moment %u: %d and %d", n, st,
			      moment.st);
		PLACES(f, 77, st ? "1@b" : "0@77");
		if (st)
			release(f, B, 77, 0xb, 1);
		else
			release(f, A, 77, 0x77, 1);
	}
	ck_assert_uint_gt(n, 10);
	fixture_delete(f);
}
END_TEST

static void b_moves(struct fixture *f)
{
	moment.st = claim(f, B, 77, 2, 1);
	release(f, B, 77, 1, 1);
}

START_TEST(an_owner_may_move_at_any_moment_of_anothers_claim)
{
	struct fixture *f = fixture_new(TEST_HOST_LOCKS | TEST_HOST_MAP);
	uint32_t n;

	for (n = 1; n == 1 || !moment.left; n++) {
		ck_assert_int_eq(claim(f, B, 77, 1, 1), 0);
		ck_assert_int_eq(claim_with_act(f, A, n, b_moves),
				 IOMMUABS_E_PERM);
		if (moment.left)
			b_moves(f);
		ck_assert_msg(!moment.st, "moment %u: %d", n, moment.st);
		PLACES(f, 77, "1@2");
		release(f, B, 77, 2, 1);
	}
	ck_assert_uint_gt(n, 10);
	fixture_delete(f);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("rmap");
	TCase *owners = tcase_create("owners");
	TCase *oracle = tcase_create("oracle");
	TCase *splits = tcase_create("splits");
	TCase *memory = tcase_create("memory");
	TCase *asking = tcase_create("asking");
	TCase *races = tcase_create("races");

#define ADD(tcase, test) tcase_add_loop_test(tcase, test, 0, NR_MODES)
	ADD(owners, a_frame_is_one_domains_but_for_foreign_and_host);
	tcase_add_loop_test(owners, only_two_owners_conflict, 0, 25);
	ADD(owners, a_claim_that_meets_anothers_frame_changes_nothing);
	ADD(owners, only_a_place_of_ones_own_is_held);
	ADD(owners, a_guest_takes_a_part_of_the_hosts_large_leaf);
	suite_add_tcase(s, owners);
	tcase_add_loop_test(oracle, random_changes_agree_with_an_oracle, 0, 6);
	suite_add_tcase(s, oracle);
	tcase_add_loop_test(splits, a_part_of_a_large_leaf_can_be_released, 0,
			    9);
	ADD(splits, a_range_grows_to_the_leaves_that_it_cuts);
	ADD(splits, the_reserve_is_enough_for_one_range_and_refilled);
	ADD(splits, a_reserve_shrinks_while_pages_are_missing);
	suite_add_tcase(s, splits);
	ADD(memory, every_allocation_fails_once_and_nothing_changes);
	ADD(memory, every_allocation_of_init_fails_once);
	ADD(memory, further_places_are_charged_to_who_adds_them);
	ADD(memory, a_quota_of_the_nodes_is_no_quota_of_a_domain);
	tcase_add_test(memory, huge_pages_cost_a_tenth_of_a_byte_per_frame);
	tcase_add_test(memory,
		       scattered_frames_cost_8_bytes_however_many_domains);
	tcase_add_test(memory, a_further_place_costs_32_bytes);
	suite_add_tcase(s, memory);
	tcase_add_loop_test(asking, places_can_be_asked_for_a_few_at_a_time, 0,
			    8);
	tcase_add_test(asking, places_of_one_domain_only);
	tcase_add_test(asking, the_largest_frame_numbers_are_kept);
	ADD(asking, a_mapped_frame_does_not_become_a_table);
	suite_add_tcase(s, asking);
	tcase_add_test(races,
		       a_claim_at_any_moment_of_anothers_gives_one_winner);
	tcase_add_test(races,
		       an_owner_may_move_at_any_moment_of_anothers_claim);
	tcase_add_loop_test(races, of_two_claimants_exactly_one_wins, 0, 4);
	tcase_add_loop_test(
		races, an_owner_of_two_places_is_never_without_its_frame, 0, 2);
	ADD(races, neighbours_do_not_disturb_each_other);
	ADD(races, two_callers_take_pieces_out_of_one_leaf);
	suite_add_tcase(s, races);
#undef ADD
	return s;
}

HARNESS_MAIN(suite)
