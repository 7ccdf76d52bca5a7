/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi_iort_scan.c - units and devices of an IORT
 *
 * Arm DEN 0049: a mapping takes the ids [input, input + last] of its node to
 * [output, output + last] of the node that it refers to. From a root complex or a
 * named component the way leads to an SMMU or, past all units, to an ITS group;
 * from an SMMU to an ITS group and no further, so that there are no cycles.
 */
#include "acpi_iort_scan.h"

#if IOMMUABS_CONFIG_ACPI

/* ---- nodes ---- */

/* @take for each node that the table has, at most as many as it says. */
static int walk(struct iort_scan *scan,
		int (*take)(struct iort_scan *scan,
			    const struct iort_node *node))
{
	uint32_t at = scan->iort.first, n;
	struct iort_node node;
	const char *what = NULL;
	int ret = 0;

	for (n = 0; n < scan->iort.nr_nodes; n++) {
		ret = iort_next(&scan->iort, &at, &node, &what);
		if (ret < 0)
			return acpi_fail(&scan->scan, at, what);
		if (!ret)
			return 0;
		scan->scan.set->work += node.span.length;
		ret = take(scan, &node);
		if (ret)
			return ret;
	}
	return 0;
}

static struct iort_target *target_of(struct iort_scan *scan, uint32_t offset)
{
	struct acpi_entry *entry =
		acpi_index_find(&scan->scan, &scan->targets, offset);

	return entry ? entry->value : NULL;
}

/* Every node can be referred to; an SMMU is a unit. */
static int node_learn(struct iort_scan *scan, const struct iort_node *node)
{
	const char *what = iort_check(node);
	struct iort_target *target;
	struct acpi_entry *entry;

	if (what)
		return acpi_fail(&scan->scan, node->span.offset, what);
	entry = acpi_index_get(&scan->scan, &scan->targets, node->span.offset);
	if (!entry)
		return IOMMUABS_E_NOMEM;
	target = tablemem_object_alloc(scan->scan.set->mem, sizeof(*target));
	if (!target)
		return IOMMUABS_E_NOMEM;
	entry->value = target;
	target->is_its = node->type == IORT_ITS_GROUP;
	if (node->type >= IORT_TYPES_)
		acpi_remark(&scan->scan, node->span.offset,
			    "a node of no known type: left out");
	if (node->type != IORT_SMMU && node->type != IORT_SMMUV3)
		return 0;
	target->unit = iort_unit_add(scan, node);
	return target->unit ? 0 : IOMMUABS_E_NOMEM;
}

/* ---- mappings ---- */

int iort_mapping_get(struct iort_scan *scan, const struct iort_node *node,
		     uint32_t n, struct iort_mapping *mapping,
		     struct iort_target **target)
{
	uint32_t offset = node->span.offset;

	scan->scan.set->work++;
	(void)iort_mapping(node, n, mapping);
	if (mapping->flags & IORT_SINGLE)
		mapping->last = 0;
	if (mapping->last > 0xffffffff - mapping->output)
		return acpi_fail(&scan->scan, offset,
				 "a mapping to ids beyond 32 bits");
	if (!mapping->reference) {
		acpi_remark(&scan->scan, offset,
			    "a mapping to offset 0: left out");
		return 0;
	}
	*target = target_of(scan, mapping->reference);
	if (!*target)
		return acpi_fail(&scan->scan, offset,
				 "a mapping to where no node begins");
	if ((*target)->unit || (*target)->is_its)
		return 1;
	acpi_remark(&scan->scan, offset,
		    "a mapping to what is no SMMU and no ITS: left out");
	return 0;
}

/* With those of @unit's that meet or adjoin it, @ids is one range. */
static void its_ids_add(struct iort_target *unit, struct iort_ids ids)
{
	const struct iort_ids *at = unit->its;
	uint32_t n, nr = 0;

	for (n = 0; n < unit->nr_its; n++, at++) {
		if (at->first > (uint64_t)ids.last + 1 ||
		    ids.first > (uint64_t)at->last + 1) {
			unit->its[nr++] = *at;
			continue;
		}
		ids.first = IA_MIN(ids.first, at->first);
		ids.last = IA_MAX(ids.last, at->last);
	}
	if (nr < IORT_ITS_RANGES)
		unit->its[nr++] = ids;
	unit->nr_its = nr;
}

/* Which of an SMMU's ids end at an ITS. */
static int smmu_messages(struct iort_scan *scan, const struct iort_node *node,
			 struct iort_target *unit)
{
	struct iort_mapping mapping = { 0 };
	struct iort_target *target = NULL;
	struct iort_ids ids;
	uint32_t n;
	int ret;

	for (n = 0; n < node->nr_mappings; n++) {
		ret = iort_mapping_get(scan, node, n, &mapping, &target);
		if (ret < 0)
			return ret;
		if (ret && target->unit)
			acpi_remark(&scan->scan, node->span.offset,
				    "a mapping from an SMMU to an SMMU: "
				    "left out");
		if (!ret || target->unit || (mapping.flags & IORT_SINGLE))
			continue;
		ids.first = mapping.input;
		ids.last = ids.first + IA_MIN(mapping.last, ~mapping.input);
		its_ids_add(unit, ids);
	}
	return 0;
}

/* ---- named components ---- */

/* The ids at units that the mappings of @node lead to. */
static int node_streams(struct iort_scan *scan, const struct iort_node *node,
			struct iort_pieces *pieces)
{
	struct iort_piece piece = { .offset = node->span.offset };
	struct iort_mapping mapping = { 0 };
	struct iort_target *target = NULL;
	uint32_t n;
	int ret = 0;

	for (n = 0; n < node->nr_mappings && ret >= 0; n++) {
		ret = iort_mapping_get(scan, node, n, &mapping, &target);
		if (ret <= 0 || !target->unit)
			continue;
		piece.unit = target->unit;
		piece.first = mapping.output;
		piece.nr = (uint64_t)mapping.last + 1;
		ret = iort_piece_add(scan, pieces, &piece);
	}
	return ret < 0 ? ret : 0;
}

static int component_take(struct iort_scan *scan, const struct iort_node *node)
{
	struct desc_device *device = acpi_device_add(&scan->scan);
	struct iort_named_component component;
	struct iort_pieces pieces = { 0 };
	struct iort_tail tail = { 0 };
	struct iort_piece *piece;
	int ret;

	if (!device)
		return IOMMUABS_E_NOMEM;
	iort_named_component(node, &component);
	device->fw_id = node->span.offset;
	if (!acpi_path(device, node->span.data + component.name,
		       component.name_length))
		return acpi_fail(&scan->scan, node->span.offset,
				 "the name is too long");
	if (!component.name_length)
		acpi_remark(&scan->scan, node->span.offset,
			    "a component without a name");
	ret = node_streams(scan, node, &pieces);
	iort_pieces_join(scan, &pieces);
	for (piece = pieces.first; piece && !ret; piece = piece->next)
		ret = iort_stream_add(scan, device, &tail, piece);
	iort_pieces_free(scan, &pieces);
	return ret;
}

/* ---- the whole ---- */

static int messages_learn(struct iort_scan *scan, const struct iort_node *node)
{
	if (node->type != IORT_SMMU && node->type != IORT_SMMUV3)
		return 0;
	return smmu_messages(scan, node, target_of(scan, node->span.offset));
}

static int node_take(struct iort_scan *scan, const struct iort_node *node)
{
	switch (node->type) {
	case IORT_NAMED_COMPONENT:
		return component_take(scan, node);
	case IORT_ROOT_COMPLEX:
		return iort_complex_take(scan, node);
	case IORT_RMR:
		return node_streams(scan, node, &scan->memory);
	default:
		return 0;
	}
}

static int scan_run(struct iort_scan *scan)
{
	struct acpi_entry *entry;
	int ret = walk(scan, node_learn);

	if (!ret)
		ret = walk(scan, messages_learn);
	if (!ret)
		ret = walk(scan, node_take);
	for (entry = scan->segments.first; entry && !ret; entry = entry->next)
		ret = iort_segment_settle(scan, entry->key, entry->value);
	if (!ret)
		ret = desc_unite(scan->scan.set);
	/* The last device may be one that has gone into another. */
	scan->scan.last_device = &scan->scan.set->devices;
	while (*scan->scan.last_device)
		scan->scan.last_device = &(*scan->scan.last_device)->next;
	return ret ? ret : iort_memory_settle(scan);
}

static void scan_free(struct iort_scan *scan)
{
	struct tablemem *mem = scan->scan.set->mem;
	struct iort_segment *segment;
	struct acpi_entry *entry;

	for (entry = scan->targets.first; entry; entry = entry->next)
		if (entry->value)
			tablemem_object_free(mem, entry->value,
					     sizeof(struct iort_target));
	for (entry = scan->segments.first; entry; entry = entry->next) {
		segment = entry->value;
		if (!segment)
			continue;
		iort_pieces_free(scan, &segment->pieces);
		tablemem_object_free(mem, segment, sizeof(*segment));
	}
	acpi_index_free(&scan->scan, &scan->targets);
	acpi_index_free(&scan->scan, &scan->segments);
	iort_pieces_free(scan, &scan->plain);
	iort_pieces_free(scan, &scan->ranges);
	iort_pieces_free(scan, &scan->memory);
}

/* Counts that lie and nodes that are out of line harm nobody. */
static void header_judge(struct iort_scan *scan)
{
	uint32_t at = scan->iort.first, n = 0;
	bool is_aligned = !(at & 3);
	struct iort_node node;
	const char *what;
	int ret = 0;

	if (!scan->iort.table.checksum_good)
		acpi_remark(&scan->scan, 9, "the checksum is wrong");
	if (scan->iort.table.size > scan->iort.table.span.length)
		acpi_remark(&scan->scan, 4, "bytes after the table's end");
	while (n < scan->iort.nr_nodes &&
	       (ret = iort_next(&scan->iort, &at, &node, &what)) > 0) {
		is_aligned &= !(at & 3);
		n++;
	}
	if (!is_aligned)
		acpi_remark(&scan->scan, scan->iort.first,
			    "nodes that are not aligned to 4 bytes");
	if (n < scan->iort.nr_nodes && !ret)
		acpi_remark(&scan->scan, 36, "fewer nodes than the count says");
	else if (n && ret >= 0 && at < scan->iort.table.span.length)
		acpi_remark(&scan->scan, at, "bytes after the last node");
	else if (!scan->iort.nr_nodes &&
		 scan->iort.table.span.length > IORT_FIRST)
		acpi_remark(&scan->scan, 36, "no node, the count says");
	scan->scan.set->work += scan->iort.table.span.length;
}

int desc_scan_iort(struct desc_set *set, const void *table, size_t size)
{
	struct iort_scan scan = { .last_range = &set->devices };
	const char *what;
	int ret;

	if (!table)
		return IOMMUABS_E_INVAL;
	acpi_scan_begin(&scan.scan, set, "IORT");
	ret = iort_open(table, size, &scan.iort, &what);
	if (ret)
		return acpi_fail(&scan.scan, 0, what);
	header_judge(&scan);
	ret = scan_run(&scan);
	scan_free(&scan);
	return ret;
}

#endif
