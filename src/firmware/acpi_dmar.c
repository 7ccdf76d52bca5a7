/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi_dmar.c - DMA remapping reporting structures, one after the other
 *
 * Intel Virtualization Technology for Directed I/O, chapter 8.
 */
#include "acpi.h"

#if IOMMUABS_CONFIG_ACPI

#include <iommuabs/error.h>

#define HEADER_SIZE 4 /* type and length, 16 bits each */
#define SCOPE_SIZE  6 /* without its path */
#define HOP_SIZE    2

/* Bytes before the scopes, or all where there are none. */
static const struct {
	char name[8];
	uint32_t size;
	bool has_scopes;
} types[DMAR_TYPES_] = {
	[DMAR_DRHD] = { "drhd", 16, true }, [DMAR_RMRR] = { "rmrr", 24, true },
	[DMAR_ATSR] = { "atsr", 8, true },  [DMAR_RHSA] = { "rhsa", 20, false },
	[DMAR_ANDD] = { "andd", 9, false }, [DMAR_SATC] = { "satc", 8, true },
	[DMAR_SIDP] = { "sidp", 8, true },
};

const char *dmar_type_name(uint32_t type)
{
	return type < DMAR_TYPES_ ? types[type].name : "unknown";
}

const char *dmar_scope_type_name(uint32_t type)
{
	static const char names[][16] = {
		[DMAR_SCOPE_ENDPOINT] = "pci-endpoint",
		[DMAR_SCOPE_BRIDGE] = "pci-bridge",
		[DMAR_SCOPE_IOAPIC] = "ioapic",
		[DMAR_SCOPE_HPET] = "hpet",
		[DMAR_SCOPE_NAMESPACE] = "acpi-namespace",
	};

	if (!type || type >= sizeof(names) / sizeof(names[0]))
		return "unknown";
	return names[type];
}

static void fields_read(struct dmar_structure *s)
{
	const struct acpi_span *span = &s->span;

	switch (s->type) {
	case DMAR_DRHD:
		s->size_lg2 = acpi_get8(span, 5);
		s->base = acpi_get64(span, 8);
		break;
	case DMAR_RMRR:
		s->base = acpi_get64(span, 8);
		s->limit = acpi_get64(span, 16);
		break;
	case DMAR_RHSA:
		s->base = acpi_get64(span, 8);
		s->proximity = acpi_get32(span, 16);
		break;
	case DMAR_ANDD:
		s->device_number = acpi_get8(span, 7);
		s->name = 8;
		s->name_length = acpi_string_length(span, 8);
		break;
	default:
		break;
	}
	if (s->type == DMAR_DRHD || s->type == DMAR_ATSR ||
	    s->type == DMAR_SATC)
		s->flags = acpi_get8(span, 4);
	if (types[s->type].has_scopes)
		s->segment = acpi_get16(span, 6);
}

int dmar_next(const struct acpi_table *table, uint32_t *at,
	      struct dmar_structure *s, const char **what)
{
	struct acpi_span head;
	uint32_t size, length;

	__builtin_memset(s, 0, sizeof(*s));
	if (*at == table->span.length)
		return 0;
	*what = "a structure that the table's end cuts";
	if (!acpi_cut(&table->span, *at, HEADER_SIZE, &head))
		return IOMMUABS_E_FIRMWARE;
	s->type = acpi_get16(&head, 0);
	length = acpi_get16(&head, 2);
	if (!acpi_cut(&table->span, *at, length, &s->span))
		return IOMMUABS_E_FIRMWARE;
	*what = "a structure shorter than its type has it";
	size = s->type < DMAR_TYPES_ ? types[s->type].size : HEADER_SIZE;
	if (length < size)
		return IOMMUABS_E_FIRMWARE;
	if (s->type < DMAR_TYPES_)
		fields_read(s);
	*what = "a name without an end";
	if (s->name_length == ~0u)
		return IOMMUABS_E_FIRMWARE;
	if (s->type < DMAR_TYPES_ && types[s->type].has_scopes)
		(void)acpi_cut(&s->span, size, length - size, &s->scopes);
	*at += length;
	return 1;
}

int dmar_scope_next(const struct dmar_structure *s, uint32_t *at,
		    struct dmar_scope *scope, const char **what)
{
	struct acpi_span head;
	uint32_t length;

	if (*at == s->scopes.length)
		return 0;
	*what = "a device scope that the structure's end cuts";
	if (!acpi_cut(&s->scopes, *at, SCOPE_SIZE, &head))
		return IOMMUABS_E_FIRMWARE;
	length = acpi_get8(&head, 1);
	if (!acpi_cut(&s->scopes, *at, length, &scope->span))
		return IOMMUABS_E_FIRMWARE;
	*what = "a device scope without a path, or with half a hop";
	if (length < SCOPE_SIZE + HOP_SIZE || (length - SCOPE_SIZE) % HOP_SIZE)
		return IOMMUABS_E_FIRMWARE;
	scope->type = acpi_get8(&head, 0);
	scope->flags = acpi_get8(&head, 2);
	scope->id = acpi_get8(&head, 4);
	scope->bus = acpi_get8(&head, 5);
	scope->nr_hops = (length - SCOPE_SIZE) / HOP_SIZE;
	*at += length;
	return 1;
}

uint32_t dmar_hop(const struct dmar_scope *scope, uint32_t n)
{
	uint32_t at = SCOPE_SIZE + n * HOP_SIZE;
	uint32_t dev = acpi_get8(&scope->span, at);
	uint32_t fn = acpi_get8(&scope->span, at + 1);

	return dev < 32 && fn < 8 ? dev << 3 | fn : ~0u;
}

#endif
