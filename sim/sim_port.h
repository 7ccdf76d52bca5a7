/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_port.h - a port.h that reports to the models
 *
 * Compile the library's sources with -DIOMMUABS_PORT_H='"sim_port.h"' and link
 * libiommuabs-sim. Memory that only CPUs look at stays plain atomics; each store,
 * barrier and register access for a device is a call.
 */
#ifndef IOMMUABS_SIM_PORT_H
#define IOMMUABS_SIM_PORT_H

#include <iommuabs/sim.h>
#include <sched.h>

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

static inline bool port_cas64(uint64_t *p, uint64_t *old, uint64_t v)
{
	return __atomic_compare_exchange_n(p, old, v, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

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

static inline uint32_t port_add32(uint32_t *p, uint32_t v)
{
	return __atomic_add_fetch(p, v, __ATOMIC_SEQ_CST);
}

static inline uint64_t port_add64(uint64_t *p, uint64_t v)
{
	return __atomic_add_fetch(p, v, __ATOMIC_SEQ_CST);
}

static inline uint64_t port_dev_load64(const uint64_t *p)
{
	return iommuabs_sim_dev_load64(p);
}

static inline void port_dev_store64(uint64_t *p, uint64_t v)
{
	iommuabs_sim_dev_store64(p, v);
}

static inline bool port_dev_cas64(uint64_t *p, uint64_t *old, uint64_t v)
{
	return iommuabs_sim_dev_cas64(p, old, v) != 0;
}

static inline void port_dev_zero(void *p, size_t size)
{
	iommuabs_sim_dev_zero(p, size);
}

static inline void port_dev_store128(uint64_t *p, uint64_t lo, uint64_t hi)
{
	iommuabs_sim_dev_store128(p, lo, hi);
}

static inline void port_dev_wmb(void)
{
	iommuabs_sim_dev_wmb();
}

/* A device may be let go by no store at all here: a test's call. */
static inline void port_dev_publish(void)
{
	iommuabs_sim_dev_mb();
}

static inline void port_dev_rmb(void)
{
	iommuabs_sim_dev_rmb();
}

static inline void port_dev_mb(void)
{
	iommuabs_sim_dev_mb();
}

/* A full barrier, too, and one that thread sanitizers know. */
static inline void port_mb(void)
{
	uint32_t word = 0;

	__atomic_fetch_add(&word, 1, __ATOMIC_SEQ_CST);
}

/*
 * Waiters and holders of a spin lock may share one CPU here. Not each time: who
 * polls a model waits for nobody but its own reads.
 */
static inline void port_relax(void)
{
	static _Thread_local unsigned int times;

	if (!(++times % 16))
		sched_yield();
}

static inline uint32_t port_mmio_read32(const void *p)
{
	return (uint32_t)iommuabs_sim_port_mmio_read(p, 4);
}

static inline uint64_t port_mmio_read64(const void *p)
{
	return iommuabs_sim_port_mmio_read(p, 8);
}

static inline void port_mmio_write32(void *p, uint32_t v)
{
	iommuabs_sim_port_mmio_write(p, 4, v);
}

static inline void port_mmio_write64(void *p, uint64_t v)
{
	iommuabs_sim_port_mmio_write(p, 8, v);
}

#endif
