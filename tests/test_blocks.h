/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_blocks.h - how much the scanners do, by the compiler's count
 *
 * Programs linked with libcounted have scanners that were compiled to tell of
 * each basic block they enter: work that no code counts is counted too.
 */
#ifndef TEST_BLOCKS_H
#define TEST_BLOCKS_H

#include <stdint.h>

/* Blocks entered so far; 0 for ever: the compiler can't. */
uint64_t test_blocks(void);

#endif
