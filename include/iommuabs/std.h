/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * std.h - the standard headers, in one place
 *
 * The library takes nothing from a hosted C library. What it needs is
 * uint8_t..uint64_t, int32_t, int64_t, uintptr_t, size_t, bool, true, false and NULL.
 * A host without these headers compiles the library and its own files with
 * -DIOMMUABS_STD_H='"its_own.h"'.
 */
#ifndef IOMMUABS_STD_H_INCLUDED
#define IOMMUABS_STD_H_INCLUDED

#ifdef IOMMUABS_STD_H
#include IOMMUABS_STD_H
#else
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#endif

#endif
