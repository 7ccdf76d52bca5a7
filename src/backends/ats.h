/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ats.h - which streams' devices keep translations, for drivers
 *
 * A list says which streams may, and under which id. An id is entered before
 * the entry allows ATS, and goes after the entry blocks: who invalidates meets every
 * device that could hold something. Ranges come when streams are reserved and
 * stay, so that the list needs no lock to be walked.
 */
#ifndef IOMMUABS_BACKENDS_ATS_H
#define IOMMUABS_BACKENDS_ATS_H

#include "backend.h"

/* Of a list that is only added to. */
struct backend_ats {
	struct backend_ats *next;
	uint32_t first, nr;
	uint32_t id; /* atomic; 0: no ATS now */
	/* Atomic: of each stream the physical function, or itself. */
	uint32_t physical[BACKEND_ATS_STREAMS];
};

#define BACKEND_ATS_TOGETHER 7

/* What takes a unit's own words. */
struct backend_ats_ops {
	/*
	 * Have the devices of @streams forget @range, NULL: everything; at most
	 * BACKEND_ATS_TOGETHER of them. 0 | E_TIMEOUT | BACKEND_STUCK.
	 */
	int (*forget)(struct backend_unit *unit,
		      const struct backend_streams *streams,
		      const struct backend_range *range);
	/* The entries, which are there, allow ATS or not. 0 | E_TIMEOUT. */
	int (*allow)(struct backend_unit *unit, const struct backend_ats *ats,
		     bool on);
};

/* Make room for streams; those of a range too great to be one device's never use
 * ATS. 0 | E_NOMEM. */
int backend_ats_reserve(struct backend_unit *unit, struct backend_ats **list,
			uint32_t first, uint32_t nr);
void backend_ats_free(struct backend_unit *unit, struct backend_ats **list);

void backend_ats_physical_set(struct backend_ats *list, uint32_t stream,
			      uint32_t physical);
uint32_t backend_ats_physical(const struct backend_ats *list, uint32_t stream);

/* Exactly these streams; NULL: they never use ATS. */
struct backend_ats *backend_ats_find(struct backend_ats *list, uint32_t first,
				     uint32_t nr);
void backend_ats_enter(struct backend_ats *ats, uint32_t id);
/* All in [@first, @first + @nr). */
void backend_ats_leave(struct backend_ats *list, uint32_t first, uint32_t nr);

/* Have the devices forget all, and then let them use ATS. 0 | E_TIMEOUT. */
int backend_ats_open(struct backend_unit *unit, struct backend_ats *ats,
		     const struct backend_ats_ops *ops);
/* Refuse what claims to be translated, of [@first, @first + @nr). 0 | E_TIMEOUT. */
int backend_ats_close(struct backend_unit *unit, const struct backend_ats *list,
		      uint32_t first, uint32_t nr,
		      const struct backend_ats_ops *ops);
/* All that were entered, on a unit that has just been enabled. */
int backend_ats_reopen(struct backend_unit *unit, struct backend_ats *list,
		       const struct backend_ats_ops *ops);
/* All that keep something of @inv->id; as backend_ops.invalidate(). */
int backend_ats_invalidate(struct backend_unit *unit,
			   const struct backend_ats *list,
			   const struct backend_inv *inv,
			   struct backend_streams *stuck,
			   const struct backend_ats_ops *ops);

/* The least aligned power of two of frames that holds @range, as a shift. */
static inline unsigned int backend_ats_span(const struct backend_range *range)
{
	uint64_t differing = range->gfn ^ (range->gfn + range->nr - 1);

	return differing ? 64 - (unsigned int)__builtin_clzll(differing) : 0;
}

#endif
