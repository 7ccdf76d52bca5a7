/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest_el1.c - a guest at EL1: in by ERET, out by HVC, stage 2 or an interrupt
 */
#include "arm64.h"
#include "console.h"
#include "cpu.h"
#include "gic.h"
#include "guest.h"
#include "pages.h"
#include "stage2.h"

/* ESR_EL2 (Arm ARM D19.2.37) */
#define ESR_EC_LSB     26
#define EC_HVC64       0x16u
#define EC_INSN_ABORT  0x20u /* from a lower EL */
#define EC_DATA_ABORT  0x24u /* from a lower EL */
#define ESR_WNR	       (1ull << 6)
#define ESR_FSC_TYPE   0x3cull /* fault status without its level */
#define FSC_PERMISSION 0x0cull

#define PSTATE_EL1H_MASKED 0x3c5ull
#define SCTLR_EL1_MMU_OFF  0x30d00800ull

/* Instruction fetches may see older memory than loads do (B2.4.4). */
static void code_publish(const char *page)
{
	for (const char *line = page; line < page + PAGE_SIZE; line += 16)
		__asm__ volatile("dc cvau, %0" : : "r"(line) : "memory");
	dsb();
	__asm__ volatile("ic ialluis" : : : "memory");
	dsb();
	isb();
}

static void fault_record(struct guest *guest, uint64_t esr)
{
	/* The guest's stage 1 is off, so the address it used is the IPA. */
	guest->fault = (struct guest_fault){
		.ipa = sysreg_read(far_el2),
		.syndrome = esr,
		.write = esr >> ESR_EC_LSB == EC_DATA_ABORT && esr & ESR_WNR,
		.permission = (esr & ESR_FSC_TYPE) == FSC_PERMISSION,
	};
}

int guest_run(struct guest *guest)
{
	uint64_t esr;
	int reason;

	sysreg_write(vtcr_el2, p2m_vtcr(&guest->p2m));
	sysreg_write(vttbr_el2, p2m_vttbr(&guest->p2m));
	sysreg_write(sctlr_el1, SCTLR_EL1_MMU_OFF);
	/* DC: with stage 1 off the guest's accesses are cacheable all the same. */
	sysreg_write(hcr_el2, HCR_HOST | HCR_VM | HCR_DC);
	isb();
	irq_mask(); /* entry and exit use registers that a handler would */
	while ((reason = guest_enter(&guest->regs)) == GUEST_EXIT_IRQ) {
		guest->nr_exits++;
		gic_dispatch();
	}
	esr = sysreg_read(esr_el2);
	guest->nr_exits++;
	if (esr >> ESR_EC_LSB == EC_DATA_ABORT ||
	    esr >> ESR_EC_LSB == EC_INSN_ABORT)
		fault_record(guest, esr);
	sysreg_write(hcr_el2, HCR_HOST);
	isb();
	irq_unmask();
	switch (esr >> ESR_EC_LSB) {
	case EC_HVC64:
		return 0;
	case EC_INSN_ABORT:
	case EC_DATA_ABORT:
		return GUEST_FAULT;
	default:
		panic("guest %u: ESR_EL2 %lx at %lx", guest->p2m.vmid, esr,
		      guest->regs.pc);
	}
}

/* After a fault too, the program goes on behind the HVC that asks. */
int guest_command(struct guest *guest, uint64_t command, uint64_t to,
		  uint64_t from, uint64_t size)
{
	uint64_t *x = guest->regs.x;

	x[0] = command;
	x[1] = to;
	x[2] = from;
	x[3] = size;
	guest->regs.pc = (guest->program_gfn << PAGE_LG2) +
			 (uint64_t)(guest_code_next - guest_code);
	return guest_run(guest);
}

uint64_t guest_result(const struct guest *guest)
{
	return guest->regs.x[0];
}

int guest_arch_create(struct guest *guest)
{
	guest->regs = (struct guest_regs){
		.pc = guest->program_gfn << PAGE_LG2,
		.pstate = PSTATE_EL1H_MASKED,
	};
	code_publish((const char *)(guest->program_mfn << PAGE_LG2));
	return 0;
}

void guest_arch_destroy(struct guest *guest)
{
	(void)guest;
}
