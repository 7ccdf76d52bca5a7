/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * measure.c - options, clocks, samples, rows
 */
#include "bench.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define ROWS_MAX    128
#define SAMPLES_MAX 64

struct row {
	const char *kind, *unit;
	char name[40];
	unsigned int nr;
	double samples[SAMPLES_MAX];
};

static struct row rows[ROWS_MAX];
static unsigned int nr_rows, passes = 3;
static int tsv, has_only, quiet;
static regex_t only;
static const char *kind_name;
static double began_ns, clock_cost_ns;

static void usage(void)
{
	fputs("usage: bench [--tsv] [--only REGEX] [--passes N]\n"
	      "	--tsv	 rows separated by tabs\n"
	      "	--only	 rows whose KIND/NAME matches\n"
	      "	--passes samples of each row (default 3)\n",
	      stderr);
	exit(2);
}

void measure_options(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--tsv")) {
			tsv = 1;
		} else if (!strcmp(argv[i], "--only") && i + 1 < argc) {
			has_only = 1;
			if (regcomp(&only, argv[++i], REG_EXTENDED | REG_NOSUB))
				usage();
		} else if (!strcmp(argv[i], "--passes") && i + 1 < argc) {
			passes = (unsigned int)atoi(argv[++i]);
			if (!passes || passes > SAMPLES_MAX)
				usage();
		} else {
			usage();
		}
	}
}

void measure_kind(const struct bench_kind *kind)
{
	kind_name = kind->name;
}

unsigned int measure_passes(void)
{
	return passes;
}

static bool wanted(const char *name)
{
	char full[64];

	snprintf(full, sizeof(full), "%s/%s", kind_name, name);
	return !has_only || !regexec(&only, full, 0, NULL, 0);
}

bool measure_wanted(const char *const names[])
{
	for (; *names; names++)
		if (wanted(*names))
			return true;
	return false;
}

void measure_quiet(int is_quiet)
{
	quiet = is_quiet;
}

static double clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

double wall_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static double cpu_ns(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

/* A reading is a system call, no short one beside a row of microseconds. */
static void clock_calibrate(void)
{
	double cost;
	int i;

	clock_cost_ns = 1e9;
	for (i = 0; i < 1000; i++) {
		began_ns = cpu_ns();
		cost = cpu_ns() - began_ns;
		if (cost < clock_cost_ns)
			clock_cost_ns = cost;
	}
}

void measure_begin(void)
{
	if (clock_cost_ns == 0)
		clock_calibrate();
	began_ns = cpu_ns();
}

void measure_end(const char *name, const char *unit, double scale)
{
	double ns = cpu_ns() - began_ns - clock_cost_ns;

	measure_value(name, unit, ns > 0 ? ns / scale : 0);
}

static struct row *row_of(const char *name, const char *unit)
{
	struct row *row;

	for (row = rows; row < rows + nr_rows; row++)
		if (row->kind == kind_name && !strcmp(row->name, name))
			return row;
	check(nr_rows < ROWS_MAX, "too many rows");
	nr_rows++;
	row->kind = kind_name;
	row->unit = unit;
	snprintf(row->name, sizeof(row->name), "%s", name);
	return row;
}

void measure_value(const char *name, const char *unit, double value)
{
	struct row *row;

	if (quiet || !wanted(name))
		return;
	row = row_of(name, unit);
	if (row->nr < SAMPLES_MAX)
		row->samples[row->nr++] = value;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void row_print(const struct row *row, double min, double median)
{
	if (tsv)
		printf("%s\t%s\t%s\t%.6g\t%.6g\t-\n", row->kind, row->name,
		       row->unit, min, median);
	else
		printf("%-11s %-24s %-9s %10.4g %10.4g\n", row->kind, row->name,
		       row->unit, min, median);
}

void measure_print(void)
{
	struct row *row;

	if (!tsv)
		printf("%-11s %-24s %-9s %10s %10s\n", "kind", "row", "unit",
		       "min", "median");
	for (row = rows; row < rows + nr_rows; row++) {
		qsort(row->samples, row->nr, sizeof(row->samples[0]), by_value);
		row_print(row, row->samples[0], row->samples[row->nr / 2]);
	}
}

/* xorshift */
uint64_t random_next(void)
{
	static uint64_t state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

void *memory_get(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	check(memory != MAP_FAILED, "out of memory");
	madvise(memory, size, MADV_HUGEPAGE);
	return memory;
}

void check(int is_true, const char *what)
{
	if (is_true)
		return;
	fprintf(stderr, "bench: %s\n", what);
	exit(1);
}

void must(int err, const char *what)
{
	if (!err)
		return;
	fprintf(stderr, "bench: %s: %s\n", what, iommuabs_strerror(err));
	exit(1);
}
