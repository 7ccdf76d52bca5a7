/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dt_reserved.c - reserved memory that a device must see, or must not
 *
 * Binding of reserved-memory: iommu-addresses is a list of <device, address,
 * size>. With reg the device sees that memory at the address; without it the
 * addresses stay free.
 */
#include "dt.h"

#if IOMMUABS_CONFIG_FDT

#define OFFSET_IN_FRAME (IOMMUABS_FRAME_SIZE - 1)
#define PCI_CELLS	3

/* One entry, and the memory it is about if @mapped. */
struct region {
	struct desc_device *device;
	uint64_t address, size;
	uint64_t base;
	bool mapped;
};

/*
 * In whole frames: what shares a frame with the region shares its fate. Where
 * nothing can be mapped anyway, nothing need be kept free.
 */
static int region_add(struct dt_scan *scan, const struct region *region)
{
	const uint64_t top = ((uint64_t)1 << DESC_ADDRESS_BITS) - 1;
	uint64_t first = region->address >> IOMMUABS_FRAME_LG2;
	uint64_t end = IA_MIN(region->address + region->size - 1, top);
	uint64_t base = region->mapped ? region->base : region->address;
	const struct iommuabs_reserved reserved = {
		.gfn = IOMMUABS_GFN(first),
		.mfn = IOMMUABS_MFN(base >> IOMMUABS_FRAME_LG2),
		.nr = (end >> IOMMUABS_FRAME_LG2) - first + 1,
		.flags = region->mapped ? IOMMUABS_READ | IOMMUABS_WRITE |
						  IOMMUABS_NORMAL
					: 0,
	};
	int ret;

	if (!region->mapped && region->address > top)
		return 0;
	if (region->mapped &&
	    IA_MAX(region->address, base) + region->size - 1 > top)
		return dt_fail(scan, DT_IOMMU_ADDRESSES,
			       "memory beyond 52 address bits");
	if ((base ^ region->address) & OFFSET_IN_FRAME)
		return dt_fail(scan, DT_IOMMU_ADDRESSES,
			       "not the offset in a frame that reg has");
	ret = desc_reserve(scan->set, region->device, &reserved);
	return ret == IOMMUABS_E_FIRMWARE
		       ? dt_fail(scan, DT_IOMMU_ADDRESSES,
				 "too many regions of one device")
		       : ret;
}

/* The address and size of one entry, as wide as the device's bus has them. */
static int region_read(struct dt_scan *scan, const struct dt_prop *prop,
		       uint32_t *at, struct region *region)
{
	struct dt_target *target = dt_target_find(scan, dt_cell(prop, *at));
	uint32_t left = dt_nr_cells(prop) - *at, first = *at + 1, address, size;

	if (!target || target->ambiguous)
		return dt_fail(scan, DT_IOMMU_ADDRESSES,
			       "a phandle that not exactly one node has");
	address = target->address_cells;
	size = target->size_cells;
	if (address - 1 >= DT_CELLS_MAX || size - 1 >= DT_CELLS_MAX)
		return dt_fail(scan, DT_IOMMU_ADDRESSES,
			       "a device with no addresses on its bus");
	if (left < 1 + address + size)
		return dt_fail(scan, DT_IOMMU_ADDRESSES,
			       "its last entry is cut");
	*at += 1 + address + size;
	scan->set->work += 1 + address + size;
	region->device = target->device;
	if (!region->device)
		return 0;
	/* The first cell on PCI is not of the address (IEEE 1275's binding). */
	if (address == PCI_CELLS) {
		address--;
		first++;
	}
	if (!dt_number(prop, first, address, &region->address) ||
	    !dt_number(prop, first + address, size, &region->size) ||
	    (region->size &&
	     region->address + region->size - 1 < region->address))
		return dt_fail(scan, DT_IOMMU_ADDRESSES,
			       "an entry beyond 64 bits");
	return 0;
}

/*
 * Devices that aren't there, or that no unit sees, need nothing; nor does a
 * region of no size, that a boot loader didn't fill in.
 */
int dt_reserved_add(struct dt_scan *scan, struct dt_node *node)
{
	const struct dt_prop *prop = &node->props[DT_IOMMU_ADDRESSES];
	struct region region = { 0 };
	uint64_t length = 0;
	uint32_t at = 0;
	int ret = 0;

	if (!node->enabled || !prop->data)
		return 0;
	if (prop->size % 4)
		return dt_fail(scan, DT_IOMMU_ADDRESSES,
			       "not a number of cells");
	region.mapped = dt_has(node, DT_REG);
	if (region.mapped)
		ret = dt_reg(scan, node, &region.base, &length);
	while (!ret && at < dt_nr_cells(prop)) {
		ret = region_read(scan, prop, &at, &region);
		if (ret || !region.device || !region.device->streams ||
		    !region.size)
			continue;
		ret = region.mapped && region.size != length
			      ? dt_fail(scan, DT_IOMMU_ADDRESSES,
					"not the size that reg has")
			      : region_add(scan, &region);
	}
	return ret;
}

#endif
