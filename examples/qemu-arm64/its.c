/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * its.c - the ITS: devices and events to LPIs, all of them to one CPU
 *
 * Sections are those of the GIC architecture specification, IHI 0069.
 */
#include <stddef.h>
#include "arm64.h"
#include "console.h"
#include "gic.h"
#include "its.h"
#include "machine.h"
#include "pages.h"
#include "string.h"

/* clang-format off */
/* 12.19: ITS registers */
#define GITS_CTLR	 0x0000
#define   CTLR_ENABLED	 (1u << 0)
#define GITS_TYPER	 0x0008
#define   TYPER_PTA	 (1ull << 19)
#define GITS_CBASER	 0x0080
#define GITS_CWRITER	 0x0088
#define GITS_CREADR	 0x0090
#define GITS_BASER(n)	 (0x0100 + 8 * (n))
#define   NR_BASERS	 8
#define   BASER_TYPE(v)	 ((v) >> 56 & 7)
#define   TYPE_DEVICES	 1
#define   TYPE_COLLECTIONS 4
#define   BASER_VALID	 (1ull << 63)
#define   BASER_READ_ONLY (0x1full << 48 | 7ull << 56)
#define GITS_TRANSLATER	 0x10040

/* 5.3: commands, four words of 64 bits each */
#define CMD_SYNC  0x05ull
#define CMD_MAPD  0x08ull
#define CMD_MAPC  0x09ull
#define CMD_MAPTI 0x0aull
#define CMD_INV	  0x0cull
#define VALID	  (1ull << 63)
#define CMD_BYTES 32u
/* clang-format on */

#define EVENT_BITS  2u
#define ITS_DEVICES 2u

static uint64_t queue;	/* one page */
static uint64_t target; /* of a collection: this CPU, as commands name it */
static uint32_t nr_devices;
static char event_tables[ITS_DEVICES][PAGE_SIZE]
	__attribute__((aligned(PAGE_SIZE)));

static uint64_t page_new(void)
{
	uint64_t page = pages_alloc(&table_pool, PAGE_LG2);

	if (!page)
		panic("no memory for the ITS");
	memset((void *)page, 0, PAGE_SIZE);
	return page;
}

/* 5.2.3: the queue is empty again when the ITS has read up to CWRITER. */
static void command(uint64_t word0, uint64_t word1, uint64_t word2)
{
	uint64_t at = mmio_read64(machine.its_base + GITS_CWRITER);
	uint64_t *words = (uint64_t *)(queue + at);

	words[0] = word0;
	words[1] = word1;
	words[2] = word2;
	words[3] = 0;
	dsb();
	at = (at + CMD_BYTES) % PAGE_SIZE;
	mmio_write64(machine.its_base + GITS_CWRITER, at);
	while (mmio_read64(machine.its_base + GITS_CREADR) != at)
		;
}

/* A page, of 4 KiB, for each table that it wants and we use. */
static void tables_init(void)
{
	for (unsigned int n = 0; n < NR_BASERS; n++) {
		uint64_t reg = machine.its_base + GITS_BASER(n);
		uint64_t value = mmio_read64(reg);

		if (BASER_TYPE(value) == TYPE_DEVICES ||
		    BASER_TYPE(value) == TYPE_COLLECTIONS)
			mmio_write64(reg, (value & BASER_READ_ONLY) |
						  BASER_VALID | page_new());
	}
}

void its_init(void)
{
	uint64_t base = machine.its_base;

	gic_lpis_enable();
	tables_init();
	queue = page_new();
	mmio_write64(base + GITS_CBASER, VALID | queue);
	mmio_write64(base + GITS_CWRITER, 0);
	mmio_write32(base + GITS_CTLR, CTLR_ENABLED);
	target = gic_redistributor(mmio_read64(base + GITS_TYPER) & TYPER_PTA);
	command(CMD_MAPC, 0, VALID | target);
	command(CMD_SYNC, 0, target);
}

uint64_t its_doorbell(void)
{
	return machine.its_base + GITS_TRANSLATER;
}

uint32_t its_map(uint32_t device, uint32_t event, void (*handler)(void *arg),
		 void *arg)
{
	uint32_t n = nr_devices++, lpi = GIC_LPI_FIRST + n;
	uint64_t of = (uint64_t)device << 32;

	if (n >= ITS_DEVICES)
		panic("more than %u devices with messages", ITS_DEVICES);
	gic_lpi_enable(lpi, handler, arg);
	command(CMD_MAPD | of, EVENT_BITS - 1,
		VALID | (uintptr_t)event_tables[n]);
	command(CMD_MAPTI | of, (uint64_t)lpi << 32 | event, 0);
	command(CMD_INV | of, event, 0);
	command(CMD_SYNC, 0, target);
	return lpi;
}
