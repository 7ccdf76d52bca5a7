/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ats.c - which streams' devices keep translations: let in, told to forget
 */
#include "ats.h"

#if IOMMUABS_CONFIG_SMMU || IOMMUABS_CONFIG_VTD

/* More ranges than this for one call: everything instead. */
#define RANGES_MAX 8

int backend_ats_reserve(struct backend_unit *unit, struct backend_ats **list,
			uint32_t first, uint32_t nr)
{
	struct backend_ats *ats;
	uint32_t i;

	if (!unit->caps.ats || nr > BACKEND_ATS_STREAMS ||
	    backend_ats_find(*list, first, nr))
		return 0;
	ats = tablemem_object_alloc(unit->mem, sizeof(*ats));
	if (!ats)
		return IOMMUABS_E_NOMEM;
	ats->first = first;
	ats->nr = nr;
	for (i = 0; i < nr; i++)
		ats->physical[i] = first + i;
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

void backend_ats_physical_set(struct backend_ats *list, uint32_t stream,
			      uint32_t physical)
{
	for (; list; list = list->next)
		if (stream - list->first < list->nr)
			port_store32(&list->physical[stream - list->first],
				     physical);
}

uint32_t backend_ats_physical(const struct backend_ats *list, uint32_t stream)
{
	while (list && stream - list->first >= list->nr)
		list = list->next;
	return list ? port_load32(&list->physical[stream - list->first])
		    : stream;
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

/* All of its streams. 0 | E_TIMEOUT | BACKEND_STUCK. */
static int forget_range(struct backend_unit *unit,
			const struct backend_ats *ats,
			const struct backend_range *range,
			const struct backend_ats_ops *ops)
{
	struct backend_streams streams;
	uint32_t done = 0;
	int ret = 0;

	for (; done < ats->nr && !ret; done += streams.nr) {
		streams.first = ats->first + done;
		streams.nr =
			IA_MIN(ats->nr - done, (uint32_t)BACKEND_ATS_TOGETHER);
		ret = ops->forget(unit, &streams, range);
	}
	return ret;
}

int backend_ats_open(struct backend_unit *unit, struct backend_ats *ats,
		     const struct backend_ats_ops *ops)
{
	int ret;

	/* enable() does it, by backend_ats_reopen(), when the unit can ask. */
	if (!port_load32(&unit->enabled))
		return 0;
	ret = forget_range(unit, ats, NULL, ops);
	if (!ret)
		return ops->allow(unit, ats, true);
	if (ret != BACKEND_STUCK)
		return ret;
	hostif_log(unit->host, IOMMUABS_LOG_WARNING,
		   "%s: stream %x keeps its translations: no ATS for it",
		   unit->name, ats->first);
	backend_ats_enter(ats, 0);
	return 0;
}

int backend_ats_close(struct backend_unit *unit, const struct backend_ats *list,
		      uint32_t first, uint32_t nr,
		      const struct backend_ats_ops *ops)
{
	int ret = 0, one;

	for (; list; list = list->next) {
		if (!port_load32(&list->id) || list->first - first >= nr)
			continue;
		one = ops->allow(unit, list, false);
		ret = ret ? ret : one;
	}
	return ret;
}

int backend_ats_reopen(struct backend_unit *unit, struct backend_ats *list,
		       const struct backend_ats_ops *ops)
{
	int ret = 0;

	for (; list && !ret; list = list->next)
		if (port_load32(&list->id))
			ret = backend_ats_open(unit, list, ops);
	return ret;
}

static int forget_ranges(struct backend_unit *unit,
			 const struct backend_ats *ats,
			 const struct backend_inv *inv,
			 const struct backend_ats_ops *ops)
{
	uint32_t i;
	int ret = 0;

	if (!inv->nr || inv->nr > RANGES_MAX)
		return forget_range(unit, ats, NULL, ops);
	for (i = 0; i < inv->nr && !ret; i++)
		ret = forget_range(unit, ats, &inv->ranges[i], ops);
	return ret;
}

int backend_ats_invalidate(struct backend_unit *unit,
			   const struct backend_ats *list,
			   const struct backend_inv *inv,
			   struct backend_streams *stuck,
			   const struct backend_ats_ops *ops)
{
	int ret;

	for (; list; list = list->next) {
		if (port_load32(&list->id) != inv->id)
			continue;
		ret = forget_ranges(unit, list, inv, ops);
		if (ret == BACKEND_STUCK)
			*stuck = (struct backend_streams){ list->first,
							   list->nr };
		if (ret)
			return ret;
	}
	return 0;
}

#endif
