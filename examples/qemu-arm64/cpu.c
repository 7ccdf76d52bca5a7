/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpu.c - set up a CPU for EL2; start the others
 */
#include "arm64.h"
#include "cpu.h"
#include "exception.h"
#include "gic.h"
#include "machine.h"
#include "mmu.h"
#include "psci.h"

#define STACK_SIZE 0x8000

/* start.S knows that stack_top comes first. */
struct __attribute__((aligned(64))) cpu_boot {
	uint64_t stack_top;
	void (*work)(void *arg);
	void *arg;
	int running;
};

static struct cpu_boot boots[MACHINE_MAX_CPUS];
static char stacks[MACHINE_MAX_CPUS][STACK_SIZE] __attribute__((aligned(16)));

void secondary_start(void);
void secondary_main(struct cpu_boot *boot);

void cpu_init(void)
{
	sysreg_write(vbar_el2, (uintptr_t)vectors);
	sysreg_write(hcr_el2, HCR_HOST);
	sysreg_write(cntvoff_el2, 0);
	sysreg_write(mdcr_el2, 0);
	isb();
}

void cpu_enable(void)
{
	mmu_enable();
	gic_cpu_init();
}

void secondary_main(struct cpu_boot *boot)
{
	cpu_init();
	cpu_enable();
	boot->work(boot->arg);
	__atomic_store_n(&boot->running, 0, __ATOMIC_RELEASE);
	psci_cpu_off();
}

int cpu_start(unsigned int n, void (*work)(void *arg), void *arg)
{
	struct cpu_boot *boot = &boots[n];
	int st;

	*boot = (struct cpu_boot){
		.stack_top = (uintptr_t)stacks[n] + STACK_SIZE,
		.work = work,
		.arg = arg,
		.running = 1,
	};
	/* It reads this before its caches are on. */
	__asm__ volatile("dc civac, %0" : : "r"(boot) : "memory");
	dsb();
	st = psci_cpu_on(machine.cpu_ids[n], (uintptr_t)secondary_start,
			 (uintptr_t)boot);
	if (st)
		boot->running = 0;
	return st;
}

unsigned int cpu_number(void)
{
	uintptr_t offset =
		(uintptr_t)__builtin_frame_address(0) - (uintptr_t)stacks;

	return offset < sizeof(stacks) ? (unsigned int)(offset / STACK_SIZE)
				       : 0;
}

void cpu_wait(unsigned int n)
{
	while (__atomic_load_n(&boots[n].running, __ATOMIC_ACQUIRE))
		__asm__ volatile("yield");
}
