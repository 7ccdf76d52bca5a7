/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * users.c - who sees a machine frame, and everything in a range of them
 *
 * The places that the reverse map has, those that follow from a fixed declaration,
 * and the library's own use, in the order of domain numbers; the library is 0.
 */
#include "change.h"

#define PLACES 8 /* looked up at a time */

/*
 * A cursor is the last place that was reported: domain number, gfn. Domain 0
 * does not exist, so the library itself has that number and comes first.
 */
#define CURSOR_LIBRARY ((uint64_t)1)

#define CURSOR_GFN_BITS 48

_Static_assert(CORE_DOMAINS_LG2 + CURSOR_GFN_BITS <= 64,
	       "number and gfn in one word");

/* Where users are written, and from which on. */
struct listing {
	struct iommuabs *abs;
	uint64_t mfn;
	uint64_t cursor;
	struct iommuabs_frame_user *users;
	uint32_t nr, max;
};

static uint16_t cursor_number(uint64_t cursor)
{
	return (uint16_t)(cursor >> CURSOR_GFN_BITS);
}

bool users_cursor_good(uint64_t cursor)
{
	return !(cursor >> (CURSOR_GFN_BITS + CORE_DOMAINS_LG2)) &&
	       (cursor <= CURSOR_LIBRARY || cursor_number(cursor));
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

/*
 * The user that @place of @mfn makes. Returns for how many frames from there on,
 * up to @nr that follow each other there too, it is the same. Inside abs->gate.
 */
static uint64_t user_of(struct iommuabs *abs, uint64_t mfn,
			const struct rmap_place *place, uint64_t nr,
			struct iommuabs_frame_user *user)
{
	struct iommuabs_domain *dom = domain_find(abs, place->number);
	uint64_t like = 1;
	struct pt_run run;

	*user = (struct iommuabs_frame_user){
		.dom = dom,
		.gfn = IOMMUABS_GFN(place->gfn),
		.flags = place->foreign ? IOMMUABS_FOREIGN : 0,
		.state = IOMMUABS_FRAME_UNSYNCED,
	};
	if (!dom)
		return like;
	user->dom_cookie = dom->cookie;
	domain_enter(dom);
	/* A destroy that came in between has taken the ledger apart. */
	if (place->gfn < dom->destroy_at) {
		domain_leave(dom);
		return like;
	}
	if (ledger_next(dom, place->gfn, place->gfn + nr, &run) &&
	    run.in == place->gfn && run.out == mfn) {
		user->flags = (uint32_t)(run.attr & PT_LEDGER_FLAGS);
		user->state = (enum iommuabs_frame_state)ledger_state(run.attr);
		like = run.nr;
	} else if (is_withheld(dom, mfn, place->gfn)) {
		user->state = IOMMUABS_FRAME_WITHHELD;
	}
	domain_leave(dom);
	return like;
}

static void list_user(struct listing *list, const struct rmap_place *place)
{
	(void)user_of(list->abs, list->mfn, place, 1, &list->users[list->nr++]);
	list->cursor = (uint64_t)place->number << CURSOR_GFN_BITS | place->gfn;
}

/* What the reverse map has, of domain @only or (-1) of all. */
static void list_places(struct listing *list, int32_t only)
{
	struct rmap_place places[PLACES], after;
	uint32_t got, want, i;

	do {
		want = IA_MIN(list->max - list->nr, (uint32_t)PLACES);
		after.number = cursor_number(list->cursor);
		after.gfn = list->cursor & IA_BITS(CURSOR_GFN_BITS);
		got = rmap_places(&list->abs->rmap, list->mfn, only,
				  after.number ? &after : NULL, places, want);
		for (i = 0; i < got; i++)
			list_user(list, &places[i]);
	} while (got == want && list->nr < list->max);
}

bool frame_is_fixed_in(struct iommuabs_domain *dom, uint64_t mfn, uint64_t gfn)
{
	struct pt_leaf leaf;
	bool there;

	if (!frames_fixed_fits(dom, gfn, 1))
		return false;
	domain_enter(dom);
	there = gfn >= dom->destroy_at &&
		dom->ledger.ops->lookup(&dom->ledger, gfn, &leaf) &&
		leaf.out == mfn;
	domain_leave(dom);
	return there;
}

/* A frame that is fixed at @gfn: each domain is asked. */
static void list_fixed(struct listing *list, uint64_t gfn)
{
	uint16_t number = cursor_number(list->cursor);
	struct rmap_place place = { .gfn = gfn };
	struct iommuabs_domain *dom;

	dom = domain_after_number(list->abs, number ? number - 1u : 0);
	for (; dom && list->nr < list->max;
	     dom = domain_after_number(list->abs, dom->owner.number)) {
		place.number = dom->owner.number;
		if (dom->owner.host)
			list_places(list, dom->owner.number);
		else if (place.number != number &&
			 frame_is_fixed_in(dom, list->mfn, gfn))
			list_user(list, &place);
	}
}

static bool is_librarys(struct iommuabs *abs, uint64_t mfn)
{
	return tablemem_holds(&abs->mem, mfn, 1) ||
	       registers_overlap(abs, mfn, 1);
}

static void list_frame(struct listing *list)
{
	struct frames_policy policy;

	if (!list->cursor && is_librarys(list->abs, list->mfn)) {
		list->users[list->nr++] = (struct iommuabs_frame_user){
			.state = IOMMUABS_FRAME_MAPPED,
		};
		list->cursor = CURSOR_LIBRARY;
	}
	if (list->nr == list->max)
		return;
	(void)frames_policy(list->abs, list->mfn, 1, &policy);
	if (policy.kind == IOMMUABS_FRAMES_FIXED)
		list_fixed(list, policy.gfn);
	else
		list_places(list, -1);
}

uint32_t users_list(struct iommuabs *abs, uint64_t mfn, uint64_t *cursor,
		    struct iommuabs_frame_user users[], uint32_t max)
{
	struct listing list = { abs, mfn, *cursor, users, 0, max };

	instance_enter(abs);
	list_frame(&list);
	instance_leave(abs);
	*cursor = list.cursor;
	return list.nr;
}

/* ---- a range ---- */

/*
 * The first frame in [@mfn, *@end) that is declared fixed; *@end: none. That is
 * as far as it looked, which *@budget limits: a declaration each.
 */
static uint64_t fixed_next(const struct iommuabs *abs, uint64_t mfn,
			   uint64_t *end, uint64_t *budget)
{
	struct frames_policy policy;

	do {
		uint64_t nr = frames_policy(abs, mfn, *end - mfn, &policy);

		if (policy.kind == IOMMUABS_FRAMES_FIXED)
			return mfn;
		mfn += nr;
		*budget -= IA_MIN(*budget, 1);
	} while (mfn < *end && *budget);
	*end = IA_MIN(*end, mfn);
	return *end;
}

/*
 * The next frames that have users. As rmap_next(); of what isn't in the reverse
 * map a frame at a time.
 */
static void walk_next(struct iommuabs *abs,
		      const struct iommuabs_frames_walk *walk, uint64_t *budget,
		      struct rmap_stretch *next)
{
	uint64_t mfn = walk->mfn.frame, end, other;

	rmap_next(&abs->rmap, mfn, mfn + walk->nr, budget, next);
	end = next->mfn + next->nr;
	other = registers_next(abs, mfn, end);
	other = IA_MIN(other, fixed_next(abs, mfn, &end, budget));
	other = IA_MIN(other, tablemem_next(&abs->mem, mfn, &end, budget));
	if (other < end && other <= next->mfn)
		*next = (struct rmap_stretch){ .mfn = other, .nr = 1 };
	else if (end <= next->mfn)
		*next = (struct rmap_stretch){ .mfn = end };
	else
		next->nr = IA_MIN(other, end) - next->mfn;
}

static void walk_advance(struct iommuabs_frames_walk *walk, uint64_t to)
{
	walk->nr -= to - walk->mfn.frame;
	walk->mfn.frame = to;
	walk->after = 0;
}

/* A frame with any number of users, as many as there is room for. */
static void walk_frame(struct iommuabs *abs, struct iommuabs_frames_walk *walk)
{
	struct iommuabs_frame_user users[PLACES];
	uint32_t max = walk->max_places - walk->nr_places, i;
	struct listing list = { abs,	     walk->mfn.frame,
				walk->after, users,
				0,	     IA_MIN(max, (uint32_t)PLACES) };

	list_frame(&list);
	for (i = 0; i < list.nr; i++)
		walk->places[walk->nr_places++] = (struct iommuabs_frame_place){
			.mfn = walk->mfn,
			.nr = 1,
			.user = users[i],
		};
	walk->after = list.cursor;
	if (list.nr < list.max)
		walk_advance(walk, walk->mfn.frame + 1);
}

/* Frames with one place each that follow each other, as far as they are alike. */
static void walk_stretch(struct iommuabs *abs,
			 struct iommuabs_frames_walk *walk,
			 const struct rmap_stretch *stretch)
{
	struct iommuabs_frame_place *place = &walk->places[walk->nr_places++];

	place->mfn = IOMMUABS_MFN(stretch->mfn);
	place->nr = user_of(abs, stretch->mfn, &stretch->place, stretch->nr,
			    &place->user);
	walk_advance(walk, stretch->mfn + place->nr);
}

int frames_walk(struct iommuabs *abs, struct iommuabs_frames_walk *walk,
		uint64_t *budget)
{
	struct rmap_stretch next;

	instance_enter(abs);
	while (walk->nr && *budget && walk->nr_places < walk->max_places) {
		if (walk->after) {
			walk_frame(abs, walk);
		} else {
			walk_next(abs, walk, budget, &next);
			if (next.mfn > walk->mfn.frame)
				walk_advance(walk, next.mfn);
			if (next.nr && next.alone)
				walk_stretch(abs, walk, &next);
			else if (next.nr)
				walk_frame(abs, walk);
		}
		*budget -= IA_MIN(*budget, 1);
	}
	instance_leave(abs);
	return walk->nr ? IOMMUABS_E_AGAIN : 0;
}
