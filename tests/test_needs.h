/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_needs.h - programs that make no sense without a driver say so
 */
#ifndef TEST_NEEDS_H
#define TEST_NEEDS_H

#include "backends/backend.h"
#include "harness.h"

START_TEST(the_driver_is_not_built_in)
{
	harness_skip("the driver that this program tests is not built in");
}
END_TEST

/* False: @suite has one skipped test now, and nothing else is to be added. */
static inline bool suite_needs(Suite *suite, enum iommuabs_unit_type type)
{
	TCase *tcase;

	if (backend_find(type))
		return true;
	tcase = tcase_create("build");
	tcase_add_test(tcase, the_driver_is_not_built_in);
	suite_add_tcase(suite, tcase);
	return false;
}

#endif
