/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * objects.h - the objects of core and how they hang together
 *
 *   instance -< unit -< binding >- view >- domain -< device
 *
 * A domain has a ledger (what it maps) and views (what units walk). A binding is
 * a view in use by a unit, under one VMID / domain-id. A device is attached to a
 * domain by one binding per unit that sees it. Whether a view is the host's p2m
 * or a mirror is known to view.c and the files of change.h, and to nothing else.
 */
#ifndef IOMMUABS_CORE_OBJECTS_H
#define IOMMUABS_CORE_OBJECTS_H

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
	ATS_LIST,     /* functions of the segment of @pci are listed */
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

/* What iommuabs_unit_irq_set_msi() asked for; addr 0: by wire. */
struct unit_message {
	uint64_t addr;
	uint32_t data;
};

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
	struct unit_message messages[IOMMUABS_IRQ_COUNT_]; /* abs->lock */
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

/* Entries of a unit's interrupt table that one call gave a device. */
struct irq_run {
	struct irq_run *next;
	struct iommuabs_unit *unit;
	uint32_t first, nr;
	uint32_t first_id, last_id; /* requesters */
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

#define DOMAIN_BAD_RANGES 8

/* Frames of a leaf at level 1, where the granule is 4 KiB. */
#define SINGLE_LARGE ((uint64_t)512)

/*
 * What a small change has to know, worked out whenever somebody has been inside
 * the gate alone: below @end, a change of the ledger concerns at most @mirror
 * (NULL: no mirror), all of it, and no reserved region; below @map_end, what is
 * added concerns no unit that caches what is absent, either. A leaf may have some
 * of what units keep if it ends at one of the @nr_kept gfns from @kept on.
 */
struct simple {
	struct view *mirror;
	uint64_t end, map_end;
	uint64_t kept, nr_kept;
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
	uint32_t keeping_bindings; /* in units with caps.kept */
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

#endif
