/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tablemem_setup.c - the host's ranges and their bitmaps come and go
 */
#include "tablemem_parts.h"

#define BLOCK_SIZE(nr) \
	(sizeof(struct tablemem_block) + (nr) * sizeof(struct tablemem_range))
#define BLOCK_RANGES                                             \
	((TABLEMEM_OBJECT_MAX - sizeof(struct tablemem_block)) / \
	 sizeof(struct tablemem_range))

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
		tablemem_host_free(mem, NULL, maddr, IOMMUABS_FRAME_LG2);
		tablemem_refuse(mem, maddr, "outside table_ranges");
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

static void block_free(struct tablemem *mem, struct tablemem_block *block)
{
	const struct hostif *host = mem->host;

	if (host->ops.free)
		host->ops.free(host->ctx, block, BLOCK_SIZE(block->nr));
	else
		tablemem_host_free(mem, NULL, tablemem_page_maddr(mem, block),
				   IOMMUABS_FRAME_LG2);
}

static int blocks_make(struct tablemem *mem)
{
	const struct iommuabs_range *given = mem->host->ops.table_ranges;
	uint64_t left = mem->host->ops.nr_table_ranges, i;
	struct tablemem_block **link = &mem->blocks;

	for (; left; left -= (*link)->nr, link = &(*link)->next) {
		*link = block_make(mem, IA_MIN(left, BLOCK_RANGES));
		if (!*link)
			return IOMMUABS_E_NOMEM;
		for (i = 0; i < (*link)->nr; i++, given++) {
			uint64_t mfn = given->mfn.frame, nr = given->nr;

			(*link)->ranges[i] =
				(struct tablemem_range){ mfn, nr, 0, 0 };
			mem->first = IA_MIN(mem->first, mfn);
			mem->end = IA_MAX(mem->end, mfn + nr);
		}
	}
	return 0;
}

static int directory_make(struct tablemem *mem, struct tablemem_range *range)
{
	uint64_t size = tablemem_range_chunks(range) * sizeof(uint64_t), maddr,
		 offset;
	unsigned int size_lg2 = IOMMUABS_FRAME_LG2;
	int st;

	while ((uint64_t)1 << size_lg2 < size)
		size_lg2++;
	st = tablemem_host_alloc(mem, NULL, size_lg2, 0, &maddr);
	if (st)
		return st;
	for (offset = 0; offset < (uint64_t)1 << size_lg2;
	     offset += TABLEMEM_PAGE)
		tablemem_page_clear(mem, maddr + offset);
	range->directory = maddr;
	range->directory_lg2 = size_lg2;
	mem->account.used += tablemem_frames(size_lg2);
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
	uint64_t mfn = maddr >> IOMMUABS_FRAME_LG2,
		 nr = tablemem_frames(size_lg2);
	int st;

	st = tablemem_chunks_ensure(mem, mfn, nr);
	if (st)
		return st;
	return tablemem_mark(mem, mfn, nr)
		       ? 0
		       : tablemem_refuse(mem, maddr, "a table already");
}

static int mark_own(struct tablemem *mem)
{
	struct tablemem_block *block;
	uint64_t i;
	int st;

	for (block = mem->blocks; block; block = block->next) {
		if (!mem->host->ops.alloc) {
			st = mark_first(mem, tablemem_page_maddr(mem, block),
					IOMMUABS_FRAME_LG2);
			if (st)
				return st;
		}
		for (i = 0; i < block->nr; i++) {
			const struct tablemem_range *range = &block->ranges[i];

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

static void range_free(struct tablemem *mem, const struct tablemem_range *range)
{
	struct tablemem_piece piece = { range, range->mfn, 1 };
	uint64_t i, chunk;

	if (!range->directory)
		return;
	for (i = tablemem_range_chunks(range); i;
	     i--, piece.mfn += TABLEMEM_CHUNK) {
		chunk = tablemem_chunk_load(mem, &piece);
		if (chunk)
			tablemem_host_free(mem, NULL, chunk,
					   IOMMUABS_FRAME_LG2);
	}
	tablemem_host_free(mem, NULL, range->directory,
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
