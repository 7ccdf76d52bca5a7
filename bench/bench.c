/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench.c - what the calls on domains take, over a driver without hardware
 *
 * docs/performance.md says what the rows mean and how to compare them.
 */
#include "bench.h"

static const struct bench_kind kinds[] = {
	/* What a guest gets: locks and reverse map on. */
	{ "ours", 0 },
	/* What the tables alone take. */
	{ "ours-plain", IOMMUABS_DOMAIN_SERIALISED | IOMMUABS_DOMAIN_HOST |
				IOMMUABS_DOMAIN_NO_REVERSE_MAP },
};

int main(int argc, char **argv)
{
	unsigned int pass, i;

	measure_options(argc, argv);
	tables_warm_up(&kinds[0]);
	for (pass = 0; pass < measure_passes(); pass++) {
		for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
			measure_kind(&kinds[i]);
			tables_pass(&kinds[i]);
		}
	}
	measure_kind(&kinds[0]);
	reverse_pass(&kinds[0]);
	measure_print();
	return 0;
}
