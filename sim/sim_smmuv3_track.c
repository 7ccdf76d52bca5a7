/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_smmuv3_track.c - which page is which table, and what may still be cached
 *
 * Every page that a unit can reach has roles, counted by what leads to it. When a
 * descriptor leaves memory it becomes stale: whoever could read it may have
 * cached it. Invalidations doom stale entries, a CMD_SYNC removes the doomed. So
 * "may be used" is what is in memory now plus what is stale.
 */
#include "sim_smmuv3.h"
#include <stdlib.h>

uint64_t smmuv3_root_bytes(const struct regime *r)
{
	return BIT64(r->ia_bits - smmuv3_level_lg2(r, r->start_level) + 3);
}

/* ---- roles ---- */

static void link_children(struct iommuabs_sim_arena *a, const struct role *role,
			  uint64_t page, int live)
{
	unsigned int lg2 = smmuv3_level_lg2(role->regime, role->level);
	struct iommuabs_sim_unit *u = role->unit;
	struct regime *r = role->regime;
	struct value values[MAX_VALUES];
	unsigned int level = role->level, nr;
	uint64_t ipa = role->ipa;
	uint32_t word = (uint32_t)(page * PAGE_WORDS) + role->first;
	uint32_t end = word + role->nr;

	for (; word < end; word++, ipa += BIT64(lg2)) {
		nr = sim_values(a, word, 0, values);
		while (nr--) {
			if (values[nr].init &&
			    smmuv3_desc_kind(r, level, values[nr].v) ==
				    DESC_IS_TABLE)
				smmuv3_link_table(u, r, level + 1, ipa,
						  values[nr].v & DESC_ADDR,
						  live, 0);
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

void smmuv3_link_table(struct iommuabs_sim_unit *u, struct regime *r,
		       unsigned int level, uint64_t ipa, uint64_t table,
		       int live, int stale)
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
		like.ipa = ipa + ((at / 8) << smmuv3_level_lg2(r, level));
		adjust_role(a, (table + at - a->config.base) >> PAGE_LG2,
			    &like);
	}
}

void smmuv3_link_root(struct iommuabs_sim_unit *u, struct regime *r, int live,
		      int root)
{
	struct iommuabs_sim_arena *a = u->arena;
	uint64_t size = smmuv3_root_bytes(r), at;
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
		like.ipa = (at / 8) << smmuv3_level_lg2(r, r->start_level);
		adjust_role(a, (r->ttb + at - a->config.base) >> PAGE_LG2,
			    &like);
	}
}

/* ---- break before make ---- */

/*
 * Does a descriptor (a table: anything below it) say something else than
 * translation @t, where both say anything? Read as the CPU stored it last.
 */
static bool disagrees(struct iommuabs_sim_arena *a, const struct regime *r,
		      unsigned int level, uint64_t ipa, uint64_t desc,
		      const struct leaf *t)
{
	unsigned int lg2 = smmuv3_level_lg2(r, level);
	uint64_t table = desc & DESC_ADDR, end = BIT64(r->granule->lg2), at, x;
	enum desc_kind kind = smmuv3_desc_kind(r, level, desc);

	if (kind == DESC_INVALID || ipa >= t->ipa + BIT64(t->size_lg2) ||
	    t->ipa >= ipa + BIT64(lg2))
		return false;
	if (kind == DESC_IS_LEAF) {
		x = ipa > t->ipa ? ipa : t->ipa;
		return smmuv3_desc_out(r, level, desc) + (x - ipa) !=
			       t->pa + (x - t->ipa) ||
		       (desc ^ t->desc) & (DESC_MEMATTR | DESC_SH);
	}
	if (!sim_inside(a, table, end))
		return false;
	lg2 = smmuv3_level_lg2(r, level + 1);
	for (at = 0; at < end; at += 8, ipa += BIT64(lg2)) {
		desc = *(uint64_t *)(a->cpu + (table + at - a->config.base));
		if (disagrees(a, r, level + 1, ipa, desc, t))
			return true;
	}
	return false;
}

static void bbm(const struct role *role, uint64_t ipa, const char *what)
{
	sim_violation(role->unit->arena, IOMMUABS_SIM_V_BBM,
		      "VMID %u, IPA %#llx, level %u: %s", role->regime->vmid,
		      (unsigned long long)ipa, role->level, what);
}

static struct leaf leaf_of(const struct role *role, uint64_t ipa, uint64_t desc)
{
	return (struct leaf){
		.ipa = ipa,
		.pa = smmuv3_desc_out(role->regime, role->level, desc),
		.desc = desc,
		.size_lg2 = smmuv3_level_lg2(role->regime, role->level),
		.level = role->level,
		.vmid = role->regime->vmid,
		.regime = role->regime,
	};
}

/* 3.21.1: a block becomes a table, or the other way round. */
static void check_resize(const struct role *role, uint64_t ipa,
			 uint64_t leaf_desc, uint64_t table_desc)
{
	unsigned int bbml = role->unit->config.bbml;
	struct leaf t = leaf_of(role, ipa, leaf_desc);

	if (!bbml || (bbml == 1 && !(leaf_desc & DESC_NT)))
		bbm(role, ipa,
		    bbml ? "changes its size without nT"
			 : "changes its size, but BBML is 0");
	else if (disagrees(role->unit->arena, role->regime, role->level, ipa,
			   table_desc, &t))
		bbm(role, ipa, "changes its size and its translation");
}

static void check_in_place(const struct role *role, uint64_t ipa, uint64_t old,
			   uint64_t v)
{
	enum desc_kind was = smmuv3_desc_kind(role->regime, role->level, old);
	enum desc_kind is = smmuv3_desc_kind(role->regime, role->level, v);
	struct leaf t;

	if (was == DESC_INVALID || is == DESC_INVALID || old == v)
		return;
	if (was == DESC_IS_TABLE && is == DESC_IS_TABLE) {
		if ((old ^ v) & DESC_ADDR)
			bbm(role, ipa, "one table replaces another");
		return;
	}
	if (was != is) {
		check_resize(role, ipa, was == DESC_IS_LEAF ? old : v,
			     was == DESC_IS_LEAF ? v : old);
		return;
	}
	t = leaf_of(role, ipa, old);
	if (disagrees(role->unit->arena, role->regime, role->level, ipa, v, &t))
		bbm(role, ipa, "another output address or memory type");
	else if ((old ^ v) & DESC_CONT && !role->unit->config.bbml)
		bbm(role, ipa, "the contiguous bit changes, but BBML is 0");
}

/* What was there before may be cached: the invalidation was not completed. */
static void check_against_stale(const struct role *role, uint64_t ipa,
				uint64_t v)
{
	unsigned int lg2 = smmuv3_level_lg2(role->regime, role->level);
	struct iommuabs_sim_unit *u = role->unit;
	enum desc_kind kind = smmuv3_desc_kind(role->regime, role->level, v);
	uint32_t i;

	for (i = 0; i < u->leaves.nr; i++) {
		const struct leaf *t = vec_at(&u->leaves, i);
		bool overlap = t->ipa < ipa + BIT64(lg2) &&
			       ipa < t->ipa + BIT64(t->size_lg2);

		if (!overlap || t->vmid != role->regime->vmid)
			continue;
		if (disagrees(u->arena, role->regime, role->level, ipa, v, t))
			bbm(role, ipa,
			    "made before the break was invalidated "
			    "and synced");
		else if (!u->config.bbml && kind == DESC_IS_LEAF &&
			 t->size_lg2 != lg2 && !(v & DESC_CONT))
			bbm(role, ipa,
			    "another size before the break was "
			    "invalidated and synced");
	}
	for (i = 0; i < u->wtables.nr; i++) {
		const struct wtable *t = vec_at(&u->wtables, i);
		struct leaf new = leaf_of(role, ipa, v);

		if (t->regime != role->regime || t->level != role->level ||
		    t->ipa != ipa)
			continue;
		if (kind == DESC_IS_TABLE && t->table != (v & DESC_ADDR))
			bbm(role, ipa,
			    "a new table, the old one may be in a "
			    "walk cache");
		else if (kind == DESC_IS_LEAF &&
			 (!u->config.bbml ||
			  disagrees(u->arena, role->regime, role->level, ipa,
				    t->table | DESC_VALID | DESC_TABLE, &new)))
			bbm(role, ipa,
			    "a block, the old table may be in a walk "
			    "cache");
	}
}

static bool entry_of(const struct role *role, uint32_t word, uint64_t *ipa)
{
	uint32_t index = word % PAGE_WORDS - role->first;

	*ipa = role->ipa +
	       ((uint64_t)index << smmuv3_level_lg2(role->regime, role->level));
	return index < role->nr;
}

void smmuv3_before_store(struct iommuabs_sim_arena *a, uint32_t word,
			 uint64_t old, uint64_t v)
{
	const struct role *role = a->roles[word / PAGE_WORDS];
	uint64_t ipa;

	for (; role; role = role->next) {
		if (!entry_of(role, word, &ipa) ||
		    !smmuv3_may_be_enabled(role->unit))
			continue;
		if (!role->live) {
			if (role->stale)
				sim_violation(a, IOMMUABS_SIM_V_UNLINKED,
					      "VMID %u, IPA %#llx: a table is "
					      "written after it was unlinked, "
					      "before that was synced",
					      role->regime->vmid,
					      (unsigned long long)ipa);
			continue;
		}
		check_in_place(role, ipa, old, v);
		if (smmuv3_desc_kind(role->regime, role->level, v) !=
		    DESC_INVALID)
			check_against_stale(role, ipa, v);
	}
}

static void table_stored(struct iommuabs_sim_arena *a, const struct role *role,
			 uint64_t ipa, const struct value *value)
{
	uint64_t table = value->v & DESC_ADDR;

	if (smmuv3_desc_kind(role->regime, role->level, value->v) !=
	    DESC_IS_TABLE)
		return;
	if (role->live && smmuv3_may_be_enabled(role->unit))
		sim_check_ready(a, table, BIT64(role->regime->granule->lg2),
				value->epoch, "a table");
	smmuv3_link_table(role->unit, role->regime, role->level + 1, ipa, table,
			  1, 0);
}

#define MAX_ROLES 32
/* Roles of a page; linking and unlinking may change the list itself. */
static unsigned int roles_of(struct iommuabs_sim_arena *a, uint32_t word,
			     struct role *out)
{
	const struct role *role = a->roles[word / PAGE_WORDS];
	unsigned int nr = 0;

	for (; role && nr < MAX_ROLES; role = role->next)
		out[nr++] = *role;
	return nr;
}

void smmuv3_after_store(struct iommuabs_sim_arena *a, uint32_t word,
			const struct value *value)
{
	struct role roles[MAX_ROLES];
	unsigned int i, nr = roles_of(a, word, roles), lg2;
	uint64_t ipa;

	for (i = 0; i < nr; i++) {
		const struct role *role = &roles[i];

		if (!entry_of(role, word, &ipa))
			continue;
		table_stored(a, role, ipa, value);
		lg2 = smmuv3_level_lg2(role->regime, role->level);
		smmuv3_look_at(
			role->unit, ipa,
			lg2 + role->regime->granule->cont_lg2[role->level]);
	}
	if (a->stream_roles[word / PAGE_WORDS])
		smmuv3_stream_stored(a, word, value);
}

/* ---- what leaves memory stays in caches ---- */

static void stale_leaf(const struct role *role, uint64_t ipa, uint64_t desc)
{
	struct iommuabs_sim_unit *u = role->unit;
	unsigned int cont = role->regime->granule->cont_lg2[role->level];
	struct leaf t = leaf_of(role, ipa, desc);

	*(struct leaf *)vec_add(&u->leaves) = t;
	if (!(desc & DESC_CONT) || !cont)
		return;
	t.size_lg2 += cont;
	t.ipa = ALIGN_DOWN(t.ipa, t.size_lg2);
	t.pa = ALIGN_DOWN(t.pa, t.size_lg2);
	*(struct leaf *)vec_add(&u->leaves) = t;
}

static void stale_table(const struct role *role, uint64_t ipa, uint64_t desc)
{
	struct wtable *t = vec_add(&role->unit->wtables);

	t->ipa = ipa;
	t->table = desc & DESC_ADDR;
	t->size_lg2 = smmuv3_level_lg2(role->regime, role->level);
	t->level = role->level;
	t->regime = role->regime;
	smmuv3_link_table(role->unit, role->regime, role->level + 1, ipa,
			  t->table, 0, 1);
}

void smmuv3_retire(struct iommuabs_sim_arena *a, uint32_t word,
		   const struct value *old, uint64_t now)
{
	struct role roles[MAX_ROLES];
	unsigned int i, nr = old->init ? roles_of(a, word, roles) : 0;
	uint64_t ipa;

	for (i = 0; i < nr; i++) {
		const struct role *role = &roles[i];
		enum desc_kind kind =
			smmuv3_desc_kind(role->regime, role->level, old->v);

		if (!entry_of(role, word, &ipa))
			continue;
		if (kind == DESC_IS_LEAF && old->v != now &&
		    !role->unit->tlbs_empty)
			stale_leaf(role, ipa, old->v);
		if (kind != DESC_IS_TABLE)
			continue;
		if ((old->v ^ now) & (DESC_ADDR | DESC_VALID | DESC_TABLE) &&
		    !role->unit->tlbs_empty)
			stale_table(role, ipa, old->v);
		smmuv3_link_table(role->unit, role->regime, role->level + 1,
				  ipa, old->v & DESC_ADDR, -1, 0);
	}
	if (a->stream_roles[word / PAGE_WORDS])
		smmuv3_stream_retired(a, word, old, now);
}

/* ---- invalidation ---- */

/* 4.4.1.1: TG, TTL and Leaf make the scope smaller. */
static bool scope_leaf(const uint64_t cmd[2], const struct leaf *t)
{
	unsigned int tg = (unsigned int)FIELD(cmd[1], 11, 10);
	unsigned int ttl = (unsigned int)FIELD(cmd[1], 9, 8);

	if (FIELD(cmd[0], 7, 0) != CMD_TLBI_S2_IPA || !tg)
		return true;
	return tg == t->regime->granule->tlbi_tg && (!ttl || ttl == t->level);
}

static bool scope_table(const uint64_t cmd[2], const struct wtable *t)
{
	unsigned int tg = (unsigned int)FIELD(cmd[1], 11, 10);
	unsigned int ttl = (unsigned int)FIELD(cmd[1], 9, 8);

	if (FIELD(cmd[0], 7, 0) != CMD_TLBI_S2_IPA)
		return true;
	if (cmd[1] & BIT64(0))
		return false;
	if (!tg)
		return true;
	return tg == t->regime->granule->tlbi_tg && (!ttl || t->level < ttl);
}

void smmuv3_doom_tlb(struct iommuabs_sim_unit *u, const uint64_t cmd[2])
{
	struct regime *r;
	uint32_t i;

	for (i = 0; i < u->leaves.nr; i++) {
		struct leaf *t = vec_at(&u->leaves, i);

		if (smmuv3_tlbi_covers(cmd, t->vmid, t->ipa, t->size_lg2) &&
		    scope_leaf(cmd, t))
			t->doomed = true;
	}
	for (i = 0; i < u->wtables.nr; i++) {
		struct wtable *t = vec_at(&u->wtables, i);

		if (smmuv3_tlbi_covers(cmd, t->regime->vmid, t->ipa,
				       t->size_lg2) &&
		    scope_table(cmd, t))
			t->doomed = true;
	}
	if (FIELD(cmd[0], 7, 0) == CMD_TLBI_S2_IPA)
		return;
	for (r = u->regimes; r; r = r->next) {
		if (r->stale && smmuv3_tlbi_covers(cmd, r->vmid, 0, 0))
			r->doomed = true;
	}
}

void smmuv3_doom_configs(struct iommuabs_sim_unit *u, uint32_t first,
			 uint32_t last, bool leaf)
{
	unsigned int split = STRTAB_CFG_SPLIT(u->strtab_cfg);
	uint32_t i;

	for (i = 0; i < u->stale_stes.nr; i++) {
		struct stale_ste *s = vec_at(&u->stale_stes, i);

		if (s->sid >= first && s->sid <= last)
			s->doomed = true;
	}
	for (i = 0; i < u->cached_stes.nr; i++) {
		struct cached_ste *s = vec_at(&u->cached_stes, i);

		if (s->sid >= first && s->sid <= last)
			s->doomed = true;
	}
	for (i = 0; !leaf && i < u->stale_l1s.nr; i++) {
		struct stale_l1 *s = vec_at(&u->stale_l1s, i);

		if (s->index >= first >> split && s->index <= last >> split)
			s->doomed = true;
	}
}

static void remove_doomed_configs(struct iommuabs_sim_unit *u)
{
	uint32_t i, nr = u->stale_stes.nr + u->stale_l1s.nr;

	for (i = u->stale_stes.nr; i--;) {
		if (((struct stale_ste *)vec_at(&u->stale_stes, i))->doomed)
			vec_remove(&u->stale_stes, i);
	}
	for (i = u->stale_l1s.nr; i--;) {
		if (((struct stale_l1 *)vec_at(&u->stale_l1s, i))->doomed)
			vec_remove(&u->stale_l1s, i);
	}
	for (i = u->cached_stes.nr; i--;) {
		if (((struct cached_ste *)vec_at(&u->cached_stes, i))->doomed)
			vec_remove(&u->cached_stes, i);
	}
	if (nr != u->stale_stes.nr + u->stale_l1s.nr)
		smmuv3_streams_update(u);
}

/*
 * Translations first: an entry that is only invalidated now could have been
 * used until now, so its translations are cached again (3.21.1, 4.3.6: a TLBI
 * is to follow the *completed* invalidation of the configuration).
 */
void smmuv3_sync_done(struct iommuabs_sim_unit *u)
{
	struct regime *r;
	uint32_t i;

	for (i = u->leaves.nr; i--;) {
		if (((struct leaf *)vec_at(&u->leaves, i))->doomed)
			vec_remove(&u->leaves, i);
	}
	for (i = u->wtables.nr; i--;) {
		struct wtable t = *(struct wtable *)vec_at(&u->wtables, i);

		if (!t.doomed)
			continue;
		vec_remove(&u->wtables, i);
		smmuv3_link_table(u, t.regime, t.level + 1, t.ipa, t.table, 0,
				  -1);
	}
	for (r = u->regimes; r; r = r->next) {
		if (!r->stale || !r->doomed)
			continue;
		r->stale = r->doomed = false;
		smmuv3_link_root(u, r, 0, -1);
	}
	remove_doomed_configs(u);
}

static void forget_roles(struct iommuabs_sim_unit *u)
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
	}
}

static void relink_caches(struct iommuabs_sim_unit *u)
{
	struct regime *r;
	uint32_t i;

	for (r = u->regimes; r; r = r->next) {
		r->live = 0;
		if (r->stale)
			smmuv3_link_root(u, r, 0, 1);
	}
	for (i = 0; i < u->wtables.nr; i++) {
		const struct wtable *t = vec_at(&u->wtables, i);

		smmuv3_link_table(u, t->regime, t->level + 1, t->ipa, t->table,
				  0, 1);
		if (!sim_page_used(u->arena, t->table))
			sim_violation(u->arena, IOMMUABS_SIM_V_FREED,
				      "SMMUEN set, VMID %u: a table that was "
				      "freed meanwhile may be cached",
				      t->regime->vmid);
	}
}

void smmuv3_restart(struct iommuabs_sim_unit *u)
{
	struct stream *s;

	if (!u->arena->adversary)
		return;
	forget_roles(u);
	relink_caches(u);
	for (s = u->streams; s; s = s->next)
		s->nr_regimes = 0;
	smmuv3_reach_stream_table(u);
	smmuv3_streams_update(u);
}

/* ---- the end of a page, of a unit ---- */

static void freed(struct iommuabs_sim_unit *u, uint64_t maddr, const char *as)
{
	if (smmuv3_may_be_enabled(u))
		sim_violation(u->arena, IOMMUABS_SIM_V_FREED,
			      "page %#llx freed, the unit may reach it: %s",
			      (unsigned long long)maddr, as);
}

static bool queue_holds(uint64_t base, unsigned int entry_lg2, uint64_t maddr)
{
	return maddr - ALIGN_DOWN(smmuv3_queue_at(base, entry_lg2), PAGE_LG2) <
	       BIT64(Q_BASE_LOG2SIZE(base) + entry_lg2);
}

static void freed_for_unit(struct iommuabs_sim_unit *u, uint64_t maddr)
{
	uint32_t i;

	for (i = 0; i < u->leaves.nr; i++) {
		const struct leaf *t = vec_at(&u->leaves, i);

		if (maddr - t->pa < BIT64(t->size_lg2) ||
		    ALIGN_DOWN(t->pa, PAGE_LG2) == maddr)
			freed(u, maddr, "by a translation that may be cached");
	}
	if ((u->cr0.value | u->cr0.ack) & CR0_CMDQEN &&
	    queue_holds(u->cmdq_base, CMD_LG2, maddr))
		sim_violation(u->arena, IOMMUABS_SIM_V_FREED,
			      "the command queue is freed while it is enabled");
	if ((u->cr0.value | u->cr0.ack) & CR0_EVENTQEN &&
	    queue_holds(u->eventq_base, EVENT_LG2, maddr))
		sim_violation(u->arena, IOMMUABS_SIM_V_FREED,
			      "the event queue is freed while it is enabled");
}

void smmuv3_page_freed(struct iommuabs_sim_arena *a, uint64_t page)
{
	uint64_t maddr = a->config.base + (page << PAGE_LG2);
	const struct stream_role *stream = a->stream_roles[page];
	struct iommuabs_sim_unit *u;

	if (!a->adversary)
		return;
	for (u = a->units; u; u = u->next)
		freed_for_unit(u, maddr);
	for (; stream; stream = stream->next)
		freed(stream->unit, maddr, "a stream table");
	smmuv3_forget_stream_page(a, page, NULL);
	while (a->roles[page]) {
		const struct role *role = a->roles[page];

		freed(role->unit, maddr,
		      role->live ? "a linked table"
				 : "a table that may be in a walk cache");
		drop_role(a, page, &a->roles[page]);
	}
}

static void free_list(void *first, size_t next_at)
{
	while (first) {
		void *next = *(void **)((char *)first + next_at);

		free(first);
		first = next;
	}
}

void smmuv3_forget(struct iommuabs_sim_unit *u)
{
	struct iommuabs_sim_arena *a = u->arena;
	uint64_t page;
	uint32_t i;

	forget_roles(u);
	for (page = 0; page < a->nr_pages; page++)
		smmuv3_forget_stream_page(a, page, u);
	for (i = a->posted.nr; i--;) {
		if (((struct posted *)vec_at(&a->posted, i))->unit == u)
			vec_remove(&a->posted, i);
	}
	free_list(u->regimes, offsetof(struct regime, next));
	free_list(u->streams, offsetof(struct stream, next));
	free_list(u->probes, offsetof(struct iommuabs_sim_probe, next));
}
