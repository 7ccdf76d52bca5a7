/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_dma.c - devices: explicit DMA, and probes that try at every moment
 */
#include "sim_unit.h"
#include <stdlib.h>
#include <string.h>

/* ---- explicit requests ---- */

static void touch_data(struct iommuabs_sim_arena *a, uint64_t maddr, void *data,
		       uint64_t len, bool write)
{
	unsigned char *p;
	uint64_t at;

	if (!data)
		return;
	if (!sim_inside(a, maddr, len)) {
		if (!write)
			memset(data, 0, len);
		return;
	}
	p = a->cpu + (maddr - a->config.base);
	if (!write) {
		memcpy(data, p, len);
		return;
	}
	if (a->adversary && !sim_page_used(a, maddr))
		sim_violation(a, IOMMUABS_SIM_V_FREED,
			      "DMA writes to the free page %#llx",
			      (unsigned long long)maddr);
	memcpy(p, data, len);
	for (at = ALIGN_DOWN(maddr, 3); at < maddr + len; at += 8) {
		uint32_t word = sim_word(a, at);

		a->dev[word] = ((uint64_t *)a->cpu)[word];
		a->flags[word] |= WORD_INIT;
	}
}

static void post(struct iommuabs_sim_unit *u, uint64_t maddr, const void *data,
		 uint64_t len)
{
	struct posted *p = vec_add(&u->arena->posted);

	p->unit = u;
	p->maddr = maddr;
	p->len = (uint32_t)len;
	memcpy(p->data, data, len);
}

void sim_land(struct iommuabs_sim_arena *a, struct iommuabs_sim_unit *u)
{
	uint32_t i;

	for (i = a->posted.nr; i--;) {
		struct posted p = *(struct posted *)vec_at(&a->posted, i);

		if (u && p.unit != u)
			continue;
		vec_remove(&a->posted, i);
		touch_data(a, p.maddr, p.data, p.len, true);
	}
}

void iommuabs_sim_settle(struct iommuabs_sim_arena *a)
{
	sim_lock(a);
	sim_land(a, NULL);
	sim_unlock(a);
}

static const struct outcome *draw(struct iommuabs_sim_unit *u,
				  const struct iommuabs_sim_dma *at,
				  struct outcomes *out)
{
	if (u->ops->mishap && u->ops->mishap(u, out->o))
		return out->o;
	u->ops->outcomes(u, at->sid, at->ssid, at->addr, at->flags, out);
	return &out->o[out->nr > 1 ? sim_random(u->arena) % out->nr : 0];
}

/* One piece within a page. */
static int dma_piece(struct iommuabs_sim_unit *u, struct iommuabs_sim_dma *dma,
		     uint64_t len)
{
	struct iommuabs_sim_dma at = *dma;
	struct outcomes out;
	const struct outcome *o;
	void *data = dma->data ? (char *)dma->data + dma->done : NULL;
	bool write = dma->flags & IOMMUABS_SIM_DMA_WRITE;

	at.addr += dma->done;
	o = draw(u, &at, &out);
	if (o->maddr == IOMMUABS_SIM_BLOCKED) {
		return u->ops->blocked(u, dma, o, &at);
	}
	u->counters.dma_done++;
	if (!dma->done)
		dma->maddr = o->maddr;
	if (write && data && dma->flags & IOMMUABS_SIM_DMA_POSTED && len <= 64)
		post(u, o->maddr, data, len);
	else
		touch_data(u->arena, o->maddr, data, len, write);
	dma->done += len;
	return 1;
}

int sim_run_dma(struct iommuabs_sim_unit *u, struct iommuabs_sim_dma *dma)
{
	int st = 1;

	dma->event = 0;
	while (st == 1 && dma->done < dma->len) {
		uint64_t in_page = (dma->addr + dma->done) % PAGE_SIZE;
		uint64_t len = PAGE_SIZE - in_page;

		if (len > dma->len - dma->done)
			len = dma->len - dma->done;
		st = dma_piece(u, dma, len);
	}
	return st;
}

int iommuabs_sim_dma(struct iommuabs_sim_unit *u, struct iommuabs_sim_dma *dma)
{
	int st;

	dma->done = 0;
	dma->maddr = IOMMUABS_SIM_BLOCKED;
	dma->stag = 0;
	sim_lock(u->arena);
	st = sim_run_dma(u, dma);
	sim_unlock(u->arena);
	return st;
}

/* ---- probes ---- */

static bool allowed(const struct iommuabs_sim_probe *p, uint64_t maddr)
{
	unsigned int i = 0;

	while (i < p->nr_allowed && p->allowed[i] != maddr)
		i++;
	return p->any || i < p->nr_allowed;
}

static void complain(struct iommuabs_sim_probe *p, const struct outcome *o)
{
	struct iommuabs_sim_arena *a = p->unit->arena;
	const char *access =
		p->flags & IOMMUABS_SIM_DMA_WRITE ? "write" : "read";

	if (p->violated)
		return;
	p->violated = true;
	if (o->maddr == IOMMUABS_SIM_BLOCKED)
		sim_violation(a, IOMMUABS_SIM_V_PROBE,
			      "stream %#x, %s of %#llx may be blocked (event "
			      "%#x)",
			      p->sid, access, (unsigned long long)p->iova,
			      o->event);
	else
		sim_violation(a, IOMMUABS_SIM_V_PROBE,
			      "stream %#x, %s of %#llx may reach %#llx", p->sid,
			      access, (unsigned long long)p->iova,
			      (unsigned long long)o->maddr);
}

static unsigned int look_at(struct iommuabs_sim_probe *p)
{
	struct outcomes out;
	unsigned int i, wrong = 0;

	p->unit->counters.probes++;
	p->unit->ops->outcomes(p->unit, p->sid, 0, p->iova, p->flags, &out);
	for (i = 0; i < out.nr; i++) {
		if (allowed(p, out.o[i].maddr))
			continue;
		wrong++;
		complain(p, &out.o[i]);
	}
	return wrong;
}

/* Probes are tried at this moment? FUNCTIONAL ones would fill the TLB. */
static bool chance(struct iommuabs_sim_unit *u)
{
	struct iommuabs_sim_arena *a = u->arena;

	if (!a->adversary || !u->probes)
		return false;
	return a->config.probe_every < 2 ||
	       !(a->chances++ % a->config.probe_every);
}

void sim_look(struct iommuabs_sim_unit *u)
{
	struct iommuabs_sim_probe *p;

	if (!chance(u))
		return;
	for (p = u->probes; p; p = p->next) {
		if (!p->any)
			look_at(p);
	}
}

void sim_look_at(struct iommuabs_sim_unit *u, uint64_t ipa,
		 unsigned int size_lg2)
{
	struct iommuabs_sim_probe *p;

	if (!chance(u))
		return;
	for (p = u->probes; p; p = p->next) {
		if (!p->any &&
		    ALIGN_DOWN(p->iova, size_lg2) == ALIGN_DOWN(ipa, size_lg2))
			look_at(p);
	}
}

void sim_look_at_streams(struct iommuabs_sim_unit *u, uint32_t first,
			 uint32_t nr)
{
	struct iommuabs_sim_probe *p;

	if (!chance(u))
		return;
	for (p = u->probes; p; p = p->next) {
		if (!p->any && p->sid - first < nr)
			look_at(p);
	}
}

struct iommuabs_sim_probe *iommuabs_sim_probe_add(struct iommuabs_sim_unit *u,
						  uint32_t sid, uint64_t iova,
						  uint32_t flags)
{
	struct iommuabs_sim_probe *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->unit = u;
	p->sid = sid;
	p->iova = iova;
	p->flags = flags;
	p->any = true;
	sim_lock(u->arena);
	p->next = u->probes;
	u->probes = p;
	sim_unlock(u->arena);
	return p;
}

unsigned int iommuabs_sim_probe_allow(struct iommuabs_sim_probe *p,
				      const uint64_t *outcomes, unsigned int nr)
{
	unsigned int i, wrong;

	sim_lock(p->unit->arena);
	for (i = 0; i < nr && i < MAX_ALLOWED; i++)
		p->allowed[i] = outcomes[i];
	p->nr_allowed = i;
	p->any = p->violated = false;
	wrong = look_at(p);
	sim_unlock(p->unit->arena);
	return wrong;
}

void iommuabs_sim_probe_any(struct iommuabs_sim_probe *p)
{
	sim_lock(p->unit->arena);
	p->any = true;
	sim_unlock(p->unit->arena);
}

unsigned int iommuabs_sim_probe_outcomes(struct iommuabs_sim_probe *p,
					 uint64_t *outcomes, unsigned int max)
{
	struct outcomes out;
	unsigned int i, j, nr = 0;

	sim_lock(p->unit->arena);
	p->unit->ops->outcomes(p->unit, p->sid, 0, p->iova, p->flags, &out);
	for (i = 0; i < out.nr; i++) {
		for (j = 0; j < i && out.o[j].maddr != out.o[i].maddr; j++)
			;
		if (j < i)
			continue;
		if (nr < max)
			outcomes[nr] = out.o[i].maddr;
		nr++;
	}
	sim_unlock(p->unit->arena);
	return nr;
}

void iommuabs_sim_probe_remove(struct iommuabs_sim_probe *p)
{
	struct iommuabs_sim_probe **link;

	if (!p)
		return;
	sim_lock(p->unit->arena);
	for (link = &p->unit->probes; *link != p; link = &(*link)->next)
		;
	*link = p->next;
	sim_unlock(p->unit->arena);
	free(p);
}
