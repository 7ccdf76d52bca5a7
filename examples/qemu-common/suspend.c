/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * suspend.c - a unit loses its power and what it was told, and gets all back
 *
 * While it sleeps nothing comes through; a domain changes and a device moves
 * meanwhile. Then the unit is left as a power-on leaves it, as far as the CPU can
 * do that, and comes back with what is attached now.
 */
#include <stddef.h>
#include "scenarios.h"
#include "scene.h"
#include "tap.h"

#define NEW_GFN (SCENE_RAM_GFN + 0x3000)

static void sleeps(struct scene *a)
{
	uint64_t read, kept;
	int st;

	*frame_word(a->ram + 1) = 0xa1;
	dma_take(a, 0, 0xbad);
	st = iommuabs_suspend(iommu.abs);
	dma_store(0, SCENE_RAM_GFN + 1);
	kept = *frame_word(a->ram + 1);
	read = dma_load(a, 0, SCENE_RAM_GFN + 1);
	tap_check(!st && kept == 0xa1 && read == DMA_NO_ANSWER,
		  "suspended: DMA is blocked: edu 0 wrote gfn %lx, mfn %lx "
		  "keeps %lx; what it read comes nowhere: %s",
		  SCENE_RAM_GFN + 1, a->ram + 1, kept, iommuabs_strerror(st));
	explain_check("suspended", "a unit that sleeps", SCENE_RAM_GFN + 1,
		      IOMMUABS_READ, IOMMUABS_OBSTACLE_NOT_STARTED);
}

/* One frame more, one less, and edu 1 is another guest's. */
static int changes(struct scene *a, struct scene *b, uint64_t mfn)
{
	int st = vm_map(&a->vm, NEW_GFN, mfn, 1, SCENE_RW);

	if (!st)
		st = vm_unmap(&a->vm, SCENE_RAM_GFN + 2, 1);
	if (!st)
		st = iommuabs_device_detach(iommu.edu[1], 0);
	return st ? st : scene_attach(b, 1);
}

static void wakes(struct scene *a, struct scene *b)
{
	const struct iommuabs_fault *fault;
	uint64_t same, added, gone, other;
	int st;

	*frame_word(a->ram + 1) = 0xa1;
	*frame_word(a->ram + 3) = 0xa3;
	*frame_word(b->ram + 3) = 0xb3;
	unit_lose_power();
	st = iommuabs_resume(iommu.abs);
	iommu_faults_forget();
	same = dma_load(a, 0, SCENE_RAM_GFN + 1);
	added = dma_load(a, 0, NEW_GFN);
	gone = dma_load(a, 0, SCENE_RAM_GFN + 2);
	other = dma_load(b, 1, SCENE_RAM_GFN + 3);
	fault = fault_find(0, SCENE_RAM_GFN + 2, IOMMUABS_READ);
	tap_check(!st && same == 0xa1 && added == 0x7e57 && other == 0xb3,
		  "resumed: devices see what is mapped now: edu 0 gfn %lx "
		  "reads %lx, gfn %lx, mapped meanwhile, %lx; edu 1, moved "
		  "meanwhile, gfn %lx %lx: %s",
		  SCENE_RAM_GFN + 1, same, NEW_GFN, added, SCENE_RAM_GFN + 3,
		  other, iommuabs_strerror(st));
	tap_check(!st && !gone && fault,
		  "resumed: what was taken away meanwhile is blocked and "
		  "reported: gfn %lx was mfn %lx, reads %lx; event words "
		  "%016lx %016lx %016lx",
		  SCENE_RAM_GFN + 2, a->ram + 2, gone, fault_word(fault, 0),
		  fault_word(fault, 1), fault_word(fault, 2));
	explain_check("resumed", "a read of what was taken away meanwhile",
		      SCENE_RAM_GFN + 2, IOMMUABS_READ,
		      IOMMUABS_OBSTACLE_NOT_MAPPED);
}

static void two_guests(struct scene *a, struct scene *b)
{
	uint64_t mfn = frame_new(0x7e57);
	int st;

	if (scene_attach(a, 0) || scene_attach(a, 1))
		return;
	/* The unit has seen all of it. */
	(void)dma_load(a, 0, SCENE_RAM_GFN + 2);
	(void)dma_load(a, 1, SCENE_RAM_GFN + 3);
	sleeps(a);
	st = changes(a, b, mfn);
	tap_check(!st,
		  "suspended: a guest's memory changes, a device moves: "
		  "%s",
		  iommuabs_strerror(st));
	wakes(a, b);
	(void)vm_unmap(&a->vm, NEW_GFN, 1);
	frame_free(mfn);
}

void scenario_suspend(void)
{
	struct scene a, b;

	if (scene_open(&a, "suspended", IOMMUABS_STRATEGY_AUTO))
		return;
	if (!scene_open(&b, "suspended", IOMMUABS_STRATEGY_MIRROR)) {
		two_guests(&a, &b);
		scene_close(&b);
	}
	scene_close(&a);
}
