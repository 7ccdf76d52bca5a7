/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dt_walk.c - from token to token of a flattened device tree
 *
 * libfdt is asked for one token after the other: its functions that look for
 * something start at the root each time.
 */
#include "dt.h"

#if IOMMUABS_CONFIG_FDT

_Static_assert(sizeof(struct dt_node) <= TABLEMEM_OBJECT_MAX, "a small object");

struct name {
	const char *text;
	uint32_t size; /* with the final 0 */
};

#define NAME(text)                 \
	{                          \
		text, sizeof(text) \
	}

static const struct name names[DT_NAMES_] = {
	[DT_ADDRESS_CELLS] = NAME("#address-cells"),
	[DT_BUS_RANGE] = NAME("bus-range"),
	[DT_CAVIUM_PAGE0] = NAME("cavium,cn9900-broken-page1-regspace"),
	[DT_COMPATIBLE] = NAME("compatible"),
	[DT_DEVICE_TYPE] = NAME("device_type"),
	[DT_DMA_COHERENT] = NAME("dma-coherent"),
	[DT_DMA_NONCOHERENT] = NAME("dma-noncoherent"),
	[DT_INTERRUPT_CELLS] = NAME("#interrupt-cells"),
	[DT_INTERRUPT_MAP] = NAME("interrupt-map"),
	[DT_INTERRUPT_MAP_MASK] = NAME("interrupt-map-mask"),
	[DT_INTERRUPT_NAMES] = NAME("interrupt-names"),
	[DT_INTERRUPT_PARENT] = NAME("interrupt-parent"),
	[DT_INTERRUPTS] = NAME("interrupts"),
	[DT_INTERRUPTS_EXTENDED] = NAME("interrupts-extended"),
	[DT_IOMMU_ADDRESSES] = NAME("iommu-addresses"),
	[DT_IOMMU_CELLS] = NAME("#iommu-cells"),
	[DT_IOMMU_MAP] = NAME("iommu-map"),
	[DT_IOMMU_MAP_MASK] = NAME("iommu-map-mask"),
	[DT_IOMMUS] = NAME("iommus"),
	[DT_LINUX_PHANDLE] = NAME("linux,phandle"),
	[DT_MSI_CELLS] = NAME("#msi-cells"),
	[DT_MSI_CONTROLLER] = NAME("msi-controller"),
	[DT_MSI_MAP] = NAME("msi-map"),
	[DT_MSI_PARENT] = NAME("msi-parent"),
	[DT_PCI_DOMAIN] = NAME("linux,pci-domain"),
	[DT_PHANDLE] = NAME("phandle"),
	[DT_RANGES] = NAME("ranges"),
	[DT_REG] = NAME("reg"),
	[DT_SIZE_CELLS] = NAME("#size-cells"),
	[DT_STATUS] = NAME("status"),
};

int dt_fail(struct dt_scan *scan, enum dt_name name, const char *what)
{
	hostif_format(scan->set->error, sizeof(scan->set->error), "%s: %s: %s",
		      scan->path[0] ? scan->path : "/", names[name].text, what);
	return IOMMUABS_E_FIRMWARE;
}

static int fail_at(struct dt_scan *scan, int offset, const char *what)
{
	hostif_format(scan->set->error, sizeof(scan->set->error),
		      "%s (offset 0x%x of the structure): %s",
		      scan->path[0] ? scan->path : "/", (unsigned int)offset,
		      what);
	return IOMMUABS_E_FIRMWARE;
}

/*
 * DT_NAMES_: none that matters. A name is not looked at beyond the longest that
 * matters: many properties may share one very long name.
 */
static enum dt_name name_at(const struct dt_scan *scan, uint32_t offset)
{
	uint32_t left = fdt_size_dt_strings(scan->fdt) - offset;
	const char *text = (const char *)scan->fdt +
			   fdt_off_dt_strings(scan->fdt) + offset;
	unsigned int i;

	for (i = 0; i < DT_NAMES_; i++)
		if (names[i].size <= left && names[i].text[0] == text[0] &&
		    !__builtin_memcmp(names[i].text, text, names[i].size))
			break;
	return (enum dt_name)i;
}

/* The first of a name counts, as it does for libfdt. */
static int take_property(struct dt_scan *scan, struct dt_node *node, int offset,
			 int next)
{
	const struct fdt_property *prop =
		fdt_offset_ptr(scan->fdt, offset, sizeof(*prop));
	uint32_t room = (uint32_t)(next - offset), size, name_offset;
	enum dt_name name;

	if (!prop || room < sizeof(*prop))
		return fail_at(scan, offset, "a property is cut");
	size = fdt32_ld(&prop->len);
	name_offset = fdt32_ld(&prop->nameoff);
	if (size > room - sizeof(*prop))
		return fail_at(scan, offset, "a property is too long");
	if (name_offset >= fdt_size_dt_strings(scan->fdt))
		return fail_at(scan, offset, "a property's name is nowhere");
	name = name_at(scan, name_offset);
	if (name != DT_NAMES_ && !node->props[name].data) {
		node->props[name].data = prop->data;
		node->props[name].size = size;
	}
	return 0;
}

/* A path goes into logs and is compared: nothing unprintable, no slash. */
static bool name_is_good(const char *name)
{
	if (!*name)
		return false;
	for (; *name; name++)
		if (*name <= ' ' || *name > '~' || *name == '/')
			return false;
	return true;
}

static void path_push(struct dt_scan *scan, struct dt_node *node,
		      const char *name)
{
	uint32_t at = node->path_length;

	if (at < sizeof(scan->path) - 1)
		scan->path[at++] = '/';
	while (at < sizeof(scan->path) - 1 && *name)
		scan->path[at++] = *name++;
	scan->path[at] = '\0';
	node->path_cut |= *name != '\0';
	node->path_length = at;
}

static struct dt_node *node_alloc(struct dt_scan *scan, struct dt_node *parent)
{
	struct dt_node **slot = parent ? &parent->below : &scan->root;

	if (!*slot)
		*slot = tablemem_object_alloc(scan->set->mem, sizeof(**slot));
	return *slot;
}

static int node_enter(struct dt_scan *scan, struct dt_node **at, int offset)
{
	struct dt_node *parent = *at, *node;
	const char *name = fdt_offset_ptr(scan->fdt, offset + FDT_TAGSIZE, 1);

	if (!name || (parent && !name_is_good(name)))
		return fail_at(scan, offset, "a node's name is malformed");
	if (parent && parent->depth == DT_DEPTH_MAX)
		return fail_at(scan, offset, "nodes are nested too deeply");
	node = node_alloc(scan, parent);
	if (!node)
		return IOMMUABS_E_NOMEM;
	*node = (struct dt_node){ .parent = parent, .below = node->below };
	scan->path[0] = parent ? scan->path[0] : '\0';
	if (parent) {
		node->depth = parent->depth + 1;
		node->path_length = parent->path_length;
		node->path_cut = parent->path_cut;
		path_push(scan, node, name);
	}
	scan->nr_nodes++;
	*at = node;
	return 0;
}

/* All properties of @node are known: a child or its end follows. */
static int node_complete(struct dt_scan *scan, struct dt_node *node,
			 dt_visit visit)
{
	const struct dt_prop *status = &node->props[DT_STATUS];

	if (node->complete)
		return 0;
	node->complete = true;
	node->enabled =
		(!node->parent || node->parent->enabled) &&
		(!status->data || dt_string_is(scan, status, 0, "okay") ||
		 dt_string_is(scan, status, 0, "ok"));
	return visit(scan, node);
}

static int token(struct dt_scan *scan, struct dt_node **at, uint32_t tag,
		 const int offsets[2], dt_visit visit)
{
	struct dt_node *node = *at;
	int ret = 0;

	if (tag == FDT_NOP)
		return 0;
	if (tag == FDT_PROP && node && !node->complete)
		return take_property(scan, node, offsets[0], offsets[1]);
	if (node && (tag == FDT_BEGIN_NODE || tag == FDT_END_NODE))
		ret = node_complete(scan, node, visit);
	if (ret)
		return ret;
	if (tag == FDT_BEGIN_NODE && (node || !scan->nr_nodes))
		return node_enter(scan, at, offsets[0]);
	if (tag != FDT_END_NODE || !node)
		return fail_at(scan, offsets[0], "a token out of place");
	*at = node->parent;
	if (*at)
		scan->path[(*at)->path_length] = '\0';
	return 0;
}

int dt_walk(struct dt_scan *scan, dt_visit visit)
{
	struct dt_node *node = NULL;
	int offsets[2] = { 0, 0 }, ret = 0;
	uint32_t tag;

	scan->path[0] = '\0';
	scan->nr_nodes = 0;
	while (!ret) {
		tag = fdt_next_tag(scan->fdt, offsets[0], &offsets[1]);
		/* A length close to 2^32 can take libfdt backwards. */
		if (offsets[1] <= offsets[0])
			return fail_at(scan, offsets[0],
				       "the structure is cut or damaged");
		scan->set->work += (uint64_t)(offsets[1] - offsets[0]);
		if (tag == FDT_END && !node && scan->nr_nodes)
			return 0;
		ret = token(scan, &node, tag, offsets, visit);
		offsets[0] = offsets[1];
	}
	return ret;
}

void dt_nodes_free(struct dt_scan *scan)
{
	struct dt_node *node;

	while ((node = scan->root) != NULL) {
		scan->root = node->below;
		tablemem_object_free(scan->set->mem, node, sizeof(*node));
	}
}

#endif
