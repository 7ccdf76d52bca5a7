/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bad input to the calls on instances, units, devices, frames and faults: the
 * documented error, and nothing changed.
 */
#include "test_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/api_struct.h"

#define ALL_ONES ((uint64_t)-1)

/* ---- structs that cross the API ---- */

struct known {
	uint32_t size, a;
	uint64_t b;
};

struct newer {
	struct known known;
	uint64_t c;
};

START_TEST(a_short_struct_has_a_zero_tail)
{
	struct known from = { .size = 8, .a = 1, .b = 2 }, to;

	ck_assert_int_eq(api_struct_in(&to, sizeof(to), &from), 0);
	ck_assert_uint_eq(to.size, sizeof(to));
	ck_assert_uint_eq(to.a, 1);
	ck_assert_uint_eq(to.b, 0);
}
END_TEST

START_TEST(a_long_struct_must_have_a_zero_tail)
{
	struct newer from = { { sizeof(from), 1, 2 }, 0 };
	struct known to;

	ck_assert_int_eq(api_struct_in(&to, sizeof(to), &from), 0);
	ck_assert_uint_eq(to.size, sizeof(to));
	ck_assert_uint_eq(to.b, 2);
	from.c = 1;
	to.a = 77;
	ck_assert_int_eq(api_struct_in(&to, sizeof(to), &from),
			 IOMMUABS_E_VERSION);
	ck_assert_uint_eq(to.a, 77);
}
END_TEST

START_TEST(a_struct_without_a_size_is_invalid)
{
	static const uint32_t sizes[] = { 0, 3, API_STRUCT_MAX + 1,
					  0xffffffff };
	struct known from = { .size = sizes[_i] }, to;

	ck_assert_int_eq(api_struct_in(&to, sizeof(to), &from),
			 IOMMUABS_E_INVAL);
	ck_assert_int_eq(api_struct_check(&from), IOMMUABS_E_INVAL);
}
END_TEST

START_TEST(the_longest_struct_is_taken)
{
	union {
		struct known known;
		char bytes[API_STRUCT_MAX];
	} from = { .bytes = { 0 } };
	struct known to;

	from.known.size = sizeof(from);
	from.known.b = 2;
	ck_assert_int_eq(api_struct_check(&from), 0);
	ck_assert_int_eq(api_struct_in(&to, sizeof(to), &from), 0);
	ck_assert_uint_eq(to.b, 2);
}
END_TEST

START_TEST(an_answer_fills_what_the_caller_has)
{
	const struct known answer = { sizeof(answer), 1, 2 };
	struct newer to = { { sizeof(to), 7, 7 }, 7 };

	api_struct_out(&to, &answer, sizeof(answer));
	ck_assert_uint_eq(to.known.size, sizeof(to));
	ck_assert_uint_eq(to.known.a, 1);
	ck_assert_uint_eq(to.known.b, 2);
	ck_assert_uint_eq(to.c, 0);
	to = (struct newer){ { 8, 7, 7 }, 7 };
	api_struct_out(&to, &answer, sizeof(answer));
	ck_assert_uint_eq(to.known.size, 8);
	ck_assert_uint_eq(to.known.a, 1);
	ck_assert_uint_eq(to.known.b, 7);
}
END_TEST

/* ---- instances ---- */

/* What the log says of each. */
static const char *const host_spoilt[] = {
	"table_alloc is NULL",
	"table_free is NULL",
	"time_us is NULL",
	"of table_map and table_unmap",
	"of table_map and table_unmap",
	"table_map without alloc and free",
	"of alloc and free",
	"of alloc and free",
	"of the four hooks for locks",
	"of the four hooks for locks",
	"of the four hooks for locks",
	"of the four hooks for locks",
	"of mmio_read and mmio_write",
	"mmio_unmap without mmio_map",
	"no table_ranges",
	"no table_ranges",
	"an unknown flag",
	"refused",
	"X2APIC without HOST_REMAPS_IRQS",
};

static void host_spoil(struct iommuabs_host *host, int how)
{
	switch (how) {
	case 0:
		host->table_alloc = NULL;
		break;
	case 1:
		host->table_free = NULL;
		break;
	case 2:
		host->time_us = NULL;
		break;
	case 3:
		host->table_map = NULL;
		break;
	case 4:
		host->table_unmap = NULL;
		break;
	case 5: /* with table_map, small objects can't be cut from pages */
		host->alloc = NULL;
		host->free = NULL;
		break;
	case 6:
		host->alloc = NULL;
		break;
	case 7:
		host->free = NULL;
		break;
	case 8:
		host->lock = NULL;
		break;
	case 9:
		host->unlock = NULL;
		break;
	case 10:
		host->lock_create = NULL;
		break;
	case 11:
		host->lock_destroy = NULL;
		break;
	case 12:
		host->mmio_read =
			(uint64_t(*)(void *, uint64_t, unsigned int))1;
		break;
	case 13:
		host->mmio_unmap = (void (*)(void *, void *, uint64_t))1;
		break;
	case 14:
		host->nr_table_ranges = 0;
		break;
	case 15:
		host->table_ranges = NULL;
		break;
	case 16: /* unknown; of no use without the other */
	case 18:
		host->flags = how == 16 ? 1u << 2 : IOMMUABS_HOST_X2APIC;
		break;
	case 17:
		host->size = 0;
		break;
	}
}

START_TEST(an_unusable_host_is_refused)
{
	struct test_host *host = test_host_new(TEST_HOST_LOCKS | TEST_HOST_MAP);
	struct iommuabs *abs = NULL;

	COVERS(iommuabs_create, E_INVAL);
	host_spoil(&host->ops, _i);
	ck_assert_int_eq(iommuabs_create(&host->ops, host, &abs),
			 IOMMUABS_E_INVAL);
	ck_assert_ptr_null(abs);
	ck_assert_uint_eq(host->allocations, 0);
	/* Without a size there is no hook to tell it. */
	ck_assert_int_eq(test_host_logged(host, host_spoilt[_i]),
			 host->ops.size != 0);
	test_host_delete(host);
}
END_TEST

#define PIB_FRAMES    ((uint64_t)1 << 38)
#define MIB128_FRAMES ((uint64_t)1 << 15)

START_TEST(a_table_range_must_not_wrap_or_be_too_large)
{
	static const struct {
		struct iommuabs_range range;
		const char *logged;
	} cases[] = {
		{ { { 0x100 }, 0 }, "empty or wraps" },
		{ { { (uint64_t)1 << 52 }, 1 }, "empty or wraps" },
		{ { { 1 }, (uint64_t)1 << 52 }, "empty or wraps" },
		{ { { 0x100 }, ALL_ONES }, "empty or wraps" },
		{ { { ALL_ONES }, 2 }, "empty or wraps" },
		{ { { 0 }, (uint64_t)1 << 52 }, "too large (1 PiB)" },
		{ { { 0x100 }, PIB_FRAMES }, "too large (1 PiB)" },
		{ { { 0 }, PIB_FRAMES - MIB128_FRAMES + 1 }, "too large" },
	};
	struct test_host *host = test_host_new(0);
	struct iommuabs_range ranges[2] = { host->range, cases[_i].range };
	struct iommuabs *abs = NULL;

	host->ops.table_ranges = ranges;
	host->ops.nr_table_ranges = 2;
	ck_assert_int_eq(iommuabs_create(&host->ops, host, &abs),
			 IOMMUABS_E_INVAL);
	ck_assert_ptr_null(abs);
	ck_assert(test_host_logged(host, cases[_i].logged));
	ck_assert_uint_eq(host->allocations, 0);
	/* As large as can be: not refused for that. */
	ranges[1] = (struct iommuabs_range){ IOMMUABS_MFN(1),
					     PIB_FRAMES - MIB128_FRAMES };
	ck_assert_int_eq(iommuabs_create(&host->ops, host, &abs), 0);
	ck_assert_int_eq(iommuabs_destroy(abs), 0);
	test_host_delete(host);
}
END_TEST

START_TEST(create_wants_all_of_its_arguments)
{
	struct test_host *host = test_host_new(0);
	struct iommuabs *abs;

	ck_assert_int_eq(iommuabs_create(NULL, host, &abs), IOMMUABS_E_INVAL);
	ck_assert_int_eq(iommuabs_create(&host->ops, host, NULL),
			 IOMMUABS_E_INVAL);
	test_host_delete(host);
}
END_TEST

START_TEST(a_newer_host_is_taken_if_it_asks_for_nothing_new)
{
	struct {
		struct iommuabs_host known;
		uint64_t more;
	} newer;
	struct test_host *host = test_host_new(0);
	struct iommuabs *abs = NULL;

	COVERS(iommuabs_create, E_VERSION);
	memset(&newer, 0, sizeof(newer));
	newer.known = host->ops;
	newer.known.size = sizeof(newer);
	newer.more = 1;
	ck_assert_int_eq(iommuabs_create(&newer.known, host, &abs),
			 IOMMUABS_E_VERSION);
	ck_assert_ptr_null(abs);
	newer.more = 0;
	ck_assert_int_eq(iommuabs_create(&newer.known, host, &abs), 0);
	ck_assert_int_eq(iommuabs_destroy(abs), 0);
	test_host_delete(host);
}
END_TEST

/* Every allocation of create and of a unit, failed one by one. */
START_TEST(create_without_memory_leaves_nothing)
{
	static const uint32_t flags[] = { 0, TEST_HOST_LOCKS, TEST_HOST_ALLOC,
					  TEST_HOST_MAP };
	struct test_host *host = test_host_new(flags[_i]);
	struct iommuabs *abs;
	unsigned int n = 0;
	int ret;

	COVERS(iommuabs_create, E_NOMEM);
	for (;;) {
		test_host_fail_nth(host, ++n);
		abs = NULL;
		ret = iommuabs_create(&host->ops, host, &abs);
		if (!test_host_failed(host))
			break;
		ck_assert_int_eq(ret, IOMMUABS_E_NOMEM);
		ck_assert_ptr_null(abs);
		ck_assert_int_eq(host->tables, 0);
		ck_assert_int_eq(host->objects, 0);
		ck_assert_int_eq(host->locks, 0);
	}
	test_host_fail_nth(host, 0);
	ck_assert_uint_gt(n, 2);
	ck_assert_int_eq(ret, 0);
	ck_assert_int_eq(iommuabs_destroy(abs), 0);
	test_host_delete(host);
}
END_TEST

START_TEST(calls_on_no_instance_are_invalid)
{
	struct iommuabs_unit_desc unit_desc = { .size = sizeof(unit_desc) };
	struct iommuabs_unit *unit;

	COVERS(iommuabs_destroy, E_INVAL);
	COVERS(iommuabs_start, E_INVAL);
	COVERS(iommuabs_stop, E_INVAL);
	COVERS(iommuabs_dump, E_INVAL);
	ck_assert_int_eq(iommuabs_destroy(NULL), IOMMUABS_E_INVAL);
	ck_assert_int_eq(iommuabs_start(NULL), IOMMUABS_E_INVAL);
	ck_assert_int_eq(iommuabs_stop(NULL), IOMMUABS_E_INVAL);
	ck_assert_int_eq(iommuabs_dump(NULL, IOMMUABS_DUMP_ALL),
			 IOMMUABS_E_INVAL);
	ck_assert_int_eq(iommuabs_unit_add(NULL, &unit_desc, &unit),
			 IOMMUABS_E_INVAL);
	ck_assert_ptr_null(iommuabs_unit_next(NULL, NULL));
	ck_assert_ptr_null(iommuabs_device_next(NULL, NULL));
}
END_TEST

/* What a create is given, and what is only handed back, may be gone or nothing. */
START_TEST(what_create_was_given_may_go_at_once)
{
	struct test_host *host = test_host_new(TEST_HOST_LOCKS);
	struct iommuabs_range range = host->range;
	struct iommuabs_host ops = host->ops;
	struct iommuabs_p2m p2m = { .size = sizeof(p2m) };
	struct iommuabs_domain_config config = {
		.size = sizeof(config),
		.p2m = &p2m,
		.cookie = (void *)1, /* never read */
	};
	struct iommuabs_domain *dom, *bare;
	struct iommuabs *abs;

	ops.table_ranges = &range;
	ck_assert_int_eq(iommuabs_create(&ops, host, &abs), 0);
	memset(&ops, 0xff, sizeof(ops));
	memset(&range, 0xff, sizeof(range));
	ck_assert_int_eq(iommuabs_domain_create(abs, &config, &dom), 0);
	memset(&p2m, 0xff, sizeof(p2m));
	config.p2m = NULL;
	config.cookie = NULL;
	ck_assert_int_eq(iommuabs_domain_create(abs, &config, &bare), 0);
	memset(&config, 0xff, sizeof(config));
	ck_assert_int_eq(iommuabs_domain_map(dom, IOMMUABS_GFN(1),
					     IOMMUABS_MFN(0x5000), 600,
					     IOMMUABS_READ, NULL),
			 0);
	ck_assert_int_eq(iommuabs_domain_destroy(dom, 0), 0);
	ck_assert_int_eq(iommuabs_domain_destroy(bare, 0), 0);
	ck_assert_int_eq(iommuabs_destroy(abs), 0);
	test_host_delete(host);
}
END_TEST

START_TEST(a_start_without_units_is_remarked_on)
{
	struct test_host *host = test_host_new(0);
	struct iommuabs *abs;

	ck_assert_int_eq(iommuabs_create(&host->ops, host, &abs), 0);
	ck_assert_int_eq(iommuabs_start(abs), 0);
	ck_assert(test_host_logged(host, "without a unit"));
	ck_assert_int_eq(iommuabs_stop(abs), 0);
	ck_assert_int_eq(iommuabs_destroy(abs), 0);
	test_host_delete(host);
}
END_TEST

START_TEST(an_instance_in_use_stays)
{
	struct world *w = world_new(1);
	struct iommuabs_domain *dom = world_domain(w);

	COVERS(iommuabs_destroy, E_BUSY);
	COVERS(iommuabs_start, E_BUSY);
	COVERS(iommuabs_stop, E_BUSY);
	REFUSED(w, iommuabs_destroy(w->abs), IOMMUABS_E_BUSY);
	REFUSED(w, iommuabs_stop(w->abs), IOMMUABS_E_BUSY);
	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	REFUSED(w, iommuabs_start(w->abs), IOMMUABS_E_BUSY);
	ck_assert_int_eq(iommuabs_domain_destroy(dom, 0), 0);
	REFUSED(w, iommuabs_destroy(w->abs), IOMMUABS_E_BUSY);
	world_delete(w);
}
END_TEST

static struct iommuabs_domain_stats stats_of(struct iommuabs_domain *dom)
{
	struct iommuabs_domain_stats now = { .size = sizeof(now) };

	ck_assert_int_eq(iommuabs_domain_stats(dom, &now), 0);
	return now;
}

/* Removals, of which a unit is told, and one that it doesn't answer. */
static void removals_are_counted(struct world *w, struct iommuabs_domain *dom)
{
	const struct iommuabs_domain_stats before = stats_of(dom);

	ck_assert_int_eq(iommuabs_domain_unmap(dom, IOMMUABS_GFN(3), 1, NULL),
			 0);
	ck_assert_uint_eq(stats_of(dom).invalidated, before.invalidated + 1);
	w->unit[0].invalidate = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(iommuabs_domain_unmap(dom, IOMMUABS_GFN(4), 1, NULL),
			 IOMMUABS_E_TIMEOUT);
	ck_assert_uint_eq(stats_of(dom).failed, 1);
	ck_assert_uint_eq(stats_of(dom).invalidated, before.invalidated + 1);
	test_host_log_clear(w->host);
	ck_assert_int_eq(iommuabs_dump(w->abs, IOMMUABS_DUMP_COUNTERS), 0);
	ck_assert(test_host_logged(w->host, " commands, "));
	ck_assert(test_host_logged(w->host, ": 0 faults, 0 storms"));
	ck_assert(test_host_logged(w->host, " invalidations, 1 failed; "));
}

START_TEST(a_domain_is_counted)
{
	const uint32_t rw = IOMMUABS_READ | IOMMUABS_WRITE;
	const iommuabs_mfn_t mfn = IOMMUABS_MFN(0x1000000);
	struct world *w = world_new(1);
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	struct iommuabs_domain *dom = world_domain(w);
	struct iommuabs_domain_stats before, now = { .size = 2 };
	struct iommuabs_batch batch;

	COVERS(iommuabs_domain_stats, E_INVAL);
	REFUSED(w, iommuabs_domain_stats(NULL, &now), IOMMUABS_E_INVAL);
	REFUSED(w, iommuabs_domain_stats(dom, NULL), IOMMUABS_E_INVAL);
	REFUSED(w, iommuabs_domain_stats(dom, &now), IOMMUABS_E_INVAL);
	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	before = stats_of(dom);
	ck_assert(!before.nr_devices && !before.nr_mirrors &&
		  !before.nr_bindings && !before.nr_batches && !before.quota &&
		  !before.places && !before.invalidated && !before.failed);
	ck_assert_uint_eq(before.number, dom->owner.number);
	ck_assert_uint_eq(before.used, dom->account.used);
	ck_assert_int_eq(
		iommuabs_domain_map(dom, IOMMUABS_GFN(3), mfn, 9, rw, NULL), 0);
	ck_assert_int_eq(
		iommuabs_domain_map(dom, IOMMUABS_GFN(30), mfn, 2, rw, NULL),
		0);
	ck_assert_int_eq(iommuabs_device_attach(dev, dom, NULL, 0), 0);
	ck_assert_int_eq(iommuabs_batch_init(&batch, dom), 0);
	now = stats_of(dom);
	ck_assert(now.nr_devices == 1 && now.nr_mirrors == 1 &&
		  now.nr_bindings == 1 && now.nr_batches == 1);
	ck_assert_uint_eq(now.places, 2);
	ck_assert_uint_gt(now.filled_steps, 0);
	ck_assert_uint_gt(now.used, before.used);
	ck_assert_int_eq(iommuabs_batch_done(&batch), 0);
	removals_are_counted(w, dom);
	world_delete(w);
}
END_TEST

START_TEST(dump_takes_known_parts_and_repeats_itself)
{
	struct world *w = world_new(1);
	char *first, *second;

	world_device(w, 8, 1, 0);
	world_domain(w);
	REFUSED(w, iommuabs_dump(w->abs, (enum iommuabs_dump_what)5),
		IOMMUABS_E_INVAL);
	first = world_dump(w);
	second = world_dump(w);
	ck_assert_str_eq(first, second);
	ck_assert_ptr_nonnull(strstr(first, "unit "));
	ck_assert_ptr_nonnull(strstr(first, "device "));
	ck_assert_ptr_nonnull(strstr(first, "domain "));
	free(first);
	free(second);
	test_host_log_clear(w->host);
	ck_assert_int_eq(iommuabs_dump(w->abs, IOMMUABS_DUMP_UNITS), 0);
	ck_assert(test_host_logged(w->host, "unit "));
	ck_assert(!test_host_logged(w->host, "device "));
	world_delete(w);
}
END_TEST

/* What the first line of a dump that begins so goes on with, or "". */
static const char *line_of(const char *dump, const char *begin)
{
	static char rest[161];
	const char *found = strstr(dump, begin);

	rest[0] = '\0';
	if (found) {
		found += strlen(begin);
		snprintf(rest, sizeof(rest), "%.*s", (int)strcspn(found, "\n"),
			 found);
	}
	return rest;
}

static void digest_get(struct world *w, char digest[161])
{
	char *dump = world_dump(w);

	strcpy(digest, line_of(dump, "\n  digest "));
	ck_assert_uint_ge(strlen(digest), 1);
	free(dump);
}

static void expect_digest(struct world *w, const char *digest, bool same)
{
	char now[161];

	digest_get(w, now);
	ck_assert_msg(!strcmp(now, digest) == same, "%s, before %s", now,
		      digest);
}

static void map_one(struct iommuabs_domain *dom, uint64_t gfn, uint64_t mfn,
		    uint32_t flags)
{
	ck_assert_int_eq(iommuabs_domain_map(dom, IOMMUABS_GFN(gfn),
					     IOMMUABS_MFN(mfn), 1, flags, NULL),
			 0);
}

static void unmap_some(struct iommuabs_domain *dom, uint64_t gfn, uint64_t nr)
{
	ck_assert_int_eq(
		iommuabs_domain_unmap(dom, IOMMUABS_GFN(gfn), nr, NULL), 0);
}

#define READ_WRITE (IOMMUABS_READ | IOMMUABS_WRITE)

START_TEST(a_digest_is_of_what_is_mapped_not_of_leaves)
{
	struct world *w = world_new(1);
	struct iommuabs_domain *dom = world_domain(w);
	char empty[161], digest[161];
	uint64_t i;

	digest_get(w, empty);
	ck_assert_int_eq(iommuabs_domain_map(dom, IOMMUABS_GFN(0x200),
					     IOMMUABS_MFN(0x4000), 0x400,
					     READ_WRITE, NULL),
			 0);
	digest_get(w, digest);
	ck_assert_str_ne(digest, empty);
	/* Split, and the same. */
	ck_assert_int_eq(iommuabs_domain_protect(dom, IOMMUABS_GFN(0x301), 1,
						 IOMMUABS_READ, NULL),
			 0);
	expect_digest(w, digest, false);
	ck_assert_int_eq(iommuabs_domain_protect(dom, IOMMUABS_GFN(0x301), 1,
						 READ_WRITE, NULL),
			 0);
	expect_digest(w, digest, true);
	unmap_some(dom, 0x200, 0x400);
	expect_digest(w, empty, true);
	/* From the end, a leaf each, in two tables. */
	for (i = 0x400; i--;)
		map_one(dom, 0x200 + i, 0x4000 + i, READ_WRITE);
	expect_digest(w, digest, true);
	/* One frame is not there; another; elsewhere. */
	unmap_some(dom, 0x5ff, 1);
	expect_digest(w, digest, false);
	map_one(dom, 0x5ff, 0x4400, READ_WRITE);
	expect_digest(w, digest, false);
	unmap_some(dom, 0x5ff, 1);
	map_one(dom, 0x600, 0x43ff, READ_WRITE);
	expect_digest(w, digest, false);
	world_delete(w);
}
END_TEST

/* One run each time: nothing else tells them apart. */
START_TEST(a_digest_is_of_each_part_of_a_run)
{
	static const struct {
		uint64_t gfn, mfn, nr;
		uint32_t flags;
	} runs[] = {
		{ 1, 0x4000, 1, READ_WRITE },	 { 2, 0x4000, 1, READ_WRITE },
		{ 1, 0x4001, 1, READ_WRITE },	 { 1, 0x4000, 2, READ_WRITE },
		{ 1, 0x4000, 1, IOMMUABS_READ },
	};
	struct world *w = world_new(1);
	struct iommuabs_domain *dom = world_domain(w);
	char digest[IA_COUNT(runs)][161];
	uint32_t i, j;

	for (i = 0; i < IA_COUNT(runs); i++) {
		ck_assert_int_eq(
			iommuabs_domain_map(dom, IOMMUABS_GFN(runs[i].gfn),
					    IOMMUABS_MFN(runs[i].mfn),
					    runs[i].nr, runs[i].flags, NULL),
			0);
		digest_get(w, digest[i]);
		for (j = 0; j < i; j++)
			ck_assert_str_ne(digest[j], digest[i]);
		unmap_some(dom, runs[i].gfn, runs[i].nr);
	}
	world_delete(w);
}
END_TEST

START_TEST(a_digest_is_read_in_steps_and_says_where_it_ends)
{
	enum { READ = 1200, ALL = 2100 }; /* tables with one leaf */
	struct world *w = world_new(1);
	struct iommuabs_domain *dom = world_domain(w);
	char digest[161];
	uint64_t i;

	for (i = 0; i < READ; i++)
		map_one(dom, i * 512, 0x4000 + i, READ_WRITE);
	digest_get(w, digest);
	ck_assert_ptr_null(strstr(digest, "more"));
	map_one(dom, i * 512, 0x4000 + i, READ_WRITE);
	expect_digest(w, digest, false);
	for (i++; i < ALL; i++)
		map_one(dom, i * 512, 0x4000 + i, READ_WRITE);
	digest_get(w, digest);
	ck_assert_ptr_nonnull(strstr(digest, ", and more"));
	world_delete(w);
}
END_TEST

static void declare(struct world *w, uint64_t mfn, uint64_t nr,
		    enum iommuabs_frame_kind kind)
{
	const struct iommuabs_frame_policy policy = {
		.size = sizeof(policy),
		.kind = kind,
		.gfn = IOMMUABS_GFN(kind == IOMMUABS_FRAMES_FIXED ? 0x77 : 0),
		.flags = kind == IOMMUABS_FRAMES_FIXED ? IOMMUABS_READ : 0,
	};

	ck_assert_int_eq(
		iommuabs_frames_declare(w->abs, IOMMUABS_MFN(mfn), nr, &policy),
		0);
}

START_TEST(a_dump_says_what_was_declared_about_frames)
{
	struct world *w = world_new(1);
	char *dump = world_dump(w), *first;
	uint64_t i;

	ck_assert_str_eq(line_of(dump, "\nframes: "),
			 "0 declarations, digest 0");
	free(dump);
	declare(w, 0x1000, 0x600, IOMMUABS_FRAMES_SHARED);
	declare(w, 0x2000, 1, IOMMUABS_FRAMES_FIXED);
	declare(w, 0x2001, 2, IOMMUABS_FRAMES_HOST);
	declare(w, 0x2003, 3, IOMMUABS_FRAMES_CLOSED);
	first = world_dump(w);
	ck_assert_str_eq(line_of(first, "\nframes 1000+600: "), "shared");
	ck_assert_str_eq(line_of(first, "\nframes 2000+1: "),
			 "fixed, gfn 77, flags 1");
	ck_assert_str_eq(line_of(first, "\nframes 2001+2: "), "host");
	ck_assert_str_eq(line_of(first, "\nframes 2003+3: "), "closed");
	ck_assert_ptr_nonnull(strstr(first, "\nframes: 4 declarations, "));
	/* What has no line of its own is in the digest. */
	for (i = 0; i < 40; i++)
		declare(w, 0x3000 + 2 * i, 1, IOMMUABS_FRAMES_SHARED);
	free(first);
	first = world_dump(w);
	ck_assert_ptr_null(strstr(first, "\nframes 304e"));
	declare(w, 0x304e, 1, IOMMUABS_FRAMES_CLOSED);
	dump = world_dump(w);
	ck_assert_ptr_nonnull(strstr(dump, "\nframes: 44 declarations, "));
	ck_assert_str_ne(dump, first);
	free(dump);
	free(first);
	world_delete(w);
}
END_TEST

START_TEST(a_dump_says_what_is_done_about_storms)
{
	static const char *const texts[] = { "silence", "report",
					     "quarantine" };
	struct iommuabs_domain_config config = {
		.size = sizeof(config),
		.flags = IOMMUABS_DOMAIN_SCRATCH,
	};
	struct iommuabs_attach_options options = { .size = sizeof(options) };
	struct world *w = world_new(1);
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	struct iommuabs_domain *dom = world_domain(w);
	char *dump;
	uint32_t i;

	for (i = 0; i < 3; i++) {
		options.fault_policy = i;
		ck_assert_int_eq(iommuabs_device_attach(dev, dom, &options, 0),
				 0);
		dump = world_dump(w);
		ck_assert_str_eq(line_of(dump, "\n  a storm: "), texts[i]);
		free(dump);
		ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	}
	ck_assert_int_eq(
		iommuabs_domain_create(w->abs, &config, &options.quarantine),
		0);
	ck_assert_int_eq(iommuabs_device_attach(dev, dom, &options, 0), 0);
	dump = world_dump(w);
	ck_assert_str_eq(line_of(dump, "\n  a storm: "),
			 "quarantine, in domain 2");
	free(dump);
	world_delete(w);
}
END_TEST

START_TEST(the_version_is_that_of_the_header)
{
	ck_assert_uint_eq(iommuabs_version(),
			  IOMMUABS_VERSION_MAJOR << 16 |
				  IOMMUABS_VERSION_MINOR << 8 |
				  IOMMUABS_VERSION_PATCH);
}
END_TEST

/* ---- units ---- */

static const struct iommuabs_irq bad_irqs[] = {
	{ IOMMUABS_IRQ_COUNT_, 1, 0 },
	{ IOMMUABS_IRQ_EVENT, 1, 2 },
};

static void unit_spoil(struct iommuabs_unit_desc *desc, int how)
{
	static char name[IOMMUABS_NAME_MAX + 1], path[IOMMUABS_PATH_MAX + 1];

	memset(name, 'n', sizeof(name) - 1);
	memset(path, 'p', sizeof(path) - 1);
	switch (how) {
	case 0:
		desc->flags = 1u << 31;
		break;
	case 1:
		desc->type = (enum iommuabs_unit_type)(IOMMUABS_UNIT_OTHER + 1);
		break;
	case 2:
		desc->type = IOMMUABS_UNIT_SMMUV2;
		desc->base |= 0x800;
		break;
	case 3:
		desc->type = IOMMUABS_UNIT_VTD;
		desc->base = 0;
		break;
	case 4:
		desc->base = ALL_ONES & ~(uint64_t)0xfff;
		desc->length = 0x2000;
		break;
	case 5:
		desc->base = 0;
		desc->length = 0x1000;
		break;
	case 6:
		desc->name = name;
		break;
	case 7:
		desc->path = path;
		break;
	case 8:
		desc->nr_irqs = IOMMUABS_IRQ_COUNT_ + 1;
		desc->irqs = bad_irqs;
		break;
	case 9:
		desc->nr_irqs = 1;
		break;
	case 10:
	case 11:
		desc->nr_irqs = 1;
		desc->irqs = &bad_irqs[how - 10];
		break;
	case 12:
		desc->size = 2;
		break;
	}
}

START_TEST(a_bad_unit_is_refused)
{
	struct iommuabs_unit_desc desc = {
		.size = sizeof(desc),
		.type = IOMMUABS_UNIT_OTHER,
		.base = 0x9000000,
	};
	struct world *w = world_new(1);
	struct iommuabs_unit *unit = NULL;

	COVERS(iommuabs_unit_add, E_INVAL);
	unit_spoil(&desc, _i);
	REFUSED(w, iommuabs_unit_add(w->abs, &desc, &unit), IOMMUABS_E_INVAL);
	ck_assert_ptr_null(unit);
	test_host_log_clear(w->host);
	ck_assert_int_eq(iommuabs_unit_add(w->abs, &desc, &unit),
			 IOMMUABS_E_INVAL);
	ck_assert_int_eq(test_host_logged(w->host, " refused: "),
			 desc.size == sizeof(desc));
	world_delete(w);
}
END_TEST

START_TEST(a_unit_of_a_newer_description_is_refused)
{
	struct {
		struct iommuabs_unit_desc known;
		uint64_t more;
	} newer;
	struct world *w = world_new(1);
	struct iommuabs_unit *unit = NULL;

	COVERS(iommuabs_unit_add, E_VERSION);
	memset(&newer, 0, sizeof(newer));
	newer.known.size = sizeof(newer);
	newer.known.type = IOMMUABS_UNIT_OTHER;
	newer.more = 1;
	REFUSED(w, iommuabs_unit_add(w->abs, &newer.known, &unit),
		IOMMUABS_E_VERSION);
	REFUSED(w, iommuabs_unit_add(w->abs, NULL, &unit), IOMMUABS_E_INVAL);
	newer.more = 0;
	REFUSED(w, iommuabs_unit_add(w->abs, &newer.known, NULL),
		IOMMUABS_E_INVAL);
	ck_assert_ptr_null(unit);
	world_delete(w);
}
END_TEST

START_TEST(a_unit_without_memory_is_not_added)
{
	const struct iommuabs_unit_desc desc = {
		.size = sizeof(desc),
		.type = IOMMUABS_UNIT_NULL,
	};
	struct world *w = world_new(1);
	struct iommuabs_unit *unit;
	struct world_failing failing = { 0 };
	int ret;

	COVERS(iommuabs_unit_add, E_NOMEM);
	world_failing_begin(w, &failing, IOMMUABS_E_NOMEM);
	do
		ret = iommuabs_unit_add(w->abs, &desc, &unit);
	while (world_failing_again(w, &failing, ret));
	ck_assert_uint_gt(failing.nr, 2);
	world_delete(w);
}
END_TEST

START_TEST(a_unit_with_impossible_registers_is_refused)
{
	struct iommuabs_unit_desc desc = {
		.size = sizeof(desc),
		.type = IOMMUABS_UNIT_SMMUV3,
	};
	struct world *w;
	struct iommuabs_unit *unit = NULL;
	void *regs;

	COVERS(iommuabs_unit_add, E_UNIT);
	if (!backend_find(IOMMUABS_UNIT_SMMUV3))
		harness_skip("built without a driver that has registers");
	w = world_new(1);
	ck_assert_int_eq(posix_memalign(&regs, 0x10000, 0x20000), 0);
	memset(regs, 0, 0x20000); /* neither stage */
	desc.base = (uintptr_t)regs;
	REFUSED(w, iommuabs_unit_add(w->abs, &desc, &unit), IOMMUABS_E_UNIT);
	ck_assert_ptr_null(unit);
	desc.length = 0x1000; /* shorter than its registers */
	REFUSED(w, iommuabs_unit_add(w->abs, &desc, &unit), IOMMUABS_E_INVAL);
	free(regs);
	world_delete(w);
}
END_TEST

START_TEST(calls_on_units_check_their_arguments)
{
	struct world *w = world_new(1);
	struct iommuabs_unit *unit = w->unit[0].unit;
	struct iommuabs_unit_state state = { .size = sizeof(state) };
	struct iommuabs_unit_msi msi;
	struct iommuabs_irq irq;

	COVERS(iommuabs_unit_state, E_INVAL);
	COVERS(iommuabs_unit_irq_get, E_INVAL);
	COVERS(iommuabs_unit_msi_get, E_INVAL);
	COVERS(iommuabs_unit_irq, E_INVAL);
	COVERS(iommuabs_unit_recover, E_INVAL);
	REFUSED(w, iommuabs_unit_state(NULL, &state), IOMMUABS_E_INVAL);
	REFUSED(w, iommuabs_unit_state(unit, NULL), IOMMUABS_E_INVAL);
	state.size = 0;
	REFUSED(w, iommuabs_unit_state(unit, &state), IOMMUABS_E_INVAL);
	REFUSED(w, iommuabs_unit_irq_get(NULL, 0, &irq), IOMMUABS_E_INVAL);
	REFUSED(w, iommuabs_unit_irq_get(unit, 0, NULL), IOMMUABS_E_INVAL);
	REFUSED(w, iommuabs_unit_msi_get(NULL, &msi), IOMMUABS_E_INVAL);
	REFUSED(w, iommuabs_unit_msi_get(unit, NULL), IOMMUABS_E_INVAL);
	REFUSED(w, iommuabs_unit_irq(NULL, IOMMUABS_IRQ_EVENT),
		IOMMUABS_E_INVAL);
	REFUSED(w, iommuabs_unit_irq(unit, IOMMUABS_IRQ_COUNT_),
		IOMMUABS_E_INVAL);
	REFUSED(w, iommuabs_unit_recover(NULL, 0), IOMMUABS_E_INVAL);
	world_delete(w);
}
END_TEST

/* ---- devices ---- */

static struct iommuabs_stream_range bad_ranges[IOMMUABS_STREAM_RANGES_MAX + 1];
static struct iommuabs_reserved bad_reserved[65];

static void streams_spoil(struct iommuabs_device_desc *desc, int how)
{
	static struct iommuabs_unit foreign; /* of no instance */
	struct iommuabs_stream_range *range = &bad_ranges[0];
	uint32_t i;

	for (i = 0; i < IA_COUNT(bad_ranges); i++) {
		bad_ranges[i] = desc->streams[0];
		bad_ranges[i].first += i;
	}
	desc->streams = bad_ranges;
	switch (how) {
	case 0:
		range->unit = NULL;
		break;
	case 1:
		range->unit = &foreign;
		break;
	case 2:
		range->nr = 0;
		break;
	case 3:
		range->first = 0xffffffff;
		range->nr = 2;
		break;
	case 4: /* a null unit has 16 bits */
		range->first = 0xffff;
		range->nr = 2;
		break;
	case 5:
		range->rid = 0xffffffff;
		range->nr = 2;
		break;
	case 6:
		range->nr = 2;
		desc->nr_streams = 2;
		break;
	case 7:
		desc->nr_streams = IA_COUNT(bad_ranges);
		break;
	case 8:
		desc->streams = NULL;
		break;
	}
}

static void reserved_spoil(struct iommuabs_device_desc *desc, int how)
{
	struct iommuabs_reserved *region = &bad_reserved[0];

	memset(bad_reserved, 0, sizeof(bad_reserved));
	region->nr = 1;
	desc->reserved = bad_reserved;
	desc->nr_reserved = 1;
	switch (how) {
	case 0:
		region->nr = 0;
		break;
	case 1:
		region->gfn = IOMMUABS_GFN((uint64_t)1 << 40);
		break;
	case 2:
		region->mfn = IOMMUABS_MFN(ALL_ONES);
		region->nr = 2;
		break;
	case 3:
		region->flags = IOMMUABS_DEVICE; /* no access */
		break;
	case 4:
		region->flags = IOMMUABS_READ | IOMMUABS_MEMTYPE;
		break;
	case 5:
		region->flags = IOMMUABS_READ | IOMMUABS_FOREIGN;
		break;
	case 6:
		desc->nr_reserved = 65;
		break;
	case 7:
		desc->reserved = NULL;
		break;
	}
}

static void aliases_spoil(struct iommuabs_device_desc *desc, int how)
{
	static char path[IOMMUABS_PATH_MAX + 1];
	static struct iommuabs_device_alias alias;

	memset(path, 'p', sizeof(path) - 1);
	alias = (struct iommuabs_device_alias){ .path = "/soc/dma" };
	desc->aliases = &alias;
	desc->nr_aliases = 1;
	switch (how) {
	case 0:
		desc->aliases = NULL;
		break;
	case 1:
		desc->nr_aliases = IOMMUABS_ALIASES_MAX + 1;
		break;
	case 2:
		desc->flags = IOMMUABS_DEVICE_RANGE;
		break;
	case 3:
		alias.path = path;
		break;
	case 4:
		alias.nr_pci = 0x10001;
		break;
	default:
		alias.pci = 0xffffffff;
		alias.nr_pci = 2;
	}
}

static void device_spoil(struct iommuabs_device_desc *desc, int how)
{
	static char name[IOMMUABS_NAME_MAX + 1], path[IOMMUABS_PATH_MAX + 1];

	memset(name, 'n', sizeof(name) - 1);
	memset(path, 'p', sizeof(path) - 1);
	switch (how) {
	case 0:
		desc->flags = 1u << 3;
		break;
	case 1:
		desc->name = name;
		break;
	case 2:
		desc->path = path;
		break;
	case 3:
		desc->nr_pci = 0x10001;
		break;
	case 4:
		desc->pci = 0xffffffff;
		desc->nr_pci = 2;
		break;
	case 5:
		desc->size = 0;
		break;
	default:
		if (how < 15)
			streams_spoil(desc, how - 6);
		else if (how < 23)
			reserved_spoil(desc, how - 15);
		else
			aliases_spoil(desc, how - 23);
	}
}

START_TEST(a_bad_device_is_refused)
{
	struct world *w = world_new(1);
	const struct iommuabs_stream_range range = { w->unit[0].unit, 8, 1, 8 };
	struct iommuabs_device_desc desc = world_device_desc(&range, 0);
	struct iommuabs_device *dev = NULL;

	COVERS(iommuabs_device_add, E_INVAL);
	device_spoil(&desc, _i);
	REFUSED(w, iommuabs_device_add(w->abs, &desc, &dev), IOMMUABS_E_INVAL);
	ck_assert_ptr_null(dev);
	test_host_log_clear(w->host);
	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &dev),
			 IOMMUABS_E_INVAL);
	ck_assert_int_eq(test_host_logged(w->host, " refused: "),
			 desc.size != 0);
	world_delete(w);
}
END_TEST

START_TEST(a_device_of_a_newer_description_is_refused)
{
	struct {
		struct iommuabs_device_desc known;
		uint64_t more;
	} newer;
	struct world *w = world_new(1);
	struct iommuabs_device *dev = NULL;

	COVERS(iommuabs_device_add, E_VERSION);
	memset(&newer, 0, sizeof(newer));
	newer.known.size = sizeof(newer);
	newer.more = 1;
	REFUSED(w, iommuabs_device_add(w->abs, &newer.known, &dev),
		IOMMUABS_E_VERSION);
	ck_assert_ptr_null(dev);
	world_delete(w);
}
END_TEST

START_TEST(calls_on_devices_check_their_arguments)
{
	struct world *w = world_new(1);
	struct iommuabs_device_desc desc = { .size = sizeof(desc) };
	struct iommuabs_device *dev;

	COVERS(iommuabs_device_remove, E_INVAL);
	COVERS(iommuabs_device_find_pci, E_INVAL);
	COVERS(iommuabs_device_find_path, E_INVAL);
	COVERS(iommuabs_device_detach, E_INVAL);
	REFUSED(w, iommuabs_device_add(NULL, &desc, &dev), IOMMUABS_E_INVAL);
	REFUSED(w, iommuabs_device_add(w->abs, NULL, &dev), IOMMUABS_E_INVAL);
	REFUSED(w, iommuabs_device_add(w->abs, &desc, NULL), IOMMUABS_E_INVAL);
	REFUSED(w, iommuabs_device_remove(NULL), IOMMUABS_E_INVAL);
	REFUSED(w, iommuabs_device_find_pci(NULL, 0, &dev), IOMMUABS_E_INVAL);
	REFUSED(w, iommuabs_device_find_pci(w->abs, 0, NULL), IOMMUABS_E_INVAL);
	REFUSED(w, iommuabs_device_find_path(NULL, "/", &dev),
		IOMMUABS_E_INVAL);
	REFUSED(w, iommuabs_device_find_path(w->abs, NULL, &dev),
		IOMMUABS_E_INVAL);
	REFUSED(w, iommuabs_device_find_path(w->abs, "/", NULL),
		IOMMUABS_E_INVAL);
	REFUSED(w, iommuabs_device_detach(NULL, 0), IOMMUABS_E_INVAL);
	world_delete(w);
}
END_TEST

START_TEST(explain_checks_its_arguments)
{
	struct world *w = world_new(1);
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	struct iommuabs_explanation why = { .size = sizeof(why) };
	const iommuabs_gfn_t gfn = { 1 }, wild = { (uint64_t)1 << 52 };

	COVERS(iommuabs_device_explain, E_INVAL);
	REFUSED(w, iommuabs_device_explain(NULL, gfn, IOMMUABS_READ, &why),
		IOMMUABS_E_INVAL);
	REFUSED(w, iommuabs_device_explain(dev, wild, IOMMUABS_READ, &why),
		IOMMUABS_E_INVAL);
	REFUSED(w, iommuabs_device_explain(dev, gfn, 0, &why),
		IOMMUABS_E_INVAL);
	REFUSED(w, iommuabs_device_explain(dev, gfn, IOMMUABS_REPLACE, &why),
		IOMMUABS_E_INVAL);
	REFUSED(w, iommuabs_device_explain(dev, gfn, IOMMUABS_READ, NULL),
		IOMMUABS_E_INVAL);
	why.size = 0;
	REFUSED(w, iommuabs_device_explain(dev, gfn, IOMMUABS_READ, &why),
		IOMMUABS_E_INVAL);
	world_delete(w);
}
END_TEST

START_TEST(attach_checks_its_arguments)
{
	struct world *w = world_new(1);
	struct test_host *host = test_host_new(0);
	struct iommuabs *other;
	struct iommuabs_domain *dom = world_domain(w), *alien;
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	const struct iommuabs_domain_config config = { .size = sizeof(config) };
	struct iommuabs_attach_options options = { .size = sizeof(options) };

	COVERS(iommuabs_device_attach, E_INVAL);
	REFUSED(w, iommuabs_device_attach(NULL, dom, NULL, 0),
		IOMMUABS_E_INVAL);
	REFUSED(w, iommuabs_device_attach(dev, NULL, NULL, 0),
		IOMMUABS_E_INVAL);
	ck_assert_int_eq(iommuabs_create(&host->ops, host, &other), 0);
	ck_assert_int_eq(iommuabs_domain_create(other, &config, &alien), 0);
	REFUSED(w, iommuabs_device_attach(dev, alien, NULL, 0),
		IOMMUABS_E_INVAL);
	options.flags = 1u << 31;
	REFUSED(w, iommuabs_device_attach(dev, dom, &options, 0),
		IOMMUABS_E_INVAL);
	options.flags = 0;
	options.strategy = IOMMUABS_STRATEGY_MIRROR + 1;
	REFUSED(w, iommuabs_device_attach(dev, dom, &options, 0),
		IOMMUABS_E_INVAL);
	options.strategy = 0;
	options.size = 0;
	REFUSED(w, iommuabs_device_attach(dev, dom, &options, 0),
		IOMMUABS_E_INVAL);
	ck_assert_int_eq(iommuabs_domain_destroy(alien, 0), 0);
	ck_assert_int_eq(iommuabs_destroy(other), 0);
	test_host_delete(host);
	world_delete(w);
}
END_TEST

START_TEST(attach_options_of_a_newer_version_are_refused)
{
	struct {
		struct iommuabs_attach_options known;
		uint32_t more;
	} newer = { { sizeof(newer), 0, 0 }, 1 };
	struct world *w = world_new(1);
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	struct iommuabs_domain *dom = world_domain(w);

	COVERS(iommuabs_device_attach, E_VERSION);
	REFUSED(w, iommuabs_device_attach(dev, dom, &newer.known, 0),
		IOMMUABS_E_VERSION);
	world_delete(w);
}
END_TEST

/* ---- frames and faults ---- */

START_TEST(frame_users_checks_its_arguments)
{
	static const uint64_t cursors[] = { 2, (uint64_t)1 << 47, ALL_ONES };
	struct world *w = world_new(1);
	struct iommuabs_frame_user users[2];
	const iommuabs_mfn_t mfn = { 0x5000 }, wild = { (uint64_t)1 << 52 };
	uint64_t cursor = 0;
	uint32_t nr = 77, i;

	COVERS(iommuabs_frame_users, E_INVAL);
	REFUSED(w, iommuabs_frame_users(NULL, mfn, &cursor, users, 2, &nr),
		IOMMUABS_E_INVAL);
	REFUSED(w, iommuabs_frame_users(w->abs, wild, &cursor, users, 2, &nr),
		IOMMUABS_E_INVAL);
	REFUSED(w, iommuabs_frame_users(w->abs, mfn, NULL, users, 2, &nr),
		IOMMUABS_E_INVAL);
	REFUSED(w, iommuabs_frame_users(w->abs, mfn, &cursor, NULL, 2, &nr),
		IOMMUABS_E_INVAL);
	REFUSED(w, iommuabs_frame_users(w->abs, mfn, &cursor, users, 0, &nr),
		IOMMUABS_E_INVAL);
	REFUSED(w, iommuabs_frame_users(w->abs, mfn, &cursor, users, 2, NULL),
		IOMMUABS_E_INVAL);
	for (i = 0; i < 3; i++) {
		cursor = cursors[i];
		REFUSED(w,
			iommuabs_frame_users(w->abs, mfn, &cursor, users, 2,
					     &nr),
			IOMMUABS_E_INVAL);
		ck_assert_uint_eq(cursor, cursors[i]);
	}
	ck_assert_uint_eq(nr, 77);
	world_delete(w);
}
END_TEST

START_TEST(frame_users_tells_every_place_once)
{
	struct world *w = world_new(1);
	struct iommuabs_domain *dom[3];
	struct iommuabs_frame_user users[8];
	uint64_t cursor = 0;
	uint32_t nr, total = 0, i, rounds = 0;
	uint32_t flags = IOMMUABS_READ | IOMMUABS_FOREIGN;

	for (i = 0; i < 3; i++) {
		dom[i] = world_domain(w);
		ck_assert_int_eq(iommuabs_domain_map(
					 dom[i], IOMMUABS_GFN(0x100 + i),
					 IOMMUABS_MFN(0x5000), 2, flags, NULL),
				 0);
		ck_assert_int_eq(iommuabs_domain_map(
					 dom[i], IOMMUABS_GFN(0x200 + i),
					 IOMMUABS_MFN(0x5001), 1, flags, NULL),
				 0);
	}
	do {
		ck_assert_int_eq(
			iommuabs_frame_users(w->abs, IOMMUABS_MFN(0x5001),
					     &cursor, users, _i + 1, &nr),
			0);
		for (i = 0; i < nr; i++, total++) {
			ck_assert_ptr_eq(users[i].dom, dom[total / 2]);
			ck_assert_ptr_eq(users[i].dom_cookie, w);
			ck_assert_uint_eq(users[i].gfn.frame,
					  total % 2 ? 0x200 + total / 2
						    : 0x101 + total / 2);
			ck_assert_uint_eq(users[i].flags, flags);
			ck_assert_int_eq(users[i].state, IOMMUABS_FRAME_MAPPED);
		}
		rounds++;
	} while (nr == (uint32_t)_i + 1);
	ck_assert_uint_eq(total, 6);
	ck_assert_uint_eq(rounds, 6 / ((uint32_t)_i + 1) + 1);
	world_delete(w);
}
END_TEST

START_TEST(frame_users_tells_what_state_a_frame_is_in)
{
	struct world *w = world_new(1);
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	struct iommuabs_domain *dom = world_shared_domain(w);
	struct iommuabs_frame_user user;
	struct iommuabs_batch batch;
	uint64_t cursor = 0;
	uint32_t nr, rw = IOMMUABS_READ | IOMMUABS_WRITE;

	ck_assert_int_eq(iommuabs_domain_map(dom, IOMMUABS_GFN(0x10),
					     IOMMUABS_MFN(0x5000), 4, rw, NULL),
			 0);
	ck_assert_int_eq(iommuabs_device_attach(dev, dom, NULL, 0), 0);
	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	ck_assert_int_eq(iommuabs_batch_init(&batch, dom), 0);
	ck_assert_int_eq(
		iommuabs_domain_unmap(dom, IOMMUABS_GFN(0x10), 1, &batch), 0);
	ck_assert_int_eq(iommuabs_domain_map(dom, IOMMUABS_GFN(0x11),
					     IOMMUABS_MFN(0x6000), 1,
					     rw | IOMMUABS_REPLACE, &batch),
			 0);
#define STATE_IS(mfn, wanted)                                                  \
	do {                                                                   \
		cursor = 0;                                                    \
		ck_assert_int_eq(iommuabs_frame_users(w->abs,                  \
						      IOMMUABS_MFN(mfn),       \
						      &cursor, &user, 1, &nr), \
				 0);                                           \
		ck_assert_uint_eq(nr, 1);                                      \
		ck_assert_int_eq(user.state, wanted);                          \
	} while (0)
	STATE_IS(0x5000, IOMMUABS_FRAME_UNSYNCED);
	STATE_IS(0x5001, IOMMUABS_FRAME_UNSYNCED);
	STATE_IS(0x5002, IOMMUABS_FRAME_MAPPED);
	STATE_IS(0x6000, IOMMUABS_FRAME_MAPPED);
	w->unit[0].invalidate = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(iommuabs_batch_done(&batch), IOMMUABS_E_TIMEOUT);
	STATE_IS(0x5000, IOMMUABS_FRAME_WITHHELD);
	STATE_IS(0x5001, IOMMUABS_FRAME_WITHHELD);
	STATE_IS(0x6000, IOMMUABS_FRAME_MAPPED);
	w->unit[0].invalidate = 0;
	ck_assert_int_eq(iommuabs_unit_recover(w->unit[0].unit, 0), 0);
	cursor = 0;
	ck_assert_int_eq(iommuabs_frame_users(w->abs, IOMMUABS_MFN(0x5001),
					      &cursor, &user, 1, &nr),
			 0);
	ck_assert_uint_eq(nr, 0);
	world_delete(w);
}
END_TEST

START_TEST(the_librarys_own_frames_are_its_own)
{
	struct world *w = world_new(1);
	struct iommuabs_domain *dom = world_domain(w);
	struct iommuabs_frame_user user;
	iommuabs_mfn_t root = { dom->ledger.root >> 12 };
	uint64_t cursor = 0;
	uint32_t nr;

	ck_assert_int_eq(
		iommuabs_frame_users(w->abs, root, &cursor, &user, 1, &nr), 0);
	ck_assert_uint_eq(nr, 1);
	ck_assert_ptr_null(user.dom);
	ck_assert_int_eq(
		iommuabs_frame_users(w->abs, root, &cursor, &user, 1, &nr), 0);
	ck_assert_uint_eq(nr, 0);
	ck_assert_int_eq(iommuabs_domain_map(dom, IOMMUABS_GFN(1), root, 1,
					     IOMMUABS_READ, NULL),
			 IOMMUABS_E_PERM);
	world_delete(w);
}
END_TEST

START_TEST(what_a_domain_sees_becomes_no_table)
{
	struct world *w = world_new(1);
	struct iommuabs_domain *dom = world_domain(w);
	const struct iommuabs_domain_config config = { .size = sizeof(config) };
	struct iommuabs_domain *other;
	uint64_t frame = TEST_HOST_MFN + TEST_HOST_FRAMES - 1;

	ck_assert_int_eq(iommuabs_domain_map(dom, IOMMUABS_GFN(1),
					     IOMMUABS_MFN(frame), 1,
					     IOMMUABS_READ, NULL),
			 0);
	w->host->lie = frame << 12;
	ck_assert_int_eq(iommuabs_domain_create(w->abs, &config, &other),
			 IOMMUABS_E_NOMEM);
	ck_assert_uint_eq(w->host->lie_returned, frame << 12);
	ck_assert(test_host_logged(w->host, "mapped in a domain"));
	world_delete(w);
}
END_TEST

START_TEST(polling_wants_an_instance)
{
	uint32_t drained = 77;

	COVERS(iommuabs_faults_poll, E_INVAL);
	ck_assert_int_eq(iommuabs_faults_poll(NULL, 0, &drained),
			 IOMMUABS_E_INVAL);
	ck_assert_uint_eq(drained, 77);
}
END_TEST

static void add_struct_tests(Suite *s)
{
	TCase *structs = tcase_create("structs");

	tcase_add_test(structs, a_short_struct_has_a_zero_tail);
	tcase_add_test(structs, a_long_struct_must_have_a_zero_tail);
	tcase_add_loop_test(structs, a_struct_without_a_size_is_invalid, 0, 4);
	tcase_add_test(structs, the_longest_struct_is_taken);
	tcase_add_test(structs, an_answer_fills_what_the_caller_has);
	suite_add_tcase(s, structs);
}

static void add_instance_tests(Suite *s)
{
	TCase *instance = tcase_create("instance");

	tcase_add_loop_test(instance, an_unusable_host_is_refused, 0, 19);
	tcase_add_loop_test(instance,
			    a_table_range_must_not_wrap_or_be_too_large, 0, 8);
	tcase_add_test(instance, create_wants_all_of_its_arguments);
	tcase_add_test(instance,
		       a_newer_host_is_taken_if_it_asks_for_nothing_new);
	tcase_add_loop_test(instance, create_without_memory_leaves_nothing, 0,
			    4);
	tcase_add_test(instance, calls_on_no_instance_are_invalid);
	tcase_add_test(instance, what_create_was_given_may_go_at_once);
	tcase_add_test(instance, a_start_without_units_is_remarked_on);
	tcase_add_test(instance, an_instance_in_use_stays);
	tcase_add_test(instance, dump_takes_known_parts_and_repeats_itself);
	tcase_add_test(instance, a_digest_is_of_what_is_mapped_not_of_leaves);
	tcase_add_test(instance, a_digest_is_of_each_part_of_a_run);
	tcase_add_test(instance,
		       a_digest_is_read_in_steps_and_says_where_it_ends);
	tcase_add_test(instance, a_dump_says_what_was_declared_about_frames);
	tcase_add_test(instance, a_dump_says_what_is_done_about_storms);
	tcase_add_test(instance, a_domain_is_counted);
	tcase_add_test(instance, the_version_is_that_of_the_header);
	suite_add_tcase(s, instance);
}

static void add_object_tests(Suite *s)
{
	TCase *unit = tcase_create("unit");
	TCase *device = tcase_create("device");
	TCase *frame = tcase_create("frame");

	tcase_add_loop_test(unit, a_bad_unit_is_refused, 0, 13);
	tcase_add_test(unit, a_unit_of_a_newer_description_is_refused);
	tcase_add_test(unit, a_unit_without_memory_is_not_added);
	tcase_add_test(unit, a_unit_with_impossible_registers_is_refused);
	tcase_add_test(unit, calls_on_units_check_their_arguments);
	suite_add_tcase(s, unit);
	tcase_add_loop_test(device, a_bad_device_is_refused, 0, 29);
	tcase_add_test(device, a_device_of_a_newer_description_is_refused);
	tcase_add_test(device, calls_on_devices_check_their_arguments);
	tcase_add_test(device, explain_checks_its_arguments);
	tcase_add_test(device, attach_checks_its_arguments);
	tcase_add_test(device, attach_options_of_a_newer_version_are_refused);
	suite_add_tcase(s, device);
	tcase_add_test(frame, frame_users_checks_its_arguments);
	tcase_add_loop_test(frame, frame_users_tells_every_place_once, 0, 6);
	tcase_add_test(frame, frame_users_tells_what_state_a_frame_is_in);
	tcase_add_test(frame, the_librarys_own_frames_are_its_own);
	tcase_add_test(frame, what_a_domain_sees_becomes_no_table);
	tcase_add_test(frame, polling_wants_an_instance);
	suite_add_tcase(s, frame);
}

static Suite *suite(void)
{
	Suite *s = suite_create("api");

	add_struct_tests(s);
	if (!world_possible(s))
		return s;
	add_instance_tests(s);
	add_object_tests(s);
	return s;
}

HARNESS_MAIN(suite)
