/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi_dmar_scan.h - the DMAR scanner's own view of a table
 */
#ifndef IOMMUABS_FIRMWARE_ACPI_DMAR_SCAN_H
#define IOMMUABS_FIRMWARE_ACPI_DMAR_SCAN_H

#include "acpi_scan.h"

#define DMAR_BUSES     256
#define DMAR_FUNCTIONS 256 /* of a bus */

struct dmar_segment {
	uint32_t number;
	uint32_t offset;       /* of the first DRHD */
	struct desc_unit *all; /* the one with INCLUDE_PCI_ALL */
	/* NULL, or per bus: who sees it, by which bridge's number of buses. */
	struct desc_unit **owner;
	uint16_t *width;
};

_Static_assert(DMAR_BUSES * sizeof(struct desc_unit *) <= TABLEMEM_OBJECT_MAX,
	       "a small object");

struct dmar_scan {
	struct acpi_scan scan;
	struct acpi_table table;
	struct acpi_index names; /* namespace device number: ANDD's offset */
	/* Page of a unit's registers, lower bits; twins differ in the others. */
	struct acpi_index bases;
	struct acpi_index segments;  /* number */
	struct acpi_index functions; /* IOMMUABS_PCI(): struct desc_device */
	struct acpi_index ways;	     /* sum of a path: the same, unknown */
	struct desc_device **last_range;
};

/* ---- acpi_dmar_device.c ---- */

/* Buses behind the bridge @pci. False: nobody knows. */
bool dmar_bridge_buses(const struct dmar_scan *dmar, uint32_t pci,
		       uint32_t *first, uint32_t *last);
/* The requester ID of a scope's device, or DESC_RID_UNKNOWN. */
uint32_t dmar_scope_rid(struct dmar_scan *dmar, uint32_t segment,
			const struct dmar_scope *scope);
/* False: a hop to a device or function that can't be. */
bool dmar_scope_is_good(struct dmar_scan *dmar, const struct dmar_scope *scope);
/* False: of no known type; remarked upon. IOAPICs and HPETs aren't devices. */
bool dmar_scope_is_device(struct dmar_scan *dmar,
			  const struct dmar_scope *scope);
/* The device that a scope names: known by its requester ID, or by the way. */
int dmar_function_get(struct dmar_scan *dmar, uint32_t segment,
		      const struct dmar_scope *scope, struct desc_device **out);
/* The first unit that claims a function has it. */
int dmar_function_claim(struct dmar_scan *dmar, struct desc_device *device,
			uint32_t offset, const struct desc_unit *unit);

/* ---- acpi_dmar_unit.c ---- */

/* NULL: none is at @base, a multiple of the page size. */
struct desc_unit *dmar_unit_at(struct dmar_scan *dmar, uint64_t base);

int dmar_drhd_take(struct dmar_scan *dmar, const struct dmar_structure *drhd);
void dmar_segments_free(struct dmar_scan *dmar);

#endif
