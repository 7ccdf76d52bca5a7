/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prove.c - all scenarios, from the unit as reset leaves it to nothing left
 */
#include <stddef.h>
#include "board.h"
#include "console.h"
#include "iommuabs_host.h"
#include "pages.h"
#include "scenarios.h"
#include "scene.h"
#include "tap.h"

/* As firmware has them, and the edu devices. */
static unsigned int devices_count(void)
{
	struct iommuabs_device *dev = NULL;
	unsigned int nr = 0;

	while ((dev = iommuabs_device_next(iommu.abs, dev)) != NULL)
		nr++;
	return nr;
}

static int bring_up_iommu(void)
{
	struct iommuabs_host hooks = iommu_hooks();
	struct iommuabs_unit_state state = { .size = sizeof(state) };
	int st = iommu_create(&hooks);

	if (!st)
		st = iommu_start();
	if (!st)
		st = iommuabs_unit_state(iommu.unit, &state);
	iommu.cannot_share = !BOARD_CAN_SHARE(&state);
	if (iommu.cannot_share)
		scene_cannot_share();
	return tap_check(!st && state.status == IOMMUABS_UNIT_RUNNING,
			 "the machine's unit runs: %s, registers %lx, "
			 "input %u bits, output %u, stage 1 %u, 2 %u, BBML %u; "
			 "%u devices: %s",
			 state.name, state.base, state.input_bits,
			 state.output_bits, state.stage1, state.stage2,
			 state.bbml, devices_count(),
			 st ? iommuabs_strerror(st) : state.reason);
}

/* Of each instance that was started the unit keeps a page, if it blocks by one. */
static void tear_down(uint64_t tables, uint64_t frames, unsigned int instances)
{
	uint64_t kept = instances * BOARD_PAGES_KEPT;
	int st = iommu_destroy();

	tap_check(!st && table_pool.nr_used == tables + kept &&
			  guest_pool.nr_used == frames,
		  "stopped and destroyed, nothing is left: %lu table pages "
		  "before, %lu after, %lu by which the unit blocks; %lu "
		  "frames, %lu: %s",
		  tables, table_pool.nr_used, kept, frames, guest_pool.nr_used,
		  iommuabs_strerror(st));
}

void prove(void)
{
	uint64_t tables = table_pool.nr_used, frames = guest_pool.nr_used;

	scenario_before_start();
	if (!bring_up_iommu())
		return;
	scenario_share();
	scenario_auto();
	scenario_blocked();
	scenario_take_away();
	scenario_devices();
	scenario_groups();
	scenario_late();
	scenario_hotplug();
	scenario_live();
	scenario_reverse_map();
	scenario_frames();
	scenario_arch();
	scenario_plug();
	scenario_suspend();
	scenario_random();
	tear_down(tables, frames, 2);
}

void prove_race(void)
{
	uint64_t tables = table_pool.nr_used, frames = guest_pool.nr_used;

	if (!bring_up_iommu())
		return;
	scenario_race();
	tear_down(tables, frames, 1);
}
