/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_entry.c - all that a unit may fetch of an entry wider than a store
 *
 * A unit may read an entry's words at different times. So what it may fetch is
 * every combination of the values that each word had since the last completed
 * invalidation of that entry (pairs of words, for a unit with fetch_128).
 */
#include "sim_unit.h"

#define MAX_PAIRS 64
struct pair {
	uint64_t lo, hi;
	uint32_t epoch;
};

struct pairs {
	struct pair p[MAX_PAIRS];
	unsigned int nr;
};

static void add_pair(struct pairs *pairs, uint64_t lo, uint64_t hi,
		     uint32_t epoch)
{
	unsigned int i;

	for (i = 0; i < pairs->nr; i++) {
		struct pair *p = &pairs->p[i];

		if (p->lo == lo && p->hi == hi) {
			/* The least ordered way to come by it. */
			if (epoch < p->epoch)
				p->epoch = epoch;
			return;
		}
	}
	if (pairs->nr < MAX_PAIRS)
		pairs->p[pairs->nr++] = (struct pair){ lo, hi, epoch };
}

/* One fetch sees both halves of a 128-bit store, or none. */
static bool halves_agree(const struct value *lo, unsigned int nlo,
			 unsigned int i, const struct value *hi,
			 unsigned int nhi, unsigned int j)
{
	unsigned int k, m;

	for (k = 1; k < nlo; k++) {
		for (m = 1; m < nhi; m++) {
			if (lo[k].pair && lo[k].pair == hi[m].pair &&
			    (i >= k) != (j >= m))
				return false;
		}
	}
	return true;
}

static void current_pairs(struct iommuabs_sim_unit *u, const struct place *p,
			  unsigned int pair, struct pairs *out)
{
	struct iommuabs_sim_arena *a = u->arena;
	struct value lo[MAX_VALUES], hi[MAX_VALUES];
	uint32_t word = sim_word(a, p->at) + 2 * pair;
	unsigned int nlo = sim_values(a, word, p->epoch, lo);
	unsigned int nhi = sim_values(a, word + 1, p->epoch, hi);
	unsigned int i, j;

	for (i = 0; i < nlo; i++) {
		for (j = 0; j < nhi; j++) {
			uint32_t newest = lo[i].epoch > hi[j].epoch
						  ? lo[i].epoch
						  : hi[j].epoch;

			if (!lo[i].init || !hi[j].init)
				sim_violation(a, IOMMUABS_SIM_V_UNINIT,
					      "%s at %#llx may be fetched "
					      "before it was ever stored",
					      p->what,
					      (unsigned long long)p->at);
			if (!u->fetch_128 ||
			    halves_agree(lo, nlo, i, hi, nhi, j))
				add_pair(out, lo[i].v, hi[j].v, newest);
		}
	}
}

static void stale_pairs(struct iommuabs_sim_unit *u, const struct place *p,
			unsigned int pair, struct pairs *out)
{
	uint32_t i, j, nr = out->nr;

	for (i = 0; i < p->stale->nr; i++) {
		const struct stale_pair *s = vec_at(p->stale, i);

		if (s->sid == p->sid && s->ssid == p->ssid && s->pair == pair)
			add_pair(out, s->lo, s->hi, 0);
	}
	if (u->fetch_128 || nr == out->nr)
		return;
	nr = out->nr;
	for (i = 0; i < nr; i++) {
		for (j = 0; j < nr; j++) {
			const struct pair *lo = &out->p[i], *hi = &out->p[j];

			add_pair(out, lo->lo, hi->hi,
				 lo->epoch > hi->epoch ? lo->epoch : hi->epoch);
		}
	}
}

static void all_pairs(struct iommuabs_sim_unit *u, const struct place *p,
		      unsigned int pair, struct pairs *out)
{
	out->nr = 0;
	if (pair < p->pairs && p->at != NOWHERE)
		current_pairs(u, p, pair, out);
	if (pair < p->pairs && u->arena->adversary)
		stale_pairs(u, p, pair, out);
	/* What never changed, of an entry that is only cached. */
	if (!out->nr)
		add_pair(out, 0, 0, 0);
}

static bool is_kept(const struct place *p)
{
	uint32_t i;

	for (i = 0; i < p->stale->nr; i++) {
		const struct stale_pair *s = vec_at(p->stale, i);

		if (s->sid == p->sid && s->ssid == p->ssid)
			return true;
	}
	return false;
}

static bool can_be_fetched(struct iommuabs_sim_unit *u, const struct place *p)
{
	if (p->at == NOWHERE)
		return is_kept(p);
	if (!sim_inside(u->arena, p->at, 16 * p->pairs))
		return false;
	if (!sim_page_used(u->arena, p->at))
		sim_violation(u->arena, IOMMUABS_SIM_V_FREED,
			      "%s of stream %#x is fetched from a free page",
			      p->what, p->sid);
	return true;
}

void sim_each_entry(struct iommuabs_sim_unit *u, const struct place *p,
		    entry_fn fn, void *arg)
{
	struct pairs low, high;
	unsigned int i, j;

	if (!can_be_fetched(u, p)) {
		struct entry none = { .event = p->abort, .fetch = p->at };

		if (p->at != NOWHERE)
			fn(u, &none, arg);
		return;
	}
	all_pairs(u, p, 0, &low);
	all_pairs(u, p, 1, &high);
	for (i = 0; i < low.nr; i++) {
		for (j = 0; j < high.nr; j++) {
			const struct pair *lo = &low.p[i], *hi = &high.p[j];
			struct entry e = { { lo->lo, lo->hi, hi->lo, hi->hi },
					   lo->epoch > hi->epoch ? lo->epoch
								 : hi->epoch,
					   0,
					   0 };

			fn(u, &e, arg);
		}
	}
}

void sim_newest_entry(const struct iommuabs_sim_arena *a, uint64_t at,
		      unsigned int nr, uint64_t *w)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		w[i] = sim_inside(a, at, 8 * nr) ? sim_cpu_word(a, at + 8 * i)
						 : 0;
}

void sim_keep_pair(const struct iommuabs_sim_arena *a, struct vec *list,
		   uint32_t word, unsigned int pair, uint32_t sid,
		   uint32_t ssid)
{
	struct stale_pair *s = vec_add(list);
	uint32_t even = word & ~1u;

	s->sid = sid;
	s->ssid = ssid;
	s->pair = pair;
	s->lo = a->dev[even];
	s->hi = a->dev[even + 1];
}

bool sim_speaks(const struct iommuabs_sim_unit *u, uint32_t word,
		const struct value *old)
{
	return !(old->pair && u->fetch_128 && word % 2);
}

void sim_remove_doomed_pairs(struct vec *list)
{
	uint32_t i;

	for (i = list->nr; i--;) {
		if (((struct stale_pair *)vec_at(list, i))->doomed)
			vec_remove(list, i);
	}
}

void sim_undoom_pairs(struct vec *list)
{
	uint32_t i;

	for (i = 0; i < list->nr; i++)
		((struct stale_pair *)vec_at(list, i))->doomed = false;
}

struct cached *sim_cached(const struct vec *list, uint32_t sid, uint32_t ssid)
{
	uint32_t i;

	for (i = 0; i < list->nr; i++) {
		struct cached *c = vec_at(list, i);

		if (c->sid == sid && c->ssid == ssid)
			return c;
	}
	return NULL;
}
