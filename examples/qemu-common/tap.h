/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tap.h - results as TAP lines on the console
 */
#ifndef TAP_H
#define TAP_H

/* One line, "ok" if @passed; the text states the evidence. Gives @passed. */
int tap_check(int passed, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The plan, last; the exit status: 0 only if something ran and all passed. */
int tap_finish(void);

#endif
