/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * start.S - from the PVH entry, and from a start-up message, to 64-bit C
 *
 * PVH: 32-bit protected mode, flat segments, paging off, ebx = start info. A
 * start-up message: 16-bit real mode at the beginning of a page below 1 MiB, into
 * which the code from trampoline on was copied.
 */
#define CR0_PE	  0x1
#define CR0_PG	  0x80000000
#define CR4_PAE	  0x20
#define MSR_EFER  0xc0000080
#define EFER_LME  0x100
#define CODE64	  0x08
#define DATA	  0x10
#define CODE32	  0x18
#define ENTRY	  0x3 /* present, writable */
#define LARGE	  0x83
#define NR_LARGE  2048 /* of 2 MiB: 4 GiB */
#define STACK	  0x8000

	/* Xen's note 18, PHYS32_ENTRY: where a PVH kernel begins. */
	.section .note.Xen, "a", @note
	.balign	4
	.long	4, 4, 18
	.asciz	"Xen"
	.long	_start

	.section .text.start, "ax"
	.code32
	.globl	_start
_start:
	movl	$boot_stack_top, %esp
	movl	$bss_start, %edi
	movl	$bss_end, %ecx
	subl	%edi, %ecx
	shrl	$2, %ecx
	xorl	%eax, %eax
	cld
	rep	stosl

	/* Identity, 4 GiB: all that the host and its devices have. */
	movl	$pml4, %edi
	movl	$(pdpt + ENTRY), (%edi)
	movl	$pdpt, %edi
	movl	$(directories + ENTRY), %eax
	movl	$4, %ecx
1:	movl	%eax, (%edi)
	addl	$4096, %eax
	addl	$8, %edi
	loop	1b
	movl	$directories, %edi
	movl	$LARGE, %eax
	movl	$NR_LARGE, %ecx
1:	movl	%eax, (%edi)
	addl	$(1 << 21), %eax
	addl	$8, %edi
	loop	1b

	call	long_mode
	ljmp	$CODE64, $start64

/* Paging and long mode on, as soon as a 64-bit segment is loaded. */
long_mode:
	movl	%cr4, %eax
	orl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	$pml4, %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$EFER_LME, %eax
	wrmsr
	movl	%cr0, %eax
	orl	$(CR0_PG | CR0_PE), %eax
	movl	%eax, %cr0
	lgdt	gdt_pointer
	ret

	.code64
start64:
	call	segments64
	movl	%ebx, %edi
	leaq	boot_stack_top(%rip), %rsp
	call	host_main

segments64:
	movl	$DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	xorl	%eax, %eax
	movl	%eax, %fs
	movl	%eax, %gs
	ret

	/* Another CPU: secondary_stack was set before it was started. */
	.code16
	.globl	trampoline, trampoline_end
trampoline:
	cli
	cs lgdtl (trampoline_gdt - trampoline)
	movl	%cr0, %eax
	orl	$CR0_PE, %eax
	movl	%eax, %cr0
	ljmpl	$CODE32, $secondary32
	.balign	4
trampoline_gdt:
	.word	gdt_end - gdt - 1
	.long	gdt
trampoline_end:

	.code32
secondary32:
	movl	$DATA, %eax
	movl	%eax, %ds
	movl	%eax, %ss
	movl	secondary_stack, %esp
	call	long_mode
	ljmp	$CODE64, $secondary64

	.code64
secondary64:
	call	segments64
	movq	secondary_stack(%rip), %rsp
	call	secondary_main

	.data
	.balign	8
gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* CODE64 */
	.quad	0x00cf93000000ffff	/* DATA */
	.quad	0x00cf9b000000ffff	/* CODE32 */
gdt_end:
gdt_pointer:
	.word	gdt_end - gdt - 1
	.quad	gdt
	.globl	secondary_stack
	.balign	8
secondary_stack:
	.quad	0

	.bss
	.balign	4096
pml4:	.skip	4096
pdpt:	.skip	4096
directories:
	.skip	4 * 4096

	/* Not cleared at the start, for the start uses it. */
	.section .stack, "aw", @nobits
	.balign	16
	.skip	STACK
boot_stack_top:
	.section .note.GNU-stack, "", @progbits
