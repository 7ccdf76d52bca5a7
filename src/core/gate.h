/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gate.h - many-or-one admission
 *
 * Changes and queries of a domain enter as many. Structural work (a populate
 * step, bind, detach, destroy; freeing of ledger tables) enters alone. A gate is
 * no lock: its holder may allocate, wait for hardware and take locks. Who waits
 * at a gate holds no lock, so what is inside always gets on.
 */
#ifndef IOMMUABS_CORE_GATE_H
#define IOMMUABS_CORE_GATE_H

#include "../port/port.h"

#define GATE_ALONE ((uint32_t)1 << 31)

struct gate {
	uint32_t
		word; /* GATE_ALONE: one is inside or waits; else how many are */
};

static inline void gate_enter(struct gate *gate)
{
	uint32_t seen = port_load32(&gate->word) & ~GATE_ALONE;

	while (!port_cas32(&gate->word, &seen, seen + 1)) {
		if (seen & GATE_ALONE)
			port_relax();
		seen &= ~GATE_ALONE;
	}
}

static inline void gate_leave(struct gate *gate)
{
	port_add32(&gate->word, (uint32_t)-1);
}

static inline void gate_enter_alone(struct gate *gate)
{
	uint32_t seen = port_load32(&gate->word) & ~GATE_ALONE;

	while (!port_cas32(&gate->word, &seen, seen | GATE_ALONE)) {
		if (seen & GATE_ALONE)
			port_relax();
		seen &= ~GATE_ALONE;
	}
	while (port_load32(&gate->word) != GATE_ALONE)
		port_relax();
}

static inline void gate_leave_alone(struct gate *gate)
{
	port_store32(&gate->word, 0);
}

#endif
