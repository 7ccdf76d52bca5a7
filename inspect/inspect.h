/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inspect.h - iommuabs-inspect: what the library makes of firmware tables
 *
 * A hosted program around the library's own readers and scanners: what it shows
 * is what iommuabs_scan_acpi() and iommuabs_scan_fdt() find.
 */
#ifndef IOMMUABS_INSPECT_H
#define IOMMUABS_INSPECT_H

#include <stdbool.h>
#include <stdio.h>

#include "firmware/desc.h"

/* Exit statuses: the greatest of those that a file earned. */
enum inspect_status {
	INSPECT_GOOD,
	INSPECT_MALFORMED, /* a table that the library refuses */
	INSPECT_USAGE,
	INSPECT_UNREADABLE, /* no such file, or nothing to show */
	INSPECT_UNKNOWN,    /* a table of a kind that the library can't read */
};

enum table_kind {
	TABLE_DMAR,
	TABLE_IORT,
	TABLE_DTB,
	TABLE_OTHER,
};

/* One file. */
struct table {
	const char *file;
	enum table_kind kind;
	const char *kind_name;
	void *data; /* 8-byte aligned, malloc()ed */
	size_t size;
	struct desc_set set;
	char **remarks;
	size_t nr_remarks;
	enum inspect_status status;
	char error[400]; /* with a status that isn't good */
};

/* ---- host.c ---- */

/* Memory for the scanners, and configuration space if @is_live. */
void host_open(struct tablemem *mem, bool is_live);
/* malloc() and its kin; the program ends when there is no memory. */
void *take(size_t size);
char *take_string(const char *string);

/* ---- table.c ---- */

/* Reads @file and says what it is. */
void table_read(struct table *table, const char *file);
/* The same for a table in memory, which is copied. */
void table_take(struct table *table, const char *file, const void *data,
		size_t size);
/* Fills set and remarks. */
void table_scan(struct table *table, struct tablemem *mem);
void table_free(struct table *table);

/* ---- words.c: how things are called ---- */

void unit_label(const struct desc_unit *unit, char *text, size_t size);
void device_label(const struct desc_device *device, char *text, size_t size);
/* Of an alias: its path, or its functions. */
void alias_label(const struct desc_alias *alias, char *text, size_t size);
/* For terminals: what firmware calls things may hold any byte. */
void make_plain(char *text);
/* Is there a unit for each of its ids? Of a range device: for some. */
bool device_is_seen(const struct desc_device *device);
const char *unit_type_name(enum iommuabs_unit_type type);
/* How a unit could show a domain: "unknown: ...", or "no: ...". */
const char *unit_share(const struct desc_unit *unit);
const char *unit_mirror(const struct desc_unit *unit);
const char *memory_type_name(uint32_t flags);

/* ---- json.c ---- */

/* Indented by one blank, as many tools print it, so that diff compares. */
struct json {
	FILE *out;
	unsigned int depth;
	bool is_first;
};

/* @key NULL: an element of a list; @bracket '{' or '['. */
void json_open(struct json *json, const char *key, char bracket);
void json_close(struct json *json, char bracket);
void json_string(struct json *json, const char *key, const char *value);
/* @length bytes, each a character of its own. */
void json_bytes(struct json *json, const char *key, const void *value,
		size_t length);
void json_number(struct json *json, const char *key, uint64_t value);
void json_hex(struct json *json, const char *key, uint64_t value);
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);

/* ---- sha256.c ---- */

/* FIPS 180-4; 64 hexadecimal digits and a 0. */
void sha256_hex(const void *data, size_t size, char hex[65]);

/* ---- raw_*.c: the table as it is, structure by structure ---- */

/* False: it can't be read; table->error says why. */
bool raw_dmar(struct table *table, struct json *json);
bool raw_iort(struct table *table, struct json *json);
bool raw_dtb(struct table *table, struct json *json);
/* What every answer begins with: file and sha256. */
void raw_begin(struct table *table, struct json *json);

/* ---- show*.c: what the library makes of it ---- */

enum form {
	FORM_TEXT,
	FORM_JSON,
	FORM_RAW,
	FORM_DOT,
};

/*
 * Scans @table, the @n-th, and writes it to json->out; says nothing on errors.
 */
void show(struct table *table, struct tablemem *mem, enum form form,
	  struct json *json, unsigned int n);

void show_text(const struct table *table, FILE *out);
void show_json(const struct table *table, struct json *json);
/* A graph of all tables; @n numbers them. */
void show_dot_begin(FILE *out);
void show_dot(const struct table *table, unsigned int n, FILE *out);
void show_dot_end(FILE *out);

#endif
