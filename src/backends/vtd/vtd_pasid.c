/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vtd_pasid.c - scalable mode: PASID tables (VT-d 3.4.3, 9.5, 9.6)
 *
 * In scalable mode a context entry leads to a directory, that to a table, and a
 * request without a PASID uses entry 0 of it (RID_PASID). All streams of a domain
 * say the same there, so each domain-id in use has one directory and one table, a
 * page each; every other PASID is absent. They stay until the unit goes, for the
 * next domain with that id.
 */
#include "vtd.h"

#if IOMMUABS_CONFIG_VTD

#define PAGE_WORDS 512u

static uint64_t *word_map(const struct vtd *vtd, uint64_t maddr,
			  unsigned int index)
{
	uint64_t *page = hostif_map(vtd->unit->host, maddr);

	return page + index;
}

static uint64_t word_read(const struct vtd *vtd, uint64_t maddr,
			  unsigned int index)
{
	uint64_t *word = word_map(vtd, maddr, index);
	uint64_t value = port_load64(word);

	hostif_unmap(vtd->unit->host, word);
	return value;
}

static void word_write(const struct vtd *vtd, uint64_t maddr,
		       unsigned int index, uint64_t value)
{
	uint64_t *word = word_map(vtd, maddr, index);

	port_store64(word, value);
	hostif_unmap(vtd->unit->host, word);
}

/* The machine address in word @index of the page at @maddr; made if it is 0. */
static int page_of(struct vtd *vtd, uint64_t maddr, unsigned int index,
		   uint64_t *page)
{
	int ret;

	*page = word_read(vtd, maddr, index);
	if (*page)
		return 0;
	ret = vtd_page(vtd, page);
	if (!ret)
		word_write(vtd, maddr, index, *page);
	return ret;
}

/* A directory of one entry, and the table that it leads to. */
static int directory_make(struct vtd *vtd, uint64_t *directory)
{
	uint64_t table, *entry;
	int ret = vtd_page(vtd, directory);

	if (ret)
		return ret;
	ret = vtd_page(vtd, &table);
	if (ret) {
		vtd_page_unused(vtd, *directory);
		return ret;
	}
	entry = word_map(vtd, *directory, 0);
	port_dev_store64(entry, table | VTD_ENTRY_P);
	vtd_clean(vtd, entry, sizeof(*entry));
	hostif_unmap(vtd->unit->host, entry);
	/* Both, before an entry leads to them. */
	port_dev_mb();
	return 0;
}

int vtd_id_reserve(struct backend_unit *unit, uint32_t id)
{
	struct vtd *vtd = vtd_of(unit);
	uint64_t page, directory;
	int ret;

	if (!vtd->scalable)
		return 0;
	ret = page_of(vtd, vtd->pasids, id / PAGE_WORDS, &page);
	if (ret || word_read(vtd, page, id % PAGE_WORDS))
		return ret;
	ret = directory_make(vtd, &directory);
	if (!ret)
		word_write(vtd, page, id % PAGE_WORDS, directory);
	return ret;
}

uint64_t vtd_pasid_directory(struct vtd *vtd, uint32_t id)
{
	uint64_t page = word_read(vtd, vtd->pasids, id / PAGE_WORDS);

	return page ? word_read(vtd, page, id % PAGE_WORDS) : 0;
}

static uint64_t table_of(const struct vtd *vtd, uint64_t directory)
{
	uint64_t *entry = word_map(vtd, directory, 0);
	uint64_t table = port_dev_load64(entry) & VTD_ENTRY_ADDRESS;

	hostif_unmap(vtd->unit->host, entry);
	return table;
}

static void directory_free(struct vtd *vtd, uint64_t directory)
{
	vtd_page_free(vtd, table_of(vtd, directory));
	vtd_page_free(vtd, directory);
}

void vtd_pasids_free(struct vtd *vtd)
{
	unsigned int i, k;
	uint64_t page, directory;

	for (i = 0; vtd->pasids && i < PAGE_WORDS; i++) {
		page = word_read(vtd, vtd->pasids, i);
		for (k = 0; page && k < PAGE_WORDS; k++) {
			directory = word_read(vtd, page, k);
			if (directory)
				directory_free(vtd, directory);
		}
		vtd_page_free(vtd, page);
	}
	vtd_page_free(vtd, vtd->pasids);
}

/* ---- entries ---- */

static void entry_make(const struct vtd *vtd, const struct backend_table *table,
		       uint64_t words[VTD_PASID_WORDS])
{
	unsigned int i;

	for (i = 0; i < VTD_PASID_WORDS; i++)
		words[i] = 0;
	words[0] = table->root | VTD_ENTRY_P |
		   field_put(VTD_PASID0_AW, VTD_AW_OF_LEVELS(table->levels)) |
		   field_put(VTD_PASID0_PGTT, VTD_PGTT_SECOND);
	words[1] = field_put(VTD_PASID1_DID, table->id);
	/* Walks snoop where they can, and so do the accesses themselves. */
	if (vtd_has(VTD_ECAP_SMPWCS, vtd->ecap))
		words[1] |= VTD_PASID1_PWSNP;
	if (vtd_has(VTD_ECAP_SC, vtd->ecap))
		words[1] |= VTD_PASID1_PGSNP;
}

static void store_words(struct vtd *vtd, uint64_t *entry, const uint64_t *words,
			unsigned int from, unsigned int nr)
{
	unsigned int i;

	for (i = from; i < from + nr; i++)
		port_dev_store64(entry + i, words[i]);
	vtd_clean(vtd, entry + from, nr * sizeof(*entry));
}

static bool differs(const uint64_t *entry, const uint64_t *words)
{
	unsigned int i = 0;

	while (i < VTD_PASID_WORDS && port_dev_load64(entry + i) == words[i])
		i++;
	return i < VTD_PASID_WORDS;
}

int vtd_pasid_set(struct vtd *vtd, const struct backend_table *table)
{
	uint64_t words[VTD_PASID_WORDS];
	const uint64_t absent[VTD_PASID_WORDS] = { 0 };
	uint64_t *entry;
	int ret = 0;

	entry_make(vtd, table, words);
	entry = word_map(vtd,
			 table_of(vtd, vtd_pasid_directory(vtd, table->id)), 0);
	if (!differs(entry, words))
		goto out;
	if (port_dev_load64(entry) & VTD_ENTRY_P) {
		store_words(vtd, entry, absent, 0, 1);
		ret = vtd_forget_pasids(vtd, table->id);
	}
	if (!ret) {
		store_words(vtd, entry, words, 1, VTD_PASID_WORDS - 1);
		ret = vtd_forget_pasids(vtd, table->id);
	}
	if (!ret) {
		store_words(vtd, entry, words, 0, 1);
		ret = vtd_forget_pasids(vtd, table->id);
	}
out:
	hostif_unmap(vtd->unit->host, entry);
	return ret;
}

enum backend_stream_kind vtd_pasid_read(struct vtd *vtd, uint64_t maddr,
					struct backend_table *table)
{
	uint64_t *entry = word_map(vtd, table_of(vtd, maddr), 0);
	uint64_t word0 = port_dev_load64(entry);
	uint64_t word1 = port_dev_load64(entry + 1);

	hostif_unmap(vtd->unit->host, entry);
	table->root = word0 & VTD_ENTRY_ADDRESS;
	table->levels = (uint8_t)(field_get(VTD_PASID0_AW, word0) + 2);
	table->id = (uint32_t)field_get(VTD_PASID1_DID, word1);
	if (!(word0 & VTD_ENTRY_P))
		return BACKEND_STREAM_BLOCKED;
	return field_get(VTD_PASID0_PGTT, word0) == VTD_PGTT_SECOND
		       ? BACKEND_STREAM_TABLE
		       : BACKEND_STREAM_BAD;
}

#endif
