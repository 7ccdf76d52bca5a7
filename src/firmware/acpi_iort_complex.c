/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi_iort_complex.c - root complexes of an IORT: a PCI segment's become devices
 */
#include "acpi_iort_scan.h"

#if IOMMUABS_CONFIG_ACPI

static bool ends_at_its(const struct iort_target *target,
			const struct iort_mapping *mapping)
{
	uint64_t last = (uint64_t)mapping->output + mapping->last;
	const struct iort_ids *ids = target->its;
	uint32_t n;

	for (n = 0; n < target->nr_its; n++, ids++)
		if (mapping->output >= ids->first && last <= ids->last)
			return true;
	return false;
}

static int segment_get(struct iort_scan *scan, const struct iort_node *node,
		       struct iort_segment **out)
{
	struct iort_root_complex complex;
	struct iort_segment *segment;
	struct acpi_entry *entry;

	iort_root_complex(node, &complex);
	if (complex.segment > 0xffff)
		return acpi_fail(&scan->scan, node->span.offset,
				 "no such PCI segment");
	entry = acpi_index_get(&scan->scan, &scan->segments, complex.segment);
	if (!entry)
		return IOMMUABS_E_NOMEM;
	if (!entry->value) {
		segment = tablemem_object_alloc(scan->scan.set->mem,
						sizeof(*segment));
		if (!segment)
			return IOMMUABS_E_NOMEM;
		segment->offset = node->span.offset;
		entry->value = segment;
	}
	*out = entry->value;
	return 0;
}

/* False: no requester ID is in it. */
static bool rids_trim(struct iort_scan *scan, const struct iort_node *node,
		      const struct iort_mapping *mapping,
		      struct iort_piece *piece)
{
	piece->first = mapping->output;
	piece->nr = (uint64_t)mapping->last + 1;
	piece->rid = mapping->flags & IORT_SINGLE ? 0 : mapping->input;
	if (piece->rid >= IORT_RIDS) {
		acpi_remark(&scan->scan, node->span.offset,
			    "a mapping of what is no requester ID: left out");
		return false;
	}
	if (piece->rid + piece->nr <= IORT_RIDS)
		return true;
	acpi_remark(&scan->scan, node->span.offset,
		    "a mapping of more than requester IDs: made shorter");
	piece->nr = IORT_RIDS - piece->rid;
	return true;
}

int iort_complex_take(struct iort_scan *scan, const struct iort_node *node)
{
	struct iort_piece piece = { .offset = node->span.offset };
	struct iort_mapping mapping = { 0 };
	struct iort_target *target = NULL;
	struct iort_segment *segment = NULL;
	uint32_t n;
	int ret = segment_get(scan, node, &segment);

	for (n = 0; !ret && n < node->nr_mappings; n++) {
		ret = iort_mapping_get(scan, node, n, &mapping, &target);
		if (ret < 0)
			return ret;
		if (!ret || !rids_trim(scan, node, &mapping, &piece)) {
			ret = 0;
			continue;
		}
		if (target->unit) {
			segment->single |= (mapping.flags & IORT_SINGLE) != 0;
			segment->unsafe |= !ends_at_its(target, &mapping);
		}
		piece.unit = target->unit;
		ret = iort_piece_add(scan, &segment->pieces, &piece);
	}
	return ret;
}

/*
 * Firmware that counts ids, and not ids less one, maps one too many: the next
 * mapping knows better, also where it leads past all units. Those that do are
 * then no longer needed.
 */
static void rids_recount(struct iort_scan *scan, struct iort_segment *segment)
{
	struct iort_piece **at = &segment->pieces.first, *piece, *next;

	while ((piece = *at) != NULL) {
		scan->scan.set->work++;
		next = piece->next;
		if (next && piece->nr > 1 &&
		    piece->rid + piece->nr == (uint64_t)next->rid + 1) {
			acpi_remark(&scan->scan, piece->offset,
				    "a mapping of one id too many");
			piece->nr--;
		}
		if (piece->unit) {
			at = &piece->next;
			continue;
		}
		*at = next;
		tablemem_object_free(scan->scan.set->mem, piece,
				     sizeof(*piece));
	}
	segment->pieces.last = at;
}

/* No requester ID twice: the first mapping has it. */
static void rids_separate(struct iort_scan *scan, struct iort_segment *segment)
{
	struct iort_piece *piece = segment->pieces.first, *next;
	uint64_t end;

	while (piece && (next = piece->next) != NULL) {
		scan->scan.set->work++;
		end = piece->rid + piece->nr;
		if (end <= next->rid) {
			piece = next;
			continue;
		}
		acpi_remark(&scan->scan, next->offset,
			    "a requester ID that is mapped twice: the "
			    "second time left out");
		if (next->rid + next->nr <= end) {
			piece->next = next->next;
			tablemem_object_free(scan->scan.set->mem, next,
					     sizeof(*next));
			continue;
		}
		next->first += end - next->rid;
		next->nr -= end - next->rid;
		next->rid = (uint32_t)end;
	}
}

static struct desc_device *range_add(struct iort_scan *scan,
				     const struct iort_segment *segment,
				     uint32_t pci)
{
	struct desc_device *device =
		tablemem_object_alloc(scan->scan.set->mem, sizeof(*device));

	if (!device)
		return NULL;
	device->next = *scan->last_range;
	*scan->last_range = device;
	if (scan->scan.last_device == scan->last_range)
		scan->scan.last_device = &device->next;
	scan->last_range = &device->next;
	device->fw_id = segment->offset;
	device->pci = pci;
	device->partial = segment->partial;
	device->flags = IOMMUABS_DEVICE_PCI;
	if (!segment->shared)
		device->flags |= IOMMUABS_DEVICE_RANGE;
	if (segment->unsafe)
		device->flags |= IOMMUABS_DEVICE_UNSAFE_MSI;
	return device;
}

/* Are there requester IDs that no unit is told about? */
static bool segment_is_partial(const struct iort_segment *segment)
{
	const struct iort_piece *piece;
	uint64_t nr = 0;

	for (piece = segment->pieces.first; piece; piece = piece->next)
		nr += piece->nr;
	return nr < IORT_RIDS && !segment->single;
}

/*
 * What has no id twice is sorted by requester ID again. Functions that can't be
 * told apart are untranslated, all of them, where no unit sees some of them.
 */
static void segment_order(struct iort_scan *scan, struct iort_segment *segment)
{
	iort_pieces_sort_by_rid(scan, &segment->pieces);
	rids_recount(scan, segment);
	rids_separate(scan, segment);
	segment->partial = segment_is_partial(segment);
	segment->shared = segment->single;
	if (iort_pieces_share(scan, &segment->pieces)) {
		segment->shared = true;
		acpi_remark(&scan->scan, segment->offset,
			    "functions that share an id: one device");
	}
	if (segment->shared && segment->partial)
		iort_pieces_free(scan, &segment->pieces);
	else if (segment->shared)
		iort_pieces_join(scan, &segment->pieces);
	else
		iort_pieces_sort_by_rid(scan, &segment->pieces);
}

int iort_segment_settle(struct iort_scan *scan, uint32_t number,
			struct iort_segment *segment)
{
	struct iort_tail tail = { 0 };
	struct iort_piece *piece;
	struct desc_device *device;
	int ret = 0;

	segment_order(scan, segment);
	device = range_add(scan, segment, number * IORT_RIDS);
	for (piece = segment->pieces.first; device && piece && !ret;
	     piece = piece->next) {
		if (tail.nr == IOMMUABS_STREAM_RANGES_MAX && !segment->shared) {
			device->nr_pci = piece->rid - (device->pci & 0xffff);
			device = range_add(scan, segment,
					   number * IORT_RIDS + piece->rid);
			tail = (struct iort_tail){ 0 };
			if (!device)
				break;
		}
		ret = iort_stream_add(scan, device, &tail, piece);
	}
	if (!device)
		return IOMMUABS_E_NOMEM;
	device->nr_pci = IORT_RIDS - (device->pci & 0xffff);
	return ret;
}

#endif
