/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vtd_faults.c - fault recording registers (VT-d 7.2, 7.3, 11.4.7)
 */
#include "vtd.h"

#if IOMMUABS_CONFIG_VTD

/* 7.3: fault reasons. Legacy mode counts from 1, scalable mode from 30h. */
static enum iommuabs_fault_reason reason_of(uint64_t reason)
{
	switch (reason) {
	case 0x01: /* root entry not present */
	case 0x02: /* context entry not present */
	case 0x39: /* the same in scalable mode: root, context, */
	case 0x41:
	case 0x51: /* directory, PASID-table entry */
	case 0x59:
		return IOMMUABS_FAULT_STREAM;
	case 0x03: /* context entry: address width, translation type */
	case 0x0b: /* reserved bits of a context entry */
	case 0x0a: /* of a root entry */
	case 0x30:
	case 0x3a:
	case 0x42:
	case 0x43:
	case 0x48:
	case 0x52:
	case 0x5a:
	case 0x5b:
		return IOMMUABS_FAULT_ENTRY;
	case 0x08: /* the root entry could not be read */
	case 0x09: /* nor the context entry */
	case 0x38:
	case 0x40:
	case 0x50:
	case 0x58:
		return IOMMUABS_FAULT_ENTRY_ABORT;
	case 0x04: /* wider than the table takes */
	case 0x83:
	case 0x84:
		return IOMMUABS_FAULT_ADDRESS_SIZE;
	/* Nothing there, or not for this: second stage has one word for both. */
	case 0x05: /* write */
	case 0x06: /* read */
	case 0x79:
	case 0x85:
	case 0x86:
		return IOMMUABS_FAULT_PERMISSION;
	case 0x07: /* an entry of a table could not be read */
	case 0x78:
		return IOMMUABS_FAULT_WALK_ABORT;
	case 0x0d: /* a translated request, or one for a translation */
	case 0x44:
	case 0x47:
		return IOMMUABS_FAULT_TRANSLATED;
	case 0x31: /* with a PASID, and none is to be used */
	case 0x45:
	case 0x46:
		return IOMMUABS_FAULT_PASID;
	case 0x20: /* a message with reserved bits set, */
	case 0x21: /* of no entry, */
	case 0x22: /* of one that is absent */
	case 0x23: /* or could not be read, */
	case 0x24: /* with reserved bits set; */
	case 0x25: /* of the compatible format, */
	case 0x26: /* not by the requester that may send it */
		return IOMMUABS_FAULT_INTERRUPT;
	default:
		return IOMMUABS_FAULT_OTHER;
	}
}

/* Of a request for an interrupt the record has an index in its place. */
static bool has_address(uint64_t reason)
{
	return reason < 0x20 || reason > 0x2f;
}

static void decode(uint64_t low, uint64_t high, struct backend_event *event)
{
	event->reason = reason_of(field_get(VTD_FRCD_FR, high));
	event->stream = (uint32_t)field_get(VTD_FRCD_SID, high);
	event->access = high & VTD_FRCD_T1 ? IOMMUABS_READ : IOMMUABS_WRITE;
	event->has_address = has_address(field_get(VTD_FRCD_FR, high));
	event->address = event->has_address ? low & VTD_FRCD_FI : 0;
	event->raw[0] = low;
	event->raw[1] = high;
	event->raw[2] = event->raw[3] = 0;
	/*
	 * 11.4.7.3: PV means something with PP only; and 0 is what scalable mode
	 * takes for requests that carry none (RID_PASID).
	 */
	if ((high & VTD_FRCD_PP) && field_get(VTD_FRCD_PV, high))
		event->reason = IOMMUABS_FAULT_PASID;
}

/* The record in register @index. False: none is there. */
static bool record_take(const struct vtd *vtd, uint32_t index,
			struct backend_event *event)
{
	const struct hostif_regs *regs = &vtd->unit->regs;
	uint32_t at = (uint32_t)(16 * field_get(VTD_CAP_FRO, vtd->cap)) +
		      VTD_FRCD_LENGTH * index;
	uint64_t high = hostif_read64(regs, REG64(at + 8));

	if (!(high & VTD_FRCD_F) || high == ~(uint64_t)0)
		return false;
	decode(hostif_read64(regs, REG64(at)), high, event);
	/* F is cleared by writing a one to it, in the last 32 bits. */
	hostif_write32(regs, REG32(at + 12), (uint32_t)1 << 31);
	return true;
}

uint32_t vtd_events(struct backend_unit *unit, struct backend_event *events,
		    uint32_t max)
{
	struct vtd *vtd = vtd_of(unit);
	const struct hostif_regs *regs = &unit->regs;
	uint32_t nr = (uint32_t)field_get(VTD_CAP_NFR, vtd->cap) + 1;
	uint32_t got = 0, looked, fsts = hostif_read32(regs, VTD_FSTS);

	if (fsts == VTD_NO_ANSWER)
		return 0;
	/* Registers are filled in turn: from the one after the last taken. */
	for (looked = 0; looked < nr && got < max; looked++) {
		if (record_take(vtd, vtd->next_record, &events[got]))
			got++;
		else if (got)
			break;
		vtd->next_record = (vtd->next_record + 1) % nr;
	}
	/* What came while all were full is lost; without this no more comes. */
	if (fsts & (uint32_t)VTD_FSTS_PFO) {
		port_add64(&unit->events_lost, 1);
		hostif_write32(regs, VTD_FSTS, (uint32_t)VTD_FSTS_PFO);
	}
	port_add64(&unit->events, got);
	return got;
}

#endif
