/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smmuv3_cmdq.c - the command queue (IHI 0070 3.5, 4.1, 7.1)
 *
 * Any number of CPUs insert under the unit's lock, and each waits without it for
 * its own CMD_SYNC: CONS beyond it means complete (4.7.3).
 */
#include "smmuv3.h"

#if IOMMUABS_CONFIG_SMMU

/* A batch is repeated when the unit refused a command of it. */
#define TRIES 3

static uint64_t queue_size(const struct smmuv3_cmdq *q)
{
	return (uint64_t)1 << q->lg2;
}

/*
 * How many commands were consumed, if the unit says @cons and at least @prod were
 * inserted: never more than there were.
 */
static uint64_t consumed(const struct smmuv3_cmdq *q, uint64_t prod,
			 uint32_t cons)
{
	return prod - ((prod - cons) & (2 * queue_size(q) - 1));
}

static uint64_t *command_map(const struct smmuv3 *smmu, uint64_t number)
{
	const struct smmuv3_cmdq *q = &smmu->cmdq;
	uint64_t *page = hostif_map(smmu->unit->host, q->maddr);

	/* The queue is no longer than a page. */
	return page + 2 * (number & (queue_size(q) - 1));
}

/* ---- a queue that stopped ---- */

static uint32_t active_errors(const struct smmuv3 *smmu, uint32_t *gerrorn)
{
	const struct hostif_regs *regs = &smmu->unit->regs;

	*gerrorn = hostif_read32(regs, SMMU_GERRORN);
	return hostif_read32(regs, SMMU_GERROR) ^ *gerrorn;
}

/*
 * The lock is held. CONS points at the command that the unit won't take: put a
 * CMD_SYNC in its place (7.1), and have everybody repeat whose command it may
 * have been.
 */
static void replace(struct smmuv3 *smmu, uint32_t cons)
{
	uint64_t *command = command_map(smmu, cons);

	port_dev_store64(command, CMD_SYNC);
	port_dev_store64(command + 1, 0);
	smmuv3_clean(smmu, command, 1u << CMD_LG2);
	hostif_unmap(smmu->unit->host, command);
	port_store64(&smmu->cmdq.repaired_to, smmu->cmdq.prod);
	port_dev_mb();
}

/*
 * The lock is held. A fetch that was aborted is tried again as it is, and so is a
 * CMD_SYNC that CMD_ATC_INVs before it weren't answered for (3.9.1.4): whose they
 * were is told by its number.
 */
static void repair(struct smmuv3 *smmu)
{
	const struct hostif_regs *regs = &smmu->unit->regs;
	struct smmuv3_cmdq *q = &smmu->cmdq;
	uint32_t cons = hostif_read32(regs, SMMU_CMDQ_CONS), gerrorn;

	if (!(active_errors(smmu, &gerrorn) & SMMU_GERROR_CMDQ_ERR) ||
	    cons == SMMU_NO_ANSWER)
		return;
	switch (field_get(SMMU_CMDQ_CONS_ERR, cons)) {
	case SMMU_CERROR_ABT:
		break;
	case SMMU_CERROR_ATC_INV_SYNC:
		q->unanswered[q->nr_unanswered++ % IA_COUNT(q->unanswered)] =
			consumed(q, q->prod, cons) + 1;
		break;
	default: /* CERROR_ILL, and what this manual doesn't have */
		replace(smmu, cons);
	}
	hostif_write32(regs, SMMU_GERRORN, gerrorn ^ SMMU_GERROR_CMDQ_ERR);
	port_add64(&smmu->unit->errors, 1);
}

void smmuv3_cmdq_repair(struct smmuv3 *smmu)
{
	struct backend_unit *unit = smmu->unit;

	ia_lock(unit->host, &unit->lock);
	if (smmu->cmdq.resets.open)
		repair(smmu);
	ia_unlock(unit->host, &unit->lock);
}

/* CONS.ERR stays when an error was acknowledged: a hint, no more. */
static void repair_if_stopped(struct smmuv3 *smmu, uint32_t cons)
{
	if (field_get(SMMU_CMDQ_CONS_ERR, cons) && cons != SMMU_NO_ANSWER)
		smmuv3_cmdq_repair(smmu);
}

/* ---- insertion ---- */

/* The lock is held. */
static bool has_room(struct smmuv3 *smmu, uint32_t nr)
{
	struct smmuv3_cmdq *q = &smmu->cmdq;
	uint32_t cons;

	if (q->prod - q->known + nr <= queue_size(q))
		return true;
	cons = hostif_read32(&smmu->unit->regs, SMMU_CMDQ_CONS);
	if (cons != SMMU_NO_ANSWER)
		q->known = consumed(q, q->prod, cons);
	return q->prod - q->known + nr <= queue_size(q);
}

/* The lock is held, and there is room. */
static void insert(struct smmuv3_batch *batch)
{
	struct smmuv3 *smmu = batch->smmu;
	struct smmuv3_cmdq *q = &smmu->cmdq;
	uint64_t prod = q->prod;
	uint64_t *command;
	uint32_t i;

	for (i = 0; i < batch->nr; i++, prod++) {
		command = command_map(smmu, prod);
		port_dev_store64(command, batch->cmds[i][0]);
		port_dev_store64(command + 1, batch->cmds[i][1]);
		smmuv3_clean(smmu, command, 1u << CMD_LG2);
		hostif_unmap(smmu->unit->host, command);
	}
	if (!batch->started)
		batch->first = q->prod;
	batch->started = 1;
	batch->end = prod;
	batch->generation = q->resets.begun;
	port_store64_release(&q->prod, prod);
	/* Commands, and whatever they are about, before the unit is told. */
	port_dev_mb();
	hostif_write32(&smmu->unit->regs, SMMU_CMDQ_PROD,
		       (uint32_t)(prod & (2 * queue_size(q) - 1)));
}

/* True: inserted, or dropped because the unit is off. */
static bool try_insert(struct backend_unit *unit, void *arg)
{
	struct smmuv3_batch *batch = arg;
	struct smmuv3 *smmu = smmuv3_of(unit);
	struct smmuv3_cmdq *q = &smmu->cmdq;
	bool done = false;

	ia_lock(unit->host, &unit->lock);
	if (q->resets.open && has_room(smmu, batch->nr)) {
		insert(batch);
		done = true;
	} else if (!q->resets.open && !port_load32(&unit->enabled)) {
		done = true;
	}
	ia_unlock(unit->host, &unit->lock);
	if (!done)
		repair_if_stopped(smmu,
				  hostif_read32(&unit->regs, SMMU_CMDQ_CONS));
	return done;
}

static void flush(struct smmuv3_batch *batch)
{
	if (!batch->nr || batch->status)
		return;
	batch->status =
		backend_poll(batch->smmu->unit, "no room in the command queue",
			     try_insert, batch);
	if (!batch->status)
		port_add64(&batch->smmu->unit->commands, batch->nr);
	batch->nr = 0;
}

void smmuv3_batch_add(struct smmuv3_batch *batch, uint64_t word0,
		      uint64_t word1)
{
	uint64_t most =
		IA_MIN(queue_size(&batch->smmu->cmdq), (uint64_t)SMMUV3_BATCH);

	if (batch->status)
		return;
	batch->cmds[batch->nr][0] = word0;
	batch->cmds[batch->nr][1] = word1;
	batch->nr++;
	if (batch->nr + 1 == most && word0 != CMD_SYNC &&
	    (batch->smmu->effects & SMMUV3_SYNC_EACH_PART))
		smmuv3_batch_add(batch, CMD_SYNC, 0);
	else if (batch->nr == most)
		flush(batch);
}

/* ---- waiting ---- */

static bool is_complete(struct backend_unit *unit, void *arg)
{
	const struct smmuv3_batch *batch = arg;
	struct smmuv3 *smmu = smmuv3_of(unit);
	struct smmuv3_cmdq *q = &smmu->cmdq;
	uint64_t prod = port_load64_acquire(&q->prod);
	uint32_t cons = hostif_read32(&unit->regs, SMMU_CMDQ_CONS);
	bool is_done;

	/* Looked at last: what was read above is of that generation. */
	if (backend_reset_since(&q->resets, batch->generation, &is_done))
		return is_done;
	if (cons == SMMU_NO_ANSWER)
		return false;
	if (consumed(q, prod, cons) >= batch->end) {
		/* @repaired_to, and what devices wrote, are of before CONS. */
		port_dev_rmb();
		return true;
	}
	repair_if_stopped(smmu, cons);
	return false;
}

static int submit_once(struct smmuv3_batch *batch, smmuv3_emit_fn emit,
		       const void *arg)
{
	batch->nr = 0;
	batch->started = 0;
	batch->status = 0;
	emit(batch, arg);
	smmuv3_batch_add(batch, CMD_SYNC, 0);
	flush(batch);
	if (batch->status || !batch->started)
		return batch->status;
	return backend_poll(batch->smmu->unit, "CMD_SYNC is not complete",
			    is_complete, batch);
}

/* Did the batch's CMD_SYNC find a CMD_ATC_INV that nobody answered? */
static bool is_unanswered(const struct smmuv3_batch *batch)
{
	struct backend_unit *unit = batch->smmu->unit;
	const struct smmuv3_cmdq *q = &batch->smmu->cmdq;
	bool found = false;
	uint32_t i;

	ia_lock(unit->host, &unit->lock);
	for (i = 0; i < IA_COUNT(q->unanswered); i++)
		found |= q->unanswered[i] == batch->end;
	ia_unlock(unit->host, &unit->lock);
	return found;
}

int smmuv3_submit(struct smmuv3 *smmu, smmuv3_emit_fn emit, const void *arg)
{
	struct backend_unit *unit = smmu->unit;
	struct smmuv3_batch batch;
	uint32_t i;
	int ret;

	batch.smmu = smmu;
	for (i = 0; i < TRIES; i++) {
		ret = submit_once(&batch, emit, arg);
		if (ret || !batch.started)
			return ret;
		port_add64(&unit->syncs, 1);
		if (unit->caps.ats && is_unanswered(&batch))
			return BACKEND_STUCK;
		if (port_load64(&smmu->cmdq.repaired_to) <= batch.first)
			return 0;
		hostif_log(unit->host, IOMMUABS_LOG_WARNING,
			   "%s: a command was refused, repeating", unit->name);
	}
	backend_reason_set(unit, "commands are refused (CERROR_ILL)");
	return IOMMUABS_E_TIMEOUT;
}

/* ---- resets ---- */

void smmuv3_cmdq_reset(struct smmuv3 *smmu)
{
	struct backend_unit *unit = smmu->unit;
	struct smmuv3_cmdq *q = &smmu->cmdq;
	uint64_t start;

	ia_lock(unit->host, &unit->lock);
	backend_reset_begin(&q->resets);
	/* Counting goes on where the index and the wrap bit are 0. */
	start = IA_ALIGN_UP(q->prod, 2 * queue_size(q));
	q->known = start;
	port_store64_release(&q->prod, start);
	hostif_write64(&unit->regs, SMMU_CMDQ_BASE,
		       SMMU_CMDQ_BASE_RA | q->maddr | q->lg2);
	hostif_write32(&unit->regs, SMMU_CMDQ_PROD, 0);
	hostif_write32(&unit->regs, SMMU_CMDQ_CONS, 0);
	ia_unlock(unit->host, &unit->lock);
}

void smmuv3_cmdq_open(struct smmuv3 *smmu)
{
	backend_reset_open(smmu->unit, &smmu->cmdq.resets, 1);
}

void smmuv3_cmdq_close(struct smmuv3 *smmu)
{
	backend_reset_open(smmu->unit, &smmu->cmdq.resets, 0);
}

void smmuv3_cmdq_settle(struct smmuv3 *smmu)
{
	backend_reset_settle(&smmu->cmdq.resets);
}

#endif
