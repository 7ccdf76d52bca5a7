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
	IOMMUABS_FRAMES_SHARED,	   /* any number of domains: no place owns it */
	/* At one gfn in every guest, and at no other: the virtual CPU interface
	 * of a GICv2. The reverse map takes no memory for it. */
	IOMMUABS_FRAMES_FIXED,
	IOMMUABS_FRAMES_HOST,	/* in domains with IOMMUABS_DOMAIN_HOST only */
	IOMMUABS_FRAMES_CLOSED, /* no new place anywhere; those there are stay */
};

struct iommuabs_frame_policy {
	uint32_t size; /* sizeof(struct iommuabs_frame_policy) */
	enum iommuabs_frame_kind kind;
	iommuabs_gfn_t gfn; /* kind FIXED: of the first frame; else 0 */
	uint32_t flags;	    /* kind FIXED: READ, WRITE, a memory type; else 0 */
};

/**
 * iommuabs_frames_declare() - say what a range of frames may be
 * @nr:     frames of 4 KiB, > 0
 * @policy: copied; takes the place of what was declared there before
 *
 * A refused frame is IOMMUABS_E_PERM to whoever maps it, FOREIGN or not.
 *
 * FIXED enters the range in every guest that there is and that will be, as
 * iommuabs_domain_map() would (the tables that takes are the domain's). A host that
 * gave a p2m writes it then. A guest can have it there alone; REPLACE does not
 * take its place; iommuabs_domain_unmap() takes it from one guest. Domains with
 * HOST, and those too narrow for @policy's gfns, don't get it. FIXED ends by
 * another declaration, which unmaps the frames everywhere first: a host that gave
 * a p2m changes that before.
 *
 * A range that is CLOSED can be emptied: iommuabs_frames_walk() lists what is left.
 *
 * Context: BOOT or TASK; every domain's gate is held alone meanwhile, and counts as
 *          a call on every SERIALISED domain; allocates; waits for hardware.
 * Return:  0 | E_INVAL | E_VERSION | E_BUSY (places contradict: of a guest at all
 *          (HOST), at another gfn or of a domain that is being destroyed (FIXED),
 *          in more guests than one perhaps (EXCLUSIVE after SHARED); or it is
 *          FIXED otherwise already, or a domain that has it is being destroyed) |
 *          E_EXISTS (FIXED: a guest has something else at a gfn of it) |
 *          E_PERM (FIXED: it is the library's own) | E_RESERVED (FIXED: a
 *          reserved region of an attached device is there) | E_GRANULE |
 *          E_NOTSUP (both as map) | E_NOMEM | E_QUOTA | E_TIMEOUT | E_FENCED (a
 *          unit did not say that it forgot what is, or was, there). On error
 *          nothing is changed; but where FIXED ends it stands until the call is
 *          repeated, while guests may be without the frames, which may be
 *          withheld.
 */
IOMMUABS_MUST_CHECK int
iommuabs_frames_declare(struct iommuabs *abs, iommuabs_mfn_t mfn, uint64_t nr,
			const struct iommuabs_frame_policy *policy);

/**
 * iommuabs_frames_declared() - what was declared about one frame
 * @policy: size is set by the caller; written on 0, gfn: of this frame
 *
 * Context: TASK.
 * Return:  0 | E_INVAL.
 */
IOMMUABS_MUST_CHECK int
iommuabs_frames_declared(struct iommuabs *abs, iommuabs_mfn_t mfn,
			 struct iommuabs_frame_policy *policy);

/* Frames from @mfn on that are at @user.gfn on, all with these flags and state. */
struct iommuabs_frame_place {
	iommuabs_mfn_t mfn;
	uint64_t nr;
	struct iommuabs_frame_user user;
};

/* A walk over machine frames, and how far it has come. */
struct iommuabs_frames_walk {
	uint32_t size;	     /* sizeof(struct iommuabs_frames_walk) */
	uint32_t max_places; /* room in @places, > 0 */
	/* The range; by and by, what is left of it. */
	iommuabs_mfn_t mfn;
	uint64_t nr;
	uint64_t after; /* 0; then the library's */
	struct iommuabs_frame_place *places;
	uint32_t nr_places; /* written */
};

/**
 * iommuabs_frames_walk() - every place of a range of machine frames, in all domains
 * @walk:   says where the next call goes on; nr_places says what this one found
 * @budget: work units; 0: until the end, or @walk's places are full
 *
 * In the order of frames, for each in that of iommuabs_frame_users(), with the
 * library itself first (dom NULL). What changes meanwhile is reported or not. To
 * empty a range that goes away: declare it CLOSED; walk it and unmap what is
 * listed, in the order that domain.h asks of a host with a p2m; until a walk from
 * the start lists nothing. Frames that are withheld are listed until
 * iommuabs_unit_recover(). No domain may be destroyed while the answer is in use.
 *
 * Context: TASK; may run against any call.
 * Return:  0 (the end) | E_AGAIN (more to walk; places were written) | E_INVAL |
 *          E_VERSION.
 */
IOMMUABS_MUST_CHECK int iommuabs_frames_walk(struct iommuabs *abs,
					     struct iommuabs_frames_walk *walk,
					     uint64_t budget);

/* A question to host->frames_allowed(). */
struct iommuabs_frames_query {
	void *dom_cookie;
	iommuabs_gfn_t gfn;
	iommuabs_mfn_t mfn;
	uint64_t nr;
	uint32_t flags; /* of the mapping, REPLACE excepted */
};

/* An answer to it: see host.h. */
#define IOMMUABS_FRAMES_VOUCHED 1

IOMMUABS_END_DECLS

#endif
