/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest.c - run a guest's program from one hypercall to the next
 */
#include "arm64.h"
#include "console.h"
#include "cpu.h"
#include "gic.h"
#include "guest.h"
#include "pages.h"
#include "string.h"

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

static char *buffer_of(const struct guest *guest)
{
	return (char *)(guest->program_mfn << PAGE_LG2) + GUEST_BUFFER;
}

static uint64_t buffer_ipa(const struct guest *guest)
{
	return (guest->program_gfn << PAGE_LG2) + GUEST_BUFFER;
}

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
		.esr = esr,
		.write = esr >> ESR_EC_LSB == EC_DATA_ABORT && esr & ESR_WNR,
		.permission = (esr & ESR_FSC_TYPE) == FSC_PERMISSION,
	};
}

/* Until the guest's next hypercall: 0, or GUEST_FAULT. */
static int guest_run(struct guest *guest)
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
static int guest_command(struct guest *guest, uint64_t command, uint64_t to,
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

int guest_create(struct guest *guest, unsigned int ipa_bits, uint16_t vmid,
		 uint64_t program_gfn)
{
	uint64_t page = pages_alloc(&guest_pool, PAGE_LG2);
	int st;

	if (!page)
		return P2M_NOMEM;
	*guest = (struct guest){
		.program_gfn = program_gfn,
		.program_mfn = page >> PAGE_LG2,
		.regs = { .pc = program_gfn << PAGE_LG2,
			  .pstate = PSTATE_EL1H_MASKED },
	};
	memset((void *)page, 0, PAGE_SIZE);
	memcpy((void *)page, guest_code, (size_t)(guest_code_end - guest_code));
	code_publish((const char *)page);
	st = p2m_init(&guest->p2m, ipa_bits, vmid);
	if (st)
		goto no_p2m;
	st = p2m_map(&guest->p2m, program_gfn, guest->program_mfn, 1,
		     P2M_READ | P2M_WRITE);
	if (st)
		goto no_program;
	st = guest_run(guest);
	if (!st)
		return 0;
no_program:
	p2m_destroy(&guest->p2m);
no_p2m:
	pages_free(&guest_pool, page, PAGE_LG2);
	return st;
}

void guest_destroy(struct guest *guest)
{
	p2m_destroy(&guest->p2m);
	pages_free(&guest_pool, guest->program_mfn << PAGE_LG2, PAGE_LG2);
}

static uint64_t chunk_of(uint64_t size)
{
	return size < GUEST_BUFFER_SIZE ? size : GUEST_BUFFER_SIZE;
}

int guest_read(struct guest *guest, uint64_t ipa, void *buffer, uint64_t size)
{
	char *to = buffer;

	while (size) {
		uint64_t n = chunk_of(size);

		if (guest_command(guest, GUEST_COPY, buffer_ipa(guest), ipa, n))
			return GUEST_FAULT;
		memcpy(to, buffer_of(guest), n);
		to += n;
		ipa += n;
		size -= n;
	}
	return 0;
}

int guest_write(struct guest *guest, uint64_t ipa, const void *buffer,
		uint64_t size)
{
	const char *from = buffer;

	while (size) {
		uint64_t n = chunk_of(size);

		memcpy(buffer_of(guest), from, n);
		if (guest_command(guest, GUEST_COPY, ipa, buffer_ipa(guest), n))
			return GUEST_FAULT;
		from += n;
		ipa += n;
		size -= n;
	}
	return 0;
}

int guest_fill(struct guest *guest, uint64_t ipa, uint64_t first, uint64_t size)
{
	return guest_command(guest, GUEST_FILL, ipa, first, size);
}

int guest_sum(struct guest *guest, uint64_t ipa, uint64_t size, uint64_t *sum)
{
	if (guest_command(guest, GUEST_SUM, 0, ipa, size))
		return GUEST_FAULT;
	*sum = guest->regs.x[0];
	return 0;
}
