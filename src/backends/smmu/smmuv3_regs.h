/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smmuv3_regs.h - registers, commands, events and structures of an SMMUv3
 *
 * Arm IHI 0070: registers 6.3, stream table entries 5.2, commands chapter 4,
 * event records 7.3. Only what the driver uses.
 */
#ifndef IOMMUABS_SMMU_SMMUV3_REGS_H
#define IOMMUABS_SMMU_SMMUV3_REGS_H

#include "../../host/hostif.h"

#define SMMU_REGS_LENGTH 0x20000 /* page 0 and page 1, 64 KiB each (6.1) */
#define SMMU_PAGE1	 0x10000

/* Fields stand under their register, as the manual prints them. */
/* clang-format off */

/* ---- registers ---- */

#define SMMU_IDR0		REG32(0x0000)
#define   SMMU_IDR0_S2P		FIELD(0, 0)
#define   SMMU_IDR0_S1P		FIELD(1, 1)
#define   SMMU_IDR0_TTF		FIELD(3, 2)
#define     SMMU_TTF_AARCH64	2 /* bit of the field: 2 or 3 */
#define   SMMU_IDR0_COHACC	FIELD(4, 4)
#define   SMMU_IDR0_BTM		FIELD(5, 5)
#define   SMMU_IDR0_HYP		FIELD(9, 9)
#define   SMMU_IDR0_ATS		FIELD(10, 10)
#define   SMMU_IDR0_ASID16	FIELD(12, 12)
#define   SMMU_IDR0_MSI		FIELD(13, 13)
#define   SMMU_IDR0_VMID16	FIELD(18, 18)
#define   SMMU_IDR0_TTENDIAN	FIELD(22, 21)
#define     SMMU_TTENDIAN_BIG	3
#define   SMMU_IDR0_STALL_MODEL FIELD(25, 24)
#define     SMMU_STALL_FORCED	2
#define   SMMU_IDR0_ST_LEVEL	FIELD(28, 27)
#define SMMU_IDR1		REG32(0x0004)
#define   SMMU_IDR1_SIDSIZE	FIELD(5, 0)
#define   SMMU_IDR1_EVENTQS	FIELD(20, 16)
#define   SMMU_IDR1_CMDQS	FIELD(25, 21)
#define   SMMU_IDR1_ATTR_TYPES_OVR FIELD(27, 27)
#define   SMMU_IDR1_REL		FIELD(28, 28)
#define   SMMU_IDR1_QUEUES_PRESET FIELD(29, 29)
#define   SMMU_IDR1_TABLES_PRESET FIELD(30, 30)
#define SMMU_IDR3		REG32(0x000c)
#define   SMMU_IDR3_RIL		FIELD(10, 10)
#define   SMMU_IDR3_BBML	FIELD(12, 11)
#define SMMU_IDR5		REG32(0x0014)
#define   SMMU_IDR5_OAS		FIELD(2, 0)
#define   SMMU_IDR5_GRAN4K	FIELD(4, 4)
#define   SMMU_IDR5_GRAN16K	FIELD(5, 5)
#define   SMMU_IDR5_GRAN64K	FIELD(6, 6)
#define   SMMU_IDR5_DS		FIELD(7, 7)
#define   SMMU_IDR5_VAX		FIELD(11, 10)
#define     SMMU_VAX_52		1
#define SMMU_IIDR		REG32(0x0018)
#define SMMU_AIDR		REG32(0x001c)
#define   SMMU_AIDR_ARCH_MAJOR	FIELD(7, 4) /* 0: SMMUv3 */
#define   SMMU_AIDR_ARCH_MINOR	FIELD(3, 0)
#define SMMU_CR0		REG32(0x0020) /* acknowledged in CR0ACK */
#define   SMMU_CR0_SMMUEN	FIELD(0, 0)
#define   SMMU_CR0_EVENTQEN	FIELD(2, 2)
#define   SMMU_CR0_CMDQEN	FIELD(3, 3)
#define   SMMU_CR0_ATSCHK	FIELD(4, 4)
#define SMMU_CR0ACK		REG32(0x0024)
#define SMMU_CR1		REG32(0x0028)
#define   SMMU_CR1_QUEUE_IC	FIELD(1, 0)
#define   SMMU_CR1_QUEUE_OC	FIELD(3, 2)
#define   SMMU_CR1_QUEUE_SH	FIELD(5, 4)
#define   SMMU_CR1_TABLE_IC	FIELD(7, 6)
#define   SMMU_CR1_TABLE_OC	FIELD(9, 8)
#define   SMMU_CR1_TABLE_SH	FIELD(11, 10)
#define     SMMU_CACHE_WB	1
#define     SMMU_SH_ISH		3
#define SMMU_CR2		REG32(0x002c)
#define   SMMU_CR2_RECINVSID	FIELD(1, 1)
#define   SMMU_CR2_PTM		FIELD(2, 2)
#define SMMU_GBPA		REG32(0x0044)
#define   SMMU_GBPA_ABORT	FIELD(20, 20)
#define   SMMU_GBPA_UPDATE	FIELD(31, 31)
#define SMMU_IRQ_CTRL		REG32(0x0050) /* acknowledged in IRQ_CTRLACK */
#define   SMMU_IRQ_CTRL_GERROR	FIELD(0, 0)
#define   SMMU_IRQ_CTRL_EVENTQ	FIELD(2, 2)
#define SMMU_IRQ_CTRLACK	REG32(0x0054)
#define SMMU_GERROR		REG32(0x0060) /* active: differs from GERRORN */
#define   SMMU_GERROR_CMDQ_ERR	FIELD(0, 0)
#define   SMMU_GERROR_EVENTQ_ABT_ERR FIELD(2, 2)
#define   SMMU_GERROR_PRIQ_ABT_ERR FIELD(3, 3)
#define   SMMU_GERROR_MSI_CMDQ_ABT_ERR FIELD(4, 4)
#define   SMMU_GERROR_MSI_EVENTQ_ABT_ERR FIELD(5, 5)
#define   SMMU_GERROR_MSI_PRIQ_ABT_ERR FIELD(6, 6)
#define   SMMU_GERROR_MSI_GERROR_ABT_ERR FIELD(7, 7)
#define   SMMU_GERROR_SFM_ERR	FIELD(8, 8)
#define SMMU_GERRORN		REG32(0x0064)
#define SMMU_GERROR_IRQ_CFG0	REG64(0x0068) /* address, 0: by wire */
#define   SMMU_IRQ_CFG0_ADDR	FIELD(55, 2)
#define SMMU_GERROR_IRQ_CFG1	REG32(0x0070) /* data */
#define SMMU_GERROR_IRQ_CFG2	REG32(0x0074)
#define   SMMU_IRQ_CFG2_MEMATTR	FIELD(3, 0)
#define     SMMU_MEMATTR_DEVICE	1 /* Device-nGnRE */
#define SMMU_STRTAB_BASE	REG64(0x0080)
#define   SMMU_STRTAB_BASE_RA	FIELD(62, 62)
#define SMMU_STRTAB_BASE_CFG	REG32(0x0088)
#define   SMMU_STRTAB_BASE_CFG_LOG2SIZE FIELD(5, 0)
#define   SMMU_STRTAB_BASE_CFG_SPLIT	FIELD(10, 6)
#define   SMMU_STRTAB_BASE_CFG_FMT	FIELD(17, 16)
#define     SMMU_FMT_LINEAR	0
#define     SMMU_FMT_2LEVEL	1
#define SMMU_CMDQ_BASE		REG64(0x0090) /* LOG2SIZE in bits 4:0 */
#define   SMMU_CMDQ_BASE_RA	FIELD(62, 62)
#define SMMU_CMDQ_PROD		REG32(0x0098)
#define SMMU_CMDQ_CONS		REG32(0x009c)
#define   SMMU_CMDQ_CONS_ERR	FIELD(30, 24) /* stays when acknowledged */
#define     SMMU_CERROR_ABT	2	      /* 7.1 */
#define     SMMU_CERROR_ATC_INV_SYNC 3
#define SMMU_EVENTQ_BASE	REG64(0x00a0) /* LOG2SIZE in bits 4:0 */
#define   SMMU_EVENTQ_BASE_WA	FIELD(62, 62)
#define SMMU_EVENTQ_IRQ_CFG0	REG64(0x00b0)
#define SMMU_EVENTQ_IRQ_CFG1	REG32(0x00b8)
#define SMMU_EVENTQ_IRQ_CFG2	REG32(0x00bc)
#define SMMU_EVENTQ_PROD	REG32(0x100a8)
#define   SMMU_EVENTQ_PROD_OVFLG FIELD(31, 31)
#define SMMU_EVENTQ_CONS	REG32(0x100ac)

/* What a unit that doesn't answer reads as. */
#define SMMU_NO_ANSWER (~(uint32_t)0)

/* ---- level 1 stream table descriptor (5.1) ---- */

#define L1STD_SPAN  FIELD(4, 0) /* 0: no table; n: 1 << (n - 1) entries */
#define L1STD_L2PTR FIELD(55, 6)

/* ---- stream table entry (5.2): 8 words; the fields by word ---- */

#define STE_LG2	  6
#define STE_WORDS 8

#define STE0_V		FIELD(0, 0)
#define STE0_CONFIG	FIELD(3, 1)
#define   STE_CONFIG_ABORT  0
#define   STE_CONFIG_BYPASS 4
#define   STE_CONFIG_S1	    5 /* stage 1 translates, stage 2 bypass */
#define   STE_CONFIG_S2	    6 /* stage 1 bypass, stage 2 translates */
#define STE0_S1CONTEXTPTR FIELD(55, 6) /* S1CDMax 63:59 is 0: one CD, no PASID */
#define STE1_S1CIR	FIELD(3, 2)
#define STE1_S1COR	FIELD(5, 4)
#define STE1_S1CSH	FIELD(7, 6)
#define STE1_EATS	FIELD(29, 28)
#define   STE_EATS_FULL	    1
#define STE1_SHCFG	FIELD(45, 44)
#define   STE_SHCFG_INCOMING 1
#define STE2_S2VMID	FIELD(15, 0)
#define STE2_S2T0SZ	FIELD(37, 32)
#define STE2_S2SL0	FIELD(39, 38)
#define STE2_S2IR0	FIELD(41, 40)
#define STE2_S2OR0	FIELD(43, 42)
#define STE2_S2SH0	FIELD(45, 44)
#define   STE2_S2WALK	FIELD(45, 40) /* the three above, as in VTCR_EL2[13:8] */
#define STE2_S2TG	FIELD(47, 46)
#define   STE_S2TG_4K	0
#define   STE_S2TG_64K	1
#define   STE_S2TG_16K	2
#define STE2_S2PS	FIELD(50, 48)
#define STE2_S2AA64	FIELD(51, 51)
#define STE2_S2S	FIELD(57, 57)
#define STE2_S2R	FIELD(58, 58)
#define STE2_S2_REST	(~(STE2_S2VMID | STE2_S2R)) /* geometry */
#define STE3_S2SL0_2	FIELD(2, 2) /* with S2DS: bit 2 of S2SL0 */
#define STE3_S2DS	FIELD(3, 3)
#define STE3_S2TTB	FIELD(51, 4)

/* ---- context descriptor (5.4): 8 words; the fields by word ---- */

#define CD_LG2	 6
#define CD_WORDS 8

#define CD0_T0SZ	FIELD(5, 0)
#define CD0_TG0		FIELD(7, 6) /* as STE2_S2TG */
#define CD0_WALK	FIELD(13, 8) /* IR0, OR0, SH0, as in TCR_EL1[13:8] */
#define CD0_EPD1	FIELD(30, 30)
#define CD0_V		FIELD(31, 31)
#define CD0_IPS		FIELD(34, 32)
#define CD0_AA64	FIELD(41, 41)
#define CD0_S		FIELD(44, 44)
#define CD0_R		FIELD(45, 45)
#define CD0_A		FIELD(46, 46)
#define CD0_ASET	FIELD(47, 47)
#define CD0_ASID	FIELD64(63, 48)
#define CD1_TTB0	FIELD(51, 4)
#define CD2_DS		FIELD(58, 58)
#define CD3_MAIR0	FIELD64(63, 0)

/* ---- commands (chapter 4): 2 words ---- */

#define CMD_OPCODE FIELD(7, 0)

#define CMD_CFGI_STE	   0x03
#define CMD_CFGI_STE_RANGE 0x04 /* CFGI_ALL with the greatest range */
#define   CFGI0_SID	FIELD64(63, 32)
#define   CFGI1_RANGE	FIELD(4, 0) /* 1 << (n + 1) entries */
#define   CFGI1_ALL	31
#define CMD_TLBI_NH_ASID   0x11
#define CMD_TLBI_NH_VA	   0x12
#define   TLBI0_ASID	FIELD64(63, 48)
#define CMD_TLBI_EL2_ALL   0x20
#define CMD_TLBI_S12_VMALL 0x28
#define CMD_TLBI_S2_IPA	   0x2a
#define   TLBI0_NUM	FIELD(16, 12) /* range: (n + 1) << SCALE granules */
#define   TLBI0_SCALE	FIELD(24, 20)
#define   TLBI0_VMID	FIELD(47, 32)
#define   TLBI1_LEAF	FIELD(0, 0)
#define   TLBI1_TG	FIELD(11, 10) /* 0: no range; 1 4K, 2 16K, 3 64K */
#define   TLBI1_ADDRESS	FIELD64(63, 12)
#define CMD_TLBI_NSNH_ALL  0x30
#define CMD_ATC_INV	   0x40
#define   ATC0_SID	FIELD64(63, 32)
#define   ATC1_SIZE	FIELD(5, 0) /* 4 KiB << n; SSV is 0: no PASID */
#define     ATC_SIZE_ALL 52
#define   ATC1_ADDRESS	FIELD64(63, 12)
#define CMD_RESUME	   0x44
#define   RESUME0_ABORT	FIELD(13, 13) /* Ac 0, Ab 1: terminate with abort */
#define   RESUME0_SID	FIELD64(63, 32)
#define   RESUME1_STAG	FIELD(15, 0)
#define CMD_STALL_TERM	   0x45
#define   TERM0_SID	FIELD64(63, 32)
#define CMD_SYNC	   0x46 /* CS 0: completion shows in CONS */

#define CMD_LG2 4

/* ---- event records (7.3): 4 words ---- */

#define EVENT0_ID	FIELD(7, 0)
#define   EVENT_F_UUT	       0x01
#define   EVENT_C_BAD_STREAMID 0x02
#define   EVENT_F_STE_FETCH    0x03
#define   EVENT_C_BAD_STE      0x04
#define   EVENT_F_BAD_ATS_TREQ 0x05
#define   EVENT_F_STREAM_DISABLED 0x06
#define   EVENT_F_TRANSL_FORBIDDEN 0x07
#define   EVENT_C_BAD_SUBSTREAMID 0x08
#define   EVENT_F_CD_FETCH     0x09
#define   EVENT_C_BAD_CD       0x0a
#define   EVENT_F_WALK_EABT    0x0b
#define   EVENT_F_TRANSLATION  0x10
#define   EVENT_F_ADDR_SIZE    0x11
#define   EVENT_F_ACCESS       0x12
#define   EVENT_F_PERMISSION   0x13
#define   EVENT_F_TLB_CONFLICT 0x20
#define   EVENT_F_CFG_CONFLICT 0x21
#define   EVENT_E_PAGE_REQUEST 0x24
#define   EVENT_F_VMS_FETCH    0x25
#define EVENT0_SID	FIELD64(63, 32)
#define EVENT1_STAG	FIELD(15, 0)
#define EVENT1_STALL	FIELD(31, 31)
#define EVENT1_RNW	FIELD(35, 35)

#define EVENT_LG2   5
#define EVENT_WORDS 4

/* clang-format on */

#endif
