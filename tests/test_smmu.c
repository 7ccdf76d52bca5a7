/* SPDX-License-Identifier: BSD-2-Clause */
#include "test_smmu.h"

#include <string.h>

#include "harness.h"

static void sim_config(struct iommuabs_sim_smmuv3_config *c, uint32_t flags)
{
	iommuabs_sim_smmuv3_defaults(c);
	c->cohacc = !(flags & SMMU_NONCOHERENT);
	c->ril = !(flags & SMMU_NO_RIL);
	c->gbpa_abort = !!(flags & SMMU_ABORTS);
	if (flags & SMMU_LINEAR) {
		c->st_level = 0;
		c->sidsize = 6;
	}
	if (flags & SMMU_BBML0)
		c->bbml = 0;
	c->fetch_128 = !!(flags & SMMU_FETCH_128);
	if (flags & SMMU_TINY_QUEUES) {
		c->cmdqs = 3;
		c->eventqs = 2;
	}
	if (flags & SMMU_STAGE1)
		c->s2p = 0;
	if (flags & SMMU_NESTED_EL2)
		c->hyp = c->msi = 1;
}

void smmu_machine_make_tuned(struct driver_machine *m, uint32_t flags,
			     smmu_tune_fn tune)
{
	struct iommuabs_sim_smmuv3_config config;

	driver_machine_arena(m, flags & SMMU_NONCOHERENT);
	sim_config(&config, flags);
	if (tune)
		tune(&config);
	ck_assert_int_eq(iommuabs_sim_smmuv3_create(m->arena, &config, &m->sim),
			 0);
	driver_machine_unit(m, IOMMUABS_UNIT_SMMUV3, config.base);
	if (flags & SMMU_FETCH_128)
		m->unit.desc_flags = IOMMUABS_UNIT_FETCH_128;
}

void smmu_machine_make(struct driver_machine *m, uint32_t flags)
{
	smmu_machine_make_tuned(m, flags, NULL);
}

void smmu_machine_new(struct driver_machine *m, uint32_t flags)
{
	smmu_machine_new_tuned(m, flags, NULL, 0);
}

void smmu_machine_new_tuned(struct driver_machine *m, uint32_t flags,
			    smmu_tune_fn tune, uint32_t desc_flags)
{
	smmu_machine_make_tuned(m, flags, tune);
	m->unit.desc_flags |= desc_flags;
	driver_machine_probe(m);
}
