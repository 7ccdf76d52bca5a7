/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * p2m.c - Arm stage-2 tables, 4 KiB granule, leaves of 4 KiB and 2 MiB
 *
 * Sections are those of the Arm ARM, DDI 0487.
 */
#include "arm64.h"
#include "console.h"
#include "cpu.h"
#include "p2m.h"
#include "pages.h"
#include "string.h"

/* D8.3.1, D8.3.2: stage-2 descriptors */
#define DESC_VALID    (1ull << 0)
#define DESC_TABLE    (1ull << 1) /* at level 3: a page */
#define MEMATTR_WB    (0xfull << 2)
#define MEMATTR_NGNRE (0x1ull << 2)
#define S2AP_READ     (1ull << 6)
#define S2AP_WRITE    (1ull << 7)
#define SH_INNER      (3ull << 8)
#define DESC_AF	      (1ull << 10)
#define DESC_XN	      (2ull << 53)
#define DESC_ADDRESS  0x0000fffffffff000ull

/* D19.2.158: VTCR_EL2 */
#define VTCR_T0SZ(bits) (64 - (uint64_t)(bits))
#define VTCR_SL0_LSB	6
#define VTCR_WALK_ATTRS (1ull << 8 | 1ull << 10 | 3ull << 12)
#define VTCR_PS_LSB	16
#define VTCR_VS		(1ull << 19) /* VMIDs of 16 bits */
#define VTCR_RES1	(1ull << 31)
#define VTTBR_VMID_LSB	48

#define LAST_LEVEL 3
#define LEAF_LEVEL 2 /* the highest with leaves */
#define LEVEL_LG2  9
#define ENTRIES	   512u

/* Frames that an entry at this level stands for, as a power of two. */
static unsigned int level_lg2(unsigned int level)
{
	return (LAST_LEVEL - level) * LEVEL_LG2;
}

static uint64_t entry_read(const uint64_t *entry)
{
	return __atomic_load_n(entry, __ATOMIC_RELAXED);
}

/* Whoever sees a link to a table sees its content too. */
static void entry_write(uint64_t *entry, uint64_t value)
{
	__atomic_store_n(entry, value, __ATOMIC_RELEASE);
}

static int is_table(uint64_t value, unsigned int level)
{
	return level < LAST_LEVEL && (value & 3) == (DESC_VALID | DESC_TABLE);
}

static uint64_t leaf_make(uint64_t mfn, uint32_t flags, unsigned int level)
{
	uint64_t value = mfn << PAGE_LG2 | DESC_VALID | DESC_AF | SH_INNER;

	value |= flags & P2M_DEVICE ? MEMATTR_NGNRE | DESC_XN : MEMATTR_WB;
	if (flags & P2M_READ)
		value |= S2AP_READ;
	if (flags & P2M_WRITE)
		value |= S2AP_WRITE;
	if (level == LAST_LEVEL)
		value |= DESC_TABLE;
	return value;
}

static uint32_t leaf_flags(uint64_t value)
{
	uint32_t flags = 0;

	if (value & S2AP_READ)
		flags |= P2M_READ;
	if (value & S2AP_WRITE)
		flags |= P2M_WRITE;
	if ((value & MEMATTR_WB) == MEMATTR_NGNRE)
		flags |= P2M_DEVICE;
	return flags;
}

static void tlb_flush(const struct p2m *p2m)
{
	uint64_t old = sysreg_read(vttbr_el2);

	dsb();
	sysreg_write(vttbr_el2, p2m_vttbr(p2m));
	isb();
	__asm__ volatile("tlbi vmalls12e1is" : : : "memory");
	dsb();
	sysreg_write(vttbr_el2, old);
	isb();
}

static uint64_t *table_new(void)
{
	uint64_t page = pages_alloc(&table_pool, PAGE_LG2);

	if (page)
		memset((void *)page, 0, PAGE_SIZE);
	return (uint64_t *)page;
}

/* D8.2: concatenated root tables save a level of at most 16 entries. */
int p2m_init(struct p2m *p2m, unsigned int ipa_bits, uint16_t vmid)
{
	unsigned int level = 0;

	if (ipa_bits < 32 || ipa_bits > 48)
		return P2M_RANGE;
	while (ipa_bits <= PAGE_LG2 + level_lg2(level) + 4)
		level++;
	*p2m = (struct p2m){
		.ipa_bits = ipa_bits,
		.start_level = level,
		.root_lg2 = ipa_bits - (PAGE_LG2 + level_lg2(level)) + 3,
		.vmid = vmid,
	};
	if (p2m->root_lg2 < PAGE_LG2)
		p2m->root_lg2 = PAGE_LG2;
	p2m->root = pages_alloc(&table_pool, p2m->root_lg2);
	if (!p2m->root)
		return P2M_NOMEM;
	memset((void *)p2m->root, 0, 1ull << p2m->root_lg2);
	tlb_flush(p2m);
	return 0;
}

static void table_free(uint64_t *table, unsigned int level)
{
	for (unsigned int i = 0; i < ENTRIES; i++)
		if (is_table(table[i], level))
			table_free((uint64_t *)(table[i] & DESC_ADDRESS),
				   level + 1);
	pages_free(&table_pool, (uint64_t)table, PAGE_LG2);
}

void p2m_destroy(struct p2m *p2m)
{
	uint64_t *root = (uint64_t *)p2m->root;

	tlb_flush(p2m);
	for (uint64_t i = 0; i < 1ull << (p2m->root_lg2 - 3); i++)
		if (is_table(root[i], p2m->start_level))
			table_free((uint64_t *)(root[i] & DESC_ADDRESS),
				   p2m->start_level + 1);
	pages_free(&table_pool, p2m->root, p2m->root_lg2);
	p2m->root = 0;
}

/*
 * D8.16.1, break-before-make: with FEAT_BBM at level 2 a block may become a
 * table of the same content at once, so that a device that walks this table is
 * not interrupted. Else it must be seen to be gone first.
 */
static int leaf_split(struct p2m *p2m, uint64_t *entry, unsigned int level)
{
	uint64_t old = entry_read(entry);
	uint64_t *table = table_new();

	if (!table)
		return P2M_NOMEM;
	if (old & DESC_VALID) {
		uint64_t step = 1ull << (level_lg2(level + 1) + PAGE_LG2);

		if (level + 1 == LAST_LEVEL)
			old |= DESC_TABLE;
		for (unsigned int i = 0; i < ENTRIES; i++)
			table[i] = old + i * step;
		if ((sysreg_read(id_aa64mmfr2_el1) >> 52 & 0xf) < 2) {
			entry_write(entry, 0);
			tlb_flush(p2m);
		}
	}
	entry_write(entry, (uint64_t)table | DESC_VALID | DESC_TABLE);
	return 0;
}

struct place {
	uint64_t *entry;
	unsigned int level;
};

/* The entry that decides about @gfn: a leaf, or an empty one. */
static struct place place_find(const struct p2m *p2m, uint64_t gfn)
{
	uint64_t *table = (uint64_t *)p2m->root;
	unsigned int level = p2m->start_level;
	uint64_t index = gfn >> level_lg2(level);

	while (is_table(entry_read(&table[index]), level)) {
		table = (uint64_t *)(entry_read(&table[index]) & DESC_ADDRESS);
		level++;
		index = gfn >> level_lg2(level) & (ENTRIES - 1);
	}
	return (struct place){ &table[index], level };
}

static int in_range(const struct p2m *p2m, uint64_t gfn, uint64_t nr)
{
	uint64_t limit = 1ull << (p2m->ipa_bits - PAGE_LG2);

	return nr && gfn < limit && nr <= limit - gfn;
}

/* What to do with a range; SET takes @mfn, the others leave it alone. */
enum change { SET, CLEAR, PROTECT };

struct job {
	enum change change;
	uint64_t gfn, mfn, nr;
	uint32_t flags;
};

/* Can the entry at this place be written for the front of the range? */
static int place_fits(const struct place *place, const struct job *job)
{
	uint64_t size = 1ull << level_lg2(place->level);

	if (place->level < LEAF_LEVEL)
		return 0;
	return !(job->gfn & (size - 1)) && job->nr >= size &&
	       (job->change != SET || !(job->mfn & (size - 1)));
}

static void place_write(struct p2m *p2m, const struct place *place,
			const struct job *job)
{
	uint64_t old = entry_read(place->entry);
	uint64_t mfn = job->mfn;

	if (job->change == PROTECT)
		mfn = (old & DESC_ADDRESS) >> PAGE_LG2;
	if (job->change != CLEAR) {
		/* Another output address: break-before-make. */
		if (old & DESC_VALID && job->change == SET) {
			entry_write(place->entry, 0);
			tlb_flush(p2m);
		}
		entry_write(place->entry,
			    leaf_make(mfn, job->flags, place->level));
	} else {
		entry_write(place->entry, 0);
	}
}

static void job_advance(struct job *job, uint64_t nr)
{
	if (nr > job->nr)
		nr = job->nr;
	job->gfn += nr;
	job->mfn += nr;
	job->nr -= nr;
}

static int job_run(struct p2m *p2m, struct job job)
{
	while (job.nr) {
		struct place place = place_find(p2m, job.gfn);
		uint64_t size = 1ull << level_lg2(place.level);
		int valid = (entry_read(place.entry) & DESC_VALID) != 0;

		if (!valid && job.change != SET) {
			job_advance(&job, size - (job.gfn & (size - 1)));
		} else if (place_fits(&place, &job)) {
			place_write(p2m, &place, &job);
			job_advance(&job, size);
		} else if (leaf_split(p2m, place.entry, place.level)) {
			return P2M_NOMEM;
		}
	}
	return 0;
}

static int change(struct p2m *p2m, struct job job)
{
	int st;

	if (!in_range(p2m, job.gfn, job.nr))
		return P2M_RANGE;
	spin_lock(&p2m->lock);
	st = job_run(p2m, job);
	tlb_flush(p2m);
	spin_unlock(&p2m->lock);
	return st;
}

int p2m_map(struct p2m *p2m, uint64_t gfn, uint64_t mfn, uint64_t nr,
	    uint32_t flags)
{
	return change(p2m, (struct job){ SET, gfn, mfn, nr, flags });
}

int p2m_unmap(struct p2m *p2m, uint64_t gfn, uint64_t nr)
{
	return change(p2m, (struct job){ CLEAR, gfn, 0, nr, 0 });
}

int p2m_protect(struct p2m *p2m, uint64_t gfn, uint64_t nr, uint32_t flags)
{
	return change(p2m, (struct job){ PROTECT, gfn, 0, nr, flags });
}

/* The answer of one entry, from @gfn to the end of what it stands for. */
static struct p2m_run run_at(const struct p2m *p2m, uint64_t gfn)
{
	struct place place = place_find(p2m, gfn);
	uint64_t value = entry_read(place.entry);
	uint64_t size = 1ull << level_lg2(place.level);
	uint64_t inside = gfn & (size - 1);
	struct p2m_run run = { .gfn = gfn, .nr = size - inside };

	if (value & DESC_VALID) {
		run.mapped = 1;
		run.mfn = ((value & DESC_ADDRESS) >> PAGE_LG2) + inside;
		run.flags = leaf_flags(value);
	}
	return run;
}

struct p2m_run p2m_lookup(struct p2m *p2m, uint64_t gfn)
{
	struct p2m_run run = { .gfn = gfn };

	if (!in_range(p2m, gfn, 1))
		return run;
	spin_lock(&p2m->lock);
	run = run_at(p2m, gfn);
	spin_unlock(&p2m->lock);
	return run;
}

static int run_continues(const struct p2m_run *last, const struct p2m_run *run)
{
	return last->gfn + last->nr == run->gfn &&
	       last->mfn + last->nr == run->mfn && last->flags == run->flags;
}

void p2m_walk(struct p2m *p2m, uint64_t gfn, uint64_t nr, struct p2m_runs *out)
{
	uint64_t end = gfn + nr;

	out->nr = 0;
	out->next = gfn;
	if (!in_range(p2m, gfn, nr))
		return;
	spin_lock(&p2m->lock);
	while (out->next < end) {
		struct p2m_run run = run_at(p2m, out->next);
		struct p2m_run *last = out->nr ? &out->runs[out->nr - 1] : NULL;

		if (run.nr > end - run.gfn)
			run.nr = end - run.gfn;
		if (run.mapped && last && run_continues(last, &run))
			last->nr += run.nr;
		else if (run.mapped && out->nr == out->max)
			break;
		else if (run.mapped)
			out->runs[out->nr++] = run;
		out->next = run.gfn + run.nr;
	}
	spin_unlock(&p2m->lock);
}

uint64_t p2m_vtcr(const struct p2m *p2m)
{
	uint64_t pa_range = sysreg_read(id_aa64mmfr0_el1) & 0xf;
	uint64_t vmid_bits = sysreg_read(id_aa64mmfr1_el1) >> 4 & 0xf;
	/* 4 KiB granule: SL0 0, 1, 2 start at level 2, 1, 0. */
	uint64_t sl0 = 2 - (uint64_t)p2m->start_level;

	/* More than 48 bits would need another table format. */
	if (pa_range > 5)
		pa_range = 5;
	return VTCR_RES1 | VTCR_T0SZ(p2m->ipa_bits) | sl0 << VTCR_SL0_LSB |
	       VTCR_WALK_ATTRS | pa_range << VTCR_PS_LSB |
	       (vmid_bits == 2 ? VTCR_VS : 0);
}

uint64_t p2m_vttbr(const struct p2m *p2m)
{
	return (uint64_t)p2m->vmid << VTTBR_VMID_LSB | p2m->root;
}

uint64_t at_s12e1(uint64_t vtcr, uint64_t vttbr, uint64_t ipa,
		  enum at_access access)
{
	uint64_t old_vtcr = sysreg_read(vtcr_el2);
	uint64_t old_vttbr = sysreg_read(vttbr_el2);
	uint64_t par;

	sysreg_write(vtcr_el2, vtcr);
	sysreg_write(vttbr_el2, vttbr);
	sysreg_write(hcr_el2, HCR_HOST | HCR_VM);
	isb();
	dsb();
	__asm__ volatile("tlbi vmalls12e1is" : : : "memory");
	dsb();
	isb();
	if (access == AT_WRITE)
		__asm__ volatile("at s12e1w, %0" : : "r"(ipa) : "memory");
	else
		__asm__ volatile("at s12e1r, %0" : : "r"(ipa) : "memory");
	isb();
	par = sysreg_read(par_el1);
	sysreg_write(hcr_el2, HCR_HOST);
	sysreg_write(vttbr_el2, old_vttbr);
	sysreg_write(vtcr_el2, old_vtcr);
	isb();
	return par;
}
