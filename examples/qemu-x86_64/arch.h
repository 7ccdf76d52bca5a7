/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arch.h - what the common part of the hosts asks of the architecture
 */
#ifndef ARCH_H
#define ARCH_H

#include "x86.h"

/* Stores before are in memory, and seen by devices, before what comes after. */
static inline void memory_barrier(void)
{
	__asm__ volatile("mfence" : : : "memory");
}

static inline void cpu_relax(void)
{
	__asm__ volatile("pause");
}

#endif
