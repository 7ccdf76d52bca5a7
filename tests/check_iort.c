/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IORTs: what the scanner makes of whole ones and of broken ones, and how much it
 * looks at. The tables are in tests/data/iort/.
 */
#include "harness.h"
#include "test_acpi_cases.h"

#define TABLES	 "iort"
#define SCAN	 desc_scan_iort
#define BUILT_IN IOMMUABS_CONFIG_ACPI

/* A table of @nr nodes, of which the first is a unit, at 48. */
static FILE *shape_begin(char **text, unsigned int nr)
{
	static size_t size;
	FILE *out = open_memstream(text, &size);

	fprintf(out, "table IORT 0 d:%u d:48 d:0\n", nr);
	fprintf(out, "<4 b:0 d:1 d:0 d:0 q:0x9050000 d:0 d:0 q:0 z:20 >\n");
	return out;
}

static char *shape_end(FILE *out, char **text)
{
	fclose(out);
	return *text;
}

/* With @nr_ids from @id on, of the unit at @unit. */
static void component(FILE *out, unsigned int id, unsigned int nr_ids,
		      unsigned int unit)
{
	fprintf(out,
		"<1 b:0 d:0 d:1 d:32 d:0 d:1 z:4 b:0 s:%02x "
		"d:0 d:%u d:%u d:%u d:0 >\n",
		id & 0xff, nr_ids - 1, id, unit);
}

static void memory(FILE *out, unsigned int id, unsigned int base)
{
	fprintf(out,
		"<6 b:3 d:0 d:1 d:28 d:0 d:1 d:48 d:0 d:0 d:%u d:48 d:1 "
		"q:%u q:0x1000 d:0 >\n",
		id, base << 12);
}

/* Components with two ids each, the lower ones last. */
static char *many(unsigned int nr)
{
	char *text;
	FILE *out = shape_begin(&text, nr + 1);
	unsigned int i;

	for (i = 0; i < nr; i++)
		fprintf(out,
			"<1 b:0 d:0 d:2 d:32 d:0 d:1 z:4 b:0 s:%02x "
			"d:0 d:0 d:%u d:48 d:0 d:0 d:0 d:%u d:48 d:0 >\n",
			i & 0xff, 0x40000 - 4 * i, 0x40002 - 4 * i);
	return shape_end(out, &text);
}

/* Each shares an id with another one, far from it. */
static char *paired(unsigned int nr)
{
	char *text;
	FILE *out = shape_begin(&text, nr + 1);
	unsigned int i;

	for (i = 0; i < nr; i++)
		component(out, i % (nr / 2), 1, 48);
	return shape_end(out, &text);
}

/* Each with a component. */
static char *units(unsigned int nr)
{
	char *text;
	FILE *out = shape_begin(&text, 2 * nr + 1);
	unsigned int i;

	for (i = 0; i < nr; i++)
		fprintf(out, "<4 b:0 d:1 d:0 d:0 q:%u d:0 d:0 q:0 z:20 >\n",
			(i + 1) << 20);
	for (i = 0; i < nr; i++)
		component(out, i, 1, 48 + 60 * (nr - i));
	return shape_end(out, &text);
}

/* One root complex, whose functions are mapped one by one, the last first. */
static char *functions(unsigned int nr)
{
	char *text;
	FILE *out = shape_begin(&text, 2);
	unsigned int i;

	fprintf(out, "<2 b:0 d:0 d:%u d:32 d:1 z:4 d:0 d:0\n", nr);
	for (i = nr; i-- > 0;)
		fprintf(out, "d:%u d:0 d:%u d:48 d:0\n", 2 * i, 2 * i);
	fprintf(out, ">\n");
	return shape_end(out, &text);
}

/* The same function again and again. */
static char *again(unsigned int nr)
{
	char *text;
	FILE *out = shape_begin(&text, 2);
	unsigned int i;

	fprintf(out, "<2 b:0 d:0 d:%u d:32 d:1 z:4 d:0 d:0\n", nr);
	for (i = 0; i < nr; i++)
		fprintf(out, "d:0 d:9 d:%u d:48 d:0\n", 16 * i);
	fprintf(out, ">\n");
	return shape_end(out, &text);
}

static char *segments(unsigned int nr)
{
	char *text;
	FILE *out = shape_begin(&text, nr + 1);
	unsigned int i;

	for (i = 0; i < nr; i++)
		fprintf(out,
			"<2 b:0 d:0 d:1 d:32 d:1 z:4 d:0 d:%u "
			"d:0 d:0xffff d:%u d:48 d:0 >\n",
			i, i << 16);
	return shape_end(out, &text);
}

/* Regions of a few components. */
static char *regions(unsigned int nr)
{
	char *text;
	FILE *out = shape_begin(&text, nr + nr / 32 + 2);
	unsigned int i;

	for (i = 0; i <= nr / 32; i++)
		component(out, i, 1, 48);
	for (i = 0; i < nr; i++)
		memory(out, i / 32, 2 * i);
	return shape_end(out, &text);
}

/* Of functions of a root complex, one each; of ids that no device has. */
static char *carved(unsigned int nr)
{
	char *text;
	FILE *out = shape_begin(&text, 2 * nr + 2);
	unsigned int i;

	fprintf(out, "<2 b:0 d:0 d:1 d:32 d:1 z:4 d:0 d:0 "
		     "d:0 d:0xffff d:0 d:48 d:0 >\n");
	for (i = nr; i-- > 0;) {
		memory(out, i, 2 * i);
		memory(out, 0x10000 + 2 * i, 2 * i);
	}
	return shape_end(out, &text);
}

/* One node's, of all components and some ids of nobody's. */
static char *everybodys(unsigned int nr)
{
	char *text;
	FILE *out = shape_begin(&text, nr + 2);
	unsigned int i;

	for (i = 0; i < nr; i++)
		component(out, 4 * i, 3, 48);
	fprintf(out, "<6 b:3 d:0 d:1 d:28 d:0 d:1 d:48 d:0 d:0xffffffff d:0 "
		     "d:48 d:0 q:0x1000 q:0x1000 d:0 >\n");
	return shape_end(out, &text);
}

static char *(*const shapes[])(unsigned int nr) = {
	many,	  paired,  units,  functions,  again,
	segments, regions, carved, everybodys,
};

#include "test_acpi_suite.h"

HARNESS_MAIN(suite)
