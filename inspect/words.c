/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * words.c - how things are called, in text and pictures
 */
#include <inttypes.h>

#include "backends/backend.h"
#include "inspect.h"

const char *unit_type_name(enum iommuabs_unit_type type)
{
	switch (type) {
	case IOMMUABS_UNIT_SMMUV3:
		return "smmu-v3";
	case IOMMUABS_UNIT_SMMUV2:
		return "smmu-v1v2";
	case IOMMUABS_UNIT_VTD:
		return "vt-d";
	default:
		return "other";
	}
}

void unit_label(const struct desc_unit *unit, char *text, size_t size)
{
	if (unit->path[0])
		snprintf(text, size, "%s", unit->path);
	else
		snprintf(text, size, "%s@%" PRIx64, unit_type_name(unit->type),
			 unit->base);
}

static void pci_label(uint32_t pci, char *text, size_t size)
{
	snprintf(text, size, "%04x:%02x:%02x.%x", pci >> 16, pci >> 8 & 0xff,
		 pci >> 3 & 0x1f, pci & 7);
}

static void functions_label(uint32_t pci, uint32_t nr, char *text, size_t size)
{
	char first[16], last[16];

	pci_label(pci, first, sizeof(first));
	pci_label(pci + nr - 1, last, sizeof(last));
	if (nr <= 1)
		snprintf(text, size, "%s", first);
	else
		snprintf(text, size, "%s to %s", first, last);
}

void device_label(const struct desc_device *device, char *text, size_t size)
{
	if (device->path[0])
		snprintf(text, size, "%s", device->path);
	else if (device->flags & IOMMUABS_DEVICE_PCI)
		functions_label(device->pci, device->nr_pci, text, size);
	else if (device->streams)
		snprintf(text, size, "ids from 0x%x on, that no device has",
			 device->streams->first);
	else
		snprintf(text, size, "a device without a name");
}

void alias_label(const struct desc_alias *alias, char *text, size_t size)
{
	if (alias->path[0])
		snprintf(text, size, "%s", alias->path);
	else if (alias->nr_pci)
		functions_label(alias->pci, alias->nr_pci, text, size);
	else
		snprintf(text, size, "a device without a name");
}

void make_plain(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

bool device_is_seen(const struct desc_device *device)
{
	const struct desc_stream *stream;
	bool some = false, all = true;

	for (stream = device->streams; stream; stream = stream->next) {
		some |= !stream->unit->disabled;
		all &= !stream->unit->disabled;
	}
	return some && (all || device->flags & IOMMUABS_DEVICE_RANGE);
}

/* What the unit's own registers decide is not in any table. */
const char *unit_share(const struct desc_unit *unit)
{
	if (unit->disabled)
		return "no: the unit is off";
	if (!backend_find(unit->type))
		return "no: this build has no driver";
	return "unknown: its ID registers say whether it can walk the p2m";
}

const char *unit_mirror(const struct desc_unit *unit)
{
	if (unit->disabled)
		return "no: the unit is off";
	if (!backend_find(unit->type))
		return "no: this build has no driver";
	return "unknown: its ID registers say which formats it has";
}

const char *memory_type_name(uint32_t flags)
{
	if (!flags)
		return "to stay unmapped";
	switch (flags & IOMMUABS_MEMTYPE) {
	case IOMMUABS_DEVICE:
		return "device memory";
	case IOMMUABS_WRITE_COMBINING:
		return "write-combining";
	default:
		return "normal memory";
	}
}
