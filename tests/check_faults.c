/* SPDX-License-Identifier: BSD-2-Clause */
#include "test_world.h"

static int poll(struct world *w, uint32_t max, uint32_t *drained)
{
	return iommuabs_faults_poll(w->abs, max, drained);
}

static struct world *started_world(uint32_t nr_units)
{
	struct world *w = world_new(nr_units);

	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	return w;
}

START_TEST(a_fault_names_unit_device_and_domain)
{
	struct world *w = started_world(2);
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	struct iommuabs_domain *dom = world_domain(w);
	uint32_t drained;

	ck_assert_int_eq(iommuabs_device_attach(dev, dom, NULL, 0), 0);
	world_event(&w->unit[0], 8, 0x12345678, IOMMUABS_WRITE);
	ck_assert_int_eq(poll(w, 0, &drained), 0);
	ck_assert_uint_eq(drained, 1);
	ck_assert_uint_eq(w->faults, 1);
	ck_assert_uint_eq(w->fault.size, sizeof(w->fault));
	ck_assert_int_eq(w->fault.reason, IOMMUABS_FAULT_TRANSLATION);
	ck_assert_ptr_eq(w->fault.unit, w->unit[0].unit);
	ck_assert_ptr_eq(w->fault.unit_cookie, &w->unit[0]);
	ck_assert_ptr_eq(w->fault.dev, dev);
	ck_assert_ptr_eq(w->fault.dev_cookie, (void *)8);
	ck_assert_ptr_eq(w->fault.dom, dom);
	ck_assert_ptr_eq(w->fault.dom_cookie, w);
	ck_assert_uint_eq(w->fault.stream, 8);
	ck_assert_uint_eq(w->fault.access, IOMMUABS_WRITE);
	ck_assert_uint_eq(w->fault.gfn.frame, 0x12345);
	ck_assert_uint_eq(w->fault.address, 0x12345678);
	ck_assert_uint_eq(w->fault.count, 1);
	ck_assert_uint_eq(w->fault.raw[1], 0x12345678);
	world_delete(w);
}
END_TEST

START_TEST(a_fault_of_nobody_names_nobody)
{
	struct world *w = started_world(2);

	world_device(w, 8, 1, 0); /* of the other unit */
	world_event(&w->unit[1], 8, 0x1000, IOMMUABS_READ);
	ck_assert_int_eq(poll(w, 0, NULL), 0);
	ck_assert_uint_eq(w->faults, 1);
	ck_assert_ptr_null(w->fault.dev);
	ck_assert_ptr_null(w->fault.dom);
	world_event(&w->unit[0], 8, 0x1000, IOMMUABS_READ);
	ck_assert_int_eq(poll(w, 0, NULL), 0);
	ck_assert_ptr_nonnull(w->fault.dev);
	ck_assert_ptr_null(w->fault.dom);
	world_delete(w);
}
END_TEST

START_TEST(events_of_one_frame_are_one_fault)
{
	struct world *w = started_world(1);
	uint32_t i, drained;

	for (i = 0; i < 1000; i++)
		world_event(&w->unit[0], 8, 0x1000 + i * 4, IOMMUABS_READ);
	ck_assert_int_eq(poll(w, 0, &drained), 0);
	ck_assert_uint_eq(drained, 1000);
	ck_assert_uint_eq(w->faults, 1);
	ck_assert_uint_eq(w->fault.count, 1000);
	ck_assert_uint_eq(w->fault.address, 0x1000);
	world_delete(w);
}
END_TEST

START_TEST(what_differs_is_told_apart)
{
	struct world *w = started_world(1);
	struct world_unit *u = &w->unit[0];

	world_event(u, 8, 0x1000, IOMMUABS_READ);
	world_event(u, 9, 0x1000, IOMMUABS_READ);
	world_event(u, 8, 0x2000, IOMMUABS_READ);
	world_event(u, 8, 0x1000, IOMMUABS_WRITE);
	world_event(u, 8, 0x1000, IOMMUABS_READ);
	u->events[u->nr_events - 1].reason = IOMMUABS_FAULT_PERMISSION;
	world_event(u, 8, 0x1000, IOMMUABS_READ);
	u->events[u->nr_events - 1].has_address = 0;
	ck_assert_int_eq(poll(w, 0, NULL), 0);
	ck_assert_uint_eq(w->faults, 6);
	ck_assert_uint_eq(w->fault.gfn.frame, 0);
	ck_assert_uint_eq(w->fault.address, 0);
	world_delete(w);
}
END_TEST

static uint32_t counted;

static void count_events(struct world *w, const struct iommuabs_fault *fault)
{
	(void)w;
	counted += fault->count;
}

START_TEST(no_event_is_lost_among_many_different_ones)
{
	struct world *w = started_world(1);
	uint32_t i;

	for (i = 0; i < 500; i++)
		world_event(&w->unit[0], i % 50, 0x1000, IOMMUABS_READ);
	w->on_fault = count_events;
	counted = 0;
	ck_assert_int_eq(poll(w, 0, NULL), 0);
	ck_assert_uint_eq(counted, 500);
	ck_assert_uint_ge(w->faults, 50);
	world_delete(w);
}
END_TEST

START_TEST(a_limit_is_kept_and_the_rest_stays)
{
	struct world *w = started_world(1);
	uint32_t i, drained;

	COVERS(iommuabs_faults_poll, E_AGAIN);
	for (i = 0; i < 21; i++)
		world_event(&w->unit[0], 8, 0x1000, IOMMUABS_READ);
	ck_assert_int_eq(poll(w, 20, &drained), IOMMUABS_E_AGAIN);
	ck_assert_uint_eq(drained, 20);
	ck_assert_uint_eq(w->fault.count, 20);
	ck_assert_int_eq(poll(w, 20, &drained), 0);
	ck_assert_uint_eq(drained, 1);
	world_delete(w);
}
END_TEST

START_TEST(a_storm_is_bounded_and_does_not_starve_others)
{
	struct world *w = started_world(2);
	uint32_t i, drained;

	COVERS(iommuabs_faults_poll, E_AGAIN);
	for (i = 0; i < WORLD_EVENTS; i++)
		world_event(&w->unit[0], 8, 0x1000, IOMMUABS_READ);
	world_event(&w->unit[1], 9, 0x2000, IOMMUABS_READ);
	ck_assert_int_eq(poll(w, 0, &drained), IOMMUABS_E_AGAIN);
	ck_assert_uint_eq(drained, 4096 + 1);
	world_event(&w->unit[1], 9, 0x2000, IOMMUABS_READ);
	ck_assert_int_eq(poll(w, 10, &drained), IOMMUABS_E_AGAIN);
	ck_assert_ptr_eq(w->fault.unit, w->unit[0].unit);
	ck_assert_int_eq(poll(w, 10, &drained), IOMMUABS_E_AGAIN);
	ck_assert_uint_eq(w->unit[1].next_event, 2);
	world_delete(w);
}
END_TEST

START_TEST(a_unit_that_is_off_has_no_queue)
{
	struct world *w = world_new(1);
	uint32_t drained;

	world_event(&w->unit[0], 8, 0x1000, IOMMUABS_READ);
	ck_assert_int_eq(poll(w, 0, &drained), 0);
	ck_assert_uint_eq(drained, 0);
	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	unit_fence(w->unit[0].unit, IOMMUABS_E_TIMEOUT);
	ck_assert_int_eq(poll(w, 0, &drained), 0);
	ck_assert_uint_eq(drained, 1);
	world_delete(w);
}
END_TEST

static void poll_again(struct world *w, const struct iommuabs_fault *fault)
{
	uint32_t drained = 77;

	(void)fault;
	ck_assert_int_eq(poll(w, 0, &drained), IOMMUABS_E_BUSY);
	ck_assert_uint_eq(drained, 77);
}

START_TEST(a_callback_cannot_poll)
{
	struct world *w = started_world(1);

	COVERS(iommuabs_faults_poll, E_BUSY);
	world_event(&w->unit[0], 8, 0x1000, IOMMUABS_READ);
	w->on_fault = poll_again;
	ck_assert_int_eq(poll(w, 0, NULL), 0);
	ck_assert_uint_eq(w->faults, 1);
	world_delete(w);
}
END_TEST

/* Detach and forget the device that misbehaves; it stays readable till the end. */
static void remove_it(struct world *w, const struct iommuabs_fault *fault)
{
	if (!fault->dev)
		return;
	ck_assert_int_eq(iommuabs_device_detach(fault->dev, 0), 0);
	ck_assert_int_eq(iommuabs_device_remove(fault->dev), 0);
	ck_assert_ptr_eq(w->abs->graveyard, fault->dev);
	ck_assert_ptr_eq(fault->dev->cookie, (void *)8);
}

START_TEST(a_callback_may_remove_the_device)
{
	struct world *w = started_world(1);
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);

	ck_assert_int_eq(iommuabs_device_attach(dev, world_domain(w), NULL, 0),
			 0);
	world_event(&w->unit[0], 8, 0x1000, IOMMUABS_READ);
	world_event(&w->unit[0], 8, 0x2000, IOMMUABS_READ);
	w->on_fault = remove_it;
	ck_assert_int_eq(poll(w, 0, NULL), 0);
	ck_assert_uint_eq(w->faults, 2);
	ck_assert_ptr_null(w->fault.dev);
	ck_assert_ptr_null(iommuabs_device_next(w->abs, NULL));
	ck_assert_ptr_null(w->abs->graveyard);
	world_delete(w);
}
END_TEST

START_TEST(without_a_callback_faults_are_drained)
{
	struct world *w = started_world(1);
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	uint32_t drained;

	w->abs->host.ops.fault = NULL;
	world_event(&w->unit[0], 8, 0x1000, IOMMUABS_READ);
	ck_assert_int_eq(poll(w, 0, &drained), 0);
	ck_assert_uint_eq(drained, 1);
	ck_assert_uint_eq(dev->faults, 1);
	world_delete(w);
}
END_TEST

START_TEST(every_reason_has_words)
{
	const char *words;
	int i, k;

	for (i = 0; i <= IOMMUABS_FAULT_TLB_CONFLICT; i++) {
		words = iommuabs_fault_reason_text(
			(enum iommuabs_fault_reason)i);
		ck_assert(words[0]);
		for (k = 0; k < i; k++)
			ck_assert_str_ne(
				words, iommuabs_fault_reason_text(
					       (enum iommuabs_fault_reason)k));
	}
	words = iommuabs_fault_reason_text((enum iommuabs_fault_reason)i);
	ck_assert_str_eq(words, "unknown reason");
	words = iommuabs_fault_reason_text((enum iommuabs_fault_reason) - 1);
	ck_assert_str_eq(words, "unknown reason");
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("faults");
	TCase *words = tcase_create("words");
	TCase *what = tcase_create("what");
	TCase *bounds = tcase_create("bounds");
	TCase *callback = tcase_create("callback");

	tcase_add_test(words, every_reason_has_words);
	suite_add_tcase(s, words);
	if (!world_possible(s))
		return s;
	tcase_add_test(what, a_fault_names_unit_device_and_domain);
	tcase_add_test(what, a_fault_of_nobody_names_nobody);
	tcase_add_test(what, events_of_one_frame_are_one_fault);
	tcase_add_test(what, what_differs_is_told_apart);
	tcase_add_test(what, no_event_is_lost_among_many_different_ones);
	suite_add_tcase(s, what);
	tcase_add_test(bounds, a_limit_is_kept_and_the_rest_stays);
	tcase_add_test(bounds, a_storm_is_bounded_and_does_not_starve_others);
	tcase_add_test(bounds, a_unit_that_is_off_has_no_queue);
	suite_add_tcase(s, bounds);
	tcase_add_test(callback, a_callback_cannot_poll);
	tcase_add_test(callback, a_callback_may_remove_the_device);
	tcase_add_test(callback, without_a_callback_faults_are_drained);
	suite_add_tcase(s, callback);
	return s;
}

HARNESS_MAIN(suite)
