/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scenarios_arm64.h - what only this machine can show
 */
#ifndef SCENARIOS_ARM64_H
#define SCENARIOS_ARM64_H

#include <stdint.h>

void scenario_cpu_agrees(void);
void scenario_msi(void);

/* With instances of its own, so before or after the others. */
void prove_granules(uint64_t smmu_base);

#endif
