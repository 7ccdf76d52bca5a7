/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domu_start.S - the first instructions of the guest, and what Xen takes it for:
 * an arm64 kernel image (Linux, Documentation/arch/arm64/booting.rst)
 */
	.section .head, "ax"
	.globl	_start
_start:
	b	1f
	.long	0
	.quad	0			/* from the start of memory */
	.quad	_end - _start
	.quad	0xa			/* little endian, 4K, anywhere */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0
1:	adrp	x1, stack_end
	add	sp, x1, :lo12:stack_end
	bl	domu_main
2:	wfi
	b	2b

	/* long domu_hypercall(long a, long b, long c, long nr) */
	.globl	domu_hypercall
domu_hypercall:
	mov	x16, x3
	hvc	#0xea1
	ret

	.bss
	.balign	4096
	.skip	8192
stack_end:
