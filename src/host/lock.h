/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lock.h - the host's locks, or built-in spin locks
 */
#ifndef IOMMUABS_HOST_LOCK_H
#define IOMMUABS_HOST_LOCK_H

#include "hostif.h"

struct ia_lock {
	void *host_lock; /* NULL: the word below */
	uint32_t word;
	uint32_t class_;
};

/* 0 or E_NOMEM. */
int ia_lock_init(const struct hostif *host, struct ia_lock *lock,
		 enum iommuabs_lock_class class_);
void ia_lock_exit(const struct hostif *host, struct ia_lock *lock);
void ia_lock(const struct hostif *host, struct ia_lock *lock);
void ia_unlock(const struct hostif *host, struct ia_lock *lock);

#endif
