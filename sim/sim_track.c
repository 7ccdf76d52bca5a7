/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_track.c - which page is which table, and what may still be cached
 *
 * Every page that a unit can reach has roles, counted by what leads to it. When a
 * descriptor leaves memory it becomes stale: whoever could read it may have
 * cached it. Invalidations doom stale entries, their completion removes the
 * doomed. So "may be used" is what is in memory now plus what is stale.
 */
#include "sim_unit.h"
#include <stdlib.h>

/* ---- roles ---- */

/* A leaf that every ASID may use. */
static void note_global(struct regime *r, int level, uint64_t desc)
{
	if (sim_desc_kind(r, level, desc) == DESC_IS_LEAF &&
	    r->format->is_global(r, desc))
		r->globals = true;
}

static void link_child(struct iommuabs_sim_unit *u, struct regime *r, int level,
		       uint64_t ipa, uint64_t desc, int live)
{
	note_global(r, level, desc);
	if (sim_desc_kind(r, level, desc) == DESC_IS_TABLE)
		sim_link_table(u, r, level + 1, ipa, sim_desc_table(r, desc),
			       live, 0);
}

static void link_children(struct iommuabs_sim_arena *a, const struct role *role,
			  uint64_t page, int live)
{
	unsigned int lg2 = sim_level_lg2(role->regime, role->level);
	struct iommuabs_sim_unit *u = role->unit;
	struct regime *r = role->regime;
	struct value values[MAX_VALUES];
	unsigned int nr;
	int level = role->level;
	uint64_t ipa = role->ipa;
	uint32_t word = (uint32_t)(page * PAGE_WORDS) + role->first;
	uint32_t end = word + role->nr;

	for (; word < end; word++, ipa += BIT64(lg2)) {
		nr = sim_values(a, word, 0, values);
		while (nr--) {
			if (!values[nr].init)
				continue;
			link_child(u, r, level, ipa, values[nr].v, live);
			if (live > 0)
				sim_note_group(role, word, ipa, values[nr].v);
		}
	}
}

static struct role **find_role(struct iommuabs_sim_arena *a, uint64_t page,
			       const struct role *like)
{
	struct role **at = &a->roles[page];

	while (*at &&
	       ((*at)->unit != like->unit || (*at)->regime != like->regime ||
		(*at)->level != like->level || (*at)->ipa != like->ipa))
		at = &(*at)->next;
	return at;
}

static void drop_role(struct iommuabs_sim_arena *a, uint64_t page,
		      struct role **at)
{
	struct role *role = *at;

	*at = role->next;
	link_children(a, role, page, -1);
	free(role);
}

/* The counts of *@like are added to those of its page. */
static void adjust_role(struct iommuabs_sim_arena *a, uint64_t page,
			const struct role *like)
{
	struct role **at = find_role(a, page, like), *role = *at;

	if (!role) {
		/* Taken from a page that was freed while it was in use. */
		if ((int32_t)(like->live | like->stale | like->roots) <= 0)
			return;
		role = malloc(sizeof(*role));
		if (!role)
			abort();
		*role = *like;
		role->next = a->roles[page];
		a->roles[page] = role;
		link_children(a, role, page, 1);
		return;
	}
	role->live += like->live;
	role->stale += like->stale;
	role->roots += like->roots;
	if (!role->live && !role->stale && !role->roots)
		drop_role(a, page, at);
}

void sim_link_table(struct iommuabs_sim_unit *u, struct regime *r, int level,
		    uint64_t ipa, uint64_t table, int live, int stale)
{
	struct iommuabs_sim_arena *a = u->arena;
	uint64_t size = BIT64(r->granule->lg2), at;
	struct role like = {
		.unit = u,
		.regime = r,
		.level = level,
		.nr = PAGE_WORDS,
		.live = (uint32_t)live,
		.stale = (uint32_t)stale,
	};

	table = ALIGN_DOWN(table, r->granule->lg2);
	if (!sim_inside(a, table, size))
		return;
	for (at = 0; at < size; at += PAGE_SIZE) {
		like.ipa = ipa + ((at / 8) << sim_level_lg2(r, level));
		adjust_role(a, (table + at - a->config.base) >> PAGE_LG2,
			    &like);
	}
}

void sim_link_root(struct iommuabs_sim_unit *u, struct regime *r, int live,
		   int root)
{
	struct iommuabs_sim_arena *a = u->arena;
	uint64_t size = r->no_walk ? 0 : sim_root_bytes(r), at;
	struct role like = {
		.unit = u,
		.regime = r,
		.level = r->start_level,
		.live = (uint32_t)live,
		.roots = (uint32_t)root,
	};

	if (!a->adversary || !sim_inside(a, r->ttb, size) || (!live && !root))
		return;
	like.first = (uint32_t)(r->ttb % PAGE_SIZE / 8);
	like.nr = size < PAGE_SIZE ? (uint32_t)size / 8 : PAGE_WORDS;
	for (at = 0; at < size; at += PAGE_SIZE) {
		like.ipa = (at / 8) << sim_level_lg2(r, r->start_level);
		adjust_role(a, (r->ttb + at - a->config.base) >> PAGE_LG2,
			    &like);
	}
}

/* ---- stores ---- */

bool sim_entry_of(const struct role *role, uint32_t word, uint64_t *ipa)
{
	uint32_t index = word % PAGE_WORDS - role->first;

	*ipa = role->ipa +
	       ((uint64_t)index << sim_level_lg2(role->regime, role->level));
	return index < role->nr;
}

void sim_before_store(struct iommuabs_sim_arena *a, uint32_t word, uint64_t old,
		      uint64_t v)
{
	const struct role *role = a->roles[word / PAGE_WORDS];
	uint64_t ipa;

	for (; role; role = role->next) {
		if (!sim_entry_of(role, word, &ipa) ||
		    !role->unit->ops->may_be_enabled(role->unit))
			continue;
		if (!role->live) {
			if (role->stale)
				sim_violation(a, IOMMUABS_SIM_V_UNLINKED,
					      "%s, address %#llx: a table is "
					      "written after it was unlinked, "
					      "before that was synced",
					      sim_name(role->regime),
					      (unsigned long long)ipa);
			continue;
		}
		role->unit->ops->check_store(role, ipa, old, v);
		sim_note_group(role, word, ipa, old);
		sim_note_group(role, word, ipa, v);
	}
}

static void table_stored(struct iommuabs_sim_arena *a, const struct role *role,
			 uint64_t ipa, const struct value *value)
{
	uint64_t table = sim_desc_table(role->regime, value->v);

	note_global(role->regime, role->level, value->v);
	if (sim_desc_kind(role->regime, role->level, value->v) != DESC_IS_TABLE)
		return;
	if (role->live && role->unit->ops->may_be_enabled(role->unit))
		sim_check_ready(a, table, BIT64(role->regime->granule->lg2),
				value->epoch, "a table");
	sim_link_table(role->unit, role->regime, role->level + 1, ipa, table, 1,
		       0);
}

unsigned int sim_roles_of(struct iommuabs_sim_arena *a, uint32_t word,
			  struct role out[MAX_ROLES])
{
	const struct role *role = a->roles[word / PAGE_WORDS];
	unsigned int nr = 0;

	for (; role && nr < MAX_ROLES; role = role->next)
		out[nr++] = *role;
	return nr;
}

void sim_after_store(struct iommuabs_sim_arena *a, uint32_t word,
		     const struct value *value)
{
	struct role roles[MAX_ROLES];
	unsigned int i, nr = sim_roles_of(a, word, roles), lg2;
	uint64_t ipa;

	for (i = 0; i < nr; i++) {
		const struct role *role = &roles[i];

		if (!sim_entry_of(role, word, &ipa))
			continue;
		table_stored(a, role, ipa, value);
		lg2 = sim_level_lg2(role->regime, role->level);
		sim_look_at(role->unit, ipa,
			    lg2 + sim_cont_lg2(role->regime, role->level));
	}
	smmuv3_config_stored(a, word, value);
	vtd_config_stored(a, word, value);
}

/* ---- all anew ---- */

void sim_forget_roles(struct iommuabs_sim_unit *u)
{
	struct iommuabs_sim_arena *a = u->arena;
	uint64_t page;

	for (page = 0; page < a->nr_pages; page++) {
		struct role **at = &a->roles[page];

		while (*at) {
			struct role *role = *at;

			if (role->unit != u) {
				at = &role->next;
				continue;
			}
			*at = role->next;
			free(role);
		}
		smmuv3_forget_config_page(a, page, u);
		vtd_forget_config_page(a, page, u);
	}
}

void sim_relink_caches(struct iommuabs_sim_unit *u)
{
	struct regime *r;
	uint32_t i;

	for (r = u->regimes; r; r = r->next) {
		r->live = 0;
		if (r->stale[REST] || r->stale[GLOBAL])
			sim_link_root(u, r, 0, 1);
	}
	for (i = 0; i < u->wtables.nr; i++) {
		const struct wtable *t = vec_at(&u->wtables, i);

		sim_link_table(u, t->regime, t->level + 1, t->ipa, t->table, 0,
			       1);
		if (!sim_page_used(u->arena, t->table))
			sim_violation(u->arena, IOMMUABS_SIM_V_FREED,
				      "enabled, %s: a table that was "
				      "freed meanwhile may be cached",
				      sim_name(t->regime));
	}
}

/* ---- the end of a page ---- */

void sim_freed(struct iommuabs_sim_unit *u, uint64_t maddr, const char *as)
{
	if (u->ops->may_be_enabled(u))
		sim_violation(u->arena, IOMMUABS_SIM_V_FREED,
			      "page %#llx freed, the unit may reach it: %s",
			      (unsigned long long)maddr, as);
}

static void freed_for_unit(struct iommuabs_sim_unit *u, uint64_t maddr)
{
	uint32_t i;

	for (i = 0; i < u->leaves.nr; i++) {
		const struct leaf *t = vec_at(&u->leaves, i);

		if (!t->absent && (maddr - t->pa < BIT64(t->size_lg2) ||
				   ALIGN_DOWN(t->pa, PAGE_LG2) == maddr))
			sim_freed(u, maddr,
				  "by a translation that may be cached");
	}
	u->ops->page_freed(u, maddr);
}

void sim_page_freed(struct iommuabs_sim_arena *a, uint64_t page)
{
	uint64_t maddr = a->config.base + (page << PAGE_LG2);
	struct iommuabs_sim_unit *u;

	if (!a->adversary)
		return;
	for (u = a->units; u; u = u->next)
		freed_for_unit(u, maddr);
	smmuv3_config_freed(a, page);
	vtd_forget_config_page(a, page, NULL);
	while (a->roles[page]) {
		const struct role *role = a->roles[page];

		sim_freed(role->unit, maddr,
			  role->live ? "a linked table"
				     : "a table that may be in a walk cache");
		drop_role(a, page, &a->roles[page]);
	}
}
