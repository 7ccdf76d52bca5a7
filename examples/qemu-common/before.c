/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * before.c - a device attached before start: from bypass to its guest's memory
 *
 * Reset leaves QEMU's units bypassing; the library blocks before it translates,
 * so that a step that fails leaves it blocking. The hooks for register accesses let
 * us try DMA after every single write that the library makes. The frame at machine
 * address L is RAM, and gfn L is another frame: where a write to L lands tells
 * whether it was translated.
 */
#include <stddef.h>
#include "arch.h"
#include "board.h"
#include "edu.h"
#include "pages.h"
#include "scenarios.h"
#include "scene.h"
#include "tap.h"

#define MAX_TRIES 256
#define EDU_AT	  8u
#define MARK	  UINT64_C(0x3a2c)

enum landed { UNTRANSLATED, BLOCKED, TRANSLATED, NR_LANDED };

static struct {
	int on;
	uint64_t plain, target; /* mfns; gfn @plain is mfn @target */
	enum landed tries[IOMMU_NR_EDUS][MAX_TRIES];
	unsigned int nr;
} watch;

static enum landed try_dma(unsigned int edu)
{
	*frame_word(watch.plain) = 0;
	*frame_word(watch.target) = 0;
	(void)edu_push(edu_get(edu), EDU_AT, watch.plain << PAGE_LG2,
		       sizeof(MARK));
	if (*frame_word(watch.plain) == MARK)
		return UNTRANSLATED;
	return *frame_word(watch.target) == MARK ? TRANSLATED : BLOCKED;
}

static void try_all(void)
{
	if (!watch.on || watch.nr == MAX_TRIES)
		return;
	for (unsigned int i = 0; i < IOMMU_NR_EDUS; i++)
		watch.tries[i][watch.nr] = try_dma(i);
	watch.nr++;
}

static uint64_t watched_read(void *ctx, uint64_t addr, unsigned int width)
{
	(void)ctx;
	return width == 8 ? mmio_read64(addr) : mmio_read32(addr);
}

static void watched_write(void *ctx, uint64_t addr, unsigned int width,
			  uint64_t value)
{
	(void)ctx;
	if (width == 8)
		mmio_write64(addr, value);
	else
		mmio_write32(addr, (uint32_t)value);
	try_all();
}

static int watch_open(void)
{
	watch.plain = frame_new(MARK);
	watch.target = frame_new(0);
	watch.nr = 0;
	if (!watch.plain || !watch.target)
		return IOMMUABS_E_NOMEM;
	/* Bypassed still, the devices load what they will write. */
	for (unsigned int i = 0; i < IOMMU_NR_EDUS; i++)
		if (edu_pull(edu_get(i), EDU_AT, watch.plain << PAGE_LG2,
			     sizeof(MARK)))
			return IOMMUABS_E_TIMEOUT;
	return 0;
}

static void watch_close(void)
{
	frame_free(watch.plain);
	frame_free(watch.target);
}

/*
 * How often each came; orderly: untranslated at the very beginning only, and once
 * it came to @last it stayed there.
 */
struct course {
	unsigned int nr[NR_LANDED];
	int orderly;
};

static struct course course_of(unsigned int edu, enum landed last)
{
	struct course course = { .orderly = 1 };
	int at_last = 0;

	for (unsigned int i = 0; i < watch.nr; i++) {
		enum landed landed = watch.tries[edu][i];

		course.nr[landed]++;
		if ((at_last && landed != last) ||
		    (landed == UNTRANSLATED &&
		     course.nr[UNTRANSLATED] != i + 1))
			course.orderly = 0;
		at_last |= landed == last;
	}
	course.orderly &= at_last;
	return course;
}

static void starts(void)
{
	struct course attached, other;
	int st;

	watch.on = 1;
	st = iommuabs_start(iommu.abs);
	watch.on = 0;
	attached = course_of(0, TRANSLATED);
	other = course_of(1, BLOCKED);
	tap_check(!st && attached.orderly &&
			  attached.nr[UNTRANSLATED] <=
				  BOARD_UNTRANSLATED_WRITES,
		  "attached before start: no moment without translation: edu 0 "
		  "writes to address %lx000 after each of %u register writes: "
		  "blocked %u times, then at gfn %lx, mfn %lx, %u times, "
		  "untranslated at mfn %lx %u times",
		  watch.plain, watch.nr, attached.nr[BLOCKED], watch.plain,
		  watch.target, attached.nr[TRANSLATED], watch.plain,
		  attached.nr[UNTRANSLATED]);
	tap_check(!st && other.orderly && !other.nr[TRANSLATED] &&
			  other.nr[UNTRANSLATED] <= BOARD_UNTRANSLATED_WRITES,
		  "not attached before start: edu 1 is blocked %u times of "
		  "%u, untranslated %u times",
		  other.nr[BLOCKED], watch.nr, other.nr[UNTRANSLATED]);
	explain_check_of(iommu.edu[1], "before start",
			 "a device that was not attached", watch.plain,
			 IOMMUABS_WRITE, IOMMUABS_OBSTACLE_NOT_ATTACHED);
}

static void sleeps_and_wakes(void)
{
	struct course attached, other, awake;
	unsigned int nr;
	int st, st2;

	watch.nr = 0;
	watch.on = 1;
	st = iommuabs_suspend(iommu.abs);
	watch.on = 0;
	try_all();
	attached = course_of(0, BLOCKED);
	other = course_of(1, BLOCKED);
	nr = watch.nr;
	watch.nr = 0;
	watch.on = 1;
	st2 = iommuabs_resume(iommu.abs);
	watch.on = 0;
	awake = course_of(0, TRANSLATED);
	tap_check(!st && attached.orderly && other.orderly &&
			  !attached.nr[UNTRANSLATED] && !other.nr[UNTRANSLATED],
		  "suspend leaves everything blocked: DMA after each of %u "
		  "register writes, never untranslated, edu 0 blocked %u "
		  "times, edu 1 %u times",
		  nr, attached.nr[BLOCKED], other.nr[BLOCKED]);
	other = course_of(1, BLOCKED);
	tap_check(!st2 && awake.orderly && !awake.nr[UNTRANSLATED] &&
			  !other.nr[UNTRANSLATED] && !other.nr[TRANSLATED],
		  "resume: edu 0 is blocked %u times, then at gfn %lx, mfn "
		  "%lx, %u times, after each of %u register writes; edu 1 is "
		  "blocked %u times",
		  awake.nr[BLOCKED], watch.plain, watch.target,
		  awake.nr[TRANSLATED], watch.nr, other.nr[BLOCKED]);
}

static void stops(void)
{
	struct course attached, other;
	int st;

	watch.nr = 0;
	watch.on = 1;
	st = iommuabs_stop(iommu.abs);
	watch.on = 0;
	try_all();
	attached = course_of(0, BLOCKED);
	other = course_of(1, BLOCKED);
	tap_check(!st && attached.orderly && other.orderly &&
			  !attached.nr[UNTRANSLATED] && !other.nr[UNTRANSLATED],
		  "stop leaves everything blocked: DMA after each of %u "
		  "register writes, never untranslated, edu 0 blocked %u "
		  "times, edu 1 %u times",
		  watch.nr, attached.nr[BLOCKED], other.nr[BLOCKED]);
	explain_check("stop", "a stopped unit", watch.plain, IOMMUABS_WRITE,
		      IOMMUABS_OBSTACLE_NOT_STARTED);
}

static void starts_again(void)
{
	enum landed attached, other;
	uint64_t word;
	int st = iommuabs_start(iommu.abs);

	attached = try_dma(0);
	word = *frame_word(watch.target);
	other = try_dma(1);
	tap_check(!st && attached == TRANSLATED && other == BLOCKED,
		  "start again: edu 0 reaches gfn %lx at mfn %lx: %lx; edu 1 "
		  "is %sblocked",
		  watch.plain, watch.target, word,
		  other == BLOCKED ? "" : "not ");
	st = iommuabs_stop(iommu.abs);
	tap_check(!st, "stop again: %s", iommuabs_strerror(st));
}

static void play(struct scene *scene)
{
	int st = vm_map(&scene->vm, watch.plain, watch.target, 1, SCENE_RW);

	if (st)
		tap_check(0, "attached before start: map: %s",
			  iommuabs_strerror(st));
	if (st || scene_attach(scene, 0))
		return;
	explain_check("before start", "a unit not started", watch.plain,
		      IOMMUABS_WRITE, IOMMUABS_OBSTACLE_NOT_STARTED);
	starts();
	sleeps_and_wakes();
	stops();
	starts_again();
}

void scenario_before_start(void)
{
	struct iommuabs_host hooks = iommu_hooks();
	struct scene scene;
	int st = watch_open();

	hooks.mmio_read = watched_read;
	hooks.mmio_write = watched_write;
	if (!st)
		st = iommu_create(&hooks);
	if (!st &&
	    !scene_open(&scene, "before start", IOMMUABS_STRATEGY_AUTO)) {
		play(&scene);
		scene_close(&scene);
	}
	if (!st)
		st = iommuabs_destroy(iommu.abs);
	tap_check(!st, "an instance is created, filled and destroyed: %s",
		  iommuabs_strerror(st));
	watch_close();
}
