/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * harness.h - Check, without its traps
 *
 * Included instead of <check.h>; suites are written with Check's own calls.
 * What is added, and why:
 *
 *   - the number of registered tests is printed as a TAP plan before the
 *     first one runs, so that whoever reads can tell "all passed" from "gone
 *     before the end";
 *   - a test passes only if its function returned: Check takes exit(0) in the
 *     middle of a test for success;
 *   - a test can say that it was skipped: Check has no such status;
 *   - of assertions that hold Check writes a message each time, to tell where a
 *     test was when it crashed, and reads all of them: here once for each line.
 *
 * A program is `HARNESS_MAIN(suite)` with `static Suite *suite(void)`. It
 * takes one argument, a substring of "case/test": only those are registered.
 * CK_FORK=no runs all tests in the program's own process.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <check.h>

TCase *harness_tcase_create(const char *name);
void harness_suite_add_tcase(Suite *suite, TCase *tcase);
void harness_add_test(TCase *tcase, const TTest *test, int signal, int status,
		      int start, int end);
void harness_mark_skipped(const char *why);
void harness_mark_point(const char *file, int line);
int harness_main(int argc, char **argv, Suite *(*suite)(void));

#ifndef HARNESS_IMPLEMENTATION
#define _mark_point	harness_mark_point
#define tcase_create	harness_tcase_create
#define suite_add_tcase harness_suite_add_tcase
#define _tcase_add_test harness_add_test
#endif

/* In a test's own body: it leaves the test, which counts as skipped. */
#define harness_skip(why)                  \
	do {                               \
		harness_mark_skipped(why); \
		return;                    \
	} while (0)

/*
 * The test around this provokes that answer of that function:
 * `COVERS(iommuabs_domain_map, E_PERM);`. It compiles only if both exist, and
 * tests/lint/returns compares all of them with the headers' Return: lines.
 */
#define COVERS(function, error)         \
	do {                            \
		(void)&function;        \
		(void)IOMMUABS_##error; \
	} while (0)

#define HARNESS_MAIN(suite)                             \
	int main(int argc, char **argv)                 \
	{                                               \
		return harness_main(argc, argv, suite); \
	}

#endif
