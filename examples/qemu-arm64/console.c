/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * console.c - a PL011 and a small printf
 *
 * The port is the one constant of the machine that is not read from its device
 * tree, so that a missing tree can be reported.
 */
#include <stddef.h>
#include <stdint.h>
#include "arm64.h"
#include "console.h"

/* clang-format off */
#define PL011_BASE 0x09000000u
#define PL011_DR   0x000
#define PL011_FR   0x018
#define   FR_TXFF  (1u << 5)
/* clang-format on */

static void put(char c)
{
	while (mmio_read32(PL011_BASE + PL011_FR) & FR_TXFF)
		;
	mmio_write32(PL011_BASE + PL011_DR, (uint8_t)c);
}

struct spec {
	unsigned int width;
	char pad;
	unsigned int longs;
};

static void put_number(uint64_t value, unsigned int base, struct spec spec)
{
	char digits[24];
	unsigned int n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	for (unsigned int i = n; i < spec.width; i++)
		put(spec.pad);
	while (n)
		put(digits[--n]);
}

static void put_signed(int64_t value, struct spec spec)
{
	if (value < 0)
		put('-');
	put_number(value < 0 ? -(uint64_t)value : (uint64_t)value, 10, spec);
}

static const char *parse_spec(const char *f, struct spec *spec)
{
	*spec = (struct spec){ .pad = *f == '0' ? '0' : ' ' };
	while (*f >= '0' && *f <= '9')
		spec->width = spec->width * 10 + (unsigned int)(*f++ - '0');
	while (*f == 'l') {
		spec->longs++;
		f++;
	}
	return f;
}

void print_args(const char *format, va_list args)
{
	struct spec spec;

	for (const char *f = format; *f; f++) {
		if (*f != '%') {
			put(*f);
			continue;
		}
		f = parse_spec(f + 1, &spec);
		switch (*f) {
		case 's':
			for (const char *s = va_arg(args, const char *); *s;)
				put(*s++);
			break;
		case 'c':
			put((char)va_arg(args, int));
			break;
		case 'd':
			put_signed(spec.longs ? va_arg(args, long)
					      : va_arg(args, int),
				   spec);
			break;
		case 'u':
		case 'x':
			put_number(spec.longs ? va_arg(args, unsigned long)
					      : va_arg(args, unsigned int),
				   *f == 'x' ? 16 : 10, spec);
			break;
		default:
			put(*f);
		}
	}
}

void print(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_args(format, args);
	va_end(args);
}

/* Semihosting SYS_EXIT_EXTENDED: { ADP_Stopped_ApplicationExit, status }. */
_Noreturn void host_exit(int status)
{
	uint64_t block[2] = { 0x20026, (uint64_t)status };
	register uint64_t operation __asm__("x0") = 0x20;
	register uint64_t *argument __asm__("x1") = block;

	for (;;)
		__asm__ volatile("hlt #0xf000"
				 : "+r"(operation)
				 : "r"(argument)
				 : "memory");
}

_Noreturn void panic(const char *format, ...)
{
	va_list args;

	print("Bail out! ");
	va_start(args, format);
	print_args(format, args);
	va_end(args);
	print("\n");
	host_exit(1);
}
