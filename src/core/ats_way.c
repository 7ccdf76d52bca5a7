/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ats_way.c - does ATS work on the way from a device to its unit?
 *
 * Behind units of a DMAR its ATSR says which root ports pass such requests on, its
 * SATC which integrated functions may send them (VT-d 8.5, 8.8). What a unit that
 * the host described can take is for the host to know.
 */
#include "../firmware/desc.h"
#include "change.h"
#include "pci_topology.h"

/* ---- what firmware lists ---- */

static bool record_add(struct iommuabs *abs, enum ats_kind kind, uint32_t pci)
{
	struct ats_record *record =
		tablemem_object_alloc(&abs->mem, sizeof(*record));

	if (!record)
		return false;
	ia_lock(&abs->host, &abs->lock);
	*record = (struct ats_record){ abs->ats_records, kind, pci };
	abs->ats_records = record;
	ia_unlock(&abs->host, &abs->lock);
	return true;
}

static bool port_add(struct iommuabs *abs, const struct desc_port *port)
{
	uint32_t pci = port->segment << 16;

	if (port->all)
		return record_add(abs, ATS_ALL_PORTS, pci);
	/* Ports of an unknown number are nobody's. */
	return port->rid == DESC_RID_UNKNOWN ||
	       record_add(abs, ATS_PORT, pci | port->rid);
}

/* That there is a list comes first: while half of it is known, less is allowed. */
int ats_records_add(struct iommuabs *abs, const struct desc_set *set)
{
	const struct desc_ats_list *list = set->ats.lists;
	const struct desc_port *port = set->ats.ports;
	const struct desc_device *found = set->devices;
	bool fits = true;

	for (; list && fits; list = list->next)
		fits = record_add(abs, ATS_LIST, list->segment << 16);
	for (; port && fits; port = port->next)
		fits = port_add(abs, port);
	for (; found && fits; found = found->next)
		if (found->translates && !found->unknown)
			fits = record_add(abs, ATS_FUNCTION, found->pci);
	return fits ? 0 : IOMMUABS_E_NOMEM;
}

void ats_records_drop(struct iommuabs *abs, struct ats_record *old)
{
	struct ats_record *record, *next;

	ia_lock(&abs->host, &abs->lock);
	record = abs->ats_records;
	abs->ats_records = old;
	ia_unlock(&abs->host, &abs->lock);
	for (; record != old; record = next) {
		next = record->next;
		tablemem_object_free(&abs->mem, record, sizeof(*record));
	}
}

/* ---- the way of a device ---- */

/* Is there one of @kind for @pci; or, of whole segments, for that? */
static bool is_listed(struct iommuabs *abs, enum ats_kind kind, uint32_t pci,
		      bool any)
{
	const struct ats_record *record;
	bool found = false;

	ia_lock(&abs->host, &abs->lock);
	for (record = abs->ats_records; record && !found; record = record->next)
		found = record->kind == kind &&
			(any ? record->pci >> 16 == pci >> 16
			     : record->pci == pci);
	ia_unlock(&abs->host, &abs->lock);
	return found;
}

/*
 * NULL: requests of @pci get to the unit; or why not. @owner is the function whose
 * virtual one it is, or itself; @sees: configuration space can be read.
 *
 * A table without a SATC is of before there was one, and says nothing of integrated
 * functions.
 */
static const char *obstacle(struct iommuabs *abs, struct pci_walk *walk,
			    uint32_t pci, uint32_t owner, bool sees)
{
	uint32_t segment = pci >> 16, end;

	if (is_listed(abs, ATS_FUNCTION, pci, false))
		return NULL;
	if (!sees)
		return is_listed(abs, ATS_ALL_PORTS, pci, true)
			       ? NULL
			       : "its way can't be read, and neither all root "
				 "ports (ATSR) nor it (SATC) are in the DMAR";
	switch (pci_way_up(walk, owner, &end)) {
	case PCI_WAY_PORT:
		if (is_listed(abs, ATS_ALL_PORTS, pci, true) ||
		    is_listed(abs, ATS_PORT, segment << 16 | end, false))
			return NULL;
		return "no ATSR of the DMAR lists its root port";
	case PCI_WAY_INTEGRATED:
		if (is_listed(abs, ATS_FUNCTION, segment << 16 | end, false) ||
		    !is_listed(abs, ATS_LIST, pci, true))
			return NULL;
		return "the DMAR's SATC doesn't list it";
	default:
		return "a bridge on its way passes no such requests on";
	}
}

/* Requester IDs are what VT-d's units know devices by. */
static uint32_t segment_of(const struct iommuabs_device *dev,
			   const struct device_stream *stream)
{
	return stream->unit->by_dmar ? stream->unit->segment : dev->pci >> 16;
}

/*
 * Whose is what @stream's devices keep? It is true whatever comes of the call, and
 * what was told before may not be any more: of each id, then, at once.
 */
static void owners_tell(const struct device_stream *stream,
			const uint16_t owners[])
{
	struct backend_unit *hw = &stream->unit->hw;
	uint32_t i;

	unit_enter_alone(stream->unit);
	for (i = 0; hw->ops->stream_physical && i < stream->nr; i++)
		hw->ops->stream_physical(hw, stream->first + i, owners[i]);
	unit_leave_alone(stream->unit);
}

static int stream_check(struct iommuabs_device *dev,
			const struct device_stream *stream,
			struct pci_walk *walk)
{
	uint32_t segment = segment_of(dev, stream), i, owner, id;
	bool sees = pci_walk_begin(walk, &dev->abs->host, segment);
	uint16_t owners[BACKEND_ATS_STREAMS];
	const char *why = NULL;

	for (i = 0; i < stream->nr; i++) {
		owner = id = stream->first + i;
		if (sees && !pci_is_virtual(walk, id, &owner))
			owner = id;
		owners[i] = (uint16_t)owner;
		if (stream->unit->by_dmar)
			why = obstacle(dev->abs, walk, segment << 16 | id,
				       owner, sees);
		if (!why)
			continue;
		hostif_log(&dev->abs->host, IOMMUABS_LOG_WARNING,
			   "%s: no ATS for %x: %s", dev->name,
			   segment << 16 | id, why);
		return IOMMUABS_E_NOTSUP;
	}
	owners_tell(stream, owners);
	return 0;
}

/* By requester ID; other units' streams are none, and up to the host. */
static bool is_looked_at(const struct device_stream *stream)
{
	return stream_can_ats(stream) &&
	       (stream->unit->by_dmar || stream->unit->hw.ops->stream_physical);
}

int ats_way_check(struct iommuabs_device *dev, uint32_t flags)
{
	struct tablemem *mem = &dev->abs->mem;
	struct pci_walk *walk;
	uint32_t i;
	int ret;

	if (!(flags & IOMMUABS_ALLOW_ATS))
		return 0;
	walk = tablemem_object_alloc(mem, sizeof(*walk));
	if (!walk)
		return IOMMUABS_E_NOMEM;
	/* What is told of streams is kept where they have their entries. */
	ret = streams_reserve(dev);
	for (i = 0; i < dev->nr_streams && !ret; i++)
		if (is_looked_at(&dev->streams[i]))
			ret = stream_check(dev, &dev->streams[i], walk);
	tablemem_object_free(mem, walk, sizeof(*walk));
	return ret;
}
