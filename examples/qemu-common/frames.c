/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frames.c - frames that are in every guest, and memory that goes away
 */
#include <stddef.h>
#include "pages.h"
#include "scenarios.h"
#include "scene.h"
#include "tap.h"

/* As the virtual CPU interface of a GICv2: one frame, one gfn, every guest. */
#define FIXED_GFN  UINT64_C(0x8010)
#define FIXED_WORD UINT64_C(0x61c2)

static int declare(uint64_t mfn, uint64_t nr, enum iommuabs_frame_kind kind)
{
	const struct iommuabs_frame_policy policy = {
		.size = sizeof(policy),
		.kind = kind,
		.gfn = { kind == IOMMUABS_FRAMES_FIXED ? FIXED_GFN : 0 },
		.flags = kind == IOMMUABS_FRAMES_FIXED ? SCENE_RW : 0,
	};

	return iommuabs_frames_declare(iommu.abs, IOMMUABS_MFN(mfn), nr,
				       &policy);
}

static uint32_t users_of(uint64_t mfn, struct iommuabs_frame_user users[],
			 uint32_t max)
{
	uint64_t cursor = 0;
	uint32_t nr = 0;

	if (iommuabs_frame_users(iommu.abs, IOMMUABS_MFN(mfn), &cursor, users,
				 max, &nr))
		return ~0u;
	return nr;
}

/* The host writes its tables when the library has agreed. */
static int fixed_begin(struct scene *scenes, unsigned int nr, uint64_t mfn)
{
	int st = declare(mfn, 1, IOMMUABS_FRAMES_FIXED);

	for (unsigned int i = 0; i < nr && !st; i++)
		st = p2m_map(&scenes[i].vm.guest.p2m, FIXED_GFN, mfn, 1,
			     P2M_READ | P2M_WRITE);
	return st;
}

/* Taken away from the CPUs first. */
static int fixed_end(struct scene *scenes, unsigned int nr, uint64_t mfn)
{
	int st = 0;

	for (unsigned int i = 0; i < nr && !st; i++)
		st = p2m_unmap(&scenes[i].vm.guest.p2m, FIXED_GFN, 1);
	return st ? st : declare(mfn, 1, IOMMUABS_FRAMES_EXCLUSIVE);
}

/* What guest and device read at FIXED_GFN; 0: blocked, as RAM of 0 isn't there. */
static uint64_t fixed_read(struct scene *scene, unsigned int edu)
{
	uint64_t cpu = 0, dma = dma_load(scene, edu, FIXED_GFN);

	/* A unit may have room for one fault. */
	iommu_faults_poll();
	if (guest_read(&scene->vm.guest, FIXED_GFN << PAGE_LG2, &cpu,
		       sizeof(cpu)))
		cpu = 0;
	return cpu == dma ? cpu : DMA_NO_ANSWER;
}

static void fixed_in_two(struct scene scenes[2])
{
	uint64_t mfn = frame_new(FIXED_WORD), read[4];
	struct iommuabs_frame_user users[3];
	uint32_t nr;
	int st, elsewhere, ended;

	read[0] = fixed_read(&scenes[0], 0);
	st = fixed_begin(scenes, 2, mfn);
	nr = users_of(mfn, users, 3);
	read[1] = fixed_read(&scenes[0], 0);
	read[2] = fixed_read(&scenes[1], 1);
	elsewhere = vm_map(&scenes[1].vm, SCENE_HOLE_GFN, mfn, 1,
			   SCENE_RW | IOMMUABS_FOREIGN);
	tap_check(!st && !read[0] && read[1] == FIXED_WORD &&
			  read[2] == FIXED_WORD && nr == 2 &&
			  users[0].gfn.frame == FIXED_GFN &&
			  users[1].gfn.frame == FIXED_GFN &&
			  elsewhere == IOMMUABS_E_PERM,
		  "a frame is fixed at gfn %lx of two guests, for CPU and "
		  "device: mfn %lx reads %lx before, then %lx and %lx; %u "
		  "users; at another gfn: \"%s\"",
		  FIXED_GFN, mfn, read[0], read[1], read[2], nr,
		  iommuabs_strerror(elsewhere));
	iommu_faults_forget();
	ended = fixed_end(scenes, 2, mfn);
	read[1] = fixed_read(&scenes[0], 0);
	read[2] = fixed_read(&scenes[1], 1);
	nr = users_of(mfn, users, 3);
	tap_check(!ended && !read[1] && !read[2] && !nr &&
			  fault_find(0, FIXED_GFN, IOMMUABS_READ) &&
			  fault_find(1, FIXED_GFN, IOMMUABS_READ),
		  "what was fixed ends in both guests: %lx and %lx are read, "
		  "both devices fault, %u users: %s",
		  read[1], read[2], nr, iommuabs_strerror(ended));
	for (unsigned int i = 0; i < 2; i++)
		explain_check_of(iommu.edu[i], i ? "edu 1" : "edu 0",
				 "a read of what was fixed", FIXED_GFN,
				 IOMMUABS_READ, IOMMUABS_OBSTACLE_NOT_MAPPED);
	frame_free(mfn);
}

/* One guest more, begun while the frame is fixed. */
static void fixed_in_a_later_guest(struct scene *first)
{
	uint64_t mfn = frame_new(FIXED_WORD), seen, lost;
	iommuabs_mfn_t there = { 0 };
	struct scene later;
	int st = fixed_begin(first, 1, mfn), known, ended;

	if (scene_open(&later, "later", IOMMUABS_STRATEGY_MIRROR))
		return;
	known = iommuabs_domain_translate(later.vm.dom, IOMMUABS_GFN(FIXED_GFN),
					  &there, NULL);
	if (!st)
		st = iommuabs_device_detach(iommu.edu[0], 0);
	if (!st)
		st = scene_attach(&later, 0);
	seen = dma_load(&later, 0, FIXED_GFN);
	ended = fixed_end(first, 1, mfn);
	lost = dma_load(&later, 0, FIXED_GFN);
	tap_check(!st && !known && there.frame == mfn && seen == FIXED_WORD &&
			  !ended && !lost,
		  "a guest that begins later has it, too, and loses it: gfn "
		  "%lx is mfn %lx, its device reads %lx, then %lx: %s",
		  FIXED_GFN, there.frame, seen, lost, iommuabs_strerror(ended));
	explain_check("later", "a read of what was fixed", FIXED_GFN,
		      IOMMUABS_READ, IOMMUABS_OBSTACLE_NOT_MAPPED);
	scene_close(&later);
	frame_free(mfn);
}

#define GOES_AT UINT64_C(64) /* of the guest's RAM */
#define GOES_NR UINT64_C(32)
#define PLACES	4u
#define BUDGET	8u

/* What a walk found: places, runs of them, and calls that it took. */
struct found {
	uint64_t frames;
	unsigned int runs, calls;
	int st;
};

static struct scene *scene_of(struct scene scenes[2],
			      const struct iommuabs_frame_user *user)
{
	return user->dom_cookie == &scenes[1].vm ? &scenes[1] : &scenes[0];
}

/* Walk what goes, in steps; with @scenes each place is taken away. */
static struct found walk(uint64_t mfn, struct scene *scenes)
{
	struct iommuabs_frame_place places[PLACES];
	struct iommuabs_frames_walk at = {
		.size = sizeof(at),
		.max_places = PLACES,
		.mfn = { mfn },
		.nr = GOES_NR,
		.places = places,
	};
	struct found found = { 0 };

	do {
		found.st = iommuabs_frames_walk(iommu.abs, &at, BUDGET);
		found.calls++;
		found.runs += at.nr_places;
		for (unsigned int i = 0; i < at.nr_places; i++) {
			found.frames += places[i].nr;
			if (scenes &&
			    vm_unmap(&scene_of(scenes, &places[i].user)->vm,
				     places[i].user.gfn.frame, places[i].nr))
				return found;
		}
	} while (found.st == IOMMUABS_E_AGAIN);
	return found;
}

/* The CPU's view: what the guest reads, or 0 if it faults right there. */
static uint64_t guest_word(struct scene *scene, uint64_t gfn)
{
	uint64_t word = 0;

	if (guest_read(&scene->vm.guest, gfn << PAGE_LG2, &word,
		       sizeof(word)) == GUEST_FAULT)
		return scene->vm.guest.fault.ipa >> PAGE_LG2 == gfn
			       ? 0
			       : DMA_NO_ANSWER;
	return word;
}

/* A DIMM's worth of two guests: one's own memory, and a grant of it. */
static void memory_goes_away(struct scene scenes[2])
{
	const uint64_t mfn = scenes[0].ram + GOES_AT;
	const uint64_t gfn = SCENE_RAM_GFN + GOES_AT, grant = SCENE_HOLE_GFN;
	struct found found, left = { 0 };
	uint64_t before, shared, cpu;
	int st, again;

	*frame_word(mfn + 1) = 0xd1;
	st = vm_map(&scenes[1].vm, grant, mfn, 2, SCENE_RW | IOMMUABS_FOREIGN);
	before = dma_load(&scenes[0], 0, gfn + 1);
	shared = dma_load(&scenes[1], 1, grant + 1);
	cpu = guest_word(&scenes[0], gfn + 1);
	if (!st)
		st = declare(mfn, GOES_NR, IOMMUABS_FRAMES_CLOSED);
	found = walk(mfn, scenes);
	if (!found.st)
		left = walk(mfn, NULL);
	tap_check(!st && !found.st && found.frames == GOES_NR + 2 &&
			  found.calls > 1 && !left.st && !left.frames &&
			  before == 0xd1 && shared == 0xd1 && cpu == 0xd1,
		  "memory goes away: [%lx, %lx) was at %lu places of two "
		  "guests, %u runs found in %u steps; then at %lu; DMA read "
		  "%lx and %lx before",
		  mfn, mfn + GOES_NR, found.frames, found.runs, found.calls,
		  left.frames, before, shared);
	iommu_faults_forget();
	before = dma_load(&scenes[0], 0, gfn + 1);
	iommu_faults_poll();
	shared = dma_load(&scenes[1], 1, grant + 1);
	cpu = guest_word(&scenes[0], gfn + 1);
	again = vm_map(&scenes[1].vm, grant, mfn, 1,
		       SCENE_RW | IOMMUABS_FOREIGN);
	*frame_word(scenes[0].ram) = 0x5afe;
	tap_check(!before && !shared && !cpu && again == IOMMUABS_E_PERM &&
			  fault_find(0, gfn + 1, IOMMUABS_READ) &&
			  fault_find(1, grant + 1, IOMMUABS_READ) &&
			  dma_load(&scenes[0], 0, SCENE_RAM_GFN) == 0x5afe,
		  "memory that went away: DMA reads %lx and %lx and both are "
		  "reported, the guest faults; a new place: \"%s\"; the rest "
		  "of the guest's memory is there",
		  before, shared, iommuabs_strerror(again));
	explain_check("owner", "a read of memory that went away", gfn + 1,
		      IOMMUABS_READ, IOMMUABS_OBSTACLE_NOT_MAPPED);
	explain_check_of(iommu.edu[1], "grantee",
			 "a read of memory that went away", grant + 1,
			 IOMMUABS_READ, IOMMUABS_OBSTACLE_NOT_MAPPED);
	(void)declare(mfn, GOES_NR, IOMMUABS_FRAMES_EXCLUSIVE);
}

void scenario_frames(void)
{
	struct scene scenes[2];

	if (scene_open(&scenes[0], scene_strategies[0].name,
		       scene_strategies[0].strategy))
		return;
	if (!scene_open(&scenes[1], "mirrored", IOMMUABS_STRATEGY_MIRROR)) {
		if (!scene_attach(&scenes[0], 0) &&
		    !scene_attach(&scenes[1], 1)) {
			fixed_in_two(scenes);
			memory_goes_away(scenes);
			fixed_in_a_later_guest(&scenes[0]);
		}
		scene_close(&scenes[1]);
	}
	scene_close(&scenes[0]);
}
