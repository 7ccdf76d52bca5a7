/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * backend.h - the contract between core and a driver
 *
 * A driver knows registers, queues and stream tables; it never looks inside a
 * domain. Core embeds a struct backend_unit in each of its units and calls the
 * unit's backend_ops. null/null.c is the smallest complete driver: copy it.
 *
 * Truth is in memory: stream_set() on a unit that isn't enabled writes the
 * entries and nothing else, and enable() invalidates everything before it lets
 * traffic through. So attaching before start, fencing and recovery need no
 * second copy of what should be in the unit.
 *
 * Suspending is disable() and resuming is enable(): a unit may have lost all its
 * registers in between.
 *
 * Locks: core serialises probe, release, enable, disable, fence, irq_set_msi,
 * id_reserve, streams_reserve and stream_set of one unit. invalidate, events,
 * errors, read_stream and irq may run at any time and on any number of CPUs, and
 * crash_block even while a CPU stands still inside another operation. A driver
 * takes backend_unit.lock to put commands into a queue, and never holds it while
 * it waits.
 *
 * Waits are bounded by BACKEND_TIMEOUT_US. E_TIMEOUT from any operation means
 * that core fences the unit; a driver doesn't fence itself.
 */
#ifndef IOMMUABS_BACKENDS_BACKEND_H
#define IOMMUABS_BACKENDS_BACKEND_H

#include <iommuabs/device.h>
#include <iommuabs/domain.h>
#include <iommuabs/fault.h>
#include <iommuabs/irq.h>
#include <iommuabs/p2m.h>
#include <iommuabs/unit.h>

#include "../host/lock.h"
#include "../host/tablemem.h"

/* What is built: 0 leaves a driver out. */
#ifndef IOMMUABS_CONFIG_SMMU
#define IOMMUABS_CONFIG_SMMU 1
#endif
#ifndef IOMMUABS_CONFIG_VTD
#define IOMMUABS_CONFIG_VTD 1
#endif
#ifndef IOMMUABS_CONFIG_NULL
#define IOMMUABS_CONFIG_NULL 1
#endif

/* Longest wait for hardware. */
#define BACKEND_TIMEOUT_US 100000

struct backend_ops;
struct pt_ops;

/* Guest frames [gfn, gfn + nr). */
struct backend_range {
	uint64_t gfn, nr;
};

/* What a unit can do, from its ID registers. */
struct backend_caps {
	uint8_t stage1, stage2;
	uint8_t coherent; /* its walks snoop */
	uint8_t input_bits,
		output_bits; /* of stage 2 (the only stage, if one) */
	uint32_t granules;   /* sum of granule sizes in bytes */
	uint8_t id_bits; /* VMID or domain-id; ids [1, 1 << id_bits) are core's */
	uint8_t stream_bits;
	uint8_t bbml;
	uint8_t ats; /* stream_set() takes BACKEND_STREAM_ATS, of so few streams */
#define BACKEND_ATS_STREAMS 16 /* a greater range is no one device's */
	/* It may hold on to "nothing is there", or to stores before memory has
	 * them: what is added is invalidated, too. */
	uint8_t caches_absent;
	uint8_t unsafe_msi; /* messages pass it, and it can't tell whose they are */
	uint32_t irqs; /* entries of a table that remaps messages; 0: none */
	uint8_t irqs_posted;
	/* Accesses there are no DMA, and never translated. nr 0: none such. */
	struct backend_range kept;
};

struct backend_unit {
	const struct backend_ops *ops;
	const struct hostif *host;
	struct tablemem *mem;
	struct tablemem_account *account; /* the instance's */
	struct ia_lock lock;		  /* class UNIT */
	struct hostif_regs regs;
	struct backend_caps caps; /* probe() fills it */
	uint32_t desc_flags;	  /* IOMMUABS_UNIT_COHERENT, ... */
	uint32_t enabled; /* the driver's, atomic: traffic is translated now */
	/* The driver's: from enable() until disable() succeeds the unit may read
	 * or write what release() would give back. */
	uint32_t holds;
	const char *name;
	/* Counters, atomic; errors: of the unit's error register. */
	uint64_t commands, syncs, events, events_lost, errors;
	char reason[96]; /* what failed last, in words; under @lock */
	void *priv;	 /* the driver's own */
};

/* What the entries of a translation table mean. */
enum backend_format {
	BACKEND_FORMAT_NONE,
	BACKEND_FORMAT_ARM_S2,	  /* VMSAv8-64 stage 2 */
	BACKEND_FORMAT_ARM_S2_DS, /* the same with 52-bit descriptors (DS) */
	BACKEND_FORMAT_ARM_S1,	  /* VMSAv8-64 stage 1, EL1&0, TTBR0 */
	BACKEND_FORMAT_ARM_S1_DS,
	BACKEND_FORMAT_VTD, /* second stage; EPT and NPT are read alike */
};

/* A translation table as a stream entry points at it: shared or mirror. */
struct backend_table {
	enum backend_format format;
	uint64_t root;
	uint8_t input_bits, output_bits;
	uint8_t granule_lg2;
	uint8_t levels;
	uint8_t walk_attrs; /* as struct iommuabs_p2m */
	uint32_t id;	    /* VMID or domain-id on this unit */
};

/* What makes a mirror usable by a unit: the view key. Compared as a whole. */
struct backend_geometry {
	const struct pt_ops *pt_ops;
	enum backend_format format;
	uint8_t input_bits, output_bits;
	uint8_t granule_lg2;
	uint8_t levels;
	uint8_t root_lg2;  /* bytes of the root table */
	uint8_t leaf_mask; /* bit n: leaves at level n above the granule */
	uint8_t clean;	   /* 1: the unit doesn't snoop */
	/* How a leaf may become a table (SMMU 3.21.1): 0 break first, 1 through
	 * nT, 2 directly. */
	uint8_t bbml;
	uint8_t hint_mask; /* bit n: leaves at level n may have a Contiguous hint */
};

/* Guest frames to forget, with one VMID / domain-id. */
struct backend_inv {
	uint32_t id;
	const struct backend_range *ranges; /* nr 0: everything of @id */
	uint32_t nr;
	/* 1: the levels of what was removed are unknown (a shared table), or
	 * tables were unlinked: no leaf-only and no level hints. */
	uint8_t any_level;
	uint8_t granule_lg2;
};

/* How streams use a table: flags of stream_set(). */
/* The device may ask for translations and keep them (caps.ats). */
#define BACKEND_STREAM_ATS (1u << 0)
/* What is blocked isn't recorded. */
#define BACKEND_STREAM_SILENT (1u << 1)

/* Streams [first, first + nr). */
struct backend_streams {
	uint32_t first, nr;
};

#define BACKEND_STUCK 1 /* answer of invalidate() */

/* One decoded record of an event queue. */
struct backend_event {
	enum iommuabs_fault_reason reason;
	uint32_t stream;
	uint32_t access; /* IOMMUABS_READ, IOMMUABS_WRITE, 0: not reported */
	uint32_t has_address;
	uint64_t address;
	uint64_t raw[4];
};

/* What a live stream entry says. */
struct backend_stream {
	enum backend_stream_kind {
		BACKEND_STREAM_BLOCKED,
		BACKEND_STREAM_BYPASS, /* never made by us */
		BACKEND_STREAM_TABLE,  /* @table */
		BACKEND_STREAM_BAD,    /* one that is refused, or not ours */
	} kind;
	struct backend_table table;
	uint32_t flags; /* of stream_set() */
};

/* An interrupt, and the ids whose messages may raise it. */
struct backend_irq {
	const struct iommuabs_irq_target *target;
	uint32_t first_id, last_id;
};

struct backend_ops {
	const char *name;
	enum iommuabs_unit_type type;
	uint64_t regs_length; /* 0: the driver has no registers */

	/*
	 * Read ID registers, write nothing; fill caps and priv.
	 * 0 | E_UNIT (reason set) | E_NOMEM.
	 */
	int (*probe)(struct backend_unit *unit);
	/* Give priv back, and by backend_memory_free() what the unit was given.
	 * Core has tried disable() as long as it holds that. */
	void (*release)(struct backend_unit *unit);

	/*
	 * Reset the unit, point it at the stream tables in memory, invalidate
	 * everything, translate. Also recovery: works from any state.
	 * 0 | E_NOMEM (it blocks as before) | E_TIMEOUT, E_UNIT (it can't be
	 * enabled, reason set): core fences it.
	 */
	int (*enable)(struct backend_unit *unit);
	/* Leave the unit blocking all DMA. 0 | E_TIMEOUT. */
	int (*disable)(struct backend_unit *unit);
	/*
	 * Block everything at once without help from the queues, never passing
	 * through bypass. 0 (acknowledged) | E_TIMEOUT.
	 */
	int (*fence)(struct backend_unit *unit);
	/*
	 * fence() after a crash: takes no lock, calls no host hook but mmio_read
	 * and mmio_write, believes nothing in memory that it doesn't have to.
	 * 0 | E_TIMEOUT.
	 */
	int (*crash_block)(struct backend_unit *unit);

	/* Before a table with @id is first given to stream_set(): take what the
	 * unit needs for it. 0 | E_NOMEM. */
	int (*id_reserve)(struct backend_unit *unit, uint32_t id);
	/* Make room for [@first, @first + @nr). New entries block.
	 * 0 | E_NOMEM. */
	int (*streams_reserve)(struct backend_unit *unit, uint32_t first,
			       uint32_t nr);
	/*
	 * Point [@first, @first + @nr), reserved before, at @table; NULL: block.
	 * When it returns 0 the unit uses no older entry. It does not invalidate
	 * translations. A change from one table to another passes through
	 * "blocked", but where stream_is_hitless(). 0 | E_TIMEOUT: the entries
	 * block or are as wanted, since new words must not meet an old entry
	 * that the unit still holds; set them again once the unit is fenced.
	 */
	int (*stream_set)(struct backend_unit *unit, uint32_t first,
			  uint32_t nr, const struct backend_table *table,
			  uint32_t flags);
	/*
	 * The device of @stream, which is reserved, is a virtual function of
	 * @physical's; or itself, again. Told before stream_set() lets it use
	 * ATS, and also while it does. NULL: the unit need not know.
	 */
	void (*stream_physical)(struct backend_unit *unit, uint32_t stream,
				uint32_t physical);
	/*
	 * Would stream_set() take a stream from @from to @to (ids included) such
	 * that each request uses the one or the other, and none is blocked? With
	 * one id in both, as far as @from is used by this one stream alone, and
	 * maps what @to maps. Flags of the stream don't change. Not for streams
	 * with ATS: what their devices hold is refused until they forgot it.
	 */
	bool (*stream_is_hitless)(const struct backend_unit *unit,
				  const struct backend_table *from,
				  const struct backend_table *to);
	/* Read the live entry; input_bits 0: it doesn't say. */
	void (*read_stream)(struct backend_unit *unit, uint32_t stream,
			    struct backend_stream *out);

	/*
	 * Forget translations of @inv, in the unit and in devices with ATS, and
	 * wait until everything that used them has reached memory. Nothing to do
	 * while not enabled.
	 * 0 | E_TIMEOUT | BACKEND_STUCK: a device doesn't give its translations
	 * back, *@stuck says which; block those streams and call again.
	 */
	int (*invalidate)(struct backend_unit *unit,
			  const struct backend_inv *inv,
			  struct backend_streams *stuck);

	/* IOMMUABS_SHARE_OK, or why the unit can't walk @p2m; @table's fields but
	 * the id are filled where it can. */
	enum iommuabs_share_reason (*share)(const struct backend_unit *unit,
					    const struct iommuabs_p2m *p2m,
					    struct backend_table *table);
	/*
	 * The table to build for @input_bits of guest addresses with leaves no
	 * larger than level @max_level. 0 | E_NOTSUP (no format of this build
	 * suits) | E_GRANULE.
	 */
	int (*mirror)(const struct backend_unit *unit, uint8_t input_bits,
		      uint8_t max_level, struct backend_geometry *geometry);

	/*
	 * Have entry @index (< caps.irqs) say @irq, NULL: block. When it returns
	 * 0 the unit uses no older entry. Serialised with stream_set(). NULL
	 * where caps.irqs is 0. 0 | E_TIMEOUT: the entry blocks, or is as wanted.
	 */
	int (*irq_set)(struct backend_unit *unit, uint32_t index,
		       const struct backend_irq *irq);
	/*
	 * The message that raises entry @index of the @nr from @first on, which
	 * were given together; the entry of an IOAPIC that does, with
	 * IOMMUABS_IRQ_LEVEL in @flags or not. NULL where caps.irqs is 0.
	 */
	void (*irq_message)(uint32_t first, uint32_t nr, uint32_t index,
			    struct iommuabs_irq_message *message);
	uint64_t (*irq_ioapic)(uint32_t index, uint32_t vector, uint32_t flags);

	/* Take up to @max records off the event queue. Returns how many. */
	uint32_t (*events)(struct backend_unit *unit,
			   struct backend_event *events, uint32_t max);
	/*
	 * Look at the error registers and acknowledge. 0: nothing, or repaired |
	 * E_TIMEOUT | E_UNIT (it must be fenced; reason set).
	 */
	int (*errors)(struct backend_unit *unit);
	/*
	 * Raise @which by storing @data at @addr from now on, also after
	 * enable(); @addr 0: by wire. 0 | E_NOTSUP (the unit can't, or never
	 * raises it) | E_INVAL (@addr is not aligned to 4 or too wide) |
	 * E_TIMEOUT.
	 */
	int (*irq_set_msi)(struct backend_unit *unit,
			   enum iommuabs_unit_irq_which which, uint64_t addr,
			   uint32_t data);
	/* Context IRQ: acknowledge, latch. */
	void (*irq)(struct backend_unit *unit,
		    enum iommuabs_unit_irq_which which);
};

/*
 * Memory that the unit was given (@maddr 0: none), 1 << @size_lg2 bytes. What it
 * holds stays marked as a table for ever, and nobody is charged.
 */
void backend_memory_free(struct backend_unit *unit, uint64_t maddr,
			 unsigned int size_lg2);

/* For share(): the table that @p2m is, but for the id. */
void backend_table_of_p2m(const struct iommuabs_p2m *p2m,
			  enum backend_format format,
			  struct backend_table *table);
/* Which of our formats reads a table that share() took; NULL: none. */
const struct pt_ops *backend_table_format(const struct backend_table *table);

extern const struct backend_ops null_backend_ops;
extern const struct backend_ops smmuv3_backend_ops;
extern const struct backend_ops vtd_backend_ops;

/* The driver for units of @type in this build, NULL for none. */
const struct backend_ops *backend_find(enum iommuabs_unit_type type);

/* Why @unit fails, once it is probed. Takes its lock. */
void backend_reason_set(struct backend_unit *unit, const char *reason);

/*
 * The one poll: until @done says so, at most BACKEND_TIMEOUT_US, with a last look
 * after the deadline. @what goes into unit->reason. 0 | E_TIMEOUT.
 */
int backend_poll(struct backend_unit *unit, const char *what,
		 bool (*done)(struct backend_unit *unit, void *arg), void *arg);

#endif
