/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vectors.S - exceptions and interrupts; the way into a guest and out
 */
#include "guest_regs.h"

#define NR_VECTORS 256
#define PAGE_FAULT 14

	.text
	/* Each stub is 16 bytes: an error code where the CPU pushes none. */
	.balign	16
	.globl	vectors
vectors:
	.set	vector, 0
	.rept	NR_VECTORS
	.balign	16
	.if	vector != 8 && (vector < 10 || vector > 14) && vector != 17 && \
		vector != 21 && vector != 29 && vector != 30
	pushq	$0
	.endif
	pushq	$vector
	jmp	enter
	.set	vector, vector + 1
	.endr

	.balign	16
enter:
	cld
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	movq	72(%rsp), %rdi		/* vector */
	cmpq	$32, %rdi
	jb	1f
	subq	$8, %rsp
	call	apic_dispatch
	addq	$8, %rsp
2:	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%rcx
	popq	%rax
	addq	$16, %rsp
	iretq
	/* probe.S asked for it, if it is a page fault. */
1:	movq	probe_resume(%rip), %rax
	testq	%rax, %rax
	jz	3f
	cmpq	$PAGE_FAULT, %rdi
	jne	3f
	movq	%rax, 88(%rsp)
	jmp	2b
3:	movq	80(%rsp), %rsi		/* error code */
	movq	88(%rsp), %rdx		/* rip */
	movq	%cr2, %rcx
	andq	$-16, %rsp
	call	exception_fatal

/*
 * void guest_enter(struct guest_regs *regs, uint64_t vmcb). VMRUN keeps rsp, rax
 * and the segments of both sides; what it doesn't is exchanged here. No interrupt
 * comes between CLGI and STGI, and interrupts are masked around them.
 */
	.globl	guest_enter
guest_enter:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushq	%rdi
	movq	%rsi, %rax
	movq	GUEST_RBX(%rdi), %rbx
	movq	GUEST_RCX(%rdi), %rcx
	movq	GUEST_RDX(%rdi), %rdx
	movq	GUEST_RSI(%rdi), %rsi
	movq	GUEST_RBP(%rdi), %rbp
	movq	GUEST_RDI(%rdi), %rdi
	clgi
	/* V_INTR_MASKING: this flag, not the guest's, lets interrupts end it. */
	sti
	vmrun	%rax
	cli
	stgi
	xchgq	%rdi, (%rsp)
	movq	%rbx, GUEST_RBX(%rdi)
	movq	%rcx, GUEST_RCX(%rdi)
	movq	%rdx, GUEST_RDX(%rdi)
	movq	%rsi, GUEST_RSI(%rdi)
	movq	%rbp, GUEST_RBP(%rdi)
	popq	%rax
	movq	%rax, GUEST_RDI(%rdi)
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret
	.section .note.GNU-stack, "", @progbits
