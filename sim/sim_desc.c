/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_desc.c - entries of translation tables, whatever their format
 */
#include "sim_unit.h"
#include <stdio.h>

unsigned int sim_level_lg2(const struct regime *r, int level)
{
	return r->granule->lg2 +
	       (r->granule->lg2 - 3) * (unsigned int)(LAST_LEVEL - level);
}

unsigned int sim_cont_lg2(const struct regime *r, int level)
{
	return level < 0 ? 0 : r->granule->cont_lg2[level];
}

enum desc_kind sim_desc_kind(const struct regime *r, int level, uint64_t desc)
{
	return r->format->kind(r, level, desc);
}

uint64_t sim_desc_out(const struct regime *r, int level, uint64_t desc)
{
	return ALIGN_DOWN(r->format->address(r, desc), sim_level_lg2(r, level));
}

uint64_t sim_desc_table(const struct regime *r, uint64_t desc)
{
	return ALIGN_DOWN(r->format->address(r, desc), r->granule->lg2);
}

struct leaf sim_leaf_of(const struct regime *r, int level, uint64_t ipa,
			uint64_t desc)
{
	struct leaf t = {
		.ipa = ipa,
		.pa = sim_desc_out(r, level, desc),
		.desc = desc,
		.size_lg2 = sim_level_lg2(r, level),
		.level = level,
		.tag = r->tag,
		.regime = r,
	};

	t.tag.global = r->format->is_global(r, desc);
	return t;
}

uint64_t sim_root_bytes(const struct regime *r)
{
	return BIT64(r->ia_bits - sim_level_lg2(r, r->start_level) + 3);
}

const char *sim_name(const struct regime *r)
{
	static _Thread_local char names[4][40];
	static _Thread_local unsigned int next;
	char *name = names[next++ % 4];

	if (r->tag.el2)
		snprintf(name, sizeof(names[0]), "EL2");
	else if (r->tag.s1)
		snprintf(name, sizeof(names[0]), "%s %u, ASID %u",
			 r->format->tag_name, r->tag.vmid, r->tag.asid);
	else
		snprintf(name, sizeof(names[0]), "%s %u", r->format->tag_name,
			 r->tag.vmid);
	return name;
}
