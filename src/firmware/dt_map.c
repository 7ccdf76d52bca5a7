/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dt_map.c - iommu-map and msi-map
 *
 * An entry is <first id, phandle, first output, number of ids>. The output has
 * as many cells as the target's #iommu-cells or #msi-cells say, but for long it
 * was taken for one always: trees of both kinds exist, and some have both kinds
 * in one property. An interpretation is taken if it is the only one in which
 * every phandle names a target and the last entry ends where the property does.
 */
#include "dt.h"

#if IOMMUABS_CONFIG_FDT

#define FOUR	4
#define RID_MAX 0xffffu

static struct dt_target *target_at(struct dt_scan *scan,
				   const struct dt_map *map, uint32_t at)
{
	const struct dt_prop *prop = &map->node->props[map->name];
	struct dt_target *target;

	scan->set->work++;
	if (dt_nr_cells(prop) - at < 2)
		return NULL;
	target = dt_target_find(scan, dt_cell(prop, at + 1));
	if (!target || target->ambiguous ||
	    dt_target_cells(target, map->kind) == DT_NO_CELLS)
		return NULL;
	return target;
}

static uint32_t width_of(const struct dt_map *map,
			 const struct dt_target *target)
{
	return map->form == DT_MAP_FOUR
		       ? FOUR
		       : FOUR - 1 + dt_target_cells(target, map->kind);
}

/* Is the whole property a list of entries of @map->form? */
static bool is_of_form(struct dt_scan *scan, struct dt_map *map,
		       enum dt_map_form form)
{
	uint32_t nr = dt_nr_cells(&map->node->props[map->name]), at, width;
	const struct dt_target *target;

	map->form = form;
	for (at = 0; at < nr; at += width) {
		target = target_at(scan, map, at);
		if (!target)
			return false;
		width = width_of(map, target);
		if (width > nr - at)
			return false;
	}
	return true;
}

/* As trees with one cell too few look: one target, one id in each entry. */
static bool is_plainly_four(const struct dt_map *map)
{
	const struct dt_prop *prop = &map->node->props[map->name];
	uint32_t at;

	for (at = 0; at < dt_nr_cells(prop); at += FOUR)
		if (dt_cell(prop, at + 1) != dt_cell(prop, 1) ||
		    dt_cell(prop, at + 3) != 1)
			return false;
	return true;
}

void dt_map_open(struct dt_scan *scan, const struct dt_node *node,
		 enum dt_name name, struct dt_map *map)
{
	bool four;

	*map = (struct dt_map){
		.node = node,
		.name = name,
		.kind = name == DT_MSI_MAP ? DT_KIND_MSI : DT_KIND_IOMMU,
	};
	four = is_of_form(scan, map, DT_MAP_FOUR);
	if (is_of_form(scan, map, DT_MAP_OF_TARGET))
		map->form = four && is_plainly_four(map) ? DT_MAP_FOUR
							 : DT_MAP_OF_TARGET;
	else
		map->form = four ? DT_MAP_FOUR : DT_MAP_MIXED;
}

/* Could an entry end at @at? */
static bool is_boundary(struct dt_scan *scan, const struct dt_map *map,
			uint32_t at)
{
	uint32_t nr = dt_nr_cells(&map->node->props[map->name]);

	return at == nr || (at < nr && target_at(scan, map, at));
}

/* The width of the entry at @map->at, 0 after dt_fail(). */
static uint32_t entry_width(struct dt_scan *scan, const struct dt_map *map,
			    const struct dt_target *target)
{
	uint32_t width = width_of(map, target);
	bool by_target, by_four;

	if (map->form != DT_MAP_MIXED)
		return width;
	by_target = is_boundary(scan, map, map->at + width);
	by_four = is_boundary(scan, map, map->at + FOUR);
	if (by_target == by_four && width != FOUR)
		by_target = by_four = false;
	if (!by_target && !by_four)
		(void)dt_fail(scan, map->name,
			      "no list of entries, or none that is clear");
	return by_target ? width : by_four ? FOUR : 0;
}

int dt_map_next(struct dt_scan *scan, struct dt_map *map,
		struct dt_map_entry *entry)
{
	const struct dt_prop *prop = &map->node->props[map->name];
	uint32_t at = map->at, width;
	struct dt_target *target;

	if (prop->size % 4)
		return dt_fail(scan, map->name, "not a number of cells");
	if (at == dt_nr_cells(prop))
		return 0;
	target = target_at(scan, map, at);
	if (!target)
		return dt_fail(scan, map->name,
			       "an entry's phandle names no target");
	width = entry_width(scan, map, target);
	if (!width)
		return IOMMUABS_E_FIRMWARE;
	entry->target = target;
	entry->rid = dt_cell(prop, at);
	entry->out = width == FOUR - 1 ? 0 : dt_cell(prop, at + 2);
	entry->nr = dt_cell(prop, at + width - 1);
	map->at += width;
	scan->set->work += width;
	return 1;
}

/* ---- streams of an iommu-map ---- */

/* What is known about a map while its entries become streams. */
struct coverage {
	uint32_t first, last; /* ids that can be */
	uint32_t mask;	      /* of their bits, those that count */
	uint32_t ignored;     /* and those that don't */
	uint64_t possible;    /* ids that are different */
	uint64_t covered;
	bool shared; /* several of them have one stream */
};

static uint32_t bits_up_to(uint32_t value)
{
	value |= value >> 1;
	value |= value >> 2;
	value |= value >> 4;
	value |= value >> 8;
	return value | value >> 16;
}

/*
 * How many numbers below @end have no bit outside @mask: bit by bit from the
 * lowest, what is so of @end's lower bits and of all numbers that long.
 */
static uint64_t members_below(uint64_t end, uint64_t mask)
{
	uint64_t nr = 0, all = 1;
	int bit;

	for (bit = 0; bit <= 32; bit++) {
		if (end >> bit & 1)
			nr = all + (mask >> bit & 1 ? nr : 0);
		if (mask >> bit & 1)
			all <<= 1;
	}
	return nr;
}

/* The largest number up to @value that has no bit outside @mask. */
static uint32_t member_up_to(uint32_t value, uint32_t mask)
{
	uint32_t below = bits_up_to(value & ~mask) >> 1;

	return value & ~mask ? (value & mask & ~below) | (mask & below) : value;
}

static int coverage_init(struct dt_scan *scan, const struct dt_node *node,
			 const struct desc_device *device,
			 struct coverage *coverage)
{
	uint32_t mask = dt_u32(node, DT_IOMMU_MAP_MASK), bits;

	if (dt_has(node, DT_IOMMU_MAP_MASK) &&
	    node->props[DT_IOMMU_MAP_MASK].size != 4)
		return dt_fail(scan, DT_IOMMU_MAP_MASK, "not one cell");
	coverage->last = ~0u;
	if (device->flags & IOMMUABS_DEVICE_PCI) {
		coverage->first = device->pci & RID_MAX;
		coverage->last = coverage->first + device->nr_pci - 1;
	}
	bits = bits_up_to(coverage->last);
	coverage->mask = mask & bits;
	coverage->ignored = bits & ~mask;
	coverage->possible =
		coverage->ignored
			? members_below((uint64_t)bits + 1, coverage->mask)
			: (uint64_t)coverage->last - coverage->first + 1;
	return 0;
}

/* Leave of an entry what can be. Return: are there any ids left? */
static bool entry_clip(const struct coverage *coverage,
		       struct dt_map_entry *entry)
{
	uint64_t first = entry->rid, last = first + entry->nr - 1;

	if (!entry->nr)
		return false;
	if (coverage->ignored) {
		last = member_up_to(
			(uint32_t)IA_MIN(last, bits_up_to(coverage->last)),
			coverage->mask);
	} else {
		first = IA_MAX(first, coverage->first);
		last = IA_MIN(last, coverage->last);
	}
	if (first > last)
		return false;
	entry->out += (uint32_t)(first - entry->rid);
	entry->rid = (uint32_t)first;
	entry->nr = (uint32_t)(last - first + 1);
	return true;
}

static int entry_check(struct dt_scan *scan, const struct desc_device *device,
		       const struct dt_map_entry *entry, uint32_t mask)
{
	uint64_t ids = (uint64_t)1 << 32;

	if (device->flags & IOMMUABS_DEVICE_PCI)
		ids = (uint64_t)RID_MAX + 1;
	if ((uint64_t)entry->rid + entry->nr > ids)
		return dt_fail(scan, DT_IOMMU_MAP,
			       "an entry is for ids that do not exist");
	if ((uint64_t)entry->out + entry->nr > (uint64_t)1 << 32)
		return dt_fail(scan, DT_IOMMU_MAP, "an entry's output wraps");
	if (entry->rid & ~mask)
		return dt_fail(scan, DT_IOMMU_MAP,
			       "iommu-map-mask hides an entry");
	return 0;
}

static bool meet(uint32_t a, uint32_t nr_a, uint32_t b, uint32_t nr_b)
{
	return a < (uint64_t)b + nr_b && b < (uint64_t)a + nr_a;
}

/* Returns 1 if one of those that are there could be made longer. */
static int entry_compare(struct dt_scan *scan, struct desc_device *device,
			 const struct dt_map_entry *entry,
			 struct coverage *coverage)
{
	struct desc_stream *at, *before = NULL;
	uint32_t n = 0;

	for (at = device->streams; at; at = at->next, n++) {
		scan->set->work++;
		if (meet(at->rid, at->nr, entry->rid, entry->nr))
			return dt_fail(scan, DT_IOMMU_MAP, "entries overlap");
		if (at->unit != entry->target->unit)
			continue;
		if (meet(at->first, at->nr, entry->out, entry->nr))
			coverage->shared = true;
		else if ((uint64_t)at->first + at->nr == entry->out &&
			 (uint64_t)at->rid + at->nr == entry->rid)
			before = at;
	}
	if (before) {
		before->nr += entry->nr;
		return 1;
	}
	if (n == IOMMUABS_STREAM_RANGES_MAX)
		return dt_fail(scan, DT_IOMMU_MAP, "too many entries");
	return 0;
}

static int entry_add(struct dt_scan *scan, struct desc_device *device,
		     const struct dt_map_entry *entry,
		     struct coverage *coverage)
{
	struct desc_stream **last = &device->streams, *stream;
	int ret = entry_compare(scan, device, entry, coverage);

	if (ret)
		return ret < 0 ? ret : 0;
	stream = tablemem_object_alloc(scan->set->mem, sizeof(*stream));
	if (!stream)
		return IOMMUABS_E_NOMEM;
	stream->unit = entry->target->unit;
	stream->first = entry->out;
	stream->nr = entry->nr;
	stream->rid = entry->rid;
	while (*last)
		last = &(*last)->next;
	*last = stream;
	return 0;
}

/*
 * What goes through a unit that is off is untranslated; @coverage doesn't count
 * it.
 */
static int entries_add(struct dt_scan *scan, const struct dt_node *node,
		       struct desc_device *device, struct coverage *coverage)
{
	uint32_t mask = dt_has(node, DT_IOMMU_MAP_MASK)
				? dt_cell(&node->props[DT_IOMMU_MAP_MASK], 0)
				: ~0u;
	struct dt_map_entry entry;
	struct dt_map map;
	int ret, next;

	dt_map_open(scan, node, DT_IOMMU_MAP, &map);
	while ((next = dt_map_next(scan, &map, &entry)) > 0) {
		ret = entry_check(scan, device, &entry, mask);
		if (ret)
			return ret;
		if (entry.target->unit->disabled ||
		    !entry_clip(coverage, &entry))
			continue;
		ret = entry_add(scan, device, &entry, coverage);
		if (ret)
			return ret;
		coverage->covered +=
			coverage->ignored
				? members_below((uint64_t)entry.rid + entry.nr,
						coverage->mask) -
					  members_below(entry.rid,
							coverage->mask)
				: entry.nr;
	}
	return next;
}

/* Outputs of one unit that lie over each other become one range. */
static void streams_unite(struct dt_scan *scan, struct desc_device *device)
{
	struct desc_stream *stream, **at, *other;
	uint64_t end;

	for (stream = device->streams; stream; stream = stream->next) {
		at = &stream->next;
		while ((other = *at) != NULL) {
			if (other->unit != stream->unit ||
			    !meet(stream->first, stream->nr, other->first,
				  other->nr)) {
				at = &other->next;
				continue;
			}
			end = IA_MAX((uint64_t)stream->first + stream->nr,
				     (uint64_t)other->first + other->nr);
			stream->first = IA_MIN(stream->first, other->first);
			stream->nr = (uint32_t)(end - stream->first);
			*at = other->next;
			tablemem_object_free(scan->set->mem, other,
					     sizeof(*other));
			at = &stream->next; /* it has grown: once more */
		}
	}
}

int dt_map_streams(struct dt_scan *scan, const struct dt_node *node,
		   struct desc_device *device)
{
	struct coverage coverage = { 0 };
	int ret = coverage_init(scan, node, device, &coverage);

	if (!ret)
		ret = entries_add(scan, node, device, &coverage);
	if (ret)
		return ret;
	device->partial = coverage.covered < coverage.possible;
	if (!coverage.shared && coverage.possible > 1) {
		device->flags |= IOMMUABS_DEVICE_RANGE;
		device->rid_ignored = coverage.ignored;
		return 0;
	}
	/* All or nothing: a function that no unit sees is one of the device. */
	if (device->partial)
		dt_streams_drop(scan, device);
	streams_unite(scan, device);
	return 0;
}

#endif
