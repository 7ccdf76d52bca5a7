/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main.c - iommuabs-inspect: arguments, files, exit status
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <iommuabs/iommuabs.h>

#include "inspect.h"

/* Where the running Linux has them. */
static const char *const live_files[] = {
	"/sys/firmware/acpi/tables/DMAR",
	"/sys/firmware/acpi/tables/IORT",
	"/sys/firmware/acpi/tables/IVRS",
	"/sys/firmware/acpi/tables/VIOT",
	"/sys/firmware/fdt",
};

static void usage(FILE *out)
{
	fputs("usage: iommuabs-inspect [--json [--raw] | --dot] [FILE...]\n"
	      "\n"
	      "Shows the IOMMUs, devices and reserved memory that ACPI tables\n"
	      "(DMAR, IORT) and flattened device trees describe. Without a\n"
	      "FILE: those of the running Linux.\n"
	      "\n"
	      "  --json      for programs\n"
	      "  --json --raw  each table as it is, structure by "
	      "structure\n"
	      "  --dot       a picture, for dot of Graphviz\n"
	      "  --help, --version\n"
	      "\n"
	      "Exit status: 0 all is well, 1 a table is malformed, 2 wrong\n"
	      "arguments, 3 a file can't be read, 4 a table of another kind.\n",
	      out);
}

static void error_show(const struct table *table, enum form form,
		       struct json *json)
{
	fprintf(stderr, "iommuabs-inspect: %s: %s\n", table->file,
		table->error);
	/* One of several: programs want to know which is missing. */
	if ((form != FORM_JSON && form != FORM_RAW) || !json->depth)
		return;
	json_open(json, NULL, '{');
	json_string(json, "file", table->file);
	json_string(json, "error", table->error);
	json_close(json, '}');
}

static enum inspect_status files_show(char **files, int nr, enum form form,
				      bool is_live)
{
	struct json json = { .out = stdout, .is_first = true };
	enum inspect_status worst = INSPECT_GOOD;
	bool is_list = nr > 1 && (form == FORM_JSON || form == FORM_RAW);
	struct tablemem mem;
	struct table table;
	int i;

	host_open(&mem, is_live);
	if (is_list)
		json_open(&json, NULL, '[');
	if (form == FORM_DOT)
		show_dot_begin(stdout);
	for (i = 0; i < nr; i++) {
		table_read(&table, files[i]);
		show(&table, &mem, form, &json, (unsigned int)i);
		if (table.status)
			error_show(&table, form, &json);
		if (table.status > worst)
			worst = table.status;
		table_free(&table);
	}
	if (form == FORM_DOT)
		show_dot_end(stdout);
	if (is_list)
		json_close(&json, ']');
	return worst;
}

static enum inspect_status live_show(enum form form)
{
	char *files[sizeof(live_files) / sizeof(live_files[0])];
	unsigned int i;
	int nr = 0, error = ENOENT;

	for (i = 0; i < sizeof(live_files) / sizeof(live_files[0]); i++) {
		if (!access(live_files[i], R_OK))
			files[nr++] = take_string(live_files[i]);
		else if (errno != ENOENT)
			error = errno;
	}
	if (!nr) {
		fprintf(stderr,
			"iommuabs-inspect: this machine shows neither DMAR nor "
			"IORT nor device tree below /sys/firmware (%s)\n",
			strerror(error));
		return INSPECT_UNREADABLE;
	}
	return files_show(files, nr, form, true);
}

static bool form_choose(int argc, char **argv, enum form *form)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "raw", no_argument, NULL, 'r' },
		{ "dot", no_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ NULL, 0, NULL, 0 },
	};
	bool json = false, raw = false, dot = false;
	uint32_t version = iommuabs_version();
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		json |= option == 'j';
		raw |= option == 'r';
		dot |= option == 'd';
		if (option == 'h') {
			usage(stdout);
			exit(INSPECT_GOOD);
		}
		if (option == 'v') {
			printf("iommuabs-inspect %u.%u.%u\n", version >> 16,
			       version >> 8 & 0xff, version & 0xff);
			exit(INSPECT_GOOD);
		}
		if (option == '?')
			return false;
	}
	*form = dot ? FORM_DOT : raw ? FORM_RAW : json ? FORM_JSON : FORM_TEXT;
	if (!(dot && (json || raw)) && (!raw || json))
		return true;
	fprintf(stderr, "iommuabs-inspect: %s\n",
		dot ? "--dot goes with neither --json nor --raw"
		    : "--raw goes with --json only");
	return false;
}

int main(int argc, char **argv)
{
	enum inspect_status status;
	enum form form;

	if (!form_choose(argc, argv, &form)) {
		usage(stderr);
		return INSPECT_USAGE;
	}
	if (optind < argc)
		status = files_show(argv + optind, argc - optind, form, false);
	else
		status = live_show(form);
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "iommuabs-inspect: standard output: %s\n",
			strerror(errno));
		return INSPECT_UNREADABLE;
	}
	return status;
}
