/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommuabs.h - everything; see README.md for where to start
 */
#ifndef IOMMUABS_IOMMUABS_H
#define IOMMUABS_IOMMUABS_H

#include <iommuabs/types.h>
#include <iommuabs/error.h>
#include <iommuabs/p2m.h>
#include <iommuabs/host.h>
#include <iommuabs/instance.h>
#include <iommuabs/unit.h>
#include <iommuabs/device.h>
#include <iommuabs/irq.h>
#include <iommuabs/batch.h>
#include <iommuabs/domain.h>
#include <iommuabs/frame.h>
#include <iommuabs/fault.h>
#include <iommuabs/firmware.h>

#endif
