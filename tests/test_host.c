/* SPDX-License-Identifier: BSD-2-Clause */
#include "test_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "harness.h"
#include "test_sanitizers.h"

#define FRAME	 IOMMUABS_FRAME_SIZE
#define LG2	 IOMMUABS_FRAME_LG2
#define MAPS_MAX 8
#define HELD_MAX 8

/* Of the calling thread. */
static __thread int held[HELD_MAX];
static __thread int nr_held;
static __thread int nr_mapped;
static __thread struct iommuabs_caller caller;

struct test_lock {
	pthread_mutex_t mutex;
	int class_;
	/* Who has it: the address of that thread's held[], NULL: nobody. */
	const int *owner;
};

void test_host_violation(struct test_host *host, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	if (__atomic_fetch_add(&host->violations, 1, __ATOMIC_SEQ_CST) == 0)
		vsnprintf(host->first_violation, sizeof(host->first_violation),
			  format, list);
	va_end(list);
}

bool test_host_holds_lock(int class_)
{
	int i;

	for (i = 0; i < nr_held; i++) {
		if (class_ < 0 || held[i] == class_)
			return true;
	}
	return false;
}

/* Memory. */

/* Counts an allocation; true: it has to fail. With the mutex held. */
static bool refused(struct test_host *host)
{
	return ++host->allocations == host->fail_at || host->fail_always;
}

static bool is_free(const struct test_host *host, uint64_t first, uint64_t nr)
{
	uint64_t i;

	for (i = first; i < first + nr; i++) {
		if (host->frames[i].used)
			return false;
	}
	return true;
}

/* The first of @nr free frames; TEST_HOST_FRAMES: there are none. */
static uint64_t find(struct test_host *host, uint64_t nr)
{
	uint64_t start = (host->hint + nr - 1) / nr * nr, i;

	for (i = start; i + nr <= TEST_HOST_FRAMES; i += nr) {
		if (is_free(host, i, nr))
			return i;
	}
	for (i = 0; i < start && i + nr <= TEST_HOST_FRAMES; i += nr) {
		if (is_free(host, i, nr))
			return i;
	}
	return TEST_HOST_FRAMES;
}

static uint64_t take(struct test_host *host, void *cookie, unsigned int lg2)
{
	uint64_t nr = (uint64_t)1 << (lg2 - LG2), first = find(host, nr), i;

	if (first == TEST_HOST_FRAMES)
		return 0;
	for (i = first; i < first + nr; i++)
		host->frames[i].used = 1;
	host->frames[first].size_lg2 = (uint8_t)lg2;
	host->frames[first].cookie = cookie;
	host->hint = first + nr;
	host->tables += (int64_t)nr;
	host->tables_most = IA_MAX(host->tables_most, host->tables);
	return (host->mfn + first) << LG2;
}

static int host_table_alloc(void *ctx, void *cookie, unsigned int size_lg2,
			    uint32_t flags, uint64_t *maddr)
{
	struct test_host *host = ctx;
	uint64_t got = 0;

	if (size_lg2 < 12 || size_lg2 > 26 || (flags & ~IOMMUABS_ALLOC_UNIT))
		test_host_violation(host, "table_alloc(%u, %x)", size_lg2,
				    flags);
	if (nr_held)
		test_host_violation(host, "table_alloc() under a lock");
	pthread_mutex_lock(&host->mutex);
	if (!refused(host)) {
		got = host->lie ? host->lie : take(host, cookie, size_lg2);
		if (got && !host->lie)
			memset(test_host_ptr(host, got), 0xa5,
			       (size_t)1 << size_lg2);
		host->lie = 0;
	}
	pthread_mutex_unlock(&host->mutex);
	if (!got)
		return IOMMUABS_E_NOMEM;
	*maddr = got;
	return 0;
}

static void give_back(struct test_host *host, void *cookie, uint64_t maddr,
		      unsigned int size_lg2)
{
	uint64_t first = (maddr >> LG2) - host->mfn, i;
	uint64_t nr = (uint64_t)1 << (size_lg2 - LG2);
	struct test_host_frame *frame = &host->frames[first];

	if (first >= TEST_HOST_FRAMES || frame->size_lg2 != size_lg2 ||
	    (cookie && frame->cookie != cookie)) {
		test_host_violation(host, "table_free(%llx, %u) as never given",
				    (unsigned long long)maddr, size_lg2);
		return;
	}
	for (i = first; i < first + nr; i++)
		host->frames[i].used = 0;
	frame->size_lg2 = 0;
	host->tables -= (int64_t)nr;
	memset(test_host_ptr(host, maddr), 0x5a, (size_t)1 << size_lg2);
}

static void host_table_free(void *ctx, void *cookie, uint64_t maddr,
			    unsigned int size_lg2)
{
	struct test_host *host = ctx;
	uint64_t first = (maddr >> LG2) - host->mfn;

	pthread_mutex_lock(&host->mutex);
	if (first >= TEST_HOST_FRAMES || !host->frames[first].size_lg2)
		host->lie_returned = maddr;
	else
		give_back(host, cookie, maddr, size_lg2);
	pthread_mutex_unlock(&host->mutex);
}

void *test_host_ptr(struct test_host *host, uint64_t maddr)
{
	return host->arena + (maddr - (host->mfn << LG2));
}

static void *host_table_map(void *ctx, uint64_t maddr)
{
	struct test_host *host = ctx;

	if (maddr % FRAME || (maddr >> LG2) < host->mfn ||
	    (maddr >> LG2) >= host->mfn + TEST_HOST_FRAMES)
		test_host_violation(host, "table_map(%llx)",
				    (unsigned long long)maddr);
	if (++nr_mapped > MAPS_MAX)
		test_host_violation(host, "more than 8 pages mapped");
	__atomic_add_fetch(&host->maps, 1, __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&host->map_calls, 1, __ATOMIC_RELAXED);
	return test_host_ptr(host, maddr);
}

static void host_table_unmap(void *ctx, void *page)
{
	struct test_host *host = ctx;

	if ((uintptr_t)page % FRAME)
		test_host_violation(host, "table_unmap() of no page");
	nr_mapped--;
	__atomic_sub_fetch(&host->maps, 1, __ATOMIC_SEQ_CST);
}

static void *host_alloc(void *ctx, size_t size)
{
	struct test_host *host = ctx;
	bool fail;

	if (nr_held)
		test_host_violation(host, "alloc() under a lock");
	if (size < 16 || size > 8192)
		test_host_violation(host, "alloc(%zu)", size);
	pthread_mutex_lock(&host->mutex);
	fail = refused(host);
	host->objects += !fail;
	pthread_mutex_unlock(&host->mutex);
	return fail ? NULL : memset(malloc(size), 0xa5, size);
}

static void host_free(void *ctx, void *object, size_t size)
{
	struct test_host *host = ctx;

	memset(object, 0x5a, size);
	free(object);
	pthread_mutex_lock(&host->mutex);
	host->objects--;
	pthread_mutex_unlock(&host->mutex);
}

/* Locks. */

static void *host_lock_create(void *ctx, enum iommuabs_lock_class class_)
{
	struct test_host *host = ctx;
	struct test_lock *lock;
	bool fail;

	pthread_mutex_lock(&host->mutex);
	fail = refused(host);
	host->locks += !fail;
	pthread_mutex_unlock(&host->mutex);
	if (fail)
		return NULL;
	lock = malloc(sizeof(*lock));
	pthread_mutex_init(&lock->mutex, NULL);
	lock->class_ = (int)class_;
	lock->owner = NULL;
	return lock;
}

static void host_lock_destroy(void *ctx, void *lock)
{
	struct test_host *host = ctx;
	struct test_lock *mine = lock;

	if (pthread_mutex_destroy(&mine->mutex))
		test_host_violation(host, "lock_destroy() of a held lock");
	free(mine);
	pthread_mutex_lock(&host->mutex);
	host->locks--;
	pthread_mutex_unlock(&host->mutex);
}

static void host_lock(void *ctx, void *lock)
{
	struct test_lock *mine = lock;

	if (nr_held && held[nr_held - 1] >= mine->class_)
		test_host_violation(ctx, "lock of class %d under one of %d",
				    mine->class_, held[nr_held - 1]);
	if (__atomic_load_n(&mine->owner, __ATOMIC_RELAXED) == held) {
		test_host_violation(ctx, "a lock of class %d taken twice",
				    mine->class_);
		return; /* it would wait for itself */
	}
	pthread_mutex_lock(&mine->mutex);
	__atomic_store_n(&mine->owner, held, __ATOMIC_RELAXED);
	if (nr_held < HELD_MAX)
		held[nr_held++] = mine->class_;
}

static void host_unlock(void *ctx, void *lock)
{
	struct test_lock *mine = lock;

	if (__atomic_load_n(&mine->owner, __ATOMIC_RELAXED) != held) {
		test_host_violation(ctx, "class %d let go by who hasn't it",
				    mine->class_);
		return;
	}
	__atomic_store_n(&mine->owner, NULL, __ATOMIC_RELAXED);
	if (!nr_held || held[nr_held - 1] != mine->class_)
		test_host_violation(ctx, "unlock out of order, class %d",
				    mine->class_);
	else
		nr_held--;
	pthread_mutex_unlock(&mine->mutex);
}

struct iommuabs_caller *test_host_caller(void *ctx)
{
	(void)ctx;
	return &caller;
}

/* Time and text. */

static uint64_t host_time_us(void *ctx)
{
	struct test_host *host = ctx;

	return __atomic_add_fetch(&host->now_us, host->tick_us,
				  __ATOMIC_SEQ_CST);
}

static int host_should_yield(void *ctx)
{
	struct test_host *host = ctx;

	return host->yield;
}

static void host_log(void *ctx, enum iommuabs_log_level level, const char *line)
{
	struct test_host *host = ctx;
	size_t length = strlen(line);

	if (strchr(line, '\n') || length > 160 || level > IOMMUABS_LOG_DUMP)
		test_host_violation(host, "log(%d, %zu characters)", (int)level,
				    length);
	pthread_mutex_lock(&host->mutex);
	host->log = realloc(host->log, host->log_size + length + 2);
	memcpy(host->log + host->log_size, line, length);
	host->log_size += length + 1;
	strcpy(host->log + host->log_size - 1, "\n");
	pthread_mutex_unlock(&host->mutex);
}

bool test_host_logged(struct test_host *host, const char *text)
{
	return host->log && strstr(host->log, text);
}

void test_host_log_clear(struct test_host *host)
{
	free(host->log);
	host->log = NULL;
	host->log_size = 0;
}

/* The whole. */

void test_host_fail_nth(struct test_host *host, uint64_t n)
{
	host->fail_at = n ? host->allocations + n : 0;
}

bool test_host_failed(const struct test_host *host)
{
	return host->fail_at && host->allocations >= host->fail_at;
}

static void ops_fill(struct test_host *host, uint32_t flags)
{
	host->ops = (struct iommuabs_host){
		.size = sizeof(host->ops),
		.table_alloc = host_table_alloc,
		.table_free = host_table_free,
		.table_ranges = &host->range,
		.nr_table_ranges = 1,
		.table_offset = (uintptr_t)host->arena - (host->mfn << LG2),
		.time_us = host_time_us,
		.log = host_log,
		.should_yield = host_should_yield,
		.caller = test_host_caller,
	};
	if (flags & TEST_HOST_MAP) {
		host->ops.table_offset = 0x123; /* nobody may look at it */
		host->ops.table_map = host_table_map;
		host->ops.table_unmap = host_table_unmap;
	}
	if (flags & (TEST_HOST_ALLOC | TEST_HOST_MAP)) {
		host->ops.alloc = host_alloc;
		host->ops.free = host_free;
	}
	if (flags & TEST_HOST_LOCKS) {
		host->ops.lock_create = host_lock_create;
		host->ops.lock_destroy = host_lock_destroy;
		host->ops.lock = host_lock;
		host->ops.unlock = host_unlock;
	}
}

void *test_pages_new(size_t size)
{
	void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	ck_assert_ptr_ne(pages, MAP_FAILED);
	return pages;
}

void test_pages_delete(void *pages, size_t size)
{
	munmap(pages, size);
}

struct test_host *test_host_new(uint32_t flags)
{
	struct test_host *host = calloc(1, sizeof(*host));

	ck_assert_ptr_nonnull(host);
	host->mfn = TEST_HOST_MFN;
	/* Bits in both pieces of each layout of 52-bit addresses. */
	if (flags & TEST_HOST_HIGH)
		host->mfn += (uint64_t)0xd << 36 | (uint64_t)1 << 35;
	host->arena = test_pages_new(TEST_HOST_FRAMES * FRAME);
	host->frames = test_pages_new(TEST_HOST_FRAMES * sizeof(*host->frames));
	pthread_mutex_init(&host->mutex, NULL);
	host->range = (struct iommuabs_range){ IOMMUABS_MFN(host->mfn),
					       TEST_HOST_FRAMES };
	host->tick_us = 1;
	ops_fill(host, flags);
	host->hostif = (struct hostif){ host->ops, host };
	return host;
}

void test_host_delete(struct test_host *host)
{
	ck_assert_msg(!host->violations, "%u violations, the first: %s",
		      host->violations, host->first_violation);
	ck_assert_int_eq(host->tables, 0);
	ck_assert_int_eq(host->objects, 0);
	ck_assert_int_eq(host->locks, 0);
	ck_assert_int_eq(host->maps, 0);
	ck_assert_int_eq(nr_held, 0);
	pthread_mutex_destroy(&host->mutex);
	test_pages_delete(host->arena, TEST_HOST_FRAMES * FRAME);
	test_pages_delete(host->frames,
			  TEST_HOST_FRAMES * sizeof(*host->frames));
	free(host->log);
	free(host);
}

uint64_t test_rounds(uint64_t full)
{
	if (TEST_THREAD_SANITIZER || getenv("IOMMUABS_TEST_QUICK"))
		return full / 100;
	return full;
}
