/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registers' fields are put together here from the Arm ARM (D24.2.179 to
 * D24.2.181) anew, by shifts.
 */
#include <string.h>

#include <iommuabs/iommuabs.h>

#include "harness.h"

#define VM ((uint64_t)1)

static uint64_t vtcr(unsigned int t0sz, unsigned int sl0, unsigned int tg0,
		     unsigned int ps)
{
	/* RES1, SH0 inner, ORGN0 and IRGN0 write-back */
	return (uint64_t)1 << 31 | (uint64_t)ps << 16 | (uint64_t)tg0 << 14 |
	       3u << 12 | 1u << 10 | 1u << 8 | sl0 << 6 | t0sz;
}

static const struct good {
	unsigned int t0sz, sl0, tg0, ps;
	uint64_t root;
	unsigned int in, out, granule_lg2, levels;
} good[] = {
	/* 4K: SL0 0 is level 2, 1 is 1, 2 is 0, 3 is 3 */
	{ 24, 1, 0, 2, 0x40002000, 40, 40, 12, 3 }, /* two tables */
	{ 25, 1, 0, 2, 0x40001000, 39, 40, 12, 3 },
	{ 16, 2, 0, 5, 0x40001000, 48, 48, 12, 4 },
	{ 20, 2, 0, 4, 0x40001000, 44, 44, 12, 4 },
	{ 20, 2, 0, 4, 0x40000100, 44, 44, 12, 4 }, /* a root of 32 entries */
	{ 21, 1, 0, 3, 0x40010000, 43, 42, 12, 3 }, /* sixteen tables */
	{ 32, 1, 0, 0, 0x40001000, 32, 32, 12, 3 },
	{ 30, 0, 0, 1, 0x40010000, 34, 36, 12, 2 }, /* sixteen tables */
	{ 16, 2, 0, 6, 0x40001000, 48, 48, 12, 4 }, /* 52 takes DS */
	{ 40, 3, 0, 0, 0x40008000, 24, 32, 12, 1 },
	/* 64K: SL0 0 is level 3, 1 is 2, 2 is 1 */
	{ 22, 1, 1, 5, 0x40010000, 42, 48, 16, 2 },
	{ 16, 2, 1, 5, 0x40010000, 48, 48, 16, 3 },
	{ 12, 2, 1, 6, 0x40010000, 52, 52, 16, 3 },
	/* 16K: SL0 0 is level 3, 1 is 2, 2 is 1 */
	{ 24, 1, 2, 2, 0x40040000, 40, 40, 14, 2 }, /* sixteen tables */
	{ 17, 2, 2, 5, 0x40004000, 47, 48, 14, 3 },
	{ 16, 2, 2, 5, 0x40008000, 48, 48, 14, 3 },
	{ 16, 2, 2, 6, 0x40008000, 48, 48, 14, 3 }, /* 52 takes DS */
};

START_TEST(registers_give_the_geometry)
{
	const struct good *c = &good[_i];
	struct iommuabs_p2m p2m;

	memset(&p2m, 0xa5, sizeof(p2m));
	ck_assert_int_eq(
		iommuabs_p2m_from_vtcr(vtcr(c->t0sz, c->sl0, c->tg0, c->ps),
				       c->root, VM, &p2m),
		0);
	ck_assert_uint_eq(p2m.size, sizeof(p2m));
	ck_assert_uint_eq(p2m.flags, 0);
	ck_assert_int_eq(p2m.format, IOMMUABS_P2M_ARM_S2);
	ck_assert_uint_eq(p2m.root, c->root);
	ck_assert_uint_eq(p2m.input_bits, c->in);
	ck_assert_uint_eq(p2m.output_bits, c->out);
	ck_assert_uint_eq(p2m.granule_lg2, c->granule_lg2);
	ck_assert_uint_eq(p2m.levels, c->levels);
	ck_assert_uint_eq(p2m.vmid_bits, 8);
	ck_assert_uint_eq(p2m.walk_attrs, 0x35);
}
END_TEST

START_TEST(the_vmid_is_not_part_of_the_root)
{
	uint64_t vttbr = (uint64_t)0xbeef << 48 | 0x40002000 | 1;
	struct iommuabs_p2m p2m;

	ck_assert_int_eq(iommuabs_p2m_from_vtcr(vtcr(24, 1, 0, 2) | 1u << 19,
						vttbr, VM, &p2m),
			 0);
	ck_assert_uint_eq(p2m.root, 0x40002000);
	ck_assert_uint_eq(p2m.vmid_bits, 16);
}
END_TEST

START_TEST(a_52_bit_root_has_its_high_bits_at_the_bottom)
{
	struct iommuabs_p2m p2m;

	ck_assert_int_eq(iommuabs_p2m_from_vtcr(vtcr(12, 2, 1, 6),
						0x40010000 | 0xa << 2, VM,
						&p2m),
			 0);
	ck_assert_uint_eq(p2m.root, (uint64_t)0xa << 48 | 0x40010000);
}
END_TEST

static const struct bad {
	uint64_t vtcr, vttbr, hcr;
} bad[] = {
	/* HCR_EL2.VM clear */
	{ (uint64_t)2 << 16 | 3 << 12 | 1 << 6 | 24, 0x40002000, ~VM },
	/* a reserved granule, shareability, PS */
	{ (uint64_t)2 << 16 | 3 << 14 | 1 << 6 | 24, 0x40002000, VM },
	{ (uint64_t)2 << 16 | 1 << 12 | 1 << 6 | 24, 0x40002000, VM },
	{ (uint64_t)7 << 16 | 3 << 12 | 1 << 6 | 24, 0x40002000, VM },
	/* 128-bit and 52-bit descriptors: DS, SL2 */
	{ (uint64_t)1 << 32 | 2 << 16 | 1 << 6 | 24, 0x40002000, VM },
	{ (uint64_t)1 << 33 | 2 << 16 | 1 << 6 | 24, 0x40002000, VM },
	/* a start level that 16K and 64K granules lack */
	{ (uint64_t)5 << 16 | 1 << 14 | 3 << 6 | 16, 0x40010000, VM },
	{ (uint64_t)5 << 16 | 2 << 14 | 3 << 6 | 16, 0x40010000, VM },
	/* too wide, too narrow */
	{ (uint64_t)5 << 16 | 2 << 6 | 15, 0x40002000, VM },
	{ (uint64_t)6 << 16 | 1 << 14 | 2 << 6 | 11, 0x40010000, VM },
	{ (uint64_t)2 << 16 | 3 << 6 | 49, 0x40001000, VM },
	/* more than 16 tables; none at all */
	{ (uint64_t)5 << 16 | 1 << 6 | 20, 0x40020000, VM },
	{ (uint64_t)2 << 16 | 1 << 6 | 34, 0x40001000, VM },
	/* two tables, aligned to one; sixteen, aligned to eight */
	{ (uint64_t)2 << 16 | 1 << 6 | 24, 0x40001000, VM },
	{ (uint64_t)3 << 16 | 1 << 6 | 21, 0x40008000, VM },
};

START_TEST(what_hardware_would_not_walk_is_refused)
{
	const struct bad *c = &bad[_i];
	struct iommuabs_p2m p2m, before;

	COVERS(iommuabs_p2m_from_vtcr, E_INVAL);
	memset(&before, 0xa5, sizeof(before));
	p2m = before;
	ck_assert_int_eq(
		iommuabs_p2m_from_vtcr(c->vtcr, c->vttbr, c->hcr, &p2m),
		IOMMUABS_E_INVAL);
	ck_assert_mem_eq(&p2m, &before, sizeof(p2m));
}
END_TEST

START_TEST(there_must_be_somewhere_to_write)
{
	ck_assert_int_eq(
		iommuabs_p2m_from_vtcr(vtcr(24, 1, 0, 2), 0x40002000, VM, NULL),
		IOMMUABS_E_INVAL);
}
END_TEST

/* SDM 25.6.11: type 2:0, levels - 1 5:3, flags 6 and 7, root from 12 on */
START_TEST(an_eptp_says_what_the_manual_says)
{
	struct iommuabs_p2m p2m;

	ck_assert_int_eq(iommuabs_p2m_from_eptp(0x12345678901e, &p2m), 0);
	ck_assert_uint_eq(p2m.size, sizeof(p2m));
	ck_assert_int_eq(p2m.format, IOMMUABS_P2M_EPT);
	ck_assert_uint_eq(p2m.root, 0x123456789000);
	ck_assert_uint_eq(p2m.levels, 4);
	ck_assert_uint_eq(p2m.input_bits, 48);
	ck_assert_uint_eq(p2m.output_bits, 52);
	ck_assert_uint_eq(p2m.granule_lg2, 12);
	ck_assert_uint_eq(p2m.flags, 0);
	/* Five levels, uncached, accessed and dirty flags, shadow stacks. */
	ck_assert_int_eq(iommuabs_p2m_from_eptp(0x10e0, &p2m), 0);
	ck_assert_uint_eq(p2m.levels, 5);
	ck_assert_uint_eq(p2m.input_bits, 57);
	ck_assert_uint_eq(p2m.root, 0x1000);
}
END_TEST

static const uint64_t bad_eptps[] = {
	0x101a, /* type 2 */
	0x1016, /* three levels */
	0x102e, /* six */
	0x111e,
	0x181e, /* reserved bits */
	(uint64_t)1 << 52 | 0x101e,
	0x001e, /* no root */
};

START_TEST(an_eptp_that_is_none_is_refused)
{
	struct iommuabs_p2m p2m = { .size = 77 };

	COVERS(iommuabs_p2m_from_eptp, E_INVAL);
	ck_assert_int_eq(iommuabs_p2m_from_eptp(bad_eptps[_i], &p2m),
			 IOMMUABS_E_INVAL);
	ck_assert_uint_eq(p2m.size, 77);
	ck_assert_int_eq(iommuabs_p2m_from_eptp(0x101e, NULL),
			 IOMMUABS_E_INVAL);
}
END_TEST

START_TEST(every_reason_and_error_has_its_own_words)
{
	int i, k;

	for (i = 0; i <= IOMMUABS_SHARE_NO_DRIVER; i++)
		for (k = 0; k < i; k++)
			ck_assert_str_ne(iommuabs_share_reason_text(
						 (enum iommuabs_share_reason)i),
					 iommuabs_share_reason_text((
						 enum iommuabs_share_reason)k));
	ck_assert_str_eq(
		iommuabs_share_reason_text((enum iommuabs_share_reason)(
			IOMMUABS_SHARE_NO_DRIVER + 1)),
		"unknown reason");
	for (i = 0; i >= IOMMUABS_E_TOPOLOGY; i--)
		for (k = 0; k > i; k--) {
			ck_assert_str_ne(iommuabs_strerror(i), "");
			ck_assert_str_ne(iommuabs_strerror(i),
					 iommuabs_strerror(k));
		}
	ck_assert_str_eq(iommuabs_strerror(1), "unknown error");
	ck_assert_str_eq(iommuabs_strerror(IOMMUABS_E_TOPOLOGY - 1),
			 "unknown error");
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("p2m");
	TCase *arm = tcase_create("arm");
	TCase *others = tcase_create("others");

	tcase_add_loop_test(arm, registers_give_the_geometry, 0,
			    sizeof(good) / sizeof(good[0]));
	tcase_add_test(arm, the_vmid_is_not_part_of_the_root);
	tcase_add_test(arm, a_52_bit_root_has_its_high_bits_at_the_bottom);
	tcase_add_loop_test(arm, what_hardware_would_not_walk_is_refused, 0,
			    sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(arm, there_must_be_somewhere_to_write);
	suite_add_tcase(s, arm);
	tcase_add_test(others, an_eptp_says_what_the_manual_says);
	tcase_add_loop_test(others, an_eptp_that_is_none_is_refused, 0, 7);
	tcase_add_test(others, every_reason_and_error_has_its_own_words);
	suite_add_tcase(s, others);
	return s;
}

HARNESS_MAIN(suite)
