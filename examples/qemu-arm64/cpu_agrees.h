/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpu_agrees.h - a table as the SMMU finds it, in the terms of a CPU
 */
#ifndef CPU_AGREES_H
#define CPU_AGREES_H

#include <iommuabs/iommuabs.h>
#include "stage2.h"

struct cpu_answers {
	int stage; /* of the table: 1 or 2 */
	uint64_t vtcr, vttbr;
	struct stage1 stage1;
	unsigned int nr_mapped, nr_holes, nr_writable;
	unsigned int nr_wrong;
	uint64_t first_wrong;
};

/*
 * Find the table of edu @edu in the SMMU's own stream table, and ask the CPU (AT)
 * about each of @nr gfns from @gfn on: the answers are to be those of
 * iommuabs_domain_translate(). -1: the entry holds no table.
 */
int cpu_ask(struct iommuabs_domain *dom, unsigned int edu, uint64_t gfn,
	    unsigned int nr, struct cpu_answers *answers);

#endif
