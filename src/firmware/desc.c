/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * desc.c - what belongs to descriptions, whoever fills them
 */
#include <iommuabs/error.h>

#include "desc.h"

#if !IOMMUABS_CONFIG_FDT
int desc_scan_fdt(struct desc_set *set, const void *fdt, size_t size)
{
	(void)set;
	(void)fdt;
	(void)size;
	return IOMMUABS_E_NOTSUP;
}
#endif

#if !IOMMUABS_CONFIG_ACPI
int desc_scan_dmar(struct desc_set *set, const void *table, size_t size)
{
	(void)set;
	(void)table;
	(void)size;
	return IOMMUABS_E_NOTSUP;
}

int desc_scan_iort(struct desc_set *set, const void *table, size_t size)
{
	(void)set;
	(void)table;
	(void)size;
	return IOMMUABS_E_NOTSUP;
}
#endif

static bool region_is(const struct iommuabs_reserved *a,
		      const struct iommuabs_reserved *b)
{
	return a->gfn.frame == b->gfn.frame && a->mfn.frame == b->mfn.frame &&
	       a->nr == b->nr && a->flags == b->flags;
}

int desc_reserve(struct desc_set *set, struct desc_device *device,
		 const struct iommuabs_reserved *region)
{
	struct desc_reserved **at = &device->reserved;
	uint32_t n;

	for (n = 0; *at; n++) {
		set->work++;
		if (region_is(&(*at)->region, region))
			return 0;
		at = &(*at)->next;
	}
	if (n == IOMMUABS_RESERVED_MAX)
		return IOMMUABS_E_FIRMWARE;
	*at = tablemem_object_alloc(set->mem, sizeof(**at));
	if (!*at)
		return IOMMUABS_E_NOMEM;
	(*at)->region = *region;
	return 0;
}

void desc_device_free(struct desc_set *set, struct desc_device *device)
{
	struct desc_reserved *reserved;
	struct desc_stream *stream;
	struct desc_alias *alias;

	while ((stream = device->streams) != NULL) {
		device->streams = stream->next;
		tablemem_object_free(set->mem, stream, sizeof(*stream));
	}
	while ((reserved = device->reserved) != NULL) {
		device->reserved = reserved->next;
		tablemem_object_free(set->mem, reserved, sizeof(*reserved));
	}
	while ((alias = device->aliases) != NULL) {
		device->aliases = alias->next;
		tablemem_object_free(set->mem, alias, sizeof(*alias));
	}
	tablemem_object_free(set->mem, device, sizeof(*device));
}

static void unit_free(struct tablemem *mem, struct desc_unit *unit)
{
	struct desc_source *source;

	while ((source = unit->vtd.sources) != NULL) {
		unit->vtd.sources = source->next;
		tablemem_object_free(mem, source, sizeof(*source));
	}
	tablemem_object_free(mem, unit, sizeof(*unit));
}

void desc_free(struct desc_set *set)
{
	struct desc_device *device;
	struct desc_unit *unit;
	struct desc_port *port;
	struct desc_ats_list *satc;

	while ((device = set->devices) != NULL) {
		set->devices = device->next;
		desc_device_free(set, device);
	}
	while ((unit = set->units) != NULL) {
		set->units = unit->next;
		unit_free(set->mem, unit);
	}
	while ((port = set->ats.ports) != NULL) {
		set->ats.ports = port->next;
		tablemem_object_free(set->mem, port, sizeof(*port));
	}
	while ((satc = set->ats.lists) != NULL) {
		set->ats.lists = satc->next;
		tablemem_object_free(set->mem, satc, sizeof(*satc));
	}
}
