/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * resets.h - a queue that is reset under those who wait for it
 *
 * Who waits for what it inserted remembers the reset that came last. After another
 * one nobody knows whether that was done: but once the unit has forgotten everything
 * since, it has done more than it was asked.
 */
#ifndef IOMMUABS_BACKENDS_RESETS_H
#define IOMMUABS_BACKENDS_RESETS_H

#include "backend.h"

struct backend_resets {
	uint32_t open; /* under the unit's lock: something may be inserted */
	/* Written under the lock, read without: */
	uint32_t begun;
	uint32_t done; /* the last that invalidated everything */
};

/* The lock is held. Nobody inserts any more. */
static inline void backend_reset_begin(struct backend_resets *resets)
{
	resets->open = 0;
	port_store32(&resets->begun, resets->begun + 1);
}

/* May others insert from now on? Takes the lock. */
static inline void backend_reset_open(struct backend_unit *unit,
				      struct backend_resets *resets,
				      uint32_t open)
{
	ia_lock(unit->host, &unit->lock);
	resets->open = open;
	ia_unlock(unit->host, &unit->lock);
}

/* Everything was invalidated since backend_reset_begin(). */
static inline void backend_reset_settle(struct backend_resets *resets)
{
	port_store32(&resets->done, resets->begun);
}

/*
 * Was there a reset since the @seen-th, and was everything invalidated since?
 * Looked at last, after what the waiter reads of the queue.
 */
static inline bool backend_reset_since(const struct backend_resets *resets,
				       uint32_t seen, bool *is_done)
{
	if (port_load32(&resets->begun) == seen)
		return false;
	*is_done = (int32_t)(port_load32(&resets->done) - seen) > 0;
	return true;
}

#endif
