/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_driver.h - a driver alone, on its model as an adversary
 */
#ifndef TEST_DRIVER_H
#define TEST_DRIVER_H

#include <iommuabs/sim.h>

#include "backends/backend.h"
#include "pgtable/pgtable.h"

#define DRIVER_RAM_BASE	  ((uint64_t)0x100000000)
#define DRIVER_RAM_LENGTH ((uint64_t)64 << 20)

struct driver_machine {
	struct iommuabs_sim_arena *arena;
	struct iommuabs_sim_unit *sim;
	struct iommuabs_range range;
	struct hostif host;
	struct tablemem mem;
	struct tablemem_account account;
	struct backend_unit unit;
	uint64_t log_lines;
	bool noncoherent;
	/* Each look at the clock takes so much longer, so that timeouts come
	 * after fewer polls. */
	uint64_t hurry_us, skew_us;
	uint64_t pages_kept; /* of the unit, for ever */
};

/* The machine's memory; @m->sim is then for the caller to make. */
void driver_machine_arena(struct driver_machine *m, bool noncoherent);
/* Its unit, not probed. */
void driver_machine_unit(struct driver_machine *m, enum iommuabs_unit_type type,
			 uint64_t base);
/* Without failing, and without a write to registers. */
void driver_machine_probe(struct driver_machine *m);
/* Disables, releases; no violation was found and nothing leaked. */
void driver_machine_delete(struct driver_machine *m);
void driver_no_violations(struct driver_machine *m);

/* A guest: a table of the geometry that the unit asks for. */
struct driver_guest {
	struct driver_machine *m;
	struct pt pt;
	struct backend_table table;
};

void driver_guest_new(struct driver_machine *m, struct driver_guest *g,
		      uint32_t id, uint8_t input_bits);
void driver_guest_delete(struct driver_guest *g);
void driver_guest_map(struct driver_guest *g, uint64_t gfn, uint64_t mfn,
		      uint64_t nr, uint32_t flags);
/* Takes the mappings out of the table: no invalidation. */
void driver_guest_unmap(struct driver_guest *g, uint64_t gfn, uint64_t nr);
int driver_guest_forget(struct driver_guest *g, uint64_t gfn, uint64_t nr);

/* One read or write of a device, without data: 1 or 0. */
int driver_dma(struct driver_machine *m, uint32_t sid, uint64_t addr,
	       uint32_t flags);

#endif
