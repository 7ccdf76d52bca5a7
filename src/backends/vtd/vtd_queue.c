/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vtd_queue.c - the invalidation queue (VT-d 6.5.2), or registers (6.5.1)
 *
 * Any number of CPUs insert under the unit's lock, and each waits without it for
 * its own wait descriptor: the unit writes a status word when everything before
 * it is complete.
 */
#include "vtd.h"

#if IOMMUABS_CONFIG_VTD

/* A batch is repeated when the unit refused a descriptor of it; and, more often,
 * when its wait was dropped because a device did not answer another's. */
#define TRIES	      3
#define TRIES_TIMEOUT 64

#define QUEUE_ERRORS ((uint32_t)(VTD_FSTS_IQE | VTD_FSTS_ITE | VTD_FSTS_ICE))

static uint64_t queue_size(const struct vtd_queue *q)
{
	return (uint64_t)1 << q->lg2;
}

/* Bytes of a descriptor as a shift: 128 bits, 256 in scalable mode. */
static unsigned int desc_lg2(const struct vtd *vtd)
{
	return vtd->scalable ? 5 : 4;
}

static uint64_t place_of(const struct vtd_queue *q, uint64_t number)
{
	return number & (queue_size(q) - 1);
}

/* ---- a queue that stopped ---- */

/* Number of the descriptor that the unit will fetch next. */
static uint64_t fetched(const struct vtd *vtd)
{
	const struct vtd_queue *q = &vtd->queue;
	uint64_t head = hostif_read64(&vtd->unit->regs, VTD_IQH);
	uint64_t place = (head >> desc_lg2(vtd)) & (queue_size(q) - 1);

	return q->tail - ((q->tail - place) & (queue_size(q) - 1));
}

/* Not cleaned: accesses to the queue snoop, whatever ECAP.C says (11.4.3). */
static void desc_write(struct vtd *vtd, uint64_t number, uint64_t low,
		       uint64_t high)
{
	struct vtd_queue *q = &vtd->queue;
	uint64_t *page = hostif_map(vtd->unit->host, q->maddr), *desc;
	unsigned int words = 1u << (desc_lg2(vtd) - 3), i;

	desc = page + words * place_of(q, number);
	port_dev_store64(desc, low);
	port_dev_store64(desc + 1, high);
	for (i = 2; i < words; i++)
		port_dev_store64(desc + i, 0);
	hostif_unmap(vtd->unit->host, page);
}

/*
 * What is before it completes before what is after it. QEMU's unit refuses a wait
 * that tells nobody: it writes where nobody looks, beside the first status word.
 */
#define FENCE \
	(field_put(VTD_DESC_TYPE, VTD_DESC_WAIT) | VTD_WAIT_SW | VTD_WAIT_FN)

static uint64_t fence_word(const struct vtd *vtd)
{
	return vtd->queue.status + 4;
}

/*
 * The lock is held. The unit stopped: at a descriptor that it does not know (IQE),
 * or because a device did not answer (ITE), which drops the waits that were under
 * way. Something harmless takes the first one's place, and everybody repeats
 * whose descriptor it may have been.
 */
static void repair(struct vtd *vtd)
{
	const struct hostif_regs *regs = &vtd->unit->regs;
	struct vtd_queue *q = &vtd->queue;
	uint32_t fsts = hostif_read32(regs, VTD_FSTS);

	if (fsts == VTD_NO_ANSWER || !(fsts & QUEUE_ERRORS))
		return;
	if (fsts & (uint32_t)VTD_FSTS_IQE)
		desc_write(vtd, fetched(vtd), FENCE, fence_word(vtd));
	if (fsts & (uint32_t)VTD_FSTS_ITE)
		port_store64(&q->timed_out_to, q->tail);
	/* An answer that nobody waits for (ICE) is no more than counted. */
	if (fsts & (uint32_t)(VTD_FSTS_IQE | VTD_FSTS_ITE))
		port_store64(&q->repaired_to, q->tail);
	port_add64(&vtd->unit->errors, 1);
	port_dev_mb();
	hostif_write32(regs, VTD_FSTS, fsts & QUEUE_ERRORS);
}

void vtd_queue_repair(struct vtd *vtd)
{
	struct backend_unit *unit = vtd->unit;

	ia_lock(unit->host, &unit->lock);
	if (vtd->queue.resets.open)
		repair(vtd);
	ia_unlock(unit->host, &unit->lock);
}

static void repair_if_stopped(struct vtd *vtd)
{
	uint32_t fsts = hostif_read32(&vtd->unit->regs, VTD_FSTS);

	if (fsts != VTD_NO_ANSWER && (fsts & QUEUE_ERRORS))
		vtd_queue_repair(vtd);
}

/* ---- insertion ---- */

/* The lock is held. One place stays free: a full queue would look empty. */
static bool has_room(struct vtd *vtd, uint32_t nr)
{
	struct vtd_queue *q = &vtd->queue;
	uint64_t head;

	if (q->tail - q->known + nr < queue_size(q))
		return true;
	head = hostif_read64(&vtd->unit->regs, VTD_IQH);
	if (head != ~(uint64_t)0)
		q->known = fetched(vtd);
	return q->tail - q->known + nr < queue_size(q);
}

/* The lock is held, and there is room. */
static void insert(struct vtd_batch *batch)
{
	struct vtd *vtd = batch->vtd;
	struct vtd_queue *q = &vtd->queue;
	uint64_t tail = q->tail;
	uint32_t i;

	for (i = 0; i < batch->nr; i++, tail++)
		desc_write(vtd, tail, batch->descs[i][0], batch->descs[i][1]);
	if (!batch->started)
		batch->first = q->tail;
	batch->started = 1;
	batch->generation = q->resets.begun;
	port_store64_release(&q->tail, tail);
	/* Descriptors, and whatever they are about, before the unit is told. */
	port_dev_mb();
	hostif_write64(&vtd->unit->regs, VTD_IQT,
		       place_of(q, tail) << desc_lg2(vtd));
}

/*
 * The last of a batch, under the lock, since only now its number is known: FN has
 * everything before it complete first, SW tells us.
 */
static void wait_compose(struct vtd_batch *batch)
{
	struct vtd *vtd = batch->vtd;
	struct vtd_queue *q = &vtd->queue;
	uint64_t number = q->tail + batch->nr;

	batch->descs[batch->nr][0] =
		field_put(VTD_DESC_TYPE, VTD_DESC_WAIT) | VTD_WAIT_SW |
		VTD_WAIT_FN | field_put(VTD_WAIT_SDATA, (uint32_t)number);
	batch->descs[batch->nr][1] = q->status + 8 * place_of(q, number);
	batch->nr++;
	batch->wait = number;
}

struct insertion {
	struct vtd_batch *batch;
	bool last;
};

/* True: inserted, or dropped because the unit is off and has forgotten all. */
static bool try_insert(struct backend_unit *unit, void *arg)
{
	struct insertion *insertion = arg;
	struct vtd_batch *batch = insertion->batch;
	struct vtd *vtd = vtd_of(unit);
	struct vtd_queue *q = &vtd->queue;
	bool done = false;

	ia_lock(unit->host, &unit->lock);
	if (!batch->while_off && !port_load32(&unit->enabled)) {
		batch->started = 0;
		done = true;
	} else if (q->resets.open &&
		   has_room(vtd, batch->nr + insertion->last)) {
		if (insertion->last)
			wait_compose(batch);
		insert(batch);
		done = true;
	}
	ia_unlock(unit->host, &unit->lock);
	if (!done)
		repair_if_stopped(vtd);
	return done;
}

static void flush(struct vtd_batch *batch, bool last)
{
	struct insertion insertion = { batch, last };

	if ((!batch->nr && !last) || batch->status)
		return;
	batch->status = backend_poll(batch->vtd->unit,
				     "no room in the invalidation queue",
				     try_insert, &insertion);
	if (!batch->status)
		port_add64(&batch->vtd->unit->commands, batch->nr);
	batch->nr = 0;
}

void vtd_batch_add(struct vtd_batch *batch, uint64_t low, uint64_t high)
{
	if (batch->status)
		return;
	batch->descs[batch->nr][0] = low;
	batch->descs[batch->nr][1] = high;
	/* One place is the wait's. */
	if (++batch->nr == VTD_BATCH - 1)
		flush(batch, false);
}

void vtd_batch_fence(struct vtd_batch *batch)
{
	vtd_batch_add(batch, FENCE, fence_word(batch->vtd));
}

/* ---- waiting ---- */

static uint32_t status_read(const struct vtd *vtd, uint64_t number)
{
	const struct vtd_queue *q = &vtd->queue;
	uint64_t *page = hostif_map(vtd->unit->host, q->status);
	uint32_t status = (uint32_t)port_dev_load64(page + place_of(q, number));

	hostif_unmap(vtd->unit->host, page);
	return status;
}

static bool is_complete(struct backend_unit *unit, void *arg)
{
	const struct vtd_batch *batch = arg;
	struct vtd *vtd = vtd_of(unit);
	struct vtd_queue *q = &vtd->queue;
	uint32_t status = status_read(vtd, batch->wait);
	bool is_done;

	/* Looked at last: what was read above is of that generation. */
	if (backend_reset_since(&q->resets, batch->generation, &is_done))
		return is_done;
	if ((int32_t)(status - (uint32_t)batch->wait) >= 0) {
		port_dev_rmb();
		return true;
	}
	if (port_load64(&q->repaired_to) > batch->wait)
		return true; /* dropped, perhaps: it is repeated */
	repair_if_stopped(vtd);
	return false;
}

static int submit_once(struct vtd_batch *batch, vtd_emit_fn emit,
		       const void *arg)
{
	batch->nr = 0;
	batch->started = 0;
	batch->status = 0;
	emit(batch, arg);
	flush(batch, true);
	if (batch->status || !batch->started)
		return batch->status;
	return backend_poll(batch->vtd->unit,
			    "a wait descriptor is not complete", is_complete,
			    batch);
}

static bool timed_out(const struct vtd_batch *batch)
{
	return port_load64(&batch->vtd->queue.timed_out_to) > batch->first;
}

enum submission {
	SUBMIT_ANY,
	SUBMIT_ATS,	  /* what devices do: a time-out is the answer */
	SUBMIT_WHILE_OFF, /* the queue runs for this alone */
};

static int submit_queued(struct vtd *vtd, vtd_emit_fn emit, const void *arg,
			 enum submission what)
{
	struct backend_unit *unit = vtd->unit;
	struct vtd_batch batch;
	uint32_t refused = 0, i;
	int ret;

	batch.vtd = vtd;
	batch.while_off = what == SUBMIT_WHILE_OFF;
	for (i = 0; i < TRIES_TIMEOUT && refused < TRIES; i++) {
		ret = submit_once(&batch, emit, arg);
		if (ret || !batch.started)
			return ret;
		port_add64(&unit->syncs, 1);
		if (port_load64(&vtd->queue.repaired_to) <= batch.first)
			return 0;
		if (timed_out(&batch) && what == SUBMIT_ATS)
			return BACKEND_STUCK;
		refused += !timed_out(&batch);
		hostif_log(unit->host, IOMMUABS_LOG_WARNING,
			   "%s: a descriptor was refused, repeating",
			   unit->name);
	}
	backend_reason_set(unit, "descriptors are refused (FSTS.IQE, ITE)");
	return IOMMUABS_E_TIMEOUT;
}

/* ---- units without a queue: one invalidation at a time, by register ---- */

struct hostif_reg64 vtd_iotlb_register(const struct vtd *vtd)
{
	return REG64((uint32_t)(16 * field_get(VTD_ECAP_IRO, vtd->ecap)) +
		     VTD_IVA_LENGTH);
}

static struct hostif_reg64 iva_register(const struct vtd *vtd)
{
	return REG64((uint32_t)(16 * field_get(VTD_ECAP_IRO, vtd->ecap)));
}

static bool context_is_done(struct backend_unit *unit, void *arg)
{
	(void)arg;
	return !(hostif_read64(&unit->regs, VTD_CCMD) & VTD_CCMD_ICC);
}

static bool iotlb_is_done(struct backend_unit *unit, void *arg)
{
	(void)arg;
	return !(hostif_read64(&unit->regs, vtd_iotlb_register(vtd_of(unit))) &
		 VTD_IOTLB_IVT);
}

/* A descriptor as the registers want it said (11.4.5, 11.4.6). */
static int by_register(struct vtd *vtd, uint64_t low, uint64_t high)
{
	const struct hostif_regs *regs = &vtd->unit->regs;
	uint64_t g = field_get(VTD_DESC_G, low);
	uint64_t did = field_get(VTD_DESC_DID, low);

	/* Each is waited for anyway. */
	if (field_get(VTD_DESC_TYPE, low) == VTD_DESC_WAIT)
		return 0;
	if (field_get(VTD_DESC_TYPE, low) == VTD_DESC_CONTEXT) {
		hostif_write64(
			regs, VTD_CCMD,
			VTD_CCMD_ICC | field_put(VTD_CCMD_CIRG, g) |
				field_put(VTD_CCMD_DID, did) |
				field_put(VTD_CCMD_SID,
					  field_get(VTD_CONTEXT_SID, low)));
		return backend_poll(vtd->unit, "CCMD.ICC stays set",
				    context_is_done, NULL);
	}
	if (g == VTD_G_FINEST)
		hostif_write64(regs, iva_register(vtd), high);
	hostif_write64(regs, vtd_iotlb_register(vtd),
		       VTD_IOTLB_IVT | field_put(VTD_IOTLB_IIRG, g) |
			       field_put(VTD_IOTLB_DID, did) |
			       field_put(VTD_IOTLB_DR,
					 field_get(VTD_IOTLB_DESC_DR, low)) |
			       field_put(VTD_IOTLB_DW,
					 field_get(VTD_IOTLB_DESC_DW, low)));
	return backend_poll(vtd->unit, "IOTLB.IVT stays set", iotlb_is_done,
			    NULL);
}

static int submit_by_registers(struct vtd *vtd, vtd_emit_fn emit,
			       const void *arg)
{
	struct vtd_batch batch;
	uint32_t i;
	int ret = vtd_take(vtd);

	if (ret)
		return ret;
	/* Short enough for one batch: see vtd_forget.c. */
	batch.vtd = vtd;
	batch.nr = 0;
	batch.status = 0;
	emit(&batch, arg);
	port_dev_mb();
	for (i = 0; i < batch.nr && !ret; i++)
		ret = by_register(vtd, batch.descs[i][0], batch.descs[i][1]);
	vtd_give(vtd);
	return ret;
}

int vtd_submit(struct vtd *vtd, vtd_emit_fn emit, const void *arg)
{
	if (vtd->has_queue)
		return submit_queued(vtd, emit, arg, SUBMIT_ANY);
	return submit_by_registers(vtd, emit, arg);
}

int vtd_submit_ats(struct vtd *vtd, vtd_emit_fn emit, const void *arg)
{
	return submit_queued(vtd, emit, arg, SUBMIT_ATS);
}

int vtd_submit_while_off(struct vtd *vtd, vtd_emit_fn emit, const void *arg)
{
	return submit_queued(vtd, emit, arg, SUBMIT_WHILE_OFF);
}

/* ---- resets ---- */

void vtd_queue_reset(struct vtd *vtd)
{
	struct backend_unit *unit = vtd->unit;
	struct vtd_queue *q = &vtd->queue;
	uint64_t start;

	ia_lock(unit->host, &unit->lock);
	backend_reset_begin(&q->resets);
	/* Counting goes on where the place is 0. */
	start = IA_ALIGN_UP(q->tail, queue_size(q));
	q->known = start;
	port_store64_release(&q->tail, start);
	hostif_write64(&unit->regs, VTD_IQT, 0);
	hostif_write64(&unit->regs, VTD_IQA,
		       q->maddr | (vtd->scalable ? VTD_IQA_DW : 0));
	/* What stopped it before, if anything did. */
	hostif_write32(&unit->regs, VTD_FSTS, QUEUE_ERRORS);
	ia_unlock(unit->host, &unit->lock);
}

void vtd_queue_open(struct vtd *vtd)
{
	backend_reset_open(vtd->unit, &vtd->queue.resets, 1);
}

void vtd_queue_close(struct vtd *vtd)
{
	backend_reset_open(vtd->unit, &vtd->queue.resets, 0);
}

void vtd_queue_settle(struct vtd *vtd)
{
	backend_reset_settle(&vtd->queue.resets);
}

#endif
