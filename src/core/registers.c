/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * registers.c - which frames are registers of units, and so nobody's
 *
 * Every map asks, so no lock is needed: groups of entries are added and stay,
 * and what a group has, or all have, lies between two bounds that only move apart.
 */
#include "core.h"

_Static_assert(sizeof(struct core_registers) <= TABLEMEM_OBJECT_MAX,
	       "a small object");

static struct core_registers **group_of(struct iommuabs *abs, uint32_t index)
{
	return &abs->registers[index / CORE_REGISTERS_NR];
}

static int group_make(struct iommuabs *abs, struct core_registers **group)
{
	*group = tablemem_object_alloc(&abs->mem, sizeof(**group));
	if (!*group)
		return IOMMUABS_E_NOMEM;
	(*group)->first = ~(uint64_t)0;
	return 0;
}

static void bounds_widen(struct iommuabs *abs, struct core_registers *group,
			 uint64_t mfn, uint64_t end)
{
	uint64_t all = abs->registers_end ? abs->registers_first : mfn;

	port_store64(&group->first, IA_MIN(group->first, mfn));
	port_store64(&group->end, IA_MAX(group->end, end));
	port_store64(&abs->registers_first, IA_MIN(all, mfn));
	port_store64(&abs->registers_end, IA_MAX(abs->registers_end, end));
}

int registers_claim(struct iommuabs_unit *unit, uint64_t *mfn, uint64_t *nr)
{
	struct iommuabs *abs = unit->abs;
	struct core_registers **group = group_of(abs, unit->index);
	struct core_registers_entry *entry;

	if (!*group && group_make(abs, group))
		return IOMMUABS_E_NOMEM;
	entry = &(*group)->entry[unit->index % CORE_REGISTERS_NR];
	*mfn = unit->base >> IOMMUABS_FRAME_LG2;
	*nr = 0;
	if (unit->length) {
		*nr = ((unit->base + unit->length - 1) >> IOMMUABS_FRAME_LG2) -
		      *mfn + 1;
		bounds_widen(abs, *group, *mfn, *mfn + *nr);
	}
	port_store64(&entry->mfn, *mfn);
	port_store64_release(&entry->nr, *nr);
	port_store64_release(&abs->nr_units, unit->index + 1);
	/* Who maps claims the frame first and looks at the bounds afterwards. */
	port_mb();
	return 0;
}

void registers_give(struct iommuabs_unit *unit)
{
	struct iommuabs *abs = unit->abs;
	struct core_registers *group = *group_of(abs, unit->index);

	port_store64(&group->entry[unit->index % CORE_REGISTERS_NR].nr, 0);
	if (abs->nr_units == unit->index + 1)
		port_store64(&abs->nr_units, unit->index);
}

uint64_t registers_next_of(const struct core_registers *group, uint64_t mfn,
			   uint64_t end)
{
	const struct core_registers_entry *entry = group->entry;
	uint64_t first, size;

	for (; entry < group->entry + CORE_REGISTERS_NR; entry++) {
		size = port_load64_acquire(&entry->nr);
		first = port_load64(&entry->mfn);
		if (size && first < end && mfn < first + size)
			end = IA_MAX(mfn, first);
	}
	return end;
}

void registers_exit(struct iommuabs *abs)
{
	uint32_t i;

	for (i = 0; i < IA_COUNT(abs->registers); i++)
		if (abs->registers[i])
			tablemem_object_free(&abs->mem, abs->registers[i],
					     sizeof(*abs->registers[i]));
}
