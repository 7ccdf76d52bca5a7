/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * irq.h - interrupts of devices, remapped by the unit that sees their DMA
 *
 * A device raises an interrupt by a write, so whoever may write can raise any,
 * unless a unit looks each message up in a table: which interrupt it becomes, and
 * who may send it. Entries of that table are given to devices; the host programs
 * the messages into the device and the IOAPIC, and changes where they lead
 * without touching either again.
 *
 * On VT-d, if the host asked for it (IOMMUABS_HOST_REMAPS_IRQS); a device behind
 * such a unit needs no ALLOW_UNSAFE_MSI. On Arm these calls answer E_NOTSUP: the
 * ITS of the interrupt controller does this, by the DeviceID, and the host owns
 * that.
 */
#ifndef IOMMUABS_IRQ_H
#define IOMMUABS_IRQ_H

#include <iommuabs/types.h>

IOMMUABS_BEGIN_DECLS

/* Interrupts of one iommuabs_irq_alloc(). */
#define IOMMUABS_IRQS_MAX 2048

/* For iommuabs_irq_alloc(): any of the device's ids, see there. */
#define IOMMUABS_IRQ_ANY_ID (~(uint32_t)0)

/* How it is delivered; the numbers are those of an APIC. */
enum iommuabs_irq_delivery {
	IOMMUABS_IRQ_FIXED = 0,
	IOMMUABS_IRQ_LOWEST = 1,
	IOMMUABS_IRQ_SMI = 2,
	IOMMUABS_IRQ_NMI = 4,
	IOMMUABS_IRQ_INIT = 5,
	IOMMUABS_IRQ_EXTINT = 7,
};

/* Values of iommuabs_irq_target.flags. */
#define IOMMUABS_IRQ_LOGICAL  (1u << 0) /* @destination is a logical one */
#define IOMMUABS_IRQ_REDIRECT (1u << 1) /* to one of several destinations */
#define IOMMUABS_IRQ_LEVEL    (1u << 2)
/* Into a posted-interrupt descriptor; the destination is in there. */
#define IOMMUABS_IRQ_POSTED (1u << 3)
#define IOMMUABS_IRQ_URGENT (1u << 4) /* with POSTED */

/* Where an interrupt leads. Copied. */
struct iommuabs_irq_target {
	uint32_t size; /* sizeof(struct iommuabs_irq_target) */
	uint32_t flags;
	uint32_t
		vector; /* 16..255 with FIXED, LOWEST and POSTED; else 0..255 */
	enum iommuabs_irq_delivery delivery; /* FIXED with POSTED */
	/* APIC id: 8 bits, 32 with IOMMUABS_HOST_X2APIC; 0 with POSTED. */
	uint32_t destination;
	/* Machine address of the descriptor, a multiple of 64; 0 without. */
	uint64_t descriptor;
};

/* What a device writes. */
struct iommuabs_irq_message {
	uint64_t address;
	uint32_t data;
};

/**
 * iommuabs_irq_alloc() - give a device @nr interrupts
 * @id:    the id under which its messages arrive, one of its ids; ANY_ID: where
 *         it has several, and bridges decide which, all of the buses they are on
 * @nr:    1 to IOMMUABS_IRQS_MAX
 * @first: the others are numbered on from it
 *
 * They are blocked until iommuabs_irq_set(). A device with interrupts can't be
 * removed.
 *
 * Context: TASK; allocates.
 * Return:  0 | E_INVAL (also: not an id of the device) | E_NOTSUP (the unit
 *          doesn't remap) | E_NOMEM (or the unit's table is full).
 */
IOMMUABS_MUST_CHECK int iommuabs_irq_alloc(struct iommuabs_device *dev,
					   uint32_t id, uint32_t nr,
					   uint32_t *first);

/**
 * iommuabs_irq_free() - give back all that one iommuabs_irq_alloc() gave
 *
 * When it returns 0, none of them is raised any more.
 *
 * Context: TASK; waits for hardware.
 * Return:  0 | E_INVAL | E_NOENT (@first is not what a call gave @dev) |
 *          E_TIMEOUT (they are blocked, and stay taken: the unit is fenced,
 *          repeat after iommuabs_unit_recover()).
 */
IOMMUABS_MUST_CHECK int iommuabs_irq_free(struct iommuabs_device *dev,
					  uint32_t first);

/**
 * iommuabs_irq_set() - where interrupt @n of the device leads from now on
 * @target: NULL: nowhere; it is blocked, and reported as a fault
 *
 * When it returns 0, none goes where an earlier call said. The host serialises
 * calls for one interrupt.
 *
 * Context: TASK; waits for hardware.
 * Return:  0 | E_INVAL | E_VERSION | E_NOENT (@n is not of @dev) | E_NOTSUP (the
 *          unit can't post) | E_TIMEOUT (it is blocked, or as wanted: the unit is
 *          fenced, repeat after iommuabs_unit_recover()).
 */
IOMMUABS_MUST_CHECK int
iommuabs_irq_set(struct iommuabs_device *dev, uint32_t n,
		 const struct iommuabs_irq_target *target);

/**
 * iommuabs_irq_msi() - what the device is to write to raise interrupt @n
 *
 * Of several that were given together, the messages differ in the low bits of
 * the data only, as MSI (not MSI-X) needs it.
 *
 * Context: TASK.
 * Return:  0 | E_INVAL | E_NOENT (@n is not of @dev).
 */
IOMMUABS_MUST_CHECK int iommuabs_irq_msi(struct iommuabs_device *dev,
					 uint32_t n,
					 struct iommuabs_irq_message *message);

/**
 * iommuabs_irq_ioapic() - what an IOAPIC's redirection entry is to hold
 * @dev:    the IOAPIC: the host adds it (iommuabs_device_add()), with the
 *          requester ID that its scope has in the DMAR table; scans do not
 * @vector: of the target, so that an end of interrupt finds the pin
 * @flags:  0 or IOMMUABS_IRQ_LEVEL, as the target has it
 * @entry:  not masked, active high
 *
 * Context: TASK.
 * Return:  0 | E_INVAL | E_NOENT (@n is not of @dev).
 */
IOMMUABS_MUST_CHECK int iommuabs_irq_ioapic(struct iommuabs_device *dev,
					    uint32_t n, uint32_t vector,
					    uint32_t flags, uint64_t *entry);

IOMMUABS_END_DECLS

#endif
