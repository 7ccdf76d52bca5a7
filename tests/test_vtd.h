/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_vtd.h - the VT-d driver alone, on the model as an adversary
 */
#ifndef TEST_VTD_H
#define TEST_VTD_H

#include "test_driver.h"

/* Units that the driver deals with in different ways. */
enum vtd_kind {
	VTD_PLAIN, /* as QEMU's, but coherent */
	VTD_SCALABLE,
	VTD_NONCOHERENT,
	VTD_CACHING,   /* CAP.CM */
	VTD_REGISTERS, /* no queue, a write buffer */
	VTD_VERSION_6, /* no invalidation by registers */
	VTD_BUFFERED,  /* a write buffer, and a queue */
	VTD_KINDS,
};

typedef void (*vtd_tune_fn)(struct iommuabs_sim_vtd_config *config);

/* The model is there, the driver has not seen it. @tune: NULL, or what else. */
void vtd_machine_make(struct driver_machine *m, enum vtd_kind kind,
		      vtd_tune_fn tune);
/* And probed. */
void vtd_machine_new(struct driver_machine *m, enum vtd_kind kind,
		     vtd_tune_fn tune);

/* The guest of most tests, and its device; MFN is where it has something. */
#define RW  (IOMMUABS_READ | IOMMUABS_WRITE)
#define SID ((uint32_t)0x18)
#define GFN ((uint64_t)0x40000)
#define MFN ((uint64_t)0x20000)
#define ID  7

/* A probed unit and a guest of @bits, that is nowhere yet. */
const struct backend_ops *vtd_guest_machine_new(struct driver_machine *m,
						struct driver_guest *g,
						enum vtd_kind kind,
						vtd_tune_fn tune, uint8_t bits);
/* The guest has the device. */
void vtd_attach(struct driver_machine *m, struct driver_guest *g);
/* Off, and all is given back. */
void vtd_guest_machine_delete(struct driver_machine *m, struct driver_guest *g);

/* Registers by offset, as firmware or a test uses them. */
#define VTD_TEST_BASE ((uint64_t)0xfed90000)
uint64_t vtd_reg(struct driver_machine *m, uint32_t offset, unsigned int width);
void vtd_reg_write(struct driver_machine *m, uint32_t offset,
		   unsigned int width, uint64_t value);
/* A command of firmware's: bits of GCMD that change. */
void vtd_firmware_command(struct driver_machine *m, uint32_t off, uint32_t on);

#endif
