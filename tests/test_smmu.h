/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_smmu.h - the SMMUv3 driver alone, on the model as an adversary
 */
#ifndef TEST_SMMU_H
#define TEST_SMMU_H

#include "test_driver.h"

/* What is special about a unit; any of them. */
#define SMMU_NONCOHERENT (1u << 0)
#define SMMU_LINEAR	 (1u << 1) /* 6 bits of StreamID, one level */
#define SMMU_NO_RIL	 (1u << 2)
#define SMMU_ABORTS	 (1u << 3) /* GBPA aborts from reset on */
#define SMMU_BBML0	 (1u << 4)
#define SMMU_TINY_QUEUES (1u << 5) /* 8 commands, 4 events */
#define SMMU_STAGE1	 (1u << 6) /* no stage 2 */
#define SMMU_NESTED_EL2	 (1u << 7) /* IDR0.HYP and MSI */
#define SMMU_FETCH_128	 (1u << 8)

/* What a test wants of a unit besides flags. */
typedef void (*smmu_tune_fn)(struct iommuabs_sim_smmuv3_config *config);

/* Created, not probed. */
void smmu_machine_make(struct driver_machine *m, uint32_t flags);
void smmu_machine_make_tuned(struct driver_machine *m, uint32_t flags,
			     smmu_tune_fn tune);
/* And probed, without failing. */
void smmu_machine_new(struct driver_machine *m, uint32_t flags);
/* The same, described with @desc_flags. */
void smmu_machine_new_tuned(struct driver_machine *m, uint32_t flags,
			    smmu_tune_fn tune, uint32_t desc_flags);

#endif
