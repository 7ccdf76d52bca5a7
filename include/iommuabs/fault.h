/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fault.h - what a unit blocked, as it reported it
 */
#ifndef IOMMUABS_FAULT_H
#define IOMMUABS_FAULT_H

#include <iommuabs/types.h>

IOMMUABS_BEGIN_DECLS

enum iommuabs_fault_reason {
	IOMMUABS_FAULT_TRANSLATION, /* nothing is mapped there */
	/* It is, but not for that access. A VT-d unit says so of both. */
	IOMMUABS_FAULT_PERMISSION,
	IOMMUABS_FAULT_STREAM, /* no device is attached under this id */
	IOMMUABS_FAULT_OTHER,  /* see @raw */
	/* An address is wider than the unit or the table takes. */
	IOMMUABS_FAULT_ADDRESS_SIZE,
	IOMMUABS_FAULT_ACCESS_FLAG,  /* the table entry was never accessed */
	IOMMUABS_FAULT_WALK_ABORT,   /* a table could not be read */
	IOMMUABS_FAULT_ENTRY,	     /* the unit refuses the stream's entry */
	IOMMUABS_FAULT_ENTRY_ABORT,  /* the stream's entry could not be read */
	IOMMUABS_FAULT_STREAM_RANGE, /* the id is past what the unit has */
	IOMMUABS_FAULT_PASID, /* the request carries a PASID, and may not */
	/* It claims to be translated, or asks for that (ATS), and may not. */
	IOMMUABS_FAULT_TRANSLATED,
	IOMMUABS_FAULT_TLB_CONFLICT,
	/* A message that is no interrupt of the device: @raw has the entry. */
	IOMMUABS_FAULT_INTERRUPT,
};

/**
 * iommuabs_fault_reason_text() - a reason in words
 *
 * Context: any. The string is constant.
 */
IOMMUABS_API const char *
iommuabs_fault_reason_text(enum iommuabs_fault_reason reason);

/*
 * A storm: so many events of one device in so many microseconds. What is done
 * then is said by the device's policy (device.h); it is told with the fault that
 * made it one, and what the unit has recorded of the device besides is counted
 * only.
 */
#define IOMMUABS_STORM_EVENTS 1024
#define IOMMUABS_STORM_US     1000000

enum iommuabs_fault_action {
	IOMMUABS_FAULT_NOTED,
	/* From now on the unit records nothing of what it blocks of @dev. */
	IOMMUABS_FAULT_SILENCED,
	/*
	 * The same, and all its DMA is blocked, whatever it is attached to; or it
	 * is in the domain now that iommuabs_attach_options.quarantine said.
	 */
	IOMMUABS_FAULT_QUARANTINED,
};

/*
 * Handed to host->fault(); valid during the call, and so is @dev, even if it is
 * removed meanwhile. @dom is as it was when the fault was looked up.
 */
struct iommuabs_fault {
	uint32_t size; /* sizeof(struct iommuabs_fault) of the library */
	enum iommuabs_fault_reason reason;
	struct iommuabs_unit *unit;
	void *unit_cookie;
	struct iommuabs_device *dev; /* NULL: the id is no known device's */
	void *dev_cookie;
	struct iommuabs_domain *dom; /* NULL: not attached */
	void *dom_cookie;
	uint32_t stream; /* id that the unit reported */
	uint32_t access; /* IOMMUABS_READ or IOMMUABS_WRITE; 0: not reported */
	iommuabs_gfn_t gfn; /* 0 with reason STREAM and OTHER if not reported */
	uint64_t address;   /* in full, where it was reported */
	uint32_t count;	 /* events of one id, gfn, access and reason, merged */
	uint64_t raw[4]; /* the record as the unit wrote it */
	enum iommuabs_fault_action action;
};

/**
 * iommuabs_faults_poll() - drain event queues into host->fault()
 * @max:     records to take at the most; 0: what is there now, up to 4096 of
 *           each unit
 * @drained: records taken; may be NULL
 *
 * Also looks at each unit's error register: a unit that failed is fenced. Where a
 * storm moves a device (iommuabs_attach_options.quarantine), this is a call on both
 * domains, where those are SERIALISED.
 *
 * Context: TASK; one call at a time per instance; the callback runs with no
 *          lock held.
 * Return:  0 | E_INVAL | E_AGAIN (as many as may be were taken: there may be
 *          more) | E_BUSY (from a callback, or while another call drains).
 */
IOMMUABS_MUST_CHECK int iommuabs_faults_poll(struct iommuabs *abs, uint32_t max,
					     uint32_t *drained);

IOMMUABS_END_DECLS

#endif
