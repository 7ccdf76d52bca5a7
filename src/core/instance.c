/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * instance.c - the instance's own life, and the numbers of its domains
 *
 * An instance is larger than the library's small objects. Without host->alloc it
 * lies in table memory, taken by a tablemem that begins on the stack and then
 * moves into what it gave: nothing in it points back at itself.
 */
#include "core.h"

#define INSTANCE_LG2 13 /* of table memory */

_Static_assert(sizeof(struct iommuabs) <= (size_t)1 << INSTANCE_LG2,
	       "as host.h says");

static bool frame_is_mapped(void *arg, uint64_t mfn, uint64_t nr)
{
	return frames_in_use(arg, mfn, nr);
}

/* Zeroed memory for the instance; *@own: as struct iommuabs has it. */
static struct iommuabs *instance_alloc(struct tablemem *mem, uint64_t *own)
{
	const struct hostif *host = mem->host;
	struct iommuabs *abs = NULL;

	*own = 0;
	if (host->ops.alloc)
		abs = host->ops.alloc(host->ctx, sizeof(*abs));
	else if (!tablemem_alloc(mem, &mem->account, INSTANCE_LG2, 0, own))
		abs = hostif_map(host, *own);
	if (abs)
		__builtin_memset(abs, 0, sizeof(*abs));
	return abs;
}

/* Give the memory back, and everything else that @abs's tablemem holds. */
static void instance_release(struct iommuabs *abs)
{
	struct hostif host = abs->host;
	struct tablemem mem = abs->mem;
	uint64_t own = abs->own;

	mem.host = &host;
	mem.frame_is_mapped = NULL;
	if (own)
		tablemem_free(&mem, &mem.account, own, INSTANCE_LG2);
	else
		host.ops.free(host.ctx, abs, sizeof(*abs));
	tablemem_exit(&mem);
}

int instance_create(const struct hostif *host, struct iommuabs **out)
{
	struct tablemem mem;
	struct iommuabs *abs;
	uint64_t own;
	int ret = tablemem_init(&mem, host);

	if (ret)
		return ret;
	abs = instance_alloc(&mem, &own);
	if (!abs) {
		tablemem_exit(&mem);
		return IOMMUABS_E_NOMEM;
	}
	abs->own = own;
	abs->host = *host;
	abs->host.ops.table_ranges = NULL; /* the host's, for this call only */
	abs->host.ops.nr_table_ranges = 0;
	abs->mem = mem;
	abs->mem.host = &abs->host;
	ret = rmap_init(&abs->rmap, &abs->mem);
	if (ret)
		goto release;
	ret = ia_lock_init(&abs->host, &abs->lock, IOMMUABS_LOCK_INSTANCE);
	if (ret)
		goto exit_rmap;
	abs->mem.frame_is_mapped = frame_is_mapped;
	abs->mem.arg = abs;
	*out = abs;
	return 0;
exit_rmap:
	rmap_exit(&abs->rmap);
release:
	instance_release(abs);
	return ret;
}

void instance_free(struct iommuabs *abs)
{
	struct iommuabs_device *dev;
	uint32_t i;

	while ((dev = abs->devices)) {
		abs->devices = dev->next;
		device_free(dev);
	}
	while (abs->units)
		unit_free(abs->units);
	registers_exit(abs);
	ats_records_drop(abs, NULL);
	for (i = 0; i < CORE_DOMAIN_CHUNKS; i++)
		if (abs->numbers[i])
			tablemem_object_free(&abs->mem, abs->numbers[i],
					     sizeof(*abs->numbers[i]));
	frames_exit(abs);
	rmap_exit(&abs->rmap);
	ia_lock_exit(&abs->host, &abs->lock);
	instance_release(abs);
}

static struct iommuabs_domain **number_slot(const struct iommuabs *abs,
					    uint32_t number)
{
	struct core_domain_chunk *chunk =
		abs->numbers[number >> CORE_DOMAIN_CHUNK_LG2];

	return chunk ? &chunk->domains[number & IA_BITS(CORE_DOMAIN_CHUNK_LG2)]
		     : NULL;
}

struct iommuabs_domain *domain_find(struct iommuabs *abs, uint16_t number)
{
	struct iommuabs_domain **slot, *dom = NULL;

	if (number >> CORE_DOMAINS_LG2)
		return NULL;
	ia_lock(&abs->host, &abs->lock);
	slot = number_slot(abs, number);
	if (slot)
		dom = *slot;
	ia_unlock(&abs->host, &abs->lock);
	return dom;
}

struct iommuabs_domain *domain_after(struct iommuabs *abs,
				     const struct iommuabs_domain *prev)
{
	struct iommuabs_domain *dom;

	ia_lock(&abs->host, &abs->lock);
	dom = prev ? prev->next : abs->domains;
	ia_unlock(&abs->host, &abs->lock);
	return dom;
}

struct iommuabs_domain *domain_after_number(struct iommuabs *abs,
					    uint32_t number)
{
	struct iommuabs_domain **slot, *dom = NULL;

	ia_lock(&abs->host, &abs->lock);
	while (!dom && ++number >> CORE_DOMAINS_LG2 == 0) {
		slot = number_slot(abs, number);
		if (!slot) /* to the end of the chunk that is missing */
			number |= IA_BITS(CORE_DOMAIN_CHUNK_LG2);
		else if (*slot && (*slot)->listed)
			dom = *slot;
	}
	ia_unlock(&abs->host, &abs->lock);
	return dom;
}

/*
 * Lock held. The first free number, or 0 and in *@chunk the first chunk that is
 * missing (CORE_DOMAIN_CHUNKS: none is).
 */
static uint32_t number_free(const struct iommuabs *abs, uint32_t *chunk)
{
	struct iommuabs_domain **slot;
	uint32_t number;

	for (number = 1; number >> CORE_DOMAINS_LG2 == 0; number++) {
		slot = number_slot(abs, number);
		if (!slot) {
			*chunk = number >> CORE_DOMAIN_CHUNK_LG2;
			return 0;
		}
		if (!*slot)
			return number;
	}
	*chunk = CORE_DOMAIN_CHUNKS;
	return 0;
}

int domain_number_take(struct iommuabs *abs, struct iommuabs_domain *dom)
{
	struct core_domain_chunk *spare = NULL;
	uint32_t number, chunk;

	for (;;) {
		ia_lock(&abs->host, &abs->lock);
		number = number_free(abs, &chunk);
		if (!number && spare && chunk < CORE_DOMAIN_CHUNKS) {
			abs->numbers[chunk] = spare;
			spare = NULL;
			number = number_free(abs, &chunk);
		}
		if (number) {
			*number_slot(abs, number) = dom;
			dom->owner.number = (uint16_t)number;
		}
		ia_unlock(&abs->host, &abs->lock);
		if (number || chunk == CORE_DOMAIN_CHUNKS)
			break;
		spare = tablemem_object_alloc(&abs->mem, sizeof(*spare));
		if (!spare)
			return IOMMUABS_E_NOMEM;
	}
	if (spare) /* another caller brought the chunk */
		tablemem_object_free(&abs->mem, spare, sizeof(*spare));
	return number ? 0 : IOMMUABS_E_NOMEM;
}

void domain_number_give(struct iommuabs *abs, struct iommuabs_domain *dom)
{
	ia_lock(&abs->host, &abs->lock);
	*number_slot(abs, dom->owner.number) = NULL;
	ia_unlock(&abs->host, &abs->lock);
}
