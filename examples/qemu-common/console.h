/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * console.h - text out, and the end
 */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stdarg.h>

/* %s %c %d %u %x, with l or ll, a width and a leading 0; %% */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void print_args(const char *format, va_list args);

/* One character; print() is made of it. */
void console_put(char c);

/* Ends the emulation with this status. */
_Noreturn void host_exit(int status);

/* Says what is wrong and exits with status 1. */
_Noreturn void panic(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

#endif
