/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reverse.c - the reverse map: a guest of 16 GiB in a machine of 64 GiB
 *
 * Its memory is one contiguous range (w1), pieces of 2 MiB, scattered (w2), or a
 * random permutation of frames (w3). All goes through the domain's calls, so the
 * ledger is changed, too; no device is attached. Bytes are the reverse map's.
 */
#include "bench.h"

#include <stdio.h>

#define MACHINE_FRAMES ((uint64_t)16 << 20)
#define GUEST_FRAMES   ((uint64_t)4 << 20)
#define GUEST_BASE     ((uint64_t)1 << 20)
#define PIECE	       512u
#define OPERATIONS     ((uint64_t)1 << 18)
#define RW	       (IOMMUABS_READ | IOMMUABS_WRITE)

static uint32_t *mfn_of; /* by gfn */

/* What the random operations touch, in their order. */
static struct pick {
	uint32_t mfn, gfn;
} * picks;

static void shuffle(uint32_t *item, uint64_t nr, uint64_t chosen)
{
	uint64_t i, j;
	uint32_t kept;

	for (i = 0; i < chosen; i++) {
		j = i + random_next() % (nr - i);
		kept = item[i];
		item[i] = item[j];
		item[j] = kept;
	}
}

static void lay_out_contiguous(void)
{
	uint64_t gfn;

	for (gfn = 0; gfn < GUEST_FRAMES; gfn++)
		mfn_of[gfn] = (uint32_t)(GUEST_BASE + gfn);
}

static void lay_out_pieces(void)
{
	static uint32_t piece[MACHINE_FRAMES / PIECE];
	uint64_t i, gfn, nr = MACHINE_FRAMES / PIECE;

	for (i = 0; i < nr; i++)
		piece[i] = (uint32_t)i;
	shuffle(piece, nr, GUEST_FRAMES / PIECE);
	for (gfn = 0; gfn < GUEST_FRAMES; gfn++)
		mfn_of[gfn] =
			(uint32_t)(piece[gfn / PIECE] * PIECE + gfn % PIECE);
}

static void lay_out_random(void)
{
	lay_out_contiguous();
	shuffle(mfn_of, GUEST_FRAMES, GUEST_FRAMES);
}

static const struct layout {
	void (*lay_out)(void);
	uint64_t run; /* frames of one call */
	const char *names[7];
} layouts[] = {
	{ lay_out_contiguous,
	  GUEST_FRAMES,
	  { "rmap_w1_bulk", "rmap_w1_bytes_per_page", "rmap_w1_lookup",
	    "rmap_w1_deplookup", "rmap_w1_removeinsert",
	    "rmap_w1_bytes_churned" } },
	{ lay_out_pieces,
	  PIECE,
	  { "rmap_w2_bulk", "rmap_w2_bytes_per_page", "rmap_w2_lookup",
	    "rmap_w2_deplookup", "rmap_w2_removeinsert",
	    "rmap_w2_bytes_churned" } },
	{ lay_out_random,
	  1,
	  { "rmap_w3_bulk", "rmap_w3_bytes_per_page", "rmap_w3_lookup",
	    "rmap_w3_deplookup", "rmap_w3_removeinsert",
	    "rmap_w3_bytes_churned" } },
};

enum { BULK, BYTES, LOOKUP, DEPLOOKUP, REMOVEINSERT, BYTES_CHURNED };

static void insert(struct iommuabs_domain *dom, uint64_t gfn, uint64_t mfn,
		   uint64_t nr)
{
	must(iommuabs_domain_map(dom, IOMMUABS_GFN(gfn), IOMMUABS_MFN(mfn), nr,
				 RW, NULL),
	     "map");
}

static uint64_t lookup(struct iommuabs_domain *dom, uint64_t mfn)
{
	iommuabs_gfn_t gfn = IOMMUABS_GFN(0);
	uint64_t cursor = 0;
	uint32_t nr = 0;

	must(iommuabs_domain_gfns(dom, IOMMUABS_MFN(mfn), &cursor, &gfn, 1,
				  &nr),
	     "gfns");
	check(nr == 1, "a frame has no gfn");
	return gfn.frame;
}

static void bulk(struct iommuabs_domain *dom, const struct layout *layout)
{
	uint64_t gfn, before = machine_instance_bytes();

	measure_begin();
	for (gfn = 0; gfn < GUEST_FRAMES; gfn += layout->run)
		insert(dom, gfn, mfn_of[gfn], layout->run);
	measure_end(layout->names[BULK], "ns/page", (double)GUEST_FRAMES);
	measure_value(layout->names[BYTES], "B/page",
		      (double)(machine_instance_bytes() - before) /
			      (double)GUEST_FRAMES);
}

static void pick_randomly(void)
{
	uint64_t i, gfn;

	for (i = 0; i < OPERATIONS; i++) {
		gfn = random_next() % GUEST_FRAMES;
		picks[i] = (struct pick){ mfn_of[gfn], (uint32_t)gfn };
	}
}

static void lookups(struct iommuabs_domain *dom, const struct layout *layout)
{
	uint64_t i, gfn, next = 0, sum = 0, expected = 0;

	pick_randomly();
	for (i = 0; i < OPERATIONS; i++)
		expected += picks[i].gfn;
	measure_begin();
	for (i = 0; i < OPERATIONS; i++)
		sum += lookup(dom, picks[i].mfn);
	measure_end(layout->names[LOOKUP], "ns/op", (double)OPERATIONS);
	check(sum == expected, "reverse lookups are wrong");

	/* next is always 0, which only the result of the lookup tells. */
	measure_begin();
	for (i = 0; i < OPERATIONS; i++) {
		gfn = lookup(dom, picks[i + next].mfn);
		next = gfn >> 63;
		sum -= gfn;
	}
	measure_end(layout->names[DEPLOOKUP], "ns/op", (double)OPERATIONS);
	check(!sum, "reverse lookups differ");
}

static void churn(struct iommuabs_domain *dom, const struct layout *layout,
		  uint64_t before)
{
	uint64_t i;

	pick_randomly();
	measure_begin();
	for (i = 0; i < OPERATIONS; i++) {
		must(iommuabs_domain_unmap(dom, IOMMUABS_GFN(picks[i].gfn), 1,
					   NULL),
		     "unmap");
		insert(dom, picks[i].gfn, picks[i].mfn, 1);
	}
	measure_end(layout->names[REMOVEINSERT], "ns/pair", (double)OPERATIONS);
	measure_value(layout->names[BYTES_CHURNED], "B/page",
		      (double)(machine_instance_bytes() - before) /
			      (double)GUEST_FRAMES);
	for (i = 0; i < 1000; i++)
		check(lookup(dom, picks[i].mfn) == picks[i].gfn,
		      "a reverse lookup after the churn is wrong");
}

/* Nodes of the reverse map stay with the instance: each layout has its own. */
void reverse_pass(const struct bench_kind *kind)
{
	const struct bench_domain want = { kind->flags, IOMMUABS_LEAF_ANY, 1,
					   0 };
	const struct layout *layout = layouts;
	struct iommuabs_domain *dom;
	uint64_t before;

	if (kind->flags & IOMMUABS_DOMAIN_NO_REVERSE_MAP)
		return;
	if (!mfn_of) {
		mfn_of = memory_get(GUEST_FRAMES * sizeof(*mfn_of));
		picks = memory_get((OPERATIONS + 1) * sizeof(*picks));
	}
	for (; layout < layouts + sizeof(layouts) / sizeof(layouts[0]);
	     layout++) {
		if (!measure_wanted(layout->names))
			continue;
		layout->lay_out();
		machine_start();
		dom = machine_domain(&want);
		before = machine_instance_bytes();
		bulk(dom, layout);
		lookups(dom, layout);
		churn(dom, layout, before);
		machine_domain_gone(dom);
		machine_stop();
	}
}
