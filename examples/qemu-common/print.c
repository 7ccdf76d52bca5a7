/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * print.c - a small printf
 */
#include <stdint.h>
#include "console.h"

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
		console_put(spec.pad);
	while (n)
		console_put(digits[--n]);
}

static void put_signed(int64_t value, struct spec spec)
{
	if (value < 0)
		console_put('-');
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
			console_put(*f);
			continue;
		}
		f = parse_spec(f + 1, &spec);
		switch (*f) {
		case 's':
			for (const char *s = va_arg(args, const char *); *s;)
				console_put(*s++);
			break;
		case 'c':
			console_put((char)va_arg(args, int));
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
			console_put(*f);
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
