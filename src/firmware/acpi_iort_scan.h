/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi_iort_scan.h - the IORT scanner's own view of a table
 *
 * Nodes become units and devices; each ID mapping that ends at a unit becomes a
 * piece: ids of that unit, and whose they are. Pieces are sorted, so that the
 * work is that of sorting, whatever the table says.
 */
#ifndef IOMMUABS_FIRMWARE_ACPI_IORT_SCAN_H
#define IOMMUABS_FIRMWARE_ACPI_IORT_SCAN_H

#include "acpi_scan.h"

#define IORT_RIDS 0x10000u

struct iort_piece {
	struct iort_piece *next;
	const struct desc_unit *unit;
	struct desc_device *device; /* whose stream it became */
	uint64_t first, nr;	    /* ids of @unit */
	uint32_t rid;		    /* that arrives as @first */
	uint32_t offset;	    /* of the node that maps them */
};

struct iort_pieces {
	struct iort_piece *first, **last;
};

struct iort_ids {
	uint32_t first, last;
};

/* More of one unit than any machine has: of what is beyond them none is sure. */
#define IORT_ITS_RANGES 16

/* What a reference can point at. */
struct iort_target {
	struct desc_unit *unit; /* NULL: an ITS group */
	/* Of a unit: its ids that end at an ITS; no two of them adjoin. */
	struct iort_ids its[IORT_ITS_RANGES];
	uint32_t nr_its;
	bool is_its;
};

/* All root complexes of one PCI segment. */
struct iort_segment {
	struct iort_pieces pieces; /* by rid */
	uint32_t offset;	   /* of the first root complex */
	bool single;		   /* all functions have one stream */
	bool shared;		   /* or some functions share one */
	bool partial;		   /* no unit sees some of them */
	bool unsafe;		   /* messages don't all end at an ITS */
};

struct iort_scan {
	struct acpi_scan scan;
	struct iort_table iort;
	struct acpi_index targets;  /* offset: struct iort_target */
	struct acpi_index segments; /* number: struct iort_segment */
	struct iort_pieces memory;  /* of RMRs */
	/* In the end: streams of range devices, and those of the others. */
	struct iort_pieces ranges, plain;
	struct desc_device **last_range;
};

/* ---- acpi_iort_scan.c ---- */

/*
 * The @n-th mapping and where it leads. Return: 1 | 0 (nowhere; remarked upon) |
 * E_FIRMWARE.
 */
int iort_mapping_get(struct iort_scan *scan, const struct iort_node *node,
		     uint32_t n, struct iort_mapping *mapping,
		     struct iort_target **target);

/* ---- acpi_iort_unit.c ---- */

/* The unit that an SMMU's node is; NULL: no memory. */
struct desc_unit *iort_unit_add(struct iort_scan *scan,
				const struct iort_node *node);

/* ---- acpi_iort_complex.c ---- */

/* What a root complex maps becomes pieces of its segment. */
int iort_complex_take(struct iort_scan *scan, const struct iort_node *node);
/* One device for a segment, or more where its streams don't fit into one. */
int iort_segment_settle(struct iort_scan *scan, uint32_t number,
			struct iort_segment *segment);

/* ---- acpi_iort_pieces.c ---- */

static inline bool iort_pieces_meet(const struct iort_piece *a,
				    const struct iort_piece *b)
{
	return a->unit == b->unit && b->first < a->first + a->nr &&
	       a->first < b->first + b->nr;
}

/* A copy of @piece at the end of @pieces. */
int iort_piece_add(struct iort_scan *scan, struct iort_pieces *pieces,
		   const struct iort_piece *piece);
void iort_pieces_free(struct iort_scan *scan, struct iort_pieces *pieces);
void iort_pieces_sort_by_rid(struct iort_scan *scan,
			     struct iort_pieces *pieces);
void iort_pieces_sort_by_id(struct iort_scan *scan, struct iort_pieces *pieces);
/* Do two of them have an id in common? Sorts them by id. */
bool iort_pieces_share(struct iort_scan *scan, struct iort_pieces *pieces);
/* The ids of @piece's next become its own, and that one goes. */
void iort_piece_absorb_next(struct iort_scan *scan, struct iort_piece *piece);
/* Sorts them by id; those that have ids in common become one. */
void iort_pieces_join(struct iort_scan *scan, struct iort_pieces *pieces);

/* The streams of a device so far. */
struct iort_tail {
	struct desc_stream *last;
	uint32_t nr;
};

/*
 * @piece comes after those in @tail; where it continues the last one, that gets
 * longer. Return: 0 | E_FIRMWARE (too many) | E_NOMEM.
 */
int iort_stream_add(struct iort_scan *scan, struct desc_device *device,
		    struct iort_tail *tail, const struct iort_piece *piece);

/* ---- acpi_iort_memory.c ---- */

/* The regions of scan->memory become those of the devices they are about. */
int iort_memory_settle(struct iort_scan *scan);

#endif
