/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_sim_smmuv3.c - the SMMUv3 model: right sequences are clean, and each
 * class of mistake is found
 *
 * Drives registers and memory by hand, with numbers of its own: nothing of the
 * library is in here.
 */
#include "test_simdrv.h"
#include "test_sanitizers.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* ---- functional: registers ---- */

START_TEST(id_registers_say_what_was_configured)
{
	ck_assert_uint_eq(rd(IDR0), 0x0d40101b | 1u << 18);
	ck_assert_uint_eq(rd(IDR1) & 63, 16);
	ck_assert_uint_eq(rd(IDR1) >> 21 & 31, 19);
	ck_assert_uint_eq(rd(IDR3), 0x1414);
	ck_assert_uint_eq(rd(IDR5), 0x74);
	config.s1p = config.ril = 0;
	config.bbml = 0;
	config.oas = 40;
	config.granules = IOMMUABS_SIM_GRAN4K;
	remake(IOMMUABS_SIM_FUNCTIONAL);
	ck_assert_uint_eq(rd(IDR0) & 3, 1);
	ck_assert_uint_eq(rd(IDR3), 0x10);
	ck_assert_uint_eq(rd(IDR5), 0x12);
	assert_clean();
}
END_TEST

START_TEST(creation_refuses_what_cannot_be)
{
	struct iommuabs_sim_smmuv3_config c = config;
	struct iommuabs_sim_unit *other;

	COVERS(iommuabs_sim_smmuv3_create, SIM_E_INVAL);
	ck_assert_int_eq(iommuabs_sim_smmuv3_create(arena, &c, &other),
			 IOMMUABS_SIM_E_INVAL);
	c.base += 0x20000;
	c.oas = 41;
	ck_assert_int_eq(iommuabs_sim_smmuv3_create(arena, &c, &other),
			 IOMMUABS_SIM_E_INVAL);
	c.oas = 44;
	c.cohacc = 0;
	ck_assert_int_eq(iommuabs_sim_smmuv3_create(arena, &c, &other),
			 IOMMUABS_SIM_E_INVAL);
	c.cohacc = 1;
	ck_assert_int_eq(iommuabs_sim_smmuv3_create(arena, &c, &other), 0);
	iommuabs_sim_unit_destroy(other);
}
END_TEST

/* Each alone is out of range, or does not go with the rest of the defaults. */
START_TEST(creation_refuses_values_out_of_range)
{
	struct iommuabs_sim_smmuv3_config bad[12];
	struct iommuabs_sim_unit *other;
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		bad[i] = config;
		bad[i].base += 0x20000;
	}
	bad[0].ssidsize = 21;
	bad[1].priqs = 20;
	bad[2].stall_model = 3;
	bad[3].stall_model = 0;
	bad[4].stall_max = 1;
	bad[5].pri = 1;
	bad[6].vax = 50;
	bad[7].ds = 1;
	bad[8].oas = 52;
	bad[8].granules = IOMMUABS_SIM_GRAN4K;
	bad[9].vax = 52;
	bad[9].granules = IOMMUABS_SIM_GRAN4K;
	bad[10].quirks = ~IOMMUABS_SIM_QUIRKS;
	bad[11].ds = 1;
	bad[11].vax = 52;
	bad[11].granules = IOMMUABS_SIM_GRAN64K;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(
			iommuabs_sim_smmuv3_create(arena, &bad[i], &other),
			IOMMUABS_SIM_E_INVAL);
}
END_TEST

START_TEST(id_registers_say_what_else_was_configured)
{
	uint32_t idr0 = rd(IDR0);

	config.asid16 = 0;
	config.ssidsize = 5;
	config.cd2l = config.ats = config.pri = config.btm = config.ds = 1;
	config.vax = config.oas = 52;
	config.stall_model = 2;
	config.stall_max = 7;
	config.priqs = 3;
	config.iidr = 0x1234543b;
	remake(IOMMUABS_SIM_FUNCTIONAL);
	ck_assert_uint_eq(rd(IDR0) ^ idr0, 1u << 12 | 1u << 19 | 1u << 10 |
						   1u << 16 | 1u << 5 |
						   3u << 24);
	ck_assert_uint_eq(rd(IDR1) >> 6 & 31, 5);
	ck_assert_uint_eq(rd(IDR1) >> 11 & 31, 3);
	ck_assert_uint_eq(rd(IDR5),
			  7u << 16 | 1u << 10 | 1u << 7 | 7u << 4 | 6);
	ck_assert_uint_eq(rd(IIDR), 0x1234543b);
	assert_clean();
}
END_TEST

START_TEST(a_wrong_width_is_lost)
{
	iommuabs_sim_mmio_write(arena, UNIT_BASE + GBPA, 8, 1ull << 31);
	assert_only(REGISTER);
	ck_assert_uint_eq(rd(GBPA), 0x1000);
	ck_assert_uint_eq(iommuabs_sim_mmio_read(arena, UNIT_BASE + IDR0, 8),
			  0);
	assert_only(REGISTER);
	iommuabs_sim_mmio_read(arena, UNIT_BASE + 2, 4);
	assert_only(REGISTER);
	/* Halves of a 64-bit register are fine. */
	wr(STRTAB_BASE, 0x12340000);
	wr(STRTAB_BASE + 4, 1);
	ck_assert_uint_eq(
		iommuabs_sim_mmio_read(arena, UNIT_BASE + STRTAB_BASE, 8),
		0x112340000ull);
	ck_assert_uint_eq(rd(STRTAB_BASE + 4), 1);
	assert_clean();
}
END_TEST

START_TEST(nothing_answers_outside_the_unit)
{
	ck_assert_uint_eq(iommuabs_sim_mmio_read(arena, 0x1000, 4), UINT32_MAX);
	iommuabs_sim_mmio_write(arena, 0x1000, 4, 0);
	assert_clean();
}
END_TEST

START_TEST(guarded_registers_do_not_change)
{
	static const uint32_t guarded[] = { STRTAB_BASE, STRTAB_CFG,
					    CMDQ_BASE,	 CMDQ_CONS,
					    EVENTQ_BASE, EVENTQ_PROD,
					    CR2 };
	unsigned int i;

	enable();
	for (i = 0; i < sizeof(guarded) / sizeof(guarded[0]); i++) {
		uint32_t old = rd(guarded[i]);

		wr(guarded[i], guarded[i] == CR2 ? 4 : old ^ 0x40);
		if (guarded[i] != CMDQ_CONS && guarded[i] != EVENTQ_PROD)
			assert_only(GUARD);
		else
			assert_found(GUARD);
		ck_assert_uint_eq(rd(guarded[i]), old);
	}
	wr(CR1, 0x40);
	assert_only(GUARD);
	wr(CR1, 0x1);
	assert_only(GUARD);
}
END_TEST

START_TEST(gbpa_is_written_with_update_only)
{
	wr(GBPA, 1u << 20);
	assert_only(REGISTER);
	ck_assert_uint_eq(rd(GBPA), 0x1000);
	iommuabs_sim_plant(unit, IOMMUABS_SIM_GBPA_STUCK, 1, 100);
	wr(GBPA, 1u << 31 | 1u << 20);
	ck_assert_uint_eq(rd(GBPA) >> 31, 1);
	wr(GBPA, 1u << 31);
	assert_only(REGISTER);
	while (rd(GBPA) >> 31)
		;
	ck_assert_uint_eq(rd(GBPA), 1u << 20);
	assert_clean();
}
END_TEST

START_TEST(gerrorn_acknowledges_what_is_active)
{
	wr(GERRORN, 1);
	assert_only(REGISTER);
}
END_TEST

START_TEST(read_only_and_unknown_offsets_are_noticed)
{
	wr(CR0ACK, 1);
	assert_only(REGISTER);
	wr(0x3c, 1);
	assert_only(REGISTER);
	wr(CR0, 1u << 20);
	assert_only(REGISTER);
}
END_TEST

/* ---- functional: streams ---- */

START_TEST(a_disabled_unit_obeys_gbpa)
{
	ck_assert_uint_eq(dma(DEV, 0x1234, 0), 0x1234);
	ck_assert_uint_eq(dma(DEV, 1ull << 44, 0), BLOCKED);
	set_gbpa(0x1000 | 1u << 20);
	ck_assert_uint_eq(dma(DEV, 0x1234, 0), BLOCKED);
	ck_assert_uint_eq(last.event, 0);
	assert_clean();
}
END_TEST

START_TEST(streams_bypass_abort_and_fault)
{
	enable();
	ck_assert_uint_eq(dma(DEV, 0x1000, 0), BLOCKED);
	ck_assert_uint_eq(last.event, 0x04);
	set_ste(DEV, STE0_BYPASS, STE1_SHCFG, 0, 0);
	ck_assert_uint_eq(dma(DEV, 0x1000, 0), 0x1000);
	ck_assert_uint_eq(dma(DEV, 1ull << 44, 0), BLOCKED);
	ck_assert_uint_eq(last.event, 0x11);
	set_ste(DEV, STE0_ABORT, 0, 0, 0);
	ck_assert_uint_eq(dma(DEV, 0x1000, 0), BLOCKED);
	ck_assert_uint_eq(last.event, 0);
	/* No level 2 table; beyond LOG2SIZE. */
	ck_assert_uint_eq(dma(64, 0x1000, 0), BLOCKED);
	ck_assert_uint_eq(last.event, 0x02);
	ck_assert_uint_eq(dma(1 << SID_BITS, 0x1000, 0), BLOCKED);
	ck_assert_uint_eq(last.event, 0x02);
	assert_clean();
}
END_TEST

START_TEST(a_bad_streamid_is_silent_without_recinvsid)
{
	enable();
	set_cr0(CMDQEN | EVENTQEN);
	wr(CR2, 0);
	set_cr0(SMMUEN | CMDQEN | EVENTQEN);
	ck_assert_uint_eq(dma(64, 0x1000, 0), BLOCKED);
	ck_assert_uint_eq(last.event, 0);
}
END_TEST

START_TEST(stream_tables_outside_memory_abort)
{
	enable();
	st(l1 + 8, 0x700000000ull | (SPLIT + 1));
	mb();
	cmd_sync(CFGI_STE(64, 0));
	ck_assert_uint_eq(dma(65, 0x1000, 0), BLOCKED);
	ck_assert_uint_eq(last.event, 0x03);
	ck_assert_uint_eq(get(eventq), 65ull << 32 | 0x03);
	ck_assert_uint_eq(get(eventq + 24), 0x700000040ull);
}
END_TEST

START_TEST(linear_stream_tables_work)
{
	uint64_t table;

	set_gbpa(0x1000 | 1u << 20);
	enable_queues();
	table = raw_page(13);
	iommuabs_sim_dev_zero(at(table), 8192);
	wr64(STRTAB_BASE, table);
	wr(STRTAB_CFG, 7);
	cmd(CFGI_ALL);
	cmd(TLBI_ALL);
	finish();
	set_cr0(SMMUEN | CMDQEN | EVENTQEN);
	l2 = table;
	set_ste(100, STE0_BYPASS, STE1_SHCFG, 0, 0);
	ck_assert_uint_eq(dma(100, 0x5000, 0), 0x5000);
	ck_assert_uint_eq(dma(101, 0x5000, 0), BLOCKED);
	ck_assert_uint_eq(dma(128, 0x5000, 0), BLOCKED);
	assert_clean();
}
END_TEST

/* Each a legal stage 2 STE with one thing wrong: 5.2.2. */
static const struct bad_ste {
	uint64_t w0, w1, w2, w3;
} bad_stes[] = {
	{ .w2 = 1ull << 57 },	      /* S2S */
	{ .w2 = 1ull << 51 },	      /* S2AA64 */
	{ .w2 = 1ull << 52 },	      /* S2ENDI */
	{ .w2 = 1ull << 55 },	      /* S2HD */
	{ .w2 = 1ull << 56 },	      /* S2HA */
	{ .w2 = 3ull << 46 },	      /* S2TG reserved */
	{ .w2 = 1ull << 38 },	      /* level 2 does not go with 39 bits */
	{ .w2 = 2ull << 38 },	      /* S2SL0 reserved */
	{ .w2 = 3ull << 38 },	      /* level 0 does not go with 39 bits */
	{ .w2 = (25ull ^ 40) << 32 }, /* S2T0SZ too great */
	{ .w2 = (25ull ^ 19) << 32 }, /* wider than OAS */
	{ .w3 = 1ull << 46 },	      /* S2TTB beyond S2PS */
};

START_TEST(illegal_stream_entries_are_refused)
{
	const struct bad_ste *bad = &bad_stes[_i];
	unsigned int before;

	one_domain();
	ck_assert_uint_eq(dma(DEV, GPA, 0), PA);
	before = iommuabs_sim_violations(arena);
	clear_ste(DEV);
	set_ste(DEV, STE0_S2 ^ bad->w0, STE1_SHCFG ^ bad->w1,
		STE2(VM) ^ bad->w2, root ^ bad->w3);
	ck_assert_uint_eq(dma(DEV, GPA, 0), BLOCKED);
	ck_assert_uint_eq(last.event, 0x04);
	ck_assert_uint_eq(before, 0);
}
END_TEST

START_TEST(stages_and_vmids_that_are_not_implemented)
{
	config.s1p = config.vmid16 = 0;
	remake(IOMMUABS_SIM_FUNCTIONAL);
	one_domain();
	set_ste(DEV, 1ull | 5ull << 1, 0, 0, 0);
	ck_assert_uint_eq(dma(DEV, GPA, 0), BLOCKED);
	ck_assert_uint_eq(last.event, 0x04);
	set_ste(DEV, STE0_S2, STE1_SHCFG, STE2(0x105), root);
	ck_assert_uint_eq(dma(DEV, GPA, 0), BLOCKED);
	ck_assert_uint_eq(last.event, 0x04);
	set_ste(DEV, STE0_S2, STE1_SHCFG, STE2(0xff), root);
	ck_assert_uint_eq(dma(DEV, GPA, 0), PA);
	config.s1p = 1;
	config.s2p = 0;
	remake(IOMMUABS_SIM_FUNCTIONAL);
	one_domain();
	ck_assert_uint_eq(dma(DEV, GPA, 0), BLOCKED);
	ck_assert_uint_eq(last.event, 0x04);
}
END_TEST

/* ---- functional: walks ---- */

START_TEST(pages_and_blocks_translate)
{
	one_domain();
	st(entry(root, 1, 1ull << 30 << 3), BLOCK_RW(0x100000000ull));
	st(slot(root, 2, 0x50000000), BLOCK_RW(0xa0200000ull));
	mb();
	ck_assert_uint_eq(dma(DEV, GPA + 0x123, WRITE), PA + 0x123);
	ck_assert_uint_eq(dma(DEV, (8ull << 30) + 0x12345678, 0),
			  0x112345678ull);
	ck_assert_uint_eq(dma(DEV, 0x50012345, 0), 0xa0212345ull);
	ck_assert_uint_eq(dma(DEV, GPA + 0x1000, 0), BLOCKED);
	ck_assert_uint_eq(last.event, 0x10);
	assert_clean();
}
END_TEST

/* Every start level of the 4K granule, with and without concatenation. */
static const struct geometry {
	unsigned int t0sz, sl0, level, root_lg2;
} geometries[] = {
	{ 39, 0, 2, 12 }, /* 25 bits: 16 entries of 2M */
	{ 35, 0, 2, 12 }, { 34, 0, 2, 12 }, { 30, 0, 2, 16 },
	{ 33, 1, 1, 12 }, { 25, 1, 1, 12 }, { 24, 1, 1, 13 },
	{ 21, 1, 1, 16 }, { 22, 2, 0, 12 }, { 20, 2, 0, 12 },
};

START_TEST(every_start_level_works)
{
	const struct geometry *g = &geometries[_i];
	uint64_t ipa = (1ull << (64 - g->t0sz)) - 0x1000;
	unsigned int level, lg2 = 12 + 9 * (3 - g->level);
	uint64_t table, e;

	enable();
	root = raw_page(g->root_lg2);
	iommuabs_sim_dev_zero(at(root), (size_t)1 << g->root_lg2);
	e = root + 8 * (ipa >> lg2);
	for (level = g->level; level < 3; level++) {
		table = page();
		st(e, TABLE(table));
		e = entry(table, level + 1, ipa);
	}
	st(e, PAGE_RW(PA));
	mb();
	set_ste(DEV, STE0_S2, STE1_SHCFG,
		(STE2(VM) & ~(0xffull << 32)) | (uint64_t)g->t0sz << 32 |
			(uint64_t)g->sl0 << 38,
		root);
	ck_assert_uint_eq(dma(DEV, ipa + 4, 0), PA + 4);
	ck_assert_uint_eq(dma(DEV, ipa + 0x1000, 0), BLOCKED);
	ck_assert_uint_eq(last.event, g->t0sz == 20 ? 0x11 : 0x10);
	assert_clean();
}
END_TEST

START_TEST(other_granules_walk)
{
	/* 16K: 36 bits from level 2; 64K: 42 bits from level 2. */
	uint64_t r16 = raw_page(14), t16 = raw_page(14);
	uint64_t r64 = raw_page(16), t64 = raw_page(16);
	uint64_t common = STE2(0) & ~(0xffull << 32 | 3ull << 46);

	iommuabs_sim_dev_zero(at(r16), 1 << 14);
	iommuabs_sim_dev_zero(at(t16), 1 << 14);
	iommuabs_sim_dev_zero(at(r64), 1 << 16);
	iommuabs_sim_dev_zero(at(t64), 1 << 16);
	enable();
	st(r16 + 8, TABLE(t16));
	st(t16 + 8 * 5, PAGE_RW(0x80004000ull));
	st(r64 + 8, TABLE(t64));
	st(t64 + 8 * 5, PAGE_RW(0x80050000ull));
	mb();
	set_ste(1, STE0_S2, STE1_SHCFG,
		common | 1 | 28ull << 32 | 1ull << 38 | 2ull << 46, r16);
	set_ste(2, STE0_S2, STE1_SHCFG,
		common | 2 | 22ull << 32 | 1ull << 38 | 1ull << 46, r64);
	ck_assert_uint_eq(dma(1, (1ull << 25) + 5 * 0x4000 + 0x3210, 0),
			  0x80007210ull);
	ck_assert_uint_eq(dma(2, (1ull << 29) + 5 * 0x10000 + 0xfedc, 0),
			  0x8005fedcull);
	assert_clean();
}
END_TEST

/* A descriptor at level 3 (or 2, or the root) and what comes of it. */
static const struct walk_case {
	uint64_t desc;
	unsigned int level;
	uint32_t flags;
	uint32_t event;
} walk_cases[] = {
	{ 0, 3, 0, 0x10 },
	{ PAGE_RW(PA) & ~2ull, 3, 0, 0x10 }, /* reserved at level 3 */
	{ PAGE_RW(1ull << 44), 3, 0, 0x11 },
	{ TABLE(1ull << 44), 2, 0, 0x11 },
	{ TABLE(0x700000000ull), 2, 0, 0x0b },
	{ PAGE_RW(PA) & ~(1ull << 10), 3, 0, 0x12 },
	{ PAGE_RO(PA), 3, WRITE, 0x13 },
	{ PA | ATTRS | 2ull << 6 | 3, 3, 0, 0x13 }, /* write only */
	{ PA | ATTRS | 3, 3, 0, 0x13 },
};

START_TEST(walks_fault_as_the_manual_says)
{
	const struct walk_case *c = &walk_cases[_i];
	uint64_t ipa = GPA + 0x10200000;

	one_domain();
	st(slot(root, c->level, ipa), c->desc);
	mb();
	ck_assert_uint_eq(dma(DEV, ipa + 8, c->flags), BLOCKED);
	ck_assert_uint_eq(last.event, c->event);
	ck_assert_uint_eq(get(eventq), (uint64_t)DEV << 32 | c->event);
	/* S2, CLASS = IN, RnW */
	ck_assert_uint_eq(get(eventq + 8),
			  1ull << 39 | 2ull << 40 |
				  (c->flags & WRITE ? 0 : 1ull << 35));
	ck_assert_uint_eq(get(eventq + 16), ipa + 8);
	if (c->event != 0x0b)
		ck_assert_uint_eq(get(eventq + 24), ipa);
	else
		ck_assert_uint_eq(get(eventq + 24),
				  entry(0x700000000ull, 3, ipa));
	ck_assert_uint_eq(rd(EVENTQ_PROD), 1);
	assert_clean();
}
END_TEST

START_TEST(s2r_and_s2affd_are_obeyed)
{
	one_domain();
	st(slot(root, 3, GPA + 0x1000), PAGE_RW(PA2) & ~(1ull << 10));
	mb();
	clear_ste(DEV);
	cmd_sync(TLBI_VMALL(VM));
	set_ste(DEV, STE0_S2, STE1_SHCFG,
		(STE2(VM) & ~(1ull << 58)) | 1ull << 53, root);
	ck_assert_uint_eq(dma(DEV, GPA + 0x1000, 0), PA2);
	ck_assert_uint_eq(dma(DEV, GPA + 0x2000, 0), BLOCKED);
	ck_assert_uint_eq(last.event, 0);
	ck_assert_uint_eq(rd(EVENTQ_PROD), 0);
}
END_TEST

START_TEST(pasids_and_translated_requests_are_refused)
{
	one_domain();
	ck_assert_uint_eq(dma(DEV, GPA, IOMMUABS_SIM_DMA_SSID), BLOCKED);
	ck_assert_uint_eq(last.event, 0x08);
	ck_assert_uint_eq(dma(DEV, GPA, IOMMUABS_SIM_DMA_TRANSLATED), BLOCKED);
	ck_assert_uint_eq(last.event, 0x07);
}
END_TEST

START_TEST(dma_moves_data_and_stops_at_a_hole)
{
	uint64_t ram = page(), other = page();
	unsigned char out[8192], in[8192];
	struct iommuabs_sim_dma d = { .sid = DEV,
				      .addr = GPA + 0xf00,
				      .flags = WRITE,
				      .len = 0x200,
				      .data = out };

	one_domain();
	memset(out, 0x5a, sizeof(out));
	map(root, GPA + 0x1000, PAGE_RW(other));
	st(slot(root, 3, GPA), 0);
	mb();
	cmd_sync(TLBI_IPA(VM, GPA));
	st(slot(root, 3, GPA), PAGE_RW(ram));
	mb();
	ck_assert_int_eq(iommuabs_sim_dma(unit, &d), 1);
	ck_assert_uint_eq(d.maddr, ram + 0xf00);
	ck_assert_int_eq(memcmp(at(ram + 0xf00), out, 0x100), 0);
	ck_assert_int_eq(memcmp(at(other), out, 0x100), 0);
	d.flags = 0;
	d.data = in;
	d.len = 0x1200;
	ck_assert_int_eq(iommuabs_sim_dma(unit, &d), 0);
	ck_assert_uint_eq(d.done, 0x1100);
	ck_assert_int_eq(memcmp(in, out, 0x200), 0);
}
END_TEST

/* ---- functional: caches and invalidation ---- */

START_TEST(translations_stay_cached_until_a_sync)
{
	one_domain();
	ck_assert_uint_eq(dma(DEV, GPA, 0), PA);
	st(slot(root, 3, GPA), 0);
	mb();
	ck_assert_uint_eq(dma(DEV, GPA, 0), PA);
	cmd(TLBI_IPA(VM, GPA));
	submit();
	ck_assert(wait_consumed());
	ck_assert_uint_eq(dma(DEV, GPA, 0), PA);
	finish();
	ck_assert_uint_eq(dma(DEV, GPA, 0), BLOCKED);
	/* What is not valid is not cached. */
	map(root, GPA, PAGE_RW(PA2));
	ck_assert_uint_eq(dma(DEV, GPA, 0), PA2);
	assert_clean();
}
END_TEST

START_TEST(stream_entries_stay_cached_until_a_sync)
{
	enable();
	ck_assert_uint_eq(dma(DEV, 0x1000, 0), BLOCKED);
	st(ste_at(DEV) + 8, STE1_SHCFG);
	st(ste_at(DEV), STE0_BYPASS);
	mb();
	ck_assert_uint_eq(dma(DEV, 0x1000, 0), BLOCKED);
	cmd_sync(CFGI_STE(DEV + 1, 1));
	ck_assert_uint_eq(dma(DEV, 0x1000, 0), BLOCKED);
	cmd_sync(CFGI_STE(DEV, 1));
	ck_assert_uint_eq(dma(DEV, 0x1000, 0), 0x1000);
}
END_TEST

START_TEST(a_contiguous_group_is_cached_as_one)
{
	uint64_t e;
	unsigned int i;

	one_domain();
	e = slot(root, 3, 0x60000000);
	for (i = 0; i < 16; i++)
		st(e + 8 * i, PAGE_RW(0xb0000000ull + 0x1000 * i) | CONTIGUOUS);
	mb();
	ck_assert_uint_eq(dma(DEV, 0x60003000, 0), 0xb0003000);
	st(e + 8 * 5, 0);
	mb();
	ck_assert_uint_eq(dma(DEV, 0x60005000, 0), 0xb0005000);
	cmd_sync(TLBI_IPA(VM, 0x60005000));
	ck_assert_uint_eq(dma(DEV, 0x60005000, 0), BLOCKED);
}
END_TEST

#define RIL(num, scale) ((uint64_t)(num) << 12 | (uint64_t)(scale) << 20)
#define TG4K		(1ull << 10)
#define TTL(n)		((uint64_t)(n) << 8)
/* A page at GPA is cached, VMID 5: does the command remove it? */
static const struct scope {
	uint64_t w0, w1;
	int removed;
} scopes[] = {
	{ TLBI_ALL, 1 },
	{ TLBI_VMALL(VM), 1 },
	{ TLBI_VMALL(VM + 1), 0 },
	{ TLBI_IPA(VM, GPA), 1 },
	{ TLBI_IPA(VM, GPA | 1), 1 },
	{ TLBI_IPA(VM + 1, GPA), 0 },
	{ TLBI_IPA(VM, GPA + 0x1000), 0 },
	{ TLBI_IPA(VM, GPA - 0x1000), 0 },
	{ RIL(1, 0) | TLBI_IPA(VM, (GPA - 0x1000) | TG4K), 1 },
	{ RIL(0, 1) | TLBI_IPA(VM, (GPA - 0x1000) | TG4K), 1 },
	{ RIL(0, 1) | TLBI_IPA(VM, (GPA - 0x2000) | TG4K), 0 },
	{ RIL(2, 0) | TLBI_IPA(VM, (GPA - 0x2000) | TG4K), 1 },
	{ RIL(31, 4) | TLBI_IPA(VM, 0x40000000ull | TG4K), 1 },
	{ TLBI_IPA(VM, GPA | TG4K | TTL(3)), 1 },
	{ TLBI_IPA(VM, 0x40000000ull | TG4K | TTL(2)), 0 },
	{ RIL(0, 9) | TLBI_IPA(VM, 0x40000000ull | TG4K | TTL(2)), 0 },
	{ RIL(0, 9) | TLBI_IPA(VM, 0x40000000ull | TG4K | TTL(3)), 1 },
	/* Another granule. */
	{ RIL(0, 9) | TLBI_IPA(VM, 0x40000000ull | 2ull << 10), 0 },
	/* A configuration command. */
	{ CFGI_ALL, 0 },
};

START_TEST(invalidations_have_their_scope)
{
	const struct scope *s = &scopes[_i];

	one_domain();
	ck_assert_uint_eq(dma(DEV, GPA, 0), PA);
	st(slot(root, 3, GPA), 0);
	mb();
	cmd_sync(s->w0, s->w1);
	ck_assert_uint_eq(dma(DEV, GPA, 0), s->removed ? BLOCKED : PA);
	assert_clean();
}
END_TEST

/* ---- functional: commands ---- */

static const struct illegal {
	uint64_t w0, w1;
	int s1p, s2p, ril; /* 0: what the unit lacks for this to be illegal */
} illegals[] = {
	{ 0x00, 0, 1, 1, 1 },
	{ 0x7f, 0, 1, 1, 1 },
	{ 0x46 | 3ull << 12, 0, 1, 1, 1 }, /* CS reserved */
	{ 0x46, 1, 1, 1, 1 },
	{ 0x03 | 1ull << 10, 0, 1, 1, 1 }, /* SSec */
	{ 0x30 | 1ull << 8, 0, 1, 1, 1 },
	{ 0x44, 0, 1, 1, 1 }, /* no stall model */
	{ 0x45, 0, 1, 1, 1 },
	{ 0x40, 0, 1, 1, 1 }, /* no ATS */
	{ 0x20, 0, 1, 1, 1 }, /* no Hyp */
	{ 0x18, 0, 1, 1, 1 }, /* EL3 */
	{ 0x10, 0, 0, 1, 1 },
	{ 0x11, 0, 0, 1, 1 },
	{ 0x05, 0, 0, 1, 1 },
	{ 0x06, 0, 0, 1, 1 },
	{ TLBI_VMALL(1), 1, 0, 1 },
	{ TLBI_IPA(1, 0x1000), 1, 0, 1 },
	{ RIL(1, 0) | TLBI_IPA(1, 0x1000 | TG4K), 1, 1, 0 },
	{ TLBI_IPA(1, 0x1000 | TTL(3)), 1, 1, 0 },
	{ TLBI_IPA(1, 0x1000 | TG4K), 1, 1, 1 }, /* reserved combination */
	{ RIL(1, 0) | TLBI_IPA(1, 0x1000), 1, 1, 1 },
};

START_TEST(illegal_commands_stop_the_queue)
{
	const struct illegal *c = &illegals[_i];

	config.s1p = (unsigned int)c->s1p;
	config.s2p = (unsigned int)c->s2p;
	config.ril = (unsigned int)c->ril;
	remake(IOMMUABS_SIM_FUNCTIONAL);
	enable_queues();
	wr(IRQ_CTRL, 1);
	cmd(TLBI_ALL);
	cmd(c->w0, c->w1);
	cmd(SYNC);
	submit();
	ck_assert_uint_eq(rd(GERROR), 1);
	ck_assert_uint_eq(rd(CMDQ_CONS), 1u << 24 | 1);
	ck_assert_uint_eq(iommuabs_sim_irq_take(unit, IOMMUABS_SIM_IRQ_GERROR),
			  1);
	/* 7.1: replaced by something legal, then acknowledged. */
	st(cmdq + 16, 0x46);
	st(cmdq + 24, 0);
	mb();
	wr(GERRORN, 1);
	ck_assert(wait_consumed());
	assert_clean();
}
END_TEST

START_TEST(legal_commands_pass)
{
	struct iommuabs_sim_counters c;

	config.hyp = 1;
	remake(IOMMUABS_SIM_FUNCTIONAL);
	enable_queues();
	cmd(0x01 | 7ull << 32, 0);
	cmd(0x02 | 7ull << 32, 0x1000);
	cmd(0x05 | 7ull << 32, 1);
	cmd(0x06 | 7ull << 32, 0);
	cmd(0x10 | 9ull << 32, 0);
	cmd(0x11 | 9ull << 32 | 4ull << 48, 0);
	cmd(0x12 | 9ull << 32 | 4ull << 48, 0x1001);
	cmd(0x13 | 9ull << 32, 0x1001);
	cmd(0x20, 0);
	cmd(0x21 | 4ull << 48, 0);
	cmd(0x22 | 4ull << 48, 0x1000);
	cmd(0x23, 0x1000);
	finish();
	ck_assert_uint_eq(rd(GERROR), 0);
	iommuabs_sim_counters(unit, &c);
	ck_assert_uint_eq(c.commands, 13);
	ck_assert_uint_eq(c.syncs, 1);
	ck_assert_uint_eq(c.by_opcode[0x13], 1);
	assert_clean();
}
END_TEST

START_TEST(command_fetch_outside_memory_aborts)
{
	enable_queues();
	set_cr0(0);
	wr64(CMDQ_BASE, 0x700000000ull | CMDQ_LG2);
	set_cr0(CMDQEN);
	wr(CMDQ_PROD, 1);
	ck_assert_uint_eq(rd(GERROR), 1);
	ck_assert_uint_eq(rd(CMDQ_CONS), 2u << 24);
}
END_TEST

START_TEST(syncs_signal_as_told)
{
	uint64_t word = page();

	config.msi = 1;
	remake(IOMMUABS_SIM_FUNCTIONAL);
	enable_queues();
	word = page();
	cmd_sync(0x46 | 1ull << 12, 0);
	ck_assert_uint_eq(iommuabs_sim_irq_take(unit, IOMMUABS_SIM_IRQ_SYNC),
			  1);
	cmd_sync(0x46 | 1ull << 12 | 0xabcdull << 32, word + 4);
	ck_assert_uint_eq(iommuabs_sim_irq_take(unit, IOMMUABS_SIM_IRQ_SYNC),
			  0);
	ck_assert_uint_eq(get(word), 0xabcdull << 32);
	cmd_sync(0x46 | 2ull << 12, 0);
	assert_clean();
}
END_TEST

START_TEST(the_command_log_tells_what_was_consumed)
{
	uint64_t words[2];

	enable_queues();
	cmd_sync(TLBI_IPA(7, 0x5000));
	ck_assert_int_eq(iommuabs_sim_command(unit, 0, words), 1);
	ck_assert_uint_eq(words[0], 0x2a | 7ull << 32);
	ck_assert_uint_eq(words[1], 0x5000);
	ck_assert_int_eq(iommuabs_sim_command(unit, 2, words), 0);
	ck_assert_uint_eq(iommuabs_sim_tlbi_covering(unit, 7, 0x5fff, 0), 0);
	ck_assert_uint_eq(iommuabs_sim_tlbi_covering(unit, 7, 0x5000, 0), 1);
	ck_assert_uint_eq(iommuabs_sim_tlbi_covering(unit, 7, 0x5000, 1), 0);
}
END_TEST

START_TEST(prod_beyond_the_queue_is_noticed)
{
	unsigned int i;

	enable_queues();
	iommuabs_sim_plant(unit, IOMMUABS_SIM_CMDQ_HANG, 0, 0);
	for (i = 0; i <= 1u << CMDQ_LG2; i++)
		cmd(TLBI_ALL);
	submit();
	assert_only(COMMAND);
}
END_TEST

/* ---- functional: events ---- */

START_TEST(a_full_event_queue_overflows)
{
	unsigned int i;

	one_domain();
	wr(IRQ_CTRL, 4);
	for (i = 0; i < (1u << EVENTQ_LG2); i++)
		dma(DEV, 0x1000 * i, 0);
	ck_assert_uint_eq(rd(EVENTQ_PROD), 1u << EVENTQ_LG2);
	ck_assert_uint_eq(iommuabs_sim_irq_take(unit, IOMMUABS_SIM_IRQ_EVENTQ),
			  1);
	dma(DEV, 0x1000, 0);
	ck_assert_uint_eq(rd(EVENTQ_PROD), 1u << 31 | 1u << EVENTQ_LG2);
	dma(DEV, 0x1000, 0);
	ck_assert_uint_eq(rd(EVENTQ_PROD), 1u << 31 | 1u << EVENTQ_LG2);
	wr(EVENTQ_CONS, 1u << 31 | 1u << EVENTQ_LG2);
	dma(DEV, 0x1000, 0);
	ck_assert_uint_eq(rd(EVENTQ_PROD), 1u << 31 | ((1u << EVENTQ_LG2) + 1));
	wr(EVENTQ_CONS, 1u << 31 | ((1u << EVENTQ_LG2) + 2));
	assert_only(COMMAND);
}
END_TEST

START_TEST(an_event_interrupt_may_be_a_message)
{
	uint64_t word;

	config.msi = 1;
	remake(IOMMUABS_SIM_FUNCTIONAL);
	word = page();
	wr64(EVENTQ_IRQ_CFG0, word);
	wr(EVENTQ_IRQ_CFG1, 0x77);
	wr(IRQ_CTRL, 4);
	ck_assert_uint_eq(rd(IRQ_CTRLACK), 4);
	one_domain();
	dma(DEV, 0, 0);
	ck_assert_uint_eq(get(word), 0x77);
	wr64(EVENTQ_IRQ_CFG0, 0);
	assert_only(GUARD);
}
END_TEST

START_TEST(event_aborts_are_global_errors)
{
	one_domain();
	iommuabs_sim_plant(unit, IOMMUABS_SIM_EVENT_ABORT, 1, 0);
	dma(DEV, 0, 0);
	ck_assert_uint_eq(rd(GERROR), 4);
	ck_assert_uint_eq(rd(EVENTQ_PROD), 0);
	dma(DEV, 0, 0);
	ck_assert_uint_eq(rd(EVENTQ_PROD), 0);
	wr(GERRORN, 4);
	dma(DEV, 0, 0);
	ck_assert_uint_eq(rd(EVENTQ_PROD), 1);
}
END_TEST

/* ---- functional: planted faults ---- */

START_TEST(a_hung_queue_consumes_nothing)
{
	enable_queues();
	iommuabs_sim_plant(unit, IOMMUABS_SIM_CMDQ_HANG, 2, 0);
	cmd(TLBI_ALL);
	cmd(TLBI_ALL);
	cmd(TLBI_ALL);
	submit();
	ck_assert(!wait_consumed());
	ck_assert_uint_eq(rd(CMDQ_CONS), 2);
	set_cr0(EVENTQEN);
	wr(CMDQ_PROD, 0);
	wr(CMDQ_CONS, 0);
	prod = 0;
	set_cr0(CMDQEN | EVENTQEN);
	finish();
	iommuabs_sim_plant(unit, IOMMUABS_SIM_CMDQ_HANG, 0, 500);
	cmd(SYNC);
	submit();
	ck_assert_uint_ne(rd(CMDQ_CONS), prod);
	ck_assert(wait_consumed());
	iommuabs_sim_plant(unit, IOMMUABS_SIM_CMDQ_HANG, 0, 0);
	cmd(SYNC);
	submit();
	ck_assert(!wait_consumed());
	iommuabs_sim_heal(unit);
	ck_assert(wait_consumed());
	assert_clean();
}
END_TEST

START_TEST(the_nth_sync_hangs_or_is_late)
{
	enable_queues();
	iommuabs_sim_plant(unit, IOMMUABS_SIM_SYNC_HANG, 2, 0);
	finish();
	cmd(SYNC);
	submit();
	ck_assert(!wait_consumed());
	iommuabs_sim_heal(unit);
	ck_assert(wait_consumed());
	iommuabs_sim_plant(unit, IOMMUABS_SIM_SYNC_DELAY, 10, 0);
	cmd(SYNC);
	submit();
	ck_assert_uint_ne(rd(CMDQ_CONS), prod);
	ck_assert(wait_consumed());
}
END_TEST

START_TEST(the_kth_wait_can_be_chosen)
{
	struct iommuabs_sim_counters c;
	unsigned int i;

	enable_queues();
	iommuabs_sim_counters(unit, &c);
	ck_assert_uint_eq(c.waits, 2);
	finish();
	set_gbpa(0x1000 | 1u << 20);
	wr(IRQ_CTRL, 4);
	iommuabs_sim_counters(unit, &c);
	ck_assert_uint_eq(c.waits, 5);
	/* The third from now: a sync, GBPA, CR0. */
	iommuabs_sim_plant(unit, IOMMUABS_SIM_WAIT_HANG, 3, 0);
	finish();
	set_gbpa(0x1000);
	wr(CR0, CMDQEN);
	for (i = 0; i < 1000; i++)
		ck_assert_uint_eq(rd(CR0ACK), CMDQEN | EVENTQEN);
	wr(CR0, CMDQEN);
	ck_assert_uint_eq(rd(CR0ACK), CMDQEN);
	assert_clean();
}
END_TEST

START_TEST(cr0_and_gbpa_can_be_deaf)
{
	iommuabs_sim_plant(unit, IOMMUABS_SIM_CR0_IGNORED, 1, 0);
	wr(CR0, CMDQEN);
	ck_assert_uint_eq(rd(CR0ACK), 0);
	ck_assert_uint_eq(rd(CR0), CMDQEN);
	iommuabs_sim_plant(unit, IOMMUABS_SIM_CR0_IGNORED, 0, 0);
	ck_assert_uint_eq(rd(CR0ACK), CMDQEN);
	iommuabs_sim_plant(unit, IOMMUABS_SIM_GBPA_STUCK, 1, 0);
	wr(GBPA, 1u << 31 | 1u << 20);
	ck_assert_uint_eq(rd(GBPA) >> 31, 1);
	ck_assert_uint_eq(dma(DEV, 0x1000, 0), 0x1000);
	iommuabs_sim_heal(unit);
	ck_assert_uint_eq(rd(GBPA) >> 31, 0);
}
END_TEST

START_TEST(a_dead_unit_reads_all_ones)
{
	iommuabs_sim_plant(unit, IOMMUABS_SIM_DEAD, 1, 0);
	ck_assert_uint_eq(rd(IDR0), UINT32_MAX);
	wr(GBPA, 1u << 31 | 1u << 20);
	iommuabs_sim_plant(unit, IOMMUABS_SIM_DEAD, 0, 0);
	ck_assert_uint_eq(rd(GBPA), 0x1000);
}
END_TEST

START_TEST(commands_can_be_made_to_fail)
{
	enable_queues();
	iommuabs_sim_plant(unit, IOMMUABS_SIM_CMD_ILLEGAL, 2, 0);
	cmd(TLBI_ALL);
	cmd(SYNC);
	submit();
	ck_assert_uint_eq(rd(CMDQ_CONS), 1u << 24 | 1);
	wr(GERRORN, 1);
	ck_assert(wait_consumed());
	iommuabs_sim_plant(unit, IOMMUABS_SIM_CMD_ABORT, 1, 0);
	cmd(SYNC);
	submit();
	ck_assert_uint_eq(rd(CMDQ_CONS), 2u << 24 | 2);
	wr(GERRORN, 0);
	ck_assert(wait_consumed());
}
END_TEST

START_TEST(virtual_time_moves_with_polls)
{
	uint64_t before = iommuabs_sim_time_us(arena);
	unsigned int i;

	for (i = 0; i < 10; i++)
		rd(CR0);
	ck_assert_uint_eq(iommuabs_sim_time_us(arena), before + 11);
}
END_TEST

/* ---- the arena ---- */

START_TEST(pages_are_aligned_and_can_run_out)
{
	uint64_t maddr, used = iommuabs_sim_pages_used(arena);

	COVERS(iommuabs_sim_alloc, SIM_E_INVAL);
	COVERS(iommuabs_sim_alloc, SIM_E_NOMEM);
	ck_assert_int_eq(iommuabs_sim_alloc(arena, 16, &maddr), 0);
	ck_assert_uint_eq(maddr % 65536, 0);
	ck_assert_uint_eq(iommuabs_sim_pages_used(arena), used + 16);
	ck_assert_ptr_eq(
		(char *)(uintptr_t)(maddr + iommuabs_sim_offset(arena)),
		at(maddr));
	ck_assert_uint_ne(iommuabs_sim_offset(arena), 0);
	ck_assert_uint_eq(iommuabs_sim_maddr(arena, at(maddr + 5)), maddr + 5);
	ck_assert_uint_eq(iommuabs_sim_maddr(arena, &maddr), UINT64_MAX);
	ck_assert_ptr_null(iommuabs_sim_ptr(arena, 0));
	iommuabs_sim_free(arena, maddr, 16);
	ck_assert_uint_eq(iommuabs_sim_pages_used(arena), used);
	ck_assert_int_eq(iommuabs_sim_alloc(arena, 25, &maddr),
			 IOMMUABS_SIM_E_NOMEM);
	ck_assert_int_eq(iommuabs_sim_alloc(arena, 11, &maddr),
			 IOMMUABS_SIM_E_INVAL);
	assert_clean();
}
END_TEST

static const struct iommuabs_sim_arena_config small_arena = {
	.base = (uint64_t)1 << 40,
	.length = 1 << 20,
};

START_TEST(an_arena_that_cannot_be_is_not_made)
{
	struct iommuabs_sim_arena_config bad[6];
	struct iommuabs_sim_arena *made = NULL;
	unsigned int i;

	COVERS(iommuabs_sim_arena_create, SIM_E_INVAL);
	for (i = 0; i < 6; i++)
		bad[i] = small_arena;
	bad[0].length = 0;
	bad[1].length = 4095;
	bad[2].length = ((uint64_t)4 << 30) + 4096;
	bad[3].base = (uint64_t)1 << 25;
	bad[4].base = 0 - ((uint64_t)64 << 20);
	bad[4].length = (uint64_t)128 << 20;
	bad[5].base = 4096;
	for (i = 0; i < 6; i++)
		ck_assert_int_eq(iommuabs_sim_arena_create(&bad[i], &made),
				 IOMMUABS_SIM_E_INVAL);
	ck_assert_ptr_null(made);
	ck_assert_int_eq(iommuabs_sim_arena_create(&small_arena, &made), 0);
	iommuabs_sim_arena_destroy(made);
}
END_TEST

#ifdef __has_feature
#define HAS_FEATURE(feature) __has_feature(feature)
#else
#define HAS_FEATURE(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
	HAS_FEATURE(address_sanitizer) || HAS_FEATURE(thread_sanitizer)
#define SANITIZED 1 /* it ends the program instead */
#else
#define SANITIZED 0
#endif

#define HOARD_MAX ((size_t)256 << 20)

struct hoard {
	struct hoard *next;
};

/* All of what malloc() has, with no more to be had from the system; at
 * most HOARD_MAX. */
static struct hoard *memory_take(struct rlimit *before, size_t *taken)
{
	struct rlimit none;
	struct hoard *all = NULL, *one;
	size_t size;

	*taken = 0;
	ck_assert_int_eq(getrlimit(RLIMIT_AS, before), 0);
	none = *before;
	none.rlim_cur = 4096;
	ck_assert_int_eq(setrlimit(RLIMIT_AS, &none), 0);
	for (size = (size_t)1 << 20; size >= sizeof(*one); size /= 2)
		while (*taken < HOARD_MAX && (one = malloc(size)) != NULL) {
			one->next = all;
			all = one;
			*taken += size;
		}
	return all;
}

static void memory_give(struct hoard *all, const struct rlimit *before)
{
	struct hoard *next;

	for (; all; all = next) {
		next = all->next;
		free(all);
	}
	ck_assert_int_eq(setrlimit(RLIMIT_AS, before), 0);
}

START_TEST(without_memory_there_is_no_arena_and_no_unit)
{
	struct iommuabs_sim_smmuv3_config smmu = config;
	struct iommuabs_sim_vtd_config vtd;
	struct iommuabs_sim_arena *made = NULL;
	struct iommuabs_sim_unit *other = NULL;
	struct rlimit before;
	struct hoard *all;
	size_t taken;
	int ret[3];

	COVERS(iommuabs_sim_arena_create, SIM_E_NOMEM);
	COVERS(iommuabs_sim_smmuv3_create, SIM_E_NOMEM);
	COVERS(iommuabs_sim_vtd_create, SIM_E_NOMEM);
	if (SANITIZED)
		harness_skip("a sanitizer allows no malloc() that fails");
	iommuabs_sim_vtd_defaults(&vtd);
	smmu.base += 0x20000;
	vtd.base = smmu.base + 0x20000;
	all = memory_take(&before, &taken);
	ret[0] = iommuabs_sim_arena_create(&small_arena, &made);
	ret[1] = iommuabs_sim_smmuv3_create(arena, &smmu, &other);
	ret[2] = iommuabs_sim_vtd_create(arena, &vtd, &other);
	memory_give(all, &before);
	if (taken >= HOARD_MAX)
		harness_skip("the system doesn't keep to RLIMIT_AS");
	ck_assert_int_eq(ret[0], IOMMUABS_SIM_E_NOMEM);
	ck_assert_int_eq(ret[1], IOMMUABS_SIM_E_NOMEM);
	ck_assert_int_eq(ret[2], IOMMUABS_SIM_E_NOMEM);
	ck_assert(!made && !other);
	/* With memory they are. */
	ck_assert_int_eq(iommuabs_sim_vtd_create(arena, &vtd, &other), 0);
	iommuabs_sim_unit_destroy(other);
	ck_assert_int_eq(iommuabs_sim_smmuv3_create(arena, &smmu, &other), 0);
	iommuabs_sim_unit_destroy(other);
}
END_TEST

START_TEST(the_nth_allocation_fails_once)
{
	uint64_t maddr;

	COVERS(iommuabs_sim_alloc, SIM_E_NOMEM);
	iommuabs_sim_alloc_fail(arena, 2);
	ck_assert_int_eq(iommuabs_sim_alloc(arena, 12, &maddr), 0);
	ck_assert_int_eq(iommuabs_sim_alloc(arena, 12, &maddr),
			 IOMMUABS_SIM_E_NOMEM);
	ck_assert_int_eq(iommuabs_sim_alloc(arena, 12, &maddr), 0);
	ck_assert_uint_eq(iommuabs_sim_alloc_count(arena), 3);
}
END_TEST

START_TEST(bad_frees_are_noticed)
{
	uint64_t maddr = raw_page(12);

	iommuabs_sim_free(arena, maddr, 12);
	assert_clean();
	iommuabs_sim_free(arena, maddr, 12);
	assert_only(FREED);
	iommuabs_sim_free(arena, 0x1000, 12);
	assert_only(FREED);
}
END_TEST

START_TEST(memory_outside_every_arena_is_plain)
{
	uint64_t words[2] __attribute__((aligned(16))) = { 1, 2 }, old = 5;

	iommuabs_sim_dev_store64(&words[0], 7);
	ck_assert_uint_eq(iommuabs_sim_dev_load64(&words[0]), 7);
	ck_assert_int_eq(iommuabs_sim_dev_cas64(&words[0], &old, 8), 0);
	ck_assert_uint_eq(old, 7);
	ck_assert_int_eq(iommuabs_sim_dev_cas64(&words[0], &old, 8), 1);
	iommuabs_sim_dev_store128(words, 3, 4);
	ck_assert_uint_eq(words[1], 4);
	iommuabs_sim_dev_zero(words, sizeof(words));
	ck_assert_uint_eq(words[0] | words[1], 0);
	iommuabs_sim_cache_clean(words, sizeof(words));
	iommuabs_sim_port_mmio_write(words, 4, 9);
	ck_assert_uint_eq(iommuabs_sim_port_mmio_read(words, 8), 9);
	ck_assert_uint_eq(
		iommuabs_sim_port_mmio_read((void *)(uintptr_t)UNIT_BASE, 4),
		rd(IDR0));
}
END_TEST

/* ---- adversary: what is right is clean ---- */

/* Detach: first the entry, synced; then what it let into the TLB. */
static void detach(void)
{
	clear_ste(DEV);
	cmd_sync(TLBI_VMALL(VM));
}

static void unmap_page(uint64_t ipa)
{
	st(slot(root, 3, ipa), 0);
	mb();
	cmd_sync(TLBI_IPA(VM, ipa));
}

static void a_whole_life(void)
{
	struct iommuabs_sim_probe *p, *w, *none;
	uint64_t leaf_table;

	enable();
	p = iommuabs_sim_probe_add(unit, DEV, GPA, 0);
	w = iommuabs_sim_probe_add(unit, DEV, GPA + 0x1000, WRITE);
	none = iommuabs_sim_probe_add(unit, DEV + 1, GPA, WRITE);
	ck_assert_uint_eq(allow(none, BLOCKED), 0);
	ck_assert_uint_eq(allow(w, BLOCKED), 0);
	ck_assert_uint_eq(allow(p, BLOCKED), 0);
	root = page();
	map(root, GPA, PAGE_RW(PA));
	allow(p, BLOCKED, PA);
	set_ste(DEV, STE0_S2, STE1_SHCFG, STE2(VM), root);
	ck_assert_uint_eq(allow(p, PA), 0);
	/* An addition costs nothing but the barrier. */
	allow(w, BLOCKED, PA2);
	map(root, GPA + 0x1000, PAGE_RW(PA2));
	ck_assert_uint_eq(allow(w, PA2), 0);
	/* A downgrade. */
	allow(w, BLOCKED, PA2);
	st(slot(root, 3, GPA + 0x1000), PAGE_RO(PA2));
	mb();
	cmd_sync(TLBI_IPA(VM, GPA + 0x1000));
	ck_assert_uint_eq(allow(w, BLOCKED), 0);
	/* Both go, then their table: unlink, invalidate, wait, free. */
	unmap_page(GPA + 0x1000);
	allow(p, BLOCKED, PA);
	unmap_page(GPA);
	ck_assert_uint_eq(allow(p, BLOCKED), 0);
	leaf_table = get(slot(root, 2, GPA)) & 0xfffffffff000ull;
	st(slot(root, 2, GPA), 0);
	mb();
	cmd_sync(TLBI_IPA(VM, GPA));
	iommuabs_sim_free(arena, leaf_table, 12);
	allow(p, BLOCKED, PA2);
	map(root, GPA, PAGE_RW(PA2));
	ck_assert_uint_eq(allow(p, PA2), 0);
	allow(p, BLOCKED, PA2);
	detach();
	ck_assert_uint_eq(allow(p, BLOCKED), 0);
	/* The VMID is free for another table. */
	iommuabs_sim_free(arena, get(slot(root, 2, GPA)) & 0xfffffffff000ull,
			  12);
	iommuabs_sim_free(arena, get(slot(root, 1, GPA)) & 0xfffffffff000ull,
			  12);
	iommuabs_sim_free(arena, root, 12);
	page();
	root = page();
	map(root, GPA, PAGE_RW(PA));
	allow(p, BLOCKED, PA);
	set_ste(DEV, STE0_S2, STE1_SHCFG, STE2(VM), root);
	ck_assert_uint_eq(allow(p, PA), 0);
	assert_clean();
}

START_TEST(the_right_order_is_clean)
{
	a_whole_life();
}
END_TEST

START_TEST(the_right_order_is_clean_without_snooping)
{
	noncoherent = 1;
	remake(IOMMUABS_SIM_ADVERSARY);
	a_whole_life();
}
END_TEST

/* While it is off nothing is cached anew, and everything may be rebuilt. */
START_TEST(a_unit_is_rebuilt_while_it_is_off)
{
	struct iommuabs_sim_probe *p;
	uint64_t old;

	one_domain();
	p = iommuabs_sim_probe_add(unit, DEV, GPA, 0);
	allow(p, PA, PA2, BLOCKED);
	set_cr0(CMDQEN | EVENTQEN);
	cmd(CFGI_ALL);
	cmd(TLBI_ALL);
	finish();
	old = get(slot(root, 2, GPA)) & 0xfffffffff000ull;
	st(slot(root, 2, GPA), 0);
	iommuabs_sim_free(arena, old, 12);
	iommuabs_sim_free(arena, root, 12);
	root = page();
	map(root, GPA, PAGE_RW(PA2));
	st(ste_at(DEV) + 24, root);
	mb();
	set_cr0(SMMUEN | CMDQEN | EVENTQEN);
	ck_assert_uint_eq(allow(p, PA2), 0);
	assert_clean();
	/* And it is watched again. */
	st(slot(root, 3, GPA), PAGE_RW(PA));
	assert_found(BBM);
}
END_TEST

START_TEST(a_unit_switched_on_with_one_vmid_for_two_tables)
{
	uint64_t other;

	one_domain();
	set_cr0(CMDQEN | EVENTQEN);
	other = page();
	st(ste_at(DEV + 1) + 8, STE1_SHCFG);
	st(ste_at(DEV + 1) + 16, STE2(VM));
	st(ste_at(DEV + 1) + 24, other);
	st(ste_at(DEV + 1), STE0_S2);
	mb();
	cmd(CFGI_ALL);
	cmd(TLBI_ALL);
	finish();
	assert_clean();
	set_cr0(SMMUEN | CMDQEN | EVENTQEN);
	assert_only(VMID);
}
END_TEST

START_TEST(a_unit_switched_on_with_stale_caches)
{
	struct iommuabs_sim_probe *p;
	uint64_t table;

	one_domain();
	p = iommuabs_sim_probe_add(unit, DEV, GPA, 0);
	set_cr0(CMDQEN | EVENTQEN);
	table = get(slot(root, 2, GPA)) & 0xfffffffff000ull;
	st(slot(root, 2, GPA), 0);
	mb();
	iommuabs_sim_free(arena, table, 12);
	set_cr0(SMMUEN | CMDQEN | EVENTQEN);
	assert_found(FREED);
	/* What is walked then was never stored as a table. */
	allow(p, BLOCKED);
	assert_found(UNINIT);
}
END_TEST

START_TEST(stop_and_start_again_is_clean)
{
	one_domain();
	set_cr0(CMDQEN | EVENTQEN);
	set_cr0(0);
	wr64(STRTAB_BASE, 0);
	iommuabs_sim_free(arena, l1, 12);
	iommuabs_sim_free(arena, l2, 12);
	iommuabs_sim_free(arena, cmdq, 12);
	iommuabs_sim_free(arena, eventq, 12);
	enable();
	set_ste(DEV, STE0_S2, STE1_SHCFG, STE2(VM), root);
	assert_clean();
}
END_TEST

START_TEST(two_streams_share_one_vmid_and_table)
{
	struct iommuabs_sim_probe *p;

	one_domain();
	set_ste(DEV + 1, STE0_S2, STE1_SHCFG, STE2(VM), root);
	p = iommuabs_sim_probe_add(unit, DEV + 1, GPA, 0);
	ck_assert_uint_eq(allow(p, PA), 0);
	clear_ste(DEV);
	ck_assert_uint_eq(allow(p, PA), 0);
	assert_clean();
}
END_TEST

START_TEST(level_2_tables_can_be_added_later)
{
	uint64_t more;

	one_domain();
	more = page();
	iommuabs_sim_dev_wmb();
	st(l1 + 8, more | (SPLIT + 1));
	mb();
	cmd_sync(CFGI_STE(64, 0));
	l2 = more - 64 * 64;
	set_ste(65, STE0_BYPASS, STE1_SHCFG, 0, 0);
	ck_assert_uint_eq(dma(65, 0x1000, 0), 0x1000);
	assert_clean();
}
END_TEST

START_TEST(a_block_is_split_in_place_with_bbml_2)
{
	struct iommuabs_sim_probe *p;
	uint64_t table, block = 0xa0200000ull;
	unsigned int i;

	one_domain();
	st(slot(root, 2, 0x50000000), BLOCK_RW(block));
	mb();
	p = iommuabs_sim_probe_add(unit, DEV, 0x50003000, 0);
	ck_assert_uint_eq(allow(p, block + 0x3000), 0);
	table = page();
	for (i = 0; i < 512; i++)
		st(table + 8 * i, i == 7 ? 0 : PAGE_RW(block + 0x1000 * i));
	iommuabs_sim_dev_wmb();
	st(slot(root, 2, 0x50000000), TABLE(table));
	mb();
	cmd_sync(TLBI_IPA(VM, 0x50000000));
	ck_assert_uint_eq(allow(p, block + 0x3000), 0);
	ck_assert_uint_eq(dma(DEV, 0x50007000, 0), BLOCKED);
	assert_clean();
}
END_TEST

/* ---- adversary: each mistake is found ---- */

START_TEST(a_command_before_its_barrier)
{
	enable_queues();
	cmd(SYNC);
	wr(CMDQ_PROD, prod);
	assert_only(ORDER);
	ck_assert(wait_consumed());
}
END_TEST

START_TEST(a_command_that_was_not_cleaned)
{
	noncoherent = 1;
	remake(IOMMUABS_SIM_ADVERSARY);
	enable_queues();
	iommuabs_sim_dev_store64(at(cmdq), 0x46);
	iommuabs_sim_dev_store64(at(cmdq + 8), 0);
	prod = 1;
	mb();
	wr(CMDQ_PROD, prod);
	assert_only(CLEAN);
}
END_TEST

START_TEST(a_command_that_was_never_written)
{
	enable_queues();
	wr(CMDQ_PROD, 1);
	assert_found(UNINIT);
}
END_TEST

START_TEST(an_addition_before_its_barrier)
{
	struct iommuabs_sim_probe *p;

	one_domain();
	p = iommuabs_sim_probe_add(unit, DEV, GPA + 0x1000, 0);
	st(slot(root, 3, GPA + 0x1000), PAGE_RW(PA2));
	ck_assert_uint_eq(allow(p, PA2), 1);
	assert_only(PROBE);
	mb();
	ck_assert_uint_eq(allow(p, PA2), 0);
	assert_clean();
}
END_TEST

START_TEST(a_table_linked_before_its_content_is_ordered)
{
	uint64_t table;

	one_domain();
	table = page();
	st(slot(root, 2, GPA + 0x200000), TABLE(table));
	assert_found(ORDER);
}
END_TEST

START_TEST(a_table_linked_with_words_never_stored)
{
	uint64_t table;

	one_domain();
	table = raw_page(12);
	st(table, PAGE_RW(PA2));
	mb();
	st(slot(root, 2, GPA + 0x200000), TABLE(table));
	assert_found(UNINIT);
}
END_TEST

START_TEST(a_table_linked_before_it_is_cleaned)
{
	uint64_t table;

	noncoherent = 1;
	remake(IOMMUABS_SIM_ADVERSARY);
	one_domain();
	table = raw_page(12);
	iommuabs_sim_dev_zero(at(table), 4096);
	mb();
	st(slot(root, 2, GPA + 0x200000), TABLE(table));
	assert_found(CLEAN);
}
END_TEST

START_TEST(a_store_without_its_clean_is_perhaps_not_seen)
{
	struct iommuabs_sim_probe *p;
	uint64_t e;

	noncoherent = 1;
	remake(IOMMUABS_SIM_ADVERSARY);
	one_domain();
	p = iommuabs_sim_probe_add(unit, DEV, GPA, 0);
	allow(p, BLOCKED, PA);
	e = slot(root, 3, GPA);
	iommuabs_sim_dev_store64(at(e), 0);
	mb();
	cmd_sync(TLBI_IPA(VM, GPA));
	ck_assert_uint_eq(allow(p, BLOCKED), 1);
	assert_only(PROBE);
	clean(e, 8);
	mb();
	cmd_sync(TLBI_IPA(VM, GPA));
	ck_assert_uint_eq(allow(p, BLOCKED), 0);
	assert_clean();
}
END_TEST

START_TEST(a_missing_invalidation)
{
	struct iommuabs_sim_probe *p;

	one_domain();
	p = iommuabs_sim_probe_add(unit, DEV, GPA, WRITE);
	allow(p, BLOCKED, PA);
	st(slot(root, 3, GPA), 0);
	mb();
	ck_assert_uint_eq(allow(p, BLOCKED), 1);
	assert_only(PROBE);
	cmd_sync(TLBI_IPA(VM, GPA + 0x1000));
	ck_assert_uint_eq(allow(p, BLOCKED), 1);
	cmd_sync(TLBI_IPA(VM + 1, GPA));
	ck_assert_uint_eq(allow(p, BLOCKED), 1);
	cmd_sync(TLBI_IPA(VM, GPA));
	iommuabs_sim_violations_clear(arena);
	ck_assert_uint_eq(allow(p, BLOCKED), 0);
	assert_clean();
}
END_TEST

START_TEST(a_missing_sync)
{
	struct iommuabs_sim_probe *p;

	one_domain();
	p = iommuabs_sim_probe_add(unit, DEV, GPA, WRITE);
	allow(p, BLOCKED, PA);
	st(slot(root, 3, GPA), 0);
	mb();
	cmd(TLBI_IPA(VM, GPA));
	submit();
	ck_assert(wait_consumed());
	ck_assert_uint_eq(allow(p, BLOCKED), 1);
	assert_only(PROBE);
}
END_TEST

START_TEST(an_invalidation_before_the_store)
{
	struct iommuabs_sim_probe *p;

	one_domain();
	p = iommuabs_sim_probe_add(unit, DEV, GPA, WRITE);
	allow(p, BLOCKED, PA);
	cmd_sync(TLBI_IPA(VM, GPA));
	st(slot(root, 3, GPA), 0);
	mb();
	ck_assert_uint_eq(allow(p, BLOCKED), 1);
	assert_only(PROBE);
}
END_TEST

START_TEST(a_leaf_invalidation_keeps_tables_cached)
{
	struct iommuabs_sim_probe *p;
	uint64_t table;

	one_domain();
	p = iommuabs_sim_probe_add(unit, DEV, GPA, WRITE);
	allow(p, BLOCKED, PA);
	table = get(slot(root, 2, GPA)) & 0xfffffffff000ull;
	st(slot(root, 2, GPA), 0);
	mb();
	cmd_sync(TLBI_IPA(VM, GPA | 1));
	ck_assert_uint_eq(allow(p, BLOCKED), 1);
	assert_only(PROBE);
	iommuabs_sim_free(arena, table, 12);
	assert_only(FREED);
}
END_TEST

START_TEST(a_table_freed_before_the_sync)
{
	uint64_t table;

	one_domain();
	table = get(slot(root, 2, GPA)) & 0xfffffffff000ull;
	st(slot(root, 2, GPA), 0);
	mb();
	cmd(TLBI_IPA(VM, GPA));
	submit();
	iommuabs_sim_free(arena, table, 12);
	assert_only(FREED);
}
END_TEST

START_TEST(a_linked_table_freed)
{
	one_domain();
	iommuabs_sim_free(arena, root, 12);
	assert_found(FREED);
}
END_TEST

START_TEST(a_detached_table_freed_before_its_invalidation)
{
	one_domain();
	clear_ste(DEV);
	iommuabs_sim_free(arena, root, 12);
	assert_found(FREED);
}
END_TEST

START_TEST(a_stream_table_or_queue_freed)
{
	one_domain();
	iommuabs_sim_free(arena, l2, 12);
	assert_found(FREED);
	iommuabs_sim_free(arena, cmdq, 12);
	assert_found(FREED);
}
END_TEST

START_TEST(a_page_freed_that_a_cached_translation_reaches)
{
	uint64_t ram;

	one_domain();
	ram = page();
	map(root, GPA + 0x1000, PAGE_RW(ram));
	st(slot(root, 3, GPA + 0x1000), 0);
	mb();
	iommuabs_sim_free(arena, ram, 12);
	assert_only(FREED);
}
END_TEST

START_TEST(a_posted_write_lands_at_the_sync)
{
	unsigned char data[4] = { 1, 2, 3, 4 };
	struct iommuabs_sim_dma d = {
		.sid = DEV,
		.addr = GPA + 0x1000,
		.flags = WRITE | IOMMUABS_SIM_DMA_POSTED,
		.len = 4,
		.data = data,
	};
	uint64_t ram;

	one_domain();
	ram = page();
	map(root, GPA + 0x1000, PAGE_RW(ram));
	ck_assert_int_eq(iommuabs_sim_dma(unit, &d), 1);
	ck_assert_uint_eq(get(ram), 0);
	unmap_page(GPA + 0x1000);
	ck_assert_uint_eq(get(ram), 0x04030201);
	map(root, GPA + 0x1000, PAGE_RW(ram));
	ck_assert_int_eq(iommuabs_sim_dma(unit, &d), 1);
	assert_clean();
	st(slot(root, 3, GPA + 0x1000), 0);
	mb();
	cmd(TLBI_IPA(VM, GPA + 0x1000));
	submit();
	iommuabs_sim_free(arena, ram, 12);
	assert_only(FREED);
	iommuabs_sim_settle(arena);
	assert_only(FREED);
}
END_TEST

START_TEST(an_unlinked_table_written_before_the_sync)
{
	uint64_t table;

	one_domain();
	table = get(slot(root, 2, GPA)) & 0xfffffffff000ull;
	st(slot(root, 2, GPA), 0);
	mb();
	st(table + 8, 0);
	assert_only(UNLINKED);
}
END_TEST

START_TEST(a_live_leaf_changes_its_target)
{
	one_domain();
	st(slot(root, 3, GPA), PAGE_RW(PA2));
	assert_only(BBM);
}
END_TEST

START_TEST(a_live_leaf_changes_its_memory_type)
{
	one_domain();
	st(slot(root, 3, GPA), PAGE_RW(PA) & ~(0xfull << 2));
	assert_only(BBM);
}
END_TEST

START_TEST(a_new_target_before_the_break_was_synced)
{
	one_domain();
	st(slot(root, 3, GPA), 0);
	mb();
	cmd(TLBI_IPA(VM, GPA));
	submit();
	st(slot(root, 3, GPA), PAGE_RW(PA2));
	assert_only(BBM);
}
END_TEST

START_TEST(a_new_table_while_the_old_one_is_cached)
{
	uint64_t table;

	one_domain();
	table = page();
	mb();
	st(slot(root, 3, GPA), 0);
	mb();
	cmd_sync(TLBI_IPA(VM, GPA | 1));
	st(slot(root, 2, GPA), 0);
	mb();
	st(entry(get(entry(root, 1, GPA)) & 0xfffffffff000ull, 2, GPA),
	   TABLE(table));
	assert_only(BBM);
}
END_TEST

/* 0, 1 without nT, 1 with nT, 2: may a block be split in place? */
START_TEST(a_split_needs_its_bbml)
{
	uint64_t table, block = 0xa0200000ull, nt = _i == 2 ? NT : 0;
	unsigned int i;

	config.bbml = _i == 3 ? 2 : _i > 0;
	remake(IOMMUABS_SIM_ADVERSARY);
	one_domain();
	st(slot(root, 2, 0x50000000), BLOCK_RW(block) | nt);
	mb();
	table = page();
	for (i = 0; i < 512; i++)
		st(table + 8 * i, PAGE_RW(block + 0x1000 * i));
	mb();
	st(slot(root, 2, 0x50000000), TABLE(table));
	if (_i < 2)
		assert_only(BBM);
	else
		assert_clean();
}
END_TEST

START_TEST(a_split_that_also_moves)
{
	uint64_t table, block = 0xa0200000ull;
	unsigned int i;

	one_domain();
	st(slot(root, 2, 0x50000000), BLOCK_RW(block));
	mb();
	table = page();
	for (i = 0; i < 512; i++)
		st(table + 8 * i, PAGE_RW(block + 0x1000 * (i ^ 1)));
	mb();
	st(slot(root, 2, 0x50000000), TABLE(table));
	assert_only(BBM);
}
END_TEST

START_TEST(a_contiguous_group_torn_apart)
{
	struct iommuabs_sim_probe *p;
	unsigned int i;
	uint64_t e;

	one_domain();
	e = slot(root, 3, 0x60000000);
	for (i = 0; i < 16; i++)
		st(e + 8 * i, PAGE_RW(0xb0000000ull + 0x1000 * i) | CONTIGUOUS);
	mb();
	p = iommuabs_sim_probe_add(unit, DEV, 0x60005000, 0);
	ck_assert_uint_eq(allow(p, 0xb0005000ull), 0);
	allow(p, 0xb0005000ull, BLOCKED);
	/* The neighbours still say that the whole group maps. */
	st(e + 8 * 5, 0);
	mb();
	cmd_sync(TLBI_IPA(VM, 0x60005000));
	ck_assert_uint_eq(allow(p, BLOCKED), 1);
	assert_found(CONTIGUOUS);
}
END_TEST

START_TEST(an_entry_changed_in_pieces)
{
	one_domain();
	st(ste_at(DEV) + 24, page());
	mb();
	st(ste_at(DEV) + 16, STE2(VM + 1));
	mb();
	cmd_sync(CFGI_STE(DEV, 1));
	assert_found(TORN_STE);
}
END_TEST

/* V = 0 first, but the next word before that was synced. */
START_TEST(an_entry_refilled_before_its_invalidation)
{
	config.fetch_128 = (unsigned int)_i;
	remake(IOMMUABS_SIM_ADVERSARY);
	one_domain();
	st(ste_at(DEV), 0);
	mb();
	st(ste_at(DEV) + 8, STE1_SHCFG << 1);
	mb();
	cmd_sync(CFGI_STE(DEV, 1));
	if (_i)
		assert_clean();
	else
		assert_only(TORN_STE);
}
END_TEST

START_TEST(an_entry_made_valid_together_with_its_content)
{
	enable();
	root = page();
	map(root, GPA, PAGE_RW(PA));
	/* An older content of the invalid entry may have been read. */
	st(ste_at(DEV) + 8, STE1_SHCFG);
	st(ste_at(DEV) + 16, STE2(VM));
	st(ste_at(DEV) + 24, root);
	iommuabs_sim_dev_wmb();
	st(ste_at(DEV), STE0_S2);
	mb();
	cmd_sync(CFGI_STE(DEV, 1));
	assert_found(BAD_STE);
}
END_TEST

START_TEST(an_entry_without_its_invalidation)
{
	struct iommuabs_sim_probe *p;

	one_domain();
	p = iommuabs_sim_probe_add(unit, DEV, GPA, 0);
	allow(p, PA, BLOCKED);
	st(ste_at(DEV), 0);
	mb();
	ck_assert_uint_eq(allow(p, BLOCKED), 1);
	assert_only(PROBE);
	cmd(CFGI_STE(DEV, 1));
	submit();
	ck_assert(wait_consumed());
	ck_assert_uint_eq(allow(p, BLOCKED), 1);
	assert_only(PROBE);
	finish();
	ck_assert_uint_eq(allow(p, BLOCKED), 0);
	assert_clean();
}
END_TEST

START_TEST(a_bypass_entry)
{
	struct iommuabs_sim_probe *p;

	enable();
	p = iommuabs_sim_probe_add(unit, DEV, GPA, 0);
	allow(p, BLOCKED);
	set_ste(DEV, STE0_BYPASS, STE1_SHCFG, 0, 0);
	assert_only(PROBE);
}
END_TEST

START_TEST(an_illegal_entry_made_valid)
{
	enable();
	root = page();
	mb();
	set_ste(DEV, STE0_S2, STE1_SHCFG, STE2(VM) | 1ull << 57, root);
	assert_only(BAD_STE);
}
END_TEST

START_TEST(a_level_1_descriptor_without_its_invalidation)
{
	struct iommuabs_sim_probe *p;
	uint64_t more;

	one_domain();
	more = page();
	st(more + 64 + 8, STE1_SHCFG);
	st(more + 64, STE0_BYPASS);
	mb();
	p = iommuabs_sim_probe_add(unit, 65, GPA, 0);
	allow(p, BLOCKED, GPA);
	st(l1 + 8, more | (SPLIT + 1));
	mb();
	cmd_sync(CFGI_STE(65, 1));
	ck_assert_uint_eq(allow(p, GPA), 1);
	assert_only(PROBE);
	cmd_sync(CFGI_STE(65, 0));
	ck_assert_uint_eq(allow(p, GPA), 0);
	assert_clean();
}
END_TEST

START_TEST(one_vmid_for_two_tables)
{
	uint64_t other;

	one_domain();
	other = page();
	mb();
	set_ste(DEV + 1, STE0_S2, STE1_SHCFG, STE2(VM), other);
	assert_only(VMID);
}
END_TEST

#define TWIN_BLOCK 0x50000000ull
#define TWIN_EMPTY 0x60000000ull

/* As one_domain() has it and a block, in pages; and a table with nothing in it. */
static uint64_t twin(void)
{
	uint64_t other = page(), i;

	st(slot(root, 2, TWIN_BLOCK), BLOCK_RW(0xa0200000ull));
	map(other, GPA, PAGE_RW(PA));
	for (i = 0; i < 512; i++)
		map(other, TWIN_BLOCK + 0x1000 * i,
		    PAGE_RW(0xa0200000ull + 0x1000 * i));
	(void)slot(other, 3, TWIN_EMPTY);
	mb();
	return other;
}

static void switch_root(uint64_t other)
{
	st(ste_at(DEV) + 24, other);
	mb();
	cmd_sync(CFGI_STE(DEV, 1));
}

START_TEST(one_vmid_for_two_tables_that_map_the_same)
{
	struct iommuabs_sim_probe *p, *q;
	uint64_t other;

	one_domain();
	other = twin();
	p = iommuabs_sim_probe_add(unit, DEV, GPA, 0);
	q = iommuabs_sim_probe_add(unit, DEV, TWIN_BLOCK + 0x7000, 0);
	allow(p, PA);
	allow(q, 0xa0207000ull);
	switch_root(other);
	/* Another stream has the old one; both change, in one sync. */
	set_ste(DEV + 1, STE0_S2, STE1_SHCFG, STE2(VM), root);
	map(root, TWIN_EMPTY, PAGE_RW(PA2));
	map(other, TWIN_EMPTY, PAGE_RW(PA2));
	mb();
	cmd_sync(TLBI_IPA(VM, TWIN_EMPTY));
	assert_clean();
	map(root, TWIN_EMPTY, 0);
	mb();
	cmd_sync(TLBI_IPA(VM, TWIN_EMPTY));
	assert_only(VMID);
}
END_TEST

/* How the other one differs. */
static const struct {
	uint64_t ipa, desc;
} unlike[] = {
	{ GPA, PAGE_RW(PA2) },
	{ GPA, PAGE_RO(PA) },
	{ GPA, 0 },
	{ GPA, PAGE_RW(PA) & ~(1ull << 10) },
	{ GPA, PAGE_RW(PA) ^ 8ull << 2 },
	{ GPA + 0x1000, PAGE_RW(PA2) },
	{ TWIN_EMPTY, PAGE_RW(PA) },
	{ TWIN_BLOCK + 0x1ff000, PAGE_RW(PA) },
	{ TWIN_BLOCK + 0x1ff000, 0 },
};

START_TEST(one_vmid_for_two_tables_that_map_different_things)
{
	uint64_t other;

	one_domain();
	other = twin();
	map(other, unlike[_i].ipa, unlike[_i].desc);
	mb();
	assert_clean();
	switch_root(other);
	assert_only(VMID);
	/* Gone with what was cached of the old one. */
	cmd_sync(TLBI_VMALL(VM));
	iommuabs_sim_violations_clear(arena);
	cmd_sync(TLBI_VMALL(VM));
	assert_clean();
}
END_TEST

START_TEST(one_vmid_for_two_tables_needs_bbml_2)
{
	uint64_t other;

	config.bbml = (unsigned int)_i;
	remake(IOMMUABS_SIM_ADVERSARY);
	one_domain();
	other = twin();
	st(ste_at(DEV) + 24, other);
	assert_only(VMID);
}
END_TEST

START_TEST(one_vmid_for_two_geometries)
{
	one_domain();
	set_ste(DEV + 1, STE0_S2, STE1_SHCFG, STE2(VM) ^ 1ull << 48, root);
	assert_only(VMID);
}
END_TEST

START_TEST(a_vmid_reused_before_its_invalidation)
{
	struct iommuabs_sim_probe *p;
	uint64_t other;

	one_domain();
	clear_ste(DEV);
	other = page();
	map(other, GPA, PAGE_RW(PA2));
	p = iommuabs_sim_probe_add(unit, DEV + 1, GPA, 0);
	allow(p, PA2, BLOCKED);
	set_ste(DEV + 1, STE0_S2, STE1_SHCFG, STE2(VM), other);
	ck_assert_uint_eq(
		iommuabs_sim_violations_of(arena, IOMMUABS_SIM_V_VMID), 1);
	assert_found(PROBE);
}
END_TEST

START_TEST(an_invalidation_in_the_same_sync_as_the_entry)
{
	uint64_t other;

	one_domain();
	st(ste_at(DEV), 0);
	mb();
	cmd(CFGI_STE(DEV, 1));
	cmd_sync(TLBI_VMALL(VM));
	/* The entry was usable until the sync and filled the TLB again. */
	other = page();
	mb();
	set_ste(DEV, STE0_S2, STE1_SHCFG, STE2(VM), other);
	assert_only(VMID);
}
END_TEST

START_TEST(enabled_before_the_caches_are_invalidated)
{
	unsigned int i;

	for (i = 0; i < 3; i++) {
		if (i)
			remake(IOMMUABS_SIM_ADVERSARY);
		enable_queues();
		l1 = page();
		mb();
		wr64(STRTAB_BASE, l1);
		wr(STRTAB_CFG, 1u << 16 | SPLIT << 6 | SID_BITS);
		if (i == 1)
			cmd_sync(CFGI_ALL);
		if (i == 2)
			cmd_sync(TLBI_ALL);
		set_cr0(SMMUEN | CMDQEN | EVENTQEN);
		assert_only(ENABLE);
	}
}
END_TEST

START_TEST(a_moment_without_translation)
{
	struct iommuabs_sim_probe *p;

	p = iommuabs_sim_probe_add(unit, DEV, GPA, 0);
	/* Before anything is set up, a unit may bypass. */
	ck_assert_uint_eq(allow(p, GPA), 0);
	one_domain();
	iommuabs_sim_violations_clear(arena);
	allow(p, PA);
	wr(CR0, CMDQEN | EVENTQEN);
	assert_only(PROBE);
}
END_TEST

START_TEST(bypass_until_gbpa_is_acknowledged)
{
	struct iommuabs_sim_probe *p;
	uint64_t out[2];

	p = iommuabs_sim_probe_add(unit, DEV, GPA, 0);
	iommuabs_sim_plant(unit, IOMMUABS_SIM_GBPA_STUCK, 1, 0);
	wr(GBPA, 1u << 31 | 1u << 20);
	ck_assert_uint_eq(iommuabs_sim_probe_outcomes(p, out, 2), 2);
	iommuabs_sim_heal(unit);
	while (rd(GBPA) >> 31)
		;
	ck_assert_uint_eq(iommuabs_sim_probe_outcomes(p, out, 2), 1);
	ck_assert_uint_eq(out[0], BLOCKED);
	iommuabs_sim_probe_remove(p);
}
END_TEST

START_TEST(cr0_changed_before_its_acknowledge)
{
	unsigned int i;

	for (i = 0; i < 20 && !iommuabs_sim_violations(arena); i++) {
		wr(CR0, CMDQEN);
		wr(CR0, 0);
	}
	assert_only(GUARD);
}
END_TEST

START_TEST(reserved_bits)
{
	uint64_t ste = ste_at(DEV);

	one_domain();
	st(slot(root, 3, GPA + 0x1000), PAGE_RW(PA2) | 1ull << 49);
	mb();
	dma(DEV, GPA + 0x1000, 0);
	assert_only(RESERVED);
	st(slot(root, 2, 0x50000000), BLOCK_RW(0xa0200000ull) | 0x2000);
	mb();
	dma(DEV, 0x50000000, 0);
	assert_only(RESERVED);
	ste = ste_at(DEV);
	st(ste + 40, 1);
	assert_only(RESERVED);
	st(l1 + 8, l2 | 1ull << 60 | (SPLIT + 1));
	assert_found(RESERVED);
}
END_TEST

START_TEST(invalidations_that_miss_their_aim)
{
	enable_queues();
	cmd_sync(TLBI_IPA(VM, 0x40001000ull | TG4K | TTL(2)));
	assert_only(COMMAND);
	cmd_sync(CFGI_STE(1 << 20, 1));
	assert_only(COMMAND);
	config.vmid16 = 0;
	remake(IOMMUABS_SIM_ADVERSARY);
	enable_queues();
	cmd_sync(TLBI_VMALL(0x100));
	assert_only(COMMAND);
}
END_TEST

START_TEST(an_event_read_without_its_barrier)
{
	one_domain();
	dma(DEV, 0, 0);
	ck_assert_uint_eq(rd(EVENTQ_PROD), 1);
	get(eventq);
	assert_only(ORDER);
	iommuabs_sim_dev_rmb();
	ck_assert_uint_eq(get(eventq), (uint64_t)DEV << 32 | 0x10);
	assert_clean();
}
END_TEST

/* A stream entry changed by one 128-bit store: for which units is it whole? */
START_TEST(wide_stores_are_whole_for_units_that_fetch_wide)
{
	uint64_t other;

	config.fetch_128 = (unsigned int)_i;
	remake(IOMMUABS_SIM_ADVERSARY);
	one_domain();
	other = page();
	map(other, GPA, PAGE_RW(PA2));
	iommuabs_sim_dev_store128(at(ste_at(DEV) + 16), STE2(VM + 1), other);
	mb();
	cmd_sync(CFGI_STE(DEV, 1));
	if (_i)
		assert_clean();
	else
		assert_found(TORN_STE);
}
END_TEST

START_TEST(compare_and_exchange_is_a_store_with_release)
{
	uint64_t table, old = 0, e;

	one_domain();
	e = slot(root, 2, GPA + 0x200000);
	table = page();
	ck_assert_int_eq(iommuabs_sim_dev_cas64(at(e), &old, TABLE(table)), 1);
	assert_clean();
	old = 0;
	ck_assert_int_eq(iommuabs_sim_dev_cas64(at(e), &old, TABLE(PA)), 0);
	ck_assert_uint_eq(old, TABLE(table));
}
END_TEST

START_TEST(probes_can_be_rare)
{
	struct iommuabs_sim_arena_config a = {
		.mode = IOMMUABS_SIM_ADVERSARY,
		.base = RAM_BASE,
		.length = RAM_SIZE,
		.probe_every = 1000000,
	};
	struct iommuabs_sim_counters c;
	struct iommuabs_sim_probe *p;

	drop();
	ck_assert_int_eq(iommuabs_sim_arena_create(&a, &arena), 0);
	ck_assert_int_eq(iommuabs_sim_smmuv3_create(arena, &config, &unit), 0);
	p = iommuabs_sim_probe_add(unit, DEV, GPA, 0);
	allow(p, BLOCKED, PA, GPA);
	one_domain();
	iommuabs_sim_counters(unit, &c);
	ck_assert_uint_le(c.probes, 2);
	assert_clean();
}
END_TEST

/* ---- adversary: many operations against a flat list ---- */

#define NR_PAGES 12
enum mistake {
	NONE,
	NO_BARRIER,
	NO_TLBI,
	NO_SYNC,
	WRONG_VMID,
	WRONG_ADDRESS,
	LEAF_ONLY,
	NR_MISTAKES,
};

static struct iommuabs_sim_probe *probes[NR_PAGES];
static uint64_t targets[NR_PAGES];

/* Pages in three 2M ranges, so that tables come and go. */
static uint64_t ipa_of(unsigned int i)
{
	return 0x40000000ull + 0x200000ull * (i % 3) + 0x1000ull * (i / 3);
}

static void add_page(unsigned int i, uint64_t pa, enum mistake mistake)
{
	allow(probes[i], BLOCKED, pa);
	st(slot(root, 3, ipa_of(i)), PAGE_RW(pa));
	if (mistake != NO_BARRIER)
		mb();
	targets[i] = pa;
	allow(probes[i], pa);
}

static void invalidate(uint64_t ipa, enum mistake mistake)
{
	uint64_t leaf = mistake == LEAF_ONLY;

	if (mistake == WRONG_ADDRESS)
		ipa ^= 0x1000;
	if (mistake != NO_TLBI)
		cmd(TLBI_IPA(mistake == WRONG_VMID ? VM + 1 : VM, ipa | leaf));
	if (mistake != NO_SYNC)
		cmd(SYNC);
	submit();
	ck_assert(wait_consumed());
}

static void take_page(unsigned int i, enum mistake mistake)
{
	allow(probes[i], BLOCKED, targets[i]);
	st(slot(root, 3, ipa_of(i)), 0);
	mb();
	invalidate(ipa_of(i), mistake == LEAF_ONLY ? NONE : mistake);
	targets[i] = BLOCKED;
	allow(probes[i], BLOCKED);
}

static void drop_empty_table(unsigned int range, enum mistake mistake)
{
	uint64_t e = slot(root, 2, ipa_of(range)), table = get(e);
	unsigned int i;

	for (i = range; i < NR_PAGES; i += 3) {
		if (targets[i] != BLOCKED)
			return;
	}
	if (!(table & 1))
		return;
	st(e, 0);
	mb();
	invalidate(ipa_of(range), mistake);
	iommuabs_sim_free(arena, table & 0xfffffffff000ull, 12);
}

static void random_operations(unsigned int nr, enum mistake mistake)
{
	unsigned int i, n;

	srand(1);
	for (i = 0; i < NR_PAGES; i++) {
		targets[i] = BLOCKED;
		probes[i] = iommuabs_sim_probe_add(unit, DEV, ipa_of(i), WRITE);
		allow(probes[i], BLOCKED);
	}
	for (n = 0; n < nr; n++) {
		/* One in ten operations is done wrong. */
		enum mistake now = rand() % 10 ? NONE : mistake;

		i = (unsigned int)rand() % NR_PAGES;
		if (targets[i] == BLOCKED)
			add_page(i, 0x80000000ull + 0x1000 * (rand() % 4096),
				 now);
		else
			take_page(i, now);
		if (!(rand() % 4))
			drop_empty_table((unsigned int)rand() % 3, now);
	}
}

START_TEST(many_right_operations_are_clean)
{
	noncoherent = _i;
	remake(IOMMUABS_SIM_ADVERSARY);
	one_domain();
	unmap_page(GPA);
	random_operations(3000, NONE);
	assert_clean();
}
END_TEST

START_TEST(few_wrong_operations_are_found)
{
	one_domain();
	unmap_page(GPA);
	random_operations(3000, (enum mistake)_i);
	ck_assert_uint_gt(nr_violations(), 0);
}
END_TEST

static void *store_and_load(void *arg)
{
	uint64_t table = *(uint64_t *)arg;
	unsigned int i;

	for (i = 0; i < 2000; i++) {
		iommuabs_sim_dev_store64(at(table + 8 * (i % 512)), 0);
		iommuabs_sim_dev_wmb();
		iommuabs_sim_dev_load64(at(table));
		rd(CR0);
		if (i % 100 == 0)
			mb();
	}
	return NULL;
}

START_TEST(threads_may_use_it_at_once)
{
	pthread_t threads[4];
	uint64_t tables[4];
	unsigned int i;

	one_domain();
	for (i = 0; i < 4; i++)
		tables[i] = page();
	for (i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, store_and_load, &tables[i]);
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_clean();
}
END_TEST

START_TEST(every_class_of_violation_has_a_name)
{
	unsigned int i;

	for (i = 0; i < IOMMUABS_SIM_V_COUNT_; i++)
		ck_assert_str_ne(iommuabs_sim_violation_name(
					 (enum iommuabs_sim_violation)i),
				 "?");
	ck_assert_str_eq(iommuabs_sim_violation_name(IOMMUABS_SIM_V_COUNT_),
			 "?");
}
END_TEST

static TCase *functional_tests(void)
{
	TCase *t = tcase_create("functional");

	tcase_add_checked_fixture(t, functional, drop);
	tcase_add_test(t, id_registers_say_what_was_configured);
	tcase_add_test(t, creation_refuses_what_cannot_be);
	tcase_add_test(t, creation_refuses_values_out_of_range);
	tcase_add_test(t, id_registers_say_what_else_was_configured);
	tcase_add_test(t, a_wrong_width_is_lost);
	tcase_add_test(t, nothing_answers_outside_the_unit);
	tcase_add_test(t, guarded_registers_do_not_change);
	tcase_add_test(t, gbpa_is_written_with_update_only);
	tcase_add_test(t, gerrorn_acknowledges_what_is_active);
	tcase_add_test(t, read_only_and_unknown_offsets_are_noticed);
	tcase_add_test(t, a_disabled_unit_obeys_gbpa);
	tcase_add_test(t, streams_bypass_abort_and_fault);
	tcase_add_test(t, a_bad_streamid_is_silent_without_recinvsid);
	tcase_add_test(t, stream_tables_outside_memory_abort);
	tcase_add_test(t, linear_stream_tables_work);
	tcase_add_loop_test(t, illegal_stream_entries_are_refused, 0,
			    NR(bad_stes));
	tcase_add_test(t, stages_and_vmids_that_are_not_implemented);
	tcase_add_test(t, pages_and_blocks_translate);
	tcase_add_loop_test(t, every_start_level_works, 0, NR(geometries));
	tcase_add_test(t, other_granules_walk);
	tcase_add_loop_test(t, walks_fault_as_the_manual_says, 0,
			    NR(walk_cases));
	tcase_add_test(t, s2r_and_s2affd_are_obeyed);
	tcase_add_test(t, pasids_and_translated_requests_are_refused);
	tcase_add_test(t, dma_moves_data_and_stops_at_a_hole);
	tcase_add_test(t, translations_stay_cached_until_a_sync);
	tcase_add_test(t, stream_entries_stay_cached_until_a_sync);
	tcase_add_test(t, a_contiguous_group_is_cached_as_one);
	tcase_add_loop_test(t, invalidations_have_their_scope, 0, NR(scopes));
	return t;
}

static TCase *queue_tests(void)
{
	TCase *t = tcase_create("queues");

	tcase_add_checked_fixture(t, functional, drop);
	tcase_add_loop_test(t, illegal_commands_stop_the_queue, 0,
			    NR(illegals));
	tcase_add_test(t, legal_commands_pass);
	tcase_add_test(t, command_fetch_outside_memory_aborts);
	tcase_add_test(t, syncs_signal_as_told);
	tcase_add_test(t, the_command_log_tells_what_was_consumed);
	tcase_add_test(t, prod_beyond_the_queue_is_noticed);
	tcase_add_test(t, a_full_event_queue_overflows);
	tcase_add_test(t, an_event_interrupt_may_be_a_message);
	tcase_add_test(t, event_aborts_are_global_errors);
	tcase_add_test(t, a_hung_queue_consumes_nothing);
	tcase_add_test(t, the_nth_sync_hangs_or_is_late);
	tcase_add_test(t, the_kth_wait_can_be_chosen);
	tcase_add_test(t, cr0_and_gbpa_can_be_deaf);
	tcase_add_test(t, a_dead_unit_reads_all_ones);
	tcase_add_test(t, commands_can_be_made_to_fail);
	tcase_add_test(t, virtual_time_moves_with_polls);
	tcase_add_test(t, pages_are_aligned_and_can_run_out);
	tcase_add_test(t, the_nth_allocation_fails_once);
	tcase_add_test(t, an_arena_that_cannot_be_is_not_made);
	tcase_add_test(t, without_memory_there_is_no_arena_and_no_unit);
	tcase_add_test(t, bad_frees_are_noticed);
	tcase_add_test(t, memory_outside_every_arena_is_plain);
	return t;
}

static TCase *clean_tests(void)
{
	TCase *t = tcase_create("clean");

	tcase_add_checked_fixture(t, adversary, drop);
	tcase_add_test(t, the_right_order_is_clean);
	tcase_add_test(t, the_right_order_is_clean_without_snooping);
	tcase_add_test(t, stop_and_start_again_is_clean);
	tcase_add_test(t, a_unit_is_rebuilt_while_it_is_off);
	tcase_add_test(t, two_streams_share_one_vmid_and_table);
	tcase_add_test(t, level_2_tables_can_be_added_later);
	tcase_add_test(t, a_block_is_split_in_place_with_bbml_2);
	tcase_add_test(t, compare_and_exchange_is_a_store_with_release);
	tcase_add_test(t, probes_can_be_rare);
	tcase_add_loop_test(t, many_right_operations_are_clean, 0, 2);
	tcase_add_test(t, every_class_of_violation_has_a_name);
	return t;
}

static TCase *memory_mistakes(void)
{
	TCase *t = tcase_create("memory");

	tcase_add_checked_fixture(t, adversary, drop);
	tcase_add_test(t, a_command_before_its_barrier);
	tcase_add_test(t, a_command_that_was_not_cleaned);
	tcase_add_test(t, a_command_that_was_never_written);
	tcase_add_test(t, an_addition_before_its_barrier);
	tcase_add_test(t, a_table_linked_before_its_content_is_ordered);
	tcase_add_test(t, a_table_linked_with_words_never_stored);
	tcase_add_test(t, a_table_linked_before_it_is_cleaned);
	tcase_add_test(t, a_store_without_its_clean_is_perhaps_not_seen);
	tcase_add_test(t, a_table_freed_before_the_sync);
	tcase_add_test(t, a_linked_table_freed);
	tcase_add_test(t, a_detached_table_freed_before_its_invalidation);
	tcase_add_test(t, a_stream_table_or_queue_freed);
	tcase_add_test(t, a_page_freed_that_a_cached_translation_reaches);
	tcase_add_test(t, a_posted_write_lands_at_the_sync);
	tcase_add_test(t, an_unlinked_table_written_before_the_sync);
	tcase_add_test(t, an_event_read_without_its_barrier);
	return t;
}

static TCase *translation_mistakes(void)
{
	TCase *t = tcase_create("translation");

	tcase_add_checked_fixture(t, adversary, drop);
	tcase_add_test(t, a_missing_invalidation);
	tcase_add_test(t, a_missing_sync);
	tcase_add_test(t, an_invalidation_before_the_store);
	tcase_add_test(t, a_leaf_invalidation_keeps_tables_cached);
	tcase_add_test(t, a_live_leaf_changes_its_target);
	tcase_add_test(t, a_live_leaf_changes_its_memory_type);
	tcase_add_test(t, a_new_target_before_the_break_was_synced);
	tcase_add_test(t, a_new_table_while_the_old_one_is_cached);
	tcase_add_loop_test(t, a_split_needs_its_bbml, 0, 4);
	tcase_add_test(t, a_split_that_also_moves);
	tcase_add_test(t, a_contiguous_group_torn_apart);
	tcase_add_test(t, invalidations_that_miss_their_aim);
	tcase_add_loop_test(t, few_wrong_operations_are_found, 1, NR_MISTAKES);
	tcase_add_test(t, one_vmid_for_two_tables);
	tcase_add_test(t, one_vmid_for_two_tables_that_map_the_same);
	tcase_add_loop_test(t,
			    one_vmid_for_two_tables_that_map_different_things,
			    0, NR(unlike));
	tcase_add_loop_test(t, one_vmid_for_two_tables_needs_bbml_2, 0, 2);
	tcase_add_test(t, one_vmid_for_two_geometries);
	tcase_add_test(t, a_vmid_reused_before_its_invalidation);
	tcase_add_test(t, an_invalidation_in_the_same_sync_as_the_entry);
	return t;
}

static TCase *stream_mistakes(void)
{
	TCase *t = tcase_create("streams");

	tcase_add_checked_fixture(t, adversary, drop);
	tcase_add_test(t, an_entry_changed_in_pieces);
	tcase_add_loop_test(t, an_entry_refilled_before_its_invalidation, 0, 2);
	tcase_add_test(t, an_entry_made_valid_together_with_its_content);
	tcase_add_test(t, an_entry_without_its_invalidation);
	tcase_add_test(t, a_bypass_entry);
	tcase_add_test(t, an_illegal_entry_made_valid);
	tcase_add_test(t, a_level_1_descriptor_without_its_invalidation);
	tcase_add_test(t, enabled_before_the_caches_are_invalidated);
	tcase_add_test(t, a_unit_switched_on_with_stale_caches);
	tcase_add_test(t, a_unit_switched_on_with_one_vmid_for_two_tables);
	tcase_add_test(t, a_moment_without_translation);
	tcase_add_test(t, bypass_until_gbpa_is_acknowledged);
	tcase_add_test(t, cr0_changed_before_its_acknowledge);
	tcase_add_test(t, reserved_bits);
	tcase_add_loop_test(t, wide_stores_are_whole_for_units_that_fetch_wide,
			    0, 2);
	return t;
}

static TCase *thread_tests(void)
{
	TCase *t = tcase_create("threads");

	tcase_add_checked_fixture(t, adversary, drop);
	tcase_add_test(t, threads_may_use_it_at_once);
	return t;
}

static Suite *suite(void)
{
	Suite *s = suite_create("sim_smmuv3");

	suite_add_tcase(s, thread_tests());
	/* One thread is nothing for a thread sanitizer to look at. */
	if (TEST_THREAD_SANITIZER)
		return s;
	suite_add_tcase(s, functional_tests());
	suite_add_tcase(s, queue_tests());
	suite_add_tcase(s, clean_tests());
	suite_add_tcase(s, memory_mistakes());
	suite_add_tcase(s, translation_mistakes());
	suite_add_tcase(s, stream_mistakes());
	return s;
}

HARNESS_MAIN(suite)
