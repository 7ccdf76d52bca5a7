/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hotplug.c - a device comes into a guest that runs, and goes again
 *
 * Its mirror is filled a few entries at a time. In between the guest runs and its
 * memory changes, in turn where the mirror is filled already and where it is
 * not. What the unit's table has in the end is what the host's array says.
 */
#include <stddef.h>
#include "edu.h"
#include "pages.h"
#include "scenarios.h"
#include "scene.h"
#include "tap.h"

#define HOT_GFN	   UINT64_C(0x40000)
#define HOT_STRIDE 3u /* gfns from one frame to the next: holes between */
#define HOT_NR	   256u
#define HOT_STEP   64u /* work units of a step */
#define HOT_WORD   UINT64_C(0xf00d0000)

/* A frame of the guest's; flags 0: it is not mapped now. */
struct hot_frame {
	uint64_t mfn, word;
	uint32_t flags;
	int changed; /* -1: before the cursor, 1: after it */
};

static struct {
	struct scene scene;
	struct hot_frame frames[HOT_NR];
	unsigned int nr_steps, nr_before, nr_after;
	uint64_t tables_without, tables_with, tables_detached;
} hot;

static uint64_t gfn_of(unsigned int i)
{
	return HOT_GFN + (uint64_t)i * HOT_STRIDE;
}

static void frames_free(void)
{
	for (unsigned int i = 0; i < HOT_NR; i++)
		frame_free(hot.frames[i].mfn);
}

/* From anywhere in the machine, so that each takes an entry of its own. */
static int frames_map(void)
{
	int st = 0;

	for (unsigned int i = 0; i < HOT_NR; i++) {
		unsigned int to = i * 37 % HOT_NR;

		hot.frames[to].word = HOT_WORD + to;
		hot.frames[to].mfn = frame_new(HOT_WORD + to);
		if (!hot.frames[to].mfn)
			return IOMMUABS_E_NOMEM;
	}
	for (unsigned int i = 0; !st && i < HOT_NR; i++) {
		st = vm_map(&hot.scene.vm, gfn_of(i), hot.frames[i].mfn, 1,
			    SCENE_RW);
		hot.frames[i].flags = SCENE_RW;
	}
	return st;
}

/* One change, of a kind that goes by turns; the guest writes where it can. */
static int frame_change(unsigned int i, unsigned int turn)
{
	struct hot_frame *frame = &hot.frames[i];
	struct vm *vm = &hot.scene.vm;
	int st = 0;

	if (!frame->flags) {
		st = vm_map(vm, gfn_of(i), frame->mfn, 1, SCENE_RW);
		frame->flags = SCENE_RW;
	} else if (turn % 3 == 0) {
		st = vm_unmap(vm, gfn_of(i), 1);
		frame->flags = 0;
	} else if (turn % 3 == 1 && frame->flags == SCENE_RW) {
		st = vm_protect(vm, gfn_of(i), 1, IOMMUABS_READ);
		frame->flags = IOMMUABS_READ;
	}
	if (!st && frame->flags == SCENE_RW) {
		frame->word += 0x1000;
		st = guest_fill(&vm->guest, gfn_of(i) << PAGE_LG2, frame->word,
				sizeof(uint64_t));
	}
	return st;
}

/* On that side of the cursor, a frame that was not changed so far; HOT_NR: none. */
static unsigned int frame_find(uint64_t cursor, int before)
{
	for (unsigned int n = 0; n < HOT_NR; n++) {
		unsigned int i = n * 29 % HOT_NR;

		if (!hot.frames[i].changed && (gfn_of(i) < cursor) == before)
			return i;
	}
	return HOT_NR;
}

static int life_goes_on(unsigned int turn)
{
	uint64_t cursor = 0, total;
	int st = iommuabs_domain_progress(hot.scene.vm.dom, &cursor, &total);
	unsigned int i;

	i = frame_find(cursor, 1);
	if (!st && i < HOT_NR) {
		hot.nr_before++;
		hot.frames[i].changed = -1;
		st = frame_change(i, turn);
	}
	i = frame_find(cursor, 0);
	if (!st && i < HOT_NR) {
		hot.nr_after++;
		hot.frames[i].changed = 1;
		st = frame_change(i, turn + 1);
	}
	return st;
}

static int plug_in(void)
{
	int st = iommuabs_device_remove(iommu.edu[0]);

	if (!st)
		st = iommu_edu_add(0);
	hot.tables_without = table_pool.nr_used;
	if (st)
		return st;
	for (;;) {
		st = iommuabs_device_attach(iommu.edu[0], hot.scene.vm.dom,
					    &iommu_attach_options, HOT_STEP);
		if (st != IOMMUABS_E_AGAIN)
			break;
		hot.nr_steps++;
		st = life_goes_on(hot.nr_steps);
		if (st)
			break;
	}
	hot.tables_with = table_pool.nr_used;
	return st;
}

/* What the unit's own table says about a frame is what the host says. */
static int frame_is_right(unsigned int i)
{
	const struct hot_frame *frame = &hot.frames[i];
	struct iommuabs_explanation why = { .size = sizeof(why) };

	if (iommuabs_device_explain(iommu.edu[0], IOMMUABS_GFN(gfn_of(i)),
				    SCENE_RW, &why))
		return 0;
	if (!frame->flags)
		return why.obstacle == IOMMUABS_OBSTACLE_NOT_MAPPED;
	if (frame->flags == IOMMUABS_READ)
		return why.obstacle == IOMMUABS_OBSTACLE_WRITE_DENIED;
	return why.obstacle == IOMMUABS_OBSTACLE_NONE &&
	       why.mfn.frame == frame->mfn;
}

static void table_is_right(const char *name)
{
	unsigned int wrong = 0, gone = 0, fixed = 0;

	for (unsigned int i = 0; i < HOT_NR; i++) {
		wrong += !frame_is_right(i);
		gone += !hot.frames[i].flags;
		fixed += hot.frames[i].flags == IOMMUABS_READ;
	}
	tap_check(!wrong && gone && fixed,
		  "%s: in the end the unit's table is the guest's memory: of "
		  "%u frames %u are gone, %u read-only; %u wrong",
		  name, HOT_NR, gone, fixed, wrong);
}

/* The first of that kind, there or gone. */
static unsigned int frame_like(int changed, int there)
{
	unsigned int i = 0;

	while (i < HOT_NR && (hot.frames[i].changed != changed ||
			      (hot.frames[i].flags != 0) != there))
		i++;
	return i < HOT_NR ? i : 0;
}

static void dma_is_right(const char *name)
{
	const unsigned int at[4] = { frame_like(-1, 1), frame_like(1, 1),
				     frame_like(1, 0), frame_like(0, 1) };
	unsigned int wrong = 0;
	uint64_t in[4];

	for (unsigned int i = 0; i < 4; i++) {
		const struct hot_frame *frame = &hot.frames[at[i]];

		in[i] = dma_load(&hot.scene, 0, gfn_of(at[i]));
		wrong += in[i] != (frame->flags ? frame->word : 0);
	}
	tap_check(!wrong && in[0] && in[1] && !in[2] && in[3],
		  "%s: and DMA meets it: gfn %lx, changed before the cursor, "
		  "reads %lx; gfn %lx, after it, %lx; gfn %lx, taken away "
		  "there, %lx; gfn %lx, as it was, %lx",
		  name, gfn_of(at[0]), in[0], gfn_of(at[1]), in[1],
		  gfn_of(at[2]), in[2], gfn_of(at[3]), in[3]);
	explain_check(name, "a read of what was taken away there",
		      gfn_of(at[2]), IOMMUABS_READ,
		      IOMMUABS_OBSTACLE_NOT_MAPPED);
}

/*
 * The domain is LAZY: without a device it needs no mirror. What was read of the p2m
 * stays known.
 */
static void pull_out(const char *name)
{
	int st = iommuabs_device_detach(iommu.edu[0], 0);
	const int reads = hot.scene.vm.source == IOMMUABS_SOURCE_P2M;

	hot.tables_detached = table_pool.nr_used;
	if (!st)
		st = iommuabs_domain_compact(hot.scene.vm.dom, 0);
	tap_check(!st && table_pool.nr_used < hot.tables_detached &&
			  (reads || table_pool.nr_used <= hot.tables_without),
		  "%s: it is pulled out and the mirror given back: %lu table "
		  "pages before it came, %lu with it, %lu when detached, %lu "
		  "after compact",
		  name, hot.tables_without, hot.tables_with,
		  hot.tables_detached, table_pool.nr_used);
}

static void hotplug(const char *name, enum iommuabs_source source,
		    uint16_t vmid)
{
	const struct vm_options options = {
		.ipa_bits = 40,
		.vmid = vmid,
		.strategy = IOMMUABS_STRATEGY_MIRROR,
		.source = source,
	};
	int st;

	for (unsigned int i = 0; i < HOT_NR; i++)
		hot.frames[i] = (struct hot_frame){ 0 };
	hot.nr_steps = hot.nr_before = hot.nr_after = 0;
	if (scene_open_as(&hot.scene, name, &options))
		return;
	st = frames_map();
	if (!st)
		st = plug_in();
	tap_check(!st && hot.nr_steps >= 50 && hot.nr_before && hot.nr_after,
		  "%s: a device comes into a guest that runs: its mirror is "
		  "built in %u preempted steps of %u, with %u changes before "
		  "the cursor and %u after it; the guest left %lu times: %s",
		  name, hot.nr_steps, HOT_STEP, hot.nr_before, hot.nr_after,
		  hot.scene.vm.guest.nr_exits, iommuabs_strerror(st));
	if (!st) {
		table_is_right(name);
		dma_is_right(name);
		pull_out(name);
	}
	if (!scene_close(&hot.scene))
		frames_free();
}

void scenario_hotplug(void)
{
	hotplug("hotplug, from the ledger", IOMMUABS_SOURCE_LEDGER, 0x61);
	hotplug("hotplug, from the p2m", IOMMUABS_SOURCE_P2M, 0x62);
}
