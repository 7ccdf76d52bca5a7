/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_pace.h - two threads that are to be at the same place at the same time
 */
#ifndef TEST_PACE_H
#define TEST_PACE_H

#include "port/port.h"

#include <sched.h>
#include <stdint.h>

struct pace {
	uint32_t met;	/* atomic: arrivals at meet() */
	uint32_t at[2]; /* atomic: the step that each is at */
};

/* Wait until both have called this as often. */
static inline void meet(struct pace *pace)
{
	uint32_t target, spins = 0;

	target = (__atomic_fetch_add(&pace->met, 1, __ATOMIC_SEQ_CST) | 1) + 1;
	while ((int32_t)(__atomic_load_n(&pace->met, __ATOMIC_SEQ_CST) -
			 target) < 0) {
		if (++spins % 64 == 0)
			sched_yield();
		port_relax();
	}
}

/*
 * Come to step @i, and give the other a moment to come there, too. Only a
 * moment: a machine with much else to do may not be running it.
 */
static inline void keep_pace(struct pace *pace, uint32_t index, uint32_t i)
{
	uint32_t spins;

	port_store32(&pace->at[index], i);
	for (spins = 0; spins < 100; spins++) {
		if (port_load32(&pace->at[!index]) >= i)
			break;
		port_relax();
	}
}

/* To step 0; each for itself, before both meet. */
static inline void pace_reset(struct pace *pace, uint32_t index)
{
	port_store32(&pace->at[index], 0);
}

#endif
