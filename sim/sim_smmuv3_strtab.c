/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_smmuv3_strtab.c - which pages hold stream table entries and context
 * descriptors, and what a store there changes (IHI 0070 5.1, 5.2, 5.4)
 */
#include "sim_smmuv3.h"
#include <stdlib.h>
#include <string.h>

/* ---- stream tables ---- */

static uint64_t nr_l1stds(const struct iommuabs_sim_unit *u)
{
	unsigned int size = STRTAB_CFG_LOG2SIZE(u->smmu->strtab_cfg);

	return size > smmuv3_split(u) ? BIT64(size - smmuv3_split(u)) : 1;
}

static void add_stream_page(struct iommuabs_sim_unit *u, uint64_t maddr,
			    bool l1, uint32_t first)
{
	struct iommuabs_sim_arena *a = u->arena;
	struct stream_role *role, **list;

	if (!sim_inside(a, maddr, PAGE_SIZE))
		return;
	list = &a->stream_roles[(maddr - a->config.base) >> PAGE_LG2];
	for (role = *list; role; role = role->next) {
		if (role->unit == u)
			break;
	}
	if (!role) {
		role = calloc(1, sizeof(*role));
		if (!role)
			abort();
		role->next = *list;
		*list = role;
	}
	role->unit = u;
	role->l1 = l1;
	role->first = first;
}

/* STEs from @at on, the first of stream @sid. A page holds 64 of them. */
static void add_stes(struct iommuabs_sim_unit *u, uint64_t at, uint32_t sid,
		     uint64_t nr, uint32_t epoch)
{
	struct iommuabs_sim_arena *a = u->arena;
	uint64_t i, in_page = (at % PAGE_SIZE) >> STE_LG2;
	uint64_t page = ALIGN_DOWN(at, PAGE_LG2), value;

	if (!sim_inside(a, at, nr << STE_LG2))
		return;
	sim_check_ready(a, at, nr << STE_LG2, epoch, "a stream table");
	for (i = 0; i < nr + in_page; i += 64)
		add_stream_page(u, page + (i << STE_LG2), false,
				(uint32_t)(sid - in_page + i));
	for (i = 0; i < nr; i++) {
		value = sim_cpu_word(a, at + (i << STE_LG2));
		if (value & STE0_V &&
		    !smmuv3_find_stream(u, (uint32_t)(sid + i))) {
			struct stream *s =
				smmuv3_get_stream(u, (uint32_t)(sid + i));

			smmuv3_newest_ste(u, s->sid, s->meant);
		}
	}
}

static void link_l1std(struct iommuabs_sim_unit *u, uint32_t index,
		       uint64_t l1std, uint32_t epoch)
{
	unsigned int span = L1STD_SPAN(l1std);
	uint64_t table;

	if (l1std & ~(L1STD_L2PTR | MASK64(4, 0)))
		sim_violation(u->arena, IOMMUABS_SIM_V_RESERVED,
			      "L1STD %#llx has reserved bits set",
			      (unsigned long long)l1std);
	if (!span)
		return;
	if (span > L1STD_MAX_SPAN || span > smmuv3_split(u) + 1) {
		sim_violation(u->arena, IOMMUABS_SIM_V_RESERVED,
			      "L1STD.Span %u with SPLIT %u", span,
			      smmuv3_split(u));
		return;
	}
	table = ALIGN_DOWN(l1std & L1STD_L2PTR, STE_LG2 + span - 1);
	if (table != (l1std & L1STD_L2PTR))
		sim_violation(u->arena, IOMMUABS_SIM_V_RESERVED,
			      "L1STD.L2Ptr is not aligned to its table");
	add_stes(u, table, index << smmuv3_split(u), BIT64(span - 1), epoch);
}

static void forget_stream_page(struct iommuabs_sim_arena *a, uint64_t page,
			       const struct iommuabs_sim_unit *u)
{
	struct stream_role **list = &a->stream_roles[page];

	while (*list) {
		struct stream_role *role = *list;

		if (!u || role->unit == u) {
			*list = role->next;
			free(role);
		} else {
			list = &role->next;
		}
	}
}

static void forget_stream_pages(struct iommuabs_sim_unit *u)
{
	uint64_t page;

	for (page = 0; page < u->arena->nr_pages; page++)
		forget_stream_page(u->arena, page, u);
}

static void check_strtab_cfg(struct iommuabs_sim_unit *u)
{
	unsigned int size = STRTAB_CFG_LOG2SIZE(u->smmu->strtab_cfg);
	unsigned int s = smmuv3_split(u);

	if (size > u->smmu->config.sidsize)
		sim_violation(u->arena, IOMMUABS_SIM_V_REGISTER,
			      "STRTAB_BASE_CFG.LOG2SIZE %u, SIDSIZE is %u",
			      size, u->smmu->config.sidsize);
	if (STRTAB_CFG_FMT(u->smmu->strtab_cfg) > u->smmu->config.st_level)
		sim_violation(u->arena, IOMMUABS_SIM_V_REGISTER,
			      "STRTAB_BASE_CFG.FMT %u is not supported",
			      STRTAB_CFG_FMT(u->smmu->strtab_cfg));
	/* 6.3.25: 4 KiB, 16 KiB or 64 KiB leaf tables. */
	if (smmuv3_two_levels(u) && s != 6 && s != 8 && s != 10)
		sim_violation(u->arena, IOMMUABS_SIM_V_REGISTER,
			      "STRTAB_BASE_CFG.SPLIT %u is reserved", s);
}

void smmuv3_reach_stream_table(struct iommuabs_sim_unit *u)
{
	struct iommuabs_sim_arena *a = u->arena;
	unsigned int size = STRTAB_CFG_LOG2SIZE(u->smmu->strtab_cfg);
	uint64_t nr, i, base = smmuv3_l1_base(u), bytes;

	check_strtab_cfg(u);
	forget_stream_pages(u);
	if (!smmuv3_two_levels(u)) {
		add_stes(u, smmuv3_linear_base(u), 0, BIT64(size), 0);
		return;
	}
	nr = nr_l1stds(u);
	bytes = 8 * nr;
	if (!sim_inside(a, base, bytes))
		return;
	sim_check_ready(a, base, bytes, 0, "a stream table");
	for (i = ALIGN_DOWN(base, PAGE_LG2); i < base + bytes; i += PAGE_SIZE)
		add_stream_page(u, i, true, (uint32_t)((i - base) / 8));
	for (i = 0; i < nr; i++)
		link_l1std(u, (uint32_t)i, sim_cpu_word(a, base + 8 * i), 0);
}

void smmuv3_forget_config_page(struct iommuabs_sim_arena *a, uint64_t page,
			       struct iommuabs_sim_unit *u)
{
	struct cd_role **list = &a->cd_roles[page];

	forget_stream_page(a, page, u);
	while (*list) {
		struct cd_role *role = *list;

		if (!u || role->unit == u) {
			*list = role->next;
			free(role);
		} else {
			list = &role->next;
		}
	}
}

void smmuv3_config_freed(struct iommuabs_sim_arena *a, uint64_t page)
{
	uint64_t maddr = a->config.base + (page << PAGE_LG2);
	const struct stream_role *stream = a->stream_roles[page];
	const struct cd_role *cd = a->cd_roles[page];

	for (; stream; stream = stream->next)
		sim_freed(stream->unit, maddr, "a stream table");
	for (; cd; cd = cd->next)
		sim_freed(cd->unit, maddr, "a table of context descriptors");
	smmuv3_forget_config_page(a, page, NULL);
}

/* ---- tables of context descriptors ---- */

static void meant_cd(struct iommuabs_sim_unit *u, uint32_t sid, uint32_t ssid,
		     uint64_t at)
{
	struct cached *m = sim_cached(&u->smmu->meant_cds, sid, ssid);
	unsigned int i;

	if (m)
		return;
	m = vec_add(&u->smmu->meant_cds);
	m->sid = sid;
	m->ssid = ssid;
	for (i = 0; i < 4; i++)
		m->w[i] = sim_cpu_word(u->arena, at + 8 * i);
}

void smmuv3_link_cds(struct iommuabs_sim_unit *u, struct stream *s,
		     const struct cd_table *t, uint32_t epoch)
{
	struct iommuabs_sim_arena *a = u->arena;
	uint64_t page, end = t->at + ((uint64_t)t->nr << CD_LG2);
	uint32_t i;

	if (!sim_inside(a, t->at, end - t->at))
		return;
	if (smmuv3_may_be_enabled(u))
		sim_check_ready(a, t->at, end - t->at, epoch,
				"a context descriptor");
	for (i = 0; i < t->nr; i++)
		meant_cd(u, s->sid, i, t->at + ((uint64_t)i << CD_LG2));
	for (page = ALIGN_DOWN(t->at, PAGE_LG2); page < end;
	     page += PAGE_SIZE) {
		struct cd_role **list =
			&a->cd_roles[(page - a->config.base) >> PAGE_LG2];
		struct cd_role *role = malloc(sizeof(*role));

		if (!role)
			abort();
		*role = (struct cd_role){ *list, u, s, t->at, t->nr };
		*list = role;
	}
}

void smmuv3_unlink_cds(struct iommuabs_sim_unit *u, struct stream *s,
		       const struct cd_table *t)
{
	struct iommuabs_sim_arena *a = u->arena;
	uint64_t page, end = t->at + ((uint64_t)t->nr << CD_LG2);

	if (!sim_inside(a, t->at, end - t->at))
		return;
	for (page = ALIGN_DOWN(t->at, PAGE_LG2); page < end;
	     page += PAGE_SIZE) {
		struct cd_role **at =
			&a->cd_roles[(page - a->config.base) >> PAGE_LG2];
		struct cd_role *role;

		while (*at && ((*at)->stream != s || (*at)->table != t->at ||
			       (*at)->nr != t->nr))
			at = &(*at)->next;
		role = *at;
		if (!role)
			continue;
		*at = role->next;
		free(role);
	}
}

/* The CD of the table that this word belongs to; false: none. */
static bool cd_of(const struct iommuabs_sim_arena *a,
		  const struct cd_role *role, uint32_t word, uint32_t *ssid)
{
	uint64_t at = sim_word_maddr(a, word);

	if (at < role->table)
		return false;
	*ssid = (uint32_t)((at - role->table) >> CD_LG2);
	return *ssid < role->nr;
}

static void cd_stored(struct iommuabs_sim_arena *a, uint32_t word,
		      const struct value *value)
{
	const struct cd_role *role = a->cd_roles[word / PAGE_WORDS], *next;
	uint32_t ssid;

	for (; role; role = next) {
		next = role->next;
		if (!cd_of(a, role, word, &ssid))
			continue;
		if (word % CD_WORDS > 3 && value->v)
			sim_violation(a, IOMMUABS_SIM_V_RESERVED,
				      "stream %#x: word %u of CD %u is not 0",
				      role->stream->sid, word % CD_WORDS, ssid);
		smmuv3_stream_update(role->unit, role->stream);
		sim_look_at_streams(role->unit, role->stream->sid, 1);
	}
}

/* ---- stores ---- */

static uint64_t in_page(uint32_t word)
{
	return word % PAGE_WORDS;
}

static void ste_stored(struct iommuabs_sim_arena *a, uint32_t word,
		       const struct value *value)
{
	struct stream_role *role = a->stream_roles[word / PAGE_WORDS];
	struct stream_role *next;

	for (; role; role = next) {
		struct iommuabs_sim_unit *u = role->unit;
		uint32_t sid = role->first + (uint32_t)(in_page(word) / 8);

		next = role->next;
		if (role->l1) {
			uint32_t index = role->first + (uint32_t)in_page(word);

			if (index >= nr_l1stds(u))
				continue;
			link_l1std(u, index, value->v, value->epoch);
			smmuv3_streams_update(u);
			sim_look_at_streams(u, index << smmuv3_split(u),
					    1u << smmuv3_split(u));
			continue;
		}
		if (word % STE_WORDS > 3 && value->v)
			sim_violation(a, IOMMUABS_SIM_V_RESERVED,
				      "stream %#x: word %u of the STE is not 0",
				      sid, word % STE_WORDS);
		smmuv3_stream_update(u, smmuv3_get_stream(u, sid));
		sim_look_at_streams(u, sid, 1);
	}
}

void smmuv3_config_stored(struct iommuabs_sim_arena *a, uint32_t word,
			  const struct value *value)
{
	ste_stored(a, word, value);
	cd_stored(a, word, value);
}

/* Only the first four words mean something. */
static bool speaks(const struct iommuabs_sim_unit *u, uint32_t word,
		   const struct value *old)
{
	return word % STE_WORDS < 4 && sim_speaks(u, word, old);
}

void smmuv3_config_retired(struct iommuabs_sim_arena *a, uint32_t word,
			   const struct value *old, uint64_t now)
{
	const struct stream_role *role = a->stream_roles[word / PAGE_WORDS];
	const struct cd_role *cd = a->cd_roles[word / PAGE_WORDS];
	uint32_t ssid;

	if (!old->init || old->v == now)
		return;
	for (; role; role = role->next) {
		struct iommuabs_sim_unit *u = role->unit;

		if (u->smmu->configs_empty)
			continue;
		if (role->l1) {
			struct stale_l1 *s = vec_add(&u->smmu->stale_l1s);

			s->index = role->first + (uint32_t)in_page(word);
			s->l1std = old->v;
		} else if (speaks(u, word, old)) {
			sim_keep_pair(
				a, &u->smmu->stale_stes, word,
				word % STE_WORDS / 2,
				role->first + (uint32_t)(in_page(word) / 8), 0);
		}
	}
	for (; cd; cd = cd->next) {
		if (!cd->unit->smmu->configs_empty &&
		    cd_of(a, cd, word, &ssid) && speaks(cd->unit, word, old))
			sim_keep_pair(a, &cd->unit->smmu->stale_cds, word,
				      word % STE_WORDS / 2, cd->stream->sid,
				      ssid);
	}
}
