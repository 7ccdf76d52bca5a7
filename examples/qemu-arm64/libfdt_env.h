/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libfdt_env.h - what libfdt wants from its surroundings, without a C library
 */
#ifndef LIBFDT_ENV_H
#define LIBFDT_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifndef INT_MAX
#define INT_MAX 0x7fffffff
#endif
#ifndef INT32_MAX
#define INT32_MAX 0x7fffffff
#endif

typedef uint16_t fdt16_t;
typedef uint32_t fdt32_t;
typedef uint64_t fdt64_t;

#define fdt16_to_cpu(x) ((uint16_t)__builtin_bswap16(x))
#define cpu_to_fdt16(x) ((fdt16_t)__builtin_bswap16(x))
#define fdt32_to_cpu(x) ((uint32_t)__builtin_bswap32(x))
#define cpu_to_fdt32(x) ((fdt32_t)__builtin_bswap32(x))
#define fdt64_to_cpu(x) ((uint64_t)__builtin_bswap64(x))
#define cpu_to_fdt64(x) ((fdt64_t)__builtin_bswap64(x))

#endif
