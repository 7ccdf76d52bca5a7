/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi_dmar_scan.c - units and devices of a DMAR
 *
 * Who sees a PCI function (VT-d specification 8.3): the unit that names it; else
 * the one that names the nearest bridge above it; else the one of its segment
 * with INCLUDE_PCI_ALL. Functions that the table names become devices; the buses
 * of each segment, run by run, become range devices, out of which core carves the
 * former. What lies behind a bridge is read from its configuration space, and
 * unknown where the host can't.
 */
#include "acpi_dmar_scan.h"

#if IOMMUABS_CONFIG_ACPI

#define RW (IOMMUABS_READ | IOMMUABS_WRITE | IOMMUABS_NORMAL)

/* ---- the other structures ---- */

static int port_add(struct dmar_scan *dmar, const struct desc_port *port)
{
	struct desc_port *copy =
		tablemem_object_alloc(dmar->scan.set->mem, sizeof(*copy));

	if (!copy)
		return IOMMUABS_E_NOMEM;
	*copy = *port;
	copy->next = dmar->scan.set->ats.ports;
	dmar->scan.set->ats.ports = copy;
	return 0;
}

/* Several of one segment mostly follow each other. */
static int satc_add(struct dmar_scan *dmar, uint32_t segment)
{
	struct desc_ats *ats = &dmar->scan.set->ats;
	struct desc_ats_list *satc = ats->lists;

	if (satc && satc->segment == segment)
		return 0;
	satc = tablemem_object_alloc(dmar->scan.set->mem, sizeof(*satc));
	if (!satc)
		return IOMMUABS_E_NOMEM;
	*satc = (struct desc_ats_list){ ats->lists, segment };
	ats->lists = satc;
	return 0;
}

static int rmrr_scope(struct dmar_scan *dmar, const struct dmar_structure *rmrr,
		      const struct dmar_scope *scope,
		      struct desc_device *device)
{
	struct iommuabs_reserved region = { .flags = RW };

	if (scope->type == DMAR_SCOPE_BRIDGE)
		acpi_remark(&dmar->scan, scope->span.offset,
			    "a region of a bridge: not of what is behind it");
	if (!acpi_region(&dmar->scan, rmrr->span.offset, rmrr->base,
			 rmrr->limit, &region))
		return 0;
	return acpi_reserved_add(&dmar->scan, device, scope->span.offset,
				 &region);
}

static int scope_take(struct dmar_scan *dmar, const struct dmar_structure *s,
		      const struct dmar_scope *scope)
{
	struct desc_port port = { .segment = s->segment };
	struct desc_device *device;
	int ret;

	if (s->type == DMAR_ATSR) {
		port.rid = dmar_scope_rid(dmar, s->segment, scope);
		return port_add(dmar, &port);
	}
	if (!dmar_scope_is_device(dmar, scope))
		return 0;
	ret = dmar_function_get(dmar, s->segment, scope, &device);
	if (ret)
		return ret;
	if (s->type == DMAR_RMRR)
		return rmrr_scope(dmar, s, scope, device);
	if (s->type == DMAR_SATC) {
		device->translates = true;
		if (s->flags & DMAR_ATC_REQUIRED)
			device->must_translate = true;
	} else {
		device->has_sidp = 1;
		device->sidp |= scope->flags;
	}
	return 0;
}

static void rhsa_take(struct dmar_scan *dmar, const struct dmar_structure *rhsa)
{
	struct desc_unit *unit = dmar_unit_at(dmar, rhsa->base);

	if (!unit) {
		acpi_remark(&dmar->scan, rhsa->span.offset,
			    "an RHSA of no unit: left out");
		return;
	}
	unit->vtd.has_proximity = 1;
	unit->vtd.proximity = rhsa->proximity;
}

static int structure_take(struct dmar_scan *dmar,
			  const struct dmar_structure *s)
{
	const struct desc_port all = { .segment = s->segment, .all = 1 };
	struct dmar_scope scope;
	const char *what;
	uint32_t at = 0;
	int ret = 0;

	if (s->type == DMAR_RHSA)
		rhsa_take(dmar, s);
	if (s->type >= DMAR_TYPES_)
		acpi_remark(&dmar->scan, s->span.offset,
			    "a structure of no known type: left out");
	if (s->type == DMAR_RMRR && !s->scopes.length)
		acpi_remark(&dmar->scan, s->span.offset,
			    "a region of no device: left out");
	if (s->type == DMAR_ATSR && (s->flags & DMAR_ALL_PORTS))
		return port_add(dmar, &all);
	if (s->type == DMAR_DRHD)
		return 0;
	if (s->type == DMAR_SATC)
		ret = satc_add(dmar, s->segment);
	if (ret)
		return ret;
	while ((ret = dmar_scope_next(s, &at, &scope, &what)) > 0) {
		if (!dmar_scope_is_good(dmar, &scope))
			continue;
		ret = scope_take(dmar, s, &scope);
		if (ret)
			return ret;
	}
	if (ret)
		return acpi_fail(&dmar->scan, s->scopes.offset + at, what);
	return 0;
}

/* ---- who sees the rest ---- */

static struct desc_unit *owner_of(const struct dmar_segment *segment,
				  uint32_t bus)
{
	if (segment->owner && segment->owner[bus])
		return segment->owner[bus];
	return segment->all;
}

/* Functions that only a region or a property names. */
static int functions_settle(struct dmar_scan *dmar)
{
	struct acpi_entry *entry, *segment;
	struct desc_device *device;
	struct desc_unit *unit;
	int ret = 0;

	for (entry = dmar->functions.first; entry && !ret;
	     entry = entry->next) {
		device = entry->value;
		if (!device || device->streams)
			continue;
		segment = acpi_index_find(&dmar->scan, &dmar->segments,
					  device->pci >> 16);
		unit = segment ? owner_of(segment->value,
					  (device->pci >> 8) & (DMAR_BUSES - 1))
			       : NULL;
		if (unit)
			ret = dmar_function_claim(dmar, device, device->fw_id,
						  unit);
		else
			acpi_remark(&dmar->scan, device->fw_id,
				    "a device that no unit sees");
	}
	return ret;
}

/* Buses [@first, @end) as a range device, before those carved out of it. */
static int range_add(struct dmar_scan *dmar, const struct dmar_segment *segment,
		     uint32_t first, uint32_t end, const struct desc_unit *unit)
{
	struct desc_device *device =
		tablemem_object_alloc(dmar->scan.set->mem, sizeof(*device));
	const struct desc_stream stream = {
		.unit = unit,
		.first = first * DMAR_FUNCTIONS,
		.nr = (end - first) * DMAR_FUNCTIONS,
		.rid = first * DMAR_FUNCTIONS,
	};

	if (!device)
		return IOMMUABS_E_NOMEM;
	device->next = *dmar->last_range;
	*dmar->last_range = device;
	dmar->last_range = &device->next;
	device->flags = IOMMUABS_DEVICE_PCI | IOMMUABS_DEVICE_RANGE;
	device->pci = segment->number << 16 | stream.first;
	device->nr_pci = stream.nr;
	return acpi_stream_add(&dmar->scan, device, &stream);
}

static int ranges_add(struct dmar_scan *dmar,
		      const struct dmar_segment *segment)
{
	uint32_t first = 0, bus;
	struct desc_unit *unit;
	int ret = 0;

	for (bus = 1; bus <= DMAR_BUSES && !ret; bus++) {
		dmar->scan.set->work++;
		unit = owner_of(segment, first);
		if (bus < DMAR_BUSES && owner_of(segment, bus) == unit)
			continue;
		if (unit)
			ret = range_add(dmar, segment, first, bus, unit);
		first = bus;
	}
	if (!segment->all)
		acpi_remark(&dmar->scan, segment->offset,
			    "a segment without INCLUDE_PCI_ALL");
	return ret;
}

/* ---- the whole ---- */

static int name_take(struct dmar_scan *dmar, const struct dmar_structure *andd)
{
	struct acpi_entry *entry =
		acpi_index_get(&dmar->scan, &dmar->names, andd->device_number);

	if (!entry)
		return IOMMUABS_E_NOMEM;
	if (entry->value)
		acpi_remark(&dmar->scan, andd->span.offset,
			    "a second name of one namespace device: ignored");
	else
		entry->value = (void *)(uintptr_t)andd->span.offset;
	return 0;
}

static int walk(struct dmar_scan *dmar, enum dmar_type type,
		int (*take)(struct dmar_scan *dmar,
			    const struct dmar_structure *s))
{
	struct dmar_structure s;
	uint32_t at = DMAR_FIRST;
	const char *what = NULL;
	int ret;

	while ((ret = dmar_next(&dmar->table, &at, &s, &what)) > 0) {
		dmar->scan.set->work += s.span.length;
		if (type != DMAR_TYPES_ && s.type != type)
			continue;
		ret = take(dmar, &s);
		if (ret)
			return ret;
	}
	return ret ? acpi_fail(&dmar->scan, at, what) : 0;
}

static int scan_run(struct dmar_scan *dmar)
{
	struct acpi_entry *entry;
	int ret = walk(dmar, DMAR_ANDD, name_take);

	if (!ret)
		ret = walk(dmar, DMAR_DRHD, dmar_drhd_take);
	if (!ret)
		ret = walk(dmar, DMAR_TYPES_, structure_take);
	if (!ret)
		ret = functions_settle(dmar);
	for (entry = dmar->segments.first; entry && !ret; entry = entry->next)
		ret = ranges_add(dmar, entry->value);
	return ret;
}

/* They were put in front; people expect the table's order. */
static void lists_turn(struct desc_set *set)
{
	struct desc_source *source, *sources;
	struct desc_port *port, *ports = NULL;
	struct desc_unit *unit;

	for (unit = set->units; unit; unit = unit->next) {
		sources = NULL;
		while ((source = unit->vtd.sources) != NULL) {
			unit->vtd.sources = source->next;
			source->next = sources;
			sources = source;
		}
		unit->vtd.sources = sources;
	}
	while ((port = set->ats.ports) != NULL) {
		set->ats.ports = port->next;
		port->next = ports;
		ports = port;
	}
	set->ats.ports = ports;
}

static void header_take(struct dmar_scan *dmar)
{
	const struct acpi_span *span = &dmar->table.span;
	struct desc_dmar *found = &dmar->scan.set->dmar;

	found->present = 1;
	found->address_bits = acpi_get8(span, 36) + 1;
	found->flags = acpi_get8(span, 37);
	if (!dmar->table.checksum_good)
		acpi_remark(&dmar->scan, 9, "the checksum is wrong");
	if (dmar->table.size > span->length)
		acpi_remark(&dmar->scan, 4, "bytes after the table's end");
	dmar->scan.set->work += span->length;
}

int desc_scan_dmar(struct desc_set *set, const void *table, size_t size)
{
	struct dmar_scan dmar = { .last_range = &set->devices };
	const char *what;
	int ret;

	if (!table)
		return IOMMUABS_E_INVAL;
	acpi_scan_begin(&dmar.scan, set, "DMAR");
	ret = acpi_table_open(table, size, "DMAR", &dmar.table, &what);
	if (ret)
		return acpi_fail(&dmar.scan, 0, what);
	header_take(&dmar);
	ret = scan_run(&dmar);
	lists_turn(set);
	dmar_segments_free(&dmar);
	acpi_index_free(&dmar.scan, &dmar.functions);
	acpi_index_free(&dmar.scan, &dmar.ways);
	acpi_index_free(&dmar.scan, &dmar.bases);
	acpi_index_free(&dmar.scan, &dmar.names);
	return ret;
}

#endif
