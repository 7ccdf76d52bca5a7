/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * p2m_arch.h - entries of nested page tables (AMD64 APM vol. 2, 15.25, 5.3)
 *
 * Nested paging walks as the host's own paging does, four levels, and counts as
 * a user's access. Levels are numbered from the root, as elsewhere here: 3 is
 * the last. Present, writable and user are bits 0 to 2; VT-d's second level reads
 * bits 0 and 1 as "read" and "write" and lets bit 2 be, so that under QEMU one
 * table serves both. (No machine has both: a processor with nested paging comes
 * with another IOMMU.)
 */
#ifndef P2M_ARCH_H
#define P2M_ARCH_H

#include "arch.h"
#include "p2m.h"
#include "pages.h"

#define LAST_LEVEL 3

#define NPT_PRESENT  (1ull << 0)
#define NPT_WRITE    (1ull << 1)
#define NPT_USER     (1ull << 2)
#define NPT_UNCACHED (3ull << 3) /* PWT, PCD */
#define NPT_LARGE    (1ull << 7)
#define NPT_ADDRESS  0x000ffffffffff000ull

static inline int entry_is_valid(uint64_t value)
{
	return (value & NPT_PRESENT) != 0;
}

static inline int is_table(uint64_t value, unsigned int level)
{
	return level < LAST_LEVEL &&
	       (value & (NPT_PRESENT | NPT_LARGE)) == NPT_PRESENT;
}

static inline uint64_t entry_table(uint64_t value)
{
	return value & NPT_ADDRESS;
}

static inline uint64_t table_make(uint64_t table)
{
	return table | NPT_PRESENT | NPT_WRITE | NPT_USER;
}

static inline uint64_t leaf_mfn(uint64_t value)
{
	return (value & NPT_ADDRESS) >> PAGE_LG2;
}

/* What can't be read can't be expressed: nothing is mapped then. */
static inline uint64_t leaf_make(uint64_t mfn, uint32_t flags,
				 unsigned int level)
{
	uint64_t value = mfn << PAGE_LG2 | NPT_PRESENT | NPT_USER;

	if (!(flags & P2M_READ))
		return 0;
	if (flags & P2M_WRITE)
		value |= NPT_WRITE;
	if (flags & P2M_DEVICE)
		value |= NPT_UNCACHED;
	if (level < LAST_LEVEL)
		value |= NPT_LARGE;
	return value;
}

static inline uint32_t leaf_flags(uint64_t value)
{
	return P2M_READ | (value & NPT_WRITE ? P2M_WRITE : 0) |
	       (value & NPT_UNCACHED ? P2M_DEVICE : 0);
}

/* The unit's walks don't snoop (ECAP.C): it finds what is in memory. */
static inline void p2m_clean(const void *p, uint64_t size)
{
	cache_flush(p, size);
}

/* A TLB may have both for a moment; they say the same. */
static inline int split_is_direct(void)
{
	return 1;
}

static inline unsigned int p2m_start_level(unsigned int ipa_bits)
{
	(void)ipa_bits;
	return 0;
}

#endif
