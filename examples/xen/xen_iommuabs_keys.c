/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xen_iommuabs_keys.c - what the console's debug keys ask
 *
 *	j	who sees a frame: one of each domain, looked up backwards
 *	k	is what devices see what the P2M says? all of its entries
 *	y	the other strategy, for domains with devices, as they run: if it must
 *		be, with a window in which DMA that is permitted may fault
 *	J	the library's state and its counters
 */
#include <xen/kernel.h>
#include <xen/keyhandler.h>
#include <xen/softirq.h>
#include "xen_iommuabs.h"

/* Entries of the P2M that are compared with its lock held. */
#define COMPARED_AT_ONCE 256

static void frame_say(struct xen_domain *xd, uint64_t gfn)
{
	struct iommuabs_frame_user users[4];
	const struct xen_domain *user;
	uint64_t cursor = 0;
	iommuabs_mfn_t mfn;
	uint32_t nr, i;

	if (iommuabs_domain_translate(xd->dom, IOMMUABS_GFN(gfn), &mfn, NULL))
		return;
	do {
		if (iommuabs_frame_users(xen_iommuabs, mfn, &cursor, users, 4,
					 &nr))
			return;
		for (i = 0; i < nr; i++) {
			user = users[i].dom_cookie;
			printk("iommuabs: mfn %#" PRIx64 " is at gfn %#" PRIx64
			       " of d%d\n",
			       mfn.frame, users[i].gfn.frame,
			       user ? user->d->domain_id : -1);
		}
	} while (nr == 4);
}

/* Of RAM, not of Xen's own that a guest may see: an entry of so many frames. */
#define RAM_FRAMES 512

static void reverse_one(struct xen_domain *xd)
{
	struct iommuabs_p2m_run run = { .nr = 0 };
	struct p2m_domain *p2m = p2m_get_hostp2m(xd->d);
	uint64_t at = 0, end = gfn_x(p2m->max_mapped_gfn) + 1;
	bool found;

	p2m_read_lock(p2m);
	do {
		found = xen_p2m_next(xd->d, at, end, &run);
		at = run.gfn.frame + run.nr;
	} while (found &&
		 (run.flags & IOMMUABS_FOREIGN || run.nr < RAM_FRAMES));
	if (found && xd->dom)
		frame_say(xd, run.gfn.frame);
	p2m_read_unlock(p2m);
}

/* A device of the domain: what it meets is read from the live tables. */
static struct iommuabs_device *device_of(struct xen_domain *xd)
{
	struct dt_device_node *np;

	list_for_each_entry(np, &dom_iommu(xd->d)->dt_devices,
			    domain_list) return np->dev.archdata.iommu;
	return NULL;
}

static bool same(struct iommuabs_device *device, uint64_t gfn, uint64_t mfn,
		 uint32_t flags)
{
	struct iommuabs_explanation why = { .size = sizeof(why) };
	const uint32_t rights = IOMMUABS_READ | IOMMUABS_WRITE;

	if (iommuabs_device_explain(device, IOMMUABS_GFN(gfn),
				    flags ? flags & rights : IOMMUABS_READ,
				    &why))
		return false;
	if (!flags)
		return why.obstacle == IOMMUABS_OBSTACLE_NOT_MAPPED;
	if (why.obstacle != IOMMUABS_OBSTACLE_NONE || why.mfn.frame != mfn)
		return false;
	if ((flags & rights) == rights)
		return true;
	return !iommuabs_device_explain(device, IOMMUABS_GFN(gfn), rights,
					&why) &&
	       why.obstacle != IOMMUABS_OBSTACLE_NONE;
}

struct comparison {
	uint64_t mapped, holes, frames, wrong;
};

/* One entry of the P2M, by its first frame and its last; returns the next gfn. */
static uint64_t compare_entry(struct xen_domain *xd,
			      struct iommuabs_device *device, uint64_t gfn,
			      struct comparison *sum)
{
	struct p2m_domain *p2m = p2m_get_hostp2m(xd->d);
	struct iommuabs_p2m_run run;
	unsigned int order;
	uint64_t past;

	(void)p2m_get_entry(p2m, _gfn(gfn), NULL, NULL, &order, NULL);
	past = (gfn | ((1UL << order) - 1)) + 1;
	if (xen_p2m_next(xd->d, gfn, past, &run)) {
		sum->mapped++;
		sum->frames += run.nr;
		if (!same(device, gfn, run.mfn.frame, run.flags) ||
		    !same(device, past - 1, run.mfn.frame + run.nr - 1,
			  run.flags))
			sum->wrong++;
	} else {
		sum->holes++;
		if (!same(device, gfn, 0, 0) || !same(device, past - 1, 0, 0))
			sum->wrong++;
	}
	return past;
}

static void compare_one(struct xen_domain *xd)
{
	struct p2m_domain *p2m = p2m_get_hostp2m(xd->d);
	struct iommuabs_device *device = device_of(xd);
	struct comparison sum = { 0 };
	uint64_t gfn = 0;
	unsigned int i;
	bool more = device;

	while (more) {
		p2m_read_lock(p2m);
		for (i = 0; more && i < COMPARED_AT_ONCE; i++) {
			gfn = compare_entry(xd, device, gfn, &sum);
			more = gfn <= gfn_x(p2m->max_mapped_gfn);
		}
		p2m_read_unlock(p2m);
		process_pending_softirqs();
	}
	printk("iommuabs: d%d: %" PRIu64 " entries (%" PRIu64
	       " frames) and %" PRIu64 " holes compared, %" PRIu64 " differ\n",
	       xd->d->domain_id, sum.mapped, sum.frames, sum.holes, sum.wrong);
}

static void switch_one(struct xen_domain *xd)
{
	enum iommuabs_strategy to = xd->strategy == IOMMUABS_STRATEGY_MIRROR
					    ? IOMMUABS_STRATEGY_SHARE
					    : IOMMUABS_STRATEGY_MIRROR;
	uint32_t flags = 0;
	int error;

	do {
		error = iommuabs_domain_set_strategy(xd->dom, to, flags, 0);
		if (error == IOMMUABS_E_WINDOW)
			flags = IOMMUABS_ALLOW_WINDOW;
	} while (error == IOMMUABS_E_AGAIN || error == IOMMUABS_E_WINDOW);
	if (!error)
		xd->strategy = to;
	printk("iommuabs: d%d to %s: %s\n", xd->d->domain_id,
	       to == IOMMUABS_STRATEGY_MIRROR ? "mirror" : "share",
	       error   ? iommuabs_strerror(error)
	       : flags ? "done, with a window"
		       : "done, without a window");
}

static void key(unsigned char which)
{
	struct domain *d;
	struct xen_domain *xd;

	if (which == 'J') {
		(void)!iommuabs_dump(xen_iommuabs, IOMMUABS_DUMP_ALL);
		(void)!iommuabs_dump(xen_iommuabs, IOMMUABS_DUMP_COUNTERS);
		printk("iommuabs: Xen's constants are at machine address "
		       "%#" PRIpaddr "\n",
		       virt_to_maddr(_srodata));
		return;
	}
	spin_lock(&xen_assign_lock);
	rcu_read_lock(&domlist_read_lock);
	for_each_domain(d)
	{
		xd = xen_domain_of(d);
		if (!xd || !xd->dom)
			continue;
		if (which == 'j')
			reverse_one(xd);
		else if (which == 'k')
			compare_one(xd);
		else
			switch_one(xd);
	}
	rcu_read_unlock(&domlist_read_lock);
	spin_unlock(&xen_assign_lock);
}

void xen_keys_register(void)
{
	register_keyhandler('j', key, "iommuabs: who sees a frame", 0);
	register_keyhandler('k', key, "iommuabs: compare with the P2M", 0);
	register_keyhandler('y', key, "iommuabs: the other strategy", 0);
	register_keyhandler('J', key, "iommuabs: state and counters", 0);
}
