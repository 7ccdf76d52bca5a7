/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_unit.c - what a unit of any kind is: registers somewhere, planted faults,
 * counters, an end
 */
#include "sim_unit.h"
#include <stdlib.h>

struct iommuabs_sim_unit *sim_unit_new(struct iommuabs_sim_arena *a,
				       const struct unit_ops *ops,
				       uint64_t base, uint64_t size)
{
	struct iommuabs_sim_unit *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	u->arena = a;
	u->ops = ops;
	u->base = base;
	u->size = size;
	u->leaves.size = sizeof(struct leaf);
	u->wtables.size = sizeof(struct wtable);
	u->groups.size = sizeof(struct group);
	u->atc.size = sizeof(struct atc);
	u->mute.size = sizeof(uint32_t);
	u->unanswered.size = sizeof(uint32_t);
	sim_lock(a);
	u->next = a->units;
	a->units = u;
	sim_unlock(a);
	return u;
}

static void free_list(void *first, size_t next_at)
{
	while (first) {
		void *next = *(void **)((char *)first + next_at);

		free(first);
		first = next;
	}
}

static void forget_posted(struct iommuabs_sim_unit *u)
{
	struct iommuabs_sim_arena *a = u->arena;
	uint32_t i;

	for (i = a->posted.nr; i--;) {
		if (((struct posted *)vec_at(&a->posted, i))->unit == u)
			vec_remove(&a->posted, i);
	}
}

void sim_unit_delete(struct iommuabs_sim_unit *u)
{
	struct iommuabs_sim_unit **link = &u->arena->units;

	while (*link != u)
		link = &(*link)->next;
	*link = u->next;
	sim_forget_roles(u);
	forget_posted(u);
	u->ops->free(u);
	free_list(u->regimes, offsetof(struct regime, next));
	free_list(u->probes, offsetof(struct iommuabs_sim_probe, next));
	vec_free(&u->leaves);
	vec_free(&u->wtables);
	vec_free(&u->groups);
	vec_free(&u->atc);
	vec_free(&u->mute);
	vec_free(&u->unanswered);
	free(u);
}

void iommuabs_sim_unit_destroy(struct iommuabs_sim_unit *u)
{
	struct iommuabs_sim_arena *a;

	if (!u)
		return;
	a = u->arena;
	sim_lock(a);
	sim_unit_delete(u);
	sim_unlock(a);
}

void iommuabs_sim_unit_reset(struct iommuabs_sim_unit *u)
{
	sim_lock(u->arena);
	u->ops->reset(u);
	sim_look(u);
	sim_unlock(u->arena);
}

/* ---- registers ---- */

struct iommuabs_sim_unit *sim_unit_at(struct iommuabs_sim_arena *a,
				      uint64_t addr)
{
	struct iommuabs_sim_unit *u = a->units;

	while (u && addr - u->base >= u->size)
		u = u->next;
	return u;
}

static uint64_t unit_read(struct iommuabs_sim_unit *u, uint32_t offset,
			  unsigned int width)
{
	u->counters.reads++;
	u->arena->time_us++;
	if (u->dead)
		return width == 8 ? UINT64_MAX : UINT32_MAX;
	return u->ops->read(u, offset, width);
}

uint64_t iommuabs_sim_mmio_read(struct iommuabs_sim_arena *a, uint64_t addr,
				unsigned int width)
{
	struct iommuabs_sim_unit *u;
	uint64_t value = width == 8 ? UINT64_MAX : UINT32_MAX;

	sim_lock(a);
	u = sim_unit_at(a, addr);
	if (u)
		value = unit_read(u, (uint32_t)(addr - u->base), width);
	sim_unlock(a);
	return value;
}

void iommuabs_sim_mmio_write(struct iommuabs_sim_arena *a, uint64_t addr,
			     unsigned int width, uint64_t value)
{
	struct iommuabs_sim_unit *u;

	sim_lock(a);
	u = sim_unit_at(a, addr);
	if (u) {
		u->counters.writes++;
		if (!u->dead)
			u->ops->write(u, (uint32_t)(addr - u->base), width,
				      value);
	}
	sim_unlock(a);
}
uint64_t iommuabs_sim_port_mmio_read(const void *p, unsigned int width)
{
	struct iommuabs_sim_arena *a = sim_find_mmio((uintptr_t)p);

	if (a)
		return iommuabs_sim_mmio_read(a, (uintptr_t)p, width);
	if (width == 8)
		return *(const volatile uint64_t *)p;
	return *(const volatile uint32_t *)p;
}

void iommuabs_sim_port_mmio_write(void *p, unsigned int width, uint64_t value)
{
	struct iommuabs_sim_arena *a = sim_find_mmio((uintptr_t)p);

	if (a)
		iommuabs_sim_mmio_write(a, (uintptr_t)p, width, value);
	else if (width == 8)
		*(volatile uint64_t *)p = value;
	else
		*(volatile uint32_t *)p = (uint32_t)value;
}

/* ---- planted faults ---- */

uint64_t sim_until(const struct iommuabs_sim_unit *u, uint64_t n, uint64_t us)
{
	if (!n)
		return 0;
	return us ? u->arena->time_us + us : FOR_EVER;
}

uint64_t sim_wait_begins(struct iommuabs_sim_unit *u)
{
	u->counters.waits++;
	if (!sim_hit(&u->wait_in))
		return 0;
	return sim_until(u, 1, u->wait_us);
}

bool sim_hit(uint64_t *countdown)
{
	return *countdown && !--*countdown;
}

unsigned int sim_some_polls(struct iommuabs_sim_unit *u, unsigned int most)
{
	return u->arena->adversary ? (unsigned int)(sim_random(u->arena) % most)
				   : 0;
}

void iommuabs_sim_plant(struct iommuabs_sim_unit *u,
			enum iommuabs_sim_fault fault, uint64_t n, uint64_t us)
{
	sim_lock(u->arena);
	if (fault == IOMMUABS_SIM_DEAD) {
		u->dead = n != 0;
	} else if (fault == IOMMUABS_SIM_WAIT_HANG) {
		u->wait_in = n;
		u->wait_us = us;
	} else {
		u->ops->plant(u, fault, n, us);
	}
	sim_unlock(u->arena);
}

void iommuabs_sim_heal(struct iommuabs_sim_unit *u)
{
	sim_lock(u->arena);
	u->wait_in = u->wait_us = 0;
	u->dead = false;
	u->ops->heal(u);
	sim_unlock(u->arena);
}

/* ---- what happened ---- */

unsigned int iommuabs_sim_irq_take(struct iommuabs_sim_unit *u,
				   enum iommuabs_sim_irq irq)
{
	unsigned int nr;

	sim_lock(u->arena);
	nr = u->irqs[irq];
	u->irqs[irq] = 0;
	sim_unlock(u->arena);
	return nr;
}

void iommuabs_sim_counters(struct iommuabs_sim_unit *u,
			   struct iommuabs_sim_counters *counters)
{
	sim_lock(u->arena);
	*counters = u->counters;
	sim_unlock(u->arena);
}

void sim_message(struct iommuabs_sim_unit *u, uint64_t addr, uint32_t data,
		 enum iommuabs_sim_irq irq)
{
	struct iommuabs_sim_arena *a = u->arena;
	uint64_t at = ALIGN_DOWN(addr, 3);

	if (!sim_inside(a, addr, 4)) {
		u->irqs[irq]++;
		return;
	}
	__atomic_store_n((uint32_t *)(a->cpu + (addr - a->config.base)), data,
			 __ATOMIC_RELEASE);
	a->dev[sim_word(a, at)] = *(uint64_t *)(a->cpu + (at - a->config.base));
}

void sim_log_command(struct iommuabs_sim_unit *u, const uint64_t words[2],
		     unsigned int opcode)
{
	uint64_t *log = u->log[u->counters.commands % NR_LOGGED];

	log[0] = words[0];
	log[1] = words[1];
	u->counters.commands++;
	u->counters.by_opcode[opcode]++;
}

bool sim_logged(struct iommuabs_sim_unit *u, uint64_t n, uint64_t words[2])
{
	if (n >= u->counters.commands || u->counters.commands - n > NR_LOGGED)
		return false;
	words[0] = u->log[n % NR_LOGGED][0];
	words[1] = u->log[n % NR_LOGGED][1];
	return true;
}

int iommuabs_sim_command(struct iommuabs_sim_unit *u, uint64_t n,
			 uint64_t words[2])
{
	int known;

	sim_lock(u->arena);
	known = sim_logged(u, n, words);
	sim_unlock(u->arena);
	return known;
}
