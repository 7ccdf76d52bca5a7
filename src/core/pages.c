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

static uint32_t reserve_target(const struct iommuabs_domain *dom)
{
	const struct view *view;
	uint32_t trees = 1;

	for (view = dom->views; view; view = view->next)
		if (view->kind == VIEW_MIRROR && view->key.leaf_mask != 1)
			trees++;
	return dom->callers * trees * PAGES_PER_TREE;
}

int pages_take_new(struct iommuabs_domain *dom, struct tablemem_pool *pool,
		   uint32_t need)
{
	if (!need)
		return 0;
	return tablemem_pool_fill(&dom->abs->mem, &dom->account, pool,
				  pool->nr + need);
}

int pages_take(struct iommuabs_domain *dom, struct tablemem_pool *pool,
	       uint32_t need)
{
	const struct hostif *host = &dom->abs->host;
	uint32_t want = pool->nr + need;
	int ret = pages_take_new(dom, pool, need);

	if (!ret)
		return 0;
	ia_lock(host, &dom->lock);
	while (pool->nr < want && dom->reserve.nr)
		tablemem_pool_put(host, pool,
				  tablemem_pool_take(host, &dom->reserve));
	ia_unlock(host, &dom->lock);
	return pool->nr < want ? ret : 0;
}

void pages_put(struct iommuabs_domain *dom, struct tablemem_pool *pool)
{
	const struct hostif *host = &dom->abs->host;
	uint32_t target;

	if (!pool->nr)
		return;
	target = reserve_target(dom);
	ia_lock(host, &dom->lock);
	while (pool->nr && dom->reserve.nr < target)
		tablemem_pool_put(host, &dom->reserve,
				  tablemem_pool_take(host, pool));
	ia_unlock(host, &dom->lock);
	tablemem_pool_drain(&dom->abs->mem, &dom->account, pool);
}

int pages_reserve(struct iommuabs_domain *dom)
{
	struct tablemem_pool pool = { 0 };
	uint32_t target = reserve_target(dom);
	int ret;

	if (dom->reserve.nr >= target)
		return 0;
	ret = pages_take_new(dom, &pool, target - dom->reserve.nr);
	pages_put(dom, &pool);
	return ret;
}

void pages_trim(struct iommuabs_domain *dom)
{
	const struct hostif *host = &dom->abs->host;
	struct tablemem_pool pool = { 0 };
	uint32_t target = reserve_target(dom);

	ia_lock(host, &dom->lock);
	while (dom->reserve.nr > target)
		tablemem_pool_put(host, &pool,
				  tablemem_pool_take(host, &dom->reserve));
	ia_unlock(host, &dom->lock);
	tablemem_pool_drain(&dom->abs->mem, &dom->account, &pool);
}
