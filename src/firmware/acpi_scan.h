/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi_scan.h - what the scanners of ACPI tables have in common
 */
#ifndef IOMMUABS_FIRMWARE_ACPI_SCAN_H
#define IOMMUABS_FIRMWARE_ACPI_SCAN_H

#include <iommuabs/error.h>

#include "acpi.h"

/* More of them say nothing new: a broken table has one for each structure. */
#define ACPI_REMARKS_MAX 200

/* A digital search tree by the bits of @key, lowest first, and a list of all. */
struct acpi_entry {
	struct acpi_entry *child[2];
	struct acpi_entry *next; /* in the order of adding */
	uint32_t key;
	void *value; /* NULL at first */
};

struct acpi_index {
	struct acpi_entry *root, *first, **last;
};

struct acpi_scan {
	struct desc_set *set;
	const char *name; /* of the table */
	struct desc_unit **last_unit;
	struct desc_device **last_device;
};

void acpi_scan_begin(struct acpi_scan *scan, struct desc_set *set,
		     const char *name);
/* E_FIRMWARE, having noted what is wrong at @offset. */
int acpi_fail(struct acpi_scan *scan, uint32_t offset, const char *what);
void acpi_remark(struct acpi_scan *scan, uint32_t offset, const char *what);

/* At most 33 steps. NULL: there is none. */
struct acpi_entry *acpi_index_find(struct acpi_scan *scan,
				   struct acpi_index *index, uint32_t key);
/* The entry of @key, made if there is none. NULL: no memory. */
struct acpi_entry *acpi_index_get(struct acpi_scan *scan,
				  struct acpi_index *index, uint32_t key);
void acpi_index_free(struct acpi_scan *scan, struct acpi_index *index);

/* Appended to the set; NULL: no memory. */
struct desc_unit *acpi_unit_add(struct acpi_scan *scan,
				enum iommuabs_unit_type type, uint32_t offset);
struct desc_device *acpi_device_add(struct acpi_scan *scan);
/* The @nr ids from @first on, in front of those that @device has. */
int acpi_stream_add(struct acpi_scan *scan, struct desc_device *device,
		    const struct desc_stream *stream);

/*
 * @length bytes at @base, seen where they are. In whole frames; what it overlaps
 * becomes one with it. Return: 0 | E_FIRMWARE | E_NOMEM.
 */
int acpi_reserved_add(struct acpi_scan *scan, struct desc_device *device,
		      uint32_t offset, const struct iommuabs_reserved *region);
/*
 * The frames of [@base, @last], or a remark why they can't be had: then false.
 */
bool acpi_region(struct acpi_scan *scan, uint32_t offset, uint64_t base,
		 uint64_t last, struct iommuabs_reserved *region);
/* @length characters of a name; false: too many. */
bool acpi_path(struct desc_device *device, const uint8_t *name,
	       uint32_t length);

#endif
