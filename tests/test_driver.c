/* SPDX-License-Identifier: BSD-2-Clause */
#include "test_driver.h"

#include <string.h>

#include "harness.h"
#include "test_host.h"

static int host_table_alloc(void *ctx, void *cookie, unsigned int size_lg2,
			    uint32_t flags, uint64_t *maddr)
{
	struct driver_machine *m = ctx;

	(void)cookie;
	(void)flags;
	return iommuabs_sim_alloc(m->arena, size_lg2, maddr) ? IOMMUABS_E_NOMEM
							     : 0;
}

static void host_table_free(void *ctx, void *cookie, uint64_t maddr,
			    unsigned int size_lg2)
{
	struct driver_machine *m = ctx;

	(void)cookie;
	iommuabs_sim_free(m->arena, maddr, size_lg2);
}

static uint64_t host_mmio_read(void *ctx, uint64_t addr, unsigned int width)
{
	struct driver_machine *m = ctx;

	return iommuabs_sim_mmio_read(m->arena, addr, width);
}

static void host_mmio_write(void *ctx, uint64_t addr, unsigned int width,
			    uint64_t value)
{
	struct driver_machine *m = ctx;

	iommuabs_sim_mmio_write(m->arena, addr, width, value);
}

static void host_cache_clean(void *ctx, const void *p, size_t size)
{
	(void)ctx;
	iommuabs_sim_cache_clean(p, size);
}

static uint64_t host_time_us(void *ctx)
{
	struct driver_machine *m = ctx;
	uint64_t skew =
		__atomic_add_fetch(&m->skew_us, m->hurry_us, __ATOMIC_SEQ_CST);

	return iommuabs_sim_time_us(m->arena) + skew;
}

static void host_log(void *ctx, enum iommuabs_log_level level, const char *line)
{
	struct driver_machine *m = ctx;

	(void)level;
	(void)line;
	__atomic_add_fetch(&m->log_lines, 1, __ATOMIC_SEQ_CST);
}

static void *host_mmio_map(void *ctx, uint64_t maddr, uint64_t size)
{
	(void)size;
	/* Nobody may use it: there is mmio_read. */
	return (char *)ctx + (maddr & 1);
}

static void host_fill(struct driver_machine *m)
{
	m->range = (struct iommuabs_range){
		IOMMUABS_MFN(DRIVER_RAM_BASE >> IOMMUABS_FRAME_LG2),
		DRIVER_RAM_LENGTH >> IOMMUABS_FRAME_LG2
	};
	m->host.ctx = m;
	m->host.ops = (struct iommuabs_host){
		.size = sizeof(m->host.ops),
		.table_alloc = host_table_alloc,
		.table_free = host_table_free,
		.table_ranges = &m->range,
		.nr_table_ranges = 1,
		.table_offset = iommuabs_sim_offset(m->arena),
		.mmio_map = host_mmio_map,
		.mmio_read = host_mmio_read,
		.mmio_write = host_mmio_write,
		.time_us = host_time_us,
		.log = host_log,
		.caller = test_host_caller,
	};
	if (m->noncoherent)
		m->host.ops.cache_clean = host_cache_clean;
}

void driver_machine_arena(struct driver_machine *m, bool noncoherent)
{
	const struct iommuabs_sim_arena_config arena = {
		.mode = IOMMUABS_SIM_ADVERSARY,
		.base = DRIVER_RAM_BASE,
		.length = DRIVER_RAM_LENGTH,
		.seed = 1,
		.noncoherent = noncoherent,
	};

	memset(m, 0, sizeof(*m));
	m->noncoherent = noncoherent;
	ck_assert_int_eq(iommuabs_sim_arena_create(&arena, &m->arena), 0);
}

void driver_machine_unit(struct driver_machine *m, enum iommuabs_unit_type type,
			 uint64_t base)
{
	host_fill(m);
	ck_assert_int_eq(tablemem_init(&m->mem, &m->host), 0);
	m->unit.ops = backend_find(type);
	ck_assert_ptr_nonnull(m->unit.ops);
	m->unit.host = &m->host;
	m->unit.mem = &m->mem;
	m->unit.account = &m->account;
	m->unit.name = "unit";
	ck_assert_int_eq(
		ia_lock_init(&m->host, &m->unit.lock, IOMMUABS_LOCK_UNIT), 0);
	ck_assert_int_eq(hostif_regs_map(&m->host, base,
					 m->unit.ops->regs_length,
					 &m->unit.regs),
			 0);
}

void driver_machine_probe(struct driver_machine *m)
{
	struct iommuabs_sim_counters before, after;

	iommuabs_sim_counters(m->sim, &before);
	ck_assert_int_eq(m->unit.ops->probe(&m->unit), 0);
	iommuabs_sim_counters(m->sim, &after);
	ck_assert_uint_eq(after.writes, before.writes);
}

void driver_no_violations(struct driver_machine *m)
{
	if (iommuabs_sim_violations(m->arena))
		ck_abort_msg("%u violations, first: %s",
			     iommuabs_sim_violations(m->arena),
			     iommuabs_sim_violation_text(m->arena, 0));
}

void driver_machine_delete(struct driver_machine *m)
{
	if (m->unit.priv) {
		ck_assert_int_eq(m->unit.ops->disable(&m->unit), 0);
		m->unit.ops->release(&m->unit);
	}
	ck_assert_uint_eq(m->account.used, 0);
	hostif_regs_unmap(&m->unit.regs);
	ia_lock_exit(&m->host, &m->unit.lock);
	tablemem_exit(&m->mem);
	ck_assert_uint_eq(iommuabs_sim_pages_used(m->arena), m->pages_kept);
	driver_no_violations(m);
	iommuabs_sim_arena_destroy(m->arena);
}

/* ---- guests ---- */

void driver_guest_new(struct driver_machine *m, struct driver_guest *g,
		      uint32_t id, uint8_t input_bits)
{
	struct backend_geometry geo;

	memset(g, 0, sizeof(*g));
	g->m = m;
	ck_assert_int_eq(m->unit.ops->mirror(&m->unit, input_bits, 2, &geo), 0);
	g->pt = (struct pt){
		.ops = geo.pt_ops,
		.host = &m->host,
		.granule_lg2 = geo.granule_lg2,
		.top = (uint8_t)(geo.levels - 1),
		.root_lg2 = geo.root_lg2,
		.in_bits = geo.input_bits,
		.out_bits = geo.output_bits,
		.leaf_mask = geo.leaf_mask,
		.clean = geo.clean,
	};
	ck_assert_int_eq(tablemem_alloc(&m->mem, &m->account, geo.root_lg2, 0,
					&g->pt.root),
			 0);
	g->pt.ops->init_root(&g->pt);
	g->table = (struct backend_table){
		.format = geo.format,
		.root = g->pt.root,
		.input_bits = geo.input_bits,
		.output_bits = geo.output_bits,
		.granule_lg2 = geo.granule_lg2,
		.levels = geo.levels,
		.walk_attrs = geo.clean ? 0 : 0x35,
		.id = id,
	};
	ck_assert_int_eq(m->unit.ops->id_reserve(&m->unit, id), 0);
}

void driver_guest_delete(struct driver_guest *g)
{
	uint64_t budget = ~(uint64_t)0;

	ck_assert_int_eq(pt_free_tables(&g->pt, g->pt.root | g->pt.top,
					&g->m->mem, &g->m->account, &budget),
			 PT_OK);
}

void driver_guest_map(struct driver_guest *g, uint64_t gfn, uint64_t mfn,
		      uint64_t nr, uint32_t flags)
{
	struct tablemem_pool pool = { .page_lg2 = g->pt.granule_lg2 };
	struct pt_run run = { .in = gfn, .out = mfn, .nr = nr, .attr = flags };
	uint64_t done;

	ck_assert_int_eq(
		tablemem_pool_fill(&g->m->mem, &g->m->account, &pool,
				   g->pt.ops->count(&g->pt, gfn, mfn, nr)),
		0);
	ck_assert_int_eq(g->pt.ops->map(&g->pt, &run, &pool, &done), PT_OK);
	tablemem_pool_drain(&g->m->mem, &g->m->account, &pool);
}

void driver_guest_unmap(struct driver_guest *g, uint64_t gfn, uint64_t nr)
{
	struct tablemem_pool pool = { .page_lg2 = g->pt.granule_lg2 };
	const struct pt_edit edit = { .kind = PT_EDIT_CLEAR };
	struct pt_run at;

	/* Tables stay: nothing to free before the invalidation. */
	ck_assert_int_eq(
		g->pt.ops->edit(&g->pt, gfn, nr, &edit, &pool, NULL, &at),
		PT_OK);
}

int driver_guest_forget(struct driver_guest *g, uint64_t gfn, uint64_t nr)
{
	const struct backend_range range = { gfn, nr };
	const struct backend_inv inv = {
		.id = g->table.id,
		.ranges = &range,
		.nr = 1,
		.granule_lg2 = g->pt.granule_lg2,
	};

	return g->m->unit.ops->invalidate(&g->m->unit, &inv, NULL);
}

int driver_dma(struct driver_machine *m, uint32_t sid, uint64_t addr,
	       uint32_t flags)
{
	struct iommuabs_sim_dma dma = {
		.sid = sid,
		.flags = flags,
		.addr = addr,
		.len = 4,
	};

	return iommuabs_sim_dma(m->sim, &dma);
}
