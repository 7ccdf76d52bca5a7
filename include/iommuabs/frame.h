/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frame.h - a machine frame: who sees it, who may
 */
#ifndef IOMMUABS_FRAME_H
#define IOMMUABS_FRAME_H

#include <iommuabs/types.h>

IOMMUABS_BEGIN_DECLS

/* Values of iommuabs_frame_user.state. */
enum iommuabs_frame_state {
	IOMMUABS_FRAME_MAPPED,
	IOMMUABS_FRAME_UNSYNCED, /* removed, the invalidation is owed */
	IOMMUABS_FRAME_WITHHELD, /* removed, the invalidation failed */
};

/* One place at which a frame is visible. */
struct iommuabs_frame_user {
	struct iommuabs_domain *dom; /* NULL: the library itself */
	void *dom_cookie;
	iommuabs_gfn_t gfn;
	uint32_t flags; /* of the mapping */
	enum iommuabs_frame_state state;
};

/**
 * iommuabs_frame_users() - every place of a machine frame, in all domains
 * @cursor: 0 before the first call; handed on to the next
 * @users:  room for @max
 * @nr:     how many were written; less than @max: that was the last
 *
 * Domains without a reverse map are not reported. No domain may be destroyed
 * while the answer is in use.
 *
 * Context: TASK; may run against any call.
 * Return:  0 | E_INVAL.
 */
IOMMUABS_MUST_CHECK int iommuabs_frame_users(struct iommuabs *abs,
					     iommuabs_mfn_t mfn,
					     uint64_t *cursor,
					     struct iommuabs_frame_user users[],
					     uint32_t max, uint32_t *nr);

/* What a range of machine frames may be. */
enum iommuabs_frame_kind {
	IOMMUABS_FRAMES_EXCLUSIVE, /* one guest at a time: the default */
	IOMMUABS_FRAMES_SHARED,	   /* any number of domains */
	IOMMUABS_FRAMES_FIXED,	   /* at @gfn in every domain */
};

struct iommuabs_frame_policy {
	uint32_t size; /* sizeof(struct iommuabs_frame_policy) */
	enum iommuabs_frame_kind kind;
	iommuabs_gfn_t gfn; /* kind FIXED */
	uint32_t flags;	    /* of the mapping, kind FIXED */
};

/**
 * iommuabs_frames_declare() - say what a range of frames may be
 *
 * Context: BOOT or TASK.
 * Return:  E_NOTSUP
 */
IOMMUABS_MUST_CHECK int
iommuabs_frames_declare(struct iommuabs *abs, iommuabs_mfn_t mfn, uint64_t nr,
			const struct iommuabs_frame_policy *policy);

IOMMUABS_END_DECLS

#endif
