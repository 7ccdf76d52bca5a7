/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * p2m.h - the host's own CPU stage-2 table, as the library sees it
 */
#ifndef IOMMUABS_P2M_H
#define IOMMUABS_P2M_H

#include <iommuabs/types.h>

IOMMUABS_BEGIN_DECLS

enum iommuabs_p2m_format {
	IOMMUABS_P2M_NONE,   /* no table that an IOMMU could walk */
	IOMMUABS_P2M_ARM_S2, /* VMSAv8-64 stage 2 (Arm ARM D8) */
	IOMMUABS_P2M_EPT,    /* Intel SDM vol. 3C 29.3 */
	IOMMUABS_P2M_NPT,    /* AMD64 APM vol. 2 15.25 */
};

/* Values of iommuabs_p2m.flags. */
/* Every change of the p2m is cleaned to memory: units that don't snoop may share */
#define IOMMUABS_P2M_CLEANED (1u << 0)

/* Where the CPU's table is and what it looks like. Copied. */
struct iommuabs_p2m {
	uint32_t size; /* sizeof(struct iommuabs_p2m) */
	uint32_t flags;
	enum iommuabs_p2m_format format;
	uint64_t root; /* machine address; concatenated roots: of the first */
	uint8_t input_bits;  /* width of a guest address: 64 - T0SZ */
	uint8_t output_bits; /* width of a machine address in it */
	uint8_t granule_lg2; /* 12, 14, 16 */
	uint8_t levels;	    /* number of levels walked: 4 - start level (Arm) */
	uint8_t vmid_bits;  /* width of the CPU's VMID; informative */
	uint8_t walk_attrs; /* Arm: VTCR_EL2[13:8], SH0, ORGN0, IRGN0 */
};

/* One run of a p2m query's answer. */
struct iommuabs_p2m_run {
	iommuabs_gfn_t gfn;
	iommuabs_mfn_t mfn;
	uint64_t nr;	/* frames, > 0 */
	uint32_t flags; /* as for iommuabs_domain_map(), REPLACE excepted */
};

/*
 * A question to host->p2m_walk(): what does the p2m map from @gfn on?
 *
 * The host fills @runs in ascending order, without overlap, inside
 * [@gfn, @gfn + @nr), writes how many in @nr_runs, and in @next the gfn up to
 * which the answer is complete: @gfn + @nr when all fitted, at least one frame
 * past @gfn in any case. What lies between runs is not mapped.
 */
struct iommuabs_p2m_query {
	void *dom_cookie;
	void *call_cookie; /* of the refresh that asks; NULL when populating */
	iommuabs_gfn_t gfn;
	uint64_t nr;
	struct iommuabs_p2m_run *runs;
	uint32_t max_runs;
	uint32_t nr_runs;    /* out */
	iommuabs_gfn_t next; /* out */
};

/**
 * iommuabs_p2m_from_vtcr() - describe an Arm stage 2 from the CPU's registers
 * @vtcr:  VTCR_EL2 (Arm ARM D24.2.179)
 * @vttbr: VTTBR_EL2; the VMID in it is ignored
 * @hcr:   HCR_EL2; HCR_EL2.VM must be set
 * @p2m:   filled completely, flags 0 (set P2M_CLEANED where it is true)
 *
 * Context: any.
 * Return:  0 | E_INVAL (a reserved encoding, a start level that the granule
 *          doesn't have, a misaligned root, HCR_EL2.VM clear).
 */
IOMMUABS_MUST_CHECK int iommuabs_p2m_from_vtcr(uint64_t vtcr, uint64_t vttbr,
					       uint64_t hcr,
					       struct iommuabs_p2m *p2m);

/**
 * iommuabs_p2m_from_eptp() - describe an EPT from its pointer (SDM 25.6.11)
 * @eptp: as in the VMCS; of 4 or 5 levels. Accessed and dirty flags, if the CPU
 *        keeps them, are ignored by units
 *
 * Context: any.
 * Return:  0 | E_INVAL (reserved bits, or a value that the manual doesn't have).
 */
IOMMUABS_MUST_CHECK int iommuabs_p2m_from_eptp(uint64_t eptp,
					       struct iommuabs_p2m *p2m);

IOMMUABS_END_DECLS

#endif
