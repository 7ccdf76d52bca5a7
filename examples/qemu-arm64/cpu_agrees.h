/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpu_agrees.h - the CPU's opinion of a table that the SMMU walks
 */
#ifndef CPU_AGREES_H
#define CPU_AGREES_H

#include "scene.h"

struct cpu_answers {
	uint64_t vtcr, vttbr; /* as the stream table entry has it */
	unsigned int nr_mapped, nr_holes, nr_writable;
	unsigned int nr_wrong;
	uint64_t first_wrong;
};

/*
 * Find the table of edu @edu in the SMMU's own stream table, and ask the CPU
 * (AT S12E1R, AT S12E1W) about each of @nr gfns from @gfn on: the answers are to
 * be those of iommuabs_domain_translate(). -1: the entry holds no table.
 */
int cpu_ask(const struct scene *scene, unsigned int edu, uint64_t gfn,
	    unsigned int nr, struct cpu_answers *answers);

#endif
