/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_inspect.c - iommuabs-inspect as a whole, in each of its forms
 */
#include <stdio.h>
#include <stdlib.h>

#include "backends/backend.h"
#include "fuzz.h"
#include "inspect.h"

/* No driver is built in. */
const struct backend_ops *backend_find(enum iommuabs_unit_type type)
{
	(void)type;
	return NULL;
}

static void show_once(const uint8_t *data, size_t size, enum form form)
{
	static const char file[] = "a\\\"\n.bin";
	struct json json = { .is_first = true };
	struct tablemem mem;
	struct table table;

	json.out = fopen("/dev/null", "w");
	if (!json.out)
		abort();
	host_open(&mem, false);
	table_take(&table, file, data, size);
	show(&table, &mem, form, &json, 0);
	if (table.status && !table.error[0])
		abort();
	if (!table.status && json.depth)
		abort();
	table_free(&table);
	fclose(json.out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	show_once(data, size, FORM_TEXT);
	show_once(data, size, FORM_JSON);
	show_once(data, size, FORM_RAW);
	show_once(data, size, FORM_DOT);
	return 0;
}
