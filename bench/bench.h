/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench.h - what the benchmarks share: samples and a machine in memory
 */
#ifndef BENCH_H
#define BENCH_H

#include <iommuabs/iommuabs.h>

#define GIB_PAGES ((uint64_t)1 << 18)
#define TIB_PAGES ((uint64_t)1 << 28)

/* ---- measure.c ---- */

/* A kind of domain that everything is measured on. */
struct bench_kind {
	const char *name;
	uint32_t flags; /* of the domain */
};

/* Read the command line; exits where it can't be understood. */
void measure_options(int argc, char **argv);
/* Samples are of @kind from now on. */
void measure_kind(const struct bench_kind *kind);
unsigned int measure_passes(void);
/* Is any of these rows wanted? @names ends with NULL. */
bool measure_wanted(const char *const names[]);
/* 1: drop samples, to warm up. */
void measure_quiet(int quiet);

/* CPU time of this thread from here on ... */
void measure_begin(void);
/* ... to here is a sample: nanoseconds divided by @scale. */
void measure_end(const char *name, const char *unit, double scale);
void measure_value(const char *name, const char *unit, double value);
/* Every row: its minimum and its median. */
void measure_print(void);

double wall_ns(void);
/* The same sequence in every run. */
uint64_t random_next(void);
void *memory_get(size_t size);
/* Nothing that is measured may go wrong. */
void check(int is_true, const char *what);
void must(int err, const char *what);

/* ---- machine.c: an instance, a null unit and one device ---- */

void machine_start(void);
void machine_stop(void);
/* The calling thread's table memory: 0 or 1. */
void machine_bind(unsigned int thread);

struct bench_domain {
	uint32_t flags;
	enum iommuabs_max_leaf max_leaf;
	uint32_t callers;
	uint32_t attach; /* 1: the device has a mirror of it */
};

struct iommuabs_domain *machine_domain(const struct bench_domain *want);
void machine_domain_gone(struct iommuabs_domain *dom);
/* Is @gfn at @mfn, in the ledger and in the table that the unit walks? */
void machine_check(struct iommuabs_domain *dom, uint64_t gfn, uint64_t mfn);
void machine_check_gone(struct iommuabs_domain *dom, uint64_t gfn);
/* Table memory that no domain is charged: the reverse map is all that grows. */
uint64_t machine_instance_bytes(void);

/* ---- the workloads ---- */

void tables_warm_up(const struct bench_kind *kind);
void tables_pass(const struct bench_kind *kind);
void reverse_pass(const struct bench_kind *kind);

#endif
