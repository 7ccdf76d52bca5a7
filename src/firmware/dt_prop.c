/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dt_prop.c - what the value of a property means
 */
#include "dt.h"

#if IOMMUABS_CONFIG_FDT

uint32_t dt_u32(const struct dt_node *node, enum dt_name name)
{
	const struct dt_prop *prop = &node->props[name];

	return prop->data && prop->size == 4 ? dt_cell(prop, 0) : DT_NO_CELLS;
}

/* The string at @at; its length, or what is left if it has no end. */
static uint32_t string_length(const struct dt_prop *prop, uint32_t at)
{
	uint32_t n = 0;

	while (at + n < prop->size && prop->data[at + n])
		n++;
	return n;
}

static bool string_equals(const struct dt_prop *prop, uint32_t at,
			  const char *string)
{
	for (; at < prop->size; at++, string++) {
		if (prop->data[at] != *string)
			return false;
		if (!*string)
			return true;
	}
	return false;
}

bool dt_string_is(struct dt_scan *scan, const struct dt_prop *prop, int n,
		  const char *string)
{
	uint32_t at;
	int i = 0;

	for (at = 0; at < prop->size; at += string_length(prop, at) + 1, i++) {
		if ((n < 0 || i == n) && string_equals(prop, at, string))
			return true;
		if (i == n)
			break;
	}
	scan->set->work += at;
	return false;
}

bool dt_any_begins(struct dt_scan *scan, const struct dt_prop *prop,
		   const char *string)
{
	uint32_t at, n;

	for (at = 0; at < prop->size; at += string_length(prop, at) + 1) {
		for (n = 0; string[n] && at + n < prop->size; n++)
			if (prop->data[at + n] != string[n])
				break;
		if (!string[n])
			return true;
	}
	scan->set->work += at;
	return false;
}

uint32_t dt_nr_strings(struct dt_scan *scan, const struct dt_prop *prop)
{
	uint32_t at, n = 0;

	for (at = 0; at < prop->size; at += string_length(prop, at) + 1)
		n++;
	scan->set->work += at;
	return n;
}

bool dt_number(const struct dt_prop *prop, uint32_t at, uint32_t nr,
	       uint64_t *value)
{
	uint64_t number = 0;

	for (; nr; nr--, at++) {
		if (number >> 32)
			return false;
		number = number << 32 | dt_cell(prop, at);
	}
	*value = number;
	return true;
}

/*
 * Defaults: Devicetree Specification 2.3.5. But in trees there are, a node that
 * says nothing means what the one above it says.
 */
static uint32_t cells_of(const struct dt_node *node, enum dt_name name,
			 uint32_t otherwise)
{
	while (node && !dt_has(node, name))
		node = node->parent;
	return node ? dt_u32(node, name) : otherwise;
}

void dt_bus_cells(const struct dt_node *node, uint32_t *address_cells,
		  uint32_t *size_cells)
{
	*address_cells = cells_of(node, DT_ADDRESS_CELLS, 2);
	*size_cells = cells_of(node, DT_SIZE_CELLS, 1);
}

struct span {
	uint64_t base, length;
};

/* Cells of one entry of ranges: the child's address, the parent's, the size. */
struct range_cells {
	uint32_t child, parent, size;
};

static bool range_cells(const struct dt_node *bus, struct range_cells *cells)
{
	uint32_t unused;

	dt_bus_cells(bus, &cells->child, &cells->size);
	dt_bus_cells(bus->parent, &cells->parent, &unused);
	return cells->child - 1 < DT_CELLS_MAX && cells->size <= DT_CELLS_MAX &&
	       cells->parent - 1 < DT_CELLS_MAX;
}

/* Does the entry at @at hold @span whole? Then move it there. */
static bool range_moves(const struct dt_prop *ranges, uint32_t at,
			const struct range_cells *cells, struct span *span)
{
	uint64_t from, to, length, base;

	if (!dt_number(ranges, at, cells->child, &from) ||
	    !dt_number(ranges, at + cells->child, cells->parent, &to) ||
	    !dt_number(ranges, at + cells->child + cells->parent, cells->size,
		       &length))
		return false;
	if (span->base < from || span->base - from > length ||
	    span->length > length - (span->base - from))
		return false;
	base = to + (span->base - from);
	if (base < to || (span->length && base + span->length - 1 < base))
		return false;
	span->base = base;
	return true;
}

/* From the addresses below @bus to those that @bus itself has. */
static int span_up(struct dt_scan *scan, const struct dt_node *bus,
		   struct span *span)
{
	const struct dt_prop *ranges = &bus->props[DT_RANGES];
	struct range_cells cells;
	uint32_t n, width;

	if (!ranges->data)
		return dt_fail(scan, DT_REG, "a bus above has no ranges");
	if (!ranges->size)
		return 0;
	if (!range_cells(bus, &cells))
		return dt_fail(scan, DT_REG,
			       "a bus above has addresses of an odd width");
	width = cells.child + cells.parent + cells.size;
	if (ranges->size % (4 * width) ||
	    ranges->size / (4 * width) > DT_RANGES_MAX)
		return dt_fail(scan, DT_REG,
			       "ranges of a bus above: malformed or too many");
	for (n = 0; n < ranges->size / (4 * width); n++) {
		scan->set->work += width;
		if (range_moves(ranges, n * width, &cells, span))
			return 0;
	}
	return dt_fail(scan, DT_REG, "not within the ranges of a bus above");
}

int dt_reg(struct dt_scan *scan, const struct dt_node *node, uint64_t *base,
	   uint64_t *length)
{
	const struct dt_prop *reg = &node->props[DT_REG];
	const struct dt_node *bus = node->parent;
	uint32_t address_cells, size_cells;
	struct span span;
	int ret = 0;

	if (!reg->data || !bus)
		return dt_fail(scan, DT_REG, "missing");
	dt_bus_cells(bus, &address_cells, &size_cells);
	if (address_cells - 1 >= DT_CELLS_MAX || size_cells > DT_CELLS_MAX ||
	    !reg->size || reg->size % (4 * (address_cells + size_cells)))
		return dt_fail(scan, DT_REG, "no address of this bus' width");
	if (!dt_number(reg, 0, address_cells, &span.base) ||
	    !dt_number(reg, address_cells, size_cells, &span.length) ||
	    (span.length && span.base + span.length - 1 < span.base))
		return dt_fail(scan, DT_REG, "beyond 64 bits");
	for (; bus->parent && !ret; bus = bus->parent)
		ret = span_up(scan, bus, &span);
	if (ret)
		return ret;
	*base = span.base;
	*length = span.length;
	return 0;
}

#endif
