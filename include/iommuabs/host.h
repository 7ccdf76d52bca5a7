/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host.h - what the host gives: the porting manual, hook by hook
 *
 * A host fills one struct iommuabs_host and passes it with a pointer of its own
 * (@ctx, handed back in every call) to iommuabs_create(), which copies it.
 * Unless a hook says otherwise it is called in context BOOT or TASK.
 *
 * Contexts, used at every prototype of the library:
 *   BOOT   one CPU, before iommuabs_start(); may allocate
 *   TASK   any CPU; may allocate, may wait (a bounded time, by polling)
 *   IRQ    an interrupt handler: acknowledges and latches, takes no lock
 *   CRASH  the machine is going down: takes no lock, trusts nothing
 */
#ifndef IOMMUABS_HOST_H
#define IOMMUABS_HOST_H

#include <iommuabs/types.h>
#include <iommuabs/frame.h>
#include <iommuabs/p2m.h>

IOMMUABS_BEGIN_DECLS

struct iommuabs_fault;

/* How important a line of log() is. */
enum iommuabs_log_level {
	IOMMUABS_LOG_ERROR, /* something does not work; a device may be lost */
	IOMMUABS_LOG_WARNING, /* works, with less than was asked for */
	IOMMUABS_LOG_INFO,    /* what was found and decided */
	IOMMUABS_LOG_DUMP,    /* output of iommuabs_dump() */
};

/*
 * Locks, in the order in which they nest: INSTANCE, then DOMAIN, then RMAP.
 * UNIT is a leaf that is taken under any of them and takes nothing.
 * The host's own p2m lock comes before all of them.
 */
enum iommuabs_lock_class {
	IOMMUABS_LOCK_INSTANCE,
	IOMMUABS_LOCK_DOMAIN,
	IOMMUABS_LOCK_RMAP,
	IOMMUABS_LOCK_UNIT,
};

/* In which a caller is. */
enum iommuabs_context {
	IOMMUABS_CONTEXT_TASK, /* or BOOT */
	IOMMUABS_CONTEXT_IRQ,
	IOMMUABS_CONTEXT_CRASH,
};

/* What a debug build notes about who calls: iommuabs_host.caller. */
struct iommuabs_caller {
	uint32_t context;  /* enum iommuabs_context; the host's to set */
	uint32_t words[7]; /* the library's; 0 before the first call */
};

/* table_alloc() flags. */
/* For a device's own structures (streams, queues), not for a domain's tables */
#define IOMMUABS_ALLOC_UNIT (1u << 0)

/* Values of iommuabs_host.flags. */
/*
 * Units that can remap interrupts do (VT-d with a queue), from iommuabs_start()
 * on: messages and IOAPIC entries must all be those of iommuabs_irq_msi() and
 * iommuabs_irq_ioapic() then, since every other is blocked.
 */
#define IOMMUABS_HOST_REMAPS_IRQS (1u << 0)
/* The CPUs' interrupt controllers are in x2APIC mode. With REMAPS_IRQS only. */
#define IOMMUABS_HOST_X2APIC (1u << 1)

struct iommuabs_host {
	/* sizeof(struct iommuabs_host) of the header the host was built with. */
	uint32_t size;
	uint32_t flags; /* IOMMUABS_HOST_* */

	/*
	 * Memory for tables.
	 *
	 * table_alloc() gives 1 << @size_lg2 bytes (@size_lg2 from 12 to 26),
	 * naturally aligned, of any content, and writes its machine address.
	 * @dom_cookie is that of the domain that is charged, NULL for the
	 * instance's own. Returns 0 or IOMMUABS_E_NOMEM.
	 * Called with no lock of the library held. Needed.
	 *
	 * table_free() takes back exactly what table_alloc() gave; with
	 * @dom_cookie NULL also what a domain had that was destroyed while one
	 * of its units was fenced. May be called under any lock. Needed.
	 */
	int (*table_alloc)(void *ctx, void *dom_cookie, unsigned int size_lg2,
			   uint32_t flags, uint64_t *maddr);
	void (*table_free)(void *ctx, void *dom_cookie, uint64_t maddr,
			   unsigned int size_lg2);

	/*
	 * Where table_alloc() takes its memory from, all of it; at least one.
	 * The library refuses memory from elsewhere, and refuses to map a frame
	 * in here while it is a table. Frames of these ranges that are no table
	 * may be mapped. Each is smaller than 1 PiB, by 128 MiB at least: a
	 * larger one is two. Copied; 1 bit per frame is kept.
	 */
	const struct iommuabs_range *table_ranges;
	uint32_t nr_table_ranges;

	/*
	 * Machine address to pointer. With table_map NULL: pointer = machine
	 * address + table_offset (wrapping), always. Else table_map() gives a
	 * pointer to the 4 KiB page at @maddr, and table_unmap() ends its use;
	 * at most 8 are in use at a time per call into the library. May be
	 * called under any lock. Neither may fail. iommuabs_device_explain()
	 * reads pages of a shared p2m in the same way.
	 */
	uint64_t table_offset;
	void *(*table_map)(void *ctx, uint64_t maddr);
	void (*table_unmap)(void *ctx, void *page);

	/*
	 * Small objects (16 to 2048 bytes; the instance itself up to 8192). Both
	 * NULL: cut from table pages, for which table_map must be NULL too.
	 * alloc() is called with no lock held; free() under any.
	 */
	void *(*alloc)(void *ctx, size_t size);
	void (*free)(void *ctx, void *object, size_t size);

	/*
	 * Registers. mmio_map() makes the @size bytes at @maddr accessible;
	 * NULL: the machine address is the pointer. It returns NULL on failure.
	 * mmio_read() and mmio_write() replace the access itself (@addr is a
	 * machine address, @width 4 or 8 bytes); both NULL: direct access
	 * through the pointer. mmio_map() and mmio_unmap() are called with no
	 * lock held; mmio_read() and mmio_write() under any lock, and in CRASH,
	 * when they may wait for nobody.
	 */
	void *(*mmio_map)(void *ctx, uint64_t maddr, uint64_t size);
	void (*mmio_unmap)(void *ctx, void *regs, uint64_t size);
	uint64_t (*mmio_read)(void *ctx, uint64_t addr, unsigned int width);
	void (*mmio_write)(void *ctx, uint64_t addr, unsigned int width,
			   uint64_t value);

	/*
	 * Write the cache lines of [@p, @p + @size) back to memory and drop
	 * them (Arm: DC CIVAC): the library also reads what a unit wrote.
	 * Called for units that do not snoop, followed by a barrier of the
	 * library. NULL: such units are refused (IOMMUABS_E_UNIT). Called
	 * under any lock.
	 */
	void (*cache_clean)(void *ctx, const void *p, size_t size);

	/*
	 * Locks: all four, or all NULL for built-in spin locks. lock_create()
	 * returns NULL for out of memory. unit_irq() and crash_block() take no
	 * lock, so these need not be IRQ-safe.
	 */
	void *(*lock_create)(void *ctx, enum iommuabs_lock_class class_);
	void (*lock_destroy)(void *ctx, void *lock);
	void (*lock)(void *ctx, void *lock);
	void (*unlock)(void *ctx, void *lock);

	/*
	 * Read the host's own p2m. See struct iommuabs_p2m_query. Called with no
	 * lock of the library held and outside a domain's gate, so it may take
	 * the host's p2m lock. Needed for source P2M and for refresh; else NULL.
	 * Returns 0 or a negative IOMMUABS_E_*, which the caller gets.
	 */
	int (*p2m_walk)(void *ctx, struct iommuabs_p2m_query *query);

	/* Microseconds from any fixed moment, never back. Needed. Any context. */
	uint64_t (*time_us)(void *ctx);

	/*
	 * One whole line without a newline. NULL: silence. Any lock held. Gfns,
	 * mfns, addresses, ids and flags are in hex; counts in decimal.
	 */
	void (*log)(void *ctx, enum iommuabs_log_level level, const char *line);

	/*
	 * Non-zero: a call with a budget should return E_AGAIN soon. NULL: never.
	 * Called with no lock held, outside the domain's gate.
	 */
	int (*should_yield)(void *ctx);

	/*
	 * Read 32 bits of PCI configuration space at @offset (a multiple of 4,
	 * up to 4092); all ones for no device, and where it can't be read.
	 * NULL: topology is known from descriptions only. Called with no lock of
	 * the library held.
	 */
	uint32_t (*pci_cfg_read)(void *ctx, uint32_t pci, unsigned int offset);

	/*
	 * A fault was drained by iommuabs_faults_poll(). Called with no lock
	 * held, outside every gate; may call anything except destroy (of a
	 * domain, too), stop and faults_poll. NULL: faults are counted only.
	 */
	void (*fault)(void *ctx, const struct iommuabs_fault *fault);

	/*
	 * Cut a device off by other means (function-level reset, bus master
	 * off): its unit can't. 0: no DMA of it can happen any more. NULL: the
	 * host has no such means. @cookie is the device's. Called with a lock of
	 * the library held: may call nothing of it.
	 */
	int (*device_isolate)(void *ctx, void *cookie);

	/*
	 * A unit answers nothing and its devices could not be isolated: what
	 * they can reach is withheld for good. @cookie is the unit's. Called
	 * inside a gate: may call nothing of the library.
	 */
	void (*unit_dead)(void *ctx, void *cookie);

	/*
	 * For a host that keeps books of its own about who owns which frame: may
	 * a guest have these? Asked about all frames of which a guest is to get
	 * a place that it didn't have (map, map_list, refresh, populate, a
	 * reserved region of a device), a run at a time, before the reverse map
	 * decides. Returns
	 *	0: as far as the host is concerned; the library decides, too;
	 *	IOMMUABS_FRAMES_VOUCHED: the host answers for it, as with FOREIGN:
	 *	   the place owns nothing, and nobody else is asked;
	 *	a negative IOMMUABS_E_*, usually E_PERM: no. Nothing is changed,
	 *	   and the caller gets it.
	 * What was allowed may still come to nothing. Not asked for domains with
	 * HOST, for frames that are declared FIXED, nor for what a declaration
	 * refuses. Called inside the domain's gate with no lock held: it may
	 * take locks of the host's that nobody holds while calling the library;
	 * it may call nothing of the library. NULL: the library alone decides.
	 */
	int (*frames_allowed)(void *ctx,
			      const struct iommuabs_frames_query *query);

	/*
	 * What @nr calls of table_free() do, for tables of one size and one
	 * domain: 1 to 64 of them, in any order. For a host that takes many
	 * pages back at less than one by one; NULL: table_free() for each.
	 * @maddrs is the library's. May be called under any lock.
	 */
	void (*tables_free)(void *ctx, void *dom_cookie, const uint64_t *maddrs,
			    unsigned int nr, unsigned int size_lg2);

	/*
	 * For debug builds (IOMMUABS_CONFIG_DEBUG), which note what a caller
	 * holds and trap at a lock or a gate that is taken out of order, a lock
	 * that is held over what may wait, and a call in a context or from a
	 * hook that forbids it. Returns the caller's own struct: of the thread,
	 * or of the CPU if nothing else runs there before a call of the library
	 * returns. An interrupt handler has one of its own, whose context says
	 * so. Called in any context, under any lock; may not fail. NULL, and in
	 * other builds: none of this is checked.
	 */
	struct iommuabs_caller *(*caller)(void *ctx);
};

IOMMUABS_END_DECLS

#endif
