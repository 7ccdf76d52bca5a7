/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi_dmar_unit.c - a DRHD: a unit, and the devices and buses that it sees
 */
#include "acpi_dmar_scan.h"

#if IOMMUABS_CONFIG_ACPI

/* ---- segments ---- */

static int segment_get(struct dmar_scan *dmar,
		       const struct dmar_structure *drhd,
		       struct dmar_segment **out)
{
	struct acpi_entry *entry =
		acpi_index_get(&dmar->scan, &dmar->segments, drhd->segment);
	struct dmar_segment *segment;

	if (!entry)
		return IOMMUABS_E_NOMEM;
	if (!entry->value) {
		segment = tablemem_object_alloc(dmar->scan.set->mem,
						sizeof(*segment));
		if (!segment)
			return IOMMUABS_E_NOMEM;
		segment->number = drhd->segment;
		segment->offset = drhd->span.offset;
		entry->value = segment;
	}
	*out = entry->value;
	return 0;
}

void dmar_segments_free(struct dmar_scan *dmar)
{
	struct tablemem *mem = dmar->scan.set->mem;
	struct acpi_entry *entry;
	struct dmar_segment *segment;

	for (entry = dmar->segments.first; entry; entry = entry->next) {
		segment = entry->value;
		if (segment && segment->owner)
			tablemem_object_free(mem, segment->owner,
					     DMAR_BUSES *
						     sizeof(*segment->owner));
		if (segment && segment->width)
			tablemem_object_free(mem, segment->width,
					     DMAR_BUSES *
						     sizeof(*segment->width));
		if (segment)
			tablemem_object_free(mem, segment, sizeof(*segment));
	}
	acpi_index_free(&dmar->scan, &dmar->segments);
}

/* ---- what a unit sees ---- */

static int buses_alloc(struct dmar_scan *dmar, struct dmar_segment *segment)
{
	struct tablemem *mem = dmar->scan.set->mem;

	if (!segment->owner)
		segment->owner = tablemem_object_alloc(
			mem, DMAR_BUSES * sizeof(*segment->owner));
	if (!segment->width)
		segment->width = tablemem_object_alloc(
			mem, DMAR_BUSES * sizeof(*segment->width));
	return segment->owner && segment->width ? 0 : IOMMUABS_E_NOMEM;
}

/* Of two bridges the nearer one decides: the one with fewer buses. */
static int buses_claim(struct dmar_scan *dmar, struct dmar_segment *segment,
		       const struct dmar_scope *scope,
		       const struct desc_device *bridge, struct desc_unit *unit)
{
	uint32_t first, last, bus;
	uint16_t width;
	int ret;

	if (bridge->unknown ||
	    !dmar_bridge_buses(dmar, bridge->pci, &first, &last)) {
		acpi_remark(&dmar->scan, scope->span.offset,
			    "which buses are behind the bridge is not known");
		return 0;
	}
	ret = buses_alloc(dmar, segment);
	if (ret)
		return ret;
	width = (uint16_t)(last - first + 1);
	for (bus = first; bus <= last; bus++) {
		dmar->scan.set->work++;
		if (segment->owner[bus] && segment->width[bus] <= width)
			continue;
		segment->owner[bus] = unit;
		segment->width[bus] = width;
	}
	return 0;
}

static int source_add(struct dmar_scan *dmar, struct desc_unit *unit,
		      const struct dmar_scope *scope)
{
	struct desc_source *source =
		tablemem_object_alloc(dmar->scan.set->mem, sizeof(*source));
	struct desc_source **last = &unit->vtd.sources;

	if (!source)
		return IOMMUABS_E_NOMEM;
	source->type = scope->type == DMAR_SCOPE_IOAPIC ? DESC_SOURCE_IOAPIC
							: DESC_SOURCE_HPET;
	source->id = scope->id;
	source->rid = dmar_scope_rid(dmar, unit->vtd.segment, scope);
	source->next = *last;
	*last = source;
	return 0;
}

/* ANDD gives the number of a namespace device a name. */
static int device_name(struct dmar_scan *dmar, const struct dmar_scope *scope,
		       struct desc_device *device)
{
	struct acpi_entry *entry =
		acpi_index_find(&dmar->scan, &dmar->names, scope->id);
	struct dmar_structure andd;
	const char *what;
	uint32_t at;

	if (device->path[0] && !device->unknown)
		return 0;
	if (!entry) {
		acpi_remark(&dmar->scan, scope->span.offset,
			    "a namespace device that no ANDD names");
		return 0;
	}
	at = (uint32_t)(uintptr_t)entry->value;
	if (dmar_next(&dmar->table, &at, &andd, &what) != 1 ||
	    !acpi_path(device, andd.span.data + andd.name, andd.name_length))
		return acpi_fail(&dmar->scan, scope->span.offset,
				 "the device's name is too long");
	return 0;
}

static int drhd_scope(struct dmar_scan *dmar, struct dmar_segment *segment,
		      const struct dmar_scope *scope, struct desc_unit *unit)
{
	struct desc_device *device;
	int ret;

	if (scope->type == DMAR_SCOPE_IOAPIC || scope->type == DMAR_SCOPE_HPET)
		return source_add(dmar, unit, scope);
	if (!dmar_scope_is_device(dmar, scope))
		return 0;
	ret = dmar_function_get(dmar, segment->number, scope, &device);
	if (!ret)
		ret = dmar_function_claim(dmar, device, scope->span.offset,
					  unit);
	if (!ret && scope->type == DMAR_SCOPE_NAMESPACE)
		ret = device_name(dmar, scope, device);
	if (!ret && scope->type == DMAR_SCOPE_BRIDGE)
		ret = buses_claim(dmar, segment, scope, device, unit);
	return ret;
}

static uint32_t base_key(uint64_t base)
{
	return (uint32_t)(base >> IOMMUABS_FRAME_LG2);
}

struct desc_unit *dmar_unit_at(struct dmar_scan *dmar, uint64_t base)
{
	struct acpi_entry *entry =
		acpi_index_find(&dmar->scan, &dmar->bases, base_key(base));
	struct desc_unit *unit = entry ? entry->value : NULL;

	for (; unit && unit->base != base; unit = unit->vtd.twin)
		dmar->scan.set->work++;
	return unit;
}

/* False: no memory. */
static bool base_learn(struct dmar_scan *dmar, struct desc_unit *unit)
{
	struct acpi_entry *entry =
		acpi_index_get(&dmar->scan, &dmar->bases, base_key(unit->base));

	if (!entry)
		return false;
	unit->vtd.twin = entry->value;
	entry->value = unit;
	return true;
}

/* Can there be registers? NULL: yes. */
static const char *base_wrong(uint64_t base)
{
	if (!base)
		return "a unit without registers (base 0): left out, "
		       "its devices are untranslated";
	if ((base & (IOMMUABS_FRAME_SIZE - 1)) || base >> DESC_ADDRESS_BITS)
		return "a unit whose registers can't be there: left out, "
		       "its devices are untranslated";
	return NULL;
}

/* What the unit is, and whether its registers can be where the table says. */
static int unit_get(struct dmar_scan *dmar, const struct dmar_structure *drhd,
		    struct desc_unit **out)
{
	const char *bad = base_wrong(drhd->base);
	struct desc_unit *unit = bad ? NULL : dmar_unit_at(dmar, drhd->base);

	if (unit && unit->vtd.segment != drhd->segment)
		return acpi_fail(&dmar->scan, drhd->span.offset,
				 "a unit of two PCI segments");
	*out = unit;
	if (unit) {
		acpi_remark(&dmar->scan, drhd->span.offset,
			    "a second DRHD of the same unit");
		return 0;
	}
	unit = acpi_unit_add(&dmar->scan, IOMMUABS_UNIT_VTD, drhd->span.offset);
	if (!unit)
		return IOMMUABS_E_NOMEM;
	unit->base = drhd->base;
	unit->length = IOMMUABS_FRAME_SIZE << (drhd->size_lg2 & 0xf);
	unit->disabled = bad != NULL;
	unit->vtd.segment = drhd->segment;
	if (bad)
		acpi_remark(&dmar->scan, drhd->span.offset, bad);
	else if (!base_learn(dmar, unit))
		return IOMMUABS_E_NOMEM;
	*out = unit;
	return 0;
}

int dmar_drhd_take(struct dmar_scan *dmar, const struct dmar_structure *drhd)
{
	struct dmar_segment *segment = NULL;
	struct dmar_scope scope;
	struct desc_unit *unit = NULL;
	const char *what;
	uint32_t at = 0;
	int ret = segment_get(dmar, drhd, &segment);

	if (!ret)
		ret = unit_get(dmar, drhd, &unit);
	if (ret)
		return ret;
	if (segment->all)
		acpi_remark(&dmar->scan, drhd->span.offset,
			    "it follows the DRHD with INCLUDE_PCI_ALL");
	while ((ret = dmar_scope_next(drhd, &at, &scope, &what)) > 0) {
		if (!dmar_scope_is_good(dmar, &scope))
			continue;
		ret = drhd_scope(dmar, segment, &scope, unit);
		if (ret)
			return ret;
	}
	if (ret)
		return acpi_fail(&dmar->scan, drhd->scopes.offset + at, what);
	if ((drhd->flags & DMAR_INCLUDE_PCI_ALL) && !segment->all) {
		segment->all = unit;
		unit->vtd.include_all = 1;
	} else if (drhd->flags & DMAR_INCLUDE_PCI_ALL) {
		acpi_remark(&dmar->scan, drhd->span.offset,
			    "a second INCLUDE_PCI_ALL of the segment: ignored");
	}
	return 0;
}

#endif
