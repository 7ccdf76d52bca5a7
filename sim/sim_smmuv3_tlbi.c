/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_smmuv3_tlbi.c - what a TLB invalidation command is about (IHI 0070 4.4)
 */
#include "sim_smmuv3.h"

#define OPCODE(c) ((unsigned int)FIELD((c)[0], 7, 0))
#define VMID(c)	  FIELD((c)[0], 47, 32)
#define ASID(c)	  FIELD((c)[0], 63, 48)
#define NUM(c)	  FIELD((c)[0], 16, 12)
#define SCALE(c)  ((unsigned int)FIELD((c)[0], 25, 20))
#define TG(c)	  ((unsigned int)FIELD((c)[1], 11, 10))
#define TTL(c)	  ((int)FIELD((c)[1], 9, 8))
#define LEAF	  BIT64(0)
#define MAX_SCALE 39u

static bool by_address(unsigned int opcode)
{
	return opcode == CMD_TLBI_S2_IPA || opcode == CMD_TLBI_NH_VA ||
	       opcode == CMD_TLBI_NH_VAA || opcode == CMD_TLBI_EL2_VA ||
	       opcode == CMD_TLBI_EL2_VAA;
}

bool smmuv3_tlbi_is_wide(const uint64_t cmd[2])
{
	return !by_address(OPCODE(cmd));
}

static uint64_t address(const uint64_t cmd[2])
{
	return cmd[1] & (OPCODE(cmd) == CMD_TLBI_S2_IPA ? MASK64(51, 12)
							: MASK64(63, 12));
}

static uint64_t length(const uint64_t cmd[2])
{
	static const unsigned int lg2[4] = { 0, 12, 14, 16 };
	unsigned int scale = SCALE(cmd) < MAX_SCALE ? SCALE(cmd) : MAX_SCALE;

	/* Not by range: the one address, in whatever entry it is. */
	if (!TG(cmd))
		return 1;
	return ((NUM(cmd) + 1) << scale) << lg2[TG(cmd)];
}

static bool in_range(const uint64_t cmd[2], uint64_t ipa, unsigned int lg2)
{
	return address(cmd) < ipa + BIT64(lg2) &&
	       ipa < address(cmd) + length(cmd);
}

/* Without stage 2 there are no VMIDs, and the field is RES0 (4.4.2). */
static bool nh(const uint64_t cmd[2], const struct tag *tag)
{
	return tag->s1 && !tag->el2 && VMID(cmd) == tag->vmid;
}

bool smmuv3_tlbi_covers(const struct iommuabs_sim_unit *u,
			const uint64_t cmd[2], const struct tag *tag,
			uint64_t ipa, unsigned int size_lg2)
{
	(void)u;
	switch (OPCODE(cmd)) {
	case CMD_TLBI_NSNH_ALL:
		return !tag->el2;
	case CMD_TLBI_S12_VMALL:
		return !tag->el2 && VMID(cmd) == tag->vmid;
	case CMD_TLBI_S2_IPA:
		return !tag->s1 && VMID(cmd) == tag->vmid &&
		       in_range(cmd, ipa, size_lg2);
	case CMD_TLBI_NH_ALL:
		return nh(cmd, tag);
	case CMD_TLBI_NH_ASID:
		return nh(cmd, tag) && !tag->global && ASID(cmd) == tag->asid;
	case CMD_TLBI_NH_VAA:
		return nh(cmd, tag) && in_range(cmd, ipa, size_lg2);
	case CMD_TLBI_NH_VA:
		return nh(cmd, tag) &&
		       (tag->global || ASID(cmd) == tag->asid) &&
		       in_range(cmd, ipa, size_lg2);
	case CMD_TLBI_EL2_ALL:
		return tag->el2;
	case CMD_TLBI_EL2_VA:
	case CMD_TLBI_EL2_VAA:
		return tag->el2 && in_range(cmd, ipa, size_lg2);
	default:
		return false;
	}
}

/* With 16K, level 1 holds leaves only where IDR5.DS is 1. */
static int level_hint(const struct iommuabs_sim_unit *u, const uint64_t cmd[2])
{
	return TG(cmd) == 2 && TTL(cmd) == 1 && !u->smmu->config.ds ? 0
								    : TTL(cmd);
}

/* 4.4.1.1: reserved combinations of the range fields. */
bool smmuv3_tlbi_legal(const struct iommuabs_sim_unit *u, const uint64_t cmd[2])
{
	if (!TG(cmd))
		return !NUM(cmd) && !SCALE(cmd) && !TTL(cmd);
	return NUM(cmd) || SCALE(cmd) || level_hint(u, cmd);
}

static bool useless(struct iommuabs_sim_unit *u, const char *what, uint64_t v)
{
	sim_violation(u->arena, IOMMUABS_SIM_V_COMMAND, "a TLBI for %s %#llx",
		      what, (unsigned long long)v);
	return false;
}

/* With a level, the address is aligned to what that level maps. */
bool smmuv3_tlbi_sensible(struct iommuabs_sim_unit *u, const uint64_t cmd[2])
{
	static const unsigned int align[4][4] = {
		{ 0, 0, 0, 0 },
		{ 12, 30, 21, 12 },
		{ 14, 36, 25, 14 },
		{ 16, 42, 29, 16 },
	};
	unsigned int op = OPCODE(cmd), lg2;
	bool s2 = op == CMD_TLBI_S2_IPA || op == CMD_TLBI_S12_VMALL;
	bool has_asid = op == CMD_TLBI_NH_VA || op == CMD_TLBI_NH_ASID;

	if (VMID(cmd) > 0xff && !u->smmu->config.vmid16)
		return useless(u, "a VMID of 8 bits,", VMID(cmd));
	if (VMID(cmd) && !s2 && !u->smmu->config.s2p)
		return useless(u, "a VMID, without stage 2:", VMID(cmd));
	if (has_asid && ASID(cmd) > 0xff && !u->smmu->config.asid16)
		return useless(u, "an ASID of 8 bits,", ASID(cmd));
	if (!by_address(op) || !TG(cmd))
		return true;
	lg2 = align[TG(cmd)][level_hint(u, cmd)];
	if (address(cmd) != ALIGN_DOWN(address(cmd), lg2))
		return useless(u, "an address not aligned to its level,",
			       address(cmd));
	if (!(u->smmu->config.quirks & IOMMUABS_SIM_QUIRK_IGNORES_RANGES))
		return true;
	sim_violation(u->arena, IOMMUABS_SIM_V_ERRATUM,
		      "a TLBI by range or level, which this unit ignores");
	return false;
}

bool smmuv3_tlbi_leaf(const uint64_t cmd[2], const struct leaf *t)
{
	if (!by_address(OPCODE(cmd)) || !TG(cmd))
		return true;
	return TG(cmd) == t->regime->granule->tlbi_tg &&
	       (!TTL(cmd) || TTL(cmd) == t->level);
}

bool smmuv3_tlbi_table(const uint64_t cmd[2], const struct wtable *t)
{
	if (!by_address(OPCODE(cmd)))
		return true;
	if (cmd[1] & LEAF)
		return false;
	if (!TG(cmd))
		return true;
	return TG(cmd) == t->regime->granule->tlbi_tg &&
	       (!TTL(cmd) || t->level < TTL(cmd));
}
