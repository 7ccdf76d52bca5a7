/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smmuv3_ats.c - devices that keep translations of their own (IHI 0070 3.9.1, 4.5)
 *
 * A list says which streams may, and under which id. An id is entered before
 * the entry allows ATS, and goes after the entry blocks: who invalidates meets every
 * device that could hold something. Ranges come when streams are reserved and
 * stay, so that the list needs no lock to be walked.
 *
 * What a device holds from before is forgotten before its requests count as
 * translated: EATS is set last.
 */
#include "smmuv3.h"

#if IOMMUABS_CONFIG_SMMU

/* The greatest range: one command each. What has more ids is no one device. */
#define STREAMS_MAX 16
/* More ranges than this for one call: everything instead. */
#define RANGES_MAX 8
/* Commands with one CMD_SYNC that tells whether these were answered. */
#define COMMANDS_MAX 7

/* Of a list that is only added to. */
struct smmuv3_ats {
	struct smmuv3_ats *next;
	uint32_t first, nr;
	uint32_t id; /* atomic; 0: no ATS now */
};

bool smmuv3_ats_possible(const struct smmuv3 *smmu)
{
	/* All commands of a part must go into the queue at once. */
	return (1u << smmu->cmdq.lg2) > COMMANDS_MAX;
}

int smmuv3_ats_reserve(struct smmuv3 *smmu, uint32_t first, uint32_t nr)
{
	struct backend_unit *unit = smmu->unit;
	struct smmuv3_ats *ats;

	if (!unit->caps.ats || nr > STREAMS_MAX)
		return 0;
	for (ats = smmu->ats; ats; ats = ats->next)
		if (ats->first == first && ats->nr == nr)
			return 0;
	ats = tablemem_object_alloc(unit->mem, sizeof(*ats));
	if (!ats)
		return IOMMUABS_E_NOMEM;
	ats->first = first;
	ats->nr = nr;
	ats->next = smmu->ats;
	port_mb();
	smmu->ats = ats;
	return 0;
}

void smmuv3_ats_free(struct smmuv3 *smmu)
{
	struct smmuv3_ats *ats;

	while ((ats = smmu->ats)) {
		smmu->ats = ats->next;
		tablemem_object_free(smmu->unit->mem, ats, sizeof(*ats));
	}
}

/* ---- commands ---- */

/* For streams [first, first + nr): what they are to forget. */
struct forget {
	uint32_t first, nr;
	const struct backend_inv *inv; /* NULL: everything */
	uint32_t range;		       /* of @inv */
};

/* The least aligned power of two of frames that holds @range. */
static uint64_t span(const struct backend_range *range)
{
	uint64_t last = range->gfn + range->nr - 1;
	uint64_t differing = range->gfn ^ last;
	uint64_t lg2 =
		differing ? 64 - (uint64_t)__builtin_clzll(differing) : 0;

	return ((range->gfn >> lg2 << lg2) << IOMMUABS_FRAME_LG2) |
	       field_put(ATC1_SIZE, lg2);
}

static void emit(struct smmuv3_batch *batch, const void *arg)
{
	const struct forget *what = arg;
	uint64_t word1 = what->inv ? span(&what->inv->ranges[what->range])
				   : field_put(ATC1_SIZE, ATC_SIZE_ALL);
	uint32_t i;

	for (i = 0; i < what->nr; i++)
		smmuv3_batch_add(batch,
				 field_put(CMD_OPCODE, CMD_ATC_INV) |
					 field_put(ATC0_SID, what->first + i),
				 word1);
}

/* 0 | E_TIMEOUT | BACKEND_STUCK. */
static int forget(struct smmuv3 *smmu, const struct smmuv3_ats *ats,
		  const struct backend_inv *inv, uint32_t range)
{
	struct forget what = { .inv = inv, .range = range };
	uint32_t done = 0;
	int ret = 0;

	for (; done < ats->nr && !ret; done += what.nr) {
		what.first = ats->first + done;
		what.nr = IA_MIN(ats->nr - done, (uint32_t)COMMANDS_MAX);
		ret = smmuv3_submit(smmu, emit, &what);
	}
	return ret;
}

static int forget_all_ranges(struct smmuv3 *smmu, const struct smmuv3_ats *ats,
			     const struct backend_inv *inv)
{
	uint32_t i;
	int ret = 0;

	if (!inv->nr || inv->nr > RANGES_MAX)
		return forget(smmu, ats, NULL, 0);
	for (i = 0; i < inv->nr && !ret; i++)
		ret = forget(smmu, ats, inv, i);
	return ret;
}

int smmuv3_ats_invalidate(struct smmuv3 *smmu, const struct backend_inv *inv,
			  struct backend_streams *stuck)
{
	const struct smmuv3_ats *ats;
	int ret;

	for (ats = smmu->ats; ats; ats = ats->next) {
		if (port_load32(&ats->id) != inv->id)
			continue;
		ret = forget_all_ranges(smmu, ats, inv);
		if (ret == BACKEND_STUCK)
			*stuck =
				(struct backend_streams){ ats->first, ats->nr };
		if (ret)
			return ret;
	}
	return 0;
}

/* ---- which entries allow it ---- */

struct smmuv3_ats *smmuv3_ats_find(struct smmuv3 *smmu, uint32_t first,
				   uint32_t nr)
{
	struct smmuv3_ats *ats = smmu->ats;

	while (ats && (ats->first != first || ats->nr != nr))
		ats = ats->next;
	return ats;
}

void smmuv3_ats_enter(struct smmuv3_ats *ats, uint32_t id)
{
	port_store32(&ats->id, id);
}

/* The entries allow it or not. */
static int allow(struct smmuv3 *smmu, const struct smmuv3_ats *ats,
		 uint64_t eats)
{
	return smmuv3_entries_eats(smmu, ats->first, ats->nr, eats);
}

int smmuv3_ats_open(struct smmuv3 *smmu, struct smmuv3_ats *ats)
{
	int ret;

	/* enable() does it when the unit can send: CMD_ATC_INV takes SMMUEN. */
	if (!port_load32(&smmu->unit->enabled))
		return 0;
	ret = forget(smmu, ats, NULL, 0);
	if (!ret)
		return allow(smmu, ats, STE_EATS_FULL);
	if (ret != BACKEND_STUCK)
		return ret;
	hostif_log(smmu->unit->host, IOMMUABS_LOG_WARNING,
		   "%s: stream %x keeps its translations: no ATS for it",
		   smmu->unit->name, ats->first);
	smmuv3_ats_enter(ats, 0);
	return 0;
}

int smmuv3_ats_close(struct smmuv3 *smmu, uint32_t first, uint32_t nr)
{
	struct smmuv3_ats *ats;
	int ret = 0, one;

	for (ats = smmu->ats; ats; ats = ats->next) {
		if (!port_load32(&ats->id) || ats->first - first >= nr)
			continue;
		one = allow(smmu, ats, 0);
		ret = ret ? ret : one;
	}
	return ret;
}

void smmuv3_ats_leave(struct smmuv3 *smmu, uint32_t first, uint32_t nr)
{
	struct smmuv3_ats *ats;

	for (ats = smmu->ats; ats; ats = ats->next)
		if (ats->first - first < nr)
			smmuv3_ats_enter(ats, 0);
}

int smmuv3_ats_reopen(struct smmuv3 *smmu)
{
	struct smmuv3_ats *ats;
	int ret = 0;

	for (ats = smmu->ats; ats && !ret; ats = ats->next)
		if (port_load32(&ats->id))
			ret = smmuv3_ats_open(smmu, ats);
	return ret;
}

#endif
