/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_machine.h - an instance on the test host, with units and devices of the
 * null driver
 */
#ifndef TEST_MACHINE_H
#define TEST_MACHINE_H

#include <iommuabs/iommuabs.h>

#include "test_host.h"

#define MACHINE_DEVICES 4

/* Machine frames that tests map: far from the host's arena. */
#define MACHINE_RAM ((uint64_t)0x1000000)

struct machine {
	struct test_host *host;
	struct iommuabs *abs;
	struct iommuabs_unit *unit;
	struct iommuabs_device *dev[MACHINE_DEVICES]; /* streams 8, 9, ... */
};

/* @flags: of test_host_new(). Started, with nothing attached. */
void machine_new(struct machine *machine, uint32_t flags);
/* Detaches and removes what is there; domains are the test's own. */
void machine_delete(struct machine *machine);

struct iommuabs_domain *machine_domain(struct machine *machine, uint32_t flags);
void machine_attach(struct machine *machine, unsigned int dev,
		    struct iommuabs_domain *dom);

/* What the device would reach at @gfn: an mfn, or UINT64_MAX if blocked. */
uint64_t machine_reach(struct machine *machine, unsigned int dev, uint64_t gfn,
		       uint32_t access);

/* Everything that iommuabs_dump() prints, to compare: free() it. */
char *machine_dump(struct machine *machine);

#endif
