/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_simdrv.c - a driver for the SMMUv3 model in few lines
 */
#include "test_simdrv.h"
#include <stdio.h>

struct iommuabs_sim_arena *arena;
struct iommuabs_sim_unit *unit;
uint64_t cmdq, eventq, l1, l2;
uint32_t prod;
uint32_t cr0;
int noncoherent;

/* ---- a driver in few lines ---- */

uint32_t rd(uint32_t offset)
{
	return (uint32_t)iommuabs_sim_mmio_read(arena, UNIT_BASE + offset, 4);
}

void wr(uint32_t offset, uint32_t value)
{
	iommuabs_sim_mmio_write(arena, UNIT_BASE + offset, 4, value);
}

void wr64(uint32_t offset, uint64_t value)
{
	iommuabs_sim_mmio_write(arena, UNIT_BASE + offset, 8, value);
}

uint64_t *at(uint64_t maddr)
{
	return iommuabs_sim_ptr(arena, maddr);
}

void clean(uint64_t maddr, size_t size)
{
	if (noncoherent)
		iommuabs_sim_cache_clean(at(maddr), size);
}

void st(uint64_t maddr, uint64_t v)
{
	iommuabs_sim_dev_store64(at(maddr), v);
	clean(maddr, 8);
}

void mb(void)
{
	iommuabs_sim_dev_mb();
}

uint64_t raw_page(unsigned int size_lg2)
{
	uint64_t maddr;

	ck_assert_int_eq(iommuabs_sim_alloc(arena, size_lg2, &maddr), 0);
	return maddr;
}

uint64_t page(void)
{
	uint64_t maddr = raw_page(12);

	iommuabs_sim_dev_zero(at(maddr), 4096);
	clean(maddr, 4096);
	return maddr;
}

void cmd(uint64_t w0, uint64_t w1)
{
	uint64_t slot = cmdq + 16 * (prod & ((1u << CMDQ_LG2) - 1));

	st(slot, w0);
	st(slot + 8, w1);
	prod = (prod + 1) & ((2u << CMDQ_LG2) - 1);
}

void submit(void)
{
	mb();
	wr(CMDQ_PROD, prod);
}

/* 1: consumed up to PROD */
int wait_consumed(void)
{
	unsigned int i;

	for (i = 0; i < 1000; i++) {
		if ((rd(CMDQ_CONS) & 0xfffff) == prod)
			return 1;
	}
	return 0;
}

void finish(void)
{
	cmd(SYNC);
	submit();
	ck_assert(wait_consumed());
}

void cmd_sync(uint64_t w0, uint64_t w1)
{
	cmd(w0, w1);
	finish();
}

void set_cr0(uint32_t value)
{
	unsigned int i;

	cr0 = value;
	wr(CR0, value);
	for (i = 0; i < 100 && rd(CR0ACK) != value; i++)
		;
	ck_assert_uint_eq(rd(CR0ACK), value);
}

void set_gbpa(uint32_t value)
{
	unsigned int i;

	wr(GBPA, value | 1u << 31);
	for (i = 0; i < 100 && rd(GBPA) >> 31; i++)
		;
	ck_assert_uint_eq(rd(GBPA), value);
}

void enable_queues(void)
{
	cmdq = raw_page(12);
	eventq = raw_page(12);
	wr64(CMDQ_BASE, cmdq | CMDQ_LG2);
	wr64(EVENTQ_BASE, eventq | EVENTQ_LG2);
	wr(CMDQ_PROD, 0);
	wr(CMDQ_CONS, 0);
	wr(EVENTQ_PROD, 0);
	wr(EVENTQ_CONS, 0);
	prod = 0;
	set_cr0(CMDQEN);
	set_cr0(CMDQEN | EVENTQEN);
}

/* Two levels, streams 0..63 present, all invalid. */
void enable(void)
{
	set_gbpa(0x1000 | 1u << 20);
	enable_queues();
	l1 = page();
	l2 = page();
	st(l1, l2 | (SPLIT + 1));
	mb();
	wr64(STRTAB_BASE, l1);
	wr(STRTAB_CFG, 1u << 16 | SPLIT << 6 | SID_BITS);
	wr(CR2, 2);
	cmd(CFGI_ALL);
	cmd(TLBI_ALL);
	finish();
	set_cr0(SMMUEN | CMDQEN | EVENTQEN);
}

uint64_t ste_at(uint32_t sid)
{
	return l2 + 64 * (uint64_t)sid;
}

/* 3.21.3.1: fill, then make valid, each invalidated and synced. */
void set_ste(uint32_t sid, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3)
{
	uint64_t ste = ste_at(sid);

	st(ste, 0);
	mb();
	cmd_sync(CFGI_STE(sid, 1));
	st(ste + 8, w1);
	st(ste + 16, w2);
	st(ste + 24, w3);
	mb();
	cmd_sync(CFGI_STE(sid, 1));
	st(ste, w0);
	mb();
	cmd_sync(CFGI_STE(sid, 1));
}

void clear_ste(uint32_t sid)
{
	st(ste_at(sid), 0);
	mb();
	cmd_sync(CFGI_STE(sid, 1));
}

uint64_t entry(uint64_t table, unsigned int level, uint64_t ipa)
{
	return table + 8 * (ipa >> (12 + 9 * (3 - level)) & 511);
}

uint64_t get(uint64_t maddr)
{
	return iommuabs_sim_dev_load64(at(maddr));
}

/* Tables down to @level are made; the address of the entry there. */
uint64_t slot(uint64_t top, unsigned int level, uint64_t ipa)
{
	uint64_t e = entry(top, 1, ipa), table;
	unsigned int i;

	for (i = 1; i < level; i++) {
		if (!(get(e) & 1)) {
			table = page();
			iommuabs_sim_dev_wmb();
			st(e, TABLE(table));
		}
		e = entry(get(e) & 0xfffffffff000ull, i + 1, ipa);
	}
	return e;
}

void map(uint64_t top, uint64_t ipa, uint64_t desc)
{
	st(slot(top, 3, ipa), desc);
	mb();
}

/* ---- what a device sees ---- */

struct iommuabs_sim_dma last;

uint64_t dma(uint32_t sid, uint64_t iova, uint32_t flags)
{
	last = (struct iommuabs_sim_dma){
		.sid = sid, .addr = iova, .flags = flags, .len = 4
	};
	return iommuabs_sim_dma(unit, &last) ? last.maddr : BLOCKED;
}

unsigned int nr_violations(void)
{
	unsigned int i, nr = iommuabs_sim_violations(arena);

	for (i = 0; i < nr; i++)
		fprintf(stderr, "# %s\n",
			iommuabs_sim_violation_text(arena, i));
	return nr;
}

/* ---- fixtures ---- */

struct iommuabs_sim_smmuv3_config config;

void make(enum iommuabs_sim_mode mode)
{
	struct iommuabs_sim_arena_config a = {
		.mode = mode,
		.base = RAM_BASE,
		.length = RAM_SIZE,
		.seed = 42,
		.noncoherent = (unsigned int)noncoherent,
	};

	ck_assert_int_eq(iommuabs_sim_arena_create(&a, &arena), 0);
	config.cohacc = !noncoherent;
	ck_assert_int_eq(iommuabs_sim_smmuv3_create(arena, &config, &unit), 0);
}

void set_defaults(void)
{
	noncoherent = 0;
	iommuabs_sim_smmuv3_defaults(&config);
	config.base = UNIT_BASE;
}

void functional(void)
{
	set_defaults();
	make(IOMMUABS_SIM_FUNCTIONAL);
}

void adversary(void)
{
	set_defaults();
	make(IOMMUABS_SIM_ADVERSARY);
}

void drop(void)
{
	iommuabs_sim_arena_destroy(arena);
	arena = NULL;
}

/* Again, with @config changed by the test. */
void remake(enum iommuabs_sim_mode mode)
{
	drop();
	make(mode);
}

uint64_t root;

void one_domain(void)
{
	enable();
	root = page();
	map(root, GPA, PAGE_RW(PA));
	set_ste(DEV, STE0_S2, STE1_SHCFG, STE2(VM), root);
}
