/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit.c - a unit is added, told about and freed
 */
#include "unit.h"

#define FLAGS                                                 \
	(IOMMUABS_UNIT_COHERENT | IOMMUABS_UNIT_FETCH_128 |   \
	 IOMMUABS_UNIT_BROADCAST | IOMMUABS_UNIT_PAGE0_ONLY | \
	 IOMMUABS_UNIT_NO_RANGES | IOMMUABS_UNIT_NO_BLOCKS |  \
	 IOMMUABS_UNIT_NO_CONTIGUOUS | IOMMUABS_UNIT_NO_MSI)

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

/* What is wrong with a description, in words; NULL: nothing is. */
static const char *base_wrong(const struct iommuabs_unit_desc *desc,
			      const struct backend_ops *ops)
{
	uint64_t least = least_length(desc, ops);
	bool needs_base = desc->type == IOMMUABS_UNIT_SMMUV3 ||
			  desc->type == IOMMUABS_UNIT_SMMUV2 ||
			  desc->type == IOMMUABS_UNIT_VTD;

	/* Registers of other makers' units may share their frame. */
	if (desc->type != IOMMUABS_UNIT_OTHER &&
	    (desc->base & (IOMMUABS_FRAME_SIZE - 1)))
		return "its base is not aligned to 4 KiB";
	if ((needs_base || desc->length) && !desc->base)
		return "its base is 0";
	if (desc->length && desc->length < least)
		return "it has fewer registers than its type";
	if (desc->base + IA_MAX(desc->length, least) < desc->base)
		return "its registers wrap";
	return NULL;
}

static const char *irqs_wrong(const struct iommuabs_unit_desc *desc)
{
	uint32_t i;

	if (desc->nr_irqs > IOMMUABS_IRQ_COUNT_ ||
	    (desc->nr_irqs && !desc->irqs))
		return "too many interrupts, or none at irqs";
	for (i = 0; i < desc->nr_irqs; i++)
		if (desc->irqs[i].which >= IOMMUABS_IRQ_COUNT_ ||
		    desc->irqs[i].edge > 1)
			return "an interrupt of no known kind";
	return NULL;
}

static int desc_check(struct iommuabs *abs,
		      const struct iommuabs_unit_desc *desc,
		      const struct backend_ops *ops)
{
	const char *why = base_wrong(desc, ops);

	if (!why)
		why = irqs_wrong(desc);
	if (desc->type > IOMMUABS_UNIT_OTHER || (desc->flags & ~FLAGS))
		why = "an unknown type or flag";
	else if (bounded_length(desc->name, IOMMUABS_NAME_MAX) ==
			 IOMMUABS_NAME_MAX ||
		 bounded_length(desc->path, IOMMUABS_PATH_MAX) ==
			 IOMMUABS_PATH_MAX)
		why = "its name or path is too long";
	if (!why)
		return 0;
	hostif_log(&abs->host, IOMMUABS_LOG_ERROR, "unit at %llx refused: %s",
		   (unsigned long long)desc->base, why);
	return IOMMUABS_E_INVAL;
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
	ret = unit_ids_make(unit, 0);
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
	unit_ids_free(unit);
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
	int ret = desc_check(abs, desc, ops);

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

/* Any CPU that waits for the unit may be writing it. */
static void reason_report(struct backend_unit *unit,
			  struct iommuabs_unit_state *state)
{
	if (!unit->ops) {
		hostif_format(state->reason, sizeof(state->reason),
			      "no driver in this build");
		return;
	}
	ia_lock(unit->host, &unit->lock);
	hostif_format(state->reason, sizeof(state->reason), "%s", unit->reason);
	ia_unlock(unit->host, &unit->lock);
}

void unit_report(struct iommuabs_unit *unit, struct iommuabs_unit_state *state)
{
	const struct backend_unit *hw = &unit->hw;

	unit_enter(unit); /* status and error are of one moment */
	state->type = unit->type;
	state->status = unit_status(unit);
	state->error = unit->error;
	state->cookie = unit->cookie;
	hostif_format(state->name, sizeof(state->name), "%s", unit->name);
	reason_report(&unit->hw, state);
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
