/* SPDX-License-Identifier: BSD-2-Clause */
#include "rmap_tree.h"

/* Negative, 0, positive: @a is before, the same as, after @b. */
static int compare(const struct rmap_extra *a, const struct rmap_extra *b)
{
	uint64_t a_gfn = rmap_extra_gfn(a), b_gfn = rmap_extra_gfn(b);

	if (a->mfn_number != b->mfn_number)
		return a->mfn_number < b->mfn_number ? -1 : 1;
	return (a_gfn > b_gfn) - (a_gfn < b_gfn);
}

/* A bijection in which every bit of @x reaches every bit of the result. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 32) * 0xd6e8feb86659fd93;
	x = (x ^ x >> 32) * 0xd6e8feb86659fd93;
	return x ^ x >> 32;
}

static uint64_t priority(uint64_t seed, const struct rmap_extra *extra)
{
	return mix(mix(seed ^ extra->mfn_number) + rmap_extra_gfn(extra));
}

void rmap_tree_insert(struct rmap_extra **root, uint64_t seed,
		      struct rmap_extra *extra)
{
	uint64_t own = priority(seed, extra);
	struct rmap_extra **link = root, **before, **after, *node;

	while (*link && priority(seed, *link) >= own)
		link = compare(extra, *link) < 0 ? &(*link)->left
						 : &(*link)->right;
	/* Divide what was there into the records before and after this one. */
	node = *link;
	*link = extra;
	before = &extra->left;
	after = &extra->right;
	while (node) {
		if (compare(extra, node) < 0) {
			*after = node;
			after = &node->left;
			node = node->left;
		} else {
			*before = node;
			before = &node->right;
			node = node->right;
		}
	}
	*before = NULL;
	*after = NULL;
}

struct rmap_extra *rmap_tree_remove(struct rmap_extra **root, uint64_t seed,
				    const struct rmap_extra *key)
{
	struct rmap_extra **link = root, *found, *left, *right;
	int order;

	while (*link && (order = compare(key, *link)))
		link = order < 0 ? &(*link)->left : &(*link)->right;
	found = *link;
	if (!found)
		return NULL;
	left = found->left;
	right = found->right;
	while (left && right) {
		if (priority(seed, left) >= priority(seed, right)) {
			*link = left;
			link = &left->right;
			left = left->right;
		} else {
			*link = right;
			link = &right->left;
			right = right->left;
		}
	}
	*link = left ? left : right;
	return found;
}

/* The first record for which compare() with @key gives @order or more. */
static struct rmap_extra *first(struct rmap_extra *root,
				const struct rmap_extra *key, int order)
{
	struct rmap_extra *found = NULL;

	while (root) {
		if (compare(root, key) >= order) {
			found = root;
			root = root->left;
		} else {
			root = root->right;
		}
	}
	return found;
}

struct rmap_extra *rmap_tree_first(struct rmap_extra *root,
				   const struct rmap_extra *key)
{
	return first(root, key, 0);
}

struct rmap_extra *rmap_tree_next(struct rmap_extra *root,
				  const struct rmap_extra *key)
{
	return first(root, key, 1);
}
