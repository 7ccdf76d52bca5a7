/* SPDX-License-Identifier: BSD-2-Clause */
#include "test_acpi.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Not Check's: the maker of a fuzzer's seeds is no test. */
#define NEED(cond)                                                         \
	do {                                                               \
		if (!(cond)) {                                             \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, \
				#cond);                                    \
			abort();                                           \
		}                                                          \
	} while (0)

#define TABLE_MAX (1 << 20)
#define NAMES_MAX 64
#define DEPTH_MAX 4

/* ---- from text to bytes ---- */

struct place {
	char name[32];
	size_t at;	 /* of the offset */
	size_t relative; /* to this */
};

struct assembler {
	uint8_t bytes[TABLE_MAX];
	size_t size, extra;
	struct place names[NAMES_MAX], uses[NAMES_MAX * 4];
	unsigned int nr_names, nr_uses, depth;
	struct {
		size_t start, length_at;
		unsigned int length_width;
	} open[DEPTH_MAX];
	long length;
	int bad_checksum;
};

static void put(struct assembler *as, uint64_t value, unsigned int width)
{
	NEED(as->size + width <= TABLE_MAX);
	for (; width; width--, value >>= 8)
		as->bytes[as->size++] = (uint8_t)value;
}

static void patch(struct assembler *as, size_t at, uint64_t value,
		  unsigned int width)
{
	for (; width; width--, value >>= 8)
		as->bytes[at++] = (uint8_t)value;
}

static void put_text(struct assembler *as, const char *text)
{
	for (; *text; text++)
		put(as, (uint8_t)*text, 1);
}

static void header(struct assembler *as, const char *name, uint64_t revision)
{
	NEED(strlen(name) == 4);
	put_text(as, name);
	put(as, 0, 4);
	put(as, revision, 1);
	put(as, 0, 1);
	put_text(as, "IABTSTTESTTEST");
	put(as, 1, 4);
	put_text(as, "TEST");
	put(as, 1, 4);
}

static void begin(struct assembler *as, char what, uint64_t type)
{
	unsigned int type_width = what == '{' ? 2 : 1;

	NEED(as->depth < DEPTH_MAX);
	as->open[as->depth].start = as->size;
	put(as, type, type_width);
	as->open[as->depth].length_at = as->size;
	as->open[as->depth].length_width = what == '(' ? 1 : 2;
	put(as, 0, what == '(' ? 1 : 2);
	as->depth++;
}

static void end(struct assembler *as)
{
	NEED(as->depth > 0);
	as->depth--;
	patch(as, as->open[as->depth].length_at,
	      as->size - as->open[as->depth].start,
	      as->open[as->depth].length_width);
}

static void place(struct assembler *as, struct place *places, unsigned int *nr,
		  const char *name)
{
	NEED(*nr < NAMES_MAX);
	snprintf(places[*nr].name, sizeof(places->name), "%s", name);
	places[*nr].at = as->size;
	places[*nr].relative = 0;
	++*nr;
}

static void bridge(struct test_acpi *acpi, const char *text)
{
	struct test_bridge *to = &acpi->bridges[acpi->nr_bridges++];
	unsigned int pci, first, last;

	NEED(acpi->nr_bridges <= TEST_ACPI_BRIDGES);
	NEED(sscanf(text, "%i:%i:%i", (int *)&pci, (int *)&first,
		    (int *)&last) == 3);
	to->pci = pci;
	to->first = (uint8_t)first;
	to->last = (uint8_t)last;
}

static void number_word(struct assembler *as, char width, const char *text)
{
	uint64_t value = strtoull(text, NULL, 0);

	if (width == 'z')
		while (value--)
			put(as, 0, 1);
	else
		put(as, value,
		    width == 'b'   ? 1
		    : width == 'w' ? 2
		    : width == 'd' ? 4
				   : 8);
}

static void word(struct assembler *as, struct test_acpi *acpi, const char *at)
{
	if (strchr("{(<", *at))
		begin(as, *at, strtoull(at + 1, NULL, 0));
	else if (strchr("})>", *at))
		end(as);
	else if (*at == '=')
		place(as, as->names, &as->nr_names, at + 1);
	else if (at[1] == ':' && strchr("bwdqz", *at))
		number_word(as, *at, at + 2);
	else if (at[1] == ':' && strchr("st", *at)) {
		put_text(as, at + 2);
		if (*at == 's')
			put(as, 0, 1);
	} else if (!strncmp(at, "r:", 2) || !strncmp(at, "node:", 5)) {
		place(as, as->uses, &as->nr_uses, strchr(at, ':') + 1);
		if (*at == 'n')
			as->uses[as->nr_uses - 1].relative =
				as->open[as->depth - 1].start;
		put(as, 0, 4);
	} else if (!strcmp(at, "checksum:bad"))
		as->bad_checksum = 1;
	else if (!strncmp(at, "length:", 7))
		as->length = strtol(at + 7, NULL, 0);
	else if (!strncmp(at, "extra:", 6))
		as->extra = strtoul(at + 6, NULL, 0);
	else if (!strncmp(at, "bridge:", 7))
		bridge(acpi, at + 7);
	else
		NEED(!"a known word");
}

static void resolve(struct assembler *as)
{
	unsigned int i, k;

	for (i = 0; i < as->nr_uses; i++) {
		for (k = 0; k < as->nr_names; k++)
			if (!strcmp(as->uses[i].name, as->names[k].name))
				break;
		NEED(k < as->nr_names);
		patch(as, as->uses[i].at,
		      as->names[k].at - as->uses[i].relative, 4);
	}
}

static void finish(struct assembler *as, struct test_acpi *acpi)
{
	uint8_t sum = 0;
	size_t i;

	NEED(!as->depth);
	resolve(as);
	patch(as, 4, as->length >= 0 ? (uint64_t)as->length : as->size, 4);
	for (i = 0; i < as->size; i++)
		sum = (uint8_t)(sum + as->bytes[i]);
	as->bytes[9] = (uint8_t)(as->bad_checksum - sum);
	acpi->size = as->size + as->extra;
	acpi->table = calloc(1, acpi->size);
	NEED(acpi->table);
	memcpy(acpi->table, as->bytes, as->size);
}

struct test_acpi *test_acpi_parse(const char *text)
{
	struct test_acpi *acpi = calloc(1, sizeof(*acpi));
	struct assembler *as = calloc(1, sizeof(*as));
	char *copy = strdup(text), *line, *next, *at, *save = NULL;
	char *rest = strstr(copy, "\n---\n");
	char *name;

	NEED(acpi && as);
	as->length = -1;
	acpi->expected = strdup(rest ? rest + 5 : "");
	if (rest)
		rest[1] = '\0';
	for (line = copy; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (strchr(line, '#'))
			*strchr(line, '#') = '\0';
		at = strtok_r(line, " \t", &save);
		if (at && !strcmp(at, "table")) {
			name = strtok_r(NULL, " \t", &save);
			header(as, name,
			       strtoull(strtok_r(NULL, " \t", &save), NULL, 0));
			at = strtok_r(NULL, " \t", &save);
		}
		for (; at; at = strtok_r(NULL, " \t", &save))
			word(as, acpi, at);
	}
	finish(as, acpi);
	free(copy);
	free(as);
	return acpi;
}

struct test_acpi *test_acpi_load(const char *path)
{
	FILE *in = fopen(path, "r");
	struct test_acpi *acpi;
	char *text = NULL;
	size_t size = 0;

	NEED(in);
	NEED(getdelim(&text, &size, '\0', in) > 0);
	fclose(in);
	acpi = test_acpi_parse(text);
	free(text);
	return acpi;
}

void test_acpi_free(struct test_acpi *acpi)
{
	free(acpi->table);
	free(acpi->expected);
	free(acpi);
}

/* ---- configuration space ---- */

static const struct test_acpi *present;

void test_acpi_bridges(const struct test_acpi *acpi)
{
	present = acpi;
}

uint32_t test_acpi_cfg_read(void *ctx, uint32_t pci, unsigned int offset)
{
	unsigned int i;

	(void)ctx;
	for (i = 0; present && i < present->nr_bridges; i++) {
		if (present->bridges[i].pci != pci)
			continue;
		if (offset == 0x0c)
			return 0x00810000; /* a bridge, of several functions */
		return (uint32_t)present->bridges[i].last << 16 |
		       (uint32_t)present->bridges[i].first << 8 | pci >> 8;
	}
	return ~0u;
}

/* ---- what a scan found, as text ---- */

static void print_unit(FILE *out, const struct desc_unit *unit)
{
	static const char types[][8] = { "null", "smmuv3", "smmuv2", "vtd",
					 "other" };
	static const char which[][6] = { "event", "error", "sync", "pri" };
	const struct desc_source *source;
	uint32_t i;

	fprintf(out, "%s %" PRIx64 "+%" PRIx64, types[unit->type], unit->base,
		unit->length);
	if (unit->type == IOMMUABS_UNIT_VTD)
		fprintf(out, " segment %x", unit->vtd.segment);
	if (unit->vtd.include_all)
		fprintf(out, " all");
	if (unit->vtd.has_proximity)
		fprintf(out, " near %u", unit->vtd.proximity);
	fprintf(out, "%s%s%s",
		unit->flags & IOMMUABS_UNIT_COHERENT ? " coherent" : "",
		unit->flags & IOMMUABS_UNIT_PAGE0_ONLY ? " page0" : "",
		unit->disabled ? " off" : "");
	for (i = 0; i < unit->nr_irqs; i++)
		fprintf(out, " %s=%u%s", which[unit->irqs[i].which],
			unit->irqs[i].number, unit->irqs[i].edge ? "e" : "l");
	for (source = unit->vtd.sources; source; source = source->next) {
		fprintf(out, " %s %u@",
			source->type == DESC_SOURCE_HPET ? "hpet" : "ioapic",
			source->id);
		if (source->rid == DESC_RID_UNKNOWN)
			fprintf(out, "?");
		else
			fprintf(out, "%x", source->rid);
	}
	fprintf(out, "\n");
}

/* Names may hold any byte. */
static void print_path(FILE *out, const char *path)
{
	for (; *path; path++)
		fprintf(out, *path < ' ' || *path > '~' ? "\\x%02x" : "%c",
			(unsigned char)*path);
}

static void print_device(FILE *out, const struct desc_device *device)
{
	const struct desc_reserved *r;
	const struct desc_stream *at;
	const struct desc_alias *alias;

	fprintf(out, "device");
	if (device->path[0])
		fputc(' ', out);
	print_path(out, device->path);
	if (device->unknown)
		fprintf(out, " unknown");
	else if (device->flags & IOMMUABS_DEVICE_PCI)
		fprintf(out, " pci=%x+%x", device->pci, device->nr_pci);
	if (device->flags & IOMMUABS_DEVICE_RANGE)
		fprintf(out, " range");
	if (device->flags & IOMMUABS_DEVICE_UNSAFE_MSI)
		fprintf(out, " unsafe");
	if (device->translates)
		fprintf(out, " atc");
	if (device->must_translate)
		fprintf(out, " required");
	if (device->has_sidp)
		fprintf(out, " sidp=%x", device->sidp);
	for (at = device->streams; at; at = at->next) {
		fprintf(out, " %" PRIx64 ":", at->unit->base);
		if (device->unknown)
			fprintf(out, "?");
		else
			fprintf(out, "%x+%x@%x", at->first, at->nr, at->rid);
	}
	for (r = device->reserved; r; r = r->next)
		fprintf(out, " reserved %" PRIx64 "+%" PRIx64 "/%x",
			r->region.gfn.frame, r->region.nr, r->region.flags);
	for (alias = device->aliases; alias; alias = alias->next)
		fprintf(out, " also %s", alias->path);
	fprintf(out, "\n");
}

static void print_set(FILE *out, const struct desc_set *set)
{
	const struct desc_device *device;
	const struct desc_unit *unit;
	const struct desc_port *port;
	const struct desc_ats_list *satc;

	if (set->dmar.present)
		fprintf(out, "dmar flags %x bits %u\n", set->dmar.flags,
			set->dmar.address_bits);
	for (unit = set->units; unit; unit = unit->next)
		print_unit(out, unit);
	for (device = set->devices; device; device = device->next)
		print_device(out, device);
	for (port = set->ats.ports; port; port = port->next) {
		fprintf(out, "ats segment %x ", port->segment);
		if (port->all)
			fprintf(out, "all\n");
		else if (port->rid == DESC_RID_UNKNOWN)
			fprintf(out, "?\n");
		else
			fprintf(out, "%x\n", port->rid);
	}
	for (satc = set->ats.lists; satc; satc = satc->next)
		fprintf(out, "satc segment %x\n", satc->segment);
}

static void print_remark(void *arg, const char *text)
{
	fprintf(arg, "remark %s\n", text);
}

char *test_acpi_describe(struct test_host *host, test_acpi_scan scan,
			 const void *table, size_t size, uint64_t *work)
{
	struct tablemem mem;
	struct desc_set set = { .mem = &mem };
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	int ret;

	NEED(out);
	NEED(!tablemem_init(&mem, &host->hostif));
	set.remark = print_remark;
	set.remark_arg = out;
	ret = scan(&set, table, size);
	if (!ret)
		print_set(out, &set);
	else if (ret == IOMMUABS_E_FIRMWARE)
		fprintf(out, "error %s\n", set.error);
	else
		fprintf(out, "error %d\n", ret);
	if (work)
		*work = set.work;
	desc_free(&set);
	tablemem_exit(&mem);
	fclose(out);
	return text;
}
