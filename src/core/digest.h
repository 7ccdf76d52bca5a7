/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * digest.h - what a table of runs says, whatever leaves say it
 *
 * Runs are joined before they are counted into the digest, so that it depends on
 * the mapping alone. iommuabs_dump() says how it is computed.
 */
#ifndef IOMMUABS_CORE_DIGEST_H
#define IOMMUABS_CORE_DIGEST_H

#include "../pgtable/pgtable.h"

struct digest {
	const struct pt *pt;
	uint64_t at, end;    /* what is still to be read */
	uint64_t budget;     /* entries that may be read now */
	struct pt_run ahead; /* read, and not yet given; nr 0: nothing */
	uint64_t value;	     /* of the runs that were given */
};

/* Of [@first, @end) of @pt. */
static inline struct digest digest_begin(const struct pt *pt, uint64_t first,
					 uint64_t end, uint64_t budget)
{
	return (struct digest){ pt, first, end, budget, { 0 }, 0 };
}

/*
 * The next run that no other joins. PT_OK | PT_END: there is none | PT_BUDGET:
 * more of it, once there is a budget.
 */
enum pt_status digest_next(struct digest *digest, struct pt_run *run);

#endif
