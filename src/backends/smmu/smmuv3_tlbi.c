/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smmuv3_tlbi.c - what to forget, as commands (IHI 0070 4.3, 4.4)
 */
#include "smmuv3.h"

#if IOMMUABS_CONFIG_SMMU

/* More commands than this for one call: the whole VMID instead. */
#define COMMANDS_MAX 64
/* So it is for a range of so many granules: SCALE can't say more (4.4.1.1). */
#define RANGE_LG2 32

static uint64_t command(uint64_t opcode)
{
	return field_put(CMD_OPCODE, opcode);
}

/* ---- translations ---- */

struct invalidation {
	const struct backend_inv *inv;
	uint32_t ril;
	uint64_t by_address, by_tag; /* word 0 of the commands */
};

/* One TLBI by address: how many granules it covers. */
struct step {
	uint64_t num, scale; /* num << scale granules */
};

/*
 * The next command for @nr granules: with range invalidation the lowest five
 * bits of @nr, < 1 << RANGE_LG2, that begin with a one: 7 commands at the most.
 */
static struct step step_for(uint64_t nr, uint32_t ril)
{
	struct step step = { 1, 0 };

	if (ril) {
		step.scale = (uint64_t)__builtin_ctzll(nr);
		step.num = (nr >> step.scale) & 31;
	}
	return step;
}

/* A range of frames in granules. */
static void in_granules(const struct backend_range *range,
			unsigned int granule_lg2, uint64_t *first, uint64_t *nr)
{
	unsigned int shift = granule_lg2 - IOMMUABS_FRAME_LG2;
	uint64_t end = range->gfn + range->nr;

	*first = range->gfn >> shift;
	*nr = ((end + IA_BITS(shift)) >> shift) - *first;
}

static bool too_many(const struct backend_inv *inv, uint32_t ril)
{
	uint64_t first, nr, commands = 0;
	uint32_t i;

	for (i = 0; i < inv->nr && commands <= COMMANDS_MAX; i++) {
		in_granules(&inv->ranges[i], inv->granule_lg2, &first, &nr);
		if (nr >> RANGE_LG2)
			return true;
		if (!ril)
			commands += IA_MIN(nr, (uint64_t)COMMANDS_MAX + 1);
		for (; ril && nr; commands++) {
			struct step step = step_for(nr, ril);

			nr -= step.num << step.scale;
		}
	}
	return commands > COMMANDS_MAX;
}

static void emit_range(struct smmuv3_batch *batch,
		       const struct invalidation *what,
		       const struct backend_range *range)
{
	const struct backend_inv *inv = what->inv;
	uint64_t leaf = field_put(TLBI1_LEAF, !inv->any_level);
	uint64_t first, nr, word0, word1;

	in_granules(range, inv->granule_lg2, &first, &nr);
	while (nr) {
		struct step step = step_for(nr, what->ril);

		word0 = what->by_address;
		word1 = leaf | ((first << inv->granule_lg2) & TLBI1_ADDRESS);
		/* TG says "range"; a range of one granule is none. */
		if (step.num > 1 || step.scale) {
			word0 |= field_put(TLBI0_NUM, step.num - 1) |
				 field_put(TLBI0_SCALE, step.scale);
			word1 |= field_put(TLBI1_TG,
					   (inv->granule_lg2 - 10) / 2);
		}
		smmuv3_batch_add(batch, word0, word1);
		first += step.num << step.scale;
		nr -= step.num << step.scale;
	}
}

static void emit_invalidation(struct smmuv3_batch *batch, const void *arg)
{
	const struct invalidation *what = arg;
	const struct backend_inv *inv = what->inv;
	uint32_t i;

	if (!inv->nr || too_many(inv, what->ril)) {
		smmuv3_batch_add(batch, what->by_tag, 0);
		return;
	}
	for (i = 0; i < inv->nr; i++)
		emit_range(batch, what, &inv->ranges[i]);
}

/* A unit without stage 2 has VMID 0 only: the id is an ASID. */
static void addressing(const struct backend_unit *unit,
		       struct invalidation *what)
{
	uint64_t tag;

	if (unit->caps.stage2) {
		tag = field_put(TLBI0_VMID, what->inv->id);
		what->by_address = command(CMD_TLBI_S2_IPA) | tag;
		what->by_tag = command(CMD_TLBI_S12_VMALL) | tag;
	} else {
		tag = field_put(TLBI0_ASID, what->inv->id);
		what->by_address = command(CMD_TLBI_NH_VA) | tag;
		what->by_tag = command(CMD_TLBI_NH_ASID) | tag;
	}
}

int smmuv3_invalidate(struct backend_unit *unit, const struct backend_inv *inv,
		      struct backend_streams *stuck)
{
	struct smmuv3 *smmu = smmuv3_of(unit);
	struct invalidation what = { .inv = inv, .ril = smmu->ril };
	int ret;

	addressing(unit, &what);
	/*
	 * Stores to tables before the look at @enabled, as in enable() the other
	 * way round: whoever enables now finds the stores.
	 */
	port_dev_mb();
	port_mb();
	if (!port_load32(&unit->enabled))
		return 0;
	ret = smmuv3_submit(smmu, emit_invalidation, &what);
	/* Afterwards, lest a device asks for what was to be forgotten (4.5.1). */
	if (!ret && smmu->ats)
		ret = backend_ats_invalidate(unit, smmu->ats, inv, stuck,
					     &smmuv3_ats_ops);
	return ret;
}

static void emit_all(struct smmuv3_batch *batch, const void *arg)
{
	(void)arg;
	smmuv3_batch_add(batch, command(CMD_CFGI_STE_RANGE),
			 field_put(CFGI1_RANGE, CFGI1_ALL));
	smmuv3_batch_add(batch, command(CMD_TLBI_NSNH_ALL), 0);
	if (batch->smmu->hyp)
		smmuv3_batch_add(batch, command(CMD_TLBI_EL2_ALL), 0);
}

int smmuv3_invalidate_all(struct smmuv3 *smmu)
{
	return smmuv3_submit(smmu, emit_all, NULL);
}

/* ---- stream table entries ---- */

struct entries {
	uint64_t first, nr;
};

/* Aligned powers of two, the greatest that fit. Leaf is 0: L1STDs go, too. */
static void emit_entries(struct smmuv3_batch *batch, const void *arg)
{
	struct entries left = *(const struct entries *)arg;
	uint64_t lg2, sid;

	while (left.nr) {
		lg2 = 63 - (uint64_t)__builtin_clzll(left.nr);
		if (left.first)
			lg2 = IA_MIN(lg2,
				     (uint64_t)__builtin_ctzll(left.first));
		sid = field_put(CFGI0_SID, left.first);
		if (lg2)
			smmuv3_batch_add(batch,
					 command(CMD_CFGI_STE_RANGE) | sid,
					 field_put(CFGI1_RANGE, lg2 - 1));
		else
			smmuv3_batch_add(batch, command(CMD_CFGI_STE) | sid, 0);
		left.first += (uint64_t)1 << lg2;
		left.nr -= (uint64_t)1 << lg2;
	}
}

int smmuv3_forget_entries(struct smmuv3 *smmu, uint32_t first, uint32_t nr)
{
	struct entries entries = { first, nr };

	if (!port_load32(&smmu->unit->enabled))
		return 0;
	return smmuv3_submit(smmu, emit_entries, &entries);
}

#endif
