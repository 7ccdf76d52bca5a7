/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The VT-d driver alone: what a unit is, which tables suit it, what it is told to
 * forget, what it reports.
 */
#include "test_vtd.h"

#include <string.h>

#include "harness.h"
#include "test_needs.h"

#if IOMMUABS_CONFIG_VTD

#define VER	  0x00
#define CAP	  0x08
#define ECAP	  0x10
#define GSTS	  0x1c
#define RTADDR	  0x20
#define FSTS	  0x34
#define IRTA	  0xb8
#define IOTLB_REG 0xf8	/* where ECAP.IRO says */
#define FRCD	  0x220 /* where CAP.FRO says */

/* Descriptors (6.5.2): types, and what those of the IOTLB say. */
#define CONTEXT	    1
#define IOTLB	    2
#define GLOBAL	    1
#define DOMAIN	    2
#define PAGES	    3
#define G(low)	    ((low) >> 4 & 3)
#define DRAINS(low) ((low) >> 6 & 3)
#define AM(high)    ((high)&63)
#define IH(high)    ((high) >> 6 & 1)

static struct driver_machine m;
static struct driver_guest g;
static const struct backend_ops *ops;

static void begin_bits(enum vtd_kind kind, vtd_tune_fn tune, uint8_t bits)
{
	ops = vtd_guest_machine_new(&m, &g, kind, tune, bits);
	vtd_attach(&m, &g);
	ck_assert_int_eq(ops->enable(&m.unit), 0);
}

static void begin(enum vtd_kind kind, vtd_tune_fn tune)
{
	begin_bits(kind, tune, 39);
}

static void finish(void)
{
	vtd_guest_machine_delete(&m, &g);
}

static int dma_of(uint32_t sid, uint64_t gfn, uint32_t flags)
{
	return driver_dma(&m, sid, gfn << 12, flags);
}

static int write_to(uint64_t gfn)
{
	return dma_of(SID, gfn, IOMMUABS_SIM_DMA_WRITE);
}

/* MFN is at @gfn, as core has it: told, where a unit keeps what was absent. */
static void add(uint64_t gfn, uint32_t flags)
{
	driver_guest_map(&g, gfn, MFN, 1, flags);
	iommuabs_sim_dev_mb();
	if (m.unit.caps.caches_absent)
		ck_assert_int_eq(driver_guest_forget(&g, gfn, 1), 0);
}

/* ---- what a unit is ---- */

/* Instead of what the model's registers say. */
static struct {
	uint32_t offset;
	uint64_t value;
} fake[2];

static uint64_t fake_read(void *ctx, uint64_t addr, unsigned int width)
{
	unsigned int i;

	(void)ctx;
	for (i = 0; i < IA_COUNT(fake); i++)
		if (fake[i].value && addr == VTD_TEST_BASE + fake[i].offset)
			return fake[i].value;
	return iommuabs_sim_mmio_read(m.arena, addr, width);
}

START_TEST(a_unit_that_is_of_no_use_is_refused_with_a_reason)
{
	static const struct {
		uint32_t offset;
		uint64_t value;
		uint32_t offset2;
		uint64_t value2;
		const char *reason;
	} cases[] = {
		{ VER, 0xffffffff, 0, 0, "answer" },
		/* No SAGAW; of two levels only. */
		{ CAP, 0x00d2008c222f0006, 0, 0, "SAGAW" },
		{ CAP, 0x00d2008c222f0106, 0, 0, "SAGAW" },
		/* Fault registers, IOTLB registers at ff0h and more of them. */
		{ CAP, 0x00d2ff8cff2f0606, 0, 0, "FRO" },
		{ ECAP, 0x10001 | 0x3ff << 8, 0, 0, "IRO" },
		{ VER, 0x60, ECAP, 0xf01, "QI" },
		{ ECAP, 0xf02, 0, 0, "cache_clean" },
		/* Left on in scalable mode, which it does not say it has. */
		{ GSTS, 1u << 31, RTADDR, 1 << 10, "TTM" },
	};

	vtd_machine_make(&m, VTD_PLAIN, NULL);
	m.host.ops.mmio_read = fake_read;
	fake[0].offset = cases[_i].offset;
	fake[0].value = cases[_i].value;
	fake[1].offset = cases[_i].offset2;
	fake[1].value = cases[_i].value2;
	ck_assert_int_eq(m.unit.ops->probe(&m.unit), IOMMUABS_E_UNIT);
	ck_assert_msg(strstr(m.unit.reason, cases[_i].reason) != NULL, "%s",
		      m.unit.reason);
	m.pages_kept = 0;
	driver_machine_delete(&m);
}
END_TEST

static const struct wide {
	unsigned int sagaw, mgaw, most; /* most: what a guest may have */
	unsigned int bits, levels;
} widths
	[] = {
		{ 2, 39, 39, 39, 3 },
		{ 2, 48, 39, 39, 3 }, /* addresses of 48 bits, and no such table */
		{ 4, 48, 48, 48, 4 },
		{ 4, 39, 39, 39, 4 }, /* no table of 3 levels: one of 4 */
		{ 6, 48, 48, 30, 3 }, /* the least that suits */
		{ 6, 48, 48, 40, 4 },
		{ 14, 57, 57, 57, 5 },
		{ 14, 57, 57, 48, 4 },
		{ 8, 57, 57, 39, 5 },
	};

static const struct wide *wide;

static void tune_wide(struct iommuabs_sim_vtd_config *config)
{
	config->sagaw = wide->sagaw;
	config->mgaw = wide->mgaw;
}

/* SAGAW and MGAW choose; a guest's highest page is reached through that. */
START_TEST(tables_have_as_many_levels_as_suit)
{
	const enum vtd_kind kind = _i & 1 ? VTD_SCALABLE : VTD_PLAIN;
	struct backend_stream live;
	uint64_t top;

	wide = &widths[_i / 2];
	begin_bits(kind, tune_wide, (uint8_t)wide->bits);
	ck_assert_uint_eq(m.unit.caps.input_bits, wide->most);
	ck_assert_uint_eq(g.table.levels, wide->levels);
	ck_assert_uint_eq(g.table.input_bits, wide->bits);
	top = ((uint64_t)1 << (wide->bits - 12)) - 1;
	add(top, RW);
	ck_assert_int_eq(write_to(top), 1);
	ck_assert_int_eq(write_to(top - 1), 0);
	ops->read_stream(&m.unit, SID, &live);
	ck_assert_int_eq(live.kind, BACKEND_STREAM_TABLE);
	ck_assert_int_eq(live.table.format, BACKEND_FORMAT_VTD);
	ck_assert_uint_eq(live.table.root, g.table.root);
	ck_assert_uint_eq(live.table.levels, wide->levels);
	ck_assert_uint_eq(live.table.id, ID);
	finish();
}
END_TEST

static unsigned int sslps;

static void tune_leaves(struct iommuabs_sim_vtd_config *config)
{
	config->sslps = sslps;
}

START_TEST(leaves_are_as_large_as_the_unit_takes)
{
	static const unsigned int masks[4][3] = {
		{ 1, 1, 1 },
		{ 1, 3, 3 },
		{ 1, 1, 1 }, /* not a unit's */
		{ 1, 3, 7 },
	};
	struct backend_geometry geometry;
	uint8_t level;

	sslps = (unsigned int)_i == 2 ? 1 : (unsigned int)_i;
	begin(VTD_PLAIN, tune_leaves);
	for (level = 0; level < 3; level++) {
		ck_assert_int_eq(ops->mirror(&m.unit, 39, level, &geometry), 0);
		ck_assert_uint_eq(geometry.leaf_mask, masks[sslps][level]);
		ck_assert_uint_eq(geometry.bbml, 2);
		ck_assert_uint_eq(geometry.clean, 0);
	}
	finish();
}
END_TEST

static void tune_4_levels(struct iommuabs_sim_vtd_config *config)
{
	config->sagaw = 4;
	config->mgaw = 46;
}

static void tune_2m(struct iommuabs_sim_vtd_config *config)
{
	config->sslps = 1;
}

/* The host's leaves and levels are not ours to choose: all must be good. */
START_TEST(a_p2m_is_shared_by_a_unit_that_can_walk_it)
{
	static const struct {
		enum vtd_kind unit;
		vtd_tune_fn tune;
		enum iommuabs_p2m_format format;
		uint8_t in, granule, levels;
		uint32_t flags;
		enum iommuabs_share_reason reason;
	} cases[] = {
#define EPT IOMMUABS_P2M_EPT
		{ 0, tune_4_levels, EPT, 46, 12, 4, 0, IOMMUABS_SHARE_OK },
		{ 0, tune_4_levels, IOMMUABS_P2M_NPT, 39, 12, 4, 0,
		  IOMMUABS_SHARE_OK },
		{ 0, tune_4_levels, EPT, 47, 12, 4, 0,
		  IOMMUABS_SHARE_INPUT_WIDTH },
		{ 0, tune_4_levels, EPT, 39, 12, 3, 0, IOMMUABS_SHARE_LEVELS },
		{ 0, tune_4_levels, EPT, 46, 12, 5, 0, IOMMUABS_SHARE_LEVELS },
		{ 0, NULL, EPT, 30, 12, 2, 0, IOMMUABS_SHARE_LEVELS },
		{ 0, NULL, EPT, 39, 12, 6, 0, IOMMUABS_SHARE_LEVELS },
		{ 0, tune_2m, EPT, 39, 12, 4, 0, IOMMUABS_SHARE_LEVELS },
		{ 0, NULL, EPT, 39, 14, 4, 0, IOMMUABS_SHARE_GRANULE },
		{ 0, NULL, IOMMUABS_P2M_NONE, 39, 12, 4, 0,
		  IOMMUABS_SHARE_NO_P2M },
		{ 0, NULL, IOMMUABS_P2M_ARM_S2, 39, 12, 4, 0,
		  IOMMUABS_SHARE_FORMAT },
		{ VTD_NONCOHERENT, NULL, EPT, 39, 12, 4, 0,
		  IOMMUABS_SHARE_NOT_CLEANED },
		{ VTD_NONCOHERENT, NULL, EPT, 39, 12, 4, IOMMUABS_P2M_CLEANED,
		  IOMMUABS_SHARE_OK },
	};
	struct backend_table table = { .id = 77 };
	const struct iommuabs_p2m p2m = {
		.size = sizeof(p2m),
		.flags = cases[_i].flags,
		.format = cases[_i].format,
		.root = 0x123000,
		.input_bits = cases[_i].in,
		.output_bits = 46,
		.granule_lg2 = cases[_i].granule,
		.levels = cases[_i].levels,
	};

	begin(cases[_i].unit, cases[_i].tune);
	ck_assert_int_eq(ops->share(&m.unit, &p2m, &table), cases[_i].reason);
	ck_assert_uint_eq(table.id, 77);
	ck_assert_uint_eq(table.levels,
			  cases[_i].reason ? 0 : cases[_i].levels);
	ck_assert_uint_eq(table.root, cases[_i].reason ? 0 : p2m.root);
	finish();
}
END_TEST

#define NR_SHARES 13

/* ---- which interrupts it remaps ---- */

static void begin_irqs(enum vtd_kind kind, vtd_tune_fn tune, uint32_t flags)
{
	vtd_machine_make(&m, kind, tune);
	m.host.ops.flags |= IOMMUABS_HOST_REMAPS_IRQS | flags;
	driver_machine_probe(&m);
	ops = m.unit.ops;
	driver_guest_new(&m, &g, ID, 39);
	ck_assert_int_eq(ops->enable(&m.unit), 0);
}

static void tune_no_eim(struct iommuabs_sim_vtd_config *config)
{
	config->eim = 0;
}

/* ECAP.EIM: else the upper bits of an APIC id would be lost. */
START_TEST(wide_destinations_take_a_unit_that_has_them)
{
	const uint32_t x2apic = _i & 1 ? IOMMUABS_HOST_X2APIC : 0;
	const bool narrow = _i & 2;

	begin_irqs(VTD_PLAIN, narrow ? tune_no_eim : NULL, x2apic);
	ck_assert_uint_eq(m.unit.caps.irqs != 0, !(x2apic && narrow));
	ck_assert_uint_eq(vtd_reg(&m, IRTA, 8) >> 11 & 1, x2apic && !narrow);
	finish();
}
END_TEST

static void tune_posted(struct iommuabs_sim_vtd_config *config)
{
	config->pi = 1;
}

/* 9.10, by hand: P; DM, RH, TM; DLM; vector; destination. And who may send it. */
START_TEST(words_of_an_interrupt_are_those_of_the_manual)
{
	static const struct {
		uint32_t flags;
		uint64_t bits;
	} cases[] = {
		{ 0, 0 },
		{ IOMMUABS_IRQ_LOGICAL, 1 << 2 },
		{ IOMMUABS_IRQ_REDIRECT, 1 << 3 },
		{ IOMMUABS_IRQ_LEVEL, 1 << 4 },
	};
	struct iommuabs_irq_target target = {
		.size = sizeof(target),
		.vector = 0x41,
		.delivery = IOMMUABS_IRQ_LOWEST,
		.destination = 0x12,
	};
	const struct iommuabs_irq_target urgent = {
		.size = sizeof(urgent),
		.flags = IOMMUABS_IRQ_POSTED | IOMMUABS_IRQ_URGENT,
		.vector = 0x51,
		.descriptor = 0x123456789ac0,
	};
	const struct backend_irq irq = { &target, SID, SID };
	const struct backend_irq posted = { &urgent, SID, SID };
	const uint64_t *words;
	unsigned int i;

	begin_irqs(VTD_PLAIN, tune_posted, _i ? IOMMUABS_HOST_X2APIC : 0);
	words = iommuabs_sim_ptr(m.arena, vtd_reg(&m, IRTA, 8) & ~0xfffull);
	for (i = 0; i < IA_COUNT(cases); i++) {
		target.flags = cases[i].flags;
		ck_assert_int_eq(ops->irq_set(&m.unit, 5, &irq), 0);
		ck_assert_uint_eq(words[2 * 5],
				  1 | cases[i].bits | 1 << 5 | 0x41 << 16 |
					  (_i ? 0x12ull : 0x1200ull) << 32);
		ck_assert_uint_eq(words[2 * 5 + 1], 1 << 18 | SID);
	}
	/* 9.11: P, URG, IM, vector; the descriptor's bits 31:6, and 63:32. */
	ck_assert_int_eq(ops->irq_set(&m.unit, 5, &posted), 0);
	ck_assert_uint_eq(words[2 * 5], 1 | 1 << 14 | 1 << 15 | 0x51 << 16 |
						(uint64_t)(0x56789ac0 >> 6)
							<< 38);
	ck_assert_uint_eq(words[2 * 5 + 1], 0x1234ull << 32 | 1 << 18 | SID);
	ck_assert_int_eq(ops->irq_set(&m.unit, 5, NULL), 0);
	ck_assert_uint_eq(words[2 * 5], 0);
	finish();
}
END_TEST

/* Whatever the unit keeps or has a buffer for: there is one outcome. */
START_TEST(an_interrupt_changes_when_that_is_told)
{
	static const enum vtd_kind kinds[] = { VTD_PLAIN, VTD_BUFFERED };
	struct iommuabs_irq_target target = {
		.size = sizeof(target),
		.destination = 1,
	};
	const struct backend_irq irq = { &target, SID, SID };
	struct iommuabs_sim_interrupt out[4], message = { .sid = SID };

	begin_irqs(kinds[_i], NULL, 0);
	message.addr = 0xfee00010 | 5 << 5;
	for (target.vector = 0x41; target.vector < 0x44; target.vector++) {
		ck_assert_int_eq(ops->irq_set(&m.unit, 5, &irq), 0);
		ck_assert_uint_eq(iommuabs_sim_vtd_interrupt_outcomes(
					  m.sim, &message, out, 4),
				  1);
		ck_assert(!out[0].blocked);
		ck_assert_uint_eq(out[0].vector, target.vector);
	}
	ck_assert_int_eq(ops->irq_set(&m.unit, 5, NULL), 0);
	ck_assert_uint_eq(
		iommuabs_sim_vtd_interrupt_outcomes(m.sim, &message, out, 4),
		1);
	ck_assert(out[0].blocked);
	finish();
}
END_TEST

/* ---- what its entries say ---- */

static uint64_t *page_at(uint64_t word)
{
	return iommuabs_sim_ptr(m.arena, word & ~0xfffull);
}

static void tune_no_snoop(struct iommuabs_sim_vtd_config *config)
{
	config->sc = config->smpwc = 0;
}

/* 9.3; 9.4, 9.5, 9.6: by hand, for a guest of 39 bits. */
START_TEST(words_of_an_entry_are_those_of_the_manual)
{
	const bool scalable = _i > 0;
	const uint64_t *words;
	unsigned int i;

	begin(scalable ? VTD_SCALABLE : VTD_PLAIN,
	      _i == 2 ? tune_no_snoop : NULL);
	words = page_at(*page_at(vtd_reg(&m, RTADDR, 8)));
	words += (scalable ? 4 : 2) * SID;
	if (!scalable) {
		ck_assert_uint_eq(words[0], g.table.root | 1); /* P, TT 0 */
		ck_assert_uint_eq(words[1], 1 | ID << 8);      /* AW, DID */
		finish();
		return;
	}
	/* P; a directory of the least size; RID_PASID 0. */
	ck_assert_uint_eq(words[0] & 0xfff, 1);
	for (i = 1; i < 4; i++)
		ck_assert_uint_eq(words[i], 0);
	words = page_at(*words);
	ck_assert_uint_eq(words[0] & 0xfff, 1);
	words = page_at(*words);
	/* P, AW, PGTT: second stage; DID, PWSNP, PGSNP. */
	ck_assert_uint_eq(words[0], g.table.root | 1 | 1 << 2 | 2 << 6);
	ck_assert_uint_eq(words[1], ID | (_i == 2 ? 0 : 1 << 23 | 1 << 24));
	for (i = 2; i < 8; i++)
		ck_assert_uint_eq(words[i], 0);
	finish();
}
END_TEST

/* TT 3 is none: not an entry of ours, and not one that translates. */
START_TEST(an_entry_that_a_unit_refuses_is_read_as_such)
{
	struct backend_stream live;
	uint64_t *words;

	begin(VTD_PLAIN, NULL);
	words = page_at(*page_at(vtd_reg(&m, RTADDR, 8))) + 2 * SID;
	ck_assert_int_eq(ops->disable(&m.unit), 0);
	iommuabs_sim_dev_store64(words, *words | 3 << 2);
	ops->read_stream(&m.unit, SID, &live);
	ck_assert_int_eq(live.kind, BACKEND_STREAM_BAD);
	ck_assert_int_eq(ops->stream_set(&m.unit, SID, 1, NULL, 0), 0);
	ops->read_stream(&m.unit, SID, &live);
	ck_assert_int_eq(live.kind, BACKEND_STREAM_BLOCKED);
	finish();
}
END_TEST

/* PGTT (9.6): of the first stage, nested, passed through. */
START_TEST(a_pasid_entry_of_another_kind_is_read_as_such)
{
	static const uint64_t kinds[] = { 1, 3, 4 };
	struct backend_stream live;
	uint64_t *words, ours;
	unsigned int i;

	begin(VTD_SCALABLE, NULL);
	words = page_at(*page_at(vtd_reg(&m, RTADDR, 8))) + 4 * SID;
	words = page_at(*page_at(*words));
	ck_assert_int_eq(ops->disable(&m.unit), 0);
	ours = *words;
	for (i = 0; i < IA_COUNT(kinds); i++) {
		iommuabs_sim_dev_store64(words,
					 (ours & ~0x1c0ull) | kinds[i] << 6);
		ops->read_stream(&m.unit, SID, &live);
		ck_assert_int_eq(live.kind, BACKEND_STREAM_BAD);
	}
	iommuabs_sim_dev_store64(words, ours & ~1ull);
	ops->read_stream(&m.unit, SID, &live);
	ck_assert_int_eq(live.kind, BACKEND_STREAM_BLOCKED);
	iommuabs_sim_dev_store64(words, ours);
	finish();
}
END_TEST

/* ---- memory ---- */

static int probe_failing_at(unsigned int n)
{
	int ret;

	iommuabs_sim_alloc_fail(m.arena, n);
	ret = m.unit.ops->probe(&m.unit);
	iommuabs_sim_alloc_fail(m.arena, 0);
	if (ret) {
		ck_assert_int_eq(ret, IOMMUABS_E_NOMEM);
		ck_assert_uint_eq(m.account.used, 0);
		ck_assert_ptr_null(m.unit.priv);
	}
	return ret;
}

/* However often it is tried: what the driver keeps its state in goes, too. */
START_TEST(a_probe_without_memory_leaves_nothing_behind)
{
	static const enum vtd_kind kinds[] = { VTD_PLAIN, VTD_SCALABLE,
					       VTD_VERSION_6 };
	unsigned int n, i;
	uint64_t used;

	vtd_machine_make(&m, kinds[_i], NULL);
	m.host.ops.flags |= IOMMUABS_HOST_REMAPS_IRQS;
	ck_assert_int_ne(probe_failing_at(2), 0);
	used = m.mem.account.used;
	for (i = 0; i < 40; i++)
		ck_assert_int_ne(probe_failing_at(1), 0);
	for (n = 1; probe_failing_at(n); n++)
		ck_assert_uint_eq(m.mem.account.used, used);
	ck_assert_uint_ge(n, 5);
	driver_machine_delete(&m);
}
END_TEST

static int id_failing_at(uint32_t id, unsigned int n)
{
	int ret;

	iommuabs_sim_alloc_fail(m.arena, n);
	ret = m.unit.ops->id_reserve(&m.unit, id);
	iommuabs_sim_alloc_fail(m.arena, 0);
	return ret;
}

/* At both ends of pages; what was made once is there. */
START_TEST(what_an_id_takes_is_given_back_with_the_unit)
{
	static const uint32_t ids[] = { 1, 0xff, 0x100, 0x1ff, 0x200, 0xffff };
	unsigned int i, n;
	uint64_t used;

	vtd_machine_new(&m, VTD_SCALABLE, NULL);
	for (i = 0; i < IA_COUNT(ids); i++) {
		for (n = 1; id_failing_at(ids[i], n); n++)
			ck_assert_uint_lt(n, 4);
		used = m.account.used;
		ck_assert_int_eq(id_failing_at(ids[i], 1), 0);
		ck_assert_uint_eq(m.account.used, used);
	}
	driver_machine_delete(&m);
}
END_TEST

/* ---- what it is told to forget ---- */

static uint64_t commands(void)
{
	struct iommuabs_sim_counters now;

	iommuabs_sim_counters(m.sim, &now);
	return now.commands;
}

static uint64_t syncs(void)
{
	struct iommuabs_sim_counters now;

	iommuabs_sim_counters(m.sim, &now);
	return now.syncs;
}

static int invalidate(const struct backend_range *ranges, uint32_t nr,
		      uint8_t any_level)
{
	const struct backend_inv inv = { ID, ranges, nr, any_level, 12 };

	return ops->invalidate(&m.unit, &inv, NULL);
}

/* The @n-th since command number @from, of the IOTLB. */
static bool iotlb_command(uint64_t n, uint64_t words[2])
{
	return iommuabs_sim_command(m.sim, n, words) &&
	       (words[0] & 15) == IOTLB;
}

static uint64_t random_below(uint64_t *seed, uint64_t end)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (*seed >> 33) % end;
}

/*
 * At most three blocks for a range, none longer than it, that are aligned, follow
 * each other and hold all of it.
 */
static void expect_blocks(const struct backend_range *range, uint64_t from)
{
	uint64_t words[2], at = 0, size, n;
	unsigned int nr = 0;

	for (n = from; iotlb_command(n, words); n++, nr++) {
		ck_assert_uint_eq(G(words[0]), PAGES);
		ck_assert_uint_eq(words[0] >> 16 & 0xffff, ID);
		size = (uint64_t)1 << AM(words[1]);
		ck_assert_uint_eq((words[1] >> 12) & (size - 1), 0);
		ck_assert(size <= range->nr || size == 1);
		if (nr)
			ck_assert_uint_eq(words[1] >> 12, at);
		else
			ck_assert_uint_le(words[1] >> 12, range->gfn);
		at = (words[1] >> 12) + size;
	}
	ck_assert_uint_ge(nr, 1);
	ck_assert_uint_le(nr, 3);
	ck_assert_uint_ge(at, range->gfn + range->nr);
}

START_TEST(a_range_is_three_blocks_at_the_most)
{
	struct backend_range range;
	uint64_t seed = 5, from, waits;
	unsigned int i;

	begin(VTD_PLAIN, NULL);
	for (i = 0; i < 300; i++) {
		range.nr = 1 + random_below(&seed, (uint64_t)1 << (1 + i % 18));
		range.gfn = random_below(&seed, (uint64_t)1 << 26);
		from = commands();
		waits = syncs();
		ck_assert_int_eq(invalidate(&range, 1, 0), 0);
		expect_blocks(&range, from);
		/* One wait for all of it. */
		ck_assert_uint_eq(syncs() - waits, 1);
	}
	finish();
}
END_TEST

/*
 * Each cache is filled by way of the one before: contexts, PASIDs, the IOTLB, and
 * between them a wait that what follows waits for (6.5.2.8, FN).
 */
START_TEST(caches_are_forgotten_in_the_order_in_which_they_are_filled)
{
	static const uint8_t types[2][6] = { { 1, 5, 2, 5 },
					     { 1, 5, 7, 5, 2, 5 } };
	uint64_t words[2];
	unsigned int i;

	begin(_i ? VTD_SCALABLE : VTD_PLAIN, NULL);
	for (i = 0; i < 6 && types[_i][i]; i++) {
		ck_assert(iommuabs_sim_command(m.sim, i, words));
		ck_assert_uint_eq(words[0] & 15, types[_i][i]);
		if (types[_i][i] == 5)
			ck_assert_uint_eq(words[0] >> 6 & 1, 1);
	}
	ck_assert(!iommuabs_sim_command(m.sim, i, words));
	finish();
}
END_TEST

static void tune_small_blocks(struct iommuabs_sim_vtd_config *config)
{
	config->mamv = 4;
}

/* CAP.MAMV */
START_TEST(no_block_is_larger_than_the_unit_takes)
{
	const struct backend_range range = { GFN + 3, 100 };
	uint64_t words[2], from, n;

	begin(VTD_PLAIN, tune_small_blocks);
	from = commands();
	ck_assert_int_eq(invalidate(&range, 1, 0), 0);
	for (n = 0; iotlb_command(from + n, words); n++) {
		ck_assert_uint_eq(AM(words[1]), 4);
		ck_assert_uint_eq(words[1] >> 12, GFN + 16 * n);
	}
	ck_assert_uint_eq(n, 7);
	finish();
}
END_TEST

static void tune_no_pages(struct iommuabs_sim_vtd_config *config)
{
	config->psi = 0;
	config->drd = config->dwd = 0;
}

START_TEST(past_a_bound_a_whole_domain_forgets)
{
	struct backend_range ranges[24];
	uint64_t words[2], from;
	uint32_t i, nr = _i == 0 ? 0 : _i == 1 ? 24 : 1;

	begin(VTD_PLAIN, _i == 2 ? tune_no_pages : NULL);
	for (i = 0; i < 24; i++)
		ranges[i] = (struct backend_range){ GFN + 100 * i, 1 };
	from = commands();
	ck_assert_int_eq(invalidate(ranges, nr, 0), 0);
	ck_assert(iotlb_command(from, words));
	ck_assert_uint_eq(G(words[0]), DOMAIN);
	ck_assert_uint_eq(words[0] >> 16 & 0xffff, ID);
	ck_assert(!iotlb_command(from + 1, words));
	/* Each range by itself, as long as they are few. */
	if (_i == 1) {
		from = commands();
		ck_assert_int_eq(invalidate(ranges, 12, 0), 0);
		for (i = 0; i < 12; i++) {
			ck_assert(iotlb_command(from + i, words));
			ck_assert_uint_eq(G(words[0]), PAGES);
			ck_assert_uint_eq(words[1] >> 12, ranges[i].gfn);
		}
	}
	finish();
}
END_TEST

/* Leaves only where that is known; drains where there are any. */
START_TEST(hints_and_drains_are_as_the_unit_has_them)
{
	const struct backend_range range = { GFN, 1 };
	uint64_t words[2], from;
	unsigned int any;

	begin(_i ? VTD_CACHING : VTD_PLAIN, NULL);
	for (any = 0; any < 2; any++) {
		from = commands();
		ck_assert_int_eq(invalidate(&range, 1, (uint8_t)any), 0);
		ck_assert(iotlb_command(from, words));
		/* What was absent in a table above is kept, in caching mode. */
		ck_assert_uint_eq(IH(words[1]), !any && !_i);
		ck_assert_uint_eq(DRAINS(words[0]), 3);
	}
	finish();
	begin(VTD_PLAIN, tune_no_pages);
	from = commands();
	ck_assert_int_eq(invalidate(&range, 1, 1), 0);
	ck_assert(iotlb_command(from, words));
	ck_assert_uint_eq(DRAINS(words[0]), 0);
	finish();
}
END_TEST

static uint64_t told_iotlb;

static void watch_iotlb(void *ctx, uint64_t addr, unsigned int width,
			uint64_t value)
{
	(void)ctx;
	if (addr == VTD_TEST_BASE + IOTLB_REG)
		told_iotlb = value;
	iommuabs_sim_mmio_write(m.arena, addr, width, value);
}

/* 11.4.6.2: DR, DW. A fence, too. */
START_TEST(drains_are_told_by_register_as_by_descriptor)
{
	const struct backend_range range = { GFN, 1 };

	begin(VTD_REGISTERS, _i ? tune_no_pages : NULL);
	m.host.ops.mmio_write = watch_iotlb;
	told_iotlb = 0;
	ck_assert_int_eq(invalidate(&range, 1, 1), 0);
	ck_assert_uint_eq(told_iotlb >> 63, 1);
	ck_assert_uint_eq(told_iotlb >> 48 & 3, _i ? 0 : 3);
	told_iotlb = 0;
	ck_assert_int_eq(ops->fence(&m.unit), 0);
	ck_assert_uint_eq(told_iotlb >> 63, 1);
	ck_assert_uint_eq(told_iotlb >> 48 & 3, _i ? 0 : 3);
	finish();
}
END_TEST

static void tune_unbuffered(struct iommuabs_sim_vtd_config *config)
{
	config->rwbf = 0;
}

/* Without a buffer to flush a barrier is all there is before a register. */
START_TEST(stores_come_before_the_register_that_is_told_of_them)
{
	begin(VTD_REGISTERS, tune_unbuffered);
	add(GFN, RW);
	ck_assert_int_eq(write_to(GFN), 1);
	ck_assert_int_eq(ops->stream_set(&m.unit, SID, 1, NULL, 0), 0);
	ck_assert_int_eq(write_to(GFN), 0);
	ck_assert_int_eq(ops->stream_set(&m.unit, SID, 1, &g.table, 0), 0);
	ck_assert_int_eq(write_to(GFN), 1);
	finish();
}
END_TEST

/* 6.1: "no table is there" may be kept, too; what can't be told is not reserved. */
START_TEST(a_unit_that_keeps_what_was_absent_is_told_of_a_new_table)
{
	const enum vtd_kind kind = _i ? VTD_CACHING : VTD_PLAIN;
	uint64_t words[2], from;

	begin(kind, NULL);
	from = commands();
	ck_assert_int_eq(ops->streams_reserve(&m.unit, 0x4200, 1), 0);
	ck_assert_int_eq(iommuabs_sim_command(m.sim, from, words), _i);
	if (_i) {
		ck_assert_uint_eq(words[0] & 15, CONTEXT);
		ck_assert_uint_eq(G(words[0]), GLOBAL);
	}
	iommuabs_sim_plant(m.sim, IOMMUABS_SIM_CMDQ_HANG, 0, 0);
	ck_assert_int_eq(ops->streams_reserve(&m.unit, 0x4300, 1),
			 _i ? IOMMUABS_E_NOMEM : 0);
	iommuabs_sim_heal(m.sim);
	ck_assert_int_eq(ops->fence(&m.unit), 0);
	finish();
}
END_TEST

/*
 * What is added is seen when the invalidation that it takes is over, whatever the
 * unit keeps: "nothing is there", or stores.
 */
START_TEST(what_is_added_is_seen_and_what_is_removed_is_not)
{
	const uint64_t there = MFN << 12, none = IOMMUABS_SIM_BLOCKED;
	struct iommuabs_sim_probe *probe;
	unsigned int i;

	begin((enum vtd_kind)_i, NULL);
	probe = iommuabs_sim_probe_add(m.sim, SID, GFN << 12, 0);
	for (i = 0; i < 3; i++) {
		ck_assert_int_eq(write_to(GFN), 0);
		add(GFN, RW);
		ck_assert_uint_eq(iommuabs_sim_probe_allow(probe, &there, 1),
				  0);
		iommuabs_sim_probe_any(probe);
		driver_guest_unmap(&g, GFN, 1);
		ck_assert_int_eq(driver_guest_forget(&g, GFN, 1), 0);
		ck_assert_uint_eq(iommuabs_sim_probe_allow(probe, &none, 1), 0);
		iommuabs_sim_probe_any(probe);
	}
	ck_assert_int_eq(m.unit.caps.caches_absent,
			 _i == VTD_CACHING || _i == VTD_REGISTERS ||
				 _i == VTD_BUFFERED);
	iommuabs_sim_probe_remove(probe);
	finish();
}
END_TEST

/* ---- what it reports ---- */

static void expect_event(const struct backend_event *event, uint32_t sid,
			 enum iommuabs_fault_reason reason, uint64_t gfn)
{
	ck_assert_int_eq(event->reason, reason);
	ck_assert_uint_eq(event->stream, sid);
	ck_assert_uint_eq(event->has_address, 1);
	ck_assert_uint_eq(event->address, gfn << 12);
}

START_TEST(each_fault_has_its_reason)
{
	struct backend_event event;
	const uint64_t beyond = (uint64_t)1 << (39 - 12);

	begin(_i ? VTD_SCALABLE : VTD_PLAIN, NULL);
	add(GFN, IOMMUABS_READ);
	ck_assert_int_eq(write_to(GFN + 5), 0);
	ck_assert_uint_eq(ops->events(&m.unit, &event, 1), 1);
	expect_event(&event, SID, IOMMUABS_FAULT_PERMISSION, GFN + 5);
	ck_assert_uint_eq(event.access, IOMMUABS_WRITE);
	ck_assert_int_eq(dma_of(SID, GFN + 6, 0), 0);
	ck_assert_uint_eq(ops->events(&m.unit, &event, 1), 1);
	ck_assert_uint_eq(event.access, IOMMUABS_READ);
	ck_assert_int_eq(write_to(GFN), 0);
	ck_assert_uint_eq(ops->events(&m.unit, &event, 1), 1);
	expect_event(&event, SID, IOMMUABS_FAULT_PERMISSION, GFN);
	/* No context entry; no table of them for that bus. */
	ck_assert_int_eq(dma_of(SID + 1, GFN, 0), 0);
	ck_assert_uint_eq(ops->events(&m.unit, &event, 1), 1);
	expect_event(&event, SID + 1, IOMMUABS_FAULT_STREAM, GFN);
	ck_assert_int_eq(dma_of(0x4200, GFN, 0), 0);
	ck_assert_uint_eq(ops->events(&m.unit, &event, 1), 1);
	expect_event(&event, 0x4200, IOMMUABS_FAULT_STREAM, GFN);
	ck_assert_int_eq(write_to(beyond), 0);
	ck_assert_uint_eq(ops->events(&m.unit, &event, 1), 1);
	expect_event(&event, SID, IOMMUABS_FAULT_ADDRESS_SIZE, beyond);
	/* With a PASID, which nobody may use. */
	ck_assert_int_eq(dma_of(SID, GFN, IOMMUABS_SIM_DMA_SSID), 0);
	ck_assert_uint_eq(ops->events(&m.unit, &event, 1), 1);
	expect_event(&event, SID, IOMMUABS_FAULT_PASID, GFN);
	finish();
}
END_TEST

/* What the fault registers say instead of what the model has in them. */
static struct {
	uint64_t low, high;
} record;

static uint64_t read_record(void *ctx, uint64_t addr, unsigned int width)
{
	uint64_t at = addr - (VTD_TEST_BASE + FRCD);

	(void)ctx;
	if (at < 4 * 16 && width == 8)
		return at % 16 ? record.high : record.low;
	return iommuabs_sim_mmio_read(m.arena, addr, width);
}

/* 7.3: reasons, by hand; those of interrupts have an index for an address. */
static const struct {
	uint8_t first, last;
	enum iommuabs_fault_reason reason;
} reasons[] = {
	{ 0x01, 0x02, IOMMUABS_FAULT_STREAM },
	{ 0x03, 0x03, IOMMUABS_FAULT_ENTRY },
	{ 0x04, 0x04, IOMMUABS_FAULT_ADDRESS_SIZE },
	{ 0x05, 0x06, IOMMUABS_FAULT_PERMISSION },
	{ 0x07, 0x07, IOMMUABS_FAULT_WALK_ABORT },
	{ 0x08, 0x09, IOMMUABS_FAULT_ENTRY_ABORT },
	{ 0x0a, 0x0b, IOMMUABS_FAULT_ENTRY },
	{ 0x0d, 0x0d, IOMMUABS_FAULT_TRANSLATED },
	{ 0x20, 0x26, IOMMUABS_FAULT_INTERRUPT },
	{ 0x30, 0x30, IOMMUABS_FAULT_ENTRY },
	{ 0x31, 0x31, IOMMUABS_FAULT_PASID },
	{ 0x38, 0x38, IOMMUABS_FAULT_ENTRY_ABORT },
	{ 0x39, 0x39, IOMMUABS_FAULT_STREAM },
	{ 0x3a, 0x3a, IOMMUABS_FAULT_ENTRY },
	{ 0x40, 0x40, IOMMUABS_FAULT_ENTRY_ABORT },
	{ 0x41, 0x41, IOMMUABS_FAULT_STREAM },
	{ 0x42, 0x43, IOMMUABS_FAULT_ENTRY },
	{ 0x44, 0x44, IOMMUABS_FAULT_TRANSLATED },
	{ 0x45, 0x46, IOMMUABS_FAULT_PASID },
	{ 0x47, 0x47, IOMMUABS_FAULT_TRANSLATED },
	{ 0x48, 0x48, IOMMUABS_FAULT_ENTRY },
	{ 0x50, 0x50, IOMMUABS_FAULT_ENTRY_ABORT },
	{ 0x51, 0x51, IOMMUABS_FAULT_STREAM },
	{ 0x52, 0x52, IOMMUABS_FAULT_ENTRY },
	{ 0x58, 0x58, IOMMUABS_FAULT_ENTRY_ABORT },
	{ 0x59, 0x59, IOMMUABS_FAULT_STREAM },
	{ 0x5a, 0x5b, IOMMUABS_FAULT_ENTRY },
	{ 0x78, 0x78, IOMMUABS_FAULT_WALK_ABORT },
	{ 0x79, 0x79, IOMMUABS_FAULT_PERMISSION },
	{ 0x83, 0x84, IOMMUABS_FAULT_ADDRESS_SIZE },
	{ 0x85, 0x86, IOMMUABS_FAULT_PERMISSION },
};

static enum iommuabs_fault_reason reason_by_hand(unsigned int reason)
{
	size_t i;

	for (i = 0; i < IA_COUNT(reasons); i++)
		if (reason >= reasons[i].first && reason <= reasons[i].last)
			return reasons[i].reason;
	return IOMMUABS_FAULT_OTHER;
}

START_TEST(every_reason_of_a_record_is_told_as_the_manual_has_it)
{
	struct backend_event event;
	unsigned int reason;
	bool of_irq;

	begin(VTD_PLAIN, NULL);
	m.host.ops.mmio_read = read_record;
	/* Its low bits are no part of an address (11.4.7.3). */
	record.low = 0x123456789abc;
	for (reason = 0; reason < 0x100; reason++) {
		of_irq = reason >= 0x20 && reason < 0x30;
		record.high = 1ull << 63 | (uint64_t)reason << 32 | SID;
		ck_assert_uint_eq(ops->events(&m.unit, &event, 1), 1);
		ck_assert_msg(event.reason == reason_by_hand(reason),
			      "reason %#x", reason);
		ck_assert_uint_eq(event.has_address, !of_irq);
		ck_assert_uint_eq(event.address, of_irq ? 0 : 0x123456789000);
	}
	/* 11.4.7.3: a PASID counts where PP says that there is one, and 0 is
	 * that of requests without. */
	record.high = 1ull << 63 | 5ull << 32 | SID;
	for (reason = 0; reason < 4; reason++) {
		record.high &= ~(0xfffffull << 40 | 1ull << 31);
		record.high |= reason & 1 ? 1ull << 31 : 0;
		record.high |= reason & 2 ? 7ull << 40 : 0;
		ck_assert_uint_eq(ops->events(&m.unit, &event, 1), 1);
		ck_assert_int_eq(event.reason,
				 reason == 3 ? IOMMUABS_FAULT_PASID
					     : IOMMUABS_FAULT_PERMISSION);
	}
	record.high = 0;
	finish();
}
END_TEST

/* Four registers, in the order of the faults, from wherever the last was. */
START_TEST(all_fault_registers_are_read_in_turn)
{
	struct backend_event events[8];
	uint64_t gfn = GFN, seen = GFN;
	unsigned int round;
	uint32_t i, nr;

	begin((enum vtd_kind)_i, NULL);
	for (round = 0; round < 5; round++) {
		for (i = 0; i < 3; i++)
			ck_assert_int_eq(write_to(gfn++), 0);
		/* In two parts: none is lost, none comes twice. */
		nr = ops->events(&m.unit, events, 2);
		nr += ops->events(&m.unit, events + nr, 8 - nr);
		ck_assert_uint_eq(nr, 3);
		for (i = 0; i < nr; i++)
			ck_assert_uint_eq(events[i].address >> 12, seen++);
	}
	ck_assert_uint_eq(m.unit.events, 15);
	ck_assert_uint_eq(m.unit.events_lost, 0);
	/* One more than there is room for: told, and it goes on. */
	for (i = 0; i < 6; i++)
		ck_assert_int_eq(write_to(gfn++), 0);
	ck_assert_uint_ne(vtd_reg(&m, FSTS, 4) & 1, 0);
	ck_assert_uint_eq(ops->events(&m.unit, events, 8), 4);
	ck_assert_uint_eq(m.unit.events_lost, 1);
	ck_assert_uint_eq(vtd_reg(&m, FSTS, 4) & 1, 0);
	ck_assert_int_eq(write_to(gfn), 0);
	ck_assert_uint_eq(ops->events(&m.unit, events, 8), 1);
	ck_assert_uint_eq(events[0].address >> 12, gfn);
	finish();
}
END_TEST

static unsigned int registers;

static void fault_registers(struct iommuabs_sim_vtd_config *config)
{
	config->nfr = registers;
}

/* Their number is any; after a time without power the first is filled first. */
START_TEST(fault_registers_of_any_number_are_all_read)
{
	struct backend_event events[4];
	uint64_t gfn = GFN, last;

	registers = (unsigned int)_i + 1;
	begin(VTD_PLAIN, fault_registers);
	for (last = gfn + 2 * registers; gfn <= last; gfn++) {
		ck_assert_int_eq(write_to(gfn), 0);
		ck_assert_uint_eq(ops->events(&m.unit, events, 4), 1);
		ck_assert_uint_eq(events[0].address >> 12, gfn);
	}
	ck_assert_int_eq(ops->disable(&m.unit), 0);
	iommuabs_sim_unit_reset(m.sim);
	ck_assert_int_eq(ops->enable(&m.unit), 0);
	ck_assert_int_eq(write_to(gfn), 0);
	ck_assert_uint_eq(ops->events(&m.unit, events, 4), 1);
	ck_assert_uint_eq(events[0].address >> 12, gfn);
	finish();
}
END_TEST

/* Registers from here on read as all ones. */
static uint64_t gone_from;

static uint64_t read_gone(void *ctx, uint64_t addr, unsigned int width)
{
	(void)ctx;
	if (addr - VTD_TEST_BASE >= gone_from)
		return ~(uint64_t)0 >> (64 - 8 * width);
	return iommuabs_sim_mmio_read(m.arena, addr, width);
}

/* All of it, or by the time that records are looked at. */
START_TEST(a_unit_that_is_gone_has_no_faults)
{
	struct backend_event events[4];
	uint64_t (*read)(void *ctx, uint64_t addr, unsigned int width);

	begin(VTD_PLAIN, NULL);
	read = m.host.ops.mmio_read;
	gone_from = _i ? FRCD : 0;
	m.host.ops.mmio_read = read_gone;
	ck_assert_uint_eq(ops->events(&m.unit, events, 4), 0);
	ck_assert_uint_eq(m.unit.events, 0);
	ck_assert_uint_eq(m.unit.events_lost, 0);
	m.host.ops.mmio_read = read;
	finish();
}
END_TEST

static uint64_t acknowledged;

static void watch_fsts(void *ctx, uint64_t addr, unsigned int width,
		       uint64_t value)
{
	(void)ctx;
	if (addr == VTD_TEST_BASE + FSTS)
		acknowledged |= value;
	else
		iommuabs_sim_mmio_write(m.arena, addr, width, value);
}

/* What stopped the queue (FSTS.IQE, ICE, ITE) is for whoever repairs it. */
START_TEST(who_reads_faults_acknowledges_an_overflow_alone)
{
	struct iommuabs_host host;
	struct backend_event event;

	begin(VTD_PLAIN, NULL);
	host = m.host.ops;
	fake[0].offset = FSTS;
	fake[0].value = 0x71;
	fake[1].value = 0;
	m.host.ops.mmio_read = fake_read;
	m.host.ops.mmio_write = watch_fsts;
	acknowledged = 0;
	ck_assert_uint_eq(ops->events(&m.unit, &event, 1), 0);
	ck_assert_uint_eq(m.unit.events_lost, 1);
	ck_assert_uint_eq(acknowledged, 1);
	m.host.ops = host;
	finish();
}
END_TEST

START_TEST(a_message_tells_of_faults)
{
	struct backend_event event;

	begin((enum vtd_kind)_i, NULL);
	ck_assert_int_eq(
		ops->irq_set_msi(&m.unit, IOMMUABS_IRQ_ERROR, 0xfee01000, 0x41),
		IOMMUABS_E_NOTSUP);
	ck_assert_int_eq(
		ops->irq_set_msi(&m.unit, IOMMUABS_IRQ_EVENT, 0xfee01002, 0x41),
		IOMMUABS_E_INVAL);
	/* Polled as long as nobody said where to. */
	ck_assert_int_eq(write_to(GFN), 0);
	ck_assert_uint_eq(iommuabs_sim_irq_take(m.sim, IOMMUABS_SIM_IRQ_EVENTQ),
			  0);
	ck_assert_uint_eq(ops->events(&m.unit, &event, 1), 1);
	ck_assert_int_eq(
		ops->irq_set_msi(&m.unit, IOMMUABS_IRQ_EVENT, 0xfee01000, 0x41),
		0);
	ck_assert_int_eq(write_to(GFN), 0);
	ck_assert_uint_eq(iommuabs_sim_irq_take(m.sim, IOMMUABS_SIM_IRQ_EVENTQ),
			  1);
	ck_assert_uint_eq(ops->events(&m.unit, &event, 1), 1);
	/* 11.4.7: an address may be wider than a register. */
	ck_assert_int_eq(ops->irq_set_msi(&m.unit, IOMMUABS_IRQ_EVENT,
					  0x2fee01000, 0x41),
			 0);
	ck_assert_uint_eq(hostif_read32(&m.unit.regs, REG32(0x44)), 2);
	ck_assert_uint_eq(hostif_read32(&m.unit.regs, REG32(0x40)), 0xfee01000);
	ck_assert_uint_eq(hostif_read32(&m.unit.regs, REG32(0x3c)), 0x41);
	ck_assert_int_eq(
		ops->irq_set_msi(&m.unit, IOMMUABS_IRQ_EVENT, 0xfee01000, 0x41),
		0);
	/* Also after a time without power. */
	ck_assert_int_eq(ops->disable(&m.unit), 0);
	iommuabs_sim_unit_reset(m.sim);
	ck_assert_int_eq(ops->enable(&m.unit), 0);
	ck_assert_int_eq(write_to(GFN), 0);
	ck_assert_uint_eq(iommuabs_sim_irq_take(m.sim, IOMMUABS_SIM_IRQ_EVENTQ),
			  1);
	finish();
}
END_TEST

/* A silent block records nothing, and says so when it is read back. */
START_TEST(a_silent_block_is_not_recorded)
{
	struct backend_stream live;
	struct backend_event event;

	begin((enum vtd_kind)_i, NULL);
	ck_assert_int_eq(
		ops->stream_set(&m.unit, SID, 1, NULL, BACKEND_STREAM_SILENT),
		0);
	ck_assert_int_eq(write_to(GFN), 0);
	ck_assert_uint_eq(ops->events(&m.unit, &event, 1), 0);
	ops->read_stream(&m.unit, SID, &live);
	ck_assert_int_eq(live.kind, BACKEND_STREAM_BLOCKED);
	ck_assert_uint_eq(live.flags, BACKEND_STREAM_SILENT);
	ck_assert_int_eq(ops->stream_set(&m.unit, SID, 1, NULL, 0), 0);
	ck_assert_int_eq(write_to(GFN), 0);
	ck_assert_uint_eq(ops->events(&m.unit, &event, 1), 1);
	ck_assert_int_eq(event.reason, IOMMUABS_FAULT_STREAM);
	finish();
}
END_TEST

/* More ids than one part of a batch, over two tables of scalable mode. */
START_TEST(a_range_of_many_ids_changes_as_one)
{
	const uint32_t first = 0x170, nr = 0x40;
	uint32_t sid;

	begin((enum vtd_kind)_i, NULL);
	add(GFN, RW);
	ck_assert_int_eq(ops->streams_reserve(&m.unit, first, nr), 0);
	ck_assert_int_eq(ops->stream_set(&m.unit, first, nr, &g.table, 0), 0);
	for (sid = first; sid < first + nr; sid += 9)
		ck_assert_int_eq(dma_of(sid, GFN, 0), 1);
	ck_assert_int_eq(dma_of(first - 1, GFN, 0), 0);
	ck_assert_int_eq(dma_of(first + nr, GFN, 0), 0);
	ck_assert_int_eq(ops->stream_set(&m.unit, first, nr, NULL, 0), 0);
	for (sid = first; sid < first + nr; sid += 9)
		ck_assert_int_eq(dma_of(sid, GFN, 0), 0);
	finish();
}
END_TEST

static void add_tests(Suite *s)
{
	TCase *tc = tcase_create("driver");
	const TTest *const each[] = {
		what_is_added_is_seen_and_what_is_removed_is_not,
		all_fault_registers_are_read_in_turn,
		a_message_tells_of_faults,
		a_silent_block_is_not_recorded,
		a_range_of_many_ids_changes_as_one,
	};
	size_t i;

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(
		tc, a_unit_that_is_of_no_use_is_refused_with_a_reason, 0, 8);
	tcase_add_loop_test(tc, tables_have_as_many_levels_as_suit, 0,
			    2 * (int)IA_COUNT(widths));
	tcase_add_loop_test(tc, leaves_are_as_large_as_the_unit_takes, 0, 4);
	tcase_add_loop_test(tc, a_p2m_is_shared_by_a_unit_that_can_walk_it, 0,
			    NR_SHARES);
	tcase_add_loop_test(tc, wide_destinations_take_a_unit_that_has_them, 0,
			    4);
	tcase_add_loop_test(tc, words_of_an_interrupt_are_those_of_the_manual,
			    0, 2);
	tcase_add_loop_test(tc, an_interrupt_changes_when_that_is_told, 0, 2);
	tcase_add_loop_test(tc, words_of_an_entry_are_those_of_the_manual, 0,
			    3);
	tcase_add_test(tc, an_entry_that_a_unit_refuses_is_read_as_such);
	tcase_add_test(tc, a_pasid_entry_of_another_kind_is_read_as_such);
	tcase_add_loop_test(tc, a_probe_without_memory_leaves_nothing_behind, 0,
			    3);
	tcase_add_test(tc, what_an_id_takes_is_given_back_with_the_unit);
	tcase_add_test(tc, a_range_is_three_blocks_at_the_most);
	tcase_add_loop_test(
		tc, caches_are_forgotten_in_the_order_in_which_they_are_filled,
		0, 2);
	tcase_add_test(tc, no_block_is_larger_than_the_unit_takes);
	tcase_add_loop_test(tc, drains_are_told_by_register_as_by_descriptor, 0,
			    2);
	tcase_add_test(tc,
		       stores_come_before_the_register_that_is_told_of_them);
	tcase_add_loop_test(
		tc, a_unit_that_keeps_what_was_absent_is_told_of_a_new_table, 0,
		2);
	tcase_add_loop_test(tc, past_a_bound_a_whole_domain_forgets, 0, 3);
	tcase_add_loop_test(tc, hints_and_drains_are_as_the_unit_has_them, 0,
			    2);
	tcase_add_loop_test(tc, each_fault_has_its_reason, 0, 2);
	tcase_add_test(tc,
		       every_reason_of_a_record_is_told_as_the_manual_has_it);
	tcase_add_loop_test(tc, fault_registers_of_any_number_are_all_read, 0,
			    3);
	tcase_add_loop_test(tc, a_unit_that_is_gone_has_no_faults, 0, 2);
	tcase_add_test(tc, who_reads_faults_acknowledges_an_overflow_alone);
	for (i = 0; i < IA_COUNT(each); i++)
		tcase_add_loop_test(tc, each[i], 0, VTD_KINDS);
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
	Suite *s = suite_create("vtd");

	if (suite_needs(s, IOMMUABS_UNIT_VTD))
		add_tests(s);
	return s;
}

HARNESS_MAIN(suite)
