/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * random.c - 1,000 operations drawn from a seed, against a flat oracle
 *
 * Two guests, one shared and one mirrored, a device each, and machine frames
 * that both want. What each guest has at each gfn of a window is kept in an
 * array; every call, DMA and query must answer as the array says.
 */
#include <stddef.h>
#include "console.h"
#include "edu.h"
#include "pages.h"
#include "scenarios.h"
#include "scene.h"
#include "tap.h"

#define SEED	   UINT64_C(0x1de0f5a11ce5)
#define NR_OPS	   1000u
#define NR_GUESTS  2u
#define WINDOW_GFN UINT64_C(0xc0000)
#define WINDOW_NR  2048u
#define CHUNK_LG2  22 /* the largest piece that pages_alloc() gives */
#define CHUNK_NR   1024u
#define NR_CHUNKS  2u
#define LEAF_NR	   512u
#define MAX_WRONG  5u

struct place {
	uint64_t mfn; /* 0: nothing */
	uint32_t flags;
};

static struct guest_state {
	struct scene scene;
	struct place places[WINDOW_NR];
	unsigned int edu;
	int attached;
} guests[NR_GUESTS];

static uint64_t chunks[NR_CHUNKS]; /* first mfn of each */
static uint64_t random_state;

/* What was counted, and what was not as it should be. */
static struct {
	unsigned int nr_done, nr_exists, nr_perm, nr_noent, nr_moves;
	unsigned int nr_reads, nr_writes, nr_blocked, nr_questions;
	unsigned int calls, bytes, reports, answers; /* wrong ones */
} count;

static uint64_t draw(uint64_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (random_state >> 11) % limit;
}

static void wrong(unsigned int *kind, const char *what, unsigned int who,
		  uint64_t gfn, uint64_t is, uint64_t should)
{
	if (++*kind <= MAX_WRONG)
		print("# random: %s: guest %u, gfn %lx: %lx, should be %lx\n",
		      what, who, gfn, is, should);
}

static uint64_t signature(uint64_t mfn)
{
	return mfn | UINT64_C(0xf00d) << 48;
}

/* A range of gfns of the window and of frames of one chunk. */
struct range {
	uint64_t at; /* index into the window */
	uint64_t mfn;
	uint64_t nr;
};

static struct range range_draw(void)
{
	struct range range;
	uint64_t step = 1, chunk = chunks[draw(NR_CHUNKS)];

	switch (draw(4)) {
	case 0:
		step = LEAF_NR;
		range.nr = LEAF_NR * (1 + draw(2));
		break;
	case 1:
		range.nr = 1 + draw(64);
		break;
	default:
		range.nr = 1 + draw(4);
	}
	range.at = draw((WINDOW_NR - range.nr) / step + 1) * step;
	range.mfn = chunk + draw((CHUNK_NR - range.nr) / step + 1) * step;
	return range;
}

static int is_owned(const struct guest_state *guest, const struct range *range)
{
	for (unsigned int i = 0; i < WINDOW_NR; i++) {
		const struct place *place = &guest->places[i];

		if (place->mfn >= range->mfn &&
		    place->mfn < range->mfn + range->nr &&
		    !(place->flags & IOMMUABS_FOREIGN))
			return 1;
	}
	return 0;
}

/*
 * Is something in the way? REPLACE takes the place of another frame or changes
 * what may be done with the same one, but not whose it is.
 */
static int is_other(const struct guest_state *guest, const struct range *range,
		    uint32_t flags)
{
	int replace = (flags & IOMMUABS_REPLACE) != 0;

	for (uint64_t i = 0; i < range->nr; i++) {
		const struct place *place = &guest->places[range->at + i];
		uint32_t differs = (place->flags ^ flags) & ~IOMMUABS_REPLACE;

		if (!place->mfn)
			continue;
		if (place->mfn != range->mfn + i ? !replace
		    : replace			 ? differs & IOMMUABS_FOREIGN
						 : differs)
			return 1;
	}
	return 0;
}

static void op_map(unsigned int who, const struct range *range, uint32_t flags)
{
	struct guest_state *guest = &guests[who];
	uint32_t stored = flags & ~IOMMUABS_REPLACE;
	int perm =
		!(flags & IOMMUABS_FOREIGN) && is_owned(&guests[!who], range);
	int exists = is_other(guest, range, flags);
	int st = vm_map(&guest->scene.vm, WINDOW_GFN + range->at, range->mfn,
			range->nr, flags);

	if (perm || exists ? !((perm && st == IOMMUABS_E_PERM) ||
			       (exists && st == IOMMUABS_E_EXISTS))
			   : st != 0)
		wrong(&count.calls, "map", who, WINDOW_GFN + range->at,
		      (uint64_t)st, perm ? IOMMUABS_E_PERM : 0);
	count.nr_perm += st == IOMMUABS_E_PERM;
	count.nr_exists += st == IOMMUABS_E_EXISTS;
	for (uint64_t i = 0; !st && i < range->nr; i++)
		guest->places[range->at + i] =
			(struct place){ range->mfn + i, stored };
	count.nr_done += !st;
}

static void op_unmap(unsigned int who, const struct range *range)
{
	struct guest_state *guest = &guests[who];
	int st = vm_unmap(&guest->scene.vm, WINDOW_GFN + range->at, range->nr);

	if (st)
		wrong(&count.calls, "unmap", who, WINDOW_GFN + range->at,
		      (uint64_t)st, 0);
	for (uint64_t i = 0; i < range->nr; i++)
		guest->places[range->at + i] = (struct place){ 0 };
	count.nr_done += !st;
}

/* The p2m must not be touched when the library would refuse: ask first. */
static void op_protect(unsigned int who, const struct range *range,
		       uint32_t flags)
{
	struct guest_state *guest = &guests[who];
	struct place *places = &guest->places[range->at];
	int hole = 0, st;

	for (uint64_t i = 0; i < range->nr; i++)
		hole |= !places[i].mfn;
	st = hole ? iommuabs_domain_protect(
			    guest->scene.vm.dom,
			    IOMMUABS_GFN(WINDOW_GFN + range->at), range->nr,
			    flags, NULL)
		  : vm_protect(&guest->scene.vm, WINDOW_GFN + range->at,
			       range->nr, flags);
	if (st != (hole ? IOMMUABS_E_NOENT : 0))
		wrong(&count.calls, "protect", who, WINDOW_GFN + range->at,
		      (uint64_t)st, hole ? IOMMUABS_E_NOENT : 0);
	for (uint64_t i = 0; !st && i < range->nr; i++)
		places[i].flags = (places[i].flags & ~SCENE_RW) | flags;
	count.nr_noent += st == IOMMUABS_E_NOENT;
	count.nr_done += !st;
}

/* Out, and in again, perhaps into the other guest. */
static void op_move(unsigned int who)
{
	int swap = !draw(2), st;

	for (unsigned int i = 0; i < NR_GUESTS; i++) {
		if (i != who && !swap)
			continue;
		st = iommuabs_device_detach(iommu.edu[guests[i].edu], 0);
		if (st)
			wrong(&count.calls, "detach", i, 0, (uint64_t)st, 0);
		guests[i].attached = 0;
	}
	for (unsigned int i = 0; swap && i < NR_GUESTS; i++)
		guests[i].edu = !guests[i].edu;
	for (unsigned int i = 0; i < NR_GUESTS; i++) {
		if (guests[i].attached || !draw(12))
			continue;
		st = scene_attach(&guests[i].scene, guests[i].edu);
		if (st)
			wrong(&count.calls, "attach", i, 0, (uint64_t)st, 0);
		guests[i].attached = !st;
	}
	count.nr_moves++;
}

static void probe_read(unsigned int who, uint64_t at)
{
	const struct guest_state *guest = &guests[who];
	uint64_t gfn = WINDOW_GFN + at, mfn = guest->places[at].mfn, seen;
	uint64_t should = mfn ? signature(mfn) : 0;

	iommu_faults_forget();
	seen = dma_load(&guest->scene, guest->edu, gfn);
	if (!guest->attached)
		should = DMA_NO_ANSWER;
	if (seen != should)
		wrong(&count.bytes, "a read", who, gfn, seen, should);
	count.nr_reads++;
	if (mfn && guest->attached)
		return;
	count.nr_blocked++;
	if (!fault_find(guest->edu, gfn, IOMMUABS_READ))
		wrong(&count.reports, "no report of a read", who, gfn, 0, 1);
}

static void probe_write(unsigned int who, uint64_t at)
{
	const struct guest_state *guest = &guests[who];
	const struct place *place = &guest->places[at];
	uint64_t gfn = WINDOW_GFN + at, mfn = place->mfn, seen, should;

	if (!mfn)
		return;
	dma_take(&guest->scene, guest->edu, 0xd0d0d0d0 + at);
	dma_store(guest->edu, gfn);
	seen = *frame_word(mfn);
	should = signature(mfn);
	if (guest->attached && place->flags & IOMMUABS_WRITE)
		should = 0xd0d0d0d0 + at;
	else
		count.nr_blocked++;
	if (seen != should)
		wrong(&count.bytes, "a write", who, gfn, seen, should);
	*frame_word(mfn) = signature(mfn);
	count.nr_writes++;
}

static void question_forward(unsigned int who, uint64_t at)
{
	const struct place *place = &guests[who].places[at];
	iommuabs_mfn_t mfn = { 0 };
	uint32_t flags = 0;
	int st = iommuabs_domain_translate(guests[who].scene.vm.dom,
					   IOMMUABS_GFN(WINDOW_GFN + at), &mfn,
					   &flags);

	if (st != (place->mfn ? 0 : IOMMUABS_E_NOENT) ||
	    mfn.frame != place->mfn || flags != place->flags)
		wrong(&count.answers, "translate", who, WINDOW_GFN + at,
		      mfn.frame, place->mfn);
	count.nr_questions++;
}

/* Each answer is a place of the frame, and there are as many as places. */
static void question_backward(unsigned int who, uint64_t mfn)
{
	const struct guest_state *guest = &guests[who];
	iommuabs_gfn_t gfns[8];
	uint64_t cursor = 0;
	uint32_t nr = 0, should = 0, found = 0;
	int st;

	for (unsigned int i = 0; i < WINDOW_NR; i++)
		should += guest->places[i].mfn == mfn;
	do {
		st = iommuabs_domain_gfns(guest->scene.vm.dom,
					  IOMMUABS_MFN(mfn), &cursor, gfns, 8,
					  &nr);
		for (uint32_t i = 0; !st && i < nr; i++) {
			uint64_t at = gfns[i].frame - WINDOW_GFN;

			if (at >= WINDOW_NR || guest->places[at].mfn != mfn)
				st = IOMMUABS_E_INVAL;
		}
		found += nr;
	} while (!st && nr == 8);
	if (st || found != should)
		wrong(&count.answers, "gfns of mfn", who, mfn, found, should);
	count.nr_questions++;
}

/* Whole leaves go less often than they come, else the window stays empty. */
static struct range smaller(struct range range)
{
	if (draw(4) && range.nr >= LEAF_NR)
		range.nr = 1 + draw(16);
	return range;
}

static void operate(unsigned int who, const struct range *range)
{
	uint32_t flags = draw(3) ? SCENE_RW : IOMMUABS_READ;
	uint32_t foreign = draw(8) ? 0 : IOMMUABS_FOREIGN;
	const struct range part = smaller(*range);

	switch (draw(16)) {
	case 0:
		op_move(who);
		break;
	case 1:
	case 2:
	case 3:
		op_unmap(who, &part);
		break;
	case 4:
	case 5:
		op_protect(who, &part, flags);
		break;
	case 6:
	case 7:
	case 8:
	case 9:
		op_map(who, range, flags | foreign | IOMMUABS_REPLACE);
		break;
	default:
		op_map(who, range, flags | foreign);
	}
}

static void step(void)
{
	unsigned int who = (unsigned int)draw(NR_GUESTS);
	struct range range = range_draw();
	uint64_t near = range.at + draw(range.nr), far = draw(WINDOW_NR);

	/* The device has used what is about to change. */
	if (guests[who].attached)
		(void)dma_load(&guests[who].scene, guests[who].edu,
			       WINDOW_GFN + near);
	operate(who, &range);
	probe_write(who, near);
	probe_read(who, near);
	probe_read(!who, far);
	question_forward(who, near);
	question_forward(!who, far);
	question_backward(who, range.mfn);
	question_backward(!who, chunks[draw(NR_CHUNKS)] + draw(CHUNK_NR));
}

static int frames_get(void)
{
	for (unsigned int c = 0; c < NR_CHUNKS; c++) {
		chunks[c] = pages_alloc(&guest_pool, CHUNK_LG2) >> PAGE_LG2;
		if (!chunks[c])
			return -1;
		for (uint64_t i = 0; i < CHUNK_NR; i++)
			*frame_word(chunks[c] + i) = signature(chunks[c] + i);
	}
	return 0;
}

static void frames_put(void)
{
	for (unsigned int c = 0; c < NR_CHUNKS; c++)
		if (chunks[c])
			pages_free(&guest_pool, chunks[c] << PAGE_LG2,
				   CHUNK_LG2);
}

static void report(void)
{
	tap_check(!count.calls && count.nr_exists && count.nr_perm &&
			  count.nr_noent && count.nr_moves,
		  "random: %u operations of seed %lx answer as the oracle: %u "
		  "done, %u E_EXISTS, %u E_PERM, %u E_NOENT, %u times "
		  "detached and attached; %u wrong",
		  NR_OPS, SEED, count.nr_done, count.nr_exists, count.nr_perm,
		  count.nr_noent, count.nr_moves, count.calls);
	tap_check(!count.bytes && count.nr_blocked > 100,
		  "random: DMA reaches the oracle's frames and no others: %u "
		  "reads, %u writes, %u of them blocked; %u wrong",
		  count.nr_reads, count.nr_writes, count.nr_blocked,
		  count.bytes);
	tap_check(!count.reports,
		  "random: each blocked read is reported: %u are missing",
		  count.reports);
	tap_check(!count.answers,
		  "random: translate and domain_gfns answer as the oracle: %u "
		  "questions, %u wrong",
		  count.nr_questions, count.answers);
}

/* The whole window, by the CPU, as the mirror is in the end. */
static void ask_cpu(void)
{
	int st = 0;

	if (!guests[1].attached)
		st = scene_attach(&guests[1].scene, guests[1].edu);
	if (!st)
		cpu_check_table(&guests[1].scene, guests[1].edu, WINDOW_GFN,
				WINDOW_NR);
}

static void play(void)
{
	for (unsigned int i = 0; i < NR_GUESTS; i++) {
		guests[i].edu = i;
		guests[i].attached = !scene_attach(&guests[i].scene, i);
	}
	/* Every attach would say why, hundreds of times. */
	iommu_log_level = IOMMUABS_LOG_WARNING;
	random_state = SEED;
	for (unsigned int i = 0; i < NR_OPS; i++)
		step();
	iommu_log_level = IOMMUABS_LOG_INFO;
	report();
	ask_cpu();
}

void scenario_random(void)
{
	if (frames_get()) {
		tap_check(0, "random: memory for it");
	} else if (!scene_open(&guests[0].scene,
			       iommu.cannot_share ? "random, auto"
						  : "random, shared",
			       scene_strategies[0].strategy)) {
		if (!scene_open(&guests[1].scene, "random, mirrored",
				IOMMUABS_STRATEGY_MIRROR)) {
			play();
			scene_close(&guests[1].scene);
		}
		scene_close(&guests[0].scene);
	}
	frames_put();
}
