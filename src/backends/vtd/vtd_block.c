/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vtd_block.c - a unit that lets nothing through (VT-d 6.5, 6.6, 11.4.4)
 *
 * Without translation everything passes, so once TE is set it stays: to block is
 * to point the unit at a root table in which nothing is present, and to have it
 * forget everything by a way that depends on nobody: with the queue off, by
 * register; in scalable mode, and where there are no such registers (6.5.1), by
 * a queue that was written when the unit was found, and is run for this alone.
 */
#include "vtd.h"

#if IOMMUABS_CONFIG_VTD

#define TE	     ((uint32_t)VTD_GCMD_TE)
#define QIE	     ((uint32_t)VTD_GCMD_QIE)
#define SRTP	     ((uint32_t)VTD_GCMD_SRTP)
#define QUEUE_ERRORS ((uint32_t)(VTD_FSTS_IQE | VTD_FSTS_ITE | VTD_FSTS_ICE))

/* How a step is waited for. */
struct way {
	/* 1: GCMD is taken in turn with others; 0: they may stand still. */
	uint32_t in_turn;
	/* 0 | E_TIMEOUT */
	int (*until)(struct vtd *vtd, const struct vtd_expectation *want,
		     const char *what);
};

static int command(struct vtd *vtd, const struct way *way, uint32_t off,
		   uint32_t on, const char *what)
{
	const struct vtd_expectation want = { VTD_GSTS, off | on, on };
	int ret = way->in_turn ? vtd_take(vtd) : 0;

	if (ret)
		return ret;
	hostif_write32(&vtd->unit->regs, VTD_GCMD,
		       vtd_command_word(vtd, off, on));
	ret = way->until(vtd, &want, what);
	if (way->in_turn)
		vtd_give(vtd);
	return ret;
}

/* ---- everything is forgotten ---- */

static int forget_by_registers(struct vtd *vtd, const struct way *way)
{
	const struct hostif_regs *regs = &vtd->unit->regs;
	struct hostif_reg64 iotlb = vtd_iotlb_register(vtd);
	const struct vtd_expectation contexts = { VTD_CCMD_HIGH,
						  VTD_CCMD_HIGH_ICC, 0 };
	const struct vtd_expectation pages = { REG32(iotlb.offset + 4),
					       VTD_IOTLB_HIGH_IVT, 0 };
	int ret;

	hostif_write64(regs, VTD_CCMD,
		       VTD_CCMD_ICC | field_put(VTD_CCMD_CIRG, VTD_G_GLOBAL));
	ret = way->until(vtd, &contexts, "CCMD.ICC stays set");
	if (ret)
		return ret;
	/* What is in flight lands first, where a unit can see to that. */
	hostif_write64(regs, iotlb,
		       VTD_IOTLB_IVT | field_put(VTD_IOTLB_IIRG, VTD_G_GLOBAL) |
			       field_put(VTD_IOTLB_DR,
					 field_get(VTD_CAP_DRD, vtd->cap)) |
			       field_put(VTD_IOTLB_DW,
					 field_get(VTD_CAP_DWD, vtd->cap)));
	return way->until(vtd, &pages, "IOTLB.IVT stays set");
}

/*
 * A queue of its own is run to its end, which a register tells (11.4.9.5): memory
 * that the unit writes needs not be believed.
 */
static int forget_by_purge(struct vtd *vtd, const struct way *way)
{
	const struct hostif_regs *regs = &vtd->unit->regs;
	const struct vtd_expectation done = { VTD_ICS, (uint32_t)VTD_ICS_IWC,
					      (uint32_t)VTD_ICS_IWC };
	int ret;

	hostif_write32(regs, VTD_IECTL, (uint32_t)VTD_IECTL_IM);
	hostif_write32(regs, VTD_FSTS, QUEUE_ERRORS);
	hostif_write32(regs, VTD_ICS, (uint32_t)VTD_ICS_IWC);
	hostif_write64(regs, VTD_IQT, 0);
	hostif_write64(regs, VTD_IQA,
		       vtd->purge | (vtd->scalable ? VTD_IQA_DW : 0));
	ret = command(vtd, way, 0, QIE, "QIE is not acknowledged");
	if (ret)
		return ret;
	hostif_write64(regs, VTD_IQT, vtd->purge_end);
	ret = way->until(vtd, &done, "not everything is forgotten");
	return ret ? ret
		   : command(vtd, way, QIE, 0, "QIE = 0 is not acknowledged");
}

static int block(struct vtd *vtd, const struct way *way)
{
	int ret;

	/* By tables of another mode it goes on: its devices must be cut off. */
	if (!vtd_mode_suits(vtd))
		return IOMMUABS_E_TIMEOUT;
	hostif_write64(&vtd->unit->regs, VTD_RTADDR,
		       vtd_root_value(vtd, vtd->blank));
	ret = command(vtd, way, 0, SRTP, "the root table is not taken");
	if (!ret && vtd->has_queue)
		ret = command(vtd, way, QIE, 0, "QIE = 0 is not acknowledged");
	if (!ret)
		ret = vtd->has_registers ? forget_by_registers(vtd, way)
					 : forget_by_purge(vtd, way);
	return ret ? ret : command(vtd, way, 0, TE, "TE is not acknowledged");
}

/* ---- as long as there is a clock ---- */

static int until_deadline(struct vtd *vtd, const struct vtd_expectation *want,
			  const char *what)
{
	return vtd_poll(vtd, want, what);
}

int vtd_fence(struct backend_unit *unit)
{
	static const struct way in_turn = { 1, until_deadline };
	struct vtd *vtd = vtd_of(unit);
	int ret;

	/* Until it forgets that page it reads it. */
	vtd->was_told = 1;
	unit->holds = 1;
	vtd_queue_drain(vtd);
	ret = block(vtd, &in_turn);
	vtd->is_lost = ret != 0;
	if (!ret)
		port_store32(&unit->enabled, 0);
	return ret;
}

/* And, as nobody will look after the table of interrupts, those are blocked. */
int vtd_disable(struct backend_unit *unit)
{
	struct vtd *vtd = vtd_of(unit);
	int ret = vtd_fence(unit);

	if (!ret && vtd->irt_is_used) {
		ret = vtd_queue_on(vtd);
		/* Whoever still waits for something: it is forgotten. */
		vtd_queue_settle(vtd);
		if (!ret)
			ret = vtd_irt_block(vtd);
		if (!ret)
			ret = vtd_queue_off(vtd);
	}
	if (ret)
		return ret;
	vtd->irt_is_used = 0;
	unit->holds = 0;
	return 0;
}

/* ---- after a crash ---- */

/*
 * Register reads that a crashed machine waits for at the most. There is no clock
 * that could be believed.
 */
#define CRASH_READS (1u << 18)

static int until_counted(struct vtd *vtd, const struct vtd_expectation *want,
			 const char *what)
{
	uint32_t i, now;

	(void)what;
	for (i = 0; i < CRASH_READS; i++) {
		now = hostif_read32(&vtd->unit->regs, want->reg);
		if (now != VTD_NO_ANSWER && (now & want->mask) == want->value)
			return 0;
		port_relax();
	}
	return IOMMUABS_E_TIMEOUT;
}

int vtd_crash_block(struct backend_unit *unit)
{
	static const struct way alone = { 0, until_counted };
	struct vtd *vtd = vtd_of(unit);
	int ret;

	/* Of a CPU that still runs: no descriptor any more, and no answer. */
	port_store32(&vtd->queue.resets.open, 0);
	ret = block(vtd, &alone);
	if (!ret)
		port_store32(&unit->enabled, 0);
	return ret;
}

/* ---- the queue that forgets everything ---- */

static uint64_t *put(uint64_t *at, unsigned int words, uint64_t low,
		     uint64_t high)
{
	unsigned int i;

	port_dev_store64(at, low);
	port_dev_store64(at + 1, high);
	for (i = 2; i < words; i++)
		port_dev_store64(at + i, 0);
	return at + words;
}

int vtd_purge_make(struct vtd *vtd)
{
	const uint64_t wait =
		field_put(VTD_DESC_TYPE, VTD_DESC_WAIT) | VTD_WAIT_FN;
	const unsigned int words = vtd->scalable ? 4 : 2;
	uint64_t fence = vtd->queue.status + 4, *page, *at;
	int ret = vtd_page(vtd, &vtd->purge);

	if (ret)
		return ret;
	at = page = hostif_map(vtd->unit->host, vtd->purge);
	at = put(at, words,
		 field_put(VTD_DESC_TYPE, VTD_DESC_CONTEXT) |
			 field_put(VTD_DESC_G, VTD_G_GLOBAL),
		 0);
	at = put(at, words, wait | VTD_WAIT_SW, fence);
	if (vtd->scalable) {
		at = put(at, words,
			 field_put(VTD_DESC_TYPE, VTD_DESC_PASID) |
				 field_put(VTD_DESC_G, VTD_PASID_G_GLOBAL),
			 0);
		at = put(at, words, wait | VTD_WAIT_SW, fence);
	}
	at = put(at, words, vtd_iotlb_descriptor(vtd, VTD_G_GLOBAL, 0), 0);
	at = put(at, words, wait | VTD_WAIT_IF, 0);
	vtd->purge_end = (uint32_t)((uintptr_t)at - (uintptr_t)page);
	hostif_unmap(vtd->unit->host, page);
	return 0;
}

#endif
