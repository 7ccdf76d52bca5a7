/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * p2m.h - the hypervisor's own stage 2: guest frame to machine frame
 *
 * This is what the CPU translates a guest with. It is the host's business and
 * knows nothing of IOMMUs; a library that shares it learns its registers from
 * p2m_vtcr() and p2m_vttbr(), and one that copies it reads it by p2m_walk().
 */
#ifndef P2M_H
#define P2M_H

#include <stdint.h>
#include "spinlock.h"

#define P2M_READ   (1u << 0)
#define P2M_WRITE  (1u << 1)
#define P2M_DEVICE (1u << 2) /* Device-nGnRE, not executable; else write-back */

#define P2M_NOMEM (-1)
#define P2M_RANGE (-2) /* beyond the width of a guest address */

struct p2m {
	struct spinlock lock;
	uint64_t root; /* machine address of the first root table */
	unsigned int ipa_bits;
	unsigned int start_level;
	unsigned int root_lg2; /* size of all root tables together */
	uint16_t vmid;
};

/* @ipa_bits: 32 to 48. */
int p2m_init(struct p2m *p2m, unsigned int ipa_bits, uint16_t vmid);
void p2m_destroy(struct p2m *p2m);

/*
 * Change [@gfn, @gfn + @nr): what was there is replaced, and no CPU's TLB holds
 * anything old on return. Tables are never given back before p2m_destroy(),
 * since an IOMMU may still be walking them. After P2M_NOMEM the front of the
 * range may have been changed.
 */
int p2m_map(struct p2m *p2m, uint64_t gfn, uint64_t mfn, uint64_t nr,
	    uint32_t flags);
int p2m_unmap(struct p2m *p2m, uint64_t gfn, uint64_t nr);

/* Only what is mapped gets the new permissions. */
int p2m_protect(struct p2m *p2m, uint64_t gfn, uint64_t nr, uint32_t flags);

/* Frames that belong together: [@gfn, @gfn + @nr), @mapped or not. */
struct p2m_run {
	uint64_t gfn, mfn, nr;
	uint32_t flags;
	int mapped;
};

/* What is at @gfn, and how many frames from there on are of one table entry. */
struct p2m_run p2m_lookup(struct p2m *p2m, uint64_t gfn);

/* The answer of p2m_walk(); the asker sets @runs and @max. */
struct p2m_runs {
	struct p2m_run *runs;
	uint32_t max, nr;
	uint64_t next;
};

/*
 * The mapped runs in [@gfn, @gfn + @nr), ascending and merged, at most
 * @out->max. @out->next: up to which gfn the answer is complete.
 */
void p2m_walk(struct p2m *p2m, uint64_t gfn, uint64_t nr, struct p2m_runs *out);

/* The architecture's: no CPU's TLB holds anything of the guest any more. */
void p2m_tlb_flush(const struct p2m *p2m);

#endif
