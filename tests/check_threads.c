/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_threads.c - callers on disjoint ranges of one domain, at once, while
 * others ask questions, devices come and go, tables are filled, changed and given
 * back, and other domains live and die; two guests that are given the same frames;
 * and a domain whose caller stands still
 */
#include "core/change.h"
#include "harness.h"
#include "test_machine.h"
#include "test_needs.h"
#include "test_pace.h"

#include <pthread.h>
#include <string.h>

#define RW	(IOMMUABS_READ | IOMMUABS_WRITE)
#define CALLERS 2
/* Ranges that meet within one table of each level, so that tables are shared. */
#define SPAN ((uint64_t)700)

static struct machine machine;
static struct iommuabs_domain *dom;
static uint32_t stop;

struct caller {
	pthread_t thread;
	uint64_t gfn; /* its range is [gfn, gfn + SPAN) */
	uint64_t rounds;
	uint64_t mapped[SPAN];
	const char *failure;
};

static struct caller callers[CALLERS];

static void setup_with(uint32_t host)
{
	const struct iommuabs_domain_config config = {
		.size = sizeof(config),
		.callers = CALLERS + 1,
	};

	machine_new(&machine, host);
	ck_assert_int_eq(iommuabs_domain_create(machine.abs, &config, &dom), 0);
	stop = 0;
}

static void setup(void)
{
	setup_with(0);
}

/* The host looks at the order of locks, and at who lets go of them. */
static void setup_locks(void)
{
	setup_with(TEST_HOST_LOCKS);
}

static void teardown(void)
{
	unsigned int d;

	for (d = 0; d < MACHINE_DEVICES; d++)
		ck_assert_int_eq(iommuabs_device_detach(machine.dev[d], 0), 0);
	ck_assert_int_eq(iommuabs_domain_destroy(dom, 0), 0);
	machine_delete(&machine);
}

static bool unchanged(struct caller *caller, uint64_t at)
{
	iommuabs_mfn_t mfn;
	int ret = iommuabs_domain_translate(dom, IOMMUABS_GFN(caller->gfn + at),
					    &mfn, NULL);

	if (!caller->mapped[at])
		return ret == IOMMUABS_E_NOENT;
	return !ret && mfn.frame == caller->mapped[at];
}

static void one_change(struct caller *caller, uint64_t *seed)
{
	uint64_t at = test_random_below(seed, SPAN), i;
	uint64_t nr = 1 + test_random_below(seed, SPAN - at);
	uint64_t mfn = MACHINE_RAM + caller->gfn + at;
	int ret;

	if (test_random_below(seed, 2)) {
		ret = iommuabs_domain_map(dom, IOMMUABS_GFN(caller->gfn + at),
					  IOMMUABS_MFN(mfn), nr, RW, NULL);
		for (i = 0; i < nr; i++)
			caller->mapped[at + i] = mfn + i;
	} else {
		ret = iommuabs_domain_unmap(dom, IOMMUABS_GFN(caller->gfn + at),
					    nr, NULL);
		memset(&caller->mapped[at], 0, nr * sizeof(uint64_t));
	}
	if (ret)
		caller->failure = iommuabs_strerror(ret);
	for (i = 0; i < SPAN; i += 7)
		if (!unchanged(caller, i))
			caller->failure = "a translation is not the caller's";
}

static void *change(void *arg)
{
	struct caller *caller = arg;
	uint64_t seed = caller->gfn, i;

	for (i = 0; i < caller->rounds && !caller->failure; i++)
		one_change(caller, &seed);
	return NULL;
}

/* Structural work, as often as it gets in. */
static void *attach_and_detach(void *arg)
{
	struct iommuabs_device *dev = arg;

	while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
		ck_assert_int_eq(iommuabs_device_attach(dev, dom, NULL, 0), 0);
		ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	}
	return NULL;
}

/* Questions may run against any call. */
static void *ask(void *arg)
{
	struct iommuabs_explanation why = { .size = sizeof(why) };
	iommuabs_gfn_t gfns[2];
	uint64_t seed = 5, cursor, frame;
	uint32_t nr;

	(void)arg;
	while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
		frame = callers[0].gfn + test_random_below(&seed, 2 * SPAN);
		cursor = 0;
		ck_assert_int_eq(iommuabs_domain_gfns(
					 dom, IOMMUABS_MFN(MACHINE_RAM + frame),
					 &cursor, gfns, 2, &nr),
				 0);
		ck_assert_uint_le(nr, 1);
		ck_assert_int_eq(iommuabs_device_explain(machine.dev[0],
							 IOMMUABS_GFN(frame),
							 RW, &why),
				 0);
	}
	return NULL;
}

START_TEST(disjoint_ranges_of_one_domain_do_not_meet)
{
	pthread_t structural, questions;
	unsigned int c;

	memset(callers, 0, sizeof(callers));
	for (c = 0; c < CALLERS; c++) {
		callers[c].gfn = 300 + c * SPAN;
		callers[c].rounds = test_rounds(20000);
	}
	machine_attach(&machine, 0, dom);
	ck_assert_int_eq(pthread_create(&structural, NULL, attach_and_detach,
					machine.dev[1]),
			 0);
	ck_assert_int_eq(pthread_create(&questions, NULL, ask, NULL), 0);
	for (c = 0; c < CALLERS; c++)
		ck_assert_int_eq(pthread_create(&callers[c].thread, NULL,
						change, &callers[c]),
				 0);
	for (c = 0; c < CALLERS; c++)
		pthread_join(callers[c].thread, NULL);
	__atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
	pthread_join(structural, NULL);
	pthread_join(questions, NULL);
	for (c = 0; c < CALLERS; c++)
		ck_assert_msg(!callers[c].failure, "%s", callers[c].failure);
}
END_TEST

/* ---- two guests that are given the same frames ---- */

#define RACED	  4096u /* frames per meeting of the two callers */
#define RACED_MFN (MACHINE_RAM + 0x100000)

struct guest {
	pthread_t thread;
	struct iommuabs_domain *dom;
	uint32_t index;
	int ret[RACED];
};

static struct {
	struct guest guests[2];
	struct pace pace;
	uint64_t meetings;
	bool failed; /* written by one, between two meetings */
} raced;

/* Frame @i, as the ledger and the call's answer have it: it is @guest's. */
static bool guest_has(const struct guest *guest, uint32_t i)
{
	iommuabs_mfn_t mfn;
	int ret = iommuabs_domain_translate(guest->dom, IOMMUABS_GFN(i), &mfn,
					    NULL);

	if (!guest->ret[i])
		return !ret && mfn.frame == RACED_MFN + i;
	if (guest->ret[i] != IOMMUABS_E_PERM || ret != IOMMUABS_E_NOENT) {
		test_host_violation(machine.host, "frame %u: %s, %s", i,
				    iommuabs_strerror(guest->ret[i]),
				    iommuabs_strerror(ret));
		raced.failed = true;
	}
	return false;
}

static void one_has_each(void)
{
	const struct guest *guests = raced.guests;
	uint32_t i;

	for (i = 0; i < RACED; i++) {
		if (guest_has(&guests[0], i) != guest_has(&guests[1], i))
			continue;
		test_host_violation(machine.host, "frame %u: answers %d and %d",
				    i, guests[0].ret[i], guests[1].ret[i]);
		raced.failed = true;
	}
}

static void *take_all(void *arg)
{
	struct guest *me = arg;
	uint64_t meeting;
	uint32_t i;

	for (meeting = raced.meetings; meeting; meeting--) {
		meet(&raced.pace);
		for (i = 0; i < RACED; i++) {
			keep_pace(&raced.pace, me->index, i);
			me->ret[i] = iommuabs_domain_map(
				me->dom, IOMMUABS_GFN(i),
				IOMMUABS_MFN(RACED_MFN + i), 1, RW, NULL);
		}
		pace_reset(&raced.pace, me->index);
		meet(&raced.pace);
		if (!me->index)
			one_has_each();
		meet(&raced.pace);
		/* A frame that two have can't be given back. */
		if (raced.failed)
			break;
		if (iommuabs_domain_unmap(me->dom, IOMMUABS_GFN(0), RACED,
					  NULL))
			test_host_violation(machine.host, "not given back");
	}
	return NULL;
}

START_TEST(of_two_guests_exactly_one_is_given_a_frame)
{
	struct guest *guests = raced.guests;
	uint32_t g;

	memset(&raced, 0, sizeof(raced));
	raced.meetings = test_rounds(1000000) / RACED + 1;
	guests[0].dom = dom;
	guests[1].dom = machine_domain(&machine, 0);
	for (g = 0; g < 2; g++) {
		guests[g].index = g;
		ck_assert_int_eq(pthread_create(&guests[g].thread, NULL,
						take_all, &guests[g]),
				 0);
	}
	for (g = 0; g < 2; g++)
		pthread_join(guests[g].thread, NULL);
	ck_assert_msg(!raced.failed, "%s", machine.host->first_violation);
	ck_assert_int_eq(iommuabs_domain_destroy(guests[1].dom, 0), 0);
}
END_TEST

/* ---- everything that is alone in a domain, at once with everything else ---- */

/* An empty table of the host's, for a domain that may be shared. */
static struct iommuabs_p2m p2m_new(void)
{
	struct iommuabs_p2m p2m = {
		.size = sizeof(p2m),
		.format = IOMMUABS_P2M_ARM_S2,
		.input_bits = 39,
		.output_bits = 48,
		.granule_lg2 = 12,
		.levels = 3,
	};

	ck_assert_int_eq(machine.host->ops.table_alloc(machine.host, NULL, 12,
						       0, &p2m.root),
			 0);
	memset(test_host_ptr(machine.host, p2m.root), 0, 4096);
	return p2m;
}

static bool is_fine(int ret)
{
	return !ret || ret == IOMMUABS_E_AGAIN;
}

static bool goes_on(void)
{
	return !__atomic_load_n(&stop, __ATOMIC_SEQ_CST);
}

struct structural {
	pthread_t thread;
	uint64_t seed;
	unsigned int done[4];
	int failure;
};

/* One of them changes what the device of the other walks. */
static void *switch_and_compact(void *arg)
{
	struct structural *me = arg;
	int ret;

	while (goes_on() && !me->failure) {
		unsigned int what =
			(unsigned int)test_random_below(&me->seed, 4);

		if (what < 2)
			ret = iommuabs_domain_set_strategy(
				dom,
				what ? IOMMUABS_STRATEGY_SHARE
				     : IOMMUABS_STRATEGY_MIRROR,
				0, 50);
		else if (what == 2)
			ret = iommuabs_domain_populate(dom, NULL, 20);
		else
			ret = iommuabs_domain_compact(dom, 20);
		if (!is_fine(ret))
			me->failure = ret;
		me->done[what] += !ret;
	}
	return NULL;
}

/* Another domain's life, over frames that nobody else has. */
static void *live_and_die(void *arg)
{
	struct structural *me = arg;
	struct iommuabs_domain *other;
	const struct iommuabs_domain_config config = { .size = sizeof(config) };
	int ret;

	while (goes_on() && !me->failure) {
		ret = iommuabs_domain_create(machine.abs, &config, &other);
		if (!ret)
			ret = iommuabs_domain_map(
				other, IOMMUABS_GFN(7),
				IOMMUABS_MFN(MACHINE_RAM + 0x10000), 600, RW,
				NULL);
		if (!ret)
			ret = iommuabs_device_attach(machine.dev[2], other,
						     NULL, 0);
		if (!ret)
			ret = iommuabs_device_detach(machine.dev[2], 0);
		while (!ret && (ret = iommuabs_domain_destroy(other, 40)) ==
				       IOMMUABS_E_AGAIN)
			ret = 0;
		me->failure = ret;
		me->done[0]++;
	}
	return NULL;
}

static void *attach_and_let_go(void *arg)
{
	struct structural *me = arg;
	int ret;

	while (goes_on() && !me->failure) {
		do {
			ret = iommuabs_device_attach(machine.dev[1], dom, NULL,
						     30);
		} while (ret == IOMMUABS_E_AGAIN && goes_on());
		if (!is_fine(ret))
			me->failure = ret;
		ret = iommuabs_device_detach(machine.dev[1], 0);
		if (ret)
			me->failure = ret;
		me->done[0]++;
	}
	return NULL;
}

static void structural_new(const struct iommuabs_p2m *p2m)
{
	const struct iommuabs_domain_config config = {
		.size = sizeof(config),
		.callers = CALLERS + 1,
		.p2m = p2m,
		.input_bits = 39,
	};

	ck_assert_int_eq(iommuabs_domain_destroy(dom, 0), 0);
	ck_assert_int_eq(iommuabs_domain_create(machine.abs, &config, &dom), 0);
	machine_attach(&machine, 0, dom);
}

static void callers_run(uint64_t rounds)
{
	unsigned int c;

	memset(callers, 0, sizeof(callers));
	for (c = 0; c < CALLERS; c++) {
		callers[c].gfn = 300 + c * SPAN;
		callers[c].rounds = rounds;
		ck_assert_int_eq(pthread_create(&callers[c].thread, NULL,
						change, &callers[c]),
				 0);
	}
	for (c = 0; c < CALLERS; c++) {
		pthread_join(callers[c].thread, NULL);
		ck_assert_msg(!callers[c].failure, "%s", callers[c].failure);
	}
}

/* Few: whoever is to be alone is waited for, by spinning. */
#define ROUNDS_AMONG_MANY 60

/* In the end the mirror has what each caller mapped, and nothing else. */
static void mirror_is_right(void)
{
	uint64_t i, want, got;
	unsigned int c;

	ck_assert_int_eq(iommuabs_domain_set_strategy(
				 dom, IOMMUABS_STRATEGY_MIRROR, 0, 0),
			 0);
	for (c = 0; c < CALLERS; c++)
		for (i = 0; i < SPAN; i++) {
			want = callers[c].mapped[i];
			got = machine_reach(&machine, 0, callers[c].gfn + i,
					    RW);
			if (got != (want ? want : UINT64_MAX))
				ck_abort_msg("gfn %llx of caller %u",
					     (unsigned long long)i, c);
		}
}

START_TEST(nothing_that_is_alone_disturbs_the_others)
{
	static void *(*const works[])(
		void *) = { switch_and_compact, switch_and_compact,
			    live_and_die, attach_and_let_go };
	struct structural all[IA_COUNT(works)] = { { .failure = 0 } };
	const struct iommuabs_p2m p2m = p2m_new();
	unsigned int i;

	structural_new(&p2m);
	for (i = 0; i < IA_COUNT(works); i++) {
		all[i].seed = i + 1;
		ck_assert_int_eq(
			pthread_create(&all[i].thread, NULL, works[i], &all[i]),
			0);
	}
	callers_run(ROUNDS_AMONG_MANY);
	__atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
	for (i = 0; i < IA_COUNT(works); i++) {
		pthread_join(all[i].thread, NULL);
		ck_assert_msg(!all[i].failure, "%u: %s", i,
			      iommuabs_strerror(all[i].failure));
	}
	mirror_is_right();
	machine.host->ops.table_free(machine.host, NULL, p2m.root, 12);
}
END_TEST

/* ---- a caller that stands still ---- */

static struct {
	struct iommuabs_domain *dom;
	pthread_t thread;
	int is_parked, may_go;
	int (*alloc)(void *ctx, void *cookie, unsigned int size_lg2,
		     uint32_t flags, uint64_t *maddr);
} still;

static __thread int parks;

static void park(void)
{
	__atomic_store_n(&still.is_parked, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&still.may_go, __ATOMIC_SEQ_CST))
		port_relax();
	__atomic_store_n(&still.is_parked, 0, __ATOMIC_SEQ_CST);
}

/* Its gate, alone, and its lock: it has no more. */
static void *park_with_all_locks(void *arg)
{
	struct iommuabs *abs = machine.abs;

	(void)arg;
	domain_enter_alone(still.dom);
	ia_lock(&abs->host, &still.dom->lock);
	park();
	ia_unlock(&abs->host, &still.dom->lock);
	domain_leave_alone(still.dom);
	return NULL;
}

static int alloc_or_park(void *ctx, void *cookie, unsigned int size_lg2,
			 uint32_t flags, uint64_t *maddr)
{
	if (parks)
		park();
	parks = 0;
	return still.alloc(ctx, cookie, size_lg2, flags, maddr);
}

/* In the host's allocator, while it fills a mirror. */
static void *park_in_a_populate_step(void *arg)
{
	(void)arg;
	parks = 1;
	ck_assert_int_eq(
		iommuabs_device_attach(machine.dev[3], still.dom, NULL, 0), 0);
	ck_assert_int_eq(iommuabs_device_detach(machine.dev[3], 0), 0);
	return NULL;
}

/* In the host's allocator, while it maps. */
static void *park_in_a_map(void *arg)
{
	(void)arg;
	parks = 1;
	ck_assert_int_eq(
		iommuabs_domain_map(still.dom, IOMMUABS_GFN(1 << 20),
				    IOMMUABS_MFN(MACHINE_RAM + 0x80000), 3, RW,
				    NULL),
		0);
	return NULL;
}

/* All that a domain can go through, and a device; next to who stands still. */
static void live_a_life(void)
{
	struct iommuabs_frame_user users[2];
	struct iommuabs_domain *other = machine_domain(&machine, 0);
	const iommuabs_mfn_t list[2] = { IOMMUABS_MFN(MACHINE_RAM + 3),
					 IOMMUABS_MFN(MACHINE_RAM + 9) };
	struct iommuabs_batch batch;
	uint64_t cursor = 0;
	uint32_t nr;

	machine_attach(&machine, 1, other);
	ck_assert_int_eq(iommuabs_domain_map_list(other, IOMMUABS_GFN(5), list,
						  2, RW, NULL),
			 0);
	ck_assert_int_eq(iommuabs_batch_init(&batch, other), 0);
	ck_assert_int_eq(iommuabs_domain_protect(other, IOMMUABS_GFN(5), 2,
						 IOMMUABS_READ, &batch),
			 0);
	ck_assert_int_eq(
		iommuabs_domain_unmap(other, IOMMUABS_GFN(6), 1, &batch), 0);
	ck_assert_int_eq(iommuabs_batch_done(&batch), 0);
	ck_assert_int_eq(iommuabs_frame_users(machine.abs, list[0], &cursor,
					      users, 2, &nr),
			 0);
	ck_assert_uint_eq(nr, 1);
	ck_assert_uint_eq(machine_reach(&machine, 1, 5, IOMMUABS_READ),
			  list[0].frame);
	ck_assert_int_eq(iommuabs_domain_set_strategy(
				 other, IOMMUABS_STRATEGY_MIRROR, 0, 0),
			 0);
	ck_assert_int_eq(iommuabs_device_move(machine.dev[1], dom, NULL, 0), 0);
	ck_assert_int_eq(iommuabs_domain_compact(other, 0), 0);
	ck_assert_int_eq(iommuabs_device_detach(machine.dev[1], 0), 0);
	ck_assert_int_eq(iommuabs_domain_destroy(other, 0), 0);
}

static void *(*const ways_to_stand_still[])(void *) = { park_with_all_locks,
							park_in_a_populate_step,
							park_in_a_map };

START_TEST(who_stands_still_in_a_domain_delays_no_other)
{
	unsigned int i;

	memset(&still, 0, sizeof(still));
	still.alloc = machine.abs->host.ops.table_alloc;
	machine.abs->host.ops.table_alloc = alloc_or_park;
	still.dom = machine_domain(&machine, 0);
	ck_assert_int_eq(
		iommuabs_domain_map(still.dom, IOMMUABS_GFN(0),
				    IOMMUABS_MFN(MACHINE_RAM + 0x40000), 3000,
				    RW, NULL),
		0);
	ck_assert_int_eq(pthread_create(&still.thread, NULL,
					ways_to_stand_still[_i], NULL),
			 0);
	while (!__atomic_load_n(&still.is_parked, __ATOMIC_SEQ_CST))
		port_relax();
	for (i = 0; i < 3; i++)
		live_a_life();
	/* It has stood there all the time. */
	ck_assert(__atomic_load_n(&still.is_parked, __ATOMIC_SEQ_CST));
	__atomic_store_n(&still.may_go, 1, __ATOMIC_SEQ_CST);
	pthread_join(still.thread, NULL);
	ck_assert_int_eq(iommuabs_domain_destroy(still.dom, 0), 0);
}
END_TEST

/* ---- a change that frees tables in its middle ---- */

/* Tables of one leaf per frame: more than a batch has room for, twice. */
#define HALF_TABLES   24
#define HALF_NR	      ((uint64_t)HALF_TABLES * 512)
#define HALF_BUDGET   ((uint64_t)1024)
#define HALF_FILLED   (HALF_NR / 2)
#define SCATTERED(at) (MACHINE_RAM + 0x20000 + 2 * (at))

static void scatter(uint64_t gfn, uint64_t nr)
{
	iommuabs_mfn_t list[512];
	uint64_t at, i;

	for (at = gfn; at < gfn + nr; at += IA_COUNT(list)) {
		for (i = 0; i < IA_COUNT(list); i++)
			list[i] = IOMMUABS_MFN(SCATTERED(at + i));
		ck_assert_int_eq(iommuabs_domain_map_list(
					 still.dom, IOMMUABS_GFN(at), list,
					 IA_COUNT(list), RW, NULL),
				 0);
	}
}

/* A table is needed to cut the leaf behind what is scattered. */
static void *park_in_an_unmap(void *arg)
{
	(void)arg;
	parks = 1;
	ck_assert_int_eq(iommuabs_domain_unmap(still.dom, IOMMUABS_GFN(0),
					       HALF_NR + 1, NULL),
			 0);
	return NULL;
}

static void *fill_a_step(void *arg)
{
	(void)arg;
	ck_assert_int_eq(iommuabs_domain_populate(still.dom, NULL, HALF_BUDGET),
			 IOMMUABS_E_AGAIN);
	return NULL;
}

/* Half of the mirror is filled. Whoever fills on waits for who is taking away. */
static void half_filled(void)
{
	uint64_t done = 0, total;

	scatter(0, HALF_NR);
	ck_assert_int_eq(
		iommuabs_domain_map(still.dom, IOMMUABS_GFN(HALF_NR),
				    IOMMUABS_MFN(MACHINE_RAM + 0x80000), 512,
				    RW, NULL),
		0);
	while (done < HALF_FILLED) {
		ck_assert_int_eq(iommuabs_domain_populate(still.dom,
							  machine.dev[0],
							  HALF_BUDGET),
				 IOMMUABS_E_AGAIN);
		ck_assert_int_eq(
			iommuabs_domain_progress(still.dom, &done, &total), 0);
	}
	ck_assert_uint_lt(done, HALF_NR - HALF_BUDGET);
}

START_TEST(a_fill_sees_no_removal_half_done)
{
	pthread_t filler;
	uint64_t gfn;

	memset(&still, 0, sizeof(still));
	still.alloc = machine.abs->host.ops.table_alloc;
	machine.abs->host.ops.table_alloc = alloc_or_park;
	still.dom = machine_domain(&machine, 0);
	half_filled();
	ck_assert_int_eq(
		pthread_create(&still.thread, NULL, park_in_an_unmap, NULL), 0);
	while (!__atomic_load_n(&still.is_parked, __ATOMIC_SEQ_CST))
		port_relax();
	ck_assert_int_eq(pthread_create(&filler, NULL, fill_a_step, NULL), 0);
	while (!(port_load64(&still.dom->gate.word) & GATE_ALONE))
		port_relax();
	__atomic_store_n(&still.may_go, 1, __ATOMIC_SEQ_CST);
	pthread_join(still.thread, NULL);
	pthread_join(filler, NULL);
	machine_attach(&machine, 0, still.dom);
	for (gfn = 0; gfn <= HALF_NR; gfn++)
		if (machine_reach(&machine, 0, gfn, RW) != UINT64_MAX)
			ck_abort_msg("gfn %llx was taken away",
				     (unsigned long long)gfn);
	ck_assert_int_eq(iommuabs_device_detach(machine.dev[0], 0), 0);
	ck_assert_int_eq(iommuabs_domain_destroy(still.dom, 0), 0);
}
END_TEST

/* ---- one of many that has the others quiet ---- */

static struct {
	struct gate gate;
	int came; /* into the gate, or past gate_quiesce() */
	int is_quiet, may_go;
} quiet;

static void *quiet_for_long(void *arg)
{
	(void)arg;
	gate_enter(&quiet.gate);
	gate_quiesce(&quiet.gate);
	__atomic_store_n(&quiet.is_quiet, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&quiet.may_go, __ATOMIC_SEQ_CST))
		port_relax();
	gate_resume(&quiet.gate);
	gate_leave(&quiet.gate);
	return NULL;
}

static void *come_in(void *arg)
{
	(void)arg;
	gate_enter(&quiet.gate);
	__atomic_add_fetch(&quiet.came, 1, __ATOMIC_SEQ_CST);
	gate_leave(&quiet.gate);
	return NULL;
}

static void *come_in_alone(void *arg)
{
	(void)arg;
	gate_enter_alone(&quiet.gate);
	__atomic_add_fetch(&quiet.came, 1, __ATOMIC_SEQ_CST);
	gate_leave_alone(&quiet.gate);
	return NULL;
}

/* The second of two that want the others quiet, inside with the first. */
static void *quiet_too(void *arg)
{
	(void)arg;
	gate_quiesce(&quiet.gate);
	__atomic_add_fetch(&quiet.came, 1, __ATOMIC_SEQ_CST);
	gate_resume(&quiet.gate);
	gate_leave(&quiet.gate);
	return NULL;
}

static bool word_has(uint64_t bits)
{
	return (port_load64(&quiet.gate.word) & bits) == bits;
}

START_TEST(who_has_the_others_quiet_is_undisturbed)
{
	static void *(*const works[])(void *) = { quiet_for_long, quiet_too,
						  come_in_alone, come_in };
	/* What shows that each of them has got to where it waits. */
	static const uint64_t marks[] = { GATE_QUIET | GATE_STILL,
					  GATE_STILL * 2, GATE_ALONE, 0 };
	pthread_t threads[IA_COUNT(works)];
	unsigned int i;

	memset(&quiet, 0, sizeof(quiet));
	gate_enter(&quiet.gate); /* a reader, */
	gate_enter(&quiet.gate); /* and who becomes quiet_too() */
	for (i = 0; i < IA_COUNT(works); i++) {
		ck_assert_int_eq(
			pthread_create(&threads[i], NULL, works[i], NULL), 0);
		while (!word_has(marks[i]))
			port_relax();
	}
	ck_assert(!__atomic_load_n(&quiet.is_quiet, __ATOMIC_SEQ_CST));
	gate_leave(&quiet.gate);
	while (!__atomic_load_n(&quiet.is_quiet, __ATOMIC_SEQ_CST))
		port_relax();
	for (i = 0; i < 1000; i++)
		port_relax();
	ck_assert_int_eq(__atomic_load_n(&quiet.came, __ATOMIC_SEQ_CST), 0);
	__atomic_store_n(&quiet.may_go, 1, __ATOMIC_SEQ_CST);
	for (i = 0; i < IA_COUNT(works); i++)
		pthread_join(threads[i], NULL);
	ck_assert_int_eq(quiet.came, 3);
	ck_assert_uint_eq(quiet.gate.word, 0);
}
END_TEST

static void add_tests(Suite *s)
{
	TCase *tcase = tcase_create("domain");
	TCase *locks = tcase_create("locks"), *gate = tcase_create("gate");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, disjoint_ranges_of_one_domain_do_not_meet);
	tcase_add_test(tcase, of_two_guests_exactly_one_is_given_a_frame);
	suite_add_tcase(s, tcase);
	tcase_add_checked_fixture(locks, setup_locks, teardown);
	tcase_set_timeout(locks, 40);
	tcase_add_test(locks, nothing_that_is_alone_disturbs_the_others);
	tcase_add_loop_test(locks, who_stands_still_in_a_domain_delays_no_other,
			    0, (int)IA_COUNT(ways_to_stand_still));
	tcase_add_test(locks, a_fill_sees_no_removal_half_done);
	suite_add_tcase(s, locks);
	tcase_add_test(gate, who_has_the_others_quiet_is_undisturbed);
	suite_add_tcase(s, gate);
}

static Suite *suite(void)
{
	Suite *s = suite_create("threads");

	if (suite_needs(s, IOMMUABS_UNIT_NULL))
		add_tests(s);
	return s;
}

HARNESS_MAIN(suite)
