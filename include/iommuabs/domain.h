/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domain.h - one guest, or the host: a set of frames and a set of devices
 *
 * The host serialises calls on overlapping ranges of one domain
 * (iommuabs_batch_sync() counts as a call on every range in its batch);
 * everything else may run at once.
 *
 * A host that gave a p2m keeps this order. To grant, upgrade or replace:
 * iommuabs_domain_map() into a batch, write the p2m, iommuabs_batch_sync(). To
 * take away: change the p2m, invalidate the CPU, iommuabs_domain_unmap() or
 * iommuabs_domain_protect(), sync; only then reuse the frame.
 */
#ifndef IOMMUABS_DOMAIN_H
#define IOMMUABS_DOMAIN_H

#include <iommuabs/p2m.h>

IOMMUABS_BEGIN_DECLS

struct iommuabs_batch;

/* Who walks what. */
enum iommuabs_strategy {
	IOMMUABS_STRATEGY_AUTO,	  /* share where it is possible, else mirror */
	IOMMUABS_STRATEGY_SHARE,  /* units walk the p2m, or the attach fails */
	IOMMUABS_STRATEGY_MIRROR, /* units walk a table of the library's */
};

/* When a mirror is filled. */
enum iommuabs_populate {
	IOMMUABS_POPULATE_LAZY,	 /* when the first device needs it */
	IOMMUABS_POPULATE_EAGER, /* from creation, for the units known then */
};

/* Where the library learns what the domain maps. */
enum iommuabs_source {
	IOMMUABS_SOURCE_LEDGER, /* the host maps everything, from creation */
	IOMMUABS_SOURCE_P2M, /* the host's p2m is walked, changes by refresh */
};

/*
 * Largest leaf of mirrors; and of what a unit has to give up for a moment if a
 * part of it is taken away (SMMU with BBML 0): no larger group of leaves has the
 * Contiguous hint there.
 */
enum iommuabs_max_leaf {
	IOMMUABS_LEAF_ANY, /* what the unit has */
	IOMMUABS_LEAF_4K,
	IOMMUABS_LEAF_2M,
	IOMMUABS_LEAF_1G,
};

/* Values of iommuabs_domain_config.flags. */
/* One call at a time on this domain, promised by the host. */
#define IOMMUABS_DOMAIN_SERIALISED (1u << 0)
/* The host's own domain: its places never conflict with anybody's. */
#define IOMMUABS_DOMAIN_HOST (1u << 1)
/* gfn = mfn, answered by arithmetic. Implies HOST. */
#define IOMMUABS_DOMAIN_IDENTITY (1u << 2)
/* No reverse map; only with HOST or IDENTITY. */
#define IOMMUABS_DOMAIN_NO_REVERSE_MAP (1u << 3)
/*
 * A place for devices that are not to see anything, and not to be blocked either:
 * each gfn is one and the same page of zeros, the domain's own, read-only.
 * Implies HOST and NO_REVERSE_MAP; nothing can be mapped (E_INVAL), there is no
 * p2m and no sharing. Reserved regions are there for the devices that need them,
 * and for no others; at least seven devices whose regions differ may be in it at a
 * time (then E_NOTSUP), whose regions are the same or apart (else E_RESERVED).
 */
#define IOMMUABS_DOMAIN_SCRATCH (1u << 4)
/*
 * With SCRATCH: the page takes what is written, and its devices read that. What
 * one writes another reads, so devices of different guests want domains of their
 * own. Zeros again when a device comes and no other is in it.
 */
#define IOMMUABS_DOMAIN_SINK (1u << 5)

struct iommuabs_domain_config {
	uint32_t size; /* sizeof(struct iommuabs_domain_config) */
	uint32_t flags;
	enum iommuabs_strategy strategy;
	enum iommuabs_populate populate;
	enum iommuabs_source source;
	enum iommuabs_max_leaf max_leaf;
	const struct iommuabs_p2m
		*p2m;	       /* copied; NULL: none, or it comes later */
	uint64_t quota_frames; /* table memory charged to it; 0: no limit */
	uint32_t input_bits;   /* of guest addresses, 32 to 52; 0: 48 */
	uint32_t callers;      /* that change it at the same time; 0: 1 */
	void *cookie;
};

/**
 * iommuabs_domain_create() - an empty domain
 * @config: copied
 * @dom:    written on success
 *
 * Context: BOOT or TASK; allocates, the reserve of its @callers included.
 * Return:  0 | E_INVAL (an unknown flag or value, IDENTITY, SCRATCH or SHARE
 *          that contradict, SCRATCH with a p2m, SINK without SCRATCH,
 *          NO_REVERSE_MAP without HOST, source P2M without host->p2m_walk, a
 *          p2m that is malformed) | E_VERSION | E_NOMEM | E_QUOTA (too small
 *          for the reserve).
 */
IOMMUABS_MUST_CHECK int
iommuabs_domain_create(struct iommuabs *abs,
		       const struct iommuabs_domain_config *config,
		       struct iommuabs_domain **dom);

/**
 * iommuabs_domain_set_p2m() - the p2m exists now, or has another root
 * @p2m: copied; maps what the one before maps
 *
 * Devices that share the old one go on with the new one, as by
 * iommuabs_domain_set_strategy(); those that a unit can't let walk it are
 * mirrored from now on, if their strategy is AUTO. Where that takes a window,
 * only devices whose attach options say ALLOW_WINDOW may see it. On 0 no unit
 * reads the old table any more.
 *
 * Context: BOOT or TASK; takes the gate alone; allocates; waits for hardware.
 * Return:  0 | E_INVAL | E_VERSION | E_BUSY (being destroyed, or batches are
 *          open) | E_WINDOW | E_NOSHARE | E_NOTSUP (no format for a mirror, or
 *          none that expresses a mapping) | E_GRANULE (a mapping is no
 *          multiple of a mirror's granule) | E_NOIDS | E_NOMEM | E_QUOTA |
 *          E_FENCED | E_TIMEOUT.
 *          On error the old one is in use, as by set_strategy.
 */
IOMMUABS_MUST_CHECK int iommuabs_domain_set_p2m(struct iommuabs_domain *dom,
						const struct iommuabs_p2m *p2m);

/**
 * iommuabs_domain_destroy() - give everything of the domain back
 * @budget: work units (a table entry or a frame each); 0: to the end
 *
 * Frames that are withheld because of a fenced unit stay so, charged to the
 * instance, until iommuabs_unit_recover(). After E_AGAIN only the same call is
 * accepted.
 *
 * Context: TASK; takes the gate alone.
 * Return:  0 | E_INVAL | E_BUSY (devices attached or on their way here, or
 *          batches open) | E_AGAIN.
 */
IOMMUABS_MUST_CHECK int iommuabs_domain_destroy(struct iommuabs_domain *dom,
						uint64_t budget);

/**
 * iommuabs_domain_map() - make @nr frames from @mfn visible at @gfn
 * @nr:    frames of 4 KiB, > 0; @gfn + @nr must not wrap or pass the domain's
 *         width
 * @flags: IOMMUABS_READ and/or IOMMUABS_WRITE, a memory type, REPLACE, FOREIGN,
 *         DEVICE_ONLY
 * @batch: collects what the hardware is owed; NULL: synced before return
 *
 * Over an identical mapping it does nothing; over another it needs REPLACE.
 *
 * Context: TASK; takes the domain's gate; may call host->table_alloc.
 * Return:  0 | E_INVAL | E_EXISTS (something else is mapped there) | E_PERM (a
 *          frame belongs to another domain or to the library, or a declaration
 *          or host->frames_allowed() refuses it) | E_RESERVED (a region of a
 *          device, or 0xfee00..0xfeeff while one is attached behind VT-d) |
 *          E_GRANULE (a mirror's granule is larger than 4 KiB, and @gfn, @mfn
 *          or @nr is no multiple of it) | E_NOTSUP (WRITE without READ, which
 *          stage 1 can't express, and a mirror is of stage 1) |
 *          E_NOSHARE (DEVICE_ONLY while a device shares the p2m) |
 *          E_QUOTA | E_NOMEM | E_BUSY (the batch is another domain's; an
 *          unfinished call has the domain) | E_AGAIN (the batch is full) |
 *          E_TIMEOUT | E_FENCED.
 *          On error nothing is mapped; E_TIMEOUT and E_FENCED come only from an
 *          unsynced removal or a REPLACE, and from units that cache what is
 *          absent (VT-d's caching mode): then it is mapped, and they are fenced.
 */
IOMMUABS_MUST_CHECK int iommuabs_domain_map(struct iommuabs_domain *dom,
					    iommuabs_gfn_t gfn,
					    iommuabs_mfn_t mfn, uint64_t nr,
					    uint32_t flags,
					    struct iommuabs_batch *batch);

/**
 * iommuabs_domain_map_list() - the same for scattered frames
 * @mfns: frame of @gfn, of @gfn + 1, ..., @nr of them
 *
 * Context: as iommuabs_domain_map().
 * Return:  as iommuabs_domain_map(); on error none of the list is mapped:
 *          0 | E_INVAL | E_EXISTS | E_PERM | E_NOMEM | E_QUOTA | E_BUSY |
 *          E_AGAIN | E_RESERVED | E_GRANULE | E_NOTSUP | E_NOSHARE |
 *          E_TIMEOUT | E_FENCED.
 */
IOMMUABS_MUST_CHECK int iommuabs_domain_map_list(struct iommuabs_domain *dom,
						 iommuabs_gfn_t gfn,
						 const iommuabs_mfn_t mfns[],
						 uint64_t nr, uint32_t flags,
						 struct iommuabs_batch *batch);

/**
 * iommuabs_domain_unmap() - take @nr frames from @gfn away
 *
 * Holes in the range are fine. With a batch the frames stay in the ledger and
 * the reverse map, marked unsynced, until the batch is synced.
 *
 * Context: TASK; takes the domain's gate.
 * Return:  0 | E_INVAL | E_BUSY | E_RESERVED | E_GRANULE (it cuts a granule
 *          of a mirror; nothing done) | E_AGAIN (the batch is full; nothing
 *          done) | E_NOMEM (a leaf could not be split: the whole leaf is gone
 *          from mirrors; repeat to finish) | E_TIMEOUT |
 *          E_FENCED (done, and what a fenced unit may still see is withheld).
 */
IOMMUABS_MUST_CHECK int iommuabs_domain_unmap(struct iommuabs_domain *dom,
					      iommuabs_gfn_t gfn, uint64_t nr,
					      struct iommuabs_batch *batch);

/**
 * iommuabs_domain_protect() - change READ and WRITE of what is mapped
 * @flags: IOMMUABS_READ and/or IOMMUABS_WRITE, nothing else
 *
 * Context: TASK; takes the domain's gate.
 * Return:  0 | E_INVAL | E_NOENT (a hole in the range; nothing done) | E_BUSY |
 *          E_RESERVED | E_GRANULE | E_NOTSUP (both as map; nothing done) |
 *          E_AGAIN | E_NOMEM (as unmap) | E_TIMEOUT | E_FENCED.
 */
IOMMUABS_MUST_CHECK int iommuabs_domain_protect(struct iommuabs_domain *dom,
						iommuabs_gfn_t gfn, uint64_t nr,
						uint32_t flags,
						struct iommuabs_batch *batch);

/**
 * iommuabs_domain_refresh() - this range of the p2m changed: read it again
 * @call_cookie: handed to host->p2m_walk() in the query
 *
 * For a host that can only tell afterwards. What policy forbids, or what could
 * not be recorded, blocks the domain's shared devices before the error returns,
 * until a refresh of that range returns 0.
 *
 * Context: TASK; calls host->p2m_walk outside the gate.
 * Return:  0 | E_INVAL | E_NOTSUP (the host has no p2m_walk) | E_BUSY |
 *          E_EXISTS (DEVICE_ONLY is there) | E_PERM | E_RESERVED |
 *          E_GRANULE (a mirror can't follow: the granules concerned are gone
 *          from it) | E_NOTSUP (as map) | E_QUOTA | E_NOMEM | E_AGAIN |
 *          E_TIMEOUT | E_FENCED, or what host->p2m_walk() returned.
 */
IOMMUABS_MUST_CHECK int iommuabs_domain_refresh(struct iommuabs_domain *dom,
						iommuabs_gfn_t gfn, uint64_t nr,
						void *call_cookie,
						struct iommuabs_batch *batch);

/**
 * iommuabs_domain_translate() - what does the domain map at @gfn?
 * @mfn, @flags: written on 0; @flags may be NULL
 *
 * Context: TASK; may run against any call.
 * Return:  0 | E_INVAL | E_NOENT (nothing, or it is being removed) |
 *          E_NOTREADY (source P2M, not walked to its end).
 */
IOMMUABS_MUST_CHECK int iommuabs_domain_translate(struct iommuabs_domain *dom,
						  iommuabs_gfn_t gfn,
						  iommuabs_mfn_t *mfn,
						  uint32_t *flags);

/**
 * iommuabs_domain_gfns() - at which guest frames is this machine frame visible?
 * @cursor: 0 before the first call; handed on to the next
 * @gfns:   room for @max
 * @nr:     how many were written; less than @max: that was the last
 *
 * Removed frames are reported until their removal is known to be invalidated.
 *
 * Context: TASK; may run against any call.
 * Return:  0 | E_INVAL | E_NOTSUP (NO_REVERSE_MAP) | E_NOTREADY.
 */
IOMMUABS_MUST_CHECK int iommuabs_domain_gfns(struct iommuabs_domain *dom,
					     iommuabs_mfn_t mfn,
					     uint64_t *cursor,
					     iommuabs_gfn_t gfns[],
					     uint32_t max, uint32_t *nr);

/**
 * iommuabs_domain_populate() - fill what a device will need, in steps
 * @dev:    fill what attaching this device needs; NULL: every view there is,
 *          and the ledger from the p2m
 * @budget: work units; 0: to the end
 *
 * The domain may be changed between steps and by others during them.
 *
 * Context: TASK; takes the gate alone, a step at a time.
 * Return:  0 (complete) | E_AGAIN | E_INVAL | E_BUSY | E_NODRIVER |
 *          E_UNTRANSLATED | E_NOSHARE | E_NOTSUP | E_GRANULE (a mapping
 *          doesn't fit the unit's tables; no view is left of the attempt) |
 *          E_PERM | E_EXISTS | E_QUOTA | E_NOMEM, or what host->p2m_walk()
 *          returned. On error nothing is attached; what was built stays until
 *          the domain is destroyed.
 */
IOMMUABS_MUST_CHECK int iommuabs_domain_populate(struct iommuabs_domain *dom,
						 struct iommuabs_device *dev,
						 uint64_t budget);

/**
 * iommuabs_domain_progress() - how far populating is
 * @done, @total: frames of the guest's address space; equal: complete
 *
 * Context: TASK.
 * Return:  0 | E_INVAL.
 */
IOMMUABS_MUST_CHECK int iommuabs_domain_progress(struct iommuabs_domain *dom,
						 uint64_t *done,
						 uint64_t *total);

/**
 * iommuabs_domain_set_strategy() - share <-> mirror with devices attached
 * @strategy: AUTO decides anew for each device
 * @flags:    IOMMUABS_ALLOW_WINDOW (device.h), or 0
 * @budget:   work units (a table entry or a frame each); 0: to the end
 *
 * Devices that were attached with a strategy of their own keep it. What is
 * missing is built first, in steps, while devices use what they have and the
 * domain may be changed; the same call goes on. Then all devices are switched at
 * once, so that each request sees the one table or the other. Where a unit can't
 * do that, a permitted DMA may fault for a moment: then ALLOW_WINDOW is needed,
 * from @flags or from the device's attach options. Mirrors that nobody uses any
 * more are kept in step until iommuabs_domain_compact().
 *
 * Context: TASK; takes the gate alone, a step at a time; allocates; waits.
 * Return:  0 | E_INVAL (also: SHARE of an IDENTITY or SCRATCH domain) | E_BUSY
 *          (being destroyed) | E_AGAIN | E_WINDOW | E_NOSHARE (a unit can't walk
 *          the p2m, or a refresh of it has failed) | E_NOTSUP (no table format of
 *          this build suits a unit, or none expresses a mapping: WRITE without
 *          READ in stage 1) | E_GRANULE (a mapping is no multiple of a mirror's
 *          granule) | E_RESERVED (a mirror is too narrow for a region) | E_NOIDS
 *          | E_NOMEM | E_QUOTA | E_FENCED (a unit of an attached device is
 *          fenced) | E_TIMEOUT.
 *          On error every device is as it was before; with E_TIMEOUT the unit
 *          that did not answer is fenced, and its devices are as before once it
 *          has recovered.
 */
IOMMUABS_MUST_CHECK int
iommuabs_domain_set_strategy(struct iommuabs_domain *dom,
			     enum iommuabs_strategy strategy, uint32_t flags,
			     uint64_t budget);

/* Why a unit can't walk a domain's p2m. */
enum iommuabs_share_reason {
	IOMMUABS_SHARE_OK,
	IOMMUABS_SHARE_NO_P2M, /* the domain has none (yet) */
	IOMMUABS_SHARE_FORMAT, /* the unit reads another format */
	IOMMUABS_SHARE_NO_STAGE2,
	IOMMUABS_SHARE_INPUT_WIDTH, /* the unit takes fewer address bits */
	IOMMUABS_SHARE_OUTPUT_WIDTH,
	IOMMUABS_SHARE_GRANULE,
	IOMMUABS_SHARE_LEVELS, /* the unit can't start at that level */
	IOMMUABS_SHARE_NOT_CLEANED, /* the unit doesn't snoop, P2M_CLEANED is not set */
	IOMMUABS_SHARE_DEVICE_ONLY, /* there are mappings that the p2m lacks */
	/* The domain has a table of its own (SCRATCH, too). */
	IOMMUABS_SHARE_IDENTITY,
	IOMMUABS_SHARE_NO_DRIVER,
};

/**
 * iommuabs_domain_share_check() - could this unit walk this domain's p2m?
 * @reason: written on 0: SHARE_OK, or the first reason against it
 *
 * Context: TASK.
 * Return:  0 | E_INVAL.
 */
IOMMUABS_MUST_CHECK int
iommuabs_domain_share_check(struct iommuabs_domain *dom,
			    struct iommuabs_unit *unit,
			    enum iommuabs_share_reason *reason);

/**
 * iommuabs_share_reason_text() - a reason in words
 *
 * Context: any. The string is constant.
 */
IOMMUABS_API const char *
iommuabs_share_reason_text(enum iommuabs_share_reason reason);

/**
 * iommuabs_domain_dump() - write what there is at one gfn to host->log
 *
 * The ledger's entry, the live entry of each mirror, who else sees the frame, and
 * the reserved region there, a line each. iommuabs_device_explain() reads what
 * one device meets, a shared p2m included.
 *
 * Context: TASK; may run against any call.
 * Return:  0 | E_INVAL.
 */
IOMMUABS_MUST_CHECK int iommuabs_domain_dump(struct iommuabs_domain *dom,
					     iommuabs_gfn_t gfn);

/* Answer of iommuabs_domain_stats(). */
struct iommuabs_domain_stats {
	uint32_t size;	     /* in: sizeof; the caller's */
	uint32_t number;     /* by which iommuabs_dump() calls it */
	uint64_t used;	     /* frames of table memory charged to it */
	uint64_t quota;	     /* it may have; 0: no limit */
	uint64_t places;     /* of frames beyond each one's first */
	uint32_t nr_devices; /* attached, or being attached */
	uint32_t nr_mirrors;
	uint32_t nr_bindings;  /* views in use by units */
	uint32_t nr_batches;   /* open */
	uint64_t invalidated;  /* since it was created: a unit has forgotten */
	uint64_t failed;       /* likewise: a unit that was to didn't answer */
	uint64_t filled_steps; /* likewise: of filling mirrors */
};

/**
 * iommuabs_domain_stats() - what a domain has, and what it has cost
 * @stats: @stats->size set by the caller
 *
 * Context: TASK; may run against any call.
 * Return:  0 | E_INVAL.
 */
IOMMUABS_MUST_CHECK int
iommuabs_domain_stats(struct iommuabs_domain *dom,
		      struct iommuabs_domain_stats *stats);

/**
 * iommuabs_domain_compact() - give memory back that the domain can do without
 * @budget: work units (a table entry each); 0: to the end
 *
 * A LAZY domain gives back the mirrors that no device uses any more: after the
 * last was detached, or when all share the p2m. A device that needs one later
 * has it built anew.
 *
 * Then tables of the ledger and of mirrors that are full of one mapping become a
 * larger leaf of it, no larger than map would have made, and empty ones go. No
 * DMA notices. So a mirror in use keeps its full tables where a unit can take a
 * leaf in a table's place only after a break (SMMU with BBML 0). The p2m is the
 * host's; the reverse map stays as it is. The domain may be used between steps
 * and after E_AGAIN: what changes behind the place that a step got to waits for
 * the next call.
 *
 * Context: TASK; takes the gate alone, a step at a time; waits for hardware.
 * Return:  0 | E_INVAL | E_BUSY (being destroyed) | E_AGAIN | E_NOMEM (a small
 *          record is missing; call again) | E_TIMEOUT (a unit did not forget a
 *          table, which is withheld until it has recovered; call again: what is
 *          left of mirrors in a fenced unit is passed over).
 */
IOMMUABS_MUST_CHECK int iommuabs_domain_compact(struct iommuabs_domain *dom,
						uint64_t budget);

IOMMUABS_END_DECLS

#endif
