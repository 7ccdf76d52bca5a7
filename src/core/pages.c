/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pages.c - spare tables for one change, and the reserve behind them
 *
 * A removal must get through when the host's allocator has nothing: what it may
 * need for splits (two ends, two levels each, in the ledger and in each mirror,
 * per caller) was taken and charged when the domain and its mirrors were made.
 */
#include "change.h"

#define PAGES_PER_TREE 4 /* two ends x two splits */

/* Pages of size @size that the reserve should have. */
static uint32_t reserve_target(const struct iommuabs_domain *dom, uint32_t size)
{
	const struct view *view;
	uint32_t trees = size == 0; /* the ledger */

	for (view = dom->views; view; view = view->next)
		if (view->kind == VIEW_MIRROR && view->key.leaf_mask != 1 &&
		    view->key.granule_lg2 == IOMMUABS_FRAME_LG2 + 2 * size)
			trees++;
	return dom->callers * trees * PAGES_PER_TREE;
}

static void spares_size(struct spares *spares)
{
	uint32_t i;

	for (i = 0; i < SPARE_SIZES; i++)
		spares->pools[i].page_lg2 =
			(uint8_t)(IOMMUABS_FRAME_LG2 + 2 * i);
}

static void pool_move(const struct hostif *host, struct tablemem_pool *to,
		      struct tablemem_pool *from)
{
	tablemem_pool_put(host, to, tablemem_pool_take(host, from));
}

int spares_take_new(struct iommuabs_domain *dom, struct spares *spares)
{
	struct tablemem_pool *pool;
	uint32_t i;
	int ret = 0;

	spares_size(spares);
	for (i = 0; i < SPARE_SIZES && !ret; i++) {
		pool = &spares->pools[i];
		if (!spares->want[i])
			continue;
		spares->want[i] += pool->nr;
		ret = tablemem_pool_fill(&dom->abs->mem, &dom->account, pool,
					 spares->want[i]);
		spares->want[i] -= pool->nr;
	}
	return ret;
}

int spares_take(struct iommuabs_domain *dom, struct spares *spares)
{
	const struct hostif *host = &dom->abs->host;
	int ret = spares_take_new(dom, spares);
	uint32_t i;
	bool all = true;

	if (!ret)
		return 0;
	ia_lock(host, &dom->lock);
	for (i = 0; i < SPARE_SIZES; i++) {
		for (; spares->want[i] && dom->reserve.pools[i].nr;
		     spares->want[i]--)
			pool_move(host, &spares->pools[i],
				  &dom->reserve.pools[i]);
		all = all && !spares->want[i];
	}
	ia_unlock(host, &dom->lock);
	return all ? 0 : ret;
}

void spares_drain(struct iommuabs_domain *dom, struct spares *spares)
{
	uint32_t i;

	for (i = 0; i < SPARE_SIZES; i++)
		tablemem_pool_drain(&dom->abs->mem, &dom->account,
				    &spares->pools[i]);
}

void spares_put(struct iommuabs_domain *dom, struct spares *spares)
{
	const struct hostif *host = &dom->abs->host;
	struct tablemem_pool *kept;
	uint32_t i, target;

	for (i = 0; i < SPARE_SIZES; i++) {
		if (!spares->pools[i].nr)
			continue;
		target = reserve_target(dom, i);
		kept = &dom->reserve.pools[i];
		ia_lock(host, &dom->lock);
		kept->page_lg2 = spares->pools[i].page_lg2;
		while (spares->pools[i].nr && kept->nr < target)
			pool_move(host, kept, &spares->pools[i]);
		ia_unlock(host, &dom->lock);
	}
	spares_drain(dom, spares);
}

int pages_reserve(struct iommuabs_domain *dom)
{
	struct spares spares = { 0 };
	uint32_t i, target;
	int ret;

	for (i = 0; i < SPARE_SIZES; i++) {
		target = reserve_target(dom, i);
		if (dom->reserve.pools[i].nr < target)
			spares.want[i] = target - dom->reserve.pools[i].nr;
	}
	ret = spares_take_new(dom, &spares);
	spares_put(dom, &spares);
	return ret;
}

void pages_trim(struct iommuabs_domain *dom)
{
	const struct hostif *host = &dom->abs->host;
	struct spares spares = { 0 };
	uint32_t i, target;

	spares_size(&spares);
	for (i = 0; i < SPARE_SIZES; i++) {
		target = reserve_target(dom, i);
		ia_lock(host, &dom->lock);
		while (dom->reserve.pools[i].nr > target)
			pool_move(host, &spares.pools[i],
				  &dom->reserve.pools[i]);
		ia_unlock(host, &dom->lock);
	}
	spares_drain(dom, &spares);
}
