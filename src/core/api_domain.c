/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * api_domain.c - the shell of calls on domains: validate, enter, call, leave
 */
#include "api_args.h"
#include "api_struct.h"
#include "change.h"

static bool p2m_good(const struct iommuabs_p2m *p2m)
{
	if (p2m->flags & ~IOMMUABS_P2M_CLEANED ||
	    (uint32_t)p2m->format > IOMMUABS_P2M_NPT)
		return false;
	if (p2m->format == IOMMUABS_P2M_NONE)
		return true;
	return (p2m->granule_lg2 == 12 || p2m->granule_lg2 == 14 ||
		p2m->granule_lg2 == 16) &&
	       p2m->root && !(p2m->root & (IOMMUABS_FRAME_SIZE - 1)) &&
	       p2m->input_bits >= 25 && p2m->input_bits <= 57 &&
	       p2m->output_bits >= 32 && p2m->output_bits <= 52 &&
	       p2m->levels >= 1 && p2m->levels <= 5;
}

static bool values_good(const struct iommuabs_domain_config *config)
{
	return (uint32_t)config->strategy <= IOMMUABS_STRATEGY_MIRROR &&
	       (uint32_t)config->populate <= IOMMUABS_POPULATE_EAGER &&
	       (uint32_t)config->source <= IOMMUABS_SOURCE_P2M &&
	       (uint32_t)config->max_leaf <= IOMMUABS_LEAF_1G &&
	       (!config->input_bits ||
		(config->input_bits >= 32 && config->input_bits <= 52)) &&
	       config->callers <= DOMAIN_CALLERS_MAX;
}

static bool scratch_good(const struct iommuabs_domain_config *config)
{
	if (!(config->flags & IOMMUABS_DOMAIN_SCRATCH))
		return !(config->flags & IOMMUABS_DOMAIN_SINK);
	return !(config->flags & IOMMUABS_DOMAIN_IDENTITY) && !config->p2m &&
	       config->strategy != IOMMUABS_STRATEGY_SHARE &&
	       config->source == IOMMUABS_SOURCE_LEDGER;
}

static bool config_good(const struct iommuabs *abs,
			const struct iommuabs_domain_config *config)
{
	const uint32_t known = IOMMUABS_DOMAIN_SERIALISED |
			       IOMMUABS_DOMAIN_HOST | IOMMUABS_DOMAIN_IDENTITY |
			       IOMMUABS_DOMAIN_NO_REVERSE_MAP |
			       IOMMUABS_DOMAIN_SCRATCH | IOMMUABS_DOMAIN_SINK;
	const uint32_t host = IOMMUABS_DOMAIN_HOST | IOMMUABS_DOMAIN_IDENTITY |
			      IOMMUABS_DOMAIN_SCRATCH;

	if (config->flags & ~known || !values_good(config) ||
	    !scratch_good(config))
		return false;
	if ((config->flags & IOMMUABS_DOMAIN_NO_REVERSE_MAP) &&
	    !(config->flags & host))
		return false;
	if ((config->flags & IOMMUABS_DOMAIN_IDENTITY) &&
	    config->strategy == IOMMUABS_STRATEGY_SHARE)
		return false;
	return config->source != IOMMUABS_SOURCE_P2M || abs->host.ops.p2m_walk;
}

int iommuabs_domain_create(struct iommuabs *abs,
			   const struct iommuabs_domain_config *config,
			   struct iommuabs_domain **dom)
{
	struct iommuabs_domain_config copy;
	struct iommuabs_p2m p2m;
	int ret;

	if (!abs || !config || !dom)
		return IOMMUABS_E_INVAL;
	ret = api_struct_in(&copy, sizeof(copy), config);
	if (!ret && copy.p2m) {
		ret = api_struct_in(&p2m, sizeof(p2m), copy.p2m);
		copy.p2m = &p2m;
	}
	if (ret)
		return ret;
	if (!config_good(abs, &copy) || (copy.p2m && !p2m_good(&p2m)))
		return IOMMUABS_E_INVAL;
	return domain_create(abs, &copy, dom);
}

int iommuabs_domain_set_p2m(struct iommuabs_domain *dom,
			    const struct iommuabs_p2m *p2m)
{
	struct iommuabs_p2m copy;
	int ret;

	if (!dom || !p2m)
		return IOMMUABS_E_INVAL;
	ret = api_struct_in(&copy, sizeof(copy), p2m);
	if (ret)
		return ret;
	if (!p2m_good(&copy) || (dom->flags & IOMMUABS_DOMAIN_SCRATCH))
		return IOMMUABS_E_INVAL;
	return p2m_run(dom, &copy);
}

int iommuabs_domain_destroy(struct iommuabs_domain *dom, uint64_t budget)
{
	uint64_t left = api_budget(budget);

	if (!dom)
		return IOMMUABS_E_INVAL;
	caller_ends(&dom->abs->host);
	return domain_destroy(dom, &left);
}

static bool domain_is_read(const struct iommuabs_domain *dom)
{
	return port_load64(&dom->read) == VIEW_COMPLETE;
}

int iommuabs_domain_translate(struct iommuabs_domain *dom, iommuabs_gfn_t gfn,
			      iommuabs_mfn_t *mfn, uint32_t *flags)
{
	struct pt_leaf leaf;
	bool mapped;

	if (!dom || !mfn || !api_span_good(dom, gfn.frame, 1))
		return IOMMUABS_E_INVAL;
	if (!domain_is_read(dom))
		return IOMMUABS_E_NOTREADY;
	domain_enter(dom);
	mapped = dom->ledger.ops->lookup(&dom->ledger, gfn.frame, &leaf);
	domain_leave(dom);
	if (!mapped || (leaf.attr & PT_LEDGER_STATE) != PT_LEDGER_MAPPED)
		return IOMMUABS_E_NOENT;
	mfn->frame = leaf.out;
	if (flags)
		*flags = (uint32_t)(leaf.attr & PT_LEDGER_FLAGS);
	return 0;
}

/* gfn = mfn: by arithmetic, if it is mapped at all. */
static uint32_t identity_gfns(struct iommuabs_domain *dom, uint64_t mfn,
			      uint64_t *cursor, iommuabs_gfn_t gfns[])
{
	struct pt_leaf leaf;
	bool mapped;

	if (*cursor || !api_span_good(dom, mfn, 1))
		return 0;
	domain_enter(dom);
	mapped = dom->ledger.ops->lookup(&dom->ledger, mfn, &leaf);
	domain_leave(dom);
	*cursor = 1;
	if (!mapped)
		return 0;
	gfns[0].frame = mfn;
	return 1;
}

/* Where it was declared to be, if it is there. */
static uint32_t fixed_gfns(struct iommuabs_domain *dom, uint64_t mfn,
			   uint64_t gfn, uint64_t *cursor,
			   iommuabs_gfn_t gfns[])
{
	if (*cursor > gfn || !frame_is_fixed_in(dom, mfn, gfn))
		return 0;
	*cursor = gfn + 1;
	gfns[0].frame = gfn;
	return 1;
}

#define GFNS_AT_ONCE 16

int iommuabs_domain_gfns(struct iommuabs_domain *dom, iommuabs_mfn_t mfn,
			 uint64_t *cursor, iommuabs_gfn_t gfns[], uint32_t max,
			 uint32_t *nr)
{
	struct rmap_place places[GFNS_AT_ONCE], after = { 0 };
	uint32_t i, n, done = 0;
	uint64_t fixed;

	if (!dom || !cursor || !gfns || !max || !nr ||
	    !mapping_frames_good(mfn.frame, 1))
		return IOMMUABS_E_INVAL;
	if (!domain_is_read(dom))
		return IOMMUABS_E_NOTREADY;
	if (dom->flags & IOMMUABS_DOMAIN_IDENTITY) {
		*nr = identity_gfns(dom, mfn.frame, cursor, gfns);
		return 0;
	}
	if (!domain_has_rmap(dom))
		return IOMMUABS_E_NOTSUP;
	if (frames_fixed_at(dom, mfn.frame, &fixed)) {
		*nr = fixed_gfns(dom, mfn.frame, fixed, cursor, gfns);
		return 0;
	}
	/* The cursor is the gfn after the last one that was reported. */
	after.number = dom->owner.number;
	do {
		if (*cursor)
			after.gfn = *cursor - 1;
		n = rmap_places(&dom->abs->rmap, mfn.frame, dom->owner.number,
				*cursor ? &after : NULL, places,
				IA_MIN(max - done, GFNS_AT_ONCE));
		for (i = 0; i < n; i++)
			gfns[done + i].frame = places[i].gfn;
		done += n;
		if (n)
			*cursor = places[n - 1].gfn + 1;
	} while (n == GFNS_AT_ONCE && done < max);
	*nr = done;
	return 0;
}

int iommuabs_domain_populate(struct iommuabs_domain *dom,
			     struct iommuabs_device *dev, uint64_t budget)
{
	uint64_t left = api_budget(budget);
	int ret;

	if (!dom || (dev && dev->abs != dom->abs))
		return IOMMUABS_E_INVAL;
	if (dom->destroying)
		return IOMMUABS_E_BUSY;
	ret = dev ? attach_check(dev, dom, IOMMUABS_ALLOW_UNSAFE_MSI) : 0;
	return ret ? ret : populate_run(dom, dev, &left);
}

int iommuabs_domain_progress(struct iommuabs_domain *dom, uint64_t *done,
			     uint64_t *total)
{
	uint64_t all, least;
	const struct view *view;

	if (!dom || !done || !total)
		return IOMMUABS_E_INVAL;
	all = IA_BITS(dom->input_bits - IOMMUABS_FRAME_LG2) + 1;
	least = IA_MIN(all, port_load64(&dom->read));
	domain_enter(dom);
	for (view = dom->views; view; view = view->next)
		if (view->kind == VIEW_MIRROR)
			least = IA_MIN(least, view->filled);
	domain_leave(dom);
	*done = least;
	*total = all;
	return 0;
}

int iommuabs_domain_set_strategy(struct iommuabs_domain *dom,
				 enum iommuabs_strategy strategy,
				 uint32_t flags, uint64_t budget)
{
	uint64_t left = api_budget(budget);

	if (!dom || (uint32_t)strategy > IOMMUABS_STRATEGY_MIRROR ||
	    (flags & ~IOMMUABS_ALLOW_WINDOW))
		return IOMMUABS_E_INVAL;
	if ((dom->flags &
	     (IOMMUABS_DOMAIN_IDENTITY | IOMMUABS_DOMAIN_SCRATCH)) &&
	    strategy == IOMMUABS_STRATEGY_SHARE)
		return IOMMUABS_E_INVAL;
	return strategy_run(dom, strategy, flags, &left);
}

int iommuabs_domain_share_check(struct iommuabs_domain *dom,
				struct iommuabs_unit *unit,
				enum iommuabs_share_reason *reason)
{
	struct backend_table table;

	if (!dom || !unit || !reason || unit->abs != dom->abs)
		return IOMMUABS_E_INVAL;
	domain_enter(dom);
	*reason = share_reason(dom, unit, &table);
	domain_leave(dom);
	return 0;
}

int iommuabs_domain_dump(struct iommuabs_domain *dom, iommuabs_gfn_t gfn)
{
	if (!dom || gfn.frame >> (64 - IOMMUABS_FRAME_LG2))
		return IOMMUABS_E_INVAL;
	dump_gfn(dom, gfn.frame);
	return 0;
}

int iommuabs_domain_stats(struct iommuabs_domain *dom,
			  struct iommuabs_domain_stats *stats)
{
	struct iommuabs_domain_stats now = { .size = sizeof(now) };

	if (!dom || !stats || api_struct_check(stats))
		return IOMMUABS_E_INVAL;
	domain_report(dom, &now);
	api_struct_out(stats, &now, sizeof(now));
	return 0;
}

int iommuabs_domain_compact(struct iommuabs_domain *dom, uint64_t budget)
{
	uint64_t left = api_budget(budget);

	return dom ? compact_run(dom, &left) : IOMMUABS_E_INVAL;
}
