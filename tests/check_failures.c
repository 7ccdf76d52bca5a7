/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_failures.c - what the demo shows, with each allocation and each wait
 * failing once
 *
 * A scenario is played on a model as an adversary as often as there are places to
 * fail in it. The call that failed is made again, once the unit has recovered,
 * and the scenario goes on to its end. At no moment does a device reach what its
 * probe doesn't allow, and what a scenario leaves is what it leaves without any
 * failure: memory, charges, ids, places.
 */
#include <stdlib.h>
#include <string.h>

#include "core/core.h"
#include "harness.h"
#include "test_rig.h"

#define RW	(IOMMUABS_READ | IOMMUABS_WRITE)
#define DOMAINS 2
#define EYES	6
#define NOTHING UINT64_MAX /* no frame: blocked */

/* What guests have: RAM, of which one frame goes, and one is never there. */
#define RAM_NR 8
#define KEPT   3u
#define GOES   5u
#define COMES  9u
#define HOLE   100u
#define BLOCK  512u /* 2 MiB */
#define HIGH   (1u << 24)

#define REGISTERS_MFN UINT64_C(0x9010) /* of a device */

/* A look at the clock takes so long, and is 1 us for the model, as is the read of
 * a register that goes with it. */
#define LOOK_US 5000
/* So this is longer than a driver waits (100 ms), shorter than it waits twice. */
#define HANG_US 60

/* DMA of a device at a gfn, at every moment. */
struct eye {
	struct iommuabs_sim_probe *probe;
	int dev;
	uint64_t gfn;
};

/* What there is, and is charged: the same whatever has failed. */
struct tally {
	uint64_t pages, charged, used[DOMAINS], places[DOMAINS];
	uint32_t ids, views[DOMAINS], batches[DOMAINS];
};

struct scene {
	const char *name;
	struct iommuabs_domain *dom[DOMAINS];
	struct iommuabs_device *dev[DOMAINS];
	struct eye eyes[EYES];
	unsigned int nr_eyes;
	unsigned int failed; /* calls */
	/* The place to fail, 0: none; and where counting began. */
	uint64_t wait, allocation, waits, allocations;
};

static struct rig rig;
static struct scene scene;

static uint32_t sid(int dev)
{
	return 8 + 8 * (uint32_t)dev;
}

/* ---- what there is ---- */

/* What is there now. */
static struct tally count(void)
{
	struct iommuabs_domain_stats stats = { .size = sizeof(stats) };
	struct tally tally;
	int d;

	memset(&tally, 0, sizeof(tally));
	tally.pages = iommuabs_sim_pages_used(rig.arena);
	tally.charged = rig.lib->account.used;
	tally.ids = unit_ids_in_use(rig.unit);
	for (d = 0; d < DOMAINS; d++) {
		if (!scene.dom[d])
			continue;
		ck_assert_int_eq(iommuabs_domain_stats(scene.dom[d], &stats),
				 0);
		tally.used[d] = stats.used;
		tally.places[d] = stats.places;
		tally.views[d] = stats.nr_mirrors;
		tally.batches[d] = stats.nr_batches;
	}
	return tally;
}

static void same(const struct tally *a, const struct tally *b, const char *when)
{
	ck_assert_msg(!memcmp(a, b, sizeof(*a)),
		      "%s, %s, wait %llu, allocation %llu: pages %lld, "
		      "charged %lld, used %lld %lld, places %lld %lld, ids %d, "
		      "views %d %d more than without",
		      scene.name, when, (unsigned long long)scene.wait,
		      (unsigned long long)scene.allocation,
		      (long long)(a->pages - b->pages),
		      (long long)(a->charged - b->charged),
		      (long long)(a->used[0] - b->used[0]),
		      (long long)(a->used[1] - b->used[1]),
		      (long long)(a->places[0] - b->places[0]),
		      (long long)(a->places[1] - b->places[1]),
		      (int)(a->ids - b->ids), (int)(a->views[0] - b->views[0]),
		      (int)(a->views[1] - b->views[1]));
}

/* ---- failing ---- */

/* From here on. */
static void inject_waits(void)
{
	struct iommuabs_sim_counters counters;

	iommuabs_sim_counters(rig.sim, &counters);
	scene.waits = counters.waits;
	iommuabs_sim_plant(rig.sim, IOMMUABS_SIM_WAIT_HANG, scene.wait,
			   HANG_US);
}

static void inject_allocations(void)
{
	scene.allocations = iommuabs_sim_alloc_count(rig.arena);
	iommuabs_sim_alloc_fail(rig.arena, scene.allocation);
}

static void inject(void)
{
	inject_waits();
	inject_allocations();
}

static enum iommuabs_unit_status unit_is(void)
{
	struct iommuabs_unit_state state = { .size = sizeof(state) };

	ck_assert_int_eq(iommuabs_unit_state(rig.unit, &state), 0);
	return state.status;
}

/* A unit that doesn't run lets nothing through; then it is brought back. */
static void mend(void)
{
	unsigned int i;

	iommuabs_sim_heal(rig.sim);
	rig_no_violation(&rig);
	scene.failed++;
	if (unit_is() == IOMMUABS_UNIT_ADDED ||
	    unit_is() == IOMMUABS_UNIT_RUNNING)
		return;
	for (i = 0; i < scene.nr_eyes; i++)
		ck_assert_uint_eq(rig_write(&rig, sid(scene.eyes[i].dev),
					    scene.eyes[i].gfn),
				  UINT64_MAX);
	ck_assert_int_eq(iommuabs_unit_recover(rig.unit, 0), 0);
	ck_assert_int_eq(unit_is(), IOMMUABS_UNIT_RUNNING);
}

/*
 * What the instance got stays for the next call: nodes of the reverse map, a page
 * for objects.
 */
static void as_before(const struct tally *before)
{
	struct tally now = count();

	now.pages = before->pages;
	now.charged = before->charged;
	same(&now, before, "after the call");
}

/*
 * Did it fail, in one of the ways that are documented and were planted? Without
 * memory nothing was done.
 */
static bool failed(int ret, const struct tally *before)
{
	if (!ret)
		return false;
	if (before && ret == IOMMUABS_E_NOMEM)
		as_before(before);
	ck_assert_msg(scene.allocation ? ret == IOMMUABS_E_NOMEM
				       : ret == IOMMUABS_E_TIMEOUT ||
						 ret == IOMMUABS_E_FENCED,
		      "%s: answer %d, wait %llu, allocation %llu", scene.name,
		      ret, (unsigned long long)scene.wait,
		      (unsigned long long)scene.allocation);
	return true;
}

/* The call; @now holds when it returns, and if that was an error, it is made again,
 * and works. */
#define DO_AND(call, now)                             \
	do {                                          \
		const struct tally before_ = count(); \
		if (failed(call, &before_)) {         \
			now;                          \
			mend();                       \
			ck_assert_int_eq(call, 0);    \
		}                                     \
		now;                                  \
		rig_no_violation(&rig);               \
	} while (0)

#define DO(call) DO_AND(call, (void)0)

/* ---- looking ---- */

static struct eye *eye(int dev, uint64_t gfn)
{
	struct eye *eye;

	for (eye = scene.eyes; eye < scene.eyes + scene.nr_eyes; eye++) {
		if (eye->dev == dev && eye->gfn == gfn)
			return eye;
	}
	ck_assert_uint_lt(scene.nr_eyes, EYES);
	scene.nr_eyes++;
	eye->dev = dev;
	eye->gfn = gfn;
	eye->probe = iommuabs_sim_probe_add(rig.sim, sid(dev), gfn << 12,
					    IOMMUABS_SIM_DMA_WRITE);
	ck_assert_ptr_nonnull(eye->probe);
	return eye;
}

/* From now on it reaches one of these frames, if any. */
static void may_reach(int dev, uint64_t gfn, uint64_t mfn, uint64_t other)
{
	const uint64_t allowed[] = {
		IOMMUABS_SIM_BLOCKED,
		mfn == NOTHING ? IOMMUABS_SIM_BLOCKED : mfn << 12,
		other == NOTHING ? IOMMUABS_SIM_BLOCKED : other << 12,
	};

	ck_assert_uint_eq(
		iommuabs_sim_probe_allow(eye(dev, gfn)->probe, allowed, 3), 0);
}

static void blocked(int dev, uint64_t gfn)
{
	may_reach(dev, gfn, NOTHING, NOTHING);
	ck_assert_uint_eq(rig_write(&rig, sid(dev), gfn), UINT64_MAX);
}

/* It does, and nothing else. A failure that no call told of is one of start(). */
static void reaches(int dev, uint64_t gfn, uint64_t mfn)
{
	may_reach(dev, gfn, mfn, NOTHING);
	if (unit_is() != IOMMUABS_UNIT_RUNNING)
		mend();
	ck_assert_uint_eq(rig_write(&rig, sid(dev), gfn), mfn);
}

/* ---- guests ---- */

static bool is_vtd(void)
{
	return rig.kind >= RIG_VTD;
}

static bool shares(void)
{
	return rig.kind != RIG_STAGE1 && rig.kind != RIG_STAGE1_BBML0;
}

static uint64_t frame(int dom, uint64_t gfn)
{
	return rig_frame(&rig, (uint64_t)dom * 512 + gfn);
}

static void domain_new(int dom, enum iommuabs_strategy strategy,
		       const struct iommuabs_p2m *p2m,
		       enum iommuabs_source source)
{
	const struct iommuabs_domain_config config = {
		.size = sizeof(config),
		.strategy = strategy,
		.source = source,
		.input_bits = 39,
		.p2m = p2m,
	};

	DO(iommuabs_domain_create(rig.lib, &config, &scene.dom[dom]));
}

static int map(int dom, uint64_t gfn, uint64_t mfn, uint64_t nr, uint32_t flags)
{
	return iommuabs_domain_map(scene.dom[dom], IOMMUABS_GFN(gfn),
				   IOMMUABS_MFN(mfn), nr, flags, NULL);
}

static int unmap(int dom, uint64_t gfn, uint64_t nr)
{
	return iommuabs_domain_unmap(scene.dom[dom], IOMMUABS_GFN(gfn), nr,
				     NULL);
}

/*
 * A guest whose devices walk a mirror, with its RAM. What making one takes fails
 * in the first scenarios; others begin when it is there.
 */
static void mirrored_guest(int dom)
{
	domain_new(dom, IOMMUABS_STRATEGY_MIRROR, NULL, IOMMUABS_SOURCE_LEDGER);
	DO(map(dom, 0, frame(dom, 0), RAM_NR, RW));
}

/* Watched from before: its RAM or nothing, and never the hole. */
static void attach(int dev, int dom)
{
	may_reach(dev, KEPT, frame(dom, KEPT), NOTHING);
	may_reach(dev, GOES, frame(dom, GOES), NOTHING);
	may_reach(dev, HOLE, NOTHING, NOTHING);
	DO(rig_attach(scene.dev[dev], scene.dom[dom]));
}

static void detach(int dev)
{
	DO_AND(iommuabs_device_detach(scene.dev[dev], 0),
	       (blocked(dev, KEPT), blocked(dev, GOES)));
}

/* ---- the host's own p2m: one table of 4 KiB leaves, written by hand ---- */

#define P2M_FRAME 3 * 512 /* of the rig's: its tables, from the last on */

/* Arm ARM D8.3: valid, a table or page; S2AP, SH, AF, MemAttr. SDM 29.3.2: R, W;
 * the memory type. */
#define ARM_TABLE UINT64_C(3)
#define ARM_PAGE  UINT64_C(0x7ff)
#define EPT_TABLE UINT64_C(7)
#define EPT_PAGE  UINT64_C(0x33)

static uint64_t *p2m_entry(unsigned int level, uint64_t at)
{
	return (uint64_t *)(uintptr_t)((rig_frame(&rig, P2M_FRAME + level)
					<< 12) +
				       iommuabs_sim_offset(rig.arena)) +
	       at;
}

static void p2m_store(unsigned int level, uint64_t at, uint64_t value)
{
	uint64_t *entry = p2m_entry(level, at);

	iommuabs_sim_dev_store64(entry, value);
	iommuabs_sim_cache_clean(entry, sizeof(*entry));
	iommuabs_sim_dev_mb();
}

static struct iommuabs_p2m p2m_new(void)
{
	struct iommuabs_p2m p2m = {
		.size = sizeof(p2m),
		.flags = IOMMUABS_P2M_CLEANED,
		.format = is_vtd() ? IOMMUABS_P2M_EPT : IOMMUABS_P2M_ARM_S2,
		.input_bits = is_vtd() ? 48 : 39,
		.output_bits = is_vtd() ? 46 : 44,
		.granule_lg2 = 12,
		.levels = is_vtd() ? 4 : 3,
		.walk_attrs = 0x35, /* inner shareable, write-back */
	};
	unsigned int level;

	for (level = 0; level < p2m.levels; level++) {
		iommuabs_sim_dev_zero(p2m_entry(level, 0), 4096);
		iommuabs_sim_cache_clean(p2m_entry(level, 0), 4096);
	}
	iommuabs_sim_dev_mb();
	for (level = 1; level < p2m.levels; level++)
		p2m_store(level, 0,
			  (rig_frame(&rig, P2M_FRAME + level - 1) << 12) |
				  (is_vtd() ? EPT_TABLE : ARM_TABLE));
	p2m.root = rig_frame(&rig, P2M_FRAME + p2m.levels - 1u) << 12;
	return p2m;
}

/* In the order that domain.h asks for. */
static void p2m_grant(int dom, uint64_t gfn, uint64_t mfn)
{
	struct iommuabs_batch batch;

	DO(iommuabs_batch_init(&batch, scene.dom[dom]));
	DO(iommuabs_domain_map(scene.dom[dom], IOMMUABS_GFN(gfn),
			       IOMMUABS_MFN(mfn), 1, RW, &batch));
	p2m_store(0, gfn, mfn << 12 | (is_vtd() ? EPT_PAGE : ARM_PAGE));
	DO(iommuabs_batch_sync(&batch));
	ck_assert_int_eq(iommuabs_batch_done(&batch), 0);
}

static void shared_guest(int dom, enum iommuabs_strategy strategy)
{
	const struct iommuabs_p2m p2m = p2m_new();

	domain_new(dom, strategy, &p2m, IOMMUABS_SOURCE_LEDGER);
	p2m_grant(dom, KEPT, frame(dom, KEPT));
	p2m_grant(dom, GOES, frame(dom, GOES));
}

static bool device_shares(int dev)
{
	struct iommuabs_explanation why = { .size = sizeof(why) };

	ck_assert_int_eq(iommuabs_device_explain(scene.dev[dev],
						 IOMMUABS_GFN(KEPT), RW, &why),
			 0);
	ck_assert_int_eq(why.obstacle, IOMMUABS_OBSTACLE_NONE);
	return why.shared;
}

/* ---- the demo's scenarios ---- */

static void a_shared_guest_gives_and_takes(void)
{
	inject();
	shared_guest(0, IOMMUABS_STRATEGY_SHARE);
	attach(0, 0);
	reaches(0, KEPT, frame(0, KEPT));
	ck_assert(device_shares(0));
	may_reach(0, COMES, frame(0, COMES), NOTHING);
	p2m_grant(0, COMES, frame(0, COMES));
	reaches(0, COMES, frame(0, COMES));
	p2m_store(0, GOES, 0);
	DO_AND(unmap(0, GOES, 1), blocked(0, GOES));
	reaches(0, KEPT, frame(0, KEPT));
	detach(0);
}

static void a_mirrored_guest_gives_and_takes(void)
{
	inject();
	mirrored_guest(0);
	attach(0, 0);
	reaches(0, KEPT, frame(0, KEPT));
	may_reach(0, HIGH, frame(0, COMES), NOTHING);
	DO(map(0, HIGH, frame(0, COMES), 1, RW));
	reaches(0, HIGH, frame(0, COMES));
	DO_AND(unmap(0, GOES, 1), blocked(0, GOES));
	DO_AND(unmap(0, HIGH, 1), blocked(0, HIGH));
	reaches(0, KEPT, frame(0, KEPT));
	detach(0);
}

/* The second guest's p2m is one that no unit here can walk. */
static void auto_shares_or_mirrors(void)
{
	const struct iommuabs_p2m wide = {
		.size = sizeof(wide),
		.flags = IOMMUABS_P2M_CLEANED,
		.format = IOMMUABS_P2M_ARM_S2,
		.root = frame(3, 0) << 12,
		.input_bits = 48,
		.output_bits = 44,
		.granule_lg2 = 12,
		.levels = 4,
		.walk_attrs = 0x35,
	};

	inject();
	shared_guest(0, IOMMUABS_STRATEGY_AUTO);
	domain_new(1, IOMMUABS_STRATEGY_AUTO, &wide, IOMMUABS_SOURCE_LEDGER);
	DO(map(1, 0, frame(1, 0), RAM_NR, RW));
	attach(0, 0);
	attach(1, 1);
	reaches(0, KEPT, frame(0, KEPT));
	reaches(1, KEPT, frame(1, KEPT));
	ck_assert_int_eq(device_shares(0), shares());
	ck_assert(!device_shares(1));
	p2m_store(0, GOES, 0);
	DO_AND(unmap(0, GOES, 1), blocked(0, GOES));
	DO_AND(unmap(1, GOES, 1), blocked(1, GOES));
	reaches(0, KEPT, frame(0, KEPT));
	reaches(1, KEPT, frame(1, KEPT));
}

/* A block of 2 MiB loses a frame, and another is replaced. */
static void a_leaf_is_split_and_a_frame_replaced(void)
{
	const uint64_t old = frame(1, 88), new = frame(2, 0);

	mirrored_guest(0);
	inject();
	DO(map(0, BLOCK, frame(1, 0), 512, RW));
	may_reach(0, BLOCK + 88, old, NOTHING);
	may_reach(0, BLOCK + 3, frame(1, 3), NOTHING);
	attach(0, 0);
	reaches(0, BLOCK + 88, old);
	DO_AND(unmap(0, BLOCK + 3, 1), blocked(0, BLOCK + 3));
	may_reach(0, BLOCK + 88, old, new);
	DO(map(0, BLOCK + 88, new, 1, RW | IOMMUABS_REPLACE));
	reaches(0, BLOCK + 88, new);
	reaches(0, KEPT, frame(0, KEPT));
}

static void a_write_is_forbidden(void)
{
	mirrored_guest(0);
	DO(map(0, BLOCK, frame(1, 0), 512, RW));
	inject();
	may_reach(0, BLOCK + 88, frame(1, 88), NOTHING);
	attach(0, 0);
	reaches(0, GOES, frame(0, GOES));
	DO_AND(iommuabs_domain_protect(scene.dom[0], IOMMUABS_GFN(GOES), 1,
				       IOMMUABS_READ, NULL),
	       blocked(0, GOES));
	DO_AND(iommuabs_domain_protect(scene.dom[0], IOMMUABS_GFN(BLOCK + 88),
				       1, IOMMUABS_READ, NULL),
	       blocked(0, BLOCK + 88));
	reaches(0, KEPT, frame(0, KEPT));
}

static void a_device_goes_to_a_second_guest(void)
{
	mirrored_guest(0);
	mirrored_guest(1);
	inject();
	attach(0, 0);
	reaches(0, KEPT, frame(0, KEPT));
	detach(0);
	attach(0, 1);
	reaches(0, KEPT, frame(1, KEPT));
	reaches(0, GOES, frame(1, GOES));
}

static void two_devices_of_two_guests(void)
{
	mirrored_guest(0);
	mirrored_guest(1);
	inject();
	attach(0, 0);
	attach(1, 1);
	reaches(0, GOES, frame(0, GOES));
	reaches(1, GOES, frame(1, GOES));
	DO_AND(unmap(0, GOES, 1), blocked(0, GOES));
	reaches(1, GOES, frame(1, GOES));
	detach(1);
	reaches(0, KEPT, frame(0, KEPT));
}

/* As firmware leaves it a unit lets everything through. */
static void a_device_is_attached_before_start(void)
{
	mirrored_guest(0);
	inject();
	DO(rig_attach(scene.dev[0], scene.dom[0]));
	may_reach(0, KEPT, frame(0, KEPT), KEPT);
	may_reach(0, HOLE, HOLE, NOTHING);
	may_reach(1, KEPT, KEPT, NOTHING);
	DO(iommuabs_start(rig.lib));
	blocked(0, HOLE);
	blocked(1, KEPT);
	reaches(0, KEPT, frame(0, KEPT));
}

/* Until populating is over the domain may be changed. */
static void populate(int dom, int dev, uint64_t goes)
{
	unsigned int step = 0;
	int ret;

	do {
		ret = iommuabs_domain_populate(
			scene.dom[dom], dev < 0 ? NULL : scene.dev[dev], 4);
		if (goes && ++step == 2)
			DO(unmap(dom, goes, 1));
		if (ret && ret != IOMMUABS_E_AGAIN && failed(ret, NULL))
			mend();
	} while (ret);
}

static void a_device_comes_late(void)
{
	const uint32_t registers = RW | IOMMUABS_DEVICE;

	mirrored_guest(0);
	inject();
	DO(map(0, HIGH, REGISTERS_MFN, 1, registers));
	DO(unmap(0, KEPT + 1, 1));
	populate(0, 0, GOES);
	may_reach(0, HIGH, REGISTERS_MFN, NOTHING);
	may_reach(0, KEPT + 1, NOTHING, NOTHING);
	may_reach(0, GOES, NOTHING, NOTHING);
	DO(rig_attach(scene.dev[0], scene.dom[0]));
	reaches(0, KEPT, frame(0, KEPT));
	reaches(0, HIGH, REGISTERS_MFN);
	DO_AND(unmap(0, HIGH, 1), blocked(0, HIGH));
	blocked(0, GOES);
	blocked(0, KEPT + 1);
}

/* What host->p2m_walk() answers: the RAM of guest 0, or nothing. */
static uint32_t walked; /* a bit for each gfn */

static int walk(struct rig *of, struct iommuabs_p2m_query *query)
{
	uint64_t gfn = query->gfn.frame, end = gfn + query->nr;

	query->nr_runs = 0;
	for (; gfn < end && gfn < 32; gfn++) {
		if (!(walked >> gfn & 1))
			continue;
		if (query->nr_runs == query->max_runs) {
			query->next = IOMMUABS_GFN(gfn);
			return 0;
		}
		query->runs[query->nr_runs++] = (struct iommuabs_p2m_run){
			.gfn = IOMMUABS_GFN(gfn),
			.mfn = IOMMUABS_MFN(rig_frame(of, gfn)),
			.nr = 1,
			.flags = RW,
		};
	}
	query->next = IOMMUABS_GFN(end);
	return 0;
}

static int refresh(uint64_t gfn, uint32_t now)
{
	walked = now;
	return iommuabs_domain_refresh(scene.dom[0], IOMMUABS_GFN(gfn), 1, NULL,
				       NULL);
}

static void the_p2m_is_walked(void)
{
	const uint32_t ram = (1u << RAM_NR) - 1;

	walked = ram;
	inject();
	domain_new(0, IOMMUABS_STRATEGY_MIRROR, NULL, IOMMUABS_SOURCE_P2M);
	populate(0, -1, 0);
	attach(0, 0);
	reaches(0, KEPT, frame(0, KEPT));
	DO_AND(refresh(GOES, ram & ~(1u << GOES)), blocked(0, GOES));
	may_reach(0, COMES, frame(0, COMES), NOTHING);
	DO(refresh(COMES, walked | 1u << COMES));
	reaches(0, COMES, frame(0, COMES));
	reaches(0, KEPT, frame(0, KEPT));
}

static uint32_t users(uint64_t mfn)
{
	struct iommuabs_frame_user users[4];
	uint64_t cursor = 0;
	uint32_t nr;

	ck_assert_int_eq(iommuabs_frame_users(rig.lib, IOMMUABS_MFN(mfn),
					      &cursor, users, 4, &nr),
			 0);
	return nr;
}

/* One frame at two gfns, granted to another guest, and claimed by it. */
static void a_frame_has_one_owner(void)
{
	const uint64_t mfn = frame(0, KEPT);
	int ret;

	mirrored_guest(0);
	mirrored_guest(1);
	attach(1, 1);
	inject();
	DO(map(0, COMES, mfn, 1, IOMMUABS_READ));
	may_reach(1, HIGH, mfn, NOTHING);
	DO(map(1, HIGH, mfn, 1, RW | IOMMUABS_FOREIGN));
	reaches(1, HIGH, mfn);
	ret = map(1, COMES, mfn, 1, RW);
	if (ret != IOMMUABS_E_PERM) {
		ck_assert(failed(ret, NULL));
		mend();
		ck_assert_int_eq(map(1, COMES, mfn, 1, RW), IOMMUABS_E_PERM);
	}
	ck_assert_uint_eq(users(mfn), 3);
	DO_AND(unmap(1, HIGH, 1), blocked(1, HIGH));
	ck_assert_uint_eq(users(mfn), 2);
	DO(unmap(0, KEPT, 1));
	DO(unmap(0, COMES, 1));
	ck_assert_uint_eq(users(mfn), 0);
	may_reach(1, COMES, mfn, NOTHING);
	DO(map(1, COMES, mfn, 1, RW));
	reaches(1, COMES, mfn);
	ck_assert_uint_eq(users(mfn), 1);
}

/* What fails is bringing back a unit whose queue hung. */
static void a_unit_recovers(void)
{
	mirrored_guest(0);
	inject_allocations();
	attach(0, 0);
	reaches(0, GOES, frame(0, GOES));
	iommuabs_sim_plant(rig.sim, IOMMUABS_SIM_WAIT_HANG, 1, HANG_US);
	ck_assert_int_eq(unmap(0, GOES, 1), IOMMUABS_E_TIMEOUT);
	blocked(0, GOES);
	ck_assert_int_eq(unit_is(), IOMMUABS_UNIT_FENCED);
	ck_assert_uint_eq(rig_write(&rig, sid(0), KEPT), UINT64_MAX);
	ck_assert_uint_eq(users(frame(0, GOES)), 1); /* withheld */
	iommuabs_sim_heal(rig.sim);
	inject_waits();
	DO_AND(iommuabs_unit_recover(rig.unit, 0), blocked(0, GOES));
	reaches(0, KEPT, frame(0, KEPT));
	ck_assert_uint_eq(users(frame(0, GOES)), 0);
}

static int move(int dev, int dom)
{
	const struct iommuabs_attach_options options = {
		.size = sizeof(options),
		.flags = IOMMUABS_ALLOW_UNSAFE_MSI | IOMMUABS_ALLOW_WINDOW,
	};

	return iommuabs_device_move(scene.dev[dev], scene.dom[dom], &options,
				    0);
}

static void a_device_is_moved(void)
{
	mirrored_guest(0);
	mirrored_guest(1);
	attach(0, 0);
	inject();
	reaches(0, KEPT, frame(0, KEPT));
	may_reach(0, KEPT, frame(0, KEPT), frame(1, KEPT));
	may_reach(0, GOES, frame(0, GOES), frame(1, GOES));
	DO(move(0, 1));
	reaches(0, GOES, frame(1, GOES));
	reaches(0, KEPT, frame(1, KEPT));
}

static int strategy(enum iommuabs_strategy strategy)
{
	return iommuabs_domain_set_strategy(scene.dom[0], strategy,
					    IOMMUABS_ALLOW_WINDOW, 0);
}

static void share_and_mirror_change_places(void)
{
	shared_guest(0, IOMMUABS_STRATEGY_SHARE);
	attach(0, 0);
	inject();
	reaches(0, KEPT, frame(0, KEPT));
	DO(strategy(IOMMUABS_STRATEGY_MIRROR));
	reaches(0, GOES, frame(0, GOES));
	ck_assert(!device_shares(0));
	DO(strategy(IOMMUABS_STRATEGY_SHARE));
	reaches(0, KEPT, frame(0, KEPT));
	ck_assert(device_shares(0));
}

/* ---- playing them ---- */

/* Values of scenario.flags. */
#define SHARES	     (1u << 0) /* needs a unit that walks the p2m */
#define SPLITS	     (1u << 1) /* another way where a leaf is in use */
#define OTHERS	     (1u << 2)
#define STARTS_LATER (1u << 3)

#define SCENARIO(name, flags)      \
	{                          \
#name, name, flags \
	}

static const struct scenario {
	const char *name;
	void (*play)(void);
	uint32_t flags;
} scenarios[] = {
	SCENARIO(a_shared_guest_gives_and_takes, SHARES),
	SCENARIO(a_mirrored_guest_gives_and_takes, OTHERS),
	SCENARIO(auto_shares_or_mirrors, OTHERS),
	SCENARIO(a_leaf_is_split_and_a_frame_replaced, SPLITS),
	SCENARIO(a_write_is_forbidden, SPLITS),
	SCENARIO(a_device_goes_to_a_second_guest, OTHERS),
	SCENARIO(two_devices_of_two_guests, OTHERS),
	SCENARIO(a_device_is_attached_before_start, OTHERS | STARTS_LATER),
	SCENARIO(a_device_comes_late, OTHERS),
	SCENARIO(the_p2m_is_walked, OTHERS),
	SCENARIO(a_frame_has_one_owner, OTHERS),
	SCENARIO(a_unit_recovers, OTHERS),
	SCENARIO(a_device_is_moved, OTHERS),
	SCENARIO(share_and_mirror_change_places, SHARES),
};

/* What is played on each: what it does in another way than those before. */
static const struct {
	enum rig_kind kind;
	uint32_t flags;
} kinds[] = {
	{ RIG_QEMU, SHARES | SPLITS | OTHERS },
	{ RIG_STAGE1, SPLITS | OTHERS },
	{ RIG_VTD, SHARES | SPLITS | OTHERS },
	{ RIG_VTD_SCALABLE, SHARES | SPLITS | OTHERS },
	{ RIG_NONCOHERENT, SHARES },
	{ RIG_BBML0, SPLITS },
	{ RIG_STAGE1_BBML0, SPLITS },
};
#define KINDS ((int)IA_COUNT(kinds))

static void scene_new(const struct scenario *scenario)
{
	int d;

	memset(&scene, 0, sizeof(scene));
	scene.name = scenario->name;
	iommuabs_sim_unit_reset(rig.sim);
	ck_assert_int_eq(rig_library(&rig), 0);
	for (d = 0; d < DOMAINS; d++)
		ck_assert_int_eq(rig_device(&rig, sid(d), &scene.dev[d]), 0);
	if (!(scenario->flags & STARTS_LATER))
		ck_assert_int_eq(iommuabs_start(rig.lib), 0);
}

/* Everything is given back: @end is what is left without domains. */
static void scene_end(struct tally *end)
{
	unsigned int i;
	int d;

	iommuabs_sim_heal(rig.sim);
	iommuabs_sim_alloc_fail(rig.arena, 0);
	for (i = 0; i < scene.nr_eyes; i++)
		iommuabs_sim_probe_remove(scene.eyes[i].probe);
	for (d = 0; d < DOMAINS; d++)
		ck_assert_int_eq(iommuabs_device_detach(scene.dev[d], 0), 0);
	for (d = 0; d < DOMAINS; d++) {
		if (scene.dom[d])
			ck_assert_int_eq(
				iommuabs_domain_destroy(scene.dom[d], 0), 0);
		scene.dom[d] = NULL;
		ck_assert_int_eq(iommuabs_device_remove(scene.dev[d]), 0);
	}
	*end = count();
	ck_assert_int_eq(iommuabs_stop(rig.lib), 0);
	ck_assert_int_eq(iommuabs_destroy(rig.lib), 0);
	rig_no_violation(&rig);
}

/* Recovery gives empty tables back, too: a domain may have less. */
static void less_is_fine(struct tally *a, const struct tally *b)
{
	uint64_t less;
	int d;

	for (d = 0; d < DOMAINS; d++) {
		less = b->used[d] > a->used[d] ? b->used[d] - a->used[d] : 0;
		a->used[d] += less;
		a->pages += less;
	}
}

/* One of both fails, or none; how many there were, and what is left. */
struct outcome {
	uint64_t waits, allocations;
	unsigned int failed;
	struct tally at_the_end, without_domains;
};

static struct outcome play(const struct scenario *scenario, uint64_t wait,
			   uint64_t allocation)
{
	struct iommuabs_sim_counters counters;
	uint64_t pages = iommuabs_sim_pages_used(rig.arena);
	struct outcome outcome;

	scene_new(scenario);
	scene.wait = wait;
	scene.allocation = allocation;
	scenario->play();
	iommuabs_sim_counters(rig.sim, &counters);
	outcome.waits = counters.waits - scene.waits;
	outcome.allocations =
		iommuabs_sim_alloc_count(rig.arena) - scene.allocations;
	outcome.failed = scene.failed;
	outcome.at_the_end = count();
	scene_end(&outcome.without_domains);
	outcome.at_the_end.pages -= pages;
	outcome.without_domains.pages -= pages;
	/* What a VT-d unit blocks by is never given back. */
	ck_assert_uint_eq(iommuabs_sim_pages_used(rig.arena), pages + is_vtd());
	rig.more_vtd += is_vtd();
	return outcome;
}

static void sweep(const struct scenario *scenario, bool of_waits)
{
	const struct outcome healthy = play(scenario, 0, 0);
	struct outcome outcome;
	unsigned int failed = 0;
	uint64_t points = of_waits ? healthy.waits : healthy.allocations, k;

	ck_assert_uint_eq(healthy.failed, 0);
	ck_assert_msg(points, "%s: nothing to fail", scenario->name);
	for (k = 1; k <= points; k++) {
		outcome = play(scenario, of_waits ? k : 0, of_waits ? 0 : k);
		less_is_fine(&outcome.at_the_end, &healthy.at_the_end);
		same(&outcome.at_the_end, &healthy.at_the_end, "at the end");
		same(&outcome.without_domains, &healthy.without_domains,
		     "without domains");
		failed += outcome.failed;
	}
	/* Of allocations not each is noticed: there are reserves. */
	ck_assert_msg(of_waits ? failed >= points : failed > points / 2,
		      "%s: %u of %llu failed", scenario->name, failed,
		      (unsigned long long)points);
}

START_TEST(each_allocation_and_each_wait_fails_once)
{
	unsigned int i;

	if (!rig_possible(kinds[_i].kind))
		harness_skip("the driver for this unit is not built in");
	rig_machine(&rig, kinds[_i].kind);
	rig.on_walk = walk;
	rig.hurry_us = LOOK_US - 1;
	for (i = 0; i < IA_COUNT(scenarios); i++) {
		if (!(scenarios[i].flags & kinds[_i].flags))
			continue;
		sweep(&scenarios[i], true);
		sweep(&scenarios[i], false);
	}
	rig_delete(&rig);
}
END_TEST

static void add_tests(Suite *s)
{
	TCase *tcase = tcase_create("failures");

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, each_allocation_and_each_wait_fails_once, 0,
			    getenv("IOMMUABS_TEST_QUICK") ? 1 : KINDS);
	suite_add_tcase(s, tcase);
}

static Suite *suite(void)
{
	Suite *s = suite_create("failures");

	add_tests(s);
	return s;
}

HARNESS_MAIN(suite)
