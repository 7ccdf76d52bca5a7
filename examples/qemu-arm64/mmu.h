/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mmu.h - the host's own address space: every machine address at itself
 */
#ifndef MMU_H
#define MMU_H

/* Build the table, once, from what machine_parse() found. */
void mmu_build(void);

/* Switch this CPU to it, caches on. */
void mmu_enable(void);

#endif
