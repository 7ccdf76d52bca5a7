/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * api_fault.c - faults, as the host polls for them
 */
#include "core.h"

int iommuabs_faults_poll(struct iommuabs *abs, uint32_t max, uint32_t *drained)
{
	uint32_t nr = 0;
	int ret;

	if (!abs)
		return IOMMUABS_E_INVAL;
	ret = faults_drain(abs, max, &nr);
	if (drained && ret != IOMMUABS_E_BUSY)
		*drained = nr;
	return ret;
}

const char *iommuabs_fault_reason_text(enum iommuabs_fault_reason reason)
{
	static const char texts[][48] = {
		[IOMMUABS_FAULT_TRANSLATION] = "nothing is mapped there",
		[IOMMUABS_FAULT_PERMISSION] = "not mapped for that access",
		[IOMMUABS_FAULT_STREAM] = "no device is attached",
		[IOMMUABS_FAULT_OTHER] = "see the raw record",
		[IOMMUABS_FAULT_ADDRESS_SIZE] = "an address is too wide",
		[IOMMUABS_FAULT_ACCESS_FLAG] = "an access flag is clear",
		[IOMMUABS_FAULT_WALK_ABORT] = "a table could not be read",
		[IOMMUABS_FAULT_ENTRY] = "the unit refuses the entry",
		[IOMMUABS_FAULT_ENTRY_ABORT] = "the entry could not be read",
		[IOMMUABS_FAULT_STREAM_RANGE] = "the unit has no such id",
		[IOMMUABS_FAULT_PASID] = "a PASID where none may be",
		[IOMMUABS_FAULT_TRANSLATED] = "ATS where it is not allowed",
		[IOMMUABS_FAULT_TLB_CONFLICT] = "the unit holds two answers",
		[IOMMUABS_FAULT_INTERRUPT] = "an interrupt it may not raise",
	};

	return (uint32_t)reason < IA_COUNT(texts) ? texts[reason]
						  : "unknown reason";
}
