/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * start.S - the first instructions of each CPU, at EL2 with the MMU off
 *
 * QEMU enters an ELF with x0 = 0 and a raw Image with x0 = device tree.
 */
#define BOOT_STACK_SIZE	0x10000

	.section .text.start, "ax"
	.globl	_start
_start:
	mov	x19, x0
	mrs	x1, CurrentEL
	cmp	x1, #(2 << 2)
	b.ne	park
	adrp	x1, boot_stack_top
	add	sp, x1, :lo12:boot_stack_top
	adrp	x1, bss_start
	add	x1, x1, :lo12:bss_start
	adrp	x2, bss_end
	add	x2, x2, :lo12:bss_end
1:	cmp	x1, x2
	b.hs	2f
	stp	xzr, xzr, [x1], #16
	b	1b
2:	mov	x29, xzr
	mov	x30, xzr
	mov	x0, x19
	bl	host_main
park:	wfe
	b	park

/* PSCI CPU_ON comes here; x0 -> struct cpu_boot of cpu.c */
	.globl	secondary_start
secondary_start:
	ldr	x1, [x0]
	mov	sp, x1
	mov	x29, xzr
	mov	x30, xzr
	bl	secondary_main
	b	park

/* Behind bss_end: clearing .bss does not touch the stack in use. */
	.section .stack, "aw", %nobits
	.balign	16
boot_stack:
	.skip	BOOT_STACK_SIZE
boot_stack_top:
