/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dt_scan.c - the three walks over a device tree
 */
#include "dt.h"

#if IOMMUABS_CONFIG_FDT

static int learn(struct dt_scan *scan, struct dt_node *node)
{
	enum iommuabs_unit_type type;
	struct desc_unit *unit = NULL;
	uint32_t domain;
	int ret = 0;

	if (dt_is_unit(scan, node, &type))
		ret = dt_unit_add(scan, node, type, &unit);
	if (ret)
		return ret;
	if (node->enabled && dt_has(node, DT_PCI_DOMAIN)) {
		domain = dt_u32(node, DT_PCI_DOMAIN);
		if (domain != DT_NO_CELLS && domain >= scan->next_domain)
			scan->next_domain = domain + 1;
	}
	return dt_target_add(scan, node, unit);
}

static int describe(struct dt_scan *scan, struct dt_node *node)
{
	enum iommuabs_unit_type type;
	int ret;

	if (dt_is_unit(scan, node, &type)) {
		ret = dt_unit_irqs(scan, node, scan->unit);
		scan->unit = scan->unit->next;
		if (ret)
			return ret;
	}
	return dt_device_add(scan, node);
}

/* Offsets and sizes: within what may be read, and as they are needed below. */
static int header_check(struct desc_set *set, const void *fdt, size_t size)
{
	const char *what = NULL;

	if (size < sizeof(struct fdt_header) || fdt_check_header(fdt))
		what = "no flattened device tree";
	else if (fdt_totalsize(fdt) > size)
		what = "larger than the memory it is in";
	else if (fdt_version(fdt) < 17)
		what = "of a version before 17";
	else if (fdt_off_dt_struct(fdt) % 4)
		what = "the structure is not aligned";
	else if (fdt_off_mem_rsvmap(fdt) % 8 ||
		 fdt_totalsize(fdt) - fdt_off_mem_rsvmap(fdt) < 16)
		what = "the memory reservations are out of place";
	if (!what)
		return 0;
	hostif_format(set->error, sizeof(set->error), "header: %s", what);
	return IOMMUABS_E_FIRMWARE;
}

static int scan_run(struct desc_set *set, const void *fdt)
{
	struct dt_scan scan = {
		.set = set,
		.fdt = fdt,
		.last_unit = &set->units,
		.last_device = &set->devices,
	};
	int ret = dt_walk(&scan, learn);

	scan.unit = set->units;
	if (!ret)
		ret = dt_walk(&scan, describe);
	if (!ret)
		ret = dt_walk(&scan, dt_reserved_add);
	if (!ret)
		ret = desc_unite(set);
	dt_targets_free(&scan);
	dt_nodes_free(&scan);
	return ret;
}

int desc_scan_fdt(struct desc_set *set, const void *fdt, size_t size)
{
	int ret;

	if (!fdt || ((uintptr_t)fdt & 7))
		return IOMMUABS_E_INVAL;
	ret = header_check(set, fdt, size);
	return ret ? ret : scan_run(set, fdt);
}

#endif
