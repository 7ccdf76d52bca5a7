/* SPDX-License-Identifier: BSD-2-Clause */
#include "api_struct.h"

#include "../host/hostif.h"

static uint32_t size_of(const void *object)
{
	uint32_t size;

	__builtin_memcpy(&size, object, sizeof(size));
	return size;
}

int api_struct_check(const void *to)
{
	uint32_t size = size_of(to);

	if (size < sizeof(size) || size > API_STRUCT_MAX)
		return IOMMUABS_E_INVAL;
	return 0;
}

int api_struct_in(void *to, size_t known, const void *from)
{
	const char *bytes = from;
	uint32_t size = size_of(from), known_size = (uint32_t)known;
	size_t i;

	if (api_struct_check(from))
		return IOMMUABS_E_INVAL;
	for (i = known; i < size; i++)
		if (bytes[i])
			return IOMMUABS_E_VERSION;
	__builtin_memset(to, 0, known);
	__builtin_memcpy(to, from, IA_MIN(size, known));
	__builtin_memcpy(to, &known_size, sizeof(known_size));
	return 0;
}

void api_struct_out(void *to, const void *from, size_t known)
{
	uint32_t size = size_of(to);

	__builtin_memset(to, 0, size);
	__builtin_memcpy(to, from, IA_MIN(size, known));
	__builtin_memcpy(to, &size, sizeof(size));
}
