/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probe.S - one access by another page table: see probe.h
 *
 * Where it faults, the exception ends at probe_resume (vectors.S). CR0.WP: what is
 * read-only is so for us, too (Intel SDM vol. 3A, 4.6.1).
 */
#define CR0_WP	 0x10000
#define FAULT	 -1

	.text
	.globl	probe_load, probe_store, probe_resume
	/* rdi: root, rsi: address, rdx: value or where to */
	.macro	probe	access:vararg
	pushfq
	cli
	movq	%cr3, %r8
	movq	%cr0, %r9
	movq	%r9, %rax
	orq	$CR0_WP, %rax
	movq	%rax, %cr0
	leaq	1f(%rip), %rax
	movq	%rax, probe_resume(%rip)
	movq	%rdi, %cr3
	movl	$FAULT, %eax
	\access
	xorl	%eax, %eax
1:	movq	%r8, %cr3
	movq	%r9, %cr0
	movq	$0, probe_resume(%rip)
	popfq
	.endm

probe_load:
	xorl	%ecx, %ecx
	probe	movq (%rsi), %rcx
	movq	%rcx, (%rdx)
	ret

probe_store:
	probe	movq %rdx, (%rsi)
	ret

	.bss
	.balign	8
probe_resume:
	.quad	0
	.section .note.GNU-stack, "", @progbits
