/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * api_frame.c - machine frames, as the host asks about them
 */
#include "change.h"

#define FRAME_BITS (64 - IOMMUABS_FRAME_LG2)
#define PLACES	   8 /* looked up at a time */

/*
 * A cursor is the last place that was reported: domain number, gfn. Domain 0
 * does not exist, so the library itself has that number and comes first.
 */
#define CURSOR_LIBRARY ((uint64_t)1)

_Static_assert(CORE_DOMAINS_LG2 + 40 < 64, "number and gfn in one word");

#define CURSOR_GFN_BITS 48

static uint64_t cursor_of(const struct rmap_place *place)
{
	return (uint64_t)place->number << CURSOR_GFN_BITS | place->gfn;
}

/* Is @mfn in a range that was removed by REPLACE and could not be settled? */
static bool is_withheld(struct iommuabs_domain *dom, uint64_t mfn, uint64_t gfn)
{
	const struct hostif *host = &dom->abs->host;
	const struct replaced *gone;

	ia_lock(host, &dom->lock);
	gone = dom->withheld;
	while (gone && (gfn - gone->range.gfn >= gone->range.nr ||
			gone->range.mfn + (gfn - gone->range.gfn) != mfn))
		gone = gone->next;
	ia_unlock(host, &dom->lock);
	return gone != NULL;
}

/* Inside abs->gate. */
static void user_fill(struct iommuabs *abs, uint64_t mfn,
		      const struct rmap_place *place,
		      struct iommuabs_frame_user *user)
{
	struct iommuabs_domain *dom = domain_find(abs, place->number);
	struct pt_leaf leaf;

	*user = (struct iommuabs_frame_user){
		.dom = dom,
		.gfn = IOMMUABS_GFN(place->gfn),
		.flags = place->foreign ? IOMMUABS_FOREIGN : 0,
		.state = IOMMUABS_FRAME_UNSYNCED,
	};
	if (!dom)
		return;
	user->dom_cookie = dom->cookie;
	domain_enter(dom);
	if (dom->ledger.ops->lookup(&dom->ledger, place->gfn, &leaf) &&
	    leaf.out == mfn) {
		user->flags = (uint32_t)(leaf.attr & PT_LEDGER_FLAGS);
		user->state =
			(enum iommuabs_frame_state)ledger_state(leaf.attr);
	} else if (is_withheld(dom, mfn, place->gfn)) {
		user->state = IOMMUABS_FRAME_WITHHELD;
	}
	domain_leave(dom);
}

/* Places after *@cursor, up to @max. */
static uint32_t users_fill(struct iommuabs *abs, uint64_t mfn, uint64_t *cursor,
			   struct iommuabs_frame_user users[], uint32_t max)
{
	struct rmap_place places[PLACES], after;
	uint32_t nr = 0, got, want, i;

	do {
		want = IA_MIN(max - nr, (uint32_t)PLACES);
		after.number = (uint16_t)(*cursor >> CURSOR_GFN_BITS);
		after.gfn = *cursor & IA_BITS(CURSOR_GFN_BITS);
		got = rmap_places(&abs->rmap, mfn, -1,
				  after.number ? &after : NULL, places, want);
		for (i = 0; i < got; i++) {
			user_fill(abs, mfn, &places[i], &users[nr++]);
			*cursor = cursor_of(&places[i]);
		}
	} while (got == want && nr < max);
	return nr;
}

int iommuabs_frame_users(struct iommuabs *abs, iommuabs_mfn_t mfn,
			 uint64_t *cursor, struct iommuabs_frame_user users[],
			 uint32_t max, uint32_t *nr)
{
	uint64_t at;
	uint32_t found = 0;

	if (!abs || !cursor || !users || !max || !nr || mfn.frame >> FRAME_BITS)
		return IOMMUABS_E_INVAL;
	at = *cursor;
	if (at >> (CURSOR_GFN_BITS + CORE_DOMAINS_LG2) ||
	    (at > CURSOR_LIBRARY && !(at >> CURSOR_GFN_BITS)))
		return IOMMUABS_E_INVAL;
	gate_enter(&abs->gate);
	if (!at && (tablemem_holds(&abs->mem, mfn.frame, 1) ||
		    instance_registers_overlap(abs, mfn.frame, 1))) {
		users[found++] = (struct iommuabs_frame_user){
			.state = IOMMUABS_FRAME_MAPPED,
		};
		at = CURSOR_LIBRARY;
	}
	if (found < max)
		found += users_fill(abs, mfn.frame, &at, users + found,
				    max - found);
	gate_leave(&abs->gate);
	*cursor = at;
	*nr = found;
	return 0;
}

int iommuabs_frames_declare(struct iommuabs *abs, iommuabs_mfn_t mfn,
			    uint64_t nr,
			    const struct iommuabs_frame_policy *policy)
{
	(void)abs;
	(void)mfn;
	(void)nr;
	(void)policy;
	return IOMMUABS_E_NOTSUP;
}
