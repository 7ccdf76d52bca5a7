/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ledger.c - reading and marking what a domain maps
 */
#include "change.h"

bool ledger_next(const struct iommuabs_domain *dom, uint64_t gfn, uint64_t end,
		 struct pt_run *run)
{
	uint64_t budget = ~(uint64_t)0;

	if (gfn >= end)
		return false;
	return dom->ledger.ops->next(&dom->ledger, gfn, end, &budget, run) ==
	       PT_OK;
}

uint32_t ledger_state(uint64_t attr)
{
	switch (attr & PT_LEDGER_STATE) {
	case PT_LEDGER_UNSYNCED:
		return IOMMUABS_FRAME_UNSYNCED;
	case PT_LEDGER_WITHHELD:
		return IOMMUABS_FRAME_WITHHELD;
	default:
		return IOMMUABS_FRAME_MAPPED;
	}
}

void ledger_mark(struct iommuabs_domain *dom, uint64_t gfn, uint64_t nr,
		 uint64_t from, uint64_t to)
{
	const struct pt_edit edit = {
		.kind = PT_EDIT_ATTR,
		.if_mask = PT_LEDGER_STATE,
		.if_value = from,
		.clear = PT_LEDGER_STATE,
		.set = to,
	};
	struct tablemem_pool none = { 0 };
	struct pt_run at;
	enum pt_status status;

	status = dom->ledger.ops->edit(&dom->ledger, gfn, nr, &edit, &none,
				       NULL, &at);
	iommuabs_assert(status == PT_OK);
	(void)status;
}

void ledger_cut(struct iommuabs_domain *dom, uint64_t gfn, uint64_t nr,
		struct spares *spares)
{
	const struct pt_edit same = { .kind = PT_EDIT_ATTR };
	struct pt_run at;
	enum pt_status status;

	status = dom->ledger.ops->edit(&dom->ledger, gfn, nr, &same,
				       spares_for(spares, &dom->ledger), NULL,
				       &at);
	iommuabs_assert(status == PT_OK);
	(void)status;
}

uint64_t pt_slot_frames(const struct pt *pt, uint32_t level)
{
	return (uint64_t)1 << ((pt->granule_lg2 - 3) * level + pt->granule_lg2 -
			       IOMMUABS_FRAME_LG2);
}

/* The leaf at @gfn begins before it or is longer: where, and how long. */
static bool leaf_span(const struct pt *pt, uint64_t gfn, uint64_t *first,
		      uint64_t *frames, uint32_t *level)
{
	struct pt_leaf leaf;

	if (!pt->ops->lookup(pt, gfn, &leaf))
		return false;
	*level = leaf.level;
	*frames = pt_slot_frames(pt, leaf.level);
	*first = IA_ALIGN_DOWN(gfn, *frames);
	return true;
}

/* Levels that a cut at @gfn takes apart: the leaf there begins before it. */
static uint32_t cut_levels(const struct pt *pt, uint64_t gfn)
{
	uint32_t level = 31 - (uint32_t)__builtin_clz(pt->leaf_mask);
	uint64_t first, frames = pt_slot_frames(pt, level);

	if (!(gfn & (frames - 1))) /* not even the largest leaf is cut */
		return 0;
	if (!leaf_span(pt, gfn, &first, &frames, &level))
		return 0;
	return first == gfn ? 0 : level;
}

uint32_t pt_cut_need(const struct pt *pt, uint64_t gfn, uint64_t nr)
{
	uint32_t need = cut_levels(pt, gfn);

	if ((gfn + nr) >> (pt->in_bits - IOMMUABS_FRAME_LG2))
		return need;
	return need + cut_levels(pt, gfn + nr);
}

void pt_grow_to_leaves(const struct pt *pt, uint64_t *gfn, uint64_t *nr)
{
	uint64_t first, frames, end = *gfn + *nr;
	uint32_t level;

	if (leaf_span(pt, *gfn, &first, &frames, &level))
		*gfn = IA_MIN(*gfn, first);
	if (leaf_span(pt, end - 1, &first, &frames, &level))
		end = IA_MAX(end, first + frames);
	*nr = end - *gfn;
}
