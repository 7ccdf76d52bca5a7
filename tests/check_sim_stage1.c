/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_sim_stage1.c - stage 1 of the SMMUv3 model: context descriptors, ASIDs,
 * and the mistakes that can be made with them
 */
#include "test_simdrv.h"

#define USER	  (1ull << 6)
#define READ_ONLY (1ull << 7)
#define AF	  (1ull << 10)
#define NG	  (1ull << 11)
#define S1_ATTRS  (3ull << 8 | AF | USER)
#define S1_RW(pa) ((pa) | S1_ATTRS | NG | 3)
#define S1_RO(pa) (S1_RW(pa) | READ_ONLY)

/* 39 bits from level 1, 4K; EPD1, V, 44 bits out, AA64, R, A, ASET */
#define CD_V (1ull << 31)
#define CD0(asid)                                                          \
	(25ull | 1ull << 8 | 1ull << 10 | 3ull << 12 | 1ull << 30 | CD_V | \
	 4ull << 32 | 1ull << 41 | 1ull << 45 | 1ull << 46 | 1ull << 47 |  \
	 (uint64_t)(asid) << 48)
#define CD3 0xffull /* MAIR */

#define STE0_S1		(1ull | 5ull << 1)
#define STE1_S1		(STE1_SHCFG | 1ull << 2 | 1ull << 4 | 3ull << 6)
#define S1CDMAX(n)	((uint64_t)(n) << 59)
#define CFGI_CD(sid)	0x05 | (uint64_t)(sid) << 32, 1
#define CFGI_CDS(sid)	0x06 | (uint64_t)(sid) << 32, 0
#define TLBI_NH(vmid)	0x10 | (uint64_t)(vmid) << 32, 0
#define NH_ASID(asid)	0x11 | (uint64_t)(asid) << 48, 0
#define NH_VA(asid, va) 0x12 | (uint64_t)(asid) << 48, (va)
#define NH_VAA(va)	0x13, (va)
#define TG4K		(1ull << 10)
#define TTL(n)		((uint64_t)(n) << 8)
#define RIL(num, scale) ((uint64_t)(num) << 12 | (uint64_t)(scale) << 20)

#define ASID 7
static uint64_t cd; /* of the one domain */

static void fill_cd(uint64_t at, uint64_t w0, uint64_t ttb, uint64_t w2)
{
	st(at + 8, ttb);
	st(at + 16, w2);
	st(at + 24, CD3);
	st(at, w0);
}

/* 3.21.3.2: made invalid, filled, made valid; each invalidated and synced. */
static void set_cd(uint64_t w0, uint64_t ttb)
{
	st(cd, 0);
	mb();
	cmd_sync(CFGI_CD(DEV));
	st(cd + 8, ttb);
	mb();
	cmd_sync(CFGI_CD(DEV));
	st(cd, w0);
	mb();
	cmd_sync(CFGI_CD(DEV));
}

/* ASID 7, stream 3, gfn 0x1000 -> 0x80001000. */
static void one_space(void)
{
	enable();
	root = page();
	cd = page();
	map(root, GPA, S1_RW(PA));
	fill_cd(cd, CD0(ASID), root, 0);
	mb();
	set_ste(DEV, STE0_S1 | cd, STE1_S1, 0, 0);
}

/* ---- functional: what is translated ---- */

START_TEST(pages_translate_on_units_with_and_without_stage_2)
{
	config.s2p = (unsigned int)_i;
	remake(IOMMUABS_SIM_FUNCTIONAL);
	one_space();
	ck_assert_uint_eq(dma(DEV, GPA + 0x123, WRITE), PA + 0x123);
	ck_assert_uint_eq(dma(DEV, GPA + 0x1000, 0), BLOCKED);
	ck_assert_uint_eq(last.event, 0x10);
	assert_clean();
}
END_TEST

/* A descriptor at a level, and what comes of it; CLASS is IN or TT. */
static const struct walk_case {
	uint64_t desc;
	unsigned int level;
	uint32_t flags, event;
	uint64_t class;
} walk_cases[] = {
	{ 0, 3, 0, 0x10, 2 },
	{ S1_RW(PA) & ~2ull, 3, 0, 0x10, 2 },
	{ S1_RW(1ull << 44), 3, 0, 0x11, 2 },
	{ TABLE(1ull << 44), 2, 0, 0x11, 2 },
	{ TABLE(0x700000000ull), 2, 0, 0x0b, 1 },
	{ S1_RW(PA) & ~AF, 3, 0, 0x12, 2 },
	{ S1_RO(PA), 3, WRITE, 0x13, 2 },
	{ S1_RW(PA) & ~USER, 3, 0, 0x13, 2 },
};

START_TEST(walks_fault_as_the_manual_says)
{
	const struct walk_case *c = &walk_cases[_i];
	uint64_t va = GPA + 0x10200000;

	one_space();
	st(slot(root, c->level, va), c->desc);
	mb();
	ck_assert_uint_eq(dma(DEV, va + 8, c->flags), BLOCKED);
	ck_assert_uint_eq(get(eventq), (uint64_t)DEV << 32 | c->event);
	ck_assert_uint_eq(get(eventq + 8),
			  c->class << 40 | (c->flags & WRITE ? 0 : 1ull << 35));
	ck_assert_uint_eq(get(eventq + 16), va + 8);
	ck_assert_uint_eq(get(eventq + 24),
			  c->event == 0x0b ? entry(0x700000000ull, 3, va) : 0);
	assert_clean();
}
END_TEST

START_TEST(privileged_requests_are_told_apart)
{
	one_space();
	map(root, GPA + 0x1000, S1_RW(PA2) & ~USER);
	ck_assert_uint_eq(dma(DEV, GPA + 0x1000, 0), BLOCKED);
	ck_assert_uint_eq(get(eventq + 8), 2ull << 40 | 1ull << 35);
	ck_assert_uint_eq(dma(DEV, GPA + 0x1000, IOMMUABS_SIM_DMA_PRIVILEGED),
			  PA2);
	ck_assert_uint_eq(dma(DEV, GPA + 0x2000, IOMMUABS_SIM_DMA_PRIVILEGED),
			  BLOCKED);
	/* PnU */
	ck_assert_uint_eq(get(eventq + 40),
			  2ull << 40 | 1ull << 35 | 1ull << 33);
	/* PRIVCFG: all are privileged; PAN then keeps them from user pages. */
	set_ste(DEV, STE0_S1 | cd, STE1_S1 | 3ull << 48, 0, 0);
	ck_assert_uint_eq(dma(DEV, GPA + 0x1000, 0), PA2);
	set_cd(CD0(ASID) | 1ull << 40, root);
	cmd_sync(NH_ASID(ASID));
	ck_assert_uint_eq(dma(DEV, GPA, 0), BLOCKED);
	ck_assert_uint_eq(last.event, 0x13);
}
END_TEST

START_TEST(flags_of_the_descriptor_are_obeyed)
{
	one_space();
	map(root, GPA + 0x1000, S1_RW(PA2) & ~AF);
	/* AFFD, TBI0, no R */
	set_cd((CD0(ASID) & ~(1ull << 45)) | 1ull << 35 | 1ull << 38, root);
	ck_assert_uint_eq(dma(DEV, 0xab00000000000000ull + GPA + 0x1000, 0),
			  PA2);
	ck_assert_uint_eq(dma(DEV, GPA + 0x2000, 0), BLOCKED);
	ck_assert_uint_eq(last.event, 0);
	/* EPD0: what is cached is used, nothing is walked. */
	set_cd(CD0(ASID + 1) | 1ull << 14, root);
	ck_assert_uint_eq(dma(DEV, GPA, 0), BLOCKED);
	ck_assert_uint_eq(last.event, 0x10);
	assert_clean();
}
END_TEST

/* Each a legal CD with one thing wrong: 5.4.2. */
static const struct bad_cd {
	uint64_t w0, w1;
} bad_cds[] = {
	{ .w0 = CD_V },		  { .w0 = 1ull << 15 }, /* ENDI */
	{ .w0 = 1ull << 41 },				/* AA64 */
	{ .w0 = 1ull << 42 },				/* HD */
	{ .w0 = 1ull << 43 },				/* HA */
	{ .w0 = 1ull << 44 },				/* S */
	{ .w0 = 1ull << 46 },				/* A */
	{ .w0 = 3ull << 6 },				/* TG0 */
	{ .w0 = 25ull ^ 40 },				/* T0SZ */
	{ .w0 = 25ull ^ 15 },				/* T0SZ */
	{ .w1 = 1ull << 46 },				/* TTB0 beyond IPS */
	{ .w0 = 0x100ull << 48 },			/* ASID */
};

START_TEST(illegal_context_descriptors_are_refused)
{
	const struct bad_cd *bad = &bad_cds[_i];
	enum iommuabs_sim_mode mode = IOMMUABS_SIM_FUNCTIONAL;

	config.asid16 = 0;
	for (; mode <= IOMMUABS_SIM_ADVERSARY; mode++) {
		remake(mode);
		one_space();
		ck_assert_uint_eq(dma(DEV, GPA, 0), PA);
		set_cd(CD0(ASID) ^ bad->w0, root ^ bad->w1);
		ck_assert_uint_eq(dma(DEV, GPA, 0), BLOCKED);
		ck_assert_uint_eq(last.event, 0x0a);
	}
	if (bad->w0 != CD_V)
		assert_only(BAD_CD);
	assert_clean();
}
END_TEST

START_TEST(stalls_go_by_both_entries)
{
	config.stall_model = 0;
	config.stall_max = 4;
	remake(IOMMUABS_SIM_FUNCTIONAL);
	one_space();
	set_cd(CD0(ASID) | 1ull << 44, root);
	last = (struct iommuabs_sim_dma){ .sid = DEV, .addr = 0, .len = 4 };
	ck_assert_int_eq(iommuabs_sim_dma(unit, &last), IOMMUABS_SIM_STALLED);
	/* S1, CLASS = IN, RnW, Stall, STAG */
	ck_assert_uint_eq(get(eventq + 8),
			  2ull << 40 | 1ull << 35 | 1ull << 31 | last.stag);
	set_ste(DEV, STE0_S1 | cd, STE1_S1 | 1ull << 27, 0, 0);
	ck_assert_uint_eq(dma(DEV, GPA, 0), BLOCKED);
	ck_assert_uint_eq(last.event, 0x0a);
	set_cd(CD0(ASID), root);
	ck_assert_uint_eq(dma(DEV, GPA, 0), PA);
	assert_clean();
}
END_TEST

START_TEST(descriptors_outside_memory_abort)
{
	one_space();
	set_ste(DEV, STE0_S1 | 0x700000040ull, STE1_S1, 0, 0);
	ck_assert_uint_eq(dma(DEV, GPA, 0), BLOCKED);
	ck_assert_uint_eq(last.event, 0x09);
	ck_assert_uint_eq(get(eventq), (uint64_t)DEV << 32 | 0x09);
	ck_assert_uint_eq(get(eventq + 24), 0x700000040ull);
}
END_TEST

/* S1CDMax 2, S1DSS: where does a request go, with which SubstreamID? */
static const struct substream {
	unsigned int dss;
	int ssid; /* -1: none */
	uint32_t event;
	uint64_t maddr;
} substreams[] = {
	{ 0, -1, 0x06, BLOCKED }, { 3, -1, 0x06, BLOCKED },
	{ 1, -1, 0, GPA },	  { 2, -1, 0, PA },
	{ 0, 0, 0, PA },	  { 2, 0, 0x06, BLOCKED },
	{ 0, 1, 0, PA2 },	  { 2, 1, 0, PA2 },
	{ 0, 4, 0x08, BLOCKED },  { 0, 2, 0x0a, BLOCKED },
};

START_TEST(substreams_have_their_descriptors)
{
	const struct substream *c = &substreams[_i];
	uint64_t other;

	config.ssidsize = 4;
	remake(IOMMUABS_SIM_ADVERSARY);
	one_space();
	other = page();
	map(other, GPA, S1_RW(PA2));
	fill_cd(cd + 64, CD0(ASID + 1), other, 0);
	mb();
	set_ste(DEV, STE0_S1 | cd | S1CDMAX(2), STE1_S1 | c->dss, 0, 0);
	last = (struct iommuabs_sim_dma){ .sid = DEV, .addr = GPA, .len = 4 };
	if (c->ssid >= 0) {
		last.flags = IOMMUABS_SIM_DMA_SSID;
		last.ssid = (uint32_t)c->ssid;
	}
	ck_assert_int_eq(iommuabs_sim_dma(unit, &last), c->maddr != BLOCKED);
	ck_assert_uint_eq(last.maddr, c->maddr);
	ck_assert_uint_eq(last.event, c->event);
	iommuabs_sim_dev_rmb();
	if (c->event)
		/* 7.3.9: with no SSV, unlike the others. */
		ck_assert_uint_eq(get(eventq),
				  (uint64_t)DEV << 32 | c->event |
					  (uint64_t)last.ssid << 12 |
					  (c->ssid >= 0 && c->event != 0x08
						   ? 1ull << 11
						   : 0));
	assert_clean();
}
END_TEST

START_TEST(without_substreams_a_pasid_is_refused)
{
	one_space();
	ck_assert_uint_eq(dma(DEV, GPA, IOMMUABS_SIM_DMA_SSID), BLOCKED);
	ck_assert_uint_eq(last.event, 0x08);
	/* More of them than the unit has, and two levels of them. */
	config.ssidsize = 2;
	remake(IOMMUABS_SIM_FUNCTIONAL);
	one_space();
	set_ste(DEV, STE0_S1 | cd | S1CDMAX(3), STE1_S1, 0, 0);
	ck_assert_uint_eq(dma(DEV, GPA, 0), BLOCKED);
	ck_assert_uint_eq(last.event, 0x04);
	set_ste(DEV, STE0_S1 | cd | S1CDMAX(2) | 1ull << 4, STE1_S1, 0, 0);
	ck_assert_uint_eq(dma(DEV, GPA, 0), BLOCKED);
	ck_assert_uint_eq(last.event, 0x04);
}
END_TEST

/* Granules and widths: one page at the top of the range. */
static const struct shape {
	unsigned int lg2, tg, bits, ds, ips;
	int start;
	uint64_t pa;
} shapes[] = {
	{ 12, 0, 48, 0, 4, 0, 0x80001000ull },
	{ 12, 0, 25, 0, 4, 2, 0x80001000ull },
	{ 14, 2, 48, 0, 4, 0, 0x80004000ull },
	{ 14, 2, 36, 0, 4, 2, 0x80004000ull },
	{ 16, 1, 48, 0, 4, 1, 0x80010000ull },
	{ 16, 1, 42, 0, 4, 2, 0x80010000ull },
	{ 16, 1, 52, 0, 6, 1, 0xa000080010000ull },
	{ 12, 0, 52, 1, 6, -1, 0xa000080001000ull },
	{ 14, 2, 52, 1, 6, 0, 0xa000080004000ull },
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

static uint64_t zeroed(unsigned int lg2)
{
	uint64_t maddr = raw_page(lg2);

	iommuabs_sim_dev_zero(at(maddr), (size_t)1 << lg2);
	return maddr;
}

START_TEST(every_granule_and_width_walks)
{
	const struct shape *s = &shapes[_i];
	uint64_t va = (1ull << s->bits) - (1ull << s->lg2), e, table;
	uint64_t attrs = USER | AF | NG | (s->ds ? 0 : 3ull << 8);
	unsigned int stride = s->lg2 - 3;
	int level;

	config.oas = config.vax = 52;
	config.ds = 1;
	remake(IOMMUABS_SIM_ADVERSARY);
	enable();
	cd = page();
	table = root = zeroed(s->lg2);
	for (level = s->start;; level++) {
		unsigned int lg2 = s->lg2 + stride * (unsigned int)(3 - level);

		e = va >> lg2;
		if (level != s->start)
			e &= (1ull << stride) - 1;
		e = table + 8 * e;
		if (level == 3)
			break;
		table = zeroed(s->lg2);
		st(e, TABLE(table));
	}
	st(e, in_desc(s, s->pa) | attrs | 3);
	fill_cd(cd,
		(CD0(ASID) & ~(7ull << 32 | 63ull)) | (64 - s->bits) |
			(uint64_t)s->tg << 6 | (uint64_t)s->ips << 32,
		root, (uint64_t)s->ds << 58);
	mb();
	set_ste(DEV, STE0_S1 | cd, STE1_S1, 0, 0);
	ck_assert_uint_eq(dma(DEV, va + 0x123, WRITE), s->pa + 0x123);
	ck_assert_uint_eq(dma(DEV, va - (1ull << s->lg2), 0), BLOCKED);
	ck_assert_uint_eq(last.event, 0x10);
	ck_assert_uint_eq(dma(DEV, va + (1ull << s->lg2), 0), BLOCKED);
	ck_assert_uint_eq(last.event, 0x10);
	assert_clean();
}
END_TEST

/* ---- functional: caches ---- */

START_TEST(descriptors_stay_cached_until_a_sync)
{
	uint64_t other;

	one_space();
	other = page();
	map(other, GPA, S1_RW(PA2));
	ck_assert_uint_eq(dma(DEV, GPA, 0), PA);
	cmd_sync(NH_ASID(ASID));
	st(cd + 8, other);
	mb();
	ck_assert_uint_eq(dma(DEV, GPA, 0), PA);
	cmd_sync(NH_ASID(ASID));
	cmd_sync(CFGI_CD(DEV + 1));
	ck_assert_uint_eq(dma(DEV, GPA, 0), PA);
	cmd_sync(NH_ASID(ASID));
	switch (_i) {
	case 0:
		cmd_sync(CFGI_CD(DEV));
		break;
	case 1:
		cmd_sync(CFGI_CDS(DEV));
		break;
	case 2:
		cmd_sync(CFGI_STE(DEV, 1));
		break;
	default:
		cmd_sync(CFGI_ALL);
	}
	ck_assert_uint_eq(dma(DEV, GPA, 0), PA2);
}
END_TEST

/* A page at GPA is cached with ASID 7: does the command remove it? */
static const struct scope {
	uint64_t w0, w1;
	int removed, removed_global;
} scopes[] = {
	{ TLBI_ALL, 1, 1 },
	{ TLBI_VMALL(0), 1, 1 },
	{ TLBI_VMALL(1), 0, 0 },
	{ TLBI_IPA(0, GPA), 0, 0 },
	{ TLBI_NH(0), 1, 1 },
	{ TLBI_NH(1), 0, 0 },
	{ NH_ASID(ASID), 1, 0 },
	{ NH_ASID(ASID + 1), 0, 0 },
	{ NH_VA(ASID, GPA), 1, 1 },
	{ NH_VA(ASID, GPA | 1), 1, 1 },
	{ NH_VA(ASID + 1, GPA), 0, 1 },
	{ NH_VA(ASID, GPA + 0x1000), 0, 0 },
	{ NH_VAA(GPA), 1, 1 },
	{ NH_VAA(GPA + 0x1000), 0, 0 },
	{ RIL(1, 0) | NH_VA(ASID, (GPA - 0x1000) | TG4K), 1, 1 },
	{ RIL(0, 1) | NH_VAA((GPA - 0x2000) | TG4K), 0, 0 },
	{ NH_VA(ASID, GPA | TG4K | TTL(3)), 1, 1 },
	{ RIL(0, 9) | NH_VA(ASID, 0x40000000ull | TG4K | TTL(2)), 0, 0 },
	{ 0x12 | 1ull << 32 | (uint64_t)ASID << 48, GPA, 0, 0 },
	{ CFGI_CD(DEV), 0, 0 },
};

START_TEST(invalidations_have_their_scope)
{
	const struct scope *s = &scopes[_i];
	unsigned int global;

	for (global = 0; global < 2; global++) {
		remake(IOMMUABS_SIM_FUNCTIONAL);
		one_space();
		if (global)
			map(root, GPA, S1_RW(PA) & ~NG);
		ck_assert_uint_eq(dma(DEV, GPA, 0), PA);
		st(slot(root, 3, GPA), 0);
		mb();
		cmd_sync(s->w0, s->w1);
		ck_assert_uint_eq(dma(DEV, GPA, 0),
				  (global ? s->removed_global : s->removed)
					  ? BLOCKED
					  : PA);
		assert_clean();
	}
}
END_TEST

START_TEST(invalidations_that_miss_their_aim)
{
	config.asid16 = config.s2p = 0;
	remake(IOMMUABS_SIM_FUNCTIONAL);
	enable_queues();
	cmd_sync(NH_ASID(0x100));
	assert_only(COMMAND);
	cmd_sync(TLBI_NH(1));
	assert_only(COMMAND);
	cmd_sync(0x05 | 1ull << 12 | (uint64_t)DEV << 32, 1);
	assert_only(COMMAND);
}
END_TEST

/* ---- adversary: what is right ---- */

static void unmap_page(uint64_t va)
{
	st(slot(root, 3, va), 0);
	mb();
	cmd_sync(NH_VA(ASID, va));
}

START_TEST(the_right_order_is_clean)
{
	struct iommuabs_sim_probe *p;

	noncoherent = _i;
	remake(IOMMUABS_SIM_ADVERSARY);
	p = iommuabs_sim_probe_add(unit, DEV, GPA, WRITE);
	one_space();
	allow(p, PA);
	map(root, GPA + 0x1000, S1_RW(PA2));
	allow(p, PA, BLOCKED);
	unmap_page(GPA);
	ck_assert_uint_eq(allow(p, BLOCKED), 0);
	allow(p, PA2, BLOCKED);
	map(root, GPA, S1_RW(PA2));
	ck_assert_uint_eq(allow(p, PA2), 0);
	/* Another table under another ASID: gone after the entry's sync. */
	allow(p, PA2, PA, BLOCKED);
	{
		uint64_t other = page(), old = root;

		map(other, GPA, S1_RW(PA));
		set_cd(CD0(ASID + 1), other);
		ck_assert_uint_eq(allow(p, PA), 0);
		cmd_sync(NH_ASID(ASID));
		iommuabs_sim_free(arena, old, 12);
	}
	allow(p, PA, BLOCKED);
	clear_ste(DEV);
	ck_assert_uint_eq(allow(p, BLOCKED), 0);
	iommuabs_sim_free(arena, cd, 12);
	assert_clean();
}
END_TEST

/* ---- adversary: mistakes ---- */

START_TEST(a_descriptor_changed_in_pieces)
{
	uint64_t other;

	one_space();
	other = page();
	map(other, GPA, S1_RW(PA2));
	cmd_sync(NH_ASID(ASID));
	st(cd + 8, other);
	st(cd, CD0(ASID + 1));
	mb();
	cmd_sync(CFGI_CD(DEV));
	assert_found(TORN_CD);
}
END_TEST

START_TEST(a_descriptor_made_valid_together_with_its_content)
{
	one_space();
	st(cd, 0);
	mb();
	cmd_sync(CFGI_CD(DEV));
	cmd_sync(NH_ASID(ASID));
	assert_clean();
	st(cd + 8, page());
	iommuabs_sim_dev_wmb();
	st(cd, CD0(ASID));
	mb();
	cmd_sync(CFGI_CD(DEV));
	assert_found(TORN_CD);
}
END_TEST

START_TEST(a_descriptor_without_its_invalidation)
{
	struct iommuabs_sim_probe *p;

	one_space();
	p = iommuabs_sim_probe_add(unit, DEV, GPA, 0);
	/* The store alone makes the difference. */
	ck_assert_uint_eq(allow(p, PA), 0);
	st(cd, 0);
	assert_only(PROBE);
	allow(p, PA, BLOCKED);
	mb();
	/* Of another stream; of the TLB alone. */
	cmd_sync(CFGI_CD(DEV + 1));
	cmd_sync(NH_ASID(ASID));
	ck_assert_uint_eq(allow(p, BLOCKED), 1);
	assert_only(PROBE);
	cmd_sync(CFGI_CD(DEV));
	cmd_sync(NH_ASID(ASID));
	ck_assert_uint_eq(allow(p, BLOCKED), 0);
	assert_clean();
}
END_TEST

START_TEST(a_descriptor_linked_before_it_is_ordered)
{
	unsigned int i;

	enable();
	root = page();
	cd = raw_page(12);
	mb();
	set_ste(DEV, 0, STE1_S1, 0, 0);
	for (i = 4; i < 8; i++)
		st(cd + 8 * i, 0);
	fill_cd(cd, CD0(ASID), root, 0);
	st(ste_at(DEV), STE0_S1 | cd);
	assert_found(ORDER);
	mb();
	clear_ste(DEV);
	cmd_sync(NH_ASID(ASID));
	iommuabs_sim_violations_clear(arena);
	cd = raw_page(12);
	st(ste_at(DEV), STE0_S1 | cd);
	assert_found(UNINIT);
}
END_TEST

/* Lines of a CD, of its table, of a changed word: not cleaned. */
START_TEST(a_descriptor_that_was_not_cleaned)
{
	struct iommuabs_sim_probe *p;
	unsigned int i;

	noncoherent = 1;
	remake(IOMMUABS_SIM_ADVERSARY);
	enable();
	root = page();
	map(root, GPA, S1_RW(PA));
	cd = raw_page(12);
	set_ste(DEV, 0, STE1_S1, 0, 0);
	for (i = 0; i < 8; i++)
		iommuabs_sim_dev_store64(at(cd + 8 * i), 0);
	mb();
	st(ste_at(DEV), STE0_S1 | cd);
	assert_found(CLEAN);
	iommuabs_sim_cache_clean(at(cd), 64);
	mb();
	cmd_sync(CFGI_STE(DEV, 1));
	set_cd(CD0(ASID), root);
	assert_clean();
	p = iommuabs_sim_probe_add(unit, DEV, GPA, 0);
	ck_assert_uint_eq(allow(p, PA), 0);
	allow(p, PA, BLOCKED);
	iommuabs_sim_dev_store64(at(cd), 0);
	mb();
	cmd_sync(CFGI_CD(DEV));
	cmd_sync(NH_ASID(ASID));
	ck_assert_uint_eq(allow(p, BLOCKED), 1);
	assert_only(PROBE);
}
END_TEST

START_TEST(a_table_of_descriptors_freed)
{
	one_space();
	iommuabs_sim_free(arena, cd, 12);
	assert_found(FREED);
}
END_TEST

START_TEST(one_asid_for_two_tables)
{
	uint64_t other;

	one_space();
	other = page();
	cd = page();
	fill_cd(cd, CD0(ASID), other, 0);
	mb();
	set_ste(DEV + 1, STE0_S1 | cd, STE1_S1, 0, 0);
	assert_only(ASID);
}
END_TEST

START_TEST(one_asid_in_two_vmids_is_two)
{
	uint64_t other;

	one_space();
	other = page();
	cd = page();
	fill_cd(cd, CD0(ASID), other, 0);
	mb();
	set_ste(DEV + 1, STE0_S1 | cd, STE1_S1, 1, 0);
	assert_clean();
}
END_TEST

START_TEST(an_asid_reused_before_its_invalidation)
{
	one_space();
	clear_ste(DEV);
	/* By address, and of another ASID: not enough. */
	cmd_sync(NH_VA(ASID, GPA));
	cmd_sync(NH_ASID(ASID + 1));
	root = page();
	fill_cd(cd, CD0(ASID), root, 0);
	mb();
	set_ste(DEV, STE0_S1 | cd, STE1_S1, 0, 0);
	assert_only(ASID);
	clear_ste(DEV);
	cmd_sync(NH_ASID(ASID));
	root = page();
	fill_cd(cd, CD0(ASID), root, 0);
	mb();
	set_ste(DEV, STE0_S1 | cd, STE1_S1, 0, 0);
	assert_clean();
}
END_TEST

START_TEST(one_vmid_for_both_stages)
{
	uint64_t s2 = page();

	one_space();
	clear_ste(DEV + 1);
	set_ste(DEV + 1, STE0_S2, STE1_SHCFG, STE2(0), s2);
	assert_found(VMID);
}
END_TEST

START_TEST(a_global_page_is_seen_in_every_space)
{
	struct iommuabs_sim_probe *p;
	uint64_t other;

	one_space();
	other = page();
	fill_cd(page(), 0, 0, 0);
	cd = page();
	fill_cd(cd, CD0(ASID + 1), other, 0);
	mb();
	set_ste(DEV + 1, STE0_S1 | cd, STE1_S1, 0, 0);
	p = iommuabs_sim_probe_add(unit, DEV + 1, GPA + 0x1000, 0);
	ck_assert_uint_eq(allow(p, BLOCKED), 0);
	map(root, GPA + 0x1000, S1_RW(PA2));
	assert_clean();
	/* The first space's, without nG. */
	p = iommuabs_sim_probe_add(unit, DEV + 1, GPA + 0x2000, 0);
	allow(p, BLOCKED);
	map(root, GPA + 0x2000, S1_RW(PA2) & ~NG);
	ck_assert_uint_eq(allow(p, BLOCKED), 1);
	assert_only(PROBE);
	/* It outlives an invalidation by ASID. */
	st(slot(root, 3, GPA + 0x2000), 0);
	mb();
	cmd_sync(NH_ASID(ASID));
	ck_assert_uint_eq(allow(p, BLOCKED), 1);
	cmd_sync(NH_VAA(GPA + 0x2000));
	ck_assert_uint_eq(allow(p, BLOCKED), 0);
}
END_TEST

START_TEST(a_global_page_outlives_its_space)
{
	one_space();
	map(root, GPA + 0x2000, S1_RW(PA2) & ~NG);
	clear_ste(DEV);
	cmd_sync(NH_ASID(ASID));
	iommuabs_sim_free(arena, root, 12);
	assert_found(FREED);
}
END_TEST

/* How an unmapping can go wrong. */
START_TEST(an_invalidation_left_out_or_wrong)
{
	struct iommuabs_sim_probe *p;

	one_space();
	p = iommuabs_sim_probe_add(unit, DEV, GPA, 0);
	allow(p, PA, BLOCKED);
	st(slot(root, 3, GPA), 0);
	mb();
	switch (_i) {
	case 0:
		break;
	case 1:
		cmd_sync(NH_ASID(ASID + 1));
		break;
	case 2:
		cmd_sync(NH_VA(ASID + 1, GPA));
		break;
	case 3:
		cmd_sync(NH_VA(ASID, GPA + 0x1000));
		break;
	case 4:
		cmd_sync(TLBI_IPA(0, GPA));
		break;
	case 5:
		cmd_sync(NH_VA(ASID, 0x40000000ull | TG4K | TTL(2)));
		break;
	default:
		cmd(NH_VA(ASID, GPA));
		submit();
		ck_assert(wait_consumed());
	}
	ck_assert_uint_eq(allow(p, BLOCKED), 1);
	assert_only(PROBE);
}
END_TEST

START_TEST(a_live_leaf_changes_what_needs_a_break)
{
	static const uint64_t bits[] = { 1ull << 2, NG, 1ull << 8, PA ^ PA2 };
	unsigned int i;

	one_space();
	for (i = 0; i < 4; i++) {
		uint64_t e = slot(root, 3, GPA + 0x1000 * (i + 1));

		st(e, S1_RW(PA));
		mb();
		st(e, S1_RW(PA) ^ bits[i]);
		assert_only(BBM);
	}
	/* Permissions may change at any time. */
	st(slot(root, 3, GPA), S1_RO(PA));
	assert_clean();
}
END_TEST

START_TEST(what_is_not_modelled_is_said)
{
	uint64_t table;

	config.ssidsize = 8;
	config.cd2l = 1;
	remake(IOMMUABS_SIM_ADVERSARY);
	one_space();
	set_ste(DEV + 1, 1ull | 7ull << 1 | cd, STE1_S1, STE2(VM), page());
	assert_only(UNMODELLED);
	set_ste(DEV + 1, STE0_S1 | cd | S1CDMAX(8) | 1ull << 4, STE1_S1, 0, 0);
	assert_only(UNMODELLED);
	clear_ste(DEV + 1);
	iommuabs_sim_violations_clear(arena);
	set_ste(DEV + 1, STE0_BYPASS, STE1_SHCFG | 1ull << 13, 0, 0);
	assert_only(UNMODELLED);
	clear_ste(DEV + 1);
	set_cd(CD0(ASID + 1) & ~(1ull << 30), root);
	assert_only(UNMODELLED);
	table = page();
	mb();
	st(slot(root, 2, 0x70000000), TABLE(table) | 1ull << 62);
	mb();
	dma(DEV, 0x70000000, 0);
	assert_only(UNMODELLED);
}
END_TEST

START_TEST(reserved_bits_are_noticed)
{
	one_space();
	st(cd + 32, 1);
	assert_only(RESERVED);
	st(cd + 40, 1);
	assert_only(RESERVED);
	st(slot(root, 3, GPA + 0x1000), S1_RW(PA2) | 1ull << 49);
	mb();
	dma(DEV, GPA + 0x1000, 0);
	assert_only(RESERVED);
	cmd_sync(NH_ASID(ASID));
	set_cd(CD0(ASID), root | 1ull << 53);
	assert_found(RESERVED);
}
END_TEST

START_TEST(el2_has_one_space_and_commands_of_its_own)
{
	config.hyp = 1;
	remake(IOMMUABS_SIM_ADVERSARY);
	enable();
	root = page();
	cd = page();
	map(root, GPA, S1_RW(PA) & ~USER);
	fill_cd(cd, CD0(0) & ~(1ull << 30), root, 0);
	mb();
	set_ste(DEV, STE0_S1 | cd, STE1_S1 | 2ull << 30, 0, 0);
	assert_only(ENABLE);
	ck_assert_uint_eq(dma(DEV, GPA, WRITE), PA);
	st(slot(root, 3, GPA), 0);
	mb();
	cmd_sync(TLBI_ALL);
	iommuabs_sim_violations_clear(arena);
	{
		struct iommuabs_sim_probe *p =
			iommuabs_sim_probe_add(unit, DEV, GPA, 0);

		ck_assert_uint_eq(allow(p, BLOCKED), 1);
		assert_only(PROBE);
		cmd_sync(0x22, GPA);
		ck_assert_uint_eq(allow(p, BLOCKED), 0);
	}
	assert_clean();
	cmd_sync(0x20, 0);
	set_cr0(CMDQEN | EVENTQEN);
	wr(CR2, 3);
	set_cr0(SMMUEN | CMDQEN | EVENTQEN);
	assert_only(UNMODELLED);
}
END_TEST

static TCase *functional_tests(void)
{
	TCase *t = tcase_create("functional");

	tcase_add_checked_fixture(t, functional, drop);
	tcase_add_loop_test(
		t, pages_translate_on_units_with_and_without_stage_2, 0, 2);
	tcase_add_loop_test(t, walks_fault_as_the_manual_says, 0,
			    NR(walk_cases));
	tcase_add_test(t, privileged_requests_are_told_apart);
	tcase_add_test(t, flags_of_the_descriptor_are_obeyed);
	tcase_add_loop_test(t, illegal_context_descriptors_are_refused, 0,
			    NR(bad_cds));
	tcase_add_test(t, stalls_go_by_both_entries);
	tcase_add_test(t, descriptors_outside_memory_abort);
	tcase_add_loop_test(t, substreams_have_their_descriptors, 0,
			    NR(substreams));
	tcase_add_test(t, without_substreams_a_pasid_is_refused);
	tcase_add_loop_test(t, every_granule_and_width_walks, 0, NR(shapes));
	tcase_add_loop_test(t, descriptors_stay_cached_until_a_sync, 0, 4);
	tcase_add_loop_test(t, invalidations_have_their_scope, 0, NR(scopes));
	tcase_add_test(t, invalidations_that_miss_their_aim);
	return t;
}

static TCase *adversary_tests(void)
{
	TCase *t = tcase_create("adversary");

	tcase_add_checked_fixture(t, adversary, drop);
	tcase_add_loop_test(t, the_right_order_is_clean, 0, 2);
	tcase_add_test(t, a_descriptor_changed_in_pieces);
	tcase_add_test(t, a_descriptor_made_valid_together_with_its_content);
	tcase_add_test(t, a_descriptor_without_its_invalidation);
	tcase_add_test(t, a_descriptor_linked_before_it_is_ordered);
	tcase_add_test(t, a_descriptor_that_was_not_cleaned);
	tcase_add_test(t, a_table_of_descriptors_freed);
	tcase_add_test(t, one_asid_for_two_tables);
	tcase_add_test(t, one_asid_in_two_vmids_is_two);
	tcase_add_test(t, an_asid_reused_before_its_invalidation);
	tcase_add_test(t, one_vmid_for_both_stages);
	tcase_add_test(t, a_global_page_is_seen_in_every_space);
	tcase_add_test(t, a_global_page_outlives_its_space);
	tcase_add_loop_test(t, an_invalidation_left_out_or_wrong, 0, 7);
	tcase_add_test(t, a_live_leaf_changes_what_needs_a_break);
	tcase_add_test(t, what_is_not_modelled_is_said);
	tcase_add_test(t, reserved_bits_are_noticed);
	tcase_add_test(t, el2_has_one_space_and_commands_of_its_own);
	return t;
}

static Suite *suite(void)
{
	Suite *s = suite_create("sim_stage1");

	suite_add_tcase(s, functional_tests());
	suite_add_tcase(s, adversary_tests());
	return s;
}

HARNESS_MAIN(suite)
