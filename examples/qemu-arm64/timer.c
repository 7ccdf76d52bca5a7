/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * timer.c - the generic timer: the counter, and EL2's own comparator
 */
#include <stddef.h>
#include "arm64.h"
#include "gic.h"
#include "timer.h"

#define TIMER_INTID 26 /* EL2 physical timer (Arm BSA, 4.1.5) */
#define CTL_ENABLE  1u

static void timer_irq(void *arg)
{
	(void)arg;
	sysreg_write(cnthp_ctl_el2, 0);
	isb();
}

void timer_init(void)
{
	sysreg_write(cnthp_ctl_el2, 0);
	gic_enable(TIMER_INTID, GIC_LEVEL, timer_irq, NULL);
}

static uint64_t ticks(void)
{
	isb();
	return sysreg_read(cntpct_el0);
}

uint64_t time_us(void)
{
	uint64_t frequency = sysreg_read(cntfrq_el0);
	uint64_t now = ticks();

	return now / frequency * 1000000 +
	       now % frequency * 1000000 / frequency;
}

int timer_wait(const volatile int *flag, uint64_t timeout_us)
{
	uint64_t deadline =
		ticks() + timeout_us * sysreg_read(cntfrq_el0) / 1000000;

	sysreg_write(cnthp_cval_el2, deadline);
	sysreg_write(cnthp_ctl_el2, CTL_ENABLE);
	/* Masked between the look and WFI, which a pending interrupt ends. */
	irq_mask();
	while (!*flag && ticks() < deadline) {
		wfi();
		irq_unmask();
		isb();
		irq_mask();
	}
	sysreg_write(cnthp_ctl_el2, 0);
	irq_unmask();
	return *flag;
}
