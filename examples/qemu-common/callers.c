/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * callers.c - who calls the library: a CPU, or an interrupt that it takes
 *
 * Nothing else runs on a CPU before its call of the library returns, but for an
 * interrupt, which ends before that goes on.
 */
#include <iommuabs/host.h>
#include "callers.h"
#include "cpu.h"
#include "machine.h"

static struct {
	struct iommuabs_caller task, irq;
	unsigned int in_irq;
} callers[MACHINE_MAX_CPUS];

void callers_irq_enter(void)
{
	callers[cpu_number()].in_irq++;
}

void callers_irq_leave(void)
{
	callers[cpu_number()].in_irq--;
}

struct iommuabs_caller *callers_self(void)
{
	const unsigned int n = cpu_number();

	if (!callers[n].in_irq)
		return &callers[n].task;
	callers[n].irq.context = IOMMUABS_CONTEXT_IRQ;
	return &callers[n].irq;
}
