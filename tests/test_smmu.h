/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_smmu.h - the SMMUv3 driver alone, on the model as an adversary
 */
#ifndef TEST_SMMU_H
#define TEST_SMMU_H

#include <iommuabs/sim.h>

#include "backends/backend.h"
#include "pgtable/pgtable.h"

#define SMMU_RAM_BASE	((uint64_t)0x100000000)
#define SMMU_RAM_LENGTH ((uint64_t)64 << 20)

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

struct smmu_machine {
	struct iommuabs_sim_arena *arena;
	struct iommuabs_sim_unit *sim;
	struct iommuabs_range range;
	struct hostif host;
	struct tablemem mem;
	struct tablemem_account account;
	struct backend_unit unit;
	uint64_t log_lines;
};

/* What a test wants of a unit besides flags. */
typedef void (*smmu_tune_fn)(struct iommuabs_sim_smmuv3_config *config);

/* Created, not probed. */
void smmu_machine_make(struct smmu_machine *m, uint32_t flags);
void smmu_machine_make_tuned(struct smmu_machine *m, uint32_t flags,
			     smmu_tune_fn tune);
/* And probed, without failing. */
void smmu_machine_new(struct smmu_machine *m, uint32_t flags);
/* The same, described with @desc_flags. */
void smmu_machine_new_tuned(struct smmu_machine *m, uint32_t flags,
			    smmu_tune_fn tune, uint32_t desc_flags);
/* Disables, releases; no violation was found and nothing leaked. */
void smmu_machine_delete(struct smmu_machine *m);
void smmu_no_violations(struct smmu_machine *m);

/* A guest: a table of the geometry that the unit asks for. */
struct smmu_guest {
	struct smmu_machine *m;
	struct pt pt;
	struct backend_table table;
};

void smmu_guest_new(struct smmu_machine *m, struct smmu_guest *g, uint32_t vmid,
		    uint8_t input_bits);
void smmu_guest_delete(struct smmu_guest *g);
void smmu_guest_map(struct smmu_guest *g, uint64_t gfn, uint64_t mfn,
		    uint64_t nr, uint32_t flags);
/* Takes the mappings out of the table: no invalidation. */
void smmu_guest_unmap(struct smmu_guest *g, uint64_t gfn, uint64_t nr);
int smmu_guest_forget(struct smmu_guest *g, uint64_t gfn, uint64_t nr);

/* One read or write of a device, without data: 1 or 0. */
int smmu_dma(struct smmu_machine *m, uint32_t sid, uint64_t addr,
	     uint32_t flags);

#endif
