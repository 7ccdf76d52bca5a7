/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * api_unit.c - units, as the host calls them
 */
#include "api_struct.h"
#include "core.h"
#include "enter.h"

int iommuabs_unit_add(struct iommuabs *abs,
		      const struct iommuabs_unit_desc *desc,
		      struct iommuabs_unit **unit)
{
	struct iommuabs_unit_desc copy;
	int ret;

	if (!abs || !desc || !unit)
		return IOMMUABS_E_INVAL;
	ret = api_struct_in(&copy, sizeof(copy), desc);
	if (ret)
		return ret;
	life_enter_alone(abs);
	ret = unit_create(abs, &copy, unit);
	if (!ret && instance_runs(abs))
		unit_enable(*unit);
	life_leave_alone(abs);
	return ret;
}

struct iommuabs_unit *iommuabs_unit_next(struct iommuabs *abs,
					 struct iommuabs_unit *prev)
{
	if (!abs)
		return NULL;
	return prev ? prev->next : abs->units;
}

int iommuabs_unit_state(struct iommuabs_unit *unit,
			struct iommuabs_unit_state *state)
{
	struct iommuabs_unit_state now = { .size = sizeof(now) };

	if (!unit || !state || api_struct_check(state))
		return IOMMUABS_E_INVAL;
	unit_report(unit, &now);
	api_struct_out(state, &now, sizeof(now));
	return 0;
}

int iommuabs_unit_irq_get(struct iommuabs_unit *unit, uint32_t n,
			  struct iommuabs_irq *irq)
{
	if (!unit || !irq)
		return IOMMUABS_E_INVAL;
	if (n >= unit->nr_irqs)
		return IOMMUABS_E_NOENT;
	*irq = unit->irqs[n];
	return 0;
}

int iommuabs_unit_msi_get(struct iommuabs_unit *unit,
			  struct iommuabs_unit_msi *msi)
{
	if (!unit || !msi)
		return IOMMUABS_E_INVAL;
	if (!unit->msi.controller)
		return IOMMUABS_E_NOENT;
	*msi = unit->msi;
	return 0;
}

int iommuabs_unit_irq_set_msi(struct iommuabs_unit *unit,
			      enum iommuabs_unit_irq_which which, uint64_t addr,
			      uint32_t data)
{
	if (!unit || which >= IOMMUABS_IRQ_COUNT_)
		return IOMMUABS_E_INVAL;
	if (!unit->hw.ops)
		return IOMMUABS_E_NODRIVER;
	return unit_irq_set_msi(unit, which, addr, data);
}

int iommuabs_unit_irq(struct iommuabs_unit *unit,
		      enum iommuabs_unit_irq_which which)
{
	const struct hostif *host;
	uint32_t context;

	if (!unit || which >= IOMMUABS_IRQ_COUNT_)
		return IOMMUABS_E_INVAL;
	if (!unit->hw.ops)
		return IOMMUABS_E_NODRIVER;
	host = &unit->abs->host;
	context = caller_context(host, IOMMUABS_CONTEXT_IRQ);
	unit->hw.ops->irq(&unit->hw, which);
	(void)caller_context(host, context);
	return 0;
}

int iommuabs_unit_recover(struct iommuabs_unit *unit, uint64_t budget)
{
	uint64_t left = budget ? budget : ~(uint64_t)0;
	int ret;

	if (!unit)
		return IOMMUABS_E_INVAL;
	life_enter_alone(unit->abs);
	ret = unit_recover(unit, &left);
	life_leave_alone(unit->abs);
	return ret;
}
