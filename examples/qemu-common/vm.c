/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vm.c - every change of a guest's memory, told to the library
 *
 * A domain whose source is LEDGER is told beforehand, so that it may refuse; one
 * whose source is the p2m is told afterwards, by refresh.
 */
#include "iommuabs_host.h"
#include "vm.h"

static uint32_t p2m_flags(uint32_t flags)
{
	return (flags & IOMMUABS_READ ? P2M_READ : 0) |
	       (flags & IOMMUABS_WRITE ? P2M_WRITE : 0) |
	       ((flags & IOMMUABS_MEMTYPE) == IOMMUABS_DEVICE ? P2M_DEVICE : 0);
}

static int refresh(struct vm *vm, uint64_t gfn, uint64_t nr)
{
	return iommuabs_domain_refresh(vm->dom, IOMMUABS_GFN(gfn), nr, NULL,
				       NULL);
}

/* To grant, replace or upgrade: ask the library, write the p2m, sync. */
static int ledger_map(struct vm *vm, uint64_t gfn, uint64_t mfn, uint64_t nr,
		      uint32_t flags)
{
	struct iommuabs_batch batch;
	int st = iommuabs_batch_init(&batch, vm->dom), synced;

	if (st)
		return st;
	st = iommuabs_domain_map(vm->dom, IOMMUABS_GFN(gfn), IOMMUABS_MFN(mfn),
				 nr, flags, &batch);
	if (!st && !(flags & IOMMUABS_DEVICE_ONLY) &&
	    p2m_map(&vm->guest.p2m, gfn, mfn, nr, p2m_flags(flags))) {
		(void)p2m_unmap(&vm->guest.p2m, gfn, nr);
		st = iommuabs_domain_unmap(vm->dom, IOMMUABS_GFN(gfn), nr,
					   &batch);
		if (!st)
			st = IOMMUABS_E_NOMEM;
	}
	synced = iommuabs_batch_done(&batch);
	return st ? st : synced;
}

int vm_map(struct vm *vm, uint64_t gfn, uint64_t mfn, uint64_t nr,
	   uint32_t flags)
{
	if (vm->source == IOMMUABS_SOURCE_LEDGER)
		return ledger_map(vm, gfn, mfn, nr, flags);
	if (p2m_map(&vm->guest.p2m, gfn, mfn, nr, p2m_flags(flags)))
		return IOMMUABS_E_NOMEM;
	return refresh(vm, gfn, nr);
}

/* To take away: the p2m and the CPU's TLB first, so that the guest is out. */
int vm_unmap(struct vm *vm, uint64_t gfn, uint64_t nr)
{
	if (p2m_unmap(&vm->guest.p2m, gfn, nr))
		return IOMMUABS_E_NOMEM;
	if (vm->source == IOMMUABS_SOURCE_P2M)
		return refresh(vm, gfn, nr);
	return iommuabs_domain_unmap(vm->dom, IOMMUABS_GFN(gfn), nr, NULL);
}

int vm_protect(struct vm *vm, uint64_t gfn, uint64_t nr, uint32_t flags)
{
	if (p2m_protect(&vm->guest.p2m, gfn, nr, p2m_flags(flags)))
		return IOMMUABS_E_NOMEM;
	if (vm->source == IOMMUABS_SOURCE_P2M)
		return refresh(vm, gfn, nr);
	return iommuabs_domain_protect(vm->dom, IOMMUABS_GFN(gfn), nr,
				       flags & (IOMMUABS_READ | IOMMUABS_WRITE),
				       NULL);
}

static int domain_create(struct vm *vm, const struct vm_options *options)
{
	struct iommuabs_p2m p2m;
	struct iommuabs_domain_config config = {
		.size = sizeof(config),
		.strategy = options->strategy,
		.source = options->source,
		.p2m = &p2m,
		.input_bits = options->ipa_bits,
		.cookie = vm,
	};
	int st = vm_p2m_describe(&vm->guest.p2m, &p2m);

	return st ? st : iommuabs_domain_create(iommu.abs, &config, &vm->dom);
}

int vm_create(struct vm *vm, const struct vm_options *options)
{
	int st = guest_create(&vm->guest, options->ipa_bits, options->vmid,
			      VM_PROGRAM_GFN);

	if (st)
		return IOMMUABS_E_NOMEM;
	vm->source = options->source;
	st = domain_create(vm, options);
	if (st)
		goto no_domain;
	if (vm->source == IOMMUABS_SOURCE_P2M)
		return 0;
	st = iommuabs_domain_map(vm->dom, IOMMUABS_GFN(VM_PROGRAM_GFN),
				 IOMMUABS_MFN(vm->guest.program_mfn), 1,
				 IOMMUABS_READ | IOMMUABS_WRITE, NULL);
	if (!st)
		return 0;
	(void)!iommuabs_domain_destroy(vm->dom, 0);
no_domain:
	guest_destroy(&vm->guest);
	return st;
}

int vm_destroy(struct vm *vm)
{
	int st = iommuabs_domain_destroy(vm->dom, 0);

	if (!st)
		guest_destroy(&vm->guest);
	return st;
}
