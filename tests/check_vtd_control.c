/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VT-d units on and off: started, taken over from firmware, blocked, and what a
 * unit that does not answer is left with.
 */
#include "test_acpi.h"
#include "test_rig.h"
#include "test_vtd.h"

#include <stdio.h>
#include <string.h>

#include "harness.h"
#include "backends/vtd/vtd.h"
#include "test_needs.h"

#if IOMMUABS_CONFIG_VTD

#define RTADDR 0x20
#define CCMD   0x28
#define PMEN   0x64
#define IQT    0x88
#define IQA    0x90
#define IOTLB  0xf8
#define GSTS   0x1c
#define FSTS   0x34
#define IQE    (1u << 4)
#define IECTL  0xa0
#define IEC    4 /* type of a descriptor */
#define TE     (1u << 31)
#define GCMD   0x18
#define SRTP   (1u << 30)
#define WBF    (1u << 27)
#define QIE    (1u << 26)

static struct driver_machine m;
static struct driver_guest g;
static const struct backend_ops *ops;

static void machine(enum vtd_kind kind, vtd_tune_fn tune)
{
	ops = vtd_guest_machine_new(&m, &g, kind, tune, 39);
}

static void attach(void)
{
	vtd_attach(&m, &g);
}

static void finish(void)
{
	vtd_guest_machine_delete(&m, &g);
}

static struct iommuabs_sim_probe *probe(uint32_t sid, uint64_t gfn)
{
	return iommuabs_sim_probe_add(m.sim, sid, gfn << 12,
				      IOMMUABS_SIM_DMA_WRITE);
}

static void allow(struct iommuabs_sim_probe *p, uint64_t a, uint64_t b)
{
	const uint64_t both[] = { a, b };

	ck_assert_uint_eq(iommuabs_sim_probe_allow(p, both, 2), 0);
}

static int dma(uint64_t gfn)
{
	return driver_dma(&m, SID, gfn << 12, IOMMUABS_SIM_DMA_WRITE);
}

static int forget(uint64_t gfn)
{
	return driver_guest_forget(&g, gfn, 1);
}

/* ---- from off to on ---- */

/* A region that firmware uses meanwhile is never blocked. */
START_TEST(reserved_regions_are_in_force_before_translation_is_on)
{
	struct iommuabs_sim_probe *p;

	machine((enum vtd_kind)_i, NULL);
	driver_guest_map(&g, MFN, MFN, 1, RW);
	attach();
	p = probe(SID, MFN);
	allow(p, MFN << 12, MFN << 12);
	ck_assert_int_eq(ops->enable(&m.unit), 0);
	ck_assert_int_eq(dma(MFN), 1);
	ck_assert_int_eq(dma(MFN + 1), 0);
	iommuabs_sim_probe_remove(p);
	finish();
}
END_TEST

START_TEST(what_is_attached_before_the_start_is_there_then)
{
	machine((enum vtd_kind)_i, NULL);
	driver_guest_map(&g, GFN, MFN, 1, RW);
	attach();
	ck_assert_int_eq(ops->enable(&m.unit), 0);
	ck_assert_int_eq(dma(GFN), 1);
	ck_assert_int_eq(
		driver_dma(&m, SID + 1, GFN << 12, IOMMUABS_SIM_DMA_WRITE), 0);
	ck_assert_int_eq(ops->disable(&m.unit), 0);
	ck_assert_int_eq(dma(GFN), 0);
	ck_assert_uint_ne(vtd_reg(&m, GSTS, 4) & TE, 0);
	ck_assert_int_eq(ops->enable(&m.unit), 0);
	ck_assert_int_eq(dma(GFN), 1);
	finish();
}
END_TEST

/* ---- from firmware's hands ---- */

static void store(uint64_t maddr, uint64_t value)
{
	uint64_t *at = iommuabs_sim_ptr(m.arena, maddr);

	iommuabs_sim_dev_store64(at, value);
	if (m.noncoherent)
		iommuabs_sim_cache_clean(at, sizeof(*at));
	iommuabs_sim_dev_mb();
}

static uint64_t page(void)
{
	uint64_t maddr;

	ck_assert_int_eq(iommuabs_sim_alloc(m.arena, 12, &maddr), 0);
	iommuabs_sim_dev_zero(iommuabs_sim_ptr(m.arena, maddr), 4096);
	if (m.noncoherent)
		iommuabs_sim_cache_clean(iommuabs_sim_ptr(m.arena, maddr),
					 4096);
	iommuabs_sim_dev_mb();
	return maddr;
}

/* Pages of firmware: root, contexts, a table of three levels. */
static uint64_t firmware[5];

/* MFN is where it is for SID; for nobody else is anything. */
static void firmware_tables(void)
{
	unsigned int i;

	for (i = 0; i < 5; i++)
		firmware[i] = page();
	store(firmware[4] + 8 * (MFN % 512), MFN << 12 | 3);
	store(firmware[3] + 8 * (MFN >> 9 & 511), firmware[4] | 3);
	store(firmware[2] + 8 * (MFN >> 18 & 511), firmware[3] | 3);
	store(firmware[1] + 16 * SID + 8, 1 | 3 << 8);
	store(firmware[1] + 16 * SID, firmware[2] | 1);
	store(firmware[0], firmware[1] | 1);
}

static void firmware_enables(void)
{
	firmware_tables();
	vtd_firmware_command(&m, 0, WBF);
	vtd_reg_write(&m, RTADDR, 8, firmware[0]);
	vtd_firmware_command(&m, 0, SRTP);
	vtd_reg_write(&m, CCMD, 8, 1ull << 63 | 1ull << 61);
	while (vtd_reg(&m, CCMD, 8) >> 63)
		;
	vtd_reg_write(&m, IOTLB, 8, 1ull << 63 | 1ull << 60);
	while (vtd_reg(&m, IOTLB, 8) >> 63)
		;
	vtd_firmware_command(&m, 0, TE);
}

static void firmware_gone(void)
{
	unsigned int i;

	for (i = 0; i < 5; i++)
		iommuabs_sim_free(m.arena, firmware[i], 12);
}

/*
 * What both let through is never blocked, what both block never gets through; the
 * tables are of firmware's mode, whatever else the unit can.
 */
START_TEST(a_unit_that_firmware_enabled_is_taken_over_without_a_window)
{
	const enum vtd_kind kind = (enum vtd_kind)_i;
	struct iommuabs_sim_probe *both, *neither;
	uint64_t queue;

	vtd_machine_make(&m, kind, NULL);
	firmware_enables();
	queue = page();
	if (kind != VTD_REGISTERS) {
		vtd_reg_write(&m, IQA, 8, queue);
		vtd_firmware_command(&m, 0, QIE);
	}
	driver_machine_probe(&m);
	ops = m.unit.ops;
	driver_guest_new(&m, &g, ID, 39);
	driver_guest_map(&g, MFN, MFN, 1, RW);
	attach();
	both = probe(SID, MFN);
	neither = probe(SID + 1, MFN);
	allow(both, MFN << 12, MFN << 12);
	allow(neither, IOMMUABS_SIM_BLOCKED, IOMMUABS_SIM_BLOCKED);
	ck_assert_int_eq(ops->enable(&m.unit), 0);
	ck_assert_uint_eq(vtd_reg(&m, RTADDR, 8) & 0xc00, 0);
	/* Nothing of firmware's is used any more. */
	firmware_gone();
	iommuabs_sim_free(m.arena, queue, 12);
	iommuabs_sim_probe_any(both);
	driver_guest_unmap(&g, MFN, 1);
	ck_assert_int_eq(forget(MFN), 0);
	allow(both, IOMMUABS_SIM_BLOCKED, IOMMUABS_SIM_BLOCKED);
	ck_assert_int_eq(ops->disable(&m.unit), 0);
	iommuabs_sim_probe_remove(both);
	iommuabs_sim_probe_remove(neither);
	finish();
}
END_TEST

/* A mode can't change without turning translation off. */
START_TEST(a_unit_that_woke_up_in_another_mode_is_refused)
{
	machine(VTD_SCALABLE, NULL);
	attach();
	firmware_enables();
	ck_assert_int_eq(ops->enable(&m.unit), IOMMUABS_E_UNIT);
	ck_assert_ptr_nonnull(strstr(m.unit.reason, "TTM"));
	/* Nor does it count as blocked: it goes on by firmware's tables. */
	ck_assert_int_eq(ops->fence(&m.unit), IOMMUABS_E_TIMEOUT);
	ck_assert_int_eq(ops->disable(&m.unit), IOMMUABS_E_TIMEOUT);
	ck_assert_int_eq(ops->crash_block(&m.unit), IOMMUABS_E_TIMEOUT);
	driver_no_violations(&m);
	iommuabs_sim_unit_reset(m.sim);
	firmware_gone();
	ck_assert_int_eq(ops->enable(&m.unit), 0);
	finish();
}
END_TEST

/* All ones are no mode, though the fields that say which are all ones too. */
START_TEST(a_unit_that_is_gone_is_said_to_be_gone)
{
	machine(VTD_PLAIN, NULL);
	iommuabs_sim_plant(m.sim, IOMMUABS_SIM_DEAD, 1, 0);
	ck_assert_int_eq(ops->enable(&m.unit), IOMMUABS_E_TIMEOUT);
	ck_assert_ptr_nonnull(strstr(m.unit.reason, "does not answer"));
	iommuabs_sim_heal(m.sim);
	ck_assert_int_eq(ops->enable(&m.unit), 0);
	finish();
}
END_TEST

/* Nor does it wait for another command that nobody gives. */
START_TEST(after_a_command_that_timed_out_there_are_others)
{
	machine((enum vtd_kind)_i, NULL);
	driver_guest_map(&g, GFN, MFN, 1, RW);
	attach();
	iommuabs_sim_plant(m.sim, IOMMUABS_SIM_CR0_IGNORED, 1, 0);
	ck_assert_int_eq(ops->enable(&m.unit), IOMMUABS_E_TIMEOUT);
	iommuabs_sim_heal(m.sim);
	ck_assert_int_eq(ops->enable(&m.unit), 0);
	ck_assert_int_eq(dma(GFN), 1);
	finish();
}
END_TEST

static void tune_protected(struct iommuabs_sim_vtd_config *config)
{
	config->plmr = 1;
}

static bool opened_too_early;

static void watch_protection(void *ctx, uint64_t addr, unsigned int width,
			     uint64_t value)
{
	uint32_t gsts = (uint32_t)vtd_reg(&m, GSTS, 4);

	(void)ctx;
	if (addr == VTD_TEST_BASE + PMEN && !(gsts & TE))
		opened_too_early = true;
	iommuabs_sim_mmio_write(m.arena, addr, width, value);
}

START_TEST(protected_memory_is_opened_when_translation_protects)
{
	vtd_machine_make(&m, (enum vtd_kind)_i, tune_protected);
	m.host.ops.mmio_write = watch_protection;
	vtd_reg_write(&m, 0x68, 4, 0x1000);
	vtd_reg_write(&m, 0x6c, 4, 0x2000);
	vtd_reg_write(&m, PMEN, 4, 1u << 31);
	while (!(vtd_reg(&m, PMEN, 4) & 1))
		;
	driver_machine_probe(&m);
	ops = m.unit.ops;
	driver_guest_new(&m, &g, ID, 39);
	opened_too_early = false;
	ck_assert_int_eq(ops->enable(&m.unit), 0);
	ck_assert_uint_eq(vtd_reg(&m, PMEN, 4), 0);
	ck_assert(!opened_too_early);
	finish();
}
END_TEST

static unsigned int pmen_reads;

/* 11.4.8: firmware has just told it, and it takes a while. */
static uint64_t still_protected(void *ctx, uint64_t addr, unsigned int width)
{
	(void)ctx;
	if (addr == VTD_TEST_BASE + PMEN)
		return ++pmen_reads < 4;
	return iommuabs_sim_mmio_read(m.arena, addr, width);
}

/* CAP.PHMR for CAP.PLMR: one region, above 4 GiB. */
static uint64_t read_high_region(void *ctx, uint64_t addr, unsigned int width)
{
	uint64_t value = iommuabs_sim_mmio_read(m.arena, addr, width);

	(void)ctx;
	return addr == VTD_TEST_BASE + 8 ? (value & ~0x20ull) | 0x40 : value;
}

START_TEST(a_high_region_is_opened_as_a_low_one_is)
{
	vtd_machine_make(&m, VTD_PLAIN, tune_protected);
	m.host.ops.mmio_read = read_high_region;
	vtd_reg_write(&m, PMEN, 4, 1u << 31);
	driver_machine_probe(&m);
	ops = m.unit.ops;
	driver_guest_new(&m, &g, ID, 39);
	ck_assert_int_eq(ops->enable(&m.unit), 0);
	ck_assert_uint_eq(vtd_reg(&m, PMEN, 4), 0);
	finish();
}
END_TEST

/* Nothing else protects it. */
START_TEST(protected_memory_of_a_unit_that_does_not_start_stays_so)
{
	machine(VTD_REGISTERS, tune_protected);
	vtd_reg_write(&m, PMEN, 4, 1u << 31);
	while (!(vtd_reg(&m, PMEN, 4) & 1))
		;
	iommuabs_sim_plant(m.sim, IOMMUABS_SIM_CR0_IGNORED, 1, 0);
	ck_assert_int_eq(ops->enable(&m.unit), IOMMUABS_E_TIMEOUT);
	ck_assert_uint_eq(vtd_reg(&m, PMEN, 4), 1u << 31 | 1);
	iommuabs_sim_heal(m.sim);
	ck_assert_int_eq(ops->enable(&m.unit), 0);
	ck_assert_uint_eq(vtd_reg(&m, PMEN, 4), 0);
	finish();
}
END_TEST

static uint64_t read_status_gone(void *ctx, uint64_t addr, unsigned int width)
{
	(void)ctx;
	if (addr == VTD_TEST_BASE + GSTS)
		return 0xffffffff;
	return iommuabs_sim_mmio_read(m.arena, addr, width);
}

static void write_nowhere(void *ctx, uint64_t addr, unsigned int width,
			  uint64_t value)
{
	(void)ctx;
	(void)addr;
	(void)width;
	(void)value;
}

/* All ones say that everything asked for is on. */
START_TEST(a_status_of_all_ones_acknowledges_nothing)
{
	struct iommuabs_host host;

	machine(VTD_REGISTERS, NULL);
	host = m.host.ops;
	m.host.ops.mmio_read = read_status_gone;
	m.host.ops.mmio_write = write_nowhere;
	ck_assert_int_eq(vtd_command_on(vtd_of(&m.unit), SRTP, "SRTP"),
			 IOMMUABS_E_TIMEOUT);
	m.host.ops = host;
	finish();
}
END_TEST

START_TEST(protected_memory_that_is_being_opened_is_waited_for)
{
	machine(VTD_PLAIN, tune_protected);
	m.host.ops.mmio_read = still_protected;
	pmen_reads = 0;
	ck_assert_int_eq(ops->enable(&m.unit), 0);
	ck_assert_uint_eq(pmen_reads, 4);
	finish();
}
END_TEST

/* What stopped firmware's queue is no error of ours. */
START_TEST(a_queue_that_firmware_left_stopped_starts_anew)
{
	static const enum vtd_kind kinds[] = { VTD_PLAIN, VTD_SCALABLE,
					       VTD_VERSION_6 };
	uint64_t queue;

	vtd_machine_make(&m, kinds[_i], NULL);
	queue = page();
	store(queue, 1 | 1 << 4); /* all contexts */
	vtd_reg_write(&m, IQA, 8, queue);
	vtd_firmware_command(&m, 0, QIE);
	iommuabs_sim_plant(m.sim, IOMMUABS_SIM_CMD_ILLEGAL, 1, 0);
	vtd_reg_write(&m, IQT, 8, 16);
	while (!(vtd_reg(&m, FSTS, 4) & IQE))
		;
	driver_machine_probe(&m);
	ops = m.unit.ops;
	driver_guest_new(&m, &g, ID, 39);
	ck_assert_int_eq(ops->enable(&m.unit), 0);
	ck_assert_uint_eq(vtd_reg(&m, FSTS, 4) & IQE, 0);
	ck_assert_uint_eq(m.unit.errors, 0);
	/* Nor was it waited for, as it goes no further. */
	ck_assert_str_eq(m.unit.reason, "");
	iommuabs_sim_free(m.arena, queue, 12);
	finish();
}
END_TEST

/* ---- blocked ---- */

/* The end of what is waited for is read in a register: nobody takes a message. */
START_TEST(a_fence_by_a_queue_of_its_own_interrupts_nobody)
{
	static const enum vtd_kind kinds[] = { VTD_SCALABLE, VTD_VERSION_6 };

	machine(kinds[_i], NULL);
	ck_assert_int_eq(ops->enable(&m.unit), 0);
	vtd_reg_write(&m, IECTL, 4, 0); /* as firmware left it */
	ck_assert_int_eq(ops->fence(&m.unit), 0);
	ck_assert_uint_eq(vtd_reg(&m, IECTL, 4) >> 31, 1);
	finish();
}
END_TEST

/* Before the unit was ever enabled: what it is told of is in memory. */
START_TEST(a_fence_may_come_first_of_all)
{
	struct iommuabs_sim_probe *p;

	vtd_machine_new(&m, (enum vtd_kind)_i, NULL);
	ops = m.unit.ops;
	ck_assert_int_eq(ops->fence(&m.unit), 0);
	p = probe(SID, GFN);
	allow(p, IOMMUABS_SIM_BLOCKED, IOMMUABS_SIM_BLOCKED);
	iommuabs_sim_probe_remove(p);
	driver_machine_delete(&m);
}
END_TEST

static const struct iommuabs_irq_target target = {
	.size = sizeof(target),
	.vector = 0x31,
	.destination = 1,
};

/* A unit that did not acknowledge a fence isn't waited for, until it is back. */
START_TEST(interrupts_go_on_when_a_unit_that_was_lost_is_back)
{
	const struct backend_irq irq = { &target, SID, SID };

	vtd_machine_make(&m, VTD_PLAIN, NULL);
	m.host.ops.flags |= IOMMUABS_HOST_REMAPS_IRQS;
	driver_machine_probe(&m);
	ops = m.unit.ops;
	driver_guest_new(&m, &g, ID, 39);
	ck_assert_int_eq(ops->enable(&m.unit), 0);
	iommuabs_sim_plant(m.sim, IOMMUABS_SIM_CR0_IGNORED, 1, 0);
	ck_assert_int_eq(ops->fence(&m.unit), IOMMUABS_E_TIMEOUT);
	ck_assert_int_eq(ops->irq_set(&m.unit, 5, &irq), IOMMUABS_E_TIMEOUT);
	iommuabs_sim_heal(m.sim);
	ck_assert_int_eq(ops->enable(&m.unit), 0);
	ck_assert_int_eq(ops->irq_set(&m.unit, 5, &irq), 0);
	/* Nor is one waited for that was stopped: it remaps by no entry. */
	ck_assert_int_eq(ops->disable(&m.unit), 0);
	ck_assert_int_eq(ops->irq_set(&m.unit, 5, NULL), 0);
	finish();
}
END_TEST

/* Whatever the queue was doing. */
START_TEST(a_fence_blocks_with_the_queue_stuck)
{
	machine((enum vtd_kind)_i, NULL);
	driver_guest_map(&g, GFN, MFN, 2, RW);
	attach();
	ck_assert_int_eq(ops->enable(&m.unit), 0);
	ck_assert_int_eq(dma(GFN), 1);
	if (_i != VTD_REGISTERS) {
		iommuabs_sim_plant(m.sim, IOMMUABS_SIM_CMDQ_HANG, 0, 0);
		driver_guest_unmap(&g, GFN, 1);
		ck_assert_int_eq(forget(GFN), IOMMUABS_E_TIMEOUT);
	}
	ck_assert_int_eq(ops->fence(&m.unit), 0);
	ck_assert_int_eq(dma(GFN), 0);
	ck_assert_int_eq(dma(GFN + 1), 0);
	ck_assert_uint_ne(vtd_reg(&m, GSTS, 4) & TE, 0);
	ck_assert_uint_eq(vtd_reg(&m, GSTS, 4) & QIE, 0);
	ck_assert_int_eq(ops->enable(&m.unit), 0);
	ck_assert_int_eq(dma(GFN + 1), 1);
	finish();
}
END_TEST

START_TEST(after_a_crash_nothing_gets_through)
{
	struct iommuabs_sim_probe *p;

	machine((enum vtd_kind)_i, NULL);
	driver_guest_map(&g, GFN, MFN, 1, RW);
	attach();
	ck_assert_int_eq(ops->enable(&m.unit), 0);
	ck_assert_int_eq(dma(GFN), 1);
	if (_i != VTD_REGISTERS) {
		iommuabs_sim_plant(m.sim, IOMMUABS_SIM_CMDQ_HANG, 0, 0);
		ck_assert_int_eq(forget(GFN), IOMMUABS_E_TIMEOUT);
	}
	ck_assert_int_eq(ops->crash_block(&m.unit), 0);
	p = probe(SID, GFN);
	allow(p, IOMMUABS_SIM_BLOCKED, IOMMUABS_SIM_BLOCKED);
	iommuabs_sim_probe_remove(p);
	ck_assert_uint_ne(vtd_reg(&m, GSTS, 4) & TE, 0);
	finish();
}
END_TEST

static unsigned int other_cpus;

/* One that has not heard of the crash, in the midst of it. */
static void forget_while_crashing(void *ctx, uint64_t addr, unsigned int width,
				  uint64_t value)
{
	uint64_t tail = vtd_reg(&m, IQT, 8);

	(void)ctx;
	iommuabs_sim_mmio_write(m.arena, addr, width, value);
	if (addr != VTD_TEST_BASE + GCMD || !(value & SRTP) || other_cpus++)
		return;
	ck_assert_int_eq(forget(GFN), IOMMUABS_E_TIMEOUT);
	ck_assert_uint_eq(vtd_reg(&m, IQT, 8), tail);
}

START_TEST(after_a_crash_no_other_cpu_gets_a_descriptor_in)
{
	static const enum vtd_kind kinds[] = { VTD_PLAIN, VTD_SCALABLE,
					       VTD_VERSION_6 };
	void (*mmio_write)(void *ctx, uint64_t addr, unsigned int width,
			   uint64_t value);

	machine(kinds[_i], NULL);
	attach();
	ck_assert_int_eq(ops->enable(&m.unit), 0);
	mmio_write = m.host.ops.mmio_write;
	m.host.ops.mmio_write = forget_while_crashing;
	other_cpus = 0;
	ck_assert_int_eq(ops->crash_block(&m.unit), 0);
	ck_assert_uint_eq(other_cpus, 1);
	m.host.ops.mmio_write = mmio_write;
	finish();
}
END_TEST

/* ---- what a unit may still read is never somebody else's ---- */

START_TEST(memory_of_a_unit_that_cannot_be_stopped_is_kept)
{
	static const enum iommuabs_sim_fault faults[] = {
		IOMMUABS_SIM_CR0_IGNORED,
		IOMMUABS_SIM_DEAD,
	};

	machine((enum vtd_kind)(_i / 2), NULL);
	driver_guest_map(&g, GFN, MFN, 1, RW);
	attach();
	ck_assert_int_eq(ops->enable(&m.unit), 0);
	iommuabs_sim_plant(m.sim, faults[_i % 2], 1, 0);
	ck_assert_int_eq(ops->disable(&m.unit), IOMMUABS_E_TIMEOUT);
	ops->release(&m.unit);
	m.unit.priv = NULL;
	/* Root, contexts, blank, at the least. */
	ck_assert_uint_ge(iommuabs_sim_pages_used(m.arena), 3);
	ck_assert_uint_eq(
		iommuabs_sim_violations_of(m.arena, IOMMUABS_SIM_V_FREED), 0);
	iommuabs_sim_heal(m.sim);
	iommuabs_sim_plant(m.sim, IOMMUABS_SIM_DEAD, 0, 0);
	/* The stream is let in until the power goes; so are its tables. */
	ck_assert_int_eq(dma(GFN), 1);
	iommuabs_sim_unit_reset(m.sim);
	driver_guest_delete(&g);
	ck_assert_uint_eq(m.account.used, 0);
	driver_no_violations(&m);
	iommuabs_sim_arena_destroy(m.arena);
}
END_TEST

/* Also what a fence was begun with before the unit was ever enabled. */
START_TEST(memory_of_a_unit_that_a_fence_left_running_is_kept)
{
	static const enum vtd_kind kinds[] = { VTD_SCALABLE, VTD_VERSION_6 };

	machine(kinds[_i], NULL);
	iommuabs_sim_plant(m.sim, IOMMUABS_SIM_CMDQ_HANG, 0, 0);
	ck_assert_int_eq(ops->fence(&m.unit), IOMMUABS_E_TIMEOUT);
	ck_assert_uint_ne(vtd_reg(&m, GSTS, 4) & QIE, 0);
	ops->release(&m.unit);
	m.unit.priv = NULL;
	iommuabs_sim_heal(m.sim);
	iommuabs_sim_unit_reset(m.sim);
	driver_guest_delete(&g);
	ck_assert_uint_eq(m.account.used, 0);
	driver_no_violations(&m);
	iommuabs_sim_arena_destroy(m.arena);
}
END_TEST

/* ---- turned off while others wait ---- */

static bool stops_now;

/* Read by who looks again, having found a wait that isn't over. */
static uint64_t stop_at_status(void *ctx, uint64_t addr, unsigned int width)
{
	(void)ctx;
	if (addr == VTD_TEST_BASE + FSTS && stops_now) {
		stops_now = false;
		ck_assert_int_eq(ops->disable(&m.unit), 0);
	}
	return iommuabs_sim_mmio_read(m.arena, addr, width);
}

/* The queue that interrupts are blocked by is none of theirs. */
START_TEST(who_waits_while_a_unit_is_stopped_is_told)
{
	uint64_t (*mmio_read)(void *ctx, uint64_t addr, unsigned int width);
	struct iommuabs_sim_counters before, after;

	vtd_machine_make(&m, (enum vtd_kind)_i, NULL);
	m.host.ops.flags |= IOMMUABS_HOST_REMAPS_IRQS;
	driver_machine_probe(&m);
	ops = m.unit.ops;
	ck_assert_uint_eq(m.unit.caps.irqs != 0, _i != VTD_REGISTERS);
	driver_guest_new(&m, &g, ID, 39);
	driver_guest_map(&g, GFN, MFN, 1, RW);
	attach();
	ck_assert_int_eq(ops->enable(&m.unit), 0);
	iommuabs_sim_plant(m.sim, IOMMUABS_SIM_SYNC_DELAY, 4, 0);
	mmio_read = m.host.ops.mmio_read;
	m.host.ops.mmio_read = stop_at_status;
	stops_now = _i != VTD_REGISTERS;
	driver_guest_unmap(&g, GFN, 1);
	iommuabs_sim_counters(m.sim, &before);
	ck_assert_int_eq(forget(GFN), 0);
	iommuabs_sim_counters(m.sim, &after);
	ck_assert(!stops_now);
	/* Off as it is, it was told to forget the interrupts that it had. */
	ck_assert_uint_eq(after.by_opcode[IEC] - before.by_opcode[IEC],
			  _i != VTD_REGISTERS);
	m.host.ops.mmio_read = mmio_read;
	finish();
}
END_TEST

static unsigned int told_so_early;

/* Another CPU's removal, while the unit goes by the table that it is to give up. */
static void remove_while_stopping(void *ctx, uint64_t addr, unsigned int width,
				  uint64_t value)
{
	(void)ctx;
	if (addr == VTD_TEST_BASE + GCMD && value & SRTP && stops_now) {
		stops_now = false;
		driver_guest_unmap(&g, GFN, 1);
		told_so_early = !forget(GFN);
	}
	iommuabs_sim_mmio_write(m.arena, addr, width, value);
}

/* Who is told that it is forgotten gives tables back: not before the unit, which
 * takes no descriptor any more, blocks. */
START_TEST(nobody_is_told_before_a_unit_that_is_stopped_blocks)
{
	void (*mmio_write)(void *ctx, uint64_t addr, unsigned int width,
			   uint64_t value);

	machine((enum vtd_kind)_i, NULL);
	driver_guest_map(&g, GFN, MFN, 2, RW);
	attach();
	ck_assert_int_eq(ops->enable(&m.unit), 0);
	mmio_write = m.host.ops.mmio_write;
	m.host.ops.mmio_write = remove_while_stopping;
	stops_now = true;
	told_so_early = 0;
	ck_assert_int_eq(ops->disable(&m.unit), 0);
	ck_assert(!stops_now);
	ck_assert_uint_eq(told_so_early, 0);
	/* It forgot all: from here on nobody waits, and tables may go. */
	driver_guest_unmap(&g, GFN + 1, 1);
	ck_assert_int_eq(forget(GFN + 1), 0);
	m.host.ops.mmio_write = mmio_write;
	finish();
}
END_TEST

/* ---- a queue that is full ---- */

/* As many as @nr descriptors of pages, and the wait. */
static int forget_many(uint32_t nr)
{
	struct backend_range ranges[12];
	const struct backend_inv inv = { ID, ranges, nr, 0, 12 };
	uint32_t i;

	for (i = 0; i < nr; i++)
		ranges[i] = (struct backend_range){ GFN + 2 * i, 1 };
	return ops->invalidate(&m.unit, &inv, NULL);
}

/* 6.5.2: a queue whose tail met its head would be empty. */
START_TEST(a_queue_is_filled_but_for_one_place)
{
	const bool scalable = _i & 1;
	const uint32_t free = _i & 2 ? 0 : 1;
	uint32_t left = scalable ? 128 : 256;

	machine(scalable ? VTD_SCALABLE : VTD_PLAIN, NULL);
	attach();
	ck_assert_int_eq(ops->enable(&m.unit), 0);
	iommuabs_sim_plant(m.sim, IOMMUABS_SIM_CMDQ_HANG, 0, 0);
	for (; left > 13; left -= 13)
		ck_assert_int_eq(forget_many(12), IOMMUABS_E_TIMEOUT);
	ck_assert_int_eq(forget_many(left - free - 1), IOMMUABS_E_TIMEOUT);
	ck_assert_ptr_nonnull(strstr(m.unit.reason, free ? "wait" : "no room"));
	iommuabs_sim_heal(m.sim);
	ck_assert_int_eq(ops->fence(&m.unit), 0);
	finish();
}
END_TEST

/* ---- the same by the whole library ---- */

static const enum rig_kind rigs[] = {
	RIG_VTD,	 RIG_VTD_SCALABLE,  RIG_VTD_NONCOHERENT,
	RIG_VTD_CACHING, RIG_VTD_REGISTERS,
};
#define NR_RIGS ((int)IA_COUNT(rigs))

/* What was in the way is over when the last memory is given back. */
START_TEST(an_instance_that_is_destroyed_tries_once_more_to_stop_its_units)
{
	struct rig rig;

	rig_new(&rig, rigs[_i]);
	rig.hurry_us = 1000;
	iommuabs_sim_plant(rig.sim, IOMMUABS_SIM_CR0_IGNORED, 1, 0);
	ck_assert_int_eq(iommuabs_stop(rig.lib), IOMMUABS_E_TIMEOUT);
	iommuabs_sim_heal(rig.sim);
	ck_assert_int_eq(iommuabs_destroy(rig.lib), 0);
	rig_delete(&rig);
}
END_TEST

#if IOMMUABS_CONFIG_ACPI

static const void *find_dmar(void *arg, const char signature[4], size_t *size)
{
	struct test_acpi *acpi = arg;

	if (memcmp(signature, "DMAR", 4))
		return NULL;
	*size = acpi->size;
	return acpi->table;
}

/* A unit with a device, which has a region. */
static int describe_by_dmar(struct rig *rig)
{
	const uint64_t region = rig_frame(rig, 5) << 12;
	struct test_acpi *acpi;
	char text[256];
	int ret;

	snprintf(text, sizeof(text),
		 "table DMAR 1 b:38 b:0 z:10\n"
		 "{0 b:0 b:0 w:0 q:%#llx (1 z:2 b:0 b:0 b:3 b:0 ) }\n"
		 "{1 z:2 w:0 q:%#llx q:%#llx (1 z:2 b:0 b:0 b:3 b:0 ) }\n"
		 "---\n",
		 (unsigned long long)RIG_UNIT_BASE, (unsigned long long)region,
		 (unsigned long long)region + 0x1fff);
	acpi = test_acpi_parse(text);
	ret = iommuabs_scan_acpi(rig->lib, find_dmar, acpi);
	test_acpi_free(acpi);
	return ret;
}

/*
 * What firmware's own use of a device needs is there at every moment, from before
 * translation is on; and nothing else once it is.
 */
START_TEST(regions_of_a_dmar_are_in_force_before_translation_is_on)
{
	const struct iommuabs_domain_config config = {
		.size = sizeof(config),
		.flags = IOMMUABS_DOMAIN_HOST,
		.input_bits = 39,
	};
	struct iommuabs_sim_probe *probe;
	struct iommuabs_device *dev;
	struct iommuabs_domain *dom;
	struct rig rig;
	uint64_t frame, maddr;

	rig_machine(&rig, rigs[_i]);
	rig.describe = describe_by_dmar;
	ck_assert_int_eq(rig_library(&rig), 0);
	frame = rig_frame(&rig, 5);
	maddr = frame << 12;
	ck_assert_int_eq(iommuabs_device_find_pci(
				 rig.lib, IOMMUABS_PCI(0, 0, 3, 0), &dev),
			 0);
	ck_assert_int_eq(iommuabs_domain_create(rig.lib, &config, &dom), 0);
	ck_assert_int_eq(rig_attach(dev, dom), 0);
	probe = iommuabs_sim_probe_add(rig.sim, SID, maddr,
				       IOMMUABS_SIM_DMA_WRITE);
	ck_assert_uint_eq(iommuabs_sim_probe_allow(probe, &maddr, 1), 0);
	ck_assert_int_eq(iommuabs_start(rig.lib), 0);
	ck_assert_uint_eq(rig_write(&rig, SID, frame), frame);
	ck_assert_uint_eq(rig_write(&rig, SID, frame + 1), frame + 1);
	ck_assert_uint_eq(rig_write(&rig, SID, frame + 2), UINT64_MAX);
	iommuabs_sim_probe_remove(probe);
	ck_assert_int_eq(iommuabs_domain_map(dom, IOMMUABS_GFN(frame),
					     IOMMUABS_MFN(frame + 3), 1, RW,
					     NULL),
			 IOMMUABS_E_RESERVED);
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	ck_assert_uint_eq(rig_write(&rig, SID, frame), UINT64_MAX);
	ck_assert_int_eq(iommuabs_domain_destroy(dom, 0), 0);
	rig_end(&rig);
}
END_TEST

#endif

static void add_tests(Suite *s)
{
	TCase *tc = tcase_create("control");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(
		tc, reserved_regions_are_in_force_before_translation_is_on, 0,
		VTD_KINDS);
	tcase_add_loop_test(tc, what_is_attached_before_the_start_is_there_then,
			    0, VTD_KINDS);
	tcase_add_loop_test(
		tc, a_unit_that_firmware_enabled_is_taken_over_without_a_window,
		0, VTD_VERSION_6);
	tcase_add_test(tc, a_unit_that_woke_up_in_another_mode_is_refused);
	tcase_add_test(tc, a_unit_that_is_gone_is_said_to_be_gone);
	tcase_add_loop_test(tc, after_a_command_that_timed_out_there_are_others,
			    0, VTD_KINDS);
	tcase_add_loop_test(
		tc, protected_memory_is_opened_when_translation_protects, 0,
		VTD_KINDS);
	tcase_add_test(tc, a_high_region_is_opened_as_a_low_one_is);
	tcase_add_test(tc,
		       protected_memory_of_a_unit_that_does_not_start_stays_so);
	tcase_add_test(tc, a_status_of_all_ones_acknowledges_nothing);
	tcase_add_test(tc, protected_memory_that_is_being_opened_is_waited_for);
	tcase_add_loop_test(tc, a_queue_that_firmware_left_stopped_starts_anew,
			    0, 3);
	tcase_add_loop_test(tc, a_fence_by_a_queue_of_its_own_interrupts_nobody,
			    0, 2);
	tcase_add_loop_test(tc, a_fence_may_come_first_of_all, 0, VTD_KINDS);
	tcase_add_test(tc, interrupts_go_on_when_a_unit_that_was_lost_is_back);
	tcase_add_loop_test(tc, a_fence_blocks_with_the_queue_stuck, 0,
			    VTD_KINDS);
	tcase_add_loop_test(tc, after_a_crash_nothing_gets_through, 0,
			    VTD_KINDS);
	tcase_add_loop_test(tc, after_a_crash_no_other_cpu_gets_a_descriptor_in,
			    0, 3);
	tcase_add_loop_test(tc, a_queue_is_filled_but_for_one_place, 0, 4);
	tcase_add_loop_test(tc, memory_of_a_unit_that_cannot_be_stopped_is_kept,
			    0, 2 * VTD_KINDS);
	tcase_add_loop_test(
		tc, memory_of_a_unit_that_a_fence_left_running_is_kept, 0, 2);
	tcase_add_loop_test(tc, who_waits_while_a_unit_is_stopped_is_told, 0,
			    VTD_KINDS);
	tcase_add_loop_test(tc,
			    nobody_is_told_before_a_unit_that_is_stopped_blocks,
			    0, VTD_REGISTERS);
	tcase_add_loop_test(
		tc,
		an_instance_that_is_destroyed_tries_once_more_to_stop_its_units,
		0, NR_RIGS);
#if IOMMUABS_CONFIG_ACPI
	tcase_add_loop_test(
		tc, regions_of_a_dmar_are_in_force_before_translation_is_on, 0,
		NR_RIGS);
#endif
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
	Suite *s = suite_create("vtd_control");

	if (suite_needs(s, IOMMUABS_UNIT_VTD))
		add_tests(s);
	return s;
}

HARNESS_MAIN(suite)
