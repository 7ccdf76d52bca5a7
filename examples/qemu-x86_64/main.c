/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main.c - what happens in which order
 */
#include <stdint.h>
#include "apic.h"
#include "bring_up.h"
#include "console.h"
#include "cpu.h"
#include "edu.h"
#include "machine.h"
#include "pages.h"
#include "pci.h"
#include "scenarios.h"
#include "scenarios_x86.h"
#include "tap.h"
#include "timer.h"

_Noreturn void host_main(uint64_t start_info);

static void prove_all(void)
{
	prove();
	prove_interrupts();
}

_Noreturn void host_main(uint64_t start_info)
{
	machine_parse(start_info);
	timer_init();
	if (machine_has_arg("x2apic"))
		apic_use_x2();
	cpu_init();
	apic_timer_init();
	pages_init();
	pci_init();
	edu_init();
	print("# guests under SVM, and a VT-d unit that can share their nested "
	      "page "
	      "tables: this pairing exists only in QEMU\n");
	if (!machine_has_arg("selftest"))
		edu_use_interrupts(0); /* the unit blocks what is nobody's */
	if (machine_has_arg("selftest"))
		bring_up();
	else if (machine_has_arg("prove"))
		prove_all();
	else if (machine_has_arg("x2apic"))
		prove_interrupts();
	else if (machine_has_arg("race"))
		prove_race();
	else
		panic("arguments \"%s\" name nothing to do", machine.bootargs);
	host_exit(tap_finish());
}
