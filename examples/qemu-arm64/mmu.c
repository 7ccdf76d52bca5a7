/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mmu.c - EL2 stage 1: one level-1 table of 1 GiB blocks
 *
 * Without it every access is a device access, on which atomic instructions
 * need not work. 39 bits reach the highest thing we touch, the ECAM at 256 GiB.
 */
#include <stdint.h>
#include "arm64.h"
#include "machine.h"
#include "mmu.h"

#define GIB_LG2 30
#define ENTRIES 512

/* Arm ARM D8.3: block descriptor; AP[1] is RES1 at EL2 */
#define BLOCK	    (1ull << 0)
#define ATTR_DEVICE (0ull << 2)
#define ATTR_NORMAL (1ull << 2)
#define AP_RES1	    (1ull << 6)
#define SH_INNER    (3ull << 8)
#define AF	    (1ull << 10)
#define XN	    (1ull << 54)

/* MAIR_EL2: attribute 0 Device-nGnRE, 1 Normal write-back */
#define MAIR ((uint64_t)0x04 | (uint64_t)0xff << 8)

/* TCR_EL2: 39 bits, walks inner shareable and write-back, 4 KiB granule */
#define TCR_RES1       (1ull << 31 | 1ull << 23)
#define TCR_T0SZ       (64 - 39)
#define TCR_WALK_ATTRS (1ull << 8 | 1ull << 10 | 3ull << 12)
#define TCR_PS_LSB     16

/* SCTLR_EL2 (Arm ARM D19.2.114), E2H = 0 */
#define SCTLR_RES1 0x30c50830ull
#define SCTLR_M	   (1ull << 0)
#define SCTLR_C	   (1ull << 2)
#define SCTLR_I	   (1ull << 12)

static uint64_t table[ENTRIES] __attribute__((aligned(4096)));

void mmu_build(void)
{
	uint64_t ram_first = machine.ram_base >> GIB_LG2;
	uint64_t ram_last =
		(machine.ram_base + machine.ram_size - 1) >> GIB_LG2;

	for (uint64_t i = 0; i < ENTRIES; i++) {
		uint64_t kind = ATTR_DEVICE | XN;

		if (i >= ram_first && i <= ram_last)
			kind = ATTR_NORMAL | SH_INNER;
		table[i] = i << GIB_LG2 | kind | AP_RES1 | AF | BLOCK;
	}
}

void mmu_enable(void)
{
	uint64_t pa_range = sysreg_read(id_aa64mmfr0_el1) & 0xf;

	/* More than 48 bits would need another table format. */
	if (pa_range > 5)
		pa_range = 5;
	sysreg_write(mair_el2, MAIR);
	sysreg_write(tcr_el2, TCR_RES1 | TCR_T0SZ | TCR_WALK_ATTRS |
				      pa_range << TCR_PS_LSB);
	sysreg_write(ttbr0_el2, (uintptr_t)table);
	dsb();
	__asm__ volatile("tlbi alle2" : : : "memory");
	dsb();
	isb();
	sysreg_write(sctlr_el2, SCTLR_RES1 | SCTLR_M | SCTLR_C | SCTLR_I);
	isb();
}
