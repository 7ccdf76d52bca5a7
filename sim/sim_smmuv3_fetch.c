/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_smmuv3_fetch.c - all STEs and CDs that a unit may fetch (IHI 0070 3.21.3)
 *
 * A unit may read an entry's words at different times. So what it may fetch is
 * every combination of the values that each word had since the last completed
 * invalidation of that entry (pairs of words, for a unit with fetch_128).
 */
#include "sim_smmuv3.h"

#define MAX_PAIRS 64
struct pair {
	uint64_t lo, hi;
	uint32_t epoch;
};

struct pairs {
	struct pair p[MAX_PAIRS];
	unsigned int nr;
};

static void add_pair(struct pairs *pairs, uint64_t lo, uint64_t hi,
		     uint32_t epoch)
{
	unsigned int i;

	for (i = 0; i < pairs->nr; i++) {
		struct pair *p = &pairs->p[i];

		if (p->lo == lo && p->hi == hi) {
			/* The least ordered way to come by it. */
			if (epoch < p->epoch)
				p->epoch = epoch;
			return;
		}
	}
	if (pairs->nr < MAX_PAIRS)
		pairs->p[pairs->nr++] = (struct pair){ lo, hi, epoch };
}

/* One fetch sees both halves of a 128-bit store, or none. */
static bool halves_agree(const struct value *lo, unsigned int nlo,
			 unsigned int i, const struct value *hi,
			 unsigned int nhi, unsigned int j)
{
	unsigned int k, m;

	for (k = 1; k < nlo; k++) {
		for (m = 1; m < nhi; m++) {
			if (lo[k].pair && lo[k].pair == hi[m].pair &&
			    (i >= k) != (j >= m))
				return false;
		}
	}
	return true;
}

/* Which entry of which kind, and where it is. */
struct place {
	uint32_t sid, ssid;
	const struct vec *stale; /* of struct stale_pair */
	const char *what;
	unsigned int abort; /* the event when it can't be fetched */
	uint64_t at;
	uint32_t epoch;
};

static void current_pairs(struct iommuabs_sim_unit *u, const struct place *p,
			  unsigned int pair, struct pairs *out)
{
	struct iommuabs_sim_arena *a = u->arena;
	struct value lo[MAX_VALUES], hi[MAX_VALUES];
	uint32_t word = sim_word(a, p->at) + 2 * pair;
	unsigned int nlo = sim_values(a, word, p->epoch, lo);
	unsigned int nhi = sim_values(a, word + 1, p->epoch, hi);
	unsigned int i, j;

	for (i = 0; i < nlo; i++) {
		for (j = 0; j < nhi; j++) {
			uint32_t newest = lo[i].epoch > hi[j].epoch
						  ? lo[i].epoch
						  : hi[j].epoch;

			if (!lo[i].init || !hi[j].init)
				sim_violation(a, IOMMUABS_SIM_V_UNINIT,
					      "%s at %#llx may be fetched "
					      "before it was ever stored",
					      p->what,
					      (unsigned long long)p->at);
			if (!u->smmu->config.fetch_128 ||
			    halves_agree(lo, nlo, i, hi, nhi, j))
				add_pair(out, lo[i].v, hi[j].v, newest);
		}
	}
}

static void stale_pairs(struct iommuabs_sim_unit *u, const struct place *p,
			unsigned int pair, struct pairs *out)
{
	uint32_t i, j, nr = out->nr;

	for (i = 0; i < p->stale->nr; i++) {
		const struct stale_pair *s = vec_at(p->stale, i);

		if (s->sid == p->sid && s->ssid == p->ssid && s->pair == pair)
			add_pair(out, s->lo, s->hi, 0);
	}
	if (u->smmu->config.fetch_128 || nr == out->nr)
		return;
	nr = out->nr;
	for (i = 0; i < nr; i++) {
		for (j = 0; j < nr; j++) {
			const struct pair *lo = &out->p[i], *hi = &out->p[j];

			add_pair(out, lo->lo, hi->hi,
				 lo->epoch > hi->epoch ? lo->epoch : hi->epoch);
		}
	}
}

static void each_entry(struct iommuabs_sim_unit *u, const struct place *p,
		       entry_fn fn, void *arg)
{
	struct pairs pairs[2] = { { .nr = 0 }, { .nr = 0 } };
	unsigned int i, j;

	if (!sim_inside(u->arena, p->at, 64)) {
		struct entry none = { .event = p->abort, .fetch = p->at };

		fn(u, &none, arg);
		return;
	}
	if (!sim_page_used(u->arena, p->at))
		sim_violation(u->arena, IOMMUABS_SIM_V_FREED,
			      "%s of stream %#x is fetched from a free page",
			      p->what, p->sid);
	for (i = 0; i < 2; i++) {
		current_pairs(u, p, i, &pairs[i]);
		if (u->arena->adversary)
			stale_pairs(u, p, i, &pairs[i]);
	}
	for (i = 0; i < pairs[0].nr; i++) {
		for (j = 0; j < pairs[1].nr; j++) {
			const struct pair *lo = &pairs[0].p[i];
			const struct pair *hi = &pairs[1].p[j];
			struct entry e = { { lo->lo, lo->hi, hi->lo, hi->hi },
					   lo->epoch > hi->epoch ? lo->epoch
								 : hi->epoch,
					   0,
					   0 };

			fn(u, &e, arg);
		}
	}
}

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
	const struct place p = { sid,	   0,		&u->smmu->stale_stes,
				 "an STE", F_STE_FETCH, at,
				 epoch };

	each_entry(u, &p, fn, arg);
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
		ste->epoch
	};

	each_entry(u, &p, fn, arg);
}

/* ---- what the CPU stored last ---- */

static void newest_at(const struct iommuabs_sim_arena *a, uint64_t at,
		      uint64_t w[4])
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		w[i] = sim_inside(a, at, 64) ? sim_cpu_word(a, at + 8 * i) : 0;
}

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
	newest_at(u->arena, at, w);
}

void smmuv3_newest_cd(struct iommuabs_sim_unit *u, const uint64_t ste[4],
		      uint32_t ssid, uint64_t w[4])
{
	w[0] = w[1] = w[2] = w[3] = 0;
	if (ste[0] & STE0_V && smmuv3_ste_is_s1(ste) &&
	    !(ssid >> smmuv3_cds_lg2(u, ste)))
		newest_at(u->arena,
			  smmuv3_cds_at(u, ste) + ((uint64_t)ssid << CD_LG2),
			  w);
}
