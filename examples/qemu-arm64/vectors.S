/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vectors.S - exceptions taken to EL2, and the way into a guest and out again
 *
 * What the host does wrong ends in exception_fatal(). What happens while a
 * guest runs makes guest_enter() return.
 */
#include "guest_regs.h"

	.macro	entry target
	.balign	0x80
	b	\target
	.endm

	.macro	fatal kind
	.balign	0x80
	mov	x0, #\kind
	b	host_fatal
	.endm

/* Arm ARM D1.3.1: the table, 2 KiB aligned, 16 entries of 0x80 bytes */
	.text
	.balign	0x800
	.globl	vectors
vectors:
	fatal	0			/* EL2 with SP_EL0 */
	fatal	1
	fatal	2
	fatal	3
	fatal	4			/* EL2 with SP_EL2: synchronous */
	entry	host_irq
	fatal	6
	fatal	7
	entry	guest_sync		/* from a guest */
	entry	guest_irq
	fatal	10
	fatal	11
	fatal	12			/* from an AArch32 guest */
	fatal	13
	fatal	14
	fatal	15

host_fatal:
	mrs	x1, esr_el2
	mrs	x2, far_el2
	mrs	x3, elr_el2
	bl	exception_fatal

/* Only what the procedure call standard lets a C function change. */
host_irq:
	sub	sp, sp, #192
	stp	x0, x1, [sp, #0]
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x29, [sp, #144]
	mrs	x0, elr_el2
	mrs	x1, spsr_el2
	stp	x30, x0, [sp, #160]
	str	x1, [sp, #176]
	bl	gic_dispatch
	ldr	x1, [sp, #176]
	ldp	x30, x0, [sp, #160]
	msr	elr_el2, x0
	msr	spsr_el2, x1
	ldp	x18, x29, [sp, #144]
	ldp	x16, x17, [sp, #128]
	ldp	x14, x15, [sp, #112]
	ldp	x12, x13, [sp, #96]
	ldp	x10, x11, [sp, #80]
	ldp	x8, x9, [sp, #64]
	ldp	x6, x7, [sp, #48]
	ldp	x4, x5, [sp, #32]
	ldp	x2, x3, [sp, #16]
	ldp	x0, x1, [sp, #0]
	add	sp, sp, #192
	eret

/*
 * int guest_enter(struct guest_regs *regs): run the guest until it traps or an
 * interrupt comes; GUEST_EXIT_SYNC or GUEST_EXIT_IRQ.
 */
	.globl	guest_enter
guest_enter:
	stp	x29, x30, [sp, #-96]!
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	msr	tpidr_el2, x0
	ldp	x1, x2, [x0, #GUEST_REGS_PC]
	msr	elr_el2, x1
	msr	spsr_el2, x2
	ldp	x2, x3, [x0, #16]
	ldp	x4, x5, [x0, #32]
	ldp	x6, x7, [x0, #48]
	ldp	x8, x9, [x0, #64]
	ldp	x10, x11, [x0, #80]
	ldp	x12, x13, [x0, #96]
	ldp	x14, x15, [x0, #112]
	ldp	x16, x17, [x0, #128]
	ldp	x18, x19, [x0, #144]
	ldp	x20, x21, [x0, #160]
	ldp	x22, x23, [x0, #176]
	ldp	x24, x25, [x0, #192]
	ldp	x26, x27, [x0, #208]
	ldp	x28, x29, [x0, #224]
	ldr	x30, [x0, #240]
	ldp	x0, x1, [x0, #0]
	eret

guest_sync:
	stp	x0, x1, [sp, #-16]!
	mov	x1, #GUEST_EXIT_SYNC
	b	guest_leave
guest_irq:
	stp	x0, x1, [sp, #-16]!
	mov	x1, #GUEST_EXIT_IRQ
guest_leave:
	mrs	x0, tpidr_el2
	stp	x2, x3, [x0, #16]
	stp	x4, x5, [x0, #32]
	stp	x6, x7, [x0, #48]
	stp	x8, x9, [x0, #64]
	stp	x10, x11, [x0, #80]
	stp	x12, x13, [x0, #96]
	stp	x14, x15, [x0, #112]
	stp	x16, x17, [x0, #128]
	stp	x18, x19, [x0, #144]
	stp	x20, x21, [x0, #160]
	stp	x22, x23, [x0, #176]
	stp	x24, x25, [x0, #192]
	stp	x26, x27, [x0, #208]
	stp	x28, x29, [x0, #224]
	str	x30, [x0, #240]
	ldp	x2, x3, [sp], #16
	stp	x2, x3, [x0, #0]
	mrs	x2, elr_el2
	mrs	x3, spsr_el2
	stp	x2, x3, [x0, #GUEST_REGS_PC]
	mov	x0, x1
	ldp	x19, x20, [sp, #16]
	ldp	x21, x22, [sp, #32]
	ldp	x23, x24, [sp, #48]
	ldp	x25, x26, [sp, #64]
	ldp	x27, x28, [sp, #80]
	ldp	x29, x30, [sp], #96
	ret
