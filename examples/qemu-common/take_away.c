/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * take_away.c - what was taken away is out of reach when the call returns
 *
 * Each time the device uses the frame first, so that the unit's caches hold what
 * must be forgotten.
 */
#include <stddef.h>
#include "pages.h"
#include "scenarios.h"
#include "scene.h"
#include "tap.h"

static unsigned int leaf_level(uint64_t gfn)
{
	struct iommuabs_explanation why = { .size = sizeof(why) };

	if (iommuabs_device_explain(iommu.edu[0], IOMMUABS_GFN(gfn),
				    IOMMUABS_READ, &why))
		return ~0u;
	return why.level;
}

static void unmap_a_frame(struct scene *scene)
{
	const uint64_t gfn = SCENE_RAM_GFN + 0x1800;
	uint64_t mfn = frame_new(0x5eed), before, after, byte = 0;
	const struct iommuabs_fault *fault;
	int st, kept, out;

	st = vm_map(&scene->vm, gfn, mfn, 1, SCENE_RW);
	before = dma_load(scene, 0, gfn);
	dma_take(scene, 0, 0xbad);
	iommu_faults_forget();
	if (!st)
		st = vm_unmap(&scene->vm, gfn, 1);
	dma_store(0, gfn);
	kept = *frame_word(mfn) == 0x5eed;
	after = dma_load(scene, 0, gfn);
	fault = fault_find(0, gfn, IOMMUABS_WRITE);
	tap_check(!st && before == 0x5eed && !after && kept && fault,
		  "%s: unmap, then DMA at once: blocked: gfn %lx was mfn %lx; "
		  "read %lx before, %lx after; the frame keeps %lx; event "
		  "words %016lx %016lx %016lx",
		  scene->name, gfn, mfn, before, after, *frame_word(mfn),
		  fault_word(fault, 0), fault_word(fault, 1),
		  fault_word(fault, 2));
	out = guest_read(&scene->vm.guest, gfn << PAGE_LG2, &byte, 1);
	tap_check(out == GUEST_FAULT &&
			  scene->vm.guest.fault.ipa >> PAGE_LG2 == gfn,
		  "%s: the guest faults there too: syndrome %lx", scene->name,
		  scene->vm.guest.fault.syndrome);
	explain_check(scene->name, "a read after unmap", gfn, IOMMUABS_READ,
		      IOMMUABS_OBSTACLE_NOT_MAPPED);
	frame_free(mfn);
}

/* QEMU blocks a write that its IOTLB forbids, and doesn't report it. */
static void protect_a_frame(struct scene *scene)
{
	const uint64_t gfn = SCENE_RAM_GFN + 0x1801;
	uint64_t mfn = frame_new(0x5eed), before;
	int st = vm_map(&scene->vm, gfn, mfn, 1, SCENE_RW);

	dma_take(scene, 0, 0x600d);
	dma_store(0, gfn);
	before = *frame_word(mfn);
	dma_take(scene, 0, 0xbad);
	if (!st)
		st = vm_protect(&scene->vm, gfn, 1, IOMMUABS_READ);
	dma_store(0, gfn);
	tap_check(!st && before == 0x600d && *frame_word(mfn) == 0x600d,
		  "%s: write permission is taken away, and a write at once is "
		  "lost: gfn %lx, mfn %lx: %lx before, %lx after",
		  scene->name, gfn, mfn, before, *frame_word(mfn));
	explain_check(scene->name, "a write after protect", gfn, IOMMUABS_WRITE,
		      IOMMUABS_OBSTACLE_WRITE_DENIED);
	(void)vm_unmap(&scene->vm, gfn, 1);
	frame_free(mfn);
}

static void split_a_leaf(struct scene *scene)
{
	const uint64_t gfn = SCENE_RAM_GFN + 100, mfn = scene->ram + 100;
	unsigned int level = leaf_level(gfn - 1), after;
	const struct iommuabs_fault *fault;
	uint64_t left, hole, right;
	int st;

	for (uint64_t i = 0; i < 3; i++) {
		*frame_word(mfn - 1 + i) = 0x100 + i;
		(void)dma_load(scene, 0, gfn - 1 + i);
	}
	iommu_faults_forget();
	st = vm_unmap(&scene->vm, gfn, 1);
	hole = dma_load(scene, 0, gfn);
	fault = fault_find(0, gfn, IOMMUABS_READ);
	left = dma_load(scene, 0, gfn - 1);
	right = dma_load(scene, 0, gfn + 1);
	after = leaf_level(gfn - 1);
	tap_check(!st && level == 1 && after == 0 && !hole && left == 0x100 &&
			  right == 0x102 && fault,
		  "%s: a 2M leaf is split, the hole is blocked, its neighbours "
		  "are not: gfn %lx, mfn %lx, reads %lx, gfn %lx, was mfn %lx, "
		  "%lx, gfn %lx, mfn %lx, %lx; leaves of level %u, then %u; "
		  "event words %016lx %016lx %016lx",
		  scene->name, gfn - 1, mfn - 1, left, gfn, mfn, hole, gfn + 1,
		  mfn + 1, right, level, after, fault_word(fault, 0),
		  fault_word(fault, 1), fault_word(fault, 2));
	explain_check(scene->name, "a read in the hole of a split leaf", gfn,
		      IOMMUABS_READ, IOMMUABS_OBSTACLE_NOT_MAPPED);
}

static void replace_a_frame(struct scene *scene)
{
	const uint64_t gfn = SCENE_RAM_GFN + 0x2000;
	uint64_t old = frame_new(0x01d), new = frame_new(0x7e57), seen, guest;
	int st, st2;

	guest = 0;
	st = vm_map(&scene->vm, gfn, old, 1, SCENE_RW);
	if (dma_load(scene, 0, gfn) != 0x01d)
		st = IOMMUABS_E_INVAL;
	st2 = vm_map(&scene->vm, gfn, new, 1, SCENE_RW | IOMMUABS_REPLACE);
	seen = dma_load(scene, 0, gfn);
	dma_take(scene, 0, 0xd00d);
	dma_store(0, gfn);
	(void)guest_read(&scene->vm.guest, gfn << PAGE_LG2, &guest, 8);
	tap_check(!st && !st2 && seen == 0x7e57 && guest == 0xd00d &&
			  *frame_word(new) == 0xd00d &&
			  *frame_word(old) == 0x01d,
		  "%s: a frame is replaced, the old one is never seen again: "
		  "gfn %lx was mfn %lx, is mfn %lx; read %lx, wrote %lx, the "
		  "old one keeps %lx",
		  scene->name, gfn, old, new, seen, *frame_word(new),
		  *frame_word(old));
	(void)vm_unmap(&scene->vm, gfn, 1);
	frame_free(new);
	frame_free(old);
}

static void one_strategy(const struct scene_strategy *how)
{
	struct scene scene;

	if (scene_open(&scene, how->name, how->strategy))
		return;
	if (!scene_attach(&scene, 0)) {
		unmap_a_frame(&scene);
		protect_a_frame(&scene);
		split_a_leaf(&scene);
		replace_a_frame(&scene);
	}
	scene_close(&scene);
}

void scenario_take_away(void)
{
	one_strategy(&scene_strategies[0]);
	one_strategy(&scene_strategies[1]);
}
