/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scene.c - a guest with memory, DMA that brings back what it saw, faults
 */
#include <stddef.h>
#include "edu.h"
#include "pages.h"
#include "scene.h"
#include "string.h"
#include "tap.h"

#define RAM_LG2 21

struct scene_strategy scene_strategies[2] = {
	{ IOMMUABS_STRATEGY_SHARE, "shared" },
	{ IOMMUABS_STRATEGY_MIRROR, "mirrored" },
};

void scene_cannot_share(void)
{
	scene_strategies[0] =
		(struct scene_strategy){ IOMMUABS_STRATEGY_AUTO, "auto" };
}

static uint16_t next_vmid = 1;

static int memory_map(struct scene *scene)
{
	uint64_t ram = pages_alloc(&guest_pool, RAM_LG2);
	uint64_t mail = pages_alloc(&guest_pool, PAGE_LG2);
	int st;

	scene->ram = ram >> PAGE_LG2;
	scene->mail = mail >> PAGE_LG2;
	if (!ram || !mail)
		return IOMMUABS_E_NOMEM;
	memset((void *)ram, 0, 1ull << RAM_LG2);
	memset((void *)mail, 0, PAGE_SIZE);
	st = vm_map(&scene->vm, SCENE_RAM_GFN, scene->ram, SCENE_RAM_NR,
		    SCENE_RW);
	if (!st)
		st = vm_map(&scene->vm, SCENE_MAIL_GFN, scene->mail, 1,
			    SCENE_RW);
	return st;
}

static void memory_free(struct scene *scene)
{
	if (scene->ram)
		pages_free(&guest_pool, scene->ram << PAGE_LG2, RAM_LG2);
	if (scene->mail)
		pages_free(&guest_pool, scene->mail << PAGE_LG2, PAGE_LG2);
}

int scene_open_as(struct scene *scene, const char *name,
		  const struct vm_options *options)
{
	int st;

	*scene = (struct scene){ .name = name };
	st = vm_create(&scene->vm, options);
	if (st) {
		tap_check(0, "%s: a guest and its domain: %s", name,
			  iommuabs_strerror(st));
		return st;
	}
	st = memory_map(scene);
	if (!st)
		return 0;
	tap_check(0, "%s: its memory: %s", name, iommuabs_strerror(st));
	if (!vm_destroy(&scene->vm))
		memory_free(scene);
	return st;
}

int scene_open(struct scene *scene, const char *name,
	       enum iommuabs_strategy strategy)
{
	const struct vm_options options = {
		.ipa_bits = 40,
		.vmid = next_vmid++,
		.strategy = strategy,
	};

	return scene_open_as(scene, name, &options);
}

int scene_attach(struct scene *scene, unsigned int edu)
{
	int st = iommuabs_device_attach(iommu.edu[edu], scene->vm.dom,
					&iommu_attach_options, 0);

	if (st)
		tap_check(0, "%s: attach of edu %u: %s", scene->name, edu,
			  iommuabs_strerror(st));
	return st;
}

int scene_close(struct scene *scene)
{
	int st = 0;

	for (unsigned int i = 0; i < IOMMU_NR_EDUS && !st; i++)
		st = iommuabs_device_detach(iommu.edu[i], 0);
	if (!st)
		st = vm_destroy(&scene->vm);
	if (!st)
		memory_free(scene);
	else
		tap_check(0, "%s: given back: %s", scene->name,
			  iommuabs_strerror(st));
	return st;
}

uint64_t *frame_word(uint64_t mfn)
{
	return (uint64_t *)(mfn << PAGE_LG2);
}

static uint64_t word_read(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

uint64_t dma_load(const struct scene *scene, unsigned int edu, uint64_t gfn)
{
	uint64_t *mail = frame_word(scene->mail);
	struct edu *device = edu_get(edu);

	*mail = DMA_NO_ANSWER;
	if (edu_pull(device, SCENE_EDU_AT, gfn << PAGE_LG2, sizeof(*mail)) ||
	    edu_push(device, SCENE_EDU_AT, SCENE_MAIL_GFN << PAGE_LG2,
		     sizeof(*mail)))
		return DMA_NO_ANSWER;
	return word_read(mail);
}

void dma_take(const struct scene *scene, unsigned int edu, uint64_t word)
{
	uint64_t *mail = frame_word(scene->mail);

	*mail = word;
	(void)edu_pull(edu_get(edu), SCENE_EDU_AT, SCENE_MAIL_GFN << PAGE_LG2,
		       sizeof(*mail));
}

void dma_store(unsigned int edu, uint64_t gfn)
{
	(void)edu_push(edu_get(edu), SCENE_EDU_AT, gfn << PAGE_LG2,
		       sizeof(uint64_t));
}

const struct iommuabs_fault *fault_find(unsigned int edu, uint64_t gfn,
					uint32_t access)
{
	iommu_faults_poll();
	for (unsigned int i = 0; i < iommu.nr_faults && i < IOMMU_MAX_FAULTS;
	     i++) {
		const struct iommuabs_fault *fault = &iommu.faults[i];

		if (fault->dev_cookie == edu_get(edu) &&
		    (fault->reason == IOMMUABS_FAULT_STREAM ||
		     (fault->gfn.frame == gfn && fault->access == access)))
			return fault;
	}
	return NULL;
}

const char *fault_reason_text(enum iommuabs_fault_reason reason)
{
	switch (reason) {
	case IOMMUABS_FAULT_TRANSLATION:
		return "translation";
	case IOMMUABS_FAULT_PERMISSION:
		return "permission";
	case IOMMUABS_FAULT_STREAM:
		return "stream";
	default:
		return "other";
	}
}

uint64_t fault_word(const struct iommuabs_fault *fault, unsigned int i)
{
	return fault ? fault->raw[i] : 0;
}

const char *access_text(uint32_t access)
{
	if (access == IOMMUABS_READ)
		return "read";
	return access == IOMMUABS_WRITE ? "write" : "access";
}

void explain_check_of(struct iommuabs_device *dev, const char *name,
		      const char *what, uint64_t gfn, uint32_t access,
		      enum iommuabs_obstacle obstacle)
{
	struct iommuabs_explanation why = { .size = sizeof(why) };
	int st = iommuabs_device_explain(dev, IOMMUABS_GFN(gfn), access, &why);

	tap_check(!st && why.obstacle == obstacle,
		  "%s: device_explain names the obstacle of %s: \"%s\", "
		  "entry %lx",
		  name, what, why.text, why.entry);
}

void explain_check(const char *name, const char *what, uint64_t gfn,
		   uint32_t access, enum iommuabs_obstacle obstacle)
{
	explain_check_of(iommu.edu[0], name, what, gfn, access, obstacle);
}

uint64_t frame_new(uint64_t word)
{
	uint64_t page = pages_alloc(&guest_pool, PAGE_LG2);

	for (uint64_t i = 0; page && i < PAGE_SIZE / sizeof(word); i++)
		((uint64_t *)page)[i] = word;
	return page >> PAGE_LG2;
}

void frame_free(uint64_t mfn)
{
	if (mfn)
		pages_free(&guest_pool, mfn << PAGE_LG2, PAGE_LG2);
}
