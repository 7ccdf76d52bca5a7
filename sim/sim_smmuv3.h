/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_smmuv3.h - an Arm SMMUv3: the manual's numbers, and the model's state
 *
 * Section numbers are those of Arm IHI 0070 unless they say "Arm ARM" (DDI 0487).
 * Transcribed from the manual for the models alone, so that a slip in the
 * library's own transcription shows.
 */
#ifndef SIM_SMMUV3_H
#define SIM_SMMUV3_H

#include "sim_unit.h"

/* 6.2.1, 6.2.2: offsets of registers. Those without a width are 32 bits wide. */
enum {
	R_IDR0 = 0x00,
	R_IDR1 = 0x04,
	R_IDR2 = 0x08,
	R_IDR3 = 0x0c,
	R_IDR4 = 0x10,
	R_IDR5 = 0x14,
	R_IIDR = 0x18,
	R_AIDR = 0x1c,
	R_CR0 = 0x20,
	R_CR0ACK = 0x24,
	R_CR1 = 0x28,
	R_CR2 = 0x2c,
	R_STATUSR = 0x40,
	R_GBPA = 0x44,
	R_AGBPA = 0x48,
	R_IRQ_CTRL = 0x50,
	R_IRQ_CTRLACK = 0x54,
	R_GERROR = 0x60,
	R_GERRORN = 0x64,
	R_GERROR_IRQ_CFG0 = 0x68, /* 64 bits */
	R_GERROR_IRQ_CFG1 = 0x70,
	R_GERROR_IRQ_CFG2 = 0x74,
	R_STRTAB_BASE = 0x80, /* 64 bits */
	R_STRTAB_BASE_CFG = 0x88,
	R_CMDQ_BASE = 0x90, /* 64 bits */
	R_CMDQ_PROD = 0x98,
	R_CMDQ_CONS = 0x9c,
	R_EVENTQ_BASE = 0xa0,	  /* 64 bits */
	R_EVENTQ_IRQ_CFG0 = 0xb0, /* 64 bits */
	R_EVENTQ_IRQ_CFG1 = 0xb8,
	R_EVENTQ_IRQ_CFG2 = 0xbc,
	R_PRIQ_BASE = 0xc0,	/* 64 bits */
	R_PRIQ_IRQ_CFG0 = 0xd0, /* 64 bits */
	R_PRIQ_IRQ_CFG1 = 0xd8,
	R_PRIQ_IRQ_CFG2 = 0xdc,
	R_ID_REGS = 0xfd0, /* to 0xffc */
	R_EVENTQ_PROD = 0x100a8,
	R_EVENTQ_CONS = 0x100ac,
	R_PRIQ_PROD = 0x100c8,
	R_PRIQ_CONS = 0x100cc,
	R_PAGE1 = 0x10000,
	R_SIZE = 0x20000,
};

/* 6.3.1 IDR0 */
#define IDR0_S2P	 BIT64(0)
#define IDR0_S1P	 BIT64(1)
#define IDR0_TTF_AA64	 BIT64(3)
#define IDR0_COHACC	 BIT64(4)
#define IDR0_BTM	 BIT64(5)
#define IDR0_HYP	 BIT64(9)
#define IDR0_ATS	 BIT64(10)
#define IDR0_ASID16	 BIT64(12)
#define IDR0_MSI	 BIT64(13)
#define IDR0_SEV	 BIT64(14)
#define IDR0_PRI	 BIT64(16)
#define IDR0_VMID16	 BIT64(18)
#define IDR0_CD2L	 BIT64(19)
#define IDR0_TTENDIAN_LE ((uint64_t)2 << 21)
#define IDR0_STALL(n)	 ((uint64_t)(n) << 24)
#define IDR0_TERM_MODEL	 BIT64(26)
#define IDR0_ST_2LEVEL	 BIT64(27)

/* 6.3.2 IDR1 */
#define IDR1_SIDSIZE(n)	    ((uint64_t)(n))
#define IDR1_SSIDSIZE(n)    ((uint64_t)(n) << 6)
#define IDR1_PRIQS(n)	    ((uint64_t)(n) << 11)
#define IDR1_EVENTQS(n)	    ((uint64_t)(n) << 16)
#define IDR1_CMDQS(n)	    ((uint64_t)(n) << 21)
#define IDR1_ATTR_PERMS_OVR BIT64(26)
#define IDR1_ATTR_TYPES_OVR BIT64(27)

/* 6.3.4 IDR3 */
#define IDR3_HAD     BIT64(2)
#define IDR3_XNX     BIT64(4)
#define IDR3_FWB     BIT64(8)
#define IDR3_STT     BIT64(9)
#define IDR3_RIL     BIT64(10)
#define IDR3_BBML(n) ((uint64_t)(n) << 11)

/* 6.3.6 IDR5 */
#define IDR5_GRAN4K	  BIT64(4)
#define IDR5_GRAN16K	  BIT64(5)
#define IDR5_GRAN64K	  BIT64(6)
#define IDR5_DS		  BIT64(7)
#define IDR5_VAX52	  BIT64(10)
#define IDR5_STALL_MAX(n) ((uint64_t)(n) << 16)

/* 6.3.9 CR0, 6.3.10 CR0ACK */
#define CR0_SMMUEN   BIT64(0)
#define CR0_PRIQEN   BIT64(1)
#define CR0_EVENTQEN BIT64(2)
#define CR0_CMDQEN   BIT64(3)
#define CR0_ATSCHK   BIT64(4)

/* 6.3.11 CR1, 6.3.12 CR2 */
#define CR1_QUEUE     MASK64(5, 0)
#define CR1_TABLE     MASK64(11, 6)
#define CR2_E2H	      BIT64(0)
#define CR2_RECINVSID BIT64(1)
#define CR2_PTM	      BIT64(2)

/* 6.3.14 GBPA */
#define GBPA_UPDATE BIT64(31)
#define GBPA_ABORT  BIT64(20)
#define GBPA_KNOWN  (MASK64(20, 16) | MASK64(13, 8) | MASK64(4, 0))

/* 6.3.16 IRQ_CTRL */
#define IRQ_GERROR BIT64(0)
#define IRQ_PRIQ   BIT64(1)
#define IRQ_EVENTQ BIT64(2)

/* 6.3.18 GERROR */
#define GERROR_CMDQ	      BIT64(0)
#define GERROR_EVENTQ_ABT     BIT64(2)
#define GERROR_PRIQ_ABT	      BIT64(3)
#define GERROR_MSI_CMDQ_ABT   BIT64(4)
#define GERROR_MSI_EVENTQ_ABT BIT64(5)
#define GERROR_MSI_PRIQ_ABT   BIT64(6)
#define GERROR_MSI_GERROR_ABT BIT64(7)
#define GERROR_SFM	      BIT64(8)

/* 6.3.24, 6.3.25 STRTAB_BASE, STRTAB_BASE_CFG */
#define STRTAB_BASE_ADDR       MASK64(55, 6)
#define STRTAB_BASE_RA	       BIT64(62)
#define STRTAB_CFG_LOG2SIZE(v) ((unsigned int)FIELD(v, 5, 0))
#define STRTAB_CFG_SPLIT(v)    ((unsigned int)FIELD(v, 10, 6))
#define STRTAB_CFG_FMT(v)      ((unsigned int)FIELD(v, 17, 16))
#define STRTAB_CFG_FMT_2LEVEL  1

/* 6.3.26 CMDQ_BASE and the like */
#define Q_BASE_ADDR	   MASK64(55, 5)
#define Q_BASE_LOG2SIZE(v) ((unsigned int)FIELD(v, 4, 0))
#define CMD_LG2		   4u
#define EVENT_LG2	   5u
#define Q_OVFLG		   BIT64(31)
#define CMDQ_CONS_ERR(e)   ((uint64_t)(e) << 24)

/* 7.1 */
enum { CERROR_NONE, CERROR_ILL, CERROR_ABT, CERROR_ATC_INV_SYNC };

/* 4.1.1 */
enum {
	CMD_PREFETCH_CONFIG = 0x01,
	CMD_PREFETCH_ADDR = 0x02,
	CMD_CFGI_STE = 0x03,
	CMD_CFGI_STE_RANGE = 0x04,
	CMD_CFGI_CD = 0x05,
	CMD_CFGI_CD_ALL = 0x06,
	CMD_TLBI_NH_ALL = 0x10,
	CMD_TLBI_NH_ASID = 0x11,
	CMD_TLBI_NH_VA = 0x12,
	CMD_TLBI_NH_VAA = 0x13,
	CMD_TLBI_EL2_ALL = 0x20,
	CMD_TLBI_EL2_ASID = 0x21,
	CMD_TLBI_EL2_VA = 0x22,
	CMD_TLBI_EL2_VAA = 0x23,
	CMD_TLBI_S12_VMALL = 0x28,
	CMD_TLBI_S2_IPA = 0x2a,
	CMD_TLBI_NSNH_ALL = 0x30,
	CMD_ATC_INV = 0x40,
	CMD_PRI_RESP = 0x41,
	CMD_RESUME = 0x44,
	CMD_STALL_TERM = 0x45,
	CMD_SYNC = 0x46,
};
#define RESUME_RETRY BIT64(12)

/* 7.3 */
enum {
	F_UUT = 0x01,
	C_BAD_STREAMID = 0x02,
	F_STE_FETCH = 0x03,
	C_BAD_STE = 0x04,
	F_BAD_ATS_TREQ = 0x05,
	F_STREAM_DISABLED = 0x06,
	F_TRANSL_FORBIDDEN = 0x07,
	C_BAD_SUBSTREAMID = 0x08,
	F_CD_FETCH = 0x09,
	C_BAD_CD = 0x0a,
	F_WALK_EABT = 0x0b,
	F_TRANSLATION = 0x10,
	F_ADDR_SIZE = 0x11,
	F_ACCESS = 0x12,
	F_PERMISSION = 0x13,
	F_TLB_CONFLICT = 0x20,
};
#define EVENT0_SSV	BIT64(11)
#define EVENT1_STALL	BIT64(31)
#define EVENT1_PNU	BIT64(33)
#define EVENT1_RNW	BIT64(35)
#define EVENT1_S2	BIT64(39)
#define EVENT1_CLASS(c) ((uint64_t)(c) << 40)

/* 8 PRI queue entries; 128 bits */
#define PRI_LG2	   4u
#define PRI0_READ  BIT64(60)
#define PRI0_WRITE BIT64(61)
#define PRI0_LAST  BIT64(62)
#define PRI0_SSV   BIT64(63)

/* 5.1 L1STD */
#define L1STD_SPAN(v)  ((unsigned int)FIELD(v, 4, 0))
#define L1STD_L2PTR    MASK64(55, 6)
#define L1STD_MAX_SPAN 11u

/* 5.2 STE; the field's bit in its word is that in the STE modulo 64 */
#define STE_WORDS	  8u
#define STE_LG2		  6u
#define STE0_V		  BIT64(0)
#define STE0_CONFIG(w)	  ((unsigned int)FIELD(w, 3, 1))
#define STE_CONFIG_BYPASS 4u
#define STE_CONFIG_S1	  1u /* with bit 2 set */
#define STE_CONFIG_S2	  2u
#define STE0_S1FMT(w)	  ((unsigned int)FIELD(w, 5, 4))
#define STE0_S1PTR	  MASK64(55, 6)
#define STE0_S1CDMAX(w)	  ((unsigned int)FIELD(w, 63, 59))
#define STE0_RES0	  MASK64(58, 56)
#define STE1_S1DSS(w)	  ((unsigned int)FIELD(w, 1, 0))
#define STE1_CONT	  MASK64(16, 13)
#define STE1_FWB	  BIT64(25)
#define STE1_S1STALLD	  BIT64(27)
#define STE1_EATS(w)	  ((unsigned int)FIELD(w, 29, 28))
#define STE1_STRW(w)	  ((unsigned int)FIELD(w, 31, 30))
#define STE1_PRIVCFG(w)	  ((unsigned int)FIELD(w, 49, 48))
#define STE1_RES0	  MASK64(43, 41)
#define STE2_VMID(w)	  ((uint16_t)FIELD(w, 15, 0))
#define STE2_T0SZ(w)	  ((unsigned int)FIELD(w, 37, 32))
#define STE2_SL0(w)	  ((unsigned int)FIELD(w, 39, 38))
#define STE2_TG(w)	  ((unsigned int)FIELD(w, 47, 46))
#define STE2_PS(w)	  ((unsigned int)FIELD(w, 50, 48))
#define STE2_AA64	  BIT64(51)
#define STE2_ENDI	  BIT64(52)
#define STE2_AFFD	  BIT64(53)
#define STE2_HD		  BIT64(55)
#define STE2_HA		  BIT64(56)
#define STE2_S		  BIT64(57)
#define STE2_R		  BIT64(58)
#define STE2_RES0	  MASK64(63, 59) /* features that no config offers */
#define STE3_SL0_2	  BIT64(2)
#define STE3_DS		  BIT64(3)
#define STE3_TTB	  MASK64(51, 4)
#define STE3_RES0	  (MASK64(63, 52) | MASK64(1, 0))
/* 5.2.1: fields that may be cached in a TLB, so one VMID has one value. */
#define STE1_TLB STE1_FWB
#define STE2_TLB (MASK64(15, 0) | MASK64(53, 32) | STE2_HD | STE2_HA)
#define STE3_TLB (STE3_TTB | STE3_DS | STE3_SL0_2)
/* What SHCFG and the like set for bypass, and for all. */
#define STE1_ATTRS (MASK64(51, 32))

/* 5.4 CD, in the same way; the half for TTB1 is not modelled */
#define CD_WORDS    8u
#define CD_LG2	    6u
#define CD0_T0SZ(w) ((unsigned int)FIELD(w, 5, 0))
#define CD0_TG0(w)  ((unsigned int)FIELD(w, 7, 6))
#define CD0_EPD0    BIT64(14)
#define CD0_ENDI    BIT64(15)
#define CD0_TTB1    MASK64(29, 16)
#define CD0_EPD1    BIT64(30)
#define CD0_V	    BIT64(31)
#define CD0_IPS(w)  ((unsigned int)FIELD(w, 34, 32))
#define CD0_AFFD    BIT64(35)
#define CD0_TBI0    BIT64(38)
#define CD0_PAN	    BIT64(40)
#define CD0_AA64    BIT64(41)
#define CD0_HD	    BIT64(42)
#define CD0_HA	    BIT64(43)
#define CD0_S	    BIT64(44)
#define CD0_R	    BIT64(45)
#define CD0_A	    BIT64(46)
#define CD0_ASID(w) ((uint16_t)FIELD(w, 63, 48))
#define CD1_HAD0    BIT64(1)
#define CD1_TTB0    MASK64(51, 4)
#define CD1_RES0    (MASK64(59, 52) | MASK64(3, 2))
#define CD2_DS	    BIT64(58)
#define CD2_RES0    (MASK64(59, 59) | MASK64(57, 52) | MASK64(3, 2))
/* Fields that may be cached in a TLB: all but A, R, S and V. */
#define CD0_TLB (~(CD0_A | CD0_R | CD0_S | CD0_V | CD0_TTB1))
#define CD1_TLB (CD1_TTB0 | CD1_HAD0)
#define CD2_TLB CD2_DS

/*
 * Arm ARM D8.3: VMSAv8-64 descriptors. Bits 47:12 hold an address everywhere;
 * bits 51:48 of it are in 15:12 with 64K, in 9:8 and 49:48 with DS.
 */
#define DESC_VALID	  BIT64(0)
#define DESC_TABLE	  BIT64(1) /* at the last level: page */
#define DESC_MEMATTR	  MASK64(5, 2)
#define DESC_ATTRINDX	  MASK64(4, 2)
#define DESC_S2AP_R	  BIT64(6)
#define DESC_S2AP_W	  BIT64(7)
#define DESC_AP_USER	  BIT64(6)
#define DESC_AP_RO	  BIT64(7)
#define DESC_SH		  MASK64(9, 8)
#define DESC_AF		  BIT64(10)
#define DESC_NG		  BIT64(11)
#define DESC_NT		  BIT64(16) /* block only */
#define DESC_CONT	  BIT64(52)
#define DESC_ADDR	  MASK64(47, 12)
#define DESC_APTABLE_PRIV BIT64(61) /* no access for the unprivileged */
#define DESC_APTABLE_RO	  BIT64(62)

/* One page of a stream table. */
struct stream_role {
	struct stream_role *next;
	struct iommuabs_sim_unit *unit;
	bool l1;
	uint32_t
		first; /* StreamID of the first STE, index of the first L1STD */
};

/* One page with context descriptors of a stream. */
struct cd_role {
	struct cd_role *next;
	struct iommuabs_sim_unit *unit;
	struct stream *stream;
	uint64_t table;
	uint32_t nr; /* CDs in all of the table */
};

struct stale_l1 {
	uint32_t index;
	uint64_t l1std;
	bool doomed;
};

/* CDs beyond these are not looked at before they are used. */
#define MAX_TRACKED_CDS 64u
#define MAX_CD_TABLES	4
struct cd_table {
	uint64_t at;
	uint32_t nr;
};

#define MAX_REGIMES 8
/* A stream some STE of which was ever valid, or that a probe looks at. */
struct stream {
	struct stream *next;
	uint32_t sid;
	struct regime *regimes[MAX_REGIMES];
	unsigned int nr_regimes;
	struct cd_table tables[MAX_CD_TABLES];
	unsigned int nr_tables;
	/* The words as of the last CFGI_STE: what the STE was meant to be. */
	uint64_t meant[4];
	bool ats; /* some STE of it lets the device use ATS */
};

struct stalled {
	struct iommuabs_sim_dma dma;
	unsigned int state;
	uint32_t
		known; /* by this STAG + 1 its device knows it; 0: by its own */
};

/* A register whose change is acknowledged later. */
struct update {
	uint64_t value, ack;
	unsigned int reads_left; /* until it is acknowledged */
	uint64_t hangs_until;	 /* virtual time; 0: it doesn't hang */
};

/* What a unit of this kind has besides. */
struct smmuv3 {
	struct iommuabs_sim_smmuv3_config config;
	uint64_t idr0, idr1, idr3, idr5;
	struct update cr0, irq_ctrl, gbpa;
	uint64_t cr1, cr2, gerror, gerrorn;
	uint64_t irq_cfg0[3], irq_cfg1[3], irq_cfg2[3]; /* event, pri, gerror */
	uint64_t strtab_base, strtab_cfg;
	uint64_t cmdq_base, cmdq_prod, cmdq_cons;
	uint64_t eventq_base, eventq_prod, eventq_cons;
	uint64_t priq_base, priq_prod, priq_cons;
	/* command queue */
	bool sync_started;
	unsigned int sync_polls;
	uint64_t sync_hangs_until;
	bool configs_clean,
		tlbs_clean; /* all invalidated since the last reason */
	bool configs_dooming, tlbs_dooming, el2_dooming;
	bool el2_clean;	    /* of what was cached for EL2 before the reset */
	bool configs_empty; /* nothing cached, and disabled since */
	/* caches */
	struct vec stale_stes, stale_l1s, cached_stes;
	struct vec stale_cds, cached_cds, meant_cds;
	struct vec stalled; /* struct stalled */
	uint32_t next_stag;
	struct stream *streams;
	/* planted */
	uint64_t hang_in, hang_until;
	bool hanging;
	uint64_t sync_hang_in, sync_hang_us, sync_delay;
	uint64_t illegal_in, abort_in, event_abort, pri_abort, msi_abort;
	uint64_t conflicts, failed_until;
	uint64_t cr0_ignored_until, gbpa_stuck_until;
};

/* ---- sim_smmuv3_regs.c ---- */
uint64_t smmuv3_read(struct iommuabs_sim_unit *unit, uint32_t offset,
		     unsigned int width);
void smmuv3_write(struct iommuabs_sim_unit *unit, uint32_t offset,
		  unsigned int width, uint64_t value);
bool smmuv3_may_be_enabled(const struct iommuabs_sim_unit *u);
void smmuv3_gerror(struct iommuabs_sim_unit *u, uint64_t bit);
/* In service failure mode (12.3). */
bool smmuv3_failed(const struct iommuabs_sim_unit *u);

/* ---- sim_smmuv3_queues.c ---- */
void smmuv3_run_commands(struct iommuabs_sim_unit *u);
/* 6.3.26: aligned to the queue's size, or to 32 bytes. */
uint64_t smmuv3_queue_at(uint64_t base, unsigned int entry_lg2);

/* ---- sim_smmuv3_events.c ---- */
/* false: it was lost. */
bool smmuv3_record(struct iommuabs_sim_unit *u,
		   const struct iommuabs_sim_dma *dma, const struct outcome *o);
void smmuv3_message(struct iommuabs_sim_unit *u, uint64_t addr, uint32_t data,
		    enum iommuabs_sim_irq irq);
void smmuv3_raise(struct iommuabs_sim_unit *u, enum iommuabs_sim_irq irq);

/* ---- sim_smmuv3_stall.c ---- */
/* @dma stalls, at the piece @at. */
int smmuv3_stall(struct iommuabs_sim_unit *u, struct iommuabs_sim_dma *dma,
		 const struct outcome *o, const struct iommuabs_sim_dma *at);
void smmuv3_retry_held(struct iommuabs_sim_unit *u);
void smmuv3_terminate(struct iommuabs_sim_unit *u, uint32_t sid, bool all);
void smmuv3_resume(struct iommuabs_sim_unit *u, const uint64_t cmd[2]);

/* ---- sim_smmuv3_tlbi.c: what a TLB invalidation is about ---- */
/* Does it apply to an entry of [ipa, + 2^size_lg2)? */
bool smmuv3_tlbi_covers(const struct iommuabs_sim_unit *u,
			const uint64_t cmd[2], const struct tag *tag,
			uint64_t ipa, unsigned int size_lg2);
/* Is it one that names no address? */
bool smmuv3_tlbi_is_wide(const uint64_t cmd[2]);
bool smmuv3_tlbi_legal(const struct iommuabs_sim_unit *u,
		       const uint64_t cmd[2]);
/* Else it aims at nothing; that is a violation. */
bool smmuv3_tlbi_sensible(struct iommuabs_sim_unit *u, const uint64_t cmd[2]);
/* TG, TTL and Leaf make the scope smaller. */
bool smmuv3_tlbi_leaf(const uint64_t cmd[2], const struct leaf *t);
bool smmuv3_tlbi_table(const uint64_t cmd[2], const struct wtable *t);

/* ---- sim_smmuv3_config.c: what an STE and a CD say ---- */
/* NULL: legal; else which rule it breaks. */
const char *smmuv3_ste_illegal(const struct iommuabs_sim_unit *u,
			       const uint64_t ste[4]);
const char *smmuv3_cd_illegal(const struct iommuabs_sim_unit *u,
			      const uint64_t ste[4], const uint64_t cd[4]);
bool smmuv3_ste_is_s1(const uint64_t ste[4]);
bool smmuv3_ste_is_s2(const uint64_t ste[4]);
/* log2 of the CDs it points to; one, without substreams. */
unsigned int smmuv3_cds_lg2(const struct iommuabs_sim_unit *u,
			    const uint64_t ste[4]);
uint64_t smmuv3_cds_at(const struct iommuabs_sim_unit *u,
		       const uint64_t ste[4]);
struct regime *smmuv3_regime_s2(struct iommuabs_sim_unit *u,
				const uint64_t ste[4]);
struct regime *smmuv3_regime_s1(struct iommuabs_sim_unit *u,
				const uint64_t ste[4], const uint64_t cd[4]);

/* ---- sim_smmuv3_fetch.c: all STEs and CDs that may be fetched ---- */
void smmuv3_each_ste(struct iommuabs_sim_unit *u, uint32_t sid, entry_fn fn,
		     void *arg);
/* Of that STE, which reads nothing else. */
void smmuv3_each_cd(struct iommuabs_sim_unit *u, uint32_t sid, uint32_t ssid,
		    const struct entry *ste, entry_fn fn, void *arg);
/* As the CPU stored it last; all zero: there is none. */
void smmuv3_newest_ste(struct iommuabs_sim_unit *u, uint32_t sid,
		       uint64_t w[4]);
void smmuv3_newest_cd(struct iommuabs_sim_unit *u, const uint64_t ste[4],
		      uint32_t ssid, uint64_t w[4]);
unsigned int smmuv3_split(const struct iommuabs_sim_unit *u);
bool smmuv3_two_levels(const struct iommuabs_sim_unit *u);
uint64_t smmuv3_l1_base(const struct iommuabs_sim_unit *u);
uint64_t smmuv3_linear_base(const struct iommuabs_sim_unit *u);

/* ---- sim_smmuv3_streams.c: which regimes a stream may use ---- */
struct stream *smmuv3_find_stream(struct iommuabs_sim_unit *u, uint32_t sid);
struct stream *smmuv3_get_stream(struct iommuabs_sim_unit *u, uint32_t sid);
void smmuv3_atc_leaf(struct iommuabs_sim_unit *u, const struct leaf *t);
void smmuv3_stream_update(struct iommuabs_sim_unit *u, struct stream *s);
void smmuv3_streams_update(struct iommuabs_sim_unit *u);
/* A CFGI for these streams: what they hold now is what was meant. */
void smmuv3_ste_meant(struct iommuabs_sim_unit *u, uint32_t first,
		      uint32_t last);
/* The same for CDs of these streams; @ssid UINT32_MAX: all. */
void smmuv3_cd_meant(struct iommuabs_sim_unit *u, uint32_t first, uint32_t last,
		     uint32_t ssid);

/* ---- sim_smmuv3_strtab.c: which pages hold STEs and CDs ---- */
/* What STRTAB_BASE points to is a stream table from now on. */
void smmuv3_reach_stream_table(struct iommuabs_sim_unit *u);
void smmuv3_link_cds(struct iommuabs_sim_unit *u, struct stream *s,
		     const struct cd_table *table, uint32_t epoch);
void smmuv3_unlink_cds(struct iommuabs_sim_unit *u, struct stream *s,
		       const struct cd_table *table);
/* ---- sim_smmuv3_unit.c ---- */
extern const struct unit_ops smmuv3_ops;
/* SMMUEN is set: what is reached and what may be cached is found anew. */
void smmuv3_restart(struct iommuabs_sim_unit *u);

/* ---- sim_smmuv3_bbm.c: break before make ---- */
void smmuv3_check_store(const struct role *role, uint64_t ipa, uint64_t old,
			uint64_t v);

/* ---- sim_smmuv3_cache.c: what is invalidated, and synced ---- */
void smmuv3_doom_tlb(struct iommuabs_sim_unit *u, const uint64_t cmd[2]);
/* At once, with no CMD_SYNC. */
void smmuv3_drop_tlb(struct iommuabs_sim_unit *u, const uint64_t cmd[2]);
/* Power is lost: what was not synced is not done. */
void smmuv3_undoom(struct iommuabs_sim_unit *u);
void smmuv3_doom_stes(struct iommuabs_sim_unit *u, uint32_t first,
		      uint32_t last, bool leaf);
/* @ssid UINT32_MAX: all. */
void smmuv3_doom_cds(struct iommuabs_sim_unit *u, uint32_t first, uint32_t last,
		     uint32_t ssid);
void smmuv3_sync_done(struct iommuabs_sim_unit *u);

/* ---- sim_smmuv3_desc.c: what a descriptor says ---- */
extern const struct table_format smmuv3_format;
/* Bits that change only by break-before-make, besides the address. */
uint64_t smmuv3_desc_attrs(const struct regime *r);

/* ---- sim_smmuv3_twins.c: one VMID, two tables ---- */
/* It is enabled, or a CMD_SYNC is about to complete: do they map the same? */
void smmuv3_judge_twins(struct iommuabs_sim_unit *u);

/* ---- sim_smmuv3_request.c: all that may happen to one request now ---- */
void smmuv3_outcomes(struct iommuabs_sim_unit *u, uint32_t sid, uint32_t ssid,
		     uint64_t iova, uint32_t flags, struct outcomes *out);

#endif
