/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci_function.c - capabilities of one PCI function, read and judged
 *
 * Lists in configuration space are the device's: each walk ends after as many
 * entries as fit there.
 */
#include "pci_function.h"

#include "../host/caller.h"

uint32_t pci_read(const struct pci_walk *walk, uint32_t rid, uint32_t offset)
{
	caller_waits(walk->host);
	return walk->host->ops.pci_cfg_read(walk->host->ctx,
					    walk->segment << 16 | rid, offset);
}

bool pci_answers(const struct pci_walk *walk, uint32_t rid)
{
	return field_get(PCI_ID_VENDOR, pci_read(walk, rid, PCI_ID)) !=
	       PCI_VENDOR_NONE;
}

bool pci_is_multi(const struct pci_walk *walk, uint32_t rid)
{
	return field_get(PCI_HEADER_MULTI, pci_read(walk, rid, PCI_HEADER));
}

bool pci_is_bridge(const struct pci_walk *walk, uint32_t rid)
{
	return field_get(PCI_HEADER_TYPE, pci_read(walk, rid, PCI_HEADER)) ==
	       PCI_HEADER_BRIDGE;
}

/* Numbers below the bridge's own bus would make a circle. */
bool pci_bridge_buses(const struct pci_walk *walk, uint32_t rid,
		      uint32_t *first, uint32_t *last)
{
	uint32_t buses;

	if (!pci_is_bridge(walk, rid))
		return false;
	buses = pci_read(walk, rid, PCI_BUSES);
	*first = (uint32_t)field_get(PCI_BUSES_SECONDARY, buses);
	*last = (uint32_t)field_get(PCI_BUSES_SUBORDINATE, buses);
	return *first > rid >> 8 && *first <= *last;
}

static uint32_t cap_find(const struct pci_walk *walk, uint32_t rid, uint32_t id)
{
	uint32_t at, head, left = PCI_CAP_LIMIT;

	if (!field_get(PCI_STATUS_CAPABILITIES,
		       pci_read(walk, rid, PCI_COMMAND)))
		return 0;
	at = (uint32_t)field_get(PCI_CAPABILITIES_FIRST,
				 pci_read(walk, rid, PCI_CAPABILITIES))
	     << 2;
	for (; at && left; left--) {
		head = pci_read(walk, rid, at);
		if (field_get(PCI_CAP_ID, head) == id)
			return at;
		at = (uint32_t)field_get(PCI_CAP_NEXT, head) << 2;
	}
	return 0;
}

/* What does not fit is none: its words would be somebody else's. */
static bool ext_fits(uint32_t at, uint32_t id)
{
	uint32_t size = id == PCI_EXT_SRIOV ? PCI_EXT_SRIOV_SIZE : PCI_EXT_SIZE;

	return at <= PCI_EXT_END - size;
}

uint32_t pci_ext_find(const struct pci_walk *walk, uint32_t rid, uint32_t id)
{
	uint32_t at = PCI_EXT_FIRST, head, left = PCI_EXT_LIMIT;

	for (; at >= PCI_EXT_FIRST && left; left--) {
		head = pci_read(walk, rid, at);
		if (head == ~0u)
			return 0;
		if (field_get(PCI_EXT_ID, head) == id)
			return ext_fits(at, id) ? at : 0;
		at = (uint32_t)field_get(PCI_EXT_NEXT, head) << 2;
	}
	return 0;
}

enum pci_type pci_type_of(const struct pci_walk *walk, uint32_t rid)
{
	uint32_t at = cap_find(walk, rid, PCI_CAP_EXPRESS);

	if (!at)
		return PCI_TYPE_NONE;
	return (enum pci_type)field_get(
		PCI_EXP_TYPE, pci_read(walk, rid, at + PCI_EXP_FLAGS));
}

/*
 * Phantom functions (PCI Express 5.0, 2.2.6.2): the field says how many bits of
 * the function number, from the highest, tell nothing. What a device could do
 * counts, not whether it is told to: its guest may tell it.
 */
uint32_t pci_phantoms(const struct pci_walk *walk, uint32_t rid)
{
	uint32_t at = cap_find(walk, rid, PCI_CAP_EXPRESS);
	uint32_t fn = rid & 7, step, n, functions = 0;

	if (!at)
		return 0;
	step = (uint32_t)field_get(PCI_EXP_PHANTOM,
				   pci_read(walk, rid, at + PCI_EXP_DEVICE));
	step = PCI_SLOT_FUNCTIONS >> step;
	for (n = fn % step; n < PCI_SLOT_FUNCTIONS; n += step)
		functions |= 1u << n;
	return functions & ~(1u << fn);
}

/*
 * Parts whose DMA carries another function's number than their own, as their
 * makers' errata or their users found out.
 */
static const struct quirk {
	uint16_t vendor, first, last; /* device ids */
	uint16_t function;
} quirks[] = {
	/* SATA controllers of Marvell: AHCI is function 0, DMA comes from 1 */
	{ 0x1b4b, 0x9120, 0x9130, 1 },
	{ 0x1b4b, 0x9170, 0x9183, 1 },
	{ 0x1b4b, 0x91a0, 0x91a0, 1 },
	{ 0x1b4b, 0x9215, 0x9235, 1 },
	/* Card readers of Ricoh: all functions use that of the first */
	{ 0x1180, 0xe476, 0xe476, 0 },
	{ 0x1180, 0xe832, 0xe832, 0 },
};

uint32_t pci_quirk_function(const struct pci_walk *walk, uint32_t rid)
{
	uint32_t id = pci_read(walk, rid, PCI_ID);
	uint32_t device = (uint32_t)field_get(PCI_ID_DEVICE, id), i;

	for (i = 0; i < IA_COUNT(quirks); i++)
		if (quirks[i].vendor == field_get(PCI_ID_VENDOR, id) &&
		    device >= quirks[i].first && device <= quirks[i].last &&
		    quirks[i].function != (rid & 7))
			return quirks[i].function;
	return ~0u;
}

/* ---- Access Control Services (6.12) ---- */

/* The bit of the egress vector that stands for the function itself. */
static uint32_t egress_self(const struct pci_walk *walk, uint32_t rid,
			    enum pci_type type)
{
	uint32_t at;

	if (type != PCI_TYPE_ROOT_PORT && type != PCI_TYPE_DOWNSTREAM)
		return rid & 7;
	at = cap_find(walk, rid, PCI_CAP_EXPRESS);
	return (uint32_t)field_get(PCI_EXP_LINK_PORT,
				   pci_read(walk, rid, at + PCI_EXP_LINK));
}

/*
 * With Egress Control a request to a peer whose bit is clear goes there directly,
 * whatever Request Redirect says (6.12.3); one whose bit is set doesn't.
 */
static bool egress_closed(const struct pci_walk *walk, uint32_t rid,
			  uint32_t acs, enum pci_type type)
{
	uint32_t head = pci_read(walk, rid, acs + PCI_ACS);
	uint32_t nr = (uint32_t)field_get(PCI_ACS_VECTOR_BITS, head);
	uint32_t self = egress_self(walk, rid, type), bit, word = 0;

	nr = nr ? nr : 256;
	if (acs + PCI_ACS_VECTOR + (nr + 31) / 32 * 4 > PCI_EXT_END)
		return false;
	for (bit = 0; bit < nr; bit++) {
		if (bit % 32 == 0)
			word = pci_read(walk, rid,
					acs + PCI_ACS_VECTOR + bit / 8);
		if (bit != self && !(word >> bit % 32 & 1))
			return false;
	}
	return true;
}

/*
 * What a capability lacks can't happen there, or always does; but a downstream
 * port of a switch has to have all four (6.12.1.1). Translated requests that go
 * directly would pass every unit.
 */
bool pci_isolates(const struct pci_walk *walk, uint32_t rid)
{
	uint32_t acs = pci_ext_find(walk, rid, PCI_EXT_ACS);
	enum pci_type type = pci_type_of(walk, rid);
	uint32_t need = PCI_ACS_RR | PCI_ACS_CR, head, can, does;

	if (!acs || type == PCI_TYPE_NONE)
		return false;
	head = pci_read(walk, rid, acs + PCI_ACS);
	can = (uint32_t)field_get(PCI_ACS_CAP, head);
	does = (uint32_t)field_get(PCI_ACS_CTRL, head);
	if (type == PCI_TYPE_ROOT_PORT || type == PCI_TYPE_DOWNSTREAM)
		need |= PCI_ACS_SV | PCI_ACS_UF;
	if (type != PCI_TYPE_DOWNSTREAM)
		need &= can;
	if (does & PCI_ACS_DT)
		return false;
	if (does & PCI_ACS_EC) {
		if (!egress_closed(walk, rid, acs, type))
			return false;
		need &= ~PCI_ACS_RR;
	}
	return (does & need) == need;
}

/* ---- virtual functions ---- */

struct pci_vfs pci_vfs_of(const struct pci_walk *walk, uint32_t rid)
{
	uint32_t at = pci_ext_find(walk, rid, PCI_EXT_SRIOV), place;
	struct pci_vfs vfs = { 0 };

	if (!at || !field_get(PCI_SRIOV_ENABLE,
			      pci_read(walk, rid, at + PCI_SRIOV_CONTROL)))
		return vfs;
	place = pci_read(walk, rid, at + PCI_SRIOV_PLACE);
	vfs.nr = (uint32_t)field_get(
		PCI_SRIOV_NUM_VFS, pci_read(walk, rid, at + PCI_SRIOV_NUMBER));
	vfs.first = rid + (uint32_t)field_get(PCI_SRIOV_OFFSET, place);
	vfs.stride = (uint32_t)field_get(PCI_SRIOV_STRIDE, place);
	if (!vfs.stride) { /* it says nothing of a single one */
		vfs.nr = IA_MIN(vfs.nr, 1u);
		vfs.stride = 1;
	}
	/* None has a number past the segment's last. */
	if (vfs.nr && vfs.first >= PCI_RIDS)
		vfs.nr = 0;
	else if (vfs.nr > 1)
		vfs.nr = IA_MIN(vfs.nr,
				(PCI_RIDS - 1 - vfs.first) / vfs.stride + 1);
	return vfs;
}
