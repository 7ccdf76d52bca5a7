/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_smmuv3_stall.c - requests that wait for CMD_RESUME (IHI 0070 3.12.2, 4.7)
 */
#include "sim_smmuv3.h"

/* ENDED: by SMMUEN or a reset, perhaps before its event was read. */
enum { HELD, WAITING, DONE, TERMINATED, ENDED };

/* One that faults now; its record can't be written: it is tried again later. */
int smmuv3_stall(struct iommuabs_sim_unit *u, struct iommuabs_sim_dma *dma,
		 const struct outcome *o, const struct iommuabs_sim_dma *at)
{
	struct stalled *s = vec_add(&u->smmu->stalled);
	struct iommuabs_sim_dma rec = *at;
	uint32_t i, waiting = 0;

	for (i = 0; i < u->smmu->stalled.nr; i++)
		waiting += ((struct stalled *)vec_at(&u->smmu->stalled, i))
				   ->state == WAITING;
	/* A tag in use is not given again, and not the next time either. */
	dma->stag = rec.stag = u->smmu->next_stag++ & 0xffff;
	dma->event = o->event;
	s->state =
		waiting < u->smmu->config.stall_max && smmuv3_record(u, &rec, o)
			? WAITING
			: HELD;
	s->dma = *dma;
	return IOMMUABS_SIM_STALLED;
}

/* As though it had just arrived. */
static void retry(struct iommuabs_sim_unit *u, uint32_t i)
{
	struct stalled s = *(struct stalled *)vec_at(&u->smmu->stalled, i);
	uint32_t tag = s.dma.stag, nr = u->smmu->stalled.nr;
	int st = sim_run_dma(u, &s.dma);

	if (st == IOMMUABS_SIM_STALLED) {
		/* It is the last one now, under the tag its device knows. */
		struct stalled *again = vec_at(&u->smmu->stalled, nr);

		again->known = s.known ? s.known : tag + 1;
		vec_remove(&u->smmu->stalled, i);
		return;
	}
	s.state = st ? DONE : TERMINATED;
	*(struct stalled *)vec_at(&u->smmu->stalled, i) = s;
}

/* Room in the queue, or a tag, may be there now. */
void smmuv3_retry_held(struct iommuabs_sim_unit *u)
{
	uint32_t i, nr = u->smmu->stalled.nr;

	for (i = 0; i < nr && i < u->smmu->stalled.nr; i++) {
		if (((struct stalled *)vec_at(&u->smmu->stalled, i))->state ==
		    HELD)
			retry(u, i);
	}
}

void smmuv3_terminate(struct iommuabs_sim_unit *u, uint32_t sid, bool all)
{
	uint32_t i;

	for (i = 0; i < u->smmu->stalled.nr; i++) {
		struct stalled *s = vec_at(&u->smmu->stalled, i);

		if (s->state <= WAITING && (all || s->dma.sid == sid))
			s->state = all ? ENDED : TERMINATED;
	}
}

void smmuv3_resume(struct iommuabs_sim_unit *u, const uint64_t cmd[2])
{
	uint32_t sid = (uint32_t)FIELD(cmd[0], 63, 32), i;
	uint32_t stag = (uint32_t)FIELD(cmd[1], 15, 0);
	bool was = false;

	if (FIELD(cmd[0], 7, 0) == CMD_STALL_TERM) {
		smmuv3_terminate(u, sid, false);
		smmuv3_retry_held(u);
		return;
	}
	for (i = 0; i < u->smmu->stalled.nr; i++) {
		struct stalled *s = vec_at(&u->smmu->stalled, i);

		if (s->dma.sid != sid || s->dma.stag != stag)
			continue;
		was |= s->state == ENDED;
		if (s->state != WAITING)
			continue;
		if (cmd[0] & RESUME_RETRY)
			retry(u, i);
		else
			s->state = TERMINATED;
		smmuv3_retry_held(u);
		return;
	}
	/*
	 * 4.7.1: only of an event whose request was subject to neither CMD_RESUME
	 * nor CMD_STALL_TERM, which give its tag back. After an update of SMMUEN
	 * (6.3.9.6) the tag is nobody's, and this has no effect.
	 */
	if (!was)
		sim_violation(u->arena, IOMMUABS_SIM_V_COMMAND,
			      "CMD_RESUME of stream %#x, STAG %#x, which is "
			      "not stalled",
			      sid, stag);
}

int iommuabs_sim_dma_result(struct iommuabs_sim_unit *u,
			    struct iommuabs_sim_dma *dma)
{
	int st = IOMMUABS_SIM_STALLED;
	uint32_t i;

	if (u->ops != &smmuv3_ops)
		return 0;
	sim_lock(u->arena);
	for (i = 0; i < u->smmu->stalled.nr; i++) {
		const struct stalled *s = vec_at(&u->smmu->stalled, i);
		uint32_t tag = s->known ? s->known - 1 : s->dma.stag;

		if (s->dma.sid != dma->sid || tag != dma->stag)
			continue;
		*dma = s->dma;
		if (s->state <= WAITING) {
			((struct stalled *)vec_at(&u->smmu->stalled, i))
				->known = 0;
			break;
		}
		st = s->state == DONE;
		vec_remove(&u->smmu->stalled, i);
		break;
	}
	sim_unlock(u->arena);
	return st;
}

unsigned int iommuabs_sim_stalled(struct iommuabs_sim_unit *u)
{
	unsigned int nr = 0;
	uint32_t i;

	if (u->ops != &smmuv3_ops)
		return 0;
	sim_lock(u->arena);
	for (i = 0; i < u->smmu->stalled.nr; i++)
		nr += ((struct stalled *)vec_at(&u->smmu->stalled, i))->state <=
		      WAITING;
	sim_unlock(u->arena);
	return nr;
}
