/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_domain_errors.c - every error of the calls on domains and batches, and
 * that nothing has changed after it
 */
#include "core/change.h"
#include "test_world.h"

#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "test_needs.h"

#define RW  (IOMMUABS_READ | IOMMUABS_WRITE)
#define RAM ((uint64_t)0x1000000)
#define GFN IOMMUABS_GFN
#define MFN IOMMUABS_MFN

static struct world *w;
static struct iommuabs_domain *dom;
static struct iommuabs_device *dev;

/* What host->p2m_walk() answers: @nr runs, one of them, or an error. */
static struct iommuabs_p2m_run walk_runs[4];
static uint32_t walk_nr;
static int walk_ret;
static unsigned int walks;
static void (*during_walk)(void);

static int walk(void *ctx, struct iommuabs_p2m_query *query)
{
	uint64_t end = query->gfn.frame + query->nr;
	uint32_t i;

	(void)ctx;
	walks++;
	if (during_walk)
		during_walk();
	if (walk_ret)
		return walk_ret;
	for (i = 0; i < walk_nr; i++) {
		if (walk_runs[i].gfn.frame < query->gfn.frame ||
		    walk_runs[i].gfn.frame >= end)
			continue;
		query->runs[query->nr_runs++] = walk_runs[i];
	}
	query->next = GFN(end);
	return 0;
}

static void setup(void)
{
	w = world_new(1);
	w->abs->host.ops.p2m_walk = walk;
	walk_nr = 0;
	walk_ret = 0;
	walks = 0;
	during_walk = NULL;
	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	dom = world_domain(w);
	dev = world_device(w, 8, 1, 0);
}

static void teardown(void)
{
	world_delete(w);
}

static int map(uint64_t gfn, uint64_t mfn, uint64_t nr, uint32_t flags)
{
	return iommuabs_domain_map(dom, GFN(gfn), MFN(RAM + mfn), nr, flags,
				   NULL);
}

static int unmap(uint64_t gfn, uint64_t nr)
{
	return iommuabs_domain_unmap(dom, GFN(gfn), nr, NULL);
}

/* Does the device? */
static bool sees(uint64_t gfn)
{
	struct iommuabs_explanation why = { .size = sizeof(why) };

	ck_assert_int_eq(
		iommuabs_device_explain(dev, GFN(gfn), IOMMUABS_READ, &why), 0);
	return why.obstacle == IOMMUABS_OBSTACLE_NONE;
}

static void attach(void)
{
	ck_assert_int_eq(iommuabs_device_attach(dev, dom, NULL, 0), 0);
}

static struct iommuabs_domain *
domain_with(const struct iommuabs_domain_config *config)
{
	struct iommuabs_domain *made;

	ck_assert_int_eq(iommuabs_domain_create(w->abs, config, &made), 0);
	return made;
}

/* The call answers @error and leaves no trace. */
#define refused(call, error) REFUSED(w, call, error)

/* A p2m that the null unit can walk. */
static struct iommuabs_p2m p2m_good(void)
{
	return (struct iommuabs_p2m){
		.size = sizeof(struct iommuabs_p2m),
		.format = IOMMUABS_P2M_ARM_S2,
		.root = 0x40000000,
		.input_bits = 40,
		.output_bits = 40,
		.granule_lg2 = 12,
		.levels = 3,
	};
}

static void share(void)
{
	struct iommuabs_p2m p2m = p2m_good();

	/* Anything that is no table: an empty frame of the arena. */
	p2m.root = (TEST_HOST_MFN + TEST_HOST_FRAMES - 1) << 12;
	ck_assert_int_eq(iommuabs_domain_set_p2m(dom, &p2m), 0);
	attach();
}

/* 24 ranges that don't join: a batch is full. */
static void batch_fill(struct iommuabs_batch *batch)
{
	uint64_t i;

	for (i = 0; i < 24; i++) {
		ck_assert_int_eq(map(0x8000 + 2 * i, 0x8000 + 2 * i, 1, RW), 0);
		ck_assert_int_eq(iommuabs_domain_unmap(dom, GFN(0x8000 + 2 * i),
						       1, batch),
				 0);
	}
}

/* Every allocation of @call fails once: nothing is lost, then it works. */
#define each_allocation_fails(call, undo)                         \
	do {                                                      \
		uint64_t n_;                                      \
		int ret_, undone_;                                \
		for (n_ = 1;; n_++) {                             \
			char *before_ = world_dump(w), *after_;   \
			test_host_fail_nth(w->host, n_);          \
			ret_ = (call);                            \
			if (!test_host_failed(w->host)) {         \
				test_host_fail_nth(w->host, 0);   \
				ck_assert_int_eq(ret_, 0);        \
				free(before_);                    \
				break;                            \
			}                                         \
			if (!ret_) {                              \
				undone_ = (undo);                 \
				ck_assert_int_eq(undone_, 0);     \
				free(before_);                    \
				continue;                         \
			}                                         \
			ck_assert_int_eq(ret_, IOMMUABS_E_NOMEM); \
			after_ = world_dump(w);                   \
			ck_assert_str_eq(before_, after_);        \
			free(before_);                            \
			free(after_);                             \
		}                                                 \
		ck_assert_uint_gt(n_, 1);                         \
	} while (0)

START_TEST(create_refuses_what_it_does_not_know)
{
	const struct iommuabs_domain_config good = { .size = sizeof(good) };
	struct iommuabs_p2m p2m = p2m_good();
	struct iommuabs_domain_config bad[12];
	struct iommuabs_domain *made;
	unsigned int i;

	COVERS(iommuabs_domain_create, E_INVAL);
	for (i = 0; i < 12; i++)
		bad[i] = good;
	bad[0].flags = 1u << 31;
	bad[1].strategy = (enum iommuabs_strategy)3;
	bad[2].populate = (enum iommuabs_populate)2;
	bad[3].source = (enum iommuabs_source)2;
	bad[4].max_leaf = (enum iommuabs_max_leaf)4;
	bad[5].input_bits = 31;
	bad[6].input_bits = 53;
	bad[7].flags = IOMMUABS_DOMAIN_NO_REVERSE_MAP;
	bad[8].flags = IOMMUABS_DOMAIN_IDENTITY;
	bad[8].strategy = IOMMUABS_STRATEGY_SHARE;
	bad[9].callers = DOMAIN_CALLERS_MAX + 1;
	p2m.root = 0x40000008;
	bad[10].p2m = &p2m;
	bad[11].size = 0;
	for (i = 0; i < 12; i++)
		refused(iommuabs_domain_create(w->abs, &bad[i], &made),
			IOMMUABS_E_INVAL);
	refused(iommuabs_domain_create(NULL, &good, &made), IOMMUABS_E_INVAL);
	refused(iommuabs_domain_create(w->abs, NULL, &made), IOMMUABS_E_INVAL);
	refused(iommuabs_domain_create(w->abs, &good, NULL), IOMMUABS_E_INVAL);
	w->abs->host.ops.p2m_walk = NULL;
	bad[0] = good;
	bad[0].source = IOMMUABS_SOURCE_P2M;
	refused(iommuabs_domain_create(w->abs, &bad[0], &made),
		IOMMUABS_E_INVAL);
}
END_TEST

START_TEST(create_refuses_fields_of_the_future)
{
	struct {
		struct iommuabs_domain_config config;
		uint64_t more;
	} newer = { .config = { .size = sizeof(newer) }, .more = 1 };
	struct iommuabs_domain *made;

	COVERS(iommuabs_domain_create, E_VERSION);
	refused(iommuabs_domain_create(w->abs, &newer.config, &made),
		IOMMUABS_E_VERSION);
	newer.more = 0;
	ck_assert_int_eq(iommuabs_domain_create(w->abs, &newer.config, &made),
			 0);
}
END_TEST

START_TEST(create_takes_all_or_nothing)
{
	const struct iommuabs_domain_config config = {
		.size = sizeof(config),
		.populate = IOMMUABS_POPULATE_EAGER,
		.callers = 3,
	};
	struct iommuabs_domain *made;

	COVERS(iommuabs_domain_create, E_NOMEM);
	each_allocation_fails(iommuabs_domain_create(w->abs, &config, &made),
			      iommuabs_domain_destroy(made, 0));
	ck_assert_int_eq(iommuabs_domain_destroy(made, 0), 0);
}
END_TEST

START_TEST(create_charges_its_reserve)
{
	struct iommuabs_domain_config config = {
		.size = sizeof(config),
		.quota_frames = 4,
	};
	struct iommuabs_domain *made;

	COVERS(iommuabs_domain_create, E_QUOTA);
	refused(iommuabs_domain_create(w->abs, &config, &made),
		IOMMUABS_E_QUOTA);
	config.quota_frames = 5; /* the ledger's root and four spare tables */
	ck_assert_int_eq(iommuabs_domain_create(w->abs, &config, &made), 0);
}
END_TEST

START_TEST(destroy_waits_for_devices_and_batches)
{
	struct iommuabs_batch batch;

	COVERS(iommuabs_domain_destroy, E_INVAL);
	COVERS(iommuabs_domain_destroy, E_BUSY);
	refused(iommuabs_domain_destroy(NULL, 0), IOMMUABS_E_INVAL);
	attach();
	refused(iommuabs_domain_destroy(dom, 0), IOMMUABS_E_BUSY);
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	ck_assert_int_eq(iommuabs_batch_init(&batch, dom), 0);
	refused(iommuabs_domain_destroy(dom, 0), IOMMUABS_E_BUSY);
	ck_assert_int_eq(iommuabs_batch_done(&batch), 0);
}
END_TEST

START_TEST(destroy_goes_in_bounded_steps)
{
	struct iommuabs_batch batch;
	unsigned int steps = 0;
	uint64_t i;
	int ret;

	COVERS(iommuabs_domain_destroy, E_AGAIN);
	COVERS(iommuabs_batch_init, E_BUSY);
	for (i = 0; i < 64; i++)
		ck_assert_int_eq(map(i * 0x1000, 0x100000 - 3 * i, 1, RW), 0);
	attach();
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	while ((ret = iommuabs_domain_destroy(dom, 16))) {
		ck_assert_int_eq(ret, IOMMUABS_E_AGAIN);
		ck_assert_int_eq(iommuabs_batch_init(&batch, dom),
				 IOMMUABS_E_BUSY);
		ck_assert_int_eq(map(1, 1, 1, RW), IOMMUABS_E_BUSY);
		steps++;
	}
	ck_assert_uint_gt(steps, 8);
}
END_TEST

START_TEST(map_refuses_bad_arguments)
{
	COVERS(iommuabs_domain_map, E_INVAL);
	refused(iommuabs_domain_map(NULL, GFN(0), MFN(RAM), 1, RW, NULL),
		IOMMUABS_E_INVAL);
	refused(map(0, 0, 0, RW), IOMMUABS_E_INVAL);
	refused(map(0, 0, 1, 0), IOMMUABS_E_INVAL);
	refused(map(0, 0, 1, IOMMUABS_DEVICE), IOMMUABS_E_INVAL);
	refused(map(0, 0, 1, RW | IOMMUABS_MEMTYPE), IOMMUABS_E_INVAL);
	refused(map(0, 0, 1, RW | 1u << 20), IOMMUABS_E_INVAL);
	refused(map((uint64_t)1 << 36, 0, 1, RW), IOMMUABS_E_INVAL);
	refused(map(((uint64_t)1 << 36) - 1, 0, 2, RW), IOMMUABS_E_INVAL);
	refused(map(UINT64_MAX, 0, 2, RW), IOMMUABS_E_INVAL);
	refused(iommuabs_domain_map(dom, GFN(0), MFN((uint64_t)1 << 40), 1, RW,
				    NULL),
		IOMMUABS_E_INVAL);
	refused(iommuabs_domain_map(dom, GFN(0), MFN(UINT64_MAX), 1, RW, NULL),
		IOMMUABS_E_INVAL);
}
END_TEST

START_TEST(identity_maps_only_itself)
{
	const struct iommuabs_domain_config config = {
		.size = sizeof(config),
		.flags = IOMMUABS_DOMAIN_IDENTITY,
	};
	const iommuabs_mfn_t other = MFN(RAM + 1);
	iommuabs_gfn_t gfn;
	uint64_t cursor = 0;
	uint32_t nr;

	COVERS(iommuabs_domain_map_list, E_INVAL);
	dom = domain_with(&config);
	refused(map(0, 0, 1, RW), IOMMUABS_E_INVAL);
	refused(iommuabs_domain_map_list(dom, GFN(RAM), &other, 1, RW, NULL),
		IOMMUABS_E_INVAL);
	refused(iommuabs_domain_map_list(dom, GFN(RAM), NULL, 1, RW, NULL),
		IOMMUABS_E_INVAL);
	ck_assert_int_eq(map(RAM, 0, 8, RW), 0);
	ck_assert_int_eq(
		iommuabs_domain_gfns(dom, MFN(RAM + 3), &cursor, &gfn, 1, &nr),
		0);
	ck_assert_uint_eq(nr, 1);
	ck_assert_uint_eq(gfn.frame, RAM + 3);
	/* Table memory is closed to it, tables or not. */
	refused(iommuabs_domain_map(dom, GFN(TEST_HOST_MFN + 0xff00),
				    MFN(TEST_HOST_MFN + 0xff00), 1, RW, NULL),
		IOMMUABS_E_PERM);
}
END_TEST

START_TEST(map_over_something_else_needs_replace)
{
	iommuabs_mfn_t list[3] = { MFN(RAM + 10), MFN(RAM + 40),
				   MFN(RAM + 12) };

	COVERS(iommuabs_domain_map, E_EXISTS);
	COVERS(iommuabs_domain_map_list, E_EXISTS);
	attach();
	ck_assert_int_eq(map(10, 10, 2, RW), 0);
	refused(map(10, 10, 2, RW), 0); /* the same: nothing happens */
	refused(map(10, 20, 1, RW), IOMMUABS_E_EXISTS);
	refused(map(9, 9, 3, IOMMUABS_READ), IOMMUABS_E_EXISTS);
	refused(map(10, 10, 1, RW | IOMMUABS_FOREIGN), IOMMUABS_E_EXISTS);
	refused(map(10, 10, 1, RW | IOMMUABS_FOREIGN | IOMMUABS_REPLACE),
		IOMMUABS_E_EXISTS);
	refused(iommuabs_domain_map_list(dom, GFN(10), list, 3, RW, NULL),
		IOMMUABS_E_EXISTS);
	ck_assert_int_eq(iommuabs_domain_map_list(dom, GFN(10), list, 3,
						  RW | IOMMUABS_REPLACE, NULL),
			 0);
}
END_TEST

START_TEST(a_frame_of_another_guest_is_refused)
{
	struct iommuabs_domain *other = world_domain(w);
	iommuabs_mfn_t list[2] = { MFN(RAM + 99), MFN(RAM + 5) };
	uint64_t table = dom->ledger.root >> 12;

	COVERS(iommuabs_domain_map, E_PERM);
	COVERS(iommuabs_domain_map_list, E_PERM);
	ck_assert_int_eq(map(0, 0, 16, RW), 0);
	dom = other;
	refused(map(0, 8, 16, RW), IOMMUABS_E_PERM);
	refused(iommuabs_domain_map_list(dom, GFN(7), list, 2, RW, NULL),
		IOMMUABS_E_PERM);
	/* A grant is fine; the library's own memory never is. */
	ck_assert_int_eq(map(0, 8, 4, RW | IOMMUABS_FOREIGN), 0);
	refused(iommuabs_domain_map(dom, GFN(50), MFN(table), 1,
				    RW | IOMMUABS_FOREIGN, NULL),
		IOMMUABS_E_PERM);
}
END_TEST

/* However many places of others it is granted at. */
START_TEST(a_frame_among_many_grants_has_its_owner)
{
	struct iommuabs_domain *owner = world_domain(w), *mine = dom;
	uint64_t gfn;

	for (gfn = 0; gfn < 80; gfn++)
		ck_assert_int_eq(map(gfn, 7, 1, RW | IOMMUABS_FOREIGN), 0);
	dom = owner;
	ck_assert_int_eq(map(0, 7, 1, RW), 0);
	/* The place that the reverse map has in its leaf goes. */
	dom = mine;
	ck_assert_int_eq(unmap(0, 1), 0);
	dom = world_domain(w);
	ck_assert_int_eq(map(0, 7, 1, RW), IOMMUABS_E_PERM);
	dom = mine;
}
END_TEST

/* A refusal leaves nothing behind, where all tables for the frame are there, too. */
START_TEST(a_table_that_is_refused_is_in_no_map)
{
	uint64_t table = dom->ledger.root >> 12, guest, maddr;

	/* A frame of the host's among those of tables. */
	ck_assert_int_eq(w->host->ops.table_alloc(w->host, NULL, 12, 0, &maddr),
			 0);
	guest = maddr >> 12;
	ck_assert_uint_eq(guest / 512, table / 512);
	ck_assert_int_eq(
		iommuabs_domain_map(dom, GFN(4), MFN(guest), 1, RW, NULL), 0);
	ck_assert_int_eq(
		iommuabs_domain_map(dom, GFN(5), MFN(table), 1, RW, NULL),
		IOMMUABS_E_PERM);
	ck_assert(!rmap_is_mapped(&w->abs->rmap, table, 1));
	ck_assert_int_eq(unmap(4, 1), 0);
	w->host->ops.table_free(w->host, NULL, maddr, 12);
}
END_TEST

static uint32_t levels_told;

static void note_levels(struct world_unit *unit, const struct backend_inv *inv)
{
	(void)unit;
	levels_told = inv->any_level;
}

/* Which levels the host's table had there is unknown; of ours it is known. */
START_TEST(a_shared_table_is_forgotten_at_any_level)
{
	if (_i)
		share();
	else
		attach();
	ck_assert_int_eq(map(1, 1, 2, RW), 0);
	w->unit[0].on_invalidate = note_levels;
	levels_told = 2;
	ck_assert_int_eq(unmap(1, 1), 0);
	ck_assert_uint_eq(levels_told, (uint32_t)_i);
	levels_told = 2;
	ck_assert_int_eq(
		iommuabs_domain_protect(dom, GFN(2), 1, IOMMUABS_READ, NULL),
		0);
	ck_assert_uint_eq(levels_told, (uint32_t)_i);
	w->unit[0].on_invalidate = NULL;
}
END_TEST

/* Where all tables are there, so that nothing but entries change. */
START_TEST(one_frame_is_granted_and_withheld_as_many_are)
{
	struct iommuabs_domain *other = world_domain(w), *mine = dom;

	attach();
	ck_assert_int_eq(map(1, 1, 1, RW), 0);
	ck_assert_int_eq(map(2, 2, 1, RW | IOMMUABS_FOREIGN), 0);
	ck_assert_int_eq(map(5, 5, 1, RW), 0);
	dom = other;
	ck_assert_int_eq(map(2, 2, 1, RW), 0);
	ck_assert_int_eq(map(5, 5, 1, RW), IOMMUABS_E_PERM);
	dom = mine;
	w->unit[0].invalidate = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(unmap(5, 1), IOMMUABS_E_TIMEOUT);
	dom = other;
	ck_assert_int_eq(map(5, 5, 1, RW), IOMMUABS_E_PERM);
	w->unit[0].invalidate = 0;
	ck_assert_int_eq(iommuabs_unit_recover(w->unit[0].unit, 0), 0);
	ck_assert_int_eq(map(5, 5, 1, RW), 0);
	dom = mine;
}
END_TEST

#define LARGE ((uint64_t)512)

/*
 * One leaf in the ledger, and one in the mirror or, where the frames are not
 * aligned, a table of small ones.
 */
START_TEST(a_large_leaf_is_withheld_as_a_frame_is)
{
	struct iommuabs_domain *other = world_domain(w), *mine = dom;
	uint64_t mfn = LARGE + (uint64_t)_i;

	attach();
	ck_assert_int_eq(map(LARGE, mfn, LARGE, RW), 0);
	w->unit[0].invalidate = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(unmap(LARGE, LARGE), IOMMUABS_E_TIMEOUT);
	ck_assert(!sees(LARGE) && !sees(2 * LARGE - 1));
	dom = other;
	ck_assert_int_eq(map(5, mfn, 1, RW), IOMMUABS_E_PERM);
	ck_assert_int_eq(map(5, mfn + LARGE - 1, 1, RW), IOMMUABS_E_PERM);
	w->unit[0].invalidate = 0;
	ck_assert_int_eq(iommuabs_unit_recover(w->unit[0].unit, 0), 0);
	ck_assert_int_eq(map(LARGE, mfn, LARGE, RW), 0);
	dom = mine;
	ck_assert_int_eq(unmap(LARGE, LARGE), 0); /* nothing is there */
}
END_TEST

/* What it is a part of stays, in every map. */
START_TEST(a_large_leaf_goes_from_among_its_like)
{
	struct iommuabs_domain *other = world_domain(w), *mine = dom;
	uint64_t mfn = LARGE + (uint64_t)_i, i;

	attach();
	ck_assert_int_eq(map(LARGE, mfn, 3 * LARGE, RW), 0);
	ck_assert_int_eq(unmap(2 * LARGE, LARGE), 0);
	ck_assert_int_eq(unmap(2 * LARGE, LARGE), 0);
	for (i = LARGE; i < 4 * LARGE; i++)
		ck_assert_int_eq(sees(i), i / LARGE != 2);
	dom = other;
	ck_assert_int_eq(map(1, mfn + LARGE - 1, 1, RW), IOMMUABS_E_PERM);
	ck_assert_int_eq(map(1, mfn + 2 * LARGE, 1, RW), IOMMUABS_E_PERM);
	ck_assert_int_eq(map(LARGE, mfn + LARGE, LARGE, RW), 0);
	dom = mine;
	/* Parts of two. */
	ck_assert_int_eq(map(4 * LARGE, mfn + 4 * LARGE, 2 * LARGE, RW), 0);
	ck_assert_int_eq(unmap(4 * LARGE + 5, LARGE), 0);
	for (i = 4 * LARGE; i < 6 * LARGE; i++)
		ck_assert_int_eq(sees(i), i - 4 * LARGE - 5 >= LARGE);
	/* Smaller leaves, or what only devices see, are not a leaf. */
	ck_assert_int_eq(unmap(LARGE + 7, 1), 0);
	ck_assert_int_eq(unmap(LARGE, LARGE), 0);
	ck_assert(!sees(LARGE));
	ck_assert_int_eq(unmap(3 * LARGE, LARGE), 0);
	ck_assert_int_eq(map(LARGE, mfn, LARGE, RW | IOMMUABS_DEVICE_ONLY), 0);
	ck_assert_int_eq(unmap(LARGE, LARGE), 0);
	ck_assert_uint_eq(dom->device_only, 0);
}
END_TEST

START_TEST(a_batch_is_of_one_domain)
{
	struct iommuabs_domain *other = world_domain(w);
	const iommuabs_mfn_t mfn = MFN(RAM);
	struct iommuabs_batch batch, never = { { 0 } };

	COVERS(iommuabs_domain_map, E_BUSY);
	COVERS(iommuabs_domain_map_list, E_BUSY);
	COVERS(iommuabs_domain_unmap, E_BUSY);
	COVERS(iommuabs_domain_protect, E_BUSY);
	COVERS(iommuabs_domain_refresh, E_BUSY);
	COVERS(iommuabs_batch_init, E_INVAL);
	COVERS(iommuabs_batch_sync, E_INVAL);
	COVERS(iommuabs_batch_done, E_INVAL);
	refused(iommuabs_batch_init(NULL, dom), IOMMUABS_E_INVAL);
	refused(iommuabs_batch_init(&batch, NULL), IOMMUABS_E_INVAL);
	refused(iommuabs_batch_sync(&never), IOMMUABS_E_INVAL);
	refused(iommuabs_batch_sync(NULL), IOMMUABS_E_INVAL);
	refused(iommuabs_batch_done(&never), IOMMUABS_E_INVAL);
	ck_assert_int_eq(iommuabs_batch_init(&batch, other), 0);
	refused(iommuabs_domain_map(dom, GFN(0), MFN(RAM), 1, RW, &batch),
		IOMMUABS_E_BUSY);
	refused(iommuabs_domain_map_list(dom, GFN(0), &mfn, 1, RW, &batch),
		IOMMUABS_E_BUSY);
	refused(iommuabs_domain_unmap(dom, GFN(0), 1, &batch), IOMMUABS_E_BUSY);
	refused(iommuabs_domain_protect(dom, GFN(0), 1, RW, &batch),
		IOMMUABS_E_BUSY);
	refused(iommuabs_domain_refresh(dom, GFN(0), 1, NULL, &batch),
		IOMMUABS_E_BUSY);
	refused(iommuabs_domain_unmap(dom, GFN(0), 1, &never),
		IOMMUABS_E_INVAL);
	ck_assert_int_eq(iommuabs_batch_done(&batch), 0);
	refused(iommuabs_batch_sync(&batch), IOMMUABS_E_INVAL);
}
END_TEST

START_TEST(a_full_batch_does_nothing_until_synced)
{
	iommuabs_mfn_t list[2] = { MFN(RAM + 7), MFN(RAM + 5) };
	struct iommuabs_batch batch;

	COVERS(iommuabs_domain_map, E_AGAIN);
	COVERS(iommuabs_domain_map_list, E_AGAIN);
	COVERS(iommuabs_domain_unmap, E_AGAIN);
	COVERS(iommuabs_domain_protect, E_AGAIN);
	COVERS(iommuabs_domain_refresh, E_AGAIN);
	attach();
	ck_assert_int_eq(map(0, 0, 2, RW), 0);
	ck_assert_int_eq(iommuabs_batch_init(&batch, dom), 0);
	batch_fill(&batch);
	refused(iommuabs_domain_unmap(dom, GFN(0), 1, &batch),
		IOMMUABS_E_AGAIN);
	refused(iommuabs_domain_protect(dom, GFN(0), 1, IOMMUABS_READ, &batch),
		IOMMUABS_E_AGAIN);
	refused(iommuabs_domain_map(dom, GFN(0), MFN(RAM + 9), 1,
				    RW | IOMMUABS_REPLACE, &batch),
		IOMMUABS_E_AGAIN);
	refused(iommuabs_domain_map_list(dom, GFN(0), list, 2,
					 RW | IOMMUABS_REPLACE, &batch),
		IOMMUABS_E_AGAIN);
	refused(iommuabs_domain_refresh(dom, GFN(0), 1, NULL, &batch),
		IOMMUABS_E_AGAIN);
	ck_assert_int_eq(iommuabs_batch_sync(&batch), 0);
	ck_assert_int_eq(iommuabs_domain_unmap(dom, GFN(0), 1, &batch), 0);
	ck_assert_int_eq(iommuabs_batch_done(&batch), 0);
}
END_TEST

static int unsynced_then_map(void)
{
	int ret = map(0x200, 0x200, 1024, RW);

	return ret;
}

START_TEST(map_takes_all_memory_first)
{
	COVERS(iommuabs_domain_map, E_NOMEM);
	attach();
	each_allocation_fails(unsynced_then_map(), unmap(0x200, 1024));
	each_allocation_fails(map(0x80000001, 0x5000, 600, RW),
			      unmap(0x80000001, 600));
}
END_TEST

START_TEST(map_list_takes_all_memory_first)
{
	iommuabs_mfn_t list[700];
	unsigned int i;

	COVERS(iommuabs_domain_map_list, E_NOMEM);
	for (i = 0; i < 700; i++)
		list[i] = MFN(RAM + 3 * i);
	attach();
	each_allocation_fails(
		iommuabs_domain_map_list(dom, GFN(100), list, 700, RW, NULL),
		unmap(100, 700));
}
END_TEST

START_TEST(a_quota_holds)
{
	const struct iommuabs_domain_config config = {
		.size = sizeof(config),
		.quota_frames = 8,
	};
	iommuabs_mfn_t list[2] = { MFN(RAM + 7), MFN(RAM + 5) };

	COVERS(iommuabs_domain_map, E_QUOTA);
	COVERS(iommuabs_domain_map_list, E_QUOTA);
	COVERS(iommuabs_domain_populate, E_QUOTA);
	dom = domain_with(&config);
	/* Root and four spare; three tables for the first page; then none. */
	ck_assert_int_eq(map(0, 0, 1, RW), 0);
	refused(map((uint64_t)1 << 27, 1, 1, RW), IOMMUABS_E_QUOTA);
	refused(iommuabs_domain_map_list(dom, GFN((uint64_t)1 << 27), list, 2,
					 RW, NULL),
		IOMMUABS_E_QUOTA);
	ck_assert_int_eq(iommuabs_domain_populate(dom, dev, 0),
			 IOMMUABS_E_QUOTA);
	ck_assert_int_eq(map(1, 1, 100, RW), 0);
}
END_TEST

START_TEST(device_only_and_sharing_exclude_each_other)
{
	const iommuabs_mfn_t mfn = MFN(RAM);
	const struct iommuabs_attach_options options = {
		.size = sizeof(options),
		.strategy = IOMMUABS_STRATEGY_SHARE,
	};
	enum iommuabs_share_reason reason;

	COVERS(iommuabs_domain_map, E_NOSHARE);
	COVERS(iommuabs_domain_map_list, E_NOSHARE);
	COVERS(iommuabs_domain_share_check, E_INVAL);
	share();
	refused(map(0, 0, 1, RW | IOMMUABS_DEVICE_ONLY), IOMMUABS_E_NOSHARE);
	refused(iommuabs_domain_map_list(dom, GFN(0), &mfn, 1,
					 RW | IOMMUABS_DEVICE_ONLY, NULL),
		IOMMUABS_E_NOSHARE);
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	ck_assert_int_eq(map(0, 0, 1, RW | IOMMUABS_DEVICE_ONLY), 0);
	refused(iommuabs_domain_share_check(dom, NULL, &reason),
		IOMMUABS_E_INVAL);
	ck_assert_int_eq(
		iommuabs_domain_share_check(dom, w->unit[0].unit, &reason), 0);
	ck_assert_int_eq(reason, IOMMUABS_SHARE_DEVICE_ONLY);
	refused(iommuabs_device_attach(dev, dom, &options, 0),
		IOMMUABS_E_NOSHARE);
	if (_i) /* or is replaced by what the p2m has, too */
		ck_assert_int_eq(map(0, 7, 1, RW | IOMMUABS_REPLACE), 0);
	else
		ck_assert_int_eq(unmap(0, 1), 0);
	ck_assert_int_eq(
		iommuabs_domain_share_check(dom, w->unit[0].unit, &reason), 0);
	ck_assert_int_eq(reason, IOMMUABS_SHARE_OK);
}
END_TEST

/* A device whose firmware wants [0x300, 0x304) mapped. */
static struct iommuabs_device *device_reserving(void)
{
	const struct iommuabs_reserved region = {
		.gfn = GFN(0x300),
		.mfn = MFN(RAM + 0x9000),
		.nr = 4,
		.flags = RW,
	};
	const struct iommuabs_stream_range range = {
		.unit = w->unit[0].unit,
		.first = 20,
		.nr = 1,
	};
	struct iommuabs_device_desc desc = world_device_desc(&range, 0);
	struct iommuabs_device *made;

	desc.reserved = &region;
	desc.nr_reserved = 1;
	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &made), 0);
	return made;
}

START_TEST(reserved_regions_are_kept_clear)
{
	struct iommuabs_explanation why = { .size = sizeof(why) };
	const iommuabs_mfn_t mfn = MFN(RAM);
	struct iommuabs_device *rmrr = device_reserving();

	COVERS(iommuabs_domain_map, E_RESERVED);
	COVERS(iommuabs_domain_map_list, E_RESERVED);
	ck_assert_int_eq(map(0x200, 0x200, 0x100, RW), 0);
	ck_assert_int_eq(iommuabs_device_attach(rmrr, dom, NULL, 0), 0);
	ck_assert_int_eq(iommuabs_device_explain(rmrr, GFN(0x302), RW, &why),
			 0);
	ck_assert_int_eq(why.obstacle, IOMMUABS_OBSTACLE_NONE);
	ck_assert_uint_eq(why.mfn.frame, RAM + 0x9002);
	refused(map(0x2ff, 0, 2, RW | IOMMUABS_REPLACE), IOMMUABS_E_RESERVED);
	refused(iommuabs_domain_map_list(dom, GFN(0x303), &mfn, 1, RW, NULL),
		IOMMUABS_E_RESERVED);
	/* A removal around it leaves it, for it is no mapping of the host's. */
	ck_assert_int_eq(unmap(0x200, 0x400), 0);
	ck_assert_int_eq(iommuabs_device_explain(rmrr, GFN(0x300), RW, &why),
			 0);
	ck_assert_int_eq(why.obstacle, IOMMUABS_OBSTACLE_NONE);
	ck_assert_int_eq(iommuabs_device_detach(rmrr, 0), 0);
	ck_assert_int_eq(map(0x300, 0x9000, 4, RW), 0);
}
END_TEST

START_TEST(what_a_device_needs_can_not_be_taken_away)
{
	struct iommuabs_device *rmrr = device_reserving();

	COVERS(iommuabs_domain_unmap, E_RESERVED);
	COVERS(iommuabs_domain_protect, E_RESERVED);
	COVERS(iommuabs_domain_refresh, E_RESERVED);
	ck_assert_int_eq(map(0x300, 0x9000, 4, RW), 0);
	ck_assert_int_eq(iommuabs_device_attach(rmrr, dom, NULL, 0), 0);
	refused(unmap(0x301, 1), IOMMUABS_E_RESERVED);
	refused(iommuabs_domain_protect(dom, GFN(0x300), 4, IOMMUABS_READ,
					NULL),
		IOMMUABS_E_RESERVED);
	ck_assert_int_eq(
		iommuabs_domain_refresh(dom, GFN(0x300), 4, NULL, NULL),
		IOMMUABS_E_RESERVED);
	ck_assert_int_eq(iommuabs_device_detach(rmrr, 0), 0);
	ck_assert_int_eq(unmap(0x301, 1), 0);
}
END_TEST

START_TEST(a_timeout_withholds_until_recovery)
{
	iommuabs_gfn_t gfns[2];
	iommuabs_mfn_t mfn;
	uint64_t cursor = 0;
	uint32_t nr;

	COVERS(iommuabs_domain_unmap, E_TIMEOUT);
	COVERS(iommuabs_domain_unmap, E_FENCED);
	COVERS(iommuabs_domain_map, E_FENCED);
	COVERS(iommuabs_domain_map_list, E_FENCED);
	attach();
	ck_assert_int_eq(map(0, 0, 8, RW), 0);
	w->unit[0].invalidate = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(unmap(0, 2), IOMMUABS_E_TIMEOUT);
	ck_assert_uint_eq(w->unit[0].fences, 1);
	w->unit[0].invalidate = 0;
	ck_assert_int_eq(unmap(2, 1), IOMMUABS_E_FENCED);
	ck_assert_int_eq(iommuabs_domain_translate(dom, GFN(0), &mfn, NULL),
			 IOMMUABS_E_NOENT);
	ck_assert_int_eq(
		iommuabs_domain_gfns(dom, MFN(RAM), &cursor, gfns, 2, &nr), 0);
	ck_assert_uint_eq(nr, 1);
	mfn = MFN(RAM + 70);
	refused(map(0, 70, 1, RW), IOMMUABS_E_FENCED);
	refused(iommuabs_domain_map_list(dom, GFN(1), &mfn, 1, RW, NULL),
		IOMMUABS_E_FENCED);
	/* Additions elsewhere go on. */
	ck_assert_int_eq(map(100, 100, 4, RW), 0);
	ck_assert_int_eq(iommuabs_unit_recover(w->unit[0].unit, 0), 0);
	cursor = 0;
	ck_assert_int_eq(
		iommuabs_domain_gfns(dom, MFN(RAM), &cursor, gfns, 2, &nr), 0);
	ck_assert_uint_eq(nr, 0);
	ck_assert_int_eq(map(0, 70, 1, RW), 0);
}
END_TEST

START_TEST(a_replace_that_times_out_maps_nothing)
{
	iommuabs_mfn_t list[2] = { MFN(RAM + 77), MFN(RAM + 75) }, mfn;
	struct iommuabs_domain *other = world_domain(w);

	COVERS(iommuabs_domain_map, E_TIMEOUT);
	COVERS(iommuabs_domain_map_list, E_TIMEOUT);
	attach();
	ck_assert_int_eq(map(0, 0, 8, RW), 0);
	w->unit[0].invalidate = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(map(0, 70, 1, RW | IOMMUABS_REPLACE),
			 IOMMUABS_E_TIMEOUT);
	ck_assert_int_eq(iommuabs_domain_translate(dom, GFN(0), &mfn, NULL),
			 IOMMUABS_E_NOENT);
	w->unit[0].invalidate = 0;
	ck_assert_int_eq(iommuabs_unit_recover(w->unit[0].unit, 0), 0);
	w->unit[0].invalidate = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(iommuabs_domain_map_list(dom, GFN(4), list, 2,
						  RW | IOMMUABS_REPLACE, NULL),
			 IOMMUABS_E_TIMEOUT);
	/* So is what was to have other flags: nobody reaches it. */
	ck_assert_int_eq(map(6, 6, 1, IOMMUABS_READ | IOMMUABS_REPLACE),
			 IOMMUABS_E_FENCED);
	ck_assert_int_eq(iommuabs_domain_translate(dom, GFN(6), &mfn, NULL),
			 IOMMUABS_E_NOENT);
	/* The new frames are anybody's again, the old ones are withheld. */
	dom = other;
	ck_assert_int_eq(map(0, 70, 8, RW), 0);
	refused(map(100, 4, 1, RW), IOMMUABS_E_PERM);
}
END_TEST

START_TEST(a_batch_that_times_out_is_the_domains_debt)
{
	struct iommuabs_batch batch;

	COVERS(iommuabs_batch_sync, E_TIMEOUT);
	COVERS(iommuabs_batch_sync, E_FENCED);
	COVERS(iommuabs_batch_done, E_TIMEOUT);
	COVERS(iommuabs_batch_done, E_FENCED);
	attach();
	ck_assert_int_eq(map(0, 0, 2048, RW), 0);
	ck_assert_int_eq(iommuabs_batch_init(&batch, dom), 0);
	ck_assert_int_eq(iommuabs_domain_unmap(dom, GFN(0), 600, &batch), 0);
	w->unit[0].invalidate = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(iommuabs_batch_sync(&batch), IOMMUABS_E_TIMEOUT);
	ck_assert_int_eq(iommuabs_batch_sync(&batch), 0);
	ck_assert_int_eq(iommuabs_domain_unmap(dom, GFN(700), 1, &batch), 0);
	ck_assert_int_eq(iommuabs_batch_sync(&batch), IOMMUABS_E_FENCED);
	ck_assert_int_eq(iommuabs_domain_unmap(dom, GFN(701), 1, &batch), 0);
	ck_assert_int_eq(iommuabs_batch_done(&batch), IOMMUABS_E_FENCED);
	w->unit[0].invalidate = 0;
	ck_assert_int_eq(iommuabs_unit_recover(w->unit[0].unit, 0), 0);
	ck_assert_int_eq(iommuabs_batch_init(&batch, dom), 0);
	ck_assert_int_eq(iommuabs_domain_unmap(dom, GFN(1000), 1, &batch), 0);
	w->unit[0].invalidate = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(iommuabs_batch_done(&batch), IOMMUABS_E_TIMEOUT);
}
END_TEST

START_TEST(unmap_refuses_bad_arguments)
{
	COVERS(iommuabs_domain_unmap, E_INVAL);
	refused(iommuabs_domain_unmap(NULL, GFN(0), 1, NULL), IOMMUABS_E_INVAL);
	refused(unmap(0, 0), IOMMUABS_E_INVAL);
	refused(unmap((uint64_t)1 << 36, 1), IOMMUABS_E_INVAL);
	refused(unmap(5, UINT64_MAX), IOMMUABS_E_INVAL);
	refused(unmap(0, (uint64_t)1 << 36), 0);
}
END_TEST

/* Neither the host nor a reserve has a table left: a leaf can't be split. */
static void starve(void)
{
	uint64_t gfn = (uint64_t)1 << 30;
	int ret;

	do {
		w->host->fail_always = 0;
		ck_assert_int_eq(map(gfn, gfn, 512, RW), 0);
		w->host->fail_always = 1;
		ret = unmap(gfn + 1, 1);
		gfn += 512;
	} while (!ret);
	ck_assert_int_eq(ret, IOMMUABS_E_NOMEM);
}

/* What a split takes was put by when the mirror was made. */
START_TEST(an_unmap_without_memory_splits_from_the_reserve)
{
	struct iommuabs_explanation why = { .size = sizeof(why) };
	uint64_t gfn;

	attach();
	ck_assert_int_eq(map(0, 0, 512, RW), 0);
	w->host->fail_always = 1;
	ck_assert_int_eq(unmap(3, 2), 0);
	w->host->fail_always = 0;
	for (gfn = 0; gfn < 8; gfn++) {
		ck_assert_int_eq(
			iommuabs_device_explain(dev, GFN(gfn), RW, &why), 0);
		ck_assert_int_eq(why.obstacle != IOMMUABS_OBSTACLE_NONE,
				 gfn == 3 || gfn == 4);
	}
}
END_TEST

/* The unit may walk all of them until it is recovered; then they are free. */
START_TEST(tables_of_several_removals_that_failed_go_back)
{
	uint64_t i, used;

	attach();
	used = dom->account.used;
	for (i = 0; i < 3; i++)
		ck_assert_int_eq(map(i * 512, i * 512 + 1, 512, RW), 0);
	w->unit[0].invalidate = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(unmap(0, 512), IOMMUABS_E_TIMEOUT);
	ck_assert_int_eq(unmap(512, 512), IOMMUABS_E_FENCED);
	ck_assert_int_eq(unmap(1024, 512), IOMMUABS_E_FENCED);
	ck_assert_uint_gt(dom->account.used, used);
	ck_assert_uint_eq(dom->views->tables_out, 3);
	w->unit[0].invalidate = 0;
	ck_assert_int_eq(iommuabs_unit_recover(w->unit[0].unit, 0), 0);
	ck_assert_uint_eq(dom->views->tables_out, 0);
}
END_TEST

START_TEST(an_unmap_without_memory_takes_the_whole_leaf)
{
	struct iommuabs_explanation why = { .size = sizeof(why) };
	iommuabs_mfn_t mfn;

	COVERS(iommuabs_domain_unmap, E_NOMEM);
	attach();
	ck_assert_int_eq(map(0, 0, 512, RW), 0);
	ck_assert_int_eq(map(512, 512, 4, RW), 0);
	starve();
	ck_assert_int_eq(unmap(3, 1), IOMMUABS_E_NOMEM);
	ck_assert_int_eq(iommuabs_device_explain(dev, GFN(7), RW, &why), 0);
	ck_assert_int_ne(why.obstacle, IOMMUABS_OBSTACLE_NONE);
	ck_assert_int_eq(iommuabs_domain_translate(dom, GFN(512), &mfn, NULL),
			 0);
	w->host->fail_always = 0;
	/* Repeating finishes it; the rest of the leaf may be mapped again. */
	ck_assert_int_eq(unmap(3, 1), 0);
	ck_assert_int_eq(map(0, 0, 3, RW), 0);
	ck_assert_int_eq(map(4, 4, 508, RW), 0);
	ck_assert_int_eq(iommuabs_device_explain(dev, GFN(7), RW, &why), 0);
	ck_assert_int_eq(why.obstacle, IOMMUABS_OBSTACLE_NONE);
}
END_TEST

static uint32_t places(uint64_t mfn)
{
	iommuabs_gfn_t gfns[2];
	uint64_t cursor = 0;
	uint32_t nr;

	ck_assert_int_eq(iommuabs_domain_gfns(dom, MFN(RAM + mfn), &cursor,
					      gfns, 2, &nr),
			 0);
	return nr;
}

/*
 * A leaf of the reverse map reaches from one leaf of the ledger into the next:
 * what goes, and comes back, is the same in both.
 */
START_TEST(what_goes_without_memory_is_released_on_recovery)
{
	uint64_t gfn, gone = 0, i;
	iommuabs_mfn_t mfn;
	int ret;

	attach();
	for (i = 0; i < 20; i++)
		ck_assert_int_eq(map(i * 2048, i * 2048 + 256, 1024, RW), 0);
	ck_assert_int_eq(map(1024, 0, 1, RW), 0);
	w->host->fail_always = 1;
	for (i = 1, ret = 0; i < 20; i++)
		ret |= unmap(i * 2048 + 300, 1);
	ck_assert_int_eq(ret, IOMMUABS_E_NOMEM);
	ck_assert_int_eq(unmap(300, 1), IOMMUABS_E_NOMEM);
	w->host->fail_always = 0;
	w->unit[0].invalidate = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(unmap(1024, 1), IOMMUABS_E_TIMEOUT);
	w->unit[0].invalidate = 0;
	ck_assert_int_eq(iommuabs_unit_recover(w->unit[0].unit, 0), 0);
	for (gfn = 0; gfn < 1024; gfn++) {
		ret = iommuabs_domain_translate(dom, GFN(gfn), &mfn, NULL);
		ck_assert_uint_eq(places(256 + gfn), !ret);
		gone += !!ret;
	}
	ck_assert_uint_ge(gone, 512);
	ck_assert_int_eq(map(0, 256, gone, RW), 0);
}
END_TEST

/* Others' debts are paid first, of a part of what was one leaf. */
START_TEST(a_part_of_what_is_unsynced_can_be_mapped_again)
{
	struct iommuabs_batch batch;
	iommuabs_mfn_t mfn;

	attach();
	ck_assert_int_eq(map(0, 7, 1024, RW), 0);
	ck_assert_int_eq(iommuabs_batch_init(&batch, dom), 0);
	ck_assert_int_eq(iommuabs_domain_unmap(dom, GFN(0), 1024, &batch), 0);
	w->host->fail_always = 1;
	refused(map(600, 607, 1, RW), IOMMUABS_E_NOMEM);
	w->host->fail_always = 0;
	ck_assert_int_eq(map(600, 607, 1, RW), 0);
	ck_assert_int_eq(iommuabs_domain_translate(dom, GFN(600), &mfn, NULL),
			 0);
	ck_assert_uint_eq(mfn.frame, RAM + 607);
	ck_assert_uint_eq(places(606), 1); /* unsynced still */
	ck_assert_int_eq(iommuabs_batch_sync(&batch), 0);
	ck_assert_uint_eq(places(606), 0);
	ck_assert_uint_eq(places(607), 1);
	ck_assert_uint_eq(places(608), 0);
	ck_assert_int_eq(iommuabs_batch_done(&batch), 0);
}
END_TEST

/* Whoever meets what another's batch took away, and can't have it forgotten. */
START_TEST(what_was_not_forgotten_for_a_map_is_withheld)
{
	struct iommuabs_batch batch;

	attach();
	ck_assert_int_eq(map(0, 0, 8, RW), 0);
	ck_assert_int_eq(iommuabs_batch_init(&batch, dom), 0);
	ck_assert_int_eq(iommuabs_domain_unmap(dom, GFN(0), 8, &batch), 0);
	w->unit[0].invalidate = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(map(0, 70, 1, RW), IOMMUABS_E_TIMEOUT);
	w->unit[0].invalidate = 0;
	ck_assert_uint_eq(places(0), 1);
	ck_assert_int_eq(iommuabs_unit_recover(w->unit[0].unit, 0), 0);
	ck_assert_uint_eq(places(0), 0);
	ck_assert_uint_eq(places(1), 1); /* the batch's */
	ck_assert_int_eq(iommuabs_batch_done(&batch), 0);
	ck_assert_uint_eq(places(1), 0);
}
END_TEST

/* To take it away again, with nobody left to forget it, changes nothing. */
START_TEST(what_is_withheld_stays_so_until_recovery)
{
	attach();
	ck_assert_int_eq(map(0, 0, 8, RW), 0);
	w->unit[0].invalidate = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(unmap(0, 2), IOMMUABS_E_TIMEOUT);
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	(void)unmap(0, 8);
	ck_assert_uint_eq(places(0), 1);
	w->unit[0].invalidate = 0;
	ck_assert_int_eq(iommuabs_unit_recover(w->unit[0].unit, 0), 0);
	ck_assert_uint_eq(places(0), 0);
}
END_TEST

/* Neither the host nor the reserve has a page for the reverse map. */
static void starve_rmap(void)
{
	struct rmap *rmap = &w->abs->rmap;

	rmap->reserve_missing += rmap->reserve.nr;
	tablemem_pool_drain(rmap->mem, &rmap->account, &rmap->reserve);
	rmap->account.limit = rmap->account.used;
}

START_TEST(a_place_that_cannot_be_cut_is_not_replaced)
{
	ck_assert_int_eq(map(0, 0, 512, RW), 0);
	ck_assert_int_eq(map(600, 600, 1, RW), 0); /* with its tables */
	starve_rmap();
	refused(map(3, 601, 1, RW | IOMMUABS_REPLACE), IOMMUABS_E_NOMEM);
	w->abs->rmap.account.limit = 0;
	ck_assert_int_eq(map(3, 601, 1, RW | IOMMUABS_REPLACE), 0);
	ck_assert_uint_eq(places(3), 0);
}
END_TEST

/* Of each: one end lies in the middle of a leaf. */
START_TEST(places_end_where_a_removal_does)
{
	ck_assert_int_eq(map(0, 0, 512, RW), 0);
	ck_assert_int_eq(map(1024, 1024, 512, RW), 0);
	ck_assert_int_eq(unmap(256, 1024), 0);
	ck_assert_uint_eq(places(255), 1);
	ck_assert_uint_eq(places(256), 0);
	ck_assert_uint_eq(places(1024), 0);
	ck_assert_uint_eq(places(1279), 0);
	ck_assert_uint_eq(places(1280), 1);
}
END_TEST

static struct backend_range told[4];
static uint32_t nr_told;

static void note_ranges(struct world_unit *unit, const struct backend_inv *inv)
{
	uint32_t i;

	(void)unit;
	nr_told = inv->nr;
	for (i = 0; i < IA_MIN(inv->nr, IA_COUNT(told)); i++)
		told[i] = inv->ranges[i];
}

START_TEST(neighbours_join_from_either_side)
{
	struct iommuabs_batch batch;
	uint64_t gfn;

	attach();
	ck_assert_int_eq(map(0, 0, 8, RW), 0);
	ck_assert_int_eq(iommuabs_batch_init(&batch, dom), 0);
	for (gfn = 5; gfn > 2; gfn--)
		ck_assert_int_eq(
			iommuabs_domain_unmap(dom, GFN(gfn), 1, &batch), 0);
	ck_assert_int_eq(iommuabs_domain_unmap(dom, GFN(6), 1, &batch), 0);
	w->unit[0].on_invalidate = note_ranges;
	ck_assert_int_eq(iommuabs_batch_done(&batch), 0);
	w->unit[0].on_invalidate = NULL;
	ck_assert_uint_eq(nr_told, 1);
	ck_assert_uint_eq(told[0].gfn, 3);
	ck_assert_uint_eq(told[0].nr, 4);
	for (gfn = 0; gfn < 8; gfn++)
		ck_assert_uint_eq(places(gfn), gfn < 3 || gfn > 6);
}
END_TEST

/*
 * A removal has unlinked the table of gfns where nothing was, too. What comes
 * there has a new one; units forget the old one before, if they are to see it.
 */
START_TEST(a_new_table_follows_one_that_is_forgotten)
{
	struct iommuabs_batch batch;
	unsigned int before;

	attach();
	ck_assert_int_eq(map(0, 0, 4, RW), 0);
	ck_assert_int_eq(map(512, 512, 4, RW), 0);
	ck_assert_int_eq(iommuabs_batch_init(&batch, dom), 0);
	ck_assert_int_eq(iommuabs_domain_unmap(dom, GFN(0), 512, &batch), 0);
	ck_assert_uint_eq(dom->views->tables_out, 1);
	before = w->unit[0].invalidates;
	levels_told = 2;
	w->unit[0].on_invalidate = note_levels;
	if (_i)
		ck_assert_int_eq(map(511, 90, 2, RW | IOMMUABS_REPLACE), 0);
	else
		ck_assert_int_eq(map(511, 90, 1, RW), 0);
	w->unit[0].on_invalidate = NULL;
	ck_assert_uint_gt(w->unit[0].invalidates, before);
	if (_i) /* else: everything */
		ck_assert_uint_eq(levels_told, 1);
	ck_assert_int_eq(iommuabs_batch_done(&batch), 0);
}
END_TEST

/* More tables go than a batch holds, and the unit hangs at the first of them. */
START_TEST(a_removal_tells_of_a_timeout_in_its_middle)
{
	uint64_t i;

	attach();
	for (i = 0; i < 16; i++)
		ck_assert_int_eq(map(i * 512, i * 512 + 1, 512, RW), 0);
	w->unit[0].invalidate_fails = 1;
	ck_assert_int_eq(unmap(0, 16 * 512), IOMMUABS_E_TIMEOUT);
	ck_assert_int_eq(iommuabs_unit_recover(w->unit[0].unit, 0), 0);
	ck_assert_uint_eq(dom->views->tables_out, 0);
	ck_assert_uint_eq(places(1), 0);
}
END_TEST

/* What a removal lacks is memory, whoever limits it. */
START_TEST(an_unmap_beyond_its_quota_lacks_memory)
{
	uint64_t gfn = 0;
	int ret;

	attach();
	do {
		dom->account.limit = 0;
		ck_assert_int_eq(map(gfn, gfn, 512, RW), 0);
		dom->account.limit = dom->account.used;
		ret = unmap(gfn + 1, 1);
		gfn += 512;
	} while (!ret);
	ck_assert_int_eq(ret, IOMMUABS_E_NOMEM);
	dom->account.limit = 0;
}
END_TEST

/* Whichever of two units is the first that is asked. */
START_TEST(a_timeout_is_told_before_a_fence_of_before)
{
	const struct world_unit *second = world_unit_add(w);
	const struct iommuabs_stream_range ranges[2] = {
		{ w->unit[0].unit, 30, 1, 0 },
		{ second->unit, 30, 1, 0 },
	};
	struct iommuabs_device_desc desc = world_device_desc(ranges, 0);
	struct iommuabs_device *both;

	desc.nr_streams = 2;
	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &both), 0);
	ck_assert_int_eq(iommuabs_device_attach(both, dom, NULL, 0), 0);
	ck_assert_int_eq(map(0, 0, 8, RW), 0);
	unit_fence(w->unit[_i].unit, IOMMUABS_E_TIMEOUT);
	ck_assert_int_eq(unmap(0, 1), IOMMUABS_E_FENCED);
	w->unit[!_i].invalidate = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(unmap(1, 1), IOMMUABS_E_TIMEOUT);
	w->unit[!_i].invalidate = 0;
}
END_TEST

/* Also where nobody keeps places, so that there is little to be read. */
START_TEST(device_only_is_counted_without_places)
{
	const struct iommuabs_domain_config config = {
		.size = sizeof(config),
		.flags = IOMMUABS_DOMAIN_HOST | IOMMUABS_DOMAIN_NO_REVERSE_MAP,
	};

	dom = domain_with(&config);
	ck_assert_int_eq(map(0, 0, 3, RW | IOMMUABS_DEVICE_ONLY), 0);
	ck_assert_int_eq(unmap(0, 1), 0);
	ck_assert_uint_eq(dom->device_only, 2);
	ck_assert_int_eq(unmap(0, 4), 0);
	ck_assert_uint_eq(dom->device_only, 0);
}
END_TEST

/* From the first gfn to the last, by one batch or by several. */
START_TEST(all_that_is_withheld_is_released_on_recovery)
{
	const uint64_t last = ((uint64_t)1 << (dom->input_bits - 12)) - 1;
	struct iommuabs_batch batch[2];
	uint64_t i;

	share();
	ck_assert_int_eq(map(last, 9, 1, RW), 0);
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(map(i, i, 1, RW), 0);
		ck_assert_int_eq(iommuabs_batch_init(&batch[i], dom), 0);
		ck_assert_int_eq(
			iommuabs_domain_map(dom, GFN(i), MFN(RAM + 20 + i), 1,
					    RW | IOMMUABS_REPLACE, &batch[i]),
			0);
	}
	w->unit[0].invalidate = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(iommuabs_batch_done(&batch[0]), IOMMUABS_E_TIMEOUT);
	ck_assert_int_eq(iommuabs_batch_done(&batch[1]), IOMMUABS_E_FENCED);
	ck_assert_int_eq(unmap(last, 1), IOMMUABS_E_FENCED);
	w->unit[0].invalidate = 0;
	for (i = 0; i < 3; i++)
		ck_assert_uint_eq(places(i < 2 ? i : 9), 1);
	ck_assert_int_eq(iommuabs_unit_recover(w->unit[0].unit, 0), 0);
	for (i = 0; i < 3; i++)
		ck_assert_uint_eq(places(i < 2 ? i : 9), 0);
}
END_TEST

START_TEST(a_protect_without_memory_takes_the_whole_leaf)
{
	struct iommuabs_explanation why = { .size = sizeof(why) };

	COVERS(iommuabs_domain_protect, E_NOMEM);
	attach();
	ck_assert_int_eq(map(0, 0, 512, RW), 0);
	starve();
	ck_assert_int_eq(
		iommuabs_domain_protect(dom, GFN(3), 1, IOMMUABS_READ, NULL),
		IOMMUABS_E_NOMEM);
	ck_assert_int_eq(iommuabs_device_explain(dev, GFN(3), RW, &why), 0);
	ck_assert_int_ne(why.obstacle, IOMMUABS_OBSTACLE_NONE);
	w->host->fail_always = 0;
}
END_TEST

START_TEST(protect_refuses_holes_and_bad_arguments)
{
	struct iommuabs_batch batch;

	COVERS(iommuabs_domain_protect, E_INVAL);
	COVERS(iommuabs_domain_protect, E_NOENT);
	refused(iommuabs_domain_protect(NULL, GFN(0), 1, RW, NULL),
		IOMMUABS_E_INVAL);
	refused(iommuabs_domain_protect(dom, GFN(0), 0, RW, NULL),
		IOMMUABS_E_INVAL);
	refused(iommuabs_domain_protect(dom, GFN(0), 1, 0, NULL),
		IOMMUABS_E_INVAL);
	refused(iommuabs_domain_protect(dom, GFN(0), 1, RW | IOMMUABS_DEVICE,
					NULL),
		IOMMUABS_E_INVAL);
	ck_assert_int_eq(map(0, 0, 4, RW), 0);
	ck_assert_int_eq(map(5, 5, 4, RW), 0);
	refused(iommuabs_domain_protect(dom, GFN(0), 6, IOMMUABS_READ, NULL),
		IOMMUABS_E_NOENT);
	/* What is on its way out is as good as gone. */
	attach();
	ck_assert_int_eq(iommuabs_batch_init(&batch, dom), 0);
	ck_assert_int_eq(iommuabs_domain_unmap(dom, GFN(1), 1, &batch), 0);
	refused(iommuabs_domain_protect(dom, GFN(0), 4, IOMMUABS_READ, NULL),
		IOMMUABS_E_NOENT);
	ck_assert_int_eq(iommuabs_batch_done(&batch), 0);
}
END_TEST

START_TEST(a_protect_that_times_out_has_fenced)
{
	COVERS(iommuabs_domain_protect, E_TIMEOUT);
	COVERS(iommuabs_domain_protect, E_FENCED);
	attach();
	ck_assert_int_eq(map(0, 0, 4, RW), 0);
	w->unit[0].invalidate = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(
		iommuabs_domain_protect(dom, GFN(0), 1, IOMMUABS_READ, NULL),
		IOMMUABS_E_TIMEOUT);
	ck_assert_uint_eq(w->unit[0].fences, 1);
	ck_assert_int_eq(
		iommuabs_domain_protect(dom, GFN(1), 1, IOMMUABS_READ, NULL),
		IOMMUABS_E_FENCED);
}
END_TEST

START_TEST(questions_answer_bad_arguments)
{
	iommuabs_gfn_t gfn;
	iommuabs_mfn_t mfn;
	uint64_t cursor = 0, done, total;
	uint32_t nr;

	COVERS(iommuabs_domain_translate, E_INVAL);
	COVERS(iommuabs_domain_translate, E_NOENT);
	COVERS(iommuabs_domain_gfns, E_INVAL);
	COVERS(iommuabs_domain_progress, E_INVAL);
	refused(iommuabs_domain_translate(NULL, GFN(0), &mfn, NULL),
		IOMMUABS_E_INVAL);
	refused(iommuabs_domain_translate(dom, GFN(0), NULL, NULL),
		IOMMUABS_E_INVAL);
	refused(iommuabs_domain_translate(dom, GFN((uint64_t)1 << 36), &mfn,
					  NULL),
		IOMMUABS_E_INVAL);
	refused(iommuabs_domain_translate(dom, GFN(0), &mfn, NULL),
		IOMMUABS_E_NOENT);
	refused(iommuabs_domain_gfns(NULL, MFN(0), &cursor, &gfn, 1, &nr),
		IOMMUABS_E_INVAL);
	refused(iommuabs_domain_gfns(dom, MFN(0), NULL, &gfn, 1, &nr),
		IOMMUABS_E_INVAL);
	refused(iommuabs_domain_gfns(dom, MFN(0), &cursor, NULL, 1, &nr),
		IOMMUABS_E_INVAL);
	refused(iommuabs_domain_gfns(dom, MFN(0), &cursor, &gfn, 0, &nr),
		IOMMUABS_E_INVAL);
	refused(iommuabs_domain_gfns(dom, MFN((uint64_t)1 << 40), &cursor, &gfn,
				     1, &nr),
		IOMMUABS_E_INVAL);
	refused(iommuabs_domain_progress(NULL, &done, &total),
		IOMMUABS_E_INVAL);
	refused(iommuabs_domain_progress(dom, NULL, &total), IOMMUABS_E_INVAL);
	ck_assert_int_eq(iommuabs_domain_progress(dom, &done, &total), 0);
	ck_assert_uint_eq(done, total);
}
END_TEST

START_TEST(a_domain_without_reverse_map_says_so)
{
	const struct iommuabs_domain_config config = {
		.size = sizeof(config),
		.flags = IOMMUABS_DOMAIN_HOST | IOMMUABS_DOMAIN_NO_REVERSE_MAP,
	};
	iommuabs_gfn_t gfn;
	uint64_t cursor = 0;
	uint32_t nr;

	COVERS(iommuabs_domain_gfns, E_NOTSUP);
	dom = domain_with(&config);
	ck_assert_int_eq(map(0, 0, 1, RW), 0);
	refused(iommuabs_domain_gfns(dom, MFN(RAM), &cursor, &gfn, 1, &nr),
		IOMMUABS_E_NOTSUP);
}
END_TEST

static struct iommuabs_domain *domain_of_p2m(void)
{
	const struct iommuabs_domain_config config = {
		.size = sizeof(config),
		.source = IOMMUABS_SOURCE_P2M,
	};

	return domain_with(&config);
}

START_TEST(a_p2m_is_read_before_it_is_known)
{
	iommuabs_gfn_t gfn;
	iommuabs_mfn_t mfn;
	uint64_t cursor = 0, done, total;
	uint32_t nr;

	COVERS(iommuabs_domain_translate, E_NOTREADY);
	COVERS(iommuabs_domain_gfns, E_NOTREADY);
	dom = domain_of_p2m();
	refused(iommuabs_domain_translate(dom, GFN(0), &mfn, NULL),
		IOMMUABS_E_NOTREADY);
	refused(iommuabs_domain_gfns(dom, MFN(0), &cursor, &gfn, 1, &nr),
		IOMMUABS_E_NOTREADY);
	ck_assert_int_eq(iommuabs_domain_progress(dom, &done, &total), 0);
	ck_assert_uint_lt(done, total);
	walk_runs[0] =
		(struct iommuabs_p2m_run){ GFN(0x40), MFN(RAM + 3), 7, RW };
	walk_nr = 1;
	attach();
	ck_assert_uint_gt(walks, 0);
	ck_assert_int_eq(iommuabs_domain_translate(dom, GFN(0x41), &mfn, NULL),
			 0);
	ck_assert_uint_eq(mfn.frame, RAM + 4);
	ck_assert_int_eq(
		iommuabs_domain_gfns(dom, MFN(RAM + 3), &cursor, &gfn, 1, &nr),
		0);
	ck_assert_uint_eq(nr, 1);
}
END_TEST

static void change_meanwhile(void)
{
	ck_assert_int_eq(
		iommuabs_domain_refresh(dom, GFN(0x9000), 1, NULL, NULL), 0);
}

static void change_once(void)
{
	/* The refresh walks too: only the outer walk is disturbed. */
	during_walk = NULL;
	change_meanwhile();
	during_walk = change_once;
}

START_TEST(populate_answers_its_errors)
{
	const struct iommuabs_unit_desc desc = {
		.size = sizeof(desc),
		.type = IOMMUABS_UNIT_OTHER,
		.base = 0x7000000,
		.length = 0x1000,
	};
	struct iommuabs_stream_range range = { .first = 1, .nr = 1 };
	struct iommuabs_device_desc none = { .size = sizeof(none) }, ddesc;
	struct iommuabs_device *untranslated, *driverless;
	struct iommuabs_unit *unit;

	COVERS(iommuabs_domain_populate, E_INVAL);
	COVERS(iommuabs_domain_populate, E_UNTRANSLATED);
	COVERS(iommuabs_domain_populate, E_NODRIVER);
	COVERS(iommuabs_domain_populate, E_NOSHARE);
	COVERS(iommuabs_domain_populate, E_NOTSUP);
	ck_assert_int_eq(iommuabs_device_add(w->abs, &none, &untranslated), 0);
	ck_assert_int_eq(iommuabs_unit_add(w->abs, &desc, &unit), 0);
	range.unit = unit;
	ddesc = world_device_desc(&range, 0);
	ck_assert_int_eq(iommuabs_device_add(w->abs, &ddesc, &driverless), 0);
	refused(iommuabs_domain_populate(NULL, NULL, 0), IOMMUABS_E_INVAL);
	refused(iommuabs_domain_populate(dom, untranslated, 0),
		IOMMUABS_E_UNTRANSLATED);
	refused(iommuabs_domain_populate(dom, driverless, 0),
		IOMMUABS_E_NODRIVER);
	w->unit[0].mirror = IOMMUABS_E_NOTSUP;
	refused(iommuabs_domain_populate(dom, dev, 0), IOMMUABS_E_NOTSUP);
	dom->strategy = IOMMUABS_STRATEGY_SHARE;
	refused(iommuabs_domain_populate(dom, dev, 0), IOMMUABS_E_NOSHARE);
}
END_TEST

START_TEST(populate_of_a_dying_domain_is_refused)
{
	uint64_t i;

	COVERS(iommuabs_domain_populate, E_BUSY);
	for (i = 0; i < 64; i++)
		ck_assert_int_eq(map(i * 0x1000, 0x100000 - 3 * i, 1, RW), 0);
	ck_assert_int_eq(iommuabs_domain_destroy(dom, 16), IOMMUABS_E_AGAIN);
	ck_assert_int_eq(iommuabs_domain_populate(dom, NULL, 0),
			 IOMMUABS_E_BUSY);
	ck_assert_int_eq(iommuabs_domain_destroy(dom, 0), 0);
}
END_TEST

START_TEST(populate_goes_in_steps_and_hits_what_changes)
{
	uint64_t done, total, last = 0;
	unsigned int steps = 0;
	uint64_t i;
	int ret;

	COVERS(iommuabs_domain_populate, E_AGAIN);
	for (i = 0; i < 64; i++)
		ck_assert_int_eq(map(i * 0x1000, 0x100000 - 3 * i, 1, RW), 0);
	while ((ret = iommuabs_domain_populate(dom, dev, 4))) {
		ck_assert_int_eq(ret, IOMMUABS_E_AGAIN);
		ck_assert_int_eq(iommuabs_domain_progress(dom, &done, &total),
				 0);
		ck_assert_uint_ge(done, last);
		last = done;
		steps++;
	}
	ck_assert_uint_gt(steps, 8);
	ck_assert_int_eq(iommuabs_domain_progress(dom, &done, &total), 0);
	ck_assert_uint_eq(done, total);
}
END_TEST

START_TEST(a_populate_that_always_loses_gives_up_for_now)
{
	COVERS(iommuabs_domain_populate, E_AGAIN);
	dom = domain_of_p2m();
	during_walk = change_once;
	ck_assert_int_eq(iommuabs_domain_populate(dom, NULL, 0),
			 IOMMUABS_E_AGAIN);
	during_walk = NULL;
	ck_assert_int_eq(iommuabs_domain_populate(dom, NULL, 0), 0);
}
END_TEST

/* Nothing is there, and nobody walks. */
static void change_nothing(void)
{
	ck_assert_int_eq(unmap(0x9000, 1), 0);
}

/* Who has the p2m read. */
enum asker { BY_POPULATE, BY_ATTACH, BY_MOVE, ASKERS };

static int ask(enum asker asker, uint64_t budget)
{
	if (asker == BY_POPULATE)
		return iommuabs_domain_populate(dom, NULL, budget);
	if (asker == BY_ATTACH)
		return iommuabs_device_attach(dev, dom, NULL, budget);
	return iommuabs_device_move(dev, dom, NULL, budget);
}

START_TEST(a_reading_that_is_lost_counts)
{
	uint64_t budget, done, total;
	uint32_t i;

	COVERS(iommuabs_device_attach, E_AGAIN);
	COVERS(iommuabs_device_move, E_AGAIN);
	if (_i == BY_MOVE)
		attach();
	dom = domain_of_p2m();
	for (i = 0; i < IA_COUNT(walk_runs); i++)
		walk_runs[i] = (struct iommuabs_p2m_run){ GFN(2 * i),
							  MFN(RAM + i), 1, RW };
	walk_nr = IA_COUNT(walk_runs);
	during_walk = change_nothing;
	/* One for each run, and one for having asked. */
	for (budget = 1; budget <= 3 * (walk_nr + 1); budget++) {
		walks = 0;
		ck_assert_int_eq(ask((enum asker)_i, budget), IOMMUABS_E_AGAIN);
		ck_assert_uint_eq(walks, (budget + walk_nr) / (walk_nr + 1));
		ck_assert_int_eq(iommuabs_domain_progress(dom, &done, &total),
				 0);
		ck_assert_uint_eq(done, 0);
	}
	during_walk = NULL;
	while (ask((enum asker)_i, 1))
		ck_assert_uint_lt(walks, 10);
	ck_assert_int_eq(iommuabs_domain_progress(dom, &done, &total), 0);
	ck_assert_uint_eq(done, total);
}
END_TEST

START_TEST(a_fill_that_finds_nothing_counts)
{
	uint64_t budget = 10000;

	ck_assert_int_eq(populate_run(dom, dev, &budget), 0);
	ck_assert_uint_lt(budget, 10000);
}
END_TEST

START_TEST(populate_reads_a_p2m_under_the_same_policy)
{
	struct iommuabs_domain *other = dom;

	COVERS(iommuabs_domain_populate, E_PERM);
	COVERS(iommuabs_domain_populate, E_EXISTS);
	ck_assert_int_eq(map(0, 0, 4, RW), 0);
	dom = domain_of_p2m();
	walk_runs[0] = (struct iommuabs_p2m_run){ GFN(9), MFN(RAM + 2), 1, RW };
	walk_nr = 1;
	ck_assert_int_eq(iommuabs_domain_populate(dom, NULL, 0),
			 IOMMUABS_E_PERM);
	walk_runs[0].mfn = MFN(RAM + 50);
	ck_assert_int_eq(map(9, 50, 1, RW | IOMMUABS_FOREIGN), 0);
	ck_assert_int_eq(iommuabs_domain_populate(dom, NULL, 0),
			 IOMMUABS_E_EXISTS);
	ck_assert_int_eq(unmap(9, 1), 0);
	ck_assert_int_eq(map(9, 51, 1, RW | IOMMUABS_DEVICE_ONLY), 0);
	ck_assert_int_eq(iommuabs_domain_populate(dom, NULL, 0),
			 IOMMUABS_E_EXISTS);
	ck_assert_int_eq(unmap(9, 1), 0);
	walk_ret = -77;
	ck_assert_int_eq(iommuabs_domain_populate(dom, NULL, 0), -77);
	walk_ret = 0;
	ck_assert_int_eq(iommuabs_domain_populate(dom, NULL, 0), 0);
	(void)other;
}
END_TEST

START_TEST(populate_loses_nothing_when_memory_runs_out)
{
	uint64_t n;
	int ret;

	COVERS(iommuabs_domain_populate, E_NOMEM);
	ck_assert_int_eq(map(3, 3, 2000, RW), 0);
	for (n = 1;; n++) {
		test_host_fail_nth(w->host, n);
		ret = iommuabs_domain_populate(dom, dev, 0);
		if (!ret)
			break;
		ck_assert_int_eq(ret, IOMMUABS_E_NOMEM);
	}
	ck_assert_uint_gt(n, 1);
	attach();
}
END_TEST

START_TEST(refresh_answers_its_errors)
{
	struct iommuabs_domain *other = world_domain(w), *mine = dom;

	COVERS(iommuabs_domain_refresh, E_INVAL);
	COVERS(iommuabs_domain_refresh, E_NOTSUP);
	COVERS(iommuabs_domain_refresh, E_PERM);
	COVERS(iommuabs_domain_refresh, E_EXISTS);
	COVERS(iommuabs_domain_refresh, E_QUOTA);
	refused(iommuabs_domain_refresh(NULL, GFN(0), 1, NULL, NULL),
		IOMMUABS_E_INVAL);
	refused(iommuabs_domain_refresh(dom, GFN(0), 0, NULL, NULL),
		IOMMUABS_E_INVAL);
	dom = other;
	ck_assert_int_eq(map(0, 0, 4, RW), 0);
	dom = mine;
	walk_runs[0] = (struct iommuabs_p2m_run){ GFN(9), MFN(RAM + 2), 1, RW };
	walk_nr = 1;
	ck_assert_int_eq(iommuabs_domain_refresh(dom, GFN(9), 1, NULL, NULL),
			 IOMMUABS_E_PERM);
	walk_runs[0].mfn = MFN(RAM + 60);
	ck_assert_int_eq(iommuabs_domain_refresh(dom, GFN(9), 1, NULL, NULL),
			 0);
	ck_assert_int_eq(unmap(9, 1), 0);
	ck_assert_int_eq(map(9, 61, 1, RW | IOMMUABS_DEVICE_ONLY), 0);
	ck_assert_int_eq(iommuabs_domain_refresh(dom, GFN(9), 1, NULL, NULL),
			 IOMMUABS_E_EXISTS);
	dom->account.limit = dom->account.used;
	walk_runs[0].gfn = GFN((uint64_t)1 << 30);
	ck_assert_int_eq(iommuabs_domain_refresh(dom, GFN((uint64_t)1 << 30), 1,
						 NULL, NULL),
			 IOMMUABS_E_QUOTA);
	w->abs->host.ops.p2m_walk = NULL;
	refused(iommuabs_domain_refresh(dom, GFN(0), 1, NULL, NULL),
		IOMMUABS_E_NOTSUP);
}
END_TEST

/* What a walk of [16, 32) answers that is no answer. */
static const struct {
	struct iommuabs_p2m_run runs[2];
	uint64_t next;
	int ret;
} walk_lies[] = {
	{ { { GFN(16), MFN(RAM), 1, RW } }, 33, 0 },
	{ { { GFN(16), MFN(RAM), 1, RW } }, 16, 0 },
	{ { { GFN(16), MFN(RAM), 1, RW } }, 15, 0 },
	{ { { GFN(15), MFN(RAM), 2, RW } }, 32, 0 },
	{ { { GFN(30), MFN(RAM), 3, RW } }, 32, 0 },
	{ { { GFN(18), MFN(RAM), 3, RW } }, 20, 0 },
	{ { { GFN(16), MFN(RAM), 4, RW }, { GFN(19), MFN(RAM + 9), 1, RW } },
	  32,
	  0 },
	{ { { GFN(20), MFN(RAM), 1, RW }, { GFN(16), MFN(RAM + 9), 1, RW } },
	  32,
	  0 },
	{ { { GFN(16), MFN(RAM), 0, RW } }, 32, 0 },
	{ { { GFN(16), MFN(RAM), 1, 0 } }, 32, 0 },
	{ { { GFN(16), MFN(RAM), 1, RW | (uint32_t)1 << 31 } }, 32, 0 },
	{ { { GFN(16), MFN((uint64_t)1 << 40), 1, RW } }, 32, 0 },
	{ { { GFN(16), MFN(((uint64_t)1 << 40) - 1), 2, RW } }, 32, 0 },
	{ { { GFN(16), MFN(RAM), 1, RW } }, 32, 1 },
};

static int walk_lying;

static int walk_lie(void *ctx, struct iommuabs_p2m_query *query)
{
	uint32_t i;

	(void)ctx;
	for (i = 0; i < 2 && walk_lies[walk_lying].runs[i].gfn.frame; i++)
		query->runs[query->nr_runs++] = walk_lies[walk_lying].runs[i];
	query->next = GFN(walk_lies[walk_lying].next);
	return walk_lies[walk_lying].ret;
}

START_TEST(a_walk_that_cannot_be_changes_nothing)
{
	iommuabs_mfn_t mfn;
	uint64_t gfn;

	walk_lying = _i;
	w->abs->host.ops.p2m_walk = walk_lie;
	ck_assert_int_eq(iommuabs_domain_refresh(dom, GFN(16), 16, NULL, NULL),
			 IOMMUABS_E_INVAL);
	for (gfn = 14; gfn < 36; gfn++)
		ck_assert_int_eq(
			iommuabs_domain_translate(dom, GFN(gfn), &mfn, NULL),
			IOMMUABS_E_NOENT);
}
END_TEST

START_TEST(refresh_loses_nothing_when_memory_runs_out)
{
	uint64_t n;
	int ret;

	COVERS(iommuabs_domain_refresh, E_NOMEM);
	attach();
	walk_runs[0] =
		(struct iommuabs_p2m_run){ GFN(9), MFN(RAM + 2), 600, RW };
	walk_nr = 1;
	for (n = 1;; n++) {
		test_host_fail_nth(w->host, n);
		ret = iommuabs_domain_refresh(dom, GFN(0), 1024, NULL, NULL);
		if (!ret)
			break;
		ck_assert_int_eq(ret, IOMMUABS_E_NOMEM);
	}
	ck_assert_uint_gt(n, 1);
}
END_TEST

START_TEST(refresh_tells_of_timeouts)
{
	COVERS(iommuabs_domain_refresh, E_TIMEOUT);
	COVERS(iommuabs_domain_refresh, E_FENCED);
	attach();
	ck_assert_int_eq(map(9, 9, 2, RW), 0);
	w->unit[0].invalidate = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(iommuabs_domain_refresh(dom, GFN(9), 1, NULL, NULL),
			 IOMMUABS_E_TIMEOUT);
	ck_assert_int_eq(iommuabs_domain_refresh(dom, GFN(10), 1, NULL, NULL),
			 IOMMUABS_E_FENCED);
}
END_TEST

/* Another guest has frames, which the p2m of the one that shares may not. */
static void others_have_frames(void)
{
	struct iommuabs_domain *mine = dom;

	share();
	dom = world_domain(w);
	ck_assert_int_eq(map(0, 0, 4, RW), 0);
	dom = mine;
}

/* One of them is in the p2m, at @gfn; [@at, @at + @nr) is refreshed. */
static void refresh_of_anothers(uint64_t gfn, uint64_t at, uint64_t nr)
{
	walk_runs[0] =
		(struct iommuabs_p2m_run){ GFN(gfn), MFN(RAM + 2), 1, RW };
	walk_nr = 1;
	ck_assert_int_eq(iommuabs_domain_refresh(dom, GFN(at), nr, NULL, NULL),
			 IOMMUABS_E_PERM);
}

START_TEST(a_failed_refresh_blocks_what_shares)
{
	struct iommuabs_explanation why = { .size = sizeof(why) };

	others_have_frames();
	refresh_of_anothers(9, 8, 2);
	ck_assert_int_eq(iommuabs_device_explain(dev, GFN(9), RW, &why), 0);
	ck_assert_int_eq(why.obstacle, IOMMUABS_OBSTACLE_BLOCKED);
	/* Another range doesn't heal it, nor does a part; the whole does. */
	ck_assert_int_eq(iommuabs_domain_refresh(dom, GFN(20), 1, NULL, NULL),
			 0);
	ck_assert_uint_eq(dom->nr_bad, 1);
	ck_assert_int_eq(iommuabs_domain_refresh(dom, GFN(8), 1, NULL, NULL),
			 0);
	ck_assert_uint_eq(dom->nr_bad, 1);
	ck_assert_int_eq(iommuabs_device_explain(dev, GFN(9), RW, &why), 0);
	ck_assert_int_eq(why.obstacle, IOMMUABS_OBSTACLE_BLOCKED);
	walk_nr = 0;
	ck_assert_int_eq(iommuabs_domain_refresh(dom, GFN(8), 4, NULL, NULL),
			 0);
	ck_assert_uint_eq(dom->nr_bad, 0);
	ck_assert_int_eq(iommuabs_device_explain(dev, GFN(9), RW, &why), 0);
	ck_assert_int_ne(why.obstacle, IOMMUABS_OBSTACLE_BLOCKED);
}
END_TEST

START_TEST(a_p2m_changes_only_between_batches)
{
	struct {
		struct iommuabs_p2m p2m;
		uint64_t more;
	} newer = { .p2m = p2m_good(), .more = 1 };
	struct iommuabs_p2m p2m = p2m_good();
	struct iommuabs_batch batch;

	COVERS(iommuabs_domain_set_p2m, E_INVAL);
	COVERS(iommuabs_domain_set_p2m, E_VERSION);
	COVERS(iommuabs_domain_set_p2m, E_BUSY);
	refused(iommuabs_domain_set_p2m(NULL, &p2m), IOMMUABS_E_INVAL);
	refused(iommuabs_domain_set_p2m(dom, NULL), IOMMUABS_E_INVAL);
	p2m.levels = 9;
	refused(iommuabs_domain_set_p2m(dom, &p2m), IOMMUABS_E_INVAL);
	newer.p2m.size = sizeof(newer);
	refused(iommuabs_domain_set_p2m(dom, &newer.p2m), IOMMUABS_E_VERSION);
	p2m = p2m_good();
	share();
	ck_assert_int_eq(iommuabs_batch_init(&batch, dom), 0);
	refused(iommuabs_domain_set_p2m(dom, &p2m), IOMMUABS_E_BUSY);
	ck_assert_int_eq(iommuabs_batch_done(&batch), 0);
	ck_assert_int_eq(iommuabs_domain_set_p2m(dom, &p2m), 0);
}
END_TEST

START_TEST(a_destroyed_domain_withholds_until_recovery)
{
	struct iommuabs_domain *other = world_domain(w);

	attach();
	ck_assert_int_eq(map(0, 0, 8, RW), 0);
	w->unit[0].invalidate = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(unmap(0, 1), IOMMUABS_E_TIMEOUT);
	w->unit[0].invalidate = 0;
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	ck_assert_int_eq(iommuabs_domain_destroy(dom, 0), 0);
	dom = other;
	refused(map(0, 0, 1, RW), IOMMUABS_E_PERM);
	refused(map(0, 5, 1, RW), IOMMUABS_E_PERM);
	ck_assert_int_eq(iommuabs_unit_recover(w->unit[0].unit, 0), 0);
	ck_assert_int_eq(map(0, 0, 8, RW), 0);
}
END_TEST

/* What is past the eighth range is remembered as one with it, to both sides. */
START_TEST(of_many_failed_refreshes_none_is_forgotten)
{
	const uint64_t ninth = _i ? 4 : 400;
	uint64_t gfn, i;

	others_have_frames();
	for (i = 0; i <= DOMAIN_BAD_RANGES; i++) {
		gfn = i < DOMAIN_BAD_RANGES ? 100 + 10 * i : ninth;
		refresh_of_anothers(gfn, gfn, 1);
	}
	walk_nr = 0;
	for (i = 0; i <= DOMAIN_BAD_RANGES; i++) {
		gfn = i < DOMAIN_BAD_RANGES ? 100 + 10 * i : ninth;
		ck_assert_int_eq(
			iommuabs_domain_refresh(dom, GFN(gfn), 1, NULL, NULL),
			0);
	}
	ck_assert_uint_eq(dom->nr_bad, 1);
	ck_assert_int_eq(iommuabs_domain_refresh(dom, GFN(4), 397, NULL, NULL),
			 0);
	ck_assert_uint_eq(dom->nr_bad, 0);
}
END_TEST

/* Whoever was blocked goes on, or the unit that does not take that is fenced. */
START_TEST(a_refresh_that_lets_nobody_in_again_says_so)
{
	others_have_frames();
	refresh_of_anothers(9, 9, 1);
	walk_nr = 0;
	w->unit[0].stream_set = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(iommuabs_domain_refresh(dom, GFN(9), 1, NULL, NULL),
			 IOMMUABS_E_TIMEOUT);
	w->unit[0].stream_set = 0;
	ck_assert_uint_eq(dom->nr_bad, 0);
}
END_TEST

/* Neighbours of it go, it stays: it is in no p2m. */
START_TEST(a_refresh_passes_over_what_only_devices_see)
{
	iommuabs_mfn_t mfn;

	ck_assert_int_eq(map(8, 8, 1, RW), 0);
	ck_assert_int_eq(map(9, 9, 1, RW | IOMMUABS_DEVICE_ONLY), 0);
	ck_assert_int_eq(map(10, 10, 1, RW), 0);
	walk_nr = 0;
	ck_assert_int_eq(iommuabs_domain_refresh(dom, GFN(8), 3, NULL, NULL),
			 0);
	ck_assert_int_eq(iommuabs_domain_translate(dom, GFN(8), &mfn, NULL),
			 IOMMUABS_E_NOENT);
	ck_assert_int_eq(iommuabs_domain_translate(dom, GFN(9), &mfn, NULL), 0);
	ck_assert_int_eq(iommuabs_domain_translate(dom, GFN(10), &mfn, NULL),
			 IOMMUABS_E_NOENT);
}
END_TEST

static void add_further_tests(TCase *tcase)
{
	tcase_add_loop_test(tcase, of_many_failed_refreshes_none_is_forgotten,
			    0, 2);
	tcase_add_test(tcase, a_refresh_that_lets_nobody_in_again_says_so);
	tcase_add_test(tcase, a_refresh_passes_over_what_only_devices_see);
	tcase_add_test(tcase, a_frame_among_many_grants_has_its_owner);
	tcase_add_test(tcase, one_frame_is_granted_and_withheld_as_many_are);
	tcase_add_loop_test(tcase, a_large_leaf_is_withheld_as_a_frame_is, 0,
			    2);
	tcase_add_loop_test(tcase, a_large_leaf_goes_from_among_its_like, 0, 2);
	tcase_add_test(tcase, a_table_that_is_refused_is_in_no_map);
	tcase_add_loop_test(tcase, a_reading_that_is_lost_counts, 0, ASKERS);
	tcase_add_test(tcase, a_fill_that_finds_nothing_counts);
	tcase_add_test(tcase, what_was_not_forgotten_for_a_map_is_withheld);
	tcase_add_test(tcase, what_is_withheld_stays_so_until_recovery);
	tcase_add_test(tcase, a_place_that_cannot_be_cut_is_not_replaced);
	tcase_add_test(tcase, places_end_where_a_removal_does);
	tcase_add_test(tcase, neighbours_join_from_either_side);
	tcase_add_test(tcase, a_removal_tells_of_a_timeout_in_its_middle);
	tcase_add_test(tcase, an_unmap_beyond_its_quota_lacks_memory);
	tcase_add_loop_test(tcase, a_timeout_is_told_before_a_fence_of_before,
			    0, 2);
	tcase_add_test(tcase, device_only_is_counted_without_places);
	tcase_add_test(tcase, all_that_is_withheld_is_released_on_recovery);
	tcase_add_loop_test(tcase, a_new_table_follows_one_that_is_forgotten, 0,
			    2);
	tcase_add_loop_test(tcase, device_only_and_sharing_exclude_each_other,
			    0, 2);
	tcase_add_loop_test(tcase, a_shared_table_is_forgotten_at_any_level, 0,
			    2);
	tcase_add_loop_test(tcase, a_walk_that_cannot_be_changes_nothing, 0,
			    (int)IA_COUNT(walk_lies));
}

static void add_tests(Suite *s)
{
	const TTest *const tests[] = {
		create_refuses_what_it_does_not_know,
		create_refuses_fields_of_the_future,
		create_takes_all_or_nothing,
		create_charges_its_reserve,
		destroy_waits_for_devices_and_batches,
		destroy_goes_in_bounded_steps,
		map_refuses_bad_arguments,
		identity_maps_only_itself,
		map_over_something_else_needs_replace,
		a_frame_of_another_guest_is_refused,
		a_batch_is_of_one_domain,
		a_full_batch_does_nothing_until_synced,
		map_takes_all_memory_first,
		map_list_takes_all_memory_first,
		a_quota_holds,
		reserved_regions_are_kept_clear,
		what_a_device_needs_can_not_be_taken_away,
		a_timeout_withholds_until_recovery,
		a_replace_that_times_out_maps_nothing,
		a_batch_that_times_out_is_the_domains_debt,
		unmap_refuses_bad_arguments,
		an_unmap_without_memory_splits_from_the_reserve,
		tables_of_several_removals_that_failed_go_back,
		an_unmap_without_memory_takes_the_whole_leaf,
		what_goes_without_memory_is_released_on_recovery,
		a_part_of_what_is_unsynced_can_be_mapped_again,
		a_protect_without_memory_takes_the_whole_leaf,
		protect_refuses_holes_and_bad_arguments,
		a_protect_that_times_out_has_fenced,
		questions_answer_bad_arguments,
		a_domain_without_reverse_map_says_so,
		a_p2m_is_read_before_it_is_known,
		populate_answers_its_errors,
		populate_of_a_dying_domain_is_refused,
		populate_goes_in_steps_and_hits_what_changes,
		a_populate_that_always_loses_gives_up_for_now,
		populate_reads_a_p2m_under_the_same_policy,
		populate_loses_nothing_when_memory_runs_out,
		refresh_answers_its_errors,
		refresh_loses_nothing_when_memory_runs_out,
		refresh_tells_of_timeouts,
		a_failed_refresh_blocks_what_shares,
		a_p2m_changes_only_between_batches,
		a_destroyed_domain_withholds_until_recovery,
	};
	TCase *tcase = tcase_create("errors");
	size_t i;

	tcase_add_checked_fixture(tcase, setup, teardown);
	for (i = 0; i < IA_COUNT(tests); i++)
		tcase_add_test(tcase, tests[i]);
	add_further_tests(tcase);
	suite_add_tcase(s, tcase);
}

static Suite *suite(void)
{
	Suite *s = suite_create("domain errors");

	if (suite_needs(s, IOMMUABS_UNIT_NULL))
		add_tests(s);
	return s;
}

HARNESS_MAIN(suite)
