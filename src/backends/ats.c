/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ats.c - which streams' devices keep translations
 */
#include "ats.h"

#if IOMMUABS_CONFIG_SMMU || IOMMUABS_CONFIG_VTD

/* The greatest range: what has more ids is no one device. */
#define STREAMS_MAX 16
/* More ranges than this for one call: everything instead. */
#define RANGES_MAX 8

int backend_ats_reserve(struct backend_unit *unit, struct backend_ats **list,
			uint32_t first, uint32_t nr)
{
	struct backend_ats *ats;

	if (!unit->caps.ats || nr > STREAMS_MAX ||
	    backend_ats_find(*list, first, nr))
		return 0;
	ats = tablemem_object_alloc(unit->mem, sizeof(*ats));
	if (!ats)
		return IOMMUABS_E_NOMEM;
	ats->first = first;
	ats->nr = nr;
	ats->next = *list;
	port_mb();
	*list = ats;
	return 0;
}

void backend_ats_free(struct backend_unit *unit, struct backend_ats **list)
{
	struct backend_ats *ats;

	while ((ats = *list)) {
		*list = ats->next;
		tablemem_object_free(unit->mem, ats, sizeof(*ats));
	}
}

struct backend_ats *backend_ats_find(struct backend_ats *list, uint32_t first,
				     uint32_t nr)
{
	while (list && (list->first != first || list->nr != nr))
		list = list->next;
	return list;
}

void backend_ats_enter(struct backend_ats *ats, uint32_t id)
{
	port_store32(&ats->id, id);
}

void backend_ats_leave(struct backend_ats *list, uint32_t first, uint32_t nr)
{
	for (; list; list = list->next)
		if (list->first - first < nr)
			backend_ats_enter(list, 0);
}

bool backend_ats_is_open(const struct backend_ats *ats, uint32_t first,
			 uint32_t nr)
{
	return port_load32(&ats->id) && ats->first - first < nr;
}

int backend_ats_forget(struct backend_unit *unit, const struct backend_ats *ats,
		       const struct backend_range *range,
		       backend_ats_forget_fn forget)
{
	struct backend_streams streams;
	uint32_t done = 0;
	int ret = 0;

	for (; done < ats->nr && !ret; done += streams.nr) {
		streams.first = ats->first + done;
		streams.nr =
			IA_MIN(ats->nr - done, (uint32_t)BACKEND_ATS_TOGETHER);
		ret = forget(unit, &streams, range);
	}
	return ret;
}

static int forget_ranges(struct backend_unit *unit,
			 const struct backend_ats *ats,
			 const struct backend_inv *inv,
			 backend_ats_forget_fn forget)
{
	uint32_t i;
	int ret = 0;

	if (!inv->nr || inv->nr > RANGES_MAX)
		return backend_ats_forget(unit, ats, NULL, forget);
	for (i = 0; i < inv->nr && !ret; i++)
		ret = backend_ats_forget(unit, ats, &inv->ranges[i], forget);
	return ret;
}

int backend_ats_invalidate(struct backend_unit *unit,
			   const struct backend_ats *list,
			   const struct backend_inv *inv,
			   struct backend_streams *stuck,
			   backend_ats_forget_fn forget)
{
	int ret;

	for (; list; list = list->next) {
		if (port_load32(&list->id) != inv->id)
			continue;
		ret = forget_ranges(unit, list, inv, forget);
		if (ret == BACKEND_STUCK)
			*stuck = (struct backend_streams){ list->first,
							   list->nr };
		if (ret)
			return ret;
	}
	return 0;
}

#endif
