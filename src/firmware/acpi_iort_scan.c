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

#define SMMUV3_ALIGN 0x10000u
#define SMMUV2_ALIGN 0x1000u

/* Values of an SMMUv3 node's model. */
#define MODEL_CAVIUM_CN99XX 2 /* its second register page is not where it is */

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

/* A unit whose registers can't be there is off: its masters untranslated. */
static void registers_judge(struct iort_scan *scan, struct desc_unit *unit,
			    uint64_t align)
{
	if (unit->base && !(unit->base & (align - 1)))
		return;
	unit->disabled = 1;
	acpi_remark(&scan->scan, unit->fw_id,
		    unit->base ? "a unit whose registers can't be there: left "
				 "out, its devices are untranslated"
			       : "a unit without registers (base 0): left "
				 "out, its devices are untranslated");
}

static void irq_add(struct desc_unit *unit, enum iommuabs_unit_irq_which which,
		    uint32_t gsiv)
{
	if (!gsiv)
		return;
	unit->irqs[unit->nr_irqs++] = (struct iommuabs_irq){
		.which = which,
		.number = gsiv,
		.edge = 1, /* IHI 0070, 3.18: SMMUv3's wired ones are */
	};
}

static void smmuv3_describe(struct iort_scan *scan,
			    const struct iort_node *node,
			    struct desc_unit *unit)
{
	struct iort_smmuv3 smmu;

	iort_smmuv3(node, &smmu);
	unit->base = smmu.base;
	if (smmu.flags & IORT_SMMUV3_COHACC)
		unit->flags |= IOMMUABS_UNIT_COHERENT;
	irq_add(unit, IOMMUABS_IRQ_EVENT, smmu.event);
	irq_add(unit, IOMMUABS_IRQ_ERROR, smmu.gerror);
	irq_add(unit, IOMMUABS_IRQ_SYNC, smmu.sync);
	irq_add(unit, IOMMUABS_IRQ_PRI, smmu.pri);
	registers_judge(scan, unit, SMMUV3_ALIGN);
	if (smmu.model == MODEL_CAVIUM_CN99XX) {
		unit->type = IOMMUABS_UNIT_OTHER;
		acpi_remark(&scan->scan, unit->fw_id,
			    "a model whose registers are not SMMUv3's");
	}
}

static void smmu_describe(struct iort_scan *scan, const struct iort_node *node,
			  struct desc_unit *unit)
{
	struct iort_interrupt interrupt;
	struct iort_smmu smmu;

	iort_smmu(node, &smmu);
	unit->base = smmu.base;
	unit->length = smmu.span;
	if (smmu.flags & 2) /* coherent page table walk */
		unit->flags |= IOMMUABS_UNIT_COHERENT;
	registers_judge(scan, unit, SMMUV2_ALIGN);
	if (!smmu.span && !unit->disabled)
		acpi_remark(&scan->scan, unit->fw_id, "registers of no size");
	if (!iort_interrupt(node, smmu.global, 0, &interrupt) ||
	    (smmu.nr_context &&
	     !iort_interrupt(node, smmu.context, smmu.nr_context - 1,
			     &interrupt)) ||
	    (smmu.nr_pmu &&
	     !iort_interrupt(node, smmu.pmu, smmu.nr_pmu - 1, &interrupt)))
		acpi_remark(&scan->scan, unit->fw_id,
			    "interrupts that are not all in the node");
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
	target->unit =
		acpi_unit_add(&scan->scan,
			      node->type == IORT_SMMU ? IOMMUABS_UNIT_SMMUV2
						      : IOMMUABS_UNIT_SMMUV3,
			      node->span.offset);
	if (!target->unit)
		return IOMMUABS_E_NOMEM;
	if (node->type == IORT_SMMU)
		smmu_describe(scan, node, target->unit);
	else
		smmuv3_describe(scan, node, target->unit);
	return 0;
}

/* ---- mappings ---- */

/*
 * The @n-th mapping and where it leads. Return: 1 | 0 (nowhere; remarked upon) |
 * E_FIRMWARE.
 */
static int mapping_get(struct iort_scan *scan, const struct iort_node *node,
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

/* Which of an SMMU's ids end at an ITS: one gapless range, or none is sure. */
static int smmu_messages(struct iort_scan *scan, const struct iort_node *node,
			 struct iort_target *unit)
{
	struct iort_mapping mapping = { 0 };
	struct iort_target *target = NULL;
	uint64_t end;
	uint32_t n;
	int ret;

	for (n = 0; n < node->nr_mappings; n++) {
		ret = mapping_get(scan, node, n, &mapping, &target);
		if (ret < 0)
			return ret;
		if (ret && target->unit)
			acpi_remark(&scan->scan, node->span.offset,
				    "a mapping from an SMMU to an SMMU: "
				    "left out");
		if (!ret || target->unit || (mapping.flags & IORT_SINGLE))
			continue;
		end = (uint64_t)mapping.input + mapping.last;
		if (!unit->its_nr || mapping.input < unit->its_first)
			unit->its_first = mapping.input;
		unit->its_last = IA_MAX(unit->its_last, end);
		unit->its_nr += (uint64_t)mapping.last + 1;
	}
	return 0;
}

static bool ends_at_its(const struct iort_target *target,
			const struct iort_mapping *mapping)
{
	uint64_t last = (uint64_t)mapping->output + mapping->last;

	if (target->is_its)
		return true;
	return target->its_nr &&
	       target->its_nr == target->its_last - target->its_first + 1 &&
	       mapping->output >= target->its_first && last <= target->its_last;
}

/* ---- named components ---- */

static int component_streams(struct iort_scan *scan,
			     const struct iort_node *node,
			     struct iort_pieces *pieces)
{
	struct iort_piece piece = { .offset = node->span.offset };
	struct iort_mapping mapping = { 0 };
	struct iort_target *target = NULL;
	uint32_t n;
	int ret = 0;

	for (n = 0; n < node->nr_mappings && ret >= 0; n++) {
		ret = mapping_get(scan, node, n, &mapping, &target);
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
	ret = component_streams(scan, node, &pieces);
	iort_pieces_join(scan, &pieces);
	for (piece = pieces.first; piece && !ret; piece = piece->next)
		ret = iort_stream_add(scan, device, &tail, piece);
	iort_pieces_free(scan, &pieces);
	return ret;
}

/* ---- root complexes ---- */

static int segment_get(struct iort_scan *scan, const struct iort_node *node,
		       struct iort_segment **out)
{
	struct iort_root_complex complex;
	struct iort_segment *segment;
	struct acpi_entry *entry;

	iort_root_complex(node, &complex);
	if (complex.segment > 0xffff)
		return acpi_fail(&scan->scan, node->span.offset,
				 "no such PCI segment");
	entry = acpi_index_get(&scan->scan, &scan->segments, complex.segment);
	if (!entry)
		return IOMMUABS_E_NOMEM;
	if (!entry->value) {
		segment = tablemem_object_alloc(scan->scan.set->mem,
						sizeof(*segment));
		if (!segment)
			return IOMMUABS_E_NOMEM;
		segment->offset = node->span.offset;
		entry->value = segment;
	}
	*out = entry->value;
	return 0;
}

/* False: no requester ID is in it. */
static bool rids_trim(struct iort_scan *scan, const struct iort_node *node,
		      const struct iort_mapping *mapping,
		      struct iort_piece *piece)
{
	piece->first = mapping->output;
	piece->nr = (uint64_t)mapping->last + 1;
	piece->rid = mapping->flags & IORT_SINGLE ? 0 : mapping->input;
	if (piece->rid >= IORT_RIDS) {
		acpi_remark(&scan->scan, node->span.offset,
			    "a mapping of what is no requester ID: left out");
		return false;
	}
	if (piece->rid + piece->nr <= IORT_RIDS)
		return true;
	acpi_remark(&scan->scan, node->span.offset,
		    "a mapping of more than requester IDs: made shorter");
	piece->nr = IORT_RIDS - piece->rid;
	return true;
}

static int complex_take(struct iort_scan *scan, const struct iort_node *node)
{
	struct iort_piece piece = { .offset = node->span.offset };
	struct iort_mapping mapping = { 0 };
	struct iort_target *target = NULL;
	struct iort_segment *segment = NULL;
	uint32_t n;
	int ret = segment_get(scan, node, &segment);

	for (n = 0; !ret && n < node->nr_mappings; n++) {
		ret = mapping_get(scan, node, n, &mapping, &target);
		if (ret < 0)
			return ret;
		if (!ret || !target->unit) {
			ret = 0;
			continue;
		}
		ret = 0;
		if (!rids_trim(scan, node, &mapping, &piece))
			continue;
		segment->single |= (mapping.flags & IORT_SINGLE) != 0;
		segment->unsafe |= !ends_at_its(target, &mapping);
		piece.unit = target->unit;
		ret = iort_piece_add(scan, &segment->pieces, &piece);
	}
	return ret;
}

/*
 * No requester ID twice. Firmware that counts ids, and not ids less one, maps one
 * too many: the next mapping knows better. Otherwise the first has it.
 */
static void rids_separate(struct iort_scan *scan, struct iort_segment *segment)
{
	struct iort_piece *piece = segment->pieces.first, *next;
	uint64_t end;

	while (piece && (next = piece->next) != NULL) {
		scan->scan.set->work++;
		end = piece->rid + piece->nr;
		if (end <= next->rid) {
			piece = next;
			continue;
		}
		if (end == (uint64_t)next->rid + 1 && piece->nr > 1) {
			acpi_remark(&scan->scan, piece->offset,
				    "a mapping of one id too many");
			piece->nr--;
			continue;
		}
		acpi_remark(&scan->scan, next->offset,
			    "a requester ID that is mapped twice: the "
			    "second time left out");
		if (next->rid + next->nr <= end) {
			piece->next = next->next;
			tablemem_object_free(scan->scan.set->mem, next,
					     sizeof(*next));
			continue;
		}
		next->first += end - next->rid;
		next->nr -= end - next->rid;
		next->rid = (uint32_t)end;
	}
}

static struct desc_device *range_add(struct iort_scan *scan,
				     const struct iort_segment *segment,
				     uint32_t pci)
{
	struct desc_device *device =
		tablemem_object_alloc(scan->scan.set->mem, sizeof(*device));

	if (!device)
		return NULL;
	device->next = *scan->last_range;
	*scan->last_range = device;
	if (scan->scan.last_device == scan->last_range)
		scan->scan.last_device = &device->next;
	scan->last_range = &device->next;
	device->fw_id = segment->offset;
	device->pci = pci;
	device->partial = segment->partial;
	device->flags = IOMMUABS_DEVICE_PCI;
	if (!segment->shared)
		device->flags |= IOMMUABS_DEVICE_RANGE;
	if (segment->unsafe)
		device->flags |= IOMMUABS_DEVICE_UNSAFE_MSI;
	return device;
}

/* Are there requester IDs that no unit is told about? */
static bool segment_is_partial(const struct iort_segment *segment)
{
	const struct iort_piece *piece;
	uint64_t nr = 0;

	for (piece = segment->pieces.first; piece; piece = piece->next)
		nr += piece->nr;
	return nr < IORT_RIDS && !segment->single;
}

/*
 * What has no id twice is sorted by requester ID again. Functions that can't be
 * told apart are untranslated, all of them, where no unit sees some of them.
 */
static void segment_order(struct iort_scan *scan, struct iort_segment *segment)
{
	iort_pieces_sort_by_rid(scan, &segment->pieces);
	rids_separate(scan, segment);
	segment->partial = segment_is_partial(segment);
	segment->shared = segment->single;
	if (iort_pieces_share(scan, &segment->pieces)) {
		segment->shared = true;
		acpi_remark(&scan->scan, segment->offset,
			    "functions that share an id: one device");
	}
	if (segment->shared && segment->partial)
		iort_pieces_free(scan, &segment->pieces);
	else if (segment->shared)
		iort_pieces_join(scan, &segment->pieces);
	else
		iort_pieces_sort_by_rid(scan, &segment->pieces);
}

/* One device for a segment, or more where its streams don't fit into one. */
static int segment_settle(struct iort_scan *scan, uint32_t number,
			  struct iort_segment *segment)
{
	struct iort_tail tail = { 0 };
	struct iort_piece *piece;
	struct desc_device *device;
	int ret = 0;

	segment_order(scan, segment);
	device = range_add(scan, segment, number * IORT_RIDS);
	for (piece = segment->pieces.first; device && piece && !ret;
	     piece = piece->next) {
		if (tail.nr == IOMMUABS_STREAM_RANGES_MAX && !segment->shared) {
			device->nr_pci = piece->rid - (device->pci & 0xffff);
			device = range_add(scan, segment,
					   number * IORT_RIDS + piece->rid);
			tail = (struct iort_tail){ 0 };
			if (!device)
				break;
		}
		ret = iort_stream_add(scan, device, &tail, piece);
	}
	if (!device)
		return IOMMUABS_E_NOMEM;
	device->nr_pci = IORT_RIDS - (device->pci & 0xffff);
	return ret;
}

/* ---- reserved memory ---- */

static int memory_take(struct iort_scan *scan, const struct iort_node *node)
{
	struct iort_piece piece = { .offset = node->span.offset };
	struct iort_mapping mapping = { 0 };
	struct iort_target *target = NULL;
	uint32_t n;
	int ret = 0;

	for (n = 0; n < node->nr_mappings && ret >= 0; n++) {
		ret = mapping_get(scan, node, n, &mapping, &target);
		if (ret <= 0 || !target->unit)
			continue;
		piece.unit = target->unit;
		piece.first = mapping.output;
		piece.nr = (uint64_t)mapping.last + 1;
		ret = iort_piece_add(scan, &scan->memory, &piece);
	}
	return ret < 0 ? ret : 0;
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
		return complex_take(scan, node);
	case IORT_RMR:
		return memory_take(scan, node);
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
		ret = segment_settle(scan, entry->key, entry->value);
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
