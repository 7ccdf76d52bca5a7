/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scenarios_arm64.h - what only this machine can show
 */
#ifndef SCENARIOS_ARM64_H
#define SCENARIOS_ARM64_H

void scenario_cpu_agrees(void);
void scenario_msi(void);
void scenario_suspend(void);

#endif
