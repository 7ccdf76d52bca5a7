/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rmap.h - the reverse map: machine frame -> places (domain, gfn)
 *
 * One per instance. A radix keyed by mfn with leaves at every level (format
 * pt_rmap) holds the first place of each frame; entries are claimed by one
 * compare-exchange per leaf. Every further place of a frame is a 32-byte record
 * in one of 64 ordered trees, chosen by mfn >> 18 and each under its RMAP lock.
 *
 * It decides who may see a frame (C13): a place that is neither HOST nor FOREIGN,
 * and not of a frame that was declared shared, owns its frame, and all owning
 * places of a frame are in one domain. (Frames that were declared fixed are not
 * in here where they are as declared: see frames.c.)
 *
 *   claim    leaf empty: compare-exchange it; then, if the tree of that region
 *            is not empty, look under its lock for another owner and give the
 *            leaf back if there is one.
 *   further  leaf taken: under the lock, announce by the tree's count, read the
 *            leaf again, decide, insert. Either the other claimant sees the
 *            count, or this one sees its leaf: exactly one wins.
 *
 * So a leaf can be there that its claimant will have to give back: one of
 * another owner than the tree's. Whoever holds the lock takes the tree's word. A
 * place, once entered, stays where it is, leaf or record, until it is removed.
 *
 * A node that was linked stays until rmap_exit(): whoever looks up takes no
 * lock, and whoever claims may be of any domain.
 *
 * Context of all: BOOT, TASK; no lock of class RMAP or UNIT held, and none at
 * all for init, reserve_grow, claim and split (they allocate).
 */
#ifndef IOMMUABS_CORE_RMAP_H
#define IOMMUABS_CORE_RMAP_H

#include "../host/lock.h"
#include "../host/tablemem.h"
#include "../pgtable/pgtable.h"
#include "rmap_tree.h"

#define RMAP_LOCKS	64
#define RMAP_REGION_LG2 18 /* frames under one lock: 1 GiB */

struct rmap_tree {
	struct ia_lock lock; /* class RMAP */
	struct rmap_extra *root;
	uint32_t count; /* atomic: records in it, or about to be */
};

struct rmap {
	struct tablemem *mem;
	struct tablemem_account account; /* the nodes: the instance's */
	struct pt pt;
	struct rmap_tree *trees; /* RMAP_LOCKS of them */
	uint64_t seed;		 /* of the trees' shape, which nobody knows */
	struct ia_lock lock;	 /* class UNIT, a leaf: all below, and extras */
	struct tablemem_pool reserve; /* for splits when the host has nothing */
	uint32_t reserve_missing;     /* atomic: pages it should have more */
};

/* Who adds and removes places; one per domain. */
struct rmap_owner {
	uint16_t number; /* of the domain, unique among living ones */
	uint8_t host;	 /* 1: HOST domain, conflicts with nobody */
	/* Pays for further places: a frame for each 128 begun. */
	struct tablemem_account *account;
	uint64_t extras; /* further places it has; under rmap.lock */
};

/* Frames [mfn, mfn + nr) at [gfn, gfn + nr). */
struct rmap_range {
	uint64_t mfn, gfn, nr;
	uint32_t kind; /* RMAP_OWNING or another */
};

/* Places that own nothing and refuse nobody, and why. */
#define RMAP_OWNING  0
#define RMAP_FOREIGN 1 /* the host vouches */
#define RMAP_SHARED  2 /* the frame is declared so */

/* Return: 0 | E_NOMEM. */
int rmap_init(struct rmap *rmap, struct tablemem *mem);
/* No place is left. */
void rmap_exit(struct rmap *rmap);

/* A caller more or fewer who may split at the same time (4 pages each). */
int rmap_reserve_grow(struct rmap *rmap);
void rmap_reserve_shrink(struct rmap *rmap);

/*
 * Enter all places of @range, or none. No frame of it has a place of this
 * domain at that gfn. While a claim of several frames fails, another domain's
 * for some of them may fail, too.
 * Return: 0 | E_PERM (a frame is another domain's) | E_NOMEM | E_QUOTA.
 */
int rmap_claim(struct rmap *rmap, struct rmap_owner *owner,
	       const struct rmap_range *range);

/*
 * Make the later release of exactly @range need no memory: split leaves that
 * its ends cut. Changes nothing that can be seen.
 * Return: 0 | E_NOMEM.
 */
int rmap_split(struct rmap *rmap, struct rmap_owner *owner,
	       const struct rmap_range *range);

/* Where there is no memory for that: widen @range to whole leaves. */
void rmap_grow(struct rmap *rmap, const struct rmap_owner *owner,
	       struct rmap_range *range);

/* Remove the places of @range, which exist and were split if need be. */
void rmap_release(struct rmap *rmap, struct rmap_owner *owner,
		  const struct rmap_range *range);

/*
 * The same in pieces, for an owner that loses all its places: whole leaves, so
 * that nothing was to be split. *@budget counts entries and records, over 0 to
 * begin with. Return: how many frames from @range's first on; fewer than its nr
 * if the budget is gone, more if a leaf reaches further.
 */
uint64_t rmap_release_some(struct rmap *rmap, struct rmap_owner *owner,
			   const struct rmap_range *range, uint64_t *budget);

/*
 * Claim and release what takes one leaf; false or NULL: nothing was done, the calls
 * above know more. What hold_one() gives, for one frame, is ended by
 * pt_clear_held(), which releases the place, or by pt_let_go().
 */
bool rmap_claim_leaf(struct rmap *rmap, const struct rmap_owner *owner,
		     const struct rmap_range *range);
/* What claim_leaf entered just now. */
void rmap_release_leaf(struct rmap *rmap, const struct rmap_range *range);
uint64_t *rmap_hold_one(struct rmap *rmap, const struct rmap_owner *owner,
			const struct rmap_range *range);

struct rmap_place {
	uint16_t number;
	uint8_t foreign, host;
	uint64_t gfn;
	uint8_t shared;
};

/*
 * Places of one frame, ascending by (number, gfn), strictly after @after (NULL:
 * from the start). Writes up to @max, returns how many. @only: -1, or places of
 * this domain number only.
 */
uint32_t rmap_places(struct rmap *rmap, uint64_t mfn, int32_t only,
		     const struct rmap_place *after, struct rmap_place *places,
		     uint32_t max);

/* Frames [mfn, mfn + nr) and what is known of their places. */
struct rmap_stretch {
	uint64_t mfn, nr;
	/* 1: they have one each, which follow each other; @place: the first's.
	 * 0: it is one frame, ask rmap_places(). */
	uint32_t alone;
	struct rmap_place place;
};

/*
 * The next frames in [@mfn, @end) that have places. @next->nr 0: none has before
 * @next->mfn, which is @end, or *@budget is used up (units: entries and trees
 * looked at; any over 0 gets on).
 */
void rmap_next(const struct rmap *rmap, uint64_t mfn, uint64_t end,
	       uint64_t *budget, struct rmap_stretch *next);

/* Is any frame of [@mfn, @mfn + @nr) somewhere? */
bool rmap_is_mapped(struct rmap *rmap, uint64_t mfn, uint64_t nr);

#endif
