/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostif.h - the host's hooks as the library calls them
 *
 * Every call of a hook is in here or in lock.h and tablemem.h, with the default
 * for hooks that may be NULL.
 */
#ifndef IOMMUABS_HOST_HOSTIF_H
#define IOMMUABS_HOST_HOSTIF_H

#include <iommuabs/error.h>
#include <iommuabs/host.h>

#include "../port/port.h"

/* For our own bugs only, never for data from outside. */
#if defined(IOMMUABS_CONFIG_DEBUG) && IOMMUABS_CONFIG_DEBUG
#define iommuabs_assert(cond)             \
	do {                              \
		if (!(cond))              \
			__builtin_trap(); \
	} while (0)
#else
#define iommuabs_assert(cond) ((void)sizeof(cond))
#endif

/* Name prefix: hosts have macros with the short names. */
#define IA_COUNT(array)	    (sizeof(array) / sizeof((array)[0]))
#define IA_MIN(a, b)	    ((a) < (b) ? (a) : (b))
#define IA_MAX(a, b)	    ((a) > (b) ? (a) : (b))
#define IA_BITS(n)	    (((uint64_t)1 << (n)) - 1) /* n < 64 */
#define IA_ALIGN_DOWN(x, a) ((x) & ~((uint64_t)(a)-1))
#define IA_ALIGN_UP(x, a)   IA_ALIGN_DOWN((x) + ((a)-1), (a))
#define IA_CONTAINER(ptr, type, member) \
	((type *)(void *)((char *)(ptr) - __builtin_offsetof(type, member)))

struct hostif {
	struct iommuabs_host ops;
	void *ctx;
};

/* A pointer to the table page at @maddr, until hostif_unmap() of any place in it. */
static inline void *hostif_map(const struct hostif *host, uint64_t maddr)
{
	if (host->ops.table_map)
		return host->ops.table_map(host->ctx, maddr);
	return (void *)(uintptr_t)(maddr + host->ops.table_offset);
}

static inline void hostif_unmap(const struct hostif *host, const void *at)
{
	const uintptr_t in_page = IOMMUABS_FRAME_SIZE - 1;

	if (host->ops.table_map)
		host->ops.table_unmap(host->ctx,
				      (void *)((uintptr_t)at & ~in_page));
}

static inline uint64_t hostif_time_us(const struct hostif *host)
{
	return host->ops.time_us(host->ctx);
}

static inline int hostif_should_yield(const struct hostif *host)
{
	return host->ops.should_yield && host->ops.should_yield(host->ctx);
}

static inline void hostif_clean(const struct hostif *host, const void *p,
				size_t size)
{
	if (host->ops.cache_clean)
		host->ops.cache_clean(host->ctx, p, size);
}

/* A unit's registers, as mmio_map() gave them. */
struct hostif_regs {
	const struct hostif *host;
	uint64_t base; /* machine address */
	uint64_t length;
	char *ptr; /* direct access */
};

/* Return: 0 | E_NOMEM (mmio_map() gave nothing). */
int hostif_regs_map(const struct hostif *host, uint64_t base, uint64_t length,
		    struct hostif_regs *regs);
void hostif_regs_unmap(struct hostif_regs *regs);

/* Offset and width in one name: an access of the wrong width doesn't compile. */
struct hostif_reg32 {
	uint32_t offset;
};

struct hostif_reg64 {
	uint32_t offset;
};

#define REG32(o) ((struct hostif_reg32){ (o) })
#define REG64(o) ((struct hostif_reg64){ (o) })

uint32_t hostif_read32(const struct hostif_regs *regs, struct hostif_reg32 reg);
uint64_t hostif_read64(const struct hostif_regs *regs, struct hostif_reg64 reg);
void hostif_write32(const struct hostif_regs *regs, struct hostif_reg32 reg,
		    uint32_t value);
void hostif_write64(const struct hostif_regs *regs, struct hostif_reg64 reg,
		    uint64_t value);

/*
 * One field of a register or of a word in memory: bits @hi to @lo of 64, written
 * as the manuals write them.
 */
#define FIELD(hi, lo) (IA_BITS((hi) - (lo) + 1) << (lo))
#define FIELD64(hi, lo) \
	((~(uint64_t)0 >> (63 - ((hi) - (lo)))) << (lo)) /* 63..0 too */

static inline uint64_t field_get(uint64_t mask, uint64_t word)
{
	return (word & mask) / (mask & -mask);
}

static inline uint64_t field_put(uint64_t mask, uint64_t value)
{
	return (value * (mask & -mask)) & mask;
}

/*
 * Write one formatted line to host->log: %s, %d, %u (32 bits), %x (32 bits),
 * %llu and %llx (64 bits), %0Nx (at least N digits), %%. Longer lines than 160
 * characters are cut.
 */
void hostif_log(const struct hostif *host, enum iommuabs_log_level level,
		const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same into the @size bytes of @buffer, always terminated. */
void hostif_format(char *buffer, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
