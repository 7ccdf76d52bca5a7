/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef EXCEPTION_H
#define EXCEPTION_H

#include <stdint.h>

/* Called by vectors.S; @vector is the number of the vector's entry. */
_Noreturn void exception_fatal(unsigned int vector, uint64_t esr, uint64_t far,
			       uint64_t elr);

extern const char vectors[];

#endif
