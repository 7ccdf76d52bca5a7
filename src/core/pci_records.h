/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci_records.h - the ids that are one with a function
 */
#ifndef IOMMUABS_CORE_PCI_RECORDS_H
#define IOMMUABS_CORE_PCI_RECORDS_H

#include "core.h"
#include "pci_topology.h"

/* Ids that are looked at before others get the lock. */
#define PCI_LOCKED_IDS 64

/* All ids that are one with @pci, in walk->ids. Takes abs->lock, reads configuration
 * space. 0 | E_NOENT | E_NOTSUP. */
int pci_ids_find(struct iommuabs *abs, struct pci_walk *walk, uint32_t pci);

#endif
