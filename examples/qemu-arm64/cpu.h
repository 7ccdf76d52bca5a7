/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpu.h - the CPUs: each set up for EL2, the others started one by one
 */
#ifndef CPU_H
#define CPU_H

#include <stdint.h>

/* HCR_EL2 of the host: its guests are AArch64, interrupts are its own. */
#define HCR_VM	 (1ull << 0)
#define HCR_FMO	 (1ull << 3)
#define HCR_IMO	 (1ull << 4)
#define HCR_AMO	 (1ull << 5)
#define HCR_DC	 (1ull << 12)
#define HCR_RW	 (1ull << 31)
#define HCR_HOST (HCR_FMO | HCR_IMO | HCR_AMO | HCR_RW)

/* Vectors and EL2 control registers of this CPU. */
void cpu_init(void);

/* The address space, and then interrupts, of this CPU. */
void cpu_enable(void);

/*
 * Run @work(@arg) on CPU @n (from 1 on); CPUs beyond machine.nr_cpus do not
 * exist. 0 or PSCI's error. cpu_wait() returns when it is done, CPU off.
 */
int cpu_start(unsigned int n, void (*work)(void *arg), void *arg);
void cpu_wait(unsigned int n);

/* The CPU that this runs on, by its stack; 0: the first. */
unsigned int cpu_number(void);

#endif
