/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_live.c - changes under devices that do DMA, on the models as adversaries:
 * strategy, p2m, domain, sleep, crash
 */
#include <pthread.h>
#include <setjmp.h>
#include <string.h>

#include "core/change.h"
#include "harness.h"
#include "test_needs.h"
#include "test_rig.h"
#include "test_sanitizers.h"

#define RW     (IOMMUABS_READ | IOMMUABS_WRITE)
#define GUEST  64 /* frames of a guest: rig_frame(0..), the other's from 512 */
#define HOLE   100
#define SID    8
#define WINDOW IOMMUABS_ALLOW_WINDOW

/* Longer than a driver waits, shorter than it waits twice. */
#define HANG_US 150000

struct scene {
	struct rig rig;
	struct iommuabs_domain
		*maker; /* whose mirror is the first guest's p2m */
	struct iommuabs_domain *dom[2];
	struct iommuabs_device *dev, *other;
	struct iommuabs_sim_probe *probe[3];
};

static struct scene scene;

static const uint64_t probed[3] = { 3, 40, HOLE };

static uint64_t frame(int dom, uint64_t gfn)
{
	return rig_frame(&scene.rig, (uint64_t)dom * 512 + gfn);
}

/* What the device may reach: guest 0's, guest 1's; and a fault where it may not. */
#define MAY_SEE_0     (1u << 0)
#define MAY_SEE_1     (1u << 1)
#define MAY_BE_MISSED (1u << 2)

static void expect_dma(uint32_t what)
{
	uint64_t allowed[3];
	unsigned int p, nr;

	for (p = 0; p < 3; p++) {
		nr = 0;
		if (probed[p] < GUEST && (what & MAY_SEE_0))
			allowed[nr++] = frame(0, probed[p]) << 12;
		if (probed[p] < GUEST && (what & MAY_SEE_1))
			allowed[nr++] = frame(1, probed[p]) << 12;
		if (probed[p] >= GUEST || (what & MAY_BE_MISSED))
			allowed[nr++] = IOMMUABS_SIM_BLOCKED;
		iommuabs_sim_probe_allow(scene.probe[p], allowed, nr);
	}
	rig_no_violation(&scene.rig);
}

/* Units that can share; from SMMU_SHARING on VT-d. */
static const enum rig_kind sharing[] = {
	RIG_QEMU,	 RIG_NONCOHERENT,   RIG_NO_RANGES,
	RIG_BBML0,	 RIG_BBML1,	    RIG_LINEAR,
	RIG_FETCH_128,
#define SMMU_SHARING 7
	RIG_VTD,	 RIG_VTD_SCALABLE,  RIG_VTD_NONCOHERENT,
	RIG_VTD_CACHING, RIG_VTD_REGISTERS, RIG_VTD_FETCH_128,
};
#define SHARING ((int)IA_COUNT(sharing))

/* And those that can't: any unit may have its device moved. */
static const enum rig_kind smmu_mirrors[] = { RIG_STAGE1, RIG_STAGE1_BBML0 };
#define MIRRORS ((int)IA_COUNT(smmu_mirrors))

static bool is_vtd(enum rig_kind kind)
{
	return kind == RIG_VTD_FETCH_128 ||
	       (kind >= RIG_VTD && kind <= RIG_VTD_REGISTERS);
}

/* Does a change of the table fault a request in between? Not with BBML 2, which
 * lets leaves meet under one id, and not where an entry is fetched in one piece. */
static bool switch_has_window(enum rig_kind kind)
{
	return kind == RIG_BBML0 || kind == RIG_BBML1 ||
	       (is_vtd(kind) && kind != RIG_VTD_FETCH_128);
}

/* 128 bits at once; or another context descriptor. */
static bool move_has_window(enum rig_kind kind)
{
	return kind != RIG_FETCH_128 && kind != RIG_VTD_FETCH_128 &&
	       kind != RIG_STAGE1 && kind != RIG_STAGE1_BBML0;
}

static void probes_add(void)
{
	unsigned int p;

	for (p = 0; p < 3; p++) {
		scene.probe[p] = iommuabs_sim_probe_add(scene.rig.sim, SID,
							probed[p] << 12,
							IOMMUABS_SIM_DMA_WRITE);
		ck_assert_ptr_nonnull(scene.probe[p]);
	}
}

static struct iommuabs_domain *guest(int n, uint32_t flags,
				     const struct iommuabs_p2m *p2m)
{
	const struct iommuabs_domain_config config = {
		.size = sizeof(config),
		.flags = flags,
		.max_leaf = IOMMUABS_LEAF_4K,
		.input_bits = 39,
		.p2m = p2m,
	};
	struct iommuabs_domain *dom;

	ck_assert_int_eq(iommuabs_domain_create(scene.rig.lib, &config, &dom),
			 0);
	ck_assert_int_eq(iommuabs_domain_map(dom, IOMMUABS_GFN(0),
					     IOMMUABS_MFN(frame(n, 0)), GUEST,
					     RW, NULL),
			 0);
	return dom;
}

/* Two guests, the first with a p2m that its device walks. */
static void scene_new(enum rig_kind kind)
{
	struct iommuabs_p2m p2m = {
		.size = sizeof(p2m),
		.flags = IOMMUABS_P2M_CLEANED,
		.format = is_vtd(kind) ? IOMMUABS_P2M_EPT : IOMMUABS_P2M_ARM_S2,
		.granule_lg2 = 12,
	};
	struct backend_table table;

	memset(&scene, 0, sizeof(scene));
	rig_new(&scene.rig, kind);
	scene.maker = guest(0, IOMMUABS_DOMAIN_HOST, NULL);
	ck_assert_int_eq(rig_device(&scene.rig, 40, &scene.other), 0);
	ck_assert_int_eq(rig_attach(scene.other, scene.maker), 0);
	table = scene.other->streams[0].binding->table;
	p2m.root = table.root;
	p2m.input_bits = table.input_bits;
	p2m.output_bits = table.output_bits;
	p2m.levels = table.levels;
	p2m.walk_attrs = table.walk_attrs;
	scene.dom[0] = guest(0, 0, &p2m);
	scene.dom[1] = guest(1, 0, NULL);
	ck_assert_int_eq(rig_device(&scene.rig, SID, &scene.dev), 0);
	ck_assert_int_eq(rig_attach(scene.dev, scene.dom[0]), 0);
	probes_add();
	expect_dma(MAY_SEE_0);
}

static void scene_end(void)
{
	unsigned int p;

	for (p = 0; p < 3; p++)
		iommuabs_sim_probe_remove(scene.probe[p]);
	ck_assert_int_eq(iommuabs_device_detach(scene.dev, 0), 0);
	ck_assert_int_eq(iommuabs_device_detach(scene.other, 0), 0);
	ck_assert_int_eq(iommuabs_domain_destroy(scene.dom[0], 0), 0);
	ck_assert_int_eq(iommuabs_domain_destroy(scene.dom[1], 0), 0);
	ck_assert_int_eq(iommuabs_domain_destroy(scene.maker, 0), 0);
	rig_end(&scene.rig);
}

static int strategy(enum iommuabs_strategy what, uint32_t flags)
{
	return iommuabs_domain_set_strategy(scene.dom[0], what, flags, 0);
}

static int move(int to, uint32_t flags)
{
	const struct iommuabs_attach_options options = {
		.size = sizeof(options),
		.flags = flags | IOMMUABS_ALLOW_UNSAFE_MSI,
	};

	return iommuabs_device_move(scene.dev, scene.dom[to], &options, 0);
}

/* Is everything at @gfn of the device as it should be, now and for good? */
static void settled(int dom)
{
	expect_dma(dom ? MAY_SEE_1 : MAY_SEE_0);
	ck_assert_uint_eq(rig_write(&scene.rig, SID, 5), frame(dom, 5));
}

START_TEST(share_and_mirror_change_places_under_dma)
{
	const enum rig_kind kind = sharing[_i];
	int i;

	scene_new(kind);
	ck_assert_int_eq(scene.dev->streams[0].binding->view->kind,
			 VIEW_SHARED);
	for (i = 0; i < 3; i++) {
		int ret = strategy(i & 1 ? IOMMUABS_STRATEGY_SHARE
					 : IOMMUABS_STRATEGY_MIRROR,
				   0);

		/* Nothing was missed; or nothing was done. */
		expect_dma(MAY_SEE_0);
		ck_assert(ret == 0 || ret == IOMMUABS_E_WINDOW);
		if (ret) {
			expect_dma(MAY_SEE_0 | MAY_BE_MISSED);
			ck_assert_int_eq(
				strategy(i & 1 ? IOMMUABS_STRATEGY_SHARE
					       : IOMMUABS_STRATEGY_MIRROR,
					 WINDOW),
				0);
		}
		settled(0);
		ck_assert_int_eq(scene.dev->streams[0].binding->view->kind,
				 i & 1 ? VIEW_SHARED : VIEW_MIRROR);
		ck_assert_int_eq(ret != 0, switch_has_window(kind));
	}
	/* The p2m's old table is not read any more: its owner may change. */
	ck_assert_int_eq(
		iommuabs_domain_unmap(scene.maker, IOMMUABS_GFN(3), 1, NULL),
		0);
	settled(0);
	scene_end();
}
END_TEST

static void moves(enum rig_kind kind)
{
	uint64_t word = 0x1234567;
	const uint64_t *landed;
	bool one_step;
	int i;

	scene_new(kind);
	one_step = !move_has_window(kind);
	ck_assert_int_eq(move(0, 0), IOMMUABS_E_BUSY);
	if (!one_step)
		ck_assert_int_eq(move(1, 0), IOMMUABS_E_WINDOW);
	settled(0);
	for (i = 1; i < 4; i++) {
		/* Translated before, and landed when the move is over. */
		ck_assert_uint_eq(rig_post(&scene.rig, SID, 7, word + i),
				  frame(!(i & 1), 7));
		landed =
			(const uint64_t *)(uintptr_t)((frame(!(i & 1), 7)
						       << 12) +
						      iommuabs_sim_offset(
							      scene.rig.arena));
		expect_dma(MAY_SEE_0 | MAY_SEE_1 |
			   (one_step ? 0 : MAY_BE_MISSED));
		ck_assert_int_eq(move(i & 1, WINDOW), 0);
		settled(i & 1);
		ck_assert_uint_eq(*landed, word + i);
	}
	scene_end();
}

START_TEST(a_move_shows_one_guest_or_the_other)
{
	moves(_i < 0 ? smmu_mirrors[-1 - _i] : sharing[_i]);
}
END_TEST

/* Each wait of a whole day hangs once. */
static uint64_t day_with(enum rig_kind kind, uint64_t wait)
{
	struct iommuabs_sim_counters before, after;
	int ret, at = 0;

	scene_new(kind);
	iommuabs_sim_counters(scene.rig.sim, &before);
	iommuabs_sim_plant(scene.rig.sim, IOMMUABS_SIM_WAIT_HANG, wait,
			   HANG_US);
	expect_dma(MAY_SEE_0 | MAY_BE_MISSED);
	ret = strategy(IOMMUABS_STRATEGY_MIRROR, WINDOW);
	ck_assert(!ret || ret == IOMMUABS_E_TIMEOUT);
	expect_dma(MAY_SEE_0 | MAY_SEE_1 | MAY_BE_MISSED);
	ret = move(1, WINDOW);
	ck_assert(!ret || ret == IOMMUABS_E_TIMEOUT ||
		  ret == IOMMUABS_E_FENCED);
	at = scene.dev->dom == scene.dom[1];
	ck_assert_int_eq(at, !ret);
	/* Whatever happened, it is on one side only. */
	expect_dma((at ? MAY_SEE_1 : MAY_SEE_0) | MAY_BE_MISSED);
	ret = iommuabs_suspend(scene.rig.lib);
	ck_assert(!ret || ret == IOMMUABS_E_TIMEOUT);
	ck_assert_uint_eq(rig_write(&scene.rig, SID, 5), UINT64_MAX);
	ret = iommuabs_resume(scene.rig.lib);
	ck_assert(!ret || ret == IOMMUABS_E_TIMEOUT);
	iommuabs_sim_heal(scene.rig.sim);
	iommuabs_sim_counters(scene.rig.sim, &after);
	ck_assert_int_eq(iommuabs_unit_recover(scene.rig.unit, 0), 0);
	settled(at);
	expect_dma(MAY_SEE_0 | MAY_SEE_1 | MAY_BE_MISSED);
	if (!at)
		ck_assert_int_eq(move(1, WINDOW), 0);
	settled(1);
	scene_end();
	return after.waits - before.waits;
}

START_TEST(every_wait_of_a_live_change_may_hang)
{
	const enum rig_kind kind = sharing[_i];
	uint64_t waits = day_with(kind, UINT64_MAX), k;

	ck_assert_uint_gt(waits, 10);
	for (k = 1; k <= waits; k += TEST_STEP)
		day_with(kind, k);
}
END_TEST

START_TEST(what_is_under_way_has_landed_when_units_sleep)
{
	const uint64_t *landed;

	scene_new(_i < 0 ? smmu_mirrors[-1 - _i] : sharing[_i]);
	landed = (const uint64_t *)(uintptr_t)((frame(0, 7) << 12) +
					       iommuabs_sim_offset(
						       scene.rig.arena));
	ck_assert_uint_eq(rig_post(&scene.rig, SID, 7, 99), frame(0, 7));
	expect_dma(MAY_SEE_0 | MAY_BE_MISSED);
	ck_assert_int_eq(iommuabs_suspend(scene.rig.lib), 0);
	ck_assert_uint_eq(*landed, 99);
	expect_dma(MAY_BE_MISSED);
	/* What is taken away now is never seen again. */
	ck_assert_int_eq(
		iommuabs_domain_unmap(scene.dom[0], IOMMUABS_GFN(9), 1, NULL),
		0);
	ck_assert_int_eq(strategy(IOMMUABS_STRATEGY_MIRROR, 0), 0);
	expect_dma(MAY_SEE_0 | MAY_BE_MISSED);
	ck_assert_int_eq(iommuabs_resume(scene.rig.lib), 0);
	settled(0);
	ck_assert_uint_eq(rig_write(&scene.rig, SID, 9), UINT64_MAX);
	scene_end();
}
END_TEST

/* ---- a crash in the middle of anything ---- */

static jmp_buf stopped;
static uint64_t writes_left;

static void crash_here(struct rig *rig)
{
	if (!writes_left || --writes_left)
		return;
	rig->on_write = NULL;
	ck_assert_int_eq(iommuabs_crash_block(rig->lib), 0);
	longjmp(stopped, 1);
}

/* True: it crashed. The library is left as it stood. */
static bool crash_at(enum rig_kind kind, uint64_t write)
{
	bool crashed = false;

	scene_new(kind);
	writes_left = write;
	scene.rig.on_write = crash_here;
	expect_dma(MAY_SEE_0 | MAY_SEE_1 | MAY_BE_MISSED);
	if (!setjmp(stopped)) {
		ck_assert_int_eq(strategy(IOMMUABS_STRATEGY_MIRROR, WINDOW), 0);
		ck_assert_int_eq(move(1, WINDOW), 0);
		ck_assert_int_eq(iommuabs_suspend(scene.rig.lib), 0);
		ck_assert_int_eq(iommuabs_resume(scene.rig.lib), 0);
	} else {
		crashed = true;
	}
	scene.rig.on_write = NULL;
	if (!crashed) {
		settled(1);
		scene_end();
		return false;
	}
	expect_dma(MAY_BE_MISSED);
	ck_assert_uint_eq(rig_write(&scene.rig, SID, 5), UINT64_MAX);
	ck_assert_uint_eq(rig_write(&scene.rig, 40, 5), UINT64_MAX);
	iommuabs_sim_arena_destroy(scene.rig.arena);
	return true;
}

START_TEST(a_crash_at_any_register_write_blocks)
{
	uint64_t n = 1;

	while (crash_at(sharing[_i], n))
		n += TEST_STEP;
	ck_assert_uint_gt(n, 20);
}
END_TEST

/* ---- another CPU, while a unit is being enabled ---- */

#define OTHER 40 /* the device of the mirror's maker */
#define GONE  9	 /* the gfn that it loses */

/* What another CPU does at the n-th look at the clock since traffic may pass. */
static struct {
	uint64_t (*time_us)(void *ctx);
	unsigned int in; /* 0: done */
	bool reached;
	int ret;
} other_cpu;

static void *other_cpu_unmaps(void *nothing)
{
	other_cpu.reached =
		rig_write(&scene.rig, OTHER, GONE) == frame(0, GONE);
	other_cpu.ret =
		iommuabs_domain_unmap(scene.maker, IOMMUABS_GFN(GONE), 1, NULL);
	return nothing;
}

static uint64_t time_of_other_cpu(void *ctx)
{
	pthread_t thread;

	if (scene.rig.unit->coming && scene.rig.unit->hw.enabled &&
	    other_cpu.in && !--other_cpu.in) {
		ck_assert_int_eq(
			pthread_create(&thread, NULL, other_cpu_unmaps, NULL),
			0);
		pthread_join(thread, NULL);
	}
	return other_cpu.time_us(ctx);
}

/* Bring the unit up, from a sleep or a fence; page GONE goes at look @n. */
static void come_up(enum rig_kind kind, bool fenced, unsigned int n)
{
	struct iommuabs_host *ops;

	scene_new(kind);
	ops = &scene.rig.lib->host.ops;
	expect_dma(MAY_SEE_0 | MAY_BE_MISSED);
	if (fenced) {
		iommuabs_sim_plant(scene.rig.sim, IOMMUABS_SIM_WAIT_HANG, 1,
				   HANG_US);
		ck_assert_int_eq(iommuabs_domain_unmap(scene.maker,
						       IOMMUABS_GFN(20), 1,
						       NULL),
				 IOMMUABS_E_TIMEOUT);
		iommuabs_sim_heal(scene.rig.sim);
	} else {
		ck_assert_int_eq(iommuabs_suspend(scene.rig.lib), 0);
	}
	memset(&other_cpu, 0, sizeof(other_cpu));
	other_cpu.time_us = ops->time_us;
	other_cpu.in = n;
	ops->time_us = time_of_other_cpu;
	if (fenced)
		ck_assert_int_eq(iommuabs_unit_recover(scene.rig.unit, 0), 0);
	else
		ck_assert_int_eq(iommuabs_resume(scene.rig.lib), 0);
	ops->time_us = other_cpu.time_us;
}

/* Returns how often the other CPU found the page within reach. */
static unsigned int comes_up_and_forgets(enum rig_kind kind, bool fenced)
{
	unsigned int n, reached = 0;
	bool looked = true;

	for (n = 1; looked && n <= 4; n++) {
		come_up(kind, fenced, n);
		looked = !other_cpu.in;
		reached += other_cpu.reached;
		ck_assert(!other_cpu.ret ||
			  (fenced && other_cpu.ret == IOMMUABS_E_FENCED));
		if (looked)
			ck_assert_uint_eq(rig_write(&scene.rig, OTHER, GONE),
					  UINT64_MAX);
		settled(0);
		scene_end();
	}
	return reached;
}

/*
 * Who unmaps between the moment from which the unit translates, and caches, and
 * that in which it counts as running, has it forget all the same.
 */
START_TEST(what_goes_while_a_unit_comes_up_is_out_of_reach)
{
	unsigned int reached;

	/* Registers are one CPU's at a time, and the first one waits here. */
	if (sharing[_i] == RIG_VTD_REGISTERS)
		harness_skip(
			"an invalidation by registers waits for the other");
	reached = comes_up_and_forgets(sharing[_i], false);
	reached += comes_up_and_forgets(sharing[_i], true);
	ck_assert_uint_gt(reached, 0);
}
END_TEST

/* ---- ids ---- */

START_TEST(ids_run_out_and_come_back)
{
	struct iommuabs_domain *dom[256];
	struct iommuabs_device *dev[256];
	uint32_t i, nr = 0;
	int ret = 0;

	COVERS(iommuabs_device_attach, E_NOIDS);
	rig_new(&scene.rig, RIG_VMID8);
	for (i = 0; i < 256 && !ret; i++) {
		dom[i] = rig_domain(&scene.rig);
		ck_assert_int_eq(iommuabs_domain_map(
					 dom[i], IOMMUABS_GFN(1),
					 IOMMUABS_MFN(rig_frame(&scene.rig, i)),
					 1, RW, NULL),
				 0);
		ck_assert_int_eq(rig_device(&scene.rig, i, &dev[i]), 0);
		ret = iommuabs_device_attach(dev[i], dom[i], NULL, 0);
		nr += !ret;
	}
	/* Id 0 is nobody's; the 256th domain gets none, and nobody loses his. */
	ck_assert_int_eq(ret, IOMMUABS_E_NOIDS);
	ck_assert_uint_eq(nr, 255);
	for (i = 0; i < nr; i++)
		ck_assert_uint_eq(rig_write(&scene.rig, i, 1),
				  rig_frame(&scene.rig, i));
	ck_assert_uint_eq(rig_write(&scene.rig, 255, 1), UINT64_MAX);
	/* One that is given back goes to the next, without its translations. */
	ck_assert_int_eq(iommuabs_device_detach(dev[77], 0), 0);
	ck_assert_int_eq(iommuabs_device_attach(dev[255], dom[255], NULL, 0),
			 0);
	ck_assert_uint_eq(dev[255]->streams[0].binding->table.id, 78);
	ck_assert_uint_eq(rig_write(&scene.rig, 255, 1),
			  rig_frame(&scene.rig, 255));
	ck_assert_uint_eq(rig_write(&scene.rig, 77, 1), UINT64_MAX);
	for (i = 0; i < 256; i++) {
		ck_assert_int_eq(iommuabs_device_detach(dev[i], 0), 0);
		ck_assert_int_eq(iommuabs_domain_destroy(dom[i], 0), 0);
	}
	rig_end(&scene.rig);
}
END_TEST

/*
 * 65535 ids of a unit of 16 bits, each once; pages for them come as they are
 * needed. One that is given back goes to the next domain.
 */
START_TEST(sixteen_bits_of_ids_run_out_and_come_back)
{
	const uint32_t high = 40000;
	struct iommuabs_device *dev;
	struct iommuabs_domain *dom;
	uint32_t id, nr;
	int ret;

	rig_new(&scene.rig, RIG_QEMU);
	dom = rig_domain(&scene.rig);
	ck_assert_int_eq(
		iommuabs_domain_map(dom, IOMMUABS_GFN(1),
				    IOMMUABS_MFN(rig_frame(&scene.rig, 5)), 1,
				    RW, NULL),
		0);
	for (nr = 0; !(ret = unit_id_take(scene.rig.unit, &id)); nr++) {
		if (id != nr + 1)
			ck_abort_msg("id %u is not the next", id);
		if (id != UNIT_IDS_PER_PAGE - 1)
			continue;
		iommuabs_sim_alloc_fail(scene.rig.arena, 1);
		ck_assert_int_eq(unit_id_take(scene.rig.unit, &id),
				 IOMMUABS_E_NOMEM);
		iommuabs_sim_alloc_fail(scene.rig.arena, 0);
	}
	ck_assert_int_eq(ret, IOMMUABS_E_NOIDS);
	ck_assert_uint_eq(nr, 65535);
	ck_assert_uint_eq(unit_ids_in_use(scene.rig.unit), 65535);
	ck_assert_int_eq(rig_device(&scene.rig, 3, &dev), 0);
	ck_assert_int_eq(iommuabs_device_attach(dev, dom, NULL, 0),
			 IOMMUABS_E_NOIDS);
	unit_id_give(scene.rig.unit, high);
	ck_assert_int_eq(iommuabs_device_attach(dev, dom, NULL, 0), 0);
	ck_assert_uint_eq(dev->streams[0].binding->table.id, high);
	ck_assert_uint_eq(rig_write(&scene.rig, 3, 1),
			  rig_frame(&scene.rig, 5));
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	ck_assert_int_eq(iommuabs_domain_destroy(dom, 0), 0);
	ck_assert_uint_eq(unit_ids_in_use(scene.rig.unit), 65534);
	rig_end(&scene.rig);
}
END_TEST

/* Of sharing[@from] to sharing[@to], and @mirrors that can't share. */
static TCase *live(const char *name, int from, int to, int mirrors)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, share_and_mirror_change_places_under_dma,
			    from, to);
	tcase_add_loop_test(tcase, a_move_shows_one_guest_or_the_other,
			    from - mirrors, to);
	tcase_add_loop_test(tcase,
			    what_is_under_way_has_landed_when_units_sleep,
			    from - mirrors, to);
	/* The first unit, and VT-d's other way to find its tables. */
	tcase_add_loop_test(tcase, every_wait_of_a_live_change_may_hang, from,
			    from + (from ? 2 : 1));
	tcase_add_loop_test(tcase, a_crash_at_any_register_write_blocks, from,
			    from + (from ? 2 : 1));
	tcase_add_loop_test(tcase,
			    what_goes_while_a_unit_comes_up_is_out_of_reach,
			    from, to);
	return tcase;
}

static void add_smmu(Suite *s)
{
	TCase *tcase = live("live", 0, SMMU_SHARING, MIRRORS);

	tcase_add_test(tcase, ids_run_out_and_come_back);
	tcase_add_test(tcase, sixteen_bits_of_ids_run_out_and_come_back);
	suite_add_tcase(s, tcase);
}

static Suite *suite(void)
{
	Suite *s = suite_create("live");

	if (suite_needs(s, IOMMUABS_UNIT_SMMUV3))
		add_smmu(s);
	if (suite_needs(s, IOMMUABS_UNIT_VTD))
		suite_add_tcase(s, live("vtd", SMMU_SHARING, SHARING, 0));
	return s;
}

HARNESS_MAIN(suite)
