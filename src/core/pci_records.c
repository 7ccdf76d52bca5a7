/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci_records.c - the ids that are one with a function: by configuration space, and
 * by what the library knows besides, which makes a group larger
 */
#include "pci_records.h"

static bool functions_add(struct pci_walk *walk, uint32_t pci, uint32_t nr)
{
	uint32_t first = pci & (PCI_RIDS - 1);

	if (!nr || pci >> 16 != walk->segment)
		return true;
	return pci_ids_add(&walk->ids, first,
			   IA_MIN(first + nr, (uint32_t)PCI_RIDS) - 1);
}

/* All functions that @dev was described with. */
static bool names_add(struct pci_walk *walk, const struct iommuabs_device *dev)
{
	const struct device_alias *alias;
	bool fits = true;

	if (dev->flags & IOMMUABS_DEVICE_PCI)
		fits = functions_add(walk, dev->pci, dev->nr_pci);
	for (alias = dev->aliases; alias && fits; alias = alias->next)
		fits = functions_add(walk, alias->pci, alias->nr_pci);
	return fits;
}

/* The same of a group: only what configuration space doesn't say. */
static bool members_add(struct pci_walk *walk,
			const struct iommuabs_device *group)
{
	const struct iommuabs_device *member;
	bool fits = true;

	for (member = group->members; member && fits; member = member->next)
		fits = names_add(walk, member);
	return fits;
}

/* Functions that differ in ignored bits only arrive under one id. */
static bool variants_add(struct pci_walk *walk, uint32_t rid, uint32_t ignored)
{
	uint32_t bits = 0;
	bool fits = true;

	do {
		bits = (bits - ignored) & ignored; /* the next subset */
		rid = (rid & ~ignored) | bits;
		fits = pci_ids_add(&walk->ids, rid, rid);
	} while (bits && fits);
	return fits;
}

/* The range device by which @owner's DMA as @pci arrives; NULL: none. */
static const struct iommuabs_device *
range_for(const struct iommuabs_device *owner, uint32_t pci)
{
	const struct iommuabs_device *by_function, *range;
	uint32_t i;

	if (owner->flags & IOMMUABS_DEVICE_RANGE)
		return owner;
	by_function = range_of_function(owner->abs, pci);
	for (i = 0; (range = device_range(owner, i)) != NULL; i++)
		if (range == by_function)
			return range;
	return device_range(owner, 0);
}

/*
 * Bits that @range's unit is not told. Ids are looked at in ascending order: where
 * the first that differs in those only is known, its look added @rid, too.
 */
static uint32_t bits_ignored(const struct pci_walk *walk,
			     const struct iommuabs_device *range, uint32_t rid)
{
	uint32_t ignored = range->rid_ignored & (PCI_RIDS - 1);
	uint32_t first = rid & ~ignored;

	if (rid != first && pci_ids_next(&walk->ids, first) == first &&
	    range_of_function(range->abs, walk->segment << 16 | first) == range)
		return 0;
	return ignored;
}

/* What is known about one id; *@ignored: bits that its unit is not told. False:
 * too many ids. */
static bool record_add(struct iommuabs *abs, struct pci_walk *walk,
		       uint32_t rid, uint32_t *ignored)
{
	struct iommuabs_stream_range where;
	const struct iommuabs_device *owner, *range;

	*ignored = 0;
	owner = device_owner_of(abs, walk->segment << 16 | rid, &where);
	if (!owner)
		return true;
	range = range_for(owner, walk->segment << 16 | rid);
	if (range)
		*ignored = bits_ignored(walk, range, rid);
	if (owner == range)
		return true;
	return owner->topology ? members_add(walk, owner)
			       : names_add(walk, owner);
}

/* One look at all ids so far, a few under the lock at a time. False: too many. */
static bool records_add(struct iommuabs *abs, struct pci_walk *walk)
{
	uint32_t next = pci_ids_next(&walk->ids, 0), rid = 0, ignored, i;
	bool fits = true;

	while (next < PCI_RIDS && fits) {
		ignored = 0;
		ia_lock(&abs->host, &abs->lock);
		for (i = 0;
		     i < PCI_LOCKED_IDS && next < PCI_RIDS && fits && !ignored;
		     i++) {
			rid = next;
			fits = record_add(abs, walk, rid, &ignored);
			next = pci_ids_next(&walk->ids, rid + 1);
		}
		ia_unlock(&abs->host, &abs->lock);
		if (fits && ignored)
			fits = variants_add(walk, rid, ignored);
		next = pci_ids_next(&walk->ids, rid + 1);
	}
	return fits;
}

int pci_ids_find(struct iommuabs *abs, struct pci_walk *walk, uint32_t pci)
{
	uint32_t rounds, before = 0, now;
	int ret;

	if (!pci_walk_begin(walk, &abs->host, pci >> 16))
		return IOMMUABS_E_NOTSUP;
	ret = pci_group_add(walk, pci & (PCI_RIDS - 1));
	for (rounds = 0; !ret && rounds < PCI_ROUNDS_MAX; rounds++) {
		now = pci_ids_count(&walk->ids);
		if (now == before)
			return 0;
		before = now;
		ret = records_add(abs, walk) ? pci_group_close(walk)
					     : IOMMUABS_E_NOTSUP;
	}
	return ret ? ret : IOMMUABS_E_NOTSUP;
}
