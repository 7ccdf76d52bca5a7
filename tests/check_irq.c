/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_irq.c - interrupts of devices: whose they are, where they lead
 *
 * On the VT-d model as an adversary: a message meets any entry that the unit may
 * hold at that moment.
 */
#include <iommuabs/iommuabs.h>
#include <iommuabs/sim.h>

#include <string.h>

#include "core/core.h"
#include "harness.h"
#include "test_needs.h"
#include "test_rig.h"

#define SID   8
#define OTHER 0x123

/* 7.3 of the manual: why an interrupt was blocked */
#define NO_SUCH_INDEX	0x21
#define ABSENT		0x22
#define COMPATIBLE	0x25
#define WRONG_REQUESTER 0x26

/* Those that remap. */
static const enum rig_kind kinds[] = { RIG_VTD, RIG_VTD_SCALABLE,
				       RIG_VTD_NONCOHERENT, RIG_VTD_CACHING,
				       RIG_VTD_FETCH_128 };
#define KINDS 5

static struct rig rig;
static struct iommuabs_device *dev, *other;

static void begin(enum rig_kind kind)
{
	rig_new(&rig, kind);
	ck_assert_int_eq(rig_device(&rig, SID, &dev), 0);
	ck_assert_int_eq(rig_device(&rig, OTHER, &other), 0);
}

static uint32_t take(struct iommuabs_device *of, uint32_t id, uint32_t nr)
{
	uint32_t first = 12345;

	ck_assert_int_eq(iommuabs_irq_alloc(of, id, nr, &first), 0);
	return first;
}

static struct iommuabs_irq_target to(uint32_t vector, uint32_t destination)
{
	return (struct iommuabs_irq_target){
		.size = sizeof(struct iommuabs_irq_target),
		.vector = vector,
		.destination = destination,
	};
}

static int set(uint32_t n, uint32_t vector, uint32_t destination)
{
	const struct iommuabs_irq_target target = to(vector, destination);

	return iommuabs_irq_set(dev, n, &target);
}

/* @sid sends what was composed for interrupt @n of @of. */
static struct iommuabs_sim_interrupt send(struct iommuabs_device *of,
					  uint32_t n, uint16_t sid)
{
	struct iommuabs_irq_message message;
	struct iommuabs_sim_interrupt irq;

	ck_assert_int_eq(iommuabs_irq_msi(of, n, &message), 0);
	irq = (struct iommuabs_sim_interrupt){
		.sid = sid,
		.addr = message.address,
		.data = message.data,
	};
	(void)iommuabs_sim_vtd_interrupt(rig.sim, &irq);
	return irq;
}

/* Delivered as @vector to @destination, whatever the unit holds. */
static void delivers(struct iommuabs_device *of, uint32_t n, uint16_t sid,
		     uint32_t vector, uint32_t destination)
{
	struct iommuabs_irq_message message;
	struct iommuabs_sim_interrupt irq, out[4];

	ck_assert_int_eq(iommuabs_irq_msi(of, n, &message), 0);
	irq = (struct iommuabs_sim_interrupt){
		.sid = sid,
		.addr = message.address,
		.data = message.data,
	};
	ck_assert_uint_eq(
		iommuabs_sim_vtd_interrupt_outcomes(rig.sim, &irq, out, 4), 1);
	ck_assert(!out[0].blocked);
	ck_assert_uint_eq(out[0].vector, vector);
	/* In xAPIC mode the id is in bits 15:8. */
	ck_assert_uint_eq(out[0].destination, destination << 8);
}

static void blocks(struct iommuabs_device *of, uint32_t n, uint16_t sid,
		   unsigned int fault)
{
	struct iommuabs_sim_interrupt irq = send(of, n, sid);

	ck_assert(irq.blocked);
	ck_assert_uint_eq(irq.fault, fault);
}

static void finish(void)
{
	ck_assert_int_eq(iommuabs_faults_poll(rig.lib, 0, NULL), 0);
	rig_end(&rig);
}

START_TEST(an_interrupt_leads_where_the_host_says)
{
	uint32_t n;

	begin(kinds[_i]);
	n = take(dev, SID, 1);
	blocks(dev, n, SID, ABSENT);
	ck_assert_int_eq(set(n, 0x41, 3), 0);
	delivers(dev, n, SID, 0x41, 3);
	ck_assert_int_eq(set(n, 0x42, 9), 0);
	delivers(dev, n, SID, 0x42, 9);
	ck_assert_int_eq(iommuabs_irq_set(dev, n, NULL), 0);
	blocks(dev, n, SID, ABSENT);
	ck_assert_int_eq(iommuabs_irq_free(dev, n), 0);
	finish();
}
END_TEST

/* How it is delivered, besides where to. */
START_TEST(an_interrupt_is_delivered_as_the_host_says)
{
	struct iommuabs_irq_target target = to(0x41, 3);
	struct iommuabs_sim_interrupt irq;
	uint32_t n;

	begin(RIG_VTD);
	n = take(dev, SID, 1);
	target.flags = (_i & 1 ? IOMMUABS_IRQ_LEVEL : 0) |
		       (_i & 2 ? IOMMUABS_IRQ_LOGICAL : 0);
	target.delivery = _i & 4 ? 1 : 0; /* to the lowest priority */
	ck_assert_int_eq(iommuabs_irq_set(dev, n, &target), 0);
	irq = send(dev, n, SID);
	ck_assert(!irq.blocked);
	ck_assert_uint_eq(irq.level, !!(_i & 1));
	ck_assert_uint_eq(irq.logical, !!(_i & 2));
	ck_assert_uint_eq(irq.delivery, target.delivery);
	ck_assert_int_eq(iommuabs_irq_free(dev, n), 0);
	finish();
}
END_TEST

START_TEST(xsa_33_49_an_interrupt_is_its_requesters_alone)
{
	uint32_t n;

	begin(kinds[_i]);
	n = take(dev, SID, 1);
	ck_assert_int_eq(set(n, 0x41, 3), 0);
	blocks(dev, n, OTHER, WRONG_REQUESTER);
	blocks(dev, n, SID + 1, WRONG_REQUESTER);
	delivers(dev, n, SID, 0x41, 3);
	ck_assert_int_eq(iommuabs_irq_free(dev, n), 0);
	finish();
}
END_TEST

START_TEST(
	xsa_36_a_freed_entry_is_absent_and_forgotten_before_it_is_anybody_elses)
{
	uint32_t n, again;

	begin(kinds[_i]);
	n = take(dev, SID, 3);
	ck_assert_int_eq(set(n + 1, 0x41, 3), 0);
	delivers(dev, n + 1, SID, 0x41, 3);
	ck_assert_int_eq(iommuabs_irq_free(dev, n), 0);
	again = take(other, OTHER, 3);
	ck_assert_uint_eq(again, n);
	blocks(other, n + 1, SID, ABSENT);
	blocks(other, n + 1, OTHER, ABSENT);
	ck_assert_int_eq(iommuabs_irq_free(other, again), 0);
	finish();
}
END_TEST

START_TEST(what_is_not_remapped_is_blocked)
{
	struct iommuabs_sim_interrupt irq = { .sid = SID,
					      .addr = 0xfee03000,
					      .data = 0x41 };

	begin(kinds[_i]);
	ck_assert_int_eq(iommuabs_sim_vtd_interrupt(rig.sim, &irq), 0);
	ck_assert_uint_eq(irq.fault, COMPATIBLE);
	/* The last index there is, which no table of ours has. */
	irq.addr = 0xfee00010 | 0x7fff << 5 | 1 << 2;
	irq.data = 0;
	ck_assert_int_eq(iommuabs_sim_vtd_interrupt(rig.sim, &irq), 0);
	ck_assert_uint_eq(irq.fault, NO_SUCH_INDEX);
	finish();
}
END_TEST

/* At each register write a message goes the old way or the new one, or nowhere. */
static uint32_t moving;
static unsigned int looks;

static void look(struct rig *r)
{
	struct iommuabs_irq_message message;
	struct iommuabs_sim_interrupt irq = { .sid = SID }, out[8];
	unsigned int i, nr;

	ck_assert_int_eq(iommuabs_irq_msi(dev, moving, &message), 0);
	irq.addr = message.address;
	irq.data = message.data;
	nr = iommuabs_sim_vtd_interrupt_outcomes(r->sim, &irq, out, 8);
	looks++;
	for (i = 0; i < nr; i++)
		ck_assert(out[i].blocked ||
			  (out[i].vector == 0x41 &&
			   out[i].destination == 3 << 8) ||
			  (out[i].vector == 0x99 &&
			   out[i].destination == 7 << 8));
}

START_TEST(a_change_is_seen_as_old_or_new_and_nothing_else)
{
	int i;

	begin(kinds[_i]);
	moving = take(dev, SID, 1);
	ck_assert_int_eq(set(moving, 0x41, 3), 0);
	looks = 0;
	rig.on_write = look;
	for (i = 0; i < 4; i++)
		ck_assert_int_eq(
			i & 1 ? set(moving, 0x41, 3) : set(moving, 0x99, 7), 0);
	rig.on_write = NULL;
	ck_assert_uint_ge(looks, 4);
	delivers(dev, moving, SID, 0x41, 3);
	ck_assert_int_eq(iommuabs_irq_free(dev, moving), 0);
	finish();
}
END_TEST

#define POSTED_AT 0x123456789ac0

static void look_posted(struct rig *r)
{
	struct iommuabs_irq_message message;
	struct iommuabs_sim_interrupt irq = { .sid = SID }, out[8];
	unsigned int i, nr;

	ck_assert_int_eq(iommuabs_irq_msi(dev, moving, &message), 0);
	irq.addr = message.address;
	irq.data = message.data;
	nr = iommuabs_sim_vtd_interrupt_outcomes(r->sim, &irq, out, 8);
	looks++;
	for (i = 0; i < nr; i++)
		ck_assert(out[i].blocked ||
			  (out[i].posted
				   ? out[i].vector == 0x51 &&
					     out[i].descriptor == POSTED_AT
				   : out[i].vector == 0x41 &&
					     out[i].destination == 3 << 8));
}

/* Both words change: never half a descriptor's address. */
START_TEST(between_posted_and_remapped_nothing_else_is_seen)
{
	const struct iommuabs_irq_target posted = {
		.size = sizeof(posted),
		.flags = IOMMUABS_IRQ_POSTED,
		.vector = 0x51,
		.descriptor = POSTED_AT,
	};
	int i;

	begin(RIG_VTD_SCALABLE);
	moving = take(dev, SID, 1);
	ck_assert_int_eq(set(moving, 0x41, 3), 0);
	looks = 0;
	rig.on_write = look_posted;
	for (i = 0; i < 4; i++)
		ck_assert_int_eq(i & 1 ? set(moving, 0x41, 3)
				       : iommuabs_irq_set(dev, moving, &posted),
				 0);
	rig.on_write = NULL;
	ck_assert_uint_ge(looks, 4);
	delivers(dev, moving, SID, 0x41, 3);
	ck_assert_int_eq(iommuabs_irq_free(dev, moving), 0);
	finish();
}
END_TEST

START_TEST(several_messages_differ_in_the_data_alone)
{
	struct iommuabs_irq_message a, b;
	uint32_t n, i;

	begin(kinds[_i]);
	(void)take(other, OTHER, 5);
	n = take(dev, SID, 8);
	for (i = 0; i < 8; i++)
		ck_assert_int_eq(set(n + i, 0x40 + i, i), 0);
	for (i = 0; i < 8; i++)
		delivers(dev, n + i, SID, 0x40 + i, i);
	ck_assert_int_eq(iommuabs_irq_msi(dev, n, &a), 0);
	ck_assert_int_eq(iommuabs_irq_msi(dev, n + 5, &b), 0);
	ck_assert_uint_eq(a.address, b.address);
	ck_assert_uint_eq(b.data - a.data, 5);
	ck_assert_int_eq(iommuabs_irq_free(dev, n), 0);
	finish();
}
END_TEST

/* 5.1.5.1: index 14:0 in bits 63:49, bit 15 of it in bit 11; 48: the format. */
START_TEST(an_ioapics_entry_names_the_index)
{
	uint64_t entry;
	uint32_t n;

	begin(RIG_VTD);
	(void)take(other, OTHER, 0x155);
	n = take(dev, SID, 1);
	ck_assert_uint_eq(n, 0x155);
	ck_assert_int_eq(
		iommuabs_irq_ioapic(dev, n, 0x41, IOMMUABS_IRQ_LEVEL, &entry),
		0);
	ck_assert_uint_eq(entry, (uint64_t)0x155 << 49 | (uint64_t)1 << 48 |
					 1 << 15 | 0x41);
	ck_assert_int_eq(iommuabs_irq_ioapic(dev, n, 0x41, 0, &entry), 0);
	ck_assert_uint_eq(entry & 1 << 15, 0);
	finish();
}
END_TEST

START_TEST(a_posted_interrupt_names_its_descriptor)
{
	struct iommuabs_irq_target target = {
		.size = sizeof(target),
		.flags = IOMMUABS_IRQ_POSTED | IOMMUABS_IRQ_URGENT,
		.vector = 0x51,
		.descriptor = 0x123456789ac0,
	};
	struct iommuabs_sim_interrupt irq;
	uint32_t n;

	begin(RIG_VTD_SCALABLE);
	n = take(dev, SID, 1);
	ck_assert_int_eq(iommuabs_irq_set(dev, n, &target), 0);
	irq = send(dev, n, SID);
	ck_assert(!irq.blocked && irq.posted);
	ck_assert_uint_eq(irq.vector, 0x51);
	ck_assert_uint_eq(irq.descriptor, 0x123456789ac0);
	ck_assert_int_eq(iommuabs_irq_free(dev, n), 0);
	finish();
}
END_TEST

START_TEST(a_unit_that_can_not_post_says_so)
{
	const struct iommuabs_irq_target target = {
		.size = sizeof(target),
		.flags = IOMMUABS_IRQ_POSTED,
		.vector = 0x51,
		.descriptor = 0x1000,
	};
	uint32_t n;

	COVERS(iommuabs_irq_set, E_NOTSUP);
	begin(RIG_VTD);
	n = take(dev, SID, 1);
	ck_assert_int_eq(iommuabs_irq_set(dev, n, &target), IOMMUABS_E_NOTSUP);
	blocks(dev, n, SID, ABSENT);
	finish();
}
END_TEST

/* Behind a bridge that passes ids through, or makes them its own. */
START_TEST(several_ids_are_told_by_their_buses)
{
	const struct iommuabs_stream_range streams[] = {
		{ .unit = NULL, .first = 0x0508, .nr = 2 },
		{ .unit = NULL, .first = 0x0400, .nr = 1 },
		{ .unit = NULL,
		  .first = 0x05fe,
		  .nr = 2 }, /* to the bus' end */
	};
	struct iommuabs_stream_range copy[3];
	struct iommuabs_device_desc desc = {
		.size = sizeof(desc),
		.streams = copy,
		.nr_streams = 3,
	};
	struct iommuabs_device *behind;
	const struct iommuabs_irq_target target = to(0x41, 3);
	uint32_t n;

	begin(RIG_VTD);
	memcpy(copy, streams, sizeof(copy));
	copy[0].unit = copy[1].unit = copy[2].unit = rig.unit;
	ck_assert_int_eq(iommuabs_device_add(rig.lib, &desc, &behind), 0);
	n = take(behind, IOMMUABS_IRQ_ANY_ID, 1);
	ck_assert_int_eq(iommuabs_irq_set(behind, n, &target), 0);
	delivers(behind, n, 0x0400, 0x41, 3);
	delivers(behind, n, 0x0509, 0x41, 3);
	delivers(behind, n, 0x05ff, 0x41, 3);
	blocks(behind, n, 0x0300, WRONG_REQUESTER);
	blocks(behind, n, 0x0600, WRONG_REQUESTER);
	ck_assert_int_eq(iommuabs_irq_free(behind, n), 0);
	/* And one of them by itself. */
	n = take(behind, 0x0509, 1);
	ck_assert_int_eq(iommuabs_irq_set(behind, n, &target), 0);
	delivers(behind, n, 0x0509, 0x41, 3);
	blocks(behind, n, 0x0508, WRONG_REQUESTER);
	ck_assert_int_eq(iommuabs_irq_free(behind, n), 0);
	finish();
}
END_TEST

START_TEST(a_blocked_interrupt_is_a_fault_of_its_sender)
{
	uint32_t n;

	begin(kinds[_i]);
	n = take(dev, SID, 1);
	ck_assert_int_eq(set(n, 0x41, 3), 0);
	blocks(dev, n, OTHER, WRONG_REQUESTER);
	rig.faults = 0;
	ck_assert_int_eq(iommuabs_faults_poll(rig.lib, 0, NULL), 0);
	ck_assert_uint_eq(rig.faults, 1);
	ck_assert_int_eq(rig.fault.reason, IOMMUABS_FAULT_INTERRUPT);
	ck_assert_ptr_eq(rig.fault.dev, other);
	ck_assert_uint_eq(rig.fault.stream, OTHER);
	ck_assert_int_eq(iommuabs_irq_free(dev, n), 0);
	finish();
}
END_TEST

/* C17 */
START_TEST(a_device_whose_messages_are_remapped_needs_no_leave)
{
	struct iommuabs_domain *dom;

	COVERS(iommuabs_device_attach, E_UNSAFE_MSI);
	begin(_i ? RIG_VTD_REGISTERS : RIG_VTD);
	dom = rig_domain(&rig);
	ck_assert_int_eq(iommuabs_device_attach(dev, dom, NULL, 0),
			 _i ? IOMMUABS_E_UNSAFE_MSI : 0);
	if (!_i)
		ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	ck_assert_int_eq(iommuabs_domain_destroy(dom, 0), 0);
	finish();
}
END_TEST

/* Writes to 0xfeexxxxx never reach memory, so nothing is mapped there. */
START_TEST(where_messages_go_nothing_is_mapped)
{
	struct iommuabs_domain *dom;
	const uint64_t gfns[] = { 0xfee00, 0xfeeff, 0xfedff, 0xfef00 };
	unsigned int i, nr;
	int want;

	COVERS(iommuabs_domain_map, E_RESERVED);
	COVERS(iommuabs_device_attach, E_RESERVED);
	begin(_i ? RIG_QEMU : RIG_VTD);
	dom = rig_domain(&rig);
	ck_assert_int_eq(rig_attach(dev, dom), 0);
	for (i = 0; i < 4; i++) {
		want = i < 2 && !_i ? IOMMUABS_E_RESERVED : 0;
		ck_assert_int_eq(
			iommuabs_domain_map(dom, IOMMUABS_GFN(gfns[i]),
					    IOMMUABS_MFN(rig_frame(&rig, i)), 1,
					    IOMMUABS_READ, NULL),
			want);
	}
	nr = 16;
	ck_assert_int_eq(
		iommuabs_domain_map(dom, IOMMUABS_GFN(0xfee00 - nr + 1),
				    IOMMUABS_MFN(rig_frame(&rig, 100)), nr,
				    IOMMUABS_READ | IOMMUABS_REPLACE, NULL),
		_i ? 0 : IOMMUABS_E_RESERVED);
	/* And what is mapped there keeps such a device out. */
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	ck_assert_int_eq(iommuabs_domain_map(dom, IOMMUABS_GFN(0xfee80),
					     IOMMUABS_MFN(rig_frame(&rig, 50)),
					     1, IOMMUABS_READ, NULL),
			 0);
	ck_assert_int_eq(rig_attach(dev, dom), _i ? 0 : IOMMUABS_E_RESERVED);
	if (_i)
		ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	ck_assert_int_eq(iommuabs_domain_destroy(dom, 0), 0);
	finish();
}
END_TEST

/* One frame at @shown, if there is one. */
static uint64_t shown;

static int walk_shown(struct rig *r, struct iommuabs_p2m_query *query)
{
	query->next = IOMMUABS_GFN(query->gfn.frame + query->nr);
	if (!shown || shown - query->gfn.frame >= query->nr)
		return 0;
	query->runs[0] = (struct iommuabs_p2m_run){
		.gfn = IOMMUABS_GFN(shown),
		.mfn = IOMMUABS_MFN(rig_frame(r, 9)),
		.nr = 1,
		.flags = IOMMUABS_READ,
	};
	query->nr_runs = 1;
	return 0;
}

/* Nor does the host's own table bring it there. */
START_TEST(where_messages_go_nothing_is_read_of_the_p2m)
{
	const uint64_t gfns[] = { 0xfee00, 0xfeeff, 0xfedff, 0xfef00 };
	struct iommuabs_domain *dom;
	iommuabs_mfn_t mfn;
	unsigned int i;
	int want;

	COVERS(iommuabs_domain_refresh, E_RESERVED);
	rig_machine(&rig, RIG_VTD);
	rig.on_walk = walk_shown;
	ck_assert_int_eq(rig_library(&rig), 0);
	ck_assert_int_eq(iommuabs_start(rig.lib), 0);
	ck_assert_int_eq(rig_device(&rig, SID, &dev), 0);
	dom = rig_domain(&rig);
	ck_assert_int_eq(rig_attach(dev, dom), 0);
	for (i = 0; i < 4; i++) {
		want = i < 2 ? IOMMUABS_E_RESERVED : 0;
		shown = gfns[i];
		ck_assert_int_eq(iommuabs_domain_refresh(dom,
							 IOMMUABS_GFN(0xfed00),
							 0x300, NULL, NULL),
				 want);
		ck_assert_int_eq(iommuabs_domain_translate(
					 dom, IOMMUABS_GFN(shown), &mfn, NULL),
				 want ? IOMMUABS_E_NOENT : 0);
	}
	shown = 0;
	ck_assert_int_eq(iommuabs_domain_refresh(dom, IOMMUABS_GFN(0xfed00),
						 0x300, NULL, NULL),
			 0);
	/* What was read before keeps such a device out. */
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	shown = gfns[0];
	ck_assert_int_eq(iommuabs_domain_refresh(dom, IOMMUABS_GFN(0xfed00),
						 0x300, NULL, NULL),
			 0);
	ck_assert_int_eq(rig_attach(dev, dom), IOMMUABS_E_RESERVED);
	ck_assert_int_eq(iommuabs_domain_destroy(dom, 0), 0);
	finish();
}
END_TEST

/* Nor is it declared to be there, as long as such a device is attached. */
START_TEST(where_messages_go_nothing_is_fixed)
{
	struct iommuabs_frame_policy policy = {
		.size = sizeof(policy),
		.kind = IOMMUABS_FRAMES_FIXED,
		.gfn = IOMMUABS_GFN(0xfee80),
		.flags = IOMMUABS_READ,
	};
	const iommuabs_mfn_t mfn = IOMMUABS_MFN(rig_frame(&rig, 0));
	struct iommuabs_domain *dom;

	begin(RIG_VTD);
	dom = rig_domain(&rig);
	ck_assert_int_eq(rig_attach(dev, dom), 0);
	ck_assert_int_eq(iommuabs_frames_declare(rig.lib, mfn, 1, &policy),
			 IOMMUABS_E_RESERVED);
	ck_assert_int_eq(iommuabs_device_detach(dev, 0), 0);
	ck_assert_int_eq(iommuabs_frames_declare(rig.lib, mfn, 1, &policy), 0);
	ck_assert_int_eq(rig_attach(dev, dom), IOMMUABS_E_RESERVED);
	ck_assert_int_eq(iommuabs_domain_destroy(dom, 0), 0);
	finish();
}
END_TEST

START_TEST(after_stop_nothing_gets_through)
{
	struct iommuabs_sim_interrupt irq = { .sid = SID };
	struct iommuabs_irq_message message;
	uint32_t n;

	begin(kinds[_i]);
	n = take(dev, SID, 1);
	ck_assert_int_eq(set(n, 0x41, 3), 0);
	ck_assert_int_eq(iommuabs_irq_msi(dev, n, &message), 0);
	irq.addr = message.address;
	ck_assert_int_eq(iommuabs_stop(rig.lib), 0);
	ck_assert_int_eq(iommuabs_sim_vtd_interrupt(rig.sim, &irq), 0);
	ck_assert_int_eq(iommuabs_destroy(rig.lib), 0);
	ck_assert_int_eq(iommuabs_sim_vtd_interrupt(rig.sim, &irq), 0);
	rig_delete(&rig);
}
END_TEST

START_TEST(a_unit_without_a_table_says_so)
{
	uint32_t first;

	COVERS(iommuabs_irq_alloc, E_NOTSUP);
	begin(_i ? RIG_VTD_REGISTERS : RIG_QEMU);
	ck_assert_int_eq(iommuabs_irq_alloc(dev, SID, 1, &first),
			 IOMMUABS_E_NOTSUP);
	finish();
}
END_TEST

START_TEST(a_full_table_and_an_empty_allocator)
{
	uint32_t first, n = 0;
	int ret;

	COVERS(iommuabs_irq_alloc, E_NOMEM);
	begin(RIG_VTD);
	do
		ret = iommuabs_irq_alloc(dev, SID, 1000, &first);
	while (!ret && n++ < 100);
	ck_assert_int_eq(ret, IOMMUABS_E_NOMEM);
	ck_assert_uint_eq(n, 4);
	ck_assert_int_eq(iommuabs_irq_free(dev, 1000), 0);
	/* In the gap that is left. */
	ck_assert_uint_eq(take(dev, SID, 900), 1000);
	finish();
}
END_TEST

START_TEST(a_wait_that_hangs_leaves_it_blocked_or_as_wanted)
{
	struct iommuabs_sim_counters counters;
	uint64_t k, waits;
	uint32_t n;
	int ret;

	COVERS(iommuabs_irq_set, E_TIMEOUT);
	for (k = 1, waits = 1; k <= waits; k++) {
		begin(kinds[_i]);
		n = take(dev, SID, 1);
		ck_assert_int_eq(set(n, 0x41, 3), 0);
		iommuabs_sim_counters(rig.sim, &counters);
		waits = counters.waits;
		iommuabs_sim_plant(rig.sim, IOMMUABS_SIM_WAIT_HANG, k, 150000);
		moving = n;
		rig.on_write = look;
		ret = set(n, 0x99, 7);
		rig.on_write = NULL;
		iommuabs_sim_counters(rig.sim, &counters);
		waits = ret ? k + 1 : k - 1;
		ck_assert_int_eq(ret, ret ? IOMMUABS_E_TIMEOUT : 0);
		iommuabs_sim_heal(rig.sim);
		if (ret)
			ck_assert_int_eq(iommuabs_unit_recover(rig.unit, 0), 0);
		ck_assert_int_eq(set(n, 0x99, 7), 0);
		delivers(dev, n, SID, 0x99, 7);
		ck_assert_int_eq(iommuabs_irq_free(dev, n), 0);
		finish();
	}
	/* One for each step at least: it did hang. */
	ck_assert_uint_gt(k, 2);
}
END_TEST

START_TEST(a_free_that_times_out_keeps_them)
{
	uint32_t n;

	COVERS(iommuabs_irq_free, E_TIMEOUT);
	begin(kinds[_i]);
	n = take(dev, SID, 2);
	ck_assert_int_eq(set(n, 0x41, 3), 0);
	iommuabs_sim_plant(rig.sim, IOMMUABS_SIM_SYNC_HANG, 1, 0);
	ck_assert_int_eq(iommuabs_irq_free(dev, n), IOMMUABS_E_TIMEOUT);
	ck_assert_uint_eq(take(other, OTHER, 1), n + 2);
	iommuabs_sim_heal(rig.sim);
	ck_assert_int_eq(iommuabs_unit_recover(rig.unit, 0), 0);
	ck_assert_int_eq(iommuabs_irq_free(dev, n), 0);
	ck_assert_uint_eq(take(other, OTHER, 1), n);
	finish();
}
END_TEST

/* A fenced unit still remaps, by what it holds: nothing is anybody else's yet. */
START_TEST(a_fenced_unit_has_forgotten_nothing)
{
	uint32_t n;

	begin(kinds[_i]);
	n = take(dev, SID, 2);
	ck_assert_int_eq(set(n, 0x41, 3), 0);
	iommuabs_sim_plant(rig.sim, IOMMUABS_SIM_SYNC_HANG, 1, 0);
	ck_assert_int_eq(iommuabs_irq_set(dev, n, NULL), IOMMUABS_E_TIMEOUT);
	iommuabs_sim_heal(rig.sim);
	ck_assert_int_eq(iommuabs_irq_set(dev, n, NULL), IOMMUABS_E_TIMEOUT);
	ck_assert_int_eq(set(n + 1, 0x42, 3), IOMMUABS_E_TIMEOUT);
	ck_assert_int_eq(iommuabs_irq_free(dev, n), IOMMUABS_E_TIMEOUT);
	ck_assert_uint_eq(take(other, OTHER, 1), n + 2);
	ck_assert_int_eq(iommuabs_unit_recover(rig.unit, 0), 0);
	ck_assert_int_eq(iommuabs_irq_free(dev, n), 0);
	finish();
}
END_TEST

START_TEST(a_free_that_times_out_blocks_them_all)
{
	uint32_t n, i;

	begin(kinds[_i]);
	n = take(dev, SID, 3);
	for (i = 0; i < 3; i++)
		ck_assert_int_eq(set(n + i, 0x41 + i, 3), 0);
	iommuabs_sim_plant(rig.sim, IOMMUABS_SIM_SYNC_HANG, 1, 0);
	ck_assert_int_eq(iommuabs_irq_free(dev, n), IOMMUABS_E_TIMEOUT);
	iommuabs_sim_heal(rig.sim);
	ck_assert_int_eq(iommuabs_unit_recover(rig.unit, 0), 0);
	for (i = 0; i < 3; i++)
		blocks(dev, n + i, SID, ABSENT);
	ck_assert_int_eq(iommuabs_irq_free(dev, n), 0);
	finish();
}
END_TEST

START_TEST(nobody_waits_again_for_a_lost_unit)
{
	struct iommuabs_unit_state state = { .size = sizeof(state) };
	uint64_t begun;
	uint32_t n, i;

	begin(kinds[_i]);
	n = take(dev, SID, 3);
	for (i = 0; i < 3; i++)
		ck_assert_int_eq(set(n + i, 0x41 + i, 3), 0);
	rig.hurry_us = 10000;
	iommuabs_sim_plant(rig.sim, IOMMUABS_SIM_DEAD, 1, 0);
	ck_assert_int_eq(iommuabs_irq_set(dev, n, NULL), IOMMUABS_E_TIMEOUT);
	ck_assert_int_eq(iommuabs_unit_state(rig.unit, &state), 0);
	ck_assert_int_ne(state.status, IOMMUABS_UNIT_RUNNING);
	begun = rig.skew_us;
	ck_assert_uint_ne(begun, 0);
	for (i = 0; i < 3; i++)
		ck_assert_int_eq(set(n + i, 0x51, 3), IOMMUABS_E_TIMEOUT);
	ck_assert_int_eq(iommuabs_irq_free(dev, n), IOMMUABS_E_TIMEOUT);
	ck_assert_uint_eq(rig.skew_us, begun); /* nobody looked at a clock */
	rig.hurry_us = 0;
	/* All are blocked, should it come to life. */
	iommuabs_sim_plant(rig.sim, IOMMUABS_SIM_DEAD, 0, 0);
	ck_assert_int_eq(iommuabs_unit_recover(rig.unit, 0), 0);
	for (i = 0; i < 3; i++)
		blocks(dev, n + i, SID, ABSENT);
	ck_assert_int_eq(set(n, 0x61, 3), 0);
	delivers(dev, n, SID, 0x61, 3);
	ck_assert_int_eq(iommuabs_irq_free(dev, n), 0);
	finish();
}
END_TEST

static int no_table(void *ctx, void *cookie, unsigned int size_lg2,
		    uint32_t flags, uint64_t *maddr)
{
	(void)ctx;
	(void)cookie;
	(void)size_lg2;
	(void)flags;
	(void)maddr;
	return IOMMUABS_E_NOMEM;
}

/* The unit's map of them is made once: who comes next needs no other. */
START_TEST(an_interrupt_costs_one_object)
{
	struct tablemem *mem;
	size_t size;
	void *object[16];
	uint32_t nr = 0;

	begin(RIG_VTD);
	(void)take(dev, SID, 1);
	mem = &rig.lib->mem;
	size = rig.unit->hw.caps.irqs / 8;
	rig.lib->host.ops.table_alloc = no_table;
	while ((object[nr] = tablemem_object_alloc(mem, size)) != NULL)
		ck_assert_uint_lt(++nr, IA_COUNT(object));
	(void)take(dev, SID, 1);
	while (nr)
		tablemem_object_free(mem, object[--nr], size);
	finish();
}
END_TEST

START_TEST(a_dump_says_what_a_device_was_given)
{
	char *before, *dump;
	uint32_t n;

	begin(RIG_VTD);
	before = rig_dump(&rig);
	ck_assert_ptr_null(strstr(before, "interrupts: "));
	n = take(dev, IOMMUABS_IRQ_ANY_ID, 2);
	ck_assert_uint_eq(n, 0);
	ck_assert_uint_eq(take(other, OTHER, 1), 2);
	dump = rig_dump(&rig);
	ck_assert_ptr_nonnull(strstr(dump, ", 0+2, of ids 8 to 8\n"));
	ck_assert_ptr_nonnull(strstr(dump, ", 2+1, of ids 123 to 123\n"));
	free(dump);
	ck_assert_int_eq(iommuabs_irq_free(dev, n), 0);
	ck_assert_int_eq(iommuabs_irq_free(other, 2), 0);
	/* All but the instance's line, which counts tables. */
	dump = rig_dump(&rig);
	ck_assert_str_eq(strchr(dump, '\n'), strchr(before, '\n'));
	free(dump);
	free(before);
	finish();
}
END_TEST

START_TEST(what_is_not_the_devices_is_not_found)
{
	const struct iommuabs_irq_target target = to(0x41, 3);
	struct iommuabs_irq_message message;
	uint64_t entry;
	uint32_t n;

	COVERS(iommuabs_irq_free, E_NOENT);
	COVERS(iommuabs_irq_set, E_NOENT);
	COVERS(iommuabs_irq_msi, E_NOENT);
	COVERS(iommuabs_irq_ioapic, E_NOENT);
	begin(RIG_VTD);
	n = take(dev, SID, 4);
	RIG_REFUSED(&rig, iommuabs_irq_set(other, n, &target),
		    IOMMUABS_E_NOENT);
	RIG_REFUSED(&rig, iommuabs_irq_set(dev, n + 4, &target),
		    IOMMUABS_E_NOENT);
	RIG_REFUSED(&rig, iommuabs_irq_free(other, n), IOMMUABS_E_NOENT);
	/* Not the first of them. */
	RIG_REFUSED(&rig, iommuabs_irq_free(dev, n + 1), IOMMUABS_E_NOENT);
	RIG_REFUSED(&rig, iommuabs_irq_msi(dev, n + 4, &message),
		    IOMMUABS_E_NOENT);
	RIG_REFUSED(&rig, iommuabs_irq_ioapic(other, n, 0x41, 0, &entry),
		    IOMMUABS_E_NOENT);
	finish();
}
END_TEST

START_TEST(arguments_that_make_no_sense)
{
	struct iommuabs_irq_message message;
	uint64_t entry;
	uint32_t first, n;

	COVERS(iommuabs_irq_alloc, E_INVAL);
	COVERS(iommuabs_irq_free, E_INVAL);
	COVERS(iommuabs_irq_set, E_INVAL);
	COVERS(iommuabs_irq_msi, E_INVAL);
	COVERS(iommuabs_irq_ioapic, E_INVAL);
	begin(RIG_VTD);
	n = take(dev, SID, 1);
	RIG_REFUSED(&rig, iommuabs_irq_alloc(dev, SID, 0, &first),
		    IOMMUABS_E_INVAL);
	RIG_REFUSED(&rig,
		    iommuabs_irq_alloc(dev, SID, IOMMUABS_IRQS_MAX + 1, &first),
		    IOMMUABS_E_INVAL);
	RIG_REFUSED(&rig, iommuabs_irq_alloc(dev, OTHER, 1, &first),
		    IOMMUABS_E_INVAL);
	RIG_REFUSED(&rig, iommuabs_irq_alloc(dev, SID, 1, NULL),
		    IOMMUABS_E_INVAL);
	RIG_REFUSED(&rig, iommuabs_irq_alloc(NULL, SID, 1, &first),
		    IOMMUABS_E_INVAL);
	RIG_REFUSED(&rig, iommuabs_irq_free(NULL, n), IOMMUABS_E_INVAL);
	RIG_REFUSED(&rig, iommuabs_irq_set(NULL, n, NULL), IOMMUABS_E_INVAL);
	RIG_REFUSED(&rig, iommuabs_irq_msi(dev, n, NULL), IOMMUABS_E_INVAL);
	RIG_REFUSED(&rig, iommuabs_irq_msi(NULL, n, &message),
		    IOMMUABS_E_INVAL);
	RIG_REFUSED(&rig, iommuabs_irq_ioapic(dev, n, 0x100, 0, &entry),
		    IOMMUABS_E_INVAL);
	RIG_REFUSED(
		&rig,
		iommuabs_irq_ioapic(dev, n, 0x41, IOMMUABS_IRQ_POSTED, &entry),
		IOMMUABS_E_INVAL);
	finish();
}
END_TEST

/* Without x2APIC a destination has 8 bits; and so on. */
static const struct iommuabs_irq_target bad_targets[] = {
	{ .vector = 15 },
	{ .vector = 256 },
	{ .vector = 0x41, .delivery = IOMMUABS_IRQ_LOWEST, .destination = 256 },
	{ .vector = 0x41, .delivery = (enum iommuabs_irq_delivery)3 },
	{ .vector = 0x41, .delivery = (enum iommuabs_irq_delivery)6 },
	{ .vector = 0x41, .delivery = (enum iommuabs_irq_delivery)8 },
	{ .vector = 0x41, .descriptor = 64 },
	{ .vector = 0x41, .flags = IOMMUABS_IRQ_URGENT },
	{ .vector = 0x41, .flags = 1u << 5 },
	{ .vector = 0x41, .flags = IOMMUABS_IRQ_POSTED },
	{ .vector = 0x41, .flags = IOMMUABS_IRQ_POSTED, .descriptor = 32 },
	{ .vector = 0x41,
	  .flags = IOMMUABS_IRQ_POSTED,
	  .descriptor = 64,
	  .destination = 1 },
	{ .vector = 0x41,
	  .flags = IOMMUABS_IRQ_POSTED | IOMMUABS_IRQ_LEVEL,
	  .descriptor = 64 },
	{ .vector = 0x41,
	  .flags = IOMMUABS_IRQ_POSTED,
	  .delivery = IOMMUABS_IRQ_NMI,
	  .descriptor = 64 },
};

START_TEST(a_target_that_no_unit_can_mean)
{
	struct iommuabs_irq_target target = bad_targets[_i];
	uint32_t n;

	begin(RIG_VTD_SCALABLE);
	n = take(dev, SID, 1);
	target.size = sizeof(target);
	ck_assert_int_eq(iommuabs_irq_set(dev, n, &target), IOMMUABS_E_INVAL);
	blocks(dev, n, SID, ABSENT);
	finish();
}
END_TEST

START_TEST(a_target_of_a_later_version)
{
	struct {
		struct iommuabs_irq_target target;
		uint64_t more;
	} later = { .target = to(0x41, 3), .more = 1 };
	uint32_t n;

	COVERS(iommuabs_irq_set, E_VERSION);
	begin(RIG_VTD);
	n = take(dev, SID, 1);
	later.target.size = sizeof(later);
	ck_assert_int_eq(iommuabs_irq_set(dev, n, &later.target),
			 IOMMUABS_E_VERSION);
	later.more = 0;
	ck_assert_int_eq(iommuabs_irq_set(dev, n, &later.target), 0);
	finish();
}
END_TEST

START_TEST(a_device_with_interrupts_stays)
{
	uint32_t n;

	COVERS(iommuabs_device_remove, E_BUSY);
	begin(RIG_VTD);
	n = take(dev, SID, 1);
	ck_assert_int_eq(iommuabs_device_remove(dev), IOMMUABS_E_BUSY);
	ck_assert_int_eq(iommuabs_irq_free(dev, n), 0);
	ck_assert_int_eq(iommuabs_device_remove(dev), 0);
	finish();
}
END_TEST

static void add_tests(Suite *s)
{
	TCase *tcase = tcase_create("irq");
	const TTest *const each[] = {
		an_interrupt_leads_where_the_host_says,
		xsa_33_49_an_interrupt_is_its_requesters_alone,
		xsa_36_a_freed_entry_is_absent_and_forgotten_before_it_is_anybody_elses,
		what_is_not_remapped_is_blocked,
		a_change_is_seen_as_old_or_new_and_nothing_else,
		several_messages_differ_in_the_data_alone,
		a_blocked_interrupt_is_a_fault_of_its_sender,
		after_stop_nothing_gets_through,
		a_wait_that_hangs_leaves_it_blocked_or_as_wanted,
		a_free_that_times_out_keeps_them,
		a_fenced_unit_has_forgotten_nothing,
		a_free_that_times_out_blocks_them_all,
		nobody_waits_again_for_a_lost_unit,
	};
	const TTest *const once[] = {
		an_ioapics_entry_names_the_index,
		a_posted_interrupt_names_its_descriptor,
		between_posted_and_remapped_nothing_else_is_seen,
		a_unit_that_can_not_post_says_so,
		several_ids_are_told_by_their_buses,
		a_full_table_and_an_empty_allocator,
		an_interrupt_costs_one_object,
		a_dump_says_what_a_device_was_given,
		what_is_not_the_devices_is_not_found,
		arguments_that_make_no_sense,
		a_target_of_a_later_version,
		a_device_with_interrupts_stays,
		where_messages_go_nothing_is_fixed,
		where_messages_go_nothing_is_read_of_the_p2m,
	};
	size_t i;

	tcase_set_timeout(tcase, 60);
	for (i = 0; i < sizeof(each) / sizeof(each[0]); i++)
		tcase_add_loop_test(tcase, each[i], 0, KINDS);
	for (i = 0; i < sizeof(once) / sizeof(once[0]); i++)
		tcase_add_test(tcase, once[i]);
	tcase_add_loop_test(
		tcase, a_target_that_no_unit_can_mean, 0,
		(int)(sizeof(bad_targets) / sizeof(bad_targets[0])));
	tcase_add_loop_test(tcase, an_interrupt_is_delivered_as_the_host_says,
			    0, 8);
	tcase_add_loop_test(tcase, a_unit_without_a_table_says_so, 0, 2);
	tcase_add_loop_test(tcase, where_messages_go_nothing_is_mapped, 0, 2);
	tcase_add_loop_test(tcase,
			    a_device_whose_messages_are_remapped_needs_no_leave,
			    0, 2);
	suite_add_tcase(s, tcase);
}

static Suite *suite(void)
{
	Suite *s = suite_create("irq");

	/* An SMMU is asked for what it can't do. */
	if (suite_needs(s, IOMMUABS_UNIT_VTD) &&
	    suite_needs(s, IOMMUABS_UNIT_SMMUV3))
		add_tests(s);
	return s;
}

HARNESS_MAIN(suite)
