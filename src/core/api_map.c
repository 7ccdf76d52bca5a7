/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * api_map.c - the shell of calls that change what is mapped: validate, enter,
 * call, leave
 */
#include "api_args.h"
#include "single.h"

static inline int change_enter(struct iommuabs_domain *dom,
			       const struct iommuabs_batch *batch)
{
	const struct batch *use = (const struct batch *)(const void *)batch;

	if ((use && use->magic != BATCH_MAGIC) ||
	    (dom->flags & IOMMUABS_DOMAIN_SCRATCH))
		return IOMMUABS_E_INVAL;
	if (use && use->dom != dom)
		return IOMMUABS_E_BUSY;
	domain_enter(dom);
	if (dom->destroying) {
		domain_leave(dom);
		return IOMMUABS_E_BUSY;
	}
	if (dom->source == IOMMUABS_SOURCE_P2M)
		port_add32(&dom->changes, 1);
	return 0;
}

/* The change's batch, or one of its own that ends with the call. */
static struct batch *change_batch(struct iommuabs_domain *dom,
				  struct iommuabs_batch *batch,
				  struct batch *own)
{
	if (batch)
		return batch_of(batch);
	batch_begin(own, dom);
	return own;
}

static int change_begin(struct iommuabs_domain *dom,
			struct iommuabs_batch *batch, struct batch *own,
			struct batch **use)
{
	int ret = change_enter(dom, batch);

	if (!ret)
		*use = change_batch(dom, batch, own);
	return ret;
}

static int change_end(struct iommuabs_domain *dom, struct batch *use,
		      const struct batch *own, int ret)
{
	int paid = use == own ? batch_pay(use) : 0;

	domain_leave(dom);
	return ret ? ret : paid;
}

static bool map_good(const struct iommuabs_domain *dom,
		     const struct mapping *map)
{
	return api_span_good(dom, map->gfn, map->nr) &&
	       mapping_flags_good(map->flags);
}

static bool identity_good(const struct iommuabs_domain *dom,
			  const struct mapping *map)
{
	return !(dom->flags & IOMMUABS_DOMAIN_IDENTITY) || map->gfn == map->mfn;
}

/* What takes more than entries in tables that are there. Leaves the gate. */
static __attribute__((__noinline__)) int map_any(struct iommuabs_domain *dom,
						 struct mapping map,
						 struct iommuabs_batch *batch)
{
	struct batch own, *use = change_batch(dom, batch, &own);

	return change_end(dom, use, &own, map_run(dom, &map, use));
}

int iommuabs_domain_map(struct iommuabs_domain *dom, iommuabs_gfn_t gfn,
			iommuabs_mfn_t mfn, uint64_t nr, uint32_t flags,
			struct iommuabs_batch *batch)
{
	const struct mapping map = { gfn.frame, mfn.frame, nr, flags };
	int ret;

	if (!dom || !map_good(dom, &map) || !identity_good(dom, &map) ||
	    !mapping_frames_good(mfn.frame, nr))
		return IOMMUABS_E_INVAL;
	ret = change_enter(dom, batch);
	if (ret)
		return ret;
	if (!map_single(dom, &map))
		return map_any(dom, map, batch);
	domain_leave(dom);
	return 0;
}

int iommuabs_domain_map_list(struct iommuabs_domain *dom, iommuabs_gfn_t gfn,
			     const iommuabs_mfn_t mfns[], uint64_t nr,
			     uint32_t flags, struct iommuabs_batch *batch)
{
	const struct mapping map = { gfn.frame, 0, nr, flags };
	struct mapping one = { gfn.frame, 0, 1, flags };
	struct batch own, *use;
	uint64_t i;
	int ret;

	if (!dom || !mfns || !map_good(dom, &map))
		return IOMMUABS_E_INVAL;
	for (i = 0; i < nr; i++) {
		one.gfn = gfn.frame + i;
		one.mfn = mfns[i].frame;
		if (!mapping_frames_good(one.mfn, 1) ||
		    !identity_good(dom, &one))
			return IOMMUABS_E_INVAL;
	}
	ret = change_begin(dom, batch, &own, &use);
	if (ret)
		return ret;
	ret = map_list(dom, &map, mfns, use);
	return change_end(dom, use, &own, ret);
}

int iommuabs_domain_unmap(struct iommuabs_domain *dom, iommuabs_gfn_t gfn,
			  uint64_t nr, struct iommuabs_batch *batch)
{
	const struct span span = { gfn.frame, nr };
	int ret;

	if (!dom || !api_span_good(dom, gfn.frame, nr))
		return IOMMUABS_E_INVAL;
	ret = change_enter(dom, batch);
	if (ret)
		return ret;
	ret = SINGLE_NOT_SIMPLE;
	if (!batch)
		ret = nr == 1 ? remove_single(dom, gfn.frame)
			      : remove_large(dom, &span);
	if (ret == SINGLE_NOT_SIMPLE)
		ret = remove_asked(dom, &span, batch ? batch_of(batch) : NULL);
	domain_leave(dom);
	return ret;
}

int iommuabs_domain_protect(struct iommuabs_domain *dom, iommuabs_gfn_t gfn,
			    uint64_t nr, uint32_t flags,
			    struct iommuabs_batch *batch)
{
	const struct mapping map = { gfn.frame, 0, nr, flags };
	struct batch own, *use;
	int ret;

	if (!dom || !api_span_good(dom, gfn.frame, nr) || !flags ||
	    flags & ~(IOMMUABS_READ | IOMMUABS_WRITE))
		return IOMMUABS_E_INVAL;
	ret = change_begin(dom, batch, &own, &use);
	if (ret)
		return ret;
	ret = protect_run(dom, &map, use);
	return change_end(dom, use, &own, ret);
}

/* Unlike other changes it enters the gate itself: the host's walk is outside. */
int iommuabs_domain_refresh(struct iommuabs_domain *dom, iommuabs_gfn_t gfn,
			    uint64_t nr, void *call_cookie,
			    struct iommuabs_batch *batch)
{
	const struct span span = { gfn.frame, nr };
	struct batch own, *use;
	int ret, paid = 0;

	if (!dom || !api_span_good(dom, gfn.frame, nr))
		return IOMMUABS_E_INVAL;
	if (!dom->abs->host.ops.p2m_walk)
		return IOMMUABS_E_NOTSUP;
	ret = change_begin(dom, batch, &own, &use);
	if (ret)
		return ret;
	domain_leave(dom);
	ret = refresh_run(dom, &span, call_cookie, use);
	if (use == &own) {
		domain_enter(dom);
		paid = batch_pay(&own);
		domain_leave(dom);
	}
	return ret ? ret : paid;
}

/* ---- batches ---- */

int iommuabs_batch_init(struct iommuabs_batch *batch,
			struct iommuabs_domain *dom)
{
	int ret = 0;

	if (!batch || !dom)
		return IOMMUABS_E_INVAL;
	domain_enter(dom);
	if (dom->destroying) {
		ret = IOMMUABS_E_BUSY;
	} else {
		batch_begin(batch_of(batch), dom);
		port_add32(&dom->nr_batches, 1);
	}
	domain_leave(dom);
	return ret;
}

int iommuabs_batch_sync(struct iommuabs_batch *batch)
{
	struct iommuabs_domain *dom;
	int ret;

	if (!batch || batch_of(batch)->magic != BATCH_MAGIC)
		return IOMMUABS_E_INVAL;
	dom = batch_of(batch)->dom;
	domain_enter(dom);
	ret = batch_pay(batch_of(batch));
	domain_leave(dom);
	return ret;
}

int iommuabs_batch_done(struct iommuabs_batch *batch)
{
	struct iommuabs_domain *dom;
	int ret;

	if (!batch || batch_of(batch)->magic != BATCH_MAGIC)
		return IOMMUABS_E_INVAL;
	dom = batch_of(batch)->dom;
	ret = iommuabs_batch_sync(batch);
	batch_of(batch)->magic = 0;
	port_add32(&dom->nr_batches, (uint32_t)-1);
	return ret;
}
