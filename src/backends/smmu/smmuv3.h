/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smmuv3.h - inside the SMMUv3 driver (Arm IHI 0070)
 *
 *   smmuv3.c		identification, the list of operations
 *   smmuv3_geometry.c	which tables fit
 *   smmuv3_errata.c	units that are not as they say
 *   smmuv3_control.c	enabling, blocking, errors
 *   smmuv3_cmdq.c	command queue
 *   smmuv3_tlbi.c	what to forget, as commands
 *   smmuv3_strtab.c	stream table: where an entry is
 *   smmuv3_entry.c	stream table entries: what is in one, and how it changes
 *   smmuv3_cd.c	context descriptors: the same for stage 1
 *   smmuv3_evtq.c	event queue
 *   smmuv3_msi.c	interrupts as messages
 *   smmuv3_ats.c	devices that keep translations
 */
#ifndef IOMMUABS_SMMU_SMMUV3_H
#define IOMMUABS_SMMU_SMMUV3_H

#include "../ats.h"
#include "../backend.h"
#include "../resets.h"
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
	uint64_t known; /* consumed, as far as seen */
	/* Written under the lock, read without: */
	uint64_t prod;	      /* inserted */
	uint64_t repaired_to; /* a command before this may have been dropped */
	struct backend_resets resets;
	/* Under the lock: numbers, plus 1, of CMD_SYNCs that found a CMD_ATC_INV
	 * without an answer; the last ones. */
	uint64_t unanswered[8];
	uint32_t nr_unanswered;
};

struct smmuv3_evtq {
	uint64_t maddr;
	uint8_t lg2;
	uint32_t cons;	/* as in the register, with wrap bit and OVACKFLG */
	uint64_t taken; /* records, so far */
	/* A bit for each place: what stalled there was ended meanwhile. */
	uint64_t ended[(1u << SMMUV3_EVTQ_LG2) / 64];
};

/* What a unit must be spared, or does without: smmuv3_errata.c. */
#define SMMUV3_SYNC_EACH_PART (1u << 0) /* one CMD_SYNC for each lock hold */
#define SMMUV3_NO_BROADCAST   (1u << 1)
#define SMMUV3_PAGE0_ONLY     (1u << 2)
#define SMMUV3_NO_RANGES      (1u << 3)
#define SMMUV3_NO_BLOCKS      (1u << 4)
#define SMMUV3_NO_CONTIGUOUS  (1u << 5)
#define SMMUV3_NO_MSI	      (1u << 6)

struct smmuv3_erratum {
	const char *name;
	uint32_t mask, iidr; /* IIDR & mask == iidr; mask 0: never */
	uint32_t flag;	     /* of the unit's description; 0: never */
	uint32_t effects;
};

enum { SMMUV3_MSI_EVENTQ, SMMUV3_MSI_GERROR, SMMUV3_MSIS };

struct smmuv3 {
	struct backend_unit *unit;
	uint8_t ril, hyp, msi, attr_types_ovr;
	uint8_t btm, stall_forced;
	uint8_t ds, va_bits; /* 52-bit descriptors; of stage 1 */
	uint32_t effects;
	struct smmuv3_message {
		uint64_t address; /* 0: by wire */
		uint32_t data;
	} msis[SMMUV3_MSIS];
	uint64_t cd_pages; /* directory of pages of descriptors, by id */
	struct backend_ats *ats;
	uint32_t resume_failed; /* since the last reset; atomic */
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

/* A register of page 1, wherever the unit has it. */
static inline struct hostif_reg32 smmuv3_page1(const struct smmuv3 *smmu,
					       struct hostif_reg32 reg)
{
	if (smmu->effects & SMMUV3_PAGE0_ONLY)
		reg.offset -= SMMU_PAGE1;
	return reg;
}

/* ---- smmuv3.c ---- */

/* Zeroed memory for the unit. 0 | E_NOMEM. */
int smmuv3_memory(struct smmuv3 *smmu, unsigned int size_lg2, uint64_t *maddr);
void smmuv3_memory_free(struct smmuv3 *smmu, uint64_t maddr,
			unsigned int size_lg2);

/* The word at @maddr, until hostif_unmap(). */
uint64_t *smmuv3_word_map(const struct smmuv3 *smmu, uint64_t maddr);

/* ---- smmuv3_errata.c ---- */

/* What applies to @unit; logged. */
uint32_t smmuv3_effects(const struct backend_unit *unit, uint32_t iidr);
/* The @n-th row, NULL past the last. */
const struct smmuv3_erratum *smmuv3_erratum(uint32_t n);

/* ---- smmuv3_geometry.c ---- */

/* S2TG and TG0, IDR5.OAS, S2PS and IPS: the encodings are the same. */
uint64_t smmuv3_encode_granule(unsigned int granule_lg2);
uint8_t smmuv3_granule_lg2(uint64_t encoding); /* 0: reserved */
uint64_t smmuv3_encode_size(unsigned int bits);
uint8_t smmuv3_size_bits(uint64_t encoding);
/* Levels of a stage 1 table: one root table, never more. */
uint8_t smmuv3_stage1_levels(unsigned int granule_lg2, unsigned int input_bits);

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

/* The interrupts that the driver has raised. */
#define SMMUV3_IRQS ((uint32_t)(SMMU_IRQ_CTRL_EVENTQ | SMMU_IRQ_CTRL_GERROR))
int smmuv3_irq_ctrl(struct smmuv3 *smmu, uint32_t value);

/* ---- smmuv3_msi.c ---- */

int smmuv3_irq_set_msi(struct backend_unit *unit,
		       enum iommuabs_unit_irq_which which, uint64_t addr,
		       uint32_t data);
/* Interrupts are off. */
void smmuv3_msi_program(struct smmuv3 *smmu);
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
 * the unit was turned off | E_TIMEOUT | BACKEND_STUCK: a CMD_ATC_INV among the last
 * BACKEND_ATS_TOGETHER wasn't answered.
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
/* The entries of [@first, @first + @nr), what leads to them, and descriptors. */
int smmuv3_forget_entries(struct smmuv3 *smmu, uint32_t first, uint32_t nr);

/* ---- smmuv3_strtab.c ---- */

int smmuv3_strtab_make(struct smmuv3 *smmu, unsigned int stream_bits);
void smmuv3_strtab_free(struct smmuv3 *smmu);
int smmuv3_streams_reserve(struct backend_unit *unit, uint32_t first,
			   uint32_t nr);
/*
 * The entry of @stream, until hostif_unmap(). NULL: none was reserved, the unit
 * blocks (C_BAD_STREAMID).
 */
uint64_t *smmuv3_strtab_entry(struct smmuv3 *smmu, uint32_t stream);
void smmuv3_strtab_program(struct smmuv3 *smmu);

/* ---- smmuv3_entry.c ---- */

/* What an entry says for @table (NULL: blocks) and BACKEND_STREAM_* flags. */
void smmuv3_entry_make(struct smmuv3 *smmu, const struct backend_table *table,
		       uint32_t flags, uint64_t words[STE_WORDS]);
int smmuv3_stream_set(struct backend_unit *unit, uint32_t first, uint32_t nr,
		      const struct backend_table *table, uint32_t flags);
bool smmuv3_stream_is_hitless(const struct backend_unit *unit,
			      const struct backend_table *from,
			      const struct backend_table *to);
void smmuv3_read_stream(struct backend_unit *unit, uint32_t stream,
			struct backend_stream *out);
/* EATS of those of [@first, @first + @nr) that lead to tables. 0 | E_TIMEOUT. */
int smmuv3_entries_eats(struct smmuv3 *smmu, uint32_t first, uint32_t nr,
			uint64_t eats);

/* ---- smmuv3_cd.c ---- */

int smmuv3_cd_make(struct smmuv3 *smmu);
void smmuv3_cd_free(struct smmuv3 *smmu);
int smmuv3_id_reserve(struct backend_unit *unit, uint32_t id);
/* Where the descriptor of @id, reserved before, is; BACKEND_STREAM_* flags. */
uint64_t smmuv3_cd_maddr(struct smmuv3 *smmu, uint32_t id, uint32_t flags);
/* Do both tables have one descriptor? An id has no other. */
bool smmuv3_cd_is_same(const struct smmuv3 *smmu, const struct backend_table *a,
		       const struct backend_table *b);
void smmuv3_cd_words(const struct smmuv3 *smmu,
		     const struct backend_table *table, uint32_t flags,
		     uint64_t words[CD_WORDS]);
/* Write what isn't there yet: no entry leads to the descriptors, or they are so. */
void smmuv3_cd_publish(struct smmuv3 *smmu, const struct backend_table *table);
void smmuv3_cd_decode(struct smmuv3 *smmu, uint64_t maddr,
		      struct backend_stream *out);

/* ---- smmuv3_ats.c ---- */

/* Can the command queue tell who didn't answer? */
bool smmuv3_ats_possible(const struct smmuv3 *smmu);
extern const struct backend_ats_ops smmuv3_ats_ops;

/* ---- smmuv3_evtq.c ---- */

void smmuv3_evtq_program(struct smmuv3 *smmu);
void smmuv3_event_decode(struct smmuv3 *smmu, const uint64_t raw[EVENT_WORDS],
			 struct backend_event *event);
/* End what stalled, of those streams whose entry is invalid and forgotten so far.
 * 0 | E_TIMEOUT. */
int smmuv3_stalls_end(struct smmuv3 *smmu, uint32_t first, uint32_t nr);
uint32_t smmuv3_events(struct backend_unit *unit, struct backend_event *events,
		       uint32_t max);

#endif
