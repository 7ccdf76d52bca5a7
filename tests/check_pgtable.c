/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_pgtable.c - every format in every geometry against a flat array
 *
 * The array says for each frame of a window what is mapped there. What a walker
 * of an IOMMU sees is asked of a walker of our own, whose constants are
 * transcribed from the Arm ARM anew.
 */
#include "test_host.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "host/tablemem.h"
#include "pgtable/pgtable.h"

#define LG2	 IOMMUABS_FRAME_LG2
#define SPAN(l)	 ((uint64_t)1 << 9 * (l)) /* of a 4 KiB granule */
#define RW	 (IOMMUABS_READ | IOMMUABS_WRITE)
#define WALK_MAX (~(uint64_t)0)
/* Outputs are beyond the arena: no leaf looks like a link. */
#define OUT_BASE SPAN(3)

/* In loops, where the values of an assertion's operands take too long. */
#define HOLDS(condition)                                \
	do {                                            \
		if (!(condition))                       \
			ck_abort_msg("%s", #condition); \
	} while (0)

/* ---- formats and geometries ---- */

struct geometry {
	const struct pt_ops *ops;
	uint8_t in_bits, top, root_lg2, leaf_mask, clean;
	uint32_t host; /* TEST_HOST_* */
	uint8_t bbml, hint_mask;
};

/* What the Arm ARM says of a format, transcribed anew. */
static const struct arm_format {
	const struct pt_ops *ops;
	uint8_t stage, granule_lg2, out_bits;
	uint8_t ds; /* TCR.DS: the layout of D8.3 for 4K and 16K with 52 bits */
} arm_formats[] = {
	{ &pt_arm_s1_4k_ops, 1, 12, 48, 0 },
	{ &pt_arm_s1_16k_ops, 1, 14, 48, 0 },
	{ &pt_arm_s1_64k_ops, 1, 16, 52, 0 },
	{ &pt_arm_s1_4k_52_ops, 1, 12, 52, 1 },
	{ &pt_arm_s1_16k_52_ops, 1, 14, 52, 1 },
	{ &pt_arm_s2_4k_ops, 2, 12, 48, 0 },
	{ &pt_arm_s2_16k_ops, 2, 14, 48, 0 },
	{ &pt_arm_s2_64k_ops, 2, 16, 52, 0 },
	{ &pt_arm_s2_4k_52_ops, 2, 12, 52, 1 },
	{ &pt_arm_s2_16k_52_ops, 2, 14, 52, 1 },
};

/* NULL: one of the library's own. */
static const struct arm_format *arm_format(const struct pt_ops *ops)
{
	unsigned int i;

	for (i = 0; i < IA_COUNT(arm_formats); i++)
		if (arm_formats[i].ops == ops)
			return &arm_formats[i];
	return NULL;
}

static bool is_vtd(const struct pt_ops *ops)
{
	return ops == &pt_vtd_ops || ops == &pt_vtd_snoop_ops;
}

static unsigned int granule_lg2(const struct pt_ops *ops)
{
	const struct arm_format *arm = arm_format(ops);

	return arm ? arm->granule_lg2 : LG2;
}

/* Frames of a leaf: 512, 2048 or 8192 entries in a table. */
static uint64_t span_of(const struct pt_ops *ops, unsigned int level)
{
	unsigned int lg2 = granule_lg2(ops);

	return (uint64_t)1 << (lg2 - LG2 + (lg2 - 3) * level);
}

/*
 * Every start level, alone and with the most tables side by side ("Concatenated
 * translation tables", stage 2 only), and what lies between.
 */
static const struct geometry geometries[] = {
	{ &pt_arm_s2_4k_ops, 48, 3, 12, 0x7, 0, 0, 2 },
	{ &pt_arm_s2_4k_ops, 44, 3, 12, 0x3, 1, 0, 0 },
	{ &pt_arm_s2_4k_ops, 40, 3, 12, 0x1, 0, TEST_HOST_MAP, 1 },
	{ &pt_arm_s2_4k_ops, 43, 2, 16, 0x7, 1, 0, 2 },
	{ &pt_arm_s2_4k_ops, 41, 2, 14, 0x3, 0, TEST_HOST_MAP, 0 },
	{ &pt_arm_s2_4k_ops, 40, 2, 13, 0x7, 0, 0, 1 },
	{ &pt_arm_s2_4k_ops, 39, 2, 12, 0x7, 0, 0, 2 },
	{ &pt_arm_s2_4k_ops, 32, 2, 12, 0x7, 1, TEST_HOST_MAP, 0 },
	{ &pt_arm_s2_4k_ops, 34, 1, 16, 0x3, 1, TEST_HOST_MAP, 1 },
	{ &pt_arm_s2_4k_ops, 31, 1, 13, 0x1, 0, 0, 2 },
	{ &pt_arm_s2_4k_ops, 30, 1, 12, 0x3, 0, 0, 0 },
	{ &pt_arm_s2_4k_ops, 25, 0, 16, 0x1, 1, TEST_HOST_MAP, 1 },
	{ &pt_arm_s2_4k_ops, 21, 0, 12, 0x1, 0, 0, 2 },
	{ &pt_arm_s2_4k_52_ops, 52, 4, 12, 0x7, 0, TEST_HOST_HIGH, 0 },
	{ &pt_arm_s2_4k_52_ops, 52, 3, 16, 0x7, 1,
	  TEST_HOST_MAP | TEST_HOST_HIGH, 1 },
	{ &pt_arm_s2_16k_ops, 48, 2, 15, 0x3, 0, 0, 2 },
	{ &pt_arm_s2_16k_ops, 47, 2, 14, 0x3, 1, TEST_HOST_MAP, 0 },
	{ &pt_arm_s2_16k_ops, 40, 1, 18, 0x3, 1, 0, 1 },
	{ &pt_arm_s2_16k_ops, 36, 1, 14, 0x1, 0, 0, 2 },
	{ &pt_arm_s2_16k_ops, 29, 0, 18, 0x1, 0, TEST_HOST_MAP, 0 },
	{ &pt_arm_s2_16k_ops, 25, 0, 14, 0x1, 1, 0, 1 },
	{ &pt_arm_s2_16k_52_ops, 52, 3, 12, 0x3, 0, 0, 2 },
	{ &pt_arm_s2_16k_52_ops, 51, 2, 18, 0x3, 1, TEST_HOST_HIGH, 0 },
	{ &pt_arm_s2_64k_ops, 52, 2, 13, 0x3, 0, TEST_HOST_HIGH, 1 },
	{ &pt_arm_s2_64k_ops, 48, 2, 12, 0x1, 1, TEST_HOST_MAP, 2 },
	{ &pt_arm_s2_64k_ops, 46, 1, 20, 0x3, 1, 0, 0 },
	{ &pt_arm_s2_64k_ops, 42, 1, 16, 0x3, 0, TEST_HOST_MAP, 1 },
	{ &pt_arm_s2_64k_ops, 33, 0, 20, 0x1, 0, 0, 2 },
	{ &pt_arm_s2_64k_ops, 29, 0, 16, 0x1, 1, 0, 0 },
	{ &pt_arm_s1_4k_ops, 48, 3, 12, 0x7, 0, 0, 1 },
	{ &pt_arm_s1_4k_ops, 39, 2, 12, 0x3, 1, TEST_HOST_MAP, 2 },
	{ &pt_arm_s1_4k_ops, 25, 1, 12, 0x3, 0, 0, 0 },
	{ &pt_arm_s1_4k_52_ops, 52, 4, 12, 0x7, 0, 0, 1 },
	{ &pt_arm_s1_4k_52_ops, 48, 3, 12, 0x7, 1, TEST_HOST_HIGH, 2 },
	{ &pt_arm_s1_16k_ops, 48, 3, 12, 0x3, 0, 0, 0 },
	{ &pt_arm_s1_16k_ops, 39, 2, 12, 0x3, 1, TEST_HOST_MAP, 1 },
	{ &pt_arm_s1_16k_52_ops, 52, 3, 12, 0x3, 1, TEST_HOST_HIGH, 2 },
	{ &pt_arm_s1_64k_ops, 52, 2, 13, 0x3, 0, 0, 0 },
	{ &pt_arm_s1_64k_ops, 48, 2, 12, 0x3, 1, TEST_HOST_MAP | TEST_HOST_HIGH,
	  1 },
	{ &pt_vtd_ops, 57, 4, 12, 0x7, 0, TEST_HOST_HIGH, 2 },
	{ &pt_vtd_ops, 48, 3, 12, 0x7, 1, 0, 2 },
	{ &pt_vtd_ops, 48, 3, 12, 0x1, 0, TEST_HOST_MAP, 2 },
	{ &pt_vtd_ops, 39, 2, 12, 0x3, 1, TEST_HOST_MAP, 2 },
	{ &pt_vtd_snoop_ops, 57, 4, 12, 0x7, 1, TEST_HOST_MAP | TEST_HOST_HIGH,
	  2 },
	{ &pt_vtd_snoop_ops, 48, 3, 12, 0x3, 0, 0, 2 },
	{ &pt_vtd_snoop_ops, 39, 2, 12, 0x7, 0, TEST_HOST_MAP, 2 },
	{ &pt_ledger_ops, 48, 3, 12, 0x7, 0, 0 },
	{ &pt_ledger_ops, 39, 2, 12, 0x1, 0, TEST_HOST_MAP },
	{ &pt_ledger_ops, 36, 2, 12, 0x7, 0, 0 },
	{ &pt_rmap_ops, 52, 4, 12, 0xf, 0, 0 },
	{ &pt_rmap_ops, 48, 3, 12, 0x3, 0, TEST_HOST_MAP },
};
#define NR_GEOMETRIES ((int)IA_COUNT(geometries))

static uint64_t format_attr(const struct pt_ops *ops, uint64_t *seed)
{
	uint64_t r = test_random(seed);

	if (ops == &pt_ledger_ops)
		return r & (PT_LEDGER_FLAGS | PT_LEDGER_STATE);
	if (ops == &pt_rmap_ops)
		return r & (PT_RMAP_DOMAIN | PT_RMAP_FOREIGN | PT_RMAP_HOST |
			    PT_RMAP_SHARED);
	/* In VT-d an entry without any permission is none. */
	return (r & RW) | (r >> 8) % 3 << 2 |
	       (is_vtd(ops) || arm_format(ops)->stage == 1 ? IOMMUABS_READ : 0);
}

/* Bits that an ATTR edit may set or clear in any combination. */
static uint64_t format_bits(const struct pt_ops *ops)
{
	if (ops == &pt_ledger_ops)
		return PT_LEDGER_FLAGS | PT_LEDGER_STATE;
	if (ops == &pt_rmap_ops)
		return PT_RMAP_DOMAIN | PT_RMAP_FOREIGN | PT_RMAP_HOST |
		       PT_RMAP_SHARED;
	return is_vtd(ops) || arm_format(ops)->stage == 1 ? IOMMUABS_WRITE : RW;
}

/* ---- fixture ---- */

struct fixture {
	struct test_host *host;
	struct tablemem mem;
	struct tablemem_account account;
	struct tablemem_pool pool;
	struct pt pt;
	const struct arm_format *arm; /* NULL: the library's own */
	uint64_t granule;	      /* frames */
	uint64_t seed;
	/* What a device that doesn't snoop sees: cleaned lines of the arena. */
	char *seen;
	uint64_t cleans;
};

/* Cleans have the host's context only. */
static struct fixture *cleaning;

static void *arena_at(const struct fixture *f, const char *base, uint64_t maddr)
{
	(void)f;
	return (void *)(uintptr_t)(base + (maddr - (f->host->mfn << LG2)));
}

/* Arm ARM, table descriptor: bits 1 and 0 set. VT-d 9.8: and bit 7 clear. */
static bool is_table_word(const struct fixture *f, uint64_t word)
{
	return (word & 3) == 3 && !(is_vtd(f->pt.ops) && word & 1 << 7);
}

/* Frames of a leaf in this fixture's format. */
static uint64_t span(const struct fixture *f, unsigned int level)
{
	return span_of(f->pt.ops, level);
}

/*
 * The address in a descriptor (D8.3): 47..12, from the granule's lowest bit on;
 * with DS 49..12, and 51..50 in 9..8; in 64K tables 51..48 in 15..12. The
 * library's own tables have theirs in 51..12.
 */
static uint64_t word_address(const struct fixture *f, uint64_t word)
{
	const struct arm_format *arm = f->arm;
	uint64_t low;

	if (!arm)
		return word & 0x000ffffffffff000;
	low = word >> arm->granule_lg2 << arm->granule_lg2;
	if (arm->ds)
		return (low & 0x0003ffffffffffff) | (word >> 8 & 3) << 50;
	low &= 0x0000ffffffffffff;
	if (arm->granule_lg2 == 16)
		low |= (word >> 12 & 0xf) << 48;
	return low;
}

/* A line goes to memory with a link in it: the table must be there already. */
static void link_is_late(struct fixture *f, uint64_t word)
{
	uint64_t maddr = word_address(f, word);

	if (!is_table_word(f, word) || maddr < f->host->mfn << LG2 ||
	    maddr >= (f->host->mfn + TEST_HOST_FRAMES) << LG2)
		return;
	if (memcmp(arena_at(f, f->seen, maddr),
		   arena_at(f, f->host->arena, maddr), f->granule << LG2))
		test_host_violation(f->host, "table linked before it is clean");
}

static void clean_lines(void *ctx, const void *p, size_t size)
{
	struct fixture *f = cleaning;
	uint64_t first = (uint64_t)((const char *)p - f->host->arena) & ~63ull;
	uint64_t end = (uint64_t)((const char *)p - f->host->arena) + size;
	uint64_t i, word;

	(void)ctx;
	f->cleans++;
	for (i = first; i < end; i += 8) {
		memcpy(&word, f->host->arena + i, 8);
		/* Leaves of level 0 look the same; they point elsewhere. */
		link_is_late(f, word);
	}
	end = (end + 63) & ~63ull;
	memcpy(f->seen + first, f->host->arena + first, end - first);
}

static void fixture_make(struct fixture *f, const struct geometry *geo)
{
	memset(f, 0, sizeof(*f));
	f->host = test_host_new(geo->host);
	f->seen = test_pages_new(TEST_HOST_FRAMES << LG2);
	cleaning = f;
	if (geo->clean)
		f->host->hostif.ops.cache_clean = clean_lines;
	f->arm = arm_format(geo->ops);
	f->granule = span_of(geo->ops, 0);
	f->pool.page_lg2 = (uint8_t)granule_lg2(geo->ops);
	f->account.cookie = f->host->frames;
	f->seed = 1;
	ck_assert_int_eq(tablemem_init(&f->mem, &f->host->hostif), 0);
	f->pt = (struct pt){
		.ops = geo->ops,
		.host = &f->host->hostif,
		.granule_lg2 = (uint8_t)granule_lg2(geo->ops),
		.top = geo->top,
		.root_lg2 = geo->root_lg2,
		.in_bits = geo->in_bits,
		.out_bits = f->arm ? f->arm->out_bits : 52,
		.leaf_mask = geo->leaf_mask,
		.clean = geo->clean,
		.bbml = geo->bbml,
		.hint_mask = geo->hint_mask,
	};
	ck_assert_int_eq(tablemem_alloc(&f->mem, &f->account, geo->root_lg2, 0,
					&f->pt.root),
			 0);
	memset(test_host_ptr(f->host, f->pt.root), 0xa5,
	       (size_t)1 << geo->root_lg2);
	f->pt.ops->init_root(&f->pt);
}

static void need(struct fixture *f, uint32_t nr)
{
	ck_assert_int_eq(tablemem_pool_fill(&f->mem, &f->account, &f->pool, nr),
			 0);
}

static void drain(struct fixture *f)
{
	tablemem_pool_drain(&f->mem, &f->account, &f->pool);
}

/* Everything goes, in steps of @step. */
static void free_by(struct fixture *f, uint64_t step)
{
	enum pt_status status;
	uint64_t budget, used;

	drain(f);
	do {
		budget = step;
		used = f->account.used;
		status = pt_free_tables(&f->pt, f->pt.root | f->pt.top, &f->mem,
					&f->account, &budget);
		/* A table takes a unit of work, and so does the root. */
		ck_assert(status != PT_BUDGET ||
			  used - f->account.used <=
				  step * ((uint64_t)1
					  << (f->pt.granule_lg2 - 12)));
	} while (status == PT_BUDGET);
	ck_assert_int_eq(status, PT_OK);
}

static void fixture_delete(struct fixture *f)
{
	ck_assert_uint_eq(f->account.used, 0);
	tablemem_exit(&f->mem);
	test_host_delete(f->host);
	test_pages_delete(f->seen, TEST_HOST_FRAMES << LG2);
}

/* The account must be even. */
static void fixture_end_by(struct fixture *f, uint64_t step)
{
	free_by(f, step);
	fixture_delete(f);
}

static void fixture_end(struct fixture *f)
{
	fixture_end_by(f, ~(uint64_t)0);
}

/* ---- a walker of our own ---- */

/*
 * A walk as the Arm ARM describes it, from @base (what the CPU wrote, or what a
 * walker that doesn't snoop sees). Levels are the manual's: 3 is the last, -1 the
 * first. Return: the descriptor, or 0 if the translation faults.
 */
static uint64_t arm_walk(const struct fixture *f, const char *base, uint64_t in,
			 int *level_out, uint64_t *out)
{
	int level = 3 - f->pt.top, each = f->arm->granule_lg2 - 3, shift;
	uint64_t address = in << 12, table = f->pt.root, word, index;

	for (;; level++) {
		shift = f->arm->granule_lg2 + each * (3 - level);
		index = address >> shift;
		if (level != 3 - f->pt.top)
			index &= ((uint64_t)1 << each) - 1;
		word = *(uint64_t *)arena_at(f, base, table + index * 8);
		if (!(word & 1) || (level == 3 && !(word & 2)))
			return 0;
		if (level == 3 || !(word & 2))
			break;
		table = word_address(f, word);
	}
	*level_out = level;
	/* Bit 16 of a block is nT, also where a page's address begins there. */
	*out = word_address(f, word) >> 12 & ~(uint64_t)(level < 3 ? 16 : 0);
	HOLDS(!(*out & (((uint64_t)1 << (shift - 12)) - 1)));
	*out += in & (((uint64_t)1 << (shift - 12)) - 1);
	return word;
}

/* The bits of a descriptor that say no address. */
static uint64_t word_bits(const struct fixture *f, uint64_t word)
{
	uint64_t address = 0x0000ffffffffffff;

	if (f->arm->ds)
		address = 0x0003ffffffffffff;
	address = address >> f->arm->granule_lg2 << f->arm->granule_lg2;
	if (f->arm->ds)
		address |= 0x300;
	if (f->arm->granule_lg2 == 16)
		address |= 0xf000;
	return word & ~address;
}

/*
 * Block and page descriptors: AF bit 10; SH 9..8: 0b11 Inner, 0b10 Outer
 * Shareable, but for DS. Stage 2: S2AP 7..6: 0b01 read, 0b10 write; MemAttr 5..2:
 * 0b1111 Write-Back, 0b0101 Non-cacheable, 0b0001 nGnRE; XN 54..53 is 0. Stage 1:
 * AttrIndx 4..2; AP[2:1] 7..6: 0b01 read and write, 0b11 read only; nG 11; UXN
 * 54, PXN 53 are 0. Contiguous, 52: group_is_whole().
 */
static uint64_t arm_bits(const struct fixture *f, uint64_t attr, int level)
{
	static const uint64_t stage2[] = { 0x3c, 0x04, 0x14 };
	static const uint64_t stage1[] = { 0x00, 0x04, 0x08 };
	static const uint64_t share[] = { 0x300, 0x200, 0x200 };
	uint64_t word = 0x400 | (level == 3 ? 3 : 1);

	if (!f->arm->ds)
		word |= share[attr >> 2 & 3];
	if (f->arm->stage == 2)
		return word | stage2[attr >> 2 & 3] | (attr & 3) << 6;
	return word | stage1[attr >> 2 & 3] | 0x800 |
	       (attr & IOMMUABS_WRITE ? 0x40 : 0xc0);
}

#define VTD_ADDRESS 0x000ffffffffff000

/*
 * A walk as VT-d 3.7 describes it, levels as there: 1 is the last. Each on the way
 * lets through what it says. Return: the entry, or 0 if there is none.
 */
static uint64_t vtd_walk(const struct fixture *f, uint64_t in, int *level_out,
			 uint64_t *out)
{
	const char *base = f->pt.clean ? f->seen : f->host->arena;
	uint64_t table = f->pt.root, word, shift;
	int level = f->pt.top + 1;

	for (;; level--) {
		shift = 9 * ((uint64_t)level - 1);
		word = *(uint64_t *)arena_at(f, base,
					     table + (in >> shift & 511) * 8);
		if (!(word & 3))
			return 0;
		if (level == 1 || word & 1 << 7)
			break;
		HOLDS((word & 0xfff) == 3);
		table = word & VTD_ADDRESS;
	}
	*level_out = level;
	*out = (word & VTD_ADDRESS) >> 12;
	HOLDS(!(*out & (((uint64_t)1 << shift) - 1)));
	*out += in & (((uint64_t)1 << shift) - 1);
	return word;
}

/* 9.8: as in vtd_entries_are_those_of_the_manual(). */
static uint64_t vtd_bits(const struct fixture *f, uint64_t attr, int level)
{
	uint64_t snoop = f->pt.ops == &pt_vtd_snoop_ops && !(attr >> 2 & 3);

	return (attr & 3) | (attr >> 2 & 3) << 52 | (uint64_t)(level > 1) << 7 |
	       snoop << 11;
}

#define CONTIGUOUS ((uint64_t)1 << 52)

/*
 * How many descriptors are contiguous together (D8.7.1): 4K tables 16 at each
 * level; 16K 128 pages or 32 blocks; 64K 32 of either.
 */
static uint64_t group_of(const struct fixture *f, int level)
{
	if (f->arm->granule_lg2 == 12)
		return 16;
	return f->arm->granule_lg2 == 14 && level == 3 ? 128 : 32;
}

/* All have the bit, the same attributes, and frames that follow each other. */
static void group_is_whole(struct fixture *f, uint64_t in, uint64_t word,
			   int level)
{
	const char *base = f->pt.clean ? f->seen : f->host->arena;
	uint64_t nr = group_of(f, level), each = span(f, (unsigned)(3 - level));
	uint64_t members[4] = { 0, nr - 1, test_random_below(&f->seed, nr),
				test_random_below(&f->seed, nr) };
	uint64_t first = IA_ALIGN_DOWN(in, nr * each), out, first_out, other;
	unsigned int i;
	int at;

	HOLDS(f->pt.hint_mask >> (3 - level) & 1);
	HOLDS(arm_walk(f, base, first, &at, &first_out));
	HOLDS(!(first_out & (nr * each - 1)));
	for (i = 0; i < IA_COUNT(members); i++) {
		other = arm_walk(f, base, first + members[i] * each, &at, &out);
		HOLDS(other && at == level);
		HOLDS(word_bits(f, other) == word_bits(f, word));
		HOLDS(out == first_out + members[i] * each);
	}
}

/* A walker that doesn't snoop sees what the CPU wrote. */
static void page_is_clean(const struct fixture *f, uint64_t maddr)
{
	HOLDS(!f->pt.clean || !memcmp(arena_at(f, f->seen, maddr),
				      test_host_ptr(f->host, maddr), 4096));
}

static uint64_t table_entries(const struct fixture *f)
{
	return (f->granule << LG2) / 8;
}

/* Tables below @table, whose slots are at @level. */
static uint64_t tables_below(const struct fixture *f, uint64_t table,
			     unsigned int level, uint64_t entries)
{
	const uint64_t *page = test_host_ptr(f->host, table);
	uint64_t i, nr = 0;

	for (i = 0; i < entries; i++) {
		if (i % 512 == 0)
			page_is_clean(f, table + i * 8);
		if (!level || !is_table_word(f, page[i]))
			continue;
		nr += 1 + tables_below(f, word_address(f, page[i]), level - 1,
				       table_entries(f));
	}
	return nr;
}

/* Pages are the root's, linked, or in the pool: nothing has leaked. */
static void all_pages_are_somewhere(const struct fixture *f)
{
	uint64_t root = (uint64_t)1 << (f->pt.root_lg2 - LG2);
	uint64_t below = tables_below(f, f->pt.root, f->pt.top, root * 512);

	ck_assert_uint_eq(f->account.used,
			  root + f->granule * (f->pool.nr + below));
}

/* ---- the flat oracle ---- */

struct frame {
	uint64_t out, attr; /* out 0: nothing is mapped */
};

struct window {
	uint64_t base, nr;
	struct frame *frames;
};

/* 1.5 leaves of the largest size in the middle of the space, or all of it. */
static void window_make(struct window *w, const struct geometry *geo)
{
	uint64_t all = (uint64_t)1 << (geo->in_bits - LG2);

	w->nr = span_of(geo->ops, 1) * 12;
	if (granule_lg2(geo->ops) != LG2)
		w->nr = span_of(geo->ops, 1) * 5 / 2;
	else if (geo->leaf_mask & 4)
		w->nr = SPAN(2) * 3 / 2;
	w->nr = IA_MIN(w->nr, all);
	/* Across the middle: two root entries, two levels of everything. */
	w->base = w->nr == all ? 0 : all / 2 - w->nr / 3 * 2;
	w->base = IA_ALIGN_DOWN(w->base, span_of(geo->ops, 0));
	w->frames = calloc(w->nr, sizeof(*w->frames));
	ck_assert_ptr_nonnull(w->frames);
}

static struct frame *frame_at(const struct window *w, uint64_t in)
{
	return &w->frames[in - w->base];
}

static void lookup_agrees(struct fixture *f, const struct window *w,
			  uint64_t in)
{
	const struct frame *frame = frame_at(w, in);
	struct pt_leaf leaf;
	bool found = f->pt.ops->lookup(&f->pt, in, &leaf);
	uint64_t out = 0, word;
	int level = 3;

	HOLDS(found == (frame->out != 0));
	HOLDS(leaf.nr >= 1);
	HOLDS(!((in + leaf.nr) & (span(f, leaf.level) - 1)));
	HOLDS(!found || leaf.out == frame->out);
	HOLDS(!found || leaf.attr == frame->attr);
	if (is_vtd(f->pt.ops)) {
		word = vtd_walk(f, in, &level, &out);
		HOLDS((word != 0) == found);
		HOLDS(!found || out == frame->out);
		HOLDS(!found ||
		      (word & ~VTD_ADDRESS) == vtd_bits(f, frame->attr, level));
		HOLDS(leaf.entry == word);
		HOLDS(!found || leaf.level == (unsigned int)level - 1);
	}
	if (!f->arm)
		return;
	word = arm_walk(f, f->pt.clean ? f->seen : f->host->arena, in, &level,
			&out);
	HOLDS((word != 0) == found);
	if (!found)
		return;
	HOLDS(out == frame->out);
	HOLDS((word_bits(f, word) & ~CONTIGUOUS) ==
	      arm_bits(f, frame->attr, level));
	if (word & CONTIGUOUS)
		group_is_whole(f, in, word, level);
	HOLDS(leaf.entry == word);
	HOLDS(leaf.level == 3 - level);
}

static bool run_agrees(const struct window *w, const struct pt_run *run)
{
	const struct frame *frame = frame_at(w, run->in);
	uint64_t i;

	for (i = 0; i < run->nr; i++)
		if (frame[i].out != run->out + i || frame[i].attr != run->attr)
			return false;
	return true;
}

static uint64_t free_frames(const struct window *w, uint64_t in, uint64_t nr)
{
	uint64_t i;

	for (i = 0; i < nr && !frame_at(w, in + i)->out; i++)
		;
	return i;
}

/* All of a range, by next() in pieces of @step. */
static void next_agrees(const struct fixture *f, const struct window *w,
			uint64_t in, uint64_t end, uint64_t step)
{
	enum pt_status status;
	struct pt_run run;
	uint64_t budget;

	while (in < end) {
		budget = step;
		run.nr = 0;
		status = f->pt.ops->next(&f->pt, in, end, &budget, &run);
		if (status == PT_END)
			run.in = end;
		HOLDS(status == PT_END || run.in < end);
		HOLDS(status != PT_BUDGET || (!budget && run.in > in));
		HOLDS(free_frames(w, in, run.in - in) == run.in - in);
		in = run.in;
		if (status != PT_OK)
			continue;
		HOLDS(run.nr && run.in + run.nr <= end);
		HOLDS(run_agrees(w, &run));
		in += run.nr;
	}
}

/* A range of the window: all sizes, often at the edges of leaves. */
static void range_random(struct fixture *f, const struct window *w,
			 uint64_t *in, uint64_t *nr)
{
	uint64_t huge = span(f, 1) / f->granule;
	uint64_t sizes[] = { 1, 2, 64, 511, huge, 3 * huge, huge * huge };
	uint64_t all = w->nr / f->granule;
	uint64_t most = IA_MIN(sizes[test_random_below(&f->seed, 7)], all);
	uint64_t align = span(f, test_random_below(&f->seed, 3) & 3);

	*nr = 1 + test_random_below(&f->seed, most);
	if (test_random_below(&f->seed, 2))
		*nr = most;
	*nr *= f->granule;
	*in = w->base + test_random_below(&f->seed, all) * f->granule;
	if (IA_ALIGN_DOWN(*in, align) >= w->base)
		*in = IA_ALIGN_DOWN(*in, align);
	*nr = IA_MIN(*nr, w->base + w->nr - *in);
}

static void oracle_map(const struct window *w, const struct pt_run *run,
		       uint64_t nr)
{
	uint64_t i;

	for (i = 0; i < nr; i++) {
		frame_at(w, run->in + i)->out = run->out + i;
		frame_at(w, run->in + i)->attr = run->attr;
	}
}

/*
 * Where @nr frames go that begin at @in modulo @shift: often across a border of
 * 2^48 or 2^50 bytes, where addresses of 52 bits are in two pieces.
 */
static uint64_t out_random(struct fixture *f, uint64_t in, uint64_t nr,
			   uint64_t shift)
{
	uint64_t end = (uint64_t)1 << (f->pt.out_bits - LG2), border;

	border = (1 + test_random_below(&f->seed, 15)) << (48 - LG2);
	if (border + 2 * shift + nr < end && test_random_below(&f->seed, 2))
		return border - IA_MIN(nr, border) + in % shift +
		       shift * test_random_below(&f->seed, 2);
	if (shift > SPAN(3))
		shift = SPAN(3);
	return OUT_BASE + in % SPAN(3) +
	       shift * (1 + test_random_below(&f->seed, 1000));
}

/* The pool has fewer pages than it takes: each time it ends, one more. */
static void do_map(struct fixture *f, const struct window *w)
{
	struct pt_run run, rest;
	uint64_t room, done;
	uint64_t shift = span(f, test_random_below(&f->seed, 3) & 3);
	enum pt_status status;
	uint32_t count;

	range_random(f, w, &run.in, &run.nr);
	run.out = out_random(f, run.in, run.nr, shift);
	run.attr = format_attr(f->pt.ops, &f->seed);
	room = free_frames(w, run.in, run.nr);
	count = f->pt.ops->count(&f->pt, run.in, run.out, run.nr);
	drain(f);
	if (test_random_below(&f->seed, 2))
		need(f, count);
	rest = run;
	do {
		status = f->pt.ops->map(&f->pt, &rest, &f->pool, &done);
		rest.in += done;
		rest.out += done;
		rest.nr -= done;
		if (status == PT_NO_TABLES) {
			ck_assert_uint_eq(f->pool.nr, 0);
			ck_assert_uint_gt(count, 0);
			need(f, 1);
			count--;
		}
	} while (status == PT_NO_TABLES);
	ck_assert_int_eq(status, room == run.nr ? PT_OK : PT_OCCUPIED);
	ck_assert_uint_eq(rest.in - run.in, room);
	if (!status) /* exactly as many as was said */
		ck_assert(f->pool.nr == 0);
	oracle_map(w, &run, room);
}

static uint64_t granule_random(struct fixture *f, const struct window *w)
{
	return w->base +
	       IA_ALIGN_DOWN(test_random_below(&f->seed, w->nr), f->granule);
}

static void do_map_one(struct fixture *f, const struct window *w)
{
	enum pt_status status;
	struct pt_leaf leaf;
	struct pt_run run;

	run.nr = f->granule;
	run.in = granule_random(f, w);
	run.out = OUT_BASE + IA_ALIGN_DOWN(test_random_below(&f->seed, SPAN(3)),
					   f->granule);
	run.attr = format_attr(f->pt.ops, &f->seed);
	f->pt.ops->lookup(&f->pt, run.in, &leaf);
	status = f->pt.ops->map_one(&f->pt, run.in, run.out, run.attr);
	if (frame_at(w, run.in)->out) {
		ck_assert_int_eq(status, PT_OCCUPIED);
	} else {
		ck_assert_int_eq(status, leaf.level ? PT_NO_TABLES : PT_OK);
		if (!status)
			oracle_map(w, &run, run.nr);
	}
}

static void do_edit_one(struct fixture *f, const struct window *w)
{
	uint64_t in = granule_random(f, w), i;
	uint64_t bits = format_bits(f->pt.ops);
	uint64_t clear = test_random(&f->seed) & bits;
	uint64_t set = test_random(&f->seed) & clear;
	struct frame *frame = frame_at(w, in);
	bool attr = test_random_below(&f->seed, 2);
	struct pt_leaf old, leaf;
	enum pt_status status;

	f->pt.ops->lookup(&f->pt, in, &leaf);
	if (attr)
		status = f->pt.ops->attr_one(&f->pt, in, clear, set, &old);
	else
		status = f->pt.ops->clear_one(&f->pt, in, &old);
	ck_assert_uint_eq(old.entry, leaf.entry);
	ck_assert_uint_eq(old.out, leaf.out);
	ck_assert_uint_eq(old.attr, leaf.attr);
	ck_assert_uint_eq(old.level, leaf.level);
	if (!frame->out) {
		ck_assert_int_eq(status, PT_END);
		return;
	}
	if (leaf.level || (f->arm && leaf.entry & CONTIGUOUS)) {
		ck_assert_int_eq(status, PT_NO_TABLES);
		return;
	}
	ck_assert_int_eq(status, PT_OK);
	for (i = 0; i < f->granule; i++) {
		if (attr)
			frame[i].attr = (frame[i].attr & ~clear) | set;
		else
			frame[i] = (struct frame){ 0 };
	}
}

static void edit_random(struct fixture *f, struct pt_edit *edit)
{
	uint64_t bits = format_bits(f->pt.ops);

	*edit = (struct pt_edit){ .kind = PT_EDIT_CLEAR };
	if (test_random_below(&f->seed, 3) == 0) {
		edit->kind = PT_EDIT_ATTR;
		edit->clear = test_random(&f->seed) & bits;
		edit->set = test_random(&f->seed) & edit->clear;
	}
	if (test_random_below(&f->seed, 3) == 0) {
		edit->if_mask = (uint64_t)1 << test_random_below(&f->seed, 2);
		edit->if_value = test_random(&f->seed) & edit->if_mask;
	}
}

static void oracle_edit(const struct window *w, const struct pt_edit *edit,
			uint64_t in, uint64_t end)
{
	struct frame *frame;

	for (; in < end; in++) {
		frame = frame_at(w, in);
		if (!frame->out ||
		    (frame->attr & edit->if_mask) != edit->if_value)
			continue;
		if (edit->kind == PT_EDIT_CLEAR)
			*frame = (struct frame){ 0 };
		else
			frame->attr = (frame->attr & ~edit->clear) | edit->set;
	}
}

/* What was unlinked: free it, a little at a time. */
static void sink_empty(struct fixture *f, struct pt_sink *sink)
{
	enum pt_status status;
	uint64_t budget;

	while (sink->nr) {
		sink->nr--;
		do {
			budget = 1 + test_random_below(&f->seed, 100);
			status = pt_free_tables(&f->pt, sink->tables[sink->nr],
						&f->mem, &f->account, &budget);
		} while (status == PT_BUDGET);
		ck_assert_int_eq(status, PT_OK);
	}
}

/* What clear_slot() is to answer of the slot at @level that begins at @in. */
static enum pt_status slot_answer(const struct fixture *f, unsigned int level,
				  uint64_t in, bool *is_table)
{
	struct pt_leaf leaf;
	bool found = f->pt.ops->lookup(&f->pt, in, &leaf);

	*is_table = level <= f->pt.top && leaf.level < level;
	if (level > f->pt.top)
		return PT_NO_TABLES;
	if (*is_table)
		return PT_OK;
	if (!found)
		return PT_END;
	return leaf.level > level || (f->arm && leaf.entry & CONTIGUOUS)
		       ? PT_NO_TABLES
		       : PT_OK;
}

static void do_clear_slot(struct fixture *f, const struct window *w)
{
	const struct pt_edit clear = { .kind = PT_EDIT_CLEAR };
	unsigned int level = 1 + (unsigned int)test_random_below(&f->seed, 3);
	uint64_t size = span(f, level), table;
	uint64_t in = w->base +
		      IA_ALIGN_DOWN(test_random_below(&f->seed, w->nr), size);
	struct pt_sink sink = { &table, 0, 1 };
	enum pt_status expected;
	bool is_table;

	if (in % size || in + size > w->base + w->nr)
		return;
	expected = slot_answer(f, level, in, &is_table);
	ck_assert_int_eq(f->pt.ops->clear_slot(&f->pt, in, level, &table),
			 expected);
	ck_assert_int_eq(!!table, is_table);
	sink.nr = is_table;
	sink_empty(f, &sink);
	if (expected == PT_OK)
		oracle_edit(w, &clear, in, in + size);
}

/* The leaf that could not be cut: it reaches past an end of the range. */
static void cut_leaf_is_right(const struct window *w, const struct pt_run *at,
			      uint64_t in, uint64_t end)
{
	uint64_t first = IA_MAX(at->in, in);

	ck_assert(at->in < in || at->in + at->nr > end);
	ck_assert(first < end && at->in + at->nr > in);
	ck_assert_uint_eq(frame_at(w, first)->out, at->out + (first - at->in));
	ck_assert_uint_eq(frame_at(w, first)->attr, at->attr);
}

/* Not a leaf, but a group of them, is broken: only with BBML 0. */
static bool group_was_cut(const struct fixture *f, const struct pt_cut *cut,
			  const struct pt_leaf *leaf)
{
	return !f->pt.bbml && leaf->entry & CONTIGUOUS &&
	       cut->nr == span(f, leaf->level) * group_of(f, 3 - leaf->level);
}

/*
 * SMMU 3.21.1.1: before another size takes the place of a leaf, units forget it
 * while it is invalid (BBML 0), or valid with nT, bit 16 (BBML 1). Everybody else
 * still finds it mapped.
 */
static void leaf_is_broken(struct fixture *f, const struct window *w,
			   const struct pt_cut *cut)
{
	const struct pt_run run = { cut->in, 0, f->granule, IOMMUABS_READ };
	uint64_t in = IA_MAX(cut->in, w->base), out, word, done;
	struct pt_leaf leaf;
	int level = 3;

	word = arm_walk(f, f->pt.clean ? f->seen : f->host->arena, in, &level,
			&out);
	HOLDS(f->pt.bbml < 2);
	HOLDS(f->pt.bbml ? word >> 16 & 1 : !word);
	HOLDS(f->pt.ops->lookup(&f->pt, in, &leaf));
	HOLDS(leaf.out == frame_at(w, in)->out);
	HOLDS(leaf.attr == frame_at(w, in)->attr);
	HOLDS(cut->nr == span(f, leaf.level) || group_was_cut(f, cut, &leaf));
	HOLDS(!f->pt.ops->count(&f->pt, in, 0, f->granule));
	HOLDS(f->pt.ops->map(&f->pt, &run, &f->pool, &done) == PT_OCCUPIED);
	HOLDS(f->pt.ops->map_one(&f->pt, in, 0, run.attr) == PT_OCCUPIED);
	HOLDS(f->pt.ops->clear_one(&f->pt, in, NULL) == PT_NO_TABLES);
	if (leaf.level && !f->pt.bbml)
		HOLDS(f->pt.ops->clear_slot(&f->pt, in, leaf.level, &word) ==
		      PT_NO_TABLES);
	next_agrees(f, w, in, IA_MIN(cut->in + cut->nr, w->base + w->nr),
		    WALK_MAX);
}

static void do_edit(struct fixture *f, const struct window *w)
{
	uint64_t in, nr, end, at_in, tables[3];
	struct pt_sink sink = { tables, 0, 0 };
	struct pt_cut cut = { 0 };
	enum pt_status status;
	struct pt_edit edit;
	struct pt_run at;
	int cuts = 0, waits = 0;

	range_random(f, w, &in, &nr);
	end = in + nr;
	edit_random(f, &edit);
	edit.cut = &cut;
	sink.max = (uint32_t)test_random_below(&f->seed, 4);
	drain(f);
	do {
		at.in = end;
		status = f->pt.ops->edit(&f->pt, in, end - in, &edit, &f->pool,
					 sink.max ? &sink : NULL, &at);
		at_in = IA_MAX(at.in, in);
		if (status == PT_NO_TABLES) {
			ck_assert_int_lt(cuts++, 5);
			cut_leaf_is_right(w, &at, in, end);
		}
		if (status == PT_NEEDS_SYNC) {
			/* Once for each end, of a leaf and of its group. */
			ck_assert_int_lt(waits++, 4);
			if (at.attr)
				cut_leaf_is_right(w, &at, in, end);
			leaf_is_broken(f, w, &cut);
		}
		if (status == PT_FULL) {
			ck_assert_uint_eq(sink.nr, sink.max);
			ck_assert_uint_eq(at.nr, end - at.in);
		}
		oracle_edit(w, &edit, in, status ? at_in : end);
		if (status == PT_NO_TABLES)
			need(f, f->pool.nr + 1);
		sink_empty(f, &sink);
		/* With a condition, what follows the position may be done. */
		if (status == PT_FULL && !edit.if_mask)
			next_agrees(f, w, in, end, WALK_MAX);
		in = at_in;
	} while (status == PT_NO_TABLES || status == PT_FULL ||
		 status == PT_NEEDS_SYNC);
	ck_assert_int_eq(status, PT_OK);
	ck_assert_uint_eq(cut.nr, 0);
}

/*
 * Merge some of the window: it maps what it did. @live: units take leaves in the
 * place of tables as BBML says; nT, bit 16, is gone in the end.
 */
static void do_merge(struct fixture *f, const struct window *w)
{
	const struct pt_edit same = { .kind = PT_EDIT_ATTR };
	uint64_t words[3], at, budget;
	struct pt_merge merge = {
		.live = test_random_below(&f->seed, 2),
	};
	struct pt_run merged;
	struct pt_sink sink = { words, 0,
				1 + (uint32_t)test_random_below(&f->seed, 3) };
	enum pt_status status;

	range_random(f, w, &merge.in, &merge.nr);
	at = merge.in;
	do {
		budget = 1 + test_random_below(&f->seed, 2000);
		status = f->pt.ops->merge(&f->pt, &merge, &sink, &budget, &at,
					  &merged);
		HOLDS(status == PT_OK || status == PT_FULL ||
		      status == PT_BUDGET);
		HOLDS(status != PT_FULL || sink.nr == sink.max);
		HOLDS(!sink.nr == !merged.nr);
		if (sink.nr) {
			HOLDS(merged.in >= merge.in);
			HOLDS(merged.in + merged.nr <= merge.in + merge.nr);
		}
		sink_empty(f, &sink);
		if (f->pt.bbml == 1 && merged.nr)
			HOLDS(!f->pt.ops->edit(&f->pt, merged.in, merged.nr,
					       &same, &f->pool, NULL, NULL));
	} while (status);
}

static void some_agree(struct fixture *f, const struct window *w)
{
	uint64_t in, nr;
	int i;

	for (i = 0; i < 16; i++)
		lookup_agrees(f, w,
			      w->base + test_random_below(&f->seed, w->nr));
	range_random(f, w, &in, &nr);
	lookup_agrees(f, w, in);
	lookup_agrees(f, w, in + nr - 1);
	next_agrees(f, w, in, in + nr, 1 + test_random_below(&f->seed, 300));
}

START_TEST(every_format_and_geometry_agrees_with_a_flat_array)
{
	struct geometry geo = geometries[_i];
	uint64_t step, steps = test_rounds(1000), in;
	struct fixture f;
	struct window w;

	if (arm_format(geo.ops) && _i % 4)
		geo.hint_mask = _i % 3 ? geo.leaf_mask : 1;
	fixture_make(&f, &geo);
	window_make(&w, &geo);
	f.seed = 100 + (uint64_t)_i;
	for (step = 0; step < steps; step++) {
		switch (test_random_below(&f.seed, 8)) {
		case 0:
		case 1:
		case 2:
			do_map(&f, &w);
			break;
		case 3:
			do_map_one(&f, &w);
			break;
		case 4:
			do_edit_one(&f, &w);
			if (step % 4 == 0)
				do_merge(&f, &w);
			break;
		case 5:
			do_clear_slot(&f, &w);
			break;
		default:
			do_edit(&f, &w);
		}
		some_agree(&f, &w);
		if (step % 8 == 0)
			all_pages_are_somewhere(&f);
		if (step % 64)
			continue;
		next_agrees(&f, &w, w.base, w.base + w.nr, WALK_MAX);
		for (in = w.base; in < w.base + w.nr; in += 61)
			lookup_agrees(&f, &w, in);
	}
	free(w.frames);
	fixture_end_by(&f, 1 + test_random_below(&f.seed, 50));
}
END_TEST

/* ---- single rules ---- */

static const struct geometry arm_48 = {
	&pt_arm_s2_4k_ops, 48, 3, 12, 7, 0, 0, 2
};
static const struct geometry arm_noncoherent = {
	&pt_arm_s2_4k_ops, 48, 3, 12, 7, 1, 0, 2
};
static const struct geometry ledger_48 = {
	&pt_ledger_ops, 48, 3, 12, 0xf, 0, 0
};
static const struct geometry rmap_48 = {
	&pt_rmap_ops, 48, 3, 12, 0x7, 0, 0,
};
static const struct geometry rmap_52 = { &pt_rmap_ops, 52, 4, 12, 0xf, 0, 0 };

static void map(struct fixture *f, uint64_t in, uint64_t out, uint64_t nr,
		uint64_t attr)
{
	const struct pt_run run = { in, out, nr, attr };
	uint64_t done;

	need(f, f->pt.ops->count(&f->pt, in, out, nr));
	ck_assert_int_eq(f->pt.ops->map(&f->pt, &run, &f->pool, &done), PT_OK);
	ck_assert_uint_eq(done, nr);
}

static uint64_t linked(const struct fixture *f)
{
	return tables_below(f, f->pt.root, f->pt.top,
			    (uint64_t)1 << (f->pt.root_lg2 - 3));
}

static uint64_t raw(const struct fixture *f, uint64_t in)
{
	struct pt_leaf leaf;

	f->pt.ops->lookup(&f->pt, in, &leaf);
	return leaf.entry;
}

/*
 * Stage 2 descriptors put together by hand. Page 0b11, block 0b01; AF 0x400; S2AP
 * 0x40 read, 0x80 write; Normal Write-Back 0x3c Inner Shareable 0x300; nGnRE 0x04,
 * Non-cacheable 0x14, Outer Shareable 0x200.
 */
START_TEST(arm_descriptors_are_those_of_the_manual)
{
	static const struct {
		uint64_t in, out, nr, attr, word;
	} cases[] = {
		{ 0x12345, 0xabcde, 1, RW, 0x00000000abcde7ff },
		{ 0x12346, 0xfffffffff, 1, IOMMUABS_READ, 0x0000fffffffff77f },
		{ 0x12347, 0, 1, IOMMUABS_WRITE, 0x00000000000007bf },
		{ 0x12348, 0x9020, 1, RW | IOMMUABS_DEVICE, 0x90206c7 },
		{ 0x12349, 0x9021, 1, RW | IOMMUABS_WRITE_COMBINING,
		  0x90216d7 },
		{ 0x12400, 0x80200, 0x200, RW, 0x802007fd },
		{ 0x40000, 0xc0000, 0x40000, IOMMUABS_READ, 0xc000077d },
		{ 0x80000, 0x100000, 0x40000, RW | IOMMUABS_DEVICE,
		  0x1000006c5 },
	};
	uint64_t *root, *table;
	struct fixture f;
	unsigned int i;

	fixture_make(&f, &arm_48);
	for (i = 0; i < IA_COUNT(cases); i++) {
		map(&f, cases[i].in, cases[i].out, cases[i].nr, cases[i].attr);
		ck_assert_uint_eq(raw(&f, cases[i].in), cases[i].word);
	}
	/* Table descriptors: 0b11 and the address, no hierarchical bits. */
	root = test_host_ptr(f.host, f.pt.root);
	ck_assert_uint_eq(root[0] & 0xffff000000000fff, 3);
	ck_assert_uint_eq(root[1], 0);
	table = test_host_ptr(f.host, root[0] & 0x0000fffffffff000);
	ck_assert_uint_eq(table[0] & 0xffff000000000fff, 3);
	ck_assert_uint_eq(table[1], 0xc000077d);
	fixture_end(&f);
}
END_TEST

/*
 * One page and one block of each other format, put together by hand. Stage 1: AP
 * 0x40 read and write, 0xc0 read only; nG 0x800; AttrIndx 0x4 device, 0x8
 * non-cacheable. Addresses: 0x9abcd << 12 and so on, where bits 51:48, or 51:50,
 * move down.
 */
START_TEST(each_arm_format_has_the_bits_of_the_manual)
{
	static const struct {
		const struct pt_ops *ops;
		uint64_t out, attr, page; /* and frames of the block: */
		uint64_t block_out, block_attr, block;
	} cases[] = {
		{ &pt_arm_s1_4k_ops, 0xabcde, RW, 0xabcdef43, 0x80200,
		  IOMMUABS_READ | IOMMUABS_DEVICE, 0x80200ec5 },
		{ &pt_arm_s1_16k_ops, 0xabcdc, IOMMUABS_READ, 0xabcdcfc3,
		  0x802000, RW | IOMMUABS_WRITE_COMBINING, 0x802000e49 },
		{ &pt_arm_s1_64k_ops, 0xf0000abcd0, RW, 0x0000abcdff43,
		  0x9000020000, RW | IOMMUABS_DEVICE, 0x20009e45 },
		{ &pt_arm_s1_4k_52_ops, 0xf0000abcde, RW, 0x30000abcdef43,
		  0x4000000200, IOMMUABS_READ, 0x200dc1 },
		{ &pt_arm_s1_16k_52_ops, 0x9000abcdc0, RW, 0x1000abcdc0e43,
		  0xc000002000, RW | IOMMUABS_DEVICE, 0x2000f45 },
		{ &pt_arm_s2_16k_ops, 0xabcdc, RW, 0xabcdc7ff, 0x802000,
		  IOMMUABS_WRITE, 0x8020007bd },
		{ &pt_arm_s2_64k_ops, 0xf0000abcd0, IOMMUABS_READ,
		  0x0000abcdf77f, 0x9000020000, RW | IOMMUABS_DEVICE,
		  0x200096c5 },
		{ &pt_arm_s2_4k_52_ops, 0xf0000abcde, RW, 0x30000abcde7ff,
		  0x4000000200, IOMMUABS_READ | IOMMUABS_DEVICE, 0x200545 },
		{ &pt_arm_s2_16k_52_ops, 0x9000abcdc0, RW, 0x1000abcdc06ff,
		  0xc000002000, RW | IOMMUABS_WRITE_COMBINING, 0x20007d5 },
	};
	struct geometry geo = { NULL, 42, 2, 12, 3, 0, 0 };
	struct fixture f;
	unsigned int i;

	for (i = 0; i < IA_COUNT(cases); i++) {
		geo.ops = cases[i].ops;
		fixture_make(&f, &geo);
		map(&f, 0x100, cases[i].out, f.granule, cases[i].attr);
		ck_assert_uint_eq(raw(&f, 0x100), cases[i].page);
		map(&f, 3 * span(&f, 1), cases[i].block_out, span(&f, 1),
		    cases[i].block_attr);
		ck_assert_uint_eq(raw(&f, 3 * span(&f, 1)), cases[i].block);
		ck_assert_str_ne(f.pt.ops->name, pt_arm_s2_4k_ops.name);
		ck_assert_uint_eq(f.pt.ops->granule_lg2, f.arm->granule_lg2);
		ck_assert_uint_eq(f.pt.ops->read_implied, f.arm->stage == 1);
		fixture_end(&f);
	}
}
END_TEST

/*
 * The first 2 MiB of a leaf of 1 GiB become pages: in one step where units take
 * that, else with one break, after which everything is in place.
 */
START_TEST(a_leaf_becomes_tables_as_units_can_take_it)
{
	const struct geometry geo = { &pt_arm_s2_4k_ops, 48, 3, 12, 7, 0, 0,
				      (uint8_t)_i };
	struct pt_cut cut = { 0 }, other = { 0 };
	struct pt_edit clear = { .kind = PT_EDIT_CLEAR, .cut = &cut };
	const uint64_t block = 0x400007fd;
	struct pt_leaf leaf;
	struct pt_run at;
	struct fixture f;

	fixture_make(&f, &geo);
	map(&f, SPAN(2), SPAN(2), SPAN(2), RW);
	need(&f, 4);
	if (_i < 2) {
		ck_assert_int_eq(f.pt.ops->edit(&f.pt, SPAN(2) + 3, 1, &clear,
						&f.pool, NULL, &at),
				 PT_NEEDS_SYNC);
		ck_assert_uint_eq(cut.in, SPAN(2));
		ck_assert_uint_eq(cut.nr, SPAN(2));
		ck_assert_uint_eq(at.in, SPAN(2));
		ck_assert_uint_eq(raw(&f, SPAN(2)),
				  _i ? block | 1 << 16 : block & ~1ull);
		ck_assert_uint_eq(f.pool.nr, 4);
		/* Another caller has invalidated nothing yet. */
		clear.cut = &other;
		ck_assert_int_eq(f.pt.ops->edit(&f.pt, SPAN(2) + SPAN(1), 1,
						&clear, &f.pool, NULL, &at),
				 PT_NEEDS_SYNC);
		ck_assert_uint_eq(other.nr, SPAN(2));
		clear.cut = &cut;
	}
	ck_assert_int_eq(f.pt.ops->edit(&f.pt, SPAN(2) + 3, 1, &clear, &f.pool,
					NULL, &at),
			 PT_OK);
	ck_assert_uint_eq(cut.nr, 0);
	ck_assert_uint_eq(f.pool.nr, 2);
	ck_assert_uint_eq(raw(&f, SPAN(2) + 3), 0);
	ck_assert_uint_eq(raw(&f, SPAN(2) + 2), 0x400027ff);
	ck_assert(f.pt.ops->lookup(&f.pt, SPAN(2) + SPAN(1), &leaf));
	ck_assert_uint_eq(leaf.level, 1);
	ck_assert_uint_eq(leaf.entry, 0x402007fd);
	/* The other goes on, and meets a leaf that nobody has broken. */
	clear.cut = &other;
	ck_assert_int_eq(f.pt.ops->edit(&f.pt, SPAN(2) + SPAN(1), 1, &clear,
					&f.pool, NULL, &at),
			 _i < 2 ? PT_NEEDS_SYNC : PT_OK);
	if (_i < 2) {
		ck_assert_uint_eq(other.in, SPAN(2) + SPAN(1));
		ck_assert_uint_eq(other.nr, SPAN(1));
		ck_assert_int_eq(f.pt.ops->edit(&f.pt, SPAN(2) + SPAN(1), 1,
						&clear, &f.pool, NULL, &at),
				 PT_OK);
	}
	ck_assert_uint_eq(raw(&f, SPAN(2) + SPAN(1)), 0);
	ck_assert_uint_eq(linked(&f), 4);
	fixture_end(&f);
}
END_TEST

START_TEST(a_cut_takes_all_its_pages_before_it_breaks_anything)
{
	const struct geometry geo = {
		&pt_arm_s1_4k_ops, 48, 3, 12, 7, 0, 0, 0
	};
	struct pt_cut cut = { 0 };
	struct pt_edit clear = { .kind = PT_EDIT_CLEAR, .cut = &cut };
	uint64_t before;
	struct pt_run at;
	struct fixture f;

	fixture_make(&f, &geo);
	map(&f, SPAN(2), SPAN(2), SPAN(2), RW);
	before = raw(&f, SPAN(2));
	need(&f, 2); /* ends in two leaves of 2 MiB: one is missing */
	ck_assert_int_eq(f.pt.ops->edit(&f.pt, SPAN(2) + 1, SPAN(1), &clear,
					&f.pool, NULL, &at),
			 PT_NO_TABLES);
	ck_assert_uint_eq(raw(&f, SPAN(2)), before);
	need(&f, 3);
	ck_assert_int_eq(f.pt.ops->edit(&f.pt, SPAN(2) + 1, SPAN(1), &clear,
					&f.pool, NULL, &at),
			 PT_NEEDS_SYNC);
	ck_assert_int_eq(f.pt.ops->edit(&f.pt, SPAN(2) + 1, SPAN(1), &clear,
					&f.pool, NULL, &at),
			 PT_OK);
	ck_assert_uint_eq(f.pool.nr, 0);
	fixture_end(&f);
}
END_TEST

START_TEST(count_is_what_map_takes)
{
	static const struct {
		uint64_t in, out, nr;
		uint32_t count;
	} cases[] = {
		{ 0, 1, SPAN(2), 1 + 1 + 512 }, /* no large leaf fits */
		{ 0, 0, SPAN(2), 1 },		/* one of 1 GiB */
		{ 0, SPAN(1), SPAN(2), 2 },	/* 512 of 2 MiB */
		{ SPAN(2) - 1, SPAN(2) - 1, 2,
		  5 },			  /* two tables each, one above */
		{ 1, 1, SPAN(3), 2 + 4 }, /* two ragged ends, 1 GiB between */
		{ SPAN(3), 0, 2 * SPAN(3), 2 },
	};
	struct fixture f;
	unsigned int i;

	for (i = 0; i < IA_COUNT(cases); i++) {
		fixture_make(&f, &arm_48);
		ck_assert_uint_eq(f.pt.ops->count(&f.pt, cases[i].in,
						  cases[i].out, cases[i].nr),
				  cases[i].count);
		map(&f, cases[i].in, cases[i].out, cases[i].nr, RW);
		ck_assert_uint_eq(linked(&f), cases[i].count);
		ck_assert_uint_eq(f.pool.nr, 0);
		fixture_end(&f);
	}
}
END_TEST

START_TEST(the_largest_leaf_splits_down_to_one_frame)
{
	const struct pt_edit clear = { .kind = PT_EDIT_CLEAR };
	uint64_t at = SPAN(3) + 5 * SPAN(2) + 7 * SPAN(1) + 11, budget = 100000;
	struct pt_leaf leaf;
	struct pt_run run;
	struct fixture f;

	fixture_make(&f, &ledger_48);
	map(&f, SPAN(3), 8 * SPAN(3), 2 * SPAN(3), 5);
	ck_assert_uint_eq(linked(&f), 0);
	ck_assert(f.pt.ops->lookup(&f.pt, at, &leaf));
	ck_assert_uint_eq(leaf.level, 3);
	ck_assert_int_eq(
		f.pt.ops->edit(&f.pt, at, 1, &clear, &f.pool, NULL, &run),
		PT_NO_TABLES);
	ck_assert_uint_eq(run.in, SPAN(3));
	ck_assert_uint_eq(run.out, 8 * SPAN(3));
	ck_assert_uint_eq(run.nr, SPAN(3));
	ck_assert_uint_eq(run.attr, 5);
	need(&f, 3);
	ck_assert_int_eq(
		f.pt.ops->edit(&f.pt, at, 1, &clear, &f.pool, NULL, &run),
		PT_OK);
	ck_assert_uint_eq(linked(&f), 3);
	ck_assert(!f.pt.ops->lookup(&f.pt, at, &leaf));
	ck_assert(f.pt.ops->lookup(&f.pt, at + 1, &leaf));
	ck_assert_uint_eq(leaf.out, at + 1 + 7 * SPAN(3));
	ck_assert(f.pt.ops->lookup(&f.pt, at - 1, &leaf));
	ck_assert_uint_eq(leaf.out, at - 1 + 7 * SPAN(3));
	ck_assert_int_eq(f.pt.ops->next(&f.pt, at, 3 * SPAN(3), &budget, &run),
			 PT_OK);
	ck_assert_uint_eq(run.in, at + 1);
	ck_assert_uint_eq(run.nr, 500); /* to the end of that table */
	fixture_end(&f);
}
END_TEST

START_TEST(a_cut_alone_changes_nothing_but_the_leaves)
{
	const struct pt_edit cut = { .kind = PT_EDIT_ATTR };
	const struct pt_edit not_these = { PT_EDIT_ATTR, 1, 1, 0, 0 };
	struct pt_leaf leaf;
	struct pt_run run;
	struct fixture f;

	fixture_make(&f, &rmap_52);
	map(&f, 0, SPAN(2), SPAN(1), 0x2a);
	ck_assert_int_eq(
		f.pt.ops->edit(&f.pt, 3, 5, &not_these, &f.pool, NULL, &run),
		PT_OK); /* a leaf that doesn't match isn't cut */
	need(&f, 1);
	ck_assert_int_eq(f.pt.ops->edit(&f.pt, 3, 5, &cut, &f.pool, NULL, &run),
			 PT_OK);
	ck_assert_uint_eq(f.pool.nr, 0);
	ck_assert(f.pt.ops->lookup(&f.pt, 100, &leaf));
	ck_assert_uint_eq(leaf.level, 0);
	ck_assert_uint_eq(leaf.out, SPAN(2) + 100);
	ck_assert_uint_eq(leaf.attr, 0x2a);
	fixture_end(&f);
}
END_TEST

START_TEST(clear_unlinks_a_covered_table_in_one_store)
{
	const struct pt_edit clear = { .kind = PT_EDIT_CLEAR };
	uint64_t words[2], before, budget = ~(uint64_t)0;
	struct pt_sink sink = { words, 0, 2 };
	uint64_t *below;
	struct pt_run at;
	struct fixture f;

	fixture_make(&f, &arm_48);
	map(&f, 0, 1, SPAN(2) + SPAN(1), RW);
	before = linked(&f);
	ck_assert_int_eq(f.pt.ops->edit(&f.pt, 0, SPAN(2) + SPAN(1), &clear,
					&f.pool, &sink, &at),
			 PT_OK);
	ck_assert_uint_eq(sink.nr, 2);
	ck_assert_uint_eq(words[0] & PT_SINK_LEVEL, 1);
	ck_assert_uint_eq(words[1] & PT_SINK_LEVEL, 0);
	/* The 1 GiB table's own words are as they were: it may be walked. */
	below = test_host_ptr(f.host, words[0] & ~PT_SINK_LEVEL);
	ck_assert(is_table_word(&f, below[0]) && is_table_word(&f, below[511]));
	ck_assert_uint_eq(linked(&f), before - 513 - 1);
	while (sink.nr)
		ck_assert_int_eq(pt_free_tables(&f.pt, words[--sink.nr], &f.mem,
						&f.account, &budget),
				 PT_OK);
	all_pages_are_somewhere(&f);
	fixture_end(&f);
}
END_TEST

/* A slot goes for itself; a part of a leaf or of a group does not. */
START_TEST(a_slot_is_cleared_if_it_is_one)
{
	const uint64_t large = SPAN(1), huge = SPAN(2);
	const struct geometry geo = { &pt_arm_s2_4k_ops,      48, 3, 12, 7, 0,
				      _i ? TEST_HOST_MAP : 0, 2,  2 };
	struct fixture f;
	uint64_t table;

	fixture_make(&f, &geo);
	map(&f, huge, huge, huge, RW);
	map(&f, 2 * huge, 2 * huge, 17 * large, RW);
	HOLDS(f.pt.ops->clear_slot(&f.pt, huge, 1, &table) == PT_NO_TABLES);
	HOLDS(f.pt.ops->clear_slot(&f.pt, 2 * huge, 1, &table) == PT_NO_TABLES);
	HOLDS(raw(&f, huge) && raw(&f, 2 * huge));
	HOLDS(f.pt.ops->clear_slot(&f.pt, 2 * huge + 16 * large, 1, &table) ==
	      PT_OK);
	ck_assert_uint_eq(table, 0);
	HOLDS(!raw(&f, 2 * huge + 16 * large));
	HOLDS(f.pt.ops->clear_slot(&f.pt, 0, 2, &table) == PT_END);
	HOLDS(f.pt.ops->clear_slot(&f.pt, 0, 4, &table) == PT_NO_TABLES);
	HOLDS(f.pt.ops->clear_slot(&f.pt, huge, 2, &table) == PT_OK);
	HOLDS(!raw(&f, huge));
	fixture_end(&f);
}
END_TEST

START_TEST(without_a_sink_no_table_is_unlinked)
{
	const struct pt_edit clear = { .kind = PT_EDIT_CLEAR };
	struct pt_sink none = { NULL, 0, 0 };
	uint64_t before;
	struct fixture f;

	fixture_make(&f, &arm_48);
	map(&f, 0, 1, 4 * SPAN(1), RW);
	before = linked(&f);
	ck_assert_int_eq(
		f.pt.ops->edit(&f.pt, 0, SPAN(1), &clear, &f.pool, NULL, NULL),
		PT_OK);
	ck_assert_int_eq(f.pt.ops->edit(&f.pt, SPAN(1), 3 * SPAN(1), &clear,
					&f.pool, &none, NULL),
			 PT_OK);
	ck_assert_uint_eq(linked(&f), before);
	ck_assert_uint_eq(raw(&f, 5), 0);
	fixture_end(&f);
}
END_TEST

/* Tables stay that hold what the condition leaves, and their parents. */
START_TEST(clear_with_a_condition_unlinks_what_became_empty)
{
	const struct pt_edit clear = { PT_EDIT_CLEAR, PT_LEDGER_STATE,
				       PT_LEDGER_UNSYNCED, 0, 0 };
	uint64_t words[1], unlinked = 0, in = 0;
	struct pt_sink sink = { words, 0, 1 };
	struct pt_run at = { 0 };
	enum pt_status status;
	struct fixture f;

	fixture_make(&f, &ledger_48);
	f.pt.leaf_mask = 1;
	map(&f, 0, 1, 8 * SPAN(1), PT_LEDGER_UNSYNCED | RW);
	map(&f, SPAN(2), 1, SPAN(1), PT_LEDGER_UNSYNCED | RW);
	map(&f, 8 * SPAN(1), 1, SPAN(1), PT_LEDGER_MAPPED | RW);
	ck_assert_uint_eq(linked(&f), 1 + 2 + 10);
	do {
		status = f.pt.ops->edit(&f.pt, in, 2 * SPAN(2) - in, &clear,
					&f.pool, &sink, &at);
		in = at.in;
		unlinked += sink.nr;
		sink_empty(&f, &sink);
	} while (status == PT_FULL);
	ck_assert_int_eq(status, PT_OK);
	/* All leaf tables but one, and the second 1 GiB's. */
	ck_assert_uint_ge(unlinked, 9);
	ck_assert_uint_eq(linked(&f), 1 + 2 + 10 - unlinked);
	ck_assert_uint_eq(raw(&f, 0), 0);
	ck_assert_uint_ne(raw(&f, 8 * SPAN(1)), 0);
	fixture_end(&f);
}
END_TEST

/* In each half of its page, and at both ends. */
START_TEST(a_table_in_which_one_leaf_is_left_stays)
{
	static const uint64_t left[] = { 0, 255, 256, 511 };
	const struct pt_edit clear = { PT_EDIT_CLEAR, PT_LEDGER_STATE,
				       PT_LEDGER_UNSYNCED, 0, 0 };
	uint64_t words[1], in = left[_i];
	struct pt_sink sink = { words, 0, 1 };
	struct pt_run at = { 0 };
	struct fixture f;

	fixture_make(&f, &ledger_48);
	f.pt.leaf_mask = 1;
	map(&f, in, 1 + in, 1, PT_LEDGER_MAPPED | RW);
	map(&f, in ^ 1, 1, 1, PT_LEDGER_UNSYNCED | RW);
	HOLDS(f.pt.ops->edit(&f.pt, 0, SPAN(1), &clear, &f.pool, &sink, &at) ==
	      PT_OK);
	ck_assert_uint_eq(sink.nr, 0);
	HOLDS(raw(&f, in) && !raw(&f, in ^ 1));
	fixture_end(&f);
}
END_TEST

/* What hardware doesn't read needs no alignment but its own. */
START_TEST(large_leaves_of_the_librarys_own_hold_any_out)
{
	const struct pt_edit same = { .kind = PT_EDIT_ATTR };
	const uint64_t in = 3 * SPAN(2), out = 0x12345;
	struct pt_leaf leaf;
	struct fixture f;
	struct pt_run at;
	uint64_t i;

	fixture_make(&f, _i ? &rmap_48 : &ledger_48);
	ck_assert_uint_eq(f.pt.ops->count(&f.pt, in, out, SPAN(2)), 1);
	ck_assert_uint_eq(f.pt.ops->count(&f.pt, in, PT_OUT_SCATTERED, SPAN(2)),
			  1 + 1 + 512);
	map(&f, in, out, SPAN(2) + SPAN(1), 0);
	ck_assert_uint_eq(linked(&f), 1 + 1);
	ck_assert(f.pt.ops->lookup(&f.pt, in + 1000, &leaf));
	ck_assert_uint_eq(leaf.level, 2);
	/* Cut twice: all of it is where it was. */
	need(&f, 2);
	ck_assert_int_eq(
		f.pt.ops->edit(&f.pt, in + 5, 1, &same, &f.pool, NULL, &at),
		PT_OK);
	ck_assert_uint_eq(linked(&f), 1 + 1 + 2);
	for (i = 0; i < SPAN(2) + SPAN(1); i++)
		HOLDS(f.pt.ops->lookup(&f.pt, in + i, &leaf) &&
		      leaf.out == out + i);
	fixture_end(&f);
}
END_TEST

static enum pt_status map_large(const struct fixture *f, uint64_t in,
				uint64_t out)
{
	return f->pt.ops->map_large(&f->pt, in, out, 0);
}

static const struct geometry ledger_mapped = {
	&pt_ledger_ops, 48, 3, 12, 0x7, 0, TEST_HOST_MAP
};
static const struct geometry *const large_in[] = { &arm_48, &ledger_48,
						   &rmap_48, &ledger_mapped };

/* One leaf, or nothing: neither tables nor smaller leaves. */
START_TEST(a_large_leaf_is_entered_where_it_can_be)
{
	const bool device = large_in[_i] == &arm_48;
	const uint64_t in = 5 * SPAN(1);
	struct pt_leaf leaf;
	struct fixture f;

	fixture_make(&f, large_in[_i]);
	ck_assert_int_eq(map_large(&f, in, SPAN(1)), PT_NO_TABLES);
	map(&f, in + SPAN(1), SPAN(1), 1, 0);
	ck_assert_int_eq(map_large(&f, in + 1, SPAN(1) + 1), PT_NO_TABLES);
	ck_assert_int_eq(map_large(&f, in + SPAN(1), SPAN(1)), PT_OCCUPIED);
	f.pt.leaf_mask = 1;
	ck_assert_int_eq(map_large(&f, in, SPAN(1)), PT_NO_TABLES);
	f.pt.leaf_mask = 3;
	ck_assert(!f.pt.ops->lookup(&f.pt, in, &leaf));
	if (device)
		ck_assert_int_eq(map_large(&f, in, SPAN(1) + 1), PT_NO_TABLES);
	ck_assert_int_eq(map_large(&f, in, SPAN(1) + !device), PT_OK);
	ck_assert_int_eq(map_large(&f, in, SPAN(1)), PT_OCCUPIED);
	ck_assert(f.pt.ops->lookup(&f.pt, in + 7, &leaf));
	ck_assert_uint_eq(leaf.level, 1);
	ck_assert_uint_eq(leaf.out, SPAN(1) + !device + 7);
	fixture_end(&f);
}
END_TEST

/* Others may be about to use what this range doesn't cover. */
START_TEST(an_empty_table_stays_that_the_range_covers_in_part)
{
	const struct pt_edit clear = { PT_EDIT_CLEAR, PT_LEDGER_STATE,
				       PT_LEDGER_UNSYNCED, 0, 0 };
	uint64_t words[4];
	struct pt_sink sink = { words, 0, 4 };
	struct pt_run at;
	struct fixture f;

	fixture_make(&f, &ledger_48);
	map(&f, 5, 1, SPAN(1) - 5, PT_LEDGER_UNSYNCED);
	map(&f, SPAN(1), 1, 7, PT_LEDGER_UNSYNCED);
	ck_assert_int_eq(f.pt.ops->edit(&f.pt, 5, SPAN(1) + 2, &clear, &f.pool,
					&sink, &at),
			 PT_OK);
	ck_assert_uint_eq(sink.nr, 0);
	ck_assert_uint_eq(linked(&f), 4);
	ck_assert_uint_eq(raw(&f, SPAN(1) - 1), 0);
	fixture_end(&f);
}
END_TEST

START_TEST(occupied_says_how_far_it_got)
{
	struct pt_run run = { 10, 1000, 100, 3 };
	struct fixture f;
	uint64_t done;

	fixture_make(&f, &rmap_52);
	map(&f, 50, 5, 1, 7);
	ck_assert_int_eq(f.pt.ops->map(&f.pt, &run, &f.pool, &done),
			 PT_OCCUPIED);
	ck_assert_uint_eq(done, 40);
	ck_assert_int_eq(f.pt.ops->map_one(&f.pt, 50, 6, 7), PT_OCCUPIED);
	ck_assert_int_eq(f.pt.ops->map_one(&f.pt, 51, 6, 7), PT_OK);
	ck_assert_int_eq(f.pt.ops->map_one(&f.pt, SPAN(1), 6, 7), PT_NO_TABLES);
	map(&f, 2 * SPAN(1), 2 * SPAN(1), SPAN(1), 1);
	run.in = 2 * SPAN(1) + 5;
	ck_assert_int_eq(f.pt.ops->map(&f.pt, &run, &f.pool, &done),
			 PT_OCCUPIED);
	ck_assert_uint_eq(done, 0);
	fixture_end(&f);
}
END_TEST

START_TEST(nothing_is_found_past_the_input_bits)
{
	struct pt_leaf leaf;
	struct fixture f;

	fixture_make(&f, &(struct geometry){ &pt_arm_s2_4k_ops, 39, 2, 12, 7, 0,
					     0 });
	map(&f, 0, 0x1000, 1, RW);
	ck_assert(f.pt.ops->lookup(&f.pt, 0, &leaf));
	ck_assert(!f.pt.ops->lookup(&f.pt, SPAN(3), &leaf));
	ck_assert_uint_eq(leaf.entry, 0);
	ck_assert_uint_eq(leaf.level, 2);
	ck_assert_uint_eq(leaf.nr, 1);
	ck_assert(!f.pt.ops->lookup(&f.pt, ~(uint64_t)0, &leaf));
	fixture_end(&f);
}
END_TEST

START_TEST(next_looks_at_no_more_than_its_budget)
{
	uint64_t budget = 10;
	struct pt_run run;
	struct fixture f;

	fixture_make(&f, &ledger_48);
	map(&f, 500, 1, 5, 3);
	ck_assert_int_eq(f.pt.ops->next(&f.pt, 0, SPAN(1), &budget, &run),
			 PT_BUDGET);
	ck_assert_uint_eq(budget, 0);
	ck_assert_uint_eq(run.in, 10);
	budget = 8; /* three tables above, and five entries at the most */
	ck_assert_int_eq(f.pt.ops->next(&f.pt, 502, SPAN(1), &budget, &run),
			 PT_OK);
	ck_assert_uint_eq(budget, 8 - 3 - 3);
	ck_assert_uint_eq(run.nr, 3);
	fixture_end(&f);
}
END_TEST

static const struct geometry vtd_48 = { &pt_vtd_ops, 48, 3, 12, 7, 0, 0, 2 };
static const struct geometry vtd_snoop_39 = {
	&pt_vtd_snoop_ops, 39, 2, 12, 7, 1, 0, 2
};

/* VT-d 9.8: read 0, write 1, page size 7, snoop 11; what is ignored: 53 and 52. */
START_TEST(vtd_entries_are_those_of_the_manual)
{
	static const struct {
		uint64_t in, out, nr, attr, bits;
	} cases[] = {
		{ 0, 5, 1, RW, 3 },
		{ 1, 9, 1, IOMMUABS_READ, 1 },
		{ 2, 7, 1, IOMMUABS_WRITE, 2 },
		{ 3, 7, 1, RW | IOMMUABS_DEVICE, 3 | (uint64_t)1 << 52 },
		{ 4, 7, 1, RW | IOMMUABS_WRITE_COMBINING,
		  3 | (uint64_t)2 << 52 },
		{ SPAN(1), SPAN(1), SPAN(1), RW, 3 | 1 << 7 },
	};
	uint64_t *root, snoop;
	struct pt_leaf leaf;
	struct fixture f;
	unsigned int i;

	fixture_make(&f, _i ? &vtd_snoop_39 : &vtd_48);
	for (i = 0; i < IA_COUNT(cases); i++) {
		map(&f, cases[i].in, cases[i].out, cases[i].nr, cases[i].attr);
		ck_assert(f.pt.ops->lookup(&f.pt, cases[i].in, &leaf));
		snoop = _i && !(cases[i].attr & IOMMUABS_MEMTYPE) ? 1 << 11 : 0;
		ck_assert_uint_eq(leaf.entry,
				  cases[i].out << 12 | cases[i].bits | snoop);
		ck_assert_uint_eq(leaf.attr, cases[i].attr);
	}
	/* A table lets through whatever its entries do. */
	root = test_host_ptr(f.host, f.pt.root);
	ck_assert_uint_eq(root[0] & 0xfff, 3);
	fixture_end(&f);
}
END_TEST

static const struct geometry *const freed[] = {
	&arm_48, &vtd_48, &vtd_snoop_39, &ledger_48, &rmap_48,
};

/* What a step leaves for the next one is absent in each format. */
START_TEST(a_small_budget_frees_everything)
{
	const struct geometry *geo = freed[_i];
	uint64_t step, top = (uint64_t)1 << (geo->in_bits - LG2);
	struct fixture f;

	for (step = 1; step < 9; step++) {
		fixture_make(&f, geo);
		map(&f, 0, 1, 20 * SPAN(1), RW);
		/* Each level's last slot. */
		map(&f, top - SPAN(1), 1, SPAN(1), RW);
		fixture_end_by(&f, step);
	}
}
END_TEST

#define ROW 40 /* more than are given back together, twice */

/* Taken one by one they lie upwards, taken together downwards. */
START_TEST(a_row_of_tables_takes_no_neighbour_along)
{
	const uint64_t nr = _i % 2 ? ROW : 1;
	uint64_t before, after, at;
	struct fixture f;

	fixture_make(&f, _i / 2 ? &vtd_48 : &arm_48);
	map(&f, 0, 1, SPAN(1), RW);
	ck_assert_int_eq(tablemem_alloc(&f.mem, &f.account, LG2, 0, &before),
			 0);
	for (at = 1; at <= ROW; at += nr)
		map(&f, at * SPAN(1), at * SPAN(1) + 1, nr * SPAN(1), RW);
	ck_assert_int_eq(tablemem_alloc(&f.mem, &f.account, LG2, 0, &after), 0);
	ck_assert_uint_eq(after - before, (uint64_t)(ROW + 1) << LG2);
	free_by(&f, ~(uint64_t)0);
	ck_assert(tablemem_holds(&f.mem, before >> LG2, 1));
	ck_assert(tablemem_holds(&f.mem, after >> LG2, 1));
	tablemem_free(&f.mem, &f.account, before, LG2);
	tablemem_free(&f.mem, &f.account, after, LG2);
	fixture_delete(&f);
}
END_TEST

/* The order of cleans is looked at by link_is_late() in every test. */
START_TEST(a_run_of_stores_is_cleaned_once)
{
	const struct pt_edit clear = { .kind = PT_EDIT_CLEAR };
	const struct pt_run run = { 1, SPAN(2), 510, RW };
	struct pt_run at;
	struct fixture f;
	uint64_t done;

	fixture_make(&f, &arm_noncoherent);
	map(&f, 0, SPAN(3), 1, RW);
	f.cleans = 0;
	ck_assert_int_eq(f.pt.ops->map(&f.pt, &run, &f.pool, &done), PT_OK);
	ck_assert_uint_eq(f.cleans, 1);
	ck_assert_int_eq(
		f.pt.ops->edit(&f.pt, 1, 400, &clear, &f.pool, NULL, &at),
		PT_OK);
	ck_assert_uint_eq(f.cleans, 2);
	ck_assert_int_eq(f.pt.ops->map_one(&f.pt, 1, SPAN(3), RW), PT_OK);
	ck_assert_uint_eq(f.cleans, 3);
	f.cleans = 0;
	/* A new table: itself, and the slot it is linked in. */
	map(&f, SPAN(1), SPAN(3) + 1, SPAN(1), RW);
	ck_assert_uint_eq(f.cleans, 2);
	fixture_end(&f);
}
END_TEST

/* ---- groups with a hint ---- */

static bool has_hint(const struct fixture *f, uint64_t in)
{
	return raw(f, in) & CONTIGUOUS;
}

static const struct geometry hinted[] = {
	{ &pt_arm_s2_4k_ops, 48, 3, 12, 7, 0, 0, 2, 7 },
	{ &pt_arm_s2_16k_ops, 47, 2, 14, 3, 0, 0, 2, 3 },
	{ &pt_arm_s2_64k_ops, 48, 2, 12, 3, 1, 0, 2, 3 },
	{ &pt_arm_s1_4k_ops, 48, 3, 12, 7, 1, TEST_HOST_MAP, 2, 7 },
	{ &pt_arm_s1_16k_52_ops, 52, 3, 12, 3, 0, 0, 2, 3 },
	{ &pt_arm_s1_64k_ops, 52, 2, 13, 3, 0, 0, 2, 3 },
};

/* Leaves of @level from one before a group to one after the next. */
static void map_about_groups(struct fixture *f, unsigned int level)
{
	const uint64_t each = span(f, level), nr = group_of(f, 3 - (int)level);
	uint64_t in = SPAN(3), base, i;

	/* Into a table that is made for them, then into one that is there. */
	for (base = in; base < in + 8 * nr * each; base += 4 * nr * each) {
		map(f, base + (nr - 1) * each, base + (nr - 1) * each,
		    (2 * nr + 2) * each, RW);
		for (i = 0; i < 4 * nr; i++)
			HOLDS(has_hint(f, base + i * each) ==
			      (i >= nr && i < 3 * nr));
	}
}

START_TEST(whole_groups_have_the_hint)
{
	unsigned int level;
	struct fixture f;

	for (level = 0; hinted[_i].leaf_mask >> level & 1; level++) {
		fixture_make(&f, &hinted[_i]);
		map_about_groups(&f, level);
		fixture_end(&f);
	}
}
END_TEST

/* Exactly one, into a table that is made for it and into one that is there. */
START_TEST(a_group_that_is_all_there_is_has_the_hint)
{
	const uint64_t in = SPAN(3);
	unsigned int level;
	uint64_t each, nr, i;
	struct fixture f;

	for (level = 0; hinted[_i].leaf_mask >> level & 1; level++) {
		fixture_make(&f, &hinted[_i]);
		each = span(&f, level);
		nr = group_of(&f, 3 - (int)level);
		map(&f, in, in, nr * each, RW);
		map(&f, in + 2 * nr * each, in + 2 * nr * each, nr * each, RW);
		for (i = 0; i < 4 * nr; i++)
			HOLDS(has_hint(&f, in + i * each) == !(i / nr & 1));
		fixture_end(&f);
	}
}
END_TEST

START_TEST(no_hint_for_what_is_no_group)
{
	uint64_t nr, in, i;
	struct pt_run run;
	struct fixture f;
	uint64_t done;

	fixture_make(&f, &hinted[_i]);
	nr = group_of(&f, 3);
	/* Its frames begin elsewhere than a group does. */
	map(&f, 0, SPAN(3) + f.granule, 4 * nr * f.granule, RW);
	/* One of them is there already, the last; another comes alone. */
	in = 8 * nr * f.granule;
	map(&f, in + (nr - 1) * f.granule, SPAN(3), f.granule, RW);
	run = (struct pt_run){ in, in, nr * f.granule, RW };
	HOLDS(f.pt.ops->map(&f.pt, &run, &f.pool, &done) == PT_OCCUPIED);
	HOLDS(done == (nr - 1) * f.granule);
	map(&f, in + nr * f.granule, in + nr * f.granule, f.granule, RW);
	for (i = 0; i <= 9 * nr; i++)
		HOLDS(!has_hint(&f, i * f.granule));
	/* A unit that gets it wrong. */
	f.pt.hint_mask = 0;
	map(&f, 2 * in, 2 * in, nr * f.granule, RW);
	HOLDS(!has_hint(&f, 2 * in));
	fixture_end(&f);
}
END_TEST

#define CHANGES 5

/* What of a group [0, @nr) an edit changes. */
static const struct change {
	enum pt_edit_kind kind;
	uint64_t from, to; /* 0: to the end; then whole: from 0 */
} changes[CHANGES] = {
	{ PT_EDIT_CLEAR, 3, 4 }, { PT_EDIT_CLEAR, 0, 1 },
	{ PT_EDIT_ATTR, 5, 0 },	 { PT_EDIT_CLEAR, 0, 0 },
	{ PT_EDIT_ATTR, 0, 0 },
};

/* Break, with BBML 0: each is invalid, and says what it was. */
static void group_waits(struct fixture *f, const struct change *change,
			struct pt_edit *edit, uint64_t nr)
{
	struct pt_leaf leaf;
	struct pt_run at;
	uint64_t i;

	HOLDS(f->pt.ops->edit(&f->pt, change->from,
			      (change->to ? change->to : nr) - change->from,
			      edit, &f->pool, NULL, &at) == PT_NEEDS_SYNC);
	HOLDS(edit->cut->in == 0 && edit->cut->nr == nr &&
	      at.in == change->from);
	for (i = 0; i < nr; i++) {
		HOLDS(f->pt.ops->lookup(&f->pt, i, &leaf));
		HOLDS(!(leaf.entry & 1) && leaf.out == SPAN(3) + i);
	}
	HOLDS(has_hint(f, nr) && raw(f, nr) & 1);
}

/* After part of a group changed no other has the hint; all of it may keep it. */
START_TEST(a_group_is_dissolved_before_a_part_of_it_changes)
{
	const struct change *change = &changes[_i % CHANGES];
	const uint8_t bbml = (uint8_t)(_i / CHANGES);
	const struct geometry geo = {
		&pt_arm_s1_4k_ops, 48, 3, 12, 7, 1, 0, bbml, 7
	};
	struct pt_cut cut = { 0 };
	struct pt_edit edit = { .kind = change->kind,
				.cut = &cut,
				.clear = IOMMUABS_WRITE };
	uint64_t nr = 16, i, to = change->to ? change->to : nr;
	bool whole = !change->from && to == nr, changed;
	struct pt_run at;
	struct fixture f;

	fixture_make(&f, &geo);
	map(&f, 0, SPAN(3), 2 * nr, RW);
	if (!bbml && !whole)
		group_waits(&f, change, &edit, nr);
	HOLDS(f.pt.ops->edit(&f.pt, change->from, to - change->from, &edit,
			     &f.pool, NULL, &at) == PT_OK);
	HOLDS(!cut.nr);
	for (i = 0; i < nr; i++) {
		changed = i >= change->from && i < to;
		if (changed && change->kind == PT_EDIT_CLEAR) {
			HOLDS(raw(&f, i) == 0);
			continue;
		}
		HOLDS(has_hint(&f, i) == whole && raw(&f, i) & 1);
		HOLDS((raw(&f, i) >> 7 & 1) == changed); /* AP[2] */
	}
	HOLDS(has_hint(&f, nr) && has_hint(&f, 2 * nr - 1));
	fixture_end(&f);
}
END_TEST

/* Tables in the place of a leaf have hints but where the range ends. */
START_TEST(what_a_leaf_becomes_has_hints)
{
	const struct geometry geo = {
		&pt_arm_s2_4k_ops, 48, 3, 12, 7, 1, 0, 2, 7
	};
	const struct pt_edit clear = { .kind = PT_EDIT_CLEAR };
	struct pt_run at;
	struct fixture f;
	uint64_t i;

	fixture_make(&f, &geo);
	map(&f, SPAN(2), SPAN(2), SPAN(2), RW);
	need(&f, 3);
	/* From within one group, to within another of another leaf. */
	HOLDS(f.pt.ops->edit(&f.pt, SPAN(2) + 20, SPAN(1) + 20, &clear, &f.pool,
			     NULL, &at) == PT_OK);
	for (i = 0; i < SPAN(1); i++) {
		HOLDS(has_hint(&f, SPAN(2) + i) == (i < 16));
		HOLDS(has_hint(&f, SPAN(2) + SPAN(1) + i) == (i >= 48));
		HOLDS(has_hint(&f, SPAN(2) + i * SPAN(1)) == (!i || i >= 16));
	}
	fixture_end(&f);
}
END_TEST

/* With BBML 0: one has broken the group while the other goes on in it. */
START_TEST(two_callers_cut_one_group)
{
	const struct geometry geo = {
		&pt_arm_s2_4k_ops, 48, 3, 12, 7, 0, 0, 0, 7
	};
	struct pt_cut cuts[2] = { { 0 } };
	struct pt_edit edits[2] = {
		{ .kind = PT_EDIT_CLEAR, .cut = &cuts[0] },
		{ .kind = PT_EDIT_ATTR,
		  .clear = IOMMUABS_WRITE,
		  .cut = &cuts[1] },
	};
	const enum pt_status waits = PT_NEEDS_SYNC;
	struct pt_run at;
	struct fixture f;
	uint64_t i;

	fixture_make(&f, &geo);
	map(&f, 0, SPAN(3), 16, RW);
#define EDIT(n) \
	f.pt.ops->edit(&f.pt, (n) ? 4 : 2, 2, &edits[n], &f.pool, NULL, &at)
	HOLDS(EDIT(0) == waits);
	HOLDS(EDIT(1) == waits); /* it has invalidated nothing yet */
	HOLDS(EDIT(0) == PT_OK);
	HOLDS(f.pt.ops->map_one(&f.pt, 2, SPAN(3) + 2, RW) == PT_OK);
	HOLDS(EDIT(1) == PT_OK);
#undef EDIT
	for (i = 0; i < 16; i++) {
		HOLDS(!has_hint(&f, i));
		HOLDS((raw(&f, i) != 0) == (i != 3));
		HOLDS(i == 3 || (raw(&f, i) & 1));
		HOLDS(i == 3 || (raw(&f, i) >> 7 & 1) == (i != 4 && i != 5));
	}
	fixture_end(&f);
}
END_TEST

/* ---- merging ---- */

static enum pt_status merge_all(struct fixture *f, struct pt_merge *merge,
				uint32_t max, struct pt_run *merged)
{
	uint64_t words[8], at = merge->in, budget = WALK_MAX;
	struct pt_sink sink = { words, 0, max };
	enum pt_status status;

	do {
		status = f->pt.ops->merge(&f->pt, merge, &sink, &budget, &at,
					  merged);
		sink_empty(f, &sink);
	} while (status == PT_FULL);
	return status;
}

/* 512 x 512 frames that were mapped singly: two levels at once, by granules. */
START_TEST(full_tables_become_the_leaf_that_they_are)
{
	struct geometry geo = hinted[_i % 6];
	struct pt_merge merge = { 0 };
	struct pt_leaf leaf;
	struct pt_run merged;
	struct fixture f;
	uint64_t size;

	if (_i >= 6)
		geo.hint_mask = 0;
	fixture_make(&f, &geo);
	size = granule_lg2(geo.ops) == LG2 ? SPAN(2) : span(&f, 1);
	f.pt.leaf_mask = 1;
	map(&f, SPAN(3), 2 * SPAN(3), size, RW);
	f.pt.leaf_mask = geo.leaf_mask;
	merge.nr = (uint64_t)1 << (geo.in_bits - LG2);
	HOLDS(merge_all(&f, &merge, 8, &merged) == PT_OK);
	HOLDS(f.pt.ops->lookup(&f.pt, SPAN(3) + 5, &leaf));
	HOLDS(leaf.out == 2 * SPAN(3) + 5 && leaf.attr == RW);
	ck_assert_uint_eq(span(&f, leaf.level), size);
	all_pages_are_somewhere(&f);
	fixture_end(&f);
}
END_TEST

/* One thing is in the way of each: frame 7 is missing, or other. */
static const struct obstacle {
	const struct geometry *geo;
	uint64_t out, other_out, other_attr; /* of frame 7; out 0: none */
	uint8_t leaf_mask;
	int merges;
} obstacles[] = {
	{ &arm_48, SPAN(3), SPAN(3) + 7, RW, 7, 1 },
	{ &arm_48, SPAN(3), SPAN(3) + 8, RW, 7, 0 },
	{ &arm_48, SPAN(3), SPAN(3) + 7, IOMMUABS_READ, 7, 0 },
	{ &arm_48, SPAN(3), 0, 0, 7, 0 },
	{ &arm_48, SPAN(3), SPAN(3) + 7, RW, 1, 0 },
	{ &arm_48, SPAN(3) + 1, SPAN(3) + 8, RW, 7, 0 },
	{ &ledger_48, SPAN(3) + 1, SPAN(3) + 8, RW, 7, 1 },
	{ &ledger_48, SPAN(3), SPAN(3) + 7, RW | PT_LEDGER_UNSYNCED, 7, 0 },
};

START_TEST(only_what_is_one_mapping_becomes_one_leaf)
{
	const struct obstacle *o = &obstacles[_i];
	struct pt_merge merge = { .nr = SPAN(3) };
	struct pt_run merged;
	struct pt_leaf leaf;
	struct fixture f;

	fixture_make(&f, o->geo);
	f.pt.leaf_mask = 1;
	map(&f, 0, o->out, 7, RW);
	if (o->other_out)
		map(&f, 7, o->other_out, 1, o->other_attr);
	map(&f, 8, o->out + 8, SPAN(1) - 8, RW);
	f.pt.leaf_mask = o->leaf_mask;
	HOLDS(merge_all(&f, &merge, 1, &merged) == PT_OK);
	HOLDS(f.pt.ops->lookup(&f.pt, 100, &leaf));
	ck_assert_uint_eq(leaf.level, o->merges);
	ck_assert_uint_eq(merged.nr, o->merges ? SPAN(1) : 0);
	HOLDS(leaf.out == o->out + 100);
	fixture_end(&f);
}
END_TEST

/* Somebody is about to put them in order: no leaf takes their place meanwhile. */
START_TEST(leaves_that_are_broken_are_not_merged)
{
	const struct geometry geo = {
		&pt_arm_s2_4k_ops, 48, 3, 12, 3, 1, 0, 0, 7
	};
	struct pt_cut cuts[SPAN(1) / 16] = { { 0 } };
	struct pt_merge merge = { .nr = SPAN(3) };
	struct pt_edit clear = { .kind = PT_EDIT_CLEAR };
	struct pt_run at, merged;
	struct fixture f;
	uint64_t i;

	fixture_make(&f, &geo);
	f.pt.leaf_mask = 1;
	map(&f, 0, SPAN(3), SPAN(1), RW);
	f.pt.leaf_mask = 3;
	for (i = 0; i < SPAN(1); i += 16) {
		clear.cut = &cuts[i / 16];
		HOLDS(f.pt.ops->edit(&f.pt, i, 1, &clear, &f.pool, NULL, &at) ==
		      PT_NEEDS_SYNC);
	}
	HOLDS(merge_all(&f, &merge, 8, &merged) == PT_OK);
	ck_assert_uint_eq(merged.nr, 0);
	for (i = 0; i < SPAN(1); i++)
		HOLDS(raw(&f, i) && !(raw(&f, i) & 1));
	fixture_end(&f);
}
END_TEST

/* A condition, or the range's end, in the way; empty tables go in any case. */
START_TEST(merging_keeps_to_its_range_and_condition)
{
	struct pt_merge merge = { .in = 1, .nr = SPAN(2) };
	const struct pt_edit clear = { .kind = PT_EDIT_CLEAR };
	struct pt_run merged;
	struct fixture f;

	fixture_make(&f, &ledger_48);
	f.pt.leaf_mask = 1;
	map(&f, 0, SPAN(3), SPAN(1), PT_LEDGER_UNSYNCED | RW);
	f.pt.leaf_mask = 7;
	ck_assert_uint_eq(linked(&f), 3);
	HOLDS(merge_all(&f, &merge, 8, &merged) == PT_OK);
	ck_assert_uint_eq(linked(&f), 3);
	merge.in = 0;
	merge.if_mask = PT_LEDGER_STATE;
	merge.if_value = PT_LEDGER_MAPPED;
	HOLDS(merge_all(&f, &merge, 8, &merged) == PT_OK);
	ck_assert_uint_eq(linked(&f), 3);
	HOLDS(!f.pt.ops->edit(&f.pt, 0, SPAN(1), &clear, &f.pool, NULL, NULL));
	merge.nr = SPAN(3);
	HOLDS(merge_all(&f, &merge, 1, &merged) == PT_OK);
	ck_assert_uint_eq(linked(&f), 0);
	fixture_end(&f);
}
END_TEST

/* While units walk it: not with BBML 0, through nT with 1. */
START_TEST(a_leaf_takes_the_place_of_a_table_as_units_can_take_it)
{
	const struct geometry geo = { &pt_arm_s2_4k_ops, 48, 3, 12, 3, 1, 0,
				      (uint8_t)(_i / 2), 0 };
	const struct pt_edit same = { .kind = PT_EDIT_ATTR };
	struct pt_merge merge = { .nr = SPAN(3), .live = _i & 1 };
	const uint64_t block = 0x80000007fd;
	struct pt_run merged;
	struct fixture f;

	fixture_make(&f, &geo);
	f.pt.leaf_mask = 1;
	map(&f, SPAN(1), SPAN(3), SPAN(1), RW);
	map(&f, 3 * SPAN(1), SPAN(3), 1, RW);
	HOLDS(f.pt.ops->clear_one(&f.pt, 3 * SPAN(1), NULL) == PT_OK);
	f.pt.leaf_mask = 3;
	HOLDS(merge_all(&f, &merge, 8, &merged) == PT_OK);
	HOLDS(raw(&f, 3 * SPAN(1)) == 0);
	if (merge.live && !geo.bbml) {
		ck_assert_uint_eq(linked(&f), 3);
		fixture_end(&f);
		return;
	}
	ck_assert_uint_eq(linked(&f), 2);
	ck_assert_uint_eq(raw(&f, SPAN(1)), merge.live && geo.bbml == 1
						    ? block | 1 << 16
						    : block);
	HOLDS(!f.pt.ops->edit(&f.pt, merged.in, merged.nr, &same, &f.pool, NULL,
			      NULL));
	ck_assert_uint_eq(raw(&f, SPAN(1)), block);
	fixture_end(&f);
}
END_TEST

/* ---- several callers ---- */

struct racer {
	struct fixture *f;
	struct tablemem_pool pool;
	uint32_t *arrived;
	uint64_t rounds, first, nr; /* of its frames in each leaf */
	uint64_t won;
};

/* All three have come that far. Spinning: a wake-up takes longer than a race. */
static void meet(uint32_t *arrived)
{
	uint32_t mine = port_add32(arrived, 1), spins = 0;

	while (port_load32(arrived) < (mine + 2) / 3 * 3) {
		port_relax();
		if (++spins % 200 == 0)
			sched_yield();
	}
}

#define RACE_LEAVES 4
#define RACE_SPLIT  252 /* within a group */

/* Clear, as one whose units have forgotten what was broken. */
static void clear_waiting(const struct pt *pt, uint64_t in, uint64_t nr,
			  struct tablemem_pool *pool)
{
	struct pt_cut cut = { 0 };
	const struct pt_edit clear = { .kind = PT_EDIT_CLEAR, .cut = &cut };
	enum pt_status status;
	struct pt_run at;

	do {
		status = pt->ops->edit(pt, in, nr, &clear, pool, NULL, &at);
	} while (status == PT_NEEDS_SYNC);
	HOLDS(status == PT_OK);
}

/*
 * Leaves of 2 MiB, of which one caller clears and maps again the lower part, the
 * other the upper: they split the same leaf at once, and later link the same
 * table at once.
 */
static void *race_halves(void *arg)
{
	struct racer *racer = arg;
	const struct pt *pt = &racer->f->pt;
	struct pt_run run;
	uint64_t round, i, done;

	for (round = 0; round < racer->rounds; round++) {
		meet(racer->arrived);
		for (i = 0; i < RACE_LEAVES; i++) {
			run = (struct pt_run){ i * SPAN(1) + racer->first,
					       SPAN(3) + i * SPAN(1) +
						       racer->first,
					       racer->nr, RW };
			clear_waiting(pt, run.in, run.nr, &racer->pool);
			run.in += SPAN(2) * (1 + round);
			HOLDS(!pt->ops->map(pt, &run, &racer->pool, &done));
			HOLDS(done == run.nr);
		}
		meet(racer->arrived);
	}
	return NULL;
}

static void race(struct fixture *f, void *(*body)(void *), uint64_t rounds,
		 void (*between)(struct fixture *f, struct racer *racers,
				 uint64_t round))
{
	uint32_t arrived = 0;
	struct racer racers[2];
	pthread_t threads[2];
	uint64_t round;
	int i;

	for (i = 0; i < 2; i++) {
		racers[i] =
			(struct racer){ f,
					{ 0 },
					&arrived,
					rounds,
					i ? RACE_SPLIT : 0,
					i ? SPAN(1) - RACE_SPLIT : RACE_SPLIT,
					0 };
		ck_assert_int_eq(
			pthread_create(&threads[i], NULL, body, &racers[i]), 0);
	}
	for (round = 0; round < rounds; round++) {
		between(f, racers, round);
		meet(&arrived);
		meet(&arrived);
	}
	for (i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
		tablemem_pool_drain(&f->mem, &f->account, &racers[i].pool);
	}
}

static void halves_between(struct fixture *f, struct racer *racers,
			   uint64_t round)
{
	const struct pt_edit clear = { .kind = PT_EDIT_CLEAR };
	uint64_t words[8], in;
	struct pt_sink sink = { words, 0, 8 };
	struct pt_leaf leaf;
	struct pt_run at;
	int i;

	for (in = 0; round && in < RACE_LEAVES * SPAN(1); in++) {
		HOLDS(!f->pt.ops->lookup(&f->pt, in, &leaf));
		HOLDS(f->pt.ops->lookup(&f->pt, in + SPAN(2) * round, &leaf));
		HOLDS(leaf.out == SPAN(3) + in && leaf.attr == RW);
	}
	do {
		HOLDS(f->pt.ops->edit(&f->pt, 0, SPAN(3), &clear, &f->pool,
				      &sink, &at) == PT_OK);
		sink_empty(f, &sink);
	} while (sink.nr);
	map(f, 0, SPAN(3), RACE_LEAVES * SPAN(1), RW);
	for (i = 0; i < 2; i++)
		HOLDS(!tablemem_pool_fill(&f->mem, &f->account, &racers[i].pool,
					  4 * RACE_LEAVES));
	HOLDS(f->account.used == 1 + linked(f) + f->pool.nr +
					 racers[0].pool.nr + racers[1].pool.nr);
}

START_TEST(callers_on_both_halves_of_a_leaf_lose_nothing)
{
	/* Coherent ones: link_is_late() takes a store for its owner's last. */
	static const struct geometry cases[] = {
		{ &pt_arm_s2_4k_ops, 48, 3, 12, 0x3, 0, 0, 2 },
		{ &pt_arm_s2_4k_ops, 48, 3, 12, 0x3, 0, 0, 0 },
		{ &pt_arm_s2_4k_ops, 48, 3, 12, 0x3, 0, 0, 1 },
		{ &pt_arm_s2_4k_ops, 48, 3, 12, 0x3, 0, TEST_HOST_MAP, 2 },
		{ &pt_arm_s2_4k_ops, 48, 3, 12, 0x1, 0, 0, 2, 1 },
		{ &pt_arm_s2_4k_ops, 48, 3, 12, 0x1, 0, 0, 0, 1 },
		{ &pt_ledger_ops, 48, 3, 12, 0x3, 0, 0 },
		{ &pt_rmap_ops, 48, 3, 12, 0x3, 0, 0 },
	};
	struct fixture f;

	fixture_make(&f, &cases[_i]);
	race(&f, race_halves, IA_MAX(test_rounds(100), 50u), halves_between);
	fixture_end(&f);
}
END_TEST

/*
 * The same without chance: another caller does all of its work at a moment of
 * this one's, each call of table_map() in turn.
 */
static struct {
	struct fixture *f;
	struct tablemem_pool pool;
	void *(*table_map)(void *ctx, uint64_t maddr);
	int countdown;
} intruder;

static void clear_and_map_half(struct fixture *f, struct tablemem_pool *pool,
			       uint64_t first)
{
	struct pt_run run = { SPAN(2) + first, SPAN(3) + first, 256, RW };
	uint64_t done;

	clear_waiting(&f->pt, first, 256, pool);
	HOLDS(!f->pt.ops->map(&f->pt, &run, pool, &done));
}

static void *intruding_table_map(void *ctx, uint64_t maddr)
{
	if (--intruder.countdown == 0)
		clear_and_map_half(intruder.f, &intruder.pool, 256);
	return intruder.table_map(ctx, maddr);
}

START_TEST(another_caller_at_any_moment_changes_nothing)
{
	static const struct geometry cases[] = {
		{ &pt_arm_s2_4k_ops, 48, 3, 12, 7, 0, TEST_HOST_MAP, 0 },
		{ &pt_arm_s2_4k_ops, 48, 3, 12, 7, 0, TEST_HOST_MAP, 1 },
		{ &pt_arm_s2_4k_ops, 48, 3, 12, 7, 0, TEST_HOST_MAP, 2 },
		{ &pt_ledger_ops, 48, 3, 12, 7, 0, TEST_HOST_MAP, 0 },
		{ &pt_rmap_ops, 48, 3, 12, 7, 0, TEST_HOST_MAP, 0 },
	};
	const struct geometry geo = cases[_i];
	struct pt_leaf leaf;
	struct fixture f;
	int moment = 0;
	uint64_t in;

	do {
		fixture_make(&f, &geo);
		map(&f, 0, SPAN(2), SPAN(2), RW);
		need(&f, 8);
		intruder.f = &f;
		HOLDS(!tablemem_pool_fill(&f.mem, &f.account, &intruder.pool,
					  8));
		intruder.table_map = f.host->hostif.ops.table_map;
		intruder.countdown = ++moment;
		f.host->hostif.ops.table_map = intruding_table_map;
		clear_and_map_half(&f, &f.pool, 0);
		f.host->hostif.ops.table_map = intruder.table_map;
		if (intruder.countdown <= 0) {
			for (in = 0; in < SPAN(1); in++) {
				HOLDS(!f.pt.ops->lookup(&f.pt, in, &leaf));
				HOLDS(f.pt.ops->lookup(&f.pt, SPAN(2) + in,
						       &leaf));
				HOLDS(leaf.out == SPAN(3) + in);
			}
			HOLDS(f.pt.ops->lookup(&f.pt, SPAN(1), &leaf));
			HOLDS(leaf.out == SPAN(2) + SPAN(1));
			HOLDS(linked(&f) == 5);
			HOLDS(f.pool.nr + intruder.pool.nr == 12);
		}
		tablemem_pool_drain(&f.mem, &f.account, &intruder.pool);
		fixture_end(&f);
	} while (intruder.countdown <= 0);
	ck_assert_int_gt(moment, 20);
}
END_TEST

#define CLAIMS 64

/* Both want the same slots: whoever is first has it. */
static void *race_claim(void *arg)
{
	struct racer *racer = arg;
	const struct pt *pt = &racer->f->pt;
	struct pt_run run = { 0, 0, 1, racer->first };
	uint64_t round, done;

	for (round = 0; round < racer->rounds; round++) {
		meet(racer->arrived);
		for (run.in = 0; run.in < CLAIMS; run.in++) {
			run.out = run.in;
			if (!pt->ops->map(pt, &run, &racer->pool, &done))
				racer->won++;
			if (!pt->ops->map_one(pt, CLAIMS + run.in, 5,
					      racer->first))
				racer->won++;
		}
		meet(racer->arrived);
	}
	return NULL;
}

static void claim_between(struct fixture *f, struct racer *racers,
			  uint64_t round)
{
	const struct pt_edit clear = { .kind = PT_EDIT_CLEAR };
	uint64_t in, mine[2] = { 0 };
	struct pt_leaf leaf;
	struct pt_run at;
	int i;

	for (in = 0; round && in < 2 * CLAIMS; in++) {
		HOLDS(f->pt.ops->lookup(&f->pt, in, &leaf));
		mine[leaf.attr / RACE_SPLIT]++;
	}
	for (i = 0; i < 2; i++) {
		HOLDS(racers[i].won == mine[i]);
		racers[i].won = 0;
		HOLDS(!tablemem_pool_fill(&f->mem, &f->account, &racers[i].pool,
					  4));
	}
	HOLDS(!f->pt.ops->edit(&f->pt, 0, SPAN(1), &clear, &f->pool, NULL,
			       &at));
}

START_TEST(a_slot_of_the_reverse_map_has_one_winner)
{
	struct fixture f;

	fixture_make(&f, &rmap_52);
	map(&f, 0, 0, 1, 1);
	race(&f, race_claim, IA_MAX(test_rounds(300), 100u), claim_between);
	fixture_end(&f);
}
END_TEST

static void groups_and_merging(Suite *s)
{
	TCase *tc = tcase_create("groups");

	tcase_add_loop_test(tc, whole_groups_have_the_hint, 0,
			    (int)IA_COUNT(hinted));
	tcase_add_loop_test(tc, a_group_that_is_all_there_is_has_the_hint, 0,
			    (int)IA_COUNT(hinted));
	tcase_add_loop_test(tc, no_hint_for_what_is_no_group, 0,
			    (int)IA_COUNT(hinted));
	tcase_add_loop_test(tc,
			    a_group_is_dissolved_before_a_part_of_it_changes, 0,
			    3 * CHANGES);
	tcase_add_test(tc, what_a_leaf_becomes_has_hints);
	tcase_add_test(tc, two_callers_cut_one_group);
	suite_add_tcase(s, tc);
	tc = tcase_create("merging");
	tcase_add_loop_test(tc, full_tables_become_the_leaf_that_they_are, 0,
			    12);
	tcase_add_loop_test(tc, only_what_is_one_mapping_becomes_one_leaf, 0,
			    (int)IA_COUNT(obstacles));
	tcase_add_test(tc, leaves_that_are_broken_are_not_merged);
	tcase_add_test(tc, merging_keeps_to_its_range_and_condition);
	tcase_add_loop_test(
		tc, a_leaf_takes_the_place_of_a_table_as_units_can_take_it, 0,
		6);
	suite_add_tcase(s, tc);
}

static Suite *suite(void)
{
	Suite *s = suite_create("pgtable");
	TCase *tc = tcase_create("oracle");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc,
			    every_format_and_geometry_agrees_with_a_flat_array,
			    0, NR_GEOMETRIES);
	suite_add_tcase(s, tc);
	tc = tcase_create("rules");
	tcase_add_test(tc, arm_descriptors_are_those_of_the_manual);
	tcase_add_test(tc, each_arm_format_has_the_bits_of_the_manual);
	tcase_add_loop_test(tc, a_leaf_becomes_tables_as_units_can_take_it, 0,
			    3);
	tcase_add_test(tc, a_cut_takes_all_its_pages_before_it_breaks_anything);
	tcase_add_test(tc, count_is_what_map_takes);
	tcase_add_test(tc, the_largest_leaf_splits_down_to_one_frame);
	tcase_add_test(tc, a_cut_alone_changes_nothing_but_the_leaves);
	tcase_add_test(tc, clear_unlinks_a_covered_table_in_one_store);
	tcase_add_loop_test(tc, a_slot_is_cleared_if_it_is_one, 0, 2);
	tcase_add_test(tc, without_a_sink_no_table_is_unlinked);
	tcase_add_test(tc, clear_with_a_condition_unlinks_what_became_empty);
	tcase_add_loop_test(tc, a_table_in_which_one_leaf_is_left_stays, 0, 4);
	tcase_add_loop_test(tc, a_large_leaf_is_entered_where_it_can_be, 0,
			    (int)IA_COUNT(large_in));
	tcase_add_loop_test(tc, large_leaves_of_the_librarys_own_hold_any_out,
			    0, 2);
	tcase_add_test(tc, an_empty_table_stays_that_the_range_covers_in_part);
	tcase_add_test(tc, occupied_says_how_far_it_got);
	tcase_add_test(tc, nothing_is_found_past_the_input_bits);
	tcase_add_test(tc, next_looks_at_no_more_than_its_budget);
	tcase_add_loop_test(tc, vtd_entries_are_those_of_the_manual, 0, 2);
	tcase_add_loop_test(tc, a_row_of_tables_takes_no_neighbour_along, 0, 4);
	tcase_add_loop_test(tc, a_small_budget_frees_everything, 0,
			    (int)IA_COUNT(freed));
	tcase_add_test(tc, a_run_of_stores_is_cleaned_once);
	suite_add_tcase(s, tc);
	groups_and_merging(s);
	tc = tcase_create("callers");
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, callers_on_both_halves_of_a_leaf_lose_nothing,
			    0, 8);
	tcase_add_loop_test(tc, another_caller_at_any_moment_changes_nothing, 0,
			    5);
	tcase_add_test(tc, a_slot_of_the_reverse_map_has_one_winner);
	suite_add_tcase(s, tc);
	return s;
}

HARNESS_MAIN(suite)
