/* SPDX-License-Identifier: BSD-2-Clause */
#include "test_blocks.h"

static uint64_t blocks;

/* The name is the compilers' (-fsanitize-coverage=trace-pc). */
void __sanitizer_cov_trace_pc(void);

void __sanitizer_cov_trace_pc(void)
{
	blocks++;
}

uint64_t test_blocks(void)
{
	return blocks;
}
