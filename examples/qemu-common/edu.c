/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * edu.c - driver of QEMU's edu device (docs/specs/edu in its source)
 */
#include <stddef.h>
#include "arch.h"
#include "console.h"
#include "edu.h"
#include "timer.h"

#define EDU_VENDOR 0x1234
#define EDU_DEVICE 0x11e8

/* clang-format off */
#define EDU_IRQ_STATUS	 0x24 /* 32 bits */
#define EDU_IRQ_RAISE	 0x60 /* 32 bits */
#define EDU_IRQ_ACK	 0x64 /* 32 bits */
#define EDU_DMA_SOURCE	 0x80
#define EDU_DMA_TARGET	 0x88
#define EDU_DMA_COUNT	 0x90
#define EDU_DMA_COMMAND	 0x98
#define   DMA_RUN	 1u
#define   DMA_TO_MEMORY	 2u
#define   DMA_INTERRUPT	 4u
/* clang-format on */

#define EDU_BUFFER 0x40000 /* the buffer's address, seen by the engine */

/* The engine takes 100 ms for whatever it is told. */
#define DMA_US	       101000
#define DMA_TIMEOUT_US 5000000

static struct edu edus[EDU_MAX];
static unsigned int nr_edus;
static int by_interrupt = 1;

/* Interrupt lines are shared, so every device is asked. */
static void edu_irq(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < nr_edus; i++) {
		uint64_t regs = edus[i].pci->bar0;
		uint32_t status = mmio_read32(regs + EDU_IRQ_STATUS);

		if (!status)
			continue;
		mmio_write32(regs + EDU_IRQ_ACK, status);
		edus[i].done = 1;
	}
}

unsigned int edu_init(void)
{
	const struct pci_device *pci;

	while (nr_edus < EDU_MAX &&
	       (pci = pci_find(EDU_VENDOR, EDU_DEVICE, nr_edus)) != NULL)
		edus[nr_edus++].pci = pci;
	for (unsigned int i = 0; i < nr_edus; i++) {
		if (!edus[i].pci->bar0 || !edus[i].pci->irq)
			panic("edu %u has no registers or no interrupt", i);
		pci_irq_enable(edus[i].pci, edu_irq, NULL);
	}
	return nr_edus;
}

struct edu *edu_get(unsigned int index)
{
	return index < nr_edus ? &edus[index] : NULL;
}

static void dma_begin(struct edu *edu, uint64_t source, uint64_t target,
		      uint32_t size, uint32_t command)
{
	uint64_t regs = edu->pci->bar0;

	edu->done = 0;
	mmio_write64(regs + EDU_DMA_SOURCE, source);
	mmio_write64(regs + EDU_DMA_TARGET, target);
	mmio_write64(regs + EDU_DMA_COUNT, size);
	memory_barrier(); /* what it is to read lies in memory */
	mmio_write64(regs + EDU_DMA_COMMAND,
		     command | DMA_RUN | (by_interrupt ? DMA_INTERRUPT : 0));
}

void edu_use_interrupts(int use)
{
	by_interrupt = use;
}

static int is_running(const struct edu *edu)
{
	uint64_t command = mmio_read64(edu->pci->bar0 + EDU_DMA_COMMAND);

	return (command & DMA_RUN) != 0;
}

/* The register says that it is over before an interrupt can. */
int edu_end(struct edu *edu)
{
	uint64_t start = time_us();

	while (!timer_wait(&edu->done, DMA_US) && is_running(edu))
		if (time_us() - start > DMA_TIMEOUT_US)
			return -1;
	if (by_interrupt && !timer_wait(&edu->done, DMA_US))
		return -1;
	memory_barrier();
	return 0;
}

void edu_push_begin(struct edu *edu, uint32_t offset, uint64_t dma,
		    uint32_t size)
{
	dma_begin(edu, EDU_BUFFER + offset, dma, size, DMA_TO_MEMORY);
}

int edu_pull(struct edu *edu, uint32_t offset, uint64_t dma, uint32_t size)
{
	dma_begin(edu, dma, EDU_BUFFER + offset, size, 0);
	return edu_end(edu);
}

int edu_push(struct edu *edu, uint32_t offset, uint64_t dma, uint32_t size)
{
	edu_push_begin(edu, offset, dma, size);
	return edu_end(edu);
}

void edu_raise(struct edu *edu)
{
	mmio_write32(edu->pci->bar0 + EDU_IRQ_RAISE, 1);
}

void edu_lower(struct edu *edu)
{
	mmio_write32(edu->pci->bar0 + EDU_IRQ_ACK, 1);
}
