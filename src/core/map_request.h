/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map_request.h - what is to be mapped, against what the ledger says
 *
 * A request is looked at in segments: stretches where the new frames are
 * consecutive and the ledger says one thing. New places are claimed in the
 * reverse map first (that is where a frame of somebody else is refused), then
 * tables are taken; entering them can't fail.
 */
#ifndef IOMMUABS_CORE_MAP_REQUEST_H
#define IOMMUABS_CORE_MAP_REQUEST_H

#include "change.h"

enum segment_kind {
	SEGMENT_GAP,	/* nothing is there */
	SEGMENT_SAME,	/* exactly this mapping is there */
	SEGMENT_REFLAG, /* the same frames with other flags */
	SEGMENT_OTHER,	/* other frames */
	SEGMENT_GOING,	/* unsynced or withheld */
};

struct segment {
	enum segment_kind kind;
	uint64_t gfn, mfn, nr;	    /* as requested */
	uint64_t old_mfn, old_attr; /* unless GAP */
};

/* What is asked: consecutive frames, or a list. */
struct request {
	struct iommuabs_domain *dom;
	const struct mapping *map;
	const iommuabs_mfn_t *mfns; /* NULL: consecutive from map->mfn */
};

/* Frames from @gfn on that are consecutive in the request. */
uint64_t request_run(const struct request *req, uint64_t gfn, uint64_t *mfn);
/* The segment that begins at @gfn; false past the request's end. */
bool segment_at(const struct request *req, uint64_t gfn, struct segment *seg);

#define for_each_segment(req, seg)                        \
	for ((seg)->gfn = (req)->map->gfn, (seg)->nr = 0; \
	     segment_at((req), (seg)->gfn + (seg)->nr, (seg));)

static inline void segment_place(const struct segment *seg,
				 struct rmap_range *place)
{
	place->mfn = seg->mfn;
	place->gfn = seg->gfn;
	place->nr = seg->nr;
	place->kind = RMAP_OWNING;
}

/*
 * May the request be entered over what is there? @new_: it fills gaps, @old: it
 * replaces something. What is on its way out there is settled, which waits for
 * units. 0 | E_EXISTS | E_NOMEM | E_QUOTA | E_TIMEOUT | E_FENCED.
 */
int request_survey(const struct request *req, bool *new_, bool *old);
/* Claim all new places, or none. As places_claim(). */
int request_claim(const struct request *req);
/* Undo claims below @end. Their leaves are this call's own: nothing is cut. */
void request_unclaim(const struct request *req, uint64_t end);
/* Take the tables that the gaps need. 0 | E_NOMEM | E_QUOTA. */
int request_tables(const struct request *req, struct spares *spares);
/* Enter @seg in the ledger and in every mirror: can't fail. */
void segment_enter(const struct request *req, const struct segment *seg,
		   struct spares *spares);

/* ---- map_replace.c ---- */

/*
 * Over other frames or flags: break, forget, make; the old places are owed. 0 |
 * E_AGAIN | an error of request_claim() | E_NOMEM | E_QUOTA: as before; E_TIMEOUT,
 * E_FENCED: what was there is withheld.
 */
int request_replace(const struct request *req, struct batch *batch);

#endif
