/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * api_firmware.c - what a scanner found becomes units and devices, or nothing
 */
#include "../firmware/desc.h"
#include "core.h"
#include "enter.h"

/* How much was added, newest last: what a failure takes back. */
struct scan {
	struct iommuabs *abs;
	const struct desc_set *set;
	struct iommuabs_unit *last_old; /* NULL: there was none */
	struct ats_record *old_records; /* likewise */
	uint32_t nr_devices;
};

static int unit_from(struct iommuabs *abs, struct desc_unit *found)
{
	const struct iommuabs_unit_desc desc = {
		.size = sizeof(desc),
		.flags = found->flags,
		.type = found->type,
		.base = found->base,
		.length = found->length,
		.path = found->path[0] ? found->path : NULL,
		.irqs = found->irqs,
		.nr_irqs = found->nr_irqs,
		.fw_id = found->fw_id,
		.msi = found->msi,
	};
	int ret = unit_create(abs, &desc, &found->added);

	if (!ret && found->type == IOMMUABS_UNIT_VTD) {
		found->added->by_dmar = 1;
		found->added->segment = found->vtd.segment;
	}
	if (ret)
		hostif_log(&abs->host, IOMMUABS_LOG_ERROR,
			   "unit at 0x%llx%s%s: %s",
			   (unsigned long long)found->base,
			   found->path[0] ? ", " : "", found->path,
			   iommuabs_strerror(ret));
	return ret == IOMMUABS_E_INVAL ? IOMMUABS_E_FIRMWARE : ret;
}

struct device_arrays {
	struct iommuabs_stream_range *streams;
	struct iommuabs_reserved *reserved;
	struct iommuabs_device_alias *aliases;
};

/*
 * What @stream's unit sees of it: false, and *@range is that much, where that is
 * not all. Ids that a unit doesn't have can't be let in by anybody.
 */
static bool stream_from(const struct desc_stream *stream,
			struct iommuabs_stream_range *range)
{
	uint64_t end, nr = 0;

	if (stream->unit->added) {
		end = unit_streams_end(stream->unit->added);
		if (stream->first < end)
			nr = IA_MIN(stream->nr, end - stream->first);
	}
	*range = (struct iommuabs_stream_range){
		.unit = stream->unit->added,
		.first = stream->first,
		.nr = (uint32_t)nr,
		.rid = stream->rid,
	};
	return nr == stream->nr;
}

/* Functions of a range are seen or not, one by one; anything else as a whole. */
static int streams_from(const struct scan *scan,
			const struct desc_device *found,
			struct iommuabs_stream_range *streams, uint32_t *nr)
{
	struct iommuabs_stream_range range;
	const struct desc_stream *stream;
	bool is_whole = true;

	for (stream = found->streams; stream; stream = stream->next) {
		is_whole &= stream_from(stream, &range);
		if (!range.nr)
			continue;
		if (*nr == IOMMUABS_STREAM_RANGES_MAX)
			return IOMMUABS_E_FIRMWARE;
		streams[(*nr)++] = range;
	}
	if (is_whole)
		return 0;
	if (!(found->flags & IOMMUABS_DEVICE_RANGE))
		*nr = 0;
	hostif_log(&scan->abs->host, IOMMUABS_LOG_WARNING,
		   "device %s (PCI %x): %s", found->path, found->pci,
		   *nr ? "units don't see some of its functions"
		       : "untranslated: units don't see all of it");
	return 0;
}

static int reserved_from(const struct desc_device *found,
			 struct iommuabs_reserved *reserved, uint32_t *nr)
{
	const struct desc_reserved *region;

	for (region = found->reserved; region; region = region->next) {
		if (*nr == IOMMUABS_RESERVED_MAX)
			return IOMMUABS_E_FIRMWARE;
		reserved[(*nr)++] = region->region;
	}
	return 0;
}

static int aliases_from(const struct desc_device *found,
			struct iommuabs_device_alias *aliases, uint32_t *nr)
{
	const struct desc_alias *alias;

	for (alias = found->aliases; alias; alias = alias->next) {
		if (*nr == IOMMUABS_ALIASES_MAX)
			return IOMMUABS_E_FIRMWARE;
		aliases[(*nr)++] = (struct iommuabs_device_alias){
			.path = alias->path[0] ? alias->path : NULL,
			.pci = alias->pci,
			.nr_pci = alias->nr_pci,
		};
	}
	return 0;
}

static int device_from(const struct scan *scan, const struct desc_device *found,
		       const struct device_arrays *arrays)
{
	struct iommuabs_device_desc desc = {
		.size = sizeof(desc),
		.flags = found->flags,
		.path = found->path[0] ? found->path : NULL,
		.pci = found->pci,
		.nr_pci = found->nr_pci,
		.rid_ignored = found->rid_ignored,
		.streams = arrays->streams,
		.reserved = arrays->reserved,
		.aliases = arrays->aliases,
	};
	struct iommuabs_device *dev;
	int ret = streams_from(scan, found, arrays->streams, &desc.nr_streams);

	if (!ret)
		ret = reserved_from(found, arrays->reserved, &desc.nr_reserved);
	if (!ret)
		ret = aliases_from(found, arrays->aliases, &desc.nr_aliases);
	if (!ret)
		ret = device_create(scan->abs, &desc, &dev);
	if (ret == IOMMUABS_E_INVAL)
		ret = IOMMUABS_E_FIRMWARE;
	if (ret)
		hostif_log(&scan->abs->host, IOMMUABS_LOG_ERROR,
			   "device %s (PCI %x): %s", found->path, found->pci,
			   iommuabs_strerror(ret));
	return ret;
}

static int devices_add(struct scan *scan, const struct device_arrays *arrays)
{
	const struct desc_device *found;
	int ret = 0;

	for (found = scan->set->devices; found && !ret; found = found->next) {
		if (found->unknown)
			continue;
		ret = device_from(scan, found, arrays);
		if (!ret)
			scan->nr_devices++;
	}
	return ret;
}

static int scan_devices(struct scan *scan)
{
	struct tablemem *mem = &scan->abs->mem;
	struct device_arrays arrays;
	size_t streams_size =
		IOMMUABS_STREAM_RANGES_MAX * sizeof(*arrays.streams);
	size_t reserved_size = IOMMUABS_RESERVED_MAX * sizeof(*arrays.reserved);
	size_t aliases_size = IOMMUABS_ALIASES_MAX * sizeof(*arrays.aliases);
	int ret = IOMMUABS_E_NOMEM;

	arrays.streams = tablemem_object_alloc(mem, streams_size);
	arrays.reserved = tablemem_object_alloc(mem, reserved_size);
	arrays.aliases = tablemem_object_alloc(mem, aliases_size);
	if (arrays.streams && arrays.reserved && arrays.aliases)
		ret = devices_add(scan, &arrays);
	if (arrays.aliases)
		tablemem_object_free(mem, arrays.aliases, aliases_size);
	if (arrays.reserved)
		tablemem_object_free(mem, arrays.reserved, reserved_size);
	if (arrays.streams)
		tablemem_object_free(mem, arrays.streams, streams_size);
	return ret;
}

static struct iommuabs_unit *last_unit(const struct iommuabs *abs)
{
	struct iommuabs_unit *unit = abs->units;

	while (unit && unit->next)
		unit = unit->next;
	return unit;
}

/* Take back what was added, newest first. */
static void scan_undo(const struct scan *scan)
{
	struct iommuabs_unit *unit;
	uint32_t left;
	int ret;

	for (left = scan->nr_devices; left; left--) {
		ret = device_forget(scan->abs->last_device);
		iommuabs_assert(!ret);
		(void)ret;
	}
	while ((unit = last_unit(scan->abs)) != scan->last_old)
		unit_free(unit);
	ats_records_drop(scan->abs, scan->old_records);
}

/* @of: "device tree" or "ACPI". */
static int scan_add(struct iommuabs *abs, const struct desc_set *set,
		    const char *of)
{
	struct scan scan = { abs, set, last_unit(abs), abs->ats_records, 0 };
	struct desc_unit *found;
	struct iommuabs_unit *unit;
	uint32_t nr = 0;
	/* First: who finds a device knows whether it may use ATS. */
	int ret = ats_records_add(abs, set);

	for (found = set->units; found && !ret; found = found->next)
		if (!found->disabled)
			ret = unit_from(abs, found);
	if (!ret)
		ret = scan_devices(&scan);
	if (ret) {
		scan_undo(&scan);
		return ret;
	}
	unit = scan.last_old ? scan.last_old->next : abs->units;
	for (; unit; unit = unit->next, nr++)
		if (instance_runs(abs))
			unit_enable(unit);
	hostif_log(&abs->host, nr ? IOMMUABS_LOG_INFO : IOMMUABS_LOG_WARNING,
		   "%s: units: %u, devices: %u", of, nr, scan.nr_devices);
	return 0;
}

int iommuabs_scan_fdt(struct iommuabs *abs, const void *fdt, size_t size)
{
	struct desc_set set = { 0 };
	int ret;

	if (!abs || !fdt || !size)
		return IOMMUABS_E_INVAL;
	if ((uintptr_t)fdt & 7) {
		hostif_log(&abs->host, IOMMUABS_LOG_ERROR,
			   "device tree: not aligned to 8 bytes");
		return IOMMUABS_E_INVAL;
	}
	set.mem = &abs->mem;
	ret = desc_scan_fdt(&set, fdt, size);
	if (ret && set.error[0])
		hostif_log(&abs->host, IOMMUABS_LOG_ERROR, "device tree: %s",
			   set.error);
	if (!ret) {
		life_enter_alone(abs);
		ret = scan_add(abs, &set, "device tree");
		life_leave_alone(abs);
	}
	desc_free(&set);
	return ret;
}

/* ---- ACPI ---- */

#if IOMMUABS_CONFIG_ACPI

static void remark_log(void *arg, const char *text)
{
	struct iommuabs *abs = arg;

	hostif_log(&abs->host, IOMMUABS_LOG_WARNING, "%s", text);
}

struct acpi_tables {
	iommuabs_find_table find;
	void *arg;
};

/* A table that describes IOMMUs of a kind that the library doesn't know. */
static int acpi_refuse_others(struct iommuabs *abs,
			      const struct acpi_tables *tables)
{
	static const char others[][5] = { "IVRS", "VIOT" };
	unsigned int i;
	size_t size;

	for (i = 0; i < IA_COUNT(others); i++) {
		size = 0;
		if (!tables->find(tables->arg, others[i], &size))
			continue;
		hostif_log(&abs->host, IOMMUABS_LOG_ERROR,
			   "%s: units that this library can't describe",
			   others[i]);
		return IOMMUABS_E_NOTSUP;
	}
	return 0;
}

static int acpi_describe(struct desc_set *set, const struct acpi_tables *tables)
{
	const void *table;
	size_t size = 0;
	int ret = 0;

	table = tables->find(tables->arg, "DMAR", &size);
	if (table)
		ret = desc_scan_dmar(set, table, size);
	size = 0;
	table = ret ? NULL : tables->find(tables->arg, "IORT", &size);
	if (table)
		ret = desc_scan_iort(set, table, size);
	return ret;
}

int iommuabs_scan_acpi(struct iommuabs *abs, iommuabs_find_table find_table,
		       void *arg)
{
	const struct acpi_tables tables = { find_table, arg };
	struct desc_set set = { 0 };
	int ret;

	if (!abs || !find_table)
		return IOMMUABS_E_INVAL;
	set.mem = &abs->mem;
	set.remark = remark_log;
	set.remark_arg = abs;
	ret = acpi_refuse_others(abs, &tables);
	if (!ret)
		ret = acpi_describe(&set, &tables);
	if (ret && set.error[0])
		hostif_log(&abs->host, IOMMUABS_LOG_ERROR, "%s", set.error);
	if (!ret) {
		life_enter_alone(abs);
		ret = scan_add(abs, &set, "ACPI");
		life_leave_alone(abs);
	}
	desc_free(&set);
	return ret;
}

#else

int iommuabs_scan_acpi(struct iommuabs *abs, iommuabs_find_table find_table,
		       void *arg)
{
	(void)arg;
	return abs && find_table ? IOMMUABS_E_NOTSUP : IOMMUABS_E_INVAL;
}

#endif
