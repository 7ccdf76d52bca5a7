/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_scratch.c - domains in which every gfn is one page, and devices that a
 * storm of faults moves there
 */
#include "core/change.h"
#include "test_world.h"

#include <stdlib.h>
#include <string.h>

#define RW	(IOMMUABS_READ | IOMMUABS_WRITE)
#define SCRATCH IOMMUABS_DOMAIN_SCRATCH
#define SINK	IOMMUABS_DOMAIN_SINK

static int create(struct world *w, uint32_t flags, uint64_t quota,
		  struct iommuabs_domain **dom)
{
	const struct iommuabs_domain_config config = {
		.size = sizeof(config),
		.flags = flags,
		.quota_frames = quota,
	};

	return iommuabs_domain_create(w->abs, &config, dom);
}

static struct iommuabs_domain *scratch(struct world *w, uint32_t flags)
{
	struct iommuabs_domain *dom;

	ck_assert_int_eq(create(w, SCRATCH | flags, 0, &dom), 0);
	return dom;
}

/* The mfn that @dev finds at @gfn. */
static uint64_t sees(struct iommuabs_device *dev, uint64_t gfn)
{
	struct iommuabs_explanation why = { .size = sizeof(why) };

	ck_assert_int_eq(
		iommuabs_device_explain(dev, IOMMUABS_GFN(gfn), RW, &why), 0);
	ck_assert_msg(why.obstacle == IOMMUABS_OBSTACLE_SCRATCH, "%s",
		      why.text);
	return why.mfn.frame;
}

static const struct backend_geometry geometries[] = {
	{ &pt_arm_s2_4k_ops, BACKEND_FORMAT_ARM_S2, 48, 48, 12, 4, 12, 7, 0, 2,
	  0 },
	/* Concatenated: 16 tables are one root. */
	{ &pt_arm_s2_4k_ops, BACKEND_FORMAT_ARM_S2, 43, 48, 12, 3, 16, 7, 1, 2,
	  0 },
	{ &pt_arm_s2_16k_ops, BACKEND_FORMAT_ARM_S2, 47, 48, 14, 3, 14, 3, 0, 2,
	  0 },
	{ &pt_arm_s2_64k_ops, BACKEND_FORMAT_ARM_S2, 48, 48, 16, 3, 12, 3, 1, 0,
	  0 },
	{ &pt_arm_s1_4k_ops, BACKEND_FORMAT_ARM_S1, 48, 48, 12, 4, 12, 7, 0, 2,
	  0 },
	{ &pt_vtd_ops, BACKEND_FORMAT_VTD, 48, 48, 12, 4, 12, 7, 1, 2, 0 },
};

/* Where in the page a frame is that a larger granule has several of. */
static uint64_t within(uint64_t gfn, const struct backend_geometry *key)
{
	return gfn & (((uint64_t)1 << (key->granule_lg2 - 12)) - 1);
}

START_TEST(every_gfn_is_one_page_of_zeros)
{
	const struct backend_geometry *key = &geometries[_i];
	uint64_t last = ((uint64_t)1 << (key->input_bits - 12)) - 1;
	struct world *w = world_new(1);
	struct iommuabs_device *dev = world_device(w, 8, 2, 0);
	struct iommuabs_domain *dom;
	uint64_t seed = 7, page, gfn, i;
	const uint64_t *words;

	w->unit[0].geometry = key;
	dom = scratch(w, _i % 2 ? SINK : 0);
	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	ck_assert_int_eq(iommuabs_device_attach(dev, dom, NULL, 0), 0);
	page = sees(dev, 0);
	ck_assert_uint_eq(sees(dev, last), page + within(last, key));
	for (i = 0; i < 2000; i++) {
		gfn = test_random_below(&seed, last + 1);
		ck_assert_uint_eq(sees(dev, gfn), page + within(gfn, key));
	}
	words = test_host_ptr(w->host, page << 12);
	for (i = 0; i < (uint64_t)1 << (key->granule_lg2 - 3); i++)
		ck_assert_uint_eq(words[i], 0);
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	ck_assert_int_eq(iommuabs_domain_destroy(dom, 1), IOMMUABS_E_AGAIN);
	ck_assert_int_eq(iommuabs_domain_destroy(dom, 0), 0);
	world_delete(w);
}
END_TEST

START_TEST(what_a_sink_took_is_gone_for_the_next_one)
{
	struct world *w = world_new(1);
	struct iommuabs_device *a = world_device(w, 8, 1, 0);
	struct iommuabs_device *b = world_device(w, 9, 1, 0);
	struct iommuabs_domain *dom = scratch(w, SINK), *other;
	uint64_t *word;

	other = scratch(w, SINK);
	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	ck_assert_int_eq(iommuabs_device_attach(a, dom, NULL, 0), 0);
	word = test_host_ptr(w->host, sees(a, 5) << 12);
	*word = 0x5ec4e7;
	/* Another domain has another page. */
	ck_assert_int_eq(iommuabs_device_attach(b, other, NULL, 0), 0);
	ck_assert_uint_ne(sees(b, 5), sees(a, 5));
	ck_assert_int_eq(iommuabs_device_detach(b, 0), 0);
	/* One that joins shares it; one that comes after doesn't. */
	ck_assert_int_eq(iommuabs_device_attach(b, dom, NULL, 0), 0);
	ck_assert_uint_eq(*word, 0x5ec4e7);
	ck_assert_int_eq(iommuabs_device_detach(b, 0), 0);
	ck_assert_int_eq(iommuabs_device_detach(a, 0), 0);
	ck_assert_int_eq(iommuabs_device_attach(b, dom, NULL, 0), 0);
	ck_assert_uint_eq(*(uint64_t *)test_host_ptr(w->host, sees(b, 0) << 12),
			  0);
	world_delete(w);
}
END_TEST

START_TEST(writes_are_denied_unless_it_is_a_sink)
{
	struct world *w = world_new(1);
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	struct iommuabs_domain *dom[2] = { scratch(w, 0), scratch(w, SINK) };
	const struct view *view;
	struct pt_leaf leaf;
	uint32_t i;

	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(iommuabs_device_attach(dev, dom[i], NULL, 0),
				 0);
		view = dom[i]->views;
		ck_assert(view->pt.ops->lookup(&view->pt, 0x123, &leaf));
		ck_assert_uint_eq(leaf.attr, i ? RW : IOMMUABS_READ);
		ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	}
	world_delete(w);
}
END_TEST

START_TEST(nothing_is_mapped_in_a_scratch_domain)
{
	struct world *w = world_new(1);
	struct iommuabs_domain *dom = scratch(w, 0), *bad;
	const struct iommuabs_p2m p2m = {
		.size = sizeof(p2m),
		.format = IOMMUABS_P2M_ARM_S2,
		.root = 0x1000,
		.input_bits = 40,
		.output_bits = 48,
		.granule_lg2 = 12,
		.levels = 3,
	};
	const iommuabs_mfn_t mfn = IOMMUABS_MFN(0x10);
	iommuabs_mfn_t found;

	ck_assert_int_eq(
		iommuabs_domain_map(dom, IOMMUABS_GFN(1), mfn, 1, RW, NULL),
		IOMMUABS_E_INVAL);
	ck_assert_int_eq(iommuabs_domain_map_list(dom, IOMMUABS_GFN(1), &mfn, 1,
						  RW, NULL),
			 IOMMUABS_E_INVAL);
	ck_assert_int_eq(iommuabs_domain_unmap(dom, IOMMUABS_GFN(1), 1, NULL),
			 IOMMUABS_E_INVAL);
	ck_assert_int_eq(
		iommuabs_domain_protect(dom, IOMMUABS_GFN(1), 1, RW, NULL),
		IOMMUABS_E_INVAL);
	ck_assert_int_eq(
		iommuabs_domain_refresh(dom, IOMMUABS_GFN(1), 1, NULL, NULL),
		IOMMUABS_E_INVAL);
	ck_assert_int_eq(iommuabs_domain_set_p2m(dom, &p2m), IOMMUABS_E_INVAL);
	ck_assert_int_eq(iommuabs_domain_set_strategy(
				 dom, IOMMUABS_STRATEGY_SHARE, 0, 0),
			 IOMMUABS_E_INVAL);
	ck_assert_int_eq(
		iommuabs_domain_translate(dom, IOMMUABS_GFN(1), &found, NULL),
		IOMMUABS_E_NOENT);
	ck_assert_int_eq(iommuabs_domain_populate(dom, NULL, 0), 0);
	ck_assert_int_eq(create(w, SINK, 0, &bad), IOMMUABS_E_INVAL);
	ck_assert_int_eq(create(w, SCRATCH | IOMMUABS_DOMAIN_IDENTITY, 0, &bad),
			 IOMMUABS_E_INVAL);
	world_delete(w);
}
END_TEST

/* ---- reserved regions (C8) ---- */

/* One of few frames, one that takes large leaves and ends with small ones, a hole,
 * and one near the end of what the narrowest table reaches. */
static const struct iommuabs_reserved regions[] = {
	{ { 0x7fff0 }, { 0x90010 }, 0x20, RW },
	{ { 0x80200 }, { 0xa0200 }, 0x610, IOMMUABS_READ },
	{ { 0x80900 }, { 0 }, 0x10, 0 },
	{ { 0x7fffffe0 }, { 0x123450 }, 0x10, RW },
};

/* A device that needs some of the regions, behind the @n-th unit. */
static struct iommuabs_device *needy_of(struct world *w, uint32_t n,
					uint32_t stream, uint32_t first,
					uint32_t nr)
{
	const struct iommuabs_stream_range range = { w->unit[n].unit, stream, 1,
						     0 };
	struct iommuabs_device_desc desc = world_device_desc(&range, 0);
	struct iommuabs_device *dev;

	desc.reserved = &regions[first];
	desc.nr_reserved = nr;
	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &dev), 0);
	return dev;
}

static struct iommuabs_device *needy(struct world *w, uint32_t stream,
				     uint32_t first, uint32_t nr)
{
	return needy_of(w, 0, stream, first, nr);
}

static void expect_at(struct iommuabs_device *dev, uint64_t gfn,
		      uint32_t access, enum iommuabs_obstacle obstacle,
		      uint64_t mfn)
{
	struct iommuabs_explanation why = { .size = sizeof(why) };

	ck_assert_int_eq(
		iommuabs_device_explain(dev, IOMMUABS_GFN(gfn), access, &why),
		0);
	ck_assert_msg(why.obstacle == obstacle, "%s", why.text);
	if (mfn)
		ck_assert_uint_eq(why.mfn.frame, mfn);
}

static void expect_region(struct iommuabs_device *dev,
			  const struct iommuabs_reserved *region)
{
	uint64_t i;

	for (i = 0; i < region->nr; i++) {
		if (!region->flags)
			expect_at(dev, region->gfn.frame + i, IOMMUABS_READ,
				  IOMMUABS_OBSTACLE_NOT_MAPPED, 0);
		else
			expect_at(dev, region->gfn.frame + i, IOMMUABS_READ,
				  IOMMUABS_OBSTACLE_NONE,
				  region->mfn.frame + i);
		if (region->flags == IOMMUABS_READ)
			expect_at(dev, region->gfn.frame + i, IOMMUABS_WRITE,
				  IOMMUABS_OBSTACLE_WRITE_DENIED, 0);
	}
	sees(dev, region->gfn.frame - 1);
	sees(dev, region->gfn.frame + region->nr);
}

START_TEST(who_needs_regions_has_them_and_nobody_else)
{
	const struct backend_geometry *key = &geometries[_i];
	struct world *w = world_new(1);
	struct iommuabs_device *a = needy(w, 8, 0, 4), *b = needy(w, 9, 0, 4);
	struct iommuabs_device *other = needy(w, 10, 1, 1);
	struct iommuabs_device *plain = world_device(w, 11, 1, 0);
	struct iommuabs_domain *dom;
	uint64_t used, i;

	w->unit[0].geometry = key;
	dom = scratch(w, _i % 2 ? SINK : 0);
	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	ck_assert_int_eq(iommuabs_device_attach(a, dom, NULL, 0), 0);
	ck_assert_int_eq(iommuabs_device_attach(plain, dom, NULL, 0), 0);
	used = dom->account.used;
	ck_assert_int_eq(iommuabs_device_attach(b, dom, NULL, 0), 0);
	ck_assert_uint_eq(dom->account.used, used); /* the same table */
	ck_assert_int_eq(iommuabs_device_attach(other, dom, NULL, 0), 0);
	for (i = 0; i < IA_COUNT(regions); i++) {
		expect_region(a, &regions[i]);
		expect_region(b, &regions[i]);
		sees(plain, regions[i].gfn.frame);
		if (i != 1)
			sees(other, regions[i].gfn.frame);
	}
	expect_region(other, &regions[1]);
	sees(a, 0);
	sees(a, ((uint64_t)1 << (key->input_bits - 12)) - 1);
	/* Whoever goes takes only its own away. */
	ck_assert_int_eq(iommuabs_device_detach(a, 0), 0);
	expect_region(b, &regions[1]);
	ck_assert_int_eq(iommuabs_device_detach(b, 0), 0);
	expect_region(other, &regions[1]);
	ck_assert_int_eq(iommuabs_domain_compact(dom, 0), 0);
	expect_region(other, &regions[1]);
	ck_assert_int_eq(iommuabs_device_detach(other, 0), 0);
	sees(plain, regions[1].gfn.frame);
	ck_assert_int_eq(iommuabs_device_detach(plain, 0), 0);
	while (iommuabs_domain_destroy(dom, 1))
		;
	world_delete(w);
}
END_TEST

START_TEST(regions_of_eight_devices_are_too_many)
{
	struct world *w = world_new(1);
	struct iommuabs_domain *dom = scratch(w, 0);
	struct iommuabs_device *dev[8];
	struct iommuabs_reserved region = regions[0];
	struct iommuabs_stream_range range = { w->unit[0].unit, 8, 1, 0 };
	struct iommuabs_device_desc desc = world_device_desc(&range, 0);
	uint64_t used = dom->account.used;
	uint32_t i;

	dev[0] = world_device(w, 7, 1, 0);
	ck_assert_int_eq(iommuabs_device_attach(dev[0], dom, NULL, 0), 0);
	desc.reserved = &region;
	desc.nr_reserved = 1;
	for (i = 0; i < 8; i++, range.first++, region.gfn.frame += 0x100) {
		ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &dev[i]),
				 0);
		ck_assert_int_eq(iommuabs_device_attach(dev[i], dom, NULL, 0),
				 i < VIEWS_MAX - 1 ? 0 : IOMMUABS_E_NOTSUP);
	}
	/* One that has gone makes place, and all of it is given back. */
	ck_assert_int_eq(iommuabs_device_detach(dev[3], 0), 0);
	ck_assert_int_eq(iommuabs_device_attach(dev[7], dom, NULL, 0), 0);
	ck_assert_int_eq(iommuabs_device_attach(dev[3], dom, NULL, 0),
			 IOMMUABS_E_NOTSUP);
	for (i = 0; i < 8; i++)
		ck_assert_int_eq(iommuabs_device_detach(dev[i], 0), 0);
	/* The same gfns, and something else there. */
	region = regions[0];
	region.mfn.frame++;
	range.first++;
	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &dev[1]), 0);
	ck_assert_int_eq(iommuabs_device_attach(dev[0], dom, NULL, 0), 0);
	ck_assert_int_eq(iommuabs_device_attach(dev[1], dom, NULL, 0),
			 IOMMUABS_E_RESERVED);
	ck_assert_uint_gt(dom->account.used, used);
	world_delete(w);
}
END_TEST

static unsigned int views_of(const struct iommuabs_domain *dom)
{
	const struct view *view;
	unsigned int nr = 0;

	for (view = dom->views; view; view = view->next)
		nr++;
	return nr;
}

/* A unit that doesn't answer may walk them still: it is dead, or only fenced. */
START_TEST(regions_that_a_unit_may_still_read_stay)
{
	struct world *w = world_new(2);
	struct iommuabs_device *dev = needy_of(w, 0, 8, 0, 1);
	struct iommuabs_device *other = needy_of(w, 1, 9, 1, 1);
	struct iommuabs_device *third = needy_of(w, 1, 10, 2, 1);
	struct iommuabs_domain *dom = scratch(w, 0);
	struct world_unit *u = &w->unit[0];
	uint64_t used;

	w->isolate = IOMMUABS_E_NOTSUP;
	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	ck_assert_int_eq(iommuabs_device_attach(dev, dom, NULL, 0), 0);
	used = dom->account.used;
	u->stream_set = u->invalidate = IOMMUABS_E_TIMEOUT;
	u->fence = _i ? 0 : IOMMUABS_E_TIMEOUT;
	(void)!iommuabs_device_detach(dev, 0);
	ck_assert_uint_ne(dom->owing, 0);
	ck_assert_int_eq(iommuabs_device_attach(other, dom, NULL, 0), 0);
	ck_assert_uint_eq(views_of(dom), 2);
	ck_assert_uint_gt(dom->account.used, used);
	if (_i) {
		u->stream_set = u->invalidate = 0;
		ck_assert_int_eq(iommuabs_unit_recover(u->unit, 0), 0);
		ck_assert_int_eq(iommuabs_device_attach(third, dom, NULL, 0),
				 0);
		ck_assert_uint_eq(views_of(dom), 2); /* it made place */
	}
	world_delete(w);
}
END_TEST

/* Each allocation fails once, and nothing is left of that. How many there are. */
static unsigned int attach_despite_failures(struct world *w,
					    struct iommuabs_device *dev,
					    struct iommuabs_domain *dom)
{
	struct world_failing failing = { .may_keep_tables = true };
	int ret;

	world_failing_begin(w, &failing, IOMMUABS_E_NOMEM);
	do
		ret = iommuabs_device_attach(dev, dom, NULL, 0);
	while (world_failing_again(w, &failing, ret));
	return failing.nr;
}

START_TEST(a_view_with_regions_is_made_or_not_at_all)
{
	struct world *w = world_new(1);
	struct iommuabs_device *dev = needy(w, 8, 0, 4);
	struct iommuabs_domain *dom = scratch(w, 0);

	ck_assert_uint_gt(attach_despite_failures(w, dev, dom), 8);
	world_delete(w);
}
END_TEST

START_TEST(a_scratch_domain_pays_for_all_of_it)
{
	struct world *w = world_new(1);
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	struct iommuabs_domain *dom, *small;
	uint64_t n, used;

	dom = scratch(w, 0);
	ck_assert_uint_gt(attach_despite_failures(w, dev, dom), 4);
	/* Four levels and the page, each of a page. */
	used = dom->account.used;
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	for (n = used - 5; n < used; n++) {
		ck_assert_int_eq(create(w, SCRATCH, n, &small), 0);
		ck_assert_int_eq(iommuabs_device_attach(dev, small, NULL, 0),
				 IOMMUABS_E_QUOTA);
		ck_assert_int_eq(iommuabs_domain_destroy(small, 0), 0);
	}
	ck_assert_int_eq(create(w, SCRATCH, used, &small), 0);
	ck_assert_int_eq(iommuabs_device_attach(dev, small, NULL, 0), 0);
	ck_assert_uint_eq(small->account.used, used);
	world_delete(w);
}
END_TEST

/* ---- storms ---- */

struct storm {
	struct world *w;
	struct iommuabs_device *dev;
	struct iommuabs_domain *guest, *refuge;
};

static struct storm storm_new(void)
{
	struct storm s = { .w = world_new(1) };
	struct iommuabs_attach_options options = {
		.size = sizeof(options),
		.fault_policy = IOMMUABS_FAULTS_QUARANTINE,
	};

	s.dev = world_device(s.w, 8, 2, 0);
	s.guest = world_domain(s.w);
	s.refuge = scratch(s.w, 0);
	options.quarantine = s.refuge;
	ck_assert_int_eq(iommuabs_start(s.w->abs), 0);
	ck_assert_int_eq(iommuabs_device_attach(s.dev, s.guest, &options, 0),
			 0);
	return s;
}

static void storm_break(struct storm *s)
{
	uint32_t i;

	for (i = 0; i < IOMMUABS_STORM_EVENTS; i++)
		world_event(&s->w->unit[0], 8, 0x1000, IOMMUABS_WRITE);
	ck_assert_int_eq(iommuabs_faults_poll(s->w->abs, 0, NULL), 0);
	ck_assert_int_eq(s->w->fault.action, IOMMUABS_FAULT_QUARANTINED);
	ck_assert_ptr_eq(s->w->fault.dom, s->guest);
}

START_TEST(a_storm_moves_its_device_to_a_scratch_page)
{
	struct iommuabs_device_stats stats = { .size = sizeof(stats) };
	struct storm s = storm_new();
	uint32_t faults;

	ck_assert_int_eq(iommuabs_domain_destroy(s.refuge, 0), IOMMUABS_E_BUSY);
	/* In one step, however much the host would like it to be more. */
	s.w->host->yield = 1;
	storm_break(&s);
	s.w->host->yield = 0;
	ck_assert_ptr_eq(s.dev->dom, s.refuge);
	ck_assert_ptr_null(s.dev->to);
	sees(s.dev, 0x1000);
	ck_assert_int_eq(iommuabs_device_stats(s.dev, &stats), 0);
	ck_assert_uint_eq(stats.quarantined, 1);
	ck_assert_uint_eq(stats.silenced, 1);
	faults = s.w->faults;
	world_event(&s.w->unit[0], 8, 0x1000, IOMMUABS_WRITE);
	ck_assert_int_eq(iommuabs_faults_poll(s.w->abs, 0, NULL), 0);
	ck_assert_uint_eq(s.w->faults, faults);
	/* Its domain is done with it. */
	ck_assert_int_eq(iommuabs_domain_destroy(s.guest, 0), 0);
	ck_assert_int_eq(iommuabs_domain_destroy(s.refuge, 0), IOMMUABS_E_BUSY);
	ck_assert_int_eq(iommuabs_device_detach(s.dev, 0), 0);
	ck_assert_int_eq(iommuabs_domain_destroy(s.refuge, 0), 0);
	world_delete(s.w);
}
END_TEST

static void detach_and_remove(struct world *w,
			      const struct iommuabs_fault *fault)
{
	(void)w;
	ck_assert_int_eq(iommuabs_device_detach(fault->dev, 0), 0);
	ck_assert_int_eq(iommuabs_device_remove(fault->dev), 0);
}

/* The callback gets a device that has just been moved. */
START_TEST(a_callback_may_remove_what_a_storm_moved)
{
	struct storm s = storm_new();
	uint32_t i;

	s.w->on_fault = detach_and_remove;
	for (i = 0; i < IOMMUABS_STORM_EVENTS; i++)
		world_event(&s.w->unit[0], 9, 0x1000, IOMMUABS_WRITE);
	ck_assert_int_eq(iommuabs_faults_poll(s.w->abs, 0, NULL), 0);
	ck_assert_uint_eq(s.w->faults, 1);
	ck_assert_int_eq(s.w->fault.action, IOMMUABS_FAULT_QUARANTINED);
	ck_assert_ptr_null(iommuabs_device_next(s.w->abs, NULL));
	ck_assert_int_eq(iommuabs_domain_destroy(s.refuge, 0), 0);
	world_delete(s.w);
}
END_TEST

/* Its memory is where its firmware wants it, also in quarantine. */
START_TEST(a_storm_takes_the_regions_along)
{
	struct storm s = storm_new();
	struct iommuabs_attach_options options = {
		.size = sizeof(options),
		.fault_policy = IOMMUABS_FAULTS_QUARANTINE,
		.quarantine = s.refuge,
	};
	struct iommuabs_device *dev = needy(s.w, 0x10, 0, 4);
	uint32_t i;

	ck_assert_int_eq(iommuabs_device_attach(dev, s.guest, &options, 0), 0);
	for (i = 0; i < IOMMUABS_STORM_EVENTS; i++)
		world_event(&s.w->unit[0], 0x10, 0x1000, IOMMUABS_WRITE);
	ck_assert_int_eq(iommuabs_faults_poll(s.w->abs, 0, NULL), 0);
	ck_assert_int_eq(s.w->fault.action, IOMMUABS_FAULT_QUARANTINED);
	ck_assert_ptr_eq(dev->dom, s.refuge);
	for (i = 0; i < IA_COUNT(regions); i++)
		expect_region(dev, &regions[i]);
	world_delete(s.w);
}
END_TEST

/* No memory, no ids, no answer: then it is blocked where it is. */
START_TEST(a_device_that_can_not_be_moved_is_blocked)
{
	struct iommuabs_explanation why = { .size = sizeof(why) };
	struct storm s = storm_new();

	switch (_i) {
	case 0:
		s.w->host->fail_always = 1;
		break;
	case 1:
		s.w->unit[0].id_reserve = IOMMUABS_E_NOMEM;
		break;
	case 2:
		ck_assert(device_take(s.dev));
		break;
	}
	storm_break(&s);
	s.w->host->fail_always = 0;
	s.w->unit[0].id_reserve = 0;
	if (_i == 2)
		device_give(s.dev);
	ck_assert_ptr_eq(s.dev->dom, s.guest);
	ck_assert_int_eq(
		iommuabs_device_explain(s.dev, IOMMUABS_GFN(1), RW, &why), 0);
	ck_assert_int_eq(why.obstacle, IOMMUABS_OBSTACLE_QUARANTINED);
	/* It can go back, and to the scratch page by hand. */
	ck_assert_int_eq(iommuabs_device_detach(s.dev, 0), 0);
	ck_assert_uint_eq(s.refuge->nr_refugees, 0);
	ck_assert_int_eq(iommuabs_device_attach(s.dev, s.refuge, NULL, 0), 0);
	sees(s.dev, 1);
	world_delete(s.w);
}
END_TEST

/* Nor is a place for quarantine held by a move that did not come about. */
START_TEST(a_move_that_is_none_lets_its_quarantine_go)
{
	struct storm s = storm_new();
	struct iommuabs_domain *to = world_domain(s.w);
	const struct iommuabs_attach_options options = {
		.size = sizeof(options),
		.fault_policy = IOMMUABS_FAULTS_QUARANTINE,
		.quarantine = scratch(s.w, 0),
	};
	uint64_t gfn;

	for (gfn = 0; gfn < 100; gfn++)
		ck_assert_int_eq(iommuabs_domain_map(to, IOMMUABS_GFN(gfn),
						     IOMMUABS_MFN(0x5000 + gfn),
						     1, RW, NULL),
				 0);
	/* Its domain is about to go; or it shows that there is a window. */
	if (_i)
		ck_assert_int_eq(iommuabs_domain_destroy(to, 1),
				 IOMMUABS_E_AGAIN);
	ck_assert_int_eq(iommuabs_device_move(s.dev, to, &options, 0),
			 _i ? IOMMUABS_E_BUSY : IOMMUABS_E_WINDOW);
	ck_assert_ptr_eq(s.dev->dom, s.guest);
	ck_assert_int_eq(iommuabs_domain_destroy(options.quarantine, 0), 0);
	ck_assert_int_eq(iommuabs_domain_destroy(to, 0), 0);
	world_delete(s.w);
}
END_TEST

START_TEST(a_place_for_quarantine_is_a_scratch_domain_that_stays)
{
	struct storm s = storm_new();
	struct iommuabs_domain *other = scratch(s.w, SINK);
	struct iommuabs_attach_options options = {
		.size = sizeof(options),
		.flags = IOMMUABS_ALLOW_WINDOW,
		.quarantine = s.guest,
	};
	struct iommuabs_domain *next = world_domain(s.w);

	COVERS(iommuabs_device_move, E_INVAL);
	ck_assert_int_eq(iommuabs_device_move(s.dev, next, &options, 0),
			 IOMMUABS_E_INVAL);
	options.quarantine = other;
	ck_assert_int_eq(iommuabs_device_move(s.dev, next, &options, 0), 0);
	ck_assert_uint_eq(s.refuge->nr_refugees, 0);
	ck_assert_int_eq(iommuabs_domain_destroy(s.refuge, 0), 0);
	ck_assert_int_eq(iommuabs_domain_destroy(other, 0), IOMMUABS_E_BUSY);
	/* A move that fails keeps what was. */
	s.w->unit[0].set_fails = 2;
	options.quarantine = NULL;
	ck_assert_int_eq(iommuabs_device_move(s.dev, s.guest, &options, 0),
			 IOMMUABS_E_TIMEOUT);
	ck_assert_int_eq(iommuabs_unit_recover(s.w->unit[0].unit, 0), 0);
	ck_assert_int_eq(iommuabs_domain_destroy(other, 0), IOMMUABS_E_BUSY);
	ck_assert_int_eq(iommuabs_device_move(s.dev, s.guest, &options, 0), 0);
	ck_assert_int_eq(iommuabs_domain_destroy(other, 0), 0);
	world_delete(s.w);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("scratch");
	TCase *tcase = tcase_create("domain");

	if (!world_possible(s))
		return s;
	tcase_add_loop_test(tcase, every_gfn_is_one_page_of_zeros, 0,
			    (int)IA_COUNT(geometries));
	tcase_add_test(tcase, what_a_sink_took_is_gone_for_the_next_one);
	tcase_add_test(tcase, writes_are_denied_unless_it_is_a_sink);
	tcase_add_test(tcase, nothing_is_mapped_in_a_scratch_domain);
	tcase_add_loop_test(tcase, who_needs_regions_has_them_and_nobody_else,
			    0, (int)IA_COUNT(geometries));
	tcase_add_loop_test(tcase, regions_that_a_unit_may_still_read_stay, 0,
			    2);
	tcase_add_test(tcase, regions_of_eight_devices_are_too_many);
	tcase_add_test(tcase, a_view_with_regions_is_made_or_not_at_all);
	tcase_add_test(tcase, a_scratch_domain_pays_for_all_of_it);
	suite_add_tcase(s, tcase);
	tcase = tcase_create("storm");
	tcase_add_test(tcase, a_storm_moves_its_device_to_a_scratch_page);
	tcase_add_test(tcase, a_storm_takes_the_regions_along);
	tcase_add_test(tcase, a_callback_may_remove_what_a_storm_moved);
	tcase_add_loop_test(tcase, a_device_that_can_not_be_moved_is_blocked, 0,
			    3);
	tcase_add_test(tcase,
		       a_place_for_quarantine_is_a_scratch_domain_that_stays);
	tcase_add_loop_test(tcase, a_move_that_is_none_lets_its_quarantine_go,
			    0, 2);
	suite_add_tcase(s, tcase);
	return s;
}

HARNESS_MAIN(suite)
