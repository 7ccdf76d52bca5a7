/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_sim_vtd.c - the VT-d model itself: what a driver may do, and that each
 * mistake is found
 *
 * A driver in few lines, with numbers of its own: nothing of the library is in
 * here.
 */
#include <iommuabs/sim.h>

#include "harness.h"

#define UNIT 0xfed90000ull
#define RAM  0x100000000ull

#define GCMD	0x18
#define GSTS	0x1c
#define RTADDR	0x20
#define CCMD	0x28
#define FSTS	0x34
#define FECTL	0x38
#define FEDATA	0x3c
#define FEADDR	0x40
#define IQH	0x80
#define IQT	0x88
#define IQA	0x90
#define IRTA	0xb8
#define IOTLB	0xf8
#define FRCD(n) (0x220 + 16 * (n))

#define TE    (1u << 31)
#define SRTP  (1u << 30)
#define WBF   (1u << 27)
#define QIE   (1u << 26)
#define IRE   (1u << 25)
#define SIRTP (1u << 24)

/* Descriptors: all, of a domain-id, the finest. */
#define CONTEXT_ALL	      0x11ull, 0ull
#define CONTEXT_ONE(sid, did) (0x31ull | (did) << 16 | (sid) << 32), 0ull
#define IOTLB_ALL	      0xd2ull, 0ull
#define IOTLB_DOMAIN(did)     (0xe2ull | (did) << 16), 0ull
#define IOTLB_PAGE(did, iova) (0xf2ull | (did) << 16), ((iova) & ~0xfffull)
#define IOTLB_LEAF(did, iova) \
	(0xf2ull | (did) << 16), ((iova) & ~0xfffull) | 0x40
#define IOTLB_NO_DRAIN(did) (0x22ull | (did) << 16), 0ull
#define IEC_ALL		    0x04ull, 0ull
#define WAIT_FENCE	    0x45ull, 0ull
/* Of one page, and of all pages. */
#define DEVICE_PAGE(sid, iova) (0x10003ull | (sid) << 32), ((iova) & ~0xfffull)
#define DEVICE_ALL(sid)	       (0x10003ull | (sid) << 32), 0x7ffffffffffff001ull

#define DID  5ull
#define SID  0x18ull
#define IOVA 0x40001000ull
#define PA   0x80001000ull
#define PA2  0x90002000ull
#define RW   3ull

#define BLOCKED IOMMUABS_SIM_BLOCKED

static struct iommuabs_sim_arena *arena;
static struct iommuabs_sim_unit *unit;
static uint64_t queue, status, root, contexts, top, irt;
static uint32_t tail, waits, gcmd;
static int noncoherent;
static enum iommuabs_sim_mode mode = IOMMUABS_SIM_ADVERSARY;

/* ---- a driver in few lines ---- */

static uint64_t rd(uint32_t offset, unsigned int width)
{
	return iommuabs_sim_mmio_read(arena, UNIT + offset, width);
}

static void wr(uint32_t offset, unsigned int width, uint64_t value)
{
	iommuabs_sim_mmio_write(arena, UNIT + offset, width, value);
}

static uint64_t *at(uint64_t maddr)
{
	return iommuabs_sim_ptr(arena, maddr);
}

static void st(uint64_t maddr, uint64_t v)
{
	iommuabs_sim_dev_store64(at(maddr), v);
	if (noncoherent)
		iommuabs_sim_cache_clean(at(maddr), 8);
}

static uint64_t page(void)
{
	uint64_t maddr;

	ck_assert_int_eq(iommuabs_sim_alloc(arena, 12, &maddr), 0);
	iommuabs_sim_dev_zero(at(maddr), 4096);
	if (noncoherent)
		iommuabs_sim_cache_clean(at(maddr), 4096);
	return maddr;
}

static void wait_status(uint32_t bit, uint32_t want)
{
	unsigned int i;

	for (i = 0; i < 100 && ((uint32_t)rd(GSTS, 4) & bit) != want; i++)
		;
	ck_assert_uint_eq((uint32_t)rd(GSTS, 4) & bit, want);
}

static void command(uint32_t bit)
{
	wr(GCMD, 4, gcmd | bit);
	if (bit & (TE | QIE | IRE))
		gcmd |= bit;
	wait_status(bit, bit == WBF ? 0 : bit);
}

static void desc(uint64_t low, uint64_t high)
{
	iommuabs_sim_dev_store64(at(queue + tail), low);
	iommuabs_sim_dev_store64(at(queue + tail) + 1, high);
	tail = (tail + 16) % 4096;
}

static void submit(void)
{
	iommuabs_sim_dev_mb();
	wr(IQT, 8, tail);
}

/* 1: the wait descriptor wrote its status. */
static int wait_done(void)
{
	unsigned int i;

	waits++;
	desc(0x65ull | (uint64_t)waits << 32, status);
	submit();
	for (i = 0; i < 200; i++) {
		(void)rd(IQH, 8);
		if ((uint32_t)iommuabs_sim_dev_load64(at(status)) == waits)
			return 1;
	}
	return 0;
}

static void inv(uint64_t low, uint64_t high)
{
	desc(low, high);
	ck_assert(wait_done());
}

static void map(uint64_t iova, uint64_t leaf)
{
	uint64_t table = top, slot;
	unsigned int level;

	for (level = 4; level > 1; level--) {
		slot = table + 8 * (iova >> (12 + 9 * (level - 1)) & 511);
		if (!*at(slot)) {
			table = page();
			iommuabs_sim_dev_mb();
			st(slot, table | RW);
		}
		table = *at(slot) & ~0xfffull;
	}
	st(table + 8 * (iova >> 12 & 511), leaf);
	iommuabs_sim_dev_mb();
}

static void set_context(uint64_t low, uint64_t high)
{
	uint64_t entry = contexts + 16 * (SID & 0xff);

	st(entry + 8, high);
	iommuabs_sim_dev_mb();
	st(entry, low);
	iommuabs_sim_dev_mb();
}

static void machine(const struct iommuabs_sim_vtd_config *config)
{
	const struct iommuabs_sim_arena_config ram = {
		.mode = mode,
		.base = RAM,
		.length = 16 << 20,
		.seed = 3,
		.noncoherent = !config->coherent,
	};

	noncoherent = !config->coherent;
	ck_assert_int_eq(iommuabs_sim_arena_create(&ram, &arena), 0);
	ck_assert_int_eq(iommuabs_sim_vtd_create(arena, config, &unit), 0);
	tail = waits = gcmd = 0;
	queue = page();
	status = page();
	root = page();
	contexts = page();
	top = page();
	st(root, contexts | 1);
	iommuabs_sim_dev_mb();
	wr(IQA, 8, queue);
	wr(IQT, 8, 0);
	command(QIE);
}

/* Everything as it should be: one requester, one page. */
static void begin(const struct iommuabs_sim_vtd_config *config)
{
	machine(config);
	map(IOVA, PA | RW);
	set_context(top | 1, 2 | DID << 8);
	command(WBF);
	wr(RTADDR, 8, root);
	command(SRTP);
	inv(CONTEXT_ALL);
	inv(IOTLB_ALL);
	command(TE);
	ck_assert_uint_eq(iommuabs_sim_violations(arena), 0);
}

static struct iommuabs_sim_vtd_config plain(void)
{
	struct iommuabs_sim_vtd_config config;

	iommuabs_sim_vtd_defaults(&config);
	return config;
}

static void begin_plain(void)
{
	const struct iommuabs_sim_vtd_config config = plain();

	begin(&config);
}

static void end(void)
{
	iommuabs_sim_arena_destroy(arena);
}

START_TEST(a_unit_that_cannot_be_is_not_made)
{
	struct iommuabs_sim_vtd_config bad[14];
	struct iommuabs_sim_unit *other = NULL;
	unsigned int i;

	COVERS(iommuabs_sim_vtd_create, SIM_E_INVAL);
	begin_plain();
	for (i = 0; i < 14; i++) {
		bad[i] = plain();
		bad[i].base += 0x10000;
	}
	bad[0] = plain(); /* one is there */
	bad[1].base = RAM;
	bad[2].base++;
	bad[3].nd = 7;
	bad[4].sagaw = 0;
	bad[5].mgaw = 29;
	bad[6].haw = 53;
	bad[7].sslps = 2;
	bad[8].nfr = 0;
	bad[9].version = 16;
	bad[10].qi = 0;
	bad[10].ir = 1;
	bad[11].smpwc = 1;
	bad[11].smts = 0;
	bad[12].dit = 1;
	bad[12].dt = 0;
	bad[13].coherent = !bad[13].coherent;
	for (i = 0; i < 14; i++)
		ck_assert_msg(iommuabs_sim_vtd_create(arena, &bad[i], &other) ==
				      IOMMUABS_SIM_E_INVAL,
			      "case %u", i);
	ck_assert_ptr_null(other);
	end();
}
END_TEST

/* All that a write at IOVA may become now, as a set of up to 3. */
static unsigned int outcomes(uint64_t out[3])
{
	struct iommuabs_sim_probe *probe =
		iommuabs_sim_probe_add(unit, SID, IOVA, IOMMUABS_SIM_DMA_WRITE);
	unsigned int nr = iommuabs_sim_probe_outcomes(probe, out, 3);

	iommuabs_sim_probe_remove(probe);
	return nr;
}

static void only(uint64_t want)
{
	uint64_t out[3];

	ck_assert_uint_eq(outcomes(out), 1);
	ck_assert_uint_eq(out[0], want);
}

static void either(uint64_t a, uint64_t b)
{
	uint64_t out[3];

	ck_assert_uint_eq(outcomes(out), 2);
	ck_assert((out[0] == a && out[1] == b) || (out[0] == b && out[1] == a));
}

static void found(enum iommuabs_sim_violation which)
{
	ck_assert_uint_gt(iommuabs_sim_violations_of(arena, which), 0);
	iommuabs_sim_violations_clear(arena);
}

static void clean(void)
{
	ck_assert_msg(!iommuabs_sim_violations(arena), "%s",
		      iommuabs_sim_violation_text(arena, 0));
}

/* ---- translations ---- */

START_TEST(a_removed_page_is_reached_until_its_invalidation_is_waited_for)
{
	begin_plain();
	only(PA);
	map(IOVA, 0);
	either(PA, BLOCKED);
	desc(IOTLB_PAGE(DID, IOVA));
	submit();
	either(PA, BLOCKED);
	ck_assert(wait_done());
	only(BLOCKED);
	clean();
	end();
}
END_TEST

START_TEST(another_page_or_domain_is_no_invalidation_of_this_one)
{
	begin_plain();
	map(IOVA, PA2 | RW);
	inv(IOTLB_PAGE(DID, IOVA + 0x1000));
	either(PA, PA2);
	inv(IOTLB_DOMAIN(DID + 1));
	either(PA, PA2);
	inv(IOTLB_DOMAIN(DID));
	only(PA2);
	end();
}
END_TEST

START_TEST(a_hint_of_leaves_keeps_the_tables_above)
{
	uint64_t upper, slot;

	begin_plain();
	upper = *at(top + 8 * (IOVA >> 39 & 511)) & ~0xfffull;
	slot = upper + 8 * (IOVA >> 30 & 511);
	st(slot, 0);
	iommuabs_sim_dev_mb();
	inv(IOTLB_LEAF(DID, IOVA));
	either(PA, BLOCKED);
	inv(IOTLB_PAGE(DID, IOVA));
	only(BLOCKED);
	end();
}
END_TEST

START_TEST(a_context_entry_is_used_until_it_is_invalidated_and_its_pages_too)
{
	begin_plain();
	set_context(0, 2 | DID << 8);
	inv(IOTLB_DOMAIN(DID));
	/* It was still cached, and filled the IOTLB anew. */
	either(PA, BLOCKED);
	inv(CONTEXT_ONE(SID, DID + 1));
	either(PA, BLOCKED);
	inv(CONTEXT_ONE(SID, DID));
	/* Nobody asks by that id any more. */
	only(BLOCKED);
	set_context(top | 1, 2 | DID << 8);
	inv(CONTEXT_ONE(SID, 0ull));
	only(PA);
	end();
}
END_TEST

START_TEST(an_id_for_another_table_needs_its_pages_forgotten)
{
	begin_plain();
	set_context(0, 2 | DID << 8);
	inv(CONTEXT_ONE(SID, DID));
	top = page();
	map(IOVA, PA2 | RW);
	if (_i) {
		inv(IOTLB_DOMAIN(DID));
		set_context(top | 1, 2 | DID << 8);
		inv(CONTEXT_ONE(SID, 0ull));
		only(PA2);
		clean();
	} else {
		set_context(top | 1, 2 | DID << 8);
		found(IOMMUABS_SIM_V_VMID);
		inv(CONTEXT_ONE(SID, 0ull));
		either(PA, PA2);
	}
	end();
}
END_TEST

/* 6.5.3.1: without a fence the IOTLB is filled by way of the old context. */
START_TEST(two_caches_in_one_batch_need_a_fence)
{
	begin_plain();
	set_context(0, 2 | DID << 8);
	desc(CONTEXT_ONE(SID, DID));
	if (_i)
		desc(WAIT_FENCE);
	desc(IOTLB_DOMAIN(DID));
	ck_assert(wait_done());
	top = page();
	map(IOVA, PA2 | RW);
	set_context(top | 1, 2 | DID << 8);
	ck_assert_uint_eq(
		iommuabs_sim_violations_of(arena, IOMMUABS_SIM_V_VMID), !_i);
	end();
}
END_TEST

START_TEST(a_posted_write_lands_with_an_invalidation_that_drains)
{
	struct iommuabs_sim_dma dma = {
		.sid = SID,
		.flags = IOMMUABS_SIM_DMA_WRITE | IOMMUABS_SIM_DMA_POSTED,
		.addr = IOVA,
		.len = 8,
	};
	uint64_t word = 77, frame;

	begin_plain();
	frame = page();
	map(IOVA, frame | RW);
	inv(IOTLB_PAGE(DID, IOVA));
	dma.data = &word;
	ck_assert_int_eq(iommuabs_sim_dma(unit, &dma), 1);
	ck_assert_uint_eq(*at(frame), 0);
	inv(IOTLB_NO_DRAIN(DID));
	ck_assert_uint_eq(*at(frame), 0);
	inv(IOTLB_DOMAIN(DID));
	ck_assert_uint_eq(*at(frame), 77);
	end();
}
END_TEST

/* ---- units that make it harder ---- */

START_TEST(in_caching_mode_what_was_absent_is_kept)
{
	struct iommuabs_sim_vtd_config config = plain();

	config.cm = 1;
	begin(&config);
	map(IOVA, 0);
	inv(IOTLB_PAGE(DID, IOVA));
	only(BLOCKED);
	map(IOVA, PA2 | RW);
	either(BLOCKED, PA2);
	inv(IOTLB_LEAF(DID, IOVA));
	only(PA2);
	end();
}
END_TEST

START_TEST(a_write_buffer_is_flushed_or_not_seen)
{
	struct iommuabs_sim_vtd_config config = plain();

	config.rwbf = 1;
	begin(&config);
	map(IOVA, PA2 | RW);
	inv(IOTLB_PAGE(DID, IOVA));
	either(PA, PA2);
	command(WBF);
	inv(IOTLB_PAGE(DID, IOVA));
	only(PA2);
	end();
}
END_TEST

START_TEST(a_line_that_is_not_cleaned_is_not_seen)
{
	struct iommuabs_sim_vtd_config config = plain();
	struct iommuabs_sim_cleans before, after;

	config.coherent = 0;
	begin(&config);
	iommuabs_sim_cleans(arena, &before);
	ck_assert_uint_eq(before.unclean, 0);
	noncoherent = 0;
	map(IOVA, 0);
	inv(IOTLB_PAGE(DID, IOVA));
	either(PA, BLOCKED);
	iommuabs_sim_cleans(arena, &after);
	ck_assert_uint_eq(after.unclean, 1);
	ck_assert_uint_eq(after.lines, before.lines);
	noncoherent = 1;
	map(IOVA, 0);
	inv(IOTLB_PAGE(DID, IOVA));
	only(BLOCKED);
	iommuabs_sim_cleans(arena, &after);
	ck_assert_uint_eq(after.unclean, 0);
	ck_assert_uint_gt(after.lines, before.lines);
	ck_assert_uint_gt(after.barriers, before.barriers);
	ck_assert_uint_eq(after.in_vain, before.in_vain);
	end();
}
END_TEST

/* ---- registers ---- */

START_TEST(mistakes_with_registers_are_found)
{
	const struct iommuabs_sim_vtd_config config = plain();

	machine(&config);
	switch (_i) {
	case 0:
		wr(GCMD, 4, gcmd | SRTP | IRE);
		found(IOMMUABS_SIM_V_REGISTER);
		break;
	case 1: /* of 32 bits */
		wr(FECTL, 8, 0);
		found(IOMMUABS_SIM_V_REGISTER);
		break;
	case 2:
		wr(RTADDR, 8, root | 1);
		found(IOMMUABS_SIM_V_REGISTER);
		break;
	case 3:
		wr(CCMD, 8, 1ull << 63 | 1ull << 61);
		(void)rd(CCMD, 8);
		(void)rd(CCMD, 8);
		(void)rd(CCMD, 8);
		(void)rd(CCMD, 8);
		found(IOMMUABS_SIM_V_GUARD);
		break;
	case 4:
		wr(IQA, 8, queue + 4096);
		found(IOMMUABS_SIM_V_GUARD);
		break;
	default:
		wr(IQT, 8, 8);
		found(IOMMUABS_SIM_V_REGISTER);
	}
	end();
}
END_TEST

/* No root; nothing invalidated; the IOTLB not after the contexts. */
START_TEST(to_enable_too_early_is_found)
{
	const struct iommuabs_sim_vtd_config config = plain();

	machine(&config);
	wr(RTADDR, 8, root);
	if (_i)
		command(SRTP);
	if (_i == 2)
		inv(IOTLB_ALL);
	if (_i == 2)
		inv(CONTEXT_ALL);
	wr(GCMD, 4, gcmd | TE);
	found(IOMMUABS_SIM_V_ENABLE);
	end();
}
END_TEST

START_TEST(what_is_freed_in_use_is_found)
{
	const uint64_t *const pages[] = { &queue, &root, &contexts, &top };

	begin_plain();
	iommuabs_sim_free(arena, *pages[_i], 12);
	found(IOMMUABS_SIM_V_FREED);
	end();
}
END_TEST

START_TEST(a_descriptor_that_is_none_stops_the_queue)
{
	begin_plain();
	desc(0xf, 0);
	ck_assert(!wait_done());
	ck_assert_uint_ne(rd(FSTS, 4) & 1 << 4, 0);
	/* Something harmless takes its place, and it goes on. */
	iommuabs_sim_dev_store64(at(queue + rd(IQH, 8)), 0x45);
	iommuabs_sim_dev_mb();
	wr(FSTS, 4, 1 << 4);
	(void)rd(IQH, 8);
	ck_assert(wait_done());
	end();
}
END_TEST

/* ---- faults ---- */

static void dma_blocked(uint64_t sid, uint64_t iova, uint32_t event)
{
	struct iommuabs_sim_dma dma = { .sid = (uint32_t)sid,
					.flags = IOMMUABS_SIM_DMA_WRITE,
					.addr = iova,
					.len = 4 };

	ck_assert_int_eq(iommuabs_sim_dma(unit, &dma), 0);
	ck_assert_uint_eq(dma.event, event);
}

START_TEST(faults_are_recorded_until_there_is_no_room)
{
	struct iommuabs_sim_vtd_config config = plain();

	config.nfr = 2;
	begin(&config);
	wr(FEADDR, 4, 0xfee00000);
	wr(FEDATA, 4, 0x30);
	wr(FECTL, 4, 0);
	dma_blocked(SID, IOVA + 0x1000, 5); /* no page */
	ck_assert_uint_eq(iommuabs_sim_irq_take(unit, IOMMUABS_SIM_IRQ_EVENTQ),
			  1);
	dma_blocked(SID + 1, IOVA, 2); /* no context entry */
	ck_assert_uint_eq(rd(FSTS, 4), 2);
	dma_blocked(0x100, IOVA, 1); /* no root entry: lost */
	ck_assert_uint_eq(rd(FSTS, 4), 3);
	ck_assert_uint_eq(rd(FRCD(0), 8), IOVA + 0x1000);
	ck_assert_uint_eq(rd(FRCD(0) + 8, 8), 1ull << 63 | 5ull << 32 | SID);
	ck_assert_uint_eq(rd(FRCD(1) + 8, 8) & 0xff0000ffff,
			  2ull << 32 | (SID + 1));
	wr(FRCD(0) + 12, 4, 1u << 31);
	wr(FRCD(1) + 12, 4, 1u << 31);
	/* As long as the overflow is not acknowledged, none is recorded. */
	dma_blocked(SID + 1, IOVA, 2);
	ck_assert_uint_eq(rd(FSTS, 4) & 3, 1);
	wr(FSTS, 4, 1);
	dma_blocked(SID + 1, IOVA, 2);
	ck_assert_uint_eq(rd(FSTS, 4) & 3, 2);
	end();
}
END_TEST

/* ---- interrupts ---- */

static unsigned int fault_of(uint16_t sid, uint64_t addr)
{
	struct iommuabs_sim_interrupt irq = { .sid = sid, .addr = addr };

	return iommuabs_sim_vtd_interrupt(unit, &irq) ? 0 : irq.fault;
}

START_TEST(an_interrupt_entry_is_kept_until_it_is_invalidated)
{
	const uint64_t addr = 0xfee00010 | 3 << 5;
	struct iommuabs_sim_interrupt irq = { .sid = SID, .addr = addr },
				      out[4];

	begin_plain();
	irt = page();
	wr(IRTA, 8, irt | 7);
	command(SIRTP);
	inv(IEC_ALL);
	command(IRE);
	ck_assert_uint_eq(fault_of(SID, 0xfee00000), 0x25);
	ck_assert_uint_eq(fault_of(SID, addr), 0x22);
	st(irt + 16 * 3 + 8, SID | 1 << 18);
	iommuabs_sim_dev_mb();
	/* Else a mix of the words of before and after could be met. */
	inv(IEC_ALL);
	st(irt + 16 * 3, 1 | 0x41 << 16);
	iommuabs_sim_dev_mb();
	inv(IEC_ALL);
	ck_assert_uint_eq(fault_of(SID, addr), 0);
	ck_assert_uint_eq(fault_of(SID + 8, addr), 0x26);
	ck_assert_uint_eq(fault_of(SID, 0xfee00010 | 0x100 << 5), 0x21);
	st(irt + 16 * 3, 0);
	iommuabs_sim_dev_mb();
	ck_assert_uint_eq(
		iommuabs_sim_vtd_interrupt_outcomes(unit, &irq, out, 4), 2);
	inv(IEC_ALL);
	ck_assert_uint_eq(
		iommuabs_sim_vtd_interrupt_outcomes(unit, &irq, out, 4), 1);
	ck_assert_uint_eq(fault_of(SID, addr), 0x22);
	clean();
	end();
}
END_TEST

/* ---- devices that keep translations ---- */

static struct iommuabs_sim_vtd_config with_ats(void)
{
	struct iommuabs_sim_vtd_config config = plain();

	config.dt = 1;
	config.itesid = 1;
	return config;
}

static int ask(uint64_t iova)
{
	struct iommuabs_sim_dma dma = { .sid = SID, .addr = iova, .len = 4 };

	return iommuabs_sim_ats(unit, &dma);
}

/* What the device keeps, or goes and asks for. */
static uint64_t kept(uint64_t iova)
{
	struct iommuabs_sim_dma dma = { .sid = SID,
					.flags = IOMMUABS_SIM_DMA_ATC |
						 IOMMUABS_SIM_DMA_WRITE,
					.addr = iova,
					.len = 4 };

	(void)iommuabs_sim_dma(unit, &dma);
	return dma.maddr;
}

/* The context entry says who may. */
START_TEST(a_device_keeps_what_it_asked_for_until_it_is_told)
{
	const struct iommuabs_sim_vtd_config config = with_ats();

	begin(&config);
	ck_assert_int_eq(ask(IOVA), 0);
	set_context(top | 5, 2 | DID << 8);
	inv(CONTEXT_ONE(SID, DID));
	ck_assert_int_eq(ask(IOVA), 1);
	ck_assert_int_eq(ask(IOVA + 0x1000), 0);
	map(IOVA, 0);
	inv(IOTLB_PAGE(DID, IOVA));
	ck_assert_uint_eq(kept(IOVA), PA);
	inv(DEVICE_PAGE(SID, IOVA + 0x1000));
	ck_assert_uint_eq(kept(IOVA), PA);
	inv(DEVICE_PAGE(SID + 1, IOVA));
	ck_assert_uint_eq(kept(IOVA), PA);
	if (_i)
		inv(DEVICE_PAGE(SID, IOVA));
	else
		inv(DEVICE_ALL(SID));
	ck_assert_uint_eq(kept(IOVA), BLOCKED);
	/* What claims to be translated counts as long as the entry says so. */
	map(IOVA, PA2 | RW);
	inv(IOTLB_PAGE(DID, IOVA));
	ck_assert_int_eq(ask(IOVA), 1);
	ck_assert_uint_eq(kept(IOVA), PA2);
	set_context(0, 2 | DID << 8);
	inv(CONTEXT_ONE(SID, DID));
	ck_assert_uint_eq(kept(IOVA), BLOCKED);
	clean();
	end();
}
END_TEST

/* 6.5.2.11: waits are dropped, and who it was is told. */
START_TEST(a_device_that_does_not_answer_stops_the_queue)
{
	const struct iommuabs_sim_vtd_config config = with_ats();

	begin(&config);
	set_context(top | 5, 2 | DID << 8);
	inv(CONTEXT_ONE(SID, DID));
	ck_assert_int_eq(ask(IOVA), 1);
	iommuabs_sim_atc_mute(unit, SID, 1);
	desc(DEVICE_ALL(SID));
	ck_assert(!wait_done());
	ck_assert_uint_eq(rd(FSTS, 4) & 0x70, 0x40);
	ck_assert_uint_eq(rd(0xb0, 8) >> 32 & 0xffff, SID);
	/* None is fetched until that is acknowledged. */
	ck_assert(!wait_done());
	wr(FSTS, 4, 0x40);
	ck_assert(wait_done());
	iommuabs_sim_atc_mute(unit, SID, 0);
	inv(DEVICE_ALL(SID));
	ck_assert_uint_eq(rd(FSTS, 4) & 0x70, 0);
	end();
}
END_TEST

/* Those that were sent together do not come together. */
START_TEST(each_invalidation_without_an_answer_is_a_time_out)
{
	const struct iommuabs_sim_vtd_config config = with_ats();
	uint64_t first;

	begin(&config);
	iommuabs_sim_atc_mute(unit, SID, 1);
	iommuabs_sim_atc_mute(unit, SID + 1, 1);
	desc(DEVICE_ALL(SID));
	desc(DEVICE_ALL(SID + 1));
	ck_assert(!wait_done());
	ck_assert_uint_eq(rd(FSTS, 4) & 0x70, 0x40);
	first = rd(0xb0, 8) >> 32 & 0xffff;
	ck_assert(first == SID || first == SID + 1);
	wr(FSTS, 4, 0x40);
	/* Also under those who ask for something else. */
	desc(IOTLB_DOMAIN(DID));
	ck_assert(!wait_done());
	ck_assert_uint_eq(rd(FSTS, 4) & 0x70, 0x40);
	ck_assert_uint_eq(rd(0xb0, 8) >> 32 & 0xffff, 2 * SID + 1 - first);
	wr(FSTS, 4, 0x40);
	ck_assert(wait_done());
	end();
}
END_TEST

/* ---- FUNCTIONAL: caches hold what was used, and nothing else ---- */

static uint64_t reached(uint64_t sid, uint64_t iova)
{
	struct iommuabs_sim_dma dma = { .sid = (uint32_t)sid,
					.flags = IOMMUABS_SIM_DMA_WRITE,
					.addr = iova,
					.len = 4 };

	(void)iommuabs_sim_dma(unit, &dma);
	return dma.maddr;
}

static void functional(void)
{
	mode = IOMMUABS_SIM_FUNCTIONAL;
}

static void adversary(void)
{
	mode = IOMMUABS_SIM_ADVERSARY;
}

START_TEST(a_page_that_was_used_is_cached_and_no_other)
{
	begin_plain();
	map(IOVA + 0x1000, PA2 | RW);
	ck_assert_uint_eq(reached(SID, IOVA), PA);
	map(IOVA, 0);
	map(IOVA + 0x1000, 0);
	ck_assert_uint_eq(reached(SID, IOVA), PA);
	ck_assert_uint_eq(reached(SID, IOVA + 0x1000), BLOCKED);
	inv(IOTLB_PAGE(DID, IOVA + 0x1000));
	ck_assert_uint_eq(reached(SID, IOVA), PA);
	inv(IOTLB_DOMAIN(DID + 1));
	ck_assert_uint_eq(reached(SID, IOVA), PA);
	inv(IOTLB_PAGE(DID, IOVA));
	ck_assert_uint_eq(reached(SID, IOVA), BLOCKED);
	/* "Nothing is there" is not kept. */
	map(IOVA, PA2 | RW);
	ck_assert_uint_eq(reached(SID, IOVA), PA2);
	clean();
	end();
}
END_TEST

START_TEST(an_entry_that_was_used_is_cached_until_it_is_invalidated)
{
	begin_plain();
	ck_assert_uint_eq(reached(SID, IOVA), PA);
	set_context(0, 2 | DID << 8);
	ck_assert_uint_eq(reached(SID, IOVA), PA);
	inv(CONTEXT_ONE(SID + 1, DID));
	ck_assert_uint_eq(reached(SID, IOVA), PA);
	inv(CONTEXT_ONE(SID, DID));
	ck_assert_uint_eq(reached(SID, IOVA), BLOCKED);
	ck_assert_uint_eq(reached(SID + 1, IOVA), BLOCKED);
	set_context(top | 1, 2 | DID << 8);
	/* Under the same id: what it had is still there. */
	map(IOVA, 0);
	ck_assert_uint_eq(reached(SID, IOVA), PA);
	inv(IOTLB_ALL);
	ck_assert_uint_eq(reached(SID, IOVA), BLOCKED);
	clean();
	end();
}
END_TEST

START_TEST(another_root_table_is_seen_when_contexts_are_forgotten)
{
	begin_plain();
	ck_assert_uint_eq(reached(SID, IOVA), PA);
	wr(RTADDR, 8, page());
	command(SRTP);
	ck_assert_uint_eq(reached(SID, IOVA), PA);
	inv(CONTEXT_ALL);
	ck_assert_uint_eq(reached(SID, IOVA), BLOCKED);
	clean();
	end();
}
END_TEST

START_TEST(an_interrupt_that_was_sent_is_cached)
{
	const uint64_t addr = 0xfee00010 | 3 << 5;

	begin_plain();
	irt = page();
	wr(IRTA, 8, irt | 7);
	command(SIRTP);
	inv(IEC_ALL);
	command(IRE);
	st(irt + 16 * 3 + 8, SID | 1 << 18);
	st(irt + 16 * 3, 1 | 0x41 << 16);
	ck_assert_uint_eq(fault_of(SID, addr), 0);
	st(irt + 16 * 3, 0);
	ck_assert_uint_eq(fault_of(SID, addr), 0);
	inv(IEC_ALL);
	ck_assert_uint_eq(fault_of(SID, addr), 0x22);
	clean();
	end();
}
END_TEST

static void add_functional(Suite *s)
{
	TCase *tcase = tcase_create("functional");

	tcase_add_checked_fixture(tcase, functional, adversary);
	tcase_add_test(tcase, a_page_that_was_used_is_cached_and_no_other);
	tcase_add_test(
		tcase,
		an_entry_that_was_used_is_cached_until_it_is_invalidated);
	tcase_add_test(tcase,
		       another_root_table_is_seen_when_contexts_are_forgotten);
	tcase_add_test(tcase, an_interrupt_that_was_sent_is_cached);
	tcase_add_loop_test(
		tcase, a_device_keeps_what_it_asked_for_until_it_is_told, 0, 2);
	tcase_add_test(tcase, a_device_that_does_not_answer_stops_the_queue);
	tcase_add_test(tcase,
		       each_invalidation_without_an_answer_is_a_time_out);
	tcase_add_test(tcase, faults_are_recorded_until_there_is_no_room);
	tcase_add_test(tcase, a_descriptor_that_is_none_stops_the_queue);
	suite_add_tcase(s, tcase);
}

static void add_tests(Suite *s)
{
	TCase *tcase = tcase_create("vtd");
	const TTest *const tests[] = {
		a_unit_that_cannot_be_is_not_made,
		a_removed_page_is_reached_until_its_invalidation_is_waited_for,
		another_page_or_domain_is_no_invalidation_of_this_one,
		a_hint_of_leaves_keeps_the_tables_above,
		a_context_entry_is_used_until_it_is_invalidated_and_its_pages_too,
		a_posted_write_lands_with_an_invalidation_that_drains,
		in_caching_mode_what_was_absent_is_kept,
		a_write_buffer_is_flushed_or_not_seen,
		a_line_that_is_not_cleaned_is_not_seen,
		a_descriptor_that_is_none_stops_the_queue,
		faults_are_recorded_until_there_is_no_room,
		an_interrupt_entry_is_kept_until_it_is_invalidated,
		a_device_that_does_not_answer_stops_the_queue,
		each_invalidation_without_an_answer_is_a_time_out,
	};
	size_t i;

	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(tcase, tests[i]);
	tcase_add_loop_test(
		tcase, an_id_for_another_table_needs_its_pages_forgotten, 0, 2);
	tcase_add_loop_test(tcase, two_caches_in_one_batch_need_a_fence, 0, 2);
	tcase_add_loop_test(tcase, mistakes_with_registers_are_found, 0, 6);
	tcase_add_loop_test(tcase, to_enable_too_early_is_found, 0, 3);
	tcase_add_loop_test(tcase, what_is_freed_in_use_is_found, 0, 4);
	suite_add_tcase(s, tcase);
}

static Suite *suite(void)
{
	Suite *s = suite_create("sim_vtd");

	add_tests(s);
	add_functional(s);
	return s;
}

HARNESS_MAIN(suite)
