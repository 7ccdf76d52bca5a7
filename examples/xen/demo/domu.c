/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domu.c - a guest without an MMU, of one device: QEMU's edu
 *
 * Its memory is not where it thinks it is, and it gives the device addresses as it
 * knows them. Prints "DOMU NAME: ..." lines; what it is to be told, and tells,
 * besides goes through a page that it grants to dom0 (demo.h).
 */
#include <stdint.h>
#include <stdbool.h>
#include <public/xen.h>
#include <public/memory.h>
#include <public/grant_table.h>
#include <public/sched.h>
#include "demo.h"

#define UART	((volatile uint32_t *)GUEST_PL011_BASE)
#define UART_FR (0x18 / 4)
#define FR_TXFF (1u << 5)

#define WINDOW	    0x10000000ul
#define WINDOW_SIZE 0x01000000ul
#define BAR_SIZE    0x00100000ul

/* Of nobody's in this guest: memory of dom0's, by machine address. */
#define NOT_MINE 0x70000000ul

long domu_hypercall(long a, long b, long c, long nr);

static uint64_t source[512] __attribute__((aligned(4096)));
static uint64_t target[512] __attribute__((aligned(4096)));
static volatile uint64_t granted[512] __attribute__((aligned(4096)));

static void put(char c)
{
	while (UART[UART_FR] & FR_TXFF)
		;
	UART[0] = (uint32_t)c;
}

static void say(const char *text)
{
	for (; *text; text++)
		put(*text);
}

static void say_hex(uint64_t value)
{
	say("0x");
	for (int shift = 32; shift >= 0; shift -= 4)
		put("0123456789abcdef"[value >> shift & 15]);
}

/* Xen's clock begins a little after the counter: it sleeps somewhat longer. */
static void doze(void)
{
	static evtchn_port_t none[1];
	struct sched_poll poll = { .nr_ports = 0 };
	uint64_t count, hz;

	set_xen_guest_handle(poll.ports, none);
	__asm__ volatile("isb; mrs %0, cntpct_el0" : "=r"(count));
	__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(hz));
	poll.timeout = count / hz * 1000000000 + count % hz * 1000000000 / hz +
		       50000000;
	domu_hypercall(SCHEDOP_poll, (long)&poll, 0, __HYPERVISOR_sched_op);
}

/* dom0 numbers buses, and marks the device that is ours when it is ready. */
static volatile uint32_t *device_find(void)
{
	volatile uint32_t *at;

	for (;; doze())
		for (uint64_t bar = WINDOW; bar < WINDOW + WINDOW_SIZE;
		     bar += BAR_SIZE) {
			at = (volatile uint32_t *)bar;
			if (at[EDU_ID / 4] == EDU_ID_VALUE &&
			    at[EDU_LIVENESS / 4] == (uint32_t)~EDU_MARK)
				return at;
		}
}

static void dma(volatile uint32_t *edu, uint64_t from, uint64_t to,
		uint32_t command)
{
	volatile uint64_t *wide = (volatile uint64_t *)edu;

	__asm__ volatile("dsb sy" ::: "memory");
	wide[EDU_SOURCE / 8] = from;
	wide[EDU_TARGET / 8] = to;
	wide[EDU_COUNT / 8] = DEMO_BYTES;
	wide[EDU_COMMAND / 8] = command | EDU_RUN;
	while (wide[EDU_COMMAND / 8] & EDU_RUN)
		doze();
	__asm__ volatile("dsb sy" ::: "memory");
}

static bool equal(const volatile uint64_t *a, const volatile uint64_t *b)
{
	for (unsigned int i = 0; i < DEMO_BYTES / 8; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

static bool prove_dma(volatile uint32_t *edu)
{
	bool right;

	for (unsigned int i = 0; i < 512; i++)
		source[i] = i * 0x9e3779b97f4a7c15ull;
	dma(edu, (uint64_t)source, EDU_BUFFER, 0);
	dma(edu, EDU_BUFFER, (uint64_t)target, EDU_TO_MEMORY);
	right = equal(source, target);
	say("DOMU dma: from ");
	say_hex((uint64_t)source);
	say(" to ");
	say_hex((uint64_t)target);
	say(right ? ": all is there\n" : ": WRONG\n");
	/* What is read of a stranger's memory is zeros, not our pattern. */
	dma(edu, NOT_MINE, EDU_BUFFER, 0);
	dma(edu, EDU_BUFFER, (uint64_t)target, EDU_TO_MEMORY);
	say("DOMU stranger: read from ");
	say_hex(NOT_MINE);
	for (unsigned int i = 0; i < DEMO_BYTES / 8; i++)
		if (target[i]) {
			say(": WRONG, it got data\n");
			return false;
		}
	say(": nothing but zeros\n");
	return right;
}

static void grant(void)
{
	struct xen_add_to_physmap map = {
		.domid = DOMID_SELF,
		.space = XENMAPSPACE_grant_table,
		.gpfn = GUEST_GNTTAB_BASE >> 12,
	};
	volatile grant_entry_v1_t *entry =
		(volatile grant_entry_v1_t *)GUEST_GNTTAB_BASE + DEMO_GRANT;

	if (domu_hypercall(XENMEM_add_to_physmap, (long)&map, 0,
			   __HYPERVISOR_memory_op))
		say("DOMU grant: WRONG, no table\n");
	entry->domid = 0;
	entry->frame = (uint32_t)((uint64_t)granted >> 12);
	__asm__ volatile("dsb sy" ::: "memory");
	entry->flags = GTF_permit_access;
}

/* Until dom0 has seen enough: whatever becomes of the tables meanwhile. */
static void dma_loop(volatile uint32_t *edu)
{
	uint64_t count = 0, wrong = 0;

	while (granted[0] != DEMO_STOP) {
		for (unsigned int i = 0; i < DEMO_BYTES / 8; i++) {
			source[i] = ++count;
			target[i] = 0;
		}
		dma(edu, (uint64_t)source, EDU_BUFFER, 0);
		dma(edu, EDU_BUFFER, (uint64_t)target, EDU_TO_MEMORY);
		wrong += !equal(source, target);
		granted[1]++;
	}
	say("DOMU loop: ");
	say_hex(granted[1] - DEMO_FROM_DISK(1));
	say(wrong ? " DMAs, some are WRONG\n" : " DMAs, all right\n");
}

void domu_main(void)
{
	volatile uint32_t *edu;

	say("DOMU up\n");
	edu = device_find();
	for (unsigned int i = 0; i < 512; i++)
		granted[i] = DEMO_FROM_GUEST(i);
	granted[DEMO_STATUS] = prove_dma(edu) ? DEMO_DONE : DEMO_FAILED;
	grant();
	while (granted[0] != DEMO_FROM_DISK(0))
		doze();
	for (unsigned int i = 0; i < 512; i++)
		if (granted[i] != DEMO_FROM_DISK(i)) {
			say("DOMU grant: WRONG data from the disk\n");
			return;
		}
	say("DOMU grant: a backend's device has written to ");
	say_hex((uint64_t)granted);
	say("\n");
	dma_loop(edu);
}
