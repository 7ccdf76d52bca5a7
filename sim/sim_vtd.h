/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_vtd.h - an Intel VT-d unit: the manual's numbers, and the model's state
 *
 * Section numbers are those of the architecture specification (D51397, revision
 * 4.1). Transcribed from it for the models alone, so that a slip in the library's
 * own transcription shows.
 */
#ifndef SIM_VTD_H
#define SIM_VTD_H

#include "sim_unit.h"

/* 11.4: offsets of registers. Those without a width are 32 bits wide. */
enum {
	R_VER = 0x000,
	R_CAP = 0x008,	/* 64 bits */
	R_ECAP = 0x010, /* 64 bits */
	R_GCMD = 0x018,
	R_GSTS = 0x01c,
	R_RTADDR = 0x020, /* 64 bits */
	R_CCMD = 0x028,	  /* 64 bits */
	R_FSTS = 0x034,
	R_FECTL = 0x038,
	R_FEDATA = 0x03c,
	R_FEADDR = 0x040,
	R_FEUADDR = 0x044,
	R_PMEN = 0x064,
	R_PLMBASE = 0x068,
	R_PLMLIMIT = 0x06c,
	R_IQH = 0x080, /* 64 bits */
	R_IQT = 0x088, /* 64 bits */
	R_IQA = 0x090, /* 64 bits */
	R_ICS = 0x09c,
	R_IECTL = 0x0a0,
	R_IQERCD = 0x0b0, /* 64 bits */
	R_IRTA = 0x0b8,	  /* 64 bits */
	R_FRCD = 0x220,	  /* two of 64 bits each; where CAP.FRO says */
	R_IVA = 0x0f0,	  /* 64 bits; where ECAP.IRO says */
	R_IOTLB = 0x0f8,  /* 64 bits */
	R_SIZE = 0x1000,
};
#define MAX_RECORDS 64u

/* 11.4.2 CAP */
#define CAP_ND(n)    ((uint64_t)(n))
#define CAP_RWBF     BIT64(4)
#define CAP_PLMR     BIT64(5)
#define CAP_CM	     BIT64(7)
#define CAP_SAGAW(n) ((uint64_t)(n) << 8)
#define CAP_MGAW(n)  ((uint64_t)((n)-1) << 16)
#define CAP_FRO(at)  ((uint64_t)((at) >> 4) << 24)
#define CAP_SSLPS(n) ((uint64_t)(n) << 34)
#define CAP_PSI	     BIT64(39)
#define CAP_NFR(n)   ((uint64_t)((n)-1) << 40)
#define CAP_MAMV(n)  ((uint64_t)(n) << 48)
#define CAP_DWD	     BIT64(54)
#define CAP_DRD	     BIT64(55)
#define CAP_PI	     BIT64(59)

/* 11.4.3 ECAP */
#define ECAP_C	     BIT64(0)
#define ECAP_QI	     BIT64(1)
#define ECAP_DT	     BIT64(2)
#define ECAP_IR	     BIT64(3)
#define ECAP_EIM     BIT64(4)
#define ECAP_SC	     BIT64(7)
#define ECAP_IRO(at) ((uint64_t)((at) >> 4) << 8)
#define ECAP_MHMV(n) ((uint64_t)(n) << 20)
#define ECAP_DIT     BIT64(41)
#define ECAP_SMTS    BIT64(43)
#define ECAP_SSTS    BIT64(46)
#define ECAP_SMPWCS  BIT64(48)
#define MHMV	     15u

/* 11.4.4 GCMD; the status of each bit has its place in GSTS */
#define G_TE	  BIT64(31)
#define G_SRTP	  BIT64(30)
#define G_WBF	  BIT64(27)
#define G_QIE	  BIT64(26)
#define G_IRE	  BIT64(25)
#define G_SIRTP	  BIT64(24)
#define G_CFI	  BIT64(23)
#define G_STAYS	  (G_TE | G_QIE | G_IRE | G_CFI)
#define G_ONESHOT (G_SRTP | G_WBF | G_SIRTP)

/* 11.4.5 RTADDR */
#define RTADDR_TABLE  MASK64(63, 12)
#define RTADDR_TTM(v) ((unsigned int)FIELD(v, 11, 10))
#define TTM_SCALABLE  1u

/* 11.4.6.1 CCMD */
#define CCMD_ICC     BIT64(63)
#define CCMD_CIRG(v) ((unsigned int)FIELD(v, 62, 61))
#define CCMD_CAIG(g) ((uint64_t)(g) << 59)
#define CCMD_FM(v)   ((unsigned int)FIELD(v, 33, 32))
#define CCMD_SID(v)  ((uint16_t)FIELD(v, 31, 16))
#define CCMD_DID(v)  ((uint16_t)FIELD(v, 15, 0))

/* 11.4.6.2, 11.4.6.3 IOTLB, IVA */
#define IOTLB_IVT     BIT64(63)
#define IOTLB_IIRG(v) ((unsigned int)FIELD(v, 61, 60))
#define IOTLB_IAIG(g) ((uint64_t)(g) << 57)
#define IOTLB_DR      BIT64(49)
#define IOTLB_DW      BIT64(48)
#define IOTLB_DID(v)  ((uint16_t)FIELD(v, 47, 32))

/* 11.4.7 FSTS, FECTL, FRCD */
#define FSTS_PFO    BIT64(0)
#define FSTS_PPF    BIT64(1)
#define FSTS_IQE    BIT64(4)
#define FSTS_ICE    BIT64(5)
#define FSTS_ITE    BIT64(6)
#define FSTS_FRI(n) ((uint64_t)(n) << 8)
#define FSTS_W1C    (FSTS_PFO | FSTS_IQE | FSTS_ICE | FSTS_ITE)
#define FECTL_IM    BIT64(31)
#define FECTL_IP    BIT64(30)
#define FRCD_FR(n)  ((uint64_t)(n) << 32)
#define FRCD_READ   BIT64(62)
#define FRCD_F	    BIT64(63)

/* 11.4.9 ICS, IECTL */
#define ICS_IWC	 BIT64(0)
#define IECTL_IM BIT64(31)
#define IECTL_IP BIT64(30)

/* 11.4.8 PMEN */
#define PMEN_EPM BIT64(31)
#define PMEN_PRS BIT64(0)

/* 11.4.9 IQA */
#define IQA_BASE  MASK64(63, 12)
#define IQA_DW	  BIT64(11)
#define IQA_QS(v) ((unsigned int)FIELD(v, 2, 0))

/* 11.4.11 IRTA */
#define IRTA_TABLE MASK64(63, 12)
#define IRTA_EIME  BIT64(11)
#define IRTA_S(v)  ((unsigned int)FIELD(v, 3, 0))

/* 6.5.2: invalidation descriptors */
enum {
	DESC_CONTEXT = 1,
	DESC_IOTLB = 2,
	DESC_DEVICE_TLB = 3,
	DESC_IEC = 4,
	DESC_WAIT = 5,
	DESC_P_IOTLB = 6,
	DESC_PASID = 7,
};
#define DESC_TYPE(w)   ((unsigned int)(FIELD(w, 3, 0) | FIELD(w, 11, 9) << 4))
#define DESC_G(w)      ((unsigned int)FIELD(w, 5, 4))
#define DESC_DID(w)    ((uint16_t)FIELD(w, 31, 16))
#define CONTEXT_SID(w) ((uint16_t)FIELD(w, 47, 32))
#define CONTEXT_FM(w)  ((unsigned int)FIELD(w, 49, 48))
#define CONTEXT_RES0   (MASK64(63, 50) | MASK64(15, 6))
#define DIOTLB_DW      BIT64(6)
#define DIOTLB_DR      BIT64(7)
#define DIOTLB_RES0    (MASK64(63, 32) | MASK64(15, 8))
#define IVA_AM(w)      ((unsigned int)FIELD(w, 5, 0))
#define IVA_IH	       BIT64(6)
#define IVA_ADDR       MASK64(63, 12)
#define IVA_RES0       MASK64(11, 7)
#define IEC_G	       BIT64(4)
#define IEC_IM(w)      ((unsigned int)FIELD(w, 31, 27))
#define IEC_INDEX(w)   ((uint32_t)FIELD(w, 47, 32))
#define IEC_RES0       (MASK64(63, 48) | MASK64(26, 5))
#define WAIT_IF	       BIT64(4)
#define WAIT_SW	       BIT64(5)
#define WAIT_FN	       BIT64(6)
#define WAIT_DATA(w)   ((uint32_t)FIELD(w, 63, 32))
#define WAIT_RES0      MASK64(31, 8)
#define PASID_PASID(w) ((uint32_t)FIELD(w, 51, 32))
#define PASID_RES0     (MASK64(63, 52) | MASK64(15, 6))
enum { G_RESERVED, G_GLOBAL, G_DOMAIN, G_FINEST };
enum { PASID_G_DOMAIN, PASID_G_ONE, PASID_G_RESERVED, PASID_G_GLOBAL };

/* 6.5.2.5 */
#define DTLB_SID(w) ((uint16_t)FIELD(w, 47, 32))
#define DTLB_MIP(w) ((unsigned int)FIELD(w, 20, 16))
#define DTLB_S	    BIT64(0)
#define DTLB_RES0   (MASK64(51, 48) | MASK64(31, 21) | MASK64(11, 4))
#define DTLB_RES0_1 MASK64(11, 1)
/* 11.4.9.9: who it was */
#define IQERCD_ITESID(sid) ((uint64_t)(sid) << 32)

/* 9.1, 9.2: root entries, one word for each half of a bus in scalable mode */
#define ENTRY_P	   BIT64(0)
#define ENTRY_FPD  BIT64(1)
#define ENTRY_ADDR MASK64(63, 12)
#define ROOT_RES0  MASK64(11, 1)

/* 9.3: context entries of legacy mode */
#define CTX0_TT(w)  ((unsigned int)FIELD(w, 3, 2))
#define TT_DMA	    0u
#define TT_ATS	    1u
#define TT_PASS	    2u
#define CTX0_RES0   MASK64(11, 4)
#define CTX1_AW(w)  ((unsigned int)FIELD(w, 2, 0))
#define CTX1_DID(w) ((uint16_t)FIELD(w, 23, 8))
#define CTX1_RES0   (MASK64(63, 24) | BIT64(7))

/* 9.4: of scalable mode */
#define SCTX0_DTE     BIT64(2)
#define SCTX0_PASIDE  BIT64(3)
#define SCTX0_PDTS(w) ((unsigned int)FIELD(w, 11, 9))
#define SCTX0_RES0    MASK64(8, 4)
#define SCTX1_RID(w)  ((uint32_t)FIELD(w, 19, 0))
#define SCTX1_RES0    MASK64(63, 21)

/* 9.5, 9.6: PASID directory and table */
#define DIR_RES0       MASK64(11, 2)
#define PASID_LG2      6u /* bytes of a table's entry; entries of a table */
#define PASID0_AW(w)   ((unsigned int)FIELD(w, 4, 2))
#define PASID0_PGTT(w) ((unsigned int)FIELD(w, 8, 6))
#define PGTT_SECOND    2u
#define PASID0_RES0    (MASK64(11, 10) | BIT64(5))
#define PASID1_DID(w)  ((uint16_t)FIELD(w, 15, 0))
#define PASID1_PWSNP   BIT64(23)
#define PASID1_PGSNP   BIT64(24)
#define PASID1_RES0    (MASK64(63, 32) | MASK64(22, 16))

/* 9.8: second-stage paging entries */
#define SS_R	BIT64(0)
#define SS_W	BIT64(1)
#define SS_PS	BIT64(7)
#define SS_SNP	BIT64(11)
#define SS_ADDR MASK64(51, 12)

/* 9.10: interrupt remapping table entries */
#define IRTE0_P		  BIT64(0)
#define IRTE0_FPD	  BIT64(1)
#define IRTE0_POSTED	  BIT64(15)
#define IRTE0_RES0	  (MASK64(31, 24) | MASK64(14, 12))
#define IRTE1_SID(w)	  ((uint16_t)FIELD(w, 15, 0))
#define IRTE1_SQ(w)	  ((unsigned int)FIELD(w, 17, 16))
#define IRTE1_SVT(w)	  ((unsigned int)FIELD(w, 19, 18))
#define IRTE1_RES0	  MASK64(63, 20)
#define IRTE1_RES0_POSTED MASK64(31, 20)

/* 7.2, 7.3: fault reasons; legacy mode, scalable mode */
enum {
	F_ROOT_ABSENT = 0x01,
	F_CONTEXT_ABSENT = 0x02,
	F_CONTEXT_INVALID = 0x03,
	F_BEYOND_AW = 0x04,
	F_WRITE = 0x05,
	F_READ = 0x06,
	F_WALK_ACCESS = 0x07,
	F_ROOT_ACCESS = 0x08,
	F_CONTEXT_ACCESS = 0x09,
	F_ROOT_RESERVED = 0x0a,
	F_CONTEXT_RESERVED = 0x0b,
	F_WALK_RESERVED = 0x0c,
	F_TT_BLOCKS = 0x0d,
	F_IR_RESERVED = 0x20,
	F_IR_INDEX = 0x21,
	F_IR_ABSENT = 0x22,
	F_IR_ACCESS = 0x23,
	F_IR_ENTRY = 0x24,
	F_IR_COMPAT = 0x25,
	F_IR_SID = 0x26,
	F_PASID_IN_LEGACY = 0x31,
	FS_ROOT_ACCESS = 0x38,
	FS_ROOT_ABSENT = 0x39,
	FS_ROOT_RESERVED = 0x3a,
	FS_CONTEXT_ACCESS = 0x40,
	FS_CONTEXT_ABSENT = 0x41,
	FS_CONTEXT_RESERVED = 0x42,
	FS_NO_DTE = 0x44,
	FS_NO_PASID = 0x45,
	FS_DIR_ACCESS = 0x50,
	FS_DIR_ABSENT = 0x51,
	FS_DIR_RESERVED = 0x52,
	FS_PASID_ACCESS = 0x58,
	FS_PASID_ABSENT = 0x59,
	FS_PASID_RESERVED = 0x5a,
	FS_PASID_INVALID = 0x5b,
	FS_WALK_ACCESS = 0x78,
	FS_WALK_ABSENT = 0x79,
	FS_WALK_RESERVED = 0x7a,
	FS_BEYOND = 0x83,
	FS_WRITE = 0x85,
	FS_READ = 0x86,
};

/* 3.15: what lies there is no memory. */
#define INTERRUPTS_AT  0xfee00000u
#define INTERRUPTS_LG2 20u

/* One page of what selects a table. */
enum vtd_page { PAGE_ROOT, PAGE_CONTEXTS, PAGE_DIRECTORY, PAGE_PASIDS };

struct vtd_role {
	struct vtd_role *next; /* of the same page */
	struct iommuabs_sim_unit *unit;
	enum vtd_page kind;
	uint32_t first; /* PAGE_CONTEXTS: the requester of the first entry */
};

#define MAX_REGIMES 8
/* A requester whose context entry was ever written, or that a probe looks at. */
struct stream {
	struct stream *next;
	uint32_t sid;
	struct regime *regimes[MAX_REGIMES];
	unsigned int nr_regimes;
	/* Its entry as of the last completed invalidation; as it was in the root
	 * table before this one. */
	uint64_t meant[4], before[4];
	bool forgetting; /* an invalidation of it is under way */
	bool ats;	 /* some entry of it lets the device use ATS */
};

/* A word of a root table that may be cached. */
struct stale_root {
	uint32_t index;
	uint64_t value;
	bool doomed;
};

/* Something that takes some reads of registers. */
struct slow {
	bool runs;
	unsigned int polls;
	uint64_t hangs_until;
};

/* A wait descriptor that is under way. */
struct waiting {
	uint64_t w[2];
	struct slow slow;
};

/* What a unit of this kind has besides. */
struct vtd {
	struct iommuabs_sim_vtd_config config;
	uint64_t cap, ecap;
	uint64_t gsts;
	/* GCMD: bits under way, and what they become */
	struct slow command;
	uint64_t bits, values;
	uint64_t rtaddr, root; /* written, in use */
	uint64_t next_root;    /* the one that SRTP takes */
	bool has_root;
	uint64_t irta, irt, next_irt;
	uint64_t ccmd, iva, iotlb;
	struct slow ccmd_runs, iotlb_runs, pmen_runs;
	uint64_t fsts, fectl, fedata, feaddr, feuaddr;
	uint64_t records[MAX_RECORDS][2];
	uint32_t next_record, fri;
	uint64_t pmen, plmbase, plmlimit;
	uint64_t iqa, iqt, iqh, iqercd;
	struct waiting wait; /* one with FN: nothing passes it */
	struct vec waits;    /* struct waiting: the others */
	bool drains;	     /* an invalidation that does is under way */
	uint64_t ics, iectl;
	/* All invalidated since the last reason; all of it under way. */
	bool contexts_clean, pasids_clean, tlbs_clean;
	bool contexts_dooming, pasids_dooming, tlbs_dooming;
	/* caches */
	struct vec stale_roots;	   /* struct stale_root */
	struct vec stale_contexts; /* struct stale_pair */
	struct vec stale_pasids;   /* the same, by word of the arena */
	struct vec stale_irtes;	   /* the same, by index */
	/* struct cached: through a root table of before. They are whole, since
	 * no fetch goes through two. */
	struct vec kept_contexts;
	struct vec cached_contexts, cached_pasids, cached_irtes;
	struct vec meant_irtes; /* struct cached */
	struct stream *streams;
	/* planted */
	uint64_t hang_in, hang_until;
	bool hanging;
	uint64_t sync_hang_in, sync_hang_us, sync_delay;
	uint64_t illegal_in, ignored_until;
};

/* ---- sim_vtd_unit.c ---- */
extern const struct unit_ops vtd_ops;
void vtd_slow_begins(struct iommuabs_sim_unit *u, struct slow *s,
		     unsigned int polls);
/* It goes on; true: just over. */
bool vtd_slow_goes_on(struct iommuabs_sim_unit *u, struct slow *s);
bool vtd_is_scalable(const struct iommuabs_sim_unit *u);
/* TES is set: what is reached and what may be cached is found anew. */
void vtd_restart(struct iommuabs_sim_unit *u);

/* ---- sim_vtd_regs.c ---- */
uint64_t vtd_read(struct iommuabs_sim_unit *u, uint32_t offset,
		  unsigned int width);
void vtd_write(struct iommuabs_sim_unit *u, uint32_t offset, unsigned int width,
	       uint64_t value);
bool vtd_may_be_enabled(const struct iommuabs_sim_unit *u);

/* ---- sim_vtd_queue.c ---- */
void vtd_run_queue(struct iommuabs_sim_unit *u);
/* Off: what was not waited for is not known to be done. */
void vtd_waits_drop(struct iommuabs_sim_unit *u);
void vtd_write_iectl(struct iommuabs_sim_unit *u, uint64_t value);
/* What the registers CCMD and IOTLB say, done at once. */
void vtd_context_by_register(struct iommuabs_sim_unit *u);
void vtd_iotlb_by_register(struct iommuabs_sim_unit *u);

/* ---- sim_vtd_cache.c ---- */
/* Does a granularity, an id, and so on, hit what is cached? */
void vtd_doom_contexts(struct iommuabs_sim_unit *u, unsigned int g,
		       uint16_t did, uint16_t sid, unsigned int fm);
void vtd_doom_pasids(struct iommuabs_sim_unit *u, unsigned int g, uint16_t did,
		     uint32_t pasid);
void vtd_doom_iotlb(struct iommuabs_sim_unit *u, unsigned int g, uint16_t did,
		    uint64_t iva);
/* @lg2 32: all. */
void vtd_doom_irtes(struct iommuabs_sim_unit *u, uint32_t index,
		    unsigned int lg2);
/* Everything so far is complete. */
void vtd_complete(struct iommuabs_sim_unit *u);
void vtd_undoom(struct iommuabs_sim_unit *u);

/* ---- sim_vtd_config.c: what selects a table ---- */
void vtd_each_context(struct iommuabs_sim_unit *u, uint32_t sid, entry_fn fn,
		      void *arg);
/* Of that context entry of scalable mode, which reads nothing else. */
void vtd_each_pasid(struct iommuabs_sim_unit *u, const struct entry *context,
		    entry_fn fn, void *arg);
/* 0: fine; else the fault that a present entry gives, and why. */
unsigned int vtd_context_wrong(const struct iommuabs_sim_unit *u,
			       const uint64_t w[4], const char **why);
unsigned int vtd_pasid_wrong(const struct iommuabs_sim_unit *u,
			     const uint64_t w[4], const char **why);
struct regime *vtd_regime(struct iommuabs_sim_unit *u, uint16_t did,
			  uint64_t table, unsigned int aw);
struct stream *vtd_get_stream(struct iommuabs_sim_unit *u, uint32_t sid);
void vtd_streams_update(struct iommuabs_sim_unit *u);
/* A leaf leaves memory: who may use ATS may have asked for it. */
void vtd_atc_leaf(struct iommuabs_sim_unit *u, const struct leaf *t);
/* The root table in use is this. */
void vtd_reach(struct iommuabs_sim_unit *u, uint64_t root);
/* The root table is given up: its entries may be cached. */
void vtd_keep_contexts(struct iommuabs_sim_unit *u);
/* Entries of these requesters are invalidated: whole ones were meant. */
void vtd_meant(struct iommuabs_sim_unit *u, uint16_t sid, uint16_t mask);
/* That is complete, or will never be. */
void vtd_meant_over(struct iommuabs_sim_unit *u, bool complete);
bool vtd_uses_page(struct iommuabs_sim_unit *u, uint64_t maddr);

/* ---- sim_vtd_desc.c ---- */
extern const struct table_format vtd_format;

/* ---- sim_vtd_request.c ---- */
void vtd_outcomes(struct iommuabs_sim_unit *u, uint32_t sid, uint32_t ssid,
		  uint64_t iova, uint32_t flags, struct outcomes *out);

/* ---- sim_vtd_faults.c ---- */
void vtd_record(struct iommuabs_sim_unit *u, unsigned int reason, uint32_t sid,
		uint64_t info, bool read);
/* A bit of FSTS that tells of an error of the queue. */
void vtd_queue_error(struct iommuabs_sim_unit *u, uint64_t bit);
void vtd_write_fault(struct iommuabs_sim_unit *u, uint32_t offset,
		     uint64_t value);
uint64_t vtd_read_fault(const struct iommuabs_sim_unit *u, uint32_t offset);

/* ---- sim_vtd_irq.c ---- */
/* The table in use is another: entries that are there are whole. */
void vtd_irt_taken(struct iommuabs_sim_unit *u);
void vtd_irt_stored(struct iommuabs_sim_unit *u, uint32_t word,
		    const struct value *value);
void vtd_irt_retired(struct iommuabs_sim_unit *u, uint32_t word,
		     const struct value *old);
/* These are invalidated; that is complete, or will never be. */
void vtd_irtes_meant(struct iommuabs_sim_unit *u, uint32_t index,
		     unsigned int lg2);
void vtd_irtes_meant_over(struct iommuabs_sim_unit *u, bool complete);

#endif
