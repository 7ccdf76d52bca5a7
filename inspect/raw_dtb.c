/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * raw_dtb.c - of a device tree what is about IOMMUs, node by node
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "inspect.h"

#if IOMMUABS_CONFIG_FDT

#include <libfdt.h>

#define CELLS_MAX 4

struct node {
	int offset;
	size_t parent; /* the root's is its own */
	char *path;
	const char *status;
	bool is_enabled;	       /* with all above it */
	uint32_t phandle, cells_given; /* 0: none; #address, #size for below */
	const char *family;	       /* of an IOMMU; NULL: it is none */
};

struct tree {
	const void *fdt;
	struct node *nodes;
	size_t nr;
};

struct cells {
	const fdt32_t *cells;
	size_t nr;
};

/* ---- properties ---- */

static struct cells cells_of(const struct tree *tree, const struct node *node,
			     const char *name)
{
	int length = 0;
	const fdt32_t *data =
		fdt_getprop(tree->fdt, node->offset, name, &length);

	if (!data || length < 0)
		return (struct cells){ NULL, 0 };
	return (struct cells){ data, (size_t)length / 4 };
}

static uint32_t cell(const struct cells *cells, size_t n)
{
	return n < cells->nr ? fdt32_ld(&cells->cells[n]) : 0;
}

/* @nr cells at @at, the last two of them if there are more. */
static uint64_t number(const struct cells *cells, size_t at, size_t nr)
{
	uint64_t value = 0;

	for (; nr; nr--, at++)
		value = value << 32 | cell(cells, at);
	return value;
}

static bool has(const struct tree *tree, const struct node *node,
		const char *name)
{
	return fdt_getprop(tree->fdt, node->offset, name, NULL) != NULL;
}

static uint32_t u32_or(const struct tree *tree, const struct node *node,
		       const char *name, uint32_t otherwise)
{
	struct cells cells = cells_of(tree, node, name);

	return cells.nr ? cell(&cells, 0) : otherwise;
}

static const char *string_at(const struct tree *tree, const struct node *node,
			     const char *name, int n)
{
	return fdt_stringlist_get(tree->fdt, node->offset, name, n, NULL);
}

static void strings_print(const struct tree *tree, struct json *json,
			  const struct node *node, const char *name,
			  const char *key)
{
	const char *string;
	int n;

	json_open(json, key, '[');
	for (n = 0; (string = string_at(tree, node, name, n)) != NULL; n++)
		json_string(json, NULL, string);
	json_close(json, ']');
}

/* ---- nodes ---- */

static bool is_like(const struct tree *tree, const struct node *node,
		    const char *text)
{
	const char *string;
	int n;

	for (n = 0; (string = string_at(tree, node, "compatible", n)) != NULL;
	     n++)
		if (strstr(string, text))
			return true;
	return false;
}

static const char *family_of(const struct tree *tree, const struct node *node)
{
	/* What is in a compatible, and the family; the first decides. */
	static const char known[][2][24] = {
		{ "arm,smmu-v3", "smmu-v3" },
		{ "arm,smmu-v", "smmu-v2" },
		{ "arm,mmu-", "smmu-v2" },
		{ "qcom,smmu-", "smmu-v2" },
		{ "cavium,smmu-v2", "smmu-v2" },
		{ "nvidia,smmu-500", "smmu-v2" },
		{ "renesas,ipmmu", "renesas-ipmmu" },
		{ "rockchip,", "rockchip-iommu" },
		{ "qcom,msm-iommu-v1", "qcom-iommu-v1" },
		{ "allwinner,sun50i-", "sun50i-iommu" },
		{ "mediatek,", "mediatek-m4u" },
		{ "nvidia,tegra", "tegra-mc-smmu" },
	};
	size_t i;

	if (is_like(tree, node, "arm,smmu-v3-pmcg"))
		return NULL;
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (is_like(tree, node, known[i][0]) &&
		    (i < 6 || has(tree, node, "#iommu-cells")))
			return known[i][1];
	return has(tree, node, "#iommu-cells") ? "other" : NULL;
}

static char *path_below(const struct node *parent, const char *name)
{
	size_t size = strlen(parent->path) + strlen(name) + 2;
	char *path = take(size);

	snprintf(path, size, "%s/%s", parent->path[1] ? parent->path : "",
		 name);
	return path;
}

static void node_learn(struct tree *tree, struct node *node)
{
	const char *status = string_at(tree, node, "status", 0);

	node->status = status ? status : "okay";
	node->is_enabled = (!strcmp(node->status, "okay") ||
			    !strcmp(node->status, "ok")) &&
			   tree->nodes[node->parent].is_enabled;
	node->phandle = fdt_get_phandle(tree->fdt, node->offset);
	node->family = family_of(tree, node);
}

static bool tree_load(struct tree *tree)
{
	size_t above[64] = { 0 };
	int offset = 0, depth = 0;
	struct node *node;
	size_t room = 0;

	for (; offset >= 0 && depth >= 0;
	     offset = fdt_next_node(tree->fdt, offset, &depth)) {
		if (depth >= 64)
			return false;
		if (tree->nr == room) {
			room = room ? 2 * room : 256;
			tree->nodes = realloc(tree->nodes,
					      room * sizeof(*tree->nodes));
			if (!tree->nodes)
				take((size_t)-1);
		}
		node = &tree->nodes[tree->nr];
		*node = (struct node){ .offset = offset, .is_enabled = true };
		node->parent = depth ? above[depth - 1] : tree->nr;
		node->path = depth ? path_below(&tree->nodes[node->parent],
						fdt_get_name(tree->fdt, offset,
							     NULL))
				   : take_string("/");
		above[depth] = tree->nr++;
		node_learn(tree, node);
	}
	return tree->nr > 0;
}

static const struct node *by_phandle(const struct tree *tree, uint32_t phandle)
{
	size_t i;

	for (i = 0; phandle && i < tree->nr; i++)
		if (tree->nodes[i].phandle == phandle)
			return &tree->nodes[i];
	return NULL;
}

static bool is_arm(const struct node *node)
{
	return node && node->family && !strncmp(node->family, "smmu-v", 6);
}

static void path_print(struct json *json, const char *key,
		       const struct node *node)
{
	if (node)
		json_string(json, key, node->path);
	else
		json_null(json, key);
}

static void status_print(struct json *json, const struct node *node)
{
	json_string(json, "status", node->status);
}

/* ---- reg ---- */

/* To the bus above @bus; false: it isn't seen there. */
static bool translate(const struct tree *tree, const struct node *bus,
		      uint64_t *address)
{
	const struct node *above = &tree->nodes[bus->parent];
	uint32_t child = u32_or(tree, bus, "#address-cells", 2);
	uint32_t size = u32_or(tree, bus, "#size-cells", 1);
	uint32_t parent = u32_or(tree, above, "#address-cells", 2);
	struct cells ranges = cells_of(tree, bus, "ranges");
	size_t width = (size_t)child + parent + size, at;
	uint64_t from, to, length;

	if (!ranges.cells)
		return false;
	if (!ranges.nr)
		return true;
	if (child > CELLS_MAX || parent > CELLS_MAX || size > CELLS_MAX)
		return false;
	for (at = 0; width && at + width <= ranges.nr; at += width) {
		from = number(&ranges, at, child);
		to = number(&ranges, at + child, parent);
		length = number(&ranges, at + child + parent, size);
		if (*address >= from && *address - from < length) {
			*address = *address - from + to;
			return true;
		}
	}
	return false;
}

static void reg_print(const struct tree *tree, struct json *json,
		      const struct node *node)
{
	const struct node *bus = &tree->nodes[node->parent], *at;
	uint32_t address_cells = u32_or(tree, bus, "#address-cells", 2);
	uint32_t size_cells = u32_or(tree, bus, "#size-cells", 1);
	size_t width = (size_t)address_cells + size_cells, n;
	struct cells reg = cells_of(tree, node, "reg");
	uint64_t address;
	bool seen;

	json_open(json, "reg", '[');
	for (n = 0; address_cells <= CELLS_MAX && size_cells <= CELLS_MAX &&
		    width && n + width <= reg.nr;
	     n += width) {
		address = number(&reg, n, address_cells);
		seen = true;
		for (at = bus; seen && at->parent != (size_t)(at - tree->nodes);
		     at = &tree->nodes[at->parent])
			seen = translate(tree, at, &address);
		if (!seen)
			continue;
		json_open(json, NULL, '{');
		json_hex(json, "base", address);
		json_hex(json, "size",
			 number(&reg, n + address_cells, size_cells));
		json_close(json, '}');
	}
	json_close(json, ']');
}

/* ---- IOMMUs ---- */

static void props_print(const struct tree *tree, struct json *json,
			const struct node *node)
{
	static const char names[][32] = {
		"dma-coherent",
		"msi-parent",
		"hisilicon,broken-prefetch-cmd",
		"stream-match-mask",
		"power-domains",
		"clocks",
	};
	bool is_open = false;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!has(tree, node, names[i]))
			continue;
		if (!is_open)
			json_open(json, "props", '[');
		is_open = true;
		json_string(json, NULL, names[i]);
	}
	if (is_open)
		json_close(json, ']');
	if (has(tree, node, "stream-match-mask"))
		json_hex(json, "stream_match_mask",
			 u32_or(tree, node, "stream-match-mask", 0));
}

static void iommu_print(const struct tree *tree, struct json *json,
			const struct node *node)
{
	json_open(json, NULL, '{');
	json_string(json, "path", node->path);
	strings_print(tree, json, node, "compatible", "compatible");
	json_string(json, "family", node->family);
	status_print(json, node);
	json_bool(json, "enabled", node->is_enabled);
	reg_print(tree, json, node);
	if (has(tree, node, "#iommu-cells"))
		json_number(json, "iommu_cells",
			    u32_or(tree, node, "#iommu-cells", 0));
	else
		json_null(json, "iommu_cells");
	if (node->phandle)
		json_number(json, "phandle", node->phandle);
	else
		json_null(json, "phandle");
	if (has(tree, node, "#global-interrupts"))
		json_number(json, "global_interrupts",
			    u32_or(tree, node, "#global-interrupts", 0));
	if (has(tree, node, "interrupts"))
		json_number(json, "interrupt_cells_total",
			    cells_of(tree, node, "interrupts").nr);
	if (has(tree, node, "interrupt-names"))
		strings_print(tree, json, node, "interrupt-names",
			      "interrupt_names");
	props_print(tree, json, node);
	json_close(json, '}');
}

/* ---- masters ---- */

/* A specifier of iommus at @*at, which moves behind it. */
struct specifier {
	const struct node *iommu;
	size_t args, nr_args;
};

static bool specifier_next(const struct tree *tree, const struct cells *iommus,
			   size_t *at, struct specifier *spec)
{
	if (*at >= iommus->nr)
		return false;
	spec->iommu = by_phandle(tree, cell(iommus, *at));
	spec->args = *at + 1;
	spec->nr_args =
		spec->iommu ? u32_or(tree, spec->iommu, "#iommu-cells", 0) : 0;
	if (spec->nr_args > iommus->nr - spec->args)
		spec->nr_args = iommus->nr - spec->args;
	*at = spec->args + spec->nr_args;
	return true;
}

static void master_print(const struct tree *tree, struct json *json,
			 const struct node *node)
{
	struct cells iommus = cells_of(tree, node, "iommus");
	struct cells regions = cells_of(tree, node, "memory-region");
	struct specifier spec;
	size_t at = 0, n;

	json_open(json, NULL, '{');
	json_string(json, "path", node->path);
	status_print(json, node);
	json_bool(json, "enabled", node->is_enabled);
	json_open(json, "entries", '[');
	while (specifier_next(tree, &iommus, &at, &spec)) {
		json_open(json, NULL, '{');
		path_print(json, "iommu", spec.iommu);
		json_open(json, "args", '[');
		for (n = 0; n < spec.nr_args; n++)
			json_hex(json, NULL, cell(&iommus, spec.args + n));
		json_close(json, ']');
		json_close(json, '}');
	}
	json_close(json, ']');
	if (regions.cells) {
		json_open(json, "memory_region", '[');
		for (n = 0; n < regions.nr; n++)
			path_print(json, NULL,
				   by_phandle(tree, cell(&regions, n)));
		json_close(json, ']');
	}
	if (has(tree, node, "dma-coherent"))
		json_bool(json, "dma_coherent", true);
	json_close(json, '}');
}

/* ---- maps ---- */

struct map {
	struct cells cells;
	bool is_msi;
	bool is_four; /* entries of four cells, whatever the target has */
};

/* As trees with one cell too few look: one target, one id in each entry. */
static struct map map_of(const struct tree *tree, const struct node *node,
			 const char *name)
{
	struct map map = {
		.cells = cells_of(tree, node, name),
		.is_msi = !strcmp(name, "msi-map"),
	};
	size_t at;

	map.is_four = !(map.cells.nr % 4);
	for (at = 0; map.is_four && at < map.cells.nr; at += 4)
		map.is_four = cell(&map.cells, at + 1) == cell(&map.cells, 1) &&
			      cell(&map.cells, at + 3) == 1;
	map.is_four |= map.is_msi;
	return map;
}

/* Cells of the entry at @at; 0: it isn't all there. */
static size_t entry_width(const struct tree *tree, const struct map *map,
			  size_t at)
{
	const struct cells *cells = &map->cells;
	const struct node *target = by_phandle(tree, cell(cells, at + 1));
	size_t width = 4;

	if (target && !map->is_four)
		width = 3 + (size_t)u32_or(tree, target, "#iommu-cells", 1);
	if (width > 4 && (at + width > cells->nr ||
			  (at + width < cells->nr &&
			   !by_phandle(tree, cell(cells, at + width + 1)))))
		width = 4;
	return width < 4 || at + width > cells->nr ? 0 : width;
}

static void entries_print(const struct tree *tree, struct json *json,
			  const struct map *map)
{
	const struct cells *cells = &map->cells;
	const struct node *target;
	size_t at, width, n;

	json_open(json, "entries", '[');
	for (at = 0; (width = entry_width(tree, map, at)) != 0; at += width) {
		target = by_phandle(tree, cell(cells, at + 1));
		json_open(json, NULL, '{');
		json_hex(json, "rid_base", cell(cells, at));
		path_print(json, "target", target);
		json_open(json, "out", '[');
		for (n = 2; n < width - 1; n++)
			json_hex(json, NULL, cell(cells, at + n));
		json_close(json, ']');
		json_hex(json, "length", cell(cells, at + width - 1));
		if (target && has(tree, target, "#iommu-cells"))
			json_number(json, "target_iommu_cells",
				    u32_or(tree, target, "#iommu-cells", 0));
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void map_print(const struct tree *tree, struct json *json,
		      const struct node *node, const char *name)
{
	const char *type = string_at(tree, node, "device_type", 0);
	struct map map = map_of(tree, node, name);
	struct cells buses = cells_of(tree, node, "bus-range");
	char mask[24];

	snprintf(mask, sizeof(mask), "%s-mask", name);
	json_open(json, NULL, '{');
	json_string(json, "path", node->path);
	json_string(json, "prop", name);
	if (type)
		json_string(json, "device_type", type);
	else
		json_null(json, "device_type");
	status_print(json, node);
	json_bool(json, "enabled", node->is_enabled);
	entries_print(tree, json, &map);
	json_number(json, "cells_total", map.cells.nr);
	if (has(tree, node, "linux,pci-domain"))
		json_number(json, "pci_domain",
			    u32_or(tree, node, "linux,pci-domain", 0));
	if (buses.nr >= 2) {
		json_open(json, "bus_range", '[');
		json_number(json, NULL, cell(&buses, 0));
		json_number(json, NULL, cell(&buses, 1));
		json_close(json, ']');
	}
	if (has(tree, node, mask))
		json_hex(json, "mask", u32_or(tree, node, mask, 0));
	json_close(json, '}');
}

/* ---- reserved memory ---- */

static bool is_reserved(const struct tree *tree, const struct node *node)
{
	const struct node *parent = &tree->nodes[node->parent];

	return node != parent && !strcmp(parent->path, "/reserved-memory");
}

static void users_print(const struct tree *tree, struct json *json,
			const struct node *region)
{
	struct cells regions;
	bool is_open = false;
	size_t i, n;

	for (i = 0; region->phandle && i < tree->nr; i++) {
		regions = cells_of(tree, &tree->nodes[i], "memory-region");
		for (n = 0; n < regions.nr; n++)
			if (cell(&regions, n) == region->phandle)
				break;
		if (n == regions.nr)
			continue;
		if (!is_open)
			json_open(json, "used_by", '[');
		is_open = true;
		json_string(json, NULL, tree->nodes[i].path);
	}
	if (is_open)
		json_close(json, ']');
}

static void reserved_print(const struct tree *tree, struct json *json,
			   const struct node *node)
{
	struct cells size = cells_of(tree, node, "size");

	json_open(json, NULL, '{');
	json_string(json, "path", node->path);
	status_print(json, node);
	reg_print(tree, json, node);
	json_bool(json, "no_map", has(tree, node, "no-map"));
	json_bool(json, "reusable", has(tree, node, "reusable"));
	if (has(tree, node, "compatible"))
		strings_print(tree, json, node, "compatible", "compatible");
	if (size.cells)
		json_hex(json, "dynamic_size", number(&size, 0, size.nr));
	users_print(tree, json, node);
	json_close(json, '}');
}

/* ---- summary ---- */

struct summary {
	size_t iommus, pmcg, arm, arm_enabled, v2, v3;
	size_t masters, of_arm, of_arm_enabled, specs, distinct;
	size_t maps, entries, masks, reserved, no_map, addresses, old;
};

static int spec_compare(const void *a, const void *b)
{
	return memcmp(a, b, 3 * sizeof(uint32_t));
}

/* Which stream specifiers of Arm's there are, and how many differ. */
static void specs_count(const struct tree *tree, struct summary *sum)
{
	uint32_t(*specs)[3] = NULL, *spec_of;
	struct specifier spec;
	struct cells iommus;
	size_t i, at, room = 0;

	for (i = 0; i < tree->nr; i++) {
		iommus = cells_of(tree, &tree->nodes[i], "iommus");
		for (at = 0; specifier_next(tree, &iommus, &at, &spec);) {
			if (!is_arm(spec.iommu))
				continue;
			if (sum->specs == room) {
				room = room ? 2 * room : 64;
				specs = realloc(specs, room * sizeof(*specs));
				if (!specs)
					take((size_t)-1);
			}
			spec_of = specs[sum->specs++];
			spec_of[0] = spec.iommu->phandle;
			spec_of[1] =
				spec.nr_args ? cell(&iommus, spec.args) : 0;
			spec_of[2] = spec.nr_args > 1
					     ? cell(&iommus, spec.args + 1)
					     : 0;
		}
	}
	if (sum->specs)
		qsort(specs, sum->specs, sizeof(*specs), spec_compare);
	for (i = 0; i < sum->specs; i++)
		sum->distinct += !i || spec_compare(specs[i], specs[i - 1]);
	free(specs);
}

static void masters_count(const struct tree *tree, const struct node *node,
			  struct summary *sum)
{
	struct cells iommus = cells_of(tree, node, "iommus");
	struct specifier spec;
	bool of_arm = false;
	size_t at = 0;

	while (specifier_next(tree, &iommus, &at, &spec))
		of_arm |= is_arm(spec.iommu);
	sum->masters += iommus.cells != NULL;
	sum->of_arm += of_arm;
	sum->of_arm_enabled += of_arm && node->is_enabled;
}

static void maps_count(const struct tree *tree, const struct node *node,
		       struct summary *sum)
{
	struct map map = map_of(tree, node, "iommu-map");
	size_t at, width;

	sum->maps += map.cells.cells != NULL;
	sum->masks += has(tree, node, "iommu-map-mask");
	for (at = 0; (width = entry_width(tree, &map, at)) != 0; at += width)
		sum->entries++;
}

static void node_count(const struct tree *tree, const struct node *node,
		       struct summary *sum)
{
	sum->pmcg += is_like(tree, node, "arm,smmu-v3-pmcg");
	if (node->family) {
		sum->iommus++;
		sum->arm += is_arm(node);
		sum->arm_enabled += is_arm(node) && node->is_enabled;
		sum->v2 += !strcmp(node->family, "smmu-v2");
		sum->v3 += !strcmp(node->family, "smmu-v3");
	}
	masters_count(tree, node, sum);
	maps_count(tree, node, sum);
	sum->old += has(tree, node, "mmu-masters");
	if (!is_reserved(tree, node))
		return;
	sum->reserved++;
	sum->no_map += has(tree, node, "no-map");
	sum->addresses += has(tree, node, "iommu-addresses");
}

static int name_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void families_print(const struct tree *tree, struct json *json)
{
	const char **names = take(tree->nr * sizeof(*names));
	size_t i, nr = 0;

	for (i = 0; i < tree->nr; i++)
		if (tree->nodes[i].family)
			names[nr++] = tree->nodes[i].family;
	qsort(names, nr, sizeof(*names), name_compare);
	json_open(json, "families", '[');
	for (i = 0; i < nr; i++)
		if (!i || strcmp(names[i], names[i - 1]))
			json_string(json, NULL, names[i]);
	json_close(json, ']');
	free(names);
}

static void summary_print(const struct tree *tree, struct json *json)
{
	struct summary sum = { 0 };
	size_t i;

	for (i = 0; i < tree->nr; i++)
		node_count(tree, &tree->nodes[i], &sum);
	specs_count(tree, &sum);
	json_open(json, "summary", '{');
	json_number(json, "iommus_total", sum.iommus);
	json_number(json, "pmcg", sum.pmcg);
	json_number(json, "arm_smmu", sum.arm);
	json_number(json, "arm_smmu_enabled", sum.arm_enabled);
	json_number(json, "smmu_v2", sum.v2);
	json_number(json, "smmu_v3", sum.v3);
	families_print(tree, json);
	json_number(json, "masters", sum.masters);
	json_number(json, "masters_of_arm_smmu", sum.of_arm);
	json_number(json, "masters_of_arm_smmu_enabled", sum.of_arm_enabled);
	json_number(json, "stream_specs_arm", sum.specs);
	json_number(json, "distinct_stream_specs_arm", sum.distinct);
	json_number(json, "iommu_maps", sum.maps);
	json_number(json, "iommu_map_entries", sum.entries);
	json_number(json, "iommu_map_mask", sum.masks);
	json_number(json, "reserved", sum.reserved);
	json_number(json, "reserved_no_map", sum.no_map);
	json_number(json, "reserved_iommu_addresses", sum.addresses);
	json_number(json, "mmu_masters", sum.old);
	json_number(json, "malformed", 0);
	json_close(json, '}');
}

/* ---- the whole ---- */

static void reserve_map_print(const struct tree *tree, struct json *json)
{
	uint64_t address, size;
	int n;

	json_open(json, "memreserve", '[');
	for (n = 0; n < fdt_num_mem_rsv(tree->fdt); n++) {
		if (fdt_get_mem_rsv(tree->fdt, n, &address, &size))
			break;
		json_open(json, NULL, '[');
		json_hex(json, NULL, address);
		json_hex(json, NULL, size);
		json_close(json, ']');
	}
	json_close(json, ']');
}

static void head_print(const struct tree *tree, struct json *json)
{
	const char *model = string_at(tree, tree->nodes, "model", 0);

	if (model)
		json_string(json, "model", model);
	else
		json_null(json, "model");
	strings_print(tree, json, tree->nodes, "compatible", "compatible");
	json_number(json, "fdt_version", fdt_version(tree->fdt));
	json_number(json, "fdt_totalsize", fdt_totalsize(tree->fdt));
	reserve_map_print(tree, json);
	summary_print(tree, json);
}

static void tree_print(const struct tree *tree, struct json *json)
{
	const struct node *node, *end = tree->nodes + tree->nr;

	head_print(tree, json);
	json_open(json, "iommus", '[');
	for (node = tree->nodes; node < end; node++)
		if (node->family)
			iommu_print(tree, json, node);
	json_close(json, ']');
	json_open(json, "masters", '[');
	for (node = tree->nodes; node < end; node++)
		if (has(tree, node, "iommus"))
			master_print(tree, json, node);
	json_close(json, ']');
	json_open(json, "maps", '[');
	for (node = tree->nodes; node < end; node++) {
		if (has(tree, node, "iommu-map"))
			map_print(tree, json, node, "iommu-map");
		if (has(tree, node, "msi-map"))
			map_print(tree, json, node, "msi-map");
	}
	json_close(json, ']');
	json_open(json, "reserved_memory", '[');
	for (node = tree->nodes; node < end; node++)
		if (is_reserved(tree, node))
			reserved_print(tree, json, node);
	json_close(json, ']');
}

/* After a scan: only what the library takes is walked. */
bool raw_dtb(struct table *table, struct json *json)
{
	struct tree tree = { .fdt = table->data };
	bool is_good = tree_load(&tree);
	size_t i;

	if (is_good) {
		raw_begin(table, json);
		tree_print(&tree, json);
		json_close(json, '}');
	} else {
		table->status = INSPECT_MALFORMED;
		snprintf(table->error, sizeof(table->error),
			 "the nodes are nested too deeply");
	}
	for (i = 0; i < tree.nr; i++)
		free(tree.nodes[i].path);
	free(tree.nodes);
	return is_good;
}

#else

bool raw_dtb(struct table *table, struct json *json)
{
	(void)json;
	table->status = INSPECT_UNKNOWN;
	snprintf(table->error, sizeof(table->error),
		 "built without this scanner");
	return false;
}

#endif
