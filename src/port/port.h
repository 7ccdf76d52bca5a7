/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * port.h - what depends on the CPU: atomics, barriers, device-visible memory
 *
 * Replaced as a whole with -DIOMMUABS_PORT_H='"its_own.h"'; a replacement
 * defines every function below. Three families, never mixed on one word:
 *
 *   port_*		memory that only CPUs look at
 *   port_dev_*		memory that an IOMMU reads or writes
 *   port_mmio_*	registers, when the host leaves mmio_read/mmio_write NULL
 *
 * Order rules that callers rely on:
 *   port_mb()		every port access of this CPU before it is seen by other
 *			CPUs before any port access after it
 *   port_dev_wmb()	every port_dev store before it is seen by the device
 *			before any port_dev store after it
 *   port_dev_publish()	every port_dev store before it is seen by a device that is
 *			let go by a store after it
 *   port_dev_rmb()	every port_dev load and register read before it is done
 *			before any load after it
 *   port_dev_mb()	every port_dev access before it is complete, and in memory
 *			what cache_clean was called for, before any register
 *			access or port_dev access after it
 */
#ifndef IOMMUABS_PORT_PORT_H
#define IOMMUABS_PORT_PORT_H

#include <iommuabs/std.h>

#ifdef IOMMUABS_PORT_H
#include IOMMUABS_PORT_H
#else

static inline uint64_t port_load64(const uint64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static inline uint64_t port_load64_acquire(const uint64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static inline void port_store64(uint64_t *p, uint64_t v)
{
	__atomic_store_n(p, v, __ATOMIC_RELAXED);
}

static inline void port_store64_release(uint64_t *p, uint64_t v)
{
	__atomic_store_n(p, v, __ATOMIC_RELEASE);
}

/* Sequentially consistent; on failure *old is what was found. */
static inline bool port_cas64(uint64_t *p, uint64_t *old, uint64_t v)
{
	return __atomic_compare_exchange_n(p, old, v, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

/* Sequentially consistent, as the other 32-bit ones. */
static inline uint32_t port_load32(const uint32_t *p)
{
	return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}

static inline void port_store32(uint32_t *p, uint32_t v)
{
	__atomic_store_n(p, v, __ATOMIC_SEQ_CST);
}

static inline bool port_cas32(uint32_t *p, uint32_t *old, uint32_t v)
{
	return __atomic_compare_exchange_n(p, old, v, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

/* Returns the new value; sequentially consistent. */
static inline uint32_t port_add32(uint32_t *p, uint32_t v)
{
	return __atomic_add_fetch(p, v, __ATOMIC_SEQ_CST);
}

static inline uint64_t port_add64(uint64_t *p, uint64_t v)
{
	return __atomic_add_fetch(p, v, __ATOMIC_SEQ_CST);
}

/* What another CPU linked into a table is seen with what is in it. */
static inline uint64_t port_dev_load64(const uint64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static inline void port_dev_store64(uint64_t *p, uint64_t v)
{
	__atomic_store_n(p, v, __ATOMIC_RELAXED);
}

/* On failure *old is what was found; release order on success. */
static inline bool port_dev_cas64(uint64_t *p, uint64_t *old, uint64_t v)
{
	return __atomic_compare_exchange_n(p, old, v, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_ACQUIRE);
}

/* Only for memory that no device can reach yet: not one store per word. */
static inline void port_dev_zero(void *p, size_t size)
{
	__builtin_memset(p, 0, size);
}

#if defined(__aarch64__)

/* One single-copy atomic store from FEAT_LSE2 on (Arm ARM B2.2.1). */
static inline void port_dev_store128(uint64_t *p, uint64_t lo, uint64_t hi)
{
	__asm__ volatile("stp %1, %2, %0"
			 : "=Q"(*(uint64_t(*)[2])p)
			 : "r"(lo), "r"(hi));
}

static inline void port_dev_wmb(void)
{
	__asm__ volatile("dmb oshst" ::: "memory");
}

static inline void port_dev_publish(void)
{
	__asm__ volatile("dmb oshst" ::: "memory");
}

static inline void port_dev_rmb(void)
{
	__asm__ volatile("dmb oshld" ::: "memory");
}

static inline void port_dev_mb(void)
{
	__asm__ volatile("dsb osh" ::: "memory");
}

static inline void port_mb(void)
{
	__asm__ volatile("dmb ish" ::: "memory");
}

static inline void port_relax(void)
{
	__asm__ volatile("yield" ::: "memory");
}

#elif defined(__x86_64__)

/* A locked compare and exchange is the one 128-bit store of general registers. */
static inline void port_dev_store128(uint64_t *p, uint64_t lo, uint64_t hi)
{
	uint64_t old_lo = p[0], old_hi = p[1];
	bool done;

	do {
		__asm__ volatile("lock cmpxchg16b %0"
				 : "+m"(*(uint64_t(*)[2])p), "=@ccz"(done),
				   "+a"(old_lo), "+d"(old_hi)
				 : "b"(lo), "c"(hi)
				 : "memory");
	} while (!done);
}

static inline void port_dev_wmb(void)
{
	__asm__ volatile("" ::: "memory");
}

static inline void port_dev_publish(void)
{
	__asm__ volatile("" ::: "memory");
}

static inline void port_dev_rmb(void)
{
	__asm__ volatile("" ::: "memory");
}

static inline void port_dev_mb(void)
{
	__asm__ volatile("mfence" ::: "memory");
}

static inline void port_mb(void)
{
	__asm__ volatile("mfence" ::: "memory");
}

static inline void port_relax(void)
{
	__asm__ volatile("pause" ::: "memory");
}

#else
#error "iommuabs: no port.h for this CPU; give one with -DIOMMUABS_PORT_H"
#endif

static inline uint32_t port_mmio_read32(const void *p)
{
	return *(const volatile uint32_t *)p;
}

static inline uint64_t port_mmio_read64(const void *p)
{
	return *(const volatile uint64_t *)p;
}

static inline void port_mmio_write32(void *p, uint32_t v)
{
	*(volatile uint32_t *)p = v;
}

static inline void port_mmio_write64(void *p, uint64_t v)
{
	*(volatile uint64_t *)p = v;
}

#endif /* IOMMUABS_PORT_H */
#endif
