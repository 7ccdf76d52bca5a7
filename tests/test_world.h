/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_world.h - an instance with units whose driver does what a test says
 *
 *	struct world *w = world_new(2);
 *	w->unit[0].invalidate = IOMMUABS_E_TIMEOUT;
 *	...
 *	world_delete(w);
 *
 * The units are null units; each operation that core calls is counted, and
 * answers what the test wants instead of the null driver's work if that is not
 * 0. Events come from a list of the test's.
 */
#ifndef TEST_WORLD_H
#define TEST_WORLD_H

#include "test_host.h"

#include "core/core.h"
#include "harness.h"
#include "test_refused.h"

#define WORLD_UNITS_MAX 3
#define WORLD_EVENTS	8192

struct world_unit {
	struct iommuabs_unit *unit;
	const struct backend_ops *real;
	struct backend_ops ops; /* what core calls */

	/* Answers; 0: what the driver does. */
	int enable, disable, fence, crash, invalidate, errors, stream_set,
		reserve, mirror, id_reserve, set_msi;
	/* So many invalidations find that this one keeps its translations. */
	struct backend_streams stuck;
	unsigned int nr_stuck;
	/* What mirror() gives instead; NULL: what the driver does. */
	const struct backend_geometry *geometry;
	/* Runs before an invalidation is answered. */
	void (*on_invalidate)(struct world_unit *unit,
			      const struct backend_inv *inv);
	/* Calls of them so far. */
	unsigned int enables, disables, fences, crashes, invalidates;
	unsigned int stream_sets;
	unsigned int irqs; /* a bit each */
	/* The n-th call from now answers E_TIMEOUT; 0: none. */
	unsigned int set_fails, invalidate_fails;
	int window; /* 1: no change of a table is hitless; 2: only with one id */

	struct backend_event events[WORLD_EVENTS];
	uint32_t nr_events, next_event;
};

struct world {
	struct test_host *host;
	struct iommuabs *abs;
	struct world_unit unit[WORLD_UNITS_MAX];
	uint32_t nr_units;

	/* The guest's own stage 2, once world_p2m_map() was called. */
	struct pt p2m;
	uint64_t p2m_pages[8];
	uint32_t nr_p2m_pages;

	/* What the host was told: the last, and how often. */
	struct iommuabs_fault fault;
	unsigned int faults;
	void (*on_fault)(struct world *w, const struct iommuabs_fault *fault);
	/* p2m_walk(); NULL: nothing is mapped. */
	int (*on_walk)(struct world *w, struct iommuabs_p2m_query *query);
	int isolate; /* device_isolate()'s answer */
	unsigned int isolated, dead;
	void *isolated_cookie, *dead_cookie;
};

/*
 * Is the null driver built in? If not, @suite gets one test, which is skipped
 * and says so.
 */
bool world_possible(Suite *suite);

/* With @nr_units units, not started; cookies: &w->unit[n]. */
struct world *world_new(uint32_t nr_units);
/* One more. */
struct world_unit *world_unit_add(struct world *w);
/* Stops, removes what is left, and looks for leaks. */
void world_delete(struct world *w);

/* A device with ids [@first, @first + @nr) of unit 0; cookie: (void *)first. */
struct iommuabs_device *world_device(struct world *w, uint32_t first,
				     uint32_t nr, uint32_t flags);
struct iommuabs_domain *world_domain(struct world *w);
/* A domain that shares the world's p2m. */
struct iommuabs_domain *world_shared_domain(struct world *w);
/* What the host would do: a run of frames of the p2m, readable and writable. */
void world_p2m_map(struct world *w, uint64_t gfn, uint64_t mfn, uint64_t nr);
/* A device's description, to be changed. */
struct iommuabs_device_desc
world_device_desc(const struct iommuabs_stream_range *range, uint32_t flags);

/* Events that the unit will report. */
void world_event(struct world_unit *unit, uint32_t stream, uint64_t address,
		 uint32_t access);

/* iommuabs_dump() of everything as one string, freed by the caller. */
char *world_dump(struct world *w);

/* @call answers @error, and the instance is as it was. */
#define REFUSED(w, call, error) REFUSED_BY(world_dump, w, call, error)

/*
 * A call is made again and again: the first allocation fails, the second, and so on,
 * until none does and it succeeds.
 *
 *	world_failing_begin(w, &failing, IOMMUABS_E_NOMEM);
 *	do
 *		ret = call();
 *	while (world_failing_again(w, &failing, ret));
 */
struct world_failing {
	/* Set before the beginning: tables of the instance's may stay. */
	bool may_keep_tables;
	unsigned int nr; /* how often it was called */
	int error;
	char *before;
};

/* @error: what the call answers when memory is missing. */
void world_failing_begin(struct world *w, struct world_failing *failing,
			 int error);
/* False: it succeeded. Else it was E_NOMEM, and a dump tells of no change. */
bool world_failing_again(struct world *w, struct world_failing *failing,
			 int ret);

#endif
