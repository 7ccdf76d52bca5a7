/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xen_iommuabs.c - the library as an IOMMU driver of Xen on Arm
 *
 * First what the library asks of its host (iommuabs/host.h), then what Xen asks of
 * a driver (struct iommu_ops). Xen tells of a change of the P2M afterwards, by
 * iotlb_flush: that is iommuabs_domain_refresh(). It believes that the P2M is
 * shared, whether it is or not: so it tells of all changes.
 *
 * Order of locks: dtdevs_lock of Xen's, xen_assign_lock, the P2M's, the library's.
 */
#include <xen/domain_page.h>
#include <xen/kernel.h>
#include <xen/param.h>
#include <xen/vmap.h>
#include <xen/xmalloc.h>
#include "xen_iommuabs.h"

struct iommuabs *xen_iommuabs;
DEFINE_SPINLOCK(xen_assign_lock);
bool xen_cleans_p2m;

/* iommuabs=share, mirror, or auto */
static char opt_strategy[8] = "auto";
string_param("iommuabs", opt_strategy);

/*
 * A guest's tables come from its P2M's pool, as the P2M itself does: a guest can use
 * up its own memory only. What is lent isn't counted as the pool's.
 */
static struct paging_domain *pool_of(void *dom_cookie, unsigned int order)
{
	struct xen_domain *xd = dom_cookie;

	return xd && !order && !is_hardware_domain(xd->d) ? &xd->d->arch.paging
							  : NULL;
}

static int hook_table_alloc(void *ctx, void *dom_cookie, unsigned int size_lg2,
			    uint32_t flags, uint64_t *maddr)
{
	unsigned int order = size_lg2 - PAGE_SHIFT;
	struct paging_domain *pool = pool_of(dom_cookie, order);
	struct page_info *page;

	if (pool) {
		spin_lock(&pool->lock);
		page = page_list_remove_head(&pool->p2m_freelist);
		pool->p2m_total_pages -= !!page;
		spin_unlock(&pool->lock);
	} else {
		page = alloc_domheap_pages(NULL, order, 0);
	}
	if (!page)
		return IOMMUABS_E_NOMEM;
	*maddr = page_to_maddr(page);
	return 0;
}

static void hook_table_free(void *ctx, void *dom_cookie, uint64_t maddr,
			    unsigned int size_lg2)
{
	unsigned int order = size_lg2 - PAGE_SHIFT;
	struct paging_domain *pool = pool_of(dom_cookie, order);

	if (!pool) {
		free_domheap_pages(maddr_to_page(maddr), order);
		return;
	}
	spin_lock(&pool->lock);
	page_list_add_tail(maddr_to_page(maddr), &pool->p2m_freelist);
	pool->p2m_total_pages++;
	spin_unlock(&pool->lock);
}

static void *hook_table_map(void *ctx, uint64_t maddr)
{
	return map_domain_page(maddr_to_mfn(maddr));
}

static void hook_table_unmap(void *ctx, void *page)
{
	unmap_domain_page(page);
}

static void *hook_alloc(void *ctx, size_t size)
{
	return _xmalloc(size, 16);
}

static void hook_free(void *ctx, void *object, size_t size)
{
	xfree(object);
}

static void *hook_mmio_map(void *ctx, uint64_t maddr, uint64_t size)
{
	return (void *)ioremap_nocache(maddr, size);
}

static void hook_mmio_unmap(void *ctx, void *regs, uint64_t size)
{
	iounmap((void __iomem *)regs);
}

static void hook_cache_clean(void *ctx, const void *p, size_t size)
{
	clean_and_invalidate_dcache_va_range(p, size);
}

#define RW (IOMMUABS_READ | IOMMUABS_WRITE)

/*
 * Who may have a frame of registers is in Xen's own books (iomem_caps), and whose
 * a foreign or granted one is: the library is told that Xen vouches for these.
 */
static const uint8_t type_flags[p2m_max_real_type] = {
	[p2m_ram_rw] = RW,
	[p2m_ram_ro] = IOMMUABS_READ,
	[p2m_mmio_direct_dev] = RW | IOMMUABS_DEVICE | IOMMUABS_FOREIGN,
	[p2m_mmio_direct_nc] = RW | IOMMUABS_WRITE_COMBINING | IOMMUABS_FOREIGN,
	[p2m_mmio_direct_c] = RW | IOMMUABS_FOREIGN,
	[p2m_map_foreign_rw] = RW | IOMMUABS_FOREIGN,
	[p2m_map_foreign_ro] = IOMMUABS_READ | IOMMUABS_FOREIGN,
	[p2m_grant_map_rw] = RW | IOMMUABS_FOREIGN,
	[p2m_grant_map_ro] = IOMMUABS_READ | IOMMUABS_FOREIGN,
	[p2m_iommu_map_rw] = RW | IOMMUABS_FOREIGN,
	[p2m_iommu_map_ro] = IOMMUABS_READ | IOMMUABS_FOREIGN,
};

/* What a memory-access monitor leaves: READ and WRITE are as p2m_access_r and _w. */
static uint32_t flags_of(p2m_type_t type, p2m_access_t access)
{
	uint32_t flags = type_flags[type];
	uint32_t rights = flags & (access == p2m_access_rx2rw ? IOMMUABS_READ
				   : access > p2m_access_rwx  ? 0
							      : RW & access);

	BUILD_BUG_ON(RW != (p2m_access_r | p2m_access_w));
	return rights ? (flags & ~(uint32_t)RW) | rights : 0;
}

bool xen_p2m_next(struct domain *d, uint64_t gfn, uint64_t end,
		  struct iommuabs_p2m_run *run)
{
	struct p2m_domain *p2m = p2m_get_hostp2m(d);
	p2m_access_t access = p2m_access_rwx;
	unsigned int order;
	p2m_type_t type;
	uint64_t past;
	mfn_t mfn;

	for (; gfn < end; gfn = past) {
		if (gfn > gfn_x(p2m->max_mapped_gfn))
			return false;
		mfn = p2m_get_entry(p2m, _gfn(gfn), &type, &access, &order,
				    NULL);
		past = (gfn | ((1UL << order) - 1)) + 1;
		run->flags =
			mfn_eq(mfn, INVALID_MFN) ? 0 : flags_of(type, access);
		if (!run->flags)
			continue;
		run->gfn = IOMMUABS_GFN(gfn);
		run->mfn = IOMMUABS_MFN(mfn_x(mfn));
		run->nr = min(past, end) - gfn;
		return true;
	}
	return false;
}

/* The P2M's lock is held: by device_assign(), or for a refresh. */
static int hook_p2m_walk(void *ctx, struct iommuabs_p2m_query *query)
{
	struct xen_domain *xd = query->dom_cookie;
	uint64_t at = query->gfn.frame, end = at + query->nr;
	struct iommuabs_p2m_run *run = query->runs;

	while (run < query->runs + query->max_runs &&
	       xen_p2m_next(xd->d, at, end, run)) {
		at = run->gfn.frame + run->nr;
		run++;
	}
	query->nr_runs = run - query->runs;
	query->next =
		IOMMUABS_GFN(query->nr_runs == query->max_runs ? at : end);
	return 0;
}

static uint64_t hook_time_us(void *ctx)
{
	return NOW() / MICROSECS(1);
}

static void hook_log(void *ctx, enum iommuabs_log_level level, const char *line)
{
	printk("%siommuabs: %s\n",
	       level <= IOMMUABS_LOG_WARNING ? XENLOG_WARNING : XENLOG_INFO,
	       line);
}

static void hook_fault(void *ctx, const struct iommuabs_fault *fault)
{
	const struct xen_domain *xd = fault->dom_cookie;

	if (!printk_ratelimit())
		return;
	printk(XENLOG_WARNING
	       "iommuabs: blocked: stream %#x of %pd, %s %#" PRIx64
	       ": %s (%u)\n",
	       fault->stream, xd ? xd->d : NULL,
	       fault->access & IOMMUABS_WRITE ? "write to" : "read from",
	       fault->address, iommuabs_fault_reason_text(fault->reason),
	       fault->count);
}

static const struct iommuabs_host hooks __initconstrel = {
	.size = sizeof(hooks),
	.table_alloc = hook_table_alloc,
	.table_free = hook_table_free,
	.table_map = hook_table_map,
	.table_unmap = hook_table_unmap,
	.alloc = hook_alloc,
	.free = hook_free,
	.mmio_map = hook_mmio_map,
	.mmio_unmap = hook_mmio_unmap,
	.cache_clean = hook_cache_clean,
	.p2m_walk = hook_p2m_walk,
	.time_us = hook_time_us,
	.log = hook_log,
	.fault = hook_fault,
};

int xen_errno(int error)
{
	return !error			   ? 0
	       : error == IOMMUABS_E_NOMEM ? -ENOMEM
	       : error == IOMMUABS_E_BUSY  ? -EBUSY
					   : -EINVAL;
}

struct xen_domain *xen_domain_of(struct domain *d)
{
	return is_iommu_enabled(d) ? dom_iommu(d)->arch.priv : NULL;
}

static int op_init(struct domain *d)
{
	struct xen_domain *xd = xzalloc(struct xen_domain);

	if (!xd)
		return -ENOMEM;
	xd->d = d;
	xd->strategy = IOMMUABS_STRATEGY_AUTO;
	if (!strcmp(opt_strategy, "share"))
		xd->strategy = IOMMUABS_STRATEGY_SHARE;
	if (!strcmp(opt_strategy, "mirror"))
		xd->strategy = IOMMUABS_STRATEGY_MIRROR;
	dom_iommu(d)->arch.priv = xd;
	/* Else Xen cleans each entry of the P2M to memory. */
	if (!xen_cleans_p2m)
		iommu_set_feature(d, IOMMU_FEAT_COHERENT_WALK);
	return 0;
}

static int domain_begin(struct xen_domain *xd)
{
	struct p2m_domain *p2m = p2m_get_hostp2m(xd->d);
	struct iommuabs_p2m table;
	const struct iommuabs_domain_config config = {
		.size = sizeof(config),
		.flags = is_hardware_domain(xd->d) ? IOMMUABS_DOMAIN_HOST : 0,
		.strategy = xd->strategy,
		.populate = IOMMUABS_POPULATE_LAZY,
		.source = IOMMUABS_SOURCE_P2M,
		.p2m = &table,
		.callers = 1,
		.cookie = xd,
	};
	int error;

	error = iommuabs_p2m_from_vtcr(READ_SYSREG(VTCR_EL2), p2m->vttbr,
				       HCR_VM, &table);
	if (error)
		return error;
	if (p2m->clean_pte)
		table.flags |= IOMMUABS_P2M_CLEANED;
	p2m_write_lock(p2m);
	error = iommuabs_domain_create(xen_iommuabs, &config, &xd->dom);
	p2m_write_unlock(p2m);
	return error;
}

/* If it can't end it is told of changes as before. */
static int domain_end(struct xen_domain *xd)
{
	struct p2m_domain *p2m = p2m_get_hostp2m(xd->d);
	int error = 0;

	p2m_write_lock(p2m);
	if (xd->dom)
		error = iommuabs_domain_destroy(xd->dom, 0);
	if (!error)
		xd->dom = NULL;
	p2m_write_unlock(p2m);
	if (error)
		printk(XENLOG_ERR "iommuabs: %pd stays: %s\n", xd->d,
		       iommuabs_strerror(error));
	return error;
}

/*
 * Attached with the P2M's lock held: a guest that went on to change it while it is
 * read could keep the CPU here. The hardware domain owns the machine's interrupts
 * as it is.
 */
static int device_assign(struct domain *d, device_t *dev)
{
	const struct iommuabs_attach_options options = {
		.size = sizeof(options),
		.flags = is_hardware_domain(d) ? IOMMUABS_ALLOW_UNSAFE_MSI : 0,
	};
	struct xen_domain *xd = xen_domain_of(d);
	int error = 0;

	if (!xd || !dev->archdata.iommu)
		return -ENODEV;
	if (!xd->dom)
		error = domain_begin(xd);
	if (error)
		return xen_errno(error);
	p2m_read_lock(p2m_get_hostp2m(d));
	error = iommuabs_device_attach(dev->archdata.iommu, xd->dom, &options,
				       0);
	p2m_read_unlock(p2m_get_hostp2m(d));
	printk("iommuabs: %s to %pd: %s\n", dt_node_full_name(dev_to_dt(dev)),
	       d, iommuabs_strerror(error));
	if (iommu_verbose)
		(void)!iommuabs_dump(xen_iommuabs, IOMMUABS_DUMP_DOMAINS);
	/* Perhaps its unit goes on with what it was told: see device_deassign(). */
	if (error == IOMMUABS_E_TIMEOUT && !xen_device_is_blocked(dev))
		error = 0;
	if (!error)
		xd->nr_devices++;
	else if (!xd->nr_devices)
		(void)domain_end(xd);
	return xen_errno(error);
}

static int op_assign_device(struct domain *d, u8 devfn, device_t *dev, u32 flag)
{
	int error;

	spin_lock(&xen_assign_lock);
	error = device_assign(d, dev);
	spin_unlock(&xen_assign_lock);
	return error;
}

/*
 * After E_TIMEOUT the device is off, and its unit fenced. If that doesn't even
 * acknowledge that it blocks, the device stays with the domain, and so does the
 * memory: Xen gives up nothing of a domain that it can't take a device from.
 */
static int device_deassign(struct domain *s, device_t *dev)
{
	struct xen_domain *xd = xen_domain_of(s);
	int error;

	if (!xd || dt_device_used_by(dev_to_dt(dev)) != s->domain_id)
		return -ENODEV;
	error = iommuabs_device_detach(dev->archdata.iommu, 0);
	if (error && error != IOMMUABS_E_TIMEOUT)
		return xen_errno(error);
	if (!xen_device_is_blocked(dev))
		return -EIO;
	if (!--xd->nr_devices)
		(void)domain_end(xd);
	return 0;
}

/* To nobody: for another domain, what the tree names is assigned anew. */
static int op_reassign_device(struct domain *s, struct domain *t, u8 devfn,
			      device_t *dev)
{
	int error;

	spin_lock(&xen_assign_lock);
	error = t ? -EINVAL : device_deassign(s, dev);
	spin_unlock(&xen_assign_lock);
	return error;
}

static void op_hwdom_init(struct domain *d)
{
	xen_keys_register();
}

static void op_teardown(struct domain *d)
{
	struct xen_domain *xd = xen_domain_of(d);

	/* Its memory is Xen's again: nothing may translate to there. */
	if (xd && domain_end(xd))
		panic("iommuabs: %pd has a device\n", d);
	dom_iommu(d)->arch.priv = NULL;
	xfree(xd);
}

static int op_iotlb_flush(struct domain *d, dfn_t dfn, unsigned long nr,
			  unsigned int flags)
{
	struct xen_domain *xd = xen_domain_of(d);
	struct p2m_domain *p2m = p2m_get_hostp2m(d);
	bool locked = rw_is_write_locked_by_me(&p2m->lock);
	uint64_t gfn = dfn_x(dfn);
	int error = 0;

	if (!xd)
		return 0;
	if (flags & IOMMU_FLUSHF_all) {
		gfn = 0;
		nr = 1UL << (p2m_ipa_bits - PAGE_SHIFT);
	}
	if (!locked)
		p2m_read_lock(p2m);
	if (xd->dom)
		do {
			error = iommuabs_domain_refresh(
				xd->dom, IOMMUABS_GFN(gfn), nr, NULL, NULL);
		} while (error == IOMMUABS_E_AGAIN);
	if (!locked)
		p2m_read_unlock(p2m);
	return xen_errno(error);
}

static void op_crash_shutdown(void)
{
	(void)!iommuabs_crash_block(xen_iommuabs);
}

/* Grants of a 1:1 domain go into the P2M, and come from there by iotlb_flush. */
static const struct iommu_ops xen_iommuabs_ops = {
	.page_sizes = PAGE_SIZE,
	.init = op_init,
	.hwdom_init = op_hwdom_init,
	.teardown = op_teardown,
	.add_device = xen_device_add,
	.remove_device = xen_device_remove,
	.dt_xlate = xen_device_xlate,
	.assign_device = op_assign_device,
	.reassign_device = op_reassign_device,
	.map_page = arm_iommu_map_page,
	.unmap_page = arm_iommu_unmap_page,
	.iotlb_flush = op_iotlb_flush,
	.crash_shutdown = op_crash_shutdown,
};

int __init xen_iommuabs_create(void)
{
	const struct iommuabs_range all = { .nr = max_page };
	struct iommuabs_host host = hooks;
	struct iommuabs *abs = NULL;
	int error;

	if (xen_iommuabs)
		return 0;
	host.table_ranges = &all;
	host.nr_table_ranges = 1;
	error = iommuabs_create(&host, NULL, &abs);
	if (!error)
		error = iommuabs_start(abs);
	if (!error) {
		xen_iommuabs = abs;
		iommu_set_ops(&xen_iommuabs_ops);
	} else {
		(void)!iommuabs_destroy(abs);
	}
	return xen_errno(error);
}
