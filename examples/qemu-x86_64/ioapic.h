/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ioapic.h - interrupts that are lines, as messages
 */
#ifndef IOAPIC_H
#define IOAPIC_H

#include <stdint.h>

#define IOAPIC_PIN_COM1 4u /* as ISA has it; no override concerns it */

/* What is sent when @pin is raised; or nothing, as after reset. */
void ioapic_set(unsigned int pin, uint64_t entry);
void ioapic_mask(unsigned int pin);

#endif
