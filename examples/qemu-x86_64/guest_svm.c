/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest_svm.c - a guest under SVM: in by VMRUN, out by VMMCALL, a nested page
 * fault or an interrupt
 *
 * AMD64 APM vol. 2, chapter 15 and appendices B and C.
 */
#include "arch.h"
#include "console.h"
#include "guest.h"
#include "pages.h"
#include "string.h"
#include "vm.h"

/* clang-format off */
/* The control block: appendix B */
#define VMCB_EXCEPTIONS	   0x008 /* 32 bits */
#define VMCB_INTERCEPT_1   0x00c /* 32 bits */
#define   INTERCEPT_INTR   (1u << 0)
#define   INTERCEPT_SHUTDOWN (1u << 31)
#define VMCB_INTERCEPT_2   0x010 /* 32 bits */
#define   INTERCEPT_VMRUN  (1u << 0)
#define   INTERCEPT_VMMCALL (1u << 1)
#define VMCB_ASID	   0x058 /* 32 bits */
#define VMCB_TLB_CONTROL   0x05c /* 8 bits */
#define   TLB_FLUSH_ALL	   1u
#define VMCB_INTR_CONTROL  0x060
#define   V_INTR_MASKING   (1ull << 24)
#define VMCB_EXITCODE	   0x070
#define VMCB_EXITINFO1	   0x078
#define VMCB_EXITINFO2	   0x080
#define VMCB_NP_ENABLE	   0x090
#define VMCB_N_CR3	   0x0b0
#define VMCB_ES		   0x400 /* 16 bytes each: ES, CS, SS, DS, FS, GS */
#define VMCB_CS		   0x410
#define VMCB_NR_SEGMENTS   6
#define VMCB_EFER	   0x4d0
#define VMCB_CR4	   0x548
#define VMCB_CR3	   0x550
#define VMCB_CR0	   0x558
#define VMCB_DR7	   0x560
#define VMCB_DR6	   0x568
#define VMCB_RFLAGS	   0x570
#define VMCB_RIP	   0x578
#define VMCB_RAX	   0x5f8
#define VMCB_G_PAT	   0x668

/* Appendix C */
#define EXIT_INTR	   0x060ull
#define EXIT_VMMCALL	   0x081ull
#define EXIT_NPF	   0x400ull
#define NPF_PRESENT	   (1ull << 0) /* 15.25.6 */
#define NPF_WRITE	   (1ull << 1)

#define CR0_PE_ET	   0x11ull
#define RFLAGS_FIXED	   0x2ull
#define DR6_FIXED	   0xffff0ff0ull
#define DR7_FIXED	   0x400ull
#define PAT_RESET	   0x0007040600070406ull
/* Flat 32-bit segments: type, S, P in bits 7..0; D/B and G in 11..10 */
#define SEGMENT_CODE	   0xc9bu
#define SEGMENT_DATA	   0xc93u
/* clang-format on */

static uint64_t *field(const struct guest *guest, unsigned int offset)
{
	return (uint64_t *)(guest->regs.vmcb + offset);
}

static void field32(const struct guest *guest, unsigned int offset,
		    uint32_t value)
{
	*(uint32_t *)(guest->regs.vmcb + offset) = value;
}

static void segments_init(const struct guest *guest)
{
	for (unsigned int i = 0; i < VMCB_NR_SEGMENTS; i++) {
		unsigned int at = VMCB_ES + 16 * i;
		uint32_t kind = at == VMCB_CS ? SEGMENT_CODE : SEGMENT_DATA;

		field32(guest, at, kind << 16 | (at == VMCB_CS ? 8 : 16));
		field32(guest, at + 4, ~0u);
		*field(guest, at + 8) = 0;
	}
}

int guest_arch_create(struct guest *guest)
{
	uint64_t vmcb = pages_alloc(&table_pool, PAGE_LG2);

	if (!vmcb)
		return P2M_NOMEM;
	memset((void *)vmcb, 0, PAGE_SIZE);
	guest->regs = (struct guest_regs){ .vmcb = vmcb };
	field32(guest, VMCB_EXCEPTIONS, ~0u);
	field32(guest, VMCB_INTERCEPT_1, INTERCEPT_INTR | INTERCEPT_SHUTDOWN);
	field32(guest, VMCB_INTERCEPT_2, INTERCEPT_VMRUN | INTERCEPT_VMMCALL);
	field32(guest, VMCB_ASID, guest->p2m.vmid);
	/* CPUs forget the guest at each entry: it runs only when nothing changes. */
	field32(guest, VMCB_TLB_CONTROL, TLB_FLUSH_ALL);
	*field(guest, VMCB_INTR_CONTROL) = V_INTR_MASKING;
	*field(guest, VMCB_NP_ENABLE) = 1;
	*field(guest, VMCB_N_CR3) = guest->p2m.root;
	*field(guest, VMCB_EFER) = EFER_SVME;
	*field(guest, VMCB_CR0) = CR0_PE_ET;
	*field(guest, VMCB_DR6) = DR6_FIXED;
	*field(guest, VMCB_DR7) = DR7_FIXED;
	*field(guest, VMCB_RFLAGS) = RFLAGS_FIXED;
	*field(guest, VMCB_G_PAT) = PAT_RESET;
	*field(guest, VMCB_RIP) = guest->program_gfn << PAGE_LG2;
	segments_init(guest);
	return 0;
}

void guest_arch_destroy(struct guest *guest)
{
	pages_free(&table_pool, guest->regs.vmcb, PAGE_LG2);
}

static void fault_record(struct guest *guest)
{
	uint64_t info = *field(guest, VMCB_EXITINFO1);

	guest->fault = (struct guest_fault){
		.ipa = *field(guest, VMCB_EXITINFO2),
		.syndrome = info,
		.write = (info & NPF_WRITE) != 0,
		.permission = (info & NPF_PRESENT) != 0,
	};
}

int guest_run(struct guest *guest)
{
	uint64_t code;

	irq_mask();
	do {
		guest_enter(&guest->regs, guest->regs.vmcb);
		guest->nr_exits++;
		code = *field(guest, VMCB_EXITCODE);
		if (code == EXIT_INTR) {
			/* What is pending is taken between these two. */
			irq_unmask();
			__asm__ volatile("nop");
			irq_mask();
		}
	} while (code == EXIT_INTR);
	irq_unmask();
	switch (code) {
	case EXIT_VMMCALL:
		return 0;
	case EXIT_NPF:
		fault_record(guest);
		return GUEST_FAULT;
	default:
		panic("guest %u: exit %lx, %lx, at %lx", guest->p2m.vmid, code,
		      *field(guest, VMCB_EXITINFO1), *field(guest, VMCB_RIP));
	}
}

/* After a fault too, the program goes on behind the VMMCALL that asks. */
int guest_command(struct guest *guest, uint64_t command, uint64_t to,
		  uint64_t from, uint64_t size)
{
	guest->regs.rdi = to;
	guest->regs.rsi = from;
	guest->regs.rcx = size;
	*field(guest, VMCB_RAX) = command;
	*field(guest, VMCB_RIP) = (guest->program_gfn << PAGE_LG2) +
				  (uint64_t)(guest_code_next - guest_code);
	return guest_run(guest);
}

uint64_t guest_result(const struct guest *guest)
{
	return (uint32_t)*field(guest, VMCB_RAX);
}

void p2m_tlb_flush(const struct p2m *p2m)
{
	(void)p2m; /* guest_arch_create(): at each entry */
}
