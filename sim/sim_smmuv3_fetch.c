/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_smmuv3_fetch.c - all STEs and CDs that a unit may fetch (IHI 0070 3.21.3)
 */
#include "sim_smmuv3.h"

/* ---- stream table entries ---- */

unsigned int smmuv3_split(const struct iommuabs_sim_unit *u)
{
	return STRTAB_CFG_SPLIT(u->smmu->strtab_cfg);
}

bool smmuv3_two_levels(const struct iommuabs_sim_unit *u)
{
	return STRTAB_CFG_FMT(u->smmu->strtab_cfg) == STRTAB_CFG_FMT_2LEVEL;
}

uint64_t smmuv3_l1_base(const struct iommuabs_sim_unit *u)
{
	unsigned int size = STRTAB_CFG_LOG2SIZE(u->smmu->strtab_cfg);
	unsigned int lg2 =
		size > smmuv3_split(u) ? size - smmuv3_split(u) + 3 : 3;

	return ALIGN_DOWN(u->smmu->strtab_base & STRTAB_BASE_ADDR,
			  lg2 > 6 ? lg2 : 6);
}

uint64_t smmuv3_linear_base(const struct iommuabs_sim_unit *u)
{
	return ALIGN_DOWN(u->smmu->strtab_base & STRTAB_BASE_ADDR,
			  STRTAB_CFG_LOG2SIZE(u->smmu->strtab_cfg) + STE_LG2);
}

static void each_ste_at(struct iommuabs_sim_unit *u, uint32_t sid, uint64_t at,
			uint32_t epoch, entry_fn fn, void *arg)
{
	const struct place p = {
		sid,   0, &u->smmu->stale_stes, "an STE", F_STE_FETCH, at,
		epoch, 2
	};

	sim_each_entry(u, &p, fn, arg);
}

/* Where the L1STD puts the STE; false: nowhere (7.3.3). */
static bool ste_of_l1(const struct iommuabs_sim_unit *u, uint32_t sid,
		      uint64_t l1std, uint64_t *at)
{
	unsigned int span = L1STD_SPAN(l1std), split = smmuv3_split(u);
	uint64_t low = sid & (BIT64(split) - 1);

	if (!span || span > L1STD_MAX_SPAN || span > split + 1 ||
	    low >> (span - 1))
		return false;
	*at = ALIGN_DOWN(l1std & L1STD_L2PTR, STE_LG2 + span - 1) +
	      (low << STE_LG2);
	return true;
}

static void each_ste_of_l1(struct iommuabs_sim_unit *u, uint32_t sid,
			   uint64_t l1std, uint32_t epoch, entry_fn fn,
			   void *arg)
{
	struct entry none = { .event = C_BAD_STREAMID };
	uint64_t at;

	if (ste_of_l1(u, sid, l1std, &at))
		each_ste_at(u, sid, at, epoch, fn, arg);
	else
		fn(u, &none, arg);
}

static void each_ste_2level(struct iommuabs_sim_unit *u, uint32_t sid,
			    entry_fn fn, void *arg)
{
	struct iommuabs_sim_arena *a = u->arena;
	uint32_t index = sid >> smmuv3_split(u), i;
	uint64_t at = smmuv3_l1_base(u) + 8 * (uint64_t)index;
	struct value values[MAX_VALUES];
	unsigned int nr;

	if (!sim_inside(a, at, 8)) {
		struct entry none = { .event = F_STE_FETCH, .fetch = at };

		fn(u, &none, arg);
		return;
	}
	nr = sim_values(a, sim_word(a, at), 0, values);
	for (i = 0; i < nr; i++) {
		if (!values[i].init)
			sim_violation(a, IOMMUABS_SIM_V_UNINIT,
				      "an L1STD at %#llx may be fetched before "
				      "it was ever stored",
				      (unsigned long long)at);
		each_ste_of_l1(u, sid, values[i].v, values[i].epoch, fn, arg);
	}
	for (i = 0; a->adversary && i < u->smmu->stale_l1s.nr; i++) {
		const struct stale_l1 *s = vec_at(&u->smmu->stale_l1s, i);

		if (s->index == index)
			each_ste_of_l1(u, sid, s->l1std, 0, fn, arg);
	}
}

void smmuv3_each_ste(struct iommuabs_sim_unit *u, uint32_t sid, entry_fn fn,
		     void *arg)
{
	struct entry none = { .event = C_BAD_STREAMID };

	if ((uint64_t)sid >> STRTAB_CFG_LOG2SIZE(u->smmu->strtab_cfg) ||
	    (uint64_t)sid >> u->smmu->config.sidsize)
		fn(u, &none, arg);
	else if (smmuv3_two_levels(u))
		each_ste_2level(u, sid, fn, arg);
	else
		each_ste_at(u, sid,
			    smmuv3_linear_base(u) + ((uint64_t)sid << STE_LG2),
			    0, fn, arg);
}

/* ---- context descriptors ---- */

void smmuv3_each_cd(struct iommuabs_sim_unit *u, uint32_t sid, uint32_t ssid,
		    const struct entry *ste, entry_fn fn, void *arg)
{
	const struct place p = {
		sid,
		ssid,
		&u->smmu->stale_cds,
		"a CD",
		F_CD_FETCH,
		smmuv3_cds_at(u, ste->w) + ((uint64_t)ssid << CD_LG2),
		ste->epoch,
		2
	};

	sim_each_entry(u, &p, fn, arg);
}

/* ---- what the CPU stored last ---- */

void smmuv3_newest_ste(struct iommuabs_sim_unit *u, uint32_t sid, uint64_t w[4])
{
	uint64_t at = smmuv3_linear_base(u) + ((uint64_t)sid << STE_LG2), l1;

	w[0] = w[1] = w[2] = w[3] = 0;
	if (smmuv3_two_levels(u)) {
		l1 = smmuv3_l1_base(u) + 8 * (uint64_t)(sid >> smmuv3_split(u));
		if (!sim_inside(u->arena, l1, 8) ||
		    !ste_of_l1(u, sid, sim_cpu_word(u->arena, l1), &at))
			return;
	}
	sim_newest_entry(u->arena, at, 4, w);
}

void smmuv3_newest_cd(struct iommuabs_sim_unit *u, const uint64_t ste[4],
		      uint32_t ssid, uint64_t w[4])
{
	w[0] = w[1] = w[2] = w[3] = 0;
	if (ste[0] & STE0_V && smmuv3_ste_is_s1(ste) &&
	    !(ssid >> smmuv3_cds_lg2(u, ste)))
		sim_newest_entry(u->arena,
				 smmuv3_cds_at(u, ste) +
					 ((uint64_t)ssid << CD_LG2),
				 4, w);
}
