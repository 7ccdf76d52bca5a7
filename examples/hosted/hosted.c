/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hosted.c - confine a device, in user space, on a model of an Arm SMMUv3
 *
 * As a hypervisor would, but for two things: the machine's memory is an arena of
 * the model, and a register access is a call into it. Ends with 0 if all is true.
 */
#include <iommuabs/iommuabs.h>
#include <iommuabs/sim.h>
#include <err.h>
#include <stdio.h>
#include <string.h>

#define RAM    0x80000000u
#define SIZE   ((uint64_t)64 << 20)
#define RW     (IOMMUABS_READ | IOMMUABS_WRITE)
#define STREAM 0x10u

static struct iommuabs *abs;
static struct iommuabs_sim_arena *arena;
static struct iommuabs_sim_unit *hw;
static unsigned int faults;

static int table_alloc(void *ctx, void *dom, unsigned int lg2, uint32_t flags,
		       uint64_t *maddr)
{
	(void)dom, (void)flags;
	return iommuabs_sim_alloc(ctx, lg2, maddr) ? IOMMUABS_E_NOMEM : 0;
}

static void table_free(void *ctx, void *dom, uint64_t maddr, unsigned int lg2)
{
	(void)dom;
	iommuabs_sim_free(ctx, maddr, lg2);
}

static uint64_t mmio_read(void *ctx, uint64_t addr, unsigned int width)
{
	return iommuabs_sim_mmio_read(ctx, addr, width);
}

static void mmio_write(void *ctx, uint64_t addr, unsigned int width, uint64_t v)
{
	iommuabs_sim_mmio_write(ctx, addr, width, v);
}

static uint64_t time_us(void *ctx)
{
	return iommuabs_sim_time_us(ctx);
}

static void on_fault(void *ctx, const struct iommuabs_fault *fault)
{
	(void)ctx;
	faults++;
	printf("Reported: %s, blocked at 0x%llx.\n", (char *)fault->dev_cookie,
	       (unsigned long long)fault->address);
}

static void must(int err, const char *what)
{
	if (err)
		errx(1, "can't %s: %s", what, iommuabs_strerror(err));
}

static void expect(int is_true, const char *sentence)
{
	if (!is_true)
		errx(1, "not true: %s", sentence);
	puts(sentence);
}

/* The device writes @text at @addr, as it sees addresses. 1: it got there. */
static int device_writes(uint64_t addr, char *text)
{
	struct iommuabs_sim_dma dma = { .sid = STREAM, .addr = addr };

	dma.flags = IOMMUABS_SIM_DMA_WRITE;
	dma.data = text;
	dma.len = strlen(text) + 1;
	return iommuabs_sim_dma(hw, &dma);
}

/* A guest that has the frame @mfn, and its device. */
static void confine(struct iommuabs_device *disk, iommuabs_mfn_t mfn)
{
	const iommuabs_gfn_t gfn = IOMMUABS_GFN(0x40);
	struct iommuabs_domain_config config = { .size = sizeof(config) };
	const char *frame = iommuabs_sim_ptr(arena, mfn.frame << 12);
	struct iommuabs_domain *dom;

	must(iommuabs_domain_create(abs, &config, &dom), "create a domain");
	must(iommuabs_domain_map(dom, gfn, mfn, 1, RW, NULL), "map");
	must(iommuabs_device_attach(disk, dom, NULL, 0), "attach");
	expect(device_writes(0x40000, "hello") && !strcmp(frame, "hello"),
	       "What the disk writes at gfn 0x40 is in the guest's frame.");
	expect(!device_writes(0x41000, "no"), "Nothing is mapped at gfn 0x41.");
	must(iommuabs_faults_poll(abs, 0, NULL), "poll");
	expect(faults == 2, "That was reported, too.");
	must(iommuabs_domain_unmap(dom, gfn, 1, NULL), "unmap");
	expect(!device_writes(0x40000, "late") && !strcmp(frame, "hello"),
	       "After the unmap the disk can't write to the frame any more.");
	must(iommuabs_device_detach(disk, 0), "detach");
	must(iommuabs_domain_destroy(dom, 0), "destroy the domain");
}

int main(void)
{
	struct iommuabs_sim_arena_config ram = { .base = RAM, .length = SIZE };
	struct iommuabs_range tables = { { RAM >> 12 }, SIZE >> 12 };
	struct iommuabs_host host = { .size = sizeof(host) };
	struct iommuabs_unit_desc unit = { .size = sizeof(unit) };
	struct iommuabs_device_desc desc = { .size = sizeof(desc) };
	struct iommuabs_stream_range stream = { .first = STREAM, .nr = 1 };
	struct iommuabs_sim_smmuv3_config smmu;
	struct iommuabs_device *disk;
	uint64_t frame;

	must(iommuabs_sim_arena_create(&ram, &arena), "make memory");
	iommuabs_sim_smmuv3_defaults(&smmu);
	must(iommuabs_sim_smmuv3_create(arena, &smmu, &hw), "make a unit");
	must(iommuabs_sim_alloc(arena, 12, &frame), "take a frame");
	host.table_alloc = table_alloc;
	host.table_free = table_free;
	host.table_ranges = &tables;
	host.nr_table_ranges = 1;
	host.table_offset = iommuabs_sim_offset(arena);
	host.mmio_read = mmio_read;
	host.mmio_write = mmio_write;
	host.time_us = time_us;
	host.fault = on_fault;
	must(iommuabs_create(&host, arena, &abs), "create");
	unit.type = IOMMUABS_UNIT_SMMUV3;
	unit.base = smmu.base;
	must(iommuabs_unit_add(abs, &unit, &stream.unit), "add the unit");
	desc.cookie = "the disk";
	desc.streams = &stream;
	desc.nr_streams = 1;
	must(iommuabs_device_add(abs, &desc, &disk), "add the device");
	must(iommuabs_start(abs), "start");
	expect(!device_writes(0x40000, "early"), "Unattached, it is blocked.");
	confine(disk, IOMMUABS_MFN(frame >> 12));
	must(iommuabs_stop(abs), "stop");
	must(iommuabs_destroy(abs), "destroy");
	expect(iommuabs_sim_pages_used(arena) == 1, "Nothing is left in use.");
	expect(!iommuabs_sim_violations(arena), "The model saw no mistake.");
	iommuabs_sim_arena_destroy(arena);
	return 0;
}
