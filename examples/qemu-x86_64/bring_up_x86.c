/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bring_up_x86.c - does what only this machine has work?
 */
#include "apic.h"
#include "arch.h"
#include "bring_up.h"
#include "machine.h"
#include "tap.h"

static volatile int raised;

static void on_message(void *arg)
{
	(void)arg;
	raised = 1;
}

/* An interrupt that this CPU's own APIC sends to itself, as memory mapped. */
static void check_interrupt(void)
{
	uint32_t vector = apic_vector_new(on_message, NULL);

	/* Self (Intel SDM vol. 3A, 11.6.1): shorthand 1, fixed. */
	mmio_write32(apic_msi_address() & 0xfff00000, 0);
	mmio_write32((apic_msi_address() & 0xfff00000) + 0x300,
		     1u << 18 | vector);
	tap_check(raised, "an interrupt of vector %x arrives", vector);
}

void bring_up_machine(void)
{
	size_t size = 0;
	const void *dmar = machine_table("DMAR", 0, &size);

	tap_check(machine.nr_cpus && machine.ram_size &&
			  machine_has_arg("selftest"),
		  "firmware: %u CPUs, %lu MiB at %lx, ECAM at %lx, arguments "
		  "\"%s\"",
		  machine.nr_cpus, machine.ram_size >> 20, machine.ram_base,
		  machine.ecam_base, machine.bootargs);
	tap_check(dmar && size >= 48, "firmware: a DMAR table of %lu bytes",
		  size);
	check_interrupt();
}

/* Nobody but the guest reads its table. */
void bring_up_table(struct guest *guest, uint64_t mfn)
{
	tap_check(p2m_lookup(&guest->p2m, BRING_UP_RAM_GFN + 2).mfn == mfn + 2,
		  "the table of guest %u, CR3 %lx, has gfn %lx at mfn %lx",
		  guest->p2m.vmid, guest->p2m.root, BRING_UP_RAM_GFN + 2,
		  mfn + 2);
}

uint64_t bring_up_cpu_id(void)
{
	return apic_id();
}
