/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_populate.c - a mirror is filled in steps while its domain changes: every
 * step's end x every kind of change x before, at and after where the fill is
 *
 * A flat array says what the domain maps. When the fill has ended, the ledger, the
 * mirror that the device walks and the reverse map say the same of every frame.
 */
#include "core/change.h"
#include "harness.h"
#include "test_machine.h"
#include "test_needs.h"

#include <stdio.h>
#include <string.h>

#define RW	  (IOMMUABS_READ | IOMMUABS_WRITE)
#define GFNS	  1600
#define FRAMES	  2048
#define LARGE	  512
#define NOT_THERE UINT64_MAX
#define NEW	  1800 /* frames from here on are what changes bring */

/* Every allocation for a place of one of these needs memory. */
#define FAR_FRAMES 0x1000000

enum kind {
	MAP,
	UNMAP,
	PROTECT,
	REPLACE,
	SPLIT, /* one frame out of the middle of a large leaf */
	DESTROY,
	DETACH,
	FAILURE,
	KINDS
};

static const char *const kind_names[KINDS] = { "map",	  "unmap",  "protect",
					       "replace", "split",  "destroy",
					       "detach",  "failure" };

enum where { BEFORE, AT, AFTER, WHERES };

/* Where the library learns it from, and who has the mirror filled. */
struct way {
	const char *name;
	enum iommuabs_source source;
	enum iommuabs_populate populate;
	uint64_t budget;
	int scattered; /* all of it by map_list(), no large leaf */
	int populates; /* by domain_populate(); else by device_attach() */
	int batched;   /* what a change owes is synced a step later */
};

static const struct way ways[] = {
	{ .name = "from the ledger, by attach", .budget = 48 },
	{ .name = "from the ledger, batched", .budget = 48, .batched = 1 },
	{ .name = "from a list of frames", .budget = 75, .scattered = 1 },
	{ .name = "from the ledger, by populate",
	  .budget = 60,
	  .populates = 1 },
	{ .name = "from the p2m, by attach",
	  .budget = 48,
	  .source = IOMMUABS_SOURCE_P2M },
	{ .name = "from the p2m, eagerly",
	  .budget = 60,
	  .populates = 1,
	  .source = IOMMUABS_SOURCE_P2M,
	  .populate = IOMMUABS_POPULATE_EAGER },
};

struct cell {
	uint64_t mfn; /* NOT_THERE: nothing */
	uint32_t flags;
};

static struct {
	struct machine machine;
	const struct way *way;
	struct iommuabs_domain *dom;
	struct cell cells[GFNS];
	uint64_t cursor; /* gfns below are filled */
	struct iommuabs_batch batch;
	int batch_is_open;
	uint64_t news; /* frames that changes have brought */
	/* Frames that changes hit: below the cursor, and from there on. */
	uint64_t filled[KINDS], unfilled[KINDS];
	unsigned int played[KINDS][WHERES];
} t;

/* ---- the host's own table: what the array says ---- */

static int walk(void *ctx, struct iommuabs_p2m_query *query)
{
	uint64_t gfn = query->gfn.frame, end = gfn + query->nr;
	struct iommuabs_p2m_run *run = NULL;
	const struct cell *cell;

	(void)ctx;
	for (; gfn < end && gfn < GFNS; gfn++) {
		cell = &t.cells[gfn];
		if (cell->mfn == NOT_THERE)
			continue;
		if (run && run->gfn.frame + run->nr == gfn &&
		    run->mfn.frame + run->nr == cell->mfn &&
		    run->flags == cell->flags) {
			run->nr++;
			continue;
		}
		if (query->nr_runs == query->max_runs)
			break;
		run = &query->runs[query->nr_runs++];
		*run = (struct iommuabs_p2m_run){ IOMMUABS_GFN(gfn),
						  IOMMUABS_MFN(cell->mfn), 1,
						  cell->flags };
	}
	query->next = IOMMUABS_GFN(gfn < GFNS ? gfn : end);
	return 0;
}

/* ---- what there is before ---- */

static void cells_set(uint64_t gfn, uint64_t frame, uint64_t nr, uint64_t apart,
		      uint32_t flags)
{
	uint64_t i;

	for (i = 0; i < nr; i++)
		t.cells[gfn + i] =
			(struct cell){ MACHINE_RAM + frame + apart * i, flags };
}

/* Large leaves, scattered frames before and after them, a device's registers. */
static void cells_new(void)
{
	uint64_t i;

	for (i = 0; i < GFNS; i++)
		t.cells[i].mfn = NOT_THERE;
	cells_set(0, 0, LARGE, 1, RW);
	cells_set(LARGE, 1100, 20, 3, RW);
	cells_set(700, 1300, 4, 1, RW | IOMMUABS_DEVICE);
	cells_set(1004, 1240, 20, 2, IOMMUABS_READ);
	cells_set(1024, 512, LARGE, 1, RW);
	cells_set(1536, 1401, 12, 1, RW);
	cells_set(1550, 3, 2, 1, RW); /* a second place of each */
}

/* The domain's calls for what the array says of [@gfn, @gfn + @nr). */
static int told(uint64_t gfn, uint64_t nr, uint32_t extra)
{
	struct iommuabs_batch *batch = t.batch_is_open ? &t.batch : NULL;
	iommuabs_mfn_t list[LARGE];
	uint32_t flags = t.cells[gfn].flags | extra;
	bool scattered = t.way->scattered;
	uint64_t i;

	for (i = 0; i < nr; i++) {
		list[i] = IOMMUABS_MFN(t.cells[gfn + i].mfn);
		scattered |= list[i].frame != list[0].frame + i;
	}
	if (scattered)
		return iommuabs_domain_map_list(t.dom, IOMMUABS_GFN(gfn), list,
						nr, flags, batch);
	return iommuabs_domain_map(t.dom, IOMMUABS_GFN(gfn), list[0], nr, flags,
				   batch);
}

static void tell_all(void)
{
	uint64_t gfn = 0, end;

	while (gfn < GFNS) {
		for (end = gfn; end < GFNS && end - gfn < LARGE &&
				t.cells[end].mfn != NOT_THERE &&
				t.cells[end].flags == t.cells[gfn].flags;
		     end++)
			;
		if (end > gfn)
			ck_assert_int_eq(told(gfn, end - gfn, 0), 0);
		gfn = IA_MAX(end, gfn + 1);
	}
}

static void domain_new(void)
{
	const struct iommuabs_domain_config config = {
		.size = sizeof(config),
		.strategy = IOMMUABS_STRATEGY_MIRROR,
		.source = t.way->source,
		.populate = t.way->populate,
		.input_bits = 32,
	};

	cells_new();
	t.news = 0;
	t.machine.host->hint = 0; /* memory that was touched before */
	ck_assert_int_eq(iommuabs_domain_create(t.machine.abs, &config, &t.dom),
			 0);
	if (t.way->source == IOMMUABS_SOURCE_LEDGER)
		tell_all();
}

static void domain_delete(void)
{
	if (!t.dom)
		return;
	ck_assert_int_eq(iommuabs_device_detach(t.machine.dev[0], 0), 0);
	ck_assert_int_eq(iommuabs_domain_destroy(t.dom, 0), 0);
	t.dom = NULL;
}

/* ---- steps ---- */

static int step(uint64_t budget)
{
	struct iommuabs_device *dev = t.machine.dev[0];

	if (!t.way->populates)
		return iommuabs_device_attach(dev, t.dom, NULL, budget);
	if (t.way->populate == IOMMUABS_POPULATE_EAGER)
		dev = NULL;
	return iommuabs_domain_populate(t.dom, dev, budget);
}

static void batch_close(void)
{
	if (t.batch_is_open)
		ck_assert_int_eq(iommuabs_batch_done(&t.batch), 0);
	t.batch_is_open = 0;
}

static bool is_attached(void)
{
	return t.machine.dev[0]->state == DEVICE_ATTACHED;
}

/* To the end; what a batch owes is paid after a step more. */
static void finish(void)
{
	unsigned int steps = 0;
	int ret;

	do {
		ret = is_attached() ? 0 : step(t.way->budget);
		ck_assert(ret == 0 || ret == IOMMUABS_E_AGAIN);
		batch_close();
		ck_assert_uint_lt(steps++, 200);
	} while (ret);
	if (!is_attached())
		machine_attach(&t.machine, 0, t.dom);
}

static uint64_t progress(void)
{
	uint64_t done, total;

	ck_assert_int_eq(iommuabs_domain_progress(t.dom, &done, &total), 0);
	return IA_MIN(done, GFNS);
}

/* ---- the end: three answers, one array ---- */

static void compare_forward(const struct pt *mirror, uint64_t gfn)
{
	const struct cell *cell = &t.cells[gfn];
	bool there = cell->mfn != NOT_THERE;
	struct pt_leaf leaf;
	iommuabs_mfn_t mfn;
	uint32_t flags;
	int ret = iommuabs_domain_translate(t.dom, IOMMUABS_GFN(gfn), &mfn,
					    &flags);

	if (ret != (there ? 0 : IOMMUABS_E_NOENT) ||
	    (there && (mfn.frame != cell->mfn || flags != cell->flags)))
		ck_abort_msg("%s: gfn %llx in the ledger: %d", t.way->name,
			     (unsigned long long)gfn, ret);
	if (mirror->ops->lookup(mirror, gfn, &leaf) != there ||
	    (there && (leaf.out != cell->mfn || leaf.attr != cell->flags)))
		ck_abort_msg("%s: gfn %llx in the mirror: entry %llx",
			     t.way->name, (unsigned long long)gfn,
			     (unsigned long long)leaf.entry);
}

static void compare_backward(void)
{
	static uint8_t places[FRAMES];
	iommuabs_gfn_t gfns[4];
	uint64_t frame, gfn, cursor;
	uint32_t nr, i;

	/* No assertion where nothing is wrong: each is a write to a file. */
	memset(places, 0, sizeof(places));
	for (gfn = 0; gfn < GFNS; gfn++)
		if (t.cells[gfn].mfn != NOT_THERE)
			places[t.cells[gfn].mfn - MACHINE_RAM]++;
	for (frame = 0; frame < FRAMES; frame++) {
		const iommuabs_mfn_t mfn = IOMMUABS_MFN(MACHINE_RAM + frame);

		cursor = 0;
		if (iommuabs_domain_gfns(t.dom, mfn, &cursor, gfns, 4, &nr) ||
		    nr != places[frame])
			ck_abort_msg("%s: frame %llx is at %u gfns, not %u",
				     t.way->name, (unsigned long long)frame, nr,
				     places[frame]);
		for (i = 0; i < nr; i++)
			if (t.cells[gfns[i].frame].mfn != mfn.frame)
				ck_abort_msg("%s: frame %llx isn't at gfn %llx",
					     t.way->name,
					     (unsigned long long)frame,
					     (unsigned long long)gfns[i].frame);
	}
}

static void compare(void)
{
	const struct device_stream *stream = &t.machine.dev[0]->streams[0];
	uint64_t gfn;

	ck_assert_ptr_nonnull(stream->binding);
	ck_assert_int_eq(stream->binding->view->kind, VIEW_MIRROR);
	for (gfn = 0; gfn < GFNS; gfn++)
		compare_forward(&stream->binding->view->pt, gfn);
	compare_backward();
}

/* Nothing of a destroyed domain is anywhere. */
static void compare_nothing(void)
{
	ck_assert(!rmap_is_mapped(&t.machine.abs->rmap, MACHINE_RAM, FRAMES));
}

/* ---- where a change is to be ---- */

/* Are these frames mapped alike, with the same flags, or not mapped alike? */
static bool fits(uint64_t gfn, uint64_t nr, bool mapped)
{
	uint64_t i;

	for (i = 0; i < nr; i++)
		if ((t.cells[gfn + i].mfn != NOT_THERE) != mapped ||
		    (mapped && t.cells[gfn + i].flags != t.cells[gfn].flags))
			return false;
	return true;
}

/* Is there something after these frames that frames here could be one run with? */
static bool leads_on(uint64_t gfn, uint64_t nr)
{
	const struct cell *next = &t.cells[gfn + nr];

	return gfn + nr < GFNS && next->mfn != NOT_THERE &&
	       next->mfn >= MACHINE_RAM + nr;
}

/* The nearest place of that kind, wholly before, across or after the cursor. */
static bool place_find(enum where where, uint64_t nr, bool mapped,
		       uint64_t *gfn)
{
	uint64_t c = t.cursor, at, end = GFNS - nr;

	switch (where) {
	case BEFORE:
		for (at = c; at-- > 0;)
			if (at + nr <= c && fits(at, nr, mapped))
				break;
		break;
	case AT:
		for (at = c > nr ? c - nr + 1 : 0; at <= c && at <= end; at++)
			if (fits(at, nr, mapped))
				break;
		if (at > c)
			at = NOT_THERE;
		break;
	default:
		for (at = c + 1; at <= end; at++)
			if (fits(at, nr, mapped) &&
			    (mapped || leads_on(at, nr)))
				break;
	}
	*gfn = at;
	return at <= end;
}

/* The large leaf that ends before, has in it or begins after the cursor. */
static bool leaf_find(enum where where, uint64_t *gfn)
{
	static const uint64_t leaves[] = { 0, 1024 };
	unsigned int i;

	for (i = 0; i < IA_COUNT(leaves); i++) {
		uint64_t first = leaves[i], end = first + LARGE;
		enum where is = end <= t.cursor	   ? BEFORE
				: first > t.cursor ? AFTER
						   : AT;

		if (is == where && fits(first, LARGE, true)) {
			*gfn = first + 100;
			return true;
		}
	}
	return false;
}

static void hit(enum kind kind, uint64_t gfn, uint64_t nr)
{
	uint64_t below = gfn < t.cursor ? IA_MIN(nr, t.cursor - gfn) : 0;

	t.filled[kind] += below;
	t.unfilled[kind] += nr - below;
}

/* ---- the changes ---- */

static void change_begin(void)
{
	if (!t.way->batched)
		return;
	ck_assert_int_eq(iommuabs_batch_init(&t.batch, t.dom), 0);
	t.batch_is_open = 1;
}

/* The array says already what is there now. */
static void reread(uint64_t gfn, uint64_t nr)
{
	ck_assert_int_eq(iommuabs_domain_refresh(t.dom, IOMMUABS_GFN(gfn), nr,
						 NULL, NULL),
			 0);
}

static bool reads_p2m(void)
{
	return t.way->source == IOMMUABS_SOURCE_P2M;
}

/* Frames that nobody has; or further places of some, that end a run to come. */
static void do_map(uint64_t gfn, uint64_t nr, uint32_t extra)
{
	if (!extra && leads_on(gfn, nr))
		cells_set(gfn, t.cells[gfn + nr].mfn - MACHINE_RAM - nr, nr, 1,
			  t.cells[gfn + nr].flags);
	else
		cells_set(gfn, NEW + t.news, nr, extra ? 1 : 5,
			  extra ? t.cells[gfn].flags : RW);
	t.news += 5 * nr;
	if (reads_p2m())
		reread(gfn, nr);
	else
		ck_assert_int_eq(told(gfn, nr, extra), 0);
}

static void do_unmap(uint64_t gfn, uint64_t nr)
{
	uint64_t i;

	for (i = 0; i < nr; i++)
		t.cells[gfn + i].mfn = NOT_THERE;
	if (reads_p2m())
		reread(gfn, nr);
	else
		ck_assert_int_eq(iommuabs_domain_unmap(
					 t.dom, IOMMUABS_GFN(gfn), nr,
					 t.batch_is_open ? &t.batch : NULL),
				 0);
}

static void do_protect(uint64_t gfn, uint64_t nr)
{
	uint32_t now = t.cells[gfn].flags & IOMMUABS_WRITE ? IOMMUABS_READ : RW;
	uint64_t i;

	for (i = 0; i < nr; i++)
		t.cells[gfn + i].flags =
			(t.cells[gfn + i].flags & ~(uint32_t)RW) | now;
	if (reads_p2m())
		reread(gfn, nr);
	else
		ck_assert_int_eq(iommuabs_domain_protect(
					 t.dom, IOMMUABS_GFN(gfn), nr, now,
					 t.batch_is_open ? &t.batch : NULL),
				 0);
}

/* A change that finds no memory is none, and can be repeated. */
static void do_failing_map(uint64_t gfn)
{
	const struct cell before = t.cells[gfn];
	int ret;

	t.cells[gfn] = (struct cell){ MACHINE_RAM + FAR_FRAMES, RW };
	test_host_fail_nth(t.machine.host, 1);
	ret = reads_p2m() ? iommuabs_domain_refresh(t.dom, IOMMUABS_GFN(gfn), 1,
						    NULL, NULL)
			  : told(gfn, 1, 0);
	/* What the fill will read for itself isn't entered now. */
	if (ret || !reads_p2m())
		ck_assert_int_eq(ret, IOMMUABS_E_NOMEM);
	test_host_fail_nth(t.machine.host, 0);
	t.cells[gfn] = before;
	if (reads_p2m())
		reread(gfn, 1);
}

/* A step that finds no memory leaves the device outside, and can be repeated. */
static void do_failing_step(void)
{
	struct iommuabs_explanation why = { .size = sizeof(why) };
	int ret;

	if (is_attached())
		return;
	test_host_fail_nth(t.machine.host, 1);
	ret = step(t.way->budget);
	if (test_host_failed(t.machine.host))
		ck_assert_int_eq(ret, IOMMUABS_E_NOMEM);
	test_host_fail_nth(t.machine.host, 0);
	if (!ret || ret == IOMMUABS_E_AGAIN)
		return;
	ck_assert_int_eq(t.machine.dev[0]->state, DEVICE_BLOCKED);
	ck_assert_int_eq(iommuabs_device_explain(t.machine.dev[0],
						 IOMMUABS_GFN(3), RW, &why),
			 0);
	ck_assert_int_eq(why.obstacle, IOMMUABS_OBSTACLE_NOT_ATTACHED);
	if (!t.way->populates)
		ck_assert_ptr_null(t.dom->views);
}

static void do_destroy(void)
{
	unsigned int steps = 0;
	int ret;

	batch_close();
	ck_assert_int_eq(iommuabs_device_detach(t.machine.dev[0], 0), 0);
	while ((ret = iommuabs_domain_destroy(t.dom, t.way->budget))) {
		ck_assert_int_eq(ret, IOMMUABS_E_AGAIN);
		ck_assert_uint_lt(steps++, 1000);
	}
	t.dom = NULL;
	compare_nothing();
}

static bool frames_find(enum kind kind, enum where where, uint64_t *gfn,
			uint64_t *nr)
{
	bool mapped = kind != MAP && kind != FAILURE;

	*nr = kind == SPLIT || kind == FAILURE ? 1 : 3;
	if (kind == SPLIT)
		return leaf_find(where, gfn);
	return place_find(where, *nr, mapped, gfn);
}

/* False: there is nothing of the kind to be changed there. */
static bool change(enum kind kind, enum where where)
{
	uint64_t gfn, nr;

	if (!frames_find(kind, where, &gfn, &nr))
		return false;
	hit(kind, gfn, nr);
	t.played[kind][where]++;
	if (kind != FAILURE && kind != DESTROY)
		change_begin();
	switch (kind) {
	case MAP:
		do_map(gfn, nr, 0);
		break;
	case REPLACE:
		do_map(gfn, nr, IOMMUABS_REPLACE);
		break;
	case PROTECT:
	case DESTROY: /* the ledger has cut its leaf, the reverse map has not */
		do_protect(gfn, nr);
		break;
	case FAILURE:
		do_failing_map(gfn);
		do_failing_step();
		break;
	default:
		do_unmap(gfn, nr);
	}
	if (kind == DETACH)
		ck_assert_int_eq(iommuabs_device_detach(t.machine.dev[0], 0),
				 0);
	if (kind == DESTROY)
		do_destroy();
	return true;
}

/* ---- the matrix ---- */

/* After the last device a mirror is given back if that is asked for. */
static void give_back(void)
{
	const uint64_t used = t.dom->account.used;

	ck_assert_int_eq(iommuabs_device_detach(t.machine.dev[0], 0), 0);
	ck_assert_int_eq(iommuabs_domain_compact(t.dom, 0), 0);
	if (t.way->populate == IOMMUABS_POPULATE_EAGER) {
		ck_assert_ptr_nonnull(t.dom->views);
	} else {
		ck_assert_ptr_null(t.dom->views);
		ck_assert_uint_lt(t.dom->account.used, used);
	}
}

/* A change after so many steps; false: the fill had ended before. */
static bool play(unsigned int boundary, enum kind kind, enum where where)
{
	int ret = IOMMUABS_E_AGAIN;
	unsigned int i;

	domain_new();
	for (i = 0; i < boundary && ret; i++) {
		ret = step(t.way->budget);
		ck_assert(ret == 0 || ret == IOMMUABS_E_AGAIN);
	}
	/* Before the first step nothing is filled, though nothing lacks. */
	t.cursor = boundary ? progress() : 0;
	if (i == boundary && change(kind, where) && t.dom) {
		finish();
		compare();
		give_back();
	}
	domain_delete();
	return i == boundary && ret;
}

static void report(unsigned int boundaries)
{
	unsigned int k, w;

	printf("# %s: %u steps", t.way->name, boundaries);
	for (k = 0; k < KINDS; k++)
		printf("%s %s %llu/%llu",
		       k ? "," : "; filled/unfilled:", kind_names[k],
		       (unsigned long long)t.filled[k],
		       (unsigned long long)t.unfilled[k]);
	printf("\n");
	fflush(stdout);
	for (k = 0; k < KINDS; k++)
		ck_assert_msg(t.filled[k] && t.unfilled[k],
			      "%s hit one part only", kind_names[k]);
	for (k = 0; k < KINDS; k++)
		for (w = 0; w < WHERES; w++)
			ck_assert_uint_gt(t.played[k][w], 0);
}

START_TEST(any_change_at_any_step_ends_in_the_hosts_view)
{
	unsigned int boundary = 0, k, w;
	bool more;

	t.way = &ways[_i];
	do {
		more = false;
		for (k = 0; k < KINDS; k++)
			for (w = 0; w < WHERES; w++)
				more |= play(boundary, (enum kind)k,
					     (enum where)w);
		boundary++;
	} while (more);
	ck_assert_uint_gt(boundary, 10);
	report(boundary);
}
END_TEST

static void setup(void)
{
	memset(&t, 0, sizeof(t));
	machine_new(&t.machine, TEST_HOST_LOCKS);
	t.machine.abs->host.ops.p2m_walk = walk;
}

static void teardown(void)
{
	machine_delete(&t.machine);
}

static void add_tests(Suite *s)
{
	TCase *tcase = tcase_create("matrix");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase,
			    any_change_at_any_step_ends_in_the_hosts_view, 0,
			    (int)IA_COUNT(ways));
	suite_add_tcase(s, tcase);
}

static Suite *suite(void)
{
	Suite *s = suite_create("populate");

	if (suite_needs(s, IOMMUABS_UNIT_NULL))
		add_tests(s);
	return s;
}

HARNESS_MAIN(suite)
