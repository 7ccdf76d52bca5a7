/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smmuv3_entry.c - stream table entries (IHI 0070 5.2, 3.21.3)
 *
 * A pure function says what an entry should be, one engine changes it. An entry
 * is wider than a store, and a unit may read its words one by one, and keep
 * them. So a live entry goes through "invalid": V = 0, forgotten; the other words,
 * forgotten; V = 1, forgotten. At no moment can old and new words meet under V.
 * Where old and new differ in what one store writes, that store is all, and no
 * request is blocked meanwhile.
 */
#include "smmuv3.h"

#if IOMMUABS_CONFIG_SMMU

/* ---- what an entry says ---- */

static uint64_t encode_granule(unsigned int granule_lg2)
{
	switch (granule_lg2) {
	case 12:
		return STE_S2TG_4K;
	case 14:
		return STE_S2TG_16K;
	default:
		return STE_S2TG_64K;
	}
}

/* S2SL0: the start level, counted from another end for 4K (5.2). */
static uint64_t encode_levels(unsigned int granule_lg2, unsigned int levels)
{
	return granule_lg2 == 12 ? levels - 2 : levels - 1;
}

/* S2PS: the least that holds @bits; 48 at the most. */
static uint64_t encode_size(unsigned int bits)
{
	static const uint8_t sizes[] = { 32, 36, 40, 42, 44 };
	uint64_t i = 0;

	while (i < IA_COUNT(sizes) && sizes[i] < bits)
		i++;
	return i;
}

void smmuv3_entry_make(const struct smmuv3 *smmu,
		       const struct backend_table *table, uint32_t flags,
		       uint64_t words[STE_WORDS])
{
	const bool silent = flags & BACKEND_STREAM_SILENT;
	unsigned int bits, i;

	for (i = 0; i < STE_WORDS; i++)
		words[i] = 0;
	if (!table) {
		/* An invalid entry is recorded, one that aborts is not. */
		if (silent)
			words[0] = STE0_V |
				   field_put(STE0_CONFIG, STE_CONFIG_ABORT);
		return;
	}
	/* Not below the input: an input wider than S2PS is C_BAD_STE for some. */
	bits = IA_MAX(table->output_bits, table->input_bits);
	bits = IA_MIN(bits, smmu->unit->caps.output_bits);
	words[0] = STE0_V | field_put(STE0_CONFIG, STE_CONFIG_S2);
	/* EATS is 0: what claims to be translated is refused (C16). */
	if (smmu->attr_types_ovr)
		words[1] = field_put(STE1_SHCFG, STE_SHCFG_INCOMING);
	words[2] = field_put(STE2_S2VMID, table->id) |
		   field_put(STE2_S2T0SZ, 64 - table->input_bits) |
		   field_put(STE2_S2SL0,
			     encode_levels(table->granule_lg2, table->levels)) |
		   field_put(STE2_S2WALK, table->walk_attrs) |
		   field_put(STE2_S2TG, encode_granule(table->granule_lg2)) |
		   field_put(STE2_S2PS, encode_size(bits)) | STE2_S2AA64 |
		   (silent ? 0 : STE2_S2R);
	words[3] = table->root & STE3_S2TTB;
}

/* ---- how it changes ---- */

enum transition {
	THROUGH_INVALID,
	NO_CHANGE,
	ONE_WORD,
	WORDS_2_3, /* 128 bits at once */
};

/* Bit n: word n differs. */
static uint32_t words_differing(const uint64_t *from, const uint64_t *to)
{
	uint32_t i, differing = 0;

	for (i = 0; i < STE_WORDS; i++)
		differing |= (uint32_t)(from[i] != to[i]) << i;
	return differing;
}

/*
 * Both are valid entries. Stores of 64 bits are seen whole by every unit, those of
 * 128 by some (3.21.3). With one VMID in both, what the unit still holds of the
 * old table meets what it finds in the new one: leaves of other sizes, which takes
 * BBML 2, and of another geometry, which nothing allows.
 */
static enum transition transition(const struct backend_unit *unit,
				  const uint64_t *from, const uint64_t *to)
{
	uint32_t differing = words_differing(from, to);
	uint64_t word2 = from[2] ^ to[2];

	if (!differing)
		return NO_CHANGE;
	if (!(from[0] & to[0] & STE0_V))
		return THROUGH_INVALID;
	/* The same but for faults that are recorded or not. */
	if (differing == 1u << 2 && word2 == STE2_S2R)
		return ONE_WORD;
	if (!(word2 & STE2_S2VMID) &&
	    ((word2 & STE2_S2_REST) || unit->caps.bbml < 2))
		return THROUGH_INVALID;
	if (differing == 1u << 3)
		return ONE_WORD;
	if (!(differing & ~(3u << 2)) &&
	    (unit->desc_flags & IOMMUABS_UNIT_FETCH_128))
		return WORDS_2_3;
	return THROUGH_INVALID;
}

bool smmuv3_stream_is_hitless(const struct backend_unit *unit,
			      const struct backend_table *from,
			      const struct backend_table *to)
{
	const struct smmuv3 *smmu = smmuv3_of(unit);
	uint64_t before[STE_WORDS], after[STE_WORDS];

	smmuv3_entry_make(smmu, from, 0, before);
	smmuv3_entry_make(smmu, to, 0, after);
	return transition(unit, before, after) != THROUGH_INVALID;
}

/* A change of the entries [first, first + nr) to @want. */
struct change {
	struct smmuv3 *smmu;
	uint32_t first, nr;
	uint64_t want[STE_WORDS];
};

static enum transition transition_of(const struct change *change,
				     const uint64_t *entry)
{
	uint64_t now[STE_WORDS];
	uint32_t i;

	for (i = 0; i < STE_WORDS; i++)
		now[i] = port_dev_load64(entry + i);
	return transition(change->smmu->unit, now, change->want);
}

static void store_word(const struct change *change, uint64_t *entry, uint32_t i)
{
	port_dev_store64(entry + i, change->want[i]);
	smmuv3_clean(change->smmu, entry + i, sizeof(*entry));
}

/* The entries for which one store is enough. True: there were some. */
static bool switch_entry(const struct change *change, uint64_t *entry)
{
	uint32_t i;

	switch (transition_of(change, entry)) {
	case ONE_WORD:
		for (i = 0; i < STE_WORDS; i++)
			if (port_dev_load64(entry + i) != change->want[i])
				store_word(change, entry, i);
		return true;
	case WORDS_2_3:
		port_dev_store128(entry + 2, change->want[2], change->want[3]);
		smmuv3_clean(change->smmu, entry + 2, 2 * sizeof(*entry));
		return true;
	default:
		return false;
	}
}

/* V = 0 where the entry is another one. True: some was valid. */
static bool invalidate_entry(const struct change *change, uint64_t *entry)
{
	if (!(port_dev_load64(entry) & STE0_V) ||
	    transition_of(change, entry) == NO_CHANGE)
		return false;
	port_dev_store64(entry, 0);
	smmuv3_clean(change->smmu, entry, sizeof(*entry));
	return true;
}

/* The words that V = 0 hides. True: some changed. */
static bool fill_entry(const struct change *change, uint64_t *entry)
{
	bool changed = false;
	uint32_t i;

	for (i = 1; i < STE_WORDS; i++) {
		if (port_dev_load64(entry + i) == change->want[i])
			continue;
		store_word(change, entry, i);
		changed = true;
	}
	return changed;
}

static bool validate_entry(const struct change *change, uint64_t *entry)
{
	if (port_dev_load64(entry) == change->want[0])
		return false;
	store_word(change, entry, 0);
	return true;
}

/*
 * One step for all entries, then one wait for all. An entry that was never
 * reserved is not there, and blocks.
 */
static int do_step(const struct change *change,
		   bool (*step)(const struct change *change, uint64_t *entry))
{
	struct smmuv3 *smmu = change->smmu;
	bool changed = false;
	uint32_t i;

	for (i = 0; i < change->nr; i++) {
		uint64_t *entry = smmuv3_strtab_entry(smmu, change->first + i);

		if (!entry)
			continue;
		changed |= step(change, entry);
		smmuv3_strtab_entry_unmap(smmu, entry);
	}
	if (!changed)
		return 0;
	return smmuv3_forget_entries(smmu, change->first, change->nr);
}

int smmuv3_stream_set(struct backend_unit *unit, uint32_t first, uint32_t nr,
		      const struct backend_table *table, uint32_t flags)
{
	struct change change = { .smmu = smmuv3_of(unit), first, nr, { 0 } };
	int ret;

	smmuv3_entry_make(change.smmu, table, flags, change.want);
	/*
	 * After a timeout the unit may still hold old words: the rest must not
	 * be written, and the entries stay invalid.
	 */
	ret = do_step(&change, switch_entry);
	if (!ret)
		ret = do_step(&change, invalidate_entry);
	if (!ret)
		ret = do_step(&change, fill_entry);
	if (!ret)
		ret = do_step(&change, validate_entry);
	return ret;
}

/* ---- what a live entry says ---- */

static void decode_table(uint64_t word2, uint64_t word3,
			 struct backend_stream *out)
{
	static const uint8_t sizes[8] = { 32, 36, 40, 42, 44, 48, 52, 52 };
	static const uint8_t granules[4] = { 12, 16, 14, 0 };
	struct backend_table *table = &out->table;
	uint64_t levels = field_get(STE2_S2SL0, word2);

	table->format = BACKEND_FORMAT_ARM_S2;
	out->flags = word2 & STE2_S2R ? 0 : BACKEND_STREAM_SILENT;
	table->root = word3 & STE3_S2TTB;
	table->id = (uint32_t)field_get(STE2_S2VMID, word2);
	table->input_bits = (uint8_t)(64 - field_get(STE2_S2T0SZ, word2));
	table->output_bits = sizes[field_get(STE2_S2PS, word2)];
	table->granule_lg2 = granules[field_get(STE2_S2TG, word2)];
	table->levels = (uint8_t)(levels + (table->granule_lg2 == 12 ? 2 : 1));
	table->walk_attrs = (uint8_t)field_get(STE2_S2WALK, word2);
	out->kind = table->granule_lg2 && (word2 & STE2_S2AA64)
			    ? BACKEND_STREAM_TABLE
			    : BACKEND_STREAM_BAD;
}

void smmuv3_read_stream(struct backend_unit *unit, uint32_t stream,
			struct backend_stream *out)
{
	struct smmuv3 *smmu = smmuv3_of(unit);
	uint64_t *entry = smmuv3_strtab_entry(smmu, stream);
	uint64_t word0 = 0, word2 = 0, word3 = 0;

	__builtin_memset(out, 0, sizeof(*out));
	if (entry) {
		word0 = port_dev_load64(entry);
		word2 = port_dev_load64(entry + 2);
		word3 = port_dev_load64(entry + 3);
		smmuv3_strtab_entry_unmap(smmu, entry);
	}
	if (!(word0 & STE0_V)) {
		out->kind = BACKEND_STREAM_BLOCKED;
		return;
	}
	switch (field_get(STE0_CONFIG, word0)) {
	case STE_CONFIG_ABORT:
		out->kind = BACKEND_STREAM_BLOCKED;
		out->flags = BACKEND_STREAM_SILENT;
		return;
	case STE_CONFIG_BYPASS:
		out->kind = BACKEND_STREAM_BYPASS;
		return;
	case STE_CONFIG_S2:
		decode_table(word2, word3, out);
		return;
	default:
		out->kind = BACKEND_STREAM_BAD;
	}
}

#endif
