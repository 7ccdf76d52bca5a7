/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bring_up.c - does the host itself work? The IOMMU is left as reset: bypassing
 */
#include "bring_up.h"
#include "console.h"
#include "cpu.h"
#include "edu.h"
#include "guest.h"
#include "machine.h"
#include "pages.h"
#include "string.h"
#include "tap.h"
#include "timer.h"

#define PROGRAM_GFN  0x10u
#define RAM_LG2	     21
#define RAM_NR	     512u
#define UNMAPPED_GFN UINT64_C(0x90000)
#define RW	     (P2M_READ | P2M_WRITE)

static void check_timer(void)
{
	uint64_t start = time_us(), slept;
	int never = 0;

	timer_wait(&never, 1000);
	slept = time_us() - start;
	tap_check(slept >= 1000 && slept < 1000000,
		  "the timer's interrupt ends a wait of 1000 us after %lu us",
		  slept);
}

static void check_guest_memory(struct guest *guest, uint64_t mfn)
{
	const char *host = (const char *)(mfn << PAGE_LG2);
	uint64_t ipa = (BRING_UP_RAM_GFN << PAGE_LG2) + 0x1234, sum;
	char bytes[3000], back[3000];

	for (unsigned int i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7 + guest->p2m.vmid);
	tap_check(!guest_write(guest, ipa, bytes, sizeof(bytes)) &&
			  !memcmp(host + 0x1234, bytes, sizeof(bytes)),
		  "guest %u writes gfn %lx, the host reads mfn %lx",
		  guest->p2m.vmid, BRING_UP_RAM_GFN, mfn);
	tap_check(!guest_read(guest, ipa, back, sizeof(back)) &&
			  !memcmp(back, bytes, sizeof(bytes)),
		  "guest %u reads it back", guest->p2m.vmid);
	tap_check(!guest_fill(guest, BRING_UP_RAM_GFN << PAGE_LG2, 1, 16) &&
			  !guest_sum(guest, BRING_UP_RAM_GFN << PAGE_LG2, 16,
				     &sum) &&
			  sum == 1 + 2 && host[0] == 1 && host[8] == 2,
		  "guest %u fills and sums", guest->p2m.vmid);
}

static void check_guest_faults(struct guest *guest)
{
	uint64_t ipa = UNMAPPED_GFN << PAGE_LG2;
	char byte = 0;

	tap_check(guest_read(guest, ipa + 5, &byte, 1) == GUEST_FAULT &&
			  guest->fault.ipa == ipa + 5 && !guest->fault.write &&
			  !guest->fault.permission,
		  "guest %u faults reading unmapped gfn %lx: syndrome %lx",
		  guest->p2m.vmid, UNMAPPED_GFN, guest->fault.syndrome);
	p2m_protect(&guest->p2m, BRING_UP_RAM_GFN, 1, P2M_READ);
	ipa = BRING_UP_RAM_GFN << PAGE_LG2;
	tap_check(guest_write(guest, ipa, &byte, 1) == GUEST_FAULT &&
			  guest->fault.ipa == ipa && guest->fault.write &&
			  guest->fault.permission &&
			  !guest_read(guest, ipa, &byte, 1) &&
			  !guest_write(guest, ipa + PAGE_SIZE, &byte, 1),
		  "guest %u faults writing read-only gfn %lx, not its "
		  "neighbour in the same 2M leaf",
		  guest->p2m.vmid, BRING_UP_RAM_GFN);
	p2m_unmap(&guest->p2m, BRING_UP_RAM_GFN + 1, 1);
	tap_check(guest_read(guest, ipa + PAGE_SIZE, &byte, 1) == GUEST_FAULT &&
			  !guest_read(guest, ipa + 2 * PAGE_SIZE, &byte, 1),
		  "guest %u faults right after unmap", guest->p2m.vmid);
}

/* After check_guest_faults(): gfn 0 read-only, 1 a hole, the rest writable. */
static void check_walk(struct guest *guest, uint64_t mfn)
{
	struct p2m_run runs[8];
	struct p2m_runs out = { .runs = runs, .max = 8 };

	p2m_walk(&guest->p2m, 0, 1ull << 20, &out);
	tap_check(out.nr == 3 && out.next == 1ull << 20 &&
			  runs[0].gfn == PROGRAM_GFN && runs[0].nr == 1 &&
			  runs[1].gfn == BRING_UP_RAM_GFN &&
			  runs[1].mfn == mfn && runs[1].nr == 1 &&
			  runs[1].flags == P2M_READ &&
			  runs[2].gfn == BRING_UP_RAM_GFN + 2 &&
			  runs[2].mfn == mfn + 2 && runs[2].nr == RAM_NR - 2 &&
			  runs[2].flags == RW,
		  "a walk finds the program, a read-only frame and %lu more",
		  runs[2].nr);
	out.max = 1;
	p2m_walk(&guest->p2m, BRING_UP_RAM_GFN, RAM_NR, &out);
	tap_check(out.nr == 1 && out.next == BRING_UP_RAM_GFN + 2,
		  "a walk with room for one run stops at gfn %lx", out.next);
}

static void check_guest(struct guest *guest, unsigned int ipa_bits,
			uint16_t vmid)
{
	uint64_t ram = pages_alloc(&guest_pool, RAM_LG2);
	uint64_t mfn = ram >> PAGE_LG2;
	int st = guest_create(guest, ipa_bits, vmid, PROGRAM_GFN);

	if (!st)
		st = p2m_map(&guest->p2m, BRING_UP_RAM_GFN, mfn, RAM_NR, RW);
	if (!tap_check(!st && ram,
		       "guest %u: %u bits, root at level %u of %u KiB", vmid,
		       ipa_bits, guest->p2m.start_level,
		       1u << (guest->p2m.root_lg2 - 10)))
		return;
	memset((void *)ram, 0, 1ull << RAM_LG2);
	check_guest_memory(guest, mfn);
	check_guest_faults(guest);
	check_walk(guest, mfn);
	bring_up_table(guest, mfn);
}

static void check_two_guests(struct guest *a, struct guest *b)
{
	uint64_t ipa = (BRING_UP_RAM_GFN + 3) << PAGE_LG2;
	char from_a = 'a', from_b = 'b', got_a = 0, got_b = 0;

	int st = guest_write(a, ipa, &from_a, 1);

	if (!st)
		st = guest_write(b, ipa, &from_b, 1);
	if (!st)
		st = guest_read(a, ipa, &got_a, 1);
	if (!st)
		st = guest_read(b, ipa, &got_b, 1);
	tap_check(!st && got_a == 'a' && got_b == 'b',
		  "two guests keep different bytes at gfn %lx: %c, %c",
		  BRING_UP_RAM_GFN + 3, got_a, got_b);
}

static void check_edu(unsigned int index)
{
	struct edu *edu = edu_get(index);
	uint64_t page = pages_alloc(&guest_pool, PAGE_LG2);
	char *bytes = (char *)page;

	if (!tap_check(edu != NULL, "ECAM has edu device %u", index))
		return;
	for (unsigned int i = 0; i < 1024; i++)
		bytes[i] = (char)(i * 3 + index);
	memset(bytes + 2048, 0, 1024);
	tap_check(!edu_pull(edu, 16, page, 1024) &&
			  !edu_push(edu, 16, page + 2048, 1024) &&
			  !memcmp(bytes, bytes + 2048, 1024) &&
			  bytes[2048 + 1] == (char)(3 + index),
		  "edu %u (requester %04x, registers %lx, interrupt %u) copies "
		  "1024 bytes in and out of memory",
		  index, edu->pci->bdf, edu->pci->bar0, edu->pci->irq);
	pages_free(&guest_pool, page, PAGE_LG2);
}

static struct spinlock lock;
static unsigned int counter;

static void count(void *arg)
{
	for (unsigned int i = 0; i < 1000; i++) {
		spin_lock(&lock);
		counter++;
		spin_unlock(&lock);
	}
	*(uint64_t *)arg = bring_up_cpu_id();
}

static void check_cpus(void)
{
	uint64_t ids[MACHINE_MAX_CPUS] = { 0 };

	for (unsigned int n = 1; n < machine.nr_cpus; n++) {
		int st = cpu_start(n, count, &ids[n]);

		if (!tap_check(!st, "CPU %u is started", n))
			return;
	}
	for (unsigned int n = 1; n < machine.nr_cpus; n++) {
		cpu_wait(n);
		tap_check(ids[n] == machine.cpu_ids[n],
			  "CPU %u ran: its id is %lx", n, ids[n]);
	}
	tap_check(counter == 1000 * (machine.nr_cpus - 1),
		  "%u more CPUs counted to %u under one lock",
		  machine.nr_cpus - 1, counter);
}

void bring_up(void)
{
	static struct guest guests[2];

	bring_up_machine();
	check_timer();
	check_guest(&guests[0], 40, 1);
	check_guest(&guests[1], 48, 2);
	check_two_guests(&guests[0], &guests[1]);
	check_edu(0);
	check_edu(1);
	check_cpus();
}
