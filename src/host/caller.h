/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * caller.h - what a caller of the library holds, in a debug build
 *
 * docs/locking.md says in what order locks and gates are taken, and what may be
 * called where. A debug build notes in the host's struct iommuabs_caller what its
 * owner holds, and traps at the first step that the page forbids: a mistake of the
 * library, or of a host that calls it where it may not. Other builds do nothing.
 */
#ifndef IOMMUABS_HOST_CALLER_H
#define IOMMUABS_HOST_CALLER_H

#include "hostif.h"

#if defined(IOMMUABS_CONFIG_DEBUG) && IOMMUABS_CONFIG_DEBUG
#define CALLER_CHECKS 1
#else
#define CALLER_CHECKS 0
#endif

/* Gates, in the order in which they nest. */
enum caller_gate {
	CALLER_GATE_LIFE,
	CALLER_GATE_INSTANCE,
	CALLER_GATE_DOMAIN,
	CALLER_GATE_UNIT,
	CALLER_GATES,
};

/* Hooks, by what their callee may do. */
enum caller_hook {
	CALLER_HOOK_NONE,
	CALLER_HOOK_CLOSED, /* call nothing of the library */
	CALLER_HOOK_FAULT,  /* call anything but what ends something */
};

struct iommuabs_caller *caller_self(const struct hostif *host);
void caller_check_lock(const struct hostif *host,
		       enum iommuabs_lock_class class_);
void caller_check_unlock(const struct hostif *host,
			 enum iommuabs_lock_class class_);
void caller_check_enter(const struct hostif *host, enum caller_gate gate,
			uint32_t order);
void caller_check_leave(const struct hostif *host, enum caller_gate gate);
void caller_check_waits(const struct hostif *host);
void caller_check_outside(const struct hostif *host);
void caller_check_ends(const struct hostif *host);
uint32_t caller_set_context(const struct hostif *host, uint32_t context);
uint32_t caller_set_hook(const struct hostif *host, uint32_t hook);

/* Before a lock is waited for, and before it is let go. */
static inline void caller_locks(const struct hostif *host,
				enum iommuabs_lock_class class_)
{
	if (CALLER_CHECKS)
		caller_check_lock(host, class_);
}

static inline void caller_unlocks(const struct hostif *host,
				  enum iommuabs_lock_class class_)
{
	if (CALLER_CHECKS)
		caller_check_unlock(host, class_);
}

/*
 * Before a gate is waited for. @order: of two domains, the one that is entered
 * first has the lower one. 0: there are never two.
 */
static inline void caller_enters(const struct hostif *host,
				 enum caller_gate gate, uint32_t order)
{
	if (CALLER_CHECKS)
		caller_check_enter(host, gate, order);
}

static inline void caller_leaves(const struct hostif *host,
				 enum caller_gate gate)
{
	if (CALLER_CHECKS)
		caller_check_leave(host, gate);
}

/* Before what may wait, for hardware or in the host: no lock is held. */
static inline void caller_waits(const struct hostif *host)
{
	if (CALLER_CHECKS)
		caller_check_waits(host);
}

/* Before a hook that takes locks under which hosts call: nor is a gate. */
static inline void caller_is_outside(const struct hostif *host)
{
	if (CALLER_CHECKS)
		caller_check_outside(host);
}

/* Before what ends something: not from the callback of a fault. */
static inline void caller_ends(const struct hostif *host)
{
	if (CALLER_CHECKS)
		caller_check_ends(host);
}

/* Returns what it was: to be set again. */
static inline uint32_t caller_context(const struct hostif *host,
				      uint32_t context)
{
	return CALLER_CHECKS ? caller_set_context(host, context) : 0;
}

static inline uint32_t caller_hook(const struct hostif *host, uint32_t hook)
{
	return CALLER_CHECKS ? caller_set_hook(host, hook) : 0;
}

#endif
