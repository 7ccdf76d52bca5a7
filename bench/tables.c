/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tables.c - mapping, unmapping, translating; docs/performance.md lists the rows
 *
 * Each function makes a domain of its own with a device that has a mirror of it,
 * times one or two rows, and looks at the result when the clock has stopped. The
 * instance is new each time, too: the nodes of a reverse map outlive a domain.
 */
#include "bench.h"

#include <pthread.h>

#define IOVA	((uint64_t)1 << 26) /* 256 GiB, in frames */
#define PA	((uint64_t)1 << 20) /* 4 GiB */
#define PAGES	512u		    /* of 4 KiB in 2 MiB */
#define LOOKUPS ((uint64_t)1 << 20)
#define PAIRS	((uint64_t)1 << 19)
#define RW	(IOMMUABS_READ | IOMMUABS_WRITE)

static struct iommuabs_domain *domain(const struct bench_kind *kind,
				      enum iommuabs_max_leaf max_leaf)
{
	const struct bench_domain want = { kind->flags, max_leaf, 1, 1 };

	return machine_domain(&want);
}

static void map(struct iommuabs_domain *dom, uint64_t gfn, uint64_t mfn,
		uint64_t nr)
{
	must(iommuabs_domain_map(dom, IOMMUABS_GFN(gfn), IOMMUABS_MFN(mfn), nr,
				 RW, NULL),
	     "map");
}

static void unmap(struct iommuabs_domain *dom, uint64_t gfn, uint64_t nr)
{
	must(iommuabs_domain_unmap(dom, IOMMUABS_GFN(gfn), nr, NULL), "unmap");
}

static void single_4k(const struct bench_kind *kind)
{
	struct iommuabs_domain *dom = domain(kind, IOMMUABS_LEAF_ANY);
	uint64_t i, nr = GIB_PAGES;

	measure_begin();
	for (i = 0; i < nr; i++)
		map(dom, IOVA + i, PA + i, 1);
	measure_end("map4k_fresh", "ns/page", (double)nr);
	machine_check(dom, IOVA + nr - 1, PA + nr - 1);

	measure_begin();
	for (i = 0; i < nr; i++)
		unmap(dom, IOVA + i, 1);
	measure_end("unmap4k", "ns/page", (double)nr);
	machine_check_gone(dom, IOVA + nr - 1);
	machine_domain_gone(dom);
}

static void batch_4k(const struct bench_kind *kind)
{
	struct iommuabs_domain *dom = domain(kind, IOMMUABS_LEAF_4K);
	uint64_t i, nr = GIB_PAGES;

	measure_begin();
	for (i = 0; i < nr; i += PAGES)
		map(dom, IOVA + i, PA + i, PAGES);
	measure_end("map512x4k", "ns/page", (double)nr);
	machine_check(dom, IOVA + nr - 1, PA + nr - 1);
	machine_domain_gone(dom);
}

static void single_2m(const struct bench_kind *kind)
{
	struct iommuabs_domain *dom = domain(kind, IOMMUABS_LEAF_ANY);
	uint64_t i, nr = 64 * GIB_PAGES;

	measure_begin();
	for (i = 0; i < nr; i += PAGES)
		map(dom, IOVA + i, PA + i, PAGES);
	measure_end("map2m", "ns/entry", (double)(nr / PAGES));
	machine_check(dom, IOVA + nr - 1, PA + nr - 1);
	machine_domain_gone(dom);
}

static void one_call_4k(const struct bench_kind *kind)
{
	struct iommuabs_domain *dom = domain(kind, IOMMUABS_LEAF_4K);

	measure_begin();
	map(dom, IOVA, PA, GIB_PAGES);
	measure_end("map1g4k_onecall", "us/GiB", 1e3);
	machine_check(dom, IOVA + GIB_PAGES - 1, PA + GIB_PAGES - 1);

	measure_begin();
	unmap(dom, IOVA, GIB_PAGES);
	measure_end("unmap1g4k_clear", "us/GiB", 1e3);
	machine_check_gone(dom, IOVA + GIB_PAGES - 1);
	machine_domain_gone(dom);
}

/* All sizes may be used, but the addresses only allow 4 KiB. */
static void one_call_natural(const struct bench_kind *kind)
{
	struct iommuabs_domain *dom = domain(kind, IOMMUABS_LEAF_ANY);

	map(dom, IOVA, PA + 1, GIB_PAGES);
	machine_check(dom, IOVA + GIB_PAGES - 1, PA + GIB_PAGES);
	measure_begin();
	unmap(dom, IOVA, GIB_PAGES);
	measure_end("unmap1g_natural", "us/GiB", 1e3);
	machine_check_gone(dom, IOVA + GIB_PAGES - 1);
	machine_domain_gone(dom);
}

/* No two frames of the guest follow each other in the machine. */
static uint64_t scattered(uint64_t page)
{
	return PA + (page ^ 1);
}

static void map_scattered(struct iommuabs_domain *dom, uint64_t nr)
{
	iommuabs_mfn_t mfns[PAGES];
	uint64_t i, page;

	for (page = 0; page < nr; page += PAGES) {
		for (i = 0; i < PAGES; i++)
			mfns[i].frame = scattered(page + i);
		must(iommuabs_domain_map_list(dom, IOMMUABS_GFN(IOVA + page),
					      mfns, PAGES, RW, NULL),
		     "map_list");
	}
	machine_check(dom, IOVA + nr - 1, scattered(nr - 1));
}

/* No leaf is larger than 4 KiB in any map. */
static void one_call_scattered(const struct bench_kind *kind)
{
	struct iommuabs_domain *dom = domain(kind, IOMMUABS_LEAF_ANY);

	map_scattered(dom, GIB_PAGES);
	measure_begin();
	unmap(dom, IOVA, GIB_PAGES);
	measure_end("unmap1g_scattered", "us/GiB", 1e3);
	machine_check_gone(dom, IOVA + GIB_PAGES - 1);
	machine_domain_gone(dom);
}

/* A neighbour keeps the page's tables in place. */
static void hot_pair(const struct bench_kind *kind)
{
	struct iommuabs_domain *dom = domain(kind, IOMMUABS_LEAF_2M);
	uint64_t i;

	map(dom, IOVA, PA, 1);
	measure_begin();
	for (i = 0; i < PAIRS; i++) {
		map(dom, IOVA + 5, PA + 1, 1);
		unmap(dom, IOVA + 5, 1);
	}
	measure_end("hotpair4k", "ns/pair", (double)PAIRS);
	machine_check_gone(dom, IOVA + 5);
	machine_check(dom, IOVA, PA);
	machine_domain_gone(dom);
}

/* The ledger answers: it has leaves of 4 KiB, too. */
static void translate(const struct bench_kind *kind, const char *name,
		      uint64_t nr)
{
	struct iommuabs_domain *dom = domain(kind, IOMMUABS_LEAF_4K);
	static uint64_t *gfns;
	uint64_t i, sum = 0, expected = 0;
	iommuabs_mfn_t mfn;

	if (!gfns)
		gfns = memory_get(LOOKUPS * sizeof(*gfns));
	map_scattered(dom, nr);
	for (i = 0; i < LOOKUPS; i++) {
		gfns[i] = IOVA + random_next() % nr;
		expected += scattered(gfns[i] - IOVA);
	}
	measure_begin();
	for (i = 0; i < LOOKUPS; i++) {
		must(iommuabs_domain_translate(dom, IOMMUABS_GFN(gfns[i]), &mfn,
					       NULL),
		     "translate");
		sum += mfn.frame;
	}
	measure_end(name, "ns/lookup", (double)LOOKUPS);
	check(sum == expected, "random translations are wrong");
	machine_domain_gone(dom);
}

static void translate_1g(const struct bench_kind *kind)
{
	translate(kind, "translate_1g", GIB_PAGES);
}

static void translate_16g(const struct bench_kind *kind)
{
	translate(kind, "translate_16g", 16 * GIB_PAGES);
}

/* A thread that maps 1 GiB of its own, 1 TiB from the other's. */
struct mapper {
	unsigned int nr;
	struct iommuabs_domain *dom;
	uint64_t per_call;
	pthread_barrier_t *start;
	double ns;
};

static void *mapper_run(void *argument)
{
	struct mapper *m = argument;
	uint64_t gfn = IOVA + m->nr * TIB_PAGES;
	uint64_t mfn = PA + m->nr * GIB_PAGES, i;
	double began;

	machine_bind(m->nr);
	pthread_barrier_wait(m->start);
	began = wall_ns();
	for (i = 0; i < GIB_PAGES; i += m->per_call)
		map(m->dom, gfn + i, mfn + i, m->per_call);
	m->ns = wall_ns() - began;
	return NULL;
}

/* Nanoseconds until the last has mapped its gibibyte. */
static double mappers_run(const struct bench_kind *kind, unsigned int threads,
			  uint64_t per_call)
{
	const struct bench_domain want = {
		kind->flags,
		per_call == 1 ? IOMMUABS_LEAF_ANY : IOMMUABS_LEAF_4K,
		2,
		1,
	};
	struct iommuabs_domain *dom = machine_domain(&want);
	struct mapper mapper[2];
	pthread_barrier_t start;
	pthread_t other;
	unsigned int i;

	pthread_barrier_init(&start, NULL, threads);
	for (i = 0; i < 2; i++)
		mapper[i] = (struct mapper){ i, dom, per_call, &start, 0 };
	if (threads == 2)
		check(!pthread_create(&other, NULL, mapper_run, &mapper[1]),
		      "no second thread");
	mapper_run(&mapper[0]);
	if (threads == 2)
		pthread_join(other, NULL);
	pthread_barrier_destroy(&start);
	for (i = 0; i < threads; i++)
		machine_check(dom, IOVA + i * TIB_PAGES + GIB_PAGES - 1,
			      PA + (i + 1) * GIB_PAGES - 1);
	machine_domain_gone(dom);
	return mapper[0].ns > mapper[1].ns ? mapper[0].ns : mapper[1].ns;
}

/* A serialised domain has one caller. */
static void two_threads(const struct bench_kind *kind,
			const char *const names[3], uint64_t per_call)
{
	double one, two;

	if (kind->flags & IOMMUABS_DOMAIN_SERIALISED)
		return;
	one = mappers_run(kind, 1, per_call);
	two = mappers_run(kind, 2, per_call);
	measure_value(names[0], "ns/page", one / (double)GIB_PAGES);
	measure_value(names[1], "ns/page", two / (double)GIB_PAGES);
	measure_value(names[2], "t2/t1", two / one);
}

static const char *const threads_4k[] = { "map4k_1t", "map4k_2t",
					  "scale2_map4k", NULL };
static const char *const threads_512x4k[] = { "map512x4k_1t", "map512x4k_2t",
					      "scale2_map512x4k", NULL };

static void two_threads_4k(const struct bench_kind *kind)
{
	two_threads(kind, threads_4k, 1);
}

static void two_threads_512x4k(const struct bench_kind *kind)
{
	two_threads(kind, threads_512x4k, PAGES);
}

static const struct {
	void (*run)(const struct bench_kind *kind);
	const char *names[4];
} workloads[] = {
	{ one_call_4k, { "map1g4k_onecall", "unmap1g4k_clear" } },
	{ one_call_natural, { "unmap1g_natural" } },
	{ one_call_scattered, { "unmap1g_scattered" } },
	{ single_4k, { "map4k_fresh", "unmap4k" } },
	{ batch_4k, { "map512x4k" } },
	{ single_2m, { "map2m" } },
	{ hot_pair, { "hotpair4k" } },
	{ translate_1g, { "translate_1g" } },
	{ translate_16g, { "translate_16g" } },
	{ two_threads_4k, { "map4k_1t", "map4k_2t", "scale2_map4k" } },
	{ two_threads_512x4k,
	  { "map512x4k_1t", "map512x4k_2t", "scale2_map512x4k" } },
};

void tables_warm_up(const struct bench_kind *kind)
{
	measure_quiet(1);
	machine_start();
	single_4k(kind);
	machine_stop();
	measure_quiet(0);
}

void tables_pass(const struct bench_kind *kind)
{
	size_t i;

	for (i = 0; i < sizeof(workloads) / sizeof(workloads[0]); i++) {
		if (!measure_wanted(workloads[i].names))
			continue;
		machine_start();
		workloads[i].run(kind);
		machine_stop();
	}
}
