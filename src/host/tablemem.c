/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tablemem.c - tables are taken from the host and given back, and who pays
 */
#include "caller.h"
#include "tablemem_parts.h"

/* ---- accounts ---- */

int tablemem_charge(struct tablemem_account *account, uint64_t nr)
{
	uint64_t used = port_load64(&account->used);

	do {
		if (account->limit &&
		    (used > account->limit || nr > account->limit - used))
			return IOMMUABS_E_QUOTA;
	} while (!port_cas64(&account->used, &used, used + nr));
	return 0;
}

void tablemem_uncharge(struct tablemem_account *account, uint64_t nr)
{
	port_add64(&account->used, -nr);
}

/* ---- memory of the host ---- */

void tablemem_host_free(const struct tablemem *mem, void *cookie,
			uint64_t maddr, unsigned int size_lg2)
{
	mem->host->ops.table_free(mem->host->ctx, cookie, maddr, size_lg2);
}

int tablemem_refuse(const struct tablemem *mem, uint64_t maddr, const char *why)
{
	hostif_log(mem->host, IOMMUABS_LOG_ERROR,
		   "table_alloc() gave %llx, which is %s: refused",
		   (unsigned long long)maddr, why);
	return IOMMUABS_E_NOMEM;
}

int tablemem_host_alloc(const struct tablemem *mem, void *cookie,
			unsigned int size_lg2, uint32_t flags, uint64_t *maddr)
{
	const struct iommuabs_host *ops = &mem->host->ops;
	const char *why = NULL;
	uint64_t got;

	caller_waits(mem->host);
	if (ops->table_alloc(mem->host->ctx, cookie, size_lg2, flags, &got))
		return IOMMUABS_E_NOMEM;
	if (got & IA_BITS(size_lg2))
		why = "not aligned to its size";
	else if (!tablemem_inside(mem, got >> IOMMUABS_FRAME_LG2,
				  tablemem_frames(size_lg2)))
		why = "outside table_ranges";
	if (why) {
		tablemem_host_free(mem, cookie, got, size_lg2);
		return tablemem_refuse(mem, got, why);
	}
	*maddr = got;
	return 0;
}

static bool is_mapped(const struct tablemem *mem, uint64_t mfn, uint64_t nr)
{
	if (!mem->frame_is_mapped)
		return false;
	/* Pairs with the one in tablemem_holds(). */
	port_mb();
	return mem->frame_is_mapped(mem->arg, mfn, nr);
}

/*
 * Mark memory that the host gave; its chunks have pages. On error it is the
 * host's again, except what is a table of ours already: that stays one.
 */
static int admit_marked(const struct tablemem *mem, void *cookie,
			uint64_t maddr, unsigned int size_lg2)
{
	uint64_t mfn = maddr >> IOMMUABS_FRAME_LG2,
		 nr = tablemem_frames(size_lg2);

	if (!tablemem_mark(mem, mfn, nr))
		return tablemem_refuse(mem, maddr, "a table already");
	if (is_mapped(mem, mfn, nr)) {
		tablemem_unmark(mem, mfn, nr);
		tablemem_host_free(mem, cookie, maddr, size_lg2);
		return tablemem_refuse(mem, maddr, "mapped in a domain");
	}
	return 0;
}

void tablemem_page_clear(const struct tablemem *mem, uint64_t maddr)
{
	void *page = hostif_map(mem->host, maddr);

	__builtin_memset(page, 0, TABLEMEM_PAGE);
	hostif_unmap(mem->host, page);
}

/* Let @page serve the chunk that it lies in itself, which had none. */
static int chunk_add_own(struct tablemem *mem, const struct tablemem_piece *own,
			 uint64_t page)
{
	uint64_t bit = own->mfn % TABLEMEM_CHUNK;
	uint64_t *words = hostif_map(mem->host, page);

	words[bit / 64] = (uint64_t)1 << bit % 64;
	hostif_unmap(mem->host, words);
	if (!tablemem_chunk_replace(mem, own, 0, page | TABLEMEM_PENDING)) {
		tablemem_host_free(mem, mem->account.cookie, page,
				   IOMMUABS_FRAME_LG2);
		return 0;
	}
	if (is_mapped(mem, own->mfn, 1)) {
		tablemem_chunk_replace(mem, own, page | TABLEMEM_PENDING, 0);
		tablemem_host_free(mem, mem->account.cookie, page,
				   IOMMUABS_FRAME_LG2);
		return tablemem_refuse(mem, page, "mapped in a domain");
	}
	tablemem_chunk_replace(mem, own, page | TABLEMEM_PENDING, page);
	port_add64(&mem->account.used, 1);
	return 0;
}

/* Let @page, that lies in a chunk with a page, serve the chunk of @piece. */
static int chunk_add(struct tablemem *mem, const struct tablemem_piece *piece,
		     uint64_t page)
{
	int st;

	st = admit_marked(mem, mem->account.cookie, page, IOMMUABS_FRAME_LG2);
	if (st)
		return st;
	if (!tablemem_chunk_replace(mem, piece, 0, page)) {
		tablemem_unmark(mem, page >> IOMMUABS_FRAME_LG2, 1);
		tablemem_host_free(mem, mem->account.cookie, page,
				   IOMMUABS_FRAME_LG2);
		return 0;
	}
	port_add64(&mem->account.used, 1);
	return 0;
}

/* Make the chunk of @piece have a page. Each round gives some chunk one. */
static int chunk_ensure(struct tablemem *mem,
			const struct tablemem_piece *piece)
{
	struct tablemem_piece own;
	uint64_t chunk, page;
	int st;

	while (!(chunk = tablemem_chunk_load(mem, piece)) ||
	       (chunk & TABLEMEM_PENDING)) {
		if (chunk) { /* for the time of one look-up */
			port_relax();
			continue;
		}
		st = tablemem_host_alloc(mem, mem->account.cookie,
					 IOMMUABS_FRAME_LG2, 0, &page);
		if (st)
			return st;
		own = tablemem_piece_of(mem, page >> IOMMUABS_FRAME_LG2, 1);
		chunk = tablemem_chunk_load(mem, &own);
		if (chunk && !(chunk & TABLEMEM_PENDING) &&
		    tablemem_piece_holds(mem, &own))
			return tablemem_refuse(mem, page, "a table already");
		tablemem_page_clear(mem, page);
		if (chunk && !(chunk & TABLEMEM_PENDING))
			st = chunk_add(mem, piece, page);
		else
			st = chunk_add_own(mem, &own, page);
		if (st)
			return st;
	}
	return 0;
}

int tablemem_chunks_ensure(struct tablemem *mem, uint64_t mfn, uint64_t nr)
{
	struct tablemem_piece piece;
	int st;

	for (; nr; mfn += piece.nr, nr -= piece.nr) {
		piece = tablemem_piece_of(mem, mfn, nr);
		st = chunk_ensure(mem, &piece);
		if (st)
			return st;
	}
	return 0;
}

/* Make memory that the host gave a table; on error as admit_marked(). */
static int admit(struct tablemem *mem, void *cookie, uint64_t maddr,
		 unsigned int size_lg2)
{
	int st = tablemem_chunks_ensure(mem, maddr >> IOMMUABS_FRAME_LG2,
					tablemem_frames(size_lg2));

	if (st) {
		tablemem_host_free(mem, cookie, maddr, size_lg2);
		return st;
	}
	return admit_marked(mem, cookie, maddr, size_lg2);
}

int tablemem_alloc(struct tablemem *mem, struct tablemem_account *account,
		   unsigned int size_lg2, uint32_t flags, uint64_t *maddr)
{
	uint64_t got;
	int st;

	iommuabs_assert(size_lg2 >= IOMMUABS_FRAME_LG2 &&
			size_lg2 <= TABLEMEM_LG2_MAX);
	st = tablemem_charge(account, tablemem_frames(size_lg2));
	if (st)
		return st;
	st = tablemem_host_alloc(mem, account->cookie, size_lg2, flags, &got);
	if (!st)
		st = admit(mem, account->cookie, got, size_lg2);
	if (st) {
		tablemem_uncharge(account, tablemem_frames(size_lg2));
		return st;
	}
	*maddr = got;
	return 0;
}

void tablemem_free(struct tablemem *mem, struct tablemem_account *account,
		   uint64_t maddr, unsigned int size_lg2)
{
	tablemem_unmark(mem, maddr >> IOMMUABS_FRAME_LG2,
			tablemem_frames(size_lg2));
	tablemem_host_free(mem, account->cookie, maddr, size_lg2);
	tablemem_uncharge(account, tablemem_frames(size_lg2));
}

/* ---- given back together ---- */

/*
 * Those that are not of a row: what lies in the same 64 frames at once, as far as it
 * follows each other.
 */
static void giving_unmark(struct tablemem_giving *giving)
{
	/* A table is aligned: its first bit, times this, is all of its bits. */
	const uint64_t table =
		FIELD64(tablemem_frames(giving->size_lg2) - 1, 0);
	const unsigned int of_row = IA_MIN(giving->of_row, giving->nr);
	const uint64_t *at = giving->maddrs + of_row;
	const uint64_t *end = giving->maddrs + giving->nr;
	uint64_t first = 0, starts = 0, mfn;

	giving->of_row -= of_row;
	for (; at < end; at++) {
		mfn = *at >> IOMMUABS_FRAME_LG2;
		if (mfn - first >= 64) {
			tablemem_unmark_among(giving->mem, first,
					      starts * table);
			first = IA_ALIGN_DOWN(mfn, 64);
			starts = 0;
		}
		starts |= (uint64_t)1 << mfn % 64;
	}
	tablemem_unmark_among(giving->mem, first, starts * table);
}

void tablemem_giving_flush(struct tablemem_giving *giving)
{
	const struct hostif *host = giving->mem->host;
	void *cookie = giving->account->cookie;
	unsigned int i;

	if (!giving->nr)
		return;
	giving_unmark(giving);
	if (host->ops.tables_free)
		host->ops.tables_free(host->ctx, cookie, giving->maddrs,
				      giving->nr, giving->size_lg2);
	else
		for (i = 0; i < giving->nr; i++)
			tablemem_host_free(giving->mem, cookie,
					   giving->maddrs[i], giving->size_lg2);
	giving->given += giving->nr;
	giving->nr = 0;
}

void tablemem_giving_row(struct tablemem_giving *giving, uint64_t from,
			 uint64_t to)
{
	uint64_t lowest = IA_MIN(from, to), highest = IA_MAX(from, to);

	tablemem_giving_flush(giving);
	giving->of_row = (unsigned int)((highest - lowest) >> giving->size_lg2);
	giving->of_row++;
	tablemem_unmark(giving->mem, lowest >> IOMMUABS_FRAME_LG2,
			giving->of_row * tablemem_frames(giving->size_lg2));
}

void tablemem_giving_end(struct tablemem_giving *giving)
{
	tablemem_giving_flush(giving);
	iommuabs_assert(!giving->of_row);
	tablemem_uncharge(giving->account,
			  giving->given * tablemem_frames(giving->size_lg2));
	giving->given = 0;
}

/* ---- pools ---- */

static unsigned int pool_page_lg2(const struct tablemem_pool *pool)
{
	return pool->page_lg2 ? pool->page_lg2 : IOMMUABS_FRAME_LG2;
}

int tablemem_pool_fill(struct tablemem *mem, struct tablemem_account *account,
		       struct tablemem_pool *pool, uint32_t nr)
{
	uint64_t maddr;
	int st;

	while (pool->nr < nr) {
		st = tablemem_alloc(mem, account, pool_page_lg2(pool), 0,
				    &maddr);
		if (st)
			return st;
		tablemem_pool_put(mem->host, pool, maddr);
	}
	return 0;
}

void tablemem_pool_drain(struct tablemem *mem, struct tablemem_account *account,
			 struct tablemem_pool *pool)
{
	while (pool->nr)
		tablemem_free(mem, account, tablemem_pool_take(mem->host, pool),
			      pool_page_lg2(pool));
}
