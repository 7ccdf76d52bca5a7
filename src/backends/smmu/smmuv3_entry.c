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

/* S2SL0: the start level, counted from another end for 4K (5.2). */
static uint64_t encode_levels(unsigned int granule_lg2, unsigned int levels)
{
	return granule_lg2 == 12 ? levels - 2 : levels - 1;
}

/*
 * PASIDs are refused: stage 1 is idle (5.2, S1CDMax). EATS is 0: what claims to be
 * translated is refused, until backend_ats_open() (C16).
 */
static void stage2_words(const struct smmuv3 *smmu,
			 const struct backend_table *table, uint32_t flags,
			 uint64_t words[STE_WORDS])
{
	const unsigned int granule = table->granule_lg2;
	const bool fifth = granule == 12 && table->levels == 5;
	unsigned int bits;

	/* Not below the input: an input wider than S2PS is C_BAD_STE for some. */
	bits = IA_MAX(table->output_bits, table->input_bits);
	bits = IA_MIN(bits, smmu->unit->caps.output_bits);
	words[0] |= field_put(STE0_CONFIG, STE_CONFIG_S2);
	words[2] =
		field_put(STE2_S2VMID, table->id) |
		field_put(STE2_S2T0SZ, 64 - table->input_bits) |
		field_put(STE2_S2SL0,
			  fifth ? 0 : encode_levels(granule, table->levels)) |
		field_put(STE2_S2WALK, table->walk_attrs) |
		field_put(STE2_S2TG, smmuv3_encode_granule(granule)) |
		field_put(STE2_S2PS, smmuv3_encode_size(bits)) | STE2_S2AA64;
	if (!(flags & BACKEND_STREAM_SILENT))
		words[2] |= STE2_S2R;
	if (smmu->stall_forced)
		words[2] |= STE2_S2S;
	words[3] = table->root & STE3_S2TTB;
	if (table->format == BACKEND_FORMAT_ARM_S2_DS)
		words[3] |= STE3_S2DS | (fifth ? STE3_S2SL0_2 : 0);
}

/* PASIDs are refused: S1CDMax is 0. STRW is 0: NS-EL1, with an ASID. */
static void stage1_words(struct smmuv3 *smmu, const struct backend_table *table,
			 uint32_t flags, uint64_t words[STE_WORDS])
{
	words[0] |=
		field_put(STE0_CONFIG, STE_CONFIG_S1) |
		(smmuv3_cd_maddr(smmu, table->id, flags) & STE0_S1CONTEXTPTR);
	if (smmu->unit->caps.coherent)
		words[1] |= field_put(STE1_S1CIR, SMMU_CACHE_WB) |
			    field_put(STE1_S1COR, SMMU_CACHE_WB) |
			    field_put(STE1_S1CSH, SMMU_SH_ISH);
}

void smmuv3_entry_make(struct smmuv3 *smmu, const struct backend_table *table,
		       uint32_t flags, uint64_t words[STE_WORDS])
{
	unsigned int i;

	for (i = 0; i < STE_WORDS; i++)
		words[i] = 0;
	if (table) {
		words[0] = STE0_V;
		if (smmu->attr_types_ovr)
			words[1] = field_put(STE1_SHCFG, STE_SHCFG_INCOMING);
		if (smmu->unit->caps.stage2)
			stage2_words(smmu, table, flags, words);
		else
			stage1_words(smmu, table, flags, words);
	} else if (flags & BACKEND_STREAM_SILENT) {
		/* An invalid entry is recorded, one that aborts is not. */
		words[0] = STE0_V | field_put(STE0_CONFIG, STE_CONFIG_ABORT);
	}
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
	/* The same but for faults that are recorded or not; another descriptor,
	 * with an id of its own; ATS or not. */
	if ((differing == 1u << 2 && word2 == STE2_S2R) ||
	    (differing == 1u << 0 &&
	     !((from[0] ^ to[0]) & ~STE0_S1CONTEXTPTR)) ||
	    (differing == 1u << 1 && !((from[1] ^ to[1]) & ~STE1_EATS)))
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
	struct smmuv3 *smmu = smmuv3_of(unit);
	uint64_t before[STE_WORDS], after[STE_WORDS];

	if (!unit->caps.stage2 && from->id == to->id)
		return smmuv3_cd_is_same(smmu, from, to);
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

typedef bool (*step_fn)(const struct change *change, uint64_t *entry);

/* One step for all entries. One that was never reserved is not there, and blocks. */
static bool store_step(const struct change *change, step_fn step)
{
	struct smmuv3 *smmu = change->smmu;
	bool changed = false;
	uint32_t i;

	for (i = 0; i < change->nr; i++) {
		uint64_t *entry = smmuv3_strtab_entry(smmu, change->first + i);

		if (!entry)
			continue;
		changed |= step(change, entry);
		hostif_unmap(smmu->unit->host, entry);
	}
	return changed;
}

static int forget(const struct change *change)
{
	return smmuv3_forget_entries(change->smmu, change->first, change->nr);
}

/* And then one wait for all. */
static int do_step(const struct change *change, step_fn step)
{
	return store_step(change, step) ? forget(change) : 0;
}

/*
 * What stalled while an entry was valid is ended by CMD_STALL_TERM (4.7.2), once
 * nothing of its stream stalls any more. Of a stream that goes on something always
 * may: that waits for its event.
 */
static int invalidate_entries(const struct change *change)
{
	int ret;

	if (!store_step(change, invalidate_entry))
		return 0;
	ret = forget(change);
	if (!ret && change->smmu->stall_forced)
		ret = smmuv3_stalls_end(change->smmu, change->first,
					change->nr);
	return ret;
}

/*
 * After a timeout the unit may still hold old words: the rest must not be
 * written, and the entries stay as they are.
 */
static int change_entries(const struct change *change)
{
	int ret = do_step(change, switch_entry);

	if (!ret)
		ret = invalidate_entries(change);
	if (!ret)
		ret = do_step(change, fill_entry);
	if (!ret)
		ret = do_step(change, validate_entry);
	return ret;
}

int smmuv3_stream_set(struct backend_unit *unit, uint32_t first, uint32_t nr,
		      const struct backend_table *table, uint32_t flags)
{
	struct smmuv3 *smmu = smmuv3_of(unit);
	struct change change = { .smmu = smmu, first, nr, { 0 } };
	struct backend_ats *ats = NULL;
	int ret;

	if (table && !unit->caps.stage2)
		smmuv3_cd_publish(smmu, table);
	if (table && (flags & BACKEND_STREAM_ATS))
		ats = backend_ats_find(smmu->ats, first, nr);
	ret = backend_ats_close(unit, smmu->ats, first, nr, &smmuv3_ats_ops);
	if (ret)
		return ret;
	smmuv3_entry_make(smmu, table, flags, change.want);
	ret = change_entries(&change);
	if (ret)
		return ret;
	backend_ats_leave(smmu->ats, first, nr);
	if (!ats)
		return 0;
	backend_ats_enter(ats, table->id);
	return backend_ats_open(unit, ats, &smmuv3_ats_ops);
}

/* ---- ATS of entries that stay ---- */

/* One store: no other field of its word changes (3.21.3). */
static bool set_eats(const struct change *change, uint64_t *entry)
{
	uint64_t word0 = port_dev_load64(entry);
	uint64_t word1 = port_dev_load64(entry + 1) & ~STE1_EATS;

	word1 |= change->want[1];
	if (!(word0 & STE0_V) ||
	    field_get(STE0_CONFIG, word0) <= STE_CONFIG_BYPASS ||
	    port_dev_load64(entry + 1) == word1)
		return false;
	port_dev_store64(entry + 1, word1);
	smmuv3_clean(change->smmu, entry + 1, sizeof(*entry));
	return true;
}

int smmuv3_entries_eats(struct smmuv3 *smmu, uint32_t first, uint32_t nr,
			uint64_t eats)
{
	struct change change = { .smmu = smmu, first, nr, { 0 } };

	change.want[1] = field_put(STE1_EATS, eats);
	return do_step(&change, set_eats);
}

/* ---- what a live entry says ---- */

static void decode_stage2(uint64_t word2, uint64_t word3,
			  struct backend_stream *out)
{
	struct backend_table *table = &out->table;
	const bool ds = word3 & STE3_S2DS;
	uint64_t levels = field_get(STE2_S2SL0, word2);

	table->format = ds ? BACKEND_FORMAT_ARM_S2_DS : BACKEND_FORMAT_ARM_S2;
	table->root = word3 & STE3_S2TTB;
	table->id = (uint32_t)field_get(STE2_S2VMID, word2);
	table->input_bits = (uint8_t)(64 - field_get(STE2_S2T0SZ, word2));
	table->output_bits = smmuv3_size_bits(field_get(STE2_S2PS, word2));
	table->granule_lg2 = smmuv3_granule_lg2(field_get(STE2_S2TG, word2));
	table->levels = (uint8_t)(levels + (table->granule_lg2 == 12 ? 2 : 1));
	if (ds && (word3 & STE3_S2SL0_2))
		table->levels = 5;
	table->walk_attrs = (uint8_t)field_get(STE2_S2WALK, word2);
	out->flags = word2 & STE2_S2R ? 0 : BACKEND_STREAM_SILENT;
	out->kind = table->granule_lg2 && (word2 & STE2_S2AA64)
			    ? BACKEND_STREAM_TABLE
			    : BACKEND_STREAM_BAD;
}

void smmuv3_read_stream(struct backend_unit *unit, uint32_t stream,
			struct backend_stream *out)
{
	struct smmuv3 *smmu = smmuv3_of(unit);
	uint64_t *entry = smmuv3_strtab_entry(smmu, stream);
	uint64_t word0 = 0, word1 = 0, word2 = 0, word3 = 0;

	__builtin_memset(out, 0, sizeof(*out));
	if (entry) {
		word0 = port_dev_load64(entry);
		word1 = port_dev_load64(entry + 1);
		word2 = port_dev_load64(entry + 2);
		word3 = port_dev_load64(entry + 3);
		hostif_unmap(smmu->unit->host, entry);
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
	case STE_CONFIG_S1:
		smmuv3_cd_decode(smmu, word0 & STE0_S1CONTEXTPTR, out);
		break;
	case STE_CONFIG_S2:
		decode_stage2(word2, word3, out);
		break;
	default:
		out->kind = BACKEND_STREAM_BAD;
	}
	if (word1 & STE1_EATS)
		out->flags |= BACKEND_STREAM_ATS;
}

#endif
