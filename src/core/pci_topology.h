/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci_topology.h - under which requester IDs a function's DMA arrives, and whom
 * it reaches without meeting a unit
 *
 * Everything comes from the host's pci_cfg_read: no lock of the library is held.
 * What can't be read (an extended capability where the host only has the first
 * 256 bytes) counts as not there, which makes groups larger, never smaller.
 */
#ifndef IOMMUABS_CORE_PCI_TOPOLOGY_H
#define IOMMUABS_CORE_PCI_TOPOLOGY_H

#include "../host/tablemem.h"

#define PCI_RIDS	   0x10000 /* of a segment */
#define PCI_BUSES_MAX	   256
#define PCI_BUS_FUNCTIONS  256
#define PCI_SLOT_FUNCTIONS 8
#define PCI_SPANS_MAX	   128
#define PCI_ROUNDS_MAX	   8

struct pci_span {
	uint16_t first, last;
};

/* Requester IDs of one segment: ascending, no two spans touch. */
struct pci_ids {
	uint32_t nr;
	struct pci_span spans[PCI_SPANS_MAX];
};

/* One look at a segment; too large for a stack. */
struct pci_walk {
	const struct hostif *host;
	uint32_t segment;
	struct pci_ids ids;    /* what was found so far */
	struct pci_ids closed; /* of them, functions whose peers were, too */
	/*
	 * The bridge whose secondary bus this is, PCI_NO_BRIDGE: a root bus.
	 * Known for buses up to @known.
	 */
	uint16_t bridge[PCI_BUSES_MAX];
	uint32_t known;
	/* Log why functions are one; not again for each attach. */
	bool tell;
	/* Where all behind a bridge is one, take its buses as a whole. */
	bool coarse;
};

_Static_assert(sizeof(struct pci_walk) <= TABLEMEM_OBJECT_MAX,
	       "a small object");

#define PCI_NO_BRIDGE 0xffff

bool pci_ids_have(const struct pci_ids *ids, uint32_t rid);
/* false: too many spans. */
bool pci_ids_add(struct pci_ids *ids, uint32_t first, uint32_t last);
uint32_t pci_ids_count(const struct pci_ids *ids);
/* The first one at or after @rid; PCI_RIDS: none. */
uint32_t pci_ids_next(const struct pci_ids *ids, uint32_t rid);
bool pci_ids_equal(const struct pci_ids *a, const struct pci_ids *b);

/* Nothing found so far. False: the host can't say. */
bool pci_walk_begin(struct pci_walk *walk, const struct hostif *host,
		    uint32_t segment);

/*
 * Add to walk->ids all that @rid's DMA may carry as requester ID, and all that
 * shares one with it, or that it can reach past every unit. A port (of a root
 * complex or a switch) only has its own: what is behind it is another's.
 * 0 | E_NOENT (no function there) | E_NOTSUP (too many spans, or rounds).
 */
int pci_group_add(struct pci_walk *walk, uint32_t rid);
/* The same for all in walk->ids that it wasn't done for, if they exist. */
int pci_group_close(struct pci_walk *walk);

/* Is it a virtual function, and whose? */
bool pci_is_virtual(const struct pci_walk *walk, uint32_t rid,
		    uint32_t *physical);

/* How a function's requests get to the root complex. */
enum pci_way {
	PCI_WAY_OTHER, /* not by PCI Express all the way */
	PCI_WAY_PORT,  /* by a root port */
	PCI_WAY_INTEGRATED,
};

/* Of one that is no virtual function. *@end: that root port; or the integrated
 * function itself. */
enum pci_way pci_way_up(struct pci_walk *walk, uint32_t rid, uint32_t *end);

#endif
