/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi_table.c - bytes of a table, and the header that all have
 */
#include "acpi.h"

#if IOMMUABS_CONFIG_ACPI

#include <iommuabs/error.h>

uint64_t acpi_get(const struct acpi_span *span, uint32_t at, uint32_t width)
{
	uint64_t value = 0;

	if (at > span->length || width > span->length - at)
		return 0;
	while (width--)
		value = value << 8 | span->data[at + width];
	return value;
}

bool acpi_cut(const struct acpi_span *span, uint64_t at, uint64_t length,
	      struct acpi_span *out)
{
	if (at > span->length || length > span->length - at)
		return false;
	out->data = span->data + at;
	out->offset = span->offset + (uint32_t)at;
	out->length = (uint32_t)length;
	return true;
}

uint32_t acpi_string_length(const struct acpi_span *span, uint32_t at)
{
	uint32_t end;

	for (end = at; end < span->length; end++)
		if (!span->data[end])
			return end - at;
	return ~0u;
}

static bool sum_is_zero(const struct acpi_span *span)
{
	uint32_t sum = 0, i;

	for (i = 0; i < span->length; i++)
		sum += span->data[i];
	return !(sum & 0xff);
}

int acpi_table_open(const void *data, size_t size, const char signature[4],
		    struct acpi_table *table, const char **what)
{
	struct acpi_span *span = &table->span;

	table->size = size > 0xffffffff ? 0xffffffff : (uint32_t)size;
	*span = (struct acpi_span){ data, 0, table->size };
	*what = "shorter than the header of a table";
	if (span->length < ACPI_HEADER_SIZE)
		return IOMMUABS_E_FIRMWARE;
	*what = "not the signature of this table";
	if (__builtin_memcmp(data, signature, 4))
		return IOMMUABS_E_FIRMWARE;
	*what = "longer than the memory it is in";
	if (acpi_get32(span, 4) > span->length)
		return IOMMUABS_E_FIRMWARE;
	span->length = acpi_get32(span, 4);
	*what = "too short for what every table of this kind has";
	if (span->length < DMAR_FIRST)
		return IOMMUABS_E_FIRMWARE;
	table->revision = acpi_get8(span, 8);
	table->checksum = acpi_get8(span, 9);
	table->checksum_good = sum_is_zero(span);
	return 0;
}

#endif
