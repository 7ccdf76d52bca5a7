/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * interrupts.c - a device raises the interrupts it was given, and no others
 *
 * The unit looks each message up. The host's own interrupts come all the while: the
 * timer's and the unit's are not looked up, the serial port's goes through the
 * IOAPIC, which has an entry as devices have.
 */
#include <stddef.h>
#include "apic.h"
#include "arch.h"
#include "board.h"
#include "cpu.h"
#include "edu.h"
#include "ioapic.h"
#include "machine.h"
#include "pages.h"
#include "scenarios_x86.h"
#include "scene.h"
#include "tap.h"
#include "timer.h"

/* clang-format off */
/* VT-d 11.4.4 */
#define VTD_GSTS     0x1c
#define   GSTS_TE    (1u << 31)
#define   GSTS_IRE   (1u << 25)
#define   GSTS_CFI   (1u << 23)
/* Fault reasons, 7.1.3 */
#define NO_SUCH	     0x21u
#define ABSENT	     0x22u
#define NOT_ITS_OWN  0x26u
#define COM1_IER     0x3f9 /* 16550 */
#define   IER_THRE   0x02
/* clang-format on */

#define NR_VECTORS 3u
#define OF_IOAPIC  2u /* the last of them */
#define NR_ENTRIES 4096u
#define FORGED	   1234u /* an entry that is nobody's */
#define TIMEOUT_US 100000

#define BEHIND_PORT   2u /* of the edu devices */
#define BEHIND_BRIDGE 3u

static struct arrival {
	uint32_t vector;
	unsigned int times;
	uint32_t cpu; /* its APIC, of the last */
} arrivals[NR_VECTORS];

static volatile int arrived; /* any of them */

/* An edu that waits for its DMA is told of its end by whatever it raises. */
static void on_arrival(void *arg)
{
	struct arrival *arrival = arg;

	arrival->times++;
	arrival->cpu = apic_id();
	arrived = 1;
	for (unsigned int i = 0; i < IOMMU_NR_EDUS; i++)
		edu_get(i)->done = 1;
}

static void vectors_take(void)
{
	for (unsigned int i = 0; i < NR_VECTORS; i++)
		arrivals[i].vector = apic_vector_new(on_arrival, &arrivals[i]);
}

static void arrivals_forget(void)
{
	for (unsigned int i = 0; i < NR_VECTORS; i++)
		arrivals[i].times = 0;
	arrived = 0;
	iommu_faults_forget();
}

/* Since then each of these has come, once, and no other. */
#define NOTHING	  0u
#define VECTOR(n) (1u << (n))

static int came(unsigned int vectors)
{
	int good = 1;

	for (unsigned int i = 0; i < NR_VECTORS; i++)
		good &= arrivals[i].times == (vectors >> i & 1);
	return good;
}

static void raise(unsigned int edu)
{
	arrivals_forget();
	edu_raise(edu_get(edu));
	(void)timer_wait(&arrived, TIMEOUT_US);
	edu_lower(edu_get(edu));
}

/* ---- what the host does ---- */

static int lead_to(struct iommuabs_device *dev, uint32_t n, unsigned int vector,
		   unsigned int cpu)
{
	const struct iommuabs_irq_target target = {
		.size = sizeof(target),
		.vector = arrivals[vector].vector,
		.delivery = IOMMUABS_IRQ_FIXED,
		.destination = (uint32_t)machine.cpu_ids[cpu],
	};

	return iommuabs_irq_set(dev, n, &target);
}

/* To this CPU. */
static int lead(struct iommuabs_device *dev, uint32_t n, unsigned int vector)
{
	return lead_to(dev, n, vector, 0);
}

/* Another interrupt of @edu, which leads to @vector. */
static int give(unsigned int edu, unsigned int vector, uint32_t *n)
{
	struct iommuabs_device *dev = iommu.edu[edu];
	int st = iommuabs_irq_alloc(dev, edu_get(edu)->pci->bdf, 1, n);

	return st ? st : lead(dev, *n, vector);
}

static int program(unsigned int edu, struct iommuabs_device *of, uint32_t n)
{
	struct iommuabs_irq_message message;
	int st = iommuabs_irq_msi(of, n, &message);

	if (!st)
		pci_msi_set(edu_get(edu)->pci, message.address,
			    (uint16_t)message.data);
	return st;
}

/* ---- what a guest that has the device could do ---- */

/* VT-d 5.1.2.2, 5.1.2.3: handle and format in the address, no subhandle. */
static uint64_t forge(uint32_t n)
{
	return UINT64_C(0xfee00000) | (uint64_t)(n & 0x7fff) << 5 | 1u << 4 |
	       (uint64_t)(n >> 15 & 1) << 2;
}

/* Reported since arrivals_forget(): edu 0 tried entry @n, and why not (7.1.3). */
static const struct iommuabs_fault *report(uint32_t n, unsigned int code)
{
	iommu_faults_poll();
	for (unsigned int i = 0; i < iommu.nr_faults && i < IOMMU_MAX_FAULTS;
	     i++) {
		const struct iommuabs_fault *fault = &iommu.faults[i];

		if (fault->reason == IOMMUABS_FAULT_INTERRUPT &&
		    fault->dev == iommu.edu[0] &&
		    fault->stream == edu_get(0)->pci->bdf &&
		    fault->raw[0] >> 48 == n &&
		    (fault->raw[1] >> 32 & 0xff) == code)
			return fault;
	}
	return NULL;
}

static void blocked_check(int st, const char *what, uint32_t n,
			  unsigned int code)
{
	static const struct iommuabs_fault none;
	const struct iommuabs_fault *fault = report(n, code);
	int kept = came(NOTHING), good = !st && kept && fault;

	if (!fault)
		fault = &none;
	tap_check(good,
		  "interrupts: %s is blocked and reported: %s; edu 0, stream "
		  "%x, entry %x, %s; words %016lx %016lx: %s",
		  what, kept ? "nothing came" : "IT CAME", fault->stream, n,
		  iommuabs_fault_reason_text(fault->reason), fault->raw[0],
		  fault->raw[1], iommuabs_strerror(st));
}

/* ---- what is shown ---- */

/*
 * Only the status tells about the compatible format: QEMU 10.0 has such messages
 * arrive all the same, which 5.1.4 forbids.
 */
static int is_on(uint64_t base, uint32_t *status)
{
	*status = mmio_read32(base + VTD_GSTS);
	return (*status & GSTS_TE) && (*status & GSTS_IRE) &&
	       !(*status & GSTS_CFI);
}

/* Nothing is enabled yet, and the host says that it asks for no remapping. */
static void unremapped(void)
{
	const struct iommuabs_attach_options plain = { .size = sizeof(plain) };
	struct iommuabs_host hooks = iommu_hooks();
	struct scene scene;
	int st;

	hooks.flags = 0;
	st = iommu_create(&hooks);
	if (!st && !scene_open(&scene, "interrupts", IOMMUABS_STRATEGY_AUTO)) {
		st = iommuabs_device_attach(iommu.edu[0], scene.vm.dom, &plain,
					    0);
		tap_check(st == IOMMUABS_E_UNSAFE_MSI,
			  "interrupts: a device whose interrupts nobody remaps "
			  "is refused to a guest without ALLOW_UNSAFE_MSI: %s",
			  iommuabs_strerror(st));
		scene_close(&scene);
		st = 0;
	}
	if (!st)
		st = iommuabs_destroy(iommu.abs);
	if (st)
		tap_check(0, "interrupts: an instance that remaps none: %s",
			  iommuabs_strerror(st));
}

static int begins(void)
{
	struct iommuabs_unit_state state = { .size = sizeof(state) };
	struct iommuabs_host hooks = iommu_hooks();
	uint32_t status = 0;
	int st, on = 0;

	st = iommu_create(&hooks);
	if (!st)
		st = iommu_start();
	if (!st)
		st = iommuabs_unit_state(iommu.unit, &state);
	if (!st)
		on = is_on(state.base, &status);
	return tap_check(on && state.status == IOMMUABS_UNIT_RUNNING,
			 "interrupts: the unit remaps them, and is told to "
			 "let none of the compatible format through: %s, "
			 "registers %lx, status %08x: %s",
			 state.name, state.base, status, iommuabs_strerror(st));
}

static void arrives(uint32_t n)
{
	int st = program(0, iommu.edu[0], n), good;

	raise(0);
	good = came(VECTOR(0));
	raise(0);
	tap_check(!st && good && came(VECTOR(0)) && !iommu.nr_faults,
		  "interrupts: a message of the device's own arrives each time "
		  "it is raised: edu 0, entry %x, vector %x: %s",
		  n, arrivals[0].vector, iommuabs_strerror(st));
}

static void nobodys(void)
{
	uint32_t n = 0;
	int st;

	pci_msi_set(edu_get(0)->pci, forge(FORGED), 0);
	raise(0);
	blocked_check(0, "a message of an entry that is nobody's", FORGED,
		      ABSENT);
	pci_msi_set(edu_get(0)->pci, forge(NR_ENTRIES), 0);
	raise(0);
	blocked_check(0, "a message past the table", NR_ENTRIES, NO_SUCH);
	st = iommuabs_irq_alloc(iommu.edu[0], edu_get(0)->pci->bdf, 1, &n);
	if (!st)
		st = program(0, iommu.edu[0], n);
	raise(0);
	blocked_check(st, "one that was given, and leads nowhere yet", n,
		      ABSENT);
	(void)!iommuabs_irq_free(iommu.edu[0], n);
}

static void anothers(void)
{
	uint32_t n = 0;
	int st = give(1, 1, &n);

	if (!st)
		st = program(0, iommu.edu[1], n);
	raise(0);
	blocked_check(st, "a message of another device's entry", n,
		      NOT_ITS_OWN);
	if (!st)
		st = program(1, iommu.edu[1], n);
	raise(1);
	tap_check(!st && came(VECTOR(1)),
		  "interrupts: the same message arrives from its own device: "
		  "edu 1, entry %x, vector %x: %s",
		  n, arrivals[1].vector, iommuabs_strerror(st));
}

/* Its messages come under an id of the device's, which may be the bridge's. */
static void behind(unsigned int edu, const char *what)
{
	struct iommuabs_device *dev = NULL;
	uint16_t bdf = edu_get(edu)->pci->bdf;
	uint32_t n = 0;
	int st, good, blocked;

	st = iommuabs_device_add_pci(iommu.abs, bdf, edu_get(edu), &dev);
	if (!st)
		st = iommuabs_irq_alloc(dev, IOMMUABS_IRQ_ANY_ID, 1, &n);
	if (!st)
		st = lead(dev, n, 1);
	if (!st)
		st = program(edu, dev, n);
	raise(edu);
	good = came(VECTOR(1));
	if (!st)
		st = program(0, dev, n);
	raise(0);
	blocked = came(NOTHING) && report(n, NOT_ITS_OWN);
	if (!st)
		st = iommuabs_irq_free(dev, n);
	if (!st)
		st = iommuabs_device_remove(dev);
	tap_check(!st && good && blocked,
		  "interrupts: one from behind a %s arrives: edu %u, function "
		  "%04x, entry %x, vector %x: %s; sent by edu 0 it is %s: %s",
		  what, edu, bdf, n, arrivals[1].vector, good ? "came" : "LOST",
		  blocked ? "blocked and reported" : "NOT BLOCKED",
		  iommuabs_strerror(st));
}

/* A write of 32 bits is a message, too; its end is told by the first vector. */
static void write_message(const struct scene *scene, uint64_t address)
{
	dma_take(scene, 0, 0);
	arrivals_forget();
	(void)edu_push(edu_get(0), SCENE_EDU_AT, address, sizeof(uint32_t));
}

/* QEMU's DMA has no requester: who may send it, only the device's MSI shows. */
static void forges(const struct scene *scene)
{
	uint32_t n = 0;
	int st = give(0, 1, &n), good;

	write_message(scene, forge(n));
	good = came(VECTOR(0) | VECTOR(1));
	if (!st)
		st = iommuabs_irq_free(iommu.edu[0], n);
	write_message(scene, forge(n));
	tap_check(!st && good && came(VECTOR(0)),
		  "interrupts: a DMA write is looked up as a message is: edu "
		  "0, entry %x, vector %x and %x at its end; given back, %x "
		  "alone: %s",
		  n, arrivals[1].vector, arrivals[0].vector, arrivals[0].vector,
		  iommuabs_strerror(st));
}

/* Its DMA ends with an interrupt, so memory and interrupts are both remapped. */
static void in_a_guest(uint32_t n)
{
	const struct iommuabs_attach_options plain = { .size = sizeof(plain) };
	struct scene scene;
	uint64_t read;
	int st;

	if (scene_open(&scene, "interrupts", IOMMUABS_STRATEGY_AUTO))
		return;
	st = iommuabs_device_attach(iommu.edu[0], scene.vm.dom, &plain, 0);
	if (!st)
		st = program(0, iommu.edu[0], n);
	*frame_word(scene.ram) = 0x1a7e;
	edu_use_interrupts(1);
	read = st ? 0 : dma_load(&scene, 0, SCENE_RAM_GFN);
	tap_check(!st && read == 0x1a7e,
		  "interrupts: a guest is given a device without "
		  "ALLOW_UNSAFE_MSI: gfn %lx reads %lx by DMA whose end entry "
		  "%x tells: %s",
		  SCENE_RAM_GFN, read, n, iommuabs_strerror(st));
	if (!st)
		forges(&scene);
	edu_use_interrupts(0);
	scene_close(&scene);
}

static void raise_and_wait(void *arg)
{
	uint64_t start = time_us();

	edu_raise(arg);
	while (!arrived && time_us() - start < TIMEOUT_US)
		cpu_relax();
}

static void to_another_cpu(uint32_t n)
{
	const unsigned int other = machine.nr_cpus - 1;
	int st = lead_to(iommu.edu[0], n, 1, other);

	arrivals_forget();
	if (!st)
		st = cpu_start(other, raise_and_wait, edu_get(0));
	if (!st)
		cpu_wait(other);
	edu_lower(edu_get(0));
	tap_check(!st && came(VECTOR(1)) &&
			  arrivals[1].cpu == machine.cpu_ids[other],
		  "interrupts: one is led to another CPU: entry %x, vector %x, "
		  "APIC %lx; it came at %x, the one before at %x: %d",
		  n, arrivals[1].vector, machine.cpu_ids[other],
		  arrivals[1].cpu, arrivals[0].cpu, st);
}

static void changes(uint32_t n)
{
	int st = program(0, iommu.edu[0], n), good;

	raise(0);
	good = came(VECTOR(0));
	if (!st)
		st = lead(iommu.edu[0], n, 1);
	raise(0);
	tap_check(!st && good && came(VECTOR(1)),
		  "interrupts: one is led elsewhere, and the next goes there: "
		  "entry %x, vector %x, then %x: %s",
		  n, arrivals[0].vector, arrivals[1].vector,
		  iommuabs_strerror(st));
	to_another_cpu(n);
	st = iommuabs_irq_set(iommu.edu[0], n, NULL);
	raise(0);
	blocked_check(st, "one that leads nowhere any more", n, ABSENT);
	st = lead(iommu.edu[0], n, 0);
	raise(0);
	good = came(VECTOR(0));
	if (!st)
		st = iommuabs_irq_free(iommu.edu[0], n);
	raise(0);
	blocked_check(good ? st : IOMMUABS_E_NOENT, "one that was given back",
		      n, ABSENT);
}

static void sleeps(uint32_t n)
{
	int st = program(0, iommu.edu[0], n), asleep, awake;

	if (!st)
		st = iommuabs_suspend(iommu.abs);
	raise(0);
	asleep = came(NOTHING);
	if (!st)
		st = iommuabs_resume(iommu.abs);
	raise(0);
	awake = came(VECTOR(0));
	tap_check(
		!st && asleep && awake,
		"interrupts: none gets through while the instance sleeps, and "
		"all do after: entry %x, vector %x, %s, then %s: %s",
		n, arrivals[0].vector, asleep ? "blocked" : "IT CAME",
		awake ? "arrived" : "LOST", iommuabs_strerror(st));
}

/* ---- the host's own ---- */

static int ioapic_add(struct iommuabs_device **dev)
{
	const struct iommuabs_stream_range stream = {
		.unit = iommu.unit,
		.rid = machine.ioapic_rid,
		.first = machine.ioapic_rid,
		.nr = 1,
	};
	const struct iommuabs_device_desc desc = {
		.size = sizeof(desc),
		.flags = IOMMUABS_DEVICE_PCI,
		.name = "ioapic",
		.pci = machine.ioapic_rid,
		.streams = &stream,
		.nr_streams = 1,
	};

	return iommuabs_device_add(iommu.abs, &desc, dev);
}

/* The serial port says that it can take another byte. */
static void serial_raise(uint64_t entry)
{
	ioapic_set(IOAPIC_PIN_COM1, entry);
	arrivals_forget();
	out8(COM1_IER, IER_THRE);
	(void)timer_wait(&arrived, TIMEOUT_US);
	out8(COM1_IER, 0);
	ioapic_mask(IOAPIC_PIN_COM1);
}

static void through_ioapic(void)
{
	struct iommuabs_device *dev = NULL;
	uint64_t entry = 0;
	uint32_t n = 0;
	int st = ioapic_add(&dev), good;

	if (!st)
		st = iommuabs_irq_alloc(dev, machine.ioapic_rid, 1, &n);
	if (!st)
		st = lead(dev, n, OF_IOAPIC);
	if (!st)
		st = iommuabs_irq_ioapic(dev, n, arrivals[OF_IOAPIC].vector, 0,
					 &entry);
	serial_raise(entry);
	good = !st && came(VECTOR(OF_IOAPIC));
	if (!st)
		st = iommuabs_irq_free(dev, n);
	serial_raise(entry);
	tap_check(good && !st && came(NOTHING),
		  "interrupts: the serial port's comes through the IOAPIC, and "
		  "not when it is given back: id %x, entry %x, redirection "
		  "%016lx, vector %x: %s",
		  machine.ioapic_rid, n, entry, arrivals[OF_IOAPIC].vector,
		  iommuabs_strerror(st));
	if (!st)
		st = iommuabs_device_remove(dev);
	if (st)
		tap_check(0, "interrupts: the IOAPIC is removed: %s",
			  iommuabs_strerror(st));
}

static void told(void)
{
	tap_check(iommu.nr_event_irqs > 0,
		  "interrupts: the unit's own, which it doesn't remap, came %u "
		  "times",
		  iommu.nr_event_irqs);
}

/* The device goes on sending what it was told to, and the entry is still there. */
static void ends(uint64_t tables)
{
	uint32_t n = 0;
	int st = give(0, 0, &n), before, stopped;

	if (!st)
		st = program(0, iommu.edu[0], n);
	raise(0);
	before = came(VECTOR(0));
	if (!st)
		st = iommuabs_stop(iommu.abs);
	raise(0);
	stopped = came(NOTHING);
	iommu_irqs_disable();
	/* With its table gone, a unit that still remaps could raise anything. */
	if (!st && stopped) {
		st = iommuabs_destroy(iommu.abs);
		edu_raise(edu_get(0));
		(void)timer_wait(&arrived, TIMEOUT_US);
	}
	tap_check(!st && before && stopped && came(NOTHING) &&
			  table_pool.nr_used == tables + BOARD_PAGES_KEPT,
		  "interrupts: stopped, and destroyed, the unit lets none "
		  "through: entry %x; %lu table pages before, %lu after, %u by "
		  "which it blocks: %s",
		  n, tables, table_pool.nr_used, BOARD_PAGES_KEPT,
		  iommuabs_strerror(st));
}

void prove_interrupts(void)
{
	uint64_t tables = table_pool.nr_used;
	uint32_t n = 0;
	int st;

	unremapped();
	vectors_take();
	if (!begins())
		return;
	st = give(0, 0, &n);
	if (!st)
		arrives(n);
	else
		tap_check(0, "interrupts: edu 0 has one: %s",
			  iommuabs_strerror(st));
	nobodys();
	anothers();
	behind(BEHIND_PORT, "root port");
	behind(BEHIND_BRIDGE, "bridge to PCI");
	in_a_guest(n);
	sleeps(n);
	changes(n);
	through_ioapic();
	told();
	ends(tables);
}
