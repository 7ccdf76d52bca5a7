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

/* @nr units with a device each, and a region for it. */
static char *many(unsigned int nr)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	unsigned int i;

	fprintf(out, "table DMAR 1 b:38 b:0 z:10\n");
	for (i = 0; i < nr; i++) {
		fprintf(out,
			"{0 b:0 b:0 w:0 q:%u (1 z:2 b:0 b:%u b:%u b:%u ) }\n",
			0x100000 + i * 0x1000, i >> 8, i >> 3 & 31, i & 7);
		fprintf(out,
			"{1 z:2 w:0 q:%u q:%u (1 z:2 b:0 b:%u b:%u b:%u ) }\n",
			i * 0x1000, i * 0x1000 + 0xfff, i >> 8, i >> 3 & 31,
			i & 7);
	}
	fclose(out);
	return text;
}

#include "test_acpi_suite.h"

HARNESS_MAIN(suite)
