/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpu.h - set up a CPU; start the others
 */
#ifndef CPU_H
#define CPU_H

/* Exceptions, interrupts and SVM of this CPU. */
void cpu_init(void);

/*
 * Run @work(@arg) on CPU @n (from 1 on); CPUs beyond machine.nr_cpus do not
 * exist. 0, or -1: it did not start. cpu_wait() returns when it is done.
 */
int cpu_start(unsigned int n, void (*work)(void *arg), void *arg);
void cpu_wait(unsigned int n);

/* The CPU that this runs on, by its stack; 0: the first. */
unsigned int cpu_number(void);

#endif
