/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xen_standin.h - as much of Xen on Arm's interfaces as examples/xen uses
 *
 * So that the glue is compiled against the library's headers in every run of the
 * tests, where there is no Xen: written from what the glue calls, with Xen's types
 * where a mistake would show. tools/xen-demo compiles it in Xen itself.
 */
#ifndef XEN_STANDIN_H
#define XEN_STANDIN_H

/* xen/types.h, xen/compiler.h, xen/lib.h */
typedef __UINT8_TYPE__ uint8_t, u8;
typedef __UINT16_TYPE__ uint16_t, u16;
typedef __UINT32_TYPE__ uint32_t, u32, __be32;
typedef __UINT64_TYPE__ uint64_t, u64, paddr_t, register_t;
typedef __INT8_TYPE__ int8_t;
typedef __INT16_TYPE__ int16_t;
typedef __INT32_TYPE__ int32_t;
typedef __INT64_TYPE__ int64_t, s_time_t;
typedef __UINTPTR_TYPE__ uintptr_t;
typedef __SIZE_TYPE__ size_t;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)

#define noinline       __attribute__((__noinline__))
#define always_inline  inline __attribute__((__always_inline__))
#define __must_check   __attribute__((__warn_unused_result__))
#define __packed       __attribute__((__packed__))
#define __init	       __attribute__((__section__(".init.text")))
#define __initconst    __attribute__((__section__(".init.rodata")))
#define __initconstrel __attribute__((__section__(".init.rodata.rel")))
#define __iomem
#define __initcall(f) \
	static int (*const initcall_##f)(void) __attribute__((__used__)) = (f)
#define ARRAY_SIZE(a)  (sizeof(a) / sizeof((a)[0]))
#define min(a, b)      ((a) < (b) ? (a) : (b))
#define PRIx64	       "lx"
#define PRIu64	       "lu"
#define PRIpaddr       "016lx"
#define XENLOG_ERR     "<0>"
#define XENLOG_WARNING "<1>"
#define XENLOG_INFO    "<2>"

enum {
	ENOENT = 2,
	EIO = 5,
	ENOMEM = 12,
	EBUSY = 16,
	EEXIST = 17,
	ENODEV = 19,
	EINVAL = 22,
	EPERM = 1
};

#define BUILD_BUG_ON(cond) _Static_assert(!(cond), #cond)

/* printk() has %pd and %pp besides: no format attribute. */
void printk(const char *format, ...);
int printk_ratelimit(void);
void panic(const char *format, ...) __attribute__((__noreturn__));
int strcmp(const char *a, const char *b);
uint32_t be32_to_cpup(const __be32 *p);
extern const char _srodata[];

/* xen/mm.h, xen/domain_page.h, xen/xmalloc.h, xen/vmap.h */
#define PAGE_SHIFT 12
#define PAGE_SIZE  (1UL << PAGE_SHIFT)
typedef struct {
	unsigned long mfn;
} mfn_t;
typedef struct {
	unsigned long gfn;
} gfn_t;
typedef struct {
	uint64_t dfn;
} dfn_t;
#define INVALID_MFN ((mfn_t){ ~0UL })
#define _gfn(x)	    ((gfn_t){ x })
#define gfn_x(x)    ((x).gfn)
#define mfn_x(x)    ((x).mfn)
#define dfn_x(x)    ((x).dfn)
struct page_info;
extern unsigned long max_page;
bool mfn_eq(mfn_t a, mfn_t b);
mfn_t maddr_to_mfn(paddr_t maddr);
struct page_info *maddr_to_page(paddr_t maddr);
paddr_t page_to_maddr(const struct page_info *page);
paddr_t virt_to_maddr(const void *p);
struct page_info *alloc_domheap_pages(void *d, unsigned int order,
				      unsigned int flags);
void free_domheap_pages(struct page_info *page, unsigned int order);
void *map_domain_page(mfn_t mfn);
void unmap_domain_page(const void *page);
void *_xmalloc(size_t size, size_t align);
void xfree(void *p);
#define xmalloc(type) ((type *)_xmalloc(sizeof(type), 16))
#define xzalloc(type) ((type *)_xmalloc(sizeof(type), 16))
void __iomem *ioremap_nocache(paddr_t start, size_t size);
void iounmap(void __iomem *va);
int clean_and_invalidate_dcache_va_range(const void *p, unsigned long size);

typedef struct {
	int locked;
} spinlock_t;
#define DEFINE_SPINLOCK(l) spinlock_t l = { 0 }
void spin_lock(spinlock_t *lock);
void spin_unlock(spinlock_t *lock);

/* xen/time.h, xen/tasklet.h, xen/softirq.h, xen/keyhandler.h, xen/irq.h, xen/param.h */
s_time_t NOW(void);
#define MICROSECS(us) ((s_time_t)((us)*1000ULL))
struct tasklet {
	void (*func)(void *data);
};
#define DECLARE_TASKLET(name, f, data) struct tasklet name = { f }
void tasklet_schedule(struct tasklet *t);
void process_pending_softirqs(void);
typedef void(keyhandler_fn_t)(unsigned char key);
void register_keyhandler(unsigned char key, keyhandler_fn_t *fn,
			 const char *desc, bool diagnostic);
struct cpu_user_regs;
#if IOMMUABS_XEN_MINOR < 19
typedef void(irq_handler_t)(int irq, void *dev_id, struct cpu_user_regs *regs);
#else
typedef void(irq_handler_t)(int irq, void *dev_id);
#endif
int request_irq(unsigned int irq, unsigned int flags, irq_handler_t *handler,
		const char *name, void *dev_id);
#define string_param(name, var) \
	static const char *const param_##var __attribute__((__used__)) = name

/* xen/device_tree.h, asm/device.h, asm/iommu_fwspec.h */
struct list_head {
	struct list_head *next;
};
#define list_for_each_entry(at, head, member)                              \
	for ((at) = (void *)(head)->next; (void *)&(at)->member != (head); \
	     (at) = (void *)(at)->member.next)
struct iommu_fwspec {
	struct device *iommu_dev;
	unsigned int num_ids;
	uint32_t ids[];
};
typedef struct device {
	struct {
		void *iommu;
	} archdata;
} device_t;
struct dt_device_node {
	const char *name;
	struct dt_device_node *allnext;
	struct list_head domain_list;
	struct device dev;
};
struct dt_phandle_args {
	uint32_t args[16];
};
struct dt_device_match {
	const char *compatible;
};
enum device_class { DEVICE_IOMMU };
struct device_desc {
	const char *name;
	enum device_class class;
	const struct dt_device_match *dt_match;
	int (*init)(struct dt_device_node *dev, const void *data);
};
#define DT_MATCH_COMPATIBLE(text)    \
	{                            \
		.compatible = (text) \
	}
#define DT_DEVICE_START(id, text, kind)           \
	static const struct device_desc desc_##id \
		__attribute__((__used__)) = { .name = text, .class = kind,
#define DT_DEVICE_END \
	}             \
	;
#define dt_for_each_device_node(dt, dn) \
	for ((dn) = (dt); (dn); (dn) = (dn)->allnext)
extern struct dt_device_node *dt_host;
const void *dt_get_property(const struct dt_device_node *np, const char *name,
			    u32 *lenp);
const char *dt_node_full_name(const struct dt_device_node *np);
int dt_property_match_string(const struct dt_device_node *np, const char *name,
			     const char *string);
int dt_device_get_address(const struct dt_device_node *dev, unsigned int index,
			  u64 *addr, u64 *size);
bool dt_device_is_available(const struct dt_device_node *np);
void dt_device_set_protected(struct dt_device_node *np);
uint16_t dt_device_used_by(const struct dt_device_node *np);
void dt_device_set_used_by(struct dt_device_node *np, uint16_t domid);
struct dt_device_node *dt_find_node_by_phandle(uint32_t handle);
struct dt_device_node *dev_to_dt(device_t *dev);
device_t *dt_to_dev(struct dt_device_node *np);
int platform_get_irq(const struct dt_device_node *device, int index);
struct iommu_fwspec *dev_iommu_fwspec_get(device_t *dev);
int iommu_fwspec_add_ids(device_t *dev, const uint32_t *ids,
			 unsigned int num_ids);
#define DOMID_XEN 0x7ff2

/* xen/sched.h, asm/p2m.h */
typedef enum {
	p2m_invalid,
	p2m_ram_rw,
	p2m_ram_ro,
	p2m_mmio_direct_dev,
	p2m_mmio_direct_nc,
	p2m_mmio_direct_c,
	p2m_map_foreign_rw,
	p2m_map_foreign_ro,
	p2m_grant_map_rw,
	p2m_grant_map_ro,
	p2m_iommu_map_rw,
	p2m_iommu_map_ro,
	p2m_max_real_type,
} p2m_type_t;
typedef enum {
	p2m_access_n,
	p2m_access_r = 1,
	p2m_access_w = 2,
	p2m_access_rwx = 7,
	p2m_access_rx2rw = 8,
} p2m_access_t;
typedef struct {
	int cnts;
} rwlock_t;
struct p2m_domain {
	rwlock_t lock;
	uint64_t vttbr;
	gfn_t max_mapped_gfn;
	bool clean_pte;
};
struct page_list_head {
	struct page_info *next;
};
struct page_info *page_list_remove_head(struct page_list_head *head);
void page_list_add_tail(struct page_info *page, struct page_list_head *head);
struct paging_domain {
	spinlock_t lock;
	struct page_list_head p2m_freelist;
	unsigned long p2m_total_pages;
};
struct domain {
	uint16_t domain_id;
	struct domain *next_in_list;
	struct domain_iommu {
		struct {
			void *priv;
		} arch;
		struct list_head dt_devices;
	} iommu;
	struct {
		struct p2m_domain p2m;
		struct paging_domain paging;
	} arch;
};
extern unsigned int p2m_ipa_bits;
extern struct domain *domain_list;
extern int domlist_read_lock;
#define for_each_domain(d) for ((d) = domain_list; (d); (d) = (d)->next_in_list)
#define dom_iommu(d)	   (&(d)->iommu)
#define p2m_get_hostp2m(d) (&(d)->arch.p2m)
#define VTCR_EL2	   0
#define HCR_VM		   1UL
register_t READ_SYSREG(int name);
void rcu_read_lock(int *lock);
void rcu_read_unlock(int *lock);
int rw_is_write_locked_by_me(const rwlock_t *lock);
bool is_hardware_domain(const struct domain *d);
void p2m_read_lock(struct p2m_domain *p2m);
void p2m_read_unlock(struct p2m_domain *p2m);
void p2m_write_lock(struct p2m_domain *p2m);
void p2m_write_unlock(struct p2m_domain *p2m);
void p2m_restrict_ipa_bits(unsigned int ipa_bits);
mfn_t p2m_get_entry(struct p2m_domain *p2m, gfn_t gfn, p2m_type_t *t,
		    p2m_access_t *a, unsigned int *page_order, bool *valid);

/* xen/iommu.h, asm/iommu.h */
#define IOMMU_FLUSHF_all (1u << 2)
enum iommu_feature { IOMMU_FEAT_COHERENT_WALK };
struct iommu_ops {
	unsigned long page_sizes;
	int (*init)(struct domain *d);
	void (*hwdom_init)(struct domain *d);
	int (*add_device)(u8 devfn, device_t *dev);
	int (*remove_device)(u8 devfn, device_t *dev);
	int (*assign_device)(struct domain *d, u8 devfn, device_t *dev,
			     u32 flag);
	int (*reassign_device)(struct domain *s, struct domain *t, u8 devfn,
			       device_t *dev);
	void (*teardown)(struct domain *d);
	int (*map_page)(struct domain *d, dfn_t dfn, mfn_t mfn,
			unsigned int flags, unsigned int *flush_flags);
	int (*unmap_page)(struct domain *d, dfn_t dfn, unsigned int order,
			  unsigned int *flush_flags);
	void (*crash_shutdown)(void);
	int (*iotlb_flush)(struct domain *d, dfn_t dfn,
			   unsigned long page_count, unsigned int flush_flags);
	int (*dt_xlate)(device_t *dev, const struct dt_phandle_args *args);
};
extern bool iommu_enabled, iommu_verbose;
bool is_iommu_enabled(const struct domain *d);
void iommu_set_feature(struct domain *d, enum iommu_feature feature);
void iommu_set_ops(const struct iommu_ops *ops);
int iommu_add_dt_device(struct dt_device_node *np);
int arm_iommu_map_page(struct domain *d, dfn_t dfn, mfn_t mfn,
		       unsigned int flags, unsigned int *flush_flags);
int arm_iommu_unmap_page(struct domain *d, dfn_t dfn, unsigned int order,
			 unsigned int *flush_flags);

#endif
