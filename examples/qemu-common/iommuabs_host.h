/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommuabs_host.h - the library, embedded: its hooks, and what the host keeps
 */
#ifndef IOMMUABS_HOST_GLUE_H
#define IOMMUABS_HOST_GLUE_H

#include <iommuabs/iommuabs.h>

#define IOMMU_MAX_FAULTS 32
#define IOMMU_NR_EDUS	 2

/* This machine's instance. */
struct iommu {
	struct iommuabs *abs;
	struct iommuabs_unit *unit; /* the only one of QEMU's board */
	struct iommuabs_device *edu[IOMMU_NR_EDUS]; /* cookie: its struct edu */
	int cannot_share; /* the unit can't walk a guest's p2m */

	/* What was blocked since iommu_faults_forget(); more are only counted. */
	struct iommuabs_fault faults[IOMMU_MAX_FAULTS];
	unsigned int nr_faults;
	volatile unsigned int nr_event_irqs;
};

extern struct iommu iommu;

/* Less important lines are not printed; to begin with INFO. */
extern enum iommuabs_log_level iommu_log_level;

/* So many times slower is the library's clock than the machine's; to begin with 1. */
extern uint64_t iommu_clock_slowed;

/* The hooks, for a scenario that wants one of its own. */
struct iommuabs_host iommu_hooks(void);

/*
 * An instance with the units and devices of this machine, the edu devices taken
 * out of their host bridge. Nothing is enabled yet. 0 or IOMMUABS_E_*.
 */
int iommu_create(const struct iommuabs_host *hooks);
/* One of them, after iommuabs_device_remove(). */
int iommu_edu_add(unsigned int index);

/*
 * The machine's: describe its units and devices to the library; let the units'
 * interrupts in, and no more.
 */
int iommu_scan(void);
/* struct iommuabs_host.flags. */
uint32_t iommu_host_flags(void);
/* NULL where units see what CPUs see. */
extern void (*const iommu_cache_clean)(void *ctx, const void *p, size_t size);
void iommu_irqs_enable(void);
void iommu_irqs_disable(void);

/* How devices are given to guests here. */
extern const struct iommuabs_attach_options iommu_attach_options;

/* Enable, and let the units' interrupts in. */
int iommu_start(void);

/* Stop, and give everything back. */
int iommu_destroy(void);

/* Drain the event queues into iommu.faults; throw away what is there. */
void iommu_faults_poll(void);
void iommu_faults_forget(void);

#endif
