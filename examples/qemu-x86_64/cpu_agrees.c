/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpu_agrees.c - a table that the library built, read by the CPU
 *
 * A second stage of VT-d reads as the CPU's own paging does, as far as its bits go:
 * 0 and 1 are present and writable, 7 is a large page. So the CPU is given a copy
 * (for it would note in an entry that it was used), and asked by loads and stores.
 * The table is found as the unit finds it, from its root table on.
 */
#include <stddef.h>
#include "arch.h"
#include "board.h"
#include "edu.h"
#include "machine.h"
#include "pages.h"
#include "probe.h"
#include "scenarios.h"
#include "scene.h"
#include "string.h"
#include "tap.h"

/* clang-format off */
/* VT-d 11.4.6, 9.1 to 9.6 */
#define VTD_RTADDR	 0x20
#define   RTADDR_SCALABLE (1u << 10)
#define ENTRY_PRESENT	 1ull
#define ENTRY_ADDRESS	 0x000ffffffffff000ull
#define CONTEXT_AW(w1)	 ((w1) & 7)
#define PASID_AW(w0)	 ((w0) >> 2 & 7)
#define LEVELS(aw)	 ((unsigned int)(aw) + 2)
/* 9.8; the CPU has them in the same places (Intel SDM vol. 3A, 4.5) */
#define PT_ACCESS	 3ull
#define PT_LARGE	 (1ull << 7)
/* clang-format on */

#define NR_ENTRIES   512u
#define GIB_LG2	     30
#define NR_IDENTITY  1u /* the host and its memory: the first GiB */
#define NR_GIB	     4u
#define MARK	     UINT64_C(0xc9a9bee5)
#define SMALL_TABLES 3u /* levels of which the last three cover a GiB */

struct table {
	uint64_t root;
	unsigned int levels;
};

struct answers {
	struct table table;
	unsigned int nr_mapped, nr_holes, nr_writable, nr_wrong;
	uint64_t first_wrong;
};

/* The page that an entry leads to; one of zeros, where that can't be a table. */
static const uint64_t *words(uint64_t entry)
{
	static const uint64_t none[NR_ENTRIES];
	uint64_t address = entry & ENTRY_ADDRESS;

	if (address - machine.ram_base >= machine.ram_size)
		return none;
	return (const uint64_t *)address;
}

static int find_table(unsigned int edu, struct table *table)
{
	struct iommuabs_unit_state state = { .size = sizeof(state) };
	uint16_t bdf = edu_get(edu)->pci->bdf;
	uint32_t bus = bdf >> 8, fn = bdf & 0xff;
	uint64_t rtaddr;
	const uint64_t *root, *entry;

	if (iommuabs_unit_state(iommu.unit, &state))
		return -1;
	rtaddr = mmio_read64(state.base + VTD_RTADDR);
	root = words(rtaddr);
	if (!(rtaddr & RTADDR_SCALABLE)) {
		entry = words(root[2 * bus]) + 2 * fn;
		table->levels = LEVELS(CONTEXT_AW(entry[1]));
	} else {
		entry = words(root[2 * bus + (fn >> 7)]) + 4 * (fn & 0x7f);
		/* The first entry of the directory, and of the table. */
		entry = words(*words(entry[0]));
		table->levels = LEVELS(PASID_AW(entry[0]));
	}
	table->root = entry[0] & ENTRY_ADDRESS;
	return entry[0] & ENTRY_PRESENT ? 0 : -1;
}

/* ---- a copy, for the CPU ---- */

static uint64_t page_new(void)
{
	uint64_t page = pages_alloc(&guest_pool, PAGE_LG2);

	if (page)
		memset((void *)page, 0, PAGE_SIZE);
	return page;
}

/* An entry of @level as the CPU is to have it, the tables under it copied. */
static uint64_t entry_copy(uint64_t entry, unsigned int level)
{
	uint64_t *copy;

	if (!(entry & PT_ACCESS) || !level || (entry & PT_LARGE))
		return entry;
	copy = (uint64_t *)page_new();
	for (unsigned int i = 0; copy && i < NR_ENTRIES; i++)
		copy[i] = entry_copy(words(entry)[i], level - 1);
	return copy ? (uint64_t)copy | PT_ACCESS : 0;
}

static void entry_free(uint64_t entry, unsigned int level)
{
	if (!(entry & PT_ACCESS) || !level || (entry & PT_LARGE))
		return;
	for (unsigned int i = 0; i < NR_ENTRIES; i++)
		entry_free(words(entry)[i], level - 1);
	pages_free(&guest_pool, entry & ENTRY_ADDRESS, PAGE_LG2);
}

/* The word of the table for the @gib-th GiB. */
static uint64_t gib_of(const struct table *table, unsigned int gib)
{
	uint64_t entry = table->root | PT_ACCESS;

	for (unsigned int level = table->levels; level > SMALL_TABLES; level--)
		entry = *words(entry);
	return entry & PT_ACCESS ? words(entry)[gib] : 0;
}

/*
 * A root by which the CPU sees the first GiB, with this program, as before, and the
 * three after it as the device does. 0: no memory.
 */
static uint64_t root_make(const struct table *table)
{
	const uint64_t *own = words(*words(cr3_read()));
	uint64_t *root = (uint64_t *)page_new(), *gibs;

	if (!root)
		return 0;
	root[0] = page_new() | PT_ACCESS;
	gibs = (uint64_t *)(root[0] & ENTRY_ADDRESS);
	for (unsigned int i = 0; gibs && i < NR_GIB; i++)
		gibs[i] = i < NR_IDENTITY ? own[i]
					  : entry_copy(gib_of(table, i), 2);
	return (uint64_t)root;
}

static void root_free(uint64_t root)
{
	uint64_t gibs = *words(root) & ENTRY_ADDRESS;

	for (unsigned int i = NR_IDENTITY; gibs && i < NR_GIB; i++)
		entry_free(words(gibs)[i], 2);
	if (gibs)
		pages_free(&guest_pool, gibs, PAGE_LG2);
	pages_free(&guest_pool, root, PAGE_LG2);
}

/* ---- questions ---- */

/* A load and a store find the frame @mfn at @gfn, as @flags let them. */
static int frame_is_seen(uint64_t root, uint64_t gfn, uint64_t mfn,
			 uint32_t flags)
{
	uint64_t *word = frame_word(mfn), before = *word, seen = 0;
	uint64_t address = gfn << PAGE_LG2;
	int good, stored;

	/* Registers of a device are only looked at. */
	if (mfn >> (GIB_LG2 - PAGE_LG2) >= NR_IDENTITY)
		return !probe_load(root, address, &seen) && seen == before;
	*word = MARK ^ mfn;
	good = !probe_load(root, address, &seen) && seen == (MARK ^ mfn);
	stored = !probe_store(root, address, MARK + mfn);
	good &= stored == ((flags & IOMMUABS_WRITE) != 0) &&
		*word == (stored ? MARK + mfn : MARK ^ mfn);
	*word = before;
	return good;
}

static int ask_one(struct iommuabs_domain *dom, uint64_t root, uint64_t gfn,
		   struct answers *answers)
{
	iommuabs_mfn_t mfn = { 0 };
	uint32_t flags = 0;
	uint64_t seen;
	int st =
		iommuabs_domain_translate(dom, IOMMUABS_GFN(gfn), &mfn, &flags);

	if (st == IOMMUABS_E_NOENT) {
		answers->nr_holes++;
		return probe_load(root, gfn << PAGE_LG2, &seen) != 0;
	}
	answers->nr_mapped++;
	answers->nr_writable += (flags & IOMMUABS_WRITE) != 0;
	return !st && frame_is_seen(root, gfn, mfn.frame, flags);
}

static int ask(const struct scene *scene, unsigned int edu, uint64_t gfn,
	       unsigned int nr, struct answers *answers)
{
	uint64_t root;

	*answers = (struct answers){ 0 };
	if (find_table(edu, &answers->table))
		return -1;
	root = root_make(&answers->table);
	if (!root)
		return -1;
	for (unsigned int i = 0; i < nr; i++) {
		if (ask_one(scene->vm.dom, root, gfn + i, answers))
			continue;
		if (!answers->nr_wrong++)
			answers->first_wrong = gfn + i;
	}
	root_free(root);
	return 0;
}

void cpu_check_table(const struct scene *scene, unsigned int edu, uint64_t gfn,
		     unsigned int nr)
{
	struct answers answers;
	int st = ask(scene, edu, gfn, nr, &answers);

	tap_check(!st && !answers.nr_wrong && answers.nr_mapped,
		  "random: the CPU reads the mirror that came of it: loads and "
		  "stores at %u gfns: %u mapped, %u writable, %u holes; %u "
		  "wrong, first %lx",
		  nr, answers.nr_mapped, answers.nr_writable, answers.nr_holes,
		  answers.nr_wrong, answers.first_wrong);
}

/* Leaves of 2M and 4K, read-only frames, holes, device memory. */
static int vary(struct scene *scene)
{
	int st = vm_unmap(&scene->vm, SCENE_RAM_GFN + 7, 3);

	if (!st)
		st = vm_protect(&scene->vm, SCENE_RAM_GFN + 100, 50,
				IOMMUABS_READ);
	if (!st)
		st = vm_map(&scene->vm, SCENE_RAM_GFN + SCENE_RAM_NR,
			    BOARD_REGISTERS_MFN, 1, SCENE_DEVICE_RW);
	return st;
}

void scenario_arch(void)
{
	const unsigned int nr = SCENE_RAM_NR + 32;
	struct answers answers = { 0 }, whole = { 0 };
	struct scene scene;
	int st, found;

	if (scene_open(&scene, "mirrored", IOMMUABS_STRATEGY_MIRROR))
		return;
	st = scene_attach(&scene, 0);
	found = ask(&scene, 0, SCENE_RAM_GFN, nr, &whole);
	if (!st)
		st = vary(&scene);
	if (!found)
		found = ask(&scene, 0, SCENE_RAM_GFN, nr, &answers);
	tap_check(!st && !found && !whole.nr_wrong && !answers.nr_wrong &&
			  answers.nr_holes && answers.nr_writable &&
			  whole.nr_writable != answers.nr_writable,
		  "the CPU reads the mirror as the library means it: root %lx "
		  "of %u levels from the unit's root table; loads and stores "
		  "at %u gfns from %lx: %u wrong, first %lx; after changes %u "
		  "mapped, %u of them writable, %u holes: %u wrong, first %lx",
		  answers.table.root, answers.table.levels, nr, SCENE_RAM_GFN,
		  whole.nr_wrong, whole.first_wrong, answers.nr_mapped,
		  answers.nr_writable, answers.nr_holes, answers.nr_wrong,
		  answers.first_wrong);
	scene_close(&scene);
}
