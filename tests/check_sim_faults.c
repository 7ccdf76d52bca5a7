/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_sim_faults.c - the SMMUv3 model: stalls, global errors, messages, page
 * requests, quirks, loss of power
 */
#include "test_simdrv.h"

#define GERROR_IRQ_CFG0 0x68
#define GERROR_IRQ_CFG1 0x70
#define PRIQ_BASE	0xc0
#define PRIQ_IRQ_CFG0	0xd0
#define PRIQ_IRQ_CFG1	0xd8
#define PRIQ_PROD	0x100c8
#define PRIQ_CONS	0x100cc
#define PRIQEN		2u

#define S2S		  (1ull << 57)
#define RESUME(sid, stag) 0x44 | (uint64_t)(sid) << 32, (stag)
#define RETRY(sid, stag)  0x44 | 1ull << 12 | (uint64_t)(sid) << 32, (stag)
#define STALL_TERM(sid)	  0x45 | (uint64_t)(sid) << 32, 0

static struct iommuabs_sim_dma request;

static int ask(uint64_t addr)
{
	request =
		(struct iommuabs_sim_dma){ .sid = DEV, .addr = addr, .len = 4 };
	return iommuabs_sim_dma(unit, &request);
}

/* ---- stalls ---- */

static void stalling_domain(void)
{
	config.stall_model = 0;
	config.stall_max = 2;
	remake(IOMMUABS_SIM_ADVERSARY);
	one_domain();
	set_ste(DEV, STE0_S2, STE1_SHCFG, STE2(VM) | S2S, root);
}

START_TEST(a_fault_stalls_until_it_is_resumed)
{
	stalling_domain();
	ck_assert_int_eq(ask(GPA + 0x1008), IOMMUABS_SIM_STALLED);
	ck_assert_uint_eq(iommuabs_sim_stalled(unit), 1);
	iommuabs_sim_dev_rmb();
	ck_assert_uint_eq(get(eventq), (uint64_t)DEV << 32 | 0x10);
	/* S2, CLASS = IN, RnW, Stall, STAG */
	ck_assert_uint_eq(get(eventq + 8), 1ull << 39 | 2ull << 40 |
						   1ull << 35 | 1ull << 31 |
						   request.stag);
	ck_assert_int_eq(iommuabs_sim_dma_result(unit, &request),
			 IOMMUABS_SIM_STALLED);
	map(root, GPA + 0x1000, PAGE_RW(PA2));
	ck_assert_int_eq(iommuabs_sim_dma_result(unit, &request),
			 IOMMUABS_SIM_STALLED);
	cmd_sync(RETRY(DEV, request.stag));
	ck_assert_int_eq(iommuabs_sim_dma_result(unit, &request), 1);
	ck_assert_uint_eq(request.maddr, PA2 + 8);
	ck_assert_uint_eq(iommuabs_sim_stalled(unit), 0);
	assert_clean();
}
END_TEST

START_TEST(a_stalled_request_is_terminated)
{
	stalling_domain();
	ck_assert_int_eq(ask(GPA + 0x1000), IOMMUABS_SIM_STALLED);
	switch (_i) {
	case 0:
		cmd_sync(RESUME(DEV, request.stag));
		break;
	case 1:
		cmd_sync(STALL_TERM(DEV));
		break;
	case 2:
		set_cr0(CMDQEN | EVENTQEN);
		break;
	default:
		iommuabs_sim_unit_reset(unit);
	}
	ck_assert_uint_eq(iommuabs_sim_stalled(unit), 0);
	ck_assert_int_eq(iommuabs_sim_dma_result(unit, &request), 0);
	ck_assert_uint_eq(request.done, 0);
	assert_clean();
}
END_TEST

/* 4.7.1: it may be another request's by then. */
START_TEST(what_was_terminated_is_not_resumed)
{
	uint32_t stag;

	stalling_domain();
	ck_assert_int_eq(ask(GPA + 0x1000), IOMMUABS_SIM_STALLED);
	stag = request.stag;
	if (_i)
		cmd_sync(STALL_TERM(DEV));
	else
		cmd_sync(RESUME(DEV, stag));
	assert_clean();
	cmd_sync(RESUME(DEV, stag));
	assert_only(COMMAND);
}
END_TEST

START_TEST(a_retry_may_stall_again)
{
	uint32_t old;

	stalling_domain();
	ck_assert_int_eq(ask(GPA + 0x1000), IOMMUABS_SIM_STALLED);
	old = request.stag;
	cmd_sync(RETRY(DEV, old));
	ck_assert_int_eq(iommuabs_sim_dma_result(unit, &request),
			 IOMMUABS_SIM_STALLED);
	ck_assert_uint_ne(request.stag, old);
	ck_assert_uint_eq(rd(EVENTQ_PROD), 2);
	/* The old tag is nobody's, nor is the new one another stream's. */
	cmd_sync(RETRY(DEV, old));
	assert_only(COMMAND);
	cmd_sync(RESUME(DEV + 1, request.stag));
	assert_only(COMMAND);
	ck_assert_uint_eq(iommuabs_sim_stalled(unit), 1);
	cmd_sync(RESUME(DEV, request.stag));
	ck_assert_int_eq(iommuabs_sim_dma_result(unit, &request), 0);
}
END_TEST

/* STALL_MAX records at most; and none where the queue has no room. */
START_TEST(stalls_beyond_the_limits_wait_for_their_record)
{
	struct iommuabs_sim_dma first, third;
	unsigned int i;

	stalling_domain();
	ck_assert_int_eq(ask(GPA + 0x1000), IOMMUABS_SIM_STALLED);
	first = request;
	ck_assert_int_eq(ask(GPA + 0x2000), IOMMUABS_SIM_STALLED);
	ck_assert_int_eq(ask(GPA + 0x3000), IOMMUABS_SIM_STALLED);
	third = request;
	ck_assert_uint_eq(rd(EVENTQ_PROD), 2);
	ck_assert_uint_eq(iommuabs_sim_stalled(unit), 3);
	cmd_sync(RESUME(DEV, first.stag));
	ck_assert_uint_eq(rd(EVENTQ_PROD), 3);
	cmd_sync(STALL_TERM(DEV));
	ck_assert_int_eq(iommuabs_sim_dma_result(unit, &third), 0);
	/* A full queue. */
	wr(EVENTQ_CONS, 3);
	for (i = 0; i < 1 << EVENTQ_LG2; i++)
		dma(DEV + 1, 0, 0);
	ck_assert_int_eq(ask(GPA + 0x1000), IOMMUABS_SIM_STALLED);
	ck_assert_uint_eq(rd(EVENTQ_PROD) >> 31, 1);
	wr(EVENTQ_CONS, (3 + (1 << EVENTQ_LG2)) | 1u << 31);
	ck_assert_uint_eq(rd(EVENTQ_PROD) & 15, 12);
	assert_clean();
}
END_TEST

START_TEST(the_stall_model_decides_what_is_legal)
{
	config.stall_model = 2;
	config.stall_max = 1;
	remake(IOMMUABS_SIM_FUNCTIONAL);
	one_domain();
	ck_assert_uint_eq(dma(DEV, GPA, 0), BLOCKED);
	ck_assert_uint_eq(last.event, 0x04);
	set_ste(DEV, STE0_S2, STE1_SHCFG, STE2(VM) | S2S, root);
	ck_assert_uint_eq(dma(DEV, GPA, 0), PA);
	set_ste(DEV, 1ull | 5ull << 1, 1ull << 27, 0, 0);
	ck_assert_uint_eq(dma(DEV, GPA, 0), BLOCKED);
	ck_assert_uint_eq(last.event, 0x04);
}
END_TEST

START_TEST(a_probe_takes_a_stall_for_blocked)
{
	struct iommuabs_sim_probe *p;

	stalling_domain();
	p = iommuabs_sim_probe_add(unit, DEV, GPA + 0x1000, 0);
	ck_assert_uint_eq(allow(p, BLOCKED), 0);
	ck_assert_uint_eq(iommuabs_sim_stalled(unit), 0);
	assert_clean();
}
END_TEST

/* ---- global errors ---- */

START_TEST(a_service_failure_stops_everything)
{
	struct iommuabs_sim_probe *p;

	one_domain();
	p = iommuabs_sim_probe_add(unit, DEV, GPA, 0);
	ck_assert_uint_eq(allow(p, PA, BLOCKED), 0);
	iommuabs_sim_plant(unit, IOMMUABS_SIM_SERVICE_FAILURE, 1, 0);
	ck_assert_uint_eq(rd(GERROR), 1u << 8);
	ck_assert_uint_eq(allow(p, BLOCKED), 0);
	ck_assert_uint_eq(dma(DEV, 0, 0), BLOCKED);
	ck_assert_uint_eq(rd(EVENTQ_PROD), 0);
	cmd(SYNC);
	submit();
	ck_assert(!wait_consumed());
	/* The acknowledge is no cure. */
	wr(GERRORN, 1u << 8);
	ck_assert(!wait_consumed());
	iommuabs_sim_unit_reset(unit);
	ck_assert_uint_eq(rd(GERROR), 0);
	iommuabs_sim_probe_remove(p);
	one_domain();
	ck_assert_uint_eq(dma(DEV, GPA, 0), PA);
}
END_TEST

START_TEST(a_tlb_conflict_is_recorded)
{
	one_domain();
	iommuabs_sim_plant(unit, IOMMUABS_SIM_TLB_CONFLICT, 1, 0);
	ck_assert_uint_eq(dma(DEV, GPA + 4, WRITE), BLOCKED);
	ck_assert_uint_eq(last.event, 0x20);
	iommuabs_sim_dev_rmb();
	ck_assert_uint_eq(get(eventq), (uint64_t)DEV << 32 | 0x20);
	ck_assert_uint_eq(get(eventq + 16), GPA + 4);
	ck_assert_uint_eq(dma(DEV, GPA + 4, WRITE), PA + 4);
	assert_clean();
}
END_TEST

static void set_irq_ctrl(uint32_t value)
{
	unsigned int i;

	wr(IRQ_CTRL, value);
	for (i = 0; i < 100 && rd(IRQ_CTRLACK) != value; i++)
		;
	ck_assert_uint_eq(rd(IRQ_CTRLACK), value);
}

/* Each source: its message arrives, or its abort is an error of its own. */
START_TEST(messages_arrive_or_are_aborted)
{
	static const uint32_t cfg0[] = { EVENTQ_IRQ_CFG0, PRIQ_IRQ_CFG0,
					 GERROR_IRQ_CFG0, 0 };
	static const uint32_t bits[] = { 1u << 5, 1u << 6, 1u << 7, 1u << 4 };
	struct iommuabs_sim_dma d = { .sid = DEV, .addr = GPA };
	unsigned int abort;
	uint64_t ram;

	config.msi = config.ats = config.pri = 1;
	config.priqs = 3;
	for (abort = 0; abort < 2; abort++) {
		remake(IOMMUABS_SIM_ADVERSARY);
		ram = page();
		one_domain();
		if (cfg0[_i]) {
			wr64(cfg0[_i], ram);
			wr(cfg0[_i] + 8, 0x1234);
		}
		wr64(PRIQ_BASE, page() | 3);
		set_cr0(SMMUEN | CMDQEN | EVENTQEN | PRIQEN);
		set_irq_ctrl(7);
		iommuabs_sim_plant(unit, IOMMUABS_SIM_MSI_ABORT, abort, 0);
		switch (_i) {
		case 0:
			dma(DEV, 0, 0);
			break;
		case 1:
			ck_assert_int_eq(iommuabs_sim_page_request(unit, &d, 5),
					 1);
			break;
		case 2:
			iommuabs_sim_plant(unit, IOMMUABS_SIM_EVENT_ABORT, 1,
					   0);
			dma(DEV, 0, 0);
			break;
		default:
			cmd_sync(0x46 | 1ull << 12 | 0x1234ull << 32, ram);
		}
		iommuabs_sim_dev_rmb();
		ck_assert_uint_eq((uint32_t)get(ram), abort ? 0 : 0x1234);
		ck_assert_uint_eq(rd(GERROR), (abort ? bits[_i] : 0) |
						      (_i == 2 ? 1u << 2 : 0));
		assert_clean();
	}
}
END_TEST

START_TEST(page_requests_are_queued)
{
	struct iommuabs_sim_dma d = { .sid = DEV,
				      .addr = GPA + 8,
				      .flags = WRITE | IOMMUABS_SIM_DMA_SSID,
				      .ssid = 9 };
	uint64_t priq;
	unsigned int i;

	config.ats = config.pri = 1;
	config.priqs = 1;
	remake(IOMMUABS_SIM_ADVERSARY);
	one_domain();
	ck_assert_int_eq(iommuabs_sim_page_request(unit, &d, 5), 0);
	priq = page();
	wr64(PRIQ_BASE, priq | 1);
	wr(PRIQ_PROD, 0);
	wr(PRIQ_CONS, 0);
	set_irq_ctrl(2);
	set_cr0(SMMUEN | CMDQEN | EVENTQEN | PRIQEN);
	wr64(PRIQ_BASE, priq);
	assert_only(GUARD);
	for (i = 0; i < 3; i++)
		ck_assert_int_eq(iommuabs_sim_page_request(unit, &d, 5), i < 2);
	ck_assert_uint_eq(rd(PRIQ_PROD), 1u << 31 | 2);
	ck_assert_uint_eq(iommuabs_sim_irq_take(unit, IOMMUABS_SIM_IRQ_PRIQ),
			  1);
	iommuabs_sim_dev_rmb();
	/* SSV, last of its group, write */
	ck_assert_uint_eq(get(priq), DEV | 9ull << 32 | 7ull << 61);
	ck_assert_uint_eq(get(priq + 8), GPA | 5);
	wr(PRIQ_CONS, 1u << 31 | 2);
	cmd_sync(0x41 | (uint64_t)DEV << 32, 5 | 2ull << 12);
	iommuabs_sim_plant(unit, IOMMUABS_SIM_PRI_ABORT, 1, 0);
	ck_assert_int_eq(iommuabs_sim_page_request(unit, &d, 5), 0);
	ck_assert_uint_eq(rd(GERROR), 1u << 3);
	ck_assert_int_eq(iommuabs_sim_page_request(unit, &d, 5), 0);
	wr(GERRORN, 1u << 3);
	ck_assert_int_eq(iommuabs_sim_page_request(unit, &d, 5), 1);
	assert_clean();
	iommuabs_sim_free(arena, priq, 12);
	assert_only(FREED);
}
END_TEST

START_TEST(without_pri_there_is_no_queue)
{
	wr64(PRIQ_BASE, 0x1000);
	assert_only(REGISTER);
	wr(CR0, PRIQEN);
	assert_only(REGISTER);
	wr(IRQ_CTRL, 2);
	assert_only(REGISTER);
}
END_TEST

/* ---- quirks ---- */

START_TEST(ranges_can_be_ignored)
{
	struct iommuabs_sim_probe *p;

	config.quirks = IOMMUABS_SIM_QUIRK_IGNORES_RANGES;
	remake(IOMMUABS_SIM_ADVERSARY);
	one_domain();
	p = iommuabs_sim_probe_add(unit, DEV, GPA, 0);
	allow(p, PA, BLOCKED);
	st(slot(root, 3, GPA), 0);
	mb();
	cmd_sync(TLBI_IPA(VM, GPA | 1ull << 10 | 3ull << 8));
	assert_only(ERRATUM);
	ck_assert_uint_eq(allow(p, BLOCKED), 1);
	assert_only(PROBE);
	cmd_sync(TLBI_IPA(VM, GPA));
	ck_assert_uint_eq(allow(p, BLOCKED), 0);
}
END_TEST

START_TEST(blocks_can_hang_the_unit)
{
	config.quirks = IOMMUABS_SIM_QUIRK_HANGS_ON_BLOCKS;
	remake(IOMMUABS_SIM_FUNCTIONAL);
	one_domain();
	ck_assert_uint_eq(dma(DEV, GPA, 0), PA);
	st(slot(root, 2, 0x50000000), BLOCK_RW(0xa0200000ull));
	mb();
	dma(DEV, 0x50000000, 0);
	assert_only(ERRATUM);
	ck_assert_uint_eq(rd(IDR0), UINT32_MAX);
}
END_TEST

START_TEST(the_contiguous_bit_can_be_wrong)
{
	config.quirks = IOMMUABS_SIM_QUIRK_NO_CONTIGUOUS;
	remake(IOMMUABS_SIM_FUNCTIONAL);
	one_domain();
	map(root, GPA + 0x1000, PAGE_RW(PA2) | CONTIGUOUS);
	ck_assert_uint_eq(dma(DEV, GPA + 0x1000, 0), BLOCKED);
	assert_only(ERRATUM);
}
END_TEST

START_TEST(prefetches_and_messages_can_be_missing)
{
	uint64_t ram;

	config.msi = 1;
	config.quirks =
		IOMMUABS_SIM_QUIRK_NO_PREFETCH | IOMMUABS_SIM_QUIRK_NO_MSI;
	remake(IOMMUABS_SIM_FUNCTIONAL);
	enable_queues();
	ram = page();
	cmd_sync(0x46 | 1ull << 12 | 0x1234ull << 32, ram);
	assert_only(ERRATUM);
	ck_assert_uint_eq(get(ram), 0);
	cmd(0x01 | (uint64_t)DEV << 32, 0);
	submit();
	ck_assert_uint_eq(rd(GERROR), 1);
}
END_TEST

START_TEST(registers_can_be_in_one_page)
{
	config.quirks = IOMMUABS_SIM_QUIRK_PAGE0;
	remake(IOMMUABS_SIM_FUNCTIONAL);
	ck_assert_uint_eq(rd(EVENTQ_CONS), UINT32_MAX);
	wr(EVENTQ_CONS - 0x10000, 1);
	ck_assert_uint_eq(rd(EVENTQ_CONS - 0x10000), 1);
	assert_clean();
	config.quirks = 0;
	remake(IOMMUABS_SIM_FUNCTIONAL);
	wr(EVENTQ_CONS - 0x10000, 3);
	assert_only(REGISTER);
}
END_TEST

/* ---- loss of power ---- */

START_TEST(power_loss_leaves_registers_in_reset)
{
	one_domain();
	iommuabs_sim_unit_reset(unit);
	ck_assert_uint_eq(rd(CR0), 0);
	ck_assert_uint_eq(rd(GBPA), 0x1000);
	ck_assert_uint_eq(
		iommuabs_sim_mmio_read(arena, UNIT_BASE + STRTAB_BASE, 8), 0);
	/* It bypasses again. */
	ck_assert_uint_eq(dma(DEV, 0x5000, 0), 0x5000);
	assert_clean();
}
END_TEST

START_TEST(power_loss_does_not_empty_the_caches)
{
	struct iommuabs_sim_probe *p;

	one_domain();
	/* An invalidation that was not synced is none. */
	st(slot(root, 3, GPA), 0);
	mb();
	cmd(TLBI_ALL);
	submit();
	ck_assert(wait_consumed());
	iommuabs_sim_unit_reset(unit);
	set_gbpa(0x1000 | 1u << 20);
	enable_queues();
	wr64(STRTAB_BASE, l1);
	wr(STRTAB_CFG, 1u << 16 | SPLIT << 6 | SID_BITS);
	cmd(CFGI_ALL);
	if (_i)
		cmd(TLBI_ALL);
	finish();
	set_cr0(SMMUEN | CMDQEN | EVENTQEN);
	if (!_i)
		assert_only(ENABLE);
	p = iommuabs_sim_probe_add(unit, DEV, GPA, 0);
	ck_assert_uint_eq(allow(p, BLOCKED), !_i);
	if (!_i)
		assert_only(PROBE);
	assert_clean();
}
END_TEST

static TCase *stall_tests(void)
{
	TCase *t = tcase_create("stalls");

	tcase_add_checked_fixture(t, adversary, drop);
	tcase_add_test(t, a_fault_stalls_until_it_is_resumed);
	tcase_add_loop_test(t, a_stalled_request_is_terminated, 0, 4);
	tcase_add_loop_test(t, what_was_terminated_is_not_resumed, 0, 2);
	tcase_add_test(t, a_retry_may_stall_again);
	tcase_add_test(t, stalls_beyond_the_limits_wait_for_their_record);
	tcase_add_test(t, the_stall_model_decides_what_is_legal);
	tcase_add_test(t, a_probe_takes_a_stall_for_blocked);
	return t;
}

static TCase *error_tests(void)
{
	TCase *t = tcase_create("errors");

	tcase_add_checked_fixture(t, adversary, drop);
	tcase_add_test(t, a_service_failure_stops_everything);
	tcase_add_test(t, a_tlb_conflict_is_recorded);
	tcase_add_loop_test(t, messages_arrive_or_are_aborted, 0, 4);
	tcase_add_test(t, page_requests_are_queued);
	tcase_add_test(t, without_pri_there_is_no_queue);
	tcase_add_test(t, ranges_can_be_ignored);
	tcase_add_test(t, blocks_can_hang_the_unit);
	tcase_add_test(t, the_contiguous_bit_can_be_wrong);
	tcase_add_test(t, prefetches_and_messages_can_be_missing);
	tcase_add_test(t, registers_can_be_in_one_page);
	tcase_add_test(t, power_loss_leaves_registers_in_reset);
	tcase_add_loop_test(t, power_loss_does_not_empty_the_caches, 0, 2);
	return t;
}

static Suite *suite(void)
{
	Suite *s = suite_create("sim_faults");

	suite_add_tcase(s, stall_tests());
	suite_add_tcase(s, error_tests());
	return s;
}

HARNESS_MAIN(suite)
