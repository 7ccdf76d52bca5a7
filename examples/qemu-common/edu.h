/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * edu.h - QEMU's teaching device: a DMA engine with a 4 KiB buffer of its own
 *
 * A DMA that an IOMMU blocks ends like any other: the device reads zeros and
 * its writes go nowhere. Only the bytes tell.
 */
#ifndef EDU_H
#define EDU_H

#include <stdint.h>
#include "pci.h"

#define EDU_MAX		8
#define EDU_BUFFER_SIZE 4096

struct edu {
	const struct pci_device *pci;
	volatile int done;
};

/* Start every edu of the machine; how many there are. */
unsigned int edu_init(void);
struct edu *edu_get(unsigned int index);

/*
 * Is the end of a DMA told by an interrupt, as it is to begin with? Where a unit
 * blocks those that were not given to the device, its register is looked at.
 */
void edu_use_interrupts(int use);

/*
 * Copy @size bytes from memory, at the device's address @dma, to @offset of its
 * buffer (pull), or the other way (push); @offset + @size < EDU_BUFFER_SIZE.
 * 0, or -1: the device did not finish in time.
 */
int edu_pull(struct edu *edu, uint32_t offset, uint64_t dma, uint32_t size);
int edu_push(struct edu *edu, uint32_t offset, uint64_t dma, uint32_t size);

/* A push in two halves: the device makes it some time in between. */
void edu_push_begin(struct edu *edu, uint32_t offset, uint64_t dma,
		    uint32_t size);
int edu_end(struct edu *edu);

/* Have it raise an interrupt, and take that back. */
void edu_raise(struct edu *edu);
void edu_lower(struct edu *edu);

#endif
