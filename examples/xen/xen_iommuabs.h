/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xen_iommuabs.h - what the files of the glue share
 */
#ifndef XEN_IOMMUABS_H
#define XEN_IOMMUABS_H

#include <xen/iommu.h>
#include <xen/lib.h>
#include <xen/sched.h>
#include <asm/p2m.h>

#include <iommuabs/iommuabs.h>

/* What dom_iommu(d)->arch.priv points to. */
struct xen_domain {
	struct domain *d;
	/*
	 * NULL while the domain has no device: its P2M is read when the first
	 * comes. Changed under the P2M's write lock, used under either.
	 */
	struct iommuabs_domain *dom;
	unsigned int nr_devices;
	enum iommuabs_strategy strategy;
};

extern struct iommuabs *xen_iommuabs;
/* Held while domains get their first device or lose their last. */
extern spinlock_t xen_assign_lock;
/* There is a unit that doesn't snoop. */
extern bool xen_cleans_p2m;

/* xen_iommuabs.c */
int xen_iommuabs_create(void);
int xen_errno(int iommuabs_error);
struct xen_domain *xen_domain_of(struct domain *d);
/* The next run that the P2M maps in [gfn, end), or none; with its lock held. */
bool xen_p2m_next(struct domain *d, uint64_t gfn, uint64_t end,
		  struct iommuabs_p2m_run *run);

/* xen_iommuabs_devices.c */
int xen_device_add(u8 devfn, device_t *dev);
int xen_device_remove(u8 devfn, device_t *dev);
int xen_device_xlate(device_t *dev, const struct dt_phandle_args *args);
/* Of a device that was detached: can't it do DMA? */
bool xen_device_is_blocked(device_t *dev);

/* xen_iommuabs_keys.c */
void xen_keys_register(void);

#endif
