/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi_iort_pieces.c - ids in order, and what a device's streams are
 */
#include "acpi_iort_scan.h"

#if IOMMUABS_CONFIG_ACPI

int iort_piece_add(struct iort_scan *scan, struct iort_pieces *pieces,
		   const struct iort_piece *piece)
{
	struct iort_piece *copy =
		tablemem_object_alloc(scan->scan.set->mem, sizeof(*copy));

	if (!copy)
		return IOMMUABS_E_NOMEM;
	*copy = *piece;
	copy->next = NULL;
	if (!pieces->last)
		pieces->last = &pieces->first;
	*pieces->last = copy;
	pieces->last = &copy->next;
	return 0;
}

void iort_pieces_free(struct iort_scan *scan, struct iort_pieces *pieces)
{
	struct iort_piece *piece;

	while ((piece = pieces->first) != NULL) {
		pieces->first = piece->next;
		tablemem_object_free(scan->scan.set->mem, piece,
				     sizeof(*piece));
	}
	pieces->last = NULL;
}

/* ---- sorting ---- */

typedef bool (*before)(const struct iort_piece *a, const struct iort_piece *b);

static bool rid_before(const struct iort_piece *a, const struct iort_piece *b)
{
	return a->rid < b->rid;
}

static bool id_before(const struct iort_piece *a, const struct iort_piece *b)
{
	if (a->unit != b->unit)
		return a->unit->fw_id < b->unit->fw_id;
	if (a->first != b->first)
		return a->first < b->first;
	return a->nr > b->nr;
}

/* Of equal ones those of @a come first. */
static struct iort_piece *merge(struct iort_scan *scan, struct iort_piece *a,
				struct iort_piece *b, before is_before)
{
	struct iort_piece *first = NULL, **last = &first;

	while (a && b) {
		struct iort_piece **from = is_before(b, a) ? &b : &a;

		*last = *from;
		*from = (*from)->next;
		last = &(*last)->next;
		scan->scan.set->work++;
	}
	*last = a ? a : b;
	return first;
}

/* Runs of 1, 2, 4, ... pieces wait in @runs for one of the same length. */
static void sort(struct iort_scan *scan, struct iort_pieces *pieces,
		 before is_before)
{
	struct iort_piece *runs[32] = { NULL }, *piece, *rest = pieces->first;
	uint32_t i;

	while ((piece = rest) != NULL) {
		rest = piece->next;
		piece->next = NULL;
		for (i = 0; i < IA_COUNT(runs) - 1 && runs[i]; i++) {
			piece = merge(scan, runs[i], piece, is_before);
			runs[i] = NULL;
		}
		runs[i] = piece;
	}
	for (i = 0, piece = NULL; i < IA_COUNT(runs); i++)
		piece = merge(scan, runs[i], piece, is_before);
	pieces->first = piece;
	pieces->last = &pieces->first;
	while (*pieces->last)
		pieces->last = &(*pieces->last)->next;
}

void iort_pieces_sort_by_rid(struct iort_scan *scan, struct iort_pieces *pieces)
{
	sort(scan, pieces, rid_before);
}

void iort_pieces_sort_by_id(struct iort_scan *scan, struct iort_pieces *pieces)
{
	sort(scan, pieces, id_before);
}

/* ---- the streams of a device ---- */

static bool meets_next(const struct iort_piece *piece)
{
	const struct iort_piece *next = piece->next;

	return next && next->unit == piece->unit &&
	       next->first < piece->first + piece->nr;
}

bool iort_pieces_share(struct iort_scan *scan, struct iort_pieces *pieces)
{
	struct iort_piece *piece;

	sort(scan, pieces, id_before);
	for (piece = pieces->first; piece; piece = piece->next)
		if (meets_next(piece))
			return true;
	return false;
}

void iort_piece_absorb_next(struct iort_scan *scan, struct iort_piece *piece)
{
	struct iort_piece *next = piece->next;

	piece->nr = IA_MAX(piece->first + piece->nr, next->first + next->nr) -
		    piece->first;
	piece->next = next->next;
	tablemem_object_free(scan->scan.set->mem, next, sizeof(*next));
}

void iort_pieces_join(struct iort_scan *scan, struct iort_pieces *pieces)
{
	struct iort_piece *piece;

	sort(scan, pieces, id_before);
	for (piece = pieces->first; piece; piece = piece->next)
		while (meets_next(piece))
			iort_piece_absorb_next(scan, piece);
}

/* Is @piece what comes after @last? Of a range, also by requester ID. */
static bool continues(const struct desc_stream *last,
		      const struct iort_piece *piece, bool is_range)
{
	return last && last->unit == piece->unit &&
	       (uint64_t)last->first + last->nr == piece->first &&
	       (!is_range || last->rid + last->nr == piece->rid);
}

int iort_stream_add(struct iort_scan *scan, struct desc_device *device,
		    struct iort_tail *tail, const struct iort_piece *piece)
{
	bool is_range = device->flags & IOMMUABS_DEVICE_RANGE;
	struct desc_stream *stream;

	scan->scan.set->work++;
	if (continues(tail->last, piece, is_range)) {
		tail->last->nr += (uint32_t)piece->nr;
		return 0;
	}
	if (tail->nr == IOMMUABS_STREAM_RANGES_MAX)
		return acpi_fail(&scan->scan, piece->offset,
				 "a device with too many streams");
	stream = tablemem_object_alloc(scan->scan.set->mem, sizeof(*stream));
	if (!stream)
		return IOMMUABS_E_NOMEM;
	stream->unit = piece->unit;
	stream->first = (uint32_t)piece->first;
	stream->nr = (uint32_t)piece->nr;
	stream->rid = is_range ? piece->rid : 0;
	if (tail->last)
		tail->last->next = stream;
	else
		device->streams = stream;
	tail->last = stream;
	tail->nr++;
	return 0;
}

#endif
