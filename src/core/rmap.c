/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rmap.c - the reverse map as a whole, and the reserve of its nodes
 */
#include "rmap_parts.h"

#define ADDRESS_BITS   52  /* of machine and guest addresses */
#define LEAF_MASK      0x7 /* 4 KiB, 2 MiB, 1 GiB: so a cut takes 2 nodes */
#define CALLER_RESERVE 4   /* a range has two ends */

#define TREES_SIZE  (RMAP_LOCKS * sizeof(struct rmap_tree))
#define SEED_FACTOR 0x9e3779b97f4a7c15 /* spreads a small number */

_Static_assert(TREES_SIZE <= TABLEMEM_OBJECT_MAX, "an object");

/* ---- nodes and their reserve ---- */

void rmap_pages_return(struct rmap *rmap, struct tablemem_pool *pool)
{
	const struct hostif *host = rmap->mem->host;

	ia_lock(host, &rmap->lock);
	while (pool->nr && port_load32(&rmap->reserve_missing)) {
		tablemem_pool_put(host, &rmap->reserve,
				  tablemem_pool_take(host, pool));
		port_add32(&rmap->reserve_missing, (uint32_t)-1);
	}
	ia_unlock(host, &rmap->lock);
	tablemem_pool_drain(rmap->mem, &rmap->account, pool);
}

void rmap_reserve_refill(struct rmap *rmap)
{
	uint32_t missing = port_load32(&rmap->reserve_missing);
	struct tablemem_pool pool = { 0 };

	if (!missing)
		return;
	/* What there is will do: the next call tries again. */
	(void)tablemem_pool_fill(rmap->mem, &rmap->account, &pool, missing);
	rmap_pages_return(rmap, &pool);
}

int rmap_page_for_split(struct rmap *rmap, struct tablemem_pool *pool)
{
	const struct hostif *host = rmap->mem->host;
	uint32_t before = pool->nr;

	if (!tablemem_pool_fill(rmap->mem, &rmap->account, pool, before + 1))
		return 0;
	ia_lock(host, &rmap->lock);
	if (rmap->reserve.nr) {
		tablemem_pool_put(host, pool,
				  tablemem_pool_take(host, &rmap->reserve));
		port_add32(&rmap->reserve_missing, 1);
	}
	ia_unlock(host, &rmap->lock);
	return pool->nr > before ? 0 : IOMMUABS_E_NOMEM;
}

int rmap_reserve_grow(struct rmap *rmap)
{
	const struct hostif *host = rmap->mem->host;
	struct tablemem_pool pool = { 0 };

	if (tablemem_pool_fill(rmap->mem, &rmap->account, &pool,
			       CALLER_RESERVE)) {
		tablemem_pool_drain(rmap->mem, &rmap->account, &pool);
		return IOMMUABS_E_NOMEM;
	}
	ia_lock(host, &rmap->lock);
	while (pool.nr)
		tablemem_pool_put(host, &rmap->reserve,
				  tablemem_pool_take(host, &pool));
	ia_unlock(host, &rmap->lock);
	return 0;
}

void rmap_reserve_shrink(struct rmap *rmap)
{
	const struct hostif *host = rmap->mem->host;
	struct tablemem_pool pool = { 0 };
	uint32_t missing, i;

	ia_lock(host, &rmap->lock);
	missing = IA_MIN(port_load32(&rmap->reserve_missing), CALLER_RESERVE);
	port_add32(&rmap->reserve_missing, -missing);
	for (i = missing; i < CALLER_RESERVE; i++)
		tablemem_pool_put(host, &pool,
				  tablemem_pool_take(host, &rmap->reserve));
	ia_unlock(host, &rmap->lock);
	tablemem_pool_drain(rmap->mem, &rmap->account, &pool);
}

/* ---- the whole ---- */

static int trees_init(struct rmap *rmap)
{
	const struct hostif *host = rmap->mem->host;
	unsigned int i;
	int st;

	rmap->trees = tablemem_object_alloc(rmap->mem, TREES_SIZE);
	if (!rmap->trees)
		return IOMMUABS_E_NOMEM;
	for (i = 0; i < RMAP_LOCKS; i++) {
		st = ia_lock_init(host, &rmap->trees[i].lock,
				  IOMMUABS_LOCK_RMAP);
		if (st)
			break;
	}
	if (i == RMAP_LOCKS)
		return 0;
	while (i)
		ia_lock_exit(host, &rmap->trees[--i].lock);
	tablemem_object_free(rmap->mem, rmap->trees, TREES_SIZE);
	return st;
}

static void trees_exit(struct rmap *rmap)
{
	unsigned int i;

	for (i = 0; i < RMAP_LOCKS; i++)
		ia_lock_exit(rmap->mem->host, &rmap->trees[i].lock);
	tablemem_object_free(rmap->mem, rmap->trees, TREES_SIZE);
}

int rmap_init(struct rmap *rmap, struct tablemem *mem)
{
	const struct hostif *host = mem->host;
	uint64_t root;
	int st;

	*rmap = (struct rmap){ .mem = mem };
	rmap->seed = hostif_time_us(host) * SEED_FACTOR ^ (uintptr_t)rmap;
	st = ia_lock_init(host, &rmap->lock, IOMMUABS_LOCK_UNIT);
	if (st)
		return st;
	st = trees_init(rmap);
	if (st)
		goto no_trees;
	st = tablemem_alloc(mem, &rmap->account, IOMMUABS_FRAME_LG2, 0, &root);
	if (st)
		goto no_root;
	rmap->pt = (struct pt){
		.ops = &pt_rmap_ops,
		.host = host,
		.root = root,
		.granule_lg2 = IOMMUABS_FRAME_LG2,
		.root_lg2 = IOMMUABS_FRAME_LG2,
		.top = (ADDRESS_BITS - IOMMUABS_FRAME_LG2 - 1) /
		       RMAP_LEVEL_BITS,
		.in_bits = ADDRESS_BITS,
		.out_bits = ADDRESS_BITS,
		.leaf_mask = LEAF_MASK,
	};
	rmap->pt.ops->init_root(&rmap->pt);
	return 0;
no_root:
	trees_exit(rmap);
no_trees:
	ia_lock_exit(host, &rmap->lock);
	return st;
}

void rmap_exit(struct rmap *rmap)
{
	uint64_t budget = ~(uint64_t)0;

	tablemem_pool_drain(rmap->mem, &rmap->account, &rmap->reserve);
	pt_free_tables(&rmap->pt, rmap->pt.root | rmap->pt.top, rmap->mem,
		       &rmap->account, &budget);
	trees_exit(rmap);
	ia_lock_exit(rmap->mem->host, &rmap->lock);
}
