/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_pci.c - a made-up PCI configuration space
 */
#include "test_pci.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define EXPRESS 0x40 /* where the PCI Express capability is */

static struct test_pci *present;

struct test_pci *test_pci_new(void)
{
	present = calloc(1, sizeof(*present));
	ck_assert_ptr_nonnull(present);
	return present;
}

void test_pci_delete(struct test_pci *pci)
{
	present = NULL;
	free(pci);
}

static void put(struct test_pci_function *fn, uint32_t offset, uint32_t nr,
		uint32_t value)
{
	uint32_t i;

	for (i = 0; i < nr; i++)
		fn->config[offset + i] = (uint8_t)(value >> 8 * i);
}

static struct test_pci_function *find(struct test_pci *pci, uint32_t rid)
{
	uint32_t place = pci->place[rid];

	return place ? &pci->functions[place - 1] : NULL;
}

uint32_t test_pci_read(void *ctx, uint32_t pci, unsigned int offset)
{
	const struct test_pci_function *fn;
	uint32_t word = 0, i;

	(void)ctx;
	if (!present || pci >> 16)
		return ~0u;
	present->reads++;
	fn = find(present, pci);
	if (!fn || (fn->silent && !offset))
		return ~0u;
	/* Each of Check's assertions is a message to its parent: too dear here. */
	if (offset % 4 || offset >= sizeof(fn->config))
		ck_abort_msg("a read at %x", offset);
	for (i = 0; i < 4; i++)
		word |= (uint32_t)fn->config[offset + i] << 8 * i;
	return word;
}

struct test_pci_function *test_pci_add(struct test_pci *pci, uint16_t rid,
				       int type)
{
	struct test_pci_function *fn = pci->functions;

	ck_assert_ptr_null(find(pci, rid));
	while (fn->present)
		fn++;
	ck_assert_ptr_ne(fn, pci->functions + TEST_PCI_MAX);
	*fn = (struct test_pci_function){
		.present = true,
		.rid = rid,
		.next_ext = 0x100,
	};
	pci->place[rid] = (uint16_t)(fn - pci->functions + 1);
	put(fn, 0, 4, 0x11e81234);
	if (type == TEST_PCI_CONVENTIONAL)
		return fn;
	put(fn, 6, 2, 0x0010);
	put(fn, 0x34, 1, EXPRESS);
	put(fn, EXPRESS, 4, 0x0010 | (uint32_t)(2 | type << 4) << 16);
	return fn;
}

struct test_pci_function *test_pci_endpoint(struct test_pci *pci, uint16_t rid)
{
	return test_pci_add(pci, rid, TEST_PCI_ENDPOINT);
}

void test_pci_buses(struct test_pci_function *fn, uint8_t first, uint8_t last)
{
	put(fn, 0x18, 1, fn->rid >> 8);
	put(fn, 0x19, 1, first);
	put(fn, 0x1a, 1, last);
}

struct test_pci_function *test_pci_port(struct test_pci *pci, uint16_t rid,
					int type, uint8_t first, uint8_t last)
{
	struct test_pci_function *fn = test_pci_add(pci, rid, type);

	put(fn, 0x0e, 1, 1);
	test_pci_buses(fn, first, last);
	/* Port number: its device number, so that ports of a switch differ. */
	put(fn, EXPRESS + 0x0f, 1, rid >> 3 & 0x1f);
	return fn;
}

void test_pci_multi(struct test_pci_function *fn)
{
	fn->config[0x0e] |= 0x80;
}

void test_pci_id(struct test_pci_function *fn, uint16_t vendor, uint16_t device)
{
	put(fn, 0, 4, (uint32_t)device << 16 | vendor);
}

void test_pci_gone(struct test_pci_function *fn)
{
	present->place[fn->rid] = 0;
	fn->present = false;
}

void test_pci_renumber(struct test_pci_function *fn, uint16_t rid)
{
	present->place[rid] = present->place[fn->rid];
	present->place[fn->rid] = 0;
	fn->rid = rid;
}

/* An extended capability of @size bytes; where its header is. */
static uint32_t ext_add(struct test_pci_function *fn, uint16_t id,
			uint32_t size)
{
	uint32_t at = fn->next_ext;

	put(fn, at, 4, 0x10000u | id);
	if (fn->last_ext)
		put(fn, fn->last_ext + 2, 2, 1 | at << 4);
	fn->last_ext = at;
	fn->next_ext += size;
	return at;
}

void test_pci_acs(struct test_pci_function *fn, uint32_t can, uint32_t on)
{
	uint32_t at = ext_add(fn, 0x000d, 0x30);

	put(fn, at + 4, 2, can);
	put(fn, at + 6, 2, on);
}

void test_pci_egress(struct test_pci_function *fn, uint32_t on, uint32_t open)
{
	uint32_t at = ext_add(fn, 0x000d, 0x30);

	put(fn, at + 4, 2, TEST_PCI_ACS_ALL | TEST_PCI_EC | 8u << 8);
	put(fn, at + 6, 2, on | TEST_PCI_EC);
	put(fn, at + 8, 4, 0xff & ~open);
}

void test_pci_ext_at(struct test_pci_function *fn, uint32_t at, uint32_t id)
{
	put(fn, 0x100, 4, 0x0018 | at << 20); /* LTR, which nobody asks for */
	put(fn, at, 4, id);
}

void test_pci_ari(struct test_pci_function *fn)
{
	ext_add(fn, 0x000e, 8);
}

void test_pci_phantom(struct test_pci_function *fn, uint32_t bits)
{
	put(fn, EXPRESS + 4, 4, bits << 3);
}

void test_pci_sriov(struct test_pci *pci, struct test_pci_function *fn,
		    uint16_t nr, uint16_t offset, uint16_t stride)
{
	uint32_t at = ext_add(fn, 0x0010, 0x40), i;

	put(fn, at + 8, 2, 1);
	put(fn, at + 0x10, 2, nr);
	put(fn, at + 0x14, 2, offset);
	put(fn, at + 0x16, 2, stride);
	for (i = 0; i < nr; i++)
		test_pci_endpoint(pci,
				  (uint16_t)(fn->rid + offset + i * stride))
			->silent = true;
}
