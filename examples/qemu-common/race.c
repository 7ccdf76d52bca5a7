/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * race.c - all CPUs in the library at once
 *
 * First they race for one frame, each for a domain of its own: one gets it. Then
 * they change neighbouring ranges of one domain that has a device, so that their
 * invalidations meet in the command queue. In the end one of them does, over and
 * over, what is alone in a domain, while the others go on.
 */
#include <stddef.h>
#include "arch.h"
#include "cpu.h"
#include "machine.h"
#include "pages.h"
#include "scenarios.h"
#include "scene.h"
#include "tap.h"

#define NR_ROUNDS  300u
#define OWN_GFN	   UINT64_C(0xd0000)
#define OWN_STRIDE 5u /* frames: neighbours share a table and a cache line */
#define OWN_NR	   3u
#define RAM_LG2	   21

struct racer {
	unsigned int number;
	struct iommuabs_domain *dom;
	unsigned int nr_won, nr_refused, nr_wrong;
};

static struct {
	unsigned int nr_racers;
	unsigned int arrived, round; /* of the barrier */
	uint64_t mfn;
	unsigned int winners[NR_ROUNDS];
} race;

/* Everybody arrives before anybody goes on. */
static void meet(void)
{
	unsigned int round = __atomic_load_n(&race.round, __ATOMIC_ACQUIRE);

	if (__atomic_add_fetch(&race.arrived, 1, __ATOMIC_ACQ_REL) ==
	    race.nr_racers) {
		race.arrived = 0;
		__atomic_store_n(&race.round, round + 1, __ATOMIC_RELEASE);
	}
	while (__atomic_load_n(&race.round, __ATOMIC_ACQUIRE) == round)
		cpu_relax();
}

static void race_for_frame(void *arg)
{
	struct racer *racer = arg;
	const iommuabs_gfn_t gfn = IOMMUABS_GFN(OWN_GFN + racer->number);
	int st;

	for (unsigned int i = 0; i < NR_ROUNDS; i++) {
		meet();
		st = iommuabs_domain_map(racer->dom, gfn,
					 IOMMUABS_MFN(race.mfn), 1, SCENE_RW,
					 NULL);
		if (!st) {
			racer->nr_won++;
			__atomic_add_fetch(&race.winners[i], 1,
					   __ATOMIC_RELAXED);
		} else if (st == IOMMUABS_E_PERM) {
			racer->nr_refused++;
		} else {
			racer->nr_wrong++;
		}
		meet();
		if (iommuabs_domain_unmap(racer->dom, gfn, 1, NULL))
			racer->nr_wrong++;
	}
}

static void change_own_range(void *arg)
{
	struct racer *racer = arg;
	uint64_t at = (uint64_t)racer->number * OWN_STRIDE;
	const iommuabs_gfn_t gfn = IOMMUABS_GFN(OWN_GFN + at);
	const iommuabs_mfn_t mfn = IOMMUABS_MFN(race.mfn + at);
	iommuabs_mfn_t seen;

	meet();
	for (unsigned int i = 0; i < NR_ROUNDS; i++) {
		if (iommuabs_domain_map(racer->dom, gfn, mfn, OWN_NR, SCENE_RW,
					NULL) ||
		    iommuabs_domain_translate(racer->dom, gfn, &seen, NULL) ||
		    seen.frame != mfn.frame ||
		    iommuabs_domain_unmap(racer->dom, gfn, OWN_NR, NULL) ||
		    iommuabs_domain_translate(racer->dom, gfn, &seen, NULL) !=
			    IOMMUABS_E_NOENT)
			racer->nr_wrong++;
	}
}

/* A second device comes in steps and goes, tables are filled and given back. */
static int rearrange_once(struct iommuabs_domain *dom)
{
	int st;

	do {
		st = iommuabs_device_attach(iommu.edu[1], dom,
					    &iommu_attach_options, 16);
	} while (st == IOMMUABS_E_AGAIN);
	if (!st)
		st = iommuabs_domain_set_strategy(dom, IOMMUABS_STRATEGY_MIRROR,
						  0, 0);
	if (!st)
		st = iommuabs_domain_populate(dom, NULL, 0);
	if (!st)
		st = iommuabs_device_detach(iommu.edu[1], 0);
	if (!st)
		st = iommuabs_domain_compact(dom, 0);
	return st;
}

static void change_or_rearrange(void *arg)
{
	struct racer *racer = arg;

	if (racer->number) {
		change_own_range(arg);
		return;
	}
	meet();
	for (unsigned int i = 0; i < NR_ROUNDS / 10; i++) {
		racer->nr_wrong += !!rearrange_once(racer->dom);
		racer->nr_won++;
	}
}

/* @work on every CPU, on this one too. */
static int on_all_cpus(struct racer *racers, void (*work)(void *arg))
{
	for (unsigned int n = 1; n < race.nr_racers; n++)
		if (cpu_start(n, work, &racers[n]))
			return -1;
	work(&racers[0]);
	for (unsigned int n = 1; n < race.nr_racers; n++)
		cpu_wait(n);
	return 0;
}

static int domain_new(struct iommuabs_domain **dom)
{
	const struct iommuabs_domain_config config = {
		.size = sizeof(config),
		.strategy = IOMMUABS_STRATEGY_MIRROR,
		.callers = MACHINE_MAX_CPUS,
	};

	return iommuabs_domain_create(iommu.abs, &config, dom);
}

static void one_frame(struct racer *racers)
{
	unsigned int wrong = 0, refused = 0;
	struct iommuabs_frame_user user;
	uint64_t cursor = 0;
	uint32_t left = ~0u;
	int st = 0;

	for (unsigned int n = 0; !st && n < race.nr_racers; n++)
		st = domain_new(&racers[n].dom);
	if (!st)
		st = on_all_cpus(racers, race_for_frame);
	for (unsigned int i = 0; i < NR_ROUNDS; i++)
		wrong += race.winners[i] != 1;
	for (unsigned int n = 0; n < race.nr_racers; n++) {
		wrong += racers[n].nr_wrong;
		refused += racers[n].nr_refused;
	}
	if (!st)
		st = iommuabs_frame_users(iommu.abs, IOMMUABS_MFN(race.mfn),
					  &cursor, &user, 1, &left);
	tap_check(!st && !wrong && !left &&
			  refused == NR_ROUNDS * (race.nr_racers - 1),
		  "race: %u CPUs claim mfn %lx for their guests %u times: "
		  "CPU 0 won %u times, CPU 1 %u, CPU 2 %u; %u refusals, %u "
		  "wrong; %u users in the end",
		  race.nr_racers, race.mfn, NR_ROUNDS, racers[0].nr_won,
		  racers[1].nr_won, racers[2].nr_won, refused, wrong, left);
	for (unsigned int n = 0; n < race.nr_racers; n++)
		if (racers[n].dom && iommuabs_domain_destroy(racers[n].dom, 0))
			tap_check(0, "race: a domain is destroyed");
}

static void among_the_others(struct racer *racers, struct iommuabs_domain *dom)
{
	unsigned int wrong = 0;
	int st;

	for (unsigned int n = 0; n < race.nr_racers; n++)
		racers[n] = (struct racer){ .number = n, .dom = dom };
	st = on_all_cpus(racers, change_or_rearrange);
	for (unsigned int n = 0; n < race.nr_racers; n++)
		wrong += racers[n].nr_wrong;
	tap_check(!st && !wrong && racers[0].nr_won == NR_ROUNDS / 10,
		  "race: %u CPUs go on mapping and unmapping while CPU 0 "
		  "attaches a second device, switches, fills, detaches and "
		  "compacts %u times: %u wrong",
		  race.nr_racers - 1, racers[0].nr_won, wrong);
}

static void one_domain(struct racer *racers)
{
	struct iommuabs_unit_state before = { .size = sizeof(before) }, after;
	struct iommuabs_domain *dom = NULL;
	unsigned int wrong = 0;
	int st = domain_new(&dom);

	after = before;
	if (!st)
		st = iommuabs_device_attach(iommu.edu[0], dom,
					    &iommu_attach_options, 0);
	if (!st)
		st = iommuabs_unit_state(iommu.unit, &before);
	for (unsigned int n = 0; n < race.nr_racers; n++)
		racers[n] = (struct racer){ .number = n, .dom = dom };
	if (!st)
		st = on_all_cpus(racers, change_own_range);
	for (unsigned int n = 0; n < race.nr_racers; n++)
		wrong += racers[n].nr_wrong;
	if (!st)
		st = iommuabs_unit_state(iommu.unit, &after);
	tap_check(!st && !wrong && after.status == IOMMUABS_UNIT_RUNNING &&
			  after.syncs - before.syncs >=
				  NR_ROUNDS * race.nr_racers,
		  "race: %u CPUs map and unmap neighbouring ranges of one "
		  "guest %u times: %u wrong; %lu commands, waited for "
		  "%lu times",
		  race.nr_racers, NR_ROUNDS, wrong,
		  after.commands - before.commands, after.syncs - before.syncs);
	if (!st)
		among_the_others(racers, dom);
	if (iommuabs_device_detach(iommu.edu[0], 0) ||
	    (dom && iommuabs_domain_destroy(dom, 0)))
		tap_check(0, "race: the domain is destroyed");
}

void scenario_race(void)
{
	static struct racer racers[MACHINE_MAX_CPUS];

	race.nr_racers = machine.nr_cpus;
	race.mfn = pages_alloc(&guest_pool, RAM_LG2) >> PAGE_LG2;
	if (!tap_check(race.mfn != 0, "race: memory for it"))
		return;
	for (unsigned int n = 0; n < race.nr_racers; n++)
		racers[n].number = n;
	one_frame(racers);
	one_domain(racers);
	pages_free(&guest_pool, race.mfn << PAGE_LG2, RAM_LG2);
}
