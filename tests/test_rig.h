/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_rig.h - the whole library on a model as an adversary
 */
#ifndef TEST_RIG_H
#define TEST_RIG_H

#include <iommuabs/iommuabs.h>
#include <iommuabs/sim.h>

#include "test_refused.h"

#define RIG_UNIT_BASE ((uint64_t)0x9050000)
#define RIG_BLOCKS    4 /* of 512 frames that guests get */

/* Kinds of units. */
enum rig_kind {
	RIG_QEMU,
	RIG_NONCOHERENT,
	RIG_NO_RANGES,
	RIG_BBML0,
	RIG_BBML1,
	RIG_LINEAR,
	RIG_SHARE_KINDS,
	/* These can't share. */
	RIG_STAGE1 = RIG_SHARE_KINDS,
	RIG_STAGE1_BBML0, /* does not snoop either */
	RIG_SMMU_KINDS,
	RIG_VTD = RIG_SMMU_KINDS,
	RIG_VTD_SCALABLE,
	RIG_VTD_NONCOHERENT,
	RIG_VTD_CACHING,   /* CAP.CM */
	RIG_VTD_REGISTERS, /* no queue, a write buffer, no pages by name */
	RIG_KINDS,
	/* Not of use to every test: */
	RIG_VMID8,
	RIG_FETCH_128,
	RIG_VTD_FETCH_128,
	RIG_ATS, /* as all of VT-d with a queue have it */
};

struct rig {
	struct iommuabs_sim_arena *arena;
	struct iommuabs_sim_unit *sim;
	struct iommuabs *lib; /* NULL: not made */
	struct iommuabs_unit *unit;
	enum rig_kind kind;
	uint64_t blocks[RIG_BLOCKS];
	unsigned int faults;
	struct iommuabs_fault fault; /* the last */
	/* host->device_isolate(), which answers E_NOTSUP: how often, of whom. */
	unsigned int isolated;
	void *isolated_cookie;
	/* Runs inside host->fault(). */
	void (*on_fault)(struct rig *rig);
	/* host->p2m_walk(); set before rig_library(). */
	int (*on_walk)(struct rig *rig, struct iommuabs_p2m_query *query);
	/* host->pci_cfg_read(), likewise. */
	uint32_t (*pci_read)(void *ctx, uint32_t pci, unsigned int offset);
	/* Instead of iommuabs_unit_add(): 0, or what a call answered. */
	int (*describe)(struct rig *rig);
	/* Units of VT-d that the test itself has added. */
	unsigned int more_vtd;
	/* Each look at the clock takes so much longer. */
	uint64_t hurry_us, skew_us;
	char warning[256]; /* the last, of the log */
	char *dump;	   /* what rig_dump() has so far; NULL: none is made */
	size_t dump_length;
	/* Runs after each register write of the library. */
	void (*on_write)(struct rig *rig);
};

/* Is the driver for it built in? */
bool rig_possible(enum rig_kind kind);
/* A machine with one unit, and memory for guests; no library yet. */
void rig_machine(struct rig *rig, enum rig_kind kind);
/* An instance that knows the unit: 0, or what a call answered. */
int rig_library(struct rig *rig);
/* Both, and started. */
void rig_new(struct rig *rig, enum rig_kind kind);
/* The library is destroyed: nothing is left and no violation was seen. */
void rig_delete(struct rig *rig);
/* Stops and destroys the library too. */
void rig_end(struct rig *rig);
void rig_no_violation(struct rig *rig);

/* The @n-th of the guests' frames. */
uint64_t rig_frame(const struct rig *rig, uint64_t n);
/* Its cookie is @sid. */
int rig_device(struct rig *rig, uint32_t sid, struct iommuabs_device **dev);
/* As a test of DMA wants it: whatever the device may do with interrupts. */
int rig_attach(struct iommuabs_device *dev, struct iommuabs_domain *dom);
/* Is the unit one that interrupts are remapped by? */
bool rig_remaps(const struct rig *rig);
struct iommuabs_domain *rig_domain(struct rig *rig);
/* iommuabs_dump() of everything as one string, freed by the caller. */
char *rig_dump(struct rig *rig);
/* @call answers @error, and the instance is as it was. */
#define RIG_REFUSED(rig, call, error) REFUSED_BY(rig_dump, rig, call, error)
/* A write by the device: the mfn it reached, or UINT64_MAX if blocked. */
uint64_t rig_write(struct rig *rig, uint32_t sid, uint64_t gfn);
/* A write that is translated now and lands as late as it can. */
uint64_t rig_post(struct rig *rig, uint32_t sid, uint64_t gfn, uint64_t word);

#endif
