/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What ACPI tables say becomes units and devices: all of it, or nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/acpi.h"
#include "harness.h"
#include "test_acpi.h"
#include "test_world.h"

#define OK(call) ck_assert_int_eq(call, 0)

/* The tables of a machine, by their signatures. */
struct machine {
	struct test_acpi *tables[4];
	unsigned int nr;
	const char *present; /* a signature that is there without a table */
};

static const void *find_table(void *arg, const char signature[4], size_t *size)
{
	const struct machine *machine = arg;
	unsigned int i;

	if (machine->present && !memcmp(machine->present, signature, 4)) {
		*size = 4;
		return machine->present;
	}
	for (i = 0; i < machine->nr; i++) {
		if (memcmp(machine->tables[i]->table, signature, 4))
			continue;
		*size = machine->tables[i]->size;
		return machine->tables[i]->table;
	}
	return NULL;
}

START_TEST(a_scan_without_a_way_to_tables_is_invalid)
{
	struct world *w = world_new(1);
	struct machine none = { 0 };

	COVERS(iommuabs_scan_acpi, E_INVAL);
	ck_assert_int_eq(iommuabs_scan_acpi(NULL, find_table, &none),
			 IOMMUABS_E_INVAL);
	ck_assert_int_eq(iommuabs_scan_acpi(w->abs, NULL, &none),
			 IOMMUABS_E_INVAL);
	world_delete(w);
}
END_TEST

#if IOMMUABS_CONFIG_ACPI

START_TEST(what_a_structure_is_too_short_for_is_0)
{
	static const unsigned char bytes[16] = { 1, 2, 3, 4, 5, 6, 7, 8,
						 9, 9, 9, 9, 9, 9, 9, 9 };
	const struct acpi_span span = { bytes, 0, 8 };
	uint32_t at;

	ck_assert_uint_eq(acpi_get32(&span, 4), 0x08070605);
	ck_assert_uint_eq(acpi_get8(&span, 7), 8);
	for (at = 5; at < 12; at++)
		ck_assert_uint_eq(acpi_get32(&span, at), 0);
	for (at = 1; at < 12; at++)
		ck_assert_uint_eq(acpi_get64(&span, at), 0);
	ck_assert_uint_eq(acpi_get64(&span, ~0u), 0);
}
END_TEST

static void machine_add(struct machine *machine, const char *text)
{
	machine->tables[machine->nr++] = test_acpi_parse(text);
}

static void machine_load(struct machine *machine, const char *file)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", TEST_DATA_DIR, file);
	machine->tables[machine->nr++] = test_acpi_load(path);
}

static void machine_free(struct machine *machine)
{
	while (machine->nr)
		test_acpi_free(machine->tables[--machine->nr]);
}

static int scan(struct world *w, struct machine *machine)
{
	return iommuabs_scan_acpi(w->abs, find_table, machine);
}

/* The scan is refused, @said is logged, and all is as before. */
static void refused(struct world *w, struct machine *machine, int error,
		    const char *said)
{
	char *before = world_dump(w), *after;

	ck_assert_int_eq(scan(w, machine), error);
	ck_assert_msg(!*said || test_host_logged(w->host, said), "not said: %s",
		      said);
	after = world_dump(w);
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
}

static struct iommuabs_device *by_pci(struct world *w, uint32_t pci)
{
	struct iommuabs_device *dev = NULL;

	OK(iommuabs_device_find_pci(w->abs, pci, &dev));
	return dev;
}

static int carve(struct world *w, struct iommuabs_unit *unit, uint32_t rid,
		 struct iommuabs_device **dev)
{
	const struct iommuabs_stream_range id = { unit, rid, 1, rid };
	const struct iommuabs_device_desc desc = {
		.size = sizeof(desc),
		.flags = IOMMUABS_DEVICE_PCI,
		.pci = rid,
		.streams = &id,
		.nr_streams = 1,
	};

	return iommuabs_device_add(w->abs, &desc, dev);
}

/* What a driver of VT-d units would find in their registers (VT-d 11.4). */
static uint64_t vtd_read(void *ctx, uint64_t addr, unsigned int width)
{
	(void)ctx;
	(void)width;
	switch (addr & 0xfff) {
	case 0x00: /* VER */
		return 0x10;
	case 0x08: /* CAP: 4 levels, 48 bits, one fault register at 220h */
		return 0xd2008c222f0406;
	case 0x10: /* ECAP: coherent, IOTLB registers at f0h */
		return 0xf01;
	default:
		return 0;
	}
}

static void no_write(void *ctx, uint64_t addr, unsigned int width,
		     uint64_t value)
{
	(void)ctx;
	(void)addr;
	(void)width;
	(void)value;
}

static struct world *world_with_registers(uint64_t (*read)(void *ctx,
							   uint64_t addr,
							   unsigned int width))
{
	struct world *w = world_new(1);

	w->abs->host.ops.mmio_read = read;
	w->abs->host.ops.mmio_write = no_write;
	return w;
}

static int vtd_attaches(void)
{
	return backend_find(IOMMUABS_UNIT_VTD) ? IOMMUABS_E_UNSAFE_MSI
					       : IOMMUABS_E_NODRIVER;
}

/*
 * The graphics has a unit of its own, everything else the other, and what is
 * named for a region is carved out of that.
 */
START_TEST(include_pci_all_is_a_range_device)
{
	struct machine machine = { 0 };
	struct iommuabs_device *graphics, *all, *usb, *other;
	struct iommuabs_domain *dom;
	struct world *w;

	w = world_with_registers(vtd_read);
	dom = world_domain(w);
	machine_load(&machine, "dmar/units.txt");
	OK(scan(w, &machine));
	machine_free(&machine); /* the tables may go now */
	graphics = by_pci(w, IOMMUABS_PCI(0, 0, 2, 0));
	usb = by_pci(w, IOMMUABS_PCI(0, 0, 20, 0));
	all = by_pci(w, IOMMUABS_PCI(0, 0x3f, 7, 1));
	ck_assert_uint_eq(graphics->streams[0].unit->base, 0xfed90000);
	ck_assert_uint_eq(graphics->nr_reserved, 1);
	ck_assert_uint_eq(all->streams[0].unit->base, 0xfed91000);
	ck_assert_ptr_eq(device_range(usb, 0), all);
	ck_assert_uint_eq(usb->nr_reserved, 1);
	ck_assert_ptr_null(device_range(graphics, 0));
	OK(carve(w, all->streams[0].unit, IOMMUABS_PCI(0, 3, 0, 0), &other));
	ck_assert_ptr_eq(by_pci(w, IOMMUABS_PCI(0, 3, 0, 0)), other);
	ck_assert_ptr_eq(device_range(other, 0), all);
	ck_assert_int_eq(iommuabs_device_attach(graphics, dom, NULL, 0),
			 vtd_attaches());
	ck_assert_int_eq(iommuabs_device_find_pci(
				 w->abs, IOMMUABS_PCI(1, 0, 0, 0), &other),
			 IOMMUABS_E_NOENT);
	OK(iommuabs_device_remove(other));
	world_delete(w);
}
END_TEST

START_TEST(what_a_broken_unit_sees_is_untranslated)
{
	struct machine machine = { 0 };
	struct iommuabs_device *dev;
	struct world *w;

	w = world_with_registers(vtd_read);
	machine_load(&machine, "dmar/bases.txt");
	OK(scan(w, &machine));
	ck_assert_int_eq(iommuabs_device_find_pci(
				 w->abs, IOMMUABS_PCI(0, 0, 2, 0), &dev),
			 IOMMUABS_E_UNTRANSLATED);
	ck_assert_int_eq(iommuabs_device_find_pci(
				 w->abs, IOMMUABS_PCI(0, 9, 9, 0), &dev),
			 IOMMUABS_E_UNTRANSLATED);
	ck_assert_uint_eq(
		by_pci(w, IOMMUABS_PCI(0, 0, 4, 0))->streams[0].unit->base,
		0xfed92000);
	machine_free(&machine);
	world_delete(w);
}
END_TEST

/* Without configuration space, what is behind a bridge is no device. */
START_TEST(a_device_on_an_unknown_bus_is_left_out)
{
	struct machine machine = { 0 };
	struct iommuabs_device *all;
	struct world *w;

	w = world_with_registers(vtd_read);
	machine_load(&machine, "dmar/bridges-unknown.txt");
	OK(scan(w, &machine));
	all = by_pci(w, IOMMUABS_PCI(0, 1, 4, 0));
	ck_assert_uint_eq(all->streams[0].unit->base, 0xd0000000);
	ck_assert(test_host_logged(w->host, "bus numbers"));
	machine_free(&machine);
	world_delete(w);
}
END_TEST

START_TEST(components_that_share_an_id_are_found_by_each_path)
{
	struct machine machine = { 0 };
	struct world *w = world_new(1);
	struct iommuabs_domain *dom = world_domain(w);
	struct iommuabs_device *a, *b, *c;

	machine_load(&machine, "iort/shared.txt");
	OK(scan(w, &machine));
	OK(iommuabs_device_find_path(w->abs, "\\_SB.USB0", &a));
	OK(iommuabs_device_find_path(w->abs, "\\_SB.URS0", &b));
	OK(iommuabs_device_find_path(w->abs, "\\_SB.UFS0", &c));
	ck_assert_ptr_eq(a, b);
	ck_assert_ptr_ne(a, c);
	ck_assert_int_eq(iommuabs_device_find_path(w->abs, "\\_SB.NONE", &c),
			 IOMMUABS_E_UNTRANSLATED);
	ck_assert_int_eq(iommuabs_device_attach(a, dom, NULL, 0),
			 IOMMUABS_E_NODRIVER);
	machine_free(&machine);
	world_delete(w);
}
END_TEST

/* Else a guest's device would pass the unit that isn't there. */
START_TEST(what_a_unit_sees_in_part_is_untranslated)
{
	static const char table[] =
		"table IORT 0 d:4 d:48 d:0\n"
		"=on <3 b:0 d:0 d:0 d:0 q:0x15000000 q:0x100000 d:1 d:0 d:60 "
		"d:0 "
		"d:0 d:0 d:0 d:97 d:0 d:0 d:0 >\n"
		"=off <3 b:0 d:0 d:0 d:0 q:0 q:0x100000 d:1 d:0 d:60 d:0 "
		"d:0 d:0 d:0 d:97 d:0 d:0 d:0 >\n"
		"<1 b:0 d:0 d:2 node:m0 d:0 d:1 z:4 b:36 s:\\_SB.DMA0 =m0 "
		"d:0 d:0 d:1 r:on d:1  d:0 d:0 d:0x900 r:off d:1 >\n"
		"<2 b:0 d:1 d:2 node:m1 d:1 z:4 d:0 d:0 =m1 "
		"d:0 d:0xff d:0x100 r:on d:0  d:0x100 d:0xff d:0 r:off d:0 >\n";
	struct machine machine = { 0 };
	struct world *w = world_new(1);
	struct iommuabs_device *dev;

	machine_add(&machine, table);
	OK(scan(w, &machine));
	ck_assert_int_eq(iommuabs_device_find_path(w->abs, "\\_SB.DMA0", &dev),
			 IOMMUABS_E_UNTRANSLATED);
	ck_assert(test_host_logged(w->host, "units don't see all of it"));
	ck_assert_uint_eq(by_pci(w, IOMMUABS_PCI(0, 0, 1, 0))->nr_streams, 1);
	ck_assert(test_host_logged(w->host, "some of its functions"));
	machine_free(&machine);
	world_delete(w);
}
END_TEST

static const char smmuv2_and_complex[] =
	"table IORT 0 d:2 d:48 d:0\n"
	"=smmu <3 b:0 d:0 d:0 d:0 q:0x15000000 q:0x100000 d:1 d:0 d:60 d:0 "
	"d:0 d:0 d:0 d:97 d:0 d:0 d:0 >\n"
	"<2 b:0 d:1 d:1 node:m d:1 z:4 d:0 d:3 "
	"=m d:0 d:0xffff d:0x10000 r:smmu d:0 >\n";

/* RIDs of segment 3 arrive as ids from 0x10000 on; its messages: nowhere. */
START_TEST(a_root_complex_is_a_range_device)
{
	struct machine machine = { 0 };
	struct world *w = world_new(1);
	struct iommuabs_device *dev;

	machine_add(&machine, smmuv2_and_complex);
	OK(scan(w, &machine));
	dev = by_pci(w, IOMMUABS_PCI(3, 5, 0, 0));
	ck_assert_uint_eq(dev->streams[0].first, 0x10000);
	ck_assert_uint_eq(dev->flags, IOMMUABS_DEVICE_PCI |
					      IOMMUABS_DEVICE_RANGE |
					      IOMMUABS_DEVICE_UNSAFE_MSI);
	machine_free(&machine);
	world_delete(w);
}
END_TEST

/* IHI 0070, 6.3: an SMMUv3 with two stages and StreamIDs of 16 bits. */
static uint64_t smmuv3_read(void *ctx, uint64_t addr, unsigned int width)
{
	(void)ctx;
	(void)width;
	switch (addr & 0xffff) {
	case 0x00: /* IDR0 */
		return 0x0d44101b;
	case 0x04: /* IDR1 */
		return 0x02730010;
	case 0x14: /* IDR5 */
		return 0x74;
	default:
		return 0;
	}
}

START_TEST(ids_that_a_unit_does_not_have_are_left_out)
{
	static const char table[] =
		"table IORT 0 d:3 d:48 d:0\n"
		"=smmu <4 b:0 d:1 d:0 d:0 q:0x9050000 d:1 d:0 q:0 z:20 >\n"
		"<1 b:0 d:0 d:2 node:m0 d:0 d:1 z:4 b:36 s:\\_SB.DMA0 =m0 "
		"d:0 d:0 d:1 r:smmu d:1  d:0 d:0 d:0x90000 r:smmu d:1 >\n"
		"<2 b:0 d:1 d:1 node:m1 d:1 z:4 d:0 d:0 =m1 "
		"d:0 d:0xffff d:0xff00 r:smmu d:0 >\n";
	struct machine machine = { 0 };
	struct iommuabs_device *dev;
	struct world *w;

	if (!backend_find(IOMMUABS_UNIT_SMMUV3))
		harness_skip("built without a driver that has registers");
	w = world_with_registers(smmuv3_read);
	machine_add(&machine, table);
	OK(scan(w, &machine));
	ck_assert_int_eq(iommuabs_device_find_path(w->abs, "\\_SB.DMA0", &dev),
			 IOMMUABS_E_UNTRANSLATED);
	dev = by_pci(w, IOMMUABS_PCI(0, 0, 31, 7));
	ck_assert_uint_eq(dev->nr_streams, 1);
	ck_assert_uint_eq(dev->streams[0].first, 0xff00);
	ck_assert_uint_eq(dev->streams[0].nr, 0x100);
	ck_assert_int_eq(iommuabs_device_find_pci(
				 w->abs, IOMMUABS_PCI(0, 1, 0, 0), &dev),
			 IOMMUABS_E_UNTRANSLATED);
	machine_free(&machine);
	world_delete(w);
}
END_TEST

/* It has no id yet that the other table's scan could find at somebody else. */
START_TEST(a_device_on_an_unknown_bus_shares_no_id)
{
	static const char dmar[] =
		"table DMAR 1 b:45 b:1 z:10\n"
		"{0 b:1 b:0 w:0 q:0xd0000000 (1 z:2 b:0 b:0 b:0 b:0 ) "
		"(1 z:2 b:0 b:0 b:1 b:0 b:0 b:0 ) }\n";
	struct machine machine = { 0 };
	struct iommuabs_device *dev;
	struct world *w;

	w = world_with_registers(vtd_read);
	machine_add(&machine, dmar);
	machine_add(&machine, smmuv2_and_complex);
	OK(scan(w, &machine));
	ck_assert_uint_eq(by_pci(w, IOMMUABS_PCI(0, 0, 0, 0))->nr_pci, 1);
	ck_assert_int_eq(
		iommuabs_device_find_path(w->abs, "0000:00:01.0/00.0", &dev),
		IOMMUABS_E_NOENT);
	machine_free(&machine);
	world_delete(w);
}
END_TEST

START_TEST(no_table_is_no_unit)
{
	struct world *w = world_new(1);
	struct machine none = { 0 };

	refused(w, &none, 0, "");
	world_delete(w);
}
END_TEST

START_TEST(units_that_cannot_be_described_are_not_passed_over)
{
	struct world *w = world_new(1);
	struct machine machine = { .present = _i ? "VIOT" : "IVRS" };

	COVERS(iommuabs_scan_acpi, E_NOTSUP);
	refused(w, &machine, IOMMUABS_E_NOTSUP, machine.present);
	world_delete(w);
}
END_TEST

START_TEST(a_malformed_table_spoils_the_scan)
{
	struct machine machine = { 0 };
	struct world *w = world_new(1);

	COVERS(iommuabs_scan_acpi, E_FIRMWARE);
	machine_load(&machine, "dmar/segments.txt");
	machine_load(&machine, "iort/output-wraps.txt");
	refused(w, &machine, IOMMUABS_E_FIRMWARE, "IORT, offset 108");
	machine_free(&machine);
	world_delete(w);
}
END_TEST

START_TEST(tables_are_scanned_once)
{
	struct machine machine = { 0 };
	struct world *w = world_new(1);

	COVERS(iommuabs_scan_acpi, E_EXISTS);
	machine_add(&machine, smmuv2_and_complex);
	OK(scan(w, &machine));
	refused(w, &machine, IOMMUABS_E_EXISTS, "15000000");
	machine_free(&machine);
	world_delete(w);
}
END_TEST

START_TEST(a_unit_that_cannot_be_used_spoils_the_scan)
{
	struct machine machine = { 0 };
	struct world *w;
	char text[256];
	void *regs;

	COVERS(iommuabs_scan_acpi, E_UNIT);
	if (!backend_find(IOMMUABS_UNIT_SMMUV3))
		harness_skip("built without a driver that has registers");
	w = world_new(1);
	OK(posix_memalign(&regs, 0x10000, 0x20000));
	memset(regs, 0, 0x20000);
	snprintf(text, sizeof(text),
		 "table IORT 0 d:1 d:48 d:0\n"
		 "<4 b:0 d:1 d:0 d:0 q:%llu d:0 d:0 q:0 z:20 >\n",
		 (unsigned long long)(uintptr_t)regs);
	machine_add(&machine, text);
	refused(w, &machine, IOMMUABS_E_UNIT, "unit at 0x");
	machine_free(&machine);
	free(regs);
	world_delete(w);
}
END_TEST

START_TEST(a_scan_without_memory_adds_nothing)
{
	struct machine machine = { 0 };
	struct world *w = world_new(1);
	struct world_failing failing = { 0 };
	int ret;

	COVERS(iommuabs_scan_acpi, E_NOMEM);
	machine_load(&machine, "iort/shared.txt");
	world_failing_begin(w, &failing, IOMMUABS_E_NOMEM);
	do
		ret = scan(w, &machine);
	while (world_failing_again(w, &failing, ret));
	ck_assert_uint_gt(failing.nr, 3);
	machine_free(&machine);
	world_delete(w);
}
END_TEST

static void add_tests(TCase *tables)
{
	tcase_add_test(tables, what_a_structure_is_too_short_for_is_0);
	tcase_add_test(tables, include_pci_all_is_a_range_device);
	tcase_add_test(tables, what_a_broken_unit_sees_is_untranslated);
	tcase_add_test(tables, a_device_on_an_unknown_bus_is_left_out);
	tcase_add_test(tables,
		       components_that_share_an_id_are_found_by_each_path);
	tcase_add_test(tables, what_a_unit_sees_in_part_is_untranslated);
	tcase_add_test(tables, a_root_complex_is_a_range_device);
	tcase_add_test(tables, ids_that_a_unit_does_not_have_are_left_out);
	tcase_add_test(tables, a_device_on_an_unknown_bus_shares_no_id);
	tcase_add_test(tables, no_table_is_no_unit);
	tcase_add_loop_test(tables,
			    units_that_cannot_be_described_are_not_passed_over,
			    0, 2);
	tcase_add_test(tables, a_malformed_table_spoils_the_scan);
	tcase_add_test(tables, tables_are_scanned_once);
	tcase_add_test(tables, a_unit_that_cannot_be_used_spoils_the_scan);
	tcase_add_test(tables, a_scan_without_memory_adds_nothing);
}

#else

START_TEST(what_is_built_out_is_not_supported)
{
	struct world *w = world_new(1);
	struct machine none = { 0 };

	ck_assert_int_eq(iommuabs_scan_acpi(w->abs, find_table, &none),
			 IOMMUABS_E_NOTSUP);
	world_delete(w);
}
END_TEST

static void add_tests(TCase *tables)
{
	tcase_add_test(tables, what_is_built_out_is_not_supported);
}

#endif

static Suite *suite(void)
{
	Suite *s = suite_create("acpi");
	TCase *tables;

	if (!world_possible(s))
		return s;
	tables = tcase_create("tables");
	tcase_add_test(tables, a_scan_without_a_way_to_tables_is_invalid);
	add_tests(tables);
	suite_add_tcase(s, tables);
	return s;
}

HARNESS_MAIN(suite)
