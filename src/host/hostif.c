/* SPDX-License-Identifier: BSD-2-Clause */
#include "hostif.h"

#define LINE_MAX 160

int hostif_regs_map(const struct hostif *host, uint64_t base, uint64_t length,
		    struct hostif_regs *regs)
{
	char *ptr = (char *)(uintptr_t)base;

	if (host->ops.mmio_map) {
		ptr = host->ops.mmio_map(host->ctx, base, length);
		if (!ptr)
			return IOMMUABS_E_NOMEM;
	}
	*regs = (struct hostif_regs){ host, base, length, ptr };
	return 0;
}

void hostif_regs_unmap(struct hostif_regs *regs)
{
	const struct hostif *host = regs->host;

	if (host->ops.mmio_unmap)
		host->ops.mmio_unmap(host->ctx, regs->ptr, regs->length);
	regs->ptr = NULL;
}

uint32_t hostif_read32(const struct hostif_regs *regs, struct hostif_reg32 reg)
{
	const struct hostif *host = regs->host;

	if (host->ops.mmio_read)
		return (uint32_t)host->ops.mmio_read(
			host->ctx, regs->base + reg.offset, 4);
	return port_mmio_read32(regs->ptr + reg.offset);
}

uint64_t hostif_read64(const struct hostif_regs *regs, struct hostif_reg64 reg)
{
	const struct hostif *host = regs->host;

	if (host->ops.mmio_read)
		return host->ops.mmio_read(host->ctx, regs->base + reg.offset,
					   8);
	return port_mmio_read64(regs->ptr + reg.offset);
}

void hostif_write32(const struct hostif_regs *regs, struct hostif_reg32 reg,
		    uint32_t value)
{
	const struct hostif *host = regs->host;

	if (host->ops.mmio_write)
		host->ops.mmio_write(host->ctx, regs->base + reg.offset, 4,
				     value);
	else
		port_mmio_write32(regs->ptr + reg.offset, value);
}

void hostif_write64(const struct hostif_regs *regs, struct hostif_reg64 reg,
		    uint64_t value)
{
	const struct hostif *host = regs->host;

	if (host->ops.mmio_write)
		host->ops.mmio_write(host->ctx, regs->base + reg.offset, 8,
				     value);
	else
		port_mmio_write64(regs->ptr + reg.offset, value);
}

/* Where formatted text goes: what doesn't fit is dropped. */
struct sink {
	char *at;
	char *last; /* place of the terminator in a full buffer */
};

static void put_char(struct sink *sink, char c)
{
	if (sink->at < sink->last)
		*sink->at++ = c;
}

static void put_string(struct sink *sink, const char *s)
{
	for (s = s ? s : "(null)"; *s; s++)
		put_char(sink, *s);
}

/* Both bases are constants, so that no division is called. */
static void put_number(struct sink *sink, uint64_t value, unsigned int base,
		       unsigned int width)
{
	char digits[20];
	unsigned int nr = 0;

	do {
		unsigned int digit = base == 16 ? value % 16 : value % 10;

		digits[nr++] = "0123456789abcdef"[digit];
		value = base == 16 ? value / 16 : value / 10;
	} while (value);
	for (; width > nr; width--)
		put_char(sink, '0');
	while (nr)
		put_char(sink, digits[--nr]);
}

static void put_signed(struct sink *sink, int64_t value)
{
	if (value < 0)
		put_char(sink, '-');
	put_number(sink, value < 0 ? -(uint64_t)value : (uint64_t)value, 10, 0);
}

/* A conversion: what stands between '%' and its letter, and the letter. */
struct conversion {
	unsigned int width; /* %0Nx */
	unsigned int longs; /* number of 'l' */
	char letter;
};

static const char *conversion_read(const char *s, struct conversion *conv)
{
	*conv = (struct conversion){ 0 };
	for (; *s >= '0' && *s <= '9'; s++)
		conv->width = conv->width * 10 + (unsigned int)(*s - '0');
	for (; *s == 'l'; s++)
		conv->longs++;
	conv->letter = *s;
	return *s ? s + 1 : s;
}

static void format_list(struct sink *sink, const char *s,
			__builtin_va_list *list)
{
	struct conversion conv;
	uint64_t value;

	while (*s) {
		if (*s != '%') {
			put_char(sink, *s++);
			continue;
		}
		s = conversion_read(s + 1, &conv);
		switch (conv.letter) {
		case 's':
			put_string(sink, __builtin_va_arg(*list, char *));
			break;
		case 'd':
			put_signed(sink, __builtin_va_arg(*list, int));
			break;
		case 'u':
		case 'x':
			if (conv.longs)
				value = __builtin_va_arg(*list,
							 unsigned long long);
			else
				value = __builtin_va_arg(*list, unsigned int);
			put_number(sink, value, conv.letter == 'x' ? 16 : 10,
				   conv.width);
			break;
		default:
			put_char(sink, conv.letter);
		}
	}
	*sink->at = 0;
}

void hostif_format(char *buffer, size_t size, const char *format, ...)
{
	struct sink sink = { buffer, buffer + size - 1 };
	__builtin_va_list list;

	if (!size)
		return;
	__builtin_va_start(list, format);
	format_list(&sink, format, &list);
	__builtin_va_end(list);
}

void hostif_log(const struct hostif *host, enum iommuabs_log_level level,
		const char *format, ...)
{
	char line[LINE_MAX + 1];
	struct sink sink = { line, line + LINE_MAX };
	__builtin_va_list list;

	if (!host->ops.log)
		return;
	__builtin_va_start(list, format);
	format_list(&sink, format, &list);
	__builtin_va_end(list);
	host->ops.log(host->ctx, level, line);
}
