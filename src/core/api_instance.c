/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * api_instance.c - create, destroy, start, stop
 */
#include "api_struct.h"
#include "core.h"
#include "enter.h"

#define FRAMES_END ((uint64_t)1 << (64 - IOMMUABS_FRAME_LG2))

uint32_t iommuabs_version(void)
{
	return IOMMUABS_VERSION_MAJOR << 16 | IOMMUABS_VERSION_MINOR << 8 |
	       IOMMUABS_VERSION_PATCH;
}

/* What is wrong with a host, in words; NULL: nothing is. */
static const char *memory_hooks_wrong(const struct iommuabs_host *host)
{
	if (!host->table_alloc)
		return "table_alloc is NULL";
	if (!host->table_free)
		return "table_free is NULL";
	if (!host->time_us)
		return "time_us is NULL";
	if (!host->table_map != !host->table_unmap)
		return "of table_map and table_unmap one is NULL";
	if (!host->alloc != !host->free)
		return "of alloc and free one is NULL";
	if (host->table_map && !host->alloc)
		return "table_map without alloc and free";
	return NULL;
}

static const char *other_hooks_wrong(const struct iommuabs_host *host)
{
	if (host->mmio_unmap && !host->mmio_map)
		return "mmio_unmap without mmio_map";
	if (!host->mmio_read != !host->mmio_write)
		return "of mmio_read and mmio_write one is NULL";
	if (!host->lock_create != !host->lock_destroy ||
	    !host->lock_create != !host->lock ||
	    !host->lock_create != !host->unlock)
		return "of the four hooks for locks some are NULL";
	return NULL;
}

static const char *ranges_wrong(const struct iommuabs_host *host)
{
	const struct iommuabs_range *range = host->table_ranges;
	uint32_t i;

	if (!host->nr_table_ranges || !range)
		return "there are no table_ranges";
	for (i = 0; i < host->nr_table_ranges; i++, range++) {
		if (!range->nr || range->nr > FRAMES_END ||
		    range->mfn.frame > FRAMES_END - range->nr)
			return "one of table_ranges is empty or wraps";
		if (range->nr > TABLEMEM_RANGE_MAX)
			return "one of table_ranges is too large (1 PiB)";
	}
	return NULL;
}

static const char *flags_wrong(const struct iommuabs_host *host)
{
	const uint32_t known = IOMMUABS_HOST_REMAPS_IRQS | IOMMUABS_HOST_X2APIC;

	if (host->flags & ~known)
		return "an unknown flag";
	if (host->flags == IOMMUABS_HOST_X2APIC)
		return "HOST_X2APIC without HOST_REMAPS_IRQS";
	return NULL;
}

static const char *host_wrong(const struct iommuabs_host *host)
{
	const char *why = flags_wrong(host);

	if (!why)
		why = memory_hooks_wrong(host);
	if (!why)
		why = other_hooks_wrong(host);
	return why ? why : ranges_wrong(host);
}

int iommuabs_create(const struct iommuabs_host *host, void *ctx,
		    struct iommuabs **abs)
{
	struct hostif hostif = { .ctx = ctx };
	const char *why;
	int ret;

	if (!host || !abs)
		return IOMMUABS_E_INVAL;
	ret = api_struct_in(&hostif.ops, sizeof(hostif.ops), host);
	if (ret)
		return ret;
	why = host_wrong(&hostif.ops);
	if (why) {
		hostif_log(&hostif, IOMMUABS_LOG_ERROR, "host refused: %s",
			   why);
		return IOMMUABS_E_INVAL;
	}
	return instance_create(&hostif, abs);
}

int iommuabs_destroy(struct iommuabs *abs)
{
	if (!abs)
		return IOMMUABS_E_INVAL;
	caller_ends(&abs->host);
	if (abs->domains || abs->phase != PHASE_STOPPED)
		return IOMMUABS_E_BUSY;
	instance_free(abs);
	return 0;
}

/* From @from to @to; false: it isn't in @from. abs->life is held alone. */
static bool phase_change(struct iommuabs *abs, enum core_phase from,
			 enum core_phase to)
{
	if (port_load32(&abs->phase) != (uint32_t)from)
		return false;
	port_store32(&abs->phase, to);
	return true;
}

int iommuabs_start(struct iommuabs *abs)
{
	struct iommuabs_unit *unit;
	int ret = IOMMUABS_E_BUSY;

	if (!abs)
		return IOMMUABS_E_INVAL;
	life_enter_alone(abs);
	if (phase_change(abs, PHASE_STOPPED, PHASE_RUNNING)) {
		if (!abs->units)
			hostif_log(
				&abs->host, IOMMUABS_LOG_WARNING,
				"started without a unit: nothing is blocked");
		for (unit = abs->units; unit; unit = unit->next)
			unit_enable(unit);
		ret = 0;
	}
	life_leave_alone(abs);
	return ret;
}

/* All of them, whatever becomes of one. 0 | E_TIMEOUT. */
static int units_disable(struct iommuabs *abs)
{
	struct iommuabs_unit *unit;
	int ret = 0;

	for (unit = abs->units; unit; unit = unit->next)
		if (unit_disable(unit))
			ret = IOMMUABS_E_TIMEOUT;
	return ret;
}

int iommuabs_stop(struct iommuabs *abs)
{
	int ret = IOMMUABS_E_BUSY;

	if (!abs)
		return IOMMUABS_E_INVAL;
	caller_ends(&abs->host);
	life_enter_alone(abs);
	if (phase_change(abs, PHASE_RUNNING, PHASE_STOPPED))
		ret = units_disable(abs);
	life_leave_alone(abs);
	return ret;
}

int iommuabs_suspend(struct iommuabs *abs)
{
	int ret = IOMMUABS_E_BUSY;

	if (!abs)
		return IOMMUABS_E_INVAL;
	life_enter_alone(abs);
	if (phase_change(abs, PHASE_RUNNING, PHASE_SUSPENDED))
		ret = units_disable(abs);
	life_leave_alone(abs);
	return ret;
}

int iommuabs_resume(struct iommuabs *abs)
{
	struct iommuabs_unit *unit;
	int ret = IOMMUABS_E_BUSY;

	if (!abs)
		return IOMMUABS_E_INVAL;
	life_enter_alone(abs);
	if (phase_change(abs, PHASE_SUSPENDED, PHASE_RUNNING)) {
		ret = 0;
		for (unit = abs->units; unit; unit = unit->next)
			if (unit_resume(unit))
				ret = IOMMUABS_E_TIMEOUT;
	}
	life_leave_alone(abs);
	return ret;
}

/* No gate: whoever is inside may stand still for ever. Nor is a list believed
 * that is longer than it can be, or leads to another instance. */
int iommuabs_crash_block(struct iommuabs *abs)
{
	struct iommuabs_unit *unit;
	uint32_t i, context;
	int ret = 0;

	if (!abs)
		return IOMMUABS_E_INVAL;
	context = caller_context(&abs->host, IOMMUABS_CONTEXT_CRASH);
	unit = abs->units;
	for (i = 0; unit && unit->abs == abs && i < CORE_UNITS_MAX; i++) {
		if (unit_crash_block(unit))
			ret = IOMMUABS_E_TIMEOUT;
		unit = unit->next;
	}
	(void)caller_context(&abs->host, context);
	return ret;
}

int iommuabs_dump(struct iommuabs *abs, enum iommuabs_dump_what what)
{
	if (!abs || what > IOMMUABS_DUMP_COUNTERS)
		return IOMMUABS_E_INVAL;
	if (what == IOMMUABS_DUMP_ALL || what == IOMMUABS_DUMP_UNITS)
		dump_units(abs);
	if (what == IOMMUABS_DUMP_ALL || what == IOMMUABS_DUMP_DEVICES)
		dump_devices(abs);
	if (what == IOMMUABS_DUMP_ALL || what == IOMMUABS_DUMP_DOMAINS)
		dump_domains(abs);
	if (what == IOMMUABS_DUMP_COUNTERS)
		dump_counters(abs);
	return 0;
}
