/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tablemem.c - which frames are tables, who pays, small objects
 *
 * The bitmap of a range: a directory with a word for each chunk of 32768 frames,
 * the machine address of a page with a bit for each of them. The page of a chunk
 * is made when the first table lies in it. It is a table itself and has its bit,
 * in its own page if its chunk had none before. Such a page is PENDING from the
 * store into the directory until it is known to be mapped nowhere.
 */
#include "tablemem.h"

#include "caller.h"

#define TABLE_LG2_MAX 26
#define PAGE_BYTES    4096

#define CHUNK_LG2     15
#define CHUNK_FRAMES  ((uint64_t)1 << CHUNK_LG2)
#define CHUNK_PENDING ((uint64_t)1)

/* Frames of a range whose directory fits in TABLE_LG2_MAX at any alignment. */
#define RANGE_MAX ((((uint64_t)1 << TABLE_LG2_MAX) / 8 - 1) << CHUNK_LG2)

struct range {
	uint64_t mfn, nr;
	uint64_t directory; /* machine address */
	uint64_t directory_lg2;
};

struct tablemem_block {
	struct tablemem_block *next;
	uint64_t nr;
	struct range ranges[];
};

#define BLOCK_SIZE(nr) \
	(sizeof(struct tablemem_block) + (nr) * sizeof(struct range))
#define BLOCK_RANGES                                             \
	((TABLEMEM_OBJECT_MAX - sizeof(struct tablemem_block)) / \
	 sizeof(struct range))

/* A stretch of frames in one chunk of one range, or in none (@range NULL). */
struct piece {
	const struct range *range;
	uint64_t mfn, nr;
};

/* Accounts. */

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

/* The bitmap. */

/*
 * The first piece of [@mfn, @mfn + @nr). Where ranges overlap, a frame belongs
 * to the one given first.
 */
static struct piece piece_of(const struct tablemem *mem, uint64_t mfn,
			     uint64_t nr)
{
	struct piece piece = { NULL, mfn, nr };
	const struct tablemem_block *block;
	uint64_t i;

	for (block = mem->blocks; block; block = block->next) {
		for (i = 0; i < block->nr; i++) {
			const struct range *range = &block->ranges[i];

			if (mfn < range->mfn) {
				piece.nr = IA_MIN(piece.nr, range->mfn - mfn);
			} else if (mfn - range->mfn < range->nr) {
				uint64_t left = range->nr - (mfn - range->mfn);
				uint64_t chunk =
					CHUNK_FRAMES - mfn % CHUNK_FRAMES;

				piece.range = range;
				piece.nr = IA_MIN(piece.nr, left);
				piece.nr = IA_MIN(piece.nr, chunk);
				return piece;
			}
		}
	}
	return piece;
}

static bool inside_ranges(const struct tablemem *mem, uint64_t mfn, uint64_t nr)
{
	struct piece piece;

	for (; nr; mfn += piece.nr, nr -= piece.nr) {
		piece = piece_of(mem, mfn, nr);
		if (!piece.range)
			return false;
	}
	return true;
}

static uint64_t range_chunks(const struct range *range)
{
	return ((range->mfn + range->nr - 1) >> CHUNK_LG2) -
	       (range->mfn >> CHUNK_LG2) + 1;
}

/* The directory's word for the chunk of @piece; word_unmap() ends its use. */
static uint64_t *chunk_map(const struct tablemem *mem,
			   const struct piece *piece)
{
	const struct range *range = piece->range;
	uint64_t index = (piece->mfn >> CHUNK_LG2) - (range->mfn >> CHUNK_LG2);
	uint64_t offset = index * sizeof(uint64_t);
	char *page;

	page = hostif_map(mem->host,
			  range->directory + IA_ALIGN_DOWN(offset, PAGE_BYTES));
	return (uint64_t *)(void *)(page + offset % PAGE_BYTES);
}

static void word_unmap(const struct tablemem *mem, uint64_t *word)
{
	uintptr_t page = (uintptr_t)word & ~(uintptr_t)(PAGE_BYTES - 1);

	hostif_unmap(mem->host, (void *)page);
}

static uint64_t chunk_load(const struct tablemem *mem,
			   const struct piece *piece)
{
	uint64_t *word = chunk_map(mem, piece);
	uint64_t chunk = port_load64_acquire(word);

	word_unmap(mem, word);
	return chunk;
}

/* Replace the chunk's word; false: it was not @old. */
static bool chunk_replace(const struct tablemem *mem, const struct piece *piece,
			  uint64_t old, uint64_t chunk)
{
	uint64_t *word = chunk_map(mem, piece);
	bool done = port_cas64(word, &old, chunk);

	word_unmap(mem, word);
	return done;
}

/* The bits of one word that belong to [@bit, @end); @next: the next word's. */
static uint64_t bits_mask(uint64_t bit, uint64_t end, uint64_t *next)
{
	*next = IA_MIN((bit | 63) + 1, end);
	return FIELD64((*next - 1) & 63, bit & 63);
}

static void word_clear(uint64_t *word, uint64_t mask)
{
	uint64_t old = port_load64(word);

	while (!port_cas64(word, &old, old & ~mask))
		;
}

static void bits_clear(uint64_t *words, uint64_t bit, uint64_t end)
{
	uint64_t mask, next;

	for (; bit < end; bit = next) {
		mask = bits_mask(bit, end, &next);
		word_clear(&words[bit / 64], mask);
	}
}

/* All of them or, if one is set already, none. */
static bool bits_set(uint64_t *words, uint64_t first, uint64_t end)
{
	uint64_t bit, mask, next, old;

	for (bit = first; bit < end; bit = next) {
		mask = bits_mask(bit, end, &next);
		old = port_load64(&words[bit / 64]);
		do {
			if (old & mask) {
				bits_clear(words, first, bit);
				return false;
			}
		} while (!port_cas64(&words[bit / 64], &old, old | mask));
	}
	return true;
}

static bool bits_any(const uint64_t *words, uint64_t bit, uint64_t end)
{
	uint64_t mask, next;

	for (; bit < end; bit = next) {
		mask = bits_mask(bit, end, &next);
		if (port_load64(&words[bit / 64]) & mask)
			return true;
	}
	return false;
}

static void unmark(const struct tablemem *mem, uint64_t mfn, uint64_t nr)
{
	struct piece piece;
	uint64_t bit, *words;

	for (; nr; mfn += piece.nr, nr -= piece.nr) {
		piece = piece_of(mem, mfn, nr);
		bit = mfn % CHUNK_FRAMES;
		words = hostif_map(mem->host, chunk_load(mem, &piece));
		bits_clear(words, bit, bit + piece.nr);
		hostif_unmap(mem->host, words);
	}
}

/* Their chunks have pages. False: one of them was marked; nothing changed. */
static bool mark(const struct tablemem *mem, uint64_t first, uint64_t nr)
{
	uint64_t mfn = first, bit, *words;
	struct piece piece;
	bool done;

	for (; nr; mfn += piece.nr, nr -= piece.nr) {
		piece = piece_of(mem, mfn, nr);
		bit = mfn % CHUNK_FRAMES;
		words = hostif_map(mem->host, chunk_load(mem, &piece));
		done = bits_set(words, bit, bit + piece.nr);
		hostif_unmap(mem->host, words);
		if (!done) {
			unmark(mem, first, mfn - first);
			return false;
		}
	}
	return true;
}

static bool piece_holds(const struct tablemem *mem, const struct piece *piece)
{
	uint64_t chunk = chunk_load(mem, piece), bit, *words;
	bool any;

	if (chunk & CHUNK_PENDING) /* holds itself so far */
		return (chunk >> IOMMUABS_FRAME_LG2) - piece->mfn < piece->nr;
	if (!chunk)
		return false;
	bit = piece->mfn % CHUNK_FRAMES;
	words = hostif_map(mem->host, chunk);
	any = bits_any(words, bit, bit + piece->nr);
	hostif_unmap(mem->host, words);
	return any;
}

bool tablemem_holds(struct tablemem *mem, uint64_t mfn, uint64_t nr)
{
	bool ordered = false;
	struct piece piece;

	for (; nr; mfn += piece.nr, nr -= piece.nr) {
		piece = piece_of(mem, mfn, nr);
		if (!piece.range)
			continue;
		/* Pairs with the one in is_mapped(). */
		if (!ordered)
			port_mb();
		ordered = true;
		if (piece_holds(mem, &piece))
			return true;
	}
	return false;
}

/* The first table of @piece, of which there was one a moment ago. */
static uint64_t piece_first(const struct tablemem *mem,
			    const struct piece *piece)
{
	struct piece half = *piece;
	uint64_t left;

	for (left = piece->nr; left > 1;) {
		half.nr = left / 2;
		if (piece_holds(mem, &half)) {
			left = half.nr;
		} else {
			half.mfn += half.nr;
			left -= half.nr;
		}
	}
	return half.mfn;
}

uint64_t tablemem_next(const struct tablemem *mem, uint64_t mfn, uint64_t *end,
		       uint64_t *budget)
{
	struct piece piece;

	if (tablemem_is_far(mem, mfn, *end - mfn))
		return *end;
	do {
		piece = piece_of(mem, mfn, *end - mfn);
		if (piece.range && piece_holds(mem, &piece))
			return piece_first(mem, &piece);
		mfn += piece.nr;
		*budget -= IA_MIN(*budget, 1);
	} while (mfn < *end && *budget);
	*end = IA_MIN(*end, mfn);
	return *end;
}

bool tablemem_may_hold(const struct tablemem *mem, uint64_t mfn, uint64_t nr)
{
	struct piece piece;

	for (; nr; mfn += piece.nr, nr -= piece.nr) {
		piece = piece_of(mem, mfn, nr);
		if (piece.range)
			return true;
	}
	return false;
}

/* Memory of the host. */

static uint64_t frames_of(unsigned int size_lg2)
{
	return (uint64_t)1 << (size_lg2 - IOMMUABS_FRAME_LG2);
}

static void host_free(const struct tablemem *mem, void *cookie, uint64_t maddr,
		      unsigned int size_lg2)
{
	mem->host->ops.table_free(mem->host->ctx, cookie, maddr, size_lg2);
}

static int refuse(const struct tablemem *mem, uint64_t maddr, const char *why)
{
	hostif_log(mem->host, IOMMUABS_LOG_ERROR,
		   "table_alloc() gave %llx, which is %s: refused",
		   (unsigned long long)maddr, why);
	return IOMMUABS_E_NOMEM;
}

static int host_alloc(const struct tablemem *mem, void *cookie,
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
	else if (!inside_ranges(mem, got >> IOMMUABS_FRAME_LG2,
				frames_of(size_lg2)))
		why = "outside table_ranges";
	if (why) {
		host_free(mem, cookie, got, size_lg2);
		return refuse(mem, got, why);
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
	uint64_t mfn = maddr >> IOMMUABS_FRAME_LG2, nr = frames_of(size_lg2);

	if (!mark(mem, mfn, nr))
		return refuse(mem, maddr, "a table already");
	if (is_mapped(mem, mfn, nr)) {
		unmark(mem, mfn, nr);
		host_free(mem, cookie, maddr, size_lg2);
		return refuse(mem, maddr, "mapped in a domain");
	}
	return 0;
}

static void page_clear(const struct tablemem *mem, uint64_t maddr)
{
	void *page = hostif_map(mem->host, maddr);

	__builtin_memset(page, 0, PAGE_BYTES);
	hostif_unmap(mem->host, page);
}

/* Let @page serve the chunk that it lies in itself, which had none. */
static int chunk_add_own(struct tablemem *mem, const struct piece *own,
			 uint64_t page)
{
	uint64_t bit = own->mfn % CHUNK_FRAMES;
	uint64_t *words = hostif_map(mem->host, page);

	words[bit / 64] = (uint64_t)1 << bit % 64;
	hostif_unmap(mem->host, words);
	if (!chunk_replace(mem, own, 0, page | CHUNK_PENDING)) {
		host_free(mem, mem->account.cookie, page, IOMMUABS_FRAME_LG2);
		return 0;
	}
	if (is_mapped(mem, own->mfn, 1)) {
		chunk_replace(mem, own, page | CHUNK_PENDING, 0);
		host_free(mem, mem->account.cookie, page, IOMMUABS_FRAME_LG2);
		return refuse(mem, page, "mapped in a domain");
	}
	chunk_replace(mem, own, page | CHUNK_PENDING, page);
	port_add64(&mem->account.used, 1);
	return 0;
}

/* Let @page, that lies in a chunk with a page, serve the chunk of @piece. */
static int chunk_add(struct tablemem *mem, const struct piece *piece,
		     uint64_t page)
{
	int st;

	st = admit_marked(mem, mem->account.cookie, page, IOMMUABS_FRAME_LG2);
	if (st)
		return st;
	if (!chunk_replace(mem, piece, 0, page)) {
		unmark(mem, page >> IOMMUABS_FRAME_LG2, 1);
		host_free(mem, mem->account.cookie, page, IOMMUABS_FRAME_LG2);
		return 0;
	}
	port_add64(&mem->account.used, 1);
	return 0;
}

/* Make the chunk of @piece have a page. Each round gives some chunk one. */
static int chunk_ensure(struct tablemem *mem, const struct piece *piece)
{
	struct piece own;
	uint64_t chunk, page;
	int st;

	while (!(chunk = chunk_load(mem, piece)) || (chunk & CHUNK_PENDING)) {
		if (chunk) { /* for the time of one look-up */
			port_relax();
			continue;
		}
		st = host_alloc(mem, mem->account.cookie, IOMMUABS_FRAME_LG2, 0,
				&page);
		if (st)
			return st;
		own = piece_of(mem, page >> IOMMUABS_FRAME_LG2, 1);
		chunk = chunk_load(mem, &own);
		if (chunk && !(chunk & CHUNK_PENDING) && piece_holds(mem, &own))
			return refuse(mem, page, "a table already");
		page_clear(mem, page);
		if (chunk && !(chunk & CHUNK_PENDING))
			st = chunk_add(mem, piece, page);
		else
			st = chunk_add_own(mem, &own, page);
		if (st)
			return st;
	}
	return 0;
}

static int chunks_ensure(struct tablemem *mem, uint64_t mfn, uint64_t nr)
{
	struct piece piece;
	int st;

	for (; nr; mfn += piece.nr, nr -= piece.nr) {
		piece = piece_of(mem, mfn, nr);
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
	int st = chunks_ensure(mem, maddr >> IOMMUABS_FRAME_LG2,
			       frames_of(size_lg2));

	if (st) {
		host_free(mem, cookie, maddr, size_lg2);
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
			size_lg2 <= TABLE_LG2_MAX);
	st = tablemem_charge(account, frames_of(size_lg2));
	if (st)
		return st;
	st = host_alloc(mem, account->cookie, size_lg2, flags, &got);
	if (!st)
		st = admit(mem, account->cookie, got, size_lg2);
	if (st) {
		tablemem_uncharge(account, frames_of(size_lg2));
		return st;
	}
	*maddr = got;
	return 0;
}

void tablemem_free(struct tablemem *mem, struct tablemem_account *account,
		   uint64_t maddr, unsigned int size_lg2)
{
	unmark(mem, maddr >> IOMMUABS_FRAME_LG2, frames_of(size_lg2));
	host_free(mem, account->cookie, maddr, size_lg2);
	tablemem_uncharge(account, frames_of(size_lg2));
}

/* Unmark frames of the 64 from @first on: a bit of @frames for each. */
static void unmark_among(const struct tablemem *mem, uint64_t first,
			 uint64_t frames)
{
	uint64_t bit, mask, *words;
	struct piece piece;

	for (; frames; frames &= ~mask) {
		bit = (uint64_t)__builtin_ctzll(frames);
		piece = piece_of(mem, first + bit, 64 - bit);
		mask = frames & FIELD64(bit + piece.nr - 1, bit);
		words = hostif_map(mem->host, chunk_load(mem, &piece));
		word_clear(&words[first % CHUNK_FRAMES / 64], mask);
		hostif_unmap(mem->host, words);
	}
}

/* What lies in the same 64 frames at once, as far as it follows each other. */
static void giving_unmark_scattered(const struct tablemem_giving *giving)
{
	/* A table is aligned: its first bit, times this, is all of its bits. */
	const uint64_t table = FIELD64(frames_of(giving->size_lg2) - 1, 0);
	const uint64_t *at = giving->maddrs, *end = at + giving->nr;
	uint64_t first = 0, starts = 0, mfn;

	for (; at < end; at++) {
		mfn = *at >> IOMMUABS_FRAME_LG2;
		if (mfn - first >= 64) {
			unmark_among(giving->mem, first, starts * table);
			first = IA_ALIGN_DOWN(mfn, 64);
			starts = 0;
		}
		starts |= (uint64_t)1 << mfn % 64;
	}
	unmark_among(giving->mem, first, starts * table);
}

static void giving_unmark(const struct tablemem_giving *giving)
{
	uint64_t lowest = IA_MIN(giving->maddrs[0], giving->last);

	if (giving->broken)
		giving_unmark_scattered(giving);
	else
		unmark(giving->mem, lowest >> IOMMUABS_FRAME_LG2,
		       giving->nr * frames_of(giving->size_lg2));
}

/* Are the next ones to be in a row with these, and which way? */
static void giving_expect(struct tablemem_giving *giving)
{
	const uint64_t table = (uint64_t)1 << giving->size_lg2;
	unsigned int nr = giving->nr;

	if (giving->broken && nr > 1)
		giving->step =
			giving->maddrs[nr - 2] < giving->last ? table : -table;
	giving->broken = 0;
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
			host_free(giving->mem, cookie, giving->maddrs[i],
				  giving->size_lg2);
	giving->given += giving->nr;
	giving_expect(giving);
	giving->nr = 0;
}

void tablemem_giving_end(struct tablemem_giving *giving)
{
	tablemem_giving_flush(giving);
	tablemem_uncharge(giving->account,
			  giving->given * frames_of(giving->size_lg2));
	giving->given = 0;
}

/* Set-up. */

/* Are what the host declared ranges, all of them? */
static bool ranges_good(const struct iommuabs_host *ops)
{
	uint32_t i;

	for (i = 0; i < ops->nr_table_ranges; i++) {
		uint64_t mfn = ops->table_ranges[i].mfn.frame;
		uint64_t nr = ops->table_ranges[i].nr;

		if (!nr || nr > RANGE_MAX || mfn > IA_BITS(52) - nr)
			return false;
	}
	return ops->nr_table_ranges;
}

/* Is the page at @maddr in one of them? The library's own list isn't there yet. */
static bool was_declared(const struct iommuabs_host *ops, uint64_t maddr)
{
	const struct iommuabs_range *range = ops->table_ranges;
	uint32_t i;

	for (i = 0; i < ops->nr_table_ranges; i++, range++)
		if ((maddr >> IOMMUABS_FRAME_LG2) - range->mfn.frame <
		    range->nr)
			return !(maddr & IA_BITS(IOMMUABS_FRAME_LG2));
	return false;
}

/* A page for a block; NULL: none that could be written to. */
static void *block_page(struct tablemem *mem)
{
	const struct hostif *host = mem->host;
	uint64_t maddr;

	if (host->ops.table_alloc(host->ctx, NULL, IOMMUABS_FRAME_LG2, 0,
				  &maddr))
		return NULL;
	if (!was_declared(&host->ops, maddr)) {
		host_free(mem, NULL, maddr, IOMMUABS_FRAME_LG2);
		refuse(mem, maddr, "outside table_ranges");
		return NULL;
	}
	mem->account.used++;
	return hostif_map(host, maddr);
}

static struct tablemem_block *block_make(struct tablemem *mem, uint64_t nr)
{
	const struct hostif *host = mem->host;
	struct tablemem_block *block;

	if (host->ops.alloc)
		block = host->ops.alloc(host->ctx, BLOCK_SIZE(nr));
	else
		block = block_page(mem);
	if (block)
		*block = (struct tablemem_block){ .nr = nr };
	return block;
}

static uint64_t page_maddr(const struct tablemem *mem, const void *page)
{
	return (uint64_t)(uintptr_t)page - mem->host->ops.table_offset;
}

static void block_free(struct tablemem *mem, struct tablemem_block *block)
{
	const struct hostif *host = mem->host;

	if (host->ops.free)
		host->ops.free(host->ctx, block, BLOCK_SIZE(block->nr));
	else
		host_free(mem, NULL, page_maddr(mem, block),
			  IOMMUABS_FRAME_LG2);
}

static int blocks_make(struct tablemem *mem)
{
	const struct iommuabs_range *given = mem->host->ops.table_ranges;
	uint64_t left = mem->host->ops.nr_table_ranges, i;
	struct tablemem_block **link = &mem->blocks;

	if (!ranges_good(&mem->host->ops))
		return IOMMUABS_E_INVAL;
	for (; left; left -= (*link)->nr, link = &(*link)->next) {
		*link = block_make(mem, IA_MIN(left, BLOCK_RANGES));
		if (!*link)
			return IOMMUABS_E_NOMEM;
		for (i = 0; i < (*link)->nr; i++, given++) {
			uint64_t mfn = given->mfn.frame, nr = given->nr;

			(*link)->ranges[i] = (struct range){ mfn, nr, 0, 0 };
			mem->first = IA_MIN(mem->first, mfn);
			mem->end = IA_MAX(mem->end, mfn + nr);
		}
	}
	return 0;
}

static int directory_make(struct tablemem *mem, struct range *range)
{
	uint64_t size = range_chunks(range) * sizeof(uint64_t), maddr, offset;
	unsigned int size_lg2 = IOMMUABS_FRAME_LG2;
	int st;

	while ((uint64_t)1 << size_lg2 < size)
		size_lg2++;
	st = host_alloc(mem, NULL, size_lg2, 0, &maddr);
	if (st)
		return st;
	for (offset = 0; offset < (uint64_t)1 << size_lg2; offset += PAGE_BYTES)
		page_clear(mem, maddr + offset);
	range->directory = maddr;
	range->directory_lg2 = size_lg2;
	mem->account.used += frames_of(size_lg2);
	return 0;
}

static int directories_make(struct tablemem *mem)
{
	struct tablemem_block *block;
	uint64_t i;
	int st;

	for (block = mem->blocks; block; block = block->next) {
		for (i = 0; i < block->nr; i++) {
			st = directory_make(mem, &block->ranges[i]);
			if (st)
				return st;
		}
	}
	return 0;
}

/* Mark what was taken before there were bitmaps. */
static int mark_first(struct tablemem *mem, uint64_t maddr,
		      unsigned int size_lg2)
{
	uint64_t mfn = maddr >> IOMMUABS_FRAME_LG2, nr = frames_of(size_lg2);
	int st;

	st = chunks_ensure(mem, mfn, nr);
	if (st)
		return st;
	return mark(mem, mfn, nr) ? 0 : refuse(mem, maddr, "a table already");
}

static int mark_own(struct tablemem *mem)
{
	struct tablemem_block *block;
	uint64_t i;
	int st;

	for (block = mem->blocks; block; block = block->next) {
		if (!mem->host->ops.alloc) {
			st = mark_first(mem, page_maddr(mem, block),
					IOMMUABS_FRAME_LG2);
			if (st)
				return st;
		}
		for (i = 0; i < block->nr; i++) {
			const struct range *range = &block->ranges[i];

			st = mark_first(mem, range->directory,
					(unsigned int)range->directory_lg2);
			if (st)
				return st;
		}
	}
	return 0;
}

int tablemem_init(struct tablemem *mem, const struct hostif *host)
{
	int st;

	*mem = (struct tablemem){ .host = host, .first = ~(uint64_t)0 };
	st = ia_lock_init(host, &mem->slab_lock, IOMMUABS_LOCK_UNIT);
	if (st)
		return st;
	st = blocks_make(mem);
	if (!st)
		st = directories_make(mem);
	if (!st)
		st = mark_own(mem);
	if (st)
		tablemem_exit(mem);
	return st;
}

static void range_free(struct tablemem *mem, const struct range *range)
{
	struct piece piece = { range, range->mfn, 1 };
	uint64_t i, chunk;

	if (!range->directory)
		return;
	for (i = range_chunks(range); i; i--, piece.mfn += CHUNK_FRAMES) {
		chunk = chunk_load(mem, &piece);
		if (chunk)
			host_free(mem, NULL, chunk, IOMMUABS_FRAME_LG2);
	}
	host_free(mem, NULL, range->directory,
		  (unsigned int)range->directory_lg2);
}

void tablemem_exit(struct tablemem *mem)
{
	struct tablemem_block *block;
	uint64_t i;

	while ((block = mem->blocks)) {
		mem->blocks = block->next;
		for (i = 0; i < block->nr; i++)
			range_free(mem, &block->ranges[i]);
		block_free(mem, block);
	}
	ia_lock_exit(mem->host, &mem->slab_lock);
}

/* Pools. */

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

/* Small objects. */

#define SLAB_SMALLEST_LG2 5

/* The head of a page; objects follow at multiples of 32 bytes. */
struct tablemem_slab {
	struct tablemem_slab *next, *prev; /* of slabs[], while it has room */
	uint16_t used;
	uint16_t free;	/* offset of the first that was given back, 0: none */
	uint16_t fresh; /* offset of the first that was never given out */
	uint16_t size_lg2;
};

#define SLAB_FIRST 32

_Static_assert(sizeof(struct tablemem_slab) <= SLAB_FIRST, "slab head");

static unsigned int object_lg2(size_t size)
{
	unsigned int lg2 = SLAB_SMALLEST_LG2;

	while ((size_t)1 << lg2 < size)
		lg2++;
	return lg2;
}

static struct tablemem_slab **slab_list(struct tablemem *mem,
					unsigned int size_lg2)
{
	return &mem->slabs[size_lg2 - SLAB_SMALLEST_LG2];
}

static bool slab_full(const struct tablemem_slab *slab)
{
	return !slab->free && slab->fresh + (1u << slab->size_lg2) > PAGE_BYTES;
}

static void slab_link(struct tablemem *mem, struct tablemem_slab *slab)
{
	struct tablemem_slab **list = slab_list(mem, slab->size_lg2);

	slab->prev = NULL;
	slab->next = *list;
	if (*list)
		(*list)->prev = slab;
	*list = slab;
}

static void slab_unlink(struct tablemem *mem, struct tablemem_slab *slab)
{
	if (slab->next)
		slab->next->prev = slab->prev;
	if (slab->prev)
		slab->prev->next = slab->next;
	else
		*slab_list(mem, slab->size_lg2) = slab->next;
}

/* An object of the first page with room; NULL: no page has any. */
static void *slab_take(struct tablemem *mem, unsigned int size_lg2)
{
	struct tablemem_slab *slab = *slab_list(mem, size_lg2);
	char *object;

	if (!slab)
		return NULL;
	if (slab->free) {
		object = (char *)slab + slab->free;
		slab->free = *(uint16_t *)(void *)object;
	} else {
		object = (char *)slab + slab->fresh;
		slab->fresh += (uint16_t)(1u << size_lg2);
	}
	slab->used++;
	if (slab_full(slab))
		slab_unlink(mem, slab);
	return object;
}

static struct tablemem_slab *slab_make(struct tablemem *mem,
				       unsigned int size_lg2)
{
	struct tablemem_slab *slab;
	uint64_t maddr;

	if (tablemem_alloc(mem, &mem->account, IOMMUABS_FRAME_LG2, 0, &maddr))
		return NULL;
	slab = hostif_map(mem->host, maddr);
	*slab = (struct tablemem_slab){ .fresh = SLAB_FIRST,
					.size_lg2 = (uint16_t)size_lg2 };
	return slab;
}

static void *slab_alloc(struct tablemem *mem, unsigned int size_lg2)
{
	struct tablemem_slab *slab = NULL;
	void *object;

	for (;;) {
		ia_lock(mem->host, &mem->slab_lock);
		if (slab)
			slab_link(mem, slab);
		object = slab_take(mem, size_lg2);
		ia_unlock(mem->host, &mem->slab_lock);
		if (object)
			return object;
		slab = slab_make(mem, size_lg2);
		if (!slab)
			return NULL;
	}
}

static void slab_free(struct tablemem *mem, void *object)
{
	uintptr_t page = (uintptr_t)object & ~(uintptr_t)(PAGE_BYTES - 1);
	struct tablemem_slab *slab = (void *)page;
	bool was_full, empty;

	ia_lock(mem->host, &mem->slab_lock);
	was_full = slab_full(slab);
	*(uint16_t *)object = slab->free;
	slab->free = (uint16_t)((uintptr_t)object - page);
	empty = --slab->used == 0;
	if (empty && !was_full)
		slab_unlink(mem, slab);
	if (was_full && !empty)
		slab_link(mem, slab);
	ia_unlock(mem->host, &mem->slab_lock);
	if (empty)
		tablemem_free(mem, &mem->account, page_maddr(mem, slab),
			      IOMMUABS_FRAME_LG2);
}

/* host->alloc() is promised sizes from this one on. */
#define OBJECT_MIN ((size_t)16)

void *tablemem_object_alloc(struct tablemem *mem, size_t size)
{
	const struct hostif *host = mem->host;
	void *object;

	caller_waits(host);
	size = IA_MAX(size, OBJECT_MIN);
	iommuabs_assert(size <= TABLEMEM_OBJECT_MAX);
	if (host->ops.alloc)
		object = host->ops.alloc(host->ctx, size);
	else
		object = slab_alloc(mem, object_lg2(size));
	if (object)
		__builtin_memset(object, 0, size);
	return object;
}

void tablemem_object_free(struct tablemem *mem, void *object, size_t size)
{
	if (mem->host->ops.free)
		mem->host->ops.free(mem->host->ctx, object,
				    IA_MAX(size, OBJECT_MIN));
	else
		slab_free(mem, object);
}
