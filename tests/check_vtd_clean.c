/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_vtd_clean.c - tables of VT-d units that do not snoop
 *
 * The model counts: a word of a table that the unit reaches and that no clean
 * followed, a line that was cleaned and had not changed, barriers. A change is
 * cleaned once, and one barrier is waited for by all that is told in one batch.
 */
#include "test_vtd.h"

#include "harness.h"
#include "test_needs.h"

#if IOMMUABS_CONFIG_VTD

#define RW    (IOMMUABS_READ | IOMMUABS_WRITE)
#define FIRST ((uint32_t)0x18)
#define MANY  8u /* ids that change together: of several lines */
#define GFN   ((uint64_t)0x40000)
#define MFN   ((uint64_t)0x20000)

static struct driver_machine m;
static struct driver_guest a, b;
static const struct backend_ops *ops;
static struct iommuabs_sim_cleans before;

static void tune(struct iommuabs_sim_vtd_config *config)
{
	config->coherent = 0;
	config->dt = 1;
}

static const enum vtd_kind modes[] = { VTD_PLAIN, VTD_SCALABLE };
#define LEGACY	 0
#define NR_MODES ((int)IA_COUNT(modes))

static void tune_wide(struct iommuabs_sim_vtd_config *config)
{
	tune(config);
	config->fetch_128 = 1;
}

static void begin_tuned(int mode, vtd_tune_fn how)
{
	vtd_machine_make(&m, modes[mode], how);
	m.host.ops.flags |= IOMMUABS_HOST_REMAPS_IRQS;
	driver_machine_probe(&m);
	ops = m.unit.ops;
	driver_guest_new(&m, &a, 7, 39);
	driver_guest_new(&m, &b, 9, 39);
}

static void begin(int mode)
{
	begin_tuned(mode, tune);
}

static void finish(void)
{
	ck_assert_int_eq(ops->disable(&m.unit), 0);
	driver_guest_delete(&a);
	driver_guest_delete(&b);
	driver_machine_delete(&m);
}

static void start(void)
{
	iommuabs_sim_cleans(m.arena, &before);
}

/* Nothing was left out since start(), nothing done in vain; what was done. */
static struct iommuabs_sim_cleans done(void)
{
	struct iommuabs_sim_cleans now;

	iommuabs_sim_cleans(m.arena, &now);
	ck_assert_uint_eq(now.unclean, 0);
	ck_assert_uint_eq(now.in_vain, 0);
	now.lines -= before.lines;
	now.barriers -= before.barriers;
	return now;
}

static struct iommuabs_sim_cleans
set(uint32_t nr, const struct driver_guest *guest, uint32_t flags)
{
	start();
	ck_assert_int_eq(ops->stream_set(&m.unit, FIRST, nr,
					 guest ? &guest->table : NULL, flags),
			 0);
	return done();
}

static void dma_reaches(uint32_t nr, int want)
{
	uint32_t i;

	for (i = 0; i < nr; i++)
		ck_assert_int_eq(driver_dma(&m, FIRST + i, GFN << 12, 0), want);
	driver_no_violations(&m);
}

/* The whole of each change of what selects a table. */
START_TEST(each_entry_that_changes_is_cleaned_once)
{
	/* P 0, other words, P 1; what is all 0 needs no store. */
	static const struct {
		uint64_t in, other, out, pasid;
	} lines[NR_MODES] = { { 2, 3, 2, 0 }, { 1, 2, 1, 2 } };
	const uint64_t step = (uint64_t)(_i / NR_MODES ? MANY : 1);
	const uint32_t nr = (uint32_t)step;
	struct iommuabs_sim_cleans now;

	begin(_i % NR_MODES);
	driver_guest_map(&a, GFN, MFN, 1, RW);
	driver_guest_map(&b, GFN, MFN + 1, 1, RW);
	ck_assert_int_eq(ops->streams_reserve(&m.unit, FIRST, nr), 0);
	start();
	ck_assert_int_eq(ops->enable(&m.unit), 0);
	ck_assert_uint_eq(done().lines, 0);

	/* A PASID-table entry is the domain's: made once. */
	now = set(nr, &a, 0);
	ck_assert_uint_eq(now.lines, lines[_i % NR_MODES].in * step +
					     lines[_i % NR_MODES].pasid);
	dma_reaches(nr, 1);
	now = set(nr, NULL, 0);
	ck_assert_uint_eq(now.lines, lines[_i % NR_MODES].out * step);
	dma_reaches(nr, 0);
	now = set(nr, &a, 0);
	ck_assert_uint_eq(now.lines, lines[_i % NR_MODES].in * step);
	now = set(nr, &a, 0);
	ck_assert_uint_eq(now.lines, 0);
	(void)set(nr, &b, 0);
	now = set(nr, &a, 0);
	ck_assert_uint_eq(now.lines, lines[_i % NR_MODES].other * step);
	/* One store more. */
	now = set(nr, &b, BACKEND_STREAM_ATS);
	ck_assert_uint_eq(now.lines, (lines[_i % NR_MODES].other + 1) * step);
	dma_reaches(nr, 1);
	finish();
}
END_TEST

/* However many change together, what they wait for is the same. */
START_TEST(a_batch_has_one_barrier)
{
	struct iommuabs_sim_cleans one, many;

	begin(_i);
	ck_assert_int_eq(ops->streams_reserve(&m.unit, FIRST, MANY), 0);
	ck_assert_int_eq(ops->enable(&m.unit), 0);
	(void)set(1, &a, 0);
	(void)set(1, NULL, 0);
	one = set(1, &a, 0);
	ck_assert_uint_eq(one.barriers, _i == LEGACY ? 2 : 1);
	(void)set(1, NULL, 0);
	many = set(MANY, &a, 0);
	ck_assert_uint_eq(many.barriers, one.barriers);
	(void)set(MANY, &b, 0);
	many = set(MANY, &a, 0);
	ck_assert_uint_eq(many.barriers, _i == LEGACY ? 3 : 2);
	finish();
}
END_TEST

/* Tables of contexts, with the root entries that lead there. */
START_TEST(what_is_reserved_is_clean_before_it_is_linked)
{
	uint32_t bus;

	begin(_i);
	driver_guest_map(&a, GFN, MFN, 1, RW);
	ck_assert_int_eq(ops->enable(&m.unit), 0);
	for (bus = 1; bus < 4; bus++) {
		start();
		ck_assert_int_eq(
			ops->streams_reserve(&m.unit, bus << 8 | 0x7f, 2), 0);
		/* In scalable mode a bus has two: of 64 lines, and an entry. */
		ck_assert_uint_eq(done().lines, _i == LEGACY ? 65 : 2 * 65);
		ck_assert_int_eq(ops->stream_set(&m.unit, bus << 8 | 0x7f, 2,
						 &a.table, 0),
				 0);
		(void)done();
		ck_assert_int_eq(driver_dma(&m, bus << 8 | 0x80, GFN << 12, 0),
				 1);
	}
	finish();
}
END_TEST

/* Leaves by the line, tables as they are linked; and what is taken away again. */
START_TEST(tables_of_pages_are_clean_when_that_is_told)
{
	struct iommuabs_sim_cleans now;

	begin(_i);
	ck_assert_int_eq(ops->streams_reserve(&m.unit, FIRST, 1), 0);
	ck_assert_int_eq(ops->enable(&m.unit), 0);
	(void)set(1, &a, 0);
	start();
	driver_guest_map(&a, GFN, MFN, 1, RW);
	/* Two new tables below the root, and the entries that lead there. */
	ck_assert_uint_eq(done().lines, 2 * (64 + 1));
	ck_assert_uint_eq(GFN % 512, 0);
	start();
	driver_guest_map(&a, GFN + 8, MFN + 8, 64, RW);
	ck_assert_uint_eq(done().lines, 8);
	start();
	driver_guest_map(&a, GFN + 1, MFN + 1, 1, RW);
	ck_assert_uint_eq(done().lines, 1);
	ck_assert_int_eq(driver_guest_forget(&a, GFN, 72), 0);
	dma_reaches(1, 1);
	start();
	driver_guest_unmap(&a, GFN + 8, 64);
	driver_guest_unmap(&a, GFN, 1);
	ck_assert_uint_eq(done().lines, 9);
	start();
	ck_assert_int_eq(driver_guest_forget(&a, GFN, 72), 0);
	now = done();
	ck_assert_uint_eq(now.lines, 0);
	/* Before the look at the unit, and before the queue is told. */
	ck_assert_uint_eq(now.barriers, 2);
	dma_reaches(1, 0);
	finish();
}
END_TEST

static const struct iommuabs_irq_target target = {
	.size = sizeof(target),
	.vector = 0x31,
	.destination = 1,
};

static struct iommuabs_sim_cleans irq_set(const struct backend_irq *irq)
{
	start();
	ck_assert_int_eq(ops->irq_set(&m.unit, 5, irq), 0);
	return done();
}

/* Interrupts go by the same rules: also while the unit is off, or fenced. */
START_TEST(interrupt_entries_are_clean)
{
	const struct backend_irq from = { &target, FIRST, FIRST };
	const struct backend_irq other = { &target, FIRST + 1, FIRST + 1 };
	struct iommuabs_sim_interrupt irq = { .sid = FIRST };

	begin(_i);
	ck_assert_uint_eq(irq_set(&from).lines, 2);
	ck_assert_int_eq(ops->enable(&m.unit), 0);
	(void)done();
	irq.addr = 0xfee00010 | 5 << 5;
	ck_assert_int_eq(iommuabs_sim_vtd_interrupt(m.sim, &irq), 1);
	ck_assert_uint_eq(irq_set(&other).lines, 3);
	ck_assert_int_eq(iommuabs_sim_vtd_interrupt(m.sim, &irq), 0);
	ck_assert_uint_eq(irq_set(NULL).lines, 2);
	ck_assert_uint_eq(irq_set(NULL).lines, 0);
	ck_assert_uint_eq(irq_set(&from).lines, 2);
	ck_assert_int_eq(ops->fence(&m.unit), 0);
	start();
	ck_assert_int_eq(ops->irq_set(&m.unit, 5, NULL), IOMMUABS_E_TIMEOUT);
	ck_assert_uint_eq(done().lines, 1);
	finish();
}
END_TEST

/* In one store, which one clean follows. */
START_TEST(interrupt_entries_that_are_fetched_whole_are_clean)
{
	const struct backend_irq irq = { &target, FIRST, FIRST };
	struct iommuabs_sim_interrupt sent = { .sid = FIRST };

	begin_tuned(_i, tune_wide);
	ck_assert_int_eq(ops->enable(&m.unit), 0);
	ck_assert_uint_eq(irq_set(&irq).lines, 1);
	sent.addr = 0xfee00010 | 5 << 5;
	ck_assert_int_eq(iommuabs_sim_vtd_interrupt(m.sim, &sent), 1);
	ck_assert_uint_eq(irq_set(NULL).lines, 1);
	ck_assert_int_eq(iommuabs_sim_vtd_interrupt(m.sim, &sent), 0);
	finish();
}
END_TEST

static void add_tests(Suite *s)
{
	TCase *tc = tcase_create("clean");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, each_entry_that_changes_is_cleaned_once, 0,
			    2 * NR_MODES);
	tcase_add_loop_test(tc, a_batch_has_one_barrier, 0, NR_MODES);
	tcase_add_loop_test(tc, what_is_reserved_is_clean_before_it_is_linked,
			    0, NR_MODES);
	tcase_add_loop_test(tc, tables_of_pages_are_clean_when_that_is_told, 0,
			    NR_MODES);
	tcase_add_loop_test(tc, interrupt_entries_are_clean, 0, NR_MODES);
	tcase_add_loop_test(tc,
			    interrupt_entries_that_are_fetched_whole_are_clean,
			    0, NR_MODES);
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
	Suite *s = suite_create("vtd_clean");

	if (suite_needs(s, IOMMUABS_UNIT_VTD))
		add_tests(s);
	return s;
}

HARNESS_MAIN(suite)
