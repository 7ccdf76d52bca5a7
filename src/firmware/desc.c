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

static void device_free(struct tablemem *mem, struct desc_device *device)
{
	struct desc_reserved *reserved;
	struct desc_stream *stream;

	while ((stream = device->streams) != NULL) {
		device->streams = stream->next;
		tablemem_object_free(mem, stream, sizeof(*stream));
	}
	while ((reserved = device->reserved) != NULL) {
		device->reserved = reserved->next;
		tablemem_object_free(mem, reserved, sizeof(*reserved));
	}
	tablemem_object_free(mem, device, sizeof(*device));
}

void desc_free(struct desc_set *set)
{
	struct desc_device *device;
	struct desc_unit *unit;

	while ((device = set->devices) != NULL) {
		set->devices = device->next;
		device_free(set->mem, device);
	}
	while ((unit = set->units) != NULL) {
		set->units = unit->next;
		tablemem_object_free(set->mem, unit, sizeof(*unit));
	}
}
