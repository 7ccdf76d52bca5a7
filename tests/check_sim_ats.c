/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_sim_ats.c - the SMMUv3 model: ATS and what devices keep, and TLB
 * invalidations that CPUs broadcast
 */
#include "test_simdrv.h"

#define ATSCHK	   (1u << 4)
#define STE1_ATS   (STE1_SHCFG | 1ull << 28)
#define ATC	   IOMMUABS_SIM_DMA_ATC
#define TRANSLATED IOMMUABS_SIM_DMA_TRANSLATED
#define ATC_INV(sid, addr, lg2) \
	0x40 | (uint64_t)(sid) << 32, (addr) | ((lg2)-12)
#define ATC_ALL(sid) 0x40 | (uint64_t)(sid) << 32, 52

static void ats_domain(enum iommuabs_sim_mode mode, uint32_t atschk)
{
	config.ats = 1;
	remake(mode);
	one_domain();
	set_cr0(SMMUEN | CMDQEN | EVENTQEN | atschk);
	set_ste(DEV, STE0_S2, STE1_ATS, STE2(VM), root);
}

static int ask(uint32_t sid, uint64_t addr)
{
	last = (struct iommuabs_sim_dma){ .sid = sid, .addr = addr, .len = 4 };
	return iommuabs_sim_ats(unit, &last);
}

START_TEST(translation_requests_are_answered)
{
	ats_domain(IOMMUABS_SIM_FUNCTIONAL, ATSCHK);
	ck_assert_int_eq(ask(DEV, GPA + 8), 1);
	ck_assert_uint_eq(last.maddr, PA);
	/* Not mapped: an answer, no event. */
	ck_assert_int_eq(ask(DEV, GPA + 0x1000), 0);
	ck_assert_int_eq(ask(DEV + 1, GPA), 0);
	ck_assert_uint_eq(rd(EVENTQ_PROD), 0);
	/* EATS = 0; bypass; nothing at all when the unit is off. */
	set_ste(DEV, STE0_S2, STE1_SHCFG, STE2(VM), root);
	ck_assert_int_eq(ask(DEV, GPA), 0);
	ck_assert_uint_eq(last.event, 0x05);
	ck_assert_uint_eq(get(eventq), (uint64_t)DEV << 32 | 0x05);
	ck_assert_uint_eq(get(eventq + 16), GPA | 1);
	set_ste(DEV, STE0_BYPASS, STE1_ATS, 0, 0);
	ck_assert_int_eq(ask(DEV, GPA), 0);
	ck_assert_uint_eq(last.event, 0x05);
	set_cr0(CMDQEN | EVENTQEN);
	ck_assert_int_eq(ask(DEV, GPA), 0);
	ck_assert_uint_eq(last.event, 0x05);
	assert_clean();
}
END_TEST

/* Who may say "translated", with and without ATSCHK. */
START_TEST(translated_requests_are_checked_only_with_atschk)
{
	uint64_t free_pass = _i ? BLOCKED : 0x5000;

	ats_domain(IOMMUABS_SIM_FUNCTIONAL, _i ? ATSCHK : 0);
	ck_assert_uint_eq(dma(DEV, 0x5000, TRANSLATED), 0x5000);
	set_ste(DEV, STE0_S2, STE1_SHCFG, STE2(VM), root);
	ck_assert_uint_eq(dma(DEV, 0x5000, TRANSLATED), free_pass);
	ck_assert_uint_eq(last.event, _i ? 0x07 : 0);
	set_ste(DEV, STE0_BYPASS, STE1_ATS, 0, 0);
	ck_assert_uint_eq(dma(DEV, 0x5000, TRANSLATED), free_pass);
	ck_assert_uint_eq(last.event, _i ? 0x07 : 0);
	set_ste(DEV, STE0_ABORT, 0, 0, 0);
	ck_assert_uint_eq(dma(DEV, 0x5000, TRANSLATED), free_pass);
	ck_assert_uint_eq(last.event, 0);
	clear_ste(DEV);
	ck_assert_uint_eq(dma(DEV, 0x5000, TRANSLATED), free_pass);
	set_cr0(CMDQEN | EVENTQEN);
	ck_assert_uint_eq(dma(DEV, 0x5000, TRANSLATED), BLOCKED);
	ck_assert_uint_eq(last.event, 0x07);
}
END_TEST

START_TEST(a_device_keeps_what_it_was_told)
{
	ats_domain(IOMMUABS_SIM_FUNCTIONAL, ATSCHK);
	ck_assert_int_eq(ask(DEV, GPA), 1);
	st(slot(root, 3, GPA), 0);
	mb();
	cmd_sync(TLBI_IPA(VM, GPA));
	ck_assert_uint_eq(dma(DEV, GPA + 4, 0), BLOCKED);
	ck_assert_uint_eq(dma(DEV, GPA + 4, ATC), PA + 4);
	cmd_sync(ATC_INV(DEV + 1, GPA, 12));
	cmd_sync(ATC_INV(DEV, GPA + 0x1000, 12));
	cmd(ATC_INV(DEV, GPA, 12));
	submit();
	ck_assert(wait_consumed());
	ck_assert_uint_eq(dma(DEV, GPA + 4, ATC), PA + 4);
	finish();
	ck_assert_uint_eq(dma(DEV, GPA + 4, ATC), BLOCKED);
	assert_clean();
}
END_TEST

START_TEST(a_device_keeps_its_permissions_too)
{
	ats_domain(IOMMUABS_SIM_FUNCTIONAL, ATSCHK);
	map(root, GPA + 0x1000, PAGE_RO(PA2));
	ck_assert_int_eq(ask(DEV, GPA + 0x1000), 1);
	ck_assert_uint_eq(dma(DEV, GPA + 0x1000, ATC), PA2);
	ck_assert_uint_eq(dma(DEV, GPA + 0x1000, ATC | WRITE), BLOCKED);
	ck_assert_uint_eq(last.event, 0x13);
	assert_clean();
}
END_TEST

/*
 * How an unmapping goes on to the device: T is the TLB, D and A a range and all
 * of the device, X another device, S a sync. The first two are right.
 */
START_TEST(an_unmapping_must_reach_the_device)
{
	static const char *const ways[] = { "TSDS", "TSAS", "TS", "TSD",
					    "TSXS", "DSTS", "TDS" };
	struct iommuabs_sim_probe *p;
	const char *way = ways[_i];

	ats_domain(IOMMUABS_SIM_ADVERSARY, ATSCHK);
	p = iommuabs_sim_probe_add(unit, DEV, GPA, ATC);
	ck_assert_uint_eq(allow(p, PA), 0);
	allow(p, PA, BLOCKED);
	st(slot(root, 3, GPA), 0);
	mb();
	for (; *way; way++) {
		if (*way == 'T')
			cmd(TLBI_IPA(VM, GPA));
		else if (*way == 'D')
			cmd(ATC_INV(DEV, GPA & ~0x1fffffull, 21));
		else if (*way == 'A')
			cmd(ATC_ALL(DEV));
		else if (*way == 'X')
			cmd(ATC_ALL(DEV + 1));
		else
			finish();
	}
	submit();
	ck_assert(wait_consumed());
	ck_assert_uint_eq(allow(p, BLOCKED), _i > 1);
	if (_i > 1)
		assert_only(PROBE);
	assert_clean();
}
END_TEST

START_TEST(a_page_freed_that_a_device_may_reach)
{
	uint64_t ram;

	ats_domain(IOMMUABS_SIM_ADVERSARY, ATSCHK);
	ram = page();
	map(root, GPA + 0x1000, PAGE_RW(ram));
	st(slot(root, 3, GPA + 0x1000), 0);
	mb();
	cmd_sync(TLBI_IPA(VM, GPA + 0x1000));
	iommuabs_sim_free(arena, ram, 12);
	assert_only(FREED);
}
END_TEST

START_TEST(a_stream_taken_away_keeps_its_device_cache)
{
	struct iommuabs_sim_probe *p;

	/* Without ATSCHK, nothing but the device's own cache counts. */
	ats_domain(IOMMUABS_SIM_ADVERSARY, _i ? ATSCHK : 0);
	p = iommuabs_sim_probe_add(unit, DEV, GPA, ATC);
	allow(p, PA, BLOCKED);
	clear_ste(DEV);
	cmd_sync(TLBI_VMALL(VM));
	ck_assert_uint_eq(allow(p, BLOCKED), !_i);
	if (!_i)
		assert_only(PROBE);
	cmd_sync(ATC_ALL(DEV));
	ck_assert_uint_eq(allow(p, BLOCKED), 0);
	assert_clean();
}
END_TEST

START_TEST(a_mute_device_fails_the_sync)
{
	struct iommuabs_sim_probe *p;

	ats_domain(IOMMUABS_SIM_ADVERSARY, ATSCHK);
	p = iommuabs_sim_probe_add(unit, DEV, GPA, ATC);
	allow(p, PA, BLOCKED);
	st(slot(root, 3, GPA), 0);
	mb();
	cmd_sync(TLBI_IPA(VM, GPA));
	iommuabs_sim_atc_mute(unit, DEV, 1);
	cmd(ATC_ALL(DEV + 1));
	cmd(ATC_ALL(DEV));
	cmd(SYNC);
	submit();
	ck_assert(!wait_consumed());
	ck_assert_uint_eq(rd(GERROR), 1);
	ck_assert_uint_eq(rd(CMDQ_CONS) >> 24, 3);
	/* It stands at the CMD_SYNC, which is tried again. */
	ck_assert_uint_eq(rd(CMDQ_CONS) & 63, (prod - 1) & 63);
	wr(GERRORN, 1);
	ck_assert(wait_consumed());
	ck_assert_uint_eq(allow(p, BLOCKED), 1);
	assert_only(PROBE);
	iommuabs_sim_atc_mute(unit, DEV, 0);
	cmd_sync(ATC_ALL(DEV));
	ck_assert_uint_eq(allow(p, BLOCKED), 0);
	assert_clean();
}
END_TEST

START_TEST(without_ats_there_are_no_such_requests)
{
	one_domain();
	ck_assert_int_eq(ask(DEV, GPA), 0);
	cmd(ATC_ALL(DEV));
	submit();
	ck_assert(!wait_consumed());
	ck_assert_uint_eq(rd(CMDQ_CONS) >> 24, 1);
	wr(CR0, cr0 | ATSCHK);
	assert_only(REGISTER);
}
END_TEST

START_TEST(illegal_ats_is_refused)
{
	config.stall_model = 0;
	config.stall_max = 1;
	ats_domain(IOMMUABS_SIM_FUNCTIONAL, ATSCHK);
	set_ste(DEV, STE0_S2, STE1_SHCFG | 2ull << 28, STE2(VM), root);
	ck_assert_uint_eq(dma(DEV, GPA, 0), BLOCKED);
	ck_assert_uint_eq(last.event, 0x04);
	set_ste(DEV, STE0_S2, STE1_ATS, STE2(VM) | 1ull << 57, root);
	ck_assert_uint_eq(dma(DEV, GPA, 0), BLOCKED);
	ck_assert_uint_eq(last.event, 0x04);
	cmd(0x40 | (uint64_t)DEV << 32, 53);
	submit();
	ck_assert_uint_eq(rd(CMDQ_CONS) >> 24, 1);
}
END_TEST

/* ---- broadcast invalidation ---- */

START_TEST(a_cpu_invalidates_units_that_listen)
{
	struct iommuabs_sim_probe *p;
	unsigned int listens = _i == 0;

	/* 0: it listens; 1: CR2.PTM; 2: it can't; 3: another VMID */
	config.btm = _i != 2;
	remake(IOMMUABS_SIM_ADVERSARY);
	if (_i == 1)
		wr(CR2, 4);
	enable();
	if (_i == 1) {
		set_cr0(CMDQEN | EVENTQEN);
		wr(CR2, 2 | 4);
		set_cr0(SMMUEN | CMDQEN | EVENTQEN);
	}
	root = page();
	map(root, GPA, PAGE_RW(PA));
	set_ste(DEV, STE0_S2, STE1_SHCFG, STE2(VM), root);
	p = iommuabs_sim_probe_add(unit, DEV, GPA, 0);
	allow(p, PA, BLOCKED);
	st(slot(root, 3, GPA), 0);
	mb();
	iommuabs_sim_broadcast_tlbi(arena, _i == 3 ? VM + 1 : VM);
	ck_assert_uint_eq(allow(p, BLOCKED), !listens);
	if (!listens)
		assert_only(PROBE);
	assert_clean();
}
END_TEST

START_TEST(a_broadcast_completes_nothing_else)
{
	struct iommuabs_sim_probe *p;
	uint64_t other;

	config.btm = 1;
	remake(IOMMUABS_SIM_ADVERSARY);
	one_domain();
	other = page();
	map(other, GPA, PAGE_RW(PA2));
	set_ste(DEV + 1, STE0_S2, STE1_SHCFG, STE2(VM + 1), other);
	p = iommuabs_sim_probe_add(unit, DEV + 1, GPA, 0);
	allow(p, PA2, BLOCKED);
	st(slot(other, 3, GPA), 0);
	mb();
	/* Consumed, not synced. */
	cmd(TLBI_VMALL(VM + 1));
	submit();
	ck_assert(wait_consumed());
	iommuabs_sim_broadcast_tlbi(arena, VM);
	ck_assert_uint_eq(allow(p, BLOCKED), 1);
	assert_only(PROBE);
	finish();
	ck_assert_uint_eq(allow(p, BLOCKED), 0);
	assert_clean();
}
END_TEST

static TCase *ats_tests(void)
{
	TCase *t = tcase_create("ats");

	tcase_add_checked_fixture(t, adversary, drop);
	tcase_add_test(t, translation_requests_are_answered);
	tcase_add_loop_test(t, translated_requests_are_checked_only_with_atschk,
			    0, 2);
	tcase_add_test(t, a_device_keeps_what_it_was_told);
	tcase_add_test(t, a_device_keeps_its_permissions_too);
	tcase_add_loop_test(t, an_unmapping_must_reach_the_device, 0, 7);
	tcase_add_test(t, a_page_freed_that_a_device_may_reach);
	tcase_add_loop_test(t, a_stream_taken_away_keeps_its_device_cache, 0,
			    2);
	tcase_add_test(t, a_mute_device_fails_the_sync);
	tcase_add_test(t, without_ats_there_are_no_such_requests);
	tcase_add_test(t, illegal_ats_is_refused);
	return t;
}

static TCase *broadcast_tests(void)
{
	TCase *t = tcase_create("broadcast");

	tcase_add_checked_fixture(t, adversary, drop);
	tcase_add_loop_test(t, a_cpu_invalidates_units_that_listen, 0, 4);
	tcase_add_test(t, a_broadcast_completes_nothing_else);
	return t;
}

static Suite *suite(void)
{
	Suite *s = suite_create("sim_ats");

	suite_add_tcase(s, ats_tests());
	suite_add_tcase(s, broadcast_tests());
	return s;
}

HARNESS_MAIN(suite)
