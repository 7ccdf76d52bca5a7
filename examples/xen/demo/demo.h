/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * demo.h - what dom0's program and the guest agree on
 */
#ifndef DEMO_H
#define DEMO_H

/* QEMU's edu device (docs/specs/edu.rst) */
#define EDU_ID	      0x00
#define EDU_ID_VALUE  0x010000edu
#define EDU_LIVENESS  0x04 /* reads as the complement of what was written */
#define EDU_SOURCE    0x80
#define EDU_TARGET    0x88
#define EDU_COUNT     0x90
#define EDU_COMMAND   0x98
#define EDU_RUN	      1
#define EDU_TO_MEMORY 2
#define EDU_BUFFER    0x40000

/* Written to the device that is the guest's, when it may be used. */
#define EDU_MARK 0x600d600du

#define DEMO_BYTES 2048

/* The grant reference, and what is in its page: 64-bit words. */
#define DEMO_GRANT	   8
#define DEMO_STATUS	   511
#define DEMO_DONE	   1
#define DEMO_FAILED	   2
#define DEMO_FROM_GUEST(i) (0x6775657374000000ull + (i))
#define DEMO_FROM_DISK(i)  (0x6469736b00000000ull + (i))

/* In its first word, by dom0: no more DMA. The second counts. */
#define DEMO_STOP 0x73746f70u

#endif
