/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * core.h - the objects of core and how they hang together
 *
 *   instance -< unit -< binding >- view >- domain -< device
 *
 * A domain has a ledger (what it maps) and views (what units walk). A binding is
 * a view in use by a unit, under one VMID / domain-id. A device is attached to a
 * domain by one binding per unit that sees it. Whether a view is the host's p2m
 * or a mirror is known to view.c and change.c, and to nothing else.
 */
#ifndef IOMMUABS_CORE_CORE_H
#define IOMMUABS_CORE_CORE_H

#include <iommuabs/iommuabs.h>

#include "../backends/backend.h"
#include "../host/hostif.h"
#include "../host/lock.h"
#include "../host/tablemem.h"
#include "../pgtable/pgtable.h"
#include "gate.h"
#include "rmap.h"
#include "rmap_tree.h"

#define CORE_DOMAINS_LG2      15
#define CORE_DOMAIN_CHUNK_LG2 8
#define CORE_DOMAIN_CHUNKS    (1u << (CORE_DOMAINS_LG2 - CORE_DOMAIN_CHUNK_LG2))
#define DOMAIN_CALLERS_MAX    1024
#define CORE_UNITS_MAX	      1024 /* more than any machine known has */
#define CORE_REGISTERS_NR     64

struct core_domain_chunk {
	struct iommuabs_domain *domains[1u << CORE_DOMAIN_CHUNK_LG2];
};

/* Frames of the registers of so many units, by unit.index: registers.c. */
struct core_registers {
	uint64_t first, end; /* all of them lie in between; atomic */
	struct core_registers_entry {
		uint64_t mfn, nr; /* atomic; nr 0: none */
	} entry[CORE_REGISTERS_NR];
};

/* What was declared about machine frames: frames.c, declare.c. */
struct frames {
	/* mfn -> gfn, kind and flags; root 0: nothing was declared so far. */
	struct pt pt;
	struct tablemem_account account; /* of its tables */
	/* All that was ever declared lies in [first, end). Atomic, and seen with
	 * @pt: who makes a table looks here inside no gate. */
	uint64_t first, end;
	/* About to be declared fixed: never to become tables. Atomic; what is
	 * 0 again is seen with what was declared. */
	uint64_t coming, nr_coming;
};

/* Who has which number: trees of struct device_span, each of disjoint ones. */
struct device_index {
	struct rmap_extra *ranges; /* of range devices */
	struct rmap_extra *others;
};

/* What a DMAR says of ATS (VT-d 8.5, 8.8): ats_way.c. */
enum ats_kind {
	ATS_ALL_PORTS, /* of the segment of @pci */
	ATS_PORT,
	ATS_FUNCTION, /* integrated, with a cache of translations */
};

struct ats_record {
	struct ats_record *next;
	enum ats_kind kind;
	uint32_t pci;
};

/* What the units as a whole are to do. */
enum core_phase {
	PHASE_STOPPED,
	PHASE_RUNNING,
	PHASE_SUSPENDED, /* blocking, perhaps without power */
};

struct iommuabs {
	struct hostif host;
	struct tablemem mem;
	struct tablemem_account account;
	struct rmap rmap;
	struct frames frames;
	/*
	 * Many: using a domain that was found in the lists below. Alone: about to
	 * free one, that has been unlinked. Entered before a domain's gate, never
	 * inside one.
	 */
	struct gate gate;
	struct gate life;	     /* alone: start, stop, adding of units */
	struct ia_lock lock;	     /* the lists below, device.state, .dom */
	struct iommuabs_unit *units; /* in the order in which they were added */
	struct iommuabs_device *devices, *last_device;
	struct device_index functions; /* by IOMMUABS_PCI() */
	struct iommuabs_domain *domains;
	struct core_domain_chunk *numbers[CORE_DOMAIN_CHUNKS];
	struct core_registers *registers[CORE_UNITS_MAX / CORE_REGISTERS_NR];
	uint64_t nr_units; /* that may have registers there; atomic */
	uint64_t registers_first, registers_end; /* bounds of all; atomic */
	uint32_t phase;	    /* enum core_phase, atomic; instance_runs() */
	uint32_t polling;   /* a faults_poll runs; atomic */
	uint32_t poll_from; /* unit with which the next one begins */
	struct iommuabs_device *graveyard; /* removed while polling */
	struct ats_record *ats_records;	   /* of a DMAR; abs->lock */
	uint64_t own; /* machine address of this struct; 0: from host->alloc */
};

#define UNIT_ID_PAGES	  4 /* for the 16 bits that any unit has at the most */
#define UNIT_IDS_PER_PAGE ((uint32_t)1 << 14) /* bits of half a page */

struct iommuabs_unit {
	struct backend_unit hw;
	struct iommuabs *abs;
	struct iommuabs_unit *next;
	struct gate gate; /* alone: enable, fence, stream entries */
	enum iommuabs_unit_type type;
	uint32_t status; /* enum iommuabs_unit_status, atomic: unit_status() */
	uint64_t coming; /* it is being enabled: it may translate; atomic */
	int error;
	uint32_t index; /* of its bit in domain.debtors */
	uint32_t nr_bindings;
	struct device_index streams; /* by id; abs->lock */
	/* Machine addresses of pages, of the first from when there is a driver,
	 * of each other from when all ids before are in use; then it stays. First
	 * half: a bit per id in use. Second: those of them that are free after
	 * recovery. */
	uint64_t ids[UNIT_ID_PAGES];
	uint32_t nr_ids;   /* ids are [1, nr_ids) */
	uint64_t *irq_map; /* a bit per entry that is taken; abs->lock */
	uint32_t nr_irqs;
	struct iommuabs_irq irqs[IOMMUABS_IRQ_COUNT_];
	struct iommuabs_unit_msi msi;
	uint64_t base, length;
	uint32_t fw_id;
	/* A DMAR has it: who may use ATS is in abs->ats_records, by @segment. */
	uint32_t by_dmar, segment;
	void *cookie;
	char name[IOMMUABS_NAME_MAX];
	char path[IOMMUABS_PATH_MAX];
};

/* Values of device_stream.quiet: after a storm of faults. */
#define STREAM_SILENT  (1u << 0) /* what is blocked isn't recorded */
#define STREAM_CUT_OFF (1u << 1) /* blocked, whatever it is attached to */

/* A stream range of a device, and the binding it uses while attached. */
struct device_stream {
	struct iommuabs_unit *unit;
	uint32_t first, nr, rid;
	uint32_t quiet; /* written with the unit's gate held alone */
	struct binding *binding;
	/* While a switch is prepared (the domain's gate held alone). */
	struct binding *next;
	/* What its entries were last pointed at; NULL: nothing. Written with the
	 * gates of the domain and of the unit held alone. */
	const struct binding *live;
};

enum device_state {
	DEVICE_BLOCKED,
	DEVICE_ATTACHING, /* an attach answered E_AGAIN */
	DEVICE_ATTACHED,
};

/* Another node, or other PCI functions, that are one device with the first. */
struct device_alias {
	struct device_alias *next;
	uint32_t pci, nr_pci; /* nr_pci 0: none */
	char path[IOMMUABS_PATH_MAX];
};

/* Ids of one unit, or PCI functions, of a device: device_index.c. */
struct device_span {
	struct rmap_extra node; /* first; ordered by the last number */
	struct device_span *next;
	struct iommuabs_device *dev;
	struct iommuabs_unit *unit;    /* NULL: functions */
	struct iommuabs_device *range; /* carved out of it, NULL */
	uint64_t first;
};

/* Was a device found by what configuration space says (pci_device.c)? */
enum device_topology {
	TOPOLOGY_DESCRIBED, /* no: somebody described it */
	TOPOLOGY_EXACT,	    /* its functions, one by one */
	TOPOLOGY_COARSE,    /* with all of the buses behind a bridge */
};

struct iommuabs_device {
	struct iommuabs *abs;
	struct iommuabs_device *next, *prev;
	enum device_topology topology;
	/* Of a group: devices that it stands for, by their next; out of all
	 * lists. Of such a one: the group. */
	struct iommuabs_device *members, *group;
	struct device_span *spans;
	uint32_t busy;	      /* an attach or detach runs; atomic */
	uint32_t reserved_in; /* its regions are in the domain */
	uint32_t nr_carved;   /* devices that have ids of it */
	enum device_state state;
	struct iommuabs_domain *dom; /* while not BLOCKED */
	struct iommuabs_device *next_in_domain;
	uint32_t flags; /* IOMMUABS_DEVICE_* */
	/* As it was attached; strategy AUTO: the domain's. */
	uint32_t attach_flags, attach_strategy;
	/* A move to there answered E_AGAIN, else NULL. */
	struct iommuabs_domain *to;
	uint32_t to_flags, to_strategy, to_fault_policy, reserved_to;
	uint32_t pci, nr_pci, rid_ignored;
	void *cookie;
	struct device_stream *streams;
	uint32_t nr_streams;
	struct iommuabs_reserved *reserved;
	uint32_t nr_reserved;
	struct device_alias *aliases;
	struct irq_run *irqs; /* abs->lock */
	/* Faults; abs->lock. */
	uint32_t fault_policy; /* enum iommuabs_fault_policy */
	/* Where a storm moves it, counted there; NULL: it is blocked. */
	struct iommuabs_domain *refuge, *to_refuge;
	uint32_t storms, storm_events;
	uint64_t faults, storm_us; /* when counting storm_events began */
	char name[IOMMUABS_NAME_MAX];
	char path[IOMMUABS_PATH_MAX];
};

/* Spare tables of each size: 4, 16 and 64 KiB. */
#define SPARE_SIZES 3

struct spares {
	struct tablemem_pool pools[SPARE_SIZES];
	uint32_t want[SPARE_SIZES]; /* asked for, not yet taken */
};

static inline uint32_t spares_nr(const struct spares *spares)
{
	uint32_t i, nr = 0;

	for (i = 0; i < SPARE_SIZES; i++)
		nr += spares->pools[i].nr;
	return nr;
}

enum view_kind {
	VIEW_SHARED,
	VIEW_MIRROR,
	VIEW_GOING, /* was a mirror: its tables are being freed, in steps */
};

#define VIEW_COMPLETE (~(uint64_t)0)
#define VIEWS_MAX     8 /* of a domain: distinct view keys */

struct view {
	struct iommuabs_domain *dom;
	struct view *next;
	enum view_kind kind;
	uint32_t index; /* unique in the domain, < VIEWS_MAX */
	struct binding *bindings;
	uint32_t kept; /* was in use, or asked for by populate: stays */
	/* Mirrors: */
	struct backend_geometry key;
	struct pt pt;
	uint32_t tables_out; /* unlinked and not yet freed; atomic */
	uint64_t filled;     /* gfns below are in step; VIEW_COMPLETE: all */
	/* Of a scratch domain: machine address of what every gfn is; 0: none.
	 * The tables that all slots have, and the regions of the devices whose
	 * view it is, which alone are different. */
	uint64_t scratch;
	uint64_t common[PT_LEVELS_MAX];
	struct scratch_region *regions;
};

struct scratch_region {
	struct scratch_region *next;
	struct iommuabs_reserved region;
};

struct binding {
	struct view *view;
	struct binding *next;
	struct iommuabs_unit *unit;
	struct backend_table table; /* as the unit's stream entries have it */
	uint32_t nr_streams;	    /* device_streams that use it */
	uint32_t stale;		    /* an invalidation of it failed */
	/* While two have one id: it is the other's; the other has it now. */
	uint32_t borrowed, lent;
};

/* Frames that left the ledger's gfn (REPLACE), and whose removal is owed. */
struct replaced {
	struct replaced *next;
	struct rmap_range range;
};

/* A reserved region of an attached device: mapped in mirrors, not in the ledger. */
struct reserved_place {
	struct reserved_place *next;
	struct iommuabs_reserved region;
	uint32_t users;	    /* devices that asked for it */
	uint32_t in_ledger; /* the host maps exactly this: nothing was added */
};

/* Tables that a unit may still walk, after a failed invalidation. */
struct quarantine {
	struct quarantine *next;
	uint32_t nr;
	uint64_t tables[11]; /* as batch.tables */
};

/* What lies there for a device behind a unit with caps.keeps_messages. */
#define MESSAGES_GFN 0xfee00u
#define MESSAGES_NR  0x100u

#define DOMAIN_BAD_RANGES 8

/*
 * What a small change has to know, worked out whenever somebody has been inside
 * the gate alone: below @end, a change of the ledger concerns at most @mirror
 * (NULL: no mirror), all of it, and no reserved region; below @map_end, what is
 * added concerns no unit that caches what is absent, either.
 */
struct simple {
	struct view *mirror;
	uint64_t end, map_end;
};

struct iommuabs_domain {
	struct iommuabs *abs;
	struct iommuabs_domain *next;
	struct gate gate;
	uint32_t alone;	     /* whose gate is held alone now */
	struct ia_lock lock; /* reserve, withheld */
	struct tablemem_account account;
	struct pt ledger;
	struct rmap_owner owner; /* number: see domain_find() */
	struct view *views;
	struct iommuabs_device *devices;
	struct reserved_place *reserved;
	struct reserved_place
		*reserved_going; /* out of mirrors, sync is owed */
	struct simple simple;

	uint32_t flags; /* IOMMUABS_DOMAIN_* */
	enum iommuabs_strategy strategy;
	enum iommuabs_populate populate;
	enum iommuabs_source source;
	uint8_t max_level;
	uint8_t input_bits;
	uint32_t callers;
	void *cookie;

	uint32_t has_p2m;
	struct iommuabs_p2m p2m;

	struct spares reserve;	/* for splits */
	struct spares coming;	/* while a declaration is under way */
	uint32_t rmap_reserves; /* callers that the reverse map has pages for */
	uint32_t nr_batches;	/* open; atomic */
	uint32_t nr_coming;	/* devices that are being moved here */
	uint32_t nr_refugees;	/* that go here in a storm; atomic */
	uint32_t changes;	/* bumped by every change; atomic */
	uint64_t read;		/* source P2M: gfns below are in the ledger */
	/* Bindings in units that cache what is absent (caps.caches_absent). */
	uint32_t caching_bindings;
	uint32_t message_bindings; /* in units with caps.keeps_messages */
	uint64_t device_only;	   /* frames mapped DEVICE_ONLY; atomic */
	uint32_t destroying;
	uint32_t listed; /* in abs->domains; abs->lock */
	uint32_t zombie; /* destroyed, but for what a unit may still reach */
	uint64_t destroy_at; /* gfn up to which destroy has released */
	/* Where compact goes on: 0 the ledger, else a view's index + 1; a gfn. */
	uint32_t compact_tree;
	uint64_t compact_at;

	/* How many units still owe an invalidation of withheld frames, and which:
	 * a bit for each, by unit.index. */
	uint32_t owing;
	uint64_t debtors[CORE_UNITS_MAX / 64];
	struct replaced *withheld;
	struct quarantine *quarantine;
	struct quarantine *record; /* an empty one, kept for a batch */

	/* For iommuabs_domain_stats(); atomic. */
	uint64_t invalidated, failed, filled_steps;

	/* Ranges whose refresh failed: shared bindings are blocked meanwhile. */
	struct backend_range bad[DOMAIN_BAD_RANGES];
	uint32_t nr_bad;
};

/* Does @unit owe @dom an invalidation? dom->lock is held here and below. */
static inline bool debt_exists(const struct iommuabs_domain *dom,
			       const struct iommuabs_unit *unit)
{
	return dom->debtors[unit->index / 64] >> (unit->index % 64) & 1;
}

static inline void debt_note(struct iommuabs_domain *dom,
			     const struct iommuabs_unit *unit)
{
	dom->owing += !debt_exists(dom, unit);
	dom->debtors[unit->index / 64] |= (uint64_t)1 << unit->index % 64;
}

static inline void debt_settle(struct iommuabs_domain *dom,
			       const struct iommuabs_unit *unit)
{
	dom->owing -= debt_exists(dom, unit);
	dom->debtors[unit->index / 64] &= ~((uint64_t)1 << unit->index % 64);
}

/* What struct iommuabs_batch's words are. */
#define BATCH_RANGES 24
#define BATCH_TABLES 11
#define BATCH_MAGIC  0x62617463u

struct batch {
	struct iommuabs_domain *dom;
	uint32_t magic;
	uint16_t nr_ranges, nr_tables;
	struct replaced *replaced;
	struct quarantine *spare; /* to remember tables if paying fails */
	struct backend_range ranges[BATCH_RANGES];
	/* Unlinked mirror tables: pt_sink words, view index in bits 4..7 */
	uint64_t tables[BATCH_TABLES];
	uint32_t any_level; /* tables were unlinked since the last sync */
};

_Static_assert(sizeof(struct batch) <= sizeof(struct iommuabs_batch),
	       "a batch fits on the caller's stack");

#define BATCH_VIEW_SHIFT 4
#define BATCH_VIEW_MASK	 ((uint64_t)0xf0)

/* irq.c */
/* 0 | E_INVAL | E_NOTSUP | E_NOMEM. */
int irq_take(struct iommuabs_device *dev, uint32_t id, uint32_t nr,
	     uint32_t *first);
/* 0 | E_NOENT | E_TIMEOUT. */
int irq_give(struct iommuabs_device *dev, uint32_t first);
/* @target NULL: block. 0 | E_NOENT | E_NOTSUP | E_TIMEOUT. */
int irq_point(struct iommuabs_device *dev, uint32_t n,
	      const struct iommuabs_irq_target *target);
/* All that were given together with @n. 0 | E_NOENT. */
int irq_find(struct iommuabs_device *dev, uint32_t n, uint32_t *first,
	     uint32_t *nr);
/* With the units stopped for good: what is left of a device's, and the map. */
void irq_device_free(struct iommuabs_device *dev);
void irq_unit_free(struct iommuabs_unit *unit);

/* instance.c */
int instance_create(const struct hostif *host, struct iommuabs **out);
void instance_free(struct iommuabs *abs);
/* Inside abs->gate. NULL: none has it. */
struct iommuabs_domain *domain_find(struct iommuabs *abs, uint16_t number);
/* Inside abs->gate. The one listed after @prev, NULL: the first. */
struct iommuabs_domain *domain_after(struct iommuabs *abs,
				     const struct iommuabs_domain *prev);
/* Inside abs->gate. The listed one with the next number after @number, NULL. */
struct iommuabs_domain *domain_after_number(struct iommuabs *abs,
					    uint32_t number);
/* 0 | E_NOMEM (also: all numbers are in use). */
int domain_number_take(struct iommuabs *abs, struct iommuabs_domain *dom);
void domain_number_give(struct iommuabs *abs, struct iommuabs_domain *dom);

/* registers.c */
/*
 * From here on no frame of @unit's registers, *@nr from *@mfn, can be mapped.
 * 0 | E_NOMEM.
 */
int registers_claim(struct iommuabs_unit *unit, uint64_t *mfn, uint64_t *nr);
void registers_give(struct iommuabs_unit *unit);
uint64_t registers_next_of(const struct core_registers *group, uint64_t mfn,
			   uint64_t end);
void registers_exit(struct iommuabs *abs);
/* The first frame in [@mfn, @end) that is a register of a unit's; @end: none. */
static inline uint64_t registers_next(const struct iommuabs *abs, uint64_t mfn,
				      uint64_t end)
{
	uint64_t nr_units = port_load64_acquire(&abs->nr_units), i;
	const struct core_registers *group;

	for (i = 0; i < nr_units; i += CORE_REGISTERS_NR) {
		group = abs->registers[i / CORE_REGISTERS_NR];
		if (port_load64(&group->first) < end &&
		    mfn < port_load64(&group->end))
			end = registers_next_of(group, mfn, end);
	}
	return end;
}

static inline bool registers_overlap(const struct iommuabs *abs, uint64_t mfn,
				     uint64_t nr)
{
	return mfn < port_load64(&abs->registers_end) &&
	       mfn + nr > port_load64(&abs->registers_first) &&
	       registers_next(abs, mfn, mfn + nr) != mfn + nr;
}

/* unit*.c: a unit's life; callers hold no lock and not the unit's gate */
/* Linked, status ADDED or NO_DRIVER; abs->life held alone. */
int unit_create(struct iommuabs *abs, const struct iommuabs_unit_desc *desc,
		struct iommuabs_unit **out);
/* Unlink and free a unit that isn't enabled and that no device names. */
void unit_free(struct iommuabs_unit *unit);
/* RUNNING or FAILED afterwards; a fenced unit that fails stays fenced. */
void unit_enable(struct iommuabs_unit *unit);
/* 0 | E_TIMEOUT (it may not be blocking). */
int unit_disable(struct iommuabs_unit *unit);
/*
 * Its registers may say anything. RUNNING if it was disabled before, else or if
 * that fails it is made to block. 0 | E_NOMEM | E_TIMEOUT | E_UNIT.
 */
int unit_resume(struct iommuabs_unit *unit);
/* Block @unit at once, for it didn't answer; nothing if it isn't running. */
void unit_fence(struct iommuabs_unit *unit, int error);
/* Context CRASH. FENCED in any case. 0 | E_TIMEOUT. */
int unit_crash_block(struct iommuabs_unit *unit);
int unit_recover(struct iommuabs_unit *unit, uint64_t *budget);
int unit_irq_set_msi(struct iommuabs_unit *unit,
		     enum iommuabs_unit_irq_which which, uint64_t addr,
		     uint32_t data);
void unit_report(struct iommuabs_unit *unit, struct iommuabs_unit_state *state);
/* 0 | E_NOIDS | E_NOMEM. */
int unit_id_take(struct iommuabs_unit *unit, uint32_t *id);
void unit_id_give(struct iommuabs_unit *unit, uint32_t id);
/* Those that wait for recovery included. */
uint32_t unit_ids_in_use(const struct iommuabs_unit *unit);
/* The invalidation that retires @id failed: it is free after recovery. */
void unit_id_keep(struct iommuabs_unit *unit, uint32_t id);

static inline bool instance_runs(const struct iommuabs *abs)
{
	return port_load32(&abs->phase) == PHASE_RUNNING;
}

static inline enum iommuabs_unit_status
unit_status(const struct iommuabs_unit *unit)
{
	return (enum iommuabs_unit_status)port_load32(&unit->status);
}

/* Ids of @unit are below this; nobody knows of a unit without a driver. */
static inline uint64_t unit_streams_end(const struct iommuabs_unit *unit)
{
	return (uint64_t)1 << (unit->hw.ops ? unit->hw.caps.stream_bits : 32);
}

/* 0, or E_FENCED / E_TIMEOUT: then @unit is fenced. */
int unit_invalidate(struct iommuabs_unit *unit, const struct backend_inv *inv);

/* device.c: takes abs->lock */
int device_create(struct iommuabs *abs, const struct iommuabs_device_desc *desc,
		  struct iommuabs_device **out);
/* What else makes a device a group. */
struct device_parts {
	struct iommuabs_device *const *members; /* taken: device_take() */
	uint32_t nr_members;
	bool coarse;
};

/* The same for a group. 0 | E_BUSY | E_NOMEM. */
int device_create_group(struct iommuabs *abs,
			const struct iommuabs_device_desc *desc,
			const struct device_parts *parts,
			struct iommuabs_device **out);
/* Whom a call on @dev is about: itself, or the group that it is a member of. */
struct iommuabs_device *device_head(struct iommuabs_device *dev);
int device_forget(struct iommuabs_device *dev);
void device_free(struct iommuabs_device *dev);

/* device_find.c */

/* Up to @max of the functions that are @dev; how many ranges there are. */
uint32_t device_functions(const struct iommuabs_device *dev,
			  struct iommuabs_pci_range ranges[], uint32_t max);
/* STREAM_*, of any of its streams. */
uint32_t device_quiet(const struct iommuabs_device *dev);
/* @dev's range of ids with this one, NULL. */
struct device_stream *device_stream_of(const struct iommuabs_device *dev,
				       const struct iommuabs_unit *unit,
				       uint32_t stream);
/*
 * Who has @pci: a device, or a range that it may be carved out of, then *@where is
 * its id. NULL: nobody, or no unit sees it. abs->lock is held.
 */
struct iommuabs_device *device_owner_of(struct iommuabs *abs, uint32_t pci,
					struct iommuabs_stream_range *where);
/* These take it. 0 | E_NOENT | E_UNTRANSLATED. */
int device_find_pci(struct iommuabs *abs, uint32_t pci,
		    struct iommuabs_device **out);
int device_find_path(struct iommuabs *abs, const char *path,
		     struct iommuabs_device **out);

/* pci_device.c: takes abs->lock, reads configuration space */

/* 0 | E_NOENT | E_UNTRANSLATED | E_EXISTS | E_BUSY | E_NOTSUP | E_NOMEM. */
int pci_device_add(struct iommuabs *abs, uint32_t pci, void *cookie,
		   struct iommuabs_device **out);
/* Is it still as it was added? 0 | E_TOPOLOGY | E_NOMEM. */
int pci_device_check(struct iommuabs_device *dev);

/* ats_way.c: takes abs->lock, reads configuration space */

/* Do ATS requests get from @dev to its units, if @flags let it use them? 0 |
 * E_NOTSUP | E_NOMEM. */
int ats_way_check(struct iommuabs_device *dev, uint32_t flags);
void ats_records_free(struct iommuabs *abs, struct ats_record *records);

/* device_index.c: abs->lock is held by the caller, unless said otherwise */

/* Allocate what device_link() links; no lock is needed. false: no memory. */
bool device_spans_make(struct iommuabs_device *dev);
void device_spans_free(struct iommuabs_device *dev);
/* Find the range device that @dev is carved out of, if it is; or what forbids.
 * 0 | E_EXISTS | E_INVAL | E_BUSY. */
int device_place(struct iommuabs_device *dev);
/* The same for a group, whose ids may lie in several; its members are still in
 * the index. 0 | E_BUSY. */
int device_place_group(struct iommuabs_device *dev,
		       const struct device_parts *parts);
/* The @i-th range device that @dev is carved out of; NULL: no more. It stays as
 * long as @dev, and no lock is needed. */
struct iommuabs_device *device_range(const struct iommuabs_device *dev,
				     uint32_t i);
/* Is one of them attached? */
bool device_range_is_busy(const struct iommuabs_device *dev);
void device_link(struct iommuabs_device *dev);
void device_unlink(struct iommuabs_device *dev);
/* NULL: no device has this id, or @unit is of type OTHER. */
struct iommuabs_device *device_of_stream(const struct iommuabs_unit *unit,
					 uint32_t stream);
/* A range device, if no other has the function. NULL: none has. */
struct iommuabs_device *device_of_function(const struct iommuabs *abs,
					   uint32_t pci);
/* The last of the functions in a row that a device has by description, from @pci
 * on; @pci if that is only in a range. */
uint32_t functions_end(const struct iommuabs *abs, uint32_t pci);
/* The range device that has it, whatever was carved out of that. */
struct iommuabs_device *range_of_stream(const struct iommuabs_unit *unit,
					uint32_t stream);
struct iommuabs_device *range_of_function(const struct iommuabs *abs,
					  uint32_t pci);
/*
 * Takes abs->lock. Walk what @dev has of @stream: its ids without those that were carved out of
 * it. *@pos is 0 to begin with; ids [*@first, *@first + *@nr). False: no more.
 */
bool device_next_piece(const struct iommuabs_device *dev,
		       const struct device_stream *stream, uint32_t *pos,
		       uint32_t *first, uint32_t *nr);

/* faults.c */
int faults_set_policy(struct iommuabs_device *dev, uint32_t policy);
void faults_report(struct iommuabs_device *dev,
		   struct iommuabs_device_stats *stats);
/* 0 | E_AGAIN | E_BUSY; *@drained is written in any case. */
int faults_drain(struct iommuabs *abs, uint32_t max, uint32_t *drained);

/* frames.c, declare.c */

/* A declaration, of frames from @gfn on if it is FIXED. */
struct frames_policy {
	enum iommuabs_frame_kind kind;
	uint64_t gfn;
	uint32_t flags;
};

/* True: certainly nothing was declared about these frames. */
static inline bool frames_are_far(const struct iommuabs *abs, uint64_t mfn,
				  uint64_t nr)
{
	return mfn >= port_load64_acquire(&abs->frames.end) ||
	       mfn + nr <= port_load64_acquire(&abs->frames.first);
}

/* What is declared about @mfn, and up to @nr frames from there on are declared
 * like it: returns how many, as far as it looked; at least one. */
uint64_t frames_policy(const struct iommuabs *abs, uint64_t mfn, uint64_t nr,
		       struct frames_policy *policy);
bool frames_any_fixed(const struct iommuabs *abs, uint64_t mfn, uint64_t nr);
/* Is one of these mapped somewhere, or declared fixed? Then it is never to be the
 * library's own. */
bool frames_in_use(struct iommuabs *abs, uint64_t mfn, uint64_t nr);
/* As frames.pt has it. */
void frames_run_of(uint64_t mfn, uint64_t nr,
		   const struct frames_policy *policy, struct pt_run *run);
void frames_exit(struct iommuabs *abs);
/* Inside no gate. As iommuabs_frames_declare(). */
int frames_declare(struct iommuabs *abs, uint64_t mfn, uint64_t nr,
		   const struct frames_policy *policy);

/* users.c */

bool users_cursor_good(uint64_t cursor);
/* Inside no gate. Users of @mfn after *@cursor, up to @max: how many. */
uint32_t users_list(struct iommuabs *abs, uint64_t mfn, uint64_t *cursor,
		    struct iommuabs_frame_user users[], uint32_t max);
/* Inside no gate. 0 | E_AGAIN. */
int frames_walk(struct iommuabs *abs, struct iommuabs_frames_walk *walk,
		uint64_t *budget);
/* Not inside the domain's gate. A frame that is declared fixed at @gfn: does @dom
 * have it, or is it on its way out of it? */
bool frame_is_fixed_in(struct iommuabs_domain *dom, uint64_t mfn, uint64_t gfn);

/* explain.c */
void explain_access(struct iommuabs_device *dev, uint64_t gfn, uint32_t access,
		    struct iommuabs_explanation *why);

/* dump.c */
void dump_units(struct iommuabs *abs);
void dump_devices(struct iommuabs *abs);
void dump_domains(struct iommuabs *abs);
void dump_counters(struct iommuabs *abs);
void dump_gfn(struct iommuabs_domain *dom, uint64_t gfn);

/* domain.c */
int domain_create(struct iommuabs *abs,
		  const struct iommuabs_domain_config *config,
		  struct iommuabs_domain **out);
int domain_destroy(struct iommuabs_domain *dom, uint64_t *budget);
/* The domain's gate is entered by it. */
void domain_report(struct iommuabs_domain *dom,
		   struct iommuabs_domain_stats *stats);
/* Free what was destroyed while a unit owed it an invalidation. No gate held. */
void domains_reap(struct iommuabs *abs);

static inline bool domain_has_rmap(const struct iommuabs_domain *dom)
{
	return !(dom->flags &
		 (IOMMUABS_DOMAIN_IDENTITY | IOMMUABS_DOMAIN_NO_REVERSE_MAP));
}

static inline bool domain_is_scratch(const struct iommuabs_domain *dom)
{
	return dom->flags & IOMMUABS_DOMAIN_SCRATCH;
}

/* sync.c: no unit owes an invalidation any more; gate held alone. */
void domain_release_withheld(struct iommuabs_domain *dom);

#endif
