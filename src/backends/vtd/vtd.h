/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vtd.h - inside the VT-d driver
 *
 *   vtd.c		identification, tables that fit, the list of operations
 *   vtd_control.c	commands, enabling, errors
 *   vtd_block.c	blocking, also after a crash
 *   vtd_queue.c	invalidation queue, or registers where there is none
 *   vtd_forget.c	what to forget, as descriptors
 *   vtd_context.c	root and context tables: what an entry says, how it changes
 *   vtd_pasid.c	scalable mode: PASID tables
 *   vtd_ats.c		devices that keep translations
 *   vtd_irt.c		remapping of interrupts
 *   vtd_faults.c	fault recording registers
 */
#ifndef IOMMUABS_VTD_VTD_H
#define IOMMUABS_VTD_VTD_H

#include "../ats.h"
#include "../backend.h"
#include "../resets.h"
#include "vtd_regs.h"

#define VTD_BUSES 256

/* Descriptors that one call collects before it takes the lock. */
#define VTD_BATCH 16

/*
 * Descriptors are counted from 0 for ever; the place in the queue is in the low
 * bits. The unit writes the low half of a wait descriptor's number into the
 * status word of that place, so "is it complete" is one comparison.
 */
struct vtd_queue {
	uint64_t maddr, status; /* a page each */
	uint8_t lg2;		/* of descriptors in it */
	/* Under the unit's lock: */
	uint64_t known; /* fetched, as far as seen */
	/* Written under the lock, read without: */
	uint64_t tail; /* inserted */
	uint64_t
		repaired_to; /* a descriptor before this may have been dropped */
	uint64_t timed_out_to; /* because a device did not answer */
	struct backend_resets resets;
};

struct vtd {
	struct backend_unit *unit;
	uint64_t cap, ecap;
	uint8_t scalable; /* root table of scalable mode */
	uint8_t has_queue;
	/* It takes invalidations by register, while the queue is off (6.5.1). */
	uint8_t has_registers;
	uint64_t irt;	     /* interrupt remapping table; 0: none */
	uint8_t x2apic;	     /* its destinations have 32 bits */
	uint8_t irt_is_used; /* from enable to disable, also while fenced */
	uint8_t was_told;    /* of a root table: see pages_free() */
	uint8_t is_lost;     /* it did not acknowledge the last fence */
	uint64_t root;	     /* root table */
	uint64_t blank;	     /* a root table that blocks everything */
	uint64_t purge;	     /* a queue that forgets everything */
	uint32_t purge_end;  /* where it ends, in bytes */
	/* Scalable mode: of each domain-id in use its PASID directory; words of
	 * pages of 512, pages of a page. 0: none yet. */
	uint64_t pasids;
	struct vtd_queue queue;
	struct backend_ats *ats;
	uint32_t ats_busy; /* atomic: devices are asked to forget */
	uint32_t busy; /* atomic: a command or a register invalidation runs */
	uint32_t next_record; /* fault register to look at next */
	uint32_t msi_data;
	uint64_t msi_addr; /* 0: none */
};

static inline struct vtd *vtd_of(const struct backend_unit *unit)
{
	return unit->priv;
}

static inline bool vtd_has(uint64_t field, uint64_t reg)
{
	return (reg & field) != 0;
}

/* RTADDR: are its tables those of scalable mode? */
static inline bool vtd_mode_of(uint64_t rtaddr)
{
	return field_get(VTD_RTADDR_TTM, rtaddr) != VTD_TTM_LEGACY;
}

/* Stores to memory that the unit reads, in its reach. */
static inline void vtd_clean(const struct vtd *vtd, const void *p, size_t size)
{
	if (!vtd->unit->caps.coherent)
		hostif_clean(vtd->unit->host, p, size);
}

/* ---- vtd.c ---- */

/* A zeroed page for the unit. 0 | E_NOMEM. */
int vtd_page(struct vtd *vtd, uint64_t *maddr);
void vtd_page_free(struct vtd *vtd, uint64_t maddr);
/* That one the unit was never told of, whatever else it holds. */
void vtd_page_unused(struct vtd *vtd, uint64_t maddr);

enum iommuabs_share_reason vtd_share(const struct backend_unit *unit,
				     const struct iommuabs_p2m *p2m,
				     struct backend_table *table);
int vtd_mirror(const struct backend_unit *unit, uint8_t input_bits,
	       uint8_t max_level, struct backend_geometry *geometry);

/* ---- vtd_control.c ---- */

int vtd_enable(struct backend_unit *unit);
int vtd_errors(struct backend_unit *unit);
int vtd_irq_set_msi(struct backend_unit *unit,
		    enum iommuabs_unit_irq_which which, uint64_t addr,
		    uint32_t data);
void vtd_irq(struct backend_unit *unit, enum iommuabs_unit_irq_which which);
/* @reg reads as @value in the bits of @mask. */
struct vtd_expectation {
	struct hostif_reg32 reg;
	uint32_t mask, value;
};

/* Wait for it; 0 | E_TIMEOUT. */
int vtd_poll(struct vtd *vtd, const struct vtd_expectation *want,
	     const char *what);
/* What GCMD is told to change that and nothing else. */
uint32_t vtd_command_word(const struct vtd *vtd, uint32_t off, uint32_t on);
/* May it be given tables of ours? Their mode can't change while the unit translates
 * (11.4.5). */
bool vtd_mode_suits(const struct vtd *vtd);
/* Of the root table at @root, in the mode of its tables. */
uint64_t vtd_root_value(const struct vtd *vtd, uint64_t root);
/* Give one command, a bit of GCMD, and wait until GSTS has it; 0 | E_TIMEOUT. */
int vtd_command_on(struct vtd *vtd, uint32_t bit, const char *what);
int vtd_command_off(struct vtd *vtd, uint32_t bit, const char *what);
/* Stores are in memory, for units that have a buffer before it (CAP.RWBF). */
int vtd_flush_writes(struct vtd *vtd);
/* Nobody inserts any more; and it is empty, if it gets there. */
void vtd_queue_drain(struct vtd *vtd);
/* QIE off, also of a queue that firmware left on; ours on. 0 | E_TIMEOUT. */
int vtd_queue_off(struct vtd *vtd);
int vtd_queue_on(struct vtd *vtd);

/* ---- vtd_block.c ---- */

int vtd_disable(struct backend_unit *unit);
int vtd_fence(struct backend_unit *unit);
int vtd_crash_block(struct backend_unit *unit);
/* Write the queue that forgets everything. 0 | E_NOMEM. */
int vtd_purge_make(struct vtd *vtd);

/* ---- vtd_queue.c ---- */

/* Descriptors on their way into the queue. */
struct vtd_batch {
	struct vtd *vtd;
	uint64_t descs[VTD_BATCH][2];
	uint32_t nr;
	uint32_t generation; /* of the queue, when the last went in */
	uint64_t first;	     /* number of the first that went in */
	uint64_t wait;	     /* number of the wait descriptor */
	uint32_t started;
	uint32_t while_off; /* 1: not dropped where the unit isn't enabled */
	int status;	    /* 0 | E_TIMEOUT: the rest is ignored */
};

/* Emits descriptors with vtd_batch_add(); may be called again. */
typedef void (*vtd_emit_fn)(struct vtd_batch *batch, const void *arg);

void vtd_batch_add(struct vtd_batch *batch, uint64_t low, uint64_t high);
/* What comes after begins when all before is complete. */
void vtd_batch_fence(struct vtd_batch *batch);

/*
 * Have the unit do what @emit emits, and wait until it has. Orders every earlier
 * port_dev store before. Context: TASK, no lock held, on any number of CPUs.
 * 0: done, or a reset of the unit has done more than that, or the unit was turned
 * off | E_TIMEOUT.
 */
int vtd_submit(struct vtd *vtd, vtd_emit_fn emit, const void *arg);

/*
 * The same of what devices are to forget, by one caller at a time; also
 * BACKEND_STUCK: one of them did not answer.
 */
int vtd_submit_ats(struct vtd *vtd, vtd_emit_fn emit, const void *arg);

/* The same by who turned the unit off, and the queue on once more. */
int vtd_submit_while_off(struct vtd *vtd, vtd_emit_fn emit, const void *arg);

/*
 * GCMD and the invalidation registers take one thing at a time: wait for one's
 * turn, and end it. 0 | E_TIMEOUT.
 */
int vtd_take(struct vtd *vtd);
void vtd_give(struct vtd *vtd);

struct hostif_reg64 vtd_iotlb_register(const struct vtd *vtd);

/* Empty, not yet open to others; waiters of before wait for the reset's end. */
void vtd_queue_reset(struct vtd *vtd);
void vtd_queue_open(struct vtd *vtd);
/* Everything was invalidated since vtd_queue_reset(). */
void vtd_queue_settle(struct vtd *vtd);
void vtd_queue_close(struct vtd *vtd);
/* Get a queue going again that stopped at a bad descriptor. Takes the lock. */
void vtd_queue_repair(struct vtd *vtd);

/* ---- vtd_forget.c ---- */

int vtd_invalidate(struct backend_unit *unit, const struct backend_inv *inv,
		   struct backend_streams *stuck);
/* Everything that the unit may have cached. 0 | E_TIMEOUT. */
int vtd_forget_all(struct vtd *vtd);
uint64_t vtd_iotlb_descriptor(const struct vtd *vtd, uint64_t granularity,
			      uint64_t id);
/* A context entry as the unit may have it cached: with the domain-id it had. */
struct vtd_cached {
	uint16_t stream, id;
};

#define VTD_CACHED_MAX (VTD_BATCH - 2)

/* Those entries, at most VTD_CACHED_MAX; nr 0: all there are. */
int vtd_forget_contexts(struct vtd *vtd, const struct vtd_cached *cached,
			uint32_t nr);
/* The PASID-table entries of domain-id @id. */
int vtd_forget_pasids(struct vtd *vtd, uint32_t id);

/* ---- vtd_context.c ---- */

void vtd_contexts_free(struct vtd *vtd);
int vtd_streams_reserve(struct backend_unit *unit, uint32_t first, uint32_t nr);
int vtd_stream_set(struct backend_unit *unit, uint32_t first, uint32_t nr,
		   const struct backend_table *table, uint32_t flags);
bool vtd_stream_is_hitless(const struct backend_unit *unit,
			   const struct backend_table *from,
			   const struct backend_table *to);
void vtd_read_stream(struct backend_unit *unit, uint32_t stream,
		     struct backend_stream *out);

/* Entries that are there allow ATS or not. 0 | E_TIMEOUT. */
int vtd_contexts_ats(struct vtd *vtd, uint32_t first, uint32_t nr, bool on);

/* ---- vtd_ats.c ---- */

void vtd_stream_physical(struct backend_unit *unit, uint32_t stream,
			 uint32_t physical);
extern const struct backend_ats_ops vtd_ats_ops;

/* ---- vtd_pasid.c ---- */

int vtd_id_reserve(struct backend_unit *unit, uint32_t id);
void vtd_pasids_free(struct vtd *vtd);
/* The directory of @id, 0: none was reserved. */
uint64_t vtd_pasid_directory(struct vtd *vtd, uint32_t id);
/* Have the directory of table->id say @table, which no stream uses yet.
 * 0 | E_TIMEOUT. */
int vtd_pasid_set(struct vtd *vtd, const struct backend_table *table);
/* What the directory at @maddr says: BLOCKED, TABLE or BAD. */
enum backend_stream_kind vtd_pasid_read(struct vtd *vtd, uint64_t maddr,
					struct backend_table *table);

/* ---- vtd_irt.c ---- */

/* If the host wants that and the unit can; 0 | E_NOMEM. */
int vtd_irt_make(struct vtd *vtd);
void vtd_irt_free(struct vtd *vtd);
/* With the queue open: remap by the table; let no message through. */
int vtd_irt_enable(struct vtd *vtd);
int vtd_irt_block(struct vtd *vtd);
int vtd_irq_set(struct backend_unit *unit, uint32_t index,
		const struct backend_irq *irq);
void vtd_irq_message(uint32_t first, uint32_t nr, uint32_t index,
		     struct iommuabs_irq_message *message);
uint64_t vtd_irq_ioapic(uint32_t index, uint32_t vector, uint32_t flags);

/* ---- vtd_faults.c ---- */

uint32_t vtd_events(struct backend_unit *unit, struct backend_event *events,
		    uint32_t max);

#endif
