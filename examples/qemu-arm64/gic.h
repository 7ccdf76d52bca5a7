/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gic.h - interrupts: GICv3 without security extensions in the way
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

/*
 * LPIs, whose numbers begin here: a table of them for this CPU, and one of them
 * on. Where they come from is its.h's business.
 */
#define GIC_LPI_FIRST 8192u
void gic_lpis_enable(void);
void gic_lpi_enable(uint32_t lpi, void (*handler)(void *arg), void *arg);

/* How ITS commands name this CPU: by address, or by number in bits 50 to 16. */
uint64_t gic_redistributor(uint64_t by_address);

/* Handle what is pending; called by vectors.S, and after a guest's exit. */
void gic_dispatch(void);

#endif
