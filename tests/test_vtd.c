/* SPDX-License-Identifier: BSD-2-Clause */
#include "test_vtd.h"

#include "harness.h"

#define GCMD	  0x18
#define GSTS	  0x1c
#define WBF	  (1u << 27)
#define ONE_SHOTS 0x69000000u

static void tune_kind(struct iommuabs_sim_vtd_config *config,
		      enum vtd_kind kind)
{
	config->nfr = 4;
	config->smts = config->smpwc = config->sc = kind == VTD_SCALABLE;
	config->coherent = kind != VTD_NONCOHERENT;
	config->cm = kind == VTD_CACHING;
	config->rwbf = kind == VTD_BUFFERED;
	if (kind == VTD_VERSION_6)
		config->version = 6;
	if (kind == VTD_REGISTERS) {
		config->qi = config->ir = config->eim = 0;
		config->rwbf = 1;
	}
}

void vtd_machine_make(struct driver_machine *m, enum vtd_kind kind,
		      vtd_tune_fn tune)
{
	struct iommuabs_sim_vtd_config config;

	iommuabs_sim_vtd_defaults(&config);
	config.base = VTD_TEST_BASE;
	tune_kind(&config, kind);
	if (tune)
		tune(&config);
	driver_machine_arena(m, !config.coherent);
	ck_assert_int_eq(iommuabs_sim_vtd_create(m->arena, &config, &m->sim),
			 0);
	driver_machine_unit(m, IOMMUABS_UNIT_VTD, config.base);
	if (config.fetch_128)
		m->unit.desc_flags = IOMMUABS_UNIT_FETCH_128;
	m->hurry_us = 1000;
	/* What it blocks by. */
	m->pages_kept = 1;
}

void vtd_machine_new(struct driver_machine *m, enum vtd_kind kind,
		     vtd_tune_fn tune)
{
	vtd_machine_make(m, kind, tune);
	driver_machine_probe(m);
}

const struct backend_ops *vtd_guest_machine_new(struct driver_machine *m,
						struct driver_guest *g,
						enum vtd_kind kind,
						vtd_tune_fn tune, uint8_t bits)
{
	vtd_machine_new(m, kind, tune);
	driver_guest_new(m, g, ID, bits);
	return m->unit.ops;
}

void vtd_attach(struct driver_machine *m, struct driver_guest *g)
{
	const struct backend_ops *ops = m->unit.ops;

	ck_assert_int_eq(ops->streams_reserve(&m->unit, SID, 1), 0);
	ck_assert_int_eq(ops->stream_set(&m->unit, SID, 1, &g->table, 0), 0);
}

void vtd_guest_machine_delete(struct driver_machine *m, struct driver_guest *g)
{
	ck_assert_int_eq(m->unit.ops->disable(&m->unit), 0);
	driver_guest_delete(g);
	driver_machine_delete(m);
}

uint64_t vtd_reg(struct driver_machine *m, uint32_t offset, unsigned int width)
{
	return iommuabs_sim_mmio_read(m->arena, VTD_TEST_BASE + offset, width);
}

void vtd_reg_write(struct driver_machine *m, uint32_t offset,
		   unsigned int width, uint64_t value)
{
	iommuabs_sim_mmio_write(m->arena, VTD_TEST_BASE + offset, width, value);
}

void vtd_firmware_command(struct driver_machine *m, uint32_t off, uint32_t on)
{
	uint32_t now = (uint32_t)vtd_reg(m, GSTS, 4) & ~ONE_SHOTS;
	unsigned int i;

	vtd_reg_write(m, GCMD, 4, (now & ~off) | on);
	/* That one ends with its status 0 again. */
	off |= on & WBF;
	on &= ~WBF;
	for (i = 0; i < 100; i++)
		if (((uint32_t)vtd_reg(m, GSTS, 4) & (off | on)) == on)
			return;
	ck_abort_msg("the unit does not answer");
}
