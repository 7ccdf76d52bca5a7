/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * device_find.c - which device has an id, a function, a path
 */
#include "core.h"
#include "pci_topology.h"

uint32_t device_functions(const struct iommuabs_device *dev,
			  struct iommuabs_pci_range ranges[], uint32_t max)
{
	const struct device_alias *alias;
	uint32_t nr = 0;

	/* A group's own number is one of its aliases, too. */
	if ((dev->flags & IOMMUABS_DEVICE_PCI) && !dev->topology) {
		if (nr < max)
			ranges[nr] = (struct iommuabs_pci_range){ dev->pci,
								  dev->nr_pci };
		nr++;
	}
	for (alias = dev->aliases; alias; alias = alias->next) {
		if (!alias->nr_pci)
			continue;
		if (nr < max)
			ranges[nr] =
				(struct iommuabs_pci_range){ alias->pci,
							     alias->nr_pci };
		nr++;
	}
	return nr;
}

uint32_t device_quiet(const struct iommuabs_device *dev)
{
	uint32_t i, quiet = 0;

	for (i = 0; i < dev->nr_streams; i++)
		quiet |= port_load32(&dev->streams[i].quiet);
	return quiet;
}

struct device_stream *device_stream_of(const struct iommuabs_device *dev,
				       const struct iommuabs_unit *unit,
				       uint32_t stream)
{
	struct device_stream *at = dev->streams;
	uint32_t i;

	for (i = 0; i < dev->nr_streams; i++, at++)
		if (at->unit == unit && stream >= at->first &&
		    stream - at->first < at->nr)
			return at;
	return NULL;
}

/* Where @rid's DMA arrives, by what the range device says. False: nowhere. */
static bool range_stream(const struct iommuabs_device *range, uint32_t rid,
			 struct iommuabs_stream_range *out)
{
	const struct device_stream *at = range->streams;
	uint32_t i;

	rid &= ~range->rid_ignored;
	for (i = 0; i < range->nr_streams; i++, at++) {
		if (rid < at->rid || rid - at->rid >= at->nr)
			continue;
		*out = (struct iommuabs_stream_range){
			.unit = at->unit,
			.first = at->first + (rid - at->rid),
			.nr = 1,
			.rid = rid,
		};
		return true;
	}
	return false;
}

struct iommuabs_device *device_owner_of(struct iommuabs *abs, uint32_t pci,
					struct iommuabs_stream_range *where)
{
	struct iommuabs_device *dev = device_of_function(abs, pci), *carved;

	if (!dev || !(dev->flags & IOMMUABS_DEVICE_RANGE))
		return dev && dev->nr_streams ? dev : NULL;
	if (!range_stream(dev, pci & (PCI_RIDS - 1), where))
		return NULL;
	carved = device_of_stream(where->unit, where->first);
	return carved ? carved : dev;
}

int device_find_pci(struct iommuabs *abs, uint32_t pci,
		    struct iommuabs_device **out)
{
	struct iommuabs_stream_range where;
	struct iommuabs_device *found;
	bool exists;

	ia_lock(&abs->host, &abs->lock);
	exists = device_of_function(abs, pci) != NULL;
	found = device_owner_of(abs, pci, &where);
	ia_unlock(&abs->host, &abs->lock);
	if (!found)
		return exists ? IOMMUABS_E_UNTRANSLATED : IOMMUABS_E_NOENT;
	*out = found;
	return 0;
}

static bool strings_equal(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static bool has_path(const struct iommuabs_device *dev, const char *path)
{
	const struct device_alias *alias = dev->aliases;

	if (dev->path[0] && strings_equal(dev->path, path))
		return true;
	while (alias && !(alias->path[0] && strings_equal(alias->path, path)))
		alias = alias->next;
	return alias != NULL;
}

int device_find_path(struct iommuabs *abs, const char *path,
		     struct iommuabs_device **out)
{
	struct iommuabs_device *dev;
	int ret = IOMMUABS_E_NOENT;

	ia_lock(&abs->host, &abs->lock);
	for (dev = abs->devices; dev; dev = dev->next)
		if (has_path(dev, path))
			break;
	if (dev && !dev->nr_streams) {
		ret = IOMMUABS_E_UNTRANSLATED;
	} else if (dev) {
		*out = dev;
		ret = 0;
	}
	ia_unlock(&abs->host, &abs->lock);
	return ret;
}
