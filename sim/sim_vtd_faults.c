/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_vtd_faults.c - fault recording, and the interrupt that tells of it
 * (VT-d 7.2 to 7.4, 11.4.7)
 */
#include "sim_vtd.h"

static bool any_record(const struct vtd *vtd)
{
	uint32_t i;

	for (i = 0; i < vtd->config.nfr; i++) {
		if (vtd->records[i][1] & FRCD_F)
			return true;
	}
	return false;
}

static void message(struct iommuabs_sim_unit *u)
{
	struct vtd *vtd = u->vtd;

	vtd->fectl &= ~FECTL_IP;
	sim_message(u, vtd->feuaddr << 32 | vtd->feaddr, (uint32_t)vtd->fedata,
		    IOMMUABS_SIM_IRQ_EVENTQ);
}

/* 7.4: at the first of what is pending. */
static void raise(struct iommuabs_sim_unit *u)
{
	if (u->vtd->fectl & FECTL_IM)
		u->vtd->fectl |= FECTL_IP;
	else
		message(u);
}

static void set_status(struct iommuabs_sim_unit *u, uint64_t bit)
{
	struct vtd *vtd = u->vtd;
	bool first = !(vtd->fsts & (FSTS_W1C | FSTS_PPF));

	vtd->fsts |= bit;
	if (first)
		raise(u);
}

void vtd_queue_error(struct iommuabs_sim_unit *u, uint64_t bit)
{
	set_status(u, bit);
}

void vtd_record(struct iommuabs_sim_unit *u, unsigned int reason, uint32_t sid,
		uint64_t info, bool read)
{
	struct vtd *vtd = u->vtd;
	uint64_t *record = vtd->records[vtd->next_record];

	/* 7.2.1: as long as PFO is set, nothing is recorded. */
	if (vtd->fsts & FSTS_PFO || record[1] & FRCD_F) {
		u->counters.events_lost++;
		set_status(u, FSTS_PFO);
		return;
	}
	record[0] = info;
	record[1] = sid | FRCD_FR(reason) | (read ? FRCD_READ : 0) | FRCD_F;
	if (!(vtd->fsts & FSTS_PPF))
		vtd->fri = vtd->next_record;
	vtd->next_record = (vtd->next_record + 1) % vtd->config.nfr;
	u->counters.events++;
	set_status(u, FSTS_PPF);
}

/* ---- registers ---- */

static void settle(struct vtd *vtd)
{
	if (!any_record(vtd))
		vtd->fsts &= ~FSTS_PPF;
	while (vtd->fsts & FSTS_PPF && !(vtd->records[vtd->fri][1] & FRCD_F))
		vtd->fri = (vtd->fri + 1) % vtd->config.nfr;
	if (!(vtd->fsts & (FSTS_W1C | FSTS_PPF)))
		vtd->fectl &= ~FECTL_IP;
}

uint64_t vtd_read_fault(const struct iommuabs_sim_unit *u, uint32_t offset)
{
	const struct vtd *vtd = u->vtd;

	switch (offset) {
	case R_FSTS:
		return vtd->fsts | FSTS_FRI(vtd->fri);
	case R_FECTL:
		return vtd->fectl;
	case R_FEDATA:
		return vtd->fedata;
	case R_FEADDR:
		return vtd->feaddr;
	case R_FEUADDR:
		return vtd->feuaddr;
	default:
		return vtd->records[(offset - R_FRCD) / 16][offset / 8 % 2];
	}
}

static void write_fectl(struct iommuabs_sim_unit *u, uint64_t value)
{
	u->vtd->fectl = (u->vtd->fectl & FECTL_IP) | (value & FECTL_IM);
	if (!(value & FECTL_IM) && u->vtd->fectl & FECTL_IP)
		message(u);
}

/* 11.4.7.3: F is cleared by a one; the rest is read only. */
static void write_record(struct iommuabs_sim_unit *u, uint32_t offset,
			 uint64_t value)
{
	uint64_t *record = u->vtd->records[(offset - R_FRCD) / 16];

	if (offset % 16 == 8 && value & FRCD_F)
		record[1] &= ~FRCD_F;
	settle(u->vtd);
}

void vtd_write_fault(struct iommuabs_sim_unit *u, uint32_t offset,
		     uint64_t value)
{
	struct vtd *vtd = u->vtd;

	switch (offset) {
	case R_FSTS:
		vtd->fsts &= ~(value & FSTS_W1C);
		settle(vtd);
		return;
	case R_FECTL:
		write_fectl(u, value);
		return;
	case R_FEDATA:
		vtd->fedata = value;
		return;
	case R_FEADDR:
		vtd->feaddr = value;
		return;
	case R_FEUADDR:
		vtd->feuaddr = value;
		return;
	default:
		write_record(u, offset, value);
	}
}
