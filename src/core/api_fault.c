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
