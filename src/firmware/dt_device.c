/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dt_device.c - nodes that are DMA masters
 */
#include "dt.h"

#if IOMMUABS_CONFIG_FDT

_Static_assert(sizeof(struct desc_device) <= TABLEMEM_OBJECT_MAX,
	       "a small object");

#define BUSES	256
#define DOMAINS 0x10000

static bool is_pci(struct dt_scan *scan, const struct dt_node *node)
{
	return dt_string_is(scan, &node->props[DT_DEVICE_TYPE], 0, "pci");
}

bool dt_is_pci_host(struct dt_scan *scan, const struct dt_node *node)
{
	return is_pci(scan, node) && node->parent &&
	       !is_pci(scan, node->parent);
}

void dt_streams_drop(struct dt_scan *scan, struct desc_device *device)
{
	struct desc_stream *stream;

	while ((stream = device->streams) != NULL) {
		device->streams = stream->next;
		tablemem_object_free(scan->set->mem, stream, sizeof(*stream));
	}
}

/* ---- iommus ---- */

static struct desc_stream *
stream_alloc(struct dt_scan *scan, const struct desc_unit *unit, uint32_t id)
{
	struct desc_stream *stream =
		tablemem_object_alloc(scan->set->mem, sizeof(*stream));

	if (stream) {
		stream->unit = unit;
		stream->first = id;
		stream->nr = 1;
	}
	return stream;
}

/* An id that is there twice counts once; one behind a range makes it longer. */
static int stream_add(struct dt_scan *scan, struct desc_device *device,
		      const struct desc_unit *unit, uint32_t id)
{
	struct desc_stream **at = &device->streams, *stream, *before = NULL;
	uint32_t n = 0;

	for (; (stream = *at) != NULL; at = &stream->next, n++) {
		scan->set->work++;
		if (stream->unit != unit)
			continue;
		if (id >= stream->first && id - stream->first < stream->nr)
			return 0;
		if ((uint64_t)stream->first + stream->nr == id)
			before = stream;
	}
	if (before) {
		before->nr++;
		return 0;
	}
	/* Of another maker's unit one is enough: nothing can be done there. */
	if (n == IOMMUABS_STREAM_RANGES_MAX &&
	    unit->type == IOMMUABS_UNIT_OTHER)
		return 0;
	if (n == IOMMUABS_STREAM_RANGES_MAX)
		return dt_fail(scan, DT_IOMMUS, "too many specifiers");
	*at = stream_alloc(scan, unit, id);
	return *at ? 0 : IOMMUABS_E_NOMEM;
}

/*
 * All units that see the device are bound, or none: where one of them is off,
 * nothing stops what goes through there, and the device is untranslated.
 */
static int streams_of(struct dt_scan *scan, const struct dt_node *node,
		      struct desc_device *device)
{
	const struct dt_prop *prop = &node->props[DT_IOMMUS];
	struct dt_specifier spec;
	bool is_off = false;
	uint32_t at = 0;
	int ret;

	while ((ret = dt_specifier_next(scan, node, DT_IOMMUS, DT_KIND_IOMMU,
					&at, &spec)) > 0) {
		is_off |= spec.target->unit->disabled;
		ret = stream_add(scan, device, spec.target->unit,
				 spec.nr_args ? dt_cell(prop, spec.args) : 0);
		if (ret)
			break;
	}
	if (is_off)
		dt_streams_drop(scan, device);
	return ret;
}

static bool has_id(struct dt_scan *scan, const struct desc_device *device,
		   const struct desc_unit *unit, uint32_t id)
{
	const struct desc_stream *at;

	for (at = device->streams; at; at = at->next) {
		scan->set->work++;
		if (at->unit == unit && id >= at->first &&
		    id - at->first < at->nr)
			return true;
	}
	return false;
}

/*
 * What a range device does itself, besides those that its map is for. An id that
 * the map has too is some function's.
 */
static int own_streams_of(struct dt_scan *scan, const struct dt_node *node,
			  struct desc_device *device)
{
	const struct dt_prop *prop = &node->props[DT_IOMMUS];
	struct desc_stream **last;
	struct dt_specifier spec;
	uint32_t at = 0, id, n;
	int ret;

	while ((ret = dt_specifier_next(scan, node, DT_IOMMUS, DT_KIND_IOMMU,
					&at, &spec)) > 0) {
		id = spec.nr_args ? dt_cell(prop, spec.args) : 0;
		if (spec.target->unit->disabled ||
		    has_id(scan, device, spec.target->unit, id))
			continue;
		for (last = &device->streams, n = 0; *last; n++)
			last = &(*last)->next;
		if (n == IOMMUABS_STREAM_RANGES_MAX)
			return dt_fail(scan, DT_IOMMUS,
				       "too many specifiers, with iommu-map");
		*last = stream_alloc(scan, spec.target->unit, id);
		if (!*last)
			return IOMMUABS_E_NOMEM;
		(*last)->rid = DESC_RID_OWN;
	}
	return ret;
}

/* ---- PCI host bridges ---- */

static int pci_place(struct dt_scan *scan, const struct dt_node *node,
		     struct desc_device *device)
{
	const struct dt_prop *buses = &node->props[DT_BUS_RANGE];
	uint32_t first = 0, last = BUSES - 1, domain;

	if (buses->data) {
		if (buses->size != 8)
			return dt_fail(scan, DT_BUS_RANGE, "not two cells");
		first = dt_cell(buses, 0);
		last = dt_cell(buses, 1);
		if (first > last || last >= BUSES)
			return dt_fail(scan, DT_BUS_RANGE, "no such buses");
	}
	domain = dt_has(node, DT_PCI_DOMAIN) ? dt_u32(node, DT_PCI_DOMAIN)
					     : scan->next_domain++;
	if (domain >= DOMAINS)
		return dt_fail(scan, DT_PCI_DOMAIN, "no such domain");
	device->flags |= IOMMUABS_DEVICE_PCI;
	device->pci = IOMMUABS_PCI(domain, first, 0, 0);
	device->nr_pci = (last - first + 1) << 8;
	return 0;
}

/* ---- interrupts by message ---- */

/*
 * An ITS knows by the device's id which interrupts it may raise. Any other
 * target of messages takes them from whoever can write there.
 */
static int msi_parent_check(struct dt_scan *scan, const struct dt_node *node,
			    struct desc_device *device)
{
	struct dt_specifier spec;
	uint32_t at = 0;
	int ret;

	while ((ret = dt_specifier_next(scan, node, DT_MSI_PARENT, DT_KIND_MSI,
					&at, &spec)) > 0)
		if (!spec.target->is_its)
			device->flags |= IOMMUABS_DEVICE_UNSAFE_MSI;
	return ret;
}

/*
 * A host bridge without another target catches the messages of its functions
 * itself, before any unit sees them, and doesn't look at who sent them.
 */
static bool takes_messages(struct dt_scan *scan, const struct dt_node *node)
{
	return dt_is_pci_host(scan, node) &&
	       (dt_has(node, DT_MSI_CONTROLLER) ||
		dt_any_begins(scan, &node->props[DT_INTERRUPT_NAMES], "msi"));
}

static int msi_check(struct dt_scan *scan, const struct dt_node *node,
		     struct desc_device *device)
{
	struct dt_map_entry entry;
	struct dt_map map;
	int ret;

	if (!dt_has(node, DT_MSI_MAP) && !dt_has(node, DT_MSI_PARENT) &&
	    takes_messages(scan, node))
		device->flags |= IOMMUABS_DEVICE_UNSAFE_MSI;
	if (!dt_has(node, DT_MSI_MAP))
		return msi_parent_check(scan, node, device);
	dt_map_open(scan, node, DT_MSI_MAP, &map);
	while ((ret = dt_map_next(scan, &map, &entry)) > 0)
		if (!entry.target->is_its)
			device->flags |= IOMMUABS_DEVICE_UNSAFE_MSI;
	return ret;
}

/* ---- devices ---- */

static int device_describe(struct dt_scan *scan, const struct dt_node *node,
			   struct desc_device *device)
{
	int ret = 0;

	if (dt_is_pci_host(scan, node))
		ret = pci_place(scan, node, device);
	if (!ret && dt_has(node, DT_IOMMU_MAP))
		ret = dt_map_streams(scan, node, device);
	/*
	 * With a map, iommus are of the bridge's own DMA, a part of the device.
	 * Where that is one and some functions are untranslated, all of it is.
	 */
	if (!ret && (device->flags & IOMMUABS_DEVICE_RANGE))
		ret = own_streams_of(scan, node, device);
	else if (!ret && (!dt_has(node, DT_IOMMU_MAP) || device->streams))
		ret = streams_of(scan, node, device);
	return ret ? ret : msi_check(scan, node, device);
}

static void device_is(struct dt_scan *scan, struct dt_node *node,
		      struct desc_device *device)
{
	struct dt_target *target = dt_target_of(scan, node);

	node->device = device;
	if (target)
		target->device = device;
}

int dt_device_add(struct dt_scan *scan, struct dt_node *node)
{
	struct desc_device *device;

	if (!node->enabled)
		return 0;
	if (!node->props[DT_IOMMUS].size && !dt_has(node, DT_IOMMU_MAP) &&
	    !dt_is_pci_host(scan, node)) {
		if (node->parent && is_pci(scan, node->parent))
			device_is(scan, node, node->parent->device);
		return 0;
	}
	if (node->path_cut)
		return dt_fail(scan, DT_IOMMUS, "the path is too long");
	device = tablemem_object_alloc(scan->set->mem, sizeof(*device));
	if (!device)
		return IOMMUABS_E_NOMEM;
	*scan->last_device = device;
	scan->last_device = &device->next;
	hostif_format(device->path, sizeof(device->path), "%s", scan->path);
	device_is(scan, node, device);
	return device_describe(scan, node, device);
}

#endif
