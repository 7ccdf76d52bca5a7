/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit.c - a unit's life: added, enabled, fenced, recovered
 *
 * The unit's gate is held alone around what changes its state, so that a fence,
 * which any caller's timeout may bring about, happens once. What a fenced unit
 * owes domains is theirs to remember (domain.debtors); a unit that was enabled
 * again has forgotten everything, and so owes nothing.
 */
#include "core.h"
#include "enter.h"

#define FLAGS                                                 \
	(IOMMUABS_UNIT_COHERENT | IOMMUABS_UNIT_FETCH_128 |   \
	 IOMMUABS_UNIT_BROADCAST | IOMMUABS_UNIT_PAGE0_ONLY | \
	 IOMMUABS_UNIT_NO_RANGES | IOMMUABS_UNIT_NO_BLOCKS |  \
	 IOMMUABS_UNIT_NO_CONTIGUOUS | IOMMUABS_UNIT_NO_MSI)

#define IDS_WORDS (UNIT_IDS_PER_PAGE / 64)

static void unit_status_set(struct iommuabs_unit *unit,
			    enum iommuabs_unit_status status, int error)
{
	unit->error = error;
	port_store32(&unit->status, status);
}

/* ---- VMIDs and domain-ids ---- */

/* The words of page @n, to be unmapped; NULL: it isn't there yet. */
static uint64_t *ids_map(const struct iommuabs_unit *unit, uint32_t n)
{
	uint64_t maddr = port_load64_acquire(&unit->ids[n]);

	return maddr ? hostif_map(&unit->abs->host, maddr) : NULL;
}

/* Where @id is in its page. */
static uint64_t *id_word(uint64_t *page, uint32_t id)
{
	return &page[id % UNIT_IDS_PER_PAGE / 64];
}

static uint64_t id_bit(uint32_t id)
{
	return (uint64_t)1 << id % 64;
}

/* Returns the bits that were set. */
static uint64_t word_clear(uint64_t *word, uint64_t bits)
{
	uint64_t seen = port_load64(word);

	while (!port_cas64(word, &seen, seen & ~bits))
		;
	return seen & bits;
}

static void word_set(uint64_t *word, uint64_t bits)
{
	uint64_t seen = port_load64(word);

	while (!port_cas64(word, &seen, seen | bits))
		;
}

/* A free bit of @word, set now; 64: there is none. */
static uint32_t word_take(uint64_t *word)
{
	uint64_t seen = port_load64(word), bit;

	do {
		if (!~seen)
			return 64;
		bit = ~seen & (seen + 1);
	} while (!port_cas64(word, &seen, seen | bit));
	return (uint32_t)__builtin_ctzll(bit);
}

/* A page of ids, none of which is in use. 0 | E_NOMEM. */
static int ids_make(struct iommuabs_unit *unit, uint32_t n)
{
	const struct hostif *host = &unit->abs->host;
	uint64_t maddr, none = 0, *page;
	int ret =
		tablemem_alloc(&unit->abs->mem, &unit->abs->account,
			       IOMMUABS_FRAME_LG2, IOMMUABS_ALLOC_UNIT, &maddr);

	if (ret)
		return IOMMUABS_E_NOMEM;
	page = hostif_map(host, maddr);
	__builtin_memset(page, 0, IOMMUABS_FRAME_SIZE);
	if (!n)
		page[0] = 1; /* id 0 is never given */
	hostif_unmap(host, page);
	if (!port_cas64(&unit->ids[n], &none, maddr))
		tablemem_free(&unit->abs->mem, &unit->abs->account, maddr,
			      IOMMUABS_FRAME_LG2);
	return 0;
}

static void ids_free(struct iommuabs_unit *unit)
{
	uint32_t n;

	for (n = 0; n < UNIT_ID_PAGES && unit->ids[n]; n++)
		tablemem_free(&unit->abs->mem, &unit->abs->account,
			      unit->ids[n], IOMMUABS_FRAME_LG2);
}

/* A free id of page @n, in use now; 0: there is none. */
static uint32_t page_take(const struct iommuabs_unit *unit, uint64_t *page,
			  uint32_t n)
{
	uint32_t nr =
		IA_MIN(unit->nr_ids - n * UNIT_IDS_PER_PAGE, UNIT_IDS_PER_PAGE);
	uint32_t base, bit;

	for (base = 0; base < nr; base += 64) {
		bit = word_take(id_word(page, base));
		if (bit == 64)
			continue;
		if (base + bit < nr)
			return n * UNIT_IDS_PER_PAGE + base + bit;
		word_clear(id_word(page, base), id_bit(bit));
	}
	return 0;
}

int unit_id_take(struct iommuabs_unit *unit, uint32_t *id)
{
	uint32_t n, found = 0;
	uint64_t *page;
	int ret;

	for (n = 0; !found && n * UNIT_IDS_PER_PAGE < unit->nr_ids; n++) {
		page = ids_map(unit, n);
		if (!page) {
			ret = ids_make(unit, n);
			if (ret)
				return ret;
			page = ids_map(unit, n);
		}
		found = page_take(unit, page, n);
		hostif_unmap(&unit->abs->host, page);
	}
	if (!found)
		return IOMMUABS_E_NOIDS;
	*id = found;
	return 0;
}

void unit_id_give(struct iommuabs_unit *unit, uint32_t id)
{
	uint64_t *page = ids_map(unit, id / UNIT_IDS_PER_PAGE);

	word_clear(id_word(page, id), id_bit(id));
	hostif_unmap(&unit->abs->host, page);
}

void unit_id_keep(struct iommuabs_unit *unit, uint32_t id)
{
	uint64_t *page = ids_map(unit, id / UNIT_IDS_PER_PAGE);
	uint64_t *kept = id_word(page + IDS_WORDS, id);

	word_set(kept, id_bit(id));
	/* A recovery that overtook us has invalidated it, and may have missed it. */
	if (unit_status(unit) == IOMMUABS_UNIT_RUNNING &&
	    word_clear(kept, id_bit(id)))
		word_clear(id_word(page, id), id_bit(id));
	hostif_unmap(&unit->abs->host, page);
}

static void ids_free_kept(struct iommuabs_unit *unit)
{
	uint64_t *page, bits;
	uint32_t n, i;

	for (n = 0; n < UNIT_ID_PAGES; n++) {
		page = ids_map(unit, n);
		if (!page)
			return;
		for (i = 0; i < IDS_WORDS; i++) {
			bits = word_clear(&page[IDS_WORDS + i], ~(uint64_t)0);
			if (bits)
				word_clear(&page[i], bits);
		}
		hostif_unmap(&unit->abs->host, page);
	}
}

uint32_t unit_ids_in_use(const struct iommuabs_unit *unit)
{
	uint64_t *page, bits;
	uint32_t n, i, nr = 0;

	for (n = 0; n < UNIT_ID_PAGES; n++) {
		page = ids_map(unit, n);
		if (!page)
			break;
		for (i = 0; i < IDS_WORDS; i++)
			for (bits = port_load64(&page[i]); bits; nr++)
				bits &= bits - 1;
		hostif_unmap(&unit->abs->host, page);
	}
	return n ? nr - 1 : 0; /* id 0 is nobody's */
}

/* ---- adding ---- */

/* Length of @s if it is shorter than @max, else @max. NULL is empty. */
static size_t bounded_length(const char *s, size_t max)
{
	size_t n = 0;

	while (s && n < max && s[n])
		n++;
	return n;
}

/* Of registers; half of it where those of the second half are in the first. */
static uint64_t least_length(const struct iommuabs_unit_desc *desc,
			     const struct backend_ops *ops)
{
	uint64_t length = ops ? ops->regs_length : 0;

	return desc->flags & IOMMUABS_UNIT_PAGE0_ONLY ? length / 2 : length;
}

static int desc_check(const struct iommuabs_unit_desc *desc,
		      const struct backend_ops *ops)
{
	uint64_t least = least_length(desc, ops);
	bool needs_base = desc->type == IOMMUABS_UNIT_SMMUV3 ||
			  desc->type == IOMMUABS_UNIT_SMMUV2 ||
			  desc->type == IOMMUABS_UNIT_VTD;
	uint32_t i;

	if (desc->type > IOMMUABS_UNIT_OTHER || (desc->flags & ~FLAGS))
		return IOMMUABS_E_INVAL;
	/* Registers of other makers' units may share their frame. */
	if (desc->type != IOMMUABS_UNIT_OTHER &&
	    (desc->base & (IOMMUABS_FRAME_SIZE - 1)))
		return IOMMUABS_E_INVAL;
	if ((needs_base && !desc->base) || (desc->length && !desc->base) ||
	    (desc->length && desc->length < least) ||
	    desc->base + IA_MAX(desc->length, least) < desc->base)
		return IOMMUABS_E_INVAL;
	if (bounded_length(desc->name, IOMMUABS_NAME_MAX) ==
		    IOMMUABS_NAME_MAX ||
	    bounded_length(desc->path, IOMMUABS_PATH_MAX) == IOMMUABS_PATH_MAX)
		return IOMMUABS_E_INVAL;
	if (desc->nr_irqs > IOMMUABS_IRQ_COUNT_ ||
	    (desc->nr_irqs && !desc->irqs))
		return IOMMUABS_E_INVAL;
	for (i = 0; i < desc->nr_irqs; i++)
		if (desc->irqs[i].which >= IOMMUABS_IRQ_COUNT_ ||
		    desc->irqs[i].edge > 1)
			return IOMMUABS_E_INVAL;
	return 0;
}

static const char *type_name(enum iommuabs_unit_type type)
{
	switch (type) {
	case IOMMUABS_UNIT_NULL:
		return "null";
	case IOMMUABS_UNIT_SMMUV3:
		return "smmuv3";
	case IOMMUABS_UNIT_SMMUV2:
		return "smmuv2";
	case IOMMUABS_UNIT_VTD:
		return "vtd";
	default:
		return "unit";
	}
}

static void unit_describe(struct iommuabs_unit *unit,
			  const struct iommuabs_unit_desc *desc,
			  const struct backend_ops *ops)
{
	uint32_t i;

	unit->type = desc->type;
	unit->base = desc->base;
	unit->length = desc->length;
	if (!unit->length)
		unit->length = least_length(desc, ops);
	if (!unit->length && unit->base)
		unit->length = IOMMUABS_FRAME_SIZE;
	unit->fw_id = desc->fw_id;
	unit->cookie = desc->cookie;
	unit->nr_irqs = desc->nr_irqs;
	for (i = 0; i < desc->nr_irqs; i++)
		unit->irqs[i] = desc->irqs[i];
	unit->msi = desc->msi;
	if (desc->name)
		hostif_format(unit->name, sizeof(unit->name), "%s", desc->name);
	else
		hostif_format(unit->name, sizeof(unit->name), "%s-%u",
			      type_name(desc->type), unit->index);
	if (desc->path)
		hostif_format(unit->path, sizeof(unit->path), "%s", desc->path);
	unit->hw.name = unit->name;
	unit->hw.desc_flags = desc->flags;
}

/* Registers mapped, identified, ids ready; or nothing. */
static int unit_probe(struct iommuabs_unit *unit, const struct backend_ops *ops)
{
	const struct hostif *host = &unit->abs->host;
	int ret;

	unit->hw.ops = ops;
	unit->hw.host = host;
	unit->hw.mem = &unit->abs->mem;
	unit->hw.account = &unit->abs->account;
	ret = ia_lock_init(host, &unit->hw.lock, IOMMUABS_LOCK_UNIT);
	if (ret)
		return ret;
	if (ops->regs_length) {
		ret = hostif_regs_map(host, unit->base, unit->length,
				      &unit->hw.regs);
		if (ret)
			goto exit_lock;
	}
	ret = ops->probe(&unit->hw);
	if (ret) {
		hostif_log(host, IOMMUABS_LOG_ERROR, "%s: not usable: %s",
			   unit->name, unit->hw.reason);
		goto unmap;
	}
	unit->nr_ids = (uint32_t)1 << unit->hw.caps.id_bits;
	iommuabs_assert(unit->nr_ids <= UNIT_ID_PAGES * UNIT_IDS_PER_PAGE);
	ret = ids_make(unit, 0);
	if (ret)
		goto release;
	return 0;
release:
	ops->release(&unit->hw);
unmap:
	if (ops->regs_length)
		hostif_regs_unmap(&unit->hw.regs);
exit_lock:
	ia_lock_exit(host, &unit->hw.lock);
	return ret;
}

static void unit_unprobe(struct iommuabs_unit *unit)
{
	const struct backend_ops *ops = unit->hw.ops;

	if (!ops)
		return;
	irq_unit_free(unit);
	ids_free(unit);
	/* A fence blocks DMA and no more. */
	if (unit->hw.holds && ops->disable(&unit->hw))
		hostif_log(&unit->abs->host, IOMMUABS_LOG_ERROR,
			   "%s: may still use memory of its own, which is kept",
			   unit->name);
	ops->release(&unit->hw);
	if (ops->regs_length)
		hostif_regs_unmap(&unit->hw.regs);
	ia_lock_exit(&unit->abs->host, &unit->hw.lock);
}

static bool base_taken(struct iommuabs *abs, uint64_t base)
{
	const struct iommuabs_unit *unit = abs->units;

	while (unit && (!unit->base || unit->base != base))
		unit = unit->next;
	return unit != NULL;
}

static void unit_link(struct iommuabs_unit *unit)
{
	struct iommuabs *abs = unit->abs;
	struct iommuabs_unit **last = &abs->units;

	ia_lock(&abs->host, &abs->lock);
	while (*last)
		last = &(*last)->next;
	*last = unit;
	ia_unlock(&abs->host, &abs->lock);
}

static void unit_unlink(struct iommuabs_unit *unit)
{
	struct iommuabs *abs = unit->abs;
	struct iommuabs_unit **at = &abs->units;

	ia_lock(&abs->host, &abs->lock);
	while (*at != unit)
		at = &(*at)->next;
	*at = unit->next;
	ia_unlock(&abs->host, &abs->lock);
}

/* Make and identify a unit whose description is good. */
static int unit_make(struct iommuabs *abs,
		     const struct iommuabs_unit_desc *desc,
		     const struct backend_ops *ops, struct iommuabs_unit **out)
{
	struct iommuabs_unit *unit;
	uint64_t mfn, nr;
	int ret;

	unit = tablemem_object_alloc(&abs->mem, sizeof(*unit));
	if (!unit)
		return IOMMUABS_E_NOMEM;
	unit->abs = abs;
	unit->index = (uint32_t)abs->nr_units;
	unit_describe(unit, desc, ops);
	ret = registers_claim(unit, &mfn, &nr);
	if (ret)
		goto free_unit;
	if (nr && frames_in_use(abs, mfn, nr))
		ret = IOMMUABS_E_EXISTS;
	if (!ret && ops)
		ret = unit_probe(unit, ops);
	if (ret)
		goto give_registers;
	unit_status_set(unit,
			ops ? IOMMUABS_UNIT_ADDED : IOMMUABS_UNIT_NO_DRIVER,
			ops ? 0 : IOMMUABS_E_NODRIVER);
	*out = unit;
	return 0;
give_registers:
	registers_give(unit);
free_unit:
	tablemem_object_free(&abs->mem, unit, sizeof(*unit));
	return ret;
}

int unit_create(struct iommuabs *abs, const struct iommuabs_unit_desc *desc,
		struct iommuabs_unit **out)
{
	const struct backend_ops *ops = backend_find(desc->type);
	struct iommuabs_unit *unit = NULL;
	int ret = desc_check(desc, ops);

	if (ret)
		return ret;
	if (base_taken(abs, desc->base))
		return IOMMUABS_E_EXISTS;
	if (abs->nr_units == CORE_UNITS_MAX)
		return IOMMUABS_E_NOMEM;
	ret = unit_make(abs, desc, ops, &unit);
	if (ret)
		return ret;
	unit_link(unit);
	if (ops)
		hostif_log(&abs->host, IOMMUABS_LOG_INFO,
			   "%s: %s at %llx, %u stream bits, %u id bits",
			   unit->name, ops->name,
			   (unsigned long long)unit->base,
			   (unsigned int)unit->hw.caps.stream_bits,
			   (unsigned int)unit->hw.caps.id_bits);
	else
		hostif_log(&abs->host, IOMMUABS_LOG_WARNING,
			   "%s: no driver, its devices can't be blocked",
			   unit->name);
	*out = unit;
	return 0;
}

void unit_free(struct iommuabs_unit *unit)
{
	struct iommuabs *abs = unit->abs;

	unit_unlink(unit);
	registers_give(unit);
	unit_unprobe(unit);
	tablemem_object_free(&abs->mem, unit, sizeof(*unit));
}

/* ---- fencing ---- */

static bool is_fenced(const struct iommuabs_unit *unit)
{
	enum iommuabs_unit_status status = unit_status(unit);

	return status == IOMMUABS_UNIT_FENCED || status == IOMMUABS_UNIT_DEAD;
}

/* abs->lock held: is it one that @unit would let through to something? */
static bool reaches_through(const struct iommuabs_device *dev,
			    const struct iommuabs_unit *unit)
{
	uint32_t i;

	for (i = 0; dev->state != DEVICE_BLOCKED && i < dev->nr_streams; i++)
		if (dev->streams[i].unit == unit)
			return true;
	return false;
}

/* 0: no DMA of @dev can happen any more. abs->lock is held. */
static int device_isolate(const struct hostif *host,
			  const struct iommuabs_device *dev)
{
	uint32_t hook;
	int ret;

	if (!host->ops.device_isolate)
		return IOMMUABS_E_NOTSUP;
	hook = caller_hook(host, CALLER_HOOK_CLOSED);
	ret = host->ops.device_isolate(host->ctx, dev->cookie);
	(void)caller_hook(host, hook);
	return ret;
}

/* Cut each device off that the unit can't. False: some may still do DMA. */
static bool isolate_devices(struct iommuabs_unit *unit)
{
	struct iommuabs *abs = unit->abs;
	const struct hostif *host = &abs->host;
	struct iommuabs_device *dev;
	bool all = true;

	/* Locked, so that no device goes away while the host deals with it. */
	ia_lock(host, &abs->lock);
	for (dev = abs->devices; dev; dev = dev->next) {
		if (!reaches_through(dev, unit))
			continue;
		if (device_isolate(host, dev)) {
			hostif_log(host, IOMMUABS_LOG_ERROR,
				   "%s: can't be isolated", dev->name);
			all = false;
		}
	}
	ia_unlock(host, &abs->lock);
	return all;
}

/*
 * The unit's gate is held alone. Block everything, by the unit or without it;
 * @status if that is certain, else DEAD.
 */
static void block_by_force(struct iommuabs_unit *unit,
			   enum iommuabs_unit_status status, int error)
{
	const struct hostif *host = &unit->abs->host;
	uint32_t hook;

	/* Callers that come now must not wait for the unit any more. */
	unit_status_set(unit, IOMMUABS_UNIT_FENCED, error);
	if (!unit->hw.ops->fence(&unit->hw)) {
		unit_status_set(unit, status, error);
		return;
	}
	hostif_log(host, IOMMUABS_LOG_ERROR,
		   "%s: does not acknowledge that it blocks", unit->name);
	if (isolate_devices(unit)) {
		unit_status_set(unit, status, error);
		return;
	}
	unit_status_set(unit, IOMMUABS_UNIT_DEAD, error);
	hostif_log(host, IOMMUABS_LOG_ERROR,
		   "%s: dead, what its devices can reach is withheld",
		   unit->name);
	if (!host->ops.unit_dead)
		return;
	hook = caller_hook(host, CALLER_HOOK_CLOSED);
	host->ops.unit_dead(host->ctx, unit->cookie);
	(void)caller_hook(host, hook);
}

void unit_fence(struct iommuabs_unit *unit, int error)
{
	unit_enter_alone(unit);
	if (unit_status(unit) == IOMMUABS_UNIT_RUNNING) {
		hostif_log(&unit->abs->host, IOMMUABS_LOG_ERROR,
			   "%s: fenced: %s", unit->name,
			   unit->hw.reason[0] ? unit->hw.reason
					      : iommuabs_strerror(error));
		block_by_force(unit, IOMMUABS_UNIT_FENCED, error);
	}
	unit_leave_alone(unit);
}

/* A CPU that still runs must not wait for the unit, nor enable it unasked. */
int unit_crash_block(struct iommuabs_unit *unit)
{
	if (!unit->hw.ops)
		return 0;
	port_store32(&unit->status, IOMMUABS_UNIT_FENCED);
	return unit->hw.ops->crash_block(&unit->hw);
}

/*
 * Block the streams of a device that keeps translations to itself. What it still
 * holds is refused from then on: it claims to be translated, and may not.
 */
static int streams_cut_off(struct iommuabs_unit *unit,
			   const struct backend_streams *stuck)
{
	struct iommuabs *abs = unit->abs;
	const struct hostif *host = &abs->host;
	struct iommuabs_device *dev;
	struct device_stream *stream;
	int ret;

	unit_enter_alone(unit);
	ret = unit->hw.ops->stream_set(&unit->hw, stuck->first, stuck->nr, NULL,
				       0);
	ia_lock(host, &abs->lock);
	dev = device_of_stream(unit, stuck->first);
	stream = dev ? device_stream_of(dev, unit, stuck->first) : NULL;
	if (stream) /* until it is attached anew */
		stream->quiet |= STREAM_CUT_OFF;
	hostif_log(host, IOMMUABS_LOG_ERROR,
		   "%s: %s, stream %x: keeps its translations, cut off",
		   unit->name, dev ? dev->name : "unknown device",
		   stuck->first);
	if (dev)
		(void)device_isolate(host, dev);
	ia_unlock(host, &abs->lock);
	unit_leave_alone(unit);
	return ret;
}

static int invalidate(struct iommuabs_unit *unit, const struct backend_inv *inv)
{
	struct backend_streams stuck;
	int ret;

	while ((ret = unit->hw.ops->invalidate(&unit->hw, inv, &stuck))) {
		/* Leaves fewer streams with translations of their own. */
		if (ret == BACKEND_STUCK)
			ret = streams_cut_off(unit, &stuck);
		if (!ret)
			continue;
		unit_fence(unit, ret);
		break;
	}
	return ret;
}

/*
 * A unit that is being enabled translates before it counts as running: the driver
 * knows from when on. What a fence was to keep stays owed, lest it isn't enabled
 * in the end.
 */
static int invalidate_idle(struct iommuabs_unit *unit,
			   const struct backend_inv *inv)
{
	int ret = 0;

	/* Stores to tables before the look, as in bring_up() the other way round. */
	port_mb();
	if (port_load64_acquire(&unit->coming) ||
	    unit_status(unit) == IOMMUABS_UNIT_RUNNING)
		ret = invalidate(unit, inv);
	return !ret && is_fenced(unit) ? IOMMUABS_E_FENCED : ret;
}

int unit_invalidate(struct iommuabs_unit *unit, const struct backend_inv *inv)
{
	return unit_status(unit) == IOMMUABS_UNIT_RUNNING
		       ? invalidate(unit, inv)
		       : invalidate_idle(unit, inv);
}

/* ---- enabling ---- */

/* A fence lasts until the unit is enabled. */
static enum iommuabs_unit_status
status_if_failed(const struct iommuabs_unit *unit)
{
	return is_fenced(unit) ? IOMMUABS_UNIT_FENCED : IOMMUABS_UNIT_FAILED;
}

/* The unit's gate is held alone. 0: RUNNING, else @failed or DEAD. */
static int bring_up(struct iommuabs_unit *unit,
		    enum iommuabs_unit_status failed)
{
	int ret;

	port_store64(&unit->coming, 1);
	port_mb();
	ret = unit->hw.ops->enable(&unit->hw);
	if (!ret) {
		unit->hw.reason[0] = 0;
		unit_status_set(unit, IOMMUABS_UNIT_RUNNING, 0);
		port_store64_release(&unit->coming, 0);
		return 0;
	}
	hostif_log(&unit->abs->host, IOMMUABS_LOG_ERROR,
		   "%s: could not be enabled: %s", unit->name,
		   unit->hw.reason[0] ? unit->hw.reason
				      : iommuabs_strerror(ret));
	if (ret != IOMMUABS_E_NOMEM)
		block_by_force(unit, failed, ret);
	else if (unit_status(unit) == IOMMUABS_UNIT_DEAD)
		unit_status_set(unit, IOMMUABS_UNIT_DEAD, ret);
	else
		unit_status_set(unit, failed, ret);
	port_store64_release(&unit->coming, 0);
	return ret;
}

/* A domain may let go of what it withheld because of @unit. */
static void domain_settle_unit(struct iommuabs_domain *dom,
			       const struct iommuabs_unit *unit)
{
	const struct hostif *host = &dom->abs->host;
	bool clear;

	domain_enter_alone(dom);
	ia_lock(host, &dom->lock);
	/* A debt from after the recovery stays: it fenced the unit again. */
	if (!is_fenced(unit))
		debt_settle(dom, unit);
	clear = !dom->owing;
	ia_unlock(host, &dom->lock);
	if (clear)
		domain_release_withheld(dom);
	domain_leave_alone(dom);
}

static bool domain_owes(struct iommuabs_domain *dom,
			const struct iommuabs_unit *unit)
{
	const struct hostif *host = &dom->abs->host;
	bool owes;

	ia_lock(host, &dom->lock);
	owes = debt_exists(dom, unit);
	ia_unlock(host, &dom->lock);
	return owes;
}

/*
 * @unit has forgotten everything: tell the domains and free kept ids. A domain
 * is one work unit and more: at least one is done. 0 | E_AGAIN.
 */
static int settle_debts(struct iommuabs_unit *unit, uint64_t *budget)
{
	struct iommuabs *abs = unit->abs;
	struct iommuabs_domain *dom = NULL;
	bool any = false;
	int ret = 0;

	ids_free_kept(unit);
	/* Nothing that is listed now is freed before the gate is left. */
	instance_enter(abs);
	while ((dom = domain_after(abs, dom))) {
		if (!domain_owes(dom, unit))
			continue;
		if (any && !*budget) {
			ret = IOMMUABS_E_AGAIN;
			break;
		}
		domain_settle_unit(dom, unit);
		any = true;
		*budget -= *budget ? 1 : 0;
	}
	instance_leave(abs);
	if (!ret)
		domains_reap(abs);
	return ret;
}

void unit_enable(struct iommuabs_unit *unit)
{
	uint64_t budget = ~(uint64_t)0;
	int ret;

	if (!unit->hw.ops)
		return;
	unit_enter_alone(unit);
	ret = unit_status(unit) == IOMMUABS_UNIT_RUNNING
		      ? 0
		      : bring_up(unit, status_if_failed(unit));
	unit_leave_alone(unit);
	if (!ret)
		settle_debts(unit, &budget);
}

/* The unit's gate is held alone. */
static int bring_down(struct iommuabs_unit *unit)
{
	int ret;

	switch (unit_status(unit)) {
	case IOMMUABS_UNIT_RUNNING:
		break;
	case IOMMUABS_UNIT_DEAD:
		return IOMMUABS_E_TIMEOUT;
	default: /* blocks already */
		return 0;
	}
	ret = unit->hw.ops->disable(&unit->hw);
	if (!ret) {
		unit_status_set(unit, IOMMUABS_UNIT_STOPPED, 0);
		return 0;
	}
	hostif_log(&unit->abs->host, IOMMUABS_LOG_ERROR,
		   "%s: does not acknowledge that it was stopped", unit->name);
	block_by_force(unit, IOMMUABS_UNIT_FENCED, ret);
	return ret;
}

int unit_disable(struct iommuabs_unit *unit)
{
	int ret;

	if (!unit->hw.ops)
		return 0;
	unit_enter_alone(unit);
	ret = bring_down(unit);
	unit_leave_alone(unit);
	return ret;
}

/* The unit's gate is held alone. */
static int wake_up(struct iommuabs_unit *unit)
{
	enum iommuabs_unit_status status = unit_status(unit);

	switch (status) {
	case IOMMUABS_UNIT_STOPPED:
		return bring_up(unit, IOMMUABS_UNIT_FENCED);
	case IOMMUABS_UNIT_ADDED: /* while the others slept */
		return bring_up(unit, IOMMUABS_UNIT_FAILED);
	case IOMMUABS_UNIT_DEAD:
		status = IOMMUABS_UNIT_FENCED;
		break;
	default: /* FENCED, FAILED: power that went took the fence with it */
		break;
	}
	block_by_force(unit, status, unit->error);
	return unit_status(unit) == IOMMUABS_UNIT_DEAD ? IOMMUABS_E_TIMEOUT : 0;
}

int unit_resume(struct iommuabs_unit *unit)
{
	uint64_t budget = ~(uint64_t)0;
	int ret;

	if (!unit->hw.ops)
		return 0;
	unit_enter_alone(unit);
	ret = wake_up(unit);
	unit_leave_alone(unit);
	if (unit_status(unit) == IOMMUABS_UNIT_RUNNING)
		settle_debts(unit, &budget);
	return ret;
}

/*
 * The unit's gate is held alone. While the instance is stopped, to recover is to
 * reach the state in which a stop leaves a unit.
 */
static int revive(struct iommuabs_unit *unit)
{
	int ret;

	if (!is_fenced(unit) && unit_status(unit) != IOMMUABS_UNIT_FAILED)
		return 0;
	if (instance_runs(unit->abs))
		return bring_up(unit, status_if_failed(unit));
	ret = unit->hw.ops->disable(&unit->hw);
	if (!ret)
		unit_status_set(unit, IOMMUABS_UNIT_STOPPED, 0);
	return ret;
}

int unit_recover(struct iommuabs_unit *unit, uint64_t *budget)
{
	int ret;

	if (!unit->hw.ops)
		return IOMMUABS_E_NODRIVER;
	unit_enter_alone(unit);
	ret = revive(unit);
	unit_leave_alone(unit);
	return ret ? ret : settle_debts(unit, budget);
}

int unit_irq_set_msi(struct iommuabs_unit *unit,
		     enum iommuabs_unit_irq_which which, uint64_t addr,
		     uint32_t data)
{
	int ret;

	unit_enter_alone(unit);
	ret = unit->hw.ops->irq_set_msi(&unit->hw, which, addr, data);
	unit_leave_alone(unit);
	if (ret == IOMMUABS_E_TIMEOUT)
		unit_fence(unit, ret);
	return ret;
}

void unit_report(struct iommuabs_unit *unit, struct iommuabs_unit_state *state)
{
	const struct backend_unit *hw = &unit->hw;

	unit_enter(unit); /* status, error and reason are of one moment */
	state->type = unit->type;
	state->status = unit_status(unit);
	state->error = unit->error;
	state->cookie = unit->cookie;
	hostif_format(state->name, sizeof(state->name), "%s", unit->name);
	hostif_format(state->reason, sizeof(state->reason), "%s", hw->reason);
	state->base = unit->base;
	state->stage1 = hw->caps.stage1;
	state->stage2 = hw->caps.stage2;
	state->coherent = hw->caps.coherent;
	state->input_bits = hw->caps.input_bits;
	state->output_bits = hw->caps.output_bits;
	state->granules = hw->caps.granules;
	state->id_bits = hw->caps.id_bits;
	state->stream_bits = hw->caps.stream_bits;
	state->bbml = hw->caps.bbml;
	state->nr_bindings = unit->nr_bindings;
	state->commands = port_load64(&hw->commands);
	state->syncs = port_load64(&hw->syncs);
	state->events = port_load64(&hw->events);
	state->events_lost = port_load64(&hw->events_lost);
	state->errors = port_load64(&hw->errors);
	unit_leave(unit);
}
