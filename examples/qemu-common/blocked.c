/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * blocked.c - what a device may not do, it doesn't, and the host is told
 */
#include <stddef.h>
#include "board.h"
#include "edu.h"
#include "pages.h"
#include "scenarios.h"
#include "scene.h"
#include "tap.h"

#define IPA_BITS 40 /* what scene_open() makes */

struct attempt {
	const char *what;
	uint64_t gfn;
	uint32_t access;
	enum iommuabs_fault_reason reason;
	enum iommuabs_obstacle obstacle;
};

static int reported(const struct scene *scene, const struct attempt *attempt,
		    const struct iommuabs_fault *fault)
{
	return fault && fault->reason == attempt->reason &&
	       fault->dev == iommu.edu[0] && fault->dom == scene->vm.dom &&
	       fault->dom_cookie == &scene->vm &&
	       fault->gfn.frame == attempt->gfn &&
	       fault->access == attempt->access;
}

/* @blocked: the bytes say so; then the line about it, and device_explain(). */
static void attempt_check(const struct scene *scene,
			  const struct attempt *attempt, int blocked)
{
	static const struct iommuabs_fault none;
	const struct iommuabs_fault *fault =
		fault_find(0, attempt->gfn, attempt->access);
	int good = blocked && reported(scene, attempt, fault);

	if (!fault)
		fault = &none;
	tap_check(good,
		  "%s: %s is blocked and reported: bytes %s; edu 0, guest %u, "
		  "gfn %lx, %s, %s fault, %u events of words %016lx %016lx "
		  "%016lx",
		  scene->name, attempt->what, blocked ? "kept" : "LOST",
		  scene->vm.guest.p2m.vmid, fault->gfn.frame,
		  access_text(fault->access), fault_reason_text(fault->reason),
		  fault->count, fault->raw[0], fault->raw[1], fault->raw[2]);
	explain_check(scene->name, attempt->what, attempt->gfn, attempt->access,
		      attempt->obstacle);
}

static void read_unmapped(const struct scene *scene, const char *what,
			  uint64_t gfn, enum iommuabs_obstacle obstacle)
{
	struct iommuabs_unit_state unit = { .size = sizeof(unit) };
	struct attempt attempt = {
		.what = what,
		.gfn = gfn,
		.access = IOMMUABS_READ,
		.reason = BOARD_FAULT_UNMAPPED,
		.obstacle = obstacle,
	};

	if (!iommuabs_unit_state(iommu.unit, &unit) &&
	    gfn >> (unit.input_bits - PAGE_LG2))
		attempt.reason = IOMMUABS_FAULT_ADDRESS_SIZE;
	dma_take(scene, 0, 0x1111);
	iommu_faults_forget();
	attempt_check(scene, &attempt, dma_load(scene, 0, gfn) == 0);
}

/* Nothing of the guest's memory, nor of its gfn taken as an address, changes. */
static void write_unmapped(const struct scene *scene)
{
	const struct attempt attempt = {
		.what = "a write where nothing is mapped",
		.gfn = SCENE_HOLE_GFN,
		.access = IOMMUABS_WRITE,
		.reason = BOARD_FAULT_UNMAPPED,
		.obstacle = IOMMUABS_OBSTACLE_NOT_MAPPED,
	};
	int kept = 1;

	dma_take(scene, 0, 0x2222);
	iommu_faults_forget();
	dma_store(0, SCENE_HOLE_GFN);
	for (uint64_t i = 0; i < SCENE_RAM_NR; i++)
		kept &= *frame_word(scene->ram + i) != 0x2222;
	attempt_check(scene, &attempt, kept);
}

/*
 * The frame becomes read-only, which invalidates it, and the write is the first
 * access after that: QEMU reports none that its IOTLB already has.
 */
static void write_read_only(struct scene *scene)
{
	const uint64_t gfn = SCENE_RAM_GFN + 3, mfn = scene->ram + 3;
	const struct attempt attempt = {
		.what = "a write to a read-only frame",
		.gfn = gfn,
		.access = IOMMUABS_WRITE,
		.reason = IOMMUABS_FAULT_PERMISSION,
		.obstacle = IOMMUABS_OBSTACLE_WRITE_DENIED,
	};
	uint64_t seen;
	int st;

	*frame_word(mfn) = 0x3333;
	dma_take(scene, 0, 0x4444);
	iommu_faults_forget();
	st = vm_protect(&scene->vm, gfn, 1, IOMMUABS_READ);
	dma_store(0, gfn);
	attempt_check(scene, &attempt, !st && *frame_word(mfn) == 0x3333);
	seen = dma_load(scene, 0, gfn);
	tap_check(seen && seen == *frame_word(mfn),
		  "%s: a read of the read-only frame goes through: gfn %lx, "
		  "mfn %lx, %lx",
		  scene->name, gfn, mfn, seen);
}

static void irq_told(const struct scene *scene, unsigned int before)
{
	tap_check(iommu.nr_event_irqs > before,
		  "%s: the event queue's interrupt came %u times", scene->name,
		  iommu.nr_event_irqs - before);
}

static void one_strategy(const struct scene_strategy *how)
{
	unsigned int irqs = iommu.nr_event_irqs;
	struct scene scene;

	if (scene_open(&scene, how->name, how->strategy))
		return;
	if (!scene_attach(&scene, 0)) {
		read_unmapped(&scene, "a read where nothing is mapped",
			      SCENE_HOLE_GFN, IOMMUABS_OBSTACLE_NOT_MAPPED);
		read_unmapped(&scene, "a read past the guest's width",
			      UINT64_C(1) << (IPA_BITS - PAGE_LG2),
			      IOMMUABS_OBSTACLE_TOO_WIDE);
		write_unmapped(&scene);
		write_read_only(&scene);
		irq_told(&scene, irqs);
	}
	scene_close(&scene);
}

void scenario_blocked(void)
{
	one_strategy(&scene_strategies[0]);
	one_strategy(&scene_strategies[1]);
}
