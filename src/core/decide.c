/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * decide.c - share or mirror, for one device on one unit
 */
#include "change.h"

enum iommuabs_share_reason share_reason(const struct iommuabs_domain *dom,
					const struct iommuabs_unit *unit,
					struct backend_table *table)
{
	if (!unit->hw.ops)
		return IOMMUABS_SHARE_NO_DRIVER;
	if (dom->flags & (IOMMUABS_DOMAIN_IDENTITY | IOMMUABS_DOMAIN_SCRATCH))
		return IOMMUABS_SHARE_IDENTITY;
	if (!dom->has_p2m || dom->p2m.format == IOMMUABS_P2M_NONE)
		return IOMMUABS_SHARE_NO_P2M;
	if (port_load64(&dom->device_only))
		return IOMMUABS_SHARE_DEVICE_ONLY;
	return unit->hw.ops->share(&unit->hw, &dom->p2m, table);
}

static int decide_mirror(const struct iommuabs_domain *dom,
			 const struct iommuabs_unit *unit,
			 struct decision *decision)
{
	decision->kind = VIEW_MIRROR;
	return unit->hw.ops->mirror(&unit->hw, dom->input_bits, dom->max_level,
				    &decision->key);
}

int decide(const struct iommuabs_domain *dom, const struct iommuabs_unit *unit,
	   uint32_t strategy, struct decision *decision)
{
	enum iommuabs_share_reason reason;

	decision->why_mirror = NULL;
	if (strategy == IOMMUABS_STRATEGY_MIRROR)
		return decide_mirror(dom, unit, decision);
	reason = share_reason(dom, unit, &decision->table);
	if (reason == IOMMUABS_SHARE_OK) {
		decision->kind = VIEW_SHARED;
		return 0;
	}
	decision->why_mirror = iommuabs_share_reason_text(reason);
	if (strategy == IOMMUABS_STRATEGY_SHARE)
		return IOMMUABS_E_NOSHARE;
	return decide_mirror(dom, unit, decision);
}

void decision_log(const struct iommuabs_device *dev,
		  const struct iommuabs_unit *unit,
		  const struct decision *decision)
{
	if (decision->why_mirror)
		hostif_log(&dev->abs->host, IOMMUABS_LOG_INFO,
			   "%s: no sharing by %s: %s", dev->name, unit->name,
			   decision->why_mirror);
}

int decide_device(const struct iommuabs_domain *dom,
		  const struct iommuabs_device *dev,
		  const struct iommuabs_unit *unit, uint32_t strategy,
		  struct decision *decision)
{
	int ret;

	if (strategy == IOMMUABS_STRATEGY_MIRROR ||
	    reserved_all_in_ledger(dom, dev)) {
		ret = decide(dom, unit, strategy, decision);
	} else {
		ret = strategy == IOMMUABS_STRATEGY_SHARE
			      ? IOMMUABS_E_NOSHARE
			      : decide_mirror(dom, unit, decision);
		decision->why_mirror = "reserved memory of it is not mapped";
	}
	decision->dev = dev;
	if (ret == IOMMUABS_E_NOSHARE)
		decision_log(dev, unit, decision);
	return ret;
}

int decision_view(struct iommuabs_domain *dom, const struct decision *decision,
		  struct view **out)
{
	if (decision->kind == VIEW_SHARED)
		return view_get_shared(dom, out);
	return view_get_mirror(dom, &decision->key, decision->dev, out);
}
