/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why a device is not attached, and that nothing is left of the attempt.
 */
#include "test_world.h"

#include <stdlib.h>
#include <string.h>

#define RW (IOMMUABS_READ | IOMMUABS_WRITE)

static int map(struct iommuabs_domain *dom, uint64_t gfn, uint64_t mfn,
	       uint64_t nr, uint32_t flags)
{
	return iommuabs_domain_map(dom, IOMMUABS_GFN(gfn), IOMMUABS_MFN(mfn),
				   nr, flags, NULL);
}

static int attach(struct iommuabs_device *dev, struct iommuabs_domain *dom)
{
	return iommuabs_device_attach(dev, dom, NULL, 0);
}

static bool is_blocked(struct world *w, uint32_t stream)
{
	struct backend_stream live;

	w->unit[0].real->read_stream(&w->unit[0].unit->hw, stream, &live);
	return live.kind == BACKEND_STREAM_BLOCKED;
}

/*
 * All but the instance's line: nodes of the reverse map stay for the next one.
 */
static char *state_of(struct world *w)
{
	char *dump = world_dump(w), *rest = strdup(strchr(dump, '\n'));

	free(dump);
	return rest;
}

/* The attach is refused and all is as before. */
static void refused(struct world *w, struct iommuabs_device *dev,
		    struct iommuabs_domain *dom, int error)
{
	char *before = state_of(w), *after;

	ck_assert_int_eq(attach(dev, dom), error);
	after = state_of(w);
	ck_assert_str_eq(before, after);
	ck_assert(is_blocked(w, 8));
	free(before);
	free(after);
}

START_TEST(an_attached_device_is_busy)
{
	struct world *w = world_new(1);
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	struct iommuabs_domain *dom = world_domain(w), *other = world_domain(w);

	COVERS(iommuabs_device_attach, E_BUSY);
	ck_assert_int_eq(attach(dev, dom), 0);
	ck_assert_int_eq(attach(dev, dom), IOMMUABS_E_BUSY);
	ck_assert_int_eq(attach(dev, other), IOMMUABS_E_BUSY);
	ck_assert(!is_blocked(w, 8));
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	ck_assert(is_blocked(w, 8));
	ck_assert_int_eq(attach(dev, other), 0);
	world_delete(w);
}
END_TEST

START_TEST(an_attach_in_steps_keeps_the_device_blocked)
{
	struct world *w = world_new(1);
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	struct iommuabs_domain *dom = world_domain(w), *other = world_domain(w);
	unsigned int steps = 0;
	uint64_t i;
	int ret;

	COVERS(iommuabs_device_attach, E_AGAIN);
	COVERS(iommuabs_device_attach, E_BUSY);
	for (i = 0; i < 64; i++)
		ck_assert_int_eq(map(dom, 2 * i, 0x5000 + 3 * i, 1, RW), 0);
	while ((ret = iommuabs_device_attach(dev, dom, NULL, 5)) ==
	       IOMMUABS_E_AGAIN) {
		steps++;
		ck_assert(is_blocked(w, 8));
		ck_assert_int_eq(attach(dev, other), IOMMUABS_E_BUSY);
	}
	ck_assert_int_eq(ret, 0);
	ck_assert_uint_gt(steps, 3);
	ck_assert(!is_blocked(w, 8));
	/* Once more, and given up half way. */
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	ck_assert_int_eq(map(other, 0, 0x9000, 1, RW), 0);
	ck_assert_int_eq(iommuabs_device_attach(dev, other, NULL, 1),
			 IOMMUABS_E_AGAIN);
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	ck_assert_int_eq(attach(dev, dom), 0);
	world_delete(w);
}
END_TEST

START_TEST(without_a_unit_or_a_driver_there_is_no_attach)
{
	const struct iommuabs_unit_desc other = {
		.size = sizeof(other),
		.type = IOMMUABS_UNIT_OTHER,
	};
	struct world *w = world_new(1);
	struct iommuabs_domain *dom = world_domain(w);
	struct iommuabs_device_desc desc = { .size = sizeof(desc) };
	struct iommuabs_stream_range ranges[2] = {
		{ w->unit[0].unit, 8, 1, 0 },
		{ NULL, 8, 1, 0 },
	};
	struct iommuabs_device *dev;

	COVERS(iommuabs_device_attach, E_UNTRANSLATED);
	COVERS(iommuabs_device_attach, E_NODRIVER);
	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &dev), 0);
	refused(w, dev, dom, IOMMUABS_E_UNTRANSLATED);
	ck_assert_int_eq(iommuabs_unit_add(w->abs, &other, &ranges[1].unit), 0);
	desc.streams = ranges;
	desc.nr_streams = 2;
	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &dev), 0);
	refused(w, dev, dom, IOMMUABS_E_NODRIVER);
	world_delete(w);
}
END_TEST

START_TEST(a_forger_of_interrupts_needs_leave)
{
	struct world *w = world_new(1);
	struct iommuabs_device *dev =
		world_device(w, 8, 1, IOMMUABS_DEVICE_UNSAFE_MSI);
	const struct iommuabs_attach_options options = {
		.size = sizeof(options),
		.flags = IOMMUABS_ALLOW_UNSAFE_MSI,
	};
	struct iommuabs_domain *dom = world_domain(w);

	COVERS(iommuabs_device_attach, E_UNSAFE_MSI);
	refused(w, dev, dom, IOMMUABS_E_UNSAFE_MSI);
	ck_assert_int_eq(iommuabs_device_attach(dev, dom, &options, 0), 0);
	world_delete(w);
}
END_TEST

START_TEST(messages_that_a_unit_lets_pass_need_leave)
{
	struct world *w = world_new(1);
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	const struct iommuabs_attach_options options = {
		.size = sizeof(options),
		.flags = IOMMUABS_ALLOW_UNSAFE_MSI,
	};
	struct iommuabs_domain *dom = world_domain(w);

	w->unit[0].unit->hw.caps.unsafe_msi = 1;
	refused(w, dev, dom, IOMMUABS_E_UNSAFE_MSI);
	ck_assert_int_eq(iommuabs_device_attach(dev, dom, &options, 0), 0);
	world_delete(w);
}
END_TEST

START_TEST(what_cannot_be_shared_is_not_mirrored_instead)
{
	const struct iommuabs_attach_options options = {
		.size = sizeof(options),
		.strategy = IOMMUABS_STRATEGY_SHARE,
	};
	struct world *w = world_new(1);
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	struct iommuabs_domain *dom = world_domain(w);

	COVERS(iommuabs_device_attach, E_NOSHARE);
	ck_assert_int_eq(iommuabs_device_attach(dev, dom, &options, 0),
			 IOMMUABS_E_NOSHARE);
	ck_assert(test_host_logged(w->host, "the domain has no p2m"));
	ck_assert(is_blocked(w, 8));
	ck_assert_int_eq(attach(dev, dom), 0);
	world_delete(w);
}
END_TEST

START_TEST(a_unit_without_a_format_gets_no_mirror)
{
	struct world *w = world_new(1);
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	struct iommuabs_domain *dom = world_domain(w);

	COVERS(iommuabs_device_attach, E_NOTSUP);
	w->unit[0].mirror = IOMMUABS_E_NOTSUP;
	refused(w, dev, dom, IOMMUABS_E_NOTSUP);
	world_delete(w);
}
END_TEST

START_TEST(a_unit_that_was_fenced_or_failed_takes_nobody)
{
	struct world *w = world_new(1);
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	struct iommuabs_domain *dom = world_domain(w);

	COVERS(iommuabs_device_attach, E_FENCED);
	w->unit[0].enable = _i ? IOMMUABS_E_UNIT : 0;
	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	unit_fence(w->unit[0].unit, IOMMUABS_E_TIMEOUT);
	refused(w, dev, dom, IOMMUABS_E_FENCED);
	w->unit[0].enable = 0;
	ck_assert_int_eq(iommuabs_unit_recover(w->unit[0].unit, 0), 0);
	ck_assert_int_eq(attach(dev, dom), 0);
	world_delete(w);
}
END_TEST

START_TEST(an_entry_that_is_not_acknowledged_fences)
{
	struct world *w = world_new(1);
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	struct iommuabs_domain *dom = world_domain(w);
	struct world_unit *u = &w->unit[0];

	COVERS(iommuabs_device_attach, E_TIMEOUT);
	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	u->stream_set = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(attach(dev, dom), IOMMUABS_E_TIMEOUT);
	ck_assert_int_eq(unit_status(u->unit), IOMMUABS_UNIT_FENCED);
	ck_assert_int_eq(dev->state, DEVICE_BLOCKED);
	ck_assert(is_blocked(w, 8));
	u->stream_set = 0;
	ck_assert_int_eq(iommuabs_unit_recover(u->unit, 0), 0);
	ck_assert_int_eq(attach(dev, dom), 0);
	world_delete(w);
}
END_TEST

START_TEST(a_detach_that_is_not_acknowledged_fences_and_succeeds)
{
	struct world *w = world_new(1);
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	struct iommuabs_domain *dom = world_domain(w);
	struct world_unit *u = &w->unit[0];

	COVERS(iommuabs_device_detach, E_TIMEOUT);
	ck_assert_int_eq(attach(dev, dom), 0);
	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	*(_i ? &u->stream_set : &u->invalidate) = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), IOMMUABS_E_TIMEOUT);
	ck_assert_int_eq(unit_status(u->unit), IOMMUABS_UNIT_FENCED);
	ck_assert_int_eq(dev->state, DEVICE_BLOCKED);
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	world_delete(w);
}
END_TEST

START_TEST(an_id_that_the_unit_has_no_room_for_is_given_back)
{
	struct world *w = world_new(1);
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	struct iommuabs_domain *dom = world_domain(w);
	struct world_unit *u = &w->unit[0];
	uint32_t id;

	ck_assert_int_eq(unit_id_take(u->unit, &id), 0);
	ck_assert_uint_eq(id, 1); /* 0 is nobody's */
	unit_id_give(u->unit, id);
	u->id_reserve = IOMMUABS_E_NOMEM;
	ck_assert_int_eq(attach(dev, dom), IOMMUABS_E_NOMEM);
	ck_assert_int_eq(dev->state, DEVICE_BLOCKED);
	u->id_reserve = 0;
	ck_assert_int_eq(attach(dev, dom), 0);
	/* The first id of all. */
	ck_assert_uint_eq(dev->streams[0].binding->table.id, 1);
	world_delete(w);
}
END_TEST

/* What it was may be cached under its id until the unit is recovered. */
START_TEST(an_id_that_was_not_retired_is_nobodys_until_recovery)
{
	struct world *w = world_new(1);
	struct iommuabs_unit *unit = w->unit[0].unit;
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	struct iommuabs_domain *dom = world_domain(w);
	uint32_t old, id;

	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	ck_assert_int_eq(attach(dev, dom), 0);
	old = dev->streams[0].binding->table.id;
	w->unit[0].invalidate = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), IOMMUABS_E_TIMEOUT);
	ck_assert_int_eq(unit_id_take(unit, &id), 0);
	ck_assert_uint_ne(id, old);
	unit_id_give(unit, id);
	w->unit[0].invalidate = 0;
	ck_assert_int_eq(iommuabs_unit_recover(unit, 0), 0);
	ck_assert_int_eq(unit_id_take(unit, &id), 0);
	ck_assert_uint_eq(id, old);
	unit_id_give(unit, id);
	world_delete(w);
}
END_TEST

START_TEST(when_all_ids_are_in_use_there_is_no_attach)
{
	struct world *w = world_new(1);
	struct iommuabs_unit *unit = w->unit[0].unit;
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	struct iommuabs_domain *dom = world_domain(w);
	uint32_t id;

	COVERS(iommuabs_device_attach, E_NOIDS);
	while (!unit_id_take(unit, &id))
		;
	refused(w, dev, dom, IOMMUABS_E_NOIDS);
	for (id = 1; id < unit->nr_ids; id++)
		unit_id_give(unit, id);
	ck_assert_int_eq(attach(dev, dom), 0);
	world_delete(w);
}
END_TEST

/* Filled for it beforehand: that is not to be done again. */
START_TEST(a_mirror_that_was_asked_for_outlasts_a_failed_attach)
{
	const struct iommuabs_domain_config config = {
		.size = sizeof(config),
		.populate = IOMMUABS_POPULATE_LAZY,
	};
	struct world *w = world_new(1);
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	struct iommuabs_domain *dom;

	ck_assert_int_eq(iommuabs_domain_create(w->abs, &config, &dom), 0);
	ck_assert_int_eq(map(dom, 0x100, 0x5000, 16, RW), 0);
	ck_assert_int_eq(iommuabs_domain_populate(dom, dev, 0), 0);
	ck_assert_ptr_nonnull(dom->views);
	w->unit[0].reserve = IOMMUABS_E_NOMEM;
	ck_assert_int_eq(attach(dev, dom), IOMMUABS_E_NOMEM);
	ck_assert_ptr_nonnull(dom->views);
	w->unit[0].reserve = 0;
	ck_assert_int_eq(attach(dev, dom), 0);
	world_delete(w);
}
END_TEST

/* A device behind the second unit. */
static struct iommuabs_device *second_device(struct world *w)
{
	const struct iommuabs_stream_range range = { w->unit[1].unit, 8, 1, 0 };
	struct iommuabs_device_desc desc = world_device_desc(&range, 0);
	struct iommuabs_device *dev;

	desc.nr_pci = 0;
	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &dev), 0);
	return dev;
}

/* One frame's leaves alone, so that a block takes 512 entries. */
static void small_leaves(struct world_unit *u,
			 struct backend_geometry *geometry)
{
	ck_assert_int_eq(u->real->mirror(&u->unit->hw, 39, 0, geometry), 0);
	u->geometry = geometry;
}

START_TEST(each_entry_of_a_mirror_is_work)
{
	struct world *w = world_new(1);
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	struct iommuabs_domain *dom = world_domain(w);
	struct backend_geometry geometry;
	uint64_t before = 0, now;
	unsigned int steps = 0;

	small_leaves(&w->unit[0], &geometry);
	ck_assert_int_eq(map(dom, 512, 0x5000, 512, RW), 0);
	while (iommuabs_device_attach(dev, dom, NULL, 20)) {
		now = dom->views->filled;
		if (before >= 512 && now <= 1024) {
			ck_assert_uint_le(now - before, 20);
			steps++;
		}
		before = now;
	}
	ck_assert_uint_ge(steps, 512 / 20 - 1);
	world_delete(w);
}
END_TEST

/*
 * A removal that nobody has synced: the ledger still knows the frame, and a mirror
 * that is filled meanwhile must not.
 */
START_TEST(what_is_on_its_way_out_is_in_no_new_mirror)
{
	struct iommuabs_explanation why = { .size = sizeof(why) };
	struct world *w = world_new(2);
	struct iommuabs_device *dev = world_device(w, 8, 1, 0), *late;
	struct iommuabs_domain *dom = world_domain(w);
	struct backend_geometry geometry;
	struct iommuabs_batch batch;
	uint64_t gfn;

	late = second_device(w);
	small_leaves(&w->unit[1], &geometry);
	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	ck_assert_int_eq(map(dom, 0x100, 0x5000, 4, RW), 0);
	ck_assert_int_eq(attach(dev, dom), 0);
	ck_assert_int_eq(iommuabs_batch_init(&batch, dom), 0);
	ck_assert_int_eq(
		iommuabs_domain_unmap(dom, IOMMUABS_GFN(0x101), 2, &batch), 0);
	ck_assert_int_eq(attach(late, dom), 0);
	ck_assert_ptr_ne(late->streams[0].binding->view,
			 dev->streams[0].binding->view);
	for (gfn = 0x100; gfn < 0x104; gfn++) {
		ck_assert_int_eq(iommuabs_device_explain(
					 late, IOMMUABS_GFN(gfn), RW, &why),
				 0);
		ck_assert_int_eq(why.obstacle == IOMMUABS_OBSTACLE_NONE,
				 gfn == 0x100 || gfn == 0x103);
	}
	ck_assert_int_eq(iommuabs_batch_done(&batch), 0);
	world_delete(w);
}
END_TEST

static enum iommuabs_obstacle obstacle_of(struct iommuabs_device *dev,
					  uint64_t gfn)
{
	struct iommuabs_explanation why = { .size = sizeof(why) };

	ck_assert_int_eq(
		iommuabs_device_explain(dev, IOMMUABS_GFN(gfn), RW, &why), 0);
	return why.obstacle;
}

START_TEST(a_table_that_is_being_filled_is_an_obstacle)
{
	struct iommuabs_explanation why = { .size = sizeof(why) };
	struct world *w = world_new(1);
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	struct iommuabs_domain *dom = world_domain(w);
	uint64_t i;

	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	for (i = 0; i < 64; i++)
		ck_assert_int_eq(map(dom, 2 * i, 0x5000 + 3 * i, 1, RW), 0);
	ck_assert_int_eq(obstacle_of(dev, 0), IOMMUABS_OBSTACLE_NOT_ATTACHED);
	while (iommuabs_device_attach(dev, dom, NULL, 5) == IOMMUABS_E_AGAIN)
		ck_assert_int_eq(obstacle_of(dev, 0),
				 IOMMUABS_OBSTACLE_ATTACHING);
	ck_assert_int_eq(obstacle_of(dev, 0), IOMMUABS_OBSTACLE_NONE);
	/* Given up half way. */
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	dom = world_domain(w);
	ck_assert_int_eq(map(dom, 0, 0x9000, 1, RW), 0);
	ck_assert_int_eq(iommuabs_device_attach(dev, dom, NULL, 1),
			 IOMMUABS_E_AGAIN);
	ck_assert_int_eq(
		iommuabs_device_explain(dev, IOMMUABS_GFN(0), RW, &why), 0);
	ck_assert_ptr_nonnull(strstr(why.text, "still being attached"));
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	ck_assert_int_eq(obstacle_of(dev, 0), IOMMUABS_OBSTACLE_NOT_ATTACHED);
	world_delete(w);
}
END_TEST

/* What hardware reads is looked at, not what should be there. */
START_TEST(an_entry_that_somebody_else_wrote_is_an_obstacle)
{
	struct world *w = world_new(1);
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	struct iommuabs_domain *dom = world_domain(w);
	struct world_unit *u = &w->unit[0];
	struct backend_table table;

	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	ck_assert_int_eq(map(dom, 0x100, 0x5000, 1, RW), 0);
	ck_assert_int_eq(attach(dev, dom), 0);
	ck_assert_int_eq(obstacle_of(dev, 0x100), IOMMUABS_OBSTACLE_NONE);
	table = dev->streams[0].binding->table;
	table.id++;
	ck_assert_int_eq(u->real->stream_set(&u->unit->hw, 8, 1, &table, 0), 0);
	ck_assert_int_eq(obstacle_of(dev, 0x100), IOMMUABS_OBSTACLE_ENTRY);
	table.id--;
	table.root += 0x1000;
	ck_assert_int_eq(u->real->stream_set(&u->unit->hw, 8, 1, &table, 0), 0);
	ck_assert_int_eq(obstacle_of(dev, 0x100), IOMMUABS_OBSTACLE_ENTRY);
	/* No leaf there either, but that is not why. */
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	ck_assert_int_eq(attach(dev, dom), 0);
	ck_assert_int_eq(obstacle_of(dev, (uint64_t)1 << 36),
			 IOMMUABS_OBSTACLE_TOO_WIDE);
	ck_assert_int_eq(obstacle_of(dev, ((uint64_t)1 << 36) - 1),
			 IOMMUABS_OBSTACLE_NOT_MAPPED);
	world_delete(w);
}
END_TEST

START_TEST(what_one_unit_withholds_explains_what_another_lacks)
{
	struct world *w = world_new(2);
	const struct iommuabs_stream_range ranges[2] = {
		{ w->unit[0].unit, 20, 1, 0 },
		{ w->unit[1].unit, 20, 1, 0 },
	};
	struct iommuabs_device_desc desc = world_device_desc(ranges, 0);
	struct iommuabs_device *dev = world_device(w, 8, 1, 0), *both;
	struct iommuabs_domain *dom = world_domain(w);

	desc.nr_streams = 2;
	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &both), 0);
	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	ck_assert_int_eq(map(dom, 0x100, 0x5000, 2, RW), 0);
	ck_assert_int_eq(attach(dev, dom), 0);
	ck_assert_int_eq(attach(both, dom), 0);
	ck_assert_int_eq(obstacle_of(both, 0x101), IOMMUABS_OBSTACLE_NONE);
	w->unit[1].invalidate = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(
		iommuabs_domain_unmap(dom, IOMMUABS_GFN(0x100), 1, NULL),
		IOMMUABS_E_TIMEOUT);
	ck_assert_int_eq(obstacle_of(dev, 0x100), IOMMUABS_OBSTACLE_WITHHELD);
	ck_assert_int_eq(obstacle_of(dev, 0x101), IOMMUABS_OBSTACLE_NONE);
	/* Its first id would let it through, and the second doesn't. */
	ck_assert_int_eq(obstacle_of(both, 0x101), IOMMUABS_OBSTACLE_FENCED);
	world_delete(w);
}
END_TEST

/* In what a unit's tables may differ from another's. */
static void way_bbml(struct backend_geometry *geometry)
{
	geometry->bbml = 1;
}

static void way_clean(struct backend_geometry *geometry)
{
	geometry->clean = 1;
}

static void way_hint_mask(struct backend_geometry *geometry)
{
	geometry->hint_mask ^= 1;
}

static void way_leaves(struct backend_geometry *geometry)
{
	geometry->leaf_mask = 1;
}

static void way_output(struct backend_geometry *geometry)
{
	geometry->output_bits--;
}

static void way_input(struct backend_geometry *geometry)
{
	geometry->input_bits--;
}

static void way_root(struct backend_geometry *geometry)
{
	geometry->root_lg2++;
}

static void way_levels(struct backend_geometry *geometry)
{
	geometry->levels--;
	geometry->input_bits = 39;
}

static void way_format(struct backend_geometry *geometry)
{
	geometry->pt_ops = &pt_arm_s1_4k_ops;
	geometry->format = BACKEND_FORMAT_ARM_S1;
}

static void (*const ways[])(struct backend_geometry *geometry) = {
	way_bbml,  way_clean, way_hint_mask, way_leaves, way_output,
	way_input, way_root,  way_levels,    way_format,
};

#define NR_WAYS ((int)IA_COUNT(ways))

START_TEST(units_that_differ_in_a_way_have_tables_of_their_own)
{
	struct world *w = world_new(2);
	struct iommuabs_device *dev = world_device(w, 8, 1, 0), *other;
	struct iommuabs_domain *dom = world_domain(w);
	struct backend_geometry geometry;
	struct world_unit *u = &w->unit[1];

	other = second_device(w);
	ck_assert_int_eq(u->real->mirror(&u->unit->hw, 39, 2, &geometry), 0);
	if (_i < NR_WAYS)
		ways[_i](&geometry);
	u->geometry = &geometry;
	ck_assert_int_eq(attach(dev, dom), 0);
	ck_assert_int_eq(attach(other, dom), 0);
	ck_assert_int_eq(dev->streams[0].binding->view ==
				 other->streams[0].binding->view,
			 _i == NR_WAYS);
	world_delete(w);
}
END_TEST

/* VTCR_EL2[13:8]: write-back and inner shareable, or neither. */
START_TEST(a_mirror_is_walked_as_the_unit_can)
{
	struct world *w = world_new(1);
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	struct iommuabs_domain *dom = world_domain(w);
	struct world_unit *u = &w->unit[0];
	struct backend_geometry geometry;

	ck_assert_int_eq(u->real->mirror(&u->unit->hw, 39, 2, &geometry), 0);
	geometry.clean = (uint8_t)_i;
	u->geometry = &geometry;
	ck_assert_int_eq(attach(dev, dom), 0);
	ck_assert_uint_eq(dev->streams[0].binding->table.walk_attrs,
			  _i ? 0 : 0x35);
	world_delete(w);
}
END_TEST

/* A device that must see [0x300, 0x304) 1:1. */
static struct iommuabs_device *reserved_device(struct world *w)
{
	static const struct iommuabs_reserved region = {
		.gfn = { 0x300 },
		.mfn = { 0x300 },
		.nr = 4,
		.flags = RW,
	};
	const struct iommuabs_stream_range range = { w->unit[0].unit, 8, 1, 0 };
	struct iommuabs_device_desc desc = world_device_desc(&range, 0);
	struct iommuabs_device *dev;

	desc.reserved = &region;
	desc.nr_reserved = 1;
	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &dev), 0);
	return dev;
}

START_TEST(what_is_mapped_over_a_reserved_region_keeps_the_device_out)
{
	struct world *w = world_new(1);
	struct iommuabs_device *dev = reserved_device(w);
	struct iommuabs_domain *dom = world_domain(w);

	COVERS(iommuabs_device_attach, E_RESERVED);
	ck_assert_int_eq(map(dom, 0x303, 0x5000, 1, RW), 0);
	refused(w, dev, dom, IOMMUABS_E_RESERVED);
	ck_assert_int_eq(
		iommuabs_domain_unmap(dom, IOMMUABS_GFN(0x303), 1, NULL), 0);
	ck_assert_int_eq(attach(dev, dom), 0);
	ck_assert_int_eq(map(dom, 0x303, 0x5000, 1, RW), IOMMUABS_E_RESERVED);
	world_delete(w);
}
END_TEST

/* What the host maps there counts if it is the region, and no less. */
START_TEST(a_region_that_the_host_maps_is_mapped_exactly)
{
	static const struct {
		uint64_t mfn, nr;
		uint32_t flags;
		int ret;
	} cases[] = {
		{ 0x300, 4, RW, 0 },
		{ 0x300, 4, IOMMUABS_READ, IOMMUABS_E_RESERVED },
		{ 0x301, 4, RW, IOMMUABS_E_RESERVED },
		{ 0x300, 3, RW, IOMMUABS_E_RESERVED },
	};
	struct world *w = world_new(1);
	struct iommuabs_device *dev = reserved_device(w);
	struct iommuabs_domain *dom = world_domain(w);

	ck_assert_int_eq(
		map(dom, 0x300, cases[_i].mfn, cases[_i].nr, cases[_i].flags),
		0);
	ck_assert_int_eq(attach(dev, dom), cases[_i].ret);
	world_delete(w);
}
END_TEST

/* Its leaves share a hint with what the host maps around it. */
START_TEST(a_mirror_is_given_up_though_a_region_is_part_of_a_group)
{
	struct world *w = world_new(1);
	struct iommuabs_device *dev = reserved_device(w);
	struct iommuabs_domain *dom = world_domain(w);
	struct world_unit *u = &w->unit[0];
	struct backend_geometry geometry;

	ck_assert_int_eq(u->real->mirror(&u->unit->hw, 39, 2, &geometry), 0);
	way_format(&geometry);
	geometry.hint_mask = 1;
	geometry.bbml = 0;
	u->geometry = &geometry;
	ck_assert_int_eq(map(dom, 0x300, 0x300, 16, RW), 0);
	ck_assert_int_eq(map(dom, 0x1000, 0x5000, 1, IOMMUABS_WRITE), 0);
	ck_assert_int_eq(attach(dev, dom), IOMMUABS_E_NOTSUP);
	world_delete(w);
}
END_TEST

/* On its way out it is mapped no more. */
START_TEST(a_region_that_is_being_unmapped_is_not_mapped)
{
	struct world *w = world_new(1);
	struct iommuabs_device *first = world_device(w, 16, 1, 0);
	struct iommuabs_device *dev = reserved_device(w);
	struct iommuabs_domain *dom = world_domain(w);
	struct iommuabs_batch batch;

	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	ck_assert_int_eq(map(dom, 0x300, 0x300, 4, RW), 0);
	ck_assert_int_eq(attach(first, dom), 0);
	ck_assert_int_eq(iommuabs_batch_init(&batch, dom), 0);
	ck_assert_int_eq(
		iommuabs_domain_unmap(dom, IOMMUABS_GFN(0x300), 4, &batch), 0);
	ck_assert_int_eq(attach(dev, dom), IOMMUABS_E_RESERVED);
	ck_assert_int_eq(iommuabs_batch_done(&batch), 0);
	ck_assert_int_eq(attach(dev, dom), 0);
	world_delete(w);
}
END_TEST

static struct iommuabs_device *reserved_add_at(struct world *w, uint32_t first,
					       uint32_t nr, uint32_t flags,
					       uint32_t nr_reserved)
{
	const struct iommuabs_reserved regions[2] = {
		{ IOMMUABS_GFN(0x300), IOMMUABS_MFN(0x300), 4, RW },
		{ IOMMUABS_GFN(0x310), IOMMUABS_MFN(0x310), 1, 0 },
	};
	const struct iommuabs_stream_range range = { w->unit[0].unit, first, nr,
						     0 };
	struct iommuabs_device_desc desc = world_device_desc(&range, flags);
	struct iommuabs_device *dev;

	desc.reserved = regions;
	desc.nr_reserved = nr_reserved;
	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &dev), 0);
	return dev;
}

static bool sees(struct iommuabs_device *dev, uint64_t gfn)
{
	struct iommuabs_explanation why = { .size = sizeof(why) };

	ck_assert_int_eq(
		iommuabs_device_explain(dev, IOMMUABS_GFN(gfn), RW, &why), 0);
	return why.obstacle == IOMMUABS_OBSTACLE_NONE && why.mfn.frame == gfn;
}

/* What the host has mapped there itself stays for whoever else is there. */
START_TEST(a_region_that_the_host_mapped_does_not_go_with_its_device)
{
	struct world *w = world_new(1);
	struct iommuabs_domain *dom = world_domain(w);
	struct iommuabs_device *dev = reserved_device(w);
	struct iommuabs_device *other = world_device(w, 9, 1, 0);

	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	ck_assert_int_eq(iommuabs_domain_map(dom, IOMMUABS_GFN(0x300),
					     IOMMUABS_MFN(0x300), 4, RW, NULL),
			 0);
	ck_assert_int_eq(iommuabs_device_attach(dev, dom, NULL, 0), 0);
	ck_assert_int_eq(iommuabs_device_attach(other, dom, NULL, 0), 0);
	ck_assert(sees(other, 0x302));
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	ck_assert(sees(other, 0x302));
	world_delete(w);
}
END_TEST

/* One place is not both: a device that may write there, one that may not. */
START_TEST(a_region_is_another_where_other_access_is_allowed)
{
	const struct iommuabs_reserved region = { IOMMUABS_GFN(0x300),
						  IOMMUABS_MFN(0x300), 4,
						  IOMMUABS_READ };
	struct world *w = world_new(1);
	const struct iommuabs_stream_range range = { w->unit[0].unit, 9, 1, 0 };
	struct iommuabs_device_desc desc = world_device_desc(&range, 0);
	struct iommuabs_domain *dom = world_domain(w);
	struct iommuabs_device *dev = reserved_device(w), *other;

	desc.reserved = &region;
	desc.nr_reserved = 1;
	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &other), 0);
	ck_assert_int_eq(iommuabs_device_attach(dev, dom, NULL, 0), 0);
	ck_assert_int_eq(iommuabs_device_attach(other, dom, NULL, 0),
			 IOMMUABS_E_RESERVED);
	world_delete(w);
}
END_TEST

/* Firmware gave the regions to every function of the bridge. */
START_TEST(a_carved_device_has_the_regions_of_its_range)
{
	struct world *w = world_new(1);
	struct iommuabs_domain *dom = world_domain(w);
	struct iommuabs_device *nic, *own;

	reserved_add_at(w, 0x10, 0x10, IOMMUABS_DEVICE_RANGE, 2);
	nic = reserved_add_at(w, 0x12, 1, 0, 0);
	own = reserved_add_at(w, 0x14, 1, 0, 1);
	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	ck_assert_int_eq(map(dom, 0x303, 0x5000, 1, RW), 0);
	refused(w, nic, dom, IOMMUABS_E_RESERVED);
	ck_assert_int_eq(
		iommuabs_domain_unmap(dom, IOMMUABS_GFN(0x303), 1, NULL), 0);
	ck_assert_int_eq(attach(nic, dom), 0);
	ck_assert(sees(nic, 0x300) && sees(nic, 0x303));
	ck_assert_int_eq(map(dom, 0x303, 0x5000, 1, RW), IOMMUABS_E_RESERVED);
	ck_assert_int_eq(map(dom, 0x310, 0x5000, 1, RW), IOMMUABS_E_RESERVED);
	/* One that was described with the same region by the host, too. */
	ck_assert_int_eq(attach(own, dom), 0);
	ck_assert_int_eq(iommuabs_device_detach(nic, 0), 0);
	ck_assert(sees(own, 0x300));
	ck_assert_int_eq(map(dom, 0x310, 0x5000, 1, RW), IOMMUABS_E_RESERVED);
	ck_assert_int_eq(iommuabs_device_detach(own, 0), 0);
	ck_assert_int_eq(map(dom, 0x303, 0x5000, 1, RW), 0);
	ck_assert_int_eq(map(dom, 0x310, 0x5001, 1, RW), 0);
	world_delete(w);
}
END_TEST

/* Where the p2m lacks a region of the range, its functions aren't let share. */
START_TEST(a_region_of_the_range_forbids_sharing_as_an_own_one)
{
	struct world *w = world_new(1);
	struct iommuabs_domain *dom = world_shared_domain(w);
	struct iommuabs_device *nic;

	reserved_add_at(w, 0x10, 0x10, IOMMUABS_DEVICE_RANGE, 1);
	nic = reserved_add_at(w, 0x12, 1, 0, 0);
	refused(w, nic, dom, IOMMUABS_E_NOSHARE);
	ck_assert_int_eq(attach(nic, dom), IOMMUABS_E_NOSHARE);
	ck_assert(test_host_logged(w->host, "reserved memory of it is not"));
	ck_assert_int_eq(
		iommuabs_domain_set_strategy(dom, IOMMUABS_STRATEGY_AUTO, 0, 0),
		0);
	ck_assert_int_eq(attach(nic, dom), 0);
	ck_assert_int_eq(nic->streams[0].binding->view->kind, VIEW_MIRROR);
	world_delete(w);
}
END_TEST

static unsigned int times_logged(const struct world *w, const char *text)
{
	const char *at = w->host->log;
	unsigned int nr = 0;

	for (; at && (at = strstr(at, text)) != NULL; at++)
		nr++;
	return nr;
}

/* Once for each unit, however many steps and ranges of ids it takes. */
START_TEST(the_log_says_once_why_a_device_is_mirrored)
{
	struct world *w = world_new(1);
	struct iommuabs_domain *dom = world_domain(w);
	const struct iommuabs_stream_range ranges[] = {
		{ w->unit[0].unit, 0x20, 1, 0 },
		{ w->unit[0].unit, 0x28, 1, 0 },
	};
	struct iommuabs_device_desc desc = world_device_desc(ranges, 0);
	struct iommuabs_device *dev, *with_region = reserved_device(w);
	unsigned int i;
	int ret;

	desc.name = "nic";
	desc.nr_streams = 2;
	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &dev), 0);
	for (i = 0; i < 16; i++)
		ck_assert_int_eq(map(dom, 2 * i, 0x5000 + 3 * i, 1, RW), 0);
	do
		ret = iommuabs_device_attach(dev, dom, NULL, 1);
	while (ret == IOMMUABS_E_AGAIN);
	ck_assert_int_eq(ret, 0);
	ck_assert_uint_eq(times_logged(w, "nic: no sharing by "), 1);
	ck_assert_uint_eq(times_logged(w, ": the domain has no p2m"), 1);
	ck_assert_int_eq(attach(with_region, dom), 0);
	ck_assert_uint_eq(times_logged(w, "no sharing by "), 2);
	ck_assert_uint_eq(times_logged(w, "reserved memory of it"), 1);
	world_delete(w);
}
END_TEST

START_TEST(an_attach_without_memory_leaves_nothing)
{
	struct world *w = world_new(1);
	struct iommuabs_device *dev = reserved_device(w);
	struct iommuabs_domain *dom = world_domain(w);
	unsigned int n = 0;
	char *before, *after;
	int ret;

	COVERS(iommuabs_device_attach, E_NOMEM);
	ck_assert_int_eq(map(dom, 0x100, 0x5000, 300, RW), 0);
	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	for (;;) {
		before = state_of(w);
		test_host_fail_nth(w->host, ++n);
		ret = attach(dev, dom);
		if (!test_host_failed(w->host))
			break;
		if (ret) {
			ck_assert_int_eq(ret, IOMMUABS_E_NOMEM);
			ck_assert(is_blocked(w, 8));
			after = state_of(w);
			ck_assert_str_eq(before, after);
			free(after);
		} else {
			/* It found another way. */
			ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
		}
		free(before);
	}
	free(before);
	test_host_fail_nth(w->host, 0);
	ck_assert_uint_gt(n, 3);
	ck_assert_int_eq(ret, 0);
	world_delete(w);
}
END_TEST

START_TEST(a_quota_too_small_for_a_mirror_keeps_the_device_out)
{
	struct world *w = world_new(1);
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	struct iommuabs_domain *dom = world_domain(w);

	COVERS(iommuabs_device_attach, E_QUOTA);
	ck_assert_int_eq(map(dom, 0x100, 0x5000, 1, RW), 0);
	dom->account.limit = dom->account.used + 1;
	refused(w, dev, dom, IOMMUABS_E_QUOTA);
	dom->account.limit = 0;
	ck_assert_int_eq(attach(dev, dom), 0);
	world_delete(w);
}
END_TEST

static struct iommuabs_domain *walked_domain(struct world *w)
{
	const struct iommuabs_domain_config config = {
		.size = sizeof(config),
		.cookie = w,
		.source = IOMMUABS_SOURCE_P2M,
		.input_bits = 39,
	};
	struct iommuabs_domain *dom;

	ck_assert_int_eq(iommuabs_domain_create(w->abs, &config, &dom), 0);
	return dom;
}

/* The p2m maps gfn 0x100 to 0x5000. */
static int walk_one(struct world *w, struct iommuabs_p2m_query *query)
{
	uint64_t gfn = query->gfn.frame;

	(void)w;
	if (gfn <= 0x100 && 0x100 < gfn + query->nr) {
		query->runs[0] = (struct iommuabs_p2m_run){
			.gfn = IOMMUABS_GFN(0x100),
			.mfn = IOMMUABS_MFN(0x5000),
			.nr = 1,
			.flags = RW,
		};
		query->nr_runs = 1;
	}
	return 0;
}

START_TEST(a_p2m_that_shows_what_is_anothers_keeps_the_device_out)
{
	struct world *w = world_new(1);
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	struct iommuabs_domain *owner = world_domain(w);
	struct iommuabs_domain *dom = walked_domain(w);

	COVERS(iommuabs_device_attach, E_PERM);
	w->on_walk = walk_one;
	ck_assert_int_eq(map(owner, 0x10, 0x5000, 1, RW), 0);
	ck_assert_int_eq(attach(dev, dom), IOMMUABS_E_PERM);
	ck_assert_int_eq(dev->state, DEVICE_BLOCKED);
	ck_assert(is_blocked(w, 8));
	ck_assert_int_eq(
		iommuabs_domain_unmap(owner, IOMMUABS_GFN(0x10), 1, NULL), 0);
	ck_assert_int_eq(attach(dev, dom), 0);
	world_delete(w);
}
END_TEST

START_TEST(a_p2m_under_a_foreign_mapping_keeps_the_device_out)
{
	struct world *w = world_new(1);
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	struct iommuabs_domain *dom = walked_domain(w);

	COVERS(iommuabs_device_attach, E_EXISTS);
	w->on_walk = walk_one;
	ck_assert_int_eq(map(dom, 0x100, 0x5000, 1, RW | IOMMUABS_FOREIGN), 0);
	ck_assert_int_eq(attach(dev, dom), IOMMUABS_E_EXISTS);
	ck_assert(is_blocked(w, 8));
	world_delete(w);
}
END_TEST

static struct iommuabs_device *walking;

static int walk_detaching(struct world *w, struct iommuabs_p2m_query *query)
{
	(void)query;
	ck_assert_int_eq(iommuabs_device_detach(walking, 0), IOMMUABS_E_BUSY);
	w->on_walk = NULL;
	return 0;
}

START_TEST(a_device_is_in_one_call_at_a_time)
{
	struct world *w = world_new(1);
	struct iommuabs_domain *dom = walked_domain(w);

	COVERS(iommuabs_device_detach, E_BUSY);
	walking = world_device(w, 8, 1, 0);
	w->on_walk = walk_detaching;
	ck_assert_int_eq(attach(walking, dom), 0);
	ck_assert_ptr_null(w->on_walk);
	world_delete(w);
}
END_TEST

/* A refresh that meets another's frame blocks who shares, until it is right. */
START_TEST(a_failed_refresh_is_an_obstacle)
{
	struct world *w = world_new(1);
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	struct iommuabs_domain *owner = world_domain(w);
	struct iommuabs_domain *dom = world_shared_domain(w);
	struct iommuabs_explanation why = { .size = sizeof(why) };

	w->on_walk = walk_one;
	ck_assert_int_eq(map(owner, 0x10, 0x5000, 1, RW), 0);
	ck_assert_int_eq(attach(dev, dom), 0);
	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	ck_assert_int_eq(iommuabs_domain_refresh(dom, IOMMUABS_GFN(0x100), 1,
						 NULL, NULL),
			 IOMMUABS_E_PERM);
	ck_assert(is_blocked(w, 8));
	ck_assert_int_eq(iommuabs_device_explain(dev, IOMMUABS_GFN(0x100),
						 IOMMUABS_READ, &why),
			 0);
	ck_assert_int_eq(why.obstacle, IOMMUABS_OBSTACLE_BLOCKED);
	w->on_walk = NULL;
	ck_assert_int_eq(iommuabs_domain_refresh(dom, IOMMUABS_GFN(0x100), 1,
						 NULL, NULL),
			 0);
	ck_assert(!is_blocked(w, 8));
	world_delete(w);
}
END_TEST

/*
 * A unit that may hold on to "nothing is there" is told of what is added, when the
 * call returns or the batch is synced; others are not.
 */
START_TEST(additions_are_invalidated_where_absence_is_cached)
{
	const uint32_t rw = IOMMUABS_READ | IOMMUABS_WRITE;
	struct world *w = world_new(1);
	struct iommuabs_domain *dom = world_domain(w);
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	struct iommuabs_batch batch;
	unsigned int before;
	uint64_t gfn;

	w->unit[0].unit->hw.caps.caches_absent = (uint8_t)_i;
	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	ck_assert_int_eq(iommuabs_device_attach(dev, dom, NULL, 0), 0);
	before = w->unit[0].invalidates;
	ck_assert_int_eq(iommuabs_domain_map(dom, IOMMUABS_GFN(0x100),
					     IOMMUABS_MFN(0x500), 1, rw, NULL),
			 0);
	ck_assert_uint_eq(w->unit[0].invalidates, before + (unsigned int)_i);
	ck_assert_int_eq(iommuabs_batch_init(&batch, dom), 0);
	ck_assert_int_eq(iommuabs_domain_map(dom, IOMMUABS_GFN(0x200),
					     IOMMUABS_MFN(0x600), 8, rw,
					     &batch),
			 0);
	ck_assert_uint_eq(w->unit[0].invalidates, before + (unsigned int)_i);
	ck_assert_int_eq(iommuabs_batch_done(&batch), 0);
	ck_assert_uint_eq(w->unit[0].invalidates,
			  before + 2 * (unsigned int)_i);
	/* A batch can't be told of more than it holds. */
	ck_assert_int_eq(iommuabs_batch_init(&batch, dom), 0);
	for (gfn = 0; gfn <= 24; gfn++)
		ck_assert_int_eq(iommuabs_domain_map(dom, IOMMUABS_GFN(2 * gfn),
						     IOMMUABS_MFN(0x800 + gfn),
						     1, rw, &batch),
				 _i && gfn == 24 ? IOMMUABS_E_AGAIN : 0);
	ck_assert_int_eq(iommuabs_batch_done(&batch), 0);
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	before = w->unit[0].invalidates;
	ck_assert_int_eq(iommuabs_domain_map(dom, IOMMUABS_GFN(0x300),
					     IOMMUABS_MFN(0x700), 1, rw, NULL),
			 0);
	ck_assert_uint_eq(w->unit[0].invalidates, before);
	world_delete(w);
}
END_TEST

/* So is what is said to be fixed, which comes to every guest at once. */
START_TEST(what_becomes_fixed_is_invalidated_where_absence_is_cached)
{
	const struct iommuabs_frame_policy policy = {
		.size = sizeof(policy),
		.kind = IOMMUABS_FRAMES_FIXED,
		.gfn = IOMMUABS_GFN(0x100),
		.flags = RW | IOMMUABS_DEVICE,
	};
	struct world *w = world_new(1);
	struct iommuabs_domain *dom = world_domain(w);
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	unsigned int before;

	w->unit[0].unit->hw.caps.caches_absent = (uint8_t)_i;
	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	ck_assert_int_eq(attach(dev, dom), 0);
	before = w->unit[0].invalidates;
	ck_assert_int_eq(iommuabs_frames_declare(w->abs, IOMMUABS_MFN(0x8040),
						 2, &policy),
			 0);
	ck_assert_uint_eq(w->unit[0].invalidates, before + (unsigned int)_i);
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	world_delete(w);
}
END_TEST

static void kept_map(struct iommuabs_domain *dom, uint64_t gfn, uint64_t nr,
		     int want)
{
	ck_assert_int_eq(iommuabs_domain_map(dom, IOMMUABS_GFN(gfn),
					     IOMMUABS_MFN(0x4000 + gfn), nr, RW,
					     NULL),
			 want);
	if (!want)
		ck_assert_int_eq(
			iommuabs_domain_unmap(dom, IOMMUABS_GFN(gfn), nr, NULL),
			0);
}

/*
 * Frames that units keep are theirs wherever they lie: those of each unit that the
 * domain is bound to, none in between, and those of nobody else.
 */
START_TEST(what_any_of_the_units_keeps_is_not_mapped)
{
	struct world *w = world_new(2);
	struct iommuabs_domain *dom = world_domain(w);
	const struct iommuabs_stream_range there = {
		.unit = w->unit[1].unit,
		.first = 16,
		.nr = 1,
	};
	const struct iommuabs_device_desc desc = world_device_desc(&there, 0);
	struct iommuabs_device *dev = world_device(w, 8, 1, 0), *other;

	w->unit[0].unit->hw.caps.kept = (struct backend_range){ 0x610, 1 };
	w->unit[1].unit->hw.caps.kept = (struct backend_range){ 0xa3e, 4 };
	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &other), 0);
	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	ck_assert_int_eq(attach(dev, dom), 0);
	/* Tables for large leaves beside it are there from now on. */
	ck_assert_int_eq(iommuabs_domain_map(dom, IOMMUABS_GFN(0),
					     IOMMUABS_MFN(0x3000), 1, RW, NULL),
			 0);
	kept_map(dom, 0x600, 512, IOMMUABS_E_RESERVED);
	kept_map(dom, 0x400, 512, 0);
	kept_map(dom, 0x800, 512, 0);
	kept_map(dom, 0xa00, 512, 0);
	kept_map(dom, 0x610, 1, IOMMUABS_E_RESERVED);
	kept_map(dom, 0x60f, 1, 0);
	kept_map(dom, 0x611, 1, 0);
	ck_assert_int_eq(attach(other, dom), 0);
	kept_map(dom, 0xa00, 512, IOMMUABS_E_RESERVED);
	kept_map(dom, 0x800, 512, 0);
	kept_map(dom, 0x610, 1, IOMMUABS_E_RESERVED);
	kept_map(dom, 0xa3d, 1, 0);
	kept_map(dom, 0xa3e, 1, IOMMUABS_E_RESERVED);
	kept_map(dom, 0xa41, 1, IOMMUABS_E_RESERVED);
	kept_map(dom, 0xa42, 1, 0);
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	kept_map(dom, 0x600, 512, 0);
	kept_map(dom, 0xa00, 512, IOMMUABS_E_RESERVED);
	ck_assert_int_eq(iommuabs_device_detach(other, 0), 0);
	kept_map(dom, 0xa00, 512, 0);
	world_delete(w);
}
END_TEST

static void add_memory_tests(Suite *s)
{
	TCase *memory = tcase_create("memory");

	tcase_add_test(memory, what_any_of_the_units_keeps_is_not_mapped);
	tcase_add_test(
		memory,
		what_is_mapped_over_a_reserved_region_keeps_the_device_out);
	tcase_add_test(
		memory,
		a_region_that_the_host_mapped_does_not_go_with_its_device);
	tcase_add_test(memory,
		       a_region_is_another_where_other_access_is_allowed);
	tcase_add_loop_test(
		memory, a_region_that_the_host_maps_is_mapped_exactly, 0, 4);
	tcase_add_test(memory,
		       a_mirror_is_given_up_though_a_region_is_part_of_a_group);
	tcase_add_test(memory, a_region_that_is_being_unmapped_is_not_mapped);
	tcase_add_test(memory, a_carved_device_has_the_regions_of_its_range);
	tcase_add_test(memory,
		       a_region_of_the_range_forbids_sharing_as_an_own_one);
	tcase_add_test(memory, the_log_says_once_why_a_device_is_mirrored);
	tcase_add_test(memory, an_attach_without_memory_leaves_nothing);
	tcase_add_test(memory,
		       a_quota_too_small_for_a_mirror_keeps_the_device_out);
	tcase_add_test(memory,
		       a_p2m_that_shows_what_is_anothers_keeps_the_device_out);
	tcase_add_test(memory,
		       a_p2m_under_a_foreign_mapping_keeps_the_device_out);
	tcase_add_test(memory, a_failed_refresh_is_an_obstacle);
	suite_add_tcase(s, memory);
}

static Suite *suite(void)
{
	Suite *s = suite_create("attach");
	TCase *who = tcase_create("who");
	TCase *unit = tcase_create("unit");

	if (!world_possible(s))
		return s;
	tcase_add_loop_test(
		who, additions_are_invalidated_where_absence_is_cached, 0, 2);
	tcase_add_loop_test(
		who, what_becomes_fixed_is_invalidated_where_absence_is_cached,
		0, 2);
	tcase_add_test(who, an_attached_device_is_busy);
	tcase_add_test(who, an_attach_in_steps_keeps_the_device_blocked);
	tcase_add_test(who, each_entry_of_a_mirror_is_work);
	tcase_add_test(who, what_is_on_its_way_out_is_in_no_new_mirror);
	tcase_add_test(who, without_a_unit_or_a_driver_there_is_no_attach);
	tcase_add_test(who, a_forger_of_interrupts_needs_leave);
	tcase_add_test(who, messages_that_a_unit_lets_pass_need_leave);
	tcase_add_test(who, what_cannot_be_shared_is_not_mirrored_instead);
	tcase_add_test(who, a_device_is_in_one_call_at_a_time);
	suite_add_tcase(s, who);
	tcase_add_test(unit, a_unit_without_a_format_gets_no_mirror);
	tcase_add_loop_test(unit, a_unit_that_was_fenced_or_failed_takes_nobody,
			    0, 2);
	tcase_add_test(unit, an_entry_that_is_not_acknowledged_fences);
	tcase_add_loop_test(
		unit, a_detach_that_is_not_acknowledged_fences_and_succeeds, 0,
		2);
	tcase_add_test(unit, an_id_that_the_unit_has_no_room_for_is_given_back);
	tcase_add_test(unit,
		       an_id_that_was_not_retired_is_nobodys_until_recovery);
	tcase_add_test(unit, when_all_ids_are_in_use_there_is_no_attach);
	tcase_add_test(unit,
		       a_mirror_that_was_asked_for_outlasts_a_failed_attach);
	tcase_add_loop_test(unit,
			    units_that_differ_in_a_way_have_tables_of_their_own,
			    0, NR_WAYS + 1);
	tcase_add_loop_test(unit, a_mirror_is_walked_as_the_unit_can, 0, 2);
	tcase_add_test(unit, a_table_that_is_being_filled_is_an_obstacle);
	tcase_add_test(unit, an_entry_that_somebody_else_wrote_is_an_obstacle);
	tcase_add_test(unit,
		       what_one_unit_withholds_explains_what_another_lacks);
	suite_add_tcase(s, unit);
	add_memory_tests(s);
	return s;
}

HARNESS_MAIN(suite)
