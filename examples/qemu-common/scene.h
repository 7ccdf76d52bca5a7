/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scene.h - what scenarios are made of: a guest with memory, DMA, faults
 */
#ifndef SCENE_H
#define SCENE_H

#include "iommuabs_host.h"
#include "vm.h"

#define SCENE_RW	(IOMMUABS_READ | IOMMUABS_WRITE)
#define SCENE_DEVICE_RW (SCENE_RW | IOMMUABS_DEVICE)

/* No RAM is at these machine frames, so a gfn is never its own mfn. */
#define SCENE_RAM_GFN  UINT64_C(0x80000)
#define SCENE_HOLE_GFN UINT64_C(0x90000)
#define SCENE_MAIL_GFN UINT64_C(0x70000)
#define SCENE_RAM_NR   512u /* one 2 MiB leaf */

struct scene {
	struct vm vm;
	const char *name; /* begins the lines about it */
	uint64_t ram;	  /* mfn at SCENE_RAM_GFN */
	uint64_t mail; /* mfn at SCENE_MAIL_GFN: where DMA leaves its answers */
};

/*
 * A guest of its own with RAM and a mailbox, no device attached. 0 or an error,
 * after which the scene is closed; scenarios report it as a failed line.
 */
int scene_open(struct scene *scene, const char *name,
	       enum iommuabs_strategy strategy);
int scene_open_as(struct scene *scene, const char *name,
		  const struct vm_options *options);
int scene_attach(struct scene *scene, unsigned int edu);
/* Detaches both edu devices, whoever has them. */
int scene_close(struct scene *scene);

/* Strategies by which a scenario is played in turn, and the lines' prefix. */
struct scene_strategy {
	enum iommuabs_strategy strategy;
	const char *name;
};
extern struct scene_strategy scene_strategies[2];

/* The first is to share the p2m, and from here on to let the library decide. */
void scene_cannot_share(void);

/* The word of 64 bits at the beginning of a machine frame. */
uint64_t *frame_word(uint64_t mfn);

/*
 * What edu @edu reads at the beginning of @gfn, brought back through the
 * mailbox of @scene; DMA_NO_ANSWER if it could not even write there.
 */
#define DMA_NO_ANSWER UINT64_C(0x0ff11ce0ff11ce00)
uint64_t dma_load(const struct scene *scene, unsigned int edu, uint64_t gfn);

/* Take @word into the device's buffer, there; write what is there to @gfn. */
#define SCENE_EDU_AT 8
void dma_take(const struct scene *scene, unsigned int edu, uint64_t word);
void dma_store(unsigned int edu, uint64_t gfn);

/* The first fault of this device since iommu_faults_forget(), or NULL. */
const struct iommuabs_fault *fault_find(unsigned int edu, uint64_t gfn,
					uint32_t access);

const char *fault_reason_text(enum iommuabs_fault_reason reason);
const char *access_text(uint32_t access);

/* A word of what the unit wrote of this fault; 0 of no fault. */
uint64_t fault_word(const struct iommuabs_fault *fault, unsigned int i);

/* A line: device_explain() says @obstacle about this access of edu 0; of @dev. */
void explain_check(const char *name, const char *what, uint64_t gfn,
		   uint32_t access, enum iommuabs_obstacle obstacle);
void explain_check_of(struct iommuabs_device *dev, const char *name,
		      const char *what, uint64_t gfn, uint32_t access,
		      enum iommuabs_obstacle obstacle);

/* Frames that belong to no scene: an mfn, or 0; all of them are @word's. */
uint64_t frame_new(uint64_t word);
void frame_free(uint64_t mfn);

#endif
