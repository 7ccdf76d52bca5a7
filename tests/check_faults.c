/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/change.h"
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

	for (i = 0; i <= IOMMUABS_FAULT_INTERRUPT; i++) {
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

/* ---- storms ---- */

static struct backend_stream live_of(struct world *w, uint32_t stream)
{
	struct backend_stream live;

	w->unit[0].real->read_stream(&w->unit[0].unit->hw, stream, &live);
	return live;
}

static struct iommuabs_device_stats stats_of(struct iommuabs_device *dev)
{
	struct iommuabs_device_stats stats = { .size = sizeof(stats) };

	ck_assert_int_eq(iommuabs_device_stats(dev, &stats), 0);
	return stats;
}

/* So many events of stream 8, no two of the same frame. */
static void storm(struct world *w, uint32_t events)
{
	uint32_t i;

	w->unit[0].nr_events = w->unit[0].next_event = 0;
	for (i = 0; i < events; i++)
		world_event(&w->unit[0], 8, (uint64_t)i << 12, IOMMUABS_WRITE);
	w->faults = 0;
	ck_assert_int_eq(poll(w, 0, NULL),
			 events >= 4096 ? IOMMUABS_E_AGAIN : 0);
}

static struct world *stormy_world(struct iommuabs_device **dev,
				  struct iommuabs_domain **dom,
				  enum iommuabs_fault_policy policy)
{
	const struct iommuabs_attach_options options = {
		.size = sizeof(options),
		.fault_policy = policy,
	};
	struct world *w = started_world(1);

	*dev = world_device(w, 8, 2, 0);
	*dom = world_domain(w);
	ck_assert_int_eq(iommuabs_device_attach(*dev, *dom, &options, 0), 0);
	return w;
}

START_TEST(a_storm_silences_its_device_alone)
{
	struct iommuabs_device *dev, *other;
	struct iommuabs_domain *dom;
	struct world *w = stormy_world(&dev, &dom, IOMMUABS_FAULTS_SILENCE);

	other = world_device(w, 20, 1, 0);
	ck_assert_int_eq(iommuabs_device_attach(other, dom, NULL, 0), 0);
	storm(w, IOMMUABS_STORM_EVENTS - 1);
	ck_assert_uint_eq(live_of(w, 8).flags, 0);
	/* The next one makes it a storm; what comes after is counted. */
	storm(w, 100);
	ck_assert_uint_eq(w->faults, 1);
	ck_assert_int_eq(w->fault.action, IOMMUABS_FAULT_SILENCED);
	ck_assert_int_eq(live_of(w, 8).kind, BACKEND_STREAM_TABLE);
	ck_assert_uint_eq(live_of(w, 8).flags, BACKEND_STREAM_SILENT);
	ck_assert_uint_eq(live_of(w, 9).flags, BACKEND_STREAM_SILENT);
	ck_assert_uint_eq(live_of(w, 20).flags, 0);
	ck_assert_uint_eq(stats_of(dev).faults, IOMMUABS_STORM_EVENTS + 99);
	ck_assert_uint_eq(stats_of(dev).storms, 1);
	ck_assert_uint_eq(stats_of(dev).silenced, 1);
	ck_assert_uint_eq(stats_of(dev).quarantined, 0);
	/* What a silent device did before that comes late is no second one. */
	storm(w, 2 * IOMMUABS_STORM_EVENTS);
	ck_assert_uint_eq(stats_of(dev).storms, 1);
	/* It stays so through other changes, until it is attached anew. */
	ck_assert_int_eq(attach_rewrite_shared(dom), 0);
	ck_assert_uint_eq(live_of(w, 8).flags, BACKEND_STREAM_SILENT);
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	ck_assert_int_eq(live_of(w, 8).kind, BACKEND_STREAM_BLOCKED);
	ck_assert_int_eq(iommuabs_device_attach(dev, dom, NULL, 0), 0);
	ck_assert_uint_eq(live_of(w, 8).flags, 0);
	ck_assert_uint_eq(stats_of(dev).silenced, 0);
	world_delete(w);
}
END_TEST

/* Whichever of them the storm came by. */
START_TEST(all_ids_of_a_device_are_cut_off)
{
	const struct iommuabs_attach_options options = {
		.size = sizeof(options),
		.fault_policy = IOMMUABS_FAULTS_QUARANTINE,
	};
	struct world *w = started_world(1);
	const struct iommuabs_stream_range ranges[2] = {
		{ w->unit[0].unit, 30, 1, 0 },
		{ w->unit[0].unit, 8, 1, 0 },
	};
	struct iommuabs_device_desc desc = world_device_desc(ranges, 0);
	struct iommuabs_device *dev;

	desc.nr_streams = 2;
	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &dev), 0);
	ck_assert_int_eq(
		iommuabs_device_attach(dev, world_domain(w), &options, 0), 0);
	storm(w, IOMMUABS_STORM_EVENTS);
	ck_assert_int_eq(live_of(w, 8).kind, BACKEND_STREAM_BLOCKED);
	ck_assert_int_eq(live_of(w, 30).kind, BACKEND_STREAM_BLOCKED);
	world_delete(w);
}
END_TEST

START_TEST(a_quarantine_lasts_until_the_device_is_attached_anew)
{
	struct iommuabs_explanation why = { .size = sizeof(why) };
	struct iommuabs_device *dev;
	struct iommuabs_domain *dom;
	struct world *w = stormy_world(&dev, &dom, IOMMUABS_FAULTS_QUARANTINE);

	storm(w, 4096);
	ck_assert_uint_eq(w->faults, IOMMUABS_STORM_EVENTS);
	ck_assert_int_eq(w->fault.action, IOMMUABS_FAULT_QUARANTINED);
	ck_assert_int_eq(live_of(w, 8).kind, BACKEND_STREAM_BLOCKED);
	ck_assert_uint_eq(live_of(w, 8).flags, BACKEND_STREAM_SILENT);
	ck_assert_uint_eq(stats_of(dev).quarantined, 1);
	ck_assert_int_eq(iommuabs_device_explain(dev, IOMMUABS_GFN(1),
						 IOMMUABS_READ, &why),
			 0);
	ck_assert_int_eq(why.obstacle, IOMMUABS_OBSTACLE_QUARANTINED);
	/* No change of the domain lets it in. */
	ck_assert_int_eq(iommuabs_domain_set_strategy(
				 dom, IOMMUABS_STRATEGY_MIRROR, 0, 0),
			 0);
	ck_assert_int_eq(
		iommuabs_device_set_fault_policy(dev, IOMMUABS_FAULTS_REPORT),
		0);
	ck_assert_int_eq(live_of(w, 8).kind, BACKEND_STREAM_BLOCKED);
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	ck_assert_int_eq(iommuabs_device_attach(dev, dom, NULL, 0), 0);
	ck_assert_int_eq(live_of(w, 8).kind, BACKEND_STREAM_TABLE);
	ck_assert_uint_eq(live_of(w, 8).flags, 0);
	world_delete(w);
}
END_TEST

START_TEST(a_device_to_be_reported_is_never_silenced)
{
	struct iommuabs_device *dev;
	struct iommuabs_domain *dom;
	struct world *w = stormy_world(&dev, &dom, IOMMUABS_FAULTS_REPORT);

	storm(w, 4000);
	ck_assert_uint_eq(w->faults, 4000);
	ck_assert_uint_eq(live_of(w, 8).flags, 0);
	ck_assert_uint_eq(stats_of(dev).storms, 3);
	world_delete(w);
}
END_TEST

START_TEST(faults_now_and_then_are_no_storm)
{
	struct iommuabs_device *dev;
	struct iommuabs_domain *dom;
	struct world *w = stormy_world(&dev, &dom, IOMMUABS_FAULTS_SILENCE);
	int i;

	for (i = 0; i < 5; i++) {
		storm(w, IOMMUABS_STORM_EVENTS / 2);
		w->host->now_us += IOMMUABS_STORM_US;
	}
	ck_assert_uint_eq(stats_of(dev).storms, 0);
	ck_assert_uint_eq(stats_of(dev).faults, 5 * IOMMUABS_STORM_EVENTS / 2);
	ck_assert_uint_eq(live_of(w, 8).flags, 0);
	world_delete(w);
}
END_TEST

START_TEST(a_device_that_is_not_attached_is_silenced_too)
{
	struct world *w = started_world(1);
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);

	storm(w, IOMMUABS_STORM_EVENTS);
	ck_assert_int_eq(live_of(w, 8).kind, BACKEND_STREAM_BLOCKED);
	ck_assert_uint_eq(live_of(w, 8).flags, BACKEND_STREAM_SILENT);
	ck_assert_ptr_null(w->fault.dom);
	ck_assert_int_eq(
		iommuabs_device_set_fault_policy(dev, IOMMUABS_FAULTS_SILENCE),
		0);
	ck_assert_uint_eq(live_of(w, 8).flags, 0);
	world_delete(w);
}
END_TEST

START_TEST(policies_and_statistics_are_checked)
{
	struct iommuabs_device_stats stats = { .size = 0 };
	struct iommuabs_attach_options options = { .size = sizeof(options) };
	struct iommuabs_device *dev;
	struct iommuabs_domain *dom;
	struct world *w = stormy_world(&dev, &dom, IOMMUABS_FAULTS_SILENCE);

	COVERS(iommuabs_device_set_fault_policy, E_INVAL);
	COVERS(iommuabs_device_set_fault_policy, E_TIMEOUT);
	COVERS(iommuabs_device_stats, E_INVAL);
	REFUSED(w, iommuabs_device_stats(NULL, &stats), IOMMUABS_E_INVAL);
	REFUSED(w, iommuabs_device_stats(dev, NULL), IOMMUABS_E_INVAL);
	REFUSED(w, iommuabs_device_stats(dev, &stats), IOMMUABS_E_INVAL);
	REFUSED(w,
		iommuabs_device_set_fault_policy(NULL, IOMMUABS_FAULTS_REPORT),
		IOMMUABS_E_INVAL);
	REFUSED(w,
		iommuabs_device_set_fault_policy(dev,
						 (enum iommuabs_fault_policy)3),
		IOMMUABS_E_INVAL);
	options.fault_policy = 3;
	REFUSED(w, iommuabs_device_attach(dev, dom, &options, 0),
		IOMMUABS_E_INVAL);
	/* What came under another policy is no part of a storm under this. */
	storm(w, IOMMUABS_STORM_EVENTS - 1);
	ck_assert_int_eq(
		iommuabs_device_set_fault_policy(dev, IOMMUABS_FAULTS_SILENCE),
		0);
	storm(w, 1);
	ck_assert_uint_eq(stats_of(dev).storms, 0);
	storm(w, IOMMUABS_STORM_EVENTS);
	w->unit[0].stream_set = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(
		iommuabs_device_set_fault_policy(dev, IOMMUABS_FAULTS_REPORT),
		IOMMUABS_E_TIMEOUT);
	ck_assert_int_eq(unit_status(w->unit[0].unit), IOMMUABS_UNIT_FENCED);
	world_delete(w);
}
END_TEST

/* The device is gone in the middle of its own storm. */
START_TEST(a_callback_may_remove_the_device_that_storms)
{
	struct iommuabs_device *dev;
	struct iommuabs_domain *dom;
	struct world *w = stormy_world(&dev, &dom, IOMMUABS_FAULTS_QUARANTINE);

	w->on_fault = remove_it;
	storm(w, 3000);
	ck_assert_ptr_null(w->fault.dev);
	ck_assert_ptr_null(iommuabs_device_next(w->abs, NULL));
	ck_assert_ptr_null(w->abs->graveyard);
	world_delete(w);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("faults");
	TCase *words = tcase_create("words");
	TCase *what = tcase_create("what");
	TCase *bounds = tcase_create("bounds");
	TCase *callback = tcase_create("callback");
	TCase *storms = tcase_create("storms");

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
	tcase_add_test(callback, a_callback_may_remove_the_device_that_storms);
	suite_add_tcase(s, callback);
	tcase_add_test(storms, a_storm_silences_its_device_alone);
	tcase_add_test(storms, all_ids_of_a_device_are_cut_off);
	tcase_add_test(storms,
		       a_quarantine_lasts_until_the_device_is_attached_anew);
	tcase_add_test(storms, a_device_to_be_reported_is_never_silenced);
	tcase_add_test(storms, faults_now_and_then_are_no_storm);
	tcase_add_test(storms, a_device_that_is_not_attached_is_silenced_too);
	tcase_add_test(storms, policies_and_statistics_are_checked);
	suite_add_tcase(s, storms);
	return s;
}

HARNESS_MAIN(suite)
