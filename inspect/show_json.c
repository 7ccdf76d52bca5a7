/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * show_json.c - for programs
 */
#include "inspect.h"

#define LABEL_MAX (IOMMUABS_PATH_MAX + 32)

static void rid_show(struct json *json, const char *key, uint32_t rid)
{
	if (rid == DESC_RID_UNKNOWN)
		json_null(json, key);
	else
		json_number(json, key, rid);
}

static void dmar_show(const struct table *table, struct json *json)
{
	const struct desc_dmar *dmar = &table->set.dmar;
	const struct desc_port *port;

	if (!dmar->present)
		return;
	json_open(json, "platform", '{');
	json_number(json, "address_bits", dmar->address_bits);
	json_bool(json, "intr_remap", dmar->flags & DESC_DMAR_INTR_REMAP);
	json_bool(json, "x2apic_opt_out",
		  dmar->flags & DESC_DMAR_X2APIC_OPT_OUT);
	json_bool(json, "dma_ctrl_platform_opt_in",
		  dmar->flags & DESC_DMAR_DMA_CTRL_OPT_IN);
	json_open(json, "ats_ports", '[');
	for (port = table->set.ats.ports; port; port = port->next) {
		json_open(json, NULL, '{');
		json_number(json, "segment", port->segment);
		json_bool(json, "all", port->all);
		if (!port->all)
			rid_show(json, "requester", port->rid);
		json_close(json, '}');
	}
	json_close(json, ']');
	json_close(json, '}');
}

static void vtd_show(const struct desc_vtd *vtd, struct json *json)
{
	const struct desc_source *source;

	json_number(json, "segment", vtd->segment);
	json_bool(json, "include_pci_all", vtd->include_all);
	if (vtd->has_proximity)
		json_number(json, "proximity_domain", vtd->proximity);
	json_open(json, "interrupt_sources", '[');
	for (source = vtd->sources; source; source = source->next) {
		json_open(json, NULL, '{');
		json_string(json, "type",
			    source->type == DESC_SOURCE_HPET ? "hpet"
							     : "ioapic");
		json_number(json, "id", source->id);
		rid_show(json, "requester", source->rid);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void unit_show(const struct desc_unit *unit, struct json *json)
{
	static const char *const which[] = { "event", "error", "sync", "pri" };
	char label[LABEL_MAX];
	uint32_t i;

	unit_label(unit, label, sizeof(label));
	json_open(json, NULL, '{');
	json_string(json, "unit", label);
	json_string(json, "type", unit_type_name(unit->type));
	json_hex(json, "base", unit->base);
	json_hex(json, "length", unit->length);
	json_bool(json, "enabled", !unit->disabled);
	json_bool(json, "coherent", unit->flags & IOMMUABS_UNIT_COHERENT);
	if (unit->type == IOMMUABS_UNIT_VTD)
		vtd_show(&unit->vtd, json);
	json_open(json, "interrupts", '[');
	for (i = 0; i < unit->nr_irqs; i++) {
		json_open(json, NULL, '{');
		json_string(json, "which", which[unit->irqs[i].which]);
		json_number(json, "number", unit->irqs[i].number);
		json_bool(json, "edge", unit->irqs[i].edge);
		json_close(json, '}');
	}
	json_close(json, ']');
	if (unit->msi.controller) {
		json_open(json, "messages", '{');
		json_number(json, "controller", unit->msi.controller);
		json_number(json, "id", unit->msi.id);
		json_close(json, '}');
	}
	json_string(json, "share", unit_share(unit));
	json_string(json, "mirror", unit_mirror(unit));
	json_close(json, '}');
}

static void streams_show(const struct desc_device *device, struct json *json)
{
	const struct desc_stream *stream;
	char label[LABEL_MAX];

	json_open(json, "streams", '[');
	for (stream = device->streams; stream; stream = stream->next) {
		unit_label(stream->unit, label, sizeof(label));
		json_open(json, NULL, '{');
		json_string(json, "unit", label);
		if (device->unknown)
			json_null(json, "first");
		else
			json_number(json, "first", stream->first);
		json_number(json, "count", stream->nr);
		if (device->flags & IOMMUABS_DEVICE_RANGE)
			rid_show(json, "requester", stream->rid);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void reserved_show(const struct desc_device *device, struct json *json)
{
	const struct desc_reserved *reserved;

	json_open(json, "reserved", '[');
	for (reserved = device->reserved; reserved; reserved = reserved->next) {
		json_open(json, NULL, '{');
		json_hex(json, "address",
			 reserved->region.gfn.frame << IOMMUABS_FRAME_LG2);
		json_hex(json, "memory",
			 reserved->region.mfn.frame << IOMMUABS_FRAME_LG2);
		json_hex(json, "size",
			 reserved->region.nr << IOMMUABS_FRAME_LG2);
		json_string(json, "type",
			    memory_type_name(reserved->region.flags));
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void device_show(const struct desc_device *device, struct json *json)
{
	const struct desc_alias *alias;
	char label[LABEL_MAX];

	device_label(device, label, sizeof(label));
	json_open(json, NULL, '{');
	json_string(json, "device", label);
	if (device->flags & IOMMUABS_DEVICE_PCI && !device->unknown) {
		json_number(json, "pci", device->pci);
		json_number(json, "functions", device->nr_pci);
	}
	json_bool(json, "known", !device->unknown);
	json_bool(json, "translated", device_is_seen(device));
	json_bool(json, "range", device->flags & IOMMUABS_DEVICE_RANGE);
	json_bool(json, "unsafe_msi",
		  device->flags & IOMMUABS_DEVICE_UNSAFE_MSI);
	json_open(json, "group_with", '[');
	for (alias = device->aliases; alias; alias = alias->next) {
		alias_label(alias, label, sizeof(label));
		json_string(json, NULL, label);
	}
	json_close(json, ']');
	streams_show(device, json);
	reserved_show(device, json);
	if (device->translates)
		json_bool(json, "atc_required", device->must_translate);
	if (device->has_sidp)
		json_number(json, "properties", device->sidp);
	json_close(json, '}');
}

void show_json(const struct table *table, struct json *json)
{
	const struct desc_device *device;
	const struct desc_unit *unit;
	size_t i;

	json_open(json, NULL, '{');
	json_string(json, "file", table->file);
	json_string(json, "kind", table->kind_name);
	json_number(json, "size", table->size);
	dmar_show(table, json);
	json_open(json, "units", '[');
	for (unit = table->set.units; unit; unit = unit->next)
		unit_show(unit, json);
	json_close(json, ']');
	json_open(json, "devices", '[');
	for (device = table->set.devices; device; device = device->next)
		device_show(device, json);
	json_close(json, ']');
	json_open(json, "oddities", '[');
	for (i = 0; i < table->nr_remarks; i++)
		json_string(json, NULL, table->remarks[i]);
	json_close(json, ']');
	json_close(json, '}');
}
