/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host.c - the little that the scanners ask of a host
 */
#include <stdlib.h>
#include <string.h>

#include "host/hostif.h"
#include "inspect.h"

void *take(size_t size)
{
	void *memory = calloc(1, size ? size : 1);

	if (!memory) {
		fputs("iommuabs-inspect: out of memory\n", stderr);
		exit(INSPECT_UNREADABLE);
	}
	return memory;
}

char *take_string(const char *string)
{
	size_t size = strlen(string) + 1;

	return memcpy(take(size), string, size);
}

static void *object_alloc(void *ctx, size_t size)
{
	(void)ctx;
	return take(size);
}

static void object_free(void *ctx, void *object, size_t size)
{
	(void)ctx;
	(void)size;
	free(object);
}

/* The running Linux's view of a function's first 64 bytes. */
static uint32_t live_cfg_read(void *ctx, uint32_t pci, unsigned int offset)
{
	unsigned char word[4] = { 0xff, 0xff, 0xff, 0xff };
	char path[80];
	FILE *in;

	(void)ctx;
	snprintf(path, sizeof(path),
		 "/sys/bus/pci/devices/%04x:%02x:%02x.%x/config", pci >> 16,
		 (pci >> 8) & 0xff, (pci >> 3) & 0x1f, pci & 7);
	in = fopen(path, "rb");
	if (!in)
		return ~0u;
	if (fseek(in, (long)offset, SEEK_SET) ||
	    fread(word, 1, sizeof(word), in) != sizeof(word))
		memset(word, 0xff, sizeof(word));
	fclose(in);
	return (uint32_t)word[3] << 24 | (uint32_t)word[2] << 16 |
	       (uint32_t)word[1] << 8 | word[0];
}

void host_open(struct tablemem *mem, bool is_live)
{
	static struct hostif host = {
		.ops = { .alloc = object_alloc, .free = object_free },
	};

	host.ops.pci_cfg_read = is_live ? live_cfg_read : NULL;
	memset(mem, 0, sizeof(*mem));
	mem->host = &host;
}
