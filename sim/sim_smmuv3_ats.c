/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_smmuv3_ats.c - what devices ask for by ATS and PRI (IHI 0070 3.9)
 */
#include "sim_smmuv3.h"

int iommuabs_sim_ats(struct iommuabs_sim_unit *u, struct iommuabs_sim_dma *dma)
{
	(void)u;
	dma->maddr = IOMMUABS_SIM_BLOCKED;
	dma->event = 0;
	return 0;
}

void iommuabs_sim_atc_mute(struct iommuabs_sim_unit *u, uint32_t sid,
			   unsigned int mute)
{
	(void)u;
	(void)sid;
	(void)mute;
}

int iommuabs_sim_page_request(struct iommuabs_sim_unit *u,
			      const struct iommuabs_sim_dma *dma,
			      unsigned int group)
{
	(void)u;
	(void)dma;
	(void)group;
	return 0;
}
