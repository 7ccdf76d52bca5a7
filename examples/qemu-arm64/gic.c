/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gic.c - GICv3 distributor, redistributor and CPU interface
 *
 * Sections are those of the GIC architecture specification, IHI 0069.
 */
#include <stddef.h>
#include "arm64.h"
#include "callers.h"
#include "console.h"
#include "gic.h"
#include "machine.h"
#include "pages.h"
#include "string.h"

/* clang-format off */
/* 12.8: distributor */
#define GICD_CTLR	  0x0000
#define   CTLR_ENABLE_G1  (1u << 1)
#define   CTLR_ARE	  (1u << 4)
#define   CTLR_RWP	  (1u << 31)
#define GICD_IGROUPR(n)	  (0x0080 + 4 * ((n) / 32))
#define GICD_ISENABLER(n) (0x0100 + 4 * ((n) / 32))
#define GICD_ICENABLER(n) (0x0180 + 4 * ((n) / 32))
#define GICD_IPRIORITYR(n) (0x0400 + ((n) & ~3u))
#define GICD_ICFGR(n)	  (0x0c00 + 4 * ((n) / 16))
#define GICD_IROUTER(n)	  (0x6000 + 8 * (n))

/* 12.10: redistributor, 64 KiB frames in pairs; the second is like the GICD */
#define GICR_CTLR	  0x0000
#define   CTLR_LPIS	  (1u << 0)
#define GICR_TYPER	  0x0008
#define   TYPER_LAST	  (1ull << 4)
#define   TYPER_NUMBER(v) ((v) >> 8 & 0xffff)
#define GICR_WAKER	  0x0014
#define   WAKER_SLEEP	  (1u << 1)
#define   WAKER_ASLEEP	  (1u << 2)
#define GICR_PROPBASER	  0x0070
#define GICR_PENDBASER	  0x0078
#define   PENDBASER_ZERO  (1ull << 62)
#define GICR_SGI_FRAME	  0x10000
#define GICR_STRIDE	  0x20000
/* clang-format on */

#define MPIDR_AFFINITY 0xff00ffffffull
#define NR_INTIDS      256
#define SPURIOUS       1020 /* up to 1023 */
#define NR_LPIS	       4
#define LPI_BITS       14 /* of INTIDs, LPIs among them: the fewest */
#define LPI_ENABLED    1u
#define PRIORITY       0xa0u

static struct {
	void (*handler)(void *arg);
	void *arg;
} handlers[NR_INTIDS + NR_LPIS]; /* LPIs behind the others */

static uint64_t lpi_config; /* a byte each */

/* The GICR frame whose GICR_TYPER names this CPU (12.11.29). */
static uint64_t redistributor(void)
{
	uint64_t mpidr = sysreg_read(mpidr_el1);
	uint64_t affinity = (mpidr & 0xffffff) | (mpidr >> 8 & 0xff000000);

	for (uint64_t base = machine.gicr_base;; base += GICR_STRIDE) {
		uint64_t typer = mmio_read64(base + GICR_TYPER);

		if (typer >> 32 == affinity)
			return base;
		if (typer & TYPER_LAST)
			panic("no redistributor for CPU %lx", mpidr);
	}
}

/* Where the registers of @intid are, and GICD_* offsets apply. */
static uint64_t frame_of(uint32_t intid)
{
	return intid < 32 ? redistributor() + GICR_SGI_FRAME
			  : machine.gicd_base;
}

static void bits_update(uint64_t reg, uint32_t mask, uint32_t value)
{
	mmio_write32(reg, (mmio_read32(reg) & ~mask) | value);
}

void gic_init(void)
{
	mmio_write32(machine.gicd_base + GICD_CTLR, CTLR_ARE | CTLR_ENABLE_G1);
	while (mmio_read32(machine.gicd_base + GICD_CTLR) & CTLR_RWP)
		;
}

void gic_cpu_init(void)
{
	uint64_t waker = redistributor() + GICR_WAKER;

	bits_update(waker, WAKER_SLEEP, 0);
	while (mmio_read32(waker) & WAKER_ASLEEP)
		;
	sysreg_write(s3_4_c12_c9_5, 0xf); /* ICC_SRE_EL2: SRE, Enable */
	isb();
	sysreg_write(s3_0_c4_c6_0, 0xff); /* ICC_PMR_EL1: all priorities */
	sysreg_write(s3_0_c12_c12_7, 1);  /* ICC_IGRPEN1_EL1 */
	isb();
	irq_unmask();
}

void gic_enable(uint32_t intid, enum gic_trigger trigger,
		void (*handler)(void *arg), void *arg)
{
	uint64_t frame = frame_of(intid);
	uint32_t config_lsb = 2 * (intid % 16);
	uint32_t priority_lsb = 8 * (intid % 4);

	if (intid >= NR_INTIDS)
		panic("INTID %u is too high", intid);
	handlers[intid].arg = arg;
	handlers[intid].handler = handler;
	bits_update(frame + GICD_IGROUPR(intid), 0, 1u << intid % 32);
	bits_update(frame + GICD_IPRIORITYR(intid), 0xffu << priority_lsb,
		    PRIORITY << priority_lsb);
	bits_update(frame + GICD_ICFGR(intid), 3u << config_lsb,
		    (trigger == GIC_EDGE ? 2u : 0u) << config_lsb);
	if (intid >= 32)
		mmio_write64(frame + GICD_IROUTER(intid),
			     sysreg_read(mpidr_el1) & MPIDR_AFFINITY);
	mmio_write32(frame + GICD_ISENABLER(intid), 1u << intid % 32);
}

void gic_disable(uint32_t intid)
{
	mmio_write32(frame_of(intid) + GICD_ICENABLER(intid), 1u << intid % 32);
}

/*
 * 5.1: the tables that say which LPIs are on and which are pending. The second
 * wants 64 KiB of alignment.
 */
void gic_lpis_enable(void)
{
	const unsigned int lg2 = LPI_BITS - 1; /* a byte for each LPI */
	const uint64_t size = 1ull << lg2;
	uint64_t redist = redistributor();
	uint64_t pending = pages_alloc(&table_pool, 16);

	lpi_config = pages_alloc(&table_pool, lg2);
	if (!lpi_config || !pending)
		panic("no memory for LPIs");
	memset((void *)lpi_config, 0, size);
	memset((void *)pending, 0, (1u << LPI_BITS) / 8);
	dsb();
	mmio_write64(redist + GICR_PROPBASER, lpi_config | (LPI_BITS - 1));
	mmio_write64(redist + GICR_PENDBASER, pending | PENDBASER_ZERO);
	bits_update(redist + GICR_CTLR, 0, CTLR_LPIS);
}

void gic_lpi_enable(uint32_t lpi, void (*handler)(void *arg), void *arg)
{
	uint32_t n = lpi - GIC_LPI_FIRST;

	if (n >= NR_LPIS)
		panic("LPI %u is too high", lpi);
	handlers[NR_INTIDS + n].arg = arg;
	handlers[NR_INTIDS + n].handler = handler;
	((volatile uint8_t *)lpi_config)[n] = PRIORITY | LPI_ENABLED;
	dsb();
}

uint64_t gic_redistributor(uint64_t by_address)
{
	uint64_t redist = redistributor();

	if (by_address)
		return redist;
	return TYPER_NUMBER(mmio_read64(redist + GICR_TYPER)) << 16;
}

void gic_dispatch(void)
{
	for (;;) {
		uint64_t intid = sysreg_read(s3_0_c12_c12_0); /* ICC_IAR1 */
		uint64_t n;

		if (intid >= SPURIOUS && intid < GIC_LPI_FIRST)
			return;
		n = intid < GIC_LPI_FIRST ? intid
					  : intid - GIC_LPI_FIRST + NR_INTIDS;
		if (n >= NR_INTIDS + NR_LPIS || !handlers[n].handler)
			panic("unexpected interrupt %lu", intid);
		callers_irq_enter();
		handlers[n].handler(handlers[n].arg);
		callers_irq_leave();
		dsb();
		sysreg_write(s3_0_c12_c12_1, intid); /* ICC_EOIR1 */
		isb();
	}
}
