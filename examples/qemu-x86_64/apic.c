/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * apic.c - the local APIC: memory mapped, with ids of 8 bits, or as x2APIC
 *
 * Intel SDM vol. 3A, chapter 11; as x2APIC (11.12) its registers are MSRs. The two 8259s are masked, and the IOAPIC is until
 * interrupts.c has it: devices send messages.
 */
#include "apic.h"
#include "arch.h"
#include "callers.h"
#include "console.h"
#include "timer.h"

/* clang-format off */
#define APIC_BASE	0xfee00000u
#define APIC_MSRS	0x800u /* one for 16 bytes of the others */
#define APIC_ID		0x020
#define APIC_EOI	0x0b0
#define APIC_SVR	0x0f0
#define   SVR_ENABLE	(1u << 8)
#define APIC_ICR_LOW	0x300
#define   ICR_INIT	(5u << 8)
#define   ICR_STARTUP	(6u << 8)
#define   ICR_ASSERT	(1u << 14)
#define   ICR_PENDING	(1u << 12)
#define APIC_ICR_HIGH	0x310 /* not of an x2APIC: ICR has 64 bits */
#define APIC_LVT_TIMER	0x320
#define   LVT_MASKED	(1u << 16)
#define APIC_INITIAL	0x380
#define APIC_CURRENT	0x390
#define APIC_DIVIDE	0x3e0
#define   DIVIDE_16	3u
#define CPUID_X2APIC	(1u << 21) /* 1, ecx */
#define BASE_EXTD	(1u << 10) /* 11.12.1 */
#define PIC1_MASK	0x21
#define PIC2_MASK	0xa1
/* clang-format on */

#define NR_VECTORS (APIC_VECTOR_LAST - APIC_VECTOR_FIRST + 1)

static struct handler {
	void (*call)(void *arg);
	void *arg;
} handlers[NR_VECTORS];
static unsigned int nr_handlers;

static int is_x2;

static uint32_t reg_read(uint32_t reg)
{
	if (is_x2)
		return (uint32_t)msr_read(APIC_MSRS + (reg >> 4));
	return mmio_read32(APIC_BASE + reg);
}

static void reg_write(uint32_t reg, uint32_t value)
{
	if (is_x2)
		msr_write(APIC_MSRS + (reg >> 4), value);
	else
		mmio_write32(APIC_BASE + reg, value);
}

void apic_use_x2(void)
{
	uint32_t regs[4];

	cpuid(1, regs);
	if (!(regs[2] & CPUID_X2APIC))
		panic("this CPU has no x2APIC");
	is_x2 = 1;
}

int apic_is_x2(void)
{
	return is_x2;
}

void apic_cpu_init(void)
{
	if (is_x2)
		msr_write(MSR_APIC_BASE, msr_read(MSR_APIC_BASE) | BASE_EXTD);
	out8(PIC1_MASK, 0xff);
	out8(PIC2_MASK, 0xff);
	reg_write(APIC_SVR, SVR_ENABLE | APIC_SPURIOUS);
}

uint32_t apic_id(void)
{
	return is_x2 ? reg_read(APIC_ID) : reg_read(APIC_ID) >> 24;
}

uint32_t apic_vector_new(void (*handler)(void *arg), void *arg)
{
	if (nr_handlers == NR_VECTORS)
		panic("no vector is left");
	handlers[nr_handlers] = (struct handler){ handler, arg };
	return APIC_VECTOR_FIRST + nr_handlers++;
}

uint64_t apic_msi_address(void)
{
	return APIC_BASE | (uint64_t)(apic_id() & 0xff) << 12 |
	       (uint64_t)(apic_id() >> 8) << 40;
}

uint32_t apic_msi_data(uint32_t vector)
{
	return vector; /* edge, fixed delivery */
}

/* ---- its timer (11.5.4) ---- */

#define TIMER_VECTOR 0xf0u
#define MEASURE_US   1000u

static uint64_t ticks_per_ms;

void apic_timer_init(void)
{
	uint64_t start;

	reg_write(APIC_DIVIDE, DIVIDE_16);
	reg_write(APIC_LVT_TIMER, LVT_MASKED | TIMER_VECTOR);
	reg_write(APIC_INITIAL, ~0u);
	start = time_us();
	while (time_us() - start < MEASURE_US)
		cpu_relax();
	ticks_per_ms = ~0u - reg_read(APIC_CURRENT);
	apic_timer_stop();
}

void apic_timer_start(uint64_t us)
{
	uint64_t ticks = us * ticks_per_ms / MEASURE_US + 1;

	reg_write(APIC_DIVIDE, DIVIDE_16);
	reg_write(APIC_LVT_TIMER, TIMER_VECTOR);
	reg_write(APIC_INITIAL, ticks > ~0u ? ~0u : (uint32_t)ticks);
}

void apic_timer_stop(void)
{
	reg_write(APIC_LVT_TIMER, LVT_MASKED | TIMER_VECTOR);
	reg_write(APIC_INITIAL, 0);
}

/* ---- other CPUs ---- */

static void command(uint32_t id, uint32_t what)
{
	if (is_x2) {
		msr_write(APIC_MSRS + (APIC_ICR_LOW >> 4),
			  (uint64_t)id << 32 | what);
		return;
	}
	reg_write(APIC_ICR_HIGH, id << 24);
	reg_write(APIC_ICR_LOW, what);
	while (reg_read(APIC_ICR_LOW) & ICR_PENDING)
		cpu_relax();
}

static void delay_us(uint64_t us)
{
	int never = 0;

	(void)timer_wait(&never, us);
}

/* 8.4.4.1: INIT, 10 ms, start-up, 200 us, start-up. */
void apic_start_cpu(uint32_t id, uint64_t page)
{
	uint32_t startup = ICR_STARTUP | (uint32_t)(page >> 12);

	command(id, ICR_INIT | ICR_ASSERT);
	delay_us(10000);
	command(id, startup);
	delay_us(200);
	command(id, startup);
}

void apic_dispatch(uint32_t vector)
{
	uint32_t n = vector - APIC_VECTOR_FIRST;

	if (vector == APIC_SPURIOUS)
		return;
	if (vector == TIMER_VECTOR) {
		reg_write(APIC_EOI, 0);
		return;
	}
	if (n >= nr_handlers)
		panic("interrupt %x is nobody's", vector);
	callers_irq_enter();
	handlers[n].call(handlers[n].arg);
	callers_irq_leave();
	reg_write(APIC_EOI, 0);
}
