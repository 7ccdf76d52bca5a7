/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * p2m_arch.h - entries of Arm stage-2 tables, 4 KiB granule
 *
 * Sections are those of the Arm ARM, DDI 0487.
 */
#ifndef P2M_ARCH_H
#define P2M_ARCH_H

#include "arm64.h"
#include "p2m.h"
#include "pages.h"

#define LAST_LEVEL 3

/* D8.3.1, D8.3.2: stage-2 descriptors */
#define DESC_VALID    (1ull << 0)
#define DESC_TABLE    (1ull << 1) /* at level 3: a page */
#define MEMATTR_WB    (0xfull << 2)
#define MEMATTR_NGNRE (0x1ull << 2)
#define S2AP_READ     (1ull << 6)
#define S2AP_WRITE    (1ull << 7)
#define SH_INNER      (3ull << 8)
#define DESC_AF	      (1ull << 10)
#define DESC_XN	      (2ull << 53)
#define DESC_ADDRESS  0x0000fffffffff000ull

static inline int entry_is_valid(uint64_t value)
{
	return (value & DESC_VALID) != 0;
}

static inline int is_table(uint64_t value, unsigned int level)
{
	return level < LAST_LEVEL && (value & 3) == (DESC_VALID | DESC_TABLE);
}

static inline uint64_t entry_table(uint64_t value)
{
	return value & DESC_ADDRESS;
}

static inline uint64_t table_make(uint64_t table)
{
	return table | DESC_VALID | DESC_TABLE;
}

static inline uint64_t leaf_mfn(uint64_t value)
{
	return (value & DESC_ADDRESS) >> PAGE_LG2;
}

static inline uint64_t leaf_make(uint64_t mfn, uint32_t flags,
				 unsigned int level)
{
	uint64_t value = mfn << PAGE_LG2 | DESC_VALID | DESC_AF | SH_INNER;

	value |= flags & P2M_DEVICE ? MEMATTR_NGNRE | DESC_XN : MEMATTR_WB;
	if (flags & P2M_READ)
		value |= S2AP_READ;
	if (flags & P2M_WRITE)
		value |= S2AP_WRITE;
	if (level == LAST_LEVEL)
		value |= DESC_TABLE;
	return value;
}

static inline uint32_t leaf_flags(uint64_t value)
{
	uint32_t flags = 0;

	if (value & S2AP_READ)
		flags |= P2M_READ;
	if (value & S2AP_WRITE)
		flags |= P2M_WRITE;
	if ((value & MEMATTR_WB) == MEMATTR_NGNRE)
		flags |= P2M_DEVICE;
	return flags;
}

/* The SMMU sees what CPUs see: its device tree says dma-coherent. */
static inline void p2m_clean(const void *p, uint64_t size)
{
	(void)p;
	(void)size;
}

/* D8.16.1: with FEAT_BBM at level 2. */
static inline int split_is_direct(void)
{
	return (sysreg_read(id_aa64mmfr2_el1) >> 52 & 0xf) >= 2;
}

/* D8.2: concatenated root tables save a level of at most 16 entries. */
static inline unsigned int p2m_start_level(unsigned int ipa_bits)
{
	unsigned int level = 0;

	while (ipa_bits <= PAGE_LG2 + (LAST_LEVEL - level) * 9 + 4)
		level++;
	return level;
}

#endif
