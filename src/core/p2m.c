/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * p2m.c - the CPU's stage 2, described from its registers
 */
#include <iommuabs/domain.h>
#include <iommuabs/error.h>

#include "../host/hostif.h"

/* Arm ARM D24.2.179, VTCR_EL2 */
#define VTCR_T0SZ  FIELD(5, 0)
#define VTCR_SL0   FIELD(7, 6)
#define VTCR_ATTRS FIELD(13, 8) /* SH0, ORGN0, IRGN0 */
#define VTCR_SH0   FIELD(13, 12)
#define VTCR_TG0   FIELD(15, 14)
#define VTCR_PS	   FIELD(18, 16)
#define VTCR_VS	   FIELD(19, 19)
#define VTCR_DS	   FIELD(32, 32)
#define VTCR_SL2   FIELD(33, 33)
/* D24.2.180, VTTBR_EL2: BADDR; bits [5:2] are PA[51:48] where PS says 52 bits */
#define VTTBR_BADDR    FIELD64(47, 1)
#define VTTBR_BADDR_52 FIELD64(5, 2)
/* D24.2.48, HCR_EL2 */
#define HCR_VM FIELD(0, 0)

#define SH_RESERVED 1
#define PS_52	    6

/* Output bits by VTCR_EL2.PS (table D8-8); 0: reserved. */
static uint8_t output_bits(uint64_t ps, uint8_t granule_lg2)
{
	static const uint8_t bits[8] = { 32, 36, 40, 42, 44, 48, 52, 0 };

	/* 52 bits in 4K and 16K granules take VTCR_EL2.DS. */
	if (ps == PS_52 && granule_lg2 != 16)
		return 48;
	return bits[ps];
}

/* Levels by VTCR_EL2.SL0 (D24.2.179); 0: reserved without DS. */
static uint8_t levels(uint64_t sl0, uint8_t granule_lg2)
{
	static const uint8_t of_4k[4] = { 2, 3, 4, 1 };
	static const uint8_t of_16k_64k[4] = { 1, 2, 3, 0 };

	return granule_lg2 == 12 ? of_4k[sl0] : of_16k_64k[sl0];
}

/*
 * Bytes of the root as a power of two; 0: the start level doesn't go with the
 * input size. Up to 16 tables are concatenated (D8.2.2).
 */
static uint32_t root_lg2(const struct iommuabs_p2m *p2m)
{
	uint32_t stride = p2m->granule_lg2 - 3u;
	uint32_t below = p2m->granule_lg2 + stride * (p2m->levels - 1u);

	if (p2m->input_bits <= below || p2m->input_bits > below + stride + 4)
		return 0;
	return p2m->input_bits - below + 3;
}

static int root_get(uint64_t vttbr, uint64_t ps, struct iommuabs_p2m *p2m)
{
	uint32_t lg2 = root_lg2(p2m);

	if (!lg2)
		return IOMMUABS_E_INVAL;
	p2m->root = vttbr & VTTBR_BADDR;
	if (ps == PS_52 && p2m->granule_lg2 == 16) {
		p2m->root &= ~IA_BITS(6);
		p2m->root |= field_get(VTTBR_BADDR_52, vttbr) << 48;
	}
	return p2m->root & IA_BITS(lg2) ? IOMMUABS_E_INVAL : 0;
}

int iommuabs_p2m_from_vtcr(uint64_t vtcr, uint64_t vttbr, uint64_t hcr,
			   struct iommuabs_p2m *p2m)
{
	static const uint8_t granules[4] = { 12, 16, 14, 0 };
	uint64_t ps = field_get(VTCR_PS, vtcr);
	uint64_t t0sz = field_get(VTCR_T0SZ, vtcr);
	struct iommuabs_p2m found = {
		.size = sizeof(found),
		.format = IOMMUABS_P2M_ARM_S2,
		.input_bits = (uint8_t)(64 - t0sz),
		.granule_lg2 = granules[field_get(VTCR_TG0, vtcr)],
		.vmid_bits = vtcr & VTCR_VS ? 16 : 8,
		.walk_attrs = (uint8_t)field_get(VTCR_ATTRS, vtcr),
	};

	if (!p2m || !(hcr & HCR_VM) || (vtcr & (VTCR_DS | VTCR_SL2)) ||
	    !found.granule_lg2 || field_get(VTCR_SH0, vtcr) == SH_RESERVED)
		return IOMMUABS_E_INVAL;
	/* 52 bits of input only with the 64K granule, 16 at the least (D8.2.1). */
	if (t0sz < (found.granule_lg2 == 16 ? 12 : 16) || t0sz > 48)
		return IOMMUABS_E_INVAL;
	found.output_bits = output_bits(ps, found.granule_lg2);
	found.levels = levels(field_get(VTCR_SL0, vtcr), found.granule_lg2);
	if (!found.output_bits || !found.levels || root_get(vttbr, ps, &found))
		return IOMMUABS_E_INVAL;
	*p2m = found;
	return 0;
}

/* Intel SDM 25.6.11, extended-page-table pointer */
#define EPTP_TYPE     FIELD(2, 0)
#define EPTP_TYPE_UC  0
#define EPTP_TYPE_WB  6
#define EPTP_WALK     FIELD(5, 3) /* levels - 1 */
#define EPTP_RESERVED FIELD(11, 8)
#define EPTP_ROOT     FIELD64(51, 12)
#define EPTP_BEYOND   FIELD64(63, 52)

int iommuabs_p2m_from_eptp(uint64_t eptp, struct iommuabs_p2m *p2m)
{
	uint64_t type = field_get(EPTP_TYPE, eptp);
	uint64_t walk = field_get(EPTP_WALK, eptp);
	const struct iommuabs_p2m found = {
		.size = sizeof(found),
		.format = IOMMUABS_P2M_EPT,
		.root = eptp & EPTP_ROOT,
		.input_bits = (uint8_t)(21 + 9 * walk),
		.output_bits = 52,
		.granule_lg2 = 12,
		.levels = (uint8_t)(walk + 1),
	};

	if (!p2m || (type != EPTP_TYPE_UC && type != EPTP_TYPE_WB) ||
	    walk < 3 || walk > 4 || (eptp & (EPTP_RESERVED | EPTP_BEYOND)) ||
	    !found.root)
		return IOMMUABS_E_INVAL;
	*p2m = found;
	return 0;
}

const char *iommuabs_share_reason_text(enum iommuabs_share_reason reason)
{
	static const char texts[][64] = {
		[IOMMUABS_SHARE_OK] = "it can be shared",
		[IOMMUABS_SHARE_NO_P2M] = "the domain has no p2m",
		[IOMMUABS_SHARE_FORMAT] = "the unit reads another table format",
		[IOMMUABS_SHARE_NO_STAGE2] = "the unit has no stage 2",
		[IOMMUABS_SHARE_INPUT_WIDTH] =
			"the unit takes fewer guest address bits",
		[IOMMUABS_SHARE_OUTPUT_WIDTH] =
			"the unit puts out fewer machine address bits",
		[IOMMUABS_SHARE_GRANULE] = "the unit lacks the granule",
		[IOMMUABS_SHARE_LEVELS] =
			"the unit can't start at the p2m's level",
		[IOMMUABS_SHARE_NOT_CLEANED] =
			"the unit doesn't snoop and the p2m isn't cleaned",
		[IOMMUABS_SHARE_DEVICE_ONLY] =
			"there are mappings that the p2m lacks",
		[IOMMUABS_SHARE_IDENTITY] = "the domain has a table of its own",
		[IOMMUABS_SHARE_NO_DRIVER] = "the unit has no driver",
	};

	if (reason >= IA_COUNT(texts))
		return "unknown reason";
	return texts[reason];
}
