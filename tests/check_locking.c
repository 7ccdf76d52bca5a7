/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_locking.c - what docs/locking.md forbids is a trap in a debug build
 *
 * Each case does one thing that is forbidden, in a process of its own, which has
 * to die of the trap; or its like that is allowed, and comes back.
 */
#include "test_world.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/change.h"
#include "host/caller.h"

#define RW (IOMMUABS_READ | IOMMUABS_WRITE)

static struct {
	struct world *w;
	struct iommuabs_domain *dom, *other;
	struct iommuabs_device *dev;
} it;

/* The answer of a call that does not come back. */
static void forbidden(int ret)
{
	(void)ret;
}

static void lock(struct ia_lock *lock)
{
	ia_lock(&it.w->abs->host, lock);
}

static void unlock(struct ia_lock *lock)
{
	ia_unlock(&it.w->abs->host, lock);
}

static struct ia_lock *rmap_lock(void)
{
	return &it.w->abs->rmap.trees[0].lock;
}

static int map_one(struct iommuabs_domain *dom)
{
	return iommuabs_domain_map(dom, IOMMUABS_GFN(0x10),
				   IOMMUABS_MFN(0x5000), 1, RW, NULL);
}

static int translate_one(struct iommuabs_domain *dom)
{
	iommuabs_mfn_t mfn;
	uint32_t flags;

	return iommuabs_domain_translate(dom, IOMMUABS_GFN(0x10), &mfn, &flags);
}

/* ---- locks ---- */

static void locks_in_their_order(void)
{
	lock(&it.w->abs->lock);
	lock(&it.dom->lock);
	lock(rmap_lock());
	lock(&it.w->unit[0].unit->hw.lock);
	unlock(&it.w->unit[0].unit->hw.lock);
	unlock(rmap_lock());
	unlock(&it.dom->lock);
	unlock(&it.w->abs->lock);
}

static void a_lock_under_one_that_comes_after_it(void)
{
	lock(rmap_lock());
	lock(&it.dom->lock);
}

static void two_locks_of_one_class(void)
{
	lock(&it.dom->lock);
	lock(&it.other->lock);
}

static void a_lock_under_a_leaf(void)
{
	lock(&it.w->unit[0].unit->hw.lock);
	lock(&it.w->abs->lock);
}

static void a_lock_let_go_that_it_has_not(void)
{
	unlock(&it.dom->lock);
}

static void locks_let_go_in_the_order_in_which_they_were_taken(void)
{
	lock(&it.w->abs->lock);
	lock(&it.dom->lock);
	unlock(&it.w->abs->lock);
}

static void memory_asked_for(void)
{
	uint64_t maddr;

	ck_assert_int_eq(tablemem_alloc(&it.w->abs->mem, &it.dom->account, 12,
					0, &maddr),
			 0);
	tablemem_free(&it.w->abs->mem, &it.dom->account, maddr, 12);
}

static void memory_asked_for_under_a_lock(void)
{
	lock(&it.dom->lock);
	memory_asked_for();
}

static void an_object_asked_for_under_a_lock(void)
{
	lock(&it.w->abs->lock);
	(void)tablemem_object_alloc(&it.w->abs->mem, 32);
}

static bool is_done(struct backend_unit *unit, void *arg)
{
	(void)unit;
	(void)arg;
	return true;
}

static void hardware_waited_for(void)
{
	ck_assert_int_eq(
		backend_poll(&it.w->unit[0].unit->hw, "nothing", is_done, NULL),
		0);
}

static void hardware_waited_for_under_a_lock(void)
{
	lock(rmap_lock());
	hardware_waited_for();
}

/* ---- gates ---- */

static void gates_in_their_order(void)
{
	life_enter_alone(it.w->abs);
	instance_enter(it.w->abs);
	domain_enter_alone(it.dom);
	domain_enter_alone(it.other);
	unit_enter_alone(it.w->unit[0].unit);
	lock(&it.w->abs->lock);
	unlock(&it.w->abs->lock);
	memory_asked_for();
	hardware_waited_for();
	unit_leave_alone(it.w->unit[0].unit);
	domain_leave_alone(it.other);
	domain_leave_alone(it.dom);
	instance_leave(it.w->abs);
	life_leave_alone(it.w->abs);
}

static void a_gate_under_a_lock(void)
{
	lock(rmap_lock());
	domain_enter(it.dom);
}

static void the_instances_gate_inside_a_domains(void)
{
	domain_enter(it.dom);
	instance_enter(it.w->abs);
}

static void a_domains_gate_inside_a_units(void)
{
	unit_enter(it.w->unit[0].unit);
	domain_enter(it.dom);
}

static void the_life_of_the_instance_inside_its_gate(void)
{
	instance_enter(it.w->abs);
	life_enter_alone(it.w->abs);
}

static void a_gate_entered_twice(void)
{
	domain_enter(it.dom);
	domain_enter(it.dom);
}

static void two_domains_in_the_other_order(void)
{
	domain_enter_alone(it.other);
	domain_enter_alone(it.dom);
}

static void two_units_at_once(void)
{
	unit_enter(it.w->unit[0].unit);
	unit_enter(it.w->unit[1].unit);
}

static void a_gate_left_that_it_is_not_in(void)
{
	domain_leave(it.dom);
}

static void the_p2m_read(void)
{
	struct iommuabs_p2m_run runs[1];
	struct iommuabs_p2m_query query = { .nr = 1,
					    .runs = runs,
					    .max_runs = 1 };

	(void)p2m_ask(it.dom, &query);
}

static void the_p2m_read_under_a_lock(void)
{
	lock(rmap_lock());
	the_p2m_read();
}

static void the_p2m_read_inside_a_gate(void)
{
	domain_enter(it.dom);
	the_p2m_read();
}

/* ---- contexts ---- */

static void in_context(enum iommuabs_context context)
{
	test_host_caller(NULL)->context = context;
}

static void an_interrupt_acknowledged(void)
{
	/* By who was interrupted with all of it in its hands. */
	domain_enter_alone(it.dom);
	lock(&it.w->abs->lock);
	in_context(IOMMUABS_CONTEXT_IRQ);
	ck_assert_int_eq(
		iommuabs_unit_irq(it.w->unit[0].unit, IOMMUABS_IRQ_EVENT), 0);
	in_context(IOMMUABS_CONTEXT_TASK);
	unlock(&it.w->abs->lock);
	domain_leave_alone(it.dom);
}

static void a_map_from_an_interrupt(void)
{
	in_context(IOMMUABS_CONTEXT_IRQ);
	(void)map_one(it.dom);
}

static void a_query_from_an_interrupt(void)
{
	in_context(IOMMUABS_CONTEXT_IRQ);
	(void)translate_one(it.dom);
}

static void faults_polled_from_an_interrupt(void)
{
	uint32_t nr;

	in_context(IOMMUABS_CONTEXT_IRQ);
	world_event(&it.w->unit[0], 8, 0x1000, IOMMUABS_READ);
	forbidden(iommuabs_faults_poll(it.w->abs, 8, &nr));
}

static void irq_with_a_lock(struct backend_unit *unit,
			    enum iommuabs_unit_irq_which which)
{
	(void)which;
	ia_lock(unit->host, &unit->lock);
	ia_unlock(unit->host, &unit->lock);
}

static void a_driver_that_takes_a_lock_in_its_handler(void)
{
	it.w->unit[0].ops.irq = irq_with_a_lock;
	forbidden(iommuabs_unit_irq(it.w->unit[0].unit, IOMMUABS_IRQ_EVENT));
}

static void a_crash(void)
{
	domain_enter_alone(it.dom);
	lock(&it.w->abs->lock);
	ck_assert_int_eq(iommuabs_crash_block(it.w->abs), 0);
	unlock(&it.w->abs->lock);
	domain_leave_alone(it.dom);
	ck_assert_int_eq(map_one(it.other), 0);
}

static int crash_with_a_lock(struct backend_unit *unit)
{
	ia_lock(unit->host, &unit->lock);
	ia_unlock(unit->host, &unit->lock);
	return 0;
}

static void a_driver_that_takes_a_lock_in_a_crash(void)
{
	it.w->unit[0].ops.crash_block = crash_with_a_lock;
	forbidden(iommuabs_crash_block(it.w->abs));
}

static void a_map_in_a_crash(void)
{
	in_context(IOMMUABS_CONTEXT_CRASH);
	(void)map_one(it.dom);
}

/* ---- from hooks ---- */

static int books_that_call(void *ctx, const struct iommuabs_frames_query *query)
{
	(void)ctx;
	(void)query;
	(void)translate_one(it.other);
	return 0;
}

static void a_query_while_the_hosts_books_are_asked(void)
{
	it.w->abs->host.ops.frames_allowed = books_that_call;
	(void)map_one(it.dom);
}

/* Not even what would be in order where it is called. */
static int isolate_that_calls(void *ctx, void *cookie)
{
	(void)ctx;
	(void)cookie;
	lock(&it.dom->lock);
	unlock(&it.dom->lock);
	return 0;
}

static void dead_that_calls(void *ctx, void *cookie)
{
	struct iommuabs_device *dev;

	(void)ctx;
	(void)cookie;
	forbidden(iommuabs_device_find_pci(it.w->abs, 8, &dev));
}

static void unit_dies(void)
{
	it.w->unit[0].fence = IOMMUABS_E_TIMEOUT;
	it.w->isolate = IOMMUABS_E_TIMEOUT;
	unit_fence(it.w->unit[0].unit, IOMMUABS_E_TIMEOUT);
}

static void a_call_while_a_device_is_isolated(void)
{
	it.w->abs->host.ops.device_isolate = isolate_that_calls;
	unit_dies();
}

static void a_call_while_a_unit_is_reported_dead(void)
{
	it.w->abs->host.ops.unit_dead = dead_that_calls;
	unit_dies();
}

static void fault_poll(void (*on_fault)(struct world *w,
					const struct iommuabs_fault *fault))
{
	uint32_t nr;

	it.w->on_fault = on_fault;
	world_event(&it.w->unit[0], 8, 0x1000, IOMMUABS_READ);
	ck_assert_int_eq(iommuabs_faults_poll(it.w->abs, 8, &nr), 0);
	ck_assert_uint_eq(it.w->faults, 1);
}

static void fault_detaches(struct world *w, const struct iommuabs_fault *fault)
{
	(void)w;
	ck_assert_int_eq(iommuabs_device_detach(fault->dev, 0), 0);
	ck_assert_int_eq(map_one(it.dom), 0);
}

static void a_detach_from_a_fault(void)
{
	fault_poll(fault_detaches);
	ck_assert_int_eq(iommuabs_stop(it.w->abs), 0);
}

static void fault_stops(struct world *w, const struct iommuabs_fault *fault)
{
	(void)fault;
	forbidden(iommuabs_stop(w->abs));
}

static void a_stop_from_a_fault(void)
{
	fault_poll(fault_stops);
}

static void fault_destroys(struct world *w, const struct iommuabs_fault *fault)
{
	(void)fault;
	forbidden(iommuabs_destroy(w->abs));
}

static void a_destroy_from_a_fault(void)
{
	fault_poll(fault_destroys);
}

static void fault_destroys_a_domain(struct world *w,
				    const struct iommuabs_fault *fault)
{
	(void)w;
	(void)fault;
	forbidden(iommuabs_domain_destroy(it.other, 0));
}

static void a_domain_destroyed_from_a_fault(void)
{
	fault_poll(fault_destroys_a_domain);
}

/* ---- */

static const struct {
	void (*run)(void);
	const char *name;
	int traps;
} cases[] = {
#define ALLOWED(function)              \
	{                              \
		function, #function, 0 \
	}
#define FORBIDDEN(function)            \
	{                              \
		function, #function, 1 \
	}
	ALLOWED(locks_in_their_order),
	FORBIDDEN(a_lock_under_one_that_comes_after_it),
	FORBIDDEN(two_locks_of_one_class),
	FORBIDDEN(a_lock_under_a_leaf),
	FORBIDDEN(a_lock_let_go_that_it_has_not),
	FORBIDDEN(locks_let_go_in_the_order_in_which_they_were_taken),
	ALLOWED(memory_asked_for),
	FORBIDDEN(memory_asked_for_under_a_lock),
	FORBIDDEN(an_object_asked_for_under_a_lock),
	ALLOWED(hardware_waited_for),
	FORBIDDEN(hardware_waited_for_under_a_lock),
	ALLOWED(gates_in_their_order),
	FORBIDDEN(a_gate_under_a_lock),
	FORBIDDEN(the_instances_gate_inside_a_domains),
	FORBIDDEN(a_domains_gate_inside_a_units),
	FORBIDDEN(the_life_of_the_instance_inside_its_gate),
	FORBIDDEN(a_gate_entered_twice),
	FORBIDDEN(two_domains_in_the_other_order),
	FORBIDDEN(two_units_at_once),
	FORBIDDEN(a_gate_left_that_it_is_not_in),
	ALLOWED(the_p2m_read),
	FORBIDDEN(the_p2m_read_under_a_lock),
	FORBIDDEN(the_p2m_read_inside_a_gate),
	ALLOWED(an_interrupt_acknowledged),
	FORBIDDEN(a_map_from_an_interrupt),
	FORBIDDEN(a_query_from_an_interrupt),
	FORBIDDEN(faults_polled_from_an_interrupt),
	FORBIDDEN(a_driver_that_takes_a_lock_in_its_handler),
	ALLOWED(a_crash),
	FORBIDDEN(a_driver_that_takes_a_lock_in_a_crash),
	FORBIDDEN(a_map_in_a_crash),
	FORBIDDEN(a_query_while_the_hosts_books_are_asked),
	FORBIDDEN(a_call_while_a_device_is_isolated),
	FORBIDDEN(a_call_while_a_unit_is_reported_dead),
	ALLOWED(a_detach_from_a_fault),
	FORBIDDEN(a_stop_from_a_fault),
	FORBIDDEN(a_destroy_from_a_fault),
	FORBIDDEN(a_domain_destroyed_from_a_fault),
};

static void set_up(void)
{
	it.w = world_new(2);
	it.dom = world_domain(it.w);
	it.other = world_domain(it.w);
	it.dev = world_device(it.w, 8, 1, 0);
	ck_assert_int_eq(iommuabs_start(it.w->abs), 0);
	ck_assert_int_eq(iommuabs_device_attach(it.dev, it.dom, NULL, 0), 0);
}

/* What the process of its own ended with: 0, or the number of a signal. */
static int end_of(void (*run)(void))
{
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (!pid) {
		run();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

START_TEST(what_is_forbidden_is_a_trap_in_a_debug_build)
{
	int end;

	if (!CALLER_CHECKS)
		harness_skip("no debug build");
	set_up();
	end = end_of(cases[_i].run);
	if (cases[_i].traps)
		ck_assert_msg(end == SIGILL || end == SIGTRAP, "%s: %d",
			      cases[_i].name, end);
	else
		ck_assert_msg(!end, "%s: %d", cases[_i].name, end);
	world_delete(it.w);
}
END_TEST

START_TEST(a_host_that_does_not_say_who_calls_is_not_checked)
{
	set_up();
	it.w->abs->host.ops.caller = NULL;
	ck_assert_int_eq(end_of(two_units_at_once), 0);
	ck_assert_int_eq(end_of(a_stop_from_a_fault), 0);
	ck_assert_int_eq(map_one(it.dom), 0);
	world_delete(it.w);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("locking");
	TCase *tcase = tcase_create("debug");

	if (!world_possible(s))
		return s;
	tcase_add_loop_test(tcase, what_is_forbidden_is_a_trap_in_a_debug_build,
			    0, (int)IA_COUNT(cases));
	tcase_add_test(tcase,
		       a_host_that_does_not_say_who_calls_is_not_checked);
	suite_add_tcase(s, tcase);
	return s;
}

HARNESS_MAIN(suite)
