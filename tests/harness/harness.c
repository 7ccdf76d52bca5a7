/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * harness.c - registers, runs and reports the tests of one program
 *
 * Every test is registered with Check as one iteration of harness_run(), whose
 * loop index is the test's place in registry[]. So the wrapper knows which
 * test it runs, and what it notes in shared memory survives the fork.
 */
#define HARNESS_IMPLEMENTATION
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MAX_TESTS	16384
#define MAX_TCASES	256
#define DEFAULT_TIMEOUT 60 /* seconds for one test, before any multiplier */

struct entry {
	TCase *tcase;
	const TTest *test;
	int iteration; /* Check's _i */
	int is_loop;
	int ends_otherwise; /* by an expected signal or exit status */
	int reported;
};

struct slot {
	int returned;
	int skipped;
	char why[160];
};

static struct {
	const char *filter;
	struct entry entries[MAX_TESTS];
	int nr_entries;
	struct {
		TCase *tcase;
		const char *name;
	} tcases[MAX_TCASES];
	int nr_tcases;
	TCase *order[MAX_TCASES]; /* as added to suites: the order of running */
	int nr_order;
	struct slot *slots; /* shared with the forked tests */
	int current;
	int number; /* of the last TAP line */
	int failed;
} registry;

static void fatal(const char *what)
{
	printf("Bail out! harness: %s\n", what);
	exit(2);
}

/* Lines whose number in here is another's, too, are left out. */
void harness_mark_point(const char *file, int line)
{
	static unsigned char reached[1 << 16];
	uintptr_t at = ((uintptr_t)file + (uintptr_t)line) % sizeof(reached);

	if (__atomic_load_n(&reached[at], __ATOMIC_RELAXED))
		return;
	__atomic_store_n(&reached[at], 1, __ATOMIC_RELAXED);
	_mark_point(file, line);
}

static void harness_run(int index)
{
	const struct entry *entry = &registry.entries[index];

	registry.current = index;
	entry->test->fn(entry->iteration);
	registry.slots[index].returned = 1;
}

static const TTest run_ttest = { "harness_run", harness_run, __FILE__,
				 __LINE__ };

TCase *harness_tcase_create(const char *name)
{
	TCase *tcase = tcase_create(name);

	if (registry.nr_tcases == MAX_TCASES)
		fatal("more test cases than MAX_TCASES");
	registry.tcases[registry.nr_tcases].tcase = tcase;
	registry.tcases[registry.nr_tcases].name = name;
	registry.nr_tcases++;
	tcase_set_timeout(tcase, DEFAULT_TIMEOUT);
	return tcase;
}

void harness_suite_add_tcase(Suite *suite, TCase *tcase)
{
	if (registry.nr_order == MAX_TCASES)
		fatal("more test cases than MAX_TCASES");
	registry.order[registry.nr_order++] = tcase;
	suite_add_tcase(suite, tcase);
}

static const char *name_of(const TCase *tcase)
{
	int i;

	for (i = 0; i < registry.nr_tcases; i++) {
		if (registry.tcases[i].tcase == tcase)
			return registry.tcases[i].name;
	}
	return "?";
}

static void entry_name(const struct entry *entry, char *name, size_t size)
{
	if (entry->is_loop)
		snprintf(name, size, "%s/%s[%d]", name_of(entry->tcase),
			 entry->test->name, entry->iteration);
	else
		snprintf(name, size, "%s/%s", name_of(entry->tcase),
			 entry->test->name);
}

void harness_add_test(TCase *tcase, const TTest *test, int signal, int status,
		      int start, int end)
{
	char name[256];
	int i;

	for (i = start; i < end; i++) {
		struct entry *entry = &registry.entries[registry.nr_entries];

		if (registry.nr_entries == MAX_TESTS)
			fatal("more tests than MAX_TESTS");
		entry->tcase = tcase;
		entry->test = test;
		entry->iteration = i;
		entry->is_loop = end - start > 1;
		entry->ends_otherwise = signal || status;
		entry_name(entry, name, sizeof(name));
		if (registry.filter && !strstr(name, registry.filter))
			continue;
		_tcase_add_test(tcase, &run_ttest, signal, status,
				registry.nr_entries, registry.nr_entries + 1);
		registry.nr_entries++;
	}
}

void harness_mark_skipped(const char *why)
{
	struct slot *slot = &registry.slots[registry.current];

	slot->skipped = 1;
	snprintf(slot->why, sizeof(slot->why), "%s", why);
}

static void report(struct entry *entry, int ok, const char *directive)
{
	char name[256];

	entry_name(entry, name, sizeof(name));
	entry->reported = 1;
	registry.number++;
	if (!ok)
		registry.failed++;
	printf("%sok %d - %s%s%s\n", ok ? "" : "not ", registry.number, name,
	       directive ? " # SKIP " : "", directive ? directive : "");
}

/* A message may have several lines; each becomes a TAP comment. */
static void comment(const char *text)
{
	const char *end;

	for (; *text; text = *end ? end + 1 : end) {
		end = text + strcspn(text, "\n");
		printf("#   %.*s\n", (int)(end - text), text);
	}
}

static void report_result(struct entry *entry, TestResult *result)
{
	const struct slot *slot = &registry.slots[entry - registry.entries];

	if (tr_rtype(result) != CK_PASS) {
		report(entry, 0, NULL);
		printf("#   %s:%d\n", tr_lfile(result) ? tr_lfile(result) : "?",
		       tr_lno(result));
		comment(tr_msg(result) ? tr_msg(result) : "no message");
	} else if (!slot->returned && !slot->skipped &&
		   !entry->ends_otherwise) {
		report(entry, 0, NULL);
		comment("the test never returned: exit() before its end");
	} else {
		report(entry, 1, slot->skipped ? slot->why : NULL);
	}
}

/* The next unreported test of a case: results come in order of running. */
static struct entry *next_entry(const TCase *tcase)
{
	int i;

	for (i = 0; i < registry.nr_entries; i++) {
		struct entry *entry = &registry.entries[i];

		if (!entry->reported && entry->tcase == tcase)
			return entry;
	}
	return NULL;
}

static void report_all(SRunner *runner)
{
	TestResult **results = srunner_results(runner);
	int nr = srunner_ntests_run(runner);
	struct entry *entry;
	int i, r = 0;

	for (i = 0; i < registry.nr_order; i++) {
		const TCase *tcase = registry.order[i];

		while ((entry = next_entry(tcase)) != NULL) {
			if (r < nr &&
			    !strcmp(tr_tcname(results[r]), name_of(tcase))) {
				report_result(entry, results[r++]);
			} else {
				report(entry, 0, NULL);
				comment("did not run");
			}
		}
	}
	for (i = 0; i < registry.nr_entries; i++) {
		if (!registry.entries[i].reported) {
			report(&registry.entries[i], 0, NULL);
			comment("its test case is in no suite");
		}
	}
	if (r != nr) {
		printf("# %d results without a registered test\n", nr - r);
		registry.failed++;
	}
	free(results);
}

int harness_main(int argc, char **argv, Suite *(*suite)(void))
{
	SRunner *runner;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1)
		registry.filter = argv[1];
	registry.slots =
		mmap(NULL, sizeof(struct slot) * MAX_TESTS,
		     PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (registry.slots == MAP_FAILED)
		fatal("no shared memory");
	runner = srunner_create(suite());
	printf("1..%d\n", registry.nr_entries);
	fflush(stdout);
	srunner_run_all(runner, CK_SILENT);
	report_all(runner);
	srunner_free(runner);
	munmap(registry.slots, sizeof(struct slot) * MAX_TESTS);
	return registry.failed || !registry.nr_entries;
}
