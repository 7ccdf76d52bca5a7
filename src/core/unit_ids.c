/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit_ids.c - VMIDs and domain-ids of a unit: a bit each, in pages made when needed
 *
 * A page's second half has the bits of ids that are kept: they are free when the
 * unit has been recovered.
 */
#include "unit.h"

#define IDS_WORDS (UNIT_IDS_PER_PAGE / 64)

/* The words of page @n, to be unmapped; NULL: it isn't there yet. */
static uint64_t *ids_map(const struct iommuabs_unit *unit, uint32_t n)
{
	uint64_t maddr = port_load64_acquire(&unit->ids[n]);

	return maddr ? hostif_map(&unit->abs->host, maddr) : NULL;
}

/* Where @id is in its page. */
static uint64_t *id_word(uint64_t *page, uint32_t id)
{
	return &page[id % UNIT_IDS_PER_PAGE / 64];
}

static uint64_t id_bit(uint32_t id)
{
	return (uint64_t)1 << id % 64;
}

/* Returns the bits that were set. */
static uint64_t word_clear(uint64_t *word, uint64_t bits)
{
	uint64_t seen = port_load64(word);

	while (!port_cas64(word, &seen, seen & ~bits))
		;
	return seen & bits;
}

static void word_set(uint64_t *word, uint64_t bits)
{
	uint64_t seen = port_load64(word);

	while (!port_cas64(word, &seen, seen | bits))
		;
}

/* A free bit of @word, set now; 64: there is none. */
static uint32_t word_take(uint64_t *word)
{
	uint64_t seen = port_load64(word), bit;

	do {
		if (!~seen)
			return 64;
		bit = ~seen & (seen + 1);
	} while (!port_cas64(word, &seen, seen | bit));
	return (uint32_t)__builtin_ctzll(bit);
}

int unit_ids_make(struct iommuabs_unit *unit, uint32_t n)
{
	const struct hostif *host = &unit->abs->host;
	uint64_t maddr, none = 0, *page;
	int ret =
		tablemem_alloc(&unit->abs->mem, &unit->abs->account,
			       IOMMUABS_FRAME_LG2, IOMMUABS_ALLOC_UNIT, &maddr);

	if (ret)
		return IOMMUABS_E_NOMEM;
	page = hostif_map(host, maddr);
	__builtin_memset(page, 0, IOMMUABS_FRAME_SIZE);
	if (!n)
		page[0] = 1; /* id 0 is never given */
	hostif_unmap(host, page);
	if (!port_cas64(&unit->ids[n], &none, maddr))
		tablemem_free(&unit->abs->mem, &unit->abs->account, maddr,
			      IOMMUABS_FRAME_LG2);
	return 0;
}

void unit_ids_free(struct iommuabs_unit *unit)
{
	uint32_t n;

	for (n = 0; n < UNIT_ID_PAGES && unit->ids[n]; n++)
		tablemem_free(&unit->abs->mem, &unit->abs->account,
			      unit->ids[n], IOMMUABS_FRAME_LG2);
}

/* A free id of page @n, in use now; 0: there is none. */
static uint32_t page_take(const struct iommuabs_unit *unit, uint64_t *page,
			  uint32_t n)
{
	uint32_t nr =
		IA_MIN(unit->nr_ids - n * UNIT_IDS_PER_PAGE, UNIT_IDS_PER_PAGE);
	uint32_t base, bit;

	for (base = 0; base < nr; base += 64) {
		bit = word_take(id_word(page, base));
		if (bit == 64)
			continue;
		if (base + bit < nr)
			return n * UNIT_IDS_PER_PAGE + base + bit;
		word_clear(id_word(page, base), id_bit(bit));
	}
	return 0;
}

int unit_id_take(struct iommuabs_unit *unit, uint32_t *id)
{
	uint32_t n, found = 0;
	uint64_t *page;
	int ret;

	for (n = 0; !found && n * UNIT_IDS_PER_PAGE < unit->nr_ids; n++) {
		page = ids_map(unit, n);
		if (!page) {
			ret = unit_ids_make(unit, n);
			if (ret)
				return ret;
			page = ids_map(unit, n);
		}
		found = page_take(unit, page, n);
		hostif_unmap(&unit->abs->host, page);
	}
	if (!found)
		return IOMMUABS_E_NOIDS;
	*id = found;
	return 0;
}

void unit_id_give(struct iommuabs_unit *unit, uint32_t id)
{
	uint64_t *page = ids_map(unit, id / UNIT_IDS_PER_PAGE);

	word_clear(id_word(page, id), id_bit(id));
	hostif_unmap(&unit->abs->host, page);
}

void unit_id_keep(struct iommuabs_unit *unit, uint32_t id)
{
	uint64_t *page = ids_map(unit, id / UNIT_IDS_PER_PAGE);
	uint64_t *kept = id_word(page + IDS_WORDS, id);

	word_set(kept, id_bit(id));
	/* A recovery that overtook us has invalidated it, and may have missed it. */
	if (unit_status(unit) == IOMMUABS_UNIT_RUNNING &&
	    word_clear(kept, id_bit(id)))
		word_clear(id_word(page, id), id_bit(id));
	hostif_unmap(&unit->abs->host, page);
}

void unit_ids_free_kept(struct iommuabs_unit *unit)
{
	uint64_t *page, bits;
	uint32_t n, i;

	for (n = 0; n < UNIT_ID_PAGES; n++) {
		page = ids_map(unit, n);
		if (!page)
			return;
		for (i = 0; i < IDS_WORDS; i++) {
			bits = word_clear(&page[IDS_WORDS + i], ~(uint64_t)0);
			if (bits)
				word_clear(&page[i], bits);
		}
		hostif_unmap(&unit->abs->host, page);
	}
}

uint32_t unit_ids_in_use(const struct iommuabs_unit *unit)
{
	uint64_t *page, bits;
	uint32_t n, i, nr = 0;

	for (n = 0; n < UNIT_ID_PAGES; n++) {
		page = ids_map(unit, n);
		if (!page)
			break;
		for (i = 0; i < IDS_WORDS; i++)
			for (bits = port_load64(&page[i]); bits; nr++)
				bits &= bits - 1;
		hostif_unmap(&unit->abs->host, page);
	}
	return n ? nr - 1 : 0; /* id 0 is nobody's */
}
