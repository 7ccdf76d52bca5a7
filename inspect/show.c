/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * show.c - one table, in the form that is wanted
 */
#include "inspect.h"

void show(struct table *table, struct tablemem *mem, enum form form,
	  struct json *json, unsigned int n)
{
	if (table->status)
		return;
	if (form == FORM_RAW && table->kind == TABLE_DMAR) {
		(void)raw_dmar(table, json);
		return;
	}
	if (form == FORM_RAW && table->kind == TABLE_IORT) {
		(void)raw_iort(table, json);
		return;
	}
	table_scan(table, mem);
	if (table->status)
		return;
	if (form == FORM_RAW) {
		(void)raw_dtb(table, json);
		return;
	}
	if (form == FORM_JSON)
		show_json(table, json);
	else if (form == FORM_DOT)
		show_dot(table, n, json->out);
	else
		show_text(table, json->out);
}
