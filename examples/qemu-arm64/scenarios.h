/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scenarios.h - what is proven, in this order; each prints TAP lines
 */
#ifndef SCENARIOS_H
#define SCENARIOS_H

/* Brings the library up and down once by itself, watching. */
void scenario_before_start(void);

/* The rest runs on an instance that is started. */
void scenario_share(void);
void scenario_auto(void);
void scenario_blocked(void);
void scenario_take_away(void);
void scenario_devices(void);
void scenario_late(void);
void scenario_reverse_map(void);
void scenario_cpu_agrees(void);
void scenario_random(void);

/* All of these, and that nothing is left behind. */
void prove(void);

/* With a thread per CPU: run.sh, ICOUNT=off. */
void scenario_race(void);
void prove_race(void);

#endif
