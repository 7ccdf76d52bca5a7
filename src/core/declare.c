/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * declare.c - a declaration about frames comes into force, or goes
 *
 * Nobody is inside any domain meanwhile: the instance's gate is held alone, then
 * every domain's, in the order of their numbers. So a claim is decided under one
 * declaration and released under another only where that makes no difference.
 *
 * All that can fail comes first. A fixed declaration is entered in each guest, as
 * a mapping like others; taking one back is to unmap it everywhere, which waits
 * for units: until none has it any more the declaration stands.
 */
#include "change.h"

struct declaration {
	struct iommuabs *abs;
	uint64_t mfn, nr;
	const struct frames_policy *policy;
	struct tablemem_pool pool; /* for frames.pt */
};

static bool is_fixed(const struct frames_policy *policy)
{
	return policy->kind == IOMMUABS_FRAMES_FIXED;
}

/* Everybody out, and nobody in. A SERIALISED domain has no gate: its caller
 * promised to be here. */
static void domains_shut(struct iommuabs *abs)
{
	struct iommuabs_domain *dom = NULL;

	instance_enter_alone(abs);
	while ((dom = domain_after_number(abs, dom ? dom->owner.number : 0)))
		domain_enter_alone(dom);
}

static void domains_open(struct iommuabs *abs)
{
	struct iommuabs_domain *dom;

	for (dom = abs->domains; dom; dom = dom->next)
		domain_leave_alone(dom);
	instance_leave_alone(abs);
}

static bool is_alike(const struct declaration *decl, uint64_t mfn,
		     const struct frames_policy *there)
{
	const struct frames_policy *policy = decl->policy;

	if (there->kind != policy->kind || !is_fixed(policy))
		return there->kind == policy->kind;
	return there->flags == policy->flags &&
	       there->gfn - policy->gfn == mfn - decl->mfn;
}

/*
 * *@differs: something is to be done; *@fixed: some frame is declared fixed.
 * 0 | E_BUSY: fixed otherwise.
 */
static int survey(const struct declaration *decl, bool *differs, bool *fixed)
{
	uint64_t mfn = decl->mfn, left = decl->nr, nr;
	struct frames_policy there;

	*differs = *fixed = false;
	for (; left; mfn += nr, left -= nr) {
		nr = frames_policy(decl->abs, mfn, left, &there);
		*fixed = *fixed || is_fixed(&there);
		if (is_alike(decl, mfn, &there))
			continue;
		*differs = true;
		if (is_fixed(&there) && is_fixed(decl->policy))
			return IOMMUABS_E_BUSY;
	}
	return 0;
}

/* Does @dom have the frame where it is to be fixed, as it must be then? */
static bool is_in_place(struct iommuabs_domain *dom, uint64_t mfn, uint64_t gfn)
{
	struct pt_leaf leaf;

	return dom && !dom->destroying &&
	       dom->ledger.ops->lookup(&dom->ledger, gfn, &leaf) &&
	       leaf.out == mfn &&
	       (leaf.attr & PT_LEDGER_STATE) == PT_LEDGER_MAPPED;
}

/* Is a place of @mfn against what is to be declared? */
static bool contradicts(const struct declaration *decl, uint64_t mfn,
			const struct rmap_place *place)
{
	uint64_t gfn;

	if (place->host)
		return false;
	switch (decl->policy->kind) {
	case IOMMUABS_FRAMES_EXCLUSIVE:
		return place->shared;
	case IOMMUABS_FRAMES_HOST:
		return true;
	case IOMMUABS_FRAMES_FIXED:
		gfn = decl->policy->gfn + (mfn - decl->mfn);
		return place->gfn != gfn ||
		       !is_in_place(domain_find(decl->abs, place->number), mfn,
				    gfn);
	default:
		return false;
	}
}

/* A frame with records: all of its places. */
static bool frame_contradicts(const struct declaration *decl, uint64_t mfn)
{
	struct rmap_place place, after;
	bool any = false;

	while (rmap_places(&decl->abs->rmap, mfn, -1, any ? &after : NULL,
			   &place, 1)) {
		if (contradicts(decl, mfn, &place))
			return true;
		after = place;
		any = true;
	}
	return false;
}

static bool stretch_contradicts(const struct declaration *decl,
				const struct rmap_stretch *stretch)
{
	struct rmap_place place = stretch->place;
	uint64_t i;

	if (!stretch->alone)
		return frame_contradicts(decl, stretch->mfn);
	/* Only what is fixed depends on where exactly a place is. */
	for (i = 0; i < (is_fixed(decl->policy) ? stretch->nr : 1); i++) {
		if (contradicts(decl, stretch->mfn + i, &place))
			return true;
		place.gfn++;
	}
	return false;
}

static bool any_contradicts(const struct declaration *decl)
{
	uint64_t mfn = decl->mfn, end = mfn + decl->nr, budget;
	struct rmap_stretch stretch;

	while (mfn < end) {
		budget = ~(uint64_t)0;
		rmap_next(&decl->abs->rmap, mfn, end, &budget, &stretch);
		if (stretch.nr && stretch_contradicts(decl, &stretch))
			return true;
		mfn = stretch.mfn + stretch.nr;
	}
	return false;
}

/* ---- the map of declarations ---- */

static int root_make(struct iommuabs *abs)
{
	struct pt *pt = &abs->frames.pt;
	uint64_t root;
	int ret;

	if (pt->root)
		return 0;
	ret = tablemem_alloc(&abs->mem, &abs->frames.account,
			     IOMMUABS_FRAME_LG2, 0, &root);
	if (ret)
		return ret;
	*pt = abs->rmap.pt;
	pt->ops = &pt_ledger_ops;
	pt->root = root;
	pt->ops->init_root(pt);
	return 0;
}

static int pool_fill(struct declaration *decl, uint32_t nr)
{
	return tablemem_pool_fill(&decl->abs->mem, &decl->abs->frames.account,
				  &decl->pool, nr);
}

/* Cut at both ends, which nobody sees, and take what the rest can need. */
static int policy_reserve(struct declaration *decl)
{
	const struct pt_edit same = { .kind = PT_EDIT_ATTR };
	struct pt *pt = &decl->abs->frames.pt;
	struct pt_run run;
	int ret;

	ret = root_make(decl->abs);
	if (!ret)
		ret = pool_fill(decl, pt_cut_need(pt, decl->mfn, decl->nr));
	if (ret)
		return ret;
	(void)pt->ops->edit(pt, decl->mfn, decl->nr, &same, &decl->pool, NULL,
			    &run);
	frames_run_of(decl->mfn, decl->nr, decl->policy, &run);
	return pool_fill(decl, pt->ops->count(pt, run.in, run.out, run.nr));
}

static void policy_enter(struct declaration *decl)
{
	const struct pt_edit clear = { .kind = PT_EDIT_CLEAR };
	struct frames *frames = &decl->abs->frames;
	const struct pt *pt = &frames->pt;
	uint64_t end = decl->mfn + decl->nr, done;
	struct tablemem_pool none = { 0 };
	enum pt_status status;
	struct pt_run run;

	(void)pt->ops->edit(pt, decl->mfn, decl->nr, &clear, &none, NULL, &run);
	if (decl->policy->kind == IOMMUABS_FRAMES_EXCLUSIVE)
		return;
	frames_run_of(decl->mfn, decl->nr, decl->policy, &run);
	status = pt->ops->map(pt, &run, &decl->pool, &done);
	iommuabs_assert(status == PT_OK);
	(void)status;
	if (!frames->end || decl->mfn < frames->first)
		port_store64_release(&frames->first, decl->mfn);
	if (end > frames->end)
		port_store64_release(&frames->end, end);
}

/* ---- what is fixed, in every guest ---- */

static bool fixed_concerns(const struct declaration *decl,
			   const struct iommuabs_domain *dom)
{
	return !dom->destroying &&
	       frames_fixed_fits(dom, decl->policy->gfn, decl->nr);
}

static struct mapping fixed_mapping(const struct declaration *decl)
{
	return (struct mapping){ decl->policy->gfn, decl->mfn, decl->nr,
				 decl->policy->flags };
}

/* Tables in all guests, or in none. */
static int fixed_reserve(const struct declaration *decl)
{
	const struct mapping map = fixed_mapping(decl);
	struct frames *frames = &decl->abs->frames;
	struct iommuabs_domain *dom;
	int ret = 0;

	/* Whoever makes a table looks at this after marking it. */
	port_store64(&frames->coming, decl->mfn);
	port_store64(&frames->nr_coming, decl->nr);
	port_mb();
	if (tablemem_holds(&decl->abs->mem, decl->mfn, decl->nr) ||
	    registers_overlap(decl->abs, decl->mfn, decl->nr))
		return IOMMUABS_E_PERM;
	for (dom = decl->abs->domains; dom && !ret; dom = dom->next)
		if (fixed_concerns(decl, dom))
			ret = map_fixed_reserve(dom, &map, &dom->coming);
	return ret;
}

static void fixed_give_up(const struct declaration *decl)
{
	struct iommuabs_domain *dom;

	for (dom = decl->abs->domains; dom; dom = dom->next)
		spares_put(dom, &dom->coming);
}

static void fixed_enter(const struct declaration *decl)
{
	const struct mapping map = fixed_mapping(decl);
	struct iommuabs_domain *dom;

	for (dom = decl->abs->domains; dom; dom = dom->next)
		if (fixed_concerns(decl, dom))
			map_fixed_enter(dom, &map, &dom->coming);
}

/* One stretch of frames that were fixed at @gfn leaves @dom. */
static int fixed_leave(struct iommuabs_domain *dom, uint64_t mfn, uint64_t gfn,
		       uint64_t nr)
{
	uint64_t at = gfn, end = gfn + nr;
	struct batch own;
	struct pt_run run;
	int ret = 0, paid;

	if (!frames_fixed_fits(dom, gfn, nr))
		return 0;
	batch_begin(&own, dom);
	for (; !ret && ledger_next(dom, at, end, &run); at = run.in + run.nr) {
		if (run.out - mfn != run.in - gfn)
			continue;
		ret = remove_run(dom, run.in, run.nr, &own);
		paid = batch_pay(&own);
		ret = ret ? ret : paid;
	}
	return ret;
}

/* Every guest loses what was fixed in the range. */
static int fixed_withdraw(const struct declaration *decl)
{
	uint64_t mfn = decl->mfn, left = decl->nr, nr;
	struct iommuabs_domain *dom;
	struct frames_policy there;
	int ret = 0;

	for (dom = decl->abs->domains; dom; dom = dom->next)
		if (dom->destroying && !dom->owner.host)
			return IOMMUABS_E_BUSY;
	for (; left && !ret; mfn += nr, left -= nr) {
		nr = frames_policy(decl->abs, mfn, left, &there);
		dom = is_fixed(&there) ? decl->abs->domains : NULL;
		for (; dom && !ret; dom = dom->next)
			ret = fixed_leave(dom, mfn, there.gfn, nr);
	}
	return ret;
}

static int declare(struct declaration *decl)
{
	bool differs, fixed;
	int ret = survey(decl, &differs, &fixed);

	if (ret || !differs)
		return ret;
	if (any_contradicts(decl))
		return IOMMUABS_E_BUSY;
	ret = policy_reserve(decl);
	if (!ret && is_fixed(decl->policy)) {
		ret = fixed_reserve(decl);
		if (ret)
			fixed_give_up(decl);
	} else if (!ret && fixed) {
		ret = fixed_withdraw(decl);
	}
	if (ret)
		return ret;
	/* Places that were kept go as they came, by what was declared so far. */
	if (is_fixed(decl->policy))
		fixed_enter(decl);
	policy_enter(decl);
	return 0;
}

int frames_declare(struct iommuabs *abs, uint64_t mfn, uint64_t nr,
		   const struct frames_policy *policy)
{
	struct declaration decl = { abs, mfn, nr, policy, { 0 } };
	int ret;

	domains_shut(abs);
	ret = declare(&decl);
	port_store64_release(&abs->frames.nr_coming, 0);
	domains_open(abs);
	tablemem_pool_drain(&abs->mem, &abs->frames.account, &decl.pool);
	return ret;
}
