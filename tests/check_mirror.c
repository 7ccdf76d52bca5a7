/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_mirror.c - what a mirror's format asks of a domain: its granule, what it
 * can't express, and how its large leaves are taken apart
 */
#include "test_world.h"

#include <string.h>

#include "core/change.h"

#define RW     (IOMMUABS_READ | IOMMUABS_WRITE)
#define GFN(x) IOMMUABS_GFN(x)
#define MFN(x) IOMMUABS_MFN(x)

#define GEOMETRY(ops, granule, levels_, root, leaves, bbml_)                   \
	{                                                                      \
		.pt_ops = &(ops), .format = BACKEND_FORMAT_ARM_S2,             \
		.input_bits = 40, .output_bits = 48, .granule_lg2 = (granule), \
		.levels = (levels_), .root_lg2 = (root),                       \
		.leaf_mask = (leaves), .bbml = (bbml_),                        \
	}

static const struct backend_geometry s2_16k =
	GEOMETRY(pt_arm_s2_16k_ops, 14, 3, 12, 3, 2);
static const struct backend_geometry s2_64k =
	GEOMETRY(pt_arm_s2_64k_ops, 16, 2, 14, 3, 2);
static const struct backend_geometry s1_4k =
	GEOMETRY(pt_arm_s1_4k_ops, 12, 4, 12, 7, 2);
static const struct backend_geometry s2_4k[] = {
	GEOMETRY(pt_arm_s2_4k_ops, 12, 4, 12, 7, 0),
	GEOMETRY(pt_arm_s2_4k_ops, 12, 4, 12, 7, 1),
	GEOMETRY(pt_arm_s2_4k_ops, 12, 4, 12, 7, 2),
};

struct rig {
	struct world *w;
	struct iommuabs_device *dev;
	struct iommuabs_domain *dom;
};

static void rig_new(struct rig *rig, const struct backend_geometry *geometry)
{
	rig->w = world_new(1);
	rig->w->unit[0].geometry = geometry;
	rig->dev = world_device(rig->w, 8, 1, 0);
	rig->dom = world_domain(rig->w);
	ck_assert_int_eq(iommuabs_start(rig->w->abs), 0);
}

static void rig_attach(struct rig *rig)
{
	ck_assert_int_eq(iommuabs_device_attach(rig->dev, rig->dom, NULL, 0),
			 0);
}

static int map(struct rig *rig, uint64_t gfn, uint64_t mfn, uint64_t nr,
	       uint32_t flags)
{
	return iommuabs_domain_map(rig->dom, GFN(gfn), MFN(mfn), nr, flags,
				   NULL);
}

static int unmap(struct rig *rig, uint64_t gfn, uint64_t nr)
{
	return iommuabs_domain_unmap(rig->dom, GFN(gfn), nr, NULL);
}

static int protect(struct rig *rig, uint64_t gfn, uint64_t nr, uint32_t flags)
{
	return iommuabs_domain_protect(rig->dom, GFN(gfn), nr, flags, NULL);
}

static const struct view *mirror_of(const struct rig *rig)
{
	const struct view *view = rig->dom->views;

	while (view && view->kind != VIEW_MIRROR)
		view = view->next;
	return view;
}

/* What the mirror has at @gfn; false: nothing. */
static bool mirrored(const struct rig *rig, uint64_t gfn, struct pt_leaf *leaf)
{
	const struct pt *pt = &mirror_of(rig)->pt;

	return pt->ops->lookup(pt, gfn, leaf);
}

/* [@gfn, @gfn + @nr) in ledger and mirror alike: at @mfn, with @attr. */
static void maps(const struct rig *rig, uint64_t gfn, uint64_t mfn, uint64_t nr,
		 uint32_t attr)
{
	iommuabs_mfn_t found;
	struct pt_leaf leaf;
	uint32_t flags;
	uint64_t i;

	for (i = 0; i < nr; i++) {
		ck_assert_int_eq(iommuabs_domain_translate(rig->dom,
							   GFN(gfn + i), &found,
							   &flags),
				 0);
		ck_assert_uint_eq(found.frame, mfn + i);
		ck_assert_uint_eq(flags, attr);
		ck_assert(mirrored(rig, gfn + i, &leaf));
		ck_assert_uint_eq(leaf.out, mfn + i);
		ck_assert_uint_eq(leaf.attr, attr);
	}
}

static const struct backend_geometry *const granules[] = { &s2_16k, &s2_64k };

START_TEST(a_range_that_cuts_a_granule_is_refused)
{
	uint64_t g = (uint64_t)1 << (granules[_i]->granule_lg2 - 12);
	iommuabs_mfn_t list[32];
	struct rig rig;
	unsigned int i;

	COVERS(iommuabs_domain_map, E_GRANULE);
	COVERS(iommuabs_domain_map_list, E_GRANULE);
	COVERS(iommuabs_domain_unmap, E_GRANULE);
	COVERS(iommuabs_domain_protect, E_GRANULE);
	rig_new(&rig, granules[_i]);
	ck_assert_int_eq(map(&rig, 0, 4 * g, 2 * g, RW), 0);
	rig_attach(&rig);
	REFUSED(rig.w, map(&rig, 4 * g + 1, g, g, RW), IOMMUABS_E_GRANULE);
	REFUSED(rig.w, map(&rig, 4 * g, g + 2, g, RW), IOMMUABS_E_GRANULE);
	REFUSED(rig.w, map(&rig, 4 * g, g, 1, RW), IOMMUABS_E_GRANULE);
	REFUSED(rig.w, map(&rig, 4 * g, g, g + 1, RW | IOMMUABS_REPLACE),
		IOMMUABS_E_GRANULE);
	REFUSED(rig.w, unmap(&rig, 0, 1), IOMMUABS_E_GRANULE);
	REFUSED(rig.w, unmap(&rig, 1, g), IOMMUABS_E_GRANULE);
	REFUSED(rig.w, protect(&rig, 0, 2 * g - 1, IOMMUABS_READ),
		IOMMUABS_E_GRANULE);
	for (i = 0; i < 2 * g; i++)
		list[i] = MFN(8 * g + i);
	list[g].frame += 3;
	REFUSED(rig.w,
		iommuabs_domain_map_list(rig.dom, GFN(4 * g), list, 2 * g, RW,
					 NULL),
		IOMMUABS_E_GRANULE);
	maps(&rig, 0, 4 * g, 2 * g, RW);
	ck_assert_int_eq(unmap(&rig, 4 * g, 2 * g), 0); /* nothing is there */
	for (i = 0; i < 2 * g; i++)
		list[i] = MFN((i < g ? 20 * g : 8 * g) + i);
	ck_assert_int_eq(iommuabs_domain_map_list(rig.dom, GFN(4 * g), list,
						  2 * g, RW, NULL),
			 0);
	maps(&rig, 4 * g, 20 * g, g, RW);
	maps(&rig, 5 * g, 9 * g, g, RW);
	ck_assert_int_eq(protect(&rig, g, g, IOMMUABS_READ), 0);
	maps(&rig, g, 5 * g, g, IOMMUABS_READ);
	ck_assert_int_eq(unmap(&rig, 0, g), 0);
	world_delete(rig.w);
}
END_TEST

/* Large leaves, tables of the granule's size, splits and replaced ranges. */
START_TEST(whole_granules_do_all_that_frames_do)
{
	const struct backend_geometry *geo = granules[_i];
	uint64_t g = (uint64_t)1 << (geo->granule_lg2 - 12);
	uint64_t huge = g << (geo->granule_lg2 - 3);
	struct pt_leaf leaf;
	struct rig rig;

	rig_new(&rig, geo);
	rig_attach(&rig);
	ck_assert_int_eq(map(&rig, huge, huge, huge, RW), 0);
	ck_assert(mirrored(&rig, huge, &leaf));
	ck_assert_uint_eq(leaf.level, 1);
	ck_assert_int_eq(unmap(&rig, huge + g, g), 0);
	maps(&rig, huge, huge, g, RW);
	ck_assert(!mirrored(&rig, huge + g, &leaf));
	maps(&rig, 2 * huge - g, 2 * huge - g, g, RW);
	ck_assert_int_eq(map(&rig, huge, 6 * huge, 4 * g,
			     IOMMUABS_READ | IOMMUABS_REPLACE),
			 0);
	maps(&rig, huge, 6 * huge, 4 * g, IOMMUABS_READ);
	ck_assert_int_eq(unmap(&rig, huge, huge), 0);
	ck_assert(!mirrored(&rig, 2 * huge - 1, &leaf));
	world_delete(rig.w);
}
END_TEST

START_TEST(what_was_mapped_before_must_fit_the_granule)
{
	static const struct {
		uint64_t gfn, mfn, nr;
	} cases[] = { { 0x105, 0x1000, 0x20 },
		      { 0x100, 0x1001, 0x20 },
		      { 0x100, 0x1000, 0x21 } };
	const struct backend_geometry *geo = granules[_i % 2];
	uint64_t used;
	struct rig rig;

	COVERS(iommuabs_device_attach, E_GRANULE);
	COVERS(iommuabs_domain_populate, E_GRANULE);
	rig_new(&rig, geo);
	ck_assert_int_eq(map(&rig, 0, 0x4000, 0x40, RW), 0);
	ck_assert_int_eq(map(&rig, cases[_i / 2].gfn, cases[_i / 2].mfn,
			     cases[_i / 2].nr, RW),
			 0);
	used = rig.dom->account.used;
	REFUSED(rig.w, iommuabs_device_attach(rig.dev, rig.dom, NULL, 0),
		IOMMUABS_E_GRANULE);
	ck_assert_ptr_null(mirror_of(&rig));
	ck_assert_uint_eq(rig.dom->account.used, used);
	REFUSED(rig.w, iommuabs_domain_populate(rig.dom, rig.dev, 0),
		IOMMUABS_E_GRANULE);
	ck_assert_ptr_null(mirror_of(&rig));
	ck_assert_uint_eq(rig.dom->account.used, used);
	/* As before: single frames are fine, and the device can come later. */
	ck_assert_int_eq(map(&rig, 0x203, 0x5001, 1, RW), 0);
	ck_assert_int_eq(unmap(&rig, 0x100, 0x200), 0);
	rig_attach(&rig);
	maps(&rig, 0, 0x4000, 0x40, RW);
	world_delete(rig.w);
}
END_TEST

/* Also where a budget ends within a granule. */
START_TEST(a_fill_in_small_steps_keeps_granules_whole)
{
	struct rig rig;
	int steps = 0;
	int ret;

	rig_new(&rig, granules[_i % 2]);
	ck_assert_int_eq(map(&rig, 0x140, 0x1000, 0x40, RW), 0);
	ck_assert_int_eq(map(&rig, 0x190, 0x8000, 0x10, IOMMUABS_READ), 0);
	ck_assert_int_eq(map(&rig, 0x1f0, 0x9000, 0x30, RW), 0);
	do {
		ret = iommuabs_domain_populate(rig.dom, rig.dev,
					       1 + (uint64_t)_i / 2);
		ck_assert_int_lt(++steps, 5000);
	} while (ret == IOMMUABS_E_AGAIN);
	ck_assert_int_eq(ret, 0);
	ck_assert_int_gt(steps, 3);
	maps(&rig, 0x140, 0x1000, 0x40, RW);
	maps(&rig, 0x190, 0x8000, 0x10, IOMMUABS_READ);
	maps(&rig, 0x1f0, 0x9000, 0x30, RW);
	world_delete(rig.w);
}
END_TEST

START_TEST(stage_1_is_never_asked_to_write_without_reading)
{
	const iommuabs_mfn_t list[] = { MFN(5), MFN(9) };
	struct rig rig;

	COVERS(iommuabs_domain_map, E_NOTSUP);
	COVERS(iommuabs_domain_map_list, E_NOTSUP);
	COVERS(iommuabs_domain_protect, E_NOTSUP);
	rig_new(&rig, &s1_4k);
	ck_assert_int_eq(map(&rig, 3, 77, 1, IOMMUABS_WRITE), 0);
	REFUSED(rig.w, iommuabs_device_attach(rig.dev, rig.dom, NULL, 0),
		IOMMUABS_E_NOTSUP);
	REFUSED(rig.w, iommuabs_domain_populate(rig.dom, rig.dev, 0),
		IOMMUABS_E_NOTSUP);
	ck_assert_ptr_null(mirror_of(&rig));
	ck_assert_int_eq(unmap(&rig, 3, 1), 0);
	rig_attach(&rig);
	REFUSED(rig.w, map(&rig, 3, 77, 1, IOMMUABS_WRITE), IOMMUABS_E_NOTSUP);
	REFUSED(rig.w, map(&rig, 0x200, 0x400, 0x200, IOMMUABS_WRITE),
		IOMMUABS_E_NOTSUP);
	REFUSED(rig.w,
		iommuabs_domain_map_list(rig.dom, GFN(7), list, 2,
					 IOMMUABS_WRITE, NULL),
		IOMMUABS_E_NOTSUP);
	ck_assert_int_eq(map(&rig, 3, 77, 1, RW), 0);
	REFUSED(rig.w, protect(&rig, 3, 1, IOMMUABS_WRITE), IOMMUABS_E_NOTSUP);
	maps(&rig, 3, 77, 1, RW);
	ck_assert_int_eq(protect(&rig, 3, 1, IOMMUABS_READ), 0);
	maps(&rig, 3, 77, 1, IOMMUABS_READ);
	world_delete(rig.w);
}
END_TEST

/* ---- refresh ---- */

static struct iommuabs_p2m_run p2m_runs[2];
static uint32_t p2m_nr_runs;

static int walk(struct world *w, struct iommuabs_p2m_query *query)
{
	uint64_t end = query->gfn.frame + query->nr, to;
	uint32_t i;

	(void)w;
	for (i = 0; i < p2m_nr_runs; i++) {
		struct iommuabs_p2m_run run = p2m_runs[i];

		to = IA_MIN(run.gfn.frame + run.nr, end);
		if (run.gfn.frame < query->gfn.frame) {
			run.mfn.frame += query->gfn.frame - run.gfn.frame;
			run.gfn = query->gfn;
		}
		if (to <= run.gfn.frame)
			continue;
		run.nr = to - run.gfn.frame;
		query->runs[query->nr_runs++] = run;
	}
	query->next = GFN(end);
	return 0;
}

/*
 * The p2m has changed already, within a granule: the mirror can't follow, so that
 * granule is out of the device's reach.
 */
START_TEST(a_refresh_within_a_granule_takes_it_away_whole)
{
	struct pt_leaf leaf;
	struct rig rig;

	COVERS(iommuabs_domain_refresh, E_GRANULE);
	COVERS(iommuabs_domain_refresh, E_NOTSUP);
	rig_new(&rig, &s2_64k);
	rig.w->on_walk = walk;
	ck_assert_int_eq(map(&rig, 0x40, 0x1040, 0x30, RW), 0);
	rig_attach(&rig);
	p2m_runs[0] =
		(struct iommuabs_p2m_run){ GFN(0x40), MFN(0x1040), 0x15, RW };
	p2m_runs[1] =
		(struct iommuabs_p2m_run){ GFN(0x56), MFN(0x1056), 0x1a, RW };
	p2m_nr_runs = 2;
	ck_assert_int_eq(
		iommuabs_domain_refresh(rig.dom, GFN(0x55), 1, NULL, NULL),
		IOMMUABS_E_GRANULE);
	ck_assert(!mirrored(&rig, 0x50, &leaf));
	ck_assert(!mirrored(&rig, 0x5f, &leaf));
	maps(&rig, 0x40, 0x1040, 0x10, RW);
	maps(&rig, 0x60, 0x1060, 0x10, RW);
	/* All of the granule is gone: that can be expressed. */
	p2m_runs[0].nr = 0x10;
	p2m_runs[1] =
		(struct iommuabs_p2m_run){ GFN(0x60), MFN(0x1060), 0x10, RW };
	ck_assert_int_eq(
		iommuabs_domain_refresh(rig.dom, GFN(0x50), 0x10, NULL, NULL),
		0);
	maps(&rig, 0x60, 0x1060, 0x10, RW);
	ck_assert_int_eq(map(&rig, 0x50, 0x1050, 0x10, RW), 0);
	/* And what it can't express otherwise. */
	rig.w->unit[0].geometry = NULL;
	world_delete(rig.w);
	rig_new(&rig, &s1_4k);
	rig.w->on_walk = walk;
	rig_attach(&rig);
	p2m_runs[0] = (struct iommuabs_p2m_run){ GFN(0x40), MFN(0x1040), 1,
						 IOMMUABS_WRITE };
	p2m_nr_runs = 1;
	ck_assert_int_eq(
		iommuabs_domain_refresh(rig.dom, GFN(0x40), 1, NULL, NULL),
		IOMMUABS_E_NOTSUP);
	ck_assert(!mirrored(&rig, 0x40, &leaf));
	world_delete(rig.w);
}
END_TEST

/*
 * Sharing, a device sees what the p2m says; a mirror can't express it, and so the
 * device stays where it is.
 */
START_TEST(who_shares_what_a_mirror_cannot_express_stays)
{
	static const struct {
		const struct backend_geometry *geometry;
		uint32_t flags;
		int ret;
	} cases[] = { { &s2_64k, RW, IOMMUABS_E_GRANULE },
		      { &s1_4k, IOMMUABS_WRITE, IOMMUABS_E_NOTSUP } };
	struct iommuabs_domain *other;
	struct iommuabs_p2m p2m;
	int ret = cases[_i].ret;
	struct rig rig;

	COVERS(iommuabs_domain_set_strategy, E_GRANULE);
	COVERS(iommuabs_domain_set_strategy, E_NOTSUP);
	COVERS(iommuabs_domain_set_p2m, E_GRANULE);
	COVERS(iommuabs_domain_set_p2m, E_NOTSUP);
	COVERS(iommuabs_device_move, E_GRANULE);
	COVERS(iommuabs_device_move, E_NOTSUP);
	rig_new(&rig, cases[_i].geometry);
	other = rig.dom;
	ck_assert_int_eq(map(&rig, 0x100, 0x6000, 1, cases[_i].flags), 0);
	rig.dom = world_shared_domain(rig.w);
	ck_assert_int_eq(map(&rig, 0x100, 0x5000, 1, cases[_i].flags), 0);
	rig_attach(&rig);
	ck_assert_int_eq(iommuabs_domain_set_strategy(
				 rig.dom, IOMMUABS_STRATEGY_MIRROR, 0, 0),
			 ret);
	ck_assert_int_eq(iommuabs_domain_set_strategy(
				 rig.dom, IOMMUABS_STRATEGY_AUTO, 0, 0),
			 0);
	p2m = rig.dom->p2m;
	p2m.granule_lg2 = 16; /* to be mirrored */
	ck_assert_int_eq(iommuabs_domain_set_p2m(rig.dom, &p2m), ret);
	ck_assert_uint_eq(rig.dom->p2m.granule_lg2, 12);
	ck_assert_int_eq(iommuabs_device_move(rig.dev, other, NULL, 0), ret);
	ck_assert_ptr_eq(rig.dev->dom, rig.dom);
	ck_assert_int_eq(rig.dev->streams[0].binding->view->kind, VIEW_SHARED);
	ck_assert_ptr_null(mirror_of(&rig));
	world_delete(rig.w);
}
END_TEST

/* ---- taking leaves apart ---- */

static const struct rig *watched;
static unsigned int seen_broken, seen_whole;

/* While units forget the leaf of 1 GiB, which is to become tables. */
static void watch_leaf(struct world_unit *unit, const struct backend_inv *inv)
{
	const struct pt *pt = &mirror_of(watched)->pt;
	struct pt_leaf leaf;

	(void)unit;
	if (inv->nr != 1 || inv->ranges[0].nr != 1 << 18)
		return;
	ck_assert_uint_eq(inv->ranges[0].gfn, 1 << 18);
	ck_assert_uint_eq(inv->any_level, 1);
	ck_assert(pt->ops->lookup(pt, (1 << 18) + 5, &leaf));
	ck_assert_uint_eq(leaf.level, 2);
	ck_assert_uint_eq(leaf.out, (1 << 18) + 5);
	if (leaf.entry & 1) {
		ck_assert(leaf.entry >> 16 & 1); /* nT */
		seen_whole++;
	} else {
		seen_broken++;
	}
}

static int take_page(struct rig *rig, bool protects)
{
	return protects ? protect(rig, (1 << 18) + 7, 1, IOMMUABS_READ)
			: unmap(rig, (1 << 18) + 7, 1);
}

START_TEST(a_large_leaf_is_taken_apart_as_the_unit_can_take_it)
{
	unsigned int bbml = (unsigned int)_i % 3, before;
	bool protects = _i >= 3;
	struct pt_leaf leaf;
	struct rig rig;

	rig_new(&rig, &s2_4k[bbml]);
	rig_attach(&rig);
	ck_assert_int_eq(map(&rig, 1 << 18, 1 << 18, 1 << 18, RW), 0);
	ck_assert(mirrored(&rig, 1 << 18, &leaf));
	ck_assert_uint_eq(leaf.level, 2);
	watched = &rig;
	seen_broken = seen_whole = 0;
	before = rig.w->unit[0].invalidates;
	rig.w->unit[0].on_invalidate = watch_leaf;
	ck_assert_int_eq(take_page(&rig, protects), 0);
	rig.w->unit[0].on_invalidate = NULL;
	ck_assert_uint_eq(seen_broken, bbml == 0);
	ck_assert_uint_eq(seen_whole, bbml == 1);
	ck_assert_uint_eq(rig.w->unit[0].invalidates - before,
			  bbml == 2 ? 1 : 2);
	maps(&rig, 1 << 18, 1 << 18, 7, RW);
	maps(&rig, (1 << 18) + 8, (1 << 18) + 8, 600, RW);
	if (protects)
		maps(&rig, (1 << 18) + 7, (1 << 18) + 7, 1, IOMMUABS_READ);
	else
		ck_assert(!mirrored(&rig, (1 << 18) + 7, &leaf));
	/* A replaced frame cuts a leaf, too. */
	ck_assert_int_eq(
		map(&rig, (1 << 18) + 1000, 5, 1, RW | IOMMUABS_REPLACE), 0);
	maps(&rig, (1 << 18) + 1000, 5, 1, RW);
	maps(&rig, (1 << 18) + 1001, (1 << 18) + 1001, 100, RW);
	world_delete(rig.w);
}
END_TEST

/* A slot of the next smaller size, of a leaf or of a table. */
START_TEST(a_large_leaf_loses_a_part_that_could_be_a_leaf)
{
	const uint64_t base = 1 << 18, large = 512;
	struct pt_leaf leaf;
	struct rig rig;

	rig_new(&rig, &s2_4k[_i]);
	rig_attach(&rig);
	ck_assert_int_eq(map(&rig, base, base, base, RW), 0);
	ck_assert_int_eq(unmap(&rig, base + 3 * large, large), 0);
	ck_assert_int_eq(unmap(&rig, base + 4 * large, large), 0);
	maps(&rig, base, base, 3 * large, RW);
	ck_assert(!mirrored(&rig, base + 3 * large, &leaf));
	ck_assert_uint_eq(leaf.level, 1);
	ck_assert(!mirrored(&rig, base + 5 * large - 1, &leaf));
	maps(&rig, base + 5 * large, base + 5 * large, 3 * large, RW);
	ck_assert_int_eq(unmap(&rig, base, base), 0);
	ck_assert(!mirrored(&rig, base, &leaf));
	ck_assert_uint_ge(leaf.level, 2);
	world_delete(rig.w);
}
END_TEST

START_TEST(a_large_leaf_leaves_every_mirror)
{
	struct iommuabs_stream_range stream = { .first = 8, .nr = 1 };
	struct iommuabs_domain *dom;
	struct iommuabs_device *dev;
	struct world *w = world_new(2);
	const struct view *view;
	struct iommuabs_device_desc desc;
	struct pt_leaf leaf;
	unsigned int i, mirrors = 0;

	w->unit[0].geometry = _i ? &s2_16k : &s2_4k[2];
	w->unit[1].geometry = &s1_4k;
	dom = world_domain(w);
	for (i = 0; i < 2; i++) {
		stream.unit = w->unit[i].unit;
		desc = world_device_desc(&stream, 0);
		ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &dev), 0);
		ck_assert_int_eq(iommuabs_device_attach(dev, dom, NULL, 0), 0);
	}
	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	ck_assert_int_eq(
		iommuabs_domain_map(dom, GFN(512), MFN(512), 512, RW, NULL), 0);
	ck_assert_int_eq(iommuabs_domain_unmap(dom, GFN(512), 512, NULL), 0);
	for (view = dom->views; view; view = view->next, mirrors++)
		ck_assert(!view->pt.ops->lookup(&view->pt, 600, &leaf));
	ck_assert_uint_eq(mirrors, 2);
	world_delete(w);
}
END_TEST

/* C3: the change stands, its frames are withheld, the neighbours are in place. */
START_TEST(a_unit_that_does_not_answer_the_break_leaves_nothing_broken)
{
	unsigned int bbml = (unsigned int)_i % 2;
	bool protects = _i >= 2;
	struct pt_leaf leaf;
	uint64_t budget = 0;
	struct rig rig;

	rig_new(&rig, &s2_4k[bbml]);
	rig_attach(&rig);
	ck_assert_int_eq(map(&rig, 1 << 18, 1 << 18, 1 << 18, RW), 0);
	rig.w->unit[0].invalidate = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(take_page(&rig, protects), IOMMUABS_E_TIMEOUT);
	ck_assert_int_eq(unit_status(rig.w->unit[0].unit),
			 IOMMUABS_UNIT_FENCED);
	ck_assert(mirrored(&rig, (1 << 18) + 6, &leaf));
	ck_assert_uint_eq(leaf.entry & 3, 3);
	ck_assert_uint_eq(leaf.level, 0);
	if (!protects) {
		ck_assert(!mirrored(&rig, (1 << 18) + 7, &leaf));
		ck_assert(rig.dom->ledger.ops->lookup(&rig.dom->ledger,
						      (1 << 18) + 7, &leaf));
		ck_assert_uint_eq(leaf.attr & PT_LEDGER_STATE,
				  PT_LEDGER_WITHHELD);
	}
	rig.w->unit[0].invalidate = 0;
	ck_assert_int_eq(iommuabs_unit_recover(rig.w->unit[0].unit, budget), 0);
	ck_assert_int_eq(take_page(&rig, protects), 0);
	maps(&rig, 1 << 18, 1 << 18, 7, RW);
	world_delete(rig.w);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("mirror");
	TCase *tc;

	if (!world_possible(s))
		return s;
	tc = tcase_create("granule");
	tcase_add_loop_test(tc, a_range_that_cuts_a_granule_is_refused, 0, 2);
	tcase_add_loop_test(tc, whole_granules_do_all_that_frames_do, 0, 2);
	tcase_add_loop_test(tc, what_was_mapped_before_must_fit_the_granule, 0,
			    6);
	tcase_add_loop_test(tc, a_fill_in_small_steps_keeps_granules_whole, 0,
			    40);
	tcase_add_test(tc, a_refresh_within_a_granule_takes_it_away_whole);
	suite_add_tcase(s, tc);
	tc = tcase_create("format");
	tcase_add_loop_test(tc, who_shares_what_a_mirror_cannot_express_stays,
			    0, 2);
	tcase_add_test(tc, stage_1_is_never_asked_to_write_without_reading);
	tcase_add_loop_test(
		tc, a_large_leaf_is_taken_apart_as_the_unit_can_take_it, 0, 6);
	tcase_add_loop_test(tc, a_large_leaf_loses_a_part_that_could_be_a_leaf,
			    0, 3);
	tcase_add_loop_test(tc, a_large_leaf_leaves_every_mirror, 0, 2);
	tcase_add_loop_test(
		tc, a_unit_that_does_not_answer_the_break_leaves_nothing_broken,
		0, 4);
	suite_add_tcase(s, tc);
	return s;
}

HARNESS_MAIN(suite)
