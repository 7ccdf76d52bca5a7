/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * callers.h - who calls the library: a CPU, or an interrupt that it takes
 */
#ifndef CALLERS_H
#define CALLERS_H

struct iommuabs_caller;

/* Around what is done for an interrupt, by this CPU. */
void callers_irq_enter(void);
void callers_irq_leave(void);

/* Who runs now. Any context. */
struct iommuabs_caller *callers_self(void);

#endif
