/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dom0.c - what dom0's script can't do: hypercalls, grants, and the edu device
 *
 * usage: dom0 keys KEYS			debug keys, as from Xen's console
 *	  dom0 mark FUNCTION			the guest may use this edu device
 *	  dom0 dma FUNCTION [ADDRESS]		to a page of its own, or there
 *	  dom0 taken FUNCTION			to a page that is taken from dom0
 *	  dom0 xen-address			where constants of Xen's are
 *	  dom0 grant DOMAIN DISK		backend I/O on a granted page
 *	  dom0 stop DOMAIN			the guest's DMA goes on: end that
 *	  dom0 destroy DOMAIN
 *	  dom0 assign|deassign DOMAIN PATH	a device of the device tree
 *
 * FUNCTION is as 0000:00:05.0. Prints a line, and exits with 0 if all went well.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <public/xen.h>
#include <public/domctl.h>
#include <public/memory.h>
#include <public/sysctl.h>
#include "demo.h"

#define PAGE 4096

/* Linux, include/uapi/xen/privcmd.h and gntdev.h: the numbers of its calls */
struct privcmd {
	uint64_t op, arg[5];
};
#define PRIVCMD_HYPERCALL _IOC(_IOC_NONE, 'P', 0, sizeof(struct privcmd))
struct gntdev_map {
	uint32_t count, pad;
	uint64_t index;
	uint32_t domid, ref;
};
#define GNTDEV_MAP _IOC(_IOC_NONE, 'G', 0, sizeof(struct gntdev_map))

static void fail(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	exit(1);
}

/* Memory that a hypercall may read, and a device: a page, there and locked. */
static void *page_new(size_t size)
{
	void *page = mmap(
		NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE, -1, 0);

	if (page == MAP_FAILED)
		fail("mmap");
	return page;
}

static long hypercall2(uint64_t op, uint64_t first, void *second)
{
	struct privcmd call = { .op = op, .arg = { first, (uintptr_t)second } };
	int file = open("/dev/xen/privcmd", O_RDWR | O_CLOEXEC);
	long ret;

	if (file < 0)
		fail("/dev/xen/privcmd");
	do {
		ret = ioctl(file, PRIVCMD_HYPERCALL, &call);
	} while (ret < 0 && errno == EAGAIN);
	close(file);
	return ret;
}

static long hypercall(uint64_t op, void *argument)
{
	return hypercall2(op, (uintptr_t)argument, NULL);
}

static int keys(const char *which)
{
	struct xen_sysctl *call = page_new(PAGE);
	char *text = page_new(PAGE);

	strcpy(text, which);
	call->cmd = XEN_SYSCTL_debug_keys;
	call->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	set_xen_guest_handle(call->u.debug_keys.keys, text);
	call->u.debug_keys.nr_keys = strlen(text);
	if (hypercall(__HYPERVISOR_sysctl, call))
		fail("debug keys");
	return 0;
}

/* Its debug key says it, on the console. */
static int xen_address(void)
{
	static const char mark[] = "Xen's constants are at machine address ";
	struct xen_sysctl *call = page_new(PAGE);
	const size_t size = 256 * 1024;
	char *text = page_new(size);
	const char *at;

	call->cmd = XEN_SYSCTL_readconsole;
	call->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	set_xen_guest_handle(call->u.readconsole.buffer, text);
	call->u.readconsole.count = size - 1;
	if (hypercall(__HYPERVISOR_sysctl, call))
		fail("console");
	at = strstr(text, mark);
	if (!at)
		return 1;
	at += sizeof(mark) - 1;
	printf("%.*s\n", (int)strcspn(at, "\r\n"), at);
	return 0;
}

/* The function's registers; memory decoding and bus mastering are on after it. */
static volatile void *edu_open(const char *function)
{
	uint16_t command = 6;
	char path[128];
	void *regs;
	int file;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config",
		 function);
	file = open(path, O_RDWR);
	if (file < 0 || pwrite(file, &command, 2, 4) != 2)
		fail(path);
	close(file);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource0",
		 function);
	file = open(path, O_RDWR | O_SYNC);
	if (file < 0)
		fail(path);
	regs = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (regs == MAP_FAILED)
		fail(path);
	close(file);
	return regs;
}

static int mark(const char *function)
{
	volatile uint32_t *edu = edu_open(function);

	edu[EDU_LIVENESS / 4] = EDU_MARK;
	return edu[EDU_ID / 4] != EDU_ID_VALUE;
}

static void dma_run(volatile uint64_t *edu, uint64_t from, uint64_t to,
		    uint64_t command)
{
	__sync_synchronize();
	edu[EDU_SOURCE / 8] = from;
	edu[EDU_TARGET / 8] = to;
	edu[EDU_COUNT / 8] = DEMO_BYTES;
	edu[EDU_COMMAND / 8] = command | EDU_RUN;
	while (edu[EDU_COMMAND / 8] & EDU_RUN)
		usleep(10000);
	__sync_synchronize();
}

/* A frame of the machine: dom0's are where it thinks they are. */
static uint64_t address_of(const void *page)
{
	int file = open("/proc/self/pagemap", O_RDONLY);
	uint64_t entry;

	if (file < 0 || pread(file, &entry, 8, (uintptr_t)page / PAGE * 8) != 8)
		fail("/proc/self/pagemap");
	close(file);
	return (entry & ((1ull << 55) - 1)) * PAGE;
}

/*
 * Out of a page of ours into the device, and from there to the other half of the
 * page. With @elsewhere, the device reads that in between: a read that is blocked
 * leaves zeros, so that is what has to arrive.
 */
static int dma(const char *function, uint64_t elsewhere)
{
	volatile uint64_t *edu = edu_open(function);
	uint64_t *page = page_new(PAGE);
	uint64_t address = address_of(page);
	unsigned int i, right = 0, zeros = 0;
	const unsigned int n = DEMO_BYTES / 8;

	for (i = 0; i < n; i++)
		page[i] = 0xd0d0000000000000 + i + 1;
	for (; i < 2 * n; i++)
		page[i] = 0xaaaaaaaaaaaaaaaa;
	dma_run(edu, address, EDU_BUFFER, 0);
	if (elsewhere)
		dma_run(edu, elsewhere, EDU_BUFFER, 0);
	dma_run(edu, EDU_BUFFER, address + DEMO_BYTES, EDU_TO_MEMORY);
	for (i = 0; i < n; i++) {
		right += page[n + i] == page[i];
		zeros += !page[n + i];
	}
	if (elsewhere)
		printf("read from %#llx: %u of %u words are zeros\n",
		       (unsigned long long)elsewhere, zeros, n);
	else
		printf("at %#llx: %u of %u words arrived\n",
		       (unsigned long long)address, right, n);
	return (elsewhere ? zeros : right) != n;
}

/* Out of dom0's P2M, or back: of 1:1 memory, Xen gives back what it was. */
static void page_move(uint64_t address, uint64_t command)
{
	struct xen_memory_reservation *call = page_new(PAGE);
	xen_pfn_t *frame = page_new(PAGE);

	*frame = address / PAGE;
	set_xen_guest_handle(call->extent_start, frame);
	call->nr_extents = 1;
	call->domid = DOMID_SELF;
	if (hypercall2(__HYPERVISOR_memory_op, command, call) != 1)
		fail("memory reservation");
}

/*
 * A page of ours that the device has just written to, so that the SMMU knows the
 * way, is taken out of the P2M: when that call has returned, what the device
 * writes doesn't get there.
 */
static int taken(const char *function)
{
	volatile uint64_t *edu = edu_open(function);
	uint64_t *page = page_new(PAGE), *out = page_new(PAGE);
	uint64_t address = address_of(page), from = address_of(out);
	unsigned int i, first = 0, second = 0, third = 0;
	const unsigned int n = DEMO_BYTES / 8;

	for (i = 0; i < n; i++)
		out[i] = 1;
	dma_run(edu, from, EDU_BUFFER, 0);
	dma_run(edu, EDU_BUFFER, address, EDU_TO_MEMORY);
	for (i = 0; i < n; i++)
		first += page[i] == 1;
	page_move(address, XENMEM_decrease_reservation);
	for (i = 0; i < n; i++)
		out[i] = 2;
	dma_run(edu, from, EDU_BUFFER, 0);
	dma_run(edu, EDU_BUFFER, address, EDU_TO_MEMORY);
	page_move(address, XENMEM_populate_physmap);
	for (i = 0; i < n; i++)
		second += page[i] == 2;
	dma_run(edu, EDU_BUFFER, address, EDU_TO_MEMORY);
	for (i = 0; i < n; i++)
		third += page[i] == 2;
	printf("at %#llx: %u words arrived, taken away %u, given back %u\n",
	       (unsigned long long)address, first, second, third);
	return first != n || second || third != n;
}

/* MAP_FAILED until the guest has granted it. */
static void *grant_try(unsigned int domain)
{
	struct gntdev_map map = { .count = 1,
				  .domid = domain,
				  .ref = DEMO_GRANT };
	int file = open("/dev/xen/gntdev", O_RDWR);
	void *page;

	if (file < 0 || ioctl(file, GNTDEV_MAP, &map))
		fail("/dev/xen/gntdev");
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file,
		    (off_t)map.index);
	if (page == MAP_FAILED)
		close(file);
	return page;
}

static volatile uint64_t *grant_map(unsigned int domain)
{
	void *page = grant_try(domain);
	unsigned int tries;

	for (tries = 0; page == MAP_FAILED && tries < 150; tries++) {
		usleep(200000);
		page = grant_try(domain);
	}
	if (page == MAP_FAILED)
		fail("the grant");
	return page;
}

/*
 * As a block backend does: the disk's DMA reads from the guest's page, and writes
 * to it. What went out is read back into a page of ours.
 */
static int grant(unsigned int domain, const char *disk)
{
	volatile uint64_t *page = grant_map(domain);
	int file = open(disk, O_RDWR | O_DIRECT);
	uint64_t *ours = page_new(PAGE);
	unsigned int i, wrong = 0;

	if (file < 0)
		fail(disk);
	if (page[DEMO_STATUS] != DEMO_DONE)
		return printf("the guest's own DMA failed\n"), 1;
	if (pwrite(file, (void *)page, PAGE, 8 << 20) != PAGE ||
	    pread(file, ours, PAGE, 8 << 20) != PAGE)
		fail("out of the granted page");
	for (i = 0; i < DEMO_STATUS; i++)
		wrong += ours[i] != DEMO_FROM_GUEST(i);
	for (i = 0; i < 512; i++)
		ours[i] = DEMO_FROM_DISK(i);
	if (pwrite(file, ours, PAGE, 9 << 20) != PAGE ||
	    pread(file, (void *)page, PAGE, 9 << 20) != PAGE)
		fail("into the granted page");
	for (i = 0; i < 512; i++)
		wrong += page[i] != DEMO_FROM_DISK(i);
	printf("4096 bytes out of d%u's page and 4096 into it, %u words "
	       "wrong\n",
	       domain, wrong);
	return wrong != 0;
}

static int stop(unsigned int domain)
{
	volatile uint64_t *page = grant_map(domain);
	uint64_t before = page[1];
	unsigned int tries;

	/* Some more, and then the end. */
	for (tries = 0; page[1] < before + 2 && tries < 100; tries++)
		usleep(100000);
	page[0] = DEMO_STOP;
	printf("after %llu DMAs\n",
	       (unsigned long long)(page[1] - DEMO_FROM_DISK(1)));
	return page[1] < before + 2;
}

static int destroy(unsigned int domain)
{
	struct xen_domctl *call = page_new(PAGE);

	call->cmd = XEN_DOMCTL_destroydomain;
	call->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	call->domain = domain;
	if (hypercall(__HYPERVISOR_domctl, call))
		fail("destroy");
	return 0;
}

static int assign(unsigned int domain, const char *path, uint32_t command)
{
	struct xen_domctl *call = page_new(PAGE);
	char *text = page_new(PAGE);

	strcpy(text, path);
	call->cmd = command;
	call->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	call->domain = domain;
	call->u.assign_device.dev = XEN_DOMCTL_DEV_DT;
	call->u.assign_device.u.dt.size = strlen(text);
	set_xen_guest_handle(call->u.assign_device.u.dt.path, text);
	if (hypercall(__HYPERVISOR_domctl, call))
		fail(path);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	const char *first = argc > 2 ? argv[2] : "";
	const char *second = argc > 3 ? argv[3] : "";

	if (!strcmp(what, "keys"))
		return keys(first);
	if (!strcmp(what, "mark"))
		return mark(first);
	if (!strcmp(what, "dma"))
		return dma(first, strtoull(second, NULL, 0));
	if (!strcmp(what, "taken"))
		return taken(first);
	if (!strcmp(what, "xen-address"))
		return xen_address();
	if (!strcmp(what, "grant"))
		return grant(atoi(first), second);
	if (!strcmp(what, "stop"))
		return stop(atoi(first));
	if (!strcmp(what, "destroy"))
		return destroy(atoi(first));
	if (!strcmp(what, "assign"))
		return assign(atoi(first), second, XEN_DOMCTL_assign_device);
	if (!strcmp(what, "deassign"))
		return assign(atoi(first), second, XEN_DOMCTL_deassign_device);
	printf("usage: see the head of dom0.c\n");
	return 2;
}
