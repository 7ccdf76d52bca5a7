/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * its.h - interrupts that are messages: the GICv3's translation service
 *
 * A device writes an event number to the doorbell; who it is comes with the
 * write. The pair of both names an interrupt (LPI).
 */
#ifndef ITS_H
#define ITS_H

#include <stdint.h>

/* Its tables, and LPIs on for this CPU; after gic_cpu_init(). */
void its_init(void);

/* Where messages go: the register, and so the frame a guest has to be given. */
uint64_t its_doorbell(void);

/*
 * From now on @event of @device (its requester ID; one event each) runs @handler
 * on this CPU, with interrupts masked. Returns the LPI's number.
 */
uint32_t its_map(uint32_t device, uint32_t event, void (*handler)(void *arg),
		 void *arg);

#endif
