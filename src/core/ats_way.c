/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ats_way.c - does ATS work on the way from a device to its unit?
 *
 * Behind units of a DMAR its ATSR says which root ports pass such requests on, its
 * SATC which integrated functions may send them (VT-d 8.5, 8.8). What a unit that
 * the host described can take is for the host to know.
 */
#include "../firmware/desc.h"
#include "core.h"
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

/* That there is a SATC comes first: while half of it is known, less is allowed. */
int ats_records_add(struct iommuabs *abs, const struct desc_set *set)
{
	const struct desc_satc *satc = set->dmar.satcs;
	const struct desc_port *port = set->dmar.ports;
	const struct desc_device *found = set->devices;
	bool fits = true;

	for (; satc && fits; satc = satc->next)
		fits = record_add(abs, ATS_SATC, satc->segment << 16);
	for (; port && fits; port = port->next)
		fits = port_add(abs, port);
	for (; found && fits; found = found->next)
		if ((found->vtd_flags & DESC_VTD_ATC) && !found->unknown)
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
 * A table without a SATC is of before there was one, and says nothing of integrated
 * functions.
 */
static bool passes(struct iommuabs *abs, struct pci_walk *walk, uint32_t pci)
{
	uint32_t segment = pci >> 16, end;

	if (is_listed(abs, ATS_FUNCTION, pci, false))
		return true;
	/* Without a look at the way: if all are good. */
	if (!pci_walk_begin(walk, &abs->host, segment))
		return is_listed(abs, ATS_ALL_PORTS, pci, true);
	switch (pci_way_up(walk, pci & (PCI_RIDS - 1), &end)) {
	case PCI_WAY_PORT:
		return is_listed(abs, ATS_ALL_PORTS, pci, true) ||
		       is_listed(abs, ATS_PORT, segment << 16 | end, false);
	case PCI_WAY_INTEGRATED:
		return is_listed(abs, ATS_FUNCTION, segment << 16 | end,
				 false) ||
		       !is_listed(abs, ATS_SATC, pci, true);
	default:
		return false;
	}
}

/* Requester IDs are what VT-d's units know devices by. */
static int stream_check(struct iommuabs_device *dev,
			const struct device_stream *stream,
			struct pci_walk *walk)
{
	uint32_t segment = stream->unit->segment << 16, i;

	for (i = 0; i < stream->nr; i++) {
		if (passes(dev->abs, walk, segment | (stream->first + i)))
			continue;
		hostif_log(&dev->abs->host, IOMMUABS_LOG_WARNING,
			   "%s: no ATS: the DMAR lists neither the root port "
			   "of %x (ATSR) nor that itself (SATC)",
			   dev->name, segment | (stream->first + i));
		return IOMMUABS_E_NOTSUP;
	}
	return 0;
}

static uint32_t segment_of(const struct iommuabs_device *dev,
			   const struct device_stream *stream)
{
	return stream->unit->by_dmar ? stream->unit->segment : dev->pci >> 16;
}

/* Of the first physical function that it has some of; others go by themselves. */
static void virtuals_find(const struct iommuabs_device *dev,
			  const struct device_stream *stream,
			  struct pci_walk *walk, struct ats_virtuals *virtuals)
{
	uint32_t i, physical;

	if (!pci_walk_begin(walk, &dev->abs->host, segment_of(dev, stream)))
		return;
	for (i = 0; i < stream->nr; i++) {
		if (virtuals->nr == BACKEND_ATS_STREAMS ||
		    !pci_is_virtual(walk, stream->first + i, &physical))
			continue;
		if (!virtuals->nr)
			virtuals->physical = physical;
		if (virtuals->physical == physical)
			virtuals->ids[virtuals->nr++] =
				(uint16_t)(stream->first + i);
	}
}

int ats_way_check(struct iommuabs_device *dev, uint32_t flags,
		  struct ats_virtuals *virtuals)
{
	struct tablemem *mem = &dev->abs->mem;
	const struct device_stream *stream;
	struct pci_walk *walk;
	uint32_t i;
	int ret = 0;

	if (!(flags & IOMMUABS_ALLOW_ATS))
		return 0;
	walk = tablemem_object_alloc(mem, sizeof(*walk));
	if (!walk)
		return IOMMUABS_E_NOMEM;
	virtuals->nr = 0;
	for (i = 0; i < dev->nr_streams && !ret; i++) {
		stream = &dev->streams[i];
		if (!stream_can_ats(stream))
			continue;
		if (stream->unit->by_dmar)
			ret = stream_check(dev, stream, walk);
		if (!ret && stream->unit->hw.ops->stream_physical)
			virtuals_find(dev, stream, walk, virtuals);
	}
	tablemem_object_free(mem, walk, sizeof(*walk));
	return ret;
}
