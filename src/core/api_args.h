/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * api_args.h - arguments that several public calls take
 */
#ifndef IOMMUABS_CORE_API_ARGS_H
#define IOMMUABS_CORE_API_ARGS_H

#include "core.h"

/* A budget of 0 means to the end. */
static inline uint64_t api_budget(uint64_t budget)
{
	return budget ? budget : ~(uint64_t)0;
}

static inline bool api_span_good(const struct iommuabs_domain *dom,
				 uint64_t gfn, uint64_t nr)
{
	uint64_t all = IA_BITS(dom->input_bits - IOMMUABS_FRAME_LG2) + 1;

	return nr && nr <= all && gfn <= all - nr;
}

#endif
