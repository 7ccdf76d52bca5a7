/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table.c - files, what they are, and what the scanners find in them
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <iommuabs/error.h>

#include "inspect.h"

#define SIZE_MAX_OF_TABLE ((size_t)64 << 20)

static void fail(struct table *table, enum inspect_status status,
		 const char *what)
{
	table->status = status;
	snprintf(table->error, sizeof(table->error), "%s", what);
	make_plain(table->error);
}

static bool is_signature(const unsigned char *data)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		if (data[i] < ' ' || data[i] > '~')
			return false;
	return true;
}

/* By the first four bytes; the names are those of the expected answers. */
static void kind_judge(struct table *table)
{
	static const unsigned char magic[4] = { 0xd0, 0x0d, 0xfe, 0xed };
	const unsigned char *data = table->data;

	table->kind = TABLE_OTHER;
	table->kind_name = "unknown";
	if (table->size < 4) {
		fail(table, INSPECT_MALFORMED,
		     table->size ? "no table: fewer than four bytes"
				 : "no table: the file is empty");
	} else if (!memcmp(data, magic, 4)) {
		table->kind = TABLE_DTB;
		table->kind_name = "dtb";
	} else if (!memcmp(data, "DMAR", 4)) {
		table->kind = TABLE_DMAR;
		table->kind_name = "dmar";
	} else if (!memcmp(data, "IORT", 4)) {
		table->kind = TABLE_IORT;
		table->kind_name = "iort";
	} else if (is_signature(data)) {
		table->status = INSPECT_UNKNOWN;
		snprintf(table->error, sizeof(table->error),
			 "a table \"%.4s\": only DMAR, IORT and device trees "
			 "can be read",
			 (const char *)data);
	} else {
		fail(table, INSPECT_MALFORMED,
		     "neither an ACPI table nor a device tree");
	}
}

void table_take(struct table *table, const char *file, const void *data,
		size_t size)
{
	memset(table, 0, sizeof(*table));
	table->file = file;
	table->size = size;
	table->data = take(size);
	memcpy(table->data, data, size);
	kind_judge(table);
}

/* All of @in, however long: files of sysfs do not say. */
static void read_all(struct table *table, FILE *in)
{
	size_t room = 0, got;
	char *data = NULL;

	do {
		if (table->size == room) {
			room = room ? 2 * room : 4096;
			data = realloc(data, room);
			if (!data)
				data = take(room);
		}
		got = fread(data + table->size, 1, room - table->size, in);
		table->size += got;
	} while (got && table->size <= SIZE_MAX_OF_TABLE);
	/* Of exactly its size, so that what reads beyond is found. */
	table->data = take(table->size);
	memcpy(table->data, data, table->size);
	free(data);
}

void table_read(struct table *table, const char *file)
{
	FILE *in = fopen(file, "rb");

	memset(table, 0, sizeof(*table));
	table->file = file;
	table->kind = TABLE_OTHER;
	table->kind_name = "unknown";
	if (!in) {
		fail(table, INSPECT_UNREADABLE, strerror(errno));
		return;
	}
	errno = 0;
	read_all(table, in);
	if (ferror(in))
		fail(table, INSPECT_UNREADABLE, strerror(errno ? errno : EIO));
	else if (table->size > SIZE_MAX_OF_TABLE)
		fail(table, INSPECT_UNREADABLE, "more than 64 MiB");
	else
		kind_judge(table);
	fclose(in);
}

static void remark(void *arg, const char *text)
{
	struct table *table = arg;

	table->remarks = realloc(table->remarks, (table->nr_remarks +
						  1) * sizeof(*table->remarks));
	if (!table->remarks)
		take((size_t)-1);
	table->remarks[table->nr_remarks] = take_string(text);
	make_plain(table->remarks[table->nr_remarks++]);
}

void table_scan(struct table *table, struct tablemem *mem)
{
	int ret = 0;

	table->set.mem = mem;
	table->set.remark = remark;
	table->set.remark_arg = table;
	if (table->kind == TABLE_DMAR)
		ret = desc_scan_dmar(&table->set, table->data, table->size);
	else if (table->kind == TABLE_IORT)
		ret = desc_scan_iort(&table->set, table->data, table->size);
	else if (table->kind == TABLE_DTB)
		ret = desc_scan_fdt(&table->set, table->data, table->size);
	if (ret == IOMMUABS_E_NOTSUP)
		fail(table, INSPECT_UNKNOWN, "built without this scanner");
	else if (ret)
		fail(table, INSPECT_MALFORMED,
		     table->set.error[0] ? table->set.error
					 : iommuabs_strerror(ret));
}

void table_free(struct table *table)
{
	size_t i;

	for (i = 0; i < table->nr_remarks; i++)
		free(table->remarks[i]);
	free(table->remarks);
	free(table->data);
	if (table->set.mem)
		desc_free(&table->set);
}
