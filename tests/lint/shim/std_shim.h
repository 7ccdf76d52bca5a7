/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * std_shim.h - the standard headers of a host that has none
 *
 * No more than include/iommuabs/std.h says that the library needs: there is no
 * UINT64_MAX, UINT64_C, SIZE_MAX or intptr_t, and names that hypervisors take
 * for themselves are taken.
 */
#ifndef STD_SHIM_H
#define STD_SHIM_H

typedef __UINT8_TYPE__ uint8_t;
typedef __UINT16_TYPE__ uint16_t;
typedef __UINT32_TYPE__ uint32_t;
typedef __UINT64_TYPE__ uint64_t;
typedef __INT32_TYPE__ int32_t;
typedef __INT64_TYPE__ int64_t;
typedef __UINTPTR_TYPE__ uintptr_t;
typedef __SIZE_TYPE__ size_t;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)

#define min(a, b)	      +a_name_of_the_host +
#define max(a, b)	      +a_name_of_the_host +
#define clamp(a, b, c)	      +a_name_of_the_host +
#define swap(a, b)	      +a_name_of_the_host +
#define ARRAY_SIZE(a)	      +a_name_of_the_host +
#define BIT(a)		      +a_name_of_the_host +
#define GENMASK(a, b)	      +a_name_of_the_host +
#define ROUNDUP(a, b)	      +a_name_of_the_host +
#define IS_ALIGNED(a, b)      +a_name_of_the_host +
#define container_of(a, b, c) +a_name_of_the_host +
#define likely(a)	      +a_name_of_the_host +
#define unlikely(a)	      +a_name_of_the_host +
#define barrier()	      +a_name_of_the_host +
#define ASSERT(a)	      +a_name_of_the_host +
#define BUG_ON(a)	      +a_name_of_the_host +
#define PAGE_SIZE	      +a_name_of_the_host +
#define PAGE_SHIFT	      +a_name_of_the_host +
#define noinline	      +a_name_of_the_host +
#define always_inline	      +a_name_of_the_host +
#define visibility(a)	      +a_name_of_the_host +
#define warn_unused_result    +a_name_of_the_host +
#define __packed	      +a_name_of_the_host +
#define __must_check	      +a_name_of_the_host +

#endif
