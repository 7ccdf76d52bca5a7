/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_enforce.c - the whole library on the models as adversaries
 *
 * The model tries DMA at every register access and every store, through anything
 * that a unit may hold at that moment; each outcome must be what the domain maps
 * before or after the call that runs.
 */
#include <iommuabs/iommuabs.h>
#include <iommuabs/sim.h>

#include <stdlib.h>
#include <string.h>

#include "core/change.h"
#include "harness.h"
#include "test_host.h"
#include "test_rig.h"
#include "test_sanitizers.h"

#define RW	(IOMMUABS_READ | IOMMUABS_WRITE)
#define GFNS	2048
#define DOMAINS 2
#define PROBES	6
#define NOTHING UINT64_MAX

/* Longer than a driver waits, shorter than it waits twice. */
#define HANG_US 150000

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

static struct rig rig;
/* A leaf of 2 MiB that is taken apart may fault for a moment (BBML 0). */
static bool splits_fault;
static enum iommuabs_max_leaf guest_max_leaf;
static struct guest guests[DOMAINS];

static int guest_make(struct guest *guest, uint32_t sid)
{
	const struct iommuabs_domain_config config = {
		.size = sizeof(config),
		.input_bits = 40,
		.max_leaf = guest_max_leaf,
	};
	unsigned int g;
	int ret = rig_device(&rig, sid, &guest->dev);

	for (g = 0; g < GFNS; g++)
		guest->mfn[g] = NOTHING;
	guest->sid = sid;
	guest->attached = 0;
	if (!ret)
		ret = iommuabs_domain_create(rig.lib, &config, &guest->dom);
	return ret;
}

/* What a write of the guest's device at @gfn reaches, by the oracle. */
static uint64_t outcome(const struct guest *guest, uint64_t gfn)
{
	if (!guest->attached || guest->mfn[gfn] == NOTHING ||
	    !(guest->flags[gfn] & IOMMUABS_WRITE))
		return IOMMUABS_SIM_BLOCKED;
	return guest->mfn[gfn] << 12;
}

/* Is @at in a leaf that a change of [@gfn, @gfn + @nr) may cut? */
static bool may_be_cut(uint64_t at, uint64_t gfn, uint64_t nr)
{
	return splits_fault &&
	       (at / 512 == gfn / 512 || at / 512 == (gfn + nr - 1) / 512);
}

/* The probes of [@gfn, @gfn + @nr) may also see @other and a fault. */
static void probes_loosen(struct guest *guest, uint64_t gfn, uint64_t nr,
			  uint64_t first_mfn)
{
	uint64_t allowed[3], at;
	unsigned int p;

	for (p = 0; p < PROBES; p++) {
		at = guest->probe_gfn[p];
		if (at < gfn || at >= gfn + nr) {
			allowed[0] = outcome(guest, at);
			allowed[1] = IOMMUABS_SIM_BLOCKED;
			if (may_be_cut(at, gfn, nr))
				iommuabs_sim_probe_allow(guest->probe[p],
							 allowed, 2);
			continue;
		}
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
	rig_no_violation(&rig);
}

static void probes_make(struct guest *guest, uint64_t *seed)
{
	unsigned int p;

	for (p = 0; p < PROBES; p++) {
		guest->probe_gfn[p] = test_random_below(seed, GFNS);
		guest->probe[p] = iommuabs_sim_probe_add(
			rig.sim, guest->sid, guest->probe_gfn[p] << 12,
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
	const unsigned int half = RIG_BLOCKS * 512 / DOMAINS;
	uint32_t flags = test_random_below(seed, 3) ? RW : IOMMUABS_READ;
	int ret;

	nr = pick_nr(seed, &gfn);
	n = (uint64_t)(guest - guests) * half +
	    test_random_below(seed, half - nr + 1);
	if (nr == 512)
		n &= ~(uint64_t)511;
	else if (n >= 16 && test_random_below(seed, 2))
		n -= (n - gfn) % 16; /* there may be a group in it */
	probes_loosen(guest, gfn, nr, rig_frame(&rig, n));
	ret = iommuabs_domain_map(guest->dom, IOMMUABS_GFN(gfn),
				  IOMMUABS_MFN(rig_frame(&rig, n)),
				  nr <= 512 - n % 512 ? nr : 512 - n % 512,
				  flags | IOMMUABS_REPLACE, NULL);
	ck_assert_int_eq(ret, 0);
	nr = nr <= 512 - n % 512 ? nr : 512 - n % 512;
	for (i = 0; i < nr; i++) {
		guest->mfn[gfn + i] = rig_frame(&rig, n) + i;
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
	if (rig_attach(guest->dev, guest->dom) == 0) {
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
	ck_assert_int_eq(iommuabs_sim_dma(rig.sim, &dma),
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
	rig_end(&rig);
}

START_TEST(no_dma_ever_sees_anything_but_old_or_new)
{
	enum rig_kind kind = (enum rig_kind)(_i % RIG_KINDS);
	uint64_t seed = 0x5eed + (uint64_t)_i;
	struct guest *guest;
	unsigned int d, i;
	bool bbml0;

	if (!rig_possible(kind))
		harness_skip("the driver for this unit is not built in");
	/* Every second time without leaves that could be taken apart. */
	bbml0 = kind == RIG_BBML0 || kind == RIG_STAGE1_BBML0;
	guest_max_leaf = bbml0 && _i / RIG_KINDS % 2 ? IOMMUABS_LEAF_4K
						     : IOMMUABS_LEAF_ANY;
	splits_fault = bbml0 && guest_max_leaf == IOMMUABS_LEAF_ANY;
	rig_machine(&rig, kind);
	ck_assert_int_eq(rig_library(&rig), 0);
	for (d = 0; d < DOMAINS; d++)
		ck_assert_int_eq(guest_make(&guests[d], 8 + 8 * d), 0);
	ck_assert_int_eq(iommuabs_start(rig.lib), 0);
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
		ck_assert_int_eq(iommuabs_faults_poll(rig.lib, 0, NULL), 0);
	}
	guests_delete();
}
END_TEST

/* A block of 2 MiB that was cut, and is whole again; and an empty table. */
static void block_cut_and_mended(struct guest *guest)
{
	const uint64_t mfn = rig_frame(&rig, 512);

	ck_assert_int_eq(iommuabs_domain_map(guest->dom, IOMMUABS_GFN(512),
					     IOMMUABS_MFN(mfn), 512, RW, NULL),
			 0);
	ck_assert_int_eq(
		iommuabs_domain_unmap(guest->dom, IOMMUABS_GFN(515), 1, NULL),
		0);
	ck_assert_int_eq(iommuabs_domain_map(guest->dom, IOMMUABS_GFN(515),
					     IOMMUABS_MFN(mfn + 3), 1, RW,
					     NULL),
			 0);
	ck_assert_int_eq(iommuabs_domain_map(guest->dom, IOMMUABS_GFN(1024),
					     IOMMUABS_MFN(rig_frame(&rig, 0)),
					     1, RW, NULL),
			 0);
	ck_assert_int_eq(
		iommuabs_domain_unmap(guest->dom, IOMMUABS_GFN(1024), 1, NULL),
		0);
}

/* Each of its pages may be looked up at any moment: it is there. */
static void block_is_probed(struct guest *guest)
{
	static const uint64_t pages[PROBES] = { 0, 2, 3, 16, 300, 511 };
	unsigned int p;

	for (p = 0; p < PROBES; p++) {
		guest->probe_gfn[p] = 512 + pages[p];
		guest->mfn[512 + pages[p]] = rig_frame(&rig, 512 + pages[p]);
		guest->flags[512 + pages[p]] = RW;
		guest->probe[p] = iommuabs_sim_probe_add(
			rig.sim, guest->sid, guest->probe_gfn[p] << 12,
			IOMMUABS_SIM_DMA_WRITE);
		ck_assert_ptr_nonnull(guest->probe[p]);
	}
	guest->attached = 1;
	probes_tighten(guest);
}

static void merging_new(struct guest *guest, enum rig_kind kind)
{
	guest_max_leaf = IOMMUABS_LEAF_ANY;
	memset(guest, 0, sizeof(*guest));
	rig_new(&rig, kind);
	ck_assert_int_eq(guest_make(guest, 8), 0);
	ck_assert_int_eq(rig_attach(guest->dev, guest->dom), 0);
	block_cut_and_mended(guest);
	block_is_probed(guest);
}

static void merging_end(struct guest *guest)
{
	unsigned int p;

	for (p = 0; p < PROBES; p++)
		iommuabs_sim_probe_remove(guest->probe[p]);
	ck_assert_int_eq(iommuabs_device_detach(guest->dev, 0), 0);
	ck_assert_int_eq(iommuabs_domain_destroy(guest->dom, 0), 0);
	rig_end(&rig);
}

/* In steps, with every outcome but the mapped one forbidden at each of them. */
START_TEST(no_dma_notices_that_leaves_are_merged)
{
	bool breaks = _i == RIG_BBML0 || _i == RIG_STAGE1_BBML0;
	struct guest *guest = &guests[0];
	struct view *mirror;
	struct pt_leaf leaf;
	unsigned int steps = 0;
	int ret;

	if (!rig_possible((enum rig_kind)_i))
		harness_skip("the driver for this unit is not built in");
	merging_new(guest, (enum rig_kind)_i);
	mirror = guest->dom->views;
	do {
		ret = iommuabs_domain_compact(guest->dom, 50);
		probes_tighten(guest);
		steps++;
	} while (ret == IOMMUABS_E_AGAIN);
	ck_assert_int_eq(ret, 0);
	ck_assert_uint_gt(steps, 10);
	ck_assert(mirror->pt.ops->lookup(&mirror->pt, 600, &leaf));
	ck_assert_uint_eq(leaf.level, !breaks);
	ck_assert(!mirror->pt.ops->lookup(&mirror->pt, 1024, &leaf));
	ck_assert_uint_eq(leaf.level, 1);
	ck_assert(guest->dom->ledger.ops->lookup(&guest->dom->ledger, 600,
						 &leaf));
	ck_assert_uint_eq(leaf.level, 1);
	ck_assert(!guest->dom->ledger.ops->lookup(&guest->dom->ledger, 1024,
						  &leaf));
	ck_assert_uint_eq(leaf.level, 1);
	/* It can be cut again. */
	splits_fault = breaks;
	probes_loosen(guest, 520, 1, NOTHING);
	ck_assert_int_eq(
		iommuabs_domain_unmap(guest->dom, IOMMUABS_GFN(520), 1, NULL),
		0);
	probes_tighten(guest);
	merging_end(guest);
}
END_TEST

/* Nothing is freed that it may walk; what it can't consent to is passed over. */
START_TEST(a_unit_that_does_not_forget_a_table_keeps_it)
{
	struct guest *guest = &guests[0];
	uint64_t before;
	unsigned int p;

	COVERS(iommuabs_domain_compact, E_TIMEOUT);
	merging_new(guest, _i ? RIG_BBML1 : RIG_QEMU);
	for (p = 0; p < PROBES; p++)
		iommuabs_sim_probe_any(guest->probe[p]);
	before = iommuabs_sim_pages_used(rig.arena);
	iommuabs_sim_plant(rig.sim, IOMMUABS_SIM_WAIT_HANG, 1, HANG_US);
	ck_assert_int_eq(iommuabs_domain_compact(guest->dom, 0),
			 IOMMUABS_E_TIMEOUT);
	ck_assert_int_eq(iommuabs_domain_compact(guest->dom, 0), 0);
	iommuabs_sim_heal(rig.sim);
	ck_assert_int_eq(iommuabs_unit_recover(rig.unit, 0), 0);
	probes_tighten(guest);
	ck_assert_int_eq(iommuabs_domain_compact(guest->dom, 0), 0);
	probes_tighten(guest);
	ck_assert_uint_lt(iommuabs_sim_pages_used(rig.arena), before);
	merging_end(guest);
}
END_TEST

/* Without a record that could remember them no table of a mirror is unlinked. */
START_TEST(merging_waits_for_its_record)
{
	struct guest *guest = &guests[0];
	struct tablemem *mem;
	void *objects[4096];
	unsigned int nr = 0;

	COVERS(iommuabs_domain_compact, E_NOMEM);
	merging_new(guest, RIG_QEMU);
	mem = &rig.lib->mem;
	while (nr < 4096) {
		iommuabs_sim_alloc_fail(rig.arena, 1);
		objects[nr] =
			tablemem_object_alloc(mem, sizeof(struct quarantine));
		if (!objects[nr])
			break;
		nr++;
	}
	ck_assert_uint_lt(nr, 4096);
	iommuabs_sim_alloc_fail(rig.arena, 1);
	ck_assert_int_eq(iommuabs_domain_compact(guest->dom, 0),
			 IOMMUABS_E_NOMEM);
	iommuabs_sim_alloc_fail(rig.arena, 0);
	while (nr)
		tablemem_object_free(mem, objects[--nr],
				     sizeof(struct quarantine));
	ck_assert_int_eq(iommuabs_domain_compact(guest->dom, 0), 0);
	probes_tighten(guest);
	merging_end(guest);
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

	ck_assert_int_eq(iommuabs_sim_dma(rig.sim, &dma), 0);
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
				       IOMMUABS_MFN(rig_frame(&rig, 0)), 512,
				       RW, NULL))) {
		tried(iommuabs_domain_unmap(guest->dom, IOMMUABS_GFN(515), 2,
					    NULL));
		must_be_blocked(guest, 515);
		must_be_blocked(guest, 516);
		tried(iommuabs_domain_protect(guest->dom, IOMMUABS_GFN(600), 1,
					      IOMMUABS_READ, NULL));
		must_be_blocked(guest, 600);
	}
	tried(iommuabs_domain_map(guest->dom, IOMMUABS_GFN(700),
				  IOMMUABS_MFN(rig_frame(&rig, 1024)), 1,
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
	if (tried(rig_library(&rig)))
		return;
	if (tried(guest_make(guest, 8)))
		return;
	tried(iommuabs_domain_map(guest->dom, IOMMUABS_GFN(3),
				  IOMMUABS_MFN(rig_frame(&rig, 520)), 9, RW,
				  NULL));
	ck_assert_int_eq(iommuabs_start(rig.lib), 0);
	must_be_blocked(guest, 3);
	tried(rig_attach(guest->dev, guest->dom));
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

	if (!rig.lib)
		return;
	if (guest->dom) {
		ck_assert_int_eq(iommuabs_unit_recover(rig.unit, 0), 0);
		ck_assert_int_eq(
			iommuabs_domain_map(guest->dom, IOMMUABS_GFN(3),
					    IOMMUABS_MFN(rig_frame(&rig, 520)),
					    9, RW, NULL),
			0);
		ck_assert_int_eq(rig_attach(guest->dev, guest->dom), 0);
		ck_assert_int_eq(iommuabs_sim_dma(rig.sim, &dma), 1);
		ck_assert_uint_eq(dma.maddr, rig_frame(&rig, 520) << 12);
		ck_assert_int_eq(iommuabs_device_detach(guest->dev, 0), 0);
		ck_assert_int_eq(iommuabs_domain_destroy(guest->dom, 0), 0);
		ck_assert_int_eq(iommuabs_stop(rig.lib), 0);
	}
	ck_assert_int_eq(iommuabs_destroy(rig.lib), 0);
}

/* Not the same way for each: with commands, with registers only, by PASID. */
static const enum rig_kind lives[] = { RIG_QEMU, RIG_VTD, RIG_VTD_SCALABLE,
				       RIG_VTD_REGISTERS };

/* One life with one injected failure; how many places there were to fail. */
static uint64_t life_with(enum rig_kind kind, uint64_t wait,
			  uint64_t allocation)
{
	struct guest *guest = &guests[0];
	struct iommuabs_sim_counters counters;
	uint64_t allocations;

	memset(guest, 0, sizeof(*guest));
	rig_machine(&rig, kind);
	allocations = iommuabs_sim_alloc_count(rig.arena);
	if (wait)
		iommuabs_sim_plant(rig.sim, IOMMUABS_SIM_WAIT_HANG, wait,
				   HANG_US);
	if (allocation)
		iommuabs_sim_alloc_fail(rig.arena, allocation);
	life(guest);
	iommuabs_sim_heal(rig.sim);
	iommuabs_sim_alloc_fail(rig.arena, 0);
	iommuabs_sim_counters(rig.sim, &counters);
	allocations = iommuabs_sim_alloc_count(rig.arena) - allocations;
	life_end(guest);
	rig_delete(&rig);
	return wait ? counters.waits : allocations;
}

START_TEST(every_wait_that_hangs_once_is_survived)
{
	uint64_t waits = 1, k;

	if (!rig_possible(lives[_i]))
		harness_skip("the driver for this unit is not built in");
	/* Counted with a fault that never comes. */
	waits = life_with(lives[_i], UINT64_MAX, 0);
	ck_assert_uint_gt(waits, 10);
	for (k = 1; k <= waits; k += TEST_STEP)
		life_with(lives[_i], k, 0);
}
END_TEST

START_TEST(every_allocation_that_fails_once_is_survived)
{
	uint64_t allocations, k;

	if (!rig_possible(lives[_i]))
		harness_skip("the driver for this unit is not built in");
	allocations = life_with(lives[_i], 0, 0);
	ck_assert_uint_gt(allocations, 10);
	for (k = 1; k <= allocations; k += TEST_STEP)
		life_with(lives[_i], 0, k);
}
END_TEST

static void add_tests(Suite *s)
{
	TCase *tcase = tcase_create("adversary");

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, no_dma_ever_sees_anything_but_old_or_new, 0,
			    3 * RIG_KINDS);
	tcase_add_loop_test(tcase, no_dma_notices_that_leaves_are_merged, 0,
			    RIG_KINDS);
	if (rig_possible(RIG_QEMU)) {
		tcase_add_loop_test(
			tcase, a_unit_that_does_not_forget_a_table_keeps_it, 0,
			2);
		tcase_add_test(tcase, merging_waits_for_its_record);
	}
	tcase_add_loop_test(tcase, every_wait_that_hangs_once_is_survived, 0,
			    4);
	tcase_add_loop_test(tcase, every_allocation_that_fails_once_is_survived,
			    0, 4);
	suite_add_tcase(s, tcase);
}

static Suite *suite(void)
{
	Suite *s = suite_create("enforce");

	add_tests(s);
	return s;
}

HARNESS_MAIN(suite)
