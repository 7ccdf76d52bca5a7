/* SPDX-License-Identifier: BSD-2-Clause */
#include "test_host.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "harness.h"
#include "host/lock.h"

static void expect(const char *got, const char *wanted)
{
	ck_assert_str_eq(got, wanted);
}

START_TEST(every_conversion_prints_as_printf_does)
{
	char line[200], wanted[200];

#define CASE(...)                                               \
	do {                                                    \
		hostif_format(line, sizeof(line), __VA_ARGS__); \
		snprintf(wanted, sizeof(wanted), __VA_ARGS__);  \
		expect(line, wanted);                           \
	} while (0)
	CASE("plain, 100%%");
	CASE("%s|%s", "", "text");
	CASE("%d %d %d", 0, -1, 42);
	CASE("%d %d", 2147483647, -2147483647 - 1);
	CASE("%u %u", 0u, 4294967295u);
	CASE("%x %x", 0u, 0xdeadbeefu);
	CASE("%llu %llu", 0ull, 18446744073709551615ull);
	CASE("%llx %llx", 0ull, 0x123456789abcdef0ull);
	CASE("%04x:%02x.%u", 1u, 0x1fu, 7u);
	CASE("%04x", 0x12345u);
	CASE("%s %llx %d %s", "a", 1ull << 40, -7, "b");
#undef CASE
}
END_TEST

START_TEST(text_that_does_not_fit_is_cut_and_terminated)
{
	char buffer[8] = "#######";

	hostif_format(buffer, 4, "%s", "abcdef");
	expect(buffer, "abc");
	ck_assert_int_eq(buffer[4], '#');
	hostif_format(buffer, 4, "%u", 123456u);
	expect(buffer, "123");
	hostif_format(buffer, 1, "x");
	expect(buffer, "");
	buffer[0] = '#';
	hostif_format(buffer, 0, "x");
	ck_assert_int_eq(buffer[0], '#');
}
END_TEST

START_TEST(a_log_line_is_cut_at_160_characters)
{
	struct test_host *host = test_host_new(0);
	char text[300];

	memset(text, 'y', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	hostif_log(&host->hostif, IOMMUABS_LOG_INFO, "%s", text);
	ck_assert_uint_eq(strlen(host->log), 161);
	test_host_log_clear(host);
	host->hostif.ops.log = NULL;
	hostif_log(&host->hostif, IOMMUABS_LOG_INFO, "%s", text);
	ck_assert_ptr_null(host->log);
	test_host_delete(host);
}
END_TEST

/* Registers. */

static struct {
	uint64_t addr, value;
	unsigned int width;
	int mapped;
} mmio;

static uint64_t mmio_read(void *ctx, uint64_t addr, unsigned int width)
{
	(void)ctx;
	mmio.addr = addr;
	mmio.width = width;
	return 0x1122334455667788;
}

static void mmio_write(void *ctx, uint64_t addr, unsigned int width,
		       uint64_t value)
{
	(void)ctx;
	mmio.addr = addr;
	mmio.width = width;
	mmio.value = value;
}

START_TEST(registers_are_accessed_through_the_hooks)
{
	struct test_host *host = test_host_new(0);
	struct hostif_regs regs;

	host->hostif.ops.mmio_read = mmio_read;
	host->hostif.ops.mmio_write = mmio_write;
	ck_assert_int_eq(
		hostif_regs_map(&host->hostif, 0x9050000, 0x20000, &regs), 0);
	ck_assert_uint_eq(hostif_read32(&regs, REG32(0x20)), 0x55667788);
	ck_assert(mmio.addr == 0x9050020 && mmio.width == 4);
	ck_assert_uint_eq(hostif_read64(&regs, REG64(0x80)),
			  0x1122334455667788);
	ck_assert(mmio.addr == 0x9050080 && mmio.width == 8);
	hostif_write32(&regs, REG32(0x24), 0xffffffff);
	ck_assert(mmio.addr == 0x9050024 && mmio.width == 4);
	ck_assert_uint_eq(mmio.value, 0xffffffff);
	hostif_write64(&regs, REG64(0x10088), (uint64_t)1 << 63);
	ck_assert(mmio.addr == 0x9060088 && mmio.width == 8);
	ck_assert_uint_eq(mmio.value, (uint64_t)1 << 63);
	hostif_regs_unmap(&regs);
	test_host_delete(host);
}
END_TEST

static uint64_t registers[4];

static void *mmio_map(void *ctx, uint64_t maddr, uint64_t size)
{
	(void)ctx;
	if (maddr != 0xfed90000 || size != sizeof(registers))
		return NULL;
	mmio.mapped++;
	return registers;
}

static void mmio_unmap(void *ctx, void *ptr, uint64_t size)
{
	(void)ctx;
	ck_assert_ptr_eq(ptr, registers);
	ck_assert_uint_eq(size, sizeof(registers));
	mmio.mapped--;
}

static void access_registers(struct hostif_regs *regs)
{
	memset(registers, 0, sizeof(registers));
	hostif_write32(regs, REG32(4), 0xabcd);
	ck_assert_uint_eq(registers[0], (uint64_t)0xabcd << 32);
	hostif_write64(regs, REG64(8), 0x123456789abcdef);
	ck_assert_uint_eq(registers[1], 0x123456789abcdef);
	ck_assert_uint_eq(hostif_read32(regs, REG32(4)), 0xabcd);
	ck_assert_uint_eq(hostif_read64(regs, REG64(8)), 0x123456789abcdef);
}

START_TEST(registers_are_accessed_directly_without_hooks)
{
	struct test_host *host = test_host_new(0);
	struct hostif_regs regs;

	ck_assert_int_eq(hostif_regs_map(&host->hostif, (uintptr_t)registers,
					 sizeof(registers), &regs),
			 0);
	access_registers(&regs);
	hostif_regs_unmap(&regs);

	host->hostif.ops.mmio_map = mmio_map;
	host->hostif.ops.mmio_unmap = mmio_unmap;
	ck_assert_int_eq(hostif_regs_map(&host->hostif, 0xfed90000,
					 sizeof(registers), &regs),
			 0);
	access_registers(&regs);
	hostif_regs_unmap(&regs);
	ck_assert_int_eq(mmio.mapped, 0);
	ck_assert_int_eq(hostif_regs_map(&host->hostif, 0, 1, &regs),
			 IOMMUABS_E_NOMEM);
	test_host_delete(host);
}
END_TEST

START_TEST(fields_are_got_and_put_under_their_mask)
{
	ck_assert_uint_eq(FIELD(7, 4), 0xf0);
	ck_assert_uint_eq(FIELD64(63, 0), ~(uint64_t)0);
	ck_assert_uint_eq(FIELD64(63, 60), (uint64_t)0xf << 60);
	ck_assert_uint_eq(field_get(FIELD(7, 4), 0xabc), 0xb);
	ck_assert_uint_eq(field_put(FIELD(7, 4), 0x1b), 0xb0);
	ck_assert_uint_eq(field_put(FIELD64(63, 60), 0xf), (uint64_t)0xf << 60);
}
END_TEST

/* Locks. */

struct contest {
	const struct hostif *host;
	struct ia_lock lock;
	uint64_t rounds;
	uint64_t count; /* plain on purpose: the lock is what guards it */
};

static void *contend(void *arg)
{
	struct contest *contest = arg;
	uint64_t i;

	for (i = 0; i < contest->rounds; i++) {
		ia_lock(contest->host, &contest->lock);
		contest->count++;
		ia_unlock(contest->host, &contest->lock);
	}
	return NULL;
}

START_TEST(a_lock_excludes)
{
	struct test_host *host = test_host_new(_i ? TEST_HOST_LOCKS : 0);
	struct contest contest = { .host = &host->hostif,
				   .rounds = test_rounds(200000) };
	pthread_t other;

	ck_assert_int_eq(
		ia_lock_init(&host->hostif, &contest.lock, IOMMUABS_LOCK_RMAP),
		0);
	ck_assert_int_eq(pthread_create(&other, NULL, contend, &contest), 0);
	contend(&contest);
	pthread_join(other, NULL);
	ck_assert_uint_eq(contest.count, 2 * contest.rounds);
	ia_lock_exit(&host->hostif, &contest.lock);
	test_host_delete(host);
}
END_TEST

START_TEST(a_host_without_memory_for_a_lock_is_reported)
{
	struct test_host *host = test_host_new(TEST_HOST_LOCKS);
	struct ia_lock lock;

	test_host_fail_nth(host, 1);
	ck_assert_int_eq(ia_lock_init(&host->hostif, &lock, IOMMUABS_LOCK_UNIT),
			 IOMMUABS_E_NOMEM);
	test_host_delete(host);
}
END_TEST

static void make(struct test_host *host, struct ia_lock *lock,
		 enum iommuabs_lock_class class_)
{
	ck_assert_int_eq(ia_lock_init(&host->hostif, lock, class_), 0);
}

/* In which a debug build does not trap before the host sees anything. */
static struct test_host *unchecked_host(void)
{
	struct test_host *host = test_host_new(TEST_HOST_LOCKS);

	host->hostif.ops.caller = NULL;
	return host;
}

START_TEST(the_test_host_sees_locks_out_of_order)
{
	struct test_host *host = unchecked_host();
	const struct hostif *hostif = &host->hostif;
	struct ia_lock rmap, unit, domain;
	uint64_t maddr;

	make(host, &rmap, IOMMUABS_LOCK_RMAP);
	make(host, &unit, IOMMUABS_LOCK_UNIT);
	make(host, &domain, IOMMUABS_LOCK_DOMAIN);
	ia_lock(hostif, &rmap);
	ck_assert(test_host_holds_lock(IOMMUABS_LOCK_RMAP));
	ck_assert(!test_host_holds_lock(IOMMUABS_LOCK_UNIT));
	ia_lock(hostif, &unit);
	ia_unlock(hostif, &unit);
	ck_assert_uint_eq(host->violations, 0);
	host->ops.table_alloc(host, NULL, 12, 0, &maddr);
	ck_assert_uint_eq(host->violations, 1);
	ia_lock(hostif, &domain);
	ck_assert_uint_eq(host->violations, 2);
	ia_unlock(hostif, &domain);
	ia_unlock(hostif, &rmap);
	host->ops.table_free(host, host, maddr, 12);
	ck_assert_uint_eq(host->violations, 3);
	host->ops.table_free(host, NULL, maddr, 12);
	host->violations = 0;
	ia_lock_exit(hostif, &rmap);
	ia_lock_exit(hostif, &unit);
	ia_lock_exit(hostif, &domain);
	test_host_delete(host);
}
END_TEST

static void *let_go_of_it(void *arg)
{
	struct contest *contest = arg;

	ia_unlock(contest->host, &contest->lock);
	return NULL;
}

START_TEST(the_test_host_knows_whose_a_lock_is)
{
	struct test_host *host = unchecked_host();
	struct contest contest = { .host = &host->hostif };
	pthread_t other;

	make(host, &contest.lock, IOMMUABS_LOCK_DOMAIN);
	ia_unlock(&host->hostif, &contest.lock);
	ck_assert_uint_eq(host->violations, 1);
	ia_lock(&host->hostif, &contest.lock);
	ck_assert_int_eq(pthread_create(&other, NULL, let_go_of_it, &contest),
			 0);
	pthread_join(other, NULL);
	ck_assert_uint_eq(host->violations, 2);
	/* Once for the order, and once for being its own. */
	ia_lock(&host->hostif, &contest.lock);
	ck_assert_uint_eq(host->violations, 4);
	ia_unlock(&host->hostif, &contest.lock);
	ck_assert_uint_eq(host->violations, 4);
	host->violations = 0;
	ia_lock_exit(&host->hostif, &contest.lock);
	test_host_delete(host);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("hostif");
	TCase *format = tcase_create("format");
	TCase *regs = tcase_create("registers");
	TCase *lock = tcase_create("lock");

	tcase_add_test(format, every_conversion_prints_as_printf_does);
	tcase_add_test(format, text_that_does_not_fit_is_cut_and_terminated);
	tcase_add_test(format, a_log_line_is_cut_at_160_characters);
	suite_add_tcase(s, format);
	tcase_add_test(regs, registers_are_accessed_through_the_hooks);
	tcase_add_test(regs, registers_are_accessed_directly_without_hooks);
	tcase_add_test(regs, fields_are_got_and_put_under_their_mask);
	suite_add_tcase(s, regs);
	tcase_add_loop_test(lock, a_lock_excludes, 0, 2);
	tcase_add_test(lock, a_host_without_memory_for_a_lock_is_reported);
	tcase_add_test(lock, the_test_host_sees_locks_out_of_order);
	tcase_add_test(lock, the_test_host_knows_whose_a_lock_is);
	suite_add_tcase(s, lock);
	return s;
}

HARNESS_MAIN(suite)
