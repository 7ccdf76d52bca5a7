/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit_enable.c - units start, stop, sleep, wake up and recover
 *
 * What a fenced unit owes domains is theirs to remember (domain.debtors); a unit
 * that was enabled again has forgotten everything, and so owes nothing.
 */
#include "unit.h"

/* A fence lasts until the unit is enabled. */
static enum iommuabs_unit_status
status_if_failed(const struct iommuabs_unit *unit)
{
	return unit_is_fenced(unit) ? IOMMUABS_UNIT_FENCED
				    : IOMMUABS_UNIT_FAILED;
}

/* The unit's gate is held alone. 0: RUNNING, else @failed or DEAD. */
static int bring_up(struct iommuabs_unit *unit,
		    enum iommuabs_unit_status failed)
{
	int ret;

	port_store64(&unit->coming, 1);
	port_mb();
	ret = unit->hw.ops->enable(&unit->hw);
	if (!ret) {
		unit->hw.reason[0] = 0;
		unit_status_set(unit, IOMMUABS_UNIT_RUNNING, 0);
		port_store64_release(&unit->coming, 0);
		return 0;
	}
	hostif_log(&unit->abs->host, IOMMUABS_LOG_ERROR,
		   "%s: could not be enabled: %s", unit->name,
		   unit->hw.reason[0] ? unit->hw.reason
				      : iommuabs_strerror(ret));
	if (ret != IOMMUABS_E_NOMEM)
		unit_block_by_force(unit, failed, ret);
	else if (unit_status(unit) == IOMMUABS_UNIT_DEAD)
		unit_status_set(unit, IOMMUABS_UNIT_DEAD, ret);
	else
		unit_status_set(unit, failed, ret);
	port_store64_release(&unit->coming, 0);
	return ret;
}

/* A domain may let go of what it withheld because of @unit. */
static void domain_settle_unit(struct iommuabs_domain *dom,
			       const struct iommuabs_unit *unit)
{
	const struct hostif *host = &dom->abs->host;
	bool clear;

	domain_enter_alone(dom);
	ia_lock(host, &dom->lock);
	/* A debt from after the recovery stays: it fenced the unit again. */
	if (!unit_is_fenced(unit))
		debt_settle(dom, unit);
	clear = !dom->owing;
	ia_unlock(host, &dom->lock);
	if (clear)
		domain_release_withheld(dom);
	domain_leave_alone(dom);
}

static bool domain_owes(struct iommuabs_domain *dom,
			const struct iommuabs_unit *unit)
{
	const struct hostif *host = &dom->abs->host;
	bool owes;

	ia_lock(host, &dom->lock);
	owes = debt_exists(dom, unit);
	ia_unlock(host, &dom->lock);
	return owes;
}

/*
 * @unit has forgotten everything: tell the domains and free kept ids. A domain
 * is one work unit and more: at least one is done. 0 | E_AGAIN.
 */
static int settle_debts(struct iommuabs_unit *unit, uint64_t *budget)
{
	struct iommuabs *abs = unit->abs;
	struct iommuabs_domain *dom = NULL;
	bool any = false;
	int ret = 0;

	unit_ids_free_kept(unit);
	/* Nothing that is listed now is freed before the gate is left. */
	instance_enter(abs);
	while ((dom = domain_after(abs, dom))) {
		if (!domain_owes(dom, unit))
			continue;
		if (any && !*budget) {
			ret = IOMMUABS_E_AGAIN;
			break;
		}
		domain_settle_unit(dom, unit);
		any = true;
		*budget -= *budget ? 1 : 0;
	}
	instance_leave(abs);
	if (!ret)
		domains_reap(abs);
	return ret;
}

void unit_enable(struct iommuabs_unit *unit)
{
	uint64_t budget = ~(uint64_t)0;
	int ret;

	if (!unit->hw.ops)
		return;
	unit_enter_alone(unit);
	ret = unit_status(unit) == IOMMUABS_UNIT_RUNNING
		      ? 0
		      : bring_up(unit, status_if_failed(unit));
	unit_leave_alone(unit);
	if (!ret)
		settle_debts(unit, &budget);
}

/* The unit's gate is held alone. */
static int bring_down(struct iommuabs_unit *unit)
{
	int ret;

	switch (unit_status(unit)) {
	case IOMMUABS_UNIT_RUNNING:
		break;
	case IOMMUABS_UNIT_DEAD:
		return IOMMUABS_E_TIMEOUT;
	default: /* blocks already */
		return 0;
	}
	ret = unit->hw.ops->disable(&unit->hw);
	if (!ret) {
		unit_status_set(unit, IOMMUABS_UNIT_STOPPED, 0);
		return 0;
	}
	hostif_log(&unit->abs->host, IOMMUABS_LOG_ERROR,
		   "%s: does not acknowledge that it was stopped", unit->name);
	unit_block_by_force(unit, IOMMUABS_UNIT_FENCED, ret);
	return ret;
}

int unit_disable(struct iommuabs_unit *unit)
{
	int ret;

	if (!unit->hw.ops)
		return 0;
	unit_enter_alone(unit);
	ret = bring_down(unit);
	unit_leave_alone(unit);
	return ret;
}

/* The unit's gate is held alone. */
static int wake_up(struct iommuabs_unit *unit)
{
	enum iommuabs_unit_status status = unit_status(unit);

	switch (status) {
	case IOMMUABS_UNIT_STOPPED:
		return bring_up(unit, IOMMUABS_UNIT_FENCED);
	case IOMMUABS_UNIT_ADDED: /* while the others slept */
		return bring_up(unit, IOMMUABS_UNIT_FAILED);
	case IOMMUABS_UNIT_DEAD:
		status = IOMMUABS_UNIT_FENCED;
		break;
	default: /* FENCED, FAILED: power that went took the fence with it */
		break;
	}
	unit_block_by_force(unit, status, unit->error);
	return unit_status(unit) == IOMMUABS_UNIT_DEAD ? IOMMUABS_E_TIMEOUT : 0;
}

int unit_resume(struct iommuabs_unit *unit)
{
	uint64_t budget = ~(uint64_t)0;
	int ret;

	if (!unit->hw.ops)
		return 0;
	unit_enter_alone(unit);
	ret = wake_up(unit);
	unit_leave_alone(unit);
	if (unit_status(unit) == IOMMUABS_UNIT_RUNNING)
		settle_debts(unit, &budget);
	return ret;
}

/*
 * The unit's gate is held alone. While the instance is stopped, to recover is to
 * reach the state in which a stop leaves a unit.
 */
static int revive(struct iommuabs_unit *unit)
{
	int ret;

	if (!unit_is_fenced(unit) && unit_status(unit) != IOMMUABS_UNIT_FAILED)
		return 0;
	if (instance_runs(unit->abs))
		return bring_up(unit, status_if_failed(unit));
	ret = unit->hw.ops->disable(&unit->hw);
	if (!ret)
		unit_status_set(unit, IOMMUABS_UNIT_STOPPED, 0);
	return ret;
}

int unit_recover(struct iommuabs_unit *unit, uint64_t *budget)
{
	int ret;

	if (!unit->hw.ops)
		return IOMMUABS_E_NODRIVER;
	unit_enter_alone(unit);
	ret = revive(unit);
	unit_leave_alone(unit);
	return ret ? ret : settle_debts(unit, budget);
}

static void message_note(struct iommuabs_unit *unit,
			 enum iommuabs_unit_irq_which which, uint64_t addr,
			 uint32_t data)
{
	struct iommuabs *abs = unit->abs;

	ia_lock(&abs->host, &abs->lock);
	unit->messages[which] = (struct unit_message){ addr, data };
	ia_unlock(&abs->host, &abs->lock);
}

/* A unit that doesn't acknowledge has it when it is back. */
int unit_irq_set_msi(struct iommuabs_unit *unit,
		     enum iommuabs_unit_irq_which which, uint64_t addr,
		     uint32_t data)
{
	int ret;

	unit_enter_alone(unit);
	ret = unit->hw.ops->irq_set_msi(&unit->hw, which, addr, data);
	if (!ret || ret == IOMMUABS_E_TIMEOUT)
		message_note(unit, which, addr, data);
	unit_leave_alone(unit);
	if (ret == IOMMUABS_E_TIMEOUT)
		unit_fence(unit, ret);
	return ret;
}
