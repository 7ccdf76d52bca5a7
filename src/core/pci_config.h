/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci_config.h - registers of PCI configuration space that say who can reach whom
 *
 * Offsets are those of the 32-bit word that holds the register; fields are bits of
 * that word. Sections: PCI Express Base Specification 5.0, unless another is named.
 */
#ifndef IOMMUABS_CORE_PCI_CONFIG_H
#define IOMMUABS_CORE_PCI_CONFIG_H

#include "../host/hostif.h"

/* clang-format off */
#define PCI_ID			0x00		/* 7.5.1.1 */
#define   PCI_ID_VENDOR		  FIELD(15, 0)
#define   PCI_ID_DEVICE		  FIELD(31, 16)
#define   PCI_VENDOR_NONE	  0xffff
#define PCI_COMMAND		0x04
#define   PCI_STATUS_CAPABILITIES FIELD(20, 20)
#define PCI_HEADER		0x0c
#define   PCI_HEADER_TYPE	  FIELD(22, 16)
#define   PCI_HEADER_BRIDGE	  1
#define   PCI_HEADER_MULTI	  FIELD(23, 23)
#define PCI_BUSES		0x18		/* 7.5.1.3, of a bridge */
#define   PCI_BUSES_SECONDARY	  FIELD(15, 8)
#define   PCI_BUSES_SUBORDINATE	  FIELD(23, 16)
#define PCI_CAPABILITIES	0x34
#define   PCI_CAPABILITIES_FIRST  FIELD(7, 2)

/* An entry of the list: 8 bits of id, 8 bits of where the next one is. */
#define PCI_CAP_ID		  FIELD(7, 0)
#define PCI_CAP_NEXT		  FIELD(15, 10)
#define PCI_CAP_LIMIT		  48		/* as many as fit */
#define PCI_CAP_EXPRESS		  0x10

#define PCI_EXP_FLAGS		0x00		/* 7.5.3.2 */
#define   PCI_EXP_TYPE		  FIELD(23, 20)
#define PCI_EXP_DEVICE		0x04		/* 7.5.3.3 */
#define   PCI_EXP_PHANTOM	  FIELD(4, 3)
#define PCI_EXP_LINK		0x0c		/* 7.5.3.6 */
#define   PCI_EXP_LINK_PORT	  FIELD(31, 24)

/* Extended: 16 bits of id, 12 bits of where the next one is (7.6.3). */
#define PCI_EXT_FIRST		  0x100
#define PCI_EXT_ID		  FIELD(15, 0)
#define PCI_EXT_NEXT		  FIELD(31, 22)
#define PCI_EXT_LIMIT		  480		/* as many as fit */
#define PCI_EXT_ACS		  0x000d
#define PCI_EXT_ARI		  0x000e
#define PCI_EXT_SRIOV		  0x0010
#define PCI_EXT_END		  0x1000
#define PCI_EXT_SIZE		  0x08		/* at the least */
#define PCI_EXT_SRIOV_SIZE	  0x40

#define PCI_ACS			0x04		/* 7.7.8: capability, control */
#define   PCI_ACS_CAP		  FIELD(6, 0)
#define   PCI_ACS_VECTOR_BITS	  FIELD(15, 8)	/* 0: 256 */
#define   PCI_ACS_CTRL		  FIELD(22, 16)
#define   PCI_ACS_SV		  (1u << 0)	/* Source Validation */
#define   PCI_ACS_RR		  (1u << 2)	/* P2P Request Redirect */
#define   PCI_ACS_CR		  (1u << 3)	/* P2P Completion Redirect */
#define   PCI_ACS_UF		  (1u << 4)	/* Upstream Forwarding */
#define   PCI_ACS_EC		  (1u << 5)	/* P2P Egress Control */
#define   PCI_ACS_DT		  (1u << 6)	/* Direct Translated P2P */
#define PCI_ACS_VECTOR		0x08

#define PCI_SRIOV_CONTROL	0x08		/* SR-IOV 1.1, 3.3.3 */
#define   PCI_SRIOV_ENABLE	  FIELD(0, 0)
#define PCI_SRIOV_NUMBER	0x10
#define   PCI_SRIOV_NUM_VFS	  FIELD(15, 0)
#define PCI_SRIOV_PLACE		0x14
#define   PCI_SRIOV_OFFSET	  FIELD(15, 0)
#define   PCI_SRIOV_STRIDE	  FIELD(31, 16)
/* clang-format on */

/* Device/Port Type; NONE is ours: no PCI Express capability. */
enum pci_type {
	PCI_TYPE_ENDPOINT = 0,
	PCI_TYPE_ROOT_PORT = 4,
	PCI_TYPE_UPSTREAM = 5,
	PCI_TYPE_DOWNSTREAM = 6,
	PCI_TYPE_TO_PCI = 7,   /* PCI Express to PCI/PCI-X bridge */
	PCI_TYPE_FROM_PCI = 8, /* PCI/PCI-X to PCI Express bridge */
	PCI_TYPE_NONE = 16,
};

#endif
