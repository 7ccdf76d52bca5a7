/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xen_std.h - IOMMUABS_STD_H: what the library needs of the standard headers,
 * from Xen's own
 */
#ifndef XEN_STD_H
#define XEN_STD_H

#include <xen/types.h>
#include <xen/compiler.h>

#endif
