/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reverse_map.c - at which guest frames is this machine frame visible?
 */
#include <stddef.h>
#include "pages.h"
#include "scenarios.h"
#include "scene.h"
#include "tap.h"

#define RTC_MFN UINT64_C(0x9010)
#define RTC_GFN UINT64_C(0xa0000)
#define TWO_GFN UINT64_C(0xb0000)
#define MAX	4u

struct places {
	iommuabs_gfn_t gfns[MAX];
	uint32_t nr;
};

static struct places places_of(const struct scene *scene, uint64_t mfn)
{
	struct places places = { .nr = 0 };
	uint64_t cursor = 0;

	if (iommuabs_domain_gfns(scene->vm.dom, IOMMUABS_MFN(mfn), &cursor,
				 places.gfns, MAX, &places.nr))
		places.nr = ~0u;
	return places;
}

static int only_place(const struct places *places, uint64_t gfn)
{
	return places->nr == 1 && places->gfns[0].frame == gfn;
}

static void ram_and_device_memory(struct scene *scene)
{
	struct places ram = places_of(scene, scene->ram + 77);
	struct places program = places_of(scene, scene->vm.guest.program_mfn);
	struct places rtc;
	int st;

	tap_check(only_place(&ram, SCENE_RAM_GFN + 77) &&
			  only_place(&program, VM_PROGRAM_GFN),
		  "%s: reverse map of RAM: mfn %lx is at %u place, gfn %lx; "
		  "mfn %lx at gfn %lx",
		  scene->name, scene->ram + 77, ram.nr, ram.gfns[0].frame,
		  scene->vm.guest.program_mfn, program.gfns[0].frame);
	st = vm_map(&scene->vm, RTC_GFN, RTC_MFN, 1, SCENE_DEVICE_RW);
	rtc = places_of(scene, RTC_MFN);
	tap_check(!st && only_place(&rtc, RTC_GFN),
		  "%s: reverse map of device memory: mfn %lx is at %u place, "
		  "gfn %lx",
		  scene->name, RTC_MFN, rtc.nr, rtc.gfns[0].frame);
}

static void two_places(struct scene *scene)
{
	const uint64_t mfn = scene->ram + 9, gfn = SCENE_RAM_GFN + 9;
	struct places both, one;
	int st = vm_map(&scene->vm, TWO_GFN, mfn, 1, IOMMUABS_READ);

	both = places_of(scene, mfn);
	tap_check(!st && both.nr == 2 &&
			  ((both.gfns[0].frame == gfn &&
			    both.gfns[1].frame == TWO_GFN) ||
			   (both.gfns[1].frame == gfn &&
			    both.gfns[0].frame == TWO_GFN)),
		  "%s: reverse map of one frame at two gfns: mfn %lx is at "
		  "gfn %lx and gfn %lx",
		  scene->name, mfn, both.gfns[0].frame, both.gfns[1].frame);
	st = vm_unmap(&scene->vm, gfn, 1);
	one = places_of(scene, mfn);
	if (!st)
		st = vm_unmap(&scene->vm, TWO_GFN, 1);
	both = places_of(scene, mfn);
	tap_check(!st && only_place(&one, TWO_GFN) && !both.nr,
		  "%s: reverse map follows unmap: mfn %lx is at gfn %lx, then "
		  "at %u places",
		  scene->name, mfn, one.gfns[0].frame, both.nr);
}

static uint32_t users_of(uint64_t mfn, struct iommuabs_frame_user users[MAX])
{
	uint64_t cursor = 0;
	uint32_t nr = 0;

	if (iommuabs_frame_users(iommu.abs, IOMMUABS_MFN(mfn), &cursor, users,
				 MAX, &nr))
		return ~0u;
	return nr;
}

static const struct iommuabs_frame_user *
user_in(const struct iommuabs_frame_user *users, uint32_t nr,
	const struct scene *scene)
{
	for (uint32_t i = 0; i < nr && i < MAX; i++)
		if (users[i].dom == scene->vm.dom)
			return &users[i];
	return NULL;
}

static void granted(struct scene *owner, struct scene *other)
{
	const uint64_t mfn = owner->ram + 20, gfn = SCENE_HOLE_GFN;
	const struct iommuabs_frame_user *first, *second;
	struct iommuabs_frame_user users[MAX];
	uint64_t seen, before, after;
	uint32_t nr;
	int st;

	*frame_word(mfn) = 0x6a47;
	before = dma_load(other, 0, gfn);
	st = vm_map(&other->vm, gfn, mfn, 1, IOMMUABS_READ | IOMMUABS_FOREIGN);
	seen = dma_load(other, 0, gfn);
	nr = users_of(mfn, users);
	first = user_in(users, nr, owner);
	second = user_in(users, nr, other);
	tap_check(!st && nr == 2 && first && second && !before &&
			  seen == 0x6a47 &&
			  first->gfn.frame == SCENE_RAM_GFN + 20 &&
			  second->gfn.frame == gfn &&
			  second->flags & IOMMUABS_FOREIGN,
		  "reverse map of a granted frame: mfn %lx has %u users, gfn "
		  "%lx of its owner and gfn %lx, FOREIGN; the other's device "
		  "reads %lx before, then %lx",
		  mfn, nr, first ? first->gfn.frame : 0,
		  second ? second->gfn.frame : 0, before, seen);
	st = vm_unmap(&other->vm, gfn, 1);
	nr = users_of(mfn, users);
	after = dma_load(other, 0, gfn);
	tap_check(!st && nr == 1 && users[0].dom == owner->vm.dom && !after,
		  "reverse map of a grant given back: mfn %lx has %u user; the "
		  "other's device reads %lx",
		  mfn, nr, after);
	explain_check("reverse map", "a read of a grant given back", gfn,
		      IOMMUABS_READ, IOMMUABS_OBSTACLE_NOT_MAPPED);
}

static void second_owner(struct scene *owner, struct scene *other)
{
	const uint64_t mfn = owner->ram + 21, gfn = SCENE_HOLE_GFN + 1;
	struct iommuabs_frame_user users[MAX];
	uint64_t seen;
	uint32_t nr;
	int st = vm_map(&other->vm, gfn, mfn, 1, SCENE_RW);

	*frame_word(mfn) = 0x5ec7e7;
	seen = dma_load(other, 0, gfn);
	nr = users_of(mfn, users);
	tap_check(st == IOMMUABS_E_PERM && nr == 1 &&
			  users[0].dom == owner->vm.dom &&
			  users[0].dom_cookie == &owner->vm &&
			  users[0].gfn.frame == SCENE_RAM_GFN + 21 && !seen,
		  "a second owner is refused: mfn %lx at gfn %lx: %d, \"%s\": "
		  "it is that of \"%s\", gfn %lx; the device reads %lx there",
		  mfn, gfn, st, iommuabs_strerror(st), owner->name,
		  users[0].gfn.frame, seen);
	explain_check("reverse map", "a read of what a second owner wanted",
		      gfn, IOMMUABS_READ, IOMMUABS_OBSTACLE_NOT_MAPPED);
}

/* What the library itself needs is nobody's. */
static void registers(struct scene *scene)
{
	struct iommuabs_unit_state state = { .size = sizeof(state) };
	int st = iommuabs_unit_state(iommu.unit, &state);

	if (!st)
		st = vm_map(&scene->vm, SCENE_HOLE_GFN + 2,
			    state.base >> PAGE_LG2, 1, SCENE_DEVICE_RW);
	tap_check(st == IOMMUABS_E_PERM,
		  "the unit's registers can't be mapped: mfn %lx: %d, \"%s\"",
		  state.base >> PAGE_LG2, st, iommuabs_strerror(st));
}

void scenario_reverse_map(void)
{
	struct scene a, b;

	if (scene_open(&a, scene_strategies[0].name,
		       scene_strategies[0].strategy))
		return;
	if (!scene_open(&b, "mirrored", IOMMUABS_STRATEGY_MIRROR)) {
		ram_and_device_memory(&a);
		two_places(&a);
		if (!scene_attach(&b, 0)) {
			granted(&a, &b);
			second_owner(&a, &b);
		}
		registers(&b);
		scene_close(&b);
	}
	scene_close(&a);
}
