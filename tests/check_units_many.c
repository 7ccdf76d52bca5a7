/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_units_many.c - a domain behind two units, on the models as adversaries:
 * each change reaches both, whether they walk one table or two
 */
#include <string.h>

#include "core/change.h"
#include "harness.h"
#include "test_needs.h"
#include "test_rig.h"

#define RW	    (IOMMUABS_READ | IOMMUABS_WRITE)
#define SECOND_BASE ((uint64_t)0x9150000)
#define BLOCK	    512 /* frames; gfns [BLOCK, 2 * BLOCK) are the domain's */
#define PROBED	    (BLOCK + 3)
#define SID	    8  /* of a device behind each unit */
#define BOTH	    24 /* of a device behind both */

/* How the second unit differs from the first, and so how many tables there are. */
static const struct difference {
	unsigned int quirks, bbml, nr_views;
	uint32_t flags;
	bool vtd;
	unsigned int small, scalable;
} differences[] = {
	{ .bbml = 2, .nr_views = 1 },
	/* It hangs when it meets a large leaf: its table must have none. */
	{
		.bbml = 2,
		.nr_views = 2,
		.quirks = IOMMUABS_SIM_QUIRK_HANGS_ON_BLOCKS,
		.flags = IOMMUABS_UNIT_NO_BLOCKS,
	},
	{ .bbml = 0, .nr_views = 2 },
	{ .vtd = true, .nr_views = 1 },
	/* It takes pages only. */
	{ .vtd = true, .small = 1, .nr_views = 2 },
	/* Its tables are selected otherwise, and make accesses snoop. */
	{ .vtd = true, .scalable = 1, .nr_views = 2 },
};

#define SMMU_DIFFERENCES 3
#define DIFFERENCES	 ((int)IA_COUNT(differences))

static struct scene {
	struct rig rig;
	struct iommuabs_sim_unit *sim[2];
	struct iommuabs_unit *unit[2];
	struct iommuabs_device *dev[2];
	struct iommuabs_domain *dom;
	struct iommuabs_sim_probe *probe[2];
} scene;

static uint64_t frame(uint64_t block, uint64_t gfn)
{
	return rig_frame(&scene.rig, block * BLOCK + gfn - BLOCK);
}

static void second_smmu(const struct difference *difference)
{
	struct iommuabs_sim_smmuv3_config config;

	iommuabs_sim_smmuv3_defaults(&config);
	config.base = SECOND_BASE;
	config.bbml = difference->bbml;
	config.quirks = difference->quirks;
	ck_assert_int_eq(iommuabs_sim_smmuv3_create(scene.rig.arena, &config,
						    &scene.sim[1]),
			 0);
}

static void second_vtd(const struct difference *difference)
{
	struct iommuabs_sim_vtd_config config;

	iommuabs_sim_vtd_defaults(&config);
	config.base = SECOND_BASE;
	config.sslps = difference->small ? 0 : 3;
	config.smts = config.sc = difference->scalable;
	ck_assert_int_eq(iommuabs_sim_vtd_create(scene.rig.arena, &config,
						 &scene.sim[1]),
			 0);
	scene.rig.more_vtd = 1;
}

static void second_unit(const struct difference *difference)
{
	const struct iommuabs_unit_desc desc = {
		.size = sizeof(desc),
		.type = difference->vtd ? IOMMUABS_UNIT_VTD
					: IOMMUABS_UNIT_SMMUV3,
		.flags = difference->flags,
		.base = SECOND_BASE,
		.name = "second",
	};

	if (difference->vtd)
		second_vtd(difference);
	else
		second_smmu(difference);
	ck_assert_int_eq(
		iommuabs_unit_add(scene.rig.lib, &desc, &scene.unit[1]), 0);
}

/* A device of one stream behind the first @nr units beginning with @first. */
static struct iommuabs_device *device(int first, uint32_t nr, uint32_t sid)
{
	const struct iommuabs_stream_range streams[2] = {
		{ .unit = scene.unit[first], .first = sid, .nr = 1 },
		{ .unit = scene.unit[1], .first = sid, .nr = 1 },
	};
	const struct iommuabs_device_desc desc = {
		.size = sizeof(desc),
		.streams = streams,
		.nr_streams = nr,
	};
	struct iommuabs_device *dev;

	ck_assert_int_eq(iommuabs_device_add(scene.rig.lib, &desc, &dev), 0);
	return dev;
}

static void attach(struct iommuabs_device *dev, struct iommuabs_domain *dom)
{
	ck_assert_int_eq(iommuabs_device_attach(dev, dom, NULL, 0), 0);
}

static int map(struct iommuabs_domain *dom, uint64_t gfn, uint64_t mfn,
	       uint64_t nr, uint32_t flags)
{
	return iommuabs_domain_map(dom, IOMMUABS_GFN(gfn), IOMMUABS_MFN(mfn),
				   nr, flags, NULL);
}

static int unmap(uint64_t gfn, uint64_t nr)
{
	return iommuabs_domain_unmap(scene.dom, IOMMUABS_GFN(gfn), nr, NULL);
}

static void scene_machine(const struct difference *difference)
{
	memset(&scene, 0, sizeof(scene));
	rig_machine(&scene.rig, difference->vtd ? RIG_VTD : RIG_QEMU);
	ck_assert_int_eq(rig_library(&scene.rig), 0);
	scene.sim[0] = scene.rig.sim;
	scene.unit[0] = scene.rig.unit;
	second_unit(difference);
	ck_assert_int_eq(iommuabs_start(scene.rig.lib), 0);
	scene.dom = rig_domain(&scene.rig);
}

/* A device behind each unit, both in a domain that maps a large leaf. */
static void scene_new(const struct difference *difference)
{
	const struct view *view;
	unsigned int i, nr_views = 0;

	scene_machine(difference);
	for (i = 0; i < 2; i++) {
		scene.dev[i] = device((int)i, 1, SID);
		attach(scene.dev[i], scene.dom);
		scene.probe[i] =
			iommuabs_sim_probe_add(scene.sim[i], SID, PROBED << 12,
					       IOMMUABS_SIM_DMA_WRITE);
		ck_assert_ptr_nonnull(scene.probe[i]);
	}
	for (view = scene.dom->views; view; view = view->next)
		nr_views++;
	ck_assert_uint_eq(nr_views, difference->nr_views);
	ck_assert_int_eq(map(scene.dom, BLOCK, frame(0, BLOCK), BLOCK, RW), 0);
}

static void scene_end(void)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		if (scene.probe[i])
			iommuabs_sim_probe_remove(scene.probe[i]);
		if (scene.dev[i])
			ck_assert_int_eq(
				iommuabs_device_detach(scene.dev[i], 0), 0);
	}
	ck_assert_int_eq(iommuabs_domain_destroy(scene.dom, 0), 0);
	rig_end(&scene.rig);
}

static uint64_t dma(int unit, uint32_t sid, uint64_t gfn)
{
	uint64_t word = gfn;
	struct iommuabs_sim_dma dma = {
		.sid = sid,
		.flags = IOMMUABS_SIM_DMA_WRITE,
		.addr = gfn << 12,
		.len = sizeof(word),
		.data = &word,
	};

	return iommuabs_sim_dma(scene.sim[unit], &dma) ? dma.maddr >> 12
						       : UINT64_MAX;
}

/* What the probed gfn may be from here on, an mfn or UINT64_MAX: behind one. */
static void expect_of(unsigned int unit, uint64_t one, uint64_t other)
{
	const uint64_t outcomes[3] = {
		one == UINT64_MAX ? IOMMUABS_SIM_BLOCKED : one << 12,
		other == UINT64_MAX ? IOMMUABS_SIM_BLOCKED : other << 12,
		IOMMUABS_SIM_BLOCKED, /* while an entry is broken */
	};

	iommuabs_sim_probe_allow(scene.probe[unit], outcomes,
				 one == other ? 1 : 3);
	rig_no_violation(&scene.rig);
}

static void expect(uint64_t one, uint64_t other)
{
	expect_of(0, one, other);
	expect_of(1, one, other);
}

/* And it is that for both, now that the change is over. */
static void settled(uint64_t mfn)
{
	expect(mfn, mfn);
	ck_assert_uint_eq(dma(0, SID, PROBED), mfn);
	ck_assert_uint_eq(dma(1, SID, PROBED), mfn);
}

START_TEST(every_change_is_seen_behind_both)
{
	uint64_t old, new;

	scene_new(&differences[_i]);
	old = frame(0, PROBED);
	new = frame(1, PROBED);
	settled(old);
	/* Around the frame that is probed, and then that. */
	expect(old, UINT64_MAX);
	ck_assert_int_eq(unmap(PROBED + 1, 1), 0);
	settled(old);
	expect(old, UINT64_MAX);
	ck_assert_int_eq(unmap(PROBED, 1), 0);
	settled(UINT64_MAX);
	expect(UINT64_MAX, new);
	ck_assert_int_eq(map(scene.dom, PROBED, new, 1, RW), 0);
	settled(new);
	/* Another frame in its place; one that may not be written. */
	expect(new, old);
	ck_assert_int_eq(map(scene.dom, PROBED, old, 1, RW | IOMMUABS_REPLACE),
			 0);
	settled(old);
	expect(old, UINT64_MAX);
	ck_assert_int_eq(iommuabs_domain_protect(scene.dom,
						 IOMMUABS_GFN(PROBED), 1,
						 IOMMUABS_READ, NULL),
			 0);
	settled(UINT64_MAX);
	expect(UINT64_MAX, old);
	ck_assert_int_eq(iommuabs_domain_protect(
				 scene.dom, IOMMUABS_GFN(PROBED), 1, RW, NULL),
			 0);
	settled(old);
	/* The table goes as a whole. */
	expect(old, UINT64_MAX);
	ck_assert_int_eq(unmap(BLOCK, BLOCK), 0);
	settled(UINT64_MAX);
	scene_end();
}
END_TEST

START_TEST(a_batch_is_synced_with_both)
{
	/* Neighbours that become one range, from both sides. */
	static const uint64_t gfns[] = { PROBED - 1, PROBED, PROBED - 2 };
	struct iommuabs_batch batch;
	uint64_t old, gfn;
	unsigned int i;

	scene_new(&differences[_i]);
	old = frame(0, PROBED);
	settled(old);
	ck_assert_int_eq(iommuabs_batch_init(&batch, scene.dom), 0);
	expect(old, UINT64_MAX);
	for (i = 0; i < IA_COUNT(gfns); i++)
		ck_assert_int_eq(iommuabs_domain_unmap(scene.dom,
						       IOMMUABS_GFN(gfns[i]), 1,
						       &batch),
				 0);
	ck_assert_int_eq(iommuabs_batch_sync(&batch), 0);
	ck_assert_int_eq(iommuabs_batch_done(&batch), 0);
	settled(UINT64_MAX);
	for (gfn = PROBED - 2; gfn <= PROBED; gfn++) {
		ck_assert_uint_eq(dma(0, SID, gfn), UINT64_MAX);
		ck_assert_uint_eq(dma(1, SID, gfn), UINT64_MAX);
	}
	scene_end();
}
END_TEST

START_TEST(a_detach_behind_one_leaves_the_other)
{
	uint64_t old;

	scene_new(&differences[_i]);
	old = frame(0, PROBED);
	settled(old);
	expect_of(1, old, UINT64_MAX);
	ck_assert_int_eq(iommuabs_device_detach(scene.dev[1], 0), 0);
	expect_of(1, UINT64_MAX, UINT64_MAX);
	expect_of(0, old, old);
	ck_assert_uint_eq(dma(0, SID, PROBED), old);
	ck_assert_uint_eq(dma(1, SID, PROBED), UINT64_MAX);
	expect_of(1, old, UINT64_MAX);
	attach(scene.dev[1], scene.dom);
	settled(old);
	scene_end();
}
END_TEST

/* One unit hangs: the other is told all the same. @hung: which. */
static void change_while_one_hangs(int hung)
{
	uint64_t old = frame(0, PROBED);
	struct iommuabs_domain *next;

	/* In pages: the table that held them is unlinked. */
	ck_assert_int_eq(unmap(PROBED + 1, 1), 0);
	settled(old);
	iommuabs_sim_plant(scene.sim[hung], IOMMUABS_SIM_CMDQ_HANG, 0, 0);
	expect(old, UINT64_MAX);
	ck_assert_int_eq(unmap(BLOCK, BLOCK), IOMMUABS_E_TIMEOUT);
	expect(UINT64_MAX, UINT64_MAX);
	ck_assert_uint_eq(dma(!hung, SID, PROBED), UINT64_MAX);
	ck_assert_int_eq(unit_status(scene.unit[hung]), IOMMUABS_UNIT_FENCED);
	ck_assert_int_eq(unit_status(scene.unit[!hung]), IOMMUABS_UNIT_RUNNING);
	/* Nobody gets the frame until the hung one has forgotten it. */
	next = rig_domain(&scene.rig);
	ck_assert_int_eq(map(next, BLOCK, old, 1, RW), IOMMUABS_E_PERM);
	iommuabs_sim_heal(scene.sim[hung]);
	ck_assert_int_eq(iommuabs_unit_recover(scene.unit[!hung], 0), 0);
	ck_assert_int_eq(map(next, BLOCK, old, 1, RW), IOMMUABS_E_PERM);
	ck_assert_int_eq(iommuabs_unit_recover(scene.unit[hung], 0), 0);
	ck_assert_int_eq(map(next, BLOCK, old, 1, RW), 0);
	settled(UINT64_MAX);
	ck_assert_int_eq(iommuabs_domain_destroy(next, 0), 0);
}

START_TEST(while_one_hangs_the_other_is_told)
{
	scene_new(&differences[_i / 2]);
	change_while_one_hangs(_i & 1);
	/* Tables that were held back are free: the arena will be empty. */
	scene_end();
}
END_TEST

/* ---- one device behind both ---- */

START_TEST(a_device_behind_two_units_is_in_or_out_behind_both)
{
	struct iommuabs_domain *other;
	struct iommuabs_device *dev;
	const struct iommuabs_attach_options window = {
		.size = sizeof(window),
		.flags = IOMMUABS_ALLOW_WINDOW,
	};
	int i, unit;

	scene_machine(&differences[_i]);
	other = rig_domain(&scene.rig);
	dev = device(0, 2, BOTH);
	ck_assert_int_eq(map(scene.dom, BLOCK, frame(0, BLOCK), BLOCK, RW), 0);
	ck_assert_int_eq(map(other, BLOCK, frame(1, BLOCK), BLOCK, RW), 0);
	attach(dev, scene.dom);
	for (i = 0; i < 4; i++) {
		for (unit = 0; unit < 2; unit++)
			ck_assert_uint_eq(dma(unit, BOTH, PROBED),
					  frame(i & 1, PROBED));
		ck_assert_int_eq(iommuabs_device_move(dev,
						      i & 1 ? scene.dom : other,
						      &window, 0),
				 0);
	}
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	for (unit = 0; unit < 2; unit++)
		ck_assert_uint_eq(dma(unit, BOTH, PROBED), UINT64_MAX);
	/* Behind both or not at all. */
	iommuabs_sim_plant(scene.sim[1], IOMMUABS_SIM_CMDQ_HANG, 0, 0);
	ck_assert_int_eq(iommuabs_device_attach(dev, scene.dom, NULL, 0),
			 IOMMUABS_E_TIMEOUT);
	for (unit = 0; unit < 2; unit++)
		ck_assert_uint_eq(dma(unit, BOTH, PROBED), UINT64_MAX);
	iommuabs_sim_heal(scene.sim[1]);
	ck_assert_int_eq(iommuabs_unit_recover(scene.unit[1], 0), 0);
	attach(dev, scene.dom);
	for (unit = 0; unit < 2; unit++)
		ck_assert_uint_eq(dma(unit, BOTH, PROBED), frame(0, PROBED));
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	ck_assert_int_eq(iommuabs_domain_destroy(other, 0), 0);
	scene_end();
}
END_TEST

static void add_tests(Suite *s, const char *name, int from, int to)
{
	const TTest *const each[] = {
		every_change_is_seen_behind_both,
		a_batch_is_synced_with_both,
		a_detach_behind_one_leaves_the_other,
		a_device_behind_two_units_is_in_or_out_behind_both,
	};
	TCase *tcase = tcase_create(name);
	size_t i;

	tcase_set_timeout(tcase, 60);
	for (i = 0; i < IA_COUNT(each); i++)
		tcase_add_loop_test(tcase, each[i], from, to);
	tcase_add_loop_test(tcase, while_one_hangs_the_other_is_told, 2 * from,
			    2 * to);
	suite_add_tcase(s, tcase);
}

static Suite *suite(void)
{
	Suite *s = suite_create("units_many");

	if (suite_needs(s, IOMMUABS_UNIT_SMMUV3))
		add_tests(s, "many", 0, SMMU_DIFFERENCES);
	if (suite_needs(s, IOMMUABS_UNIT_VTD))
		add_tests(s, "vtd", SMMU_DIFFERENCES, DIFFERENCES);
	return s;
}

HARNESS_MAIN(suite)
