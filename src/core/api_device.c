/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * api_device.c - devices, as the host calls them
 */
#include "api_args.h"
#include "api_struct.h"
#include "change.h"

int iommuabs_device_add(struct iommuabs *abs,
			const struct iommuabs_device_desc *desc,
			struct iommuabs_device **dev)
{
	struct iommuabs_device_desc copy;
	int ret;

	if (!abs || !desc || !dev)
		return IOMMUABS_E_INVAL;
	ret = api_struct_in(&copy, sizeof(copy), desc);
	return ret ? ret : device_create(abs, &copy, dev);
}

int iommuabs_device_add_pci(struct iommuabs *abs, uint32_t pci, void *cookie,
			    struct iommuabs_device **dev)
{
	if (!abs || !dev)
		return IOMMUABS_E_INVAL;
	return pci_device_add(abs, pci, cookie, dev);
}

int iommuabs_device_functions(struct iommuabs_device *dev,
			      struct iommuabs_pci_range ranges[], uint32_t max,
			      uint32_t *nr)
{
	if (!dev || !nr || (max && !ranges))
		return IOMMUABS_E_INVAL;
	*nr = device_functions(device_head(dev), ranges, max);
	return 0;
}

int iommuabs_device_remove(struct iommuabs_device *dev)
{
	return dev ? device_forget(dev) : IOMMUABS_E_INVAL;
}

struct iommuabs_device *iommuabs_device_next(struct iommuabs *abs,
					     struct iommuabs_device *prev)
{
	if (!abs)
		return NULL;
	return prev ? prev->next : abs->devices;
}

int iommuabs_device_find_pci(struct iommuabs *abs, uint32_t pci,
			     struct iommuabs_device **dev)
{
	if (!abs || !dev)
		return IOMMUABS_E_INVAL;
	return device_find_pci(abs, pci, dev);
}

int iommuabs_device_find_path(struct iommuabs *abs, const char *path,
			      struct iommuabs_device **dev)
{
	if (!abs || !path || !dev)
		return IOMMUABS_E_INVAL;
	return device_find_path(abs, path, dev);
}

static bool quarantine_good(const struct iommuabs *abs,
			    const struct iommuabs_domain *dom)
{
	return !dom || (dom->abs == abs && domain_is_scratch(dom));
}

/* What attach and move are given. @copy: of @options, if any.
 * 0 | E_INVAL | E_VERSION. */
static int attach_args(const struct iommuabs_device *dev,
		       const struct iommuabs_domain *dom,
		       const struct iommuabs_attach_options *options,
		       struct iommuabs_attach_options *copy)
{
	const uint32_t known = IOMMUABS_ALLOW_UNSAFE_MSI |
			       IOMMUABS_ALLOW_WINDOW | IOMMUABS_ALLOW_ATS;
	int ret;

	if (!dev || !dom || dev->abs != dom->abs)
		return IOMMUABS_E_INVAL;
	if (!options)
		return 0;
	ret = api_struct_in(copy, sizeof(*copy), options);
	if (!ret && ((copy->flags & ~known) ||
		     copy->strategy > IOMMUABS_STRATEGY_MIRROR ||
		     copy->fault_policy > IOMMUABS_FAULTS_QUARANTINE ||
		     !quarantine_good(dev->abs, copy->quarantine)))
		ret = IOMMUABS_E_INVAL;
	return ret;
}

int iommuabs_device_attach(struct iommuabs_device *dev,
			   struct iommuabs_domain *dom,
			   const struct iommuabs_attach_options *options,
			   uint64_t budget)
{
	struct iommuabs_attach_options copy;
	uint64_t left = api_budget(budget);
	int ret = attach_args(dev, dom, options, &copy);

	if (ret)
		return ret;
	return attach_run(device_head(dev), dom, options ? &copy : NULL, &left);
}

int iommuabs_device_detach(struct iommuabs_device *dev, uint64_t budget)
{
	uint64_t left = api_budget(budget);

	return dev ? detach_run(device_head(dev), &left) : IOMMUABS_E_INVAL;
}

int iommuabs_device_move(struct iommuabs_device *dev,
			 struct iommuabs_domain *dom,
			 const struct iommuabs_attach_options *options,
			 uint64_t budget)
{
	struct iommuabs_attach_options copy;
	uint64_t left = api_budget(budget);
	int ret = attach_args(dev, dom, options, &copy);

	if (ret)
		return ret;
	return move_run(device_head(dev), dom, options ? &copy : NULL, &left);
}

int iommuabs_device_set_fault_policy(struct iommuabs_device *dev,
				     enum iommuabs_fault_policy policy)
{
	if (!dev || (uint32_t)policy > IOMMUABS_FAULTS_QUARANTINE)
		return IOMMUABS_E_INVAL;
	return faults_set_policy(device_head(dev), policy);
}

int iommuabs_device_stats(struct iommuabs_device *dev,
			  struct iommuabs_device_stats *stats)
{
	struct iommuabs_device_stats now = { .size = sizeof(now) };

	if (!dev || !stats || api_struct_check(stats))
		return IOMMUABS_E_INVAL;
	faults_report(device_head(dev), &now);
	api_struct_out(stats, &now, sizeof(now));
	return 0;
}

int iommuabs_device_explain(struct iommuabs_device *dev, iommuabs_gfn_t gfn,
			    uint32_t access, struct iommuabs_explanation *why)
{
	struct iommuabs_explanation found = { .size = sizeof(found) };

	if (!dev || !why || api_struct_check(why) || !access ||
	    (access & ~(IOMMUABS_READ | IOMMUABS_WRITE)) ||
	    gfn.frame >> (64 - IOMMUABS_FRAME_LG2))
		return IOMMUABS_E_INVAL;
	explain_access(device_head(dev), gfn.frame, access, &found);
	api_struct_out(why, &found, sizeof(found));
	return 0;
}
