/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frames.c - who may see which frame: the gate in front of the reverse map (C13)
 *
 * What was declared about frames is a map of its own, mfn -> kind, in the
 * ledger's format, that changes only while nobody is inside a domain (declare.c).
 * A new place is held against it, then against the host's books, if it keeps any,
 * then against the reverse map, and last against the library's own memory.
 *
 * A frame that is declared fixed has its gfn in the declaration. In a guest it can
 * be there and nowhere else, so no place of it is entered: the domain's ledger at
 * that gfn says whether it is.
 */
#include "change.h"

#define KIND_SHARED ((uint64_t)0x00)
#define KIND_FIXED  ((uint64_t)0x40)
#define KIND_HOST   ((uint64_t)0x80)
#define KIND_CLOSED ((uint64_t)0xc0)

static uint64_t attr_of(const struct frames_policy *policy)
{
	switch (policy->kind) {
	case IOMMUABS_FRAMES_SHARED:
		return KIND_SHARED;
	case IOMMUABS_FRAMES_FIXED:
		return KIND_FIXED | policy->flags;
	case IOMMUABS_FRAMES_HOST:
		return KIND_HOST;
	default:
		return KIND_CLOSED;
	}
}

static enum iommuabs_frame_kind kind_of(uint64_t attr)
{
	switch (attr & PT_LEDGER_STATE) {
	case KIND_SHARED:
		return IOMMUABS_FRAMES_SHARED;
	case KIND_FIXED:
		return IOMMUABS_FRAMES_FIXED;
	case KIND_HOST:
		return IOMMUABS_FRAMES_HOST;
	default:
		return IOMMUABS_FRAMES_CLOSED;
	}
}

void frames_run_of(uint64_t mfn, uint64_t nr,
		   const struct frames_policy *policy, struct pt_run *run)
{
	const bool fixed = policy->kind == IOMMUABS_FRAMES_FIXED;

	*run = (struct pt_run){ mfn, fixed ? policy->gfn : mfn, nr,
				attr_of(policy) };
}

void frames_policy_of(const struct pt_run *run, struct frames_policy *policy)
{
	*policy = (struct frames_policy){ .kind = kind_of(run->attr) };
	if (policy->kind == IOMMUABS_FRAMES_FIXED) {
		policy->gfn = run->out;
		policy->flags = (uint32_t)(run->attr & PT_LEDGER_FLAGS);
	}
}

uint64_t frames_policy(const struct iommuabs *abs, uint64_t mfn, uint64_t nr,
		       struct frames_policy *policy)
{
	const struct pt *pt = &abs->frames.pt;
	uint64_t budget = ~(uint64_t)0;
	struct pt_run run;

	*policy = (struct frames_policy){ .kind = IOMMUABS_FRAMES_EXCLUSIVE };
	if (frames_are_far(abs, mfn, nr) ||
	    pt->ops->next(pt, mfn, mfn + nr, &budget, &run) != PT_OK)
		return nr;
	if (run.in > mfn)
		return run.in - mfn;
	frames_policy_of(&run, policy);
	return run.nr;
}

bool frames_any_fixed(const struct iommuabs *abs, uint64_t mfn, uint64_t nr)
{
	struct frames_policy policy;
	uint64_t piece;

	for (; nr; mfn += piece, nr -= piece) {
		piece = frames_policy(abs, mfn, nr, &policy);
		if (policy.kind == IOMMUABS_FRAMES_FIXED)
			return true;
	}
	return false;
}

bool frames_in_use(struct iommuabs *abs, uint64_t mfn, uint64_t nr)
{
	uint64_t coming = port_load64_acquire(&abs->frames.nr_coming);
	uint64_t first = port_load64(&abs->frames.coming);

	if (mfn < first + coming && first < mfn + nr)
		return true;
	return frames_any_fixed(abs, mfn, nr) ||
	       rmap_is_mapped(&abs->rmap, mfn, nr);
}

bool frames_fixed_at(const struct iommuabs_domain *dom, uint64_t mfn,
		     uint64_t *gfn)
{
	struct frames_policy policy;

	if (dom->owner.host || frames_are_far(dom->abs, mfn, 1))
		return false;
	(void)frames_policy(dom->abs, mfn, 1, &policy);
	*gfn = policy.gfn;
	return policy.kind == IOMMUABS_FRAMES_FIXED;
}

bool frames_are_tables(struct iommuabs_domain *dom, uint64_t mfn, uint64_t nr)
{
	struct tablemem *mem = &dom->abs->mem;

	return domain_has_rmap(dom) ? tablemem_holds(mem, mfn, nr)
				    : tablemem_may_hold(mem, mfn, nr);
}

/* What the host's books say: 0, IOMMUABS_FRAMES_VOUCHED or an error. */
static int host_allows(struct iommuabs_domain *dom,
		       const struct rmap_range *range, uint32_t flags)
{
	const struct hostif *host = &dom->abs->host;
	const struct iommuabs_frames_query query = {
		.dom_cookie = dom->cookie,
		.gfn = IOMMUABS_GFN(range->gfn),
		.mfn = IOMMUABS_MFN(range->mfn),
		.nr = range->nr,
		.flags = flags & ~IOMMUABS_REPLACE,
	};
	uint32_t hook;
	int answer;

	if (!host->ops.frames_allowed)
		return 0;
	caller_waits(host);
	hook = caller_hook(host, CALLER_HOOK_CLOSED);
	answer = host->ops.frames_allowed(host->ctx, &query);
	(void)caller_hook(host, hook);
	return answer > IOMMUABS_FRAMES_VOUCHED ? IOMMUABS_E_INVAL : answer;
}

/* May a guest see these frames, which are declared alike? 0 or an error; *@kind:
 * of the places. */
static int guest_may(struct iommuabs_domain *dom,
		     const struct rmap_range *range,
		     const struct frames_policy *policy, uint32_t flags,
		     uint32_t *kind)
{
	int answer;

	switch (policy->kind) {
	case IOMMUABS_FRAMES_FIXED:
		return policy->gfn == range->gfn ? 0 : IOMMUABS_E_PERM;
	case IOMMUABS_FRAMES_HOST:
		return IOMMUABS_E_PERM;
	default:
		break;
	}
	answer = host_allows(dom, range, flags);
	if (answer < 0)
		return answer;
	if ((flags & IOMMUABS_FOREIGN) || answer == IOMMUABS_FRAMES_VOUCHED)
		*kind = RMAP_FOREIGN;
	else if (policy->kind == IOMMUABS_FRAMES_SHARED)
		*kind = RMAP_SHARED;
	return 0;
}

/* Claim as much of the head of @range as is declared alike; nr becomes that. */
static int piece_claim(struct iommuabs_domain *dom, struct rmap_range *range,
		       uint32_t flags)
{
	struct frames_policy policy;
	int ret = 0;

	range->nr = frames_policy(dom->abs, range->mfn, range->nr, &policy);
	range->kind = RMAP_OWNING;
	if (policy.kind == IOMMUABS_FRAMES_CLOSED)
		return IOMMUABS_E_PERM;
	if (!dom->owner.host)
		ret = guest_may(dom, range, &policy, flags, &range->kind);
	else if (flags & IOMMUABS_FOREIGN)
		range->kind = RMAP_FOREIGN;
	if (ret || !domain_has_rmap(dom) ||
	    (policy.kind == IOMMUABS_FRAMES_FIXED && !dom->owner.host))
		return ret;
	return rmap_claim(&dom->abs->rmap, &dom->owner, range);
}

int places_claim(struct iommuabs_domain *dom, const struct rmap_range *range,
		 uint32_t flags)
{
	struct rmap_range piece = *range, done = *range;
	uint64_t left = range->nr;
	int ret = 0;

	while (left) {
		piece.nr = left;
		ret = piece_claim(dom, &piece, flags);
		if (ret)
			break;
		piece.mfn += piece.nr;
		piece.gfn += piece.nr;
		left -= piece.nr;
	}
	if (!ret)
		ret = frames_check(dom, range->mfn, range->nr);
	if (ret) {
		done.nr -= left;
		places_release(dom, &done);
	}
	return ret;
}

/*
 * Leaves of the reverse map may span what is declared otherwise by now, but not a
 * fixed frame: only there the range is cut.
 */
void places_release(struct iommuabs_domain *dom, const struct rmap_range *range)
{
	struct rmap_range stretch = *range;
	struct frames_policy policy;
	uint64_t left = range->nr, nr;

	if (!domain_has_rmap(dom))
		return;
	if (dom->owner.host || frames_are_far(dom->abs, range->mfn, left)) {
		if (left)
			rmap_release(&dom->abs->rmap, &dom->owner, range);
		return;
	}
	for (stretch.nr = 0; left; left -= nr) {
		nr = frames_policy(dom->abs, stretch.mfn + stretch.nr, left,
				   &policy);
		if (policy.kind != IOMMUABS_FRAMES_FIXED) {
			stretch.nr += nr;
			continue;
		}
		if (stretch.nr)
			rmap_release(&dom->abs->rmap, &dom->owner, &stretch);
		stretch.mfn += stretch.nr + nr;
		stretch.gfn += stretch.nr + nr;
		stretch.nr = 0;
	}
	if (stretch.nr)
		rmap_release(&dom->abs->rmap, &dom->owner, &stretch);
}

uint64_t places_release_some(struct iommuabs_domain *dom,
			     const struct rmap_range *range, uint64_t *budget)
{
	struct rmap_range piece = *range;
	struct frames_policy policy;

	if (!dom->owner.host) {
		piece.nr =
			frames_policy(dom->abs, range->mfn, range->nr, &policy);
		if (policy.kind == IOMMUABS_FRAMES_FIXED) {
			*budget -= IA_MIN(*budget, 1);
			return piece.nr;
		}
	}
	return rmap_release_some(&dom->abs->rmap, &dom->owner, &piece, budget);
}

/* A domain that can't address the gfns of a declaration goes without. */
bool frames_fixed_fits(const struct iommuabs_domain *dom, uint64_t gfn,
		       uint64_t nr)
{
	uint64_t all = IA_BITS(dom->input_bits - IOMMUABS_FRAME_LG2) + 1;

	return !dom->owner.host && nr <= all && gfn <= all - nr;
}

int frames_enter_fixed(struct iommuabs_domain *dom)
{
	const struct frames *frames = &dom->abs->frames;
	uint64_t end = port_load64_acquire(&frames->end), nr;
	uint64_t at = port_load64(&frames->first);
	struct frames_policy policy;
	struct batch own;
	int ret = 0, paid;

	batch_begin(&own, dom);
	for (; at < end && !ret; at += nr) {
		nr = frames_policy(dom->abs, at, end - at, &policy);
		if (policy.kind == IOMMUABS_FRAMES_FIXED &&
		    frames_fixed_fits(dom, policy.gfn, nr)) {
			const struct mapping map = { policy.gfn, at, nr,
						     policy.flags };

			ret = map_run(dom, &map, &own);
		}
	}
	paid = batch_pay(&own);
	return ret ? ret : paid;
}

void frames_exit(struct iommuabs *abs)
{
	struct pt *pt = &abs->frames.pt;
	uint64_t budget = ~(uint64_t)0;

	if (pt->root)
		pt_free_tables(pt, pt->root | pt->top, &abs->mem,
			       &abs->frames.account, &budget);
}
