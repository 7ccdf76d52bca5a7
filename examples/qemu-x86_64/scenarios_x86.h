/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scenarios_x86.h - what only this machine can show
 */
#ifndef SCENARIOS_X86_H
#define SCENARIOS_X86_H

/* With instances of its own, so before or after the others. */
void prove_interrupts(void);

#endif
