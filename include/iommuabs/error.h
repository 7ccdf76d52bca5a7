/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * error.h - the numbers that calls return, and what to do about each
 *
 * Numbers are part of the ABI and never change their meaning.
 */
#ifndef IOMMUABS_ERROR_H
#define IOMMUABS_ERROR_H

#include <iommuabs/types.h>

IOMMUABS_BEGIN_DECLS

/* An argument is out of range or unknown, or the size of a struct isn't set:
 * correct the call. */
#define IOMMUABS_E_INVAL (-1)
/* The host's allocator gave nothing: free memory, repeat. */
#define IOMMUABS_E_NOMEM (-2)
/* No such object or mapping. */
#define IOMMUABS_E_NOENT (-3)
/* Something else is there: remove it, or map with REPLACE. */
#define IOMMUABS_E_EXISTS (-4)
/* The object is in use, or in no state for the call (start twice, stop before start):
 * finish or detach what uses it, repeat. */
#define IOMMUABS_E_BUSY (-5)
/* Work remains: call again with the same arguments. */
#define IOMMUABS_E_AGAIN (-6)
/* The frame belongs to somebody else; iommuabs_frame_users() says to whom. Or a
 * declaration, or host->frames_allowed(), keeps it from the domain. */
#define IOMMUABS_E_PERM (-7)
/* Not in this build or not by this object. */
#define IOMMUABS_E_NOTSUP (-8)
/* The domain's quota_frames are used up: raise it, or map larger pieces. */
#define IOMMUABS_E_QUOTA (-9)
/* The range can't be expressed in the granule of a unit's table: align it. */
#define IOMMUABS_E_GRANULE (-10)
/* A reserved region of a device is in the way: choose other gfns. */
#define IOMMUABS_E_RESERVED (-11)
/* Hardware did not complete: see C3 in docs/design.md; iommuabs_unit_recover(). */
#define IOMMUABS_E_TIMEOUT (-12)
/* A unit concerned is fenced: iommuabs_unit_recover() first. */
#define IOMMUABS_E_FENCED (-13)
/* No driver for the unit in this build: its devices can't be confined. */
#define IOMMUABS_E_NODRIVER (-14)
/* The device exists, and no unit sees its DMA. */
#define IOMMUABS_E_UNTRANSLATED (-15)
/* The device could forge interrupts; ALLOW_UNSAFE_MSI accepts that. */
#define IOMMUABS_E_UNSAFE_MSI (-16)
/* A permitted DMA could fault for a moment; ALLOW_WINDOW accepts that. */
#define IOMMUABS_E_WINDOW (-17)
/* A struct of a newer version has fields set that this build doesn't know. */
#define IOMMUABS_E_VERSION (-18)
/* The source has not been read to its end: iommuabs_domain_populate(). */
#define IOMMUABS_E_NOTREADY (-19)
/* A firmware table is malformed; the log line says where. */
#define IOMMUABS_E_FIRMWARE (-20)
/* The unit reports something this driver can't work with; the log says what. */
#define IOMMUABS_E_UNIT (-21)
/* SHARE was asked for and can't be, for the unit (iommuabs_domain_share_check()) or
 * for reserved memory of the device that isn't mapped (the log says which), or as a
 * refresh failed. Of map: DEVICE_ONLY, while a device shares the p2m. */
#define IOMMUABS_E_NOSHARE (-22)
/* Every VMID / domain-id of the unit is in use: detach something. */
#define IOMMUABS_E_NOIDS (-23)
/* PCI isn't what it was when the device was added: remove it, add it again. */
#define IOMMUABS_E_TOPOLOGY (-24)

/**
 * iommuabs_strerror() - one line about an error, with what to do
 * @err: 0 or a negative IOMMUABS_E_*; anything else gives "unknown error"
 *
 * Context: any. The string is constant.
 */
IOMMUABS_API const char *iommuabs_strerror(int err);

IOMMUABS_END_DECLS

#endif
