/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * backend.c - which drivers this build has
 */
#include "backend.h"

const struct backend_ops *backend_find(enum iommuabs_unit_type type)
{
	switch (type) {
#if IOMMUABS_CONFIG_NULL
	case IOMMUABS_UNIT_NULL:
		return &null_backend_ops;
#endif
#if IOMMUABS_CONFIG_SMMU
	case IOMMUABS_UNIT_SMMUV3:
		return &smmuv3_backend_ops;
#endif
#if IOMMUABS_CONFIG_VTD
	case IOMMUABS_UNIT_VTD:
		return &vtd_backend_ops;
#endif
	default:
		return NULL;
	}
}
