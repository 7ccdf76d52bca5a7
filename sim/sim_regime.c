/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_regime.c - address spaces, and who may use them
 */
#include "sim_unit.h"
#include <stdlib.h>
#include <string.h>

struct regime *sim_find_regime(struct iommuabs_sim_unit *u,
			       const uint64_t key[4], const struct tag *tag)
{
	struct regime *r = u->regimes;

	while (r && (memcmp(r->key, key, sizeof(r->key)) ||
		     r->tag.vmid != tag->vmid || r->tag.s1 != tag->s1 ||
		     r->tag.el2 != tag->el2 || r->tag.asid != tag->asid))
		r = r->next;
	return r;
}

struct regime *sim_new_regime(struct iommuabs_sim_unit *u,
			      const struct table_format *format,
			      const uint64_t key[4], const struct tag *tag)
{
	struct regime *r = calloc(1, sizeof(*r));

	if (!r)
		abort();
	memcpy(r->key, key, sizeof(r->key));
	r->format = format;
	r->tag = *tag;
	r->next = u->regimes;
	u->regimes = r;
	return r;
}

bool sim_are_twins(const struct regime *r, const struct regime *o)
{
	return r->format == o->format && r->tag.vmid == o->tag.vmid &&
	       !r->tag.s1 && !o->tag.s1 && !r->tag.el2 && !o->tag.el2 &&
	       !memcmp(r->key, o->key, 3 * sizeof(r->key[0])) &&
	       (r->key[3] ^ o->key[3]) == (r->ttb ^ o->ttb);
}

/*
 * One tag, one table: caches tell them apart by nothing else. What twins map is
 * judged later.
 */
static void check_tag(struct iommuabs_sim_unit *u, const struct regime *r)
{
	const struct regime *o = u->regimes;

	for (; o; o = o->next) {
		bool kin =
			o->tag.el2 == r->tag.el2 &&
			o->tag.vmid == r->tag.vmid &&
			(o->tag.s1 != r->tag.s1 || o->tag.asid == r->tag.asid);

		if (o == r || !kin || (!o->live && !o->stale[REST]))
			continue;
		if (u->twins && sim_are_twins(r, o))
			continue;
		sim_violation(u->arena,
			      r->tag.s1 && o->tag.s1 ? IOMMUABS_SIM_V_ASID
						     : IOMMUABS_SIM_V_VMID,
			      o->live ? "%s names two tables or geometries at "
					"once"
				      : "%s names a new table, the old one was "
					"not invalidated",
			      sim_name(r));
	}
}

bool sim_regime_lives(struct iommuabs_sim_unit *u, struct regime *r,
		      uint32_t epoch)
{
	if (r->live++)
		return false;
	if (u->ops->may_be_enabled(u)) {
		check_tag(u, r);
		if (!r->no_walk)
			sim_check_ready(u->arena, r->ttb, sim_root_bytes(r),
					epoch, "a root table");
	}
	sim_link_root(u, r, 1, 0);
	return true;
}

/* From now on nobody walks it, but all that it maps may be cached. */
void sim_regime_dies(struct iommuabs_sim_unit *u, struct regime *r)
{
	bool was = r->stale[REST] || r->stale[GLOBAL];

	if (--r->live)
		return;
	if (!u->tlbs_empty) {
		sim_link_root(u, r, 0, !was);
		r->stale[REST] = r->stale[GLOBAL] = true;
		r->doomed[REST] = r->doomed[GLOBAL] = false;
	}
	sim_link_root(u, r, -1, 0);
}
