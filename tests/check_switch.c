/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_switch.c - a domain's strategy or p2m changes, and devices that move,
 * while they go on
 */
#include "core/change.h"
#include "test_world.h"

#include <stdlib.h>
#include <string.h>

#define RW     (IOMMUABS_READ | IOMMUABS_WRITE)
#define WINDOW IOMMUABS_ALLOW_WINDOW

enum {
	SHARE = IOMMUABS_STRATEGY_SHARE,
	MIRROR = IOMMUABS_STRATEGY_MIRROR,
	AUTO = IOMMUABS_STRATEGY_AUTO
};

static int map(struct iommuabs_domain *dom, uint64_t gfn, uint64_t mfn,
	       uint64_t nr)
{
	return iommuabs_domain_map(dom, IOMMUABS_GFN(gfn), IOMMUABS_MFN(mfn),
				   nr, RW, NULL);
}

static int attach(struct iommuabs_device *dev, struct iommuabs_domain *dom)
{
	return iommuabs_device_attach(dev, dom, NULL, 0);
}

static int strategy(struct iommuabs_domain *dom, int what, uint32_t flags)
{
	return iommuabs_domain_set_strategy(dom, (enum iommuabs_strategy)what,
					    flags, 0);
}

static int move(struct iommuabs_device *dev, struct iommuabs_domain *dom,
		uint32_t flags)
{
	const struct iommuabs_attach_options options = {
		.size = sizeof(options),
		.flags = flags,
	};

	return iommuabs_device_move(dev, dom, &options, 0);
}

/* Does the device reach @mfn at @gfn now, by a table of that kind? */
static void reaches(struct iommuabs_device *dev, uint64_t gfn, uint64_t mfn,
		    uint32_t shared)
{
	struct iommuabs_explanation why = { .size = sizeof(why) };

	ck_assert_int_eq(
		iommuabs_device_explain(dev, IOMMUABS_GFN(gfn), RW, &why), 0);
	ck_assert_msg(why.obstacle == IOMMUABS_OBSTACLE_NONE, "%s", why.text);
	ck_assert_uint_eq(why.mfn.frame, mfn);
	ck_assert_uint_eq(why.shared, shared);
}

static struct backend_stream live_of(struct world_unit *u, uint32_t stream)
{
	struct backend_stream live;

	u->real->read_stream(&u->unit->hw, stream, &live);
	return live;
}

/* All but the instance's line. */
static char *state_of(struct world *w)
{
	char *dump = world_dump(w), *rest = strdup(strchr(dump, '\n'));

	free(dump);
	return rest;
}

static void expect_state(struct world *w, char *before)
{
	char *after = state_of(w);

	ck_assert_str_eq(before, after);
	free(before);
	free(after);
}

/* A guest whose p2m has 64 frames, with devices 8 and 9, sharing or mirrored. */
struct guest {
	struct iommuabs_domain *dom;
	struct iommuabs_device *dev[2];
};

static struct world *guest_new(struct guest *guest, int how)
{
	struct world *w = world_new(1);
	uint64_t i;

	guest->dom = world_shared_domain(w);
	for (i = 0; i < 64; i++) {
		ck_assert_int_eq(map(guest->dom, 2 * i, 0x5000 + 3 * i, 1), 0);
		world_p2m_map(w, 2 * i, 0x5000 + 3 * i, 1);
	}
	ck_assert_int_eq(strategy(guest->dom, how, 0), 0);
	for (i = 0; i < 2; i++) {
		guest->dev[i] = world_device(w, 8 + (uint32_t)i, 1, 0);
		ck_assert_int_eq(attach(guest->dev[i], guest->dom), 0);
	}
	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	return w;
}

static void both_reach(struct guest *guest, uint32_t shared)
{
	reaches(guest->dev[0], 126, 0x5000 + 3 * 63, shared);
	reaches(guest->dev[1], 2, 0x5003, shared);
}

START_TEST(share_and_mirror_change_places_under_devices)
{
	struct guest guest;
	struct world *w = guest_new(&guest, SHARE);
	struct world_unit *u = &w->unit[0];
	unsigned int invalidates;

	COVERS(iommuabs_domain_set_strategy, E_INVAL);
	both_reach(&guest, 1);
	ck_assert_int_eq(strategy(NULL, MIRROR, 0), IOMMUABS_E_INVAL);
	ck_assert_int_eq(strategy(guest.dom, 3, 0), IOMMUABS_E_INVAL);
	ck_assert_int_eq(strategy(guest.dom, MIRROR, 4), IOMMUABS_E_INVAL);
	invalidates = u->invalidates;
	ck_assert_int_eq(strategy(guest.dom, MIRROR, 0), 0);
	/* The old binding and the new one; nothing is left of the old. */
	ck_assert_uint_eq(u->invalidates, invalidates + 2);
	ck_assert_uint_eq(u->unit->nr_bindings, 1);
	both_reach(&guest, 0);
	/* What it is already costs nothing. */
	ck_assert_int_eq(strategy(guest.dom, MIRROR, 0), 0);
	ck_assert_uint_eq(u->invalidates, invalidates + 2);
	/* Changes go to the mirror from here on. */
	ck_assert_int_eq(map(guest.dom, 0x1000, 0x9000, 4), 0);
	reaches(guest.dev[0], 0x1002, 0x9002, 0);
	world_p2m_map(w, 0x1000, 0x9000, 4);
	ck_assert_int_eq(strategy(guest.dom, AUTO, 0), 0);
	both_reach(&guest, 1);
	reaches(guest.dev[0], 0x1002, 0x9002, 1);
	world_delete(w);
}
END_TEST

START_TEST(a_device_attached_its_own_way_stays)
{
	const struct iommuabs_attach_options options = {
		.size = sizeof(options),
		.strategy = IOMMUABS_STRATEGY_MIRROR,
	};
	struct guest guest;
	struct world *w = guest_new(&guest, SHARE);
	struct iommuabs_device *own = world_device(w, 20, 1, 0);

	ck_assert_int_eq(iommuabs_device_attach(own, guest.dom, &options, 0),
			 0);
	reaches(own, 2, 0x5003, 0);
	both_reach(&guest, 1);
	ck_assert_int_eq(strategy(guest.dom, AUTO, 0), 0);
	reaches(own, 2, 0x5003, 0);
	ck_assert_int_eq(strategy(guest.dom, MIRROR, 0), 0);
	both_reach(&guest, 0);
	ck_assert_uint_eq(w->unit[0].unit->nr_bindings, 1);
	world_delete(w);
}
END_TEST

START_TEST(a_switch_goes_in_steps_and_nobody_notices)
{
	struct guest guest;
	struct world *w = guest_new(&guest, SHARE);
	unsigned int steps = 0;
	uint64_t gfn = 0x3000;
	int ret;

	COVERS(iommuabs_domain_set_strategy, E_AGAIN);
	for (;;) {
		ret = iommuabs_domain_set_strategy(
			guest.dom, IOMMUABS_STRATEGY_MIRROR, 0, 20);
		if (ret != IOMMUABS_E_AGAIN)
			break;
		both_reach(&guest, 1);
		ck_assert_int_eq(iommuabs_domain_unmap(
					 guest.dom, IOMMUABS_GFN(4), 1, NULL),
				 0);
		/* The guest goes on, on both sides of the fill. */
		if (steps++ < 20)
			ck_assert_int_eq(
				map(guest.dom, gfn++, 0x7000 + steps, 1), 0);
	}
	ck_assert_int_eq(ret, 0);
	ck_assert_uint_gt(steps, 5);
	both_reach(&guest, 0);
	for (; gfn > 0x3000; gfn--)
		reaches(guest.dev[0], gfn - 1, 0x7000 + gfn - 0x3000, 0);
	world_delete(w);
}
END_TEST

START_TEST(what_takes_a_window_is_said_before)
{
	struct guest guest;
	struct world *w = guest_new(&guest, _i ? MIRROR : SHARE);
	struct world_unit *u = &w->unit[0];
	char *before = state_of(w);

	COVERS(iommuabs_domain_set_strategy, E_WINDOW);
	u->window = 1;
	u->stream_sets = u->invalidates = 0;
	ck_assert_int_eq(strategy(guest.dom, _i ? SHARE : MIRROR, 0),
			 IOMMUABS_E_WINDOW);
	ck_assert_uint_eq(u->stream_sets, 0);
	ck_assert_uint_eq(u->invalidates, 0);
	if (_i)
		expect_state(w, before);
	else
		free(before);
	both_reach(&guest, !_i);
	ck_assert_int_eq(strategy(guest.dom, _i ? SHARE : MIRROR, WINDOW), 0);
	both_reach(&guest, _i);
	/* A unit that lets nothing through has no window. */
	ck_assert_int_eq(iommuabs_stop(w->abs), 0);
	ck_assert_int_eq(strategy(guest.dom, _i ? MIRROR : SHARE, 0), 0);
	world_delete(w);
}
END_TEST

START_TEST(a_window_that_the_device_may_see_is_used)
{
	const struct iommuabs_attach_options options = {
		.size = sizeof(options),
		.flags = WINDOW,
	};
	struct guest guest;
	struct world *w = guest_new(&guest, SHARE);
	struct iommuabs_device *patient = world_device(w, 20, 1, 0);
	int i;

	w->unit[0].window = 1;
	ck_assert_int_eq(
		iommuabs_device_attach(patient, guest.dom, &options, 0), 0);
	ck_assert_int_eq(strategy(guest.dom, MIRROR, 0), IOMMUABS_E_WINDOW);
	for (i = 0; i < 2; i++)
		ck_assert_int_eq(iommuabs_device_detach(guest.dev[i], 0), 0);
	ck_assert_int_eq(strategy(guest.dom, MIRROR, 0), 0);
	reaches(patient, 2, 0x5003, 0);
	world_delete(w);
}
END_TEST

START_TEST(a_device_that_keeps_translations_has_a_window)
{
	const struct iommuabs_attach_options options = {
		.size = sizeof(options),
		.flags = IOMMUABS_ALLOW_ATS,
	};
	struct guest guest;
	struct world *w = guest_new(&guest, SHARE);
	struct iommuabs_device *keeper = world_device(w, 20, 1, 0);

	w->unit[0].unit->hw.caps.ats = 1;
	ck_assert_int_eq(iommuabs_device_attach(keeper, guest.dom, &options, 0),
			 0);
	ck_assert_uint_eq(live_of(&w->unit[0], 20).flags, BACKEND_STREAM_ATS);
	ck_assert_uint_eq(live_of(&w->unit[0], 8).flags, 0);
	ck_assert_int_eq(strategy(guest.dom, MIRROR, 0), IOMMUABS_E_WINDOW);
	ck_assert_int_eq(strategy(guest.dom, MIRROR, WINDOW), 0);
	ck_assert_int_eq(strategy(guest.dom, SHARE, WINDOW), 0);
	ck_assert_int_eq(iommuabs_device_detach(keeper, 0), 0);
	ck_assert_int_eq(strategy(guest.dom, MIRROR, 0), 0);
	world_delete(w);
}
END_TEST

START_TEST(one_stream_keeps_its_id_where_that_saves_the_window)
{
	struct guest guest;
	struct world *w = guest_new(&guest, SHARE);
	struct world_unit *u = &w->unit[0];
	uint32_t id;

	COVERS(iommuabs_domain_set_strategy, E_WINDOW);
	u->window = 2;
	/* Two streams of one binding: the id is met by both. */
	ck_assert_int_eq(strategy(guest.dom, MIRROR, 0), IOMMUABS_E_WINDOW);
	ck_assert_int_eq(iommuabs_device_detach(guest.dev[1], 0), 0);
	id = live_of(u, 8).table.id;
	ck_assert_int_eq(strategy(guest.dom, MIRROR, 0), 0);
	ck_assert_uint_eq(live_of(u, 8).table.id, id);
	ck_assert_uint_eq(u->unit->nr_bindings, 1);
	reaches(guest.dev[0], 2, 0x5003, 0);
	/* And it is given back once. */
	ck_assert_int_eq(strategy(guest.dom, SHARE, 0), 0);
	ck_assert_uint_eq(live_of(u, 8).table.id, id);
	ck_assert_int_eq(iommuabs_device_detach(guest.dev[0], 0), 0);
	ck_assert_uint_eq(u->unit->nr_bindings, 0);
	ck_assert_int_eq(attach(guest.dev[1], guest.dom), 0);
	ck_assert_uint_eq(live_of(u, 9).table.id, id);
	ck_assert_int_eq(attach(guest.dev[0], guest.dom), 0);
	ck_assert_uint_eq(live_of(u, 8).table.id, id);
	world_delete(w);
}
END_TEST

/* Each entry and each invalidation of a switch is not acknowledged once. */
START_TEST(a_switch_that_fails_goes_back)
{
	struct guest guest;
	struct world *w;
	struct world_unit *u;
	unsigned int n;
	int ret = IOMMUABS_E_TIMEOUT, to = _i & 1 ? SHARE : MIRROR;

	COVERS(iommuabs_domain_set_strategy, E_TIMEOUT);
	COVERS(iommuabs_domain_set_strategy, E_FENCED);
	for (n = 1; ret; n++) {
		w = guest_new(&guest, _i & 1 ? MIRROR : SHARE);
		u = &w->unit[0];
		*(_i & 2 ? &u->set_fails : &u->invalidate_fails) = n;
		ret = strategy(guest.dom, to, 0);
		u->set_fails = u->invalidate_fails = 0;
		if (ret) {
			ck_assert_int_eq(ret, IOMMUABS_E_TIMEOUT);
			ck_assert_int_eq(unit_status(u->unit),
					 IOMMUABS_UNIT_FENCED);
			ck_assert_int_eq(strategy(guest.dom, to, 0),
					 IOMMUABS_E_FENCED);
			ck_assert_int_eq(iommuabs_unit_recover(u->unit, 0), 0);
			both_reach(&guest, to == MIRROR);
			ck_assert_int_eq(strategy(guest.dom, to, 0), 0);
		}
		both_reach(&guest, to == SHARE);
		ck_assert_uint_eq(u->unit->nr_bindings, 1);
		world_delete(w);
	}
	ck_assert_uint_gt(n, 3);
}
END_TEST

START_TEST(a_switch_without_memory_changes_nothing)
{
	struct guest guest;
	struct world *w;
	unsigned int n;
	int ret = IOMMUABS_E_NOMEM;
	char *before;

	COVERS(iommuabs_domain_set_strategy, E_NOMEM);
	for (n = 1; ret; n++) {
		w = guest_new(&guest, SHARE);
		before = state_of(w);
		test_host_fail_nth(w->host, n);
		ret = strategy(guest.dom, MIRROR, 0);
		test_host_fail_nth(w->host, 0);
		if (ret) {
			ck_assert_int_eq(ret, IOMMUABS_E_NOMEM);
			expect_state(w, before);
			both_reach(&guest, 1);
			ck_assert_int_eq(strategy(guest.dom, MIRROR, 0), 0);
		} else {
			free(before);
		}
		both_reach(&guest, 0);
		world_delete(w);
	}
	ck_assert_uint_gt(n, 4);
}
END_TEST

START_TEST(what_cannot_be_goes_unchanged)
{
	struct guest guest;
	struct world *w = guest_new(&guest, MIRROR);
	struct world_unit *u = &w->unit[0];
	uint32_t id, n = 0;

	COVERS(iommuabs_domain_set_strategy, E_NOSHARE);
	COVERS(iommuabs_domain_set_strategy, E_NOTSUP);
	COVERS(iommuabs_domain_set_strategy, E_NOIDS);
	ck_assert_int_eq(iommuabs_domain_map(guest.dom, IOMMUABS_GFN(0x800),
					     IOMMUABS_MFN(0x8000), 1,
					     RW | IOMMUABS_DEVICE_ONLY, NULL),
			 0);
	ck_assert_int_eq(strategy(guest.dom, SHARE, 0), IOMMUABS_E_NOSHARE);
	ck_assert_int_eq(strategy(guest.dom, AUTO, 0), 0);
	both_reach(&guest, 0);
	ck_assert_int_eq(
		iommuabs_domain_unmap(guest.dom, IOMMUABS_GFN(0x800), 1, NULL),
		0);
	while (!unit_id_take(u->unit, &id))
		n++;
	ck_assert_int_eq(strategy(guest.dom, SHARE, 0), IOMMUABS_E_NOIDS);
	both_reach(&guest, 0);
	unit_id_give(u->unit, 1 + n);
	ck_assert_int_eq(strategy(guest.dom, SHARE, 0), 0);
	both_reach(&guest, 1);
	u->mirror = IOMMUABS_E_NOTSUP;
	ck_assert_int_eq(strategy(guest.dom, MIRROR, 0), IOMMUABS_E_NOTSUP);
	both_reach(&guest, 1);
	for (id = 2; id < u->unit->nr_ids; id++)
		if (id != live_of(u, 8).table.id)
			unit_id_give(u->unit, id);
	world_delete(w);
}
END_TEST

/* ---- another p2m ---- */

static struct iommuabs_p2m p2m_of(struct iommuabs_domain *dom, uint64_t root)
{
	struct iommuabs_p2m p2m = dom->p2m;

	p2m.root = root;
	return p2m;
}

/* The p2m grew a level: a root above the one there was. */
static struct iommuabs_p2m p2m_grown(struct world *w,
				     struct iommuabs_domain *dom)
{
	struct iommuabs_p2m p2m;
	uint64_t *root;

	ck_assert_int_eq(
		w->host->ops.table_alloc(w->host, NULL, 12, 0, &p2m.root), 0);
	w->p2m_pages[w->nr_p2m_pages++] = p2m.root;
	p2m = p2m_of(dom, p2m.root);
	p2m.input_bits = 44;
	p2m.levels = 4;
	root = test_host_ptr(w->host, p2m.root);
	memset(root, 0, 4096);
	root[0] = dom->p2m.root | 3; /* a table (Arm ARM D8.3) */
	return p2m;
}

START_TEST(a_p2m_that_grew_is_followed_by_those_that_share)
{
	const struct iommuabs_attach_options options = {
		.size = sizeof(options),
		.strategy = IOMMUABS_STRATEGY_MIRROR,
	};
	struct guest guest;
	struct world *w = guest_new(&guest, SHARE);
	struct world_unit *u = &w->unit[0];
	struct iommuabs_device *mirrored = world_device(w, 20, 1, 0);
	struct iommuabs_p2m p2m = p2m_grown(w, guest.dom);
	struct iommuabs_p2m old = guest.dom->p2m;

	COVERS(iommuabs_domain_set_p2m, E_WINDOW);
	ck_assert_int_eq(
		iommuabs_device_attach(mirrored, guest.dom, &options, 0), 0);
	u->window = 1;
	ck_assert_int_eq(iommuabs_domain_set_p2m(guest.dom, &p2m),
			 IOMMUABS_E_WINDOW);
	ck_assert_uint_eq(guest.dom->p2m.root, old.root);
	ck_assert_uint_eq(live_of(u, 8).table.levels, 3);
	both_reach(&guest, 1);
	u->window = 0;
	ck_assert_int_eq(iommuabs_domain_set_p2m(guest.dom, &p2m), 0);
	ck_assert_uint_eq(live_of(u, 8).table.levels, 4);
	ck_assert_uint_eq(live_of(u, 8).table.root, p2m.root);
	ck_assert_uint_eq(live_of(u, 9).table.id, live_of(u, 8).table.id);
	ck_assert_uint_eq(u->unit->nr_bindings, 2);
	both_reach(&guest, 1);
	reaches(mirrored, 2, 0x5003, 0);
	world_delete(w);
}
END_TEST

static enum iommuabs_share_reason cannot_share(const struct backend_unit *hw,
					       const struct iommuabs_p2m *p2m,
					       struct backend_table *table)
{
	(void)hw;
	(void)p2m;
	(void)table;
	return IOMMUABS_SHARE_FORMAT;
}

/* The first unit has a mirror, whatever p2m there is; the other one shares. */
START_TEST(a_p2m_is_followed_whichever_of_its_units_shares_it)
{
	struct world *w = world_new(2);
	struct iommuabs_domain *dom = world_shared_domain(w);
	const struct iommuabs_stream_range ranges[2] = {
		{ w->unit[0].unit, 8, 1, 0 },
		{ w->unit[1].unit, 8, 1, 0 },
	};
	struct iommuabs_device_desc desc = world_device_desc(ranges, 0);
	struct iommuabs_p2m p2m = p2m_grown(w, dom);
	struct iommuabs_device *dev;

	desc.nr_pci = 0;
	desc.nr_streams = 2;
	w->unit[0].ops.share = cannot_share;
	ck_assert_int_eq(strategy(dom, AUTO, 0), 0);
	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &dev), 0);
	ck_assert_int_eq(attach(dev, dom), 0);
	ck_assert_int_eq(dev->streams[0].binding->view->kind, VIEW_MIRROR);
	ck_assert_int_eq(dev->streams[1].binding->view->kind, VIEW_SHARED);
	ck_assert_int_eq(iommuabs_domain_set_p2m(dom, &p2m), 0);
	ck_assert_uint_eq(live_of(&w->unit[1], 8).table.root, p2m.root);
	world_delete(w);
}
END_TEST

START_TEST(a_p2m_that_a_unit_cannot_walk_is_refused_or_mirrored)
{
	struct guest guest;
	struct world *w = guest_new(&guest, _i ? AUTO : SHARE);
	struct iommuabs_p2m p2m = p2m_of(guest.dom, guest.dom->p2m.root);

	COVERS(iommuabs_domain_set_p2m, E_NOSHARE);
	both_reach(&guest, 1);
	p2m.granule_lg2 = 16;
	ck_assert_int_eq(iommuabs_domain_set_p2m(guest.dom, &p2m),
			 _i ? 0 : IOMMUABS_E_NOSHARE);
	both_reach(&guest, !_i);
	ck_assert_uint_eq(guest.dom->p2m.granule_lg2, _i ? 16 : 12);
	ck_assert_uint_eq(w->unit[0].unit->nr_bindings, 1);
	world_delete(w);
}
END_TEST

START_TEST(a_p2m_that_fails_leaves_the_old_one)
{
	struct guest guest;
	struct world *w = guest_new(&guest, SHARE);
	struct world_unit *u = &w->unit[0];
	struct iommuabs_p2m p2m = p2m_grown(w, guest.dom);
	uint64_t root = guest.dom->p2m.root;
	uint32_t id;

	COVERS(iommuabs_domain_set_p2m, E_TIMEOUT);
	COVERS(iommuabs_domain_set_p2m, E_FENCED);
	COVERS(iommuabs_domain_set_p2m, E_NOMEM);
	COVERS(iommuabs_domain_set_p2m, E_NOIDS);
	if (_i == 0)
		u->set_fails = 2;
	else if (_i == 1)
		u->invalidate_fails = 1;
	else if (_i == 2)
		u->id_reserve = IOMMUABS_E_NOMEM;
	while (_i == 3 && !unit_id_take(u->unit, &id))
		;
	ck_assert_int_eq(iommuabs_domain_set_p2m(guest.dom, &p2m),
			 _i < 2	   ? IOMMUABS_E_TIMEOUT
			 : _i == 2 ? IOMMUABS_E_NOMEM
				   : IOMMUABS_E_NOIDS);
	ck_assert_uint_eq(guest.dom->p2m.root, root);
	ck_assert_uint_eq(live_of(u, 8).table.root, root);
	ck_assert_uint_eq(live_of(u, 9).table.root, root);
	if (_i < 2)
		ck_assert_int_eq(iommuabs_domain_set_p2m(guest.dom, &p2m),
				 IOMMUABS_E_FENCED);
	u->id_reserve = 0;
	for (id = 1; _i == 3 && id < u->unit->nr_ids; id++)
		if (id != live_of(u, 8).table.id)
			unit_id_give(u->unit, id);
	ck_assert_int_eq(iommuabs_unit_recover(u->unit, 0), 0);
	both_reach(&guest, 1);
	ck_assert_int_eq(iommuabs_domain_set_p2m(guest.dom, &p2m), 0);
	both_reach(&guest, 1);
	world_delete(w);
}
END_TEST

/* ---- moves ---- */

/* Two guests with the same gfn, and a device with a reserved region in the first. */
struct pair {
	struct iommuabs_domain *a, *b;
	struct iommuabs_device *dev;
};

static struct world *pair_new(struct pair *pair, uint32_t nr_ids)
{
	const struct iommuabs_reserved region = {
		.gfn = IOMMUABS_GFN(0x200),
		.mfn = IOMMUABS_MFN(0x200),
		.nr = 2,
		.flags = RW,
	};
	struct world *w = world_new(2);
	const struct iommuabs_stream_range ranges[2] = {
		{ w->unit[0].unit, 8, nr_ids > 1 ? 2 : 1, 0 },
		{ w->unit[1].unit, 8, 1, 0 },
	};
	struct iommuabs_device_desc desc = world_device_desc(ranges, 0);
	uint64_t i;

	desc.nr_streams = nr_ids > 2 ? 2 : 1;
	desc.reserved = &region;
	desc.nr_reserved = 1;
	pair->a = world_domain(w);
	pair->b = world_domain(w);
	for (i = 0; i < 40; i++) {
		ck_assert_int_eq(map(pair->a, 2 * i, 0x5000 + 3 * i, 1), 0);
		ck_assert_int_eq(map(pair->b, 2 * i, 0x6000 + 3 * i, 1), 0);
	}
	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &pair->dev), 0);
	ck_assert_int_eq(attach(pair->dev, pair->a), 0);
	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	return w;
}

static void is_in(struct pair *pair, struct iommuabs_domain *dom)
{
	ck_assert_ptr_eq(pair->dev->dom, dom);
	ck_assert_ptr_null(pair->dev->to);
	ck_assert_uint_eq(pair->a->nr_coming + pair->b->nr_coming, 0);
	reaches(pair->dev, 2, dom == pair->a ? 0x5003 : 0x6003, 0);
	reaches(pair->dev, 0x201, 0x201, 0);
	ck_assert_ptr_nonnull(dom->reserved);
	ck_assert_ptr_null((dom == pair->a ? pair->b : pair->a)->reserved);
}

START_TEST(a_device_of_one_id_moves_by_one_store)
{
	struct pair pair;
	struct world *w = pair_new(&pair, 1);
	struct world_unit *u = &w->unit[0];

	u->stream_sets = 0;
	ck_assert_int_eq(move(pair.dev, pair.b, 0), 0);
	ck_assert_uint_eq(u->stream_sets, 1);
	ck_assert_uint_eq(u->unit->nr_bindings, 1);
	is_in(&pair, pair.b);
	ck_assert_int_eq(iommuabs_domain_destroy(pair.a, 0), 0);
	reaches(pair.dev, 2, 0x6003, 0);
	world_delete(w);
}
END_TEST

START_TEST(a_device_of_more_ids_is_blocked_in_between)
{
	struct pair pair;
	struct world *w = pair_new(&pair, 2 + (uint32_t)_i);

	COVERS(iommuabs_device_move, E_WINDOW);
	ck_assert_int_eq(move(pair.dev, pair.b, 0), IOMMUABS_E_WINDOW);
	is_in(&pair, pair.a);
	ck_assert_int_eq(move(pair.dev, pair.b, WINDOW), 0);
	is_in(&pair, pair.b);
	/* Where nothing goes through nothing can be missed. */
	ck_assert_int_eq(iommuabs_suspend(w->abs), 0);
	ck_assert_int_eq(move(pair.dev, pair.a, 0), 0);
	ck_assert_int_eq(iommuabs_resume(w->abs), 0);
	is_in(&pair, pair.a);
	world_delete(w);
}
END_TEST

START_TEST(a_move_in_steps_leaves_the_device_where_it_is)
{
	struct pair pair;
	struct world *w = pair_new(&pair, 1);
	struct iommuabs_domain *c = world_domain(w);
	unsigned int steps = 0;
	int ret;

	COVERS(iommuabs_device_move, E_AGAIN);
	COVERS(iommuabs_device_move, E_BUSY);
	COVERS(iommuabs_domain_destroy, E_BUSY);
	while ((ret = iommuabs_device_move(pair.dev, pair.b, NULL, 5)) ==
	       IOMMUABS_E_AGAIN) {
		steps++;
		reaches(pair.dev, 2, 0x5003, 0);
		reaches(pair.dev, 0x201, 0x201, 0);
		ck_assert_int_eq(move(pair.dev, c, 0), IOMMUABS_E_BUSY);
		ck_assert_int_eq(attach(pair.dev, pair.b), IOMMUABS_E_BUSY);
		ck_assert_int_eq(iommuabs_domain_destroy(pair.b, 0),
				 IOMMUABS_E_BUSY);
	}
	ck_assert_int_eq(ret, 0);
	ck_assert_uint_gt(steps, 3);
	is_in(&pair, pair.b);
	/* Once more, and given up: as if it had not begun. */
	ck_assert_int_eq(map(c, 0, 0x9000, 1), 0);
	ck_assert_int_eq(iommuabs_device_move(pair.dev, c, NULL, 1),
			 IOMMUABS_E_AGAIN);
	ck_assert_int_eq(iommuabs_device_detach(pair.dev, 0), 0);
	ck_assert_uint_eq(c->nr_coming, 0);
	ck_assert_ptr_null(c->reserved);
	ck_assert_ptr_null(c->views);
	ck_assert_int_eq(iommuabs_domain_destroy(c, 0), 0);
	ck_assert_int_eq(attach(pair.dev, pair.a), 0);
	is_in(&pair, pair.a);
	world_delete(w);
}
END_TEST

START_TEST(a_move_that_cannot_be_is_none)
{
	struct pair pair;
	struct world *w = pair_new(&pair, 1);
	struct iommuabs_device *idle = world_device(w, 50, 1, 0);
	struct iommuabs_attach_options options = { .size = sizeof(options) };
	uint32_t id;

	COVERS(iommuabs_device_move, E_INVAL);
	COVERS(iommuabs_device_move, E_NOENT);
	COVERS(iommuabs_device_move, E_BUSY);
	COVERS(iommuabs_device_move, E_RESERVED);
	COVERS(iommuabs_device_move, E_NOSHARE);
	COVERS(iommuabs_device_move, E_NOIDS);
	COVERS(iommuabs_device_move, E_FENCED);
	COVERS(iommuabs_device_move, E_NOTSUP);
	REFUSED(w, move(NULL, pair.b, 0), IOMMUABS_E_INVAL);
	REFUSED(w, move(pair.dev, NULL, 0), IOMMUABS_E_INVAL);
	REFUSED(w, move(pair.dev, pair.b, 1u << 31), IOMMUABS_E_INVAL);
	REFUSED(w, move(idle, pair.b, 0), IOMMUABS_E_NOENT);
	REFUSED(w, move(pair.dev, pair.a, 0), IOMMUABS_E_BUSY);
	options.strategy = IOMMUABS_STRATEGY_SHARE;
	REFUSED(w, iommuabs_device_move(pair.dev, pair.b, &options, 0),
		IOMMUABS_E_NOSHARE);
	is_in(&pair, pair.a);
	ck_assert_int_eq(map(pair.b, 0x201, 0x8000, 1), 0);
	REFUSED(w, move(pair.dev, pair.b, 0), IOMMUABS_E_RESERVED);
	is_in(&pair, pair.a);
	ck_assert_int_eq(
		iommuabs_domain_unmap(pair.b, IOMMUABS_GFN(0x201), 1, NULL), 0);
	while (!unit_id_take(w->unit[0].unit, &id))
		;
	REFUSED(w, move(pair.dev, pair.b, 0), IOMMUABS_E_NOIDS);
	is_in(&pair, pair.a);
	for (id = 1; id < w->unit[0].unit->nr_ids; id++)
		if (id != live_of(&w->unit[0], 8).table.id)
			unit_id_give(w->unit[0].unit, id);
	w->unit[0].mirror = IOMMUABS_E_NOTSUP;
	REFUSED(w, move(pair.dev, pair.b, 0), IOMMUABS_E_NOTSUP);
	w->unit[0].mirror = 0;
	is_in(&pair, pair.a);
	unit_fence(w->unit[0].unit, IOMMUABS_E_TIMEOUT);
	REFUSED(w, move(pair.dev, pair.b, 0), IOMMUABS_E_FENCED);
	ck_assert_int_eq(iommuabs_unit_recover(w->unit[0].unit, 0), 0);
	is_in(&pair, pair.a);
	world_delete(w);
}
END_TEST

START_TEST(options_of_a_move_are_of_this_version)
{
	struct {
		struct iommuabs_attach_options options;
		uint64_t more;
	} newer = { .options.size = sizeof(newer), .more = 1 };
	struct pair pair;
	struct world *w = pair_new(&pair, 1);

	COVERS(iommuabs_device_move, E_VERSION);
	ck_assert_int_eq(
		iommuabs_device_move(pair.dev, pair.b, &newer.options, 0),
		IOMMUABS_E_VERSION);
	is_in(&pair, pair.a);
	world_delete(w);
}
END_TEST

START_TEST(a_move_to_a_guest_asks_about_interrupts_again)
{
	struct world *w = world_new(1);
	const struct iommuabs_domain_config config = {
		.size = sizeof(config),
		.flags = IOMMUABS_DOMAIN_HOST,
	};
	struct iommuabs_device *dev =
		world_device(w, 8, 1, IOMMUABS_DEVICE_UNSAFE_MSI);
	struct iommuabs_domain *host, *dom = world_domain(w);

	COVERS(iommuabs_device_move, E_UNSAFE_MSI);
	ck_assert_int_eq(iommuabs_domain_create(w->abs, &config, &host), 0);
	ck_assert_int_eq(attach(dev, host), 0);
	ck_assert_int_eq(move(dev, dom, 0), IOMMUABS_E_UNSAFE_MSI);
	ck_assert_ptr_eq(dev->dom, host);
	ck_assert_int_eq(move(dev, dom, IOMMUABS_ALLOW_UNSAFE_MSI), 0);
	world_delete(w);
}
END_TEST

/* Its own translations are a device's by leave of where it is. */
START_TEST(a_move_has_the_options_of_its_own)
{
	const uint32_t window = IOMMUABS_ALLOW_WINDOW;
	const struct iommuabs_attach_options options = {
		.size = sizeof(options),
		.flags = window,
		.fault_policy = IOMMUABS_FAULTS_REPORT,
	};
	struct pair pair;
	struct world *w = pair_new(&pair, 1);

	w->unit[0].unit->hw.caps.ats = 1;
	ck_assert_uint_eq(live_of(&w->unit[0], 8).flags & BACKEND_STREAM_ATS,
			  0);
	ck_assert_int_eq(move(pair.dev, pair.b, IOMMUABS_ALLOW_ATS),
			 IOMMUABS_E_WINDOW);
	ck_assert_int_eq(move(pair.dev, pair.b, window | IOMMUABS_ALLOW_ATS),
			 0);
	ck_assert_uint_eq(live_of(&w->unit[0], 8).flags & BACKEND_STREAM_ATS,
			  BACKEND_STREAM_ATS);
	ck_assert_int_eq(iommuabs_device_move(pair.dev, pair.a, &options, 0),
			 0);
	ck_assert_uint_eq(live_of(&w->unit[0], 8).flags & BACKEND_STREAM_ATS,
			  0);
	ck_assert_uint_eq(pair.dev->fault_policy, IOMMUABS_FAULTS_REPORT);
	world_delete(w);
}
END_TEST

/* Each entry and each invalidation of a move is not acknowledged once. */
/* Of the strategy, too: what the domains do later does not change that. */
START_TEST(a_device_that_moved_has_the_strategy_of_its_move)
{
	const struct iommuabs_attach_options options = {
		.size = sizeof(options),
		.strategy = IOMMUABS_STRATEGY_MIRROR,
	};
	struct pair pair;
	struct world *w = pair_new(&pair, 1);

	ck_assert_uint_eq(pair.dev->attach_strategy, 0);
	ck_assert_int_eq(iommuabs_device_move(pair.dev, pair.b, &options, 0),
			 0);
	ck_assert_uint_eq(pair.dev->attach_strategy, IOMMUABS_STRATEGY_MIRROR);
	ck_assert_int_eq(move(pair.dev, pair.a, 0), 0);
	ck_assert_uint_eq(pair.dev->attach_strategy, 0);
	world_delete(w);
}
END_TEST

START_TEST(a_move_that_fails_goes_back)
{
	struct pair pair;
	struct world *w;
	struct world_unit *u;
	unsigned int n, fenced;
	int ret = IOMMUABS_E_TIMEOUT;

	COVERS(iommuabs_device_move, E_TIMEOUT);
	for (n = 1; ret; n++) {
		w = pair_new(&pair, _i & 1 ? 3 : 1);
		u = &w->unit[_i & 4 ? 1 : 0];
		*(_i & 2 ? &u->set_fails : &u->invalidate_fails) = n;
		ret = move(pair.dev, pair.b, WINDOW);
		fenced = unit_status(u->unit) == IOMMUABS_UNIT_FENCED;
		u->set_fails = u->invalidate_fails = 0;
		if (ret) {
			ck_assert_int_eq(ret, IOMMUABS_E_TIMEOUT);
			ck_assert(fenced);
			ck_assert_int_eq(iommuabs_unit_recover(u->unit, 0), 0);
			is_in(&pair, pair.a);
			ck_assert_uint_eq(pair.dev->attach_flags, 0);
			ck_assert_int_eq(move(pair.dev, pair.b, WINDOW), 0);
		}
		/* The old domain's regions alone: the move is done by then. */
		ck_assert_int_eq(iommuabs_unit_recover(u->unit, 0), 0);
		is_in(&pair, pair.b);
		ck_assert_uint_eq(w->unit[0].unit->nr_bindings, 1);
		ck_assert_uint_eq(pair.a->owing | pair.b->owing, 0);
		world_delete(w);
	}
	if (!(_i & 4) || (_i & 1))
		ck_assert_uint_gt(n, 2);
}
END_TEST

/* Ids of unit 0 that were told to forget everything, but for the old one. */
static uint32_t old_id, new_told;

static void note_new(struct world_unit *unit, const struct backend_inv *inv)
{
	(void)unit;
	if (inv->id != old_id && !inv->nr)
		new_told++;
}

/*
 * One unit of a device has taken the new table when another fails: what the first
 * may keep under the new id is forgotten before the id is anybody else's.
 */
START_TEST(who_goes_back_retires_the_id_that_was_used)
{
	struct pair pair;
	struct world *w = pair_new(&pair, 3);
	const struct iommuabs_stream_range ranges[2] = {
		{ w->unit[0].unit, 20, 1, 0 },
		{ w->unit[1].unit, 20, 1, 0 },
	};
	struct iommuabs_device_desc desc = world_device_desc(ranges, 0);
	struct iommuabs_domain *dom = world_shared_domain(w);
	struct iommuabs_device *dev;
	int ret;

	desc.nr_streams = 2;
	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &dev), 0);
	ck_assert_int_eq(attach(dev, dom), 0);
	old_id = live_of(&w->unit[0], _i ? 8 : 20).table.id;
	new_told = 0;
	w->unit[0].on_invalidate = note_new;
	w->unit[1].set_fails = _i ? 2 : 1;
	ret = _i ? move(pair.dev, pair.b, WINDOW)
		 : strategy(dom, MIRROR, WINDOW);
	w->unit[0].on_invalidate = NULL;
	ck_assert_int_eq(ret, IOMMUABS_E_TIMEOUT);
	ck_assert_int_eq(unit_status(w->unit[0].unit), IOMMUABS_UNIT_RUNNING);
	ck_assert_uint_eq(live_of(&w->unit[0], _i ? 8 : 20).table.id, old_id);
	ck_assert_uint_eq(new_told, 1);
	world_delete(w);
}
END_TEST

static uint32_t places_in(struct iommuabs_domain *dom, uint64_t mfn)
{
	iommuabs_gfn_t gfns[2];
	uint64_t cursor = 0;
	uint32_t nr;

	ck_assert_int_eq(iommuabs_domain_gfns(dom, IOMMUABS_MFN(mfn), &cursor,
					      gfns, 2, &nr),
			 0);
	return nr;
}

/* Others are there, and a unit that doesn't say that it forgot the regions. */
START_TEST(regions_of_what_moved_are_withheld_with_the_unit)
{
	struct pair pair;
	struct world *w;
	struct iommuabs_device *other;
	unsigned int n = 1;
	int ret;

	for (ret = -1; ret; n++) {
		w = pair_new(&pair, 1);
		other = world_device(w, 60, 1, 0);
		ck_assert_int_eq(attach(other, pair.a), 0);
		w->unit[0].invalidate_fails = n;
		ret = move(pair.dev, pair.b, WINDOW);
		if (ret)
			world_delete(w);
	}
	ck_assert_int_eq(unit_status(w->unit[0].unit), IOMMUABS_UNIT_FENCED);
	ck_assert_uint_eq(places_in(pair.a, 0x200), 1);
	ck_assert_int_eq(iommuabs_unit_recover(w->unit[0].unit, 0), 0);
	ck_assert_uint_eq(places_in(pair.a, 0x200), 0);
	is_in(&pair, pair.b);
	world_delete(w);
}
END_TEST

START_TEST(a_move_without_memory_is_none)
{
	struct pair pair;
	struct world *w;
	unsigned int n;
	int ret = IOMMUABS_E_NOMEM;
	char *before;

	COVERS(iommuabs_device_move, E_NOMEM);
	for (n = 1; ret; n++) {
		w = pair_new(&pair, 1);
		before = state_of(w);
		test_host_fail_nth(w->host, n);
		ret = move(pair.dev, pair.b, 0);
		test_host_fail_nth(w->host, 0);
		if (ret) {
			ck_assert_int_eq(ret, IOMMUABS_E_NOMEM);
			expect_state(w, before);
			is_in(&pair, pair.a);
			ck_assert_int_eq(move(pair.dev, pair.b, 0), 0);
		} else {
			free(before);
		}
		is_in(&pair, pair.b);
		world_delete(w);
	}
	ck_assert_uint_gt(n, 4);
}
END_TEST

/* A mirror of 39 bits, whatever is asked. */
static int narrow_mirror(const struct backend_unit *unit, uint8_t input_bits,
			 uint8_t max_level, struct backend_geometry *geometry)
{
	int ret = backend_find(IOMMUABS_UNIT_NULL)
			  ->mirror(unit, input_bits, max_level, geometry);

	geometry->input_bits = 39;
	geometry->levels = 3;
	return ret;
}

START_TEST(a_mirror_too_narrow_for_a_region_is_not_made)
{
	const struct iommuabs_reserved region = {
		.gfn = IOMMUABS_GFN((uint64_t)1 << 27),
		.mfn = IOMMUABS_MFN(0x300),
		.nr = 1,
		.flags = RW,
	};
	struct world *w = world_new(2);
	const struct iommuabs_stream_range ranges[2] = {
		{ w->unit[0].unit, 30, 1, 0 },
		{ w->unit[1].unit, 31, 1, 0 },
	};
	struct iommuabs_device_desc wide = world_device_desc(&ranges[0], 0);
	const struct iommuabs_device_desc narrow =
		world_device_desc(&ranges[1], 0);
	struct iommuabs_domain *dom = world_shared_domain(w);
	struct iommuabs_device *dev[2];

	COVERS(iommuabs_domain_set_strategy, E_RESERVED);
	w->unit[1].ops.mirror = narrow_mirror;
	wide.reserved = &region;
	wide.nr_reserved = 1;
	ck_assert_int_eq(iommuabs_device_add(w->abs, &wide, &dev[0]), 0);
	ck_assert_int_eq(iommuabs_device_add(w->abs, &narrow, &dev[1]), 0);
	ck_assert_int_eq(strategy(dom, AUTO, 0), 0);
	ck_assert_int_eq(attach(dev[0], dom), 0);
	ck_assert_int_eq(attach(dev[1], dom), 0);
	ck_assert_int_eq(dev[1]->streams[0].binding->view->kind, VIEW_SHARED);
	ck_assert_int_eq(strategy(dom, MIRROR, 0), IOMMUABS_E_RESERVED);
	ck_assert_int_eq(dev[1]->streams[0].binding->view->kind, VIEW_SHARED);
	ck_assert_int_eq(iommuabs_device_detach(dev[0], 0), 0);
	ck_assert_int_eq(strategy(dom, MIRROR, 0), 0);
	ck_assert_int_eq(dev[1]->streams[0].binding->view->kind, VIEW_MIRROR);
	world_delete(w);
}
END_TEST

START_TEST(a_quota_keeps_things_as_they_are)
{
	struct guest guest;
	struct world *w = guest_new(&guest, AUTO);
	struct iommuabs_domain *other = world_domain(w);
	struct iommuabs_p2m p2m = guest.dom->p2m;

	COVERS(iommuabs_domain_set_strategy, E_QUOTA);
	COVERS(iommuabs_domain_set_p2m, E_QUOTA);
	COVERS(iommuabs_domain_set_p2m, E_NOTSUP);
	COVERS(iommuabs_device_move, E_QUOTA);
	guest.dom->account.limit = guest.dom->account.used + 1;
	ck_assert_int_eq(strategy(guest.dom, MIRROR, 0), IOMMUABS_E_QUOTA);
	p2m.granule_lg2 = 16; /* to be mirrored */
	ck_assert_int_eq(iommuabs_domain_set_p2m(guest.dom, &p2m),
			 IOMMUABS_E_QUOTA);
	w->unit[0].mirror = IOMMUABS_E_NOTSUP;
	ck_assert_int_eq(iommuabs_domain_set_p2m(guest.dom, &p2m),
			 IOMMUABS_E_NOTSUP);
	w->unit[0].mirror = 0;
	both_reach(&guest, 1);
	other->account.limit = other->account.used + 1;
	ck_assert_int_eq(move(guest.dev[0], other, 0), IOMMUABS_E_QUOTA);
	both_reach(&guest, 1);
	other->account.limit = guest.dom->account.limit = 0;
	ck_assert_int_eq(move(guest.dev[0], other, 0), 0);
	ck_assert_int_eq(strategy(guest.dom, MIRROR, 0), 0);
	reaches(guest.dev[1], 2, 0x5003, 0);
	world_delete(w);
}
END_TEST

START_TEST(a_domain_on_its_way_out_is_busy)
{
	struct pair pair;
	struct world *w = pair_new(&pair, 1);
	struct iommuabs_p2m p2m = {
		.size = sizeof(p2m),
		.format = IOMMUABS_P2M_NONE,
	};

	COVERS(iommuabs_domain_set_strategy, E_BUSY);
	COVERS(iommuabs_domain_set_p2m, E_BUSY);
	COVERS(iommuabs_device_move, E_BUSY);
	ck_assert_int_eq(iommuabs_domain_destroy(pair.b, 1), IOMMUABS_E_AGAIN);
	ck_assert_int_eq(strategy(pair.b, MIRROR, 0), IOMMUABS_E_BUSY);
	ck_assert_int_eq(iommuabs_domain_set_p2m(pair.b, &p2m),
			 IOMMUABS_E_BUSY);
	ck_assert_int_eq(move(pair.dev, pair.b, 0), IOMMUABS_E_BUSY);
	reaches(pair.dev, 2, 0x5003, 0);
	world_delete(w);
}
END_TEST

static int walk_one(struct world *w, struct iommuabs_p2m_query *query)
{
	(void)w;
	if (query->gfn.frame <= 0x100) {
		query->runs[0] = (struct iommuabs_p2m_run){
			IOMMUABS_GFN(0x100),
			IOMMUABS_MFN(0x5000),
			1,
			RW,
		};
		query->nr_runs = 1;
	}
	return 0;
}

START_TEST(a_domain_that_shows_what_it_must_not_is_not_moved_to)
{
	const struct iommuabs_domain_config config = {
		.size = sizeof(config),
		.source = IOMMUABS_SOURCE_P2M,
	};
	struct pair pair;
	struct world *w = pair_new(&pair, 1); /* gfn 0 is 0x5000 there */
	struct iommuabs_domain *dom;

	COVERS(iommuabs_device_move, E_PERM);
	COVERS(iommuabs_device_move, E_EXISTS);
	w->on_walk = walk_one;
	ck_assert_int_eq(iommuabs_domain_create(w->abs, &config, &dom), 0);
	ck_assert_int_eq(move(pair.dev, dom, 0), IOMMUABS_E_PERM);
	is_in(&pair, pair.a);
	ck_assert_int_eq(iommuabs_domain_map(dom, IOMMUABS_GFN(0x100),
					     IOMMUABS_MFN(0x5000), 1,
					     RW | IOMMUABS_FOREIGN, NULL),
			 0);
	ck_assert_int_eq(move(pair.dev, dom, 0), IOMMUABS_E_EXISTS);
	is_in(&pair, pair.a);
	world_delete(w);
}
END_TEST

/* A failed refresh blocks what shares: nobody is brought there. */
START_TEST(a_mirror_is_not_given_up_for_a_p2m_that_is_blocked)
{
	struct guest guest;
	struct world *w = guest_new(&guest, MIRROR);
	struct iommuabs_device *sharing = world_device(w, 20, 1, 0);
	const struct iommuabs_attach_options options = {
		.size = sizeof(options),
		.strategy = IOMMUABS_STRATEGY_SHARE,
	};
	struct iommuabs_domain *owner = world_domain(w);
	struct iommuabs_p2m p2m = p2m_grown(w, guest.dom);

	COVERS(iommuabs_domain_set_strategy, E_NOSHARE);
	ck_assert_int_eq(map(owner, 0x100, 0x8000, 1), 0);
	ck_assert_int_eq(
		iommuabs_device_attach(sharing, guest.dom, &options, 0), 0);
	guest.dom->nr_bad = 1;
	guest.dom->bad[0].gfn = 0x300;
	guest.dom->bad[0].nr = 1;
	ck_assert_int_eq(strategy(guest.dom, SHARE, 0), IOMMUABS_E_NOSHARE);
	both_reach(&guest, 0);
	/* The other way is open, and the way out of the block. */
	ck_assert_int_eq(attach_rewrite_shared(guest.dom), 0);
	ck_assert_int_eq(live_of(&w->unit[0], 20).kind, BACKEND_STREAM_BLOCKED);
	ck_assert_int_eq(iommuabs_domain_set_p2m(guest.dom, &p2m), 0);
	ck_assert_int_eq(live_of(&w->unit[0], 20).kind, BACKEND_STREAM_BLOCKED);
	guest.dom->nr_bad = 0;
	ck_assert_int_eq(attach_rewrite_shared(guest.dom), 0);
	reaches(sharing, 2, 0x5003, 1);
	world_delete(w);
}
END_TEST

/* ---- to look at ---- */

START_TEST(a_gfn_is_shown_wherever_it_is)
{
	struct pair pair;
	struct world *w = pair_new(&pair, 1);

	COVERS(iommuabs_domain_dump, E_INVAL);
	ck_assert_int_eq(iommuabs_domain_dump(NULL, IOMMUABS_GFN(1)),
			 IOMMUABS_E_INVAL);
	ck_assert_int_eq(
		iommuabs_domain_dump(pair.a, IOMMUABS_GFN((uint64_t)1 << 52)),
		IOMMUABS_E_INVAL);
	ck_assert_int_eq(iommuabs_domain_map(pair.b, IOMMUABS_GFN(0x77),
					     IOMMUABS_MFN(0x5003), 1,
					     RW | IOMMUABS_FOREIGN, NULL),
			 0);
	test_host_log_clear(w->host);
	ck_assert_int_eq(iommuabs_domain_dump(pair.a, IOMMUABS_GFN(2)), 0);
	ck_assert(test_host_logged(w->host, "domain 1, gfn 2:"));
	ck_assert(test_host_logged(w->host, "ledger: mfn 5003"));
	ck_assert(test_host_logged(w->host, "arm-s2"));
	ck_assert(test_host_logged(w->host, "mfn 5003: domain 1, gfn 2"));
	ck_assert(test_host_logged(w->host,
				   "mfn 5003: domain 2, gfn 77, foreign"));
	test_host_log_clear(w->host);
	ck_assert_int_eq(iommuabs_domain_dump(pair.a, IOMMUABS_GFN(0x201)), 0);
	ck_assert(test_host_logged(w->host, "ledger: nothing"));
	ck_assert(test_host_logged(w->host, "reserved: mfn 201"));
	test_host_log_clear(w->host);
	ck_assert_int_eq(
		iommuabs_domain_dump(pair.a, IOMMUABS_GFN((uint64_t)1 << 51)),
		0);
	ck_assert(test_host_logged(w->host, "ledger: past its 48 bits"));
	world_delete(w);
}
END_TEST

/* ---- what is not needed any more ---- */

START_TEST(a_mirror_that_nobody_uses_is_given_back_in_steps)
{
	struct guest guest;
	struct world *w = guest_new(&guest, SHARE);
	uint64_t used = guest.dom->account.used, before;
	unsigned int steps = 0;
	int ret;

	COVERS(iommuabs_domain_compact, E_INVAL);
	COVERS(iommuabs_domain_compact, E_AGAIN);
	ck_assert_int_eq(iommuabs_domain_compact(NULL, 0), IOMMUABS_E_INVAL);
	ck_assert_int_eq(strategy(guest.dom, MIRROR, 0), 0);
	ck_assert_uint_gt(guest.dom->account.used, used);
	/* In use it stays. */
	ck_assert_int_eq(iommuabs_domain_compact(guest.dom, 0), 0);
	both_reach(&guest, 0);
	ck_assert_int_eq(strategy(guest.dom, SHARE, 0), 0);
	for (;;) {
		before = guest.dom->account.used;
		ret = iommuabs_domain_compact(guest.dom, 7);
		/* A table is at least an entry that is looked at. */
		ck_assert_uint_ge(guest.dom->account.used + 7, before);
		if (ret != IOMMUABS_E_AGAIN)
			break;
		steps++;
		/* Half of it is gone, and nobody looks at the rest. */
		ck_assert_int_eq(map(guest.dom, 0x101, 0x9900, 1), 0);
		ck_assert_int_eq(iommuabs_domain_unmap(guest.dom,
						       IOMMUABS_GFN(0x101), 1,
						       NULL),
				 0);
		both_reach(&guest, 1);
	}
	ck_assert_int_eq(ret, 0);
	ck_assert_uint_gt(steps, 3);
	ck_assert_uint_eq(guest.dom->account.used, used);
	ck_assert_int_eq(strategy(guest.dom, MIRROR, 0), 0);
	both_reach(&guest, 0);
	/* Half way, and then needed after all, or destroyed. */
	ck_assert_int_eq(strategy(guest.dom, SHARE, 0), 0);
	ck_assert_int_eq(iommuabs_domain_compact(guest.dom, 7),
			 IOMMUABS_E_AGAIN);
	ck_assert_int_eq(strategy(guest.dom, MIRROR, 0), 0);
	both_reach(&guest, 0);
	world_delete(w);
}
END_TEST

START_TEST(a_mirror_that_is_awaited_or_of_an_eager_domain_stays)
{
	const struct iommuabs_domain_config config = {
		.size = sizeof(config),
		.populate = IOMMUABS_POPULATE_EAGER,
	};
	struct pair pair;
	struct world *w = pair_new(&pair, 1);
	struct iommuabs_domain *eager;

	COVERS(iommuabs_domain_compact, E_BUSY);
	ck_assert_int_eq(iommuabs_device_move(pair.dev, pair.b, NULL, 5),
			 IOMMUABS_E_AGAIN);
	ck_assert_int_eq(iommuabs_domain_compact(pair.b, 0), 0);
	ck_assert_ptr_nonnull(pair.b->views);
	ck_assert_int_eq(iommuabs_device_detach(pair.dev, 0), 0);
	ck_assert_ptr_nonnull(pair.a->views);
	ck_assert_int_eq(iommuabs_domain_compact(pair.a, 0), 0);
	ck_assert_ptr_null(pair.a->views);
	ck_assert_int_eq(iommuabs_domain_create(w->abs, &config, &eager), 0);
	ck_assert_ptr_nonnull(eager->views);
	ck_assert_int_eq(iommuabs_domain_compact(eager, 0), 0);
	ck_assert_ptr_nonnull(eager->views);
	ck_assert_int_eq(iommuabs_domain_destroy(pair.b, 1), IOMMUABS_E_AGAIN);
	ck_assert_int_eq(iommuabs_domain_compact(pair.b, 0), IOMMUABS_E_BUSY);
	world_delete(w);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("switch");
	TCase *tcase = tcase_create("strategy");

	if (!world_possible(s))
		return s;
	tcase_add_test(tcase, share_and_mirror_change_places_under_devices);
	tcase_add_test(tcase, a_device_attached_its_own_way_stays);
	tcase_add_test(tcase, a_switch_goes_in_steps_and_nobody_notices);
	tcase_add_loop_test(tcase, what_takes_a_window_is_said_before, 0, 2);
	tcase_add_test(tcase, a_window_that_the_device_may_see_is_used);
	tcase_add_test(tcase, a_device_that_keeps_translations_has_a_window);
	tcase_add_test(tcase,
		       one_stream_keeps_its_id_where_that_saves_the_window);
	tcase_add_loop_test(tcase, a_switch_that_fails_goes_back, 0, 4);
	tcase_add_test(tcase, a_switch_without_memory_changes_nothing);
	tcase_add_test(tcase, what_cannot_be_goes_unchanged);
	tcase_add_test(tcase, a_mirror_too_narrow_for_a_region_is_not_made);
	tcase_add_test(tcase, a_quota_keeps_things_as_they_are);
	tcase_add_test(tcase, a_domain_on_its_way_out_is_busy);
	tcase_add_test(tcase,
		       a_mirror_is_not_given_up_for_a_p2m_that_is_blocked);
	suite_add_tcase(s, tcase);
	tcase = tcase_create("p2m");
	tcase_add_test(tcase, a_p2m_that_grew_is_followed_by_those_that_share);
	tcase_add_test(tcase,
		       a_p2m_is_followed_whichever_of_its_units_shares_it);
	tcase_add_loop_test(
		tcase, a_p2m_that_a_unit_cannot_walk_is_refused_or_mirrored, 0,
		2);
	tcase_add_loop_test(tcase, a_p2m_that_fails_leaves_the_old_one, 0, 4);
	suite_add_tcase(s, tcase);
	tcase = tcase_create("move");
	tcase_add_test(tcase, a_device_of_one_id_moves_by_one_store);
	tcase_add_loop_test(tcase, a_device_of_more_ids_is_blocked_in_between,
			    0, 2);
	tcase_add_test(tcase, a_move_in_steps_leaves_the_device_where_it_is);
	tcase_add_test(tcase, a_move_that_cannot_be_is_none);
	tcase_add_test(tcase, options_of_a_move_are_of_this_version);
	tcase_add_test(tcase, a_move_to_a_guest_asks_about_interrupts_again);
	tcase_add_test(tcase, a_move_has_the_options_of_its_own);
	tcase_add_test(tcase, a_device_that_moved_has_the_strategy_of_its_move);
	tcase_add_loop_test(tcase, a_move_that_fails_goes_back, 0, 8);
	tcase_add_loop_test(tcase, who_goes_back_retires_the_id_that_was_used,
			    0, 2);
	tcase_add_test(tcase, regions_of_what_moved_are_withheld_with_the_unit);
	tcase_add_test(tcase, a_move_without_memory_is_none);
	tcase_add_test(tcase,
		       a_domain_that_shows_what_it_must_not_is_not_moved_to);
	suite_add_tcase(s, tcase);
	tcase = tcase_create("compact");
	tcase_add_test(tcase, a_mirror_that_nobody_uses_is_given_back_in_steps);
	tcase_add_test(tcase,
		       a_mirror_that_is_awaited_or_of_an_eager_domain_stays);
	tcase_add_test(tcase, a_gfn_is_shown_wherever_it_is);
	suite_add_tcase(s, tcase);
	return s;
}

HARNESS_MAIN(suite)
