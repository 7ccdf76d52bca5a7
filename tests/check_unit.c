/* SPDX-License-Identifier: BSD-2-Clause */
#include "test_world.h"

#include <stdlib.h>
#include <string.h>

static struct iommuabs_unit_state state_of(struct iommuabs_unit *unit)
{
	struct iommuabs_unit_state state = { .size = sizeof(state) };

	ck_assert_int_eq(iommuabs_unit_state(unit, &state), 0);
	return state;
}

static void expect_status(struct world_unit *u,
			  enum iommuabs_unit_status status, int error)
{
	struct iommuabs_unit_state state = state_of(u->unit);

	ck_assert_int_eq(state.status, status);
	ck_assert_int_eq(state.error, error);
}

static bool blocks_all(struct iommuabs_unit *unit)
{
	const uint32_t status = state_of(unit).status;

	return status == IOMMUABS_UNIT_FENCED ||
	       status == IOMMUABS_UNIT_FAILED ||
	       status == IOMMUABS_UNIT_STOPPED;
}

/* A started world with one attached device, cookie 8. */
static struct world *started_world(struct iommuabs_domain **dom,
				   struct iommuabs_device **dev)
{
	struct world *w = world_new(1);

	*dom = world_domain(w);
	*dev = world_device(w, 8, 1, 0);
	ck_assert_int_eq(iommuabs_domain_map(*dom, IOMMUABS_GFN(0x100),
					     IOMMUABS_MFN(0x5000), 16,
					     IOMMUABS_READ | IOMMUABS_WRITE,
					     NULL),
			 0);
	ck_assert_int_eq(iommuabs_device_attach(*dev, *dom, NULL, 0), 0);
	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	return w;
}

static int unmap(struct iommuabs_domain *dom, uint64_t gfn, uint64_t nr)
{
	return iommuabs_domain_unmap(dom, IOMMUABS_GFN(gfn), nr, NULL);
}

START_TEST(start_enables_and_stop_leaves_blocking)
{
	struct world *w = world_new(2);

	expect_status(&w->unit[0], IOMMUABS_UNIT_ADDED, 0);
	ck_assert(!blocks_all(w->unit[0].unit));
	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	expect_status(&w->unit[0], IOMMUABS_UNIT_RUNNING, 0);
	expect_status(&w->unit[1], IOMMUABS_UNIT_RUNNING, 0);
	ck_assert_int_eq(iommuabs_stop(w->abs), 0);
	expect_status(&w->unit[0], IOMMUABS_UNIT_STOPPED, 0);
	ck_assert(blocks_all(w->unit[0].unit));
	ck_assert_uint_eq(w->unit[1].disables, 1);
	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	expect_status(&w->unit[0], IOMMUABS_UNIT_RUNNING, 0);
	world_delete(w);
}
END_TEST

START_TEST(a_unit_added_after_start_is_enabled_at_once)
{
	const struct iommuabs_unit_desc desc = {
		.size = sizeof(desc),
		.type = IOMMUABS_UNIT_NULL,
		.name = "late",
	};
	struct world *w = world_new(1);
	struct iommuabs_unit *late;
	struct iommuabs_unit_state state;

	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	ck_assert_int_eq(iommuabs_unit_add(w->abs, &desc, &late), 0);
	state = state_of(late);
	ck_assert_int_eq(state.status, IOMMUABS_UNIT_RUNNING);
	ck_assert_str_eq(state.name, "late");
	ck_assert_ptr_eq(iommuabs_unit_next(w->abs, w->unit[0].unit), late);
	ck_assert_ptr_null(iommuabs_unit_next(w->abs, late));
	world_delete(w);
}
END_TEST

START_TEST(a_unit_that_fails_to_start_fails_alone)
{
	static const int errors[] = {
		IOMMUABS_E_NOMEM,
		IOMMUABS_E_UNIT,
		IOMMUABS_E_TIMEOUT,
	};
	struct world *w = world_new(2);

	w->unit[0].enable = errors[_i];
	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	expect_status(&w->unit[0], IOMMUABS_UNIT_FAILED, errors[_i]);
	expect_status(&w->unit[1], IOMMUABS_UNIT_RUNNING, 0);
	ck_assert_uint_eq(w->unit[0].fences, errors[_i] != IOMMUABS_E_NOMEM);
	/* Nobody tells it of a change, who would wait for it. */
	ck_assert_uint_eq(w->unit[0].unit->coming, 0);
	hostif_format(w->unit[0].unit->hw.reason,
		      sizeof(w->unit[0].unit->hw.reason), "as it was asked");
	ck_assert_str_eq(state_of(w->unit[0].unit).reason, "as it was asked");
	/* What was wrong is not wrong any more. */
	w->unit[0].enable = 0;
	ck_assert_int_eq(iommuabs_unit_recover(w->unit[0].unit, 0), 0);
	expect_status(&w->unit[0], IOMMUABS_UNIT_RUNNING, 0);
	ck_assert_str_eq(state_of(w->unit[0].unit).reason, "");
	world_delete(w);
}
END_TEST

START_TEST(a_unit_of_an_unknown_kind_is_reported_and_left_alone)
{
	const struct iommuabs_unit_desc desc = {
		.size = sizeof(desc),
		.type = IOMMUABS_UNIT_OTHER,
	};
	struct world *w = world_new(1);
	struct iommuabs_unit *other;

	COVERS(iommuabs_unit_irq, E_NODRIVER);
	COVERS(iommuabs_unit_recover, E_NODRIVER);
	ck_assert_int_eq(iommuabs_unit_add(w->abs, &desc, &other), 0);
	ck_assert_int_eq(state_of(other).status, IOMMUABS_UNIT_NO_DRIVER);
	ck_assert_str_eq(state_of(other).reason, "no driver in this build");
	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	ck_assert_int_eq(state_of(other).status, IOMMUABS_UNIT_NO_DRIVER);
	ck_assert_int_eq(iommuabs_unit_irq(other, IOMMUABS_IRQ_EVENT),
			 IOMMUABS_E_NODRIVER);
	ck_assert_int_eq(iommuabs_unit_recover(other, 0), IOMMUABS_E_NODRIVER);
	ck_assert(!blocks_all(other));
	world_delete(w);
}
END_TEST

START_TEST(a_timeout_fences_once_and_withholds)
{
	struct iommuabs_domain *dom;
	struct iommuabs_device *dev;
	struct world *w = started_world(&dom, &dev);
	struct world_unit *u = &w->unit[0];
	iommuabs_gfn_t gfns[2];
	uint64_t cursor = 0;
	uint32_t nr;
	char *dump;

	u->invalidate = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(unmap(dom, 0x100, 1), IOMMUABS_E_TIMEOUT);
	expect_status(u, IOMMUABS_UNIT_FENCED, IOMMUABS_E_TIMEOUT);
	ck_assert(test_host_logged(w->host, "fenced"));
	dump = world_dump(w);
	ck_assert_ptr_nonnull(strstr(dump, "null-0: fenced"));
	free(dump);
	ck_assert(blocks_all(u->unit));
	ck_assert_int_eq(unmap(dom, 0x101, 1), IOMMUABS_E_FENCED);
	ck_assert_uint_eq(u->fences, 1);
	ck_assert_uint_eq(u->invalidates, 1);
	ck_assert_uint_eq(w->isolated, 0);
	ck_assert_int_eq(iommuabs_domain_gfns(dom, IOMMUABS_MFN(0x5001),
					      &cursor, gfns, 2, &nr),
			 0);
	ck_assert_uint_eq(nr, 1);

	u->invalidate = 0;
	ck_assert_int_eq(iommuabs_unit_recover(u->unit, 0), 0);
	expect_status(u, IOMMUABS_UNIT_RUNNING, 0);
	ck_assert_uint_eq(dom->owing, 0);
	cursor = 0;
	ck_assert_int_eq(iommuabs_domain_gfns(dom, IOMMUABS_MFN(0x5001),
					      &cursor, gfns, 2, &nr),
			 0);
	ck_assert_uint_eq(nr, 0);
	world_delete(w);
}
END_TEST

START_TEST(a_device_that_keeps_its_translations_is_cut_off_alone)
{
	struct iommuabs_domain *dom;
	struct iommuabs_device *dev;
	struct world *w = started_world(&dom, &dev);
	struct world_unit *u = &w->unit[0];
	struct iommuabs_device_stats stats = { .size = sizeof(stats) };
	struct backend_stream live;

	u->stuck = (struct backend_streams){ 8, 1 };
	u->nr_stuck = 1;
	ck_assert_int_eq(unmap(dom, 0x100, 1), 0);
	ck_assert_uint_eq(u->invalidates, 2);
	ck_assert_uint_eq(w->isolated, 1);
	ck_assert_ptr_eq(w->isolated_cookie, (void *)8);
	ck_assert(test_host_logged(w->host, "keeps its translations"));
	u->real->read_stream(&u->unit->hw, 8, &live);
	ck_assert_int_eq(live.kind, BACKEND_STREAM_BLOCKED);
	expect_status(u, IOMMUABS_UNIT_RUNNING, 0);
	/* Its faults are heard. */
	ck_assert_int_eq(iommuabs_device_stats(dev, &stats), 0);
	ck_assert_uint_eq(stats.quarantined, 1);
	ck_assert_uint_eq(stats.silenced, 0);
	/* What can't even be blocked fences the unit. */
	u->nr_stuck = 1;
	u->stream_set = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(unmap(dom, 0x101, 1), IOMMUABS_E_TIMEOUT);
	expect_status(u, IOMMUABS_UNIT_FENCED, IOMMUABS_E_TIMEOUT);
	world_delete(w);
}
END_TEST

START_TEST(an_interrupt_by_message_is_the_drivers_to_grant)
{
	const struct iommuabs_unit_desc desc = {
		.size = sizeof(desc),
		.type = IOMMUABS_UNIT_OTHER,
		.base = 0x9060000,
	};
	struct world *w = world_new(1);
	struct world_unit *u = &w->unit[0];
	struct iommuabs_unit *other;
	char *dump;

	COVERS(iommuabs_unit_irq_set_msi, E_INVAL);
	COVERS(iommuabs_unit_irq_set_msi, E_NOTSUP);
	COVERS(iommuabs_unit_irq_set_msi, E_NODRIVER);
	COVERS(iommuabs_unit_irq_set_msi, E_TIMEOUT);
	REFUSED(w,
		iommuabs_unit_irq_set_msi(NULL, IOMMUABS_IRQ_EVENT, 0x1000, 1),
		IOMMUABS_E_INVAL);
	REFUSED(w,
		iommuabs_unit_irq_set_msi(u->unit, IOMMUABS_IRQ_COUNT_, 0x1000,
					  1),
		IOMMUABS_E_INVAL);
	REFUSED(w,
		iommuabs_unit_irq_set_msi(u->unit, IOMMUABS_IRQ_EVENT, 0x1000,
					  1),
		IOMMUABS_E_NOTSUP);
	ck_assert_int_eq(iommuabs_unit_add(w->abs, &desc, &other), 0);
	REFUSED(w,
		iommuabs_unit_irq_set_msi(other, IOMMUABS_IRQ_EVENT, 0x1000, 1),
		IOMMUABS_E_NODRIVER);
	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	u->set_msi = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(iommuabs_unit_irq_set_msi(u->unit, IOMMUABS_IRQ_EVENT,
						   0x1000, 1),
			 IOMMUABS_E_TIMEOUT);
	expect_status(u, IOMMUABS_UNIT_FENCED, IOMMUABS_E_TIMEOUT);
	/* Nothing else has changed, but that it holds from now on. */
	dump = world_dump(w);
	ck_assert_ptr_nonnull(
		strstr(dump, "\n  event as a message: 1 at 1000\n"));
	free(dump);
	world_delete(w);
}
END_TEST

START_TEST(what_does_not_acknowledge_is_isolated_or_dead)
{
	struct iommuabs_domain *dom;
	struct iommuabs_device *dev;
	struct world *w = started_world(&dom, &dev);
	struct world_unit *u = &w->unit[0];
	uint64_t used;

	world_device(w, 9, 1, 0); /* attached to nothing: not asked about */
	u->invalidate = u->fence = IOMMUABS_E_TIMEOUT;
	w->isolate = _i ? IOMMUABS_E_NOTSUP : 0;
	ck_assert_int_eq(unmap(dom, 0x100, 1), IOMMUABS_E_TIMEOUT);
	ck_assert_uint_eq(w->isolated, 1);
	ck_assert_ptr_eq(w->isolated_cookie, (void *)8);
	expect_status(u, _i ? IOMMUABS_UNIT_DEAD : IOMMUABS_UNIT_FENCED,
		      IOMMUABS_E_TIMEOUT);
	ck_assert_uint_eq(w->dead, _i);
	if (_i)
		ck_assert_ptr_eq(w->dead_cookie, u);
	ck_assert_int_eq(blocks_all(u->unit), !_i);
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	/* It may read the mirror still. */
	used = dom->account.used;
	ck_assert_int_eq(iommuabs_domain_compact(dom, 0), 0);
	ck_assert_uint_eq(dom->account.used, used);
	world_delete(w);
}
END_TEST

START_TEST(each_device_is_isolated_though_another_can_not_be)
{
	struct iommuabs_domain *dom;
	struct iommuabs_device *dev;
	struct world *w = started_world(&dom, &dev);

	dev = world_device(w, 9, 1, 0);
	ck_assert_int_eq(iommuabs_device_attach(dev, dom, NULL, 0), 0);
	w->unit[0].invalidate = w->unit[0].fence = IOMMUABS_E_TIMEOUT;
	w->isolate = IOMMUABS_E_NOTSUP;
	ck_assert_int_eq(unmap(dom, 0x100, 1), IOMMUABS_E_TIMEOUT);
	ck_assert_uint_eq(w->isolated, 2);
	world_delete(w);
}
END_TEST

START_TEST(a_host_without_isolation_has_dead_units)
{
	struct iommuabs_domain *dom;
	struct iommuabs_device *dev;
	struct world *w = started_world(&dom, &dev);
	struct world_unit *u = &w->unit[0];

	w->abs->host.ops.device_isolate = NULL;
	u->invalidate = u->fence = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(unmap(dom, 0x100, 1), IOMMUABS_E_TIMEOUT);
	expect_status(u, IOMMUABS_UNIT_DEAD, IOMMUABS_E_TIMEOUT);
	COVERS(iommuabs_stop, E_TIMEOUT);
	ck_assert_int_eq(iommuabs_stop(w->abs), IOMMUABS_E_TIMEOUT);
	world_delete(w);
}
END_TEST

START_TEST(a_recovery_that_fails_leaves_the_unit_fenced)
{
	static const int errors[] = {
		IOMMUABS_E_NOMEM,
		IOMMUABS_E_UNIT,
		IOMMUABS_E_TIMEOUT,
	};
	struct iommuabs_domain *dom;
	struct iommuabs_device *dev;
	struct world *w = started_world(&dom, &dev);
	struct world_unit *u = &w->unit[0];

	COVERS(iommuabs_unit_recover, E_NOMEM);
	COVERS(iommuabs_unit_recover, E_UNIT);
	COVERS(iommuabs_unit_recover, E_TIMEOUT);
	u->invalidate = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(unmap(dom, 0x100, 1), IOMMUABS_E_TIMEOUT);
	u->enable = errors[_i];
	ck_assert_int_eq(iommuabs_unit_recover(u->unit, 0), errors[_i]);
	expect_status(u, IOMMUABS_UNIT_FENCED, errors[_i]);
	ck_assert_uint_ne(dom->owing, 0);
	world_delete(w);
}
END_TEST

START_TEST(a_recovery_counts_domains)
{
	struct world *w = world_new(1);
	struct world_unit *u = &w->unit[0];
	struct iommuabs_domain *dom[3];
	int i;

	for (i = 0; i < 3; i++) {
		dom[i] = world_domain(w);
		ck_assert_int_eq(
			iommuabs_domain_map(dom[i], IOMMUABS_GFN(1),
					    IOMMUABS_MFN(0x5000 + (uint64_t)i),
					    1, IOMMUABS_READ, NULL),
			0);
		ck_assert_int_eq(iommuabs_device_attach(
					 world_device(w, (uint32_t)i, 1, 0),
					 dom[i], NULL, 0),
				 0);
	}
	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	u->invalidate = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(unmap(dom[0], 1, 1), IOMMUABS_E_TIMEOUT);
	ck_assert_int_eq(unmap(dom[1], 1, 1), IOMMUABS_E_FENCED);
	ck_assert_int_eq(unmap(dom[2], 1, 1), IOMMUABS_E_FENCED);
	u->invalidate = 0;
	COVERS(iommuabs_unit_recover, E_AGAIN);
	ck_assert_int_eq(iommuabs_unit_recover(u->unit, 1), IOMMUABS_E_AGAIN);
	ck_assert_uint_eq(dom[0]->owing, 0);
	ck_assert_uint_ne(dom[1]->owing, 0);
	ck_assert_int_eq(iommuabs_unit_recover(u->unit, 1), IOMMUABS_E_AGAIN);
	ck_assert_int_eq(iommuabs_unit_recover(u->unit, 1), 0);
	ck_assert_uint_eq(dom[2]->owing, 0);
	ck_assert_int_eq(iommuabs_unit_recover(u->unit, 1), 0);
	ck_assert_uint_eq(u->enables, 2);
	world_delete(w);
}
END_TEST

START_TEST(a_stopped_instance_recovers_without_translating)
{
	struct iommuabs_domain *dom;
	struct iommuabs_device *dev;
	struct world *w = started_world(&dom, &dev);
	struct world_unit *u = &w->unit[0];

	u->invalidate = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(unmap(dom, 0x100, 1), IOMMUABS_E_TIMEOUT);
	ck_assert_int_eq(iommuabs_stop(w->abs), 0);
	expect_status(u, IOMMUABS_UNIT_FENCED, IOMMUABS_E_TIMEOUT);
	u->disable = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(iommuabs_unit_recover(u->unit, 0), IOMMUABS_E_TIMEOUT);
	u->disable = 0;
	ck_assert_int_eq(iommuabs_unit_recover(u->unit, 0), 0);
	expect_status(u, IOMMUABS_UNIT_STOPPED, 0);
	ck_assert_uint_eq(dom->owing, 0);
	ck_assert_uint_eq(u->enables, 1);
	world_delete(w);
}
END_TEST

START_TEST(a_stop_that_is_not_acknowledged_is_reported)
{
	struct world *w = world_new(2);

	COVERS(iommuabs_stop, E_TIMEOUT);
	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	w->unit[0].disable = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(iommuabs_stop(w->abs), IOMMUABS_E_TIMEOUT);
	expect_status(&w->unit[0], IOMMUABS_UNIT_FENCED, IOMMUABS_E_TIMEOUT);
	expect_status(&w->unit[1], IOMMUABS_UNIT_STOPPED, 0);
	world_delete(w);
}
END_TEST

START_TEST(a_failed_error_register_fences_the_unit)
{
	struct world *w = world_new(2);

	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	w->unit[1].errors = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(iommuabs_faults_poll(w->abs, 0, NULL), 0);
	expect_status(&w->unit[0], IOMMUABS_UNIT_RUNNING, 0);
	expect_status(&w->unit[1], IOMMUABS_UNIT_FENCED, IOMMUABS_E_TIMEOUT);
	world_delete(w);
}
END_TEST

START_TEST(ids_are_given_once_each)
{
	struct world *w = world_new(1);
	struct iommuabs_unit *unit = w->unit[0].unit;
	uint32_t id, i, max = unit->nr_ids;
	uint8_t *seen = calloc(max, 1);

	ck_assert_uint_ge(max, 256);
	for (i = 1; i < max; i++) {
		ck_assert_int_eq(unit_id_take(unit, &id), 0);
		ck_assert_uint_lt(id, max);
		ck_assert_uint_gt(id, 0);
		ck_assert(!seen[id]);
		seen[id] = 1;
	}
	ck_assert_int_eq(unit_id_take(unit, &id), IOMMUABS_E_NOIDS);
	unit_id_give(unit, 77);
	ck_assert_int_eq(unit_id_take(unit, &id), 0);
	ck_assert_uint_eq(id, 77);
	for (i = 1; i < max; i++)
		unit_id_give(unit, i);
	free(seen);
	world_delete(w);
}
END_TEST

/* With 4 bits they end within a word: what is past them is nobody's. */
START_TEST(there_are_no_ids_past_the_last)
{
	struct world *w = world_new(1);
	struct iommuabs_unit *unit = w->unit[0].unit;
	uint32_t all = unit->nr_ids, id, i;

	unit->nr_ids = 16;
	for (i = 1; i < 16; i++)
		ck_assert_int_eq(unit_id_take(unit, &id), 0);
	for (i = 0; i < 3; i++) {
		ck_assert_int_eq(unit_id_take(unit, &id), IOMMUABS_E_NOIDS);
		ck_assert_uint_eq(unit_ids_in_use(unit), 15);
	}
	for (i = 1; i < 16; i++)
		unit_id_give(unit, i);
	unit->nr_ids = all;
	world_delete(w);
}
END_TEST

/* Whichever they are. */
START_TEST(all_ids_that_were_kept_come_back_with_the_unit)
{
	struct world *w = world_new(1);
	struct iommuabs_unit *unit = w->unit[0].unit;
	uint32_t id, i;

	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	for (i = 1; i < 200; i++)
		ck_assert_int_eq(unit_id_take(unit, &id), 0);
	unit_fence(unit, IOMMUABS_E_TIMEOUT);
	for (i = 1; i < 200; i++)
		unit_id_keep(unit, i);
	ck_assert_uint_eq(unit_ids_in_use(unit), 199);
	ck_assert_int_eq(iommuabs_unit_recover(unit, 0), 0);
	ck_assert_uint_eq(unit_ids_in_use(unit), 0);
	world_delete(w);
}
END_TEST

START_TEST(an_id_whose_retirement_failed_waits_for_recovery)
{
	struct world *w = world_new(1);
	struct iommuabs_unit *unit = w->unit[0].unit;
	uint32_t id, again;

	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	ck_assert_int_eq(unit_id_take(unit, &id), 0);
	unit_fence(unit, IOMMUABS_E_TIMEOUT);
	unit_id_keep(unit, id);
	ck_assert_int_eq(unit_id_take(unit, &again), 0);
	ck_assert_uint_ne(id, again);
	unit_id_give(unit, again);
	ck_assert_int_eq(iommuabs_unit_recover(unit, 0), 0);
	ck_assert_int_eq(unit_id_take(unit, &again), 0);
	ck_assert_uint_eq(id, again);
	/* Recovered before it was kept: it is free at once. */
	unit_id_keep(unit, id);
	ck_assert_int_eq(unit_id_take(unit, &again), 0);
	ck_assert_uint_eq(id, again);
	unit_id_give(unit, again);
	world_delete(w);
}
END_TEST

START_TEST(registers_are_never_mapped)
{
	const struct iommuabs_unit_desc desc = {
		.size = sizeof(desc),
		.type = IOMMUABS_UNIT_OTHER,
		.base = 0x9050000,
		.length = 0x20000,
	};
	struct iommuabs_unit_desc second = desc;
	struct world *w = world_new(0);
	struct iommuabs_domain *dom = world_domain(w);
	struct iommuabs_unit *unit;
	uint32_t flags = IOMMUABS_READ;

	COVERS(iommuabs_unit_add, E_EXISTS);
	ck_assert_int_eq(iommuabs_unit_add(w->abs, &desc, &unit), 0);
	ck_assert_int_eq(iommuabs_domain_map(dom, IOMMUABS_GFN(1),
					     IOMMUABS_MFN(0x906f), 1, flags,
					     NULL),
			 IOMMUABS_E_PERM);
	ck_assert_int_eq(iommuabs_domain_map(dom, IOMMUABS_GFN(1),
					     IOMMUABS_MFN(0x9040), 17, flags,
					     NULL),
			 IOMMUABS_E_PERM);
	ck_assert_int_eq(iommuabs_domain_map(dom, IOMMUABS_GFN(1),
					     IOMMUABS_MFN(0x9070), 1, flags,
					     NULL),
			 0);
	ck_assert_int_eq(iommuabs_unit_add(w->abs, &desc, &unit),
			 IOMMUABS_E_EXISTS);
	second.base = 0x9070000;
	ck_assert_int_eq(iommuabs_unit_add(w->abs, &second, &unit),
			 IOMMUABS_E_EXISTS);
	/* What was refused protects nothing. */
	ck_assert_int_eq(iommuabs_domain_map(dom, IOMMUABS_GFN(2),
					     IOMMUABS_MFN(0x9071), 1, flags,
					     NULL),
			 0);
	world_delete(w);
}
END_TEST

/* ---- many units ---- */

#define MANY_BASE(n) (0x40000000 + 0x100000 * (uint64_t)(n))

/* The @n-th, with registers of two frames, of which one begins in the middle. */
static int many_add(struct world *w, uint32_t n)
{
	const struct iommuabs_unit_desc desc = {
		.size = sizeof(desc),
		.type = IOMMUABS_UNIT_OTHER,
		.base = MANY_BASE(n) + 0x800,
		.length = 0x1000,
	};
	struct iommuabs_unit *unit;

	return iommuabs_unit_add(w->abs, &desc, &unit);
}

static void many(struct world *w, uint32_t nr)
{
	uint32_t n;

	for (n = 0; n < nr; n++)
		ck_assert_int_eq(many_add(w, n), 0);
}

START_TEST(there_are_1024_units_at_the_most)
{
	struct world *w = world_new(0);

	COVERS(iommuabs_unit_add, E_NOMEM);
	many(w, 1024);
	ck_assert_int_eq(many_add(w, 1024), IOMMUABS_E_NOMEM);
	world_delete(w);
}
END_TEST

static int map_one(struct iommuabs_domain *dom, uint64_t mfn)
{
	return iommuabs_domain_map(dom, IOMMUABS_GFN(mfn), IOMMUABS_MFN(mfn), 1,
				   IOMMUABS_READ, NULL);
}

/* Who has frames around the @n-th's registers: them, the domain on each side. */
static void expect_in_between(struct world *w, uint32_t n)
{
	struct iommuabs_frame_place places[8];
	struct iommuabs_frames_walk walk = {
		.size = sizeof(walk),
		.mfn = IOMMUABS_MFN((MANY_BASE(n) >> IOMMUABS_FRAME_LG2) - 8),
		.nr = 16,
		.places = places,
		.max_places = 8,
	};
	uint32_t i;

	ck_assert_int_eq(iommuabs_frames_walk(w->abs, &walk, 0), 0);
	ck_assert_uint_eq(walk.nr_places, 4);
	for (i = 0; i < 4; i++) {
		ck_assert_uint_eq(places[i].mfn.frame,
				  (MANY_BASE(n) >> IOMMUABS_FRAME_LG2) + i - 1);
		ck_assert(!places[i].user.dom == (i == 1 || i == 2));
	}
}

START_TEST(registers_of_many_units_are_never_mapped)
{
	struct world *w = world_new(0);
	struct iommuabs_domain *dom = world_domain(w);
	uint64_t mfn;
	uint32_t n;

	many(w, 130);
	for (n = 0; n < 130; n++) {
		mfn = MANY_BASE(n) >> IOMMUABS_FRAME_LG2;
		ck_assert_int_eq(map_one(dom, mfn), IOMMUABS_E_PERM);
		ck_assert_int_eq(map_one(dom, mfn + 1), IOMMUABS_E_PERM);
		ck_assert_int_eq(map_one(dom, mfn - 1), 0);
		ck_assert_int_eq(map_one(dom, mfn + 2), 0);
		expect_in_between(w, n);
	}
	world_delete(w);
}
END_TEST

START_TEST(what_a_unit_owes_is_not_anothers_debt)
{
	struct world *w = world_new(1);
	struct world_unit *u[2] = { &w->unit[0] };
	struct iommuabs_domain *dom = world_domain(w);
	struct iommuabs_stream_range range = { .first = 7, .nr = 1 };
	struct iommuabs_device_desc desc;
	struct iommuabs_device *dev;
	int i;

	many(w, 63);
	u[1] = world_unit_add(w);
	for (i = 0; i < 2; i++) {
		range.unit = u[i]->unit;
		desc = world_device_desc(&range, 0);
		ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &dev), 0);
		ck_assert_int_eq(iommuabs_device_attach(dev, dom, NULL, 0), 0);
	}
	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	ck_assert_int_eq(map_one(dom, 0x5000), 0);
	u[0]->invalidate = u[1]->invalidate = IOMMUABS_E_TIMEOUT;
	ck_assert_int_eq(unmap(dom, 0x5000, 1), IOMMUABS_E_TIMEOUT);
	u[0]->invalidate = u[1]->invalidate = 0;
	ck_assert_uint_eq(dom->owing, 2);
	ck_assert_int_eq(iommuabs_unit_recover(u[0]->unit, 0), 0);
	ck_assert_int_eq(map_one(dom, 0x5000), IOMMUABS_E_FENCED);
	ck_assert_uint_eq(dom->owing, 1);
	ck_assert_int_eq(iommuabs_unit_recover(u[1]->unit, 0), 0);
	ck_assert_uint_eq(dom->owing, 0);
	ck_assert_int_eq(map_one(dom, 0x5000), 0);
	world_delete(w);
}
END_TEST

START_TEST(a_65th_unit_without_memory_is_not_added)
{
	struct world *w = world_new(0);
	struct iommuabs_unit *last = NULL, *unit;
	unsigned int n = 0;

	many(w, 64);
	while ((unit = iommuabs_unit_next(w->abs, last)))
		last = unit;
	for (;;) {
		test_host_fail_nth(w->host, ++n);
		if (!many_add(w, 64))
			break;
		ck_assert_int_ne(test_host_failed(w->host), 0);
		ck_assert_ptr_null(iommuabs_unit_next(w->abs, last));
	}
	test_host_fail_nth(w->host, 0);
	ck_assert_uint_gt(n, 1);
	world_delete(w);
}
END_TEST

START_TEST(interrupts_are_as_described_and_reach_the_driver)
{
	static const struct iommuabs_irq irqs[] = {
		{ IOMMUABS_IRQ_EVENT, 106, 1 },
		{ IOMMUABS_IRQ_ERROR, 109, 1 },
	};
	const struct iommuabs_unit_desc desc = {
		.size = sizeof(desc),
		.type = IOMMUABS_UNIT_OTHER,
		.irqs = irqs,
		.nr_irqs = 2,
		.msi = { 7, 0x10000 },
	};
	struct world *w = world_new(1);
	struct iommuabs_unit *unit;
	struct iommuabs_irq irq = { 0 };
	struct iommuabs_unit_msi msi = { 0 };

	COVERS(iommuabs_unit_irq_get, E_NOENT);
	COVERS(iommuabs_unit_msi_get, E_NOENT);
	ck_assert_int_eq(iommuabs_unit_add(w->abs, &desc, &unit), 0);
	ck_assert_int_eq(iommuabs_unit_irq_get(unit, 1, &irq), 0);
	ck_assert_int_eq(irq.which, IOMMUABS_IRQ_ERROR);
	ck_assert_uint_eq(irq.number, 109);
	ck_assert_uint_eq(irq.edge, 1);
	ck_assert_int_eq(iommuabs_unit_irq_get(unit, 2, &irq),
			 IOMMUABS_E_NOENT);
	ck_assert_int_eq(iommuabs_unit_msi_get(unit, &msi), 0);
	ck_assert_uint_eq(msi.controller, 7);
	ck_assert_uint_eq(msi.id, 0x10000);
	ck_assert_int_eq(iommuabs_unit_msi_get(w->unit[0].unit, &msi),
			 IOMMUABS_E_NOENT);
	ck_assert_uint_eq(msi.controller, 7);
	ck_assert_int_eq(iommuabs_unit_irq(w->unit[0].unit, IOMMUABS_IRQ_ERROR),
			 0);
	ck_assert_uint_eq(w->unit[0].irqs, 1u << IOMMUABS_IRQ_ERROR);
	world_delete(w);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("unit");
	TCase *life = tcase_create("life");
	TCase *fence = tcase_create("fence");
	TCase *parts = tcase_create("parts");

	if (!world_possible(s))
		return s;
	tcase_add_test(life, start_enables_and_stop_leaves_blocking);
	tcase_add_test(life, a_unit_added_after_start_is_enabled_at_once);
	tcase_add_loop_test(life, a_unit_that_fails_to_start_fails_alone, 0, 3);
	tcase_add_test(life,
		       a_unit_of_an_unknown_kind_is_reported_and_left_alone);
	tcase_add_test(life, a_stop_that_is_not_acknowledged_is_reported);
	tcase_add_test(parts, there_are_1024_units_at_the_most);
	tcase_add_test(parts, registers_of_many_units_are_never_mapped);
	tcase_add_test(parts, what_a_unit_owes_is_not_anothers_debt);
	tcase_add_test(parts, a_65th_unit_without_memory_is_not_added);
	suite_add_tcase(s, life);
	tcase_add_test(fence, a_timeout_fences_once_and_withholds);
	tcase_add_test(fence,
		       a_device_that_keeps_its_translations_is_cut_off_alone);
	tcase_add_test(fence, an_interrupt_by_message_is_the_drivers_to_grant);
	tcase_add_loop_test(
		fence, what_does_not_acknowledge_is_isolated_or_dead, 0, 2);
	tcase_add_test(fence,
		       each_device_is_isolated_though_another_can_not_be);
	tcase_add_test(fence, a_host_without_isolation_has_dead_units);
	tcase_add_loop_test(fence, a_recovery_that_fails_leaves_the_unit_fenced,
			    0, 3);
	tcase_add_test(fence, a_recovery_counts_domains);
	tcase_add_test(fence, a_stopped_instance_recovers_without_translating);
	tcase_add_test(fence, a_failed_error_register_fences_the_unit);
	suite_add_tcase(s, fence);
	tcase_add_test(parts, ids_are_given_once_each);
	tcase_add_test(parts, there_are_no_ids_past_the_last);
	tcase_add_test(parts, all_ids_that_were_kept_come_back_with_the_unit);
	tcase_add_test(parts, an_id_whose_retirement_failed_waits_for_recovery);
	tcase_add_test(parts, registers_are_never_mapped);
	tcase_add_test(parts, interrupts_are_as_described_and_reach_the_driver);
	suite_add_tcase(s, parts);
	return s;
}

HARNESS_MAIN(suite)
