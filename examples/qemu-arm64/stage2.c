/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stage2.c - VTCR_EL2 and VTTBR_EL2 of a guest; TLBs; AT
 *
 * Sections are those of the Arm ARM, DDI 0487.
 */
#include "arm64.h"
#include "cpu.h"
#include "p2m_arch.h"
#include "stage2.h"
#include "vm.h"

/* D19.2.158: VTCR_EL2 */
#define VTCR_T0SZ(bits) (64 - (uint64_t)(bits))
#define VTCR_SL0_LSB	6
#define VTCR_WALK_ATTRS (1ull << 8 | 1ull << 10 | 3ull << 12)
#define VTCR_PS_LSB	16
#define VTCR_VS		(1ull << 19) /* VMIDs of 16 bits */
#define VTCR_RES1	(1ull << 31)
#define VTTBR_VMID_LSB	48

void p2m_tlb_flush(const struct p2m *p2m)
{
	uint64_t old = sysreg_read(vttbr_el2);

	dsb();
	sysreg_write(vttbr_el2, p2m_vttbr(p2m));
	isb();
	__asm__ volatile("tlbi vmalls12e1is" : : : "memory");
	dsb();
	sysreg_write(vttbr_el2, old);
	isb();
}

uint64_t p2m_vtcr(const struct p2m *p2m)
{
	uint64_t pa_range = sysreg_read(id_aa64mmfr0_el1) & 0xf;
	uint64_t vmid_bits = sysreg_read(id_aa64mmfr1_el1) >> 4 & 0xf;
	/* 4 KiB granule: SL0 0, 1, 2 start at level 2, 1, 0. */
	uint64_t sl0 = 2 - (uint64_t)p2m->start_level;

	/* More than 48 bits would need another table format. */
	if (pa_range > 5)
		pa_range = 5;
	return VTCR_RES1 | VTCR_T0SZ(p2m->ipa_bits) | sl0 << VTCR_SL0_LSB |
	       VTCR_WALK_ATTRS | pa_range << VTCR_PS_LSB |
	       (vmid_bits == 2 ? VTCR_VS : 0);
}

uint64_t p2m_vttbr(const struct p2m *p2m)
{
	return (uint64_t)p2m->vmid << VTTBR_VMID_LSB | p2m->root;
}

uint64_t at_s12e1(uint64_t vtcr, uint64_t vttbr, uint64_t ipa,
		  enum at_access access)
{
	uint64_t old_vtcr = sysreg_read(vtcr_el2);
	uint64_t old_vttbr = sysreg_read(vttbr_el2);
	uint64_t par;

	sysreg_write(vtcr_el2, vtcr);
	sysreg_write(vttbr_el2, vttbr);
	sysreg_write(hcr_el2, HCR_HOST | HCR_VM);
	isb();
	dsb();
	__asm__ volatile("tlbi vmalls12e1is" : : : "memory");
	dsb();
	isb();
	if (access == AT_WRITE)
		__asm__ volatile("at s12e1w, %0" : : "r"(ipa) : "memory");
	else
		__asm__ volatile("at s12e1r, %0" : : "r"(ipa) : "memory");
	isb();
	par = sysreg_read(par_el1);
	sysreg_write(hcr_el2, HCR_HOST);
	sysreg_write(vttbr_el2, old_vttbr);
	sysreg_write(vtcr_el2, old_vtcr);
	isb();
	return par;
}

/* D19.2.113: SCTLR_EL1 with stage 1 on, and no more than that */
#define SCTLR_EL1_M UINT64_C(0x30d00801)

uint64_t at_s1e1(const struct stage1 *table, uint64_t va, enum at_access access)
{
	uint64_t old_sctlr = sysreg_read(sctlr_el1);
	uint64_t par;

	sysreg_write(tcr_el1, table->tcr);
	sysreg_write(ttbr0_el1, table->ttbr);
	sysreg_write(mair_el1, table->mair);
	sysreg_write(sctlr_el1, SCTLR_EL1_M);
	sysreg_write(hcr_el2, HCR_HOST);
	isb();
	dsb();
	__asm__ volatile("tlbi vmalle1is" : : : "memory");
	dsb();
	isb();
	if (access == AT_WRITE)
		__asm__ volatile("at s1e1w, %0" : : "r"(va) : "memory");
	else
		__asm__ volatile("at s1e1r, %0" : : "r"(va) : "memory");
	isb();
	par = sysreg_read(par_el1);
	sysreg_write(sctlr_el1, old_sctlr);
	isb();
	return par;
}

int vm_p2m_describe(const struct p2m *p2m, struct iommuabs_p2m *desc)
{
	return iommuabs_p2m_from_vtcr(p2m_vtcr(p2m), p2m_vttbr(p2m),
				      HCR_HOST | HCR_VM, desc);
}
