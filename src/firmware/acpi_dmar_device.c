/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi_dmar_device.c - the devices that a DMAR's scopes name
 */
#include "../host/caller.h"
#include "acpi_dmar_scan.h"

#if IOMMUABS_CONFIG_ACPI

/* PCI: header type in the word at 0xc, bus numbers in that at 0x18. */
#define CFG_HEADER_TYPE	     0x0c
#define CFG_HEADER_TYPE_MASK FIELD(22, 16)
#define CFG_HEADER_BRIDGE    1
#define CFG_BUSES	     0x18
#define CFG_SECONDARY	     FIELD(15, 8)
#define CFG_SUBORDINATE	     FIELD(23, 16)

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

bool dmar_bridge_buses(const struct dmar_scan *dmar, uint32_t pci,
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

uint32_t dmar_scope_rid(struct dmar_scan *dmar, uint32_t segment,
			const struct dmar_scope *scope)
{
	uint32_t bus = scope->bus, n, rid = 0, last;

	for (n = 0; n < scope->nr_hops; n++) {
		rid = bus << 8 | dmar_hop(scope, n);
		dmar->scan.set->work++;
		if (n + 1 < scope->nr_hops &&
		    !dmar_bridge_buses(dmar, segment << 16 | rid, &bus, &last))
			return DESC_RID_UNKNOWN;
	}
	return rid;
}

bool dmar_scope_is_good(struct dmar_scan *dmar, const struct dmar_scope *scope)
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

bool dmar_scope_is_device(struct dmar_scan *dmar,
			  const struct dmar_scope *scope)
{
	if (scope->type == DMAR_SCOPE_ENDPOINT ||
	    scope->type == DMAR_SCOPE_BRIDGE ||
	    scope->type == DMAR_SCOPE_NAMESPACE)
		return true;
	acpi_remark(&dmar->scan, scope->span.offset,
		    "a device scope of no known type: left out");
	return false;
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

/* ---- functions ---- */

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

int dmar_function_get(struct dmar_scan *dmar, uint32_t segment,
		      const struct dmar_scope *scope, struct desc_device **out)
{
	uint32_t rid = dmar_scope_rid(dmar, segment, scope);
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

int dmar_function_claim(struct dmar_scan *dmar, struct desc_device *device,
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

#endif
