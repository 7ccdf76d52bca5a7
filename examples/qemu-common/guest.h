/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest.h - a virtual machine: a p2m and a program
 *
 * The program (guest_code.S) reads and writes the guest's memory with its own
 * instructions, so what these calls return is what a guest sees. It lives in
 * one frame of the guest's, which stays mapped where guest_create() put it.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdint.h>
#include "guest_regs.h"
#include "p2m.h"

#define GUEST_FAULT (-1) /* the p2m refused; see guest->fault */

/* The last access that the p2m refused. */
struct guest_fault {
	uint64_t ipa;
	uint64_t syndrome; /* as the CPU has it */
	int write;	   /* it was a store */
	int permission;	   /* mapped, but not for this; else not mapped */
};

struct guest {
	struct p2m p2m;
	struct guest_regs regs;
	uint64_t program_gfn, program_mfn;
	struct guest_fault fault;
	uint64_t nr_exits;
};

/*
 * An empty guest with its program at @program_gfn; 0 or P2M_*. Guests have
 * different VMIDs. One CPU runs a guest at a time.
 */
int guest_create(struct guest *guest, unsigned int ipa_bits, uint16_t vmid,
		 uint64_t program_gfn);
void guest_destroy(struct guest *guest);

/*
 * The architecture's. guest_run(): until the guest's next hypercall; 0, or
 * GUEST_FAULT. guest_command(): the same with a command (guest_regs.h) that it
 * finds first; guest_result() is what it left.
 */
int guest_arch_create(struct guest *guest);
void guest_arch_destroy(struct guest *guest);
int guest_run(struct guest *guest);
int guest_command(struct guest *guest, uint64_t command, uint64_t to,
		  uint64_t from, uint64_t size);
uint64_t guest_result(const struct guest *guest);

/* Copy between the host's @buffer and guest-physical @ipa: 0 or GUEST_FAULT. */
int guest_read(struct guest *guest, uint64_t ipa, void *buffer, uint64_t size);
int guest_write(struct guest *guest, uint64_t ipa, const void *buffer,
		uint64_t size);

/* Words of 64 bits @first, @first + 1, ...: 0 or GUEST_FAULT. */
int guest_fill(struct guest *guest, uint64_t ipa, uint64_t first,
	       uint64_t size);

/* The sum of all bytes. */
int guest_sum(struct guest *guest, uint64_t ipa, uint64_t size, uint64_t *sum);

#endif
