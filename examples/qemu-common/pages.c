/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pages.c - memory in naturally aligned powers of two
 */
#include "console.h"
#include "machine.h"
#include "pages.h"

#define TABLE_POOL_SIZE (128ull << 20)

struct page_pool table_pool, guest_pool;

extern const char image_end[];

void pages_init(void)
{
	uint64_t first = (uintptr_t)image_end;
	uint64_t end = machine.ram_base + machine.ram_size;

	if (end - first < 2 * TABLE_POOL_SIZE)
		panic("too little memory");
	table_pool.base = table_pool.next = first;
	table_pool.end = first + TABLE_POOL_SIZE;
	guest_pool.base = guest_pool.next = table_pool.end;
	guest_pool.end = end;
}

/* What alignment skips goes to the free lists, largest pieces first. */
static uint64_t take_fresh(struct page_pool *pool, unsigned int size_lg2)
{
	uint64_t size = 1ull << size_lg2;
	uint64_t page = (pool->next + size - 1) & ~(size - 1);

	if (page > pool->end || pool->end - page < size)
		return 0;
	while (pool->next < page) {
		unsigned int lg2 = (unsigned int)__builtin_ctzll(pool->next);
		uint64_t *head = &pool->free[lg2 - PAGE_LG2];

		*(uint64_t *)pool->next = *head;
		*head = pool->next;
		pool->next += 1ull << lg2;
	}
	pool->next = page + size;
	return page;
}

uint64_t pages_alloc(struct page_pool *pool, unsigned int size_lg2)
{
	uint64_t *head, page;

	if (size_lg2 < PAGE_LG2)
		size_lg2 = PAGE_LG2;
	if (size_lg2 > PAGES_MAX_LG2)
		return 0;
	head = &pool->free[size_lg2 - PAGE_LG2];
	spin_lock(&pool->lock);
	page = *head;
	if (page)
		*head = *(uint64_t *)page;
	else
		page = take_fresh(pool, size_lg2);
	if (page)
		pool->nr_used += 1ull << (size_lg2 - PAGE_LG2);
	spin_unlock(&pool->lock);
	return page;
}

void pages_free(struct page_pool *pool, uint64_t page, unsigned int size_lg2)
{
	uint64_t *head;

	if (size_lg2 < PAGE_LG2)
		size_lg2 = PAGE_LG2;
	head = &pool->free[size_lg2 - PAGE_LG2];
	spin_lock(&pool->lock);
	*(uint64_t *)page = *head;
	*head = page;
	pool->nr_used -= 1ull << (size_lg2 - PAGE_LG2);
	spin_unlock(&pool->lock);
}
