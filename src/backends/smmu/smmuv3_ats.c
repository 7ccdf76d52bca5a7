/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smmuv3_ats.c - devices that keep translations of their own (IHI 0070 3.9.1, 4.5)
 *
 * What a device holds from before is forgotten before its requests count as
 * translated: EATS is set last.
 */
#include "smmuv3.h"

#if IOMMUABS_CONFIG_SMMU

bool smmuv3_ats_possible(const struct smmuv3 *smmu)
{
	/* All commands of a part must go into the queue at once. */
	return (1u << smmu->cmdq.lg2) > BACKEND_ATS_TOGETHER;
}

/* ---- commands ---- */

/* What they are to forget, NULL: everything. */
struct forget {
	const struct backend_streams *streams;
	const struct backend_range *range;
};

static void emit(struct smmuv3_batch *batch, const void *arg)
{
	const struct forget *what = arg;
	uint64_t word1 = field_put(ATC1_SIZE, ATC_SIZE_ALL);
	unsigned int lg2;
	uint32_t i;

	if (what->range) {
		lg2 = backend_ats_span(what->range);
		word1 = field_put(ATC1_SIZE, lg2) |
			((what->range->gfn >> lg2 << lg2)
			 << IOMMUABS_FRAME_LG2);
	}
	for (i = 0; i < what->streams->nr; i++)
		smmuv3_batch_add(
			batch,
			field_put(CMD_OPCODE, CMD_ATC_INV) |
				field_put(ATC0_SID, what->streams->first + i),
			word1);
}

int smmuv3_ats_forget(struct backend_unit *unit,
		      const struct backend_streams *streams,
		      const struct backend_range *range)
{
	const struct forget what = { streams, range };

	return smmuv3_submit(smmuv3_of(unit), emit, &what);
}

/* ---- which entries allow it ---- */

/* The entries allow it or not. */
static int allow(struct smmuv3 *smmu, const struct backend_ats *ats,
		 uint64_t eats)
{
	return smmuv3_entries_eats(smmu, ats->first, ats->nr, eats);
}

int smmuv3_ats_open(struct smmuv3 *smmu, struct backend_ats *ats)
{
	struct backend_unit *unit = smmu->unit;
	int ret;

	/* enable() does it when the unit can send: CMD_ATC_INV takes SMMUEN. */
	if (!port_load32(&unit->enabled))
		return 0;
	ret = backend_ats_forget(unit, ats, NULL, smmuv3_ats_forget);
	if (!ret)
		return allow(smmu, ats, STE_EATS_FULL);
	if (ret != BACKEND_STUCK)
		return ret;
	hostif_log(unit->host, IOMMUABS_LOG_WARNING,
		   "%s: stream %x keeps its translations: no ATS for it",
		   unit->name, ats->first);
	backend_ats_enter(ats, 0);
	return 0;
}

int smmuv3_ats_close(struct smmuv3 *smmu, uint32_t first, uint32_t nr)
{
	const struct backend_ats *ats;
	int ret = 0, one;

	for (ats = smmu->ats; ats; ats = ats->next) {
		if (!backend_ats_is_open(ats, first, nr))
			continue;
		one = allow(smmu, ats, 0);
		ret = ret ? ret : one;
	}
	return ret;
}

int smmuv3_ats_reopen(struct smmuv3 *smmu)
{
	struct backend_ats *ats;
	int ret = 0;

	for (ats = smmu->ats; ats && !ret; ats = ats->next)
		if (port_load32(&ats->id))
			ret = smmuv3_ats_open(smmu, ats);
	return ret;
}

#endif
