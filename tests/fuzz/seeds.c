/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * seeds.c - seeds FOLDER FILE...: the tables of tests/data, as bytes
 */
#include <stdio.h>
#include <string.h>

#include "test_acpi.h"

int main(int argc, char **argv)
{
	struct test_acpi *acpi;
	const char *name;
	char path[4096];
	FILE *out;
	int i;

	for (i = 2; i < argc; i++) {
		acpi = test_acpi_load(argv[i]);
		name = strrchr(argv[i], '/');
		snprintf(path, sizeof(path), "%s/%s", argv[1],
			 name ? name + 1 : argv[i]);
		out = fopen(path, "wb");
		if (!out ||
		    fwrite(acpi->table, 1, acpi->size, out) != acpi->size ||
		    fclose(out)) {
			perror(path);
			return 1;
		}
		test_acpi_free(acpi);
	}
	return 0;
}
