/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main.c - what happens in which order
 */
#include <stdint.h>
#include "bring_up.h"
#include "console.h"
#include "cpu.h"
#include "edu.h"
#include "gic.h"
#include "its.h"
#include "machine.h"
#include "mmu.h"
#include "pages.h"
#include "pci.h"
#include "scenarios.h"
#include "scenarios_arm64.h"
#include "tap.h"
#include "timer.h"

/* Where QEMU leaves the device tree for an ELF, which it tells nothing. */
#define FDT_DEFAULT 0x40000000ull

_Noreturn void host_main(uint64_t fdt);

static void prove_all(void)
{
	prove();
	prove_granules(machine.smmu_base);
}

_Noreturn void host_main(uint64_t fdt)
{
	cpu_init();
	machine_parse((const void *)(fdt ? fdt : FDT_DEFAULT));
	mmu_build();
	gic_init();
	cpu_enable();
	pages_init();
	its_init();
	timer_init();
	pci_init();
	edu_init();
	if (machine_has_arg("selftest"))
		bring_up();
	else if (machine_has_arg("prove"))
		prove_all();
	else if (machine_has_arg("race"))
		prove_race();
	else
		panic("bootargs \"%s\" name nothing to do", machine.bootargs);
	host_exit(tap_finish());
}
