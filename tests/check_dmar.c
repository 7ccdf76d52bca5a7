/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DMARs: what the scanner makes of whole ones and of broken ones, and how much it
 * looks at. The tables are in tests/data/dmar/.
 */
#include "harness.h"
#include "test_acpi_cases.h"

#define TABLES	 "dmar"
#define SCAN	 desc_scan_dmar
#define BUILT_IN IOMMUABS_CONFIG_ACPI

static FILE *shape_begin(char **text)
{
	static size_t size;
	FILE *out = open_memstream(text, &size);

	fprintf(out, "table DMAR 1 b:38 b:0 z:10\n");
	return out;
}

static char *shape_end(FILE *out, char **text)
{
	fclose(out);
	return *text;
}

/* Of a function, by its number. */
static void scope(FILE *out, unsigned int type, unsigned int rid)
{
	fprintf(out, "(%u z:2 b:%u b:%u b:%u b:%u )\n", type, rid & 0xff,
		rid >> 8, rid >> 3 & 31, rid & 7);
}

/* Units with a device each, and a region for it. */
static char *many(unsigned int nr)
{
	char *text;
	FILE *out = shape_begin(&text);
	unsigned int i;

	for (i = 0; i < nr; i++) {
		fprintf(out, "{0 b:0 b:0 w:0 q:%u\n", 0x100000 + i * 0x1000);
		scope(out, 1, i);
		fprintf(out, "} {1 z:2 w:0 q:%u q:%u\n", i * 0x1000,
			i * 0x1000 + 0xfff);
		scope(out, 1, i);
		fprintf(out, "}\n");
	}
	return shape_end(out, &text);
}

/* One unit's: functions, the last first, I/O APICs and what no bus is known of. */
static char *scopes(unsigned int nr)
{
	char *text;
	FILE *out = shape_begin(&text);
	unsigned int i;

	fprintf(out, "{0 b:1 b:0 w:0 q:0x1000\n");
	for (i = nr; i-- > 0;) {
		scope(out, 1, i);
		scope(out, 3, i);
		fprintf(out, "(1 z:2 b:0 b:%u b:%u b:0 b:%u b:%u )\n", i >> 8,
			i >> 3 & 31, i & 31, i & 7);
	}
	fprintf(out, "}\n");
	return shape_end(out, &text);
}

/* What is said of the functions of a few units, by structures of their own. */
static char *properties(unsigned int nr)
{
	char *text;
	FILE *out = shape_begin(&text);
	unsigned int i;

	for (i = 0; i < 16; i++)
		fprintf(out, "{0 b:%u b:0 w:0 q:%u }\n", i == 15,
			0x100000 + i * 0x1000);
	for (i = nr; i-- > 0;) {
		fprintf(out, "{3 z:4 q:%u d:%u } {2 z:2 w:0\n",
			0x100000 + i % 16 * 0x1000, i);
		scope(out, 2, i);
		fprintf(out, "} {5 z:2 w:0\n");
		scope(out, 1, i);
		fprintf(out, "} {6 z:2 w:0\n");
		scope(out, 1, i);
		fprintf(out, "}\n");
	}
	return shape_end(out, &text);
}

/* Regions, 32 of a device. */
static char *regions(unsigned int nr)
{
	char *text;
	FILE *out = shape_begin(&text);
	unsigned int i;

	fprintf(out, "{0 b:1 b:0 w:0 q:0x1000 }\n");
	for (i = 0; i < nr; i++) {
		fprintf(out, "{1 z:2 w:0 q:%u q:%u\n", i * 0x2000,
			i * 0x2000 + 0xfff);
		scope(out, 1, i / 32);
		fprintf(out, "}\n");
	}
	return shape_end(out, &text);
}

static char *segments(unsigned int nr)
{
	char *text;
	FILE *out = shape_begin(&text);
	unsigned int i;

	for (i = nr; i-- > 0;)
		fprintf(out, "{0 b:1 b:0 w:%u q:%u }\n", i, (i + 1) << 12);
	return shape_end(out, &text);
}

/* Names of namespace devices, which have 256 numbers. */
static char *names(unsigned int nr)
{
	char *text;
	FILE *out = shape_begin(&text);
	unsigned int i;

	for (i = 0; i < nr; i++)
		fprintf(out, "{4 z:3 b:%u s:\\_SB.%u }\n", i & 0xff, i);
	fprintf(out, "{0 b:1 b:0 w:0 q:0x1000\n");
	for (i = 0; i < nr; i++)
		scope(out, 5, i);
	fprintf(out, "}\n");
	return shape_end(out, &text);
}

static char *(*const shapes[])(unsigned int nr) = {
	many, scopes, properties, regions, segments, names,
};

#include "test_acpi_suite.h"

HARNESS_MAIN(suite)
