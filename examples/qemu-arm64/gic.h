/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gic.h - interrupts: GICv3 without security extensions in the way, no ITS
 */
#ifndef GIC_H
#define GIC_H

#include <stdint.h>

enum gic_trigger { GIC_LEVEL, GIC_EDGE };

void gic_init(void);	 /* once */
void gic_cpu_init(void); /* on each CPU */

/*
 * Deliver @intid to this CPU from now on: @handler runs with interrupts masked.
 * INTIDs below 32 are this CPU's own, the others are routed here.
 */
void gic_enable(uint32_t intid, enum gic_trigger trigger,
		void (*handler)(void *arg), void *arg);
void gic_disable(uint32_t intid);

/* Handle what is pending; called by vectors.S, and after a guest's exit. */
void gic_dispatch(void);

#endif
