/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_power.c - suspend, resume, what may happen meanwhile; crash
 */
#include "test_world.h"

#include <string.h>

#define RW (IOMMUABS_READ | IOMMUABS_WRITE)

static void expect_status(struct world_unit *u, enum iommuabs_unit_status want)
{
	ck_assert_int_eq(unit_status(u->unit), want);
}

static int map(struct iommuabs_domain *dom, uint64_t gfn, uint64_t mfn)
{
	return iommuabs_domain_map(dom, IOMMUABS_GFN(gfn), IOMMUABS_MFN(mfn), 4,
				   RW, NULL);
}

static int unmap(struct iommuabs_domain *dom, uint64_t gfn)
{
	return iommuabs_domain_unmap(dom, IOMMUABS_GFN(gfn), 4, NULL);
}

/* Two units, a device of the first attached, started. */
static struct world *running(struct iommuabs_domain **dom,
			     struct iommuabs_device **dev)
{
	struct world *w = world_new(2);

	*dom = world_domain(w);
	*dev = world_device(w, 8, 1, 0);
	ck_assert_int_eq(map(*dom, 0x100, 0x5000), 0);
	ck_assert_int_eq(iommuabs_device_attach(*dev, *dom, NULL, 0), 0);
	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	return w;
}

static enum iommuabs_obstacle obstacle(struct iommuabs_device *dev,
				       uint64_t gfn)
{
	struct iommuabs_explanation why = { .size = sizeof(why) };

	ck_assert_int_eq(iommuabs_device_explain(dev, IOMMUABS_GFN(gfn),
						 IOMMUABS_READ, &why),
			 0);
	return why.obstacle;
}

START_TEST(each_phase_has_its_calls)
{
	struct iommuabs_domain *dom;
	struct iommuabs_device *dev;
	struct world *w = running(&dom, &dev);

	COVERS(iommuabs_suspend, E_INVAL);
	COVERS(iommuabs_suspend, E_BUSY);
	COVERS(iommuabs_resume, E_INVAL);
	COVERS(iommuabs_resume, E_BUSY);
	COVERS(iommuabs_stop, E_BUSY);
	COVERS(iommuabs_start, E_BUSY);
	REFUSED(w, iommuabs_suspend(NULL), IOMMUABS_E_INVAL);
	REFUSED(w, iommuabs_resume(NULL), IOMMUABS_E_INVAL);
	REFUSED(w, iommuabs_resume(w->abs), IOMMUABS_E_BUSY);
	ck_assert_int_eq(iommuabs_suspend(w->abs), 0);
	REFUSED(w, iommuabs_suspend(w->abs), IOMMUABS_E_BUSY);
	REFUSED(w, iommuabs_start(w->abs), IOMMUABS_E_BUSY);
	REFUSED(w, iommuabs_stop(w->abs), IOMMUABS_E_BUSY);
	REFUSED(w, iommuabs_destroy(w->abs), IOMMUABS_E_BUSY);
	expect_status(&w->unit[0], IOMMUABS_UNIT_STOPPED);
	ck_assert_int_eq(iommuabs_resume(w->abs), 0);
	expect_status(&w->unit[0], IOMMUABS_UNIT_RUNNING);
	expect_status(&w->unit[1], IOMMUABS_UNIT_RUNNING);
	ck_assert_int_eq(iommuabs_stop(w->abs), 0);
	REFUSED(w, iommuabs_suspend(w->abs), IOMMUABS_E_BUSY);
	REFUSED(w, iommuabs_resume(w->abs), IOMMUABS_E_BUSY);
	world_delete(w);
}
END_TEST

START_TEST(what_changes_meanwhile_is_there_on_resume)
{
	struct iommuabs_domain *dom, *other;
	struct iommuabs_device *dev, *late;
	struct world *w = running(&dom, &dev);
	struct world_unit *u = &w->unit[0];
	unsigned int invalidates;

	ck_assert_int_eq(iommuabs_suspend(w->abs), 0);
	ck_assert_uint_eq(u->disables, 1);
	ck_assert_int_eq(obstacle(dev, 0x100), IOMMUABS_OBSTACLE_NOT_STARTED);
	/* A unit without power is asked nothing. */
	invalidates = u->invalidates;
	u->invalidate = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(unmap(dom, 0x100), 0);
	ck_assert_int_eq(map(dom, 0x200, 0x6000), 0);
	ck_assert_uint_eq(u->invalidates, invalidates);
	u->invalidate = 0;
	other = world_domain(w);
	late = world_device(w, 9, 1, 0);
	ck_assert_int_eq(map(other, 0x300, 0x7000), 0);
	ck_assert_int_eq(iommuabs_device_attach(late, other, NULL, 0), 0);
	ck_assert_int_eq(iommuabs_resume(w->abs), 0);
	ck_assert_uint_eq(u->enables, 2);
	ck_assert_int_eq(obstacle(dev, 0x100), IOMMUABS_OBSTACLE_NOT_MAPPED);
	ck_assert_int_eq(obstacle(dev, 0x200), IOMMUABS_OBSTACLE_NONE);
	ck_assert_int_eq(obstacle(late, 0x300), IOMMUABS_OBSTACLE_NONE);
	world_delete(w);
}
END_TEST

START_TEST(a_unit_that_does_not_come_back_is_fenced_alone)
{
	static const int errors[] = {
		IOMMUABS_E_TIMEOUT,
		IOMMUABS_E_UNIT,
		IOMMUABS_E_NOMEM,
	};
	struct iommuabs_domain *dom;
	struct iommuabs_device *dev;
	struct world *w = running(&dom, &dev);
	struct world_unit *u = &w->unit[0];

	COVERS(iommuabs_resume, E_TIMEOUT);
	ck_assert_int_eq(iommuabs_suspend(w->abs), 0);
	u->enable = errors[_i];
	ck_assert_int_eq(iommuabs_resume(w->abs), IOMMUABS_E_TIMEOUT);
	expect_status(u, IOMMUABS_UNIT_FENCED);
	ck_assert_int_eq(u->unit->error, errors[_i]);
	ck_assert_uint_eq(u->fences, errors[_i] != IOMMUABS_E_NOMEM);
	expect_status(&w->unit[1], IOMMUABS_UNIT_RUNNING);
	ck_assert_int_eq(unmap(dom, 0x100), IOMMUABS_E_FENCED);
	ck_assert_uint_ne(dom->owing, 0);
	u->enable = 0;
	ck_assert_int_eq(iommuabs_unit_recover(u->unit, 0), 0);
	ck_assert_uint_eq(dom->owing, 0);
	world_delete(w);
}
END_TEST

/* It may still use the tables that firmware woke it up with. */
START_TEST(a_unit_that_can_neither_be_enabled_nor_blocked_is_dead)
{
	struct iommuabs_domain *dom;
	struct iommuabs_device *dev;
	struct world *w = running(&dom, &dev);
	struct world_unit *u = &w->unit[0];

	COVERS(iommuabs_resume, E_TIMEOUT);
	ck_assert_int_eq(iommuabs_suspend(w->abs), 0);
	w->isolate = IOMMUABS_E_NOTSUP;
	u->enable = IOMMUABS_E_UNIT;
	u->fence = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(iommuabs_resume(w->abs), IOMMUABS_E_TIMEOUT);
	expect_status(u, IOMMUABS_UNIT_DEAD);
	ck_assert_int_eq(u->unit->error, IOMMUABS_E_UNIT);
	ck_assert_int_eq(unmap(dom, 0x100), IOMMUABS_E_FENCED);
	ck_assert_uint_ne(dom->owing, 0);
	u->enable = u->fence = 0;
	ck_assert_int_eq(iommuabs_unit_recover(u->unit, 0), 0);
	ck_assert_uint_eq(dom->owing, 0);
	world_delete(w);
}
END_TEST

START_TEST(what_was_withheld_before_stays_withheld)
{
	struct iommuabs_domain *dom;
	struct iommuabs_device *dev;
	struct world *w = running(&dom, &dev);
	struct world_unit *u = &w->unit[0];

	u->invalidate = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(unmap(dom, 0x100), IOMMUABS_E_TIMEOUT);
	u->invalidate = 0;
	ck_assert_uint_eq(u->fences, 1);
	ck_assert_int_eq(iommuabs_suspend(w->abs), 0);
	expect_status(u, IOMMUABS_UNIT_FENCED);
	ck_assert_int_eq(iommuabs_resume(w->abs), 0);
	/* The fence went with the power: it is there again. */
	expect_status(u, IOMMUABS_UNIT_FENCED);
	ck_assert_uint_eq(u->fences, 2);
	ck_assert_uint_eq(u->enables, 1);
	ck_assert_uint_ne(dom->owing, 0);
	ck_assert_int_eq(map(dom, 0x100, 0x5000), IOMMUABS_E_FENCED);
	ck_assert_int_eq(iommuabs_unit_recover(u->unit, 0), 0);
	ck_assert_uint_eq(dom->owing, 0);
	ck_assert_int_eq(map(dom, 0x100, 0x5000), 0);
	world_delete(w);
}
END_TEST

START_TEST(a_unit_that_had_failed_is_made_to_block_again)
{
	struct world *w = world_new(2);
	struct world_unit *u = &w->unit[0];

	u->enable = IOMMUABS_E_UNIT;
	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	expect_status(u, IOMMUABS_UNIT_FAILED);
	ck_assert_int_eq(iommuabs_suspend(w->abs), 0);
	/* It can't even be blocked: nobody could isolate its devices either. */
	world_device(w, 8, 1, 0);
	u->fence = _i ? IOMMUABS_E_TIMEOUT : 0;
	ck_assert_uint_eq(u->fences, 1);
	ck_assert_int_eq(iommuabs_resume(w->abs), 0);
	expect_status(u, IOMMUABS_UNIT_FAILED);
	ck_assert_uint_eq(u->fences, 2);
	expect_status(&w->unit[1], IOMMUABS_UNIT_RUNNING);
	world_delete(w);
}
END_TEST

START_TEST(a_dead_unit_that_answers_again_is_fenced)
{
	struct iommuabs_domain *dom;
	struct iommuabs_device *dev;
	struct world *w = running(&dom, &dev);
	struct world_unit *u = &w->unit[0];

	COVERS(iommuabs_resume, E_TIMEOUT);
	w->isolate = IOMMUABS_E_NOTSUP;
	u->invalidate = u->fence = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(unmap(dom, 0x100), IOMMUABS_E_TIMEOUT);
	expect_status(u, IOMMUABS_UNIT_DEAD);
	COVERS(iommuabs_suspend, E_TIMEOUT);
	ck_assert_int_eq(iommuabs_suspend(w->abs), IOMMUABS_E_TIMEOUT);
	u->fence = _i ? IOMMUABS_E_TIMEOUT : 0;
	ck_assert_int_eq(iommuabs_resume(w->abs), _i ? IOMMUABS_E_TIMEOUT : 0);
	expect_status(u, _i ? IOMMUABS_UNIT_DEAD : IOMMUABS_UNIT_FENCED);
	ck_assert_uint_ne(dom->owing, 0);
	world_delete(w);
}
END_TEST

START_TEST(a_suspend_that_is_not_acknowledged_fences)
{
	struct iommuabs_domain *dom;
	struct iommuabs_device *dev;
	struct world *w = running(&dom, &dev);

	COVERS(iommuabs_suspend, E_TIMEOUT);
	w->unit[0].disable = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(iommuabs_suspend(w->abs), IOMMUABS_E_TIMEOUT);
	expect_status(&w->unit[0], IOMMUABS_UNIT_FENCED);
	expect_status(&w->unit[1], IOMMUABS_UNIT_STOPPED);
	ck_assert_int_eq(iommuabs_resume(w->abs), 0);
	expect_status(&w->unit[0], IOMMUABS_UNIT_FENCED);
	expect_status(&w->unit[1], IOMMUABS_UNIT_RUNNING);
	world_delete(w);
}
END_TEST

START_TEST(a_unit_added_meanwhile_wakes_with_the_others)
{
	const struct iommuabs_unit_desc desc = {
		.size = sizeof(desc),
		.type = IOMMUABS_UNIT_NULL,
	};
	struct iommuabs_domain *dom;
	struct iommuabs_device *dev;
	struct world *w = running(&dom, &dev);
	struct iommuabs_unit *late;

	ck_assert_int_eq(iommuabs_suspend(w->abs), 0);
	ck_assert_int_eq(iommuabs_unit_add(w->abs, &desc, &late), 0);
	ck_assert_int_eq(unit_status(late), IOMMUABS_UNIT_ADDED);
	ck_assert_int_eq(iommuabs_resume(w->abs), 0);
	ck_assert_int_eq(unit_status(late), IOMMUABS_UNIT_RUNNING);
	world_delete(w);
}
END_TEST

/* Nothing went through it ever: it is no unit that was fenced. */
START_TEST(a_unit_added_meanwhile_that_does_not_wake_has_failed)
{
	struct iommuabs_domain *dom;
	struct iommuabs_device *dev;
	struct world *w = running(&dom, &dev);
	struct world_unit *late;

	ck_assert_int_eq(iommuabs_suspend(w->abs), 0);
	late = world_unit_add(w);
	late->enable = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(iommuabs_resume(w->abs), IOMMUABS_E_TIMEOUT);
	ck_assert_int_eq(unit_status(late->unit), IOMMUABS_UNIT_FAILED);
	world_delete(w);
}
END_TEST

START_TEST(recovery_of_a_sleeper_does_not_wake_it)
{
	struct iommuabs_domain *dom;
	struct iommuabs_device *dev;
	struct world *w = running(&dom, &dev);
	struct world_unit *u = &w->unit[0];

	unit_fence(u->unit, IOMMUABS_E_TIMEOUT);
	ck_assert_int_eq(iommuabs_suspend(w->abs), 0);
	ck_assert_int_eq(iommuabs_unit_recover(u->unit, 0), 0);
	expect_status(u, IOMMUABS_UNIT_STOPPED);
	ck_assert_uint_eq(u->enables, 1);
	ck_assert_int_eq(iommuabs_resume(w->abs), 0);
	expect_status(u, IOMMUABS_UNIT_RUNNING);
	world_delete(w);
}
END_TEST

START_TEST(after_a_crash_every_unit_was_told_to_block)
{
	struct world *w = world_new(3);
	uint64_t before;

	COVERS(iommuabs_crash_block, E_INVAL);
	COVERS(iommuabs_crash_block, E_TIMEOUT);
	ck_assert_int_eq(iommuabs_crash_block(NULL), IOMMUABS_E_INVAL);
	/* One that was never started, and one that doesn't answer. */
	if (_i)
		ck_assert_int_eq(iommuabs_start(w->abs), 0);
	w->unit[1].crash = IOMMUABS_E_TIMEOUT;
	before = w->host->allocations;
	ck_assert_int_eq(iommuabs_crash_block(w->abs), IOMMUABS_E_TIMEOUT);
	ck_assert_uint_eq(w->host->allocations, before);
	ck_assert_uint_eq(w->unit[0].crashes, 1);
	ck_assert_uint_eq(w->unit[1].crashes, 1);
	ck_assert_uint_eq(w->unit[2].crashes, 1);
	expect_status(&w->unit[2], IOMMUABS_UNIT_FENCED);
	ck_assert_uint_eq(port_load32(&w->unit[2].unit->hw.enabled), 0);
	world_delete(w);
}
END_TEST

START_TEST(a_crash_waits_for_nobody)
{
	struct iommuabs_domain *dom;
	struct iommuabs_device *dev;
	struct world *w = running(&dom, &dev);
	struct iommuabs_unit *unit = w->unit[0].unit;

	/* CPUs stopped inside of everything there is. */
	gate_enter_alone(&w->abs->life);
	gate_enter_alone(&w->abs->gate);
	gate_enter_alone(&dom->gate);
	gate_enter_alone(&unit->gate);
	ia_lock(&w->abs->host, &w->abs->lock);
	ia_lock(&w->abs->host, &dom->lock);
	ia_lock(&w->abs->host, &unit->hw.lock);
	ck_assert_int_eq(iommuabs_crash_block(w->abs), 0);
	ck_assert_uint_eq(w->unit[0].crashes, 1);
	ia_unlock(&w->abs->host, &unit->hw.lock);
	ia_unlock(&w->abs->host, &dom->lock);
	ia_unlock(&w->abs->host, &w->abs->lock);
	gate_leave_alone(&unit->gate);
	gate_leave_alone(&dom->gate);
	gate_leave_alone(&w->abs->gate);
	gate_leave_alone(&w->abs->life);
	/* It was a false alarm. */
	ck_assert_int_eq(obstacle(dev, 0x100), IOMMUABS_OBSTACLE_FENCED);
	ck_assert_int_eq(unmap(dom, 0x100), IOMMUABS_E_FENCED);
	ck_assert_int_eq(iommuabs_unit_recover(unit, 0), 0);
	ck_assert_int_eq(map(dom, 0x100, 0x5000), 0);
	ck_assert_int_eq(obstacle(dev, 0x100), IOMMUABS_OBSTACLE_NONE);
	world_delete(w);
}
END_TEST

START_TEST(a_crash_believes_no_list)
{
	struct world *w = world_new(2);
	struct iommuabs_unit *last = w->unit[1].unit;

	/* A list in a circle, and one that leads somewhere else. */
	last->next = w->unit[0].unit;
	ck_assert_int_eq(iommuabs_crash_block(w->abs), 0);
	ck_assert_uint_eq(w->unit[0].crashes, CORE_UNITS_MAX / 2);
	last->next = NULL;
	last->abs = NULL;
	w->unit[1].crashes = 0;
	ck_assert_int_eq(iommuabs_crash_block(w->abs), 0);
	ck_assert_uint_eq(w->unit[1].crashes, 0);
	last->abs = w->abs;
	world_delete(w);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("power");
	TCase *sleep = tcase_create("sleep");
	TCase *failures = tcase_create("failures");
	TCase *crash = tcase_create("crash");

	if (!world_possible(s))
		return s;
	tcase_add_test(sleep, each_phase_has_its_calls);
	tcase_add_test(sleep, what_changes_meanwhile_is_there_on_resume);
	tcase_add_test(sleep, a_unit_added_meanwhile_wakes_with_the_others);
	tcase_add_test(sleep,
		       a_unit_added_meanwhile_that_does_not_wake_has_failed);
	tcase_add_test(sleep, recovery_of_a_sleeper_does_not_wake_it);
	suite_add_tcase(s, sleep);
	tcase_add_loop_test(
		failures, a_unit_that_does_not_come_back_is_fenced_alone, 0, 3);
	tcase_add_test(failures, what_was_withheld_before_stays_withheld);
	tcase_add_test(failures,
		       a_unit_that_can_neither_be_enabled_nor_blocked_is_dead);
	tcase_add_loop_test(
		failures, a_unit_that_had_failed_is_made_to_block_again, 0, 2);
	tcase_add_loop_test(failures, a_dead_unit_that_answers_again_is_fenced,
			    0, 2);
	tcase_add_test(failures, a_suspend_that_is_not_acknowledged_fences);
	suite_add_tcase(s, failures);
	tcase_add_loop_test(crash, after_a_crash_every_unit_was_told_to_block,
			    0, 2);
	tcase_add_test(crash, a_crash_waits_for_nobody);
	tcase_add_test(crash, a_crash_believes_no_list);
	suite_add_tcase(s, crash);
	return s;
}

HARNESS_MAIN(suite)
