/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tablemem_parts.h - what the files of table memory (tablemem*.c) have in common
 *
 * The bitmap of a range: a directory with a word for each chunk of 32768 frames,
 * the machine address of a page with a bit for each of them. The page of a chunk
 * is made when the first table lies in it. It is a table itself and has its bit,
 * in its own page if its chunk had none before. Such a page is PENDING from the
 * store into the directory until it is known to be mapped nowhere.
 */
#ifndef IOMMUABS_HOST_TABLEMEM_PARTS_H
#define IOMMUABS_HOST_TABLEMEM_PARTS_H

#include "tablemem.h"

#define TABLEMEM_LG2_MAX 26
#define TABLEMEM_PAGE	 4096

#define TABLEMEM_CHUNK_LG2 15
#define TABLEMEM_CHUNK	   ((uint64_t)1 << TABLEMEM_CHUNK_LG2)
#define TABLEMEM_PENDING   ((uint64_t)1)

_Static_assert(TABLEMEM_RANGE_MAX / TABLEMEM_CHUNK + 1 ==
		       ((uint64_t)1 << TABLEMEM_LG2_MAX) / 8,
	       "a range's directory is one table, however it is aligned");

struct tablemem_range {
	uint64_t mfn, nr;
	uint64_t directory; /* machine address */
	uint64_t directory_lg2;
};

struct tablemem_block {
	struct tablemem_block *next;
	uint64_t nr;
	struct tablemem_range ranges[];
};

/* A stretch of frames in one chunk of one range, or in none (@range NULL). */
struct tablemem_piece {
	const struct tablemem_range *range;
	uint64_t mfn, nr;
};

static inline uint64_t tablemem_frames(unsigned int size_lg2)
{
	return (uint64_t)1 << (size_lg2 - IOMMUABS_FRAME_LG2);
}

/* Of a page that the library maps for good. */
static inline uint64_t tablemem_page_maddr(const struct tablemem *mem,
					   const void *page)
{
	return (uint64_t)(uintptr_t)page - mem->host->ops.table_offset;
}

/* ---- tablemem_bitmap.c ---- */

/*
 * The first piece of [@mfn, @mfn + @nr). Where ranges overlap, a frame belongs
 * to the one given first.
 */
struct tablemem_piece tablemem_piece_of(const struct tablemem *mem,
					uint64_t mfn, uint64_t nr);
/* Are all of these frames in ranges? */
bool tablemem_inside(const struct tablemem *mem, uint64_t mfn, uint64_t nr);
uint64_t tablemem_range_chunks(const struct tablemem_range *range);
/* The word of the chunk of @piece: its page, PENDING or not; 0: none. */
uint64_t tablemem_chunk_load(const struct tablemem *mem,
			     const struct tablemem_piece *piece);
/* Replace the chunk's word; false: it was not @old. */
bool tablemem_chunk_replace(const struct tablemem *mem,
			    const struct tablemem_piece *piece, uint64_t old,
			    uint64_t chunk);
/* Is one of its frames a table? */
bool tablemem_piece_holds(const struct tablemem *mem,
			  const struct tablemem_piece *piece);
/* Their chunks have pages. False: one of them was marked; nothing changed. */
bool tablemem_mark(const struct tablemem *mem, uint64_t first, uint64_t nr);
void tablemem_unmark(const struct tablemem *mem, uint64_t mfn, uint64_t nr);
/* Unmark frames of the 64 from @first on: a bit of @frames for each. */
void tablemem_unmark_among(const struct tablemem *mem, uint64_t first,
			   uint64_t frames);

/* ---- tablemem.c ---- */

/* Memory of the host's, aligned and inside the ranges, not marked. 0 | E_NOMEM. */
int tablemem_host_alloc(const struct tablemem *mem, void *cookie,
			unsigned int size_lg2, uint32_t flags, uint64_t *maddr);
void tablemem_host_free(const struct tablemem *mem, void *cookie,
			uint64_t maddr, unsigned int size_lg2);
/* Log it. E_NOMEM. */
int tablemem_refuse(const struct tablemem *mem, uint64_t maddr,
		    const char *why);
void tablemem_page_clear(const struct tablemem *mem, uint64_t maddr);
/* Have the chunks of these frames pages. 0 | E_NOMEM. */
int tablemem_chunks_ensure(struct tablemem *mem, uint64_t mfn, uint64_t nr);

#endif
