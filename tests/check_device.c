/* SPDX-License-Identifier: BSD-2-Clause */
#include "test_world.h"

#include <stdlib.h>
#include <string.h>

#define PCI   IOMMUABS_DEVICE_PCI
#define RANGE IOMMUABS_DEVICE_RANGE

/* A PCI host bridge: streams 0x1000 to 0x10ff are functions 0:00.0 to 0:1f.7. */
static struct iommuabs_device *bridge_new(struct world *w)
{
	const struct iommuabs_stream_range range = {
		.unit = w->unit[0].unit,
		.first = 0x1000,
		.nr = 0x100,
		.rid = 0,
	};
	struct iommuabs_device_desc desc =
		world_device_desc(&range, PCI | RANGE);
	struct iommuabs_device *bridge;

	desc.pci = 0;
	desc.nr_pci = 0x10000;
	desc.path = "/pcie@10000000";
	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &bridge), 0);
	return bridge;
}

static int add(struct world *w, uint32_t first, uint32_t nr, uint32_t flags,
	       struct iommuabs_device **dev)
{
	const struct iommuabs_stream_range range = {
		.unit = w->unit[0].unit,
		.first = first,
		.nr = nr,
		.rid = first & 0xfff,
	};
	struct iommuabs_device_desc desc = world_device_desc(&range, flags);

	return iommuabs_device_add(w->abs, &desc, dev);
}

static struct iommuabs_device *find_pci(struct world *w, uint32_t pci)
{
	struct iommuabs_device *dev;

	ck_assert_int_eq(iommuabs_device_find_pci(w->abs, pci, &dev), 0);
	return dev;
}

START_TEST(everything_is_copied)
{
	struct world *w = world_new(1);
	struct iommuabs_stream_range ranges[2] = {
		{ w->unit[0].unit, 4, 2, 0 },
		{ w->unit[0].unit, 8, 1, 0 },
	};
	struct iommuabs_reserved region = {
		.gfn = IOMMUABS_GFN(0x100),
		.mfn = IOMMUABS_MFN(0x100),
		.nr = 4,
		.flags = IOMMUABS_READ,
	};
	char name[] = "nic", path[] = "/soc/nic";
	struct iommuabs_device_desc desc = {
		.size = sizeof(desc),
		.name = name,
		.path = path,
		.streams = ranges,
		.nr_streams = 2,
		.reserved = &region,
		.nr_reserved = 1,
	};
	struct iommuabs_device *dev, *found;
	char *before, *after;

	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &dev), 0);
	before = world_dump(w);
	memset(ranges, 0xa5, sizeof(ranges));
	memset(&region, 0xa5, sizeof(region));
	name[0] = path[1] = 'x';
	after = world_dump(w);
	ck_assert_str_eq(before, after);
	ck_assert_ptr_nonnull(strstr(before, "device nic"));
	ck_assert_ptr_nonnull(strstr(before, "gfn 100+4"));
	ck_assert_int_eq(iommuabs_device_find_path(w->abs, "/soc/nic", &found),
			 0);
	ck_assert_ptr_eq(found, dev);
	free(before);
	free(after);
	world_delete(w);
}
END_TEST

START_TEST(an_id_has_one_device)
{
	static const struct {
		uint32_t first, nr;
		int ret;
	} cases[] = {
		{ 0x20, 1, IOMMUABS_E_EXISTS },
		{ 0x2f, 1, IOMMUABS_E_EXISTS },
		{ 0x1f, 2, IOMMUABS_E_EXISTS },
		{ 0x10, 0x40, IOMMUABS_E_EXISTS },
		{ 0x1f, 1, 0 },
		{ 0x30, 1, 0 },
	};
	struct world *w = world_new(1);
	struct iommuabs_device *dev;

	COVERS(iommuabs_device_add, E_EXISTS);
	world_device(w, 0x20, 0x10, 0);
	ck_assert_int_eq(add(w, cases[_i].first, cases[_i].nr, 0, &dev),
			 cases[_i].ret);
	world_delete(w);
}
END_TEST

START_TEST(a_function_has_one_device)
{
	struct world *w = world_new(1);
	const struct iommuabs_stream_range range = { w->unit[0].unit, 0x40, 1,
						     0 };
	struct iommuabs_device_desc desc = world_device_desc(&range, PCI);
	struct iommuabs_device *dev;

	desc.pci = IOMMUABS_PCI(0, 1, 2, 3);
	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &dev), 0);
	desc.streams = NULL;
	desc.nr_streams = 0;
	desc.pci = IOMMUABS_PCI(0, 1, 2, 0);
	desc.nr_pci = 8;
	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &dev),
			 IOMMUABS_E_EXISTS);
	desc.nr_pci = 3;
	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &dev), 0);
	world_delete(w);
}
END_TEST

/* Two functions and a node behind one id: one device, whichever is asked for. */
START_TEST(what_shares_an_id_is_found_under_each_name)
{
	struct world *w = world_new(1);
	const struct iommuabs_stream_range range = { w->unit[0].unit, 0x40, 1,
						     0 };
	char path[] = "/soc/dma";
	struct iommuabs_device_alias aliases[] = {
		{ .pci = IOMMUABS_PCI(1, 2, 0, 0), .nr_pci = 8 },
		{ .path = path },
	};
	struct iommuabs_device_desc desc = world_device_desc(&range, PCI);
	struct iommuabs_device *dev, *found;
	char *dump;

	desc.path = "/soc/nic";
	desc.pci = IOMMUABS_PCI(0, 1, 2, 3);
	desc.aliases = aliases;
	desc.nr_aliases = 2;
	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &dev), 0);
	memset(aliases, 0xa5, sizeof(aliases));
	path[1] = 'x';
	ck_assert_ptr_eq(find_pci(w, IOMMUABS_PCI(0, 1, 2, 3)), dev);
	ck_assert_ptr_eq(find_pci(w, IOMMUABS_PCI(1, 2, 0, 0)), dev);
	ck_assert_ptr_eq(find_pci(w, IOMMUABS_PCI(1, 2, 0, 7)), dev);
	ck_assert_int_eq(iommuabs_device_find_pci(
				 w->abs, IOMMUABS_PCI(1, 2, 1, 0), &found),
			 IOMMUABS_E_NOENT);
	ck_assert_int_eq(iommuabs_device_find_path(w->abs, "/soc/nic", &found),
			 0);
	ck_assert_ptr_eq(found, dev);
	ck_assert_int_eq(iommuabs_device_find_path(w->abs, "/soc/dma", &found),
			 0);
	ck_assert_ptr_eq(found, dev);
	dump = world_dump(w);
	ck_assert_ptr_nonnull(strstr(dump, "one with /soc/dma"));
	free(dump);
	world_delete(w);
}
END_TEST

START_TEST(a_function_has_one_device_by_each_of_its_names)
{
	struct world *w = world_new(1);
	const struct iommuabs_stream_range range = { w->unit[0].unit, 0x40, 1,
						     0 };
	struct iommuabs_device_alias alias = { .pci = IOMMUABS_PCI(1, 2, 0, 0),
					       .nr_pci = 8 };
	struct iommuabs_device_desc desc = world_device_desc(&range, PCI);
	struct iommuabs_device *dev;

	desc.pci = IOMMUABS_PCI(0, 1, 2, 3);
	desc.aliases = &alias;
	desc.nr_aliases = 1;
	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &dev), 0);
	desc.streams = NULL;
	desc.nr_streams = desc.nr_aliases = 0;
	desc.pci = IOMMUABS_PCI(1, 2, 0, 7);
	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &dev),
			 IOMMUABS_E_EXISTS);
	desc.flags = 0;
	desc.nr_aliases = 1;
	alias.pci = IOMMUABS_PCI(0, 1, 2, 0);
	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &dev),
			 IOMMUABS_E_EXISTS);
	alias.nr_pci = 3;
	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &dev), 0);
	world_delete(w);
}
END_TEST

/* What an id is there, only the unit's own driver would know. */
START_TEST(ids_of_another_makers_unit_are_not_compared)
{
	const struct iommuabs_unit_desc unit_desc = {
		.size = sizeof(unit_desc),
		.type = IOMMUABS_UNIT_OTHER,
		.base = 0x2b500000,
	};
	struct iommuabs_stream_range range = { .first = 1, .nr = 1 };
	struct iommuabs_device_desc desc = world_device_desc(&range, 0);
	struct world *w = world_new(1);
	struct iommuabs_device *dev;

	ck_assert_int_eq(iommuabs_unit_add(w->abs, &unit_desc, &range.unit), 0);
	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &dev), 0);
	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &dev), 0);
	world_delete(w);
}
END_TEST

START_TEST(a_device_is_carved_out_of_a_range)
{
	struct world *w = world_new(1);
	struct iommuabs_device *bridge = bridge_new(w), *nic, *other;

	COVERS(iommuabs_device_remove, E_BUSY);
	COVERS(iommuabs_device_add, E_INVAL);
	ck_assert_ptr_eq(find_pci(w, 0x08), bridge);
	ck_assert_int_eq(add(w, 0x1008, 1, PCI, &nic), 0);
	ck_assert_ptr_eq(device_range(nic, 0), bridge);
	ck_assert_ptr_eq(find_pci(w, 0x08), nic);
	ck_assert_ptr_eq(find_pci(w, 0x09), bridge);
	ck_assert_ptr_eq(device_of_stream(w->unit[0].unit, 0x1008), nic);
	ck_assert_ptr_eq(device_of_stream(w->unit[0].unit, 0x1009), bridge);
	/* Taken; half in, half out; a range in a range. */
	ck_assert_int_eq(add(w, 0x1008, 1, 0, &other), IOMMUABS_E_EXISTS);
	ck_assert(test_host_logged(w->host, "is another device's"));
	ck_assert_int_eq(add(w, 0x1006, 4, 0, &other), IOMMUABS_E_EXISTS);
	ck_assert_int_eq(add(w, 0x10ff, 2, 0, &other), IOMMUABS_E_INVAL);
	ck_assert(test_host_logged(w->host, "lie in a range device, some"));
	ck_assert_int_eq(add(w, 0x1010, 2, RANGE, &other), IOMMUABS_E_EXISTS);
	ck_assert_int_eq(iommuabs_device_remove(bridge), IOMMUABS_E_BUSY);
	ck_assert_int_eq(iommuabs_device_remove(nic), 0);
	ck_assert_ptr_eq(find_pci(w, 0x08), bridge);
	ck_assert_int_eq(iommuabs_device_remove(bridge), 0);
	ck_assert_ptr_null(iommuabs_device_next(w->abs, NULL));
	world_delete(w);
}
END_TEST

/* Bit 8 of the requester ID doesn't reach the unit: two buses are one there. */
START_TEST(functions_that_a_unit_takes_for_one_are_found_as_one)
{
	struct world *w = world_new(1);
	const struct iommuabs_stream_range range = { w->unit[0].unit, 0x40, 8,
						     0x10 };
	struct iommuabs_device_desc desc =
		world_device_desc(&range, PCI | RANGE);
	struct iommuabs_device *bridge, *nic, *found;

	desc.pci = 0;
	desc.nr_pci = 0x200;
	desc.rid_ignored = 0x100;
	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &bridge), 0);
	ck_assert_ptr_eq(find_pci(w, 0x011), bridge);
	ck_assert_ptr_eq(find_pci(w, 0x111), bridge);
	ck_assert_int_eq(iommuabs_device_find_pci(w->abs, 0x118, &found),
			 IOMMUABS_E_UNTRANSLATED);
	/* Whichever of them was meant when it was carved out. */
	ck_assert_int_eq(add(w, 0x41, 1, 0, &nic), 0);
	ck_assert_ptr_eq(find_pci(w, 0x011), nic);
	ck_assert_ptr_eq(find_pci(w, 0x111), nic);
	ck_assert_ptr_eq(find_pci(w, 0x012), bridge);
	world_delete(w);
}
END_TEST

START_TEST(all_ids_of_a_carved_device_lie_in_one_range)
{
	struct world *w = world_new(2);
	struct iommuabs_stream_range ranges[2] = {
		{ w->unit[0].unit, 0x1010, 1, 0 },
		{ w->unit[0].unit, 0x2010, 1, 0 },
	};
	struct iommuabs_device_desc desc = {
		.size = sizeof(desc),
		.streams = ranges,
		.nr_streams = 2,
	};
	struct iommuabs_device *dev;

	bridge_new(w);
	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &dev),
			 IOMMUABS_E_INVAL);
	world_device(w, 0x2000, 0x100, RANGE);
	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &dev),
			 IOMMUABS_E_INVAL);
	/* The same ids of another unit are others. */
	ranges[1].unit = w->unit[1].unit;
	ranges[1].first = 0x1010;
	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &dev),
			 IOMMUABS_E_INVAL);
	ranges[1].unit = w->unit[0].unit;
	ranges[1].first = 0x1020;
	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &dev), 0);
	world_delete(w);
}
END_TEST

START_TEST(nothing_is_carved_out_of_an_attached_range)
{
	struct world *w = world_new(1);
	struct iommuabs_device *bridge = bridge_new(w), *nic, *other;
	struct iommuabs_domain *dom = world_domain(w);
	struct backend_stream live;
	uint32_t sid;

	COVERS(iommuabs_device_add, E_BUSY);
	COVERS(iommuabs_device_remove, E_BUSY);
	ck_assert_int_eq(add(w, 0x1008, 1, 0, &nic), 0);
	ck_assert_int_eq(iommuabs_device_attach(bridge, dom, NULL, 0), 0);
	ck_assert_int_eq(add(w, 0x1010, 1, 0, &other), IOMMUABS_E_BUSY);
	ck_assert(test_host_logged(w->host, "its ids is attached"));
	ck_assert_int_eq(iommuabs_device_remove(bridge), IOMMUABS_E_BUSY);
	ck_assert_int_eq(iommuabs_device_remove(nic), IOMMUABS_E_BUSY);
	/* What was carved out stays blocked. */
	for (sid = 0x1000; sid < 0x1100; sid++) {
		w->unit[0].real->read_stream(&w->unit[0].unit->hw, sid, &live);
		ck_assert_int_eq(live.kind, sid == 0x1008
						    ? BACKEND_STREAM_BLOCKED
						    : BACKEND_STREAM_TABLE);
	}
	ck_assert_int_eq(iommuabs_device_detach(bridge, 0), 0);
	ck_assert_int_eq(add(w, 0x1010, 1, 0, &other), 0);
	world_delete(w);
}
END_TEST

START_TEST(what_is_left_of_a_range_comes_in_pieces)
{
	static const struct {
		uint32_t first, nr;
	} pieces[] = {
		{ 0x1001, 7 },
		{ 0x1009, 1 },
		{ 0x100c, 0xf3 },
	};
	struct world *w = world_new(1);
	struct iommuabs_device *bridge = bridge_new(w), *dev;
	uint32_t pos = 0, first, nr, i;

	ck_assert_int_eq(add(w, 0x100a, 2, 0, &dev), 0);
	ck_assert_int_eq(add(w, 0x1008, 1, 0, &dev), 0);
	ck_assert_int_eq(add(w, 0x1000, 1, 0, &dev), 0);
	ck_assert_int_eq(add(w, 0x10ff, 1, 0, &dev), 0);
	for (i = 0; i < 3; i++) {
		ck_assert(device_next_piece(bridge, &bridge->streams[0], &pos,
					    &first, &nr));
		ck_assert_uint_eq(first, pieces[i].first);
		ck_assert_uint_eq(nr, pieces[i].nr);
	}
	ck_assert(!device_next_piece(bridge, &bridge->streams[0], &pos, &first,
				     &nr));
	world_delete(w);
}
END_TEST

/*
 * How deep a tree is, whose @nr nodes are counted. It is walked by stacking what
 * is still to be seen.
 */
static unsigned int depth_of(struct rmap_extra *root, unsigned int *nr)
{
	struct {
		struct rmap_extra *node;
		unsigned int depth;
	} stack[256];
	unsigned int left = 0, deepest = 0, depth;
	struct rmap_extra *node = root;

	*nr = 0;
	if (root) {
		stack[left].node = root;
		stack[left++].depth = 1;
	}
	while (left) {
		node = stack[--left].node;
		depth = stack[left].depth;
		deepest = depth > deepest ? depth : deepest;
		++*nr;
		ck_assert_uint_lt(left, 254);
		if (node->left) {
			stack[left].node = node->left;
			stack[left++].depth = depth + 1;
		}
		if (node->right) {
			stack[left].node = node->right;
			stack[left++].depth = depth + 1;
		}
	}
	return deepest;
}

static struct iommuabs_device *function_add(struct world *w, uint32_t n)
{
	const struct iommuabs_stream_range range = { w->unit[0].unit, n, 1, 0 };
	struct iommuabs_device_desc desc = world_device_desc(&range, PCI);
	struct iommuabs_device *dev;

	desc.pci = n;
	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &dev), 0);
	return dev;
}

#define MANY 4096 /* = 2^12 */

/*
 * What is compared for one device is a path in a tree. Its depth is 12 at best
 * for so many, and would be 4096 where ids come in order and nothing balances;
 * past 48 it is once in more than 10^6 runs.
 */
START_TEST(many_devices_are_a_shallow_tree)
{
	struct world *w = world_new(1);
	const struct iommuabs_unit *unit = w->unit[0].unit;
	struct iommuabs_device *devs[MANY];
	unsigned int nr;
	uint32_t i;

	for (i = 0; i < MANY; i++)
		devs[i] = function_add(w, i);
	ck_assert_uint_le(depth_of(unit->streams.others, &nr), 48);
	ck_assert_uint_eq(nr, MANY);
	ck_assert_uint_le(depth_of(w->abs->functions.others, &nr), 48);
	ck_assert_uint_eq(nr, MANY);
	for (i = 1; i < MANY; i += 2)
		ck_assert_int_eq(iommuabs_device_remove(devs[i]), 0);
	(void)depth_of(unit->streams.others, &nr);
	ck_assert_uint_eq(nr, MANY / 2);
	for (i = 0; i < MANY; i++)
		ck_assert_ptr_eq(device_of_stream(unit, i),
				 i & 1 ? NULL : devs[i]);
	world_delete(w);
}
END_TEST

/*
 * With the list of devices out of sight everything is found and refused as
 * before: nothing walks it, however many there are.
 */
START_TEST(no_device_is_looked_at_in_vain)
{
	struct world *w = world_new(1);
	struct iommuabs_device *bridge = bridge_new(w), *first, *nic, *other;
	struct iommuabs_device *list;
	uint32_t pos = 0, from, nr;

	first = function_add(w, 0x2000);
	ck_assert_int_eq(add(w, 0x1008, 1, PCI, &nic), 0);
	list = w->abs->devices;
	w->abs->devices = NULL;
	bridge->next = NULL;
	ck_assert_int_eq(add(w, 0x1008, 1, 0, &other), IOMMUABS_E_EXISTS);
	ck_assert_int_eq(add(w, 0x2000, 1, 0, &other), IOMMUABS_E_EXISTS);
	ck_assert_int_eq(add(w, 0x10ff, 2, 0, &other), IOMMUABS_E_INVAL);
	ck_assert_ptr_eq(device_of_stream(w->unit[0].unit, 0x1008), nic);
	ck_assert_ptr_eq(device_of_stream(w->unit[0].unit, 0x1009), bridge);
	ck_assert_ptr_eq(find_pci(w, 0x08), nic);
	ck_assert_ptr_eq(find_pci(w, 0x09), bridge);
	ck_assert_ptr_eq(find_pci(w, 0x2000), first);
	ck_assert(device_next_piece(bridge, &bridge->streams[0], &pos, &from,
				    &nr));
	ck_assert_uint_eq(from, 0x1000);
	ck_assert_uint_eq(nr, 8);
	/* Added after the last, and taken away from there. */
	ck_assert_int_eq(add(w, 0x1010, 1, 0, &other), 0);
	ck_assert_ptr_eq(device_range(other, 0), bridge);
	ck_assert_ptr_eq(iommuabs_device_next(w->abs, nic), other);
	ck_assert_int_eq(iommuabs_device_remove(other), 0);
	ck_assert_ptr_null(iommuabs_device_next(w->abs, nic));
	w->abs->devices = list;
	bridge->next = first;
	world_delete(w);
}
END_TEST

/* An alias may repeat the device's own function: it goes as a whole. */
START_TEST(a_function_that_is_told_twice_is_had_once)
{
	struct world *w = world_new(1);
	const struct iommuabs_stream_range range = { w->unit[0].unit, 0x40, 1,
						     0 };
	const struct iommuabs_device_alias aliases[] = {
		{ .pci = 0x100, .nr_pci = 8 },
		{ .pci = 0x106, .nr_pci = 8 },
		{ .pci = 0x200, .nr_pci = 1 },
	};
	struct iommuabs_device_desc desc = world_device_desc(&range, PCI);
	struct iommuabs_device *dev, *found;
	uint32_t pci;
	int round;

	desc.pci = 0x104;
	desc.aliases = aliases;
	desc.nr_aliases = 3;
	for (round = 0; round < 2; round++) {
		ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &dev), 0);
		for (pci = 0x100; pci < 0x10e; pci++)
			ck_assert_ptr_eq(find_pci(w, pci), dev);
		ck_assert_ptr_eq(find_pci(w, 0x200), dev);
		ck_assert_int_eq(iommuabs_device_remove(dev), 0);
		for (pci = 0xff; pci <= 0x200; pci++)
			ck_assert_int_eq(
				iommuabs_device_find_pci(w->abs, pci, &found),
				IOMMUABS_E_NOENT);
	}
	world_delete(w);
}
END_TEST

START_TEST(what_no_unit_sees_is_found_and_said_so)
{
	struct world *w = world_new(1);
	struct iommuabs_device_desc desc = {
		.size = sizeof(desc),
		.flags = PCI,
		.pci = IOMMUABS_PCI(1, 0, 3, 0),
		.path = "/soc/dma",
	};
	struct iommuabs_device *dev, *found = NULL;

	COVERS(iommuabs_device_find_pci, E_UNTRANSLATED);
	COVERS(iommuabs_device_find_pci, E_NOENT);
	COVERS(iommuabs_device_find_path, E_UNTRANSLATED);
	COVERS(iommuabs_device_find_path, E_NOENT);
	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &dev), 0);
	ck_assert_int_eq(iommuabs_device_find_pci(w->abs, desc.pci, &found),
			 IOMMUABS_E_UNTRANSLATED);
	ck_assert_int_eq(iommuabs_device_find_pci(w->abs, desc.pci + 1, &found),
			 IOMMUABS_E_NOENT);
	ck_assert_int_eq(iommuabs_device_find_path(w->abs, "/soc/dma", &found),
			 IOMMUABS_E_UNTRANSLATED);
	ck_assert_int_eq(iommuabs_device_find_path(w->abs, "/soc/dm", &found),
			 IOMMUABS_E_NOENT);
	/* In the bridge, and past what its unit sees. */
	bridge_new(w);
	ck_assert_int_eq(iommuabs_device_find_pci(w->abs, 0x100, &found),
			 IOMMUABS_E_UNTRANSLATED);
	ck_assert_ptr_null(found);
	world_delete(w);
}
END_TEST

START_TEST(a_failed_add_takes_nothing)
{
	struct world *w = world_new(1);
	const struct iommuabs_stream_range range = { w->unit[0].unit, 0x40, 1,
						     0 };
	const struct iommuabs_reserved region = { .nr = 1 };
	const struct iommuabs_device_alias aliases[2] = { { .nr_pci = 0 } };
	struct iommuabs_device_desc desc = world_device_desc(&range, 0);
	struct world_failing failing = { 0 };
	struct iommuabs_device *dev;
	int ret;

	COVERS(iommuabs_device_add, E_NOMEM);
	desc.reserved = &region;
	desc.nr_reserved = 1;
	desc.aliases = aliases;
	desc.nr_aliases = 2;
	world_failing_begin(w, &failing, IOMMUABS_E_NOMEM);
	do
		ret = iommuabs_device_add(w->abs, &desc, &dev);
	while (world_failing_again(w, &failing, ret));
	ck_assert_uint_gt(failing.nr, 1);
	world_delete(w);
}
END_TEST

/* ---- explain ---- */

struct asked {
	struct world *w;
	struct iommuabs_domain *dom;
	struct iommuabs_device *dev;
};

static struct asked asked_new(void)
{
	struct asked a;

	a.w = world_new(1);
	a.dom = world_domain(a.w);
	a.dev = world_device(a.w, 8, 1, 0);
	ck_assert_int_eq(iommuabs_domain_map(a.dom, IOMMUABS_GFN(0x100),
					     IOMMUABS_MFN(0x5000), 16,
					     IOMMUABS_READ | IOMMUABS_WRITE,
					     NULL),
			 0);
	ck_assert_int_eq(iommuabs_domain_map(a.dom, IOMMUABS_GFN(0x200),
					     IOMMUABS_MFN(0x6000), 1,
					     IOMMUABS_READ, NULL),
			 0);
	ck_assert_int_eq(iommuabs_domain_map(a.dom, IOMMUABS_GFN(0x201),
					     IOMMUABS_MFN(0x6001), 1,
					     IOMMUABS_WRITE, NULL),
			 0);
	ck_assert_int_eq(iommuabs_device_attach(a.dev, a.dom, NULL, 0), 0);
	ck_assert_int_eq(iommuabs_start(a.w->abs), 0);
	return a;
}

static struct iommuabs_explanation explain(struct iommuabs_device *dev,
					   uint64_t gfn, uint32_t access)
{
	struct iommuabs_explanation why = { .size = sizeof(why) };

	ck_assert_int_eq(
		iommuabs_device_explain(dev, IOMMUABS_GFN(gfn), access, &why),
		0);
	ck_assert_str_ne(why.text, "");
	return why;
}

START_TEST(explain_names_what_the_table_says)
{
	static const struct {
		uint64_t gfn;
		uint32_t access;
		enum iommuabs_obstacle obstacle;
	} cases[] = {
		{ 0x105, IOMMUABS_READ | IOMMUABS_WRITE,
		  IOMMUABS_OBSTACLE_NONE },
		{ 0x110, IOMMUABS_READ, IOMMUABS_OBSTACLE_NOT_MAPPED },
		{ 0x200, IOMMUABS_WRITE, IOMMUABS_OBSTACLE_WRITE_DENIED },
		{ 0x200, IOMMUABS_READ, IOMMUABS_OBSTACLE_NONE },
		{ 0x201, IOMMUABS_READ | IOMMUABS_WRITE,
		  IOMMUABS_OBSTACLE_READ_DENIED },
		{ (uint64_t)1 << 36, IOMMUABS_READ,
		  IOMMUABS_OBSTACLE_TOO_WIDE },
	};
	struct asked a = asked_new();
	struct iommuabs_explanation why =
		explain(a.dev, cases[_i].gfn, cases[_i].access);

	ck_assert_int_eq(why.obstacle, cases[_i].obstacle);
	ck_assert_uint_eq(why.stream, 8);
	ck_assert_uint_eq(why.shared, 0);
	if (cases[_i].gfn == 0x105)
		ck_assert_uint_eq(why.mfn.frame, 0x5005);
	world_delete(a.w);
}
END_TEST

START_TEST(explain_reads_the_live_table)
{
	struct asked a = asked_new();
	struct view *view = a.dev->streams[0].binding->view;
	struct pt_edit edit = { .kind = PT_EDIT_CLEAR };
	struct tablemem_pool none = { 0 };
	struct pt_run at;
	uint64_t tables[8];
	struct pt_sink sink = { tables, 0, 8 };

	/* Behind core's back. */
	ck_assert_int_eq(view->pt.ops->edit(&view->pt, 0x107, 1, &edit, &none,
					    &sink, &at),
			 PT_OK);
	ck_assert_int_eq(explain(a.dev, 0x107, IOMMUABS_READ).obstacle,
			 IOMMUABS_OBSTACLE_NOT_IN_TABLE);
	ck_assert_int_eq(explain(a.dev, 0x108, IOMMUABS_READ).obstacle,
			 IOMMUABS_OBSTACLE_NONE);
	world_delete(a.w);
}
END_TEST

START_TEST(explain_reads_the_live_stream_entry)
{
	struct asked a = asked_new();
	struct world_unit *u = &a.w->unit[0];
	struct backend_stream live;

	u->real->read_stream(&u->unit->hw, 8, &live);
	ck_assert_int_eq(live.kind, BACKEND_STREAM_TABLE);
	live.table.id++;
	ck_assert_int_eq(
		u->real->stream_set(&u->unit->hw, 8, 1, &live.table, 0), 0);
	ck_assert_int_eq(explain(a.dev, 0x100, IOMMUABS_READ).obstacle,
			 IOMMUABS_OBSTACLE_ENTRY);
	live.table.id--;
	ck_assert_int_eq(
		u->real->stream_set(&u->unit->hw, 8, 1, &live.table, 0), 0);
	ck_assert_int_eq(explain(a.dev, 0x100, IOMMUABS_READ).obstacle,
			 IOMMUABS_OBSTACLE_NONE);
	ck_assert_int_eq(u->real->stream_set(&u->unit->hw, 8, 1, NULL, 0), 0);
	ck_assert_int_eq(explain(a.dev, 0x100, IOMMUABS_READ).obstacle,
			 IOMMUABS_OBSTACLE_ENTRY);
	ck_assert_int_eq(iommuabs_device_detach(a.dev, 0), 0);
	ck_assert_int_eq(explain(a.dev, 0x100, IOMMUABS_READ).obstacle,
			 IOMMUABS_OBSTACLE_NOT_ATTACHED);
	/* A detached device whose entry lets it in is no "not attached". */
	ck_assert_int_eq(
		u->real->stream_set(&u->unit->hw, 8, 1, &live.table, 0), 0);
	ck_assert_int_eq(explain(a.dev, 0x100, IOMMUABS_READ).obstacle,
			 IOMMUABS_OBSTACLE_ENTRY);
	world_delete(a.w);
}
END_TEST

START_TEST(explain_names_what_is_wrong_with_the_unit)
{
	const struct iommuabs_unit_desc other = {
		.size = sizeof(other),
		.type = IOMMUABS_UNIT_OTHER,
	};
	struct asked a = asked_new();
	struct world_unit *u = &a.w->unit[0];
	struct iommuabs_device_desc desc = { .size = sizeof(desc) };
	struct iommuabs_stream_range range = { .nr = 1 };
	struct iommuabs_device *dev;

	ck_assert_int_eq(iommuabs_device_add(a.w->abs, &desc, &dev), 0);
	ck_assert_int_eq(explain(dev, 0x100, IOMMUABS_READ).obstacle,
			 IOMMUABS_OBSTACLE_NO_UNIT);
	ck_assert_int_eq(iommuabs_unit_add(a.w->abs, &other, &range.unit), 0);
	desc.streams = &range;
	desc.nr_streams = 1;
	ck_assert_int_eq(iommuabs_device_add(a.w->abs, &desc, &dev), 0);
	ck_assert_int_eq(explain(dev, 0x100, IOMMUABS_READ).obstacle,
			 IOMMUABS_OBSTACLE_NO_DRIVER);
	unit_fence(u->unit, IOMMUABS_E_TIMEOUT);
	ck_assert_int_eq(explain(a.dev, 0x100, IOMMUABS_READ).obstacle,
			 IOMMUABS_OBSTACLE_FENCED);
	ck_assert_int_eq(iommuabs_unit_recover(u->unit, 0), 0);
	ck_assert_int_eq(explain(a.dev, 0x100, IOMMUABS_READ).obstacle,
			 IOMMUABS_OBSTACLE_NONE);
	ck_assert_int_eq(iommuabs_stop(a.w->abs), 0);
	ck_assert_int_eq(explain(a.dev, 0x100, IOMMUABS_READ).obstacle,
			 IOMMUABS_OBSTACLE_NOT_STARTED);
	world_delete(a.w);
}
END_TEST

START_TEST(explain_tells_removed_from_never_mapped)
{
	struct asked a = asked_new();
	struct iommuabs_batch batch;

	ck_assert_int_eq(iommuabs_batch_init(&batch, a.dom), 0);
	ck_assert_int_eq(
		iommuabs_domain_unmap(a.dom, IOMMUABS_GFN(0x103), 1, &batch),
		0);
	ck_assert_int_eq(explain(a.dev, 0x103, IOMMUABS_READ).obstacle,
			 IOMMUABS_OBSTACLE_WITHHELD);
	ck_assert_int_eq(iommuabs_batch_done(&batch), 0);
	ck_assert_int_eq(explain(a.dev, 0x103, IOMMUABS_READ).obstacle,
			 IOMMUABS_OBSTACLE_NOT_MAPPED);
	world_delete(a.w);
}
END_TEST

START_TEST(explain_reads_a_shared_table)
{
	struct world *w = world_new(1);
	struct iommuabs_domain *dom = world_shared_domain(w);
	struct iommuabs_device *dev = world_device(w, 8, 1, 0);
	struct iommuabs_explanation why;

	/* The library was told of two frames, the p2m has the first. */
	ck_assert_int_eq(iommuabs_domain_map(
				 dom, IOMMUABS_GFN(0x100), IOMMUABS_MFN(0x5000),
				 2, IOMMUABS_READ | IOMMUABS_WRITE, NULL),
			 0);
	world_p2m_map(w, 0x100, 0x5000, 1);
	ck_assert_int_eq(iommuabs_device_attach(dev, dom, NULL, 0), 0);
	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	why = explain(dev, 0x100, IOMMUABS_WRITE);
	ck_assert_int_eq(why.obstacle, IOMMUABS_OBSTACLE_NONE);
	ck_assert_uint_eq(why.shared, 1);
	ck_assert_uint_eq(why.mfn.frame, 0x5000);
	ck_assert_uint_eq(why.level, 0);
	ck_assert_int_eq(explain(dev, 0x101, IOMMUABS_READ).obstacle,
			 IOMMUABS_OBSTACLE_NOT_IN_TABLE);
	ck_assert_int_eq(explain(dev, 0x102, IOMMUABS_READ).obstacle,
			 IOMMUABS_OBSTACLE_NOT_MAPPED);
	ck_assert_int_eq(
		explain(dev, (uint64_t)1 << 27, IOMMUABS_READ).obstacle,
		IOMMUABS_OBSTACLE_TOO_WIDE);
	world_delete(w);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("device");
	TCase *ids = tcase_create("ids");
	TCase *why = tcase_create("explain");

	if (!world_possible(s))
		return s;
	tcase_add_test(ids, everything_is_copied);
	tcase_add_loop_test(ids, an_id_has_one_device, 0, 6);
	tcase_add_test(ids, a_function_has_one_device);
	tcase_add_test(ids, what_shares_an_id_is_found_under_each_name);
	tcase_add_test(ids, a_function_has_one_device_by_each_of_its_names);
	tcase_add_test(ids, ids_of_another_makers_unit_are_not_compared);
	tcase_add_test(ids, a_device_is_carved_out_of_a_range);
	tcase_add_test(ids,
		       functions_that_a_unit_takes_for_one_are_found_as_one);
	tcase_add_test(ids, all_ids_of_a_carved_device_lie_in_one_range);
	tcase_add_test(ids, nothing_is_carved_out_of_an_attached_range);
	tcase_add_test(ids, what_is_left_of_a_range_comes_in_pieces);
	tcase_add_test(ids, many_devices_are_a_shallow_tree);
	tcase_add_test(ids, no_device_is_looked_at_in_vain);
	tcase_add_test(ids, a_function_that_is_told_twice_is_had_once);
	tcase_add_test(ids, what_no_unit_sees_is_found_and_said_so);
	tcase_add_test(ids, a_failed_add_takes_nothing);
	suite_add_tcase(s, ids);
	tcase_add_loop_test(why, explain_names_what_the_table_says, 0, 6);
	tcase_add_test(why, explain_reads_the_live_table);
	tcase_add_test(why, explain_reads_the_live_stream_entry);
	tcase_add_test(why, explain_names_what_is_wrong_with_the_unit);
	tcase_add_test(why, explain_tells_removed_from_never_mapped);
	tcase_add_test(why, explain_reads_a_shared_table);
	suite_add_tcase(s, why);
	return s;
}

HARNESS_MAIN(suite)
