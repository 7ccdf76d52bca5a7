/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rmap_records.c - further places of frames: who pays for them, whose they are
 */
#include "rmap_parts.h"

#define CHARGE_RECORDS 128 /* per frame: 32 bytes each */

static uint64_t charge_of(uint64_t extras)
{
	return (extras + CHARGE_RECORDS - 1) / CHARGE_RECORDS;
}

static int extras_charge(struct rmap *rmap, struct rmap_owner *owner,
			 uint64_t nr)
{
	const struct hostif *host = rmap->mem->host;
	int st;

	ia_lock(host, &rmap->lock);
	st = tablemem_charge(owner->account, charge_of(owner->extras + nr) -
						     charge_of(owner->extras));
	if (!st)
		owner->extras += nr;
	ia_unlock(host, &rmap->lock);
	return st;
}

static void extras_uncharge(struct rmap *rmap, struct rmap_owner *owner,
			    uint64_t nr)
{
	const struct hostif *host = rmap->mem->host;

	ia_lock(host, &rmap->lock);
	tablemem_uncharge(owner->account,
			  charge_of(owner->extras) -
				  charge_of(owner->extras - nr));
	owner->extras -= nr;
	ia_unlock(host, &rmap->lock);
}

void rmap_extras_free(struct rmap *rmap, struct rmap_owner *owner,
		      struct rmap_extra *list)
{
	uint64_t nr = 0;

	for (; list; nr++)
		tablemem_object_free(rmap->mem, rmap_list_take(&list),
				     sizeof(*list));
	if (nr)
		extras_uncharge(rmap, owner, nr);
}

int rmap_extras_alloc(struct rmap *rmap, struct rmap_owner *owner, uint64_t nr,
		      struct rmap_extra **list)
{
	struct rmap_extra *got = NULL, *extra;
	uint64_t i;
	int st;

	st = extras_charge(rmap, owner, nr);
	if (st)
		return st;
	for (i = 0; i < nr; i++) {
		extra = tablemem_object_alloc(rmap->mem, sizeof(*extra));
		if (!extra) {
			rmap_extras_free(rmap, owner, got);
			extras_uncharge(rmap, owner, nr - i);
			return IOMMUABS_E_NOMEM;
		}
		rmap_list_put(&got, extra);
	}
	*list = got;
	return 0;
}

enum rmap_tree_owner rmap_tree_owner(const struct rmap_tree *tree, uint64_t mfn,
				     uint16_t number)
{
	struct rmap_extra key, *extra;

	rmap_extra_set(&key, mfn, 0, 0, 0);
	extra = rmap_tree_first(tree->root, &key);
	for (; extra && rmap_extra_mfn(extra) == mfn;
	     extra = rmap_tree_next(tree->root, extra)) {
		if (rmap_extra_owns(extra))
			return rmap_extra_number(extra) == number
				       ? RMAP_TREE_SAME
				       : RMAP_TREE_OTHER;
	}
	return RMAP_TREE_NOBODY;
}
