/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PSCI_H
#define PSCI_H

#include <stdint.h>

/* Start a CPU at @entry with @context in x0; 0 or PSCI's negative error. */
int psci_cpu_on(uint64_t mpidr, uint64_t entry, uint64_t context);
_Noreturn void psci_cpu_off(void);

#endif
