/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * irq.c - entries of units' interrupt tables, and the devices that have them
 *
 * A unit has a bit for each entry that is taken; a device, a list of what it was
 * given. An entry is absent as long as it isn't taken.
 */
#include "core.h"
#include "enter.h"

#define MAP_BITS 64u

/* The words of @unit's map; abs->lock is held, or nobody else knows the unit. */
static size_t map_size(const struct iommuabs_unit *unit)
{
	return unit->hw.caps.irqs / 8;
}

static bool is_taken(const struct iommuabs_unit *unit, uint32_t n)
{
	return unit->irq_map[n / MAP_BITS] >> (n % MAP_BITS) & 1;
}

static void mark(struct iommuabs_unit *unit, uint32_t first, uint32_t nr)
{
	for (; nr; first++, nr--)
		unit->irq_map[first / MAP_BITS] ^= (uint64_t)1
						   << (first % MAP_BITS);
}

/* @nr entries in a row that are free, in work linear in the table. */
static bool find_free(const struct iommuabs_unit *unit, uint32_t nr,
		      uint32_t *first)
{
	uint32_t n, run = 0;

	for (n = 0; n < unit->hw.caps.irqs && run < nr; n++)
		run = is_taken(unit, n) ? 0 : run + 1;
	*first = n - run;
	return run == nr;
}

static int map_make(struct iommuabs_unit *unit)
{
	struct iommuabs *abs = unit->abs;
	uint64_t *map;
	bool is_new;

	ia_lock(&abs->host, &abs->lock);
	is_new = !unit->irq_map;
	ia_unlock(&abs->host, &abs->lock);
	if (!is_new)
		return 0;
	map = tablemem_object_alloc(&abs->mem, map_size(unit));
	if (!map)
		return IOMMUABS_E_NOMEM;
	ia_lock(&abs->host, &abs->lock);
	is_new = !unit->irq_map; /* nobody else was here meanwhile */
	if (is_new)
		unit->irq_map = map;
	ia_unlock(&abs->host, &abs->lock);
	if (!is_new)
		tablemem_object_free(&abs->mem, map, map_size(unit));
	return 0;
}

void irq_unit_free(struct iommuabs_unit *unit)
{
	if (unit->irq_map)
		tablemem_object_free(&unit->abs->mem, unit->irq_map,
				     map_size(unit));
	unit->irq_map = NULL;
}

void irq_device_free(struct iommuabs_device *dev)
{
	struct irq_run *run;

	while ((run = dev->irqs) != NULL) {
		dev->irqs = run->next;
		tablemem_object_free(&dev->abs->mem, run, sizeof(*run));
	}
}

/* ---- requesters ---- */

static bool has_id(const struct device_stream *stream, uint32_t id)
{
	return id - stream->first < stream->nr;
}

/* ANY_ID: from the first to the last that the device has in one unit. */
static int requesters(const struct iommuabs_device *dev, uint32_t id,
		      struct irq_run *run)
{
	const struct device_stream *stream = dev->streams;
	uint32_t i, last;

	for (i = 0; id != IOMMUABS_IRQ_ANY_ID && i < dev->nr_streams; i++) {
		if (!has_id(&stream[i], id))
			continue;
		run->unit = stream[i].unit;
		run->first_id = run->last_id = id;
		return 0;
	}
	if (id != IOMMUABS_IRQ_ANY_ID || !dev->nr_streams)
		return IOMMUABS_E_INVAL;
	run->unit = stream[0].unit;
	run->first_id = stream[0].first;
	run->last_id = stream[0].first + stream[0].nr - 1;
	for (i = 1; i < dev->nr_streams; i++) {
		if (stream[i].unit != run->unit)
			return IOMMUABS_E_INVAL;
		last = stream[i].first + stream[i].nr - 1;
		run->first_id = IA_MIN(run->first_id, stream[i].first);
		run->last_id = IA_MAX(run->last_id, last);
	}
	return 0;
}

/* ---- taking and giving ---- */

static int run_take(struct iommuabs_device *dev, struct irq_run *run)
{
	struct iommuabs *abs = dev->abs;
	bool found;

	ia_lock(&abs->host, &abs->lock);
	found = find_free(run->unit, run->nr, &run->first);
	if (found) {
		mark(run->unit, run->first, run->nr);
		run->next = dev->irqs;
		dev->irqs = run;
	}
	ia_unlock(&abs->host, &abs->lock);
	return found ? 0 : IOMMUABS_E_NOMEM;
}

int irq_take(struct iommuabs_device *dev, uint32_t id, uint32_t nr,
	     uint32_t *first)
{
	struct iommuabs *abs = dev->abs;
	struct irq_run like = { .nr = nr }, *run;
	int ret = requesters(dev, id, &like);

	if (ret)
		return ret;
	if (!like.unit->hw.caps.irqs)
		return IOMMUABS_E_NOTSUP;
	ret = map_make(like.unit);
	if (ret)
		return ret;
	run = tablemem_object_alloc(&abs->mem, sizeof(*run));
	if (!run)
		return IOMMUABS_E_NOMEM;
	*run = like;
	ret = run_take(dev, run);
	if (ret)
		tablemem_object_free(&abs->mem, run, sizeof(*run));
	else
		*first = run->first;
	return ret;
}

/* abs->lock is held. The link to what has @n, NULL in it: none. */
static struct irq_run **run_of(struct iommuabs_device *dev, uint32_t n)
{
	struct irq_run **link = &dev->irqs;

	while (*link && n - (*link)->first >= (*link)->nr)
		link = &(*link)->next;
	return link;
}

/* A copy of what has @n. */
static int run_get(struct iommuabs_device *dev, uint32_t n, struct irq_run *out)
{
	struct iommuabs *abs = dev->abs;
	struct irq_run *run;

	ia_lock(&abs->host, &abs->lock);
	run = *run_of(dev, n);
	if (run)
		*out = *run;
	ia_unlock(&abs->host, &abs->lock);
	return run ? 0 : IOMMUABS_E_NOENT;
}

int irq_message(struct iommuabs_device *dev, uint32_t n,
		struct iommuabs_irq_message *message)
{
	struct irq_run run;
	int ret = run_get(dev, n, &run);

	if (!ret)
		run.unit->hw.ops->irq_message(run.first, run.nr, n, message);
	return ret;
}

int irq_ioapic(struct iommuabs_device *dev, uint32_t n, uint32_t vector,
	       uint32_t flags, uint64_t *entry)
{
	struct irq_run run;
	int ret = run_get(dev, n, &run);

	if (!ret)
		*entry = run.unit->hw.ops->irq_ioapic(n, vector, flags);
	return ret;
}

static int entry_set(const struct irq_run *run, uint32_t n,
		     const struct iommuabs_irq_target *target)
{
	const struct backend_irq irq = { target, run->first_id, run->last_id };
	struct iommuabs_unit *unit = run->unit;
	int ret;

	unit_enter_alone(unit);
	ret = unit->hw.ops->irq_set(&unit->hw, n, target ? &irq : NULL);
	unit_leave_alone(unit);
	if (ret)
		unit_fence(unit, ret);
	return ret;
}

int irq_point(struct iommuabs_device *dev, uint32_t n,
	      const struct iommuabs_irq_target *target)
{
	struct irq_run run;
	int ret = run_get(dev, n, &run);

	if (ret)
		return ret;
	if (target && (target->flags & IOMMUABS_IRQ_POSTED) &&
	    !run.unit->hw.caps.irqs_posted)
		return IOMMUABS_E_NOTSUP;
	return entry_set(&run, n, target);
}

int irq_give(struct iommuabs_device *dev, uint32_t first)
{
	struct iommuabs *abs = dev->abs;
	struct irq_run run, **link, *gone;
	int ret = run_get(dev, first, &run), one;
	uint32_t i;

	if (ret || run.first != first)
		return IOMMUABS_E_NOENT;
	/* All are blocked and forgotten before one is anybody else's. */
	for (i = 0; i < run.nr; i++) {
		one = entry_set(&run, first + i, NULL);
		ret = ret ? ret : one;
	}
	if (ret)
		return ret;
	ia_lock(&abs->host, &abs->lock);
	link = run_of(dev, first);
	gone = *link;
	*link = gone->next;
	mark(run.unit, run.first, run.nr);
	ia_unlock(&abs->host, &abs->lock);
	tablemem_object_free(&abs->mem, gone, sizeof(*gone));
	return 0;
}
