/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpu_agrees.c - a table that the library built, read by the CPU
 *
 * The table is found as the SMMU finds it: registers, stream table, stream table
 * entry. Sections are those of the SMMU architecture, IHI 0070.
 */
#include <stddef.h>
#include "arm64.h"
#include "cpu_agrees.h"
#include "edu.h"
#include "pages.h"
#include "scenarios.h"
#include "scenarios_arm64.h"
#include "scene.h"
#include "tap.h"

/* clang-format off */
/* 6.3.23, 6.3.24 */
#define SMMU_STRTAB_BASE	0x80
#define SMMU_STRTAB_BASE_CFG	0x88
#define   CFG_SPLIT(cfg)	((cfg) >> 6 & 0x1f)
#define   CFG_2LEVEL(cfg)	(((cfg) >> 16 & 3) == 1)
#define   TABLE_ADDRESS		0x000fffffffffffc0ull
/* 5.2, words of 64 bits */
#define STE_WORDS		8
#define   STE_CONFIG_STAGE2(w0)	(((w0) & 0xf) == (1 | 6 << 1))
#define   STE_VMID(w2)		((w2) & 0xffff)
#define   STE_VTCR(w2)		((w2) >> 32 & 0x7ffff)
#define   STE_TTB(w3)		((w3) & 0x000ffffffffffff0ull)
#define   STE_CONFIG_STAGE1(w0)	(((w0) & 0xf) == (1 | 5 << 1))
#define   STE_CONTEXT(w0)	((w0) & 0x000fffffffffffc0ull)
/* 5.4, words of 64 bits: bits 5 to 0 and 13 to 8 are where TCR_EL1 has them */
#define   CD_SAME(w0)		((w0) & 0x3f3f)
#define   CD_TG0(w0)		((w0) >> 6 & 3)
#define   CD_IPS(w0)		((w0) >> 32 & 7)
#define   CD_ASID(w0)		((w0) >> 48)
#define   CD_TTB0(w1)		((w1) & 0x000ffffffffffff0ull)
/* Arm ARM D19.2.139: TCR_EL1 */
#define TCR_TG0_LSB		14
#define TCR_EPD1		(1ull << 23)
#define TCR_IPS_LSB		32
#define TCR_AS			(1ull << 36)
/* Arm ARM D19.2.158 */
#define VTCR_VS			(1ull << 19)
#define VTCR_RES1		(1ull << 31)
/* clang-format on */

static const uint64_t *stream_entry(uint64_t regs, uint32_t stream)
{
	uint64_t base = mmio_read64(regs + SMMU_STRTAB_BASE) & TABLE_ADDRESS;
	uint32_t cfg = mmio_read32(regs + SMMU_STRTAB_BASE_CFG);
	uint32_t split = CFG_SPLIT(cfg);

	if (CFG_2LEVEL(cfg)) {
		base = ((const uint64_t *)base)[stream >> split] &
		       TABLE_ADDRESS;
		stream &= (1u << split) - 1;
	}
	return base ? (const uint64_t *)base + stream * STE_WORDS : NULL;
}

static void take_stage1(const uint64_t *context, struct cpu_answers *answers)
{
	answers->stage = 1;
	answers->stage1 = (struct stage1){
		.tcr = CD_SAME(context[0]) | CD_TG0(context[0]) << TCR_TG0_LSB |
		       CD_IPS(context[0]) << TCR_IPS_LSB | TCR_EPD1 | TCR_AS,
		.ttbr = CD_ASID(context[0]) << 48 | CD_TTB0(context[1]),
		.mair = context[3],
	};
}

static int find_table(unsigned int edu, struct cpu_answers *answers)
{
	struct iommuabs_unit_state state = { .size = sizeof(state) };
	const uint64_t *entry;

	if (iommuabs_unit_state(iommu.unit, &state))
		return -1;
	entry = stream_entry(state.base, edu_get(edu)->pci->bdf);
	if (entry && STE_CONFIG_STAGE1(entry[0])) {
		take_stage1((const uint64_t *)STE_CONTEXT(entry[0]), answers);
		return 0;
	}
	if (!entry || !STE_CONFIG_STAGE2(entry[0]))
		return -1;
	answers->stage = 2;
	answers->vtcr = STE_VTCR(entry[2]) | VTCR_RES1 | VTCR_VS;
	answers->vttbr = STE_VMID(entry[2]) << 48 | STE_TTB(entry[3]);
	return 0;
}

static uint64_t ask(const struct cpu_answers *answers, uint64_t gfn,
		    enum at_access access)
{
	if (answers->stage == 1)
		return at_s1e1(&answers->stage1, gfn << PAGE_LG2, access);
	return at_s12e1(answers->vtcr, answers->vttbr, gfn << PAGE_LG2, access);
}

static int par_is(uint64_t par, uint64_t mfn)
{
	return !(par & PAR_FAULT) && (par & PAR_ADDRESS) >> PAGE_LG2 == mfn;
}

/* Is the CPU's answer about @gfn the library's? */
static int ask_one(struct iommuabs_domain *dom, uint64_t gfn,
		   struct cpu_answers *answers)
{
	iommuabs_mfn_t mfn = { 0 };
	uint32_t flags = 0;
	uint64_t par = ask(answers, gfn, AT_READ);
	int st =
		iommuabs_domain_translate(dom, IOMMUABS_GFN(gfn), &mfn, &flags);

	if (st == IOMMUABS_E_NOENT) {
		answers->nr_holes++;
		return (par & PAR_FAULT) != 0;
	}
	answers->nr_mapped++;
	if (st || !par_is(par, mfn.frame))
		return 0;
	if (!(flags & IOMMUABS_WRITE))
		return 1;
	answers->nr_writable++;
	return par_is(ask(answers, gfn, AT_WRITE), mfn.frame);
}

int cpu_ask(struct iommuabs_domain *dom, unsigned int edu, uint64_t gfn,
	    unsigned int nr, struct cpu_answers *answers)
{
	*answers = (struct cpu_answers){ 0 };
	if (find_table(edu, answers))
		return -1;
	for (unsigned int i = 0; i < nr; i++) {
		if (ask_one(dom, gfn + i, answers))
			continue;
		if (!answers->nr_wrong++)
			answers->first_wrong = gfn + i;
	}
	return 0;
}

static const char *at_name(const struct cpu_answers *answers)
{
	return answers->stage == 1 ? "S1E1R" : "S12E1R";
}

/* Leaves of 2M and 4K, read-only frames, holes, device memory. */
static int vary(struct scene *scene)
{
	int st = vm_unmap(&scene->vm, SCENE_RAM_GFN + 7, 3);

	if (!st)
		st = vm_protect(&scene->vm, SCENE_RAM_GFN + 100, 50,
				IOMMUABS_READ);
	if (!st)
		st = vm_map(&scene->vm, SCENE_RAM_GFN + SCENE_RAM_NR, 0x9010, 1,
			    SCENE_DEVICE_RW);
	return st;
}

void cpu_check_table(const struct scene *scene, unsigned int edu, uint64_t gfn,
		     unsigned int nr)
{
	struct cpu_answers answers = { 0 };
	int st = cpu_ask(scene->vm.dom, edu, gfn, nr, &answers);

	tap_check(!st && !answers.nr_wrong && answers.nr_mapped,
		  "random: the CPU reads the mirror that came of it: AT %s "
		  "of %u gfns: %u mapped, %u writable, %u holes; %u wrong, "
		  "first %lx",
		  at_name(&answers), nr, answers.nr_mapped, answers.nr_writable,
		  answers.nr_holes, answers.nr_wrong, answers.first_wrong);
}

void scenario_cpu_agrees(void)
{
	const unsigned int nr = SCENE_RAM_NR + 32;
	struct cpu_answers answers = { 0 }, whole;
	struct scene scene;
	int st, found;

	if (scene_open(&scene, "mirrored", IOMMUABS_STRATEGY_MIRROR))
		return;
	st = scene_attach(&scene, 0);
	found = cpu_ask(scene.vm.dom, 0, SCENE_RAM_GFN, nr, &whole);
	if (!st)
		st = vary(&scene);
	if (!found)
		found = cpu_ask(scene.vm.dom, 0, SCENE_RAM_GFN, nr, &answers);
	tap_check(!st && !found && !whole.nr_wrong && !answers.nr_wrong &&
			  answers.nr_holes && answers.nr_writable &&
			  whole.nr_writable != answers.nr_writable,
		  "the CPU reads the mirror as the library means it: base %lx, "
		  "control %lx from the stream table; AT %s of %u "
		  "gfns from %lx: %u wrong, first %lx; after changes %u "
		  "mapped, %u of them writable, %u holes: %u wrong, first %lx",
		  answers.stage == 1 ? answers.stage1.ttbr : answers.vttbr,
		  answers.stage == 1 ? answers.stage1.tcr : answers.vtcr,
		  at_name(&answers), nr, SCENE_RAM_GFN, whole.nr_wrong,
		  whole.first_wrong, answers.nr_mapped, answers.nr_writable,
		  answers.nr_holes, answers.nr_wrong, answers.first_wrong);
	scene_close(&scene);
}
