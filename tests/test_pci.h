/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_pci.h - a made-up PCI configuration space, function by function
 *
 *	struct test_pci *pci = test_pci_new();
 *	struct test_pci_function *port =
 *		test_pci_port(pci, 0x0010, TEST_PCI_ROOT_PORT, 1, 1);
 *	test_pci_acs(port, TEST_PCI_ACS_ALL, TEST_PCI_ACS_ALL);
 *	test_pci_endpoint(pci, 0x0100);
 *
 * Numbers are requester IDs of segment 0; registers and capabilities are laid out
 * here from the PCI Express Base Specification 5.0 (chapter 7).
 */
#ifndef TEST_PCI_H
#define TEST_PCI_H

#include <stdbool.h>
#include <stdint.h>

#define TEST_PCI_MAX 320

/* Device/Port Type (7.5.3.2). */
enum {
	TEST_PCI_ENDPOINT = 0,
	TEST_PCI_ROOT_PORT = 4,
	TEST_PCI_UPSTREAM = 5,
	TEST_PCI_DOWNSTREAM = 6,
	TEST_PCI_TO_PCI = 7,
	TEST_PCI_FROM_PCI = 8,
	TEST_PCI_CONVENTIONAL = 100, /* no such capability */
};

/* ACS capability and control bits (7.7.8.2, 7.7.8.3). */
#define TEST_PCI_SV	 0x01
#define TEST_PCI_RR	 0x04
#define TEST_PCI_CR	 0x08
#define TEST_PCI_UF	 0x10
#define TEST_PCI_EC	 0x20
#define TEST_PCI_DT	 0x40
#define TEST_PCI_ACS_ALL (TEST_PCI_SV | TEST_PCI_RR | TEST_PCI_CR | TEST_PCI_UF)

struct test_pci_function {
	bool present,
		silent; /* silent: a virtual function's ids read as ones */
	uint16_t rid;
	uint32_t next_ext; /* where an extended capability can go */
	uint32_t last_ext; /* offset of the last one; 0: none */
	uint8_t config[4096];
};

struct test_pci {
	struct test_pci_function functions[TEST_PCI_MAX];
	uint16_t
		place[0x10000]; /* in there, plus 1, by requester ID; 0: none */
	uint64_t reads;
};

struct test_pci *test_pci_new(void);
void test_pci_delete(struct test_pci *pci);

/* host->pci_cfg_read of the space made last; NULL: all ones. */
uint32_t test_pci_read(void *ctx, uint32_t pci, unsigned int offset);

/* A function of some type, header type 0. */
struct test_pci_function *test_pci_add(struct test_pci *pci, uint16_t rid,
				       int type);
struct test_pci_function *test_pci_endpoint(struct test_pci *pci, uint16_t rid);
/* A bridge or port with buses [@first, @last] behind it. */
struct test_pci_function *test_pci_port(struct test_pci *pci, uint16_t rid,
					int type, uint8_t first, uint8_t last);
void test_pci_buses(struct test_pci_function *fn, uint8_t first, uint8_t last);
/* There is more than one function in its slot. */
void test_pci_multi(struct test_pci_function *fn);
void test_pci_id(struct test_pci_function *fn, uint16_t vendor,
		 uint16_t device);
void test_pci_renumber(struct test_pci_function *fn, uint16_t rid);
void test_pci_gone(struct test_pci_function *fn);

/* Extended capabilities: what it can do, and what is on. */
void test_pci_acs(struct test_pci_function *fn, uint32_t can, uint32_t on);
/* Egress control on; @open: bits of peers that are reached directly. */
void test_pci_egress(struct test_pci_function *fn, uint32_t on, uint32_t open);
/* The only extended capability but the first, wherever: without its words. */
void test_pci_ext_at(struct test_pci_function *fn, uint32_t at, uint32_t id);
void test_pci_ari(struct test_pci_function *fn);
void test_pci_phantom(struct test_pci_function *fn, uint32_t bits);
/* @nr virtual functions, which are added, from @offset on, @stride apart. */
void test_pci_sriov(struct test_pci *pci, struct test_pci_function *fn,
		    uint16_t nr, uint16_t offset, uint16_t stride);

#endif
