/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BRING_UP_H
#define BRING_UP_H

/* Test the host itself, without any IOMMU in the way; TAP lines. */
void bring_up(void);

#endif
