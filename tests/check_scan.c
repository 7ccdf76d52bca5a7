/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a device tree says becomes units and devices: all of it, or nothing.
 */
#include "test_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef IOMMUABS_CONFIG_FDT
#define IOMMUABS_CONFIG_FDT 1
#endif

START_TEST(what_is_no_tree_is_refused)
{
	static const _Alignas(8) char junk[64] = "no device tree at all";
	struct world *w = world_new(1);
	int error =
		IOMMUABS_CONFIG_FDT ? IOMMUABS_E_FIRMWARE : IOMMUABS_E_NOTSUP;
	char *before = world_dump(w), *after;

	COVERS(iommuabs_scan_fdt, E_INVAL);
	COVERS(iommuabs_scan_fdt, E_FIRMWARE);
	COVERS(iommuabs_scan_fdt, E_NOTSUP);
	ck_assert_int_eq(iommuabs_scan_fdt(NULL, junk, 64), IOMMUABS_E_INVAL);
	ck_assert_int_eq(iommuabs_scan_fdt(w->abs, NULL, 64), IOMMUABS_E_INVAL);
	ck_assert_int_eq(iommuabs_scan_fdt(w->abs, junk, 0), IOMMUABS_E_INVAL);
	ck_assert_int_eq(iommuabs_scan_fdt(w->abs, junk + 4, 60),
			 IOMMUABS_E_INVAL);
	ck_assert(test_host_logged(w->host, "not aligned to 8"));
	ck_assert_int_eq(iommuabs_scan_fdt(w->abs, junk, 64), error);
	after = world_dump(w);
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
	world_delete(w);
}
END_TEST

#if IOMMUABS_CONFIG_FDT

#include <libfdt.h>

#define TREE_SIZE 8192

#define OK(call) ck_assert_int_eq(call, 0)

static void *tree_begin(void)
{
	void *tree;

	OK(posix_memalign(&tree, 8, TREE_SIZE));
	OK(fdt_create(tree, TREE_SIZE));
	OK(fdt_finish_reservemap(tree));
	OK(fdt_begin_node(tree, ""));
	OK(fdt_property_u32(tree, "#address-cells", 2));
	OK(fdt_property_u32(tree, "#size-cells", 2));
	return tree;
}

static void tree_reg(void *tree, uint64_t base, uint64_t size)
{
	const fdt64_t reg[2] = { cpu_to_fdt64(base), cpu_to_fdt64(size) };

	OK(fdt_property(tree, "reg", reg, sizeof(reg)));
}

/* A unit that this build has no driver for, phandle @phandle. */
static void tree_mmu(void *tree, uint32_t phandle, uint64_t base,
		     const char *status)
{
	char name[32];

	snprintf(name, sizeof(name), "iommu@%llx", (unsigned long long)base);
	OK(fdt_begin_node(tree, name));
	OK(fdt_property_string(tree, "compatible", "arm,mmu-500"));
	OK(fdt_property_string(tree, "status", status));
	tree_reg(tree, base, 0x10000);
	OK(fdt_property_u32(tree, "#iommu-cells", 1));
	OK(fdt_property_u32(tree, "phandle", phandle));
	OK(fdt_end_node(tree));
}

static void tree_smmuv3(void *tree, uint32_t phandle, uint64_t base)
{
	OK(fdt_begin_node(tree, "smmuv3"));
	OK(fdt_property_string(tree, "compatible", "arm,smmu-v3"));
	tree_reg(tree, base, 0x20000);
	OK(fdt_property_u32(tree, "#iommu-cells", 1));
	OK(fdt_property_u32(tree, "phandle", phandle));
	OK(fdt_end_node(tree));
}

static void tree_device(void *tree, const char *name, uint32_t phandle,
			uint32_t id)
{
	const fdt32_t iommus[2] = { cpu_to_fdt32(phandle), cpu_to_fdt32(id) };

	OK(fdt_begin_node(tree, name));
	OK(fdt_property_string(tree, "compatible", "test,dma"));
	OK(fdt_property(tree, "iommus", iommus, sizeof(iommus)));
	OK(fdt_end_node(tree));
}

static void tree_bridge(void *tree, uint32_t phandle)
{
	const fdt32_t map[4] = { 0, cpu_to_fdt32(phandle), cpu_to_fdt32(0x1000),
				 cpu_to_fdt32(0x100) };
	const fdt32_t own[2] = { cpu_to_fdt32(phandle), cpu_to_fdt32(0x2000) };

	OK(fdt_begin_node(tree, "pcie@10000000"));
	OK(fdt_property_string(tree, "compatible", "pci-host-ecam-generic"));
	OK(fdt_property_string(tree, "device_type", "pci"));
	tree_reg(tree, 0x10000000, 0x1000000);
	OK(fdt_property_u32(tree, "#address-cells", 3));
	OK(fdt_property_u32(tree, "#size-cells", 2));
	OK(fdt_property(tree, "iommu-map", map, sizeof(map)));
	OK(fdt_property(tree, "iommus", own, sizeof(own)));
	OK(fdt_end_node(tree));
}

static void tree_end(void *tree)
{
	OK(fdt_end_node(tree));
	OK(fdt_finish(tree));
}

static int scan(struct world *w, const void *tree)
{
	return iommuabs_scan_fdt(w->abs, tree, fdt_totalsize(tree));
}

/* The scan is refused and all is as before; the tree is freed. */
static void refused(struct world *w, void *tree, int error)
{
	char *before = world_dump(w), *after;

	ck_assert_int_eq(scan(w, tree), error);
	after = world_dump(w);
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
	free(tree);
}

START_TEST(units_and_devices_of_a_tree_are_added)
{
	struct world *w = world_new(1);
	void *tree = tree_begin();
	struct iommuabs_unit *unit;
	struct iommuabs_device *dev, *bridge;

	tree_mmu(tree, 1, 0x2b400000, "okay");
	tree_mmu(tree, 2, 0x2b500000, "disabled");
	tree_mmu(tree, 3, 0x2b600000, "okay");
	tree_device(tree, "seen", 3, 7);
	tree_device(tree, "unseen", 2, 7);
	tree_bridge(tree, 1);
	tree_end(tree);
	OK(scan(w, tree));
	ck_assert(test_host_logged(w->host, "tree: units: 2, devices: 3"));
	free(tree);
	unit = iommuabs_unit_next(w->abs, w->unit[0].unit);
	ck_assert_ptr_nonnull(unit);
	ck_assert_uint_eq(unit->base, 0x2b400000);
	OK(iommuabs_device_find_path(w->abs, "/seen", &dev));
	ck_assert_ptr_eq(dev->streams[0].unit,
			 iommuabs_unit_next(w->abs, unit));
	ck_assert_uint_eq(dev->streams[0].unit->base, 0x2b600000);
	ck_assert_ptr_null(iommuabs_unit_next(w->abs, dev->streams[0].unit));
	ck_assert_int_eq(iommuabs_device_find_path(w->abs, "/unseen", &dev),
			 IOMMUABS_E_UNTRANSLATED);
	OK(iommuabs_device_find_pci(w->abs, IOMMUABS_PCI(0, 0, 1, 0), &bridge));
	ck_assert_uint_eq(bridge->streams[0].first, 0x1000);
	ck_assert_ptr_eq(bridge->streams[0].unit, unit);
	ck_assert_uint_eq(bridge->nr_streams, 2);
	ck_assert_uint_eq(bridge->streams[1].first, 0x2000);
	ck_assert_int_eq(iommuabs_device_find_pci(
				 w->abs, IOMMUABS_PCI(0, 1, 0, 0), &dev),
			 IOMMUABS_E_UNTRANSLATED);
	world_delete(w);
}
END_TEST

/* C9: what can't be told apart is attached as one, by whatever name. */
START_TEST(masters_that_share_an_id_are_one_device)
{
	struct world *w = world_new(1);
	void *tree = tree_begin();
	struct iommuabs_device *a, *b, *c;

	tree_mmu(tree, 1, 0x2b400000, "okay");
	tree_device(tree, "a", 1, 7);
	tree_device(tree, "b", 1, 8);
	tree_device(tree, "c", 1, 7);
	tree_end(tree);
	OK(scan(w, tree));
	OK(iommuabs_device_find_path(w->abs, "/a", &a));
	OK(iommuabs_device_find_path(w->abs, "/b", &b));
	OK(iommuabs_device_find_path(w->abs, "/c", &c));
	ck_assert_ptr_eq(a, c);
	ck_assert_ptr_ne(a, b);
	refused(w, tree, IOMMUABS_E_EXISTS);
	world_delete(w);
}
END_TEST

START_TEST(a_tree_is_scanned_once)
{
	struct world *w = world_new(1);
	void *tree = tree_begin();

	COVERS(iommuabs_scan_fdt, E_EXISTS);
	tree_mmu(tree, 1, 0x2b400000, "okay");
	tree_device(tree, "dma", 1, 7);
	tree_end(tree);
	OK(scan(w, tree));
	refused(w, tree, IOMMUABS_E_EXISTS);
	world_delete(w);
}
END_TEST

START_TEST(a_unit_that_is_there_already_spoils_the_scan)
{
	const struct iommuabs_unit_desc desc = {
		.size = sizeof(desc),
		.type = IOMMUABS_UNIT_OTHER,
		.base = 0x2b500000,
	};
	struct world *w = world_new(1);
	struct iommuabs_unit *unit;
	void *tree = tree_begin();

	COVERS(iommuabs_scan_fdt, E_EXISTS);
	OK(iommuabs_unit_add(w->abs, &desc, &unit));
	tree_mmu(tree, 1, 0x2b400000, "okay");
	tree_mmu(tree, 2, 0x2b500000, "okay");
	tree_device(tree, "dma", 1, 7);
	tree_end(tree);
	refused(w, tree, IOMMUABS_E_EXISTS);
	world_delete(w);
}
END_TEST

/* Several to a frame, and next to what they serve. */
START_TEST(a_unit_of_another_maker_lies_where_it_likes)
{
	struct world *w = world_new(1);
	void *tree = tree_begin();
	struct iommuabs_device *dev;

	OK(fdt_begin_node(tree, "iommu@2b400800"));
	OK(fdt_property_string(tree, "compatible", "rockchip,iommu"));
	tree_reg(tree, 0x2b400800, 0x40);
	OK(fdt_property_u32(tree, "#iommu-cells", 1));
	OK(fdt_property_u32(tree, "phandle", 1));
	OK(fdt_end_node(tree));
	tree_device(tree, "dma", 1, 0);
	tree_end(tree);
	OK(scan(w, tree));
	OK(iommuabs_device_find_path(w->abs, "/dma", &dev));
	ck_assert_int_eq(dev->streams[0].unit->type, IOMMUABS_UNIT_OTHER);
	ck_assert_uint_eq(dev->streams[0].unit->base, 0x2b400800);
	free(tree);
	world_delete(w);
}
END_TEST

START_TEST(a_unit_that_cannot_be_used_spoils_the_scan)
{
	struct world *w;
	void *regs, *tree;

	COVERS(iommuabs_scan_fdt, E_UNIT);
	if (!backend_find(IOMMUABS_UNIT_SMMUV3))
		harness_skip("built without a driver that has registers");
	w = world_new(1);
	OK(posix_memalign(&regs, 0x10000, 0x20000));
	memset(regs, 0, 0x20000);
	tree = tree_begin();
	tree_mmu(tree, 1, 0x2b400000, "okay");
	tree_smmuv3(tree, 2, (uintptr_t)regs);
	tree_device(tree, "dma", 1, 7);
	tree_end(tree);
	refused(w, tree, IOMMUABS_E_UNIT);
	free(regs);
	world_delete(w);
}
END_TEST

START_TEST(a_scan_without_memory_adds_nothing)
{
	struct world *w = world_new(1);
	void *tree = tree_begin();
	struct world_failing failing = { 0 };
	int ret;

	COVERS(iommuabs_scan_fdt, E_NOMEM);
	tree_mmu(tree, 1, 0x2b400000, "okay");
	tree_mmu(tree, 2, 0x2b500000, "okay");
	tree_device(tree, "a", 1, 7);
	tree_device(tree, "b", 2, 7);
	tree_device(tree, "c", 1, 7);
	tree_bridge(tree, 1);
	tree_end(tree);
	world_failing_begin(w, &failing, IOMMUABS_E_NOMEM);
	do
		ret = scan(w, tree);
	while (world_failing_again(w, &failing, ret));
	free(tree);
	ck_assert_uint_gt(failing.nr, 3);
	world_delete(w);
}
END_TEST

static void add_tree_tests(TCase *tree)
{
	tcase_add_test(tree, units_and_devices_of_a_tree_are_added);
	tcase_add_test(tree, masters_that_share_an_id_are_one_device);
	tcase_add_test(tree, a_unit_of_another_maker_lies_where_it_likes);
	tcase_add_test(tree, a_tree_is_scanned_once);
	tcase_add_test(tree, a_unit_that_is_there_already_spoils_the_scan);
	tcase_add_test(tree, a_unit_that_cannot_be_used_spoils_the_scan);
	tcase_add_test(tree, a_scan_without_memory_adds_nothing);
}

#else

static void add_tree_tests(TCase *tree)
{
	(void)tree;
}

#endif

static Suite *suite(void)
{
	Suite *s = suite_create("scan");
	TCase *tree = tcase_create("tree");

	if (!world_possible(s))
		return s;
	tcase_add_test(tree, what_is_no_tree_is_refused);
	add_tree_tests(tree);
	suite_add_tcase(s, tree);
	return s;
}

HARNESS_MAIN(suite)
