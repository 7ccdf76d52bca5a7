/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest_code.S - the program that every guest runs, 32-bit code without paging
 *
 * It asks the host for a command by VMMCALL, carries it out with its own loads
 * and stores, and asks again. The host copies it into a frame of the guest, so
 * it may only use addresses relative to itself. Commands: guest_regs.h.
 */
#include "guest_regs.h"

	.section .rodata.guest, "a"
	.balign	8
	.code32
	.globl	guest_code, guest_code_next, guest_code_end
guest_code:
	vmmcall				/* eax = result of the last command */
guest_code_next:
	cmpl	$GUEST_COPY, %eax
	je	copy
	cmpl	$GUEST_FILL, %eax
	je	fill
	cmpl	$GUEST_SUM, %eax
	je	sum
	movl	$-1, %eax
	jmp	guest_code

copy:	rep	movsb
	xorl	%eax, %eax
	jmp	guest_code

fill:	xorl	%eax, %eax
1:	testl	%ecx, %ecx
	jz	guest_code
	movl	%esi, (%edi)
	movl	$0, 4(%edi)
	incl	%esi
	addl	$8, %edi
	subl	$8, %ecx
	jmp	1b

sum:	xorl	%eax, %eax
1:	testl	%ecx, %ecx
	jz	guest_code
	movzbl	(%esi), %edx
	addl	%edx, %eax
	incl	%esi
	decl	%ecx
	jmp	1b
guest_code_end:
	.code64
	/* An error here: the guest's program runs into its buffer. */
	.org	guest_code + GUEST_BUFFER
	.section .note.GNU-stack, "", @progbits
