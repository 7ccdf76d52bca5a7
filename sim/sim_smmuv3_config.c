/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_smmuv3_config.c - what a stream table entry and a context descriptor say
 * (IHI 0070 5.2, 5.4)
 */
#include "sim_smmuv3.h"
#include <stdlib.h>
#include <string.h>

static const struct granule granules[3] = {
	{ 12, { 0, 4, 4, 4 }, 1 },
	{ 16, { 0, 0, 5, 5 }, 3 },
	{ 14, { 0, 0, 5, 7 }, 2 },
};

/* By S2TG or TG0; NULL: reserved, or not there. */
static const struct granule *granule(const struct iommuabs_sim_unit *u,
				     unsigned int tg)
{
	static const unsigned int bits[3] = { IOMMUABS_SIM_GRAN4K,
					      IOMMUABS_SIM_GRAN64K,
					      IOMMUABS_SIM_GRAN16K };

	return tg < 3 && u->smmu->config.granules & bits[tg] ? &granules[tg]
							     : NULL;
}

/* IPS and S2PS, capped by OAS; 56 bits are not to be had. */
static unsigned int output_bits(const struct iommuabs_sim_unit *u,
				unsigned int ps)
{
	static const unsigned int sizes[8] = { 32, 36, 40, 42, 44, 48, 52, 52 };

	return sizes[ps] < u->smmu->config.oas ? sizes[ps]
					       : u->smmu->config.oas;
}

static unsigned int max_tsz(const struct iommuabs_sim_unit *u,
			    const struct granule *g)
{
	return !u->smmu->config.stt ? 39 : g->lg2 == 16 ? 47 : 48;
}

bool smmuv3_ste_is_s1(const uint64_t ste[4])
{
	unsigned int config = STE0_CONFIG(ste[0]);

	return config & STE_CONFIG_BYPASS && config & STE_CONFIG_S1;
}

bool smmuv3_ste_is_s2(const uint64_t ste[4])
{
	unsigned int config = STE0_CONFIG(ste[0]);

	return config & STE_CONFIG_BYPASS && config & STE_CONFIG_S2;
}

/* ---- stage 2 ---- */

#define NO_LEVEL (-2)

/* Arm ARM D8.2: {S2SL0_2, S2SL0} to level. */
static int start_level(const struct iommuabs_sim_unit *u,
		       const struct granule *g, const uint64_t ste[4])
{
	unsigned int sl0 = STE2_SL0(ste[2]);
	bool ds = ste[3] & STE3_DS;

	if (g->lg2 == 12 && ds && ste[3] & STE3_SL0_2)
		return sl0 ? NO_LEVEL : -1;
	if (g->lg2 == 12)
		return sl0 < 3		     ? 2 - (int)sl0
		       : u->smmu->config.stt ? 3
					     : NO_LEVEL;
	if (sl0 == 3)
		return g->lg2 == 14 && ds ? 0 : NO_LEVEL;
	return 3 - (int)sl0;
}

/* STES2T0SZInvalid() and the walk's consistency (5.2.2; Arm ARM D8.2). */
static const char *geometry_illegal(const struct iommuabs_sim_unit *u,
				    const uint64_t ste[4],
				    const struct granule *g)
{
	unsigned int t0sz = STE2_T0SZ(ste[2]), bits = 64 - t0sz;
	unsigned int least_t0sz = g->lg2 == 16 || ste[3] & STE3_DS ? 12 : 16;
	unsigned int stride = g->lg2 - 3, least;
	int level = start_level(u, g, ste);

	if (64 - u->smmu->config.oas > least_t0sz)
		least_t0sz = 64 - u->smmu->config.oas;
	if (t0sz > max_tsz(u, g) || t0sz < least_t0sz)
		return "S2T0SZ out of range";
	if (level == NO_LEVEL)
		return "S2SL0 reserved";
	if ((g->lg2 == 12 && level == 0 && u->smmu->config.oas < 44) ||
	    (g->lg2 == 14 && level == 1 && u->smmu->config.oas < 42) ||
	    (g->lg2 == 16 && level == 1 && u->smmu->config.oas < 44))
		return "S2SL0 too low a level for OAS";
	least = (unsigned int)(LAST_LEVEL - level) * stride + g->lg2 + 1;
	if (bits < least || bits > least + stride - 1 + 4)
		return "S2T0SZ and S2SL0 inconsistent";
	return NULL;
}

/* 48 bits are all that a small granule can name without DS. */
static bool ttb_out_of_range(uint64_t ttb, unsigned int out,
			     const struct granule *g, bool ds)
{
	if (out > 48 && g->lg2 != 16 && !ds)
		out = 48;
	return ttb >> out;
}

static const char *stall_illegal(const struct iommuabs_sim_unit *u, bool stalls)
{
	if (stalls && u->smmu->config.stall_model == 1)
		return "S or S2S, but IDR0.STALL_MODEL is 0b01";
	if (!stalls && u->smmu->config.stall_model == 2)
		return "S or S2S is 0, but IDR0.STALL_MODEL is 0b10";
	return NULL;
}

static const char *stage2_illegal(const struct iommuabs_sim_unit *u,
				  const uint64_t w[4])
{
	const struct granule *g = granule(u, STE2_TG(w[2]));
	const char *why = stall_illegal(u, w[2] & STE2_S);

	if (!u->smmu->config.s2p)
		return "stage 2 not implemented";
	if (why)
		return why;
	if (!(w[2] & STE2_AA64))
		return "S2AA64 = 0, but IDR0.TTF[0] is 0";
	if (w[2] & (STE2_HA | STE2_HD))
		return "S2HA or S2HD, but IDR0.HTTU is 0";
	if (!g)
		return "S2TG reserved or not supported";
	if (ttb_out_of_range(w[3] & STE3_TTB, output_bits(u, STE2_PS(w[2])), g,
			     w[3] & STE3_DS))
		return "S2TTB beyond S2PS";
	if (w[2] & STE2_ENDI)
		return "S2ENDI, but IDR0.TTENDIAN is little-endian";
	return geometry_illegal(u, w, g);
}

/* ---- stage 1 ---- */

unsigned int smmuv3_cds_lg2(const struct iommuabs_sim_unit *u,
			    const uint64_t ste[4])
{
	return u->smmu->config.ssidsize ? STE0_S1CDMAX(ste[0]) : 0;
}

uint64_t smmuv3_cds_at(const struct iommuabs_sim_unit *u, const uint64_t ste[4])
{
	return ALIGN_DOWN(ste[0] & STE0_S1PTR, CD_LG2 + smmuv3_cds_lg2(u, ste));
}

static bool strw_used(const struct iommuabs_sim_unit *u, const uint64_t w[4])
{
	return u->smmu->config.s1p && u->smmu->config.hyp &&
	       smmuv3_ste_is_s1(w) && !smmuv3_ste_is_s2(w);
}

static const char *stage1_illegal(const struct iommuabs_sim_unit *u,
				  const uint64_t w[4])
{
	unsigned int max = smmuv3_cds_lg2(u, w), fmt = STE0_S1FMT(w[0]);

	if (!u->smmu->config.s1p)
		return "stage 1 not implemented";
	if (w[1] & STE1_S1STALLD && u->smmu->config.stall_model)
		return "S1STALLD, but IDR0.STALL_MODEL is not 0b00";
	if (max > u->smmu->config.ssidsize)
		return "S1CDMax beyond IDR1.SSIDSIZE";
	if (max && !u->smmu->config.cd2l && (fmt == 1 || fmt == 2))
		return "S1Fmt, but IDR0.CD2L is 0";
	if ((w[0] & STE0_S1PTR) >> u->smmu->config.oas)
		return "S1ContextPtr beyond OAS";
	if (strw_used(u, w) && STE1_STRW(w[1]) & 1)
		return "STRW reserved";
	return NULL;
}

static const char *ats_illegal(const struct iommuabs_sim_unit *u,
			       const uint64_t w[4])
{
	if (!u->smmu->config.ats || STE0_CONFIG(w[0]) == STE_CONFIG_BYPASS)
		return NULL;
	if (STE1_EATS(w[1]) == 2 &&
	    (!smmuv3_ste_is_s1(w) || !smmuv3_ste_is_s2(w) || w[2] & STE2_S))
		return "EATS split-stage without two stages";
	if (STE1_EATS(w[1]) & 1 && smmuv3_ste_is_s2(w) && w[2] & STE2_S)
		return "EATS together with S2S";
	return NULL;
}

/* SteIllegal() of 5.2.2, for a Non-secure STE with V == 1. */
const char *smmuv3_ste_illegal(const struct iommuabs_sim_unit *u,
			       const uint64_t w[4])
{
	unsigned int config = STE0_CONFIG(w[0]);
	const char *why = NULL;

	if (!(config & STE_CONFIG_BYPASS))
		return NULL;
	if (smmuv3_ste_is_s1(w))
		why = stage1_illegal(u, w);
	if (!why && smmuv3_ste_is_s2(w))
		why = stage2_illegal(u, w);
	if (!why)
		why = ats_illegal(u, w);
	if (!why && config != STE_CONFIG_BYPASS && u->smmu->config.s2p &&
	    !u->smmu->config.vmid16 && STE2_VMID(w[2]) > 0xff)
		why = "S2VMID has more than 8 bits";
	return why;
}

static const char *ttb0_illegal(const struct iommuabs_sim_unit *u,
				const uint64_t cd[4])
{
	const struct granule *g = granule(u, CD0_TG0(cd[0]));
	bool ds = cd[2] & CD2_DS && u->smmu->config.ds;
	unsigned int t0sz = CD0_T0SZ(cd[0]), least = 16;

	if (!g)
		return "TG0 reserved or not supported";
	if (u->smmu->config.vax == 52 && (g->lg2 == 16 || ds))
		least = 12;
	if (t0sz < least || t0sz > max_tsz(u, g))
		return "T0SZ out of range";
	if (ttb_out_of_range(cd[1] & CD1_TTB0, output_bits(u, CD0_IPS(cd[0])),
			     g, ds))
		return "TTB0 beyond IPS";
	return NULL;
}

/* CdIllegal() of 5.4.2, for a Non-secure stream. */
const char *smmuv3_cd_illegal(const struct iommuabs_sim_unit *u,
			      const uint64_t ste[4], const uint64_t cd[4])
{
	bool el2 = strw_used(u, ste) && STE1_STRW(ste[1]) == 2;
	bool walks0 = el2 || !(cd[0] & CD0_EPD0);
	const char *why = stall_illegal(u, cd[0] & CD0_S);

	if (ste[1] & STE1_S1STALLD && cd[0] & CD0_S)
		return "CD.S, but STE.S1STALLD";
	if (!(cd[0] & CD0_A))
		return "CD.A = 0, but IDR0.TERM_MODEL is 1";
	if (why)
		return why;
	if (walks0 && cd[0] & CD0_ENDI)
		return "ENDI, but IDR0.TTENDIAN is little-endian";
	if (!(cd[0] & CD0_AA64))
		return "AA64 = 0, but IDR0.TTF[0] is 0";
	if (cd[0] & (CD0_HA | CD0_HD))
		return "HA or HD, but IDR0.HTTU is 0";
	if (!el2 && !u->smmu->config.asid16 && CD0_ASID(cd[0]) > 0xff)
		return "ASID has more than 8 bits";
	return walks0 ? ttb0_illegal(u, cd) : NULL;
}

/* ---- regimes ---- */

/* Arm ARM D8.3.1: blocks; D8.2: tables are aligned to their size. */
static void finish_regime(struct iommuabs_sim_unit *u, struct regime *r,
			  uint64_t ttb, const char *field)
{
	unsigned int lg2;

	r->wide = r->granule->lg2 == 16 && u->smmu->config.oas == 52;
	r->first_block = r->granule->lg2 == 12 ? 1 : 2;
	r->first_block -= r->ds || r->wide;
	if (r->no_walk)
		return;
	lg2 = r->ia_bits - sim_level_lg2(r, r->start_level) + 3;
	if (r->pa_bits == 52 && lg2 < 6)
		lg2 = 6;
	r->ttb = ALIGN_DOWN(ttb, lg2);
	if (r->ttb != ttb)
		sim_violation(u->arena, IOMMUABS_SIM_V_RESERVED,
			      "%s %#llx is not aligned to its table's size",
			      field, (unsigned long long)ttb);
}

struct regime *smmuv3_regime_s2(struct iommuabs_sim_unit *u,
				const uint64_t ste[4])
{
	uint64_t key[4] = { 0, ste[1] & STE1_TLB, ste[2] & STE2_TLB,
			    ste[3] & STE3_TLB };
	struct tag tag = { .vmid = STE2_VMID(ste[2]) };
	struct regime *r = sim_find_regime(u, key, &tag);

	if (r)
		return r;
	r = sim_new_regime(u, &smmuv3_format, key, &tag);
	r->granule = granule(u, STE2_TG(ste[2]));
	r->start_level = start_level(u, r->granule, ste);
	r->ia_bits = 64 - STE2_T0SZ(ste[2]);
	r->pa_bits = output_bits(u, STE2_PS(ste[2]));
	r->affd = ste[2] & STE2_AFFD;
	r->ds = ste[3] & STE3_DS && r->granule->lg2 != 16;
	finish_regime(u, r, ste[3] & STE3_TTB, "S2TTB");
	return r;
}

struct regime *smmuv3_regime_s1(struct iommuabs_sim_unit *u,
				const uint64_t ste[4], const uint64_t cd[4])
{
	uint64_t key[4] = { cd[0] & CD0_TLB, cd[1] & CD1_TLB, cd[2] & CD2_TLB,
			    cd[3] };
	struct tag tag = {
		.s1 = true,
		.el2 = strw_used(u, ste) && STE1_STRW(ste[1]) == 2,
	};
	struct regime *r;
	unsigned int stride;

	if (!tag.el2) {
		tag.vmid = u->smmu->config.s2p ? STE2_VMID(ste[2]) : 0;
		tag.asid = CD0_ASID(cd[0]);
	}
	r = sim_find_regime(u, key, &tag);
	if (r)
		return r;
	r = sim_new_regime(u, &smmuv3_format, key, &tag);
	r->no_walk = !tag.el2 && cd[0] & CD0_EPD0;
	r->granule = granule(u, CD0_TG0(cd[0]));
	if (!r->granule)
		r->granule = &granules[0];
	r->ia_bits = 64 - CD0_T0SZ(cd[0]);
	stride = r->granule->lg2 - 3;
	r->start_level =
		LAST_LEVEL - (int)((r->ia_bits - 1 - r->granule->lg2) / stride);
	r->pa_bits = output_bits(u, CD0_IPS(cd[0]));
	r->affd = cd[0] & CD0_AFFD;
	r->tbi = cd[0] & CD0_TBI0;
	r->pan = !tag.el2 && cd[0] & CD0_PAN;
	r->had = cd[1] & CD1_HAD0;
	r->ds = cd[2] & CD2_DS && u->smmu->config.ds && r->granule->lg2 != 16;
	finish_regime(u, r, cd[1] & CD1_TTB0, "TTB0");
	return r;
}
