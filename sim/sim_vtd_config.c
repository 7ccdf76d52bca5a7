/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_vtd_config.c - root, context and PASID tables: what may be fetched of
 * them, and which address spaces requesters may so use (VT-d 3.4, 9.1 to 9.6)
 */
#include "sim_vtd.h"
#include <stdlib.h>
#include <string.h>

/* ---- where entries are ---- */

static unsigned int entry_lg2(const struct iommuabs_sim_unit *u)
{
	return vtd_is_scalable(u) ? 5 : 4;
}

static uint32_t per_table(const struct iommuabs_sim_unit *u)
{
	return PAGE_SIZE >> entry_lg2(u);
}

/* Of the root table's words: two for each bus. */
static uint32_t root_index(const struct iommuabs_sim_unit *u, uint32_t sid)
{
	return 2 * (sid >> 8) + (vtd_is_scalable(u) ? sid >> 7 & 1 : 0);
}

/* The requester of the first entry that word @index of the root leads to. */
static uint32_t first_of(uint32_t index)
{
	return index / 2 << 8 | (index % 2) << 7;
}

static unsigned int reason(const struct iommuabs_sim_unit *u,
			   unsigned int legacy, unsigned int scalable)
{
	return vtd_is_scalable(u) ? scalable : legacy;
}

/* ---- context entries that may be fetched ---- */

struct fetch {
	entry_fn fn;
	void *arg;
	struct place place;
};

static void through_root(struct iommuabs_sim_unit *u, struct fetch *f,
			 uint64_t root, uint32_t epoch)
{
	struct entry none = { .event = reason(u, F_ROOT_ABSENT,
					      FS_ROOT_ABSENT) };

	if (!(root & ENTRY_P)) {
		f->fn(u, &none, f->arg);
		return;
	}
	f->place.at = (root & ENTRY_ADDR) +
		      ((uint64_t)(f->place.sid % per_table(u)) << entry_lg2(u));
	f->place.epoch = epoch;
	sim_each_entry(u, &f->place, f->fn, f->arg);
}

static void through_table(struct iommuabs_sim_unit *u, struct fetch *f,
			  uint64_t table)
{
	struct iommuabs_sim_arena *a = u->arena;
	uint64_t at = (table & RTADDR_TABLE) +
		      8 * (uint64_t)root_index(u, f->place.sid);
	struct value values[MAX_VALUES];
	struct entry none = { .event = reason(u, F_ROOT_ACCESS,
					      FS_ROOT_ACCESS) };
	unsigned int i, nr;

	if (!sim_inside(a, at, 8)) {
		f->fn(u, &none, f->arg);
		return;
	}
	nr = sim_values(a, sim_word(a, at), 0, values);
	for (i = 0; i < nr; i++) {
		if (!values[i].init)
			sim_violation(a, IOMMUABS_SIM_V_UNINIT,
				      "a root entry at %#llx may be fetched "
				      "before it was ever stored",
				      (unsigned long long)at);
		through_root(u, f, values[i].v, values[i].epoch);
	}
}

static void each_kept(struct iommuabs_sim_unit *u, uint32_t sid, entry_fn fn,
		      void *arg)
{
	struct vec *kept = &u->vtd->kept_contexts;
	uint32_t i;

	for (i = 0; u->arena->adversary && i < kept->nr; i++) {
		const struct cached *c = vec_at(kept, i);
		struct entry e = { .event = 0 };

		if (c->sid != sid)
			continue;
		memcpy(e.w, c->w, sizeof(e.w));
		fn(u, &e, arg);
	}
}

/* What is fetched of memory, or was since its words changed. */
static void each_fetched(struct iommuabs_sim_unit *u, uint32_t sid, entry_fn fn,
			 void *arg)
{
	struct vtd *vtd = u->vtd;
	struct fetch f = { fn,
			   arg,
			   { sid, 0, &vtd->stale_contexts, "a context entry",
			     reason(u, F_CONTEXT_ACCESS, FS_CONTEXT_ACCESS),
			     NOWHERE, 0, vtd_is_scalable(u) ? 2 : 1 } };
	uint32_t i;

	through_table(u, &f, vtd->root);
	if (vtd->command.runs && vtd->bits & G_SRTP)
		through_table(u, &f, vtd->next_root);
	for (i = 0; i < vtd->stale_roots.nr; i++) {
		const struct stale_root *s = vec_at(&vtd->stale_roots, i);

		if (s->index == root_index(u, sid))
			through_root(u, &f, s->value, 0);
	}
	f.place.at = NOWHERE;
	sim_each_entry(u, &f.place, fn, arg);
}

void vtd_each_context(struct iommuabs_sim_unit *u, uint32_t sid, entry_fn fn,
		      void *arg)
{
	each_fetched(u, sid, fn, arg);
	each_kept(u, sid, fn, arg);
}

/* ---- PASID-table entries ---- */

static void through_directory(struct iommuabs_sim_unit *u, struct fetch *f,
			      uint32_t pasid, const struct value *value)
{
	struct entry none = { .event = FS_DIR_ABSENT };

	if (!(value->v & ENTRY_P)) {
		f->fn(u, &none, f->arg);
		return;
	}
	f->place.at = (value->v & ENTRY_ADDR) +
		      ((uint64_t)pasid % BIT64(PASID_LG2) << PASID_LG2);
	f->place.epoch = value->epoch;
	if (sim_inside(u->arena, f->place.at, 64))
		f->place.sid = sim_word(u->arena, f->place.at);
	sim_each_entry(u, &f->place, f->fn, f->arg);
}

void vtd_each_pasid(struct iommuabs_sim_unit *u, const struct entry *context,
		    entry_fn fn, void *arg)
{
	struct iommuabs_sim_arena *a = u->arena;
	uint32_t pasid = SCTX1_RID(context->w[1]), index = pasid >> PASID_LG2;
	uint64_t at = (context->w[0] & ENTRY_ADDR) + 8 * (uint64_t)index;
	struct value values[MAX_VALUES];
	struct entry none = { .event = FS_DIR_ACCESS };
	struct fetch f = { fn,
			   arg,
			   { UINT32_MAX, pasid, &u->vtd->stale_pasids,
			     "a PASID-table entry", FS_PASID_ACCESS, NOWHERE, 0,
			     1 } };
	unsigned int i, nr;

	if (!sim_inside(a, at, 8)) {
		fn(u, &none, arg);
		return;
	}
	nr = sim_values(a, sim_word(a, at), context->epoch, values);
	for (i = 0; i < nr; i++) {
		if (!values[i].init)
			sim_violation(a, IOMMUABS_SIM_V_UNINIT,
				      "a PASID directory at %#llx may be "
				      "fetched before it was ever stored",
				      (unsigned long long)at);
		through_directory(u, &f, pasid, &values[i]);
	}
}

/* ---- what is wrong with them ---- */

static bool walks(const struct iommuabs_sim_unit *u, unsigned int aw)
{
	return aw >= 1 && aw <= 3 && u->vtd->config.sagaw >> aw & 1;
}

static unsigned int legacy_wrong(const struct iommuabs_sim_unit *u,
				 const uint64_t w[4], const char **why)
{
	if (w[0] & CTX0_RES0 || w[1] & CTX1_RES0) {
		*why = "reserved bits are set";
		return F_CONTEXT_RESERVED;
	}
	if (CTX0_TT(w[0]) == 3 ||
	    (CTX0_TT(w[0]) == TT_ATS && !u->vtd->config.dt)) {
		*why = "TT is reserved or not supported";
		return F_CONTEXT_INVALID;
	}
	if (!walks(u, CTX1_AW(w[1]))) {
		*why = "AW is not supported (CAP.SAGAW)";
		return F_CONTEXT_INVALID;
	}
	if (CTX1_DID(w[1]) >> (4 + 2 * u->vtd->config.nd)) {
		*why = "DID is wider than CAP.ND says";
		return F_CONTEXT_INVALID;
	}
	return 0;
}

unsigned int vtd_context_wrong(const struct iommuabs_sim_unit *u,
			       const uint64_t w[4], const char **why)
{
	if (!vtd_is_scalable(u))
		return legacy_wrong(u, w, why);
	if (!(w[0] & SCTX0_RES0) && !(w[1] & SCTX1_RES0) && !w[2] && !w[3] &&
	    (u->vtd->config.dt || !(w[0] & SCTX0_DTE)))
		return 0;
	*why = "reserved bits are set";
	return FS_CONTEXT_RESERVED;
}

unsigned int vtd_pasid_wrong(const struct iommuabs_sim_unit *u,
			     const uint64_t w[4], const char **why)
{
	if (w[0] & PASID0_RES0 || w[1] & PASID1_RES0) {
		*why = "reserved bits are set";
		return FS_PASID_RESERVED;
	}
	*why = NULL;
	if (PASID0_PGTT(w[0]) != PGTT_SECOND)
		*why = "PGTT is not second-stage";
	else if (!walks(u, PASID0_AW(w[0])))
		*why = "AW is not supported (CAP.SAGAW)";
	else if (PASID1_DID(w[1]) >> (4 + 2 * u->vtd->config.nd))
		*why = "DID is wider than CAP.ND says";
	else if (w[1] & PASID1_PWSNP && !u->vtd->config.smpwc)
		*why = "PWSNP, but ECAP.SMPWCS is 0";
	else if (w[1] & PASID1_PGSNP && !u->vtd->config.sc)
		*why = "PGSNP, but ECAP.SC is 0";
	return *why ? FS_PASID_INVALID : 0;
}

struct regime *vtd_regime(struct iommuabs_sim_unit *u, uint16_t did,
			  uint64_t table, unsigned int aw)
{
	static const struct granule pages = { .lg2 = PAGE_LG2 };
	const uint64_t key[4] = { table, aw, 0, 0 };
	const struct tag tag = { .vmid = did };
	struct regime *r = sim_find_regime(u, key, &tag);

	if (r)
		return r;
	r = sim_new_regime(u, &vtd_format, key, &tag);
	r->granule = &pages;
	r->start_level = LAST_LEVEL - 1 - (int)aw;
	r->ia_bits = 30 + 9 * aw;
	r->pa_bits = u->vtd->config.haw;
	r->ttb = table;
	r->first_block = LAST_LEVEL - (int)(u->vtd->config.sslps & 1) -
			 (u->vtd->config.sslps == 3);
	return r;
}

/* ---- all that a requester may use now ---- */

static struct stream *find_stream(struct iommuabs_sim_unit *u, uint32_t sid)
{
	struct stream *s = u->vtd->streams;

	while (s && s->sid != sid)
		s = s->next;
	return s;
}

struct stream *vtd_get_stream(struct iommuabs_sim_unit *u, uint32_t sid)
{
	struct stream *s = find_stream(u, sid);

	if (s)
		return s;
	s = calloc(1, sizeof(*s));
	if (!s)
		abort();
	s->sid = sid;
	s->next = u->vtd->streams;
	u->vtd->streams = s;
	return s;
}

struct collected {
	uint32_t sid;
	struct regime *regimes[MAX_REGIMES];
	uint32_t epochs[MAX_REGIMES];
	unsigned int nr;
	bool quiet, ats;
};

static void add_regime(struct collected *c, struct regime *r, uint32_t epoch)
{
	unsigned int i;

	for (i = 0; i < c->nr; i++) {
		if (c->regimes[i] == r)
			return;
	}
	if (c->nr < MAX_REGIMES) {
		c->epochs[c->nr] = epoch;
		c->regimes[c->nr++] = r;
	}
}

static bool is_wrong(struct iommuabs_sim_unit *u, const struct collected *c,
		     unsigned int fault, const char *what, const char *why)
{
	if (fault && !c->quiet)
		sim_violation(u->arena, IOMMUABS_SIM_V_BAD_STE,
			      "requester %#x, %s: %s", c->sid, what, why);
	return fault;
}

static void collect_pasid(struct iommuabs_sim_unit *u, const struct entry *e,
			  void *arg)
{
	struct collected *c = arg;
	const char *why = "";

	if (e->event || !(e->w[0] & ENTRY_P) ||
	    is_wrong(u, c, vtd_pasid_wrong(u, e->w, &why), "PASID-table entry",
		     why))
		return;
	add_regime(c,
		   vtd_regime(u, PASID1_DID(e->w[1]), e->w[0] & ENTRY_ADDR,
			      PASID0_AW(e->w[0])),
		   e->epoch);
}

static void add_role(struct iommuabs_sim_unit *u, uint64_t maddr,
		     enum vtd_page kind, uint32_t first)
{
	struct iommuabs_sim_arena *a = u->arena;
	struct vtd_role *role, **list;

	if (!sim_inside(a, maddr, PAGE_SIZE))
		return;
	list = &a->vtd_roles[(maddr - a->config.base) >> PAGE_LG2];
	for (role = *list; role; role = role->next) {
		if (role->unit == u && role->kind == kind &&
		    role->first == first)
			return;
	}
	role = calloc(1, sizeof(*role));
	if (!role)
		abort();
	*role = (struct vtd_role){ *list, u, kind, first };
	*list = role;
}

/* A directory, and the tables that it leads to, as they are now. */
static void link_directory(struct iommuabs_sim_unit *u, const struct entry *e)
{
	struct iommuabs_sim_arena *a = u->arena;
	uint64_t at = e->w[0] & ENTRY_ADDR, word;
	uint32_t i, nr = 1u << (SCTX0_PDTS(e->w[0]) + 7);

	if (!sim_inside(a, at, 8 * nr))
		return;
	add_role(u, at, PAGE_DIRECTORY, 0);
	sim_check_ready(a, at, 8 * nr, e->epoch, "a PASID directory");
	for (i = 0; i < nr; i++) {
		word = sim_cpu_word(a, at + 8 * i);
		if (!(word & ENTRY_P))
			continue;
		if (sim_inside(a, word & ENTRY_ADDR, PAGE_SIZE))
			sim_check_ready(a, word & ENTRY_ADDR, PAGE_SIZE,
					e->epoch, "a PASID table");
		add_role(u, word & ENTRY_ADDR, PAGE_PASIDS, i << PASID_LG2);
	}
}

static void collect(struct iommuabs_sim_unit *u, const struct entry *e,
		    void *arg)
{
	struct collected *c = arg;
	const char *why = "";

	if (e->event || !(e->w[0] & ENTRY_P) ||
	    is_wrong(u, c, vtd_context_wrong(u, e->w, &why), "context entry",
		     why))
		return;
	c->ats |= vtd_is_scalable(u) ? e->w[0] & SCTX0_DTE
				     : CTX0_TT(e->w[0]) == TT_ATS;
	if (vtd_is_scalable(u)) {
		link_directory(u, e);
		vtd_each_pasid(u, e, collect_pasid, c);
	} else if (CTX0_TT(e->w[0]) != TT_PASS) {
		add_regime(c,
			   vtd_regime(u, CTX1_DID(e->w[1]),
				      e->w[0] & ENTRY_ADDR, CTX1_AW(e->w[1])),
			   e->epoch);
	}
}

static bool among(struct regime *const *list, unsigned int nr,
		  const struct regime *r)
{
	while (nr && list[nr - 1] != r)
		nr--;
	return nr;
}

void vtd_atc_leaf(struct iommuabs_sim_unit *u, const struct leaf *t)
{
	const struct stream *s;

	for (s = u->vtd->streams; u->vtd->config.dt && s; s = s->next) {
		if (s->ats && among(s->regimes, s->nr_regimes, t->regime))
			sim_atc_add(u, s->sid, t);
	}
}

static void stream_update(struct iommuabs_sim_unit *u, struct stream *s)
{
	struct collected c = { .sid = s->sid, .quiet = !vtd_may_be_enabled(u) };
	struct regime *old[MAX_REGIMES];
	unsigned int i, nr_old = s->nr_regimes;

	vtd_each_context(u, s->sid, collect, &c);
	memcpy(old, s->regimes, sizeof(old));
	for (i = 0; i < c.nr; i++) {
		if (!among(old, nr_old, c.regimes[i]))
			sim_regime_lives(u, c.regimes[i], c.epochs[i]);
		s->regimes[i] = c.regimes[i];
	}
	s->nr_regimes = c.nr;
	for (i = 0; i < nr_old; i++) {
		bool stays = among(c.regimes, c.nr, old[i]);

		/* What the device asked for while it could it keeps. */
		if (s->ats && !(stays && c.ats))
			sim_atc_add_all(u, s->sid, old[i]);
		if (stays)
			continue;
		sim_regime_dies(u, old[i]);
	}
	s->ats = c.ats;
}

void vtd_streams_update(struct iommuabs_sim_unit *u)
{
	struct stream *s;

	for (s = u->vtd->streams; s && u->arena->adversary; s = s->next)
		stream_update(u, s);
}

/* ---- which pages hold entries ---- */

static void link_contexts(struct iommuabs_sim_unit *u, uint32_t index,
			  uint64_t root, uint32_t epoch)
{
	struct iommuabs_sim_arena *a = u->arena;
	uint64_t at = root & ENTRY_ADDR, word;
	uint32_t i, first = first_of(index);

	if (root & ROOT_RES0 && root & ENTRY_P)
		sim_violation(a, IOMMUABS_SIM_V_RESERVED,
			      "root entry %#llx has reserved bits set",
			      (unsigned long long)root);
	if (!(root & ENTRY_P) || !sim_inside(a, at, PAGE_SIZE))
		return;
	sim_check_ready(a, at, PAGE_SIZE, epoch, "a context table");
	add_role(u, at, PAGE_CONTEXTS, first);
	for (i = 0; i < per_table(u); i++) {
		word = at + ((uint64_t)i << entry_lg2(u));
		if (!(sim_cpu_word(a, word) & ENTRY_P) ||
		    find_stream(u, first + i))
			continue;
		sim_newest_entry(a, word, vtd_is_scalable(u) ? 4 : 2,
				 vtd_get_stream(u, first + i)->meant);
	}
}

void vtd_reach(struct iommuabs_sim_unit *u, uint64_t root)
{
	struct iommuabs_sim_arena *a = u->arena;
	uint64_t at = root & RTADDR_TABLE;
	uint32_t i;

	if (!a->adversary || !sim_inside(a, at, PAGE_SIZE))
		return;
	sim_check_ready(a, at, PAGE_SIZE, 0, "a root table");
	add_role(u, at, PAGE_ROOT, 0);
	for (i = 0; i < PAGE_WORDS; i++) {
		if (vtd_is_scalable(u) || !(i % 2))
			link_contexts(u, i, sim_cpu_word(a, at + 8 * i), 0);
	}
	vtd_streams_update(u);
}

/* As the CPU stored it last, by that root table. */
static void newest_by(struct iommuabs_sim_unit *u, uint64_t rtaddr,
		      uint32_t sid, uint64_t w[4])
{
	struct iommuabs_sim_arena *a = u->arena;
	uint64_t at =
		(rtaddr & RTADDR_TABLE) + 8 * (uint64_t)root_index(u, sid);
	uint64_t root = sim_inside(a, at, 8) ? sim_cpu_word(a, at) : 0;

	memset(w, 0, 4 * sizeof(*w));
	if (root & ENTRY_P)
		sim_newest_entry(a,
				 (root & ENTRY_ADDR) +
					 ((uint64_t)(sid % per_table(u))
					  << entry_lg2(u)),
				 vtd_is_scalable(u) ? 4 : 2, w);
}

static void newest(struct iommuabs_sim_unit *u, uint32_t sid, uint64_t w[4])
{
	newest_by(u, u->vtd->root, sid, w);
}

void vtd_forget_config_page(struct iommuabs_sim_arena *a, uint64_t page,
			    struct iommuabs_sim_unit *u)
{
	struct vtd_role **list = &a->vtd_roles[page];

	while (*list) {
		struct vtd_role *role = *list;

		if (u && role->unit != u) {
			list = &role->next;
			continue;
		}
		*list = role->next;
		free(role);
	}
}

/* ---- pages that are used ---- */

struct user {
	uint64_t page;
	bool found;
};

static void uses(struct iommuabs_sim_unit *u, const struct entry *e, void *arg)
{
	struct user *user = arg;
	uint64_t dir = e->w[0] & ENTRY_ADDR, word;
	uint32_t i;

	if (e->event || !(e->w[0] & ENTRY_P) || !vtd_is_scalable(u))
		return;
	user->found |= dir == user->page;
	for (i = 0; sim_inside(u->arena, dir, PAGE_SIZE) && i < PAGE_WORDS;
	     i++) {
		word = sim_cpu_word(u->arena, dir + 8 * i);
		user->found |=
			word & ENTRY_P && (word & ENTRY_ADDR) == user->page;
	}
}

static bool root_leads_to(struct iommuabs_sim_unit *u, uint64_t root,
			  uint64_t maddr)
{
	uint32_t words, i;
	uint64_t word;

	root &= RTADDR_TABLE;
	words = sim_inside(u->arena, root, PAGE_SIZE) ? PAGE_WORDS : 0;
	for (i = 0; i < words; i++) {
		word = sim_cpu_word(u->arena, root + 8 * i);
		if (word & ENTRY_P && (word & ENTRY_ADDR) == maddr)
			return true;
	}
	for (i = 0; i < u->vtd->stale_roots.nr; i++) {
		const struct stale_root *s = vec_at(&u->vtd->stale_roots, i);

		if (s->value & ENTRY_P && (s->value & ENTRY_ADDR) == maddr)
			return true;
	}
	return false;
}

bool vtd_uses_page(struct iommuabs_sim_unit *u, uint64_t maddr)
{
	struct user user = { .page = maddr };
	struct stream *s;

	if (!vtd_may_be_enabled(u))
		return false;
	for (s = u->vtd->streams; s && !user.found; s = s->next)
		vtd_each_context(u, s->sid, uses, &user);
	return user.found || (u->vtd->root & RTADDR_TABLE) == maddr ||
	       (u->vtd->next_root & RTADDR_TABLE) == maddr ||
	       root_leads_to(u, u->vtd->root, maddr) ||
	       root_leads_to(u, u->vtd->next_root, maddr);
}

/* ---- stores ---- */

static void context_stored(struct iommuabs_sim_unit *u, uint32_t sid)
{
	stream_update(u, vtd_get_stream(u, sid));
	sim_look_at_streams(u, sid, 1);
}

static void stored(const struct vtd_role *role, uint32_t word,
		   const struct value *value)
{
	struct iommuabs_sim_unit *u = role->unit;
	uint32_t in_page = word % PAGE_WORDS;

	switch (role->kind) {
	case PAGE_ROOT:
		link_contexts(u, in_page, value->v, value->epoch);
		vtd_streams_update(u);
		sim_look(u);
		return;
	case PAGE_CONTEXTS:
		context_stored(u, role->first +
					  in_page / (1u << (entry_lg2(u) - 3)));
		return;
	case PAGE_PASIDS:
		if (word % 8 > 1 && value->v)
			sim_violation(u->arena, IOMMUABS_SIM_V_UNMODELLED,
				      "word %u of a PASID-table entry is not 0",
				      word % 8);
		break;
	default:
		break;
	}
	vtd_streams_update(u);
	sim_look(u);
}

void vtd_config_stored(struct iommuabs_sim_arena *a, uint32_t word,
		       const struct value *value)
{
	const struct vtd_role *role = a->vtd_roles[word / PAGE_WORDS], *next;
	struct iommuabs_sim_unit *u;

	for (; role; role = next) {
		next = role->next;
		stored(role, word, value);
	}
	for (u = a->units; u; u = u->next) {
		if (u->ops == &vtd_ops)
			vtd_irt_stored(u, word, value);
	}
}

static void root_retired(const struct vtd_role *role, uint32_t word,
			 const struct value *old)
{
	struct stale_root *s;

	if (!(old->v & ENTRY_P) && !role->unit->caches_absent)
		return;
	s = vec_add(&role->unit->vtd->stale_roots);
	s->index = word % PAGE_WORDS;
	s->value = old->v;
}

static void retired(struct iommuabs_sim_arena *a, const struct vtd_role *role,
		    uint32_t word, const struct value *old)
{
	struct iommuabs_sim_unit *u = role->unit;
	unsigned int words = 1u << (entry_lg2(u) - 3);
	uint32_t in_page = word % PAGE_WORDS;

	switch (role->kind) {
	case PAGE_ROOT:
		root_retired(role, word, old);
		return;
	case PAGE_CONTEXTS:
		if (sim_speaks(u, word, old))
			sim_keep_pair(a, &u->vtd->stale_contexts, word,
				      word % words / 2,
				      role->first + in_page / words, 0);
		return;
	case PAGE_PASIDS:
		if (word % 8 < 2 && sim_speaks(u, word, old))
			sim_keep_pair(a, &u->vtd->stale_pasids, word, 0,
				      word & ~7u, role->first + in_page / 8);
		return;
	case PAGE_DIRECTORY:
		if (old->v & ENTRY_P)
			sim_violation(a, IOMMUABS_SIM_V_UNMODELLED,
				      "a PASID directory entry changes while "
				      "it is present");
	}
}

void vtd_config_retired(struct iommuabs_sim_arena *a, uint32_t word,
			const struct value *old, uint64_t now)
{
	const struct vtd_role *role = a->vtd_roles[word / PAGE_WORDS];
	struct iommuabs_sim_unit *u;

	if (!old->init || old->v == now)
		return;
	for (; role; role = role->next) {
		/* A table of before may change as it likes. */
		if (vtd_uses_page(
			    role->unit,
			    ALIGN_DOWN(sim_word_maddr(a, word), PAGE_LG2)))
			retired(a, role, word, old);
	}
	for (u = a->units; u; u = u->next) {
		if (u->ops == &vtd_ops)
			vtd_irt_retired(u, word, old);
	}
}

/* ---- old, new, and nothing else ---- */

static void effective(const struct iommuabs_sim_unit *u, const uint64_t w[4],
		      uint64_t out[4])
{
	memset(out, 0, 4 * sizeof(*out));
	if (!(w[0] & ENTRY_P))
		return;
	memcpy(out, w, (vtd_is_scalable(u) ? 4 : 2) * sizeof(*out));
}

struct tear {
	/* By the root table that is in use, and by one that is being taken. */
	uint64_t meant[4], before[4], now[4], coming[4];
	bool torn;
};

static void look_for_tear(struct iommuabs_sim_unit *u, const struct entry *e,
			  void *arg)
{
	struct tear *t = arg;
	uint64_t eff[4];

	if (e->event)
		return;
	effective(u, e->w, eff);
	if (eff[0] && memcmp(eff, t->meant, sizeof(eff)) &&
	    memcmp(eff, t->before, sizeof(eff)) &&
	    memcmp(eff, t->now, sizeof(eff)) &&
	    memcmp(eff, t->coming, sizeof(eff)))
		t->torn = true;
}

static void check_tear(struct iommuabs_sim_unit *u, struct stream *s)
{
	struct tear t = { .torn = false };
	uint64_t now[4];

	newest(u, s->sid, now);
	effective(u, s->meant, t.meant);
	effective(u, s->before, t.before);
	effective(u, now, t.now);
	newest_by(u, u->vtd->next_root, s->sid, now);
	effective(u, now, t.coming);
	each_fetched(u, s->sid, look_for_tear, &t);
	if (t.torn && vtd_may_be_enabled(u))
		sim_violation(u->arena, IOMMUABS_SIM_V_TORN_STE,
			      "requester %#x: a mix of two context entries may "
			      "be fetched",
			      s->sid);
}

struct keeping {
	struct vec *list;
	uint32_t sid;
};

static void keep(struct iommuabs_sim_unit *u, const struct entry *e, void *arg)
{
	const struct keeping *k = arg;
	struct cached *c;

	(void)u;
	if (e->event || !(e->w[0] & ENTRY_P))
		return;
	c = vec_add(k->list);
	c->sid = k->sid;
	memcpy(c->w, e->w, sizeof(c->w));
}

/* Through a list of its own, since what is kept is looked at, too. */
void vtd_keep_contexts(struct iommuabs_sim_unit *u)
{
	struct vec kept = { .size = sizeof(struct cached) };
	struct keeping k = { .list = &kept };
	struct stream *s;

	for (s = u->vtd->streams; s && u->arena->adversary; s = s->next) {
		/* From here on it counts as one entry, which is not looked at again. */
		check_tear(u, s);
		k.sid = s->sid;
		newest(u, s->sid, s->before);
		vtd_each_context(u, s->sid, keep, &k);
	}
	u->vtd->stale_contexts.nr = 0;
	vec_free(&u->vtd->kept_contexts);
	u->vtd->kept_contexts = kept;
}

void vtd_meant(struct iommuabs_sim_unit *u, uint16_t sid, uint16_t mask)
{
	struct stream *s;

	for (s = u->vtd->streams; s && u->arena->adversary; s = s->next) {
		if ((s->sid & mask) != (sid & mask))
			continue;
		check_tear(u, s);
		s->forgetting = true;
	}
}

void vtd_meant_over(struct iommuabs_sim_unit *u, bool complete)
{
	struct stream *s;

	for (s = u->vtd->streams; s; s = s->next) {
		if (s->forgetting && complete) {
			newest(u, s->sid, s->meant);
			memcpy(s->before, s->meant, sizeof(s->before));
		}
		s->forgetting = false;
	}
}
