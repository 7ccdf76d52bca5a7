/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_sim_stage2.c - stage 2 of the SMMUv3 model in every granule and width:
 * walks, contiguous groups, invalidations, sizes that change
 */
#include "test_simdrv.h"

/*
 * One page at the top of the input range. sl: S2SL0 and, from 4, S2SL0_2.
 */
static const struct shape {
	unsigned int lg2, tg, bits, sl, ds, ps;
	int start;
	uint64_t pa;
} shapes[] = {
	{ 14, 2, 40, 1, 0, 4, 2, 0x80004000ull }, /* 16 tables */
	{ 14, 2, 36, 1, 0, 4, 2, 0x80004000ull },
	{ 14, 2, 47, 2, 0, 5, 1, 0x80004000ull },
	{ 14, 2, 29, 0, 0, 4, 3, 0x80004000ull },
	{ 16, 1, 42, 1, 0, 4, 2, 0x80010000ull },
	{ 16, 1, 46, 1, 0, 4, 2, 0x80010000ull }, /* 16 tables */
	{ 16, 1, 33, 0, 0, 4, 3, 0x80010000ull },
	{ 16, 1, 48, 2, 0, 6, 1, 0xa000080010000ull },
	{ 16, 1, 52, 2, 0, 6, 1, 0xa000080010000ull },
	{ 12, 0, 48, 2, 1, 6, 0, 0xa000080001000ull },
	{ 12, 0, 52, 4, 1, 6, -1, 0xa000080001000ull },
	{ 12, 0, 52, 2, 1, 6, 0, 0xa000080001000ull }, /* 16 tables */
	{ 14, 2, 52, 3, 1, 6, 0, 0xa000080004000ull },
	{ 14, 2, 47, 2, 1, 6, 1, 0xa000080004000ull },
};

/* The address in a descriptor, as the shape has it. */
static uint64_t in_desc(const struct shape *s, uint64_t pa)
{
	if (s->ds)
		return (pa & 0x3fffffffff000ull) | (pa >> 50 & 3) << 8;
	if (s->lg2 == 16)
		return (pa & 0xffffffff0000ull) | (pa >> 48 & 15) << 12;
	return pa;
}

static uint64_t leaf(const struct shape *s, uint64_t pa)
{
	return in_desc(s, pa) | 0xfull << 2 | 3ull << 6 | 1ull << 10 |
	       (s->ds ? 0 : 3ull << 8);
}

static uint64_t zeroed(unsigned int lg2)
{
	uint64_t maddr = raw_page(lg2);

	iommuabs_sim_dev_zero(at(maddr), (size_t)1 << lg2);
	return maddr;
}

/* Tables down to @level are made; the address of the entry there. */
static uint64_t entry_of(const struct shape *s, uint64_t ipa, int level)
{
	unsigned int stride = s->lg2 - 3, lg2;
	uint64_t table = root, e, next;
	int i;

	for (i = s->start;; i++) {
		lg2 = s->lg2 + stride * (unsigned int)(3 - i);
		e = ipa >> lg2;
		if (i != s->start)
			e &= (1ull << stride) - 1;
		e = table + 8 * e;
		if (i == level)
			return e;
		if (!(get(e) & 1)) {
			next = zeroed(s->lg2);
			iommuabs_sim_dev_wmb();
			st(e, TABLE(next));
		}
		table = get(e) & 0xfffffffff000ull & ~((1ull << s->lg2) - 1);
	}
}

static uint64_t ste2(const struct shape *s)
{
	return (STE2(VM) & ~(0xffull << 32 | 3ull << 46 | 7ull << 48)) |
	       (uint64_t)(64 - s->bits) << 32 | (uint64_t)(s->sl & 3) << 38 |
	       (uint64_t)s->tg << 46 | (uint64_t)s->ps << 48;
}

static uint64_t ste3(const struct shape *s)
{
	return root | (uint64_t)s->ds << 3 | (uint64_t)(s->sl >> 2) << 2;
}

static void shaped_domain(const struct shape *s)
{
	unsigned int top = s->lg2 + (s->lg2 - 3) * (unsigned int)(3 - s->start);
	unsigned int lg2 = s->bits - top + 3;

	config.oas = config.vax = 52;
	config.ds = 1;
	remake(IOMMUABS_SIM_ADVERSARY);
	enable();
	root = zeroed(lg2 < s->lg2 ? s->lg2 : lg2);
	mb();
	set_ste(DEV, STE0_S2, STE1_SHCFG, ste2(s), ste3(s));
}

START_TEST(every_granule_and_width_walks)
{
	const struct shape *s = &shapes[_i];
	uint64_t ipa = (1ull << s->bits) - (1ull << s->lg2);

	shaped_domain(s);
	st(entry_of(s, ipa, 3), leaf(s, s->pa) | 3);
	mb();
	ck_assert_uint_eq(dma(DEV, ipa + 0x123, WRITE), s->pa + 0x123);
	ck_assert_uint_eq(dma(DEV, ipa - (1ull << s->lg2), 0), BLOCKED);
	ck_assert_uint_eq(last.event, 0x10);
	assert_clean();
}
END_TEST

/* The greatest leaf that a shape can have, and one level above it. */
static const struct block {
	unsigned int shape;
	int level;
	uint64_t pa;
	int good;
} blocks[] = {
	{ 1, 2, 0x82000000ull, 1 },	   { 2, 1, 0x1000000000ull, 0 },
	{ 4, 2, 0x80000000ull, 1 },	   { 7, 1, 0x40000000000ull, 1 },
	{ 9, 1, 0xa000080000000ull, 1 },   { 9, 0, 0xa000000000000ull, 1 },
	{ 10, -1, 0xa000000000000ull, 0 }, { 13, 1, 0xa001000000000ull, 1 },
	{ 12, 0, 0x8000000000000ull, 0 },
};

START_TEST(blocks_are_where_the_manual_has_them)
{
	const struct block *b = &blocks[_i];
	const struct shape *s = &shapes[b->shape];

	shaped_domain(s);
	st(entry_of(s, 0, b->level), leaf(s, b->pa) | 1);
	mb();
	ck_assert_uint_eq(dma(DEV, 0x1234567, 0),
			  b->good ? b->pa + 0x1234567 : BLOCKED);
	if (!b->good)
		ck_assert_uint_eq(last.event, 0x10);
	assert_clean();
}
END_TEST

/* A legal STE of a shape with something changed. */
static const struct bad_shape {
	unsigned int shape;
	uint64_t w2, w3;
	unsigned int ds, oas;
} bad_shapes[] = {
	{ 0, 2ull << 38, 0, 1, 52 }, /* 16K: S2SL0 = 3 without DS */
	{ 12, (12ull ^ 16) << 32, 1ull << 3, 1, 52 }, /* 48 bits, no DS */
	{ 10, 1ull << 38, 0, 1, 52 },		      /* 4K: {1, 01} */
	{ 9, 0, 1ull << 3, 1, 52 },  /* 4K with 52 bits, S2TTB, no DS */
	{ 2, 0, 0, 0, 40 },	     /* 16K from level 1: OAS < 42 */
	{ 7, 0, 0, 0, 42 },	     /* 64K from level 1: OAS < 44 */
	{ 4, 1ull << 38, 0, 1, 52 }, /* 42 bits from level 3 */
};

START_TEST(geometries_that_do_not_fit_are_refused)
{
	const struct bad_shape *b = &bad_shapes[_i];
	const struct shape *s = &shapes[b->shape];

	config.oas = b->oas;
	if (b->ds)
		config.vax = 52;
	config.ds = b->ds;
	remake(IOMMUABS_SIM_FUNCTIONAL);
	enable();
	root = b->shape == 9 ? 0x8000080000000ull : zeroed(16);
	set_ste(DEV, STE0_S2, STE1_SHCFG, ste2(s) ^ b->w2, ste3(s) ^ b->w3);
	ck_assert_uint_eq(dma(DEV, 0, 0), BLOCKED);
	ck_assert_uint_eq(last.event, 0x04);
}
END_TEST

#define RIL(num, scale) ((uint64_t)(num) << 12 | (uint64_t)(scale) << 20)
#define TG(n)		((uint64_t)(n) << 10)
#define TTL(n)		((uint64_t)(n) << 8)
#define LEAF		1ull
#define AT		0x40000000ull
/* A page at AT of that shape is cached: does the command remove it? */
static const struct scope {
	unsigned int shape;
	uint64_t w0, w1;
	int removed;
} scopes[] = {
	{ 1, TLBI_IPA(VM, AT), 1 },
	{ 1, TLBI_IPA(VM, AT + 0x3000), 1 },
	{ 1, TLBI_IPA(VM, AT + 0x4000), 0 },
	{ 1, TLBI_IPA(VM, AT | TG(2) | TTL(3)), 1 },
	{ 1, TLBI_IPA(VM, AT | TG(2) | TTL(2)), 0 },
	{ 1, TLBI_IPA(VM, AT | TG(1) | TTL(3)), 0 },
	{ 1, RIL(1, 0) | TLBI_IPA(VM, (AT - 0x4000) | TG(2)), 1 },
	{ 1, RIL(1, 0) | TLBI_IPA(VM, (AT - 0x8000) | TG(2)), 0 },
	{ 1, RIL(31, 6) | TLBI_IPA(VM, (AT - 0x800000) | TG(2) | LEAF), 1 },
	{ 4, TLBI_IPA(VM, AT + 0xf000), 1 },
	{ 4, TLBI_IPA(VM, AT | TG(3) | TTL(3)), 1 },
	{ 4, TLBI_IPA(VM, AT | TG(2) | TTL(3)), 0 },
	{ 4, RIL(1, 0) | TLBI_IPA(VM, (AT - 0x10000) | TG(3)), 1 },
	{ 4, RIL(0, 1) | TLBI_IPA(VM, (AT - 0x20000) | TG(3)), 0 },
	{ 9, RIL(0, 34) | TLBI_IPA(VM, TG(1)), 1 },
};

START_TEST(invalidations_have_their_scope_in_every_granule)
{
	const struct scope *c = &scopes[_i];
	const struct shape *s = &shapes[c->shape];
	struct iommuabs_sim_probe *p;
	uint64_t e;

	shaped_domain(s);
	e = entry_of(s, AT, 3);
	st(e, leaf(s, s->pa) | 3);
	mb();
	p = iommuabs_sim_probe_add(unit, DEV, AT, 0);
	ck_assert_uint_eq(allow(p, s->pa), 0);
	allow(p, s->pa, BLOCKED);
	st(e, 0);
	mb();
	cmd_sync(c->w0, c->w1);
	ck_assert_uint_eq(allow(p, BLOCKED), !c->removed);
	if (!c->removed)
		assert_only(PROBE);
	assert_clean();
}
END_TEST

START_TEST(invalidations_off_their_alignment_are_noticed)
{
	static const uint64_t w1[] = {
		(AT + 0x1000) | TG(2) | TTL(3),
		(AT + 0x4000) | TG(2) | TTL(2),
		(AT + 0x4000) | TG(3) | TTL(3),
		(AT + 0x10000) | TG(3) | TTL(2),
		(AT + 0x20000000) | TG(3) | TTL(1),
	};
	unsigned int i;

	enable_queues();
	for (i = 0; i < sizeof(w1) / sizeof(w1[0]); i++) {
		cmd_sync(TLBI_IPA(VM, w1[i]));
		assert_only(COMMAND);
	}
}
END_TEST

/* Groups: 16 of 4K, 128 of 16K, 32 of 64K; 32 blocks of 16K and 64K. */
static const struct group {
	unsigned int shape, entries;
	int level;
} groups[] = { { 9, 16, 3 }, { 1, 128, 3 }, { 4, 32, 3 },
	       { 9, 16, 2 }, { 0, 32, 2 },  { 5, 32, 2 } };

START_TEST(one_entry_speaks_for_its_contiguous_group)
{
	const struct group *g = &groups[_i];
	const struct shape *s = &shapes[g->shape];
	unsigned int lg2 = s->lg2 + (s->lg2 - 3) * (unsigned int)(3 - g->level);
	uint64_t type = g->level == 3 ? 3 : 1, out[4];
	uint64_t pa = 0x400000000ull, e, size = 1ull << lg2;
	struct iommuabs_sim_probe *p;
	unsigned int i;

	shaped_domain(s);
	e = entry_of(s, 0, g->level);
	for (i = 0; i < g->entries; i++)
		st(e + 8 * i, leaf(s, pa + size * i) | CONTIGUOUS | type);
	mb();
	p = iommuabs_sim_probe_add(unit, DEV, size * (g->entries - 1), 0);
	ck_assert_uint_eq(allow(p, pa + size * (g->entries - 1)), 0);
	/* Beyond the group. */
	ck_assert_uint_eq(dma(DEV, size * g->entries, 0), BLOCKED);
	assert_clean();
	/* A mixed group: the last one goes, another may have been read. */
	allow(p, pa + size * (g->entries - 1), BLOCKED);
	st(e + 8 * (g->entries - 1), 0);
	mb();
	cmd_sync(TLBI_VMALL(VM));
	ck_assert_uint_eq(iommuabs_sim_probe_outcomes(p, out, 4), 2);
	assert_only(CONTIGUOUS);
	for (i = 0; i < g->entries; i++)
		st(e + 8 * i, 0);
	mb();
	cmd_sync(TLBI_VMALL(VM));
	ck_assert_uint_eq(iommuabs_sim_probe_outcomes(p, out, 4), 1);
	assert_clean();
}
END_TEST

/* 16 pages with the bit, one of them otherwise: what is a group? */
static const struct oddity {
	uint64_t flip; /* bits of the descriptor of page 3 */
	uint64_t pa;
	int good;
} oddities[] = {
	{ 0, 0x400000000ull, 1 },
	{ CONTIGUOUS, 0x400000000ull, 0 },
	{ 1, 0x400000000ull, 0 },
	{ 0x80, 0x400000000ull, 0 },   /* S2AP: read-only */
	{ 0x20, 0x400000000ull, 0 },   /* MemAttr */
	{ 0x1000, 0x400000000ull, 0 }, /* another frame */
	{ 0, 0x400001000ull, 0 },      /* not aligned */
};

static void st_group(uint64_t e, const struct oddity *o)
{
	unsigned int i;

	for (i = 0; i < 16; i++)
		st(e + 8 * i, (PAGE_RW(o->pa + 0x1000 * i) | CONTIGUOUS) ^
				      (i == 3 ? o->flip : 0));
	mb();
}

/* In a table that is linked, and in one that is filled before that. */
START_TEST(a_group_is_whole_when_a_sync_completes)
{
	const struct oddity *o = &oddities[_i / 2];
	unsigned int i;
	uint64_t e;

	one_domain();
	if (_i % 2) {
		e = page();
		for (i = 0; i < 512; i++)
			st(e + 8 * i, 0);
		st_group(e, o);
		st(slot(root, 2, 0x60000000), TABLE(e));
		mb();
	} else {
		st_group(slot(root, 3, 0x60000000), o);
	}
	assert_clean(); /* it may be on its way */
	cmd_sync(TLBI_VMALL(VM));
	if (o->good)
		assert_clean();
	else
		assert_only(CONTIGUOUS);
}
END_TEST

/* ---- sizes that change ---- */

#define BLOCK_AT 0x50000000ull
#define BLOCK_PA 0xa0200000ull
static uint64_t block_entry, small;

static void make_both_sizes(unsigned int bbml)
{
	unsigned int i;

	config.bbml = bbml;
	remake(IOMMUABS_SIM_ADVERSARY);
	one_domain();
	block_entry = slot(root, 2, BLOCK_AT);
	small = page();
	for (i = 0; i < 512; i++)
		st(small + 8 * i, PAGE_RW(BLOCK_PA + 0x1000 * i));
	mb();
}

/*
 * A sequence, from B (the block) or T (the table): N the block with nT, 0
 * invalid, I an invalidation with its sync; and with which BBML it is right.
 */
static const struct resize {
	const char *steps;
	unsigned int right; /* bit per BBML */
} resizes[] = {
	{ "BT", 4 },   { "B0IT", 7 }, { "B0T", 4 },	 { "BNIT", 6 },
	{ "BNT", 4 },  { "TB", 4 },   { "T0IB", 7 },	 { "T0B", 4 },
	{ "TNIB", 6 }, { "TNB", 4 },  { "BNITINIB", 6 }, { "BIN", 7 },
};

START_TEST(a_size_changes_as_bbml_allows)
{
	const struct resize *r = &resizes[_i];
	unsigned int bbml;
	const char *step;

	for (bbml = 0; bbml < 3; bbml++) {
		make_both_sizes(bbml);
		for (step = r->steps; *step; step++) {
			if (*step == 'I') {
				cmd_sync(TLBI_VMALL(VM));
				continue;
			}
			st(block_entry, *step == 'B'   ? BLOCK_RW(BLOCK_PA)
					: *step == 'N' ? BLOCK_RW(BLOCK_PA) | NT
					: *step == 'T' ? TABLE(small)
						       : 0);
			mb();
		}
		cmd_sync(TLBI_VMALL(VM));
		if (r->right >> bbml & 1)
			assert_clean();
		else
			assert_only(BBM);
	}
}
END_TEST

START_TEST(a_contiguous_bit_changes_as_bbml_allows)
{
	unsigned int bbml, i;

	for (bbml = 0; bbml < 3; bbml++) {
		make_both_sizes(bbml);
		st(block_entry, TABLE(small));
		mb();
		for (i = 0; i < 16; i++)
			st(small + 8 * i,
			   PAGE_RW(BLOCK_PA + 0x1000 * i) | CONTIGUOUS);
		mb();
		if (bbml)
			assert_clean();
		else
			assert_only(BBM);
	}
}
END_TEST

/* ---- linear stream tables ---- */

static void linear(void)
{
	config.st_level = 0;
	config.sidsize = 6;
	remake(IOMMUABS_SIM_ADVERSARY);
	set_gbpa(0x1000 | 1u << 20);
	enable_queues();
	l2 = page();
	mb();
	wr64(STRTAB_BASE, l2);
	wr(STRTAB_CFG, 6);
	wr(CR2, 2);
	cmd(CFGI_ALL);
	cmd(TLBI_ALL);
	finish();
	set_cr0(SMMUEN | CMDQEN | EVENTQEN);
	root = page();
	map(root, GPA, PAGE_RW(PA));
	set_ste(DEV, STE0_S2, STE1_SHCFG, STE2(VM), root);
}

START_TEST(linear_stream_tables_are_followed)
{
	struct iommuabs_sim_probe *p;

	linear();
	p = iommuabs_sim_probe_add(unit, DEV, GPA, 0);
	ck_assert_uint_eq(allow(p, PA), 0);
	ck_assert_uint_eq(dma(DEV + 1, GPA, 0), BLOCKED);
	ck_assert_uint_eq(last.event, 0x04);
	ck_assert_uint_eq(dma(64, GPA, 0), BLOCKED);
	ck_assert_uint_eq(last.event, 0x02);
	allow(p, PA, BLOCKED);
	clear_ste(DEV);
	ck_assert_uint_eq(allow(p, BLOCKED), 0);
	assert_clean();
}
END_TEST

START_TEST(mistakes_in_linear_stream_tables_are_found)
{
	uint64_t other;

	linear();
	other = page();
	map(other, GPA, PAGE_RW(PA2));
	st(ste_at(DEV) + 24, other);
	st(ste_at(DEV) + 16, STE2(VM + 1));
	mb();
	cmd_sync(CFGI_STE(DEV, 1));
	assert_found(TORN_STE);
	iommuabs_sim_free(arena, l2, 12);
	assert_found(FREED);
}
END_TEST

static TCase *walk_tests(void)
{
	TCase *t = tcase_create("walks");

	tcase_add_checked_fixture(t, adversary, drop);
	tcase_add_loop_test(t, every_granule_and_width_walks, 0, NR(shapes));
	tcase_add_loop_test(t, blocks_are_where_the_manual_has_them, 0,
			    NR(blocks));
	tcase_add_loop_test(t, geometries_that_do_not_fit_are_refused, 0,
			    NR(bad_shapes));
	tcase_add_loop_test(t, invalidations_have_their_scope_in_every_granule,
			    0, NR(scopes));
	tcase_add_test(t, invalidations_off_their_alignment_are_noticed);
	tcase_add_loop_test(t, one_entry_speaks_for_its_contiguous_group, 0,
			    NR(groups));
	return t;
}

static TCase *change_tests(void)
{
	TCase *t = tcase_create("changes");

	tcase_add_checked_fixture(t, adversary, drop);
	tcase_add_loop_test(t, a_size_changes_as_bbml_allows, 0, NR(resizes));
	tcase_add_loop_test(t, a_group_is_whole_when_a_sync_completes, 0,
			    2 * NR(oddities));
	tcase_add_test(t, a_contiguous_bit_changes_as_bbml_allows);
	tcase_add_test(t, linear_stream_tables_are_followed);
	tcase_add_test(t, mistakes_in_linear_stream_tables_are_found);
	return t;
}

static Suite *suite(void)
{
	Suite *s = suite_create("sim_stage2");

	suite_add_tcase(s, walk_tests());
	suite_add_tcase(s, change_tests());
	return s;
}

HARNESS_MAIN(suite)
