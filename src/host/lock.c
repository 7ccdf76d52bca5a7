/* SPDX-License-Identifier: BSD-2-Clause */
#include "lock.h"

#include "caller.h"

int ia_lock_init(const struct hostif *host, struct ia_lock *lock,
		 enum iommuabs_lock_class class_)
{
	void *host_lock = NULL;

	if (host->ops.lock_create) {
		host_lock = host->ops.lock_create(host->ctx, class_);
		if (!host_lock)
			return IOMMUABS_E_NOMEM;
	}
	*lock = (struct ia_lock){ host_lock, 0, class_ };
	return 0;
}

void ia_lock_exit(const struct hostif *host, struct ia_lock *lock)
{
	if (lock->host_lock)
		host->ops.lock_destroy(host->ctx, lock->host_lock);
	lock->host_lock = NULL;
}

void ia_lock(const struct hostif *host, struct ia_lock *lock)
{
	uint32_t unlocked = 0;

	caller_locks(host, (enum iommuabs_lock_class)lock->class_);
	if (lock->host_lock) {
		host->ops.lock(host->ctx, lock->host_lock);
		return;
	}
	while (!port_cas32(&lock->word, &unlocked, 1)) {
		while (port_load32(&lock->word))
			port_relax();
		unlocked = 0;
	}
}

void ia_unlock(const struct hostif *host, struct ia_lock *lock)
{
	caller_unlocks(host, (enum iommuabs_lock_class)lock->class_);
	if (lock->host_lock) {
		host->ops.unlock(host->ctx, lock->host_lock);
		return;
	}
	iommuabs_assert(port_load32(&lock->word));
	port_store32(&lock->word, 0);
}
