/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_pci.c - PCI functions that are one: found, attached, moved, removed
 */
#include "core/change.h"
#include "core/pci_function.h"
#include "core/pci_topology.h"
#include "test_pci.h"
#include "test_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACS	TEST_PCI_ACS_ALL
#define STREAMS 0x8000 /* id of function 0 */
#define RW	(IOMMUABS_READ | IOMMUABS_WRITE)

/* ---- the ids of a function, as text ---- */

static char *ids_text(const struct pci_ids *ids)
{
	static char text[512];
	uint32_t i;

	text[0] = 0;
	for (i = 0; i < ids->nr; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 ids->spans[i].first == ids->spans[i].last
				 ? "%s%04x"
				 : "%s%04x-%04x",
			 i ? " " : "", ids->spans[i].first, ids->spans[i].last);
	return text;
}

static void expect_ids(uint32_t rid, const char *expected)
{
	struct test_host *host = test_host_new(TEST_HOST_ALLOC);
	struct pci_walk walk = { 0 };

	host->hostif.ops.pci_cfg_read = test_pci_read;
	ck_assert(pci_walk_begin(&walk, &host->hostif, 0));
	ck_assert_int_eq(pci_group_add(&walk, rid), 0);
	ck_assert_msg(!strcmp(ids_text(&walk.ids), expected),
		      "%04x: %s instead of %s", rid, ids_text(&walk.ids),
		      expected);
	test_host_delete(host);
}

START_TEST(ids_are_kept_in_order_and_apart)
{
	struct pci_ids ids = { 0 };
	uint32_t i;

	ck_assert(pci_ids_add(&ids, 5, 6) && pci_ids_add(&ids, 1, 1) &&
		  pci_ids_add(&ids, 9, 12));
	ck_assert_str_eq(ids_text(&ids), "0001 0005-0006 0009-000c");
	ck_assert(pci_ids_add(&ids, 2, 2) && pci_ids_add(&ids, 7, 10));
	ck_assert_str_eq(ids_text(&ids), "0001-0002 0005-000c");
	ck_assert_uint_eq(pci_ids_count(&ids), 10);
	ck_assert_uint_eq(pci_ids_next(&ids, 3), 5);
	ck_assert_uint_eq(pci_ids_next(&ids, 13), PCI_RIDS);
	ck_assert(pci_ids_add(&ids, 0, 0xffff));
	ck_assert_str_eq(ids_text(&ids), "0000-ffff");
	ids.nr = 0;
	for (i = 0; i < PCI_SPANS_MAX; i++)
		ck_assert(pci_ids_add(&ids, 2 * i, 2 * i));
	ck_assert(!pci_ids_add(&ids, 2 * i, 2 * i));
	ck_assert_uint_eq(ids.nr, PCI_SPANS_MAX);
}
END_TEST

START_TEST(a_function_behind_a_port_with_acs_is_itself)
{
	struct test_pci *pci = test_pci_new();

	test_pci_acs(test_pci_port(pci, 0x10, TEST_PCI_ROOT_PORT, 1, 1), ACS,
		     ACS);
	test_pci_acs(test_pci_port(pci, 0x18, TEST_PCI_ROOT_PORT, 2, 2), ACS,
		     ACS);
	test_pci_endpoint(pci, 0x100);
	test_pci_endpoint(pci, 0x200);
	expect_ids(0x100, "0100");
	expect_ids(0x200, "0200");
	expect_ids(0x10, "0010");
	test_pci_delete(pci);
}
END_TEST

/* Each of the bits is needed where it can be; what a root port can't, it isn't. */
START_TEST(a_port_needs_all_of_acs)
{
	static const struct {
		int type;
		uint32_t can, on;
		const char *ids; /* of what is behind two ports of a switch */
	} cases[] = {
		{ TEST_PCI_DOWNSTREAM, ACS, ACS, "0300" },
		{ TEST_PCI_DOWNSTREAM, ACS, ACS & ~TEST_PCI_SV, "0300 0400" },
		{ TEST_PCI_DOWNSTREAM, ACS, ACS & ~TEST_PCI_RR, "0300 0400" },
		{ TEST_PCI_DOWNSTREAM, ACS, ACS & ~TEST_PCI_CR, "0300 0400" },
		{ TEST_PCI_DOWNSTREAM, ACS, ACS & ~TEST_PCI_UF, "0300 0400" },
		{ TEST_PCI_DOWNSTREAM, ACS & ~TEST_PCI_RR, ACS & ~TEST_PCI_RR,
		  "0300 0400" },
		{ TEST_PCI_DOWNSTREAM, ACS | TEST_PCI_DT, ACS, "0300" },
		{ TEST_PCI_DOWNSTREAM, ACS | TEST_PCI_DT, ACS | TEST_PCI_DT,
		  "0300 0400" },
		{ TEST_PCI_ROOT_PORT, ACS, ACS & ~TEST_PCI_RR, "0300 0400" },
		{ TEST_PCI_ROOT_PORT, TEST_PCI_SV, TEST_PCI_SV, "0300" },
		{ TEST_PCI_ROOT_PORT, TEST_PCI_SV, 0, "0300 0400" },
	};
	struct test_pci *pci = test_pci_new();
	struct test_pci_function *root;
	bool at_root = cases[_i].type == TEST_PCI_ROOT_PORT;

	root = test_pci_port(pci, 0x10, TEST_PCI_ROOT_PORT, 1, 4);
	test_pci_acs(root, at_root ? cases[_i].can : ACS,
		     at_root ? cases[_i].on : ACS);
	test_pci_port(pci, 0x100, TEST_PCI_UPSTREAM, 2, 4);
	test_pci_acs(test_pci_port(pci, 0x200, TEST_PCI_DOWNSTREAM, 3, 3),
		     at_root ? ACS : cases[_i].can,
		     at_root ? ACS : cases[_i].on);
	test_pci_acs(test_pci_port(pci, 0x208, TEST_PCI_DOWNSTREAM, 4, 4), ACS,
		     ACS);
	test_pci_endpoint(pci, 0x300);
	test_pci_endpoint(pci, 0x400);
	expect_ids(0x300, cases[_i].ids);
	/* It is reached by the other one, whatever its own port does. */
	expect_ids(0x400, strlen(cases[_i].ids) > 4 ? cases[_i].ids : "0400");
	test_pci_delete(pci);
}
END_TEST

START_TEST(an_egress_vector_closes_or_opens_a_port)
{
	static const struct {
		uint32_t on, open;
		const char *ids;
	} cases[] = {
		/* Its own bit (port 0) means nothing. */
		{ ACS & ~TEST_PCI_RR, 1 << 0, "0300" },
		{ ACS, 1 << 0, "0300" },
		/* A clear bit of a peer's goes before Request Redirect. */
		{ ACS, 1 << 1, "0300 0400" },
		{ ACS & ~TEST_PCI_RR, 1 << 1, "0300 0400" },
		{ ACS & ~TEST_PCI_CR, 1 << 0, "0300 0400" },
	};
	struct test_pci *pci = test_pci_new();

	test_pci_acs(test_pci_port(pci, 0x10, TEST_PCI_ROOT_PORT, 1, 4), ACS,
		     ACS);
	test_pci_port(pci, 0x100, TEST_PCI_UPSTREAM, 2, 4);
	test_pci_egress(test_pci_port(pci, 0x200, TEST_PCI_DOWNSTREAM, 3, 3),
			cases[_i].on, cases[_i].open);
	test_pci_acs(test_pci_port(pci, 0x208, TEST_PCI_DOWNSTREAM, 4, 4), ACS,
		     ACS);
	test_pci_endpoint(pci, 0x300);
	test_pci_endpoint(pci, 0x400);
	expect_ids(0x300, cases[_i].ids);
	test_pci_delete(pci);
}
END_TEST

START_TEST(functions_of_a_slot_are_one_unless_each_redirects)
{
	struct test_pci *pci = test_pci_new();
	struct test_pci_function *fn[3];
	uint32_t i;

	test_pci_acs(test_pci_port(pci, 0x10, TEST_PCI_ROOT_PORT, 1, 1), ACS,
		     ACS);
	for (i = 0; i < 3; i++) {
		fn[i] = test_pci_endpoint(pci, (uint16_t)(0x100 + i));
		test_pci_multi(fn[i]);
	}
	expect_ids(0x101, "0100-0102");
	test_pci_acs(fn[0], TEST_PCI_RR | TEST_PCI_CR,
		     TEST_PCI_RR | TEST_PCI_CR);
	test_pci_acs(fn[1], TEST_PCI_RR | TEST_PCI_CR,
		     TEST_PCI_RR | TEST_PCI_CR);
	/* The third reaches them still. */
	expect_ids(0x100, "0100-0102");
	/* It can't talk to its peers at all. */
	test_pci_acs(fn[2], 0, 0);
	expect_ids(0x100, "0100");
	expect_ids(0x102, "0102");
	test_pci_delete(pci);
}
END_TEST

START_TEST(functions_of_a_slot_on_a_root_bus_are_one_and_slots_are_not)
{
	struct test_pci *pci = test_pci_new();

	test_pci_multi(test_pci_endpoint(pci, 0x08));
	test_pci_endpoint(pci, 0x0b);
	test_pci_endpoint(pci, 0x10);
	test_pci_add(pci, 0x18, TEST_PCI_CONVENTIONAL);
	expect_ids(0x08, "0008 000b");
	expect_ids(0x0b, "0008 000b");
	expect_ids(0x10, "0010");
	expect_ids(0x18, "0018");
	test_pci_delete(pci);
}
END_TEST

/* One function that answers for all eight numbers is one. */
START_TEST(a_single_function_is_asked_once)
{
	struct test_pci *pci = test_pci_new();

	test_pci_endpoint(pci, 0x08);
	test_pci_endpoint(pci, 0x09);
	expect_ids(0x08, "0008");
	test_pci_delete(pci);
}
END_TEST

START_TEST(root_ports_of_one_slot_without_acs_are_one_with_all_behind)
{
	struct test_pci *pci = test_pci_new();
	struct test_pci_function *port;

	port = test_pci_port(pci, 0xe0, TEST_PCI_ROOT_PORT, 1, 1);
	test_pci_multi(port);
	test_pci_acs(port, ACS, ACS);
	test_pci_port(pci, 0xe1, TEST_PCI_ROOT_PORT, 2, 2);
	test_pci_port(pci, 0xe8, TEST_PCI_ROOT_PORT, 3, 3);
	test_pci_endpoint(pci, 0x100);
	test_pci_endpoint(pci, 0x200);
	test_pci_endpoint(pci, 0x300);
	expect_ids(0x100, "0100 0200");
	expect_ids(0x200, "0100 0200");
	expect_ids(0x300, "0300");
	test_pci_delete(pci);
}
END_TEST

START_TEST(all_behind_a_bridge_to_pci_comes_as_its_secondary_bus)
{
	struct test_pci *pci = test_pci_new();

	test_pci_acs(test_pci_port(pci, 0x10, TEST_PCI_ROOT_PORT, 1, 3), ACS,
		     ACS);
	test_pci_port(pci, 0x100, TEST_PCI_TO_PCI, 2, 3);
	test_pci_add(pci, 0x208, TEST_PCI_CONVENTIONAL);
	test_pci_add(pci, 0x220, TEST_PCI_CONVENTIONAL);
	/* And a bridge on that bus: as itself, and maybe as its own bus. */
	test_pci_port(pci, 0x230, TEST_PCI_CONVENTIONAL, 3, 3);
	test_pci_add(pci, 0x308, TEST_PCI_CONVENTIONAL);
	expect_ids(0x208, "0200 0208 0220 0230 0300 0308");
	expect_ids(0x308, "0200 0208 0220 0230 0300 0308");
	/* The bridge's own messages are no device's behind it. */
	expect_ids(0x100, "0100");
	test_pci_delete(pci);
}
END_TEST

START_TEST(all_behind_a_conventional_bridge_comes_as_the_bridge)
{
	struct test_pci *pci = test_pci_new();

	test_pci_port(pci, 0xf0, TEST_PCI_CONVENTIONAL, 1, 1);
	test_pci_add(pci, 0x108, TEST_PCI_CONVENTIONAL);
	expect_ids(0x108, "00f0 0100 0108");
	expect_ids(0xf0, "00f0 0100 0108");
	test_pci_delete(pci);
}
END_TEST

START_TEST(a_bridge_from_pci_speaks_for_the_express_behind_it)
{
	struct test_pci *pci = test_pci_new();

	test_pci_port(pci, 0xf0, TEST_PCI_FROM_PCI, 1, 1);
	test_pci_endpoint(pci, 0x100);
	expect_ids(0x100, "00f0 0100");
	test_pci_delete(pci);
}
END_TEST

/* Device 0, function 0 of the bus, whom nobody answers as, is known to be in it. */
START_TEST(a_bridge_speaks_as_its_bus_to_pci_and_not_from_pci)
{
	static const struct {
		int type;
		const char *behind,
			*with_bus; /* the ids of 01:01.0, of 01:00.0 */
	} cases[] = {
		{ TEST_PCI_TO_PCI, "0100 0108", "0100 0108" },
		{ TEST_PCI_CONVENTIONAL, "00f0 0100 0108", "00f0 0100 0108" },
		{ TEST_PCI_FROM_PCI, "00f0 0108", "0100" },
	};
	struct test_host *host = test_host_new(TEST_HOST_ALLOC);
	struct test_pci *pci = test_pci_new();
	struct pci_walk walk = { 0 };

	host->hostif.ops.pci_cfg_read = test_pci_read;
	test_pci_port(pci, 0xf0, cases[_i].type, 1, 1);
	test_pci_endpoint(pci, 0x108);
	expect_ids(0x108, cases[_i].behind);
	ck_assert(pci_walk_begin(&walk, &host->hostif, 0));
	ck_assert(pci_ids_add(&walk.ids, 0x100, 0x100));
	ck_assert_int_eq(pci_group_close(&walk), 0);
	ck_assert_str_eq(ids_text(&walk.ids), cases[_i].with_bus);
	test_host_delete(host);
	test_pci_delete(pci);
}
END_TEST

START_TEST(xsa_449_phantom_functions_come_along)
{
	static const struct {
		uint32_t fn, bits;
		const char *ids;
	} cases[] = {
		{ 0, 0, "0100" },
		{ 0, 1, "0100 0104" },
		{ 0, 2, "0100 0102 0104 0106" },
		{ 0, 3, "0100-0107" },
		{ 3, 1, "0103 0107" },
		{ 1, 2, "0101 0103 0105 0107" },
	};
	struct test_pci *pci = test_pci_new();
	struct test_pci_function *fn;

	test_pci_acs(test_pci_port(pci, 0x10, TEST_PCI_ROOT_PORT, 1, 1), ACS,
		     ACS);
	if (cases[_i].fn) {
		fn = test_pci_endpoint(pci, 0x100);
		test_pci_multi(fn);
		test_pci_acs(fn, 0, 0);
	}
	fn = test_pci_endpoint(pci, (uint16_t)(0x100 + cases[_i].fn));
	test_pci_acs(fn, 0, 0);
	test_pci_phantom(fn, cases[_i].bits);
	expect_ids(0x100 + cases[_i].fn, cases[_i].ids);
	test_pci_delete(pci);
}
END_TEST

/* What is a phantom of one, and there as another, is both. */
START_TEST(a_number_that_two_functions_use_makes_them_one)
{
	struct test_pci *pci = test_pci_new();
	struct test_pci_function *fn;

	test_pci_acs(test_pci_port(pci, 0x10, TEST_PCI_ROOT_PORT, 1, 1), ACS,
		     ACS);
	fn = test_pci_endpoint(pci, 0x100);
	test_pci_multi(fn);
	test_pci_acs(fn, 0, 0);
	test_pci_phantom(fn, 1);
	fn = test_pci_endpoint(pci, 0x104);
	test_pci_acs(fn, 0, 0);
	test_pci_id(fn, 0x1b4b, 0x9172); /* uses function 1 */
	expect_ids(0x100, "0100-0101 0104");
	/* Whoever is asked for. */
	expect_ids(0x104, "0100-0101 0104");
	test_pci_delete(pci);
}
END_TEST

/* Asked for a function whose number another part of the slot uses. */
START_TEST(a_part_that_uses_a_number_is_one_with_who_has_it)
{
	struct test_pci *pci = test_pci_new();
	struct test_pci_function *fn;
	uint32_t i;

	test_pci_acs(test_pci_port(pci, 0x10, TEST_PCI_ROOT_PORT, 1, 1), ACS,
		     ACS);
	for (i = 0; i < 5; i++) {
		fn = test_pci_endpoint(pci, (uint16_t)(0x100 + i));
		test_pci_multi(fn);
		test_pci_acs(fn, 0, 0);
	}
	test_pci_id(fn, 0x1b4b, 0x9172); /* uses function 1 */
	expect_ids(0x101, "0101 0104");
	expect_ids(0x104, "0101 0104");
	expect_ids(0x100, "0100");
	test_pci_delete(pci);
}
END_TEST

START_TEST(a_part_that_uses_another_number_has_both)
{
	static const struct {
		uint16_t vendor, device;
		const char *ids;
	} cases[] = {
		{ 0x1b4b, 0x9123, "0100-0101" },
		{ 0x1b4b, 0x9235, "0100-0101" },
		{ 0x1b4b, 0x9236, "0100" },
		{ 0x1180, 0xe832, "0100" },
		{ 0x8086, 0x9123, "0100" },
	};
	struct test_pci *pci = test_pci_new();

	test_pci_acs(test_pci_port(pci, 0x10, TEST_PCI_ROOT_PORT, 1, 1), ACS,
		     ACS);
	test_pci_id(test_pci_endpoint(pci, 0x100), cases[_i].vendor,
		    cases[_i].device);
	expect_ids(0x100, cases[_i].ids);
	test_pci_delete(pci);
}
END_TEST

START_TEST(virtual_functions_are_found_by_their_physical_one)
{
	struct test_pci *pci = test_pci_new();
	struct test_pci_function *port, *fn, *vf;

	port = test_pci_port(pci, 0x10, TEST_PCI_ROOT_PORT, 1, 2);
	test_pci_acs(port, ACS, ACS);
	fn = test_pci_endpoint(pci, 0x100);
	test_pci_ari(fn);
	test_pci_sriov(pci, fn, 4, 0x80, 0x40); /* some on bus 2 */
	expect_ids(0x100, "0100");
	expect_ids(0x180, "0180");
	expect_ids(0x240, "0240");
	/* One that could talk to the others, and isn't kept from it. */
	vf = &pci->functions[3];
	ck_assert_uint_eq(vf->rid, 0x1c0);
	test_pci_acs(vf, TEST_PCI_RR | TEST_PCI_CR, 0);
	expect_ids(0x1c0, "0100 0180 01c0 0200 0240");
	expect_ids(0x100, "0100 0180 01c0 0200 0240");
	vf->config[0x106] = TEST_PCI_RR | TEST_PCI_CR;
	expect_ids(0x1c0, "01c0");
	/* Whichever of them it is. */
	test_pci_acs(&pci->functions[2], TEST_PCI_RR | TEST_PCI_CR, 0);
	expect_ids(0x100, "0100 0180 01c0 0200 0240");
	pci->functions[2].config[0x106] = TEST_PCI_RR | TEST_PCI_CR;
	expect_ids(0x100, "0100");
	/* Without ACS in the port all are one. */
	port->config[0x106] = 0;
	expect_ids(0x1c0, "0100 0180 01c0 0200 0240");
	expect_ids(0x100, "0100 0180 01c0 0200 0240");
	test_pci_delete(pci);
}
END_TEST

/* A port that redirects all, next to one that may send to any of its peers. */
START_TEST(a_virtual_function_is_reached_past_its_port)
{
	struct test_pci *pci = test_pci_new();

	test_pci_acs(test_pci_port(pci, 0x10, TEST_PCI_ROOT_PORT, 1, 4), ACS,
		     ACS);
	test_pci_port(pci, 0x100, TEST_PCI_UPSTREAM, 2, 4);
	test_pci_acs(test_pci_port(pci, 0x200, TEST_PCI_DOWNSTREAM, 3, 3), ACS,
		     ACS);
	test_pci_port(pci, 0x208, TEST_PCI_DOWNSTREAM, 4, 4);
	test_pci_sriov(pci, test_pci_endpoint(pci, 0x300), 1, 1, 1);
	test_pci_endpoint(pci, 0x400);
	expect_ids(0x301, "0300-0301 0400");
	expect_ids(0x300, "0300-0301 0400");
	test_pci_delete(pci);
}
END_TEST

/* The stride between virtual functions says nothing where there is but one. */
START_TEST(a_single_virtual_function_has_no_stride)
{
	struct test_pci *pci = test_pci_new();
	struct test_host *host = test_host_new(TEST_HOST_ALLOC);
	struct pci_walk walk = { 0 };

	test_pci_sriov(pci, test_pci_endpoint(pci, 0x100), 1, 0x80, 0);
	expect_ids(0x180, "0180");
	host->hostif.ops.pci_cfg_read = test_pci_read;
	ck_assert(pci_walk_begin(&walk, &host->hostif, 0));
	ck_assert_int_eq(pci_group_add(&walk, 0x181), IOMMUABS_E_NOENT);
	test_host_delete(host);
	test_pci_delete(pci);
}
END_TEST

START_TEST(ari_makes_device_numbers_functions)
{
	struct test_pci *pci = test_pci_new();
	struct test_pci_function *fn;

	test_pci_acs(test_pci_port(pci, 0x10, TEST_PCI_ROOT_PORT, 1, 1), ACS,
		     ACS);
	fn = test_pci_endpoint(pci, 0x100);
	test_pci_endpoint(pci, 0x1a3);
	expect_ids(0x100, "0100");
	test_pci_ari(fn);
	expect_ids(0x100, "0100 01a3");
	test_pci_delete(pci);
}
END_TEST

/* ---- whatever there is, who is one with whom is the same for all of them ---- */

static const uint32_t some_acs[] = { 0, ACS, ACS, ACS & ~TEST_PCI_RR,
				     TEST_PCI_RR | TEST_PCI_CR };

static void random_acs(struct test_pci_function *fn, uint64_t *seed)
{
	if (test_random_below(seed, 4))
		test_pci_acs(
			fn, ACS,
			some_acs[test_random_below(seed, IA_COUNT(some_acs))]);
}

static void random_bus(struct test_pci *pci, uint32_t bus, uint32_t *last,
		       uint64_t *seed);

static void random_function(struct test_pci *pci, uint16_t rid, uint32_t *last,
			    uint64_t *seed)
{
	static const int bridges[] = {
		TEST_PCI_ROOT_PORT,  TEST_PCI_UPSTREAM, TEST_PCI_DOWNSTREAM,
		TEST_PCI_DOWNSTREAM, TEST_PCI_TO_PCI,	TEST_PCI_CONVENTIONAL,
		TEST_PCI_FROM_PCI
	};
	struct test_pci_function *fn;
	uint32_t first = *last + 1;

	if (*last > 12 || !test_random_below(seed, 2)) {
		fn = test_pci_endpoint(pci, rid);
		random_acs(fn, seed);
		if (!test_random_below(seed, 6))
			test_pci_phantom(fn,
					 (uint32_t)test_random_below(seed, 4));
		if (!test_random_below(seed, 8))
			test_pci_id(fn, 0x1b4b, 0x9172);
		return;
	}
	fn = test_pci_port(
		pci, rid,
		rid >> 8 ? bridges[test_random_below(seed, IA_COUNT(bridges))]
			 : TEST_PCI_ROOT_PORT,
		(uint8_t)first, (uint8_t)first);
	random_acs(fn, seed);
	++*last;
	random_bus(pci, first, last, seed);
	test_pci_buses(fn, (uint8_t)first, (uint8_t)*last);
}

static void random_bus(struct test_pci *pci, uint32_t bus, uint32_t *last,
		       uint64_t *seed)
{
	uint32_t slot, fn, slots = 1 + (uint32_t)test_random_below(seed, 3);
	uint32_t made;

	for (slot = 0; slot < slots; slot++) {
		made = *last;
		random_function(pci, (uint16_t)(bus << 8 | slot << 3), last,
				seed);
		if (made != *last || test_random_below(seed, 3))
			continue;
		for (fn = 0; fn < TEST_PCI_MAX; fn++)
			if (pci->functions[fn].present &&
			    pci->functions[fn].rid == (bus << 8 | slot << 3))
				test_pci_multi(&pci->functions[fn]);
		for (fn = 1; fn < 4; fn++)
			random_function(pci,
					(uint16_t)(bus << 8 | slot << 3 | fn),
					last, seed);
	}
}

/* A port only has its own number, whatever it is next to. */
static bool is_port(const struct test_pci_function *fn)
{
	uint32_t type = fn->config[0x42] >> 4;

	return fn->config[0x0e] & 1 && fn->config[0x34] &&
	       type != TEST_PCI_FROM_PCI;
}

START_TEST(all_members_of_a_group_agree_about_it)
{
	struct test_host *host = test_host_new(TEST_HOST_ALLOC);
	struct test_pci *pci = test_pci_new();
	struct pci_walk one = { 0 }, two = { 0 };
	uint64_t seed = (uint64_t)_i;
	uint32_t last = 0, a, b;

	host->hostif.ops.pci_cfg_read = test_pci_read;
	random_bus(pci, 0, &last, &seed);
	for (a = 0; a < TEST_PCI_MAX; a++) {
		if (!pci->functions[a].present || is_port(&pci->functions[a]))
			continue;
		ck_assert(pci_walk_begin(&one, &host->hostif, 0));
		ck_assert_int_eq(pci_group_add(&one, pci->functions[a].rid), 0);
		for (b = 0; b < TEST_PCI_MAX; b++) {
			if (!pci->functions[b].present ||
			    is_port(&pci->functions[b]) ||
			    !pci_ids_have(&one.ids, pci->functions[b].rid))
				continue;
			ck_assert(pci_walk_begin(&two, &host->hostif, 0));
			ck_assert_int_eq(
				pci_group_add(&two, pci->functions[b].rid), 0);
			ck_assert_msg(pci_ids_equal(&one.ids, &two.ids),
				      "%04x and %04x", pci->functions[a].rid,
				      pci->functions[b].rid);
		}
	}
	test_host_delete(host);
	test_pci_delete(pci);
}
END_TEST

/* Lists that bite their tail, bridges in a circle, everything there is. */
/* Offsets past the last word would be another function's: the model aborts. */
START_TEST(a_capability_that_does_not_fit_is_none)
{
	static const uint32_t ids[] = { 0x000d, 0x000e, 0x0010 };
	struct test_pci *pci = test_pci_new();
	struct test_host *host = test_host_new(TEST_HOST_ALLOC);
	struct pci_walk walk = { 0 };
	struct test_pci_function *fn = test_pci_endpoint(pci, 0x100);

	host->hostif.ops.pci_cfg_read = test_pci_read;
	ck_assert(pci_walk_begin(&walk, &host->hostif, 0));
	test_pci_ext_at(fn, 0xffc, ids[_i]);
	ck_assert_uint_eq(pci_ext_find(&walk, 0x100, ids[_i]), 0);
	ck_assert(!pci_isolates(&walk, 0x100));
	ck_assert_uint_eq(pci_vfs_of(&walk, 0x100).nr, 0);
	test_pci_ext_at(fn, ids[_i] == 0x0010 ? 0xfc0 : 0xff8, ids[_i]);
	ck_assert_uint_ne(pci_ext_find(&walk, 0x100, ids[_i]), 0);
	test_host_delete(host);
	test_pci_delete(pci);
}
END_TEST

/* ACS with Egress Control, and a vector of 256 bits that begins in the last word. */
START_TEST(a_vector_that_does_not_fit_closes_nothing)
{
	struct test_pci *pci = test_pci_new();
	struct test_host *host = test_host_new(TEST_HOST_ALLOC);
	struct pci_walk walk = { 0 };
	struct test_pci_function *fn =
		test_pci_port(pci, 0x10, TEST_PCI_ROOT_PORT, 1, 1);

	host->hostif.ops.pci_cfg_read = test_pci_read;
	ck_assert(pci_walk_begin(&walk, &host->hostif, 0));
	test_pci_ext_at(fn, 0xff4, 0x000d);
	fn->config[0xff8] = ACS | TEST_PCI_EC;
	fn->config[0xffa] = TEST_PCI_SV | TEST_PCI_UF | TEST_PCI_EC;
	memset(&fn->config[0xffc], 0xff, 4);
	ck_assert(!pci_isolates(&walk, 0x10));
	test_host_delete(host);
	test_pci_delete(pci);
}
END_TEST

START_TEST(a_hostile_space_is_read_in_bounded_time)
{
	struct test_pci *pci = test_pci_new();
	struct test_pci_function *fn;
	struct test_host *host = test_host_new(TEST_HOST_ALLOC);
	struct pci_walk walk = { 0 };
	uint32_t i;

	host->hostif.ops.pci_cfg_read = test_pci_read;
	fn = test_pci_endpoint(pci, 0x1000);
	fn->config[0x34] = 0x50;
	fn->config[0x51] = 0x50;
	test_pci_ari(fn);
	fn->config[0x100] = 0xff;
	fn->config[0x103] = 0x10; /* the next is this one */
	/* Behind one another, behind themselves, and behind what isn't there. */
	for (i = 0; i < 16; i++) {
		fn = test_pci_port(pci, (uint16_t)(i << 8),
				   TEST_PCI_CONVENTIONAL, (uint8_t)(i + 1),
				   255);
		test_pci_multi(fn);
		test_pci_port(pci, (uint16_t)(i << 8 | 1),
			      TEST_PCI_CONVENTIONAL, (uint8_t)i, 0);
		test_pci_port(pci, (uint16_t)(i << 8 | 2),
			      TEST_PCI_CONVENTIONAL, 1, 255);
	}
	ck_assert(pci_walk_begin(&walk, &host->hostif, 0));
	ck_assert_int_eq(pci_group_add(&walk, 0x1000), 0);
	ck_assert(pci_ids_have(&walk.ids, 0));
	ck_assert_uint_lt(pci->reads, 10000000);
	test_host_delete(host);
	test_pci_delete(pci);
}
END_TEST

/* ---- devices ---- */

/*
 * A machine with a host bridge whose ids are functions' numbers + 0x8000, and
 *   00:02.0 port with ACS -> 01:00.0 bridge -> 02:01.0, 02:04.0 conventional
 *   00:03.0 port with ACS -> 03:00.0 and .1, without ACS
 *   00:04.0 port with ACS -> 04:00.0
 */
struct machine {
	struct world *w;
	struct test_pci *pci;
	struct iommuabs_device *bridge;
};

static void machine_space(struct test_pci *pci)
{
	uint16_t rid;

	for (rid = 0x10; rid <= 0x20; rid += 8)
		test_pci_acs(test_pci_port(pci, rid, TEST_PCI_ROOT_PORT,
					   rid == 0x10 ? 1 : (uint8_t)(rid / 8),
					   (uint8_t)(rid / 8)),
			     ACS, ACS);
	test_pci_port(pci, 0x100, TEST_PCI_TO_PCI, 2, 2);
	test_pci_add(pci, 0x208, TEST_PCI_CONVENTIONAL);
	test_pci_add(pci, 0x220, TEST_PCI_CONVENTIONAL);
	test_pci_multi(test_pci_endpoint(pci, 0x300));
	test_pci_endpoint(pci, 0x301);
	test_pci_endpoint(pci, 0x400);
}

static struct iommuabs_device *range_add(struct world *w, uint32_t ignored)
{
	const struct iommuabs_stream_range range = {
		.unit = w->unit[0].unit,
		.first = STREAMS,
		.nr = 0x8000,
	};
	struct iommuabs_device_desc desc = world_device_desc(
		&range, IOMMUABS_DEVICE_PCI | IOMMUABS_DEVICE_RANGE);
	struct iommuabs_device *bridge;

	desc.rid_ignored = ignored;
	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &bridge), 0);
	return bridge;
}

static struct machine machine_new(void)
{
	struct machine m = { .w = world_new(1), .pci = test_pci_new() };

	m.w->abs->host.ops.pci_cfg_read = test_pci_read;
	machine_space(m.pci);
	m.bridge = range_add(m.w, 0);
	return m;
}

static void machine_delete(struct machine *m)
{
	world_delete(m->w);
	test_pci_delete(m->pci);
}

static int add(struct machine *m, uint32_t rid, struct iommuabs_device **dev)
{
	return iommuabs_device_add_pci(m->w->abs, rid, (void *)(uintptr_t)rid,
				       dev);
}

static struct iommuabs_device *added(struct machine *m, uint32_t rid)
{
	struct iommuabs_device *dev;

	ck_assert_int_eq(add(m, rid, &dev), 0);
	return dev;
}

/* A device that somebody described, of one id. */
static struct iommuabs_device *described(struct machine *m, uint32_t rid)
{
	const struct iommuabs_stream_range range = {
		.unit = m->w->unit[0].unit,
		.first = STREAMS + rid,
		.nr = 1,
		.rid = rid,
	};
	const struct iommuabs_device_desc desc =
		world_device_desc(&range, IOMMUABS_DEVICE_PCI);
	struct iommuabs_device *dev;

	ck_assert_int_eq(iommuabs_device_add(m->w->abs, &desc, &dev), 0);
	return dev;
}

static char *functions_text(struct iommuabs_device *dev)
{
	struct iommuabs_pci_range ranges[IOMMUABS_ALIASES_MAX];
	struct pci_ids ids = { 0 };
	uint32_t i, nr;

	ck_assert_int_eq(iommuabs_device_functions(dev, ranges,
						   IOMMUABS_ALIASES_MAX, &nr),
			 0);
	for (i = 0; i < nr; i++)
		ck_assert(pci_ids_add(&ids, ranges[i].pci,
				      ranges[i].pci + ranges[i].nr - 1));
	return ids_text(&ids);
}

/* Is that what the unit does with the stream of @rid? */
static void expect_stream(struct machine *m, uint32_t rid,
			  enum backend_stream_kind kind)
{
	struct world_unit *u = &m->w->unit[0];
	struct backend_stream live;

	u->real->read_stream(&u->unit->hw, STREAMS + rid, &live);
	ck_assert_msg(live.kind == kind, "%04x: %d", rid, live.kind);
}

static struct iommuabs_domain *guest(struct machine *m)
{
	struct iommuabs_domain *dom = world_domain(m->w);
	uint64_t mfn = 0x1000 * (uint64_t)dom->owner.number;

	ck_assert_int_eq(iommuabs_domain_map(dom, IOMMUABS_GFN(0x100),
					     IOMMUABS_MFN(mfn), 16, RW, NULL),
			 0);
	return dom;
}

START_TEST(a_group_is_one_device_under_every_name)
{
	struct machine m = machine_new();
	struct iommuabs_device *dev = added(&m, 0x208), *found;
	struct iommuabs_pci_range range;
	uint32_t nr;
	char *dump;

	ck_assert_str_eq(functions_text(dev), "0200 0208 0220");
	ck_assert_ptr_eq(dev->cookie, (void *)0x208);
	ck_assert_ptr_eq(added(&m, 0x220), dev);
	ck_assert_ptr_eq(dev->cookie, (void *)0x208);
	ck_assert_int_eq(iommuabs_device_find_pci(m.w->abs, 0x200, &found), 0);
	ck_assert_ptr_eq(found, dev);
	ck_assert_ptr_ne(added(&m, 0x400), dev);
	ck_assert_int_eq(iommuabs_device_functions(dev, &range, 1, &nr), 0);
	ck_assert_uint_eq(nr, 3);
	ck_assert_uint_eq(range.pci, 0x200);
	dump = world_dump(m.w);
	ck_assert_ptr_nonnull(strstr(dump, "device pci-0000:02:01.0: blocked"));
	ck_assert_ptr_nonnull(strstr(dump, "pci 220+1"));
	ck_assert_ptr_nonnull(strstr(dump, "of all that PCI doesn't tell"));
	ck_assert_ptr_nonnull(strstr(dump, "streams 8220+1"));
	free(dump);
	machine_delete(&m);
}
END_TEST

START_TEST(a_group_is_attached_moved_and_blocked_as_one)
{
	static const uint32_t rids[] = { 0x200, 0x208, 0x220 };
	const struct iommuabs_attach_options window = {
		.size = sizeof(window),
		.flags = IOMMUABS_ALLOW_WINDOW,
	};
	struct machine m = machine_new();
	struct iommuabs_device *dev = added(&m, 0x220);
	struct iommuabs_domain *a = guest(&m), *b = guest(&m);
	uint32_t i;

	ck_assert_int_eq(iommuabs_start(m.w->abs), 0);
	ck_assert_int_eq(iommuabs_device_attach(dev, a, NULL, 0), 0);
	for (i = 0; i < IA_COUNT(rids); i++)
		expect_stream(&m, rids[i], BACKEND_STREAM_TABLE);
	expect_stream(&m, 0x100, BACKEND_STREAM_BLOCKED);
	expect_stream(&m, 0x201, BACKEND_STREAM_BLOCKED);
	/* One entry that fails takes all back. */
	m.w->unit[0].set_fails = 5;
	ck_assert_int_eq(iommuabs_device_move(dev, b, &window, 0),
			 IOMMUABS_E_TIMEOUT);
	ck_assert_int_eq(iommuabs_unit_recover(m.w->unit[0].unit, 0), 0);
	for (i = 0; i < IA_COUNT(rids); i++)
		expect_stream(&m, rids[i], BACKEND_STREAM_TABLE);
	ck_assert_ptr_eq(dev->dom, a);
	ck_assert_int_eq(iommuabs_device_move(dev, b, &window, 0), 0);
	ck_assert_ptr_eq(dev->dom, b);
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	for (i = 0; i < IA_COUNT(rids); i++)
		expect_stream(&m, rids[i], BACKEND_STREAM_BLOCKED);
	machine_delete(&m);
}
END_TEST

/* Devices that somebody described for its functions stand for it, and come back. */
START_TEST(a_call_on_a_member_is_about_the_group)
{
	struct machine m = machine_new();
	struct iommuabs_device *one = described(&m, 0x300), *group, *found;
	struct iommuabs_device *other = described(&m, 0x301);
	struct iommuabs_explanation why = { .size = sizeof(why) };
	struct iommuabs_device_stats stats = { .size = sizeof(stats) };
	struct iommuabs_domain *a = guest(&m), *b = guest(&m);
	uint32_t nr;

	COVERS(iommuabs_device_remove, E_BUSY);
	ck_assert_uint_eq(m.bridge->nr_carved, 2);
	group = added(&m, 0x301);
	ck_assert_uint_eq(m.bridge->nr_carved, 1);
	ck_assert_ptr_ne(group, one);
	ck_assert_int_eq(iommuabs_device_find_pci(m.w->abs, 0x300, &found), 0);
	ck_assert_ptr_eq(found, group);
	ck_assert_int_eq(iommuabs_start(m.w->abs), 0);
	ck_assert_int_eq(iommuabs_device_attach(one, a, NULL, 0), 0);
	ck_assert_ptr_eq(group->dom, a);
	expect_stream(&m, 0x300, BACKEND_STREAM_TABLE);
	expect_stream(&m, 0x301, BACKEND_STREAM_TABLE);
	ck_assert_int_eq(iommuabs_device_attach(other, b, NULL, 0),
			 IOMMUABS_E_BUSY);
	ck_assert_int_eq(
		iommuabs_device_explain(other, IOMMUABS_GFN(0x100), RW, &why),
		0);
	ck_assert_int_eq(why.obstacle, IOMMUABS_OBSTACLE_NONE);
	ck_assert_str_eq(why.text, "gfn 100, stream 8300 of a group of 2: the "
				   "access goes through");
	ck_assert_int_eq(iommuabs_device_functions(other, NULL, 0, &nr), 0);
	ck_assert_uint_eq(nr, 1);
	ck_assert_int_eq(iommuabs_device_stats(one, &stats), 0);
	ck_assert_int_eq(
		iommuabs_device_set_fault_policy(one, IOMMUABS_FAULTS_REPORT),
		0);
	ck_assert_uint_eq(group->fault_policy, IOMMUABS_FAULTS_REPORT);
	ck_assert_int_eq(iommuabs_device_move(other, b, NULL, 0),
			 IOMMUABS_E_WINDOW);
	ck_assert_int_eq(iommuabs_device_remove(one), IOMMUABS_E_BUSY);
	ck_assert_int_eq(iommuabs_device_detach(other, 0), 0);
	expect_stream(&m, 0x300, BACKEND_STREAM_BLOCKED);
	ck_assert_int_eq(iommuabs_device_remove(one), IOMMUABS_E_BUSY);
	ck_assert_int_eq(iommuabs_device_remove(group), 0);
	ck_assert_uint_eq(m.bridge->nr_carved, 2);
	ck_assert_int_eq(iommuabs_device_find_pci(m.w->abs, 0x300, &found), 0);
	ck_assert_ptr_eq(found, one);
	ck_assert_int_eq(iommuabs_device_attach(one, a, NULL, 0), 0);
	expect_stream(&m, 0x301, BACKEND_STREAM_BLOCKED);
	ck_assert_int_eq(iommuabs_device_detach(one, 0), 0);
	ck_assert_int_eq(iommuabs_device_remove(one), 0);
	machine_delete(&m);
}
END_TEST

/* What a device was described with is the group's as well. */
START_TEST(a_described_device_brings_its_other_functions)
{
	struct machine m = machine_new();
	const struct iommuabs_stream_range range = { .unit = m.w->unit[0].unit,
						     .first = STREAMS + 0x400,
						     .nr = 1,
						     .rid = 0x400 };
	const struct iommuabs_device_alias alias = { .path = "/other",
						     .pci = 0x208,
						     .nr_pci = 1 };
	struct iommuabs_device_desc desc =
		world_device_desc(&range, IOMMUABS_DEVICE_PCI);
	struct iommuabs_device *dev, *found;

	desc.aliases = &alias;
	desc.nr_aliases = 1;
	desc.flags |= IOMMUABS_DEVICE_UNSAFE_MSI;
	ck_assert_int_eq(iommuabs_device_add(m.w->abs, &desc, &dev), 0);
	dev = added(&m, 0x400);
	ck_assert_str_eq(functions_text(dev), "0200 0208 0220 0400");
	ck_assert(dev->flags & IOMMUABS_DEVICE_UNSAFE_MSI);
	ck_assert_int_eq(iommuabs_device_find_path(m.w->abs, "/other", &found),
			 0);
	ck_assert_ptr_eq(found, dev);
	ck_assert_int_eq(iommuabs_device_attach(dev, guest(&m), NULL, 0),
			 IOMMUABS_E_UNSAFE_MSI);
	machine_delete(&m);
}
END_TEST

/* What a name says of another segment, or past the end of this one, is not of it. */
START_TEST(names_bring_functions_of_their_segment_only)
{
	struct machine m = machine_new();
	const struct iommuabs_stream_range range = { .unit = m.w->unit[0].unit,
						     .first = STREAMS + 0x400,
						     .nr = 1,
						     .rid = 0x400 };
	const struct iommuabs_device_alias aliases[] = {
		{ .pci = 0x10208, .nr_pci = 1 },
		{ .pci = 0xffff, .nr_pci = 4 },
	};
	struct iommuabs_device_desc desc =
		world_device_desc(&range, IOMMUABS_DEVICE_PCI);
	struct iommuabs_device *dev;

	desc.aliases = aliases;
	desc.nr_aliases = 2;
	ck_assert_int_eq(iommuabs_device_add(m.w->abs, &desc, &dev), 0);
	ck_assert_str_eq(functions_text(added(&m, 0x400)), "0400 ffff");
	machine_delete(&m);
}
END_TEST

/* C17: what is true of a range is of what is carved out of it. */
START_TEST(functions_of_an_unsafe_range_are_unsafe)
{
	struct world *w = world_new(1);
	struct machine m = { .w = w, .pci = test_pci_new() };
	const struct iommuabs_stream_range range = { .unit = w->unit[0].unit,
						     .first = STREAMS,
						     .nr = 0x8000 };
	const struct iommuabs_device_desc desc = world_device_desc(
		&range, IOMMUABS_DEVICE_PCI | IOMMUABS_DEVICE_RANGE |
				IOMMUABS_DEVICE_UNSAFE_MSI);

	w->abs->host.ops.pci_cfg_read = test_pci_read;
	machine_space(m.pci);
	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &m.bridge), 0);
	ck_assert_int_eq(
		iommuabs_device_attach(added(&m, 0x400), guest(&m), NULL, 0),
		IOMMUABS_E_UNSAFE_MSI);
	machine_delete(&m);
}
END_TEST

/* Streams that follow each other, of functions that don't: each is explained, and
 * found, by its own requester ID. */
START_TEST(ids_in_a_row_of_functions_apart_are_two_pieces)
{
	struct world *w = world_new(1);
	struct machine m = { .w = w, .pci = test_pci_new() };
	const struct iommuabs_stream_range ranges[] = {
		{ .unit = w->unit[0].unit,
		  .first = 0x10,
		  .nr = 1,
		  .rid = 0x300 },
		{ .unit = w->unit[0].unit,
		  .first = 0x11,
		  .nr = 1,
		  .rid = 0x302 },
	};
	struct iommuabs_device_desc desc = world_device_desc(
		ranges, IOMMUABS_DEVICE_PCI | IOMMUABS_DEVICE_RANGE);
	struct iommuabs_device *dev;

	w->abs->host.ops.pci_cfg_read = test_pci_read;
	machine_space(m.pci);
	test_pci_renumber(&m.pci->functions[7], 0x302);
	desc.nr_streams = 2;
	desc.nr_pci = 3;
	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &m.bridge), 0);
	dev = added(&m, 0x300);
	ck_assert_str_eq(functions_text(dev), "0300 0302");
	ck_assert_uint_eq(dev->nr_streams, 2);
	ck_assert_uint_eq(dev->streams[1].rid, 0x302);
	machine_delete(&m);
}
END_TEST

/* C8: those of members, of the range, each once. */
START_TEST(a_group_needs_the_regions_of_all)
{
	static const struct iommuabs_reserved regions[] = {
		{ { 0x800 }, { 0x800 }, 4, RW },
		{ { 0x900 }, { 0x900 }, 4, RW },
	};
	struct machine m = machine_new();
	struct iommuabs_device *dev;
	struct iommuabs_domain *a = guest(&m);
	uint32_t i;

	for (i = 0; i < 2; i++) {
		const struct iommuabs_stream_range range = {
			.unit = m.w->unit[0].unit,
			.first = STREAMS + 0x300 + i,
			.nr = 1,
			.rid = 0x300 + i,
		};
		struct iommuabs_device_desc desc =
			world_device_desc(&range, IOMMUABS_DEVICE_PCI);

		desc.reserved = regions;
		desc.nr_reserved = 1 + i;
		ck_assert_int_eq(iommuabs_device_add(m.w->abs, &desc, &dev), 0);
	}
	dev = added(&m, 0x300);
	ck_assert_uint_eq(dev->nr_reserved, 2);
	ck_assert_int_eq(iommuabs_device_attach(dev, a, NULL, 0), 0);
	for (i = 0; i < 2; i++)
		ck_assert_int_eq(iommuabs_domain_map(a, regions[i].gfn,
						     IOMMUABS_MFN(0x5000), 1,
						     RW, NULL),
				 IOMMUABS_E_RESERVED);
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	ck_assert_int_eq(iommuabs_domain_map(a, regions[1].gfn,
					     IOMMUABS_MFN(0x5000), 1, RW, NULL),
			 0);
	ck_assert_int_eq(iommuabs_device_attach(dev, a, NULL, 0),
			 IOMMUABS_E_RESERVED);
	machine_delete(&m);
}
END_TEST

/* A unit that isn't told bits of the requester ID can't tell functions apart. */
START_TEST(functions_that_a_unit_takes_for_one_are_one)
{
	struct world *w = world_new(1);
	struct test_pci *pci = test_pci_new();
	struct machine m = { .w = w, .pci = pci };
	struct iommuabs_device *dev;

	w->abs->host.ops.pci_cfg_read = test_pci_read;
	machine_space(pci);
	m.bridge = range_add(w, 0x0100);
	dev = added(&m, 0x301);
	/*
	 * 02xx and 03xx arrive as 02xx, and as 0200 all behind the bridge does.
	 */
	ck_assert_str_eq(functions_text(dev),
			 "0200-0201 0208 0220 0300-0301 0308 0320");
	ck_assert_uint_eq(dev->nr_streams, 3);
	ck_assert_ptr_eq(added(&m, 0x220), dev);
	machine_delete(&m);
}
END_TEST

/* ---- what comes and goes ---- */

static struct {
	void (*lock)(void *ctx, void *lock);
	uint32_t taken;
} counted;

static void count_lock(void *ctx, void *lock)
{
	counted.taken++;
	counted.lock(ctx, lock);
}

/* Of a unit that is told no requester ID at all: each has the lock now and then. */
START_TEST(a_unit_takes_all_functions_for_one)
{
	struct world *w = world_new(1);
	struct machine m = { .w = w, .pci = test_pci_new() };
	struct iommuabs_device *dev;

	w->abs->host.ops.pci_cfg_read = test_pci_read;
	machine_space(m.pci);
	m.bridge = range_add(w, 0x7fff);
	counted.lock = w->abs->host.ops.lock;
	counted.taken = 0;
	w->abs->host.ops.lock = count_lock;
	dev = added(&m, 0x301);
	w->abs->host.ops.lock = counted.lock;
	ck_assert_str_eq(functions_text(dev), "0000-7fff");
	ck_assert_uint_eq(dev->nr_streams, 1);
	ck_assert_uint_gt(counted.taken, 2 * 0x8000 / 64);
	machine_delete(&m);
}
END_TEST

START_TEST(a_function_added_at_run_time_makes_another_group)
{
	struct machine m = machine_new();
	struct iommuabs_device *dev = added(&m, 0x208), *more;
	struct iommuabs_domain *a = guest(&m), *b = guest(&m);
	struct test_pci_function *fn;

	COVERS(iommuabs_device_attach, E_TOPOLOGY);
	COVERS(iommuabs_device_move, E_TOPOLOGY);
	COVERS(iommuabs_device_add_pci, E_EXISTS);
	COVERS(iommuabs_device_add_pci, E_BUSY);
	ck_assert_int_eq(iommuabs_start(m.w->abs), 0);
	ck_assert_int_eq(iommuabs_device_attach(dev, a, NULL, 0), 0);
	fn = test_pci_add(m.pci, 0x228, TEST_PCI_CONVENTIONAL);
	expect_stream(&m, 0x228, BACKEND_STREAM_BLOCKED);
	ck_assert_int_eq(add(&m, 0x228, &more), IOMMUABS_E_BUSY);
	ck_assert_int_eq(iommuabs_device_move(dev, b, NULL, 0),
			 IOMMUABS_E_TOPOLOGY);
	ck_assert_ptr_eq(dev->dom, a);
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	ck_assert_int_eq(iommuabs_device_attach(dev, a, NULL, 0),
			 IOMMUABS_E_TOPOLOGY);
	ck_assert_int_eq(add(&m, 0x228, &more), IOMMUABS_E_EXISTS);
	ck_assert_int_eq(iommuabs_device_remove(dev), 0);
	dev = added(&m, 0x228);
	ck_assert_str_eq(functions_text(dev), "0200 0208 0220 0228");
	ck_assert_int_eq(iommuabs_device_attach(dev, a, NULL, 0), 0);
	/* Gone again: what is attached goes on, and is detached as ever. */
	test_pci_gone(fn);
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	ck_assert_int_eq(iommuabs_device_attach(dev, a, NULL, 0),
			 IOMMUABS_E_TOPOLOGY);
	machine_delete(&m);
}
END_TEST

START_TEST(buses_numbered_anew_are_noticed)
{
	struct machine m = machine_new();
	struct iommuabs_device *dev = added(&m, 0x400), *same;
	struct iommuabs_domain *a = guest(&m);

	test_pci_buses(&m.pci->functions[2], 7, 7);
	test_pci_renumber(&m.pci->functions[8], 0x700);
	ck_assert_int_eq(iommuabs_device_attach(dev, a, NULL, 0),
			 IOMMUABS_E_TOPOLOGY);
	ck_assert_int_eq(iommuabs_device_remove(dev), 0);
	dev = added(&m, 0x700);
	ck_assert_int_eq(iommuabs_device_attach(dev, a, NULL, 0), 0);
	/* Its port is told to let everything through: that is noticed, too. */
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	same = added(&m, 0x700);
	ck_assert_ptr_eq(same, dev);
	test_pci_sriov(m.pci, &m.pci->functions[8], 2, 1, 1);
	ck_assert_int_eq(iommuabs_device_attach(dev, a, NULL, 0), 0);
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	m.pci->functions[2].config[0x106] = 0;
	ck_assert_int_eq(iommuabs_device_attach(dev, a, NULL, 0),
			 IOMMUABS_E_TOPOLOGY);
	machine_delete(&m);
}
END_TEST

START_TEST(a_removed_group_leaves_its_ids_blocked)
{
	struct machine m = machine_new();
	struct iommuabs_device *dev = added(&m, 0x208);
	struct iommuabs_domain *a = guest(&m);
	char *before, *after;

	ck_assert_int_eq(iommuabs_device_remove(dev), 0);
	before = world_dump(m.w);
	ck_assert_int_eq(iommuabs_start(m.w->abs), 0);
	dev = added(&m, 0x208);
	ck_assert_int_eq(iommuabs_device_attach(dev, a, NULL, 0), 0);
	ck_assert_int_eq(iommuabs_device_remove(dev), IOMMUABS_E_BUSY);
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	ck_assert_int_eq(iommuabs_device_remove(dev), 0);
	expect_stream(&m, 0x200, BACKEND_STREAM_BLOCKED);
	world_event(&m.w->unit[0], STREAMS + 0x200, 0x100000, IOMMUABS_READ);
	ck_assert_int_eq(iommuabs_faults_poll(m.w->abs, 0, NULL), 0);
	ck_assert_ptr_eq(m.w->fault.dev, m.bridge);
	ck_assert_int_eq(iommuabs_stop(m.w->abs), 0);
	after = world_dump(m.w);
	*strstr(before, "\ndomain") = *strstr(after, "\ndomain") = 0;
	ck_assert_str_eq(strstr(before, "\ndevice"), strstr(after, "\ndevice"));
	free(before);
	free(after);
	machine_delete(&m);
}
END_TEST

/* ---- what can't be ---- */

START_TEST(what_is_no_function_is_no_device)
{
	struct machine m = machine_new();
	struct iommuabs_device *dev = NULL;
	uint32_t nr;

	COVERS(iommuabs_device_add_pci, E_INVAL);
	COVERS(iommuabs_device_add_pci, E_NOENT);
	COVERS(iommuabs_device_add_pci, E_UNTRANSLATED);
	COVERS(iommuabs_device_add_pci, E_NOTSUP);
	COVERS(iommuabs_device_functions, E_INVAL);
	REFUSED(m.w, iommuabs_device_add_pci(NULL, 0x400, NULL, &dev),
		IOMMUABS_E_INVAL);
	REFUSED(m.w, iommuabs_device_add_pci(m.w->abs, 0x400, NULL, NULL),
		IOMMUABS_E_INVAL);
	REFUSED(m.w, iommuabs_device_functions(NULL, NULL, 0, &nr),
		IOMMUABS_E_INVAL);
	REFUSED(m.w, iommuabs_device_functions(m.bridge, NULL, 1, &nr),
		IOMMUABS_E_INVAL);
	REFUSED(m.w, iommuabs_device_functions(m.bridge, NULL, 0, NULL),
		IOMMUABS_E_INVAL);
	REFUSED(m.w, add(&m, 0x408, &dev), IOMMUABS_E_NOENT);
	REFUSED(m.w, add(&m, 0x10400, &dev), IOMMUABS_E_NOENT);
	ck_assert_int_eq(iommuabs_device_remove(m.bridge), 0);
	REFUSED(m.w, add(&m, 0x400, &dev), IOMMUABS_E_UNTRANSLATED);
	m.w->abs->host.ops.pci_cfg_read = NULL;
	REFUSED(m.w, add(&m, 0x400, &dev), IOMMUABS_E_NOTSUP);
	ck_assert_ptr_null(dev);
	machine_delete(&m);
}
END_TEST

START_TEST(what_is_attached_is_not_taken_into_a_group)
{
	struct machine m = machine_new();
	struct iommuabs_device *dev = described(&m, 0x208), *group;
	struct iommuabs_domain *a = guest(&m);

	ck_assert_int_eq(iommuabs_device_attach(dev, a, NULL, 0), 0);
	ck_assert_int_eq(add(&m, 0x220, &group), IOMMUABS_E_BUSY);
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	ck_assert_int_eq(iommuabs_device_attach(m.bridge, a, NULL, 0), 0);
	ck_assert_int_eq(add(&m, 0x400, &group), IOMMUABS_E_BUSY);
	ck_assert_int_eq(iommuabs_device_detach(m.bridge, 0), 0);
	group = added(&m, 0x220);
	ck_assert_ptr_eq(dev->group, group);
	machine_delete(&m);
}
END_TEST

/* Somebody else removes a device when the adding one lets go of its n-th lock. */
static struct {
	void (*unlock)(void *ctx, void *lock);
	struct iommuabs_device *dev;
	uint32_t countdown;
	int ret;
} meanwhile;

static void unlock_and_remove(void *ctx, void *lock)
{
	meanwhile.unlock(ctx, lock);
	if (meanwhile.countdown && !--meanwhile.countdown)
		meanwhile.ret = iommuabs_device_remove(meanwhile.dev);
}

/* What it answered, and what the adding one did. */
static int add_meanwhile(struct machine *m, struct iommuabs_device *dev,
			 uint32_t n, struct iommuabs_device **group)
{
	struct iommuabs_host *ops = &m->w->abs->host.ops;
	int ret;

	*group = NULL;
	meanwhile.unlock = ops->unlock;
	meanwhile.dev = dev;
	meanwhile.countdown = n;
	meanwhile.ret = 1;
	ops->unlock = unlock_and_remove;
	ret = add(m, 0x208, group);
	ops->unlock = meanwhile.unlock;
	return ret;
}

START_TEST(what_becomes_a_member_is_not_removed_meanwhile)
{
	struct iommuabs_device *dev, *group;
	uint32_t n, refused = 0, removed = 0;
	struct machine m;
	int ret;

	for (n = 1;; n++) {
		m = machine_new();
		dev = _i ? m.bridge : described(&m, 0x208);
		ret = add_meanwhile(&m, dev, n, &group);
		if (meanwhile.countdown)
			break;
		if (meanwhile.ret) {
			/* Once it is a member it can't go. */
			ck_assert_int_eq(meanwhile.ret, IOMMUABS_E_BUSY);
			ck_assert_int_eq(ret, 0);
			refused++;
		} else {
			removed++;
		}
		if (!ret && !_i)
			ck_assert_ptr_eq(group->members,
					 meanwhile.ret ? dev : NULL);
		if (!ret && _i)
			ck_assert_ptr_eq(device_range(group, 0), dev);
		if (ret)
			ck_assert(!group && (ret == IOMMUABS_E_BUSY ||
					     ret == IOMMUABS_E_UNTRANSLATED));
		machine_delete(&m);
	}
	ck_assert_int_eq(ret, 0);
	machine_delete(&m);
	ck_assert_uint_gt(removed, 0);
	ck_assert_uint_gt(refused, 0);
}
END_TEST

/* Range devices [0, @boundary) and from there on, each with a region of its own. */
static void two_ranges_add(struct machine *m, uint32_t boundary,
			   struct iommuabs_device *ranges[2])
{
	uint32_t i;

	for (i = 0; i < 2; i++) {
		const struct iommuabs_reserved region = {
			.gfn = IOMMUABS_GFN(0x8000 + 0x10 * i),
			.mfn = IOMMUABS_MFN(0x8000 + 0x10 * i),
			.nr = 1,
			.flags = RW,
		};
		const struct iommuabs_stream_range range = {
			.unit = m->w->unit[0].unit,
			.first = STREAMS + boundary * i,
			.nr = i ? 0x1000 : boundary,
			.rid = boundary * i,
		};
		struct iommuabs_device_desc desc = world_device_desc(
			&range, IOMMUABS_DEVICE_PCI | IOMMUABS_DEVICE_RANGE);

		desc.reserved = &region;
		desc.nr_reserved = 1;
		ck_assert_int_eq(
			iommuabs_device_add(m->w->abs, &desc, &ranges[i]), 0);
	}
}

static void expect_owner(struct machine *m, uint32_t rid,
			 struct iommuabs_device *expected)
{
	struct iommuabs_device *found;

	ck_assert_int_eq(iommuabs_device_find_pci(m->w->abs, rid, &found), 0);
	ck_assert_ptr_eq(found, expected);
	world_event(&m->w->unit[0], STREAMS + rid, 0x100000, IOMMUABS_READ);
	ck_assert_int_eq(iommuabs_faults_poll(m->w->abs, 0, NULL), 0);
	ck_assert_ptr_eq(m->w->fault.dev, expected);
}

/* On a bus of their own; the last two adjoin. */
static const uint16_t split_group[] = { 0x500, 0x507, 0x508 };

static void split_space(struct test_pci *pci)
{
	uint32_t i;

	machine_space(pci);
	test_pci_gone(&pci->functions[9]);
	test_pci_port(pci, 0xf0, TEST_PCI_CONVENTIONAL, 5, 5);
	for (i = 0; i < IA_COUNT(split_group); i++)
		test_pci_multi(test_pci_add(pci, split_group[i],
					    TEST_PCI_CONVENTIONAL));
}

static void expect_split_group(struct machine *m, struct iommuabs_device *dev,
			       enum backend_stream_kind kind)
{
	uint32_t i;

	for (i = 0; i < IA_COUNT(split_group); i++) {
		expect_owner(m, split_group[i], dev);
		expect_stream(m, split_group[i], kind);
	}
}

START_TEST(ids_of_two_ranges_are_one_device)
{
	static const uint32_t boundaries[] = { 0x200, 0x507, 0x508 };
	struct world *w = world_new(1);
	struct machine m = { .w = w, .pci = test_pci_new() };
	struct iommuabs_device *ranges[2], *dev;
	struct iommuabs_domain *a = guest(&m), *b = guest(&m);
	char *before, *after;
	uint32_t i;

	w->abs->host.ops.pci_cfg_read = test_pci_read;
	split_space(m.pci);
	two_ranges_add(&m, boundaries[_i], ranges);
	before = world_dump(w);
	ck_assert_int_eq(iommuabs_start(w->abs), 0);
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(iommuabs_device_attach(ranges[i], a, NULL, 0),
				 0);
		ck_assert_int_eq(add(&m, 0x508, &dev), IOMMUABS_E_BUSY);
		ck_assert_int_eq(iommuabs_device_detach(ranges[i], 0), 0);
	}
	dev = added(&m, 0x508);
	for (i = 0; i < 2; i++)
		ck_assert_int_eq(iommuabs_device_remove(ranges[i]),
				 IOMMUABS_E_BUSY);
	ck_assert_int_eq(iommuabs_device_attach(dev, a, NULL, 0), 0);
	expect_split_group(&m, dev, BACKEND_STREAM_TABLE);
	for (i = 0; i < 2; i++) {
		ck_assert(reserved_overlap(a, 0x8000 + 0x10 * i, 1));
		/* Each range has what is left, in whatever domain. */
		ck_assert_int_eq(iommuabs_device_attach(ranges[i], b, NULL, 0),
				 0);
	}
	expect_split_group(&m, dev, BACKEND_STREAM_TABLE);
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	ck_assert(!reserved_overlap(a, 0x8000, 0x20));
	expect_split_group(&m, dev, BACKEND_STREAM_BLOCKED);
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(iommuabs_device_remove(dev), IOMMUABS_E_BUSY);
		ck_assert_int_eq(iommuabs_device_detach(ranges[i], 0), 0);
	}
	ck_assert_int_eq(iommuabs_device_remove(dev), 0);
	for (i = 0; i < IA_COUNT(split_group); i++)
		expect_owner(&m, split_group[i],
			     ranges[split_group[i] >= boundaries[_i]]);
	ck_assert_int_eq(iommuabs_stop(w->abs), 0);
	after = world_dump(w);
	*strstr(before, "\ndomain") = *strstr(after, "\ndomain") = 0;
	ck_assert_str_eq(strstr(before, "\ndevice"), strstr(after, "\ndevice"));
	free(before);
	free(after);
	for (i = 0; i < 2; i++)
		ck_assert_int_eq(iommuabs_device_remove(ranges[i]), 0);
	machine_delete(&m);
}
END_TEST

static void large_space(struct test_pci *pci)
{
	uint32_t i;

	machine_space(pci);
	test_pci_buses(&pci->functions[2], 4, 0x34);
	test_pci_gone(&pci->functions[8]);
	test_pci_port(pci, 0x400, TEST_PCI_UPSTREAM, 5, 0x34);
	for (i = 0; i < 0x2f; i++) {
		test_pci_port(pci, (uint16_t)(0x500 | (i << 3 & 0xff) | i >> 5),
			      TEST_PCI_DOWNSTREAM, (uint8_t)(6 + i),
			      (uint8_t)(6 + i));
		test_pci_endpoint(pci, (uint16_t)((6 + i) << 8));
	}
	for (i = 0; i < TEST_PCI_MAX; i++)
		if (pci->functions[i].rid >> 8 == 5)
			test_pci_multi(&pci->functions[i]);
}

/*
 * More pieces than a device can have: the buses behind the port as a whole. Others
 * get the lock each time after a few ids.
 */
START_TEST(a_large_group_takes_whole_buses)
{
	struct world *w = world_new(1);
	struct machine m = { .w = w, .pci = test_pci_new() };
	struct iommuabs_device *dev;

	w->abs->host.ops.pci_cfg_read = test_pci_read;
	large_space(m.pci);
	m.bridge = range_add(w, 0);
	counted.lock = w->abs->host.ops.lock;
	counted.taken = 0;
	w->abs->host.ops.lock = count_lock;
	dev = added(&m, 0x3400);
	w->abs->host.ops.lock = counted.lock;
	ck_assert_str_eq(functions_text(dev), "0600-34ff");
	ck_assert_uint_gt(counted.taken, 2 * 0x2f00 / 64);
	ck_assert_uint_eq(dev->nr_streams, 1);
	ck_assert_int_eq(iommuabs_device_attach(dev, guest(&m), NULL, 0), 0);
	machine_delete(&m);
}
END_TEST

/* The first try, which had too many pieces, has let go of it. */
START_TEST(a_large_group_has_the_regions_and_ids_of_its_members)
{
	const struct iommuabs_reserved region = { { 0x800 }, { 0x800 }, 4, RW };
	struct world *w = world_new(1);
	struct machine m = { .w = w, .pci = test_pci_new() };
	const struct iommuabs_stream_range range = { .unit = w->unit[0].unit,
						     .first = STREAMS + 0x600,
						     .nr = 1,
						     .rid = 0x600 };
	struct iommuabs_device_desc desc =
		world_device_desc(&range, IOMMUABS_DEVICE_PCI);
	struct iommuabs_device *dev, *member;

	w->abs->host.ops.pci_cfg_read = test_pci_read;
	large_space(m.pci);
	m.bridge = range_add(w, 0);
	desc.reserved = &region;
	desc.nr_reserved = 1;
	ck_assert_int_eq(iommuabs_device_add(w->abs, &desc, &member), 0);
	dev = added(&m, 0x3400);
	ck_assert_str_eq(functions_text(dev), "0600-34ff");
	ck_assert_ptr_eq(member->group, dev);
	ck_assert_uint_eq(dev->nr_reserved, 1);
	ck_assert_int_eq(iommuabs_device_attach(dev, guest(&m), NULL, 0), 0);
	expect_stream(&m, 0x600, BACKEND_STREAM_TABLE);
	expect_stream(&m, 0x601, BACKEND_STREAM_TABLE);
	machine_delete(&m);
}
END_TEST

START_TEST(a_group_without_memory_is_none)
{
	struct machine m = machine_new();
	struct iommuabs_device *dev, *member = described(&m, 0x208);
	struct iommuabs_domain *a = guest(&m);
	struct world_failing failing = { .may_keep_tables = true };
	uint64_t n;
	int ret;

	COVERS(iommuabs_device_add_pci, E_NOMEM);
	COVERS(iommuabs_device_attach, E_NOMEM);
	world_failing_begin(m.w, &failing, IOMMUABS_E_NOMEM);
	do
		ret = add(&m, 0x208, &dev);
	while (world_failing_again(m.w, &failing, ret));
	ck_assert_uint_gt(failing.nr, 1);
	ck_assert_ptr_eq(member->group, dev);
	for (n = 1;; n++) {
		test_host_fail_nth(m.w->host, n);
		ret = iommuabs_device_attach(dev, a, NULL, 0);
		if (!test_host_failed(m.w->host))
			break;
		ck_assert_int_eq(ret, IOMMUABS_E_NOMEM);
	}
	ck_assert_int_eq(ret, 0);
	machine_delete(&m);
}
END_TEST

/* The reason of a group is in the log. */
START_TEST(why_functions_are_one_is_logged)
{
	struct machine m = machine_new();

	added(&m, 0x301);
	ck_assert(test_host_logged(m.w->host, "pci-0000:03:00.1: without ACS: "
					      "one with all of its"));
	added(&m, 0x208);
	ck_assert(test_host_logged(
		m.w->host, "pci-0000:01:00.0: all behind this bridge is one"));
	machine_delete(&m);
}
END_TEST

static void topology_tests(TCase *tcase)
{
	tcase_add_test(tcase, ids_are_kept_in_order_and_apart);
	tcase_add_test(tcase, a_function_behind_a_port_with_acs_is_itself);
	tcase_add_loop_test(tcase, a_port_needs_all_of_acs, 0, 11);
	tcase_add_loop_test(tcase, an_egress_vector_closes_or_opens_a_port, 0,
			    5);
	tcase_add_test(tcase,
		       functions_of_a_slot_are_one_unless_each_redirects);
	tcase_add_test(
		tcase,
		functions_of_a_slot_on_a_root_bus_are_one_and_slots_are_not);
	tcase_add_test(tcase, a_single_function_is_asked_once);
	tcase_add_test(
		tcase,
		root_ports_of_one_slot_without_acs_are_one_with_all_behind);
	tcase_add_test(tcase,
		       all_behind_a_bridge_to_pci_comes_as_its_secondary_bus);
	tcase_add_test(tcase,
		       all_behind_a_conventional_bridge_comes_as_the_bridge);
	tcase_add_test(tcase,
		       a_bridge_from_pci_speaks_for_the_express_behind_it);
	tcase_add_loop_test(tcase,
			    a_bridge_speaks_as_its_bus_to_pci_and_not_from_pci,
			    0, 3);
	tcase_add_loop_test(tcase, xsa_449_phantom_functions_come_along, 0, 6);
	tcase_add_test(tcase, a_number_that_two_functions_use_makes_them_one);
	tcase_add_test(tcase, a_part_that_uses_a_number_is_one_with_who_has_it);
	tcase_add_loop_test(tcase, a_part_that_uses_another_number_has_both, 0,
			    5);
	tcase_add_test(tcase,
		       virtual_functions_are_found_by_their_physical_one);
	tcase_add_test(tcase, a_virtual_function_is_reached_past_its_port);
	tcase_add_test(tcase, a_single_virtual_function_has_no_stride);
	tcase_add_test(tcase, ari_makes_device_numbers_functions);
	tcase_add_loop_test(tcase, all_members_of_a_group_agree_about_it, 1,
			    16);
	tcase_add_loop_test(tcase, a_capability_that_does_not_fit_is_none, 0,
			    3);
	tcase_add_test(tcase, a_vector_that_does_not_fit_closes_nothing);
	tcase_add_test(tcase, a_hostile_space_is_read_in_bounded_time);
}

static void device_tests(TCase *tcase)
{
	tcase_add_test(tcase, a_group_is_one_device_under_every_name);
	tcase_add_test(tcase, a_group_is_attached_moved_and_blocked_as_one);
	tcase_add_test(tcase, a_call_on_a_member_is_about_the_group);
	tcase_add_test(tcase, a_described_device_brings_its_other_functions);
	tcase_add_test(tcase, names_bring_functions_of_their_segment_only);
	tcase_add_test(tcase, functions_of_an_unsafe_range_are_unsafe);
	tcase_add_test(tcase, ids_in_a_row_of_functions_apart_are_two_pieces);
	tcase_add_test(tcase, a_group_needs_the_regions_of_all);
	tcase_add_test(tcase, functions_that_a_unit_takes_for_one_are_one);
	tcase_add_test(tcase, a_unit_takes_all_functions_for_one);
	tcase_add_test(tcase, a_function_added_at_run_time_makes_another_group);
	tcase_add_test(tcase, buses_numbered_anew_are_noticed);
	tcase_add_test(tcase, a_removed_group_leaves_its_ids_blocked);
	tcase_add_test(tcase, what_is_no_function_is_no_device);
	tcase_add_test(tcase, what_is_attached_is_not_taken_into_a_group);
	tcase_add_loop_test(tcase, ids_of_two_ranges_are_one_device, 0, 3);
	tcase_add_loop_test(
		tcase, what_becomes_a_member_is_not_removed_meanwhile, 0, 2);
	tcase_add_test(tcase, a_large_group_takes_whole_buses);
	tcase_add_test(tcase,
		       a_large_group_has_the_regions_and_ids_of_its_members);
	tcase_add_test(tcase, a_group_without_memory_is_none);
	tcase_add_test(tcase, why_functions_are_one_is_logged);
}

static Suite *suite(void)
{
	Suite *s = suite_create("pci");
	TCase *tcase = tcase_create("topology");

	topology_tests(tcase);
	suite_add_tcase(s, tcase);
	if (!world_possible(s))
		return s;
	tcase = tcase_create("devices");
	device_tests(tcase);
	suite_add_tcase(s, tcase);
	return s;
}

HARNESS_MAIN(suite)
