/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * msi.c - the interrupts of a device that a guest has are messages
 *
 * A message is a write, translated like any other: it arrives where the host has
 * mapped the doorbell for the guest, and only there.
 */
#include <stddef.h>
#include "edu.h"
#include "its.h"
#include "msi.h"
#include "pages.h"
#include "scenarios_arm64.h"
#include "scene.h"
#include "tap.h"
#include "timer.h"

#define DOORBELL_GFN UINT64_C(0xa8000)
#define EVENT	     1
#define TIMEOUT_US   10000

static struct message {
	uint32_t lpi; /* 0: not mapped yet */
	volatile int arrived;
} messages[IOMMU_NR_EDUS];

static void message_irq(void *arg)
{
	struct message *message = arg;

	message->arrived = 1;
}

void msi_set(unsigned int edu, uint64_t doorbell)
{
	const struct pci_device *pci = edu_get(edu)->pci;
	struct message *message = &messages[edu];

	if (!message->lpi)
		message->lpi = its_map(pci->bdf, EVENT, message_irq, message);
	pci_msi_set(pci, doorbell, EVENT);
}

int msi_raise(unsigned int edu, uint32_t *lpi)
{
	struct message *message = &messages[edu];

	*lpi = message->lpi;
	message->arrived = 0;
	edu_raise(edu_get(edu));
	(void)timer_wait(&message->arrived, TIMEOUT_US);
	edu_lower(edu_get(edu));
	return message->arrived;
}

static void blocked(const struct scene *scene, const char *what)
{
	const struct iommuabs_fault *fault;
	uint32_t lpi;
	int came;

	iommu_faults_forget();
	came = msi_raise(0, &lpi);
	fault = fault_find(0, DOORBELL_GFN, IOMMUABS_WRITE);
	tap_check(!came && fault && fault->dom == scene->vm.dom,
		  "%s: %s is blocked and reported: gfn %lx, the ITS's "
		  "mfn %lx, %s; %s fault of a write, event words %016lx "
		  "%016lx %016lx",
		  scene->name, what, DOORBELL_GFN, its_doorbell() >> PAGE_LG2,
		  came ? "ARRIVED" : "nothing arrived",
		  fault ? fault_reason_text(fault->reason) : "NO",
		  fault_word(fault, 0), fault_word(fault, 1),
		  fault_word(fault, 2));
	explain_check(scene->name, what, DOORBELL_GFN, IOMMUABS_WRITE,
		      IOMMUABS_OBSTACLE_NOT_MAPPED);
}

static int arrives(struct scene *scene)
{
	const uint64_t mfn = its_doorbell() >> PAGE_LG2;
	uint32_t lpi;
	int st = vm_map(&scene->vm, DOORBELL_GFN, mfn, 1, SCENE_DEVICE_RW);
	int first = msi_raise(0, &lpi), second = msi_raise(0, &lpi);

	tap_check(
		!st && first && second,
		"%s: an MSI arrives where the doorbell is mapped: gfn %lx is "
		"the ITS's mfn %lx; edu 0, DeviceID %x, raises LPI %u: %s, %s",
		scene->name, DOORBELL_GFN, mfn, edu_get(0)->pci->bdf, lpi,
		first ? "arrived" : "LOST", second ? "arrived" : "LOST");
	return st;
}

static void one_strategy(const struct scene_strategy *how)
{
	const uint64_t in_frame = its_doorbell() % PAGE_SIZE;
	struct scene scene;

	if (scene_open(&scene, how->name, how->strategy))
		return;
	if (!scene_attach(&scene, 0)) {
		msi_set(0, (DOORBELL_GFN << PAGE_LG2) + in_frame);
		blocked(&scene, "an MSI before its doorbell is mapped");
		if (!arrives(&scene) && !vm_unmap(&scene.vm, DOORBELL_GFN, 1))
			blocked(&scene,
				"an MSI after the doorbell was taken away");
		msi_set(0, 0);
	}
	scene_close(&scene);
}

void scenario_msi(void)
{
	one_strategy(&scene_strategies[0]);
	one_strategy(&scene_strategies[1]);
}
