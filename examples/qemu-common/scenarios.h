/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scenarios.h - what is proven, in this order; each prints TAP lines
 */
#ifndef SCENARIOS_H
#define SCENARIOS_H

#include <stdint.h>

struct scene;

/* Brings the library up and down once by itself, watching. */
void scenario_before_start(void);

/* The rest runs on an instance that is started. */
void scenario_share(void);
void scenario_auto(void);
void scenario_blocked(void);
void scenario_take_away(void);
void scenario_devices(void);
void scenario_groups(void);
void scenario_late(void);
void scenario_hotplug(void);
void scenario_live(void);
void scenario_reverse_map(void);
void scenario_frames(void);
void scenario_plug(void);
void scenario_suspend(void);
void scenario_random(void);

/* The machine's: its unit as a power-on leaves it, as far as a CPU can do that. */
void unit_lose_power(void);

/*
 * The architecture's: what only it can show; a line about what a CPU reads in the
 * table that edu @edu is translated by, for @nr gfns from @gfn, if CPUs can be
 * asked.
 */
void scenario_arch(void);
void cpu_check_table(const struct scene *scene, unsigned int edu, uint64_t gfn,
		     unsigned int nr);

/* All of these, and that nothing is left behind. */
void prove(void);

/* With a thread per CPU: run.sh, ICOUNT=off. */
void scenario_race(void);
void prove_race(void);

#endif
