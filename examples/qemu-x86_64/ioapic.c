/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ioapic.c - redirection entries (Intel 82093AA, 3.2.4)
 */
#include "arch.h"
#include "ioapic.h"
#include "machine.h"

/* clang-format off */
#define IOREGSEL    0x00
#define IOWIN	    0x10
#define REDIRECTION 0x10 /* two registers of 32 bits for each pin */
#define   MASKED    (1u << 16)
/* clang-format on */

static void reg_write(uint32_t reg, uint32_t value)
{
	mmio_write32(machine.ioapic_base + IOREGSEL, reg);
	mmio_write32(machine.ioapic_base + IOWIN, value);
}

void ioapic_mask(unsigned int pin)
{
	reg_write(REDIRECTION + 2 * pin, MASKED);
}

/* Masked, so that no half of it is ever sent. */
void ioapic_set(unsigned int pin, uint64_t entry)
{
	ioapic_mask(pin);
	reg_write(REDIRECTION + 2 * pin + 1, (uint32_t)(entry >> 32));
	reg_write(REDIRECTION + 2 * pin, (uint32_t)entry);
}
