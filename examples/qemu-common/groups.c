/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * groups.c - devices behind a root port and behind a bridge to conventional PCI
 *
 * The library finds in configuration space under which ids their DMA arrives. The
 * two behind the bridge come as its secondary bus, device 0: nobody can tell them
 * apart, so they are one device, in whatever call.
 */
#include <stddef.h>
#include "edu.h"
#include "scenarios.h"
#include "scene.h"
#include "tap.h"

#define BEHIND_PORT   2 /* the edu device behind the root port */
#define BEHIND_BRIDGE 3 /* the first of the two behind the bridge */
#define GROUP	      3u

static struct iommuabs_device *device_of(unsigned int edu)
{
	struct iommuabs_device *dev = NULL;
	int st = iommuabs_device_add_pci(iommu.abs, edu_get(edu)->pci->bdf,
					 edu_get(edu), &dev);

	if (st)
		tap_check(0, "edu %u (%04x) is added: %s", edu,
			  edu_get(edu)->pci->bdf, iommuabs_strerror(st));
	return dev;
}

static int attach(struct iommuabs_device *dev, struct scene *scene)
{
	return iommuabs_device_attach(dev, scene->vm.dom, &iommu_attach_options,
				      0);
}

static void behind_port(struct scene *a)
{
	struct iommuabs_device *dev = device_of(BEHIND_PORT);
	uint16_t bdf = edu_get(BEHIND_PORT)->pci->bdf;
	const struct iommuabs_fault *fault;
	struct iommuabs_pci_range range;
	uint64_t read, beyond;
	uint32_t nr = 0;
	int st;

	if (!dev)
		return;
	*frame_word(a->ram + 1) = 0x9087;
	st = attach(dev, a);
	if (!st)
		st = iommuabs_device_functions(dev, &range, 1, &nr);
	iommu_faults_forget();
	read = dma_load(a, BEHIND_PORT, SCENE_RAM_GFN + 1);
	beyond = dma_load(a, BEHIND_PORT, SCENE_HOLE_GFN);
	fault = fault_find(BEHIND_PORT, SCENE_HOLE_GFN, IOMMUABS_READ);
	tap_check(!st && nr == 1 && range.pci == bdf && range.nr == 1 &&
			  read == 0x9087 && !beyond && fault &&
			  fault->stream == bdf,
		  "%s: behind a root port with ACS a device is itself: edu %u, "
		  "function %04x alone; gfn %lx reads %lx; a gfn that is not "
		  "mapped is blocked, stream %x: %s",
		  a->name, BEHIND_PORT, bdf, SCENE_RAM_GFN + 1, read,
		  fault ? fault->stream : ~0u, iommuabs_strerror(st));
	explain_check_of(dev, a->name, "a read of a device behind a root port",
			 SCENE_HOLE_GFN, IOMMUABS_READ,
			 IOMMUABS_OBSTACLE_NOT_MAPPED);
	st = iommuabs_device_detach(dev, 0);
	if (!st)
		st = iommuabs_device_remove(dev);
	read = dma_load(a, BEHIND_PORT, SCENE_RAM_GFN + 1);
	tap_check(!st && read == DMA_NO_ANSWER,
		  "%s: removed, it is blocked: %s", a->name,
		  iommuabs_strerror(st));
}

/* Behind the bridge: requester IDs of both, and what they arrive as. */
static int is_the_group(struct iommuabs_device *dev, uint16_t alias)
{
	struct iommuabs_pci_range ranges[GROUP];
	uint32_t nr = 0;
	int st = iommuabs_device_functions(dev, ranges, GROUP, &nr);

	return !st && nr == GROUP && ranges[0].pci == alias &&
	       ranges[1].pci == edu_get(BEHIND_BRIDGE)->pci->bdf &&
	       ranges[2].pci == edu_get(BEHIND_BRIDGE + 1)->pci->bdf;
}

static void behind_bridge(struct scene *a, struct iommuabs_device *dev,
			  struct iommuabs_device *same)
{
	uint16_t alias = edu_get(BEHIND_BRIDGE)->pci->bdf & 0xff00;
	const struct iommuabs_fault *fault;
	uint64_t first, second;
	int st;

	*frame_word(a->ram + 2) = 0xb41d;
	st = attach(dev, a);
	iommu_faults_forget();
	first = dma_load(a, BEHIND_BRIDGE, SCENE_RAM_GFN + 2);
	second = dma_load(a, BEHIND_BRIDGE + 1, SCENE_RAM_GFN + 2);
	(void)dma_load(a, BEHIND_BRIDGE + 1, SCENE_HOLE_GFN);
	fault = fault_find(BEHIND_BRIDGE, SCENE_HOLE_GFN, IOMMUABS_READ);
	tap_check(!st && dev == same && is_the_group(dev, alias) &&
			  first == 0xb41d && second == 0xb41d && fault &&
			  fault->stream == alias,
		  "%s: behind a bridge to PCI two devices are one: functions "
		  "%04x and %04x, DMA as %04x; attached once, gfn %lx reads "
		  "%lx and %lx; what is blocked of the second comes from "
		  "stream %x: %s",
		  a->name, edu_get(BEHIND_BRIDGE)->pci->bdf,
		  edu_get(BEHIND_BRIDGE + 1)->pci->bdf, alias,
		  SCENE_RAM_GFN + 2, first, second, fault ? fault->stream : ~0u,
		  iommuabs_strerror(st));
	explain_check_of(dev, a->name, "a read of a device behind a bridge",
			 SCENE_HOLE_GFN, IOMMUABS_READ,
			 IOMMUABS_OBSTACLE_NOT_MAPPED);
}

static void moves(struct scene *a, struct scene *b, struct iommuabs_device *dev)
{
	struct iommuabs_attach_options options = iommu_attach_options;
	uint64_t first, second, old;
	int other = attach(dev, b), st;

	options.flags |= IOMMUABS_ALLOW_WINDOW;
	*frame_word(a->ram + 3) = 0xa3;
	*frame_word(b->ram + 3) = 0xb3;
	old = dma_load(a, BEHIND_BRIDGE + 1, SCENE_RAM_GFN + 3);
	st = iommuabs_device_move(dev, b->vm.dom, &options, 0);
	first = dma_load(b, BEHIND_BRIDGE, SCENE_RAM_GFN + 3);
	second = dma_load(b, BEHIND_BRIDGE + 1, SCENE_RAM_GFN + 3);
	tap_check(!st && other == IOMMUABS_E_BUSY && old == 0xa3 &&
			  first == 0xb3 && second == 0xb3,
		  "%s to %s: a group moves as one: gfn %lx read %lx to edu "
		  "%u; one of them is not attached elsewhere (%s), and "
		  "moved, both read %lx and %lx: %s",
		  a->name, b->name, SCENE_RAM_GFN + 3, old, BEHIND_BRIDGE + 1,
		  iommuabs_strerror(other), first, second,
		  iommuabs_strerror(st));
	st = iommuabs_device_detach(dev, 0);
	first = dma_load(b, BEHIND_BRIDGE, SCENE_RAM_GFN + 3);
	second = dma_load(b, BEHIND_BRIDGE + 1, SCENE_RAM_GFN + 3);
	tap_check(!st && first == DMA_NO_ANSWER && second == DMA_NO_ANSWER,
		  "%s: a group is detached as one: neither answers: %s",
		  b->name, iommuabs_strerror(st));
	explain_check_of(dev, b->name, "a group that is detached",
			 SCENE_RAM_GFN + 3, IOMMUABS_READ,
			 IOMMUABS_OBSTACLE_NOT_ATTACHED);
}

static void two_guests(struct scene *a, struct scene *b)
{
	struct iommuabs_device *dev, *same;

	behind_port(a);
	dev = device_of(BEHIND_BRIDGE);
	same = dev ? device_of(BEHIND_BRIDGE + 1) : NULL;
	if (!same)
		return;
	behind_bridge(a, dev, same);
	moves(a, b, dev);
	if (iommuabs_device_detach(dev, 0) || iommuabs_device_remove(dev))
		tap_check(0, "the group is removed");
}

void scenario_groups(void)
{
	struct scene a, b;

	if (!edu_get(BEHIND_BRIDGE + 1)) {
		tap_check(0, "five edu devices, three behind bridges");
		return;
	}
	if (scene_open(&a, "group, shared", scene_strategies[0].strategy))
		return;
	if (!scene_open(&b, "group, mirrored", IOMMUABS_STRATEGY_MIRROR)) {
		two_guests(&a, &b);
		scene_close(&b);
	}
	scene_close(&a);
}
