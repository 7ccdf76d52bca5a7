/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci_function.h - what one PCI function says about itself
 */
#ifndef IOMMUABS_CORE_PCI_FUNCTION_H
#define IOMMUABS_CORE_PCI_FUNCTION_H

#include "pci_config.h"
#include "pci_topology.h"

uint32_t pci_read(const struct pci_walk *walk, uint32_t rid, uint32_t offset);
/* Does it answer by itself? Virtual functions don't. */
bool pci_answers(const struct pci_walk *walk, uint32_t rid);
/* Are there more functions in its slot? */
bool pci_is_multi(const struct pci_walk *walk, uint32_t rid);
/* Buses behind it. False: it is no bridge, or they make no sense. */
bool pci_bridge_buses(const struct pci_walk *walk, uint32_t rid,
		      uint32_t *first, uint32_t *last);
bool pci_is_bridge(const struct pci_walk *walk, uint32_t rid);
/* Where the extended capability @id is; 0: it has none. */
uint32_t pci_ext_find(const struct pci_walk *walk, uint32_t rid, uint32_t id);
enum pci_type pci_type_of(const struct pci_walk *walk, uint32_t rid);
/* Function numbers of its slot that it may use besides its own: a bit each. */
uint32_t pci_phantoms(const struct pci_walk *walk, uint32_t rid);
/* A function number that a part known for it uses in place of its own; ~0u. */
uint32_t pci_quirk_function(const struct pci_walk *walk, uint32_t rid);

/* Does what @rid lets through, or sends itself, go upstream to be checked? */
bool pci_isolates(const struct pci_walk *walk, uint32_t rid);

/* Virtual functions of a physical one. */
struct pci_vfs {
	uint32_t nr, first, stride;
};

/* nr 0: none are enabled. */
struct pci_vfs pci_vfs_of(const struct pci_walk *walk, uint32_t rid);

#endif
