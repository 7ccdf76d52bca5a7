/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smmuv3_ats.c - devices that keep translations of their own (IHI 0070 3.9.1, 4.5)
 *
 * What a device holds from before is forgotten before its requests count as
 * translated: EATS is set last, and while SMMUEN is, which CMD_ATC_INV takes.
 */
#include "smmuv3.h"

#if IOMMUABS_CONFIG_SMMU

bool smmuv3_ats_possible(const struct smmuv3 *smmu)
{
	/* All commands of a part must go into the queue at once. */
	return (1u << smmu->cmdq.lg2) > BACKEND_ATS_TOGETHER;
}

/* What they are to forget, NULL: everything. */
struct forgotten {
	const struct backend_streams *streams;
	const struct backend_range *range;
};

static void emit(struct smmuv3_batch *batch, const void *arg)
{
	const struct forgotten *what = arg;
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

static int forget(struct backend_unit *unit,
		  const struct backend_streams *streams,
		  const struct backend_range *range)
{
	const struct forgotten what = { streams, range };

	return smmuv3_submit(smmuv3_of(unit), emit, &what);
}

static int allow(struct backend_unit *unit, const struct backend_ats *ats,
		 bool on)
{
	return smmuv3_entries_eats(smmuv3_of(unit), ats->first, ats->nr,
				   on ? STE_EATS_FULL : 0);
}

const struct backend_ats_ops smmuv3_ats_ops = {
	.forget = forget,
	.allow = allow,
};

#endif
