/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * compact.c - give memory back that a domain can do without
 */
#include "change.h"

#define STEP_TABLES 1024 /* table entries looked at with the gate held */

/* Is an attach, or a move to here, about to use a view that it has filled? */
static bool is_awaited(const struct iommuabs_domain *dom)
{
	const struct iommuabs_device *dev = dom->devices;

	while (dev && dev->state == DEVICE_ATTACHED)
		dev = dev->next_in_domain;
	return dev || dom->nr_coming;
}

/* A mirror that no unit reads, and no batch or quarantine has tables of. */
static bool is_unused(const struct view *view)
{
	return view->kind == VIEW_MIRROR && !view->bindings &&
	       !port_load32(&view->tables_out);
}

/* The gate is held alone. 0 | E_BUSY | E_AGAIN. */
static int compact_step(struct iommuabs_domain *dom, uint64_t *budget)
{
	bool give = dom->populate == IOMMUABS_POPULATE_LAZY && !is_awaited(dom);
	struct view *view, *next;
	int ret = 0;

	if (dom->destroying)
		return IOMMUABS_E_BUSY;
	for (view = dom->views; view && !ret; view = next) {
		next = view->next;
		if (give && is_unused(view))
			view->kind = VIEW_GOING;
		if (view->kind == VIEW_GOING)
			ret = view_drop(view, budget);
	}
	pages_trim(dom);
	return ret;
}

int compact_run(struct iommuabs_domain *dom, uint64_t *budget)
{
	uint64_t step, left;
	int ret;

	do {
		step = left = IA_MIN(*budget, (uint64_t)STEP_TABLES);
		domain_enter_alone(dom);
		ret = compact_step(dom, &left);
		domain_leave_alone(dom);
		*budget -= step - left;
	} while (ret == IOMMUABS_E_AGAIN && *budget &&
		 !hostif_should_yield(&dom->abs->host));
	return ret;
}
