/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xen_iommuabs_devices.c - units and devices, as Xen's device tree has them
 *
 * Xen has the tree unflattened, and frees libfdt after boot: so they are described
 * to the library rather than scanned by it.
 */
#include <xen/device_tree.h>
#include <xen/irq.h>
#include <xen/tasklet.h>
#include <asm/device.h>
#include <asm/iommu_fwspec.h>
#include "xen_iommuabs.h"

/* Records of one go; the rest when others have had their turn. */
#define POLL_RECORDS 256

static void poll(void *unused);
static DECLARE_TASKLET(poll_tasklet, poll, NULL);

static void poll(void *unused)
{
	if (iommuabs_faults_poll(xen_iommuabs, POLL_RECORDS, NULL) ==
	    IOMMUABS_E_AGAIN)
		tasklet_schedule(&poll_tasklet);
}

/* Whichever of a unit's wires it was. Handlers are given registers before Xen 4.19. */
#if IOMMUABS_XEN_MINOR < 19
static void unit_interrupt(int irq, void *arg, struct cpu_user_regs *regs)
#else
static void unit_interrupt(int irq, void *arg)
#endif
{
	(void)!iommuabs_unit_irq(arg, IOMMUABS_IRQ_EVENT);
	(void)!iommuabs_unit_irq(arg, IOMMUABS_IRQ_ERROR);
	tasklet_schedule(&poll_tasklet);
}

/* Without one the unit isolates as well, but what it blocks goes unreported. */
static void __init unit_request_irqs(struct dt_device_node *np,
				     struct iommuabs_unit *unit)
{
	static const char *const names[] = { "eventq", "gerror" };
	unsigned int i;
	int index, irq;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		index = dt_property_match_string(np, "interrupt-names",
						 names[i]);
		irq = index < 0 ? index : platform_get_irq(np, index);
		if (irq < 0 ||
		    request_irq(irq, 0, unit_interrupt, names[i], unit))
			printk(XENLOG_WARNING "iommuabs: %s: no interrupt %s\n",
			       dt_node_full_name(np), names[i]);
	}
}

static int __init unit_init(struct dt_device_node *np, const void *data)
{
	struct iommuabs_unit_desc desc = {
		.size = sizeof(desc),
		.type = IOMMUABS_UNIT_SMMUV3,
		.name = np->name,
		.path = dt_node_full_name(np),
	};
	struct iommuabs_unit_state state = { .size = sizeof(state) };
	struct iommuabs_unit *unit;
	int error = xen_iommuabs_create();

	if (!error)
		error = dt_device_get_address(np, 0, &desc.base, &desc.length);
	if (error)
		return error;
	if (dt_get_property(np, "dma-coherent", NULL))
		desc.flags |= IOMMUABS_UNIT_COHERENT;
	error = iommuabs_unit_add(xen_iommuabs, &desc, &unit);
	if (!error)
		error = iommuabs_unit_state(unit, &state);
	if (error)
		return xen_errno(error);
	xen_cleans_p2m |= !state.coherent;
	if (state.stage2)
		p2m_restrict_ipa_bits(state.input_bits);
	dt_to_dev(np)->archdata.iommu = unit;
	dt_device_set_used_by(np, DOMID_XEN);
	unit_request_irqs(np, unit);
	return 0;
}

static int device_describe(device_t *dev, struct iommuabs_device_desc *desc)
{
	struct iommuabs_device *device;
	int error;

	desc->size = sizeof(*desc);
	desc->path = dt_node_full_name(dev_to_dt(dev));
	error = iommuabs_device_add(xen_iommuabs, desc, &device);
	if (error)
		return xen_errno(error);
	dev->archdata.iommu = device;
	dt_device_set_protected(dev_to_dt(dev));
	return 0;
}

/* The stream ID; Xen keeps them until all are there. */
int xen_device_xlate(device_t *dev, const struct dt_phandle_args *args)
{
	return iommu_fwspec_add_ids(dev, args->args, 1);
}

int xen_device_add(u8 devfn, device_t *dev)
{
	const struct iommu_fwspec *fwspec = dev_iommu_fwspec_get(dev);
	struct iommuabs_stream_range streams[IOMMUABS_STREAM_RANGES_MAX];
	struct iommuabs_device_desc desc = { .streams = streams };
	unsigned int i;

	if (!fwspec || fwspec->num_ids > ARRAY_SIZE(streams))
		return -EINVAL;
	for (i = 0; i < fwspec->num_ids; i++)
		streams[i] = (struct iommuabs_stream_range){
			.unit = fwspec->iommu_dev->archdata.iommu,
			.first = fwspec->ids[i],
			.nr = 1,
		};
	desc.nr_streams = fwspec->num_ids;
	return device_describe(dev, &desc);
}

int xen_device_remove(u8 devfn, device_t *dev)
{
	int error = iommuabs_device_remove(dev->archdata.iommu);

	if (!error)
		dev->archdata.iommu = NULL;
	return xen_errno(error);
}

/* Of a bridge's units Xen has no record: then each of them must be able to block. */
bool xen_device_is_blocked(device_t *dev)
{
	const struct iommu_fwspec *fwspec = dev_iommu_fwspec_get(dev);
	struct iommuabs_unit_state state = { .size = sizeof(state) };
	struct iommuabs_unit *unit = NULL;

	while ((unit = iommuabs_unit_next(xen_iommuabs, unit)))
		if ((!fwspec || fwspec->iommu_dev->archdata.iommu == unit) &&
		    (iommuabs_unit_state(unit, &state) ||
		     state.status == IOMMUABS_UNIT_DEAD))
			return false;
	return true;
}

/*
 * A PCI host bridge: each requester ID is some stream. Xen knows `iommus` alone,
 * and gives what is marked as protected to the hardware domain.
 */
static int __init bridge_add(struct dt_device_node *np, const __be32 *map,
			     unsigned int cells)
{
	struct iommuabs_stream_range streams[IOMMUABS_STREAM_RANGES_MAX];
	struct iommuabs_device_desc desc = {
		.flags = IOMMUABS_DEVICE_PCI | IOMMUABS_DEVICE_RANGE,
		.streams = streams,
	};
	const struct dt_device_node *unit;
	struct iommuabs_stream_range *to;

	if (!dt_get_property(np, "msi-map", NULL))
		desc.flags |= IOMMUABS_DEVICE_UNSAFE_MSI;
	for (; cells >= 4; cells -= 4, map += 4) {
		unit = dt_find_node_by_phandle(be32_to_cpup(map + 1));
		if (!unit || !unit->dev.archdata.iommu ||
		    desc.nr_streams == ARRAY_SIZE(streams))
			return -EINVAL;
		to = &streams[desc.nr_streams++];
		to->unit = unit->dev.archdata.iommu;
		to->rid = be32_to_cpup(map);
		to->first = be32_to_cpup(map + 2);
		to->nr = be32_to_cpup(map + 3);
	}
	desc.pci = streams[0].rid;
	return device_describe(dt_to_dev(np), &desc);
}

/*
 * All devices are known before the first is given to a domain: those that are
 * described singly are taken out of their bridge's range.
 */
static int __init devices_init(void)
{
	struct dt_device_node *np;
	const __be32 *map;
	u32 length;

	if (!xen_iommuabs || !iommu_enabled)
		return 0;
	dt_for_each_device_node(dt_host, np)
	{
		map = dt_get_property(np, "iommu-map", &length);
		if (map && dt_device_is_available(np) &&
		    bridge_add(np, map, length / sizeof(*map)))
			panic("iommuabs: %s\n", dt_node_full_name(np));
	}
	dt_for_each_device_node(dt_host, np)
	{
		if (dt_get_property(np, "iommus", NULL) &&
		    iommu_add_dt_device(np) < 0)
			panic("iommuabs: %s\n", dt_node_full_name(np));
	}
	return 0;
}
__initcall(devices_init);

static const struct dt_device_match unit_match[] __initconst = {
	DT_MATCH_COMPATIBLE("arm,smmu-v3"),
	{},
};

DT_DEVICE_START(iommuabs, "SMMUv3 by iommuabs", DEVICE_IOMMU).dt_match =
	unit_match,
						.init = unit_init, DT_DEVICE_END
