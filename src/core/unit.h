/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit.h - what the files about a unit (unit*.c) have in common
 *
 * The unit's gate is held alone around what changes its state, so that a fence,
 * which any caller's timeout may bring about, happens once.
 */
#ifndef IOMMUABS_CORE_UNIT_H
#define IOMMUABS_CORE_UNIT_H

#include "core.h"
#include "enter.h"

static inline void unit_status_set(struct iommuabs_unit *unit,
				   enum iommuabs_unit_status status, int error)
{
	unit->error = error;
	port_store32(&unit->status, status);
}

static inline bool unit_is_fenced(const struct iommuabs_unit *unit)
{
	enum iommuabs_unit_status status = unit_status(unit);

	return status == IOMMUABS_UNIT_FENCED || status == IOMMUABS_UNIT_DEAD;
}

/* ---- unit_fence.c ---- */

/*
 * The unit's gate is held alone. Block everything, by the unit or without it;
 * @status if that is certain, else DEAD.
 */
void unit_block_by_force(struct iommuabs_unit *unit,
			 enum iommuabs_unit_status status, int error);
/* 0: no DMA of @dev can happen any more. abs->lock is held. */
int unit_isolate_device(const struct hostif *host,
			const struct iommuabs_device *dev);

/* ---- unit_ids.c ---- */

/* A page of ids, the @n-th, none of which is in use. 0 | E_NOMEM. */
int unit_ids_make(struct iommuabs_unit *unit, uint32_t n);
void unit_ids_free(struct iommuabs_unit *unit);
/* The unit has forgotten everything: what was kept is free. */
void unit_ids_free_kept(struct iommuabs_unit *unit);

#endif
