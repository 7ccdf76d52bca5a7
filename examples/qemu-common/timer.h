/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * timer.h - time, and waiting without burning it
 */
#ifndef TIMER_H
#define TIMER_H

#include <stdint.h>

void timer_init(void); /* on each CPU that waits */
uint64_t time_us(void);

/*
 * Sleep until an interrupt handler has made *@flag non-zero, at most
 * @timeout_us. The flag's last value.
 */
int timer_wait(const volatile int *flag, uint64_t timeout_us);

#endif
