/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * device.c - devices as they are described, made and forgotten
 */
#include "change.h"
#include "pci_topology.h"

#define FRAMES_END ((uint64_t)1 << (52 - IOMMUABS_FRAME_LG2))

_Static_assert(IOMMUABS_STREAM_RANGES_MAX * sizeof(struct device_stream) <=
		       TABLEMEM_OBJECT_MAX,
	       "a small object");
_Static_assert(IOMMUABS_RESERVED_MAX * sizeof(struct iommuabs_reserved) <=
		       TABLEMEM_OBJECT_MAX,
	       "a small object");
_Static_assert(sizeof(struct iommuabs_device) <= TABLEMEM_OBJECT_MAX,
	       "a small object");

static bool string_fits(const char *s, size_t max)
{
	size_t n = 0;

	while (s && n < max && s[n])
		n++;
	return n < max;
}

static bool spans_meet(uint64_t a, uint64_t nr_a, uint64_t b, uint64_t nr_b)
{
	return a < b + nr_b && b < a + nr_a;
}

/* ---- descriptions ---- */

static bool unit_is_ours(struct iommuabs *abs, const struct iommuabs_unit *unit)
{
	const struct iommuabs_unit *at;

	ia_lock(&abs->host, &abs->lock);
	at = abs->units;
	while (at && at != unit)
		at = at->next;
	ia_unlock(&abs->host, &abs->lock);
	return at != NULL;
}

/* The following say what is wrong, in words; NULL: nothing is. */
static const char *streams_wrong(struct iommuabs *abs,
				 const struct iommuabs_device_desc *desc)
{
	const struct iommuabs_stream_range *range = desc->streams, *other;
	uint32_t i, k;

	if (desc->nr_streams > IOMMUABS_STREAM_RANGES_MAX ||
	    (desc->nr_streams && !desc->streams))
		return "too many ranges of ids, or none at streams";
	for (i = 0; i < desc->nr_streams; i++, range++) {
		if (!range->unit || !unit_is_ours(abs, range->unit))
			return "its ids are of no unit of this instance";
		if (!range->nr ||
		    (uint64_t)range->rid + range->nr > (uint64_t)1 << 32)
			return "a range of ids is empty or wraps";
		if ((uint64_t)range->first + range->nr >
		    unit_streams_end(range->unit))
			return "an id is wider than its unit has";
		for (k = 0; k < i; k++) {
			other = &desc->streams[k];
			if (other->unit == range->unit &&
			    spans_meet(other->first, other->nr, range->first,
				       range->nr))
				return "an id is in two of its ranges";
		}
	}
	return NULL;
}

static bool reserved_good(const struct iommuabs_reserved *region)
{
	uint64_t gfn = region->gfn.frame, mfn = region->mfn.frame;
	uint32_t access = IOMMUABS_READ | IOMMUABS_WRITE;

	if (!region->nr || region->nr > FRAMES_END ||
	    gfn > FRAMES_END - region->nr || mfn > FRAMES_END - region->nr)
		return false;
	if (!region->flags)
		return true;
	return !(region->flags & ~(access | IOMMUABS_MEMTYPE)) &&
	       (region->flags & access) &&
	       (region->flags & IOMMUABS_MEMTYPE) != IOMMUABS_MEMTYPE;
}

static bool functions_good(uint32_t pci, uint32_t nr_pci)
{
	const uint64_t end = (uint64_t)1 << 32;

	return nr_pci <= PCI_RIDS && (uint64_t)pci + nr_pci <= end;
}

/* Functions of a range are told apart: nothing else can be all of them. */
static const char *aliases_wrong(const struct iommuabs_device_desc *desc)
{
	const struct iommuabs_device_alias *alias = desc->aliases;
	uint32_t i;

	if (desc->nr_aliases && (desc->flags & IOMMUABS_DEVICE_RANGE))
		return "a range device has aliases";
	if (desc->nr_aliases > IOMMUABS_ALIASES_MAX ||
	    (desc->nr_aliases && !alias))
		return "too many aliases, or none at aliases";
	for (i = 0; i < desc->nr_aliases; i++, alias++)
		if (!string_fits(alias->path, IOMMUABS_PATH_MAX) ||
		    !functions_good(alias->pci, alias->nr_pci))
			return "an alias has too long a path, or no such "
			       "functions";
	return NULL;
}

static const char *reserved_wrong(const struct iommuabs_device_desc *desc)
{
	uint32_t i;

	if (desc->nr_reserved > IOMMUABS_RESERVED_MAX ||
	    (desc->nr_reserved && !desc->reserved))
		return "too many reserved regions, or none at reserved";
	for (i = 0; i < desc->nr_reserved; i++)
		if (!reserved_good(&desc->reserved[i]))
			return "a reserved region is empty, wraps, or has "
			       "flags that it can't have";
	return NULL;
}

static const char *desc_wrong(struct iommuabs *abs,
			      const struct iommuabs_device_desc *desc)
{
	const char *why = NULL;

	if (desc->flags & ~(IOMMUABS_DEVICE_PCI | IOMMUABS_DEVICE_RANGE |
			    IOMMUABS_DEVICE_UNSAFE_MSI))
		return "an unknown flag";
	if (!string_fits(desc->path, IOMMUABS_PATH_MAX))
		return "its path is too long";
	if (!functions_good(desc->pci, desc->nr_pci))
		return "there are no such PCI functions";
	why = aliases_wrong(desc);
	if (!why)
		why = reserved_wrong(desc);
	return why ? why : streams_wrong(abs, desc);
}

static int desc_check(struct iommuabs *abs,
		      const struct iommuabs_device_desc *desc)
{
	bool is_named = string_fits(desc->name, IOMMUABS_NAME_MAX);
	const char *why =
		is_named ? desc_wrong(abs, desc) : "its name is too long";

	if (!why)
		return 0;
	hostif_log(&abs->host, IOMMUABS_LOG_ERROR, "device %s refused: %s",
		   is_named && desc->name ? desc->name : "without a name", why);
	return IOMMUABS_E_INVAL;
}

static void device_name(struct iommuabs_device *dev, const char *name)
{
	uint32_t pci = dev->pci;

	if (name)
		hostif_format(dev->name, sizeof(dev->name), "%s", name);
	else if (dev->flags & IOMMUABS_DEVICE_PCI)
		hostif_format(dev->name, sizeof(dev->name),
			      "pci-%04x:%02x:%02x.%u", pci >> 16,
			      (pci >> 8) & 0xff, (pci >> 3) & 0x1f, pci & 7);
	else if (dev->nr_streams)
		hostif_format(dev->name, sizeof(dev->name), "%s/%x",
			      dev->streams[0].unit->name,
			      dev->streams[0].first);
	else
		hostif_format(dev->name, sizeof(dev->name), "device");
}

static void device_describe(struct iommuabs_device *dev,
			    const struct iommuabs_device_desc *desc)
{
	const struct iommuabs_stream_range *range;
	uint32_t i;

	dev->flags = desc->flags;
	dev->pci = desc->pci;
	dev->nr_pci = desc->nr_pci ? desc->nr_pci : 1;
	dev->rid_ignored = desc->rid_ignored;
	dev->cookie = desc->cookie;
	for (i = 0; i < dev->nr_streams; i++) {
		range = &desc->streams[i];
		dev->streams[i].unit = range->unit;
		dev->streams[i].first = range->first;
		dev->streams[i].nr = range->nr;
		dev->streams[i].rid = range->rid;
	}
	for (i = 0; i < dev->nr_reserved; i++)
		dev->reserved[i] = desc->reserved[i];
	if (desc->path)
		hostif_format(dev->path, sizeof(dev->path), "%s", desc->path);
	device_name(dev, desc->name);
}

static void *array_alloc(struct iommuabs *abs, uint32_t nr, size_t size)
{
	return nr ? tablemem_object_alloc(&abs->mem, nr * size) : NULL;
}

void device_free(struct iommuabs_device *dev)
{
	struct tablemem *mem = &dev->abs->mem;
	struct iommuabs_device *member;
	struct device_alias *alias;

	/* Of the whole instance's end only; a member has none of its own. */
	while ((member = dev->members) != NULL) {
		dev->members = member->next;
		device_free(member);
	}
	while ((alias = dev->aliases) != NULL) {
		dev->aliases = alias->next;
		tablemem_object_free(mem, alias, sizeof(*alias));
	}
	device_spans_free(dev);
	irq_device_free(dev);
	if (dev->streams)
		tablemem_object_free(mem, dev->streams,
				     dev->nr_streams * sizeof(*dev->streams));
	if (dev->reserved)
		tablemem_object_free(mem, dev->reserved,
				     dev->nr_reserved * sizeof(*dev->reserved));
	tablemem_object_free(mem, dev, sizeof(*dev));
}

/* false: no memory. */
static bool aliases_make(struct iommuabs_device *dev,
			 const struct iommuabs_device_desc *desc)
{
	struct device_alias **last = &dev->aliases;
	uint32_t i;

	for (i = 0; i < desc->nr_aliases; i++, last = &(*last)->next) {
		const struct iommuabs_device_alias *alias = &desc->aliases[i];

		*last = tablemem_object_alloc(&dev->abs->mem, sizeof(**last));
		if (!*last)
			return false;
		(*last)->pci = alias->pci;
		(*last)->nr_pci = alias->nr_pci;
		if (alias->path)
			hostif_format((*last)->path, sizeof((*last)->path),
				      "%s", alias->path);
	}
	return true;
}

static struct iommuabs_device *
device_make(struct iommuabs *abs, const struct iommuabs_device_desc *desc)
{
	struct iommuabs_device *dev =
		tablemem_object_alloc(&abs->mem, sizeof(*dev));

	if (!dev)
		return NULL;
	dev->abs = abs;
	dev->nr_streams = desc->nr_streams;
	dev->nr_reserved = desc->nr_reserved;
	dev->streams =
		array_alloc(abs, desc->nr_streams, sizeof(*dev->streams));
	dev->reserved =
		array_alloc(abs, desc->nr_reserved, sizeof(*dev->reserved));
	if ((dev->nr_streams && !dev->streams) ||
	    (dev->nr_reserved && !dev->reserved) || !aliases_make(dev, desc)) {
		device_free(dev);
		return NULL;
	}
	device_describe(dev, desc);
	if (!device_spans_make(dev)) {
		device_free(dev);
		return NULL;
	}
	return dev;
}

static void refusal_log(const struct iommuabs_device *dev, int error)
{
	const char *why = "the range device that has its ids is attached";

	if (error == IOMMUABS_E_EXISTS)
		why = "an id or a function of it is another device's";
	else if (error == IOMMUABS_E_INVAL)
		why = "some of its ids lie in a range device, some do not";
	hostif_log(&dev->abs->host, IOMMUABS_LOG_ERROR, "device %s refused: %s",
		   dev->name, why);
}

int device_create(struct iommuabs *abs, const struct iommuabs_device_desc *desc,
		  struct iommuabs_device **out)
{
	struct iommuabs_device *dev;
	int ret = desc_check(abs, desc);

	if (ret)
		return ret;
	dev = device_make(abs, desc);
	if (!dev)
		return IOMMUABS_E_NOMEM;
	ia_lock(&abs->host, &abs->lock);
	ret = device_place(dev);
	if (!ret)
		device_link(dev);
	ia_unlock(&abs->host, &abs->lock);
	if (ret) {
		refusal_log(dev, ret);
		device_free(dev);
		return ret;
	}
	*out = dev;
	return 0;
}

/* ---- groups: members are out of all lists while the group is in ---- */

/* Lock held, members taken. 0 | E_BUSY. */
static int group_link(struct iommuabs_device *dev,
		      const struct device_parts *parts)
{
	struct iommuabs_device *member;
	uint32_t i;
	int ret;

	for (i = 0; i < parts->nr_members; i++)
		if (parts->members[i]->state != DEVICE_BLOCKED ||
		    parts->members[i]->group)
			return IOMMUABS_E_BUSY;
	ret = device_place_group(dev, parts);
	if (ret)
		return ret;
	for (i = parts->nr_members; i--;) {
		member = parts->members[i];
		device_unlink(member);
		member->group = dev;
		member->next = dev->members;
		dev->members = member;
	}
	device_link(dev);
	return 0;
}

int device_create_group(struct iommuabs *abs,
			const struct iommuabs_device_desc *desc,
			const struct device_parts *parts,
			struct iommuabs_device **out)
{
	struct iommuabs_device *dev = device_make(abs, desc);
	int ret;

	if (!dev)
		return IOMMUABS_E_NOMEM;
	dev->topology = parts->coarse ? TOPOLOGY_COARSE : TOPOLOGY_EXACT;
	ia_lock(&abs->host, &abs->lock);
	ret = group_link(dev, parts);
	ia_unlock(&abs->host, &abs->lock);
	if (ret)
		device_free(dev);
	else
		*out = dev;
	return ret;
}

struct iommuabs_device *device_head(struct iommuabs_device *dev)
{
	struct iommuabs *abs = dev->abs;
	struct iommuabs_device *head;

	ia_lock(&abs->host, &abs->lock);
	head = dev->group ? dev->group : dev;
	ia_unlock(&abs->host, &abs->lock);
	return head;
}

/* Lock held: its ids are free, and members have theirs back. */
static void group_unlink(struct iommuabs_device *dev)
{
	struct iommuabs_device *member;

	while ((member = dev->members) != NULL) {
		dev->members = member->next;
		member->next = NULL;
		member->group = NULL;
		device_link(member);
	}
}

int device_forget(struct iommuabs_device *dev)
{
	struct iommuabs *abs = dev->abs;
	bool buried = false, busy;

	ia_lock(&abs->host, &abs->lock);
	/* What is taken is about to become a group's. */
	busy = port_load32(&dev->busy) || dev->state != DEVICE_BLOCKED ||
	       dev->nr_carved || dev->group || dev->irqs ||
	       device_range_is_busy(dev);
	if (!busy) {
		device_unlink(dev);
		group_unlink(dev);
		/* A fault callback may be looking at it. */
		buried = abs->polling;
		if (buried) {
			dev->next = abs->graveyard;
			abs->graveyard = dev;
		}
	}
	ia_unlock(&abs->host, &abs->lock);
	if (busy)
		return IOMMUABS_E_BUSY;
	if (!buried)
		device_free(dev);
	return 0;
}
