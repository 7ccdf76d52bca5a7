/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scenario_x86.c - what only this machine can show
 */
#include "scenarios.h"

/* What interrupts need is an instance of its own: interrupts.c. */
void scenario_arch(void)
{
}

/* No CPU reads a table of the second stage. */
void cpu_check_table(const struct scene *scene, unsigned int edu, uint64_t gfn,
		     unsigned int nr)
{
	(void)scene;
	(void)edu;
	(void)gfn;
	(void)nr;
}
