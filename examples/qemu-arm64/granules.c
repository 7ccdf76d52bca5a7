/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * granules.c - tables of 16K and 64K, walked by the SMMU and read by the CPU
 *
 * QEMU's unit has all granules, and the library takes the smallest. A hook for
 * register reads hides the smaller ones (IDR5), as on a unit that lacks them: what
 * is built then, both the SMMU and the CPU have to understand.
 */
#include <stddef.h>
#include "arm64.h"
#include "cpu_agrees.h"
#include "edu.h"
#include "pages.h"
#include "scenarios_arm64.h"
#include "scene.h"
#include "tap.h"

#define SMMU_IDR5 0x14 /* IHI 0070, 6.3.6: bits 4 to 6 are 4K, 16K, 64K */
#define RAM_LG2	  21
#define RAM_GFN	  UINT64_C(0x80000)
#define RAM_NR	  512u
#define HOLE_AT	  64u /* frames into it, and as many long */
#define EDU_AT	  8u
#define WORD	  UINT64_C(0x16646416)

static uint32_t hidden; /* bits of IDR5 */
static uint64_t idr5_addr;

static uint64_t narrowed_read(void *ctx, uint64_t addr, unsigned int width)
{
	(void)ctx;
	if (width == 8)
		return mmio_read64(addr);
	return mmio_read32(addr) & (addr == idr5_addr ? ~hidden : ~0u);
}

static void plain_write(void *ctx, uint64_t addr, unsigned int width,
			uint64_t value)
{
	(void)ctx;
	if (width == 8)
		mmio_write64(addr, value);
	else
		mmio_write32(addr, (uint32_t)value);
}

/* Write @word by DMA at gfn @gfn + @at: did it land in the frame? */
static int lands(uint64_t ram, uint64_t at)
{
	uint64_t *word = frame_word(ram + at);

	*word = 0;
	(void)edu_push(edu_get(0), EDU_AT, (RAM_GFN + at) << PAGE_LG2,
		       sizeof(*word));
	return *word == WORD;
}

static int memory_map(struct iommuabs_domain *dom, uint64_t ram)
{
	int st = iommuabs_domain_map(dom, IOMMUABS_GFN(RAM_GFN),
				     IOMMUABS_MFN(ram), RAM_NR, SCENE_RW, NULL);

	if (!st)
		st = iommuabs_domain_unmap(dom, IOMMUABS_GFN(RAM_GFN + HOLE_AT),
					   HOLE_AT, NULL);
	return st;
}

static void play(struct iommuabs_domain *dom, uint64_t ram, uint32_t granule)
{
	const unsigned int frames = 1u << (granule - PAGE_LG2);
	struct cpu_answers answers = { 0 };
	int st, refused, before, hole, after, asked;

	st = memory_map(dom, ram);
	if (!st)
		st = iommuabs_device_attach(iommu.edu[0], dom, NULL, 0);
	refused = iommuabs_domain_map(dom, IOMMUABS_GFN(RAM_GFN + HOLE_AT + 1),
				      IOMMUABS_MFN(ram + HOLE_AT + 1), 1,
				      SCENE_RW, NULL);
	*frame_word(ram) = WORD;
	(void)edu_pull(edu_get(0), EDU_AT, RAM_GFN << PAGE_LG2, sizeof(WORD));
	before = lands(ram, HOLE_AT - 1);
	hole = lands(ram, HOLE_AT);
	after = lands(ram, 2 * HOLE_AT);
	tap_check(!st && before && !hole && after,
		  "%uK granule: the SMMU walks it: gfn %lx and %lx are "
		  "written, gfn %lx, a hole, is blocked",
		  4 * frames, RAM_GFN + HOLE_AT - 1, RAM_GFN + 2 * HOLE_AT,
		  RAM_GFN + HOLE_AT);
	explain_check(frames == 4 ? "16K granule" : "64K granule",
		      "a write to a hole", RAM_GFN + HOLE_AT, IOMMUABS_WRITE,
		      IOMMUABS_OBSTACLE_NOT_MAPPED);
	tap_check(refused == IOMMUABS_E_GRANULE,
		  "%uK granule: a frame alone is refused: %s", 4 * frames,
		  iommuabs_strerror(refused));
	asked = cpu_ask(dom, 0, RAM_GFN, RAM_NR, &answers);
	tap_check(!st && !asked && !answers.nr_wrong &&
			  answers.nr_holes == HOLE_AT &&
			  answers.nr_writable == RAM_NR - HOLE_AT,
		  "%uK granule: the CPU reads the table as the library means "
		  "it: VTCR_EL2 %lx; AT of %u gfns: %u mapped, %u holes, %u "
		  "wrong, first %lx",
		  4 * frames, answers.vtcr, RAM_NR, answers.nr_mapped,
		  answers.nr_holes, answers.nr_wrong, answers.first_wrong);
	(void)!iommuabs_device_detach(iommu.edu[0], 0);
}

static void one_granule(uint32_t granule, uint32_t hide)
{
	struct iommuabs_domain_config config = {
		.size = sizeof(config),
		.strategy = IOMMUABS_STRATEGY_MIRROR,
		.input_bits = 40,
	};
	struct iommuabs_unit_state state = { .size = sizeof(state) };
	struct iommuabs_host hooks = iommu_hooks();
	uint64_t ram = pages_alloc(&guest_pool, RAM_LG2);
	struct iommuabs_domain *dom = NULL;
	int st;

	hidden = hide;
	hooks.mmio_read = narrowed_read;
	hooks.mmio_write = plain_write;
	st = iommu_create(&hooks);
	if (!st)
		st = iommu_start();
	if (!st)
		st = iommuabs_unit_state(iommu.unit, &state);
	if (!st)
		st = iommuabs_domain_create(iommu.abs, &config, &dom);
	if (!st) {
		play(dom, ram >> PAGE_LG2, granule);
		st = iommuabs_domain_destroy(dom, 0);
	}
	if (!st)
		st = iommu_destroy();
	tap_check(!st, "%uK granule: granules %x alone; all is given back: %s",
		  1u << (granule - 10), state.granules, iommuabs_strerror(st));
	pages_free(&guest_pool, ram, RAM_LG2);
}

void prove_granules(uint64_t smmu_base)
{
	idr5_addr = smmu_base + SMMU_IDR5;
	one_granule(14, 1u << 4);
	one_granule(16, 3u << 4);
}
