/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vm.h - a guest and its domain, kept in step
 */
#ifndef VM_H
#define VM_H

#include <iommuabs/iommuabs.h>
#include "guest.h"

#define VM_PROGRAM_GFN 0x10u

struct vm {
	struct guest guest;
	struct iommuabs_domain *dom; /* cookie: this struct */
	enum iommuabs_source source;
};

struct vm_options {
	unsigned int ipa_bits;
	uint16_t vmid;
	enum iommuabs_strategy strategy;
	enum iommuabs_source source;
};

/* The architecture's: the table as the library is told about it. */
int vm_p2m_describe(const struct p2m *p2m, struct iommuabs_p2m *desc);

/* A guest with its program, and a domain that says the same. */
int vm_create(struct vm *vm, const struct vm_options *options);
int vm_destroy(struct vm *vm); /* no device may be attached */

/*
 * Change what guest and devices see, in the order that iommuabs/domain.h asks
 * for. @flags as for iommuabs_domain_map(). 0 or IOMMUABS_E_*.
 */
int vm_map(struct vm *vm, uint64_t gfn, uint64_t mfn, uint64_t nr,
	   uint32_t flags);
int vm_unmap(struct vm *vm, uint64_t gfn, uint64_t nr);
int vm_protect(struct vm *vm, uint64_t gfn, uint64_t nr, uint32_t flags);

#endif
