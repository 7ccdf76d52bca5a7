/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smmuv3_strtab.c - the stream table (IHI 0070 3.3.1, 5.1)
 *
 * Two levels where the unit has them: level 2 tables of 256 entries come when an
 * id of theirs is reserved, and stay. Else one linear table.
 */
#include "smmuv3.h"

#if IOMMUABS_CONFIG_SMMU

#define SPLIT  8
#define L2_LG2 (SPLIT + STE_LG2)

uint64_t *smmuv3_word_map(const struct smmuv3 *smmu, uint64_t maddr)
{
	uint64_t in_page = maddr & (IOMMUABS_FRAME_SIZE - 1);
	char *page = hostif_map(smmu->unit->host, maddr - in_page);

	return (uint64_t *)(void *)(page + in_page);
}

static uint64_t l1std_get(const struct smmuv3 *smmu, uint64_t index)
{
	uint64_t *word = smmuv3_word_map(smmu, smmu->strtab.maddr + 8 * index);
	uint64_t l1std = port_dev_load64(word);

	hostif_unmap(smmu->unit->host, word);
	return l1std;
}

static void l1std_link(struct smmuv3 *smmu, uint64_t index, uint64_t table)
{
	uint64_t *word = smmuv3_word_map(smmu, smmu->strtab.maddr + 8 * index);

	/* The table's entries, all blocking, in memory before they are linked. */
	port_dev_mb();
	port_dev_store64(word, table | field_put(L1STD_SPAN, SPLIT + 1));
	smmuv3_clean(smmu, word, sizeof(*word));
	hostif_unmap(smmu->unit->host, word);
}

int smmuv3_strtab_make(struct smmuv3 *smmu, unsigned int stream_bits)
{
	struct smmuv3_strtab *st = &smmu->strtab;

	/* A few ids need no second level. */
	if (stream_bits <= SPLIT)
		st->two_level = 0;
	st->lg2 = (uint8_t)(st->two_level ? stream_bits - SPLIT + 3
					  : stream_bits + STE_LG2);
	return smmuv3_memory(smmu, st->lg2, &st->maddr);
}

void smmuv3_strtab_free(struct smmuv3 *smmu)
{
	struct smmuv3_strtab *st = &smmu->strtab;
	uint64_t index, l1std;

	if (st->maddr && st->two_level) {
		for (index = 0; index < (uint64_t)1 << (st->lg2 - 3); index++) {
			l1std = l1std_get(smmu, index);
			smmuv3_memory_free(smmu, l1std & L1STD_L2PTR, L2_LG2);
		}
	}
	smmuv3_memory_free(smmu, st->maddr, st->lg2);
}

int smmuv3_streams_reserve(struct backend_unit *unit, uint32_t first,
			   uint32_t nr)
{
	struct smmuv3 *smmu = smmuv3_of(unit);
	uint64_t index = first >> SPLIT;
	uint64_t last = ((uint64_t)first + nr - 1) >> SPLIT;
	uint64_t table;
	int ret;

	for (; smmu->strtab.two_level && index <= last; index++) {
		if (l1std_get(smmu, index))
			continue;
		ret = smmuv3_memory(smmu, L2_LG2, &table);
		if (ret)
			return ret;
		/*
		 * No invalidation: the unit may go on as if there were no table,
		 * which blocks, until an entry of it is set.
		 */
		l1std_link(smmu, index, table);
	}
	return backend_ats_reserve(smmu->unit, &smmu->ats, first, nr);
}

uint64_t *smmuv3_strtab_entry(struct smmuv3 *smmu, uint32_t stream)
{
	const struct smmuv3_strtab *st = &smmu->strtab;
	uint64_t table = st->maddr, index = stream;

	if (index >> smmu->unit->caps.stream_bits)
		return NULL;
	if (st->two_level) {
		table = l1std_get(smmu, index >> SPLIT) & L1STD_L2PTR;
		index &= IA_BITS(SPLIT);
		if (!table)
			return NULL;
	}
	return smmuv3_word_map(smmu, table + (index << STE_LG2));
}

void smmuv3_strtab_program(struct smmuv3 *smmu)
{
	const struct hostif_regs *regs = &smmu->unit->regs;
	const struct smmuv3_strtab *st = &smmu->strtab;
	uint64_t cfg = field_put(SMMU_STRTAB_BASE_CFG_LOG2SIZE,
				 smmu->unit->caps.stream_bits);

	if (st->two_level)
		cfg |= field_put(SMMU_STRTAB_BASE_CFG_FMT, SMMU_FMT_2LEVEL) |
		       field_put(SMMU_STRTAB_BASE_CFG_SPLIT, SPLIT);
	hostif_write64(regs, SMMU_STRTAB_BASE, SMMU_STRTAB_BASE_RA | st->maddr);
	hostif_write32(regs, SMMU_STRTAB_BASE_CFG, (uint32_t)cfg);
}

#endif
