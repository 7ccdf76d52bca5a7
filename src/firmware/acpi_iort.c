/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi_iort.c - nodes of the IO Remapping Table, one after the other
 *
 * Arm DEN 0049, IO Remapping Table, issues A to E.g: later ones add fields at a
 * node's end, before its ID mappings.
 */
#include "acpi.h"

#if IOMMUABS_CONFIG_ACPI

#include <iommuabs/error.h>

#define INTERRUPT_SIZE 8
#define REGION_SIZE    20

/* What the first issue that knows the type has of it. */
static const struct {
	char name[16];
	uint32_t size;
} types[IORT_TYPES_] = {
	[IORT_ITS_GROUP] = { "its-group", 20 },
	[IORT_NAMED_COMPONENT] = { "named-component", 30 },
	[IORT_ROOT_COMPLEX] = { "root-complex", 32 },
	[IORT_SMMU] = { "smmu-v1v2", 60 },
	[IORT_SMMUV3] = { "smmu-v3", 60 },
	[IORT_PMCG] = { "pmcg", 32 },
	[IORT_RMR] = { "rmr", 28 },
	[IORT_IWB] = { "iwb", 27 },
};

const char *iort_type_name(uint32_t type)
{
	return type < IORT_TYPES_ ? types[type].name : "unknown";
}

int iort_open(const void *data, size_t size, struct iort_table *iort,
	      const char **what)
{
	int ret = acpi_table_open(data, size, "IORT", &iort->table, what);

	if (ret)
		return ret;
	iort->nr_nodes = acpi_get32(&iort->table.span, 36);
	iort->first = acpi_get32(&iort->table.span, 40);
	if (!iort->nr_nodes)
		return 0;
	*what = "the nodes begin inside the header or beyond the end";
	if (iort->first < IORT_FIRST || iort->first > iort->table.span.length)
		return IOMMUABS_E_FIRMWARE;
	return 0;
}

int iort_next(const struct iort_table *iort, uint32_t *at,
	      struct iort_node *node, const char **what)
{
	struct acpi_span head;
	uint32_t length;

	if (*at == iort->table.span.length)
		return 0;
	*what = "a node that the table's end cuts";
	if (!acpi_cut(&iort->table.span, *at, IORT_NODE_SIZE, &head))
		return IOMMUABS_E_FIRMWARE;
	node->type = acpi_get8(&head, 0);
	length = acpi_get16(&head, 1);
	node->revision = acpi_get8(&head, 3);
	node->identifier = acpi_get32(&head, 4);
	node->nr_mappings = acpi_get32(&head, 8);
	node->mappings = acpi_get32(&head, 12);
	if (!acpi_cut(&iort->table.span, *at, length, &node->span))
		return IOMMUABS_E_FIRMWARE;
	*what = "a node shorter than its type has it";
	if (length < IORT_NODE_SIZE ||
	    (node->type < IORT_TYPES_ && length < types[node->type].size))
		return IOMMUABS_E_FIRMWARE;
	*at += length;
	return 1;
}

/* @nr pieces of @size bytes at @at, behind the node's header. */
static bool array_fits(const struct iort_node *node, uint32_t at, uint32_t nr,
		       uint32_t size)
{
	struct acpi_span array;

	return at >= IORT_NODE_SIZE &&
	       acpi_cut(&node->span, at, (uint64_t)nr * size, &array);
}

/* Before the mappings, that is. */
static bool name_ends(const struct iort_node *node, uint32_t at)
{
	uint32_t length = acpi_string_length(&node->span, at);

	return length != ~0u &&
	       (!node->nr_mappings || at + length < node->mappings);
}

const char *iort_check(const struct iort_node *node)
{
	struct iort_rmr rmr;

	if (node->type >= IORT_TYPES_)
		return NULL;
	if (node->nr_mappings &&
	    !array_fits(node, node->mappings, node->nr_mappings,
			IORT_MAPPING_SIZE))
		return "ID mappings that are not all in the node";
	if (node->nr_mappings && node->mappings < types[node->type].size)
		return "ID mappings where the node's own fields are";
	if (node->type == IORT_ITS_GROUP &&
	    !array_fits(node, 20, acpi_get32(&node->span, 16), 4))
		return "more ITSs than the node has room for";
	if (node->type == IORT_NAMED_COMPONENT && !name_ends(node, 29))
		return "a name without an end";
	if (node->type == IORT_IWB && !name_ends(node, 26))
		return "a name without an end";
	iort_rmr(node, &rmr);
	if (node->type == IORT_RMR && rmr.nr &&
	    !array_fits(node, rmr.regions, rmr.nr, REGION_SIZE))
		return "memory ranges that are not all in the node";
	return NULL;
}

bool iort_mapping(const struct iort_node *node, uint32_t n,
		  struct iort_mapping *mapping)
{
	uint64_t at = node->mappings + (uint64_t)n * IORT_MAPPING_SIZE;
	struct acpi_span span;

	if (n >= node->nr_mappings ||
	    !acpi_cut(&node->span, at, IORT_MAPPING_SIZE, &span))
		return false;
	mapping->input = acpi_get32(&span, 0);
	mapping->last = acpi_get32(&span, 4);
	mapping->output = acpi_get32(&span, 8);
	mapping->reference = acpi_get32(&span, 12);
	mapping->flags = acpi_get32(&span, 16);
	return true;
}

void iort_named_component(const struct iort_node *node,
			  struct iort_named_component *component)
{
	const struct acpi_span *span = &node->span;

	component->flags = acpi_get32(span, 16);
	component->coherent = acpi_get32(span, 20);
	component->hints = acpi_get8(span, 24);
	component->memory_flags = acpi_get8(span, 27);
	component->address_bits = acpi_get8(span, 28);
	component->name = 29;
	component->name_length = acpi_string_length(span, 29);
}

/* Is a field that ends at @end before the mappings, and known to @revision? */
static bool has_field(const struct iort_node *node, uint32_t end,
		      uint32_t revision)
{
	uint32_t fields =
		node->nr_mappings ? node->mappings : node->span.length;

	return node->revision >= revision && end <= fields &&
	       end <= node->span.length;
}

void iort_root_complex(const struct iort_node *node,
		       struct iort_root_complex *complex)
{
	const struct acpi_span *span = &node->span;

	__builtin_memset(complex, 0, sizeof(*complex));
	complex->coherent = acpi_get32(span, 16);
	complex->hints = acpi_get8(span, 20);
	complex->memory_flags = acpi_get8(span, 23);
	complex->ats = acpi_get32(span, 24);
	complex->segment = acpi_get32(span, 28);
	complex->has_address_bits = has_field(node, 33, 0);
	if (complex->has_address_bits)
		complex->address_bits = acpi_get8(span, 32);
	complex->has_pasid = has_field(node, 35, 3);
	if (complex->has_pasid)
		complex->pasid = acpi_get16(span, 33);
	complex->has_flags = has_field(node, 40, 4);
	if (complex->has_flags)
		complex->flags = acpi_get32(span, 36);
}

void iort_smmu(const struct iort_node *node, struct iort_smmu *smmu)
{
	const struct acpi_span *span = &node->span;

	smmu->base = acpi_get64(span, 16);
	smmu->span = acpi_get64(span, 24);
	smmu->model = acpi_get32(span, 32);
	smmu->flags = acpi_get32(span, 36);
	smmu->global = acpi_get32(span, 40);
	smmu->nr_context = acpi_get32(span, 44);
	smmu->context = acpi_get32(span, 48);
	smmu->nr_pmu = acpi_get32(span, 52);
	smmu->pmu = acpi_get32(span, 56);
}

bool iort_interrupt(const struct iort_node *node, uint32_t offset, uint32_t n,
		    struct iort_interrupt *interrupt)
{
	uint64_t at = offset + (uint64_t)n * INTERRUPT_SIZE;
	struct acpi_span span;

	if (at < IORT_NODE_SIZE ||
	    !acpi_cut(&node->span, at, INTERRUPT_SIZE, &span))
		return false;
	interrupt->gsiv = acpi_get32(&span, 0);
	interrupt->flags = acpi_get32(&span, 4);
	return true;
}

void iort_smmuv3(const struct iort_node *node, struct iort_smmuv3 *smmu)
{
	const struct acpi_span *span = &node->span;

	smmu->base = acpi_get64(span, 16);
	smmu->flags = acpi_get32(span, 24);
	smmu->vatos = acpi_get64(span, 32);
	smmu->model = acpi_get32(span, 40);
	smmu->event = acpi_get32(span, 44);
	smmu->pri = acpi_get32(span, 48);
	smmu->gerror = acpi_get32(span, 52);
	smmu->sync = acpi_get32(span, 56);
	smmu->proximity = has_field(node, 64, 0) ? acpi_get32(span, 60) : 0;
	smmu->deviceid_index =
		has_field(node, 68, 0) ? acpi_get32(span, 64) : 0;
}

void iort_pmcg(const struct iort_node *node, struct iort_pmcg *pmcg)
{
	const struct acpi_span *span = &node->span;

	pmcg->page0 = acpi_get64(span, 16);
	pmcg->overflow = acpi_get32(span, 24);
	pmcg->reference = acpi_get32(span, 28);
	pmcg->page1 = has_field(node, 40, 1) ? acpi_get64(span, 32) : 0;
}

void iort_rmr(const struct iort_node *node, struct iort_rmr *rmr)
{
	rmr->flags = acpi_get32(&node->span, 16);
	rmr->nr = acpi_get32(&node->span, 20);
	rmr->regions = acpi_get32(&node->span, 24);
}

bool iort_region(const struct iort_node *node, const struct iort_rmr *rmr,
		 uint32_t n, struct iort_region *region)
{
	uint64_t at = rmr->regions + (uint64_t)n * REGION_SIZE;
	struct acpi_span span;

	if (n >= rmr->nr || !acpi_cut(&node->span, at, REGION_SIZE, &span))
		return false;
	region->base = acpi_get64(&span, 0);
	region->length = acpi_get64(&span, 8);
	return true;
}

#endif
