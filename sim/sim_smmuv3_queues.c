/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_smmuv3_queues.c - the command queue (IHI 0070 chapter 4)
 */
#include "sim_smmuv3.h"

/* Who understands a command. */
enum needs { ANYONE, STAGE1, STAGE2, HYP, ATS, PRI, STALLS };

/* 4.2 to 4.7: the bits that are not RES0, opcode included. */
struct command {
	unsigned int opcode;
	enum needs needs;
	uint64_t known0, known1;
	bool by_address; /* NUM, SCALE, TG, TTL where IDR3.RIL is 1 */
};

#define OPCODE	  MASK64(7, 0)
#define SID	  MASK64(63, 32)
#define VMID	  MASK64(47, 32)
#define ASID	  MASK64(63, 48)
#define SSID	  (MASK64(31, 12) | BIT64(11))
#define LEAF	  BIT64(0)
#define ADDR	  MASK64(63, 12)
#define IPA	  MASK64(51, 12)
#define NUM_SCALE (MASK64(16, 12) | MASK64(24, 20))
#define TG_TTL	  MASK64(11, 8)
#define SYNC0	  (MASK64(13, 12) | MASK64(27, 22) | MASK64(63, 32))
#define MSI_ADDR  MASK64(55, 2)

static const struct command commands[] = {
	{ CMD_PREFETCH_CONFIG, ANYONE, SSID | SID, 0, false },
	{ CMD_PREFETCH_ADDR, ANYONE, SSID | SID, MASK64(63, 0), false },
	{ CMD_CFGI_STE, ANYONE, SID, LEAF, false },
	{ CMD_CFGI_STE_RANGE, ANYONE, SID, MASK64(4, 0), false },
	{ CMD_CFGI_CD, STAGE1, SSID | SID, LEAF, false },
	{ CMD_CFGI_CD_ALL, STAGE1, SID, 0, false },
	{ CMD_TLBI_NH_ALL, STAGE1, VMID, 0, false },
	{ CMD_TLBI_NH_ASID, STAGE1, VMID | ASID, 0, false },
	{ CMD_TLBI_NH_VA, STAGE1, VMID | ASID, ADDR | LEAF, true },
	{ CMD_TLBI_NH_VAA, STAGE1, VMID, ADDR | LEAF, true },
	{ CMD_TLBI_EL2_ALL, HYP, 0, 0, false },
	{ CMD_TLBI_EL2_ASID, HYP, ASID, 0, false },
	{ CMD_TLBI_EL2_VA, HYP, ASID, ADDR | LEAF, true },
	{ CMD_TLBI_EL2_VAA, HYP, 0, ADDR | LEAF, true },
	{ CMD_TLBI_S12_VMALL, STAGE2, VMID, 0, false },
	{ CMD_TLBI_S2_IPA, STAGE2, VMID, IPA | LEAF, true },
	{ CMD_TLBI_NSNH_ALL, ANYONE, 0, 0, false },
	{ CMD_ATC_INV, ATS, SSID | BIT64(9) | SID, ADDR | MASK64(5, 0), false },
	{ CMD_PRI_RESP, PRI, SSID | SID, MASK64(13, 12) | MASK64(8, 0), false },
	{ CMD_RESUME, STALLS, SID | MASK64(13, 12), MASK64(15, 0), false },
	{ CMD_STALL_TERM, STALLS, SID, 0, false },
	{ CMD_SYNC, ANYONE, SYNC0, MSI_ADDR, false },
};

static bool implemented(const struct iommuabs_sim_unit *u, enum needs needs)
{
	switch (needs) {
	case STAGE1:
		return u->smmu->config.s1p;
	case STAGE2:
		return u->smmu->config.s2p;
	case HYP:
		return u->smmu->config.hyp;
	case ATS:
		return u->smmu->config.ats;
	case PRI:
		return u->smmu->config.pri;
	case STALLS:
		return u->smmu->config.stall_model != 1;
	default:
		return true;
	}
}

/* 4.1.3: as strict as an implementation may be. */
static bool command_legal(const struct iommuabs_sim_unit *u,
			  const uint64_t cmd[2])
{
	const struct command *c = commands;
	const struct command *end = c + sizeof(commands) / sizeof(*c);
	uint64_t known0, known1;

	while (c < end && c->opcode != FIELD(cmd[0], 7, 0))
		c++;
	if (c == end || !implemented(u, c->needs))
		return false;
	known0 = OPCODE | c->known0;
	known1 = c->known1;
	if (c->by_address && u->smmu->config.ril) {
		known0 |= NUM_SCALE | (u->smmu->config.ds ? BIT64(25) : 0);
		known1 |= TG_TTL;
	}
	if (cmd[0] & ~known0 || cmd[1] & ~known1)
		return false;
	if (c->by_address && !smmuv3_tlbi_legal(u, cmd))
		return false;
	switch (c->opcode) {
	case CMD_SYNC:
		/* 4.7.3: CS == 0b11 is reserved. */
		return FIELD(cmd[0], 13, 12) != 3;
	case CMD_ATC_INV:
		return FIELD(cmd[1], 5, 0) <= 52;
	case CMD_PRI_RESP:
		return FIELD(cmd[1], 13, 12) != 3;
	case CMD_PREFETCH_CONFIG:
	case CMD_PREFETCH_ADDR:
		return !(u->smmu->config.quirks &
			 IOMMUABS_SIM_QUIRK_NO_PREFETCH);
	default:
		return true;
	}
}

static bool sid_in_range(struct iommuabs_sim_unit *u, uint64_t sid)
{
	if (!(sid >> u->smmu->config.sidsize))
		return true;
	sim_violation(u->arena, IOMMUABS_SIM_V_COMMAND,
		      "a CFGI for StreamID %#llx, out of range",
		      (unsigned long long)sid);
	return false;
}

static void cfgi_ste(struct iommuabs_sim_unit *u, const uint64_t cmd[2])
{
	uint64_t sid = FIELD(cmd[0], 63, 32), nr = 1;
	bool leaf = cmd[1] & LEAF;

	if (FIELD(cmd[0], 7, 0) == CMD_CFGI_STE_RANGE) {
		nr = BIT64(FIELD(cmd[1], 4, 0) + 1);
		sid = ALIGN_DOWN(sid, FIELD(cmd[1], 4, 0) + 1);
		leaf = false;
	}
	if (nr == BIT64(32)) {
		sid = 0;
		u->smmu->configs_dooming = true;
	} else if (!sid_in_range(u, sid)) {
		return;
	}
	smmuv3_ste_meant(u, (uint32_t)sid, (uint32_t)(sid + nr - 1));
	smmuv3_doom_stes(u, (uint32_t)sid, (uint32_t)(sid + nr - 1), leaf);
}

static void cfgi_cd(struct iommuabs_sim_unit *u, const uint64_t cmd[2])
{
	uint32_t sid = (uint32_t)FIELD(cmd[0], 63, 32);
	uint32_t ssid = (uint32_t)FIELD(cmd[0], 31, 12);

	if (!sid_in_range(u, sid))
		return;
	if (FIELD(cmd[0], 7, 0) == CMD_CFGI_CD_ALL)
		ssid = UINT32_MAX;
	else if (ssid >> u->smmu->config.ssidsize)
		sim_violation(u->arena, IOMMUABS_SIM_V_COMMAND,
			      "a CFGI for SubstreamID %#x, out of range", ssid);
	smmuv3_cd_meant(u, sid, sid, ssid);
	smmuv3_doom_cds(u, sid, sid, ssid);
}

static void tlbi(struct iommuabs_sim_unit *u, const uint64_t cmd[2])
{
	if (!smmuv3_tlbi_sensible(u, cmd))
		return;
	if (FIELD(cmd[0], 7, 0) == CMD_TLBI_NSNH_ALL) {
		u->smmu->tlbs_dooming = true;
		/*
		 * 6.3.9.6: with SMMUEN 0 tables are not read, by prefetch or
		 * otherwise, and nothing is inserted. What is taken from them
		 * from now on can only be cached since before, and goes by
		 * this command when it completes.
		 */
		u->tlbs_empty |= !smmuv3_may_be_enabled(u);
	}
	if (FIELD(cmd[0], 7, 0) == CMD_TLBI_EL2_ALL)
		u->smmu->el2_dooming = true;
	smmuv3_doom_tlb(u, cmd);
}

/* 4.5.1 */
static void atc_inv(struct iommuabs_sim_unit *u, const uint64_t cmd[2])
{
	unsigned int lg2 = 12 + (unsigned int)FIELD(cmd[1], 5, 0);
	uint64_t first = lg2 > 63 ? 0 : ALIGN_DOWN(cmd[1], lg2);
	uint64_t last = lg2 > 63 ? UINT64_MAX : first + (BIT64(lg2) - 1);

	if (smmuv3_may_be_enabled(u))
		sim_atc_doom(u, (uint32_t)FIELD(cmd[0], 63, 32), first, last);
}

static void execute(struct iommuabs_sim_unit *u, const uint64_t cmd[2])
{
	switch (FIELD(cmd[0], 7, 0)) {
	case CMD_CFGI_STE:
	case CMD_CFGI_STE_RANGE:
		cfgi_ste(u, cmd);
		return;
	case CMD_CFGI_CD:
	case CMD_CFGI_CD_ALL:
		cfgi_cd(u, cmd);
		return;
	case CMD_ATC_INV:
		atc_inv(u, cmd);
		return;
	case CMD_RESUME:
	case CMD_STALL_TERM:
		smmuv3_resume(u, cmd);
		return;
	case CMD_PRI_RESP:
		/* The devices of this model ask once, and wait for nothing. */
		return;
	case CMD_PREFETCH_CONFIG:
	case CMD_PREFETCH_ADDR:
		/* All that could be prefetched counts as cached anyway. */
		return;
	default:
		tlbi(u, cmd);
	}
}

static void command_error(struct iommuabs_sim_unit *u, unsigned int error)
{
	uint64_t index = MASK64(Q_BASE_LOG2SIZE(u->smmu->cmdq_base), 0);

	u->smmu->cmdq_cons =
		(u->smmu->cmdq_cons & index) | CMDQ_CONS_ERR(error);
	smmuv3_gerror(u, GERROR_CMDQ);
}

/* 4.7.3 */
static void signal_sync(struct iommuabs_sim_unit *u, const uint64_t cmd[2])
{
	uint64_t addr = cmd[1] & MSI_ADDR;

	if (FIELD(cmd[0], 13, 12) != 1)
		return;
	if (u->smmu->config.msi && addr)
		smmuv3_message(u, addr, (uint32_t)(cmd[0] >> 32),
			       IOMMUABS_SIM_IRQ_SYNC);
	else
		u->irqs[IOMMUABS_SIM_IRQ_SYNC]++;
}

static void begin_sync(struct iommuabs_sim_unit *u)
{
	u->smmu->sync_started = true;
	u->smmu->sync_polls = (unsigned int)u->smmu->sync_delay;
	if (u->arena->adversary)
		u->smmu->sync_polls += (unsigned int)(sim_random(u->arena) % 4);
	u->smmu->sync_hangs_until = sim_wait_begins(u);
	if (u->smmu->sync_hang_in && !--u->smmu->sync_hang_in)
		u->smmu->sync_hangs_until =
			u->smmu->sync_hang_us
				? u->arena->time_us + u->smmu->sync_hang_us
				: FOR_EVER;
}

static bool sync_over(struct iommuabs_sim_unit *u)
{
	if (!u->smmu->sync_started)
		begin_sync(u);
	if (u->smmu->sync_hangs_until > u->arena->time_us)
		return false;
	if (u->smmu->sync_polls) {
		u->smmu->sync_polls--;
		return false;
	}
	u->smmu->sync_started = false;
	/* 3.9.1.4: nothing that waits for this one counts as complete. */
	if (u->unanswered.nr) {
		u->unanswered.nr = 0;
		command_error(u, CERROR_ATC_INV_SYNC);
		return false;
	}
	if (u->smmu->configs_dooming) {
		u->smmu->configs_clean = true;
		u->smmu->configs_empty = !smmuv3_may_be_enabled(u);
	}
	if (u->smmu->tlbs_dooming) {
		u->smmu->tlbs_clean = true;
		u->tlbs_empty = !smmuv3_may_be_enabled(u);
	}
	u->smmu->el2_clean |= u->smmu->el2_dooming;
	u->smmu->configs_dooming = u->smmu->tlbs_dooming =
		u->smmu->el2_dooming = false;
	u->counters.syncs++;
	smmuv3_sync_done(u);
	sim_land(u->arena, u);
	return true;
}

static void consumed(struct iommuabs_sim_unit *u, const uint64_t cmd[2])
{
	uint64_t mask = MASK64(Q_BASE_LOG2SIZE(u->smmu->cmdq_base), 0);

	sim_log_command(u, cmd, (unsigned int)FIELD(cmd[0], 7, 0));
	u->smmu->cmdq_cons = (u->smmu->cmdq_cons + 1) & mask;
}

uint64_t smmuv3_queue_at(uint64_t base, unsigned int entry_lg2)
{
	unsigned int lg2 = Q_BASE_LOG2SIZE(base) + entry_lg2;

	return ALIGN_DOWN(base & Q_BASE_ADDR, lg2 > 5 ? lg2 : 5);
}

static bool fetch_command(struct iommuabs_sim_unit *u, uint64_t cmd[2])
{
	struct iommuabs_sim_arena *a = u->arena;
	uint64_t index = u->smmu->cmdq_cons &
			 (BIT64(Q_BASE_LOG2SIZE(u->smmu->cmdq_base)) - 1);
	uint64_t at = smmuv3_queue_at(u->smmu->cmdq_base, CMD_LG2) + 16 * index;
	struct value values[MAX_VALUES];
	unsigned int i, nr;

	if (!sim_inside(a, at, 16))
		return false;
	if (!sim_page_used(a, at))
		sim_violation(a, IOMMUABS_SIM_V_FREED,
			      "a command is fetched from the free page %#llx",
			      (unsigned long long)at);
	for (i = 0; i < 2; i++) {
		nr = sim_values(a, sim_word(a, at) + i, 0, values);
		if (nr > 1)
			sim_violation(
				a,
				a->config.noncoherent ? IOMMUABS_SIM_V_CLEAN
						      : IOMMUABS_SIM_V_ORDER,
				"a command is fetched before its store is "
				"complete (port_dev_mb, cache_clean)");
		else if (!values[0].init)
			sim_violation(a, IOMMUABS_SIM_V_UNINIT,
				      "a command is fetched that was never "
				      "stored");
		cmd[i] = values[nr - 1].v;
	}
	return true;
}

static bool runnable(struct iommuabs_sim_unit *u)
{
	uint64_t mask = MASK64(Q_BASE_LOG2SIZE(u->smmu->cmdq_base), 0);

	if (!(u->smmu->cr0.ack & CR0_CMDQEN) || smmuv3_failed(u) ||
	    (u->smmu->gerror ^ u->smmu->gerrorn) & GERROR_CMDQ ||
	    !((u->smmu->cmdq_prod ^ u->smmu->cmdq_cons) & mask))
		return false;
	if (u->smmu->hanging && u->smmu->hang_until <= u->arena->time_us)
		u->smmu->hanging = false;
	return !u->smmu->hanging;
}

/* One command; false: nothing more for now. */
static bool run_one(struct iommuabs_sim_unit *u)
{
	uint64_t cmd[2];

	if (!u->smmu->sync_started) {
		if (sim_hit(&u->smmu->hang_in)) {
			u->smmu->hanging = true;
			return false;
		}
		if (sim_hit(&u->smmu->abort_in)) {
			command_error(u, CERROR_ABT);
			return false;
		}
	}
	if (!fetch_command(u, cmd)) {
		command_error(u, CERROR_ABT);
		return false;
	}
	if (!u->smmu->sync_started &&
	    (sim_hit(&u->smmu->illegal_in) || !command_legal(u, cmd))) {
		command_error(u, CERROR_ILL);
		return false;
	}
	if (FIELD(cmd[0], 7, 0) != CMD_SYNC) {
		execute(u, cmd);
		consumed(u, cmd);
		return true;
	}
	if (!sync_over(u))
		return false;
	consumed(u, cmd);
	signal_sync(u, cmd);
	sim_look(u);
	return true;
}

void smmuv3_run_commands(struct iommuabs_sim_unit *u)
{
	while (runnable(u) && run_one(u))
		;
}

unsigned int iommuabs_sim_tlbi_covering(struct iommuabs_sim_unit *u,
					uint16_t vmid, uint64_t ipa,
					uint64_t from)
{
	const struct tag tag = { .vmid = vmid };
	unsigned int nr = 0;
	uint64_t cmd[2];

	if (u->ops != &smmuv3_ops)
		return 0;
	sim_lock(u->arena);
	for (; from < u->counters.commands; from++) {
		if (sim_logged(u, from, cmd))
			nr += smmuv3_tlbi_covers(u, cmd, &tag, ipa, 0);
	}
	sim_unlock(u->arena);
	return nr;
}

void iommuabs_sim_broadcast_tlbi(struct iommuabs_sim_arena *a, uint16_t vmid)
{
	uint64_t cmd[2] = { CMD_TLBI_S12_VMALL | (uint64_t)vmid << 32, 0 };
	struct iommuabs_sim_unit *u;

	sim_lock(a);
	for (u = a->units; u; u = u->next) {
		if (u->ops != &smmuv3_ops || !u->smmu->config.btm ||
		    u->smmu->cr2 & CR2_PTM || smmuv3_failed(u))
			continue;
		smmuv3_drop_tlb(u, cmd);
		sim_land(a, u);
		sim_look(u);
	}
	sim_unlock(a);
}
