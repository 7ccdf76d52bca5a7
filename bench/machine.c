/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine.c - the host that the benchmarks play: table memory, one device
 *
 * Table memory is faulted in before, one arena for each thread, and comes from a
 * last-in-first-out list, made anew with each instance. It isn't zeroed here: what a table must hold, the
 * library writes itself, when it makes one and so within the measured time.
 */
#include "bench.h"

#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define PAGE	   4096u
#define ARENA_BASE ((uintptr_t)0x20000000000u)
#define ARENA_SIZE ((size_t)8 << 30)
#define FAULTED_IN ((size_t)224 << 20)
#define ARENAS	   2

struct arena {
	char *free_list; /* first word of a free page: the next one */
	char *fresh;	 /* never handed out from here on */
};

static struct arena arenas[ARENAS];
static __thread struct arena *arena = &arenas[0];
static uint64_t instance_bytes;

static struct iommuabs *abs_;
static struct iommuabs_device *dev;

static void push(struct arena *to, char *page)
{
	memcpy(page, &to->free_list, sizeof(to->free_list));
	to->free_list = page;
}

/* Several pages at once: rare, for large roots only. */
static char *take_large(size_t size)
{
	char *memory;

	while ((uintptr_t)arena->fresh % size) {
		push(arena, arena->fresh);
		arena->fresh += PAGE;
	}
	memory = arena->fresh;
	arena->fresh += size;
	return memory;
}

static char *take_page(void)
{
	char *page = arena->free_list;

	if (page)
		memcpy(&arena->free_list, page, sizeof(arena->free_list));
	else
		page = take_large(PAGE);
	return page;
}

static int table_alloc(void *ctx, void *dom_cookie, unsigned int size_lg2,
		       uint32_t flags, uint64_t *maddr)
{
	size_t size = (size_t)1 << size_lg2;

	(void)ctx;
	(void)flags;
	*maddr = (uintptr_t)(size == PAGE ? take_page() : take_large(size));
	if (!dom_cookie)
		instance_bytes += size;
	return 0;
}

static void table_free(void *ctx, void *dom_cookie, uint64_t maddr,
		       unsigned int size_lg2)
{
	struct arena *owner = &arenas[(maddr - ARENA_BASE) / ARENA_SIZE];
	size_t size = (size_t)1 << size_lg2, at;

	(void)ctx;
	for (at = 0; at < size; at += PAGE)
		push(owner, (char *)(uintptr_t)maddr + at);
	if (!dom_cookie)
		instance_bytes -= size;
}

static void tables_free(void *ctx, void *dom_cookie, const uint64_t *maddrs,
			unsigned int nr, unsigned int size_lg2)
{
	struct arena *owner;
	unsigned int i;

	(void)ctx;
	check(size_lg2 == 12, "the units' tables are pages");
	for (i = 0; i < nr; i++) {
		owner = &arenas[(maddrs[i] - ARENA_BASE) / ARENA_SIZE];
		push(owner, (char *)(uintptr_t)maddrs[i]);
	}
	if (!dom_cookie)
		instance_bytes -= (uint64_t)nr * PAGE;
}

static uint64_t time_us(void *ctx)
{
	struct timespec t;

	(void)ctx;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static char *arena_base(unsigned int nr)
{
	return (char *)ARENA_BASE + nr * ARENA_SIZE;
}

static void arenas_make(void)
{
	void *at = (void *)ARENA_BASE;
	unsigned int i;

	if (arenas[0].fresh)
		return;
	check(mmap(at, ARENAS * ARENA_SIZE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
			   MAP_FIXED_NOREPLACE,
		   -1, 0) == at,
	      "the fixed address for tables is taken");
	madvise(at, ARENAS * ARENA_SIZE, MADV_HUGEPAGE);
	for (i = 0; i < ARENAS; i++)
		memset(arena_base(i), 0, FAULTED_IN);
}

/* An instance finds memory as it was at first, whatever ran before: all is free,
 * in the order of addresses. */
static void arenas_reset(void)
{
	unsigned int i;

	for (i = 0; i < ARENAS; i++) {
		arenas[i].free_list = NULL;
		arenas[i].fresh = arena_base(i);
	}
}

void machine_bind(unsigned int thread)
{
	arena = &arenas[thread];
}

void machine_start(void)
{
	const struct iommuabs_range tables = {
		{ ARENA_BASE >> IOMMUABS_FRAME_LG2 },
		ARENAS * ARENA_SIZE >> IOMMUABS_FRAME_LG2,
	};
	const struct iommuabs_host host = { .size = sizeof(host),
					    .table_alloc = table_alloc,
					    .table_free = table_free,
					    .table_ranges = &tables,
					    .nr_table_ranges = 1,
					    .tables_free = tables_free,
					    .time_us = time_us };
	const struct iommuabs_unit_desc unit = { .size = sizeof(unit),
						 .type = IOMMUABS_UNIT_NULL };
	struct iommuabs_stream_range stream = { .first = 1, .nr = 1 };
	const struct iommuabs_device_desc desc = { .size = sizeof(desc),
						   .streams = &stream,
						   .nr_streams = 1 };

	arenas_make();
	arenas_reset();
	must(iommuabs_create(&host, NULL, &abs_), "create");
	must(iommuabs_unit_add(abs_, &unit, &stream.unit), "unit_add");
	must(iommuabs_device_add(abs_, &desc, &dev), "device_add");
	must(iommuabs_start(abs_), "start");
}

void machine_stop(void)
{
	must(iommuabs_stop(abs_), "stop");
	must(iommuabs_destroy(abs_), "destroy");
}

struct iommuabs_domain *machine_domain(const struct bench_domain *want)
{
	const struct iommuabs_domain_config config = {
		.size = sizeof(config),
		.flags = want->flags,
		.strategy = IOMMUABS_STRATEGY_MIRROR,
		.max_leaf = want->max_leaf,
		.callers = want->callers,
		.cookie = &dev,
	};
	struct iommuabs_domain *dom;

	must(iommuabs_domain_create(abs_, &config, &dom), "domain_create");
	if (want->attach)
		must(iommuabs_device_attach(dev, dom, NULL, 0), "attach");
	return dom;
}

void machine_domain_gone(struct iommuabs_domain *dom)
{
	must(iommuabs_device_detach(dev, 0), "detach");
	must(iommuabs_domain_destroy(dom, 0), "domain_destroy");
}

void machine_check(struct iommuabs_domain *dom, uint64_t gfn, uint64_t mfn)
{
	struct iommuabs_explanation why = { .size = sizeof(why) };
	iommuabs_mfn_t found;

	must(iommuabs_domain_translate(dom, IOMMUABS_GFN(gfn), &found, NULL),
	     "translate");
	check(found.frame == mfn, "a translation is wrong");
	must(iommuabs_device_explain(dev, IOMMUABS_GFN(gfn), IOMMUABS_READ,
				     &why),
	     "explain");
	check(why.obstacle == IOMMUABS_OBSTACLE_NONE && why.mfn.frame == mfn,
	      "the device doesn't see the frame");
}

void machine_check_gone(struct iommuabs_domain *dom, uint64_t gfn)
{
	struct iommuabs_explanation why = { .size = sizeof(why) };
	iommuabs_mfn_t found;

	check(iommuabs_domain_translate(dom, IOMMUABS_GFN(gfn), &found, NULL) ==
		      IOMMUABS_E_NOENT,
	      "there is a translation after the unmap");
	must(iommuabs_device_explain(dev, IOMMUABS_GFN(gfn), IOMMUABS_READ,
				     &why),
	     "explain");
	check(why.obstacle == IOMMUABS_OBSTACLE_NOT_MAPPED,
	      "the device sees the frame after the unmap");
}

uint64_t machine_instance_bytes(void)
{
	return instance_bytes;
}
