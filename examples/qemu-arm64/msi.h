/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * msi.h - an edu device whose interrupts are messages
 */
#ifndef MSI_H
#define MSI_H

#include <stdint.h>

/* Edu @edu sends to @doorbell, as the device sees it; 0: it has its pin again. */
void msi_set(unsigned int edu, uint64_t doorbell);

/* Have it raise an interrupt: does its message arrive? *@lpi: as what. */
int msi_raise(unsigned int edu, uint32_t *lpi);

#endif
