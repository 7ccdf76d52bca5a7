/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest_regs.h - what C and assembly both know about a guest
 */
#ifndef GUEST_REGS_H
#define GUEST_REGS_H

/* Why guest_enter() returned. */
#define GUEST_EXIT_SYNC 1
#define GUEST_EXIT_IRQ	2

/* Offset of pc in struct guest_regs: after x0 to x30. */
#define GUEST_REGS_PC 248

/* Commands of the guest's program, in x0. */
#define GUEST_COPY 1 /* x1 = to, x2 = from, x3 = bytes */
#define GUEST_FILL 2 /* x1 = to, x2 = first word, x3 = bytes, 8 n */
#define GUEST_SUM  3 /* x2 = from, x3 = bytes; the sum of them in x0 */

/* The program's frame: code first, a buffer shared with the host behind it. */
#define GUEST_BUFFER	  0x800
#define GUEST_BUFFER_SIZE 0x800

#ifndef __ASSEMBLER__
#include <stdint.h>

struct guest_regs {
	uint64_t x[31];
	uint64_t pc;
	uint64_t pstate;
};

int guest_enter(struct guest_regs *regs);

extern const char guest_code[], guest_code_next[], guest_code_end[];
#endif

#endif
