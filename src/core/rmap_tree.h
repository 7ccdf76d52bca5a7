/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rmap_tree.h - ordered trees of the further places of frames
 *
 * (device_index.c orders spans of ids in them: only the keys' order counts.)
 *
 * A treap: ordered by (mfn, number, gfn), and a heap by a hash of these that
 * begins with a seed, so that nobody who chooses frames chooses the depth. The
 * hash is computed when it is needed: a record is 32 bytes. Nothing recurses.
 * The caller locks.
 */
#ifndef IOMMUABS_CORE_RMAP_TREE_H
#define IOMMUABS_CORE_RMAP_TREE_H

#include "../host/hostif.h"

/* A further place, in the order of its words. */
struct rmap_extra {
	struct rmap_extra *left, *right;
	uint64_t mfn_number; /* mfn << 16 | number */
	uint64_t gfn_kind;   /* gfn << 3 | RMAP_EXTRA_* */
};

#define RMAP_EXTRA_FOREIGN ((uint64_t)1)
#define RMAP_EXTRA_HOST	   ((uint64_t)2)
#define RMAP_EXTRA_SHARED  ((uint64_t)4)
#define RMAP_EXTRA_KIND	   ((uint64_t)7)

static inline uint64_t rmap_extra_mfn(const struct rmap_extra *extra)
{
	return extra->mfn_number >> 16;
}

static inline uint16_t rmap_extra_number(const struct rmap_extra *extra)
{
	return (uint16_t)extra->mfn_number;
}

static inline uint64_t rmap_extra_gfn(const struct rmap_extra *extra)
{
	return extra->gfn_kind >> 3;
}

/* Does it own its frame? */
static inline bool rmap_extra_owns(const struct rmap_extra *extra)
{
	return !(extra->gfn_kind & RMAP_EXTRA_KIND);
}

/* Fill the key of @extra; @kind: RMAP_EXTRA_*. */
static inline void rmap_extra_set(struct rmap_extra *extra, uint64_t mfn,
				  uint16_t number, uint64_t gfn, uint64_t kind)
{
	extra->mfn_number = mfn << 16 | number;
	extra->gfn_kind = gfn << 3 | kind;
}

/* @extra's key is not in the tree. */
void rmap_tree_insert(struct rmap_extra **root, uint64_t seed,
		      struct rmap_extra *extra);

/* Take out the record with the key of @key (of any kind). NULL: none. */
struct rmap_extra *rmap_tree_remove(struct rmap_extra **root, uint64_t seed,
				    const struct rmap_extra *key);

/* The first record whose key is that of @key or later. NULL: none. */
struct rmap_extra *rmap_tree_first(struct rmap_extra *root,
				   const struct rmap_extra *key);

/* The first record whose key is later than that of @key. NULL: none. */
struct rmap_extra *rmap_tree_next(struct rmap_extra *root,
				  const struct rmap_extra *key);

#endif
