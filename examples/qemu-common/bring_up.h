/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BRING_UP_H
#define BRING_UP_H

#include "guest.h"

#define BRING_UP_RAM_GFN UINT64_C(0x80000) /* no RAM is at 2 GiB */

/*
 * The architecture's: lines about the machine, and about a guest's table, which
 * maps BRING_UP_RAM_GFN to @mfn, read-only, nothing behind it, and the next frame
 * again; the id of this CPU as machine.cpu_ids has it.
 */
void bring_up_machine(void);
void bring_up_table(struct guest *guest, uint64_t mfn);
uint64_t bring_up_cpu_id(void);

/* Test the host itself, without any IOMMU in the way; TAP lines. */
void bring_up(void);

#endif
