/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi.h - ACPI tables as bytes: what a DMAR and an IORT hold
 *
 * The readers (acpi_table.c, acpi_dmar.c, acpi_iort.c) hand out one structure
 * after the other, as the table has it, and judge only what they can't read. The
 * scanners (acpi_dmar_*.c, acpi_iort_*.c) make descriptions of that. Every byte is
 * loaded through a span, which knows where it ends: what lies behind reads as 0, as
 * do the fields that an older revision doesn't have.
 */
#ifndef IOMMUABS_FIRMWARE_ACPI_H
#define IOMMUABS_FIRMWARE_ACPI_H

#include "desc.h"

/* ---- acpi_table.c ---- */

#define ACPI_HEADER_SIZE 36

struct acpi_span {
	const uint8_t *data;
	uint32_t offset; /* in the table, for messages */
	uint32_t length;
};

/* @width bytes at @at, little endian; 0 where they are not all there. */
uint64_t acpi_get(const struct acpi_span *span, uint32_t at, uint32_t width);

static inline uint32_t acpi_get8(const struct acpi_span *span, uint32_t at)
{
	return (uint32_t)acpi_get(span, at, 1);
}

static inline uint32_t acpi_get16(const struct acpi_span *span, uint32_t at)
{
	return (uint32_t)acpi_get(span, at, 2);
}

static inline uint32_t acpi_get32(const struct acpi_span *span, uint32_t at)
{
	return (uint32_t)acpi_get(span, at, 4);
}

static inline uint64_t acpi_get64(const struct acpi_span *span, uint32_t at)
{
	return acpi_get(span, at, 8);
}

/* @length bytes of @span at @at. False: they are not all there. */
bool acpi_cut(const struct acpi_span *span, uint64_t at, uint64_t length,
	      struct acpi_span *out);
/* Bytes before the first 0 at @at; ~0u: there is none. */
uint32_t acpi_string_length(const struct acpi_span *span, uint32_t at);

/* The header of every table (ACPI Specification 5.2.6). */
struct acpi_table {
	struct acpi_span span; /* as long as the header says */
	uint32_t size;	       /* of what was given: >= span.length */
	uint32_t revision, checksum;
	bool checksum_good;
};

/* Return: 0 | E_FIRMWARE; then *@what says why. */
int acpi_table_open(const void *data, size_t size, const char signature[4],
		    struct acpi_table *table, const char **what);

/* ---- acpi_dmar.c: Intel VT-d specification, 8 ---- */

enum dmar_type {
	DMAR_DRHD,
	DMAR_RMRR,
	DMAR_ATSR,
	DMAR_RHSA,
	DMAR_ANDD,
	DMAR_SATC,
	DMAR_SIDP,
	DMAR_TYPES_,
};

#define DMAR_INCLUDE_PCI_ALL 1u /* DRHD's flags */
#define DMAR_ALL_PORTS	     1u /* ATSR's */
#define DMAR_ATC_REQUIRED    1u /* SATC's */

/* What has no such field has 0 there. */
struct dmar_structure {
	struct acpi_span span;
	uint32_t type; /* enum dmar_type, or one that is not known */
	uint32_t flags, segment;
	uint64_t base;
	uint32_t size_lg2; /* DRHD: byte as it is; its low 4 bits count pages */
	uint64_t limit;	   /* RMRR: last byte */
	uint32_t proximity;	    /* RHSA */
	uint32_t device_number;	    /* ANDD */
	uint32_t name, name_length; /* ANDD: in span; without its 0 */
	struct acpi_span scopes;
};

enum dmar_scope_type {
	DMAR_SCOPE_ENDPOINT = 1,
	DMAR_SCOPE_BRIDGE,
	DMAR_SCOPE_IOAPIC,
	DMAR_SCOPE_HPET,
	DMAR_SCOPE_NAMESPACE,
};

/* A device, by its way from the bus where it starts (8.3.1). */
struct dmar_scope {
	struct acpi_span span;
	uint32_t type; /* enum dmar_scope_type, or one that is not known */
	uint32_t flags;
	uint32_t id; /* of the I/O APIC, HPET or namespace device */
	uint32_t bus;
	uint32_t nr_hops; /* > 0; the last is the device */
};

/* From 0 on; the first is at this offset. */
#define DMAR_FIRST 48

/*
 * The structure at *@at, which moves behind it.
 * Return: 1 | 0 (no more) | E_FIRMWARE: *@what is wrong at *@at.
 */
int dmar_next(const struct acpi_table *table, uint32_t *at,
	      struct dmar_structure *structure, const char **what);
/* The same for a structure's scopes; *@at is an offset in scopes. */
int dmar_scope_next(const struct dmar_structure *structure, uint32_t *at,
		    struct dmar_scope *scope, const char **what);
/* Device and function of a hop: dev << 3 | fn; ~0u: there is none such. */
uint32_t dmar_hop(const struct dmar_scope *scope, uint32_t n);
const char *dmar_type_name(uint32_t type);
const char *dmar_scope_type_name(uint32_t type);

/* ---- acpi_iort.c: Arm DEN 0049 ---- */

enum iort_type {
	IORT_ITS_GROUP,
	IORT_NAMED_COMPONENT,
	IORT_ROOT_COMPLEX,
	IORT_SMMU, /* v1 and v2 */
	IORT_SMMUV3,
	IORT_PMCG,
	IORT_RMR,
	IORT_IWB,
	IORT_TYPES_,
};

/* Where the first node can be at the least. */
#define IORT_FIRST	  48
#define IORT_NODE_SIZE	  16
#define IORT_MAPPING_SIZE 20

struct iort_node {
	struct acpi_span span;
	uint32_t type; /* enum iort_type, or one that is not known */
	uint32_t revision, identifier;
	uint32_t nr_mappings, mappings; /* count, and where in span */
};

struct iort_mapping {
	uint32_t input, output, reference, flags;
	uint32_t last; /* ids less one */
};

#define IORT_SINGLE 1u /* a mapping's flags: the input has no meaning */

/* Fields after the node's header, in the order of the manual. */
struct iort_named_component {
	uint32_t flags, coherent, hints, memory_flags, address_bits;
	uint32_t name, name_length; /* in span; without its 0 */
};

struct iort_root_complex {
	uint32_t coherent, hints, memory_flags, ats, segment;
	uint32_t address_bits, pasid, flags;
	bool has_address_bits, has_pasid, has_flags; /* by revision */
};

struct iort_smmu {
	uint64_t base, span;
	uint32_t model, flags;
	uint32_t global, nr_context, context, nr_pmu, pmu; /* interrupts */
};

/* A number and its flags. false: @n is not there. */
struct iort_interrupt {
	uint32_t gsiv, flags;
};

struct iort_smmuv3 {
	uint64_t base, vatos;
	uint32_t flags, model, event, pri, gerror, sync;
	uint32_t proximity, deviceid_index;
};

#define IORT_SMMUV3_COHACC 1u /* flags: coherent whatever IDR0 says */

struct iort_pmcg {
	uint64_t page0, page1;
	uint32_t overflow, reference;
};

struct iort_rmr {
	uint32_t flags, nr, regions;
};

struct iort_region {
	uint64_t base, length;
};

struct iort_table {
	struct acpi_table table;
	uint32_t nr_nodes, first; /* as the table says */
};

int iort_open(const void *data, size_t size, struct iort_table *iort,
	      const char **what);
/*
 * The node at *@at, which moves behind it. Return: 1 | 0 (no more: the table
 * ends there) | E_FIRMWARE: *@what is wrong at *@at.
 */
int iort_next(const struct iort_table *iort, uint32_t *at,
	      struct iort_node *node, const char **what);
/* What is wrong with what the node's type has; NULL: nothing. */
const char *iort_check(const struct iort_node *node);
bool iort_mapping(const struct iort_node *node, uint32_t n,
		  struct iort_mapping *mapping);
void iort_named_component(const struct iort_node *node,
			  struct iort_named_component *component);
void iort_root_complex(const struct iort_node *node,
		       struct iort_root_complex *complex);
void iort_smmu(const struct iort_node *node, struct iort_smmu *smmu);
bool iort_interrupt(const struct iort_node *node, uint32_t offset, uint32_t n,
		    struct iort_interrupt *interrupt);
void iort_smmuv3(const struct iort_node *node, struct iort_smmuv3 *smmu);
void iort_pmcg(const struct iort_node *node, struct iort_pmcg *pmcg);
void iort_rmr(const struct iort_node *node, struct iort_rmr *rmr);
bool iort_region(const struct iort_node *node, const struct iort_rmr *rmr,
		 uint32_t n, struct iort_region *region);
const char *iort_type_name(uint32_t type);

#endif
