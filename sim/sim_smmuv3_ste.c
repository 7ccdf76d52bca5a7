/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_smmuv3_ste.c - stream tables and their entries (IHI 0070 5.1, 5.2, 3.21.3)
 *
 * A unit may read an entry's words at different times. So what it may fetch is
 * every combination of the values that each word had since the last completed
 * invalidation of that entry (pairs of words, for a unit with fetch_128).
 */
#include "sim_smmuv3.h"
#include <stdlib.h>

static const struct granule granules[4] = {
	{ 12, 1, { 0, 4, 4, 4 }, 1 },
	{ 16, 2, { 0, 0, 5, 5 }, 3 },
	{ 14, 2, { 0, 0, 5, 7 }, 2 },
};

static unsigned int size_of_ps(unsigned int ps)
{
	static const unsigned int bits[8] = { 32, 36, 40, 42, 44, 48, 52, 56 };

	return bits[ps];
}

/* By STE.S2TG; NULL: reserved. */
const struct granule *smmuv3_granule(unsigned int tg)
{
	return tg < 3 ? &granules[tg] : NULL;
}

/* Arm ARM D8.2: S2SL0 to level; -1: reserved. */
static int start_level(const struct granule *g, unsigned int sl0,
		       unsigned int stt)
{
	if (g->lg2 == 12)
		return sl0 == 3 ? (stt ? 3 : -1) : 2 - (int)sl0;
	return sl0 == 3 ? -1 : 3 - (int)sl0;
}

static bool granule_supported(const struct iommuabs_sim_unit *u,
			      const struct granule *g)
{
	switch (g->lg2) {
	case 12:
		return u->config.granules & IOMMUABS_SIM_GRAN4K;
	case 14:
		return u->config.granules & IOMMUABS_SIM_GRAN16K;
	default:
		return u->config.granules & IOMMUABS_SIM_GRAN64K;
	}
}

static unsigned int output_bits(const struct iommuabs_sim_unit *u, uint64_t w2)
{
	unsigned int bits = size_of_ps(STE2_PS(w2));

	return bits < u->config.oas ? bits : u->config.oas;
}

/* STES2T0SZInvalid() and the walk's consistency (5.2.2; Arm ARM D8.2). */
static const char *geometry_illegal(const struct iommuabs_sim_unit *u,
				    uint64_t w2, const struct granule *g)
{
	unsigned int t0sz = STE2_T0SZ(w2), bits = 64 - t0sz;
	unsigned int max = !u->config.stt ? 39 : g->lg2 == 16 ? 47 : 48;
	unsigned int min = 64 - u->config.oas > 16 ? 64 - u->config.oas : 16;
	int level = start_level(g, STE2_SL0(w2), u->config.stt);
	unsigned int stride = g->lg2 - 3, least;

	if (t0sz > max || t0sz < min)
		return "S2T0SZ out of range";
	if (level < 0)
		return "S2SL0 reserved";
	if ((g->lg2 == 12 && level == 0 && u->config.oas < 44) ||
	    (g->lg2 == 14 && level == 1 && u->config.oas < 42) ||
	    (g->lg2 == 16 && level == 1 && u->config.oas < 44))
		return "S2SL0 too low a level for OAS";
	least = (3 - (unsigned int)level) * stride + g->lg2 + 1;
	if (bits < least || bits > least + stride - 1 + 4)
		return "S2T0SZ and S2SL0 inconsistent";
	return NULL;
}

static const char *stage2_illegal(const struct iommuabs_sim_unit *u,
				  const uint64_t w[4])
{
	const struct granule *g = smmuv3_granule(STE2_TG(w[2]));
	unsigned int out = output_bits(u, w[2]);

	if (!u->config.s2p)
		return "stage 2 not implemented";
	if (w[2] & STE2_S)
		return "S2S, but IDR0.STALL_MODEL is 0b01";
	if (!(w[2] & STE2_AA64))
		return "S2AA64 = 0, but IDR0.TTF[0] is 0";
	if (w[2] & (STE2_HA | STE2_HD))
		return "S2HA or S2HD, but IDR0.HTTU is 0";
	if (!g || !granule_supported(u, g))
		return "S2TG reserved or not supported";
	if (w[3] & STE3_TTB & MASK64(63, out < 48 ? out : 48))
		return "S2TTB beyond S2PS";
	if (w[2] & STE2_ENDI)
		return "S2ENDI, but IDR0.TTENDIAN is little-endian";
	return geometry_illegal(u, w[2], g);
}

/* SteIllegal() of 5.2.2, for a Non-secure STE with V == 1. */
const char *smmuv3_ste_illegal(const struct iommuabs_sim_unit *u,
			       const uint64_t w[4])
{
	unsigned int config = STE0_CONFIG(w[0]);
	const char *why = NULL;

	if (!(config & STE_CONFIG_BYPASS))
		return NULL;
	if (config & STE_CONFIG_S1 && !u->config.s1p)
		return "stage 1 not implemented";
	if (config & STE_CONFIG_S1 && w[1] & BIT64(27))
		return "S1STALLD, but IDR0.STALL_MODEL is not 0b00";
	if (config & STE_CONFIG_S2)
		why = stage2_illegal(u, w);
	if (!why && config != STE_CONFIG_BYPASS && u->config.s2p &&
	    !u->config.vmid16 && STE2_VMID(w[2]) > 0xff)
		why = "S2VMID has more than 8 bits";
	return why;
}

struct regime *smmuv3_regime(struct iommuabs_sim_unit *u, const uint64_t w[4])
{
	uint64_t key1 = w[1] & STE1_TLB, key2 = w[2] & STE2_TLB;
	uint64_t key3 = w[3] & STE3_TLB;
	struct regime *r = u->regimes;
	unsigned int lg2;

	while (r && (r->key1 != key1 || r->key2 != key2 || r->key3 != key3))
		r = r->next;
	if (r)
		return r;
	r = calloc(1, sizeof(*r));
	if (!r)
		abort();
	r->key1 = key1;
	r->key2 = key2;
	r->key3 = key3;
	r->granule = smmuv3_granule(STE2_TG(key2));
	r->vmid = STE2_VMID(key2);
	r->start_level = (unsigned int)start_level(r->granule, STE2_SL0(key2),
						   u->config.stt);
	r->ia_bits = 64 - STE2_T0SZ(key2);
	r->pa_bits = output_bits(u, key2);
	r->affd = key2 & STE2_AFFD;
	lg2 = r->ia_bits - smmuv3_level_lg2(r, r->start_level) + 3;
	r->ttb = ALIGN_DOWN(key3, lg2);
	if (r->ttb != key3)
		sim_violation(u->arena, IOMMUABS_SIM_V_RESERVED,
			      "S2TTB %#llx is not aligned to its table's size",
			      (unsigned long long)key3);
	r->next = u->regimes;
	u->regimes = r;
	return r;
}

/* ---- all that may be fetched for a StreamID ---- */

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

static void current_pairs(struct iommuabs_sim_unit *u, uint64_t at,
			  uint32_t epoch, struct pairs *out)
{
	struct iommuabs_sim_arena *a = u->arena;
	struct value lo[MAX_VALUES], hi[MAX_VALUES];
	unsigned int nlo = sim_values(a, sim_word(a, at), epoch, lo);
	unsigned int nhi = sim_values(a, sim_word(a, at) + 1, epoch, hi);
	unsigned int i, j;

	for (i = 0; i < nlo; i++) {
		for (j = 0; j < nhi; j++) {
			uint32_t newest = lo[i].epoch > hi[j].epoch
						  ? lo[i].epoch
						  : hi[j].epoch;

			if (!lo[i].init || !hi[j].init)
				sim_violation(a, IOMMUABS_SIM_V_UNINIT,
					      "an STE at %#llx may be fetched "
					      "before it was ever stored",
					      (unsigned long long)at);
			if (!u->config.fetch_128 ||
			    halves_agree(lo, nlo, i, hi, nhi, j))
				add_pair(out, lo[i].v, hi[j].v, newest);
		}
	}
}

static void stale_pairs(struct iommuabs_sim_unit *u, uint32_t sid,
			unsigned int pair, struct pairs *out)
{
	uint32_t i, j, nr;

	for (i = 0; i < u->stale_stes.nr; i++) {
		const struct stale_ste *s = vec_at(&u->stale_stes, i);

		if (s->sid == sid && s->pair == pair)
			add_pair(out, s->lo, s->hi, 0);
	}
	if (u->config.fetch_128)
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

static void each_ste_at(struct iommuabs_sim_unit *u, uint32_t sid, uint64_t at,
			uint32_t epoch, ste_fn fn, void *arg)
{
	struct pairs pairs[2] = { { .nr = 0 }, { .nr = 0 } };
	unsigned int i, j;

	if (!sim_inside(u->arena, at, 64)) {
		struct ste none = { .event = F_STE_FETCH, .fetch = at };

		fn(u, &none, arg);
		return;
	}
	if (!sim_page_used(u->arena, at))
		sim_violation(
			u->arena, IOMMUABS_SIM_V_FREED,
			"the STE of stream %#x is fetched from a free page",
			sid);
	for (i = 0; i < 2; i++) {
		current_pairs(u, at + 16 * i, epoch, &pairs[i]);
		if (u->arena->adversary)
			stale_pairs(u, sid, i, &pairs[i]);
	}
	for (i = 0; i < pairs[0].nr; i++) {
		for (j = 0; j < pairs[1].nr; j++) {
			const struct pair *lo = &pairs[0].p[i];
			const struct pair *hi = &pairs[1].p[j];
			struct ste ste = { { lo->lo, lo->hi, hi->lo, hi->hi },
					   lo->epoch > hi->epoch ? lo->epoch
								 : hi->epoch,
					   0,
					   0 };

			fn(u, &ste, arg);
		}
	}
}

static unsigned int split(const struct iommuabs_sim_unit *u)
{
	return STRTAB_CFG_SPLIT(u->strtab_cfg);
}

static void each_ste_of_l1(struct iommuabs_sim_unit *u, uint32_t sid,
			   uint64_t l1std, uint32_t epoch, ste_fn fn, void *arg)
{
	struct ste none = { .event = C_BAD_STREAMID };
	unsigned int span = L1STD_SPAN(l1std);
	uint64_t low = sid & (BIT64(split(u)) - 1), table;

	/* 7.3.3 */
	if (!span || span > L1STD_MAX_SPAN || span > split(u) + 1 ||
	    low >> (span - 1)) {
		fn(u, &none, arg);
		return;
	}
	table = ALIGN_DOWN(l1std & L1STD_L2PTR, STE_LG2 + span - 1);
	each_ste_at(u, sid, table + (low << STE_LG2), epoch, fn, arg);
}

static uint64_t l1_base(const struct iommuabs_sim_unit *u)
{
	unsigned int size = STRTAB_CFG_LOG2SIZE(u->strtab_cfg);
	unsigned int lg2 = size > split(u) ? size - split(u) + 3 : 3;

	return ALIGN_DOWN(u->strtab_base & STRTAB_BASE_ADDR, lg2 > 6 ? lg2 : 6);
}

static uint64_t linear_base(const struct iommuabs_sim_unit *u)
{
	return ALIGN_DOWN(u->strtab_base & STRTAB_BASE_ADDR,
			  STRTAB_CFG_LOG2SIZE(u->strtab_cfg) + STE_LG2);
}

static bool two_levels(const struct iommuabs_sim_unit *u)
{
	return STRTAB_CFG_FMT(u->strtab_cfg) == STRTAB_CFG_FMT_2LEVEL;
}

static uint64_t nr_l1stds(const struct iommuabs_sim_unit *u)
{
	unsigned int size = STRTAB_CFG_LOG2SIZE(u->strtab_cfg);

	return size > split(u) ? BIT64(size - split(u)) : 1;
}

static void each_ste_2level(struct iommuabs_sim_unit *u, uint32_t sid,
			    ste_fn fn, void *arg)
{
	struct iommuabs_sim_arena *a = u->arena;
	uint32_t index = sid >> split(u), i;
	uint64_t at = l1_base(u) + 8 * (uint64_t)index;
	struct value values[MAX_VALUES];
	unsigned int nr;

	if (!sim_inside(a, at, 8)) {
		struct ste none = { .event = F_STE_FETCH, .fetch = at };

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
	for (i = 0; a->adversary && i < u->stale_l1s.nr; i++) {
		const struct stale_l1 *s = vec_at(&u->stale_l1s, i);

		if (s->index == index)
			each_ste_of_l1(u, sid, s->l1std, 0, fn, arg);
	}
}

void smmuv3_each_ste(struct iommuabs_sim_unit *u, uint32_t sid, ste_fn fn,
		     void *arg)
{
	struct ste none = { .event = C_BAD_STREAMID };

	if ((uint64_t)sid >> STRTAB_CFG_LOG2SIZE(u->strtab_cfg) ||
	    (uint64_t)sid >> u->config.sidsize)
		fn(u, &none, arg);
	else if (two_levels(u))
		each_ste_2level(u, sid, fn, arg);
	else
		each_ste_at(u, sid, linear_base(u) + ((uint64_t)sid << STE_LG2),
			    0, fn, arg);
}

/* ---- which regimes a stream may use ---- */

static struct stream *find_stream(struct iommuabs_sim_unit *u, uint32_t sid)
{
	struct stream *s = u->streams;

	while (s && s->sid != sid)
		s = s->next;
	return s;
}

static struct stream *get_stream(struct iommuabs_sim_unit *u, uint32_t sid)
{
	struct stream *s = find_stream(u, sid);

	if (s)
		return s;
	s = calloc(1, sizeof(*s));
	if (!s)
		abort();
	s->sid = sid;
	s->next = u->streams;
	u->streams = s;
	return s;
}

struct collected {
	uint32_t sid;
	struct regime *regimes[MAX_REGIMES];
	uint32_t epochs[MAX_REGIMES];
	unsigned int nr;
	bool quiet;
};

static void check_reserved(struct iommuabs_sim_unit *u, uint32_t sid,
			   const uint64_t w[4])
{
	uint64_t known1 = u->config.fwb ? 0 : STE1_FWB;

	if (w[0] & STE0_RES0 || w[1] & (STE1_RES0 | known1) ||
	    (STE0_CONFIG(w[0]) & STE_CONFIG_S2 &&
	     (w[2] & STE2_RES0 || w[3] & STE3_RES0)))
		sim_violation(u->arena, IOMMUABS_SIM_V_RESERVED,
			      "stream %#x: reserved bits of the STE are set",
			      sid);
}

static void collect(struct iommuabs_sim_unit *u, const struct ste *ste,
		    void *arg)
{
	struct collected *c = arg;
	const char *why;
	struct regime *r;
	unsigned int i;

	if (ste->event || !(ste->w[0] & STE0_V))
		return;
	why = smmuv3_ste_illegal(u, ste->w);
	if (why) {
		if (!c->quiet)
			sim_violation(u->arena, IOMMUABS_SIM_V_BAD_STE,
				      "stream %#x: %s", c->sid, why);
		return;
	}
	if (!c->quiet)
		check_reserved(u, c->sid, ste->w);
	if (STE0_CONFIG(ste->w[0]) > STE_CONFIG_BYPASS &&
	    STE0_CONFIG(ste->w[0]) & STE_CONFIG_S1)
		sim_violation(u->arena, IOMMUABS_SIM_V_UNMODELLED,
			      "stream %#x uses stage 1", c->sid);
	if ((STE0_CONFIG(ste->w[0]) & 6) != (STE_CONFIG_BYPASS | STE_CONFIG_S2))
		return;
	r = smmuv3_regime(u, ste->w);
	for (i = 0; i < c->nr; i++) {
		if (c->regimes[i] == r)
			return;
	}
	if (c->nr < MAX_REGIMES) {
		c->epochs[c->nr] = ste->epoch;
		c->regimes[c->nr++] = r;
	}
}

static void check_vmid(struct iommuabs_sim_unit *u, const struct regime *r)
{
	const struct regime *other = u->regimes;

	for (; other; other = other->next) {
		if (other == r || other->vmid != r->vmid ||
		    (!other->live && !other->stale))
			continue;
		sim_violation(
			u->arena, IOMMUABS_SIM_V_VMID,
			other->live
				? "VMID %u names two tables or geometries at "
				  "once"
				: "VMID %u names a new table, the old one was "
				  "not invalidated",
			r->vmid);
	}
}

static void regime_lives(struct iommuabs_sim_unit *u, struct regime *r,
			 uint32_t epoch)
{
	if (r->live++)
		return;
	if (smmuv3_may_be_enabled(u)) {
		check_vmid(u, r);
		sim_check_ready(u->arena, r->ttb, smmuv3_root_bytes(r), epoch,
				"a root table");
	}
	smmuv3_link_root(u, r, 1, 0);
}

/* From now on nobody walks it, but all that it maps may be cached. */
static void regime_dies(struct iommuabs_sim_unit *u, struct regime *r)
{
	if (--r->live)
		return;
	if (!u->tlbs_empty) {
		smmuv3_link_root(u, r, 0, r->stale ? 0 : 1);
		r->stale = true;
		r->doomed = false;
	}
	smmuv3_link_root(u, r, -1, 0);
}

static bool among(struct regime *const *list, unsigned int nr,
		  const struct regime *r)
{
	while (nr && list[nr - 1] != r)
		nr--;
	return nr;
}

static void update(struct iommuabs_sim_unit *u, struct stream *s)
{
	struct collected c = { .sid = s->sid,
			       .quiet = !smmuv3_may_be_enabled(u) };
	struct regime *old[MAX_REGIMES];
	unsigned int i, nr_old = s->nr_regimes;

	smmuv3_each_ste(u, s->sid, collect, &c);
	for (i = 0; i < nr_old; i++)
		old[i] = s->regimes[i];
	for (i = 0; i < c.nr; i++) {
		if (!among(old, nr_old, c.regimes[i]))
			regime_lives(u, c.regimes[i], c.epochs[i]);
		s->regimes[i] = c.regimes[i];
	}
	s->nr_regimes = c.nr;
	for (i = 0; i < nr_old; i++) {
		if (!among(c.regimes, c.nr, old[i]))
			regime_dies(u, old[i]);
	}
}

void smmuv3_streams_update(struct iommuabs_sim_unit *u)
{
	struct stream *s;

	for (s = u->streams; s; s = s->next)
		update(u, s);
}

/* ---- old, new, and nothing else ---- */

/* What of an STE has an effect. */
static void effective(const uint64_t w[4], uint64_t out[4])
{
	unsigned int config = STE0_CONFIG(w[0]);
	bool s2 = (config & 6) == (STE_CONFIG_BYPASS | STE_CONFIG_S2);

	out[0] = out[1] = out[2] = out[3] = 0;
	if (!(w[0] & STE0_V) || !(config & STE_CONFIG_BYPASS))
		return;
	out[0] = w[0] & (STE0_V | MASK64(3, 1));
	out[1] = w[1] & (MASK64(51, 32) | MASK64(29, 28));
	if (!s2)
		return;
	out[1] |= w[1] & STE1_FWB;
	out[2] = w[2] & (STE2_TLB | STE2_R | STE2_S);
	out[3] = w[3] & STE3_TTB;
}

struct tear {
	uint32_t sid;
	uint64_t meant[4], now[4];
	bool torn;
};

static bool same(const uint64_t a[4], const uint64_t b[4])
{
	return a[0] == b[0] && a[1] == b[1] && a[2] == b[2] && a[3] == b[3];
}

static void look_for_tear(struct iommuabs_sim_unit *u, const struct ste *ste,
			  void *arg)
{
	struct tear *t = arg;
	uint64_t eff[4];

	(void)u;
	if (ste->event)
		return;
	effective(ste->w, eff);
	if (eff[0] && !same(eff, t->meant) && !same(eff, t->now))
		t->torn = true;
}

static uint64_t cpu_word(const struct iommuabs_sim_arena *a, uint64_t maddr)
{
	const uint64_t *p = (uint64_t *)(a->cpu + (maddr - a->config.base));

	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

/* The entry as the CPU stored it last; all zero: there is none. */
static void newest(struct iommuabs_sim_unit *u, uint32_t sid, uint64_t w[4])
{
	const struct iommuabs_sim_arena *a = u->arena;
	uint64_t at = linear_base(u) + ((uint64_t)sid << STE_LG2), l1std;
	unsigned int i, span;

	w[0] = w[1] = w[2] = w[3] = 0;
	if (two_levels(u)) {
		at = l1_base(u) + 8 * (uint64_t)(sid >> split(u));
		if (!sim_inside(a, at, 8))
			return;
		l1std = cpu_word(a, at);
		span = L1STD_SPAN(l1std);
		if (!span || span > split(u) + 1 || span > L1STD_MAX_SPAN)
			return;
		at = ALIGN_DOWN(l1std & L1STD_L2PTR, STE_LG2 + span - 1) +
		     ((sid & (BIT64(split(u)) - 1)) << STE_LG2);
	}
	for (i = 0; i < 4 && sim_inside(a, at, 64); i++)
		w[i] = cpu_word(a, at + 8 * i);
}

static void check_tear(struct iommuabs_sim_unit *u, struct stream *s)
{
	struct tear t = { .sid = s->sid };
	uint64_t now[4];
	unsigned int i;

	newest(u, s->sid, now);
	effective(s->meant, t.meant);
	effective(now, t.now);
	smmuv3_each_ste(u, s->sid, look_for_tear, &t);
	if (t.torn && smmuv3_may_be_enabled(u))
		sim_violation(u->arena, IOMMUABS_SIM_V_TORN_STE,
			      "stream %#x: a mix of two STEs may be fetched",
			      s->sid);
	for (i = 0; i < 4; i++)
		s->meant[i] = now[i];
}

void smmuv3_ste_meant(struct iommuabs_sim_unit *u, uint32_t first,
		      uint32_t last)
{
	struct stream *s;

	if (!u->arena->adversary)
		return;
	for (s = u->streams; s; s = s->next) {
		if (s->sid >= first && s->sid <= last)
			check_tear(u, s);
	}
}

/* ---- which pages are stream tables ---- */

static void add_stream_page(struct iommuabs_sim_unit *u, uint64_t maddr,
			    bool l1, uint32_t first)
{
	struct iommuabs_sim_arena *a = u->arena;
	struct stream_role *role, **list;

	if (!sim_inside(a, maddr, PAGE_SIZE))
		return;
	list = &a->stream_roles[(maddr - a->config.base) >> PAGE_LG2];
	for (role = *list; role; role = role->next) {
		if (role->unit == u)
			break;
	}
	if (!role) {
		role = calloc(1, sizeof(*role));
		if (!role)
			abort();
		role->next = *list;
		*list = role;
	}
	role->unit = u;
	role->l1 = l1;
	role->first = first;
}

/* STEs from @at on, the first of stream @sid. A page holds 64 of them. */
static void add_stes(struct iommuabs_sim_unit *u, uint64_t at, uint32_t sid,
		     uint64_t nr, uint32_t epoch)
{
	struct iommuabs_sim_arena *a = u->arena;
	uint64_t i, in_page = (at % PAGE_SIZE) >> STE_LG2;
	uint64_t page = ALIGN_DOWN(at, PAGE_LG2), value;

	if (!sim_inside(a, at, nr << STE_LG2))
		return;
	sim_check_ready(a, at, nr << STE_LG2, epoch, "a stream table");
	for (i = 0; i < nr + in_page; i += 64)
		add_stream_page(u, page + (i << STE_LG2), false,
				(uint32_t)(sid - in_page + i));
	for (i = 0; i < nr; i++) {
		value = cpu_word(a, at + (i << STE_LG2));
		if (value & STE0_V && !find_stream(u, (uint32_t)(sid + i))) {
			struct stream *s = get_stream(u, (uint32_t)(sid + i));

			newest(u, s->sid, s->meant);
		}
	}
}

static void link_l1std(struct iommuabs_sim_unit *u, uint32_t index,
		       uint64_t l1std, uint32_t epoch)
{
	unsigned int span = L1STD_SPAN(l1std);
	uint64_t table;

	if (l1std & ~(L1STD_L2PTR | MASK64(4, 0)))
		sim_violation(u->arena, IOMMUABS_SIM_V_RESERVED,
			      "L1STD %#llx has reserved bits set",
			      (unsigned long long)l1std);
	if (!span)
		return;
	if (span > L1STD_MAX_SPAN || span > split(u) + 1) {
		sim_violation(u->arena, IOMMUABS_SIM_V_RESERVED,
			      "L1STD.Span %u with SPLIT %u", span, split(u));
		return;
	}
	table = ALIGN_DOWN(l1std & L1STD_L2PTR, STE_LG2 + span - 1);
	if (table != (l1std & L1STD_L2PTR))
		sim_violation(u->arena, IOMMUABS_SIM_V_RESERVED,
			      "L1STD.L2Ptr is not aligned to its table");
	add_stes(u, table, index << split(u), BIT64(span - 1), epoch);
}

static void forget_stream_pages(struct iommuabs_sim_unit *u)
{
	uint64_t page;

	for (page = 0; page < u->arena->nr_pages; page++)
		smmuv3_forget_stream_page(u->arena, page, u);
}

static void check_strtab_cfg(struct iommuabs_sim_unit *u)
{
	unsigned int size = STRTAB_CFG_LOG2SIZE(u->strtab_cfg);
	unsigned int s = split(u);

	if (size > u->config.sidsize)
		sim_violation(u->arena, IOMMUABS_SIM_V_REGISTER,
			      "STRTAB_BASE_CFG.LOG2SIZE %u, SIDSIZE is %u",
			      size, u->config.sidsize);
	if (STRTAB_CFG_FMT(u->strtab_cfg) > u->config.st_level)
		sim_violation(u->arena, IOMMUABS_SIM_V_REGISTER,
			      "STRTAB_BASE_CFG.FMT %u is not supported",
			      STRTAB_CFG_FMT(u->strtab_cfg));
	/* 6.3.25: 4 KiB, 16 KiB or 64 KiB leaf tables. */
	if (two_levels(u) && s != 6 && s != 8 && s != 10)
		sim_violation(u->arena, IOMMUABS_SIM_V_REGISTER,
			      "STRTAB_BASE_CFG.SPLIT %u is reserved", s);
}

void smmuv3_reach_stream_table(struct iommuabs_sim_unit *u)
{
	struct iommuabs_sim_arena *a = u->arena;
	unsigned int size = STRTAB_CFG_LOG2SIZE(u->strtab_cfg);
	uint64_t nr, i, base = l1_base(u), bytes;

	check_strtab_cfg(u);
	forget_stream_pages(u);
	if (!two_levels(u)) {
		add_stes(u, linear_base(u), 0, BIT64(size), 0);
		return;
	}
	nr = nr_l1stds(u);
	bytes = 8 * nr;
	if (!sim_inside(a, base, bytes))
		return;
	sim_check_ready(a, base, bytes, 0, "a stream table");
	for (i = ALIGN_DOWN(base, PAGE_LG2); i < base + bytes; i += PAGE_SIZE)
		add_stream_page(u, i, true, (uint32_t)((i - base) / 8));
	for (i = 0; i < nr; i++)
		link_l1std(u, (uint32_t)i, cpu_word(a, base + 8 * i), 0);
}

void smmuv3_forget_stream_page(struct iommuabs_sim_arena *a, uint64_t page,
			       struct iommuabs_sim_unit *u)
{
	struct stream_role **list = &a->stream_roles[page];

	while (*list) {
		struct stream_role *role = *list;

		if (!u || role->unit == u) {
			*list = role->next;
			free(role);
		} else {
			list = &role->next;
		}
	}
}

static uint64_t in_page(uint32_t word)
{
	return word % PAGE_WORDS;
}

void smmuv3_stream_stored(struct iommuabs_sim_arena *a, uint32_t word,
			  const struct value *value)
{
	struct stream_role *role = a->stream_roles[word / PAGE_WORDS];
	struct stream_role *next;

	for (; role; role = next) {
		struct iommuabs_sim_unit *u = role->unit;
		uint32_t sid = role->first + (uint32_t)(in_page(word) / 8);

		next = role->next;
		if (role->l1) {
			uint32_t index = role->first + (uint32_t)in_page(word);

			if (index >= nr_l1stds(u))
				continue;
			link_l1std(u, index, value->v, value->epoch);
			smmuv3_streams_update(u);
			smmuv3_look_at_streams(u, index << split(u),
					       1u << split(u));
			continue;
		}
		if (word % STE_WORDS > 3 && value->v)
			sim_violation(a, IOMMUABS_SIM_V_RESERVED,
				      "stream %#x: word %u of the STE is not 0",
				      sid, word % STE_WORDS);
		update(u, get_stream(u, sid));
		smmuv3_look_at_streams(u, sid, 1);
	}
}

void smmuv3_stream_retired(struct iommuabs_sim_arena *a, uint32_t word,
			   const struct value *old, uint64_t now)
{
	struct stream_role *role = a->stream_roles[word / PAGE_WORDS];
	uint32_t even = word & ~1u;

	if (!old->init || old->v == now)
		return;
	for (; role; role = role->next) {
		struct iommuabs_sim_unit *u = role->unit;

		if (u->configs_empty)
			continue;
		if (role->l1) {
			struct stale_l1 *s = vec_add(&u->stale_l1s);

			s->index = role->first + (uint32_t)in_page(word);
			s->l1std = old->v;
		} else if (word % STE_WORDS < 4 &&
			   !(old->pair && u->config.fetch_128 && word % 2)) {
			/* Of a 128-bit store, the first half speaks for both. */
			struct stale_ste *s = vec_add(&u->stale_stes);

			s->sid = role->first + (uint32_t)(in_page(word) / 8);
			s->pair = word % STE_WORDS / 2;
			s->lo = a->dev[even];
			s->hi = a->dev[even + 1];
		}
	}
}
