/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi_iort_memory.c - reserved memory regions of the ids that RMR nodes name
 *
 * An id of a range device, named alone, is a function with the region and
 * carved out; several are the range's. Ids of no device are one of their own: it
 * can be attached, so that what firmware left running goes on.
 */
#include "acpi_iort_scan.h"

#if IOMMUABS_CONFIG_ACPI

/* Access attributes in an RMR's flags (DEN 0049 E.b, RMR node). */
#define RMR_ATTRIBUTES	FIELD(9, 2)
#define RMR_DEVICE_LAST 3 /* 0 to 3: the kinds of device memory */
#define RMR_NORMAL_NC	4

struct memory_scan {
	struct iort_scan *scan;
	/* The first pieces that may meet the present region's ids. */
	struct iort_piece *plain, *range;
	/* What was made last, of a range's function and of nobody's ids. */
	struct desc_device *carved, *orphan;
};

static uint32_t access_of(const struct iort_rmr *rmr)
{
	uint64_t attributes = field_get(RMR_ATTRIBUTES, rmr->flags);
	uint32_t access = IOMMUABS_READ | IOMMUABS_WRITE;

	if (attributes <= RMR_DEVICE_LAST)
		return access | IOMMUABS_DEVICE;
	if (attributes == RMR_NORMAL_NC)
		return access | IOMMUABS_WRITE_COMBINING;
	return access | IOMMUABS_NORMAL;
}

static int regions_add(struct iort_scan *scan, uint32_t at,
		       struct desc_device *device)
{
	struct iommuabs_reserved reserved;
	struct iort_region region;
	struct iort_node node;
	struct iort_rmr rmr;
	const char *what;
	uint32_t n, offset = at;
	int ret = 0;

	if (iort_next(&scan->iort, &at, &node, &what) != 1)
		return acpi_fail(&scan->scan, offset, what);
	iort_rmr(&node, &rmr);
	if (rmr.nr > IOMMUABS_RESERVED_MAX ||
	    device->mark++ == IOMMUABS_RESERVED_MAX)
		return acpi_fail(&scan->scan, offset,
				 "more regions than a device may have");
	for (n = 0; !ret && iort_region(&node, &rmr, n, &region); n++) {
		scan->scan.set->work++;
		reserved.flags = access_of(&rmr);
		if (!region.length)
			acpi_remark(&scan->scan, offset,
				    "a region of no size: left out");
		else if (acpi_region(&scan->scan, offset, region.base,
				     region.base + region.length - 1,
				     &reserved))
			ret = acpi_reserved_add(&scan->scan, device, offset,
						&reserved);
	}
	return ret;
}

/* From @piece on, the first that doesn't end before @memory. */
static struct iort_piece *skip_to(struct iort_scan *scan,
				  struct iort_piece *piece,
				  const struct iort_piece *memory)
{
	for (; piece; piece = piece->next) {
		scan->scan.set->work++;
		if (piece->unit == memory->unit
			    ? piece->first + piece->nr > memory->first
			    : piece->unit->fw_id > memory->unit->fw_id)
			break;
	}
	return piece;
}

/* Ids that are in both of two pieces that meet. */
static uint64_t overlap(const struct iort_piece *a, const struct iort_piece *b)
{
	return IA_MIN(a->first + a->nr, b->first + b->nr) -
	       IA_MAX(a->first, b->first);
}

/* Devices that aren't ranges; *@nr ids of @memory are theirs. */
static int plain_take(struct memory_scan *m, const struct iort_piece *memory,
		      uint64_t *nr)
{
	struct iort_piece *piece;
	int ret = 0;

	m->plain = skip_to(m->scan, m->plain, memory);
	for (piece = m->plain; !ret && piece && iort_pieces_meet(piece, memory);
	     piece = piece->next) {
		*nr += overlap(piece, memory);
		ret = regions_add(m->scan, memory->offset, piece->device);
	}
	return ret;
}

static int function_take(struct memory_scan *m, const struct iort_piece *range,
			 const struct iort_piece *memory)
{
	struct acpi_scan *scan = &m->scan->scan;
	const struct desc_stream stream = {
		.unit = memory->unit,
		.first = (uint32_t)memory->first,
		.nr = 1,
		.rid = range->rid + (uint32_t)(memory->first - range->first),
	};
	int ret;

	if (m->carved && m->carved->streams->unit == memory->unit &&
	    m->carved->streams->first == memory->first)
		return regions_add(m->scan, memory->offset, m->carved);
	m->carved = acpi_device_add(scan);
	if (!m->carved)
		return IOMMUABS_E_NOMEM;
	m->carved->flags = range->device->flags & ~IOMMUABS_DEVICE_RANGE;
	m->carved->pci = (range->device->pci & ~(IORT_RIDS - 1)) | stream.rid;
	m->carved->nr_pci = 1;
	m->carved->fw_id = memory->offset;
	ret = acpi_stream_add(scan, m->carved, &stream);
	return ret ? ret : regions_add(m->scan, memory->offset, m->carved);
}

static int ranges_take(struct memory_scan *m, const struct iort_piece *memory,
		       uint64_t *nr)
{
	struct iort_piece *piece;
	int ret = 0;

	m->range = skip_to(m->scan, m->range, memory);
	for (piece = m->range; !ret && piece && iort_pieces_meet(piece, memory);
	     piece = piece->next) {
		*nr += overlap(piece, memory);
		if (memory->nr == 1)
			return function_take(m, piece, memory);
		acpi_remark(&m->scan->scan, memory->offset,
			    "regions of many functions: of all of them");
		ret = regions_add(m->scan, memory->offset, piece->device);
	}
	return ret;
}

static int orphan_take(struct memory_scan *m, const struct iort_piece *memory)
{
	struct acpi_scan *scan = &m->scan->scan;
	const struct desc_stream stream = {
		.unit = memory->unit,
		.first = (uint32_t)memory->first,
		.nr = (uint32_t)memory->nr,
	};
	struct desc_stream *last = m->orphan ? m->orphan->streams : NULL;
	int ret;

	acpi_remark(scan, memory->offset, "regions of ids that no device has");
	if (last && last->unit == memory->unit &&
	    (uint64_t)last->first + last->nr > memory->first) {
		last->nr = (uint32_t)IA_MAX(
			last->nr, memory->first + memory->nr - last->first);
		return regions_add(m->scan, memory->offset, m->orphan);
	}
	m->orphan = acpi_device_add(scan);
	if (!m->orphan)
		return IOMMUABS_E_NOMEM;
	m->orphan->fw_id = memory->offset;
	ret = acpi_stream_add(scan, m->orphan, &stream);
	return ret ? ret : regions_add(m->scan, memory->offset, m->orphan);
}

/* All streams, those of range devices apart. */
static int streams_collect(struct iort_scan *scan)
{
	struct desc_device *device;
	struct desc_stream *stream;
	struct iort_piece piece = { 0 };
	int ret = 0;

	for (device = scan->scan.set->devices; device; device = device->next) {
		device->mark = 0;
		piece.device = device;
		for (stream = device->streams; stream && !ret;
		     stream = stream->next) {
			piece.unit = stream->unit;
			piece.first = stream->first;
			piece.nr = stream->nr;
			piece.rid = stream->rid;
			ret = iort_piece_add(
				scan,
				device->flags & IOMMUABS_DEVICE_RANGE
					? &scan->ranges
					: &scan->plain,
				&piece);
		}
	}
	iort_pieces_sort_by_id(scan, &scan->plain);
	iort_pieces_sort_by_id(scan, &scan->ranges);
	return ret;
}

/* One node may name an id twice, and neighbours one by one. */
static void memory_join(struct iort_scan *scan)
{
	struct iort_piece *piece;

	for (piece = scan->memory.first; piece; piece = piece->next)
		while (piece->next && piece->next->offset == piece->offset &&
		       iort_pieces_meet(piece, piece->next))
			iort_piece_absorb_next(scan, piece);
}

int iort_memory_settle(struct iort_scan *scan)
{
	struct memory_scan m = { .scan = scan };
	struct iort_piece *memory;
	uint64_t nr;
	int ret;

	if (!scan->memory.first)
		return 0;
	iort_pieces_sort_by_id(scan, &scan->memory);
	memory_join(scan);
	ret = streams_collect(scan);
	m.plain = scan->plain.first;
	m.range = scan->ranges.first;
	for (memory = scan->memory.first; memory && !ret;
	     memory = memory->next) {
		nr = 0;
		ret = plain_take(&m, memory, &nr);
		if (!ret && nr < memory->nr)
			ret = ranges_take(&m, memory, &nr);
		if (!ret && !nr)
			ret = orphan_take(&m, memory);
		else if (nr < memory->nr)
			acpi_remark(&scan->scan, memory->offset,
				    "regions of ids some of which no device "
				    "has: those stay blocked");
	}
	return ret;
}

#endif
