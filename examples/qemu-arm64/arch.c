/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arch.c - what only this machine can show, in this order
 */
#include "scenarios.h"
#include "scenarios_arm64.h"

void scenario_arch(void)
{
	scenario_cpu_agrees();
	scenario_msi();
}
