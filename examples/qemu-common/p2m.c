/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * p2m.c - the guest's table as its CPU walks it, leaves of 4 KiB and 2 MiB
 *
 * What an entry says is the architecture's: p2m_arch.h.
 */
#include "p2m.h"
#include "p2m_arch.h"
#include "pages.h"
#include "string.h"

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
	p2m_clean(entry, sizeof(*entry));
}

static uint64_t *table_new(void)
{
	uint64_t page = pages_alloc(&table_pool, PAGE_LG2);

	if (page)
		memset((void *)page, 0, PAGE_SIZE);
	return (uint64_t *)page;
}

int p2m_init(struct p2m *p2m, unsigned int ipa_bits, uint16_t vmid)
{
	if (ipa_bits < 32 || ipa_bits > 48)
		return P2M_RANGE;
	*p2m = (struct p2m){
		.ipa_bits = ipa_bits,
		.start_level = p2m_start_level(ipa_bits),
		.vmid = vmid,
	};
	p2m->root_lg2 = ipa_bits - (PAGE_LG2 + level_lg2(p2m->start_level)) + 3;
	if (p2m->root_lg2 < PAGE_LG2)
		p2m->root_lg2 = PAGE_LG2;
	p2m->root = pages_alloc(&table_pool, p2m->root_lg2);
	if (!p2m->root)
		return P2M_NOMEM;
	memset((void *)p2m->root, 0, 1ull << p2m->root_lg2);
	p2m_clean((void *)p2m->root, 1ull << p2m->root_lg2);
	p2m_tlb_flush(p2m);
	return 0;
}

static void table_free(uint64_t *table, unsigned int level)
{
	for (unsigned int i = 0; i < ENTRIES; i++)
		if (is_table(table[i], level))
			table_free((uint64_t *)entry_table(table[i]),
				   level + 1);
	pages_free(&table_pool, (uint64_t)table, PAGE_LG2);
}

void p2m_destroy(struct p2m *p2m)
{
	uint64_t *root = (uint64_t *)p2m->root;

	p2m_tlb_flush(p2m);
	for (uint64_t i = 0; i < 1ull << (p2m->root_lg2 - 3); i++)
		if (is_table(root[i], p2m->start_level))
			table_free((uint64_t *)entry_table(root[i]),
				   p2m->start_level + 1);
	pages_free(&table_pool, p2m->root, p2m->root_lg2);
	p2m->root = 0;
}

/*
 * Where the CPU and whoever else walks this table allow it, a leaf becomes a table
 * of the same content at once, so that a device is not interrupted. Else it must
 * be seen to be gone first.
 */
static int leaf_split(struct p2m *p2m, uint64_t *entry, unsigned int level)
{
	uint64_t old = entry_read(entry);
	uint64_t *table = table_new();

	if (!table)
		return P2M_NOMEM;
	if (entry_is_valid(old)) {
		for (unsigned int i = 0; i < ENTRIES; i++)
			table[i] = leaf_make(
				leaf_mfn(old) +
					((uint64_t)i << level_lg2(level + 1)),
				leaf_flags(old), level + 1);
		if (!split_is_direct()) {
			entry_write(entry, 0);
			p2m_tlb_flush(p2m);
		}
	}
	p2m_clean(table, PAGE_SIZE);
	entry_write(entry, table_make((uint64_t)table));
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
		table = (uint64_t *)entry_table(entry_read(&table[index]));
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
		mfn = leaf_mfn(old);
	if (job->change != CLEAR) {
		/* Another output address: break-before-make. */
		if (entry_is_valid(old) && job->change == SET) {
			entry_write(place->entry, 0);
			p2m_tlb_flush(p2m);
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
		int valid = entry_is_valid(entry_read(place.entry));

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
	p2m_tlb_flush(p2m);
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

	if (entry_is_valid(value)) {
		run.mapped = 1;
		run.mfn = leaf_mfn(value) + inside;
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
