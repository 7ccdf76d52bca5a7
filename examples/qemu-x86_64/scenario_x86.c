/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scenario_x86.c - what only this machine can show
 */
#include "scenarios.h"
#include "scene.h"
#include "tap.h"

/* This instance remaps no interrupts: interrupts.c has one that does. */
static void forger(const struct scene *scene)
{
	const struct iommuabs_attach_options plain = { .size = sizeof(plain) };
	int st = iommuabs_device_attach(iommu.edu[0], scene->vm.dom, &plain, 0);

	tap_check(st == IOMMUABS_E_UNSAFE_MSI,
		  "%s: a device whose interrupts nobody remaps is refused to a "
		  "guest without ALLOW_UNSAFE_MSI: %s",
		  scene->name, iommuabs_strerror(st));
}

void scenario_arch(void)
{
	struct scene scene;

	if (scene_open(&scene, "interrupts", IOMMUABS_STRATEGY_AUTO))
		return;
	forger(&scene);
	scene_close(&scene);
}

/* No CPU reads a table of the second stage. */
void cpu_check_table(const struct scene *scene, unsigned int edu, uint64_t gfn,
		     unsigned int nr)
{
	(void)scene;
	(void)edu;
	(void)gfn;
	(void)nr;
}
