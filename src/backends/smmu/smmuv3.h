/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smmuv3.h - inside the SMMUv3 driver (Arm IHI 0070)
 *
 *   smmuv3.c		identification, tables that fit, the list of operations
 *   smmuv3_control.c	enabling, blocking, errors
 *   smmuv3_cmdq.c	command queue
 *   smmuv3_tlbi.c	what to forget, as commands
 *   smmuv3_strtab.c	stream table: where an entry is
 *   smmuv3_entry.c	stream table entries: what is in one, and how it changes
 *   smmuv3_evtq.c	event queue
 */
#ifndef IOMMUABS_SMMU_SMMUV3_H
#define IOMMUABS_SMMU_SMMUV3_H

#include "../backend.h"
#include "smmuv3_regs.h"

/* Queues are no longer than the unit allows (IDR1). */
#define SMMUV3_CMDQ_LG2 8
#define SMMUV3_EVTQ_LG2 9

/* Commands that one call collects before it takes the lock. */
#define SMMUV3_BATCH 16

struct smmuv3_strtab {
	uint64_t maddr; /* linear: the entries; else level 1 */
	uint8_t lg2;	/* bytes */
	uint8_t two_level;
};

/*
 * Commands are counted from 0 for ever; the index in the queue is in the low
 * bits, the wrap bit above it (3.5.1). So "is my command consumed" is one
 * comparison, however often the queue went round.
 */
struct smmuv3_cmdq {
	uint64_t maddr;
	uint8_t lg2;
	/* Under the unit's lock: */
	uint32_t open;	/* commands may be inserted */
	uint64_t known; /* consumed, as far as seen */
	/* Written under the lock, read without: */
	uint64_t prod;	      /* inserted */
	uint64_t repaired_to; /* a command before this may have been dropped */
	uint32_t generation;  /* resets begun */
	uint32_t generation_ok; /* the last reset that invalidated everything */
};

struct smmuv3_evtq {
	uint64_t maddr;
	uint8_t lg2;
	uint32_t cons; /* as in the register, with wrap bit and OVACKFLG */
};

struct smmuv3 {
	struct backend_unit *unit;
	uint8_t ril, hyp, msi, attr_types_ovr;
	struct smmuv3_strtab strtab;
	struct smmuv3_cmdq cmdq;
	struct smmuv3_evtq evtq;
};

static inline struct smmuv3 *smmuv3_of(const struct backend_unit *unit)
{
	return unit->priv;
}

/* Stores to memory that the unit reads, in its reach. */
static inline void smmuv3_clean(const struct smmuv3 *smmu, const void *p,
				size_t size)
{
	if (!smmu->unit->caps.coherent)
		hostif_clean(smmu->unit->host, p, size);
}

/* ---- smmuv3.c ---- */

/*
 * The one poll: until @done says so, at most BACKEND_TIMEOUT_US, with a last look
 * after the deadline. @what goes into unit->reason. 0 | E_TIMEOUT.
 */
int smmuv3_poll(struct smmuv3 *smmu, const char *what,
		bool (*done)(struct smmuv3 *smmu, void *arg), void *arg);

/* Zeroed memory for the unit. 0 | E_NOMEM. */
int smmuv3_memory(struct smmuv3 *smmu, unsigned int size_lg2, uint64_t *maddr);
void smmuv3_memory_free(struct smmuv3 *smmu, uint64_t maddr,
			unsigned int size_lg2);

enum iommuabs_share_reason smmuv3_share(const struct backend_unit *unit,
					const struct iommuabs_p2m *p2m,
					struct backend_table *table);
int smmuv3_mirror(const struct backend_unit *unit, uint8_t input_bits,
		  uint8_t max_level, struct backend_geometry *geometry);

/* ---- smmuv3_control.c ---- */

int smmuv3_enable(struct backend_unit *unit);
int smmuv3_disable(struct backend_unit *unit);
int smmuv3_fence(struct backend_unit *unit);
int smmuv3_crash_block(struct backend_unit *unit);
int smmuv3_errors(struct backend_unit *unit);
void smmuv3_irq(struct backend_unit *unit, enum iommuabs_unit_irq_which which);

/* ---- smmuv3_cmdq.c ---- */

/* Commands on their way into the queue. */
struct smmuv3_batch {
	struct smmuv3 *smmu;
	uint64_t cmds[SMMUV3_BATCH][2];
	uint32_t nr;
	uint32_t generation; /* of the queue, when the last went in */
	uint64_t first;	     /* number of the first that went in */
	uint64_t end;	     /* number after the last */
	uint32_t started;
	int status; /* 0 | E_TIMEOUT: the rest is ignored */
};

/* Emits commands with smmuv3_batch_add(); may be called again. */
typedef void (*smmuv3_emit_fn)(struct smmuv3_batch *batch, const void *arg);

void smmuv3_batch_add(struct smmuv3_batch *batch, uint64_t word0,
		      uint64_t word1);

/*
 * Insert what @emit emits and one CMD_SYNC, and wait until that is complete.
 * Orders every earlier port_dev store before the commands. Context: TASK, no lock
 * held, on any number of CPUs.
 * 0: everything was executed, or a reset of the unit has done more than that, or
 * the unit was turned off | E_TIMEOUT.
 */
int smmuv3_submit(struct smmuv3 *smmu, smmuv3_emit_fn emit, const void *arg);

/* Empty, not yet open to others; waiters of before wait for the reset's end. */
void smmuv3_cmdq_reset(struct smmuv3 *smmu);
/* CMDQEN is acknowledged. */
void smmuv3_cmdq_open(struct smmuv3 *smmu);
/* Everything was invalidated since smmuv3_cmdq_reset(). */
void smmuv3_cmdq_settle(struct smmuv3 *smmu);
void smmuv3_cmdq_close(struct smmuv3 *smmu);
/* Get a queue going again that stopped at a bad command. Takes the lock. */
void smmuv3_cmdq_repair(struct smmuv3 *smmu);

/* ---- smmuv3_tlbi.c ---- */

int smmuv3_invalidate(struct backend_unit *unit, const struct backend_inv *inv,
		      struct backend_streams *stuck);
/* Everything that the unit may have cached. 0 | E_TIMEOUT. */
int smmuv3_invalidate_all(struct smmuv3 *smmu);
/* The entries of [@first, @first + @nr) and what leads to them. */
int smmuv3_forget_entries(struct smmuv3 *smmu, uint32_t first, uint32_t nr);

/* ---- smmuv3_strtab.c ---- */

int smmuv3_strtab_make(struct smmuv3 *smmu, unsigned int stream_bits);
void smmuv3_strtab_free(struct smmuv3 *smmu);
int smmuv3_streams_reserve(struct backend_unit *unit, uint32_t first,
			   uint32_t nr);
/*
 * The entry of @stream, until it is unmapped. NULL: none was reserved, the unit
 * blocks (C_BAD_STREAMID).
 */
uint64_t *smmuv3_strtab_entry(struct smmuv3 *smmu, uint32_t stream);
void smmuv3_strtab_entry_unmap(struct smmuv3 *smmu, uint64_t *entry);
void smmuv3_strtab_program(struct smmuv3 *smmu);

/* ---- smmuv3_entry.c ---- */

/* What an entry says for @table (NULL: blocks) and BACKEND_STREAM_* flags. */
void smmuv3_entry_make(const struct smmuv3 *smmu,
		       const struct backend_table *table, uint32_t flags,
		       uint64_t words[STE_WORDS]);
int smmuv3_stream_set(struct backend_unit *unit, uint32_t first, uint32_t nr,
		      const struct backend_table *table, uint32_t flags);
bool smmuv3_stream_is_hitless(const struct backend_unit *unit,
			      const struct backend_table *from,
			      const struct backend_table *to);
void smmuv3_read_stream(struct backend_unit *unit, uint32_t stream,
			struct backend_stream *out);

/* ---- smmuv3_evtq.c ---- */

void smmuv3_evtq_program(struct smmuv3 *smmu);
void smmuv3_event_decode(const uint64_t raw[EVENT_WORDS],
			 struct backend_event *event);
uint32_t smmuv3_events(struct backend_unit *unit, struct backend_event *events,
		       uint32_t max);

#endif
