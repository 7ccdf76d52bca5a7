/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exception.c - an exception that nobody expected is the end
 */
#include <stdint.h>
#include "console.h"
#include "exception.h"

static const char *const kinds[4] = { "synchronous", "IRQ", "FIQ", "SError" };
static const char *const sources[4] = { "EL2 with SP_EL0", "EL2", "a guest",
					"an AArch32 guest" };

_Noreturn void exception_fatal(unsigned int vector, uint64_t esr, uint64_t far,
			       uint64_t elr)
{
	panic("%s exception from %s: ESR_EL2 %lx FAR_EL2 %lx ELR_EL2 %lx",
	      kinds[vector & 3], sources[vector >> 2 & 3], esr, far, elr);
}
