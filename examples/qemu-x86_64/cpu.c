/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpu.c - set up a CPU; start the others
 */
#include "apic.h"
#include "arch.h"
#include "console.h"
#include "cpu.h"
#include "machine.h"
#include "pages.h"
#include "string.h"
#include "timer.h"

#define STACK_SIZE     0x8000
#define START_TIMEOUT  1000000 /* us */
#define TRAMPOLINE     UINT64_C(0x8000)
#define CODE64	       0x08
#define GATE_INTERRUPT 0x8e /* present, masks interrupts */
#define NR_VECTORS     256
#define VECTOR_SIZE    16
#define CPUID_SVM      (1u << 2) /* 8000_0001h, ecx */

struct gate {
	uint16_t offset_low, selector;
	uint8_t ist, type;
	uint16_t offset_middle;
	uint32_t offset_high, reserved;
};

struct __attribute__((packed)) table_pointer {
	uint16_t limit;
	uint64_t base;
};

struct cpu_boot {
	void (*work)(void *arg);
	void *arg;
	int running, started;
};

static struct gate gates[NR_VECTORS];
static struct cpu_boot boots[MACHINE_MAX_CPUS];
static char stacks[MACHINE_MAX_CPUS][STACK_SIZE] __attribute__((aligned(16)));
static char save_areas[MACHINE_MAX_CPUS][PAGE_SIZE]
	__attribute__((aligned(4096)));

extern const char vectors[], trampoline[], trampoline_end[];
extern uint64_t secondary_stack;
_Noreturn void secondary_main(void);
_Noreturn void exception_fatal(uint64_t vector, uint64_t error, uint64_t rip,
			       uint64_t cr2);

_Noreturn void exception_fatal(uint64_t vector, uint64_t error, uint64_t rip,
			       uint64_t cr2)
{
	panic("exception %lu, error code %lx, at %lx, CR2 %lx", vector, error,
	      rip, cr2);
}

static void gates_fill(void)
{
	for (unsigned int i = 0; i < NR_VECTORS; i++) {
		uint64_t offset = (uintptr_t)vectors + i * VECTOR_SIZE;

		gates[i] = (struct gate){
			.offset_low = (uint16_t)offset,
			.selector = CODE64,
			.type = GATE_INTERRUPT,
			.offset_middle = (uint16_t)(offset >> 16),
			.offset_high = (uint32_t)(offset >> 32),
		};
	}
}

unsigned int cpu_number(void)
{
	uintptr_t offset =
		(uintptr_t)__builtin_frame_address(0) - (uintptr_t)stacks;

	return offset < sizeof(stacks) ? (unsigned int)(offset / STACK_SIZE)
				       : 0;
}

void cpu_init(void)
{
	const struct table_pointer idt = { sizeof(gates) - 1,
					   (uintptr_t)gates };
	uint32_t regs[4];

	gates_fill();
	__asm__ volatile("lidt %0" : : "m"(idt));
	apic_cpu_init();
	cpuid(0x80000001u, regs);
	if (!(regs[2] & CPUID_SVM))
		panic("this CPU has no SVM: run.sh asks QEMU for one");
	msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_SVME);
	msr_write(MSR_VM_HSAVE_PA, (uintptr_t)save_areas[cpu_number()]);
	irq_unmask();
}

_Noreturn void secondary_main(void)
{
	struct cpu_boot *boot;

	cpu_init();
	boot = &boots[cpu_number()];
	__atomic_store_n(&boot->started, 1, __ATOMIC_RELEASE);
	boot->work(boot->arg);
	irq_mask();
	__atomic_store_n(&boot->running, 0, __ATOMIC_RELEASE);
	for (;;)
		halt();
}

int cpu_start(unsigned int n, void (*work)(void *arg), void *arg)
{
	struct cpu_boot *boot = &boots[n];
	uint64_t start = time_us();

	*boot = (struct cpu_boot){ .work = work, .arg = arg, .running = 1 };
	secondary_stack = (uintptr_t)stacks[n] + STACK_SIZE;
	memcpy((void *)TRAMPOLINE, trampoline,
	       (size_t)(trampoline_end - trampoline));
	memory_barrier();
	apic_start_cpu((uint32_t)machine.cpu_ids[n], TRAMPOLINE);
	while (!__atomic_load_n(&boot->started, __ATOMIC_ACQUIRE)) {
		if (time_us() - start < START_TIMEOUT)
			continue;
		boot->running = 0;
		return -1;
	}
	return 0;
}

void cpu_wait(unsigned int n)
{
	while (__atomic_load_n(&boots[n].running, __ATOMIC_ACQUIRE))
		cpu_relax();
}
