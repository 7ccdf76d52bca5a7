/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_arena.c - the machine: its RAM, allocator, clock, and the violations
 */
#include "sim_unit.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MAX_ARENAS 64
#define BASE_ALIGN ((uint64_t)64 << 20)
#define MAX_LENGTH ((uint64_t)4 << 30)

static struct iommuabs_sim_arena *arenas[MAX_ARENAS];
static pthread_rwlock_t arenas_lock = PTHREAD_RWLOCK_INITIALIZER;

void *vec_add(struct vec *vec)
{
	if (vec->nr == vec->cap) {
		uint32_t cap = vec->cap ? 2 * vec->cap : 16;
		void *data = realloc(vec->data, (size_t)cap * vec->size);

		/* The models have no way to go on without memory. */
		if (!data)
			abort();
		vec->data = data;
		vec->cap = cap;
	}
	vec->nr++;
	return memset(vec_at(vec, vec->nr - 1), 0, vec->size);
}

void *vec_at(const struct vec *vec, uint32_t i)
{
	return (char *)vec->data + (size_t)i * vec->size;
}

void vec_remove(struct vec *vec, uint32_t i)
{
	vec->nr--;
	if (i != vec->nr)
		memcpy(vec_at(vec, i), vec_at(vec, vec->nr), vec->size);
}

void vec_free(struct vec *vec)
{
	free(vec->data);
	vec->data = NULL;
	vec->nr = vec->cap = 0;
}

void sim_lock(struct iommuabs_sim_arena *a)
{
	pthread_mutex_lock(&a->lock);
}

void sim_unlock(struct iommuabs_sim_arena *a)
{
	pthread_mutex_unlock(&a->lock);
}

/* xorshift64*: short, and the same everywhere. */
uint64_t sim_random(struct iommuabs_sim_arena *a)
{
	a->random ^= a->random >> 12;
	a->random ^= a->random << 25;
	a->random ^= a->random >> 27;
	return a->random * 0x2545f4914f6cdd1dULL;
}

static const char *const violation_names[IOMMUABS_SIM_V_COUNT_] = {
	"REGISTER", "GUARD",	  "ORDER",	"CLEAN",   "UNINIT", "BAD_STE",
	"TORN_STE", "BAD_CD",	  "TORN_CD",	"BBM",	   "VMID",   "ASID",
	"FREED",    "UNLINKED",	  "PROBE",	"COMMAND", "ENABLE", "RESERVED",
	"ERRATUM",  "UNMODELLED", "CONTIGUOUS",
};

const char *iommuabs_sim_violation_name(enum iommuabs_sim_violation which)
{
	return which < IOMMUABS_SIM_V_COUNT_ ? violation_names[which] : "?";
}

/* The same text again says nothing new. */
void sim_violation(struct iommuabs_sim_arena *a,
		   enum iommuabs_sim_violation which, const char *format, ...)
{
	struct violation *v;
	char text[sizeof(v->text)];
	int used = snprintf(text, sizeof(text), "%s: ", violation_names[which]);
	va_list args;
	uint32_t i;

	va_start(args, format);
	vsnprintf(text + used, sizeof(text) - (size_t)used, format, args);
	va_end(args);
	for (i = 0; i < a->violations.nr; i++) {
		v = vec_at(&a->violations, i);
		if (v->which == which && !strcmp(v->text, text))
			return;
	}
	v = vec_add(&a->violations);
	v->which = which;
	memcpy(v->text, text, sizeof(text));
	if (getenv("IOMMUABS_SIM_TRACE"))
		fprintf(stderr, "sim: %s\n", text);
}

bool sim_inside(const struct iommuabs_sim_arena *a, uint64_t maddr,
		uint64_t len)
{
	return maddr >= a->config.base && len <= a->config.length &&
	       maddr - a->config.base <= a->config.length - len;
}

uint32_t sim_word(const struct iommuabs_sim_arena *a, uint64_t maddr)
{
	return (uint32_t)((maddr - a->config.base) >> 3);
}

uint64_t sim_word_maddr(const struct iommuabs_sim_arena *a, uint32_t word)
{
	return a->config.base + ((uint64_t)word << 3);
}

bool sim_page_used(const struct iommuabs_sim_arena *a, uint64_t maddr)
{
	return sim_inside(a, maddr, 1) &&
	       a->used[(maddr - a->config.base) >> PAGE_LG2];
}

struct iommuabs_sim_arena *sim_find_ptr(const void *p)
{
	struct iommuabs_sim_arena *found = NULL;
	unsigned int i;

	pthread_rwlock_rdlock(&arenas_lock);
	for (i = 0; i < MAX_ARENAS && !found; i++) {
		struct iommuabs_sim_arena *a = arenas[i];

		if (a && (uintptr_t)p - (uintptr_t)a->cpu < a->config.length)
			found = a;
	}
	pthread_rwlock_unlock(&arenas_lock);
	return found;
}

struct iommuabs_sim_arena *sim_find_mmio(uint64_t addr)
{
	struct iommuabs_sim_arena *found = NULL;
	unsigned int i;

	pthread_rwlock_rdlock(&arenas_lock);
	for (i = 0; i < MAX_ARENAS && !found; i++) {
		if (arenas[i] && sim_unit_at(arenas[i], addr))
			found = arenas[i];
	}
	pthread_rwlock_unlock(&arenas_lock);
	return found;
}

void sim_each_arena(void (*fn)(struct iommuabs_sim_arena *a))
{
	unsigned int i;

	pthread_rwlock_rdlock(&arenas_lock);
	for (i = 0; i < MAX_ARENAS; i++) {
		if (arenas[i])
			fn(arenas[i]);
	}
	pthread_rwlock_unlock(&arenas_lock);
}

static int enter_registry(struct iommuabs_sim_arena *a)
{
	int st = IOMMUABS_SIM_E_NOMEM;
	unsigned int i;

	pthread_rwlock_wrlock(&arenas_lock);
	for (i = 0; i < MAX_ARENAS && st; i++) {
		if (!arenas[i]) {
			arenas[i] = a;
			st = 0;
		}
	}
	pthread_rwlock_unlock(&arenas_lock);
	return st;
}

static void leave_registry(struct iommuabs_sim_arena *a)
{
	unsigned int i;

	pthread_rwlock_wrlock(&arenas_lock);
	for (i = 0; i < MAX_ARENAS; i++) {
		if (arenas[i] == a)
			arenas[i] = NULL;
	}
	pthread_rwlock_unlock(&arenas_lock);
}

/* Zero pages that cost nothing until they are touched; NULL: out of memory. */
static void *reserve(uint64_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	/* What is taken is filled: page by page most of that is page faults. */
	(void)madvise(p, size, MADV_HUGEPAGE);
	return p;
}

static void release(void *p, uint64_t size)
{
	if (p)
		munmap(p, size);
}

static void arena_free(struct iommuabs_sim_arena *a)
{
	uint64_t words = a->config.length >> 3;

	release(a->cpu, a->config.length);
	release(a->dev, a->config.length);
	release(a->flags, words);
	release(a->head, words * sizeof(*a->head));
	release(a->used, a->nr_pages);
	release(a->roles, a->nr_pages * sizeof(*a->roles));
	release(a->stream_roles, a->nr_pages * sizeof(*a->stream_roles));
	release(a->cd_roles, a->nr_pages * sizeof(*a->cd_roles));
	release(a->vtd_roles, a->nr_pages * sizeof(*a->vtd_roles));
	vec_free(&a->pending);
	vec_free(&a->fresh);
	vec_free(&a->violations);
	vec_free(&a->posted);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

static int arena_memory(struct iommuabs_sim_arena *a)
{
	uint64_t words = a->config.length >> 3;

	a->cpu = reserve(a->config.length);
	a->dev = reserve(a->config.length);
	a->flags = reserve(words);
	a->head = reserve(words * sizeof(*a->head));
	a->used = reserve(a->nr_pages);
	a->roles = reserve(a->nr_pages * sizeof(*a->roles));
	a->stream_roles = reserve(a->nr_pages * sizeof(*a->stream_roles));
	a->cd_roles = reserve(a->nr_pages * sizeof(*a->cd_roles));
	a->vtd_roles = reserve(a->nr_pages * sizeof(*a->vtd_roles));
	if (!a->cpu || !a->dev || !a->flags || !a->head || !a->used ||
	    !a->roles || !a->stream_roles || !a->cd_roles || !a->vtd_roles)
		return IOMMUABS_SIM_E_NOMEM;
	return 0;
}

int iommuabs_sim_arena_create(const struct iommuabs_sim_arena_config *config,
			      struct iommuabs_sim_arena **arena)
{
	struct iommuabs_sim_arena *a;
	int st;

	if (!config->length || config->length % PAGE_SIZE ||
	    config->length > MAX_LENGTH || config->base % BASE_ALIGN ||
	    config->base + config->length < config->base)
		return IOMMUABS_SIM_E_INVAL;
	a = calloc(1, sizeof(*a));
	if (!a)
		return IOMMUABS_SIM_E_NOMEM;
	a->config = *config;
	a->adversary = config->mode == IOMMUABS_SIM_ADVERSARY;
	a->nr_pages = config->length >> PAGE_LG2;
	a->random = config->seed * 2 + 1;
	a->epoch = 1;
	a->pending.size = sizeof(struct pending);
	a->fresh.size = sizeof(uint32_t);
	a->violations.size = sizeof(struct violation);
	a->posted.size = sizeof(struct posted);
	pthread_mutex_init(&a->lock, NULL);
	st = arena_memory(a);
	if (!st)
		st = enter_registry(a);
	if (st) {
		arena_free(a);
		return st;
	}
	*arena = a;
	return 0;
}

void iommuabs_sim_arena_destroy(struct iommuabs_sim_arena *a)
{
	if (!a)
		return;
	leave_registry(a);
	while (a->units)
		sim_unit_delete(a->units);
	arena_free(a);
}

/* What a page holds before its first store: it looks like table entries. */
static void fill_with_garbage(struct iommuabs_sim_arena *a, uint64_t page)
{
	uint64_t *p = (uint64_t *)(a->cpu + (page << PAGE_LG2));
	uint32_t first = (uint32_t)(page * PAGE_WORDS);
	uint64_t at = sim_random(a) % a->nr_pages;
	uint64_t step = sim_random(a) % a->nr_pages;
	unsigned int i;

	for (i = 0; i < PAGE_WORDS; i++) {
		at += step;
		if (at >= a->nr_pages)
			at -= a->nr_pages;
		__atomic_store_n(p + i,
				 (a->config.base + (at << PAGE_LG2)) | 0x7c3,
				 __ATOMIC_RELAXED);
		a->dev[first + i] = p[i];
	}
	memset(a->flags + first, 0, PAGE_WORDS);
}

static bool pages_free(const struct iommuabs_sim_arena *a, uint64_t page,
		       uint64_t nr)
{
	uint64_t i;

	for (i = 0; i < nr; i++) {
		if (a->used[page + i])
			return false;
	}
	return true;
}

static int take_pages(struct iommuabs_sim_arena *a, uint64_t nr,
		      uint64_t *maddr)
{
	uint64_t page = nr == 1 ? a->hint : 0, i;

	for (; page + nr <= a->nr_pages; page += nr) {
		if (!pages_free(a, page, nr))
			continue;
		for (i = 0; i < nr; i++) {
			a->used[page + i] = 1;
			fill_with_garbage(a, page + i);
		}
		a->nr_used += nr;
		if (nr == 1)
			a->hint = page;
		*maddr = a->config.base + (page << PAGE_LG2);
		return 0;
	}
	return IOMMUABS_SIM_E_NOMEM;
}

int iommuabs_sim_alloc(struct iommuabs_sim_arena *a, unsigned int size_lg2,
		       uint64_t *maddr)
{
	int st = IOMMUABS_SIM_E_NOMEM;

	/* Natural alignment of the address is that of the base at most. */
	if (size_lg2 < PAGE_LG2 || size_lg2 > 26)
		return IOMMUABS_SIM_E_INVAL;
	sim_lock(a);
	a->alloc_count++;
	if (!a->alloc_fail || --a->alloc_fail)
		st = take_pages(a, BIT64(size_lg2 - PAGE_LG2), maddr);
	sim_unlock(a);
	return st;
}

void iommuabs_sim_free(struct iommuabs_sim_arena *a, uint64_t maddr,
		       unsigned int size_lg2)
{
	uint64_t page, nr, i;

	sim_lock(a);
	if (size_lg2 < PAGE_LG2 || size_lg2 > 26 ||
	    !sim_inside(a, maddr, BIT64(size_lg2)) ||
	    maddr != ALIGN_DOWN(maddr, size_lg2)) {
		sim_violation(a, IOMMUABS_SIM_V_FREED,
			      "free of what was never given, %#llx",
			      (unsigned long long)maddr);
		sim_unlock(a);
		return;
	}
	page = (maddr - a->config.base) >> PAGE_LG2;
	nr = BIT64(size_lg2 - PAGE_LG2);
	for (i = page; i < page + nr; i++) {
		if (!a->used[i]) {
			sim_violation(a, IOMMUABS_SIM_V_FREED,
				      "page %#llx freed twice",
				      (unsigned long long)(a->config.base +
							   (i << PAGE_LG2)));
			continue;
		}
		sim_page_freed(a, i);
		sim_forget_page(a, i);
		a->used[i] = 0;
		a->nr_used--;
	}
	if (page < a->hint)
		a->hint = page;
	sim_unlock(a);
}

void iommuabs_sim_alloc_fail(struct iommuabs_sim_arena *a, uint64_t nth)
{
	sim_lock(a);
	a->alloc_fail = nth;
	sim_unlock(a);
}

uint64_t iommuabs_sim_alloc_count(struct iommuabs_sim_arena *a)
{
	uint64_t nr;

	sim_lock(a);
	nr = a->alloc_count;
	sim_unlock(a);
	return nr;
}

uint64_t iommuabs_sim_pages_used(struct iommuabs_sim_arena *a)
{
	uint64_t nr;

	sim_lock(a);
	nr = a->nr_used;
	sim_unlock(a);
	return nr;
}

void *iommuabs_sim_ptr(struct iommuabs_sim_arena *a, uint64_t maddr)
{
	if (!sim_inside(a, maddr, 1))
		return NULL;
	return a->cpu + (maddr - a->config.base);
}

uint64_t iommuabs_sim_maddr(struct iommuabs_sim_arena *a, const void *p)
{
	uint64_t at = (uintptr_t)p - (uintptr_t)a->cpu;

	return at < a->config.length ? a->config.base + at : UINT64_MAX;
}

uint64_t iommuabs_sim_offset(struct iommuabs_sim_arena *a)
{
	return (uintptr_t)a->cpu - a->config.base;
}

uint64_t iommuabs_sim_time_us(struct iommuabs_sim_arena *a)
{
	uint64_t now;

	sim_lock(a);
	now = ++a->time_us;
	sim_unlock(a);
	return now;
}

unsigned int iommuabs_sim_violations(struct iommuabs_sim_arena *a)
{
	unsigned int nr;

	sim_lock(a);
	nr = a->violations.nr;
	sim_unlock(a);
	return nr;
}

unsigned int iommuabs_sim_violations_of(struct iommuabs_sim_arena *a,
					enum iommuabs_sim_violation which)
{
	unsigned int nr = 0;
	uint32_t i;

	sim_lock(a);
	for (i = 0; i < a->violations.nr; i++) {
		const struct violation *v = vec_at(&a->violations, i);

		nr += v->which == which;
	}
	sim_unlock(a);
	return nr;
}

const char *iommuabs_sim_violation_text(struct iommuabs_sim_arena *a,
					unsigned int n)
{
	const char *text = NULL;

	sim_lock(a);
	if (n < a->violations.nr)
		text = ((struct violation *)vec_at(&a->violations, n))->text;
	sim_unlock(a);
	return text;
}

void iommuabs_sim_violations_clear(struct iommuabs_sim_arena *a)
{
	sim_lock(a);
	a->violations.nr = 0;
	sim_unlock(a);
}
