/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a unit tells: events, errors, interrupts by wire and by message.
 */
#include "test_smmu.h"

#include <string.h>

#include "harness.h"
#include "backends/smmu/smmuv3.h"
#include "test_needs.h"

#if IOMMUABS_CONFIG_SMMU

#define SID ((uint32_t)3)
#define MSI SMMU_NESTED_EL2

/* ---- what a record says ---- */

/* IHI 0070 7.3: event number, and what the host is to be told. */
static const struct {
	uint8_t id, has_address;
	enum iommuabs_fault_reason reason;
} types[] = {
	{ 0x01, 0, IOMMUABS_FAULT_OTHER },
	{ 0x02, 0, IOMMUABS_FAULT_STREAM },
	{ 0x03, 0, IOMMUABS_FAULT_ENTRY_ABORT },
	{ 0x04, 0, IOMMUABS_FAULT_STREAM },
	{ 0x05, 0, IOMMUABS_FAULT_TRANSLATED },
	{ 0x06, 0, IOMMUABS_FAULT_PASID },
	{ 0x07, 1, IOMMUABS_FAULT_TRANSLATED },
	{ 0x08, 0, IOMMUABS_FAULT_PASID },
	{ 0x09, 0, IOMMUABS_FAULT_ENTRY_ABORT },
	{ 0x0a, 0, IOMMUABS_FAULT_ENTRY },
	{ 0x0b, 1, IOMMUABS_FAULT_WALK_ABORT },
	{ 0x10, 1, IOMMUABS_FAULT_TRANSLATION },
	{ 0x11, 1, IOMMUABS_FAULT_ADDRESS_SIZE },
	{ 0x12, 1, IOMMUABS_FAULT_ACCESS_FLAG },
	{ 0x13, 1, IOMMUABS_FAULT_PERMISSION },
	{ 0x20, 1, IOMMUABS_FAULT_TLB_CONFLICT },
	{ 0x21, 0, IOMMUABS_FAULT_OTHER },
	{ 0x24, 0, IOMMUABS_FAULT_OTHER },
	{ 0x25, 0, IOMMUABS_FAULT_ENTRY_ABORT },
	{ 0xe0, 0, IOMMUABS_FAULT_OTHER }, /* of the implementation */
	{ 0xff, 0, IOMMUABS_FAULT_OTHER },
};

START_TEST(every_type_of_event_has_its_reason_and_keeps_its_words)
{
	struct backend_event event;
	struct driver_machine m;
	unsigned int i, read;
	uint64_t raw[4] = { 0, 0, 0x123456789000, 0x777 };

	smmu_machine_new(&m, 0);
	for (i = 0; i < IA_COUNT(types); i++) {
		for (read = 0; read < 2; read++) {
			raw[0] = types[i].id | (uint64_t)9 << 32;
			raw[1] = (uint64_t)read << 35;
			smmuv3_event_decode(smmuv3_of(&m.unit), raw, &event);
			ck_assert_msg(event.reason == types[i].reason,
				      "event %#x", types[i].id);
			ck_assert_uint_eq(event.stream, 9);
			ck_assert_uint_eq(event.has_address,
					  types[i].has_address);
			ck_assert_mem_eq(event.raw, raw, sizeof(raw));
			ck_assert_uint_eq(event.address,
					  types[i].has_address ? raw[2] : 0);
			ck_assert_uint_eq(event.access,
					  !types[i].has_address ? 0u
					  : read ? (unsigned)IOMMUABS_READ
						 : (unsigned)IOMMUABS_WRITE);
		}
	}
	/* Past what the unit has (16 bits), and an entry that is refused. */
	raw[0] = 0x02 | (uint64_t)0x10000 << 32;
	smmuv3_event_decode(smmuv3_of(&m.unit), raw, &event);
	ck_assert_int_eq(event.reason, IOMMUABS_FAULT_STREAM_RANGE);
	ck_assert_int_eq(m.unit.ops->streams_reserve(&m.unit, SID, 1), 0);
	ck_assert_int_eq(m.unit.ops->stream_set(&m.unit, SID, 1, NULL,
						BACKEND_STREAM_SILENT),
			 0);
	raw[0] = 0x04 | (uint64_t)SID << 32;
	smmuv3_event_decode(smmuv3_of(&m.unit), raw, &event);
	ck_assert_int_eq(event.reason, IOMMUABS_FAULT_ENTRY);
	driver_machine_delete(&m);
}
END_TEST

/* The first id past a linear table: what follows in memory is no entry. */
START_TEST(a_record_of_a_stream_past_the_table_reads_nothing)
{
	uint64_t raw[4] = { 0x04 | (uint64_t)64 << 32, 0, 0, 0 };
	struct backend_stream live;
	struct backend_event event;
	struct driver_machine m;
	uint64_t after;

	smmu_machine_new(&m, SMMU_LINEAR);
	ck_assert_uint_eq(m.unit.caps.stream_bits, 6);
	after = smmuv3_of(&m.unit)->strtab.maddr + 64 * 64;
	iommuabs_sim_dev_store64(iommuabs_sim_ptr(m.arena, after), 1);
	smmuv3_event_decode(smmuv3_of(&m.unit), raw, &event);
	ck_assert_int_eq(event.reason, IOMMUABS_FAULT_STREAM);
	m.unit.ops->read_stream(&m.unit, 64, &live);
	ck_assert_int_eq(live.kind, BACKEND_STREAM_BLOCKED);
	driver_machine_delete(&m);
}
END_TEST

/* ---- errors ---- */

/* GERROR with errors that the model has no means to make. */
static struct {
	struct iommuabs_host ops;
	uint32_t active;
} gerror;

static uint64_t gerror_read(void *ctx, uint64_t addr, unsigned int width)
{
	uint64_t value = gerror.ops.mmio_read(ctx, addr, width);

	return (addr & 0xfffff) == 0x50060 ? value ^ gerror.active : value;
}

static void gerror_write(void *ctx, uint64_t addr, unsigned int width,
			 uint64_t value)
{
	uint64_t now;

	if ((addr & 0xfffff) != 0x50064) {
		gerror.ops.mmio_write(ctx, addr, width, value);
		return;
	}
	now = gerror.ops.mmio_read(ctx, addr, width);
	gerror.active &= ~(uint32_t)(now ^ value);
}

static void gerror_plant(struct driver_machine *m, uint32_t active)
{
	gerror.ops = m->host.ops;
	gerror.active = active;
	m->host.ops.mmio_read = gerror_read;
	m->host.ops.mmio_write = gerror_write;
}

START_TEST(errors_of_every_kind_are_acknowledged_and_counted)
{
	/* PRIQ_ABT, MSI_CMDQ, MSI_EVENTQ, MSI_PRIQ, MSI_GERROR; all of them */
	static const uint32_t errors[] = { 1 << 3, 1 << 4, 1 << 5,
					   1 << 6, 1 << 7, 0xf8 };
	struct driver_machine m;
	uint32_t i, nr = 0;

	smmu_machine_new(&m, SMMU_ABORTS);
	ck_assert_int_eq(m.unit.ops->enable(&m.unit), 0);
	for (i = 0; i < IA_COUNT(errors); i++) {
		gerror_plant(&m, errors[i]);
		m.log_lines = 0;
		ck_assert_int_eq(m.unit.ops->errors(&m.unit), 0);
		ck_assert_uint_eq(gerror.active, 0);
		nr += (uint32_t)__builtin_popcount(errors[i]);
		ck_assert_uint_eq(m.unit.errors, nr);
		ck_assert_uint_ge(m.log_lines, 1);
		m.host.ops = gerror.ops;
	}
	ck_assert_uint_eq(m.unit.events_lost, 0);
	driver_machine_delete(&m);
}
END_TEST

START_TEST(a_service_failure_is_final)
{
	struct driver_machine m;

	smmu_machine_new(&m, SMMU_ABORTS);
	ck_assert_int_eq(m.unit.ops->enable(&m.unit), 0);
	gerror_plant(&m, 1 << 8);
	ck_assert_int_eq(m.unit.ops->errors(&m.unit), IOMMUABS_E_UNIT);
	ck_assert_ptr_nonnull(strstr(m.unit.reason, "SFM_ERR"));
	/* It is not acknowledged away: until a reset it is so. */
	ck_assert_int_eq(m.unit.ops->errors(&m.unit), IOMMUABS_E_UNIT);
	m.host.ops = gerror.ops;
	driver_machine_delete(&m);
}
END_TEST

/* ---- a unit that says more than can be ---- */

static struct {
	struct iommuabs_host ops;
	uint32_t ahead; /* of what EVENTQ_PROD is */
} boaster;

static uint64_t boaster_read(void *ctx, uint64_t addr, unsigned int width)
{
	uint64_t value = boaster.ops.mmio_read(ctx, addr, width);

	return (addr & 0xfffff) == 0x600a8 ? (value + boaster.ahead) & 7
					   : value;
}

/* Of four places five to seven are never in use. */
START_TEST(more_events_than_the_queue_holds_are_none)
{
	struct backend_event events[8];
	struct driver_machine m;

	smmu_machine_new(&m, SMMU_ABORTS | SMMU_TINY_QUEUES);
	ck_assert_int_eq(m.unit.ops->enable(&m.unit), 0);
	boaster.ops = m.host.ops;
	m.host.ops.mmio_read = boaster_read;
	for (boaster.ahead = 5; boaster.ahead < 8; boaster.ahead++)
		ck_assert_uint_eq(m.unit.ops->events(&m.unit, events, 8), 0);
	m.host.ops = boaster.ops;
	driver_machine_delete(&m);
}
END_TEST

static struct {
	struct driver_machine *m;
	struct iommuabs_host ops;
	uint32_t left;
} latecomer;

/* One more, when all were read and the unit does not know that yet. */
static void latecomer_write(void *ctx, uint64_t addr, unsigned int width,
			    uint64_t value)
{
	if ((addr & 0xfffff) == 0x600ac && latecomer.left) {
		latecomer.left--;
		ck_assert_int_eq(driver_dma(latecomer.m, SID, 0x1000, 0), 0);
	}
	latecomer.ops.mmio_write(ctx, addr, width, value);
}

static uint32_t overflow_flag(struct driver_machine *m, uint32_t offset)
{
	return hostif_read32(&m->unit.regs, REG32(offset)) >> 31;
}

/* Whoever reads a full queue learns what it lost meanwhile, if nothing comes any
 * more. */
START_TEST(an_overflow_is_told_where_no_record_is_left)
{
	struct backend_event events[8];
	struct driver_machine m;
	unsigned int i;

	smmu_machine_new(&m, SMMU_ABORTS | SMMU_TINY_QUEUES);
	ck_assert_int_eq(m.unit.ops->enable(&m.unit), 0);
	for (i = 0; i < 4; i++)
		ck_assert_int_eq(driver_dma(&m, SID, 0x1000, 0), 0);
	latecomer.m = &m;
	latecomer.ops = m.host.ops;
	latecomer.left = 1;
	m.host.ops.mmio_write = latecomer_write;
	ck_assert_uint_eq(m.unit.ops->events(&m.unit, events, 8), 4);
	ck_assert_uint_eq(latecomer.left, 0);
	ck_assert_uint_eq(m.unit.events_lost, 1);
	ck_assert_uint_eq(overflow_flag(&m, 0x100a8),
			  overflow_flag(&m, 0x100ac));
	m.host.ops = latecomer.ops;
	driver_machine_delete(&m);
}
END_TEST

/* ---- where records are read ---- */

static struct {
	struct driver_machine *m;
	struct iommuabs_host ops;
	unsigned int records;
	uint64_t barriers; /* when the last was cleaned */
} cleaned;

static uint64_t barriers(struct driver_machine *m)
{
	struct iommuabs_sim_cleans now;

	iommuabs_sim_cleans(m->arena, &now);
	return now.barriers;
}

static void watch_cleans(void *ctx, const void *p, size_t size)
{
	const struct smmuv3_evtq *q = &smmuv3_of(&cleaned.m->unit)->evtq;
	uint64_t at = iommuabs_sim_maddr(cleaned.m->arena, p) - q->maddr;

	if (at < (uint64_t)32 << q->lg2) {
		ck_assert_uint_eq(at, 32 * (uint64_t)cleaned.records);
		ck_assert_uint_eq(size, 32);
		cleaned.records++;
		cleaned.barriers = barriers(cleaned.m);
	}
	cleaned.ops.cache_clean(ctx, p, size);
}

/* Each record of a unit that does not snoop: its line is cleaned, and that waited
 * for, before it is read; one barrier more gives the place back. */
START_TEST(records_are_read_past_a_cache_that_is_stale)
{
	struct backend_event events[4];
	struct driver_machine m;
	uint64_t before;
	unsigned int i;

	smmu_machine_new(&m, SMMU_ABORTS | (_i ? SMMU_NONCOHERENT : 0));
	ck_assert_int_eq(m.unit.ops->enable(&m.unit), 0);
	cleaned.m = &m;
	cleaned.ops = m.host.ops;
	cleaned.records = 0;
	m.host.ops.cache_clean = watch_cleans;
	for (i = 0; i < 3; i++)
		ck_assert_int_eq(driver_dma(&m, SID, 0x1000, 0), 0);
	before = barriers(&m);
	ck_assert_uint_eq(m.unit.ops->events(&m.unit, events, 3), 3);
	ck_assert_uint_eq(cleaned.records, _i ? 3 : 0);
	ck_assert_uint_eq(barriers(&m) - before, _i ? 4 : 1);
	m.host.ops = cleaned.ops;
	driver_machine_delete(&m);
}
END_TEST

/* ---- interrupts ---- */

static uint64_t blocked_dma(struct driver_machine *m)
{
	struct backend_event event;

	ck_assert_int_eq(driver_dma(m, SID, 0x1000, 0), 0);
	return m->unit.ops->events(&m->unit, &event, 1);
}

static uint32_t word_at(struct driver_machine *m, uint64_t maddr)
{
	return *(uint32_t *)iommuabs_sim_ptr(m->arena, maddr);
}

START_TEST(an_event_and_an_error_interrupt_by_wire)
{
	struct driver_machine m;

	smmu_machine_new(&m, SMMU_ABORTS | (_i ? MSI : 0));
	ck_assert_int_eq(m.unit.ops->enable(&m.unit), 0);
	ck_assert_uint_eq(iommuabs_sim_irq_take(m.sim, IOMMUABS_SIM_IRQ_EVENTQ),
			  0);
	ck_assert_uint_eq(blocked_dma(&m), 1);
	ck_assert_uint_ge(iommuabs_sim_irq_take(m.sim, IOMMUABS_SIM_IRQ_EVENTQ),
			  1);
	iommuabs_sim_plant(m.sim, IOMMUABS_SIM_EVENT_ABORT, 1, 0);
	ck_assert_int_eq(driver_dma(&m, SID, 0x1000, 0), 0);
	ck_assert_uint_ge(iommuabs_sim_irq_take(m.sim, IOMMUABS_SIM_IRQ_GERROR),
			  1);
	m.unit.ops->irq(&m.unit, IOMMUABS_IRQ_ERROR);
	ck_assert_int_eq(m.unit.ops->errors(&m.unit), 0);
	ck_assert_uint_eq(m.unit.events_lost, 1);
	ck_assert_uint_eq(m.unit.errors, 1);
	driver_machine_delete(&m);
}
END_TEST

START_TEST(messages_go_where_they_were_told_whenever_that_was)
{
	struct driver_machine m;
	uint64_t page;

	smmu_machine_new(&m, SMMU_ABORTS | MSI);
	ck_assert_int_eq(iommuabs_sim_alloc(m.arena, 12, &page), 0);
	/* Before the unit is enabled, and changed while it runs. */
	ck_assert_int_eq(m.unit.ops->irq_set_msi(&m.unit, IOMMUABS_IRQ_EVENT,
						 page + 8, 0x1234),
			 0);
	ck_assert_int_eq(m.unit.ops->irq_set_msi(&m.unit, IOMMUABS_IRQ_ERROR,
						 page + 16, 0x5678),
			 0);
	ck_assert_int_eq(m.unit.ops->enable(&m.unit), 0);
	ck_assert_uint_eq(blocked_dma(&m), 1);
	ck_assert_uint_eq(word_at(&m, page + 8), 0x1234);
	ck_assert_int_eq(m.unit.ops->irq_set_msi(&m.unit, IOMMUABS_IRQ_EVENT,
						 page + 12, 0x4321),
			 0);
	ck_assert_uint_eq(blocked_dma(&m), 1);
	ck_assert_uint_eq(word_at(&m, page + 12), 0x4321);
	iommuabs_sim_plant(m.sim, IOMMUABS_SIM_EVENT_ABORT, 1, 0);
	ck_assert_int_eq(driver_dma(&m, SID, 0x1000, 0), 0);
	ck_assert_uint_eq(word_at(&m, page + 16), 0x5678);
	ck_assert_uint_eq(iommuabs_sim_irq_take(m.sim, IOMMUABS_SIM_IRQ_EVENTQ),
			  0);
	/* A reset keeps them; address 0 is the wire again. */
	ck_assert_int_eq(m.unit.ops->enable(&m.unit), 0);
	*(uint32_t *)iommuabs_sim_ptr(m.arena, page + 12) = 0;
	ck_assert_uint_eq(blocked_dma(&m), 1);
	ck_assert_uint_eq(word_at(&m, page + 12), 0x4321);
	ck_assert_int_eq(
		m.unit.ops->irq_set_msi(&m.unit, IOMMUABS_IRQ_EVENT, 0, 0), 0);
	ck_assert_uint_eq(blocked_dma(&m), 1);
	ck_assert_uint_ge(iommuabs_sim_irq_take(m.sim, IOMMUABS_SIM_IRQ_EVENTQ),
			  1);
	ck_assert_int_eq(m.unit.ops->disable(&m.unit), 0);
	iommuabs_sim_free(m.arena, page, 12);
	driver_machine_delete(&m);
}
END_TEST

/* 6.3.30: the registers are guarded by IRQ_CTRL, which a fence leaves on. */
START_TEST(messages_told_while_a_unit_is_fenced_go_there)
{
	struct driver_machine m;
	uint64_t page;

	smmu_machine_new(&m, SMMU_ABORTS | MSI);
	ck_assert_int_eq(iommuabs_sim_alloc(m.arena, 12, &page), 0);
	ck_assert_int_eq(m.unit.ops->enable(&m.unit), 0);
	ck_assert_int_eq(m.unit.ops->fence(&m.unit), 0);
	ck_assert_int_eq(m.unit.ops->irq_set_msi(&m.unit, IOMMUABS_IRQ_EVENT,
						 page + 8, 0x1234),
			 0);
	ck_assert_int_eq(m.unit.ops->enable(&m.unit), 0);
	/* 6.3.30, MemAttr: Device-nGnRE. */
	ck_assert_uint_eq(hostif_read32(&m.unit.regs, SMMU_EVENTQ_IRQ_CFG2), 1);
	ck_assert_uint_eq(blocked_dma(&m), 1);
	ck_assert_uint_eq(word_at(&m, page + 8), 0x1234);
	ck_assert_int_eq(m.unit.ops->disable(&m.unit), 0);
	iommuabs_sim_free(m.arena, page, 12);
	driver_machine_delete(&m);
}
END_TEST

START_TEST(a_message_that_cannot_be_is_refused)
{
	static const struct {
		uint32_t unit, flags;
		enum iommuabs_unit_irq_which which;
		uint64_t addr;
		int ret;
	} cases[] = {
		{ 0, 0, IOMMUABS_IRQ_EVENT, 0x1000, IOMMUABS_E_NOTSUP },
		{ 0, 0, IOMMUABS_IRQ_EVENT, 0, 0 },
		{ MSI, IOMMUABS_UNIT_NO_MSI, IOMMUABS_IRQ_EVENT, 0x1000,
		  IOMMUABS_E_NOTSUP },
		{ MSI, 0, IOMMUABS_IRQ_SYNC, 0x1000, IOMMUABS_E_NOTSUP },
		{ MSI, 0, IOMMUABS_IRQ_PRI, 0x1000, IOMMUABS_E_NOTSUP },
		{ MSI, 0, IOMMUABS_IRQ_EVENT, 0x1002, IOMMUABS_E_INVAL },
		{ MSI, 0, IOMMUABS_IRQ_ERROR, 1ull << 44, IOMMUABS_E_INVAL },
		{ MSI, 0, IOMMUABS_IRQ_ERROR, (1ull << 44) - 4, 0 },
	};
	struct driver_machine m;

	smmu_machine_new_tuned(&m, cases[_i].unit, NULL, cases[_i].flags);
	ck_assert_int_eq(m.unit.ops->irq_set_msi(&m.unit, cases[_i].which,
						 cases[_i].addr, 1),
			 cases[_i].ret);
	driver_machine_delete(&m);
}
END_TEST

START_TEST(interrupts_that_are_not_acknowledged_time_out)
{
	struct driver_machine m;

	smmu_machine_new(&m, SMMU_ABORTS | MSI);
	ck_assert_int_eq(m.unit.ops->enable(&m.unit), 0);
	iommuabs_sim_plant(m.sim, IOMMUABS_SIM_WAIT_HANG, 1, 0);
	ck_assert_int_eq(
		m.unit.ops->irq_set_msi(&m.unit, IOMMUABS_IRQ_EVENT, 0x1000, 1),
		IOMMUABS_E_TIMEOUT);
	ck_assert_ptr_nonnull(strstr(m.unit.reason, "IRQ_CTRL"));
	iommuabs_sim_heal(m.sim);
	driver_machine_delete(&m);
}
END_TEST

static void add_tests(Suite *s)
{
	TCase *tc = tcase_create("events");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc,
		       every_type_of_event_has_its_reason_and_keeps_its_words);
	tcase_add_test(tc, a_record_of_a_stream_past_the_table_reads_nothing);
	tcase_add_test(tc, errors_of_every_kind_are_acknowledged_and_counted);
	tcase_add_test(tc, a_service_failure_is_final);
	tcase_add_test(tc, more_events_than_the_queue_holds_are_none);
	tcase_add_test(tc, an_overflow_is_told_where_no_record_is_left);
	tcase_add_loop_test(tc, an_event_and_an_error_interrupt_by_wire, 0, 2);
	tcase_add_test(tc, messages_go_where_they_were_told_whenever_that_was);
	tcase_add_test(tc, messages_told_while_a_unit_is_fenced_go_there);
	tcase_add_loop_test(tc, records_are_read_past_a_cache_that_is_stale, 0,
			    2);
	tcase_add_loop_test(tc, a_message_that_cannot_be_is_refused, 0, 8);
	tcase_add_test(tc, interrupts_that_are_not_acknowledged_time_out);
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
	Suite *s = suite_create("smmuv3_events");

	if (suite_needs(s, IOMMUABS_UNIT_SMMUV3))
		add_tests(s);
	return s;
}

HARNESS_MAIN(suite)
