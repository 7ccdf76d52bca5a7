/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vtd_forget.c - what to forget, as descriptors (VT-d 6.5.2)
 */
#include "vtd.h"

#if IOMMUABS_CONFIG_VTD

/* More descriptors than this for one call: the whole domain-id instead. */
#define RANGES_MAX 12

/* ---- translations ---- */

struct invalidation {
	const struct vtd *vtd;
	const struct backend_inv *inv;
};

uint64_t vtd_iotlb_descriptor(const struct vtd *vtd, uint64_t granularity,
			      uint64_t id)
{
	/* What is in flight lands first, where a unit can see to that. */
	return field_put(VTD_DESC_TYPE, VTD_DESC_IOTLB) |
	       field_put(VTD_DESC_G, granularity) |
	       field_put(VTD_DESC_DID, id) |
	       field_put(VTD_IOTLB_DESC_DR, field_get(VTD_CAP_DRD, vtd->cap)) |
	       field_put(VTD_IOTLB_DESC_DW, field_get(VTD_CAP_DWD, vtd->cap));
}

/*
 * Blocks of 1 << @lg2 aligned pages: the largest that are not longer than the
 * range, so that two or three cover it wherever it begins.
 */
static unsigned int block_lg2(const struct vtd *vtd,
			      const struct backend_range *range)
{
	uint64_t most = field_get(VTD_CAP_MAMV, vtd->cap);
	unsigned int lg2 = 63 - (unsigned int)__builtin_clzll(range->nr);
	uint64_t first = range->gfn, last = range->gfn + range->nr - 1;

	/* One block holds it all: no more than that is forgotten. */
	if (first >> lg2 != last >> lg2 &&
	    first >> (lg2 + 1) == last >> (lg2 + 1) &&
	    !(first & IA_BITS(lg2)) && !(~last & IA_BITS(lg2)))
		lg2++;
	return (unsigned int)IA_MIN(lg2, most);
}

static uint64_t blocks_of(const struct vtd *vtd,
			  const struct backend_range *range)
{
	unsigned int lg2 = block_lg2(vtd, range);

	return ((range->gfn + range->nr - 1) >> lg2) - (range->gfn >> lg2) + 1;
}

static bool by_domain(const struct vtd *vtd, const struct backend_inv *inv)
{
	uint64_t blocks = 0;
	uint32_t i;

	if (!inv->nr || !vtd_has(VTD_CAP_PSI, vtd->cap))
		return true;
	for (i = 0; i < inv->nr && blocks <= RANGES_MAX; i++)
		blocks += blocks_of(vtd, &inv->ranges[i]);
	return blocks > RANGES_MAX;
}

static void emit_range(struct vtd_batch *batch, const struct invalidation *what,
		       const struct backend_range *range)
{
	const struct vtd *vtd = what->vtd;
	unsigned int lg2 = block_lg2(vtd, range);
	uint64_t block = range->gfn >> lg2;
	uint64_t last = (range->gfn + range->nr - 1) >> lg2;
	/* In caching mode a table that is new was absent, and that is kept. */
	bool upper = what->inv->any_level || vtd_has(VTD_CAP_CM, vtd->cap);
	uint64_t hint = field_put(VTD_IVA_IH, !upper);

	for (; block <= last; block++)
		vtd_batch_add(
			batch,
			vtd_iotlb_descriptor(vtd, VTD_G_FINEST, what->inv->id),
			hint | field_put(VTD_IVA_AM, lg2) |
				((block << lg2) << IOMMUABS_FRAME_LG2));
}

static void emit_invalidation(struct vtd_batch *batch, const void *arg)
{
	const struct invalidation *what = arg;
	const struct backend_inv *inv = what->inv;
	uint32_t i;

	if (by_domain(what->vtd, inv)) {
		vtd_batch_add(
			batch,
			vtd_iotlb_descriptor(what->vtd, VTD_G_DOMAIN, inv->id),
			0);
		return;
	}
	for (i = 0; i < inv->nr; i++)
		emit_range(batch, what, &inv->ranges[i]);
}

int vtd_invalidate(struct backend_unit *unit, const struct backend_inv *inv,
		   struct backend_streams *stuck)
{
	struct vtd *vtd = vtd_of(unit);
	struct invalidation what = { vtd, inv };
	int ret;

	/*
	 * Stores to tables before the look at @enabled, as in enable() the other
	 * way round: whoever enables now finds the stores.
	 */
	port_dev_mb();
	port_mb();
	if (!port_load32(&unit->enabled))
		return 0;
	ret = vtd_flush_writes(vtd);
	if (!ret)
		ret = vtd_submit(vtd, emit_invalidation, &what);
	/* Afterwards, lest a device asks for what was to be forgotten. */
	if (!ret && vtd->ats)
		ret = backend_ats_invalidate(unit, vtd->ats, inv, stuck,
					     &vtd_ats_ops);
	return ret;
}

/* ---- everything ---- */

/* One after the other, since each cache is filled by way of the one before. */
static void emit_all(struct vtd_batch *batch, const void *arg)
{
	const struct vtd *vtd = arg;

	vtd_batch_add(batch,
		      field_put(VTD_DESC_TYPE, VTD_DESC_CONTEXT) |
			      field_put(VTD_DESC_G, VTD_G_GLOBAL),
		      0);
	vtd_batch_fence(batch);
	if (vtd->scalable) {
		vtd_batch_add(batch,
			      field_put(VTD_DESC_TYPE, VTD_DESC_PASID) |
				      field_put(VTD_DESC_G, VTD_PASID_G_GLOBAL),
			      0);
		vtd_batch_fence(batch);
	}
	vtd_batch_add(batch, vtd_iotlb_descriptor(vtd, VTD_G_GLOBAL, 0), 0);
}

int vtd_forget_all(struct vtd *vtd)
{
	return vtd_submit(vtd, emit_all, vtd);
}

/* ---- entries ---- */

struct contexts {
	const struct vtd_cached *cached;
	uint32_t nr;
};

/* A unit finds what is cached by both, the stream and the domain-id. */
static void emit_contexts(struct vtd_batch *batch, const void *arg)
{
	const struct contexts *which = arg;
	uint64_t context = field_put(VTD_DESC_TYPE, VTD_DESC_CONTEXT);
	uint32_t i;

	if (!which->nr)
		vtd_batch_add(batch,
			      context | field_put(VTD_DESC_G, VTD_G_GLOBAL), 0);
	for (i = 0; i < which->nr; i++)
		vtd_batch_add(
			batch,
			context | field_put(VTD_DESC_G, VTD_G_FINEST) |
				field_put(VTD_DESC_DID, which->cached[i].id) |
				field_put(VTD_CONTEXT_SID,
					  which->cached[i].stream),
			0);
}

int vtd_forget_contexts(struct vtd *vtd, const struct vtd_cached *cached,
			uint32_t nr)
{
	const struct contexts which = { cached, nr };
	int ret;

	if (!port_load32(&vtd->unit->enabled))
		return 0;
	ret = vtd_flush_writes(vtd);
	return ret ? ret : vtd_submit(vtd, emit_contexts, &which);
}

static void emit_pasids(struct vtd_batch *batch, const void *arg)
{
	const uint32_t *id = arg;

	vtd_batch_add(batch,
		      field_put(VTD_DESC_TYPE, VTD_DESC_PASID) |
			      field_put(VTD_DESC_G, VTD_PASID_G_DOMAIN) |
			      field_put(VTD_DESC_DID, *id),
		      0);
}

int vtd_forget_pasids(struct vtd *vtd, uint32_t id)
{
	int ret;

	if (!port_load32(&vtd->unit->enabled))
		return 0;
	ret = vtd_flush_writes(vtd);
	return ret ? ret : vtd_submit(vtd, emit_pasids, &id);
}

#endif
