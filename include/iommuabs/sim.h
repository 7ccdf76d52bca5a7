/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim.h - register-level models of IOMMUs, in user space
 *
 * A library of its own (libiommuabs-sim, hosted: C library and threads). An
 * arena is a piece of memory that plays the machine's RAM; units live in an
 * arena, read their tables and queues from it and are driven through
 * iommuabs_sim_mmio_read() and iommuabs_sim_mmio_write().
 *
 * Two modes, chosen per arena:
 *
 *   FUNCTIONAL	for the installed library. Units see the arena as the CPU does.
 *		They cache what DMA made them fetch (translations, stream table
 *		entries, context descriptors) until an invalidation and its
 *		CMD_SYNC; devices keep what they asked for by ATS. What this mode
 *		cannot find: missing barriers and cache cleaning, what a unit or
 *		a device might have fetched besides, break-before-make, an ASID
 *		or VMID for two tables, half-written entries, tables freed too
 *		early.
 *
 *   ADVERSARY	for a library compiled with -DIOMMUABS_PORT_H='"sim_port.h"',
 *		so that each store, barrier and clean of device-visible memory is
 *		a call into the model. Units then see nothing but those stores. At
 *		each moment the model knows the *set* of what a unit may read:
 *		a store counts as "perhaps seen" until port_dev_mb(); whatever was
 *		reachable counts as "perhaps cached" until the invalidation that
 *		covers it was completed by a CMD_SYNC. All checks are made against
 *		the whole set, not against one random choice of it. What this
 *		mode cannot find: what a unit does wrong that the manual forbids
 *		(but see the quirks), reads of the CPU that overtake each other,
 *		memory attributes other than their change, how long things take.
 *
 * A mistake of the driver is a violation: recorded with a class and a text,
 * never an abort. A test ends with "no violations".
 *
 * All functions are safe to call from several threads.
 */
#ifndef IOMMUABS_SIM_H
#define IOMMUABS_SIM_H

#include <iommuabs/std.h>
#include <iommuabs/types.h>

IOMMUABS_BEGIN_DECLS

struct iommuabs_sim_arena;
struct iommuabs_sim_unit;
struct iommuabs_sim_probe;

/* What the functions that can fail return, besides 0. */
#define IOMMUABS_SIM_E_INVAL (-1)
#define IOMMUABS_SIM_E_NOMEM (-2)

/* ---- the arena: RAM, allocator, clock ---- */

enum iommuabs_sim_mode {
	IOMMUABS_SIM_FUNCTIONAL,
	IOMMUABS_SIM_ADVERSARY,
};

struct iommuabs_sim_arena_config {
	enum iommuabs_sim_mode mode;
	/* Machine address of the first byte, a multiple of 64 MiB. */
	uint64_t base;
	/* Bytes, a multiple of 4 KiB, at most 4 GiB. */
	uint64_t length;
	/* For the content of fresh pages, delays, and the choice of outcomes. */
	uint64_t seed;
	/*
	 * 1: units of this arena do not snoop CPU caches; they must be created
	 * with cohacc = 0 then, and with 1 otherwise.
	 */
	unsigned int noncoherent;
	/* Look at the probes at each n-th chance only; 0 and 1: always. */
	unsigned int probe_every;
};

/**
 * iommuabs_sim_arena_create() - make a machine's RAM
 *
 * Return: 0 | SIM_E_INVAL | SIM_E_NOMEM.
 */
IOMMUABS_MUST_CHECK int
iommuabs_sim_arena_create(const struct iommuabs_sim_arena_config *config,
			  struct iommuabs_sim_arena **arena);

/** iommuabs_sim_arena_destroy() - with all its units and probes; NULL is fine */
IOMMUABS_API void iommuabs_sim_arena_destroy(struct iommuabs_sim_arena *arena);

/**
 * iommuabs_sim_alloc() - take 1 << @size_lg2 bytes, naturally aligned
 * @size_lg2: from 12
 *
 * The content is garbage that looks like valid descriptors, and counts as never
 * written. Freed pages are reused as soon as possible.
 *
 * Return: 0 | SIM_E_NOMEM (full, or told to fail) | SIM_E_INVAL.
 */
IOMMUABS_MUST_CHECK int iommuabs_sim_alloc(struct iommuabs_sim_arena *arena,
					   unsigned int size_lg2,
					   uint64_t *maddr);

/**
 * iommuabs_sim_free() - give back what iommuabs_sim_alloc() gave
 *
 * A violation (FREED) when an enabled unit may still reach it.
 */
IOMMUABS_API void iommuabs_sim_free(struct iommuabs_sim_arena *arena,
				    uint64_t maddr, unsigned int size_lg2);

/** iommuabs_sim_alloc_fail() - the @nth allocation from now fails, once; 0: none */
IOMMUABS_API void iommuabs_sim_alloc_fail(struct iommuabs_sim_arena *arena,
					  uint64_t nth);

/** iommuabs_sim_alloc_count() - how many allocations were asked for so far */
IOMMUABS_API uint64_t
iommuabs_sim_alloc_count(struct iommuabs_sim_arena *arena);

/** iommuabs_sim_pages_used() - 4 KiB pages allocated now */
IOMMUABS_API uint64_t iommuabs_sim_pages_used(struct iommuabs_sim_arena *arena);

/** iommuabs_sim_ptr() - pointer to the byte at @maddr; NULL: not in the arena */
IOMMUABS_API void *iommuabs_sim_ptr(struct iommuabs_sim_arena *arena,
				    uint64_t maddr);

/** iommuabs_sim_maddr() - machine address of *@p; UINT64_MAX: not in the arena */
IOMMUABS_API uint64_t iommuabs_sim_maddr(struct iommuabs_sim_arena *arena,
					 const void *p);

/** iommuabs_sim_offset() - pointer = machine address + this, wrapping; never 0 */
IOMMUABS_API uint64_t iommuabs_sim_offset(struct iommuabs_sim_arena *arena);

/**
 * iommuabs_sim_time_us() - the arena's clock
 *
 * It moves by 1 us at each register read, and by 1 us each time it is asked: a
 * driver's timeout ends after as many polls, in no real time.
 */
IOMMUABS_API uint64_t iommuabs_sim_time_us(struct iommuabs_sim_arena *arena);

/* ---- stores, barriers and cleans; sim_port.h maps port_dev_* to these ---- */

/*
 * They look up the arena by the pointer. Memory outside every arena is accessed
 * plainly. A test's own "hypervisor" writes shared tables with these, too.
 */
IOMMUABS_API uint64_t iommuabs_sim_dev_load64(const uint64_t *p);
IOMMUABS_API void iommuabs_sim_dev_store64(uint64_t *p, uint64_t v);
/* One store for units with fetch_128, two for all others. */
IOMMUABS_API void iommuabs_sim_dev_store128(uint64_t *p, uint64_t lo,
					    uint64_t hi);
/* Non-zero: stored. On failure *old is what was found. Release order. */
IOMMUABS_API int iommuabs_sim_dev_cas64(uint64_t *p, uint64_t *old, uint64_t v);
IOMMUABS_API void iommuabs_sim_dev_zero(void *p, size_t size);
IOMMUABS_API void iommuabs_sim_dev_wmb(void);
IOMMUABS_API void iommuabs_sim_dev_rmb(void);
IOMMUABS_API void iommuabs_sim_dev_mb(void);
/* Write lines back. Complete at the next iommuabs_sim_dev_mb(). */
IOMMUABS_API void iommuabs_sim_cache_clean(const void *p, size_t size);

/* ---- registers ---- */

/**
 * iommuabs_sim_mmio_read() - a load by the CPU
 * @addr:  machine address
 * @width: 4 or 8 bytes
 *
 * What real hardware leaves open (wrong width, not aligned) reads as zero and is
 * a violation. Addresses that belong to no unit read as all ones.
 */
IOMMUABS_API uint64_t iommuabs_sim_mmio_read(struct iommuabs_sim_arena *arena,
					     uint64_t addr, unsigned int width);
IOMMUABS_API void iommuabs_sim_mmio_write(struct iommuabs_sim_arena *arena,
					  uint64_t addr, unsigned int width,
					  uint64_t value);

/* The same for a port.h: the pointer is the machine address of a register of
 * any arena; other pointers are accessed plainly. */
IOMMUABS_API uint64_t iommuabs_sim_port_mmio_read(const void *p,
						  unsigned int width);
IOMMUABS_API void iommuabs_sim_port_mmio_write(void *p, unsigned int width,
					       uint64_t value);

/* ---- an Arm SMMUv3 (IHI 0070) ---- */

/*
 * Its Non-secure interface: linear and two-level stream tables, stage 1 or stage
 * 2 with AArch64 tables of every granule, 48 and 52 bits, the command, event and
 * PRI queues, messages, stalls, ATS. Not there: hardware update of flags, MPAM,
 * ATOS, enhanced command queues, VMID wildcards, split-stage ATS, DPT; the ID
 * registers say so. What could be asked for all the same is UNMODELLED below.
 */

/* Sum of the granules that a unit can walk. */
#define IOMMUABS_SIM_GRAN4K  (1u << 0)
#define IOMMUABS_SIM_GRAN16K (1u << 1)
#define IOMMUABS_SIM_GRAN64K (1u << 2)

/* What the ID registers say; the names are the manual's fields (6.3.1 ff.). */
struct iommuabs_sim_smmuv3_config {
	uint64_t base;	       /* of the registers, a multiple of 64 KiB */
	unsigned int s1p, s2p; /* 0 or 1, as all that say nothing else */
	unsigned int st_level; /* 1: two-level stream tables */
	unsigned int sidsize;  /* bits of a StreamID, 0..32 */
	unsigned int vmid16, cohacc, ril, msi, sev, hyp, stt, fwb;
	unsigned int bbml;	     /* 0..2 */
	unsigned int oas;	     /* bits: 32, 36, 40, 42, 44, 48, 52 */
	unsigned int granules;	     /* IOMMUABS_SIM_GRAN* */
	unsigned int cmdqs, eventqs; /* log2 of the greatest queues, 0..19 */
	unsigned int arch_minor;     /* AIDR: SMMUv3.n */
	unsigned int fetch_128;	     /* fetches 16 aligned bytes in one piece */
	unsigned int gbpa_abort;     /* reset value of GBPA.ABORT */
	unsigned int asid16;	     /* else ASIDs have 8 bits */
	unsigned int ssidsize;	     /* bits of a SubstreamID, 0..20 */
	unsigned int cd2l;	     /* two-level tables of CDs */
	unsigned int vax;	     /* bits of a stage 1 input, 48 or 52 */
	unsigned int ds; /* 52 bits with 4K and 16K, too; with vax 52 */
	/* IDR0.STALL_MODEL: 0 stalls or terminates, 1 never stalls, 2 always */
	unsigned int stall_model;
	unsigned int stall_max; /* 0 where nothing stalls, else 1..65535 */
	unsigned int ats, pri, btm;
	unsigned int priqs;  /* log2 of the greatest PRI queue, 0..19 */
	unsigned int iidr;   /* who made it; see IOMMUABS_SIM_QUIRK_* */
	unsigned int quirks; /* sum of IOMMUABS_SIM_QUIRK_* */
};

/*
 * What a unit does wrong. Doing what a driver must avoid then is a violation
 * (ERRATUM) where the unit can notice it, and has the consequence named here.
 */
/* A TLBI with a granule, so by range or level, invalidates nothing. */
#define IOMMUABS_SIM_QUIRK_IGNORES_RANGES (1u << 0)
/* A walk that meets a leaf above the last level hangs the unit: see DEAD. */
#define IOMMUABS_SIM_QUIRK_HANGS_ON_BLOCKS (1u << 1)
/* A leaf with the contiguous bit translates to anywhere: here, to a fault. */
#define IOMMUABS_SIM_QUIRK_NO_CONTIGUOUS (1u << 2)
/* Prefetch commands are taken for illegal ones. */
#define IOMMUABS_SIM_QUIRK_NO_PREFETCH (1u << 3)
/* Messages are lost, though IDR0.MSI is 1. */
#define IOMMUABS_SIM_QUIRK_NO_MSI (1u << 4)
/* 64 KiB of registers only: those of page 1 are in page 0. */
#define IOMMUABS_SIM_QUIRK_PAGE0 (1u << 5)
#define IOMMUABS_SIM_QUIRKS	 ((1u << 6) - 1)

/** iommuabs_sim_smmuv3_defaults() - as QEMU's: both stages, BBML 2, RIL, OAS 44 */
IOMMUABS_API void
iommuabs_sim_smmuv3_defaults(struct iommuabs_sim_smmuv3_config *config);

/**
 * iommuabs_sim_smmuv3_create() - a unit in its reset state
 *
 * Return: 0 | SIM_E_INVAL (a value out of range, the address taken, cohacc
 *         against the arena's noncoherent) | SIM_E_NOMEM.
 */
IOMMUABS_MUST_CHECK int
iommuabs_sim_smmuv3_create(struct iommuabs_sim_arena *arena,
			   const struct iommuabs_sim_smmuv3_config *config,
			   struct iommuabs_sim_unit **unit);

/* ---- an Intel VT-d unit (D51397) ---- */

/*
 * DMA remapping by second stage in legacy and scalable mode, with queued
 * invalidation or by registers, fault recording, and the remapping of
 * interrupts. Not there: first stage and nesting, PASIDs in requests, page
 * requests, performance counters; the capabilities say so.
 *
 * Faults to plant mean here: CMDQ_HANG, SYNC_HANG, SYNC_DELAY the invalidation
 * queue and its wait descriptors; CMD_ILLEGAL, CMD_ABORT a descriptor that is
 * refused (FSTS.IQE); CR0_IGNORED the register GCMD; DEAD and WAIT_HANG as there.
 */
/* What the capabilities say; the names are the manual's fields (11.4.2, 3). */
struct iommuabs_sim_vtd_config {
	uint64_t base;	    /* of the registers, a multiple of 4 KiB */
	unsigned int nd;    /* domain-ids have 4 + 2 * nd bits, at most 16 */
	unsigned int sagaw; /* sum of 2, 4 and 8: 3, 4 and 5 levels */
	unsigned int mgaw;  /* bits of the widest input address, 30..57 */
	unsigned int haw;   /* bits of machine addresses, 32..52 */
	unsigned int sslps; /* leaves of 2 MiB: 1; and of 1 GiB: 3 */
	unsigned int mamv;  /* greatest address mask, in pages */
	unsigned int nfr;   /* fault recording registers, 1..64 */
	/* 0 or 1, as all that say nothing else */
	unsigned int psi, dwd, drd, cm, rwbf, plmr, pi;
	unsigned int coherent; /* ECAP.C */
	unsigned int qi, dt, ir, eim, sc, smts, smpwc;
	unsigned int fetch_128; /* fetches 16 aligned bytes in one piece */
	unsigned int itesid;	/* says which device did not answer (dt) */
	unsigned int dit;	/* ECAP.DIT (dt) */
	/* Major version, 1..15; from 6 on registers don't invalidate. */
	unsigned int version;
};

/** iommuabs_sim_vtd_defaults() - as QEMU's with aw-bits=48, but coherent */
IOMMUABS_API void
iommuabs_sim_vtd_defaults(struct iommuabs_sim_vtd_config *config);

/**
 * iommuabs_sim_vtd_create() - a unit in its reset state
 *
 * With rwbf, all units of the arena see stores only once its buffer is flushed.
 *
 * Return: 0 | SIM_E_INVAL (a value out of range, the address taken, coherent
 *         against the arena's noncoherent) | SIM_E_NOMEM.
 */
IOMMUABS_MUST_CHECK int
iommuabs_sim_vtd_create(struct iommuabs_sim_arena *arena,
			const struct iommuabs_sim_vtd_config *config,
			struct iommuabs_sim_unit **unit);

/* A write of a device to 0xfeexxxxx, and what becomes of it. */
struct iommuabs_sim_interrupt {
	uint16_t sid;
	uint64_t addr;
	uint32_t data;
	/* out: */
	unsigned int blocked;
	unsigned int fault; /* the reason recorded, 0: none */
	unsigned int vector, delivery, level, logical;
	uint32_t destination;
	unsigned int posted;
	uint64_t descriptor; /* of a posted interrupt */
};

/**
 * iommuabs_sim_vtd_interrupt() - a device sends a message
 *
 * ADVERSARY: through any entry that the unit may hold of the table.
 *
 * Return: 1 delivered | 0 blocked; @irq says how.
 */
IOMMUABS_API int iommuabs_sim_vtd_interrupt(struct iommuabs_sim_unit *unit,
					    struct iommuabs_sim_interrupt *irq);

/**
 * iommuabs_sim_vtd_interrupt_outcomes() - all that may become of it now
 * @out: at most @max are written
 *
 * Nothing is recorded.
 *
 * Return: how many there are.
 */
IOMMUABS_API unsigned int
iommuabs_sim_vtd_interrupt_outcomes(struct iommuabs_sim_unit *unit,
				    const struct iommuabs_sim_interrupt *irq,
				    struct iommuabs_sim_interrupt *out,
				    unsigned int max);

/**
 * iommuabs_sim_unit_reset() - power was lost and is back
 *
 * Registers have their reset values. Caches are not kept, but hold anything that
 * could be read: nothing may be enabled before all of it is invalidated. Stalled
 * DMA ends as if terminated; devices have forgotten what ATS told them. Probes
 * and planted faults stay; a service failure is over.
 */
IOMMUABS_API void iommuabs_sim_unit_reset(struct iommuabs_sim_unit *unit);

/** iommuabs_sim_unit_destroy() - with its probes; NULL is fine */
IOMMUABS_API void iommuabs_sim_unit_destroy(struct iommuabs_sim_unit *unit);

/* ---- faults to plant ---- */

enum iommuabs_sim_fault {
	/* No command is consumed after @n more; ends by CMDQEN = 0 or @us. */
	IOMMUABS_SIM_CMDQ_HANG,
	/* As above, by the @n-th CMD_SYNC from now, which stays unfinished. */
	IOMMUABS_SIM_SYNC_HANG,
	/* Each CMD_SYNC takes @n register reads longer. */
	IOMMUABS_SIM_SYNC_DELAY,
	/* The @n-th command from now is taken for an illegal one, once. */
	IOMMUABS_SIM_CMD_ILLEGAL,
	/* Fetching the @n-th command from now is aborted, once. */
	IOMMUABS_SIM_CMD_ABORT,
	/* Writes to CR0 are not acknowledged; @n: 1 on, 0 off. Ends by @us. */
	IOMMUABS_SIM_CR0_IGNORED,
	/* GBPA.Update is never cleared; @n: 1 on, 0 off. Ends by @us. */
	IOMMUABS_SIM_GBPA_STUCK,
	/* Reads give all ones, writes are lost; @n: 1 on, 0 off. */
	IOMMUABS_SIM_DEAD,
	/*
	 * The @n-th wait from now is never over. A wait is what a driver must
	 * wait for: a CMD_SYNC, a changing write to CR0 or IRQ_CTRL, a write to
	 * GBPA. It ends by @us; for CR0 and IRQ_CTRL by the next write, too; for
	 * a CMD_SYNC by CMDQEN = 0.
	 */
	IOMMUABS_SIM_WAIT_HANG,
	/* Writing the next @n event records is aborted. */
	IOMMUABS_SIM_EVENT_ABORT,
	/* Writing the next @n page requests is aborted. */
	IOMMUABS_SIM_PRI_ABORT,
	/* The next @n messages are aborted, of whatever source. */
	IOMMUABS_SIM_MSI_ABORT,
	/* The next @n requests find two matching TLB entries. */
	IOMMUABS_SIM_TLB_CONFLICT,
	/*
	 * @n: 1: the unit fails (GERROR.SFM_ERR): no DMA passes, no command is
	 * consumed, no event recorded. Ends by @us or iommuabs_sim_unit_reset(),
	 * not by the acknowledge.
	 */
	IOMMUABS_SIM_SERVICE_FAILURE,
	/* VT-d: a device answers what it was not asked (FSTS.ICE), at once. */
	IOMMUABS_SIM_STRAY_ANSWER,
};

/**
 * iommuabs_sim_plant() - plant a fault
 * @n:  see the fault; where it counts, 1 is the next one, 0 takes it back
 * @us: it heals after so much virtual time; 0: not by itself
 */
IOMMUABS_API void iommuabs_sim_plant(struct iommuabs_sim_unit *unit,
				     enum iommuabs_sim_fault fault, uint64_t n,
				     uint64_t us);

/** iommuabs_sim_heal() - take every planted fault back */
IOMMUABS_API void iommuabs_sim_heal(struct iommuabs_sim_unit *unit);

/* ---- DMA ---- */

#define IOMMUABS_SIM_DMA_WRITE	    (1u << 0)
#define IOMMUABS_SIM_DMA_SSID	    (1u << 1) /* carries @ssid (a PASID) */
#define IOMMUABS_SIM_DMA_TRANSLATED (1u << 2) /* ATS: @addr is translated */
/*
 * A write that is translated now and lands later: when the next CMD_SYNC
 * completes, or at iommuabs_sim_settle(). At most 64 bytes.
 */
#define IOMMUABS_SIM_DMA_POSTED (1u << 3)
/* Out of the device's own cache, where iommuabs_sim_ats() has filled it. */
#define IOMMUABS_SIM_DMA_ATC (1u << 4)
/* By privileged software on the device. */
#define IOMMUABS_SIM_DMA_PRIVILEGED (1u << 5)

struct iommuabs_sim_dma {
	uint32_t sid;
	uint32_t flags;
	uint32_t ssid;
	uint64_t addr; /* device-visible */
	uint64_t len;  /* bytes, > 0 */
	void *data;    /* read into, written from; NULL: only the translation */
	/* out: */
	uint64_t done;	/* bytes before the fault, @len if there was none */
	uint64_t maddr; /* where the first byte went, if any */
	uint32_t event; /* the fault's event number, 0: none recorded */
	uint32_t stag;	/* where it stalled: what CMD_RESUME is told */
};

/* What iommuabs_sim_dma() and iommuabs_sim_dma_result() say of stalled DMA. */
#define IOMMUABS_SIM_STALLED 2

/**
 * iommuabs_sim_dma() - a device's request, split at 4 KiB
 *
 * Data moves only where the machine address lies in the arena; elsewhere reads
 * give zeros. ADVERSARY: one legal outcome is drawn per piece.
 *
 * Return: 1 done | 0 blocked (@dma->done tells where) | IOMMUABS_SIM_STALLED: it
 *         waits for CMD_RESUME, and @dma->data must stay until then.
 */
IOMMUABS_API int iommuabs_sim_dma(struct iommuabs_sim_unit *unit,
				  struct iommuabs_sim_dma *dma);

/**
 * iommuabs_sim_dma_result() - what became of DMA that stalled
 * @dma: as iommuabs_sim_dma() left it; out: as if it had returned only now
 *
 * An answer other than IOMMUABS_SIM_STALLED is given once.
 *
 * Return: 1 done | 0 terminated | IOMMUABS_SIM_STALLED, perhaps again.
 */
IOMMUABS_API int iommuabs_sim_dma_result(struct iommuabs_sim_unit *unit,
					 struct iommuabs_sim_dma *dma);

/** iommuabs_sim_stalled() - requests that wait for CMD_RESUME */
IOMMUABS_API unsigned int iommuabs_sim_stalled(struct iommuabs_sim_unit *unit);

/** iommuabs_sim_settle() - let all posted writes land */
IOMMUABS_API void iommuabs_sim_settle(struct iommuabs_sim_arena *arena);

/* ---- ATS and PRI: what a device asks for, and keeps ---- */

/**
 * iommuabs_sim_ats() - a device's translation request for the page of @dma->addr
 *
 * What it is told it keeps, and uses for DMA with IOMMUABS_SIM_DMA_ATC, until a
 * CMD_ATC_INV (VT-d: a Device-TLB invalidation) that covers it is completed by a
 * CMD_SYNC (a wait). @dma->data is not used.
 * ADVERSARY: each device that may use ATS counts as having asked for everything
 * whenever it was to be had; probes with IOMMUABS_SIM_DMA_ATC see that.
 *
 * Return: 1 translated, @dma->maddr is where | 0 refused.
 */
IOMMUABS_API int iommuabs_sim_ats(struct iommuabs_sim_unit *unit,
				  struct iommuabs_sim_dma *dma);

/**
 * iommuabs_sim_atc_mute() - the device does not answer CMD_ATC_INV
 * @mute: 1 on, 0 off
 *
 * The next CMD_SYNC then fails with CERROR_ATC_INV_SYNC; VT-d: FSTS.ITE.
 */
IOMMUABS_API void iommuabs_sim_atc_mute(struct iommuabs_sim_unit *unit,
					uint32_t sid, unsigned int mute);

/**
 * iommuabs_sim_page_request() - a device's request into an SMMUv3's PRI queue
 * @dma:   sid, addr, ssid and flags are used
 * @group: PRGIndex, 9 bits
 *
 * Return: 1 queued | 0 answered by the unit itself, or lost.
 */
IOMMUABS_API int iommuabs_sim_page_request(struct iommuabs_sim_unit *unit,
					   const struct iommuabs_sim_dma *dma,
					   unsigned int group);

/* ---- CPUs that share tables with units ---- */

/**
 * iommuabs_sim_broadcast_tlbi() - a CPU's TLBI VMALLS12E1IS, and the DSB
 *
 * For units with IDR0.BTM = 1 and CR2.PTM = 0; complete on return.
 */
IOMMUABS_API void iommuabs_sim_broadcast_tlbi(struct iommuabs_sim_arena *arena,
					      uint16_t vmid);

/* ---- probes: DMA at every moment ---- */

/* An outcome that is no machine address. */
#define IOMMUABS_SIM_BLOCKED UINT64_MAX

/**
 * iommuabs_sim_probe_add() - try DMA of @sid at @iova from now on
 * @flags: 0 or a sum of IOMMUABS_SIM_DMA_WRITE, _PRIVILEGED, _ATC
 *
 * After each register access and each store of device-visible memory that could
 * have changed something, every outcome that is possible then must be an allowed
 * one, else: violation (PROBE). Nothing is written and no event recorded. To
 * begin with, everything is allowed. FUNCTIONAL: looked at only when asked, and
 * that fills the caches as DMA does.
 *
 * Return: NULL for out of memory.
 */
IOMMUABS_API struct iommuabs_sim_probe *
iommuabs_sim_probe_add(struct iommuabs_sim_unit *unit, uint32_t sid,
		       uint64_t iova, uint32_t flags);

/**
 * iommuabs_sim_probe_allow() - the outcomes allowed from now on
 * @outcomes: machine addresses, or IOMMUABS_SIM_BLOCKED; at most 8
 *
 * Without BLOCKED among them a fault is a violation. Looks at once.
 *
 * Return: how many of the outcomes possible now are not allowed.
 */
IOMMUABS_API unsigned int
iommuabs_sim_probe_allow(struct iommuabs_sim_probe *probe,
			 const uint64_t *outcomes, unsigned int nr);

/** iommuabs_sim_probe_any() - everything is allowed again */
IOMMUABS_API void iommuabs_sim_probe_any(struct iommuabs_sim_probe *probe);

/**
 * iommuabs_sim_probe_outcomes() - what is possible now
 * @outcomes: at most @max are written
 *
 * Return: how many there are.
 */
IOMMUABS_API unsigned int
iommuabs_sim_probe_outcomes(struct iommuabs_sim_probe *probe,
			    uint64_t *outcomes, unsigned int max);

IOMMUABS_API void iommuabs_sim_probe_remove(struct iommuabs_sim_probe *probe);

/* ---- what happened ---- */

enum iommuabs_sim_irq {
	IOMMUABS_SIM_IRQ_EVENTQ,
	IOMMUABS_SIM_IRQ_PRIQ,
	IOMMUABS_SIM_IRQ_SYNC,
	IOMMUABS_SIM_IRQ_GERROR,
	IOMMUABS_SIM_IRQ_COUNT_,
};

/**
 * iommuabs_sim_irq_take() - edges on this line since the last call
 *
 * A message goes to the arena's memory instead, or, outside the arena, is
 * counted here.
 */
IOMMUABS_API unsigned int iommuabs_sim_irq_take(struct iommuabs_sim_unit *unit,
						enum iommuabs_sim_irq irq);

struct iommuabs_sim_counters {
	uint64_t reads, writes; /* of registers */
	uint64_t commands;	/* consumed */
	uint64_t by_opcode[256];
	uint64_t syncs; /* completed */
	uint64_t waits; /* begun; see IOMMUABS_SIM_WAIT_HANG */
	uint64_t events, events_lost;
	uint64_t dma_done, dma_blocked;
	uint64_t probes; /* looks at one probe */
};

IOMMUABS_API void iommuabs_sim_counters(struct iommuabs_sim_unit *unit,
					struct iommuabs_sim_counters *counters);

/**
 * iommuabs_sim_command() - the @n-th command consumed by the unit, from 0
 *
 * The last 4096 are kept.
 *
 * Return: 1 | 0: not (or no longer) known.
 */
IOMMUABS_API int iommuabs_sim_command(struct iommuabs_sim_unit *unit,
				      uint64_t n, uint64_t words[2]);

/**
 * iommuabs_sim_tlbi_covering() - invalidations of (@vmid, @ipa) among commands
 * @from: the number of the first command that counts
 */
IOMMUABS_API unsigned int
iommuabs_sim_tlbi_covering(struct iommuabs_sim_unit *unit, uint16_t vmid,
			   uint64_t ipa, uint64_t from);

/* How stores get to memory that units read. */
struct iommuabs_sim_cleans {
	/* Lines that were cleaned: with a store for units that don't snoop; with
	 * none since the clean before. */
	uint64_t lines, in_vain;
	uint64_t barriers; /* iommuabs_sim_dev_mb() */
	/* Words of tables that a unit reaches now (no queues) with a store in
	 * them that no clean came after. */
	uint64_t unclean;
};

/** iommuabs_sim_cleans() - ADVERSARY: so far; each 0 where units snoop, but for
 * @cleans->barriers */
IOMMUABS_API void iommuabs_sim_cleans(struct iommuabs_sim_arena *arena,
				      struct iommuabs_sim_cleans *cleans);

enum iommuabs_sim_violation {
	/* Registers: width, alignment, reserved bits, read-only. */
	IOMMUABS_SIM_V_REGISTER,
	/* A register changed while what it is guarded by is on. */
	IOMMUABS_SIM_V_GUARD,
	/* A command or table is read before its stores were ordered. */
	IOMMUABS_SIM_V_ORDER,
	/* The unit does not snoop, and the line was not cleaned. */
	IOMMUABS_SIM_V_CLEAN,
	/* A unit can read a word that was never stored. */
	IOMMUABS_SIM_V_UNINIT,
	/* A stream table entry that is valid and illegal can be fetched. */
	IOMMUABS_SIM_V_BAD_STE,
	/* A mix of old and new words can be fetched that is neither. */
	IOMMUABS_SIM_V_TORN_STE,
	/* The same of a context descriptor. */
	IOMMUABS_SIM_V_BAD_CD,
	IOMMUABS_SIM_V_TORN_CD,
	/* A live descriptor changed without break-before-make. */
	IOMMUABS_SIM_V_BBM,
	/*
	 * One VMID, two tables; or a VMID reused before it was invalidated. With
	 * BBML 2 two stage 2 tables of one geometry may have one VMID, if they map
	 * the same whenever a CMD_SYNC completes.
	 */
	IOMMUABS_SIM_V_VMID,
	/* The same of an ASID, within its VMID. */
	IOMMUABS_SIM_V_ASID,
	/* Memory freed, or used after that, while a unit may reach it. */
	IOMMUABS_SIM_V_FREED,
	/* A table written after it was unlinked, before its invalidation. */
	IOMMUABS_SIM_V_UNLINKED,
	/* A DMA outcome that no probe allows. */
	IOMMUABS_SIM_V_PROBE,
	/* A malformed or useless command, a queue index out of step. */
	IOMMUABS_SIM_V_COMMAND,
	/* Enabled before the caches were invalidated. */
	IOMMUABS_SIM_V_ENABLE,
	/* Reserved bits set in a table, a descriptor or a stream table entry. */
	IOMMUABS_SIM_V_RESERVED,
	/* What this unit gets wrong, see IOMMUABS_SIM_QUIRK_*. */
	IOMMUABS_SIM_V_ERRATUM,
	/*
	 * The model cannot do what is asked: both stages at once, TTB1, ASIDs
	 * at EL2 (E2H), tables of CDs in two levels, permissions in stage 1
	 * table descriptors, STE.CONT.
	 */
	IOMMUABS_SIM_V_UNMODELLED,
	/*
	 * When a CMD_SYNC completes, not all of a group have the contiguous bit,
	 * or they don't say the same.
	 */
	IOMMUABS_SIM_V_CONTIGUOUS,
	IOMMUABS_SIM_V_COUNT_,
};

/** iommuabs_sim_violations() - how many different ones there are */
IOMMUABS_API unsigned int
iommuabs_sim_violations(struct iommuabs_sim_arena *arena);

/** iommuabs_sim_violations_of() - of one class */
IOMMUABS_API unsigned int
iommuabs_sim_violations_of(struct iommuabs_sim_arena *arena,
			   enum iommuabs_sim_violation which);

/**
 * iommuabs_sim_violation_text() - the @n-th, from 0
 *
 * Return: valid until the violations are cleared; NULL: there is none.
 */
IOMMUABS_API const char *
iommuabs_sim_violation_text(struct iommuabs_sim_arena *arena, unsigned int n);

IOMMUABS_API void
iommuabs_sim_violations_clear(struct iommuabs_sim_arena *arena);

/** iommuabs_sim_violation_name() - "PROBE" and so on */
IOMMUABS_API const char *
iommuabs_sim_violation_name(enum iommuabs_sim_violation which);

IOMMUABS_END_DECLS

#endif
