/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pages.h - memory in naturally aligned powers of two, from 4 KiB to 4 MiB
 */
#ifndef PAGES_H
#define PAGES_H

#include <stdint.h>
#include "spinlock.h"

#define PAGE_LG2      12
#define PAGE_SIZE     (1ull << PAGE_LG2)
#define PAGES_MAX_LG2 22

/*
 * Memory from @next to @end was never given out; free[] heads a list per size.
 * What is given back is given out again in the same size only.
 */
struct page_pool {
	struct spinlock lock;
	uint64_t base, next, end;
	uint64_t free[PAGES_MAX_LG2 - PAGE_LG2 + 1];
	uint64_t nr_used; /* pages of 4 KiB */
};

/*
 * Tables (the host's, and those that the library asks for) and guests' memory
 * come from different pools, so that no guest frame can ever be a table.
 */
extern struct page_pool table_pool, guest_pool;
void pages_init(void);

/* A machine address, content arbitrary; 0: none left. */
uint64_t pages_alloc(struct page_pool *pool, unsigned int size_lg2);
void pages_free(struct page_pool *pool, uint64_t page, unsigned int size_lg2);

#endif
