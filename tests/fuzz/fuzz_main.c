/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_main.c - a target without libFuzzer: one input, on standard input
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

int main(void)
{
	static uint8_t data[1 << 20];
	size_t size = fread(data, 1, sizeof(data), stdin);
	/* Of exactly its size, and aligned as malloc() does. */
	uint8_t *copy = malloc(size ? size : 1);
	int ret;

	if (!copy)
		return 1;
	memcpy(copy, data, size);
	ret = LLVMFuzzerTestOneInput(copy, size);
	free(copy);
	return ret;
}
