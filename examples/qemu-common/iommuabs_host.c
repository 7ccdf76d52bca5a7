/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommuabs_host.c - what a hypervisor writes to embed the library
 *
 * First the hooks in the order of iommuabs/host.h, then the four steps of
 * boot: create, scan, add what firmware doesn't describe, start. What a guest
 * is to the library is in vm.c.
 */
#include "callers.h"
#include "console.h"
#include "edu.h"
#include "iommuabs_host.h"
#include "pages.h"
#include "timer.h"
#include "vm.h"

struct iommu iommu;
enum iommuabs_log_level iommu_log_level = IOMMUABS_LOG_INFO;
uint64_t iommu_clock_slowed = 1;

/*
 * Tables come from a pool that no guest's frame comes from. A host with a pool
 * per guest finds it by @dom_cookie, which is ours from iommuabs_domain_create().
 */
static int hook_table_alloc(void *ctx, void *dom_cookie, unsigned int size_lg2,
			    uint32_t flags, uint64_t *maddr)
{
	uint64_t page = pages_alloc(&table_pool, size_lg2);

	(void)ctx;
	(void)dom_cookie;
	(void)flags;
	if (!page)
		return IOMMUABS_E_NOMEM;
	*maddr = page;
	return 0;
}

static void hook_table_free(void *ctx, void *dom_cookie, uint64_t maddr,
			    unsigned int size_lg2)
{
	(void)ctx;
	(void)dom_cookie;
	pages_free(&table_pool, maddr, size_lg2);
}

static uint32_t p2m_flags_of(uint32_t flags)
{
	return (flags & P2M_READ ? IOMMUABS_READ : 0) |
	       (flags & P2M_WRITE ? IOMMUABS_WRITE : 0) |
	       (flags & P2M_DEVICE ? IOMMUABS_DEVICE : IOMMUABS_NORMAL);
}

/* Asked only about domains whose source is their p2m, and by refresh. */
static int hook_p2m_walk(void *ctx, struct iommuabs_p2m_query *query)
{
	struct vm *vm = query->dom_cookie;
	struct p2m_run runs[8];
	struct p2m_runs out = { .runs = runs, .max = 8 };

	(void)ctx;
	if (query->max_runs < out.max)
		out.max = query->max_runs;
	p2m_walk(&vm->guest.p2m, query->gfn.frame, query->nr, &out);
	for (uint32_t i = 0; i < out.nr; i++)
		query->runs[i] = (struct iommuabs_p2m_run){
			.gfn = IOMMUABS_GFN(runs[i].gfn),
			.mfn = IOMMUABS_MFN(runs[i].mfn),
			.nr = runs[i].nr,
			.flags = p2m_flags_of(runs[i].flags),
		};
	query->nr_runs = out.nr;
	query->next = IOMMUABS_GFN(out.next);
	return 0;
}

static uint64_t hook_time_us(void *ctx)
{
	(void)ctx;
	return time_us() / iommu_clock_slowed;
}

static void hook_log(void *ctx, enum iommuabs_log_level level, const char *line)
{
	(void)ctx;
	if (level <= iommu_log_level || level == IOMMUABS_LOG_DUMP)
		print("# iommuabs: %s\n", line);
}

static uint32_t hook_pci_cfg_read(void *ctx, uint32_t pci, unsigned int offset)
{
	(void)ctx;
	return pci >> 16 ? ~0u : pci_config_read((uint16_t)pci, offset);
}

/* A hypervisor would count, and disable a device that faults too often. */
static void hook_fault(void *ctx, const struct iommuabs_fault *fault)
{
	struct iommu *of = ctx;

	if (of->nr_faults < IOMMU_MAX_FAULTS)
		of->faults[of->nr_faults] = *fault;
	of->nr_faults++;
}

/* No DMA starts any more once bus mastering is off (PCI Local Bus 6.2.2). */
static int hook_device_isolate(void *ctx, void *cookie)
{
	struct edu *edu = cookie;
	uint32_t command;

	(void)ctx;
	if (!edu)
		return -1;
	command = pci_config_read(edu->pci->bdf, 4);
	pci_config_write(edu->pci->bdf, 4, command & 0xfffb);
	return 0;
}

static void hook_unit_dead(void *ctx, void *cookie)
{
	(void)ctx;
	(void)cookie;
	print("# iommuabs: a unit doesn't answer any more\n");
}

/* A build for debugging asks; others never do. */
static struct iommuabs_caller *hook_caller(void *ctx)
{
	(void)ctx;
	return callers_self();
}

/*
 * Left NULL: table_map, since a machine address is a pointer here (offset 0);
 * alloc, so small objects come from table pages; mmio_*, for direct access; lock,
 * for the built-in spin locks; should_yield, as nobody is waiting.
 */
struct iommuabs_host iommu_hooks(void)
{
	static struct iommuabs_range ranges[1];

	ranges[0].mfn = IOMMUABS_MFN(table_pool.base >> PAGE_LG2);
	ranges[0].nr = (table_pool.end - table_pool.base) >> PAGE_LG2;
	return (struct iommuabs_host){
		.size = sizeof(struct iommuabs_host),
		.flags = iommu_host_flags(),
		.table_alloc = hook_table_alloc,
		.table_free = hook_table_free,
		.table_ranges = ranges,
		.nr_table_ranges = 1,
		.cache_clean = iommu_cache_clean,
		.p2m_walk = hook_p2m_walk,
		.time_us = hook_time_us,
		.log = hook_log,
		.pci_cfg_read = hook_pci_cfg_read,
		.fault = hook_fault,
		.device_isolate = hook_device_isolate,
		.unit_dead = hook_unit_dead,
		.caller = hook_caller,
	};
}

/*
 * Firmware describes host bridges, or runs of buses: each function that goes to a
 * guest of its own is taken out of those, with whatever is one with it.
 */
int iommu_edu_add(unsigned int index)
{
	struct edu *edu = edu_get(index);

	if (!edu)
		return IOMMUABS_E_NOENT;
	return iommuabs_device_add_pci(iommu.abs, edu->pci->bdf, edu,
				       &iommu.edu[index]);
}

int iommu_create(const struct iommuabs_host *hooks)
{
	int st;

	iommu = (struct iommu){ 0 };
	st = iommuabs_create(hooks, &iommu, &iommu.abs);
	if (st)
		return st;
	st = iommu_scan();
	iommu.unit = iommuabs_unit_next(iommu.abs, NULL);
	if (!st && !iommu.unit)
		st = IOMMUABS_E_NOENT;
	for (unsigned int i = 0; !st && i < IOMMU_NR_EDUS; i++)
		st = iommu_edu_add(i);
	return st;
}

/* Interrupts last, when the unit they are about is set up. */
int iommu_start(void)
{
	int st = iommuabs_start(iommu.abs);

	if (!st)
		iommu_irqs_enable();
	return st;
}

int iommu_destroy(void)
{
	int st;

	iommu_irqs_disable();
	st = iommuabs_stop(iommu.abs);
	if (!st)
		st = iommuabs_destroy(iommu.abs);
	return st;
}

void iommu_faults_poll(void)
{
	while (iommuabs_faults_poll(iommu.abs, 0, NULL) == IOMMUABS_E_AGAIN)
		;
}

void iommu_faults_forget(void)
{
	iommu_faults_poll();
	iommu.nr_faults = 0;
}
