/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_int.h - inside the models
 *
 * Words used here:
 *   word	8 bytes of the arena, by index
 *   value	one of the contents that a unit may find in a word now: what is in
 *		memory for sure, or a store that is still pending
 *   role	"this page is a table of that regime, at that level and address"
 *   regime	one VMID's stage 2 table, or one ASID's stage 1 table, with its
 *		geometry, as an STE or a CD gives it
 *   stale	no longer in memory, but perhaps cached
 *   doomed	hit by an invalidation that no CMD_SYNC has completed yet
 */
#ifndef SIM_INT_H
#define SIM_INT_H

/* Before any header: MAP_ANONYMOUS, read-write locks. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#include <iommuabs/sim.h>
#include <pthread.h>
#include <stdarg.h>

#define PAGE_LG2   12u
#define PAGE_SIZE  ((uint64_t)1 << PAGE_LG2)
#define PAGE_WORDS 512u

#define BIT64(n)	  ((uint64_t)1 << (n))
#define MASK64(hi, lo)	  ((~(uint64_t)0 >> (63 - (hi))) & (~(uint64_t)0 << (lo)))
#define FIELD(v, hi, lo)  (((uint64_t)(v)&MASK64(hi, lo)) >> (lo))
#define ALIGN_DOWN(v, lg) ((v) & ~(BIT64(lg) - 1))

/* A store's line was not cleaned. */
#define UNCLEAN UINT32_MAX
/* The most values one word is tracked with. */
#define MAX_VALUES 8

/* Flags of a word. */
#define WORD_INIT \
	(1u << 0) /* stored at least once since its page's allocation */
#define WORD_FRESH (1u << 1) /* written by a unit, no read barrier since */

struct pending {
	uint64_t value;
	uint32_t word;	      /* UINT32_MAX: its page was freed */
	uint32_t next;	      /* newer one of this word, index + 1 */
	uint32_t epoch;	      /* write barriers before the store */
	uint32_t clean_epoch; /* write barriers before its clean */
	uint32_t pair; /* equal and not 0: both halves of one 128-bit store */
};

struct value {
	uint64_t v;
	uint32_t epoch; /* of the pending store, 0: in memory */
	uint32_t pair;
	bool init;
};

/* A list in one piece of memory that grows. */
struct vec {
	void *data;
	uint32_t nr, cap;
	uint32_t size; /* of an element */
};

void *vec_add(struct vec *vec);
void *vec_at(const struct vec *vec, uint32_t i);
void vec_remove(struct vec *vec, uint32_t i); /* the last takes its place */
void vec_free(struct vec *vec);

struct violation {
	enum iommuabs_sim_violation which;
	char text[240];
};

struct posted {
	struct iommuabs_sim_unit *unit;
	uint64_t maddr;
	uint32_t len;
	unsigned char data[64];
};

struct iommuabs_sim_arena {
	pthread_mutex_t lock;
	struct iommuabs_sim_arena_config config;
	bool adversary;
	unsigned char *cpu; /* what CPUs see */
	uint64_t *dev;	    /* what is in memory for sure */
	uint8_t *flags;	    /* WORD_* */
	uint32_t *head;	    /* oldest pending store of a word, index + 1 */
	struct vec pending;
	struct vec fresh; /* words with WORD_FRESH */
	uint32_t epoch;
	uint32_t last_pair;
	uint8_t *used; /* per page: allocated */
	uint64_t nr_pages, nr_used, hint;
	struct role **roles;		   /* per page */
	struct stream_role **stream_roles; /* per page */
	struct cd_role **cd_roles;	   /* per page */
	struct vtd_role **vtd_roles;	   /* per page */
	/* Some unit sees stores only once a buffer before memory is flushed. */
	bool write_buffer;
	uint64_t alloc_count, alloc_fail;
	uint64_t time_us;
	uint64_t random;
	struct vec violations; /* struct violation */
	struct vec posted;     /* struct posted */
	struct iommuabs_sim_unit *units;
	uint64_t chances; /* to look at the probes */
	struct iommuabs_sim_cleans cleans;
};

/* ---- sim_arena.c ---- */

struct iommuabs_sim_arena *sim_find_ptr(const void *p);
void sim_lock(struct iommuabs_sim_arena *a);
void sim_unlock(struct iommuabs_sim_arena *a);
uint64_t sim_random(struct iommuabs_sim_arena *a);
__attribute__((format(printf, 3, 4))) void
sim_violation(struct iommuabs_sim_arena *a, enum iommuabs_sim_violation which,
	      const char *format, ...);
typedef void (*sim_unit_fn)(struct iommuabs_sim_unit *unit, void *arg);
void sim_each_arena(void (*fn)(struct iommuabs_sim_arena *a));
struct iommuabs_sim_arena *sim_find_mmio(uint64_t addr);

/* Is [maddr, maddr + len) in the arena? */
bool sim_inside(const struct iommuabs_sim_arena *a, uint64_t maddr,
		uint64_t len);
uint32_t sim_word(const struct iommuabs_sim_arena *a, uint64_t maddr);
uint64_t sim_word_maddr(const struct iommuabs_sim_arena *a, uint32_t word);
bool sim_page_used(const struct iommuabs_sim_arena *a, uint64_t maddr);

/* ---- sim_memory.c: stores, barriers, what a unit may read ---- */

/*
 * What may be found in @word by a read that comes after a read which saw a
 * store of @epoch (0: after nothing). At least one value; at most MAX_VALUES.
 */
unsigned int sim_values(struct iommuabs_sim_arena *a, uint32_t word,
			uint32_t epoch, struct value *out);
/* What was ordered leaves the buffer before memory. */
void sim_flush_writes(struct iommuabs_sim_arena *a);
/* Who snoops sees the newest value of the word for sure. */
bool sim_is_ordered(struct iommuabs_sim_arena *a, uint32_t word);
/* The unit stores a word: seen by CPUs after a read barrier. */
void sim_unit_store(struct iommuabs_sim_arena *a, uint64_t maddr, uint64_t v);
void sim_forget_page(struct iommuabs_sim_arena *a, uint64_t page);
/* Every word of [maddr, + len) is stored and ordered before @epoch's stores. */
void sim_check_ready(struct iommuabs_sim_arena *a, uint64_t maddr, uint64_t len,
		     uint32_t epoch, const char *what);

/* As the CPU stored it last. */
uint64_t sim_cpu_word(const struct iommuabs_sim_arena *a, uint64_t maddr);

/* ---- sim_track.c, sim_tlb.c: what the arena tells the units ---- */

/* Before and after a pending store of @v to @word; @old is in program order. */
void sim_before_store(struct iommuabs_sim_arena *a, uint32_t word, uint64_t old,
		      uint64_t v);
void sim_after_store(struct iommuabs_sim_arena *a, uint32_t word,
		     const struct value *value);
/* @old leaves memory for good. */
void sim_retire(struct iommuabs_sim_arena *a, uint32_t word,
		const struct value *old, uint64_t now);
void sim_page_freed(struct iommuabs_sim_arena *a, uint64_t page);

#endif
