/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * core.h - what core's files call of one another, but for changes (change.h)
 */
#ifndef IOMMUABS_CORE_CORE_H
#define IOMMUABS_CORE_CORE_H

#include "objects.h"

/* irq.c */
/* 0 | E_INVAL | E_NOTSUP | E_NOMEM. */
int irq_take(struct iommuabs_device *dev, uint32_t id, uint32_t nr,
	     uint32_t *first);
/* 0 | E_NOENT | E_TIMEOUT. */
int irq_give(struct iommuabs_device *dev, uint32_t first);
/* @target NULL: block. 0 | E_NOENT | E_NOTSUP | E_TIMEOUT. */
int irq_point(struct iommuabs_device *dev, uint32_t n,
	      const struct iommuabs_irq_target *target);
/* What the device, or an IOAPIC, is to be told to raise @n. 0 | E_NOENT. */
int irq_message(struct iommuabs_device *dev, uint32_t n,
		struct iommuabs_irq_message *message);
int irq_ioapic(struct iommuabs_device *dev, uint32_t n, uint32_t vector,
	       uint32_t flags, uint64_t *entry);
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

/* device_find.c: takes no lock, unless said otherwise; @dev stays meanwhile */

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

struct desc_set;

/* Others never use ATS, whatever an attach allows. */
static inline bool stream_can_ats(const struct device_stream *stream)
{
	return stream->unit->hw.caps.ats && stream->nr <= BACKEND_ATS_STREAMS;
}
/* Do ATS requests get from @dev to its units, if @flags let it use them? Units are
 * told whose virtual functions its ids are. @dev is busy with the call, and no gate
 * is held. 0 | E_NOTSUP | E_NOMEM. */
int ats_way_check(struct iommuabs_device *dev, uint32_t flags);
/* What @set says goes in front of what is there. 0 | E_NOMEM. */
int ats_records_add(struct iommuabs *abs, const struct desc_set *set);
/* All in front of @old, which was the first; NULL: all. */
void ats_records_drop(struct iommuabs *abs, struct ats_record *old);

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
 * Takes abs->lock. Walk what @dev has of @stream: its ids without those that were
 * carved out of it. *@pos is 0 to begin with; ids [*@first, *@first + *@nr). False:
 * no more.
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

/* What a run of frames.pt says. */
void frames_policy_of(const struct pt_run *run, struct frames_policy *policy);
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
