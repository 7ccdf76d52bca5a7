/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_advisories.c - how IOMMU code went wrong elsewhere, as properties to hold
 *
 * Each test is named after the published advisory whose root cause it is about,
 * and runs on the model as an adversary: a violation that it sees fails the test
 * as well. Those that need other hardware are not here.
 */
#include "harness.h"
#include "test_host.h"
#include "test_needs.h"
#include "test_rig.h"

#include <iommuabs/sim.h>

#include "core/core.h"

#define RW  (IOMMUABS_READ | IOMMUABS_WRITE)
#define GFN IOMMUABS_GFN
#define MFN IOMMUABS_MFN
#define SID 8

#define BLOCKED UINT64_MAX

static struct rig rig;
static struct iommuabs_domain *dom;
static struct iommuabs_device *dev;

static void begin(enum rig_kind kind)
{
	rig_new(&rig, kind);
	dom = rig_domain(&rig);
	ck_assert_int_eq(rig_device(&rig, SID, &dev), 0);
}

static void setup_smmu(void)
{
	begin(RIG_QEMU);
}

static void setup_vtd(void)
{
	begin(RIG_VTD);
}

static void setup_vtd_scalable(void)
{
	begin(RIG_VTD_SCALABLE);
}

static void finish(void)
{
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	ck_assert_int_eq(iommuabs_domain_destroy(dom, 0), 0);
	rig_end(&rig);
}

static int map(uint64_t gfn, uint64_t frame, uint64_t nr, uint32_t flags)
{
	return iommuabs_domain_map(dom, GFN(gfn), MFN(rig_frame(&rig, frame)),
				   nr, flags, NULL);
}

static int unmap(uint64_t gfn, uint64_t nr)
{
	return iommuabs_domain_unmap(dom, GFN(gfn), nr, NULL);
}

static void attach(void)
{
	ck_assert_int_eq(rig_attach(dev, dom), 0);
}

static uint64_t reach(uint64_t gfn)
{
	return rig_write(&rig, SID, gfn);
}

static void reaches(uint64_t gfn, uint64_t frame)
{
	ck_assert_uint_eq(reach(gfn), rig_frame(&rig, frame));
}

static void blocked(uint64_t gfn)
{
	ck_assert_uint_eq(reach(gfn), BLOCKED);
}

/* How many places the frame has, of all domains. */
static uint32_t users(uint64_t frame)
{
	struct iommuabs_frame_user user[8];
	uint64_t cursor = 0;
	uint32_t nr;

	ck_assert_int_eq(iommuabs_frame_users(rig.lib,
					      MFN(rig_frame(&rig, frame)),
					      &cursor, user, 8, &nr),
			 0);
	return nr;
}

START_TEST(xsa_78_a_removal_is_flushed_before_the_call_returns)
{
	attach();
	ck_assert_int_eq(map(5, 5, 1, RW), 0);
	reaches(5, 5);
	ck_assert_int_eq(unmap(5, 1), 0);
	blocked(5);
	finish();
}
END_TEST

START_TEST(xsa_80_a_deferral_ends_on_every_exit)
{
	struct iommuabs_batch batch;

	attach();
	ck_assert_int_eq(map(5, 5, 2, RW), 0);
	ck_assert_int_eq(iommuabs_batch_init(&batch, dom), 0);
	/* A call that fails in the batch leaves nothing deferred behind. */
	ck_assert_int_eq(iommuabs_domain_map(dom, GFN(5),
					     MFN(rig_frame(&rig, 9)), 1, RW,
					     &batch),
			 IOMMUABS_E_EXISTS);
	ck_assert_int_eq(iommuabs_batch_done(&batch), 0);
	reaches(6, 6);
	ck_assert_int_eq(unmap(6, 1), 0);
	blocked(6);
	finish();
}
END_TEST

START_TEST(xsa_207_a_domain_that_never_had_a_device_leaks_nothing)
{
	ck_assert_int_eq(map(5, 5, 600, RW), 0);
	ck_assert_int_eq(unmap(7, 3), 0);
	finish();
}
END_TEST

START_TEST(xsa_275_downgrade_and_upgrade_both_take_effect)
{
	attach();
	ck_assert_int_eq(map(512, 512, 512, RW), 0);
	reaches(600, 600);
	ck_assert_int_eq(
		iommuabs_domain_protect(dom, GFN(600), 1, IOMMUABS_READ, NULL),
		0);
	blocked(600);
	reaches(601, 601);
	ck_assert_int_eq(iommuabs_domain_protect(dom, GFN(600), 1, RW, NULL),
			 0);
	reaches(600, 600);
	finish();
}
END_TEST

START_TEST(xsa_285_populate_and_changes_end_equal_to_the_source)
{
	uint64_t gfn, step = 0;
	int ret;

	for (gfn = 0; gfn < 64; gfn++)
		ck_assert_int_eq(map(3 * gfn, 2 * gfn, 1, RW), 0);
	while ((ret = iommuabs_domain_populate(dom, dev, 3))) {
		ck_assert_int_eq(ret, IOMMUABS_E_AGAIN);
		/* Changes behind the cursor and ahead of it. */
		step = step < 63 ? step : 63;
		ck_assert_int_eq(unmap(3 * (step % 64), 1), 0);
		ck_assert_int_eq(map(3 * step + 1, 300 + step, 1, RW), 0);
		ck_assert_int_eq(unmap(3 * (63 - step % 64), 1), 0);
		step++;
	}
	ck_assert_uint_gt(step, 4);
	attach();
	for (gfn = 0; gfn < 200; gfn++) {
		iommuabs_mfn_t mfn;

		ret = iommuabs_domain_translate(dom, GFN(gfn), &mfn, NULL);
		ck_assert_uint_eq(reach(gfn), ret ? BLOCKED : mfn.frame);
	}
	finish();
}
END_TEST

START_TEST(xsa_302_detached_is_blocked_and_nothing_in_flight_lands_later)
{
	attach();
	ck_assert_int_eq(map(5, 5, 1, RW), 0);
	ck_assert_uint_eq(rig_post(&rig, SID, 5, 0x1111), rig_frame(&rig, 5));
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	/* The write landed before the call returned, or never will. */
	*(uint64_t *)iommuabs_sim_ptr(rig.arena, rig_frame(&rig, 5) << 12) =
		0x2222;
	iommuabs_sim_settle(rig.arena);
	ck_assert_uint_eq(*(uint64_t *)iommuabs_sim_ptr(
				  rig.arena, rig_frame(&rig, 5) << 12),
			  0x2222);
	blocked(5);
	finish();
}
END_TEST

START_TEST(xsa_304_superpages_can_be_switched_off)
{
	const struct iommuabs_domain_config config = {
		.size = sizeof(config),
		.input_bits = 40,
		.max_leaf = IOMMUABS_LEAF_4K,
	};
	struct iommuabs_explanation why = { .size = sizeof(why) };

	ck_assert_int_eq(iommuabs_domain_destroy(dom, 0), 0);
	ck_assert_int_eq(iommuabs_domain_create(rig.lib, &config, &dom), 0);
	attach();
	ck_assert_int_eq(map(512, 512, 512, RW), 0);
	ck_assert_int_eq(iommuabs_device_explain(dev, GFN(600), RW, &why), 0);
	ck_assert_int_eq(why.obstacle, IOMMUABS_OBSTACLE_NONE);
	ck_assert_uint_eq(why.level, 0);
	finish();
}
END_TEST

START_TEST(xsa_311_a_mirror_covers_the_highest_address_from_the_start)
{
	const uint64_t last = ((uint64_t)1 << 28) - 1; /* of 40 bits */

	attach();
	ck_assert_int_eq(map(0, 0, 1, RW), 0);
	ck_assert_int_eq(map(last, 1, 1, RW), 0);
	reaches(0, 0);
	reaches(last, 1);
	finish();
}
END_TEST

START_TEST(xsa_321_a_unit_that_does_not_snoop_sees_every_change)
{
	ck_assert_int_eq(iommuabs_domain_destroy(dom, 0), 0);
	ck_assert_int_eq(iommuabs_device_remove(dev), 0);
	rig_end(&rig);
	begin(RIG_NONCOHERENT);
	attach();
	ck_assert_int_eq(map(512, 512, 512, RW), 0);
	reaches(700, 700);
	ck_assert_int_eq(unmap(700, 1), 0);
	blocked(700);
	reaches(701, 701);
	ck_assert_int_eq(map(700, 3, 1, RW), 0);
	reaches(700, 3);
	finish();
}
END_TEST

START_TEST(xsa_347_no_entry_is_ever_half_written)
{
	struct iommuabs_sim_probe *probe;
	uint64_t allowed[2], frame;
	unsigned int i;

	ck_assert_int_eq(map(5, 5, 1, RW), 0);
	frame = rig_frame(&rig, 5) << 12;
	probe = iommuabs_sim_probe_add(rig.sim, SID, 5 << 12,
				       IOMMUABS_SIM_DMA_WRITE);
	ck_assert_ptr_nonnull(probe);
	allowed[0] = frame;
	allowed[1] = IOMMUABS_SIM_BLOCKED;
	iommuabs_sim_probe_allow(probe, allowed, 2);
	for (i = 0; i < 4; i++) {
		attach();
		ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	}
	iommuabs_sim_probe_remove(probe);
	finish();
}
END_TEST

START_TEST(xsa_373_a_timeout_is_no_success_and_frees_nothing)
{
	attach();
	ck_assert_int_eq(map(512, 512, 512, RW), 0);
	reaches(600, 600);
	iommuabs_sim_plant(rig.sim, IOMMUABS_SIM_SYNC_HANG, 1, 0);
	ck_assert_int_eq(unmap(600, 1), IOMMUABS_E_TIMEOUT);
	ck_assert_uint_eq(users(600), 1);
	blocked(600);
	blocked(601); /* fenced */
	iommuabs_sim_heal(rig.sim);
	ck_assert_int_eq(iommuabs_unit_recover(rig.unit, 0), 0);
	ck_assert_uint_eq(users(600), 0);
	reaches(601, 601);
	blocked(600);
	finish();
}
END_TEST

/* A device with two regions and a hole between them. */
static struct iommuabs_device *device_with_regions(void)
{
	const struct iommuabs_reserved regions[2] = {
		{ GFN(100), MFN(rig_frame(&rig, 1000)), 2, RW },
		{ GFN(104), MFN(rig_frame(&rig, 1004)), 2, RW },
	};
	const struct iommuabs_stream_range stream = { rig.unit, 9, 1, 0 };
	const struct iommuabs_device_desc desc = {
		.size = sizeof(desc),
		.streams = &stream,
		.nr_streams = 1,
		.reserved = regions,
		.nr_reserved = 2,
	};
	struct iommuabs_device *made;

	ck_assert_int_eq(iommuabs_device_add(rig.lib, &desc, &made), 0);
	return made;
}

START_TEST(xsa_378_a_hole_between_reserved_regions_stays_a_hole)
{
	struct iommuabs_device *other = device_with_regions();

	ck_assert_int_eq(rig_attach(other, dom), 0);
	ck_assert_uint_eq(rig_write(&rig, 9, 101), rig_frame(&rig, 1001));
	ck_assert_uint_eq(rig_write(&rig, 9, 102), BLOCKED);
	ck_assert_uint_eq(rig_write(&rig, 9, 104), rig_frame(&rig, 1004));
	ck_assert_int_eq(map(102, 2, 2, RW), 0);
	ck_assert_uint_eq(rig_write(&rig, 9, 102), rig_frame(&rig, 2));
	ck_assert_int_eq(iommuabs_device_detach(other, 0), 0);
	ck_assert_uint_eq(users(1000), 0);
	finish();
}
END_TEST

START_TEST(xsa_400_regions_are_there_before_and_until_the_device)
{
	struct iommuabs_device *other = device_with_regions();
	struct iommuabs_sim_probe *probe;
	uint64_t allowed[2];

	probe = iommuabs_sim_probe_add(rig.sim, 9, 100 << 12,
				       IOMMUABS_SIM_DMA_WRITE);
	ck_assert_ptr_nonnull(probe);
	attach();
	ck_assert_int_eq(rig_attach(other, dom), 0);
	/* From now on no access of it may fail, whatever the host does. */
	allowed[0] = rig_frame(&rig, 1000) << 12;
	ck_assert_uint_eq(iommuabs_sim_probe_allow(probe, allowed, 1), 0);
	ck_assert_int_eq(map(106, 6, 400, RW), 0);
	ck_assert_int_eq(unmap(0, 1024), 0);
	allowed[1] = IOMMUABS_SIM_BLOCKED;
	iommuabs_sim_probe_allow(probe, allowed, 2);
	ck_assert_int_eq(iommuabs_device_detach(other, 0), 0);
	ck_assert_uint_eq(rig_write(&rig, 9, 100), BLOCKED);
	iommuabs_sim_probe_remove(probe);
	finish();
}
END_TEST

START_TEST(xsa_379_a_frame_is_free_when_no_gfn_has_it)
{
	struct iommuabs_domain *other = rig_domain(&rig), *mine = dom;

	ck_assert_int_eq(map(5, 5, 1, RW), 0);
	ck_assert_int_eq(map(90, 5, 1, RW), 0);
	dom = other;
	ck_assert_int_eq(map(7, 5, 1, RW | IOMMUABS_FOREIGN), 0);
	ck_assert_uint_eq(users(5), 3);
	dom = mine;
	ck_assert_int_eq(unmap(5, 1), 0);
	ck_assert_uint_eq(users(5), 2);
	dom = other;
	ck_assert_int_eq(map(8, 5, 1, RW), IOMMUABS_E_PERM);
	dom = mine;
	ck_assert_int_eq(unmap(90, 1), 0);
	dom = other;
	ck_assert_int_eq(map(8, 5, 1, RW), 0);
	ck_assert_int_eq(iommuabs_domain_destroy(other, 0), 0);
	dom = mine;
	ck_assert_uint_eq(users(5), 0);
	finish();
}
END_TEST

START_TEST(xsa_386_a_detach_that_fails_still_blocks)
{
	attach();
	ck_assert_int_eq(map(5, 5, 1, RW), 0);
	iommuabs_sim_plant(rig.sim, IOMMUABS_SIM_SYNC_HANG, 1, 0);
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), IOMMUABS_E_TIMEOUT);
	blocked(5);
	iommuabs_sim_heal(rig.sim);
	ck_assert_int_eq(iommuabs_unit_recover(rig.unit, 0), 0);
	blocked(5);
	attach();
	reaches(5, 5);
	finish();
}
END_TEST

START_TEST(xsa_390_a_root_that_the_unit_can_not_start_at_is_not_shared)
{
	struct iommuabs_p2m p2m = {
		.size = sizeof(p2m),
		.format = IOMMUABS_P2M_ARM_S2,
		.root = rig_frame(&rig, 0) << 12,
		.input_bits = 48, /* the unit takes 44 */
		.output_bits = 44,
		.granule_lg2 = 12,
		.levels = 4,
	};
	enum iommuabs_share_reason reason, want = IOMMUABS_SHARE_INPUT_WIDTH;

	if (rig_remaps(&rig)) {
		p2m.format = IOMMUABS_P2M_EPT;
		p2m.input_bits = 48;
		p2m.levels = 5; /* the unit walks 3 and 4 */
		want = IOMMUABS_SHARE_LEVELS;
	}

	ck_assert_int_eq(iommuabs_domain_set_p2m(dom, &p2m), 0);
	ck_assert_int_eq(iommuabs_domain_share_check(dom, rig.unit, &reason),
			 0);
	ck_assert_int_eq(reason, want);
	finish();
}
END_TEST

START_TEST(xsa_399_an_id_is_used_again_only_after_its_invalidation)
{
	struct iommuabs_domain *other = rig_domain(&rig), *mine = dom;

	attach();
	ck_assert_int_eq(map(5, 5, 1, RW), 0);
	reaches(5, 5);
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	dom = other; /* the same id, the first free one */
	attach();
	blocked(5);
	ck_assert_int_eq(map(5, 6, 1, RW), 0);
	reaches(5, 6);
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	ck_assert_int_eq(iommuabs_domain_destroy(other, 0), 0);
	dom = mine;
	finish();
}
END_TEST

START_TEST(xsa_409_410_table_pages_are_charged_exactly_and_freed_in_steps)
{
	uint64_t used = dom->account.used, gfn;
	unsigned int steps = 0;
	int ret;

	for (gfn = 0; gfn < 200; gfn++)
		ck_assert_int_eq(map(gfn << 9, 2 * gfn, 1, RW), 0);
	/* A table for each gfn, one above, and one above that. */
	ck_assert_uint_eq(dom->account.used, used + 200 + 1 + 1);
	/* Those above may stay, and then are charged. */
	ck_assert_int_eq(unmap(0, (uint64_t)1 << 28), 0);
	ck_assert_uint_ge(dom->account.used, used);
	ck_assert_uint_le(dom->account.used, used + 2);
	for (gfn = 0; gfn < 200; gfn++)
		ck_assert_int_eq(map(gfn << 9, 2 * gfn, 1, RW), 0);
	while ((ret = iommuabs_domain_destroy(dom, 32))) {
		ck_assert_int_eq(ret, IOMMUABS_E_AGAIN);
		steps++;
	}
	ck_assert_uint_gt(steps, 4);
	dom = rig_domain(&rig);
	finish();
}
END_TEST

START_TEST(xsa_442_a_changed_context_retires_the_old_translations)
{
	struct iommuabs_domain *other = rig_domain(&rig), *mine = dom;

	attach();
	ck_assert_int_eq(map(5, 5, 1, RW), 0);
	reaches(5, 5);
	dom = other;
	ck_assert_int_eq(map(5, 600, 1, RW), 0);
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	attach();
	reaches(5, 600);
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	ck_assert_int_eq(iommuabs_domain_destroy(other, 0), 0);
	dom = mine;
	finish();
}
END_TEST

START_TEST(xsa_445_a_recycled_table_is_empty)
{
	unsigned int i;

	attach();
	for (i = 0; i < 3; i++) {
		ck_assert_int_eq(map(0, 0, 512, RW), 0);
		ck_assert_int_eq(unmap(3, 1), 0);
		ck_assert_int_eq(unmap(0, 512), 0);
		ck_assert_int_eq(map(1, 1, 1, RW), 0);
		blocked(2);
		blocked(511);
		ck_assert_int_eq(unmap(0, 512), 0);
	}
	finish();
}
END_TEST

START_TEST(xsa_480_tables_go_back_only_after_their_invalidation)
{
	struct iommuabs_batch batch;
	uint64_t used;

	attach();
	ck_assert_int_eq(map(512, 512, 512, RW), 0);
	ck_assert_int_eq(unmap(700, 1), 0); /* a table now */
	reaches(701, 701);
	ck_assert_int_eq(iommuabs_batch_init(&batch, dom), 0);
	used = iommuabs_sim_pages_used(rig.arena);
	ck_assert_int_eq(iommuabs_domain_unmap(dom, GFN(512), 512, &batch), 0);
	ck_assert_uint_ge(iommuabs_sim_pages_used(rig.arena), used);
	ck_assert_int_eq(iommuabs_batch_done(&batch), 0);
	ck_assert_uint_lt(iommuabs_sim_pages_used(rig.arena), used);
	finish();
}
END_TEST

START_TEST(cve_2019_3882_mappings_are_limited_per_domain)
{
	const struct iommuabs_domain_config config = {
		.size = sizeof(config),
		.input_bits = 40,
		.quota_frames = 16,
	};
	uint64_t gfn = 0;
	int ret;

	ck_assert_int_eq(iommuabs_domain_destroy(dom, 0), 0);
	ck_assert_int_eq(iommuabs_domain_create(rig.lib, &config, &dom), 0);
	while (!(ret = map(gfn << 9, gfn, 1, RW)))
		gfn++;
	ck_assert_int_eq(ret, IOMMUABS_E_QUOTA);
	ck_assert_uint_lt(gfn, 16);
	finish();
}
END_TEST

static void remove_the_device(struct rig *in)
{
	(void)in;
	if (!dev)
		return;
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	ck_assert_int_eq(iommuabs_device_remove(dev), 0);
	dev = NULL;
}

START_TEST(cve_2024_35843_a_fault_never_names_a_removed_device)
{
	unsigned int i;

	attach();
	for (i = 0; i < 4; i++)
		blocked(40 + 2 * i);
	rig.on_fault = remove_the_device;
	ck_assert_int_eq(iommuabs_faults_poll(rig.lib, 0, NULL), 0);
	ck_assert_uint_eq(rig.faults, 4);
	/* The later ones came after it was gone. */
	ck_assert_ptr_null(rig.fault.dev);
	ck_assert_uint_eq(rig.fault.stream, SID);
	rig.on_fault = NULL;
	ck_assert_int_eq(rig_device(&rig, SID, &dev), 0);
	finish();
}
END_TEST

START_TEST(bypass_is_never_the_default)
{
	/* Hafnium, hvisor, Jailhouse v3: from the first enable on, blocked. */
	blocked(5);
	ck_assert_uint_eq(rig_write(&rig, 0x4321, 5), BLOCKED);
	ck_assert_int_eq(iommuabs_stop(rig.lib), 0);
	blocked(5);
	ck_assert_int_eq(iommuabs_start(rig.lib), 0);
	blocked(5);
	finish();
}
END_TEST

START_TEST(command_errors_are_recovered_in_bounded_time)
{
	uint64_t gfn;

	/* Bao PR 382: an illegal command stopped the queue for good. */
	attach();
	ck_assert_int_eq(map(5, 5, 17, RW), 0);
	/* What of these a unit has cached is the model's choice. */
	for (gfn = 5; gfn < 21; gfn++) {
		reaches(gfn, gfn);
		iommuabs_sim_plant(rig.sim, IOMMUABS_SIM_CMD_ILLEGAL, 1, 0);
		ck_assert_int_eq(unmap(gfn, 1), 0);
		blocked(gfn);
		reaches(gfn + 1, gfn + 1);
	}
	finish();
}
END_TEST

static void add_tests(Suite *s, const char *name, SFun setup)
{
	const TTest *const tests[] = {
		xsa_78_a_removal_is_flushed_before_the_call_returns,
		xsa_80_a_deferral_ends_on_every_exit,
		xsa_207_a_domain_that_never_had_a_device_leaks_nothing,
		xsa_275_downgrade_and_upgrade_both_take_effect,
		xsa_285_populate_and_changes_end_equal_to_the_source,
		xsa_302_detached_is_blocked_and_nothing_in_flight_lands_later,
		xsa_304_superpages_can_be_switched_off,
		xsa_311_a_mirror_covers_the_highest_address_from_the_start,
		xsa_321_a_unit_that_does_not_snoop_sees_every_change,
		xsa_347_no_entry_is_ever_half_written,
		xsa_373_a_timeout_is_no_success_and_frees_nothing,
		xsa_378_a_hole_between_reserved_regions_stays_a_hole,
		xsa_379_a_frame_is_free_when_no_gfn_has_it,
		xsa_386_a_detach_that_fails_still_blocks,
		xsa_390_a_root_that_the_unit_can_not_start_at_is_not_shared,
		xsa_399_an_id_is_used_again_only_after_its_invalidation,
		xsa_400_regions_are_there_before_and_until_the_device,
		xsa_409_410_table_pages_are_charged_exactly_and_freed_in_steps,
		xsa_442_a_changed_context_retires_the_old_translations,
		xsa_445_a_recycled_table_is_empty,
		xsa_480_tables_go_back_only_after_their_invalidation,
		cve_2019_3882_mappings_are_limited_per_domain,
		cve_2024_35843_a_fault_never_names_a_removed_device,
		bypass_is_never_the_default,
		command_errors_are_recovered_in_bounded_time,
	};
	TCase *tcase = tcase_create(name);
	size_t i;

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_set_timeout(tcase, 60);
	for (i = 0; i < IA_COUNT(tests); i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(s, tcase);
}

static Suite *suite(void)
{
	Suite *s = suite_create("advisories");

	if (suite_needs(s, IOMMUABS_UNIT_SMMUV3))
		add_tests(s, "smmuv3", setup_smmu);
	if (suite_needs(s, IOMMUABS_UNIT_VTD)) {
		add_tests(s, "vtd", setup_vtd);
		add_tests(s, "vtd-scalable", setup_vtd_scalable);
	}
	return s;
}

HARNESS_MAIN(suite)
