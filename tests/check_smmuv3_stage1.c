/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A unit without stage 2, and which table formats units get.
 */
#include "test_smmu.h"

#include <string.h>

#include "harness.h"
#include "backends/smmu/smmuv3.h"
#include "test_needs.h"

#if IOMMUABS_CONFIG_SMMU

#define RW   (IOMMUABS_READ | IOMMUABS_WRITE)
#define SID  ((uint32_t)3)
#define GFN  ((uint64_t)0x40000)
#define ASID 0x321

static const struct backend_table table_a = {
	.format = BACKEND_FORMAT_ARM_S1,
	.root = 0x123456000,
	.input_bits = 39,
	.output_bits = 44,
	.granule_lg2 = 12,
	.levels = 3,
	.walk_attrs = 0x35,
	.id = ASID,
};

/* ---- words, by hand: IHI 0070 5.4 and 5.2 ---- */

START_TEST(words_of_a_descriptor_are_those_of_the_manual)
{
	struct backend_table wide = table_a;
	uint64_t words[CD_WORDS];
	struct driver_machine m;
	unsigned int i;

	smmu_machine_new(&m, SMMU_STAGE1);
	smmuv3_cd_words(smmuv3_of(&m.unit), &table_a, 0, words);
	/* T0SZ, TG0, IR0, OR0, SH0, EPD1, V, IPS, AA64, R, A, ASET, ASID */
	ck_assert_uint_eq(words[0],
			  25ull | 0ull << 6 | 1ull << 8 | 1ull << 10 |
				  3ull << 12 | 1ull << 30 | 1ull << 31 |
				  4ull << 32 | 1ull << 41 | 1ull << 45 |
				  1ull << 46 | 1ull << 47 | 0x321ull << 48);
	ck_assert_uint_eq(words[1], 0x123456000);
	ck_assert_uint_eq(words[2], 0);
	ck_assert_uint_eq(words[3], 0x4404ff);
	for (i = 4; i < CD_WORDS; i++)
		ck_assert_uint_eq(words[i], 0);
	smmuv3_cd_words(smmuv3_of(&m.unit), &table_a, BACKEND_STREAM_SILENT,
			words);
	ck_assert_uint_eq(words[0] >> 44 & 7, 4); /* A, not R, not S */
	wide.granule_lg2 = 16;
	wide.input_bits = wide.output_bits = 52;
	smmuv3_cd_words(smmuv3_of(&m.unit), &wide, 0, words);
	ck_assert_uint_eq(words[0] & 0xff, 12 | 1 << 6);
	ck_assert_uint_eq(words[0] >> 32 & 7, 6);
	ck_assert_uint_eq(words[2], 0);
	wide.granule_lg2 = 14;
	wide.format = BACKEND_FORMAT_ARM_S1_DS;
	smmuv3_cd_words(smmuv3_of(&m.unit), &wide, 0, words);
	ck_assert_uint_eq(words[0] >> 6 & 3, 2);
	ck_assert_uint_eq(words[2], 1ull << 58);
	driver_machine_delete(&m);
}
END_TEST

static void stall_forced(struct iommuabs_sim_smmuv3_config *config)
{
	config->stall_model = 2;
	config->stall_max = 4;
}

START_TEST(a_unit_that_always_stalls_is_told_so_everywhere)
{
	struct backend_table stage2 = table_a;
	uint64_t cd[CD_WORDS], ste[STE_WORDS];
	struct driver_machine m;

	smmu_machine_new_tuned(&m, SMMU_STAGE1, stall_forced, 0);
	smmuv3_cd_words(smmuv3_of(&m.unit), &table_a, 0, cd);
	ck_assert_uint_eq(cd[0] >> 44 & 1, 1);
	driver_machine_delete(&m);
	smmu_machine_new_tuned(&m, 0, stall_forced, 0);
	stage2.format = BACKEND_FORMAT_ARM_S2;
	smmuv3_entry_make(smmuv3_of(&m.unit), &stage2, 0, ste);
	ck_assert_uint_eq(ste[2] >> 57 & 3, 3); /* S2S, S2R */
	driver_machine_delete(&m);
}
END_TEST

START_TEST(an_entry_leads_to_one_descriptor_and_to_no_pasid)
{
	uint64_t words[STE_WORDS], cd, silent;
	struct driver_machine m;
	unsigned int i;

	smmu_machine_new(&m, SMMU_STAGE1 | (_i ? SMMU_NONCOHERENT : 0));
	ck_assert_int_eq(m.unit.ops->id_reserve(&m.unit, ASID), 0);
	cd = smmuv3_cd_maddr(smmuv3_of(&m.unit), ASID, 0);
	silent = smmuv3_cd_maddr(smmuv3_of(&m.unit), ASID,
				 BACKEND_STREAM_SILENT);
	ck_assert_uint_eq(cd & 63, 0);
	ck_assert_uint_ne(cd, silent);
	smmuv3_entry_make(smmuv3_of(&m.unit), &table_a, 0, words);
	/* V, Config 5, S1Fmt 0, S1ContextPtr, S1CDMax 0 */
	ck_assert_uint_eq(words[0], cd | 0xb);
	/* S1DSS 0; S1CIR, S1COR, S1CSH; EATS 0; STRW 0; SHCFG */
	ck_assert_uint_eq(words[1],
			  (_i ? 0 : 1ull << 2 | 1ull << 4 | 3ull << 6) |
				  1ull << 44);
	for (i = 2; i < STE_WORDS; i++)
		ck_assert_uint_eq(words[i], 0);
	smmuv3_entry_make(smmuv3_of(&m.unit), &table_a, BACKEND_STREAM_SILENT,
			  words);
	ck_assert_uint_eq(words[0], silent | 0xb);
	driver_machine_delete(&m);
}
END_TEST

START_TEST(wide_stage_2_words_have_ds_and_five_levels)
{
	struct backend_table table = table_a;
	uint64_t words[STE_WORDS];
	struct driver_machine m;

	smmu_machine_new(&m, 0);
	table.format = BACKEND_FORMAT_ARM_S2_DS;
	table.levels = 5;
	smmuv3_entry_make(smmuv3_of(&m.unit), &table, 0, words);
	ck_assert_uint_eq(words[2] >> 38 & 3, 0);
	ck_assert_uint_eq(words[3], table.root | 1 << 3 | 1 << 2);
	table.levels = 4;
	smmuv3_entry_make(smmuv3_of(&m.unit), &table, 0, words);
	ck_assert_uint_eq(words[2] >> 38 & 3, 2);
	ck_assert_uint_eq(words[3], table.root | 1 << 3);
	table.granule_lg2 = 14;
	smmuv3_entry_make(smmuv3_of(&m.unit), &table, 0, words);
	ck_assert_uint_eq(words[2] >> 38 & 3, 3);
	driver_machine_delete(&m);
}
END_TEST

START_TEST(stage_2_tables_are_read_back_with_their_levels)
{
	static const struct {
		enum backend_format format;
		uint8_t granule, levels;
	} cases[] = {
		{ BACKEND_FORMAT_ARM_S2, 12, 3 },
		{ BACKEND_FORMAT_ARM_S2, 14, 2 },
		{ BACKEND_FORMAT_ARM_S2, 16, 3 },
		{ BACKEND_FORMAT_ARM_S2_DS, 12, 4 },
		{ BACKEND_FORMAT_ARM_S2_DS, 12, 5 },
		{ BACKEND_FORMAT_ARM_S2_DS, 14, 4 },
	};
	struct backend_table table = table_a;
	struct backend_stream live;
	struct driver_machine m;
	unsigned int i;

	smmu_machine_new(&m, 0);
	ck_assert_int_eq(m.unit.ops->streams_reserve(&m.unit, SID, 1), 0);
	for (i = 0; i < IA_COUNT(cases); i++) {
		table.format = cases[i].format;
		table.granule_lg2 = cases[i].granule;
		table.levels = cases[i].levels;
		ck_assert_int_eq(
			m.unit.ops->stream_set(&m.unit, SID, 1, &table, 0), 0);
		m.unit.ops->read_stream(&m.unit, SID, &live);
		ck_assert_int_eq(live.kind, BACKEND_STREAM_TABLE);
		ck_assert_int_eq(live.table.format, table.format);
		ck_assert_uint_eq(live.table.root, table.root);
		ck_assert_uint_eq(live.table.granule_lg2, table.granule_lg2);
		ck_assert_uint_eq(live.table.levels, table.levels);
	}
	ck_assert_int_eq(m.unit.ops->stream_set(&m.unit, SID, 1, NULL, 0), 0);
	driver_machine_delete(&m);
}
END_TEST

/* ---- which tables ---- */

static void tune_16k(struct iommuabs_sim_smmuv3_config *config)
{
	config->granules = IOMMUABS_SIM_GRAN16K | IOMMUABS_SIM_GRAN64K;
}

static void tune_64k(struct iommuabs_sim_smmuv3_config *config)
{
	config->granules = IOMMUABS_SIM_GRAN64K;
}

static void tune_42(struct iommuabs_sim_smmuv3_config *config)
{
	config->oas = 42;
}

static void tune_40(struct iommuabs_sim_smmuv3_config *config)
{
	config->oas = 40;
}

static void tune_52(struct iommuabs_sim_smmuv3_config *config)
{
	config->oas = 52;
	config->vax = 52;
	config->arch_minor = 1;
}

static void tune_52_ds(struct iommuabs_sim_smmuv3_config *config)
{
	tune_52(config);
	config->ds = 1;
}

static void tune_52_64k(struct iommuabs_sim_smmuv3_config *config)
{
	tune_52(config);
	tune_64k(config);
}

static void tune_52_16k_ds(struct iommuabs_sim_smmuv3_config *config)
{
	tune_52_ds(config);
	tune_16k(config);
}

#define S1    SMMU_STAGE1
#define FS1   BACKEND_FORMAT_ARM_S1
#define FS1DS BACKEND_FORMAT_ARM_S1_DS
#define FS2   BACKEND_FORMAT_ARM_S2
#define FS2DS BACKEND_FORMAT_ARM_S2_DS

static const struct {
	uint32_t unit;
	smmu_tune_fn tune;
	uint8_t in, max_level;
	enum backend_format format;
	uint8_t bits, out, granule, levels, root_lg2, leaf_mask;
} geometries[] = {
	/* Stage 1: no concatenated roots, so a level more. */
	{ S1, NULL, 40, 2, FS1, 40, 44, 12, 4, 12, 7 },
	{ S1, NULL, 39, 2, FS1, 39, 44, 12, 3, 12, 7 },
	{ S1, NULL, 48, 2, FS1, 48, 44, 12, 4, 12, 7 },
	{ S1, NULL, 12, 2, FS1, 25, 44, 12, 2, 12, 3 },
	{ S1 | SMMU_BBML0, NULL, 40, 2, FS1, 40, 44, 12, 4, 12, 7 },
	{ S1, tune_16k, 40, 2, FS1, 40, 44, 14, 3, 14, 3 },
	{ S1, tune_64k, 40, 2, FS1, 40, 44, 16, 2, 16, 3 },
	{ S1, tune_64k, 40, 1, FS1, 40, 44, 16, 2, 16, 1 },
	{ 0, tune_16k, 40, 2, FS2, 40, 44, 14, 2, 18, 3 },
	{ 0, tune_16k, 40, 1, FS2, 40, 44, 14, 2, 18, 1 },
	{ 0, tune_64k, 40, 2, FS2, 40, 44, 16, 2, 16, 3 },
	/* 52 bits: with 64K always, else where the unit has DS. */
	{ 0, tune_52, 48, 2, FS2, 48, 48, 12, 4, 12, 7 },
	{ 0, tune_52_64k, 52, 2, FS2, 52, 52, 16, 3, 16, 3 },
	{ S1, tune_52_64k, 52, 2, FS1, 52, 52, 16, 3, 16, 3 },
	{ 0, tune_52_ds, 40, 2, FS2DS, 40, 52, 12, 3, 13, 7 },
	{ 0, tune_52_ds, 52, 2, FS2DS, 52, 52, 12, 4, 16, 7 },
	{ S1, tune_52_ds, 52, 2, FS1DS, 52, 52, 12, 5, 12, 7 },
	{ S1, tune_52_16k_ds, 52, 2, FS1DS, 52, 52, 14, 4, 14, 3 },
	{ 0, tune_52_16k_ds, 52, 2, FS2DS, 52, 52, 14, 4, 14, 3 },
};

START_TEST(a_mirror_has_the_smallest_granule_and_the_widest_output)
{
	struct backend_geometry geo;
	struct driver_machine m;

	smmu_machine_new_tuned(&m, geometries[_i].unit, geometries[_i].tune, 0);
	ck_assert_int_eq(m.unit.ops->mirror(&m.unit, geometries[_i].in,
					    geometries[_i].max_level, &geo),
			 0);
	ck_assert_int_eq(geo.format, geometries[_i].format);
	ck_assert_uint_eq(geo.input_bits, geometries[_i].bits);
	ck_assert_uint_eq(geo.output_bits, geometries[_i].out);
	ck_assert_uint_eq(geo.granule_lg2, geometries[_i].granule);
	ck_assert_uint_eq(geo.pt_ops->granule_lg2, geometries[_i].granule);
	ck_assert_uint_eq(geo.levels, geometries[_i].levels);
	ck_assert_uint_eq(geo.root_lg2, geometries[_i].root_lg2);
	ck_assert_uint_eq(geo.leaf_mask, geometries[_i].leaf_mask);
	driver_machine_delete(&m);
}
END_TEST

/* One granule and one large leaf, at the top of the input and the output. */
START_TEST(a_device_reaches_what_its_mirror_of_any_geometry_maps)
{
	const uint64_t large = 0x20000; /* frames: 512 MiB */
	struct iommuabs_sim_dma dma = { .sid = SID, .len = 4 };
	uint64_t gfn, mfn;
	struct driver_machine m;
	struct driver_guest g;

	smmu_machine_new_tuned(&m, geometries[_i].unit | SMMU_ABORTS,
			       geometries[_i].tune, 0);
	ck_assert_int_eq(m.unit.ops->streams_reserve(&m.unit, SID, 1), 0);
	driver_guest_new(&m, &g, 7, geometries[_i].in);
	gfn = ((uint64_t)1 << (g.pt.in_bits - 12)) - 16;
	mfn = ((uint64_t)1 << (g.pt.out_bits - 12)) - 16;
	driver_guest_map(&g, gfn, mfn, 16, RW);
	if (geometries[_i].leaf_mask > 1 && g.pt.in_bits > 31)
		driver_guest_map(&g, large, mfn + 16 - 2 * large, large, RW);
	ck_assert_int_eq(m.unit.ops->enable(&m.unit), 0);
	ck_assert_int_eq(m.unit.ops->stream_set(&m.unit, SID, 1, &g.table, 0),
			 0);
	dma.addr = (gfn + 5) << 12;
	ck_assert_int_eq(iommuabs_sim_dma(m.sim, &dma), 1);
	ck_assert_uint_eq(dma.maddr, (mfn + 5) << 12);
	if (geometries[_i].leaf_mask > 1 && g.pt.in_bits > 31) {
		dma.addr = (large + 0x1234) << 12;
		ck_assert_int_eq(iommuabs_sim_dma(m.sim, &dma), 1);
		ck_assert_uint_eq(dma.maddr, (mfn + 16 - 2 * large + 0x1234)
						     << 12);
	}
	dma.addr = (gfn - 16) << 12;
	ck_assert_int_eq(iommuabs_sim_dma(m.sim, &dma), 0);
	driver_guest_unmap(&g, gfn, 16);
	ck_assert_int_eq(driver_guest_forget(&g, gfn, 16), 0);
	dma.addr = (gfn + 5) << 12;
	ck_assert_int_eq(iommuabs_sim_dma(m.sim, &dma), 0);
	ck_assert_int_eq(m.unit.ops->disable(&m.unit), 0);
	driver_guest_delete(&g);
	driver_machine_delete(&m);
}
END_TEST

START_TEST(a_p2m_of_any_granule_is_shared_by_a_unit_that_has_it)
{
	static const struct {
		smmu_tune_fn tune;
		uint8_t in, out, granule, levels;
		uint64_t root;
		enum iommuabs_share_reason reason;
	} cases[] = {
		{ NULL, 40, 44, 14, 2, 0x80000, IOMMUABS_SHARE_OK },
		{ tune_64k, 40, 44, 14, 2, 0x80000, IOMMUABS_SHARE_GRANULE },
		{ tune_64k, 42, 44, 16, 2, 0x10000, IOMMUABS_SHARE_OK },
		{ tune_52_64k, 52, 52, 16, 3, 0x10000, IOMMUABS_SHARE_OK },
		{ tune_52_64k, 52, 52, 16, 3, (uint64_t)0x10000 | 1ull << 51,
		  IOMMUABS_SHARE_OK },
		{ tune_64k, 52, 52, 16, 3, 0x10000,
		  IOMMUABS_SHARE_INPUT_WIDTH },
		/* 5.2, S2SL0: so many levels take so many address bits. */
		{ NULL, 44, 44, 12, 4, 0x1000, IOMMUABS_SHARE_OK },
		{ tune_42, 42, 42, 12, 4, 0x1000, IOMMUABS_SHARE_LEVELS },
		{ tune_42, 42, 42, 14, 3, 0x1000, IOMMUABS_SHARE_OK },
		{ tune_40, 40, 40, 14, 3, 0x1000, IOMMUABS_SHARE_LEVELS },
		/* The least input; a root of few entries is aligned to 64. */
		{ NULL, 25, 44, 12, 2, 0x1000, IOMMUABS_SHARE_OK },
		{ NULL, 31, 44, 12, 3, 0x1040, IOMMUABS_SHARE_OK },
		{ NULL, 31, 44, 12, 3, 0x1020, IOMMUABS_SHARE_LEVELS },
		/* Without DS the small granules end at 48 bits. */
		{ tune_52_ds, 52, 52, 12, 4, 0x10000,
		  IOMMUABS_SHARE_INPUT_WIDTH },
		{ tune_52_ds, 44, 52, 12, 4, 1ull << 48,
		  IOMMUABS_SHARE_OUTPUT_WIDTH },
	};
	struct backend_table table;
	struct iommuabs_p2m p2m;
	struct driver_machine m;
	unsigned int i;

	for (i = 0; i < IA_COUNT(cases); i++) {
		smmu_machine_new_tuned(&m, 0, cases[i].tune, 0);
		p2m = (struct iommuabs_p2m){
			.size = sizeof(p2m),
			.format = IOMMUABS_P2M_ARM_S2,
			.root = cases[i].root,
			.input_bits = cases[i].in,
			.output_bits = cases[i].out,
			.granule_lg2 = cases[i].granule,
			.levels = cases[i].levels,
			.walk_attrs = 0x35,
		};
		ck_assert_msg(m.unit.ops->share(&m.unit, &p2m, &table) ==
				      cases[i].reason,
			      "case %u", i);
		driver_machine_delete(&m);
	}
}
END_TEST

/* ---- descriptors in memory ---- */

START_TEST(pages_of_descriptors_come_once_and_every_failure_is_clean)
{
	struct driver_machine m;
	uint64_t used;

	smmu_machine_new(&m, SMMU_STAGE1);
	used = m.account.used;
	iommuabs_sim_alloc_fail(m.arena, 1);
	ck_assert_int_eq(m.unit.ops->id_reserve(&m.unit, ASID),
			 IOMMUABS_E_NOMEM);
	iommuabs_sim_alloc_fail(m.arena, 0);
	ck_assert_uint_eq(m.account.used, used);
	ck_assert_int_eq(m.unit.ops->id_reserve(&m.unit, 32), 0);
	ck_assert_int_eq(m.unit.ops->id_reserve(&m.unit, 63), 0);
	ck_assert_uint_eq(m.account.used, used + 1);
	ck_assert_int_eq(m.unit.ops->id_reserve(&m.unit, 64), 0);
	ck_assert_int_eq(m.unit.ops->id_reserve(&m.unit, 0xffff), 0);
	ck_assert_uint_eq(m.account.used, used + 3);
	driver_machine_delete(&m);
	/* A unit with stage 2 has none. */
	smmu_machine_new(&m, 0);
	used = m.account.used;
	ck_assert_int_eq(m.unit.ops->id_reserve(&m.unit, ASID), 0);
	ck_assert_uint_eq(m.account.used, used);
	driver_machine_delete(&m);
}
END_TEST

START_TEST(what_was_set_is_read_back)
{
	static const uint32_t flags[] = { 0, BACKEND_STREAM_SILENT };
	struct backend_stream live;
	struct driver_machine m;
	unsigned int i;

	smmu_machine_new(&m, SMMU_STAGE1);
	ck_assert_int_eq(m.unit.ops->streams_reserve(&m.unit, SID, 1), 0);
	ck_assert_int_eq(m.unit.ops->id_reserve(&m.unit, ASID), 0);
	for (i = 0; i < IA_COUNT(flags); i++) {
		ck_assert_int_eq(m.unit.ops->stream_set(&m.unit, SID, 1,
							&table_a, flags[i]),
				 0);
		m.unit.ops->read_stream(&m.unit, SID, &live);
		ck_assert_int_eq(live.kind, BACKEND_STREAM_TABLE);
		ck_assert_uint_eq(live.flags, flags[i]);
		ck_assert_int_eq(live.table.format, table_a.format);
		ck_assert_uint_eq(live.table.root, table_a.root);
		ck_assert_uint_eq(live.table.input_bits, table_a.input_bits);
		ck_assert_uint_eq(live.table.output_bits, table_a.output_bits);
		ck_assert_uint_eq(live.table.granule_lg2, 12);
		ck_assert_uint_eq(live.table.levels, table_a.levels);
		ck_assert_uint_eq(live.table.walk_attrs, table_a.walk_attrs);
		ck_assert_uint_eq(live.table.id, ASID);
	}
	ck_assert_int_eq(m.unit.ops->stream_set(&m.unit, SID, 1, NULL, 0), 0);
	m.unit.ops->read_stream(&m.unit, SID, &live);
	ck_assert_int_eq(live.kind, BACKEND_STREAM_BLOCKED);
	driver_machine_delete(&m);
}
END_TEST

START_TEST(a_change_of_table_is_one_store_whatever_the_table)
{
	struct backend_table table_b = table_a;
	struct driver_machine m;

	table_b.id++;
	table_b.root = 0x999000;
	table_b.input_bits = 48;
	table_b.levels = 4;
	smmu_machine_new(&m, SMMU_STAGE1);
	ck_assert_int_eq(m.unit.ops->id_reserve(&m.unit, ASID), 0);
	ck_assert(m.unit.ops->stream_is_hitless(&m.unit, &table_a, &table_b));
	/* An id has one descriptor, which may be in use. */
	table_b.id = table_a.id;
	ck_assert(!m.unit.ops->stream_is_hitless(&m.unit, &table_a, &table_b));
	ck_assert(m.unit.ops->stream_is_hitless(&m.unit, &table_a, &table_a));
	driver_machine_delete(&m);
}
END_TEST

static const struct {
	uint64_t gfn, nr; /* nr 0: everything */
	uint64_t by_va, by_asid;
} costs[] = {
	{ GFN, 1, 1, 0 },
	{ GFN, 33, 2, 0 },
	{ 0, (uint64_t)1 << 28, 1, 0 },
	{ 0, 0, 0, 1 },
};

START_TEST(translations_are_forgotten_by_va_and_asid)
{
	const struct backend_range range = { costs[_i].gfn, costs[_i].nr };
	const struct backend_inv inv = {
		.id = ASID,
		.ranges = &range,
		.nr = costs[_i].nr != 0,
		.any_level = 1,
		.granule_lg2 = 12,
	};
	struct iommuabs_sim_counters before, after;
	struct driver_machine m;
	uint64_t words[2];

	smmu_machine_new(&m, SMMU_STAGE1 | SMMU_ABORTS);
	ck_assert_int_eq(m.unit.ops->enable(&m.unit), 0);
	iommuabs_sim_counters(m.sim, &before);
	ck_assert_int_eq(m.unit.ops->invalidate(&m.unit, &inv, NULL), 0);
	iommuabs_sim_counters(m.sim, &after);
	ck_assert_uint_eq(after.by_opcode[0x12] - before.by_opcode[0x12],
			  costs[_i].by_va);
	ck_assert_uint_eq(after.by_opcode[0x11] - before.by_opcode[0x11],
			  costs[_i].by_asid);
	ck_assert_uint_eq(after.syncs - before.syncs, 1);
	ck_assert_int_eq(iommuabs_sim_command(m.sim, before.commands, words),
			 1);
	ck_assert_uint_eq(words[0] >> 32, (uint64_t)ASID << 16); /* VMID 0 */
	ck_assert_uint_eq(words[1] & ~(uint64_t)0xfff, costs[_i].gfn << 12);
	driver_machine_delete(&m);
}
END_TEST

static void add_tests(Suite *s)
{
	TCase *tc = tcase_create("stage1");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, words_of_a_descriptor_are_those_of_the_manual);
	tcase_add_test(tc, a_unit_that_always_stalls_is_told_so_everywhere);
	tcase_add_loop_test(
		tc, an_entry_leads_to_one_descriptor_and_to_no_pasid, 0, 2);
	tcase_add_test(tc, wide_stage_2_words_have_ds_and_five_levels);
	tcase_add_test(tc, stage_2_tables_are_read_back_with_their_levels);
	tcase_add_loop_test(
		tc, a_mirror_has_the_smallest_granule_and_the_widest_output, 0,
		(int)IA_COUNT(geometries));
	tcase_add_loop_test(
		tc, a_device_reaches_what_its_mirror_of_any_geometry_maps, 0,
		(int)IA_COUNT(geometries));
	tcase_add_test(tc,
		       a_p2m_of_any_granule_is_shared_by_a_unit_that_has_it);
	tcase_add_test(
		tc, pages_of_descriptors_come_once_and_every_failure_is_clean);
	tcase_add_test(tc, what_was_set_is_read_back);
	tcase_add_test(tc, a_change_of_table_is_one_store_whatever_the_table);
	tcase_add_loop_test(tc, translations_are_forgotten_by_va_and_asid, 0,
			    (int)IA_COUNT(costs));
	suite_add_tcase(s, tc);
}

#else

static void add_tests(Suite *s)
{
	(void)s;
}

#endif

static Suite *suite(void)
{
	Suite *s = suite_create("smmuv3_stage1");

	if (suite_needs(s, IOMMUABS_UNIT_SMMUV3))
		add_tests(s);
	return s;
}

HARNESS_MAIN(suite)
