/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x86.h - instructions that C has no words for
 */
#ifndef X86_H
#define X86_H

#include <stdint.h>

/* Model-specific registers (AMD64 APM vol. 2, appendix A). */
#define MSR_APIC_BASE	0x1b
#define MSR_EFER	0xc0000080u
#define MSR_VM_HSAVE_PA 0xc0010117u
#define EFER_SVME	(1ull << 12)

static inline uint64_t msr_read(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (uint64_t)high << 32 | low;
}

static inline void msr_write(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr"
			 :
			 : "c"(msr), "a"((uint32_t)value),
			   "d"((uint32_t)(value >> 32))
			 : "memory");
}

static inline void cpuid(uint32_t leaf, uint32_t regs[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(regs[0]), "=b"(regs[1]), "=c"(regs[2]),
			   "=d"(regs[3])
			 : "a"(leaf), "c"(0));
}

static inline uint64_t cr3_read(void)
{
	uint64_t value;

	__asm__ volatile("movq %%cr3, %0" : "=r"(value));
	return value;
}

static inline uint64_t tsc_read(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

static inline void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint8_t in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline void out32(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint32_t in32(uint16_t port)
{
	uint32_t value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline void irq_mask(void)
{
	__asm__ volatile("cli" : : : "memory");
}

static inline void irq_unmask(void)
{
	__asm__ volatile("sti" : : : "memory");
}

/* No interrupt comes between the two. */
static inline void irq_unmask_and_halt(void)
{
	__asm__ volatile("sti; hlt" : : : "memory");
}

static inline void halt(void)
{
	__asm__ volatile("hlt" : : : "memory");
}

/* Every line of [@p, @p + @size) to memory, before what is stored next. */
static inline void cache_flush(const void *p, uint64_t size)
{
	uint64_t line = (uintptr_t)p & ~(uint64_t)63;

	for (; line < (uintptr_t)p + size; line += 64)
		__asm__ volatile("clflush (%0)" : : "r"(line) : "memory");
	__asm__ volatile("mfence" : : : "memory");
}

/* Device registers: one access of this width, in program order. */
static inline uint32_t mmio_read32(uint64_t addr)
{
	uint32_t value;

	__asm__ volatile("movl (%1), %0" : "=r"(value) : "r"(addr) : "memory");
	return value;
}

static inline void mmio_write32(uint64_t addr, uint32_t value)
{
	__asm__ volatile("movl %0, (%1)" : : "r"(value), "r"(addr) : "memory");
}

static inline uint64_t mmio_read64(uint64_t addr)
{
	uint64_t value;

	__asm__ volatile("movq (%1), %0" : "=r"(value) : "r"(addr) : "memory");
	return value;
}

static inline void mmio_write64(uint64_t addr, uint64_t value)
{
	__asm__ volatile("movq %0, (%1)" : : "r"(value), "r"(addr) : "memory");
}

#endif
