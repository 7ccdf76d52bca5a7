/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_formats.h - the table formats that drivers name in a geometry
 *
 * A driver says which format a unit walks; only core calls it. pgtable.h has the
 * same names and what is behind them.
 */
#ifndef IOMMUABS_BACKENDS_TABLE_FORMATS_H
#define IOMMUABS_BACKENDS_TABLE_FORMATS_H

struct pt_ops;

extern const struct pt_ops pt_arm_s2_4k_ops;

#endif
