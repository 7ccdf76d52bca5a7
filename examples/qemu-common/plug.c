/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plug.c - a device that comes at run time, and one that faults without end
 */
#include <stddef.h>
#include "board.h"
#include "edu.h"
#include "pages.h"
#include "pci.h"
#include "scenarios.h"
#include "scene.h"
#include "tap.h"
#include "timer.h"

#define BEHIND_PORT 2u
#define STORM_SIZE  4000u
#define EDU_WORD    8u	/* where scene.c has its word in the buffer */
#define EDU_FREE    64u /* after that */

static int add(struct iommuabs_device **dev)
{
	struct edu *edu = edu_get(BEHIND_PORT);

	return iommuabs_device_add_pci(iommu.abs, edu->pci->bdf, edu, dev);
}

static int attach(struct iommuabs_device *dev, struct scene *scene)
{
	return iommuabs_device_attach(dev, scene->vm.dom, &iommu_attach_options,
				      0);
}

/* The library is told of it only now; then its bus gets another number. */
static void comes_and_changes(struct scene *scene)
{
	uint16_t before = edu_get(BEHIND_PORT)->pci->bdf;
	struct iommuabs_device *dev;
	uint64_t early, read, again;
	int st, stale;

	*frame_word(scene->ram + 1) = 0x91a6;
	early = dma_load(scene, BEHIND_PORT, SCENE_RAM_GFN + 1);
	st = add(&dev);
	if (!st)
		st = attach(dev, scene);
	read = dma_load(scene, BEHIND_PORT, SCENE_RAM_GFN + 1);
	tap_check(!st && early == DMA_NO_ANSWER && read == 0x91a6,
		  "%s: a device added while the guest runs: blocked before; "
		  "%04x then reads gfn %lx as %lx: %s",
		  scene->name, before, SCENE_RAM_GFN + 1, read,
		  iommuabs_strerror(st));
	if (st || iommuabs_device_detach(dev, 0))
		return;
	pci_renumber(before >> 8, BOARD_NEW_BUS);
	stale = attach(dev, scene);
	early = dma_load(scene, BEHIND_PORT, SCENE_RAM_GFN + 1);
	explain_check_of(dev, scene->name,
			 "a device whose bus has another number",
			 SCENE_RAM_GFN + 1, IOMMUABS_READ,
			 IOMMUABS_OBSTACLE_NOT_ATTACHED);
	st = iommuabs_device_remove(dev);
	if (!st)
		st = add(&dev);
	if (!st)
		st = attach(dev, scene);
	again = dma_load(scene, BEHIND_PORT, SCENE_RAM_GFN + 1);
	tap_check(!st && stale == IOMMUABS_E_TOPOLOGY &&
			  early == DMA_NO_ANSWER && again == 0x91a6,
		  "%s: its bus gets another number: %04x is not attached any "
		  "more (%s); added as %04x it reads %lx: %s",
		  scene->name, before, iommuabs_strerror(stale),
		  edu_get(BEHIND_PORT)->pci->bdf, again, iommuabs_strerror(st));
}

static uint64_t poll_timed(void)
{
	uint64_t start = time_us();

	iommu_faults_poll();
	return time_us() - start;
}

/*
 * Both devices are attached. How many DMAs of faults until it is silenced? *@poll:
 * how long the longest poll took.
 */
static unsigned int storm(struct iommuabs_device *dev,
			  struct iommuabs_device_stats *stats, uint64_t *poll)
{
	unsigned int n = 0;
	uint64_t took;

	iommu_clock_slowed = BOARD_STORM_SLOW;
	for (; n < BOARD_STORM_DMAS && !stats->silenced; n++) {
		(void)edu_pull(edu_get(BEHIND_PORT), EDU_FREE,
			       SCENE_HOLE_GFN << PAGE_LG2, STORM_SIZE);
		took = poll_timed();
		*poll = took > *poll ? took : *poll;
		if (iommuabs_device_stats(dev, stats))
			break;
	}
	iommu_clock_slowed = 1;
	return n;
}

static void faults_without_end(struct scene *scene, struct iommuabs_device *dev)
{
	struct iommuabs_device_stats stats = { .size = sizeof(stats) };
	uint64_t read, reads, poll = 0;
	unsigned int n;

	*frame_word(scene->ram + 2) = 0x5704;
	iommu_faults_forget();
	n = storm(dev, &stats, &poll);
	iommu_faults_forget();
	(void)edu_pull(edu_get(BEHIND_PORT), EDU_FREE,
		       SCENE_HOLE_GFN << PAGE_LG2, STORM_SIZE);
	read = dma_load(scene, 0, SCENE_RAM_GFN + 2);
	(void)dma_load(scene, 0, SCENE_HOLE_GFN);
	reads = dma_load(scene, BEHIND_PORT, SCENE_RAM_GFN + 2);
	tap_check(stats.silenced && stats.storms == 1 &&
			  fault_find(0, SCENE_HOLE_GFN, IOMMUABS_READ) &&
			  !fault_find(BEHIND_PORT, SCENE_HOLE_GFN,
				      IOMMUABS_READ) &&
			  read == 0x5704 && reads == 0x5704,
		  "%s: a storm of faults ends: silenced after %u DMAs, %lu "
		  "events, by a clock %u times slower, no poll longer than %lu "
		  "us; edu 0 is heard, and what is allowed goes on: gfn %lx "
		  "reads %lx, %lx",
		  scene->name, n, stats.faults, BOARD_STORM_SLOW, poll,
		  SCENE_RAM_GFN + 2, read, reads);
	explain_check_of(dev, scene->name,
			 "a read of a device that is silenced", SCENE_HOLE_GFN,
			 IOMMUABS_READ, IOMMUABS_OBSTACLE_NOT_MAPPED);
}

/*
 * In the scratch domain: what it writes at one gfn it reads at another. Back in the
 * guest it tells what that was.
 */
static uint64_t write_and_read(const struct scene *scene,
			       struct iommuabs_device *dev,
			       const struct iommuabs_attach_options *options,
			       uint64_t *kept)
{
	struct edu *edu = edu_get(BEHIND_PORT);

	dma_store(BEHIND_PORT, SCENE_RAM_GFN + 4);
	(void)edu_pull(edu, EDU_WORD, (SCENE_RAM_GFN + 5) << PAGE_LG2, 8);
	*kept = *frame_word(scene->ram + 4);
	if (iommuabs_device_move(dev, scene->vm.dom, options, 0))
		return DMA_NO_ANSWER;
	(void)edu_push(edu, EDU_WORD, SCENE_MAIL_GFN << PAGE_LG2, 8);
	return *frame_word(scene->mail);
}

/* The same again, and the storm ends in a domain that is one page. */
static void moved_away(struct scene *scene, struct iommuabs_device *dev,
		       struct iommuabs_domain *page)
{
	struct iommuabs_attach_options options = iommu_attach_options;
	struct iommuabs_device_stats stats = { .size = sizeof(stats) };
	uint64_t read, kept = 0, back, poll = 0;
	int st;

	options.flags |= IOMMUABS_ALLOW_WINDOW;
	options.fault_policy = IOMMUABS_FAULTS_QUARANTINE;
	options.quarantine = page;
	st = iommuabs_device_attach(dev, scene->vm.dom, &options, 0);
	*frame_word(scene->ram + 4) = 0x4ee9;
	*frame_word(scene->ram + 5) = 0x4eea;
	dma_take(scene, BEHIND_PORT, 0xbad);
	(void)storm(dev, &stats, &poll);
	if (stats.quarantined)
		explain_check_of(dev, scene->name,
				 "a write of a device in quarantine",
				 SCENE_RAM_GFN + 4, IOMMUABS_WRITE,
				 IOMMUABS_OBSTACLE_SCRATCH);
	read = write_and_read(scene, dev, &options, &kept);
	back = dma_load(scene, BEHIND_PORT, SCENE_RAM_GFN + 5);
	tap_check(!st && stats.quarantined && read == 0xbad && kept == 0x4ee9 &&
			  back == 0x4eea,
		  "%s: a storm moves its device to a scratch page: what it "
		  "wrote at gfn %lx it reads at gfn %lx, %lx; the guest's "
		  "frame keeps %lx; moved back, the device reads %lx: %s",
		  scene->name, SCENE_RAM_GFN + 4, SCENE_RAM_GFN + 5, read, kept,
		  back, iommuabs_strerror(st));
	(void)!iommuabs_device_detach(dev, 0);
}

static void quarantine(struct scene *scene, struct iommuabs_device *dev)
{
	const struct iommuabs_domain_config config = {
		.size = sizeof(config),
		.flags = IOMMUABS_DOMAIN_SCRATCH | IOMMUABS_DOMAIN_SINK,
		.input_bits = 40,
	};
	struct iommuabs_domain *page;
	int st = iommuabs_domain_create(iommu.abs, &config, &page);

	if (!st) {
		moved_away(scene, dev, page);
		st = iommuabs_domain_destroy(page, 0);
	}
	if (st)
		tap_check(0, "a scratch domain, made and given back: %s",
			  iommuabs_strerror(st));
}

void scenario_plug(void)
{
	struct iommuabs_device *dev;
	struct scene scene;

	if (!edu_get(BEHIND_PORT) ||
	    scene_open(&scene, "plugged in", IOMMUABS_STRATEGY_MIRROR))
		return;
	comes_and_changes(&scene);
	if (!add(&dev)) {
		if (!scene_attach(&scene, 0))
			faults_without_end(&scene, dev);
		if (!iommuabs_device_detach(dev, 0))
			quarantine(&scene, dev);
		if (iommuabs_device_detach(dev, 0) ||
		    iommuabs_device_remove(dev))
			tap_check(0, "the device is removed");
	}
	scene_close(&scene);
}
