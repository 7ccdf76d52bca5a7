/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * null.c - a driver without hardware: the template for the next one
 *
 * It keeps a list: which stream uses which table. That is all a driver is for;
 * the rest of each function below says what a driver of real hardware does there.
 */
#include "../backend.h"
#include "../table_formats.h"

#if IOMMUABS_CONFIG_NULL

#define NULL_INPUT_BITS	 48
#define NULL_OUTPUT_BITS 48
#define NULL_ID_BITS	 16
#define NULL_STREAM_BITS 16

/*
 * Streams [first, first + nr) use @table; a stream in no entry is blocked. Where
 * entries overlap, the one set last counts: it is at the head of the list.
 */
struct null_entry {
	struct null_entry *next;
	uint32_t first, nr;
	uint8_t set; /* 0: reserved, blocked */
	struct backend_table table;
	uint32_t flags;
};

struct null_unit {
	struct null_entry *entries;
};

static struct null_unit *null_of(const struct backend_unit *unit)
{
	return unit->priv;
}

/* Real hardware: read the ID registers, write none. */
static int null_probe(struct backend_unit *unit)
{
	unit->priv = tablemem_object_alloc(unit->mem, sizeof(struct null_unit));
	if (!unit->priv)
		return IOMMUABS_E_NOMEM;
	unit->caps.stage2 = 1;
	unit->caps.coherent = 1;
	unit->caps.input_bits = NULL_INPUT_BITS;
	unit->caps.output_bits = NULL_OUTPUT_BITS;
	unit->caps.granules = 1u << 12;
	unit->caps.id_bits = NULL_ID_BITS;
	unit->caps.stream_bits = NULL_STREAM_BITS;
	unit->caps.bbml = 2;
	return 0;
}

static void null_release(struct backend_unit *unit)
{
	struct null_unit *null = null_of(unit);
	struct null_entry *entry;

	while ((entry = null->entries)) {
		null->entries = entry->next;
		tablemem_object_free(unit->mem, entry, sizeof(*entry));
	}
	tablemem_object_free(unit->mem, null, sizeof(*null));
	unit->priv = NULL;
}

/*
 * Real hardware: block by register, reset, point at the stream table and the
 * queues, invalidate everything, only then translate.
 */
static int null_enable(struct backend_unit *unit)
{
	port_store32(&unit->enabled, 1);
	return 0;
}

/* Real hardware: block by register, wait until that is acknowledged. */
static int null_disable(struct backend_unit *unit)
{
	port_store32(&unit->enabled, 0);
	return 0;
}

/* Real hardware: as fence(), without lock, clock or log. */
static int null_crash_block(struct backend_unit *unit)
{
	return null_disable(unit);
}

/* Real hardware: memory for a context descriptor, if it has such. */
static int null_id_reserve(struct backend_unit *unit, uint32_t id)
{
	(void)unit;
	(void)id;
	return 0;
}

/* The link to the entry of just these streams; to NULL: there is none. */
static struct null_entry **entry_link(struct null_unit *null, uint32_t first,
				      uint32_t nr)
{
	struct null_entry **link = &null->entries;

	while (*link && ((*link)->first != first || (*link)->nr != nr))
		link = &(*link)->next;
	return link;
}

static void entry_to_head(struct null_unit *null, struct null_entry *entry)
{
	entry->next = null->entries;
	null->entries = entry;
}

/* All memory that stream_set() could need is taken here. */
static int null_streams_reserve(struct backend_unit *unit, uint32_t first,
				uint32_t nr)
{
	struct null_unit *null = null_of(unit);
	struct null_entry *entry;

	if (*entry_link(null, first, nr))
		return 0;
	entry = tablemem_object_alloc(unit->mem, sizeof(*entry));
	if (!entry)
		return IOMMUABS_E_NOMEM;
	entry->first = first;
	entry->nr = nr;
	ia_lock(unit->host, &unit->lock);
	entry_to_head(null, entry);
	ia_unlock(unit->host, &unit->lock);
	return 0;
}

/* Real hardware: publish the entry in steps, invalidate it, wait. */
static int null_stream_set(struct backend_unit *unit, uint32_t first,
			   uint32_t nr, const struct backend_table *table,
			   uint32_t flags)
{
	struct null_unit *null = null_of(unit);
	struct null_entry **link, *entry;

	ia_lock(unit->host, &unit->lock);
	link = entry_link(null, first, nr);
	entry = *link;
	if (entry) {
		entry->set = table != NULL;
		entry->flags = flags;
		if (table)
			entry->table = *table;
		*link = entry->next;
		entry_to_head(null, entry);
	}
	ia_unlock(unit->host, &unit->lock);
	return 0;
}

/* Real hardware: do the entries for both differ in what one store changes? */
static bool null_stream_is_hitless(const struct backend_unit *unit,
				   const struct backend_table *from,
				   const struct backend_table *to)
{
	(void)unit;
	(void)from;
	(void)to;
	return true;
}

static struct null_entry *entry_of(const struct backend_unit *unit,
				   uint32_t stream)
{
	struct null_entry *entry = null_of(unit)->entries;

	while (entry &&
	       (stream < entry->first || stream - entry->first >= entry->nr))
		entry = entry->next;
	return entry;
}

static void null_read_stream(struct backend_unit *unit, uint32_t stream,
			     struct backend_stream *out)
{
	struct null_entry *entry;

	__builtin_memset(out, 0, sizeof(*out));
	out->kind = BACKEND_STREAM_BLOCKED;
	ia_lock(unit->host, &unit->lock);
	entry = entry_of(unit, stream);
	out->flags = entry ? entry->flags : 0;
	if (entry && entry->set) {
		out->kind = BACKEND_STREAM_TABLE;
		out->table = entry->table;
	}
	ia_unlock(unit->host, &unit->lock);
}

/* Real hardware: queue the commands and one sync, and wait for that. */
static int null_invalidate(struct backend_unit *unit,
			   const struct backend_inv *inv,
			   struct backend_streams *stuck)
{
	(void)unit;
	(void)inv;
	(void)stuck;
	return 0;
}

/* Real hardware: the first reason why it can't walk @p2m. */
static enum iommuabs_share_reason null_share(const struct backend_unit *unit,
					     const struct iommuabs_p2m *p2m,
					     struct backend_table *table)
{
	(void)unit;
	if (p2m->format == IOMMUABS_P2M_NONE)
		return IOMMUABS_SHARE_NO_P2M;
	if (p2m->format != IOMMUABS_P2M_ARM_S2)
		return IOMMUABS_SHARE_FORMAT;
	if (p2m->granule_lg2 != 12)
		return IOMMUABS_SHARE_GRANULE;
	if (p2m->input_bits > NULL_INPUT_BITS)
		return IOMMUABS_SHARE_INPUT_WIDTH;
	if (p2m->output_bits > NULL_OUTPUT_BITS)
		return IOMMUABS_SHARE_OUTPUT_WIDTH;
	backend_table_of_p2m(p2m, BACKEND_FORMAT_ARM_S2, table);
	return IOMMUABS_SHARE_OK;
}

/* Four levels of 4 KiB tables, whatever part of them the domain uses. */
static int null_mirror(const struct backend_unit *unit, uint8_t input_bits,
		       uint8_t max_level, struct backend_geometry *geometry)
{
	(void)unit;
	(void)input_bits;
	__builtin_memset(geometry, 0, sizeof(*geometry));
	geometry->pt_ops = &pt_arm_s2_4k_ops;
	geometry->format = BACKEND_FORMAT_ARM_S2;
	geometry->input_bits = NULL_INPUT_BITS;
	geometry->output_bits = NULL_OUTPUT_BITS;
	geometry->granule_lg2 = 12;
	geometry->levels = 4;
	geometry->root_lg2 = 12;
	geometry->leaf_mask = (uint8_t)IA_BITS(IA_MIN(max_level, 2) + 1);
	geometry->bbml = 2;
	return 0;
}

static uint32_t null_events(struct backend_unit *unit,
			    struct backend_event *events, uint32_t max)
{
	(void)unit;
	(void)events;
	(void)max;
	return 0;
}

static int null_errors(struct backend_unit *unit)
{
	(void)unit;
	return 0;
}

static int null_irq_set_msi(struct backend_unit *unit,
			    enum iommuabs_unit_irq_which which, uint64_t addr,
			    uint32_t data)
{
	(void)unit;
	(void)which;
	(void)addr;
	(void)data;
	return IOMMUABS_E_NOTSUP;
}

static void null_irq(struct backend_unit *unit,
		     enum iommuabs_unit_irq_which which)
{
	(void)unit;
	(void)which;
}

const struct backend_ops null_backend_ops = {
	.name = "null",
	.type = IOMMUABS_UNIT_NULL,
	.regs_length = 0,
	.probe = null_probe,
	.release = null_release,
	.enable = null_enable,
	.disable = null_disable,
	.fence = null_disable,
	.crash_block = null_crash_block,
	.id_reserve = null_id_reserve,
	.streams_reserve = null_streams_reserve,
	.stream_set = null_stream_set,
	.stream_is_hitless = null_stream_is_hitless,
	.read_stream = null_read_stream,
	.invalidate = null_invalidate,
	.share = null_share,
	.mirror = null_mirror,
	.events = null_events,
	.errors = null_errors,
	.irq_set_msi = null_irq_set_msi,
	.irq = null_irq,
};

#endif /* IOMMUABS_CONFIG_NULL */
