/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * planted.c - a test program with one defect, chosen by the name it is run as
 *
 * tests/harness/selftest links it under the names below and demands that the
 * runner counts each as failed, and `healthy` as passed.
 */
#include "harness.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *defect;

static int is(const char *name)
{
	return !strcmp(defect, name);
}

static void hang(void)
{
	for (;;)
		pause();
}

START_TEST(before)
{
	ck_assert_int_eq(1, 1);
}
END_TEST

START_TEST(suspect)
{
	if (is("exit-in-test") || is("exit-in-test-nofork"))
		exit(0);
	if (is("_exit-in-test"))
		_exit(0);
	if (is("crash-in-test") || is("crash-in-test-nofork"))
		raise(SIGSEGV);
	if (is("hang-in-test") || is("hang-nofork"))
		hang();
	if (is("failing-check"))
		ck_assert_int_eq(1, 2);
	if (is("exit-66-in-test"))
		exit(66);
	if (is("healthy-skip"))
		harness_skip("planted");
}
END_TEST

START_TEST(expected_exit)
{
	exit(3);
}
END_TEST

START_TEST(repeated)
{
	if (is("fail-in-loop") && _i == 1)
		ck_abort_msg("iteration one");
}
END_TEST

static void setup(void)
{
	if (is("fail-in-setup"))
		ck_abort_msg("setup");
}

static void setup_once(void)
{
	if (is("fail-in-setup-once"))
		ck_abort_msg("setup once");
}

static Suite *suite(void)
{
	Suite *s = suite_create("planted");
	TCase *tc = tcase_create("first");
	TCase *orphan;

	if (is("crash-before-plan"))
		raise(SIGSEGV);
	if (is("exit-before-plan"))
		exit(0);
	if (is("no-tests"))
		return s;
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_unchecked_fixture(tc, setup_once, NULL);
	tcase_set_timeout(tc, is("hang-in-test") ? 1 : 20);
	tcase_add_test(tc, before);
	tcase_add_test(tc, suspect);
	suite_add_tcase(s, tc);
	if (is("case-in-no-suite")) {
		orphan = tcase_create("orphan");
		tcase_add_test(orphan, before);
	}
	tc = tcase_create("second");
	tcase_add_loop_test(tc, repeated, 0, 3);
	if (!strstr(defect, "nofork"))
		tcase_add_exit_test(tc, expected_exit, 3);
	suite_add_tcase(s, tc);
	return s;
}

int main(int argc, char **argv)
{
	defect = strrchr(argv[0], '/');
	defect = defect ? defect + 1 : argv[0];
	if (strstr(defect, "nofork"))
		setenv("CK_FORK", "no", 1);
	return harness_main(argc, argv, suite);
}
