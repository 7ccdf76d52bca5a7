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
#include "../host/caller.h"
#include "acpi_scan.h"

#if IOMMUABS_CONFIG_ACPI

#define BUSES	  256
#define FUNCTIONS 256 /* of a bus */
#define RW	  (IOMMUABS_READ | IOMMUABS_WRITE | IOMMUABS_NORMAL)

/* PCI: header type in the word at 0xc, bus numbers in that at 0x18. */
#define CFG_HEADER_TYPE	     0x0c
#define CFG_HEADER_TYPE_MASK FIELD(22, 16)
#define CFG_HEADER_BRIDGE    1
#define CFG_BUSES	     0x18
#define CFG_SECONDARY	     FIELD(15, 8)
#define CFG_SUBORDINATE	     FIELD(23, 16)

struct segment {
	uint32_t number;
	uint32_t offset;       /* of the first DRHD */
	struct desc_unit *all; /* the one with INCLUDE_PCI_ALL */
	/* NULL, or per bus: who sees it, by which bridge's number of buses. */
	struct desc_unit **owner;
	uint16_t *width;
};

_Static_assert(BUSES * sizeof(struct desc_unit *) <= TABLEMEM_OBJECT_MAX,
	       "a small object");

struct dmar_scan {
	struct acpi_scan scan;
	struct acpi_table table;
	struct acpi_index names;    /* namespace device number: ANDD's offset */
	struct acpi_index bases;    /* page of a unit's registers */
	struct acpi_index segments; /* number */
	struct acpi_index functions; /* IOMMUABS_PCI(): struct desc_device */
	struct acpi_index ways;	     /* sum of a path: the same, unknown */
	struct desc_device **last_range;
};

/* ---- the way to a device ---- */

/* The host's answer; all ones where it has none. */
static uint32_t cfg_read(const struct dmar_scan *dmar, uint32_t pci,
			 unsigned int offset)
{
	const struct hostif *host = dmar->scan.set->mem->host;

	if (!host->ops.pci_cfg_read)
		return ~0u;
	caller_waits(host);
	return host->ops.pci_cfg_read(host->ctx, pci, offset);
}

/* Buses behind the bridge @pci. False: nobody knows. */
static bool bridge_buses(const struct dmar_scan *dmar, uint32_t pci,
			 uint32_t *first, uint32_t *last)
{
	uint32_t type = cfg_read(dmar, pci, CFG_HEADER_TYPE);
	uint32_t buses;

	if (field_get(CFG_HEADER_TYPE_MASK, type) != CFG_HEADER_BRIDGE)
		return false;
	buses = cfg_read(dmar, pci, CFG_BUSES);
	*first = (uint32_t)field_get(CFG_SECONDARY, buses);
	*last = (uint32_t)field_get(CFG_SUBORDINATE, buses);
	return *first && *first <= *last;
}

/* The requester ID of a scope's device, or DESC_RID_UNKNOWN. */
static uint32_t scope_rid(struct dmar_scan *dmar, uint32_t segment,
			  const struct dmar_scope *scope)
{
	uint32_t bus = scope->bus, n, rid = 0, last;

	for (n = 0; n < scope->nr_hops; n++) {
		rid = bus << 8 | dmar_hop(scope, n);
		dmar->scan.set->work++;
		if (n + 1 < scope->nr_hops &&
		    !bridge_buses(dmar, segment << 16 | rid, &bus, &last))
			return DESC_RID_UNKNOWN;
	}
	return rid;
}

/* False: a hop to a device or function that can't be. */
static bool scope_is_good(struct dmar_scan *dmar,
			  const struct dmar_scope *scope)
{
	uint32_t n;

	for (n = 0; n < scope->nr_hops; n++) {
		if (dmar_hop(scope, n) != ~0u)
			continue;
		acpi_remark(&dmar->scan, scope->span.offset,
			    "a path with no such device or function: left out");
		return false;
	}
	return true;
}

/* The way, where it is all that is known: 0000:00:1c.4/00.0 */
static void path_print(char path[IOMMUABS_PATH_MAX], uint32_t segment,
		       const struct dmar_scope *scope)
{
	uint32_t n, hop, left = IOMMUABS_PATH_MAX;
	char *at = path;

	hostif_format(at, left, "%04x:%02x:", segment, scope->bus);
	at += 8;
	left -= 8;
	for (n = 0; n < scope->nr_hops && left > 6; n++) {
		hop = dmar_hop(scope, n);
		hostif_format(at, left, "%s%02x.%x", n ? "/" : "", hop >> 3,
			      hop & 7);
		at += n ? 5 : 4;
		left -= n ? 5 : 4;
	}
}

/* ---- functions and segments ---- */

static int segment_get(struct dmar_scan *dmar,
		       const struct dmar_structure *drhd, struct segment **out)
{
	struct acpi_entry *entry =
		acpi_index_get(&dmar->scan, &dmar->segments, drhd->segment);
	struct segment *segment;

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

static void segments_free(struct dmar_scan *dmar)
{
	struct tablemem *mem = dmar->scan.set->mem;
	struct acpi_entry *entry;
	struct segment *segment;

	for (entry = dmar->segments.first; entry; entry = entry->next) {
		segment = entry->value;
		if (segment && segment->owner)
			tablemem_object_free(mem, segment->owner,
					     BUSES * sizeof(*segment->owner));
		if (segment && segment->width)
			tablemem_object_free(mem, segment->width,
					     BUSES * sizeof(*segment->width));
		if (segment)
			tablemem_object_free(mem, segment, sizeof(*segment));
	}
	acpi_index_free(&dmar->scan, &dmar->segments);
}

static struct desc_device *function_add(struct dmar_scan *dmar,
					const struct dmar_scope *scope,
					uint32_t pci)
{
	struct desc_device *device = acpi_device_add(&dmar->scan);

	if (!device)
		return NULL;
	device->flags = IOMMUABS_DEVICE_PCI;
	device->pci = pci;
	device->nr_pci = 1;
	device->fw_id = scope->span.offset;
	return device;
}

/* FNV-1a: ways are few, and two with one sum are only not found again. */
static uint32_t sum_of(const char *path)
{
	uint32_t sum = 0x811c9dc5;

	for (; *path; path++)
		sum = (sum ^ (uint8_t)*path) * 0x01000193;
	return sum;
}

static int way_get(struct dmar_scan *dmar, uint32_t segment,
		   const struct dmar_scope *scope, struct desc_device **out)
{
	char path[IOMMUABS_PATH_MAX] = { 0 };
	struct acpi_entry *entry;

	path_print(path, segment, scope);
	entry = acpi_index_get(&dmar->scan, &dmar->ways, sum_of(path));
	if (!entry)
		return IOMMUABS_E_NOMEM;
	*out = entry->value;
	if (*out && !__builtin_memcmp((*out)->path, path, sizeof(path)))
		return 0;
	*out = function_add(dmar, scope, segment << 16);
	if (!*out)
		return IOMMUABS_E_NOMEM;
	entry->value = *out;
	(*out)->unknown = 1;
	__builtin_memcpy((*out)->path, path, sizeof(path));
	acpi_remark(&dmar->scan, scope->span.offset,
		    "the bus numbers on the way are not known");
	return 0;
}

/* The device that a scope names: known by its requester ID, or by the way. */
static int function_get(struct dmar_scan *dmar, uint32_t segment,
			const struct dmar_scope *scope,
			struct desc_device **out)
{
	uint32_t rid = scope_rid(dmar, segment, scope);
	struct acpi_entry *entry;

	if (rid == DESC_RID_UNKNOWN)
		return way_get(dmar, segment, scope, out);
	entry = acpi_index_get(&dmar->scan, &dmar->functions,
			       segment << 16 | rid);
	if (!entry)
		return IOMMUABS_E_NOMEM;
	if (!entry->value)
		entry->value = function_add(dmar, scope, entry->key);
	*out = entry->value;
	return *out ? 0 : IOMMUABS_E_NOMEM;
}

/* The first unit that claims a function has it. */
static int function_claim(struct dmar_scan *dmar, struct desc_device *device,
			  uint32_t offset, const struct desc_unit *unit)
{
	const struct desc_stream stream = {
		.unit = unit,
		.first = device->pci & 0xffff,
		.nr = 1,
		.rid = device->pci & 0xffff,
	};

	if (!device->streams)
		return acpi_stream_add(&dmar->scan, device, &stream);
	if (device->streams->unit != unit)
		acpi_remark(&dmar->scan, offset,
			    "another unit has this device: left with it");
	return 0;
}

/* ---- DRHD ---- */

static int buses_alloc(struct dmar_scan *dmar, struct segment *segment)
{
	struct tablemem *mem = dmar->scan.set->mem;

	if (!segment->owner)
		segment->owner = tablemem_object_alloc(
			mem, BUSES * sizeof(*segment->owner));
	if (!segment->width)
		segment->width = tablemem_object_alloc(
			mem, BUSES * sizeof(*segment->width));
	return segment->owner && segment->width ? 0 : IOMMUABS_E_NOMEM;
}

/* Of two bridges the nearer one decides: the one with fewer buses. */
static int buses_claim(struct dmar_scan *dmar, struct segment *segment,
		       const struct dmar_scope *scope,
		       const struct desc_device *bridge, struct desc_unit *unit)
{
	uint32_t first, last, bus;
	uint16_t width;
	int ret;

	if (bridge->unknown ||
	    !bridge_buses(dmar, bridge->pci, &first, &last)) {
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
	source->rid = scope_rid(dmar, unit->vtd.segment, scope);
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

static int drhd_scope(struct dmar_scan *dmar, struct segment *segment,
		      const struct dmar_scope *scope, struct desc_unit *unit)
{
	struct desc_device *device;
	int ret;

	if (scope->type == DMAR_SCOPE_IOAPIC || scope->type == DMAR_SCOPE_HPET)
		return source_add(dmar, unit, scope);
	if (scope->type != DMAR_SCOPE_ENDPOINT &&
	    scope->type != DMAR_SCOPE_BRIDGE &&
	    scope->type != DMAR_SCOPE_NAMESPACE) {
		acpi_remark(&dmar->scan, scope->span.offset,
			    "a device scope of no known type: left out");
		return 0;
	}
	ret = function_get(dmar, segment->number, scope, &device);
	if (!ret)
		ret = function_claim(dmar, device, scope->span.offset, unit);
	if (!ret && scope->type == DMAR_SCOPE_NAMESPACE)
		ret = device_name(dmar, scope, device);
	if (!ret && scope->type == DMAR_SCOPE_BRIDGE)
		ret = buses_claim(dmar, segment, scope, device, unit);
	return ret;
}

/* What the unit is, and whether its registers can be where the table says. */
static int unit_get(struct dmar_scan *dmar, const struct dmar_structure *drhd,
		    struct desc_unit **out)
{
	uint64_t page = drhd->base >> IOMMUABS_FRAME_LG2;
	struct acpi_entry *entry = NULL;
	struct desc_unit *unit;
	const char *bad = NULL;

	if (!drhd->base)
		bad = "a unit without registers (base 0): left out, "
		      "its devices are untranslated";
	else if ((drhd->base & (IOMMUABS_FRAME_SIZE - 1)) || page >> 32)
		bad = "a unit whose registers can't be there: left out, "
		      "its devices are untranslated";
	if (!bad) {
		entry = acpi_index_get(&dmar->scan, &dmar->bases,
				       (uint32_t)page);
		if (!entry)
			return IOMMUABS_E_NOMEM;
		*out = unit = entry->value;
		if (unit && unit->vtd.segment != drhd->segment)
			return acpi_fail(&dmar->scan, drhd->span.offset,
					 "a unit of two PCI segments");
		if (unit) {
			acpi_remark(&dmar->scan, drhd->span.offset,
				    "a second DRHD of the same unit");
			return 0;
		}
	}
	unit = acpi_unit_add(&dmar->scan, IOMMUABS_UNIT_VTD, drhd->span.offset);
	if (!unit)
		return IOMMUABS_E_NOMEM;
	if (entry)
		entry->value = unit;
	unit->base = drhd->base;
	unit->length = IOMMUABS_FRAME_SIZE << (drhd->size_lg2 & 0xf);
	unit->disabled = bad != NULL;
	unit->vtd.segment = drhd->segment;
	if (bad)
		acpi_remark(&dmar->scan, drhd->span.offset, bad);
	*out = unit;
	return 0;
}

static int drhd_take(struct dmar_scan *dmar, const struct dmar_structure *drhd)
{
	struct segment *segment = NULL;
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
		if (!scope_is_good(dmar, &scope))
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

/* ---- the other structures ---- */

static int port_add(struct dmar_scan *dmar, const struct desc_port *port)
{
	struct desc_port *copy =
		tablemem_object_alloc(dmar->scan.set->mem, sizeof(*copy));

	if (!copy)
		return IOMMUABS_E_NOMEM;
	*copy = *port;
	copy->next = dmar->scan.set->dmar.ports;
	dmar->scan.set->dmar.ports = copy;
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
		port.rid = scope_rid(dmar, s->segment, scope);
		return port_add(dmar, &port);
	}
	if (scope->type != DMAR_SCOPE_ENDPOINT &&
	    scope->type != DMAR_SCOPE_BRIDGE &&
	    scope->type != DMAR_SCOPE_NAMESPACE) {
		acpi_remark(&dmar->scan, scope->span.offset,
			    "a device scope of no known type: left out");
		return 0;
	}
	ret = function_get(dmar, s->segment, scope, &device);
	if (ret)
		return ret;
	if (s->type == DMAR_RMRR)
		return rmrr_scope(dmar, s, scope, device);
	if (s->type == DMAR_SATC) {
		device->vtd_flags |= DESC_VTD_ATC;
		if (s->flags & DMAR_ATC_REQUIRED)
			device->vtd_flags |= DESC_VTD_ATC_REQUIRED;
	} else {
		device->vtd_flags |= DESC_VTD_SIDP;
		device->vtd_sidp |= scope->flags;
	}
	return 0;
}

static void rhsa_take(struct dmar_scan *dmar, const struct dmar_structure *rhsa)
{
	uint64_t page = rhsa->base >> IOMMUABS_FRAME_LG2;
	struct acpi_entry *entry = NULL;
	struct desc_unit *unit;

	if (!(page >> 32))
		entry = acpi_index_find(&dmar->scan, &dmar->bases,
					(uint32_t)page);
	if (!entry) {
		acpi_remark(&dmar->scan, rhsa->span.offset,
			    "an RHSA of no unit: left out");
		return;
	}
	unit = entry->value;
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
	while ((ret = dmar_scope_next(s, &at, &scope, &what)) > 0) {
		if (!scope_is_good(dmar, &scope))
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

static struct desc_unit *owner_of(const struct segment *segment, uint32_t bus)
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
					  (device->pci >> 8) & (BUSES - 1))
			       : NULL;
		if (unit)
			ret = function_claim(dmar, device, device->fw_id, unit);
		else
			acpi_remark(&dmar->scan, device->fw_id,
				    "a device that no unit sees");
	}
	return ret;
}

/* Buses [@first, @end) as a range device, before those carved out of it. */
static int range_add(struct dmar_scan *dmar, const struct segment *segment,
		     uint32_t first, uint32_t end, const struct desc_unit *unit)
{
	struct desc_device *device =
		tablemem_object_alloc(dmar->scan.set->mem, sizeof(*device));
	const struct desc_stream stream = {
		.unit = unit,
		.first = first * FUNCTIONS,
		.nr = (end - first) * FUNCTIONS,
		.rid = first * FUNCTIONS,
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

static int ranges_add(struct dmar_scan *dmar, const struct segment *segment)
{
	uint32_t first = 0, bus;
	struct desc_unit *unit;
	int ret = 0;

	for (bus = 1; bus <= BUSES && !ret; bus++) {
		dmar->scan.set->work++;
		unit = owner_of(segment, first);
		if (bus < BUSES && owner_of(segment, bus) == unit)
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
		ret = walk(dmar, DMAR_DRHD, drhd_take);
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
	while ((port = set->dmar.ports) != NULL) {
		set->dmar.ports = port->next;
		port->next = ports;
		ports = port;
	}
	set->dmar.ports = ports;
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
	segments_free(&dmar);
	acpi_index_free(&dmar.scan, &dmar.functions);
	acpi_index_free(&dmar.scan, &dmar.ways);
	acpi_index_free(&dmar.scan, &dmar.bases);
	acpi_index_free(&dmar.scan, &dmar.names);
	return ret;
}

#endif
