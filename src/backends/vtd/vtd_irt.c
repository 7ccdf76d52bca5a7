/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vtd_irt.c - the interrupt remapping table (VT-d 5, 9.10, 9.11)
 *
 * Its entries say which interrupt a message becomes, and who may send it. An
 * entry changes as every entry does: absent, forgotten; filled; present. With
 * remapping on, messages of the compatible format are blocked.
 */
#include "vtd.h"

#if IOMMUABS_CONFIG_VTD

#define IRT_LG2	     16		       /* bytes of the table */
#define IRT_SIZE     (IRT_LG2 - 4 - 1) /* IRTA.S: entries, halved, as a shift */
#define IRTE_LG2     4
#define COMPATIBLE   ((uint32_t)VTD_GCMD_CFI)
#define REMAPPING    ((uint32_t)VTD_GCMD_IRE)
#define ONE_SHOT_IRT ((uint32_t)VTD_GCMD_SIRTP)

/* ---- the table ---- */

int vtd_irt_make(struct vtd *vtd)
{
	struct backend_unit *unit = vtd->unit;
	uint32_t flags = unit->host->ops.flags;
	bool x2apic = (flags & IOMMUABS_HOST_X2APIC) != 0;
	uint64_t at;
	void *table;

	if (!(flags & IOMMUABS_HOST_REMAPS_IRQS) || !vtd->has_queue ||
	    !vtd_has(VTD_ECAP_IR, vtd->ecap) ||
	    (x2apic && !vtd_has(VTD_ECAP_EIM, vtd->ecap)))
		return 0;
	if (tablemem_alloc(unit->mem, unit->account, IRT_LG2,
			   IOMMUABS_ALLOC_UNIT, &at))
		return IOMMUABS_E_NOMEM;
	table = hostif_map(unit->host, at);
	port_dev_zero(table, (size_t)1 << IRT_LG2);
	vtd_clean(vtd, table, (size_t)1 << IRT_LG2);
	hostif_unmap(unit->host, table);
	vtd->irt = at;
	vtd->x2apic = x2apic;
	unit->caps.irqs = 1u << (IRT_LG2 - IRTE_LG2);
	unit->caps.irqs_posted = vtd_has(VTD_CAP_PI, vtd->cap);
	unit->caps.unsafe_msi = 0;
	return 0;
}

void vtd_irt_free(struct vtd *vtd)
{
	backend_memory_free(vtd->unit, vtd->irt, IRT_LG2);
}

static void emit_all(struct vtd_batch *batch, const void *arg)
{
	(void)arg;
	vtd_batch_add(batch, field_put(VTD_DESC_TYPE, VTD_DESC_IEC), 0);
}

/* From now on the table at @maddr, of 2 << @size entries. */
static int table_set(struct vtd *vtd, uint64_t maddr, unsigned int size)
{
	hostif_write64(&vtd->unit->regs, VTD_IRTA,
		       maddr | field_put(VTD_IRTA_S, size) |
			       (vtd->x2apic ? VTD_IRTA_EIME : 0));
	return vtd_command_on(vtd, ONE_SHOT_IRT,
			      "the interrupt table is not taken");
}

int vtd_irt_enable(struct vtd *vtd)
{
	int ret;

	if (!vtd->irt)
		return 0;
	vtd->irt_is_used = 1;
	ret = table_set(vtd, vtd->irt, IRT_SIZE);
	if (!ret)
		ret = vtd_submit(vtd, emit_all, NULL);
	/* What firmware let through in the old format is blocked, too. */
	if (!ret)
		ret = vtd_command_off(vtd, COMPATIBLE,
				      "CFI = 0 is not acknowledged");
	if (!ret)
		ret = vtd_command_on(vtd, REMAPPING, "IRE is not acknowledged");
	return ret;
}

/* Of the blank page, the first two entries are absent: nothing gets through. */
int vtd_irt_block(struct vtd *vtd)
{
	int ret;

	if (!vtd->irt ||
	    !(hostif_read32(&vtd->unit->regs, VTD_GSTS) & REMAPPING))
		return 0;
	ret = table_set(vtd, vtd->blank, 0);
	return ret ? ret : vtd_submit_while_off(vtd, emit_all, NULL);
}

/* ---- what an entry says ---- */

/* Who may send it: that id, or, of several, the buses they are on. */
static uint64_t requester(const struct backend_irq *irq)
{
	uint32_t first = irq->first_id, last = irq->last_id;

	if (first == last)
		return field_put(VTD_IRTE1_SVT, VTD_SVT_ID) |
		       field_put(VTD_IRTE1_SID, first);
	return field_put(VTD_IRTE1_SVT, VTD_SVT_BUSES) |
	       field_put(VTD_IRTE1_SID, (first & 0xff00) | last >> 8);
}

/* 9.11: the descriptor's address is split, its low six bits are 0. */
static void posted_make(const struct iommuabs_irq_target *target,
			uint64_t words[2])
{
	words[0] = VTD_IRTE0_P | VTD_IRTE0_IM |
		   (target->flags & IOMMUABS_IRQ_URGENT ? VTD_IRTE0_URG : 0) |
		   field_put(VTD_IRTE0_VECTOR, target->vector) |
		   field_put(VTD_IRTE0_PDA_LOW, target->descriptor >> 6);
	words[1] |= field_put(VTD_IRTE1_PDA_HIGH, target->descriptor >> 32);
}

/* 5.1.5: in xAPIC mode the id is in bits 15:8 of the destination. */
static void remapped_make(const struct vtd *vtd,
			  const struct iommuabs_irq_target *target,
			  uint64_t words[2])
{
	uint32_t flags = target->flags;

	words[0] = VTD_IRTE0_P |
		   (flags & IOMMUABS_IRQ_LOGICAL ? VTD_IRTE0_DM : 0) |
		   (flags & IOMMUABS_IRQ_REDIRECT ? VTD_IRTE0_RH : 0) |
		   (flags & IOMMUABS_IRQ_LEVEL ? VTD_IRTE0_TM : 0) |
		   field_put(VTD_IRTE0_DLM, target->delivery) |
		   field_put(VTD_IRTE0_VECTOR, target->vector) |
		   field_put(VTD_IRTE0_DST, vtd->x2apic
						    ? target->destination
						    : target->destination << 8);
}

static void entry_make(const struct vtd *vtd, const struct backend_irq *irq,
		       uint64_t words[2])
{
	words[0] = words[1] = 0;
	if (!irq)
		return;
	words[1] = requester(irq);
	if (irq->target->flags & IOMMUABS_IRQ_POSTED)
		posted_make(irq->target, words);
	else
		remapped_make(vtd, irq->target, words);
}

/* ---- how it changes ---- */

static void emit_one(struct vtd_batch *batch, const void *arg)
{
	const uint32_t *index = arg;

	vtd_batch_add(batch,
		      field_put(VTD_DESC_TYPE, VTD_DESC_IEC) |
			      VTD_IEC_BY_INDEX |
			      field_put(VTD_IEC_INDEX, *index),
		      0);
}

static int forget(struct vtd *vtd, uint32_t index)
{
	int ret;

	if (!port_load32(&vtd->unit->enabled))
		return 0;
	ret = vtd_flush_writes(vtd);
	return ret ? ret : vtd_submit(vtd, emit_one, &index);
}

static int word_set(struct vtd *vtd, uint64_t *word, uint64_t value,
		    uint32_t index)
{
	if (port_dev_load64(word) == value)
		return 0;
	port_dev_store64(word, value);
	vtd_clean(vtd, word, sizeof(*word));
	return forget(vtd, index);
}

static int entry_write(struct vtd *vtd, uint64_t *entry,
		       const uint64_t words[2], uint32_t index)
{
	int ret = 0;

	if (vtd->unit->desc_flags & IOMMUABS_UNIT_FETCH_128) {
		port_dev_store128(entry, words[0], words[1]);
		vtd_clean(vtd, entry, 2 * sizeof(*entry));
		return forget(vtd, index);
	}
	if (port_dev_load64(entry) != words[0] ||
	    port_dev_load64(entry + 1) != words[1])
		ret = word_set(vtd, entry, 0, index);
	if (!ret)
		ret = word_set(vtd, entry + 1, words[1], index);
	if (!ret)
		ret = word_set(vtd, entry, words[0], index);
	return ret;
}

/* A unit that is fenced remaps on, and can't be told what to forget. One that did
 * not even acknowledge a fence isn't waited for again. */
static int entry_block(const struct vtd *vtd, uint64_t *entry)
{
	port_dev_store64(entry, 0);
	vtd_clean(vtd, entry, sizeof(*entry));
	return IOMMUABS_E_TIMEOUT;
}

int vtd_irq_set(struct backend_unit *unit, uint32_t index,
		const struct backend_irq *irq)
{
	struct vtd *vtd = vtd_of(unit);
	uint64_t *page, *entry, words[2];
	uint64_t at = vtd->irt + ((uint64_t)index << IRTE_LG2);
	int ret;

	entry_make(vtd, irq, words);
	page = hostif_map(unit->host,
			  at & ~(uint64_t)(IOMMUABS_FRAME_SIZE - 1));
	entry = page + at % IOMMUABS_FRAME_SIZE / sizeof(*page);
	if (vtd->irt_is_used && (vtd->is_lost || !port_load32(&unit->enabled)))
		ret = entry_block(vtd, entry);
	else
		ret = entry_write(vtd, entry, words, index);
	hostif_unmap(unit->host, page);
	return ret;
}

/*
 * 5.1.2.2: a message of the remappable format; the handle is the first of those
 * that were given together, and the data says which of them.
 */
void vtd_irq_message(uint32_t first, uint32_t nr, uint32_t index,
		     struct iommuabs_irq_message *message)
{
	message->address = 0xfee00010u | (first & 0x7fff) << 5 |
			   (nr > 1 ? 1u << 3 : 0) | first >> 15 << 2;
	message->data = index - first;
}

/* 5.1.5.1: the index in bits 63:49 and 11, and the format in bit 48. */
uint64_t vtd_irq_ioapic(uint32_t index, uint32_t vector, uint32_t flags)
{
	return (uint64_t)(index & 0x7fff) << 49 | (uint64_t)1 << 48 |
	       (uint64_t)(index >> 15) << 11 |
	       (flags & IOMMUABS_IRQ_LEVEL ? 1u << 15 : 0) | vector;
}

#endif
