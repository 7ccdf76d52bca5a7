/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smmuv3_evtq.c - the event queue (IHI 0070 3.5, 7.2 to 7.4)
 */
#include "smmuv3.h"

#if IOMMUABS_CONFIG_SMMU

/* What a record of each type means, and whether it has InputAddr and RnW. */
static const struct {
	uint8_t id, has_address;
	enum iommuabs_fault_reason reason;
} types[] = {
	{ EVENT_C_BAD_STREAMID, 0, IOMMUABS_FAULT_STREAM },
	{ EVENT_F_STE_FETCH, 0, IOMMUABS_FAULT_ENTRY_ABORT },
	{ EVENT_C_BAD_STE, 0, IOMMUABS_FAULT_STREAM },
	{ EVENT_F_BAD_ATS_TREQ, 0, IOMMUABS_FAULT_TRANSLATED },
	{ EVENT_F_STREAM_DISABLED, 0, IOMMUABS_FAULT_PASID },
	{ EVENT_F_TRANSL_FORBIDDEN, 1, IOMMUABS_FAULT_TRANSLATED },
	{ EVENT_C_BAD_SUBSTREAMID, 0, IOMMUABS_FAULT_PASID },
	{ EVENT_F_CD_FETCH, 0, IOMMUABS_FAULT_ENTRY_ABORT },
	{ EVENT_C_BAD_CD, 0, IOMMUABS_FAULT_ENTRY },
	{ EVENT_F_WALK_EABT, 1, IOMMUABS_FAULT_WALK_ABORT },
	{ EVENT_F_TRANSLATION, 1, IOMMUABS_FAULT_TRANSLATION },
	{ EVENT_F_ADDR_SIZE, 1, IOMMUABS_FAULT_ADDRESS_SIZE },
	{ EVENT_F_ACCESS, 1, IOMMUABS_FAULT_ACCESS_FLAG },
	{ EVENT_F_PERMISSION, 1, IOMMUABS_FAULT_PERMISSION },
	{ EVENT_F_TLB_CONFLICT, 1, IOMMUABS_FAULT_TLB_CONFLICT },
	{ EVENT_F_VMS_FETCH, 0, IOMMUABS_FAULT_ENTRY_ABORT },
	/* OTHER: F_UUT, F_CFG_CONFLICT, E_PAGE_REQUEST and what isn't known */
};

/* C_BAD_STE: an invalid entry blocks, as it should; a valid one is wrong. */
static bool entry_is_valid(struct smmuv3 *smmu, uint32_t sid)
{
	uint64_t *entry = smmuv3_strtab_entry(smmu, sid);
	bool valid = entry && (port_dev_load64(entry) & STE0_V);

	if (entry)
		hostif_unmap(smmu->unit->host, entry);
	return valid;
}

void smmuv3_event_decode(struct smmuv3 *smmu, const uint64_t raw[EVENT_WORDS],
			 struct backend_event *event)
{
	uint64_t id = field_get(EVENT0_ID, raw[0]);
	uint32_t i;

	__builtin_memset(event, 0, sizeof(*event));
	for (i = 0; i < EVENT_WORDS; i++)
		event->raw[i] = raw[i];
	event->stream = (uint32_t)field_get(EVENT0_SID, raw[0]);
	event->reason = IOMMUABS_FAULT_OTHER;
	for (i = 0; i < IA_COUNT(types); i++)
		if (types[i].id == id)
			break;
	if (i == IA_COUNT(types))
		return;
	event->reason = types[i].reason;
	if (id == EVENT_C_BAD_STREAMID &&
	    event->stream >> smmu->unit->caps.stream_bits)
		event->reason = IOMMUABS_FAULT_STREAM_RANGE;
	if (id == EVENT_C_BAD_STE && entry_is_valid(smmu, event->stream))
		event->reason = IOMMUABS_FAULT_ENTRY;
	if (!types[i].has_address)
		return;
	event->access = raw[1] & EVENT1_RNW ? IOMMUABS_READ : IOMMUABS_WRITE;
	event->has_address = 1;
	event->address = raw[2];
}

/* ---- what stalled (3.12.2) ---- */

/* Stalled requests that were read and are to be ended. */
struct stalls {
	uint32_t nr;
	struct {
		uint32_t sid, stag;
	} of[SMMUV3_BATCH];
};

static void emit_resume(struct smmuv3_batch *batch, const void *arg)
{
	const struct stalls *stalls = arg;
	uint32_t i;

	for (i = 0; i < stalls->nr; i++)
		smmuv3_batch_add(
			batch,
			field_put(CMD_OPCODE, CMD_RESUME) | RESUME0_ABORT |
				field_put(RESUME0_SID, stalls->of[i].sid),
			field_put(RESUME1_STAG, stalls->of[i].stag));
}

static void note_stall(struct stalls *stalls, const uint64_t raw[EVENT_WORDS])
{
	uint64_t id = field_get(EVENT0_ID, raw[0]);

	if (id < EVENT_F_TRANSLATION || id > EVENT_F_PERMISSION ||
	    !(raw[1] & EVENT1_STALL))
		return;
	stalls->of[stalls->nr].sid = (uint32_t)field_get(EVENT0_SID, raw[0]);
	stalls->of[stalls->nr].stag = (uint32_t)field_get(EVENT1_STAG, raw[1]);
	stalls->nr++;
}

/*
 * Nobody repairs a fault while the device waits: each ends with an abort. A unit
 * that doesn't take the commands is left to errors(), and costs one timeout.
 */
static void end_stalls(struct smmuv3 *smmu, const struct stalls *stalls)
{
	if (!stalls->nr || port_load32(&smmu->resume_failed))
		return;
	if (smmuv3_submit(smmu, emit_resume, stalls))
		port_store32(&smmu->resume_failed, 1);
}

/* ---- the queue ---- */

static uint32_t index_mask(const struct smmuv3_evtq *q)
{
	return (2u << q->lg2) - 1; /* with the wrap bit */
}

/* The record at a place of the queue; the lock is held. */
static void record_read(struct smmuv3 *smmu, uint32_t place,
			uint64_t raw[EVENT_WORDS])
{
	const struct hostif *host = smmu->unit->host;
	const struct smmuv3_evtq *q = &smmu->evtq;
	uint64_t maddr = q->maddr + ((uint64_t)place << EVENT_LG2);
	uint64_t in_page = maddr & (IOMMUABS_FRAME_SIZE - 1);
	char *page = hostif_map(host, maddr - in_page);
	uint64_t *record = (uint64_t *)(void *)(page + in_page);
	uint32_t i;

	/* An older copy of the record must not come out of a cache. */
	smmuv3_clean(smmu, record, 1u << EVENT_LG2);
	if (!smmu->unit->caps.coherent)
		port_dev_mb();
	for (i = 0; i < EVENT_WORDS; i++)
		raw[i] = port_dev_load64(record + i);
	hostif_unmap(host, page);
}

/* The place of the @n-th record that is there. */
static uint32_t record_place(const struct smmuv3_evtq *q, uint32_t n)
{
	return (q->cons + n) & (index_mask(q) >> 1);
}

static uint64_t ended_bit(uint32_t place)
{
	return (uint64_t)1 << (place & 63);
}

/* How many records are there; the unit's word for it is not trusted. */
static uint32_t records_held(struct smmuv3 *smmu, uint32_t prod)
{
	const struct smmuv3_evtq *q = &smmu->evtq;
	uint32_t held = (prod - q->cons) & index_mask(q);

	return held > 1u << q->lg2 ? 0 : held;
}

/* 7.4: records were lost since the last time that this was acknowledged. */
static void acknowledge(struct smmuv3 *smmu, uint32_t prod)
{
	struct backend_unit *unit = smmu->unit;
	struct smmuv3_evtq *q = &smmu->evtq;

	if ((prod ^ q->cons) & (uint32_t)SMMU_EVENTQ_PROD_OVFLG) {
		q->cons ^= (uint32_t)SMMU_EVENTQ_PROD_OVFLG;
		port_add64(&unit->events_lost, 1);
	}
	/* Records were read before their place is given back. */
	port_dev_mb();
	hostif_write32(&unit->regs, smmuv3_page1(smmu, SMMU_EVENTQ_CONS),
		       q->cons);
}

/* Up to @max records, as many as fit into @stalls. */
static uint32_t take(struct smmuv3 *smmu, struct backend_event *events,
		     uint32_t max, struct stalls *stalls)
{
	struct backend_unit *unit = smmu->unit;
	struct smmuv3_evtq *q = &smmu->evtq;
	uint64_t raw[EVENT_WORDS];
	uint32_t prod, nr = 0, place, i;

	max = IA_MIN(max, (uint32_t)IA_COUNT(stalls->of));
	ia_lock(unit->host, &unit->lock);
	prod = hostif_read32(&unit->regs, smmuv3_page1(smmu, SMMU_EVENTQ_PROD));
	if (prod != SMMU_NO_ANSWER) {
		nr = IA_MIN(records_held(smmu, prod), max);
		port_dev_rmb();
		for (i = 0; i < nr; i++) {
			place = record_place(q, 0);
			record_read(smmu, place, raw);
			smmuv3_event_decode(smmu, raw, &events[i]);
			if (!(q->ended[place / 64] & ended_bit(place)))
				note_stall(stalls, raw);
			q->ended[place / 64] &= ~ended_bit(place);
			q->cons = (q->cons & ~index_mask(q)) |
				  ((q->cons + 1) & index_mask(q));
			q->taken++;
		}
		if (nr || ((prod ^ q->cons) & (uint32_t)SMMU_EVENTQ_PROD_OVFLG))
			acknowledge(smmu, prod);
	}
	ia_unlock(unit->host, &unit->lock);
	return nr;
}

uint32_t smmuv3_events(struct backend_unit *unit, struct backend_event *events,
		       uint32_t max)
{
	struct smmuv3 *smmu = smmuv3_of(unit);
	struct stalls stalls;
	uint32_t nr = 0, got;

	if (!port_load32(&unit->enabled))
		return 0;
	do {
		stalls.nr = 0;
		got = take(smmu, events + nr, max - nr, &stalls);
		end_stalls(smmu, &stalls);
		nr += got;
	} while (got && nr < max);
	port_add64(&unit->events, nr);
	return nr;
}

/* Does nothing of the stream stall from here on? Not while it is switched. */
static bool has_stopped(struct smmuv3 *smmu,
			const struct backend_streams *streams, uint32_t sid)
{
	return sid - streams->first < streams->nr && !entry_is_valid(smmu, sid);
}

/* Records by their number: [@at, @end) are there and weren't looked at yet. */
struct search {
	const struct backend_streams *streams;
	uint64_t at, end;
};

static struct search search_begin(struct smmuv3 *smmu,
				  const struct backend_streams *streams)
{
	struct backend_unit *unit = smmu->unit;
	const struct smmuv3_evtq *q = &smmu->evtq;
	struct search search = { .streams = streams };
	uint32_t prod;

	ia_lock(unit->host, &unit->lock);
	prod = hostif_read32(&unit->regs, smmuv3_page1(smmu, SMMU_EVENTQ_PROD));
	search.at = search.end = q->taken;
	if (prod != SMMU_NO_ANSWER)
		search.end += records_held(smmu, prod);
	port_dev_rmb();
	ia_unlock(unit->host, &unit->lock);
	return search;
}

/* A few, as everybody inserts commands under this lock. False: that was all. */
static bool search_on(struct smmuv3 *smmu, struct search *search)
{
	struct backend_unit *unit = smmu->unit;
	struct smmuv3_evtq *q = &smmu->evtq;
	uint64_t raw[EVENT_WORDS];
	uint32_t place, i;

	ia_lock(unit->host, &unit->lock);
	/* Others may have been taken meanwhile. */
	search->at = IA_MAX(search->at, q->taken);
	for (i = 0; i < SMMUV3_BATCH && search->at < search->end; i++) {
		place = record_place(q, (uint32_t)(search->at++ - q->taken));
		record_read(smmu, place, raw);
		if (has_stopped(smmu, search->streams,
				(uint32_t)field_get(EVENT0_SID, raw[0])))
			q->ended[place / 64] |= ended_bit(place);
	}
	ia_unlock(unit->host, &unit->lock);
	return search->at < search->end;
}

/*
 * 4.7.1: no CMD_RESUME for what a CMD_STALL_TERM has ended, as its STAG may be
 * another request's by then. All of their records are there, since entries were
 * forgotten and that was waited for (4.7.2.1). One that a reader has in hands may
 * be ended twice: at worst that is another request of that stream, which ends with
 * an abort as every one does.
 */
static void mark_ended(struct smmuv3 *smmu,
		       const struct backend_streams *streams)
{
	struct search search = search_begin(smmu, streams);

	while (search_on(smmu, &search))
		;
}

static void emit_term(struct smmuv3_batch *batch, const void *arg)
{
	const struct backend_streams *streams = arg;
	const uint64_t term = field_put(CMD_OPCODE, CMD_STALL_TERM);
	uint32_t i, sid;

	for (i = 0; i < streams->nr; i++) {
		sid = streams->first + i;
		if (has_stopped(batch->smmu, streams, sid))
			smmuv3_batch_add(batch,
					 term | field_put(TERM0_SID, sid), 0);
	}
}

int smmuv3_stalls_end(struct smmuv3 *smmu, uint32_t first, uint32_t nr)
{
	const struct backend_streams streams = { first, nr };

	if (!port_load32(&smmu->unit->enabled))
		return 0;
	mark_ended(smmu, &streams);
	return smmuv3_submit(smmu, emit_term, &streams);
}

void smmuv3_evtq_program(struct smmuv3 *smmu)
{
	const struct hostif_regs *regs = &smmu->unit->regs;
	struct smmuv3_evtq *q = &smmu->evtq;

	q->cons = 0;
	__builtin_memset(q->ended, 0, sizeof(q->ended));
	hostif_write64(regs, SMMU_EVENTQ_BASE,
		       SMMU_EVENTQ_BASE_WA | q->maddr | q->lg2);
	hostif_write32(regs, smmuv3_page1(smmu, SMMU_EVENTQ_PROD), 0);
	hostif_write32(regs, smmuv3_page1(smmu, SMMU_EVENTQ_CONS), 0);
	port_store32(&smmu->resume_failed, 0);
}

#endif
