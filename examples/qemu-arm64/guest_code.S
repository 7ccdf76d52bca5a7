/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest_code.S - the program that every guest runs, at EL1
 *
 * It asks the host for a command by HVC, carries it out with its own loads and
 * stores, and asks again. The host copies it into a frame of the guest, so it
 * may only use addresses relative to itself. Commands: guest_regs.h.
 */
#include "guest_regs.h"

	.section .rodata.guest, "a"
	.balign	8
	.globl	guest_code, guest_code_next, guest_code_end
guest_code:
	hvc	#0			/* x0 = result of the last command */
guest_code_next:
	cmp	x0, #GUEST_COPY
	b.eq	copy
	cmp	x0, #GUEST_FILL
	b.eq	fill
	cmp	x0, #GUEST_SUM
	b.eq	sum
	mov	x0, #-1
	b	guest_code

copy:	cbz	x3, done
	ldrb	w4, [x2], #1
	strb	w4, [x1], #1
	sub	x3, x3, #1
	b	copy

fill:	cbz	x3, done
	str	x2, [x1], #8
	add	x2, x2, #1
	sub	x3, x3, #8
	b	fill

sum:	mov	x0, #0
1:	cbz	x3, 2f
	ldrb	w4, [x2], #1
	add	x0, x0, x4
	sub	x3, x3, #1
	b	1b

done:	mov	x0, #0
2:	dsb	sy			/* a device may look next */
	b	guest_code
guest_code_end:
	.if guest_code_end - guest_code > GUEST_BUFFER
	.error "the guest's program runs into its buffer"
	.endif
