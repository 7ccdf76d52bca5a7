/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vtd_regs.h - registers, structures and descriptors of a VT-d unit
 *
 * Intel Virtualization Technology for Directed I/O, architecture specification
 * (order number D51397), revision 4.1: registers chapter 11, structures chapter
 * 9, invalidation descriptors 6.5.2. Only what the driver uses.
 */
#ifndef IOMMUABS_VTD_VTD_REGS_H
#define IOMMUABS_VTD_VTD_REGS_H

#include "../../host/hostif.h"

#define VTD_REGS_LENGTH 0x1000 /* the least: 11.1 */

/* Fields stand under their register, as the manual prints them. */
/* clang-format off */

/* ---- registers ---- */

#define VTD_VER			REG32(0x000)
#define   VTD_VER_MAX		FIELD(7, 4)
#define   VTD_VER_MIN		FIELD(3, 0)
#define VTD_CAP			REG64(0x008)
#define   VTD_CAP_ND		FIELD(2, 0)
#define   VTD_CAP_RWBF		FIELD(4, 4)
#define   VTD_CAP_PLMR		FIELD(5, 5)
#define   VTD_CAP_PHMR		FIELD(6, 6)
#define   VTD_CAP_CM		FIELD(7, 7)
#define   VTD_CAP_SAGAW		FIELD(12, 8)
#define   VTD_CAP_MGAW		FIELD(21, 16)
#define   VTD_CAP_FRO		FIELD(33, 24)
#define   VTD_CAP_SLLPS		FIELD(37, 34)
#define     VTD_SLLPS_2M	1 /* bits of the field */
#define     VTD_SLLPS_1G	2
#define   VTD_CAP_PSI		FIELD(39, 39)
#define   VTD_CAP_NFR		FIELD(47, 40)
#define   VTD_CAP_MAMV		FIELD(53, 48)
#define   VTD_CAP_DWD		FIELD(54, 54)
#define   VTD_CAP_DRD		FIELD(55, 55)
#define   VTD_CAP_PI		FIELD(59, 59)
#define VTD_ECAP		REG64(0x010)
#define   VTD_ECAP_C		FIELD(0, 0)
#define   VTD_ECAP_QI		FIELD(1, 1)
#define   VTD_ECAP_DT		FIELD(2, 2)
#define   VTD_ECAP_IR		FIELD(3, 3)
#define   VTD_ECAP_EIM		FIELD(4, 4)
#define   VTD_ECAP_SC		FIELD(7, 7)
#define   VTD_ECAP_IRO		FIELD(17, 8)
#define   VTD_ECAP_DIT		FIELD(41, 41)
#define   VTD_ECAP_SMTS		FIELD(43, 43)
#define   VTD_ECAP_SSTS		FIELD(46, 46)
#define   VTD_ECAP_SMPWCS	FIELD(48, 48)
#define VTD_GCMD		REG32(0x018) /* write only; state is in GSTS */
#define VTD_GSTS		REG32(0x01c)
#define   VTD_GCMD_TE		FIELD(31, 31)
#define   VTD_GCMD_SRTP		FIELD(30, 30) /* one-shot */
#define   VTD_GCMD_WBF		FIELD(27, 27) /* one-shot */
#define   VTD_GCMD_QIE		FIELD(26, 26)
#define   VTD_GCMD_IRE		FIELD(25, 25)
#define   VTD_GCMD_SIRTP	FIELD(24, 24) /* one-shot */
#define   VTD_GCMD_CFI		FIELD(23, 23)
#define   VTD_GSTS_KEPT		0x96ffffffu   /* without the one-shot ones */
#define VTD_RTADDR		REG64(0x020)
#define   VTD_RTADDR_TTM	FIELD(11, 10)
#define     VTD_TTM_LEGACY	0
#define     VTD_TTM_SCALABLE	1
#define VTD_CCMD		REG64(0x028)
#define   VTD_CCMD_ICC		FIELD64(63, 63)
#define   VTD_CCMD_CIRG		FIELD64(62, 61)
#define   VTD_CCMD_SID		FIELD(31, 16)
#define   VTD_CCMD_DID		FIELD(15, 0)
#define VTD_CCMD_HIGH		REG32(0x02c) /* the upper half */
#define   VTD_CCMD_HIGH_ICC	((uint32_t)FIELD(31, 31))
#define VTD_FSTS		REG32(0x034)
#define   VTD_FSTS_PFO		FIELD(0, 0)
#define   VTD_FSTS_PPF		FIELD(1, 1)
#define   VTD_FSTS_IQE		FIELD(4, 4)
#define   VTD_FSTS_ICE		FIELD(5, 5)
#define   VTD_FSTS_ITE		FIELD(6, 6)
#define   VTD_FSTS_FRI		FIELD(15, 8)
#define VTD_FECTL		REG32(0x038)
#define   VTD_FECTL_IM		FIELD(31, 31)
#define VTD_FEDATA		REG32(0x03c)
#define VTD_FEADDR		REG32(0x040)
#define VTD_FEUADDR		REG32(0x044)
#define VTD_PMEN		REG32(0x064)
#define   VTD_PMEN_EPM		FIELD(31, 31)
#define   VTD_PMEN_PRS		FIELD(0, 0)
#define VTD_IQH			REG64(0x080)
#define VTD_IQT			REG64(0x088)
#define VTD_IQA			REG64(0x090)
#define   VTD_IQA_DW		FIELD(11, 11) /* descriptors of 256 bits */
#define   VTD_IQA_QS		FIELD(2, 0)
#define VTD_ICS			REG32(0x09c)
#define   VTD_ICS_IWC		FIELD(0, 0) /* cleared by a one */
#define VTD_IECTL		REG32(0x0a0)
#define   VTD_IECTL_IM		FIELD(31, 31)
#define VTD_IRTA		REG64(0x0b8)
#define   VTD_IRTA_EIME		FIELD(11, 11)
#define   VTD_IRTA_S		FIELD(3, 0)
#define VTD_FRCD_LENGTH		16 /* from CAP.FRO * 16 */
#define   VTD_FRCD_FI		FIELD64(63, 12)
#define   VTD_FRCD_F		FIELD64(63, 63) /* of the upper 64 bits, as below */
#define   VTD_FRCD_T1		FIELD(62, 62)
#define   VTD_FRCD_PV		FIELD(59, 40)
#define   VTD_FRCD_FR		FIELD(39, 32)
#define   VTD_FRCD_PP		FIELD(31, 31)
#define   VTD_FRCD_SID		FIELD(15, 0)
#define VTD_IVA_LENGTH		8 /* from ECAP.IRO * 16; IOTLB follows */
#define   VTD_IVA_IH		FIELD(6, 6)
#define   VTD_IVA_AM		FIELD(5, 0)
#define   VTD_IVA_ADDR		FIELD64(63, 12)
#define   VTD_IOTLB_IVT		FIELD64(63, 63)
#define   VTD_IOTLB_IIRG	FIELD(61, 60)
#define   VTD_IOTLB_DR		FIELD(49, 49)
#define   VTD_IOTLB_DW		FIELD(48, 48)
#define   VTD_IOTLB_DID		FIELD(47, 32)
#define   VTD_IOTLB_HIGH_IVT	((uint32_t)FIELD(31, 31)) /* of the upper half */

/* A unit that is gone reads as all ones. */
#define VTD_NO_ANSWER 0xffffffffu

/* Granularities: CCMD.CIRG, IOTLB.IIRG and the descriptors' G have the same. */
#define VTD_G_GLOBAL 1
#define VTD_G_DOMAIN 2
#define VTD_G_FINEST 3 /* a device, or pages */

/* ---- invalidation descriptors (6.5.2) ---- */

#define VTD_DESC_TYPE		FIELD(3, 0)
#define   VTD_DESC_CONTEXT	1
#define   VTD_DESC_IOTLB	2
#define   VTD_DESC_DEVICE_TLB	3
#define   VTD_DESC_IEC		4
#define   VTD_DESC_WAIT		5
#define   VTD_DESC_PASID	7
#define VTD_DESC_G		FIELD(5, 4)
#define   VTD_PASID_G_DOMAIN	0 /* 6.5.2.4 counts otherwise */
#define   VTD_PASID_G_GLOBAL	3
#define VTD_DESC_DID		FIELD(31, 16)
#define VTD_CONTEXT_SID		FIELD(47, 32)
#define VTD_IOTLB_DESC_DW	FIELD(6, 6)
#define VTD_IOTLB_DESC_DR	FIELD(7, 7)
#define VTD_DEVICE_TLB_PFSID_LOW	FIELD(15, 12)
#define VTD_DEVICE_TLB_MIP	FIELD(20, 16)
#define VTD_DEVICE_TLB_SID	FIELD(47, 32)
#define VTD_DEVICE_TLB_PFSID_HIGH	FIELD64(63, 52)
#define VTD_DEVICE_TLB_S	FIELD(0, 0) /* of the upper 64 bits */
#define VTD_IEC_BY_INDEX	FIELD(4, 4)
#define VTD_IEC_INDEX		FIELD(47, 32)
#define VTD_WAIT_IF		FIELD(4, 4)
#define VTD_WAIT_SW		FIELD(5, 5)
#define VTD_WAIT_FN		FIELD(6, 6)
#define VTD_WAIT_SDATA		FIELD64(63, 32)

/* ---- structures (chapter 9) ---- */

#define VTD_ENTRY_P		FIELD(0, 0)
#define VTD_ENTRY_FPD		FIELD(1, 1) /* counts if P is 0, too */
#define VTD_ENTRY_ADDRESS	FIELD64(63, 12)

/* 9.3: context entry of legacy mode, two words */
#define VTD_CTX0_TT		FIELD(3, 2)
#define   VTD_TT_UNTRANSLATED	0 /* of requests: they get translated, no other */
#define   VTD_TT_ATS		1 /* these, and what ATS knows */
#define VTD_CTX1_AW		FIELD(2, 0)
#define VTD_CTX1_DID		FIELD(23, 8)

/* 9.4: of scalable mode, four words; its FPD and directory are as above */
#define VTD_SCTX0_DTE		FIELD(2, 2) /* what ATS knows, too */
#define VTD_SCTX0_PDTS		FIELD(11, 9)

/* 9.6: PASID-table entry, eight words */
#define VTD_PASID_WORDS		8
#define VTD_PASID0_AW		FIELD(4, 2)
#define VTD_PASID0_PGTT		FIELD(8, 6)
#define   VTD_PGTT_SECOND	2
#define VTD_PASID1_DID		FIELD(15, 0)
#define VTD_PASID1_PWSNP	FIELD(23, 23)
#define VTD_PASID1_PGSNP	FIELD(24, 24)

/* 9.10, 9.11: interrupt remapping table entry, two words */
#define VTD_IRTE0_P		FIELD(0, 0)
#define VTD_IRTE0_DM		FIELD(2, 2)
#define VTD_IRTE0_RH		FIELD(3, 3)
#define VTD_IRTE0_TM		FIELD(4, 4)
#define VTD_IRTE0_DLM		FIELD(7, 5)
#define VTD_IRTE0_URG		FIELD(14, 14)
#define VTD_IRTE0_IM		FIELD(15, 15) /* posted */
#define VTD_IRTE0_VECTOR	FIELD(23, 16)
#define VTD_IRTE0_DST		FIELD64(63, 32)
#define VTD_IRTE0_PDA_LOW	FIELD64(63, 38)
#define VTD_IRTE1_SID		FIELD(15, 0)
#define VTD_IRTE1_SVT		FIELD(19, 18)
#define   VTD_SVT_ID		1
#define   VTD_SVT_BUSES		2 /* SID: the first bus and the last */
#define VTD_IRTE1_PDA_HIGH	FIELD64(63, 32)

/* clang-format on */

/* 9.3, AW: three levels are 1, and so on; a level is 9 bits, a page 12. */
#define VTD_AW_OF_LEVELS(levels)   ((levels)-2u)
#define VTD_BITS_OF_LEVELS(levels) (12u + 9u * (levels))

#endif
