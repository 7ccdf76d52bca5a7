/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_smmuv3_streams.c - which regimes a stream may use, and whether an entry is
 * read as old or new and nothing else
 */
#include "sim_smmuv3.h"
#include <stdlib.h>
#include <string.h>

struct stream *smmuv3_find_stream(struct iommuabs_sim_unit *u, uint32_t sid)
{
	struct stream *s = u->smmu->streams;

	while (s && s->sid != sid)
		s = s->next;
	return s;
}

struct stream *smmuv3_get_stream(struct iommuabs_sim_unit *u, uint32_t sid)
{
	struct stream *s = smmuv3_find_stream(u, sid);

	if (s)
		return s;
	s = calloc(1, sizeof(*s));
	if (!s)
		abort();
	s->sid = sid;
	s->next = u->smmu->streams;
	u->smmu->streams = s;
	return s;
}

/* ---- all that a stream may use now ---- */

struct collected {
	uint32_t sid;
	const struct entry *ste;
	struct regime *regimes[MAX_REGIMES];
	uint32_t epochs[MAX_REGIMES];
	unsigned int nr;
	struct cd_table tables[MAX_CD_TABLES];
	uint32_t table_epochs[MAX_CD_TABLES];
	unsigned int nr_tables;
	bool quiet, ats;
};

static void reserved(struct iommuabs_sim_unit *u, uint32_t sid,
		     const char *what)
{
	sim_violation(u->arena, IOMMUABS_SIM_V_RESERVED,
		      "stream %#x: reserved bits of the %s are set", sid, what);
}

static void check_ste_reserved(struct iommuabs_sim_unit *u, uint32_t sid,
			       const uint64_t w[4])
{
	uint64_t zero3 = STE3_RES0;

	if (!u->smmu->config.ds || STE2_TG(w[2]) == 1)
		zero3 |= STE3_DS;
	if (!u->smmu->config.ds)
		zero3 |= STE3_SL0_2;
	if (w[0] & STE0_RES0 ||
	    w[1] & (STE1_RES0 | (u->smmu->config.fwb ? 0 : STE1_FWB)) ||
	    (smmuv3_ste_is_s2(w) && (w[2] & STE2_RES0 || w[3] & zero3)))
		reserved(u, sid, "STE");
}

static void check_cd_reserved(struct iommuabs_sim_unit *u, uint32_t sid,
			      const uint64_t w[4])
{
	uint64_t zero2 = CD2_RES0;

	if (!u->smmu->config.ds || CD0_TG0(w[0]) == 1)
		zero2 |= CD2_DS;
	if (w[1] & CD1_RES0 || w[2] & zero2)
		reserved(u, sid, "CD");
}

static void unmodelled(struct iommuabs_sim_unit *u, uint32_t sid,
		       const char *what)
{
	sim_violation(u->arena, IOMMUABS_SIM_V_UNMODELLED, "stream %#x: %s",
		      sid, what);
}

static void add_regime(struct collected *c, struct regime *r, uint32_t epoch)
{
	unsigned int i;

	for (i = 0; i < c->nr; i++) {
		if (c->regimes[i] == r)
			return;
	}
	if (c->nr < MAX_REGIMES) {
		c->epochs[c->nr] = epoch;
		c->regimes[c->nr++] = r;
	}
}

static void collect_cd(struct iommuabs_sim_unit *u, const struct entry *cd,
		       void *arg)
{
	struct collected *c = arg;
	struct regime *r;
	const char *why;

	if (cd->event || !(cd->w[0] & CD0_V))
		return;
	why = smmuv3_cd_illegal(u, c->ste->w, cd->w);
	if (why) {
		if (!c->quiet)
			sim_violation(u->arena, IOMMUABS_SIM_V_BAD_CD,
				      "stream %#x: %s", c->sid, why);
		return;
	}
	if (!c->quiet)
		check_cd_reserved(u, c->sid, cd->w);
	r = smmuv3_regime_s1(u, c->ste->w, cd->w);
	if (!r->tag.el2 && !(cd->w[0] & CD0_EPD1))
		unmodelled(u, c->sid, "CD.EPD1 = 0, so TTB1 is used");
	if (r->tag.el2 && u->smmu->cr2 & CR2_E2H)
		unmodelled(u, c->sid, "EL2 with CR2.E2H");
	add_regime(c, r, cd->epoch);
}

static void collect_cds(struct iommuabs_sim_unit *u, const struct entry *ste,
			struct collected *c)
{
	unsigned int lg2 = smmuv3_cds_lg2(u, ste->w), i;
	struct cd_table t = { smmuv3_cds_at(u, ste->w), 1 };

	if (lg2 && STE0_S1FMT(ste->w[0]) % 3) {
		unmodelled(u, c->sid, "CD tables of two levels");
		return;
	}
	if (t.at != (ste->w[0] & STE0_S1PTR) && !c->quiet)
		sim_violation(u->arena, IOMMUABS_SIM_V_RESERVED,
			      "stream %#x: S1ContextPtr is not aligned to its "
			      "table",
			      c->sid);
	t.nr = BIT64(lg2) < MAX_TRACKED_CDS ? 1u << lg2 : MAX_TRACKED_CDS;
	for (i = 0; i < c->nr_tables; i++) {
		if (c->tables[i].at == t.at && c->tables[i].nr == t.nr)
			break;
	}
	if (i == c->nr_tables && i < MAX_CD_TABLES) {
		c->table_epochs[i] = ste->epoch;
		c->tables[c->nr_tables++] = t;
	}
	c->ste = ste;
	for (i = 0; i < t.nr; i++)
		smmuv3_each_cd(u, c->sid, i, ste, collect_cd, c);
}

static void collect(struct iommuabs_sim_unit *u, const struct entry *ste,
		    void *arg)
{
	struct collected *c = arg;
	const char *why;

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
		check_ste_reserved(u, c->sid, ste->w);
	c->ats |= u->smmu->config.ats && STE1_EATS(ste->w[1]) == 1;
	if (ste->w[1] & STE1_CONT)
		unmodelled(u, c->sid, "STE.CONT");
	if (smmuv3_ste_is_s1(ste->w) && smmuv3_ste_is_s2(ste->w))
		unmodelled(u, c->sid, "both stages at once");
	else if (smmuv3_ste_is_s1(ste->w))
		collect_cds(u, ste, c);
	else if (smmuv3_ste_is_s2(ste->w))
		add_regime(c, smmuv3_regime_s2(u, ste->w), ste->epoch);
}

static void regime_lives(struct iommuabs_sim_unit *u, struct regime *r,
			 uint32_t epoch)
{
	if (sim_regime_lives(u, r, epoch) && r->tag.el2 &&
	    smmuv3_may_be_enabled(u) && !u->smmu->el2_clean)
		sim_violation(u->arena, IOMMUABS_SIM_V_ENABLE,
			      "EL2 is used, no CMD_TLBI_EL2_ALL since reset");
}

static bool among(struct regime *const *list, unsigned int nr,
		  const struct regime *r)
{
	while (nr && list[nr - 1] != r)
		nr--;
	return nr;
}

static bool has_table(const struct cd_table *list, unsigned int nr,
		      const struct cd_table *t)
{
	while (nr && (list[nr - 1].at != t->at || list[nr - 1].nr != t->nr))
		nr--;
	return nr;
}

static void update_tables(struct iommuabs_sim_unit *u, struct stream *s,
			  const struct collected *c)
{
	struct cd_table old[MAX_CD_TABLES];
	unsigned int i, nr_old = s->nr_tables;

	memcpy(old, s->tables, sizeof(old));
	memcpy(s->tables, c->tables, sizeof(old));
	s->nr_tables = c->nr_tables;
	for (i = 0; i < c->nr_tables; i++) {
		if (!has_table(old, nr_old, &c->tables[i]))
			smmuv3_link_cds(u, s, &c->tables[i],
					c->table_epochs[i]);
	}
	for (i = 0; i < nr_old; i++) {
		if (!has_table(c->tables, c->nr_tables, &old[i]))
			smmuv3_unlink_cds(u, s, &old[i]);
	}
}

/* A leaf leaves memory: who may use ATS may have asked for it. */
void smmuv3_atc_leaf(struct iommuabs_sim_unit *u, const struct leaf *t)
{
	const struct stream *s;

	for (s = u->smmu->streams; u->smmu->config.ats && s; s = s->next) {
		if (s->ats && among(s->regimes, s->nr_regimes, t->regime))
			sim_atc_add(u, s->sid, t);
	}
}

void smmuv3_stream_update(struct iommuabs_sim_unit *u, struct stream *s)
{
	struct collected c = { .sid = s->sid,
			       .quiet = !smmuv3_may_be_enabled(u) };
	struct regime *old[MAX_REGIMES];
	unsigned int i, nr_old = s->nr_regimes;

	smmuv3_each_ste(u, s->sid, collect, &c);
	update_tables(u, s, &c);
	for (i = 0; i < nr_old; i++)
		old[i] = s->regimes[i];
	for (i = 0; i < c.nr; i++) {
		if (!among(old, nr_old, c.regimes[i]))
			regime_lives(u, c.regimes[i], c.epochs[i]);
		s->regimes[i] = c.regimes[i];
	}
	s->nr_regimes = c.nr;
	for (i = 0; i < nr_old; i++) {
		bool stays = among(c.regimes, c.nr, old[i]);

		/* What the device asked for while it could it keeps. */
		if (s->ats && !(stays && c.ats))
			sim_atc_add_all(u, s->sid, old[i]);
		if (stays)
			continue;
		sim_regime_dies(u, old[i]);
	}
	s->ats = c.ats;
}

void smmuv3_streams_update(struct iommuabs_sim_unit *u)
{
	struct stream *s;

	for (s = u->smmu->streams; s; s = s->next)
		smmuv3_stream_update(u, s);
}

/* ---- old, new, and nothing else ---- */

/* What of an STE has an effect. */
static void effective_ste(const uint64_t w[4], uint64_t out[4])
{
	memset(out, 0, 4 * sizeof(*out));
	if (!(w[0] & STE0_V) || !(STE0_CONFIG(w[0]) & STE_CONFIG_BYPASS))
		return;
	out[0] = w[0] & (STE0_V | MASK64(3, 1));
	out[1] = w[1] & (STE1_ATTRS | MASK64(29, 28));
	if (smmuv3_ste_is_s1(w)) {
		out[0] = w[0];
		out[1] |=
			w[1] & (MASK64(7, 0) | STE1_S1STALLD | MASK64(31, 30));
		out[2] |= w[2] & MASK64(15, 0);
	}
	if (smmuv3_ste_is_s2(w)) {
		out[1] |= w[1] & STE1_FWB;
		out[2] |= w[2] & (STE2_TLB | STE2_R | STE2_S);
		out[3] = w[3] & STE3_TLB;
	}
}

static void effective_cd(const uint64_t w[4], uint64_t out[4])
{
	memset(out, 0, 4 * sizeof(*out));
	if (!(w[0] & CD0_V))
		return;
	out[0] = w[0] & ~CD0_TTB1;
	out[1] = w[1] & CD1_TLB;
	out[2] = w[2] & CD2_TLB;
	out[3] = w[3];
}

struct tear {
	uint32_t sid, ssid;
	uint64_t meant[4], now[4];
	bool torn;
};

static bool same(const uint64_t a[4], const uint64_t b[4])
{
	return !memcmp(a, b, 4 * sizeof(*a));
}

static void look_for_tear(struct tear *t, const uint64_t eff[4])
{
	if (eff[0] && !same(eff, t->meant) && !same(eff, t->now))
		t->torn = true;
}

static void look_at_ste(struct iommuabs_sim_unit *u, const struct entry *ste,
			void *arg)
{
	uint64_t eff[4];

	(void)u;
	if (ste->event)
		return;
	effective_ste(ste->w, eff);
	look_for_tear(arg, eff);
}

static void check_ste_tear(struct iommuabs_sim_unit *u, struct stream *s)
{
	struct tear t = { .sid = s->sid };
	uint64_t now[4];

	smmuv3_newest_ste(u, s->sid, now);
	effective_ste(s->meant, t.meant);
	effective_ste(now, t.now);
	smmuv3_each_ste(u, s->sid, look_at_ste, &t);
	if (t.torn && smmuv3_may_be_enabled(u))
		sim_violation(u->arena, IOMMUABS_SIM_V_TORN_STE,
			      "stream %#x: a mix of two STEs may be fetched",
			      s->sid);
	memcpy(s->meant, now, sizeof(now));
}

static void look_at_cd(struct iommuabs_sim_unit *u, const struct entry *cd,
		       void *arg)
{
	uint64_t eff[4];

	(void)u;
	if (cd->event)
		return;
	effective_cd(cd->w, eff);
	look_for_tear(arg, eff);
}

static void look_at_cds(struct iommuabs_sim_unit *u, const struct entry *ste,
			void *arg)
{
	const struct tear *t = arg;

	if (!ste->event && ste->w[0] & STE0_V && smmuv3_ste_is_s1(ste->w) &&
	    !(t->ssid >> smmuv3_cds_lg2(u, ste->w)))
		smmuv3_each_cd(u, t->sid, t->ssid, ste, look_at_cd, arg);
}

static void check_cd_tear(struct iommuabs_sim_unit *u, struct cached *m)
{
	struct tear t = { .sid = m->sid, .ssid = m->ssid };
	uint64_t ste[4], now[4];

	smmuv3_newest_ste(u, m->sid, ste);
	smmuv3_newest_cd(u, ste, m->ssid, now);
	effective_cd(m->w, t.meant);
	effective_cd(now, t.now);
	smmuv3_each_ste(u, m->sid, look_at_cds, &t);
	if (t.torn && smmuv3_may_be_enabled(u))
		sim_violation(u->arena, IOMMUABS_SIM_V_TORN_CD,
			      "stream %#x, CD %u: a mix of two CDs may be "
			      "fetched",
			      m->sid, m->ssid);
	memcpy(m->w, now, sizeof(now));
}

void smmuv3_ste_meant(struct iommuabs_sim_unit *u, uint32_t first,
		      uint32_t last)
{
	struct stream *s;

	if (!u->arena->adversary)
		return;
	for (s = u->smmu->streams; s; s = s->next) {
		if (s->sid >= first && s->sid <= last)
			check_ste_tear(u, s);
	}
	smmuv3_cd_meant(u, first, last, UINT32_MAX);
}

void smmuv3_cd_meant(struct iommuabs_sim_unit *u, uint32_t first, uint32_t last,
		     uint32_t ssid)
{
	uint32_t i;

	for (i = 0; u->arena->adversary && i < u->smmu->meant_cds.nr; i++) {
		struct cached *m = vec_at(&u->smmu->meant_cds, i);

		if (m->sid >= first && m->sid <= last &&
		    (ssid == UINT32_MAX || m->ssid == ssid))
			check_cd_tear(u, m);
	}
}
