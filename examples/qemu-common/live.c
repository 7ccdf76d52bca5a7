/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * live.c - share -> mirror -> share, while a DMA is under way
 *
 * The device is told to write; before the write is made, the domain's strategy
 * changes in steps. So the translation is asked for by one table or the other,
 * and the word is where it belongs.
 */
#include <stddef.h>
#include "edu.h"
#include "pages.h"
#include "scenarios.h"
#include "scene.h"
#include "tap.h"

#define LIVE_STEP 32u
#define NR_LISTED 96u

static struct {
	uint64_t frames[NR_LISTED];
	unsigned int nr_dma, nr_lost, nr_steps;
} live;

static int frames_map(struct scene *scene)
{
	int st = 0;

	for (unsigned int i = 0; !st && i < NR_LISTED; i++) {
		live.frames[i] = frame_new(i);
		st = live.frames[i] ? vm_map(&scene->vm, SCENE_HOLE_GFN + 2 * i,
					     live.frames[i], 1, SCENE_RW)
				    : IOMMUABS_E_NOMEM;
	}
	return st;
}

static void frames_free(void)
{
	for (unsigned int i = 0; i < NR_LISTED; i++)
		frame_free(live.frames[i]);
}

/* Begin to write @word to @gfn; what it does is seen by dma_end(). */
static void dma_begin(struct scene *scene, uint64_t gfn, uint64_t word)
{
	dma_take(scene, 0, word);
	edu_push_begin(edu_get(0), SCENE_EDU_AT, gfn << PAGE_LG2, sizeof(word));
}

static void dma_end(uint64_t mfn, uint64_t word)
{
	int st = edu_end(edu_get(0));

	live.nr_dma++;
	live.nr_lost += st || *frame_word(mfn) != word;
}

/* A write is under way during each step, and one spans the last of them. */
static int change_to(struct scene *scene, enum iommuabs_strategy strategy)
{
	int st;

	do {
		unsigned int i = live.nr_dma % NR_LISTED;
		uint64_t word = 0x5eed0000 + live.nr_dma;

		dma_begin(scene, SCENE_HOLE_GFN + 2 * i, word);
		st = iommuabs_domain_set_strategy(scene->vm.dom, strategy,
						  IOMMUABS_ALLOW_WINDOW,
						  LIVE_STEP);
		dma_end(live.frames[i], word);
		live.nr_steps++;
	} while (st == IOMMUABS_E_AGAIN && live.nr_steps < 1000);
	return st;
}

static uint32_t walks_p2m(void)
{
	struct iommuabs_explanation why = { .size = sizeof(why) };

	if (iommuabs_device_explain(iommu.edu[0], IOMMUABS_GFN(SCENE_RAM_GFN),
				    SCENE_RW, &why) ||
	    why.obstacle)
		return ~0u;
	return why.shared;
}

static void there_and_back(struct scene *scene)
{
	uint32_t first = walks_p2m(), second, third;
	int st = change_to(scene, IOMMUABS_STRATEGY_MIRROR);

	second = walks_p2m();
	if (!st)
		st = change_to(scene, IOMMUABS_STRATEGY_SHARE);
	third = walks_p2m();
	tap_check(!st && first == 1 && second == 0 && third == 1 &&
			  live.nr_steps > 10 && !live.nr_lost,
		  "%s: share -> mirror -> share in %u steps of %u, a DMA under "
		  "way in each: the unit walks %s, %s, %s; %u DMA landed, %u "
		  "lost: %s",
		  scene->name, live.nr_steps, LIVE_STEP,
		  first == 1 ? "the p2m" : "?", second == 0 ? "a mirror" : "?",
		  third == 1 ? "the p2m" : "?", live.nr_dma - live.nr_lost,
		  live.nr_lost, iommuabs_strerror(st));
}

static void none_to_share(struct scene *scene)
{
	int st = iommuabs_domain_set_strategy(scene->vm.dom,
					      IOMMUABS_STRATEGY_SHARE, 0, 0);
	uint64_t word = dma_load(scene, 0, SCENE_HOLE_GFN);

	tap_check(st == IOMMUABS_E_NOSHARE && !word && !walks_p2m(),
		  "%s: to share what the unit can't walk is refused (%s), and "
		  "the device goes on: gfn %lx reads %lx, by the mirror",
		  scene->name, iommuabs_strerror(st), SCENE_HOLE_GFN, word);
}

void scenario_live(void)
{
	struct scene scene;
	int st;

	live.nr_dma = live.nr_lost = live.nr_steps = 0;
	if (scene_open(&scene, "live", scene_strategies[0].strategy))
		return;
	st = frames_map(&scene);
	if (!st)
		st = scene_attach(&scene, 0);
	if (st)
		tap_check(0, "%s: %s", scene.name, iommuabs_strerror(st));
	else if (iommu.cannot_share)
		none_to_share(&scene);
	else
		there_and_back(&scene);
	if (!scene_close(&scene))
		frames_free();
}
