/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_host.h - a host of user space: an arena of "machine memory", and hooks
 * that count, refuse on demand and watch how the library behaves
 *
 *	struct test_host *host = test_host_new(TEST_HOST_LOCKS);
 *	... iommuabs_create(&host->ops, host, &abs) ...
 *	test_host_delete(host);
 *
 * test_host_delete() fails the test if something was not given back, a lock is
 * held or a hook was called in a way that host.h rules out. Such violations are
 * only recorded where they happen, since that may be another thread.
 */
#ifndef TEST_HOST_H
#define TEST_HOST_H

#include <pthread.h>
#include <stdarg.h>

#include <iommuabs/error.h>
#include <iommuabs/host.h>

#include "host/hostif.h"

/* Built-in locks, a linear offset and objects cut from pages unless: */
#define TEST_HOST_LOCKS \
	(1u << 0) /* the host's locks, checked for their order */
#define TEST_HOST_ALLOC (1u << 1) /* alloc() and free() */
#define TEST_HOST_MAP	(1u << 2) /* table_map(), table_unmap() and alloc() */

/* Its memory has addresses of 52 bits. */
#define TEST_HOST_HIGH (1u << 3)

/* "Machine memory": frames from TEST_HOST_MFN on, unless it is high. */
#define TEST_HOST_MFN	 ((uint64_t)0x100000)
#define TEST_HOST_FRAMES ((uint64_t)0x10000) /* 256 MiB, touched when used */

struct test_host_frame {
	void *cookie;	  /* that it was allocated for */
	uint8_t size_lg2; /* of the allocation it begins; 0: none */
	uint8_t used;
};

struct test_host {
	struct iommuabs_host ops; /* may be changed before it is handed over */
	struct hostif hostif;	  /* the same, for tests of single modules */
	struct iommuabs_range range;

	uint64_t mfn; /* of the arena */
	char *arena;
	struct test_host_frame *frames;
	uint64_t hint; /* where to look for a free frame first */
	pthread_mutex_t mutex;

	/* Outstanding: frames, objects, locks, pages mapped. */
	int64_t tables, objects, locks, maps;
	/* table_alloc(), alloc() and lock_create() calls so far. */
	uint64_t allocations;
	uint64_t fail_at;    /* the value of @allocations that fails; 0: none */
	int fail_always;     /* every allocation fails */
	int64_t tables_most; /* the highest value of @tables */
	uint64_t map_calls;  /* table_map() calls so far */

	/* table_alloc() gives this once instead; 0: off. What came back: */
	uint64_t lie;
	uint64_t lie_returned;

	uint64_t now_us;  /* time_us() */
	uint64_t tick_us; /* added by each call of it */
	int yield;	  /* should_yield() */

	uint32_t violations;
	char first_violation[160];

	void *user; /* the test's own */

	char *log; /* everything logged, lines ended by \n */
	size_t log_size;
};

/* Zeroes that cost nothing until they are touched, under a sanitizer, too. */
void *test_pages_new(size_t size);
void test_pages_delete(void *pages, size_t size);

struct test_host *test_host_new(uint32_t flags);
void test_host_delete(struct test_host *host);

/* The @n-th allocation from now fails, and only that; 0: none. */
void test_host_fail_nth(struct test_host *host, uint64_t n);
/* Was the failure used up? Then there are no more places to fail. */
bool test_host_failed(const struct test_host *host);

/* Was a line logged that contains @text? */
bool test_host_logged(struct test_host *host, const char *text);
void test_host_log_clear(struct test_host *host);

void *test_host_ptr(struct test_host *host, uint64_t maddr);

/* Does the calling thread hold a lock of that class or, with -1, any? */
bool test_host_holds_lock(int class_);

/* iommuabs_host.caller: the calling thread's. */
struct iommuabs_caller *test_host_caller(void *ctx);

void test_host_violation(struct test_host *host, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Random numbers of a seed: the same on every machine. */
static inline uint64_t test_random(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

/* In [0, @n). */
static inline uint64_t test_random_below(uint64_t *state, uint64_t n)
{
	return test_random(state) % n;
}

/* @full, or a hundredth with IOMMUABS_TEST_QUICK or under a thread sanitizer. */
uint64_t test_rounds(uint64_t full);

#endif
