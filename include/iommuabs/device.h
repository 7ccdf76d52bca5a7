/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * device.h - one DMA master: everything under which its traffic arrives
 */
#ifndef IOMMUABS_DEVICE_H
#define IOMMUABS_DEVICE_H

#include <iommuabs/types.h>

IOMMUABS_BEGIN_DECLS

/* segment, bus, device, function in one word: as firmware numbers them. */
#define IOMMUABS_PCI(seg, bus, dev, fn)                     \
	(((uint32_t)(seg) << 16) | ((uint32_t)(bus) << 8) | \
	 ((uint32_t)(dev) << 3) | (uint32_t)(fn))

/* Stream / requester IDs [first, first + nr) of one unit. */
struct iommuabs_stream_range {
	struct iommuabs_unit *unit;
	uint32_t first;
	uint32_t nr; /* > 0 */
	/* PCI requester ID that arrives as @first; ~0: a bridge's own DMA. */
	uint32_t rid;
};

/* A region that must be mapped 1:1 (or at @gfn) while the device is attached. */
struct iommuabs_reserved {
	iommuabs_gfn_t gfn;
	iommuabs_mfn_t mfn;
	uint64_t nr;	/* frames, > 0 */
	uint32_t flags; /* READ, WRITE, memory type; 0: must stay unmapped */
};

/* Values of iommuabs_device_desc.flags. */
/* PCI: iommuabs_device_find_pci() finds it; @pci or the ranges' rids say where. */
#define IOMMUABS_DEVICE_PCI (1u << 0)
/* A host bridge: each id is some function; others may be carved out of it. */
#define IOMMUABS_DEVICE_RANGE (1u << 1)
/* Its interrupts can't be told from another device's (GICv2m, no remapping). */
#define IOMMUABS_DEVICE_UNSAFE_MSI (1u << 2)

/*
 * Where else firmware has the device: a node or PCI functions whose DMA arrives
 * under some of its ids, and so can't be told from its.
 */
struct iommuabs_device_alias {
	const char *path; /* shorter than IOMMUABS_PATH_MAX; NULL */
	uint32_t pci;	  /* IOMMUABS_PCI() of the first function */
	uint32_t nr_pci;  /* functions, in requester-ID order; 0: none */
};

/* At the most in one device, each. */
#define IOMMUABS_STREAM_RANGES_MAX 42
#define IOMMUABS_RESERVED_MAX	   64
#define IOMMUABS_ALIASES_MAX	   64

/* Everything is copied. */
struct iommuabs_device_desc {
	uint32_t size; /* sizeof(struct iommuabs_device_desc) */
	uint32_t flags;
	const char *
		name; /* for people, shorter than IOMMUABS_NAME_MAX; NULL: made up */
	const char *
		path; /* device tree or ACPI, shorter than IOMMUABS_PATH_MAX; NULL */
	void *cookie;
	uint32_t
		pci; /* IOMMUABS_PCI(); with flag PCI, first function of a range */
	uint32_t nr_pci; /* functions, in requester-ID order; 0 counts as 1 */
	const struct iommuabs_stream_range *streams;
	uint32_t nr_streams; /* 0: no unit sees its DMA */
	const struct iommuabs_reserved *reserved;
	uint32_t nr_reserved;
	const struct iommuabs_device_alias *aliases;
	uint32_t nr_aliases; /* 0 for a range device */
	/*
	 * Bits of the requester ID that its unit is not told (of a range device):
	 * functions that differ in nothing else arrive under one id.
	 */
	uint32_t rid_ignored;
};

/* Values of iommuabs_attach_options.flags. */
/* The device may write to the interrupt controller's shared doorbell. */
#define IOMMUABS_ALLOW_UNSAFE_MSI (1u << 0)
/* A permitted DMA may fault for a moment: when it is moved, and later when the
 * domain's strategy or p2m changes. */
#define IOMMUABS_ALLOW_WINDOW (1u << 1)
/*
 * The device may ask the unit for translations and keep them (PCIe ATS), where
 * the unit can answer; elsewhere, and for ids of a range of more than 16, others
 * carved out or not, this changes nothing. Each invalidation then waits for the
 * device, too; one that doesn't answer is blocked.
 *
 * Behind a unit that iommuabs_scan_acpi() found in a DMAR the way there is looked
 * at, too (VT-d 8.5, 8.8), and attach and move answer E_NOTSUP, with everything as
 * it was, where firmware doesn't say that ATS works on it: the ATSR lists the root
 * port above the device, or all of its segment; the SATC lists an integrated
 * device, or there is no SATC for the segment. Without host->pci_cfg_read only what
 * holds for all ports of the segment, and what the SATC lists, is known. Attached
 * without this flag the device works, unless it needs ATS.
 *
 * Of any other unit (that the host described; of an IORT, whose root complexes have
 * an ATS attribute) that is for the host to find out before it asks.
 */
#define IOMMUABS_ALLOW_ATS (1u << 2)

/* What is done about a device when its faults come in a storm (fault.h). Either
 * lasts until it is attached anew. */
enum iommuabs_fault_policy {
	IOMMUABS_FAULTS_SILENCE, /* its unit is told to record no more of it */
	IOMMUABS_FAULTS_REPORT,	 /* nothing; a poll is bounded all the same */
	/* Silenced, and blocked, or moved to where its options say. */
	IOMMUABS_FAULTS_QUARANTINE,
};

/* How the device is attached; a call without options decides as the domain. */
struct iommuabs_attach_options {
	uint32_t size; /* sizeof(struct iommuabs_attach_options) */
	uint32_t flags;
	uint32_t strategy;     /* enum iommuabs_strategy; 0: the domain's */
	uint32_t fault_policy; /* enum iommuabs_fault_policy */
	/*
	 * A SCRATCH domain, which is kept (destroying it: E_BUSY) as long as the
	 * device is attached so. NULL: none. Quarantine is then
	 * iommuabs_device_move() to there, in iommuabs_faults_poll(): its DMA
	 * doesn't fault any more, and it is the scratch domain's device until it
	 * is moved or detached. If that fails, it is blocked in its domain.
	 */
	struct iommuabs_domain *quarantine;
};

/**
 * iommuabs_device_add() - describe a device, or carve one out of a range device
 * @desc: copied
 * @dev:  written on success
 *
 * Ids inside a range device are taken out of it; they must be blocked there. The
 * range's reserved regions are the device's as well, besides its own: one of its
 * own that overlaps one of the range's must be the same (else attach answers
 * E_RESERVED).
 *
 * Context: BOOT or TASK; allocates.
 * Return:  0 | E_INVAL (a range wraps or meets another of its own, an id is
 *          wider than its unit has, a unit of another instance, an unknown flag,
 *          a name too long, too many ranges, ids of which some lie in a range
 *          device and some do not) | E_VERSION | E_EXISTS (an id or PCI function
 *          is another device's) | E_BUSY (the range device is attached) |
 *          E_NOMEM. Of the description: the log says what.
 */
IOMMUABS_MUST_CHECK int
iommuabs_device_add(struct iommuabs *abs,
		    const struct iommuabs_device_desc *desc,
		    struct iommuabs_device **dev);

/**
 * iommuabs_device_add_pci() - add a PCI function, and all that is one with it
 * @pci:    IOMMUABS_PCI()
 * @cookie: of the device
 * @dev:    the device that the function is, or is a part of
 *
 * Reads configuration space (host->pci_cfg_read) and finds under which requester
 * IDs the function's DMA arrives, and which others can't be told from it or are
 * reached by it past every unit. They are one device, which is attached, moved and
 * blocked as a whole, with the reserved regions of all:
 * - all behind a PCI Express to PCI bridge, as the bridge's secondary bus, device
 *   0, function 0; behind a bridge that isn't of PCI Express, as the bridge, too;
 * - functions of a slot, and ports of a switch, unless each has ACS Request and
 *   Completion Redirect on (or an egress vector that leaves no peer);
 * - all behind a root port or a switch's downstream port without ACS (Source
 *   Validation, Request and Completion Redirect, Upstream Forwarding; Direct
 *   Translated off);
 * - phantom functions, and the numbers that parts known for it use by mistake.
 * What counts is what is switched on: the host does that before. Virtual functions
 * are found by their physical ones. Device numbers on a root bus are taken to be
 * told apart. A port (of the root complex or a switch, or of a bridge to PCI) is a
 * device of its own, for what it sends itself.
 *
 * Ids are carved out of the range devices that they lie in. Devices that are there
 * already for some of the functions become members: in each call but
 * iommuabs_device_remove() they mean the new device, and they are back when that is
 * removed. A function whose device was added by this call before: that one, as it
 * is.
 *
 * Functions that come, go or are numbered anew later make it another one:
 * iommuabs_device_attach() and iommuabs_device_move() then answer E_TOPOLOGY.
 * Detach and remove it before buses are numbered anew, and add it again after.
 *
 * Context: BOOT or TASK; allocates; calls host->pci_cfg_read with no lock held.
 * Return:  0 | E_INVAL | E_NOENT (no function is there) | E_UNTRANSLATED (no unit
 *          sees the DMA of all of it) | E_EXISTS (it was added as a smaller one:
 *          remove that) | E_BUSY (a part of it, or the range device, is attached)
 *          | E_NOTSUP (host->pci_cfg_read is NULL, or it has more parts than a
 *          device can have) | E_NOMEM.
 */
IOMMUABS_MUST_CHECK int iommuabs_device_add_pci(struct iommuabs *abs,
						uint32_t pci, void *cookie,
						struct iommuabs_device **dev);

/* Functions [pci, pci + nr), in requester-ID order. */
struct iommuabs_pci_range {
	uint32_t pci; /* IOMMUABS_PCI() */
	uint32_t nr;
};

/**
 * iommuabs_device_functions() - the PCI functions that a device is
 * @ranges: filled; may be NULL if @max is 0
 * @max:    of @ranges
 * @nr:     how many ranges there are, which may be more than @max
 *
 * Also requester IDs that are no function's own: of phantoms, and those that a
 * bridge puts in place of others.
 *
 * Context: TASK.
 * Return:  0 | E_INVAL.
 */
IOMMUABS_MUST_CHECK int
iommuabs_device_functions(struct iommuabs_device *dev,
			  struct iommuabs_pci_range ranges[], uint32_t max,
			  uint32_t *nr);

/**
 * iommuabs_device_remove() - forget a device; its ids stay blocked
 *
 * Ids that were carved out of a range device go back there.
 *
 * Context: TASK.
 * Return:  0 | E_INVAL | E_BUSY (attached, or it has interrupts, or devices are
 *          carved out of it, or it is carved out of one that is attached, or a
 *          member of another, or about to be that or to be attached).
 */
IOMMUABS_MUST_CHECK int iommuabs_device_remove(struct iommuabs_device *dev);

/**
 * iommuabs_device_next() - walk the devices
 * @prev: NULL for the first
 *
 * Context: TASK; no device_add or device_remove may run meanwhile.
 * Return:  the device after @prev, NULL after the last.
 */
IOMMUABS_API struct iommuabs_device *
iommuabs_device_next(struct iommuabs *abs, struct iommuabs_device *prev);

/**
 * iommuabs_device_find_pci() - the device of a PCI function
 * @pci: IOMMUABS_PCI()
 * @dev: the one that has the id under which its DMA arrives: a carved device if
 *       there is one, else the range
 *
 * Several functions may be one device, known under the first of them: see
 * struct iommuabs_device_alias.
 *
 * Context: TASK.
 * Return:  0 | E_INVAL | E_NOENT (no such device) | E_UNTRANSLATED (it exists
 *          and no unit sees its DMA).
 */
IOMMUABS_MUST_CHECK int iommuabs_device_find_pci(struct iommuabs *abs,
						 uint32_t pci,
						 struct iommuabs_device **dev);

/**
 * iommuabs_device_find_path() - the device that firmware has at a path
 * @path: full path in the device tree or in ACPI's namespace (as the table has
 *        it), also of what is one device with others
 *
 * Context: TASK.
 * Return:  0 | E_INVAL | E_NOENT | E_UNTRANSLATED.
 */
IOMMUABS_MUST_CHECK int iommuabs_device_find_path(struct iommuabs *abs,
						  const char *path,
						  struct iommuabs_device **dev);

/**
 * iommuabs_device_attach() - let the device see the domain's memory
 * @options: NULL: as the domain says
 * @budget:  work units (a table entry or a frame each); 0: to the end
 *
 * Decides share or mirror for each unit that sees the device, builds what is
 * missing and binds all its ids, or none. After E_AGAIN the device is blocked,
 * and only the same call or iommuabs_device_detach() is accepted.
 *
 * Context: BOOT or TASK; takes the domain's gate alone; allocates; waits.
 * Return:  0 | E_INVAL | E_VERSION | E_BUSY (attached, or other ids of it are)
 *          | E_AGAIN | E_NODRIVER | E_UNTRANSLATED | E_UNSAFE_MSI | E_NOSHARE |
 *          E_NOTSUP (no table format of this build suits the unit, or none
 *          expresses a mapping: WRITE without READ in stage 1; ALLOW_ATS, and
 *          firmware lists no way for it, see there) | E_GRANULE (a
 *          mapping is no multiple of the unit's granule) | E_RESERVED (a
 *          reserved region of it meets what is there, or doesn't fit; or, behind
 *          VT-d, something is mapped in 0xfee00..0xfeeff, where messages go) |
 *          E_EXISTS | E_PERM | E_NOIDS | E_NOMEM | E_QUOTA | E_TIMEOUT |
 *          E_FENCED | E_TOPOLOGY (see iommuabs_device_add_pci()).
 *          On error the device is blocked and the domain as it was.
 */
IOMMUABS_MUST_CHECK int
iommuabs_device_attach(struct iommuabs_device *dev, struct iommuabs_domain *dom,
		       const struct iommuabs_attach_options *options,
		       uint64_t budget);

/**
 * iommuabs_device_detach() - block the device
 * @budget: work units; 0: to the end
 *
 * On 0 nothing the device started can reach the domain's memory any more: the
 * unit says so, or it was fenced before and blocks everything. Detaching what
 * is not attached is 0.
 *
 * Context: TASK; takes the domain's gate alone; waits for hardware.
 * Return:  0 | E_INVAL | E_BUSY (another call has the device) | E_TIMEOUT (it
 *          is detached; its unit is fenced now).
 */
IOMMUABS_MUST_CHECK int iommuabs_device_detach(struct iommuabs_device *dev,
					       uint64_t budget);

/**
 * iommuabs_device_move() - from its domain to another, in one step
 * @options: as for iommuabs_device_attach(), in the new domain
 * @budget:  work units; 0: to the end
 *
 * The new domain is prepared while the device goes on in the old one; there it
 * stays after E_AGAIN, and only the same call or iommuabs_device_detach() is
 * accepted. Then all its ids go, or none. At no moment does it see both domains,
 * and its reserved regions are there in both. A device of one id whose entry a
 * unit takes in one piece misses nothing; any other is blocked for a moment,
 * which takes ALLOW_WINDOW in @options, unless nothing goes through its units
 * now. On 0 nothing the device started can reach the old domain any more. It is
 * a call on both domains, where those are SERIALISED.
 *
 * Context: TASK; takes the gates of both domains alone; allocates; waits.
 * Return:  0 | E_INVAL | E_VERSION | E_NOENT (it is not attached) | E_BUSY (it
 *          is in @dom, or on its way elsewhere, or @dom is being destroyed) |
 *          E_AGAIN | E_WINDOW | E_UNSAFE_MSI | E_NOSHARE | E_NOTSUP,
 *          E_GRANULE (as by iommuabs_device_attach() to @dom) | E_RESERVED |
 *          E_EXISTS | E_PERM | E_NOIDS | E_NOMEM | E_QUOTA | E_FENCED |
 *          E_TIMEOUT | E_TOPOLOGY.
 *          On error it is where it was, and @dom as it was; with E_TIMEOUT its
 *          unit is fenced, and it is where it was once that has recovered.
 */
IOMMUABS_MUST_CHECK int
iommuabs_device_move(struct iommuabs_device *dev, struct iommuabs_domain *dom,
		     const struct iommuabs_attach_options *options,
		     uint64_t budget);

/**
 * iommuabs_device_set_fault_policy() - what is done about a storm of its faults
 *
 * For a device that is attached, or blocked: attaching it sets the policy of the
 * options. A device that was silenced is heard again; one that is in quarantine
 * stays there until it is attached anew.
 *
 * Context: TASK; may be called from host->fault(); waits for hardware.
 * Return:  0 | E_INVAL | E_TIMEOUT (a unit of the device is fenced now).
 */
IOMMUABS_MUST_CHECK int
iommuabs_device_set_fault_policy(struct iommuabs_device *dev,
				 enum iommuabs_fault_policy policy);

/* Answer of iommuabs_device_stats(). */
struct iommuabs_device_stats {
	uint32_t size;	 /* in: sizeof; the caller's */
	uint32_t storms; /* since it was added */
	uint64_t faults; /* events of it that were drained, likewise */
	uint32_t silenced, quarantined; /* is it now */
};

/**
 * iommuabs_device_stats() - what a device has done wrong
 * @stats: @stats->size set by the caller
 *
 * Context: TASK.
 * Return:  0 | E_INVAL.
 */
IOMMUABS_MUST_CHECK int
iommuabs_device_stats(struct iommuabs_device *dev,
		      struct iommuabs_device_stats *stats);

/* The first thing that stands between a device and a frame. */
enum iommuabs_obstacle {
	IOMMUABS_OBSTACLE_NONE,	   /* the access reaches @mfn */
	IOMMUABS_OBSTACLE_NO_UNIT, /* untranslated: nothing stops it */
	IOMMUABS_OBSTACLE_NO_DRIVER,
	IOMMUABS_OBSTACLE_NOT_STARTED, /* the unit is not enabled */
	IOMMUABS_OBSTACLE_FENCED,
	IOMMUABS_OBSTACLE_NOT_ATTACHED, /* the stream's entry blocks */
	IOMMUABS_OBSTACLE_BLOCKED, /* attached, and blocked by a failed refresh */
	IOMMUABS_OBSTACLE_ENTRY, /* the live stream entry isn't what it should be */
	IOMMUABS_OBSTACLE_TOO_WIDE, /* the gfn is past the view's input width */
	IOMMUABS_OBSTACLE_NOT_MAPPED,
	IOMMUABS_OBSTACLE_WITHHELD, /* removed or dropped, not yet invalidated */
	IOMMUABS_OBSTACLE_READ_DENIED,
	IOMMUABS_OBSTACLE_WRITE_DENIED,
	IOMMUABS_OBSTACLE_NOT_IN_TABLE, /* in the ledger, not in the live table */
	/* Attached, and blocked after a storm of faults, or because it keeps
	 * translations. */
	IOMMUABS_OBSTACLE_QUARANTINED,
	/* Its domain is a scratch page: @mfn, whatever the gfn, but for those of
	 * its reserved regions. */
	IOMMUABS_OBSTACLE_SCRATCH,
	/* An attach answered E_AGAIN: its table is not complete yet. */
	IOMMUABS_OBSTACLE_ATTACHING,
};

/* Answer of iommuabs_device_explain(). */
struct iommuabs_explanation {
	uint32_t size; /* in: sizeof; the caller's */
	enum iommuabs_obstacle obstacle;
	iommuabs_mfn_t
		mfn;	 /* with NONE and SCRATCH: what the live table says */
	uint32_t shared; /* 1: the live table is the p2m */
	uint32_t level;	 /* leaf or last entry: 0 is 4 KiB, 1 the next, ... */
	uint64_t entry;	 /* last table entry read */
	uint32_t stream; /* the id whose entry was read */
	char text[96];	 /* one line for people, numbers in hex */
};

/**
 * iommuabs_device_explain() - why can't this device access this gfn?
 * @access: IOMMUABS_READ and/or IOMMUABS_WRITE
 * @why:    @why->size set by the caller
 *
 * Reads the live structures, not only the library's records.
 *
 * Context: TASK; may run against any call.
 * Return:  0 | E_INVAL.
 */
IOMMUABS_MUST_CHECK int
iommuabs_device_explain(struct iommuabs_device *dev, iommuabs_gfn_t gfn,
			uint32_t access, struct iommuabs_explanation *why);

IOMMUABS_END_DECLS

#endif
