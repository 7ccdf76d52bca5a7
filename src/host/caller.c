/* SPDX-License-Identifier: BSD-2-Clause */
#include "caller.h"

#if CALLER_CHECKS

/* struct iommuabs_caller, word by word. */
enum {
	LOCKS, /* a bit per class */
	HOOK,  /* enum caller_hook */
	GATES, /* how often inside, by enum caller_gate */
	ORDER = GATES + CALLER_GATES, /* of the domain that was entered last */
	WORDS,
};

_Static_assert(WORDS <= IA_COUNT(((struct iommuabs_caller *)0)->words),
	       "fits into what the host gives");

struct iommuabs_caller *caller_self(const struct hostif *host)
{
	return host->ops.caller ? host->ops.caller(host->ctx) : NULL;
}

/* May it take locks and gates at all? */
static bool may_take(const struct iommuabs_caller *self)
{
	return self->context == IOMMUABS_CONTEXT_TASK &&
	       self->words[HOOK] != CALLER_HOOK_CLOSED;
}

/* Inside @gate or one that comes after it? */
static bool is_inside(const struct iommuabs_caller *self, enum caller_gate gate)
{
	uint32_t i;

	for (i = gate; i < CALLER_GATES; i++)
		if (self->words[GATES + i])
			return true;
	return false;
}

void caller_check_lock(const struct hostif *host,
		       enum iommuabs_lock_class class_)
{
	struct iommuabs_caller *self = caller_self(host);

	if (!self)
		return;
	iommuabs_assert(may_take(self));
	iommuabs_assert(!(self->words[LOCKS] >> class_));
	self->words[LOCKS] |= 1u << class_;
}

void caller_check_unlock(const struct hostif *host,
			 enum iommuabs_lock_class class_)
{
	struct iommuabs_caller *self = caller_self(host);

	if (!self)
		return;
	iommuabs_assert(self->words[LOCKS] >> class_ == 1);
	self->words[LOCKS] &= ~(1u << class_);
}

void caller_check_enter(const struct hostif *host, enum caller_gate gate,
			uint32_t order)
{
	struct iommuabs_caller *self = caller_self(host);

	if (!self)
		return;
	iommuabs_assert(may_take(self));
	iommuabs_assert(!self->words[LOCKS]);
	iommuabs_assert(!is_inside(self, gate + 1));
	iommuabs_assert(!self->words[GATES + gate] ||
			order > self->words[ORDER]);
	self->words[GATES + gate]++;
	self->words[ORDER] = order;
}

void caller_check_leave(const struct hostif *host, enum caller_gate gate)
{
	struct iommuabs_caller *self = caller_self(host);

	if (!self)
		return;
	iommuabs_assert(self->words[GATES + gate]);
	self->words[GATES + gate]--;
}

/* Who was interrupted by a crash may hold anything. */
void caller_check_waits(const struct hostif *host)
{
	const struct iommuabs_caller *self = caller_self(host);

	iommuabs_assert(!self || self->context == IOMMUABS_CONTEXT_CRASH ||
			!self->words[LOCKS]);
}

void caller_check_outside(const struct hostif *host)
{
	const struct iommuabs_caller *self = caller_self(host);

	if (!self)
		return;
	iommuabs_assert(!self->words[LOCKS]);
	iommuabs_assert(!is_inside(self, CALLER_GATE_INSTANCE));
}

void caller_check_ends(const struct hostif *host)
{
	const struct iommuabs_caller *self = caller_self(host);

	iommuabs_assert(!self || self->words[HOOK] != CALLER_HOOK_FAULT);
}

uint32_t caller_set_context(const struct hostif *host, uint32_t context)
{
	struct iommuabs_caller *self = caller_self(host);
	uint32_t before = IOMMUABS_CONTEXT_TASK;

	if (self) {
		before = self->context;
		self->context = context;
	}
	return before;
}

uint32_t caller_set_hook(const struct hostif *host, uint32_t hook)
{
	struct iommuabs_caller *self = caller_self(host);
	uint32_t before = CALLER_HOOK_NONE;

	if (self) {
		before = self->words[HOOK];
		self->words[HOOK] = hook;
	}
	return before;
}

#endif
