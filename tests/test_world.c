/* SPDX-License-Identifier: BSD-2-Clause */
#include "test_world.h"

#include <stdlib.h>
#include <string.h>

START_TEST(no_null_driver)
{
	harness_skip("built without the null driver");
}
END_TEST

bool world_possible(Suite *suite)
{
	TCase *none;

	if (backend_find(IOMMUABS_UNIT_NULL))
		return true;
	none = tcase_create("world");
	tcase_add_test(none, no_null_driver);
	suite_add_tcase(suite, none);
	return false;
}

static struct world_unit *of(const struct backend_unit *hw)
{
	const char *unit =
		(const char *)hw - offsetof(struct iommuabs_unit, hw);

	return ((const struct iommuabs_unit *)(const void *)unit)->cookie;
}

static int world_enable(struct backend_unit *hw)
{
	struct world_unit *u = of(hw);

	u->enables++;
	return u->enable ? u->enable : u->real->enable(hw);
}

static int world_disable(struct backend_unit *hw)
{
	struct world_unit *u = of(hw);

	u->disables++;
	return u->disable ? u->disable : u->real->disable(hw);
}

static int world_fence(struct backend_unit *hw)
{
	struct world_unit *u = of(hw);

	u->fences++;
	return u->fence ? u->fence : u->real->fence(hw);
}

static int world_crash(struct backend_unit *hw)
{
	struct world_unit *u = of(hw);

	u->crashes++;
	return u->crash ? u->crash : u->real->crash_block(hw);
}

static int world_invalidate(struct backend_unit *hw,
			    const struct backend_inv *inv,
			    struct backend_streams *stuck)
{
	struct world_unit *u = of(hw);

	u->invalidates++;
	if (u->on_invalidate)
		u->on_invalidate(u, inv);
	if (u->nr_stuck) {
		u->nr_stuck--;
		*stuck = u->stuck;
		return BACKEND_STUCK;
	}
	if (u->invalidate_fails && !--u->invalidate_fails)
		return IOMMUABS_E_TIMEOUT;
	return u->invalidate ? u->invalidate
			     : u->real->invalidate(hw, inv, stuck);
}

static int world_errors(struct backend_unit *hw)
{
	struct world_unit *u = of(hw);

	return u->errors ? u->errors : u->real->errors(hw);
}

static int world_reserve(struct backend_unit *hw, uint32_t first, uint32_t nr)
{
	struct world_unit *u = of(hw);

	return u->reserve ? u->reserve
			  : u->real->streams_reserve(hw, first, nr);
}

static int world_id_reserve(struct backend_unit *hw, uint32_t id)
{
	struct world_unit *u = of(hw);

	return u->id_reserve ? u->id_reserve : u->real->id_reserve(hw, id);
}

static int world_irq_set_msi(struct backend_unit *hw,
			     enum iommuabs_unit_irq_which which, uint64_t addr,
			     uint32_t data)
{
	struct world_unit *u = of(hw);

	return u->set_msi ? u->set_msi
			  : u->real->irq_set_msi(hw, which, addr, data);
}

static int world_stream_set(struct backend_unit *hw, uint32_t first,
			    uint32_t nr, const struct backend_table *table,
			    uint32_t flags)
{
	struct world_unit *u = of(hw);
	int ret = u->real->stream_set(hw, first, nr, table, flags);

	u->stream_sets++;
	if (u->set_fails && !--u->set_fails)
		return IOMMUABS_E_TIMEOUT;
	return u->stream_set ? u->stream_set : ret;
}

static bool world_is_hitless(const struct backend_unit *hw,
			     const struct backend_table *from,
			     const struct backend_table *to)
{
	const struct world_unit *u = of(hw);

	if (u->window == 2)
		return from->id == to->id;
	return !u->window && u->real->stream_is_hitless(hw, from, to);
}

static int world_mirror(const struct backend_unit *hw, uint8_t input_bits,
			uint8_t max_level, struct backend_geometry *geometry)
{
	struct world_unit *u = of(hw);

	if (u->geometry)
		*geometry = *u->geometry;
	if (u->geometry)
		return 0;
	return u->mirror ? u->mirror
			 : u->real->mirror(hw, input_bits, max_level, geometry);
}

static uint32_t world_events(struct backend_unit *hw,
			     struct backend_event *events, uint32_t max)
{
	struct world_unit *u = of(hw);
	uint32_t n = 0;

	while (n < max && u->next_event < u->nr_events)
		events[n++] = u->events[u->next_event++];
	return n;
}

static void world_irq(struct backend_unit *hw,
		      enum iommuabs_unit_irq_which which)
{
	of(hw)->irqs |= 1u << which;
}

static void unit_take_over(struct world_unit *u)
{
	u->real = u->unit->hw.ops;
	u->ops = *u->real;
	u->ops.enable = world_enable;
	u->ops.disable = world_disable;
	u->ops.fence = world_fence;
	u->ops.crash_block = world_crash;
	u->ops.invalidate = world_invalidate;
	u->ops.errors = world_errors;
	u->ops.streams_reserve = world_reserve;
	u->ops.id_reserve = world_id_reserve;
	u->ops.irq_set_msi = world_irq_set_msi;
	u->ops.stream_set = world_stream_set;
	u->ops.stream_is_hitless = world_is_hitless;
	u->ops.mirror = world_mirror;
	u->ops.events = world_events;
	u->ops.irq = world_irq;
	u->unit->hw.ops = &u->ops;
}

static struct world *world_of_ctx; /* hooks get the test host */

static void hook_fault(void *ctx, const struct iommuabs_fault *fault)
{
	struct world *w = world_of_ctx;

	(void)ctx;
	if (test_host_holds_lock(-1))
		test_host_violation(w->host, "fault() under a lock");
	w->fault = *fault;
	w->faults++;
	if (w->on_fault)
		w->on_fault(w, fault);
}

static int hook_walk(void *ctx, struct iommuabs_p2m_query *query)
{
	struct world *w = world_of_ctx;

	(void)ctx;
	if (test_host_holds_lock(-1))
		test_host_violation(w->host, "p2m_walk() under a lock");
	query->next = IOMMUABS_GFN(query->gfn.frame + query->nr);
	return w->on_walk ? w->on_walk(w, query) : 0;
}

static int hook_isolate(void *ctx, void *cookie)
{
	(void)ctx;
	world_of_ctx->isolated++;
	world_of_ctx->isolated_cookie = cookie;
	return world_of_ctx->isolate;
}

static void hook_dead(void *ctx, void *cookie)
{
	(void)ctx;
	world_of_ctx->dead++;
	world_of_ctx->dead_cookie = cookie;
}

struct world_unit *world_unit_add(struct world *w)
{
	struct world_unit *u = &w->unit[w->nr_units++];
	const struct iommuabs_unit_desc desc = {
		.size = sizeof(desc),
		.type = IOMMUABS_UNIT_NULL,
		.cookie = u,
	};

	ck_assert_uint_le(w->nr_units, WORLD_UNITS_MAX);
	ck_assert_int_eq(iommuabs_unit_add(w->abs, &desc, &u->unit), 0);
	unit_take_over(u);
	return u;
}

struct world *world_new(uint32_t nr_units)
{
	struct world *w = calloc(1, sizeof(*w));

	ck_assert_ptr_nonnull(w);
	world_of_ctx = w;
	w->host = test_host_new(TEST_HOST_LOCKS);
	w->host->ops.fault = hook_fault;
	w->host->ops.p2m_walk = hook_walk;
	w->host->ops.device_isolate = hook_isolate;
	w->host->ops.unit_dead = hook_dead;
	ck_assert_int_eq(iommuabs_create(&w->host->ops, w->host, &w->abs), 0);
	while (w->nr_units < nr_units)
		(void)world_unit_add(w);
	return w;
}

static void world_calm(struct world *w)
{
	struct world_unit *u;
	uint32_t i;

	for (i = 0; i < w->nr_units; i++) {
		u = &w->unit[i];
		u->enable = u->disable = u->fence = u->invalidate = 0;
		u->errors = u->stream_set = u->reserve = u->mirror = 0;
		u->id_reserve = u->set_msi = 0;
		u->set_fails = u->invalidate_fails = 0;
	}
}

void world_delete(struct world *w)
{
	struct iommuabs_device *dev = NULL;
	struct iommuabs_domain *dom, *next;
	uint32_t i;

	world_calm(w);
	while ((dev = iommuabs_device_next(w->abs, dev)))
		ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	for (i = 0; i < w->nr_units; i++)
		ck_assert_int_eq(iommuabs_unit_recover(w->unit[i].unit, 0), 0);
	for (dom = w->abs->domains; dom; dom = next) {
		next = dom->next;
		ck_assert_int_eq(iommuabs_domain_destroy(dom, 0), 0);
	}
	if (w->abs->phase == PHASE_SUSPENDED)
		ck_assert_int_eq(iommuabs_resume(w->abs), 0);
	if (w->abs->phase == PHASE_RUNNING)
		ck_assert_int_eq(iommuabs_stop(w->abs), 0);
	for (i = 0; i < w->nr_units; i++)
		w->unit[i].unit->hw.ops = w->unit[i].real;
	ck_assert_int_eq(iommuabs_destroy(w->abs), 0);
	while (w->nr_p2m_pages)
		w->host->ops.table_free(w->host, NULL,
					w->p2m_pages[--w->nr_p2m_pages], 12);
	test_host_delete(w->host);
	free(w);
}

struct iommuabs_device_desc
world_device_desc(const struct iommuabs_stream_range *range, uint32_t flags)
{
	return (struct iommuabs_device_desc){
		.size = sizeof(struct iommuabs_device_desc),
		.flags = flags,
		.cookie = (void *)(uintptr_t)range->first,
		.pci = range->rid,
		.nr_pci = range->nr,
		.streams = range,
		.nr_streams = 1,
	};
}

struct iommuabs_device *world_device(struct world *w, uint32_t first,
				     uint32_t nr, uint32_t flags)
{
	const struct iommuabs_stream_range range = {
		.unit = w->unit[0].unit,
		.first = first,
		.nr = nr,
		.rid = first,
	};
	const struct iommuabs_device_desc desc =
		world_device_desc(&range, flags);
	struct iommuabs_device *dev;

	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &dev), 0);
	return dev;
}

struct iommuabs_domain *world_domain(struct world *w)
{
	const struct iommuabs_domain_config config = {
		.size = sizeof(config),
		.cookie = w,
	};
	struct iommuabs_domain *dom;

	ck_assert_int_eq(iommuabs_domain_create(w->abs, &config, &dom), 0);
	return dom;
}

static uint64_t p2m_page(struct world *w)
{
	uint64_t maddr;

	ck_assert_uint_lt(w->nr_p2m_pages, 8);
	ck_assert_int_eq(w->host->ops.table_alloc(w->host, NULL, 12, 0, &maddr),
			 0);
	w->p2m_pages[w->nr_p2m_pages++] = maddr;
	return maddr;
}

static void p2m_make(struct world *w)
{
	if (w->p2m.ops)
		return;
	w->p2m = (struct pt){
		.ops = &pt_arm_s2_4k_ops,
		.host = &w->abs->host,
		.root = p2m_page(w),
		.granule_lg2 = 12,
		.top = 2,
		.root_lg2 = 12,
		.in_bits = 39,
		.out_bits = 48,
		.leaf_mask = 1,
	};
	w->p2m.ops->init_root(&w->p2m);
}

void world_p2m_map(struct world *w, uint64_t gfn, uint64_t mfn, uint64_t nr)
{
	const struct pt_run run = { gfn, mfn, nr,
				    IOMMUABS_READ | IOMMUABS_WRITE };
	struct tablemem_pool pool = { 0 };
	uint64_t done;
	uint32_t need;

	p2m_make(w);
	for (need = w->p2m.ops->count(&w->p2m, gfn, mfn, nr); need; need--)
		tablemem_pool_put(&w->abs->host, &pool, p2m_page(w));
	ck_assert_int_eq(w->p2m.ops->map(&w->p2m, &run, &pool, &done), PT_OK);
}

struct iommuabs_domain *world_shared_domain(struct world *w)
{
	struct iommuabs_p2m p2m = {
		.size = sizeof(p2m),
		.format = IOMMUABS_P2M_ARM_S2,
		.input_bits = 39,
		.output_bits = 48,
		.granule_lg2 = 12,
		.levels = 3,
	};
	const struct iommuabs_domain_config config = {
		.size = sizeof(config),
		.cookie = w,
		.strategy = IOMMUABS_STRATEGY_SHARE,
		.p2m = &p2m,
		.input_bits = 39,
	};
	struct iommuabs_domain *dom;

	p2m_make(w);
	p2m.root = w->p2m.root;
	ck_assert_int_eq(iommuabs_domain_create(w->abs, &config, &dom), 0);
	return dom;
}

void world_event(struct world_unit *unit, uint32_t stream, uint64_t address,
		 uint32_t access)
{
	ck_assert_uint_lt(unit->nr_events, WORLD_EVENTS);
	unit->events[unit->nr_events++] = (struct backend_event){
		.reason = IOMMUABS_FAULT_TRANSLATION,
		.stream = stream,
		.access = access,
		.has_address = 1,
		.address = address,
		.raw = { stream, address, 2, 3 },
	};
}

char *world_dump(struct world *w)
{
	char *lines;

	test_host_log_clear(w->host);
	ck_assert_int_eq(iommuabs_dump(w->abs, IOMMUABS_DUMP_ALL), 0);
	lines = strdup(w->host->log ? w->host->log : "");
	test_host_log_clear(w->host);
	ck_assert_ptr_nonnull(lines);
	return lines;
}

void world_failing_begin(struct world *w, struct world_failing *failing,
			 int error)
{
	failing->error = error;
	failing->nr = 1;
	failing->before = world_dump(w);
	test_host_fail_nth(w->host, failing->nr);
}

/* The first line of a dump counts tables. */
static const char *compared(const struct world_failing *failing,
			    const char *dump)
{
	return failing->may_keep_tables ? strchr(dump, '\n') : dump;
}

bool world_failing_again(struct world *w, struct world_failing *failing,
			 int ret)
{
	const bool failed = test_host_failed(w->host) != 0;
	char *after;

	test_host_fail_nth(w->host, 0);
	ck_assert_int_eq(ret, failed ? failing->error : 0);
	if (failed) {
		after = world_dump(w);
		ck_assert_str_eq(compared(failing, failing->before),
				 compared(failing, after));
		free(failing->before);
		failing->before = after;
		test_host_fail_nth(w->host, ++failing->nr);
	} else {
		free(failing->before);
	}
	return failed;
}
