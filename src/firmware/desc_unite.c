/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * desc_unite.c - devices that can't be told apart become one
 *
 * All streams are sorted by unit and id; one sweep then sees which meet. Whoever
 * has an id in common is the same device. Whoever lies wholly inside a range
 * device may be carved out of it, unless that would tear something else apart:
 * where a range device meets another one, or something is inside one in part
 * only, all that hangs together is one device.
 */
#include <iommuabs/error.h>

#include "desc.h"

static uint64_t end_of(const struct desc_stream *stream)
{
	return (uint64_t)stream->first + stream->nr;
}

static bool is_range(const struct desc_device *device)
{
	return device->flags & IOMMUABS_DEVICE_RANGE;
}

/* ---- order ---- */

/* What may contain the other is first. */
static bool is_before(const struct desc_stream *a, const struct desc_stream *b)
{
	if (a->unit != b->unit)
		return a->unit->number < b->unit->number;
	if (a->first != b->first)
		return a->first < b->first;
	if (a->nr != b->nr)
		return a->nr > b->nr;
	return is_range(a->device) > is_range(b->device);
}

static struct desc_stream *merge(struct desc_set *set, struct desc_stream *a,
				 struct desc_stream *b)
{
	struct desc_stream *list = NULL, **last = &list;

	while (a && b) {
		struct desc_stream **least = is_before(b, a) ? &b : &a;

		*last = *least;
		last = &(*least)->by_id;
		*least = *last;
		set->work++;
	}
	*last = a ? a : b;
	return list;
}

static struct desc_stream *sort(struct desc_set *set)
{
	/* The n-th: sorted, of 2^n streams. */
	struct desc_stream *lists[33] = { NULL }, *stream, *list;
	struct desc_device *device;
	unsigned int n;

	for (device = set->devices; device; device = device->next) {
		if (device->unknown)
			continue;
		for (stream = device->streams; stream; stream = stream->next) {
			stream->device = device;
			stream->by_id = NULL;
			list = stream;
			for (n = 0; lists[n]; n++) {
				list = merge(set, lists[n], list);
				lists[n] = NULL;
			}
			lists[n] = list;
		}
	}
	list = NULL;
	for (n = 0; n < IA_COUNT(lists); n++)
		list = merge(set, lists[n], list);
	return list;
}

/* ---- what hangs together: trees whose root is the device that is first ---- */

enum {
	BY_ID,	  /* one of either's streams meets one of the other's */
	BY_RANGE, /* likewise, or lies within it */
};

static struct desc_device *root_of(struct desc_set *set,
				   struct desc_device *device, int how)
{
	struct desc_device *up;

	while ((up = device->group.up[how]) != NULL) {
		/* Half the way for whoever comes next. */
		if (up->group.up[how])
			device->group.up[how] = up->group.up[how];
		device = up;
		set->work++;
	}
	return device;
}

static void join(struct desc_set *set, struct desc_device *a,
		 struct desc_device *b, int how)
{
	a = root_of(set, a, how);
	b = root_of(set, b, how);
	if (a->group.number < b->group.number)
		b->group.up[how] = a;
	else if (a != b)
		a->group.up[how] = b;
}

static void join_by_id(struct desc_set *set, struct desc_device *a,
		       struct desc_device *b)
{
	if (a == b)
		return;
	join(set, a, b, BY_ID);
	join(set, a, b, BY_RANGE);
}

/* Of the streams so far, those that reach farthest. */
struct reach {
	struct desc_stream *range, *other;
};

static bool reaches(const struct desc_stream *stream,
		    const struct desc_stream *next)
{
	return stream && stream->unit == next->unit &&
	       end_of(stream) > next->first;
}

static void meet(struct desc_set *set, struct reach *reach,
		 struct desc_stream *stream)
{
	struct desc_device *device = stream->device;
	struct desc_stream **farthest =
		is_range(device) ? &reach->range : &reach->other;

	if (reaches(reach->other, stream))
		join_by_id(set, reach->other->device, device);
	if (reaches(reach->range, stream)) {
		if (is_range(device) || end_of(stream) > end_of(reach->range)) {
			join_by_id(set, reach->range->device, device);
		} else {
			join(set, reach->range->device, device, BY_RANGE);
			device->group.nr_inside++;
		}
	}
	if (!reaches(*farthest, stream) || end_of(stream) > end_of(*farthest))
		*farthest = stream;
}

/* Ids of other makers' units mean something else, if anything. */
static void meet_all(struct desc_set *set, struct desc_stream *sorted)
{
	struct reach reach = { NULL, NULL };

	for (; sorted; sorted = sorted->by_id)
		if (sorted->unit->type != IOMMUABS_UNIT_OTHER)
			meet(set, &reach, sorted);
}

/* One range, and the others wholly inside it: else all of them are torn. */
static void find_torn(struct desc_set *set)
{
	struct desc_device *device, *root;

	for (device = set->devices; device; device = device->next) {
		root = root_of(set, device, BY_RANGE);
		if (!is_range(device))
			continue;
		root->group.torn |= root->group.range != NULL;
		root->group.range = device;
	}
	for (device = set->devices; device; device = device->next) {
		root = root_of(set, device, BY_RANGE);
		if (root->group.range && !is_range(device) &&
		    device->group.nr_inside != device->group.nr_streams)
			root->group.torn = true;
	}
}

static void find_heads(struct desc_set *set)
{
	struct desc_device *device, *root;

	for (device = set->devices; device; device = device->next) {
		root = root_of(set, device, BY_RANGE);
		device->group.head =
			root->group.torn ? root : root_of(set, device, BY_ID);
	}
	for (device = set->devices; device; device = device->next) {
		root = device->group.head;
		if (root == device)
			continue;
		root->group.nr_aliases++;
		root->partial |= device->partial;
	}
}

/* ---- the others become the head's aliases ---- */

static int too_many(struct desc_set *set, const struct desc_device *device,
		    const char *what)
{
	hostif_format(set->error, sizeof(set->error),
		      "%s and what shares ids with it: too many %s",
		      device->path, what);
	return IOMMUABS_E_FIRMWARE;
}

/*
 * In order, so that what meets or continues the last one makes it longer. Where
 * no unit sees a part of it, the whole is untranslated.
 */
static int stream_take(struct desc_set *set, struct desc_device *head,
		       struct desc_stream *stream)
{
	struct desc_stream *last = head->group.last;

	if (last && last->unit == stream->unit &&
	    end_of(last) >= stream->first) {
		last->nr = (uint32_t)(IA_MAX(end_of(last), end_of(stream)) -
				      last->first);
		tablemem_object_free(set->mem, stream, sizeof(*stream));
		return 0;
	}
	if (head->partial ||
	    (stream->unit->type == IOMMUABS_UNIT_OTHER &&
	     head->group.nr_streams == IOMMUABS_STREAM_RANGES_MAX)) {
		tablemem_object_free(set->mem, stream, sizeof(*stream));
		return 0;
	}
	stream->next = NULL;
	if (last)
		last->next = stream;
	else
		head->streams = stream;
	head->group.last = stream;
	return head->group.nr_streams++ == IOMMUABS_STREAM_RANGES_MAX
		       ? too_many(set, head, "streams")
		       : 0;
}

/* On error too, each stream is in some device's list, or free. */
static int streams_take(struct desc_set *set, struct desc_stream *sorted)
{
	struct desc_device *device, *head;
	struct desc_stream *next;
	int ret = 0, taken;

	for (device = set->devices; device; device = device->next)
		if (device->group.head->group.nr_aliases) {
			device->streams = NULL;
			device->group.nr_streams = 0;
		}
	for (; sorted; sorted = next) {
		next = sorted->by_id;
		head = sorted->device->group.head;
		if (!head->group.nr_aliases)
			continue;
		taken = stream_take(set, head, sorted);
		ret = ret ? ret : taken;
	}
	return ret;
}

static int alias_take(struct desc_set *set, struct desc_device *head,
		      struct desc_device *device)
{
	struct desc_alias **last = &head->aliases, *alias;
	struct desc_reserved *at;
	int ret = 0;

	if (head->group.nr_aliases > IOMMUABS_ALIASES_MAX)
		return too_many(set, head, "devices");
	alias = tablemem_object_alloc(set->mem, sizeof(*alias));
	if (!alias)
		return IOMMUABS_E_NOMEM;
	while (*last)
		last = &(*last)->next;
	*last = alias;
	if (device->flags & IOMMUABS_DEVICE_PCI) {
		alias->pci = device->pci;
		alias->nr_pci = device->nr_pci;
	}
	hostif_format(alias->path, sizeof(alias->path), "%s", device->path);
	head->flags |= device->flags & IOMMUABS_DEVICE_UNSAFE_MSI;
	head->flags &= ~IOMMUABS_DEVICE_RANGE;
	head->rid_ignored = 0;
	for (at = device->reserved; at && !ret; at = at->next)
		ret = desc_reserve(set, head, &at->region);
	return ret == IOMMUABS_E_FIRMWARE
		       ? too_many(set, head, "reserved regions")
		       : ret;
}

static int aliases_take(struct desc_set *set)
{
	struct desc_device **at = &set->devices, *device, *head;
	int ret;

	while ((device = *at) != NULL) {
		head = device->group.head;
		if (head == device) {
			at = &device->next;
			continue;
		}
		ret = alias_take(set, head, device);
		if (ret)
			return ret;
		*at = device->next;
		desc_device_free(set, device);
	}
	return 0;
}

static void groups_init(struct desc_set *set)
{
	struct desc_device *device;
	struct desc_stream *stream;
	struct desc_unit *unit;
	uint32_t n = 0;

	for (unit = set->units; unit; unit = unit->next)
		unit->number = n++;
	n = 0;
	for (device = set->devices; device; device = device->next) {
		device->group = (struct desc_group){ .number = n++ };
		for (stream = device->streams; stream; stream = stream->next)
			device->group.nr_streams++;
	}
}

int desc_unite(struct desc_set *set)
{
	struct desc_stream *sorted;
	int ret;

	groups_init(set);
	sorted = sort(set);
	meet_all(set, sorted);
	find_torn(set);
	find_heads(set);
	ret = streams_take(set, sorted);
	return ret ? ret : aliases_take(set);
}
