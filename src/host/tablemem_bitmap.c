/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tablemem_bitmap.c - which frames are tables
 */
#include "tablemem_parts.h"

struct tablemem_piece tablemem_piece_of(const struct tablemem *mem,
					uint64_t mfn, uint64_t nr)
{
	struct tablemem_piece piece = { NULL, mfn, nr };
	const struct tablemem_block *block;
	uint64_t i;

	for (block = mem->blocks; block; block = block->next) {
		for (i = 0; i < block->nr; i++) {
			const struct tablemem_range *range = &block->ranges[i];

			if (mfn < range->mfn) {
				piece.nr = IA_MIN(piece.nr, range->mfn - mfn);
			} else if (mfn - range->mfn < range->nr) {
				uint64_t left = range->nr - (mfn - range->mfn);
				uint64_t chunk =
					TABLEMEM_CHUNK - mfn % TABLEMEM_CHUNK;

				piece.range = range;
				piece.nr = IA_MIN(piece.nr, left);
				piece.nr = IA_MIN(piece.nr, chunk);
				return piece;
			}
		}
	}
	return piece;
}

bool tablemem_inside(const struct tablemem *mem, uint64_t mfn, uint64_t nr)
{
	struct tablemem_piece piece;

	for (; nr; mfn += piece.nr, nr -= piece.nr) {
		piece = tablemem_piece_of(mem, mfn, nr);
		if (!piece.range)
			return false;
	}
	return true;
}

uint64_t tablemem_range_chunks(const struct tablemem_range *range)
{
	return ((range->mfn + range->nr - 1) >> TABLEMEM_CHUNK_LG2) -
	       (range->mfn >> TABLEMEM_CHUNK_LG2) + 1;
}

/* The directory's word for the chunk of @piece; word_unmap() ends its use. */
static uint64_t *chunk_map(const struct tablemem *mem,
			   const struct tablemem_piece *piece)
{
	const struct tablemem_range *range = piece->range;
	uint64_t index = (piece->mfn >> TABLEMEM_CHUNK_LG2) -
			 (range->mfn >> TABLEMEM_CHUNK_LG2);
	uint64_t offset = index * sizeof(uint64_t);
	char *page;

	page = hostif_map(mem->host,
			  range->directory +
				  IA_ALIGN_DOWN(offset, TABLEMEM_PAGE));
	return (uint64_t *)(void *)(page + offset % TABLEMEM_PAGE);
}

static void word_unmap(const struct tablemem *mem, uint64_t *word)
{
	uintptr_t page = (uintptr_t)word & ~(uintptr_t)(TABLEMEM_PAGE - 1);

	hostif_unmap(mem->host, (void *)page);
}

uint64_t tablemem_chunk_load(const struct tablemem *mem,
			     const struct tablemem_piece *piece)
{
	uint64_t *word = chunk_map(mem, piece);
	uint64_t chunk = port_load64_acquire(word);

	word_unmap(mem, word);
	return chunk;
}

bool tablemem_chunk_replace(const struct tablemem *mem,
			    const struct tablemem_piece *piece, uint64_t old,
			    uint64_t chunk)
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

void tablemem_unmark(const struct tablemem *mem, uint64_t mfn, uint64_t nr)
{
	struct tablemem_piece piece;
	uint64_t bit, *words;

	for (; nr; mfn += piece.nr, nr -= piece.nr) {
		piece = tablemem_piece_of(mem, mfn, nr);
		bit = mfn % TABLEMEM_CHUNK;
		words = hostif_map(mem->host, tablemem_chunk_load(mem, &piece));
		bits_clear(words, bit, bit + piece.nr);
		hostif_unmap(mem->host, words);
	}
}

bool tablemem_mark(const struct tablemem *mem, uint64_t first, uint64_t nr)
{
	uint64_t mfn = first, bit, *words;
	struct tablemem_piece piece;
	bool done;

	for (; nr; mfn += piece.nr, nr -= piece.nr) {
		piece = tablemem_piece_of(mem, mfn, nr);
		bit = mfn % TABLEMEM_CHUNK;
		words = hostif_map(mem->host, tablemem_chunk_load(mem, &piece));
		done = bits_set(words, bit, bit + piece.nr);
		hostif_unmap(mem->host, words);
		if (!done) {
			tablemem_unmark(mem, first, mfn - first);
			return false;
		}
	}
	return true;
}

bool tablemem_piece_holds(const struct tablemem *mem,
			  const struct tablemem_piece *piece)
{
	uint64_t chunk = tablemem_chunk_load(mem, piece), bit, *words;
	bool any;

	if (chunk & TABLEMEM_PENDING) /* holds itself so far */
		return (chunk >> IOMMUABS_FRAME_LG2) - piece->mfn < piece->nr;
	if (!chunk)
		return false;
	bit = piece->mfn % TABLEMEM_CHUNK;
	words = hostif_map(mem->host, chunk);
	any = bits_any(words, bit, bit + piece->nr);
	hostif_unmap(mem->host, words);
	return any;
}

bool tablemem_holds(struct tablemem *mem, uint64_t mfn, uint64_t nr)
{
	bool ordered = false;
	struct tablemem_piece piece;

	for (; nr; mfn += piece.nr, nr -= piece.nr) {
		piece = tablemem_piece_of(mem, mfn, nr);
		if (!piece.range)
			continue;
		/* Pairs with the one in is_mapped(). */
		if (!ordered)
			port_mb();
		ordered = true;
		if (tablemem_piece_holds(mem, &piece))
			return true;
	}
	return false;
}

/* The first table of @piece, of which there was one a moment ago. */
static uint64_t piece_first(const struct tablemem *mem,
			    const struct tablemem_piece *piece)
{
	struct tablemem_piece half = *piece;
	uint64_t left;

	for (left = piece->nr; left > 1;) {
		half.nr = left / 2;
		if (tablemem_piece_holds(mem, &half)) {
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
	struct tablemem_piece piece;

	if (tablemem_is_far(mem, mfn, *end - mfn))
		return *end;
	do {
		piece = tablemem_piece_of(mem, mfn, *end - mfn);
		if (piece.range && tablemem_piece_holds(mem, &piece))
			return piece_first(mem, &piece);
		mfn += piece.nr;
		*budget -= IA_MIN(*budget, 1);
	} while (mfn < *end && *budget);
	*end = IA_MIN(*end, mfn);
	return *end;
}

bool tablemem_may_hold(const struct tablemem *mem, uint64_t mfn, uint64_t nr)
{
	struct tablemem_piece piece;

	for (; nr; mfn += piece.nr, nr -= piece.nr) {
		piece = tablemem_piece_of(mem, mfn, nr);
		if (piece.range)
			return true;
	}
	return false;
}

void tablemem_unmark_among(const struct tablemem *mem, uint64_t first,
			   uint64_t frames)
{
	uint64_t bit, mask, *words;
	struct tablemem_piece piece;

	for (; frames; frames &= ~mask) {
		bit = (uint64_t)__builtin_ctzll(frames);
		piece = tablemem_piece_of(mem, first + bit, 64 - bit);
		mask = frames & FIELD64(bit + piece.nr - 1, bit);
		words = hostif_map(mem->host, tablemem_chunk_load(mem, &piece));
		word_clear(&words[first % TABLEMEM_CHUNK / 64], mask);
		hostif_unmap(mem->host, words);
	}
}
