/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tablemem_object.c - small objects: the host's, or cut from pages
 */
#include "caller.h"
#include "tablemem_parts.h"

#define SLAB_SMALLEST_LG2 5

/* The head of a page; objects follow at multiples of 32 bytes. */
struct tablemem_slab {
	struct tablemem_slab *next, *prev; /* of slabs[], while it has room */
	uint16_t used;
	uint16_t free;	/* offset of the first that was given back, 0: none */
	uint16_t fresh; /* offset of the first that was never given out */
	uint16_t size_lg2;
};

#define SLAB_FIRST 32

_Static_assert(sizeof(struct tablemem_slab) <= SLAB_FIRST, "slab head");

static unsigned int object_lg2(size_t size)
{
	unsigned int lg2 = SLAB_SMALLEST_LG2;

	while ((size_t)1 << lg2 < size)
		lg2++;
	return lg2;
}

static struct tablemem_slab **slab_list(struct tablemem *mem,
					unsigned int size_lg2)
{
	return &mem->slabs[size_lg2 - SLAB_SMALLEST_LG2];
}

static bool slab_full(const struct tablemem_slab *slab)
{
	return !slab->free &&
	       slab->fresh + (1u << slab->size_lg2) > TABLEMEM_PAGE;
}

static void slab_link(struct tablemem *mem, struct tablemem_slab *slab)
{
	struct tablemem_slab **list = slab_list(mem, slab->size_lg2);

	slab->prev = NULL;
	slab->next = *list;
	if (*list)
		(*list)->prev = slab;
	*list = slab;
}

static void slab_unlink(struct tablemem *mem, struct tablemem_slab *slab)
{
	if (slab->next)
		slab->next->prev = slab->prev;
	if (slab->prev)
		slab->prev->next = slab->next;
	else
		*slab_list(mem, slab->size_lg2) = slab->next;
}

/* An object of the first page with room; NULL: no page has any. */
static void *slab_take(struct tablemem *mem, unsigned int size_lg2)
{
	struct tablemem_slab *slab = *slab_list(mem, size_lg2);
	char *object;

	if (!slab)
		return NULL;
	if (slab->free) {
		object = (char *)slab + slab->free;
		slab->free = *(uint16_t *)(void *)object;
	} else {
		object = (char *)slab + slab->fresh;
		slab->fresh += (uint16_t)(1u << size_lg2);
	}
	slab->used++;
	if (slab_full(slab))
		slab_unlink(mem, slab);
	return object;
}

static struct tablemem_slab *slab_make(struct tablemem *mem,
				       unsigned int size_lg2)
{
	struct tablemem_slab *slab;
	uint64_t maddr;

	if (tablemem_alloc(mem, &mem->account, IOMMUABS_FRAME_LG2, 0, &maddr))
		return NULL;
	slab = hostif_map(mem->host, maddr);
	*slab = (struct tablemem_slab){ .fresh = SLAB_FIRST,
					.size_lg2 = (uint16_t)size_lg2 };
	return slab;
}

static void *slab_alloc(struct tablemem *mem, unsigned int size_lg2)
{
	struct tablemem_slab *slab = NULL;
	void *object;

	for (;;) {
		ia_lock(mem->host, &mem->slab_lock);
		if (slab)
			slab_link(mem, slab);
		object = slab_take(mem, size_lg2);
		ia_unlock(mem->host, &mem->slab_lock);
		if (object)
			return object;
		slab = slab_make(mem, size_lg2);
		if (!slab)
			return NULL;
	}
}

static void slab_free(struct tablemem *mem, void *object)
{
	uintptr_t page = (uintptr_t)object & ~(uintptr_t)(TABLEMEM_PAGE - 1);
	struct tablemem_slab *slab = (void *)page;
	bool was_full, empty;

	ia_lock(mem->host, &mem->slab_lock);
	was_full = slab_full(slab);
	*(uint16_t *)object = slab->free;
	slab->free = (uint16_t)((uintptr_t)object - page);
	empty = --slab->used == 0;
	if (empty && !was_full)
		slab_unlink(mem, slab);
	if (was_full && !empty)
		slab_link(mem, slab);
	ia_unlock(mem->host, &mem->slab_lock);
	if (empty)
		tablemem_free(mem, &mem->account,
			      tablemem_page_maddr(mem, slab),
			      IOMMUABS_FRAME_LG2);
}

/* host->alloc() is promised sizes from this one on. */
#define OBJECT_MIN ((size_t)16)

void *tablemem_object_alloc(struct tablemem *mem, size_t size)
{
	const struct hostif *host = mem->host;
	void *object;

	caller_waits(host);
	size = IA_MAX(size, OBJECT_MIN);
	iommuabs_assert(size <= TABLEMEM_OBJECT_MAX);
	if (host->ops.alloc)
		object = host->ops.alloc(host->ctx, size);
	else
		object = slab_alloc(mem, object_lg2(size));
	if (object)
		__builtin_memset(object, 0, size);
	return object;
}

void tablemem_object_free(struct tablemem *mem, void *object, size_t size)
{
	if (mem->host->ops.free)
		mem->host->ops.free(mem->host->ctx, object,
				    IA_MAX(size, OBJECT_MIN));
	else
		slab_free(mem, object);
}
