/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vtd_control.c - commands, enabling, errors (VT-d 11.4.4, 6.6)
 *
 * A unit that was off begins to translate with the tables that are in memory. One
 * that firmware left translating goes from its root table to ours by the one
 * command that there is for that: at no moment is everything let through, or
 * something blocked that both let through.
 */
#include "vtd.h"

#if IOMMUABS_CONFIG_VTD

#define TE	      ((uint32_t)VTD_GCMD_TE)
#define QIE	      ((uint32_t)VTD_GCMD_QIE)
#define ONE_SHOT_SRTP ((uint32_t)VTD_GCMD_SRTP)
#define ONE_SHOT_WBF  ((uint32_t)VTD_GCMD_WBF)

/* ---- commands ---- */

static bool is_met(struct backend_unit *unit, void *arg)
{
	const struct vtd_expectation *want = arg;
	uint32_t now = hostif_read32(&unit->regs, want->reg);

	return now != VTD_NO_ANSWER && (now & want->mask) == want->value;
}

int vtd_poll(struct vtd *vtd, const struct vtd_expectation *want,
	     const char *what)
{
	struct vtd_expectation copy = *want;

	return backend_poll(vtd->unit, what, is_met, &copy);
}

/*
 * GCMD holds nothing: what is to stay on is told again with each command, and one
 * command is given at a time (11.4.4.1).
 */
uint32_t vtd_command_word(const struct vtd *vtd, uint32_t off, uint32_t on)
{
	uint32_t now =
		hostif_read32(&vtd->unit->regs, VTD_GSTS) & VTD_GSTS_KEPT;

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
		   struct vtd_expectation want, const char *what)
{
	int ret = vtd_take(vtd);

	if (ret)
		return ret;
	hostif_write32(&vtd->unit->regs, VTD_GCMD,
		       vtd_command_word(vtd, off, on));
	ret = vtd_poll(vtd, &want, what);
	vtd_give(vtd);
	return ret;
}

int vtd_command_off(struct vtd *vtd, uint32_t bit, const char *what)
{
	return command(vtd, bit, 0,
		       (struct vtd_expectation){ VTD_GSTS, bit, 0 }, what);
}

int vtd_command_on(struct vtd *vtd, uint32_t bit, const char *what)
{
	return command(vtd, 0, bit,
		       (struct vtd_expectation){ VTD_GSTS, bit, bit }, what);
}

/* WBF is done when its status is 0 again (11.4.4.2). */
int vtd_flush_writes(struct vtd *vtd)
{
	if (!vtd_has(VTD_CAP_RWBF, vtd->cap))
		return 0;
	/* What is to leave the buffer is in it. */
	port_dev_mb();
	return command(vtd, 0, ONE_SHOT_WBF,
		       (struct vtd_expectation){ VTD_GSTS, ONE_SHOT_WBF, 0 },
		       "the write buffer is not flushed");
}

/* ---- the root table ---- */

uint64_t vtd_root_value(const struct vtd *vtd, uint64_t root)
{
	return root | field_put(VTD_RTADDR_TTM, vtd->scalable ? VTD_TTM_SCALABLE
							      : VTD_TTM_LEGACY);
}

static int root_set(struct vtd *vtd, uint64_t root)
{
	hostif_write64(&vtd->unit->regs, VTD_RTADDR, vtd_root_value(vtd, root));
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

void vtd_queue_drain(struct vtd *vtd)
{
	vtd_queue_close(vtd);
	if (vtd->has_queue && (hostif_read32(&vtd->unit->regs, VTD_GSTS) & QIE))
		(void)backend_poll(vtd->unit,
				   "the invalidation queue is not drained",
				   is_drained, NULL);
}

int vtd_queue_off(struct vtd *vtd)
{
	vtd_queue_drain(vtd);
	if (!vtd->has_queue)
		return 0;
	return vtd_command_off(vtd, QIE, "QIE = 0 is not acknowledged");
}

int vtd_queue_on(struct vtd *vtd)
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
	const struct vtd_expectation done = { VTD_PMEN, (uint32_t)VTD_PMEN_PRS,
					      0 };
	uint32_t pmen;

	if (!(vtd->cap & (VTD_CAP_PLMR | VTD_CAP_PHMR)))
		return 0;
	pmen = hostif_read32(regs, VTD_PMEN);
	if (!(pmen & (uint32_t)(VTD_PMEN_EPM | VTD_PMEN_PRS)))
		return 0;
	hostif_write32(regs, VTD_PMEN, pmen & ~(uint32_t)VTD_PMEN_EPM);
	return vtd_poll(vtd, &done, "protected memory is not opened");
}

bool vtd_mode_suits(const struct vtd *vtd)
{
	const struct hostif_regs *regs = &vtd->unit->regs;

	if (!(hostif_read32(regs, VTD_GSTS) & TE))
		return true;
	return vtd_mode_of(hostif_read64(regs, VTD_RTADDR)) == vtd->scalable;
}

/* To turn translation off first would let everything through. */
static int mode_check(struct vtd *vtd)
{
	if (hostif_read32(&vtd->unit->regs, VTD_VER) == VTD_NO_ANSWER) {
		backend_reason_set(vtd->unit,
				   "does not answer: its registers read as all "
				   "ones");
		return IOMMUABS_E_TIMEOUT;
	}
	if (vtd_mode_suits(vtd))
		return 0;
	backend_reason_set(vtd->unit, "it translates by tables of another mode "
				      "(RTADDR.TTM)");
	return IOMMUABS_E_UNIT;
}

/*
 * From the tables of before, or from none, to ours, in one step: what is cached
 * of the former is forgotten, then TE is set, if it was not. Only so a device
 * that uses its reserved regions all along never finds them blocked.
 */
static int translate(struct vtd *vtd)
{
	int ret = vtd_flush_writes(vtd);

	if (!ret)
		ret = root_set(vtd, vtd->root);
	if (!ret)
		ret = vtd_forget_all(vtd);
	if (ret)
		return ret;
	vtd_queue_settle(vtd);
	return vtd_command_on(vtd, TE, "TE is not acknowledged");
}

int vtd_enable(struct backend_unit *unit)
{
	struct vtd *vtd = vtd_of(unit);
	int ret = mode_check(vtd);

	if (ret)
		return ret;
	unit->holds = 1;
	vtd->was_told = 1;
	vtd->is_lost = 0;
	port_store32(&unit->enabled, 0);
	/* What claims to be translated is refused, until devices have forgotten
	 * what they had. */
	ret = backend_ats_close(unit, vtd->ats, 0, ~(uint32_t)0, &vtd_ats_ops);
	if (!ret)
		ret = vtd_queue_off(vtd);
	if (!ret)
		ret = vtd_queue_on(vtd);
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
	ret = translate(vtd);
	if (!ret)
		ret = vtd_irt_enable(vtd);
	if (!ret)
		ret = backend_ats_reopen(unit, vtd->ats, &vtd_ats_ops);
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
