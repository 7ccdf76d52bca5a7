/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_vtd_regs.c - the registers of a VT-d unit (VT-d chapter 11)
 */
#include "sim_vtd.h"

static void violation(struct iommuabs_sim_unit *u, const char *text)
{
	sim_violation(u->arena, IOMMUABS_SIM_V_REGISTER, "%s", text);
}

static void guard(struct iommuabs_sim_unit *u, const char *text)
{
	sim_violation(u->arena, IOMMUABS_SIM_V_GUARD, "%s", text);
}

static void reserved(struct iommuabs_sim_unit *u, uint64_t value,
		     uint64_t known, const char *what)
{
	if (value & ~known)
		sim_violation(u->arena, IOMMUABS_SIM_V_REGISTER,
			      "%s: reserved bits set (%#llx)", what,
			      (unsigned long long)value);
}

bool vtd_may_be_enabled(const struct iommuabs_sim_unit *u)
{
	const struct vtd *vtd = u->vtd;

	return vtd->gsts & G_TE ||
	       (vtd->command.runs && vtd->bits & vtd->values & G_TE);
}

/* ---- GCMD ---- */

static void check_enable(struct iommuabs_sim_unit *u)
{
	struct vtd *vtd = u->vtd;

	if (!vtd->has_root)
		sim_violation(u->arena, IOMMUABS_SIM_V_ENABLE,
			      "TE set, no root table was ever given");
	/* 6.6, 11.4.4.1: caches hold anything after reset, or of before. */
	if (!vtd->contexts_clean || !vtd->tlbs_clean ||
	    (vtd_is_scalable(u) && !vtd->pasids_clean))
		sim_violation(u->arena, IOMMUABS_SIM_V_ENABLE,
			      "TE set, not all caches were invalidated, one "
			      "after the other, since reset or SRTP");
	u->tlbs_empty = false;
	vtd_restart(u);
}

static void begin_srtp(struct iommuabs_sim_unit *u)
{
	struct vtd *vtd = u->vtd;

	vtd->gsts &= ~G_SRTP;
	if (vtd_may_be_enabled(u)) {
		/* 11.4.5: software has to turn translation off for that. */
		if (RTADDR_TTM(vtd->rtaddr) != RTADDR_TTM(vtd->root))
			guard(u, "RTADDR.TTM changes while TE is set");
		vtd_keep_contexts(u);
	}
	vtd->next_root = vtd->rtaddr;
	vtd->contexts_clean = vtd->pasids_clean = vtd->tlbs_clean = false;
}

/* TE stays for ever, or everything is open for a moment. */
static void begin(struct iommuabs_sim_unit *u)
{
	struct vtd *vtd = u->vtd;

	if (vtd->bits & G_SRTP)
		begin_srtp(u);
	if (vtd->bits & G_SIRTP) {
		vtd->gsts &= ~G_SIRTP;
		vtd->next_irt = vtd->irta;
	}
	if (vtd->bits & G_WBF)
		vtd->gsts |= G_WBF;
	if (vtd->bits & vtd->values & G_QIE && vtd->iqt)
		violation(u, "QIE set, IQT is not 0");
	if (vtd->bits & vtd->values & G_TE)
		check_enable(u);
	if (vtd->bits & vtd->values & G_IRE && !vtd->irt)
		violation(u, "IRE set, no table was ever given");
}

/* What stays is told again with each command (11.4.4.1). */
static void write_gcmd(struct iommuabs_sim_unit *u, uint64_t value)
{
	struct vtd *vtd = u->vtd;
	uint64_t bits = ((value ^ vtd->gsts) & G_STAYS) | (value & G_ONESHOT);

	reserved(u, value, G_STAYS | G_ONESHOT, "GCMD");
	if (bits & (bits - 1))
		violation(u, "GCMD: more than one thing at a time");
	if (vtd->command.runs && !vtd->command.hangs_until)
		guard(u, "GCMD is written while a command runs");
	if (bits & G_QIE && !vtd->config.qi)
		violation(u, "GCMD.QIE, but ECAP.QI is 0");
	if (bits & (G_IRE | G_SIRTP | G_CFI) && !vtd->config.ir)
		violation(u, "GCMD for interrupts, but ECAP.IR is 0");
	if (!bits)
		return;
	if (vtd->ignored_until > u->arena->time_us) {
		vtd->gsts &= ~(bits & (G_SRTP | G_SIRTP));
		vtd->gsts |= bits & G_WBF;
		return;
	}
	vtd->bits = bits;
	vtd->values = value;
	vtd_slow_begins(u, &vtd->command, sim_some_polls(u, 3));
	begin(u);
}

static void queue_off(struct iommuabs_sim_unit *u)
{
	struct vtd *vtd = u->vtd;

	vtd->iqh = 0;
	vtd->hanging = false;
	u->unanswered.nr = 0;
	vtd_waits_drop(u);
}

static void command_over(struct iommuabs_sim_unit *u)
{
	struct vtd *vtd = u->vtd;
	uint64_t stays = vtd->bits & G_STAYS;

	vtd->gsts = (vtd->gsts & ~stays) | (vtd->values & stays);
	if (vtd->bits & G_SRTP) {
		vtd->root = vtd->next_root;
		vtd->has_root = true;
		vtd->gsts |= G_SRTP;
		if (vtd_may_be_enabled(u))
			vtd_reach(u, vtd->root);
	}
	if (vtd->bits & G_SIRTP) {
		vtd->irt = vtd->next_irt;
		vtd->gsts |= G_SIRTP;
		vtd_irt_taken(u);
	}
	if (vtd->bits & G_WBF) {
		vtd->gsts &= ~G_WBF;
		sim_flush_writes(u->arena);
	}
	if (stays & ~vtd->values & G_QIE)
		queue_off(u);
	sim_look(u);
}

/* ---- time goes by ---- */

static void tick(struct iommuabs_sim_unit *u)
{
	struct vtd *vtd = u->vtd;

	if (vtd_slow_goes_on(u, &vtd->command))
		command_over(u);
	if (vtd_slow_goes_on(u, &vtd->ccmd_runs))
		vtd_context_by_register(u);
	if (vtd_slow_goes_on(u, &vtd->iotlb_runs))
		vtd_iotlb_by_register(u);
	if (vtd_slow_goes_on(u, &vtd->pmen_runs)) {
		vtd->pmen &= ~PMEN_PRS;
		vtd->pmen |= vtd->pmen & PMEN_EPM ? PMEN_PRS : 0;
	}
	vtd_run_queue(u);
	sim_look(u);
}

/* ---- the others ---- */

static void write_rtaddr(struct iommuabs_sim_unit *u, uint64_t value)
{
	reserved(u, value, RTADDR_TABLE | MASK64(11, 10), "RTADDR");
	if (RTADDR_TTM(value) > u->vtd->config.smts)
		violation(u, "RTADDR.TTM is not supported");
	u->vtd->rtaddr = value;
}

static void write_ccmd(struct iommuabs_sim_unit *u, uint64_t value)
{
	if (u->vtd->ccmd_runs.runs && !u->vtd->ccmd_runs.hangs_until)
		guard(u, "CCMD is written while ICC is set");
	u->vtd->ccmd = value;
	if (value & CCMD_ICC)
		vtd_slow_begins(u, &u->vtd->ccmd_runs, sim_some_polls(u, 3));
}

static void write_iotlb(struct iommuabs_sim_unit *u, uint64_t value)
{
	if (u->vtd->iotlb_runs.runs && !u->vtd->iotlb_runs.hangs_until)
		guard(u, "IOTLB is written while IVT is set");
	u->vtd->iotlb = value;
	if (value & IOTLB_IVT)
		vtd_slow_begins(u, &u->vtd->iotlb_runs, sim_some_polls(u, 3));
}

static void write_iqa(struct iommuabs_sim_unit *u, uint64_t value)
{
	reserved(u, value,
		 IQA_BASE | MASK64(2, 0) | (u->vtd->config.smts ? IQA_DW : 0),
		 "IQA");
	if (value == u->vtd->iqa)
		return;
	if (u->vtd->gsts & G_QIE)
		guard(u, "IQA changes while the queue is on");
	else
		u->vtd->iqa = value;
}

static void write_iqt(struct iommuabs_sim_unit *u, uint64_t value)
{
	struct vtd *vtd = u->vtd;
	uint64_t bytes = vtd->iqa & IQA_DW ? 32 : 16;

	if (value % bytes || value >= PAGE_SIZE << IQA_QS(vtd->iqa))
		violation(u, "IQT is not the place of a descriptor");
	/* Scalable tables need descriptors of 256 bits for all they say. */
	if (vtd->gsts & G_QIE && vtd_is_scalable(u) && bytes == 16)
		violation(u, "IQA.DW is 0 in scalable mode");
	vtd->iqt = value;
}

static void write_pmen(struct iommuabs_sim_unit *u, uint64_t value)
{
	u->vtd->pmen = (u->vtd->pmen & PMEN_PRS) | (value & PMEN_EPM);
	vtd_slow_begins(u, &u->vtd->pmen_runs, sim_some_polls(u, 3));
}

static void write_irta(struct iommuabs_sim_unit *u, uint64_t value)
{
	reserved(u, value,
		 IRTA_TABLE | (u->vtd->config.eim ? IRTA_EIME : 0) |
			 MASK64(3, 0),
		 "IRTA");
	u->vtd->irta = value;
}

static bool is_fault(const struct iommuabs_sim_unit *u, uint32_t offset)
{
	return (offset >= R_FSTS && offset <= R_FEUADDR) ||
	       (offset >= R_FRCD && offset < R_FRCD + 16 * u->vtd->config.nfr);
}

static void nowhere(struct iommuabs_sim_unit *u, uint32_t offset,
		    uint64_t value)
{
	if (value)
		sim_violation(u->arena, IOMMUABS_SIM_V_REGISTER,
			      "write of %#llx to offset %#x, where nothing can "
			      "be written",
			      (unsigned long long)value, offset);
}

static void set_queue(struct iommuabs_sim_unit *u, uint32_t offset,
		      uint64_t value)
{
	switch (offset) {
	case R_IQT:
		write_iqt(u, value);
		return;
	case R_IQA:
		write_iqa(u, value);
		return;
	case R_ICS:
		u->vtd->ics &= ~(value & ICS_IWC);
		if (!u->vtd->ics)
			u->vtd->iectl &= ~IECTL_IP;
		return;
	case R_IECTL:
		vtd_write_iectl(u, value);
		return;
	case R_CCMD:
		write_ccmd(u, value);
		return;
	case R_IVA:
		u->vtd->iva = value;
		return;
	case R_IOTLB:
		write_iotlb(u, value);
		return;
	default:
		nowhere(u, offset, value);
	}
}

static void set(struct iommuabs_sim_unit *u, uint32_t offset, uint64_t value)
{
	if (is_fault(u, offset)) {
		vtd_write_fault(u, offset, value);
		return;
	}
	switch (offset) {
	case R_GCMD:
		write_gcmd(u, value);
		return;
	case R_RTADDR:
		write_rtaddr(u, value);
		return;
	case R_IRTA:
		write_irta(u, value);
		return;
	case R_PMEN:
		write_pmen(u, value);
		return;
	case R_PLMBASE:
		u->vtd->plmbase = value;
		return;
	case R_PLMLIMIT:
		u->vtd->plmlimit = value;
		return;
	default:
		set_queue(u, offset, value);
	}
}

static uint64_t get_queue(const struct iommuabs_sim_unit *u, uint32_t offset)
{
	const struct vtd *vtd = u->vtd;

	switch (offset) {
	case R_CCMD:
		return vtd->ccmd;
	case R_IVA:
		return vtd->iva;
	case R_IOTLB:
		return vtd->iotlb;
	case R_IQH:
		return vtd->iqh;
	case R_IQT:
		return vtd->iqt;
	case R_IQA:
		return vtd->iqa;
	case R_IQERCD:
		return vtd->iqercd;
	case R_ICS:
		return vtd->ics;
	case R_IECTL:
		return vtd->iectl;
	default:
		return 0;
	}
}

static uint64_t get(const struct iommuabs_sim_unit *u, uint32_t offset)
{
	const struct vtd *vtd = u->vtd;

	if (is_fault(u, offset))
		return vtd_read_fault(u, offset);
	switch (offset) {
	case R_VER:
		return vtd->config.version << 4;
	case R_CAP:
		return vtd->cap;
	case R_ECAP:
		return vtd->ecap;
	case R_GSTS:
		return vtd->gsts;
	case R_RTADDR:
		return vtd->rtaddr;
	case R_PMEN:
		return vtd->pmen;
	case R_PLMBASE:
		return vtd->plmbase;
	case R_PLMLIMIT:
		return vtd->plmlimit;
	case R_IRTA:
		return vtd->irta;
	default:
		return get_queue(u, offset);
	}
}

/* ---- widths ---- */

static bool is_64bit(const struct iommuabs_sim_unit *u, uint32_t offset)
{
	return offset == R_CAP || offset == R_ECAP || offset == R_RTADDR ||
	       offset == R_CCMD || offset == R_IQH || offset == R_IQT ||
	       offset == R_IQA || offset == R_IQERCD || offset == R_IRTA ||
	       offset == R_IVA || offset == R_IOTLB ||
	       (offset % 8 == 0 && offset >= R_FRCD && is_fault(u, offset));
}

/* 11.2: registers of 64 bits in one piece or in two. */
static bool access_ok(struct iommuabs_sim_unit *u, uint32_t offset,
		      unsigned int width)
{
	if ((width == 4 && !(offset % 4)) ||
	    (width == 8 && is_64bit(u, offset)))
		return true;
	sim_violation(u->arena, IOMMUABS_SIM_V_REGISTER,
		      "%u-bit access to offset %#x", 8 * width, offset);
	return false;
}

static bool is_upper_half(const struct iommuabs_sim_unit *u, uint32_t offset)
{
	return offset % 8 == 4 && is_64bit(u, offset - 4);
}

uint64_t vtd_read(struct iommuabs_sim_unit *u, uint32_t offset,
		  unsigned int width)
{
	uint64_t value;

	if (!access_ok(u, offset, width))
		return 0;
	tick(u);
	if (is_upper_half(u, offset))
		return get(u, offset - 4) >> 32;
	value = get(u, offset);
	return width == 8 ? value : (uint32_t)value;
}

void vtd_write(struct iommuabs_sim_unit *u, uint32_t offset, unsigned int width,
	       uint64_t value)
{
	if (!access_ok(u, offset, width))
		return;
	if (width == 4 && is_upper_half(u, offset)) {
		offset -= 4;
		value <<= 32;
		/* A record's lower half is read only; F is cleared by a one. */
		if (!is_fault(u, offset))
			value |= (uint32_t)get(u, offset);
	} else if (width == 4 && is_64bit(u, offset)) {
		value = (uint32_t)value;
		if (!is_fault(u, offset))
			value |= get(u, offset) & MASK64(63, 32);
	} else if (width == 4) {
		value = (uint32_t)value;
	}
	set(u, offset, value);
	tick(u);
}
