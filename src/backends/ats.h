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
};

/*
 * Have the devices of @streams forget @range, NULL: everything; at most
 * BACKEND_ATS_TOGETHER of them. 0 | E_TIMEOUT | BACKEND_STUCK.
 */
#define BACKEND_ATS_TOGETHER 7
typedef int (*backend_ats_forget_fn)(struct backend_unit *unit,
				     const struct backend_streams *streams,
				     const struct backend_range *range);

/* Make room for streams; those of a range too great to be one device's never use
 * ATS. 0 | E_NOMEM. */
int backend_ats_reserve(struct backend_unit *unit, struct backend_ats **list,
			uint32_t first, uint32_t nr);
void backend_ats_free(struct backend_unit *unit, struct backend_ats **list);

/* Exactly these streams; NULL: they never use ATS. */
struct backend_ats *backend_ats_find(struct backend_ats *list, uint32_t first,
				     uint32_t nr);
void backend_ats_enter(struct backend_ats *ats, uint32_t id);
/* All in [@first, @first + @nr). */
void backend_ats_leave(struct backend_ats *list, uint32_t first, uint32_t nr);
/* Is it in [@first, @first + @nr), and may it use ATS? */
bool backend_ats_is_open(const struct backend_ats *ats, uint32_t first,
			 uint32_t nr);

/* All of its streams. 0 | E_TIMEOUT | BACKEND_STUCK. */
int backend_ats_forget(struct backend_unit *unit, const struct backend_ats *ats,
		       const struct backend_range *range,
		       backend_ats_forget_fn forget);
/* All that keep something of @inv->id; as backend_ops.invalidate(). */
int backend_ats_invalidate(struct backend_unit *unit,
			   const struct backend_ats *list,
			   const struct backend_inv *inv,
			   struct backend_streams *stuck,
			   backend_ats_forget_fn forget);

/* The least aligned power of two of frames that holds @range, as a shift. */
static inline unsigned int backend_ats_span(const struct backend_range *range)
{
	uint64_t differing = range->gfn ^ (range->gfn + range->nr - 1);

	return differing ? 64 - (unsigned int)__builtin_clzll(differing) : 0;
}

#endif
