/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_groups.c - the contiguous bit (Arm ARM D8.7.1)
 *
 * Who gives one descriptor the bit says that all of its group have it, and that
 * they are one translation. While the CPU is about to write, or to remove, a group
 * that is not so; when a CMD_SYNC has completed that moment is over, and the unit
 * may go by the one or by the others.
 */
#include "sim_unit.h"

static bool is_member(const struct regime *r, int level, uint64_t desc)
{
	return r->format->is_contiguous(desc) &&
	       sim_desc_kind(r, level, desc) == DESC_IS_LEAF;
}

void sim_note_group(const struct role *role, uint32_t word, uint64_t ipa,
		    uint64_t desc)
{
	unsigned int cont = sim_cont_lg2(role->regime, role->level);
	unsigned int lg2 = sim_level_lg2(role->regime, role->level);
	struct group *last;
	struct group group = {
		.regime = role->regime,
		.level = role->level,
		.ipa = ALIGN_DOWN(ipa, lg2 + cont),
		.word = (uint32_t)ALIGN_DOWN(word, cont),
	};

	if (!cont || !is_member(role->regime, role->level, desc))
		return;
	if (role->unit->groups.nr) {
		last = vec_at(&role->unit->groups, role->unit->groups.nr - 1);
		if (last->word == group.word && last->regime == group.regime)
			return;
	}
	*(struct group *)vec_add(&role->unit->groups) = group;
}

/* Does a walk still get there? */
static bool is_linked(const struct iommuabs_sim_unit *u, const struct group *g)
{
	const struct role *role = u->arena->roles[g->word / PAGE_WORDS];
	uint64_t ipa;

	for (; role; role = role->next) {
		if (role->unit == u && role->regime == g->regime &&
		    role->level == g->level && role->live &&
		    sim_entry_of(role, g->word, &ipa) && ipa == g->ipa)
			return true;
	}
	return false;
}

/* What a descriptor says but for its address. */
static uint64_t says(const struct regime *r, uint64_t desc)
{
	return desc & (MASK64(63, 50) | MASK64(11, 0)) &
	       ~(r->ds ? MASK64(9, 8) : 0);
}

static void judge(struct iommuabs_sim_unit *u, const struct group *g)
{
	const uint64_t *at = (const uint64_t *)u->arena->cpu + g->word;
	unsigned int i, nr = 1u << sim_cont_lg2(g->regime, g->level);
	uint64_t size = BIT64(sim_level_lg2(g->regime, g->level));
	uint64_t out = sim_desc_out(g->regime, g->level, at[0]);
	unsigned int members = 0, alike = 0;

	for (i = 0; i < nr; i++) {
		members += is_member(g->regime, g->level, at[i]);
		alike += says(g->regime, at[i]) == says(g->regime, at[0]) &&
			 sim_desc_out(g->regime, g->level, at[i]) ==
				 out + i * size;
	}
	if (members && (members < nr || alike < nr || out & (nr * size - 1)))
		sim_violation(u->arena, IOMMUABS_SIM_V_CONTIGUOUS,
			      "%s, address %#llx, level %d: %u of %u have the "
			      "contiguous bit, %u are alike",
			      sim_name(g->regime), (unsigned long long)g->ipa,
			      g->level, members, nr, alike);
}

void sim_judge_groups(struct iommuabs_sim_unit *u)
{
	uint32_t i;

	for (i = 0; i < u->groups.nr; i++) {
		const struct group *g = vec_at(&u->groups, i);

		if (is_linked(u, g))
			judge(u, g);
	}
	u->groups.nr = 0;
}
