/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tablemem.h - table memory: where it comes from, who is charged, what it is
 *
 * Every page that hardware or the library uses as a table comes through here, so
 * that no frame is a table and mapped at the same time (C15): a bitmap over
 * host->table_ranges says which frames are tables now, and @frame_is_mapped,
 * given by the reverse map's owner, which are mapped.
 */
#ifndef IOMMUABS_HOST_TABLEMEM_H
#define IOMMUABS_HOST_TABLEMEM_H

#include "hostif.h"

struct tablemem {
	const struct hostif *host;
	struct tablemem_range
		*ranges; /* copied table_ranges with their bitmaps */
	uint32_t nr_ranges;
	/* Is a frame of [@mfn, @mfn + @nr) mapped somewhere? */
	bool (*frame_is_mapped)(void *arg, uint64_t mfn, uint64_t nr);
	void *arg;
};

/* Who pays: a domain or the instance. Counts frames; 0 limit: none. */
struct tablemem_account {
	void *cookie; /* for the host: a domain's, NULL for the instance */
	uint64_t limit;
	uint64_t used; /* atomic */
};

int tablemem_init(struct tablemem *mem, const struct hostif *host);
void tablemem_exit(struct tablemem *mem);

/*
 * 1 << @size_lg2 bytes (>= 12), naturally aligned, of any content, charged.
 * Return: 0 | E_QUOTA | E_NOMEM (also for a page from outside table_ranges or
 * one that is mapped: given back, logged).
 */
int tablemem_alloc(struct tablemem *mem, struct tablemem_account *account,
		   unsigned int size_lg2, uint32_t flags, uint64_t *maddr);
void tablemem_free(struct tablemem *mem, struct tablemem_account *account,
		   uint64_t maddr, unsigned int size_lg2);

/* Is a frame of [@mfn, @mfn + @nr) a table of ours now? */
bool tablemem_holds(struct tablemem *mem, uint64_t mfn, uint64_t nr);

/*
 * A list of spare pages, taken before a change that must not fail. Linked
 * through the pages' first word: they are not yet visible to any device.
 */
struct tablemem_pool {
	uint64_t first; /* machine address, 0: empty (with nr 0) */
	uint32_t nr;
};

/* Add pages until @pool has @nr. On error it keeps what it had and gained. */
int tablemem_pool_fill(struct tablemem *mem, struct tablemem_account *account,
		       struct tablemem_pool *pool, uint32_t nr);
void tablemem_pool_drain(struct tablemem *mem, struct tablemem_account *account,
			 struct tablemem_pool *pool);

/* A page of the pool; the pool is not empty. */
static inline uint64_t tablemem_pool_take(const struct hostif *host,
					  struct tablemem_pool *pool)
{
	uint64_t maddr = pool->first, *page = hostif_map(host, maddr);

	pool->first = port_load64(page);
	pool->nr--;
	hostif_unmap(host, page);
	return maddr;
}

/* Give a page, that no device has seen, to the pool. */
static inline void tablemem_pool_put(const struct hostif *host,
				     struct tablemem_pool *pool, uint64_t maddr)
{
	uint64_t *page = hostif_map(host, maddr);

	port_store64(page, pool->first);
	hostif_unmap(host, page);
	pool->first = maddr;
	pool->nr++;
}

/*
 * Small objects, zeroed: host->alloc, or cut from pages charged to the
 * instance. Return: NULL for out of memory.
 */
void *tablemem_object_alloc(struct tablemem *mem, size_t size);
void tablemem_object_free(struct tablemem *mem, void *object, size_t size);

#endif
