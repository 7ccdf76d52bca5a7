/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vtd_context.c - root and context tables (VT-d 3.4, 9.1 to 9.4)
 *
 * A requester's bus number selects a root entry, device and function a context
 * entry: of two words in legacy mode, of four, in one of two tables for a bus, in
 * scalable mode. A pure function says what an entry should be, one engine changes
 * it: P = 0, forgotten; the other words; P = 1. At no moment can old and new words
 * meet under P.
 */
#include "vtd.h"

#if IOMMUABS_CONFIG_VTD

#define ENTRY_WORDS_MAX 4
#define TABLE_WORDS	512u

static unsigned int entry_words(const struct vtd *vtd)
{
	return vtd->scalable ? 4 : 2;
}

/* ---- where an entry is ---- */

/* The root's word that leads to the context table of @stream. */
static unsigned int root_index(const struct vtd *vtd, uint32_t stream)
{
	unsigned int upper = vtd->scalable ? stream >> 7 & 1 : 0;

	return 2 * (stream >> 8 & 0xff) + upper;
}

static unsigned int entry_index(const struct vtd *vtd, uint32_t stream)
{
	return entry_words(vtd) * stream % TABLE_WORDS;
}

static uint64_t root_read(const struct vtd *vtd, uint32_t stream)
{
	uint64_t *root = hostif_map(vtd->unit->host, vtd->root), word;

	word = port_dev_load64(root + root_index(vtd, stream));
	hostif_unmap(vtd->unit->host, root);
	return word;
}

/* The entry of @stream, until hostif_unmap(). NULL: none was reserved. */
static uint64_t *entry_map(const struct vtd *vtd, uint32_t stream)
{
	uint64_t root = root_read(vtd, stream), *table;

	if (!(root & VTD_ENTRY_P))
		return NULL;
	table = hostif_map(vtd->unit->host, root & VTD_ENTRY_ADDRESS);
	return table + entry_index(vtd, stream);
}

static int table_reserve(struct vtd *vtd, uint32_t stream)
{
	uint64_t *root, maddr;
	int ret;

	if (root_read(vtd, stream) & VTD_ENTRY_P)
		return 0;
	ret = vtd_page(vtd, &maddr);
	if (ret)
		return ret;
	/* Every word of it is zero, in memory, before it is linked. */
	port_dev_mb();
	root = hostif_map(vtd->unit->host, vtd->root);
	root += root_index(vtd, stream);
	port_dev_store64(root, maddr | VTD_ENTRY_P);
	vtd_clean(vtd, root, sizeof(*root));
	hostif_unmap(vtd->unit->host, root);
	return 0;
}

int vtd_streams_reserve(struct backend_unit *unit, uint32_t first, uint32_t nr)
{
	struct vtd *vtd = vtd_of(unit);
	uint32_t per_table = TABLE_WORDS / entry_words(vtd);
	uint64_t stream, end = (uint64_t)first + nr;
	int ret = 0;

	for (stream = first; stream < end && !ret;
	     stream = IA_ALIGN_DOWN(stream, per_table) + per_table)
		ret = table_reserve(vtd, (uint32_t)stream);
	/* A unit in caching mode may hold on to "not present" (6.1). */
	if (!ret && vtd_has(VTD_CAP_CM, vtd->cap))
		ret = vtd_forget_contexts(vtd, NULL, 0);
	if (!ret)
		ret = backend_ats_reserve(unit, &vtd->ats, first, nr);
	/* E_TIMEOUT would say that a change stands. That the unit doesn't answer
	 * is found by whoever sets an entry. */
	return ret == IOMMUABS_E_TIMEOUT ? IOMMUABS_E_NOMEM : ret;
}

void vtd_contexts_free(struct vtd *vtd)
{
	uint64_t *root, word;
	unsigned int i;

	if (!vtd->root)
		return;
	for (i = 0; i < TABLE_WORDS; i++) {
		root = hostif_map(vtd->unit->host, vtd->root);
		word = port_dev_load64(root + i);
		hostif_unmap(vtd->unit->host, root);
		if (word & VTD_ENTRY_P)
			vtd_page_free(vtd, word & VTD_ENTRY_ADDRESS);
	}
	vtd_page_free(vtd, vtd->root);
}

/* ---- what an entry says ---- */

static void entry_make(struct vtd *vtd, const struct backend_table *table,
		       uint32_t flags, uint64_t words[ENTRY_WORDS_MAX])
{
	unsigned int i;

	for (i = 0; i < ENTRY_WORDS_MAX; i++)
		words[i] = 0;
	/* Absent is recorded as a fault, unless FPD says otherwise. */
	if (flags & BACKEND_STREAM_SILENT)
		words[0] = VTD_ENTRY_FPD;
	if (!table)
		return;
	words[0] |= VTD_ENTRY_P;
	if (vtd->scalable) {
		/* A directory of the least size; requests carry no PASID. */
		words[0] |= vtd_pasid_directory(vtd, table->id);
		return;
	}
	words[0] |= table->root | field_put(VTD_CTX0_TT, VTD_TT_UNTRANSLATED);
	words[1] = field_put(VTD_CTX1_AW, VTD_AW_OF_LEVELS(table->levels)) |
		   field_put(VTD_CTX1_DID, table->id);
}

/* The domain-id under which a unit may have cached the entry. */
static uint16_t entry_id(const struct vtd *vtd, const uint64_t *entry)
{
	if (vtd->scalable || !(port_dev_load64(entry) & VTD_ENTRY_P))
		return 0;
	return (uint16_t)field_get(VTD_CTX1_DID, port_dev_load64(entry + 1));
}

/* ---- how it changes ---- */

/* A change of the entries [first, first + nr) to @want. */
struct change {
	struct vtd *vtd;
	uint32_t first, nr;
	uint64_t want[ENTRY_WORDS_MAX];
};

static bool is_as_wanted(const struct change *change, const uint64_t *entry)
{
	unsigned int i;

	for (i = 0; i < entry_words(change->vtd); i++) {
		if (port_dev_load64(entry + i) != change->want[i])
			return false;
	}
	return true;
}

/* From one table to another in one store, where the unit fetches it whole. */
static bool is_one_store(const struct change *change, const uint64_t *entry)
{
	const struct vtd *vtd = change->vtd;

	return !vtd->scalable &&
	       (vtd->unit->desc_flags & IOMMUABS_UNIT_FETCH_128) &&
	       (port_dev_load64(entry) & VTD_ENTRY_P) &&
	       (change->want[0] & VTD_ENTRY_P);
}

/* P = 0, or the whole of it. True: what a unit may have cached is another. */
static bool break_entry(const struct change *change, uint64_t *entry)
{
	if (!(port_dev_load64(entry) & VTD_ENTRY_P) ||
	    is_as_wanted(change, entry))
		return false;
	if (is_one_store(change, entry)) {
		port_dev_store128(entry, change->want[0], change->want[1]);
		vtd_clean(change->vtd, entry, 2 * sizeof(*entry));
		return true;
	}
	port_dev_store64(entry, 0);
	vtd_clean(change->vtd, entry, sizeof(*entry));
	return true;
}

/* The words that P = 0 hides. */
static bool fill_entry(const struct change *change, uint64_t *entry)
{
	bool changed = false;
	unsigned int i;

	for (i = 1; i < entry_words(change->vtd); i++) {
		if (port_dev_load64(entry + i) == change->want[i])
			continue;
		port_dev_store64(entry + i, change->want[i]);
		vtd_clean(change->vtd, entry + i, sizeof(*entry));
		changed = true;
	}
	return changed;
}

static bool validate_entry(const struct change *change, uint64_t *entry)
{
	if (port_dev_load64(entry) == change->want[0])
		return false;
	port_dev_store64(entry, change->want[0]);
	vtd_clean(change->vtd, entry, sizeof(*entry));
	return true;
}

/*
 * One step for all entries, then one wait for all; each as it was cached, or all
 * there are if they are many. An entry that was never reserved blocks.
 */
static int do_step(const struct change *change,
		   bool (*step)(const struct change *change, uint64_t *entry))
{
	struct vtd_cached cached[VTD_CACHED_MAX];
	struct vtd *vtd = change->vtd;
	bool many = change->nr > VTD_CACHED_MAX;
	uint32_t i, nr = 0, changed = 0;

	for (i = 0; i < change->nr; i++) {
		uint64_t *entry = entry_map(vtd, change->first + i);
		uint16_t id;

		if (!entry)
			continue;
		id = entry_id(vtd, entry);
		if (step(change, entry)) {
			changed++;
			if (!many)
				cached[nr++] = (struct vtd_cached){
					(uint16_t)(change->first + i), id
				};
		}
		hostif_unmap(vtd->unit->host, entry);
	}
	if (!changed)
		return 0;
	return vtd_forget_contexts(vtd, cached, nr);
}

int vtd_stream_set(struct backend_unit *unit, uint32_t first, uint32_t nr,
		   const struct backend_table *table, uint32_t flags)
{
	struct vtd *vtd = vtd_of(unit);
	struct change change = { .vtd = vtd, first, nr, { 0 } };
	struct backend_ats *ats = NULL;
	int ret;

	if (table && (flags & BACKEND_STREAM_ATS))
		ats = backend_ats_find(vtd->ats, first, nr);
	ret = backend_ats_close(unit, vtd->ats, first, nr, &vtd_ats_ops);
	if (!ret && table && change.vtd->scalable)
		ret = vtd_pasid_set(change.vtd, table);
	entry_make(change.vtd, table, flags, change.want);
	/*
	 * After a timeout the unit may still hold old words: the rest must not
	 * be written, and the entries stay absent.
	 */
	if (!ret)
		ret = do_step(&change, break_entry);
	if (!ret)
		ret = do_step(&change, fill_entry);
	if (!ret)
		ret = do_step(&change, validate_entry);
	if (ret)
		return ret;
	backend_ats_leave(vtd->ats, first, nr);
	if (!ats)
		return 0;
	backend_ats_enter(ats, table->id);
	return backend_ats_open(unit, ats, &vtd_ats_ops);
}

/* In place: no other word of the entry says anything about it. */
static bool set_ats(const struct change *change, uint64_t *entry)
{
	uint64_t field = change->vtd->scalable ? VTD_SCTX0_DTE : VTD_CTX0_TT;
	uint64_t old = port_dev_load64(entry);
	uint64_t now = (old & ~field) | change->want[0];

	if (!(old & VTD_ENTRY_P) || now == old)
		return false;
	port_dev_store64(entry, now);
	vtd_clean(change->vtd, entry, sizeof(*entry));
	return true;
}

int vtd_contexts_ats(struct vtd *vtd, uint32_t first, uint32_t nr, bool on)
{
	struct change change = { .vtd = vtd, first, nr, { 0 } };

	if (on)
		change.want[0] = vtd->scalable
					 ? VTD_SCTX0_DTE
					 : field_put(VTD_CTX0_TT, VTD_TT_ATS);
	return do_step(&change, set_ats);
}

bool vtd_stream_is_hitless(const struct backend_unit *unit,
			   const struct backend_table *from,
			   const struct backend_table *to)
{
	(void)from;
	(void)to;
	return !vtd_of(unit)->scalable &&
	       (unit->desc_flags & IOMMUABS_UNIT_FETCH_128);
}

/* ---- what a live entry says ---- */

static void decode_legacy(uint64_t word0, uint64_t word1,
			  struct backend_stream *out)
{
	struct backend_table *table = &out->table;

	out->kind = BACKEND_STREAM_TABLE;
	if (field_get(VTD_CTX0_TT, word0) == VTD_TT_ATS)
		out->flags |= BACKEND_STREAM_ATS;
	else if (field_get(VTD_CTX0_TT, word0) != VTD_TT_UNTRANSLATED)
		out->kind = BACKEND_STREAM_BAD;
	table->root = word0 & VTD_ENTRY_ADDRESS;
	table->levels = (uint8_t)(field_get(VTD_CTX1_AW, word1) + 2);
	table->id = (uint32_t)field_get(VTD_CTX1_DID, word1);
}

void vtd_read_stream(struct backend_unit *unit, uint32_t stream,
		     struct backend_stream *out)
{
	struct vtd *vtd = vtd_of(unit);
	uint64_t *entry = entry_map(vtd, stream), word0 = 0, word1 = 0;

	__builtin_memset(out, 0, sizeof(*out));
	if (entry) {
		word0 = port_dev_load64(entry);
		word1 = port_dev_load64(entry + 1);
		hostif_unmap(vtd->unit->host, entry);
	}
	if (word0 & VTD_ENTRY_FPD)
		out->flags |= BACKEND_STREAM_SILENT;
	out->kind = BACKEND_STREAM_BLOCKED;
	if (!(word0 & VTD_ENTRY_P))
		return;
	out->table.format = BACKEND_FORMAT_VTD;
	out->table.granule_lg2 = 12;
	if (vtd->scalable && (word0 & VTD_SCTX0_DTE))
		out->flags |= BACKEND_STREAM_ATS;
	if (!vtd->scalable)
		decode_legacy(word0, word1, out);
	else
		out->kind = vtd_pasid_read(vtd, word0 & VTD_ENTRY_ADDRESS,
					   &out->table);
}

#endif
