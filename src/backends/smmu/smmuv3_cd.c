/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smmuv3_cd.c - context descriptors (IHI 0070 5.4): a unit without stage 2
 *
 * Each id has two descriptors of its own, that differ in whether faults are
 * recorded. They are written while no entry leads to them, and so are complete
 * before the unit can see them (3.21.3.1). Pages of them come when an id is first
 * used, and stay: a unit that didn't acknowledge may go on reading.
 */
#include "smmuv3.h"
#include "../table_formats.h"

#if IOMMUABS_CONFIG_SMMU

#define PAIR_LG2     (CD_LG2 + 1)
#define IDS_PER_PAGE (IOMMUABS_FRAME_SIZE >> PAIR_LG2)

static unsigned int directory_lg2(const struct smmuv3 *smmu)
{
	return smmu->unit->caps.id_bits + PAIR_LG2 - IOMMUABS_FRAME_LG2 + 3;
}

int smmuv3_cd_make(struct smmuv3 *smmu)
{
	if (smmu->unit->caps.stage2)
		return 0;
	return smmuv3_memory(smmu, directory_lg2(smmu), &smmu->cd_pages);
}

/* The directory's word for the page of @id. */
static uint64_t *page_word(struct smmuv3 *smmu, uint32_t id)
{
	return smmuv3_word_map(smmu, smmu->cd_pages + 8 * (id / IDS_PER_PAGE));
}

static uint64_t page_of(struct smmuv3 *smmu, uint32_t id)
{
	uint64_t *word = page_word(smmu, id);
	uint64_t page = port_dev_load64(word);

	hostif_unmap(smmu->unit->host, word);
	return page;
}

void smmuv3_cd_free(struct smmuv3 *smmu)
{
	uint32_t id;

	if (!smmu->cd_pages)
		return;
	for (id = 0; !(id >> smmu->unit->caps.id_bits); id += IDS_PER_PAGE)
		smmuv3_memory_free(smmu, page_of(smmu, id), IOMMUABS_FRAME_LG2);
	smmuv3_memory_free(smmu, smmu->cd_pages, directory_lg2(smmu));
}

int smmuv3_id_reserve(struct backend_unit *unit, uint32_t id)
{
	struct smmuv3 *smmu = smmuv3_of(unit);
	uint64_t page, *word;
	int ret;

	if (unit->caps.stage2 || page_of(smmu, id))
		return 0;
	ret = smmuv3_memory(smmu, IOMMUABS_FRAME_LG2, &page);
	if (ret)
		return ret;
	word = page_word(smmu, id);
	port_dev_store64(word, page);
	hostif_unmap(smmu->unit->host, word);
	return 0;
}

uint64_t smmuv3_cd_maddr(struct smmuv3 *smmu, uint32_t id, uint32_t flags)
{
	uint64_t silent = flags & BACKEND_STREAM_SILENT ? 1 : 0;

	return page_of(smmu, id) + ((uint64_t)(id % IDS_PER_PAGE) << PAIR_LG2) +
	       (silent << CD_LG2);
}

void smmuv3_cd_words(const struct smmuv3 *smmu,
		     const struct backend_table *table, uint32_t flags,
		     uint64_t words[CD_WORDS])
{
	uint32_t i;

	for (i = 0; i < CD_WORDS; i++)
		words[i] = 0;
	words[0] =
		CD0_V | CD0_AA64 | CD0_EPD1 | CD0_A |
		field_put(CD0_T0SZ, 64 - table->input_bits) |
		field_put(CD0_TG0, smmuv3_encode_granule(table->granule_lg2)) |
		field_put(CD0_WALK, table->walk_attrs) |
		field_put(CD0_IPS, smmuv3_encode_size(table->output_bits)) |
		field_put(CD0_ASID, table->id);
	/* The ids are ours: no CPU's TLB maintenance is about them. */
	words[0] |= CD0_ASET;
	if (!(flags & BACKEND_STREAM_SILENT))
		words[0] |= CD0_R;
	if (smmu->stall_forced)
		words[0] |= CD0_S;
	words[1] = table->root & CD1_TTB0;
	if (table->format == BACKEND_FORMAT_ARM_S1_DS)
		words[2] = CD2_DS;
	words[3] = PT_ARM_S1_MAIR;
}

bool smmuv3_cd_is_same(const struct smmuv3 *smmu, const struct backend_table *a,
		       const struct backend_table *b)
{
	uint64_t words_a[CD_WORDS], words_b[CD_WORDS];
	bool same = true;
	uint32_t i;

	smmuv3_cd_words(smmu, a, 0, words_a);
	smmuv3_cd_words(smmu, b, 0, words_b);
	for (i = 0; i < CD_WORDS; i++)
		same &= words_a[i] == words_b[i];
	return same;
}

static void publish(struct smmuv3 *smmu, uint64_t maddr,
		    const uint64_t words[CD_WORDS])
{
	uint64_t *cd = smmuv3_word_map(smmu, maddr);
	bool equal = true;
	uint32_t i;

	for (i = 0; i < CD_WORDS; i++)
		equal &= port_dev_load64(cd + i) == words[i];
	if (!equal) {
		for (i = CD_WORDS; i--;)
			port_dev_store64(cd + i, words[i]);
		smmuv3_clean(smmu, cd, CD_WORDS * sizeof(*cd));
	}
	hostif_unmap(smmu->unit->host, cd);
}

void smmuv3_cd_publish(struct smmuv3 *smmu, const struct backend_table *table)
{
	static const uint32_t kinds[] = { 0, BACKEND_STREAM_SILENT };
	uint64_t words[CD_WORDS];
	uint32_t i;

	for (i = 0; i < IA_COUNT(kinds); i++) {
		smmuv3_cd_words(smmu, table, kinds[i], words);
		publish(smmu, smmuv3_cd_maddr(smmu, table->id, kinds[i]),
			words);
	}
	/* In memory, before an entry says so. */
	port_dev_mb();
}

void smmuv3_cd_decode(struct smmuv3 *smmu, uint64_t maddr,
		      struct backend_stream *out)
{
	struct backend_table *table = &out->table;
	uint64_t *cd = smmuv3_word_map(smmu, maddr);
	uint64_t word0 = port_dev_load64(cd);
	uint64_t word1 = port_dev_load64(cd + 1);
	uint64_t word2 = port_dev_load64(cd + 2);

	hostif_unmap(smmu->unit->host, cd);
	table->format = word2 & CD2_DS ? BACKEND_FORMAT_ARM_S1_DS
				       : BACKEND_FORMAT_ARM_S1;
	table->root = word1 & CD1_TTB0;
	table->id = (uint32_t)field_get(CD0_ASID, word0);
	table->input_bits = (uint8_t)(64 - field_get(CD0_T0SZ, word0));
	table->output_bits = smmuv3_size_bits(field_get(CD0_IPS, word0));
	table->granule_lg2 = smmuv3_granule_lg2(field_get(CD0_TG0, word0));
	table->walk_attrs = (uint8_t)field_get(CD0_WALK, word0);
	out->flags = word0 & CD0_R ? 0 : BACKEND_STREAM_SILENT;
	out->kind = BACKEND_STREAM_BAD;
	if (!(word0 & CD0_V) || !(word0 & CD0_AA64) || !table->granule_lg2)
		return;
	table->levels =
		smmuv3_stage1_levels(table->granule_lg2, table->input_bits);
	out->kind = BACKEND_STREAM_TABLE;
}

#endif
