/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * firmware.h - let the library find units and devices in firmware tables
 *
 * The scanners fill the same descriptions as iommuabs_unit_add() and
 * iommuabs_device_add() take. Tables are untrusted.
 */
#ifndef IOMMUABS_FIRMWARE_H
#define IOMMUABS_FIRMWARE_H

#include <iommuabs/types.h>

IOMMUABS_BEGIN_DECLS

/**
 * iommuabs_scan_fdt() - find the units and devices of a flattened device tree
 * @fdt:  8-byte aligned, needed until the call returns
 * @size: bytes that may be read at @fdt
 *
 * Units are Arm SMMUs and, described only, whatever else has #iommu-cells.
 * Devices are enabled nodes with iommus (found by their path) and PCI host bridges
 * (by requester ID too; iommus are then their own DMA). A device of which a unit is
 * off, or has not an id, is there and untranslated; so is a bridge without iommu-map.
 * Nodes that have an id in common are one device, found by the path of each; but
 * what lies wholly inside a bridge's ids is carved out of it.
 *
 * A scan that fails adds nothing. Reads ID registers and writes nothing. The
 * work is linear in the size of the tree.
 *
 * Context: BOOT; allocates.
 * Return:  0 (also when there is no unit; the log warns) | E_INVAL (also: not
 *          aligned) | E_NOTSUP (built without) | E_FIRMWARE (malformed; the log
 *          names the node) | E_EXISTS (a unit or id is there already) | E_NOMEM |
 *          E_UNIT.
 */
IOMMUABS_MUST_CHECK int iommuabs_scan_fdt(struct iommuabs *abs, const void *fdt,
					  size_t size);

/*
 * Gives the ACPI table with this signature, NULL for none, and in *@size how many
 * bytes may be read there: any alignment, needed until the scan returns. Of
 * several tables with one signature, the first.
 */
typedef const void *(*iommuabs_find_table)(void *arg, const char signature[4],
					   size_t *size);

/**
 * iommuabs_scan_acpi() - find the units and devices of ACPI tables
 * @find_table: asked for "DMAR", "IORT", "IVRS" and "VIOT"
 * @arg:        for @find_table
 *
 * DMAR: VT-d units. PCI functions that the table names are devices, and so is
 * each run of buses that one unit sees (a range device, also for
 * INCLUDE_PCI_ALL). Bus numbers behind bridges come from host->pci_cfg_read, as
 * they are now; without it a device whose way leads over a bridge is left out,
 * and logged. Namespace devices are found by their ACPI path.
 *
 * IORT: Arm SMMUs. PCI root complexes are range devices, one for each segment (or
 * several, where its mappings are many); named components are found by their ACPI
 * path. Named components that share a stream are one device, found by each of its
 * paths. A root complex whose messages don't all end at an ITS has
 * IOMMUABS_DEVICE_UNSAFE_MSI.
 *
 * RMRR and RMR become reserved regions. A device of which a unit is broken
 * (registers at 0), or doesn't have an id, is there and untranslated; of a range
 * device, those functions are. What is odd and harmless is logged; what is not
 * clear refuses the table, and the log says why and at which offset.
 *
 * A scan that fails adds nothing. Reads ID registers and configuration space and
 * writes nothing. No AML is needed or run.
 *
 * Context: BOOT; allocates.
 * Return:  0 (also when there is no table; the log warns) | E_INVAL | E_NOTSUP
 *          (built without, or the machine has an IVRS or a VIOT: IOMMUs that the
 *          library can't describe) | E_FIRMWARE (malformed; logged) | E_EXISTS (a
 *          unit or id is there already) | E_NOMEM | E_UNIT.
 */
IOMMUABS_MUST_CHECK int iommuabs_scan_acpi(struct iommuabs *abs,
					   iommuabs_find_table find_table,
					   void *arg);

IOMMUABS_END_DECLS

#endif
