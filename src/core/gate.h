/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gate.h - many-or-one admission
 *
 * Changes and queries of a domain enter as many. Structural work (a populate
 * step, bind, detach, destroy) enters alone. A gate is no lock: its holder may
 * allocate, wait for hardware and take locks. Who waits at a gate holds no lock,
 * so what is inside always gets on.
 *
 * One of many that is about to free what the others may be reading quiesces them
 * and stays inside: who leaves in the middle of a change, to enter alone, lets
 * structural work see half of it.
 */
#ifndef IOMMUABS_CORE_GATE_H
#define IOMMUABS_CORE_GATE_H

#include "../port/port.h"

/* Of the word: one is inside alone, or waits to be. */
#define GATE_ALONE ((uint64_t)1 << 63)
/* One of many has the others quiet, or waits for that. */
#define GATE_QUIET ((uint64_t)1 << 62)
/* Each who stands still in gate_quiesce(); below that, who else is inside. */
#define GATE_STILL ((uint64_t)1 << 31)

struct gate {
	uint64_t word;
};

static inline void gate_enter(struct gate *gate)
{
	const uint64_t shut = GATE_ALONE | GATE_QUIET;
	uint64_t seen = port_load64(&gate->word) & ~shut;

	while (!port_cas64(&gate->word, &seen, seen + 1)) {
		if (seen & shut)
			port_relax();
		seen &= ~shut;
	}
}

static inline void gate_leave(struct gate *gate)
{
	port_add64(&gate->word, (uint64_t)-1);
}

/* @bit of the word, once nobody else has it. */
static inline void gate_take(struct gate *gate, uint64_t bit)
{
	uint64_t seen = port_load64(&gate->word) & ~bit;

	while (!port_cas64(&gate->word, &seen, seen | bit)) {
		if (seen & bit)
			port_relax();
		seen &= ~bit;
	}
}

static inline void gate_enter_alone(struct gate *gate)
{
	gate_take(gate, GATE_ALONE);
	while (port_load64_acquire(&gate->word) != GATE_ALONE)
		port_relax();
}

static inline void gate_leave_alone(struct gate *gate)
{
	port_store64_release(&gate->word, 0);
}

/*
 * One of many: on return the others have left or stand still in here, and nobody
 * enters until gate_resume(). The caller reads nothing that another may free.
 */
static inline void gate_quiesce(struct gate *gate)
{
	port_add64(&gate->word, GATE_STILL - 1);
	gate_take(gate, GATE_QUIET);
	while (port_load64_acquire(&gate->word) & (GATE_STILL - 1))
		port_relax();
}

static inline void gate_resume(struct gate *gate)
{
	port_add64(&gate->word, 1 - GATE_STILL - GATE_QUIET);
}

#endif
