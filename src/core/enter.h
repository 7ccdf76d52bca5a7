/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * enter.h - the gates of instance, domain and unit, each by its name
 *
 * docs/locking.md says who enters which, and in what order; a debug build checks
 * it here.
 */
#ifndef IOMMUABS_CORE_ENTER_H
#define IOMMUABS_CORE_ENTER_H

#include "../host/caller.h"
#include "core.h"

/* As many: domains that were found by number are used. Alone: one is freed. */
static inline void instance_enter(struct iommuabs *abs)
{
	caller_enters(&abs->host, CALLER_GATE_INSTANCE, 0);
	gate_enter(&abs->gate);
}

static inline void instance_leave(struct iommuabs *abs)
{
	gate_leave(&abs->gate);
	caller_leaves(&abs->host, CALLER_GATE_INSTANCE);
}

static inline void instance_enter_alone(struct iommuabs *abs)
{
	caller_enters(&abs->host, CALLER_GATE_INSTANCE, 0);
	gate_enter_alone(&abs->gate);
}

static inline void instance_leave_alone(struct iommuabs *abs)
{
	gate_leave_alone(&abs->gate);
	caller_leaves(&abs->host, CALLER_GATE_INSTANCE);
}

/* Start and stop, and what must not meet them. */
static inline void life_enter_alone(struct iommuabs *abs)
{
	caller_enters(&abs->host, CALLER_GATE_LIFE, 0);
	gate_enter_alone(&abs->life);
}

static inline void life_leave_alone(struct iommuabs *abs)
{
	gate_leave_alone(&abs->life);
	caller_leaves(&abs->host, CALLER_GATE_LIFE);
}

static inline void unit_enter(struct iommuabs_unit *unit)
{
	caller_enters(&unit->abs->host, CALLER_GATE_UNIT, 0);
	gate_enter(&unit->gate);
}

static inline void unit_leave(struct iommuabs_unit *unit)
{
	gate_leave(&unit->gate);
	caller_leaves(&unit->abs->host, CALLER_GATE_UNIT);
}

static inline void unit_enter_alone(struct iommuabs_unit *unit)
{
	caller_enters(&unit->abs->host, CALLER_GATE_UNIT, 0);
	gate_enter_alone(&unit->gate);
}

static inline void unit_leave_alone(struct iommuabs_unit *unit)
{
	gate_leave_alone(&unit->gate);
	caller_leaves(&unit->abs->host, CALLER_GATE_UNIT);
}

/* A SERIALISED domain has no gate: its caller promised to be alone. */
static inline void domain_enter(struct iommuabs_domain *dom)
{
	caller_enters(&dom->abs->host, CALLER_GATE_DOMAIN, dom->owner.number);
	if (!(dom->flags & IOMMUABS_DOMAIN_SERIALISED))
		gate_enter(&dom->gate);
}

static inline void domain_leave(struct iommuabs_domain *dom)
{
	if (!(dom->flags & IOMMUABS_DOMAIN_SERIALISED))
		gate_leave(&dom->gate);
	caller_leaves(&dom->abs->host, CALLER_GATE_DOMAIN);
}

/*
 * Inside, alone or not: nobody else is in the middle of anything until
 * domain_resume(), and who waits to be alone waits on.
 */
static inline void domain_quiesce(struct iommuabs_domain *dom)
{
	caller_waits(&dom->abs->host);
	if (!dom->alone && !(dom->flags & IOMMUABS_DOMAIN_SERIALISED))
		gate_quiesce(&dom->gate);
}

static inline void domain_resume(struct iommuabs_domain *dom)
{
	if (!dom->alone && !(dom->flags & IOMMUABS_DOMAIN_SERIALISED))
		gate_resume(&dom->gate);
}

static inline void domain_enter_alone(struct iommuabs_domain *dom)
{
	caller_enters(&dom->abs->host, CALLER_GATE_DOMAIN, dom->owner.number);
	if (!(dom->flags & IOMMUABS_DOMAIN_SERIALISED))
		gate_enter_alone(&dom->gate);
	dom->alone = 1;
}

/* view.c: work domain.simple out; nobody is inside the gate, or one is alone. */
void domain_note_simple(struct iommuabs_domain *dom);

static inline void domain_leave_alone(struct iommuabs_domain *dom)
{
	domain_note_simple(dom);
	dom->alone = 0;
	if (!(dom->flags & IOMMUABS_DOMAIN_SERIALISED))
		gate_leave_alone(&dom->gate);
	caller_leaves(&dom->abs->host, CALLER_GATE_DOMAIN);
}

#endif
