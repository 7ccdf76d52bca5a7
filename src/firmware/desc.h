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
#ifndef IOMMUABS_CONFIG_ACPI
#define IOMMUABS_CONFIG_ACPI 1
#endif

/* What firmware may say of memory: the widest address that any unit takes. */
#define DESC_ADDRESS_BITS 52

/* A requester ID that depends on bus numbers which nobody told. */
#define DESC_RID_UNKNOWN (~0u)
/* No requester's: a range device's own DMA. */
#define DESC_RID_OWN (~0u)

/* What raises interrupts through a VT-d unit without being a device. */
enum desc_source_type {
	DESC_SOURCE_IOAPIC,
	DESC_SOURCE_HPET,
};

struct desc_source {
	struct desc_source *next;
	enum desc_source_type type;
	uint32_t id;  /* of the I/O APIC, number of the HPET */
	uint32_t rid; /* its messages carry this, or DESC_RID_UNKNOWN */
};

/* What a VT-d unit has besides. */
struct desc_vtd {
	uint32_t segment;     /* of PCI */
	uint32_t include_all; /* 1: it sees what no other unit claims */
	uint32_t has_proximity, proximity; /* ACPI's proximity domain */
	struct desc_source *sources;
	struct desc_unit *twin; /* the scanner's own */
};

struct desc_unit {
	struct desc_unit *next; /* in the order of the firmware */
	uint32_t number;	/* desc_unite()'s own */
	enum iommuabs_unit_type type;
	uint32_t flags; /* IOMMUABS_UNIT_* */
	uint64_t base, length;
	uint32_t fw_id; /* phandle; offset in the DMAR or IORT */
	uint32_t
		disabled; /* 1: firmware says it is off: masters untranslated */
	uint32_t nr_irqs;
	struct iommuabs_irq irqs[IOMMUABS_IRQ_COUNT_];
	struct iommuabs_unit_msi msi;
	struct iommuabs_unit *added; /* by core. NULL: disabled */
	struct desc_vtd vtd;
	char path[IOMMUABS_PATH_MAX]; /* in a device tree */
};

/*
 * For a unit that is no SMMUv3, @first is the first word of the specifier, or 0
 * where it has none, whatever that means there.
 */
struct desc_stream {
	struct desc_stream *next;
	const struct desc_unit *unit;
	uint32_t first, nr, rid;
	/* desc_unite()'s own: all of a unit in order, and whose it is. */
	struct desc_stream *by_id;
	struct desc_device *device;
};

struct desc_reserved {
	struct desc_reserved *next;
	struct iommuabs_reserved region;
};

/* Where else the firmware has the device: something that shares ids with it. */
struct desc_alias {
	struct desc_alias *next;
	uint32_t pci, nr_pci; /* nr_pci 0: no PCI function */
	char path[IOMMUABS_PATH_MAX];
};

struct desc_device {
	struct desc_device *next;
	uint32_t flags; /* IOMMUABS_DEVICE_* */
	uint32_t pci, nr_pci, rid_ignored;
	bool partial; /* no unit sees some of its functions */
	/* Firmware says that it translates addresses itself; works only so. */
	bool translates, must_translate;
	/* VT-d's SIDP: the scope's flags, which are to be obeyed. */
	uint32_t has_sidp, sidp;
	/*
	 * 1: the requester ID is not known, only the way there (in path): it
	 * is not a device of the library until somebody tells.
	 */
	uint32_t unknown;
	uint32_t fw_id;		     /* offset in the ACPI table, 0: none */
	uint32_t mark;		     /* the scanner's own */
	struct desc_stream *streams; /* NULL: untranslated */
	struct desc_reserved *reserved;
	struct desc_alias *aliases;
	struct desc_group {
		/* Towards the first of those it hangs together with; NULL. */
		struct desc_device *up[2];
		struct desc_device *head;  /* stands for it in the end */
		struct desc_device *range; /* of those it hangs together with */
		struct desc_stream *last;
		uint32_t number, nr_streams, nr_inside, nr_aliases;
		bool torn; /* those it hangs together with can't be apart */
	} group;	   /* desc_unite()'s own */
	char path[IOMMUABS_PATH_MAX]; /* in a device tree or ACPI's namespace */
};

/* Devices below this root port may use ATS. */
struct desc_port {
	struct desc_port *next;
	uint32_t segment;
	uint32_t all; /* 1: each root port of the segment; rid has no meaning */
	uint32_t rid; /* or DESC_RID_UNKNOWN */
};

/* Firmware lists which integrated devices of this segment may use ATS: those that
 * translate, and there may be none. */
struct desc_ats_list {
	struct desc_ats_list *next;
	uint32_t segment;
};

/* Where ATS works, as far as firmware says. */
struct desc_ats {
	struct desc_port *ports;
	struct desc_ats_list *lists;
};

/* The DMAR's own fields. */
struct desc_dmar {
	uint32_t present;      /* 1: there is one */
	uint32_t flags;	       /* DESC_DMAR_* */
	uint32_t address_bits; /* of the host's physical addresses */
};

/* Values of desc_dmar.flags: bits of the table's. */
#define DESC_DMAR_INTR_REMAP	  (1u << 0)
#define DESC_DMAR_X2APIC_OPT_OUT  (1u << 1)
#define DESC_DMAR_DMA_CTRL_OPT_IN (1u << 2)

struct desc_set {
	struct tablemem *mem; /* objects come from here */
	struct desc_unit *units;
	struct desc_device *devices;
	struct desc_ats ats;
	struct desc_dmar dmar;
	/* NULL, or called for each oddity that changes nothing: where and what. */
	void (*remark)(void *arg, const char *text);
	void *remark_arg;
	uint32_t nr_remarks;
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
/*
 * The same for a DMAR and an IORT, whose findings are added to what @set has. Bus
 * numbers behind bridges come from the host's pci_cfg_read.
 */
int desc_scan_dmar(struct desc_set *set, const void *table, size_t size);
int desc_scan_iort(struct desc_set *set, const void *table, size_t size);

/*
 * The last step of a scanner. Devices that have an id in common become one, the
 * first of them, and the others its aliases: they can't be told apart. A device
 * whose ids are all inside those of a range device stays, for it can be carved
 * out. (A DMAR's scanner goes without: requester IDs are its devices.) Pointers
 * to devices and streams are void afterwards. Work: n log n in the number of
 * streams.
 *
 * Return: 0 | E_FIRMWARE (more in one than core takes) | E_NOMEM.
 */
int desc_unite(struct desc_set *set);

/* Return: 0 (also: @device has it already) | E_FIRMWARE (no room) | E_NOMEM. */
int desc_reserve(struct desc_set *set, struct desc_device *device,
		 const struct iommuabs_reserved *region);

void desc_device_free(struct desc_set *set, struct desc_device *device);
void desc_free(struct desc_set *set);

#endif
