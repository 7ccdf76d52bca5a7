/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_enforce.c - the whole library on the SMMUv3 model as an adversary
 *
 * The model tries DMA at every register access and every store, through anything
 * that a unit may hold at that moment; each outcome must be what the domain maps
 * before or after the call that runs.
 */
#include <iommuabs/iommuabs.h>
#include <iommuabs/sim.h>

#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "pgtable/pgtable.h"
#include "test_host.h"

#define RAM_BASE   ((uint64_t)0x100000000)
#define RAM_LENGTH ((uint64_t)64 << 20)
#define UNIT_BASE  ((uint64_t)0x9050000)

#define RW	(IOMMUABS_READ | IOMMUABS_WRITE)
#define GFNS	2048
#define BLOCKS	4 /* of 512 frames that guests get */
#define DOMAINS 2
#define PROBES	6
#define NOTHING UINT64_MAX

/* Longer than a driver waits, shorter than it waits twice. */
#define HANG_US 150000

/* Kinds of units. */
enum kind {
	KIND_QEMU,
	KIND_NONCOHERENT,
	KIND_NO_RANGES,
	KIND_BBML0,
	KIND_LINEAR,
	KIND_COUNT,
};

struct guest {
	struct iommuabs_domain *dom;
	struct iommuabs_device *dev;
	uint32_t sid;
	uint32_t attached;
	uint64_t mfn[GFNS]; /* NOTHING, or the frame */
	uint32_t flags[GFNS];
	struct iommuabs_sim_probe *probe[PROBES];
	uint64_t probe_gfn[PROBES];
};

static struct iommuabs_sim_arena *arena;
static struct iommuabs_sim_unit *sim;
static struct iommuabs *lib;
static struct iommuabs_unit *unit;
static struct guest guests[DOMAINS];
static uint64_t blocks[BLOCKS];
static unsigned int faults;

static int table_alloc(void *ctx, void *cookie, unsigned int size_lg2,
		       uint32_t flags, uint64_t *maddr)
{
	(void)cookie;
	(void)flags;
	return iommuabs_sim_alloc(ctx, size_lg2, maddr) ? IOMMUABS_E_NOMEM : 0;
}

static void table_free(void *ctx, void *cookie, uint64_t maddr,
		       unsigned int size_lg2)
{
	(void)cookie;
	iommuabs_sim_free(ctx, maddr, size_lg2);
}

static uint64_t mmio_read(void *ctx, uint64_t addr, unsigned int width)
{
	return iommuabs_sim_mmio_read(ctx, addr, width);
}

static void mmio_write(void *ctx, uint64_t addr, unsigned int width,
		       uint64_t value)
{
	iommuabs_sim_mmio_write(ctx, addr, width, value);
}

static void cache_clean(void *ctx, const void *p, size_t size)
{
	(void)ctx;
	iommuabs_sim_cache_clean(p, size);
}

static uint64_t time_us(void *ctx)
{
	return iommuabs_sim_time_us(ctx);
}

static void fault(void *ctx, const struct iommuabs_fault *event)
{
	(void)ctx;
	(void)event;
	faults++;
}

static void machine_make(enum kind kind)
{
	const struct iommuabs_sim_arena_config ram = {
		.mode = IOMMUABS_SIM_ADVERSARY,
		.base = RAM_BASE,
		.length = RAM_LENGTH,
		.seed = 7,
		.noncoherent = kind == KIND_NONCOHERENT,
	};
	struct iommuabs_sim_smmuv3_config config;

	iommuabs_sim_smmuv3_defaults(&config);
	config.base = UNIT_BASE;
	config.cohacc = kind != KIND_NONCOHERENT;
	config.ril = kind != KIND_NO_RANGES;
	config.bbml = kind == KIND_BBML0 ? 0 : 2;
	if (kind == KIND_LINEAR) {
		config.st_level = 0;
		config.sidsize = 6;
	}
	ck_assert_int_eq(iommuabs_sim_arena_create(&ram, &arena), 0);
	ck_assert_int_eq(iommuabs_sim_smmuv3_create(arena, &config, &sim), 0);
}

static int library_make(void)
{
	const struct iommuabs_range range = {
		.mfn = IOMMUABS_MFN(RAM_BASE >> 12),
		.nr = RAM_LENGTH >> 12,
	};
	const struct iommuabs_host host = {
		.size = sizeof(host),
		.table_alloc = table_alloc,
		.table_free = table_free,
		.table_ranges = &range,
		.nr_table_ranges = 1,
		.table_offset = iommuabs_sim_offset(arena),
		.mmio_read = mmio_read,
		.mmio_write = mmio_write,
		.cache_clean = cache_clean,
		.time_us = time_us,
		.fault = fault,
	};
	const struct iommuabs_unit_desc desc = {
		.size = sizeof(desc),
		.type = IOMMUABS_UNIT_SMMUV3,
		.base = UNIT_BASE,
		.name = "smmu",
	};
	int ret = iommuabs_create(&host, arena, &lib);

	if (ret) {
		lib = NULL;
		return ret;
	}
	return iommuabs_unit_add(lib, &desc, &unit);
}

static int device_make(struct guest *guest, uint32_t sid)
{
	const struct iommuabs_stream_range stream = {
		.unit = unit,
		.first = sid,
		.nr = 1,
	};
	const struct iommuabs_device_desc desc = {
		.size = sizeof(desc),
		.streams = &stream,
		.nr_streams = 1,
	};

	guest->sid = sid;
	return iommuabs_device_add(lib, &desc, &guest->dev);
}

static int guest_make(struct guest *guest, uint32_t sid)
{
	const struct iommuabs_domain_config config = {
		.size = sizeof(config),
		.input_bits = 40,
	};
	unsigned int g;
	int ret = device_make(guest, sid);

	for (g = 0; g < GFNS; g++)
		guest->mfn[g] = NOTHING;
	guest->attached = 0;
	if (!ret)
		ret = iommuabs_domain_create(lib, &config, &guest->dom);
	return ret;
}

static void blocks_take(void)
{
	unsigned int b;

	for (b = 0; b < BLOCKS; b++)
		ck_assert_int_eq(iommuabs_sim_alloc(arena, 21, &blocks[b]), 0);
}

static void blocks_give(void)
{
	unsigned int b;

	for (b = 0; b < BLOCKS; b++)
		iommuabs_sim_free(arena, blocks[b], 21);
}

static void expect_no_violation(void)
{
	ck_assert_msg(!iommuabs_sim_violations(arena), "%s",
		      iommuabs_sim_violation_text(arena, 0));
}

static uint64_t frame_of(uint64_t n)
{
	return (blocks[n / 512] >> 12) + n % 512;
}

/* What a write of the guest's device at @gfn reaches, by the oracle. */
static uint64_t outcome(const struct guest *guest, uint64_t gfn)
{
	if (!guest->attached || guest->mfn[gfn] == NOTHING ||
	    !(guest->flags[gfn] & IOMMUABS_WRITE))
		return IOMMUABS_SIM_BLOCKED;
	return guest->mfn[gfn] << 12;
}

/* The probes of [@gfn, @gfn + @nr) may also see @other and a fault. */
static void probes_loosen(struct guest *guest, uint64_t gfn, uint64_t nr,
			  uint64_t first_mfn)
{
	uint64_t allowed[3], at;
	unsigned int p;

	for (p = 0; p < PROBES; p++) {
		at = guest->probe_gfn[p];
		if (at < gfn || at >= gfn + nr)
			continue;
		allowed[0] = outcome(guest, at);
		allowed[1] = IOMMUABS_SIM_BLOCKED;
		allowed[2] = first_mfn == NOTHING
				     ? IOMMUABS_SIM_BLOCKED
				     : (first_mfn + (at - gfn)) << 12;
		iommuabs_sim_probe_allow(guest->probe[p], allowed, 3);
	}
}

/* After a call only one outcome is left. */
static void probes_tighten(struct guest *guest)
{
	uint64_t allowed;
	unsigned int p;

	for (p = 0; p < PROBES; p++) {
		allowed = outcome(guest, guest->probe_gfn[p]);
		ck_assert_uint_eq(
			iommuabs_sim_probe_allow(guest->probe[p], &allowed, 1),
			0);
	}
	expect_no_violation();
}

static void probes_make(struct guest *guest, uint64_t *seed)
{
	unsigned int p;

	for (p = 0; p < PROBES; p++) {
		guest->probe_gfn[p] = test_random_below(seed, GFNS);
		guest->probe[p] = iommuabs_sim_probe_add(
			sim, guest->sid, guest->probe_gfn[p] << 12,
			IOMMUABS_SIM_DMA_WRITE);
		ck_assert_ptr_nonnull(guest->probe[p]);
	}
	probes_tighten(guest);
}

static uint64_t pick_nr(uint64_t *seed, uint64_t *gfn)
{
	uint64_t nr = 1 + test_random_below(seed, 30);

	if (!test_random_below(seed, 3)) {
		*gfn &= ~(uint64_t)511;
		nr = 512;
	}
	return nr < GFNS - *gfn ? nr : GFNS - *gfn;
}

static void step_map(struct guest *guest, uint64_t *seed)
{
	uint64_t gfn = test_random_below(seed, GFNS), nr, n, i;
	const unsigned int half = BLOCKS * 512 / DOMAINS;
	uint32_t flags = test_random_below(seed, 3) ? RW : IOMMUABS_READ;
	int ret;

	nr = pick_nr(seed, &gfn);
	n = (uint64_t)(guest - guests) * half +
	    test_random_below(seed, half - nr + 1);
	if (nr == 512)
		n &= ~(uint64_t)511;
	probes_loosen(guest, gfn, nr, frame_of(n));
	ret = iommuabs_domain_map(guest->dom, IOMMUABS_GFN(gfn),
				  IOMMUABS_MFN(frame_of(n)),
				  nr <= 512 - n % 512 ? nr : 512 - n % 512,
				  flags | IOMMUABS_REPLACE, NULL);
	ck_assert_int_eq(ret, 0);
	nr = nr <= 512 - n % 512 ? nr : 512 - n % 512;
	for (i = 0; i < nr; i++) {
		guest->mfn[gfn + i] = frame_of(n) + i;
		guest->flags[gfn + i] = flags;
	}
}

static void step_unmap(struct guest *guest, uint64_t *seed)
{
	uint64_t gfn = test_random_below(seed, GFNS), nr, i;

	nr = pick_nr(seed, &gfn);
	probes_loosen(guest, gfn, nr, NOTHING);
	ck_assert_int_eq(
		iommuabs_domain_unmap(guest->dom, IOMMUABS_GFN(gfn), nr, NULL),
		0);
	for (i = 0; i < nr; i++)
		guest->mfn[gfn + i] = NOTHING;
}

static void step_batch(struct guest *guest, uint64_t *seed)
{
	uint64_t gfn[4], nr[4], i, j;
	struct iommuabs_batch batch;

	ck_assert_int_eq(iommuabs_batch_init(&batch, guest->dom), 0);
	for (i = 0; i < 4; i++) {
		gfn[i] = test_random_below(seed, GFNS);
		nr[i] = pick_nr(seed, &gfn[i]);
		probes_loosen(guest, gfn[i], nr[i], NOTHING);
		ck_assert_int_eq(iommuabs_domain_unmap(guest->dom,
						       IOMMUABS_GFN(gfn[i]),
						       nr[i], &batch),
				 0);
	}
	ck_assert_int_eq(iommuabs_batch_done(&batch), 0);
	for (i = 0; i < 4; i++)
		for (j = 0; j < nr[i]; j++)
			guest->mfn[gfn[i] + j] = NOTHING;
}

static void step_protect(struct guest *guest, uint64_t *seed)
{
	uint64_t gfn = test_random_below(seed, GFNS);
	uint32_t flags = test_random_below(seed, 2) ? RW : IOMMUABS_READ;
	int want = guest->mfn[gfn] == NOTHING ? IOMMUABS_E_NOENT : 0;

	probes_loosen(guest, gfn, 1, guest->mfn[gfn]);
	ck_assert_int_eq(iommuabs_domain_protect(guest->dom, IOMMUABS_GFN(gfn),
						 1, flags, NULL),
			 want);
	if (!want)
		guest->flags[gfn] = flags;
}

static void step_device(struct guest *guest)
{
	unsigned int p;

	for (p = 0; p < PROBES; p++) {
		guest->attached = 1;
		probes_loosen(guest, guest->probe_gfn[p], 1, NOTHING);
	}
	guest->attached = 0;
	if (iommuabs_device_attach(guest->dev, guest->dom, NULL, 0) == 0) {
		guest->attached = 1;
		return;
	}
	ck_assert_int_eq(iommuabs_device_detach(guest->dev, 0), 0);
}

/* Explicit DMA with data, as a second look. */
static void look(struct guest *guest, uint64_t *seed)
{
	uint64_t gfn = test_random_below(seed, GFNS), word = gfn, want;
	struct iommuabs_sim_dma dma = {
		.sid = guest->sid,
		.flags = IOMMUABS_SIM_DMA_WRITE,
		.addr = gfn << 12,
		.len = sizeof(word),
		.data = &word,
	};

	want = outcome(guest, gfn);
	ck_assert_int_eq(iommuabs_sim_dma(sim, &dma),
			 want != IOMMUABS_SIM_BLOCKED);
	if (want != IOMMUABS_SIM_BLOCKED)
		ck_assert_uint_eq(dma.maddr, want);
}

static void guests_delete(void)
{
	unsigned int d, p;

	for (d = 0; d < DOMAINS; d++) {
		for (p = 0; p < PROBES; p++)
			iommuabs_sim_probe_remove(guests[d].probe[p]);
		ck_assert_int_eq(iommuabs_device_detach(guests[d].dev, 0), 0);
		ck_assert_int_eq(iommuabs_domain_destroy(guests[d].dom, 0), 0);
	}
	ck_assert_int_eq(iommuabs_stop(lib), 0);
	ck_assert_int_eq(iommuabs_destroy(lib), 0);
	blocks_give();
	expect_no_violation();
	ck_assert_uint_eq(iommuabs_sim_pages_used(arena), 0);
	iommuabs_sim_arena_destroy(arena);
}

START_TEST(no_dma_ever_sees_anything_but_old_or_new)
{
	enum kind kind = (enum kind)(_i % KIND_COUNT);
	uint64_t seed = 0x5eed + (uint64_t)_i;
	struct guest *guest;
	unsigned int d, i;

	machine_make(kind);
	blocks_take();
	ck_assert_int_eq(library_make(), 0);
	for (d = 0; d < DOMAINS; d++)
		ck_assert_int_eq(guest_make(&guests[d], 8 + 8 * d), 0);
	ck_assert_int_eq(iommuabs_start(lib), 0);
	for (d = 0; d < DOMAINS; d++)
		probes_make(&guests[d], &seed);
	for (i = 0; i < 60; i++) {
		guest = &guests[test_random_below(&seed, DOMAINS)];
		switch (test_random_below(&seed, 8)) {
		case 0:
		case 1:
		case 2:
			step_map(guest, &seed);
			break;
		case 3:
		case 4:
			step_unmap(guest, &seed);
			break;
		case 5:
			step_batch(guest, &seed);
			break;
		case 6:
			step_protect(guest, &seed);
			break;
		default:
			step_device(guest);
		}
		for (d = 0; d < DOMAINS; d++)
			probes_tighten(&guests[d]);
		look(guest, &seed);
		ck_assert_int_eq(iommuabs_faults_poll(lib, 0, NULL), 0);
	}
	guests_delete();
}
END_TEST

/*
 * The life of a guest with a device, from nothing to nothing. Each call may fail
 * in the documented ways; what it took away must be out of reach when it returns.
 */
static void must_be_blocked(struct guest *guest, uint64_t gfn)
{
	struct iommuabs_sim_dma dma = {
		.sid = guest->sid,
		.flags = IOMMUABS_SIM_DMA_WRITE,
		.addr = gfn << 12,
		.len = 8,
	};

	ck_assert_int_eq(iommuabs_sim_dma(sim, &dma), 0);
}

static bool failure_is_documented(int ret)
{
	return ret == IOMMUABS_E_NOMEM || ret == IOMMUABS_E_TIMEOUT ||
	       ret == IOMMUABS_E_FENCED;
}

/* The call's answer; a failure must be one of those above. */
static int tried(int ret)
{
	ck_assert_msg(!ret || failure_is_documented(ret), "answer %d", ret);
	return ret;
}

static void life_take_away(struct guest *guest)
{
	struct iommuabs_batch batch;

	if (!tried(iommuabs_domain_map(guest->dom, IOMMUABS_GFN(512),
				       IOMMUABS_MFN(frame_of(0)), 512, RW,
				       NULL))) {
		tried(iommuabs_domain_unmap(guest->dom, IOMMUABS_GFN(515), 2,
					    NULL));
		must_be_blocked(guest, 515);
		must_be_blocked(guest, 516);
		tried(iommuabs_domain_protect(guest->dom, IOMMUABS_GFN(600), 1,
					      IOMMUABS_READ, NULL));
		must_be_blocked(guest, 600);
	}
	tried(iommuabs_domain_map(guest->dom, IOMMUABS_GFN(700),
				  IOMMUABS_MFN(frame_of(1024)), 1,
				  RW | IOMMUABS_REPLACE, NULL));
	if (tried(iommuabs_batch_init(&batch, guest->dom)))
		return;
	tried(iommuabs_domain_unmap(guest->dom, IOMMUABS_GFN(512), 512,
				    &batch));
	tried(iommuabs_batch_done(&batch));
	must_be_blocked(guest, 800);
}

static void life(struct guest *guest)
{
	if (tried(library_make()))
		return;
	if (tried(guest_make(guest, 8)))
		return;
	tried(iommuabs_domain_map(guest->dom, IOMMUABS_GFN(3),
				  IOMMUABS_MFN(frame_of(520)), 9, RW, NULL));
	ck_assert_int_eq(iommuabs_start(lib), 0);
	must_be_blocked(guest, 3);
	tried(iommuabs_device_attach(guest->dev, guest->dom, NULL, 0));
	life_take_away(guest);
	tried(iommuabs_device_detach(guest->dev, 0));
	must_be_blocked(guest, 3);
}

/* The fault is healed: everything works again, and nothing was lost. */
static void life_end(struct guest *guest)
{
	uint64_t word = 5;
	struct iommuabs_sim_dma dma = {
		.sid = 8,
		.flags = IOMMUABS_SIM_DMA_WRITE,
		.addr = 3 << 12,
		.len = sizeof(word),
		.data = &word,
	};

	if (!lib)
		return;
	if (guest->dom) {
		ck_assert_int_eq(iommuabs_unit_recover(unit, 0), 0);
		ck_assert_int_eq(
			iommuabs_domain_map(guest->dom, IOMMUABS_GFN(3),
					    IOMMUABS_MFN(frame_of(520)), 9, RW,
					    NULL),
			0);
		ck_assert_int_eq(
			iommuabs_device_attach(guest->dev, guest->dom, NULL, 0),
			0);
		ck_assert_int_eq(iommuabs_sim_dma(sim, &dma), 1);
		ck_assert_uint_eq(dma.maddr, frame_of(520) << 12);
		ck_assert_int_eq(iommuabs_device_detach(guest->dev, 0), 0);
		ck_assert_int_eq(iommuabs_domain_destroy(guest->dom, 0), 0);
		ck_assert_int_eq(iommuabs_stop(lib), 0);
	}
	ck_assert_int_eq(iommuabs_destroy(lib), 0);
}

/* One life with one injected failure; how many places there were to fail. */
static uint64_t life_with(uint64_t wait, uint64_t allocation)
{
	struct guest *guest = &guests[0];
	struct iommuabs_sim_counters counters;
	uint64_t allocations;

	memset(guest, 0, sizeof(*guest));
	machine_make(KIND_QEMU);
	blocks_take();
	allocations = iommuabs_sim_alloc_count(arena);
	if (wait)
		iommuabs_sim_plant(sim, IOMMUABS_SIM_WAIT_HANG, wait, HANG_US);
	if (allocation)
		iommuabs_sim_alloc_fail(arena, allocation);
	life(guest);
	iommuabs_sim_heal(sim);
	iommuabs_sim_alloc_fail(arena, 0);
	iommuabs_sim_counters(sim, &counters);
	allocations = iommuabs_sim_alloc_count(arena) - allocations;
	life_end(guest);
	blocks_give();
	expect_no_violation();
	ck_assert_uint_eq(iommuabs_sim_pages_used(arena), 0);
	iommuabs_sim_arena_destroy(arena);
	return wait ? counters.waits : allocations;
}

START_TEST(every_wait_that_hangs_once_is_survived)
{
	uint64_t waits = 1, k;

	/* Counted with a fault that never comes. */
	waits = life_with(UINT64_MAX, 0);
	ck_assert_uint_gt(waits, 10);
	for (k = 1; k <= waits; k++)
		life_with(k, 0);
}
END_TEST

START_TEST(every_allocation_that_fails_once_is_survived)
{
	uint64_t allocations = life_with(0, 0), k;

	ck_assert_uint_gt(allocations, 10);
	for (k = 1; k <= allocations; k++)
		life_with(0, k);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("enforce");
	TCase *tcase = tcase_create("adversary");

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, no_dma_ever_sees_anything_but_old_or_new, 0,
			    3 * KIND_COUNT);
	tcase_add_test(tcase, every_wait_that_hangs_once_is_survived);
	tcase_add_test(tcase, every_allocation_that_fails_once_is_survived);
	suite_add_tcase(s, tcase);
	return s;
}

HARNESS_MAIN(suite)
