/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * desc.h - what a firmware scanner found: neutral descriptions
 *
 * A scanner fills one struct desc_set and touches nothing else; core then adds
 * all of it or nothing. Nothing in here says where it came from.
 */
#ifndef IOMMUABS_FIRMWARE_DESC_H
#define IOMMUABS_FIRMWARE_DESC_H

#include <iommuabs/device.h>
#include <iommuabs/unit.h>

#include "../host/tablemem.h"

#ifndef IOMMUABS_CONFIG_FDT
#define IOMMUABS_CONFIG_FDT 1
#endif

struct desc_unit {
	struct desc_unit *next; /* in the order of the firmware */
	enum iommuabs_unit_type type;
	uint32_t flags; /* IOMMUABS_UNIT_* */
	uint64_t base, length;
	uint32_t fw_id; /* phandle */
	uint32_t
		disabled; /* 1: firmware says it is off: masters untranslated */
	uint32_t nr_irqs;
	struct iommuabs_irq irqs[IOMMUABS_IRQ_COUNT_];
	char path[IOMMUABS_PATH_MAX];
};

/*
 * For a unit that is no SMMUv3, @first is the first word of the specifier, or 0
 * where it has none, whatever that means there.
 */
struct desc_stream {
	struct desc_stream *next;
	const struct desc_unit *unit;
	uint32_t first, nr, rid;
};

struct desc_reserved {
	struct desc_reserved *next;
	struct iommuabs_reserved region;
};

struct desc_device {
	struct desc_device *next;
	uint32_t flags; /* IOMMUABS_DEVICE_* */
	uint32_t pci, nr_pci;
	struct desc_stream *streams; /* NULL: untranslated */
	struct desc_reserved *reserved;
	char path[IOMMUABS_PATH_MAX];
};

struct desc_set {
	struct tablemem *mem; /* objects come from here */
	struct desc_unit *units;
	struct desc_device *devices;
	/* Bytes of structure walked, words read, steps of lookups. */
	uint64_t work;
	/* On E_FIRMWARE: what is wrong, and where (a path or an offset). */
	char error[320];
};

/*
 * Fill @set, which holds only mem. On error too, desc_free() it.
 * Return: 0 | E_NOTSUP (built without) | E_INVAL | E_FIRMWARE | E_NOMEM.
 */
int desc_scan_fdt(struct desc_set *set, const void *fdt, size_t size);

void desc_free(struct desc_set *set);

#endif
