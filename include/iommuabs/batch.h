/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * batch.h - what a series of changes still owes the hardware
 */
#ifndef IOMMUABS_BATCH_H
#define IOMMUABS_BATCH_H

#include <iommuabs/types.h>

IOMMUABS_BEGIN_DECLS

/*
 * On the caller's stack, used by one caller at a time, for one domain. Takes at
 * least 24 ranges (neighbours merge); then calls answer E_AGAIN and have done
 * nothing: sync and repeat.
 */
struct iommuabs_batch {
	uint64_t opaque[64];
};

/**
 * iommuabs_batch_init() - begin a batch for @dom
 *
 * Every batch is ended by iommuabs_batch_done(); open batches hold off
 * iommuabs_domain_destroy() and iommuabs_domain_set_p2m().
 *
 * Context: TASK.
 * Return:  0 | E_INVAL | E_BUSY (the domain is being destroyed).
 */
IOMMUABS_MUST_CHECK int iommuabs_batch_init(struct iommuabs_batch *batch,
					    struct iommuabs_domain *dom);

/**
 * iommuabs_batch_sync() - pay: invalidate, wait, free
 *
 * On 0 nothing cached, walked or in flight can reach what was taken away, and
 * devices can use what was added. The batch is empty and can be used again,
 * after an error too: the debts are the domain's then.
 *
 * Context: TASK; takes the domain's gate; waits for hardware.
 * Return:  0 | E_INVAL | E_TIMEOUT (a unit is fenced now; what it may still see
 *          is withheld) | E_FENCED (a unit was fenced already, likewise).
 */
IOMMUABS_MUST_CHECK int iommuabs_batch_sync(struct iommuabs_batch *batch);

/**
 * iommuabs_batch_done() - sync what is left, end the batch
 *
 * Context: as iommuabs_batch_sync().
 * Return:  as iommuabs_batch_sync(): 0 | E_INVAL | E_TIMEOUT | E_FENCED; the
 *          batch has ended in any case but E_INVAL.
 */
IOMMUABS_MUST_CHECK int iommuabs_batch_done(struct iommuabs_batch *batch);

IOMMUABS_END_DECLS

#endif
