/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_memory.c - what a unit may read: stores, barriers, cleaned lines
 *
 * A store to device-visible memory is pending first: a unit may see it or not.
 * iommuabs_sim_dev_mb() puts it into memory for sure; units that do not snoop
 * get it only if its line was cleaned before. Between two pending stores a write
 * barrier orders: who sees the later one sees the earlier one from then on.
 */
#include "sim_unit.h"
#include <string.h>

#define LINE_LG2 6u

static struct pending *pending_at(struct iommuabs_sim_arena *a, uint32_t link)
{
	return link ? vec_at(&a->pending, link - 1) : NULL;
}

/* The line of a store was cleaned before the barrier that @epoch counts. */
static bool ordered_before(const struct pending *p, uint32_t epoch)
{
	return p->clean_epoch != UNCLEAN && p->clean_epoch < epoch;
}

unsigned int sim_values(struct iommuabs_sim_arena *a, uint32_t word,
			uint32_t epoch, struct value *out)
{
	uint64_t *cpu = (uint64_t *)a->cpu + word;
	struct pending *p;
	unsigned int nr = 1;

	if (!a->adversary) {
		out[0] = (struct value){
			.v = __atomic_load_n(cpu, __ATOMIC_ACQUIRE),
			.init = true,
		};
		return 1;
	}
	out[0] = (struct value){ .v = a->dev[word],
				 .init = a->flags[word] & WORD_INIT };
	for (p = pending_at(a, a->head[word]); p; p = pending_at(a, p->next)) {
		struct value v = { p->value, p->epoch, p->pair, true };

		if (ordered_before(p, epoch))
			nr = 0;
		if (nr < MAX_VALUES)
			out[nr++] = v;
	}
	return nr;
}

uint64_t sim_cpu_word(const struct iommuabs_sim_arena *a, uint64_t maddr)
{
	const uint64_t *p = (uint64_t *)(a->cpu + (maddr - a->config.base));

	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

/* The oldest pending store of its word takes the place of what is in memory. */
static void commit(struct iommuabs_sim_arena *a, struct pending *p)
{
	uint32_t word = p->word;
	struct value old = { .v = a->dev[word],
			     .pair = p->pair, /* of what replaces it */
			     .init = a->flags[word] & WORD_INIT };

	sim_retire(a, word, &old, p->value);
	a->dev[word] = p->value;
	a->flags[word] |= WORD_INIT;
	a->head[word] = p->next;
	p->word = UINT32_MAX;
}

static void add_pending(struct iommuabs_sim_arena *a, uint32_t word, uint64_t v,
			uint32_t pair)
{
	uint32_t *link = &a->head[word];
	struct pending *p;
	unsigned int nr = 0;

	for (p = pending_at(a, *link); p; p = pending_at(a, p->next))
		nr++;
	/* An eviction, as caches do it: the oldest one becomes certain. */
	if (nr >= MAX_VALUES - 1)
		commit(a, pending_at(a, *link));
	p = vec_add(&a->pending);
	*p = (struct pending){
		.value = v,
		.word = word,
		.epoch = a->epoch,
		.clean_epoch = a->config.noncoherent ? UNCLEAN : a->epoch,
		.pair = pair,
	};
	while (*link)
		link = &pending_at(a, *link)->next;
	*link = a->pending.nr;
}

/* @nr words by one instruction: they become visible in one step, or not. */
static void store_words(struct iommuabs_sim_arena *a, uint32_t word,
			const uint64_t *v, unsigned int nr, uint32_t pair)
{
	uint64_t *cpu = (uint64_t *)a->cpu + word;
	unsigned int i;

	for (i = 0; a->adversary && i < nr; i++)
		sim_before_store(a, word + i,
				 __atomic_load_n(cpu + i, __ATOMIC_RELAXED),
				 v[i]);
	for (i = 0; i < nr; i++) {
		__atomic_store_n(cpu + i, v[i], __ATOMIC_RELEASE);
		if (a->adversary)
			add_pending(a, word + i, v[i], pair);
	}
	for (i = 0; a->adversary && i < nr; i++) {
		struct value value = { v[i], a->epoch, pair, true };

		sim_after_store(a, word + i, &value);
	}
}

static void store_word(struct iommuabs_sim_arena *a, uint32_t word, uint64_t v)
{
	store_words(a, word, &v, 1, 0);
}

static void order_records(struct iommuabs_sim_arena *a)
{
	uint32_t i;

	for (i = 0; i < a->fresh.nr; i++) {
		uint32_t word = *(uint32_t *)vec_at(&a->fresh, i);

		a->flags[word] &= (uint8_t)~WORD_FRESH;
	}
	a->fresh.nr = 0;
}

/* Close the gaps that commits left in the list; links are positions in it. */
static void compact_pending(struct iommuabs_sim_arena *a)
{
	uint32_t i, kept = 0;

	for (i = 0; i < a->pending.nr; i++) {
		const struct pending *p = vec_at(&a->pending, i);

		if (p->word != UINT32_MAX)
			a->head[p->word] = 0;
	}
	for (i = 0; i < a->pending.nr; i++) {
		struct pending p = *(struct pending *)vec_at(&a->pending, i);
		uint32_t *link;

		if (p.word == UINT32_MAX)
			continue;
		p.next = 0;
		link = &a->head[p.word];
		while (*link)
			link = &pending_at(a, *link)->next;
		*(struct pending *)vec_at(&a->pending, kept) = p;
		*link = ++kept;
	}
	a->pending.nr = kept;
}

static void mb_arena(struct iommuabs_sim_arena *a)
{
	uint32_t i;

	sim_lock(a);
	a->cleans.barriers++;
	a->epoch++;
	order_records(a);
	for (i = 0; i < a->pending.nr; i++) {
		struct pending *p = vec_at(&a->pending, i);

		if (p->word != UINT32_MAX && p->clean_epoch != UNCLEAN &&
		    !a->write_buffer)
			commit(a, p);
	}
	compact_pending(a);
	sim_unlock(a);
}

void sim_flush_writes(struct iommuabs_sim_arena *a)
{
	uint32_t i;

	for (i = 0; i < a->pending.nr; i++) {
		struct pending *p = vec_at(&a->pending, i);

		if (p->word != UINT32_MAX && ordered_before(p, a->epoch))
			commit(a, p);
	}
	compact_pending(a);
}

bool sim_is_ordered(struct iommuabs_sim_arena *a, uint32_t word)
{
	const struct pending *p = pending_at(a, a->head[word]);

	for (; p; p = pending_at(a, p->next)) {
		if (p->epoch >= a->epoch)
			return false;
	}
	return true;
}

static void wmb_arena(struct iommuabs_sim_arena *a)
{
	sim_lock(a);
	a->epoch++;
	sim_unlock(a);
}

static void rmb_arena(struct iommuabs_sim_arena *a)
{
	sim_lock(a);
	order_records(a);
	sim_unlock(a);
}

/* A full barrier for memory outside the arenas; thread sanitizers know it. */
static void full_barrier(void)
{
	static uint32_t word;

	__atomic_fetch_add(&word, 1, __ATOMIC_SEQ_CST);
}

void iommuabs_sim_dev_mb(void)
{
	full_barrier();
	sim_each_arena(mb_arena);
}

void iommuabs_sim_dev_wmb(void)
{
	full_barrier();
	sim_each_arena(wmb_arena);
}

void iommuabs_sim_dev_rmb(void)
{
	full_barrier();
	sim_each_arena(rmb_arena);
}

/* The line at offset @at: true, a store in it was waiting for that. */
static bool clean_line(struct iommuabs_sim_arena *a, uint64_t at)
{
	uint64_t end = at + BIT64(LINE_LG2);
	struct pending *p;
	bool had = false;

	for (; at < end; at += 8) {
		p = pending_at(a, a->head[at >> 3]);
		for (; p; p = pending_at(a, p->next)) {
			if (p->clean_epoch != UNCLEAN)
				continue;
			p->clean_epoch = a->epoch;
			had = true;
		}
	}
	return had;
}

void iommuabs_sim_cache_clean(const void *p, size_t size)
{
	struct iommuabs_sim_arena *a = sim_find_ptr(p);
	uint64_t at, end;

	if (!a || !a->adversary || !a->config.noncoherent || !size)
		return;
	sim_lock(a);
	at = (uintptr_t)p - (uintptr_t)a->cpu;
	end = ALIGN_DOWN(at + size + BIT64(LINE_LG2) - 1, LINE_LG2);
	at = ALIGN_DOWN(at, LINE_LG2);
	for (; at < end && at < a->config.length; at += BIT64(LINE_LG2)) {
		if (clean_line(a, at))
			a->cleans.lines++;
		else
			a->cleans.in_vain++;
	}
	sim_unlock(a);
}

static bool is_of_table(struct iommuabs_sim_arena *a, uint32_t word)
{
	uint64_t page = word / PAGE_WORDS;

	return a->roles[page] || a->stream_roles[page] || a->cd_roles[page] ||
	       a->vtd_roles[page] || vtd_is_irte(a, word);
}

void iommuabs_sim_cleans(struct iommuabs_sim_arena *a,
			 struct iommuabs_sim_cleans *cleans)
{
	const struct pending *p;
	uint32_t i;

	sim_lock(a);
	*cleans = a->cleans;
	for (i = 0; i < a->pending.nr; i++) {
		p = vec_at(&a->pending, i);
		if (p->word != UINT32_MAX && p->clean_epoch == UNCLEAN &&
		    is_of_table(a, p->word))
			cleans->unclean++;
	}
	sim_unlock(a);
}

uint64_t iommuabs_sim_dev_load64(const uint64_t *p)
{
	struct iommuabs_sim_arena *a = sim_find_ptr(p);

	if (a && a->adversary) {
		uint32_t word = (uint32_t)(p - (uint64_t *)a->cpu);

		sim_lock(a);
		if (a->flags[word] & WORD_FRESH)
			sim_violation(
				a, IOMMUABS_SIM_V_ORDER,
				"a record at %#llx is read without a read "
				"barrier after the index",
				(unsigned long long)sim_word_maddr(a, word));
		sim_unlock(a);
	}
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

void iommuabs_sim_dev_store64(uint64_t *p, uint64_t v)
{
	struct iommuabs_sim_arena *a = sim_find_ptr(p);

	if (!a) {
		__atomic_store_n(p, v, __ATOMIC_RELAXED);
		return;
	}
	sim_lock(a);
	store_word(a, (uint32_t)(p - (uint64_t *)a->cpu), v);
	sim_unlock(a);
}

void iommuabs_sim_dev_store128(uint64_t *p, uint64_t lo, uint64_t hi)
{
	struct iommuabs_sim_arena *a = sim_find_ptr(p);
	uint32_t word;

	if (!a) {
		p[0] = lo;
		p[1] = hi;
		return;
	}
	sim_lock(a);
	word = (uint32_t)(p - (uint64_t *)a->cpu);
	if (word % 2)
		sim_violation(a, IOMMUABS_SIM_V_ORDER,
			      "a 128-bit store to %#llx, which is not aligned",
			      (unsigned long long)sim_word_maddr(a, word));
	store_words(a, word, (uint64_t[]){ lo, hi }, 2, ++a->last_pair);
	sim_unlock(a);
}

int iommuabs_sim_dev_cas64(uint64_t *p, uint64_t *old, uint64_t v)
{
	struct iommuabs_sim_arena *a = sim_find_ptr(p);
	uint64_t found;

	if (!a)
		return __atomic_compare_exchange_n(
			p, old, v, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
	sim_lock(a);
	found = __atomic_load_n(p, __ATOMIC_ACQUIRE);
	if (found == *old) {
		a->epoch++;
		store_word(a, (uint32_t)(p - (uint64_t *)a->cpu), v);
		sim_unlock(a);
		return 1;
	}
	*old = found;
	sim_unlock(a);
	return 0;
}

void iommuabs_sim_dev_zero(void *p, size_t size)
{
	struct iommuabs_sim_arena *a = sim_find_ptr(p);
	uint32_t word;

	if (!a || !a->adversary || (uintptr_t)p % 8 || size % 8) {
		memset(p, 0, size);
		return;
	}
	sim_lock(a);
	word = (uint32_t)((uint64_t *)p - (uint64_t *)a->cpu);
	for (; size; size -= 8)
		store_word(a, word++, 0);
	sim_unlock(a);
}

void sim_unit_store(struct iommuabs_sim_arena *a, uint64_t maddr, uint64_t v)
{
	uint32_t word = sim_word(a, maddr);

	__atomic_store_n((uint64_t *)a->cpu + word, v, __ATOMIC_RELEASE);
	a->dev[word] = v;
	if (!(a->flags[word] & WORD_FRESH))
		*(uint32_t *)vec_add(&a->fresh) = word;
	a->flags[word] |= WORD_INIT | WORD_FRESH;
}

void sim_forget_page(struct iommuabs_sim_arena *a, uint64_t page)
{
	uint32_t word = (uint32_t)(page * PAGE_WORDS), end = word + PAGE_WORDS;

	for (; word < end; word++) {
		struct pending *p = pending_at(a, a->head[word]);

		/* Most were never stored to: their books cost no memory. */
		if (!p && !(a->flags[word] & WORD_INIT))
			continue;
		for (; p; p = pending_at(a, p->next))
			p->word = UINT32_MAX;
		a->head[word] = 0;
		a->flags[word] &= (uint8_t)~WORD_INIT;
	}
}

void sim_check_ready(struct iommuabs_sim_arena *a, uint64_t maddr, uint64_t len,
		     uint32_t epoch, const char *what)
{
	uint32_t word, end;

	if (!a->adversary || !sim_inside(a, maddr, len))
		return;
	word = sim_word(a, maddr);
	end = word + (uint32_t)(len >> 3);
	for (; word < end; word++) {
		const struct pending *p = pending_at(a, a->head[word]);
		bool stored = a->flags[word] & WORD_INIT;

		for (; p && !stored && ordered_before(p, epoch);
		     p = pending_at(a, p->next))
			stored = true;
		if (stored)
			continue;
		if (!p)
			sim_violation(
				a, IOMMUABS_SIM_V_UNINIT,
				"%s at %#llx is linked before the word at "
				"%#llx was ever stored",
				what, (unsigned long long)maddr,
				(unsigned long long)sim_word_maddr(a, word));
		else
			sim_violation(
				a,
				p->clean_epoch == UNCLEAN
					? IOMMUABS_SIM_V_CLEAN
					: IOMMUABS_SIM_V_ORDER,
				"%s at %#llx is linked, no %s since it was "
				"filled",
				what, (unsigned long long)maddr,
				p->clean_epoch == UNCLEAN ? "clean of its lines"
							  : "write barrier");
		return;
	}
}
