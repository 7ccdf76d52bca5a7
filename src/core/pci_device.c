/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci_device.c - a PCI function and all that is one with it become a device
 *
 * What can't be told apart, or reaches one another past every unit, is one device
 * with several names: so it is attached, moved and blocked as one (C9), with the
 * reserved regions of all. Its ids are carved out of the range device they lie
 * in. Devices that are there for some of its functions become its members: they
 * are set aside, stand for it in every call, and are back when it is removed.
 */
#include "change.h"
#include "pci_records.h"

/* What a group is made of; too large for a stack. */
struct parts {
	struct iommuabs *abs;
	struct pci_walk *walk;
	struct iommuabs_device *members[IOMMUABS_ALIASES_MAX];
	uint32_t nr_members;
	struct iommuabs_stream_range *streams;
	struct iommuabs_reserved *reserved;
	struct iommuabs_device_alias *aliases;
	uint32_t nr_streams, nr_reserved, nr_aliases;
	uint32_t flags; /* IOMMUABS_DEVICE_UNSAFE_MSI of any */
};

_Static_assert(sizeof(struct parts) <= TABLEMEM_OBJECT_MAX, "a small object");

#define STREAMS_SIZE \
	(IOMMUABS_STREAM_RANGES_MAX * sizeof(struct iommuabs_stream_range))
#define RESERVED_SIZE (IOMMUABS_RESERVED_MAX * sizeof(struct iommuabs_reserved))
#define ALIASES_SIZE \
	(IOMMUABS_ALIASES_MAX * sizeof(struct iommuabs_device_alias))

/* ---- what it is made of; abs->lock is held ---- */

/* Ids that adjoin are one piece, but for those of two range devices: each has its
 * own back when the group is removed. */
static bool stream_adjoins(const struct iommuabs_stream_range *at,
			   const struct iommuabs_stream_range *next)
{
	return next->first == at->first + at->nr &&
	       next->rid == at->rid + at->nr &&
	       range_of_stream(at->unit, at->first) ==
		       range_of_stream(next->unit, next->first);
}

static int stream_take(struct parts *parts,
		       const struct iommuabs_stream_range *stream)
{
	struct iommuabs_stream_range *at = parts->streams;
	uint32_t i;

	for (i = 0; i < parts->nr_streams; i++, at++) {
		if (at->unit != stream->unit)
			continue;
		if (stream->first >= at->first &&
		    stream->first + stream->nr <= at->first + at->nr)
			return 0;
		if (stream_adjoins(at, stream)) {
			at->nr += stream->nr;
			return 0;
		}
	}
	if (parts->nr_streams == IOMMUABS_STREAM_RANGES_MAX)
		return IOMMUABS_E_NOTSUP;
	parts->streams[parts->nr_streams++] = *stream;
	return 0;
}

static bool same_region(const struct iommuabs_reserved *a,
			const struct iommuabs_reserved *b)
{
	return a->gfn.frame == b->gfn.frame && a->mfn.frame == b->mfn.frame &&
	       a->nr == b->nr && a->flags == b->flags;
}

static int region_take(struct parts *parts,
		       const struct iommuabs_reserved *region)
{
	uint32_t i;

	for (i = 0; i < parts->nr_reserved; i++)
		if (same_region(&parts->reserved[i], region))
			return 0;
	if (parts->nr_reserved == IOMMUABS_RESERVED_MAX)
		return IOMMUABS_E_NOTSUP;
	parts->reserved[parts->nr_reserved++] = *region;
	return 0;
}

static int alias_take(struct parts *parts, const char *path, uint32_t pci,
		      uint32_t nr_pci)
{
	if (parts->nr_aliases == IOMMUABS_ALIASES_MAX)
		return IOMMUABS_E_NOTSUP;
	parts->aliases[parts->nr_aliases++] = (struct iommuabs_device_alias){
		.path = path && path[0] ? path : NULL,
		.pci = pci,
		.nr_pci = nr_pci,
	};
	return 0;
}

/* Its ids, its regions, what it is called. It is busy from here on, so that it
 * stays. */
static int member_take(struct parts *parts, struct iommuabs_device *dev)
{
	const struct device_stream *stream = dev->streams;
	const struct device_alias *alias;
	uint32_t i;
	int ret = 0;

	for (i = 0; i < parts->nr_members; i++)
		if (parts->members[i] == dev)
			return 0;
	if (dev->state != DEVICE_BLOCKED)
		return IOMMUABS_E_BUSY;
	if (dev->topology) /* a group that has become larger */
		return IOMMUABS_E_EXISTS;
	if (parts->nr_members == IOMMUABS_ALIASES_MAX)
		return IOMMUABS_E_NOTSUP;
	if (!device_take(dev))
		return IOMMUABS_E_BUSY;
	parts->members[parts->nr_members++] = dev;
	parts->flags |= dev->flags & IOMMUABS_DEVICE_UNSAFE_MSI;
	for (i = 0; i < dev->nr_streams && !ret; i++, stream++) {
		const struct iommuabs_stream_range range = {
			.unit = stream->unit,
			.first = stream->first,
			.nr = stream->nr,
			.rid = stream->rid,
		};

		ret = stream_take(parts, &range);
	}
	for (i = 0; i < dev->nr_reserved && !ret; i++)
		ret = region_take(parts, &dev->reserved[i]);
	if (dev->path[0] && !ret)
		ret = alias_take(parts, dev->path, 0, 0);
	for (alias = dev->aliases; alias && !ret; alias = alias->next)
		if (alias->path[0])
			ret = alias_take(parts, alias->path, 0, 0);
	return ret;
}

static int id_take(struct parts *parts, uint32_t pci)
{
	struct iommuabs_stream_range where;
	struct iommuabs_device *owner =
		device_owner_of(parts->abs, pci, &where);

	if (!owner)
		return IOMMUABS_E_UNTRANSLATED;
	if (!(owner->flags & IOMMUABS_DEVICE_RANGE))
		return member_take(parts, owner);
	parts->flags |= owner->flags & IOMMUABS_DEVICE_UNSAFE_MSI;
	return stream_take(parts, &where);
}

/* A few under the lock at a time: what changes in between is seen when the group
 * is placed. */
static int ids_take(struct parts *parts)
{
	const struct hostif *host = &parts->abs->host;
	const struct pci_ids *ids = &parts->walk->ids;
	uint32_t segment = parts->walk->segment << 16;
	uint32_t rid = pci_ids_next(ids, 0), i;
	int ret = 0;

	while (rid < PCI_RIDS && !ret) {
		ia_lock(host, &parts->abs->lock);
		for (i = 0; i < PCI_LOCKED_IDS && rid < PCI_RIDS && !ret; i++) {
			ret = id_take(parts, segment | rid);
			rid = pci_ids_next(ids, rid + 1);
		}
		ia_unlock(host, &parts->abs->lock);
	}
	return ret;
}

static int parts_take(struct parts *parts)
{
	const struct pci_ids *ids = &parts->walk->ids;
	uint32_t segment = parts->walk->segment << 16, i;
	int ret = ids_take(parts);

	for (i = 0; i < ids->nr && !ret; i++)
		ret = alias_take(parts, NULL, segment | ids->spans[i].first,
				 (uint32_t)ids->spans[i].last -
					 ids->spans[i].first + 1);
	return ret;
}

static void parts_give(struct parts *parts)
{
	while (parts->nr_members)
		device_give(parts->members[--parts->nr_members]);
}

/* Does one group have all of the ids already? It has as many names as there are
 * runs of ids at the most. */
static struct iommuabs_device *whole_owner(struct iommuabs *abs,
					   const struct pci_walk *walk)
{
	uint32_t rid, segment = walk->segment << 16;
	struct iommuabs_device *first = NULL, *owner;

	for (rid = pci_ids_next(&walk->ids, 0); rid < PCI_RIDS;
	     rid = pci_ids_next(&walk->ids, (rid & (PCI_RIDS - 1)) + 1)) {
		owner = device_of_function(abs, segment | rid);
		if (!owner || !owner->topology || (first && first != owner))
			return NULL;
		first = owner;
		rid = functions_end(abs, segment | rid);
	}
	return first;
}

/* ---- making it ---- */

static int group_create(struct parts *parts, uint32_t pci, void *cookie,
			struct iommuabs_device **out)
{
	struct iommuabs_device_desc desc = {
		.size = sizeof(desc),
		.flags = IOMMUABS_DEVICE_PCI | parts->flags,
		.cookie = cookie,
		.pci = pci,
		.nr_pci = 1,
		.streams = parts->streams,
		.nr_streams = parts->nr_streams,
		.reserved = parts->reserved,
		.nr_reserved = parts->nr_reserved,
		.aliases = parts->aliases,
		.nr_aliases = parts->nr_aliases,
	};
	const struct device_parts group = {
		.members = parts->members,
		.nr_members = parts->nr_members,
		.coarse = parts->walk->coarse,
	};

	return device_create_group(parts->abs, &desc, &group, out);
}

static int parts_collect(struct parts *parts, struct iommuabs_device **out)
{
	struct iommuabs *abs = parts->abs;
	int ret = 0;

	parts->nr_streams = parts->nr_reserved = parts->nr_aliases = 0;
	ia_lock(&abs->host, &abs->lock);
	*out = whole_owner(abs, parts->walk);
	ia_unlock(&abs->host, &abs->lock);
	if (!*out)
		ret = parts_take(parts);
	if (ret)
		parts_give(parts);
	return ret;
}

/* First exactly what is there; if that is in too many pieces, whole buses. */
static int group_add(struct parts *parts, uint32_t pci, void *cookie,
		     struct iommuabs_device **out)
{
	struct iommuabs_device *found = NULL;
	int ret, coarse;

	for (coarse = 0; coarse < 2; coarse++) {
		parts->walk->coarse = coarse;
		parts->walk->tell = !coarse;
		ret = pci_ids_find(parts->abs, parts->walk, pci);
		if (!ret)
			ret = parts_collect(parts, &found);
		if (ret != IOMMUABS_E_NOTSUP)
			break;
	}
	if (!ret && !found)
		ret = group_create(parts, pci, cookie, &found);
	parts_give(parts);
	if (!ret)
		*out = found;
	return ret;
}

int pci_device_add(struct iommuabs *abs, uint32_t pci, void *cookie,
		   struct iommuabs_device **out)
{
	struct tablemem *mem = &abs->mem;
	struct parts *parts = tablemem_object_alloc(mem, sizeof(*parts));
	int ret = IOMMUABS_E_NOMEM;

	if (!parts)
		return ret;
	parts->abs = abs;
	parts->walk = tablemem_object_alloc(mem, sizeof(*parts->walk));
	parts->streams = tablemem_object_alloc(mem, STREAMS_SIZE);
	parts->reserved = tablemem_object_alloc(mem, RESERVED_SIZE);
	parts->aliases = tablemem_object_alloc(mem, ALIASES_SIZE);
	if (parts->walk && parts->streams && parts->reserved && parts->aliases)
		ret = group_add(parts, pci, cookie, out);
	if (parts->aliases)
		tablemem_object_free(mem, parts->aliases, ALIASES_SIZE);
	if (parts->reserved)
		tablemem_object_free(mem, parts->reserved, RESERVED_SIZE);
	if (parts->streams)
		tablemem_object_free(mem, parts->streams, STREAMS_SIZE);
	if (parts->walk)
		tablemem_object_free(mem, parts->walk, sizeof(*parts->walk));
	tablemem_object_free(mem, parts, sizeof(*parts));
	return ret;
}

/* ---- is it still so? ---- */

static bool names_are(const struct iommuabs_device *dev,
		      const struct pci_walk *walk)
{
	const struct device_alias *alias;
	uint32_t i = 0;

	for (alias = dev->aliases; alias; alias = alias->next) {
		if (!alias->nr_pci)
			continue;
		if (i == walk->ids.nr ||
		    alias->pci !=
			    (walk->segment << 16 | walk->ids.spans[i].first) ||
		    alias->nr_pci != (uint32_t)walk->ids.spans[i].last -
					     walk->ids.spans[i].first + 1)
			return false;
		i++;
	}
	return i == walk->ids.nr;
}

int pci_device_check(struct iommuabs_device *dev)
{
	struct tablemem *mem = &dev->abs->mem;
	struct pci_walk *walk;
	int ret;

	if (!dev->topology)
		return 0;
	walk = tablemem_object_alloc(mem, sizeof(*walk));
	if (!walk)
		return IOMMUABS_E_NOMEM;
	walk->coarse = dev->topology == TOPOLOGY_COARSE;
	ret = pci_ids_find(dev->abs, walk, dev->pci);
	if (ret || !names_are(dev, walk))
		ret = IOMMUABS_E_TOPOLOGY;
	tablemem_object_free(mem, walk, sizeof(*walk));
	return ret;
}
