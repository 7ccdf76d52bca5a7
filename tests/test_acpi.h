/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_acpi.h - ACPI tables written by hand, and what a scan makes of them
 *
 * A case is a text file: a table, "---", and the description that the scanner is
 * to give. The table is words:
 *
 *	table DMAR 1	the header, with revision; comes first
 *	b:1 w:0x2 d:3 q:4	a number of 1, 2, 4 or 8 bytes
 *	z:10		zero bytes
 *	s:text		characters and a 0; t:text without the 0
 *	{0 ... }	a structure of a DMAR: type, length of it all
 *	(1 ... )	a device scope: likewise
 *	<4 ... >	a node of an IORT: likewise, and the revision is b:
 *	=name r:name	a name for this offset, and that offset, of 4 bytes
 *	node:name	the offset of =name in the node, of 4 bytes
 *	checksum:bad length:40 extra:4	after the rest
 *	bridge:0x00e0:1:3	not of the table: PCI function 0x00e0 is a bridge
 *			to the buses from 1 to 3
 *	# to the line's end: nothing
 */
#ifndef TEST_ACPI_H
#define TEST_ACPI_H

#include "firmware/desc.h"
#include "test_host.h"

#define TEST_ACPI_BRIDGES 32

struct test_acpi {
	uint8_t *table; /* of exactly @size bytes */
	size_t size;
	char *expected;
	struct test_bridge {
		uint32_t pci;
		uint8_t first, last;
	} bridges[TEST_ACPI_BRIDGES];
	unsigned int nr_bridges;
};

/* Fails the test where @path can't be read or understood. */
struct test_acpi *test_acpi_load(const char *path);
struct test_acpi *test_acpi_parse(const char *text);
void test_acpi_free(struct test_acpi *acpi);
/* Answers pci_cfg_read() for the present table; NULL: for none. */
void test_acpi_bridges(const struct test_acpi *acpi);
uint32_t test_acpi_cfg_read(void *ctx, uint32_t pci, unsigned int offset);

typedef int (*test_acpi_scan)(struct desc_set *set, const void *table,
			      size_t size);

/* What @scan says of @size bytes at @table, free()d by the caller. */
char *test_acpi_describe(struct test_host *host, test_acpi_scan scan,
			 const void *table, size_t size, uint64_t *work);

#endif
