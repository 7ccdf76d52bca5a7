/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi_scan.c - what the scanners of ACPI tables have in common
 */
#include "acpi_scan.h"

#if IOMMUABS_CONFIG_ACPI

_Static_assert(sizeof(struct desc_unit) <= TABLEMEM_OBJECT_MAX,
	       "a small object");
_Static_assert(sizeof(struct desc_device) <= TABLEMEM_OBJECT_MAX,
	       "a small object");

#define OFFSET_IN_FRAME (IOMMUABS_FRAME_SIZE - 1)

void acpi_scan_begin(struct acpi_scan *scan, struct desc_set *set,
		     const char *name)
{
	scan->set = set;
	scan->name = name;
	scan->last_unit = &set->units;
	while (*scan->last_unit)
		scan->last_unit = &(*scan->last_unit)->next;
	scan->last_device = &set->devices;
	while (*scan->last_device)
		scan->last_device = &(*scan->last_device)->next;
}

int acpi_fail(struct acpi_scan *scan, uint32_t offset, const char *what)
{
	hostif_format(scan->set->error, sizeof(scan->set->error),
		      "%s, offset %u: %s", scan->name, offset, what);
	return IOMMUABS_E_FIRMWARE;
}

void acpi_remark(struct acpi_scan *scan, uint32_t offset, const char *what)
{
	struct desc_set *set = scan->set;
	char text[160];

	if (!set->remark || set->nr_remarks > ACPI_REMARKS_MAX)
		return;
	if (set->nr_remarks++ == ACPI_REMARKS_MAX)
		what = "there is more to remark on";
	hostif_format(text, sizeof(text), "%s, offset %u: %s", scan->name,
		      offset, what);
	set->remark(set->remark_arg, text);
}

/* ---- index ---- */

static struct acpi_entry **slot_of(struct acpi_scan *scan,
				   struct acpi_index *index, uint32_t key)
{
	struct acpi_entry **slot = &index->root;
	uint32_t bits = key;

	while (*slot && (*slot)->key != key) {
		slot = &(*slot)->child[bits & 1];
		bits >>= 1;
		scan->set->work++;
	}
	return slot;
}

struct acpi_entry *acpi_index_find(struct acpi_scan *scan,
				   struct acpi_index *index, uint32_t key)
{
	return *slot_of(scan, index, key);
}

struct acpi_entry *acpi_index_get(struct acpi_scan *scan,
				  struct acpi_index *index, uint32_t key)
{
	struct acpi_entry **slot = slot_of(scan, index, key), *entry = *slot;

	if (entry)
		return entry;
	entry = tablemem_object_alloc(scan->set->mem, sizeof(*entry));
	if (!entry)
		return NULL;
	entry->key = key;
	*slot = entry;
	if (!index->last)
		index->last = &index->first;
	*index->last = entry;
	index->last = &entry->next;
	return entry;
}

void acpi_index_free(struct acpi_scan *scan, struct acpi_index *index)
{
	struct acpi_entry *entry;

	while ((entry = index->first) != NULL) {
		index->first = entry->next;
		tablemem_object_free(scan->set->mem, entry, sizeof(*entry));
	}
}

/* ---- descriptions ---- */

struct desc_unit *acpi_unit_add(struct acpi_scan *scan,
				enum iommuabs_unit_type type, uint32_t offset)
{
	struct desc_unit *unit =
		tablemem_object_alloc(scan->set->mem, sizeof(*unit));

	if (!unit)
		return NULL;
	unit->type = type;
	unit->fw_id = offset;
	*scan->last_unit = unit;
	scan->last_unit = &unit->next;
	return unit;
}

struct desc_device *acpi_device_add(struct acpi_scan *scan)
{
	struct desc_device *device =
		tablemem_object_alloc(scan->set->mem, sizeof(*device));

	if (!device)
		return NULL;
	*scan->last_device = device;
	scan->last_device = &device->next;
	return device;
}

int acpi_stream_add(struct acpi_scan *scan, struct desc_device *device,
		    const struct desc_stream *stream)
{
	struct desc_stream *copy =
		tablemem_object_alloc(scan->set->mem, sizeof(*copy));

	if (!copy)
		return IOMMUABS_E_NOMEM;
	*copy = *stream;
	copy->next = device->streams;
	device->streams = copy;
	return 0;
}

bool acpi_path(struct desc_device *device, const uint8_t *name, uint32_t length)
{
	if (length >= sizeof(device->path))
		return false;
	__builtin_memcpy(device->path, name, length);
	device->path[length] = '\0';
	return true;
}

/* ---- reserved regions ---- */

bool acpi_region(struct acpi_scan *scan, uint32_t offset, uint64_t base,
		 uint64_t last, struct iommuabs_reserved *region)
{
	if (last < base) {
		acpi_remark(scan, offset,
			    "a region that ends before it "
			    "begins: left out");
		return false;
	}
	/* What firmware that has none leaves there. */
	if (last == base) {
		acpi_remark(scan, offset, "a region of one byte: left out");
		return false;
	}
	if (last >> DESC_ADDRESS_BITS) {
		acpi_remark(scan, offset,
			    "a region beyond 52 address bits: "
			    "left out");
		return false;
	}
	if ((base & OFFSET_IN_FRAME) || (~last & OFFSET_IN_FRAME))
		acpi_remark(scan, offset,
			    "a region not of whole frames: made larger");
	region->gfn = IOMMUABS_GFN(base >> IOMMUABS_FRAME_LG2);
	region->mfn = IOMMUABS_MFN(base >> IOMMUABS_FRAME_LG2);
	region->nr = (last >> IOMMUABS_FRAME_LG2) - region->gfn.frame + 1;
	return true;
}

/* Takes those out of @device that overlap @region, which grows by them. */
static uint32_t reserved_absorb(struct acpi_scan *scan,
				struct desc_device *device,
				struct iommuabs_reserved *region)
{
	struct desc_reserved **at = &device->reserved, *other;
	uint64_t first = region->gfn.frame, end = first + region->nr;
	uint64_t other_first, other_end;
	uint32_t left = 0;

	while ((other = *at) != NULL) {
		scan->set->work++;
		other_first = other->region.gfn.frame;
		other_end = other_first + other->region.nr;
		if (other_first >= end || first >= other_end) {
			at = &other->next;
			left++;
			continue;
		}
		first = IA_MIN(first, other_first);
		end = IA_MAX(end, other_end);
		region->flags |= other->region.flags;
		*at = other->next;
		tablemem_object_free(scan->set->mem, other, sizeof(*other));
		/* What was passed by may meet the larger one. */
		at = &device->reserved;
		left = 0;
	}
	region->gfn.frame = region->mfn.frame = first;
	region->nr = end - first;
	return left;
}

int acpi_reserved_add(struct acpi_scan *scan, struct desc_device *device,
		      uint32_t offset, const struct iommuabs_reserved *region)
{
	struct iommuabs_reserved whole = *region;
	struct desc_reserved *reserved, **at = &device->reserved;

	if (reserved_absorb(scan, device, &whole) == IOMMUABS_RESERVED_MAX)
		return acpi_fail(scan, offset,
				 "too many regions of one device");
	reserved = tablemem_object_alloc(scan->set->mem, sizeof(*reserved));
	if (!reserved)
		return IOMMUABS_E_NOMEM;
	reserved->region = whole;
	while (*at)
		at = &(*at)->next;
	*at = reserved;
	return 0;
}

#endif
