/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spinlock.h - one CPU at a time
 */
#ifndef SPINLOCK_H
#define SPINLOCK_H

#include "arch.h"

struct spinlock {
	int taken;
};

static inline void spin_lock(struct spinlock *lock)
{
	while (__atomic_exchange_n(&lock->taken, 1, __ATOMIC_ACQUIRE))
		while (__atomic_load_n(&lock->taken, __ATOMIC_RELAXED))
			cpu_relax();
}

static inline void spin_unlock(struct spinlock *lock)
{
	__atomic_store_n(&lock->taken, 0, __ATOMIC_RELEASE);
}

#endif
