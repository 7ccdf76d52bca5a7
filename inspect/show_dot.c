/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * show_dot.c - a picture, in the language of Graphviz
 *
 * Units in one column, what they see in the other: of each unit at most a few
 * devices by name, so that a machine with many stays legible.
 */
#include <inttypes.h>

#include "inspect.h"

#define LABEL_MAX (IOMMUABS_PATH_MAX + 32)
#define LINES_MAX 12

void show_dot_begin(FILE *out)
{
	fputs("digraph iommus {\n"
	      "\trankdir=LR;\n"
	      "\tranksep=1.5;\n"
	      "\tnodesep=0.15;\n"
	      "\tnode [shape=box, style=filled, fontname=\"sans-serif\", "
	      "fontsize=11];\n"
	      "\tedge [arrowsize=0.6, color=gray40];\n",
	      out);
}

void show_dot_end(FILE *out)
{
	fputs("}\n", out);
}

/* A label's text: quotes and backslashes are the language's own. */
static void put_text(const char *text, FILE *out)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc((unsigned char)*text < ' ' ? '?' : *text, out);
	}
}

/* By its place in the table; NULL: after them all. The same in each run. */
static unsigned int number_of(const struct table *table,
			      const struct desc_unit *unit)
{
	const struct desc_unit *at = table->set.units;
	unsigned int number = 0;

	for (; at && at != unit; at = at->next)
		number++;
	return number;
}

static void unit_show(const struct table *table, const struct desc_unit *unit,
		      unsigned int n, FILE *out)
{
	char label[LABEL_MAX];

	unit_label(unit, label, sizeof(label));
	make_plain(label);
	fprintf(out, "\t\t\"%u.%u\" [label=\"", n, number_of(table, unit));
	put_text(label, out);
	fprintf(out, "\\n%s", unit_type_name(unit->type));
	if (unit->type == IOMMUABS_UNIT_VTD)
		fprintf(out, ", segment %u%s", unit->vtd.segment,
			unit->vtd.include_all ? ", all else" : "");
	fprintf(out, "%s\", fillcolor=%s];\n", unit->disabled ? "\\nOFF" : "",
		unit->disabled ? "lightcoral" : "lightblue");
}

/* Which unit a device is drawn at: all at that of its first stream. */
static const struct desc_unit *unit_of(const struct desc_device *device)
{
	return device->streams ? device->streams->unit : NULL;
}

static void device_line(const struct desc_device *device, FILE *out)
{
	char label[LABEL_MAX];

	device_label(device, label, sizeof(label));
	make_plain(label);
	put_text(label, out);
	if (device->aliases)
		fputs(" and others", out);
	if (device->unknown)
		fputs(" (bus unknown)", out);
	if (device->reserved)
		fputs(" (reserved memory)", out);
	if (device->flags & IOMMUABS_DEVICE_UNSAFE_MSI)
		fputs(" (unsafe MSI)", out);
	fputs("\\l", out);
}

/* One box with all devices of @unit; NULL: of those that no unit sees. */
static void devices_show(const struct table *table,
			 const struct desc_unit *unit, unsigned int n,
			 FILE *out)
{
	const struct desc_device *device;
	unsigned int lines = 0, number = number_of(table, unit);

	for (device = table->set.devices; device; device = device->next) {
		if (unit_of(device) != unit)
			continue;
		if (!lines++)
			fprintf(out, "\t\t\"%u.d%u\" [label=\"%s", n, number,
				unit ? "" : "UNTRANSLATED\\l");
		if (lines <= LINES_MAX)
			device_line(device, out);
	}
	if (!lines)
		return;
	if (lines > LINES_MAX)
		fprintf(out, "and %u more\\l", lines - LINES_MAX);
	fprintf(out, "\", fillcolor=%s];\n", unit ? "lightyellow" : "orange");
	if (unit)
		fprintf(out, "\t\t\"%u.d%u\" -> \"%u.%u\";\n", n, number, n,
			number);
}

/* What has streams at several units: a line to each of the others. */
static void others_show(const struct table *table, unsigned int n, FILE *out)
{
	const struct desc_device *device;
	const struct desc_stream *stream;
	const struct desc_unit *last;
	char label[LABEL_MAX];

	for (device = table->set.devices; device; device = device->next) {
		last = unit_of(device);
		for (stream = device->streams; stream; stream = stream->next) {
			if (stream->unit == last)
				continue;
			last = stream->unit;
			device_label(device, label, sizeof(label));
			make_plain(label);
			fprintf(out,
				"\t\t\"%u.d%u\" -> \"%u.%u\" "
				"[style=dashed, fontsize=9, label=\"",
				n, number_of(table, unit_of(device)), n,
				number_of(table, last));
			put_text(label, out);
			fputs("\"];\n", out);
		}
	}
}

void show_dot(const struct table *table, unsigned int n, FILE *out)
{
	const struct desc_unit *unit;

	fprintf(out, "\tsubgraph cluster_%u {\n\t\tlabel=\"", n);
	put_text(table->file, out);
	fputs("\";\n", out);
	for (unit = table->set.units; unit; unit = unit->next) {
		unit_show(table, unit, n, out);
		devices_show(table, unit, n, out);
	}
	devices_show(table, NULL, n, out);
	others_show(table, n, out);
	fputs("\t}\n", out);
}
