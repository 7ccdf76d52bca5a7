/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * strerror.c - each error in one line: what it is, what to do
 */
#include <iommuabs/error.h>

#define ERRORS 25

/* Fixed-size strings: an array of pointers would need relocating. */
static const char texts[ERRORS][96] = {
	[0] = "success",
	[-IOMMUABS_E_INVAL] = "an argument is out of range or unknown, or a "
			      "struct has no size: correct the call",
	[-IOMMUABS_E_NOMEM] =
		"the host's allocator gave nothing: free memory, repeat",
	[-IOMMUABS_E_NOENT] = "no such object or mapping",
	[-IOMMUABS_E_EXISTS] =
		"something else is there: remove it, or map with REPLACE",
	[-IOMMUABS_E_BUSY] = "in use, or in no state for the call: finish or "
			     "detach what uses it, repeat",
	[-IOMMUABS_E_AGAIN] =
		"work remains: call again with the same arguments",
	[-IOMMUABS_E_PERM] =
		"the frame is somebody else's (iommuabs_frame_users()), or "
		"declared out of reach",
	[-IOMMUABS_E_NOTSUP] = "not in this build or not by this object",
	[-IOMMUABS_E_QUOTA] =
		"the domain's quota is used up: raise it, or map larger pieces",
	[-IOMMUABS_E_GRANULE] =
		"the range can't be expressed in the unit's granule: align it",
	[-IOMMUABS_E_RESERVED] =
		"a device's reserved region is in the way: choose other gfns",
	[-IOMMUABS_E_TIMEOUT] =
		"hardware did not complete: iommuabs_unit_recover()",
	[-IOMMUABS_E_FENCED] =
		"a unit concerned is fenced: iommuabs_unit_recover() first",
	[-IOMMUABS_E_NODRIVER] = "no driver for the unit in this build: its "
				 "devices can't be confined",
	[-IOMMUABS_E_UNTRANSLATED] =
		"the device exists and no unit sees its DMA",
	[-IOMMUABS_E_UNSAFE_MSI] = "the device could forge interrupts: "
				   "ALLOW_UNSAFE_MSI accepts that",
	[-IOMMUABS_E_WINDOW] = "a permitted DMA could fault for a moment: "
			       "ALLOW_WINDOW accepts that",
	[-IOMMUABS_E_VERSION] = "a field is set that this build doesn't know: "
				"use a newer library",
	[-IOMMUABS_E_NOTREADY] = "the p2m has not been read to its end: "
				 "iommuabs_domain_populate()",
	[-IOMMUABS_E_FIRMWARE] =
		"a firmware table is malformed: the log says where",
	[-IOMMUABS_E_UNIT] = "the unit reports what this driver can't work "
			     "with: the log says what",
	[-IOMMUABS_E_NOSHARE] = "the p2m can't be shared: the log may say why",
	[-IOMMUABS_E_NOIDS] = "every VMID or domain-id of the unit is in use: "
			      "detach something",
	[-IOMMUABS_E_TOPOLOGY] = "PCI isn't what it was when the device was "
				 "added: remove it, add it again",
};

const char *iommuabs_strerror(int err)
{
	if (err > 0 || err <= -ERRORS)
		return "unknown error";
	return texts[-err];
}
