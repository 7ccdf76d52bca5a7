/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_unit.h - what the models of units have in common
 *
 * A unit translates by tables of some levels, each page of which has roles, and
 * keeps what left them in its caches until it is told otherwise. How an entry is
 * read is a format's matter; how a request finds its table, and what software
 * says to the unit, is the kind's.
 */
#ifndef SIM_UNIT_H
#define SIM_UNIT_H

#include "sim_int.h"

#define FOR_EVER UINT64_MAX

/* Levels count down to the pages, as Arm's do; VT-d's level n is 4 - n here. */
#define LAST_LEVEL  3
#define FIRST_LEVEL (-1)

/* ---- formats ---- */

enum desc_kind { DESC_INVALID, DESC_IS_TABLE, DESC_IS_LEAF };

enum walk_fault {
	WALK_NOTHING,	   /* an invalid entry */
	WALK_ADDRESS,	   /* an output too wide */
	WALK_INACCESSIBLE, /* a flag that hardware could set is 0 */
	WALK_PERMISSION,
	WALK_ABORT, /* the entry can't be read */
	WALK_FAULTS,
};

struct regime;
struct walk;

struct table_format {
	const char *tag_name; /* "VMID" */
	enum desc_kind (*kind)(const struct regime *r, int level,
			       uint64_t desc);
	/* The address that it holds, not yet aligned. */
	uint64_t (*address)(const struct regime *r, uint64_t desc);
	bool (*permits)(const struct walk *w, uint64_t desc);
	/* A leaf that every ASID may use. */
	bool (*is_global)(const struct regime *r, uint64_t desc);
	/* It may be cached for all the leaves of its group. */
	bool (*is_contiguous)(uint64_t desc);
	/* No flag that hardware could set is missing. */
	bool (*accessible)(const struct regime *r, uint64_t desc);
	/* Met by a walk; false: the unit takes it for nothing. */
	bool (*meet)(const struct walk *w, int level, uint64_t desc);
	/* The number under which such a fault is recorded. */
	unsigned int (*event)(const struct walk *w, enum walk_fault fault);
};

/* What depends on the granule (Arm ARM D8.2). */
struct granule {
	unsigned int lg2; /* of the granule */
	unsigned int
		cont_lg2[4]; /* entries that a contiguous bit spans, by level */
	unsigned int tlbi_tg; /* IHI 0070 4.4.1.1 */
};

/* By what TLB entries are told apart. */
struct tag {
	uint16_t vmid, asid; /* VMID, domain-id; ASID: stage 1 only, 0 at EL2 */
	bool s1, el2;
	bool global; /* a leaf: for every ASID of the VMID */
};

struct regime {
	struct regime *next;
	const struct table_format *format;
	uint64_t key[4]; /* words of what selects it, as a TLB may hold them */
	struct tag tag;
	const struct granule *granule;
	int start_level;
	int first_block; /* lowest level number that may hold a block */
	unsigned int ia_bits, pa_bits;
	uint64_t ttb;
	bool affd;
	bool ds;   /* 52 bits with 4K or 16K */
	bool wide; /* 52 bits with 64K */
	/* stage 1 only */
	bool had, pan, tbi, no_walk;
	bool globals;  /* some leaf of it is or was global */
	uint32_t live; /* streams that may select it now */
	/* No stream, but perhaps cached as a whole: global leaves, the rest. */
	bool stale[2];
	bool doomed[2];
};
#define REST   0
#define GLOBAL 1

/* One page of a table. */
struct role {
	struct role *next; /* of the same page */
	struct iommuabs_sim_unit *unit;
	struct regime *regime;
	uint64_t ipa; /* of the first entry */
	int level;
	uint32_t first, nr; /* words of the page that are entries */
	uint32_t live;	    /* values in tables, or streams, that lead here */
	uint32_t stale;	    /* of cached table entries */
	uint32_t roots;	    /* of regimes no stream selects any more */
};

/* A translation in the TLB, for certain (FUNCTIONAL) or perhaps. */
struct leaf {
	uint64_t ipa, pa, desc;
	unsigned int size_lg2;
	int level;
	struct tag tag;
	const struct regime *regime;
	bool absent; /* "nothing is there", where a unit keeps that */
	bool doomed;
};

/* A table descriptor in a walk cache, perhaps. */
struct wtable {
	uint64_t ipa, table, desc;
	unsigned int size_lg2; /* of the descriptor */
	int level;
	struct regime *regime;
	bool doomed;
};

/* IHI 0070 7.3: what was accessed as it failed; a table, or the data itself. */
#define OUTCOME_CLASS_TTD 1u
#define OUTCOME_CLASS_IN  2u

struct outcome {
	uint64_t maddr;	    /* IOMMUABS_SIM_BLOCKED */
	unsigned int event; /* 0: nothing is recorded */
	bool stage2;
	bool stalls, privileged;
	unsigned int class; /* OUTCOME_CLASS_* */
	uint64_t ipa;	    /* or the address of the fetch */
	/* what translated it; NULL: nothing */
	const struct regime *regime;
	uint64_t desc;
};

#define MAX_OUTCOMES 32
struct outcomes {
	struct outcome o[MAX_OUTCOMES];
	unsigned int nr;
};

#define MAX_ALLOWED 8
struct iommuabs_sim_probe {
	struct iommuabs_sim_probe *next;
	struct iommuabs_sim_unit *unit;
	uint32_t sid, flags;
	uint64_t iova;
	uint64_t allowed[MAX_ALLOWED];
	unsigned int nr_allowed;
	bool any;
	bool violated; /* once per set of allowed outcomes */
};

/* ---- entries wider than a store, which select tables ---- */

/* Two words of one that were in memory. */
struct stale_pair {
	uint32_t sid, ssid; /* or whatever tells entries apart */
	unsigned int pair;
	uint64_t lo, hi;
	bool doomed;
};

/* Four words: as fetched, or as they were meant to be. */
struct cached {
	uint32_t sid, ssid;
	uint64_t w[4];
	bool doomed;
};

struct entry {
	uint64_t w[4];
	uint32_t epoch;	    /* the newest store it was made of */
	unsigned int event; /* not 0: no entry, but this */
	uint64_t fetch;	    /* where it could not be fetched */
};
typedef void (*entry_fn)(struct iommuabs_sim_unit *u, const struct entry *e,
			 void *arg);

#define NOWHERE UINT64_MAX
/* Which entry, and where it is. */
struct place {
	uint32_t sid, ssid;
	const struct vec *stale; /* of struct stale_pair */
	const char *what;
	unsigned int abort; /* the event when it can't be fetched */
	uint64_t at;	    /* NOWHERE: only what is cached of it */
	uint32_t epoch;
	unsigned int pairs; /* of words, that have a meaning: 1 or 2 */
};

/* A contiguous group that a store changed, or that a table came with. */
struct group {
	struct regime *regime;
	int level;
	uint64_t ipa;
	uint32_t word; /* of its first descriptor */
};

/* ---- units ---- */

/* An invalidation, as the kind has it: which entries it is about. */
struct scope {
	const struct iommuabs_sim_unit *unit;
	const void *arg;
	bool (*leaf)(const struct scope *scope, const struct leaf *t);
	bool (*table)(const struct scope *scope, const struct wtable *t);
	/* All of an address space. */
	bool (*whole)(const struct scope *scope, const struct tag *tag);
};

struct unit_ops {
	uint64_t (*read)(struct iommuabs_sim_unit *u, uint32_t offset,
			 unsigned int width);
	void (*write)(struct iommuabs_sim_unit *u, uint32_t offset,
		      unsigned int width, uint64_t value);
	void (*reset)(struct iommuabs_sim_unit *u);
	void (*heal)(struct iommuabs_sim_unit *u);
	void (*plant)(struct iommuabs_sim_unit *u,
		      enum iommuabs_sim_fault fault, uint64_t n, uint64_t us);
	/* What is the kind's alone; the unit itself stays. */
	void (*free)(struct iommuabs_sim_unit *u);
	/* It translates now, or perhaps. */
	bool (*may_be_enabled)(const struct iommuabs_sim_unit *u);
	/* All that may happen to one request now. */
	void (*outcomes)(struct iommuabs_sim_unit *u, uint32_t sid,
			 uint32_t ssid, uint64_t iova, uint32_t flags,
			 struct outcomes *out);
	/* A planted fault of this one request; NULL or false: none. */
	bool (*mishap)(struct iommuabs_sim_unit *u, struct outcome *o);
	/* @at, a piece of @dma, is blocked: 0 | IOMMUABS_SIM_STALLED. */
	int (*blocked)(struct iommuabs_sim_unit *u,
		       struct iommuabs_sim_dma *dma, const struct outcome *o,
		       const struct iommuabs_sim_dma *at);
	/* A translation request is refused: what is recorded of it, 0: nothing. */
	unsigned int (*ats_refused)(struct iommuabs_sim_unit *u,
				    const struct iommuabs_sim_dma *at,
				    const struct outcome *o);
	/* A live entry of a table changes. */
	void (*check_store)(const struct role *role, uint64_t ipa, uint64_t old,
			    uint64_t v);
	/* A leaf leaves memory: who else may keep it? */
	void (*leaf_left)(struct iommuabs_sim_unit *u, const struct leaf *t);
	/* The page is freed: may it be in use besides as a table? */
	void (*page_freed)(struct iommuabs_sim_unit *u, uint64_t maddr);
};

/* A translation that a device keeps, for certain or perhaps. */
struct atc {
	uint32_t sid;
	struct leaf leaf;
};

/* Besides IOMMUABS_SIM_DMA_*: a translation request. */
#define DMA_ATS_REQUEST (1u << 31)

#define NR_LOGGED 4096u
struct iommuabs_sim_unit {
	struct iommuabs_sim_unit *next;
	struct iommuabs_sim_arena *arena;
	const struct unit_ops *ops;
	union {
		struct smmuv3 *smmu;
		struct vtd *vtd;
	};
	uint64_t base, size; /* of its registers */
	/* caches */
	struct vec leaves, wtables;
	struct vec groups; /* struct group: to be judged */
	/* devices' own caches */
	struct vec atc;	 /* struct atc */
	struct vec mute; /* ids that do not answer */
	struct vec
		unanswered; /* ids of what those were asked since the last told */
	struct regime *regimes;
	bool tlbs_empty; /* nothing cached but what is going; and disabled since */
	bool caches_absent; /* "nothing is there" is kept, too */
	bool fetch_128;	    /* pairs of words are fetched in one piece */
	bool twins;	    /* one tag may name tables that map the same */
	struct iommuabs_sim_probe *probes;
	/* planted */
	uint64_t wait_in, wait_us;
	bool dead;
	/* what happened */
	unsigned int irqs[IOMMUABS_SIM_IRQ_COUNT_];
	struct iommuabs_sim_counters counters;
	uint64_t log[NR_LOGGED][2];
};

/* ---- sim_unit.c ---- */
/* A unit with nothing in it yet; NULL: out of memory. */
struct iommuabs_sim_unit *sim_unit_new(struct iommuabs_sim_arena *a,
				       const struct unit_ops *ops,
				       uint64_t base, uint64_t size);
/* The arena's lock is held, or nobody else knows the arena any more. */
void sim_unit_delete(struct iommuabs_sim_unit *u);
struct iommuabs_sim_unit *sim_unit_at(struct iommuabs_sim_arena *a,
				      uint64_t addr);
/* A wait begins; the time until which it hangs, 0: not at all. */
uint64_t sim_wait_begins(struct iommuabs_sim_unit *u);
/* A planted fault: the time it ends, 0 if @n is 0. */
uint64_t sim_until(const struct iommuabs_sim_unit *u, uint64_t n, uint64_t us);
/* Planted faults that are counted; true: this one is hit. */
bool sim_hit(uint64_t *countdown);
/* Reads of registers for which something may be under way. */
unsigned int sim_some_polls(struct iommuabs_sim_unit *u, unsigned int most);
/* One more was consumed: into the log. */
void sim_log_command(struct iommuabs_sim_unit *u, const uint64_t words[2],
		     unsigned int opcode);
bool sim_logged(struct iommuabs_sim_unit *u, uint64_t n, uint64_t words[2]);
/* A message that a unit sends: to memory, or counted as @irq. */
void sim_message(struct iommuabs_sim_unit *u, uint64_t addr, uint32_t data,
		 enum iommuabs_sim_irq irq);

/* ---- sim_desc.c: what an entry says ---- */
enum desc_kind sim_desc_kind(const struct regime *r, int level, uint64_t desc);
unsigned int sim_level_lg2(const struct regime *r, int level);
unsigned int sim_cont_lg2(const struct regime *r, int level);
/* The address that it holds: of what a leaf maps, of the next table. */
uint64_t sim_desc_out(const struct regime *r, int level, uint64_t desc);
uint64_t sim_desc_table(const struct regime *r, uint64_t desc);
struct leaf sim_leaf_of(const struct regime *r, int level, uint64_t ipa,
			uint64_t desc);
uint64_t sim_root_bytes(const struct regime *r);
/* By name, for messages; valid until the fourth next call of this thread. */
const char *sim_name(const struct regime *r);

/* ---- sim_entry.c: all that may be fetched ---- */
void sim_each_entry(struct iommuabs_sim_unit *u, const struct place *p,
		    entry_fn fn, void *arg);
/* As the CPU stored its @nr words last; all zero: it is nowhere. */
void sim_newest_entry(const struct iommuabs_sim_arena *a, uint64_t at,
		      unsigned int nr, uint64_t *w);
/* The two words around @word, as they are in memory, may be kept. */
void sim_keep_pair(const struct iommuabs_sim_arena *a, struct vec *list,
		   uint32_t word, unsigned int pair, uint32_t sid,
		   uint32_t ssid);
/* Of a 128-bit store, the first half speaks for both. */
bool sim_speaks(const struct iommuabs_sim_unit *u, uint32_t word,
		const struct value *old);
void sim_remove_doomed_pairs(struct vec *list);
void sim_undoom_pairs(struct vec *list);
struct cached *sim_cached(const struct vec *list, uint32_t sid, uint32_t ssid);

/* ---- sim_regime.c: address spaces, and who uses them ---- */
struct regime *sim_find_regime(struct iommuabs_sim_unit *u,
			       const uint64_t key[4], const struct tag *tag);
struct regime *sim_new_regime(struct iommuabs_sim_unit *u,
			      const struct table_format *format,
			      const uint64_t key[4], const struct tag *tag);
/* One more stream may select it: true if it is the first. */
bool sim_regime_lives(struct iommuabs_sim_unit *u, struct regime *r,
		      uint32_t epoch);
void sim_regime_dies(struct iommuabs_sim_unit *u, struct regime *r);
/* One tag and one geometry of two tables. */
bool sim_are_twins(const struct regime *r, const struct regime *o);

/* ---- sim_track.c: which page is which table ---- */
void sim_link_root(struct iommuabs_sim_unit *u, struct regime *r, int live,
		   int root);
void sim_link_table(struct iommuabs_sim_unit *u, struct regime *r, int level,
		    uint64_t ipa, uint64_t table, int live, int stale);
/* Of the page: the address that this word translates; false: no entry. */
bool sim_entry_of(const struct role *role, uint32_t word, uint64_t *ipa);
#define MAX_ROLES 32
/* Roles of a page; linking and unlinking may change the list itself. */
unsigned int sim_roles_of(struct iommuabs_sim_arena *a, uint32_t word,
			  struct role out[MAX_ROLES]);
void sim_forget_roles(struct iommuabs_sim_unit *u);
/* It is enabled: what is linked by caches is found anew. */
void sim_relink_caches(struct iommuabs_sim_unit *u);
/* Freed, and the unit may reach it. */
void sim_freed(struct iommuabs_sim_unit *u, uint64_t maddr, const char *as);

/* ---- sim_groups.c: the contiguous bit ---- */
/* @word of a page in @role, where @desc was or is now. */
void sim_note_group(const struct role *role, uint32_t word, uint64_t ipa,
		    uint64_t desc);
/* What was invalidated has completed. */
void sim_judge_groups(struct iommuabs_sim_unit *u);

/* ---- sim_tlb.c: what leaves memory stays in caches ---- */
void sim_doom(struct iommuabs_sim_unit *u, const struct scope *scope);
/* At once, whatever was doomed before. */
void sim_drop(struct iommuabs_sim_unit *u, const struct scope *scope);
void sim_remove_doomed(struct iommuabs_sim_unit *u);
/* Power is lost: what was not completed is not done. */
void sim_undoom(struct iommuabs_sim_unit *u);

/* ---- sim_walk.c: from an address to what may happen ---- */
struct walk {
	struct iommuabs_sim_unit *u;
	struct regime *r;
	uint64_t in;
	bool write, privileged;
	bool record, stalls; /* what the entry of the stream says */
	bool only_global;    /* another ASID's table: what matches anyway */
	bool fill;	     /* FUNCTIONAL: put what is found into the TLB */
	struct outcomes *out;
};
/* The regime was chosen by stores up to @epoch. */
void sim_translate(const struct walk *w, uint32_t epoch);
void sim_add_outcome(struct outcomes *out, const struct outcome *o);

/* ---- sim_ats.c: what devices keep ---- */
void sim_atc_add(struct iommuabs_sim_unit *u, uint32_t sid,
		 const struct leaf *t);
/* All that the table maps. */
void sim_atc_add_all(struct iommuabs_sim_unit *u, uint32_t sid,
		     const struct regime *r);
/* Is it in the @i-th? */
bool sim_atc_hit(struct iommuabs_sim_unit *u, uint32_t i, uint32_t sid,
		 uint64_t iova, bool write, uint64_t *maddr);
/* The device is to forget [first, last], and has when that is complete. */
void sim_atc_doom(struct iommuabs_sim_unit *u, uint32_t sid, uint64_t first,
		  uint64_t last);
void sim_atc_complete(struct iommuabs_sim_unit *u);
void sim_atc_freed(struct iommuabs_sim_unit *u, uint64_t maddr);

/* ---- sim_dma.c: requests and probes ---- */
/* From @dma->done on: 1 done | 0 blocked | IOMMUABS_SIM_STALLED. */
int sim_run_dma(struct iommuabs_sim_unit *u, struct iommuabs_sim_dma *dma);
/* All probes, those in a range of addresses, those of a range of streams. */
void sim_look(struct iommuabs_sim_unit *u);
void sim_look_at(struct iommuabs_sim_unit *u, uint64_t ipa,
		 unsigned int size_lg2);
void sim_look_at_streams(struct iommuabs_sim_unit *u, uint32_t first,
			 uint32_t nr);
/* Posted writes of this unit land, NULL: of all. */
void sim_land(struct iommuabs_sim_arena *a, struct iommuabs_sim_unit *u);

/* ---- the kinds' hooks into the arena ---- */

/* A word was stored, left memory: does it belong to what selects tables? */
void smmuv3_config_stored(struct iommuabs_sim_arena *a, uint32_t word,
			  const struct value *value);
void smmuv3_config_retired(struct iommuabs_sim_arena *a, uint32_t word,
			   const struct value *old, uint64_t now);
/* The page is freed; or (@u not NULL) the unit forgets what it is. */
void smmuv3_config_freed(struct iommuabs_sim_arena *a, uint64_t page);
void smmuv3_forget_config_page(struct iommuabs_sim_arena *a, uint64_t page,
			       struct iommuabs_sim_unit *u);
/* Is a word of some unit's table of interrupts? */
bool vtd_is_irte(struct iommuabs_sim_arena *a, uint32_t word);
void vtd_config_stored(struct iommuabs_sim_arena *a, uint32_t word,
		       const struct value *value);
void vtd_config_retired(struct iommuabs_sim_arena *a, uint32_t word,
			const struct value *old, uint64_t now);
/* Of one page; of one unit, or (@u NULL) of all. */
void vtd_forget_config_page(struct iommuabs_sim_arena *a, uint64_t page,
			    struct iommuabs_sim_unit *u);

#endif
