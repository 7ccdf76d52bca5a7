/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json.c - writing JSON
 */
#include <inttypes.h>
#include <string.h>

#include "inspect.h"

static void newline(struct json *json)
{
	unsigned int i;

	fputc('\n', json->out);
	for (i = 0; i < json->depth; i++)
		fputc(' ', json->out);
}

static void put_bytes(FILE *out, const void *value, size_t length)
{
	const unsigned char *at = value;

	fputc('"', out);
	for (; length; length--, at++) {
		if (*at == '"' || *at == '\\')
			fprintf(out, "\\%c", *at);
		else if (*at == '\n')
			fputs("\\n", out);
		else if (*at == '\t')
			fputs("\\t", out);
		else if (*at == '\r')
			fputs("\\r", out);
		else if (*at == '\b')
			fputs("\\b", out);
		else if (*at == '\f')
			fputs("\\f", out);
		else if (*at < ' ' || *at > '~')
			fprintf(out, "\\u%04x", *at);
		else
			fputc(*at, out);
	}
	fputc('"', out);
}

/* What comes before a value. */
static void begin(struct json *json, const char *key)
{
	if (json->depth) {
		if (!json->is_first)
			fputc(',', json->out);
		newline(json);
	}
	json->is_first = false;
	if (key) {
		put_bytes(json->out, key, strlen(key));
		fputs(": ", json->out);
	}
}

void json_open(struct json *json, const char *key, char bracket)
{
	begin(json, key);
	fputc(bracket, json->out);
	json->depth++;
	json->is_first = true;
}

void json_close(struct json *json, char bracket)
{
	json->depth--;
	if (!json->is_first)
		newline(json);
	fputc(bracket, json->out);
	json->is_first = false;
	if (!json->depth)
		fputc('\n', json->out);
}

void json_bytes(struct json *json, const char *key, const void *value,
		size_t length)
{
	begin(json, key);
	put_bytes(json->out, value, length);
}

void json_string(struct json *json, const char *key, const char *value)
{
	json_bytes(json, key, value, strlen(value));
}

void json_number(struct json *json, const char *key, uint64_t value)
{
	begin(json, key);
	fprintf(json->out, "%" PRIu64, value);
}

void json_hex(struct json *json, const char *key, uint64_t value)
{
	begin(json, key);
	fprintf(json->out, "\"0x%" PRIx64 "\"", value);
}

void json_bool(struct json *json, const char *key, bool value)
{
	begin(json, key);
	fputs(value ? "true" : "false", json->out);
}

void json_null(struct json *json, const char *key)
{
	begin(json, key);
	fputs("null", json->out);
}
