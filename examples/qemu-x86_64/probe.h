/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probe.h - one access by another page table
 */
#ifndef PROBE_H
#define PROBE_H

#include <stdint.h>

/*
 * With @root in CR3, which has this program where it is. 0, or -1: a page fault.
 */
int probe_load(uint64_t root, uint64_t address, uint64_t *value);
int probe_store(uint64_t root, uint64_t address, uint64_t value);

#endif
