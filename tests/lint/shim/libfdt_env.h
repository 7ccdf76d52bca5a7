/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libfdt_env.h - what libfdt's headers want of their surroundings, without the
 * C library, whose headers have functions on floating-point numbers
 */
#ifndef LIBFDT_ENV_H
#define LIBFDT_ENV_H

#include <iommuabs/std.h>

typedef uint16_t fdt16_t;
typedef uint32_t fdt32_t;
typedef uint64_t fdt64_t;

static inline uint16_t fdt16_to_cpu(fdt16_t x)
{
	return __builtin_bswap16(x);
}

static inline uint32_t fdt32_to_cpu(fdt32_t x)
{
	return __builtin_bswap32(x);
}

static inline uint64_t fdt64_to_cpu(fdt64_t x)
{
	return __builtin_bswap64(x);
}

#define cpu_to_fdt16(x) fdt16_to_cpu(x)
#define cpu_to_fdt32(x) fdt32_to_cpu(x)
#define cpu_to_fdt64(x) fdt64_to_cpu(x)

#endif
