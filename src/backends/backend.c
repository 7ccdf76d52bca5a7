/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * backend.c - which drivers this build has, and what all of them do alike
 */
#include "backend.h"
#include "table_formats.h"

#include "../host/caller.h"

const struct backend_ops *backend_find(enum iommuabs_unit_type type)
{
	switch (type) {
#if IOMMUABS_CONFIG_NULL
	case IOMMUABS_UNIT_NULL:
		return &null_backend_ops;
#endif
#if IOMMUABS_CONFIG_SMMU
	case IOMMUABS_UNIT_SMMUV3:
		return &smmuv3_backend_ops;
#endif
#if IOMMUABS_CONFIG_VTD
	case IOMMUABS_UNIT_VTD:
		return &vtd_backend_ops;
#endif
	default:
		return NULL;
	}
}

void backend_reason_set(struct backend_unit *unit, const char *reason)
{
	ia_lock(unit->host, &unit->lock);
	hostif_format(unit->reason, sizeof(unit->reason), "%s", reason);
	ia_unlock(unit->host, &unit->lock);
}

int backend_poll(struct backend_unit *unit, const char *what,
		 bool (*done)(struct backend_unit *unit, void *arg), void *arg)
{
	uint64_t start = hostif_time_us(unit->host);
	bool late;

	caller_waits(unit->host);
	do {
		late = hostif_time_us(unit->host) - start >= BACKEND_TIMEOUT_US;
		if (done(unit, arg))
			return 0;
		port_relax();
	} while (!late);
	ia_lock(unit->host, &unit->lock);
	hostif_format(unit->reason, sizeof(unit->reason),
		      "no answer in %u ms: %s", BACKEND_TIMEOUT_US / 1000,
		      what);
	ia_unlock(unit->host, &unit->lock);
	return IOMMUABS_E_TIMEOUT;
}

void backend_memory_free(struct backend_unit *unit, uint64_t maddr,
			 unsigned int size_lg2)
{
	if (!maddr)
		return;
	if (unit->holds)
		tablemem_uncharge(unit->account,
				  (uint64_t)1
					  << (size_lg2 - IOMMUABS_FRAME_LG2));
	else
		tablemem_free(unit->mem, unit->account, maddr, size_lg2);
}

void backend_table_of_p2m(const struct iommuabs_p2m *p2m,
			  enum backend_format format,
			  struct backend_table *table)
{
	table->format = format;
	table->root = p2m->root;
	table->input_bits = p2m->input_bits;
	table->output_bits = p2m->output_bits;
	table->granule_lg2 = p2m->granule_lg2;
	table->levels = p2m->levels;
	table->walk_attrs = p2m->walk_attrs;
}

const struct pt_ops *backend_table_format(const struct backend_table *table)
{
	if (table->format == BACKEND_FORMAT_VTD)
		return &pt_vtd_ops;
	if (table->format != BACKEND_FORMAT_ARM_S2)
		return NULL;
	switch (table->granule_lg2) {
	case 12:
		return &pt_arm_s2_4k_ops;
	case 14:
		return &pt_arm_s2_16k_ops;
	case 16:
		return &pt_arm_s2_64k_ops;
	default:
		return NULL;
	}
}
