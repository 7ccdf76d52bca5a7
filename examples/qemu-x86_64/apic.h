/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * apic.h - interrupts: messages to local APICs
 */
#ifndef APIC_H
#define APIC_H

#include <stdint.h>

#define APIC_VECTOR_FIRST 0x30u
#define APIC_VECTOR_LAST  0xefu
#define APIC_SPURIOUS	  0xffu

/* All CPUs' APICs, from here on: registers are MSRs, ids have 32 bits. */
void apic_use_x2(void);
int apic_is_x2(void);

void apic_cpu_init(void); /* on each CPU, after the IDT is loaded */
uint32_t apic_id(void);	  /* of this CPU */

/* A vector that calls @handler, interrupts masked; never given back. */
uint32_t apic_vector_new(void (*handler)(void *arg), void *arg);

/*
 * This CPU's timer: an interrupt, which does nothing but end a HLT, after @us.
 * apic_timer_init() measures it, once, by timer.c's time.
 */
void apic_timer_init(void);
void apic_timer_start(uint64_t us);
void apic_timer_stop(void);

/*
 * The message that raises @vector on this CPU (Intel SDM vol. 3A, 11.11). Of an
 * x2APIC's id, what is past 8 bits is where a VT-d unit's own messages have it
 * (11.4.4.5).
 */
uint64_t apic_msi_address(void);
uint32_t apic_msi_data(uint32_t vector);

/* Start the CPU with this APIC at the page @page below 1 MiB. */
void apic_start_cpu(uint32_t id, uint64_t page);

/* Called by vectors.S. */
void apic_dispatch(uint32_t vector);

#endif
