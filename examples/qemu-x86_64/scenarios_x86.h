/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scenarios_x86.h - what only this machine can show
 */
#ifndef SCENARIOS_X86_H
#define SCENARIOS_X86_H

/* With an instance of its own, which remaps interrupts, on a unit as reset. */
void prove_interrupts(void);

#endif
