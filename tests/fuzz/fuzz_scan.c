/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_scan.c - any bytes give a result or an error, in work that is linear
 *
 * -DFUZZ_SCAN says of which scanner. Bus numbers behind bridges are made of the
 * input too.
 */
#include <stdlib.h>
#include <string.h>

#include <iommuabs/error.h>

#include "firmware/desc.h"
#include "fuzz.h"

/*
 * Steps for a byte: more than any table needs. A mapping or scope is 8 bytes at
 * the least, and may claim 256 buses.
 */
#define WORK_PER_BYTE 400
#define WORK_AT_LEAST 100000

static const uint8_t *input;
static size_t input_size;

static void *object_alloc(void *ctx, size_t size)
{
	(void)ctx;
	return malloc(size);
}

static void object_free(void *ctx, void *object, size_t size)
{
	(void)ctx;
	(void)size;
	free(object);
}

/* Half of all functions are bridges, to buses that the input's bytes say. */
static uint32_t cfg_read(void *ctx, uint32_t pci, unsigned int offset)
{
	uint32_t a = input[pci % input_size];
	uint32_t b = input[(pci >> 3) % input_size];

	(void)ctx;
	if (offset == 0x0c)
		return (pci & 1) << 16;
	return b << 16 | a << 8;
}

static void remark(void *arg, const char *text)
{
	*(size_t *)arg += strlen(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hostif host = {
		.ops = {
			.alloc = object_alloc,
			.free = object_free,
			.pci_cfg_read = cfg_read,
		},
	};
	struct tablemem mem = { .host = &host };
	size_t remarks = 0;
	struct desc_set set = {
		.mem = &mem,
		.remark = remark,
		.remark_arg = &remarks,
	};
	int ret;

	if (!size)
		return 0;
	input = data;
	input_size = size;
	ret = FUZZ_SCAN(&set, data, size);
	if (ret && ret != IOMMUABS_E_FIRMWARE)
		abort();
	if (ret && !set.error[0])
		abort();
	if (set.work > WORK_AT_LEAST + size * WORK_PER_BYTE)
		abort();
	desc_free(&set);
	if (set.devices || set.units)
		abort();
	return 0;
}
