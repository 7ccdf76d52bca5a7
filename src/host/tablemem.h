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

#include "lock.h"

struct tablemem_block; /* copied table_ranges, each with its bitmap */
struct tablemem_slab;  /* a page of small objects */

/* Who pays: a domain or the instance. Counts frames; 0 limit: none. */
struct tablemem_account {
	void *cookie; /* for the host: a domain's, NULL for the instance */
	uint64_t limit;
	uint64_t used; /* atomic */
};

/* Frames of one of host->table_ranges at the most: 1 PiB less 128 MiB. */
#define TABLEMEM_RANGE_MAX (((uint64_t)1 << 38) - ((uint64_t)1 << 15))

#define TABLEMEM_OBJECT_MAX   2048
#define TABLEMEM_OBJECT_SIZES 7 /* 32 to 2048 bytes, powers of two */

struct tablemem {
	const struct hostif *host;
	struct tablemem_block *blocks;
	/* All ranges lie in [first, end). */
	uint64_t first, end;
	/* The instance's own: the bitmaps and what small objects are cut from. */
	struct tablemem_account account;
	/*
	 * Is a frame of [@mfn, @mfn + @nr) mapped somewhere? NULL: none is.
	 * Called with no lock held.
	 */
	bool (*frame_is_mapped)(void *arg, uint64_t mfn, uint64_t nr);
	void *arg;
	struct ia_lock slab_lock; /* class UNIT: a leaf; for slabs[] */
	struct tablemem_slab *slabs[TABLEMEM_OBJECT_SIZES]; /* with room */
};

/*
 * Context: BOOT. Takes the bitmaps' directories (8 bytes for every 128 MiB of
 * table_ranges) and the pages for what they hold themselves; other pages of the
 * bitmaps come when the first table lies in their 128 MiB. Each range has been
 * checked: it doesn't wrap, and has up to TABLEMEM_RANGE_MAX frames.
 * Return: 0 | E_NOMEM.
 */
int tablemem_init(struct tablemem *mem, const struct hostif *host);
/* Everything was given back. */
void tablemem_exit(struct tablemem *mem);

/*
 * Charge @nr frames, all or none, exactly against the limit; take them back.
 * tablemem_alloc() and tablemem_free() do it themselves. Context: any.
 * Return: 0 | E_QUOTA.
 */
int tablemem_charge(struct tablemem_account *account, uint64_t nr);
void tablemem_uncharge(struct tablemem_account *account, uint64_t nr);

/*
 * 1 << @size_lg2 bytes (12 to 26), naturally aligned, of any content, charged.
 * Context: BOOT, TASK; no lock held.
 * Return: 0 | E_QUOTA | E_NOMEM (also for memory from outside table_ranges, not
 * aligned or mapped: given back, logged; and for memory that is a table
 * already: logged).
 */
int tablemem_alloc(struct tablemem *mem, struct tablemem_account *account,
		   unsigned int size_lg2, uint32_t flags, uint64_t *maddr);
void tablemem_free(struct tablemem *mem, struct tablemem_account *account,
		   uint64_t maddr, unsigned int size_lg2);

/*
 * Tables of one size, of at most 64 frames, given back together. They are unmarked
 * at once as far as they lie in the same 64 frames. No more at a time than the ways
 * of a first-level cache, 8 to 12: a host that links them by a word in each stores to
 * lines that are pages apart, all of one set.
 */
#define TABLEMEM_GIVING 12

struct tablemem_giving {
	struct tablemem *mem;
	struct tablemem_account *account;
	unsigned int size_lg2;
	unsigned int nr;     /* tables that are not given back yet */
	unsigned int of_row; /* first of them and of those to come: unmarked */
	uint64_t given;	     /* those that are, and still charged */
	uint64_t maddrs[TABLEMEM_GIVING];
};

static inline void tablemem_giving_begin(struct tablemem_giving *giving,
					 struct tablemem *mem,
					 struct tablemem_account *account,
					 unsigned int size_lg2)
{
	/* Its list is counted: the words need no clearing. */
	giving->mem = mem;
	giving->account = account;
	giving->size_lg2 = size_lg2;
	giving->nr = 0;
	giving->of_row = 0;
	giving->given = 0;
}

/* There must be room. */
static inline void tablemem_giving_add(struct tablemem_giving *giving,
				       uint64_t maddr)
{
	giving->maddrs[giving->nr++] = maddr;
}

/*
 * Those that are added next are all tables from @from to @to, upwards or downwards,
 * in any order, as they lie that were taken in one call. They are unmarked now: a
 * locked operation among the host's stores to them would wait for each of those.
 */
void tablemem_giving_row(struct tablemem_giving *giving, uint64_t from,
			 uint64_t to);
/* Afterwards there is room. */
void tablemem_giving_flush(struct tablemem_giving *giving);
/* The same, and all that went is charged no more. */
void tablemem_giving_end(struct tablemem_giving *giving);

/*
 * Is a frame of [@mfn, @mfn + @nr) a table of ours now? Whoever maps frames
 * enters them in the reverse map first and asks this afterwards; an allocation
 * marks first and asks @frame_is_mapped afterwards: one of the two sees the
 * other. Context: any; may run against any call.
 */
bool tablemem_holds(struct tablemem *mem, uint64_t mfn, uint64_t nr);
/* True: certainly no table_range has a frame of these. */
static inline bool tablemem_is_far(const struct tablemem *mem, uint64_t mfn,
				   uint64_t nr)
{
	return mfn >= mem->end || mfn + nr <= mem->first;
}

/*
 * The first table in [@mfn, *@end); *@end: there is none. That is as far as it
 * looked, which *@budget limits: a chunk of the bitmap each. Context: as above.
 */
uint64_t tablemem_next(const struct tablemem *mem, uint64_t mfn, uint64_t *end,
		       uint64_t *budget);
/* Could one become a table: is any of them in table_ranges? */
bool tablemem_may_hold(const struct tablemem *mem, uint64_t mfn, uint64_t nr);

/*
 * A list of spare pages, taken before a change that must not fail. Linked
 * through the pages' first word: they are not yet visible to any device.
 */
struct tablemem_pool {
	uint64_t first; /* machine address, 0: empty (with nr 0) */
	uint32_t nr;
	uint8_t page_lg2; /* bytes of a page; 0: a frame */
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
 * Small objects of up to TABLEMEM_OBJECT_MAX bytes, zeroed, aligned to 16 by
 * the host and to 32 by us: host->alloc, or cut from pages charged to the
 * instance. Context: BOOT, TASK; alloc with no lock held, free not under a lock
 * of class UNIT. Return: NULL for out of memory.
 */
void *tablemem_object_alloc(struct tablemem *mem, size_t size);
void tablemem_object_free(struct tablemem *mem, void *object, size_t size);

#endif
