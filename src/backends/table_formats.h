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

/* _52: the layout of CD.DS and STE.S2DS; the 64 KiB granule has 52 bits without. */
extern const struct pt_ops pt_arm_s1_4k_ops;
extern const struct pt_ops pt_arm_s1_16k_ops;
extern const struct pt_ops pt_arm_s1_64k_ops;
extern const struct pt_ops pt_arm_s1_4k_52_ops;
extern const struct pt_ops pt_arm_s1_16k_52_ops;
extern const struct pt_ops pt_arm_s2_4k_ops;
extern const struct pt_ops pt_arm_s2_16k_ops;
extern const struct pt_ops pt_arm_s2_64k_ops;
extern const struct pt_ops pt_vtd_ops;
extern const struct pt_ops pt_vtd_snoop_ops;
extern const struct pt_ops pt_arm_s2_4k_52_ops;
extern const struct pt_ops pt_arm_s2_16k_52_ops;

/*
 * What the stage 1 formats expect as MAIR (Arm ARM D8.6.1), AttrIndx 0 the
 * lowest byte: 0 Normal Write-Back, 1 Device-nGnRE, 2 Normal Non-cacheable.
 */
#define PT_ARM_S1_MAIR ((uint64_t)0x4404ff)

#endif
