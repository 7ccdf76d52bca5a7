/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stage2.h - a guest's table in the CPU's registers, and the CPU's own opinion
 */
#ifndef STAGE2_H
#define STAGE2_H

#include "p2m.h"

uint64_t p2m_vtcr(const struct p2m *p2m);
uint64_t p2m_vttbr(const struct p2m *p2m);

/*
 * Ask this CPU to translate @ipa for a read or a write (AT S12E1R, AT S12E1W)
 * with any stage-2 table: PAR_EL1 (Arm ARM D19.2.107), bit 0 set: it faults.
 * TLB entries of the VMID in @vttbr are dropped first.
 *
 * QEMU up to at least 10.0.2 aborts when stage 2 maps @ipa but forbids @access,
 * so ask AT_WRITE only where the table allows writing.
 */
enum at_access { AT_READ, AT_WRITE };
uint64_t at_s12e1(uint64_t vtcr, uint64_t vttbr, uint64_t ipa,
		  enum at_access access);

/*
 * The same of any stage-1 table, alone (AT S1E1R, AT S1E1W): TCR_EL1, TTBR0_EL1 and
 * MAIR_EL1 as they would be to walk it.
 */
struct stage1 {
	uint64_t tcr, ttbr, mair;
};
uint64_t at_s1e1(const struct stage1 *table, uint64_t va,
		 enum at_access access);
#define PAR_FAULT   UINT64_C(1)
#define PAR_ADDRESS UINT64_C(0x0000fffffffff000)

#endif
