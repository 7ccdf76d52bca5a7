/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * device_index.c - who is behind which stream id and which PCI function
 *
 * No two devices have an id in common, except that a device may be carved out of
 * a range device (a PCI host bridge): its ids are then its own, and the range
 * has what is left. So the spans of range devices are disjoint, and so are those
 * of all others: a tree for each of the two finds in logarithmic time whom a
 * span meets. Spans are ordered by their last number, so that the first one that
 * doesn't end before a number is the one that has it, or the next after it.
 *
 * The spans are allocated with their device: linking it can't fail.
 */
#include "core.h"

/* ---- spans ---- */

static uint64_t span_last(const struct device_span *span)
{
	return rmap_extra_mfn(&span->node);
}

static void span_set(struct device_span *span, uint64_t first, uint64_t last)
{
	span->first = first;
	rmap_extra_set(&span->node, last, 0, 0, 0);
}

/* The first span that doesn't end before @number. NULL: none. */
static struct device_span *span_from(struct rmap_extra *root, uint64_t number)
{
	struct rmap_extra key = { 0 };

	rmap_extra_set(&key, number, 0, 0, 0);
	/* The node is the span's first member. */
	return (struct device_span *)rmap_tree_first(root, &key);
}

/* The first span that has any of [@first, @last]. NULL: none. */
static struct device_span *span_meeting(struct rmap_extra *root, uint64_t first,
					uint64_t last)
{
	struct device_span *span = span_from(root, first);

	return span && span->first <= last ? span : NULL;
}

static struct rmap_extra **root_of(const struct device_span *span)
{
	struct device_index *index =
		span->unit ? &span->unit->streams : &span->dev->abs->functions;

	return span->dev->flags & IOMMUABS_DEVICE_RANGE ? &index->ranges
							: &index->others;
}

/*
 * A device may be told the same function twice: one span has both then, and the
 * other is in no tree.
 */
static void span_link(struct device_span *span)
{
	struct rmap_extra **root = root_of(span);
	uint64_t seed = span->dev->abs->rmap.seed;
	uint64_t first = span->first, last = span_last(span);
	struct device_span *met;

	while ((met = span_meeting(*root, first, last))) {
		iommuabs_assert(met->dev == span->dev);
		(void)rmap_tree_remove(root, seed, &met->node);
		first = IA_MIN(first, met->first);
		last = IA_MAX(last, span_last(met));
	}
	span_set(span, first, last);
	rmap_tree_insert(root, seed, &span->node);
}

/* false: no memory. */
static bool span_add(struct iommuabs_device *dev, struct iommuabs_unit *unit,
		     uint32_t first, uint32_t nr)
{
	struct device_span *span =
		tablemem_object_alloc(&dev->abs->mem, sizeof(*span));

	if (!span)
		return false;
	span->dev = dev;
	span->unit = unit;
	span_set(span, first, (uint64_t)first + nr - 1);
	span->next = dev->spans;
	dev->spans = span;
	return true;
}

bool device_spans_make(struct iommuabs_device *dev)
{
	const struct device_alias *alias;
	const struct device_stream *stream = dev->streams;
	uint32_t i;

	for (i = 0; i < dev->nr_streams; i++, stream++) {
		/* Another maker's ids: what is one there is unknown. */
		if (stream->unit->type == IOMMUABS_UNIT_OTHER)
			continue;
		if (!span_add(dev, stream->unit, stream->first, stream->nr))
			return false;
	}
	if ((dev->flags & IOMMUABS_DEVICE_PCI) &&
	    !span_add(dev, NULL, dev->pci, dev->nr_pci))
		return false;
	for (alias = dev->aliases; alias; alias = alias->next)
		if (alias->nr_pci &&
		    !span_add(dev, NULL, alias->pci, alias->nr_pci))
			return false;
	return true;
}

void device_spans_free(struct iommuabs_device *dev)
{
	struct device_span *span;

	while ((span = dev->spans) != NULL) {
		dev->spans = span->next;
		tablemem_object_free(&dev->abs->mem, span, sizeof(*span));
	}
}

/* ---- where a device belongs; abs->lock is held ---- */

static bool span_is_taken(const struct device_span *span)
{
	const struct device_index *index =
		span->unit ? &span->unit->streams : &span->dev->abs->functions;
	uint64_t first = span->first, last = span_last(span);

	return span_meeting(index->others, first, last) ||
	       ((span->dev->flags & IOMMUABS_DEVICE_RANGE) &&
		span_meeting(index->ranges, first, last));
}

/* Part of @span is one range device's: then all of it has to be. */
static bool span_carve(struct device_span *span)
{
	const struct device_span *met = span_meeting(
		span->unit->streams.ranges, span->first, span_last(span));

	span->range = met ? met->dev : NULL;
	return !met ||
	       (span->first >= met->first && span_last(span) <= span_last(met));
}

int device_place(struct iommuabs_device *dev)
{
	struct iommuabs_device *range = NULL;
	struct device_span *span;
	uint32_t inside = 0;

	for (span = dev->spans; span; span = span->next)
		if (span_is_taken(span))
			return IOMMUABS_E_EXISTS;
	for (span = dev->spans; span; span = span->next) {
		/* A function of a bridge may be wired elsewhere. */
		if (!span->unit)
			continue;
		if (!span_carve(span))
			return IOMMUABS_E_INVAL;
		if (!span->range)
			continue;
		if (range && range != span->range)
			return IOMMUABS_E_INVAL;
		range = span->range;
		inside++;
	}
	if (range && inside != dev->nr_streams)
		return IOMMUABS_E_INVAL;
	return device_range_is_busy(dev) ? IOMMUABS_E_BUSY : 0;
}

static bool is_member(const struct device_parts *parts,
		      const struct iommuabs_device *dev)
{
	uint32_t i;

	for (i = 0; i < parts->nr_members; i++)
		if (parts->members[i] == dev)
			return true;
	return false;
}

/* Whose is it? Of an id, members have each or a range has all; of a function, at
 * least nobody else. */
static bool span_is_members(const struct device_span *span,
			    const struct device_parts *parts)
{
	const struct device_index *index =
		span->unit ? &span->unit->streams : &span->dev->abs->functions;
	const struct device_span *met;
	uint64_t at = span->first;
	bool whole = true;

	while (at <= span_last(span) &&
	       (met = span_meeting(index->others, at, span_last(span)))) {
		if (!is_member(parts, met->dev))
			return false;
		whole = whole && met->first <= at;
		at = span_last(met) + 1;
	}
	whole = whole && at > span_last(span);
	return whole || !span->unit || span->range;
}

int device_place_group(struct iommuabs_device *dev,
		       const struct device_parts *parts)
{
	struct device_span *span;

	for (span = dev->spans; span; span = span->next)
		if ((span->unit && !span_carve(span)) ||
		    !span_is_members(span, parts))
			return IOMMUABS_E_BUSY; /* another call was here */
	return device_range_is_busy(dev) ? IOMMUABS_E_BUSY : 0;
}

/* ---- what it was carved out of ---- */

/* Is it the first span of its device with its range? */
static bool span_counts(const struct device_span *span)
{
	const struct device_span *before = span->dev->spans;

	if (!span->range)
		return false;
	while (before->range != span->range)
		before = before->next;
	return before == span;
}

struct iommuabs_device *device_range(const struct iommuabs_device *dev,
				     uint32_t i)
{
	const struct device_span *span;

	for (span = dev->spans; span; span = span->next)
		if (span_counts(span) && !i--)
			return span->range;
	return NULL;
}

bool device_range_is_busy(const struct iommuabs_device *dev)
{
	const struct device_span *span;

	for (span = dev->spans; span; span = span->next)
		if (span->range && span->range->state != DEVICE_BLOCKED)
			return true;
	return false;
}

static void ranges_count(const struct iommuabs_device *dev, uint32_t change)
{
	struct iommuabs_device *range;
	uint32_t i;

	for (i = 0; (range = device_range(dev, i)) != NULL; i++)
		range->nr_carved += change;
}

void device_link(struct iommuabs_device *dev)
{
	struct iommuabs *abs = dev->abs;
	struct device_span *span;

	dev->prev = abs->last_device;
	if (dev->prev)
		dev->prev->next = dev;
	else
		abs->devices = dev;
	abs->last_device = dev;
	for (span = dev->spans; span; span = span->next)
		span_link(span);
	ranges_count(dev, 1);
}

void device_unlink(struct iommuabs_device *dev)
{
	struct iommuabs *abs = dev->abs;
	struct device_span *span;

	if (dev->prev)
		dev->prev->next = dev->next;
	else
		abs->devices = dev->next;
	if (dev->next)
		dev->next->prev = dev->prev;
	else
		abs->last_device = dev->prev;
	for (span = dev->spans; span; span = span->next)
		(void)rmap_tree_remove(root_of(span), abs->rmap.seed,
				       &span->node);
	ranges_count(dev, (uint32_t)-1);
}

/* ---- looking up ---- */

/* Who has @number: a carved device if there is one, else the range. */
static struct iommuabs_device *index_find(const struct device_index *index,
					  uint32_t number)
{
	const struct device_span *span =
		span_meeting(index->others, number, number);

	if (!span)
		span = span_meeting(index->ranges, number, number);
	return span ? span->dev : NULL;
}

struct iommuabs_device *device_of_stream(const struct iommuabs_unit *unit,
					 uint32_t stream)
{
	return index_find(&unit->streams, stream);
}

struct iommuabs_device *device_of_function(const struct iommuabs *abs,
					   uint32_t pci)
{
	return index_find(&abs->functions, pci);
}

uint32_t functions_end(const struct iommuabs *abs, uint32_t pci)
{
	const struct device_span *span =
		span_meeting(abs->functions.others, pci, pci);

	return span ? (uint32_t)span_last(span) : pci;
}

struct iommuabs_device *range_of_stream(const struct iommuabs_unit *unit,
					uint32_t stream)
{
	const struct device_span *span =
		span_meeting(unit->streams.ranges, stream, stream);

	return span ? span->dev : NULL;
}

struct iommuabs_device *range_of_function(const struct iommuabs *abs,
					  uint32_t pci)
{
	const struct device_span *span =
		span_meeting(abs->functions.ranges, pci, pci);

	return span ? span->dev : NULL;
}

/* Where the carved-out ids at or after *@id begin that aren't at *@id. */
static uint64_t carved_skip(const struct iommuabs_device *dev,
			    const struct iommuabs_unit *unit, uint64_t *id)
{
	const struct device_span *span;

	if (!(dev->flags & IOMMUABS_DEVICE_RANGE))
		return ~(uint64_t)0;
	while ((span = span_from(unit->streams.others, *id)) != NULL) {
		if (span->first > *id)
			return span->first;
		*id = span_last(span) + 1;
	}
	return ~(uint64_t)0;
}

bool device_next_piece(const struct iommuabs_device *dev,
		       const struct device_stream *stream, uint32_t *pos,
		       uint32_t *first, uint32_t *nr)
{
	const struct hostif *host = &dev->abs->host;
	uint64_t id = (uint64_t)stream->first + *pos;
	uint64_t end = (uint64_t)stream->first + stream->nr;
	uint64_t from;

	ia_lock(host, &dev->abs->lock);
	from = carved_skip(dev, stream->unit, &id);
	ia_unlock(host, &dev->abs->lock);
	if (id >= end)
		return false;
	end = IA_MIN(end, from);
	*first = (uint32_t)id;
	*nr = (uint32_t)(end - id);
	*pos = (uint32_t)(end - stream->first);
	return true;
}
