/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * api_struct.h - structs that cross the API, each led by its size
 *
 * Headers grow at the end of a struct. A caller built with an older one passes a
 * shorter struct: what it lacks is 0. One built with a newer one passes a longer
 * struct: what this build doesn't know must be 0.
 */
#ifndef IOMMUABS_CORE_API_STRUCT_H
#define IOMMUABS_CORE_API_STRUCT_H

#include <iommuabs/error.h>

/* No struct of any version is longer: bounds what is read. */
#define API_STRUCT_MAX 4096

/*
 * Copy the caller's struct @from into the @known bytes of @to, whose size
 * becomes @known. 0 | E_INVAL (no size at all) | E_VERSION (an unknown field is
 * set); then @to is untouched.
 */
int api_struct_in(void *to, size_t known, const void *from);

/* 0, or E_INVAL: @to, that will be written, has no sensible size. */
int api_struct_check(const void *to);

/*
 * Write the answer @from of @known bytes into the caller's struct @to, as much
 * as its size holds; the size stays, the rest becomes 0. api_struct_check()
 * found it good.
 */
void api_struct_out(void *to, const void *from, size_t known);

#endif
