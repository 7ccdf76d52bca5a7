/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_frames.c - who may see which machine frame, and who is said to
 */
#include "test_world.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "test_needs.h"

#include "core/change.h"

#define RW  (IOMMUABS_READ | IOMMUABS_WRITE)
#define RAM ((uint64_t)0x1000000)
#define GFN IOMMUABS_GFN
#define MFN IOMMUABS_MFN

/* A GICv2's virtual CPU interface: where it is, and where guests expect it. */
#define GICV	   ((uint64_t)0x8040)
#define GICV_GFN   ((uint64_t)0x8010)
#define GICV_NR	   2
#define GICV_FLAGS (RW | IOMMUABS_DEVICE)
#define NOWHERE	   UINT64_MAX
#define PLACES_MAX 64

static struct world *w;

static void setup(void)
{
	w = world_new(1);
	ck_assert_int_eq(iommuabs_start(w->abs), 0);
}

static void teardown(void)
{
	world_delete(w);
}

static struct iommuabs_domain *domain_of(uint32_t flags)
{
	const struct iommuabs_domain_config config = {
		.size = sizeof(config),
		.flags = flags,
		.cookie = w,
	};
	struct iommuabs_domain *dom;

	ck_assert_int_eq(iommuabs_domain_create(w->abs, &config, &dom), 0);
	return dom;
}

static int map(struct iommuabs_domain *dom, uint64_t gfn, uint64_t mfn,
	       uint64_t nr, uint32_t flags)
{
	return iommuabs_domain_map(dom, GFN(gfn), MFN(mfn), nr, flags, NULL);
}

static int unmap(struct iommuabs_domain *dom, uint64_t gfn, uint64_t nr)
{
	return iommuabs_domain_unmap(dom, GFN(gfn), nr, NULL);
}

static int declare(uint64_t mfn, uint64_t nr, enum iommuabs_frame_kind kind)
{
	const struct iommuabs_frame_policy policy = {
		.size = sizeof(policy),
		.kind = kind,
	};

	return iommuabs_frames_declare(w->abs, MFN(mfn), nr, &policy);
}

static int declare_as(uint64_t mfn, uint64_t nr, uint64_t gfn, uint32_t flags)
{
	const struct iommuabs_frame_policy policy = {
		.size = sizeof(policy),
		.kind = IOMMUABS_FRAMES_FIXED,
		.gfn = GFN(gfn),
		.flags = flags,
	};

	return iommuabs_frames_declare(w->abs, MFN(mfn), nr, &policy);
}

static int declare_fixed(uint64_t mfn, uint64_t nr, uint64_t gfn)
{
	return declare_as(mfn, nr, gfn, GICV_FLAGS);
}

static int declare_gicv(void)
{
	return declare_fixed(GICV, GICV_NR, GICV_GFN);
}

static uint64_t at(struct iommuabs_domain *dom, uint64_t gfn)
{
	iommuabs_mfn_t mfn;

	return iommuabs_domain_translate(dom, GFN(gfn), &mfn, NULL) ? NOWHERE
								    : mfn.frame;
}

/* The one gfn of a frame in a domain; NOWHERE: none, or more than one. */
static uint64_t place_of(struct iommuabs_domain *dom, uint64_t mfn)
{
	iommuabs_gfn_t gfns[2];
	uint64_t cursor = 0;
	uint32_t nr;

	ck_assert_int_eq(
		iommuabs_domain_gfns(dom, MFN(mfn), &cursor, gfns, 2, &nr), 0);
	return nr == 1 ? gfns[0].frame : NOWHERE;
}

static uint32_t users_of(uint64_t mfn, struct iommuabs_frame_user users[])
{
	uint64_t cursor = 0;
	uint32_t nr, total = 0;

	/* Two at a time: the cursor works. */
	do {
		ck_assert_uint_lt(total, PLACES_MAX - 2);
		ck_assert_int_eq(iommuabs_frame_users(w->abs, MFN(mfn), &cursor,
						      users + total, 2, &nr),
				 0);
		total += nr;
	} while (nr == 2);
	return total;
}

static uint64_t reach(struct iommuabs_device *dev, uint64_t gfn)
{
	struct iommuabs_explanation why = { .size = sizeof(why) };

	ck_assert_int_eq(
		iommuabs_device_explain(dev, GFN(gfn), IOMMUABS_READ, &why), 0);
	return why.obstacle == IOMMUABS_OBSTACLE_NONE ? why.mfn.frame : NOWHERE;
}

/* The call answers @error and leaves no trace. */
#define refused(call, error) REFUSED(w, call, error)

/* ---- shared ---- */

START_TEST(a_shared_frame_is_in_any_number_of_domains)
{
	struct iommuabs_frame_user users[PLACES_MAX];
	struct iommuabs_domain *dom[4];
	uint64_t i;

	COVERS(iommuabs_frames_declare, E_BUSY);
	for (i = 0; i < 4; i++)
		dom[i] = domain_of(0);
	ck_assert_int_eq(map(dom[0], 0x10, RAM, 512, RW), 0);
	refused(map(dom[1], 0x20, RAM + 5, 1, RW), IOMMUABS_E_PERM);
	ck_assert_int_eq(declare(RAM + 4, 8, IOMMUABS_FRAMES_SHARED), 0);
	for (i = 1; i < 4; i++)
		ck_assert_int_eq(map(dom[i], 0x20 + i, RAM + 4, 8, RW), 0);
	refused(map(dom[1], 0x80, RAM + 11, 2, RW), IOMMUABS_E_PERM);
	refused(map(dom[1], 0x80, RAM + 3, 2, RW), IOMMUABS_E_PERM);
	ck_assert_uint_eq(users_of(RAM + 4, users), 4);
	for (i = 1; i < 4; i++) {
		ck_assert_ptr_eq(users[i].dom, dom[i]);
		ck_assert_uint_eq(users[i].gfn.frame, 0x20 + i);
		ck_assert_uint_eq(users[i].flags, RW);
	}
	/* Not exclusive again before the others have gone. */
	refused(declare(RAM, 512, IOMMUABS_FRAMES_EXCLUSIVE), IOMMUABS_E_BUSY);
	for (i = 1; i < 4; i++)
		ck_assert_int_eq(unmap(dom[i], 0x20 + i, 8), 0);
	ck_assert_int_eq(declare(RAM, 512, IOMMUABS_FRAMES_EXCLUSIVE), 0);
	refused(map(dom[1], 0x20, RAM + 5, 1, RW), IOMMUABS_E_PERM);
	ck_assert_uint_eq(place_of(dom[0], RAM + 5), 0x15);
	ck_assert_int_eq(unmap(dom[0], 0, 0x1000), 0);
}
END_TEST

/* ---- fixed ---- */

static void fixed_is_in(struct iommuabs_domain *dom)
{
	uint64_t i;

	for (i = 0; i < GICV_NR; i++) {
		ck_assert_uint_eq(at(dom, GICV_GFN + i), GICV + i);
		ck_assert_uint_eq(place_of(dom, GICV + i), GICV_GFN + i);
	}
}

START_TEST(a_fixed_frame_is_in_every_guest)
{
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	struct iommuabs_device *late = world_device(w, 9, 1, 0);
	struct iommuabs_domain *before = domain_of(0), *after, *host;
	struct iommuabs_frame_user users[PLACES_MAX];

	host = domain_of(IOMMUABS_DOMAIN_HOST);
	ck_assert_int_eq(iommuabs_device_attach(dev, before, NULL, 0), 0);
	ck_assert_uint_eq(reach(dev, GICV_GFN), NOWHERE);
	ck_assert_int_eq(declare_gicv(), 0);
	refused(declare_gicv(), 0);
	after = domain_of(0);
	fixed_is_in(before);
	fixed_is_in(after);
	ck_assert_uint_eq(reach(dev, GICV_GFN + 1), GICV + 1);
	ck_assert_int_eq(iommuabs_device_attach(late, after, NULL, 0), 0);
	ck_assert_uint_eq(reach(late, GICV_GFN), GICV);
	ck_assert_uint_eq(at(host, GICV_GFN), NOWHERE);
	ck_assert_int_eq(map(host, GICV, GICV, GICV_NR, RW), 0);
	ck_assert_uint_eq(place_of(host, GICV), GICV);
	ck_assert_uint_eq(users_of(GICV + 1, users), 3);
	ck_assert_ptr_eq(users[0].dom, before);
	ck_assert_uint_eq(users[0].flags, GICV_FLAGS);
	ck_assert_ptr_eq(users[1].dom, host);
	ck_assert_uint_eq(users[1].gfn.frame, GICV + 1);
	ck_assert_ptr_eq(users[2].dom, after);
	ck_assert_uint_eq(users[2].gfn.frame, GICV_GFN + 1);
}
END_TEST

/* All that a device of a scratch domain sees is its page. */
/* Of the host's places of it some may be in one answer, some in the next. */
START_TEST(a_fixed_frame_has_all_of_the_hosts_places)
{
	struct iommuabs_domain *before = domain_of(0), *host, *after;
	struct iommuabs_frame_user users[PLACES_MAX];

	host = domain_of(IOMMUABS_DOMAIN_HOST);
	after = domain_of(0);
	ck_assert_int_eq(declare_gicv(), 0);
	ck_assert_int_eq(map(host, 0x10, GICV, 1, RW), 0);
	ck_assert_int_eq(map(host, 0x20, GICV, 1, RW), 0);
	ck_assert_int_eq(map(host, 0x30, GICV, 1, RW), 0);
	ck_assert_uint_eq(users_of(GICV, users), 5);
	ck_assert_ptr_eq(users[0].dom, before);
	ck_assert_uint_eq(users[1].gfn.frame, 0x10);
	ck_assert_uint_eq(users[2].gfn.frame, 0x20);
	ck_assert_uint_eq(users[3].gfn.frame, 0x30);
	ck_assert_ptr_eq(users[4].dom, after);
}
END_TEST

/* Any number at a time: each gfn once, in their order, and no more than asked. */
START_TEST(gfns_of_a_frame_come_in_parts)
{
	static const uint32_t sizes[] = { 1, 2, 15, 16, 17, 20, 32, 33 };
	struct iommuabs_domain *dom = domain_of(0);
	iommuabs_gfn_t gfns[64];
	uint32_t max = sizes[_i], nr, i, total = 0;
	uint64_t cursor = 0;

	for (i = 0; i < 40; i++)
		ck_assert_int_eq(map(dom, 0x100 + i, RAM, 1, RW), 0);
	do {
		for (i = 0; i < IA_COUNT(gfns); i++)
			gfns[i].frame = NOWHERE;
		ck_assert_int_eq(iommuabs_domain_gfns(dom, MFN(RAM), &cursor,
						      gfns, max, &nr),
				 0);
		ck_assert_uint_le(nr, max);
		for (i = 0; i < nr; i++)
			ck_assert_uint_eq(gfns[i].frame, 0x100 + total++);
		for (; i < IA_COUNT(gfns); i++)
			ck_assert_uint_eq(gfns[i].frame, NOWHERE);
	} while (nr == max);
	ck_assert_uint_eq(total, 40);
}
END_TEST

START_TEST(a_scratch_domain_has_nothing_fixed)
{
	struct iommuabs_domain *before = domain_of(IOMMUABS_DOMAIN_SCRATCH);
	struct iommuabs_domain *after;
	struct iommuabs_frame_user users[PLACES_MAX];

	ck_assert_int_eq(declare_gicv(), 0);
	after = domain_of(IOMMUABS_DOMAIN_SCRATCH);
	ck_assert_uint_eq(at(before, GICV_GFN), NOWHERE);
	ck_assert_uint_eq(at(after, GICV_GFN), NOWHERE);
	ck_assert_uint_eq(users_of(GICV, users), 0);
}
END_TEST

START_TEST(a_fixed_frame_has_one_place)
{
	struct iommuabs_domain *dom = domain_of(0);
	const iommuabs_mfn_t list[2] = { MFN(GICV), MFN(GICV + 1) };
	struct iommuabs_frame_user users[PLACES_MAX];

	ck_assert_int_eq(declare_gicv(), 0);
	refused(map(dom, 0x100, GICV, 1, RW), IOMMUABS_E_PERM);
	refused(map(dom, 0x100, GICV + 1, 1, RW | IOMMUABS_FOREIGN),
		IOMMUABS_E_PERM);
	refused(map(dom, GICV_GFN, RAM, 1, RW), IOMMUABS_E_EXISTS);
	refused(map(dom, GICV_GFN, RAM, 1, RW | IOMMUABS_REPLACE),
		IOMMUABS_E_EXISTS);
	refused(map(dom, GICV_GFN, GICV, GICV_NR, GICV_FLAGS), 0);
	/* One guest can be without, and have it again. */
	ck_assert_int_eq(unmap(dom, GICV_GFN, 1), 0);
	ck_assert_uint_eq(place_of(dom, GICV), NOWHERE);
	ck_assert_uint_eq(place_of(dom, GICV + 1), GICV_GFN + 1);
	ck_assert_uint_eq(users_of(GICV, users), 0);
	ck_assert_int_eq(unmap(dom, GICV_GFN + 1, 1), 0);
	refused(map(dom, GICV_GFN, GICV + 1, 1, RW), IOMMUABS_E_PERM);
	ck_assert_int_eq(
		iommuabs_domain_map_list(dom, GFN(GICV_GFN), list, 2, RW, NULL),
		0);
	fixed_is_in(dom);
	ck_assert_int_eq(iommuabs_domain_protect(dom, GFN(GICV_GFN), 1,
						 IOMMUABS_READ, NULL),
			 0);
	ck_assert_uint_eq(users_of(GICV, users), 1);
	ck_assert_uint_eq(users[0].flags, IOMMUABS_READ);
	/* Amid other frames, in one call. */
	ck_assert_int_eq(map(dom, GICV_GFN - 4, GICV - 4, 4, RW), 0);
	ck_assert_int_eq(map(dom, GICV_GFN + 2, GICV + 2, 4, RW), 0);
	ck_assert_int_eq(unmap(dom, 0, 0x10000), 0);
	ck_assert_uint_eq(place_of(dom, GICV), NOWHERE);
	ck_assert_uint_eq(place_of(dom, GICV - 1), NOWHERE);
	ck_assert_int_eq(map(dom, GICV_GFN - 4, GICV - 4, 12, RW), 0);
	fixed_is_in(dom);
}
END_TEST

START_TEST(what_is_fixed_takes_no_memory_of_the_reverse_map)
{
	struct iommuabs_domain *first = domain_of(0);
	uint64_t nodes, objects;
	uint32_t i;

	ck_assert_int_eq(map(first, 0, RAM, 512, RW), 0);
	for (i = 0; i < 40; i++)
		(void)domain_of(0);
	nodes = w->abs->rmap.account.used;
	objects = w->abs->mem.account.used;
	ck_assert_int_eq(declare_fixed(GICV, 512, GICV_GFN), 0);
	ck_assert_uint_eq(w->abs->rmap.account.used, nodes);
	ck_assert_uint_eq(w->abs->mem.account.used, objects);
	/* What the declaration itself takes doesn't depend on domains. */
	ck_assert_uint_le(w->abs->frames.account.used, 6);
	for (i = 0; i < 10; i++)
		ck_assert_uint_eq(domain_of(0)->owner.extras, 0);
	ck_assert_uint_eq(w->abs->rmap.account.used, nodes + 10 * 4);
	ck_assert_uint_le(w->abs->frames.account.used, 6);
}
END_TEST

/* A guest that was given it by hand keeps it, and its records go. */
START_TEST(what_is_in_its_place_already_becomes_fixed)
{
	struct iommuabs_domain *a = domain_of(0), *b = domain_of(0), *host;
	uint32_t foreign = GICV_FLAGS | IOMMUABS_FOREIGN;

	host = domain_of(IOMMUABS_DOMAIN_HOST);
	ck_assert_int_eq(map(host, 0x3000, GICV & ~(uint64_t)511, 512, RW), 0);
	ck_assert_int_eq(map(a, GICV_GFN, GICV, 1, GICV_FLAGS), 0);
	refused(declare_fixed(GICV, 2, GICV_GFN + 1), IOMMUABS_E_BUSY);
	ck_assert_int_eq(map(b, GICV_GFN + 5, GICV, 1, foreign), 0);
	refused(declare_gicv(), IOMMUABS_E_BUSY);
	ck_assert_int_eq(unmap(b, GICV_GFN + 5, 1), 0);
	ck_assert_int_eq(map(b, GICV_GFN, GICV, 1, foreign), 0);
	COVERS(iommuabs_frames_declare, E_EXISTS);
	refused(declare_gicv(), IOMMUABS_E_EXISTS);
	ck_assert_int_eq(unmap(b, GICV_GFN, 1), 0);
	ck_assert_int_eq(map(b, GICV_GFN + 1, RAM, 1, RW), 0);
	refused(declare_gicv(), IOMMUABS_E_EXISTS);
	ck_assert_uint_eq(at(a, GICV_GFN + 1), NOWHERE);
	ck_assert_int_eq(unmap(b, GICV_GFN + 1, 1), 0);
	ck_assert_int_eq(declare_gicv(), 0);
	fixed_is_in(a);
	fixed_is_in(b);
	ck_assert_uint_eq(a->owner.extras, 0);
	ck_assert_uint_eq(place_of(host, GICV + 1), 0x3000 + (GICV + 1) % 512);
	ck_assert_int_eq(unmap(a, GICV_GFN, 2), 0);
	ck_assert_int_eq(iommuabs_domain_destroy(a, 0), 0);
}
END_TEST

START_TEST(what_is_fixed_ends_everywhere)
{
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	struct iommuabs_domain *a = domain_of(0), *b = domain_of(0);
	struct iommuabs_frame_user users[PLACES_MAX];

	COVERS(iommuabs_frames_declare, E_TIMEOUT);
	COVERS(iommuabs_frames_declare, E_FENCED);
	ck_assert_int_eq(declare_fixed(GICV, 8, GICV_GFN), 0);
	ck_assert_int_eq(iommuabs_device_attach(dev, a, NULL, 0), 0);
	ck_assert_uint_eq(reach(dev, GICV_GFN), GICV);
	refused(declare_fixed(GICV, 8, GICV_GFN + 8), IOMMUABS_E_BUSY);
	refused(declare_as(GICV, 8, GICV_GFN, IOMMUABS_READ), IOMMUABS_E_BUSY);
	/* A part of it. */
	ck_assert_int_eq(declare(GICV - 8, 10, IOMMUABS_FRAMES_EXCLUSIVE), 0);
	ck_assert_uint_eq(reach(dev, GICV_GFN + 1), NOWHERE);
	ck_assert_uint_eq(reach(dev, GICV_GFN + 2), GICV + 2);
	ck_assert_uint_eq(at(b, GICV_GFN + 1), NOWHERE);
	ck_assert_uint_eq(at(b, GICV_GFN + 2), GICV + 2);
	ck_assert_int_eq(map(b, 0x40, GICV, 1, RW), 0);
	refused(map(a, 0x40, GICV, 1, RW), IOMMUABS_E_PERM);

	w->unit[0].invalidate = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(declare(GICV + 2, 6, IOMMUABS_FRAMES_SHARED),
			 IOMMUABS_E_TIMEOUT);
	w->unit[0].invalidate = 0;
	ck_assert_uint_eq(users_of(GICV + 2, users), 2);
	ck_assert_int_eq(users[0].state, IOMMUABS_FRAME_WITHHELD);
	refused(map(b, 0x50, GICV + 2, 1, RW), IOMMUABS_E_PERM);
	ck_assert_int_eq(declare(GICV + 2, 6, IOMMUABS_FRAMES_SHARED),
			 IOMMUABS_E_FENCED);
	ck_assert_int_eq(iommuabs_unit_recover(w->unit[0].unit, 0), 0);
	ck_assert_int_eq(declare(GICV + 2, 6, IOMMUABS_FRAMES_SHARED), 0);
	ck_assert_uint_eq(users_of(GICV + 2, users), 0);
	ck_assert_int_eq(map(b, 0x50, GICV + 2, 1, RW), 0);
	ck_assert_int_eq(map(a, 0x50, GICV + 2, 1, RW), 0);
}
END_TEST

START_TEST(what_is_fixed_waits_for_the_destroyed)
{
	struct iommuabs_domain *dom = domain_of(0);

	ck_assert_int_eq(declare_gicv(), 0);
	ck_assert_int_eq(map(dom, 0x100000, RAM, 100, RW), 0);
	ck_assert_int_eq(iommuabs_domain_destroy(dom, 1), IOMMUABS_E_AGAIN);
	ck_assert_int_eq(declare(GICV, 1, IOMMUABS_FRAMES_EXCLUSIVE),
			 IOMMUABS_E_BUSY);
	ck_assert_int_eq(iommuabs_domain_destroy(dom, 0), 0);
	ck_assert_int_eq(declare(GICV, 1, IOMMUABS_FRAMES_EXCLUSIVE), 0);
}
END_TEST

START_TEST(a_domain_too_narrow_for_what_is_fixed_goes_without)
{
	const struct iommuabs_domain_config config = {
		.size = sizeof(config),
		.input_bits = 32,
	};
	struct iommuabs_domain *narrow, *wide = domain_of(0);
	const uint64_t gfn = ((uint64_t)1 << 20) - 1;

	ck_assert_int_eq(iommuabs_domain_create(w->abs, &config, &narrow), 0);
	ck_assert_int_eq(declare_fixed(GICV, 2, gfn), 0);
	ck_assert_uint_eq(place_of(wide, GICV), gfn);
	ck_assert_uint_eq(place_of(narrow, GICV), NOWHERE);
	ck_assert_int_eq(iommuabs_domain_create(w->abs, &config, &narrow), 0);
	ck_assert_uint_eq(at(narrow, gfn), NOWHERE);
	ck_assert_int_eq(declare(GICV, 2, IOMMUABS_FRAMES_EXCLUSIVE), 0);
	/* The last frame fits. */
	ck_assert_int_eq(declare_fixed(GICV + 8, 1, gfn), 0);
	ck_assert_uint_eq(place_of(narrow, GICV + 8), gfn);
}
END_TEST

/* Its place is on the way out, alone or with its domain: a contradiction. */
START_TEST(what_is_about_to_go_does_not_become_fixed)
{
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	struct iommuabs_domain *dom = domain_of(0);
	struct iommuabs_batch batch;

	ck_assert_int_eq(map(dom, GICV_GFN, GICV, GICV_NR, GICV_FLAGS), 0);
	ck_assert_int_eq(map(dom, 0x100000, RAM, 100, RW), 0);
	if (_i) {
		ck_assert_int_eq(iommuabs_domain_destroy(dom, 1),
				 IOMMUABS_E_AGAIN);
		ck_assert_int_eq(declare_gicv(), IOMMUABS_E_BUSY);
		ck_assert_int_eq(iommuabs_domain_destroy(dom, 0), 0);
	} else {
		ck_assert_int_eq(iommuabs_device_attach(dev, dom, NULL, 0), 0);
		ck_assert_int_eq(iommuabs_batch_init(&batch, dom), 0);
		ck_assert_int_eq(
			iommuabs_domain_unmap(dom, GFN(GICV_GFN), 1, &batch),
			0);
		refused(declare_gicv(), IOMMUABS_E_BUSY);
		ck_assert_int_eq(iommuabs_batch_done(&batch), 0);
	}
	ck_assert_int_eq(declare_gicv(), 0);
}
END_TEST

/* A guest can be without; what it has there instead is its own. */
START_TEST(what_came_in_the_place_of_what_was_fixed_stays)
{
	struct iommuabs_domain *dom = domain_of(0);
	struct iommuabs_domain *host = domain_of(IOMMUABS_DOMAIN_HOST);

	ck_assert_int_eq(declare_gicv(), 0);
	ck_assert_int_eq(unmap(dom, GICV_GFN, GICV_NR), 0);
	ck_assert_int_eq(map(dom, GICV_GFN, RAM, 1, RW), 0);
	/* Nothing is fixed in a host's domain: that it goes is no obstacle. */
	ck_assert_int_eq(map(host, 0, RAM + 0x1000, 100, RW), 0);
	ck_assert_int_eq(iommuabs_domain_destroy(host, 1), IOMMUABS_E_AGAIN);
	ck_assert_int_eq(declare(GICV, GICV_NR, IOMMUABS_FRAMES_EXCLUSIVE), 0);
	ck_assert_uint_eq(at(dom, GICV_GFN), RAM);
	ck_assert_uint_eq(place_of(dom, RAM), GICV_GFN);
	ck_assert_int_eq(iommuabs_domain_destroy(host, 0), 0);
}
END_TEST

/* It is in a large leaf of the reverse map, which has no page to cut it with. */
START_TEST(what_cannot_be_cut_out_does_not_become_fixed)
{
	struct iommuabs_domain *dom = domain_of(0);
	struct rmap *rmap = &w->abs->rmap;

	ck_assert_int_eq(map(dom, 0x8000, 0x8000, 512, GICV_FLAGS), 0);
	rmap->reserve_missing += rmap->reserve.nr;
	tablemem_pool_drain(rmap->mem, &rmap->account, &rmap->reserve);
	rmap->account.limit = rmap->account.used;
	refused(declare_fixed(0x8010, 2, 0x8010), IOMMUABS_E_NOMEM);
	rmap->account.limit = 0;
	ck_assert_int_eq(declare_fixed(0x8010, 2, 0x8010), 0);
	ck_assert(!rmap_is_mapped(rmap, 0x8010, 2));
	ck_assert_uint_eq(place_of(dom, 0x8012), 0x8012);
}
END_TEST

/* As what is mapped, it may come in the place of a table that units know. */
START_TEST(what_is_fixed_comes_when_old_tables_are_forgotten)
{
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	struct iommuabs_domain *dom = domain_of(0);
	const uint64_t table = GICV_GFN & ~(uint64_t)511;
	struct iommuabs_batch batch;
	unsigned int before;

	ck_assert_int_eq(iommuabs_device_attach(dev, dom, NULL, 0), 0);
	ck_assert_int_eq(map(dom, table, RAM, 4, RW), 0);
	ck_assert_int_eq(iommuabs_batch_init(&batch, dom), 0);
	ck_assert_int_eq(iommuabs_domain_unmap(dom, GFN(table), 512, &batch),
			 0);
	ck_assert_uint_eq(dom->views->tables_out, 1);
	before = w->unit[0].invalidates;
	ck_assert_int_eq(declare_gicv(), 0);
	ck_assert_uint_gt(w->unit[0].invalidates, before);
	ck_assert_int_eq(iommuabs_batch_done(&batch), 0);
}
END_TEST

/* ---- declare: what it answers ---- */

START_TEST(declare_checks_its_arguments)
{
	struct {
		struct iommuabs_frame_policy policy;
		uint64_t more;
	} newer = { { .size = sizeof(newer) }, 1 };
	struct iommuabs_frame_policy policy = { .size = sizeof(policy) };
	const struct iommuabs_frame_policy bad[] = {
		{ .size = 0 },
		{ .size = sizeof(policy), .kind = IOMMUABS_FRAMES_CLOSED + 1 },
		{ .size = sizeof(policy), .gfn = GFN(1) },
		{ .size = sizeof(policy), .flags = RW },
		{ .size = sizeof(policy), .kind = IOMMUABS_FRAMES_FIXED },
		{ .size = sizeof(policy),
		  .kind = IOMMUABS_FRAMES_FIXED,
		  .flags = RW | IOMMUABS_FOREIGN },
		{ .size = sizeof(policy),
		  .kind = IOMMUABS_FRAMES_FIXED,
		  .flags = RW | IOMMUABS_REPLACE },
		{ .size = sizeof(policy),
		  .kind = IOMMUABS_FRAMES_FIXED,
		  .flags = RW,
		  .gfn = GFN(((uint64_t)1 << 40) - 1) },
	};
	unsigned int i;

	COVERS(iommuabs_frames_declare, E_INVAL);
	COVERS(iommuabs_frames_declare, E_VERSION);
	refused(iommuabs_frames_declare(NULL, MFN(1), 1, &policy),
		IOMMUABS_E_INVAL);
	refused(iommuabs_frames_declare(w->abs, MFN(1), 1, NULL),
		IOMMUABS_E_INVAL);
	refused(iommuabs_frames_declare(w->abs, MFN(1), 0, &policy),
		IOMMUABS_E_INVAL);
	refused(iommuabs_frames_declare(w->abs, MFN((uint64_t)1 << 40), 1,
					&policy),
		IOMMUABS_E_INVAL);
	for (i = 0; i < IA_COUNT(bad); i++)
		refused(iommuabs_frames_declare(w->abs, MFN(1), 2, &bad[i]),
			IOMMUABS_E_INVAL);
	refused(iommuabs_frames_declare(w->abs, MFN(1), 1, &newer.policy),
		IOMMUABS_E_VERSION);
}
END_TEST

START_TEST(declared_tells_what_was_said_last)
{
	struct iommuabs_frame_policy policy = { .size = sizeof(policy) };
	static const enum iommuabs_frame_kind kinds[] = {
		IOMMUABS_FRAMES_SHARED, IOMMUABS_FRAMES_HOST,
		IOMMUABS_FRAMES_CLOSED, IOMMUABS_FRAMES_EXCLUSIVE
	};
	struct iommuabs_frame_policy none = { .size = 0 };
	unsigned int i;

	COVERS(iommuabs_frames_declared, E_INVAL);
	ck_assert_int_eq(iommuabs_frames_declared(NULL, MFN(1), &policy),
			 IOMMUABS_E_INVAL);
	ck_assert_int_eq(iommuabs_frames_declared(w->abs, MFN(1), NULL),
			 IOMMUABS_E_INVAL);
	ck_assert_int_eq(iommuabs_frames_declared(w->abs, MFN(1), &none),
			 IOMMUABS_E_INVAL);
	ck_assert_int_eq(
		iommuabs_frames_declared(w->abs, MFN(UINT64_MAX), &policy),
		IOMMUABS_E_INVAL);
	ck_assert_int_eq(declare_gicv(), 0);
	ck_assert_int_eq(
		iommuabs_frames_declared(w->abs, MFN(GICV + 1), &policy), 0);
	ck_assert_int_eq(policy.kind, IOMMUABS_FRAMES_FIXED);
	ck_assert_uint_eq(policy.gfn.frame, GICV_GFN + 1);
	ck_assert_uint_eq(policy.flags, GICV_FLAGS);
	for (i = 0; i < IA_COUNT(kinds); i++) {
		/* Ever smaller pieces of large ones. */
		ck_assert_int_eq(
			declare((uint64_t)1 << 30, 1000000 >> 3 * i, kinds[i]),
			0);
		ck_assert_int_eq(
			iommuabs_frames_declared(w->abs, MFN((uint64_t)1 << 30),
						 &policy),
			0);
		ck_assert_int_eq(policy.kind, kinds[i]);
		ck_assert_uint_eq(policy.gfn.frame, 0);
		ck_assert_int_eq(
			iommuabs_frames_declared(
				w->abs,
				MFN(((uint64_t)1 << 30) + (1000000 >> 3 * i)),
				&policy),
			0);
		ck_assert_int_eq(policy.kind,
				 i ? kinds[i - 1] : IOMMUABS_FRAMES_EXCLUSIVE);
	}
}
END_TEST

static const struct backend_geometry s2_16k = {
	.pt_ops = &pt_arm_s2_16k_ops,
	.format = BACKEND_FORMAT_ARM_S2,
	.input_bits = 40,
	.output_bits = 48,
	.granule_lg2 = 14,
	.levels = 3,
	.root_lg2 = 12,
	.leaf_mask = 3,
	.bbml = 2,
};

static const struct backend_geometry s1_4k = {
	.pt_ops = &pt_arm_s1_4k_ops,
	.format = BACKEND_FORMAT_ARM_S2,
	.input_bits = 40,
	.output_bits = 48,
	.granule_lg2 = 12,
	.levels = 4,
	.root_lg2 = 12,
	.leaf_mask = 7,
	.bbml = 2,
};

START_TEST(what_a_mirror_can_not_express_is_not_fixed)
{
	const struct iommuabs_frame_policy policy = {
		.size = sizeof(policy),
		.kind = IOMMUABS_FRAMES_FIXED,
		.gfn = GFN(GICV_GFN),
		.flags = IOMMUABS_WRITE,
	};
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	struct iommuabs_domain *other = domain_of(0), *dom = domain_of(0);

	COVERS(iommuabs_frames_declare, E_GRANULE);
	COVERS(iommuabs_frames_declare, E_NOTSUP);
	w->unit[0].geometry = _i ? &s1_4k : &s2_16k;
	ck_assert_int_eq(iommuabs_device_attach(dev, dom, NULL, 0), 0);
	refused(iommuabs_frames_declare(w->abs, MFN(GICV), 2, &policy),
		_i ? IOMMUABS_E_NOTSUP : IOMMUABS_E_GRANULE);
	ck_assert_uint_eq(at(other, GICV_GFN), NOWHERE);
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	w->unit[0].geometry = NULL;
}
END_TEST

static struct iommuabs_device *device_reserving(uint64_t gfn, uint64_t mfn,
						uint64_t nr)
{
	const struct iommuabs_reserved region = {
		.gfn = GFN(gfn), .mfn = MFN(mfn), .nr = nr, .flags = RW
	};
	const struct iommuabs_stream_range range = {
		.unit = w->unit[0].unit,
		.first = 20 + (uint32_t)(mfn % 1000),
		.nr = 1,
	};
	struct iommuabs_device_desc desc = world_device_desc(&range, 0);
	struct iommuabs_device *dev;

	desc.reserved = &region;
	desc.nr_reserved = 1;
	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &dev), 0);
	return dev;
}

START_TEST(what_devices_need_and_what_is_fixed_keep_apart)
{
	struct iommuabs_domain *dom = domain_of(0);
	struct iommuabs_device *there, *same;

	COVERS(iommuabs_frames_declare, E_RESERVED);
	there = device_reserving(GICV_GFN + 1, RAM, 1);
	ck_assert_int_eq(iommuabs_device_attach(there, dom, NULL, 0), 0);
	refused(declare_gicv(), IOMMUABS_E_RESERVED);
	ck_assert_int_eq(iommuabs_device_detach(there, 0), 0);
	ck_assert_int_eq(declare_gicv(), 0);
	ck_assert_int_eq(iommuabs_device_attach(there, dom, NULL, 0),
			 IOMMUABS_E_RESERVED);
	/* A region that is fixed right there needs nothing, and holds it. */
	same = device_reserving(GICV_GFN, GICV, 1);
	ck_assert_int_eq(iommuabs_device_attach(same, dom, NULL, 0), 0);
	refused(declare(GICV, 2, IOMMUABS_FRAMES_CLOSED), IOMMUABS_E_RESERVED);
	ck_assert_int_eq(iommuabs_device_detach(same, 0), 0);
	ck_assert_int_eq(declare(GICV, 2, IOMMUABS_FRAMES_CLOSED), 0);
	ck_assert_int_eq(iommuabs_device_attach(same, dom, NULL, 0),
			 IOMMUABS_E_PERM);
}
END_TEST

/* ---- memory ---- */

START_TEST(declare_takes_all_memory_first)
{
	struct iommuabs_domain *dom[3];
	uint64_t n, used[3];
	unsigned int i;
	int ret;

	COVERS(iommuabs_frames_declare, E_NOMEM);
	for (i = 0; i < 3; i++)
		dom[i] = domain_of(0);
	ck_assert_int_eq(map(dom[1], GICV_GFN & ~(uint64_t)511, RAM, 0x10, RW),
			 0);
	for (n = 1;; n++) {
		for (i = 0; i < 3; i++)
			used[i] = dom[i]->account.used;
		test_host_fail_nth(w->host, n);
		ret = declare_gicv();
		if (!test_host_failed(w->host))
			break;
		ck_assert_int_eq(ret, IOMMUABS_E_NOMEM);
		for (i = 0; i < 3; i++) {
			ck_assert_uint_eq(dom[i]->account.used, used[i]);
			ck_assert_uint_eq(at(dom[i], GICV_GFN), NOWHERE);
		}
	}
	test_host_fail_nth(w->host, 0);
	ck_assert_int_eq(ret, 0);
	ck_assert_uint_gt(n, 8);
	for (i = 0; i < 3; i++)
		fixed_is_in(dom[i]);
}
END_TEST

START_TEST(what_is_fixed_counts_against_each_quota)
{
	const struct iommuabs_domain_config poor = {
		.size = sizeof(poor),
		.quota_frames = 6,
	};
	struct iommuabs_domain *dom = domain_of(0), *small;

	COVERS(iommuabs_frames_declare, E_QUOTA);
	ck_assert_int_eq(iommuabs_domain_create(w->abs, &poor, &small), 0);
	refused(declare_gicv(), IOMMUABS_E_QUOTA);
	ck_assert_uint_eq(at(dom, GICV_GFN), NOWHERE);
	ck_assert_int_eq(iommuabs_domain_destroy(small, 0), 0);
	ck_assert_int_eq(declare_gicv(), 0);
	ck_assert_int_eq(iommuabs_domain_create(w->abs, &poor, &small),
			 IOMMUABS_E_QUOTA);
	fixed_is_in(dom);
}
END_TEST

/* ---- what is charged ---- */

/* Frames that the host gave for the domain under test. */
static int64_t given;
static char charged_cookie;

static int counting_alloc(void *ctx, void *cookie, unsigned int size_lg2,
			  uint32_t flags, uint64_t *maddr)
{
	int ret = w->host->ops.table_alloc(ctx, cookie, size_lg2, flags, maddr);

	if (!ret && cookie == &charged_cookie)
		given += (int64_t)1 << (size_lg2 - 12);
	return ret;
}

static void counting_free(void *ctx, void *cookie, uint64_t maddr,
			  unsigned int size_lg2)
{
	if (cookie == &charged_cookie)
		given -= (int64_t)1 << (size_lg2 - 12);
	w->host->ops.table_free(ctx, cookie, maddr, size_lg2);
}

/* The n-th call of a life in which there is everything; NULL: no more. */
struct life {
	struct iommuabs_domain *dom, *other;
	struct iommuabs_device *dev;
	struct iommuabs_batch batch;
	iommuabs_mfn_t list[200];
};

static int life_step(struct life *life, unsigned int step)
{
	struct iommuabs_domain *dom = life->dom;
	const uint32_t replace = RW | IOMMUABS_REPLACE;

	switch (step) {
	case 0:
		return map(dom, 0, RAM, 0x40000, RW);
	case 1:
		return map(dom, 0x100000, RAM + 0x50000, 1, RW);
	case 2:
		return iommuabs_device_attach(life->dev, dom, NULL, 0);
	case 3:
		return map(dom, 0x200000, RAM + 0x60000, 700, RW);
	case 4:
		return map(dom, 0x300000, RAM + 0x10, 300,
			   RW | IOMMUABS_FOREIGN);
	case 5:
		return iommuabs_domain_map_list(dom, GFN(0x400003), life->list,
						200, RW, NULL);
	case 6:
		return iommuabs_domain_protect(dom, GFN(0x1234), 5,
					       IOMMUABS_READ, NULL);
	case 7:
		return map(dom, 0x2345, RAM + 0x70000, 600, replace);
	case 8:
		return unmap(dom, 0x8001, 0x1fff);
	case 9:
		return unmap(dom, 0x300000, 150);
	case 10:
		return declare_gicv();
	case 11:
		return iommuabs_domain_unmap(dom, GFN(0), 0x1000, &life->batch);
	case 12:
		return iommuabs_batch_sync(&life->batch);
	case 13:
		return map(dom, 0x9000, RAM + 0x9000, 0x800, RW);
	case 14:
		return declare(GICV, GICV_NR, IOMMUABS_FRAMES_EXCLUSIVE);
	case 15:
		return unmap(dom, 0, 0x500000);
	case 16:
		return iommuabs_device_detach(life->dev, 0);
	default:
		return iommuabs_domain_compact(dom, 0);
	}
}

#define LIFE_STEPS 18

static void charge_is_exact(const struct iommuabs_domain *dom)
{
	ck_assert_uint_eq(port_load64(&dom->account.used),
			  (uint64_t)given + (dom->owner.extras + 127) / 128);
}

/* Every call of a life, with the n-th allocation of all failing. */
static bool life_with_failure(uint64_t n, struct iommuabs_device *dev)
{
	const struct iommuabs_domain_config config = {
		.size = sizeof(config),
		.cookie = &charged_cookie,
	};
	struct life life = { .other = domain_of(0), .dev = dev };
	unsigned int i;
	bool failed;
	int ret;

	for (i = 0; i < IA_COUNT(life.list); i++)
		life.list[i] = MFN(RAM + 0x80000 + i * 7 % 200);
	given = 0;
	test_host_fail_nth(w->host, n);
	ret = iommuabs_domain_create(w->abs, &config, &life.dom);
	if (ret) {
		ck_assert_int_eq(given, 0);
		ck_assert_int_eq(iommuabs_domain_destroy(life.other, 0), 0);
		return true;
	}
	charge_is_exact(life.dom);
	ck_assert_int_eq(iommuabs_batch_init(&life.batch, life.dom), 0);
	for (i = 0; i < LIFE_STEPS; i++) {
		ret = life_step(&life, i);
		charge_is_exact(life.dom);
		if (ret && (i != 6 || ret != IOMMUABS_E_NOENT))
			ck_assert_int_eq(ret, IOMMUABS_E_NOMEM);
	}
	failed = test_host_failed(w->host);
	test_host_fail_nth(w->host, 0);
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	ck_assert_int_eq(iommuabs_batch_done(&life.batch), 0);
	ck_assert_int_eq(declare(GICV, GICV_NR, IOMMUABS_FRAMES_EXCLUSIVE), 0);
	charge_is_exact(life.dom);
	ck_assert_int_eq(iommuabs_domain_destroy(life.dom, 0), 0);
	ck_assert_int_eq(given, 0);
	ck_assert_int_eq(iommuabs_domain_destroy(life.other, 0), 0);
	return failed;
}

START_TEST(the_quota_is_what_was_given_after_every_call_and_failure)
{
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	uint64_t n;

	w->abs->host.ops.table_alloc = counting_alloc;
	w->abs->host.ops.table_free = counting_free;
	for (n = 1; life_with_failure(n, dev); n++)
		;
	ck_assert_uint_gt(n, 40);
	w->abs->host.ops.table_alloc = w->host->ops.table_alloc;
	w->abs->host.ops.table_free = w->host->ops.table_free;
}
END_TEST

/* ---- host, closed ---- */

START_TEST(what_is_the_hosts_is_in_no_guest)
{
	struct iommuabs_domain *dom = domain_of(0), *host, *own, *plain;
	struct iommuabs_device *rmrr = device_reserving(0x900, RAM + 4, 1);

	host = domain_of(IOMMUABS_DOMAIN_HOST);
	own = domain_of(IOMMUABS_DOMAIN_IDENTITY);
	plain = domain_of(IOMMUABS_DOMAIN_HOST |
			  IOMMUABS_DOMAIN_NO_REVERSE_MAP);
	ck_assert_int_eq(map(dom, 4, RAM + 4, 1, RW | IOMMUABS_FOREIGN), 0);
	refused(declare(RAM, 16, IOMMUABS_FRAMES_HOST), IOMMUABS_E_BUSY);
	ck_assert_int_eq(unmap(dom, 4, 1), 0);
	ck_assert_int_eq(map(host, 0, RAM, 16, RW), 0);
	ck_assert_int_eq(declare(RAM, 16, IOMMUABS_FRAMES_HOST), 0);
	refused(map(dom, 4, RAM + 4, 1, RW), IOMMUABS_E_PERM);
	refused(map(dom, 4, RAM + 4, 1, RW | IOMMUABS_FOREIGN),
		IOMMUABS_E_PERM);
	refused(map(dom, 0, RAM - 4, 5, RW), IOMMUABS_E_PERM);
	ck_assert_int_eq(iommuabs_device_attach(rmrr, dom, NULL, 0),
			 IOMMUABS_E_PERM);
	ck_assert_int_eq(iommuabs_device_attach(rmrr, host, NULL, 0), 0);
	ck_assert_int_eq(map(host, 0x40, RAM, 16, RW), 0);
	ck_assert_int_eq(map(own, RAM, RAM, 16, RW), 0);
	ck_assert_int_eq(map(plain, 0, RAM, 16, RW), 0);
}
END_TEST

START_TEST(nothing_new_is_in_what_is_closed)
{
	static const uint32_t kinds[] = {
		0, IOMMUABS_DOMAIN_HOST, IOMMUABS_DOMAIN_IDENTITY,
		IOMMUABS_DOMAIN_HOST | IOMMUABS_DOMAIN_NO_REVERSE_MAP
	};
	struct iommuabs_domain *old = domain_of(0), *dom = domain_of(kinds[_i]);
	struct iommuabs_device *rmrr =
		device_reserving(0x4000 + RAM, 0x4000 + RAM, 1);
	iommuabs_mfn_t list[2] = { MFN(RAM - 1), MFN(RAM) };
	struct iommuabs_frame_user users[PLACES_MAX];

	ck_assert_int_eq(map(old, 7, RAM + 7, 2, RW), 0);
	ck_assert_int_eq(declare(RAM, 0x8000, IOMMUABS_FRAMES_CLOSED), 0);
	refused(map(dom, RAM, RAM, 1, RW), IOMMUABS_E_PERM);
	refused(map(dom, RAM + 0x200, RAM + 0x200, 0x200, RW), IOMMUABS_E_PERM);
	refused(map(dom, RAM, RAM, 1, RW | IOMMUABS_FOREIGN), IOMMUABS_E_PERM);
	refused(iommuabs_domain_map_list(dom, GFN(RAM - 1), list, 2, RW, NULL),
		IOMMUABS_E_PERM);
	refused(map(dom, RAM - 8, RAM - 8, 9, RW), IOMMUABS_E_PERM);
	ck_assert_uint_eq(users_of(RAM - 8, users), 0);
	ck_assert_int_eq(iommuabs_device_attach(rmrr, dom, NULL, 0),
			 IOMMUABS_E_PERM);
	/* What was there stays, and can be taken away, but not come back. */
	ck_assert_uint_eq(place_of(old, RAM + 8), 8);
	ck_assert_int_eq(
		iommuabs_domain_protect(old, GFN(7), 1, IOMMUABS_READ, NULL),
		0);
	ck_assert_int_eq(map(old, 8, RAM + 8, 1, RW), 0);
	ck_assert_int_eq(unmap(old, 7, 1), 0);
	refused(map(old, 7, RAM + 7, 1, RW), IOMMUABS_E_PERM);
	ck_assert_int_eq(declare(RAM, 0x8000, IOMMUABS_FRAMES_EXCLUSIVE), 0);
	ck_assert_int_eq(map(old, 7, RAM + 7, 1, RW), 0);
	ck_assert_int_eq(map(dom, RAM, RAM, 1, RW), 0);
}
END_TEST

/* ---- the library's own memory, refused in every domain by every call ---- */

static int walk_own(struct world *world, struct iommuabs_p2m_query *query)
{
	(void)world;
	query->runs[0] =
		(struct iommuabs_p2m_run){ query->gfn, MFN(query->gfn.frame), 1,
					   RW };
	query->nr_runs = 1;
	return 0;
}

START_TEST(the_librarys_own_memory_is_refused_everywhere)
{
	static const uint32_t kinds[] = {
		0, IOMMUABS_DOMAIN_HOST, IOMMUABS_DOMAIN_IDENTITY,
		IOMMUABS_DOMAIN_HOST | IOMMUABS_DOMAIN_NO_REVERSE_MAP
	};
	const struct iommuabs_unit_desc regs = {
		.size = sizeof(regs),
		.type = IOMMUABS_UNIT_OTHER,
		.base = 0x9050000,
		.length = 0x20000,
	};
	struct iommuabs_domain *dom = domain_of(kinds[_i]), *other;
	struct iommuabs_frame_user user;
	struct iommuabs_unit *unit;
	struct iommuabs_device *rmrr;
	uint64_t own[5], cursor;
	iommuabs_mfn_t mfn;
	uint32_t nr, i;

	COVERS(iommuabs_frames_declare, E_PERM);
	ck_assert_int_eq(iommuabs_unit_add(w->abs, &regs, &unit), 0);
	ck_assert_int_eq(declare(RAM, 1, IOMMUABS_FRAMES_SHARED), 0);
	other = domain_of(0);
	own[0] = dom->ledger.root >> 12;
	own[1] = other->ledger.root >> 12;
	own[2] = w->abs->rmap.pt.root >> 12;
	own[3] = w->abs->frames.pt.root >> 12;
	own[4] = 0x9051;
	w->on_walk = walk_own;
	for (i = 0; i < IA_COUNT(own); i++) {
		mfn = MFN(own[i]);
		refused(map(dom, own[i], own[i], 1, RW), IOMMUABS_E_PERM);
		refused(map(dom, own[i], own[i], 1, RW | IOMMUABS_FOREIGN),
			IOMMUABS_E_PERM);
		refused(map(dom, own[i] & ~(uint64_t)7, own[i] & ~(uint64_t)7,
			    8, RW | IOMMUABS_REPLACE),
			IOMMUABS_E_PERM);
		refused(iommuabs_domain_map_list(dom, GFN(own[i]), &mfn, 1, RW,
						 NULL),
			IOMMUABS_E_PERM);
		if (!(kinds[_i] & IOMMUABS_DOMAIN_IDENTITY))
			ck_assert_int_eq(iommuabs_domain_refresh(dom,
								 GFN(own[i]), 1,
								 NULL, NULL),
					 IOMMUABS_E_PERM);
		refused(declare_fixed(own[i], 1, GICV_GFN), IOMMUABS_E_PERM);
		rmrr = device_reserving(own[i], own[i], 1);
		ck_assert_int_eq(iommuabs_device_attach(rmrr, dom, NULL, 0),
				 IOMMUABS_E_PERM);
		cursor = 0;
		ck_assert_int_eq(iommuabs_frame_users(w->abs, mfn, &cursor,
						      &user, 1, &nr),
				 0);
		ck_assert_uint_eq(nr, 1);
		ck_assert_ptr_null(user.dom);
	}
}
END_TEST

START_TEST(what_is_fixed_becomes_no_table)
{
	const struct iommuabs_domain_config config = { .size = sizeof(config) };
	struct iommuabs_unit_desc regs = {
		.size = sizeof(regs),
		.type = IOMMUABS_UNIT_OTHER,
		.base = (GICV - 1) << 12,
		.length = 0x2000,
	};
	uint64_t frame = TEST_HOST_MFN + TEST_HOST_FRAMES - 1;
	struct iommuabs_domain *dom;
	struct iommuabs_unit *unit;

	/* No guest has it yet. */
	ck_assert_int_eq(declare_fixed(frame, 1, GICV_GFN + 7), 0);
	ck_assert_int_eq(declare_gicv(), 0);
	w->host->lie = frame << 12;
	ck_assert_int_eq(iommuabs_domain_create(w->abs, &config, &dom),
			 IOMMUABS_E_NOMEM);
	ck_assert_uint_eq(w->host->lie_returned, frame << 12);
	ck_assert_int_eq(iommuabs_unit_add(w->abs, &regs, &unit),
			 IOMMUABS_E_EXISTS);
}
END_TEST

/* ---- a host with books of its own ---- */

static struct {
	struct iommuabs_frames_query asked[8];
	unsigned int nr;
	uint64_t no,
		vouched; /* the answers for queries that hold these frames */
	int error;
} books;

static bool holds(const struct iommuabs_frames_query *query, uint64_t mfn)
{
	return mfn - query->mfn.frame < query->nr;
}

static int books_allow(void *ctx, const struct iommuabs_frames_query *query)
{
	(void)ctx;
	if (test_host_holds_lock(-1))
		test_host_violation(w->host, "frames_allowed() under a lock");
	if (books.nr < IA_COUNT(books.asked))
		books.asked[books.nr] = *query;
	books.nr++;
	if (holds(query, books.no))
		return books.error;
	return holds(query, books.vouched) ? IOMMUABS_FRAMES_VOUCHED : 0;
}

static void books_open(void)
{
	w->abs->host.ops.frames_allowed = books_allow;
	memset(&books, 0, sizeof(books));
	books.no = books.vouched = NOWHERE;
	books.error = IOMMUABS_E_PERM;
}

static void was_asked(unsigned int i, uint64_t gfn, uint64_t mfn, uint64_t nr,
		      uint32_t flags)
{
	const struct iommuabs_frames_query *query = &books.asked[i];

	ck_assert_uint_lt(i, books.nr);
	ck_assert_ptr_eq(query->dom_cookie, w);
	ck_assert_uint_eq(query->gfn.frame, gfn);
	ck_assert_uint_eq(query->mfn.frame, mfn);
	ck_assert_uint_eq(query->nr, nr);
	ck_assert_uint_eq(query->flags, flags);
}

START_TEST(the_hosts_books_are_asked_about_new_places)
{
	struct iommuabs_domain *dom = domain_of(0), *host;
	const iommuabs_mfn_t list[3] = { MFN(RAM + 9), MFN(RAM + 10),
					 MFN(RAM + 3) };
	struct iommuabs_device *rmrr = device_reserving(0x900, RAM + 44, 2);

	host = domain_of(IOMMUABS_DOMAIN_HOST);
	ck_assert_int_eq(declare_gicv(), 0);
	ck_assert_int_eq(declare(RAM + 20, 1, IOMMUABS_FRAMES_SHARED), 0);
	ck_assert_int_eq(declare(RAM + 22, 1, IOMMUABS_FRAMES_CLOSED), 0);
	books_open();
	ck_assert_int_eq(map(dom, 0, RAM, 1, RW), 0);
	was_asked(0, 0, RAM, 1, RW);
	ck_assert_int_eq(map(dom, 0, RAM, 512, RW | IOMMUABS_REPLACE),
			 IOMMUABS_E_PERM); /* 22 is closed */
	was_asked(1, 1, RAM + 1, 19, RW);
	was_asked(2, 20, RAM + 20, 1, RW);
	was_asked(3, 21, RAM + 21, 1, RW);
	ck_assert_uint_eq(books.nr, 4);
	books.nr = 0;
	ck_assert_int_eq(iommuabs_domain_map_list(dom, GFN(0x40), list, 3,
						  RW | IOMMUABS_FOREIGN, NULL),
			 0);
	was_asked(0, 0x40, RAM + 9, 2, RW | IOMMUABS_FOREIGN);
	was_asked(1, 0x42, RAM + 3, 1, RW | IOMMUABS_FOREIGN);
	ck_assert_int_eq(iommuabs_device_attach(rmrr, dom, NULL, 0), 0);
	was_asked(2, 0x900, RAM + 44, 2, RW | IOMMUABS_FOREIGN);
	ck_assert_uint_eq(books.nr, 3);
	/* Nothing new, the host's own, or declared. */
	ck_assert_int_eq(map(dom, 0, RAM, 1, RW), 0);
	ck_assert_int_eq(map(dom, 0, RAM, 1, IOMMUABS_READ | IOMMUABS_REPLACE),
			 0);
	ck_assert_int_eq(map(host, 0, RAM, 16, RW), 0);
	(void)domain_of(0);
	ck_assert_int_eq(unmap(dom, 0, 1), 0);
	ck_assert_uint_eq(books.nr, 3);
}
END_TEST

START_TEST(what_the_hosts_books_refuse_is_refused)
{
	struct iommuabs_domain *dom = domain_of(0);
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	const iommuabs_mfn_t list[2] = { MFN(RAM + 1), MFN(RAM + 600) };

	books_open();
	ck_assert_int_eq(map(dom, 0x2000, RAM + 0x2000, 8, RW), 0);
	books.no = RAM + 600;
	refused(map(dom, 0, RAM + 512, 512, RW), IOMMUABS_E_PERM);
	refused(map(dom, 0, RAM + 600, 1, RW), IOMMUABS_E_PERM);
	refused(map(dom, 0x2000, RAM + 600, 1, RW | IOMMUABS_REPLACE),
		IOMMUABS_E_PERM);
	refused(iommuabs_domain_map_list(dom, GFN(0), list, 2, RW, NULL),
		IOMMUABS_E_PERM);
	books.error = IOMMUABS_E_NOMEM;
	refused(map(dom, 0, RAM + 512, 512, RW), IOMMUABS_E_NOMEM);
	books.error = 2; /* no such answer */
	refused(map(dom, 0, RAM + 600, 1, RW), IOMMUABS_E_INVAL);
	books.error = IOMMUABS_E_PERM;
	ck_assert_int_eq(iommuabs_device_attach(dev, dom, NULL, 0), 0);
	refused(map(dom, 0, RAM + 600, 1, RW), IOMMUABS_E_PERM);
	ck_assert_uint_eq(reach(dev, 0), NOWHERE);
	/* The reverse map has the last word for who is not vouched for. */
	ck_assert_int_eq(map(domain_of(0), 0, RAM + 0x2000, 1, RW),
			 IOMMUABS_E_PERM);
}
END_TEST

START_TEST(who_is_vouched_for_owns_nothing)
{
	struct iommuabs_domain *a = domain_of(0), *b = domain_of(0);
	struct iommuabs_frame_user users[PLACES_MAX];

	ck_assert_int_eq(map(a, 5, RAM + 5, 1, RW), 0);
	books_open();
	books.vouched = RAM + 5;
	ck_assert_int_eq(map(b, 9, RAM + 5, 1, RW), 0);
	ck_assert_uint_eq(users_of(RAM + 5, users), 2);
	ck_assert_uint_eq(users[1].flags, RW);
	ck_assert_int_eq(unmap(a, 5, 1), 0);
	books.vouched = NOWHERE;
	ck_assert_int_eq(map(a, 5, RAM + 5, 1, RW), 0);
	ck_assert_int_eq(unmap(b, 9, 1), 0);
	refused(map(b, 9, RAM + 5, 1, RW), IOMMUABS_E_PERM);
}
END_TEST

static uint64_t walked_mfn;

static int walk_one(struct world *world, struct iommuabs_p2m_query *query)
{
	(void)world;
	query->runs[0] =
		(struct iommuabs_p2m_run){ GFN(9), MFN(walked_mfn), 1, RW };
	query->nr_runs = 1;
	return 0;
}

START_TEST(a_refresh_that_the_books_refuse_blocks_what_shares)
{
	struct iommuabs_domain *dom = world_shared_domain(w);
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	struct iommuabs_explanation why = { .size = sizeof(why) };

	ck_assert_int_eq(iommuabs_device_attach(dev, dom, NULL, 0), 0);
	books_open();
	books.no = walked_mfn = RAM + 1;
	w->on_walk = walk_one;
	ck_assert_int_eq(iommuabs_domain_refresh(dom, GFN(9), 1, NULL, NULL),
			 IOMMUABS_E_PERM);
	ck_assert_int_eq(iommuabs_device_explain(dev, GFN(9), RW, &why), 0);
	ck_assert_int_eq(why.obstacle, IOMMUABS_OBSTACLE_BLOCKED);
	books.no = NOWHERE;
	ck_assert_int_eq(iommuabs_domain_refresh(dom, GFN(9), 1, NULL, NULL),
			 0);
	ck_assert_uint_eq(place_of(dom, RAM + 1), 9);
}
END_TEST

/* Destroys a domain when the instance's lock is taken next. */
static struct {
	struct iommuabs_domain *dom; /* NULL: not any more */
	void (*lock)(void *ctx, void *lock);
	pthread_t thread;
} hasty;

static void *hasty_destroy(void *dom)
{
	return iommuabs_domain_destroy(dom, 0) ? dom : NULL;
}

static void hasty_lock(void *ctx, void *lock)
{
	struct iommuabs_domain *dom = hasty.dom;

	if (dom && lock == w->abs->lock.host_lock) {
		hasty.dom = NULL;
		pthread_create(&hasty.thread, NULL, hasty_destroy, dom);
		/* All is done but what waits for whoever is in the gate. */
		while (!(port_load64(&w->abs->gate.word) & GATE_ALONE))
			port_relax();
	}
	hasty.lock(ctx, lock);
}

START_TEST(a_domain_may_go_while_its_places_are_listed)
{
	struct iommuabs_domain *dom = domain_of(0);
	struct iommuabs_frame_user users[2];
	uint64_t cursor = 0;
	void *failed;
	uint32_t nr;

	ck_assert_int_eq(map(dom, 5, RAM + 5, 1, RW), 0);
	ck_assert_ptr_nonnull(w->abs->lock.host_lock);
	hasty.dom = dom;
	hasty.lock = w->abs->host.ops.lock;
	w->abs->host.ops.lock = hasty_lock;
	ck_assert_int_eq(iommuabs_frame_users(w->abs, MFN(RAM + 5), &cursor,
					      users, 2, &nr),
			 0);
	ck_assert_ptr_null(hasty.dom);
	pthread_join(hasty.thread, &failed);
	w->abs->host.ops.lock = hasty.lock;
	ck_assert_ptr_null(failed);
	cursor = 0;
	ck_assert_int_eq(iommuabs_frame_users(w->abs, MFN(RAM + 5), &cursor,
					      users, 2, &nr),
			 0);
	ck_assert_uint_eq(nr, 0);
}
END_TEST

/* ---- a walk over machine frames ---- */

/* Does @next go on where @place ends? A walk ends a piece where it likes. */
static bool goes_on(const struct iommuabs_frame_place *place,
		    const struct iommuabs_frame_place *next)
{
	return place->user.dom && place->user.dom == next->user.dom &&
	       place->mfn.frame + place->nr == next->mfn.frame &&
	       place->user.gfn.frame + place->nr == next->user.gfn.frame &&
	       place->user.flags == next->user.flags &&
	       place->user.state == next->user.state;
}

/* All places of a range, in the largest pieces that there are. */
static uint32_t walk_all(uint64_t mfn, uint64_t nr,
			 struct iommuabs_frame_place places[], uint32_t max,
			 uint64_t budget)
{
	struct iommuabs_frame_place some[PLACES_MAX];
	struct iommuabs_frames_walk walk = {
		.size = sizeof(walk),
		.max_places = max,
		.mfn = MFN(mfn),
		.nr = nr,
		.places = some,
	};
	uint32_t total = 0, rounds = 0, i;
	int ret;

	do {
		ret = iommuabs_frames_walk(w->abs, &walk, budget);
		ck_assert(!ret || ret == IOMMUABS_E_AGAIN);
		for (i = 0; i < walk.nr_places; i++) {
			if (total && goes_on(&places[total - 1], &some[i])) {
				places[total - 1].nr += some[i].nr;
				continue;
			}
			ck_assert_uint_lt(total, PLACES_MAX);
			places[total++] = some[i];
		}
		ck_assert_uint_lt(rounds++, 10000);
	} while (ret);
	ck_assert_uint_eq(walk.nr, 0);
	return total;
}

static void place_is(const struct iommuabs_frame_place *place, uint64_t mfn,
		     uint64_t nr, const struct iommuabs_domain *dom,
		     uint64_t gfn)
{
	ck_assert_uint_eq(place->mfn.frame, mfn);
	ck_assert_uint_eq(place->nr, nr);
	ck_assert_ptr_eq(place->user.dom, dom);
	ck_assert_uint_eq(place->user.gfn.frame, gfn);
}

static int declare_kind(uint64_t mfn, uint64_t nr,
			enum iommuabs_frame_kind kind)
{
	const struct iommuabs_frame_policy policy = {
		.size = sizeof(policy),
		.kind = kind,
	};

	return iommuabs_frames_declare(w->abs, MFN(mfn), nr, &policy);
}

/* From the first time on it is one of two; neither, by *@arg, is a mistake. */
static void *ask_what_is_declared(void *arg)
{
	struct iommuabs_frame_policy policy = { .size = sizeof(policy) };
	uint64_t *rounds = arg;
	bool seen = false;

	while (port_load64_acquire(rounds)) {
		if (iommuabs_frames_declared(w->abs, MFN(RAM + 0x1200),
					     &policy))
			return arg;
		if (seen && policy.kind == IOMMUABS_FRAMES_EXCLUSIVE)
			return arg;
		seen = seen || policy.kind != IOMMUABS_FRAMES_EXCLUSIVE;
	}
	return NULL;
}

START_TEST(a_declaration_is_not_seen_in_the_making)
{
	uint64_t rounds = 20000, i;
	pthread_t asking;
	void *failed;

	ck_assert_int_eq(
		pthread_create(&asking, NULL, ask_what_is_declared, &rounds),
		0);
	for (i = rounds; i; i--)
		ck_assert_int_eq(declare_kind(RAM + 0x1001, 0x3fe,
					      i % 2 ? IOMMUABS_FRAMES_SHARED
						    : IOMMUABS_FRAMES_HOST),
				 0);
	port_store64_release(&rounds, 0);
	pthread_join(asking, &failed);
	ck_assert_ptr_null(failed);
}
END_TEST

/* What is declared, and what may be a table, is looked at within the budget. */
START_TEST(a_step_of_a_walk_is_small_whatever_was_declared)
{
	struct iommuabs_frame_place place;
	struct iommuabs_frames_walk walk = {
		.size = sizeof(walk),
		.max_places = 1,
		.mfn = MFN(RAM),
		.nr = 1000,
		.places = &place,
	};
	uint64_t before;
	uint32_t i, steps;

	for (i = 0; i < 500; i++)
		ck_assert_int_eq(
			declare_kind(RAM + 2 * i, 1, IOMMUABS_FRAMES_SHARED),
			0);
	for (steps = 0, before = walk.nr;
	     iommuabs_frames_walk(w->abs, &walk, 2) == IOMMUABS_E_AGAIN;
	     steps++) {
		ck_assert_uint_le(before - walk.nr, 8);
		ck_assert_uint_lt(walk.nr, before);
		before = walk.nr;
	}
	ck_assert_uint_gt(steps, 100);
	ck_assert_uint_eq(walk.nr_places, 0);
	/* Two chunks of table ranges without a table. */
	walk.mfn = MFN(w->host->mfn + 0x7ff0);
	walk.nr = 0x20;
	ck_assert_int_eq(iommuabs_frames_walk(w->abs, &walk, 1),
			 IOMMUABS_E_AGAIN);
	ck_assert_uint_eq(walk.nr, 0x10);
	ck_assert_int_eq(iommuabs_frames_walk(w->abs, &walk, 1), 0);
}
END_TEST

START_TEST(a_walk_tells_every_place_of_a_range)
{
	/* Room for places, budget. */
	static const uint32_t sizes[][2] = {
		{ PLACES_MAX, 0 }, { 1, 0 }, { 3, 1 }, { 2, 7 }, { 1, 1 },
	};
	struct iommuabs_frame_place places[PLACES_MAX];
	struct iommuabs_domain *a = domain_of(0), *b = domain_of(0);
	const uint64_t far = RAM + ((uint64_t)1 << 26);
	const uint32_t foreign = RW | IOMMUABS_FOREIGN;
	uint32_t nr, i = 0;

	ck_assert_int_eq(map(a, 0x10000, RAM, 0x400, RW), 0);
	ck_assert_int_eq(map(b, 0x77, RAM + 0x305, 2, foreign), 0);
	ck_assert_int_eq(map(a, 0x5000, RAM + 0x306, 1, foreign), 0);
	ck_assert_int_eq(iommuabs_domain_protect(a, GFN(0x10010), 1,
						 IOMMUABS_READ, NULL),
			 0);
	ck_assert_int_eq(map(b, 0x40000, far, 1, RW), 0);
	ck_assert_int_eq(declare_fixed(RAM + 0x500, 1, GICV_GFN), 0);
	nr = walk_all(RAM + 8, far - RAM - 7, places, sizes[_i][0],
		      sizes[_i][1]);
	place_is(&places[i++], RAM + 8, 8, a, 0x10008);
	place_is(&places[i++], RAM + 0x10, 1, a, 0x10010);
	ck_assert_uint_eq(places[1].user.flags, IOMMUABS_READ);
	place_is(&places[i++], RAM + 0x11, 0x2f5, a, 0x10011);
	place_is(&places[i++], RAM + 0x305, 1, b, 0x77);
	place_is(&places[i++], RAM + 0x306, 1, a, 0x5000);
	ck_assert_uint_eq(places[i - 1].user.flags, foreign);
	place_is(&places[i++], RAM + 0x306, 1, a, 0x10306);
	place_is(&places[i++], RAM + 0x306, 1, b, 0x78);
	place_is(&places[i++], RAM + 0x307, 0xf9, a, 0x10307);
	place_is(&places[i++], RAM + 0x500, 1, a, GICV_GFN);
	place_is(&places[i++], RAM + 0x500, 1, b, GICV_GFN);
	place_is(&places[i++], far, 1, b, 0x40000);
	ck_assert_uint_eq(places[i - 1].user.flags, RW);
	ck_assert_uint_eq(nr, i);
}
END_TEST

START_TEST(a_walk_checks_its_arguments)
{
	struct iommuabs_frame_place place;
	const struct iommuabs_frames_walk good = {
		.size = sizeof(good),
		.max_places = 1,
		.mfn = MFN(1),
		.nr = 1,
		.places = &place,
	};
	struct iommuabs_frames_walk bad[5], none = good;
	struct {
		struct iommuabs_frames_walk walk;
		uint64_t more;
	} newer = { .walk = good, .more = 1 };
	unsigned int i;

	COVERS(iommuabs_frames_walk, E_INVAL);
	COVERS(iommuabs_frames_walk, E_VERSION);
	COVERS(iommuabs_frames_walk, E_AGAIN);
	for (i = 0; i < 5; i++)
		bad[i] = good;
	bad[0].size = 0;
	bad[1].max_places = 0;
	bad[2].places = NULL;
	bad[3].nr = (uint64_t)1 << 40;
	bad[4].after = 7;
	for (i = 0; i < 5; i++)
		REFUSED(w, iommuabs_frames_walk(w->abs, &bad[i], 0),
			IOMMUABS_E_INVAL);
	REFUSED(w, iommuabs_frames_walk(NULL, &none, 0), IOMMUABS_E_INVAL);
	REFUSED(w, iommuabs_frames_walk(w->abs, NULL, 0), IOMMUABS_E_INVAL);
	newer.walk.size = sizeof(newer);
	REFUSED(w, iommuabs_frames_walk(w->abs, &newer.walk, 0),
		IOMMUABS_E_VERSION);
	ck_assert_int_eq(iommuabs_frames_walk(w->abs, &none, 0), 0);
	ck_assert_uint_eq(none.nr_places, 0);
	ck_assert_int_eq(map(domain_of(0), 0, 1, 4, RW), 0);
	none = good;
	none.nr = 4;
	ck_assert_int_eq(map(domain_of(0), 0, 2, 1, RW | IOMMUABS_FOREIGN), 0);
	ck_assert_int_eq(iommuabs_frames_walk(w->abs, &none, 0),
			 IOMMUABS_E_AGAIN);
	ck_assert_uint_eq(none.nr_places, 1);
}
END_TEST

START_TEST(a_walk_tells_what_is_the_librarys)
{
	struct iommuabs_frame_place places[PLACES_MAX];
	const struct iommuabs_unit_desc regs = {
		.size = sizeof(regs),
		.type = IOMMUABS_UNIT_OTHER,
		.base = 0x9050000,
		.length = 0x2000,
	};
	struct iommuabs_domain *dom = domain_of(0);
	uint64_t root = dom->ledger.root >> 12;
	struct iommuabs_unit *unit;
	uint32_t nr;

	ck_assert_int_eq(iommuabs_unit_add(w->abs, &regs, &unit), 0);
	ck_assert_int_eq(map(dom, 0x9040, 0x9040, 0x10, RW), 0);
	nr = walk_all(0x9000, 0x1000, places, PLACES_MAX, 0);
	ck_assert_uint_eq(nr, 3);
	place_is(&places[0], 0x9040, 0x10, dom, 0x9040);
	place_is(&places[1], 0x9050, 1, NULL, 0);
	place_is(&places[2], 0x9051, 1, NULL, 0);
	nr = walk_all(root, 1, places, 1, 1);
	ck_assert_uint_eq(nr, 1);
	place_is(&places[0], root, 1, NULL, 0);
	/* Of all tables the same ones as the host knows. */
	nr = walk_all(TEST_HOST_MFN, TEST_HOST_FRAMES, places, PLACES_MAX, 0);
	ck_assert_uint_eq(nr, w->host->tables);
}
END_TEST

/* Memory goes away: closed, walked and emptied, with what a unit withholds. */
START_TEST(a_range_that_goes_away_is_emptied)
{
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	struct iommuabs_domain *a = domain_of(0), *b = domain_of(0);
	struct iommuabs_frame_place places[PLACES_MAX];
	uint32_t nr, i;

	ck_assert_int_eq(iommuabs_device_attach(dev, a, NULL, 0), 0);
	ck_assert_int_eq(map(a, 0, RAM - 0x300, 0x800, RW), 0);
	ck_assert_int_eq(map(b, 0x50, RAM + 0x20, 3, RW | IOMMUABS_FOREIGN), 0);
	ck_assert_int_eq(declare(RAM, 0x200, IOMMUABS_FRAMES_CLOSED), 0);
	w->unit[0].invalidate = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(unmap(a, 0x3ff, 1), IOMMUABS_E_TIMEOUT);
	w->unit[0].invalidate = 0;
	nr = walk_all(RAM, 0x200, places, PLACES_MAX, 0);
	for (i = 0; i < nr; i++)
		if (places[i].user.state == IOMMUABS_FRAME_MAPPED &&
		    places[i].user.dom == b)
			ck_assert_int_eq(unmap(b, places[i].user.gfn.frame,
					       places[i].nr),
					 0);
	ck_assert_int_eq(iommuabs_unit_recover(w->unit[0].unit, 0), 0);
	nr = walk_all(RAM, 0x200, places, PLACES_MAX, 3);
	for (i = 0; i < nr; i++) {
		ck_assert_ptr_eq(places[i].user.dom, a);
		ck_assert_int_eq(places[i].user.state, IOMMUABS_FRAME_MAPPED);
		ck_assert_int_eq(
			unmap(a, places[i].user.gfn.frame, places[i].nr), 0);
	}
	ck_assert_uint_eq(walk_all(RAM, 0x200, places, PLACES_MAX, 0), 0);
	ck_assert_uint_eq(reach(dev, 0x300), NOWHERE);
	ck_assert_uint_eq(reach(dev, 0x4ff), NOWHERE);
	ck_assert_uint_eq(reach(dev, 0x2ff), RAM - 1);
	ck_assert_uint_eq(reach(dev, 0x500), RAM + 0x200);
}
END_TEST

START_TEST(a_walk_tells_of_what_is_withheld)
{
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	struct iommuabs_domain *dom = domain_of(0);
	struct iommuabs_frame_place places[PLACES_MAX];

	ck_assert_int_eq(iommuabs_device_attach(dev, dom, NULL, 0), 0);
	ck_assert_int_eq(map(dom, 0, RAM, 8, RW), 0);
	w->unit[0].invalidate = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(unmap(dom, 2, 2), IOMMUABS_E_TIMEOUT);
	w->unit[0].invalidate = 0;
	ck_assert_uint_eq(walk_all(RAM, 8, places, PLACES_MAX, 0), 3);
	place_is(&places[0], RAM, 2, dom, 0);
	place_is(&places[1], RAM + 2, 2, dom, 2);
	ck_assert_int_eq(places[1].user.state, IOMMUABS_FRAME_WITHHELD);
	place_is(&places[2], RAM + 4, 4, dom, 4);
	ck_assert_int_eq(places[2].user.state, IOMMUABS_FRAME_MAPPED);
	ck_assert_int_eq(iommuabs_unit_recover(w->unit[0].unit, 0), 0);
	ck_assert_uint_eq(walk_all(RAM, 8, places, PLACES_MAX, 0), 2);
}
END_TEST

/* ---- all of it against a flat oracle ---- */

#define GFNS	2048
#define FRAMES	2048
#define GUESTS	3
#define DOMAINS (GUESTS + 1) /* the last is the host's */
#define USERS	128

enum place_kind { NOTHING, OWNING, OWNS_NOTHING, BY_DECLARATION, FIXED };

struct cell {
	enum place_kind kind;
	uint64_t frame; /* of the range that begins at RAM */
	uint32_t flags;
};

struct oracle_policy {
	enum iommuabs_frame_kind kind;
	uint64_t gfn;
};

static struct oracle {
	struct iommuabs_domain *dom[DOMAINS];
	struct iommuabs_device *dev[DOMAINS];
	struct cell cells[DOMAINS][GFNS];
	struct oracle_policy policy[FRAMES];
	bool owned[FRAMES]; /* by another guest than the one that maps */
	/* All places of each frame, in the order in which they are to be told. */
	struct iommuabs_frame_user users[FRAMES][USERS];
	uint32_t nr_users[FRAMES];
	uint64_t seed;
	/* How often each answer was given by map and by declare. */
	unsigned int mapped[3], declared[3];
} o;

static uint64_t below(uint64_t n)
{
	return test_random_below(&o.seed, n);
}

static unsigned int answer_index(int answer)
{
	return answer == 0 ? 0 : answer == IOMMUABS_E_PERM ? 1 : 2;
}

/* Which frames have an owner other than guest @d? */
static void owners_find(unsigned int d)
{
	unsigned int e, g;

	memset(o.owned, 0, sizeof(o.owned));
	for (e = 0; e < GUESTS; e++)
		for (g = 0; e != d && g < GFNS; g++)
			if (o.cells[e][g].kind == OWNING)
				o.owned[o.cells[e][g].frame] = true;
}

/* NOTHING: it may not. */
static enum place_kind kind_for(unsigned int d, uint64_t gfn, uint64_t frame,
				uint32_t flags)
{
	const struct oracle_policy *policy = &o.policy[frame];

	if (policy->kind == IOMMUABS_FRAMES_CLOSED)
		return NOTHING;
	if (d == GUESTS)
		return OWNS_NOTHING;
	if (policy->kind == IOMMUABS_FRAMES_HOST)
		return NOTHING;
	if (policy->kind == IOMMUABS_FRAMES_FIXED)
		return gfn == policy->gfn ? FIXED : NOTHING;
	if (flags & IOMMUABS_FOREIGN)
		return OWNS_NOTHING;
	if (policy->kind == IOMMUABS_FRAMES_SHARED)
		return BY_DECLARATION;
	return o.owned[frame] ? NOTHING : OWNING;
}

static int expect_map(unsigned int d, uint64_t gfn, const iommuabs_mfn_t *mfns,
		      uint64_t nr, uint32_t flags)
{
	const uint32_t stored = flags & ~IOMMUABS_REPLACE;
	const struct cell *cell;
	uint64_t i, frame;

	for (i = 0; i < nr; i++) {
		cell = &o.cells[d][gfn + i];
		frame = mfns[i].frame - RAM;
		if (cell->kind == NOTHING ||
		    (cell->frame == frame && cell->flags == stored))
			continue;
		if (!(flags & IOMMUABS_REPLACE) ||
		    (cell->frame != frame && cell->kind == FIXED) ||
		    (cell->frame == frame &&
		     ((cell->flags ^ stored) & IOMMUABS_FOREIGN)))
			return IOMMUABS_E_EXISTS;
	}
	for (i = 0; i < nr; i++) {
		cell = &o.cells[d][gfn + i];
		frame = mfns[i].frame - RAM;
		if ((cell->kind == NOTHING || cell->frame != frame) &&
		    kind_for(d, gfn + i, frame, flags) == NOTHING)
			return IOMMUABS_E_PERM;
	}
	return 0;
}

static void enter(unsigned int d, uint64_t gfn, uint64_t frame, uint32_t flags)
{
	struct cell *cell = &o.cells[d][gfn];

	if (cell->kind == NOTHING || cell->frame != frame)
		cell->kind = kind_for(d, gfn, frame, flags);
	cell->frame = frame;
	cell->flags = flags & ~IOMMUABS_REPLACE;
}

static uint64_t pick_nr(uint64_t *from, uint64_t all)
{
	uint64_t nr = 1 + below(3);

	if (!below(3))
		nr = 1 + below(300);
	if (!below(4)) {
		nr = 512;
		*from &= ~(uint64_t)511;
	}
	return IA_MIN(nr, all - *from);
}

static void step_map(unsigned int d)
{
	static const uint32_t rights[] = { RW, RW, RW | IOMMUABS_FOREIGN,
					   IOMMUABS_READ, GICV_FLAGS };
	uint32_t flags = rights[below(IA_COUNT(rights))];
	static iommuabs_mfn_t mfns[GFNS];
	uint64_t gfn = below(GFNS), nr = pick_nr(&gfn, GFNS), frame, i;
	bool list = !below(4);
	int want, got;

	if (!below(2))
		flags |= IOMMUABS_REPLACE;
	frame = below(2) ? gfn : below(FRAMES);
	nr = IA_MIN(nr, FRAMES - frame);
	for (i = 0; i < nr; i++)
		mfns[i] = MFN(RAM + (list ? below(FRAMES) : frame + i));
	owners_find(d);
	want = expect_map(d, gfn, mfns, nr, flags);
	got = list ? iommuabs_domain_map_list(o.dom[d], GFN(gfn), mfns, nr,
					      flags, NULL)
		   : map(o.dom[d], gfn, RAM + frame, nr, flags);
	ck_assert_msg(got == want, "map d%u %#llx+%llu flags %#x: %d, not %d",
		      d, (unsigned long long)gfn, (unsigned long long)nr, flags,
		      got, want);
	o.mapped[answer_index(want)]++;
	for (i = 0; !want && i < nr; i++)
		enter(d, gfn + i, mfns[i].frame - RAM, flags);
}

static void step_unmap(unsigned int d)
{
	uint64_t gfn = below(GFNS), nr = pick_nr(&gfn, GFNS);

	ck_assert_int_eq(unmap(o.dom[d], gfn, nr), 0);
	memset(&o.cells[d][gfn], 0, nr * sizeof(struct cell));
}

static bool is_declared(uint64_t frame, const struct oracle_policy *policy,
			uint64_t i)
{
	return o.policy[frame].kind == policy->kind &&
	       (policy->kind != IOMMUABS_FRAMES_FIXED ||
		o.policy[frame].gfn == policy->gfn + i);
}

/* Is a guest's place in the range against it? */
static bool cells_contradict(uint64_t frame, uint64_t nr,
			     const struct oracle_policy *policy)
{
	const struct cell *cell;
	unsigned int d, g;

	for (d = 0; d < GUESTS; d++) {
		for (g = 0; g < GFNS; g++) {
			cell = &o.cells[d][g];
			if (cell->kind == NOTHING || cell->kind == FIXED ||
			    cell->frame - frame >= nr)
				continue;
			if ((policy->kind == IOMMUABS_FRAMES_EXCLUSIVE &&
			     cell->kind == BY_DECLARATION) ||
			    policy->kind == IOMMUABS_FRAMES_HOST ||
			    (policy->kind == IOMMUABS_FRAMES_FIXED &&
			     g - policy->gfn != cell->frame - frame))
				return true;
		}
	}
	return false;
}

static int expect_declare(uint64_t frame, uint64_t nr,
			  const struct oracle_policy *policy)
{
	const bool fixed = policy->kind == IOMMUABS_FRAMES_FIXED;
	const struct cell *cell;
	bool differs = false;
	unsigned int d;
	uint64_t i;

	for (i = 0; i < nr; i++) {
		if (is_declared(frame + i, policy, i))
			continue;
		differs = true;
		if (fixed && o.policy[frame + i].kind == policy->kind)
			return IOMMUABS_E_BUSY;
	}
	if (!differs)
		return 0;
	if (cells_contradict(frame, nr, policy))
		return IOMMUABS_E_BUSY;
	for (d = 0; fixed && d < GUESTS; d++) {
		for (i = 0; i < nr; i++) {
			cell = &o.cells[d][policy->gfn + i];
			if (cell->kind != NOTHING &&
			    (cell->frame != frame + i ||
			     cell->flags != GICV_FLAGS))
				return IOMMUABS_E_EXISTS;
		}
	}
	return 0;
}

static void commit_declare(uint64_t frame, const struct oracle_policy *policy)
{
	struct oracle_policy *there = &o.policy[frame];
	struct cell *cell;
	unsigned int d;

	for (d = 0; d < GUESTS; d++) {
		cell = &o.cells[d][there->gfn];
		if (there->kind == IOMMUABS_FRAMES_FIXED &&
		    cell->kind == FIXED && cell->frame == frame)
			cell->kind = NOTHING;
		if (policy->kind == IOMMUABS_FRAMES_FIXED)
			o.cells[d][policy->gfn] =
				(struct cell){ FIXED, frame, GICV_FLAGS };
	}
	*there = *policy;
}

static void step_declare(void)
{
	struct oracle_policy policy = { 0 };
	uint64_t frame = below(FRAMES), nr = pick_nr(&frame, FRAMES), i;
	int want, got;

	policy.kind = (enum iommuabs_frame_kind)below(5);
	if (policy.kind == IOMMUABS_FRAMES_FIXED) {
		nr = IA_MIN(nr, 1 + below(4));
		policy.gfn = below(2) ? frame : below(GFNS - nr);
		got = declare_fixed(RAM + frame, nr, policy.gfn);
	} else {
		got = declare(RAM + frame, nr, policy.kind);
	}
	want = expect_declare(frame, nr, &policy);
	ck_assert_msg(got == want, "declare %#llx+%llu kind %d: %d, not %d",
		      (unsigned long long)frame, (unsigned long long)nr,
		      policy.kind, got, want);
	o.declared[answer_index(want)]++;
	for (i = 0; !want && i < nr; i++) {
		commit_declare(frame + i, &policy);
		policy.gfn += policy.kind == IOMMUABS_FRAMES_FIXED;
	}
}

/* A guest ends, and another begins. */
static void step_guest(unsigned int d)
{
	uint64_t f;

	ck_assert_int_eq(iommuabs_device_detach(o.dev[d], 0), 0);
	ck_assert_int_eq(iommuabs_domain_destroy(o.dom[d], 0), 0);
	memset(o.cells[d], 0, sizeof(o.cells[d]));
	for (f = 0; f < FRAMES; f++)
		if (o.policy[f].kind == IOMMUABS_FRAMES_FIXED)
			o.cells[d][o.policy[f].gfn] =
				(struct cell){ FIXED, f, GICV_FLAGS };
	o.dom[d] = domain_of(0);
	ck_assert_int_eq(iommuabs_device_attach(o.dev[d], o.dom[d], NULL, 0),
			 0);
}

static void users_find(unsigned int d)
{
	struct iommuabs_frame_user *user;
	const struct cell *cell;
	unsigned int g;

	for (g = 0; g < GFNS; g++) {
		cell = &o.cells[d][g];
		if (cell->kind == NOTHING)
			continue;
		ck_assert_uint_lt(o.nr_users[cell->frame], USERS);
		user = &o.users[cell->frame][o.nr_users[cell->frame]++];
		user->dom = o.dom[d];
		user->gfn = GFN(g);
		user->flags = cell->flags;
	}
}

static void all_users_find(void)
{
	uint32_t number;
	unsigned int d;

	memset(o.nr_users, 0, sizeof(o.nr_users));
	for (number = 1; number <= DOMAINS + 1; number++)
		for (d = 0; d < DOMAINS; d++)
			if (o.dom[d]->owner.number == number)
				users_find(d);
}

static void user_is(const struct iommuabs_frame_user *user,
		    const struct iommuabs_frame_user *want, uint64_t frame,
		    uint64_t more)
{
	ck_assert_msg(user->dom == want->dom &&
			      user->gfn.frame + more == want->gfn.frame &&
			      user->flags == want->flags &&
			      user->state == IOMMUABS_FRAME_MAPPED,
		      "frame %#llx: another place than is known",
		      (unsigned long long)frame);
}

static void compare_users(void)
{
	struct iommuabs_frame_user users[USERS];
	uint64_t frame, cursor;
	uint32_t nr, i;

	for (frame = below(16); frame < FRAMES; frame += 16) {
		cursor = 0;
		ck_assert_int_eq(iommuabs_frame_users(w->abs, MFN(RAM + frame),
						      &cursor, users, USERS,
						      &nr),
				 0);
		ck_assert_uint_eq(nr, o.nr_users[frame]);
		for (i = 0; i < nr; i++)
			user_is(&users[i], &o.users[frame][i], frame, 0);
	}
}

/* What a walk says of frames from o.users[*@frame][*@told] on. */
static void compare_place(const struct iommuabs_frame_place *place,
			  uint64_t *frame, uint32_t *told)
{
	uint64_t i;

	for (i = 0; i < place->nr; i++) {
		while (*told == o.nr_users[*frame] && *frame < FRAMES - 1) {
			++*frame;
			*told = 0;
		}
		ck_assert_uint_lt(*told, o.nr_users[*frame]);
		ck_assert_uint_eq(place->mfn.frame + i, RAM + *frame);
		user_is(&place->user, &o.users[*frame][(*told)++], *frame, i);
	}
}

/* One walk over everything: it tells just that. */
static void compare_walk(void)
{
	struct iommuabs_frame_place places[8];
	struct iommuabs_frames_walk walk = {
		.size = sizeof(walk),
		.max_places = 1 + (uint32_t)below(8),
		.mfn = MFN(RAM),
		.nr = FRAMES,
		.places = places,
	};
	uint64_t frame = 0, budget = below(2) ? below(40) : 0;
	uint32_t told = 0, i;
	int ret;

	do {
		ret = iommuabs_frames_walk(w->abs, &walk, budget);
		for (i = 0; i < walk.nr_places; i++)
			compare_place(&places[i], &frame, &told);
	} while (ret == IOMMUABS_E_AGAIN);
	ck_assert_int_eq(ret, 0);
	ck_assert_uint_eq(told, o.nr_users[frame]);
	while (++frame < FRAMES)
		ck_assert_uint_eq(o.nr_users[frame], 0);
}

static void compare_devices(void)
{
	const struct cell *cell;
	iommuabs_gfn_t gfns[USERS];
	uint64_t g, cursor;
	unsigned int d;
	uint32_t nr, i;

	for (d = 0; d < DOMAINS; d++) {
		for (g = below(8); g < GFNS; g += 8) {
			cell = &o.cells[d][g];
			ck_assert_uint_eq(reach(o.dev[d], g),
					  cell->kind == NOTHING
						  ? NOWHERE
						  : RAM + cell->frame);
			if (cell->kind == NOTHING)
				continue;
			cursor = 0;
			ck_assert_int_eq(
				iommuabs_domain_gfns(o.dom[d],
						     MFN(RAM + cell->frame),
						     &cursor, gfns, USERS, &nr),
				0);
			for (i = 0; i < nr && gfns[i].frame != g; i++)
				ck_assert_uint_eq(
					o.cells[d][gfns[i].frame].frame,
					cell->frame);
			ck_assert_uint_lt(i, nr);
		}
	}
}

static void oracle_begin(uint64_t seed)
{
	unsigned int d;

	memset(&o, 0, sizeof(o));
	o.seed = seed;
	for (d = 0; d < DOMAINS; d++) {
		o.dom[d] = domain_of(d == GUESTS ? IOMMUABS_DOMAIN_HOST : 0);
		o.dev[d] = world_device(w, 8 + d, 1, 0);
		ck_assert_int_eq(
			iommuabs_device_attach(o.dev[d], o.dom[d], NULL, 0), 0);
	}
}

START_TEST(any_declarations_and_changes_equal_the_oracle)
{
	unsigned int step, steps = 320, d;

	oracle_begin(0xf4a + (uint64_t)_i);
	for (step = 0; step < steps; step++) {
		d = (unsigned int)below(DOMAINS);
		switch (below(16)) {
		case 0:
			step_guest((unsigned int)below(GUESTS));
			break;
		case 1:
		case 2:
		case 3:
		case 4:
			step_declare();
			break;
		case 5:
		case 6:
		case 7:
		case 8:
		case 9:
			step_unmap(d);
			break;
		default:
			step_map(d);
		}
		if (step % 16 != 15)
			continue;
		all_users_find();
		compare_users();
		compare_devices();
		compare_walk();
	}
	for (d = 0; d < 3; d++) {
		ck_assert_uint_gt(o.mapped[d], 3);
		ck_assert(d == 1 || o.declared[d] > 3);
	}
	for (d = 0; d < DOMAINS; d++)
		ck_assert_int_eq(unmap(o.dom[d], 0, GFNS), 0);
	for (d = 0; d < DOMAINS; d++)
		ck_assert_uint_eq(o.dom[d]->owner.extras, 0);
	ck_assert(!rmap_is_mapped(&w->abs->rmap, RAM, FRAMES));
}
END_TEST

/* ---- at once ---- */

#define RACE_FRAMES 96

struct racer {
	pthread_t thread;
	struct iommuabs_domain *dom;
	uint64_t seed, rounds;
	bool mapped[RACE_FRAMES];
	unsigned int granted, refused;
	const char *failure;
};

static uint32_t race_over;

static void race_map(struct racer *racer, uint64_t frame, uint64_t nr)
{
	int ret = map(racer->dom, frame, RAM + frame, nr, RW);
	uint64_t i;

	if (ret == IOMMUABS_E_PERM) {
		racer->refused++;
		return;
	}
	if (ret)
		racer->failure = iommuabs_strerror(ret);
	racer->granted++;
	for (i = 0; i < nr; i++)
		racer->mapped[frame + i] = true;
}

/* What one was given is there, whatever is declared, until one gives it back. */
static void *race(void *arg)
{
	struct racer *racer = arg;
	uint64_t n, frame, nr;

	for (n = 0; n < racer->rounds && !racer->failure; n++) {
		frame = test_random_below(&racer->seed, RACE_FRAMES);
		nr = 1 + test_random_below(&racer->seed, RACE_FRAMES - frame);
		if (test_random_below(&racer->seed, 2)) {
			race_map(racer, frame, IA_MIN(nr, 4));
		} else {
			if (unmap(racer->dom, frame, nr))
				racer->failure = "unmap";
			memset(&racer->mapped[frame], 0, nr);
		}
		frame = test_random_below(&racer->seed, RACE_FRAMES);
		if (at(racer->dom, frame) !=
		    (racer->mapped[frame] ? RAM + frame : NOWHERE))
			racer->failure = "a mapping came or went";
	}
	return NULL;
}

static void *race_asking(void *arg)
{
	struct iommuabs_frame_place places[8];
	unsigned int *failures = arg;

	while (!__atomic_load_n(&race_over, __ATOMIC_SEQ_CST)) {
		struct iommuabs_frames_walk walk = {
			.size = sizeof(walk),
			.max_places = 8,
			.mfn = MFN(RAM),
			.nr = RACE_FRAMES,
			.places = places,
		};
		int ret;

		while ((ret = iommuabs_frames_walk(w->abs, &walk, 16)) ==
		       IOMMUABS_E_AGAIN)
			;
		*failures += !!ret;
	}
	return NULL;
}

/* Declare this and that; never SHARED, so that a frame is one guest's. */
static int declarations(uint64_t rounds)
{
	static const enum iommuabs_frame_kind kinds[] = {
		IOMMUABS_FRAMES_CLOSED, IOMMUABS_FRAMES_HOST,
		IOMMUABS_FRAMES_EXCLUSIVE, IOMMUABS_FRAMES_EXCLUSIVE
	};
	uint64_t seed = 77, n, frame;
	int ret = 0;

	for (n = 0; n < rounds && (!ret || ret == IOMMUABS_E_BUSY); n++) {
		frame = test_random_below(&seed, RACE_FRAMES - 8);
		ret = declare(RAM + frame, 8, kinds[n % 4]);
		if (!ret || ret == IOMMUABS_E_BUSY)
			ret = n % 2 ? declare_gicv()
				    : declare(GICV, GICV_NR,
					      IOMMUABS_FRAMES_EXCLUSIVE);
	}
	return ret;
}

START_TEST(declarations_and_changes_run_at_once)
{
	struct racer racers[2] = { 0 };
	struct iommuabs_frame_user users[PLACES_MAX];
	unsigned int failures = 0, i;
	uint64_t frame;
	pthread_t asking;
	int ret;

	race_over = 0;
	for (i = 0; i < 2; i++) {
		racers[i].dom = domain_of(0);
		racers[i].seed = i;
		racers[i].rounds = test_rounds(10000);
		ck_assert_int_eq(pthread_create(&racers[i].thread, NULL, race,
						&racers[i]),
				 0);
	}
	ck_assert_int_eq(pthread_create(&asking, NULL, race_asking, &failures),
			 0);
	ret = declarations(test_rounds(2000));
	ck_assert(!ret || ret == IOMMUABS_E_BUSY);
	for (i = 0; i < 2; i++)
		pthread_join(racers[i].thread, NULL);
	__atomic_store_n(&race_over, 1, __ATOMIC_SEQ_CST);
	pthread_join(asking, NULL);
	ck_assert_uint_eq(failures, 0);
	for (i = 0; i < 2; i++)
		ck_assert_msg(!racers[i].failure, "%s", racers[i].failure);
	for (frame = 0; frame < RACE_FRAMES; frame++) {
		ck_assert(!racers[0].mapped[frame] || !racers[1].mapped[frame]);
		ck_assert_uint_eq(users_of(RAM + frame, users),
				  racers[0].mapped[frame] +
					  racers[1].mapped[frame]);
	}
}
END_TEST

static void add_shared_and_fixed(Suite *s)
{
	TCase *tcase = tcase_create("declared");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_shared_frame_is_in_any_number_of_domains);
	tcase_add_test(tcase, a_fixed_frame_is_in_every_guest);
	tcase_add_test(tcase, a_fixed_frame_has_all_of_the_hosts_places);
	tcase_add_loop_test(tcase, gfns_of_a_frame_come_in_parts, 0, 8);
	tcase_add_test(tcase, a_scratch_domain_has_nothing_fixed);
	tcase_add_test(tcase, a_fixed_frame_has_one_place);
	tcase_add_test(tcase, what_is_fixed_takes_no_memory_of_the_reverse_map);
	tcase_add_test(tcase, what_is_in_its_place_already_becomes_fixed);
	tcase_add_test(tcase, what_is_fixed_ends_everywhere);
	tcase_add_test(tcase, what_is_fixed_waits_for_the_destroyed);
	tcase_add_test(tcase,
		       a_domain_too_narrow_for_what_is_fixed_goes_without);
	tcase_add_loop_test(tcase, what_is_about_to_go_does_not_become_fixed, 0,
			    2);
	tcase_add_test(tcase, what_came_in_the_place_of_what_was_fixed_stays);
	tcase_add_test(tcase, what_cannot_be_cut_out_does_not_become_fixed);
	tcase_add_test(tcase,
		       what_is_fixed_comes_when_old_tables_are_forgotten);
	tcase_add_test(tcase, what_is_the_hosts_is_in_no_guest);
	tcase_add_loop_test(tcase, nothing_new_is_in_what_is_closed, 0, 4);
	tcase_add_loop_test(
		tcase, the_librarys_own_memory_is_refused_everywhere, 0, 4);
	tcase_add_test(tcase, what_is_fixed_becomes_no_table);
	suite_add_tcase(s, tcase);
}

static void add_answers(Suite *s)
{
	TCase *tcase = tcase_create("answers");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, declare_checks_its_arguments);
	tcase_add_test(tcase, declared_tells_what_was_said_last);
	tcase_add_loop_test(tcase, what_a_mirror_can_not_express_is_not_fixed,
			    0, 2);
	tcase_add_test(tcase, what_devices_need_and_what_is_fixed_keep_apart);
	tcase_add_test(tcase, declare_takes_all_memory_first);
	tcase_add_test(tcase, what_is_fixed_counts_against_each_quota);
	tcase_add_test(
		tcase,
		the_quota_is_what_was_given_after_every_call_and_failure);
	suite_add_tcase(s, tcase);
}

static void add_books_and_walks(Suite *s)
{
	TCase *tcase = tcase_create("asked");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, the_hosts_books_are_asked_about_new_places);
	tcase_add_test(tcase, what_the_hosts_books_refuse_is_refused);
	tcase_add_test(tcase, who_is_vouched_for_owns_nothing);
	tcase_add_test(tcase,
		       a_refresh_that_the_books_refuse_blocks_what_shares);
	tcase_add_test(tcase, a_domain_may_go_while_its_places_are_listed);
	tcase_add_test(tcase, a_declaration_is_not_seen_in_the_making);
	tcase_add_test(tcase, a_step_of_a_walk_is_small_whatever_was_declared);
	tcase_add_loop_test(tcase, a_walk_tells_every_place_of_a_range, 0, 5);
	tcase_add_test(tcase, a_walk_checks_its_arguments);
	tcase_add_test(tcase, a_walk_tells_what_is_the_librarys);
	tcase_add_test(tcase, a_range_that_goes_away_is_emptied);
	tcase_add_test(tcase, a_walk_tells_of_what_is_withheld);
	suite_add_tcase(s, tcase);
}

static void add_oracle(Suite *s)
{
	TCase *tcase = tcase_create("oracle");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(
		tcase, any_declarations_and_changes_equal_the_oracle, 0, 5);
	tcase_add_test(tcase, declarations_and_changes_run_at_once);
	suite_add_tcase(s, tcase);
}

static Suite *suite(void)
{
	Suite *s = suite_create("frames");

	if (!world_possible(s))
		return s;
	add_shared_and_fixed(s);
	add_answers(s);
	add_books_and_walks(s);
	add_oracle(s);
	return s;
}

HARNESS_MAIN(suite)
