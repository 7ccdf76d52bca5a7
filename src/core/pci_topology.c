/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci_topology.c - which functions can't be told apart, or reach one another
 *
 * The way of a function's DMA to its unit is walked upwards, bus by bus. Where a
 * bus is shared, where functions of one slot talk without being checked, and where
 * a port may turn a request round, everything there, and behind there, is one. On
 * a root bus different device numbers are taken to be told apart by the root
 * complex, for nothing in configuration space says more about it.
 *
 *   conventional bus    every function on it sees every other's cycles; its
 *                       bridge speaks for all of them (PCI Express to PCI/PCI-X
 *                       Bridge 1.0, 2.3): as secondary bus, device 0, function 0,
 *                       or, of a bridge that isn't of PCI Express, as itself
 *   slot, or link       its functions, unless each redirects what it sends to
 *                       another (ACS)
 *   bus of a switch     its ports, likewise; one without ACS may send into all
 *                       the others
 *   port without ACS    it may turn a request round to what it came from: all
 *                       behind it is one
 */
#include "pci_function.h"

/* ---- sets of requester IDs ---- */

bool pci_ids_have(const struct pci_ids *ids, uint32_t rid)
{
	uint32_t i;

	for (i = 0; i < ids->nr; i++)
		if (rid >= ids->spans[i].first && rid <= ids->spans[i].last)
			return true;
	return false;
}

uint32_t pci_ids_count(const struct pci_ids *ids)
{
	uint32_t i, nr = 0;

	for (i = 0; i < ids->nr; i++)
		nr += (uint32_t)ids->spans[i].last - ids->spans[i].first + 1;
	return nr;
}

uint32_t pci_ids_next(const struct pci_ids *ids, uint32_t rid)
{
	uint32_t i;

	for (i = 0; i < ids->nr; i++)
		if (rid <= ids->spans[i].last)
			return IA_MAX(rid, (uint32_t)ids->spans[i].first);
	return PCI_RIDS;
}

bool pci_ids_equal(const struct pci_ids *a, const struct pci_ids *b)
{
	uint32_t i;

	for (i = 0; i < a->nr && i < b->nr; i++)
		if (a->spans[i].first != b->spans[i].first ||
		    a->spans[i].last != b->spans[i].last)
			return false;
	return a->nr == b->nr;
}

/* Spans [@from, @to) become one that has [@first, @last], too. */
static void spans_merge(struct pci_ids *ids, uint32_t from, uint32_t to,
			struct pci_span span)
{
	uint32_t i, gone = to - from - 1;

	span.first = IA_MIN(span.first, ids->spans[from].first);
	span.last = IA_MAX(span.last, ids->spans[to - 1].last);
	ids->spans[from] = span;
	for (i = to; i < ids->nr; i++)
		ids->spans[i - gone] = ids->spans[i];
	ids->nr -= gone;
}

bool pci_ids_add(struct pci_ids *ids, uint32_t first, uint32_t last)
{
	const struct pci_span span = { (uint16_t)first, (uint16_t)last };
	uint32_t from = 0, to, i;

	while (from < ids->nr && ids->spans[from].last + 1u < first)
		from++;
	to = from;
	while (to < ids->nr && ids->spans[to].first <= last + 1)
		to++;
	if (to > from) {
		spans_merge(ids, from, to, span);
		return true;
	}
	if (ids->nr == PCI_SPANS_MAX)
		return false;
	for (i = ids->nr++; i > from; i--)
		ids->spans[i] = ids->spans[i - 1];
	ids->spans[from] = span;
	return true;
}

/* ---- functions of a bus ---- */

/*
 * The next function at or after @rid on its bus. Where there is ARI, device
 * numbers are part of the function's: each is asked. PCI_RIDS: none.
 */
static uint32_t function_next(const struct pci_walk *walk, uint32_t rid,
			      bool ari)
{
	uint32_t end = (rid | (PCI_BUS_FUNCTIONS - 1)) + 1, slot;

	for (; rid < end; rid++) {
		slot = rid & ~(PCI_SLOT_FUNCTIONS - 1u);
		if (!ari && rid != slot &&
		    !(pci_answers(walk, slot) && pci_is_multi(walk, slot)))
			rid = slot + PCI_SLOT_FUNCTIONS - 1;
		else if (pci_answers(walk, rid))
			return rid;
	}
	return PCI_RIDS;
}

struct bus_at {
	uint32_t next, end;
	bool ari;
};

static void bus_begin(const struct pci_walk *walk, uint32_t bus,
		      struct bus_at *at)
{
	at->next = bus << 8;
	at->end = at->next + PCI_BUS_FUNCTIONS;
	at->ari = pci_answers(walk, at->next) &&
		  pci_ext_find(walk, at->next, PCI_EXT_ARI);
}

static bool bus_next(const struct pci_walk *walk, struct bus_at *at,
		     uint32_t *rid)
{
	if (at->next >= at->end)
		return false;
	*rid = function_next(walk, at->next, at->ari);
	at->next = *rid + 1;
	return *rid < at->end;
}

/* ---- the way up ---- */

bool pci_walk_begin(struct pci_walk *walk, const struct hostif *host,
		    uint32_t segment)
{
	uint32_t bus;

	walk->host = host;
	walk->segment = segment;
	walk->known = 0;
	walk->ids.nr = walk->closed.nr = 0;
	for (bus = 0; bus < PCI_BUSES_MAX; bus++)
		walk->bridge[bus] = PCI_NO_BRIDGE;
	return host->ops.pci_cfg_read != NULL;
}

/* A bridge has a lower number than the buses behind it: all below are asked. */
static uint32_t bridge_of(struct pci_walk *walk, uint32_t bus)
{
	uint32_t rid, first, last;
	struct bus_at at;

	for (; walk->known < bus; walk->known++) {
		bus_begin(walk, walk->known, &at);
		while (bus_next(walk, &at, &rid))
			if (pci_bridge_buses(walk, rid, &first, &last) &&
			    walk->bridge[first] == PCI_NO_BRIDGE)
				walk->bridge[first] = (uint16_t)rid;
	}
	return walk->bridge[bus];
}

/* The physical function that @rid is a virtual one of. False: none. */
static bool physical_of(const struct pci_walk *walk, uint32_t rid,
			uint32_t *physical)
{
	struct pci_vfs vfs;
	struct bus_at at;
	uint32_t bus;

	for (bus = (rid >> 8) + 1; bus-- > 0;) {
		bus_begin(walk, bus, &at);
		while (bus_next(walk, &at, physical)) {
			vfs = pci_vfs_of(walk, *physical);
			if (vfs.nr && rid >= vfs.first &&
			    (rid - vfs.first) % vfs.stride == 0 &&
			    (rid - vfs.first) / vfs.stride < vfs.nr)
				return true;
		}
	}
	return false;
}

/* What is one: functions [@first, @last] of a bus, and all that is behind them. */
struct top {
	uint32_t first, last;
	bool whole; /* their virtual functions, too */
};

static bool is_port(enum pci_type type)
{
	return type == PCI_TYPE_ROOT_PORT || type == PCI_TYPE_UPSTREAM ||
	       type == PCI_TYPE_DOWNSTREAM;
}

static void tell(const struct pci_walk *walk, uint32_t rid, const char *why)
{
	if (walk->tell)
		hostif_log(walk->host, IOMMUABS_LOG_INFO,
			   "pci-%04x:%02x:%02x.%u: %s", walk->segment, rid >> 8,
			   rid >> 3 & 0x1f, rid & 7, why);
}

/* Has @physical a virtual function that talks to others, and isn't checked? */
static bool has_open_virtual(const struct pci_walk *walk, uint32_t physical)
{
	struct pci_vfs vfs = pci_vfs_of(walk, physical);
	uint32_t n, rid;

	for (n = 0; n < vfs.nr; n++) {
		rid = vfs.first + n * vfs.stride;
		if (pci_ext_find(walk, rid, PCI_EXT_ACS) &&
		    !pci_isolates(walk, rid))
			return true;
	}
	return false;
}

/*
 * Whom do functions that are next to @rid, a physical one, reach? All of them, as
 * soon as one of several isn't checked.
 */
static void join_neighbours(struct pci_walk *walk, uint32_t rid,
			    struct top *top)
{
	uint32_t first = rid & ~(PCI_BUS_FUNCTIONS - 1u), other, open = 0;
	uint32_t last = first + PCI_BUS_FUNCTIONS - 1, nr = 0;
	struct bus_at at;

	bus_begin(walk, rid >> 8, &at);
	if (bridge_of(walk, rid >> 8) == PCI_NO_BRIDGE) {
		first = rid & ~(PCI_SLOT_FUNCTIONS - 1u);
		last = first + PCI_SLOT_FUNCTIONS - 1;
		at.next = first;
		at.end = last + 1;
	}
	while (bus_next(walk, &at, &other)) {
		nr++;
		if (!pci_isolates(walk, other))
			open = other + 1;
		if (has_open_virtual(walk, other)) {
			nr++;
			open = other + 1;
			top->whole = true;
		}
	}
	if (nr < 2 || !open)
		return;
	tell(walk, open - 1, "without ACS: one with all of its neighbours");
	top->first = first;
	top->last = last;
}

/* Is all that is behind the bridge @rid one? */
static bool joins_below(const struct pci_walk *walk, uint32_t rid)
{
	enum pci_type type = pci_type_of(walk, rid);

	if (type == PCI_TYPE_UPSTREAM)
		return false;
	if (!is_port(type)) {
		tell(walk, rid, "all behind this bridge is one");
		return true;
	}
	if (pci_isolates(walk, rid))
		return false;
	tell(walk, rid, "a port without ACS: all behind it is one");
	return true;
}

static void climb(struct pci_walk *walk, uint32_t rid, struct top *top)
{
	uint32_t up;

	while ((up = bridge_of(walk, rid >> 8)) != PCI_NO_BRIDGE) {
		if (joins_below(walk, up))
			*top = (struct top){ up, up, true };
		rid = up;
		join_neighbours(walk, rid, top);
		if (top->first <= rid && top->last >= rid)
			top->whole = true;
	}
}

/* ---- and down ---- */

static bool span_take(struct pci_walk *walk, uint32_t first, uint32_t last)
{
	return pci_ids_add(&walk->ids, first, last) &&
	       pci_ids_add(&walk->closed, first, last);
}

static bool function_take(struct pci_walk *walk, uint32_t rid)
{
	return span_take(walk, rid, rid);
}

/* Is @rid one of the numbers that @other uses besides its own? */
static bool speaks_as(const struct pci_walk *walk, uint32_t other, uint32_t rid)
{
	return (pci_phantoms(walk, other) & 1u << (rid & 7)) ||
	       pci_quirk_function(walk, other) == (rid & 7);
}

/* The others of its slot that use the number of @rid, too. */
static bool speakers_add(struct pci_walk *walk, uint32_t rid)
{
	uint32_t slot = rid & ~(PCI_SLOT_FUNCTIONS - 1u), other;
	bool fits = true;

	if (rid == slot && !pci_is_multi(walk, slot))
		return true;
	for (other = slot; other < slot + PCI_SLOT_FUNCTIONS && fits; other++)
		if (other != rid && pci_answers(walk, other) &&
		    speaks_as(walk, other, rid))
			fits = pci_ids_add(&walk->ids, other, other);
	return fits;
}

static bool endpoint_take(struct pci_walk *walk, uint32_t rid, bool whole)
{
	uint32_t phantoms = pci_phantoms(walk, rid), n, slot = rid & ~7u;
	uint32_t quirk = pci_quirk_function(walk, rid);
	struct pci_vfs vfs = { 0 };
	bool fits = function_take(walk, rid) && speakers_add(walk, rid);

	for (n = 0; n < PCI_SLOT_FUNCTIONS && fits; n++)
		if (phantoms & 1u << n)
			fits = pci_ids_add(&walk->ids, slot | n, slot | n);
	if (quirk != ~0u && fits)
		fits = pci_ids_add(&walk->ids, slot | quirk, slot | quirk);
	if (whole)
		vfs = pci_vfs_of(walk, rid);
	for (n = 0; n < vfs.nr && fits; n++)
		fits = function_take(walk, vfs.first + n * vfs.stride);
	return fits;
}

/* What the bridge puts in place of the requester IDs of what is behind it. */
static bool bridge_take(struct pci_walk *walk, uint32_t rid)
{
	enum pci_type type = pci_type_of(walk, rid);
	uint32_t first, last;
	bool fits = true;

	if (is_port(type))
		return true;
	if (type != PCI_TYPE_TO_PCI)
		fits = function_take(walk, rid);
	if (type != PCI_TYPE_FROM_PCI &&
	    pci_bridge_buses(walk, rid, &first, &last))
		fits = fits && function_take(walk, first << 8);
	return fits;
}

static bool function_or_bridge_take(struct pci_walk *walk, uint32_t rid,
				    bool whole)
{
	return pci_is_bridge(walk, rid) ? bridge_take(walk, rid)
					: endpoint_take(walk, rid, whole);
}

/* All on the buses behind @rid. */
static bool below_take(struct pci_walk *walk, uint32_t rid)
{
	uint32_t first, last, other;
	struct bus_at at;
	bool fits = true;

	if (!pci_bridge_buses(walk, rid, &first, &last))
		return true;
	if (walk->coarse)
		return span_take(walk, first << 8,
				 last << 8 | (PCI_BUS_FUNCTIONS - 1));
	for (; first <= last; first++) {
		bus_begin(walk, first, &at);
		while (fits && bus_next(walk, &at, &other))
			fits = function_or_bridge_take(walk, other, true);
	}
	return fits;
}

static bool top_take(struct pci_walk *walk, const struct top *top)
{
	uint32_t rid;
	struct bus_at at;
	bool fits = true;

	bus_begin(walk, top->first >> 8, &at);
	at.next = top->first;
	at.end = top->last + 1;
	while (fits && bus_next(walk, &at, &rid))
		fits = function_or_bridge_take(walk, rid, top->whole) &&
		       below_take(walk, rid);
	return fits;
}

static int group_take(struct pci_walk *walk, uint32_t rid)
{
	struct top top = { rid, rid, false };
	uint32_t at = rid;
	bool fits = true;

	if (pci_answers(walk, rid)) {
		if (pci_is_bridge(walk, rid) &&
		    (is_port(pci_type_of(walk, rid)) ||
		     pci_type_of(walk, rid) == PCI_TYPE_TO_PCI))
			return function_take(walk, rid) ? 0 : IOMMUABS_E_NOTSUP;
		join_neighbours(walk, rid, &top);
	} else if (physical_of(walk, rid, &at)) {
		/* With the others only if it says so: they have ACS if they can
		 * talk to each other. */
		fits = function_take(walk, rid);
		if (pci_ext_find(walk, rid, PCI_EXT_ACS) &&
		    !pci_isolates(walk, rid))
			join_neighbours(walk, at, &top);
	} else {
		return IOMMUABS_E_NOENT;
	}
	climb(walk, at, &top);
	/* A virtual function by itself is nothing that a bus would show. */
	if (fits && (at == rid || top.whole))
		fits = top_take(walk, &top);
	return fits ? 0 : IOMMUABS_E_NOTSUP;
}

/* Whoever's DMA may carry @rid comes along with all its peers. */
static int speakers_take(struct pci_walk *walk, uint32_t rid)
{
	uint32_t slot = rid & ~(PCI_SLOT_FUNCTIONS - 1u), up, other;
	struct top top = { rid, rid, false };
	enum pci_type type;
	int ret = 0;

	if (pci_answers(walk, rid))
		ret = group_take(walk, rid);
	for (other = slot; other < slot + PCI_SLOT_FUNCTIONS && !ret; other++)
		if (pci_answers(walk, other) &&
		    !pci_ids_have(&walk->closed, other) &&
		    speaks_as(walk, other, rid))
			ret = group_take(walk, other);
	up = rid & (PCI_BUS_FUNCTIONS - 1) ? PCI_NO_BRIDGE
					   : bridge_of(walk, rid >> 8);
	if (up == PCI_NO_BRIDGE || ret)
		return ret;
	type = pci_type_of(walk, up);
	if (is_port(type) || type == PCI_TYPE_FROM_PCI)
		return 0;
	climb(walk, rid, &top);
	return top_take(walk, &top) ? 0 : IOMMUABS_E_NOTSUP;
}

int pci_group_close(struct pci_walk *walk)
{
	uint32_t rid, rounds, open = 1;
	int ret = 0;

	/* Phantoms, and what bridges and quirks give, may be somebody's own. */
	for (rounds = 0; open && rounds < PCI_ROUNDS_MAX; rounds++) {
		open = 0;
		for (rid = pci_ids_next(&walk->ids, 0); rid < PCI_RIDS && !ret;
		     rid = pci_ids_next(&walk->ids, rid + 1)) {
			if (pci_ids_have(&walk->closed, rid))
				continue;
			open++;
			ret = speakers_take(walk, rid);
			if (!ret && !pci_ids_add(&walk->closed, rid, rid))
				ret = IOMMUABS_E_NOTSUP;
		}
	}
	if (open && !ret)
		ret = IOMMUABS_E_NOTSUP;
	return ret;
}

int pci_group_add(struct pci_walk *walk, uint32_t rid)
{
	int ret = group_take(walk, rid);

	return ret ? ret : pci_group_close(walk);
}

/* ---- the way of translation requests ---- */

bool pci_is_virtual(const struct pci_walk *walk, uint32_t rid,
		    uint32_t *physical)
{
	return !pci_answers(walk, rid) && physical_of(walk, rid, physical);
}

enum pci_way pci_way_up(struct pci_walk *walk, uint32_t rid, uint32_t *end)
{
	uint32_t up;
	enum pci_type type;

	*end = rid;
	while ((up = bridge_of(walk, *end >> 8)) != PCI_NO_BRIDGE) {
		type = pci_type_of(walk, up);
		*end = up;
		if (type == PCI_TYPE_ROOT_PORT)
			return PCI_WAY_PORT;
		if (!is_port(type))
			return PCI_WAY_OTHER;
	}
	/* A port of a switch that hangs below no root port. */
	return *end == rid ? PCI_WAY_INTEGRATED : PCI_WAY_OTHER;
}
