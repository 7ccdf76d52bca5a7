/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_refused.h - a call that is refused changes nothing
 */
#ifndef TEST_REFUSED_H
#define TEST_REFUSED_H

#include <stdlib.h>

#include "harness.h"

/* @call answers @error, and @dump(@of), a string to be freed, is as it was. */
#define REFUSED_BY(dump, of, call, error)          \
	do {                                       \
		char *before_ = dump(of);          \
		char *after_;                      \
                                                   \
		ck_assert_int_eq((call), (error)); \
		after_ = dump(of);                 \
		ck_assert_str_eq(before_, after_); \
		free(before_);                     \
		free(after_);                      \
	} while (0)

#endif
