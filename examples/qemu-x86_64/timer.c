/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * timer.c - the time-stamp counter, measured against ACPI's timer
 */
#include "apic.h"
#include "arch.h"
#include "console.h"
#include "machine.h"
#include "timer.h"

/* ACPI 6.4, 4.8.2.1: 3.579545 MHz, at least 24 bits */
#define PM_HZ	3579545u
#define PM_MASK 0xffffffu

#define MEASURE (PM_HZ / 100) /* 10 ms */

static uint64_t tsc_start, tsc_per_s;

void timer_init(void)
{
	uint32_t start = in32(machine.pm_timer), passed;

	tsc_start = tsc_read();
	do {
		passed = (in32(machine.pm_timer) - start) & PM_MASK;
	} while (passed < MEASURE);
	tsc_per_s = (tsc_read() - tsc_start) * PM_HZ / passed;
	if (!tsc_per_s)
		panic("the time-stamp counter stands still");
}

uint64_t time_us(void)
{
	uint64_t now = tsc_read() - tsc_start;

	return now / tsc_per_s * 1000000 +
	       now % tsc_per_s * 1000000 / tsc_per_s;
}

int timer_wait(const volatile int *flag, uint64_t timeout_us)
{
	uint64_t start = time_us();

	apic_timer_start(timeout_us);
	/* Masked between the look and HLT, which STI lets nothing get before. */
	irq_mask();
	while (!*flag && time_us() - start < timeout_us) {
		irq_unmask_and_halt();
		irq_mask();
	}
	irq_unmask();
	apic_timer_stop();
	return *flag;
}
