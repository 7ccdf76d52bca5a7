/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit.h - one IOMMU: one SMMU, one DMA remapping unit
 */
#ifndef IOMMUABS_UNIT_H
#define IOMMUABS_UNIT_H

#include <iommuabs/types.h>

IOMMUABS_BEGIN_DECLS

enum iommuabs_unit_type {
	IOMMUABS_UNIT_NULL,   /* no hardware: a list in memory */
	IOMMUABS_UNIT_SMMUV3, /* Arm IHI 0070 */
	IOMMUABS_UNIT_SMMUV2, /* Arm IHI 0062; described, no driver */
	IOMMUABS_UNIT_VTD,    /* Intel VT-d (D51397) */
	IOMMUABS_UNIT_OTHER,  /* described, no driver */
};

/* Which of a unit's interrupts. */
enum iommuabs_unit_irq_which {
	IOMMUABS_IRQ_EVENT,
	IOMMUABS_IRQ_ERROR,
	IOMMUABS_IRQ_SYNC,
	IOMMUABS_IRQ_PRI,
	IOMMUABS_IRQ_COUNT_,
};

/* A wired interrupt as firmware describes it. */
struct iommuabs_irq {
	enum iommuabs_unit_irq_which which;
	uint32_t number; /* GIC: INTID (SPI n is n + 32); ACPI: GSIV */
	uint32_t edge;	 /* 1 edge, 0 level */
};

/* Where firmware lets the unit's interrupts arrive that are messages. */
struct iommuabs_unit_msi {
	uint32_t controller; /* phandle of the msi-parent; 0: none is known */
	uint32_t id; /* that it knows the unit by (ITS: DeviceID), or 0 */
};

/* Values of iommuabs_unit_desc.flags. */
/* The unit's walks and queues snoop CPU caches, whatever its registers say. */
#define IOMMUABS_UNIT_COHERENT (1u << 0)
/* A 128-bit aligned store is fetched by the unit in one piece. */
#define IOMMUABS_UNIT_FETCH_128 (1u << 1)
/*
 * The unit obeys the TLB invalidations that CPUs broadcast (SMMUv3: CR2.PTM = 0),
 * if it can. The library sends its own in any case. VMIDs of the library and of
 * the CPUs aren't the same: entries that have nothing to do with a guest may be
 * forgotten, never too few.
 */
#define IOMMUABS_UNIT_BROADCAST (1u << 2)
/* SMMUv3: the registers of page 1 are in page 0 (Cavium CN99xx). */
#define IOMMUABS_UNIT_PAGE0_ONLY (1u << 3)
/* What the unit claims and gets wrong, where the library can't know by itself. */
#define IOMMUABS_UNIT_NO_RANGES	    (1u << 4) /* invalidations by range */
#define IOMMUABS_UNIT_NO_BLOCKS	    (1u << 5) /* leaves above the last level */
#define IOMMUABS_UNIT_NO_CONTIGUOUS (1u << 6) /* the contiguous hint */
#define IOMMUABS_UNIT_NO_MSI	    (1u << 7) /* interrupts as messages */

#define IOMMUABS_NAME_MAX 64
#define IOMMUABS_PATH_MAX 256

/* Everything is copied. */
struct iommuabs_unit_desc {
	uint32_t size; /* sizeof(struct iommuabs_unit_desc) */
	uint32_t flags;
	enum iommuabs_unit_type type;
	/* Machine address of the registers; OTHER: at any byte. */
	uint64_t base;
	uint64_t length; /* bytes; 0: what the type has */
	const char *
		name; /* for people, shorter than IOMMUABS_NAME_MAX; NULL: made up */
	const char *
		path; /* in the device tree, shorter than IOMMUABS_PATH_MAX; NULL */
	void *cookie;
	const struct iommuabs_irq *irqs;
	uint32_t nr_irqs; /* <= IOMMUABS_IRQ_COUNT_ */
	uint32_t fw_id;	  /* phandle or offset in an ACPI table; 0: none */
	struct iommuabs_unit_msi msi;
};

enum iommuabs_unit_status {
	IOMMUABS_UNIT_ADDED, /* described; start has not run */
	IOMMUABS_UNIT_RUNNING,
	IOMMUABS_UNIT_FENCED, /* blocks everything until iommuabs_unit_recover() */
	IOMMUABS_UNIT_FAILED,	 /* could not be started; blocks where it can */
	IOMMUABS_UNIT_STOPPED,	 /* blocks everything */
	IOMMUABS_UNIT_NO_DRIVER, /* can't be blocked */
	IOMMUABS_UNIT_DEAD, /* doesn't answer; what it may reach is withheld */
};

/* Answer of iommuabs_unit_state(). */
struct iommuabs_unit_state {
	uint32_t size; /* in: sizeof; the caller's */
	enum iommuabs_unit_type type;
	enum iommuabs_unit_status status;
	int error; /* of the last failure, 0: none */
	void *cookie;
	char name[IOMMUABS_NAME_MAX];
	char reason[96]; /* of the last failure, in words */
	uint64_t base;
	uint32_t stage1, stage2; /* can it */
	uint32_t coherent;
	uint32_t input_bits, output_bits; /* of stage 2 */
	uint32_t granules; /* sum of granule sizes in bytes: 0x1000 4K, ... */
	uint32_t id_bits;  /* width of a VMID / domain-id */
	uint32_t stream_bits;
	uint32_t bbml;
	uint32_t nr_bindings;
	uint64_t commands, syncs; /* since it was added */
	uint64_t events, events_lost;
	uint64_t errors; /* that its error register told of */
};

/**
 * iommuabs_unit_add() - describe a unit that the host found itself
 * @desc: copied
 * @unit: written on success
 *
 * Reads the unit's ID registers and writes nothing. After iommuabs_start() the
 * unit is enabled at once, blocking everything. A unit whose type has no driver
 * in this build is added with status NO_DRIVER.
 *
 * Context: BOOT or TASK; allocates.
 * Return:  0 | E_INVAL (base not aligned or 0 for a unit with registers, an
 *          unknown type or flag, a name too long, registers shorter than the
 *          type has) | E_VERSION | E_EXISTS (a unit with this base, or frames
 *          of its registers are mapped) | E_NOMEM (also: 1024 units are there) |
 *          E_UNIT (the ID registers can't be worked with; logged).
 */
IOMMUABS_MUST_CHECK int iommuabs_unit_add(struct iommuabs *abs,
					  const struct iommuabs_unit_desc *desc,
					  struct iommuabs_unit **unit);

/**
 * iommuabs_unit_next() - walk the units
 * @prev: NULL for the first
 *
 * Context: TASK; no unit_add may run meanwhile.
 * Return:  the unit after @prev, NULL after the last.
 */
IOMMUABS_API struct iommuabs_unit *
iommuabs_unit_next(struct iommuabs *abs, struct iommuabs_unit *prev);

/**
 * iommuabs_unit_state() - what the unit is, can, and does
 * @state: @state->size set by the caller
 *
 * Context: TASK.
 * Return:  0 | E_INVAL.
 */
IOMMUABS_MUST_CHECK int iommuabs_unit_state(struct iommuabs_unit *unit,
					    struct iommuabs_unit_state *state);

/**
 * iommuabs_unit_irq_get() - the unit's @n-th interrupt as described
 *
 * Context: any.
 * Return:  0 | E_INVAL | E_NOENT (it has no more than @n).
 */
IOMMUABS_MUST_CHECK int iommuabs_unit_irq_get(struct iommuabs_unit *unit,
					      uint32_t n,
					      struct iommuabs_irq *irq);

/**
 * iommuabs_unit_msi_get() - where the unit's messages arrive, as described
 *
 * For a host that programs the controller, which then knows what to give to
 * iommuabs_unit_irq_set_msi(). Of several msi-parents in a device tree, the
 * first; scans of ACPI tables find none.
 *
 * Context: any.
 * Return:  0 | E_INVAL | E_NOENT (none is known).
 */
IOMMUABS_MUST_CHECK int iommuabs_unit_msi_get(struct iommuabs_unit *unit,
					      struct iommuabs_unit_msi *msi);

/**
 * iommuabs_unit_irq_set_msi() - let the unit raise @which as a message
 * @which: EVENT or ERROR; the library waits for no SYNC and enables no PRI
 * @addr:  machine address that the unit writes to, a multiple of 4; 0: by wire
 * @data:  what it writes, 32 bits
 *
 * Holds until it is set anew, whatever happens to the unit meanwhile. The
 * doorbell is not translated: it is the unit's own write.
 *
 * Context: BOOT or TASK; waits for hardware.
 * Return:  0 | E_INVAL (also: not aligned, wider than the unit's addresses) |
 *          E_NODRIVER | E_NOTSUP (the unit has wires only, or never raises
 *          @which) | E_TIMEOUT (the unit is fenced now).
 */
IOMMUABS_MUST_CHECK int
iommuabs_unit_irq_set_msi(struct iommuabs_unit *unit,
			  enum iommuabs_unit_irq_which which, uint64_t addr,
			  uint32_t data);

/**
 * iommuabs_unit_irq() - one of the unit's interrupts was raised
 *
 * Acknowledges and latches. Call iommuabs_faults_poll() from TASK afterwards.
 *
 * Context: IRQ.
 * Return:  0 | E_INVAL | E_NODRIVER.
 */
IOMMUABS_MUST_CHECK int iommuabs_unit_irq(struct iommuabs_unit *unit,
					  enum iommuabs_unit_irq_which which);

/**
 * iommuabs_unit_recover() - bring a fenced or failed unit back
 * @budget: work units (a table entry or a frame each); 0: to the end
 *
 * Resets the unit from the library's own state, blocking until everything is
 * invalidated; then the bindings are as before, and what was withheld because
 * of this unit alone is free. While the instance is stopped the unit is brought
 * to the state that a stop leaves. No call on a SERIALISED domain may run.
 *
 * Context: TASK; waits for hardware.
 * Return:  0 (also when there was nothing to do) | E_INVAL | E_NODRIVER |
 *          E_AGAIN | E_TIMEOUT (still dead: it stays fenced) | E_NOMEM |
 *          E_UNIT.
 */
IOMMUABS_MUST_CHECK int iommuabs_unit_recover(struct iommuabs_unit *unit,
					      uint64_t budget);

IOMMUABS_END_DECLS

#endif
