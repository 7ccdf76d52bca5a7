/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest_regs.h - what guest_enter(), the guest's program and the host agree on
 */
#ifndef GUEST_REGS_H
#define GUEST_REGS_H

/* Commands of the guest's program, in eax. */
#define GUEST_COPY 1 /* edi = to, esi = from, ecx = bytes */
#define GUEST_FILL 2 /* edi = to, esi = first word, ecx = bytes, 8 n */
#define GUEST_SUM  3 /* esi = from, ecx = bytes; the sum of them in eax */

/* The program's frame: code first, a buffer shared with the host behind it. */
#define GUEST_BUFFER	  0x800
#define GUEST_BUFFER_SIZE 0x800

/* Offsets in struct guest_regs. */
#define GUEST_RBX 0
#define GUEST_RCX 8
#define GUEST_RDX 16
#define GUEST_RSI 24
#define GUEST_RDI 32
#define GUEST_RBP 40

#ifndef __ASSEMBLER__
#include <stdint.h>

/* rax, rsp and rip are in the VMCB; a 32-bit guest has no more than these. */
struct guest_regs {
	uint64_t rbx, rcx, rdx, rsi, rdi, rbp;
	uint64_t vmcb; /* machine address of its control block */
};

/* Run the guest until its next exit; interrupts stay masked. */
void guest_enter(struct guest_regs *regs, uint64_t vmcb);

extern const char guest_code[], guest_code_next[], guest_code_end[];
#endif

#endif
