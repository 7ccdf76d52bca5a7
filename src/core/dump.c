/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dump.c - the instance's state in lines
 *
 * The same state gives the same lines, so no counter is in here that a query or
 * a device moves, and no pointer.
 */
#include "core.h"
#include "digest.h"
#include "enter.h"

#define LEDGER_STEP    65536 /* entries read while a domain's gate is held */
#define LEDGER_STEPS   16    /* of them for one domain */
#define FRAMES_BUDGET  65536 /* entries read of what was declared */
#define DECLARED_SHOWN 32    /* runs of it with a line of their own */

#define LINE(abs, ...) hostif_log(&(abs)->host, IOMMUABS_LOG_DUMP, __VA_ARGS__)

static const char *status_text(enum iommuabs_unit_status status)
{
	switch (status) {
	case IOMMUABS_UNIT_ADDED:
		return "added";
	case IOMMUABS_UNIT_RUNNING:
		return "running";
	case IOMMUABS_UNIT_FENCED:
		return "fenced";
	case IOMMUABS_UNIT_FAILED:
		return "failed";
	case IOMMUABS_UNIT_STOPPED:
		return "stopped";
	case IOMMUABS_UNIT_NO_DRIVER:
		return "no driver";
	default:
		return "dead";
	}
}

static const char *phase_text(uint32_t phase)
{
	switch (phase) {
	case PHASE_RUNNING:
		return "started";
	case PHASE_SUSPENDED:
		return "suspended";
	default:
		return "not started";
	}
}

static void dump_messages(struct iommuabs *abs,
			  const struct iommuabs_unit *unit)
{
	static const char names[IOMMUABS_IRQ_COUNT_][8] = {
		[IOMMUABS_IRQ_EVENT] = "event",
		[IOMMUABS_IRQ_ERROR] = "error",
		[IOMMUABS_IRQ_SYNC] = "sync",
		[IOMMUABS_IRQ_PRI] = "pri",
	};
	const struct unit_message *message = unit->messages;
	uint32_t i;

	if (unit->msi.controller || unit->msi.id)
		LINE(abs, "  messages by controller %x, id %x",
		     unit->msi.controller, unit->msi.id);
	for (i = 0; i < IOMMUABS_IRQ_COUNT_; i++, message++)
		if (message->addr)
			LINE(abs, "  %s as a message: %x at %llx", names[i],
			     message->data, (unsigned long long)message->addr);
}

void dump_units(struct iommuabs *abs)
{
	const struct iommuabs_unit *unit;
	const struct backend_caps *caps;

	ia_lock(&abs->host, &abs->lock);
	/* Empty nodes of the reverse map stay for the next claim: no state. */
	LINE(abs, "instance: %s, %llu table frames",
	     phase_text(port_load32(&abs->phase)),
	     (unsigned long long)port_load64(&abs->account.used));
	for (unit = abs->units; unit; unit = unit->next) {
		caps = &unit->hw.caps;
		LINE(abs,
		     "unit %s: %s at %llx+%llx, %u bindings, %u ids, error %d",
		     unit->name, status_text(unit_status(unit)),
		     (unsigned long long)unit->base,
		     (unsigned long long)unit->length, unit->nr_bindings,
		     unit_ids_in_use(unit), unit->error);
		LINE(abs,
		     "  stage %s%s, %scoherent, in %u, out %u, granules %x, "
		     "ids %u, streams %u bits, bbml %u",
		     caps->stage1 ? "1" : "", caps->stage2 ? "2" : "",
		     caps->coherent ? "" : "not ", caps->input_bits,
		     caps->output_bits, caps->granules, caps->id_bits,
		     caps->stream_bits, caps->bbml);
		dump_messages(abs, unit);
	}
	ia_unlock(&abs->host, &abs->lock);
}

static const char *state_text(enum device_state state)
{
	switch (state) {
	case DEVICE_BLOCKED:
		return "blocked";
	case DEVICE_ATTACHING:
		return "attaching";
	default:
		return "attached";
	}
}

static void dump_streams(struct iommuabs *abs,
			 const struct iommuabs_device *dev)
{
	const struct device_stream *stream = dev->streams;
	uint32_t i;

	for (i = 0; i < dev->nr_streams; i++, stream++)
		LINE(abs, "  %s: streams %x+%x, rid %x", stream->unit->name,
		     stream->first, stream->nr, stream->rid);
}

static void dump_reserved(struct iommuabs *abs,
			  const struct iommuabs_device *dev)
{
	const struct iommuabs_reserved *region = dev->reserved;
	uint32_t i;

	for (i = 0; i < dev->nr_reserved; i++, region++)
		LINE(abs, "  reserved: gfn %llx+%llx, mfn %llx, flags %x",
		     (unsigned long long)region->gfn.frame,
		     (unsigned long long)region->nr,
		     (unsigned long long)region->mfn.frame, region->flags);
}

static void dump_interrupts(struct iommuabs *abs,
			    const struct iommuabs_device *dev)
{
	const struct irq_run *run;

	for (run = dev->irqs; run; run = run->next)
		LINE(abs, "  interrupts: %s, %u+%u, of ids %x to %x",
		     run->unit->name, run->first, run->nr, run->first_id,
		     run->last_id);
}

static void dump_fault_policy(struct iommuabs *abs,
			      const struct iommuabs_device *dev)
{
	static const char names[][16] = { "silence", "report", "quarantine" };

	if (dev->refuge)
		LINE(abs, "  a storm: %s, in domain %u",
		     names[dev->fault_policy], dev->refuge->owner.number);
	else
		LINE(abs, "  a storm: %s", names[dev->fault_policy]);
}

static void dump_aliases(struct iommuabs *abs,
			 const struct iommuabs_device *dev)
{
	const struct device_alias *alias;

	if (dev->topology)
		LINE(abs, "  of all that PCI doesn't tell apart%s",
		     dev->topology == TOPOLOGY_COARSE ? ", whole buses" : "");
	for (alias = dev->aliases; alias; alias = alias->next)
		LINE(abs, "  one with %s, pci %x+%x",
		     alias->path[0] ? alias->path : "(no path)", alias->pci,
		     alias->nr_pci);
}

void dump_devices(struct iommuabs *abs)
{
	const struct iommuabs_device *dev, *range;
	uint32_t i;

	ia_lock(&abs->host, &abs->lock);
	for (dev = abs->devices; dev; dev = dev->next) {
		LINE(abs, "device %s: %s, domain %u, flags %x, pci %x+%x",
		     dev->name, state_text(dev->state),
		     dev->dom ? dev->dom->owner.number : 0, dev->flags,
		     dev->pci, dev->nr_pci);
		if (dev->to)
			LINE(abs, "  on its way to domain %u",
			     dev->to->owner.number);
		if (device_quiet(dev))
			LINE(abs, "  %s until it is attached anew",
			     device_quiet(dev) & STREAM_CUT_OFF ? "cut off"
								: "silenced");
		for (i = 0; (range = device_range(dev, i)) != NULL; i++)
			LINE(abs, "  carved out of %s", range->name);
		if (dev->nr_carved)
			LINE(abs, "  %u carved out of it", dev->nr_carved);
		dump_aliases(abs, dev);
		dump_streams(abs, dev);
		dump_reserved(abs, dev);
		dump_interrupts(abs, dev);
		dump_fault_policy(abs, dev);
	}
	ia_unlock(&abs->host, &abs->lock);
}

/*
 * How many frames are in the ledger, by state, and what they are. Between two
 * steps others may enter the gate alone: what changes meanwhile is read as it was
 * or as it is.
 */
static enum pt_status read_ledger(struct iommuabs_domain *dom,
				  struct digest *digest, uint64_t frames[4])
{
	enum pt_status status = PT_BUDGET;
	struct pt_run run;
	uint32_t steps = LEDGER_STEPS;

	while (status != PT_END) {
		status = digest_next(digest, &run);
		if (status == PT_OK) {
			frames[(run.attr & PT_LEDGER_STATE) /
			       PT_LEDGER_UNSYNCED] += run.nr;
		} else if (status == PT_BUDGET) {
			domain_leave(dom);
			domain_enter(dom);
			if (!--steps || dom->destroying)
				break;
			digest->budget = LEDGER_STEP;
		}
	}
	return status;
}

static void dump_ledger(struct iommuabs *abs, struct iommuabs_domain *dom)
{
	struct digest digest = digest_begin(
		&dom->ledger, 0,
		(uint64_t)1 << (dom->input_bits - IOMMUABS_FRAME_LG2),
		LEDGER_STEP);
	enum pt_status status;
	uint64_t frames[4] = { 0 };

	status = read_ledger(dom, &digest, frames);
	LINE(abs,
	     "  ledger: %llu frames, %llu unsynced, %llu withheld%s, read to "
	     "%llx",
	     (unsigned long long)frames[0], (unsigned long long)frames[1],
	     (unsigned long long)frames[2],
	     status == PT_BUDGET ? ", and more" : "",
	     (unsigned long long)dom->read);
	LINE(abs, "  digest %llx%s", (unsigned long long)digest.value,
	     status == PT_BUDGET ? ", and more" : "");
}

static void dump_view(struct iommuabs *abs, const struct view *view)
{
	static const char kinds[][8] = { "shared", "mirror", "going" };
	const struct binding *binding;

	LINE(abs, "  view %u: %s, leaves %x, filled to %llx", view->index,
	     kinds[view->kind], view->key.leaf_mask,
	     (unsigned long long)view->filled);
	for (binding = view->bindings; binding; binding = binding->next)
		LINE(abs,
		     "    binding: %s, root %llx, id %u, %u streams, in %u, "
		     "out %u, granule %u, %u levels%s",
		     binding->unit->name,
		     (unsigned long long)binding->table.root, binding->table.id,
		     binding->nr_streams, binding->table.input_bits,
		     binding->table.output_bits, binding->table.granule_lg2,
		     binding->table.levels,
		     binding->stale ? ", an invalidation failed" : "");
}

static unsigned int withheld_count(struct iommuabs_domain *dom)
{
	const struct replaced *gone;
	unsigned int nr = 0;

	ia_lock(&dom->abs->host, &dom->lock);
	for (gone = dom->withheld; gone; gone = gone->next)
		nr++;
	ia_unlock(&dom->abs->host, &dom->lock);
	return nr;
}

static void dump_domain(struct iommuabs *abs, struct iommuabs_domain *dom)
{
	const struct reserved_place *place;
	const struct view *view;

	domain_enter(dom);
	LINE(abs,
	     "domain %u: flags %x, strategy %u, source %u, in %u, callers %u, "
	     "%llu of %llu frames",
	     dom->owner.number, dom->flags, dom->strategy, dom->source,
	     dom->input_bits, dom->callers,
	     (unsigned long long)port_load64(&dom->account.used),
	     (unsigned long long)dom->account.limit);
	LINE(abs,
	     "  p2m %s, %u batches, %u bad ranges, owing %u, replaced %u, "
	     "reserve %u%s",
	     dom->has_p2m ? "known" : "unknown", port_load32(&dom->nr_batches),
	     dom->nr_bad, dom->owing, withheld_count(dom),
	     spares_nr(&dom->reserve),
	     dom->destroying ? ", being destroyed" : "");
	if (!dom->destroying) /* else its tables may be half gone */
		dump_ledger(abs, dom);
	for (view = dom->views; view; view = view->next)
		dump_view(abs, view);
	for (place = dom->reserved; place; place = place->next)
		LINE(abs, "  reserved: gfn %llx+%llx for %u",
		     (unsigned long long)place->region.gfn.frame,
		     (unsigned long long)place->region.nr, place->users);
	domain_leave(dom);
}

static void dump_declared(struct iommuabs *abs, const struct pt_run *run)
{
	static const char names[][16] = {
		[IOMMUABS_FRAMES_EXCLUSIVE] = "exclusive",
		[IOMMUABS_FRAMES_SHARED] = "shared",
		[IOMMUABS_FRAMES_FIXED] = "fixed",
		[IOMMUABS_FRAMES_HOST] = "host",
		[IOMMUABS_FRAMES_CLOSED] = "closed",
	};
	struct frames_policy policy;

	frames_policy_of(run, &policy);
	if (policy.kind == IOMMUABS_FRAMES_FIXED)
		LINE(abs, "frames %llx+%llx: fixed, gfn %llx, flags %x",
		     (unsigned long long)run->in, (unsigned long long)run->nr,
		     (unsigned long long)policy.gfn, policy.flags);
	else
		LINE(abs, "frames %llx+%llx: %s", (unsigned long long)run->in,
		     (unsigned long long)run->nr, names[policy.kind]);
}

/* Inside abs->gate: nothing is declared meanwhile. */
static void dump_frames(struct iommuabs *abs)
{
	uint64_t end = port_load64_acquire(&abs->frames.end), nr = 0;
	struct digest digest =
		digest_begin(&abs->frames.pt, port_load64(&abs->frames.first),
			     end, FRAMES_BUDGET);
	enum pt_status status;
	struct pt_run run;

	while ((status = digest_next(&digest, &run)) == PT_OK)
		if (nr++ < DECLARED_SHOWN)
			dump_declared(abs, &run);
	LINE(abs, "frames: %llu declarations, digest %llx%s",
	     (unsigned long long)nr, (unsigned long long)digest.value,
	     status == PT_BUDGET ? ", and more" : "");
}

void dump_domains(struct iommuabs *abs)
{
	struct iommuabs_domain *dom = NULL;

	instance_enter(abs);
	while ((dom = domain_after(abs, dom)))
		dump_domain(abs, dom);
	dump_frames(abs);
	instance_leave(abs);
}

/* ---- what was counted ---- */

static void counters_of_units(struct iommuabs *abs)
{
	const struct iommuabs_unit *unit;
	const struct backend_unit *hw;

	for (unit = abs->units; unit; unit = unit->next) {
		hw = &unit->hw;
		LINE(abs,
		     "unit %s: %llu commands, %llu syncs, %llu events, %llu "
		     "lost, %llu errors",
		     unit->name, (unsigned long long)port_load64(&hw->commands),
		     (unsigned long long)port_load64(&hw->syncs),
		     (unsigned long long)port_load64(&hw->events),
		     (unsigned long long)port_load64(&hw->events_lost),
		     (unsigned long long)port_load64(&hw->errors));
	}
}

static void counters_of_devices(struct iommuabs *abs)
{
	const struct iommuabs_device *dev;

	for (dev = abs->devices; dev; dev = dev->next)
		LINE(abs, "device %s: %llu faults, %u storms", dev->name,
		     (unsigned long long)dev->faults, dev->storms);
}

static void counters_of_domain(struct iommuabs *abs,
			       struct iommuabs_domain *dom)
{
	struct iommuabs_domain_stats now = { 0 };

	domain_report(dom, &now);
	LINE(abs,
	     "domain %u: %llu invalidations, %llu failed; %llu steps of "
	     "filling; %llu frames, %llu further places",
	     now.number, (unsigned long long)now.invalidated,
	     (unsigned long long)now.failed,
	     (unsigned long long)now.filled_steps, (unsigned long long)now.used,
	     (unsigned long long)now.places);
}

void dump_counters(struct iommuabs *abs)
{
	struct iommuabs_domain *dom = NULL;

	ia_lock(&abs->host, &abs->lock);
	counters_of_units(abs);
	counters_of_devices(abs);
	ia_unlock(&abs->host, &abs->lock);
	instance_enter(abs);
	while ((dom = domain_after(abs, dom)))
		counters_of_domain(abs, dom);
	instance_leave(abs);
}

/* ---- one gfn, through everything that says something about it ---- */

static void dump_leaf(struct iommuabs *abs, const char *where,
		      const struct pt *pt, uint64_t gfn)
{
	struct pt_leaf leaf;

	if (gfn >> (pt->in_bits - IOMMUABS_FRAME_LG2))
		LINE(abs, "  %s: past its %u bits", where, pt->in_bits);
	else if (pt->ops->lookup(pt, gfn, &leaf))
		LINE(abs, "  %s: mfn %llx, attr %llx, level %u, entry %llx",
		     where, (unsigned long long)leaf.out,
		     (unsigned long long)leaf.attr, leaf.level,
		     (unsigned long long)leaf.entry);
	else
		LINE(abs, "  %s: nothing, level %u, entry %llx", where,
		     leaf.level, (unsigned long long)leaf.entry);
}

#define PLACES_SHOWN 16

/* Who else sees the frame that the ledger has there. */
static void dump_places(struct iommuabs *abs, struct iommuabs_domain *dom,
			uint64_t gfn)
{
	struct rmap_place places[PLACES_SHOWN];
	struct pt_leaf leaf;
	uint32_t i, nr;

	if (gfn >> (dom->input_bits - IOMMUABS_FRAME_LG2) ||
	    !dom->ledger.ops->lookup(&dom->ledger, gfn, &leaf))
		return;
	nr = rmap_places(&abs->rmap, leaf.out, -1, NULL, places, PLACES_SHOWN);
	for (i = 0; i < nr; i++)
		LINE(abs, "  mfn %llx: domain %u, gfn %llx%s%s",
		     (unsigned long long)leaf.out, places[i].number,
		     (unsigned long long)places[i].gfn,
		     places[i].foreign ? ", foreign" : "",
		     places[i].host ? ", host" : "");
	if (nr == PLACES_SHOWN)
		LINE(abs, "  and perhaps more");
}

void dump_gfn(struct iommuabs_domain *dom, uint64_t gfn)
{
	struct iommuabs *abs = dom->abs;
	const struct reserved_place *place;
	const struct view *view;

	domain_enter(dom);
	LINE(abs, "domain %u, gfn %llx:%s", dom->owner.number,
	     (unsigned long long)gfn,
	     dom->destroying ? " being destroyed" : "");
	if (!dom->destroying) {
		dump_leaf(abs, "ledger", &dom->ledger, gfn);
		dump_places(abs, dom, gfn);
	}
	for (view = dom->views; view && !dom->destroying; view = view->next) {
		if (view->kind == VIEW_SHARED)
			LINE(abs, "  view %u: the p2m, root %llx", view->index,
			     (unsigned long long)dom->p2m.root);
		else if (view->kind == VIEW_MIRROR && gfn >= view->filled)
			LINE(abs, "  view %u: not filled so far", view->index);
		else if (view->kind == VIEW_MIRROR)
			dump_leaf(abs, view->pt.ops->name, &view->pt, gfn);
	}
	for (place = dom->reserved; place; place = place->next)
		if (gfn - place->region.gfn.frame < place->region.nr)
			LINE(abs, "  reserved: mfn %llx, flags %x, for %u",
			     (unsigned long long)place->region.mfn.frame +
				     (gfn - place->region.gfn.frame),
			     place->region.flags, place->users);
	domain_leave(dom);
}
