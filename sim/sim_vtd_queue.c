/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_vtd_queue.c - the invalidation queue, and invalidation by registers
 * (VT-d 6.5)
 */
#include "sim_vtd.h"

static uint64_t desc_bytes(const struct vtd *vtd)
{
	return vtd->iqa & IQA_DW ? 32 : 16;
}

static uint64_t queue_bytes(const struct vtd *vtd)
{
	return PAGE_SIZE << IQA_QS(vtd->iqa);
}

static void useless(struct iommuabs_sim_unit *u, const char *what)
{
	sim_violation(u->arena, IOMMUABS_SIM_V_COMMAND, "a descriptor %s",
		      what);
}

/* ---- by registers (6.5.1) ---- */

static bool register_serves(struct iommuabs_sim_unit *u, const char *which)
{
	const char *why = NULL;

	if (u->vtd->gsts & G_QIE)
		why = "the queue is on";
	else if (u->vtd->config.version >= 6)
		why = "a unit of version 6 has none";
	else if (vtd_is_scalable(u))
		why = "tables are of scalable mode";
	if (why)
		sim_violation(u->arena, IOMMUABS_SIM_V_GUARD, "%s is used: %s",
			      which, why);
	return !why;
}

void vtd_context_by_register(struct iommuabs_sim_unit *u)
{
	struct vtd *vtd = u->vtd;
	unsigned int g = CCMD_CIRG(vtd->ccmd);

	/* 6.8: writes of before are in memory first. */
	sim_flush_writes(u->arena);
	if (!register_serves(u, "CCMD") || g == G_RESERVED) {
		vtd->ccmd &= ~(CCMD_ICC | CCMD_CAIG(3));
		return;
	}
	vtd_doom_contexts(u, g, CCMD_DID(vtd->ccmd), CCMD_SID(vtd->ccmd),
			  CCMD_FM(vtd->ccmd));
	vtd_complete(u);
	vtd->ccmd &= ~(CCMD_ICC | CCMD_CAIG(3));
	vtd->ccmd |= CCMD_CAIG(g);
}

void vtd_iotlb_by_register(struct iommuabs_sim_unit *u)
{
	struct vtd *vtd = u->vtd;
	unsigned int g = IOTLB_IIRG(vtd->iotlb);

	sim_flush_writes(u->arena);
	if (!register_serves(u, "IOTLB") || g == G_RESERVED) {
		vtd->iotlb &= ~(IOTLB_IVT | IOTLB_IAIG(3));
		return;
	}
	/* 11.4.6.2: what is not supported is done for all of a domain. */
	if (g == G_FINEST &&
	    (!vtd->config.psi || IVA_AM(vtd->iva) > vtd->config.mamv))
		g = G_DOMAIN;
	vtd->drains = vtd->iotlb & IOTLB_DW;
	vtd_doom_iotlb(u, g, IOTLB_DID(vtd->iotlb), vtd->iva);
	vtd_complete(u);
	vtd->iotlb &= ~(IOTLB_IVT | IOTLB_IAIG(3));
	vtd->iotlb |= IOTLB_IAIG(g);
}

/* ---- descriptors (6.5.2) ---- */

/* 6.5.2.10: what stops the queue. */
static bool is_legal(const struct iommuabs_sim_unit *u, const uint64_t w[2])
{
	const struct vtd *vtd = u->vtd;

	switch (DESC_TYPE(w[0])) {
	case DESC_CONTEXT:
		return DESC_G(w[0]) && !(w[0] & CONTEXT_RES0) && !w[1];
	case DESC_IOTLB:
		if (!DESC_G(w[0]) || w[0] & DIOTLB_RES0)
			return false;
		if (DESC_G(w[0]) != G_FINEST)
			return true;
		return vtd->config.psi && !(w[1] & IVA_RES0) &&
		       IVA_AM(w[1]) <= vtd->config.mamv;
	case DESC_DEVICE_TLB:
		return vtd->config.dt && !(w[0] & DTLB_RES0) &&
		       !(w[1] & DTLB_RES0_1);
	case DESC_IEC:
		return vtd->config.ir && !(w[0] & IEC_RES0) && !w[1] &&
		       IEC_IM(w[0]) <= MHMV;
	case DESC_WAIT:
		return !(w[0] & WAIT_RES0) && !(w[1] & 3);
	case DESC_PASID:
		return vtd->config.smts && DESC_G(w[0]) != PASID_G_RESERVED &&
		       !(w[0] & PASID_RES0) && !w[1];
	default:
		return false;
	}
}

static void iotlb(struct iommuabs_sim_unit *u, const uint64_t w[2])
{
	struct vtd *vtd = u->vtd;
	unsigned int lg2 = IVA_AM(w[1]) + PAGE_LG2;

	if (DESC_G(w[0]) != G_GLOBAL &&
	    DESC_DID(w[0]) >> (4 + 2 * vtd->config.nd))
		useless(u, "names a domain-id wider than CAP.ND says");
	if (DESC_G(w[0]) == G_FINEST &&
	    (w[1] & IVA_ADDR) != ALIGN_DOWN(w[1] & IVA_ADDR, lg2))
		useless(u, "of pages, the address is not aligned to its mask");
	vtd->drains |= (w[0] & DIOTLB_DW) != 0;
	vtd_doom_iotlb(u, DESC_G(w[0]), DESC_DID(w[0]), w[1]);
}

/* 6.5.2.5, as the PCIe specification has it: the lowest 0 tells the size. */
static void device_tlb(struct iommuabs_sim_unit *u, const uint64_t w[2])
{
	uint64_t first = w[1] & IVA_ADDR, size = PAGE_SIZE;

	while (w[1] & DTLB_S && size && first & size)
		size <<= 1;
	if (w[1] & DTLB_S)
		size <<= 1;
	first = size ? first & ~(size - 1) : 0;
	sim_atc_doom(u, DTLB_SID(w[0]), first,
		     size ? first + (size - 1) : UINT64_MAX);
}

static void execute(struct iommuabs_sim_unit *u, const uint64_t w[2])
{
	switch (DESC_TYPE(w[0])) {
	case DESC_CONTEXT:
		vtd_doom_contexts(u, DESC_G(w[0]), DESC_DID(w[0]),
				  CONTEXT_SID(w[0]), CONTEXT_FM(w[0]));
		return;
	case DESC_IOTLB:
		iotlb(u, w);
		return;
	case DESC_DEVICE_TLB:
		device_tlb(u, w);
		return;
	case DESC_IEC:
		vtd_doom_irtes(u, IEC_INDEX(w[0]),
			       w[0] & IEC_G ? IEC_IM(w[0]) : 32);
		return;
	default:
		vtd_doom_pasids(u, DESC_G(w[0]), DESC_DID(w[0]),
				PASID_PASID(w[0]));
	}
}

/* ---- waiting ---- */

/* A DWORD; who polls it needs no index, and no barrier after one. */
static void write_status(struct iommuabs_sim_unit *u, uint64_t addr,
			 uint32_t data)
{
	struct iommuabs_sim_arena *a = u->arena;
	uint64_t at = ALIGN_DOWN(addr, 3);
	uint32_t word;

	if (!sim_inside(a, at, 8)) {
		useless(u, "waits with a status that is no memory");
		return;
	}
	if (a->adversary && !sim_page_used(a, at))
		sim_violation(a, IOMMUABS_SIM_V_FREED,
			      "a wait descriptor writes to the free page %#llx",
			      (unsigned long long)at);
	word = sim_word(a, at);
	__atomic_store_n((uint32_t *)(a->cpu + (addr - a->config.base)), data,
			 __ATOMIC_RELEASE);
	a->dev[word] = *(uint64_t *)(a->cpu + (at - a->config.base));
	a->flags[word] |= WORD_INIT;
}

void vtd_waits_drop(struct iommuabs_sim_unit *u)
{
	struct vtd *vtd = u->vtd;

	vtd->wait.slow.runs = false;
	vtd->waits.nr = 0;
	vtd_undoom(u);
	vtd->contexts_dooming = vtd->pasids_dooming = false;
	vtd->tlbs_dooming = vtd->drains = false;
}

/*
 * 6.5.2.11: a device did not answer in time. All waits that were fetched and are
 * not over are dropped; none is fetched until that is acknowledged. Each
 * invalidation has a time-out of its own, and those in any order.
 */
static bool time_is_out(struct iommuabs_sim_unit *u)
{
	struct vtd *vtd = u->vtd;
	uint32_t which, sid;

	if (!u->unanswered.nr)
		return false;
	which = (uint32_t)(sim_random(u->arena) % u->unanswered.nr);
	sid = *(uint32_t *)vec_at(&u->unanswered, which);
	vec_remove(&u->unanswered, which);
	vtd->iqercd = vtd->config.itesid ? IQERCD_ITESID(sid) : 0;
	vtd_waits_drop(u);
	vtd_queue_error(u, FSTS_ITE);
	return true;
}

static void wait_over(struct iommuabs_sim_unit *u, const uint64_t w[2])
{
	if (time_is_out(u))
		return;
	vtd_complete(u);
	u->counters.syncs++;
	if (w[0] & WAIT_SW)
		write_status(u, w[1], WAIT_DATA(w[0]));
	if (w[0] & WAIT_IF && !(u->vtd->ics & ICS_IWC)) {
		u->vtd->ics |= ICS_IWC;
		if (u->vtd->iectl & IECTL_IM)
			u->vtd->iectl |= IECTL_IP;
		else
			u->irqs[IOMMUABS_SIM_IRQ_SYNC]++;
	}
	sim_look(u);
}

static void wait_begins(struct iommuabs_sim_unit *u, struct waiting *wait,
			const uint64_t w[2])
{
	struct vtd *vtd = u->vtd;

	wait->w[0] = w[0];
	wait->w[1] = w[1];
	vtd_slow_begins(u, &wait->slow,
			(unsigned int)vtd->sync_delay + sim_some_polls(u, 4));
	if (sim_hit(&vtd->sync_hang_in))
		wait->slow.hangs_until = sim_until(u, 1, vtd->sync_hang_us);
}

/* Those without FN are over in any order. */
static void run_waits(struct iommuabs_sim_unit *u)
{
	struct vtd *vtd = u->vtd;
	uint32_t i;

	for (i = vtd->waits.nr; i--;) {
		struct waiting *wait = vec_at(&vtd->waits, i);
		struct waiting done;

		if (!vtd_slow_goes_on(u, &wait->slow))
			continue;
		done = *wait;
		vec_remove(&vtd->waits, i);
		wait_over(u, done.w);
	}
	if (vtd_slow_goes_on(u, &vtd->wait.slow))
		wait_over(u, vtd->wait.w);
}

void vtd_write_iectl(struct iommuabs_sim_unit *u, uint64_t value)
{
	struct vtd *vtd = u->vtd;

	vtd->iectl = (vtd->iectl & IECTL_IP) | (value & IECTL_IM);
	if (value & IECTL_IM || !(vtd->iectl & IECTL_IP))
		return;
	vtd->iectl &= ~IECTL_IP;
	u->irqs[IOMMUABS_SIM_IRQ_SYNC]++;
}

/* ---- the queue ---- */

/* Accesses to the queue snoop, and are not held up in a buffer (11.4.3, C). */
static bool fetch(struct iommuabs_sim_unit *u, uint64_t w[4])
{
	struct iommuabs_sim_arena *a = u->arena;
	const struct vtd *vtd = u->vtd;
	uint64_t at = (vtd->iqa & IQA_BASE) + vtd->iqh, i;

	if (!sim_inside(a, at, desc_bytes(vtd)))
		return false;
	if (a->adversary && !sim_page_used(a, at))
		sim_violation(a, IOMMUABS_SIM_V_FREED,
			      "a descriptor is fetched from the free page "
			      "%#llx",
			      (unsigned long long)at);
	w[2] = w[3] = 0;
	for (i = 0; i < desc_bytes(vtd) / 8; i++) {
		if (!sim_is_ordered(a, sim_word(a, at) + (uint32_t)i))
			sim_violation(a, IOMMUABS_SIM_V_ORDER,
				      "a descriptor is fetched before its "
				      "store is complete (port_dev_mb)");
		w[i] = sim_cpu_word(a, at + 8 * i);
	}
	return true;
}

static bool is_runnable(struct iommuabs_sim_unit *u)
{
	struct vtd *vtd = u->vtd;

	if (!(vtd->gsts & G_QIE) || vtd->fsts & (FSTS_IQE | FSTS_ITE) ||
	    vtd->wait.slow.runs || vtd->iqh == vtd->iqt)
		return false;
	if (vtd->hanging && vtd->hang_until <= u->arena->time_us)
		vtd->hanging = false;
	if (!vtd->hanging && sim_hit(&vtd->hang_in))
		vtd->hanging = true;
	return !vtd->hanging;
}

static void run_one(struct iommuabs_sim_unit *u)
{
	struct vtd *vtd = u->vtd;
	uint64_t w[4];

	if (!fetch(u, w) || sim_hit(&vtd->illegal_in) || w[2] || w[3] ||
	    !is_legal(u, w)) {
		vtd_queue_error(u, FSTS_IQE);
		return;
	}
	/* Also before what waits for it is fetched. */
	if (DESC_TYPE(w[0]) == DESC_WAIT && sim_random(u->arena) % 2 &&
	    time_is_out(u))
		return;
	if (DESC_TYPE(w[0]) != DESC_WAIT)
		execute(u, w);
	else if (w[0] & WAIT_FN)
		wait_begins(u, &vtd->wait, w);
	else
		wait_begins(u, vec_add(&vtd->waits), w);
	sim_log_command(u, w, DESC_TYPE(w[0]));
	vtd->iqh = (vtd->iqh + desc_bytes(vtd)) % queue_bytes(vtd);
}

void vtd_run_queue(struct iommuabs_sim_unit *u)
{
	run_waits(u);
	while (is_runnable(u))
		run_one(u);
}
