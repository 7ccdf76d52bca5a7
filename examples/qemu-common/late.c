/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * late.c - a guest gets its first device long after it was started
 *
 * What it has by then, RAM and a device's registers, is to be seen by
 * the device from its first DMA on.
 */
#include <stddef.h>
#include "board.h"
#include "edu.h"
#include "pages.h"
#include "scenarios.h"
#include "scene.h"
#include "tap.h"

#define REGISTERS_GFN UINT64_C(0xa0000)
#define HIGH_GFN      UINT64_C(0x1000000) /* 64 GiB: a table of its own */

/* The guest runs for a while, and its memory changes meanwhile. */
static int lives(struct scene *scene, uint64_t high)
{
	struct guest *guest = &scene->vm.guest;
	uint64_t ram = SCENE_RAM_GFN << PAGE_LG2;
	int st = vm_map(&scene->vm, REGISTERS_GFN, BOARD_REGISTERS_MFN, 1,
			SCENE_DEVICE_RW);

	if (!st)
		st = vm_map(&scene->vm, HIGH_GFN, high, 1, SCENE_RW);
	for (uint64_t i = 0; !st && i < 50; i++)
		st = guest_fill(guest, ram + i * PAGE_SIZE, 0x1000 + i, 64);
	/* Ballooned: every eighth frame of a part. */
	for (uint64_t i = 64; !st && i < 128; i += 8)
		st = vm_unmap(&scene->vm, SCENE_RAM_GFN + i, 1);
	return st;
}

static void sees_everything(struct scene *scene)
{
	uint64_t ram = dma_load(scene, 0, SCENE_RAM_GFN + 49);
	uint64_t high = dma_load(scene, 0, HIGH_GFN);
	uint64_t after = dma_load(scene, 0, SCENE_RAM_GFN + 73);
	uint64_t hole = dma_load(scene, 0, SCENE_RAM_GFN + 72);

	tap_check(ram == 0x1000 + 49 && high == 0x41 && after == 0x7000 + 73 &&
			  !hole,
		  "%s: its RAM is there at the first DMA: gfn %lx reads %lx, "
		  "gfn %lx %lx, gfn %lx %lx, and the hole before it %lx; the "
		  "guest had left %lu times",
		  scene->name, SCENE_RAM_GFN + 49, ram, HIGH_GFN, high,
		  SCENE_RAM_GFN + 73, after, hole, scene->vm.guest.nr_exits);
	explain_check(scene->name, "a read of what was ballooned before",
		      SCENE_RAM_GFN + 72, IOMMUABS_READ,
		      IOMMUABS_OBSTACLE_NOT_MAPPED);
}

static void sees_device_memory(struct scene *scene)
{
	const uint64_t ipa = (REGISTERS_GFN << PAGE_LG2) + BOARD_REGISTERS_ID;
	volatile uint32_t *mail = (void *)frame_word(scene->mail);
	struct edu *edu = edu_get(0);
	uint8_t by_guest = 0;
	int st;

	*mail = 0xffffffff;
	st = edu_pull(edu, 0, ipa, sizeof(*mail));
	if (!st)
		st = edu_push(edu, 0, SCENE_MAIL_GFN << PAGE_LG2,
			      sizeof(*mail));
	if (!st)
		st = guest_read(&scene->vm.guest, ipa, &by_guest, 1);
	tap_check(!st && (*mail & 0xff) == BOARD_REGISTERS_ID_IS &&
			  by_guest == BOARD_REGISTERS_ID_IS,
		  "%s: device memory too: gfn %lx is a device's mfn %lx, its "
		  "identity reads %x by DMA, %x by the guest",
		  scene->name, REGISTERS_GFN, BOARD_REGISTERS_MFN, *mail,
		  by_guest);
}

static void follows_changes(struct scene *scene)
{
	const uint64_t gone = SCENE_RAM_GFN + 49, back = SCENE_RAM_GFN + 72;
	uint64_t first, second, device;
	int st = vm_unmap(&scene->vm, gone, 1);

	if (!st)
		st = vm_unmap(&scene->vm, REGISTERS_GFN, 1);
	if (!st)
		st = vm_map(&scene->vm, back, scene->ram + 72, 1, SCENE_RW);
	first = dma_load(scene, 0, gone);
	second = dma_load(scene, 0, back);
	device = dma_load(scene, 0, REGISTERS_GFN);
	tap_check(!st && !first && second == 0x7000 + 72 && !device,
		  "%s: and follows what comes after: gfn %lx, unmapped, reads "
		  "%lx; gfn %lx, mapped, %lx; the device memory at gfn %lx, "
		  "unmapped, %lx",
		  scene->name, gone, first, back, second, REGISTERS_GFN,
		  device);
	explain_check(scene->name, "a read of RAM that is gone since", gone,
		      IOMMUABS_READ, IOMMUABS_OBSTACLE_NOT_MAPPED);
	explain_check(scene->name, "a read of device memory that is gone since",
		      REGISTERS_GFN, IOMMUABS_READ,
		      IOMMUABS_OBSTACLE_NOT_MAPPED);
}

/* In steps, with the memory changing between them; how many there were. */
static int populate(struct scene *scene, unsigned int *steps)
{
	uint64_t done = 0, total = 1;
	int st;

	do {
		st = iommuabs_domain_populate(scene->vm.dom, iommu.edu[0], 64);
		if (++*steps == 3)
			(void)!vm_protect(&scene->vm, SCENE_RAM_GFN, 1,
					  IOMMUABS_READ);
	} while (st == IOMMUABS_E_AGAIN && *steps < 10000);
	if (!st)
		st = iommuabs_domain_progress(scene->vm.dom, &done, &total);
	return st ? st : done != total;
}

static void late(const char *name, const struct vm_options *options)
{
	uint64_t high = frame_new(0x41);
	unsigned int steps = 0;
	struct scene scene;
	int st;

	if (scene_open_as(&scene, name, options))
		return;
	for (uint64_t i = 0; i < SCENE_RAM_NR; i++)
		*frame_word(scene.ram + i) = 0x7000 + i;
	st = lives(&scene, high);
	if (!st)
		st = populate(&scene, &steps);
	tap_check(!st,
		  "%s: populated in %u steps of 64, before any device "
		  "is there: %s",
		  name, steps, iommuabs_strerror(st));
	if (!scene_attach(&scene, 0)) {
		sees_everything(&scene);
		sees_device_memory(&scene);
		follows_changes(&scene);
	}
	scene_close(&scene);
	frame_free(high);
}

void scenario_late(void)
{
	late(iommu.cannot_share ? "late, auto" : "late, shared",
	     &(struct vm_options){ .ipa_bits = 40,
				   .vmid = 0x51,
				   .strategy = scene_strategies[0].strategy });
	late("late, mirrored from the ledger",
	     &(struct vm_options){ .ipa_bits = 40,
				   .vmid = 0x52,
				   .strategy = IOMMUABS_STRATEGY_MIRROR });
	late("late, mirrored from the p2m",
	     &(struct vm_options){ .ipa_bits = 40,
				   .vmid = 0x53,
				   .strategy = IOMMUABS_STRATEGY_MIRROR,
				   .source = IOMMUABS_SOURCE_P2M });
}
