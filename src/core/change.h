/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * change.h - what changes a domain: pages, batches, map, remove, views
 *
 * Callers are inside the domain's gate, as many unless said otherwise.
 */
#ifndef IOMMUABS_CORE_CHANGE_H
#define IOMMUABS_CORE_CHANGE_H

#include "core.h"
#include "enter.h"

/* A stretch of guest frames. */
struct span {
	uint64_t gfn, nr;
};

/* What iommuabs_domain_map() was asked, or one run of a list or a p2m. */
struct mapping {
	uint64_t gfn, mfn, nr;
	uint32_t flags; /* IOMMUABS_REPLACE included */
};

/* ---- pages.c: spare tables for one change ---- */

static inline struct tablemem_pool *spares_for(struct spares *spares,
					       const struct pt *pt)
{
	return &spares->pools[(pt->granule_lg2 - IOMMUABS_FRAME_LG2) / 2];
}

/* @nr more tables for @pt will be needed; spares_take() gets them. */
static inline void spares_want(struct spares *spares, const struct pt *pt,
			       uint32_t nr)
{
	spares->want[(pt->granule_lg2 - IOMMUABS_FRAME_LG2) / 2] += nr;
}

/*
 * Take what is wanted: from the host, then from the domain's reserve.
 * 0 | E_NOMEM | E_QUOTA (what was found stays).
 */
int spares_take(struct iommuabs_domain *dom, struct spares *spares);
/* The same without the reserve, which is for removals. */
int spares_take_new(struct iommuabs_domain *dom, struct spares *spares);
/* Give back what a change did not use, topping the reserve up first. */
void spares_put(struct iommuabs_domain *dom, struct spares *spares);
void spares_drain(struct iommuabs_domain *dom, struct spares *spares);
/* Bring the reserve to what callers x trees need. 0 | E_NOMEM | E_QUOTA. */
int pages_reserve(struct iommuabs_domain *dom);
/* Give back what the reserve holds beyond that, after mirrors went. */
void pages_trim(struct iommuabs_domain *dom);

/* ---- sync.c: what a batch owes ---- */

static inline struct batch *batch_of(struct iommuabs_batch *batch)
{
	return (struct batch *)(void *)batch->opaque;
}

void batch_begin(struct batch *batch, struct iommuabs_domain *dom);
/* 0, or E_AGAIN when [@gfn, @gfn + @nr) doesn't fit. */
int batch_room(const struct batch *batch, uint64_t gfn, uint64_t nr);
void batch_add(struct batch *batch, uint64_t gfn, uint64_t nr);
/* Does a unit use any view, so that a removal is owed to it? */
bool batch_owes(const struct iommuabs_domain *dom);
/*
 * Invalidate and wait, then let go of frames and tables; or withhold them.
 * @batch is empty afterwards. 0 | E_TIMEOUT | E_FENCED.
 */
int batch_pay(struct batch *batch);
/* Its halves: the first leaves the batch as it is; the second empties it. */
int batch_invalidate(const struct batch *batch);
/* [@gfn, @gfn + @nr) in all bindings of one view. 0 | E_TIMEOUT | E_FENCED. */
int view_forget(struct view *view, uint64_t gfn, uint64_t nr);
/* Only the unlinked tables: its ranges stay owed. 0 | E_TIMEOUT | E_FENCED. */
int batch_pay_tables(struct batch *batch);
/* The same, of tables that only @view has. */
int view_pay_tables(const struct view *view, struct batch *batch);
/*
 * Room for tables of mirrors that are unlinked, and the record that remembers
 * them if units don't answer. False: no memory, @sink takes none.
 */
bool batch_sink(struct batch *batch, struct pt_sink *sink);
/* What came into it is owed, as tables of @view. */
void batch_sunk(struct batch *batch, struct view *view,
		const struct pt_sink *sink);
void batch_settle(struct batch *batch);
/* The same, where the ledger has let go of its ranges already. */
void batch_settle_tables(struct batch *batch);
/* It owes nothing any more: its record goes, to a later batch or to the host. */
void batch_end(struct batch *batch);
/* Invalidate everything of one binding. 0 | E_TIMEOUT | E_FENCED. */
int binding_invalidate(struct binding *binding);
/* Invalidate everything of the domain, in all its bindings. */
int domain_invalidate_all(struct iommuabs_domain *dom);
/* The same for one frame, of which only a leaf is gone. */
int domain_invalidate_one(struct iommuabs_domain *dom, uint64_t gfn);
/* Frames of the span in @state, or of any, leave the ledger and the reverse map.
 */
#define LEDGER_ANY (~(uint64_t)0)
void ledger_settle(struct iommuabs_domain *dom, uint64_t gfn, uint64_t nr,
		   uint64_t state);
/* Unlinked tables that no unit walks: free them once no query is inside. */
void pt_tables_free(struct iommuabs_domain *dom, const struct pt *pt,
		    struct pt_sink *sink);

/* ---- ledger.c: reading and marking ---- */

/* The next run in [@gfn, @end) whatever its state; false: none. */
bool ledger_next(const struct iommuabs_domain *dom, uint64_t gfn, uint64_t end,
		 struct pt_run *run);
uint32_t ledger_state(uint64_t attr);
/* Change state bits of runs in @from; the span's ends are cut already. */
void ledger_mark(struct iommuabs_domain *dom, uint64_t gfn, uint64_t nr,
		 uint64_t from, uint64_t to);
/* Split the leaves that the span's ends cut, with tables of @pool. */
void ledger_cut(struct iommuabs_domain *dom, uint64_t gfn, uint64_t nr,
		struct spares *spares);
/* Frames that a slot at @level covers. */
uint64_t pt_slot_frames(const struct pt *pt, uint32_t level);
/* Widen the span to the leaves that its ends cut. */
void pt_grow_to_leaves(const struct pt *pt, uint64_t *gfn, uint64_t *nr);
/* How many tables a cut at both ends of the span takes, at the most. */
uint32_t pt_cut_need(const struct pt *pt, uint64_t gfn, uint64_t nr);

/* ---- view.c ---- */

/* How many frames of [@gfn, @gfn + @nr) the mirror must be told about. */
static inline uint64_t view_clip(const struct view *view, uint64_t gfn,
				 uint64_t nr)
{
	uint64_t end;

	if (view->kind != VIEW_MIRROR)
		return 0;
	end = IA_BITS(view->key.input_bits - IOMMUABS_FRAME_LG2) + 1;
	end = IA_MIN(end, view->filled);
	return gfn >= end ? 0 : IA_MIN(nr, end - gfn);
}

/* pt_ops.edit() in a mirror; what it needs, and what came of it. */
struct mirror_edit {
	struct view *view;
	struct pt_edit edit;
	struct spares *spares;
	struct pt_sink *sink; /* NULL: no tables are unlinked */
	struct pt_run at;
	int error; /* of units, in which a leaf was broken; else as it was */
};

/* PT_OK | PT_FULL (go on from @at) | PT_NO_TABLES. */
enum pt_status mirror_edit(struct mirror_edit *job, uint64_t gfn, uint64_t nr);

/*
 * Can every mirror that is filled, or begun, express this? 0 | E_GRANULE |
 * E_NOTSUP (a kind of access that a mirror's format lacks).
 */
int views_express(const struct iommuabs_domain *dom, const struct span *span,
		  const struct mapping *map);
/* The same of one mirror; @map NULL: only the span. */
int view_expresses(const struct view *view, const struct span *span,
		   const struct mapping *map);
/* Take out all that a fill entered, which can't be finished; no binding. */
void view_abandon(struct view *view);

/* C2b: a device that is let go from here on sees what was entered. */
static inline void view_publish(const struct view *mirror)
{
	if (mirror->pt.clean)
		port_dev_mb();
	else
		port_dev_publish();
}

void views_publish(const struct iommuabs_domain *dom);
struct view *view_find_shared(struct iommuabs_domain *dom);
int view_get_shared(struct iommuabs_domain *dom, struct view **out);
/* What a stream entry needs to know of a mirror, without the id. */
void view_table(const struct view *view, struct backend_table *table);
/* @dev: what is to use it; NULL: anything that is attached later. */
int view_get_mirror(struct iommuabs_domain *dom,
		    const struct backend_geometry *key,
		    const struct iommuabs_device *dev, struct view **out);
/* Not bound to anything: its tables go, *@budget counts. 0 | E_AGAIN. */
int view_drop(struct view *view, uint64_t *budget);
struct view *view_of_index(struct iommuabs_domain *dom, uint32_t index);

/* ---- reserved.c: regions that attached devices need ---- */

bool reserved_overlap(const struct iommuabs_domain *dom, uint64_t gfn,
		      uint64_t nr);
/* The @i-th region of @dev: its own, then those of the ranges it is carved out
 * of, which firmware gave to each of their functions. NULL: no more. */
const struct iommuabs_reserved *reserved_of(const struct iommuabs_device *dev,
					    uint32_t i);
bool reserved_equal(const struct iommuabs_reserved *a,
		    const struct iommuabs_reserved *b);
/* Enter a region in one mirror; its gfns are free there. */
int reserved_enter(struct view *view, const struct reserved_place *place);
/*
 * The frames from @gfn on, up to @nr, that are in no reserved region: 0 with
 * *@skip set to the frames of the region that begins right there.
 */
uint64_t reserved_clear_of(const struct iommuabs_domain *dom, uint64_t gfn,
			   uint64_t nr, uint64_t *skip);
/* Gate held alone. 0 | E_RESERVED | E_PERM | E_NOMEM | E_QUOTA. */
int reserved_add(struct iommuabs_domain *dom,
		 const struct iommuabs_device *dev);
/* The device is blocked; reserved_settle() follows when that is synced. */
void reserved_remove(struct iommuabs_domain *dom,
		     const struct iommuabs_device *dev);
void reserved_settle(struct iommuabs_domain *dom);
/* Does the host map exactly what @dev needs, so that it may share? */
bool reserved_all_in_ledger(const struct iommuabs_domain *dom,
			    const struct iommuabs_device *dev);

/* ---- frames.c ---- */

/* What rmap_claim() and frames_check() say is all there is to say. */
static inline bool frames_are_plain(const struct iommuabs_domain *dom,
				    uint64_t mfn, uint64_t nr)
{
	return !dom->abs->host.ops.frames_allowed &&
	       frames_are_far(dom->abs, mfn, nr);
}

/*
 * Frames of table_ranges: is one of them a table? A domain without reverse map
 * could not be found again when table memory is taken later: to it the whole of
 * table_ranges is closed.
 */
bool frames_are_tables(struct iommuabs_domain *dom, uint64_t mfn, uint64_t nr);

/* The library's own memory is nobody's (C15). 0 | E_PERM. */
static inline int frames_check(struct iommuabs_domain *dom, uint64_t mfn,
			       uint64_t nr)
{
	if (!tablemem_is_far(&dom->abs->mem, mfn, nr) &&
	    frames_are_tables(dom, mfn, nr))
		return IOMMUABS_E_PERM;
	if (registers_overlap(dom->abs, mfn, nr))
		return IOMMUABS_E_PERM;
	return 0;
}
/*
 * Enter all places of @range, whose kind follows from @flags and from what was
 * declared, or none; in a domain without reverse map: may it see the frames?
 * 0 | E_PERM | E_NOMEM | E_QUOTA, or what host->frames_allowed() returned.
 */
int places_claim(struct iommuabs_domain *dom, const struct rmap_range *range,
		 uint32_t flags);
void places_release(struct iommuabs_domain *dom,
		    const struct rmap_range *range);
/* As rmap_release_some(), of a domain that has a reverse map. */
uint64_t places_release_some(struct iommuabs_domain *dom,
			     const struct rmap_range *range, uint64_t *budget);
/* The one gfn at which @dom can have @mfn; false: it isn't declared fixed, or
 * @dom is the host's. */
bool frames_fixed_at(const struct iommuabs_domain *dom, uint64_t mfn,
		     uint64_t *gfn);
/* Is a fixed declaration of this place for @dom? */
bool frames_fixed_fits(const struct iommuabs_domain *dom, uint64_t gfn,
		       uint64_t nr);
/* All fixed declarations into a new domain, which isn't listed. As map_run(). */
int frames_enter_fixed(struct iommuabs_domain *dom);

/* ---- map.c (map_*.c), remove.c ---- */

/* Are these flags for a mapping, REPLACE included? */
static inline bool mapping_flags_good(uint32_t flags)
{
	const uint32_t known = IOMMUABS_READ | IOMMUABS_WRITE |
			       IOMMUABS_MEMTYPE | IOMMUABS_FOREIGN |
			       IOMMUABS_DEVICE_ONLY | IOMMUABS_REPLACE;

	return !(flags & ~known) &&
	       (flags & (IOMMUABS_READ | IOMMUABS_WRITE)) &&
	       (flags & IOMMUABS_MEMTYPE) != IOMMUABS_MEMTYPE;
}

#define MFN_BITS 40 /* 52 bits of machine address */

/* Do the frames exist: neither wrap nor pass what a table entry can hold? */
static inline bool mapping_frames_good(uint64_t mfn, uint64_t nr)
{
	const uint64_t all = (uint64_t)1 << MFN_BITS;

	return nr - 1 < all && mfn <= all - nr;
}

int map_run(struct iommuabs_domain *dom, const struct mapping *map,
	    struct batch *batch);
/*
 * map_run() in two halves; the second can't fail. The frames have no place in the
 * domain but this, and are about to be declared fixed: their records go. Gate held
 * alone. 0 | E_EXISTS | E_RESERVED | E_GRANULE | E_NOTSUP | E_NOMEM | E_QUOTA |
 * E_TIMEOUT | E_FENCED; after an error @spares are to be put back.
 */
int map_fixed_reserve(struct iommuabs_domain *dom, const struct mapping *map,
		      struct spares *spares);
void map_fixed_enter(struct iommuabs_domain *dom, const struct mapping *map,
		     struct spares *spares);
int map_list(struct iommuabs_domain *dom, const struct mapping *map,
	     const iommuabs_mfn_t mfns[], struct batch *batch);
/* No unit sees the span, which is in @batch, and one may remember it: withhold it. */
void removal_failed(struct batch *batch, uint64_t gfn, uint64_t nr);
int remove_run(struct iommuabs_domain *dom, uint64_t gfn, uint64_t nr,
	       struct batch *batch);
/*
 * What the host asks for itself: E_GRANULE, and nothing is done, if the span cuts
 * a mirror's granule; remove_run() takes it away whole. @batch NULL: nothing is
 * owed when it returns.
 */
int remove_asked(struct iommuabs_domain *dom, const struct span *span,
		 struct batch *batch);
int protect_run(struct iommuabs_domain *dom, const struct mapping *map,
		struct batch *batch);

/* ---- populate.c ---- */

/* One step: gate held alone. 0 (complete) | E_AGAIN (more) | error. */
int populate_view_step(struct view *view, uint64_t *budget);
/* Read the p2m into the ledger; gate not held. 0 | E_AGAIN | error. */
int populate_read(struct iommuabs_domain *dom, uint64_t *budget);
/* Fill every mirror there is; gate not held. 0 | E_AGAIN | error. */
int populate_views(struct iommuabs_domain *dom, uint64_t *budget);
/* host->p2m_walk(), its answer checked. */
int p2m_ask(struct iommuabs_domain *dom, struct iommuabs_p2m_query *query);
int populate_run(struct iommuabs_domain *dom, struct iommuabs_device *dev,
		 uint64_t *budget);

/* ---- refresh.c: gate not held ---- */

/* Enter one run of the p2m; what only devices see is not replaced by it. */
int p2m_enter(struct iommuabs_domain *dom, const struct iommuabs_p2m_run *run,
	      struct batch *batch);
int refresh_run(struct iommuabs_domain *dom, const struct span *span,
		void *call_cookie, struct batch *batch);

/* ---- decide.c: share or mirror ---- */

struct decision {
	enum view_kind kind;
	struct backend_table table;  /* SHARED, without the id */
	struct backend_geometry key; /* MIRROR */
	const struct iommuabs_device *dev;
	const char *why_mirror; /* NULL: shared, or nobody asked to share */
};

enum iommuabs_share_reason share_reason(const struct iommuabs_domain *dom,
					const struct iommuabs_unit *unit,
					struct backend_table *table);
/* 0 | E_NOSHARE | E_NOTSUP | E_GRANULE. */
int decide(const struct iommuabs_domain *dom, const struct iommuabs_unit *unit,
	   uint32_t strategy, struct decision *decision);
/* The same for @dev, whose reserved regions forbid sharing if they are not in
 * the p2m. The log says why E_NOSHARE. */
int decide_device(const struct iommuabs_domain *dom,
		  const struct iommuabs_device *dev,
		  const struct iommuabs_unit *unit, uint32_t strategy,
		  struct decision *decision);
/* Say why @dev is mirrored, if that wants saying; once it is decided for good. */
void decision_log(const struct iommuabs_device *dev,
		  const struct iommuabs_unit *unit,
		  const struct decision *decision);
/* The view for @decision, made if there is none. */
int decision_view(struct iommuabs_domain *dom, const struct decision *decision,
		  struct view **out);

/* ---- bind.c: gate held alone ---- */

/* Give each stream of @dev the binding it is to use next: 0 | E_AGAIN (a view is
 * to be filled first) | why none has one. */
int streams_prepare(struct iommuabs_device *dev, struct iommuabs_domain *dom,
		    uint32_t strategy);
/* Make room for the entries; no gate need be held. 0 | E_NOMEM. */
int streams_reserve(struct iommuabs_device *dev);
/* Can all streams go to their next with no request blocked? */
bool streams_are_hitless(const struct iommuabs_device *dev);
/* Point entries at what they use next, at what they use, at nothing. A unit that
 * fails is fenced. 0 | E_TIMEOUT; the first ends at the first failure. */
int streams_use_next(struct iommuabs_device *dev);
void streams_use_binding(struct iommuabs_device *dev);
int streams_block(struct iommuabs_device *dev);
/* The next bindings are the ones, those before were invalidated; or they aren't:
 * invalidated, or never used. */
void streams_take_next(struct iommuabs_device *dev);
void streams_drop_next(struct iommuabs_device *dev);
/* Invalidate everything in the bindings that @dev uses. 0 | E_TIMEOUT |
 * E_FENCED. */
int streams_invalidate(struct iommuabs_device *dev);
int stream_point(struct iommuabs_device *dev, struct device_stream *stream,
		 const struct binding *binding);
/* Any gate but the unit's may be held, or none. 0 | E_TIMEOUT. */
int stream_set_quiet(struct iommuabs_device *dev, struct device_stream *stream,
		     uint32_t quiet);

/* ---- attach.c: gate not held unless said otherwise ---- */

/* The call has @dev: no other attaches, detaches or moves it meanwhile. */
bool device_take(struct iommuabs_device *dev);
/* A domain that a storm would move a device to stays meanwhile; NULL: nothing. 0 |
 * E_BUSY (being destroyed). No gate held, but for release. */
int refuge_keep(struct iommuabs_domain *refuge);
void refuge_release(struct iommuabs_domain **refuge);
void device_give(struct iommuabs_device *dev);
/* Others look at these without the domain's gate. */
void device_set(struct iommuabs_device *dev, struct iommuabs_domain *dom,
		enum device_state state);
/*
 * Everything in @dom up to the moment in which @dev is let in; its reserved
 * regions if *@reserved_in is 0. 0 | E_AGAIN | error.
 */
int attach_prepare(struct iommuabs_device *dev, struct iommuabs_domain *dom,
		   uint32_t strategy, uint32_t *reserved_in, uint64_t *budget);
/* The contrary, as far as it got; the gate is held alone. */
void attach_undo(struct iommuabs_device *dev, struct iommuabs_domain *dom,
		 uint32_t *reserved_in);
/* Could @dev be attached at all? 0 or why not. */
int attach_check(const struct iommuabs_device *dev,
		 const struct iommuabs_domain *dom, uint32_t flags);
/* Make the views that @dev needs; gate held alone. */
int attach_views(struct iommuabs_device *dev, struct iommuabs_domain *dom,
		 uint32_t strategy);
/* Views that were made for what didn't come about; gate held alone. */
void views_drop_unused(struct iommuabs_domain *dom);
/* How @dev is attached to @dom: as it was asked for, else as the domain says. */
uint32_t strategy_of(const struct iommuabs_domain *dom, uint32_t asked);
int attach_run(struct iommuabs_device *dev, struct iommuabs_domain *dom,
	       const struct iommuabs_attach_options *options, uint64_t *budget);
int detach_run(struct iommuabs_device *dev, uint64_t *budget);
/* Block or let in what shares the p2m, as dom->nr_bad says; gate held alone. */
int attach_rewrite_shared(struct iommuabs_domain *dom);

/* ---- switch.c: gate not held ---- */

int strategy_run(struct iommuabs_domain *dom, uint32_t strategy, uint32_t flags,
		 uint64_t *budget);
int p2m_run(struct iommuabs_domain *dom, const struct iommuabs_p2m *p2m);

/* ---- compact.c: gate not held ---- */

/* 0 | E_AGAIN | E_BUSY | E_NOMEM | E_TIMEOUT. */
int compact_run(struct iommuabs_domain *dom, uint64_t *budget);

/* ---- move.c: gate not held ---- */

int move_run(struct iommuabs_device *dev, struct iommuabs_domain *dom,
	     const struct iommuabs_attach_options *options, uint64_t *budget);
/* @dev stays where it is: forget where it was about to go. */
void move_give_up(struct iommuabs_device *dev);

#endif
