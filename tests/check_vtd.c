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

#define VER    0x00
#define CAP    0x08
#define ECAP   0x10
#define GSTS   0x1c
#define RTADDR 0x20
#define FSTS   0x34

/* Descriptors (6.5.2): types, and what those of the IOTLB say. */
#define IOTLB	    2
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
	tcase_add_test(tc, a_range_is_three_blocks_at_the_most);
	tcase_add_loop_test(tc, past_a_bound_a_whole_domain_forgets, 0, 3);
	tcase_add_loop_test(tc, hints_and_drains_are_as_the_unit_has_them, 0,
			    2);
	tcase_add_loop_test(tc, each_fault_has_its_reason, 0, 2);
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
