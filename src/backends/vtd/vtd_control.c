/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vtd_control.c - enabling, blocking, errors (VT-d 11.4.4, 6.6)
 *
 * Without translation everything passes, so once TE is set it stays: to block is
 * to point the unit at a root table in which nothing is present. A unit that
 * firmware left translating is taken over in the same way, without a window.
 */
#include "vtd.h"

#if IOMMUABS_CONFIG_VTD

#define TE	      ((uint32_t)VTD_GCMD_TE)
#define QIE	      ((uint32_t)VTD_GCMD_QIE)
#define ONE_SHOT_SRTP ((uint32_t)VTD_GCMD_SRTP)
#define ONE_SHOT_WBF  ((uint32_t)VTD_GCMD_WBF)

/* ---- commands ---- */

/* @reg reads as @value in the bits of @mask. */
struct expectation {
	struct hostif_reg32 reg;
	uint32_t mask, value;
};

static bool is_met(struct backend_unit *unit, void *arg)
{
	const struct expectation *want = arg;
	uint32_t now = hostif_read32(&unit->regs, want->reg);

	return now != VTD_NO_ANSWER && (now & want->mask) == want->value;
}

/*
 * GCMD holds nothing: what is to stay on is told again with each command, and one
 * command is given at a time (11.4.4.1).
 */
static uint32_t command_word(const struct hostif_regs *regs, uint32_t off,
			     uint32_t on)
{
	uint32_t now = hostif_read32(regs, VTD_GSTS) & VTD_GSTS_KEPT;

	return (now & ~off) | on;
}

static bool is_ours(struct backend_unit *unit, void *arg)
{
	uint32_t idle = 0;

	(void)arg;
	return port_cas32(&vtd_of(unit)->busy, &idle, 1);
}

int vtd_take(struct vtd *vtd)
{
	return backend_poll(vtd->unit, "another command runs", is_ours, NULL);
}

void vtd_give(struct vtd *vtd)
{
	port_store32(&vtd->busy, 0);
}

/* Give one command and wait until GSTS says @want. */
static int command(struct vtd *vtd, uint32_t off, uint32_t on,
		   struct expectation want, const char *what)
{
	const struct hostif_regs *regs = &vtd->unit->regs;
	int ret = vtd_take(vtd);

	if (ret)
		return ret;
	hostif_write32(regs, VTD_GCMD, command_word(regs, off, on));
	ret = backend_poll(vtd->unit, what, is_met, &want);
	vtd_give(vtd);
	return ret;
}

int vtd_command_off(struct vtd *vtd, uint32_t bit, const char *what)
{
	return command(vtd, bit, 0, (struct expectation){ VTD_GSTS, bit, 0 },
		       what);
}

int vtd_command_on(struct vtd *vtd, uint32_t bit, const char *what)
{
	return command(vtd, 0, bit, (struct expectation){ VTD_GSTS, bit, bit },
		       what);
}

/* WBF is done when its status is 0 again (11.4.4.2). */
int vtd_flush_writes(struct vtd *vtd)
{
	if (!vtd_has(VTD_CAP_RWBF, vtd->cap))
		return 0;
	return command(vtd, 0, ONE_SHOT_WBF,
		       (struct expectation){ VTD_GSTS, ONE_SHOT_WBF, 0 },
		       "the write buffer is not flushed");
}

/* ---- the root table ---- */

static uint64_t root_value(const struct vtd *vtd, uint64_t root)
{
	return root | field_put(VTD_RTADDR_TTM, vtd->scalable ? VTD_TTM_SCALABLE
							      : VTD_TTM_LEGACY);
}

static int root_set(struct vtd *vtd, uint64_t root)
{
	hostif_write64(&vtd->unit->regs, VTD_RTADDR, root_value(vtd, root));
	return vtd_command_on(vtd, ONE_SHOT_SRTP,
			      "the root table is not taken");
}

/* ---- the queue ---- */

static bool is_drained(struct backend_unit *unit, void *arg)
{
	const struct hostif_regs *regs = &unit->regs;
	uint32_t fsts = hostif_read32(regs, VTD_FSTS);

	(void)arg;
	/* A queue that stopped at an error goes no further (6.5.2.10). */
	return hostif_read64(regs, VTD_IQH) == hostif_read64(regs, VTD_IQT) ||
	       (fsts & (uint32_t)(VTD_FSTS_IQE | VTD_FSTS_ITE | VTD_FSTS_ICE));
}

/* Also one that firmware left on; it is turned off empty where it can be. */
static int queue_off(struct vtd *vtd)
{
	vtd_queue_close(vtd);
	if (!vtd->has_queue ||
	    !(hostif_read32(&vtd->unit->regs, VTD_GSTS) & QIE))
		return 0;
	(void)backend_poll(vtd->unit, "the invalidation queue is not drained",
			   is_drained, NULL);
	return vtd_command_off(vtd, QIE, "QIE = 0 is not acknowledged");
}

static int queue_on(struct vtd *vtd)
{
	int ret;

	if (!vtd->has_queue)
		return 0;
	vtd_queue_reset(vtd);
	ret = vtd_command_on(vtd, QIE, "QIE is not acknowledged");
	if (!ret)
		vtd_queue_open(vtd);
	return ret;
}

/* ---- blocking ---- */

/*
 * TE stays on, the root has nothing in it, and what was cached is forgotten by
 * register: where units have a queue the registers work while it is off.
 */
static int block(struct vtd *vtd)
{
	int ret = root_set(vtd, vtd->blank);

	if (!ret)
		ret = queue_off(vtd);
	if (!ret)
		ret = vtd_forget_all_by_registers(vtd);
	if (!ret) {
		vtd->was_enabled = 1;
		ret = vtd_command_on(vtd, TE, "TE is not acknowledged");
	}
	return ret;
}

int vtd_fence(struct backend_unit *unit)
{
	int ret = block(vtd_of(unit));

	if (!ret)
		port_store32(&unit->enabled, 0);
	return ret;
}

/* And, as nobody will look after the table of interrupts, those are blocked. */
int vtd_disable(struct backend_unit *unit)
{
	struct vtd *vtd = vtd_of(unit);
	int ret = vtd_fence(unit);

	if (ret || !vtd->irt)
		return ret;
	ret = queue_on(vtd);
	if (!ret)
		ret = vtd_irt_block(vtd);
	if (ret)
		return ret;
	vtd->irt_is_used = 0;
	return queue_off(vtd);
}

/* ---- blocking after a crash ---- */

/*
 * Register reads that a crashed machine waits for at the most. There is no clock
 * that could be believed.
 */
#define CRASH_READS (1u << 18)

static int crash_wait32(const struct hostif_regs *regs, struct expectation want)
{
	uint32_t i, now;

	for (i = 0; i < CRASH_READS; i++) {
		now = hostif_read32(regs, want.reg);
		if (now != VTD_NO_ANSWER && (now & want.mask) == want.value)
			return 0;
		port_relax();
	}
	return IOMMUABS_E_TIMEOUT;
}

static int crash_wait64(const struct hostif_regs *regs, struct hostif_reg64 reg,
			uint64_t mask)
{
	uint32_t i;
	uint64_t now;

	for (i = 0; i < CRASH_READS; i++) {
		now = hostif_read64(regs, reg);
		if (now != ~(uint64_t)0 && !(now & mask))
			return 0;
		port_relax();
	}
	return IOMMUABS_E_TIMEOUT;
}

static int crash_command(const struct hostif_regs *regs, uint32_t off,
			 uint32_t on)
{
	hostif_write32(regs, VTD_GCMD, command_word(regs, off, on));
	return crash_wait32(regs,
			    (struct expectation){ VTD_GSTS, off | on, on });
}

static struct hostif_reg64 iotlb_register(const struct vtd *vtd)
{
	return REG64((uint32_t)(16 * field_get(VTD_ECAP_IRO, vtd->ecap)) +
		     VTD_IVA_LENGTH);
}

int vtd_crash_block(struct backend_unit *unit)
{
	const struct hostif_regs *regs = &unit->regs;
	const struct vtd *vtd = vtd_of(unit);
	struct hostif_reg64 iotlb = iotlb_register(vtd);

	hostif_write64(regs, VTD_RTADDR, root_value(vtd, vtd->blank));
	if (crash_command(regs, 0, ONE_SHOT_SRTP) ||
	    crash_command(regs, QIE, 0))
		return IOMMUABS_E_TIMEOUT;
	port_store32(&unit->enabled, 0);
	hostif_write64(regs, VTD_CCMD,
		       VTD_CCMD_ICC | field_put(VTD_CCMD_CIRG, VTD_G_GLOBAL));
	if (crash_wait64(regs, VTD_CCMD, VTD_CCMD_ICC))
		return IOMMUABS_E_TIMEOUT;
	hostif_write64(regs, iotlb,
		       VTD_IOTLB_IVT | field_put(VTD_IOTLB_IIRG, VTD_G_GLOBAL));
	if (crash_wait64(regs, iotlb, VTD_IOTLB_IVT))
		return IOMMUABS_E_TIMEOUT;
	return crash_command(regs, 0, TE);
}

/* ---- enabling ---- */

static void messages_program(struct vtd *vtd)
{
	const struct hostif_regs *regs = &vtd->unit->regs;

	hostif_write32(regs, VTD_FEDATA, vtd->msi_data);
	hostif_write32(regs, VTD_FEUADDR, (uint32_t)(vtd->msi_addr >> 32));
	hostif_write32(regs, VTD_FEADDR, (uint32_t)vtd->msi_addr);
	hostif_write32(regs, VTD_FECTL,
		       vtd->msi_addr ? 0 : (uint32_t)VTD_FECTL_IM);
}

/*
 * Memory that firmware protected from DMA is opened, since translation protects
 * it now (11.4.8). A unit without such regions has no such register.
 */
static int protection_off(struct vtd *vtd)
{
	const struct hostif_regs *regs = &vtd->unit->regs;
	struct expectation done = { VTD_PMEN, (uint32_t)VTD_PMEN_PRS, 0 };
	uint32_t pmen;

	if (!(vtd->cap & (VTD_CAP_PLMR | VTD_CAP_PHMR)))
		return 0;
	pmen = hostif_read32(regs, VTD_PMEN);
	if (!(pmen & (uint32_t)(VTD_PMEN_EPM | VTD_PMEN_PRS)))
		return 0;
	hostif_write32(regs, VTD_PMEN, pmen & ~(uint32_t)VTD_PMEN_EPM);
	return backend_poll(vtd->unit, "protected memory is not opened", is_met,
			    &done);
}

int vtd_enable(struct backend_unit *unit)
{
	struct vtd *vtd = vtd_of(unit);
	int ret = block(vtd);

	if (!ret)
		ret = queue_on(vtd);
	if (ret)
		return ret;
	messages_program(vtd);
	/*
	 * From here on whoever changes a table invalidates. Who looked at
	 * @enabled before stored before, and the unit finds that.
	 */
	port_store32(&unit->enabled, 1);
	port_mb();
	port_dev_mb();
	ret = vtd_flush_writes(vtd);
	if (!ret)
		ret = root_set(vtd, vtd->root);
	if (!ret)
		ret = vtd_forget_all(vtd);
	if (!ret)
		vtd_queue_settle(vtd);
	if (!ret)
		ret = vtd_irt_enable(vtd);
	return ret ? ret : protection_off(vtd);
}

/* ---- errors ---- */

int vtd_errors(struct backend_unit *unit)
{
	const uint32_t queue =
		(uint32_t)(VTD_FSTS_IQE | VTD_FSTS_ITE | VTD_FSTS_ICE);

	if (port_load32(&unit->enabled) &&
	    (hostif_read32(&unit->regs, VTD_FSTS) & queue))
		vtd_queue_repair(vtd_of(unit));
	return 0;
}

int vtd_irq_set_msi(struct backend_unit *unit,
		    enum iommuabs_unit_irq_which which, uint64_t addr,
		    uint32_t data)
{
	struct vtd *vtd = vtd_of(unit);

	/* One message tells about faults and about errors. */
	if (which != IOMMUABS_IRQ_EVENT)
		return IOMMUABS_E_NOTSUP;
	if (addr & 3)
		return IOMMUABS_E_INVAL;
	ia_lock(unit->host, &unit->lock);
	vtd->msi_addr = addr;
	vtd->msi_data = data;
	if (port_load32(&unit->enabled))
		messages_program(vtd);
	ia_unlock(unit->host, &unit->lock);
	return 0;
}

/* A message is sent once; the fault status is the latch that events() looks at. */
void vtd_irq(struct backend_unit *unit, enum iommuabs_unit_irq_which which)
{
	(void)unit;
	(void)which;
}

#endif
