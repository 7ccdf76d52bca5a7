/* SPDX-License-Identifier: BSD-2-Clause */
#include "test_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"
#include "harness.h"

#define RAM_BASE   ((uint64_t)0x100000000)
#define RAM_LENGTH ((uint64_t)64 << 20)
#define UNIT_BASE  RIG_UNIT_BASE

static int table_alloc(void *ctx, void *cookie, unsigned int size_lg2,
		       uint32_t flags, uint64_t *maddr)
{
	struct rig *rig = ctx;

	(void)cookie;
	(void)flags;
	return iommuabs_sim_alloc(rig->arena, size_lg2, maddr)
		       ? IOMMUABS_E_NOMEM
		       : 0;
}

static void table_free(void *ctx, void *cookie, uint64_t maddr,
		       unsigned int size_lg2)
{
	struct rig *rig = ctx;

	(void)cookie;
	iommuabs_sim_free(rig->arena, maddr, size_lg2);
}

static uint64_t mmio_read(void *ctx, uint64_t addr, unsigned int width)
{
	struct rig *rig = ctx;

	return iommuabs_sim_mmio_read(rig->arena, addr, width);
}

static void mmio_write(void *ctx, uint64_t addr, unsigned int width,
		       uint64_t value)
{
	struct rig *rig = ctx;

	iommuabs_sim_mmio_write(rig->arena, addr, width, value);
	if (rig->on_write)
		rig->on_write(rig);
}

static void cache_clean(void *ctx, const void *p, size_t size)
{
	(void)ctx;
	iommuabs_sim_cache_clean(p, size);
}

static uint64_t time_us(void *ctx)
{
	struct rig *rig = ctx;

	rig->skew_us += rig->hurry_us;
	return iommuabs_sim_time_us(rig->arena) + rig->skew_us;
}

static void fault(void *ctx, const struct iommuabs_fault *event)
{
	struct rig *rig = ctx;

	rig->fault = *event;
	rig->faults++;
	if (rig->on_fault)
		rig->on_fault(rig);
}

static int device_isolate(void *ctx, void *cookie)
{
	struct rig *rig = ctx;

	rig->isolated++;
	rig->isolated_cookie = cookie;
	return IOMMUABS_E_NOTSUP;
}

static void dump_add(struct rig *rig, const char *line)
{
	size_t length = strlen(line);

	rig->dump = realloc(rig->dump, rig->dump_length + length + 2);
	ck_assert_ptr_nonnull(rig->dump);
	memcpy(rig->dump + rig->dump_length, line, length);
	rig->dump_length += length + 1;
	strcpy(rig->dump + rig->dump_length - 1, "\n");
}

static void take_line(void *ctx, enum iommuabs_log_level level,
		      const char *line)
{
	struct rig *rig = ctx;

	if (level == IOMMUABS_LOG_WARNING)
		snprintf(rig->warning, sizeof(rig->warning), "%s", line);
	if (level == IOMMUABS_LOG_DUMP && rig->dump)
		dump_add(rig, line);
}

static int p2m_walk(void *ctx, struct iommuabs_p2m_query *query)
{
	struct rig *rig = ctx;

	return rig->on_walk(rig, query);
}

static bool is_vtd(enum rig_kind kind)
{
	return (kind >= RIG_VTD && kind < RIG_KINDS) ||
	       kind == RIG_VTD_FETCH_128;
}

bool rig_possible(enum rig_kind kind)
{
	return backend_find(is_vtd(kind) ? IOMMUABS_UNIT_VTD
					 : IOMMUABS_UNIT_SMMUV3) != NULL;
}

bool rig_remaps(const struct rig *rig)
{
	return is_vtd(rig->kind) && rig->kind != RIG_VTD_REGISTERS;
}

static bool is_stage1(enum rig_kind kind)
{
	return kind == RIG_STAGE1 || kind == RIG_STAGE1_BBML0;
}

static bool snoops(enum rig_kind kind)
{
	return kind != RIG_NONCOHERENT && kind != RIG_STAGE1_BBML0 &&
	       kind != RIG_VTD_NONCOHERENT;
}

static unsigned int bbml_of(enum rig_kind kind)
{
	if (kind == RIG_BBML0 || kind == RIG_STAGE1_BBML0)
		return 0;
	return kind == RIG_BBML1 ? 1 : 2;
}

static int smmu_create(struct rig *rig, enum rig_kind kind)
{
	struct iommuabs_sim_smmuv3_config config;

	iommuabs_sim_smmuv3_defaults(&config);
	config.base = UNIT_BASE;
	config.s2p = !is_stage1(kind);
	config.cohacc = snoops(kind);
	config.ril = kind != RIG_NO_RANGES;
	config.bbml = bbml_of(kind);
	config.fetch_128 = kind == RIG_FETCH_128;
	config.ats = kind == RIG_ATS;
	if (kind == RIG_VMID8)
		config.vmid16 = 0;
	if (kind == RIG_LINEAR) {
		config.st_level = 0;
		config.sidsize = 6;
	}
	return iommuabs_sim_smmuv3_create(rig->arena, &config, &rig->sim);
}

static int vtd_create(struct rig *rig, enum rig_kind kind)
{
	struct iommuabs_sim_vtd_config config;

	iommuabs_sim_vtd_defaults(&config);
	config.base = UNIT_BASE;
	config.nfr = 4;
	config.smts = kind == RIG_VTD_SCALABLE;
	config.coherent = snoops(kind);
	config.cm = kind == RIG_VTD_CACHING;
	config.fetch_128 = kind == RIG_VTD_FETCH_128;
	config.pi = kind == RIG_VTD_SCALABLE;
	config.dt = kind != RIG_VTD_REGISTERS;
	config.itesid = config.dt && config.smts;
	config.dit = config.dt;
	if (kind == RIG_VTD_SCALABLE)
		config.smpwc = config.sc = 1;
	if (kind == RIG_VTD_REGISTERS) {
		config.qi = config.ir = config.eim = config.psi = 0;
		config.rwbf = 1;
	}
	return iommuabs_sim_vtd_create(rig->arena, &config, &rig->sim);
}

void rig_machine(struct rig *rig, enum rig_kind kind)
{
	const struct iommuabs_sim_arena_config ram = {
		.mode = IOMMUABS_SIM_ADVERSARY,
		.base = RAM_BASE,
		.length = RAM_LENGTH,
		.seed = 7,
		.noncoherent = !snoops(kind),
	};
	unsigned int b;

	if (!rig_possible(kind))
		harness_skip("the driver for this unit is not built in");
	memset(rig, 0, sizeof(*rig));
	rig->kind = kind;
	ck_assert_int_eq(iommuabs_sim_arena_create(&ram, &rig->arena), 0);
	ck_assert_int_eq(is_vtd(kind) ? vtd_create(rig, kind)
				      : smmu_create(rig, kind),
			 0);
	for (b = 0; b < RIG_BLOCKS; b++)
		ck_assert_int_eq(
			iommuabs_sim_alloc(rig->arena, 21, &rig->blocks[b]), 0);
}

int rig_library(struct rig *rig)
{
	const struct iommuabs_range range = {
		.mfn = IOMMUABS_MFN(RAM_BASE >> 12),
		.nr = RAM_LENGTH >> 12,
	};
	const struct iommuabs_host host = {
		.size = sizeof(host),
		.flags = rig_remaps(rig) ? IOMMUABS_HOST_REMAPS_IRQS : 0,
		.table_alloc = table_alloc,
		.table_free = table_free,
		.table_ranges = &range,
		.nr_table_ranges = 1,
		.table_offset = iommuabs_sim_offset(rig->arena),
		.mmio_read = mmio_read,
		.mmio_write = mmio_write,
		.cache_clean = cache_clean,
		.time_us = time_us,
		.log = take_line,
		.fault = fault,
		.device_isolate = device_isolate,
		.pci_cfg_read = rig->pci_read,
		.p2m_walk = rig->on_walk ? p2m_walk : NULL,
	};
	const struct iommuabs_unit_desc desc = {
		.size = sizeof(desc),
		.type = is_vtd(rig->kind) ? IOMMUABS_UNIT_VTD
					  : IOMMUABS_UNIT_SMMUV3,
		.flags = rig->kind == RIG_FETCH_128 ||
					 rig->kind == RIG_VTD_FETCH_128
				 ? IOMMUABS_UNIT_FETCH_128
				 : 0,
		.base = UNIT_BASE,
		.name = "unit",
	};
	struct iommuabs *lib;
	int ret = iommuabs_create(&host, rig, &lib);

	if (ret)
		return ret;
	rig->lib = lib;
	if (rig->describe)
		return rig->describe(rig);
	return iommuabs_unit_add(lib, &desc, &rig->unit);
}

void rig_new(struct rig *rig, enum rig_kind kind)
{
	rig_machine(rig, kind);
	ck_assert_int_eq(rig_library(rig), 0);
	ck_assert_int_eq(iommuabs_start(rig->lib), 0);
}

void rig_no_violation(struct rig *rig)
{
	ck_assert_msg(!iommuabs_sim_violations(rig->arena), "%s",
		      iommuabs_sim_violation_text(rig->arena, 0));
}

void rig_delete(struct rig *rig)
{
	unsigned int b;

	for (b = 0; b < RIG_BLOCKS; b++)
		iommuabs_sim_free(rig->arena, rig->blocks[b], 21);
	rig_no_violation(rig);
	/* What a VT-d unit blocks by is never given back. */
	ck_assert_uint_le(iommuabs_sim_pages_used(rig->arena),
			  (is_vtd(rig->kind) ? 1 : 0) + rig->more_vtd);
	iommuabs_sim_arena_destroy(rig->arena);
}

void rig_end(struct rig *rig)
{
	ck_assert_int_eq(iommuabs_stop(rig->lib), 0);
	ck_assert_int_eq(iommuabs_destroy(rig->lib), 0);
	rig_delete(rig);
}

uint64_t rig_frame(const struct rig *rig, uint64_t n)
{
	return (rig->blocks[n / 512] >> 12) + n % 512;
}

int rig_device(struct rig *rig, uint32_t sid, struct iommuabs_device **dev)
{
	const struct iommuabs_stream_range stream = {
		.unit = rig->unit,
		.first = sid,
		.nr = 1,
	};
	const struct iommuabs_device_desc desc = {
		.size = sizeof(desc),
		.cookie = (void *)(uintptr_t)sid,
		.streams = &stream,
		.nr_streams = 1,
	};

	return iommuabs_device_add(rig->lib, &desc, dev);
}

int rig_attach(struct iommuabs_device *dev, struct iommuabs_domain *dom)
{
	const struct iommuabs_attach_options options = {
		.size = sizeof(options),
		.flags = IOMMUABS_ALLOW_UNSAFE_MSI,
	};

	return iommuabs_device_attach(dev, dom, &options, 0);
}

struct iommuabs_domain *rig_domain(struct rig *rig)
{
	const struct iommuabs_domain_config config = {
		.size = sizeof(config),
		.input_bits = 40,
	};
	struct iommuabs_domain *dom;

	ck_assert_int_eq(iommuabs_domain_create(rig->lib, &config, &dom), 0);
	return dom;
}

char *rig_dump(struct rig *rig)
{
	char *dump;

	rig->dump = strdup("");
	rig->dump_length = 0;
	ck_assert_ptr_nonnull(rig->dump);
	ck_assert_int_eq(iommuabs_dump(rig->lib, IOMMUABS_DUMP_ALL), 0);
	dump = rig->dump;
	rig->dump = NULL;
	return dump;
}

static uint64_t dma_write(struct rig *rig, uint32_t sid, uint64_t gfn,
			  uint64_t word, uint32_t flags)
{
	struct iommuabs_sim_dma dma = {
		.sid = sid,
		.flags = IOMMUABS_SIM_DMA_WRITE | flags,
		.addr = gfn << 12,
		.len = sizeof(word),
		.data = &word,
	};

	return iommuabs_sim_dma(rig->sim, &dma) ? dma.maddr >> 12 : UINT64_MAX;
}

uint64_t rig_write(struct rig *rig, uint32_t sid, uint64_t gfn)
{
	return dma_write(rig, sid, gfn, gfn, 0);
}

uint64_t rig_post(struct rig *rig, uint32_t sid, uint64_t gfn, uint64_t word)
{
	return dma_write(rig, sid, gfn, word, IOMMUABS_SIM_DMA_POSTED);
}
