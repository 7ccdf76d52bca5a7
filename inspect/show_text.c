/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * show_text.c - for people
 */
#include <inttypes.h>

#include "inspect.h"

#define LABEL_MAX (IOMMUABS_PATH_MAX + 32)

static size_t count_units(const struct table *table)
{
	const struct desc_unit *unit;
	size_t n = 0;

	for (unit = table->set.units; unit; unit = unit->next)
		n++;
	return n;
}

static size_t count_devices(const struct table *table)
{
	const struct desc_device *device;
	size_t n = 0;

	for (device = table->set.devices; device; device = device->next)
		n++;
	return n;
}

static void dmar_show(const struct table *table, FILE *out)
{
	const struct desc_dmar *dmar = &table->set.dmar;
	const struct desc_port *port;

	if (!dmar->present)
		return;
	fprintf(out, "platform\n  physical addresses of %u bits%s%s%s\n",
		dmar->address_bits,
		dmar->flags & DESC_DMAR_INTR_REMAP ? ", interrupt remapping"
						   : "",
		dmar->flags & DESC_DMAR_X2APIC_OPT_OUT ? ", x2APIC opt-out"
						       : "",
		dmar->flags & DESC_DMAR_DMA_CTRL_OPT_IN
			? ", DMA is to be blocked from the start"
			: "");
	for (port = table->set.ats.ports; port; port = port->next) {
		fprintf(out, "  ATS below ");
		if (port->all)
			fprintf(out, "every root port of segment %u\n",
				port->segment);
		else if (port->rid == DESC_RID_UNKNOWN)
			fprintf(out, "a root port on a bus that is unknown\n");
		else
			fprintf(out, "root port %04x:%02x:%02x.%x\n",
				port->segment, port->rid >> 8,
				port->rid >> 3 & 0x1f, port->rid & 7);
	}
}

static void sources_show(const struct desc_unit *unit, FILE *out)
{
	const struct desc_source *source;

	for (source = unit->vtd.sources; source; source = source->next) {
		fprintf(out, "    interrupts of %s %u as ",
			source->type == DESC_SOURCE_HPET ? "HPET" : "I/O APIC",
			source->id);
		if (source->rid == DESC_RID_UNKNOWN)
			fprintf(out, "a requester that is unknown\n");
		else
			fprintf(out, "%02x:%02x.%x\n", source->rid >> 8,
				source->rid >> 3 & 0x1f, source->rid & 7);
	}
}

static void unit_show(const struct desc_unit *unit, FILE *out)
{
	static const char *const which[] = { "events", "errors", "syncs",
					     "page requests" };
	char label[LABEL_MAX];
	uint32_t i;

	unit_label(unit, label, sizeof(label));
	make_plain(label);
	fprintf(out, "  %s: %s, registers at 0x%" PRIx64, label,
		unit_type_name(unit->type), unit->base);
	if (unit->length)
		fprintf(out, " + 0x%" PRIx64, unit->length);
	if (unit->type == IOMMUABS_UNIT_VTD)
		fprintf(out, ", segment %u%s", unit->vtd.segment,
			unit->vtd.include_all ? ", all that no other unit has"
					      : "");
	if (unit->vtd.has_proximity)
		fprintf(out, ", proximity domain %u", unit->vtd.proximity);
	fprintf(out, "%s%s\n",
		unit->flags & IOMMUABS_UNIT_COHERENT ? ", coherent" : "",
		unit->disabled ? ", OFF" : "");
	for (i = 0; i < unit->nr_irqs; i++)
		fprintf(out, "    interrupt %u (%s): %s\n",
			unit->irqs[i].number,
			unit->irqs[i].edge ? "edge" : "level",
			which[unit->irqs[i].which]);
	if (unit->msi.controller)
		fprintf(out, "    messages to phandle 0x%x as 0x%x\n",
			unit->msi.controller, unit->msi.id);
	sources_show(unit, out);
	fprintf(out, "    share:  %s\n    mirror: %s\n", unit_share(unit),
		unit_mirror(unit));
}

static void stream_show(const struct desc_device *device,
			const struct desc_stream *stream, FILE *out)
{
	char label[LABEL_MAX];

	unit_label(stream->unit, label, sizeof(label));
	make_plain(label);
	fprintf(out, "    seen by %s%s as ", label,
		stream->unit->disabled ? " (OFF)" : "");
	if (device->unknown)
		fprintf(out, "an id that is unknown\n");
	else if (device->flags & IOMMUABS_DEVICE_RANGE &&
		 stream->rid == DESC_RID_OWN)
		fprintf(out, "id 0x%x, its own DMA\n", stream->first);
	else if (stream->nr == 1)
		fprintf(out, "id 0x%x\n", stream->first);
	else if (device->flags & IOMMUABS_DEVICE_RANGE)
		fprintf(out, "ids 0x%x to 0x%x, from requester 0x%x on\n",
			stream->first, stream->first + (stream->nr - 1),
			stream->rid);
	else
		fprintf(out, "ids 0x%x to 0x%x\n", stream->first,
			stream->first + (stream->nr - 1));
}

static void flags_show(const struct desc_device *device, FILE *out)
{
	if (device->flags & IOMMUABS_DEVICE_RANGE)
		fprintf(out, "    each function is a group of its own, as far "
			     "as bridges tell them apart\n");
	if (device->flags & IOMMUABS_DEVICE_UNSAFE_MSI)
		fprintf(out, "    its interrupts can't be told from others': "
			     "unsafe in a guest\n");
	if (device->translates)
		fprintf(out, "    translates addresses itself (ATS)%s\n",
			device->must_translate ? ", and must be let" : "");
	if (device->has_sidp)
		fprintf(out, "    properties 0x%x\n", device->sidp);
	if (device->unknown)
		fprintf(out, "    unknown: left out until its bus is known\n");
	else if (!device_is_seen(device))
		fprintf(out, "    UNTRANSLATED: no unit sees its DMA\n");
}

static void device_show(const struct desc_device *device, FILE *out)
{
	const struct desc_reserved *reserved;
	const struct desc_stream *stream;
	const struct desc_alias *alias;
	char label[LABEL_MAX];

	device_label(device, label, sizeof(label));
	make_plain(label);
	fprintf(out, "  %s%s\n", label,
		device->flags & IOMMUABS_DEVICE_PCI && device->path[0]
			? " (PCI)"
			: "");
	for (alias = device->aliases; alias; alias = alias->next) {
		alias_label(alias, label, sizeof(label));
		make_plain(label);
		fprintf(out, "    one group with %s\n", label);
	}
	for (stream = device->streams; stream; stream = stream->next)
		stream_show(device, stream, out);
	for (reserved = device->reserved; reserved; reserved = reserved->next)
		fprintf(out,
			"    reserved 0x%" PRIx64 " to 0x%" PRIx64 ": %s\n",
			reserved->region.gfn.frame << IOMMUABS_FRAME_LG2,
			((reserved->region.gfn.frame + reserved->region.nr)
			 << IOMMUABS_FRAME_LG2) -
				1,
			memory_type_name(reserved->region.flags));
	flags_show(device, out);
}

void show_text(const struct table *table, FILE *out)
{
	const struct desc_device *device;
	const struct desc_unit *unit;
	size_t i;

	fprintf(out, "%s: %s, %zu bytes: %zu units, %zu devices\n", table->file,
		table->kind == TABLE_DTB    ? "device tree"
		: table->kind == TABLE_DMAR ? "ACPI DMAR"
					    : "ACPI IORT",
		table->size, count_units(table), count_devices(table));
	dmar_show(table, out);
	if (table->set.units)
		fprintf(out, "units\n");
	for (unit = table->set.units; unit; unit = unit->next)
		unit_show(unit, out);
	if (table->set.devices)
		fprintf(out, "devices\n");
	for (device = table->set.devices; device; device = device->next)
		device_show(device, out);
	if (table->nr_remarks)
		fprintf(out, "oddities\n");
	for (i = 0; i < table->nr_remarks; i++)
		fprintf(out, "  %s\n", table->remarks[i]);
}
