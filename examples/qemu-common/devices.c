/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * devices.c - whose memory a device sees: nobody's, one guest's, another's
 */
#include <stddef.h>
#include "edu.h"
#include "pages.h"
#include "scenarios.h"
#include "scene.h"
#include "tap.h"

/* Its buffer is loaded while it is attached; then it is let go, and tries. */
static void not_attached(void)
{
	const struct iommuabs_fault *fault;
	struct scene scene;
	int st, kept;

	if (scene_open(&scene, "no guest", IOMMUABS_STRATEGY_AUTO))
		return;
	if (!scene_attach(&scene, 0)) {
		*frame_word(scene.ram) = 0xc0de;
		dma_take(&scene, 0, 0xbad);
		st = iommuabs_device_detach(iommu.edu[0], 0);
		iommu_faults_forget();
		dma_store(0, SCENE_RAM_GFN);
		dma_store(0, scene.ram);
		kept = *frame_word(scene.ram) == 0xc0de;
		fault = fault_find(0, 0, IOMMUABS_WRITE);
		tap_check(
			!st && kept && fault && !fault->dom &&
				fault->reason == IOMMUABS_FAULT_STREAM,
			"%s: a device not attached is blocked and recorded: "
			"edu 0 tried gfn %lx and, untranslated, mfn %lx, "
			"which keeps %lx; stream %x, event words %016lx %016lx "
			"%016lx",
			scene.name, SCENE_RAM_GFN, scene.ram,
			*frame_word(scene.ram), fault ? fault->stream : ~0u,
			fault_word(fault, 0), fault_word(fault, 1),
			fault_word(fault, 2));
		explain_check(scene.name, "a device not attached",
			      SCENE_RAM_GFN, IOMMUABS_READ,
			      IOMMUABS_OBSTACLE_NOT_ATTACHED);
	}
	scene_close(&scene);
}

/* Of edu 0; the two guests' names, and what is between them. */
static void explain_two(const struct scene *a, const char *between,
			const struct scene *b, const char *what, uint64_t gfn)
{
	struct iommuabs_explanation why = { .size = sizeof(why) };
	int st = iommuabs_device_explain(iommu.edu[0], IOMMUABS_GFN(gfn),
					 IOMMUABS_READ, &why);

	tap_check(!st && why.obstacle == IOMMUABS_OBSTACLE_NOT_MAPPED,
		  "%s %s %s: device_explain names the obstacle of %s: \"%s\", "
		  "entry %lx",
		  a->name, between, b->name, what, why.text, why.entry);
}

static void detach_attach(struct scene *a, struct scene *b)
{
	const uint64_t gfn = SCENE_RAM_GFN + 1, only_a = SCENE_HOLE_GFN;
	uint64_t mfn = frame_new(0xaaaa), in_a, in_b, beyond;
	const struct iommuabs_fault *fault;
	int st = vm_map(&a->vm, only_a, mfn, 1, SCENE_RW);

	*frame_word(a->ram + 1) = 0xa;
	*frame_word(b->ram + 1) = 0xb;
	if (!st)
		st = scene_attach(a, 0);
	in_a = dma_load(a, 0, gfn);
	beyond = dma_load(a, 0, only_a);
	if (beyond != 0xaaaa)
		st = IOMMUABS_E_INVAL;
	if (!st)
		st = iommuabs_device_detach(iommu.edu[0], 0);
	if (!st)
		st = scene_attach(b, 0);
	iommu_faults_forget();
	in_b = dma_load(b, 0, gfn);
	beyond = dma_load(b, 0, only_a);
	fault = fault_find(0, only_a, IOMMUABS_READ);
	tap_check(!st && in_a == 0xa && in_b == 0xb && !beyond && fault,
		  "%s to %s: detached and attached, it sees only the second "
		  "guest's frames: gfn %lx reads %lx, mfn %lx, then %lx, mfn "
		  "%lx; gfn %lx, which only the first has, at mfn %lx, %lx; "
		  "event words %016lx %016lx %016lx",
		  a->name, b->name, gfn, in_a, a->ram + 1, in_b, b->ram + 1,
		  only_a, mfn, beyond, fault_word(fault, 0),
		  fault_word(fault, 1), fault_word(fault, 2));
	if (!st)
		explain_two(a, "to", b,
			    "a read where only the first has a frame", only_a);
	(void)!iommuabs_device_detach(iommu.edu[0], 0);
	(void)vm_unmap(&a->vm, only_a, 1);
	frame_free(mfn);
}

static void two_at_once(struct scene *a, struct scene *b)
{
	const uint64_t gfn = SCENE_RAM_GFN + 2;
	const struct iommuabs_fault *fault;
	uint64_t in_a, in_b;
	int st, stays;

	*frame_word(a->ram + 2) = 0xa2;
	*frame_word(b->ram + 2) = 0xb2;
	st = scene_attach(a, 0);
	if (!st)
		st = scene_attach(b, 1);
	in_a = dma_load(a, 0, gfn);
	in_b = dma_load(b, 1, gfn);
	dma_take(a, 0, 0xa3);
	dma_take(b, 1, 0xb3);
	dma_store(0, gfn);
	dma_store(1, gfn);
	stays = *frame_word(a->ram + 2) == 0xa3 &&
		*frame_word(b->ram + 2) == 0xb3;
	tap_check(!st && in_a == 0xa2 && in_b == 0xb2 && stays,
		  "%s and %s: two devices in two guests at once: gfn %lx is "
		  "mfn %lx to edu 0, mfn %lx to edu 1; they read %lx and %lx, "
		  "wrote %lx and %lx",
		  a->name, b->name, gfn, a->ram + 2, b->ram + 2, in_a, in_b,
		  *frame_word(a->ram + 2), *frame_word(b->ram + 2));
	/* A change in one guest doesn't concern the other's device. */
	iommu_faults_forget();
	st = vm_unmap(&a->vm, gfn, 1);
	in_a = dma_load(a, 0, gfn);
	in_b = dma_load(b, 1, gfn);
	fault = fault_find(0, gfn, IOMMUABS_READ);
	tap_check(!st && !in_a && in_b == 0xb3 && fault &&
			  fault->dom == a->vm.dom &&
			  !fault_find(1, gfn, IOMMUABS_READ),
		  "%s and %s: what one guest loses the other keeps: gfn %lx "
		  "was mfn %lx and reads %lx to edu 0, mfn %lx to edu 1, %lx; "
		  "event words %016lx %016lx %016lx",
		  a->name, b->name, gfn, a->ram + 2, in_a, b->ram + 2, in_b,
		  fault_word(fault, 0), fault_word(fault, 1),
		  fault_word(fault, 2));
	explain_two(a, "and", b, "a read of what one guest lost", gfn);
}

static void two_guests(const struct scene_strategy *first,
		       const struct scene_strategy *second)
{
	struct scene a, b;

	if (scene_open(&a, first->name, first->strategy))
		return;
	if (!scene_open(&b, second->name, second->strategy)) {
		detach_attach(&a, &b);
		two_at_once(&a, &b);
		scene_close(&b);
	}
	scene_close(&a);
}

void scenario_devices(void)
{
	not_attached();
	for (unsigned int i = 0; i < 2; i++)
		for (unsigned int k = 0; k < 2; k++)
			two_guests(&scene_strategies[i], &scene_strategies[k]);
}
