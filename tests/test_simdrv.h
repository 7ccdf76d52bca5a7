/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_simdrv.h - a driver for the SMMUv3 model in few lines
 *
 * By hand, with numbers of its own: nothing of the library is in here.
 */
#ifndef TEST_SIMDRV_H
#define TEST_SIMDRV_H

#include "harness.h"
#include <iommuabs/sim.h>

#define UNIT_BASE 0x09050000ull
#define RAM_BASE  0x100000000ull
#define RAM_SIZE  (16ull << 20)
#define BLOCKED	  IOMMUABS_SIM_BLOCKED

#define IDR0		0x00
#define IDR1		0x04
#define IDR3		0x0c
#define IDR5		0x14
#define IIDR		0x18
#define CR0		0x20
#define CR0ACK		0x24
#define CR1		0x28
#define CR2		0x2c
#define GBPA		0x44
#define IRQ_CTRL	0x50
#define IRQ_CTRLACK	0x54
#define GERROR		0x60
#define GERRORN		0x64
#define STRTAB_BASE	0x80
#define STRTAB_CFG	0x88
#define CMDQ_BASE	0x90
#define CMDQ_PROD	0x98
#define CMDQ_CONS	0x9c
#define EVENTQ_BASE	0xa0
#define EVENTQ_IRQ_CFG0 0xb0
#define EVENTQ_IRQ_CFG1 0xb8
#define EVENTQ_PROD	0x100a8
#define EVENTQ_CONS	0x100ac

#define SMMUEN	 1u
#define EVENTQEN 4u
#define CMDQEN	 8u

#define CMDQ_LG2   5
#define EVENTQ_LG2 3
#define SPLIT	   6
#define SID_BITS   10

#define CFGI_STE(sid, leaf) 0x03 | (uint64_t)(sid) << 32, (leaf)
#define CFGI_ALL	    0x04, 31
#define TLBI_ALL	    0x30, 0
#define TLBI_VMALL(vmid)    0x28 | (uint64_t)(vmid) << 32, 0
#define TLBI_IPA(vmid, ipa) 0x2a | (uint64_t)(vmid) << 32, (ipa)
#define SYNC		    0x46, 0

/* Descriptors: Normal memory, inner shareable, AF */
#define ATTRS	     (0xfull << 2 | 3ull << 8 | 1ull << 10)
#define LEAF_RW	     (ATTRS | 3ull << 6)
#define LEAF_RO	     (ATTRS | 1ull << 6)
#define PAGE_RW(pa)  ((pa) | LEAF_RW | 3)
#define PAGE_RO(pa)  ((pa) | LEAF_RO | 3)
#define BLOCK_RW(pa) ((pa) | LEAF_RW | 1)
#define TABLE(pa)    ((pa) | 3)
#define CONTIGUOUS   (1ull << 52)
#define NT	     (1ull << 16)

/* STE words: V, Config = stage 2; 39 bits from level 1, 4K, 44 bits out */
#define STE0_S2	    (1ull | 6ull << 1)
#define STE0_BYPASS (1ull | 4ull << 1)
#define STE0_ABORT  1ull
#define STE1_SHCFG  (1ull << 44)
#define STE2(vmid)                                                  \
	((uint64_t)(vmid) | 25ull << 32 | 1ull << 38 | 1ull << 40 | \
	 1ull << 42 | 3ull << 44 | 4ull << 48 | 1ull << 51 | 1ull << 58)

extern struct iommuabs_sim_arena *arena;
extern struct iommuabs_sim_unit *unit;
extern struct iommuabs_sim_smmuv3_config config; /* for remake() */
extern uint64_t cmdq, eventq, l1, l2;
extern uint64_t root; /* of the one domain */
extern uint32_t prod, cr0;
extern int noncoherent;
extern struct iommuabs_sim_dma last; /* what dma() did */

uint32_t rd(uint32_t offset);
void wr(uint32_t offset, uint32_t value);
void wr64(uint32_t offset, uint64_t value);
uint64_t *at(uint64_t maddr);
void clean(uint64_t maddr, size_t size);
void st(uint64_t maddr, uint64_t v);
void mb(void);
uint64_t raw_page(unsigned int size_lg2);
uint64_t page(void);
void cmd(uint64_t w0, uint64_t w1);
void submit(void);
int wait_consumed(void);
void finish(void);
void cmd_sync(uint64_t w0, uint64_t w1);
void set_cr0(uint32_t value);
void set_gbpa(uint32_t value);
void enable_queues(void);
void enable(void);
uint64_t ste_at(uint32_t sid);
void set_ste(uint32_t sid, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3);
void clear_ste(uint32_t sid);
uint64_t entry(uint64_t table, unsigned int level, uint64_t ipa);
uint64_t get(uint64_t maddr);
uint64_t slot(uint64_t top, unsigned int level, uint64_t ipa);
void map(uint64_t top, uint64_t ipa, uint64_t desc);
uint64_t dma(uint32_t sid, uint64_t iova, uint32_t flags);
unsigned int nr_violations(void);
void make(enum iommuabs_sim_mode mode);
void set_defaults(void);
void functional(void);
void adversary(void);
void drop(void);
void remake(enum iommuabs_sim_mode mode);
void one_domain(void);

#define WRITE IOMMUABS_SIM_DMA_WRITE

#define assert_clean() ck_assert_uint_eq(nr_violations(), 0)
/* This class, and nothing else, since the last time. */
#define assert_only(which)                                                \
	do {                                                              \
		unsigned int n_ = nr_violations();                        \
		ck_assert_uint_gt(n_, 0);                                 \
		ck_assert_uint_eq(iommuabs_sim_violations_of(             \
					  arena, IOMMUABS_SIM_V_##which), \
				  n_);                                    \
		iommuabs_sim_violations_clear(arena);                     \
	} while (0)

/* This class, whatever follows from it. */
#define assert_found(which)                                               \
	do {                                                              \
		nr_violations();                                          \
		ck_assert_uint_gt(iommuabs_sim_violations_of(             \
					  arena, IOMMUABS_SIM_V_##which), \
				  0);                                     \
		iommuabs_sim_violations_clear(arena);                     \
	} while (0)

#define allow(probe, ...)                                              \
	iommuabs_sim_probe_allow(probe, (uint64_t[]){ __VA_ARGS__ },   \
				 sizeof((uint64_t[]){ __VA_ARGS__ }) / \
					 sizeof(uint64_t))

/* One domain: VMID 5, stream 3, gfn 0x1000 -> 0x80001000. */
#define VM  5
#define DEV 3
#define GPA 0x40001000ull
#define PA  0x80001000ull
#define PA2 0x90002000ull

#define NR(a) (int)(sizeof(a) / sizeof((a)[0]))

#endif
