/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * share.c - guest and device see the same bytes at the same gfn
 */
#include <stddef.h>
#include "board.h"
#include "edu.h"
#include "pages.h"
#include "scenarios.h"
#include "scene.h"
#include "string.h"
#include "tap.h"

#define NR_BYTES 64u
#define EDU_AT	 64u

static void fill(char *bytes, unsigned int seed)
{
	for (unsigned int i = 0; i < NR_BYTES; i++)
		bytes[i] = (char)(i * 7 + seed);
}

/* The guest writes at @gfn, the device copies it to the mailbox. */
static void guest_to_device(struct scene *scene, unsigned int edu, uint64_t gfn)
{
	struct edu *device = edu_get(edu);
	char bytes[NR_BYTES], *mail = (char *)frame_word(scene->mail);
	int st;

	fill(bytes, edu + 1);
	memset(mail, 0, NR_BYTES);
	st = guest_write(&scene->vm.guest, gfn << PAGE_LG2, bytes, NR_BYTES);
	if (!st)
		st = edu_pull(device, EDU_AT, gfn << PAGE_LG2, NR_BYTES);
	if (!st)
		st = edu_push(device, EDU_AT, SCENE_MAIL_GFN << PAGE_LG2,
			      NR_BYTES);
	tap_check(!st && !memcmp(mail, bytes, NR_BYTES),
		  "%s: the guest writes, edu %u reads the same: gfn %lx is mfn "
		  "%lx, %u bytes, %016lx...",
		  scene->name, edu, gfn, scene->ram + (gfn - SCENE_RAM_GFN),
		  NR_BYTES, *(uint64_t *)mail);
}

static void device_to_guest(struct scene *scene, unsigned int edu, uint64_t gfn)
{
	struct edu *device = edu_get(edu);
	char bytes[NR_BYTES], back[NR_BYTES] = { 0 };
	int st;

	fill(bytes, edu + 100);
	memcpy((char *)frame_word(scene->mail), bytes, NR_BYTES);
	st = edu_pull(device, EDU_AT, SCENE_MAIL_GFN << PAGE_LG2, NR_BYTES);
	if (!st)
		st = edu_push(device, EDU_AT, gfn << PAGE_LG2, NR_BYTES);
	if (!st)
		st = guest_read(&scene->vm.guest, gfn << PAGE_LG2, back,
				NR_BYTES);
	tap_check(!st && !memcmp(back, bytes, NR_BYTES),
		  "%s: edu %u writes, the guest reads the same: gfn %lx is mfn "
		  "%lx, %u bytes, %016lx...",
		  scene->name, edu, gfn, scene->ram + (gfn - SCENE_RAM_GFN),
		  NR_BYTES, *(uint64_t *)back);
}

/* What hardware walks is what was asked for. */
static void check_walked(struct scene *scene, unsigned int edu, uint32_t shared)
{
	struct iommuabs_explanation why = { .size = sizeof(why) };
	int st = iommuabs_device_explain(iommu.edu[edu],
					 IOMMUABS_GFN(SCENE_RAM_GFN + 5),
					 SCENE_RW, &why);

	tap_check(!st && why.obstacle == IOMMUABS_OBSTACLE_NONE &&
			  why.shared == shared && why.level == 1 &&
			  why.mfn.frame == scene->ram + 5,
		  "%s: the unit walks %s: gfn %lx is mfn %lx by a %s leaf, "
		  "entry %lx",
		  scene->name, why.shared ? "the guest's p2m" : "a mirror",
		  SCENE_RAM_GFN + 5, why.mfn.frame,
		  why.level == 1 ? "2M" : "4K", why.entry);
}

static void one_strategy(const struct scene_strategy *how)
{
	struct scene scene;

	if (scene_open(&scene, how->name, how->strategy))
		return;
	if (!scene_attach(&scene, 0)) {
		check_walked(&scene, 0,
			     how->strategy == IOMMUABS_STRATEGY_SHARE);
		guest_to_device(&scene, 0, SCENE_RAM_GFN + 5);
		device_to_guest(&scene, 0, SCENE_RAM_GFN + 6);
	}
	scene_close(&scene);
}

/* Share or mirror is a matter of a view: one guest can have both. */
static void both_at_once(void)
{
	const struct iommuabs_attach_options mirror = {
		.size = sizeof(mirror),
		.flags = iommu_attach_options.flags,
		.strategy = IOMMUABS_STRATEGY_MIRROR,
	};
	struct scene scene;
	int st;

	if (scene_open(&scene, "both on one unit", IOMMUABS_STRATEGY_SHARE))
		return;
	st = scene_attach(&scene, 0);
	if (!st) {
		st = iommuabs_device_attach(iommu.edu[1], scene.vm.dom, &mirror,
					    0);
		tap_check(!st, "%s: edu 0 shares, edu 1 is mirrored: %s",
			  scene.name, iommuabs_strerror(st));
	}
	if (!st) {
		check_walked(&scene, 0, 1);
		check_walked(&scene, 1, 0);
		guest_to_device(&scene, 0, SCENE_RAM_GFN + 7);
		guest_to_device(&scene, 1, SCENE_RAM_GFN + 7);
		device_to_guest(&scene, 1, SCENE_RAM_GFN + 8);
	}
	scene_close(&scene);
}

void scenario_share(void)
{
	one_strategy(&scene_strategies[0]);
	one_strategy(&scene_strategies[1]);
	if (!iommu.cannot_share)
		both_at_once();
}

static void auto_case(unsigned int ipa_bits, uint16_t vmid,
		      enum iommuabs_share_reason because)
{
	const struct vm_options options = {
		.ipa_bits = ipa_bits,
		.vmid = vmid,
		.strategy = IOMMUABS_STRATEGY_AUTO,
	};
	const uint32_t shares = because == IOMMUABS_SHARE_OK;
	const char *name = shares ? "AUTO shares" : "AUTO mirrors";
	enum iommuabs_share_reason reason = IOMMUABS_SHARE_OK;
	struct scene scene;
	int st;

	if (scene_open_as(&scene, name, &options))
		return;
	st = iommuabs_domain_share_check(scene.vm.dom, iommu.unit, &reason);
	tap_check(!st && reason == because,
		  "%s a p2m of %u bits: share_check says \"%s\"", name,
		  ipa_bits, iommuabs_share_reason_text(reason));
	if (!scene_attach(&scene, 0)) {
		check_walked(&scene, 0, shares);
		guest_to_device(&scene, 0, SCENE_RAM_GFN + 9);
		device_to_guest(&scene, 0, SCENE_RAM_GFN + 10);
	}
	scene_close(&scene);
}

void scenario_auto(void)
{
	if (iommu.cannot_share) {
		auto_case(40, 0x41, BOARD_CANNOT_SHARE);
		return;
	}
	auto_case(40, 0x41, IOMMUABS_SHARE_OK);
	auto_case(48, 0x42, BOARD_WIDE_P2M);
}
