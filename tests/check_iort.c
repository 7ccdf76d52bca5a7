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

/* A unit and @nr components with two ids each, the lower ones last. */
static char *many(unsigned int nr)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	unsigned int i;

	fprintf(out, "table IORT 0 d:%u d:48 d:0\n", nr + 1);
	fprintf(out,
		"=smmu <4 b:0 d:1 d:0 d:0 q:0x9050000 d:0 d:0 q:0 z:20 >\n");
	for (i = 0; i < nr; i++)
		fprintf(out,
			"<1 b:0 d:0 d:2 d:32 d:0 d:1 z:4 b:0 s:%02x "
			"d:0 d:0 d:%u d:48 d:0 d:0 d:0 d:%u d:48 d:0 >\n",
			i & 0xff, 0x40000 - 4 * i, 0x40002 - 4 * i);
	fclose(out);
	return text;
}

#include "test_acpi_suite.h"

HARNESS_MAIN(suite)
