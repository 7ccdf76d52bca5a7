/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tap.c - results as TAP lines on the console
 */
#include "console.h"
#include "tap.h"

static unsigned int nr_checks, nr_failed;

int tap_check(int passed, const char *format, ...)
{
	va_list args;

	nr_checks++;
	if (!passed)
		nr_failed++;
	print("%sok %u - ", passed ? "" : "not ", nr_checks);
	va_start(args, format);
	print_args(format, args);
	va_end(args);
	print("\n");
	return passed;
}

int tap_finish(void)
{
	print("1..%u\n", nr_checks);
	return nr_failed || !nr_checks;
}
