/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pgtable.h - page tables: one engine, compiled once per format
 *
 * engine.h and its parts (engine_*.h) are the algorithm; a format file (pt_*.c)
 * defines what an entry's bits mean and includes engine.h. The same engine makes
 * what an IOMMU walks and the library's own maps (gfn -> mfn: the ledger; mfn ->
 * place: the reverse map).
 *
 * Words used here:
 *   granule what a leaf of level 0 maps, and the size of a table: 4, 16 or 64 KiB
 *   level   height above the leaves: 0 maps one granule, 1 maps 512 of them (2048,
 *           8192), ... The root is at level @top.
 *   in      what is looked up: a gfn (an mfn in the reverse map), in frames
 *   out     what is found: an mfn (a gfn in the reverse map), in frames
 *   attr    the format's business: what pt_ops.map() was given
 *
 * A table's level is that of its slots. Ranges, in, out and number, are within the
 * table's bits and multiples of its granule. Pools have pages of its size.
 *
 * The engine never talks to hardware, never invalidates and never frees a table
 * that was linked: it tells its caller which tables it unlinked. Entries are
 * stored one word at a time. Tables are linked by compare-exchange, so callers
 * on disjoint ranges may run at once; unlinking happens only in a call that
 * covers the table's whole range. What it stored for a device is cleaned (if
 * pt.clean) but not waited for: before somebody is told that a mapping can be
 * used, its caller has port_dev_publish() done (port_dev_mb() if pt.clean), and
 * port_dev_mb() before it invalidates.
 */
#ifndef IOMMUABS_PGTABLE_PGTABLE_H
#define IOMMUABS_PGTABLE_PGTABLE_H

#include "../host/hostif.h"
#include "../host/tablemem.h"

#define PT_LEVELS_MAX 6

struct pt_ops;

struct pt {
	const struct pt_ops *ops;
	const struct hostif *host;
	uint64_t root;	     /* machine address */
	uint8_t granule_lg2; /* bytes: 12, 14 or 16 */
	uint8_t top;	     /* level of the root */
	/* Bytes of the root, 4 KiB at the least; > granule_lg2: concatenated. */
	uint8_t root_lg2;
	uint8_t in_bits, out_bits; /* of addresses in bytes */
	/* Bit n: map() may make leaves at level n. Bits 0 to the highest. */
	uint8_t leaf_mask;
	uint8_t clean; /* 1: stores are followed by host->cache_clean */
	/* How units take a leaf's becoming a table: see struct pt_cut. */
	uint8_t bbml;
	/* Bit n: leaves at level n may have a hint (Arm: Contiguous). */
	uint8_t hint_mask;
};

/* What the engine answers, besides 0. */
enum pt_status {
	PT_OK = 0,
	PT_OCCUPIED = 1,  /* an entry is there; position reported */
	PT_NO_TABLES = 2, /* the pool is empty; position reported */
	PT_FULL =
		3, /* the sink is full; position reported: call again from there */
	PT_BUDGET = 4,	   /* the budget is used up; position reported */
	PT_NEEDS_SYNC = 5, /* a leaf is broken: invalidate it, call again */
	PT_END = 6,	   /* nothing more in the range */
};

#define PT_OUT_SCATTERED (~(uint64_t)0)

/* One stretch of leaves with the same attr and consecutive out. */
struct pt_run {
	uint64_t in, out, nr; /* frames */
	uint64_t attr;
};

/* What a lookup found. */
struct pt_leaf {
	uint64_t out; /* frame for exactly the one asked */
	uint64_t attr;
	uint64_t entry; /* the raw word last read */
	uint64_t nr;	/* frames from the one asked to the end of this slot */
	uint8_t level;	/* of the slot */
};

/*
 * Tables that were unlinked and may still be walked. Word: machine address with
 * the table's level in the low bits. What was below a table still is, and has
 * no word of its own. Nothing is written into them.
 */
struct pt_sink {
	uint64_t *tables;
	uint32_t nr, max;
};

#define PT_SINK_LEVEL ((uint64_t)0xf)

/*
 * A leaf that is to become a table where units can't take that at once (SMMU
 * 3.21.1.1): with pt.bbml 0 it is made invalid first, with 1 it gets the nT bit,
 * and units must have forgotten it before the table is linked. Until then it says
 * what it was, so that everybody still finds it mapped: lookup() and next() show
 * it, map() answers PT_OCCUPIED. Whoever meets one of another caller invalidates
 * for himself and may be the one who links a table.
 *
 * So it is with a group of leaves that map() gave a hint that they could be one
 * (Arm ARM D8.7.1, "The Contiguous bit"), when a range ends within: before any of
 * them changes none has the hint. With pt.bbml 0 all are made invalid first, else
 * the hint goes at once: whoever cached them as one is told of what changes.
 */
struct pt_cut {
	uint64_t in, nr; /* frames of the broken leaf or group; nr 0: none */
};

/* What pt_ops.edit() does to each leaf in the range. */
enum pt_edit_kind {
	PT_EDIT_CLEAR, /* make it absent; unlink tables that become empty */
	PT_EDIT_ATTR,  /* attr = (attr & ~clear) | set */
};

struct pt_edit {
	enum pt_edit_kind kind;
	/* Only leaves with (attr & if_mask) == if_value; others are left. */
	uint64_t if_mask, if_value;
	uint64_t clear, set;
	/* For PT_NEEDS_SYNC, nr 0 to begin with; NULL: pt.bbml is 2, or neither
	 * leaf nor group is cut, or the table is the library's. */
	struct pt_cut *cut;
};

/* What pt_ops.merge() is to look at. */
struct pt_merge {
	uint64_t in, nr;
	/* Only leaves with (attr & if_mask) == if_value become larger ones. */
	uint64_t if_mask, if_value;
	/*
	 * 1: units walk the table. Then a leaf takes the place of a table as they
	 * can take it (SMMU 3.21.1.1): with pt.bbml 0 never, with 1 it has nT
	 * until they have forgotten the table and an ATTR edit that changes
	 * nothing has been over it.
	 */
	uint32_t live;
};

/* Where tables go back to. */
struct pt_payer {
	struct tablemem *mem;
	struct tablemem_account *account;
};

struct pt_ops {
	const char *name;
	uint8_t granule_lg2;
	/* 1: no leaf can be written and not read; attr has READ always. */
	uint8_t read_implied;

	/* Fill @pt's fields from its geometry; root memory is written (empty). */
	void (*init_root)(struct pt *pt);

	/*
	 * Make every address that is looked up the granule at @out, with
	 * @pt->top tables of @pool: all slots of a level have one table in
	 * common, which is written to @common[level]. Nothing else may be done
	 * to @pt from then on but lookup() and what follows here.
	 */
	void (*repeat)(const struct pt *pt, uint64_t out, uint64_t attr,
		       struct tablemem_pool *pool, uint64_t common[]);
	/*
	 * Before anything walks it: @run is an exception, absent if its attr is
	 * 0. It is aligned to the granule; as many tables of @pool as count()
	 * says.
	 */
	void (*except)(const struct pt *pt, const struct pt_run *run,
		       const uint64_t common[], struct tablemem_pool *pool);
	/*
	 * Once nothing walks it: what is in @common is linked nowhere. What is
	 * left, for exceptions, is a tree that can be freed as any.
	 */
	void (*single)(const struct pt *pt, const uint64_t common[]);

	/*
	 * How many tables map() would have to take from its pool, exactly; for
	 * @out PT_OUT_SCATTERED, if each granule is entered for itself.
	 */
	uint32_t (*count)(const struct pt *pt, uint64_t in, uint64_t out,
			  uint64_t nr);

	/*
	 * Enter leaves for [@in, @in + @nr), the largest that fit, whole groups
	 * with a hint where pt.hint_mask has it; where there is a table already,
	 * its own. Stops at the first slot that is taken
	 * (PT_OCCUPIED) or lacks a table (PT_NO_TABLES); @done frames from @in
	 * on are entered then, and calling with the rest goes on. In a claiming
	 * format (the reverse map) each leaf is entered by one compare-exchange;
	 * else by a plain store. Tables linked before it stopped stay.
	 */
	enum pt_status (*map)(const struct pt *pt, const struct pt_run *run,
			      struct tablemem_pool *pool, uint64_t *done);

	/*
	 * map() of one granule in a table that exists: one walk, no pool.
	 * PT_OCCUPIED; PT_NO_TABLES: use map(). No hint is given.
	 */
	enum pt_status (*map_one)(const struct pt *pt, uint64_t in,
				  uint64_t out, uint64_t attr);
	/* The same for one leaf of the next larger size, at level 1. */
	enum pt_status (*map_large)(const struct pt *pt, uint64_t in,
				    uint64_t out, uint64_t attr);

	/*
	 * Apply @edit to [@in, @in + @nr); holes are skipped. A leaf that the
	 * range cuts is split first, with tables of @pool, unless if_mask says
	 * that it is left; so an ATTR edit that changes nothing cuts only.
	 *
	 * CLEAR with a @sink that has room at all unlinks tables that the range
	 * covers: without if_mask in one store, whatever is below; with it, if
	 * the edit has left them empty. @sink NULL or of @max 0: none.
	 *
	 * Stops, with everything before done and the rest untouched:
	 * PT_NO_TABLES  @at: the whole run of the leaf that is cut, which may
	 *               begin before @in. Go on from the higher of both, with
	 *               as many pages as both ends take, to be sure.
	 * PT_NEEDS_SYNC as PT_NO_TABLES (of a group: as PT_FULL), and edit->cut
	 *               says what to invalidate.
	 *               Go on with @cut as it is, whether units answered or not:
	 *               one that didn't is fenced, and forgets when it recovers.
	 * PT_FULL       go on from @at->in (@at->nr frames to the end). With
	 *               if_mask a table may stay, empty, that reaches back before
	 *               that.
	 * @at may be NULL only if neither can happen.
	 */
	enum pt_status (*edit)(const struct pt *pt, uint64_t in, uint64_t nr,
			       const struct pt_edit *edit,
			       struct tablemem_pool *pool, struct pt_sink *sink,
			       struct pt_run *at);

	/*
	 * CLEAR and ATTR of exactly one granule: one walk. @old: what was there,
	 * or NULL. PT_END: nothing was. PT_NO_TABLES: part of a larger leaf or of
	 * a group, untouched; use edit().
	 */
	enum pt_status (*clear_one)(const struct pt *pt, uint64_t in,
				    struct pt_leaf *old);
	enum pt_status (*attr_one)(const struct pt *pt, uint64_t in,
				   uint64_t clear, uint64_t set,
				   struct pt_leaf *old);

	/*
	 * CLEAR of one slot at @level, 1 or higher, which begins at @in: one walk,
	 * one store, whatever is below. @table: 0, or the table that was there, as
	 * a word for free_tables(). PT_END: nothing was. PT_NO_TABLES: there is no
	 * such slot, or a larger leaf, or a group; untouched, use edit().
	 */
	enum pt_status (*clear_slot)(const struct pt *pt, uint64_t in,
				     unsigned int level, uint64_t *table);

	/*
	 * lookup() of what clear_one() would clear: the entry of a leaf of one
	 * granule, to be ended by pt_let_go() or pt_clear_held(). NULL: there is
	 * none; @leaf tells what is, as lookup(). Not for tables of a device.
	 */
	uint64_t *(*hold_one)(const struct pt *pt, uint64_t in,
			      struct pt_leaf *leaf);

	/*
	 * True: a leaf maps @in. False: nothing does; @leaf->entry, @leaf->level
	 * and @leaf->nr describe the empty slot (past the input bits: level top,
	 * nr 1). Safe against any other call.
	 */
	bool (*lookup)(const struct pt *pt, uint64_t in, struct pt_leaf *leaf);

	/*
	 * The next run at or after @in and before @end, clipped to both; merged
	 * within one table page. *@budget counts entries and tables looked at.
	 * PT_OK: found. PT_END: none before @end. PT_BUDGET: @run->in says up
	 * to where there is none.
	 */
	enum pt_status (*next)(const struct pt *pt, uint64_t in, uint64_t end,
			       uint64_t *budget, struct pt_run *run);

	/*
	 * In the place of tables within the range that are full of leaves with
	 * one attr and consecutive out: a larger leaf, where map() could have
	 * made one; of tables that are empty: nothing. From *@at on, which is in
	 * the range; alone. Unlinked tables go to @sink; @merged is a range that
	 * has all their slots. *@budget counts entries looked at; what is left
	 * over of one table is not begun with less.
	 * PT_OK | PT_FULL, PT_BUDGET (go on from *@at).
	 */
	enum pt_status (*merge)(const struct pt *pt,
				const struct pt_merge *merge,
				struct pt_sink *sink, uint64_t *budget,
				uint64_t *at, struct pt_run *merged);

	/* See pt_free_tables(). */
	enum pt_status (*free_tables)(const struct pt *pt, uint64_t sink_word,
				      const struct pt_payer *payer,
				      uint64_t *budget);
};

/* Entries of pt_ops.hold_one(). An absent entry is 0 in every format. */
static inline void pt_let_go(const struct pt *pt, uint64_t *entry)
{
	hostif_unmap(pt->host, entry);
}

static inline void pt_clear_held(const struct pt *pt, uint64_t *entry)
{
	port_store64(entry, 0);
	pt_let_go(pt, entry);
}

/*
 * Free a table that nothing can walk any more and all tables below it, charged
 * to @account. *@budget counts tables and entries read; 0 left: PT_BUDGET, call
 * again. Any budget over 0 gets on. The table's content is used up in the
 * process. The root goes, with everything, as pt->root | pt->top.
 */
enum pt_status pt_free_tables(const struct pt *pt, uint64_t sink_word,
			      struct tablemem *mem,
			      struct tablemem_account *account,
			      uint64_t *budget);

/*
 * Formats. Arm stages 1 and 2, attr: READ, WRITE, MEMTYPE. _52: the layout that a
 * unit reads with CD.DS or STE.S2DS set; that of the 64 KiB granule has 52 bits
 * without. pt.out_bits says how many of them the unit has.
 */
extern const struct pt_ops pt_arm_s1_4k_ops;
extern const struct pt_ops pt_arm_s1_16k_ops;
extern const struct pt_ops pt_arm_s1_64k_ops;
extern const struct pt_ops pt_arm_s1_4k_52_ops;
extern const struct pt_ops pt_arm_s1_16k_52_ops;
extern const struct pt_ops pt_arm_s2_4k_ops;
extern const struct pt_ops pt_arm_s2_16k_ops;
extern const struct pt_ops pt_arm_s2_64k_ops;
extern const struct pt_ops pt_arm_s2_4k_52_ops;
extern const struct pt_ops pt_arm_s2_16k_52_ops;
extern const struct pt_ops pt_vtd_ops;
extern const struct pt_ops pt_vtd_snoop_ops; /* normal memory: SNP */
extern const struct pt_ops pt_ledger_ops;    /* attr: PT_LEDGER_* below */
extern const struct pt_ops pt_rmap_ops;	     /* attr: PT_RMAP_* below */

/* Ledger attr: the public mapping flags in bits 0..5, and a state. */
#define PT_LEDGER_FLAGS	   ((uint64_t)0x3f)
#define PT_LEDGER_STATE	   ((uint64_t)0xc0)
#define PT_LEDGER_MAPPED   ((uint64_t)0x00)
#define PT_LEDGER_UNSYNCED ((uint64_t)0x40)
#define PT_LEDGER_WITHHELD ((uint64_t)0x80)

/* Reverse map attr: the domain's number and the kind of place. */
#define PT_RMAP_DOMAIN	((uint64_t)0xffff)
#define PT_RMAP_FOREIGN ((uint64_t)1 << 16)
#define PT_RMAP_HOST	((uint64_t)1 << 17)
#define PT_RMAP_SHARED	((uint64_t)1 << 18)

#endif
