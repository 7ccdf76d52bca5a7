/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * raw_acpi.c - a DMAR or an IORT as it is, structure by structure
 */
#include <stdlib.h>
#include <string.h>

#include "firmware/acpi.h"
#include "inspect.h"

void raw_begin(struct table *table, struct json *json)
{
	char hex[65];

	sha256_hex(table->data, table->size, hex);
	json_open(json, NULL, '{');
	json_string(json, "file", table->file);
	json_string(json, "sha256", hex);
}

#if IOMMUABS_CONFIG_ACPI

/* ACPI Specification 5.2.6. */
static void header_print(struct json *json, const struct acpi_table *table)
{
	const struct acpi_span *span = &table->span;

	json_open(json, "header", '{');
	json_bytes(json, "signature", span->data, 4);
	json_number(json, "length", span->length);
	json_number(json, "file_size", table->size);
	json_number(json, "revision", table->revision);
	json_number(json, "checksum", table->checksum);
	json_bool(json, "checksum_ok", table->checksum_good);
	json_bytes(json, "oem_id", span->data + 10, 6);
	json_bytes(json, "oem_table_id", span->data + 16, 8);
	json_number(json, "oem_revision", acpi_get32(span, 24));
	json_bytes(json, "creator_id", span->data + 28, 4);
	json_number(json, "creator_revision", acpi_get32(span, 32));
	json_close(json, '}');
}

static bool refuse(struct table *table, uint32_t offset, const char *what)
{
	table->status = INSPECT_MALFORMED;
	snprintf(table->error, sizeof(table->error), "%s, offset %u: %s",
		 table->kind == TABLE_DMAR ? "DMAR" : "IORT", offset, what);
	return false;
}

/* ---- DMAR ---- */

struct dmar_counts {
	uint32_t of_type[DMAR_TYPES_ + 1];
	uint32_t multi_hop;
};

/* Is the table readable to its end? Then the printing can't fail. */
static bool dmar_check(struct table *table, const struct acpi_table *dmar,
		       struct dmar_counts *counts)
{
	uint32_t at = DMAR_FIRST, in;
	struct dmar_structure s;
	struct dmar_scope scope;
	const char *what;
	int ret;

	memset(counts, 0, sizeof(*counts));
	while ((ret = dmar_next(dmar, &at, &s, &what)) > 0) {
		counts->of_type[s.type < DMAR_TYPES_ ? s.type : DMAR_TYPES_]++;
		in = 0;
		while ((ret = dmar_scope_next(&s, &in, &scope, &what)) > 0)
			counts->multi_hop += scope.nr_hops > 1;
		if (ret)
			return refuse(table, s.scopes.offset + in, what);
	}
	return ret ? refuse(table, at, what) : true;
}

static void scope_print(struct json *json, const struct dmar_scope *scope)
{
	uint32_t n;

	json_open(json, NULL, '{');
	json_number(json, "type", scope->type);
	json_string(json, "type_name", dmar_scope_type_name(scope->type));
	json_number(json, "flags", scope->flags);
	json_number(json, "enumeration_id", scope->id);
	json_number(json, "start_bus", scope->bus);
	json_open(json, "path", '[');
	for (n = 0; n < scope->nr_hops; n++) {
		json_open(json, NULL, '[');
		json_number(json, NULL, acpi_get8(&scope->span, 6 + 2 * n));
		json_number(json, NULL, acpi_get8(&scope->span, 7 + 2 * n));
		json_close(json, ']');
	}
	json_close(json, ']');
	json_close(json, '}');
}

static void scopes_print(struct json *json, const struct dmar_structure *s)
{
	struct dmar_scope scope;
	const char *what;
	uint32_t at = 0;

	json_open(json, "scopes", '[');
	while (dmar_scope_next(s, &at, &scope, &what) > 0)
		scope_print(json, &scope);
	json_close(json, ']');
}

static void dmar_fields_print(struct json *json, const struct dmar_structure *s)
{
	switch (s->type) {
	case DMAR_DRHD:
		json_number(json, "flags", s->flags);
		json_bool(json, "include_pci_all",
			  s->flags & DMAR_INCLUDE_PCI_ALL);
		json_number(json, "size_field", s->size_lg2);
		json_number(json, "segment", s->segment);
		json_hex(json, "base", s->base);
		break;
	case DMAR_RMRR:
		json_number(json, "segment", s->segment);
		json_hex(json, "base", s->base);
		json_hex(json, "limit", s->limit);
		json_number(json, "size", s->limit - s->base + 1);
		break;
	case DMAR_RHSA:
		json_hex(json, "base", s->base);
		json_number(json, "proximity_domain", s->proximity);
		break;
	case DMAR_ANDD:
		json_number(json, "acpi_device_number", s->device_number);
		json_bytes(json, "name", s->span.data + s->name,
			   s->name_length);
		break;
	case DMAR_ATSR:
	case DMAR_SATC:
		json_number(json, "flags", s->flags);
		json_number(json, "segment", s->segment);
		break;
	case DMAR_SIDP:
		json_number(json, "segment", s->segment);
		break;
	default:
		break;
	}
}

static void structure_print(struct json *json, const struct dmar_structure *s)
{
	json_open(json, NULL, '{');
	json_number(json, "offset", s->span.offset);
	json_number(json, "type", s->type);
	json_string(json, "kind", dmar_type_name(s->type));
	json_number(json, "length", s->span.length);
	dmar_fields_print(json, s);
	if (s->type == DMAR_DRHD || s->type == DMAR_RMRR ||
	    s->type == DMAR_ATSR || s->type == DMAR_SATC ||
	    s->type == DMAR_SIDP)
		scopes_print(json, s);
	if (s->type == DMAR_ATSR)
		json_bool(json, "all_ports", s->flags & DMAR_ALL_PORTS);
	if (s->type == DMAR_SATC)
		json_bool(json, "atc_required", s->flags & DMAR_ATC_REQUIRED);
	json_close(json, '}');
}

static void dmar_counts_print(struct json *json,
			      const struct dmar_counts *counts)
{
	uint32_t type;

	json_open(json, "counts", '{');
	for (type = 0; type < DMAR_TYPES_; type++)
		json_number(json, dmar_type_name(type), counts->of_type[type]);
	json_number(json, "unknown", counts->of_type[DMAR_TYPES_]);
	json_close(json, '}');
	if (counts->multi_hop)
		json_number(json, "multi_hop_paths", counts->multi_hop);
}

/* Bits of segments: which have a DRHD, which one with INCLUDE_PCI_ALL. */
struct segments {
	unsigned char seen[0x10000 / 8], all[0x10000 / 8];
};

static void segments_mark(struct segments *segments,
			  const struct dmar_structure *drhd)
{
	unsigned char bit = (unsigned char)(1u << drhd->segment % 8);

	segments->seen[drhd->segment / 8] |= bit;
	if (drhd->flags & DMAR_INCLUDE_PCI_ALL)
		segments->all[drhd->segment / 8] |= bit;
}

static void dmar_anomalies_print(struct json *json,
				 const struct acpi_table *dmar)
{
	struct segments *segments = take(sizeof(*segments));
	uint32_t at = DMAR_FIRST, segment;
	struct dmar_structure s;
	const char *what;
	char line[80];

	json_open(json, "anomalies", '[');
	if (!dmar->checksum_good)
		json_string(json, NULL, "bad checksum");
	while (dmar_next(dmar, &at, &s, &what) > 0) {
		if (s.type == DMAR_DRHD && (!s.base || s.base & 0xfff)) {
			snprintf(line, sizeof(line), "DRHD base 0x%llx",
				 (unsigned long long)s.base);
			json_string(json, NULL, line);
		}
		if (s.type == DMAR_RMRR &&
		    (s.limit < s.base || s.base & 0xfff || ~s.limit & 0xfff)) {
			snprintf(line, sizeof(line), "RMRR 0x%llx to 0x%llx",
				 (unsigned long long)s.base,
				 (unsigned long long)s.limit);
			json_string(json, NULL, line);
		}
		if (s.type == DMAR_DRHD)
			segments_mark(segments, &s);
	}
	for (segment = 0; segment < 0x10000; segment++) {
		if (!(segments->seen[segment / 8] &
		      ~segments->all[segment / 8] & 1u << segment % 8))
			continue;
		snprintf(line, sizeof(line),
			 "no INCLUDE_PCI_ALL DRHD in segment %u", segment);
		json_string(json, NULL, line);
	}
	json_close(json, ']');
	free(segments);
}

bool raw_dmar(struct table *table, struct json *json)
{
	struct dmar_counts counts;
	struct dmar_structure s;
	struct acpi_table dmar;
	const char *what;
	uint32_t at = DMAR_FIRST, flags;

	if (acpi_table_open(table->data, table->size, "DMAR", &dmar, &what))
		return refuse(table, 0, what);
	if (!dmar_check(table, &dmar, &counts))
		return false;
	raw_begin(table, json);
	header_print(json, &dmar);
	json_number(json, "host_address_width_minus1",
		    acpi_get8(&dmar.span, 36));
	json_number(json, "host_address_width", acpi_get8(&dmar.span, 36) + 1u);
	flags = acpi_get8(&dmar.span, 37);
	json_number(json, "flags", flags);
	json_bool(json, "intr_remap", flags & DESC_DMAR_INTR_REMAP);
	json_bool(json, "x2apic_opt_out", flags & DESC_DMAR_X2APIC_OPT_OUT);
	json_bool(json, "dma_ctrl_platform_opt_in",
		  flags & DESC_DMAR_DMA_CTRL_OPT_IN);
	json_open(json, "structures", '[');
	while (dmar_next(&dmar, &at, &s, &what) > 0)
		structure_print(json, &s);
	json_close(json, ']');
	dmar_counts_print(json, &counts);
	dmar_anomalies_print(json, &dmar);
	json_close(json, '}');
	return true;
}

/* ---- IORT ---- */

/* What an IORT's nodes are, by the offset where they begin. */
struct node_types {
	unsigned char *type; /* of each offset; 0xff: no node begins there */
	uint32_t length;
	uint32_t counts[IORT_TYPES_ + 1];
	uint32_t nr_nodes, nr_mappings;
	bool is_aligned;
};

#define NO_NODE	     0xff
#define UNKNOWN_NODE 0xfe

static bool iort_read(struct table *table, const struct iort_table *iort,
		      struct node_types *types)
{
	uint32_t at = iort->first, n, type, offset = at;
	struct iort_node node;
	const char *what = NULL;
	int ret = 1;

	types->is_aligned = true;
	for (n = 0; n < iort->nr_nodes; n++, offset = at) {
		ret = iort_next(iort, &at, &node, &what);
		if (ret <= 0)
			break;
		what = iort_check(&node);
		if (what)
			return refuse(table, offset, what);
		type = node.type < IORT_TYPES_ ? node.type : IORT_TYPES_;
		types->counts[type]++;
		types->type[offset] =
			(unsigned char)(type < IORT_TYPES_ ? type
							   : UNKNOWN_NODE);
		types->is_aligned &= !(offset & 3);
		types->nr_mappings +=
			node.type < IORT_TYPES_ ? node.nr_mappings : 0;
		types->nr_nodes++;
	}
	return ret < 0 ? refuse(table, at, what) : true;
}

static void mappings_print(struct json *json, const struct iort_node *node,
			   const struct node_types *types)
{
	struct iort_mapping mapping;
	uint32_t n, type;

	json_open(json, "mappings", '[');
	for (n = 0; iort_mapping(node, n, &mapping); n++) {
		json_open(json, NULL, '{');
		json_hex(json, "input_base", mapping.input);
		json_hex(json, "id_count_field", mapping.last);
		json_hex(json, "output_base", mapping.output);
		json_number(json, "output_reference", mapping.reference);
		json_number(json, "flags", mapping.flags);
		json_number(json, "single", mapping.flags & IORT_SINGLE);
		type = mapping.reference < types->length
			       ? types->type[mapping.reference]
			       : NO_NODE;
		if (type == NO_NODE)
			json_null(json, "output_kind");
		else
			json_string(json, "output_kind", iort_type_name(type));
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void its_print(struct json *json, const struct iort_node *node)
{
	uint32_t nr = acpi_get32(&node->span, 16), n;

	json_open(json, "its_ids", '[');
	for (n = 0; n < nr; n++)
		json_number(json, NULL, acpi_get32(&node->span, 20 + 4 * n));
	json_close(json, ']');
}

static void component_print(struct json *json, const struct iort_node *node)
{
	struct iort_named_component component;

	iort_named_component(node, &component);
	json_number(json, "flags", component.flags);
	json_number(json, "cache_coherent", component.coherent);
	json_number(json, "hints", component.hints);
	json_number(json, "memory_flags", component.memory_flags);
	json_number(json, "memory_size_limit", component.address_bits);
	json_bytes(json, "name", node->span.data + component.name,
		   component.name_length);
}

static void complex_print(struct json *json, const struct iort_node *node)
{
	struct iort_root_complex complex;

	iort_root_complex(node, &complex);
	json_number(json, "cache_coherent", complex.coherent);
	json_number(json, "hints", complex.hints);
	json_number(json, "memory_flags", complex.memory_flags);
	json_number(json, "ats", complex.ats);
	json_number(json, "segment", complex.segment);
	if (complex.has_address_bits)
		json_number(json, "memory_size_limit", complex.address_bits);
	if (complex.has_pasid)
		json_number(json, "pasid", complex.pasid);
	if (complex.has_flags)
		json_number(json, "flags", complex.flags);
}

static void interrupt_print(struct json *json, const char *key,
			    const struct iort_interrupt *interrupt)
{
	json_open(json, key, '[');
	json_number(json, NULL, interrupt->gsiv);
	json_number(json, NULL, interrupt->flags);
	json_close(json, ']');
}

static void smmu_print(struct json *json, const struct iort_node *node)
{
	struct iort_interrupt one, two;
	struct iort_smmu smmu;

	iort_smmu(node, &smmu);
	json_hex(json, "base", smmu.base);
	json_hex(json, "span", smmu.span);
	json_number(json, "model", smmu.model);
	json_number(json, "flags", smmu.flags);
	json_number(json, "dvm", smmu.flags & 1);
	json_number(json, "coherent_walk", smmu.flags >> 1 & 1);
	json_number(json, "global_interrupt_offset", smmu.global);
	json_number(json, "context_interrupt_count", smmu.nr_context);
	json_number(json, "context_interrupt_offset", smmu.context);
	json_number(json, "pmu_interrupt_count", smmu.nr_pmu);
	json_number(json, "pmu_interrupt_offset", smmu.pmu);
	if (iort_interrupt(node, smmu.global, 0, &one) &&
	    iort_interrupt(node, smmu.global, 1, &two)) {
		json_number(json, "nsgirpt", one.gsiv);
		json_number(json, "nsgirpt_flags", one.flags);
		json_number(json, "nsgcfgirpt", two.gsiv);
		json_number(json, "nsgcfgirpt_flags", two.flags);
	}
	if (smmu.nr_context && iort_interrupt(node, smmu.context, 0, &one) &&
	    iort_interrupt(node, smmu.context, smmu.nr_context - 1, &two)) {
		interrupt_print(json, "context_interrupts_first", &one);
		interrupt_print(json, "context_interrupts_last", &two);
	}
}

static void smmuv3_print(struct json *json, const struct iort_node *node)
{
	struct iort_smmuv3 smmu;

	iort_smmuv3(node, &smmu);
	json_hex(json, "base", smmu.base);
	json_number(json, "flags", smmu.flags);
	json_number(json, "cohacc_override", smmu.flags & 1);
	json_number(json, "httu_override", smmu.flags >> 1 & 3);
	json_number(json, "proximity_valid", smmu.flags >> 3 & 1);
	json_number(json, "deviceid_valid", smmu.flags >> 4 & 1);
	json_hex(json, "vatos", smmu.vatos);
	json_number(json, "model", smmu.model);
	json_number(json, "event_gsiv", smmu.event);
	json_number(json, "pri_gsiv", smmu.pri);
	json_number(json, "gerr_gsiv", smmu.gerror);
	json_number(json, "sync_gsiv", smmu.sync);
	json_number(json, "proximity_domain", smmu.proximity);
	json_number(json, "deviceid_mapping_index", smmu.deviceid_index);
}

static void pmcg_print(struct json *json, const struct iort_node *node)
{
	struct iort_pmcg pmcg;

	iort_pmcg(node, &pmcg);
	json_hex(json, "page0_base", pmcg.page0);
	json_number(json, "overflow_gsiv", pmcg.overflow);
	json_number(json, "node_reference", pmcg.reference);
	json_hex(json, "page1_base", pmcg.page1);
}

static void rmr_print(struct json *json, const struct iort_node *node)
{
	struct iort_region region;
	struct iort_rmr rmr;
	uint32_t n;

	iort_rmr(node, &rmr);
	json_number(json, "flags", rmr.flags);
	json_number(json, "rmr_count", rmr.nr);
	json_number(json, "rmr_offset", rmr.regions);
	json_open(json, "rmr", '[');
	for (n = 0; iort_region(node, &rmr, n, &region); n++) {
		json_open(json, NULL, '{');
		json_hex(json, "base", region.base);
		json_hex(json, "length", region.length);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void iwb_print(struct json *json, const struct iort_node *node)
{
	json_hex(json, "base", acpi_get64(&node->span, 16));
	json_number(json, "iwb_index", acpi_get16(&node->span, 24));
	json_bytes(json, "name", node->span.data + 26,
		   acpi_string_length(&node->span, 26));
}

static void node_print(struct json *json, const struct iort_node *node,
		       const struct node_types *types)
{
	static void (*const fields[IORT_TYPES_])(struct json * json,
						 const struct iort_node *) = {
		[IORT_ITS_GROUP] = its_print,
		[IORT_NAMED_COMPONENT] = component_print,
		[IORT_ROOT_COMPLEX] = complex_print,
		[IORT_SMMU] = smmu_print,
		[IORT_SMMUV3] = smmuv3_print,
		[IORT_PMCG] = pmcg_print,
		[IORT_RMR] = rmr_print,
		[IORT_IWB] = iwb_print,
	};

	json_open(json, NULL, '{');
	json_number(json, "offset", node->span.offset);
	json_number(json, "type", node->type);
	json_string(json, "kind", iort_type_name(node->type));
	json_number(json, "length", node->span.length);
	json_number(json, "revision", node->revision);
	json_number(json, "identifier", node->identifier);
	json_number(json, "mapping_count", node->nr_mappings);
	json_number(json, "mapping_offset", node->mappings);
	if (node->type < IORT_TYPES_) {
		fields[node->type](json, node);
		mappings_print(json, node, types);
	}
	json_close(json, '}');
}

static void iort_print(struct table *table, struct json *json,
		       const struct iort_table *iort,
		       const struct node_types *types)
{
	uint32_t at = iort->first, n;
	struct iort_node node;
	const char *what;

	raw_begin(table, json);
	header_print(json, &iort->table);
	json_number(json, "node_count", iort->nr_nodes);
	json_number(json, "node_offset", iort->first);
	json_open(json, "nodes", '[');
	for (n = 0; n < types->nr_nodes; n++) {
		(void)iort_next(iort, &at, &node, &what);
		node_print(json, &node, types);
	}
	json_close(json, ']');
	json_open(json, "counts", '{');
	for (n = 0; n < IORT_TYPES_; n++)
		json_number(json, iort_type_name(n), types->counts[n]);
	json_number(json, "unknown", types->counts[IORT_TYPES_]);
	json_close(json, '}');
	json_number(json, "mapping_total", types->nr_mappings);
	json_open(json, "anomalies", '[');
	if (!iort->table.checksum_good)
		json_string(json, NULL, "bad checksum");
	if (!types->is_aligned)
		json_string(json, NULL, "nodes not 4-byte aligned");
	if (types->nr_nodes < iort->nr_nodes)
		json_string(json, NULL, "fewer nodes than the count says");
	else if (at < iort->table.span.length)
		json_string(json, NULL, "bytes after the last node");
	json_close(json, ']');
	json_close(json, '}');
}

bool raw_iort(struct table *table, struct json *json)
{
	struct node_types types = { 0 };
	struct iort_table iort;
	const char *what;
	bool good;

	if (iort_open(table->data, table->size, &iort, &what))
		return refuse(table, 0, what);
	types.length = iort.table.span.length;
	types.type = take(types.length);
	memset(types.type, NO_NODE, types.length);
	good = iort_read(table, &iort, &types);
	if (good)
		iort_print(table, json, &iort, &types);
	free(types.type);
	return good;
}

#else

static bool built_without(struct table *table)
{
	table->status = INSPECT_UNKNOWN;
	snprintf(table->error, sizeof(table->error),
		 "built without this scanner");
	return false;
}

bool raw_dmar(struct table *table, struct json *json)
{
	(void)json;
	return built_without(table);
}

bool raw_iort(struct table *table, struct json *json)
{
	(void)json;
	return built_without(table);
}

#endif
