/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bring_up_arm64.c - does what only this machine has work?
 */
#include "arm64.h"
#include "bring_up.h"
#include "its.h"
#include "machine.h"
#include "msi.h"
#include "pages.h"
#include "stage2.h"
#include "tap.h"

static void message_check(unsigned int edu)
{
	uint32_t lpi;
	int first, second;

	msi_set(edu, its_doorbell());
	first = msi_raise(edu, &lpi);
	second = msi_raise(edu, &lpi);
	msi_set(edu, 0);
	tap_check(first && second,
		  "edu %u sends two messages to %lx: LPI %u %s, %s", edu,
		  its_doorbell(), lpi, first ? "arrives" : "LOST",
		  second ? "arrives" : "LOST");
}

void bring_up_machine(void)
{
	tap_check(sysreg_read(currentel) >> 2 == 2 &&
			  sysreg_read(sctlr_el2) & 1,
		  "runs at EL2, MMU on");
	tap_check(machine.nr_cpus && machine.ram_size &&
			  machine_has_arg("selftest"),
		  "device tree: %u CPUs, %lu MiB at %lx, bootargs \"%s\"",
		  machine.nr_cpus, machine.ram_size >> 20, machine.ram_base,
		  machine.bootargs);
	message_check(0);
	message_check(1);
}

void bring_up_table(struct guest *guest, uint64_t mfn)
{
	uint64_t vtcr = p2m_vtcr(&guest->p2m);
	uint64_t vttbr = p2m_vttbr(&guest->p2m);
	uint64_t ipa = (BRING_UP_RAM_GFN + 2) << PAGE_LG2;
	uint64_t par = at_s12e1(vtcr, vttbr, ipa, AT_WRITE);

	tap_check(!(par & PAR_FAULT) &&
			  (par & PAR_ADDRESS) >> PAGE_LG2 == mfn + 2 &&
			  p2m_lookup(&guest->p2m, BRING_UP_RAM_GFN + 2).mfn ==
				  mfn + 2,
		  "AT S12E1W agrees with the table: gfn %lx is mfn %lx",
		  BRING_UP_RAM_GFN + 2, (par & PAR_ADDRESS) >> PAGE_LG2);
	par = at_s12e1(vtcr, vttbr, ipa - PAGE_SIZE, AT_READ);
	tap_check(par & PAR_FAULT, "AT S12E1R faults in the hole: PAR_EL1 %lx",
		  par);
	ipa = BRING_UP_RAM_GFN << PAGE_LG2;
	par = at_s12e1(vtcr, vttbr, ipa, AT_READ);
	tap_check(
		!(par & PAR_FAULT) && (par & PAR_ADDRESS) >> PAGE_LG2 == mfn,
		"AT S12E1R translates the read-only frame: gfn %lx is mfn %lx",
		BRING_UP_RAM_GFN, (par & PAR_ADDRESS) >> PAGE_LG2);
}

uint64_t bring_up_cpu_id(void)
{
	return sysreg_read(mpidr_el1) & 0xffffff;
}
